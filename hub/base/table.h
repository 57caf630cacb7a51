/* Hash tables: uthash, with a hash that takes eight bytes at a time where its own takes them one by
 * one. Tables are walked in the order of insertion, whatever the hash. */
#pragma once

#include "hub/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline unsigned hub_table_hash(const void *key, size_t size) {
    static const uint64_t multiplier = 0x9e3779b97f4a7c15;
    const unsigned char *bytes = key;
    uint64_t hash = size * multiplier, part = 0;
    for (; size >= sizeof part; bytes += sizeof part, size -= sizeof part) {
        memcpy(&part, bytes, sizeof part);
        hash = (hash ^ part) * multiplier;
        hash ^= hash >> 32;
    }
    part = 0;
    if (size > 0)
        memcpy(&part, bytes, size);
    hash = (hash ^ part) * multiplier;
    hash = (hash ^ hash >> 32) * multiplier; /* the last bytes reach every bit */
    return (unsigned)(hash >> 32);
}

#define HASH_FUNCTION(key, size, hash) ((hash) = hub_table_hash((key), (size)))
#define uthash_malloc(size) hub_allocate(size)
#define uthash_fatal(message) hub_memory_end()
#include <uthash.h>

/* A chain is looked through by as many misses of the processor's caches as it is long, and a table of
 * a million entries has nothing in them: tables double while chains are short. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 4U
