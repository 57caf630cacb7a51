#include "hub/archive/values.h"

#include "hub/base/table.h"
#include "schemas/lib/walk.h"

#include <stdio.h>

enum { VALUE_SIZE_MAX = 64 * 1024 * 1024 };

/* Many segments are of one schema, which is compiled once. */
struct compiled {
    int32_t id;
    char *text;
    struct hub_schema *schema;
};

struct segment {
    char name[HUB_NOTE_NAME_MAX + sizeof(uint64_t)]; /* its first record, and its log's origin */
    const struct hub_schema *schema;
    UT_hash_handle hh;
};

struct hub_values {
    struct compiled *compiled;
    size_t count, capacity;
    struct segment *segments;
};

struct hub_values *hub_values_new(void) {
    return hub_allocate_zero(1, sizeof(struct hub_values));
}

void hub_values_free(struct hub_values *values) {
    struct segment *segment = NULL, *next = NULL;
    if (values == NULL)
        return;
    HASH_ITER(hh, values->segments, segment, next) {
        HASH_DEL(values->segments, segment);
        hub_release(segment);
    }
    for (size_t i = 0; i < values->count; i++) {
        hub_schema_free(values->compiled[i].schema);
        hub_release(values->compiled[i].text);
    }
    hub_release(values->compiled);
    hub_release(values);
}

static enum hub_status compile(struct hub_values *values, const struct hub_segment *segment,
                               const struct hub_schema **ret_schema, struct hub_error *reterr) {
    struct compiled compiled = {.id = segment->schema_id};
    char name[64];
    for (size_t i = 0; i < values->count; i++)
        if (values->compiled[i].id == segment->schema_id &&
            strcmp(values->compiled[i].text, segment->schema_text) == 0) {
            *ret_schema = values->compiled[i].schema;
            return HUB_OK;
        }
    snprintf(name, sizeof name, "schema %d of its segment", segment->schema_id);
    if (hub_schema_load(hub_bytes_of_text(segment->schema_text), name, &compiled.schema, reterr) !=
        HUB_OK)
        return HUB_REJECT;
    compiled.text = hub_copy_text(segment->schema_text);
    HUB_GROW(values->compiled, values->count, values->capacity);
    values->compiled[values->count++] = compiled;
    *ret_schema = compiled.schema;
    return HUB_OK;
}

static enum hub_status find_segment(struct hub_values *values, const struct hub_segment *of,
                                    const struct hub_schema **ret_schema,
                                    struct hub_error *reterr) {
    char name[sizeof values->segments->name];
    struct segment *segment = NULL;
    size_t size = strnlen(of->origin, HUB_NOTE_NAME_MAX);
    memcpy(name, &of->first, sizeof of->first);
    memcpy(name + sizeof of->first, of->origin, size);
    size += sizeof of->first;
    HASH_FIND(hh, values->segments, name, size, segment);
    if (segment == NULL) {
        const struct hub_schema *schema = NULL;
        HUB_TRY(compile(values, of, &schema, reterr));
        segment = hub_allocate_zero(1, sizeof *segment);
        memcpy(segment->name, name, size);
        segment->schema = schema;
        HASH_ADD_KEYPTR(hh, values->segments, segment->name, size, segment);
    }
    *ret_schema = segment->schema;
    return HUB_OK;
}

enum hub_status hub_values_open(struct hub_values *values, const struct hub_archive_record *record,
                                const struct hub_schema **ret_schema, struct hub_error *reterr) {
    static const struct hub_walk_limits limits = {.size_max = VALUE_SIZE_MAX,
                                                  .elements_max = UINT64_MAX};
    const struct hub_schema *schema = NULL;
    struct hub_walk walk = {0};
    *ret_schema = NULL;
    if (record->record.kind != HUB_ARCHIVED_AVRO)
        return HUB_OK;
    HUB_TRY(find_segment(values, record->segment, &schema, reterr));
    if (hub_walk(schema->root, record->record.value, &limits, &walk, reterr) != HUB_OK)
        return HUB_REJECT;
    *ret_schema = schema;
    return HUB_OK;
}
