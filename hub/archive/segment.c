#include "hub/archive/segment.h"

#include "hub/base/text.h"

#include <stdio.h>
#include <string.h>

static const char magic[] = "Obj\x01";

/* What is around the values; the schema of the values stands in its last field. */
static const char around[] =
    "{\"type\": \"record\", \"name\": \"Archived\", \"namespace\": \"atmp.archive\", "
    "\"doc\": \"One record of a Kafka partition, as it was stored there.\", \"fields\": ["
    "{\"name\": \"index\", \"type\": \"long\", \"doc\": \"In the log of its partition, from 0.\"}, "
    "{\"name\": \"offset\", \"type\": \"long\", \"doc\": \"In the partition.\"}, "
    "{\"name\": \"timestamp\", \"type\": {\"type\": \"long\", \"logicalType\": \"timestamp-millis\"}, "
    "\"doc\": \"When the broker appended it.\"}, "
    "{\"name\": \"key\", \"type\": [\"null\", \"string\", \"bytes\"], "
    "\"doc\": \"Bytes where it is no UTF-8.\"}, "
    "{\"name\": \"headers\", \"type\": {\"type\": \"array\", \"items\": {\"type\": \"record\", "
    "\"name\": \"Header\", \"fields\": [{\"name\": \"name\", \"type\": [\"string\", \"bytes\"]}, "
    "{\"name\": \"value\", \"type\": [\"null\", \"string\", \"bytes\"]}]}}}, "
    "{\"name\": \"value\", \"doc\": \"Bytes where it is not of this schema: the message as it came.\", "
    "\"type\": [\"null\", \"bytes\"";

enum { TEXT_STRING, TEXT_BYTES };          /* branches of a name */
enum { VALUE_NULL, VALUE_BYTES, VALUE_AVRO }; /* of a value */
enum { LONG_SIZE_MAX = 10 };

/* --- writing --- */

static void put_octets(struct hub_bytes bytes, struct hub_buffer *buffer) {
    hub_buffer_append_long(buffer, (int64_t)bytes.size);
    hub_buffer_append_bytes(buffer, bytes);
}

/* As a string where it is one; `null_before`: the union begins with null. */
static void put_text(struct hub_bytes text, bool null_before, struct hub_buffer *buffer) {
    int64_t branch = (hub_text_is_utf8(text) ? TEXT_STRING : TEXT_BYTES) + (null_before ? 1 : 0);
    hub_buffer_append_long(buffer, branch);
    put_octets(text, buffer);
}

static void put_text_or_null(bool has, struct hub_bytes text, struct hub_buffer *buffer) {
    if (has)
        put_text(text, /* null_before= */ true, buffer);
    else
        hub_buffer_append_long(buffer, 0);
}

static void put_metadata(const char *name, struct hub_bytes value, struct hub_buffer *buffer) {
    put_octets(hub_bytes_of_text(name), buffer);
    put_octets(value, buffer);
}

static void put_metadata_number(const char *name, uint64_t value, struct hub_buffer *buffer) {
    char text[24];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_metadata(name, hub_bytes(text, (size_t)size), buffer);
}

static void set_sync(struct hub_segment *segment, const struct hub_digester *digester) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "segment\n%s\n%llu\n", segment->origin,
                             (unsigned long long)segment->first);
    struct hub_digest digest = digester->digest(hub_buffer_bytes(&text));
    memcpy(segment->sync, digest.bytes, HUB_SYNC_SIZE);
}

void hub_segment_begin(struct hub_segment *segment, const struct hub_digester *digester,
                       struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER schema = {0};
    set_sync(segment, digester);
    hub_buffer_append_text(&schema, around);
    if (segment->schema_text != NULL)
        hub_buffer_append_format(&schema, ", %s", segment->schema_text);
    hub_buffer_append_text(&schema, "]}]}");
    hub_buffer_append(buffer, magic, sizeof magic - 1);
    hub_buffer_append_long(buffer, 5);
    put_metadata("avro.codec", hub_bytes_of_text("null"), buffer);
    put_metadata("avro.schema", hub_buffer_bytes(&schema), buffer);
    put_metadata("hub.origin", hub_bytes_of_text(segment->origin), buffer);
    put_metadata_number("hub.first", segment->first, buffer);
    put_metadata_number("hub.schema_id", (uint64_t)segment->schema_id, buffer);
    hub_buffer_append_long(buffer, 0);
    hub_buffer_append(buffer, segment->sync, HUB_SYNC_SIZE);
}

