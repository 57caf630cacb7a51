/* What hubctl complete reads of manifests and dead letters. */
#include "hub/ctl/complete.h"

#include "hub/base/table.h"
#include "hub/io/crypto.h"
#include "hub/stages/readers.h"
#include "schemas/lib/slice.h"

#include <stdio.h>

/* --- manifests --- */

/* A connector's records, the latest of each key. */
struct told {
    UT_hash_handle hh;
    const char *name;
    bool has_whole;
    struct hub_manifest whole;
    int64_t written_ms;
    struct hub_bytes parts[HUB_MANIFEST_PARTS]; /* entries */
};

struct reading {
    struct hub_complete *complete;
    const struct hub_schema *schema;
    struct told *told; /* by connector */
    struct hub_error error;
    bool failed;
};

static struct told *need_told(struct reading *reading, const char *name) {
    struct told *told = NULL;
    HASH_FIND_STR(reading->told, name, told);
    if (told != NULL)
        return told;
    told = hub_arena_take_zero(&reading->complete->arena, 1, sizeof *told);
    told->name = name;
    HASH_ADD_KEYPTR(hh, reading->told, told->name, strlen(told->name), told);
    return told;
}

static bool take_manifest(void *context, const struct hub_ctl_record *record) {
    struct reading *reading = context;
    struct hub_arena *arena = &reading->complete->arena;
    struct hub_manifest manifest;
    if (!hub_manifest_is_of(reading->schema, record->value))
        return true;
    if (hub_manifest_decode(reading->schema, record->value, arena, &manifest, &reading->error) !=
        HUB_OK) {
        reading->failed = true;
        return false;
    }
    struct told *told = need_told(reading, manifest.names.connector);
    if (manifest.is_part) {
        told->parts[manifest.number] =
            hub_bytes(hub_arena_text(arena, (const char *)manifest.entries.data,
                                     manifest.entries.size),
                      manifest.entries.size);
        return true;
    }
    told->has_whole = true;
    told->whole = manifest;
    told->written_ms = record->timestamp_ms;
    return true;
}

/* All parts as the whole sums them up, or why not. */
static const char *damage_of(struct reading *reading, const struct told *told) {
    for (size_t i = 0; i < HUB_MANIFEST_PARTS; i++) {
        struct hub_digest digest = hub_sha256.digest(told->parts[i]);
        if (memcmp(digest.bytes, told->whole.sums[i].digest.bytes, HUB_DIGEST_SIZE) != 0)
            return hub_arena_format(&reading->complete->arena,
                                    "its manifest is not whole: part %zu is not what it was "
                                    "summed up as", i);
    }
    return NULL;
}

static void add_told(struct reading *reading, const struct told *told) {
    struct hub_complete *complete = reading->complete;
    const struct hub_manifest *whole = &told->whole;
    const struct hub_domain *domain = hub_catalogue_domain(
        complete->ctl->catalogue, hub_bytes_of_text(whole->names.domain));
    const char *only = complete->ctl->domain;
    if (domain == NULL || (only != NULL && strcmp(only, domain->name) != 0))
        return;
    struct hub_complete_source *source = hub_complete_source_need(complete, &whole->names, domain);
    HUB_GROW(source->tellers, source->teller_count, source->teller_capacity);
    struct hub_complete_teller *teller = &source->tellers[source->teller_count++];
    *teller = (struct hub_complete_teller){told->name, whole->sequence, told->written_ms,
                                           damage_of(reading, told)};
    if (teller->damage != NULL)
        return;
    source->is_comparable = source->is_comparable && whole->schema == domain->schema->id;
    if (whole->has_look && (!source->has_look || whole->looked_ms < source->looked_ms))
        source->looked_ms = whole->looked_ms;
    source->has_look = source->has_look || whole->has_look;
    for (size_t i = 0; i < HUB_MANIFEST_PARTS; i++)
        hub_inventory_decode(source->inventory, reading->schema, told->parts[i]);
}

