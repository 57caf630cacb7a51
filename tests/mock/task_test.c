/* task: a step is a transaction; what goes wrong in one never reaches the next. */
#include "hub/engine/task.h"
#include "hub/engine/topics.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cluster.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 60000, SESSION_TIMEOUT_MS = 10000, BATCH = 8 };

#define E(name) RD_KAFKA_RESP_ERR_##name

struct working {
    struct cluster cluster;
    struct hub_settings settings;
    struct hub_engine engine;
    struct hub_task task;
    size_t batch_count_max;
    struct hub_arena arena;
    struct hub_error error;
    int version;
};

/* The mock cluster takes a third of a second for a topic: only those that admit touches. */
static bool is_of_admit(const char *topic) {
    static const char *const prefixes[] = {"ingest.", "admitted.", "log.", "deadletter.hub",
                                           "decision"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(topic, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* With one partition too many in the topic `wrong` (NULL: in none). */
static void prepare(struct working *working, const char *wrong) {
    struct hub_topic_config *topics = NULL;
    size_t count = 0;
    *working = (struct working){.batch_count_max = BATCH};
    cluster_start(&working->cluster);
    hub_topics_list(test_catalogue(), &working->arena, &topics, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_wrong = wrong != NULL && strcmp(topics[i].name, wrong) == 0;
        if (is_of_admit(topics[i].name))
            cluster_topic(&working->cluster, topics[i].name, topics[i].partitions + is_wrong);
    }
    working->settings = (struct hub_settings){.bootstrap = working->cluster.bootstrap,
                                              .instance = "hub-1",
                                              .group = "hub",
                                              .batch_count_max = BATCH};
    working->engine =
        (struct hub_engine){.settings = &working->settings, .catalogue = test_catalogue()};
}

static void open_task(struct working *working) {
    expect_ok(hub_task_open(&working->task, &hub_admit_task, &working->engine,
                            &working->batch_count_max, &working->error),
              &working->error);
}

static void begin(struct working *working) {
    prepare(working, NULL);
    open_task(working);
}

static void end(struct working *working) {
    hub_task_close(&working->task);
    hub_arena_destroy(&working->arena);
    cluster_stop(&working->cluster);
}

/* One more version of a trial in ingest.sus.trial. */
static void say(struct working *working) {
    const struct hub_domain *domain = test_domain("trial");
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, domain->schema->id);
    hub_buffer_append_bytes(
        &message, test_value(domain->schema->root,
                             hub_arena_format(&working->arena, "{'statement': {'version': '%d'}}",
                                              ++working->version),
                             &working->arena));
    cluster_write_bytes(&working->cluster, "ingest.sus.trial", 0, "ctgov/A", message.data,
                        message.size);
}

/* Steps until one had something to do, or failed. */
static enum hub_status step(struct working *working) {
    int64_t began_ms = hub_clock_monotonic_ms();
    bool worked = false;
    enum hub_status status = HUB_OK;
    while (status == HUB_OK && !worked) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("no record came");
        status = hub_task_step(&working->task, /* timeout_ms= */ 100, &worked, &working->error);
    }
    return status;
}

static const struct hub_slot *slot_of(struct working *working, const char *topic) {
    for (size_t i = 0; i < working->task.slot_count; i++)
        if (strcmp(working->task.slots[i].topic, topic) == 0 &&
            working->task.slots[i].partition == 0)
            return &working->task.slots[i];
    fail_msg("no slot of %s", topic);
    return NULL;
}

static enum hub_status take_key(void *context, const struct hub_kafka_record *record,
                                struct hub_error *reterr) {
    struct hub_buffer *keys = context;
    (void)reterr;
    hub_buffer_append_bytes(keys, record->key);
    hub_buffer_append_text(keys, ";");
    return HUB_OK;
}

/* The key of the first record of a partition. */
static void expect_first_key(struct working *working, const char *topic, const char *wanted) {
    HUB_SCOPED_BUFFER keys = {0};
    expect_ok(hub_reader_read(working->task.reader, topic, 0, 0, 1, take_key, &keys, NULL,
                              &working->error),
              &working->error);
    assert_string_equal(hub_buffer_text(&keys), wanted);
}

static void a_step_publishes_and_counts_what_it_read(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    say(&working);
    expect_ok(step(&working), &working.error);
    expect_first_key(&working, "log.trial", "sus/ctgov/A;");
    expect_first_key(&working, "admitted.sus.trial", "ctgov/A;");
    HUB_SCOPED_BUFFER counts = {0};
    const struct hub_slot *slot = slot_of(&working, "ingest.sus.trial");
    working.task.kind->render_counts(&working.task, slot, &counts);
    assert_string_equal(hub_buffer_text(&counts),
                        "v1 read=1 created=1 changed=0 unchanged=0 late=0 withdrawn=0 moved=0 "
                        "dead=0 security=0");
    assert_int_equal(slot->next, 1);
    assert_int_equal(working.task.transactions, 1);
    assert_int_equal(working.task.records, 1);
    end(&working);
}

static void a_step_without_records_is_no_transaction(void **state) {
    struct working working;
    bool worked = true;
    (void)state;
    begin(&working);
    expect_ok(hub_task_step(&working.task, /* timeout_ms= */ 0, &worked, &working.error),
              &working.error);
    assert_false(worked);
    assert_int_equal(working.task.transactions, 0);
    end(&working);
}

/* The commit was answered at the second asking; the first may still be on its way, and would commit
 * whatever this epoch does next. */
static void a_dirty_producer_is_replaced_before_the_next_transaction(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    say(&working);
    cluster_fail(&working.cluster, CLUSTER_END_TXN, 1, E(_TRANSPORT));
    expect_ok(step(&working), &working.error);
    assert_true(hub_producer_is_dirty(working.task.producer));
    say(&working);
    expect_ok(step(&working), &working.error);
    assert_false(hub_producer_is_dirty(working.task.producer));
    assert_int_equal(working.task.transactions, 2);
    end(&working);
}

/* As a client may still have it in its queue from when it had the shard before another went on with it. */
static void a_record_from_before_what_was_loaded_is_not_taken_again(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    say(&working);
    expect_ok(step(&working), &working.error);
    struct hub_slot *slot = (struct hub_slot *)slot_of(&working, "ingest.sus.trial");
    slot->next = slot->committed = 5;
    say(&working);
    assert_int_equal(step(&working), HUB_RETRY);
    assert_string_equal(working.error.text, "ingest.sus.trial/0: offset 1 came again, after 4");
    HUB_SCOPED_BUFFER counts = {0};
    working.task.kind->render_counts(&working.task, slot, &counts);
    assert_non_null(strstr(hub_buffer_text(&counts), "read=1 "));
    assert_int_equal(slot->next, 5);
    end(&working);
}

/* Another member's partitions: nothing of the batch may count as done. */
static void a_step_that_fails_is_not_counted_as_committed(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    say(&working);
    cluster_fail(&working.cluster, CLUSTER_TXN_OFFSETS, 1, E(ILLEGAL_GENERATION));
    assert_int_equal(step(&working), HUB_RETRY);
    assert_int_equal(working.task.transactions, 0);
    assert_int_equal(working.task.records, 0);
    end(&working);
}

static void failures_halve_the_batch_and_commits_double_it(void **state) {
    static const size_t halves[] = {4, 2, 1, 1};
    struct working working;
    (void)state;
    begin(&working);
    for (size_t i = 0; i < 4; i++) {
        say(&working);
        /* Of log and admitted. A record that is there and aborted the mock cluster does not step over. */
        cluster_fail(&working.cluster, CLUSTER_PRODUCE, 2, E(TOPIC_EXCEPTION));
        assert_int_equal(step(&working), HUB_RETRY);
        assert_int_equal(working.batch_count_max, halves[i]);
        hub_task_close(&working.task);
        open_task(&working);
    }
    for (size_t wanted = 2; wanted <= 2 * BATCH; wanted *= 2) {
        say(&working);
        expect_ok(step(&working), &working.error);
        assert_int_equal(working.batch_count_max, wanted > BATCH ? BATCH : wanted);
    }
    end(&working);
}

static enum hub_status step_until_failure(struct working *working) {
    int64_t began_ms = hub_clock_monotonic_ms();
    enum hub_status status = HUB_OK;
    bool worked = false;
    while (status == HUB_OK) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("nothing failed");
        status = hub_task_step(&working->task, /* timeout_ms= */ 50, &worked, &working->error);
    }
    return status;
}

