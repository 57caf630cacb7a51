/* webhook with a spool: what comes while Kafka is away is answered when it is on the disk, and comes first, in its
 * order and once, when Kafka is back, whenever the connector is killed. */
#include "connectors/transports/webhook_desk.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/hook.h"
#include "tests/lib/spooling.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096 };

struct test {
    struct hook *hook;
    struct spooling spooling;
    const char *position; /* as committed last */
};

static int begin(void **state) {
    struct test *test = hub_allocate_zero(1, sizeof *test);
    void *hook = NULL;
    hook_begin(&hook);
    test->hook = hook;
    spooling_begin(&test->spooling, &test->hook->reading, "webhook", 256 * BLOCK);
    *state = test;
    return 0;
}

static int end(void **state) {
    struct test *test = *state;
    void *hook = test->hook;
    hook_end(&hook);
    spooling_end(&test->spooling);
    hub_release(test);
    return 0;
}

static const char *options_of(struct test *test, const char *more) {
    test->hook->address = post_free_address(&test->hook->arena);
    return hub_arena_format(&test->hook->arena, "{listen: '%s', path: /in, secrets: "
                            "'${env:HUB_TEST_SECRET}', while_away: spool%s}", test->hook->address,
                            more);
}

static struct test *open_with(void **state, const char *more) {
    struct test *test = *state;
    reading_open(&test->hook->reading, "webhook", options_of(test, more), NULL);
    return test;
}

/* Kafka is away: the session has failed, and nobody polls. */
static void go_away(struct test *test) {
    test->hook->reading.transport->close(test->hook->reading.state);
}

/* It is back, and has what was committed. */
static void come_back(struct test *test) {
    struct reading *reading = &test->hook->reading;
    memset(reading->state, 0, reading->transport->state_size);
    reading->env.position = test->position;
    if (reading->transport->open(reading->state, reading->options, &reading->env,
                                 &reading->error) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

static void commit_in_kafka(struct test *test) {
    const char *position = test->hook->reading.batch.position;
    test->position = hub_arena_text(&test->hook->arena, position, strlen(position));
}

static void commit(struct test *test) {
    commit_in_kafka(test);
    reading_commit(&test->hook->reading);
}

static void kill_now(struct test *test) {
    spooling_kill(&test->spooling, &test->hook->reading, options_of(test, ""), test->position);
}

static void tell(struct test *test, const char *id, const char *answer) {
    struct post post = hook_send(test->hook, id, "{}");
    hook_expect_answer(&post, 200, answer);
}

static void assert_next(struct test *test, size_t index, const char *id) {
    assert_string_equal(reading_name(&test->hook->reading, index),
                        hub_arena_format(&test->hook->arena, "webhook/%s", id));
}

/* The next batch is one of these, each with a space behind it. */
static void assert_comes(struct test *test, const char *wanted) {
    HUB_SCOPED_BUFFER names = {0};
    for (size_t i = 0, count = reading_poll(&test->hook->reading); i < count; i++)
        hub_buffer_append_format(&names, "%s ", reading_name(&test->hook->reading, i) +
                                                    strlen("webhook/"));
    assert_string_equal(hub_buffer_text(&names), wanted);
}

static void what_comes_while_kafka_is_away_is_kept_and_comes_first_when_it_is_back(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    for (int i = 0; i < 3; i++)
        tell(test, hub_arena_format(&test->hook->arena, "msg_%d", i), "kept");
    assert_int_equal(spooling_count(&test->spooling), 3);
    come_back(test);
    struct post after = hook_send(test->hook, "msg_3", "{\"a\": 1}");
    assert_false(post_is_answered(&after, /* timeout_ms= */ 100));
    assert_comes(test, "msg_0 msg_1 msg_2 ");
    assert_string_equal(reading_text(&test->hook->reading, 2), "{}");
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(test->hook->reading.batch.documents[0].context,
                                            "request"), "id")), "msg_0");
    assert_int_equal(spooling_count(&test->spooling), 3);
    commit(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
    assert_comes(test, "msg_3 ");
    commit(test);
    hook_expect_answer(&after, 200, "taken");
    tell(test, "msg_1", "known");
    assert_comes(test, "");
}

