/* The transactional producer. */
#include "hub/io/kafka_internal.h"

#include "hub/base/table.h"
#include "hub/io/clock.h"
#include "hub/io/watchdog.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { TRANSACTION_TIMEOUT_MS = 10000, FULL_WAIT_MS = 10, FULL_ATTEMPTS_MAX = 1000 };

/* librdkafka finds a topic by comparing names one after the other; a handle is found once. */
struct topic {
    UT_hash_handle hh;
    char *name;
    rd_kafka_topic_t *handle;
};

enum { RECENT = 2, GATHERED_MAX = 256 };

/* Records without headers for one partition, handed over together: for librdkafka that is half of the work. */
struct gathered {
    struct topic *topic;
    int32_t partition;
    int count;
    rd_kafka_message_t messages[GATHERED_MAX];
};

struct hub_producer {
    rd_kafka_t *handle;
    /* Delivery reports as events, and only of errors: with callbacks the flush inside a commit naps
     * for up to 10 ms. Whatever is reported, the commit fails of it. */
    rd_kafka_queue_t *reports;
    struct topic *topics;
    struct topic *recent[RECENT]; /* written to last */
    struct gathered gathered;
    atomic_bool dirty;
};

/* The guard of KAFKA-17754: an answer that never came leaves open whether the request will still
 * be carried out. Called on librdkafka's threads; sets the flag and nothing else. */
static rd_kafka_resp_err_t on_response(rd_kafka_t *handle, int socket, const char *broker,
                                       int32_t broker_id, int16_t api_key, int16_t api_version,
                                       int32_t correlation_id, size_t size, int64_t rtt,
                                       rd_kafka_resp_err_t error, void *context) {
    enum { PRODUCE = 0, ADD_PARTITIONS = 24, ADD_OFFSETS = 25, END_TXN = 26, TXN_OFFSETS = 28 };
    struct hub_producer *producer = context;
    bool transactional = api_key == PRODUCE || api_key == ADD_PARTITIONS ||
                         api_key == ADD_OFFSETS || api_key == END_TXN || api_key == TXN_OFFSETS;
    (void)handle;
    (void)socket;
    (void)broker;
    (void)broker_id;
    (void)api_version;
    (void)correlation_id;
    (void)size;
    (void)rtt;
    if (transactional && error != RD_KAFKA_RESP_ERR_NO_ERROR)
        atomic_store(&producer->dirty, true);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *handle, const rd_kafka_conf_t *conf, void *context,
                                  char *text, size_t size) {
    (void)conf;
    (void)text;
    (void)size;
    return rd_kafka_interceptor_add_on_response_received(handle, "guard", on_response, context);
}

/* Errors that the same records would meet again with any producer. */
static bool is_hopeless(rd_kafka_resp_err_t code) {
    static const rd_kafka_resp_err_t hopeless[] = {
        /* somebody must allow it */
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        /* the topic does not take what we write: its settings, or our bounds, are wrong */
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_RECORD,
        RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
        /* our own mistake */
        RD_KAFKA_RESP_ERR__INVALID_ARG,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION};
    for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless; i++)
        if (code == hopeless[i])
            return true;
    return false;
}

/* What an error of the transactional interface means here. Whatever is not hopeless is over for
 * this producer, and the work comes again with another. */
static enum hub_status judge(rd_kafka_error_t *error, const char *what, struct hub_error *reterr) {
    if (error == NULL)
        return HUB_OK;
    enum hub_status status =
        hub_fail(reterr, is_hopeless(rd_kafka_error_code(error)) ? HUB_FATAL : HUB_RETRY, "%s: %s",
                 what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return status;
}

static enum hub_status init(struct hub_producer *producer, bool *ret_aborting,
                            struct hub_error *reterr) {
    enum { STEP_MS = 30 }; /* what the broker has answered is told when a call runs out of time, not before */
    const struct timespec pause = {0, 5 * 1000000};
    int64_t deadline_ms = hub_clock_monotonic_ms() + HUB_KAFKA_TIMEOUT_MS;
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(producer->handle, STEP_MS);
        rd_kafka_resp_err_t code = error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR
                                                 : rd_kafka_error_code(error);
        *ret_aborting = code == RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
        if (error == NULL || *ret_aborting || is_hopeless(code) || rd_kafka_error_is_fatal(error) ||
            hub_clock_monotonic_ms() > deadline_ms)
            return judge(error, "init_transactions", reterr);
        rd_kafka_error_destroy(error); /* it goes on by itself, and so do we */
        nanosleep(&pause, NULL);
    }
}

