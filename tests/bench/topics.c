/* What the benchmark does with whole topics.
 *
 * usage: topics read BOOTSTRAP TOPIC...  a JSON object: for each topic its committed records, their
 *                                        bytes, a digest that does not depend on their order, and
 *                                        when the broker appended the first and the last
 *        topics drop BOOTSTRAP TOPIC...  deletes those that exist
 *        topics create BOOTSTRAP TOPIC...  creates them with one partition */
#include "hub/io/kafka.h"
#include "tests/bench/statements.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 30000, TEXT_SIZE = 512 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "topics: %s: %s\n", what, why);
    exit(1);
}

/* --- read --- */

struct reading {
    struct bench_sum sum;
    int64_t first_ms, last_ms;
};

static enum hub_status take(void *context, const struct hub_kafka_record *record,
                            struct hub_error *reterr) {
    struct reading *reading = context;
    (void)reterr;
    bench_sum_add(&reading->sum, record->key, record->value,
                  (const struct hub_header *)record->headers, record->header_count);
    if (reading->first_ms == 0 || record->timestamp_ms < reading->first_ms)
        reading->first_ms = record->timestamp_ms;
    if (record->timestamp_ms > reading->last_ms)
        reading->last_ms = record->timestamp_ms;
    return HUB_OK;
}

static void read_topics(const char *bootstrap, char **topics, int count) {
    struct hub_reader *reader = NULL;
    struct hub_error error;
    if (hub_reader_new(bootstrap, &reader, &error) != HUB_OK)
        stop(bootstrap, error.text);
    printf("{");
    for (int i = 0; i < count; i++) {
        struct reading reading = {0};
        int32_t partitions = 0;
        if (hub_reader_partition_count(reader, topics[i], &partitions, &error) != HUB_OK)
            stop(topics[i], error.text);
        for (int32_t n = 0; n < partitions; n++)
            if (hub_reader_read(reader, topics[i], n, /* from= */ 0, /* to= */ -1, take, &reading,
                                NULL, &error) != HUB_OK)
                stop(topics[i], error.text);
        printf("%s\"%s\": {\"records\": %lld, \"bytes\": %lld, \"digest\": \"%016llx\", "
               "\"first_ms\": %lld, \"last_ms\": %lld}",
               i == 0 ? "" : ", ", topics[i], (long long)reading.sum.records,
               (long long)reading.sum.bytes, (unsigned long long)reading.sum.digest,
               (long long)reading.first_ms, (long long)reading.last_ms);
    }
    printf("}\n");
    hub_reader_free(reader);
}

/* --- drop and create --- */

static void drop_topics(const char *bootstrap, char **topics, int count) {
    char text[TEXT_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, text, sizeof text);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (client == NULL)
        stop("librdkafka", text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopic_t *deletions[64];
    for (int i = 0; i < count; i++)
        deletions[i] = rd_kafka_DeleteTopic_new(topics[i]);
    rd_kafka_DeleteTopics(client, deletions, (size_t)count, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop("drop", event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    size_t result_count = 0;
    const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(event), &result_count);
    for (size_t i = 0; i < result_count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR &&
            code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            stop(rd_kafka_topic_result_name(results[i]), rd_kafka_err2str(code));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy_array(deletions, (size_t)count);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

static void create_topics(const char *bootstrap, char **topics, int count) {
    static const char *const settings[] = {"message.timestamp.type", "LogAppendTime",
                                           "max.message.bytes", "25165824", NULL};
    struct hub_error error;
    for (int i = 0; i < count; i++) {
        struct hub_topic_config config = {topics[i], 1, settings};
        if (hub_topics_create(bootstrap, &config, 1, /* replication= */ 1, &error) != HUB_OK)
            stop(topics[i], error.text);
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(const char *bootstrap, char **topics, int count);
    } commands[] = {{"read", read_topics}, {"drop", drop_topics}, {"create", create_topics}};
    for (size_t i = 0; argc > 3 && argc < 64 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            commands[i].run(argv[2], argv + 3, argc - 3);
            return 0;
        }
    fprintf(stderr, "usage: topics read|drop|create BOOTSTRAP TOPIC...\n");
    return 2;
}
