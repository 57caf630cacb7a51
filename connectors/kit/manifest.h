/* The manifest of a running connector: what it has read of its source and told, published at
 * intervals in the topic manifest.<institution> (schemas/lib/manifest.h).
 *
 * What it knows is loaded from what it published there before, not from its ingest topic: so
 * that what is lost there is missed. Only what it told since then is read from it. A manifest
 * that was made with another version of the domain's schema is begun again. */
#pragma once

#include "connectors/kit/inventory.h"
#include "connectors/kit/position.h"

struct hub_manifesting;

/* Without the topic `ret_manifesting` becomes NULL, and the log says so. */
HUB_MUST_USE enum hub_status hub_manifesting_open(const struct hub_connector *connector,
                                                  struct hub_reader *reader, int64_t now_ms,
                                                  struct hub_manifesting **ret_manifesting,
                                                  struct hub_error *reterr);
void hub_manifesting_free(struct hub_manifesting *manifesting); /* NULL is fine */

/* A record of the connector's ingest topic: all of them are given, with the header ce_id, before
 * anything else is asked. */
HUB_MUST_USE enum hub_status hub_manifesting_load(struct hub_manifesting *manifesting,
                                                  const struct hub_kafka_record *record,
                                                  struct hub_error *reterr);
/* A batch that has come; its documents' lists, by index, once they are committed, and before
 * `known` takes them: what they have seen is there; and when all of it is committed. Without a
 * manifest (NULL) nothing happens. */
void hub_manifesting_begin_batch(struct hub_manifesting *manifesting,
                                 const struct hub_batch *batch);
void hub_manifesting_take(struct hub_manifesting *manifesting, const struct hub_batch *batch,
                          size_t index, const struct hub_outgoing_list *list, int64_t now_ms);
void hub_manifesting_end_batch(struct hub_manifesting *manifesting, const struct hub_batch *batch,
                               int64_t now_ms);

/* Whether it is time: ten minutes after the last or the opening, or one where nothing comes just
 * now, if there is anything to say. By the monotonic clock, as when it is opened and written. */
bool hub_manifesting_is_due(const struct hub_manifesting *manifesting, bool is_idle,
                            int64_t now_ms);
bool hub_manifesting_has_news(const struct hub_manifesting *manifesting);

/* In the producer's open transaction: the whole, and the parts that have changed. */
HUB_MUST_USE enum hub_status hub_manifesting_write(struct hub_manifesting *manifesting,
                                                   struct hub_producer *producer,
                                                   const char *position, int64_t sequence,
                                                   struct hub_error *reterr);
/* That is committed. */
void hub_manifesting_written(struct hub_manifesting *manifesting, int64_t now_ms);
