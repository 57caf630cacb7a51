/* Creating topics. */
#include "hub/io/kafka_internal.h"

#include <string.h>

static enum hub_status check_existing(struct hub_reader *reader,
                                      const struct hub_topic_config *topic, bool *ret_exists,
                                      struct hub_error *reterr) {
    int32_t count = 0;
    HUB_TRY(hub_reader_partition_count(reader, topic->name, &count, reterr));
    *ret_exists = count >= 0;
    if (count >= 0 && count != topic->partitions)
        return hub_fail(reterr, HUB_FATAL,
                        "topic %s has %d partitions; %d would pass, and a count is fixed at "
                        "creation", topic->name, count, topic->partitions);
    return HUB_OK;
}

static enum hub_status make_topic(const struct hub_topic_config *topic, int32_t replication,
                                  rd_kafka_NewTopic_t **ret_topic, struct hub_error *reterr) {
    char text[512];
    rd_kafka_NewTopic_t *fresh =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, replication, text, sizeof text);
    if (fresh == NULL)
        return hub_fail(reterr, HUB_FATAL, "topic '%s': %s", topic->name, text);
    for (size_t i = 0; topic->settings[i] != NULL; i += 2)
        rd_kafka_NewTopic_set_config(fresh, topic->settings[i], topic->settings[i + 1]);
    *ret_topic = fresh;
    return HUB_OK;
}

static enum hub_status judge(rd_kafka_event_t *event, struct hub_error *reterr) {
    size_t count = 0;
    if (event == NULL)
        return hub_fail(reterr, HUB_RETRY, "creating topics: no answer");
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return hub_fail(reterr, HUB_RETRY, "creating topics: %s",
                        rd_kafka_event_error_string(event));
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return hub_fail(reterr, HUB_FATAL, "creating %s: %s",
                            rd_kafka_topic_result_name(results[i]), rd_kafka_err2str(code));
    }
    return HUB_OK;
}

static enum hub_status create(const char *bootstrap, rd_kafka_NewTopic_t **fresh, size_t count,
                              struct hub_error *reterr) {
    char text[512];
    rd_kafka_t *handle =
        rd_kafka_new(RD_KAFKA_PRODUCER, hub_kafka_conf(bootstrap), text, sizeof text);
    if (handle == NULL)
        return hub_kafka_refused(text, reterr);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, HUB_KAFKA_TIMEOUT_MS, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, fresh, count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, HUB_KAFKA_TIMEOUT_MS + 5000);
    enum hub_status status = judge(event, reterr);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_destroy(handle);
    return status;
}

enum hub_status hub_topics_create(const char *bootstrap, const struct hub_topic_config *topics,
                                  size_t count, int32_t replication, struct hub_error *reterr) {
    struct hub_reader *reader = NULL;
    HUB_TRY(hub_reader_new(bootstrap, &reader, reterr));
    rd_kafka_NewTopic_t **fresh = hub_allocate_zero(count, sizeof(rd_kafka_NewTopic_t *));
    size_t fresh_count = 0;
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && i < count; i++) {
        bool exists = false;
        status = check_existing(reader, &topics[i], &exists, reterr);
        if (status == HUB_OK && !exists)
            status = make_topic(&topics[i], replication, &fresh[fresh_count], reterr);
        fresh_count += status == HUB_OK && !exists;
    }
    if (status == HUB_OK && fresh_count > 0)
        status = create(bootstrap, fresh, fresh_count, reterr);
    rd_kafka_NewTopic_destroy_array(fresh, fresh_count);
    hub_release(fresh);
    hub_reader_free(reader);
    return status;
}
