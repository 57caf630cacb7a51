#include "hub/ctl/retention_read.h"

#include "hub/ctl/erase.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"
#include "schemas/lib/sealed.h"

#include <stdio.h>
#include <string.h>

enum { FILE_SIZE_MAX = 1 << 20 };

enum hub_exit hub_retention_open(struct hub_ctl *ctl, struct hub_retention_reading *reading) {
    HUB_SCOPED_BUFFER text = {.size_max = FILE_SIZE_MAX};
    struct hub_node *node = NULL;
    struct hub_error error;
    *reading = (struct hub_retention_reading){.ctl = ctl, .now_ms = hub_clock_realtime_ms()};
    if (ctl->as_of_ms != INT64_MAX)
        reading->now_ms = ctl->as_of_ms;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    const char *path = hub_arena_format(&reading->arena, "%s/retention.json", ctl->schemas);
    if (hub_file_read(path, &text, &error) == HUB_OK &&
        hub_node_parse(hub_buffer_bytes(&text), path, &reading->arena, &node, &error) == HUB_OK &&
        hub_retention_load(node, ctl->catalogue, &reading->arena, &reading->policy, &error) == HUB_OK) {
        reading->counts = hub_arena_take_zero(&reading->arena, ctl->catalogue->domain_count,
                                              sizeof *reading->counts);
        return HUB_EXIT_OK;
    }
    fprintf(stderr, "hubctl: %s\n", error.text);
    return HUB_EXIT_FINDINGS;
}

/* --- records --- */

/* A statement in force, and since when the record that it is in waits for its end. */
struct dated {
    UT_hash_handle hh;
    const char *key; /* <system>/<source id> */
    bool has_from;
    int64_t from_ms;
};

/* One domain. */
struct looking {
    struct hub_retention_reading *reading;
    const struct hub_domain *domain;
    struct hub_retention_count *count;
    const struct hub_retention_clock *clock;
    struct dated *dated;
    struct hub_arena arena;
};

static void note_end(struct looking *looking, bool has_from, int64_t from_ms) {
    const struct hub_retention_reading *reading = looking->reading;
    const struct hub_retention_class *kept =
        hub_retention_class(&reading->policy, hub_retention_of_domain(looking->domain));
    struct hub_retention_count *count = looking->count;
    count->records++;
    if (!has_from) {
        count->undated++;
        return;
    }
    int64_t end_ms = hub_retention_end(kept, from_ms);
    if (end_ms <= reading->now_ms)
        count->over++;
    else if (end_ms < count->next_end_ms)
        count->next_end_ms = end_ms;
}

static void add_dated(struct looking *looking, const json_t *statement, bool has_from,
                      int64_t from_ms) {
    const char *key = json_string_value(json_object_get(statement, "key"));
    struct dated *dated = hub_arena_take_zero(&looking->arena, 1, sizeof *dated);
    if (key == NULL)
        return;
    *dated = (struct dated){.key = hub_arena_text(&looking->arena, key, strlen(key)),
                            .has_from = has_from,
                            .from_ms = from_ms};
    HASH_ADD_KEYPTR(hh, looking->dated, dated->key, strlen(dated->key), dated);
}

static bool look_at_records(struct looking *looking) {
    struct hub_ctl *ctl = looking->reading->ctl;
    const char *before = ctl->domain;
    size_t i, k;
    json_t *record, *statement;
    ctl->domain = looking->domain->name;
    json_t *latest = hub_ctl_latest(ctl, "unified.");
    ctl->domain = before;
    json_array_foreach(latest, i, record) {
        const json_t *unified = json_object_get(record, "value");
        const char *kind = json_string_value(json_object_get(unified, "kind"));
        int64_t from_ms = 0;
        if (kind == NULL || strcmp(kind, "ACTIVE") != 0)
            continue;
        bool has_from =
            hub_retention_from(looking->clock, json_object_get(unified, "value"), &from_ms);
        note_end(looking, has_from, from_ms);
        json_array_foreach(json_object_get(unified, "statements"), k, statement)
            add_dated(looking, statement, has_from, from_ms);
    }
    bool good = latest != NULL;
    json_decref(latest);
    return good;
}

/* --- keys --- */

/* What was withdrawn, or is said otherwise now, waits since it was written last. */
static struct dated find_dated(const struct looking *looking, struct hub_bytes statement,
                               int64_t written_ms) {
    struct dated *dated = NULL;
    HASH_FIND(hh, looking->dated, statement.data, statement.size, dated);
    return dated != NULL ? *dated : (struct dated){.has_from = true, .from_ms = written_ms};
}

