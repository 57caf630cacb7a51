#include "hub/stages/shelf.h"

#include <string.h>

/* One record: topic, offset, time, sizes, then key, header and value. */
struct shelved {
    uint8_t *bytes; /* key, header, value */
    uint32_t key_size, header_size, value_size;
    unsigned topic;
    int64_t offset, timestamp_ms;
    const char *header;
    uint64_t hooks_sum;
};

/* Hooks lie in buckets by their first bits, in no order: whoever loads only appends, which is a write
 * where the last one was, and whoever asks looks through one bucket. */
struct entry {
    uint64_t hook;
    uint32_t record;
};

struct bucket {
    struct entry *entries;
    uint32_t count, capacity;
};

/* Keys, and hooks that were asked for, lie in open-addressed tables. */
struct slot {
    uint32_t tag, record; /* record + 1; 0 where the slot is free */
};

struct hub_shelf {
    struct shelved *records;
    size_t record_count, record_capacity;
    struct slot *slots; /* a power of two, or none */
    size_t slot_count;
    struct bucket *buckets; /* a power of two, or none */
    size_t bucket_count, entry_count;
    uint64_t *asked; /* 0 where free; a power of two, or none */
    size_t asked_count, asked_used;
};

enum { SLOTS_MIN = 1 << 6, BUCKETS_MIN = 1 << 4, BUCKET_ENTRIES = 64, ASKED_MIN = 1 << 6 };

struct hub_shelf *hub_shelf_new(void) {
    return hub_allocate_zero(1, sizeof(struct hub_shelf));
}

static void free_buckets(struct bucket *buckets, size_t count) {
    for (size_t i = 0; i < count; i++)
        hub_release(buckets[i].entries);
    hub_release(buckets);
}

void hub_shelf_free(struct hub_shelf *shelf) {
    if (shelf == NULL)
        return;
    for (size_t i = 0; i < shelf->record_count; i++)
        hub_release(shelf->records[i].bytes);
    hub_release(shelf->records);
    hub_release(shelf->slots);
    free_buckets(shelf->buckets, shelf->bucket_count);
    hub_release(shelf->asked);
    hub_release(shelf);
}

/* --- hooks --- */

/* The upper bits: the lower ones have been chosen by whoever keeps tables of hashes. */
static struct bucket *bucket_of(struct bucket *buckets, size_t count, uint64_t hook) {
    return &buckets[hook >> 32 & (count - 1)];
}

static void append(struct bucket *bucket, struct entry entry) {
    if (bucket->count == bucket->capacity) {
        bucket->capacity = bucket->capacity == 0 ? 8 : bucket->capacity * 2;
        bucket->entries =
            hub_reallocate(bucket->entries, bucket->capacity * sizeof *bucket->entries);
    }
    bucket->entries[bucket->count++] = entry;
}

static void grow_buckets(struct hub_shelf *shelf) {
    size_t count = shelf->bucket_count == 0 ? BUCKETS_MIN : shelf->bucket_count * 4;
    struct bucket *buckets = hub_allocate_zero(count, sizeof *buckets);
    for (size_t i = 0; i < shelf->bucket_count; i++)
        for (size_t k = 0; k < shelf->buckets[i].count; k++) {
            struct entry entry = shelf->buckets[i].entries[k];
            append(bucket_of(buckets, count, entry.hook), entry);
        }
    free_buckets(shelf->buckets, shelf->bucket_count);
    shelf->buckets = buckets;
    shelf->bucket_count = count;
}

static void add_hooks(struct hub_shelf *shelf, uint32_t record, const struct hub_hook *hooks,
                      size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (shelf->entry_count >= shelf->bucket_count * BUCKET_ENTRIES)
            grow_buckets(shelf);
        append(bucket_of(shelf->buckets, shelf->bucket_count, hooks[i].hash),
               (struct entry){hooks[i].hash, record});
        shelf->entry_count++;
    }
}

/* --- what was asked --- */