/* The topic says who speaks: a manifest that claims to be another institution's is none. */
static bool read_institution(struct reading *reading, const char *institution) {
    struct hub_complete *complete = reading->complete;
    const char *topic = hub_arena_format(&complete->arena, HUB_MANIFEST_TOPIC, institution);
    bool good =
        hub_ctl_read_topic(complete->ctl, complete->source, topic, take_manifest, reading);
    for (const struct told *told = reading->told; good && told != NULL; told = told->hh.next) {
        if (told->has_whole && strcmp(told->whole.names.institution, institution) == 0) {
            add_told(reading, told);
        } else if (told->has_whole) {
            complete->has_foreign = true;
            fprintf(stderr, "hubctl: %s: a manifest of connector %s that claims to be of %s\n",
                    topic, told->name, told->whole.names.institution);
        }
    }
    HASH_CLEAR(hh, reading->told);
    if (reading->failed)
        fprintf(stderr, "hubctl: %s: %s\n", topic, reading->error.text);
    return good && !reading->failed;
}

bool hub_complete_read_manifests(struct hub_complete *complete) {
    const struct hub_catalogue *catalogue = complete->ctl->catalogue;
    struct reading reading = {.complete = complete,
                              .schema = hub_catalogue_latest(catalogue, HUB_MANIFEST_SUBJECT)};
    bool good = true;
    for (size_t i = 0; good && i < catalogue->parties.institution_count; i++)
        good = read_institution(&reading, catalogue->parties.institutions[i].name);
    return good;
}

/* --- dead letters --- */

static struct hub_complete_source *source_of_letter(struct hub_complete *complete,
                                                    struct hub_bytes connector,
                                                    struct hub_bytes topic,
                                                    struct hub_bytes key) {
    struct hub_bytes system, id, ingest, institution, domain;
    if (!hub_bytes_cut(key, '/', &system, &id))
        return NULL;
    if (hub_bytes_cut(topic, '.', &ingest, &domain) &&
        hub_bytes_cut(domain, '.', &institution, &domain))
        return hub_complete_source_find(complete, institution, system,
                           hub_catalogue_domain(complete->ctl->catalogue, domain));
    for (size_t i = 0; i < complete->count; i++)
        for (size_t k = 0; k < complete->sources[i].teller_count; k++)
            if (hub_bytes_equal_text(connector, complete->sources[i].tellers[k].name))
                return &complete->sources[i];
    return NULL;
}

static struct hub_bytes octets_of(const struct hub_ctl_record *record, const char *field) {
    struct hub_bytes part;
    return hub_slice_path(record->schema->root, record->body, field, &part) == NULL
               ? hub_bytes("", 0)
               : hub_slice_octets(part);
}

struct lettering {
    struct hub_complete *complete;
    struct hub_arena scratch;
};

/* The digest of the statement that was refused; false where it is none. */
static bool digest_original(struct lettering *lettering, const struct hub_complete_source *source,
                            const struct hub_ctl_record *record, struct hub_digest *ret_digest) {
    const struct hub_catalogue *catalogue = lettering->complete->ctl->catalogue;
    const struct hub_system *system =
        hub_parties_system(&catalogue->parties, hub_bytes_of_text(source->system));
    struct hub_readers readers;
    struct hub_opened opened;
    struct hub_error error;
    hub_readers_init(&readers, catalogue, source->domain);
    bool good = system != NULL &&
                hub_readers_open(&readers, octets_of(record, "original"), &lettering->scratch,
                                 &opened, &error) == HUB_OK;
    if (good)
        *ret_digest = hub_statement_digest(source->domain, system, &hub_sha256, opened.body,
                                           opened.starts);
    hub_readers_free(&readers);
    hub_arena_reset(&lettering->scratch);
    return good;
}

