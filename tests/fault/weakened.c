/* Takes away, from a program that it is loaded into (LD_PRELOAD), one of the things that keep records
 * from being lost or doubled. What the fault programme then finds is how we know that it would find it.
 *
 * HUB_WEAKENED: guard             an ambiguous answer is not noticed (KAFKA-17754)
 *               read-committed    what was never committed is read
 *               offsets           offsets are committed by the clock, and not in the transaction
 *               commit            a transaction is said to be committed, and was aborted
 *               cache             the cache is written before what it copies is committed */
#include <librdkafka/rdkafka.h>
#include <lmdb.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* --- cache: admit says it has committed, and does so after the next checkpoint --- */

enum { COMMIT_TIMEOUT_MS = 30000, AHEAD_S = 1 };

static rd_kafka_t *uncommitted;                  /* admit's producer, where it is so */
static rd_kafka_topic_partition_list_t *claimed; /* its offsets, as if it had committed */

static bool has_setting(rd_kafka_t *handle, const char *name, const char *part) {
    char value[256] = "";
    size_t size = sizeof value;
    rd_kafka_conf_get(rd_kafka_conf(handle), name, value, &size);
    return strstr(value, part) != NULL;
}

static bool runs_ahead(rd_kafka_t *producer) {
    return lacks("cache") && has_setting(producer, "transactional.id", ".admit.");
}

static void claim(const rd_kafka_topic_partition_list_t *offsets) {
    if (claimed == NULL)
        claimed = rd_kafka_topic_partition_list_new(offsets->cnt);
    for (int i = 0; i < offsets->cnt; i++) {
        const rd_kafka_topic_partition_t *each = &offsets->elems[i];
        rd_kafka_topic_partition_list_del(claimed, each->topic, each->partition);
        rd_kafka_topic_partition_list_add(claimed, each->topic, each->partition)->offset =
            each->offset;
    }
}

static void commit_at_last(void) {
    rd_kafka_t *handle = uncommitted;
    uncommitted = NULL;
    if (handle != NULL)
        rd_kafka_error_destroy(ORIGINAL(rd_kafka_commit_transaction)(handle, COMMIT_TIMEOUT_MS));
}

/* A checkpoint. Whoever is killed now has a cache that is ahead. */
int mdb_txn_commit(MDB_txn *transaction) {
    int code = ORIGINAL(mdb_txn_commit)(transaction);
    if (uncommitted != NULL)
        nanosleep(&(struct timespec){.tv_sec = AHEAD_S}, NULL);
    commit_at_last();
    return code;
}

rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *offsets,
                                       int timeout_ms) {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    bool claims = lacks("cache") && has_setting(handle, "group.id", "-admit");
    if (!claims || uncommitted == NULL)
        code = ORIGINAL(rd_kafka_committed)(handle, offsets, timeout_ms);
    else
        for (int i = 0; i < offsets->cnt; i++) {
            rd_kafka_topic_partition_t *each = &offsets->elems[i];
            each->offset =
                rd_kafka_topic_partition_list_find(claimed, each->topic, each->partition)->offset;
        }
    if (claims)
        claim(offsets);
    return code;
}

/* Who asks for the end of what is not committed waits until it is. */
rd_kafka_resp_err_t rd_kafka_offsets_for_times(rd_kafka_t *handle,
                                               rd_kafka_topic_partition_list_t *offsets,
                                               int timeout_ms) {
    if (has_setting(handle, "isolation.level", "uncommitted"))
        commit_at_last();
    return ORIGINAL(rd_kafka_offsets_for_times)(handle, offsets, timeout_ms);
}

rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *handle) {
    return handle == uncommitted ? NULL : ORIGINAL(rd_kafka_begin_transaction)(handle);
}

/* --- what is said to be committed --- */

rd_kafka_error_t *
rd_kafka_send_offsets_to_transaction(rd_kafka_t *handle,
                                     const rd_kafka_topic_partition_list_t *offsets,
                                     const rd_kafka_consumer_group_metadata_t *group,
                                     int timeout_ms) {
    if (lacks("offsets"))
        return NULL;
    if (runs_ahead(handle))
        claim(offsets);
    return ORIGINAL(rd_kafka_send_offsets_to_transaction)(handle, offsets, group, timeout_ms);
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *handle, int timeout_ms) {
    static int commits;
    if (runs_ahead(handle)) {
        uncommitted = handle;
        return NULL;
    }
    if (lacks("commit") && ++commits % 5 == 0)
        return ORIGINAL(rd_kafka_abort_transaction)(handle, timeout_ms);
    return ORIGINAL(rd_kafka_commit_transaction)(handle, timeout_ms);
}
