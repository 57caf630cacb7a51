#include "hub/stages/shelf.h"

#include <string.h>

/* One record: topic, offset, time, sizes, then key, header and value. */
struct shelved {
    uint8_t *bytes; /* key, header, value */
    uint32_t key_size, header_size, value_size;
    unsigned topic;
    int64_t offset, timestamp_ms;
    const char *header;
};

/* An open-addressed table of hooks: each leads to a chain of links. */
struct slot {
    uint64_t hook;
    uint32_t first; /* link number + 1; 0 for none */
    bool used, asked;
};

struct link {
    uint32_t record, next; /* next as in slot */
};

struct hub_shelf {
    struct shelved *records;
    size_t record_count, record_capacity;
    struct slot *slots;
    size_t slot_count, used; /* a power of two, or none */
    struct link *links;
    size_t link_count, link_capacity;
};

enum { SLOTS_MIN = 1 << 10 };

struct hub_shelf *hub_shelf_new(void) {
    return hub_allocate_zero(1, sizeof(struct hub_shelf));
}

void hub_shelf_free(struct hub_shelf *shelf) {
    if (shelf == NULL)
        return;
    for (size_t i = 0; i < shelf->record_count; i++)
        hub_release(shelf->records[i].bytes);
    hub_release(shelf->records);
    hub_release(shelf->slots);
    hub_release(shelf->links);
    hub_release(shelf);
}

/* --- hooks --- */

/* Where the hook is, or would be. */
static struct slot *slot_of(struct slot *slots, size_t count, uint64_t hook) {
    size_t at = hook & (count - 1);
    while (slots[at].used && slots[at].hook != hook)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

/* At most half full: a look-up that finds nothing is short. */
static void grow(struct hub_shelf *shelf) {
    size_t count = shelf->slot_count == 0 ? SLOTS_MIN : shelf->slot_count * 2;
    struct slot *slots = hub_allocate_zero(count, sizeof *slots);
    for (size_t i = 0; i < shelf->slot_count; i++)
        if (shelf->slots[i].used)
            *slot_of(slots, count, shelf->slots[i].hook) = shelf->slots[i];
    hub_release(shelf->slots);
    shelf->slots = slots;
    shelf->slot_count = count;
}

static uint32_t first_link(const struct hub_shelf *shelf, uint64_t hook) {
    return shelf->slot_count == 0 ? 0 : slot_of(shelf->slots, shelf->slot_count, hook)->first;
}

static struct slot *need_slot(struct hub_shelf *shelf, uint64_t hook) {
    if (shelf->used * 2 >= shelf->slot_count)
        grow(shelf);
    struct slot *slot = slot_of(shelf->slots, shelf->slot_count, hook);
    shelf->used += !slot->used;
    slot->used = true;
    slot->hook = hook;
    return slot;
}

bool hub_shelf_ask(struct hub_shelf *shelf, uint64_t hook) {
    struct slot *slot = need_slot(shelf, hook);
    bool first = !slot->asked;
    slot->asked = true;
    return first;
}

static void add_link(struct hub_shelf *shelf, uint64_t hook, uint32_t record) {
    struct slot *slot = need_slot(shelf, hook);
    for (uint32_t at = slot->first; at != 0; at = shelf->links[at - 1].next)
        if (shelf->links[at - 1].record == record)
            return;
    HUB_GROW(shelf->links, shelf->link_count, shelf->link_capacity);
    shelf->links[shelf->link_count++] = (struct link){record, slot->first};
    slot->first = (uint32_t)shelf->link_count;
}

/* --- records --- */

static struct hub_bytes key_of(const struct shelved *record) {
    return hub_bytes(record->bytes, record->key_size);
}

static struct shelved *find(const struct hub_shelf *shelf, unsigned topic, uint64_t own_hook,
                            struct hub_bytes key) {
    for (uint32_t at = first_link(shelf, own_hook); at != 0; at = shelf->links[at - 1].next) {
        struct shelved *record = &shelf->records[shelf->links[at - 1].record];
        if (record->topic == topic && hub_bytes_equal(key_of(record), key))
            return record;
    }
    return NULL;
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

void hub_shelf_put(struct hub_shelf *shelf, unsigned topic, const struct hub_input *input,
                   const struct hub_hook *hooks, size_t hook_count, const char *header) {
    struct shelved *record = find(shelf, topic, hooks[0].hash, input->key);
    if (record == NULL) {
        HUB_GROW(shelf->records, shelf->record_count, shelf->record_capacity);
        record = &shelf->records[shelf->record_count++];
        *record = (struct shelved){.topic = topic};
    }
    fill(record, input, header);
    for (size_t i = 0; i < hook_count; i++)
        add_link(shelf, hooks[i].hash, (uint32_t)(record - shelf->records));
}

void hub_shelf_hook(struct hub_shelf *shelf, unsigned topic, uint64_t own_hook,
                    struct hub_bytes key, const struct hub_hook *hooks, size_t hook_count) {
    const struct shelved *record = find(shelf, topic, own_hook, key);
    for (size_t i = 0; i < hook_count; i++)
        add_link(shelf, hooks[i].hash, (uint32_t)(record - shelf->records));
}

bool hub_shelf_has(const struct hub_shelf *shelf, unsigned topic, uint64_t own_hook,
                   struct hub_bytes key) {
    return find(shelf, topic, own_hook, key) != NULL;
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
    for (uint32_t at = first_link(shelf, hook); at != 0; at = shelf->links[at - 1].next)
        HUB_TRY(give(&shelf->records[shelf->links[at - 1].record], take, context, reterr));
    return HUB_OK;
}

enum hub_status hub_shelf_each(const struct hub_shelf *shelf, unsigned topic, hub_store_take take,
                               void *context, struct hub_error *reterr) {
    for (size_t i = 0; i < shelf->record_count; i++)
        if (shelf->records[i].topic == topic)
            HUB_TRY(give(&shelf->records[i], take, context, reterr));
    return HUB_OK;
}
