/* guard: numbers of persons, and everything that only looks a little like one. All numbers here are
 * made up; 811228-9874 and 670919-9530 are the tax agency's own examples. */
#include "connectors/kit/guard.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <stdio.h>

static const char *kind_in(const char *text) {
    const char *kind = NULL;
    return hub_guard_finds(hub_bytes_of_text(text), &kind) ? kind : "";
}

static void assert_each_is(const char *const *texts, const char *kind) {
    for (size_t i = 0; texts[i] != NULL; i++)
        if (strcmp(kind_in(texts[i]), kind) != 0)
            fail_msg("'%s' is '%s', not '%s'", texts[i], kind_in(texts[i]), kind);
}

static void a_personnummer_is_found_however_it_is_written(void **state) {
    static const char *const texts[] = {
        "811228-9874",
        "811228+9874",
        "198112289874",
        "19811228-9874",
        "19811228 9874",
        "Patient 670919-9530, woman",
        "(670919-9530)",
        "born:670919-9530.",
        "a 1 2 3 and 198112289874",
        "800101 811228-9874",
        "personnummer 8112289874",
        "Personnummer: 811228 9874",
        "pnr 8112289874",
        "samordningsnummer 8112289874",
        NULL};
    (void)state;
    assert_each_is(texts, "a personnummer");
}

static void a_samordningsnummer_has_its_day_raised_by_sixty(void **state) {
    static const char *const texts[] = {"701063-2391", "197010632391",
                                        "700060-2396", /* of a month and a day that are not known */
                                        NULL};
    (void)state;
    assert_each_is(texts, "a personnummer");
}

static void what_is_no_personnummer_is_left_alone(void **state) {
    static const char *const texts[] = {
        "",
        "no digits",
        "811228-9873",       /* the check digit */
        "811328-9873",       /* the month */
        "811200-9876",       /* the day */
        "8112289874",        /* ten digits, and nothing that says so */
        "811228 9874",
        "NCT81122898",       /* within a word */
        "x811228-9874",
        "811228-98741",
        "1811228-9874",
        "811228-9874-1",
        "2019-009001-17",    /* EudraCT */
        "2026-501234-11-00", /* EU CT */
        "ISRCTN99000201",
        "2026-03-02T08:00:00+01:00",
        "0000-0002-1825-0097", /* ORCID */
        "178112289874",      /* the century */
        "218112289874",
        "+46 46 123 45 67",
        "8112289874123456",
        NULL};
    (void)state;
    assert_each_is(texts, "");
}

static void a_burgerservicenummer_is_found_beside_a_word_that_says_so(void **state) {
    static const char *const texts[] = {
        "BSN 111222333",       "bsn: 123456782", "Burgerservicenummer=123456782",
        "sofinummer 12345672", "patient 123456782 (bsn)",
        "BSN123456782", /* as identifiers are written */
        "123456782BSN", "v\xe5rd: BsN 123456782" /* in another character set */, NULL};
    (void)state;
    assert_each_is(texts, "a burgerservicenummer");
}

static void nine_digits_alone_are_no_burgerservicenummer(void **state) {
    static const char *const texts[] = {"111222333", "order 123456782", "bsn 123456783",
                                        "bsn 000000000", "bsn 1234567821", "xbsn 1BS123456782",
                                        NULL};
    (void)state;
    assert_each_is(texts, "");
}

static void bytes_that_are_no_text_are_searched_too(void **state) {
    const char *kind = NULL;
    (void)state;
    assert_true(hub_guard_finds(hub_bytes("\xff\x00 811228-9874 \xfe", 16), &kind));
    assert_false(hub_guard_finds(hub_bytes("\xff\x00 \xfe", 4), &kind));
}

/* Of a domain's record that was mapped from a tree. */
static void check_beside(const char *domain, const char *tree, const char *json,
                         const char *field) {
    const struct hub_type *type = test_domain(domain)->schema->root;
    struct hub_arena arena = {0};
    struct hub_error error = {0};
    struct hub_guard_told told = {0};
    HUB_SCOPED_BUFFER path = {0};
    json_t *element = json_loads(tree, JSON_DECODE_ANY, NULL);
    assert_non_null(element);
    hub_guard_listen(element, &told);
    json_decref(element);
    enum hub_status status =
        hub_guard_check(type, test_value(type, json, &arena), &told, &path, &error);
    if (field == NULL) {
        assert_int_equal(status, HUB_OK);
    } else {
        assert_int_equal(status, HUB_REJECT);
        assert_string_equal(hub_buffer_text(&path), field);
        assert_null(strstr(error.text, "9874"));
    }
    hub_arena_destroy(&arena);
}

