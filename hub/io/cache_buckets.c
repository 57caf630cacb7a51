/* Hooks on their way into the file: each bucket is touched once in a checkpoint, and none for a record whose hooks
 * are those that it had. */
#include "hub/io/cache_buckets.h"

#include "hub/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = HUB_CACHE_SPACE_SIZE + 4 };

struct bucket_key {
    uint8_t bytes[KEY_SIZE];
};

/* Buckets of two levels have different numbers. */
static uint32_t number_of(const struct hub_cache_sums *sums, size_t index) {
    return (uint32_t)((size_t)1 << sums->level | index);
}

static struct bucket_key key_of(const struct hub_cache_shelf *shelf, uint32_t number) {
    struct bucket_key key;
    memcpy(key.bytes, shelf->id, HUB_CACHE_SPACE_SIZE);
    for (size_t i = 0; i < 4; i++) /* big-endian, so that buckets stand in order */
        key.bytes[HUB_CACHE_SPACE_SIZE + i] = (uint8_t)(number >> (24 - 8 * i));
    return key;
}

static uint64_t place_of(const struct hub_cache_shelf *shelf, uint32_t number) {
    uint64_t place = 0;
    memcpy(&place, shelf->id, sizeof place);
    return place + number;
}

int hub_cache_read_bucket(const struct hub_cache *cache, MDB_txn *txn,
                          const struct hub_cache_shelf *shelf, const struct hub_cache_sums *sums,
                          size_t index, MDB_val *ret_bucket) {
    uint32_t number = number_of(sums, index);
    struct bucket_key key = key_of(shelf, number);
    MDB_val at = {KEY_SIZE, key.bytes};
    *ret_bucket = (MDB_val){0};
    if (sums->values[index] == 0)
        return 0;
    int code = mdb_get(txn, cache->hooks, &at, ret_bucket);
    if (code != 0)
        return code == MDB_NOTFOUND ? MDB_CORRUPTED : code;
    uint64_t sum =
        hub_cache_long_hash(place_of(shelf, number), ret_bucket->mv_data, ret_bucket->mv_size);
    bool sound = ret_bucket->mv_size % sizeof(struct hub_cache_entry) == 0;
    return sound && sum == sums->values[index] ? 0 : MDB_CORRUPTED;
}

static int write_bucket(const struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf,
                        size_t index, struct hub_bytes entries) {
    uint32_t number = number_of(&shelf->buckets, index);
    struct bucket_key key = key_of(shelf, number);
    MDB_val at = {KEY_SIZE, key.bytes}, value = {entries.size, (void *)entries.data};
    uint64_t sum = hub_cache_long_hash(place_of(shelf, number), entries.data, entries.size);
    hub_cache_sums_add(&shelf->buckets, index, shelf->buckets.values[index] ^ sum);
    return mdb_put(txn, cache->hooks, &at, &value, 0);
}

static int delete_bucket(const struct hub_cache *cache, MDB_txn *txn,
                         const struct hub_cache_shelf *shelf, const struct hub_cache_sums *sums,
                         size_t index) {
    struct bucket_key key = key_of(shelf, number_of(sums, index));
    MDB_val at = {KEY_SIZE, key.bytes};
    return sums->values[index] == 0 ? 0 : mdb_del(txn, cache->hooks, &at, NULL);
}

/* --- gathering --- */

/* One hook of one record, on its way into the file. */
struct hooked {
    struct hub_cache_shelf *shelf;
    uint64_t hook, record, near_hash;
    bool is_near;
};

static int in_order(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b) {
    const struct hooked *x = a, *y = b;
    int order = in_order((uintptr_t)x->shelf, (uintptr_t)y->shelf);
    if (order == 0)
        order = in_order(x->hook, y->hook);
    return order != 0 ? order : in_order(x->record, y->record);
}

/* The digest's first bytes, and the topic in place of the next. */
static uint64_t record_of(const struct hub_cache_placed *placed, size_t topic) {
    uint8_t bytes[sizeof(uint64_t)];
    uint64_t record = 0;
    memcpy(bytes, placed->slot.bytes + HUB_CACHE_SPACE_SIZE, HUB_CACHE_PREFIX_SIZE);
    bytes[HUB_CACHE_PREFIX_SIZE] = (uint8_t)topic;
    memcpy(&record, bytes, sizeof record);
    return record;
}

