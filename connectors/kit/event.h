/* The event that is made of a record of a subscribed topic, as JSON: members as Standard Webhooks
 * recommends them (type, timestamp, data), and where the record stands.
 *
 *   {"type": "atmp.trial.updated",          what the record's envelope says, or null
 *    "timestamp": "2026-03-01T12:00:00.000Z",  when the record was written
 *    "subscription": NAME, "number": 17, "topic": "unified.trial", "partition": 0, "offset": 123,
 *    "key": "...",
 *    "kind": "ACTIVE",
 *    "data": {...}}                         the record, as `hubctl consume` prints it
 *
 * `kind` is that of a unified record: ACTIVE, MERGED or MOVED (data.into says where to), WITHDRAWN;
 * null for a record that has none, such as a conflict's. Without data it is TOMBSTONE where the topic
 * holds nothing under the key any more, and COMPACTED where the record was numbered, and a later one of
 * its key has taken its place in the topic since; that one is an event, too. */
#pragma once

#include "hub/io/kafka.h"
#include "schemas/lib/catalogue.h"

struct hub_event_source {
    const char *subscription;
    int64_t number;
    const struct hub_kafka_record *record; /* of which headers only ce_type is looked at */
    bool is_compacted;                     /* only topic, partition and offset of it are known */
};

/* HUB_REJECT where the value cannot be read by the schema that it names, or is too large. */
HUB_MUST_USE enum hub_status hub_event_render(const struct hub_catalogue *catalogue,
                                                 const struct hub_event_source *source,
                                                 struct hub_buffer *buffer,
                                                 struct hub_error *reterr);
