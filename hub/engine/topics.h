/* The topics there are, by the catalogue: names, partition counts, settings. */
#pragma once

#include "hub/io/kafka.h"
#include "schemas/lib/catalogue.h"
#include "schemas/lib/manifest.h"

enum { HUB_INGEST_PARTITIONS = 2, HUB_SHARDS = 4 };

#define HUB_IDENTIFIER_TOPIC "unified.identifier" /* HUB_SHARDS partitions, as all shards use */
#define HUB_DECISION_TOPIC "decision" /* one partition */

/* Partitions of log, unified, conflict and match of a domain. */
int32_t hub_topics_shard_count(const struct hub_domain *domain);

/* Looks at them: HUB_FATAL where one exists with another partition count than is listed. One that
 * does not exist is left to whoever reads it. */
HUB_MUST_USE enum hub_status hub_topics_check(const struct hub_catalogue *catalogue,
                                              struct hub_reader *reader,
                                              struct hub_error *reterr);

/* Until what was open in them has ended, in all partitions of the topics whose names begin with one of
 * these (NULL-ended). HUB_RETRY where that takes longer than HUB_KAFKA_TIMEOUT_MS. */
HUB_MUST_USE enum hub_status hub_topics_settle(const struct hub_catalogue *catalogue,
                                               struct hub_reader *reader,
                                               const char *const *prefixes,
                                               struct hub_error *reterr);

/* All topics, in the arena. */
void hub_topics_list(const struct hub_catalogue *catalogue, struct hub_arena *arena,
                     struct hub_topic_config **ret_topics, size_t *ret_count);
