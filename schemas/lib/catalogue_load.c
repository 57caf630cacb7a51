/* Loading and checking the folder. */
#include "schemas/lib/catalogue.h"

#include "hub/io/file.h"
#include "schemas/lib/lock.h"
#include "schemas/lib/names.h"
#include "schemas/lib/references.h"
#include "schemas/lib/unified.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_SIZE_MAX = 1024 * 1024, FILES_MAX = 256 };

struct loader {
    struct hub_catalogue *catalogue;
    const char *folder;
    const struct hub_digester *digester;
    struct hub_lock lock;
    struct hub_error *reterr;
};

static enum hub_status read_text(const char *folder, const char *name, struct hub_arena *arena,
                                 struct hub_bytes *ret_text, struct hub_error *reterr) {
    const char *path = hub_arena_format(arena, "%s/%s", folder, name);
    HUB_SCOPED_BUFFER buffer = {.size_max = FILE_SIZE_MAX};
    HUB_TRY(hub_file_read(path, &buffer, reterr));
    char *copy = hub_arena_text(arena, (const char *)buffer.data, buffer.size);
    *ret_text = hub_bytes(copy, buffer.size);
    return HUB_OK;
}

static enum hub_status read_node(struct loader *loader, const char *name,
                                 struct hub_bytes *ret_text, struct hub_node **ret_node) {
    struct hub_arena *arena = &loader->catalogue->arena;
    HUB_TRY(read_text(loader->folder, name, arena, ret_text, loader->reterr));
    const char *path = hub_arena_format(arena, "%s/%s", loader->folder, name);
    return hub_node_parse(*ret_text, path, arena, ret_node, loader->reterr);
}

static enum hub_status load_registered(struct loader *loader, const struct hub_lock_entry *entry,
                                       struct hub_schema **ret_schema) {
    struct hub_bytes text;
    HUB_TRY(read_text(loader->folder, entry->file, &loader->catalogue->arena, &text,
                      loader->reterr));
    char hexadecimal[HUB_DIGEST_TEXT_SIZE];
    struct hub_digest digest = loader->digester->digest(text);
    hub_digest_text(&digest, HUB_DIGEST_SIZE, hexadecimal);
    if (strcmp(hexadecimal, entry->sha256) != 0)
        return hub_fail(loader->reterr, HUB_FATAL,
                        "%s/%s: not the text that was registered as %d; registered texts never "
                        "change", loader->folder, entry->file, entry->id);
    const char *path =
        hub_arena_format(&loader->catalogue->arena, "%s/%s", loader->folder, entry->file);
    HUB_TRY(hub_schema_load(text, path, ret_schema, loader->reterr));
    (*ret_schema)->id = entry->id;
    (*ret_schema)->subject = entry->subject;
    (*ret_schema)->version = entry->version;
    return HUB_OK;
}

static const char *rules_hash(struct loader *loader, const struct hub_domain *domain) {
    struct hub_rules_texts texts = hub_catalogue_rules(loader->catalogue, domain);
    char hash[HUB_RULES_HASH_SIZE + 1];
    hub_rules_hash(&texts, loader->digester, hash);
    return hub_arena_text(&loader->catalogue->arena, hash, HUB_RULES_HASH_SIZE);
}

/* So that of an identifier it is clear what it is the number of: unified.identifier has one key for
 * it. */
static enum hub_status check_schemes(struct loader *loader, const struct hub_domain *domain) {
    const struct hub_catalogue *catalogue = loader->catalogue;
    for (size_t i = 0; i < catalogue->domain_count; i++)
        for (size_t k = 0; k < domain->identity_count; k++)
            if (hub_domain_scheme_strength(&catalogue->domains[i], domain->identity[k]) >= 0)
                return hub_node_fail(hub_node_get(domain->schema->root->node, "hub:identity"),
                                     loader->reterr,
                                     "'%s' is a number of domain '%s'; a scheme of no other domain "
                                     "would pass",
                                     catalogue->schemes.schemes[domain->identity[k]].name,
                                     catalogue->domains[i].name);
    return HUB_OK;
}

