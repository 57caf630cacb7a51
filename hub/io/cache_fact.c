/* Facts about the spaces of a cache, each with a check of its own. */
#include "hub/io/cache_fact.h"

#include "hub/io/cache_sums.h"

#include <stddef.h>
#include <string.h>

uint64_t hub_cache_check(struct hub_bytes record) {
    return hub_cache_long_hash(/* place= */ 0, record.data, record.size);
}

uint64_t hub_cache_check_of(MDB_val slot, MDB_val stored) {
    uint64_t check = 0;
    memcpy(&check, stored.mv_data, stored.mv_size < sizeof check ? stored.mv_size : sizeof check);
    return hub_cache_hash(check, slot.mv_data, slot.mv_size);
}

void hub_cache_fact_add(struct hub_cache_fact *fact, MDB_val slot, MDB_val stored) {
    fact->checks ^= hub_cache_check_of(slot, stored);
    fact->count++;
}

void hub_cache_fact_take(struct hub_cache_fact *fact, MDB_val slot, MDB_val stored) {
    fact->checks ^= hub_cache_check_of(slot, stored);
    fact->count--;
}

/* As stored: the fact, and a check over the space and it. */
struct stored_fact {
    uint8_t space[HUB_CACHE_SPACE_SIZE];
    struct hub_cache_fact fact;
    uint8_t check[HUB_CACHE_CHECK_SIZE];
};

static struct stored_fact pack_fact(const struct hub_digester *digester, const uint8_t *space,
                                    const struct hub_cache_fact *fact) {
    struct stored_fact stored = {.fact = *fact};
    memcpy(stored.space, space, HUB_CACHE_SPACE_SIZE);
    struct hub_digest digest =
        digester->digest(hub_bytes(&stored, offsetof(struct stored_fact, check)));
    memcpy(stored.check, digest.bytes, HUB_CACHE_CHECK_SIZE);
    return stored;
}

int hub_cache_fact_read(const struct hub_digester *digester, MDB_txn *txn, MDB_dbi facts,
                        const uint8_t *space, struct hub_cache_fact *ret_fact) {
    MDB_val key = {HUB_CACHE_SPACE_SIZE, (void *)space}, value;
    int code = mdb_get(txn, facts, &key, &value);
    *ret_fact = (struct hub_cache_fact){.next = -1};
    if (code != 0)
        return code == MDB_NOTFOUND ? 0 : code;
    struct stored_fact stored;
    if (value.mv_size != sizeof stored)
        return MDB_CORRUPTED;
    memcpy(&stored, value.mv_data, sizeof stored);
    struct stored_fact wanted = pack_fact(digester, space, &stored.fact);
    if (memcmp(&stored, &wanted, sizeof stored) != 0)
        return MDB_CORRUPTED;
    *ret_fact = stored.fact;
    return 0;
}

int hub_cache_fact_write(const struct hub_digester *digester, MDB_txn *txn, MDB_dbi facts,
                         const uint8_t *space, const struct hub_cache_fact *fact) {
    struct stored_fact stored = pack_fact(digester, space, fact);
    MDB_val key = {HUB_CACHE_SPACE_SIZE, (void *)space}, value = {sizeof stored, &stored};
    return mdb_put(txn, facts, &key, &value, 0);
}
