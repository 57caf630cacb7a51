/* http_asking, http_pages, template: searches by POST, and the pages after the first. */
#include "connectors/transports/template.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/polling.h"

static void a_search_by_post_is_counted_from_page_to_page(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"pagination\": {\"nextPage\": true}}", {"ETag: \"v1\""}},
        {200, "{\"pagination\": {\"nextPage\": true}}", {0}},
        {200, "{\"pagination\": {\"nextPage\": false}}", {0}},
        {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers,
              ", parameters: ['q=hud \"x\"', v=2], next: pagination.nextPage, token_parameter: page, "
              "first_token: '1', body: '{\"page\": {page}, \"q\": \"{q}\"}'");
    assert_int_equal(reading_poll(&poll->reading), 1);
    expect_json(poll->reading.batch.documents[0].context, "request",
                "{'q': 'hud \\\"x\\\"', 'v': '2'}");
    reading_commit(&poll->reading);
    reading_restart(&poll->reading);
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_page(poll, "{}"); /* a whole sweep upon one that was interrupted */
    assert_rest(poll);
    assert_string_equal(web_method(poll->web, 0), "POST");
    assert_string_equal(web_target(poll->web, 0), "/list?v=2");
    assert_string_equal(web_header(poll->web, 0, "Content-Type"), "application/json");
    assert_string_equal(web_body(poll->web, 0), "{\"page\": 1, \"q\": \"hud \\\"x\\\"\"}");
    assert_string_equal(web_body(poll->web, 1), "{\"page\": 2, \"q\": \"hud \\\"x\\\"\"}");
    assert_string_equal(web_body(poll->web, 2), "{\"page\": 3, \"q\": \"hud \\\"x\\\"\"}");
    assert_string_equal(web_body(poll->web, 3), web_body(poll->web, 0));
    assert_null(web_header(poll->web, 3, "If-None-Match"));
}

static void a_token_in_a_body_cannot_end_what_it_stands_in(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"next\": \"a\\\", \\\"admin\\\": \\\"1\"}", {0}}, {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page, body: '{\"page\": \"{page}\"}'");
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_page(poll, "{}");
    assert_string_equal(web_body(poll->web, 0), "{\"page\": \"\"}");
    assert_string_equal(web_body(poll->web, 1), "{\"page\": \"a\\\", \\\"admin\\\": \\\"1\"}");
}

static void a_token_that_cannot_stand_as_a_number_is_for_a_person(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"1, \\\"admin\\\": 1\"}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page, first_token: '1', "
                             "body: '{\"page\": {page}}'");
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_fatal(poll, "{page} stands outside of quotes, where only a whole number would pass");
}

static void pages_that_are_not_counted_by_numbers_are_for_a_person(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": true}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: next, token_parameter: page, first_token: a");
    assert_fatal(poll, "its own token is 'a'; a whole number would pass");
}