/* Where a session ends by itself before, as it may on a machine that is busy, it is begun again as the engine
 * does. */
static enum hub_status step_until_stopped(struct working *working) {
    enum { SESSIONS_MAX = 5 };
    enum hub_status status = step_until_failure(working);
    for (int i = 1; i < SESSIONS_MAX && status == HUB_RETRY; i++) {
        print_message("again after: %s\n", working->error.text);
        hub_task_close(&working->task);
        expect_ok(hub_task_open(&working->task, &hub_admit_task, &working->engine,
                                &working->batch_count_max, &working->error),
                  &working->error);
        status = step_until_failure(working);
    }
    return status;
}

static void what_the_broker_will_never_take_stops_the_hub(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    say(&working);
    cluster_fail(&working.cluster, CLUSTER_PRODUCE, 100, E(MSG_SIZE_TOO_LARGE)); /* each attempt */
    assert_int_equal(step_until_stopped(&working), HUB_FATAL);
    end(&working);
}

static void an_error_while_reading_names_the_group(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    say(&working);
    cluster_fail(&working.cluster, CLUSTER_FETCH, 20, E(TOPIC_AUTHORIZATION_FAILED));
    assert_int_equal(step(&working), HUB_FATAL);
    assert_non_null(strstr(working.error.text, "hub-admit"));
    end(&working);
}