static void gather_one(const struct hub_cache_placed *placed, struct hub_cache_shelf *shelf,
                       size_t topic, struct hooked *list) {
    for (size_t i = 0; i < placed->hook_count; i++) {
        const struct hub_hook *hook = &placed->hooks[i];
        list[i] = (struct hooked){shelf, hook->hash, record_of(placed, topic), hook->near_hash,
                                  hook->is_near};
    }
}

static bool is_of_space(const struct hub_cache_placed *placed, const uint8_t *space) {
    return space != NULL && memcmp(placed->slot.bytes, space, HUB_CACHE_SPACE_SIZE) == 0;
}

/* The hooks of what was placed that the file may not have, sorted. The caller frees the list. */
static struct hooked *gather(const struct hub_cache *cache, const struct hub_cache_placed *placed,
                             size_t count, size_t *ret_count) {
    const uint8_t *space = NULL; /* whose shelf it is */
    struct hub_cache_shelf *shelf = NULL;
    size_t all = 0, topic = 0;
    *ret_count = 0;
    for (size_t i = 0; i < count; i++)
        all += placed[i].hook_count;
    struct hooked *list = hub_allocate((all + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        if (!is_of_space(&placed[i], space))
            shelf = hub_cache_shelf_of(cache, placed[i].slot.bytes, &topic);
        space = placed[i].slot.bytes;
        if (shelf == NULL)
            continue;
        gather_one(&placed[i], shelf, topic, list + *ret_count);
        *ret_count += placed[i].hook_count;
    }
    qsort(list, *ret_count, sizeof *list, by_place);
    return list;
}

/* --- splitting --- */

/* The entries of one bucket into those of a higher level, which take them in the same order. */
static int spread(const struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf,
                  struct hub_bytes bucket) {
    struct hub_cache_entry entry;
    size_t from = 0, own = 0;
    for (size_t at = 0; at < bucket.size; at += sizeof entry) {
        memcpy(&entry, bucket.data + at, sizeof entry);
        size_t index = hub_cache_sums_index(&shelf->buckets, entry.hook);
        int code = at > from && index != own
                       ? write_bucket(cache, txn, shelf, own, hub_bytes_part(bucket, from, at))
                       : 0;
        if (code != 0)
            return code;
        if (index != own)
            from = at;
        own = index;
    }
    return bucket.size == 0
               ? 0
               : write_bucket(cache, txn, shelf, own, hub_bytes_part(bucket, from, bucket.size));
}

static int split_one(const struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf,
                     const struct hub_cache_sums *old, size_t index) {
    HUB_SCOPED_BUFFER copy = {.size_max = SIZE_MAX / 2};
    MDB_val bucket;
    int code = hub_cache_read_bucket(cache, txn, shelf, old, index, &bucket);
    if (code != 0)
        return code;
    hub_buffer_append(&copy, bucket.mv_data, bucket.mv_size);
    code = spread(cache, txn, shelf, hub_buffer_bytes(&copy));
    return code == 0 ? delete_bucket(cache, txn, shelf, old, index) : code;
}

static int split(const struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf,
                 unsigned level) {
    struct hub_cache_sums old = shelf->buckets;
    int code = 0;
    shelf->buckets = (struct hub_cache_sums){0};
    hub_cache_sums_begin(&shelf->buckets, level);
    for (size_t i = 0; code == 0 && i < (size_t)1 << old.level; i++)
        code = split_one(cache, txn, shelf, &old, i);
    hub_cache_sums_free(&old);
    return code;
}

/* --- adding --- */

struct adding {
    struct hub_cache *cache;
    MDB_txn *txn;
    struct hub_cache_shelf *shelf;
    struct hub_buffer merged;
    struct hub_buffer near; /* hashes of what is new */
};

static void add_entry(struct adding *adding, const struct hooked *hooked) {
    struct hub_cache_entry entry = {hooked->hook, hooked->record};
    hub_buffer_append(&adding->merged, &entry, sizeof entry);
    adding->shelf->entry_count++;
    if (hooked->is_near) {
        hub_buffer_append(&adding->near, &hooked->near_hash, sizeof hooked->near_hash);
        adding->shelf->near_count++;
    }
}

static int compare_entry(const struct hooked *hooked, const uint8_t *stored) {
    struct hub_cache_entry entry;
    memcpy(&entry, stored, sizeof entry);
    int order = in_order(hooked->hook, entry.hook);
    return order != 0 ? order : in_order(hooked->record, entry.record);
}

/* Both are sorted; what is there already, or comes twice, is not added. */
static void merge(struct adding *adding, struct hub_bytes old,
                  const struct hooked *hooked, size_t count) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        int order = 1;
        while (at < old.size && (order = compare_entry(&hooked[i], old.data + at)) > 0) {
            hub_buffer_append(&adding->merged, old.data + at, sizeof(struct hub_cache_entry));
            at += sizeof(struct hub_cache_entry);
        }
        bool there = at < old.size && order == 0;
        if (!there && (i == 0 || by_place(&hooked[i], &hooked[i - 1]) != 0))
            add_entry(adding, &hooked[i]);
    }
    hub_buffer_append_bytes(&adding->merged, hub_bytes_part(old, at, old.size));
}