static void put_headers(const struct hub_archived *record, struct hub_buffer *buffer) {
    if (record->header_count > 0)
        hub_buffer_append_long(buffer, (int64_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct hub_header *header = &record->headers[i];
        put_text(hub_bytes_of_text(header->name), /* null_before= */ false, buffer);
        put_text_or_null(header->value.data != NULL, header->value, buffer);
    }
    hub_buffer_append_long(buffer, 0);
}

static void put_value(const struct hub_archived *record, struct hub_buffer *buffer) {
    switch (record->kind) {
    case HUB_ARCHIVED_NULL:
        hub_buffer_append_long(buffer, VALUE_NULL);
        break;
    case HUB_ARCHIVED_BYTES:
        hub_buffer_append_long(buffer, VALUE_BYTES);
        put_octets(record->value, buffer);
        break;
    case HUB_ARCHIVED_AVRO:
        hub_buffer_append_long(buffer, VALUE_AVRO);
        hub_buffer_append_bytes(buffer, record->value);
        break;
    }
}

/* What is said of a record stands before its size is known: it is moved to after it. */
void hub_segment_append(const struct hub_segment *segment, const struct hub_archived *record,
                        struct hub_buffer *buffer, size_t *ret_at, size_t *ret_size) {
    static const uint8_t room[LONG_SIZE_MAX];
    hub_buffer_append_long(buffer, 1);
    size_t before = buffer->size;
    hub_buffer_append(buffer, room, sizeof room);
    size_t from = buffer->size;
    hub_buffer_append_long(buffer, (int64_t)record->index);
    hub_buffer_append_long(buffer, record->offset);
    hub_buffer_append_long(buffer, record->timestamp_ms);
    put_text_or_null(record->has_key, record->key, buffer);
    put_headers(record, buffer);
    put_value(record, buffer);
    assert(!hub_buffer_overflowed(buffer));
    *ret_size = buffer->size - from;
    buffer->size = before;
    hub_buffer_append_long(buffer, (int64_t)*ret_size);
    *ret_at = buffer->size;
    memmove(buffer->data + buffer->size, buffer->data + from, *ret_size);
    buffer->size += *ret_size;
    hub_buffer_append(buffer, segment->sync, HUB_SYNC_SIZE);
}

/* --- reading --- */

static bool get_octets(struct hub_cursor *cursor, struct hub_bytes *ret_bytes) {
    int64_t size = 0;
    return hub_cursor_long(cursor, &size, NULL) && size >= 0 &&
           hub_cursor_take(cursor, (uint64_t)size, ret_bytes);
}

/* The registered text, between what is around it. */
static const char *find_schema(struct hub_bytes schema, struct hub_arena *arena) {
    size_t before = sizeof around - 1 + 2, after = 4; /* ", " and "]}]}" */
    if (schema.size <= before + after || memcmp(schema.data, around, sizeof around - 1) != 0)
        return NULL;
    return hub_arena_text(arena, (const char *)schema.data + before,
                          schema.size - before - after);
}

static enum hub_status no_segment(const char *what, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_REJECT, "no segment: %s", what);
}

struct header {
    struct hub_bytes codec, schema, origin, first, schema_id;
};

static bool read_metadata(struct hub_cursor *cursor, struct header *header) {
    int64_t count = 0, end = 0;
    if (!hub_cursor_long(cursor, &count, NULL) || count != 5)
        return false;
    for (int64_t i = 0; i < count; i++) {
        struct hub_bytes name, value;
        if (!get_octets(cursor, &name) || !get_octets(cursor, &value))
            return false;
        struct hub_bytes *slot = hub_bytes_equal_text(name, "avro.codec")      ? &header->codec
                                 : hub_bytes_equal_text(name, "avro.schema")   ? &header->schema
                                 : hub_bytes_equal_text(name, "hub.origin")    ? &header->origin
                                 : hub_bytes_equal_text(name, "hub.first")     ? &header->first
                                 : hub_bytes_equal_text(name, "hub.schema_id") ? &header->schema_id
                                                                               : NULL;
        if (slot == NULL || slot->data != NULL)
            return false;
        *slot = value;
    }
    return hub_cursor_long(cursor, &end, NULL) && end == 0;
}

enum hub_status hub_segment_read(struct hub_cursor *cursor, struct hub_arena *arena,
                                 struct hub_segment *ret_segment, struct hub_error *reterr) {
    struct header header = {0};
    struct hub_bytes begins, sync;
    struct hub_segment segment = {0};
    uint64_t schema_id = 0;
    if (!hub_cursor_take(cursor, sizeof magic - 1, &begins) ||
        memcmp(begins.data, magic, sizeof magic - 1) != 0)
        return no_segment("it does not begin as an Avro container file", reterr);
    if (!read_metadata(cursor, &header) || !hub_cursor_take(cursor, HUB_SYNC_SIZE, &sync))
        return no_segment("its header is cut, or another's", reterr);
    if (!hub_bytes_equal_text(header.codec, "null"))
        return no_segment("it is compressed", reterr);
    if (!hub_text_to_number(header.first, &segment.first) ||
        !hub_text_to_number(header.schema_id, &schema_id) || schema_id > INT32_MAX)
        return no_segment("its header has a number that is none", reterr);
    segment.origin = hub_arena_text(arena, (const char *)header.origin.data, header.origin.size);
    segment.schema_id = (int32_t)schema_id;
    if (schema_id != 0 && (segment.schema_text = find_schema(header.schema, arena)) == NULL)
        return no_segment("its schema is another's", reterr);
    memcpy(segment.sync, sync.data, HUB_SYNC_SIZE);
    *ret_segment = segment;
    return HUB_OK;
}

