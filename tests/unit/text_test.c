/* text: UTF-8, folding, the order of versions, JSON texts and numbers. */
#include "hub/base/text.h"

#include "hub/base/memory.h"
#include "tests/lib/cmocka.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>

#define text(words) hub_bytes_of_text(words)

/* --- UTF-8 --- */

static void well_formed_texts_are_utf8(void **state) {
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "seven b",
                                       "eight by",
                                       "nine byte",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xc3\xa5",
                                       "1234567\xc3\xa5"
                                       "8901234567"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(hub_text_is_utf8(text(good[i])));
    assert_true(hub_text_is_utf8(hub_bytes("a\0b", 3)));
    assert_true(hub_text_is_utf8(hub_bytes(NULL, 0)));
}

static void ill_formed_texts_are_not(void **state) {
    (void)state;
    static const char *const bad[] = {"\x80", /* goes on without a beginning */
                                      "\xbf",
                                      "\xfe",
                                      "\xff",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x8f\xbf\xbf", /* longer than need be */
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf", /* surrogates */
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80", /* beyond U+10FFFF */
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xf0\x9f\xa7",
                                      "a\xc3", /* cut off */
                                      "\xc3(",
                                      "\xe2(\xac",
                                      "\xe2\x82(",
                                      "\xf0(\x8c\xbc",
                                      "\xf0\x90(\xbc",
                                      "\xf0\x90\x8c(",
                                      "12345678\xff",
                                      "1234567\xff"
                                      "8901234567"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(hub_text_is_utf8(text(bad[i])));
}

/* --- folding --- */

#define folds(raw, folded) folds_at(text(raw), folded, __FILE__, __LINE__)
static void folds_at(struct hub_bytes raw, const char *folded, const char *file, int line) {
    struct hub_buffer buffer = {0};
    hub_text_fold(raw, &buffer);
    _assert_string_equal(hub_buffer_text(&buffer), folded, file, line);
    hub_buffer_free(&buffer);
}

static void case_punctuation_and_spaces_are_folded(void **state) {
    (void)state;
    folds("Hello,  World!", "hello world");
    folds("--a--", "a");
    folds("A.B.C", "a b c");
    folds("Phase II/III", "phase ii iii");
    folds("", "");
    folds(" \t-!? ", "");
    folds("42", "42");
}

static void accents_and_widths_are_folded(void **state) {
    (void)state;
    folds("Sk\xc3\xa5nes Universitetssjukhus", "skanes universitetssjukhus");
    folds("Ska\xcc\x8anes", "skanes"); /* a letter and its ring */
    folds("STRASSE", "strasse");
    folds("Stra\xc3\x9f"
          "e",
          "strasse");
    folds("\xef\xac\x81nal", "final");       /* the ligature fi */
    folds("\xef\xbc\xa1\xef\xbc\x91", "a1"); /* wide letters */
    folds("co\xc2\xad-op", "co op");         /* a soft hyphen */
    folds("caf\xc3\xa9\xe2\x80\x94"
          "bar",
          "cafe bar"); /* a long dash */
    folds("\xe2\x80\x94", "");
    folds("\xce\xa3\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82",
          "\xcf\x83\xce\xb9\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83");
    folds("\xe4\xb8\x96\xe7\x95\x8c", "\xe4\xb8\x96\xe7\x95\x8c");
}

static void ill_formed_text_is_left_as_it_is(void **state) {
    (void)state;
    folds("A\xff"
          "B",
          "A\xff"
          "B");
}

static void what_is_folded_is_appended(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {0};
    hub_text_fold(text("A b"), &buffer);
    hub_text_fold(text("\xc3\x85 c"), &buffer);
    assert_string_equal(hub_buffer_text(&buffer), "a ba c");
}

static void folding_twice_changes_nothing(void **state) {
    (void)state;
    static const char *const raw[] = {"Sk\xc3\xa5ne, \xef\xbc\xa1!", "A-b", "\xc3\x9f",
                                      "x\xcc\x81y"};
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        HUB_SCOPED_BUFFER once = {0};
        HUB_SCOPED_BUFFER twice = {0};
        hub_text_fold(text(raw[i]), &once);
        hub_text_fold(hub_buffer_bytes(&once), &twice);
        assert_string_equal(hub_buffer_text(&twice), hub_buffer_text(&once));
    }
}