/* The answer to an earlier attempt to join was lost: the group then fences the member by itself. */
static void a_member_that_fenced_itself_goes_on_anew(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    cluster_fail(&working.cluster, CLUSTER_HEARTBEAT, 1, E(FENCED_INSTANCE_ID));
    say(&working);
    assert_int_equal(step_until_failure(&working), HUB_RETRY);
    end(&working);
}

static void a_member_whose_name_another_process_has_stops_and_says_so(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    cluster_fail(&working.cluster, CLUSTER_ADD_OFFSETS, 1, E(PRODUCER_FENCED)); /* it took over */
    cluster_fail(&working.cluster, CLUSTER_HEARTBEAT, 1, E(FENCED_INSTANCE_ID));
    assert_int_equal(step_until_failure(&working), HUB_FATAL);
    assert_non_null(strstr(working.error.text, "another process of instance name 'hub-1'"));
    end(&working);
}

/* Before it has joined a group or begun to write. */
static void a_topic_with_other_partitions_than_the_schema_says_is_fatal(void **state) {
    struct working working;
    (void)state;
    prepare(&working, "admitted.sus.trial");
    expect_refusal(hub_task_open(&working.task, &hub_admit_task, &working.engine,
                                 &working.batch_count_max, &working.error),
                   HUB_FATAL, &working.error, "topic admitted.sus.trial has 3 partitions",
                   "2 would pass");
    assert_null(working.task.producer);
    assert_null(working.task.consumer);
    end(&working);
}

/* What an earlier process of the group has committed. */
static void commit_earlier(struct working *working, const char *topic, int64_t offset,
                           const char *metadata) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", working->cluster.bootstrap, text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "hub-admit", text, sizeof text);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, topic, 0);
    item->offset = offset;
    item->metadata = strdup(metadata);
    item->metadata_size = strlen(metadata);
    assert_int_equal(rd_kafka_commit(handle, list, /* async= */ 0), E(NO_ERROR));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
}

static void step_until_assigned(struct working *working) {
    int64_t began_ms = hub_clock_monotonic_ms();
    bool worked = false;
    while (working->task.slot_count == 0) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("nothing was assigned");
        expect_ok(hub_task_step(&working->task, /* timeout_ms= */ 10, &worked, &working->error),
                  &working->error);
    }
}

/* The mock cluster does not keep what transactions commit: as if another process had gone on. */
static void where_the_cache_stands_is_not_said_of_what_another_went_on_with(void **state) {
    struct working working;
    size_t count = 0;
    (void)state;
    begin(&working);
    step_until_assigned(&working);
    struct hub_cache_mark *marks = hub_arena_take(
        &working.arena, working.task.slot_count * HUB_TASK_MARKS_MAX * sizeof *marks);
    expect_ok(hub_task_marks(&working.task, marks, &count, &working.error), &working.error);
    say(&working);
    expect_ok(step(&working), &working.error);
    expect_refusal(hub_task_marks(&working.task, marks, &count, &working.error), HUB_RETRY,
                   &working.error, "ingest.sus.trial/0", "not to 1 as by this process");
    end(&working);
}

/* Else the marks would say of a cache that it has what is in memory alone. */
static void where_the_cache_stands_is_said_of_what_was_noted(void **state) {
    struct working working;
    struct folder folder;
    size_t count = 0;
    bool worked = true;
    (void)state;
    folder_make(&folder);
    prepare(&working, NULL);
    expect_ok(hub_cache_open(folder_path(&folder, "cache"), "", &hub_sha256, /* now_ms= */ 1,
                             &working.engine.cache, &working.error),
              &working.error);
    open_task(&working);
    step_until_assigned(&working);
    while (worked)
        expect_ok(hub_task_keep(&working.task, BATCH, &worked, &working.error), &working.error);
    for (int i = 0; i < 2; i++) {
        say(&working);
        expect_ok(step(&working), &working.error);
    }
    assert_int_equal(hub_task_unnoted(&working.task), 1); /* of one key, however often */
    assert_int_equal(hub_cache_noted_bytes(working.engine.cache), 0);
    struct hub_cache_mark *marks = hub_arena_take(
        &working.arena, working.task.slot_count * HUB_TASK_MARKS_MAX * sizeof *marks);
    (void)!hub_task_marks(&working.task, marks, &count, &working.error); /* see above */
    assert_int_equal(hub_task_unnoted(&working.task), 0);
    assert_true(hub_cache_noted_bytes(working.engine.cache) > 0);
    end(&working);
    hub_cache_close(working.engine.cache);
    folder_remove(&folder);
}

