/* mapping_load: a mapping is checked against the schema before there is any data. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

/* A whole configuration whose records are these lines, the first of which is line 6. */
static void assert_records_refused(const char *records, const char *error) {
    struct source source;
    source_make(&source);
    const char *text = hub_arena_format(&source.arena,
                                        "connector: trying\n"
                                        "institution: sus\n"
                                        "system: sus-trials\n"
                                        "source: {transport: file-drop, format: json, folder: .}\n"
                                        "target: {domain: trial}\n"
                                        "%s",
                                        records);
    assert_says(source_refusal(&source, text), error);
    source_close(&source);
}

/* --- fields --- */

static void an_unknown_field_is_told_with_its_place_and_the_nearest(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronim: a", "9:14: unknown key 'acronim'; did you mean 'acronym'?");
    assert_misconfigured("trial", "enrolment: {cuont: a, type: {value: TARGET}}",
                         "9:26: unknown key 'cuont'; did you mean 'count'?");
    assert_misconfigured("trial", "statement: a", "9:14: unknown key 'statement'");
}

static void a_required_field_that_is_not_mapped_is_named(void **state) {
    (void)state;
    assert_misconfigured("gmp-slot", "suite: a",
                         "9:13: field 'facility' is required and not mapped");
    assert_misconfigured("trial", "enrolment: {count: a}",
                         "9:25: field 'type' is required and not mapped");
    assert_misconfigured("trial", "titles: {text: a}",
                         "9:22: field 'lang' is required and not mapped");
}

static void a_value_where_a_record_belongs_is_refused(void **state) {
    (void)state;
    assert_misconfigured("trial", "enrolment: a",
                         "9:25: atmp.Enrolment is a record: {part: value, ...} would pass");
    assert_misconfigured("trial", "titles: [a]",
                         "9:23: atmp.Title is a record: {part: value, ...} would pass");
}

static void a_record_where_a_value_belongs_is_refused(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronym: {text: a}", "9:24: unknown key 'text'");
    assert_misconfigured("trial", "acronym: [a]", "9:23: a path or {from: ..., ...} would pass");
}

static void a_date_needs_formats_and_nothing_else_takes_them(void **state) {
    (void)state;
    assert_misconfigured("trial", "start: a", "9:21: a date or time needs time: {formats: [...]}");
    assert_misconfigured("trial", "acronym: {from: a, time: {formats: [date]}}",
                         "9:23: 'time' is for dates and times; this field is none");
}

static void an_instant_whose_format_has_no_offset_needs_a_zone(void **state) {
    (void)state;
    assert_misconfigured("gmp-slot",
                         "facility: a, interval: {start: {from: a, time: {formats: [date]}}, end: "
                         "{from: b, time: {formats: [rfc3339]}}}",
                         "9:45: format 'date' tells no offset; a 'zone' is needed");
}

/* --- entries of records --- */

static void records_must_be_a_list_with_something_in_it(void **state) {
    (void)state;
    assert_records_refused("records: {key: a}",
                           "6:10: 'records' must be a list of at least one entry");
    assert_records_refused("records: []",
                           "6:10: 'records' must be a list of at least one entry");
    assert_records_refused("records: [a]", "6:11: an entry of 'records' must be a mapping");
}

static void an_entry_needs_key_version_and_fields(void **state) {
    (void)state;
    static const char error[] = "6:11: 'key', 'version' and 'fields' are needed";
    assert_records_refused("records: [{version: a, fields: {}}]", error);
    assert_records_refused("records: [{key: a, fields: {}}]", error);
    assert_records_refused("records: [{key: a, version: a}]", error);
}

static void an_entry_with_an_unknown_word_is_refused(void **state) {
    (void)state;
    assert_records_refused("records: [{foreach: a, key: a, version: a, fields: {}}]",
                           "6:12: unknown key 'foreach'; did you mean 'for_each'?");
}

