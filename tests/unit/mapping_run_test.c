/* mapping_run: which records a document holds, and that none of them is lost. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/source.h"

static const char head[] = "connector: trying\n"
                           "institution: sus\n"
                           "system: sus-trials\n"
                           "target: {domain: trial}\n";

static void open_json(struct source *source, const char *rest) {
    source_make(source);
    source_load(source, hub_arena_format(&source->arena,
                                         "%ssource: {transport: file-drop, format: json, folder: "
                                         ".}\n%s",
                                         head, rest));
}

static void open_csv(struct source *source, const char *rest) {
    source_make(source);
    source_load(source, hub_arena_format(&source->arena,
                                         "%ssource: {transport: file-drop, format: csv, folder: "
                                         ".}\n%s",
                                         head, rest));
}

static const char *version(struct source *source, size_t index) {
    return source_text(source, index, "statement.version");
}

/* --- which records --- */

static void without_for_each_the_document_is_one_record(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{key: id, version: v, fields: {acronym: a}}]");
    source_feed_json(&source, "{'id': 7, 'v': 1, 'a': 'SKIN'}");
    assert_int_equal(source.list.count, 1);
    assert_string_equal(source.list.items[0].key, "sus-trials/7");
    assert_string_equal(source_text(&source, 0, "acronym"), "SKIN");
    assert_string_equal(source_text(&source, 0, "statement.document"), "document.json");
    source_close(&source);
}

static void for_each_makes_a_record_of_each_and_tells_its_place(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{for_each: list, key: id, version: v, fields: {acronym: ^.a}}]");
    source_feed_json(&source, "{'a': 'X', 'list': [{'id': 1, 'v': 1}, {'id': 2, 'v': 1}]}");
    assert_int_equal(source.list.counts.published, 2);
    assert_string_equal(source.list.items[1].key, "sus-trials/2");
    assert_string_equal(source_text(&source, 1, "acronym"), "X");
    assert_string_equal(source_text(&source, 1, "statement.document"), "document.json#element=1");
    source_close(&source);
}

static void a_long_list_loses_none(void **state) {
    struct source source;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    open_json(&source, "records: [{for_each: list, when: {absent: x}, key: id, version: v, fields: "
                       "{}}]\nskip: [{when: {present: x}, reason: marked}]");
    hub_buffer_append_text(&text, "{\"list\": [");
    for (int i = 0; i < 100001; i++)
        hub_buffer_append_text(&text, i == 0 ? "{\"x\":1}" : ",{\"x\":1}");
    hub_buffer_append_text(&text, "]}");
    source_feed(&source, "long.json", hub_buffer_text(&text));
    assert_int_equal(source.list.counts.skipped, 100001);
    source_close(&source);
}

static void the_row_of_a_table_has_its_line_and_bytes(void **state) {
    struct source source;
    (void)state;
    open_csv(&source, "records: [{key: id, version: v, fields: {enrolment: {count: n, type: {value: "
                      "TARGET}}}}]");
    source_feed(&source, "t.csv", "id,v,n\n1,1,20\n2,1,many\n3,1,30\n");
    assert_int_equal(source.list.counts.published, 2);
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "statement.document"), "t.csv#line=2");
    assert_string_equal(source_text(&source, 1, "document"), "t.csv#line=3");
    assert_string_equal(source_text(&source, 1, "path"), "enrolment.count");
    assert_true(hub_bytes_equal_text(source_original(&source, 1), "2,1,many\n"));
    assert_string_equal(source_text(&source, 2, "statement.document"), "t.csv#line=4");
    source_close(&source);
}

static void every_entry_whose_condition_holds_takes_the_record(void **state) {
    struct source source;
    (void)state;
    open_json(&source,
              "records:\n"
              "  - {for_each: list, when: {present: a}, key: [{value: a}, id], version: v, fields: "
              "{}}\n"
              "  - {for_each: list, when: {present: b}, key: [{value: b}, id], version: v, fields: "
              "{}}\n");
    source_feed_json(&source, "{'list': [{'id': 1, 'v': 1, 'a': 1, 'b': 1}, {'id': 2, 'v': 1, 'b': "
                              "1}]}");
    assert_int_equal(source.list.counts.published, 3);
    assert_string_equal(source.list.items[0].key, "sus-trials/a/1");
    assert_string_equal(source.list.items[1].key, "sus-trials/b/1");
    assert_string_equal(source.list.items[2].key, "sus-trials/b/2");
    source_close(&source);
}