static enum hub_status open_producer(const char *bootstrap, const char *transactional_id,
                                     struct hub_producer **ret_producer, bool *ret_aborting,
                                     struct hub_error *reterr) {
    const char *const settings[] = {"transactional.id",      transactional_id,
                                    "enable.idempotence",    "true",
                                    "acks",                  "all",
                                    "transaction.timeout.ms", "10000",
                                    "socket.timeout.ms",     "5000", /* else as long as that */
                                    "linger.ms",             "5",
                                    "retry.backoff.ms",      "5",
                                    "retry.backoff.max.ms",  "20",
                                    "queue.buffering.max.messages", "1000000",
                                    "queue.buffering.max.kbytes",   "524288",
                                    "partitioner",           "murmur2_random",
                                    "delivery.report.only.error", "true",
                                    NULL};
    char text[512];
    struct hub_producer *producer = hub_allocate_zero(1, sizeof *producer);
    rd_kafka_conf_t *conf = hub_kafka_conf(bootstrap);
    enum hub_status status = conf == NULL ? hub_fail(reterr, HUB_FATAL, "bootstrap '%s'", bootstrap)
                                          : hub_kafka_configure(conf, settings, reterr);
    if (status == HUB_OK) {
        rd_kafka_conf_interceptor_add_on_new(conf, "guard", on_new, producer);
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
        producer->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
        /* Where rd_kafka_new fails the configuration is left to leak: before 2.13 destroying it
         * would free its interceptors twice. */
        if (producer->handle == NULL)
            status = hub_kafka_refused(text, reterr);
    }
    if (status == HUB_OK) {
        producer->reports = rd_kafka_queue_get_main(producer->handle);
        status = hub_kafka_meet(producer->handle, reterr);
    }
    if (status == HUB_OK)
        status = init(producer, ret_aborting, reterr);
    if (status != HUB_OK) {
        hub_producer_free(producer);
        return status;
    }
    atomic_store(&producer->dirty, false);
    *ret_producer = producer;
    return HUB_OK;
}

/* Where an earlier process of this name left a transaction open, the broker is still aborting it when it
 * is asked first, and says so. librdkafka would ask again half a second later; a fresh producer asks at
 * once, and nothing of the one before is under way. */
enum hub_status hub_producer_new(const char *bootstrap, const char *transactional_id,
                                 struct hub_producer **ret_producer, struct hub_error *reterr) {
    const struct timespec pause = {0, 5 * 1000000};
    int64_t deadline_ms = hub_clock_monotonic_ms() + HUB_KAFKA_TIMEOUT_MS;
    for (;;) {
        bool aborting = false;
        hub_watchdog_beat();
        enum hub_status status =
            open_producer(bootstrap, transactional_id, ret_producer, &aborting, reterr);
        if (!aborting || hub_clock_monotonic_ms() > deadline_ms)
            return status;
        nanosleep(&pause, NULL);
    }
}

void hub_producer_free(struct hub_producer *producer) {
    if (producer == NULL)
        return;
    struct topic *topic, *next;
    HASH_ITER(hh, producer->topics, topic, next) {
        HASH_DELETE(hh, producer->topics, topic);
        rd_kafka_topic_destroy(topic->handle);
        hub_release(topic->name);
        hub_release(topic);
    }
    if (producer->reports != NULL)
        rd_kafka_queue_destroy(producer->reports);
    if (producer->handle != NULL)
        rd_kafka_destroy(producer->handle);
    hub_release(producer);
}

bool hub_producer_is_dirty(const struct hub_producer *producer) {
    return atomic_load(&producer->dirty);
}

enum hub_status hub_producer_begin(struct hub_producer *producer, struct hub_error *reterr) {
    hub_watchdog_beat();
    producer->gathered.count = 0;
    return judge(rd_kafka_begin_transaction(producer->handle), "begin_transaction", reterr);
}

