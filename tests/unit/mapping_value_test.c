/* mapping_value: the texts that a path gives, and the steps on them. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

/* --- where a text comes from --- */

static void the_first_value_of_a_path_is_taken(void **state) {
    (void)state;
    assert_maps("trial", "acronym: a.b", "{'a': [{'b': 'one'}, {'b': 'two'}]}",
                "{'acronym': 'one'}");
    assert_maps("trial", "acronym: a", "{'a': ['', null, 'x']}", "{'acronym': 'x'}");
}

static void what_is_absent_stays_null(void **state) {
    (void)state;
    assert_maps("trial", "acronym: a", "{'b': 1}", "{'acronym': null}");
    assert_maps("trial", "acronym: a", "{'a': ''}", "{'acronym': null}");
    assert_maps("trial", "acronym: a", "{'a': []}", "{'acronym': null}");
    assert_maps("trial", "acronym: a", "{'a': {}}", "{'acronym': null}");
    assert_maps("trial", "acronym: a", "{'a': '  \\t '}", "{'acronym': null}");
}

static void spaces_around_are_no_part_of_a_text(void **state) {
    (void)state;
    assert_maps("trial", "acronym: a", "{'a': ' SKIN 1\\n'}", "{'acronym': 'SKIN 1'}");
}

static void an_object_where_a_text_should_be_is_refused(void **state) {
    (void)state;
    assert_refuses("trial", "acronym: a", "{'a': {'b': 1}}", "TYPE", "acronym");
}

static void numbers_and_booleans_are_texts_too(void **state) {
    (void)state;
    assert_maps("trial", "acronym: a", "{'a': 9007199254740993}",
                "{'acronym': '9007199254740993'}");
    assert_maps("trial", "acronym: a", "{'a': 0.10000000000000000001}",
                "{'acronym': '0.10000000000000000001'}");
    assert_maps("trial", "acronym: a", "{'a': true}", "{'acronym': 'true'}");
}

static void a_constant_needs_no_document(void **state) {
    (void)state;
    assert_maps("trial", "acronym: {value: X}", "{'b': 1}", "{'acronym': 'X'}");
}

static void the_first_part_that_gives_something_is_taken(void **state) {
    (void)state;
    assert_maps("trial", "acronym: {first: [a, b, {value: z}]}", "{'a': '', 'b': 'two'}",
                "{'acronym': 'two'}");
    assert_maps("trial", "acronym: {first: [a, b, {value: z}]}", "{}", "{'acronym': 'z'}");
    assert_maps("trial", "acronym: {first: [{from: a, absent: [none]}, b]}",
                "{'a': 'none', 'b': 'two'}", "{'acronym': 'two'}");
}

static void parts_are_joined_only_where_all_are_there(void **state) {
    (void)state;
    assert_maps("trial", "acronym: {join: [a, b], with: '/'}", "{'a': 'x', 'b': 2}",
                "{'acronym': 'x/2'}");
    assert_maps("trial", "acronym: {join: [a, b], with: '/'}", "{'a': 'x'}", "{'acronym': null}");
}

/* --- steps --- */

static void words_for_absent_are_absent(void **state) {
    (void)state;
    assert_maps("trial", "acronym: {from: a, absent: [N/A, none]}", "{'a': ' N/A '}",
                "{'acronym': null}");
    assert_maps("trial", "acronym: {from: a, absent: N/A}", "{'a': ['N/A', 'x']}",
                "{'acronym': 'x'}");
    assert_maps("trial", "acronym: {from: a, absent: N/A}", "{'a': 'n/a'}", "{'acronym': 'n/a'}");
}

static void a_match_keeps_its_first_group_or_all_of_it(void **state) {
    (void)state;
    assert_maps("trial", "acronym: {from: a, match: 'no ([0-9]+)'}", "{'a': 'is no 17 of'}",
                "{'acronym': '17'}");
    assert_maps("trial", "acronym: {from: a, match: '[0-9]+'}", "{'a': 'is no 17 of'}",
                "{'acronym': '17'}");
    assert_maps("trial", "acronym: {from: a, match: '^[0-9]+$'}", "{'a': 'no 17'}",
                "{'acronym': null}");
    assert_maps("trial", "acronym: {from: a, match: 'x(y)?'}", "{'a': 'x'}", "{'acronym': 'x'}");
    assert_maps("trial", "acronym: {from: a, match: '.'}", "{'a': 'åb'}", "{'acronym': 'å'}");
}

