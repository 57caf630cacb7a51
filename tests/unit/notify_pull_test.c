/* notify-pull: what is told of is fetched at once, and once; and is ours as soon as that was said.
 * */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/ringing.h"

#include <string.h>

#define NO_LIST "{\"items\": []}"

static void wait_for(int64_t milliseconds) {
    reading_set_clock(reading_clock() + milliseconds);
}

/* The first sweep is over. */
static void open_at_rest(struct ringing *ringing, const char *more) {
    ringing_open(ringing, more);
    ringing_rest(ringing);
    ringing_rest(ringing);
    assert_true(ringing->reading.batch.exhausted);
}

static void expect_position(struct ringing *ringing, const char *path, const char *wanted) {
    json_error_t error;
    json_t *position = json_loads(ringing->position, 0, &error);
    expect_json(position, path, wanted);
    json_decref(position);
}

/* --- what is told of --- */

static void a_notice_is_fetched_before_the_next_sweep(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 200, "{\"id\": \"a\"}");
    open_at_rest(ringing, ", fields: [hei], parameters: [who=me], get: '/item/{id}?hei={hei}'");
    struct post post = ringing_send(ringing, "record=a&hei=lu.se&instrument=x");
    assert_false(post_is_answered(&post, /* timeout_ms= */ 100));
    ringing_take(ringing);
    ringing_expect(&post, 200, "taken");
    assert_int_equal(reading_poll(&ringing->reading), 1);
    assert_string_equal(reading_text(&ringing->reading, 0), "{\"id\": \"a\"}");
    expect_json(ringing->reading.batch.documents[0].context, "request",
                "{'who': 'me', 'id': 'a', 'hei': 'lu.se'}");
    ringing_commit(ringing);
    assert_int_equal(ringing_asked(ringing, "/item/a?hei=lu.se"), 1);
    assert_int_equal(ringing_asked(ringing, "/list?who=me"), 1);
    expect_position(ringing, "waiting", "[]");
    ringing_rest(ringing);
}

static void what_nobody_told_of_comes_with_the_sweep(void **state) {
    struct ringing *ringing = *state;
    open_at_rest(ringing, "");
    ringing_answer(ringing, "/list", 200, "{\"items\": [{\"id\": \"lost\"}]}");
    ringing_answer(ringing, "/item/lost", 200, "found");
    wait_for(RINGING_INTERVAL_MS - 1);
    ringing_rest(ringing);
    wait_for(1);
    ringing_fetch(ringing, "found");
}

static void a_sweep_that_cannot_go_on_keeps_no_notice_waiting(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/list", 200, "{\"items\": [{\"id\": 1}]}");
    ringing_answer(ringing, "/item/1", 503, "");
    ringing_answer(ringing, "/item/a", 200, "told");
    ringing_open(ringing, "");
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    ringing_tell(ringing, "record=a");
    ringing_fetch(ringing, "told");
    ringing_answer(ringing, "/item/1", 200, "swept");
    ringing_rest(ringing);
    wait_for(1000);
    ringing_fetch(ringing, "swept");
}

/* Notices are taken all the same. */
static void a_source_is_asked_no_oftener_than_it_allows(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 200, "told");
    ringing_open(ringing, ", requests_per_minute_max: 60");
    ringing_rest(ringing); /* its list was asked for */
    ringing_tell(ringing, "record=a");
    ringing_rest(ringing);
    assert_int_equal(ringing_asked(ringing, "/item/a"), 0);
    wait_for(1000);
    ringing_fetch(ringing, "told");
}

static void a_sweep_is_a_look_at_the_whole_source_and_what_is_told_of_comes_beside(void **state) {
    struct ringing *ringing = *state;
    const struct hub_batch *batch = &ringing->reading.batch;
    ringing_answer(ringing, "/list", 200, "{\"items\": [{\"id\": 1}]}");
    ringing_answer(ringing, "/item/1", 200, "swept");
    ringing_answer(ringing, "/item/a", 200, "told");
    ringing_open(ringing, "");
    ringing_fetch(ringing, "swept");
    assert_true(batch->begins_look && batch->ends_look && !batch->is_beside);
    ringing_tell(ringing, "record=a");
    ringing_fetch(ringing, "told");
    assert_true(!batch->begins_look && !batch->ends_look && batch->is_beside);
}

