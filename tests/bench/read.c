/* Topics read with nothing done: what a restart is measured beside. The settings are those of the
 * hub's own reader (hub/io/kafka_reader.c).
 *
 * usage: read all BOOTSTRAP TOPIC...  all partitions at once, from their beginning to what is
 *                                     committed; prints {"records": ..., "bytes": ...}
 *        read first BOOTSTRAP TOPIC   says "ready", waits for the first record of partition 0 that is
 *                                     appended after that and committed, and prints when it was
 *                                     there, in milliseconds of the monotonic clock */
#include "hub/io/kafka_internal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMEOUT_MS = 30000, PARTITIONS_MAX = 256 };

static void stop(const char *what, const char *why) {
    fprintf(stderr, "read: %s: %s\n", what, why);
    exit(1);
}

static void must(rd_kafka_resp_err_t code, const char *what) {
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop(what, rd_kafka_err2str(code));
}

static rd_kafka_t *open_consumer(const char *bootstrap, const char *isolation) {
    struct hub_error error;
    rd_kafka_t *client = NULL;
    if (hub_reader_open_handle(bootstrap, isolation, &client, &error) != HUB_OK)
        stop(bootstrap, error.text);
    return client;
}

/* --- all --- */

static void add_partitions(rd_kafka_t *client, const char *name,
                           rd_kafka_topic_partition_list_t *list) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    must(rd_kafka_metadata(client, /* all_topics= */ 0, topic, &metadata, TIMEOUT_MS), name);
    for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
        rd_kafka_topic_partition_list_add(list, name, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
}

/* Whether this is its first end: what was open in a partition may end later, and then so does it again. */
static bool ends_first(rd_kafka_topic_partition_list_t *list, const rd_kafka_message_t *message) {
    rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_find(
        list, rd_kafka_topic_name(message->rkt), message->partition);
    bool first = partition != NULL && partition->opaque == NULL;
    if (first)
        partition->opaque = list;
    return first;
}

static void read_all(const char *bootstrap, char **topics, int count) {
    rd_kafka_t *client = open_consumer(bootstrap, "read_committed");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    long long records = 0, bytes = 0;
    for (int i = 0; i < count; i++)
        add_partitions(client, topics[i], list);
    must(rd_kafka_assign(client, list), "assign");
    for (int ended = 0; ended < list->cnt;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, TIMEOUT_MS);
        if (message == NULL)
            stop("read", "nothing came");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended += ends_first(list, message);
        } else {
            must(message->err, "read");
            records++;
            bytes += (long long)(message->key_len + message->len);
        }
        rd_kafka_message_destroy(message);
    }
    printf("{\"records\": %lld, \"bytes\": %lld}\n", records, bytes);
    rd_kafka_topic_partition_list_destroy(list);
    hub_reader_close_handle(client);
}

/* --- first --- */

static int64_t end_of(const char *bootstrap, const char *topic, const char *isolation) {
    rd_kafka_t *client = open_consumer(bootstrap, isolation);
    int64_t first = 0, end = 0;
    must(rd_kafka_query_watermark_offsets(client, topic, 0, &first, &end, TIMEOUT_MS), topic);
    hub_reader_close_handle(client);
    return end;
}

/* From what is committed on; what a transaction that is still open holds is not new. It is ready once it
 * has read to the end: librdkafka may take a second to begin. */
static void read_first(const char *bootstrap, char **topics, int count) {
    rd_kafka_t *client = open_consumer(bootstrap, "read_committed");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    if (count != 1)
        stop("first", "one topic");
    int64_t end = end_of(bootstrap, topics[0], "read_uncommitted");
    rd_kafka_topic_partition_list_add(list, topics[0], 0)->offset =
        end_of(bootstrap, topics[0], "read_committed");
    must(rd_kafka_assign(client, list), "assign");
    for (bool ready = false, found = false; !found;) {
        struct timespec now;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, TIMEOUT_MS);
        clock_gettime(CLOCK_MONOTONIC, &now);
        found = message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                message->offset >= end;
        if (!ready && message != NULL) {
            ready = true;
            printf("ready\n");
            fflush(stdout);
        }
        if (found)
            printf("%lld\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    hub_reader_close_handle(client);
}

int main(int argc, char **argv) {
    if (argc > 3 && strcmp(argv[1], "all") == 0) {
        read_all(argv[2], argv + 3, argc - 3);
        return 0;
    }
    if (argc > 3 && strcmp(argv[1], "first") == 0) {
        read_first(argv[2], argv + 3, argc - 3);
        return 0;
    }
    fprintf(stderr, "usage: read all|first BOOTSTRAP TOPIC...\n");
    return 2;
}
