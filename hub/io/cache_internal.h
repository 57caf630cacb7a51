/* What the files of the cache share. */
#pragma once

#include "hub/io/cache.h"
#include "hub/io/cache_fact.h"
#include "hub/io/cache_mark.h"
#include "hub/io/cache_noted.h"
#include "hub/io/cache_pages.h"

#include <string.h>

struct hub_cache {
    MDB_env *env;
    MDB_dbi records, facts, hooks, sums;
    const struct hub_digester *digester;
    char *folder;
    struct hub_cache_noted noted;
    struct hub_cache_shelf *shelves; /* those that are open */
    struct hub_cache_shelf *retired; /* opened under another tag since; somebody may still know them */
    MDB_txn *look;                   /* for looking up; at rest while somebody writes */
    MDB_cursor *look_cursor;
    bool is_looking; /* it is not at rest */
    struct hub_cache_busy busy;
    struct hub_cache_pages pages;
    bool is_wide; /* a checkpoint changed more pages than LMDB lists */
    bool given_up;
};

/* LMDB's codes that mean a full disk or map. */
bool hub_cache_is_full(int code);
/* LMDB takes a write that the disk had room for half of for an error of the disk: what it was. */
int hub_cache_what_it_was(const struct hub_cache *cache, int code);
enum hub_status hub_cache_failed(int code, const char *what, struct hub_error *reterr);

/* From here on nothing is known and nothing is kept. What is in the file may be taken by whoever opens
 * it next, unless it is thrown away. */
void hub_cache_give_up(struct hub_cache *cache);
void hub_cache_throw_away(struct hub_cache *cache);

/* Where the space begins: its 8 bytes, then zeros. */
struct hub_cache_slot hub_cache_first_slot(const struct hub_cache *cache, const char *space);
/* False where a stored record (cache_noted.h) is not as it was written. */
bool hub_cache_open_stored(MDB_val stored, struct hub_bytes *ret_key, struct hub_bytes *ret_value);

/* Whether a record that is walked to stands behind the one before it. Where a page lies about the order, a
 * new version of a record may come to stand beside the old one, and the sums agree with both. */
static inline bool hub_cache_in_order(const uint8_t **before, MDB_val slot) {
    bool in_order = *before == NULL || memcmp(*before, slot.mv_data, HUB_CACHE_SLOT_SIZE) < 0;
    *before = slot.mv_data;
    return in_order;
}

static inline int hub_cache_read_fact(const struct hub_cache *cache, MDB_txn *txn,
                                      const uint8_t *space, struct hub_cache_fact *ret_fact) {
    return hub_cache_fact_read(cache->digester, txn, cache->facts, space, ret_fact);
}

static inline int hub_cache_write_fact(const struct hub_cache *cache, MDB_txn *txn,
                                       const uint8_t *space, const struct hub_cache_fact *fact) {
    return hub_cache_fact_write(cache->digester, txn, cache->facts, space, fact);
}

/* Empties a space: its records and its fact. */
int hub_cache_delete_space(struct hub_cache *cache, MDB_txn *txn, const uint8_t *space);
