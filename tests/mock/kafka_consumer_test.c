/* kafka_consumer: groups, what a batch may hold, and offsets that are part of a transaction. */
#include "hub/io/kafka.h"
#include "hub/io/clock.h"
#include "hub/io/kafka_internal.h"
#include "tests/lib/cluster.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 120000 }; /* the mock cluster takes ten seconds for some rebalances */

#define E(name) RD_KAFKA_RESP_ERR_##name

/* One member of a group, with what its callbacks saw. */
struct member {
    struct hub_consumer *consumer;
    struct hub_kafka_batch batch;
    struct hub_arena arena;
    size_t assigned, revoked; /* calls */
    size_t held;              /* partitions */
    enum hub_status answer;   /* of `assigned` */
    int64_t start;            /* offset it gives, -1: as committed */
};

struct consuming {
    struct cluster cluster;
    struct hub_producer *producer;
    struct member a, b;
    struct hub_error error;
};

static enum hub_status on_assigned(void *context, struct hub_kafka_partition *partitions,
                                   size_t count, struct hub_error *reterr) {
    struct member *member = context;
    member->assigned++;
    member->held = count;
    if (member->answer != HUB_OK)
        return hub_fail(reterr, member->answer, "as the test says");
    for (size_t i = 0; i < count; i++)
        partitions[i].offset = member->start;
    return HUB_OK;
}

static void on_revoked(void *context, const struct hub_kafka_partition *partitions, size_t count) {
    struct member *member = context;
    (void)partitions;
    (void)count;
    member->revoked++;
    member->held = 0;
}

static void join(struct consuming *consuming, struct member *member, const char *instance) {
    static const char *const topics[] = {"in", NULL};
    struct hub_consumer_config config = {.bootstrap = consuming->cluster.bootstrap,
                                         .group = "group",
                                         .instance = instance,
                                         .topics = topics,
                                         .assigned = on_assigned,
                                         .revoked = on_revoked,
                                         .context = member};
    expect_ok(hub_consumer_new(&config, &member->consumer, &consuming->error),
              &consuming->error);
}

static void leave(struct member *member) {
    hub_kafka_batch_free(&member->batch);
    hub_consumer_free(member->consumer);
    hub_arena_destroy(&member->arena);
    *member = (struct member){0};
}

static void begin(struct consuming *consuming) {
    *consuming = (struct consuming){0};
    cluster_start(&consuming->cluster);
    cluster_topic(&consuming->cluster, "in", 2);
    expect_ok(hub_producer_new(consuming->cluster.bootstrap, "hub.test", &consuming->producer,
                               &consuming->error),
              &consuming->error);
}

static void end(struct consuming *consuming) {
    leave(&consuming->a);
    leave(&consuming->b);
    hub_producer_free(consuming->producer);
    cluster_stop(&consuming->cluster);
}

static void write_records(struct consuming *consuming, int32_t partition, int count) {
    const struct hub_kafka_header headers[] = {{"ce_type", hub_bytes_of_text("test")},
                                               {"empty", hub_bytes("", 0)}};
    expect_ok(hub_producer_begin(consuming->producer, &consuming->error), &consuming->error);
    for (int i = 0; i < count; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", i);
        struct hub_kafka_write write = {.topic = "in",
                                        .partition = partition,
                                        .has_key = true,
                                        .key = hub_bytes_of_text(key),
                                        .value = hub_bytes_of_text("value"),
                                        .headers = headers,
                                        .header_count = 2};
        expect_ok(hub_producer_write(consuming->producer, &write, &consuming->error),
                  &consuming->error);
    }
    expect_ok(hub_producer_commit(consuming->producer, &consuming->error), &consuming->error);
}

/* Polls until the batch holds as many records; HUB_OK or what polling gave. */
static enum hub_status poll_for(struct consuming *consuming, struct member *member, size_t count,
                                size_t count_max) {
    int64_t began_ms = hub_clock_monotonic_ms();
    enum hub_status status = HUB_OK;
    while (status == HUB_OK && member->batch.count < count) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("%zu of %zu records came", member->batch.count, count);
        status = hub_consumer_poll(member->consumer, /* timeout_ms= */ 100, count_max,
                                   &member->batch, &consuming->error);
    }
    return status;
}

