#include "tests/sim/broker.h"

#include <string.h>

struct hub_input input_of(const struct record *record, int32_t partition) {
    return (struct hub_input){.has_key = record->has_key,
                              .has_value = record->value.data != NULL,
                              .key = record->key,
                              .value = record->value,
                              .headers = record->headers,
                              .header_count = record->header_count,
                              .partition = partition,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
}

static struct hub_bytes copy_bytes(struct hub_bytes bytes, struct hub_arena *arena) {
    return bytes.data == NULL
               ? bytes
               : hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
}

struct record record_of(const struct hub_output *output, struct hub_arena *arena) {
    struct hub_header *headers =
        hub_arena_take(arena, (output->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < output->header_count; i++)
        headers[i] = (struct hub_header){output->headers[i].name,
                                         copy_bytes(output->headers[i].value, arena)};
    return (struct record){.kind = output->kind,
                           .partition = output->partition,
                           .has_key = output->has_key,
                           .key = copy_bytes(output->key, arena),
                           .value = copy_bytes(output->value, arena),
                           .headers = headers,
                           .header_count = output->header_count};
}

bool same_records(const struct record *a, const struct record *b) {
    if (a->kind != b->kind || a->partition != b->partition || a->has_key != b->has_key ||
        !hub_bytes_equal(a->key, b->key) || !hub_bytes_equal(a->value, b->value) ||
        a->header_count != b->header_count)
        return false;
    for (size_t i = 0; i < a->header_count; i++)
        if (strcmp(a->headers[i].name, b->headers[i].name) != 0 ||
            !hub_bytes_equal(a->headers[i].value, b->headers[i].value))
            return false;
    return true;
}

void records_add(struct records *records, const struct record *record) {
    HUB_GROW(records->items, records->count, records->capacity);
    records->items[records->count++] = record;
}

void records_put(struct records *records, const struct record *record) {
    for (size_t i = 0; i < records->count; i++)
        if (hub_bytes_equal(records->items[i]->key, record->key)) {
            records->items[i] = record;
            return;
        }
    records_add(records, record);
}

void records_free(struct records *records) {
    hub_release(records->items);
    *records = (struct records){0};
}

static void append(struct partition *partition, const struct record *record,
                   struct hub_arena *arena) {
    struct record *copy = hub_arena_take(arena, sizeof *copy);
    *copy = *record;
    copy->offset = partition->next_offset++;
    records_add(&partition->kept, copy);
    records_add(&partition->history, copy);
}

void partition_append(struct partition *partition, const struct record *record,
                      struct hub_arena *arena) {
    append(partition, record, arena);
    partition->next_offset++; /* the marker */
}

void partition_free(struct partition *partition) {
    records_free(&partition->kept);
    records_free(&partition->history);
}

/* --- transactions --- */

void pending_add(struct pending *pending, struct partition *partition, struct record record) {
    size_t count = pending->count;
    HUB_GROW(pending->partitions, count, pending->partition_capacity);
    HUB_GROW(pending->records, pending->count, pending->capacity);
    pending->partitions[pending->count] = partition;
    pending->records[pending->count++] = record;
}

void pending_end(struct pending *pending, bool commit, int64_t now_ms, struct hub_arena *arena,
                 void (*each)(void *context, const struct record *record), void *context) {
    for (size_t i = 0; i < pending->count; i++) {
        struct partition *partition = pending->partitions[i];
        pending->records[i].timestamp_ms = now_ms;
        partition->marked = 1;
        if (commit)
            append(partition, &pending->records[i], arena);
        else
            partition->next_offset++;
        if (commit)
            each(context, partition->history.items[partition->history.count - 1]);
    }
    for (size_t i = 0; i < pending->count; i++) {
        pending->partitions[i]->next_offset += (int64_t)pending->partitions[i]->marked;
        pending->partitions[i]->marked = 0;
    }
    hub_release(pending->partitions);
    hub_release(pending->records);
    *pending = (struct pending){0};
}

/* --- reading --- */

static struct hub_bytes cleaner_key(const struct record *record, bool forgets_late) {
    static const char late[] = "late/";
    size_t size = sizeof late - 1;
    if (forgets_late && record->key.size >= size && memcmp(record->key.data, late, size) == 0)
        return hub_bytes_part(record->key, size, record->key.size);
    return record->key;
}

void partition_compact(struct partition *partition, int64_t below, bool forgets_late) {
    struct records *kept = &partition->kept;
    size_t end = 0, count = 0;
    while (end < kept->count && kept->items[end]->offset < below)
        end++;
    for (size_t i = 0; i < kept->count; i++) {
        struct hub_bytes key = cleaner_key(kept->items[i], forgets_late);
        size_t later = i + 1;
        while (later < end &&
               !hub_bytes_equal(key, cleaner_key(kept->items[later], forgets_late)))
            later++;
        if (later >= end)
            kept->items[count++] = kept->items[i];
    }
    kept->count = count;
}

const struct record *partition_next(const struct partition *partition, int64_t offset) {
    for (size_t i = 0; i < partition->kept.count; i++)
        if (partition->kept.items[i]->offset >= offset)
            return partition->kept.items[i];
    return NULL;
}
