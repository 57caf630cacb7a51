/* Versions, settings and batches. */
#include "hub/io/kafka_internal.h"

#include <string.h>

enum hub_status hub_kafka_check_version(const char **ret_version, struct hub_error *reterr) {
    static const struct {
        int version;
        const char *why;
    } unfit[] = {{0x020500ff, "it asserts on telemetry"},
                 {0x020a00ff, "it loops in re-bootstrap"}};
    int version = rd_kafka_version();
    *ret_version = rd_kafka_version_str();
    if (version < 0x020002ff)
        return hub_fail(reterr, HUB_FATAL, "librdkafka %s: 2.0.2 or later would pass",
                        *ret_version);
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (version >> 8 == unfit[i].version >> 8)
            return hub_fail(reterr, HUB_FATAL, "librdkafka %s is unfit: %s", *ret_version,
                            unfit[i].why);
    return HUB_OK;
}

enum hub_status hub_kafka_configure(rd_kafka_conf_t *conf, const char *const *settings,
                                    struct hub_error *reterr) {
    char text[512];
    for (size_t i = 0; settings[i] != NULL; i += 2) {
        rd_kafka_conf_res_t result =
            rd_kafka_conf_set(conf, settings[i], settings[i + 1], text, sizeof text);
        if (result == RD_KAFKA_CONF_INVALID)
            return hub_fail(reterr, HUB_FATAL, "librdkafka refuses %s=%s: %s", settings[i],
                            settings[i + 1], text);
    }
    return HUB_OK;
}

enum hub_status hub_kafka_refused(const char *text, struct hub_error *reterr) {
    bool is_want = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    return hub_fail(reterr, is_want ? HUB_RETRY : HUB_FATAL, "librdkafka: %s", text);
}

/* The library's own lines would repeat what our errors say. */
static void stay_silent(const rd_kafka_t *handle, int level, const char *facility,
                        const char *text) {
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

rd_kafka_conf_t *hub_kafka_conf(const char *bootstrap) {
    static const char *const common[] = {
        "client.id",           "atmp-hub", "socket.keepalive.enable", "true",
        "socket.nagle.disable", "true",    "enable.metrics.push",     "false",
        "message.max.bytes",   "25165824", "receive.message.max.bytes", "134217728",
        /* Else connections are opened one in 50 ms at most, and each client opens several. */
        "enable.sparse.connections", "false", "log_level", "3", NULL};
    struct hub_error ignored;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const where[] = {"bootstrap.servers", bootstrap, NULL};
    rd_kafka_conf_set_log_cb(conf, stay_silent);
    if (hub_kafka_configure(conf, common, &ignored) != HUB_OK ||
        hub_kafka_configure(conf, where, &ignored) != HUB_OK) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

enum hub_status hub_kafka_meet(rd_kafka_t *handle, struct hub_error *reterr) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(handle, /* all_topics= */ 0, NULL, &metadata, HUB_KAFKA_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "Kafka does not answer: %s", rd_kafka_err2str(code));
    rd_kafka_metadata_destroy(metadata);
    return HUB_OK;
}

static void list_headers(const rd_kafka_headers_t *headers, size_t count,
                         struct hub_kafka_header *list, struct hub_kafka_record *record) {
    for (size_t i = 0; i < count; i++) {
        const void *value = NULL;
        size_t size = 0;
        rd_kafka_header_get_all(headers, i, &list[i].name, &value, &size);
        list[i].value = hub_bytes(value, size);
    }
    record->headers = list;
    record->header_count = count;
}

void hub_kafka_read_headers(const rd_kafka_message_t *message, struct hub_arena *arena,
                            struct hub_kafka_record *record) {
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    size_t count = rd_kafka_header_cnt(headers);
    list_headers(headers, count, hub_arena_take(arena, count * sizeof(struct hub_kafka_header)),
                 record);
}

struct hub_kafka_record hub_kafka_record_of(const rd_kafka_message_t *message) {
    return (struct hub_kafka_record){.topic = rd_kafka_topic_name(message->rkt),
                                     .partition = message->partition,
                                     .offset = message->offset,
                                     .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
                                     .has_key = message->key != NULL,
                                     .has_value = message->payload != NULL,
                                     .key = hub_bytes(message->key, message->key_len),
                                     .value = hub_bytes(message->payload, message->len)};
}

void hub_kafka_batch_add(struct hub_kafka_batch *batch, rd_kafka_message_t *message) {
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity == 0 ? 256 : batch->capacity * 2;
        batch->records =
            hub_reallocate(batch->records, batch->capacity * sizeof *batch->records);
        batch->messages =
            hub_reallocate(batch->messages, batch->capacity * sizeof *batch->messages);
    }
    struct hub_kafka_record *record = &batch->records[batch->count];
    *record = hub_kafka_record_of(message);
    batch->size += record->key.size + record->value.size;
    batch->messages[batch->count++] = message;
}

static void drop_headers(struct hub_kafka_batch *batch) {
    if (batch->headers != NULL)
        rd_kafka_headers_destroy(batch->headers);
    batch->headers = NULL;
}

void hub_kafka_batch_read_headers(struct hub_kafka_batch *batch, size_t index) {
    rd_kafka_headers_t *headers = NULL;
    drop_headers(batch);
    if (rd_kafka_message_detach_headers(batch->messages[index], &headers) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    size_t count = rd_kafka_header_cnt(headers);
    batch->headers = headers;
    if (count > batch->list_capacity) {
        batch->list = hub_reallocate(batch->list, count * sizeof *batch->list);
        batch->list_capacity = count;
    }
    list_headers(headers, count, batch->list, &batch->records[index]);
}

static struct hub_kafka_header *copy_header(struct hub_arena *arena,
                                            const struct hub_kafka_header *header,
                                            const char *name) {
    struct hub_kafka_header *copy = hub_arena_take(arena, sizeof *copy);
    const char *value = (const char *)header->value.data;
    *copy = (struct hub_kafka_header){name, header->value};
    if (value != NULL)
        copy->value.data = (uint8_t *)hub_arena_text(arena, value, header->value.size);
    return copy;
}

void hub_kafka_batch_leave_headers(struct hub_kafka_batch *batch, size_t index, const char *kept) {
    struct hub_kafka_record *record = &batch->records[index];
    size_t at = 0;
    while (kept != NULL && at < record->header_count && strcmp(record->headers[at].name, kept) != 0)
        at++;
    bool keeps = kept != NULL && at < record->header_count;
    record->headers = keeps ? copy_header(&batch->arena, &record->headers[at], kept) : NULL;
    record->header_count = keeps;
    drop_headers(batch);
}

void hub_kafka_batch_clear(struct hub_kafka_batch *batch) {
    drop_headers(batch);
    for (size_t i = 0; i < batch->count; i++)
        rd_kafka_message_destroy(batch->messages[i]);
    batch->count = batch->size = 0;
    hub_arena_reset(&batch->arena);
}

void hub_kafka_batch_free(struct hub_kafka_batch *batch) {
    hub_kafka_batch_clear(batch);
    hub_release(batch->records);
    hub_release(batch->messages);
    hub_release(batch->list);
    hub_arena_destroy(&batch->arena);
    *batch = (struct hub_kafka_batch){0};
}
