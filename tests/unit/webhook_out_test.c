/* webhook-out: what is posted, and what its answers lead to. */
#include "connectors/transports/webhook_signature.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/delivering.h"
#include "tests/lib/source.h"
#include "tests/lib/web.h"

#include <stdlib.h>
#include <string.h>

/* 24 bytes of the letter A, and of the letter B. */
static const char first_secret[] = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
static const char second_secret[] = "whsec_QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC";

struct wire {
    struct web *web;
    struct delivering delivering;
};

static int begin(void **state) {
    setenv("OUT_TEST_SECRET", first_secret, 1);
    setenv("OUT_TEST_NEWER", second_secret, 1);
    *state = hub_allocate_zero(1, sizeof(struct wire));
    return 0;
}

static int end(void **state) {
    struct wire *wire = *state;
    delivering_close(&wire->delivering);
    if (wire->web != NULL)
        web_stop(wire->web);
    hub_release(wire);
    return 0;
}

#define open_wire(wire, answers, more)                                                             \
    open_wire_on(wire, answers, sizeof(answers) / sizeof *(answers), more)
static void open_wire_on(struct wire *wire, const struct web_answer *answers, size_t count,
                         const char *more) {
    struct hub_arena arena = {0};
    wire->web = web_start(answers, count);
    delivering_open(&wire->delivering, "webhook-out",
                    hub_arena_format(&arena,
                                     "{url: '%s', secrets: ['${env:OUT_TEST_SECRET}', "
                                     "'${env:OUT_TEST_NEWER}'], timeout_ms: 1000%s}",
                                     web_url(wire->web, "/events"), more));
    hub_arena_destroy(&arena);
}

static void assert_believed(struct wire *wire, const char *secret) {
    const char *const texts[] = {secret, NULL};
    struct hub_arena arena = {0};
    struct hub_webhook_secrets secrets;
    struct hub_error error;
    const struct hub_webhook_claim claim = {
        .id = web_header(wire->web, 0, "webhook-id"),
        .timestamp = web_header(wire->web, 0, "webhook-timestamp"),
        .signatures = web_header(wire->web, 0, "webhook-signature"),
        .body = hub_bytes_of_text(web_body(wire->web, 0))};
    assert_int_equal(hub_webhook_secrets_read(texts, &arena, &secrets, &error), HUB_OK);
    assert_int_equal(hub_webhook_verify(&secrets, &claim, DELIVERING_NOW_MS / 1000, 0, &error),
                     HUB_WEBHOOK_GOOD);
    hub_arena_destroy(&arena);
}

static void an_event_is_posted_and_signed_by_every_secret(void **state) {
    static const struct web_answer answers[] = {{200, "", {0}}};
    struct wire *wire = *state;
    open_wire(wire, answers, "");
    assert_int_equal(delivering_try(&wire->delivering, 17, 1, 0), HUB_OK);
    assert_string_equal(web_method(wire->web, 0), "POST");
    assert_string_equal(web_target(wire->web, 0), "/events");
    assert_string_equal(web_body(wire->web, 0), "{\"number\":17}");
    assert_string_equal(web_header(wire->web, 0, "Content-Type"), "application/json");
    assert_string_equal(web_header(wire->web, 0, "webhook-id"), "trying/17");
    assert_string_equal(web_header(wire->web, 0, "webhook-timestamp"), "1772323200");
    assert_believed(wire, first_secret);
    assert_believed(wire, second_secret);
}

static void every_2xx_is_done_and_nothing_else(void **state) {
    static const struct web_answer answers[] = {
        {200, "", {0}}, {202, "any", {0}}, {204, "", {0}}, {299, "", {0}}, {302, "", {"Location: /b"}},
        {400, "", {0}}, {404, "", {0}},    {500, "", {0}}};
    struct wire *wire = *state;
    open_wire(wire, answers, "");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(delivering_try(&wire->delivering, 1, 1, 0), HUB_OK);
    for (size_t i = 4; i < 8; i++)
        assert_int_equal(delivering_try(&wire->delivering, 1, 1, 0), HUB_RETRY);
    assert_int_equal(web_asked(wire->web), 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(web_target(wire->web, i), "/events");
    assert_says(wire->delivering.error.text, "trying/1: the receiver answered 500; 2xx would pass");
}

static void what_is_busy_says_for_how_long(void **state) {
    static const struct web_answer answers[] = {{429, "", {"Retry-After: 7"}},
                                                {503, "", {"Retry-After: 9"}}};
    struct wire *wire = *state;
    open_wire(wire, answers, "");
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 0), HUB_RETRY);
    assert_int_equal(wire->delivering.result.retry_after_ms, 7000);
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 0), HUB_RETRY);
    assert_int_equal(wire->delivering.result.retry_after_ms, 9000);
}

