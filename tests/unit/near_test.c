/* near: the values that one slip of the hand makes of another. */
#include "hub/core/near.h"
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <string.h>

struct visited {
    const char *value;
    char all[1024];
};

static void note(void *context, uint64_t hash) {
    struct visited *visited = context;
    assert_true(hash == hub_near_hash(visited->value));
    strcat(visited->all, visited->value);
    strcat(visited->all, " ");
}

static const char *slips_in(const char *picture, const char *text) {
    static struct visited visited;
    static char value[16];
    snprintf(value, sizeof value, "%s", text);
    visited = (struct visited){.value = value};
    hub_near_each(picture, value, note, &visited);
    assert_string_equal(value, text);
    return visited.all;
}

static const char *slips_of(const char *text) {
    return slips_in("A##-#", text);
}

static void each_digit_is_replaced_by_every_other_and_by_an_unread_one(void **state) {
    (void)state;
    assert_string_equal(slips_of("A11-1"),
                        "A?1-1 A01-1 A21-1 A31-1 A41-1 A51-1 A61-1 A71-1 A81-1 A91-1 "
                        "A1?-1 A10-1 A12-1 A13-1 A14-1 A15-1 A16-1 A17-1 A18-1 A19-1 "
                        "A11-? A11-0 A11-2 A11-3 A11-4 A11-5 A11-6 A11-7 A11-8 A11-9 ");
}

static void two_neighbours_change_places_but_not_across_what_is_fixed(void **state) {
    (void)state;
    assert_non_null(strstr(slips_of("A12-3"), "A21-3 "));
    assert_null(strstr(slips_of("A12-3"), "A13-2 "));
}

static void an_unread_digit_may_be_any_and_nothing_else_differs(void **state) {
    (void)state;
    assert_string_equal(slips_of("A1?-3"), "A10-3 A11-3 A12-3 A13-3 A14-3 A15-3 A16-3 A17-3 "
                                           "A18-3 A19-3 ");
}

static void what_may_be_a_letter_is_never_a_digit_that_nobody_could_read(void **state) {
    (void)state;
    assert_string_equal(slips_in("-*", "-1"), "-0 -2 -3 -4 -5 -6 -7 -8 -9 ");
}

static void a_letter_is_no_misread_digit_but_may_change_places(void **state) {
    (void)state;
    assert_string_equal(slips_in("**", "AB"), "BA ");
    assert_string_equal(slips_in("**-@*", "ZZ-QA"), "");
}

static void a_slip_goes_both_ways(void **state) {
    static const char *const values[] = {"A12-3", "A1?-3", "A21-3", "A19-3", "A77-7"};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(strstr(slips_of(values[i]), values[k]) != NULL,
                             strstr(slips_of(values[k]), values[i]) != NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_digit_is_replaced_by_every_other_and_by_an_unread_one),
        cmocka_unit_test(two_neighbours_change_places_but_not_across_what_is_fixed),
        cmocka_unit_test(an_unread_digit_may_be_any_and_nothing_else_differs),
        cmocka_unit_test(what_may_be_a_letter_is_never_a_digit_that_nobody_could_read),
        cmocka_unit_test(a_letter_is_no_misread_digit_but_may_change_places),
        cmocka_unit_test(a_slip_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
