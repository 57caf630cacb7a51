/* webhook: what is taken, and that nobody hears 200 before it is safe. */
#include "tests/lib/cmocka.h"
#include "tests/lib/hook.h"
#include "tests/lib/look.h"

#include <string.h>

/* --- taking --- */

static void nobody_hears_200_before_the_commit(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post post = hook_send(hook, "msg_1", "{\"a\": 1}");
    hook_await(hook, 1);
    assert_string_equal(reading_text(&hook->reading, 0), "{\"a\": 1}");
    assert_string_equal(reading_name(&hook->reading, 0), "webhook/msg_1");
    assert_false(post_is_answered(&post, /* timeout_ms= */ 100));
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
    assert_int_equal(reading_poll(&hook->reading), 0);
    assert_true(hook->reading.batch.exhausted);
}

static void several_are_one_batch_in_their_order(void **state) {
    struct hook *hook = *state;
    struct post posts[3];
    hook_open(hook, "");
    for (int i = 0; i < 3; i++) {
        posts[i] = hook_send(hook, hub_arena_format(&hook->arena, "msg_%d", i), "{}");
        hook_await(hook, (size_t)i + 1);
    }
    assert_string_equal(reading_name(&hook->reading, 0), "webhook/msg_0");
    assert_string_equal(reading_name(&hook->reading, 2), "webhook/msg_2");
    reading_commit(&hook->reading);
    for (int i = 0; i < 3; i++)
        hook_expect_answer(&posts[i], 200, "taken");
}

static void a_document_knows_its_headers_and_no_secret(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post post = hook_send_more(hook, "msg_1", "{}",
                                      "X-Ward: thorax\nAuthorization: Basic abc\nCookie: a=b\n"
                                      "X-Broken: \xff\n");
    hook_await(hook, 1);
    const json_t *context = hook->reading.batch.documents[0].context;
    expect_json(context, "request", "{'id': 'msg_1', 'timestamp': '1772323200'}");
    expect_json(context, "header.x-ward", "'thorax'");
    expect_json(context, "header.webhook-id", "'msg_1'");
    expect_json(context, "header.content-type", "'application/json'");
    expect_json(context, "header.authorization", NULL);
    expect_json(context, "header.cookie", NULL);
    expect_json(context, "header.webhook-signature", NULL);
    expect_json(context, "header.x-broken", NULL);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

static void what_comes_again_is_known(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
    post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 200, "known");
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void what_comes_again_while_it_waits_is_one_document(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post first = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    struct post second = hook_send(hook, "msg_1", "{}");
    assert_false(post_is_answered(&second, /* timeout_ms= */ 100));
    reading_commit(&hook->reading);
    hook_expect_answer(&first, 200, "taken");
    assert_int_equal(post_status(&second), 200);
    post_close(&second);
    assert_int_equal(reading_poll(&hook->reading), 0);
}

/* Killed between Kafka's commit and the answer: the next process knows it from the position. */
static void what_was_committed_and_not_answered_is_known_to_the_next_process(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    const char *position = hub_arena_text(&hook->arena, hook->reading.batch.position,
                                          strlen(hook->reading.batch.position));
    reading_close(&hook->reading);
    hook_expect_answer(&post, 503, "Retry-After: 10");
    hook->address = post_free_address(&hook->arena);
    reading_open(&hook->reading, "webhook",
                 hub_arena_format(&hook->arena, "{listen: '%s', path: /in, secrets: "
                                  "'${env:HUB_TEST_SECRET}'}", hook->address),
                 position);
    post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 200, "known");
    post = hook_send(hook, "msg_2", "{}");
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

static void the_last_ids_are_remembered_and_no_more(void **state) {
    struct hook *hook = *state;
    json_error_t error;
    hook_open(hook, ", remember: 64");
    for (int i = 0; i < 66; i++) {
        struct post post = hook_send(hook, hub_arena_format(&hook->arena, "msg_%d", i), "{}");
        hook_await(hook, 1);
        json_t *position = json_loads(hook->reading.batch.position, 0, &error);
        assert_int_equal(look_count(position, "marks"), i < 64 ? i + 1 : 64);
        json_decref(position);
        reading_commit(&hook->reading);
        hook_expect_answer(&post, 200, "taken");
    }
    struct post post = hook_send(hook, "msg_2", "{}");
    hook_expect_answer(&post, 200, "known");
    post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

/* --- while Kafka is away --- */

static void a_session_that_fails_sends_who_waits_away(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", answer_timeout_ms: 60000");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    hook->reading.transport->close(hook->reading.state);
    hook_expect_answer(&post, 503, "Retry-After: 10");
    post = hook_send(hook, "msg_2", "{}");
    hook_expect_answer(&post, 503, "Retry-After: 10"); /* the port still answers */
}

static void the_next_session_takes_them(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    reading_restart(&hook->reading); /* its commit was safe, which nobody had heard */
    hook_expect_answer(&post, 503, "not now");
    post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 200, "known");
    post = hook_send(hook, "msg_2", "{}");
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

static void with_wait_they_wait_for_the_next_session(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", while_away: wait");
    struct post first = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    hook->reading.transport->close(hook->reading.state);
    struct post second = hook_send(hook, "msg_2", "{}");
    assert_false(post_is_answered(&first, /* timeout_ms= */ 100));
    assert_false(post_is_answered(&second, /* timeout_ms= */ 100));
    hook->reading.env.position = NULL; /* nothing was committed */
    assert_int_equal(hook->reading.transport->open(hook->reading.state, hook->reading.options,
                                                   &hook->reading.env, &hook->reading.error),
                     HUB_OK);
    hook_await(hook, 2);
    reading_commit(&hook->reading);
    hook_expect_answer(&first, 200, "taken");
    hook_expect_answer(&second, 200, "taken");
}