/* --- variants --- */

static const char two_generations[] =
    "records:\n"
    "  - key: id\n"
    "    version: v\n"
    "    fields: {acronym: name, status: {from: state, table: {open: RECRUITING}, else: reject}}\n"
    "    variants:\n"
    "      - when: {present: code}\n"
    "        version: {from: v, time: {formats: ['%d/%m/%Y']}}\n"
    "        fields: {status: {from: code, table: {4: RECRUITING, 6: HALTED}, else: reject}}\n"
    "      - when: {present: state}\n";

static void the_first_variant_that_holds_is_laid_over_what_they_share(void **state) {
    struct source source;
    (void)state;
    open_json(&source, two_generations);
    source_feed_json(&source, "{'id': 1, 'v': '02/03/2026', 'name': 'SKIN', 'code': 6, 'state': "
                              "'open'}");
    assert_int_equal(source.list.count, 1);
    assert_string_equal(version(&source, 0), "2026-03-02");
    assert_string_equal(source_text(&source, 0, "status"), "HALTED");
    assert_string_equal(source_text(&source, 0, "acronym"), "SKIN");
    source_feed_json(&source, "{'id': 1, 'v': '2026-03-02', 'name': 'SKIN', 'state': 'open'}");
    assert_int_equal(source.list.count, 1);
    assert_string_equal(version(&source, 0), "2026-03-02");
    assert_string_equal(source_text(&source, 0, "status"), "RECRUITING");
    assert_string_equal(source_text(&source, 0, "acronym"), "SKIN");
    source_close(&source);
}

static void a_generation_that_no_variant_knows_is_refused(void **state) {
    struct source source;
    (void)state;
    open_json(&source, two_generations);
    source_feed_json(&source, "{'id': 1, 'v': '2026-03-02', 'condition': 'open'}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "code"), "UNMATCHED");
    source_close(&source);
}

static void an_entry_whose_condition_fails_has_no_variant(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records:\n"
                       "  - {when: {path: kind, in: [trial]}, key: id, version: v, fields: {},\n"
                       "     variants: [{when: [{present: name}, {absent: old}], fields: {acronym: "
                       "name}}]}\n"
                       "skip: [{when: {path: kind, in: [site]}, reason: no trial}]\n");
    source_feed_json(&source, "{'id': 1, 'v': 1, 'kind': 'site', 'name': 'SKIN'}");
    assert_int_equal(source.list.counts.skipped, 1);
    source_feed_json(&source, "{'id': 1, 'v': 1, 'kind': 'trial', 'name': 'SKIN', 'old': 1}");
    assert_int_equal(source.list.counts.dead, 1);
    source_feed_json(&source, "{'id': 1, 'v': 1, 'kind': 'trial', 'name': 'SKIN'}");
    assert_string_equal(source_text(&source, 0, "acronym"), "SKIN");
    source_close(&source);
}

/* --- what no entry takes --- */

static void what_no_entry_takes_is_refused(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{for_each: list, when: {path: kind, in: [a]}, key: id, version: v, "
                       "fields: {}}]");
    source_feed_json(&source, "{'list': [{'id': 1, 'v': 1, 'kind': 'b'}, {'id': 2, 'v': 1, 'kind': "
                              "'a'}]}");
    assert_int_equal(source.list.counts.published, 1);
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 1, "code"), "UNMATCHED");
    assert_string_equal(source_text(&source, 1, "stage"), "map");
    assert_string_equal(source_text(&source, 1, "document"), "document.json#element=0");
    assert_says(source_text(&source, 1, "reason"), "no entry of 'records' takes it");
    assert_true(source_original(&source, 1).size > 0);
    source_close(&source);
}

static void what_is_skipped_by_name_is_counted(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{when: {path: kind, in: [a]}, key: id, version: v, fields: {}}]\n"
                       "skip: [{when: {path: kind, in: [b]}, reason: tells of no trial}]");
    source_feed_json(&source, "{'id': 1, 'kind': 'b'}");
    assert_int_equal(source.list.counts.skipped, 1);
    assert_int_equal(source.list.count, 0);
    source_feed_json(&source, "{'id': 1, 'kind': 'c'}");
    assert_int_equal(source.list.counts.dead, 1);
    source_close(&source);
}

static void a_record_that_an_entry_takes_is_never_skipped(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{key: id, version: v, fields: {}}]\n"
                       "skip: [{when: {present: id}, reason: not wanted}]");
    source_feed_json(&source, "{'id': 1, 'v': 1}");
    assert_int_equal(source.list.counts.published, 1);
    source_close(&source);
}

