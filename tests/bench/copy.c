/* The limit: the same bytes copied twice by librdkafka in transactions, with no work in between; or once.
 *
 * Two hops in one thread, taken in turn as the hub takes admit and fold: consume, produce what was
 * consumed, send the offsets, commit. Keys, values and headers are copied; payloads are handed to
 * librdkafka where they lie. Settings are those that cost the least.
 *
 * usage: copy BOOTSTRAP GROUP COUNT FROM,FROM... THROUGH [TO] */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 10000, WAIT_MS = 20, TIMEOUT_MS = 30000, TOPICS_MAX = 16 };

struct hop {
    rd_kafka_t *consumer, *producer;
    rd_kafka_queue_t *reports;
    rd_kafka_topic_t *to;
    rd_kafka_message_t *messages[BATCH_MAX];
    int count;
    long long copied;
};

static void stop(const char *what, const char *why) {
    fprintf(stderr, "copy: %s: %s\n", what, why);
    exit(1);
}

static void must(rd_kafka_error_t *error, const char *what) {
    if (error != NULL)
        stop(what, rd_kafka_error_string(error));
}

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *bootstrap,
                               const char *const *settings, rd_kafka_queue_t **ret_reports) {
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, text, sizeof text) !=
        RD_KAFKA_CONF_OK)
        stop("bootstrap.servers", text);
    for (size_t i = 0; settings[i] != NULL; i += 2)
        if (rd_kafka_conf_set(conf, settings[i], settings[i + 1], text, sizeof text) ==
            RD_KAFKA_CONF_INVALID)
            stop(settings[i], text);
    if (ret_reports != NULL)
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    if (client == NULL)
        stop("librdkafka", text);
    if (ret_reports != NULL)
        *ret_reports = rd_kafka_queue_get_main(client);
    return client;
}

static void open_consumer(struct hop *hop, const char *bootstrap, const char *group,
                          const char *topics) {
    const char *const settings[] = {"group.id", group,
                                    "isolation.level", "read_committed",
                                    "enable.auto.commit", "false",
                                    "enable.auto.offset.store", "false",
                                    "auto.offset.reset", "earliest",
                                    "check.crcs", "true",
                                    "partition.assignment.strategy", "range",
                                    "fetch.queue.backoff.ms", "10",
                                    "queued.max.messages.kbytes", "32768",
                                    "fetch.wait.max.ms", "100",
                                    "socket.nagle.disable", "true",
                                    "receive.message.max.bytes", "134217728",
                                    NULL};
    char list[1024];
    rd_kafka_topic_partition_list_t *subscription = rd_kafka_topic_partition_list_new(TOPICS_MAX);
    hop->consumer = open_client(RD_KAFKA_CONSUMER, bootstrap, settings, NULL);
    rd_kafka_poll_set_consumer(hop->consumer);
    snprintf(list, sizeof list, "%s", topics);
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ","))
        rd_kafka_topic_partition_list_add(subscription, name, RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(hop->consumer, subscription) != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop("subscribe", topics);
    rd_kafka_topic_partition_list_destroy(subscription);
}

static void open_producer(struct hop *hop, const char *bootstrap, const char *id,
                          const char *topic) {
    const char *const settings[] = {"transactional.id", id,
                                    "transaction.timeout.ms", "10000",
                                    "linger.ms", "5",
                                    "retry.backoff.ms", "5",
                                    "retry.backoff.max.ms", "20",
                                    "queue.buffering.max.messages", "1000000",
                                    "queue.buffering.max.kbytes", "524288",
                                    "delivery.report.only.error", "true",
                                    "socket.nagle.disable", "true",
                                    "message.max.bytes", "25165824",
                                    NULL};
    hop->producer = open_client(RD_KAFKA_PRODUCER, bootstrap, settings, &hop->reports);
    must(rd_kafka_init_transactions(hop->producer, TIMEOUT_MS), "init_transactions");
    hop->to = rd_kafka_topic_new(hop->producer, topic, NULL);
}