static bool is_of(const struct hub_digest *digest, const struct hub_said *said) {
    return memcmp(digest->bytes, said->digest.bytes, HUB_DIGEST_SIZE) == 0;
}

static void note_letter(struct lettering *lettering, const struct hub_complete_source *source,
                        struct hub_complete_row *row, const struct hub_ctl_record *record) {
    struct hub_arena *arena = &lettering->complete->arena;
    const struct hub_inventory_item *item = hub_inventory_find(source->inventory, row->key);
    struct hub_bytes code = octets_of(record, "code"), part;
    struct hub_digest digest;
    struct hub_complete_letter letter = {
        .place = hub_arena_format(arena, "%s/%d@%lld", record->topic, record->partition,
                                  (long long)record->offset),
        .code = hub_arena_text(arena, (const char *)code.data, code.size)};
    if (hub_slice_path(record->schema->root, record->body, "offset", &part) == NULL) {
        row->refused = letter;
        return;
    }
    if (hub_slice_long(part) == row->offset)
        row->dead = letter;
    if (item == NULL || !item->is_told || !digest_original(lettering, source, record, &digest))
        return;
    if (is_of(&digest, &item->latest))
        row->latest_dead = letter;
    if (is_of(&digest, &item->last))
        row->last_dead = letter;
}

/* Of a letter that a person has settled without telling it. */
static void note_outcome(struct hub_arena *arena, struct hub_complete_row *row,
                         const struct hub_ctl_record *record) {
    struct hub_complete_letter *letters[] = {&row->refused, &row->latest_dead, &row->last_dead,
                                             &row->dead};
    struct hub_bytes offset, bytes;
    hub_slice_path(record->schema->root, record->body, "about.offset", &offset);
    const struct hub_type *outcome =
        hub_slice_path(record->schema->root, record->body, "about.outcome", &bytes);
    const char *place = hub_arena_format(arena, "%s/%d@%lld", record->topic, record->partition,
                                         (long long)hub_slice_long(offset));
    if (strcmp(hub_slice_symbol(outcome, bytes), "DISCARDED") != 0)
        return;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i]->place != NULL && strcmp(letters[i]->place, place) == 0)
            letters[i]->code = hub_arena_format(arena, "%s, discarded", letters[i]->code);
}

/* A record that tells what became of a letter is none of its own. */
static bool is_outcome(const struct hub_ctl_record *record) {
    struct hub_bytes part;
    return hub_type_field(record->schema->root, "about") >= 0 &&
           hub_slice_path(record->schema->root, record->body, "about", &part) != NULL;
}

static bool take_letter(void *context, const struct hub_ctl_record *record) {
    struct lettering *lettering = context;
    if (record->schema == NULL || strcmp(record->schema->subject, "deadletter") != 0)
        return true;
    struct hub_bytes key = octets_of(record, "key");
    struct hub_complete_source *source =
        source_of_letter(lettering->complete, octets_of(record, "connector"),
                         octets_of(record, "topic"), key);
    struct hub_complete_row *row =
        source == NULL ? NULL : hub_complete_row_find(source, key);
    if (row != NULL && is_outcome(record))
        note_outcome(&lettering->complete->arena, row, record);
    else if (row != NULL)
        note_letter(lettering, source, row, record);
    return true;
}

bool hub_complete_read_letters(struct hub_complete *complete) {
    struct hub_ctl *ctl = complete->ctl;
    const struct hub_parties *parties = &ctl->catalogue->parties;
    struct lettering lettering = {.complete = complete};
    bool good =
        hub_ctl_read_topic(ctl, complete->source, "deadletter.hub", take_letter, &lettering);
    for (size_t i = 0; good && i < parties->institution_count; i++)
        good = hub_ctl_read_topic(ctl, complete->source,
                                  hub_arena_format(&complete->arena, "deadletter.%s",
                                                   parties->institutions[i].name),
                                  take_letter, &lettering);
    hub_arena_destroy(&lettering.scratch);
    return good;
}
