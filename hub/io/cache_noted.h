/* Records that wait in memory for the next checkpoint of the cache.
 *
 * Digests, by which the file orders and checks its records, are made only when they are asked for:
 * until then a record may be replaced often. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/hook.h"
#include "hub/base/memory.h"
#include "hub/io/cache_fact.h"

enum { HUB_CACHE_SLOT_SIZE = HUB_CACHE_SPACE_SIZE + HUB_DIGEST_SIZE };

/* Where a record stands: 8 bytes of its space's digest, 32 of its key's. */
struct hub_cache_slot {
    uint8_t bytes[HUB_CACHE_SLOT_SIZE];
};
struct hub_cache_slot hub_cache_slot_of(const struct hub_digester *digester, const char *space,
                                        struct hub_bytes key);

struct hub_cache_space;
struct hub_cache_record;
struct hub_cache_entry;

/* Zero is empty. */
struct hub_cache_noted {
    struct hub_cache_space *spaces;
    struct hub_arena arena; /* what is stored; of what was replaced, too */
    struct hub_cache_record *records;
    size_t count, capacity;
    struct hub_cache_entry *entries; /* a table of the records, by key */
    size_t entry_count;
    size_t bytes; /* of the records, without what was replaced */
};

void hub_cache_noted_add(struct hub_cache_noted *noted, const char *space, struct hub_bytes key,
                         const struct hub_bytes *parts, size_t part_count,
                         const struct hub_hook *hooks, size_t hook_count);
/* Keeps some of its memory for what is noted next. */
void hub_cache_noted_clear(struct hub_cache_noted *noted);
void hub_cache_noted_free(struct hub_cache_noted *noted);

/* One record as it goes into the file: check, key size, key, value. */
struct hub_cache_placed {
    struct hub_cache_slot slot;
    struct hub_bytes stored; /* this and the hooks live until the next change */
    const struct hub_hook *hooks;
    size_t hook_count;
};

/* All records, sorted by slot. The caller frees the list. */
struct hub_cache_placed *hub_cache_noted_place(struct hub_cache_noted *noted,
                                               const struct hub_digester *digester);