static void gone_is_gone(void **state) {
    static const struct web_answer answers[] = {{410, "", {0}}};
    struct wire *wire = *state;
    open_wire(wire, answers, "");
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 0), HUB_FATAL);
    assert_true(wire->delivering.result.is_gone);
    assert_says(wire->delivering.error.text, "410 Gone");
}

static void what_fails_for_too_long_is_given_up(void **state) {
    static const struct web_answer answers[] = {{422, "", {0}}, {422, "", {0}}, {500, "", {0}}};
    struct wire *wire = *state;
    open_wire(wire, answers, ", give_up_after_s: 10");
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 9999), HUB_RETRY);
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 10000), HUB_REJECT);
    assert_string_equal(wire->delivering.result.code, "REFUSED");
    assert_says(wire->delivering.error.text, "answered 422; 2xx would pass, for 10 s");
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 10000), HUB_REJECT);
    assert_string_equal(wire->delivering.result.code, "UNREACHABLE");
}

static void or_it_stops(void **state) {
    static const struct web_answer answers[] = {{422, "", {0}}};
    struct wire *wire = *state;
    open_wire(wire, answers, ", give_up_after_s: 10, on_failure: stop");
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 10000), HUB_FATAL);
    assert_false(wire->delivering.result.is_gone);
}

static void no_answer_and_one_without_an_end_are_tried_again(void **state) {
    static const struct web_answer answers[] = {{0, "", {0}}, {200, "", {"!endless"}}};
    struct wire *wire = *state;
    open_wire(wire, answers, ", size_max_bytes: 4096, give_up_after_s: 10");
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 0), HUB_RETRY);
    assert_int_equal(delivering_try(&wire->delivering, 1, 1, 10000), HUB_REJECT);
    assert_string_equal(wire->delivering.result.code, "UNREACHABLE");
}

static void what_would_not_be_private_or_signed_is_refused(void **state) {
    static const struct {
        const char *options, *says;
    } none[] = {
        {"{secrets: '${env:OUT_TEST_SECRET}'}", "'url' is missing"},
        {"{url: 'https://example.org/x'}", "'secrets' is missing"},
        {"{url: 'http://example.org/x', secrets: '${env:OUT_TEST_SECRET}'}", "an https address"},
        {"{url: 'https://example.org/x', secrets: whsec_AAAA}", "${env:NAME}"},
        {"{url: 'https://example.org/x', secrets: '${env:OUT_TEST_SECRET}', on_failure: skip}",
         "one of dead-letter, stop"},
        {"{url: 'https://example.org/x', secrets: '${env:OUT_TEST_SECRET}', tls_key: a}",
         "need each other"},
    };
    struct wire *wire = *state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_says(delivering_refusal(&wire->delivering, "webhook-out", none[i].options),
                    none[i].says);
    setenv("OUT_TEST_SECRET", "secret", 1);
    assert_says(delivering_refusal(&wire->delivering, "webhook-out",
                                   "{url: 'https://example.org/x', secrets: "
                                   "'${env:OUT_TEST_SECRET}'}"),
                "secret 1 is none");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_posted_and_signed_by_every_secret),
        cmocka_unit_test(every_2xx_is_done_and_nothing_else),
        cmocka_unit_test(what_is_busy_says_for_how_long),
        cmocka_unit_test(gone_is_gone),
        cmocka_unit_test(what_fails_for_too_long_is_given_up),
        cmocka_unit_test(or_it_stops),
        cmocka_unit_test(no_answer_and_one_without_an_end_are_tried_again),
        cmocka_unit_test(what_would_not_be_private_or_signed_is_refused),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