static void poll_until_held(struct consuming *consuming, struct member *member, size_t held) {
    int64_t began_ms = hub_clock_monotonic_ms();
    while (member->held != held) {
        if (hub_clock_monotonic_ms() - began_ms > PATIENCE_MS)
            fail_msg("it holds %zu partitions, not %zu", member->held, held);
        expect_ok(hub_consumer_poll(member->consumer, 100, 100, &member->batch,
                                    &consuming->error),
                  &consuming->error);
    }
}

/* Commits next offsets of partition 0 in a transaction. */
static enum hub_status commit_offset(struct consuming *consuming, struct member *member,
                                     int64_t next, const char *metadata) {
    const struct hub_kafka_partition offset = {"in", 0, next, metadata};
    HUB_TRY(hub_producer_begin(consuming->producer, &consuming->error));
    enum hub_status status = hub_producer_send_offsets(consuming->producer, member->consumer,
                                                       &offset, 1, &consuming->error);
    if (status != HUB_OK) {
        struct hub_error kept = consuming->error;
        hub_producer_abort(consuming->producer);
        consuming->error = kept;
        return status;
    }
    return hub_producer_commit(consuming->producer, &consuming->error);
}

static void records_come_with_all_that_was_written(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 1, 2);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    expect_ok(poll_for(&consuming, &consuming.a, 2, 100), &consuming.error);
    const struct hub_kafka_record *record = &consuming.a.batch.records[1];
    assert_string_equal(record->topic, "in");
    assert_int_equal(record->partition, 1);
    assert_int_equal(record->offset, 1);
    assert_true(record->timestamp_ms > 0);
    assert_true(hub_bytes_equal_text(record->key, "key 1"));
    assert_true(hub_bytes_equal_text(record->value, "value"));
    assert_int_equal(record->header_count, 0);
    hub_kafka_batch_read_headers(&consuming.a.batch, 1);
    assert_int_equal(record->header_count, 2);
    assert_string_equal(record->headers[0].name, "ce_type");
    assert_true(hub_bytes_equal_text(record->headers[0].value, "test"));
    assert_int_equal(record->headers[1].value.size, 0);
    end(&consuming);
}

static void of_the_headers_the_one_that_is_wanted_stays(void **state) {
    static const char *const kept[] = {"ce_type", NULL, "empty", "none"};
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 1, 4);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    expect_ok(poll_for(&consuming, &consuming.a, 4, 100), &consuming.error);
    const struct hub_kafka_record *records = consuming.a.batch.records;
    for (size_t i = 0; i < 4; i++) {
        hub_kafka_batch_read_headers(&consuming.a.batch, i);
        assert_int_equal(records[i].header_count, 2);
        hub_kafka_batch_leave_headers(&consuming.a.batch, i, kept[i]);
    }
    assert_int_equal(records[0].header_count, 1);
    assert_string_equal(records[0].headers->name, "ce_type");
    assert_true(hub_bytes_equal_text(records[0].headers->value, "test"));
    assert_int_equal(records[1].header_count, 0);
    assert_int_equal(records[2].header_count, 1);
    assert_non_null(records[2].headers->value.data); /* empty, and not null */
    assert_int_equal(records[2].headers->value.size, 0);
    assert_int_equal(records[3].header_count, 0);
    hub_kafka_batch_read_headers(&consuming.a.batch, 0); /* as often as anybody likes */
    assert_int_equal(records[0].header_count, 2);
    end(&consuming);
}

/* --- what is gathered before it is written --- */

enum { GATHERED = 600 };

static void records_without_headers_keep_their_place_among_those_with(void **state) {
    static char keys[GATHERED][8];
    const struct hub_kafka_header header = {"ce_type", hub_bytes_of_text("test")};
    struct consuming consuming;
    int next = 0;
    (void)state;
    begin(&consuming);
    expect_ok(hub_producer_begin(consuming.producer, &consuming.error), &consuming.error);
    for (int i = 0; i < GATHERED; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        struct hub_kafka_write write = {.topic = "in",
                                        .partition = i % 100 == 50 ? 0 : 1,
                                        .has_key = true,
                                        .key = hub_bytes_of_text(keys[i]),
                                        .value = hub_bytes_of_text("value"),
                                        .stays = true,
                                        .headers = &header,
                                        .header_count = i % 300 == 299};
        expect_ok(hub_producer_write(consuming.producer, &write, &consuming.error),
                  &consuming.error);
    }
    expect_ok(hub_producer_commit(consuming.producer, &consuming.error), &consuming.error);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    expect_ok(poll_for(&consuming, &consuming.a, GATHERED, GATHERED), &consuming.error);
    for (size_t i = 0; i < GATHERED; i++) {
        const struct hub_kafka_record *record = &consuming.a.batch.records[i];
        if (record->partition == 0)
            continue;
        next += next % 100 == 50;
        assert_true(hub_bytes_equal_text(record->key, keys[next++]));
        assert_true(hub_bytes_equal_text(record->value, "value"));
    }
    assert_int_equal(next, GATHERED);
    end(&consuming);
}

