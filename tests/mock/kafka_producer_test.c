/* kafka_producer: what each class of transactional error becomes. */
#include "hub/io/kafka.h"
#include "tests/lib/cluster.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

#define E(name) RD_KAFKA_RESP_ERR_##name

struct producing {
    struct cluster cluster;
    struct hub_producer *producer;
    struct hub_error error;
};

static void begin(struct producing *producing) {
    *producing = (struct producing){0};
    cluster_start(&producing->cluster);
    cluster_topic(&producing->cluster, "out", 2);
    expect_ok(hub_producer_new(producing->cluster.bootstrap, "hub.test.1", &producing->producer,
                               &producing->error),
              &producing->error);
}

static void end(struct producing *producing) {
    hub_producer_free(producing->producer);
    cluster_stop(&producing->cluster);
}

static enum hub_status write_one(struct producing *producing) {
    const struct hub_kafka_header headers[] = {{"ce_id", hub_bytes_of_text("1")}};
    struct hub_kafka_write write = {.topic = "out",
                                    .partition = 0,
                                    .has_key = true,
                                    .key = hub_bytes_of_text("key"),
                                    .value = hub_bytes_of_text("value"),
                                    .headers = headers,
                                    .header_count = 1};
    return hub_producer_write(producing->producer, &write, &producing->error);
}

/* One transaction with one record; the first status that is not HUB_OK. What fails is aborted, as
 * the engine does. */
static enum hub_status transact(struct producing *producing) {
    HUB_TRY(hub_producer_begin(producing->producer, &producing->error));
    enum hub_status status = write_one(producing);
    if (status != HUB_OK) {
        hub_producer_abort(producing->producer);
        return status;
    }
    return hub_producer_commit(producing->producer, &producing->error);
}

static void a_transaction_of_a_fresh_producer_commits_and_leaves_it_clean(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    assert_false(hub_producer_is_dirty(producing.producer));
    for (int i = 0; i < 3; i++)
        expect_ok(transact(&producing), &producing.error);
    assert_false(hub_producer_is_dirty(producing.producer));
    end(&producing);
}

static void an_aborted_transaction_is_followed_by_another(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    expect_ok(hub_producer_begin(producing.producer, &producing.error), &producing.error);
    expect_ok(write_one(&producing), &producing.error);
    hub_producer_abort(producing.producer);
    expect_ok(transact(&producing), &producing.error);
    end(&producing);
}

/* --- errors that time mends --- */

/* The broker said that nothing was done: librdkafka asks again, and nothing is open. */
static void a_clear_refusal_heals_and_leaves_the_producer_clean(void **state) {
    static const struct {
        int16_t api_key;
        rd_kafka_resp_err_t error;
    } cases[] = {{CLUSTER_ADD_PARTITIONS, E(COORDINATOR_NOT_AVAILABLE)},
                 {CLUSTER_ADD_PARTITIONS, E(COORDINATOR_LOAD_IN_PROGRESS)},
                 {CLUSTER_ADD_PARTITIONS, E(CONCURRENT_TRANSACTIONS)},
                 {CLUSTER_ADD_PARTITIONS, E(UNKNOWN_TOPIC_OR_PART)},
                 {CLUSTER_PRODUCE, E(NOT_LEADER_FOR_PARTITION)},
                 {CLUSTER_PRODUCE, E(NOT_ENOUGH_REPLICAS)},
                 {CLUSTER_END_TXN, E(COORDINATOR_LOAD_IN_PROGRESS)}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct producing producing;
        begin(&producing);
        cluster_fail(&producing.cluster, cases[i].api_key, 2, cases[i].error);
        expect_ok(transact(&producing), &producing.error);
        if (hub_producer_is_dirty(producing.producer))
            fail_msg("API %d, %s", cases[i].api_key, rd_kafka_err2name(cases[i].error));
        expect_ok(transact(&producing), &producing.error);
        end(&producing);
    }
}

static void beginning_waits_for_a_coordinator_that_is_busy(void **state) {
    static const rd_kafka_resp_err_t errors[] = {
        E(COORDINATOR_LOAD_IN_PROGRESS), E(NOT_COORDINATOR), E(CONCURRENT_TRANSACTIONS)};
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct producing producing;
        struct hub_producer *second = NULL;
        begin(&producing);
        cluster_fail(&producing.cluster, CLUSTER_INIT_PRODUCER_ID, 2, errors[i]);
        expect_ok(hub_producer_new(producing.cluster.bootstrap, "hub.test.2", &second,
                                   &producing.error),
                  &producing.error);
        hub_producer_free(second);
        end(&producing);
    }
}

/* --- errors that leave open what happened --- */