static void variants_are_a_list_whose_last_alone_may_be_for_everything(void **state) {
    (void)state;
    assert_records_refused("records: [{key: a, version: a, fields: {}, variants: {when: {present: "
                           "a}}}]",
                           "6:54: a list of {when: CONDITION, fields: {...}, ...} would pass");
    assert_records_refused("records: [{key: a, version: a, fields: {}, variants: []}]",
                           "6:54: a list of {when: CONDITION, fields: {...}, ...} would pass");
    assert_records_refused("records: [{key: a, version: a, fields: {}, variants: [a]}]",
                           "6:55: {when: CONDITION, fields: {...}, ...} would pass");
    assert_records_refused("records: [{key: a, version: a, fields: {}, variants: [{key: b}, {key: "
                           "c}]}]",
                           "6:55: without 'when' it takes everything, and those after it nothing");
    assert_records_refused("records: [{key: a, version: a, fields: {}, variants: [{for_each: b}]}]",
                           "6:56: unknown key 'for_each'");
}

static void a_variant_is_checked_with_all_that_it_shares(void **state) {
    (void)state;
    assert_records_refused("records: [{key: a, fields: {}, variants: [{when: {present: b}}]}]",
                           "6:43: 'key', 'version' and 'fields' are needed");
    assert_records_refused("records: [{key: a, version: a, fields: {acronim: a}, variants: "
                           "[{fields: {}}]}]",
                           "6:41: unknown key 'acronim'; did you mean 'acronym'?");
    assert_records_refused("records: [{key: a, version: a, fields: {acronym: a}, variants: "
                           "[{fields: {start: a}}]}]",
                           "6:82: a date or time needs time: {formats: [...]}");
    assert_records_refused("records: [{key: a, version: a, variants: [{when: {present: a}, fields: "
                           "a}]}]",
                           "atmp.Trial is a record: {part: value, ...} would pass");
}

static void a_tie_is_broken_by_position_only(void **state) {
    (void)state;
    assert_records_refused("records: [{key: a, version: {from: a, tie: hash}, fields: {}}]",
                           "6:44: position would pass");
}

static void a_withdrawal_needs_its_condition_and_reason(void **state) {
    (void)state;
    static const char error[] = "{when: CONDITION, reason: TEXT} would pass";
    assert_records_refused("records: [{key: a, version: a, fields: {}, withdrawn: {when: {present: "
                           "a}}}]",
                           error);
    assert_records_refused("skip: [{reason: a}]\nrecords: [{key: a, version: a, fields: {}}]",
                           error);
    assert_records_refused("skip: {when: {present: a}, reason: a}\n"
                           "records: [{key: a, version: a, fields: {}}]",
                           "6:7: a list of {when: CONDITION, reason: TEXT} would pass");
}

static void a_path_that_cannot_be_read_has_its_place(void **state) {
    (void)state;
    assert_records_refused("records: [{for_each: 'a[', key: a, version: a, fields: {}}]",
                           "6:22: path 'a[': ");
    assert_misconfigured("trial", "acronym: 'a..b'", "9:23: path 'a..b': a name is missing");
}

/* --- conditions --- */

static void a_condition_says_one_thing(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "{present: a, absent: b}", "{path: a}",      "{in: [a]}",
        "{}",                      "{present: a, in: [b]}", "{path: a, in: [b], not_in: [c]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "conditions: {when: %s, value: x}", wrong[i]);
        assert_misconfigured("trial", fields,
                             "9:33: one of present, absent, and path with in or not_in would pass");
    }
    assert_misconfigured("trial", "conditions: {when: a, value: x}", "9:33: {present: PATH}");
    assert_misconfigured("trial", "conditions: {when: {path: a, in: [[b]]}, value: x}",
                         "9:48: a text would pass");
}

/* --- values --- */

static void a_value_has_exactly_one_source(void **state) {
    (void)state;
    static const char error[] = "exactly one of from, value, first, join, plus and ref would pass";
    assert_misconfigured("trial", "acronym: {}", error);
    assert_misconfigured("trial", "acronym: {from: a, value: b}", error);
    assert_misconfigured("trial", "acronym: {first: []}", "9:31: a list of values would pass");
    assert_misconfigured("trial", "acronym: {first: a}", "9:31: a list of values would pass");
}

