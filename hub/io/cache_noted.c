#include "hub/io/cache_noted.h"

#include "hub/base/memory.h"
#include "hub/base/table.h"

#include <string.h>

enum {
    KEY_FROM = HUB_CACHE_CHECK_SIZE + sizeof(uint32_t),
    SLOTS_MIN = 1 << 8,
    REPLACED_BYTES_MAX = 32 * 1024 * 1024, /* and as much again as there is */
};

struct hub_cache_record {
    const struct hub_cache_space *space;
    uint8_t *stored; /* as in the file, but for the check */
    size_t size, key_size;
    struct hub_hook *hooks; /* of what is stored; those of what it replaced led to nothing yet */
    size_t hook_count;
    uint64_t hash; /* of its key */
};

/* Of the table of records: a part of the hash, so that another record is seldom looked at in vain. */
struct hub_cache_entry {
    uint32_t tag, number; /* number of the record, from 1; 0 for none */
};

struct hub_cache_space {
    UT_hash_handle hh;
    char *name;
    struct hub_digest digest; /* of the name, while records are placed */
};

static struct hub_cache_slot slot_of(const struct hub_digest *space, struct hub_digest key) {
    struct hub_cache_slot slot;
    memcpy(slot.bytes, space->bytes, HUB_CACHE_SPACE_SIZE);
    memcpy(slot.bytes + HUB_CACHE_SPACE_SIZE, key.bytes, HUB_DIGEST_SIZE);
    return slot;
}

struct hub_cache_slot hub_cache_slot_of(const struct hub_digester *digester, const char *space,
                                        struct hub_bytes key) {
    struct hub_digest of_space = digester->digest(hub_bytes_of_text(space));
    return slot_of(&of_space, digester->digest(key));
}

/* --- adding --- */

static struct hub_cache_space *need_space(struct hub_cache_noted *noted, const char *name) {
    struct hub_cache_space *space = NULL;
    HASH_FIND_STR(noted->spaces, name, space);
    if (space != NULL)
        return space;
    space = hub_allocate_zero(1, sizeof *space);
    space->name = hub_copy_text(name);
    HASH_ADD_KEYPTR(hh, noted->spaces, space->name, strlen(space->name), space);
    return space;
}

static struct hub_bytes key_of(const struct hub_cache_record *record) {
    return hub_bytes(record->stored + KEY_FROM, record->key_size);
}

static size_t bytes_of(const struct hub_cache_record *record) {
    return record->size + record->hook_count * sizeof *record->hooks;
}

/* Where the record is, or would be. */
static struct hub_cache_entry *entry_of(const struct hub_cache_noted *noted, uint64_t hash,
                                        const struct hub_cache_space *space, struct hub_bytes key) {
    size_t at = hash & (noted->entry_count - 1);
    for (;; at = (at + 1) & (noted->entry_count - 1)) {
        struct hub_cache_entry *entry = &noted->entries[at];
        if (entry->number == 0)
            return entry;
        if (entry->tag != (uint32_t)(hash >> 32))
            continue;
        const struct hub_cache_record *record = &noted->records[entry->number - 1];
        if (record->space == space && hub_bytes_equal(key_of(record), key))
            return entry;
    }
}

static void widen(struct hub_cache_noted *noted) {
    size_t count = noted->entry_count == 0 ? SLOTS_MIN : noted->entry_count * 2;
    hub_release(noted->entries);
    noted->entries = hub_allocate_zero(count, sizeof *noted->entries);
    noted->entry_count = count;
    for (size_t i = 0; i < noted->count; i++) {
        const struct hub_cache_record *record = &noted->records[i];
        *entry_of(noted, record->hash, record->space, key_of(record)) =
            (struct hub_cache_entry){(uint32_t)(record->hash >> 32), (uint32_t)(i + 1)};
    }
}

static struct hub_cache_record *need_record(struct hub_cache_noted *noted, const char *space_name,
                                            struct hub_bytes key) {
    const struct hub_cache_space *space = need_space(noted, space_name);
    uint64_t hash = hub_hook_hash(0, key);
    if (noted->count * 2 >= noted->entry_count)
        widen(noted);
    struct hub_cache_entry *entry = entry_of(noted, hash, space, key);
    if (entry->number > 0) {
        noted->bytes -= bytes_of(&noted->records[entry->number - 1]);
        return &noted->records[entry->number - 1];
    }
    HUB_GROW(noted->records, noted->count, noted->capacity);
    noted->records[noted->count++] = (struct hub_cache_record){.space = space, .hash = hash};
    *entry = (struct hub_cache_entry){(uint32_t)(hash >> 32), (uint32_t)noted->count};
    return &noted->records[noted->count - 1];
}

