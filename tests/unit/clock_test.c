/* clock: a wall clock that is set back is seen. */
#include "hub/io/clock.h"
#include "tests/lib/cmocka.h"

static enum hub_status check(int64_t *ahead_ms) {
    struct hub_error error;
    return hub_clock_check(ahead_ms, &error);
}

static void a_clock_that_goes_on_is_no_reason(void **state) {
    (void)state;
    int64_t ahead_ms = 0;
    assert_int_equal(check(&ahead_ms), HUB_OK);
    assert_int_equal(check(&ahead_ms), HUB_OK);
}

static void one_set_back_is_told_once_and_by_how_much(void **state) {
    (void)state;
    struct hub_error error;
    int64_t ahead_ms = 0;
    assert_int_equal(check(&ahead_ms), HUB_OK);
    ahead_ms += 3600500;
    assert_int_equal(hub_clock_check(&ahead_ms, &error), HUB_RETRY);
    assert_string_equal(error.text, "the wall clock was set back by 3600 s");
    assert_int_equal(check(&ahead_ms), HUB_OK);
}

static void one_set_ahead_or_back_by_a_little_is_not(void **state) {
    (void)state;
    int64_t ahead_ms = 0;
    assert_int_equal(check(&ahead_ms), HUB_OK);
    ahead_ms -= 3600000;
    assert_int_equal(check(&ahead_ms), HUB_OK);
    ahead_ms += HUB_CLOCK_SET_BACK_MIN_MS / 2;
    assert_int_equal(check(&ahead_ms), HUB_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_on_is_no_reason),
        cmocka_unit_test(one_set_back_is_told_once_and_by_how_much),
        cmocka_unit_test(one_set_ahead_or_back_by_a_little_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
