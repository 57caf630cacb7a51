/* Loading from Kafka what the cache does not have. Topics of which there is much are read side by
 * side, each by a reader of its own. */
#include "hub/engine/task.h"

#include <pthread.h>

enum { MUCH = 1000 }; /* records, that opening a reader is worth */

struct reading {
    const struct hub_loading *loading;
    const char *bootstrap;
    struct hub_reader *reader;
    bool owns_reader, runs;
    pthread_t thread;
    int64_t count;
    enum hub_status status;
    struct hub_error error;
};

static enum hub_status take_record(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    struct reading *reading = context;
    struct hub_input input = hub_task_input(record);
    reading->count++;
    return reading->loading->take(reading->loading->context, reading->loading->topic, &input,
                                  reterr);
}

static enum hub_status read_topic(struct reading *reading, struct hub_error *reterr) {
    const struct hub_loading *loading = reading->loading;
    const struct hub_kept *kept = loading->kept;
    if (reading->reader == NULL) {
        HUB_TRY(hub_reader_new(reading->bootstrap, &reading->reader, reterr));
        reading->owns_reader = true;
    }
    hub_reader_want_header(reading->reader, kept->header);
    HUB_TRY(hub_reader_read(reading->reader, kept->topic, kept->partition, kept->next, loading->to,
                            take_record, reading, NULL, reterr));
    if (loading->taken != NULL)
        loading->taken(loading->context, loading->topic);
    return HUB_OK;
}

static void *run(void *context) {
    struct reading *reading = context;
    reading->status = read_topic(reading, &reading->error);
    if (reading->owns_reader)
        hub_reader_free(reading->reader);
    return NULL;
}

static enum hub_status prepare(struct hub_task *task, const struct hub_loading *loading,
                               struct hub_error *reterr) {
    struct hub_kept *kept = loading->kept;
    if (kept->next > loading->to) { /* ahead of Kafka: it is a copy of something else */
        hub_task_drop_space(task, kept);
        return hub_fail(reterr, HUB_RETRY, "cache: %s is at %lld, ahead of Kafka's %lld",
                        kept->space, (long long)kept->next, (long long)loading->to);
    }
    kept->level = kept->next == loading->to && task->engine->cache != NULL;
    return HUB_OK;
}

/* Where there is not much to read, and one after the other where there are no threads, in this one.
 */
enum hub_status hub_task_load_topics(struct hub_task *task, const struct hub_loading *loadings,
                                     size_t count, struct hub_error *reterr) {
    struct reading readings[HUB_STORE_TOPICS_MAX];
    enum hub_status status = HUB_OK;
    for (size_t i = 0; i < count; i++)
        HUB_TRY(prepare(task, &loadings[i], reterr));
    for (size_t i = 0; i < count; i++) {
        const struct hub_loading *loading = &loadings[i];
        readings[i] =
            (struct reading){.loading = loading, .bootstrap = task->engine->settings->bootstrap};
        readings[i].runs = i + 1 < count && loading->to - loading->kept->next > MUCH &&
                           pthread_create(&readings[i].thread, NULL, run, &readings[i]) == 0;
    }
    for (size_t i = 0; i < count; i++)
        if (!readings[i].runs) {
            readings[i].reader = task->reader;
            run(&readings[i]);
        }
    for (size_t i = 0; i < count; i++) {
        if (readings[i].runs)
            pthread_join(readings[i].thread, NULL);
        task->loaded_read += readings[i].count;
        if (readings[i].status <= status)
            continue;
        status = readings[i].status;
        *reterr = readings[i].error;
    }
    return status;
}
