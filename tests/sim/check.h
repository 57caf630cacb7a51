/* The promises of a whole run. Violations go to the hubs. */
#pragma once

#include "tests/sim/watch.h"

/* Each stage's outputs, byte for byte, against one that was never stopped, given the same records;
 * what the fold's show, to the watch. */
void check_reference(struct hubs *hubs, struct churn *churn);

/* Every record that came in is accounted for, once. */
void check_accounts(struct hubs *hubs);

/* An id stands in one shard only; the others that know it say that it moved. Compacts all. */
void check_ids(struct hubs *hubs);

/* unified.identifier lists what the statements in force claim by the domain's rules, whichever of its
 * partitions is read last. Compacts all. */
void check_listings(struct hubs *hubs, const struct hub_domain *domain);

/* Clusters, values, sources and open conflicts as text, ids and steps aside: these depend on what
 * was heard first. The caller releases it. Everything is compacted for it. */
char *check_outcome(struct hubs *hubs);