static void what_was_gathered_for_an_aborted_transaction_is_not_written(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    struct hub_kafka_write write = {.topic = "in",
                                    .partition = 1,
                                    .has_key = true,
                                    .key = hub_bytes_of_text("lost"),
                                    .value = hub_bytes_of_text("value"),
                                    .stays = true};
    expect_ok(hub_producer_begin(consuming.producer, &consuming.error), &consuming.error);
    expect_ok(hub_producer_write(consuming.producer, &write, &consuming.error), &consuming.error);
    hub_producer_abort(consuming.producer);
    write_records(&consuming, 1, 1);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    expect_ok(poll_for(&consuming, &consuming.a, 1, 100), &consuming.error);
    assert_true(hub_bytes_equal_text(consuming.a.batch.records[0].key, "key 0"));
    end(&consuming);
}

static void a_batch_holds_no_more_than_was_asked_for(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 0, 10);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    expect_ok(poll_for(&consuming, &consuming.a, 4, 4), &consuming.error);
    assert_int_equal(consuming.a.batch.count, 4);
    hub_kafka_batch_clear(&consuming.a.batch);
    expect_ok(poll_for(&consuming, &consuming.a, 6, 100), &consuming.error);
    assert_int_equal(consuming.a.batch.records[0].offset, 4);
    end(&consuming);
}

static void reading_begins_where_the_callback_says(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 0, 10);
    write_records(&consuming, 1, 10);
    consuming.a.start = 7;
    join(&consuming, &consuming.a, "a");
    expect_ok(poll_for(&consuming, &consuming.a, 6, 100), &consuming.error);
    for (size_t i = 0; i < 6; i++)
        assert_true(consuming.a.batch.records[i].offset >= 7);
    end(&consuming);
}

static void what_loading_fails_with_ends_the_polling(void **state) {
    static const enum hub_status answers[] = {HUB_RETRY, HUB_FATAL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct consuming consuming;
        begin(&consuming);
        write_records(&consuming, 0, 1);
        consuming.a.answer = answers[i];
        join(&consuming, &consuming.a, "a");
        assert_int_equal(poll_for(&consuming, &consuming.a, 1, 100), answers[i]);
        assert_string_equal(consuming.error.text, "as the test says");
        assert_int_equal(consuming.a.batch.count, 0);
        end(&consuming);
    }
}

static void the_descriptor_becomes_readable_when_something_is_there(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    poll_until_held(&consuming, &consuming.a, 2);
    struct pollfd descriptor = {.fd = hub_consumer_descriptor(consuming.a.consumer),
                                .events = POLLIN};
    write_records(&consuming, 0, 1);
    assert_int_equal(poll(&descriptor, 1, PATIENCE_MS), 1);
    end(&consuming);
}

/* --- offsets --- */

/* The mock cluster keeps no offsets that were committed in a transaction. */
static void commit_directly(struct member *member, int64_t next, const char *metadata) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, "in", 0);
    item->offset = next;
    item->metadata = strdup(metadata); /* the library frees it */
    item->metadata_size = strlen(metadata);
    assert_int_equal(rd_kafka_commit(hub_consumer_handle(member->consumer), list, /* async= */ 0),
                     E(NO_ERROR));
    rd_kafka_topic_partition_list_destroy(list);
}

