/* webhook: what is turned away, and configurations that are. */
#include "tests/lib/cmocka.h"
#include "tests/lib/hook.h"
#include "tests/lib/look.h"

#include <stdlib.h>
#include <string.h>

/* A request that is turned away, by whatever line and headers. */
static void assert_turned_away(struct hook *hook, const char *head, const char *body,
                               unsigned status, const char *says) {
    struct post post;
    post_request(&post, hook->address, head, hub_bytes_of_text(body));
    hook_expect_answer(&post, status, says);
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void what_is_no_webhook_is_turned_away(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    assert_turned_away(hook, "POST /other HTTP/1.1\n", "{}", 404, "nothing is here");
    assert_turned_away(hook, "POST /in/ HTTP/1.1\n", "{}", 404, "nothing is here");
    assert_turned_away(hook, "GET /in HTTP/1.1\n", "", 405, "Allow: POST");
    assert_turned_away(hook, "PUT /in HTTP/1.1\n", "{}", 405, "Allow: POST");
    assert_turned_away(hook, "POST /in HTTP/1.1\n", "{}", 415, "content-type");
    assert_turned_away(hook, "POST /in HTTP/1.1\nContent-Type: text/plain\n", "{}", 415,
                       "content-type");
    assert_turned_away(hook, "POST /in HTTP/1.1\nContent-Type: application/json\n", "{}", 400,
                       "webhook-id");
}

static const char *head_with(struct hook *hook, const char *timestamp, char letter) {
    return hub_arena_format(&hook->arena, "POST /in HTTP/1.1\nContent-Type: Application/JSON; "
                            "charset=utf-8\nwebhook-id: msg_1\nwebhook-timestamp: %s\n"
                            "webhook-signature: %s\n", timestamp,
                            hook_signature(hook, letter, "msg_1", timestamp, "{}"));
}

static void a_signature_by_nobody_or_of_another_time_is_turned_away(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", tolerance_s: 60");
    assert_turned_away(hook, head_with(hook, HOOK_NOW_TEXT, 'B'), "{}", 401, "webhook-signature");
    assert_turned_away(hook, head_with(hook, HOOK_NOW_TEXT, 'A'), "{} ", 401, "webhook-signature");
    assert_turned_away(hook, head_with(hook, "1772323139", 'A'), "{}", 400, "61 s in the past");
    assert_turned_away(hook, head_with(hook, "1772323261", 'A'), "{}", 400,
                       "61 s in the future; at most 60");
}

/* A request that was overheard is no good later; nor at once, for its id is known. */
static void a_replay_is_no_second_event(void **state) {
    struct hook *hook = *state;
    hook_open(hook, "");
    struct post post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
    post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 200, "known");
    reading_set_clock((int64_t)(HOOK_NOW_S + 301) * 1000);
    post = hook_send(hook, "msg_1", "{}");
    hook_expect_answer(&post, 400, "301 s in the past");
}

static void a_secret_is_replaced_without_a_gap(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", tolerance_s: 60");
    assert_turned_away(hook, head_with(hook, HOOK_NOW_TEXT, 'B'), "{}", 401, "webhook-signature");
    reading_close(&hook->reading);
    hook->address = post_free_address(&hook->arena);
    reading_open(&hook->reading, "webhook",
                 hub_arena_format(&hook->arena, "{listen: '%s', path: /in, secrets: "
                                  "['${env:HUB_TEST_OTHER}', '${env:HUB_TEST_SECRET}']}",
                                  hook->address),
                 NULL);
    for (char letter = 'A'; letter <= 'B'; letter++) {
        struct post post;
        post_request(&post, hook->address, head_with(hook, HOOK_NOW_TEXT, letter),
                     hub_bytes_of_text("{}"));
        if (letter == 'A') {
            hook_await(hook, 1);
            reading_commit(&hook->reading);
        }
        assert_int_equal(post_status(&post), 200);
        post_close(&post);
    }
}

