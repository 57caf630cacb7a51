/* when: the times that people give, and none that mean something else than they say. */
#include "hub/ctl/when.h"
#include "tests/lib/cmocka.h"

static void a_time_is_read(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } right[] = {{"1970-01-01", 0},
                 {"2026-03-03", 1772496000000},
                 {"2026-03-03T12:00:00Z", 1772539200000},
                 {"2026-03-03T13:00:00+01:00", 1772539200000},
                 {"2026-03-03T06:30:00-05:30", 1772539200000},
                 {"2026-03-03T12:00:00.250Z", 1772539200250},
                 {"2026-03-03T12:00:00.2509Z", 1772539200250},
                 {"2024-02-29", 1709164800000}};
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        int64_t ms = -1;
        if (!hub_ctl_when(right[i].text, &ms) || ms != right[i].ms)
            fail_msg("%s was read as %lld", right[i].text, (long long)ms);
    }
}

static void all_else_is_none(void **state) {
    static const char *const wrong[] = {
        "",           "now",        "2026",          "2026-3-3",             "2026-02-30",
        "2025-02-29", "2026-13-01", "2026-03-03 12", "2026-03-03T12:00:00",  "2026-03-03T12:00Z",
        "2026-03-03T12:00:00z1", "2026-03-03T24:00:01Z", "2026-03-03T12:00:00+1:00",
        "2026-03-03T12:00:00+01", "2026-03-03T12:00:00+24:00", "2026-03-03T12:00:00.Zx",
        " 2026-03-03", "2026-03-03x"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms = 0;
        if (hub_ctl_when(wrong[i], &ms))
            fail_msg("'%s' was read as %lld", wrong[i], (long long)ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_read),
        cmocka_unit_test(all_else_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
