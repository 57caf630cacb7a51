/* Takes away, from a program that it is loaded into (LD_PRELOAD), one of the things that keep records
 * from being lost or doubled. What the fault programme then finds is how we know that it would find it.
 *
 * HUB_WEAKENED: guard             an ambiguous answer is not noticed (KAFKA-17754)
 *               read-committed    what was never committed is read
 *               offsets           offsets are committed by the clock, and not in the transaction
 *               commit            a transaction is said to be committed, and was aborted */
#include <librdkafka/rdkafka.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool lacks(const char *what) {
    const char *named = getenv("HUB_WEAKENED");
    return named != NULL && strcmp(named, what) == 0;
}

#define ORIGINAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

rd_kafka_resp_err_t rd_kafka_interceptor_add_on_response_received(
    rd_kafka_t *handle, const char *name, rd_kafka_interceptor_f_on_response_received_t *callback,
    void *context) {
    if (lacks("guard"))
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    return ORIGINAL(rd_kafka_interceptor_add_on_response_received)(handle, name, callback, context);
}

rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                                      char *text, size_t size) {
    if (lacks("read-committed") && strcmp(name, "isolation.level") == 0)
        value = "read_uncommitted";
    if (lacks("offsets") && (strcmp(name, "enable.auto.commit") == 0 ||
                             strcmp(name, "enable.auto.offset.store") == 0))
        value = "true";
    return ORIGINAL(rd_kafka_conf_set)(conf, name, value, text, size);
}

rd_kafka_error_t *
rd_kafka_send_offsets_to_transaction(rd_kafka_t *handle,
                                     const rd_kafka_topic_partition_list_t *offsets,
                                     const rd_kafka_consumer_group_metadata_t *group,
                                     int timeout_ms) {
    if (lacks("offsets"))
        return NULL;
    return ORIGINAL(rd_kafka_send_offsets_to_transaction)(handle, offsets, group, timeout_ms);
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms) {
    static int commits;
    if (lacks("commit") && ++commits % 5 == 0)
        return ORIGINAL(rd_kafka_abort_transaction)(handle, timeout_ms);
    return ORIGINAL(rd_kafka_commit_transaction)(handle, timeout_ms);
}
