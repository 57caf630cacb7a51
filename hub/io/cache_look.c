/* Looking up in the cache: one bucket of hooks, and of each record that it leads to all those of the same
 * sum. */
#include "hub/io/cache_buckets.h"

#include <string.h>

struct looking {
    struct hub_cache *cache;
    const struct hub_cache_shelf *shelf;
    struct hub_given *given;
    hub_cache_take take;
    void *context;
    int code; /* LMDB's, MDB_CORRUPTED for what does not prove itself */
    struct hub_error *reterr;
};

/* --- the transaction --- */

static int begin_transaction(struct hub_cache *cache) {
    if (cache->look == NULL)
        return mdb_txn_begin(cache->env, NULL, MDB_RDONLY, &cache->look);
    return mdb_txn_renew(cache->look);
}

static int begin_cursor(struct hub_cache *cache) {
    if (cache->look_cursor == NULL)
        return mdb_cursor_open(cache->look, cache->records, &cache->look_cursor);
    return mdb_cursor_renew(cache->look, cache->look_cursor);
}

/* One look-up after the other is in the same transaction, until somebody writes: to begin one reads
 * more pages than a look-up does. */
static int go_on_looking(struct hub_cache *cache) {
    if (cache->is_looking)
        return 0;
    int code = begin_transaction(cache);
    if (code == 0)
        code = begin_cursor(cache);
    cache->is_looking = code == 0;
    return code;
}

static int begin_look(struct hub_cache *cache, struct hub_cache_shelf *shelf) {
    hub_cache_busy_set(&cache->busy, true);
    int code = go_on_looking(cache);
    return code == 0 ? hub_cache_read_shelf(cache, cache->look, shelf) : code;
}

static void end_look(struct hub_cache *cache) {
    hub_cache_busy_set(&cache->busy, false);
}

void hub_cache_rest_look(struct hub_cache *cache) {
    if (cache->look != NULL)
        mdb_txn_reset(cache->look);
    cache->is_looking = false;
}

void hub_cache_close_look(struct hub_cache *cache) {
    if (cache->look_cursor != NULL)
        mdb_cursor_close(cache->look_cursor);
    if (cache->look != NULL)
        mdb_txn_abort(cache->look);
    cache->look_cursor = NULL;
    cache->look = NULL;
    cache->is_looking = false;
}

/* --- records --- */

/* The first slot of those that share a sum with this one: their first bits, then zeros. */
static void begin_of_sum(unsigned level, struct hub_cache_slot *slot) {
    for (size_t i = 0; i < HUB_CACHE_DIGEST_SIZE; i++) {
        unsigned kept = level > 8 * i ? level - (unsigned)(8 * i) : 0; /* of this byte's bits */
        if (kept < 8)
            slot->bytes[HUB_CACHE_SPACE_SIZE + i] &= (uint8_t)(0xff << (8 - kept));
    }
}

static enum hub_status give(struct looking *looking, unsigned topic, MDB_val stored) {
    struct hub_bytes key, value;
    if (hub_cache_open_stored(stored, &key, &value))
        return looking->take(looking->context, topic, key, value, looking->reterr);
    looking->code = MDB_CORRUPTED;
    return HUB_OK;
}

/* Whether the key is one of the space's records of the sum. */
static bool is_of_sum(const struct hub_cache_summed *space, size_t index, MDB_val key) {
    return key.mv_size == HUB_CACHE_SLOT_SIZE &&
           memcmp(key.mv_data, space->id, HUB_CACHE_SPACE_SIZE) == 0 &&
           hub_cache_sums_index(&space->sums, hub_cache_slot_bits(key.mv_data)) == index;
}

/* All records of one sum, of which those are given whose slot begins like this one: they are all there once
 * they add up. That there is none is proved, too: the record went, and the hook that led to it stayed. */