static void open_hop(struct hop *hop, const char *bootstrap, const char *group, const char *from,
                     const char *to) {
    char name[256];
    snprintf(name, sizeof name, "%s-%s", group, to);
    open_producer(hop, bootstrap, name, to);
    open_consumer(hop, bootstrap, name, from);
}

static void collect(struct hop *hop, int wait_ms) {
    hop->count = 0;
    while (hop->count < BATCH_MAX) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(hop->consumer, hop->count == 0 ? wait_ms : 0);
        if (message == NULL)
            return;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            stop("consume", rd_kafka_message_errstr(message));
        hop->messages[hop->count++] = message;
    }
}

static void produce(struct hop *hop, rd_kafka_message_t *message) {
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_message_detach_headers(message, &headers);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        hop->producer, RD_KAFKA_V_RKT(hop->to), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(0),
        RD_KAFKA_V_KEY(message->key, message->key_len),
        RD_KAFKA_V_VALUE(message->payload, message->len), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        stop("produce", rd_kafka_err2str(code));
}

/* With only errors reported, any report is one. */
static void check_reports(struct hop *hop) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(hop->reports, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
            stop("deliver", "a record was not delivered");
        rd_kafka_event_destroy(event);
    }
}

static void send_offsets(struct hop *hop) {
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(TOPICS_MAX);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(hop->consumer);
    rd_kafka_topic_partition_t *last = NULL;
    for (int i = 0; i < hop->count; i++) {
        const rd_kafka_message_t *message = hop->messages[i];
        const char *topic = rd_kafka_topic_name(message->rkt);
        if (last == NULL || last->partition != message->partition ||
            strcmp(last->topic, topic) != 0) {
            last = rd_kafka_topic_partition_list_find(offsets, topic, message->partition);
            if (last == NULL)
                last = rd_kafka_topic_partition_list_add(offsets, topic, message->partition);
        }
        last->offset = message->offset + 1;
    }
    must(rd_kafka_send_offsets_to_transaction(hop->producer, offsets, group, TIMEOUT_MS),
         "send_offsets_to_transaction");
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
}

/* One transaction, where there is something to copy. */
static bool step(struct hop *hop, int wait_ms) {
    collect(hop, wait_ms);
    if (hop->count == 0)
        return false;
    must(rd_kafka_begin_transaction(hop->producer), "begin_transaction");
    for (int i = 0; i < hop->count; i++)
        produce(hop, hop->messages[i]);
    send_offsets(hop);
    must(rd_kafka_commit_transaction(hop->producer, -1), "commit_transaction");
    check_reports(hop);
    for (int i = 0; i < hop->count; i++)
        rd_kafka_message_destroy(hop->messages[i]);
    hop->copied += hop->count;
    return true;
}

static void close_hop(struct hop *hop) {
    rd_kafka_consumer_close(hop->consumer);
    rd_kafka_destroy(hop->consumer);
    rd_kafka_queue_destroy(hop->reports);
    rd_kafka_topic_destroy(hop->to);
    rd_kafka_destroy(hop->producer);
}

int main(int argc, char **argv) {
    static struct hop hops[2];
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: copy BOOTSTRAP GROUP COUNT FROM,FROM... THROUGH [TO]\n");
        return 2;
    }
    long long wanted = strtoll(argv[3], NULL, 10);
    int count = argc - 5;
    for (int i = 0; i < count; i++)
        open_hop(&hops[i], argv[1], argv[2], argv[4 + i], argv[5 + i]);
    bool busy = false;
    while (hops[count - 1].copied < wanted) {
        bool stepped = false;
        for (int i = 0; i < count; i++)
            stepped |= step(&hops[i], stepped || (i == 0 && busy) ? 0 : WAIT_MS);
        busy = stepped;
    }
    for (int i = count - 1; i >= 0; i--)
        close_hop(&hops[i]);
    return 0;
}
