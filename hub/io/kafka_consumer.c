/* The consumer of a group. */
#include "hub/io/kafka_internal.h"

#include "hub/io/clock.h"
#include "hub/io/watchdog.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const int64_t LEAVE_TIMEOUT_MS = 5000;

struct hub_consumer {
    struct hub_consumer_config config; /* its texts are the caller's, and gone after opening */
    char *name; /* of the group, for errors */
    rd_kafka_t *handle;
    rd_kafka_consumer_group_metadata_t *group; /* of the running assignment */
    bool rebalanced; /* since the batch began: what it holds will come again */
    int descriptor;
    enum hub_status failed; /* in a callback */
    struct hub_error error;
    bool closing;
};

rd_kafka_t *hub_consumer_handle(struct hub_consumer *consumer) {
    return consumer->handle;
}

const rd_kafka_consumer_group_metadata_t *hub_consumer_group(const struct hub_consumer *consumer) {
    return consumer->group;
}

int hub_consumer_descriptor(struct hub_consumer *consumer) {
    return consumer->descriptor;
}

static struct hub_kafka_partition *copy_list(const rd_kafka_topic_partition_list_t *list) {
    struct hub_kafka_partition *partitions =
        hub_allocate_zero((size_t)list->cnt, sizeof *partitions);
    for (int i = 0; i < list->cnt; i++)
        partitions[i] = (struct hub_kafka_partition){list->elems[i].topic,
                                                     list->elems[i].partition, -1, NULL};
    return partitions;
}

static void forget_group(struct hub_consumer *consumer) {
    if (consumer->group != NULL)
        rd_kafka_consumer_group_metadata_destroy(consumer->group);
    consumer->group = NULL;
}

/* Taken before anything is loaded: a member that is thrown out meanwhile must not commit as whoever
 * it is then. One that is thrown out already is nobody, and nobody would be let in. */
static bool take_group(struct hub_consumer *consumer) {
    forget_group(consumer);
    consumer->group = rd_kafka_consumer_group_metadata(consumer->handle);
    if (!rd_kafka_assignment_lost(consumer->handle))
        return true;
    forget_group(consumer);
    return false;
}

static void assign(struct hub_consumer *consumer, rd_kafka_topic_partition_list_t *list) {
    if (!take_group(consumer)) {
        rd_kafka_assign(consumer->handle, NULL);
        return;
    }
    struct hub_kafka_partition *partitions = copy_list(list);
    consumer->failed = consumer->config.assigned(consumer->config.context, partitions,
                                                 (size_t)list->cnt, &consumer->error);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset =
            partitions[i].offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : partitions[i].offset;
    hub_release(partitions);
    rd_kafka_assign(consumer->handle, consumer->failed == HUB_OK ? list : NULL);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t event,
                         rd_kafka_topic_partition_list_t *list, void *context) {
    struct hub_consumer *consumer = context;
    consumer->rebalanced = true;
    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !consumer->closing) {
        consumer->handle = handle;
        assign(consumer, list);
        return;
    }
    if (event == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        struct hub_kafka_partition *partitions = copy_list(list);
        consumer->config.revoked(consumer->config.context, partitions, (size_t)list->cnt);
        hub_release(partitions);
        forget_group(consumer);
    }
    rd_kafka_assign(handle, NULL);
}

static enum hub_status subscribe(struct hub_consumer *consumer, struct hub_error *reterr) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(16);
    for (size_t i = 0; consumer->config.topics[i] != NULL; i++)
        rd_kafka_topic_partition_list_add(topics, consumer->config.topics[i],
                                          RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "subscribe: %s", rd_kafka_err2str(code));
    return HUB_OK;
}

static enum hub_status open_consumer(struct hub_consumer *consumer, struct hub_error *reterr) {
    const struct hub_consumer_config *config = &consumer->config;
    const char *const settings[] = {"group.id",                 config->group,
                                    "group.instance.id",        config->instance,
                                    "isolation.level",          "read_committed",
                                    "enable.auto.commit",       "false",
                                    "enable.auto.offset.store", "false",
                                    "auto.offset.reset",        "error",
                                    "check.crcs",               "true",
                                    "allow.auto.create.topics", "false",
                                    "session.timeout.ms",       "10000",
                                    "heartbeat.interval.ms",    "1000",
                                    "partition.assignment.strategy", "roundrobin",
                                    "fetch.queue.backoff.ms",   "10",
                                    "queued.max.messages.kbytes", "8192",
                                    NULL};
    char text[512];
    rd_kafka_conf_t *conf = hub_kafka_conf(config->bootstrap);
    if (conf == NULL)
        return hub_fail(reterr, HUB_FATAL, "bootstrap '%s'", config->bootstrap);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_opaque(conf, consumer);
    enum hub_status status = hub_kafka_configure(conf, settings, reterr);
    if (status == HUB_OK)
        consumer->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (consumer->handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return status != HUB_OK ? status : hub_kafka_refused(text, reterr);
    }
    rd_kafka_poll_set_consumer(consumer->handle);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer->handle);
    uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, consumer->descriptor, &one, sizeof one);
    rd_kafka_queue_destroy(queue);
    return subscribe(consumer, reterr);
}

enum hub_status hub_consumer_new(const struct hub_consumer_config *config,
                                 struct hub_consumer **ret_consumer, struct hub_error *reterr) {
    struct hub_consumer *consumer = hub_allocate_zero(1, sizeof *consumer);
    consumer->config = *config;
    consumer->name = hub_copy_text(config->group);
    consumer->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum hub_status status = open_consumer(consumer, reterr);
    if (status != HUB_OK)
        hub_consumer_free(consumer);
    else
        *ret_consumer = consumer;
    return status;
}

