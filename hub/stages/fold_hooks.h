/* What the records that a fold is loaded from can be reached by (hub/stages/store.h).
 *
 * A log entry, a conflict and a match are reached by what they name. A unified record is reached by all
 * that the fold knows the entity and its statements by, and says so in a header: whoever loads or copies
 * it takes nothing apart.
 *
 *   hub_hooks: the hash of the rules that hooks were made by (16 characters), the number of near hashes
 *   (2 bytes, little-endian like all of it); so many pairs of a hook and a near hash, 16 bytes each; then
 *   hooks, 8 bytes each. Sorted, each once. */
#pragma once

#include "hub/stages/store.h"
#include "schemas/lib/catalogue.h"

#define HUB_FOLD_HOOKS_HEADER "hub_hooks"

/* The topics of a fold's state. */
enum hub_fold_topic {
    HUB_FOLD_LOG = 0,
    HUB_FOLD_UNIFIED,
    HUB_FOLD_CONFLICT,
    HUB_FOLD_MATCH,
    HUB_FOLD_TOPICS,
};

/* By topics: the header of a record that is part of the state, or NULL. */
extern const char *const hub_fold_headers[HUB_FOLD_TOPICS];

struct hub_hooks {
    struct hub_hook *items;
    size_t count, capacity;
};
void hub_hooks_free(struct hub_hooks *hooks);

/* The hooks of a record, the key's own first, in place of those that are there. None where the record is
 * no part of the state: late statements, decisions, null values. Of a unified record whose header was made
 * by other rules than these (or has none) only the key's own, and `ret_stale`. HUB_FATAL where the record is
 * damaged, as far as that is looked at. */
HUB_MUST_USE enum hub_status hub_fold_hooks_of(const struct hub_catalogue *catalogue,
                                               const char *rules, enum hub_fold_topic topic,
                                               const struct hub_input *record,
                                               struct hub_hooks *hooks, bool *ret_stale,
                                               struct hub_error *reterr);
/* The first of them, from the key alone. */
uint64_t hub_fold_own_hook(enum hub_fold_topic topic, struct hub_bytes key);
