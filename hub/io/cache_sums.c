#include "hub/io/cache_sums.h"

#include "hub/base/hook.h"
#include "hub/base/memory.h"

#include <string.h>

enum {
    BLOCK_SUMS = 510, /* with what LMDB says of it, a page; two more, and it is two pages */
    KEY_SIZE = HUB_CACHE_SPACE_SIZE + 4
};

struct block_key {
    uint8_t bytes[KEY_SIZE];
};

uint64_t hub_cache_hash(uint64_t place, const void *data, size_t size) {
    static const uint64_t multiplier = 0x9e3779b97f4a7c15;
    uint64_t hash = hub_hook_hash(/* trait= */ 0, hub_bytes(data, size));
    hash = (hash ^ place * multiplier) * multiplier;
    hash ^= hash >> 32;
    return hash != 0 ? hash : 1;
}

uint64_t hub_cache_long_hash(uint64_t place, const void *data, size_t size) {
    enum { LANES = 4, STRIDE = LANES * sizeof(uint64_t) };
    static const uint64_t multiplier = 0x9e3779b97f4a7c15;
    uint64_t lanes[LANES] = {1, 2, 3, 4}, part[LANES];
    const uint8_t *bytes = data;
    size_t at = 0;
    for (; size - at >= STRIDE; at += STRIDE) {
        memcpy(part, bytes + at, STRIDE);
        for (size_t i = 0; i < LANES; i++) { /* each step is one to one: no difference is lost in it */
            lanes[i] = (lanes[i] ^ part[i]) * multiplier;
            lanes[i] ^= lanes[i] >> 32;
        }
    }
    uint64_t rest = hub_cache_hash(place, bytes + at, size - at);
    return hub_cache_hash(rest ^ size, lanes, sizeof lanes);
}

static size_t count_of(const struct hub_cache_sums *sums) {
    return (size_t)1 << sums->level;
}

static size_t block_count(const struct hub_cache_sums *sums) {
    return (count_of(sums) + BLOCK_SUMS - 1) / BLOCK_SUMS;
}

static size_t block_bytes(const struct hub_cache_sums *sums, size_t block) {
    size_t count = count_of(sums) - block * BLOCK_SUMS;
    return (count < BLOCK_SUMS ? count : BLOCK_SUMS) * sizeof *sums->values;
}

void hub_cache_sums_begin(struct hub_cache_sums *sums, unsigned level) {
    hub_cache_sums_free(sums);
    sums->level = level;
    sums->values = hub_allocate_zero(count_of(sums), sizeof *sums->values);
    sums->checks = hub_allocate_zero(block_count(sums), sizeof *sums->checks);
    sums->changed = hub_allocate_zero(block_count(sums), sizeof *sums->changed);
    memset(sums->changed, true, block_count(sums));
}

void hub_cache_sums_free(struct hub_cache_sums *sums) {
    hub_release(sums->values);
    hub_release(sums->checks);
    hub_release(sums->changed);
    *sums = (struct hub_cache_sums){0};
}

void hub_cache_sums_add(struct hub_cache_sums *sums, size_t index, uint64_t value) {
    sums->values[index] ^= value;
    sums->changed[index / BLOCK_SUMS] = true;
}

uint64_t hub_cache_sums_total(const struct hub_cache_sums *sums) {
    uint64_t total = 0;
    for (size_t i = 0; i < count_of(sums); i++)
        total ^= sums->values[i];
    return total;
}

/* --- in the file --- */

static struct block_key key_of(const uint8_t *id, size_t block) {
    struct block_key key;
    memcpy(key.bytes, id, HUB_CACHE_SPACE_SIZE);
    for (size_t i = 0; i < 4; i++) /* big-endian, so that blocks stand in order */
        key.bytes[HUB_CACHE_SPACE_SIZE + i] = (uint8_t)(block >> (24 - 8 * i));
    return key;
}

static uint64_t check_of(const struct hub_cache_sums *sums, const uint8_t *id, size_t block) {
    uint64_t place = 0;
    memcpy(&place, id, sizeof place);
    place += (uint64_t)sums->level << 32 | block;
    return hub_cache_long_hash(place, sums->values + block * BLOCK_SUMS, block_bytes(sums, block));
}

int hub_cache_sums_read(MDB_txn *txn, MDB_dbi dbi, const uint8_t *id, uint64_t level,
                        uint64_t check, struct hub_cache_sums *sums) {
    if (level > HUB_CACHE_SUMS_LEVEL_MAX)
        return MDB_CORRUPTED;
    hub_cache_sums_begin(sums, (unsigned)level);
    for (size_t block = 0; block < block_count(sums); block++) {
        struct block_key key = key_of(id, block);
        MDB_val at = {KEY_SIZE, key.bytes}, value;
        int code = mdb_get(txn, dbi, &at, &value);
        if (code != 0)
            return code == MDB_NOTFOUND ? MDB_CORRUPTED : code;
        if (value.mv_size != block_bytes(sums, block))
            return MDB_CORRUPTED;
        memcpy(sums->values + block * BLOCK_SUMS, value.mv_data, value.mv_size);
        sums->checks[block] = check_of(sums, id, block);
        sums->changed[block] = false;
        sums->check ^= sums->checks[block];
    }
    return sums->check == check ? 0 : MDB_CORRUPTED;
}

int hub_cache_sums_write(MDB_txn *txn, MDB_dbi dbi, const uint8_t *id,
                         struct hub_cache_sums *sums) {
    for (size_t block = 0; block < block_count(sums); block++) {
        if (!sums->changed[block])
            continue;
        struct block_key key = key_of(id, block);
        MDB_val at = {KEY_SIZE, key.bytes};
        MDB_val value = {block_bytes(sums, block), sums->values + block * BLOCK_SUMS};
        int code = mdb_put(txn, dbi, &at, &value, 0);
        if (code != 0)
            return code;
        uint64_t check = check_of(sums, id, block);
        sums->check ^= sums->checks[block] ^ check;
        sums->checks[block] = check;
        sums->changed[block] = false;
    }
    return 0;
}

int hub_cache_delete_all(MDB_txn *txn, MDB_dbi dbi, const uint8_t *id) {
    MDB_cursor *cursor = NULL;
    MDB_val key = {HUB_CACHE_SPACE_SIZE, (void *)id}, value;
    int code = mdb_cursor_open(txn, dbi, &cursor);
    if (code != 0)
        return code;
    int found = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (found == 0 && key.mv_size >= HUB_CACHE_SPACE_SIZE &&
           memcmp(key.mv_data, id, HUB_CACHE_SPACE_SIZE) == 0 &&
           (code = mdb_cursor_del(cursor, 0)) == 0)
        found = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code != 0 ? code : found == MDB_NOTFOUND ? 0 : found;
}