/* A sweep may have its documents in its pages. */
static void what_is_told_of_needs_no_list(void **state) {
    struct ringing *ringing = *state;
    struct hub_arena *arena = &ringing->arena;
    ringing_answer(ringing, "/list", 200, "page");
    ringing_answer(ringing, "/item/a", 200, "told");
    reading_open(&ringing->reading, "notify-pull",
                 hub_arena_format(arena, "{listen: '%s', path: /in, secrets: "
                                  "'${env:HUB_TEST_SECRET}', url: '%s', get: '/item/{id}', "
                                  "id_field: record, sweep_parameter: hei, sweep_values: [lu.se], "
                                  "fields: [hei]}", ringing->address,
                                  web_url(ringing->web, "/list")), NULL);
    ringing_fetch(ringing, "page");
    ringing_tell(ringing, "record=a&hei=uio.no");
    assert_int_equal(reading_poll(&ringing->reading), 1);
    expect_json(ringing->reading.batch.documents[0].context, "request",
                "{'id': 'a', 'hei': 'uio.no'}");
}

static void a_document_may_be_asked_for_by_post(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/api", 200, "record");
    open_at_rest(ringing, ", get: /api, get_body: 'token=t0ken&records[0]={id}', content_type: "
                          "application/x-www-form-urlencoded");
    ringing_tell(ringing, "record=7%26token%3Dother&project_id=3");
    ringing_fetch(ringing, "record");
    assert_string_equal(web_method(ringing->web, 1), "POST");
    assert_string_equal(web_body(ringing->web, 1), "token=t0ken&records[0]=7%26token%3Dother");
    assert_string_equal(web_header(ringing->web, 1, "Content-Type"),
                        "application/x-www-form-urlencoded");
    assert_string_equal(reading_name(&ringing->reading, 0), web_url(ringing->web, "/api"));
}

static void an_id_cannot_lead_elsewhere(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/../../admin?x#{id}", 200, "nothing more");
    open_at_rest(ringing, "");
    ringing_tell(ringing, "record=..%2F..%2Fadmin%3Fx%23%7Bid%7D");
    ringing_fetch(ringing, "nothing more");
    assert_string_equal(web_target(ringing->web, 1), "/item/..%2F..%2Fadmin%3Fx%23%7Bid%7D");
}

/* --- once --- */

static void what_is_told_of_twice_waits_once(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 503, "");
    open_at_rest(ringing, "");
    ringing_tell(ringing, "record=a&record=a");
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    ringing_answer(ringing, "/item/a", 200, "one");
    ringing_tell(ringing, "record=a");
    expect_position(ringing, "waiting.0.request", "{'id': 'a'}");
    expect_position(ringing, "waiting.1", NULL);
    ringing_fetch(ringing, "one"); /* at once, for it was told of again */
    ringing_rest(ringing);
    assert_int_equal(ringing_asked(ringing, "/item/a"), 2);
}

static void what_is_told_of_while_it_is_fetched_is_fetched_again(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 200, "old");
    open_at_rest(ringing, "");
    ringing_tell(ringing, "record=a");
    assert_int_equal(reading_poll(&ringing->reading), 1); /* on its way to Kafka */
    ringing_answer(ringing, "/item/a", 200, "new");
    struct post post = ringing_send(ringing, "record=a");
    ringing_commit(ringing);
    ringing_take(ringing);
    ringing_expect(&post, 200, "taken");
    ringing_fetch(ringing, "new");
}

static void what_has_not_changed_is_no_document(void **state) {
    static const struct web_answer tagged = {200, "one", {"ETag: \"v1\""}};
    struct ringing *ringing = *state;
    open_at_rest(ringing, "");
    web_route(ringing->web, "/item/a", &tagged);
    ringing_tell(ringing, "record=a");
    ringing_fetch(ringing, "one");
    ringing_answer(ringing, "/item/a", 304, "");
    ringing_tell(ringing, "record=a");
    ringing_rest(ringing);
    assert_string_equal(web_header(ringing->web, 2, "If-None-Match"), "\"v1\"");
    ringing_rest(ringing);
    assert_int_equal(ringing_asked(ringing, "/item/a"), 2);
}

/* --- killed --- */

