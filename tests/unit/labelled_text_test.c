/* labelled-text: records of lines with labels. */
#include "tests/lib/cmocka.h"
#include "tests/lib/parsing.h"
#include "tests/lib/source.h"

static const char numbered[] = "{begin: Number, label: '[A-Z]\\.\\d*\\s|Number:'}";

static int begin(void **state) {
    struct parsing *parsing = hub_allocate_zero(1, sizeof *parsing);
    parsing_open(parsing, "labelled-text", numbered);
    *state = parsing;
    return 0;
}

static int end(void **state) {
    parsing_close(*state);
    hub_release(*state);
    return 0;
}

static void a_line_is_a_label_and_its_value(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "Number: 7\nA.1 Title:  Skin: a trial \nA.2 None:\n");
    expect_json(parsing->parsed.tree, "records",
                "[{'Number': '7', 'A.1 Title': 'Skin: a trial', 'A.2 None': ''}]");
}

static void spaces_in_a_label_are_one(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "Number: 7\nA.1\tCountry \t of it : SE\n");
    expect_json(parsing->parsed.tree, "records.0.A", NULL);
    assert_string_equal(json_string_value(json_object_get(look(parsing->parsed.tree, "records.0"),
                                                          "A.1 Country of it")), "SE");
}

static void a_label_that_comes_again_makes_a_list(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "Number: 7\nA. x: 1\nA. x: 2\nA. x: 3\n");
    assert_int_equal(json_array_size(json_object_get(look(parsing->parsed.tree, "records.0"),
                                                     "A. x")), 3);
}

static void other_lines_go_on_with_the_value_before_them(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "Number: 7\nA.3 Rules: one;\n two: and\n\nthree\n\n\nB.1 Next: x\n");
    const json_t *record = look(parsing->parsed.tree, "records.0");
    assert_string_equal(json_string_value(json_object_get(record, "A.3 Rules")),
                        "one;\ntwo: and\n\nthree");
    assert_int_equal(json_object_size(record), 3);
}

static void a_heading_says_nothing_and_ends_a_value(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "Number: 7\nA.3 Rules: one\nB. Sponsor\nSponsor 1\nB.1 Name: x\n");
    const json_t *record = look(parsing->parsed.tree, "records.0");
    assert_string_equal(json_string_value(json_object_get(record, "A.3 Rules")), "one");
    assert_int_equal(json_object_size(record), 3);
}

static void a_file_of_several_records_has_each_its_bytes_and_line(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "\xef\xbb\xbfSummary\r\nA.1 x: left out\r\nNumber: 1\r\n\r\nNumber: 2\r\nA.1 x: y");
    expect_json(parsing->parsed.tree, "records.0", "{'Number': '1'}");
    assert_int_equal(parsing->parsed.row_count, 2);
    assert_int_equal(parsing->parsed.row_lines[0], 3);
    assert_int_equal(parsing->parsed.row_lines[1], 5);
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[0], "Number: 1\r\n\r\n"));
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[1], "Number: 2\r\nA.1 x: y"));
}

static void without_a_pattern_every_line_with_a_colon_has_a_label(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "labelled-text", "{begin: id}");
    parsing_feed(&parsing, "id: 1\nname: skin\nand: so on\n: none\n");
    expect_json(parsing.parsed.tree, "records.0",
                "{'id': '1', 'name': 'skin', 'and': 'so on\\n: none'}");
    parsing_close(&parsing);
}

static void a_record_that_is_not_utf_8_costs_no_other(void **state) {
    struct parsing *parsing = *state;
    static const char zero[] = "Number: 1\nA.1 x: \0\nNumber: 2\nA.1 x: \xe5\nA.1 x: y\nNumber: 3\n";
    parsing_feed_bytes(parsing, hub_bytes(zero, sizeof zero - 1));
    expect_json(parsing->parsed.tree, "records", "[{'Number': '3'}]");
    assert_int_equal(parsing->parsed.error_count, 2);
    assert_int_equal(parsing->parsed.errors[1].line, 3);
    assert_string_equal(parsing->parsed.errors[1].text, "a byte that is not UTF-8, or a zero byte");
    assert_true(hub_bytes_equal_text(parsing->parsed.errors[1].raw,
                                     "Number: 2\nA.1 x: \xe5\nA.1 x: y\n"));
}

static void a_file_without_a_record_is_refused(void **state) {
    struct parsing *parsing = *state;
    assert_string_equal(parsing_refusal(parsing, "A.1 x: y\nNumber\n"),
                        "no line begins with the label 'Number', with which a record begins");
    assert_says(parsing_refusal(parsing, ""), "no line begins with the label 'Number'");
}

static void an_expression_that_tries_too_long_is_no_answer(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "labelled-text", "{begin: id, label: '(a+)+b'}");
    assert_says(parsing_refusal(&parsing, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!b\n"),
                "line 1: 'label' takes more than 10000 steps; a simpler one would pass");
    parsing_close(&parsing);
}

static void more_records_than_the_limit_are_refused_with_it(void **state) {
    struct parsing *parsing = *state;
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i <= HUB_ROWS_MAX + 1; i++)
        hub_buffer_append_text(&text, "Number:\n");
    assert_string_equal(parsing_refusal_of_bytes(parsing, hub_buffer_bytes(&text)),
                        "more than 200000 records");
}

static void a_pattern_that_is_none_is_refused_with_its_place(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    assert_says(source_refusal(&source, "connector: trying\ninstitution: sus\nsystem: sus-trials\n"
                               "target: {domain: trial}\n"
                               "source: {transport: file-drop, folder: ., format: labelled-text, "
                               "begin: a, label: 'a('}\n"
                               "records: [{key: a, version: a, fields: {}}]\n"),
                "label 'a(' at character 3: missing closing parenthesis");
    source_close(&source);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_label_and_its_value),
        cmocka_unit_test(spaces_in_a_label_are_one),
        cmocka_unit_test(a_label_that_comes_again_makes_a_list),
        cmocka_unit_test(other_lines_go_on_with_the_value_before_them),
        cmocka_unit_test(a_heading_says_nothing_and_ends_a_value),
        cmocka_unit_test(a_file_of_several_records_has_each_its_bytes_and_line),
        cmocka_unit_test(without_a_pattern_every_line_with_a_colon_has_a_label),
        cmocka_unit_test(a_record_that_is_not_utf_8_costs_no_other),
        cmocka_unit_test(a_file_without_a_record_is_refused),
        cmocka_unit_test(an_expression_that_tries_too_long_is_no_answer),
        cmocka_unit_test(more_records_than_the_limit_are_refused_with_it),
        cmocka_unit_test(a_pattern_that_is_none_is_refused_with_its_place),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