static void a_document_of_which_a_part_is_taken_is_not_left_over(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records:\n"
                       "  - {when: {present: id}, key: id, version: v, fields: {}}\n"
                       "  - {for_each: list, when: {present: v}, key: id, version: v, fields: {}}\n"
                       "skip: [{when: {present: list}, reason: nothing in it}]\n");
    source_feed_json(&source, "{'list': [{'id': 1, 'v': 1}, {'id': 2}]}");
    assert_int_equal(source.list.counts.published, 1);
    assert_int_equal(source.list.counts.dead, 1); /* the other part */
    assert_int_equal(source.list.counts.skipped, 0);
    source_feed_json(&source, "{'list': []}");
    assert_int_equal(source.list.counts.published, 0);
    assert_int_equal(source.list.counts.dead, 1); /* an empty list is absent */
    source_feed_json(&source, "{'list': [{'id': 2}]}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_int_equal(source.list.counts.skipped, 1);
    source_close(&source);
}

static void a_row_that_no_for_each_leads_to_is_refused_with_its_own_bytes(void **state) {
    struct source source;
    (void)state;
    open_csv(&source, "records:\n"
                      "  - {for_each: '[kind=b]', key: id, version: v, fields: {}}\n"
                      "  - {for_each: '[kind=a]', when: {present: v}, key: id, version: v, "
                      "fields: {}}\n");
    source_feed(&source, "t.csv", "id,v,kind\n1,,a\n2,1,b\n3,1,c\n4,,a\n");
    assert_int_equal(source.list.counts.read, 4);
    assert_int_equal(source.list.counts.published, 1);
    assert_int_equal(source.list.counts.dead, 3);
    assert_true(hub_bytes_equal_text(source_original(&source, 1), "1,,a\n"));
    assert_true(hub_bytes_equal_text(source_original(&source, 2), "3,1,c\n"));
    assert_true(hub_bytes_equal_text(source_original(&source, 3), "4,,a\n"));
    assert_string_equal(source_text(&source, 3, "document"), "t.csv#line=5");
    source_close(&source);
}

static void a_document_without_records_is_refused_unless_it_may_be_empty(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{for_each: list, key: id, version: v, fields: {}}]");
    source_feed_json(&source, "{'lists': []}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "code"), "EMPTY");
    assert_says(source_text(&source, 0, "reason"), "no record is in it where 'for_each' looks");
    source_close(&source);
    open_json(&source, "empty: accept\n"
                       "records: [{for_each: list, key: id, version: v, fields: {}}]");
    source_feed_json(&source, "{'list': []}");
    assert_int_equal(source.list.count, 0);
    source_close(&source);
}

/* --- key and version --- */

static void the_first_path_that_leads_to_any_record_is_for_each(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{for_each: [items, .], when: {present: id}, key: id, version: v, "
                       "fields: {}}]");
    source_feed_json(&source, "{'items': [{'id': 1, 'v': 1}, {'id': 2, 'v': 1}]}");
    assert_int_equal(source.list.counts.published, 2);
    assert_int_equal(source.list.counts.read, 2); /* the page itself is no record */
    source_feed_json(&source, "{'id': 3, 'v': 1}");
    assert_int_equal(source.list.counts.published, 1);
    source_close(&source);
}

static void for_each_is_a_path_or_a_list_of_some(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    assert_says(source_refusal(&source, "connector: c\ninstitution: lu\nsystem: isrctn\n"
                                        "source: {transport: file-drop, format: json, folder: .}\n"
                                        "target: {domain: trial}\n"
                                        "records: [{for_each: [], key: id, version: v, fields: {}}]\n"),
                "a path or a list of paths would pass");
    source_close(&source);
}

static void a_document_without_records_is_skipped_where_its_name_is_known(void **state) {
    struct source source;
    static const char *const configurations[] = {
        "records: [{for_each: list, key: id, version: v, fields: {}}]\n"
        "skip: [{when: {present: index}, reason: a list of numbers}]",
        "records: [{for_each: list, key: id, version: v, fields: {}}]\n"
        "skip: [{when: {present: index}, reason: a list of numbers}]\n"
        "empty: accept"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        open_json(&source, configurations[i]);
        source_feed_json(&source, "{'index': [1, 2]}");
        assert_int_equal(source.list.counts.skipped, 1);
        assert_int_equal(source.list.count, 0);
        source_feed_json(&source, "{'other': [1, 2]}");
        assert_int_equal(source.list.counts.skipped, 0);
        assert_int_equal(source.list.counts.dead, i == 0);
        source_close(&source);
    }
}

