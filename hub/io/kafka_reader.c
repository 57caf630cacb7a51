/* Reading partitions to their end, and asking about topics. */
#include "hub/io/kafka_internal.h"

#include "hub/io/clock.h"
#include "hub/io/watchdog.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct hub_reader {
    char *bootstrap;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue; /* the handle's */
    rd_kafka_t *uncommitted; /* asks for the ends of logs; NULL until needed */
    bool wants_one;          /* header at most */
    const char *wanted;
    const struct rd_kafka_metadata *known; /* of the last look; NULL before one */
};

enum hub_status hub_reader_open_handle(const char *bootstrap, const char *isolation,
                                       rd_kafka_t **ret_handle, struct hub_error *reterr) {
    const char *const settings[] = {"group.id",                 "atmp-hub-reader",
                                    "isolation.level",          isolation,
                                    "enable.auto.commit",       "false",
                                    "enable.partition.eof",     "true",
                                    "auto.offset.reset",        "error",
                                    "check.crcs",               "true",
                                    "allow.auto.create.topics", "false",
                                    "fetch.queue.backoff.ms",   "10",
                                    "fetch.wait.max.ms",        "5",
                                    "fetch.message.max.bytes",  "4194304",
                                    NULL};
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
    rd_kafka_poll_set_consumer(handle);
    *ret_handle = handle;
    return HUB_OK;
}

enum hub_status hub_reader_new(const char *bootstrap, struct hub_reader **ret_reader,
                               struct hub_error *reterr) {
    rd_kafka_t *handle = NULL;
    HUB_TRY(hub_reader_open_handle(bootstrap, "read_committed", &handle, reterr));
    *ret_reader = hub_allocate_zero(1, sizeof **ret_reader);
    (*ret_reader)->bootstrap = hub_copy_text(bootstrap);
    (*ret_reader)->handle = handle;
    (*ret_reader)->queue = rd_kafka_queue_get_consumer(handle);
    return HUB_OK;
}

void hub_reader_close_handle(rd_kafka_t *handle) {
    if (handle == NULL)
        return;
    rd_kafka_consumer_close(handle);
    rd_kafka_destroy(handle);
}

void hub_reader_free(struct hub_reader *reader) {
    if (reader == NULL)
        return;
    rd_kafka_queue_destroy(reader->queue);
    hub_reader_close_handle(reader->handle);
    hub_reader_close_handle(reader->uncommitted);
    if (reader->known != NULL)
        rd_kafka_metadata_destroy(reader->known);
    hub_release(reader->bootstrap);
    hub_release(reader);
}

enum hub_status hub_reader_bounds(struct hub_reader *reader, const char *topic, int32_t partition,
                                  int64_t *ret_first, int64_t *ret_end,
                                  struct hub_error *reterr) {
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        reader->handle, topic, partition, ret_first, ret_end, HUB_KAFKA_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "%s/%d: %s", topic, partition, rd_kafka_err2str(code));
    return HUB_OK;
}

/* All in one request to each broker. */
static enum hub_status ends_of(rd_kafka_t *handle, struct hub_kafka_partition *partitions,
                               size_t count, struct hub_error *reterr) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    size_t failed = 0;
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)
            ->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t code =
        count == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR
                   : rd_kafka_offsets_for_times(handle, list, HUB_KAFKA_TIMEOUT_MS);
    for (size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < count; i++) {
        partitions[i].offset = list->elems[i].offset;
        code = list->elems[i].err;
        failed = i;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "%s/%d: %s", partitions[failed].topic,
                        partitions[failed].partition, rd_kafka_err2str(code));
    return HUB_OK;
}

enum hub_status hub_reader_ends(struct hub_reader *reader, struct hub_kafka_partition *partitions,
                                size_t count, struct hub_error *reterr) {
    return ends_of(reader->handle, partitions, count, reterr);
}

/* The ends of the logs, whatever is still open below them. */
static enum hub_status high_watermarks(struct hub_reader *reader,
                                       struct hub_kafka_partition *partitions, size_t count,
                                       struct hub_error *reterr) {
    if (reader->uncommitted == NULL)
        HUB_TRY(hub_reader_open_handle(reader->bootstrap, "read_uncommitted",
                                       &reader->uncommitted, reterr));
    return ends_of(reader->uncommitted, partitions, count, reterr);
}

/* The first partition in which something is open: its committed end is before its other one. */
static const struct hub_kafka_partition *find_open(const struct hub_kafka_partition *committed,
                                                   const struct hub_kafka_partition *ends,
                                                   size_t count) {
    for (size_t i = 0; i < count; i++)
        if (committed[i].offset < ends[i].offset)
            return &committed[i];
    return NULL;
}

