/* csv: tables, row by row. */
#include "tests/lib/cmocka.h"
#include "tests/lib/parsing.h"

static int begin(void **state) {
    struct parsing *parsing = hub_allocate_zero(1, sizeof *parsing);
    parsing_open(parsing, "csv", "{}");
    *state = parsing;
    return 0;
}

static int end(void **state) {
    parsing_close(*state);
    hub_release(*state);
    return 0;
}

static void assert_row_bytes(const struct parsing *parsing, size_t row, size_t line,
                             const char *bytes) {
    assert_in_range(row, 0, parsing->parsed.row_count - 1);
    assert_int_equal(parsing->parsed.row_lines[row], line);
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[row], bytes));
}

static void assert_row_error(const struct parsing *parsing, size_t index, size_t line,
                             struct hub_bytes bytes, const char *text) {
    assert_in_range(index, 0, parsing->parsed.error_count - 1);
    const struct hub_row_error *error = &parsing->parsed.errors[index];
    assert_int_equal(error->line, line);
    assert_true(hub_bytes_equal(error->raw, bytes));
    assert_string_equal(error->text, text);
}

/* --- rows that fit --- */

static void the_first_row_names_the_cells_of_the_others(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n1,skin\n2,heart\n");
    expect_json(parsing->parsed.tree, "rows",
                "[{'id': '1', 'name': 'skin'}, {'id': '2', 'name': 'heart'}]");
    assert_int_equal(parsing->parsed.error_count, 0);
}

static void every_row_has_its_own_bytes_and_line(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\r\n1,skin\r\n2,\"two\nlines\"\r\n3,last");
    assert_int_equal(parsing->parsed.row_count, 3);
    assert_row_bytes(parsing, 0, 2, "1,skin\r\n");
    assert_row_bytes(parsing, 1, 3, "2,\"two\nlines\"\r\n");
    assert_row_bytes(parsing, 2, 5, "3,last");
}

static void quotes_hold_delimiters_line_ends_and_doubled_quotes(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n1,\"a,\"\"b\"\"\nc\"\n");
    expect_json(parsing->parsed.tree, "rows.0.name", "'a,\\\"b\\\"\\nc'");
}

static void numbers_stay_the_texts_that_they_are(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "a,b,c\n007,0.10,123456789012345678901234567890\n");
    expect_json(parsing->parsed.tree, "rows.0",
                "{'a': '007', 'b': '0.10', 'c': '123456789012345678901234567890'}");
}

static void empty_lines_are_no_rows(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n\n1,skin\n\r\n2,heart\n\n");
    assert_int_equal(look_count(parsing->parsed.tree, "rows"), 2);
    assert_int_equal(parsing->parsed.error_count, 0);
    assert_int_equal(parsing->parsed.row_lines[1], 5);
}

static void a_cell_may_be_empty(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n,\n1,\"\"\n");
    expect_json(parsing->parsed.tree, "rows",
                "[{'id': '', 'name': ''}, {'id': '1', 'name': ''}]");
}

static void a_line_may_end_in_a_carriage_return_alone(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\r1,skin\r2,heart\r");
    expect_json(parsing->parsed.tree, "rows",
                "[{'id': '1', 'name': 'skin'}, {'id': '2', 'name': 'heart'}]");
    assert_row_bytes(parsing, 1, 3, "2,heart\r");
}

static void a_byte_order_mark_is_no_part_of_a_name_even_before_a_quote(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "\xef\xbb\xbfid,name\n1,skin\n");
    expect_json(parsing->parsed.tree, "rows.0.id", "'1'");
    parsing_feed(parsing, "\xef\xbb\xbf\"id\",name\n1,skin\n");
    expect_json(parsing->parsed.tree, "rows.0.id", "'1'");
}

static void a_table_of_one_column_has_empty_cells_too(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id\n\"\"\n1\n");
    expect_json(parsing->parsed.tree, "rows", "[{'id': ''}, {'id': '1'}]");
}

/* --- rows that do not --- */

static void a_row_with_too_few_or_many_cells_is_an_error_of_its_own(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n1\n2,heart\n3,a,b\n4,last\n");
    expect_json(parsing->parsed.tree, "rows",
                "[{'id': '2', 'name': 'heart'}, {'id': '4', 'name': 'last'}]");
    assert_int_equal(parsing->parsed.error_count, 2);
    assert_row_error(parsing, 0, 2, hub_bytes_of_text("1\n"),
                     "1 cells; 2, as in the first row, would pass");
    assert_row_error(parsing, 1, 4, hub_bytes_of_text("3,a,b\n"),
                     "3 cells; 2, as in the first row, would pass");
}