/* Whatever came of it, a delayed request of this epoch may still be carried out (KAFKA-17754). */
static void a_lost_answer_makes_the_producer_dirty(void **state) {
    static const int16_t api_keys[] = {CLUSTER_PRODUCE, CLUSTER_ADD_PARTITIONS, CLUSTER_END_TXN};
    (void)state;
    for (size_t i = 0; i < sizeof api_keys / sizeof *api_keys; i++) {
        struct producing producing;
        begin(&producing);
        cluster_fail(&producing.cluster, api_keys[i], 1, E(_TRANSPORT));
        enum hub_status status = transact(&producing);
        assert_true(status == HUB_OK || status == HUB_RETRY);
        if (!hub_producer_is_dirty(producing.producer))
            fail_msg("API %d", api_keys[i]);
        end(&producing);
    }
}

static void a_producer_that_replaces_a_dirty_one_is_clean_and_works(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    cluster_fail(&producing.cluster, CLUSTER_END_TXN, 1, E(_TRANSPORT));
    expect_ok(transact(&producing), &producing.error); /* asked again, and answered */
    assert_true(hub_producer_is_dirty(producing.producer));
    hub_producer_free(producing.producer);
    expect_ok(hub_producer_new(producing.cluster.bootstrap, "hub.test.1", &producing.producer,
                               &producing.error),
              &producing.error);
    assert_false(hub_producer_is_dirty(producing.producer));
    expect_ok(transact(&producing), &producing.error);
    end(&producing);
}

static void a_lost_answer_about_anything_else_leaves_it_clean(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    hub_producer_free(producing.producer);
    cluster_fail(&producing.cluster, CLUSTER_METADATA, 1, E(_TRANSPORT));
    cluster_fail(&producing.cluster, CLUSTER_FIND_COORDINATOR, 1, E(_TRANSPORT));
    cluster_fail(&producing.cluster, CLUSTER_INIT_PRODUCER_ID, 1, E(_TRANSPORT));
    expect_ok(hub_producer_new(producing.cluster.bootstrap, "hub.test.1", &producing.producer,
                               &producing.error),
              &producing.error);
    expect_ok(transact(&producing), &producing.error);
    assert_false(hub_producer_is_dirty(producing.producer));
    end(&producing);
}

/* --- errors that end the transaction, or the producer --- */

static void what_another_producer_can_do_again_is_retry(void **state) {
    static const struct {
        int16_t api_key;
        rd_kafka_resp_err_t error;
    } cases[] = {{CLUSTER_ADD_PARTITIONS, E(INVALID_PRODUCER_EPOCH)},
                 {CLUSTER_ADD_PARTITIONS, E(INVALID_PRODUCER_ID_MAPPING)},
                 {CLUSTER_ADD_PARTITIONS, E(INVALID_TXN_STATE)},
                 {CLUSTER_PRODUCE, E(INVALID_PRODUCER_EPOCH)},
                 {CLUSTER_PRODUCE, E(OUT_OF_ORDER_SEQUENCE_NUMBER)},
                 {CLUSTER_END_TXN, E(INVALID_PRODUCER_EPOCH)},
                 {CLUSTER_END_TXN, E(PRODUCER_FENCED)},
                 {CLUSTER_END_TXN, E(INVALID_PRODUCER_ID_MAPPING)},
                 {CLUSTER_END_TXN, E(INVALID_TXN_STATE)}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct producing producing;
        begin(&producing);
        cluster_fail(&producing.cluster, cases[i].api_key, 1, cases[i].error);
        if (transact(&producing) != HUB_RETRY)
            fail_msg("API %d, %s: %s", cases[i].api_key, rd_kafka_err2name(cases[i].error),
                     producing.error.text);
        hub_producer_free(producing.producer);
        expect_ok(hub_producer_new(producing.cluster.bootstrap, "hub.test.1",
                                   &producing.producer, &producing.error),
                  &producing.error);
        expect_ok(transact(&producing), &producing.error);
        end(&producing);
    }
}

static void what_only_a_person_can_mend_is_fatal(void **state) {
    static const struct {
        int16_t api_key;
        rd_kafka_resp_err_t error;
    } cases[] = {{CLUSTER_ADD_PARTITIONS, E(TOPIC_AUTHORIZATION_FAILED)},
                 {CLUSTER_ADD_PARTITIONS, E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED)},
                 {CLUSTER_ADD_PARTITIONS, E(CLUSTER_AUTHORIZATION_FAILED)},
                 {CLUSTER_PRODUCE, E(TOPIC_AUTHORIZATION_FAILED)},
                 {CLUSTER_PRODUCE, E(MSG_SIZE_TOO_LARGE)}, /* the same record would come again */
                 {CLUSTER_PRODUCE, E(INVALID_RECORD)}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct producing producing;
        begin(&producing);
        cluster_fail(&producing.cluster, cases[i].api_key, 1, cases[i].error);
        if (transact(&producing) != HUB_FATAL)
            fail_msg("API %d, %s: %s", cases[i].api_key, rd_kafka_err2name(cases[i].error),
                     producing.error.text);
        end(&producing);
    }
}

