#include "tests/lib/own_domain.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "schemas/lib/lock.h"
#include "tests/lib/records.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_FIELDS = 3 };

struct own_domain {
    struct hub_arena arena;
    struct hub_schema *schema;
    struct hub_domain domain;
};

static void stop(const char *what, const char *detail) {
    fprintf(stderr, "own domain: %s: %s\n", what, detail);
    abort();
}

static void must(enum hub_status status, const struct hub_error *error) {
    if (status != HUB_OK)
        stop("refused", error->text);
}

/* --- one domain, without a catalogue of its own --- */

static json_t *read_json(const char *path) {
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    if (json == NULL)
        stop(path, error.text);
    return json;
}

static const char *schemas_folder(void) {
    const char *folder = getenv("HUB_SCHEMAS");
    return folder == NULL ? "schemas" : folder;
}

static json_t *make_schema(const char *annotations, const char *fields) {
    char path[1024];
    snprintf(path, sizeof path, "%s/domains/trial.avsc", schemas_folder());
    json_t *model = read_json(path), *own_fields = test_json(fields);
    json_t *schema = test_json("{'type': 'record', 'name': 'Own', 'namespace': 'atmp',"
                               " 'doc': 'Of one test.', 'hub:domain': 'own',"
                               " 'hub:identity': ['nct', 'euct'], 'hub:label': [],"
                               " 'hub:systems': ['ctis', 'euctr', 'isrctn', 'ctgov'],"
                               " 'hub:class': 'none', 'hub:retention': 'X'}");
    json_t *added = test_json(annotations), *all = json_array(), *field;
    size_t i;
    json_object_update(schema, added);
    for (i = 0; i < HEAD_FIELDS; i++)
        json_array_append(all, json_array_get(json_object_get(model, "fields"), i));
    json_array_foreach(own_fields, i, field) {
        json_array_append(all, field);
    }
    json_object_set_new(schema, "fields", all);
    json_decref(added);
    json_decref(own_fields);
    json_decref(model);
    return schema;
}

struct own_domain *own_domain_new(const char *annotations, const char *fields) {
    struct own_domain *own = hub_allocate_zero(1, sizeof *own);
    const struct hub_catalogue *catalogue = test_catalogue();
    struct hub_error error;
    json_t *schema = make_schema(annotations, fields);
    char *text = json_dumps(schema, JSON_INDENT(1));
    must(hub_schema_load(hub_bytes_of_text(text), "own.avsc", &own->schema, &error), &error);
    must(hub_domain_load(own->schema, &catalogue->schemes, &catalogue->parties, &own->arena,
                         &own->domain, &error),
         &error);
    free(text);
    json_decref(schema);
    return own;
}

void own_domain_free(struct own_domain *own) {
    hub_schema_free(own->schema);
    hub_arena_destroy(&own->arena);
    hub_release(own);
}

const struct hub_domain *own_domain(const struct own_domain *own) {
    return &own->domain;
}

/* --- a catalogue that has grown --- */

struct folder {
    struct hub_arena arena;
    char path[64];
    struct hub_lock lock;
};

static struct hub_bytes read_file(struct folder *folder, const char *base, const char *name) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    must(hub_file_read(hub_arena_format(&folder->arena, "%s/%s", base, name), &text, &error),
         &error);
    return hub_bytes(hub_arena_text(&folder->arena, (const char *)text.data, text.size), text.size);
}

static void write_file(struct folder *folder, const char *name, struct hub_bytes text) {
    struct hub_error error;
    must(hub_file_write(hub_arena_format(&folder->arena, "%s/%s", folder->path, name), text,
                        &error),
         &error);
}

static void copy_schemas(struct folder *folder) {
    static const char *const parts[] = {"domains", "hub", "registered"};
    static const char *const files[] = {"schemes.json", "systems.json", "organisations.csv",
                                        "registry.lock.json"};
    struct hub_error error;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *from = hub_arena_format(&folder->arena, "%s/%s", schemas_folder(), parts[i]);
        char **names = NULL;
        size_t count = 0;
        must(hub_file_make_folder(
                 hub_arena_format(&folder->arena, "%s/%s", folder->path, parts[i]), &error),
             &error);
        must(hub_file_list(from, ".avsc", &folder->arena, &names, &count, &error), &error);
        for (size_t k = 0; k < count; k++)
            write_file(folder, hub_arena_format(&folder->arena, "%s/%s", parts[i], names[k]),
                       read_file(folder, from, names[k]));
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_file(folder, files[i], read_file(folder, schemas_folder(), files[i]));
}

static void grow(struct folder *folder, const char *domain, const char *field) {
    const char *name = hub_arena_format(&folder->arena, "domains/%s.avsc", domain);
    json_t *schema = read_json(hub_arena_format(&folder->arena, "%s/%s", folder->path, name));
    json_array_append_new(json_object_get(schema, "fields"), test_json(field));
    char *text = json_dumps(schema, JSON_INDENT(1));
    write_file(folder, name, hub_bytes_of_text(text));
    free(text);
    json_decref(schema);
}

static void read_lock(struct folder *folder) {
    struct hub_error error;
    struct hub_node *node = NULL;
    must(hub_node_parse(read_file(folder, folder->path, "registry.lock.json"), "lock",
                        &folder->arena, &node, &error),
         &error);
    must(hub_lock_load(node, &folder->arena, &folder->lock, &error), &error);
}

static void register_file(struct folder *folder, const struct hub_contract_file *file) {
    const struct hub_lock_entry *latest = hub_lock_latest(&folder->lock, file->subject);
    struct hub_digest digest = hub_sha256.digest(file->text);
    char sha256[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(&digest, HUB_DIGEST_SIZE, sha256);
    if (latest != NULL && strcmp(latest->sha256, sha256) == 0)
        return;
    int32_t id = folder->lock.entries[folder->lock.count - 1].id + 1;
    struct hub_lock_entry added = {id, file->subject, latest == NULL ? 1 : latest->version + 1,
                                   hub_arena_format(&folder->arena, "registered/%d.avsc", id),
                                   sha256};
    HUB_SCOPED_BUFFER text = {0};
    write_file(folder, added.file, file->text);
    hub_lock_render(&folder->lock, &added, &text);
    write_file(folder, "registry.lock.json", hub_buffer_bytes(&text));
    read_lock(folder);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

struct hub_catalogue *own_catalogue_grown(const char *domain, const char *field) {
    struct folder folder = {.path = "/tmp/atmp-hub-schemas-XXXXXX"};
    struct hub_contract_file *files = NULL;
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    size_t count = 0;
    if (mkdtemp(folder.path) == NULL)
        stop("no temporary folder", folder.path);
    copy_schemas(&folder);
    grow(&folder, domain, field);
    read_lock(&folder);
    must(hub_catalogue_files(folder.path, &folder.arena, &files, &count, &error), &error);
    for (size_t i = 0; i < count; i++)
        register_file(&folder, &files[i]);
    must(hub_catalogue_load(folder.path, &hub_sha256, &catalogue, &error), &error);
    nftw(folder.path, remove_one, /* descriptors= */ 16, FTW_DEPTH | FTW_PHYS);
    hub_arena_destroy(&folder.arena);
    return catalogue;
}