static void check(const char *json, const char *field) {
    check_beside("trial", "null", json, field);
}

static void every_text_of_a_record_is_searched_and_its_field_named(void **state) {
    (void)state;
    check("{'statement': {'version': '1'}, 'acronym': 'SKIN'}", NULL);
    check("{'statement': {'version': '1'}, 'acronym': 'of 811228-9874'}", "acronym");
    check("{'statement': {'version': '1'}, 'conditions': ['a', '811228-9874']}", "conditions");
    check("{'statement': {'version': '1'}, 'titles': [{'lang': 'sv', 'text': 'a'}, {'lang': 'en', "
          "'text': '811228-9874'}]}",
          "titles.text");
    check("{'statement': {'version': '811228-9874'}}", "statement.version");
    check("{'statement': {'version': '1', 'document': '811228-9874.json'}}", "statement.document");
    check("{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'other', 'value': "
          "'198112289874', 'relation': 'UNVERIFIED'}]}",
          "identifiers.value");
}

static void check_quantity(const char *quantity, const char *field) {
    char json[160];
    snprintf(json, sizeof json,
             "{'statement': {'version': '1'}, 'inputs': [{'material': 'a', 'quantity': %s}]}", quantity);
    check_beside("batch", "null", json, field);
}

static void a_number_is_searched_as_a_text_is_but_no_date(void **state) {
    (void)state;
    check_quantity("198112289874.0", "inputs.quantity");
    check_quantity("198112289873.0", NULL);
    check_quantity("198112289874.5", NULL);
    check_quantity("-198112289874.0", NULL);
    check_beside("trial", "\"pnr\"",
                 "{'statement': {'version': '1', 'event_time': {'time': 8112289874, 'offset_minutes': 60}}}", NULL);
}

static void a_word_in_what_it_was_mapped_from_tells_of_a_number(void **state) {
    static const char value[] = "{'statement': {'version': '1'}, 'acronym': '123456782'}";
    static const char swedish[] = "{'statement': {'version': '1'}, 'acronym': '8112289874'}";
    (void)state;
    check_beside("trial", "{\"bsn\": 1}", value, "acronym");
    check_beside("trial", "[[\"has a BSN\"]]", value, "acronym");
    check_beside("trial", "{\"number\": [1, null, \"text\"]}", value, NULL);
    check_beside("trial", "{\"bsn\": 1}", swedish, NULL);
    check_beside("trial", "{\"a\": {\"Personnr\": 1}}", swedish, "acronym");
}

static bool is_found_in(const char *text) {
    struct hub_guard_told told = {0};
    const char *kind = NULL;
    json_t *tree = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(tree);
    hub_guard_listen(tree, &told);
    bool found = hub_guard_finds_in(tree, &told, &kind);
    json_decref(tree);
    return found;
}

static void a_tree_is_searched_in_its_names_its_texts_and_its_numbers(void **state) {
    (void)state;
    assert_true(is_found_in("\"811228-9874\""));
    assert_true(is_found_in("[{\"a\": \"811228\\u002d9874\"}]"));
    assert_true(is_found_in("{\"811228-9874\": true}"));
    assert_true(is_found_in("[198112289874]"));
    assert_true(is_found_in("{\"bsn\": 123456782}"));
    assert_true(is_found_in("[\"bsn\", \"123456782\"]"));
    assert_false(is_found_in("{\"a\": 123456782, \"b\": [null, true, 1.5, \"8112289874\"]}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_personnummer_is_found_however_it_is_written),
        cmocka_unit_test(a_samordningsnummer_has_its_day_raised_by_sixty),
        cmocka_unit_test(what_is_no_personnummer_is_left_alone),
        cmocka_unit_test(a_burgerservicenummer_is_found_beside_a_word_that_says_so),
        cmocka_unit_test(nine_digits_alone_are_no_burgerservicenummer),
        cmocka_unit_test(bytes_that_are_no_text_are_searched_too),
        cmocka_unit_test(every_text_of_a_record_is_searched_and_its_field_named),
        cmocka_unit_test(a_number_is_searched_as_a_text_is_but_no_date),
        cmocka_unit_test(a_word_in_what_it_was_mapped_from_tells_of_a_number),
        cmocka_unit_test(a_tree_is_searched_in_its_names_its_texts_and_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
