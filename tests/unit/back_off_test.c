#include "hub/io/back_off.h"

#include "tests/lib/cmocka.h"

static void each_wait_is_twice_the_last_and_bounded(void **state) {
    static const int64_t waits_ms[] = {1, 2, 4, 5, 5};
    struct hub_back_off back_off = {.min_ms = 1, .max_ms = 5};
    (void)state;
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        hub_back_off(&back_off, /* tried_ms= */ 0, "nothing answers");
        assert_int_equal(back_off.wait_ms, waits_ms[i]);
    }
}

static void a_try_that_held_for_long_begins_the_waits_anew(void **state) {
    struct hub_back_off back_off = {.min_ms = 1, .max_ms = 5, .wait_ms = 4};
    (void)state;
    hub_back_off(&back_off, /* tried_ms= */ 5, "nothing answers");
    assert_int_equal(back_off.wait_ms, 5);
    hub_back_off(&back_off, /* tried_ms= */ 6, "nothing answers");
    assert_int_equal(back_off.wait_ms, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wait_is_twice_the_last_and_bounded),
        cmocka_unit_test(a_try_that_held_for_long_begins_the_waits_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
