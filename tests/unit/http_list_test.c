/* http_list: a page lists ids, and each is fetched by itself. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/polling.h"

#define GET ", ids: items.id, get: '/item/{id}'"

static void assert_refused(struct poll *poll, const char *reason, const char *code) {
    assert_int_equal(reading_poll(&poll->reading), 1);
    const struct hub_raw_document *document = &poll->reading.batch.documents[0];
    assert_non_null(document->refused);
    if (strstr(document->refused, reason) == NULL)
        fail_msg("'%s' is not in '%s'", reason, document->refused);
    assert_string_equal(document->refused_code, code);
    reading_commit(&poll->reading);
}

static void every_id_is_fetched_and_is_a_document(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [{\"id\": \"a/b\"}, {\"id\": 7}, {\"id\": 7}]}", {0}},
        {200, "one", {0}}, {200, "two", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET ", parameters: [who=lu.se]");
    assert_int_equal(reading_poll(&poll->reading), 2);
    assert_string_equal(reading_text(&poll->reading, 0), "one");
    assert_string_equal(reading_text(&poll->reading, 1), "two");
    expect_json(poll->reading.batch.documents[1].context, "request", "{'who': 'lu.se', 'id': '7'}");
    reading_commit(&poll->reading);
    assert_rest(poll);
    assert_string_equal(web_target(poll->web, 0), "/list?who=lu.se");
    assert_string_equal(web_target(poll->web, 1), "/item/a%2Fb");
    assert_string_equal(web_target(poll->web, 2), "/item/7");
}

static void what_is_fetched_at_a_time_is_rested_for_together(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [{\"id\": 1}, {\"id\": 2}, {\"id\": 3}]}", {0}},
        {200, "x", {0}}, {200, "x", {0}}, {200, "x", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET ", get_parallel: 2, requests_per_minute_max: 60");
    assert_int_equal(reading_poll(&poll->reading), 2);
    reading_commit(&poll->reading);
    reading_set_clock(POLL_START_MS + 2999); /* a page and two of what it lists */
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_false(poll->reading.batch.exhausted);
    assert_int_equal(web_asked(poll->web), 3);
    reading_set_clock(POLL_START_MS + 3000);
    assert_int_equal(reading_poll(&poll->reading), 1);
    reading_commit(&poll->reading);
    assert_rest(poll);
}

