#include "hub/io/cache_noted.h"

#include "hub/base/memory.h"
#include "hub/base/table.h"

#include <string.h>

enum { KEY_FROM = HUB_CACHE_CHECK_SIZE + sizeof(uint32_t) };

struct record {
    UT_hash_handle hh;
    uint8_t *stored; /* as in the file, but for the check */
    size_t size, capacity;
    struct hub_hook *hooks; /* of what is stored; those of what it replaced led to nothing yet */
    size_t hook_count;
};

struct hub_cache_space {
    UT_hash_handle hh;
    char *name;
    struct record *records; /* by key */
};

struct hub_cache_slot hub_cache_slot_of(const struct hub_digester *digester, const char *space,
                                        struct hub_bytes key) {
    struct hub_cache_slot slot;
    struct hub_digest of_space = digester->digest(hub_bytes_of_text(space));
    struct hub_digest of_key = digester->digest(key);
    memcpy(slot.bytes, of_space.bytes, HUB_CACHE_SPACE_SIZE);
    memcpy(slot.bytes + HUB_CACHE_SPACE_SIZE, of_key.bytes, HUB_DIGEST_SIZE);
    return slot;
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

static size_t put(struct record *record, size_t at, const void *data, size_t size) {
    if (size > 0)
        memcpy(record->stored + at, data, size);
    return at + size;
}

/* Makes room; the key in it may move. */
static void resize(struct record *record, size_t size) {
    record->size = size;
    if (size <= record->capacity)
        return;
    record->stored = hub_reallocate(record->stored, size);
    record->capacity = size;
    record->hh.key = record->stored + KEY_FROM;
}

static size_t bytes_of(const struct record *record) {
    return record->size + record->hook_count * sizeof *record->hooks;
}

static struct record *need_record(struct hub_cache_noted *noted, const char *space_name,
                                  struct hub_bytes key, size_t size) {
    struct hub_cache_space *space = need_space(noted, space_name);
    struct record *record = NULL;
    HASH_FIND(hh, space->records, key.data, key.size, record);
    if (record != NULL) {
        noted->bytes -= bytes_of(record);
        resize(record, size);
        return record;
    }
    uint32_t key_size = (uint32_t)key.size;
    record = hub_allocate_zero(1, sizeof *record);
    resize(record, size);
    put(record, put(record, HUB_CACHE_CHECK_SIZE, &key_size, sizeof key_size), key.data, key.size);
    HASH_ADD_KEYPTR(hh, space->records, record->stored + KEY_FROM, key.size, record);
    noted->count++;
    return record;
}

void hub_cache_noted_add(struct hub_cache_noted *noted, const char *space, struct hub_bytes key,
                         const struct hub_bytes *parts, size_t part_count,
                         const struct hub_hook *hooks, size_t hook_count) {
    size_t at = KEY_FROM + key.size, size = at;
    for (size_t i = 0; i < part_count; i++)
        size += parts[i].size;
    struct record *record = need_record(noted, space, key, size);
    for (size_t i = 0; i < part_count; i++)
        at = put(record, at, parts[i].data, parts[i].size);
    record->hooks = hub_release(record->hooks);
    record->hook_count = hook_count;
    if (hook_count > 0)
        record->hooks = hub_copy_bytes(hooks, hook_count * sizeof *hooks);
    noted->bytes += bytes_of(record);
}

void hub_cache_noted_clear(struct hub_cache_noted *noted) {
    struct hub_cache_space *space, *next_space;
    HASH_ITER(hh, noted->spaces, space, next_space) {
        struct record *record, *next;
        HASH_ITER(hh, space->records, record, next) {
            HASH_DELETE(hh, space->records, record);
            hub_release(record->stored);
            hub_release(record->hooks);
            hub_release(record);
        }
        HASH_DELETE(hh, noted->spaces, space);
        hub_release(space->name);
        hub_release(space);
    }
    *noted = (struct hub_cache_noted){0};
}

/* --- placing --- */

static int by_slot(const void *a, const void *b) {
    const struct hub_cache_placed *x = a, *y = b;
    return memcmp(x->slot.bytes, y->slot.bytes, HUB_CACHE_SLOT_SIZE);
}

static struct hub_cache_placed place(struct record *record, const char *space,
                                     const struct hub_digester *digester) {
    struct hub_bytes stored = hub_bytes(record->stored, record->size);
    struct hub_bytes key = hub_bytes(record->hh.key, record->hh.keylen);
    struct hub_digest check =
        digester->digest(hub_bytes_part(stored, HUB_CACHE_CHECK_SIZE, stored.size));
    memcpy(record->stored, check.bytes, HUB_CACHE_CHECK_SIZE);
    return (struct hub_cache_placed){hub_cache_slot_of(digester, space, key), stored, record->hooks,
                                     record->hook_count};
}

struct hub_cache_placed *hub_cache_noted_place(struct hub_cache_noted *noted,
                                               const struct hub_digester *digester) {
    struct hub_cache_placed *list = hub_allocate_zero(noted->count, sizeof *list);
    struct hub_cache_space *space, *next_space;
    struct record *record, *next;
    size_t count = 0;
    HASH_ITER(hh, noted->spaces, space, next_space)
        HASH_ITER(hh, space->records, record, next)
            list[count++] = place(record, space->name, digester);
    if (count > 0)
        qsort(list, count, sizeof *list, by_slot);
    return list;
}
