/* ref: what another part of the document says. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#include <stdio.h>

static const char appointments[] =
    "connector: sus-slots-fhir\n"
    "institution: sus\n"
    "system: sus-atmp\n"
    "source: {transport: file-drop, format: json, folder: .}\n"
    "target: {domain: gmp-slot}\n"
    "records:\n"
    "  - for_each: \"entry.resource[resourceType=Appointment]\"\n"
    "    key: id\n"
    "    version: {tie: position}\n"
    "    fields:\n"
    "      facility: {value: \"ror:02z31g829\"}\n"
    "      suite: {ref: {from: actor.reference, among: ^entry.resource, by: {join: [resourceType, id], "
    "with: /}, take: name, else: %s}}\n";

#define LOCATION(id, name)                                                                         \
    "{'resource': {'resourceType': 'Location', 'id': '" id "', 'name': '" name "'}}"
#define APPOINTMENT(id, reference)                                                                 \
    "{'resource': {'resourceType': 'Appointment', 'id': '" id "', 'actor': [{'reference': "        \
    "'" reference "'}]}}"

static void begin(struct source *source, const char *otherwise) {
    char text[2048];
    snprintf(text, sizeof text, appointments, otherwise);
    source_open(source, text);
}

static void the_part_that_is_called_so_is_found_wherever_it_stands(void **state) {
    struct source source;
    (void)state;
    begin(&source, "reject");
    source_feed_json(&source, "{'entry': [" LOCATION("a", "SUITE-A") ", " APPOINTMENT(
                                  "1", "Location/b") ", " APPOINTMENT("2", "Location/a") ", "
                                  LOCATION("b", "SUITE-B") "]}");
    assert_int_equal(source.list.counts.published, 2);
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-B");
    assert_string_equal(source_text(&source, 1, "suite"), "SUITE-A");
    /* Another document has its own parts. */
    source_feed_json(&source, "{'entry': [" APPOINTMENT("1", "Location/a") ", "
                                  LOCATION("a", "SUITE-C") "]}");
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-C");
    source_close(&source);
}

static void of_two_of_one_name_the_first_is_meant(void **state) {
    struct source source;
    (void)state;
    begin(&source, "reject");
    source_feed_json(&source, "{'entry': [" APPOINTMENT("1", "Location/a") ", "
                                  LOCATION("a", "SUITE-A") ", " LOCATION("a", "SUITE-B") "]}");
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-A");
    source_close(&source);
}

static void where_nothing_is_called_so_the_record_is_refused_or_states_none(void **state) {
    static const char document[] =
        "{'entry': [" APPOINTMENT("1", "Location/b") ", " LOCATION("a", "SUITE-A") ", "
        APPOINTMENT("2", "Location/a") "]}";
    struct source source;
    (void)state;
    begin(&source, "reject");
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "code"), "REFERENCE");
    assert_string_equal(source_text(&source, 0, "path"), "suite");
    assert_says(source_text(&source, 0, "reason"), "nothing among ^entry.resource is called as the "
                                                   "reference of line 12 says");
    assert_string_equal(source_text(&source, 1, "suite"), "SUITE-A");
    source_close(&source);
    begin(&source, "null");
    source_feed_json(&source, document);
    assert_int_equal(source.list.counts.published, 2);
    assert_null(source_text(&source, 0, "suite"));
    source_close(&source);
}

static void without_a_reference_nothing_is_stated(void **state) {
    struct source source;
    (void)state;
    begin(&source, "reject");
    source_feed_json(&source, "{'entry': [{'resource': {'resourceType': 'Appointment', 'id': '1'}}]}");
    assert_int_equal(source.list.counts.published, 1);
    assert_null(source_text(&source, 0, "suite"));
    source_close(&source);
}

static void a_part_that_cannot_be_read_refuses_what_asks_for_it(void **state) {
    struct source source;
    (void)state;
    begin(&source, "null");
    source_feed_json(&source, "{'entry': [" APPOINTMENT("1", "Location/a") ", {'resource': "
                              "{'resourceType': 'Location', 'id': {'x': 1}}}]}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "code"), "TYPE");
    source_close(&source);
}

static void all_five_of_its_keys_are_needed(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronym: {ref: {from: a, among: b, by: c, take: d}}",
                         "{from: VALUE, among: PATH, by: VALUE, take: VALUE, else: reject or null} "
                         "would pass");
    assert_misconfigured("trial", "acronym: {ref: x}", "would pass");
    assert_misconfigured("trial", "acronym: {ref: {from: a, among: b, by: c, take: d, els: null}}",
                         "did you mean 'else'?");
    assert_misconfigured("trial", "acronym: {ref: {from: a, among: b, by: c, take: d, else: keep}}",
                         "reject or null would pass");
    assert_misconfigured("trial", "acronym: {from: x, ref: {from: a, among: b, by: c, take: d, else: "
                         "null}}", "exactly one of from, value, first, join, plus and ref");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_that_is_called_so_is_found_wherever_it_stands),
        cmocka_unit_test(of_two_of_one_name_the_first_is_meant),
        cmocka_unit_test(where_nothing_is_called_so_the_record_is_refused_or_states_none),
        cmocka_unit_test(without_a_reference_nothing_is_stated),
        cmocka_unit_test(a_part_that_cannot_be_read_refuses_what_asks_for_it),
        cmocka_unit_test(all_five_of_its_keys_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
