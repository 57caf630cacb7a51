/* schemes: the normal form of identifiers, what is none, and finding them in text. */
#include "schemas/lib/schemes.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>

#define text(words) hub_bytes_of_text(words)

static const struct hub_scheme *scheme(const char *name) {
    const struct hub_scheme *found = hub_scheme_find(&test_catalogue()->schemes, text(name));
    assert_non_null(found);
    return found;
}

#define becomes(name, raw, value, version)                                                         \
    becomes_at(scheme(name), raw, value, version, __FILE__, __LINE__)
static void becomes_at(const struct hub_scheme *own, const char *raw, const char *value,
                       const char *version, const char *file, int line) {
    struct hub_buffer buffer = {0};
    struct hub_bytes part;
    hub_buffer_append_text(&buffer, "before "); /* it appends */
    size_t from = buffer.size, size = hub_scheme_normalise(own, text(raw), &buffer, &part);
    struct hub_arena arena = {0};
    const char *is = hub_arena_text(&arena, (const char *)buffer.data + from, size);
    const char *rest = hub_arena_text(&arena, (const char *)part.data, part.size);
    _assert_string_equal(is, value, file, line);
    _assert_int_equal(from + size + part.size, buffer.size, file, line); /* and nothing after */
    _assert_string_equal(rest, version, file, line);
    hub_arena_destroy(&arena);
    hub_buffer_free(&buffer);
}

static void judged(const char *name, const char *value, enum hub_identifier_verdict verdict) {
    if (hub_scheme_judge(scheme(name), text(value)) != verdict)
        fail_msg("%s '%s'", name, value);
}

/* --- looking up --- */

static void a_scheme_is_found_by_its_whole_name(void **state) {
    (void)state;
    const struct hub_schemes *schemes = &test_catalogue()->schemes;
    int index = hub_scheme_index(schemes, text("isrctn"));
    assert_true(index >= 0);
    assert_string_equal(schemes->schemes[index].name, "isrctn");
    assert_int_equal(hub_scheme_index(schemes, text("isrct")), -1);
    assert_int_equal(hub_scheme_index(schemes, text("ISRCTN")), -1);
    assert_null(hub_scheme_find(schemes, text("")));
}

/* --- normal form --- */

static void spaces_and_case_are_made_normal(void **state) {
    (void)state;
    becomes("nct", "  nct 0123 4567\t", "NCT01234567", "");
    becomes("ewp-omobility", " AB-cd 1 ", "ab-cd1", "");
    becomes("slot", "  Slot 7 \r\n", "Slot 7", "");
    becomes("nct", "", "", "");
    becomes("nct", " \t\n\v\f\r", "", "");
    becomes("nct", "n\xc3\xa9", "N\xc3\xa9", ""); /* letters beyond ASCII are left as they are */
}

static void a_prefix_is_put_before_a_bare_number(void **state) {
    (void)state;
    becomes("isrctn", " 9900 0201", "ISRCTN99000201", "");
    becomes("isrctn", "isrctn99000201", "ISRCTN99000201", "");
    becomes("isrctn", "", "", "");
    becomes("isrctn", "x1", "X1", "");
}

static void a_version_is_taken_off_its_value(void **state) {
    (void)state;
    becomes("euct", "2099-500001-12-01", "2099-500001-12", "-01");
    becomes("euct", "2099-500001-12", "2099-500001-12", "");
    becomes("euct", "2099-500001-12-1", "2099-500001-12-1", "");
    becomes("euct", "2099-500001-12-001", "2099-500001-12-001", "");
    becomes("nct", "NCT01234567-01", "NCT01234567-01", "");
}

/* The worked example of ISBT 128 ST-001: G1234 17 654321 has the check character A. */
static void a_right_check_character_is_left_out(void **state) {
    (void)state;
    becomes("din", "G1234 17 654321 A", "G123417654321", "");
    becomes("din", "g123417654321a", "G123417654321", "");
    becomes("din", "G123417654321", "G123417654321", "");
    becomes("din", "A999926000000*", "A999926000000*", ""); /* the right one is another */
    becomes("din", "G12341765432", "G12341765432", "");
    becomes("din", "", "", "");
}

static void a_wrong_check_character_fits_nothing(void **state) {
    (void)state;
    static const char *const wrong[] = {"G123417654321B", "G123417654312A", "G123417654321AA"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        becomes("din", wrong[i], wrong[i], "");
        judged("din", wrong[i], HUB_IDENTIFIER_MALFORMED);
    }
    judged("din", "G123417654321", HUB_IDENTIFIER_VALID);
}