static void a_key_that_lacks_a_part_is_refused_and_the_next_record_goes_on(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{for_each: list, key: [a, b], version: v, fields: {}}]");
    source_feed_json(&source, "{'list': [{'a': 1, 'v': 1}, {'a': 1, 'b': 2, 'v': 1}]}");
    assert_string_equal(source_text(&source, 0, "code"), "KEY");
    assert_string_equal(source_text(&source, 0, "reason"), "part 2 of the key is absent");
    assert_string_equal(source.list.items[1].key, "sus-trials/1/2");
    source_close(&source);
}

static void a_version_that_is_absent_is_refused_unless_the_position_breaks_ties(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{key: id, version: v, fields: {}}]");
    source_feed_json(&source, "{'id': 1}");
    assert_string_equal(source_text(&source, 0, "code"), "VERSION");
    assert_string_equal(source_text(&source, 0, "path"), "statement.version");
    source_close(&source);
    open_json(&source, "records: [{key: id, version: {from: v, tie: position}, fields: {}}]");
    source_feed_json(&source, "{'id': 1}");
    assert_string_equal(version(&source, 0), "~000000000001");
    source_feed_json(&source, "{'id': 1, 'v': 'b'}");
    assert_string_equal(version(&source, 0), "b~000000000002");
    source_close(&source);
}

static void a_version_with_a_time_is_put_in_an_order(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{key: id, version: {from: v, time: {formats: ['%d/%m/%Y']}}, "
                       "fields: {}}]");
    source_feed_json(&source, "{'id': 1, 'v': '28/04/2021'}");
    assert_string_equal(version(&source, 0), "2021-04-28");
    source_feed_json(&source, "{'id': 1, 'v': '2021'}");
    assert_string_equal(source_text(&source, 0, "code"), "TIME");
    assert_string_equal(source_text(&source, 0, "path"), "statement.version");
    source_close(&source);
}

static void the_later_of_two_records_of_one_key_has_the_later_version(void **state) {
    struct source source;
    (void)state;
    open_csv(&source, "records: [{key: id, version: {tie: position}, fields: {acronym: a}}]");
    source_feed(&source, "t.csv", "id,a\n1,first\n2,other\n1,second\n");
    assert_string_equal(version(&source, 0), "~000000000001");
    assert_string_equal(version(&source, 1), "~000000000001");
    assert_string_equal(version(&source, 2), "~000000000001.000001");
    source_feed(&source, "t.csv", "id,a\n1,third\n");
    assert_string_equal(version(&source, 0), "~000000000002");
    source_close(&source);
}

/* --- the stamp --- */

static void times_of_the_statement_come_from_the_record(void **state) {
    struct source source;
    (void)state;
    open_json(&source,
              "records: [{key: id, version: v, event_time: {from: e, time: {formats: [rfc3339]}}, "
              "recorded_time: {from: r, time: {formats: [rfc3339]}}, fields: {}}]");
    source_feed_json(&source, "{'id': 1, 'v': 1, 'e': '2026-03-02T08:00:00+01:00'}");
    expect_json(source_record(&source, 0), "statement.event_time.time",
                "'2026-03-02T07:00:00.000Z'");
    expect_json(source_record(&source, 0), "statement.recorded_time", "null");
    source_feed_json(&source, "{'id': 1, 'v': 1, 'r': 'soon'}");
    assert_string_equal(source_text(&source, 0, "path"), "statement.recorded_time");
    assert_string_equal(source_text(&source, 0, "code"), "TIME");
    source_close(&source);
}

