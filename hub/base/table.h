/* Hash tables: uthash, with a hash that takes eight bytes at a time where its own takes them one by
 * one. Tables are walked in the order of insertion, whatever the hash. */
#pragma once

#include "hub/base/hook.h"
#include "hub/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION(key, size, hash)                                                             \
    ((hash) = (unsigned)hub_hook_hash(0, hub_bytes((key), (size))))
#define uthash_malloc(size) hub_allocate(size)
#define uthash_fatal(message) hub_memory_end()
#include <uthash.h>

/* A chain is looked through by as many misses of the processor's caches as it is long, and a table of
 * a million entries has nothing in them: tables double while chains are short. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 4U