static void an_id_may_be_asked_for_by_post(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [{\"id\": \"a\\\"b\"}, {\"id\": 7}]}", {0}},
        {200, "one", {"ETag: \"v1\""}}, {404, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", ids: items.id, get: /export, get_body: '{\"record\": \"{id}\"}'");
    assert_int_equal(reading_poll(&poll->reading), 2);
    assert_string_equal(reading_text(&poll->reading, 0), "one");
    assert_string_equal(poll->reading.batch.documents[1].refused_code, "GONE");
    assert_string_equal(web_target(poll->web, 1), "/export");
    assert_string_equal(web_method(poll->web, 1), "POST");
    assert_string_equal(web_body(poll->web, 1), "{\"record\": \"a\\\"b\"}");
    assert_string_equal(web_header(poll->web, 1, "Content-Type"), "application/json");
    assert_string_equal(web_body(poll->web, 2), "{\"record\": \"7\"}");
}

/* What is posted to one address is told apart by what is asked there. */
static void what_is_gone_of_several_posted_for_is_told_of_each(void **state) {
    static const char list[] = "{\"items\": [{\"id\": 1}, {\"id\": 2}]}";
    static const struct web_answer answers[] = {{200, list, {0}}, {404, "", {0}}, {410, "", {0}},
                                                {200, list, {0}}, {404, "", {0}}, {410, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", ids: items.id, get: /export, get_body: '{id}'");
    assert_int_equal(reading_poll(&poll->reading), 2);
    reading_commit(&poll->reading);
    next_sweep();
    assert_int_equal(reading_poll(&poll->reading), 0);
}

static void several_are_fetched_at_a_time(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [{\"id\": 1}, {\"id\": 2}, {\"id\": 3}, {\"id\": 4}, {\"id\": 5}]}", {0}},
        {200, "x", {0}}, {200, "x", {0}}, {200, "x", {0}}, {200, "x", {0}}, {200, "x", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET ", get_parallel: 3");
    assert_int_equal(reading_poll(&poll->reading), 5);
    for (size_t i = 0; i < 5; i++) {
        char id[2] = {(char)('1' + i), '\0'};
        assert_string_equal(
            json_string_value(json_object_get(
                json_object_get(poll->reading.batch.documents[i].context, "request"), "id")),
            id);
    }
}

static void a_list_may_be_xml_and_an_address_may_have_parameters(void **state) {
    static const struct web_answer answers[] = {
        {200, "<r xmlns=\"urn:r\"><omobility-id>x y</omobility-id></r>", {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", page_format: xml, ids: r.omobility-id, sweep_parameter: hei, "
                             "sweep_values: [lu.se], get: 'get?hei={hei}&omobility_id={id}'");
    assert_page(poll, "one");
    assert_string_equal(web_target(poll->web, 1), "/get?hei=lu.se&omobility_id=x%20y");
}

static void a_list_of_addresses_leads_nowhere_else(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"urls\": [\"/one\", \"http://127.0.0.1:1/two\"]}", {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", ids: urls, get: '{id}', headers: ['Authorization: t0ken']");
    assert_fatal(poll, "its link leads elsewhere");
    assert_int_equal(web_asked(poll->web), 2);
}

static void what_is_gone_is_told_once(void **state) {
    static const char list[] = "{\"items\": [{\"id\": 1}]}";
    static const struct web_answer answers[] = {{200, list, {0}}, {404, "", {0}},
                                                {200, list, {0}}, {404, "", {0}},
                                                {200, list, {0}}, {200, "back", {0}},
                                                {200, list, {0}}, {410, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_refused(poll, "HTTP 404: it is listed, and gone", "GONE");
    assert_rest(poll);
    next_sweep();
    assert_int_equal(reading_poll(&poll->reading), 0);
    next_sweep();
    assert_page(poll, "back");
    next_sweep();
    assert_refused(poll, "HTTP 410", "GONE");
}

static void what_is_not_given_is_told_and_the_others_come(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [{\"id\": 1}, {\"id\": 2}]}", {0}}, {422, "", {0}}, {200, "two", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_int_equal(reading_poll(&poll->reading), 2);
    assert_string_equal(poll->reading.batch.documents[0].refused_code, "HTTP");
    assert_string_equal(reading_text(&poll->reading, 1), "two");
}

static void what_cannot_be_had_now_comes_behind_what_can(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [{\"id\": 1}, {\"id\": 2}]}", {0}},
        {503, "", {"Retry-After: 9"}},
        {200, "two", {0}},
        {503, "", {"Retry-After: 9"}},
        {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_retries(poll, "/item/1: HTTP 503", 9000);
    assert_int_equal(reading_poll(&poll->reading), 1);
    assert_string_equal(reading_text(&poll->reading, 0), "two");
    assert_non_null(strstr(poll->reading.batch.position, "\"sweep\":0"));
    reading_commit(&poll->reading);
    assert_page(poll, "one");
    assert_rest(poll);
}

static void a_list_that_was_not_done_is_asked_for_again(void **state) {
    static const char list[] = "{\"items\": [{\"id\": 1}, {\"id\": 2}], \"next\": \"b\"}";
    static const struct web_answer answers[] = {
        {200, list, {0}}, {200, "one", {0}}, {500, "", {0}}, /* killed here */
        {200, list, {0}}, {200, "one", {0}}, {200, "two", {0}}, /* and here */
        {200, "{\"items\": []}", {0}}, /* the end of that sweep; a whole one: */
        {200, "{\"items\": []}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET ", next: next, token_parameter: page");
    assert_page(poll, "one");
    reading_restart(&poll->reading);
    assert_int_equal(reading_poll(&poll->reading), 2);
    reading_restart(&poll->reading);
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_rest(poll);
    assert_string_equal(web_target(poll->web, 3), "/list");
    assert_string_equal(web_target(poll->web, 6), "/list?page=b");
    assert_string_equal(web_target(poll->web, 7), "/list");
}

static void a_batch_that_was_not_committed_is_fetched_again(void **state) {
    static const struct web_answer answers[] = {{200, "{\"items\": [{\"id\": 1}]}", {0}},
                                                {200, "one", {"ETag: \"v1\""}},
                                                {200, "one", {"ETag: \"v1\""}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_int_equal(reading_poll(&poll->reading), 1);
    assert_page(poll, "one");
    assert_null(web_header(poll->web, 2, "If-None-Match"));
    assert_rest(poll);
}

static void a_document_with_an_etag_comes_again_only_when_it_has_changed(void **state) {
    static const char list[] = "{\"items\": [{\"id\": 1}]}";
    static const struct web_answer answers[] = {
        {200, list, {"ETag: \"l\""}}, {200, "one", {"ETag: \"v1\"", "Last-Modified: then"}},
        {200, list, {"ETag: \"l\""}}, {304, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_page(poll, "one");
    next_sweep();
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_string_equal(web_header(poll->web, 3, "If-None-Match"), "\"v1\"");
    assert_string_equal(web_header(poll->web, 3, "If-Modified-Since"), "then");
    assert_null(web_header(poll->web, 2, "If-None-Match"));
    assert_rest(poll);
}

static void a_list_that_cannot_be_read_is_refused_and_the_next_sweep_goes_on(void **state) {
    static const struct web_answer answers[] = {
        {200, "{\"items\": [", {0}}, {200, "{\"items\": [{\"id\": 1}]}", {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_refused(poll, "line 1", "PARSE");
    assert_rest(poll);
    next_sweep();
    assert_page(poll, "one");
}

static void a_document_over_the_limit_is_refused_and_the_others_come(void **state) {
    static char large[1026];
    memset(large, 'x', sizeof large - 1);
    const struct web_answer answers[] = {{200, "{\"items\": [{\"id\": 1}, {\"id\": 2}]}", {0}},
                                         {200, large, {0}}, {200, "two", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET ", size_max_bytes: 1024");
    assert_int_equal(reading_poll(&poll->reading), 2);
    assert_string_equal(poll->reading.batch.documents[0].refused_code, "SIZE");
    assert_string_equal(reading_text(&poll->reading, 1), "two");
}

static void an_answer_that_needs_a_person_is_for_a_person(void **state) {
    static const struct {
        const char *list;
        unsigned status;
        const char *error;
    } cases[] = {
        {"{\"items\": [{\"id\": 1}]}", 401, "/item/1: HTTP 401; 200 or 304 would pass"},
        {"{\"items\": [{\"id\": 1}]}", 403, "HTTP 403"},
        {"{\"items\": [{\"id\": 1}]}", 302, "HTTP 302"},
        {"{\"items\": [{\"id\": {\"a\": 1}}]}", 200, "id 1 of its list is none"},
        {"{\"items\": [{\"id\": 1}, {\"id\": \"..\"}]}", 200, "id 2 of its list is none"},
    };
    struct poll *poll = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct web_answer answers[] = {
            {200, cases[i].list, {0}}, {cases[i].status, "", {"Location: http://127.0.0.1/"}}};
        open_poll(poll, answers, GET);
        assert_fatal(poll, cases[i].error);
        reading_close(&poll->reading);
        poll->reading.transport = NULL;
        web_stop(poll->web);
        poll->web = NULL;
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_is_fetched_and_is_a_document),
        cmocka_unit_test(what_is_fetched_at_a_time_is_rested_for_together),
        cmocka_unit_test(an_id_may_be_asked_for_by_post),
        cmocka_unit_test(what_is_gone_of_several_posted_for_is_told_of_each),
        cmocka_unit_test(several_are_fetched_at_a_time),
        cmocka_unit_test(a_list_may_be_xml_and_an_address_may_have_parameters),
        cmocka_unit_test(a_list_of_addresses_leads_nowhere_else),
        cmocka_unit_test(what_is_gone_is_told_once),
        cmocka_unit_test(what_is_not_given_is_told_and_the_others_come),
        cmocka_unit_test(what_cannot_be_had_now_comes_behind_what_can),
        cmocka_unit_test(a_list_that_was_not_done_is_asked_for_again),
        cmocka_unit_test(a_batch_that_was_not_committed_is_fetched_again),
        cmocka_unit_test(a_document_with_an_etag_comes_again_only_when_it_has_changed),
        cmocka_unit_test(a_list_that_cannot_be_read_is_refused_and_the_next_sweep_goes_on),
        cmocka_unit_test(a_document_over_the_limit_is_refused_and_the_others_come),
        cmocka_unit_test(an_answer_that_needs_a_person_is_for_a_person),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = poll_begin;
        tests[i].teardown_func = poll_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