static void a_form_is_filled_and_the_pages_after_a_search_are_asked_for_by_get(void **state) {
    static const struct web_answer answers[] = {
        {200,
         "{\"resourceType\": \"Bundle\", \"link\": [{\"relation\": \"self\", \"url\": \"/x\"}, "
         "{\"relation\": \"next\", \"url\": \"/list?page=2\"}]}",
         {0}},
        {200, "{\"resourceType\": \"Bundle\", \"link\": [{\"relation\": \"next\"}]}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: fhir, parameters: ['code=a&b'], body: 'code={code}&_count=9', "
                             "content_type: application/x-www-form-urlencoded");
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_rest(poll);
    assert_string_equal(web_body(poll->web, 0), "code=a%26b&_count=9");
    assert_string_equal(web_method(poll->web, 1), "GET");
    assert_string_equal(web_target(poll->web, 1), "/list?page=2");
    assert_string_equal(web_body(poll->web, 1), "");
}

static void a_bundle_leads_nowhere_else(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"link\": [{\"relation\": \"next\", \"url\": \"http://127.0.0.1:1/\"}]}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", next: fhir");
    assert_fatal(poll, "its link leads elsewhere; one at the same scheme, host and port would pass");
}

static void an_address_has_the_sweep_value_in_it(void **state) {
    static const struct web_answer answers[] = {{200, "one", {0}}};
    struct poll *poll = *state;
    struct hub_arena arena = {0};
    poll->web = web_start(answers, 1);
    reading_open(&poll->reading, "http-poll",
                 hub_arena_format(&arena, "{url: '%s', sweep_parameter: hei, sweep_values: [a/b]}",
                                  web_url(poll->web, "/of/{hei}/list")),
                 NULL);
    hub_arena_destroy(&arena);
    assert_page(poll, "one");
    assert_string_equal(web_target(poll->web, 0), "/of/a%2Fb/list");
}

static void a_page_may_be_xml(void **state) {
    static const struct web_answer answers[] = {
        {200, "<r><next>b</next></r>", {0}}, {200, "<r><next/></r>", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", page_format: xml, next: r.next, token_parameter: page");
    assert_page(poll, "<r><next>b</next></r>");
    assert_page(poll, "<r><next/></r>");
    assert_rest(poll);
    assert_string_equal(web_target(poll->web, 1), "/list?page=b");
}

static void options_that_make_no_sense_are_told(void **state) {
    static const struct {
        const char *options, *error;
    } cases[] = {
        {"{url: x, body: '{}', content_type: text/plain}", "content_type 'text/plain'; "},
        {"{url: x, body: '{\"a\": {b}}'}", "{b} has no value; there are: "},
        {"{url: 'x/{pgae}', parameters: [page=1]}", "{pgae} has no value; there are: {page}"},
        {"{url: x, body: '{\"a\": }'}", "body: it is no JSON at character "},
        {"{url: x, body: '{\"a\": {p}}', next: n, token_parameter: p}",
         "{p} stands outside of quotes, where only a whole number would pass"},
        {"{url: x, first_token: '1'}", "first_token needs a token_parameter"},
        {"{url: x, ids: a}", "ids and get need each other"},
        {"{url: x, get: a}", "ids and get need each other"},
        {"{url: x, get_body: a}", "get_body needs get"},
        {"{url: x, ids: 'a[', get: a}", "ids:1:1: path 'a[': "},
        {"{url: x, next: 'a..b', token_parameter: p}", "next:1:1: path 'a..b': a name is missing"},
    };
    struct poll *poll = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *error = reading_refusal(&poll->reading, "http-poll", cases[i].options, NULL);
        if (strncmp(error, cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("'%s' does not begin with '%s'", error, cases[i].error);
        reading_close(&poll->reading);
        poll->reading.transport = NULL;
    }
}

static void a_value_is_written_so_that_it_stays_one(void **state) {
    static const struct {
        enum hub_template_kind kind;
        const char *text, *filled;
    } cases[] = {
        {HUB_TEMPLATE_XML, "<a b=\"{v}\"/>", "<a b=\"&#34;&#60;&#38;\n\\&#39;&#62;\"/>"},
        {HUB_TEMPLATE_JSON, "{\"\\\"{v}\": 1}", "{\"\\\"\\\"<&\\u000a\\\\'>\": 1}"},
        {HUB_TEMPLATE_ESCAPED, "?a={v}", "?a=%22%3C%26%0A%5C%27%3E"},
        {HUB_TEMPLATE_ESCAPED, "{} {v {a b} {", "{} {v {a b} {"},
        {HUB_TEMPLATE_JSON, "[{n}]", "[-12]"},
    };
    (void)state;
    json_t *values = json_pack("{s:s, s:s}", "v", "\"<&\n\\'>", "n", "-12");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        HUB_SCOPED_BUFFER buffer = {0};
        assert_int_equal(hub_template_fill(cases[i].kind, cases[i].text, values, &buffer, NULL),
                         HUB_OK);
        assert_string_equal(hub_buffer_text(&buffer), cases[i].filled);
    }
    json_decref(values);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_by_post_is_counted_from_page_to_page),
        cmocka_unit_test(a_token_in_a_body_cannot_end_what_it_stands_in),
        cmocka_unit_test(a_token_that_cannot_stand_as_a_number_is_for_a_person),
        cmocka_unit_test(pages_that_are_not_counted_by_numbers_are_for_a_person),
        cmocka_unit_test(a_form_is_filled_and_the_pages_after_a_search_are_asked_for_by_get),
        cmocka_unit_test(a_bundle_leads_nowhere_else),
        cmocka_unit_test(an_address_has_the_sweep_value_in_it),
        cmocka_unit_test(a_page_may_be_xml),
        cmocka_unit_test(options_that_make_no_sense_are_told),
        cmocka_unit_test(a_value_is_written_so_that_it_stays_one),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = poll_begin;
        tests[i].teardown_func = poll_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