static enum hub_status load_domain(struct loader *loader, const struct hub_schema *schema,
                                   const struct hub_schema *unified) {
    struct hub_catalogue *catalogue = loader->catalogue;
    struct hub_domain *domain = &catalogue->domains[catalogue->domain_count];
    HUB_TRY(hub_domain_load(schema, &catalogue->schemes, &catalogue->parties, &catalogue->arena,
                            domain, loader->reterr));
    if (strcmp(domain->name, schema->subject) != 0)
        return hub_node_fail(hub_node_get(schema->root->node, "hub:domain"), loader->reterr,
                             "'%s' would pass: a domain has the name of its file and subject",
                             schema->subject);
    if (unified == NULL)
        return hub_node_fail(schema->root->node, loader->reterr,
                             "domain '%s' has no unified schema; a file in domains/ would pass",
                             domain->name);
    HUB_TRY(check_schemes(loader, domain));
    domain->unified = unified;
    domain->rules = rules_hash(loader, domain);
    catalogue->domain_count++;
    return HUB_OK;
}

/* A domain is what has the annotation or a unified schema: without the one, the other is missed. */
static enum hub_status load_domains(struct loader *loader) {
    struct hub_catalogue *catalogue = loader->catalogue;
    catalogue->domains = hub_arena_take_zero(&catalogue->arena, catalogue->schema_count,
                                             sizeof *catalogue->domains);
    for (size_t i = 0; i < catalogue->schema_count; i++) {
        const struct hub_schema *schema = catalogue->schemas[i];
        const struct hub_schema *unified = hub_catalogue_latest(
            catalogue, hub_arena_format(&catalogue->arena, "unified.%s", schema->subject));
        bool latest = hub_catalogue_latest(catalogue, schema->subject) == schema;
        bool annotated = hub_node_get(schema->root->node, "hub:domain") != NULL;
        if (latest && (annotated || unified != NULL))
            HUB_TRY(load_domain(loader, schema, unified));
    }
    return hub_references_check(catalogue->domains, catalogue->domain_count, loader->reterr);
}

/* The files people edit must be what is registered: nobody runs on an unlocked edit by mistake. */
static enum hub_status check_drift(struct loader *loader) {
    struct hub_contract_file *files = NULL;
    size_t count = 0;
    HUB_TRY(hub_catalogue_files(loader->folder, &loader->catalogue->arena, &files, &count,
                                loader->reterr));
    for (size_t i = 0; i < count; i++) {
        const struct hub_schema *schema =
            hub_catalogue_latest(loader->catalogue, files[i].subject);
        bool same = schema != NULL && hub_bytes_equal(hub_bytes(schema->text, schema->text_size),
                                                      files[i].text);
        if (!same)
            return hub_fail(loader->reterr, HUB_FATAL,
                            "%s/%s: differs from what is registered as '%s'; `hubctl schema lock` "
                            "registers it", loader->folder, files[i].file, files[i].subject);
    }
    return HUB_OK;
}

static enum hub_status check_names(struct loader *loader) {
    const struct hub_catalogue *catalogue = loader->catalogue;
    const struct hub_schema **latest =
        hub_arena_take(&loader->catalogue->arena, (catalogue->schema_count + 1) * sizeof *latest);
    size_t count = 0;
    for (size_t i = 0; i < catalogue->schema_count; i++)
        if (hub_catalogue_latest(catalogue, catalogue->schemas[i]->subject) ==
            catalogue->schemas[i])
            latest[count++] = catalogue->schemas[i];
    return hub_names_check(latest, count, loader->reterr);
}