static void what_a_sender_was_told_is_ours_survives_a_kill(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 200, "one");
    open_at_rest(ringing, "");
    ringing_tell(ringing, "record=a");
    ringing_kill(ringing, "");
    assert_int_equal(reading_poll(&ringing->reading), 1); /* and once more before the commit */
    ringing_kill(ringing, "");
    ringing_fetch(ringing, "one");
    ringing_kill(ringing, "");
    ringing_rest(ringing); /* the sweep */
    ringing_rest(ringing);
    assert_int_equal(ringing_asked(ringing, "/item/a"), 2);
}

static void a_notice_that_was_not_safe_was_answered_nothing_good(void **state) {
    struct ringing *ringing = *state;
    open_at_rest(ringing, "");
    struct post post = ringing_send(ringing, "record=a");
    while (!ringing->reading.batch.keeps)
        assert_int_equal(reading_poll(&ringing->reading), 0);
    ringing_kill(ringing, "");
    ringing_expect(&post, 503, "Retry-After: 10");
    ringing_rest(ringing);
    ringing_rest(ringing);
    assert_int_equal(ringing_asked(ringing, "/item/a"), 0);
}

/* A configuration that was one of http-poll goes on where that was. */
static void a_position_of_http_poll_is_one_of_the_sweep(void **state) {
    struct ringing *ringing = *state;
    ringing->position = "{\"validators\": {}, \"token\": \"b\", \"link\": null, \"sweep\": 0}";
    ringing_open(ringing, ", next: next, token_parameter: page");
    ringing_rest(ringing);
    assert_string_equal(web_target(ringing->web, 0), "/list?page=b");
}

static void a_position_of_another_transport_is_for_a_person(void **state) {
    static const char *const positions[] = {"{\"marks\": []}", "[1]", "nonsense",
                                            "{\"sweep\": {\"validators\": {}}, \"waiting\": [1]}"};
    struct ringing *ringing = *state;
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        const char *why = reading_refusal(&ringing->reading, "notify-pull",
                                          ringing_options(ringing, ""), positions[i]);
        assert_non_null(strstr(why, "the position is not one of"));
        reading_close(&ringing->reading);
        ringing->reading.transport = NULL;
    }
}

static void a_single_run_takes_no_notices_and_ends(void **state) {
    struct ringing *ringing = *state;
    ringing->position = "{\"sweep\": {\"validators\": {}}, \"waiting\": [{\"request\": {\"id\": "
                        "\"a\"}, \"until\": 0}, {\"request\": {\"id\": \"b\"}, \"until\": "
                        "1772323200001}]}";
    ringing->reading.env.once = true;
    ringing_answer(ringing, "/item/a", 200, "one");
    ringing_answer(ringing, "/item/b", 500, "");
    ringing_open(ringing, "");
    assert_null(ringing->reading.kept);
    ringing_fetch(ringing, "one");
    ringing_rest(ringing);
    ringing_rest(ringing);
    assert_true(ringing->reading.batch.exhausted);
    expect_position(ringing, "waiting.0.request", "{'id': 'b'}");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_is_fetched_before_the_next_sweep),
        cmocka_unit_test(what_nobody_told_of_comes_with_the_sweep),
        cmocka_unit_test(a_source_is_asked_no_oftener_than_it_allows),
        cmocka_unit_test(a_sweep_that_cannot_go_on_keeps_no_notice_waiting),
        cmocka_unit_test(a_sweep_is_a_look_at_the_whole_source_and_what_is_told_of_comes_beside),
        cmocka_unit_test(what_is_told_of_needs_no_list),
        cmocka_unit_test(a_document_may_be_asked_for_by_post),
        cmocka_unit_test(an_id_cannot_lead_elsewhere),
        cmocka_unit_test(what_is_told_of_twice_waits_once),
        cmocka_unit_test(what_is_told_of_while_it_is_fetched_is_fetched_again),
        cmocka_unit_test(what_has_not_changed_is_no_document),
        cmocka_unit_test(what_a_sender_was_told_is_ours_survives_a_kill),
        cmocka_unit_test(a_notice_that_was_not_safe_was_answered_nothing_good),
        cmocka_unit_test(a_position_of_http_poll_is_one_of_the_sweep),
        cmocka_unit_test(a_position_of_another_transport_is_for_a_person),
        cmocka_unit_test(a_single_run_takes_no_notices_and_ends),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = ringing_begin;
        tests[i].teardown_func = ringing_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
