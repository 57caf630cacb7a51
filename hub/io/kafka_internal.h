/* Shared by the files of hub/io that speak to librdkafka. */
#pragma once

#include "hub/io/kafka.h"

#include <librdkafka/rdkafka.h>

/* Sets name, value pairs (NULL-ended); those that this version does not know are passed over. */
enum hub_status hub_kafka_configure(rd_kafka_conf_t *conf, const char *const *settings,
                                    struct hub_error *reterr);
rd_kafka_conf_t *hub_kafka_conf(const char *bootstrap);
/* After rd_kafka_new gave nothing but a text: HUB_RETRY where the machine had no thread for it, or not in
 * time. */
enum hub_status hub_kafka_refused(const char *text, struct hub_error *reterr);

/* Waits until a broker is there. librdkafka's own calls that need one look only twice a second for
 * a coordinator, and once a second for the cluster's id. */
enum hub_status hub_kafka_meet(rd_kafka_t *handle, struct hub_error *reterr);

/* Adds a message to a batch; the batch owns it then. */
void hub_kafka_batch_add(struct hub_kafka_batch *batch, rd_kafka_message_t *message);

/* A message without its headers, and those; valid as long as the message. */
struct hub_kafka_record hub_kafka_record_of(const rd_kafka_message_t *message);
void hub_kafka_read_headers(const rd_kafka_message_t *message, struct hub_arena *arena,
                            struct hub_kafka_record *record);

/* A client that reads whole partitions, as hub_reader does; isolation: read_committed or
 * read_uncommitted. */
enum hub_status hub_reader_open_handle(const char *bootstrap, const char *isolation,
                                       rd_kafka_t **ret_handle, struct hub_error *reterr);
void hub_reader_close_handle(rd_kafka_t *handle); /* NULL is fine */

rd_kafka_t *hub_consumer_handle(struct hub_consumer *consumer);
/* Who the consumer was in its group when its partitions came, or NULL while it holds none. Offsets
 * are committed under it, so that the broker refuses them once the partitions went elsewhere. */
const rd_kafka_consumer_group_metadata_t *hub_consumer_group(const struct hub_consumer *consumer);