static void with_and_join_need_each_other(void **state) {
    (void)state;
    static const char error[] = "9:23: 'with' belongs to 'join' and is a text";
    assert_misconfigured("trial", "acronym: {join: [a, b]}", error);
    assert_misconfigured("trial", "acronym: {from: a, with: x}", error);
}

static void a_table_must_say_what_becomes_of_the_rest(void **state) {
    (void)state;
    static const char error[] = "'else' must say what becomes of anything not listed: reject, keep, "
                                "null, or a text";
    assert_misconfigured("trial", "status: {from: a, table: {x: PLANNED}}", error);
    assert_misconfigured("trial", "sponsor: {from: a, lookup: organisations}", error);
    assert_misconfigured("trial", "status: {from: a, table: {x: PLANNED}, else: [reject]}", error);
}

static void else_without_a_table_is_refused(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronym: {from: a, else: reject}",
                         "9:39: 'else' belongs to 'table' or 'lookup'");
}

static void what_a_table_gives_must_be_a_symbol_of_the_field(void **state) {
    (void)state;
    assert_misconfigured("trial", "status: {from: a, table: {x: PLANED}, else: reject}",
                         "9:43: 'PLANED' is no symbol of atmp.TrialStatus; did you mean PLANNED?");
    assert_misconfigured("trial", "status: {from: a, table: {x: PLANNED}, else: NONE}",
                         "9:59: 'NONE' is no symbol of atmp.TrialStatus");
    assert_misconfigured("trial", "status: {value: HALTET}",
                         "9:30: 'HALTET' is no symbol of atmp.TrialStatus; did you mean HALTED?");
}

static void what_is_given_for_a_number_must_be_one(void **state) {
    (void)state;
    assert_misconfigured("trial", "enrolment: {count: {value: many}, type: {value: TARGET}}",
                         "9:41: 'many': a whole number would pass");
    assert_misconfigured("trial", "enrolment: {count: {value: 3000000000}, type: {value: TARGET}}",
                         "9:41: '3000000000': a whole number would pass");
    assert_misconfigured("trial",
                         "enrolment: {count: {from: a, table: {x: y}, else: reject}, type: {value: "
                         "TARGET}}",
                         "9:54: 'y': a whole number would pass");
}

static void a_table_file_needs_two_cells_a_row_and_each_key_once(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    const char *text = source_configuration(
        "trial", "status: {from: a, table: t.csv, else: reject}", &source.arena);
    assert_says(source_refusal(&source, text), "t.csv: No such file or directory");
    folder_write(&source.folder, "t.csv", "a,b\nx,PLANNED\ny\n");
    assert_says(source_refusal(&source, text), "t.csv:3: two cells a row would pass");
    folder_write(&source.folder, "t.csv", "a,b\nx,PLANNED\ny,NONE\n");
    assert_says(source_refusal(&source, text), "'NONE' is no symbol of atmp.TrialStatus");
    folder_write(&source.folder, "t.csv", "a,b\nx,PLANNED\ny,ACTIVE\nx,HALTED\n");
    assert_says(source_refusal(&source, text), "9:39: 'x' stands in the table twice");
    folder_write(&source.folder, "t.csv", "a,b\nx,PLANNED\n\"y, z\",ACTIVE\n");
    source_load(&source, text);
    source_feed_json(&source, "{'a': 'y, z'}");
    assert_string_equal(source_text(&source, 0, "status"), "ACTIVE");
    source_close(&source);
}

