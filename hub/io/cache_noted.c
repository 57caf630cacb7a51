#include "hub/io/cache_noted.h"

#include "hub/io/cache_sums.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_FROM = sizeof(struct hub_cache_stored), TAG_BITS = 22 };

struct hub_cache_record {
    uint8_t space[HUB_CACHE_SPACE_SIZE];
    uint8_t *stored; /* as in the file, but for its head; NULL once it is known to be replaced */
    size_t size;
    struct hub_hook *hooks; /* of what is stored; those of what it replaced led to nothing yet */
    size_t hook_count;
    uint32_t key_size, tag; /* the tag: some bits of the key's hash */
};

struct hub_cache_slot hub_cache_slot_of(const struct hub_digester *digester, const uint8_t *space,
                                        struct hub_bytes key) {
    struct hub_cache_slot slot;
    struct hub_digest digest = digester->digest(key);
    memcpy(slot.bytes, space, HUB_CACHE_SPACE_SIZE);
    memcpy(slot.bytes + HUB_CACHE_SPACE_SIZE, digest.bytes, HUB_CACHE_DIGEST_SIZE);
    return slot;
}

static struct hub_bytes key_of(const struct hub_cache_record *record) {
    return hub_bytes(record->stored + KEY_FROM, record->key_size);
}

static size_t bytes_of(const struct hub_cache_record *record) {
    return record->size + record->hook_count * sizeof *record->hooks;
}

/* --- tidying --- */

struct pointer {
    uint32_t tag, number; /* of a record */
};

/* By tag, half by half from the lower; those of one tag stay as they stood. It takes a tenth of what qsort
 * does. `spare` has as much room as the list, which has them in the end. */
static void sort(struct pointer *list, struct pointer *spare, size_t count) {
    enum { HALF_BITS = TAG_BITS / 2, HALVES = 1 << HALF_BITS };
    for (unsigned shift = 0; shift < TAG_BITS; shift += HALF_BITS) {
        size_t places[HALVES + 1] = {0};
        for (size_t i = 0; i < count; i++)
            places[(list[i].tag >> shift) % HALVES + 1]++;
        for (size_t i = 0; i < HALVES; i++)
            places[i + 1] += places[i];
        for (size_t i = 0; i < count; i++)
            spare[places[(list[i].tag >> shift) % HALVES]++] = list[i];
        struct pointer *sorted = spare;
        spare = list;
        list = sorted;
    }
}

static bool is_among(const struct hub_cache_record *records, const struct pointer *list,
                     size_t count, const struct pointer *pointer) {
    for (size_t i = 0; i < count; i++) {
        const struct hub_cache_record *a = &records[list[i].number];
        const struct hub_cache_record *b = &records[pointer->number];
        if (memcmp(a->space, b->space, HUB_CACHE_SPACE_SIZE) == 0 &&
            hub_bytes_equal(key_of(a), key_of(b)))
            return true;
    }
    return false;
}

/* The list is sorted by tag, of each the newest first; keys that differ may have the same tag. */
static void mark_replaced(struct hub_cache_noted *noted, struct pointer *list) {
    size_t kept = 0, from = 0; /* those that are kept, and the first of them with the tag */
    for (size_t i = 0; i < noted->count; i++) {
        if (i > 0 && list[i].tag != list[kept - 1].tag)
            from = kept;
        if (is_among(noted->records, list + from, kept - from, &list[i]))
            noted->records[list[i].number].stored = NULL;
        else
            list[kept++] = list[i];
    }
}

/* Keeps the newest record of each key, in the order in which they came. */
static void drop_replaced(struct hub_cache_noted *noted) {
    size_t all = noted->count;
    struct pointer *list = hub_allocate(2 * all * sizeof *list);
    for (size_t i = 0; i < all; i++)
        list[all - 1 - i] = (struct pointer){noted->records[i].tag, (uint32_t)i};
    sort(list, list + all, all);
    mark_replaced(noted, list);
    hub_release(list);
    noted->count = noted->bytes = 0;
    for (size_t i = 0; i < all; i++) {
        if (noted->records[i].stored == NULL)
            continue;
        noted->records[noted->count++] = noted->records[i];
        noted->bytes += bytes_of(&noted->records[i]);
    }
    noted->tidy_bytes = noted->bytes;
}

static uint8_t *put(uint8_t *at, const void *data, size_t size) {
    if (size > 0)
        memcpy(at, data, size);
    return at + size;
}