static void every_ascii_character_is_folded_as_itself_or_a_gap(void **state) {
    (void)state;
    for (int c = 1; c < 128; c++) {
        char raw[] = {'x', (char)c, 'y', '\0'};
        char kept[] = {'x', (char)tolower(c), 'y', '\0'};
        folds(raw, isalnum(c) ? kept : "x y");
    }
}

static void a_fold_that_passes_the_limit_overflows(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER fits = {.size_max = 3};
    hub_text_fold(text("--A  b--"), &fits);
    assert_string_equal(hub_buffer_text(&fits), "a b");
    hub_text_fold(text(""), &fits);
    hub_text_fold(text("--"), &fits);
    assert_false(hub_buffer_overflowed(&fits));
    hub_text_fold(text("c"), &fits);
    assert_true(hub_buffer_overflowed(&fits));
    hub_text_fold(text("d"), &fits);
    assert_true(hub_buffer_overflowed(&fits));
}

/* --- natural order --- */

static void versions_are_ordered_as_people_do(void **state) {
    (void)state;
    static const char *const ascending[] = {"",
                                            "0",
                                            "1",
                                            "1.0",
                                            "1.9",
                                            "1.10",
                                            "2",
                                            "9",
                                            "10",
                                            "99",
                                            "100",
                                            "18446744073709551616",
                                            "18446744073709551617",
                                            "a",
                                            "a0",
                                            "a1",
                                            "a9",
                                            "a10",
                                            "a10b2",
                                            "a10b10",
                                            "b"};
    enum { COUNT = sizeof ascending / sizeof *ascending };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < COUNT; k++) {
            int order = hub_text_natural_compare(text(ascending[i]), text(ascending[k]));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    assert_true(hub_text_natural_compare(text("2026-04-24"), text("2026-07-14")) < 0);
    assert_true(hub_text_natural_compare(text("2026-9-1"), text("2026-10-1")) < 0);
    assert_true(hub_text_natural_compare(text("a1000"), text("a109")) > 0); /* what is alike ends within */
    assert_true(hub_text_natural_compare(text("1~000109"), text("1~001000")) < 0);
}

static void leading_zeros_tell_equal_numbers_apart(void **state) {
    (void)state;
    assert_true(hub_text_natural_compare(text("01"), text("1")) < 0);
    assert_true(hub_text_natural_compare(text("1"), text("01")) > 0);
    assert_true(hub_text_natural_compare(text("a007"), text("a8")) < 0);
    assert_true(hub_text_natural_compare(text("a010"), text("a9")) > 0);
    assert_true(hub_text_natural_compare(text("a00"), text("a0")) > 0);
    assert_int_equal(hub_text_natural_compare(text("a01b"), text("a01b")), 0);
}

/* --- JSON --- */

static void a_json_text_is_what_every_parser_reads(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER all = {0};
    for (int c = 1; c < 128; c++)
        hub_buffer_append_byte(&all, (uint8_t)c);
    hub_buffer_append_text(&all, "\xc3\xa5\xf0\x9f\xa7\xac");
    HUB_SCOPED_BUFFER json = {0};
    hub_text_append_json(hub_buffer_bytes(&all), &json);
    json_t *read = json_loads(hub_buffer_text(&json), JSON_DECODE_ANY, NULL);
    assert_non_null(read);
    assert_string_equal(json_string_value(read), hub_buffer_text(&all));
    json_decref(read);
}

static void special_characters_are_escaped(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER json = {0};
    hub_text_append_json(hub_bytes("a\"b\\c\n\r\t\0\x1f\x7f"
                                   "d",
                                   12),
                         &json);
    assert_string_equal(hub_buffer_text(&json), "\"a\\\"b\\\\c\\n\\r\\t\\u0000\\u001f\\u007fd\"");
    hub_buffer_clear(&json);
    hub_text_append_json(hub_bytes(NULL, 0), &json);
    assert_string_equal(hub_buffer_text(&json), "\"\"");
}

/* --- numbers --- */