static void other_steps_say_what_would_pass(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronym: {from: a, match: '(a'}", "9:40: at character 3: ");
    assert_misconfigured("trial", "acronym: {from: a, split: ''}",
                         "9:40: the text between the parts would pass");
    assert_misconfigured("trial", "acronym: {from: a, fold: accents}", "9:39: case would pass");
    assert_misconfigured("trial", "acronym: {from: a, lookup: people, else: keep}",
                         "9:41: organisations would pass");
    assert_misconfigured("trial", "start: {from: a, time: {formats: [dmy]}}",
                         "'dmy': rfc3339, hl7, ical, date, partial or a pattern such as %d/%m/%Y would pass");
    assert_misconfigured("trial", "start: {from: a, time: {zone: UTC}}", "'formats' is missing");
    assert_misconfigured("trial", "start: {from: a, time: {formats: [date], zone: CET}}",
                         "'CET': no time zone of that name is installed; UTC, an offset such as "
                         "+01:00, or a name such as Europe/Stockholm would pass");
    assert_misconfigured("trial", "start: {from: a, time: {formats: [date], zone: {a: b}}}",
                         "a text would pass");
    assert_misconfigured("trial", "start: {from: a, time: {formats: [date], zone: UTC, "
                                  "ambiguous: later}}",
                         "'ambiguous' is for a zone in which clocks are put back");
    assert_misconfigured("trial", "start: {from: a, time: {formats: [date], zone: "
                                  "Europe/Stockholm, ambiguous: both}}",
                         "reject, earlier or later would pass");
    assert_misconfigured("trial", "acronym: {from: a, absent: {x: y}}",
                         "a text or a list of texts would pass");
}

static void a_pseudonym_needs_its_key(void **state) {
    struct source source;
    (void)state;
    assert_misconfigured("exchange", "person_ref: {from: a, pseudonym: private}",
                         "9:47: shared or local would pass");
    source_make(&source);
    source.keys_folder = source.folder.path;
    const char *text = source_configuration("exchange", "person_ref: {from: a, pseudonym: shared}",
                                            &source.arena);
    assert_says(source_refusal(&source, text),
                "9:47: there is no shared key in use; --keys names the folder that holds them");
    source_close(&source);
}

static void a_list_of_lists_needs_a_split(void **state) {
    (void)state;
    assert_misconfigured("trial", "products: {for_each: {from: a}, name: ., kind: {value: OTHER}}",
                         "9:35: a path or {from: PATH, split: TEXT} would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_field_is_told_with_its_place_and_the_nearest),
        cmocka_unit_test(a_required_field_that_is_not_mapped_is_named),
        cmocka_unit_test(a_value_where_a_record_belongs_is_refused),
        cmocka_unit_test(a_record_where_a_value_belongs_is_refused),
        cmocka_unit_test(a_date_needs_formats_and_nothing_else_takes_them),
        cmocka_unit_test(an_instant_whose_format_has_no_offset_needs_a_zone),
        cmocka_unit_test(records_must_be_a_list_with_something_in_it),
        cmocka_unit_test(an_entry_needs_key_version_and_fields),
        cmocka_unit_test(an_entry_with_an_unknown_word_is_refused),
        cmocka_unit_test(variants_are_a_list_whose_last_alone_may_be_for_everything),
        cmocka_unit_test(a_variant_is_checked_with_all_that_it_shares),
        cmocka_unit_test(a_tie_is_broken_by_position_only),
        cmocka_unit_test(a_withdrawal_needs_its_condition_and_reason),
        cmocka_unit_test(a_path_that_cannot_be_read_has_its_place),
        cmocka_unit_test(a_condition_says_one_thing),
        cmocka_unit_test(a_value_has_exactly_one_source),
        cmocka_unit_test(with_and_join_need_each_other),
        cmocka_unit_test(a_table_must_say_what_becomes_of_the_rest),
        cmocka_unit_test(else_without_a_table_is_refused),
        cmocka_unit_test(what_a_table_gives_must_be_a_symbol_of_the_field),
        cmocka_unit_test(what_is_given_for_a_number_must_be_one),
        cmocka_unit_test(a_table_file_needs_two_cells_a_row_and_each_key_once),
        cmocka_unit_test(other_steps_say_what_would_pass),
        cmocka_unit_test(a_pseudonym_needs_its_key),
        cmocka_unit_test(a_list_of_lists_needs_a_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
