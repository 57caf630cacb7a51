/* Records that wait in memory for the next checkpoint of the cache.
 *
 * They are put one behind the other, and nothing is looked up. Which is the newest of its key is found out
 * when they are placed, and whenever as much was added as may be of what was replaced. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/hook.h"
#include "hub/base/memory.h"
#include "hub/io/cache_fact.h"

#include <string.h>

/* Of a key's digest: no two keys have the same, for all that may ever be. Shorter keys make the tree that leads
 * to the records smaller, and more of it stays near the processor. */
enum { HUB_CACHE_DIGEST_SIZE = 16, HUB_CACHE_SLOT_SIZE = HUB_CACHE_SPACE_SIZE + HUB_CACHE_DIGEST_SIZE };

/* Where a record stands: the 8 bytes of its space, then the first of its key's digest. */
struct hub_cache_slot {
    uint8_t bytes[HUB_CACHE_SLOT_SIZE];
};
struct hub_cache_slot hub_cache_slot_of(const struct hub_digester *digester, const uint8_t *space,
                                        struct hub_bytes key);

/* A stored record is this, its key, its value. */
struct hub_cache_stored {
    uint64_t check; /* of all that follows */
    uint64_t hooks; /* a hash of those that it was noted with; 0 of none */
    uint32_t key_size;
} __attribute__((packed));

static inline uint64_t hub_cache_hooks_of(MDB_val stored) {
    struct hub_cache_stored head = {0};
    memcpy(&head, stored.mv_data, stored.mv_size < sizeof head ? stored.mv_size : sizeof head);
    return head.hooks;
}

struct hub_cache_record;

/* Zero is empty. */
struct hub_cache_noted {
    /* What is stored, and what was replaced: twice the bytes when it was last tidy, and twice
     * HUB_CACHE_REPLACED_BYTES_MAX at most. */
    struct hub_arena arena;
    struct hub_cache_record *records; /* in the order in which they came */
    size_t count, capacity;
    size_t bytes;      /* of the records; at most HUB_CACHE_REPLACED_BYTES_MAX are of replaced ones */
    size_t tidy_bytes; /* what they were when each key had one record */
};

void hub_cache_noted_add(struct hub_cache_noted *noted, const uint8_t *space, struct hub_bytes key,
                         const struct hub_bytes *parts, size_t part_count,
                         const struct hub_hook *hooks, size_t hook_count);
/* Keeps some of its memory for what is noted next. */
void hub_cache_noted_clear(struct hub_cache_noted *noted);
void hub_cache_noted_free(struct hub_cache_noted *noted);

/* One record as it goes into the file. */
struct hub_cache_placed {
    struct hub_cache_slot slot;
    struct hub_bytes stored; /* this and the hooks live until the next change */
    const struct hub_hook *hooks;
    size_t hook_count;
};

/* The newest record of each key, sorted by slot; there are `noted->count` of them then. The caller frees
 * the list. */
struct hub_cache_placed *hub_cache_noted_place(struct hub_cache_noted *noted,
                                               const struct hub_digester *digester);
