/* oauth: client credentials, as RFC 6749 section 4.4 has them. */
#include "connectors/transports/oauth.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/polling.h"

#include <stdlib.h>

#define TOKEN(name) "{\"access_token\": \"" name "\", \"token_type\": \"bearer\", \"expires_in\": 100}"

static int begin_with_secret(void **state) {
    setenv("OAUTH_TEST_SECRET", "s3:cret&", 1);
    return poll_begin(state);
}

/* The token is asked for on the same server, in the order of the answers. */
static void open_oauth(struct poll *poll, const struct web_answer *answers, size_t count,
                       const char *more) {
    struct hub_arena arena = {0};
    poll->web = web_start(answers, count);
    reading_open(&poll->reading, "http-poll",
                 hub_arena_format(&arena,
                                  "{url: '%s', interval_ms: 1000, oauth_token_url: '%s', "
                                  "oauth_client_id: hub/1, oauth_client_secret: "
                                  "'${env:OAUTH_TEST_SECRET}'%s}",
                                  web_url(poll->web, "/list"), web_url(poll->web, "/token"), more),
                 NULL);
    hub_arena_destroy(&arena);
}
#define open_oauth(poll, answers, more)                                                            \
    open_oauth(poll, answers, sizeof(answers) / sizeof *(answers), more)

