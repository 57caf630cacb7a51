/* webhook: what is taken, what is turned away, and that nobody hears 200 before it is safe. */
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/look.h"
#include "tests/lib/post.h"
#include "tests/lib/reading.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000 };

static const int64_t now_ms = 1772323200000; /* 2026-03-01 */
static const char now_text[] = "1772323200";

/* 24 bytes of the letters A and B. */
static const char secret_a[] = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
static const char secret_b[] = "whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC";

struct hook {
    struct reading reading;
    struct hub_arena arena;
    struct folder folder;
    const char *address;
};

static int begin(void **state) {
    struct hook *hook = hub_allocate_zero(1, sizeof *hook);
    *state = hook;
    folder_make(&hook->folder);
    hook->address = post_free_address(&hook->arena);
    reading_set_clock(now_ms);
    setenv("HUB_TEST_SECRET", secret_a, /* overwrite= */ 1);
    setenv("HUB_TEST_OTHER", secret_b, /* overwrite= */ 1);
    return 0;
}

static int end(void **state) {
    struct hook *hook = *state;
    if (hook->reading.transport != NULL)
        reading_close(&hook->reading);
    folder_remove(&hook->folder);
    hub_arena_destroy(&hook->arena);
    hub_release(hook);
    return 0;
}

static void open_hook(struct hook *hook, const char *more) {
    reading_open(&hook->reading, "webhook",
                 hub_arena_format(&hook->arena, "{listen: '%s', path: /in, secrets: "
                                  "'${env:HUB_TEST_SECRET}'%s}", hook->address, more),
                 NULL);
}

/* --- sending --- */

static const char *signature_of(struct hook *hook, char letter, const char *id,
                                const char *timestamp, const char *body) {
    uint8_t secret[24];
    HUB_SCOPED_BUFFER text = {0};
    memset(secret, letter, sizeof secret);
    const char *message = hub_arena_format(&hook->arena, "%s.%s.%s", id, timestamp, body);
    struct hub_digest digest =
        hub_hmac_sha256(hub_bytes(secret, sizeof secret), hub_bytes_of_text(message));
    hub_base64_append(hub_bytes(digest.bytes, HUB_DIGEST_SIZE), &text);
    return hub_arena_format(&hook->arena, "v1,%s", hub_buffer_text(&text));
}

/* As a sender that is believed sends it; `more` is further headers, each ended by \n. */
static struct post send_more(struct hook *hook, const char *id, const char *body,
                             const char *more) {
    struct post post;
    const char *head = hub_arena_format(
        &hook->arena, "POST /in HTTP/1.1\nContent-Type: application/json\nWebhook-Id: "
        "%s\nWebhook-Timestamp: %s\nWebhook-Signature: %s\n%s", id, now_text,
        signature_of(hook, 'A', id, now_text, body), more);
    post_request(&post, hook->address, head, hub_bytes_of_text(body));
    return post;
}

static struct post send_it(struct hook *hook, const char *id, const char *body) {
    return send_more(hook, id, body, "");
}

static void assert_answered(struct post *post, unsigned status, const char *says) {
    assert_int_equal(post_status(post), status);
    if (strstr(post_text(post), says) == NULL)
        fail_msg("'%s' is not in '%s'", says, post_text(post));
    post_close(post);
}

/* A request that is turned away, by whatever line and headers. */
static void assert_turned_away(struct hook *hook, const char *head, const char *body,
                               unsigned status, const char *says) {
    struct post post;
    post_request(&post, hook->address, head, hub_bytes_of_text(body));
    assert_answered(&post, status, says);
    assert_int_equal(reading_poll(&hook->reading), 0);
}

/* Polls until so many documents are there. */
static void await_documents(struct hook *hook, size_t count) {
    int64_t until_ms = hub_clock_monotonic_ms() + WAIT_MS;
    while (reading_poll(&hook->reading) < count) {
        if (hub_clock_monotonic_ms() > until_ms)
            fail_msg("%zu documents came of %zu", hook->reading.batch.count, count);
        sched_yield();
    }
    assert_int_equal(hook->reading.batch.count, count);
}

/* --- taking --- */

static void nobody_hears_200_before_the_commit(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post post = send_it(hook, "msg_1", "{\"a\": 1}");
    await_documents(hook, 1);
    assert_string_equal(reading_text(&hook->reading, 0), "{\"a\": 1}");
    assert_string_equal(reading_name(&hook->reading, 0), "webhook/msg_1");
    assert_false(post_is_answered(&post, /* timeout_ms= */ 100));
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
    assert_int_equal(reading_poll(&hook->reading), 0);
    assert_true(hook->reading.batch.exhausted);
}

