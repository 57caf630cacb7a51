/* http_poll and http_list: which polls make up a look at the whole of a source, and what of it is
 * there as it was. */
#include "tests/lib/cmocka.h"
#include "tests/lib/polling.h"

#include <string.h>

#define TOKENS ", next: next, token_parameter: page"
#define GET ", ids: items.id, get: '/item/{id}'"
#define LIST(ids) "{\"items\": [" ids "]}"
#define ID(id) "{\"id\": " id "}"

enum { BEGINS = 1, ENDS = 2 };

/* Polls, commits, and says what of a look the batch is. */
static void assert_look(struct poll *poll, size_t count, int wanted) {
    assert_int_equal(reading_poll(&poll->reading), count);
    const struct hub_batch *batch = &poll->reading.batch;
    assert_int_equal((batch->begins_look ? BEGINS : 0) | (batch->ends_look ? ENDS : 0), wanted);
    if (count > 0)
        reading_commit(&poll->reading);
}

static void assert_kept(struct poll *poll, size_t index, const char *ending) {
    const struct hub_batch *batch = &poll->reading.batch;
    assert_true(index < batch->unchanged_count);
    const char *identity = batch->unchanged[index];
    assert_true(strlen(identity) >= strlen(ending));
    assert_string_equal(identity + strlen(identity) - strlen(ending), ending);
}

static void a_look_is_all_pages_of_a_sweep(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"b\"}", {0}},
                                                {200, "{\"next\": \"c\"}", {0}},
                                                {200, "{}", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, TOKENS);
    assert_look(poll, 1, BEGINS);
    assert_look(poll, 1, 0);
    assert_look(poll, 1, ENDS);
    assert_look(poll, 0, 0);
    next_sweep();
    assert_look(poll, 1, BEGINS | ENDS);
}

static void a_look_goes_through_all_values(void **state) {
    static const struct web_answer answers[] = {{200, "a", {0}}, {200, "b", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", sweep_parameter: q, sweep_values: [a, b]");
    assert_look(poll, 1, BEGINS);
    assert_look(poll, 1, ENDS);
}

static void a_sweep_that_another_session_began_is_no_look_and_the_next_is(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"b\"}", {0}},
                                                {200, "{}", {0}},
                                                {200, "{\"next\": \"b\"}", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, TOKENS);
    assert_look(poll, 1, BEGINS);
    reading_restart(&poll->reading);
    assert_look(poll, 1, 0);
    assert_look(poll, 1, BEGINS);
    assert_look(poll, 1, ENDS);
}

static void a_sweep_that_begins_anew_begins_its_look_anew(void **state) {
    static const struct web_answer answers[] = {{200, "{\"next\": \"b\"}", {0}},
                                                {404, "", {0}},
                                                {200, "{}", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, TOKENS);
    assert_look(poll, 1, BEGINS);
    assert_retries(poll, "for a page's token", 0);
    assert_look(poll, 1, BEGINS | ENDS);
}

static void a_beginning_that_fails_is_told_with_what_comes(void **state) {
    static const struct web_answer answers[] = {{503, "", {0}}, {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_retries(poll, "HTTP 503", 0);
    assert_look(poll, 1, BEGINS | ENDS);
}

static void a_page_that_is_there_as_it_was_is_named(void **state) {
    static const struct web_answer answers[] = {{200, "one", {"ETag: \"v1\""}}, {304, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, "");
    assert_look(poll, 1, BEGINS | ENDS);
    assert_string_equal(reading_name(&poll->reading, 0), web_url(poll->web, "/list"));
    next_sweep();
    assert_look(poll, 0, BEGINS | ENDS);
    assert_kept(poll, 0, "/list");
}

static void a_list_is_looked_through_when_its_last_document_came(void **state) {
    static const char list[] = LIST(ID("1") "," ID("2"));
    static const struct web_answer answers[] = {{200, list, {0}}, {200, "one", {"ETag: \"v1\""}},
                                                {404, "", {0}},   {200, list, {0}},
                                                {304, "", {0}},   {404, "", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_look(poll, 2, BEGINS | ENDS);
    assert_non_null(poll->reading.batch.documents[1].refused);
    next_sweep();
    assert_look(poll, 0, BEGINS | ENDS);
    assert_kept(poll, 0, "/item/1");
    assert_kept(poll, 1, "/item/2"); /* it is listed and gone, as it was */
}

static void a_document_that_cannot_be_had_now_holds_the_end_up(void **state) {
    static const struct web_answer answers[] = {{200, LIST(ID("1") "," ID("2")), {0}},
                                                {200, "one", {0}},
                                                {503, "", {0}},
                                                {200, "two", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_look(poll, 1, BEGINS);
    assert_look(poll, 1, ENDS);
}

static void a_list_of_nothing_is_a_whole_look(void **state) {
    static const struct web_answer answers[] = {{200, LIST(""), {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_look(poll, 0, BEGINS | ENDS);
}

static void a_list_that_cannot_be_read_ends_no_look(void **state) {
    static const struct web_answer answers[] = {{200, "{", {0}}, {200, LIST(ID("1")), {0}},
                                                {200, "one", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, GET);
    assert_look(poll, 1, BEGINS);
    next_sweep();
    assert_look(poll, 1, BEGINS | ENDS);
}

static void what_is_posted_for_is_told_apart_by_what_is_asked(void **state) {
    static const struct web_answer answers[] = {{200, LIST(ID("1") "," ID("2")), {0}},
                                                {200, "one", {0}},
                                                {200, "two", {0}}};
    struct poll *poll = *state;
    open_poll(poll, answers, ", ids: items.id, get: /export, get_body: '{id}'");
    assert_look(poll, 2, BEGINS | ENDS);
    const struct hub_raw_document *documents = poll->reading.batch.documents;
    assert_string_equal(documents[0].name, documents[1].name);
    assert_string_not_equal(documents[0].identity, documents[1].identity);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_look_is_all_pages_of_a_sweep, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_look_goes_through_all_values, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_sweep_that_another_session_began_is_no_look_and_the_next_is, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_sweep_that_begins_anew_begins_its_look_anew, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_beginning_that_fails_is_told_with_what_comes, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_page_that_is_there_as_it_was_is_named, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_list_is_looked_through_when_its_last_document_came, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_document_that_cannot_be_had_now_holds_the_end_up, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_list_of_nothing_is_a_whole_look, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(a_list_that_cannot_be_read_ends_no_look, poll_begin, poll_end),
        cmocka_unit_test_setup_teardown(what_is_posted_for_is_told_apart_by_what_is_asked, poll_begin, poll_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