/* All 37 check characters occur: of 37 numbers that differ by one step each has its own. */
static void every_check_character_is_some_numbers(void **state) {
    (void)state;
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*";
    for (size_t i = 0; i < 37; i++) {
        char number[16];
        size_t fitting = 0;
        for (const char *c = alphabet; *c != '\0'; c++) {
            HUB_SCOPED_BUFFER buffer = {0};
            struct hub_bytes version;
            snprintf(number, sizeof number, "A99992600%04zu%c", i, *c);
            fitting += hub_scheme_normalise(scheme("din"), text(number), &buffer, &version) == 13;
        }
        assert_int_equal(fitting, 1);
    }
}

static void a_value_that_is_normal_stays_as_it_is(void **state) {
    (void)state;
    assert_true(hub_scheme_is_normal(scheme("nct"), text("NCT01234567")));
    assert_false(hub_scheme_is_normal(scheme("nct"), text("nct01234567")));
    assert_false(hub_scheme_is_normal(scheme("nct"), text(" NCT01234567")));
    assert_false(hub_scheme_is_normal(scheme("euct"), text("2099-500001-12-01")));
    assert_false(hub_scheme_is_normal(scheme("isrctn"), text("99000201")));
    assert_true(hub_scheme_is_normal(scheme("isrctn"), text("ISRCTN99000201")));
    assert_true(hub_scheme_is_normal(scheme("nct"), text("")));
}

static void a_value_past_the_buffers_limit_overflows_it(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {.size_max = 5};
    struct hub_bytes version;
    hub_scheme_normalise(scheme("euct"), text("2099-500001-12-01"), &buffer, &version);
    assert_true(hub_buffer_overflowed(&buffer));
    assert_int_equal(version.size, 0);
}

/* --- judging --- */

static void a_picture_is_digits_capitals_and_itself(void **state) {
    (void)state;
    struct hub_schemes own;
    struct hub_arena arena = {0};
    struct hub_error error;
    expect_ok(hub_schemes_load(schema_node(&arena, "{'x': {'title': 't', 'pattern': 'a-#@*',"
                                                   " 'normalise': [], 'placeholders': []}}"),
                               &arena, &own, &error),
              &error);
    static const char *const good[] = {"a-0AZ", "a-9Z0", "a-5AA"};
    static const char *const bad[] = {"a-0A",  "a-0AZZ", "A-0AZ", "a-AAZ", "a-0aZ", "a-0Az",
                                      "a-00Z", "a+0AZ",  "a-0A-", "a-/AZ", "a-:AZ", "a-0@Z"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(hub_scheme_judge(&own.schemes[0], text(good[i])), HUB_IDENTIFIER_VALID);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hub_scheme_judge(&own.schemes[0], text(bad[i])), HUB_IDENTIFIER_MALFORMED);
    hub_arena_destroy(&arena);
}

static void a_malformed_value_is_told(void **state) {
    (void)state;
    judged("nct", "NCT01234567", HUB_IDENTIFIER_VALID);
    judged("nct", "NCT0123456", HUB_IDENTIFIER_MALFORMED);
    judged("nct", "NCT012345678", HUB_IDENTIFIER_MALFORMED);
    judged("nct", "", HUB_IDENTIFIER_MALFORMED);
    judged("eudract", "2019-009001-17", HUB_IDENTIFIER_VALID);
    judged("eudract", "2019-509001-17", HUB_IDENTIFIER_MALFORMED);
    judged("euct", "2019-509001-17", HUB_IDENTIFIER_VALID);
}

static void a_placeholder_means_nothing(void **state) {
    (void)state;
    judged("nct", "NCT00000000", HUB_IDENTIFIER_PLACEHOLDER);
    judged("protocol", "N/A", HUB_IDENTIFIER_PLACEHOLDER);
    judged("protocol", "N/A-1", HUB_IDENTIFIER_VALID);
    judged("slot", "TBD", HUB_IDENTIFIER_PLACEHOLDER);
    judged("slot", "tbd", HUB_IDENTIFIER_VALID); /* not its normal form */
}