/* Kafka had it, and said so too late: the position of the next session tells. */
static void with_wait_what_the_next_session_finds_safe_is_answered(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", while_away: wait");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    reading_restart(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void nobody_waits_longer_than_the_limit(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", answer_timeout_ms: 200");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    hook_expect_answer(&post, 503, "Retry-After: 10");
    post = hook_send(hook, "msg_2", "{}"); /* the commit is overdue: at once */
    hook_expect_answer(&post, 503, "Retry-After: 10");
    reading_commit(&hook->reading);
    post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 200, "known");
    post = hook_send(hook, "msg_2", "{}");
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

static void what_was_given_up_in_the_queue_is_not_told(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", answer_timeout_ms: 100, while_away: wait");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 503, "not now");
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void whoever_waits_at_the_end_is_sent_away(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", while_away: wait, answer_timeout_ms: 60000");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    reading_close(&hook->reading);
    hook->reading.transport = NULL;
    hook_expect_answer(&post, 503, "Retry-After: 10");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_hears_200_before_the_commit),
        cmocka_unit_test(several_are_one_batch_in_their_order),
        cmocka_unit_test(a_document_knows_its_headers_and_no_secret),
        cmocka_unit_test(what_comes_again_is_known),
        cmocka_unit_test(what_comes_again_while_it_waits_is_one_document),
        cmocka_unit_test(what_was_committed_and_not_answered_is_known_to_the_next_process),
        cmocka_unit_test(the_last_ids_are_remembered_and_no_more),
        cmocka_unit_test(a_session_that_fails_sends_who_waits_away),
        cmocka_unit_test(the_next_session_takes_them),
        cmocka_unit_test(with_wait_they_wait_for_the_next_session),
        cmocka_unit_test(with_wait_what_the_next_session_finds_safe_is_answered),
        cmocka_unit_test(nobody_waits_longer_than_the_limit),
        cmocka_unit_test(what_was_given_up_in_the_queue_is_not_told),
        cmocka_unit_test(whoever_waits_at_the_end_is_sent_away),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = hook_begin;
        tests[i].teardown_func = hook_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
