#include "hub/archive/choice.h"

#include "hub/base/table.h"
#include "schemas/lib/slice.h"

#include <string.h>

struct hub_choice_statement {
    UT_hash_handle hh;
    char key[]; /* SYSTEM/SOURCE-ID */
};

/* --- topics --- */

static bool is_of(const char *topic, const char *prefix, const char *domain, size_t size) {
    size_t before = strlen(prefix);
    return strncmp(topic, prefix, before) == 0 && strlen(topic) == before + size &&
           memcmp(topic + before, domain, size) == 0;
}

/* ingest.INSTITUTION.DOMAIN */
static bool is_ingest(const char *topic, const char *domain, size_t size) {
    static const char prefix[] = "ingest.";
    const char *dot = strncmp(topic, prefix, sizeof prefix - 1) == 0
                          ? strchr(topic + sizeof prefix - 1, '.')
                          : NULL;
    return dot != NULL && is_of(dot, ".", domain, size);
}

static bool is_of_domain(const char *topic, const char *domain, size_t size) {
    static const char *const prefixes[] = {"log.", "unified.", "conflict.", "match."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (is_of(topic, prefixes[i], domain, size))
            return true;
    return is_ingest(topic, domain, size);
}

/* trial-qtw66heeswjpch76 is of trial. */
static size_t domain_size(const char *entity) {
    const char *dash = strrchr(entity, '-');
    return dash == NULL ? 0 : (size_t)(dash - entity);
}

bool hub_choice_has_topic(const struct hub_choice *choice, const char *topic) {
    if (choice->topic != NULL && strcmp(topic, choice->topic) != 0)
        return false;
    if (choice->domain != NULL && !is_of_domain(topic, choice->domain, strlen(choice->domain)))
        return false;
    return choice->entity == NULL ||
           is_of_domain(topic, choice->entity, domain_size(choice->entity));
}

/* --- an entity's statements --- */

static struct hub_choice_statement *find(const struct hub_choice *choice, struct hub_bytes key) {
    struct hub_choice_statement *statement = NULL;
    HASH_FIND(hh, choice->statements, key.data, key.size, statement);
    return statement;
}

static void learn_key(struct hub_choice *choice, struct hub_bytes key) {
    if (find(choice, key) != NULL)
        return;
    struct hub_choice_statement *statement =
        hub_allocate_zero(1, sizeof *statement + key.size + 1);
    memcpy(statement->key, key.data, key.size);
    HASH_ADD_KEYPTR(hh, choice->statements, statement->key, key.size, statement);
}

/* Whatever the schema of the day was, a unified record has its statements' keys under these names. */
static void learn_record(struct hub_choice *choice, const struct hub_schema *schema,
                         struct hub_bytes body) {
    const struct hub_type *root = schema->root;
    struct hub_bytes element;
    int field = root->kind == HUB_RECORD ? hub_type_field(root, "statements") : -1;
    const struct hub_type *items = field < 0 ? NULL : root->fields[field].type->items;
    int key = items == NULL || items->kind != HUB_RECORD ? -1 : hub_type_field(items, "key");
    if (key < 0 || items->fields[key].type->kind != HUB_STRING)
        return;
    struct hub_elements elements = hub_slice_elements(
        root->fields[field].type, hub_slice_field(root, body, (size_t)field));
    while (hub_slice_next(&elements, &element))
        learn_key(choice, hub_slice_octets(hub_slice_field(items, element, (size_t)key)));
}

static enum hub_status learn(struct hub_choice *choice, struct hub_replay *replay,
                             struct hub_values *values, struct hub_error *reterr) {
    const struct hub_archive_record *record = NULL;
    for (;;) {
        const struct hub_schema *schema = NULL;
        HUB_TRY(hub_replay_next(replay, &record, reterr));
        if (record == NULL)
            return HUB_OK;
        if (!record->record.has_key ||
            !hub_bytes_equal_text(record->record.key, choice->entity))
            continue;
        enum hub_status status = hub_values_open(values, record, &schema, reterr);
        if (status != HUB_OK)
            return hub_fail_at(reterr, status, "%s: record %llu", record->segment->origin,
                               (unsigned long long)record->index);
        if (schema != NULL)
            learn_record(choice, schema, record->record.value);
    }
}

enum hub_status hub_choice_learn(struct hub_choice *choice, const struct hub_replay_log *log,
                                 struct hub_error *reterr) {
    const struct hub_replay_config config = {
        .logs = log, .log_count = 1, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    struct hub_replay *replay = NULL;
    const char *name = strrchr(log->key.name, '/'), *dash = strrchr(log->key.name, '-');
    char topic[HUB_TOPIC_SIZE_MAX + 1] = "";
    if (choice->entity == NULL || name == NULL || dash < name ||
        (size_t)(dash - name) > sizeof topic)
        return HUB_OK;
    memcpy(topic, name + 1, (size_t)(dash - name) - 1);
    if (!is_of(topic, "unified.", choice->entity, domain_size(choice->entity)))
        return HUB_OK;
    HUB_TRY(hub_replay_open(&config, &replay, reterr));
    struct hub_values *values = hub_values_new();
    enum hub_status status = learn(choice, replay, values, reterr);
    hub_values_free(values);
    hub_replay_close(replay);
    return status;
}

void hub_choice_free(struct hub_choice *choice) {
    struct hub_choice_statement *statement = NULL, *next = NULL;
    HASH_ITER(hh, choice->statements, statement, next) {
        HASH_DEL(choice->statements, statement);
        hub_release(statement);
    }
}

/* --- records --- */

static bool begins_with(struct hub_bytes *key, const char *prefix) {
    size_t size = strlen(prefix);
    bool begins = key->size >= size && memcmp(key->data, prefix, size) == 0;
    if (begins)
        *key = hub_bytes_part(*key, size, key->size);
    return begins;
}

/* Of a conflict (ENTITY/FIELD, ENTITY+ENTITY/FIELD), of a match (ENTITY~ENTITY). */
static bool names(struct hub_bytes key, const char *entity) {
    struct hub_bytes rest;
    hub_bytes_cut(key, '/', &key, &rest);
    for (size_t from = 0, at = 0; at <= key.size; at++) {
        if (at < key.size && key.data[at] != '+' && key.data[at] != '~')
            continue;
        if (hub_bytes_equal_text(hub_bytes_part(key, from, at), entity))
            return true;
        from = at + 1;
    }
    return false;
}

/* An entry of the log: [late/]INSTITUTION/SYSTEM/SOURCE-ID, or decision/SUBJECT. */
static bool is_entry_about(const struct hub_choice *choice, struct hub_bytes key) {
    struct hub_bytes institution, statement;
    if (begins_with(&key, "decision/"))
        return names(key, choice->entity);
    begins_with(&key, "late/");
    return hub_bytes_cut(key, '/', &institution, &statement) && find(choice, statement) != NULL;
}

bool hub_choice_has(const struct hub_choice *choice, const char *topic, struct hub_bytes key) {
    if (choice->entity == NULL)
        return true;
    if (strncmp(topic, "log.", 4) == 0)
        return is_entry_about(choice, key);
    if (strncmp(topic, "ingest.", 7) == 0)
        return find(choice, key) != NULL;
    return names(key, choice->entity);
}
