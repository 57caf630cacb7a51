/* What a part of the cache must add up to: 2^level sums in memory, and a copy in the file in blocks.
 *
 * A page of the file may be lost, or be an older one: what is read from it is then well formed and
 * wrong. Only what was kept elsewhere can tell. The sums of all records or buckets are small, so that
 * they are read whole at start, when the fact that they belong to proves them. */
#pragma once

#include "hub/io/cache_fact.h"

enum { HUB_CACHE_SUMS_LEVEL_MAX = 24 };

struct hub_cache_sums {
    unsigned level;
    uint64_t *values;
    uint64_t check;   /* all checks of blocks by exclusive or: what the fact keeps with the level */
    uint64_t *checks; /* of each block as it is in the file; 0 where it is not */
    bool *changed;    /* blocks that the file has otherwise */
};

/* A hash that is never 0: of bytes that stand at a place. It finds damage, not an enemy: what is wrong in
 * one of its words of eight bytes for certain, anything else but for a chance of 2^-64. */
uint64_t hub_cache_hash(uint64_t place, const void *data, size_t size);
/* The same of what may be long, by four lanes side by side. */
uint64_t hub_cache_long_hash(uint64_t place, const void *data, size_t size);

/* All 0, and none of it in the file. */
void hub_cache_sums_begin(struct hub_cache_sums *sums, unsigned level);
void hub_cache_sums_free(struct hub_cache_sums *sums);

/* Adds to one sum by exclusive or. */
void hub_cache_sums_add(struct hub_cache_sums *sums, size_t index, uint64_t value);
/* Which sum counts for what begins with these bits. */
static inline size_t hub_cache_sums_index(const struct hub_cache_sums *sums, uint64_t bits) {
    return sums->level == 0 ? 0 : (size_t)(bits >> (64 - sums->level));
}
/* All sums by exclusive or. */
uint64_t hub_cache_sums_total(const struct hub_cache_sums *sums);

/* LMDB's codes; MDB_CORRUPTED where they are not as they were written. `id` is the 8 bytes of a space
 * or a shelf. */
int hub_cache_sums_read(MDB_txn *txn, MDB_dbi dbi, const uint8_t *id, uint64_t level,
                        uint64_t check, struct hub_cache_sums *sums);
/* Writes the blocks that changed. */
int hub_cache_sums_write(MDB_txn *txn, MDB_dbi dbi, const uint8_t *id, struct hub_cache_sums *sums);
/* Everything whose key begins with the id. */
int hub_cache_delete_all(MDB_txn *txn, MDB_dbi dbi, const uint8_t *id);
