/* schemes_load: schemes.json, and what is wrong with it. */
#include "schemas/lib/schemes.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

static struct hub_arena arena;

static int end(void **state) {
    (void)state;
    hub_arena_destroy(&arena);
    return 0;
}

/* One scheme, whose members begin in line 2. */
#define SCHEME(members) "{'x': {\n" members "}}"
#define USUAL "'title': 't', 'placeholders': []"

#define refuses(document, place, words) refuses_at(document, place, words, __FILE__, __LINE__)
static void refuses_at(const char *document, const char *place, const char *words, const char *file,
                       int line) {
    struct hub_schemes schemes = {0};
    struct hub_error error;
    enum hub_status status =
        hub_schemes_load(schema_node(&arena, document), &arena, &schemes, &error);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_true(schemes.schemes == NULL, "nothing is given back", file, line);
}

static void a_scheme_is_loaded_with_all_it_says(void **state) {
    (void)state;
    struct hub_schemes schemes;
    struct hub_error error;
    expect_ok(
        hub_schemes_load(schema_node(&arena, "{'a': {'title': 'An A', 'pattern': 'A##', 'version':"
                                             " '-#', 'normalise': ['trim', 'upper', 'no-spaces',"
                                             " 'prefix:A'], 'issuer': true, 'exclusive': true,"
                                             " 'joins': false, 'placeholders': ['A00', 'A99']},"
                                             " 'b': {'title': 'A B', 'normalise': ['lower'],"
                                             " 'placeholders': []}}"),
                         &arena, &schemes, &error),
        &error);
    const struct hub_scheme *a = &schemes.schemes[0], *b = &schemes.schemes[1];
    assert_int_equal(schemes.count, 2);
    assert_string_equal(a->name, "a");
    assert_string_equal(a->title, "An A");
    assert_string_equal(a->pattern, "A##");
    assert_string_equal(a->version, "-#");
    assert_string_equal(a->prefix, "A");
    assert_true(a->upper && !a->lower && a->no_spaces && a->issuer && a->exclusive && !a->joins);
    assert_string_equal(a->placeholders[1], "A99");
    assert_null(a->placeholders[2]);
    assert_null(b->pattern);
    assert_null(b->version);
    assert_null(b->prefix);
    assert_true(!b->upper && b->lower && !b->no_spaces && !b->issuer && !b->exclusive && b->joins);
}

static void schemes_are_an_object_of_objects(void **state) {
    (void)state;
    refuses("[]", "own.json:1:1: ", "an object of at most 128 schemes would pass");
    refuses("{'x': 'y'}", "own.json:1:7: ", "a scheme must be an object");
    refuses(SCHEME("'tilte': 't'"), "own.json:2:1: ", "unknown key 'tilte'; did you mean 'title'?");
}

static void there_are_at_most_128_schemes(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    for (int i = 0; i < 129; i++)
        hub_buffer_append_format(&text, "%s's%d': {" USUAL ", 'normalise': []}", i == 0 ? "{" : ",",
                                 i);
    hub_buffer_append_text(&text, "}");
    refuses(hub_buffer_text(&text), "own.json:1:1: ", "an object of at most 128 schemes");
}

static void a_scheme_has_a_title(void **state) {
    (void)state;
    refuses(SCHEME("'normalise': [], 'placeholders': []"),
            "own.json:1:7: ", "the scheme has no 'title'");
    refuses(SCHEME("'title': ''"), "own.json:2:10: ", "'title' must be a text in quotes");
    refuses(SCHEME("'title': ['t']"), "own.json:2:10: ", "'title' must be a text in quotes");
    refuses(SCHEME("'title': 5"), "own.json:2:10: ", "'title' must be a text in quotes");
}

static void pictures_are_texts(void **state) {
    (void)state;
    refuses(SCHEME("'pattern': 5, " USUAL),
            "own.json:2:12: ", "'pattern' must be a text in quotes");
    refuses(SCHEME("'version': [], " USUAL),
            "own.json:2:12: ", "'version' must be a text in quotes");
}

static void a_version_follows_a_picture(void **state) {
    (void)state;
    refuses(SCHEME("'version': '-##', 'normalise': [], " USUAL),
            "own.json:2:12: ", "'version' needs a 'pattern' to follow");
}