static struct hub_retention_key *need_key(struct hub_retention_reading *reading, const char *key_id) {
    struct hub_retention_key *key = NULL;
    HASH_FIND_STR(reading->keys, key_id, key);
    if (key != NULL)
        return key;
    key = hub_arena_take_zero(&reading->arena, 1, sizeof *key);
    key->key_id = hub_arena_text(&reading->arena, key_id, strlen(key_id));
    key->end_ms = key->from_ms = INT64_MIN;
    HASH_ADD_KEYPTR(hh, reading->keys, key->key_id, strlen(key->key_id), key);
    return key;
}

static void note_key(struct looking *looking, const char *key_id, char letter,
                     const struct dated *dated) {
    struct hub_retention_key *key = need_key(looking->reading, key_id);
    const struct hub_retention_class *kept = hub_retention_class(&looking->reading->policy, letter);
    int64_t end_ms =
        dated->has_from ? hub_retention_end(kept, dated->from_ms) : HUB_RETENTION_NEVER;
    key->statements++;
    if (end_ms < key->end_ms)
        return;
    key->end_ms = end_ms;
    key->from_ms = dated->has_from ? dated->from_ms : HUB_RETENTION_NEVER;
    key->domain = looking->domain->name;
    key->letter = letter;
}

/* A field's, which may be a list of what is sealed. */
static void note_sealed(struct looking *looking, const json_t *sealed, char letter,
                        const struct dated *dated) {
    const char *key_id = json_string_value(json_object_get(sealed, "key_id"));
    const json_t *item;
    size_t i;
    json_array_foreach((json_t *)sealed, i, item)
        note_sealed(looking, item, letter, dated);
    if (key_id != NULL)
        note_key(looking, key_id, letter, dated);
}

/* <institution>/<system>/<source id>, also after late/. */
static bool statement_of(struct hub_bytes key, struct hub_bytes *ret_statement) {
    struct hub_bytes head, rest;
    if (!hub_bytes_cut(key, '/', &head, &rest))
        return false;
    if (hub_bytes_equal_text(head, "late") && !hub_bytes_cut(rest, '/', &head, &rest))
        return false;
    *ret_statement = rest;
    return true;
}

/* Fields are found by their names: the record may be of an earlier schema. */
static bool take_entry(void *context, const struct hub_ctl_record *record) {
    struct looking *looking = context;
    const struct hub_domain *domain = looking->domain;
    struct hub_bytes statement;
    if (record->schema == NULL || !statement_of(record->key, &statement))
        return true;
    struct dated dated = find_dated(looking, statement, record->timestamp_ms);
    json_t *value = NULL;
    for (size_t i = 0; i < domain->contract.count; i++) {
        const struct hub_field *field = domain->contract.fields[i].field;
        if (!hub_sealed_is(field->type) || hub_type_field(record->schema->root, field->name) < 0)
            continue;
        if (value == NULL)
            value = hub_ctl_value(record);
        note_sealed(looking, json_object_get(value, field->name), hub_retention_of_field(domain, i),
                    &dated);
    }
    json_decref(value);
    return true;
}

static bool look_at_log(struct looking *looking) {
    struct hub_ctl *ctl = looking->reading->ctl;
    struct hub_source *source = hub_ctl_source(ctl);
    const char *topic = hub_arena_format(&looking->arena, "log.%s", looking->domain->name);
    bool good = source != NULL && hub_ctl_read_topic(ctl, source, topic, take_entry, looking);
    hub_source_free(source);
    return good;
}

enum hub_exit hub_retention_read(struct hub_retention_reading *reading, bool with_keys) {
    const struct hub_catalogue *catalogue = reading->ctl->catalogue;
    bool good = true;
    for (size_t i = 0; good && i < catalogue->domain_count; i++) {
        const struct hub_domain *domain = &catalogue->domains[i];
        struct looking looking = {.reading = reading,
                                  .domain = domain,
                                  .count = &reading->counts[i],
                                  .clock = &reading->policy.clocks[i]};
        looking.count->next_end_ms = HUB_RETENTION_NEVER;
        if (with_keys ? !hub_ctl_seals(domain)
                      : reading->ctl->domain != NULL && strcmp(reading->ctl->domain, domain->name) != 0)
            continue;
        good = look_at_records(&looking) && (!with_keys || look_at_log(&looking));
        HASH_CLEAR(hh, looking.dated);
        hub_arena_destroy(&looking.arena);
    }
    return good ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

void hub_retention_close(struct hub_retention_reading *reading) {
    HASH_CLEAR(hh, reading->keys);
    hub_arena_destroy(&reading->arena);
}