static bool get_text(struct hub_cursor *cursor, bool null_before, bool *ret_has,
                     struct hub_bytes *ret_text) {
    int64_t branch = 0;
    if (!hub_cursor_long(cursor, &branch, NULL))
        return false;
    branch -= null_before;
    *ret_has = branch >= 0;
    *ret_text = hub_bytes(NULL, 0);
    return branch == -1 ? null_before
                        : branch <= TEXT_BYTES && branch >= 0 && get_octets(cursor, ret_text);
}

static bool read_headers(struct hub_cursor *cursor, struct hub_arena *arena,
                         struct hub_archived *record) {
    int64_t count = 0, end = 0;
    if (!hub_cursor_long(cursor, &count, NULL) || count < 0 ||
        (uint64_t)count > hub_cursor_left(cursor))
        return false;
    struct hub_header *headers = hub_arena_take_zero(arena, (size_t)count + 1, sizeof *headers);
    for (int64_t i = 0; i < count; i++) {
        struct hub_bytes name;
        bool has = false;
        if (!get_text(cursor, /* null_before= */ false, &has, &name) ||
            !get_text(cursor, /* null_before= */ true, &has, &headers[i].value))
            return false;
        headers[i].name = hub_arena_text(arena, (const char *)name.data, name.size);
    }
    record->headers = headers;
    record->header_count = (size_t)count;
    return count == 0 || (hub_cursor_long(cursor, &end, NULL) && end == 0);
}

static bool read_value(struct hub_cursor *cursor, const struct hub_segment *segment,
                       struct hub_archived *record) {
    static const enum hub_archived_kind kinds[] = {HUB_ARCHIVED_NULL, HUB_ARCHIVED_BYTES,
                                                   HUB_ARCHIVED_AVRO};
    int64_t branch = 0;
    if (!hub_cursor_long(cursor, &branch, NULL) || branch < 0 ||
        branch > (segment->schema_id == 0 ? VALUE_BYTES : VALUE_AVRO))
        return false;
    record->kind = kinds[branch];
    if (branch == VALUE_AVRO)
        return hub_cursor_take(cursor, hub_cursor_left(cursor), &record->value);
    return (branch == VALUE_NULL || get_octets(cursor, &record->value)) &&
           hub_cursor_left(cursor) == 0;
}

static bool read_record(struct hub_bytes encoded, const struct hub_segment *segment,
                        struct hub_arena *arena, struct hub_archived *record) {
    struct hub_cursor cursor = hub_cursor(encoded);
    int64_t index = 0;
    if (!hub_cursor_long(&cursor, &index, NULL) || index < 0 ||
        !hub_cursor_long(&cursor, &record->offset, NULL) ||
        !hub_cursor_long(&cursor, &record->timestamp_ms, NULL))
        return false;
    record->index = (uint64_t)index;
    return arena == NULL ||
           (get_text(&cursor, /* null_before= */ true, &record->has_key, &record->key) &&
            read_headers(&cursor, arena, record) && read_value(&cursor, segment, record));
}

enum hub_status hub_segment_next(struct hub_cursor *cursor, const struct hub_segment *segment,
                                 struct hub_arena *arena, struct hub_archived *ret_record,
                                 struct hub_bytes *ret_encoded, struct hub_error *reterr) {
    size_t at = cursor->position;
    struct hub_archived record = {0};
    struct hub_bytes encoded, sync;
    int64_t count = 0;
    assert(hub_cursor_left(cursor) > 0);
    if (!hub_cursor_long(cursor, &count, NULL) || count != 1 || !get_octets(cursor, &encoded) ||
        !hub_cursor_take(cursor, HUB_SYNC_SIZE, &sync) ||
        memcmp(sync.data, segment->sync, HUB_SYNC_SIZE) != 0)
        return hub_fail(reterr, HUB_REJECT, "the block at byte %zu is cut or damaged", at);
    if (!read_record(encoded, segment, arena, &record))
        return hub_fail(reterr, HUB_REJECT, "the record at byte %zu is no Archived", at);
    *ret_record = record;
    *ret_encoded = encoded;
    return HUB_OK;
}