static void without_a_picture_any_text_within_bounds_is_valid(void **state) {
    (void)state;
    char longest[HUB_IDENTIFIER_SIZE_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[HUB_IDENTIFIER_SIZE_MAX + 1] = '\0';
    judged("other", longest, HUB_IDENTIFIER_MALFORMED);
    longest[HUB_IDENTIFIER_SIZE_MAX] = '\0';
    judged("other", longest, HUB_IDENTIFIER_VALID);
    judged("other", "a b/c:\xc3\xa9", HUB_IDENTIFIER_VALID);
    judged("other", "", HUB_IDENTIFIER_MALFORMED);
    judged("other", "a\nb", HUB_IDENTIFIER_MALFORMED);
    judged("other", "a\x7f", HUB_IDENTIFIER_MALFORMED);
    assert_int_equal(hub_scheme_judge(scheme("other"), hub_bytes("a\0b", 3)),
                     HUB_IDENTIFIER_MALFORMED);
}

static void a_date_at_the_end_is_a_day_that_there_is(void **state) {
    (void)state;
    static const char *const good[] = {"20260228", "20240229", "20000229", "00000000", "20261231"};
    static const char *const bad[] = {"20260229", "21000229", "20260431", "20261301", "20260001",
                                      "20260100", "20260132", "00000101"};
    char code[64];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(code, sizeof code, "SE999914Z999926000114A00S9998001%s", good[i]);
        judged("sec", code, HUB_IDENTIFIER_VALID);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(code, sizeof code, "SE999914Z999926000114A00S9998001%s", bad[i]);
        judged("sec", code, HUB_IDENTIFIER_MALFORMED);
    }
}

static void every_placeholder_of_the_project_is_one(void **state) {
    (void)state;
    const struct hub_schemes *schemes = &test_catalogue()->schemes;
    for (size_t i = 0; i < schemes->count; i++)
        for (size_t k = 0; schemes->schemes[i].placeholders[k] != NULL; k++)
            judged(schemes->schemes[i].name, schemes->schemes[i].placeholders[k],
                   HUB_IDENTIFIER_PLACEHOLDER);
}

static void a_scheme_says_what_would_pass(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER words = {0};
    hub_scheme_describe(scheme("nct"), &words);
    assert_string_equal(hub_buffer_text(&words), "NCT######## (# a digit, @ a capital, * either, % a digit or a to f)");
    hub_buffer_clear(&words);
    hub_scheme_describe(scheme("other"), &words);
    assert_string_equal(hub_buffer_text(&words), "1 to 256 characters");
    hub_buffer_clear(&words);
    hub_scheme_describe(scheme("sec"), &words);
    assert_non_null(strstr(hub_buffer_text(&words), ") that ends in a date or 00000000"));
}

static void a_hexadecimal_digit_is_a_digit_or_a_small_letter_to_f(void **state) {
    (void)state;
    judged("ladok-uid", "6f2d40b1-0a77-11f1-8c55-2b8f6a7d9e10", HUB_IDENTIFIER_VALID);
    judged("ladok-uid", "6F2D40B1-0a77-11f1-8c55-2b8f6a7d9e10", HUB_IDENTIFIER_MALFORMED);
    judged("ladok-uid", "6g2d40b1-0a77-11f1-8c55-2b8f6a7d9e10", HUB_IDENTIFIER_MALFORMED);
    judged("ladok-uid", "6f2d40b1-0a77-11f1-8c55-2b8f6a7d9e1/", HUB_IDENTIFIER_MALFORMED);
    judged("ladok-uid", "6f2d40b1-0a77-11f1-8c55-2b8f6a7d9e1", HUB_IDENTIFIER_MALFORMED);
}

/* --- in running text --- */

static void numbers_are_found_one_after_the_other(void **state) {
    (void)state;
    static const char line[] = "See NCT01234567 (and NCT07654321), not NCT0123456.";
    struct hub_bytes value;
    size_t next = 0;
    assert_true(hub_scheme_scan(scheme("nct"), text(line), 0, &value, &next));
    assert_true(hub_bytes_equal_text(value, "NCT01234567"));
    assert_int_equal(next, 15);
    assert_true(hub_scheme_scan(scheme("nct"), text(line), next, &value, &next));
    assert_true(hub_bytes_equal_text(value, "NCT07654321"));
    assert_false(hub_scheme_scan(scheme("nct"), text(line), next, &value, &next));
    assert_int_equal(next, 32); /* untouched */
}

static void a_number_that_its_check_refuses_is_not_found(void **state) {
    (void)state;
    static const char line[] = "SE999914Z999926000114A00S999800120260229, "
                               "SE999914Z999926000114A00S999800120260228";
    struct hub_bytes value;
    size_t next = 0;
    assert_true(hub_scheme_scan(scheme("sec"), text(line), 0, &value, &next));
    assert_true(hub_bytes_equal_text(value, "SE999914Z999926000114A00S999800120260228"));
}

static void a_number_stands_alone(void **state) {
    (void)state;
    static const char *const none[] = {"XNCT01234567",
                                       "NCT012345678",
                                       "NCT01234567x",
                                       "\xc3\xa9NCT01234567",
                                       "NCT01234567\xc3\xa9",
                                       "nct01234567",
                                       "",
                                       "NCT0123456"};
    static const char *const some[] = {"NCT01234567",  "/NCT01234567/", "(NCT01234567)",
                                       "NCT01234567.", "_NCT01234567_", "-NCT01234567-01"};
    struct hub_bytes value;
    size_t next = 0;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(hub_scheme_scan(scheme("nct"), text(none[i]), 0, &value, &next));
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        assert_true(hub_scheme_scan(scheme("nct"), text(some[i]), 0, &value, &next));
        assert_true(hub_bytes_equal_text(value, "NCT01234567"));
    }
}

