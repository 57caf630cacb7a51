/* waiting: what notices have named, before and after the transactions that change it. */
#include "connectors/transports/waiting.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"

#include <stdlib.h>
#include <string.h>

static const char *const no_texts[] = {NULL};
static const struct http_poll_options options = {.url = "http://127.0.0.1/list",
                                                 .parameters = no_texts,
                                                 .sweep_values = no_texts,
                                                 .get = "/item/{id}"};

static int begin(void **state) {
    struct hub_error error;
    struct waiting *waiting = hub_allocate_zero(1, sizeof *waiting);
    *state = waiting;
    return waiting_open(waiting, &options, NULL, &error) == HUB_OK ? 0 : -1;
}

static int end(void **state) {
    waiting_free(*state);
    hub_release(*state);
    return 0;
}

/* Ids as letters: "abc". */
static bool add(struct waiting *waiting, const char *ids, size_t count_max) {
    json_t *requests = json_array();
    for (; *ids != '\0'; ids++)
        json_array_append_new(requests, json_pack("{s:s%}", "id", ids, (size_t)1));
    bool fits = waiting_add(waiting, requests, /* until_ms= */ 7, count_max);
    json_decref(requests);
    return fits;
}

static void expect_ids(const struct waiting *waiting, const char *ids) {
    json_t *list = waiting_list(waiting);
    size_t count = strlen(ids);
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        assert_int_equal(look_text(item, "request.id")[0], ids[i]);
        assert_int_equal(look_number(item, "until"), 7);
    }
    json_decref(list);
}

static void take(struct waiting *waiting, const char *ids) {
    waiting_begin(waiting);
    assert_true(add(waiting, ids, 10));
    (void)waiting_taken(waiting);
}

static void doubled_notices_collapse(void **state) {
    struct waiting *waiting = *state;
    waiting_begin(waiting);
    assert_true(add(waiting, "ab", 10));
    assert_true(add(waiting, "bc", 10));
    assert_true(add(waiting, "a", 10));
    expect_ids(waiting, "abc");
    assert_false(waiting_taken(waiting));
    take(waiting, "ca");
    expect_ids(waiting, "abc");
}

static void nothing_is_taken_before_it_is_safe(void **state) {
    struct waiting *waiting = *state;
    take(waiting, "a");
    waiting_begin(waiting);
    assert_true(add(waiting, "b", 10));
    expect_ids(waiting, "ab"); /* what the position will be */
    assert_int_equal(json_array_size(waiting->list.left), 1);
    waiting_begin(waiting); /* that transaction failed */
    expect_ids(waiting, "a");
}

static void a_notice_that_does_not_fit_leaves_nothing(void **state) {
    struct waiting *waiting = *state;
    waiting_begin(waiting);
    assert_true(add(waiting, "ab", 3));
    assert_false(add(waiting, "cd", 3));
    expect_ids(waiting, "ab");
    assert_true(add(waiting, "c", 3));
    assert_true(add(waiting, "abc", 3)); /* they wait already */
    assert_false(add(waiting, "d", 3));
    expect_ids(waiting, "abc");
}

/* A position is written with every transaction. */
static void what_waits_is_bounded_in_bytes_too(void **state) {
    struct waiting *waiting = *state;
    HUB_SCOPED_BUFFER text = {0};
    size_t taken = 0;
    for (int i = 0; i < 256; i++)
        hub_buffer_append_byte(&text, 'x');
    waiting_begin(waiting);
    for (bool fits = true; fits; taken += fits) {
        json_t *requests = json_pack("[{s:s, s:i}]", "id", hub_buffer_text(&text), "number",
                                     (int)taken);
        fits = waiting_add(waiting, requests, /* until_ms= */ 7, /* count_max= */ 100000);
        json_decref(requests);
    }
    assert_in_range(taken, 3000, 1024 * 1024 / 256);
}

static void what_could_not_be_had_waits_behind(void **state) {
    struct waiting *waiting = *state;
    take(waiting, "abcd");
    /* c and d were put back by a fetch that has a and left b. */
    waiting->list.pending_left = json_array();
    for (size_t i = 1; i < 4; i++)
        json_array_append(waiting->list.pending_left, json_array_get(waiting->list.left, i));
    waiting->list.put_back = 2;
    waiting->list.learnt = json_object();
    expect_ids(waiting, "bcd");
    waiting_fetched(waiting);
    expect_ids(waiting, "bcd");
    assert_int_equal(json_array_size(waiting->list.left), 1);
    waiting_begin(waiting);
    assert_true(add(waiting, "ce", 10));
    assert_true(waiting_taken(waiting)); /* c was told of again */
    expect_ids(waiting, "becd");
    assert_true(waiting_has_some(waiting, /* again= */ false));
    assert_int_equal(json_array_size(waiting->list.left), 2);
    assert_true(waiting_has_some(waiting, /* again= */ true));
    assert_int_equal(json_array_size(waiting->list.left), 4);
}

static void what_waits_is_opened_as_it_was_listed(void **state) {
    struct waiting *waiting = *state, again = {0};
    struct hub_error error;
    take(waiting, "ab");
    json_t *list = waiting_list(waiting);
    assert_int_equal(waiting_open(&again, &options, list, &error), HUB_OK);
    expect_ids(&again, "ab");
    waiting_free(&again);
    json_array_append_new(list, json_object());
    assert_int_equal(waiting_open(&again, &options, list, &error), HUB_FATAL);
    waiting_free(&again);
    json_decref(list);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(doubled_notices_collapse),
        cmocka_unit_test(nothing_is_taken_before_it_is_safe),
        cmocka_unit_test(a_notice_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(what_waits_is_bounded_in_bytes_too),
        cmocka_unit_test(what_could_not_be_had_waits_behind),
        cmocka_unit_test(what_waits_is_opened_as_it_was_listed),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
