#include "tests/lib/cluster.h"

#include <librdkafka/rdkafka_mock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKERS = 3, WRITE_TIMEOUT_MS = 30000 };

static void stop(const char *what, const char *detail) {
    fprintf(stderr, "mock cluster: %s: %s\n", what, detail);
    abort();
}

void cluster_start(struct cluster *cluster) {
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", text, sizeof text); /* else it warns of no servers */
    *cluster = (struct cluster){.handle =
                                    rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text)};
    if (cluster->handle == NULL)
        stop("no handle", text);
    cluster->mock = rd_kafka_mock_cluster_new(cluster->handle, BROKERS);
    if (cluster->mock == NULL)
        stop("no cluster", "");
    cluster->bootstrap = rd_kafka_mock_cluster_bootstraps(cluster->mock);
#if RD_KAFKA_VERSION >= 0x020300ff
    rd_kafka_mock_group_initial_rebalance_delay_ms(cluster->mock, 0);
#endif
}

void cluster_stop(struct cluster *cluster) {
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->handle);
}

void cluster_topic(struct cluster *cluster, const char *name, int partitions) {
    rd_kafka_resp_err_t code =
        rd_kafka_mock_topic_create(cluster->mock, name, partitions, BROKERS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop(name, rd_kafka_err2str(code));
}

static rd_kafka_t *open_writer(struct cluster *cluster) {
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", cluster->bootstrap, text, sizeof text);
    rd_kafka_t *writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (writer == NULL)
        stop("no producer", text);
    return writer;
}

/* The writer has the headers then. */
static void write_record(rd_kafka_t *writer, const char *topic, int32_t partition, const char *key,
                         const void *value, size_t size, rd_kafka_headers_t *headers) {
    rd_kafka_resp_err_t code = rd_kafka_producev(
        writer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, strlen(key)),
        RD_KAFKA_V_VALUE((void *)value, size), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop("a record is refused", topic);
}

static void close_writer(rd_kafka_t *writer) {
    if (rd_kafka_flush(writer, WRITE_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop("records are not taken", "");
    rd_kafka_destroy(writer);
}

void cluster_write(struct cluster *cluster, const char *topic, int32_t partition, const char *key,
                   const char *value, int count) {
    rd_kafka_t *writer = open_writer(cluster);
    for (int i = 0; i < count; i++)
        write_record(writer, topic, partition, key, value, strlen(value),
                     rd_kafka_headers_new(1));
    close_writer(writer);
}

void cluster_write_bytes(struct cluster *cluster, const char *topic, int32_t partition,
                         const char *key, const void *value, size_t size) {
    rd_kafka_t *writer = open_writer(cluster);
    write_record(writer, topic, partition, key, value, size, rd_kafka_headers_new(1));
    close_writer(writer);
}

void cluster_write_headers(struct cluster *cluster, const char *topic, int32_t partition,
                           const char *const *headers) {
    rd_kafka_t *writer = open_writer(cluster);
    rd_kafka_headers_t *list = rd_kafka_headers_new(8);
    for (size_t i = 0; headers[i] != NULL; i += 2)
        rd_kafka_header_add(list, headers[i], -1, headers[i + 1], -1);
    write_record(writer, topic, partition, "key", "value", strlen("value"), list);
    close_writer(writer);
}

void cluster_fail(struct cluster *cluster, int16_t api_key, size_t count,
                  rd_kafka_resp_err_t error) {
    for (size_t i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors(cluster->mock, api_key, 1, error);
}
