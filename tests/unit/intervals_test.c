/* intervals: claims on spans of time, and which of them overlap. */
#include "hub/core/intervals.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <stdio.h>
#include <string.h>

/* Owners are letters. */
static char owners[] = "abcdefghijklmnopqrstuvwxyz";

static struct hub_span span(char owner, int64_t start_ms, int64_t end_ms) {
    return (struct hub_span){start_ms, end_ms, &owners[owner - 'a']};
}

static void note(void *context, void *owner) {
    strncat(context, owner, 1);
}

/* The owners that overlap, by start. */
static const char *overlaps(const struct hub_intervals *intervals, struct hub_span wanted) {
    static char found[64];
    found[0] = '\0';
    hub_intervals_overlaps(intervals, wanted, note, found);
    return found;
}

static void an_empty_set_overlaps_nothing(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    assert_string_equal(overlaps(&intervals, span('a', 0, 10)), "");
    hub_intervals_free(&intervals);
}

static void spans_that_touch_do_not_overlap(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    hub_intervals_add(&intervals, span('a', 10, 20));
    assert_string_equal(overlaps(&intervals, span('b', 0, 10)), "");
    assert_string_equal(overlaps(&intervals, span('b', 20, 30)), "");
    assert_string_equal(overlaps(&intervals, span('b', 0, 11)), "a");
    assert_string_equal(overlaps(&intervals, span('b', 19, 30)), "a");
    hub_intervals_free(&intervals);
}

static void a_span_within_another_overlaps_it_both_ways(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    hub_intervals_add(&intervals, span('a', 0, 100));
    hub_intervals_add(&intervals, span('b', 40, 50));
    assert_string_equal(overlaps(&intervals, span('b', 40, 50)), "a");
    assert_string_equal(overlaps(&intervals, span('a', 0, 100)), "b");
    hub_intervals_free(&intervals);
}

static void a_long_span_is_found_from_far_behind_its_start(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    hub_intervals_add(&intervals, span('a', 0, 1000000));
    for (int64_t i = 1; i < 100; i++)
        hub_intervals_add(&intervals, span('b', i * 10, i * 10 + 1));
    assert_string_equal(overlaps(&intervals, span('c', 999990, 999999)), "a");
    hub_intervals_free(&intervals);
}

static void overlaps_come_by_start_and_never_with_oneself(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    hub_intervals_add(&intervals, span('c', 30, 60));
    hub_intervals_add(&intervals, span('a', 10, 40));
    hub_intervals_add(&intervals, span('b', 20, 50));
    assert_string_equal(overlaps(&intervals, span('b', 20, 50)), "ac");
    hub_intervals_free(&intervals);
}

static void a_span_that_is_removed_is_gone_and_no_other(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    hub_intervals_add(&intervals, span('a', 10, 20));
    hub_intervals_add(&intervals, span('b', 10, 20));
    hub_intervals_add(&intervals, span('c', 11, 20));
    assert_true(hub_intervals_remove(&intervals, 10, &owners[1]));
    assert_false(hub_intervals_remove(&intervals, 10, &owners[1]));
    assert_false(hub_intervals_remove(&intervals, 10, &owners[2])); /* that one begins at 11 */
    assert_string_equal(overlaps(&intervals, span('z', 0, 100)), "ac");
    hub_intervals_free(&intervals);
}

static void the_ends_of_time_do_not_overflow(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    hub_intervals_add(&intervals, span('a', 0, INT64_MAX));
    assert_string_equal(overlaps(&intervals, span('b', INT64_MIN, INT64_MIN + 1)), "");
    assert_string_equal(overlaps(&intervals, span('b', INT64_MIN, 1)), "a");
    hub_intervals_free(&intervals);
}

static void the_search_finds_what_comparing_all_finds(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < test_cases(2000); seed++) {
        struct test_random random = {test_seed(seed)};
        struct hub_intervals intervals = {0};
        struct hub_span spans[26];
        size_t count = 1 + test_random_below(&random, 26);
        for (size_t i = 0; i < count; i++) {
            int64_t start_ms = (int64_t)test_random_below(&random, 50);
            spans[i] = span((char)('a' + i), start_ms,
                            start_ms + (int64_t)test_random_below(&random, 30));
            hub_intervals_add(&intervals, spans[i]);
        }
        for (size_t i = 0; i < count; i++) {
            size_t wanted = 0;
            for (size_t k = 0; k < count; k++)
                wanted += i != k && spans[k].start_ms < spans[i].end_ms &&
                          spans[k].end_ms > spans[i].start_ms;
            if (strlen(overlaps(&intervals, spans[i])) != wanted)
                fail_msg("HUB_TEST_SEED=%llu", (unsigned long long)seed);
        }
        for (size_t i = 0; i < count; i++)
            assert_true(hub_intervals_remove(&intervals, spans[i].start_ms, spans[i].owner));
        assert_int_equal(intervals.count, 0);
        hub_intervals_free(&intervals);
    }
}

static void what_is_not_there_cannot_be_removed(void **state) {
    struct hub_intervals intervals = {0};
    (void)state;
    assert_false(hub_intervals_remove(&intervals, 10, &owners[0]));
    hub_intervals_add(&intervals, span('a', 10, 20));
    assert_false(hub_intervals_remove(&intervals, 11, &owners[0]));
    assert_string_equal(overlaps(&intervals, span('z', 0, 100)), "a");
    hub_intervals_free(&intervals);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_set_overlaps_nothing),
        cmocka_unit_test(spans_that_touch_do_not_overlap),
        cmocka_unit_test(a_span_within_another_overlaps_it_both_ways),
        cmocka_unit_test(a_long_span_is_found_from_far_behind_its_start),
        cmocka_unit_test(overlaps_come_by_start_and_never_with_oneself),
        cmocka_unit_test(a_span_that_is_removed_is_gone_and_no_other),
        cmocka_unit_test(the_ends_of_time_do_not_overflow),
        cmocka_unit_test(the_search_finds_what_comparing_all_finds),
        cmocka_unit_test(what_is_not_there_cannot_be_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