static enum hub_status settle(struct hub_reader *reader, struct hub_kafka_partition *partitions,
                              struct hub_kafka_partition *ends, size_t count,
                              struct hub_error *reterr) {
    const struct timespec pause = {0, 20 * 1000000};
    int64_t began_ms = hub_clock_monotonic_ms();
    HUB_TRY(high_watermarks(reader, ends, count, reterr));
    for (;;) {
        hub_watchdog_beat();
        HUB_TRY(hub_reader_ends(reader, partitions, count, reterr));
        const struct hub_kafka_partition *open = find_open(partitions, ends, count);
        if (open == NULL)
            return HUB_OK;
        if (hub_clock_monotonic_ms() - began_ms > HUB_KAFKA_TIMEOUT_MS)
            return hub_fail(reterr, HUB_RETRY,
                            "%s/%d: a transaction has been open from offset %lld on for %d s",
                            open->topic, open->partition, (long long)open->offset,
                            HUB_KAFKA_TIMEOUT_MS / 1000);
        nanosleep(&pause, NULL);
    }
}

enum hub_status hub_reader_settle(struct hub_reader *reader,
                                  struct hub_kafka_partition *partitions, size_t count,
                                  struct hub_error *reterr) {
    struct hub_kafka_partition *ends = hub_copy_bytes(partitions, count * sizeof *ends);
    enum hub_status status = settle(reader, partitions, ends, count, reterr);
    hub_release(ends);
    return status;
}

static enum hub_status start(struct hub_reader *reader, const char *topic, int32_t partition,
                             int64_t offset, struct hub_error *reterr) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "%s/%d: %s", topic, partition, rd_kafka_err2str(code));
    return HUB_OK;
}

struct reading {
    const char *topic;
    int32_t partition;
    int64_t to, next;
    const struct hub_reader *reader;
    enum hub_status (*take)(void *context, const struct hub_kafka_record *record,
                            struct hub_error *reterr);
    void *context;
    struct hub_error *reterr;
    struct hub_arena arena; /* of one record's headers */
    bool ended;
};

static void read_wanted(const struct hub_reader *reader, const rd_kafka_message_t *message,
                        struct hub_kafka_header *header, struct hub_kafka_record *record) {
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (reader->wanted == NULL ||
        rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, reader->wanted, &value, &size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    *header =
        (struct hub_kafka_header){reader->wanted, hub_bytes(value == NULL ? "" : value, size)};
    record->headers = header;
    record->header_count = 1;
}

static enum hub_status take_record(struct reading *reading, const rd_kafka_message_t *message) {
    struct hub_kafka_record record = hub_kafka_record_of(message);
    struct hub_kafka_header header;
    if (reading->reader->wants_one)
        read_wanted(reading->reader, message, &header, &record);
    else
        hub_kafka_read_headers(message, &reading->arena, &record);
    enum hub_status status = reading->take(reading->context, &record, reading->reterr);
    hub_arena_reset(&reading->arena);
    reading->next = message->offset + 1;
    reading->ended = reading->next >= reading->to;
    return status;
}

/* What an earlier reading has left in the queue is not meant, nor is what was taken already; and an end
 * that is said to be before where this reading ends is not its end: what comes after would be missing
 * for ever, and nobody would know. */
static bool is_meant(const struct reading *reading, const rd_kafka_message_t *message) {
    bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_end)
        return true;
    if (message->rkt == NULL || message->partition != reading->partition ||
        strcmp(rd_kafka_topic_name(message->rkt), reading->topic) != 0)
        return false;
    return message->offset >= (is_end ? reading->to : reading->next);
}

static enum hub_status take_message(struct reading *reading, rd_kafka_message_t *message) {
    enum hub_status status = HUB_OK;
    if (!is_meant(reading, message)) {
        rd_kafka_message_destroy(message);
        return HUB_OK;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        reading->next = message->offset;
        reading->ended = true;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
            message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            status = hub_fail(reading->reterr, HUB_FATAL, "%s/%d: %s", reading->topic,
                              reading->partition, rd_kafka_message_errstr(message));
    } else if (message->offset >= reading->to) {
        reading->next = reading->to;
        reading->ended = true;
    } else {
        status = take_record(reading, message);
    }
    rd_kafka_message_destroy(message);
    return status;
}

void hub_reader_want_header(struct hub_reader *reader, const char *name) {
    reader->wants_one = true;
    reader->wanted = name;
}

enum { STEP_MS = 1000, AT_ONCE = 500 };

/* Waits for one, and takes what else is there. */
static size_t poll_some(struct hub_reader *reader, rd_kafka_message_t **messages) {
    messages[0] = rd_kafka_consumer_poll(reader->handle, STEP_MS);
    if (messages[0] == NULL)
        return 0;
    ssize_t more = rd_kafka_consume_batch_queue(reader->queue, /* timeout_ms= */ 0, messages + 1,
                                                AT_ONCE - 1);
    return 1 + (more > 0 ? (size_t)more : 0);
}

/* All of them are taken or given back. */
static enum hub_status take_some(struct reading *reading, rd_kafka_message_t **messages,
                                 size_t count) {
    enum hub_status status = HUB_OK;
    size_t i = 0;
    for (; i < count && status == HUB_OK && !reading->ended; i++)
        status = take_message(reading, messages[i]);
    for (; i < count; i++)
        rd_kafka_message_destroy(messages[i]);
    return status;
}

