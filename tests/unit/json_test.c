/* json: documents, and the numbers in them. */
#include "tests/lib/cmocka.h"
#include "tests/lib/parsing.h"
#include "connectors/kit/path.h"

static int begin(void **state) {
    struct parsing *parsing = hub_allocate_zero(1, sizeof *parsing);
    parsing_open(parsing, "json", "{}");
    *state = parsing;
    return 0;
}

static int end(void **state) {
    parsing_close(*state);
    hub_release(*state);
    return 0;
}

/* What a mapping sees of the value in [value]. */
static const char *text_of(struct parsing *parsing, const char *value) {
    parsing_feed(parsing, hub_arena_format(&parsing->arena, "[%s]", value));
    return hub_tree_text(json_array_get(parsing->parsed.tree, 0), &parsing->arena);
}

static const char *nested(struct parsing *parsing, size_t levels) {
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i < levels; i++)
        hub_buffer_append_byte(&text, '[');
    hub_buffer_append_byte(&text, '1');
    for (size_t i = 0; i < levels; i++)
        hub_buffer_append_byte(&text, ']');
    return hub_arena_text(&parsing->arena, (const char *)text.data, text.size);
}

static void a_document_is_its_own_tree(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "{\"a\": [1, \"x\", true, null], \"b\": {\"c\": \"\\u00e5\"}}");
    expect_json(parsing->parsed.tree, "", "{'a': [1, 'x', true, null], 'b': {'c': 'å'}}");
    assert_int_equal(parsing->parsed.row_count, 0);
}

static void a_lone_value_is_a_document_too(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "\"x\"");
    expect_json(parsing->parsed.tree, "", "'x'");
}

/* --- numbers --- */

static void numbers_keep_the_digits_that_their_source_wrote(void **state) {
    static const char *const numbers[] = {
        "0",
        "-7",
        "0.1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "123456789012345678901234567890",
        "0.12345678901234567891",
        "9007199254740993.5",
        "52.166179999999997",
        "1e400",
        "-1e-400",
        "3.1415926535897932384626e2",
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_string_equal(text_of(*state, numbers[i]), numbers[i]);
}

static void a_number_with_a_zero_behind_its_point_stays_a_number(void **state) {
    struct parsing *parsing = *state;
    assert_string_equal(text_of(parsing, "19.0"), "19");
    assert_true(json_is_real(json_array_get(parsing->parsed.tree, 0)));
    assert_string_equal(text_of(parsing, "100000000000000000.000"), "100000000000000000");
    assert_string_equal(text_of(parsing, "1.50e1"), "15");
    assert_string_equal(text_of(parsing, "0.000"), "0");
}

static void digits_within_texts_and_names_are_left_alone(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "{\"123456789012345678901\": \"a\\\" 123456789012345678901 \\\\\", "
                          "\"b\" :123456789012345678901}");
    expect_json(parsing->parsed.tree, "123456789012345678901",
                "'a\\\" 123456789012345678901 \\\\'");
    expect_json(parsing->parsed.tree, "b", "'123456789012345678901'");
}