static void other_content_types_pass_where_they_are_configured(void **state) {
    struct hook *hook = *state;
    hook_open(hook, ", content_types: [application/xml, text/xml]");
    assert_turned_away(hook, head_with(hook, HOOK_NOW_TEXT, 'A'), "{}", 415, "content-type");
    struct post post;
    const char *head = hub_arena_format(
        &hook->arena, "POST /in HTTP/1.1\nContent-Type: text/xml\nwebhook-id: x\n"
        "webhook-timestamp: %s\nwebhook-signature: %s\n", HOOK_NOW_TEXT,
        hook_signature(hook, 'A', "x", HOOK_NOW_TEXT, "<a/>"));
    post_request(&post, hook->address, head, hub_bytes_of_text("<a/>"));
    hook_await(hook, 1);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

static void a_body_over_the_limit_is_turned_away(void **state) {
    struct hook *hook = *state;
    char body[1026];
    hook_open(hook, ", size_max_bytes: 1024");
    memset(body, ' ', sizeof body);
    body[1025] = '\0';
    assert_turned_away(hook, head_with(hook, HOOK_NOW_TEXT, 'A'), body, 413, "1024 bytes");
    body[1024] = '\0';
    struct post post = hook_send(hook, "msg_1", body);
    hook_await(hook, 1);
    assert_int_equal(hook->reading.batch.documents[0].bytes.size, 1024);
    reading_commit(&hook->reading);
    hook_expect_answer(&post, 200, "taken");
}

static void assert_note(struct hook *hook, const char *says) {
    assert_int_equal(reading_poll(&hook->reading), 0);
    const char *note = hook->reading.batch.note;
    if (says == NULL)
        assert_null(note);
    else if (note == NULL || strstr(note, says) == NULL)
        fail_msg("'%s' is not in '%s'", says, note == NULL ? "" : note);
}

static void each_kind_is_told_once_and_all_are_counted(void **state) {
    struct hook *hook = *state;
    json_error_t error;
    struct post post;
    hook_open(hook, "");
    for (int i = 0; i < 3; i++) {
        post_request(&post, hook->address, head_with(hook, HOOK_NOW_TEXT, 'B'),
                     hub_bytes_of_text("{}"));
        hook_expect_answer(&post, 401, "");
        post_request(&post, hook->address, "GET /in HTTP/1.1\n", hub_bytes_of_text(""));
        hook_expect_answer(&post, 405, "");
    }
    assert_note(hook, "method: answered with 405: POST would pass; more of the kind are counted");
    assert_note(hook, "signature: answered with 401: ");
    assert_note(hook, NULL);
    post_request(&post, hook->address, "GET /in HTTP/1.1\n", hub_bytes_of_text(""));
    hook_expect_answer(&post, 405, "");
    assert_note(hook, NULL);
    post = hook_send(hook, "msg_1", "{}");
    hook_await(hook, 1);
    json_t *position = json_loads(hook->reading.batch.position, 0, &error);
    expect_json(position, "turned_away", "{'method': 4, 'signature': 3}");
    json_decref(position);
    reading_restart(&hook->reading);
    hook_expect_answer(&post, 503, "");
}

/* --- configurations --- */

static void assert_refusal(struct hook *hook, const char *options, const char *says) {
    const char *error = reading_refusal(&hook->reading, "webhook", options, NULL);
    if (strstr(error, says) == NULL)
        fail_msg("'%s' is not in '%s'", says, error);
    assert_null(strstr(error, "QUFB"));
    reading_close(&hook->reading);
    hook->reading.transport = NULL;
}

static void what_cannot_be_served_is_refused(void **state) {
    struct hook *hook = *state;
    setenv("HUB_TEST_OTHER", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", /* overwrite= */ 1);
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_OTHER}'}", "secret 1 is none");
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_SECRET}', path: in}", "path 'in'");
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_SECRET}', listen: '0.0.0.0:8082'}",
                   "listen '0.0.0.0:8082' without tls_certificate");
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_SECRET}', listen: '127.0.0.1'}",
                   "HOST:PORT such as");
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_SECRET}', tls_key: a}", "need each other");
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_SECRET}', tls_client_ca: a}",
                   "tls_client_ca needs tls_certificate");
    assert_refusal(hook, "{secrets: '${env:HUB_TEST_SECRET}', tls_certificate: /not, tls_key: "
                   "/there}", "/not");
    folder_write(&hook->folder, "none.pem", "no certificate");
    const char *none = folder_path(&hook->folder, "none.pem");
    assert_refusal(hook, hub_arena_format(&hook->arena, "{secrets: '${env:HUB_TEST_SECRET}', "
                                          "tls_certificate: %s, tls_key: %s}", none, none),
                   "TLS certificate and key: ");
}

static void a_position_of_another_transport_is_refused(void **state) {
    struct hook *hook = *state;
    const char *error = reading_refusal(&hook->reading, "webhook",
                                        "{secrets: '${env:HUB_TEST_SECRET}'}", "{\"files\": {}}");
    assert_non_null(strstr(error, "the position is not one of webhook"));
}

static void a_port_that_is_taken_is_told(void **state) {
    struct hook *hook = *state;
    struct reading second = {0};
    hook_open(hook, "");
    const char *error = reading_refusal(
        &second, "webhook",
        hub_arena_format(&hook->arena, "{listen: '%s', secrets: '${env:HUB_TEST_SECRET}'}",
                         hook->address),
        NULL);
    assert_non_null(strstr(error, "is the port taken?"));
    reading_close(&second);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_webhook_is_turned_away),
        cmocka_unit_test(a_signature_by_nobody_or_of_another_time_is_turned_away),
        cmocka_unit_test(a_replay_is_no_second_event),
        cmocka_unit_test(a_secret_is_replaced_without_a_gap),
        cmocka_unit_test(other_content_types_pass_where_they_are_configured),
        cmocka_unit_test(a_body_over_the_limit_is_turned_away),
        cmocka_unit_test(each_kind_is_told_once_and_all_are_counted),
        cmocka_unit_test(what_cannot_be_served_is_refused),
        cmocka_unit_test(a_position_of_another_transport_is_refused),
        cmocka_unit_test(a_port_that_is_taken_is_told),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = hook_begin;
        tests[i].teardown_func = hook_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
