/* parties_load: systems.json and organisations.csv, and what is wrong with them. */
#include "schemas/lib/parties.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

#define HEADER "org,institution,spelling\n"
#define SYSTEMS                                                                                    \
    "{'north-list': {'title': 'List of the north', 'carriers': ['north'], 'owner': 'north'},"      \
    " 'register': {'title': 'A register', 'carriers': ['south', 'north']}}"
#define ORGANISATIONS HEADER "org:n,north,North Hospital\norg:s,south,South Hospital\n"

static struct hub_arena arena;

static int end(void **state) {
    (void)state;
    hub_arena_destroy(&arena);
    return 0;
}

static enum hub_status load(const char *systems, const char *organisations,
                            struct hub_parties *ret_parties, struct hub_error *reterr) {
    return hub_parties_load(schema_node(&arena, systems), hub_bytes_of_text(organisations),
                            "own.csv", &arena, ret_parties, reterr);
}

#define refuses(systems, organisations, place, words)                                              \
    refuses_at(systems, organisations, place, words, __FILE__, __LINE__)
static void refuses_at(const char *systems, const char *organisations, const char *place,
                       const char *words, const char *file, int line) {
    struct hub_parties parties = {0};
    struct hub_error error;
    enum hub_status status = load(systems, organisations, &parties, &error);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_true(parties.system_count == 0, "nothing is given back", file, line);
}

static struct hub_parties loaded(const char *systems, const char *organisations) {
    struct hub_parties parties = {0};
    struct hub_error error;
    expect_ok(load(systems, organisations, &parties, &error), &error);
    return parties;
}

/* --- what is loaded --- */

static void systems_name_the_institutions(void **state) {
    (void)state;
    struct hub_parties parties = loaded(SYSTEMS, ORGANISATIONS);
    assert_int_equal(parties.system_count, 2);
    assert_string_equal(parties.systems[0].name, "north-list");
    assert_string_equal(parties.systems[0].title, "List of the north");
    assert_string_equal(parties.systems[0].owner, "north");
    assert_null(parties.systems[1].owner);
    assert_int_equal(parties.systems[1].carrier_count, 2);
    assert_null(parties.systems[1].carriers[2]);
    assert_int_equal(parties.institution_count, 2);
    assert_string_equal(parties.institutions[0].name, "north"); /* by name */
    assert_string_equal(parties.institutions[0].org, "org:n");
    assert_string_equal(parties.institutions[1].org, "org:s");
    assert_int_equal(parties.spelling_count, 2);
}

static void rows_may_be_quoted_blank_or_end_in_cr_lf(void **state) {
    (void)state;
    struct hub_parties parties = loaded(
        SYSTEMS, "org,institution,spelling\r\n\r\norg:n,north,\"North, the \"\"Hospital\"\"\"\r\n"
                 "org:s,south,South\r\n\r\n");
    assert_int_equal(parties.spelling_count, 2);
    assert_string_equal(hub_parties_org(&parties, hub_bytes_of_text("north the hospital")),
                        "org:n");
}

static void the_last_row_needs_no_line_end(void **state) {
    (void)state;
    assert_int_equal(loaded(SYSTEMS, HEADER "org:n,north,N\norg:s,south,S").spelling_count, 2);
}

static void a_spelling_may_be_given_twice_to_one_organisation(void **state) {
    (void)state;
    struct hub_parties parties = loaded(SYSTEMS, ORGANISATIONS "org:n,,NORTH hospital\n");
    assert_string_equal(hub_parties_org(&parties, hub_bytes_of_text("North-Hospital")), "org:n");
}

static void more_rows_than_fit_at_first_are_kept(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, ORGANISATIONS);
    for (int i = 0; i < 200; i++)
        hub_buffer_append_format(&text, "org:%d,,Clinic %d\n", i, i);
    struct hub_parties parties = loaded(SYSTEMS, hub_buffer_text(&text));
    assert_int_equal(parties.spelling_count, 202);
    assert_string_equal(hub_parties_org(&parties, hub_bytes_of_text("clinic 0")), "org:0");
    assert_string_equal(hub_parties_org(&parties, hub_bytes_of_text("clinic 199")), "org:199");
}

/* --- systems.json --- */

#define SYSTEM(name, members) "{'" name "':\n{" members "}}"

static void systems_are_an_object_of_objects(void **state) {
    (void)state;
    refuses("[]", ORGANISATIONS, "own.json:1:1: ", "an object of systems would pass");
    refuses("{'a': 'x'}", ORGANISATIONS, "own.json:1:7: ", "a system must be an object");
    refuses(SYSTEM("a", "'titel': 'x'"), ORGANISATIONS,
            "own.json:2:2: ", "unknown key 'titel'; did you mean 'title'?");
    refuses(SYSTEM("a", "'carriers': ['n']"), ORGANISATIONS,
            "own.json:2:1: ", "the system has no 'title'");
    refuses(SYSTEM("a", "'title': [], 'carriers': ['n']"), ORGANISATIONS,
            "own.json:2:1: ", "the system has no 'title'");
}

static void a_name_is_plain_and_none_of_the_logs_words(void **state) {
    (void)state;
    static const char *const none[] = {
        "A",     "a b",     "",
        "a/b",   "late",    "decision",
        "rules", "ref",     "tick",
        "skip",  "remerge", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    static const char words[] =
        "1 to 64 small letters, digits and hyphens, and none of the log's own";
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        refuses(hub_arena_format(&arena, SYSTEM("%s", "'title': 'x', 'carriers': ['n']"), none[i]),
                ORGANISATIONS, "own.json:1:2: a system's name is ", words);
        refuses(
            hub_arena_format(&arena, SYSTEM("a", "'title': 'x', 'carriers': ['n', '%s']"), none[i]),
            ORGANISATIONS, "own.json:2:34: an institution's name is ", words);
    }
    refuses(SYSTEM("a", "'title': 'x', 'carriers': [{}]"), ORGANISATIONS, "own.json:2:29: ", words);
}