static void an_expression_that_tries_too_long_is_no_answer(void **state) {
    (void)state;
    assert_refuses("trial", "acronym: {from: a, match: '^(a|aa)+$'}",
                   "{'a': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'}", "MATCH",
                   "acronym");
}

static void a_split_gives_every_part_that_is_not_empty(void **state) {
    (void)state;
    assert_maps("trial", "conditions: {each: a, split: '; '}", "{'a': 'x; y; ; z'}",
                "{'conditions': ['x', 'y', 'z']}");
    assert_maps("trial", "conditions: {each: a, split: '|', absent: [N/A]}",
                "{'a': ['x|N/A', 'N/A']}", "{'conditions': ['x']}");
}

static void a_table_translates_and_else_says_the_rest(void **state) {
    (void)state;
    assert_maps("trial", "status: {from: a, table: {open: RECRUITING}, else: reject}",
                "{'a': 'open'}", "{'status': 'RECRUITING'}");
    assert_refuses("trial", "status: {from: a, table: {open: RECRUITING}, else: reject}",
                   "{'a': 'closed'}", "CODE", "status");
    assert_maps("trial", "status: {from: a, table: {open: RECRUITING}, else: null}",
                "{'a': 'closed'}", "{'status': null}");
    assert_maps("trial", "acronym: {from: a, table: {open: STAR}, else: 'null'}", "{'a': 'x'}",
                "{'acronym': null}");
    assert_maps("trial", "status: {from: a, table: {open: RECRUITING}, else: UNKNOWN}",
                "{'a': 'closed'}", "{'status': 'UNKNOWN'}");
    assert_maps("trial", "status: {from: a, table: {open: RECRUITING}, else: keep}",
                "{'a': 'HALTED'}", "{'status': 'HALTED'}");
    assert_maps("trial", "status: {from: a, table: {x: 'null'}, else: reject}", "{'a': 'x'}",
                "{'status': null}");
    assert_maps("trial", "status: {from: a, table: {}, else: ACTIVE}", "{'a': 'x'}",
                "{'status': 'ACTIVE'}");
}

static void what_a_table_keeps_must_still_be_a_symbol(void **state) {
    (void)state;
    assert_refuses("trial", "status: {from: a, table: {open: RECRUITING}, else: keep}",
                   "{'a': 'closed'}", "CODE", "status");
}

static void folding_case_goes_before_the_table(void **state) {
    (void)state;
    assert_maps("trial", "status: {from: a, fold: case, table: {open: RECRUITING}, else: reject}",
                "{'a': 'OPEN'}", "{'status': 'RECRUITING'}");
}

static void a_refusal_never_repeats_the_value(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    source_load(&source, source_configuration(
                             "trial", "status: {from: a, table: {open: RECRUITING}, else: reject}",
                             &source.arena));
    source_feed_json(&source, "{'a': 'Anna Andersson'}");
    assert_null(strstr(source_text(&source, 0, "reason"), "Anna"));
    assert_says(source_text(&source, 0, "reason"),
                "the table of line 9 knows no such value; adding it there would pass");
    source_close(&source);
}

static void an_organisation_that_is_known_has_its_identifier(void **state) {
    (void)state;
    assert_maps("trial", "sponsor: {from: a, lookup: organisations, else: keep_text}",
                "{'a': 'Lund University'}",
                "{'sponsor': {'org': 'ror:012a77v79', 'text': 'Lund University'}}");
    assert_maps("trial", "sponsor: {from: a, lookup: organisations, else: keep_text}",
                "{'a': 'Nobody'}", "{'sponsor': {'org': null, 'text': 'Nobody'}}");
    assert_refuses("trial", "sponsor: {from: a, lookup: organisations, else: reject}",
                   "{'a': 'Nobody'}", "CODE", "sponsor");
}

static void a_pseudonym_stands_for_a_value_and_hides_it(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    source.keys_folder = folder_path(&source.folder, "keys");
    folder_write(&source.folder, "keys/shared/s1", "0123456789abcdef0123456789abcdef");
    folder_write(&source.folder, "keys/local/l1", "fedcba9876543210fedcba9876543210");
    source_load(&source, source_configuration("exchange",
                                              "person_ref: {from: a, pseudonym: shared}, field: "
                                              "{from: a, pseudonym: local}",
                                              &source.arena));
    source_feed_json(&source, "{'a': '0000-0002-1825-0097'}");
    assert_says(source_text(&source, 0, "person_ref"), "ps:s1:");
    assert_says(source_text(&source, 0, "field"), "ps:l1:");
    assert_false(source_tells(&source, "1825-0097"));
    const char *first = source_text(&source, 0, "person_ref");
    source_feed_json(&source, "{'a': ' 0000-0002-1825-0097 '}");
    assert_string_equal(source_text(&source, 0, "person_ref"), first);
    source_close(&source);
}