static void a_long_number_mends_no_document_that_is_none(void **state) {
    static const char *const documents[] = {
        "{123456789012345678901: 1}",      "[00123456789012345678901]",
        "[+123456789012345678901]",        "[123456789012345678901.]",
        "[12345678901234567890x]",         "[x12345678901234567890]",
        "[123456789012345678901e]",        "[1 123456789012345678901]",
        "{\"a\" 123456789012345678901}",   "[.123456789012345678901]",
        "[0x123456789012345678901234567]", "[--123456789012345678901]",
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        assert_non_null(strstr(parsing_refusal(*state, documents[i]), "line 1 column "));
}

/* --- what is refused --- */

static void a_document_that_is_cut_off_is_refused_with_its_place(void **state) {
    assert_string_equal(parsing_refusal(*state, "{\"a\": 1,\n \"b\": [1, 2"),
                        "line 2 column 12: unexpected end of data");
    assert_string_equal(parsing_refusal(*state, ""), "nothing is in it; a JSON document would pass");
}

static void anything_after_the_document_is_refused(void **state) {
    assert_non_null(strstr(parsing_refusal(*state, "{} {}"), "line 1 column 4: "));
}

static void a_refusal_never_repeats_what_stands_in_the_document(void **state) {
    assert_null(strstr(parsing_refusal(*state, "{\"a\": 19121212-1212}"), "1212"));
    assert_null(strstr(parsing_refusal(*state, "{\"a\": \"Anna\" Andersson}"), "Anders"));
    assert_null(strstr(parsing_refusal(*state, "{\"Anna\": 1, \"Anna\": 2}"), "Anna"));
}

static void a_member_that_stands_there_twice_is_refused(void **state) {
    assert_string_equal(parsing_refusal(*state, "{\"a\": 1,\n \"a\": 2}"),
                        "line 2 column 3: a member of that name stands there before");
}

static void text_that_is_not_utf_8_or_has_a_zero_is_refused(void **state) {
    parsing_refusal(*state, "{\"a\": \"\xe5\"}");
    parsing_refusal(*state, "{\"a\": \"\\ud800\"}");
    parsing_refusal(*state, "{\"a\": \"x\\u0000y\"}");
    parsing_refusal_of_bytes(*state, hub_bytes("[1\0]", 4));
}

/* Another reader, as strict: what it makes of a document is made of it here. */
static void another_reader_says_the_same(void **state) {
    static const char *const documents[] = {
        "[]", "{}", " [ ] ", "[[]]", "{\"\": 1}", "[null, true, false]", "\t[1]\r\n", "0", "-0", "[-0.0]",
        "[1e5, 1E+5, 1e-5, 0.5, -0.25e2]", "[\"\\\" \\\\ \\/ \\b\\f\\n\\r\\t\"]", "[\"\\u00e5\\uD83D\\uDE00\"]",
        "[\"\xc3\xa5 \xf0\x9f\x98\x80\"]", "[\"\x7f\"]", "{\"a\": {\"a\": {\"a\": []}}}",
        "[1,]", "[,1]", "[1 2]", "{\"a\": 1,}", "{\"a\"}", "{\"a\":}", "{a: 1}", "{'a': 1}", "{1: 1}", "[", "]",
        "[1", "[1}", "{\"a\": 1]", "[tru]", "[nul]", "[True]", "[NaN]", "[Infinity]", "[-Infinity]", "[01]", "[1.]",
        "[.5]", "[+1]", "[-]", "[1e]", "[1e+]", "[0x10]", "[1_0]", "[- 1]", "[\"a]", "[\"\\x41\"]", "[\"\\u12\"]",
        "[\"\\uD800\"]", "[\"\\uDC00\"]", "[\"\\uD800\\u0041\"]", "[\"\\uD800\\uD800\"]", "[\"\\uDE00\\uD83D\"]",
        "[\"\t\"]", "[\"\n\"]", "[\"\x01\"]", "[\"\xe5\"]", "[\"\xc0\x80\"]", "[\"\xed\xa0\x80\"]",
        "[\"\xf4\x90\x80\x80\"]", "[\"\xe2\x82\"]", "[\"\xfe\"]", "[1] // x", "[1, /* x */ 2]", "# x\n[1]",
        "\xef\xbb\xbf[1]", "[1]\f", "\v[1]", "[1]\xc2\xa0", "{\"a\": 1 \"b\": 2}", "{\"a\" 1}", "[\"a\" \"b\"]", "nulll", "true false",
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct parsing *parsing = *state;
        json_t *wanted = json_loads(documents[i], JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        if (wanted == NULL) {
            parsing_refusal(parsing, documents[i]);
            continue;
        }
        parsing_feed(parsing, documents[i]);
        assert_true(json_equal(parsing->parsed.tree, wanted));
        json_decref(wanted);
    }
}

static void depth_is_bounded(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, nested(parsing, 64));
    assert_string_equal(parsing_refusal(parsing, nested(parsing, 65)),
                        "nested deeper than 64 levels");
    assert_string_equal(parsing_refusal(parsing, nested(parsing, 100000)),
                        "nested deeper than 64 levels");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_its_own_tree),
        cmocka_unit_test(a_lone_value_is_a_document_too),
        cmocka_unit_test(another_reader_says_the_same),
        cmocka_unit_test(numbers_keep_the_digits_that_their_source_wrote),
        cmocka_unit_test(a_number_with_a_zero_behind_its_point_stays_a_number),
        cmocka_unit_test(digits_within_texts_and_names_are_left_alone),
        cmocka_unit_test(a_long_number_mends_no_document_that_is_none),
        cmocka_unit_test(a_document_that_is_cut_off_is_refused_with_its_place),
        cmocka_unit_test(anything_after_the_document_is_refused),
        cmocka_unit_test(a_refusal_never_repeats_what_stands_in_the_document),
        cmocka_unit_test(a_member_that_stands_there_twice_is_refused),
        cmocka_unit_test(text_that_is_not_utf_8_or_has_a_zero_is_refused),
        cmocka_unit_test(depth_is_bounded),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