static void a_text_is_cut_between_characters(void **state) {
    (void)state;
    struct hub_bytes swedish = hub_bytes_of_text("K\303\266ln"); /* five bytes, four characters */
    assert_int_equal(hub_text_cut(swedish, 9), 5);
    assert_int_equal(hub_text_cut(swedish, 5), 5);
    assert_int_equal(hub_text_cut(swedish, 3), 3);
    assert_int_equal(hub_text_cut(swedish, 2), 1);
    assert_int_equal(hub_text_cut(swedish, 0), 0);
    assert_int_equal(hub_text_cut(hub_bytes_of_text("\360\237\247\254"), 3), 0);
}

static void a_number_is_wholly_digits_within_64_bits(void **state) {
    (void)state;
    static const char *const none[] = {"",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1x",
                                       "0x1",
                                       "1.0",
                                       "18446744073709551616",
                                       "99999999999999999999"};
    uint64_t number = 7;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(hub_text_to_number(text(none[i]), &number));
    assert_int_equal(number, 7);
    assert_true(hub_text_to_number(text("0"), &number));
    assert_int_equal(number, 0);
    assert_true(hub_text_to_number(text("00042"), &number));
    assert_int_equal(number, 42);
    assert_true(hub_text_to_number(text("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
}

static void only_control_characters_make_a_text_not_plain(void **state) {
    char text[24];
    (void)state;
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 20; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            bool plain = (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r';
            assert_int_equal(hub_text_is_plain(hub_bytes(text, 20)), plain);
        }
    assert_true(hub_text_is_plain(hub_bytes("", 0)));
    assert_true(hub_text_is_plain(hub_bytes("\t\t\t\t\n\n\n\n\r", 9)));
    assert_false(hub_text_is_plain(hub_bytes("\t\t\t\t\n\n\n\0\r", 9)));
}

static void printable_is_ascii_without_control_characters(void **state) {
    char text[24];
    (void)state;
    for (size_t size = 1; size <= 20; size++) /* also around the eight bytes that are read at once */
        for (int c = 0; c < 256; c++)
            for (size_t at = 0; at < size; at++) {
                memset(text, 'a', sizeof text);
                text[at] = (char)c;
                assert_int_equal(hub_text_is_printable(hub_bytes(text, size)),
                                 c >= 0x20 && c < 0x7f);
            }
    assert_true(hub_text_is_printable(hub_bytes("", 0)));
}

static void a_number_is_written_as_printf_does(void **state) {
    static const int64_t numbers[] = {0, 9, 10, -1, 1234567890123, INT64_MAX, INT64_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char wanted[32], found[HUB_NUMBER_TEXT_SIZE_MAX + 1];
        snprintf(wanted, sizeof wanted, "%lld", (long long)numbers[i]);
        *hub_text_put_number(found, numbers[i]) = '\0';
        assert_string_equal(found, wanted);
    }
}

static void texts_are_joined_as_they_are(void **state) {
    struct hub_arena arena = {0};
    (void)state;
    assert_true(hub_bytes_equal_text(hub_text_join(&arena, text("ab"), text("c")), "abc"));
    assert_true(hub_bytes_equal_text(hub_text_join(&arena, text(""), text("c")), "c"));
    assert_true(hub_bytes_equal_text(hub_text_join(&arena, text("ab"), text("")), "ab"));
    assert_int_equal(hub_text_join(&arena, text(""), text("")).size, 0);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_is_ascii_without_control_characters),
        cmocka_unit_test(only_control_characters_make_a_text_not_plain),
        cmocka_unit_test(well_formed_texts_are_utf8),
        cmocka_unit_test(ill_formed_texts_are_not),
        cmocka_unit_test(case_punctuation_and_spaces_are_folded),
        cmocka_unit_test(accents_and_widths_are_folded),
        cmocka_unit_test(ill_formed_text_is_left_as_it_is),
        cmocka_unit_test(what_is_folded_is_appended),
        cmocka_unit_test(folding_twice_changes_nothing),
        cmocka_unit_test(versions_are_ordered_as_people_do),
        cmocka_unit_test(leading_zeros_tell_equal_numbers_apart),
        cmocka_unit_test(a_json_text_is_what_every_parser_reads),
        cmocka_unit_test(special_characters_are_escaped),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(a_number_is_wholly_digits_within_64_bits),
        cmocka_unit_test(every_ascii_character_is_folded_as_itself_or_a_gap),
        cmocka_unit_test(a_fold_that_passes_the_limit_overflows),
        cmocka_unit_test(a_number_is_written_as_printf_does),
        cmocka_unit_test(texts_are_joined_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