static void committed_offsets_bring_their_metadata_back(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 0, 3);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    poll_until_held(&consuming, &consuming.a, 2);
    struct hub_kafka_partition partitions[] = {{"in", 0, 0, NULL}, {"in", 1, 0, NULL}};
    expect_ok(hub_consumer_committed(consuming.a.consumer, partitions, 2, HUB_KAFKA_TIMEOUT_MS,
                                     &consuming.a.arena, &consuming.error),
              &consuming.error);
    assert_int_equal(partitions[0].offset, -1);
    assert_null(partitions[0].metadata);
    commit_directly(&consuming.a, 3, "v1 read=3");
    expect_ok(hub_reader_committed(consuming.cluster.bootstrap, "group", partitions, 2,
                                   &consuming.a.arena, &consuming.error),
              &consuming.error);
    assert_int_equal(partitions[0].offset, 3);
    assert_string_equal(partitions[0].metadata, "v1 read=3");
    assert_int_equal(partitions[1].offset, -1);
    end(&consuming);
}

static void offsets_of_who_holds_nothing_are_not_sent(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    join(&consuming, &consuming.a, "a"); /* it has not polled: nothing was given to it */
    assert_int_equal(commit_offset(&consuming, &consuming.a, 1, NULL), HUB_RETRY);
    assert_non_null(strstr(consuming.error.text, "taken away"));
    end(&consuming);
}

/* The broker knows another generation, or nobody of that name: the partitions are another's. */
static void a_member_that_is_thrown_out_cannot_commit(void **state) {
    static const rd_kafka_resp_err_t errors[] = {E(ILLEGAL_GENERATION), E(UNKNOWN_MEMBER_ID),
                                                 E(FENCED_INSTANCE_ID)};
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    poll_until_held(&consuming, &consuming.a, 2);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        cluster_fail(&consuming.cluster, CLUSTER_TXN_OFFSETS, 1, errors[i]);
        assert_int_equal(commit_offset(&consuming, &consuming.a, 1, NULL), HUB_RETRY);
    }
    expect_ok(commit_offset(&consuming, &consuming.a, 1, NULL), &consuming.error);
    end(&consuming);
}

static void a_group_that_is_not_ours_is_fatal(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    poll_until_held(&consuming, &consuming.a, 2);
    cluster_fail(&consuming.cluster, CLUSTER_TXN_OFFSETS, 1, E(GROUP_AUTHORIZATION_FAILED));
    assert_int_equal(commit_offset(&consuming, &consuming.a, 1, NULL), HUB_FATAL);
    end(&consuming);
}

static void a_lost_answer_about_offsets_makes_the_producer_dirty(void **state) {
    static const int16_t api_keys[] = {CLUSTER_ADD_OFFSETS, CLUSTER_TXN_OFFSETS};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct consuming consuming;
        begin(&consuming);
        consuming.a.start = -1;
        join(&consuming, &consuming.a, "a");
        poll_until_held(&consuming, &consuming.a, 2);
        cluster_fail(&consuming.cluster, api_keys[i], 1, E(_TRANSPORT));
        enum hub_status status = commit_offset(&consuming, &consuming.a, 1, NULL);
        assert_true(status == HUB_OK || status == HUB_RETRY);
        assert_true(hub_producer_is_dirty(consuming.producer));
        end(&consuming);
    }
}

/* --- rebalances --- */

/* Whether both hold one partition before the mock cluster could have forgotten them. */
static bool comes_to_share(struct consuming *consuming) {
    enum { SHARING_MS = 30000 };
    consuming->a.start = consuming->b.start = -1;
    join(consuming, &consuming->a, "a");
    poll_until_held(consuming, &consuming->a, 2);
    join(consuming, &consuming->b, "b");
    int64_t began_ms = hub_clock_monotonic_ms();
    while (consuming->a.held != 1 || consuming->b.held != 1) {
        struct member *members[] = {&consuming->a, &consuming->b};
        if (hub_clock_monotonic_ms() - began_ms > SHARING_MS)
            return false;
        for (size_t i = 0; i < 2; i++)
            expect_ok(hub_consumer_poll(members[i]->consumer, 50, 10, &members[i]->batch,
                                        &consuming->error),
                      &consuming->error);
    }
    return true;
}

/* The mock cluster lets those who join wait for the session timeout less one second. When a busy
 * machine stops this process for longer at that moment, it throws them out and never answers them,
 * which no real broker does: then it is tried with another cluster. */
static void a_second_member_takes_its_share(void **state) {
    enum { TRIES = 4 };
    (void)state;
    for (int try = 1; try <= TRIES; try++) {
        struct consuming consuming;
        begin(&consuming);
        bool shared = comes_to_share(&consuming);
        if (shared)
            assert_true(consuming.a.revoked > 0);
        end(&consuming);
        if (shared)
            return;
    }
    fail_msg("%d times a and b did not come to hold one partition each", TRIES);
}