static void a_stray_quote_costs_its_row_and_no_other(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n1,skin\n2,he said \"no\"\n3,\"in\"out\n4,last\n");
    expect_json(parsing->parsed.tree, "rows",
                "[{'id': '1', 'name': 'skin'}, {'id': '4', 'name': 'last'}]");
    static const char why[] = "a quote stands where none may; a cell with quotes is quoted, and "
                              "they are doubled";
    assert_int_equal(parsing->parsed.error_count, 2);
    assert_row_error(parsing, 0, 3, hub_bytes_of_text("2,he said \"no\"\n"), why);
    assert_row_error(parsing, 1, 4, hub_bytes_of_text("3,\"in\"out\n"), why);
    assert_row_bytes(parsing, 1, 5, "4,last\n");
}

static void a_file_cut_off_within_quotes_keeps_the_rows_before(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name\n1,skin\n2,\"hea\nrt");
    expect_json(parsing->parsed.tree, "rows", "[{'id': '1', 'name': 'skin'}]");
    assert_int_equal(parsing->parsed.error_count, 1);
    assert_row_error(parsing, 0, 3, hub_bytes_of_text("2,\"hea\nrt"),
                     "a quote that begins in this row is never closed");
}

static void a_file_cut_off_within_a_row_tells_its_last_row(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id,name,sort\n1,skin,a\n2,hea");
    assert_int_equal(parsing->parsed.row_count, 1);
    assert_row_error(parsing, 0, 3, hub_bytes_of_text("2,hea"),
                     "2 cells; 3, as in the first row, would pass");
}

static void a_row_that_is_not_utf_8_is_an_error_wherever_it_stands(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "id\n\xe5\nok\n\xff");
    expect_json(parsing->parsed.tree, "rows", "[{'id': 'ok'}]");
    assert_int_equal(parsing->parsed.error_count, 2);
    assert_row_error(parsing, 0, 2, hub_bytes_of_text("\xe5\n"),
                     "a cell is not in utf-8, or has a zero byte");
    assert_row_error(parsing, 1, 4, hub_bytes_of_text("\xff"),
                     "a cell is not in utf-8, or has a zero byte");
}

static void a_zero_byte_never_cuts_a_cell_short(void **state) {
    struct parsing *parsing = *state;
    static const char text[] = "id,name\n1,ab\0cd\n2,heart\n";
    parsing_feed_bytes(parsing, hub_bytes(text, sizeof text - 1));
    expect_json(parsing->parsed.tree, "rows", "[{'id': '2', 'name': 'heart'}]");
    assert_row_error(parsing, 0, 2, hub_bytes("1,ab\0cd\n", 8),
                     "a cell is not in utf-8, or has a zero byte");
}

/* --- tables that do not --- */

static void a_file_without_a_first_row_is_refused(void **state) {
    assert_string_equal(parsing_refusal(*state, ""),
                        "the file is empty; a first row of column names would pass");
    assert_string_equal(parsing_refusal(*state, "\n\n"),
                        "the file is empty; a first row of column names would pass");
}

static void a_column_that_is_named_twice_is_refused(void **state) {
    assert_string_equal(parsing_refusal(*state, "id,name,id\n1,a,2\n"),
                        "line 1: column 'id' stands there twice");
}

static void a_first_row_that_cannot_be_read_is_refused(void **state) {
    assert_non_null(strstr(parsing_refusal(*state, "id,na\"me\n1,a\n"), "line 1: a quote stands"));
    assert_string_equal(parsing_refusal(*state, "id,\"na"),
                        "line 1: a quote that begins in this row is never closed");
    assert_string_equal(parsing_refusal(*state, "id,\xe5\n1,a\n"),
                        "line 1: a column name that is not in utf-8");
}

static void a_table_with_too_many_columns_is_refused_with_both_numbers(void **state) {
    struct parsing *parsing = *state;
    HUB_SCOPED_BUFFER text = {0};
    for (int i = 0; i < 513; i++)
        hub_buffer_append_format(&text, "%sc%d", i == 0 ? "" : ",", i);
    assert_string_equal(parsing_refusal(parsing, hub_buffer_text(&text)),
                        "line 1: 513 columns, over the limit of 512");
}

static void a_table_with_too_many_rows_is_refused_with_the_limit(void **state) {
    struct parsing *parsing = *state;
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, "id\n");
    for (int i = 0; i < HUB_ROWS_MAX; i++)
        hub_buffer_append_text(&text, "1\n");
    parsing_feed(parsing, hub_buffer_text(&text));
    assert_int_equal(parsing->parsed.row_count, HUB_ROWS_MAX);
    hub_buffer_append_text(&text, "1\n");
    assert_string_equal(parsing_refusal(parsing, hub_buffer_text(&text)), "more than 200000 rows");
}

/* --- options --- */

