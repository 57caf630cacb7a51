/* Kafka within the test: librdkafka's mock cluster, three brokers that answer as they are told.
 *
 * It knows groups and transactions, but not what is committed: readers see everything at once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

struct cluster {
    rd_kafka_t *handle;
    struct rd_kafka_mock_cluster_s *mock;
    const char *bootstrap;
};

/* The requests that take part in transactions (Kafka protocol, "Api Keys"). */
enum {
    CLUSTER_PRODUCE = 0,
    CLUSTER_FETCH = 1,
    CLUSTER_LIST_OFFSETS = 2,
    CLUSTER_METADATA = 3,
    CLUSTER_OFFSET_FETCH = 9,
    CLUSTER_FIND_COORDINATOR = 10,
    CLUSTER_HEARTBEAT = 12,
    CLUSTER_CREATE_TOPICS = 19,
    CLUSTER_INIT_PRODUCER_ID = 22,
    CLUSTER_ADD_PARTITIONS = 24,
    CLUSTER_ADD_OFFSETS = 25,
    CLUSTER_END_TXN = 26,
    CLUSTER_TXN_OFFSETS = 28,
};

void cluster_start(struct cluster *cluster);
void cluster_stop(struct cluster *cluster);

void cluster_topic(struct cluster *cluster, const char *name, int partitions);
/* Writes records without a transaction: the mock cluster leaves a gap where a commit's marker would
 * be, which no reader comes over. */
void cluster_write(struct cluster *cluster, const char *topic, int32_t partition, const char *key,
                   const char *value, int count);
void cluster_write_bytes(struct cluster *cluster, const char *topic, int32_t partition,
                         const char *key, const void *value, size_t size);
/* A record with headers: name, value, name, value, NULL. */
void cluster_write_headers(struct cluster *cluster, const char *topic, int32_t partition,
                           const char *const *headers);
/* The next `count` requests of this kind are answered with the error; RD_KAFKA_RESP_ERR__TRANSPORT
 * cuts the connection instead, which leaves open what became of the request. */
void cluster_fail(struct cluster *cluster, int16_t api_key, size_t count,
                  rd_kafka_resp_err_t error);
