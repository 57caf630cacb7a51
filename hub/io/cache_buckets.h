/* Shelves in memory and in the file; shared by the files of the cache.
 *
 * The hooks of a shelf lie in 2^level buckets, by their first bits. A bucket is a sorted list of hooks with
 * the record that each leads to, and the shelf's sum for it is its check: 0 where it is empty. The records
 * of its spaces have sums, too: of all whose digests begin with the same bits, the checks by exclusive
 * or. The shelf's fact has what the sums themselves add up to. */
#pragma once

#include "hub/io/cache_hooks.h"
#include "hub/io/cache_internal.h"
#include "hub/io/cache_sums.h"

/* How full buckets and sums are on average before there are twice as many. A look-up reads all of a bucket,
 * and the checks of all records of a sum. */
enum { HUB_CACHE_BUCKET_ENTRIES = 32, HUB_CACHE_SUM_RECORDS = 4 };

/* A record: the first 7 bytes of its key's digest, and its topic. */
enum { HUB_CACHE_PREFIX_SIZE = 7 };

struct hub_cache_summed {
    char *name;
    uint8_t id[HUB_CACHE_SPACE_SIZE];
    struct hub_cache_sums sums; /* of its records, by the first bits of their keys' digests */
};

struct hub_cache_shelf {
    struct hub_cache_shelf *next;
    char *name, *near_space;
    uint8_t id[HUB_CACHE_SPACE_SIZE];
    struct hub_digest tag; /* and of its spaces' names */
    struct hub_cache_summed spaces[HUB_CACHE_SHELF_SPACES_MAX];
    size_t space_count;
    struct hub_cache_sums buckets;
    uint64_t entry_count, near_count;
    bool is_read; /* false where memory may not be as the file is */
    bool is_retired;
};

/* As a bucket has it. */
struct hub_cache_entry {
    uint64_t hook, record;
};

/* --- shelves: cache_shelf.c --- */

/* Reads what is not as the file is. LMDB's codes, as below. */
int hub_cache_read_shelf(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_shelf *shelf);
int hub_cache_read_shelves(struct hub_cache *cache, MDB_txn *txn);
/* Writes the sums that changed, and the facts of those shelves. */
int hub_cache_write_shelves(struct hub_cache *cache, MDB_txn *txn);
/* What was changed in memory did not come into the file. */
void hub_cache_undo_shelves(struct hub_cache *cache);
void hub_cache_close_shelves(struct hub_cache *cache);

/* The shelf that a space belongs to, and as what; NULL for none. */
struct hub_cache_shelf *hub_cache_shelf_of(const struct hub_cache *cache, const uint8_t *space,
                                           size_t *ret_topic);
/* The first bits of the digest of a key, by which its sum is found. */
uint64_t hub_cache_slot_bits(const uint8_t *slot);
/* Doubles the sums of a space as often as it has grown. */
int hub_cache_grow_sums(struct hub_cache *cache, MDB_txn *txn, struct hub_cache_summed *summed,
                        const struct hub_cache_fact *fact);

/* --- buckets: cache_buckets.c --- */

/* One as it was written; of size 0 where it is empty. */
int hub_cache_read_bucket(const struct hub_cache *cache, MDB_txn *txn,
                          const struct hub_cache_shelf *shelf, const struct hub_cache_sums *sums,
                          size_t index, MDB_val *ret_bucket);

/* The hooks of what was placed. */
int hub_cache_write_hooks(struct hub_cache *cache, MDB_txn *txn,
                          const struct hub_cache_placed *placed, size_t placed_count);

/* Writes a record by a cursor of the records: cache_checkpoint.c. It has no hooks left where the file has
 * it with the same. */
int hub_cache_write_record(MDB_cursor *cursor, struct hub_cache_placed *placed,
                           struct hub_cache_fact *fact, struct hub_cache_sums *sums);

/* --- looking up: cache_look.c --- */

void hub_cache_close_look(struct hub_cache *cache);
/* Before somebody writes: what is looked up after is as it was written, and no page is held back. */
void hub_cache_rest_look(struct hub_cache *cache);
