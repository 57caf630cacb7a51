/* mapping_target: values in fields of every type. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

static const char enrolment[] = "enrolment: {count: a, type: {value: TARGET}}";

/* --- numbers --- */

static void a_whole_number_may_come_as_text_or_with_zeros_behind_its_point(void **state) {
    static const struct {
        const char *document, *expected;
    } cases[] = {
        {"{'a': 24}", "{'enrolment': {'count': 24, 'type': 'TARGET'}}"},
        {"{'a': '24'}", "{'enrolment': {'count': 24}}"},
        {"{'a': 19.0}", "{'enrolment': {'count': 19}}"},
        {"{'a': '19.0'}", "{'enrolment': {'count': 19}}"},
        {"{'a': ' 20.000 '}", "{'enrolment': {'count': 20}}"},
        {"{'a': -1}", "{'enrolment': {'count': -1}}"},
        {"{'a': 2147483647}", "{'enrolment': {'count': 2147483647}}"},
        {"{'a': 1e2}", "{'enrolment': {'count': 100}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_maps("trial", enrolment, cases[i].document, cases[i].expected);
}

static void a_number_is_never_rounded_or_cut(void **state) {
    static const char *const documents[] = {
        "{'a': 19.5}",         "{'a': '19.01'}",     "{'a': 2147483648}",
        "{'a': '-2147483649'}", "{'a': 'many'}",     "{'a': '12 of 20'}",
        "{'a': '1,200'}",      "{'a': '1e2'}",       "{'a': '0x10'}",
        "{'a': true}",         "{'a': '123456789012345678901234567890'}",
        "{'a': 123456789012345678901234567890}",
        "{'a': 19.00000000000000000001}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        assert_refuses("trial", enrolment, documents[i], "TYPE", "enrolment.count");
}

/* --- enums, dates, times --- */

static void an_enum_takes_its_symbols_only(void **state) {
    (void)state;
    assert_maps("trial", "status: a", "{'a': 'ACTIVE'}", "{'status': 'ACTIVE'}");
    assert_refuses("trial", "status: a", "{'a': 'Active'}", "CODE", "status");
}

static void a_date_keeps_how_exact_it_is(void **state) {
    (void)state;
    static const char start[] = "start: {from: a, time: {formats: [partial, '%d/%m/%Y', '%B %Y']}}";
    assert_maps("trial", start, "{'a': '2016-07-06'}",
                "{'start': {'value': '2016-07-06', 'precision': 'DAY'}}");
    assert_maps("trial", start, "{'a': '2016-07'}",
                "{'start': {'value': '2016-07-01', 'precision': 'MONTH'}}");
    assert_maps("trial", start, "{'a': '2016'}",
                "{'start': {'value': '2016-01-01', 'precision': 'YEAR'}}");
    assert_maps("trial", start, "{'a': '28/04/2021'}",
                "{'start': {'value': '2021-04-28', 'precision': 'DAY'}}");
    assert_maps("trial", start, "{'a': 'April 2010'}",
                "{'start': {'value': '2010-04-01', 'precision': 'MONTH'}}");
}

static void a_date_in_no_listed_format_is_refused_with_the_field(void **state) {
    struct source source;
    (void)state;
    static const char start[] = "start: {from: a, time: {formats: [date]}}";
    assert_refuses("trial", start, "{'a': '28/04/2021'}", "TIME", "start");
    assert_refuses("trial", start, "{'a': '2021-02-29'}", "TIME", "start");
    source_make(&source);
    source_load(&source, source_configuration("trial", start, &source.arena));
    source_feed_json(&source, "{'a': '28/04/2021'}");
    assert_string_equal(source_text(&source, 0, "reason"), "not in the format date");
    source_close(&source);
}

static void an_instant_keeps_its_offset(void **state) {
    (void)state;
    static const char interval[] =
        "facility: {value: f}, interval: {start: {from: a, time: {formats: [rfc3339]}}, end: {from: "
        "b, time: {formats: ['%Y-%m-%d %H:%M'], zone: '+02:00'}}}";
    assert_maps("gmp-slot", interval, "{'a': '2026-03-02T08:00:00+01:00', 'b': '2026-03-02 16:00'}",
                "{'interval': {'start': {'time': '2026-03-02T07:00:00.000Z', 'offset_minutes': 60}, "
                "'end': {'time': '2026-03-02T14:00:00.000Z', 'offset_minutes': 120}}}");
    assert_refuses("gmp-slot", interval, "{'a': '2026-03-02T08:00:00', 'b': '2026-03-02 16:00'}",
                   "TIME", "interval.start");
}

/* --- records --- */

static void a_fall_back_of_the_configuration_states_nothing(void **state) {
    (void)state;
    static const char counted[] = "enrolment: {count: a, type: {first: [{from: b, table: {actual: "
                                  "ACTUAL}, else: reject}, {value: UNSTATED}]}}";
    assert_maps("trial", counted, "{'a': 24}", "{'enrolment': {'count': 24, 'type': 'UNSTATED'}}");
    assert_maps("trial", counted, "{'a': 24, 'b': 'actual'}", "{'enrolment': {'type': 'ACTUAL'}}");
    assert_maps("trial", counted, "{}", "{'enrolment': null}");
    assert_refuses("trial", counted, "{'b': 'actual'}", "MISSING", "enrolment.count");
    static const char titled[] = "titles: {lang: {first: [l, {value: en}]}, text: t}";
    assert_maps("trial", titled, "{'t': 'Skin'}", "{'titles': [{'lang': 'en', 'text': 'Skin'}]}");
    assert_maps("trial", titled, "{}", "{'titles': []}");
}

static void a_record_of_which_nothing_is_stated_is_null(void **state) {
    (void)state;
    assert_maps("trial", enrolment, "{'b': 1}", "{'enrolment': null}");
    assert_maps("trial", "sponsor: {from: a, lookup: organisations, else: keep}", "{}",
                "{'sponsor': null}");
}

static void a_record_of_which_a_part_is_missing_is_refused(void **state) {
    (void)state;
    assert_refuses("gmp-slot",
                   "facility: {value: f}, interval: {start: {from: a, time: {formats: [rfc3339]}}, "
                   "end: {from: b, time: {formats: [rfc3339]}}}",
                   "{'a': '2026-03-02T08:00:00Z'}", "MISSING", "interval.end");
}

static void a_required_field_that_the_source_does_not_state_is_refused(void **state) {
    (void)state;
    assert_refuses("gmp-slot", "facility: f, suite: s", "{'s': 'one'}", "MISSING", "facility");
    assert_refuses("gmp-slot", "facility: f, suite: s", "{'x': 1}", "MISSING", "facility");
    assert_refuses("gmp-slot", "facility: f, suite: {value: s}", "{'x': 1}", "MISSING", "facility");
}

static void a_part_that_cannot_be_read_is_named_with_its_path(void **state) {
    (void)state;
    assert_refuses("trial",
                   "by_country: {for_each: c, country: n, decided: {from: d, time: {formats: "
                   "[date]}}}",
                   "{'c': [{'n': 'SE', 'd': '2026-01-01'}, {'n': 'NL', 'd': 'soon'}]}", "TIME",
                   "by_country.decided");
}

/* --- arrays --- */

static void an_array_has_all_that_its_items_give(void **state) {
    (void)state;
    assert_maps("trial", "conditions: [{each: a}, {each: b.c}, {value: z}]",
                "{'a': ['x', '', 'y'], 'b': [{'c': 'p'}, {'c': 'q'}]}",
                "{'conditions': ['x', 'y', 'p', 'q', 'z']}");
    assert_maps("trial", "conditions: {each: a}", "{'a': 'one'}", "{'conditions': ['one']}");
    assert_maps("trial", "conditions: {each: a}", "{}", "{'conditions': []}");
}

static void one_element_that_does_not_fit_refuses_the_record(void **state) {
    (void)state;
    assert_refuses("trial", "phases: {each: a, table: {'1': PHASE_1}, else: reject}",
                   "{'a': ['1', '5']}", "CODE", "phases");
}

static void elements_are_made_for_each_and_only_where_something_is_stated(void **state) {
    (void)state;
    assert_maps("trial", "titles: {for_each: t, lang: l, text: x}",
                "{'t': [{'l': 'sv', 'x': 'Hud'}, {}, {'l': 'en', 'x': 'Skin'}]}",
                "{'titles': [{'lang': 'sv', 'text': 'Hud'}, {'lang': 'en', 'text': 'Skin'}]}");
    assert_maps("trial", "titles: [{lang: {value: sv}, text: a}, {lang: {value: en}, text: b}]",
                "{'b': 'Skin'}", "{'titles': [{'lang': 'en', 'text': 'Skin'}]}");
}

static void an_element_that_lacks_a_part_refuses_the_record(void **state) {
    (void)state;
    assert_refuses("trial", "titles: {for_each: t, lang: l, text: x}",
                   "{'t': [{'l': 'sv', 'x': 'Hud'}, {'l': 'en'}]}", "MISSING", "titles.text");
}

static void an_element_may_look_out_at_the_record_around_it(void **state) {
    (void)state;
    assert_maps("trial", "titles: {for_each: t, lang: ^.language, text: x}",
                "{'language': 'sv', 't': [{'x': 'Hud'}, {'x': 'Hjärta'}]}",
                "{'titles': [{'lang': 'sv', 'text': 'Hud'}, {'lang': 'sv', 'text': 'Hjärta'}]}");
}

static void the_parts_of_a_text_may_each_be_an_element(void **state) {
    (void)state;
    assert_maps("trial",
                "products: {for_each: {from: a, split: '|'}, name: ., kind: {value: CELL}}",
                "{'a': 'skin| heart |'}",
                "{'products': [{'name': 'skin', 'kind': 'CELL'}, {'name': 'heart'}]}");
}

static void a_field_that_is_not_mapped_has_its_default(void **state) {
    (void)state;
    assert_maps("trial", "acronym: a, products: {for_each: p, name: n}",
                "{'a': 'x', 'p': [{'n': 'skin'}]}",
                "{'status': null, 'conditions': [], 'products': [{'name': 'skin', 'kind': "
                "'OTHER'}]}");
}

/* --- clocks on a wall --- */

#define IN_STOCKHOLM(rest)                                                                         \
    "facility: {value: 'ror:05xvt9f17'}, interval: {start: {from: a, time: {formats: [rfc3339], "  \
    "zone: Europe/Stockholm" rest "}}, end: {value: '2026-12-31T00:00:00Z', time: {formats: "      \
    "[rfc3339]}}}"

static void a_time_without_offset_is_read_where_the_clock_hangs(void **state) {
    (void)state;
    assert_maps("gmp-slot", IN_STOCKHOLM(""), "{'a': '2026-01-12 08:00:00'}",
                "{'interval': {'start': {'time': '2026-01-12T07:00:00.000Z', 'offset_minutes': 60}}}");
    assert_maps("gmp-slot", IN_STOCKHOLM(""), "{'a': '2026-05-04T08:00'}",
                "{'interval': {'start': {'time': '2026-05-04T06:00:00.000Z', 'offset_minutes': 120}}}");
    assert_maps("gmp-slot", IN_STOCKHOLM(""), "{'a': '2026-05-04T08:00:00Z'}",
                "{'interval': {'start': {'time': '2026-05-04T08:00:00.000Z', 'offset_minutes': 0}}}");
}

static void a_time_that_no_clock_shows_is_refused(void **state) {
    (void)state;
    assert_refuses("gmp-slot", IN_STOCKHOLM(""), "{'a': '2026-03-29T02:30'}", "TIME",
                   "interval.start");
    assert_refuses("gmp-slot", IN_STOCKHOLM(", ambiguous: later"), "{'a': '2026-03-29T02:30'}",
                   "TIME", "interval.start");
}

static void a_time_that_comes_twice_is_refused_unless_it_is_told_which(void **state) {
    (void)state;
    assert_refuses("gmp-slot", IN_STOCKHOLM(""), "{'a': '2026-10-25T02:30'}", "TIME",
                   "interval.start");
    assert_refuses("gmp-slot", IN_STOCKHOLM(", ambiguous: reject"), "{'a': '2026-10-25T02:30'}",
                   "TIME", "interval.start");
    assert_maps("gmp-slot", IN_STOCKHOLM(", ambiguous: earlier"), "{'a': '2026-10-25T02:30'}",
                "{'interval': {'start': {'time': '2026-10-25T00:30:00.000Z', 'offset_minutes': 120}}}");
    assert_maps("gmp-slot", IN_STOCKHOLM(", ambiguous: later"), "{'a': '2026-10-25T02:30'}",
                "{'interval': {'start': {'time': '2026-10-25T01:30:00.000Z', 'offset_minutes': 60}}}");
}

static void a_pattern_and_a_day_are_read_there_too(void **state) {
    (void)state;
    assert_maps("gmp-slot",
                "facility: {value: 'ror:05xvt9f17'}, interval: {start: {from: a, time: {formats: "
                "[date, '%d.%m.%Y %H:%M'], zone: Europe/Stockholm}}, end: {from: b, time: {formats: "
                "['%d.%m.%Y %H:%M'], zone: Europe/Stockholm}}}",
                "{'a': '2026-07-01', 'b': '02.07.2026 06:30'}",
                "{'interval': {'start': {'time': '2026-06-30T22:00:00.000Z', 'offset_minutes': 120},"
                " 'end': {'time': '2026-07-02T04:30:00.000Z', 'offset_minutes': 120}}}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_number_may_come_as_text_or_with_zeros_behind_its_point),
        cmocka_unit_test(a_number_is_never_rounded_or_cut),
        cmocka_unit_test(an_enum_takes_its_symbols_only),
        cmocka_unit_test(a_date_keeps_how_exact_it_is),
        cmocka_unit_test(a_date_in_no_listed_format_is_refused_with_the_field),
        cmocka_unit_test(an_instant_keeps_its_offset),
        cmocka_unit_test(a_fall_back_of_the_configuration_states_nothing),
        cmocka_unit_test(a_record_of_which_nothing_is_stated_is_null),
        cmocka_unit_test(a_record_of_which_a_part_is_missing_is_refused),
        cmocka_unit_test(a_required_field_that_the_source_does_not_state_is_refused),
        cmocka_unit_test(a_part_that_cannot_be_read_is_named_with_its_path),
        cmocka_unit_test(an_array_has_all_that_its_items_give),
        cmocka_unit_test(one_element_that_does_not_fit_refuses_the_record),
        cmocka_unit_test(elements_are_made_for_each_and_only_where_something_is_stated),
        cmocka_unit_test(an_element_that_lacks_a_part_refuses_the_record),
        cmocka_unit_test(an_element_may_look_out_at_the_record_around_it),
        cmocka_unit_test(the_parts_of_a_text_may_each_be_an_element),
        cmocka_unit_test(a_field_that_is_not_mapped_has_its_default),
        cmocka_unit_test(a_time_without_offset_is_read_where_the_clock_hangs),
        cmocka_unit_test(a_time_that_no_clock_shows_is_refused),
        cmocka_unit_test(a_time_that_comes_twice_is_refused_unless_it_is_told_which),
        cmocka_unit_test(a_pattern_and_a_day_are_read_there_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