static uint8_t *put(uint8_t *at, const void *data, size_t size) {
    if (size > 0)
        memcpy(at, data, size);
    return at + size;
}

static void *keep(struct hub_arena *arena, const void *data, size_t size) {
    void *copy = hub_arena_take(arena, size);
    put(copy, data, size);
    return copy;
}

/* Lets go of what was replaced. */
static void tidy(struct hub_cache_noted *noted) {
    struct hub_arena arena = {0};
    for (size_t i = 0; i < noted->count; i++) {
        struct hub_cache_record *record = &noted->records[i];
        record->stored = keep(&arena, record->stored, record->size);
        record->hooks = keep(&arena, record->hooks, record->hook_count * sizeof *record->hooks);
    }
    hub_arena_destroy(&noted->arena);
    noted->arena = arena;
}

void hub_cache_noted_add(struct hub_cache_noted *noted, const char *space, struct hub_bytes key,
                         const struct hub_bytes *parts, size_t part_count,
                         const struct hub_hook *hooks, size_t hook_count) {
    uint32_t key_size = (uint32_t)key.size;
    size_t size = KEY_FROM + key.size;
    for (size_t i = 0; i < part_count; i++)
        size += parts[i].size;
    struct hub_cache_record *record = need_record(noted, space, key);
    record->stored = hub_arena_take(&noted->arena, size);
    record->size = size;
    record->key_size = key.size;
    uint8_t *at = put(record->stored + HUB_CACHE_CHECK_SIZE, &key_size, sizeof key_size);
    at = put(at, key.data, key.size);
    for (size_t i = 0; i < part_count; i++)
        at = put(at, parts[i].data, parts[i].size);
    record->hooks = keep(&noted->arena, hooks, hook_count * sizeof *hooks);
    record->hook_count = hook_count;
    noted->bytes += bytes_of(record);
    if (noted->arena.total_bytes > 2 * noted->bytes + REPLACED_BYTES_MAX)
        tidy(noted);
}

void hub_cache_noted_clear(struct hub_cache_noted *noted) {
    hub_arena_reset(&noted->arena);
    if (noted->count > 0)
        memset(noted->entries, 0, noted->entry_count * sizeof *noted->entries);
    noted->count = noted->bytes = 0;
}

void hub_cache_noted_free(struct hub_cache_noted *noted) {
    struct hub_cache_space *space, *next;
    HASH_ITER(hh, noted->spaces, space, next) {
        HASH_DELETE(hh, noted->spaces, space);
        hub_release(space->name);
        hub_release(space);
    }
    hub_arena_destroy(&noted->arena);
    hub_release(noted->records);
    hub_release(noted->entries);
    *noted = (struct hub_cache_noted){0};
}

/* --- placing --- */

static int by_slot(const void *a, const void *b) {
    const struct hub_cache_placed *x = a, *y = b;
    return memcmp(x->slot.bytes, y->slot.bytes, HUB_CACHE_SLOT_SIZE);
}

static struct hub_cache_placed place(struct hub_cache_record *record,
                                     const struct hub_digester *digester) {
    struct hub_bytes stored = hub_bytes(record->stored, record->size);
    uint64_t check = hub_cache_check(hub_bytes_part(stored, HUB_CACHE_CHECK_SIZE, stored.size));
    memcpy(record->stored, &check, HUB_CACHE_CHECK_SIZE);
    return (struct hub_cache_placed){
        slot_of(&record->space->digest, digester->digest(key_of(record))), stored, record->hooks,
        record->hook_count};
}

struct hub_cache_placed *hub_cache_noted_place(struct hub_cache_noted *noted,
                                               const struct hub_digester *digester) {
    struct hub_cache_placed *list = hub_allocate_zero(noted->count, sizeof *list);
    struct hub_cache_space *space, *next;
    HASH_ITER(hh, noted->spaces, space, next)
        space->digest = digester->digest(hub_bytes_of_text(space->name));
    for (size_t i = 0; i < noted->count; i++)
        list[i] = place(&noted->records[i], digester);
    if (noted->count > 0)
        qsort(list, noted->count, sizeof *list, by_slot);
    return list;
}
