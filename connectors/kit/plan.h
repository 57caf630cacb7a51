/* How far a subscription is, and which events have which numbers.
 *
 * Numbers are given before anything is delivered: so many records of one partition are planned, the
 * plan is committed in Kafka as the subscription's position, and only then are they delivered. Whoever
 * is killed in between reads the plan, finds the same records at the same offsets, and delivers them
 * again under the same numbers: all of the plan that is not known to be delivered, which is the most
 * that comes twice. What was delivered is committed with the next plan, when nothing more is there, and
 * when a delivery fails.
 *
 * The text is JSON, and may be set by `connector position`:
 *
 *   {"next": 17,                            the number of the first event that is not known to be
 *                                           delivered: of the first planned offset, where there is one
 *    "planned": {"topic": "unified.trial", "partition": 0, "offsets": [120, 121, 124]},   or null
 *    "read": {"unified.trial": [125, 3]},   where to go on, by partition; -1: at the beginning
 *    "since_ms": 0,                         when the first of them was tried first in vain, or 0
 *    "ended": null}                         why nothing is delivered any more */
#pragma once

#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "hub/io/kafka.h"

enum { HUB_PLAN_MAX = 1000, HUB_PLAN_PLACES_MAX = 4096 };

struct hub_plan {
    struct hub_arena arena; /* its texts and places */
    int64_t next;           /* from 1 */
    const char *topic;      /* of what is planned; NULL where nothing is */
    int32_t partition;
    int64_t offsets[HUB_PLAN_MAX]; /* rising */
    size_t count;
    struct hub_kafka_partition *places;
    size_t place_count, place_capacity;
    int64_t since_ms;
    const char *ended;
};

/* Of a position's text; NULL: nothing was planned ever. HUB_FATAL with what would pass. */
HUB_MUST_USE enum hub_status hub_plan_read(const char *text, struct hub_plan *plan,
                                           struct hub_error *reterr);
void hub_plan_write(const struct hub_plan *plan, struct hub_buffer *buffer);
void hub_plan_free(struct hub_plan *plan);

/* The place of a partition, or NULL where it is not known. */
struct hub_kafka_partition *hub_plan_find(const struct hub_plan *plan, const char *topic,
                                          int32_t partition);
/* Makes one; there must be none. HUB_FATAL where there are too many. */
HUB_MUST_USE enum hub_status hub_plan_add(struct hub_plan *plan, const char *topic,
                                          int32_t partition, int64_t offset,
                                          struct hub_error *reterr);
/* Gives the next number to a record of that place, which all that is planned is of. */
void hub_plan_take(struct hub_plan *plan, const struct hub_kafka_partition *place, int64_t offset);
/* The first so many of what is planned are delivered, or given up. */
void hub_plan_done(struct hub_plan *plan, size_t count);