/* Records that were fetched before a rebalance come again after it: a batch must not have them
 * twice, and nobody may work on what another holds. */
static void what_was_fetched_before_a_rebalance_is_dropped(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    consuming.a.start = consuming.b.start = -1;
    join(&consuming, &consuming.a, "a");
    poll_until_held(&consuming, &consuming.a, 2);
    write_records(&consuming, 0, 3);
    expect_ok(poll_for(&consuming, &consuming.a, 3, 100), &consuming.error);
    join(&consuming, &consuming.b, "b");
    for (int64_t began_ms = hub_clock_monotonic_ms(); consuming.a.revoked == 0;) {
        assert_true(hub_clock_monotonic_ms() - began_ms < PATIENCE_MS);
        expect_ok(hub_consumer_poll(consuming.b.consumer, 20, 10, &consuming.b.batch,
                                    &consuming.error),
                  &consuming.error);
        expect_ok(hub_consumer_poll(consuming.a.consumer, 0, 100, &consuming.a.batch,
                                    &consuming.error),
                  &consuming.error);
    }
    assert_int_equal(consuming.a.batch.count, 0);
    assert_int_equal(commit_offset(&consuming, &consuming.a, 3, NULL), HUB_RETRY);
    end(&consuming);
}

/* --- errors while reading --- */

static void an_offset_that_is_gone_is_fatal_and_nothing_is_skipped(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 0, 3);
    consuming.a.start = 1000;
    join(&consuming, &consuming.a, "a");
    assert_int_equal(poll_for(&consuming, &consuming.a, 1, 100), HUB_FATAL);
    assert_non_null(strstr(consuming.error.text, "group group"));
    end(&consuming);
}

static void a_topic_that_is_not_ours_to_read_is_fatal(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 0, 1);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    cluster_fail(&consuming.cluster, CLUSTER_FETCH, 20, E(TOPIC_AUTHORIZATION_FAILED));
    assert_int_equal(poll_for(&consuming, &consuming.a, 1, 100), HUB_FATAL);
    end(&consuming);
}

static void a_connection_that_breaks_is_mended(void **state) {
    struct consuming consuming;
    (void)state;
    begin(&consuming);
    write_records(&consuming, 0, 3);
    consuming.a.start = -1;
    join(&consuming, &consuming.a, "a");
    cluster_fail(&consuming.cluster, CLUSTER_FETCH, 2, E(_TRANSPORT));
    cluster_fail(&consuming.cluster, CLUSTER_FETCH, 2, E(NOT_LEADER_FOR_PARTITION));
    expect_ok(poll_for(&consuming, &consuming.a, 3, 100), &consuming.error);
    end(&consuming);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_with_all_that_was_written),
        cmocka_unit_test(of_the_headers_the_one_that_is_wanted_stays),
        cmocka_unit_test(records_without_headers_keep_their_place_among_those_with),
        cmocka_unit_test(what_was_gathered_for_an_aborted_transaction_is_not_written),
        cmocka_unit_test(a_batch_holds_no_more_than_was_asked_for),
        cmocka_unit_test(reading_begins_where_the_callback_says),
        cmocka_unit_test(what_loading_fails_with_ends_the_polling),
        cmocka_unit_test(the_descriptor_becomes_readable_when_something_is_there),
        cmocka_unit_test(committed_offsets_bring_their_metadata_back),
        cmocka_unit_test(offsets_of_who_holds_nothing_are_not_sent),
        cmocka_unit_test(a_member_that_is_thrown_out_cannot_commit),
        cmocka_unit_test(a_group_that_is_not_ours_is_fatal),
        cmocka_unit_test(a_lost_answer_about_offsets_makes_the_producer_dirty),
        cmocka_unit_test(a_second_member_takes_its_share),
        cmocka_unit_test(what_was_fetched_before_a_rebalance_is_dropped),
        cmocka_unit_test(an_offset_that_is_gone_is_fatal_and_nothing_is_skipped),
        cmocka_unit_test(a_topic_that_is_not_ours_to_read_is_fatal),
        cmocka_unit_test(a_connection_that_breaks_is_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
