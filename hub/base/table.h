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

/* A table doubles once one of its chains has this length, which chance decides: with 8 a million entries
 * have about as many places, 16 MB, with 4 there are 33 for each, 512 MB, and what they spare is half a step
 * in a chain. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 8U