static enum hub_status give_of_sum(struct looking *looking, unsigned topic,
                                   const struct hub_cache_slot *slot) {
    enum { WANTED_SIZE = HUB_CACHE_SPACE_SIZE + HUB_CACHE_PREFIX_SIZE };
    const struct hub_cache_summed *space = &looking->shelf->spaces[topic];
    size_t index = hub_cache_sums_index(&space->sums, hub_cache_slot_bits(slot->bytes));
    struct hub_cache_slot start = *slot;
    begin_of_sum(space->sums.level, &start);
    MDB_cursor *cursor = looking->cache->look_cursor;
    MDB_val key = {HUB_CACHE_SLOT_SIZE, start.bytes}, value;
    const uint8_t *before = NULL;
    uint64_t missing = space->sums.values[index];
    enum hub_status status = HUB_OK;
    int code = missing == 0 ? 0 : mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (missing != 0 && code == 0 && status == HUB_OK && is_of_sum(space, index, key)) {
        missing ^= hub_cache_check_of(key, value);
        if (!hub_cache_in_order(&before, key))
            looking->code = MDB_CORRUPTED;
        if (memcmp(key.mv_data, slot->bytes, WANTED_SIZE) == 0)
            status = give(looking, topic, value);
        if (missing != 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (code != 0 && code != MDB_NOTFOUND)
        looking->code = code;
    else if (status == HUB_OK && missing != 0)
        looking->code = MDB_CORRUPTED;
    return status;
}

static unsigned topic_of(uint64_t record) {
    uint8_t bytes[sizeof record];
    memcpy(bytes, &record, sizeof record);
    return bytes[HUB_CACHE_PREFIX_SIZE];
}

static enum hub_status give_record(struct looking *looking, uint64_t record) {
    struct hub_cache_slot slot = {{0}};
    unsigned topic = topic_of(record);
    if (topic >= looking->shelf->space_count) {
        looking->code = MDB_CORRUPTED;
        return HUB_OK;
    }
    memcpy(slot.bytes, looking->shelf->spaces[topic].id, HUB_CACHE_SPACE_SIZE);
    memcpy(slot.bytes + HUB_CACHE_SPACE_SIZE, &record, HUB_CACHE_PREFIX_SIZE);
    return give_of_sum(looking, topic, &slot);
}

/* --- hooks --- */

/* False of what was given before; from here on, of this one. */
static bool needs(struct hub_given *given, uint64_t record) {
    if (given == NULL || (given->topics >> topic_of(record) & 1) == 0)
        return true;
    return hub_hook_set_add(&given->records, record);
}

static enum hub_status give_hooked(struct looking *looking, uint64_t hook) {
    const struct hub_cache_sums *sums = &looking->shelf->buckets;
    MDB_val bucket;
    struct hub_cache_entry entry;
    enum hub_status status = HUB_OK;
    looking->code =
        hub_cache_read_bucket(looking->cache, looking->cache->look, looking->shelf, sums,
                              hub_cache_sums_index(sums, hook), &bucket);
    for (size_t at = 0; looking->code == 0 && status == HUB_OK && at < bucket.mv_size;
         at += sizeof entry) {
        memcpy(&entry, (uint8_t *)bucket.mv_data + at, sizeof entry);
        if (entry.hook == hook && needs(looking->given, entry.record))
            status = give_record(looking, entry.record);
    }
    return status;
}

static enum hub_status check_there(const struct hub_cache *cache,
                                   const struct hub_cache_shelf *shelf, struct hub_error *reterr) {
    if (cache->given_up)
        return hub_fail(reterr, HUB_RETRY, "cache: it was given up, and %s with it", shelf->name);
    if (shelf->is_retired)
        return hub_fail(reterr, HUB_RETRY, "cache: %s was opened under another tag since",
                        shelf->name);
    return HUB_OK;
}

/* Nothing is mended in pages that lie. */
static enum hub_status damaged(struct hub_cache *cache, const struct hub_cache_shelf *shelf,
                               const char *why, struct hub_error *reterr) {
    hub_cache_throw_away(cache);
    return hub_fail(reterr, HUB_RETRY, "cache: %s: %s; it is thrown away", shelf->name, why);
}

enum hub_status hub_cache_find(struct hub_cache *cache, struct hub_cache_shelf *shelf,
                               uint64_t hook, struct hub_given *given, hub_cache_take take,
                               void *context, struct hub_error *reterr) {
    struct looking looking = {cache, shelf, given, take, context, 0, reterr};
    enum hub_status status = HUB_OK;
    HUB_TRY(check_there(cache, shelf, reterr));
    int code = begin_look(cache, shelf);
    if (code == 0) {
        status = give_hooked(&looking, hook);
        code = looking.code;
    }
    end_look(cache);
    return code == 0 ? status : damaged(cache, shelf, mdb_strerror(code), reterr);
}

/* --- near hashes --- */

struct nearing {
    enum hub_status (*take)(void *context, const uint64_t *hashes, size_t count,
                            struct hub_error *reterr);
    void *context;
    uint64_t count;
};

static enum hub_status take_near(void *context, struct hub_bytes key, struct hub_bytes value,
                                 struct hub_error *reterr) {
    struct nearing *nearing = context;
    uint64_t hashes[512]; /* in the file they stand anywhere */
    enum hub_status status = HUB_OK;
    (void)key;
    nearing->count += value.size / sizeof *hashes;
    while (status == HUB_OK && value.size > 0) {
        size_t size = value.size < sizeof hashes ? value.size : sizeof hashes;
        memcpy(hashes, value.data, size);
        status = nearing->take(nearing->context, hashes, size / sizeof *hashes, reterr);
        value = hub_bytes_part(value, size, value.size);
    }
    return status;
}

enum hub_status hub_cache_near(struct hub_cache *cache, struct hub_cache_shelf *shelf,
                               enum hub_status (*take)(void *context, const uint64_t *hashes,
                                                       size_t count, struct hub_error *reterr),
                               void *context, struct hub_error *reterr) {
    struct nearing nearing = {take, context, 0};
    int64_t next = 0;
    HUB_TRY(check_there(cache, shelf, reterr));
    int code = begin_look(cache, shelf); /* for its count */
    end_look(cache);
    if (code != 0)
        return damaged(cache, shelf, mdb_strerror(code), reterr);
    HUB_TRY(hub_cache_load(cache, shelf->near_space, take_near, &nearing, &next, reterr));
    if (nearing.count != shelf->near_count)
        return damaged(cache, shelf, "near hashes are missing", reterr);
    return HUB_OK;
}