static void what_has_no_picture_is_not_found(void **state) {
    (void)state;
    struct hub_bytes value;
    size_t next = 0;
    assert_false(hub_scheme_scan(scheme("other"), text("anything"), 0, &value, &next));
}

static void a_scan_beyond_the_end_finds_nothing(void **state) {
    (void)state;
    struct hub_bytes value;
    size_t next = 0;
    assert_false(hub_scheme_scan(scheme("nct"), text("NCT01234567"), 1, &value, &next));
    assert_false(hub_scheme_scan(scheme("nct"), text("NCT01234567"), 11, &value, &next));
    assert_false(hub_scheme_scan(scheme("nct"), text("NCT01234567"), 100, &value, &next));
}

static const char *blotted(const char *name, const char *raw) {
    static char value[64];
    snprintf(value, sizeof value, "%s", raw);
    bool may_be = hub_scheme_blot(scheme(name), (uint8_t *)value, strlen(value));
    return may_be ? value : "no";
}

static void one_character_in_the_place_of_a_digit_is_one_nobody_could_read(void **state) {
    (void)state;
    assert_string_equal(blotted("nct", "NCT0100000l"), "NCT0100000?");
    assert_string_equal(blotted("nct", "NCT01000001"), "NCT01000001");
    assert_string_equal(blotted("nct", "NCT010000ll"), "no");
    assert_string_equal(blotted("nct", "NC701000001"), "no");
    assert_string_equal(blotted("nct", "NCT0100000"), "no");
    assert_string_equal(blotted("protocol", "NCT0100000l"), "no");
}

static const char *identifier_of(const char *raw) {
    static char kept[128];
    HUB_SCOPED_BUFFER normal = {0};
    hub_identifier_normalise(&test_catalogue()->schemes, text(raw), &normal);
    snprintf(kept, sizeof kept, "%s", hub_buffer_text(&normal));
    return kept;
}

static void an_identifiers_text_gets_its_value_in_normal_form(void **state) {
    (void)state;
    assert_string_equal(identifier_of("nct: nct 0100 0001"), "nct:NCT01000001");
    assert_string_equal(identifier_of("euct:2023-500001-10-00"), "euct:2023-500001-10");
    assert_string_equal(identifier_of("lot:ror:05xvt9f17/ab 1"), "lot:ror:05xvt9f17/AB1");
    assert_string_equal(identifier_of("lot:ab"), "lot:AB");
    assert_string_equal(identifier_of("nobodys:x y"), "nobodys:x y");
    assert_string_equal(identifier_of("nothing"), "nothing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identifiers_text_gets_its_value_in_normal_form),
        cmocka_unit_test(one_character_in_the_place_of_a_digit_is_one_nobody_could_read),
        cmocka_unit_test(a_scheme_is_found_by_its_whole_name),
        cmocka_unit_test(spaces_and_case_are_made_normal),
        cmocka_unit_test(a_prefix_is_put_before_a_bare_number),
        cmocka_unit_test(a_version_is_taken_off_its_value),
        cmocka_unit_test(a_right_check_character_is_left_out),
        cmocka_unit_test(a_wrong_check_character_fits_nothing),
        cmocka_unit_test(every_check_character_is_some_numbers),
        cmocka_unit_test(a_value_that_is_normal_stays_as_it_is),
        cmocka_unit_test(a_value_past_the_buffers_limit_overflows_it),
        cmocka_unit_test(a_picture_is_digits_capitals_and_itself),
        cmocka_unit_test(a_malformed_value_is_told),
        cmocka_unit_test(a_placeholder_means_nothing),
        cmocka_unit_test(without_a_picture_any_text_within_bounds_is_valid),
        cmocka_unit_test(a_date_at_the_end_is_a_day_that_there_is),
        cmocka_unit_test(every_placeholder_of_the_project_is_one),
        cmocka_unit_test(a_scheme_says_what_would_pass),
        cmocka_unit_test(numbers_are_found_one_after_the_other),
        cmocka_unit_test(a_number_that_its_check_refuses_is_not_found),
        cmocka_unit_test(a_number_stands_alone),
        cmocka_unit_test(what_has_no_picture_is_not_found),
        cmocka_unit_test(a_scan_beyond_the_end_finds_nothing),
        cmocka_unit_test(a_hexadecimal_digit_is_a_digit_or_a_small_letter_to_f),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