/* --- conditions --- */

static void a_condition_holds_by_what_is_there(void **state) {
    static const struct {
        const char *condition, *document;
        bool holds;
    } cases[] = {
        {"{present: a}", "{'a': 0}", true},
        {"{present: a}", "{'a': ''}", false},
        {"{absent: a}", "{'a': ''}", true},
        {"{absent: a}", "{'a': 'x'}", false},
        {"{path: a, in: [x, y]}", "{'a': 'y'}", true},
        {"{path: a, in: [x, y]}", "{'a': ['z', 'x']}", true},
        {"{path: a, in: [x, y]}", "{'a': 'z'}", false},
        {"{path: a, in: x}", "{'b': 'x'}", false},
        {"{path: a, in: ['1']}", "{'a': 1}", true},
        {"{path: a, not_in: [x]}", "{'a': 'x'}", false},
        {"{path: a, not_in: [x]}", "{'a': 'y'}", true},
        {"{path: a, not_in: [x]}", "{'b': 'y'}", true},
        {"[{present: a}, {absent: b}]", "{'a': 1}", true},
        {"[{present: a}, {absent: b}]", "{'a': 1, 'b': 1}", false},
        {"[{present: a}, {absent: b}]", "{'c': 1}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "conditions: {when: %s, value: yes}", cases[i].condition);
        assert_maps("trial", fields, cases[i].document,
                    cases[i].holds ? "{'conditions': ['yes']}" : "{'conditions': []}");
    }
}

/* --- one of several --- */

static void the_smallest_or_largest_of_several_texts_may_be_picked(void **state) {
    (void)state;
    assert_maps("trial", "acronym: {from: a, pick: min}", "{'a': ['2016', '2014', '2015']}",
                "{'acronym': '2014'}");
    assert_maps("trial", "acronym: {from: a, match: '(..)$', pick: max}",
                "{'a': ['2016', '2021', '2015']}", "{'acronym': '21'}");
    assert_maps("trial", "conditions: {each: a, pick: max}", "{'a': ['x', 'z', 'y']}",
                "{'conditions': ['z']}");
    assert_maps("trial", "acronym: {from: a, pick: max}", "{'a': ['x']}", "{'acronym': 'x'}");
    assert_maps("trial", "acronym: {from: a, pick: max}", "{'a': []}", "{'acronym': null}");
}

static void what_is_picked_is_the_smallest_or_the_largest(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronym: {from: a, pick: last}", "min or max would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_value_of_a_path_is_taken),
        cmocka_unit_test(what_is_absent_stays_null),
        cmocka_unit_test(spaces_around_are_no_part_of_a_text),
        cmocka_unit_test(an_object_where_a_text_should_be_is_refused),
        cmocka_unit_test(numbers_and_booleans_are_texts_too),
        cmocka_unit_test(a_constant_needs_no_document),
        cmocka_unit_test(the_first_part_that_gives_something_is_taken),
        cmocka_unit_test(parts_are_joined_only_where_all_are_there),
        cmocka_unit_test(words_for_absent_are_absent),
        cmocka_unit_test(a_match_keeps_its_first_group_or_all_of_it),
        cmocka_unit_test(an_expression_that_tries_too_long_is_no_answer),
        cmocka_unit_test(a_split_gives_every_part_that_is_not_empty),
        cmocka_unit_test(a_table_translates_and_else_says_the_rest),
        cmocka_unit_test(what_a_table_keeps_must_still_be_a_symbol),
        cmocka_unit_test(folding_case_goes_before_the_table),
        cmocka_unit_test(a_refusal_never_repeats_the_value),
        cmocka_unit_test(an_organisation_that_is_known_has_its_identifier),
        cmocka_unit_test(a_pseudonym_stands_for_a_value_and_hides_it),
        cmocka_unit_test(a_condition_holds_by_what_is_there),
        cmocka_unit_test(the_smallest_or_largest_of_several_texts_may_be_picked),
        cmocka_unit_test(what_is_picked_is_the_smallest_or_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