static void a_process_that_lacks_schemas_of_a_shard_refuses_it(void **state) {
    struct working working;
    (void)state;
    prepare(&working, NULL);
    commit_earlier(&working, "ingest.sus.trial", 1,
                   "schemas=999999:0123456789abcdef v1 read=1 created=1 changed=0 unchanged=0 "
                   "late=0 withdrawn=0 moved=0 dead=0 security=0");
    open_task(&working);
    assert_int_equal(step_until_failure(&working), HUB_FATAL);
    assert_non_null(strstr(working.error.text, "ingest.sus.trial/0: was worked on with schemas "
                                               "up to 999999"));
    end(&working);
}

static void who_leaves_makes_room_at_once(void **state) {
    struct working working;
    (void)state;
    begin(&working);
    step_until_assigned(&working);
    hub_consumer_leave(working.task.consumer);
    assert_int_equal(working.task.slot_count, 0);
    hub_task_close(&working.task);
    working.settings.instance = "hub-2";
    open_task(&working);
    int64_t began_ms = hub_clock_monotonic_ms();
    step_until_assigned(&working);
    assert_true(hub_clock_monotonic_ms() - began_ms < SESSION_TIMEOUT_MS);
    end(&working);
}

static enum hub_status contradict(struct hub_task *task, struct hub_slot *slot,
                                  const struct hub_kafka_partition *committed,
                                  struct hub_error *reterr) {
    (void)task;
    (void)slot;
    (void)committed;
    return hub_fail(reterr, HUB_FATAL, "the topics contradict each other");
}

/* Loaded as of an offset that somebody has left behind. */
static enum hub_status contradict_too_late(struct hub_task *task, struct hub_slot *slot,
                                           const struct hub_kafka_partition *committed,
                                           struct hub_error *reterr) {
    ((struct hub_kafka_partition *)committed)->offset = 17;
    return contradict(task, slot, committed, reterr);
}

static void only_a_contradiction_that_stays_stops_the_hub(void **state) {
    const struct {
        enum hub_status (*load)(struct hub_task *task, struct hub_slot *slot,
                                const struct hub_kafka_partition *committed,
                                struct hub_error *reterr);
        enum hub_status wanted;
        const char *says;
    } cases[] = {{contradict, HUB_FATAL, "contradict each other"},
                 {contradict_too_late, HUB_RETRY, "another has it"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct working working;
        begin(&working);
        struct hub_task_kind kind = *working.task.kind;
        kind.load = cases[i].load;
        working.task.kind = &kind;
        assert_int_equal(step(&working), cases[i].wanted);
        assert_non_null(strstr(working.error.text, cases[i].says));
        end(&working);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_publishes_and_counts_what_it_read),
        cmocka_unit_test(a_step_without_records_is_no_transaction),
        cmocka_unit_test(a_dirty_producer_is_replaced_before_the_next_transaction),
        cmocka_unit_test(a_record_from_before_what_was_loaded_is_not_taken_again),
        cmocka_unit_test(a_step_that_fails_is_not_counted_as_committed),
        cmocka_unit_test(failures_halve_the_batch_and_commits_double_it),
        cmocka_unit_test(what_the_broker_will_never_take_stops_the_hub),
        cmocka_unit_test(an_error_while_reading_names_the_group),
        cmocka_unit_test(a_member_that_fenced_itself_goes_on_anew),
        cmocka_unit_test(a_member_whose_name_another_process_has_stops_and_says_so),
        cmocka_unit_test(a_topic_with_other_partitions_than_the_schema_says_is_fatal),
        cmocka_unit_test(where_the_cache_stands_is_not_said_of_what_another_went_on_with),
        cmocka_unit_test(where_the_cache_stands_is_said_of_what_was_noted),
        cmocka_unit_test(a_process_that_lacks_schemas_of_a_shard_refuses_it),
        cmocka_unit_test(who_leaves_makes_room_at_once),
        cmocka_unit_test(only_a_contradiction_that_stays_stops_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
