/* How far a connector has read its source: records of the topic `position`, by the connector's name. */
#pragma once

#include "connectors/kit/config.h"
#include "connectors/kit/pipeline.h"
#include "hub/io/kafka.h"

struct hub_position {
    char *text; /* the transport's own, JSON; owned; NULL: it has never read */
    int64_t sequence;
    struct hub_connector_counts counts; /* since it first ran */
};

/* Why it was set by hand. */
struct hub_position_reason {
    const char *who, *text;
};

/* All that is committed in a partition, whoever else has a transaction open below its end. HUB_RETRY where
 * that stays open. */
HUB_MUST_USE enum hub_status hub_read_settled(struct hub_reader *reader, const char *topic,
                                              int32_t partition,
                                              enum hub_status (*take)(
                                                  void *context,
                                                  const struct hub_kafka_record *record,
                                                  struct hub_error *reterr),
                                              void *context, struct hub_error *reterr);

/* The last one that was committed. `position` is empty, or was filled by this. */
HUB_MUST_USE enum hub_status hub_position_read(struct hub_reader *reader,
                                               const struct hub_connector *connector,
                                               struct hub_position *position,
                                               struct hub_error *reterr);
/* In the producer's open transaction; with a reason or NULL. */
HUB_MUST_USE enum hub_status hub_position_write(struct hub_producer *producer,
                                                const struct hub_connector *connector,
                                                const char *text, int64_t sequence,
                                                const struct hub_connector_counts *counts,
                                                const struct hub_position_reason *reason,
                                                struct hub_error *reterr);
void hub_position_free(struct hub_position *position);

/* The name that Kafka knows the connector's transactions by; in the arena. */
const char *hub_connector_transactional_id(const struct hub_connector *connector,
                                           struct hub_arena *arena);