static void whoever_waits_when_kafka_goes_is_kept_in_the_order_they_came(void **state) {
    struct test *test = open_with(state, ", answer_timeout_ms: 60000");
    struct post first = hook_send(test->hook, "msg_1", "{}");
    hook_await(test->hook, 1);
    struct post second = hook_send(test->hook, "msg_2", "{}");
    assert_false(post_is_answered(&second, /* timeout_ms= */ 100));
    go_away(test);
    hook_expect_answer(&first, 200, "kept");
    hook_expect_answer(&second, 200, "kept");
    tell(test, "msg_3", "kept");
    come_back(test);
    assert_comes(test, "msg_1 msg_2 msg_3 ");
}

/* Its commit is overdue, and comes all the same. */
static void what_waits_too_long_is_kept_and_not_told_twice_when_it_was_safe(void **state) {
    struct test *test = open_with(state, ", answer_timeout_ms: 200");
    struct post first = hook_send(test->hook, "msg_1", "{}");
    hook_await(test->hook, 1);
    struct post second = hook_send(test->hook, "msg_2", "{}");
    hook_expect_answer(&first, 200, "kept");
    hook_expect_answer(&second, 200, "kept");
    tell(test, "msg_3", "kept");  /* at once: the commit is overdue */
    tell(test, "msg_1", "kept");
    commit(test);
    assert_comes(test, "msg_2 msg_3 ");
    commit(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
    assert_comes(test, "");
}

static void what_was_with_a_session_that_failed_comes_once_whether_it_was_safe_or_not(void **state) {
    struct test *test = open_with(state, "");
    for (int safe = 0; safe < 2; safe++) {
        const char *id = hub_arena_format(&test->hook->arena, "msg_%d", safe);
        struct post post = hook_send(test->hook, id, "{}");
        hook_await(test->hook, 1);
        if (safe)
            commit_in_kafka(test); /* and nobody heard of it */
        go_away(test);
        hook_expect_answer(&post, 200, "kept");
        come_back(test);
        assert_comes(test, safe ? "" : "msg_0 ");
        if (!safe)
            commit(test);
        assert_int_equal(spooling_count(&test->spooling), 0);
    }
}

static void what_comes_again_while_it_is_kept_is_told_once(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    tell(test, "msg_1", "kept");
    tell(test, "msg_1", "kept"); /* its answer was lost */
    tell(test, "msg_2", "kept");
    come_back(test);
    struct post again = hook_send(test->hook, "msg_2", "{}");
    assert_false(post_is_answered(&again, /* timeout_ms= */ 100));
    assert_comes(test, "msg_1 msg_2 ");
    commit(test);
    hook_expect_answer(&again, 200, "taken");
    assert_int_equal(spooling_count(&test->spooling), 0);
    assert_comes(test, "");
}

/* --- kills --- */

static void a_kill_at_any_moment_loses_nothing_and_doubles_nothing(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    tell(test, "msg_1", "kept");
    tell(test, "msg_2", "kept");
    kill_now(test); /* kept */
    assert_comes(test, "msg_1 msg_2 ");
    kill_now(test); /* taken */
    assert_comes(test, "msg_1 msg_2 ");
    commit_in_kafka(test);
    kill_now(test); /* committed, and not removed */
    assert_int_equal(spooling_count(&test->spooling), 2);
    assert_comes(test, "");
    assert_int_equal(spooling_count(&test->spooling), 0);
    tell(test, "msg_1", "known");
    go_away(test);
    tell(test, "msg_3", "kept");
    kill_now(test);
    assert_comes(test, "msg_3 ");
    commit(test);
    kill_now(test); /* committed and removed */
    assert_comes(test, "");
}

/* Between the removal of one file and the next: what is known goes, and what is behind it comes. */
static void more_than_a_batch_comes_in_batches_and_each_is_known_after_a_kill(void **state) {
    struct test *test = open_with(state, ", remember: 64");
    go_away(test);
    for (int i = 0; i < HUB_DESK_BATCH_MAX + 6; i++)
        tell(test, hub_arena_format(&test->hook->arena, "msg_%02d", i), "kept");
    come_back(test);
    assert_int_equal(reading_poll(&test->hook->reading), HUB_DESK_BATCH_MAX);
    assert_next(test, 63, "msg_63");
    commit_in_kafka(test);
    assert_int_equal(unlink(folder_path(&test->spooling.folder,
                                        "spool/called/000000000000000001")), 0);
    kill_now(test);
    assert_comes(test, "msg_64 msg_65 msg_66 msg_67 msg_68 msg_69 ");
    commit(test);
    assert_int_equal(spooling_count(&test->spooling), 0);
}

/* --- the end of what it does --- */

static void without_room_the_sender_comes_again(void **state) {
    struct test *test = *state;
    spooling_end(&test->spooling);
    spooling_begin(&test->spooling, &test->hook->reading, "webhook", 2 * BLOCK);
    open_with(state, "");
    go_away(test);
    tell(test, "msg_1", "kept");
    tell(test, "msg_2", "kept");
    struct post post = hook_send(test->hook, "msg_3", "{}");
    hook_expect_answer(&post, 503, "Retry-After: 10");
    come_back(test);
    assert_comes(test, "msg_1 msg_2 ");
    commit(test);
    post = hook_send(test->hook, "msg_3", "{}");
    hook_await(test->hook, 1);
    commit(test);
    hook_expect_answer(&post, 200, "taken");
}

static void whoever_waits_when_the_process_ends_is_sent_away(void **state) {
    struct test *test = open_with(state, ", answer_timeout_ms: 60000");
    struct post post = hook_send(test->hook, "msg_1", "{}");
    hook_await(test->hook, 1);
    kill_now(test);
    hook_expect_answer(&post, 503, "Retry-After: 10");
    assert_int_equal(spooling_count(&test->spooling), 0);
}

static void damage_is_for_a_person(void **state) {
    struct test *test = open_with(state, "");
    go_away(test);
    tell(test, "msg_1", "kept");
    tell(test, "msg_2", "kept");
    assert_int_equal(truncate(folder_path(&test->spooling.folder,
                                          "spool/called/000000000000000002"), 90), 0);
    come_back(test);
    assert_int_equal(reading_try(&test->hook->reading), HUB_FATAL);
    assert_non_null(strstr(test->hook->reading.error.text, "there is no whole document in it"));
    assert_int_equal(spooling_count(&test->spooling), 2);
}

static void without_a_spool_of_the_runtime_it_nacks(void **state) {
    struct test *test = *state;
    test->hook->reading.env.spool = NULL;
    open_with(state, "");
    go_away(test);
    struct post post = hook_send(test->hook, "msg_1", "{}");
    hook_expect_answer(&post, 503, "Retry-After: 10");
}

static void only_spool_asks_for_one(void **state) {
    struct test *test = open_with(state, ", spool_max_bytes: 2097152");
    const struct hub_transport *transport = test->hook->reading.transport;
    assert_int_equal(transport->spools(test->hook->reading.options), 2097152);
    kill_now(test);
    assert_int_equal(transport->spools(test->hook->reading.options), 268435456);
    spooling_kill(&test->spooling, &test->hook->reading,
                  hub_arena_format(&test->hook->arena, "{listen: '%s', secrets: "
                                   "'${env:HUB_TEST_SECRET}'}",
                                   post_free_address(&test->hook->arena)), NULL);
    assert_int_equal(transport->spools(test->hook->reading.options), 0);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_while_kafka_is_away_is_kept_and_comes_first_when_it_is_back),
        cmocka_unit_test(whoever_waits_when_kafka_goes_is_kept_in_the_order_they_came),
        cmocka_unit_test(what_waits_too_long_is_kept_and_not_told_twice_when_it_was_safe),
        cmocka_unit_test(what_was_with_a_session_that_failed_comes_once_whether_it_was_safe_or_not),
        cmocka_unit_test(what_comes_again_while_it_is_kept_is_told_once),
        cmocka_unit_test(a_kill_at_any_moment_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(more_than_a_batch_comes_in_batches_and_each_is_known_after_a_kill),
        cmocka_unit_test(without_room_the_sender_comes_again),
        cmocka_unit_test(whoever_waits_when_the_process_ends_is_sent_away),
        cmocka_unit_test(damage_is_for_a_person),
        cmocka_unit_test(without_a_spool_of_the_runtime_it_nacks),
        cmocka_unit_test(only_spool_asks_for_one),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
