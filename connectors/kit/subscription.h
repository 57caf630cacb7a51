/* A configuration of the other direction: what happens in Kafka is told to an institution's system.
 *
 *   connector: NAME               of the subscription, too
 *   institution: NAME             whose dead letters hold what could not be delivered
 *   subscribe: {topics: [unified.trial, ...], since: beginning | now}
 *   target: {transport: webhook-out | file-out, the options of it}
 *
 * A configuration has either `source` or `subscribe`. `target` is where things go in both: of what is
 * read from a source into a domain, of what is subscribed to a transport. There is no mapping and no
 * format: a receiver gets the unified record itself, whose schema is its contract, and one envelope
 * (connectors/kit/event.h).
 *
 * One process runs a subscription, for its events have one row of numbers. So there is no consumer
 * group, whose members take turns and must be waited for: partitions are read from the offsets in its
 * position, and a second process of one name is fenced off by Kafka, as for every connector. */
#pragma once

#include "connectors/kit/outbound.h"
#include "schemas/lib/catalogue.h"

extern const char *const hub_subscription_keys[]; /* those above, NULL-ended */
extern const struct hub_option hub_subscribe_options[];

struct hub_subscription {
    const char *const *topics; /* NULL-ended, at least one */
    const char *since;         /* of partitions that were never read */
    const struct hub_node *target; /* as written */
    const struct hub_outbound *outbound;
    void *outbound_options;
};

/* Reads `subscribe` and `target` of a configuration's root; in the arena. HUB_FATAL with file, line and
 * column. */
HUB_MUST_USE enum hub_status hub_subscription_load(const struct hub_node *root,
                                                   const struct hub_catalogue *catalogue,
                                                   struct hub_arena *arena,
                                                   struct hub_subscription **ret_subscription,
                                                   struct hub_error *reterr);
bool hub_subscription_begins_now(const struct hub_subscription *subscription);