static struct topic *find_topic(struct hub_producer *producer, const char *name) {
    struct topic *topic = NULL;
    HASH_FIND_STR(producer->topics, name, topic);
    if (topic != NULL)
        return topic;
    topic = hub_allocate_zero(1, sizeof *topic);
    topic->name = hub_copy_text(name);
    topic->handle = rd_kafka_topic_new(producer->handle, name, NULL);
    HASH_ADD_KEYPTR(hh, producer->topics, topic->name, strlen(topic->name), topic);
    return topic;
}

/* Mostly one of the last few. */
static struct topic *topic_of(struct hub_producer *producer, const char *name) {
    struct topic **recent = producer->recent;
    for (size_t i = 0; i < RECENT; i++)
        if (recent[i] != NULL && strcmp(recent[i]->name, name) == 0)
            return recent[i];
    memmove(recent + 1, recent, (RECENT - 1) * sizeof *recent);
    return recent[0] = find_topic(producer, name);
}

static void take_reports(struct hub_producer *producer, int timeout_ms) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(producer->reports, timeout_ms)) != NULL) {
        rd_kafka_event_destroy(event);
        timeout_ms = 0;
    }
}

static rd_kafka_headers_t *make_headers(const struct hub_kafka_write *write) {
    if (write->header_count == 0)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(write->header_count);
    for (size_t i = 0; i < write->header_count; i++)
        rd_kafka_header_add(headers, write->headers[i].name, -1, write->headers[i].value.data,
                            (ssize_t)write->headers[i].value.size);
    return headers;
}

static const void *key_of(const struct hub_kafka_write *write) {
    return !write->has_key ? NULL : write->key.size == 0 ? "" : (const void *)write->key.data;
}

static rd_kafka_resp_err_t produce(struct hub_producer *producer, const struct topic *topic,
                                   const struct hub_kafka_write *write) {
    rd_kafka_headers_t *headers = make_headers(write);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer->handle, RD_KAFKA_V_RKT(topic->handle),
        RD_KAFKA_V_PARTITION(write->partition < 0 ? RD_KAFKA_PARTITION_UA : write->partition),
        RD_KAFKA_V_MSGFLAGS(write->stays ? 0 : RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key_of(write), write->key.size),
        RD_KAFKA_V_VALUE((void *)write->value.data, write->value.size),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL)
        rd_kafka_headers_destroy(headers);
    return code;
}

static enum hub_status refuse(const struct topic *topic, size_t size, rd_kafka_resp_err_t code,
                              struct hub_error *reterr) {
    return hub_fail(reterr, is_hopeless(code) ? HUB_FATAL : HUB_RETRY, "%s, %zu bytes: %s",
                    topic->name, size, rd_kafka_err2str(code));
}

/* The first that was not taken; what there was no room for may be handed over again. */
static int hand_over_from(struct gathered *gathered, int from) {
    rd_kafka_message_t *rest = &gathered->messages[from];
    int count = gathered->count - from;
    if (rd_kafka_produce_batch(gathered->topic->handle, gathered->partition, /* msgflags= */ 0,
                               rest, count) == count)
        return gathered->count;
    while (gathered->messages[from].err == RD_KAFKA_RESP_ERR_NO_ERROR)
        from++;
    return from;
}

static enum hub_status hand_over(struct hub_producer *producer, struct hub_error *reterr) {
    struct gathered *gathered = &producer->gathered;
    int done = gathered->count == 0 ? 0 : hand_over_from(gathered, 0);
    for (int i = 0; i < FULL_ATTEMPTS_MAX && done < gathered->count &&
                    gathered->messages[done].err == RD_KAFKA_RESP_ERR__QUEUE_FULL;
         i++) {
        take_reports(producer, FULL_WAIT_MS);
        done = hand_over_from(gathered, done);
    }
    if (done < gathered->count)
        return refuse(gathered->topic, gathered->messages[done].len, gathered->messages[done].err,
                      reterr);
    gathered->count = 0;
    return HUB_OK;
}

static bool may_gather(const struct hub_kafka_write *write) {
    return write->stays && write->header_count == 0 && write->partition >= 0;
}