static void several_are_one_batch_in_their_order(void **state) {
    struct hook *hook = *state;
    struct post posts[3];
    open_hook(hook, "");
    for (int i = 0; i < 3; i++) {
        posts[i] = send_it(hook, hub_arena_format(&hook->arena, "msg_%d", i), "{}");
        await_documents(hook, (size_t)i + 1);
    }
    assert_string_equal(reading_name(&hook->reading, 0), "webhook/msg_0");
    assert_string_equal(reading_name(&hook->reading, 2), "webhook/msg_2");
    reading_commit(&hook->reading);
    for (int i = 0; i < 3; i++)
        assert_answered(&posts[i], 200, "taken");
}

static void a_document_knows_its_headers_and_no_secret(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post post = send_more(hook, "msg_1", "{}",
                                 "X-Ward: thorax\nAuthorization: Basic abc\nCookie: a=b\n"
                                 "X-Broken: \xff\n");
    await_documents(hook, 1);
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
    assert_answered(&post, 200, "taken");
}

static void what_comes_again_is_known(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
    post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 200, "known");
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void what_comes_again_while_it_waits_is_one_document(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post first = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    struct post second = send_it(hook, "msg_1", "{}");
    assert_false(post_is_answered(&second, /* timeout_ms= */ 100));
    reading_commit(&hook->reading);
    assert_answered(&first, 200, "taken");
    assert_int_equal(post_status(&second), 200);
    post_close(&second);
    assert_int_equal(reading_poll(&hook->reading), 0);
}

/* Killed between Kafka's commit and the answer: the next process knows it from the position. */
static void what_was_committed_and_not_answered_is_known_to_the_next_process(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    const char *position = hub_arena_text(&hook->arena, hook->reading.batch.position,
                                          strlen(hook->reading.batch.position));
    reading_close(&hook->reading);
    assert_answered(&post, 503, "Retry-After: 10");
    hook->address = post_free_address(&hook->arena);
    reading_open(&hook->reading, "webhook",
                 hub_arena_format(&hook->arena, "{listen: '%s', path: /in, secrets: "
                                  "'${env:HUB_TEST_SECRET}'}", hook->address),
                 position);
    post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 200, "known");
    post = send_it(hook, "msg_2", "{}");
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
}

static void the_last_ids_are_remembered_and_no_more(void **state) {
    struct hook *hook = *state;
    json_error_t error;
    open_hook(hook, ", remember: 64");
    for (int i = 0; i < 66; i++) {
        struct post post = send_it(hook, hub_arena_format(&hook->arena, "msg_%d", i), "{}");
        await_documents(hook, 1);
        if (i < 65)
            reading_commit(&hook->reading);
        if (i == 65) {
            json_t *position = json_loads(hook->reading.batch.position, 0, &error);
            assert_int_equal(look_count(position, "marks"), 64);
            json_decref(position);
            reading_commit(&hook->reading);
        }
        assert_answered(&post, 200, "taken");
    }
    struct post post = send_it(hook, "msg_2", "{}");
    assert_answered(&post, 200, "known");
    post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
}

/* --- while Kafka is away --- */

static void a_session_that_fails_sends_who_waits_away(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", answer_timeout_ms: 60000");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    hook->reading.transport->close(hook->reading.state);
    assert_answered(&post, 503, "Retry-After: 10");
    post = send_it(hook, "msg_2", "{}");
    assert_answered(&post, 503, "Retry-After: 10"); /* the port still answers */
}

static void the_next_session_takes_them(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    reading_restart(&hook->reading); /* its commit was safe, which nobody had heard */
    assert_answered(&post, 503, "not now");
    post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 200, "known");
    post = send_it(hook, "msg_2", "{}");
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
}

static void with_wait_they_wait_for_the_next_session(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", while_away: wait");
    struct post first = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    hook->reading.transport->close(hook->reading.state);
    struct post second = send_it(hook, "msg_2", "{}");
    assert_false(post_is_answered(&first, /* timeout_ms= */ 100));
    assert_false(post_is_answered(&second, /* timeout_ms= */ 100));
    hook->reading.env.position = NULL; /* nothing was committed */
    assert_int_equal(hook->reading.transport->open(hook->reading.state, hook->reading.options,
                                                   &hook->reading.env, &hook->reading.error),
                     HUB_OK);
    await_documents(hook, 2);
    reading_commit(&hook->reading);
    assert_answered(&first, 200, "taken");
    assert_answered(&second, 200, "taken");
}

/* Kafka had it, and said so too late: the position of the next session tells. */
static void with_wait_what_the_next_session_finds_safe_is_answered(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", while_away: wait");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    reading_restart(&hook->reading);
    assert_answered(&post, 200, "taken");
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void nobody_waits_longer_than_the_limit(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", answer_timeout_ms: 200");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    assert_answered(&post, 503, "Retry-After: 10");
    post = send_it(hook, "msg_2", "{}"); /* the commit is overdue: at once */
    assert_answered(&post, 503, "Retry-After: 10");
    reading_commit(&hook->reading);
    post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 200, "known");
    post = send_it(hook, "msg_2", "{}");
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
}

static void what_was_given_up_in_the_queue_is_not_told(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", answer_timeout_ms: 100, while_away: wait");
    struct post post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 503, "not now");
    assert_int_equal(reading_poll(&hook->reading), 0);
}