static int add_to_bucket(struct adding *adding, size_t index,
                         const struct hooked *hooked, size_t count) {
    MDB_val old;
    int code = hub_cache_read_bucket(adding->cache, adding->txn, adding->shelf,
                                     &adding->shelf->buckets, index, &old);
    if (code != 0)
        return code;
    hub_buffer_clear(&adding->merged);
    merge(adding, hub_bytes(old.mv_data, old.mv_size), hooked, count);
    if (adding->merged.size == old.mv_size)
        return 0;
    return write_bucket(adding->cache, adding->txn, adding->shelf, index,
                        hub_buffer_bytes(&adding->merged));
}

/* In one record of a space of its own, so that all of them are soon read at start. */
static int write_near(struct adding *adding) {
    struct hub_cache_noted noted = {0};
    struct hub_cache_fact fact;
    uint64_t number = adding->shelf->near_count; /* grows with each */
    struct hub_bytes part = hub_buffer_bytes(&adding->near);
    if (part.size == 0)
        return 0;
    struct hub_cache_slot start = hub_cache_first_slot(adding->cache, adding->shelf->near_space);
    hub_cache_noted_add(&noted, start.bytes, hub_bytes(&number, sizeof number), &part, 1, NULL, 0);
    struct hub_cache_placed *placed = hub_cache_noted_place(&noted, adding->cache->digester);
    const uint8_t *id = placed->slot.bytes;
    MDB_cursor *cursor = NULL;
    int code = hub_cache_read_fact(adding->cache, adding->txn, id, &fact);
    fact.next = (int64_t)number;
    if (code == 0)
        code = mdb_cursor_open(adding->txn, adding->cache->records, &cursor);
    if (code == 0)
        code = hub_cache_write_record(cursor, placed, &fact, NULL);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (code == 0)
        code = hub_cache_write_fact(adding->cache, adding->txn, id, &fact);
    hub_cache_noted_free(&noted);
    hub_release(placed);
    return code;
}

static int add_to_shelf(struct adding *adding, const struct hooked *hooked,
                        size_t count) {
    const struct hub_cache_sums *buckets = &adding->shelf->buckets;
    uint64_t all = adding->shelf->entry_count + count;
    unsigned level = buckets->level;
    int code = 0;
    while (all >> level > HUB_CACHE_BUCKET_ENTRIES && level < HUB_CACHE_SUMS_LEVEL_MAX)
        level++;
    if (level > buckets->level)
        code = split(adding->cache, adding->txn, adding->shelf, level);
    for (size_t from = 0, to = 0; code == 0 && from < count; from = to) {
        size_t index = hub_cache_sums_index(buckets, hooked[from].hook);
        while (to < count && hub_cache_sums_index(buckets, hooked[to].hook) == index)
            to++;
        code = add_to_bucket(adding, index, hooked + from, to - from);
    }
    return code == 0 ? write_near(adding) : code;
}

int hub_cache_write_hooks(struct hub_cache *cache, MDB_txn *txn,
                          const struct hub_cache_placed *placed, size_t placed_count) {
    size_t count = 0;
    struct hooked *hooked = gather(cache, placed, placed_count, &count);
    int code = 0;
    for (size_t from = 0, to = 0; code == 0 && from < count; from = to) {
        struct adding adding = {.cache = cache, .txn = txn, .shelf = hooked[from].shelf};
        adding.merged.size_max = adding.near.size_max = SIZE_MAX / 2;
        while (to < count && hooked[to].shelf == adding.shelf)
            to++;
        code = add_to_shelf(&adding, hooked + from, to - from);
        hub_buffer_free(&adding.merged);
        hub_buffer_free(&adding.near);
    }
    hub_release(hooked);
    return code;
}
