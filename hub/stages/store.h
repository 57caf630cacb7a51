/* What a stage knows and has not looked at yet: records of the topics of its state, found by hooks.
 *
 * A hook is a hash of something that a record can be reached by: its key, an identifier that it gives,
 * the entity that it is about. Which hooks a record has is said when it is put away. Asked for a hook, a
 * store gives every record that has it; it may give others too, and an older record of a key that has a
 * newer one: whoever asks must look at the key's own hook before it believes one. What it must never do
 * is leave one out. */
#pragma once

#include "hub/base/status.h"
#include "hub/stages/entry.h"

enum { HUB_STORE_TOPICS_MAX = 4 };

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

/* Given a record of the topic (by the stage's own numbers). It is valid during the call, in which the
 * store must not be asked. */
typedef enum hub_status (*hub_store_take)(void *context, unsigned topic,
                                          const struct hub_input *record, struct hub_error *reterr);

/* A store outside the stage, such as the cache of the process that it runs in. */
struct hub_store {
    void *context;
    enum hub_status (*find)(void *context, uint64_t hook, hub_store_take take, void *take_context,
                            struct hub_error *reterr);
    /* Every record of a topic. */
    enum hub_status (*each)(void *context, unsigned topic, hub_store_take take, void *take_context,
                            struct hub_error *reterr);
};
