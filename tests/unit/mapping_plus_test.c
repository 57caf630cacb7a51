/* mapping_plus: an end that is told as a beginning and a duration. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#define PLUS "plus: {to: s, amount: n, unit: u, time: {formats: [rfc3339, date], zone: +01:00}}"
#define START "start: {" PLUS ", time: {formats: [rfc3339]}}"

static void so_much_later_is_told_with_the_offset_of_the_beginning(void **state) {
    static const struct {
        const char *document, *start;
    } cases[] = {
        {"{'s': '2026-03-01T23:30:00Z', 'n': 30, 'u': 'min'}", "2026-03-02"},
        {"{'s': '2026-03-01T23:30:00Z', 'n': '29', 'u': 'MIN'}", "2026-03-01"},
        {"{'s': '2026-03-01T22:29:00-03:30', 'n': 5399, 'u': 's'}", "2026-03-01"},
        {"{'s': '2026-03-01T22:29:00-03:30', 'n': 91, 'u': 'minutes'}", "2026-03-02"},
        {"{'s': '2026-03-01', 'n': 23, 'u': 'hr'}", "2026-03-01"},
        {"{'s': '2026-03-01', 'n': 24, 'u': 'h'}", "2026-03-02"},
        {"{'s': '2026-03-01', 'n': 0, 'u': 'd'}", "2026-03-01"},
        {"{'s': '2026-02-27', 'n': 2, 'u': 'days'}", "2026-03-01"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "{'start': {'value': '%s', 'precision': 'DAY'}}",
                 cases[i].start);
        assert_maps("trial", START, cases[i].document, expected);
    }
}

static void the_instant_and_its_offset_are_kept(void **state) {
    (void)state;
    assert_maps("gmp-slot",
                "facility: {value: 'ror:05xvt9f17'}, interval: {start: {from: s, time: {formats: "
                "[rfc3339]}}, end: {" PLUS ", time: {formats: [rfc3339]}}}",
                "{'s': '2026-03-01T08:00:00.500-03:30', 'n': 90, 'u': 'min'}",
                "{'interval': {'end': {'time': '2026-03-01T13:00:00.500Z', 'offset_minutes': "
                "-210}}}");
}

static void without_one_of_its_parts_it_is_absent(void **state) {
    (void)state;
    assert_maps("trial", START, "{'n': 1, 'u': 'h'}", "{'start': null}");
    assert_maps("trial", START, "{'s': '2026-03-01', 'u': 'h'}", "{'start': null}");
    assert_maps("trial", START, "{'s': '2026-03-01', 'n': 1}", "{'start': null}");
    assert_maps("trial",
                "start: {first: [{" PLUS "}, t], time: {formats: [rfc3339, date], zone: UTC}}",
                "{'s': '2026-03-01', 't': '2026-04-01'}", "{'start': {'value': '2026-04-01'}}");
}

static void what_cannot_be_added_is_refused(void **state) {
    static const char *const documents[] = {
        "{'s': 'soon', 'n': 1, 'u': 'h'}",         "{'s': '2026-03-01', 'n': 1, 'u': 'week'}",
        "{'s': '2026-03-01', 'n': '1.5', 'u': 'h'}", "{'s': '2026-03-01', 'n': '-1', 'u': 'h'}",
        "{'s': '2026-03-01', 'n': 1000000001, 'u': 's'}"};
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        assert_refuses("trial", START, documents[i], "TIME", "start");
}

static void all_four_of_its_keys_are_needed(void **state) {
    (void)state;
    assert_misconfigured("trial", "start: {plus: {to: s}, time: {formats: [rfc3339]}}",
                         "{to: VALUE, amount: VALUE, unit: VALUE, time: {formats: [...]}} would");
    assert_misconfigured("trial",
                         "start: {plus: {to: s, amount: n, units: u, time: {formats: [hl7]}}, time: "
                         "{formats: [rfc3339]}}", "units");
    assert_misconfigured("trial", "start: {plus: s, time: {formats: [rfc3339]}}", "would pass");
    assert_misconfigured("trial", "start: {from: s, plus: s, time: {formats: [rfc3339]}}",
                         "exactly one of from, value, first, join, plus and ref would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_much_later_is_told_with_the_offset_of_the_beginning),
        cmocka_unit_test(the_instant_and_its_offset_are_kept),
        cmocka_unit_test(without_one_of_its_parts_it_is_absent),
        cmocka_unit_test(what_cannot_be_added_is_refused),
        cmocka_unit_test(all_four_of_its_keys_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
