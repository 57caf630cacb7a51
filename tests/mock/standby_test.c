/* standby: the cache says of no record that it is the newest where it is not, however a shard goes to and fro
 * between following it and holding it. */
#include "hub/engine/counts.h"
#include "hub/engine/task.h"
#include "hub/engine/topics.h"
#include "hub/io/cache.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "tests/lib/cluster.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

enum { PATIENCE_MS = 60000, RECORDS = 4 };
static const char topic[] = "ingest.sus.trial", space[] = "admitted.sus.trial/0", key[] = "ctgov/A";

struct standing {
    struct cluster cluster;
    struct folder folder; /* of the cache */
    struct hub_settings settings;
    struct hub_engine engine;
    struct hub_task task;
    size_t batch_count_max;
    struct hub_arena arena;
    struct hub_error error;
};

/* The mock cluster takes a third of a second for a topic: only those that admit touches. */
static bool is_of_admit(const char *name) {
    static const char *const prefixes[] = {"ingest.", "admitted.", "log.", "deadletter.hub",
                                           "decision"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static void open_task(struct standing *standing) {
    expect_ok(hub_task_open(&standing->task, &hub_admit_task, &standing->engine,
                            &standing->batch_count_max, &standing->error),
              &standing->error);
}

/* Another process of the group has taken all that is there. */
static void commit(struct standing *standing) {
    char text[256];
    HUB_SCOPED_BUFFER stamp = {0};
    HUB_SCOPED_BUFFER counts = {0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", standing->cluster.bootstrap, text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "hub-admit", text, sizeof text);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, topic, 0);
    const struct hub_admit_counts all = {.read = RECORDS, .created = 1, .changed = RECORDS - 1};
    hub_catalogue_stamp(test_catalogue(), &hub_sha256, &stamp);
    hub_counts_render_schemas(hub_buffer_text(&stamp), &counts);
    hub_counts_render_admit(&all, &counts);
    item->offset = RECORDS;
    item->metadata = strdup(hub_buffer_text(&counts));
    item->metadata_size = counts.size;
    assert_int_equal(rd_kafka_commit(handle, list, /* async= */ 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
}

/* A task that holds nothing yet, beside an empty cache. */
static void begin(struct standing *standing) {
    struct hub_topic_config *topics = NULL;
    size_t count = 0;
    *standing = (struct standing){.batch_count_max = 1};
    cluster_start(&standing->cluster);
    folder_make(&standing->folder);
    hub_topics_list(test_catalogue(), &standing->arena, &topics, &count);
    for (size_t i = 0; i < count; i++)
        if (is_of_admit(topics[i].name))
            cluster_topic(&standing->cluster, topics[i].name, topics[i].partitions);
    cluster_write(&standing->cluster, topic, 0, key, "said", RECORDS);
    cluster_write(&standing->cluster, "admitted.sus.trial", 0, key, "admitted", RECORDS);
    standing->settings = (struct hub_settings){.bootstrap = standing->cluster.bootstrap,
                                               .instance = "hub-1",
                                               .group = "hub",
                                               .batch_count_max = 1};
    standing->engine = (struct hub_engine){.settings = &standing->settings,
                                           .catalogue = test_catalogue(),
                                           .cache_lock = PTHREAD_MUTEX_INITIALIZER};
    expect_ok(hub_cache_open(folder_path(&standing->folder, "cache"), "", &hub_sha256,
                             hub_clock_realtime_ms(), &standing->engine.cache, &standing->error),
              &standing->error);
    commit(standing);
    open_task(standing);
    standing->task.assigned = true; /* nothing */
}

static void end(struct standing *standing) {
    hub_task_close(&standing->task);
    hub_cache_close(standing->engine.cache);
    hub_arena_destroy(&standing->arena);
    folder_remove(&standing->folder);
    cluster_stop(&standing->cluster);
}

static const struct hub_slot *followed(const struct standing *standing) {
    for (size_t i = 0; i < standing->task.other_count; i++)
        if (strcmp(standing->task.others[i].topic, topic) == 0 &&
            standing->task.others[i].partition == 0)
            return &standing->task.others[i];
    return NULL;
}

/* Record by record, until nothing is left. */
static void follow(struct standing *standing) {
    int64_t began_ms = hub_clock_monotonic_ms();
    const struct hub_slot *slot = NULL;
    bool worked = false;
    while (slot == NULL || !slot->followed || slot->next != RECORDS || !slot->kept[0].level) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("it was not followed to its end");
        expect_ok(hub_task_follow(&standing->task, 1, &worked, &standing->error), &standing->error);
        slot = followed(standing);
    }
    assert_int_equal(slot->kept[0].next, RECORDS);
}

static void hold(struct standing *standing) {
    int64_t began_ms = hub_clock_monotonic_ms();
    bool worked = false;
    while (standing->task.slot_count == 0) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("nothing was assigned");
        expect_ok(hub_task_step(&standing->task, /* timeout_ms= */ 10, &worked, &standing->error),
                  &standing->error);
    }
}

static enum hub_status take_offset(void *context, struct hub_bytes own_key, struct hub_bytes value,
                                   struct hub_error *reterr) {
    (void)own_key;
    (void)reterr;
    memcpy(context, value.data, sizeof(int64_t)); /* keep.c: the offset is first */
    return HUB_OK;
}

/* The only key's record in the cache is the last one before where the cache says that it stands. */
static void expect_sound(struct standing *standing, int64_t stands_at) {
    struct hub_cache_mark *marks = hub_arena_take(
        &standing->arena, (standing->task.slot_count + standing->task.other_count + 1) *
                              HUB_TASK_MARKS_MAX * sizeof *marks);
    int64_t offset = -1, next = -1;
    size_t count = 0;
    expect_ok(hub_task_marks(&standing->task, marks, &count, &standing->error), &standing->error);
    expect_ok(hub_cache_checkpoint(standing->engine.cache, marks, count, &standing->error),
              &standing->error);
    expect_ok(hub_cache_load(standing->engine.cache, space, take_offset, &offset, &next,
                             &standing->error),
              &standing->error);
    assert_int_equal(next, stands_at);
    assert_int_equal(offset, next - 1);
}

static void what_is_followed_is_kept_to_its_end(void **state) {
    struct standing standing;
    (void)state;
    begin(&standing);
    follow(&standing);
    expect_sound(&standing, RECORDS);
    end(&standing);
}

/* It is followed, then held for a while in which the cache is brought up anew from where its file stands, and then
 * followed again: from there, and not from where it had been followed to. */
static void what_was_held_meanwhile_is_followed_anew(void **state) {
    struct standing standing;
    bool worked = false;
    (void)state;
    begin(&standing);
    follow(&standing);
    hold(&standing);
    expect_ok(hub_task_keep(&standing.task, 1, &worked, &standing.error), &standing.error);
    assert_true(worked); /* the first record is noted over the last one */
    hub_consumer_leave(standing.task.consumer);
    assert_int_equal(standing.task.slot_count, 0);
    follow(&standing);
    expect_sound(&standing, RECORDS);
    end(&standing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_followed_is_kept_to_its_end),
        cmocka_unit_test(what_was_held_meanwhile_is_followed_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