static void a_system_needs_carriers(void **state) {
    (void)state;
    static const char words[] = "the system needs a list of 'carriers'";
    refuses(SYSTEM("a", "'title': 'x'"), ORGANISATIONS, "own.json:2:1: ", words);
    refuses(SYSTEM("a", "'title': 'x', 'carriers': 'n'"), ORGANISATIONS, "own.json:2:1: ", words);
    refuses(SYSTEM("a", "'title': 'x', 'carriers': []"), ORGANISATIONS, "own.json:2:1: ", words);
}

static void an_owner_is_a_carrier(void **state) {
    (void)state;
    static const char words[] = "one of the carriers would pass";
    refuses(SYSTEM("a", "'title': 'x', 'carriers': ['n'], 'owner': 's'"), ORGANISATIONS,
            "own.json:2:44: ", words);
    refuses(SYSTEM("a", "'title': 'x', 'carriers': ['n'], 'owner': ['n']"), ORGANISATIONS,
            "own.json:2:44: ", words);
}

/* --- organisations.csv --- */

static void a_row_has_three_cells_and_an_organisation(void **state) {
    (void)state;
    static const char words[] = "org,institution,spelling would pass";
    refuses(SYSTEMS, HEADER "org:n,north,N\norg:s,south\n", "own.csv:3:1: ", words);
    refuses(SYSTEMS, HEADER "org:n,north,N,x\n", "own.csv:2:1: ", words);
    refuses(SYSTEMS, HEADER ",north,N\n", "own.csv:2:1: ", words);
    refuses(SYSTEMS, HEADER "org:n\n", "own.csv:2:1: ", words);
    refuses(SYSTEMS, HEADER "org:n,,N\norg:s\n", "own.csv:3:1: ", words);
    refuses(SYSTEMS, HEADER HEADER, "own.csv:2:1: ", words);
}

static void a_place_counts_lines_whatever_ends_them(void **state) {
    (void)state;
    refuses(SYSTEMS, "org,institution,spelling\r\norg:n,north,N\r\n\r\norg:s\r\n",
            "own.csv:4:1: ", "would pass");
    refuses(SYSTEMS, "org,institution,spelling\norg:n,north,N\n\norg:s\n",
            "own.csv:4:1: ", "would pass");
    refuses(SYSTEMS, "org,institution,spelling\rorg:n,north,N\r\rorg:s\r",
            "own.csv:4:1: ", "would pass");
}

static void the_header_is_not_left_out(void **state) {
    (void)state;
    refuses(SYSTEMS, "org:n,north,North\norg:s,south,South\n",
            "own.csv:1:1: ", "the header org,institution,spelling would pass");
}

static void a_spelling_of_signs_only_is_refused(void **state) {
    (void)state;
    static const char words[] = "a spelling with a letter or digit would pass";
    refuses(SYSTEMS, HEADER "org:n,north,***\n", "own.csv:2:1: ", words);
    refuses(SYSTEMS, HEADER "org:n,north,\n", "own.csv:2:1: ", words);
}

static void quotes_that_do_not_end_are_refused(void **state) {
    (void)state;
    refuses(SYSTEMS, HEADER "org:n,north,\"N\n", "own.csv:2:1: ", "");
    refuses(SYSTEMS, HEADER "org:n,north,\"N\"x\n", "own.csv:2:1: ", "");
}

static void one_spelling_is_one_organisation(void **state) {
    (void)state;
    refuses(SYSTEMS, ORGANISATIONS "org:x,,NORTH-hospital\n",
            "own.csv: ", "spelling 'north hospital' is given to both ");
}

static void an_institution_is_one_organisation(void **state) {
    (void)state;
    refuses(SYSTEMS, ORGANISATIONS "org:x,north,Another name\n",
            "own.csv:4:1: ", "the institution has another org further up");
}

static void every_institution_has_a_row(void **state) {
    (void)state;
    refuses(SYSTEMS, HEADER "org:n,north,N\n",
            "own.csv: ", "institution 'south' carries a system but has no row here");
    refuses(SYSTEMS, "", "own.csv: ", "institution 'north' carries a system but has no row here");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_name_the_institutions),
        cmocka_unit_test(rows_may_be_quoted_blank_or_end_in_cr_lf),
        cmocka_unit_test(the_last_row_needs_no_line_end),
        cmocka_unit_test(a_spelling_may_be_given_twice_to_one_organisation),
        cmocka_unit_test(more_rows_than_fit_at_first_are_kept),
        cmocka_unit_test(systems_are_an_object_of_objects),
        cmocka_unit_test(a_name_is_plain_and_none_of_the_logs_words),
        cmocka_unit_test(a_system_needs_carriers),
        cmocka_unit_test(an_owner_is_a_carrier),
        cmocka_unit_test(a_row_has_three_cells_and_an_organisation),
        cmocka_unit_test(a_place_counts_lines_whatever_ends_them),
        cmocka_unit_test(the_header_is_not_left_out),
        cmocka_unit_test(a_spelling_of_signs_only_is_refused),
        cmocka_unit_test(quotes_that_do_not_end_are_refused),
        cmocka_unit_test(one_spelling_is_one_organisation),
        cmocka_unit_test(an_institution_is_one_organisation),
        cmocka_unit_test(every_institution_has_a_row),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i].teardown_func = end;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