static enum hub_status load_shared(struct loader *loader) {
    struct hub_catalogue *catalogue = loader->catalogue;
    struct hub_node *schemes = NULL, *systems = NULL;
    struct hub_rules_texts *shared = &catalogue->shared;
    HUB_TRY(read_node(loader, "schemes.json", &shared->schemes, &schemes));
    HUB_TRY(read_node(loader, "systems.json", &shared->systems, &systems));
    HUB_TRY(read_text(loader->folder, "organisations.csv", &catalogue->arena,
                      &shared->organisations, loader->reterr));
    const char *organisations =
        hub_arena_format(&catalogue->arena, "%s/organisations.csv", loader->folder);
    HUB_TRY(hub_schemes_load(schemes, &catalogue->arena, &catalogue->schemes, loader->reterr));
    return hub_parties_load(systems, shared->organisations, organisations, &catalogue->arena,
                            &catalogue->parties, loader->reterr);
}

static enum hub_status load_locked(struct loader *loader) {
    struct hub_catalogue *catalogue = loader->catalogue;
    struct hub_node *lock = NULL;
    struct hub_bytes lock_text;
    HUB_TRY(load_shared(loader));
    HUB_TRY(read_node(loader, "registry.lock.json", &lock_text, &lock));
    HUB_TRY(hub_lock_load(lock, &catalogue->arena, &loader->lock, loader->reterr));
    catalogue->schemas = hub_arena_take_zero(&catalogue->arena, loader->lock.count,
                                             sizeof *catalogue->schemas);
    for (size_t i = 0; i < loader->lock.count; i++) {
        HUB_TRY(load_registered(loader, &loader->lock.entries[i], &catalogue->schemas[i]));
        catalogue->schema_count++;
    }
    HUB_TRY(check_drift(loader));
    HUB_TRY(check_names(loader));
    return load_domains(loader);
}

/* What people edit, whether it is locked or not. */
static enum hub_status load_edited(struct loader *loader) {
    struct hub_catalogue *catalogue = loader->catalogue;
    struct hub_contract_file *files = NULL;
    size_t count = 0;
    HUB_TRY(load_shared(loader));
    HUB_TRY(hub_catalogue_files(loader->folder, &catalogue->arena, &files, &count,
                                loader->reterr));
    catalogue->schemas = hub_arena_take_zero(&catalogue->arena, count, sizeof *catalogue->schemas);
    for (size_t i = 0; i < count; i++) {
        const char *path =
            hub_arena_format(&catalogue->arena, "%s/%s", loader->folder, files[i].file);
        HUB_TRY(hub_schema_load(files[i].text, path, &catalogue->schemas[i], loader->reterr));
        catalogue->schemas[i]->subject = files[i].subject;
        catalogue->schema_count++;
    }
    HUB_TRY(check_names(loader));
    return load_domains(loader);
}

static enum hub_status load(const char *folder, const struct hub_digester *digester,
                            enum hub_status (*from)(struct loader *loader),
                            struct hub_catalogue **ret_catalogue, struct hub_error *reterr) {
    struct loader loader = {.catalogue = hub_allocate_zero(1, sizeof *loader.catalogue),
                            .folder = folder,
                            .digester = digester,
                            .reterr = reterr};
    loader.catalogue->compiler = &hub_rules_compiler;
    enum hub_status status = from(&loader);
    if (status == HUB_OK)
        *ret_catalogue = loader.catalogue;
    else
        hub_catalogue_free(loader.catalogue);
    return status;
}

enum hub_status hub_catalogue_load(const char *folder, const struct hub_digester *digester,
                                   struct hub_catalogue **ret_catalogue,
                                   struct hub_error *reterr) {
    return load(folder, digester, load_locked, ret_catalogue, reterr);
}

enum hub_status hub_catalogue_check(const char *folder, const struct hub_digester *digester,
                                    struct hub_error *reterr) {
    struct hub_catalogue *catalogue = NULL;
    HUB_TRY(load(folder, digester, load_edited, &catalogue, reterr));
    hub_catalogue_free(catalogue);
    return HUB_OK;
}