static enum hub_status gather(struct hub_producer *producer, struct topic *topic,
                              const struct hub_kafka_write *write, struct hub_error *reterr) {
    struct gathered *gathered = &producer->gathered;
    if (gathered->count == GATHERED_MAX || gathered->topic != topic ||
        gathered->partition != write->partition)
        HUB_TRY(hand_over(producer, reterr));
    gathered->topic = topic;
    gathered->partition = write->partition;
    gathered->messages[gathered->count++] =
        (rd_kafka_message_t){.payload = (void *)write->value.data,
                             .len = write->value.size,
                             .key = (void *)key_of(write),
                             .key_len = write->key.size};
    return HUB_OK;
}

enum hub_status hub_producer_write(struct hub_producer *producer,
                                   const struct hub_kafka_write *write,
                                   struct hub_error *reterr) {
    struct topic *topic = topic_of(producer, write->topic);
    if (may_gather(write))
        return gather(producer, topic, write, reterr);
    if (producer->gathered.topic == topic) /* which go before it */
        HUB_TRY(hand_over(producer, reterr));
    rd_kafka_resp_err_t code = produce(producer, topic, write);
    for (int i = 0; code == RD_KAFKA_RESP_ERR__QUEUE_FULL && i < FULL_ATTEMPTS_MAX; i++) {
        take_reports(producer, FULL_WAIT_MS); /* the library's queue drains */
        code = produce(producer, topic, write);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? HUB_OK
                                              : refuse(topic, write->value.size, code, reterr);
}

enum hub_status hub_producer_send_offsets(struct hub_producer *producer,
                                          struct hub_consumer *consumer,
                                          const struct hub_kafka_partition *offsets, size_t count,
                                          struct hub_error *reterr) {
    const rd_kafka_consumer_group_metadata_t *group = hub_consumer_group(consumer);
    HUB_TRY(hand_over(producer, reterr));
    if (group == NULL || rd_kafka_assignment_lost(hub_consumer_handle(consumer)))
        return hub_fail(reterr, HUB_RETRY, "the partitions were taken away");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *item =
            rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition);
        item->offset = offsets[i].offset;
        if (offsets[i].metadata != NULL) {
            item->metadata = hub_copy_text(offsets[i].metadata); /* the library frees it */
            item->metadata_size = strlen(offsets[i].metadata);
        }
    }
    enum hub_status status =
        judge(rd_kafka_send_offsets_to_transaction(producer->handle, list, group,
                                                   TRANSACTION_TIMEOUT_MS),
              "send_offsets_to_transaction", reterr);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

/* Every request of a transaction names the producer's epoch; the cheapest one that does no harm is an
 * offset that is then taken back. */
bool hub_producer_is_fenced(struct hub_producer *producer, const char *group) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "fenced", 0)->offset = 0;
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata_new(group);
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->handle);
    if (error == NULL)
        error = rd_kafka_send_offsets_to_transaction(producer->handle, list, metadata,
                                                     TRANSACTION_TIMEOUT_MS);
    bool fenced = error != NULL && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__FENCED;
    rd_kafka_error_destroy(error);
    hub_producer_abort(producer);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(list);
    return fenced;
}

/* Waits until every record is answered. Committing and aborting would wait too, but for the reports
 * of failed records as well, which nobody takes meanwhile: for ever. */
static void settle_records(struct hub_producer *producer) {
    enum { STEP_MS = 50 };
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int waited_ms = 0;
         code == RD_KAFKA_RESP_ERR__TIMED_OUT && waited_ms < TRANSACTION_TIMEOUT_MS;
         waited_ms += STEP_MS) {
        code = rd_kafka_flush(producer->handle, STEP_MS);
        take_reports(producer, /* timeout_ms= */ 0);
    }
}

enum hub_status hub_producer_commit(struct hub_producer *producer, struct hub_error *reterr) {
    HUB_TRY(hand_over(producer, reterr));
    settle_records(producer);
    return judge(rd_kafka_commit_transaction(producer->handle, TRANSACTION_TIMEOUT_MS),
                 "commit_transaction", reterr);
}

void hub_producer_abort(struct hub_producer *producer) {
    producer->gathered.count = 0;
    rd_kafka_purge(producer->handle, RD_KAFKA_PURGE_F_QUEUE);
    settle_records(producer);
    rd_kafka_error_t *error = rd_kafka_abort_transaction(producer->handle, TRANSACTION_TIMEOUT_MS);
    if (error != NULL)
        rd_kafka_error_destroy(error);
}