static void a_transactional_id_that_is_not_ours_is_fatal(void **state) {
    struct producing producing;
    struct hub_producer *second = NULL;
    (void)state;
    begin(&producing);
    cluster_fail(&producing.cluster, CLUSTER_INIT_PRODUCER_ID, 1,
                 E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
    assert_int_equal(hub_producer_new(producing.cluster.bootstrap, "hub.test.2", &second,
                                      &producing.error),
                     HUB_FATAL);
    assert_null(second);
    end(&producing);
}

static void a_record_over_the_limit_is_fatal_and_names_its_size(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    size_t size = HUB_KAFKA_MESSAGE_SIZE_MAX + 1;
    uint8_t *value = hub_allocate_zero(1, size);
    struct hub_kafka_write write = {
        .topic = "out", .partition = 0, .value = hub_bytes(value, size)};
    expect_ok(hub_producer_begin(producing.producer, &producing.error), &producing.error);
    expect_refusal(hub_producer_write(producing.producer, &write, &producing.error), HUB_FATAL,
                   &producing.error, "out, 25165825 bytes", "");
    hub_producer_abort(producing.producer);
    expect_ok(transact(&producing), &producing.error); /* and the producer is none the worse */
    hub_release(value);
    end(&producing);
}

static void one_that_was_gathered_is_told_of_at_the_end(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    size_t size = HUB_KAFKA_MESSAGE_SIZE_MAX + 1;
    uint8_t *value = hub_allocate_zero(1, size);
    struct hub_kafka_write good = {.topic = "out", .value = hub_bytes_of_text("value"), .stays = true};
    struct hub_kafka_write bad = {.topic = "out", .value = hub_bytes(value, size), .stays = true};
    expect_ok(hub_producer_begin(producing.producer, &producing.error), &producing.error);
    expect_ok(hub_producer_write(producing.producer, &good, &producing.error), &producing.error);
    expect_ok(hub_producer_write(producing.producer, &bad, &producing.error), &producing.error);
    expect_ok(hub_producer_write(producing.producer, &good, &producing.error), &producing.error);
    expect_refusal(hub_producer_commit(producing.producer, &producing.error), HUB_FATAL,
                   &producing.error, "out, 25165825 bytes", "");
    hub_producer_abort(producing.producer);
    expect_ok(transact(&producing), &producing.error);
    hub_release(value);
    end(&producing);
}

static void a_record_without_key_or_value_is_written(void **state) {
    struct producing producing;
    (void)state;
    begin(&producing);
    struct hub_kafka_write write = {.topic = "out", .partition = -1};
    expect_ok(hub_producer_begin(producing.producer, &producing.error), &producing.error);
    expect_ok(hub_producer_write(producing.producer, &write, &producing.error),
              &producing.error);
    write.has_key = true;
    expect_ok(hub_producer_write(producing.producer, &write, &producing.error),
              &producing.error);
    expect_ok(hub_producer_commit(producing.producer, &producing.error), &producing.error);
    end(&producing);
}

static void this_librdkafka_is_fit(void **state) {
    const char *version = NULL;
    struct hub_error error;
    (void)state;
    expect_ok(hub_kafka_check_version(&version, &error), &error);
    assert_string_equal(version, rd_kafka_version_str());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_of_a_fresh_producer_commits_and_leaves_it_clean),
        cmocka_unit_test(an_aborted_transaction_is_followed_by_another),
        cmocka_unit_test(a_clear_refusal_heals_and_leaves_the_producer_clean),
        cmocka_unit_test(beginning_waits_for_a_coordinator_that_is_busy),
        cmocka_unit_test(a_lost_answer_makes_the_producer_dirty),
        cmocka_unit_test(a_producer_that_replaces_a_dirty_one_is_clean_and_works),
        cmocka_unit_test(a_lost_answer_about_anything_else_leaves_it_clean),
        cmocka_unit_test(what_another_producer_can_do_again_is_retry),
        cmocka_unit_test(what_only_a_person_can_mend_is_fatal),
        cmocka_unit_test(a_transactional_id_that_is_not_ours_is_fatal),
        cmocka_unit_test(a_record_over_the_limit_is_fatal_and_names_its_size),
        cmocka_unit_test(one_that_was_gathered_is_told_of_at_the_end),
        cmocka_unit_test(a_record_without_key_or_value_is_written),
        cmocka_unit_test(this_librdkafka_is_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
