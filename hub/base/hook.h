/* Hooks: hashes of what a record can be reached by. */
#pragma once

#include "hub/base/bytes.h"

struct hub_hook {
    uint64_t hash;
    /* Of a number whose slips of the hand are looked for: hub_near_hash of it. */
    bool is_near;
    uint64_t near_hash;
};

/* `trait` tells apart what texts of different meaning lead to. */
static inline uint64_t hub_hook_hash(uint8_t trait, struct hub_bytes text) {
    static const uint64_t multiplier = 0x9e3779b97f4a7c15;
    uint64_t hash = (text.size << 8 | trait) * multiplier, part = 0;
    const uint8_t *data = text.data;
    size_t size = text.size;
    for (; size >= sizeof part; data += sizeof part, size -= sizeof part) {
        memcpy(&part, data, sizeof part);
        hash = (hash ^ part) * multiplier;
        hash ^= hash >> 32;
    }
    part = 0;
    if (size > 0)
        memcpy(&part, data, size);
    hash = (hash ^ part) * multiplier;
    hash = (hash ^ hash >> 29) * multiplier;
    return hash ^ hash >> 32;
}
