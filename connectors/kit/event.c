#include "connectors/kit/event.h"

#include "hub/base/text.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"

#include <string.h>

enum { ELEMENTS_MAX = 10000000 };

/* The record's schema and body, once the walker has accepted it. */
static enum hub_status open_value(const struct hub_catalogue *catalogue,
                                  const struct hub_kafka_record *record,
                                  const struct hub_type **ret_type, struct hub_bytes *ret_body,
                                  struct hub_error *reterr) {
    struct hub_walk_limits limits = {.size_max = HUB_KAFKA_MESSAGE_SIZE_MAX,
                                     .elements_max = ELEMENTS_MAX};
    struct hub_walk walk = {0};
    int32_t id = 0;
    struct hub_bytes body;
    HUB_TRY(hub_frame_open(record->value, &id, &body, reterr));
    const struct hub_schema *schema = hub_catalogue_by_id(catalogue, id);
    if (schema == NULL)
        return hub_fail(reterr, HUB_REJECT, "schema id %d is not in registry.lock.json", id);
    HUB_TRY(hub_walk(schema->root, body, &limits, &walk, reterr));
    *ret_type = schema->root;
    *ret_body = body;
    return HUB_OK;
}

static const char *kind_of(const struct hub_type *type, struct hub_bytes body) {
    struct hub_bytes part;
    for (size_t i = 0; type->kind == HUB_RECORD && i < type->count; i++)
        if (strcmp(type->fields[i].name, "kind") == 0 &&
            type->fields[i].type->kind == HUB_ENUM) {
            part = hub_slice_field(type, body, i);
            return hub_slice_symbol(type->fields[i].type, part);
        }
    return NULL;
}

static void append_text(struct hub_buffer *buffer, const char *name, struct hub_bytes text) {
    hub_buffer_append_format(buffer, "\"%s\":", name);
    if (text.data == NULL)
        hub_buffer_append_text(buffer, "null");
    else
        hub_text_append_json(text, buffer);
    hub_buffer_append_byte(buffer, ',');
}

static struct hub_bytes type_of(const struct hub_kafka_record *record) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, "ce_type") == 0 &&
            hub_text_is_utf8(record->headers[i].value))
            return record->headers[i].value;
    return hub_bytes(NULL, 0);
}

enum hub_status hub_event_render(const struct hub_catalogue *catalogue,
                                    const struct hub_event_source *source,
                                    struct hub_buffer *buffer, struct hub_error *reterr) {
    const struct hub_kafka_record *record = source->record;
    const struct hub_type *type = NULL;
    struct hub_bytes body = {0};
    HUB_SCOPED_BUFFER time = {0};
    bool has_key = record->has_key && hub_text_is_utf8(record->key);
    if (record->has_value)
        HUB_TRY(open_value(catalogue, record, &type, &body, reterr));
    if (!source->is_compacted)
        hub_render_time(record->timestamp_ms, &time);
    hub_buffer_append_byte(buffer, '{');
    append_text(buffer, "type", type_of(record));
    append_text(buffer, "timestamp",
                source->is_compacted ? hub_bytes(NULL, 0) : hub_buffer_bytes(&time));
    append_text(buffer, "subscription", hub_bytes_of_text(source->subscription));
    hub_buffer_append_format(buffer, "\"number\":%lld,", (long long)source->number);
    append_text(buffer, "topic", hub_bytes_of_text(record->topic));
    hub_buffer_append_format(buffer, "\"partition\":%d,\"offset\":%lld,", (int)record->partition,
                             (long long)record->offset);
    append_text(buffer, "key", has_key ? record->key : hub_bytes(NULL, 0));
    const char *kind = source->is_compacted ? "COMPACTED"
                       : type == NULL       ? "TOMBSTONE"
                                            : kind_of(type, body);
    append_text(buffer, "kind", kind == NULL ? hub_bytes(NULL, 0) : hub_bytes_of_text(kind));
    hub_buffer_append_text(buffer, "\"data\":");
    if (type == NULL)
        hub_buffer_append_text(buffer, "null");
    else
        hub_render_json(type, body, buffer);
    hub_buffer_append_byte(buffer, '}');
    if (hub_buffer_overflowed(buffer))
        return hub_fail(reterr, HUB_REJECT, "as JSON it is larger than %zu bytes",
                        buffer->size_max);
    return HUB_OK;
}
