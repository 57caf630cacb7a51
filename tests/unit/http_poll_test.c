/* http_poll: pages, what has not changed, and sources that are not well. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/polling.h"

/* --- one page --- */

static void a_page_is_asked_for_once_in_each_interval(void **state) {
    static const struct web_answer answers[] = {{200, "one", {0}}, {200, "two", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_page(poll, "one");
    assert_rest(poll);
    reading_set_clock(POLL_START_MS + 999);
    assert_rest(poll);
    reading_set_clock(POLL_START_MS + 1000);
    assert_page(poll, "two");
    assert_string_equal(web_target(poll->web, 1), "/list");
}

static void a_page_that_was_not_committed_is_asked_for_again(void **state) {
    static const struct web_answer answers[] = {{200, "one", {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_int_equal(reading_poll(&poll->reading), 1);
    assert_page(poll, "one");
    assert_rest(poll);
}

static void headers_and_parameters_go_along(void **state) {
    static const struct web_answer answers[] = {{200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers,
              ", headers: ['Authorization: Bearer t0ken', 'Accept: application/json'], parameters: "
              "[format=json, 'q=hud & hjärta', empty=]");
    assert_page(poll, "{}");
    assert_string_equal(web_target(poll->web, 0),
                        "/list?format=json&q=hud%20%26%20hj%C3%A4rta&empty=");
    assert_string_equal(web_header(poll->web, 0, "Authorization"), "Bearer t0ken");
    assert_string_equal(web_header(poll->web, 0, "Accept"), "application/json");
    expect_json(poll->reading.batch.documents[0].context, "request",
                "{'format': 'json', 'q': 'hud & hjärta', 'empty': ''}");
    assert_null(strstr(reading_name(&poll->reading, 0), "t0ken"));
}

/* --- pages --- */

static void tokens_lead_from_page_to_page(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"a b\"}", {0}},
                                                {200, "{\"next\": 7}", {0}},
                                                {200, "{\"next\": null}", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", parameters: [size=2], next: next, token_parameter: page");
    assert_page(poll, "{\"next\": \"a b\"}");
    assert_page(poll, "{\"next\": 7}");
    assert_page(poll, "{\"next\": null}");
    assert_rest(poll);
    assert_string_equal(web_target(poll->web, 1), "/list?size=2&page=a%20b");
    assert_string_equal(web_target(poll->web, 2), "/list?size=2&page=7");
    next_sweep();
    assert_page(poll, "{}");
    assert_string_equal(web_target(poll->web, 3), "/list?size=2");
}

/* Nothing is asked for, though the sweep is not over. */
static void assert_paced(struct poll *poll) {
    size_t asked = web_asked(poll->web);
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_false(poll->reading.batch.exhausted);
    assert_int_equal(web_asked(poll->web), asked);
}

static void a_source_is_asked_no_oftener_than_it_allows(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": 2}", {0}}, {503, "", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page, requests_per_minute_max: 7");
    assert_page(poll, "{\"next\": 2}");
    assert_paced(poll);
    reading_set_clock(POLL_START_MS + 8571); /* a seventh of a minute is a little more */
    assert_paced(poll);
    reading_set_clock(POLL_START_MS + 8572);
    assert_retries(poll, "HTTP 503", 0);
    assert_paced(poll); /* what was refused was asked for, too */
    reading_set_clock(POLL_START_MS + 2 * 8572);
    assert_page(poll, "{}");
    assert_rest(poll);
}

static void links_lead_from_page_to_page(void **state) {
    static const struct web_answer answers[] = {
        {200, "one", {"Link: </list?page=2>; rel=\"next\", </list?page=9>; rel=\"last\""}},
        {200, "two", {"Link: </list>; rel=first", "Link: <?page=3>; title=\"a, b\"; REL=\"x Next\"",
                      "Link: </list?page=9>; rel=last"}},
        {200, "three", {"Link: </list?page=2>; rel=\"prev\""}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: link");
    assert_page(poll, "one");
    assert_page(poll, "two");
    assert_page(poll, "three");
    assert_rest(poll);
    assert_string_equal(web_target(poll->web, 1), "/list?page=2");
    assert_string_equal(web_target(poll->web, 2), "/list?page=3");
}

static void a_link_to_another_host_is_never_followed(void **state) {
    static const char *const links[] = {
        "Link: <http://127.0.0.1:1/list>; rel=\"next\"",
        "Link: <http://elsewhere.example/list>; rel=\"next\"",
        "Link: <https://127.0.0.1/list>; rel=\"next\"",
        "Link: <file:///etc/passwd>; rel=\"next\"",
        "Link: <//elsewhere.example/list>; rel=\"next\"",
    };
    struct poll *poll = *state;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        const struct web_answer answers[] = {{200, "one", {links[i]}}};
        open_poll(poll, answers, ", next: link, headers: ['Authorization: t0ken']");
        assert_fatal(poll, "one at the same scheme, host and port would pass");
        reading_close(&poll->reading);
        poll->reading.transport = NULL;
        web_stop(poll->web);
        poll->web = NULL;
    }
}

static void a_link_that_is_no_address_is_for_a_person(void **state) {
    static const struct web_answer answers[] = {
        {200, "one", {"Link: </list?page=\xff>; rel=\"next\""}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: link");
    assert_fatal(poll, "its link is no address");
}

static void a_token_that_is_none_is_for_a_person(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": true}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_fatal(poll, "member 'next' of a page is no text or whole number");
}

static void a_page_that_leads_to_itself_begins_the_sweep_anew(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"a\"}", {0}},
                                                {200, "{\"next\": \"a\"}", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_page(poll, "{\"next\": \"a\"}");
    assert_retries(poll, "the next page is this page; the sweep begins anew", 0);
    assert_page(poll, "{}");
    assert_string_equal(web_target(poll->web, 2), "/list");
}

static void an_interrupted_sweep_goes_on_at_its_page_and_a_whole_one_follows(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"a\"}", {0}},
                                                {200, "{}", {0}},
                                                {200, "{\"next\": \"b\"}", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_page(poll, "{\"next\": \"a\"}");
    reading_restart(&poll->reading);
    assert_page(poll, "{}");
    assert_string_equal(web_target(poll->web, 1), "/list?page=a");
    assert_page(poll, "{\"next\": \"b\"}"); /* what changed in the first page meanwhile */
    assert_string_equal(web_target(poll->web, 2), "/list");
    assert_page(poll, "{}");
    assert_rest(poll);
}

static void a_token_that_is_no_longer_good_begins_the_sweep_anew(void **state) {
    static const struct web_answer answers[] = {
        {200, "one", {"Link: </list?page=2>; rel=\"next\""}}, {410, "", {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: link");
    assert_page(poll, "one");
    assert_retries(poll, "HTTP 410 for a page's token", 0);
    assert_page(poll, "one");
    assert_string_equal(web_target(poll->web, 2), "/list");
}

static void every_value_of_the_sweep_has_its_own_pages(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"next\": \"x\"}", {0}}, {200, "{}", {0}}, {200, "{}", {0}}, {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers,
              ", sweep_parameter: who, sweep_values: [lu.se, uio.no], next: next, token_parameter: "
              "page");
    assert_page(poll, "{\"next\": \"x\"}");
    expect_json(poll->reading.batch.documents[0].context, "request.who", "'lu.se'");
    assert_page(poll, "{}");
    assert_page(poll, "{}");
    expect_json(poll->reading.batch.documents[0].context, "request.who", "'uio.no'");
    assert_rest(poll);
    assert_string_equal(web_target(poll->web, 1), "/list?who=lu.se&page=x");
    assert_string_equal(web_target(poll->web, 2), "/list?who=uio.no");
}

static void a_place_in_a_sweep_that_is_no_more_is_forgotten(void **state) {
    static const struct web_answer answers[] = {{200, "{}", {0}}};
    struct poll *poll = *state;
    struct hub_arena arena = {0};
    poll->web = web_start(answers, 1);
    reading_open(&poll->reading, "http-poll",
                 hub_arena_format(&arena, "{url: '%s', sweep_parameter: who, sweep_values: [lu.se]}",
                                  web_url(poll->web, "/list")),
                 "{\"validators\": {}, \"sweep\": 1, \"link\": \"http://127.0.0.1:1/old\"}");
    hub_arena_destroy(&arena);
    assert_page(poll, "{}");
    assert_string_equal(web_target(poll->web, 0), "/list?who=lu.se");
}

/* --- what has not changed --- */

static void a_page_with_an_etag_comes_again_only_when_it_has_changed(void **state) {
    static const struct web_answer answers[] = {
        {200, "one", {"ETag: \"v1\""}}, {304, "", {0}}, {200, "two", {"ETag: \"v2\""}}, {304, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_page(poll, "one");
    assert_null(web_header(poll->web, 0, "If-None-Match"));
    next_sweep();
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_string_equal(web_header(poll->web, 1, "If-None-Match"), "\"v1\"");
    assert_rest(poll);
    next_sweep();
    assert_page(poll, "two");
    assert_string_equal(web_header(poll->web, 2, "If-None-Match"), "\"v1\"");
    next_sweep();
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_string_equal(web_header(poll->web, 3, "If-None-Match"), "\"v2\"");
}

static void a_page_with_a_time_comes_again_only_when_it_is_later(void **state) {
    static const struct web_answer answers[] = {
        {200, "one", {"Last-Modified: Sun, 01 Mar 2026 00:00:00 GMT"}}, {304, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_page(poll, "one");
    reading_restart(&poll->reading);
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_string_equal(web_header(poll->web, 1, "If-Modified-Since"),
                        "Sun, 01 Mar 2026 00:00:00 GMT");
}

static void an_answer_of_several_pages_is_always_asked_for_whole(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"a\"}", {"ETag: \"v1\""}},
                                                {200, "{}", {"ETag: \"v1b\""}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_page(poll, "{\"next\": \"a\"}");
    assert_page(poll, "{}");
    next_sweep();
    assert_page(poll, "{}");
    for (size_t i = 0; i < 3; i++)
        assert_null(web_header(poll->web, i, "If-None-Match"));
}

static void an_etag_from_before_an_answer_had_several_pages_is_forgotten(void **state) {
    static const struct web_answer answers[] = {{200, "{}", {"ETag: \"v1\""}},
                                                {200, "{\"next\": \"a\"}", {"ETag: \"v2\""}},
                                                {200, "{}", {0}},
                                                {200, "{}", {"ETag: \"v1\""}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_page(poll, "{}");
    next_sweep();
    assert_page(poll, "{\"next\": \"a\"}");
    assert_page(poll, "{}");
    next_sweep();
    assert_page(poll, "{}");
    assert_null(web_header(poll->web, 3, "If-None-Match"));
}

/* --- sources that are not well --- */

static void a_source_that_is_busy_is_asked_again_when_it_says(void **state) {
    static const struct web_answer answers[] = {{429, "", {"Retry-After: 120"}},
                                                {503, "", {"Retry-After: -5"}},
                                                {503, "", {"Retry-After: soon"}},
                                                {503, "", {"Retry-After: 99999999999999999999"}},
                                                {503, "", {0}},
                                                {500, "", {0}},
                                                {408, "", {0}},
                                                {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_retries(poll, "/list: HTTP 429", 120000);
    assert_retries(poll, "HTTP 503", 0);
    assert_retries(poll, "HTTP 503", 0);
    assert_int_equal(reading_try(&poll->reading), HUB_RETRY);
    assert_in_range(poll->reading.batch.retry_after_ms, 0, (int64_t)7 * 86400 * 1000);
    assert_retries(poll, "HTTP 503", 0);
    assert_retries(poll, "HTTP 500", 0);
    assert_retries(poll, "HTTP 408", 0);
    assert_page(poll, "one");
}

static void a_time_to_ask_again_may_be_a_date(void **state) {
    static const struct web_answer answers[] = {
        {503, "", {"Retry-After: Fri, 31 Dec 2999 23:59:59 GMT"}},
        {503, "", {"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_int_equal(reading_try(&poll->reading), HUB_RETRY);
    assert_true(poll->reading.batch.retry_after_ms > 0);
    assert_retries(poll, "HTTP 503", 0);
}

static void a_busy_source_keeps_the_page_of_the_sweep(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"next\": \"a\"}", {0}}, {503, "", {0}}, {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_page(poll, "{\"next\": \"a\"}");
    assert_retries(poll, "HTTP 503", 0);
    assert_page(poll, "{}");
    assert_string_equal(web_target(poll->web, 2), "/list?page=a");
}

static void a_refusal_is_for_a_person(void **state) {
    static const struct web_answer answers[] = {
        {401, "", {0}}, {404, "", {0}}, {204, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_fatal(poll, "/list: HTTP 401; 200 or 304 would pass");
    assert_fatal(poll, "HTTP 404");
    assert_fatal(poll, "HTTP 204");
}

static void a_redirect_is_never_followed(void **state) {
    static const struct web_answer answers[] = {{302, "", {"Location: /elsewhere"}},
                                                {301, "", {"Location: file:///etc/passwd"}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", headers: ['Authorization: t0ken']");
    assert_fatal(poll, "HTTP 302; 200 or 304 would pass");
    assert_fatal(poll, "HTTP 301");
    assert_int_equal(web_asked(poll->web), 2);
}

static void no_answer_in_time_is_tried_again(void **state) {
    static const struct web_answer answers[] = {{0, NULL, {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", timeout_ms: 100");
    assert_retries(poll, "Timeout was reached", 0);
    assert_page(poll, "one");
}

static void a_source_that_is_away_is_tried_again(void **state) {
    struct poll *poll = *state;
    reading_open(&poll->reading, "http-poll", "{url: 'http://127.0.0.1:1/'}", NULL);
    assert_retries(poll, "http://127.0.0.1:1/: ", 0);
}

static void a_page_over_the_limit_is_refused_and_the_next_sweep_goes_on(void **state) {
    static char large[1026];
    memset(large, 'x', sizeof large - 1);
    const struct web_answer answers[] = {
        {200, large, {"ETag: \"v1\""}}, {200, "{\"next\": \"a\"}", {0}}, {200, large, {0}},
        {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", size_max_bytes: 1024, next: next, token_parameter: page");
    assert_int_equal(reading_poll(&poll->reading), 1);
    assert_string_equal(poll->reading.batch.documents[0].refused_code, "SIZE");
    assert_non_null(strstr(poll->reading.batch.documents[0].refused,
                           "/list: the answer passes the limit of 1024 bytes; what comes after it "
                           "in this sweep was not asked for"));
    reading_commit(&poll->reading);
    assert_rest(poll);
    next_sweep();
    assert_page(poll, "{\"next\": \"a\"}");
    assert_null(web_header(poll->web, 1, "If-None-Match"));
    assert_int_equal(reading_poll(&poll->reading), 1);
    assert_non_null(poll->reading.batch.documents[0].refused);
    reading_commit(&poll->reading);
    assert_rest(poll);
    next_sweep();
    assert_page(poll, "{}");
}

static void a_page_that_is_no_json_is_handed_on_and_ends_the_sweep(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"a\", \"list\": [1", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page");
    assert_page(poll, "{\"next\": \"a\", \"list\": [1");
    assert_rest(poll);
}

/* --- what cannot be --- */

static void options_that_need_each_other_are_asked_for(void **state) {
    static const struct {
        const char *options, *error;
    } cases[] = {
        {"{url: x, sweep_parameter: a}", "sweep_parameter and sweep_values need each other"},
        {"{url: x, sweep_values: [a]}", "sweep_parameter and sweep_values need each other"},
        {"{url: x, next: a}", "token_parameter and a next that names a member need each other"},
        {"{url: x, token_parameter: a}",
         "token_parameter and a next that names a member need each other"},
        {"{url: x, next: link, token_parameter: a}",
         "token_parameter and a next that names a member need each other"},
    };
    struct poll *poll = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(
            reading_refusal(&poll->reading, "http-poll", cases[i].options, NULL), cases[i].error);
        reading_close(&poll->reading);
        poll->reading.transport = NULL;
    }
}

static void too_many_headers_are_refused_with_both_numbers(void **state) {
    struct poll *poll = *state;
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, "{url: x, headers: [");
    for (int i = 0; i < 33; i++)
        hub_buffer_append_format(&text, "'X-%d: a',", i);
    hub_buffer_append_text(&text, "]}");
    assert_string_equal(
        reading_refusal(&poll->reading, "http-poll", hub_buffer_text(&text), NULL),
        "33 headers, over the limit of 32");
}

static void a_position_of_another_transport_is_refused(void **state) {
    struct poll *poll = *state;
    assert_non_null(strstr(
        reading_refusal(&poll->reading, "http-poll", "{url: x}", "{\"files\": {}}"),
        "the position is not one of http-poll"));
}

static void an_address_of_another_kind_is_for_a_person(void **state) {
    struct poll *poll = *state;
    reading_open(&poll->reading, "http-poll", "{url: 'file:///etc/passwd'}", NULL);
    assert_fatal(poll, "file:///etc/passwd: ");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_asked_for_once_in_each_interval),
        cmocka_unit_test(a_page_that_was_not_committed_is_asked_for_again),
        cmocka_unit_test(headers_and_parameters_go_along),
        cmocka_unit_test(tokens_lead_from_page_to_page),
        cmocka_unit_test(a_source_is_asked_no_oftener_than_it_allows),
        cmocka_unit_test(links_lead_from_page_to_page),
        cmocka_unit_test(a_link_to_another_host_is_never_followed),
        cmocka_unit_test(a_link_that_is_no_address_is_for_a_person),
        cmocka_unit_test(a_token_that_is_none_is_for_a_person),
        cmocka_unit_test(a_page_that_leads_to_itself_begins_the_sweep_anew),
        cmocka_unit_test(an_interrupted_sweep_goes_on_at_its_page_and_a_whole_one_follows),
        cmocka_unit_test(a_token_that_is_no_longer_good_begins_the_sweep_anew),
        cmocka_unit_test(every_value_of_the_sweep_has_its_own_pages),
        cmocka_unit_test(a_place_in_a_sweep_that_is_no_more_is_forgotten),
        cmocka_unit_test(a_page_with_an_etag_comes_again_only_when_it_has_changed),
        cmocka_unit_test(a_page_with_a_time_comes_again_only_when_it_is_later),
        cmocka_unit_test(an_answer_of_several_pages_is_always_asked_for_whole),
        cmocka_unit_test(an_etag_from_before_an_answer_had_several_pages_is_forgotten),
        cmocka_unit_test(a_source_that_is_busy_is_asked_again_when_it_says),
        cmocka_unit_test(a_time_to_ask_again_may_be_a_date),
        cmocka_unit_test(a_busy_source_keeps_the_page_of_the_sweep),
        cmocka_unit_test(a_refusal_is_for_a_person),
        cmocka_unit_test(a_redirect_is_never_followed),
        cmocka_unit_test(no_answer_in_time_is_tried_again),
        cmocka_unit_test(a_source_that_is_away_is_tried_again),
        cmocka_unit_test(a_page_over_the_limit_is_refused_and_the_next_sweep_goes_on),
        cmocka_unit_test(a_page_that_is_no_json_is_handed_on_and_ends_the_sweep),
        cmocka_unit_test(options_that_need_each_other_are_asked_for),
        cmocka_unit_test(too_many_headers_are_refused_with_both_numbers),
        cmocka_unit_test(a_position_of_another_transport_is_refused),
        cmocka_unit_test(an_address_of_another_kind_is_for_a_person),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = poll_begin;
        tests[i].teardown_func = poll_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