static void another_delimiter_is_an_option(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "csv", "{delimiter: ';'}");
    parsing_feed(&parsing, "id;name\n1;a,b\n");
    expect_json(parsing.parsed.tree, "rows", "[{'id': '1', 'name': 'a,b'}]");
    parsing_close(&parsing);
}

static void another_character_set_becomes_utf_8_and_its_rows_keep_their_bytes(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "csv", "{charset: windows-1252}");
    parsing_feed(&parsing, "id,pris\xe5r\n1,\x80 5 v\xe4vnad\n2,\x81\n");
    expect_json(parsing.parsed.tree, "rows", "[{'id': '1', 'prisår': '€ 5 vävnad'}]");
    assert_row_bytes(&parsing, 0, 2, "1,\x80 5 v\xe4vnad\n");
    assert_row_error(&parsing, 0, 3, hub_bytes_of_text("2,\x81\n"),
                     "a cell is not in windows-1252, or has a zero byte");
    parsing_close(&parsing);
}

static void a_comment_is_no_row_and_may_stand_before_the_first(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "csv", "{comment: '#'}");
    parsing_feed(&parsing, "# \"made\" by, hand\nid,name\n#1,gone\n2,\"a\n#b\"\n3,#c\n");
    expect_json(parsing.parsed.tree, "rows",
                "[{'id': '2', 'name': 'a\\n#b'}, {'id': '3', 'name': '#c'}]");
    assert_row_bytes(&parsing, 0, 4, "2,\"a\n#b\"\n");
    assert_int_equal(parsing.parsed.error_count, 0);
    parsing_close(&parsing);
}

static void without_that_option_a_hash_is_a_letter(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "#id,name\n#1,a\n");
    expect_json(parsing->parsed.tree, "rows", "[{'#id': '#1', 'name': 'a'}]");
}

static void columns_that_are_named_elsewhere_leave_the_first_row_a_row(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "csv", "{columns: [id, name]}");
    parsing_feed(&parsing, "1,skin\n2\n3,heart\n");
    expect_json(parsing.parsed.tree, "rows",
                "[{'id': '1', 'name': 'skin'}, {'id': '3', 'name': 'heart'}]");
    assert_row_bytes(&parsing, 0, 1, "1,skin\n");
    assert_row_error(&parsing, 0, 2, hub_bytes_of_text("2\n"),
                     "1 cells; 2, as 'columns' has, would pass");
    parsing_feed(&parsing, "");
    expect_json(parsing.parsed.tree, "rows", "[]");
    parsing_close(&parsing);
    parsing_open(&parsing, "csv", "{columns: [id, id]}");
    assert_string_equal(parsing_refusal(&parsing, "1,2\n"),
                        "line 1: column 'id' stands there twice");
    parsing_close(&parsing);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_row_names_the_cells_of_the_others),
        cmocka_unit_test(every_row_has_its_own_bytes_and_line),
        cmocka_unit_test(quotes_hold_delimiters_line_ends_and_doubled_quotes),
        cmocka_unit_test(numbers_stay_the_texts_that_they_are),
        cmocka_unit_test(empty_lines_are_no_rows),
        cmocka_unit_test(a_cell_may_be_empty),
        cmocka_unit_test(a_line_may_end_in_a_carriage_return_alone),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_a_name_even_before_a_quote),
        cmocka_unit_test(a_table_of_one_column_has_empty_cells_too),
        cmocka_unit_test(a_row_with_too_few_or_many_cells_is_an_error_of_its_own),
        cmocka_unit_test(a_stray_quote_costs_its_row_and_no_other),
        cmocka_unit_test(a_file_cut_off_within_quotes_keeps_the_rows_before),
        cmocka_unit_test(a_file_cut_off_within_a_row_tells_its_last_row),
        cmocka_unit_test(a_row_that_is_not_utf_8_is_an_error_wherever_it_stands),
        cmocka_unit_test(a_zero_byte_never_cuts_a_cell_short),
        cmocka_unit_test(a_file_without_a_first_row_is_refused),
        cmocka_unit_test(a_column_that_is_named_twice_is_refused),
        cmocka_unit_test(a_first_row_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_table_with_too_many_columns_is_refused_with_both_numbers),
        cmocka_unit_test(a_table_with_too_many_rows_is_refused_with_the_limit),
        cmocka_unit_test(another_delimiter_is_an_option),
        cmocka_unit_test(a_comment_is_no_row_and_may_stand_before_the_first),
        cmocka_unit_test(without_that_option_a_hash_is_a_letter),
        cmocka_unit_test(columns_that_are_named_elsewhere_leave_the_first_row_a_row),
        cmocka_unit_test(another_character_set_becomes_utf_8_and_its_rows_keep_their_bytes),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
