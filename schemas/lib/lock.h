/* registry.lock.json: which id stands for which schema text. Append-only; ids from 100001.
 *
 * Every registered text is kept in a file of its own, so that no later edit can touch what records
 * already in Kafka were written with. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/node.h"

struct hub_lock_entry {
    int32_t id;
    const char *subject;
    int32_t version;
    const char *file; /* within schemas/ */
    const char *sha256;
};

struct hub_lock {
    struct hub_lock_entry *entries; /* ascending ids */
    size_t count;
};

/* HUB_FATAL with file, line and column: ids not ascending, versions not 1, 2, 3 ... of a subject. */
HUB_MUST_USE enum hub_status hub_lock_load(const struct hub_node *node, struct hub_arena *arena,
                                           struct hub_lock *ret_lock, struct hub_error *reterr);

/* The newest entry of a subject, or NULL. */
const struct hub_lock_entry *hub_lock_latest(const struct hub_lock *lock, const char *subject);

/* Appends the file's text, with one more entry where `added` is not NULL. */
void hub_lock_render(const struct hub_lock *lock, const struct hub_lock_entry *added,
                     struct hub_buffer *ret_text);