/* Lets go of the memory of what was replaced. */
static void move(struct hub_cache_noted *noted) {
    struct hub_arena arena = {0};
    for (size_t i = 0; i < noted->count; i++) {
        struct hub_cache_record *record = &noted->records[i];
        uint8_t *memory = hub_arena_take(&arena, bytes_of(record));
        uint8_t *stored = put(memory, record->hooks, record->hook_count * sizeof *record->hooks);
        put(stored, record->stored, record->size);
        record->hooks = (struct hub_hook *)memory;
        record->stored = stored;
    }
    hub_arena_destroy(&noted->arena);
    noted->arena = arena;
}

static void tidy(struct hub_cache_noted *noted) {
    drop_replaced(noted);
    if (noted->arena.total_bytes > 2 * noted->bytes + HUB_CACHE_REPLACED_BYTES_MAX)
        move(noted);
}

/* --- adding --- */

void hub_cache_noted_add(struct hub_cache_noted *noted, const uint8_t *space, struct hub_bytes key,
                         const struct hub_bytes *parts, size_t part_count,
                         const struct hub_hook *hooks, size_t hook_count) {
    struct hub_cache_record record = {
        .size = KEY_FROM + key.size,
        .hook_count = hook_count,
        .key_size = (uint32_t)key.size,
        .tag = (uint32_t)hub_hook_hash(space[0], key) % (1U << TAG_BITS),
    };
    for (size_t i = 0; i < part_count; i++)
        record.size += parts[i].size;
    memcpy(record.space, space, sizeof record.space);
    record.hooks = hub_arena_take(&noted->arena, bytes_of(&record));
    record.stored = put((uint8_t *)record.hooks, hooks, hook_count * sizeof *hooks);
    uint8_t *at = put(record.stored + KEY_FROM, key.data, key.size);
    for (size_t i = 0; i < part_count; i++)
        at = put(at, parts[i].data, parts[i].size);
    HUB_GROW(noted->records, noted->count, noted->capacity);
    noted->records[noted->count++] = record;
    noted->bytes += bytes_of(&record);
    if (noted->bytes - noted->tidy_bytes > HUB_CACHE_REPLACED_BYTES_MAX)
        tidy(noted);
}

void hub_cache_noted_clear(struct hub_cache_noted *noted) {
    hub_arena_reset(&noted->arena);
    noted->count = noted->bytes = noted->tidy_bytes = 0;
}

void hub_cache_noted_free(struct hub_cache_noted *noted) {
    hub_arena_destroy(&noted->arena);
    hub_release(noted->records);
    *noted = (struct hub_cache_noted){0};
}

/* --- placing --- */

static int by_slot(const void *a, const void *b) {
    const struct hub_cache_placed *x = a, *y = b;
    return memcmp(x->slot.bytes, y->slot.bytes, HUB_CACHE_SLOT_SIZE);
}

static uint64_t hash_hooks(const struct hub_hook *hooks, size_t count) {
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t parts[] = {hooks[i].hash, hooks[i].is_near, hooks[i].near_hash};
        hash = hub_cache_hash(hash, parts, sizeof parts);
    }
    return hash;
}

static struct hub_cache_placed place(struct hub_cache_record *record,
                                     const struct hub_digester *digester) {
    struct hub_bytes stored = hub_bytes(record->stored, record->size);
    struct hub_cache_stored head = {.hooks = hash_hooks(record->hooks, record->hook_count),
                                    .key_size = record->key_size};
    put(record->stored, &head, sizeof head);
    head.check = hub_cache_check(hub_bytes_part(stored, HUB_CACHE_CHECK_SIZE, stored.size));
    put(record->stored, &head.check, sizeof head.check);
    return (struct hub_cache_placed){hub_cache_slot_of(digester, record->space, key_of(record)),
                                     stored, record->hooks, record->hook_count};
}

struct hub_cache_placed *hub_cache_noted_place(struct hub_cache_noted *noted,
                                               const struct hub_digester *digester) {
    drop_replaced(noted);
    struct hub_cache_placed *list = hub_allocate_zero(noted->count, sizeof *list);
    for (size_t i = 0; i < noted->count; i++)
        list[i] = place(&noted->records[i], digester);
    if (noted->count > 0)
        qsort(list, noted->count, sizeof *list, by_slot);
    return list;
}