static void a_record_may_say_that_it_is_withdrawn(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{key: id, version: v, withdrawn: {when: {path: s, in: [error]}, "
                       "reason: entered in error}, fields: {}}]");
    source_feed_json(&source, "{'id': 1, 'v': 1, 's': 'error'}");
    assert_int_equal(source.list.counts.withdrawn, 1);
    assert_string_equal(source_text(&source, 0, "statement.state"), "WITHDRAWN");
    assert_string_equal(source_text(&source, 0, "statement.reason"), "entered in error");
    source_feed_json(&source, "{'id': 1, 'v': 2, 's': 'fine'}");
    assert_string_equal(source_text(&source, 0, "statement.state"), "CURRENT");
    expect_json(source_record(&source, 0), "statement.reason", "null");
    source_close(&source);
}

static void facts_about_the_request_are_there_too(void **state) {
    struct source source;
    (void)state;
    open_json(&source, "records: [{for_each: list, key: ['@request.who', id], version: v, fields: "
                       "{acronym: '@file.match.date'}}]");
    json_t *context = test_json("{'request': {'who': 'lu.se'}, 'file': {'match': {'date': "
                                "'2026-03-01'}}}");
    source_feed_document(
        &source, &(struct hub_raw_document){.name = "d.json",
                                            .bytes = hub_bytes_of_text(
                                                "{\"list\": [{\"id\": 1, \"v\": 1}]}"),
                                            .context = context});
    assert_string_equal(source.list.items[0].key, "sus-trials/lu.se/1");
    assert_string_equal(source_text(&source, 0, "acronym"), "2026-03-01");
    json_decref(context);
    source_close(&source);
}

static void one_document_and_configuration_give_the_same_bytes_again(void **state) {
    struct source first, second;
    (void)state;
    static const char rest[] = "records: [{for_each: list, key: id, version: v, fields: {acronym: a}}]";
    static const char text[] = "{'list': [{'id': 1, 'v': 1, 'a': 'x'}, {'id': 2, 'v': 1}]}";
    open_json(&first, rest);
    open_json(&second, rest);
    source_feed_json(&first, text);
    source_feed_json(&second, text);
    for (size_t i = 0; i < 2; i++)
        assert_true(hub_bytes_equal(first.list.items[i].value, second.list.items[i].value));
    source_close(&first);
    source_close(&second);
}

static void a_record_over_the_size_limit_is_refused_with_both_numbers(void **state) {
    struct source source;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    open_json(&source, "records: [{key: id, version: v, fields: {conditions: {each: c}}}]");
    hub_buffer_append_text(&text, "{\"id\": 1, \"v\": 1, \"c\": [\"");
    for (int i = 0; i < 110000; i++)
        hub_buffer_append_text(&text, "0123456789");
    hub_buffer_append_text(&text, "\"]}");
    source_feed(&source, "big.json", hub_buffer_text(&text));
    assert_string_equal(source_text(&source, 0, "code"), "SIZE");
    assert_says(source_text(&source, 0, "reason"), " bytes, over the limit of 1048576");
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_for_each_the_document_is_one_record),
        cmocka_unit_test(for_each_makes_a_record_of_each_and_tells_its_place),
        cmocka_unit_test(a_long_list_loses_none),
        cmocka_unit_test(the_row_of_a_table_has_its_line_and_bytes),
        cmocka_unit_test(every_entry_whose_condition_holds_takes_the_record),
        cmocka_unit_test(the_first_variant_that_holds_is_laid_over_what_they_share),
        cmocka_unit_test(a_generation_that_no_variant_knows_is_refused),
        cmocka_unit_test(an_entry_whose_condition_fails_has_no_variant),
        cmocka_unit_test(what_no_entry_takes_is_refused),
        cmocka_unit_test(what_is_skipped_by_name_is_counted),
        cmocka_unit_test(a_record_that_an_entry_takes_is_never_skipped),
        cmocka_unit_test(a_document_of_which_a_part_is_taken_is_not_left_over),
        cmocka_unit_test(a_row_that_no_for_each_leads_to_is_refused_with_its_own_bytes),
        cmocka_unit_test(a_document_without_records_is_refused_unless_it_may_be_empty),
        cmocka_unit_test(a_key_that_lacks_a_part_is_refused_and_the_next_record_goes_on),
        cmocka_unit_test(a_version_that_is_absent_is_refused_unless_the_position_breaks_ties),
        cmocka_unit_test(a_version_with_a_time_is_put_in_an_order),
        cmocka_unit_test(the_later_of_two_records_of_one_key_has_the_later_version),
        cmocka_unit_test(times_of_the_statement_come_from_the_record),
        cmocka_unit_test(a_record_may_say_that_it_is_withdrawn),
        cmocka_unit_test(facts_about_the_request_are_there_too),
        cmocka_unit_test(one_document_and_configuration_give_the_same_bytes_again),
        cmocka_unit_test(a_record_over_the_size_limit_is_refused_with_both_numbers),
        cmocka_unit_test(the_first_path_that_leads_to_any_record_is_for_each),
        cmocka_unit_test(for_each_is_a_path_or_a_list_of_some),
        cmocka_unit_test(a_document_without_records_is_skipped_where_its_name_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