static void a_check_reads_what_the_pattern_has(void **state) {
    (void)state;
    static const char follows[] = "a check character follows a pattern of digits and capitals";
    static const char date[] = "a date is the last 8 digits of a pattern";
    refuses(SCHEME("'check': 'luhn', 'pattern': '#', " USUAL), "own.json:2:10: ",
            "iso7064-mod37-2 or ends-in-date would pass");
    refuses(SCHEME("'check': 'iso7064-mod37-2', " USUAL), "own.json:2:10: ", follows);
    refuses(SCHEME("'check': 'iso7064-mod37-2', 'pattern': 'a#', " USUAL), "own.json:2:10: ",
            follows);
    refuses(SCHEME("'check': 'iso7064-mod37-2', 'pattern': '#', 'version': '#', " USUAL),
            "own.json:2:10: ", follows);
    refuses(SCHEME("'check': 'ends-in-date', " USUAL), "own.json:2:10: ", date);
    refuses(SCHEME("'check': 'ends-in-date', 'pattern': '#######', " USUAL), "own.json:2:10: ",
            date);
    refuses(SCHEME("'check': 'ends-in-date', 'pattern': '*#######', " USUAL), "own.json:2:10: ",
            date);
}

static void flags_are_true_or_false(void **state) {
    (void)state;
    refuses(SCHEME("'issuer': 'true', " USUAL),
            "own.json:2:11: ", "'issuer' must be true or false");
    refuses(SCHEME("'exclusive': 1, " USUAL),
            "own.json:2:14: ", "'exclusive' must be true or false");
    refuses(SCHEME("'joins': null, " USUAL), "own.json:2:10: ", "'joins' must be true or false");
}

static void steps_are_known_words(void **state) {
    (void)state;
    static const char words[] = "unknown step; trim, upper, lower, no-spaces and prefix:TEXT would";
    refuses(SCHEME(USUAL), "own.json:1:7: ", "'normalise' must be a list of steps");
    refuses(SCHEME("'normalise': 'upper', " USUAL),
            "own.json:1:7: ", "'normalise' must be a list of steps");
    refuses(SCHEME("'normalise': ['upper', 'uper'], " USUAL), "own.json:2:24: ", words);
    refuses(SCHEME("'normalise': ['prefix:'], " USUAL), "own.json:2:15: ", words);
    refuses(SCHEME("'normalise': [[]], " USUAL), "own.json:2:15: ", words);
}

static void upper_and_lower_exclude_each_other(void **state) {
    (void)state;
    refuses(SCHEME("'normalise': ['upper', 'lower'], " USUAL),
            "own.json:1:7: ", "'upper' and 'lower' together leave nothing in normal form");
}

static void placeholders_are_texts_in_normal_form(void **state) {
    (void)state;
    refuses(SCHEME("'title': 't', 'normalise': []"),
            "own.json:1:7: ", "'placeholders' must be a list; an empty one would do");
    refuses(SCHEME("'title': 't', 'normalise': [], 'placeholders': 'x'"),
            "own.json:1:7: ", "'placeholders' must be a list");
    refuses(SCHEME("'title': 't', 'normalise': [], 'placeholders':\n['A', ['B']]"),
            "own.json:3:7: ", "a placeholder is a text");
    refuses(SCHEME("'title': 't', 'normalise': ['upper'], 'placeholders':\n['A', 'b']"),
            "own.json:3:7: ", "placeholder 'b' is not in the scheme's normal form");
    refuses(SCHEME("'title': 't', 'normalise': ['no-spaces'], 'placeholders':\n['not known']"),
            "own.json:3:2: ", "placeholder 'not known' is not in the scheme's normal form");
}

static void a_placeholder_fits_its_picture(void **state) {
    (void)state;
    refuses(SCHEME("'title': 't', 'pattern': 'A##', 'normalise': ['upper'], 'placeholders':\n"
                   "['A00', 'A000']"),
            "own.json:3:9: ", "placeholder 'A000' does not fit the scheme's pattern");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_is_loaded_with_all_it_says),
        cmocka_unit_test(schemes_are_an_object_of_objects),
        cmocka_unit_test(there_are_at_most_128_schemes),
        cmocka_unit_test(a_scheme_has_a_title),
        cmocka_unit_test(pictures_are_texts),
        cmocka_unit_test(a_version_follows_a_picture),
        cmocka_unit_test(a_check_reads_what_the_pattern_has),
        cmocka_unit_test(flags_are_true_or_false),
        cmocka_unit_test(steps_are_known_words),
        cmocka_unit_test(upper_and_lower_exclude_each_other),
        cmocka_unit_test(placeholders_are_texts_in_normal_form),
        cmocka_unit_test(a_placeholder_fits_its_picture),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i].teardown_func = end;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