/* Where the hook is, or would be. */
static uint64_t *asked_slot(uint64_t *asked, size_t count, uint64_t hook) {
    size_t at = hook & (count - 1);
    while (asked[at] != 0 && asked[at] != hook)
        at = (at + 1) & (count - 1);
    return &asked[at];
}

static void grow_asked(struct hub_shelf *shelf) {
    size_t count = shelf->asked_count == 0 ? ASKED_MIN : shelf->asked_count * 2;
    uint64_t *asked = hub_allocate_zero(count, sizeof *asked);
    for (size_t i = 0; i < shelf->asked_count; i++)
        if (shelf->asked[i] != 0)
            *asked_slot(asked, count, shelf->asked[i]) = shelf->asked[i];
    hub_release(shelf->asked);
    shelf->asked = asked;
    shelf->asked_count = count;
}

bool hub_shelf_ask(struct hub_shelf *shelf, uint64_t hook) {
    if (shelf->asked_used * 2 >= shelf->asked_count)
        grow_asked(shelf);
    uint64_t *slot = asked_slot(shelf->asked, shelf->asked_count, hook);
    if (*slot == hook && hook != 0) /* 0 is asked for again, which does no harm */
        return false;
    shelf->asked_used += hook != 0;
    *slot = hook;
    return true;
}

/* --- records --- */

static struct hub_bytes key_of(const struct shelved *record) {
    return hub_bytes(record->bytes, record->key_size);
}

/* A tag says where its slot is, too: a table grows without a look at the records. */
static uint32_t tag_of(unsigned topic, struct hub_bytes key) {
    return (uint32_t)(hub_hook_hash((uint8_t)topic, key) >> 32);
}

static struct slot *slot_of(const struct hub_shelf *shelf, unsigned topic, struct hub_bytes key,
                            uint32_t tag) {
    size_t at = tag & (shelf->slot_count - 1);
    for (; shelf->slots[at].record != 0; at = (at + 1) & (shelf->slot_count - 1)) {
        const struct shelved *record = &shelf->records[shelf->slots[at].record - 1];
        if (shelf->slots[at].tag == tag && record->topic == topic &&
            hub_bytes_equal(key_of(record), key))
            break;
    }
    return &shelf->slots[at];
}

static struct shelved *find(const struct hub_shelf *shelf, unsigned topic, struct hub_bytes key) {
    if (shelf->slot_count == 0)
        return NULL;
    const struct slot *slot = slot_of(shelf, topic, key, tag_of(topic, key));
    return slot->record == 0 ? NULL : &shelf->records[slot->record - 1];
}

/* At most half full: a look-up that finds nothing is short. */
static void grow_slots(struct hub_shelf *shelf) {
    size_t count = shelf->slot_count == 0 ? SLOTS_MIN : shelf->slot_count * 4;
    struct slot *slots = hub_allocate_zero(count, sizeof *slots);
    for (size_t i = 0; i < shelf->slot_count; i++) {
        size_t at = shelf->slots[i].tag & (count - 1);
        while (shelf->slots[i].record != 0 && slots[at].record != 0)
            at = (at + 1) & (count - 1);
        if (shelf->slots[i].record != 0)
            slots[at] = shelf->slots[i];
    }
    hub_release(shelf->slots);
    shelf->slots = slots;
    shelf->slot_count = count;
}

static struct shelved *need(struct hub_shelf *shelf, unsigned topic, struct hub_bytes key) {
    if (shelf->record_count * 2 >= shelf->slot_count)
        grow_slots(shelf);
    uint32_t tag = tag_of(topic, key);
    struct slot *slot = slot_of(shelf, topic, key, tag);
    if (slot->record != 0)
        return &shelf->records[slot->record - 1];
    HUB_GROW(shelf->records, shelf->record_count, shelf->record_capacity);
    struct shelved *record = &shelf->records[shelf->record_count++];
    *record = (struct shelved){.topic = topic};
    *slot = (struct slot){tag, (uint32_t)shelf->record_count};
    return record;
}