static void whoever_waits_at_the_end_is_sent_away(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", while_away: wait, answer_timeout_ms: 60000");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    reading_close(&hook->reading);
    hook->reading.transport = NULL;
    assert_answered(&post, 503, "Retry-After: 10");
}

/* --- turning away --- */

static void what_is_no_webhook_is_turned_away(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
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
                            signature_of(hook, letter, "msg_1", timestamp, "{}"));
}

static void a_signature_by_nobody_or_of_another_time_is_turned_away(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", tolerance_s: 60");
    assert_turned_away(hook, head_with(hook, now_text, 'B'), "{}", 401, "webhook-signature");
    assert_turned_away(hook, head_with(hook, now_text, 'A'), "{} ", 401, "webhook-signature");
    assert_turned_away(hook, head_with(hook, "1772323139", 'A'), "{}", 400, "61 s in the past");
    assert_turned_away(hook, head_with(hook, "1772323261", 'A'), "{}", 400,
                       "61 s in the future; at most 60");
}

/* A request that was overheard is no good later; nor at once, for its id is known. */
static void a_replay_is_no_second_event(void **state) {
    struct hook *hook = *state;
    open_hook(hook, "");
    struct post post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
    post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 200, "known");
    reading_set_clock(now_ms + 301000);
    post = send_it(hook, "msg_1", "{}");
    assert_answered(&post, 400, "301 s in the past");
}

static void a_secret_is_replaced_without_a_gap(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", tolerance_s: 60");
    assert_turned_away(hook, head_with(hook, now_text, 'B'), "{}", 401, "webhook-signature");
    reading_close(&hook->reading);
    hook->address = post_free_address(&hook->arena);
    reading_open(&hook->reading, "webhook",
                 hub_arena_format(&hook->arena, "{listen: '%s', path: /in, secrets: "
                                  "['${env:HUB_TEST_OTHER}', '${env:HUB_TEST_SECRET}']}",
                                  hook->address),
                 NULL);
    for (char letter = 'A'; letter <= 'B'; letter++) {
        struct post post;
        post_request(&post, hook->address, head_with(hook, now_text, letter),
                     hub_bytes_of_text("{}"));
        if (letter == 'A') {
            await_documents(hook, 1);
            reading_commit(&hook->reading);
        }
        assert_int_equal(post_status(&post), 200);
        post_close(&post);
    }
}

static void other_content_types_pass_where_they_are_configured(void **state) {
    struct hook *hook = *state;
    open_hook(hook, ", content_types: [application/xml, text/xml]");
    assert_turned_away(hook, head_with(hook, now_text, 'A'), "{}", 415, "content-type");
    struct post post;
    const char *head = hub_arena_format(
        &hook->arena, "POST /in HTTP/1.1\nContent-Type: text/xml\nwebhook-id: x\n"
        "webhook-timestamp: %s\nwebhook-signature: %s\n", now_text,
        signature_of(hook, 'A', "x", now_text, "<a/>"));
    post_request(&post, hook->address, head, hub_bytes_of_text("<a/>"));
    await_documents(hook, 1);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
}

static void a_body_over_the_limit_is_turned_away(void **state) {
    struct hook *hook = *state;
    char body[1026];
    open_hook(hook, ", size_max_bytes: 1024");
    memset(body, ' ', sizeof body);
    body[1025] = '\0';
    assert_turned_away(hook, head_with(hook, now_text, 'A'), body, 413, "1024 bytes");
    body[1024] = '\0';
    struct post post = send_it(hook, "msg_1", body);
    await_documents(hook, 1);
    assert_int_equal(hook->reading.batch.documents[0].bytes.size, 1024);
    reading_commit(&hook->reading);
    assert_answered(&post, 200, "taken");
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
    open_hook(hook, "");
    for (int i = 0; i < 3; i++) {
        post_request(&post, hook->address, head_with(hook, now_text, 'B'),
                     hub_bytes_of_text("{}"));
        assert_answered(&post, 401, "");
        post_request(&post, hook->address, "GET /in HTTP/1.1\n", hub_bytes_of_text(""));
        assert_answered(&post, 405, "");
    }
    assert_note(hook, "method: answered with 405: POST would pass; more of the kind are counted");
    assert_note(hook, "signature: answered with 401: ");
    assert_note(hook, NULL);
    post_request(&post, hook->address, "GET /in HTTP/1.1\n", hub_bytes_of_text(""));
    assert_answered(&post, 405, "");
    assert_note(hook, NULL);
    post = send_it(hook, "msg_1", "{}");
    await_documents(hook, 1);
    json_t *position = json_loads(hook->reading.batch.position, 0, &error);
    expect_json(position, "turned_away", "{'method': 4, 'signature': 3}");
    json_decref(position);
    reading_restart(&hook->reading);
    assert_answered(&post, 503, "");
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
    open_hook(hook, "");
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
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