static enum hub_status read_on(struct hub_reader *reader, struct reading *reading,
                               struct hub_error *reterr) {
    rd_kafka_message_t *messages[AT_ONCE];
    enum hub_status status = HUB_OK;
    int quiet_ms = 0;
    while (status == HUB_OK && !reading->ended) {
        hub_watchdog_beat();
        size_t count = poll_some(reader, messages);
        status = take_some(reading, messages, count);
        quiet_ms = count > 0 ? 0 : quiet_ms + STEP_MS;
        if (status == HUB_OK && quiet_ms > HUB_KAFKA_TIMEOUT_MS)
            status = hub_fail(reterr, HUB_RETRY, "%s/%d: nothing came for %d s", reading->topic,
                              reading->partition, HUB_KAFKA_TIMEOUT_MS / 1000);
    }
    return status;
}

enum hub_status hub_reader_read(struct hub_reader *reader, const char *topic, int32_t partition,
                                int64_t from, int64_t to,
                                enum hub_status (*take)(void *context,
                                                        const struct hub_kafka_record *record,
                                                        struct hub_error *reterr),
                                void *context, int64_t *ret_next, struct hub_error *reterr) {
    int64_t first = 0, end = 0;
    if (to >= 0 && from >= to) { /* no need to ask */
        if (ret_next != NULL)
            *ret_next = from;
        return HUB_OK;
    }
    HUB_TRY(hub_reader_bounds(reader, topic, partition, &first, &end, reterr));
    if (to > end)
        return hub_fail(reterr, HUB_RETRY, "%s/%d ends at %lld, and is to be read up to %lld", topic,
                        partition, (long long)end, (long long)to);
    struct reading reading = {.topic = topic,
                              .partition = partition,
                              .to = to < 0 ? end : to,
                              .next = from < first ? first : from,
                              .reader = reader,
                              .take = take,
                              .context = context,
                              .reterr = reterr};
    reading.ended = reading.next >= reading.to;
    enum hub_status status = HUB_OK;
    if (!reading.ended)
        status = start(reader, topic, partition, reading.next, reterr);
    if (status == HUB_OK)
        status = read_on(reader, &reading, reterr);
    rd_kafka_assign(reader->handle, NULL);
    hub_arena_destroy(&reading.arena);
    if (ret_next != NULL)
        *ret_next = reading.next;
    return status;
}

static enum hub_status metadata_of(struct hub_reader *reader,
                                   const struct rd_kafka_metadata **ret_metadata,
                                   struct hub_error *reterr) {
    rd_kafka_resp_err_t code = rd_kafka_metadata(reader->handle, /* all_topics= */ 1, NULL,
                                                 ret_metadata, HUB_KAFKA_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "Kafka does not answer: %s", rd_kafka_err2str(code));
    return HUB_OK;
}

enum hub_status hub_reader_partition_count(struct hub_reader *reader, const char *topic,
                                           int32_t *ret_count, struct hub_error *reterr) {
    const struct rd_kafka_metadata *metadata = reader->known;
    if (metadata == NULL)
        HUB_TRY(metadata_of(reader, &metadata, reterr));
    *ret_count = -1;
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, topic) == 0)
            *ret_count = metadata->topics[i].partition_cnt;
    if (metadata != reader->known)
        rd_kafka_metadata_destroy(metadata);
    return HUB_OK;
}

enum hub_status hub_reader_look(struct hub_reader *reader, struct hub_error *reterr) {
    if (reader->known != NULL)
        rd_kafka_metadata_destroy(reader->known);
    reader->known = NULL;
    return metadata_of(reader, &reader->known, reterr);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum hub_status hub_reader_topics(struct hub_reader *reader, struct hub_arena *arena,
                                  char ***ret_names, struct hub_error *reterr) {
    const struct rd_kafka_metadata *metadata = NULL;
    HUB_TRY(metadata_of(reader, &metadata, reterr));
    size_t count = (size_t)metadata->topic_cnt;
    char **names = hub_arena_take(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = hub_arena_text(arena, metadata->topics[i].topic,
                                  strlen(metadata->topics[i].topic));
    names[count] = NULL;
    qsort(names, count, sizeof *names, compare_names);
    rd_kafka_metadata_destroy(metadata);
    *ret_names = names;
    return HUB_OK;
}

enum hub_status hub_reader_cluster_id(struct hub_reader *reader, struct hub_arena *arena,
                                      const char **ret_id, struct hub_error *reterr) {
    HUB_TRY(hub_kafka_meet(reader->handle, reterr));
    char *id = rd_kafka_clusterid(reader->handle, HUB_KAFKA_TIMEOUT_MS);
    if (id == NULL)
        return hub_fail(reterr, HUB_RETRY, "Kafka does not answer");
    *ret_id = hub_arena_text(arena, id, strlen(id));
    rd_kafka_mem_free(reader->handle, id);
    return HUB_OK;
}
