/* What can be seen from outside: reads what one shard publishes, entry by entry, and says which of
 * the promises to its readers is broken.
 *
 * It knows entities, statements, conflicts and matches from the published records alone. */
#pragma once

#include "tests/sim/hubs.h"

/* How far an added record reaches: other statements that get another id, and the entities that lose
 * or get one of them. */
struct churn {
    size_t records;
    size_t ids, ids_max;
    size_t clusters, clusters_max;
};

struct watch;

struct watch *watch_new(struct hubs *hubs, struct churn *churn);
void watch_free(struct watch *watch);

/* What one entry made the shard publish; violations go to the hubs. */
void watch_entry(struct watch *watch, const struct record *entry,
                 const struct record *const *outputs, size_t count);

/* What stands now, to be compared with what the fold says of itself. */
struct hub_fold_gauges watch_gauges(const struct watch *watch);