void hub_consumer_free(struct hub_consumer *consumer) {
    if (consumer == NULL)
        return;
    consumer->closing = true;
    if (consumer->handle != NULL) {
        rd_kafka_consumer_close(consumer->handle);
        forget_group(consumer);
        rd_kafka_destroy(consumer->handle);
    }
    if (consumer->descriptor >= 0)
        close(consumer->descriptor);
    hub_release(consumer->name);
    hub_release(consumer);
}

static bool is_member(const struct hub_consumer *consumer) {
    char *id = rd_kafka_memberid(consumer->handle);
    bool is = id != NULL && *id != '\0';
    if (id != NULL)
        rd_kafka_mem_free(consumer->handle, id);
    return is;
}

/* A static member says goodbye when it unsubscribes, but not when it closes. It has no id any more
 * once it has said so. */
void hub_consumer_leave(struct hub_consumer *consumer) {
    enum { STEP_MS = 10 };
    int64_t began_ms = hub_clock_monotonic_ms();
    consumer->closing = true;
    if (rd_kafka_unsubscribe(consumer->handle) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    while (is_member(consumer) && hub_clock_monotonic_ms() - began_ms < LEAVE_TIMEOUT_MS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->handle, STEP_MS);
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
}

bool hub_consumer_is_fenced(const struct hub_consumer *consumer) {
    char text[256];
    return rd_kafka_fatal_error(consumer->handle, text, sizeof text) ==
           RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

static enum hub_status take(struct hub_consumer *consumer, rd_kafka_message_t *message,
                            struct hub_kafka_batch *batch, struct hub_error *reterr) {
    rd_kafka_resp_err_t code = message->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        hub_kafka_batch_add(batch, message);
        return HUB_OK;
    }
    bool fenced = hub_consumer_is_fenced(consumer);
    bool hopeless = code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                    code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                    code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
                    (code == RD_KAFKA_RESP_ERR__FATAL && !fenced);
    bool lasting = fenced || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                   code == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED;
    enum hub_status status = HUB_OK;
    if (hopeless || lasting)
        status = hub_fail(reterr, hopeless ? HUB_FATAL : HUB_RETRY, "group %s: %s",
                          consumer->name, rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
    return status;
}

enum hub_status hub_consumer_poll(struct hub_consumer *consumer, int64_t timeout_ms,
                                  size_t count_max, struct hub_kafka_batch *batch,
                                  struct hub_error *reterr) {
    uint64_t signals;
    ssize_t ignored = read(consumer->descriptor, &signals, sizeof signals);
    (void)ignored;
    consumer->rebalanced = false;
    hub_watchdog_beat();
    while (batch->count < count_max && batch->size < HUB_KAFKA_BATCH_BYTES_MAX) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(consumer->handle, batch->count == 0 ? (int)timeout_ms : 0);
        if (consumer->rebalanced) /* every partition starts anew from what was committed */
            hub_kafka_batch_clear(batch);
        consumer->rebalanced = false;
        if (consumer->failed != HUB_OK) {
            if (message != NULL)
                rd_kafka_message_destroy(message);
            *reterr = consumer->error;
            return consumer->failed;
        }
        if (message == NULL)
            return HUB_OK;
        HUB_TRY(take(consumer, message, batch, reterr));
    }
    return HUB_OK;
}

static enum hub_status read_committed(rd_kafka_t *handle, struct hub_kafka_partition *partitions,
                                      size_t count, int64_t timeout_ms, struct hub_arena *arena,
                                      struct hub_error *reterr) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition);
    rd_kafka_resp_err_t code = rd_kafka_committed(handle, list, (int)timeout_ms);
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
        const rd_kafka_topic_partition_t *item = &list->elems[i];
        if (item->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            code = item->err;
        partitions[i].offset = item->offset < 0 ? -1 : item->offset;
        partitions[i].metadata = item->metadata == NULL || item->metadata_size == 0
                                     ? NULL
                                     : hub_arena_text(arena, item->metadata, item->metadata_size);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "committed offsets: %s", rd_kafka_err2str(code));
    return HUB_OK;
}

enum hub_status hub_consumer_committed(struct hub_consumer *consumer,
                                       struct hub_kafka_partition *partitions, size_t count,
                                       int64_t timeout_ms, struct hub_arena *arena,
                                       struct hub_error *reterr) {
    return read_committed(consumer->handle, partitions, count, timeout_ms, arena, reterr);
}

enum hub_status hub_reader_committed(const char *bootstrap, const char *group,
                                     struct hub_kafka_partition *partitions, size_t count,
                                     struct hub_arena *arena, struct hub_error *reterr) {
    const char *const settings[] = {"group.id", group, "isolation.level", "read_committed", NULL};
    char text[512];
    rd_kafka_conf_t *conf = hub_kafka_conf(bootstrap);
    if (conf == NULL)
        return hub_fail(reterr, HUB_FATAL, "bootstrap '%s'", bootstrap);
    HUB_TRY(hub_kafka_configure(conf, settings, reterr));
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (handle == NULL) {
        rd_kafka_conf_destroy(conf);
        return hub_kafka_refused(text, reterr);
    }
    enum hub_status status =
        read_committed(handle, partitions, count, HUB_KAFKA_TIMEOUT_MS, arena, reterr);
    rd_kafka_destroy(handle);
    return status;
}