static size_t put(uint8_t *bytes, size_t at, struct hub_bytes part) {
    if (part.size > 0)
        memcpy(bytes + at, part.data, part.size);
    return at + part.size;
}

static void fill(struct shelved *record, const struct hub_input *input, const char *header) {
    struct hub_bytes kept =
        header == NULL ? hub_bytes(NULL, 0) : hub_input_header(input, header);
    record->bytes =
        hub_reallocate(record->bytes, input->key.size + kept.size + input->value.size + 1);
    put(record->bytes, put(record->bytes, put(record->bytes, 0, input->key), kept), input->value);
    record->key_size = (uint32_t)input->key.size;
    record->header_size = (uint32_t)kept.size;
    record->value_size = (uint32_t)input->value.size;
    record->header = kept.data == NULL ? NULL : header;
    record->offset = input->offset;
    record->timestamp_ms = input->timestamp_ms;
}

/* Of most keys all records have the same hooks. */
static uint64_t sum_of(const struct hub_hook *hooks, size_t count) {
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++)
        sum += hooks[i].hash;
    return sum;
}

void hub_shelf_put(struct hub_shelf *shelf, unsigned topic, const struct hub_input *input,
                   const struct hub_hook *hooks, size_t hook_count, const char *header) {
    struct shelved *record = need(shelf, topic, input->key);
    uint64_t sum = sum_of(hooks, hook_count);
    if (record->bytes == NULL || record->hooks_sum != sum)
        add_hooks(shelf, (uint32_t)(record - shelf->records), hooks, hook_count);
    record->hooks_sum = sum;
    fill(record, input, header);
}

void hub_shelf_hook(struct hub_shelf *shelf, unsigned topic, struct hub_bytes key,
                    const struct hub_hook *hooks, size_t hook_count) {
    add_hooks(shelf, (uint32_t)(find(shelf, topic, key) - shelf->records), hooks, hook_count);
}

bool hub_shelf_has(const struct hub_shelf *shelf, unsigned topic, struct hub_bytes key) {
    return find(shelf, topic, key) != NULL;
}

struct hub_bytes hub_shelf_value(const struct hub_shelf *shelf, unsigned topic,
                                 struct hub_bytes key) {
    const struct shelved *record = find(shelf, topic, key);
    return hub_bytes(record->bytes + record->key_size + record->header_size, record->value_size);
}

bool hub_shelf_is_empty(const struct hub_shelf *shelf) {
    return shelf->record_count == 0;
}

static enum hub_status give(const struct shelved *record, hub_store_take take, void *context,
                            struct hub_error *reterr) {
    const uint8_t *value = record->bytes + record->key_size + record->header_size;
    struct hub_header header = {
        .name = record->header,
        .value = hub_bytes(record->bytes + record->key_size, record->header_size)};
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = key_of(record),
                              .value = hub_bytes(value, record->value_size),
                              .headers = &header,
                              .header_count = record->header != NULL,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
    return take(context, record->topic, &input, reterr);
}

enum hub_status hub_shelf_find(const struct hub_shelf *shelf, uint64_t hook, hub_store_take take,
                               void *context, struct hub_error *reterr) {
    if (shelf->bucket_count == 0)
        return HUB_OK;
    const struct bucket *bucket = bucket_of(shelf->buckets, shelf->bucket_count, hook);
    for (size_t i = 0; i < bucket->count; i++)
        if (bucket->entries[i].hook == hook)
            HUB_TRY(give(&shelf->records[bucket->entries[i].record], take, context, reterr));
    return HUB_OK;
}

enum hub_status hub_shelf_each(const struct hub_shelf *shelf, unsigned topic, hub_store_take take,
                               void *context, struct hub_error *reterr) {
    for (size_t i = 0; i < shelf->record_count; i++)
        if (shelf->records[i].topic == topic)
            HUB_TRY(give(&shelf->records[i], take, context, reterr));
    return HUB_OK;
}
