/* What the cache knows of a space beside its records; shared by the files of the cache. */
#pragma once

#include "hub/io/cache.h"

#include <lmdb.h>

enum { HUB_CACHE_SPACE_SIZE = 8, HUB_CACHE_CHECK_SIZE = 8 };

/* What is known of a space, and what its records must add up to: one that went missing with a
 * damaged page leaves no other trace. */
struct hub_cache_fact {
    int64_t next;           /* -1: nothing is known */
    uint64_t count, checks; /* records, and all their checks by exclusive or */
};

/* The check that a stored record begins with, of all that follows it. It is there to find what a disk, or
 * memory, spoilt; who could write to the folder could make any check, SHA-256, too. */
uint64_t hub_cache_check(struct hub_bytes record);
/* What a stored record adds to all checks: the check that it begins with, and the slot where it
 * stands. */
uint64_t hub_cache_check_of(MDB_val slot, MDB_val stored);
/* A stored record comes or goes. */
void hub_cache_fact_add(struct hub_cache_fact *fact, MDB_val slot, MDB_val stored);
void hub_cache_fact_take(struct hub_cache_fact *fact, MDB_val slot, MDB_val stored);

/* LMDB's codes. Nothing is known where there is none; MDB_CORRUPTED where it is not as it was
 * written. */
int hub_cache_fact_read(const struct hub_digester *digester, MDB_txn *txn, MDB_dbi facts,
                        const uint8_t *space, struct hub_cache_fact *ret_fact);
int hub_cache_fact_write(const struct hub_digester *digester, MDB_txn *txn, MDB_dbi facts,
                         const uint8_t *space, const struct hub_cache_fact *fact);