void hub_catalogue_free(struct hub_catalogue *catalogue) {
    if (catalogue == NULL)
        return;
    for (size_t i = 0; i < catalogue->schema_count; i++)
        hub_schema_free(catalogue->schemas[i]);
    struct hub_arena arena = catalogue->arena;
    hub_arena_destroy(&arena);
    hub_release(catalogue);
}

/* --- the files that are registered --- */

static int compare_files(const void *a, const void *b) {
    const struct hub_contract_file *x = a, *y = b;
    return strcmp(x->subject, y->subject);
}

struct listing {
    const char *folder;
    struct hub_arena *arena;
    struct hub_contract_file *files;
    size_t count;
    struct hub_bytes pattern;
    struct hub_error *reterr;
};

static enum hub_status add_unified(struct listing *listing, const char *stem,
                                   struct hub_bytes text) {
    HUB_SCOPED_BUFFER generated = {.size_max = FILE_SIZE_MAX};
    enum hub_status status =
        hub_unified_generate(listing->pattern, text, &generated, listing->reterr);
    if (status != HUB_OK)
        return hub_fail_at(listing->reterr, status, "%s/domains/%s.avsc", listing->folder, stem);
    char *copy =
        hub_arena_text(listing->arena, (const char *)generated.data, generated.size);
    listing->files[listing->count++] = (struct hub_contract_file){
        .subject = hub_arena_format(listing->arena, "unified.%s", stem),
        .file = hub_arena_format(listing->arena, "domains/%s.avsc (unified)", stem),
        .text = hub_bytes(copy, generated.size)};
    return HUB_OK;
}

static enum hub_status add_folder(struct listing *listing, const char *part) {
    const char *path = hub_arena_format(listing->arena, "%s/%s", listing->folder, part);
    char **names = NULL;
    size_t count = 0;
    bool domains = strcmp(part, "domains") == 0;
    HUB_TRY(hub_file_list(path, ".avsc", listing->arena, &names, &count, listing->reterr));
    if (listing->count + 2 * count > FILES_MAX)
        return hub_fail(listing->reterr, HUB_FATAL, "%s: more than %d schemas", path, FILES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *stem = hub_arena_text(listing->arena, names[i], strlen(names[i]) - 5);
        const char *file = hub_arena_format(listing->arena, "%s/%s", part, names[i]);
        struct hub_bytes text;
        HUB_TRY(read_text(listing->folder, file, listing->arena, &text, listing->reterr));
        if (!domains && strcmp(stem, "unified") == 0)
            continue; /* the pattern */
        listing->files[listing->count++] = (struct hub_contract_file){stem, file, text};
        if (domains)
            HUB_TRY(add_unified(listing, stem, text));
    }
    return HUB_OK;
}

enum hub_status hub_catalogue_files(const char *folder, struct hub_arena *arena,
                                    struct hub_contract_file **ret_files, size_t *ret_count,
                                    struct hub_error *reterr) {
    struct listing listing = {.folder = folder, .arena = arena, .reterr = reterr};
    listing.files = hub_arena_take_zero(arena, FILES_MAX, sizeof *listing.files);
    HUB_TRY(read_text(folder, "hub/unified.avsc", arena, &listing.pattern, reterr));
    HUB_TRY(add_folder(&listing, "domains"));
    HUB_TRY(add_folder(&listing, "hub"));
    qsort(listing.files, listing.count, sizeof *listing.files, compare_files);
    for (size_t i = 1; i < listing.count; i++)
        if (compare_files(&listing.files[i - 1], &listing.files[i]) == 0)
            return hub_fail(reterr, HUB_FATAL, "%s/%s: '%s' is the subject of %s too", folder,
                            listing.files[i].file, listing.files[i].subject,
                            listing.files[i - 1].file);
    *ret_files = listing.files;
    *ret_count = listing.count;
    return HUB_OK;
}