static void a_token_is_asked_for_and_goes_along(void **state) {
    static const struct web_answer answers[] = {{200, TOKEN("abc"), {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, ", oauth_scope: 'read all'");
    assert_page(poll, "one");
    assert_string_equal(web_target(poll->web, 0), "/token");
    assert_string_equal(web_method(poll->web, 0), "POST");
    assert_string_equal(web_body(poll->web, 0),
                        "grant_type=client_credentials&scope=read%20all");
    /* hub%2F1:s3%3Acret%26 */
    assert_string_equal(web_header(poll->web, 0, "Authorization"),
                        "Basic aHViJTJGMTpzMyUzQWNyZXQlMjY=");
    assert_string_equal(web_header(poll->web, 0, "Content-Type"),
                        "application/x-www-form-urlencoded");
    assert_string_equal(web_header(poll->web, 1, "Authorization"), "Bearer abc");
}

static void a_secret_may_go_in_the_body(void **state) {
    static const struct web_answer answers[] = {{200, TOKEN("abc"), {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, ", oauth_authentication: client_secret_post");
    assert_page(poll, "one");
    assert_string_equal(
        web_body(poll->web, 0),
        "grant_type=client_credentials&client_id=hub%2F1&client_secret=s3%3Acret%26");
    assert_null(web_header(poll->web, 0, "Authorization"));
}

static void a_token_is_renewed_before_it_ends(void **state) {
    static const struct web_answer answers[] = {{200, TOKEN("abc"), {0}}, {200, "one", {0}},
                                                {200, "two", {0}}, {200, TOKEN("def"), {0}},
                                                {200, "three", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, "");
    assert_page(poll, "one");
    reading_set_clock(POLL_START_MS + 69999);
    assert_page(poll, "two");
    reading_set_clock(POLL_START_MS + 71000);
    assert_page(poll, "three");
    assert_string_equal(web_header(poll->web, 4, "Authorization"), "Bearer def");
}

static void a_token_without_an_end_is_used_until_it_is_refused(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"access_token\": \"abc\", \"token_type\": \"Bearer\"}", {0}},
        {200, "one", {0}},
        {401, "", {0}},
        {200, TOKEN("def"), {0}},
        {200, "two", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, "");
    assert_page(poll, "one");
    reading_set_clock(POLL_START_MS + 86400000);
    assert_page(poll, "two");
    assert_string_equal(web_header(poll->web, 2, "Authorization"), "Bearer abc");
    assert_string_equal(web_header(poll->web, 4, "Authorization"), "Bearer def");
}

static void a_fresh_token_that_is_refused_is_for_a_person(void **state) {
    static const struct web_answer answers[] = {{200, TOKEN("abc"), {0}}, {401, "", {0}},
                                                {200, TOKEN("def"), {0}}, {401, "", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, "");
    assert_fatal(poll, "/list: HTTP 401; 200 or 304 would pass");
    assert_int_equal(web_asked(poll->web), 4);
}

static void what_is_listed_is_asked_for_again_with_a_fresh_token(void **state) {
    static const struct web_answer answers[] = {
        {200, TOKEN("abc"), {0}}, {200, "[1, 2, 3]", {0}}, {200, "x", {0}}, {401, "", {0}},
        {401, "", {0}},           {200, TOKEN("def"), {0}}, {200, "x", {0}}, {200, "x", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, ", ids: ., get: '/{id}', get_parallel: 3");
    assert_int_equal(reading_poll(&poll->reading), 3);
    assert_string_equal(web_header(poll->web, 7, "Authorization"), "Bearer def");
}

static void an_endpoint_that_cannot_now_is_asked_again(void **state) {
    static const struct web_answer answers[] = {{503, "", {0}}, {200, TOKEN("abc"), {0}},
                                                {200, "one", {0}}};
    struct poll *poll = *state;
    open_oauth(poll, answers, "");
    assert_retries(poll, "/token: HTTP 503", 0);
    assert_page(poll, "one");
}

static void an_endpoint_that_refuses_is_for_a_person_and_no_secret_is_told(void **state) {
    static const struct {
        struct web_answer answer;
        const char *error;
    } cases[] = {
        {{401, "{\"error\": \"invalid_client\"}", {0}}, "/token: HTTP 401, invalid_client"},
        {{400, "no json", {0}}, "/token: HTTP 400"},
        {{302, "", {"Location: http://127.0.0.1:1/"}}, "/token: HTTP 302"},
        {{200, "{}", {0}}, "no access_token of token_type Bearer"},
        {{200, "{\"access_token\": \"a\", \"token_type\": \"mac\"}", {0}}, "token_type Bearer"},
        {{200, "{\"access_token\": \"a\\r\\nX: y\", \"token_type\": \"bearer\"}", {0}},
         "no access_token"},
        {{200, "{\"access_token\": \"\", \"token_type\": \"bearer\"}", {0}}, "no access_token"},
        {{200, "and again", {"!endless"}}, "passes the limit of 65536 bytes"},
    };
    struct poll *poll = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct web_answer answers[] = {cases[i].answer};
        open_oauth(poll, answers, "");
        assert_fatal(poll, cases[i].error);
        assert_null(strstr(poll->reading.error.text, "cret"));
        reading_close(&poll->reading);
        poll->reading.transport = NULL;
        web_stop(poll->web);
        poll->web = NULL;
    }
}

static void options_that_need_each_other_are_asked_for(void **state) {
    static const struct {
        const char *options, *error;
    } cases[] = {
        {"{url: x, oauth_token_url: 'https://a.example/'}",
         "oauth_token_url, oauth_client_id and oauth_client_secret need each other"},
        {"{url: x, oauth_scope: a}",
         "oauth_token_url, oauth_client_id and oauth_client_secret need each other"},
        {"{url: x, oauth_token_url: 'http://a.example/', oauth_client_id: a, "
         "oauth_client_secret: '${env:OAUTH_TEST_SECRET}'}",
         "oauth_token_url 'http://a.example/': a secret goes there; https would pass"},
        {"{url: x, tls_key: a}", "tls_certificate and tls_key need each other"},
        {"{url: x, tls_certificate: a}", "tls_certificate and tls_key need each other"},
    };
    struct poll *poll = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(reading_refusal(&poll->reading, "http-poll", cases[i].options, NULL),
                            cases[i].error);
        reading_close(&poll->reading);
        poll->reading.transport = NULL;
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_asked_for_and_goes_along),
        cmocka_unit_test(a_secret_may_go_in_the_body),
        cmocka_unit_test(a_token_is_renewed_before_it_ends),
        cmocka_unit_test(a_token_without_an_end_is_used_until_it_is_refused),
        cmocka_unit_test(a_fresh_token_that_is_refused_is_for_a_person),
        cmocka_unit_test(what_is_listed_is_asked_for_again_with_a_fresh_token),
        cmocka_unit_test(an_endpoint_that_cannot_now_is_asked_again),
        cmocka_unit_test(an_endpoint_that_refuses_is_for_a_person_and_no_secret_is_told),
        cmocka_unit_test(options_that_need_each_other_are_asked_for),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin_with_secret;
        tests[i].teardown_func = poll_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
