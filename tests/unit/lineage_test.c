/* lineage: where in a source document a field comes from, read off the mapping alone. */
#include "connectors/kit/lineage.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/source.h"

static const char head[] = "connector: sus-list\n"
                           "institution: sus\n"
                           "system: sus-trials\n"
                           "source: {transport: file-drop, format: json, folder: .}\n"
                           "target: {domain: trial}\n";

/* A configuration with these records, and the origins of one field of one of them. */
struct tracing {
    struct source source;
    json_t *origins;
    char text[8192];
};

static void open_tracing(struct tracing *tracing, const char *records) {
    *tracing = (struct tracing){0};
    snprintf(tracing->text, sizeof tracing->text, "%srecords:\n%s", head, records);
    source_open(&tracing->source, tracing->text);
}

static void close_tracing(struct tracing *tracing) {
    json_decref(tracing->origins);
    source_close(&tracing->source);
}

static size_t field_of(const struct tracing *tracing, const char *name) {
    int field = hub_type_field(tracing->source.connector->domain->schema->root, name);
    assert_true(field >= 0);
    return (size_t)field;
}

static const json_t *trace(struct tracing *tracing, size_t record, const char *field,
                           const char *place) {
    json_decref(tracing->origins);
    tracing->origins = hub_lineage_field(tracing->source.connector->mapping, record, 0,
                                         field_of(tracing, field), place);
    return tracing->origins;
}

/* The origins in words, one a line: "titles[].text: a.b, split at ..., where c is d". */
static const char *words(struct tracing *tracing, size_t record, const char *field,
                         const char *place) {
    HUB_SCOPED_BUFFER text = {0};
    const json_t *origins = trace(tracing, record, field, place), *origin;
    size_t i;
    json_array_foreach((json_t *)origins, i, origin) {
        const json_t *when = json_object_get(origin, "when");
        hub_buffer_append_format(&text, "%s%s: ", i == 0 ? "" : "\n",
                                 json_string_value(json_object_get(origin, "target")));
        hub_lineage_append_source(json_object_get(origin, "source"), &text);
        if (when != NULL)
            hub_buffer_append_text(&text, ", where ");
        hub_lineage_append_conditions(when, &text);
    }
    snprintf(tracing->text, sizeof tracing->text, "%s",
             text.size == 0 ? "" : hub_buffer_text(&text));
    return tracing->text;
}

/* One record without for_each, with these fields. */
static const char *words_of(const char *field, const char *fields) {
    static char text[8192];
    struct tracing tracing;
    char records[4096];
    snprintf(records, sizeof records,
             "  - {key: id, version: {tie: position}, fields: {%s}}\n", fields);
    open_tracing(&tracing, records);
    snprintf(text, sizeof text, "%s", words(&tracing, 0, field, ""));
    close_tracing(&tracing);
    return text;
}

/* --- values --- */

static void a_path_is_told_with_all_that_is_done_to_what_it_gives(void **state) {
    (void)state;
    assert_string_equal(words_of("acronym", "acronym: a.b"), "acronym: a.b");
    assert_string_equal(words_of("acronym", "acronym: {from: a, match: '(.*)x', absent: [n]}"),
                        "acronym: a, absent where it is n, the part that fits (.*)x");
    assert_string_equal(
        words_of("status", "status: {from: a, fold: case, table: {x: ACTIVE}, else: reject}"),
        "status: a, in small letters, table of the configuration, else reject");
    assert_string_equal(words_of("start", "start: {from: a, time: {formats: [date, partial]}}"),
                        "start: a, read as date, partial");
    assert_string_equal(words_of("acronym", "acronym: {from: a, pick: max}"),
                        "acronym: a, the max of them");
    assert_string_equal(words_of("acronym", "acronym: {from: a, pseudonym: shared}"),
                        "acronym: a, made a pseudonym with the key shared");
    static const char sponsor[] = "sponsor: {from: a, lookup: organisations, else: keep}";
    assert_string_equal(words_of("sponsor", sponsor),
                        "sponsor: a, looked up in organisations, else keep");
}

static void what_the_configuration_gives_is_told_as_such(void **state) {
    (void)state;
    assert_string_equal(words_of("status", "status: {value: ACTIVE}"),
                        "status: \"ACTIVE\", given by the configuration");
}

static void alternatives_and_joined_parts_are_all_told(void **state) {
    (void)state;
    assert_string_equal(words_of("acronym", "acronym: {first: [a, {value: x}]}"),
                        "acronym: the first stated of (a; \"x\", given by the configuration)");
    assert_string_equal(words_of("acronym", "acronym: {join: [a, b], with: '/'}"),
                        "acronym: (a; b) joined with \"/\"");
}

static void a_fact_outside_the_document_is_told_as_such(void **state) {
    (void)state;
    assert_string_equal(words_of("acronym", "acronym: '@request.x'"),
                        "acronym: @request.x (told with the document, not in it)");
}

static void a_field_that_is_not_mapped_comes_from_nowhere(void **state) {
    (void)state;
    assert_string_equal(words_of("status", "acronym: a"), "");
}

/* --- arrays --- */

static void the_parts_of_an_element_are_told_below_each_of_its_elements(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, "  - key: id\n    version: {tie: position}\n    fields:\n"
                           "      sites:\n"
                           "        - {for_each: a.b, when: {present: n}, site: n, city: ^c,"
                           " country: ^^d}\n"
                           "        - {site: {value: LUMC}, city: e}\n");
    assert_string_equal(words(&tracing, 0, "sites", ""),
                        "sites[].site: a.b[*].n, where a.b[*].n is stated\n"
                        "sites[].city: c, where a.b[*].n is stated\n"
                        "sites[].country: d, where a.b[*].n is stated\n"
                        "sites[].site: \"LUMC\", given by the configuration\n"
                        "sites[].city: e");
    expect_json(tracing.origins, "0.item", "0");
    expect_json(tracing.origins, "0.each", "'a.b[*]'");
    expect_json(tracing.origins, "3.item", "1");
    expect_json(tracing.origins, "3.each", NULL);
    close_tracing(&tracing);
}

static void the_parts_of_a_split_text_are_told_by_the_text(void **state) {
    (void)state;
    assert_string_equal(words_of("conditions", "conditions: {each: a, split: '|'}"),
                        "conditions[]: a, split at \"|\"");
    assert_string_equal(words_of("products", "products: {for_each: {from: a, split: '|'},"
                                             " name: ., kind: {value: OTHER}}"),
                        "products[].name: a, split at \"|\"\n"
                        "products[].kind: \"OTHER\", given by the configuration");
}

static void an_element_itself_is_what_a_dot_is(void **state) {
    (void)state;
    assert_string_equal(words_of("by_country", "by_country: {for_each: a, country: .}"),
                        "by_country[].country: a[*]");
}

static void identifiers_are_told_with_their_schemes_and_what_they_are(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing,
                 "  - key: id\n    version: {tie: position}\n    fields:\n      identifiers:\n"
                 "        - {for_each: a, classify: [nct, euct], value: v, relation: self,"
                 " else: drop}\n"
                 "        - {scan: [nct], value: b, except: a, relation: related}\n");
    assert_string_equal(words(&tracing, 0, "identifiers", ""),
                        "identifiers[].value: a[*].v, as nct, euct\n"
                        "identifiers[].value: b, found in its texts, as nct");
    expect_json(tracing.origins, "0.source.relation", "'self'");
    expect_json(tracing.origins, "0.source.otherwise", "'drop'");
    expect_json(tracing.origins, "1.source.scan", "true");
    close_tracing(&tracing);
}

/* --- records --- */

static const char two_kinds[] =
    "  - for_each: list\n"
    "    when: {path: kind, in: [Slot]}\n"
    "    key: [kind, id]\n"
    "    version: {tie: position}\n"
    "    fields: {acronym: a, end: {from: ^z, time: {formats: [date]}}}\n"
    "  - when: [{path: kind, not_in: [Slot]}, {absent: gone}]\n"
    "    key: [kind, id]\n"
    "    version: {tie: position}\n"
    "    fields: {acronym: b, start: {from: s, time: {formats: [date]}}}\n"
    "  - {key: [{value: old}, x, id], version: {tie: position}, fields: {acronym: c}}\n";

static void the_place_of_a_record_tells_which_element_it_is(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, two_kinds);
    assert_string_equal(words(&tracing, 0, "acronym", "element=3"), "acronym: list[3].a");
    assert_string_equal(words(&tracing, 0, "acronym", ""), "acronym: list[*].a");
    assert_string_equal(words(&tracing, 0, "acronym", "line=7"), "acronym: a");
    assert_string_equal(words(&tracing, 0, "end", "element=3"), "end: z, read as date");
    assert_string_equal(words(&tracing, 1, "acronym", ""), "acronym: b");
    close_tracing(&tracing);
}

static void of_several_places_for_records_each_is_a_way(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, "  - {for_each: [a.b, c], key: id, version: {tie: position},"
                           " fields: {acronym: n}}\n");
    const struct hub_mapping *mapping = tracing.source.connector->mapping;
    size_t field = field_of(&tracing, "acronym");
    assert_int_equal(hub_lineage_way_count(mapping, 0), 2);
    for (size_t way = 0; way < 2; way++) {
        json_decref(tracing.origins);
        tracing.origins = hub_lineage_field(mapping, 0, way, field, "element=1");
        expect_json(tracing.origins, "0.source.path", way == 0 ? "'a.b[1].n'" : "'c[1].n'");
    }
    close_tracing(&tracing);
}

static void in_a_file_of_messages_an_element_is_one_of_its_message(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, two_kinds);
    assert_string_equal(words(&tracing, 0, "acronym", "line=7,element=3"), "acronym: list[3].a");
    assert_string_equal(words(&tracing, 0, "end", "line=7,element=3"), "end: z, read as date");
    assert_string_equal(words(&tracing, 1, "acronym", "line=7"), "acronym: b");
    close_tracing(&tracing);
}

static void what_is_so_much_later_is_told_with_its_parts(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, "  - {key: id, version: v, fields: {start: {plus: {to: s, amount: n, "
                           "unit: {value: h}, time: {formats: [hl7], zone: UTC}}, time: {formats: "
                           "[rfc3339]}}}}\n");
    assert_string_equal(words(&tracing, 0, "start", ""),
                        "start: s and n times the unit of \"h\", given by the configuration, read "
                        "as rfc3339");
    expect_json(tracing.origins, "0.source.plus.to", "{'path': 's'}");
    expect_json(tracing.origins, "0.source.plus.time.zone", "'UTC'");
    close_tracing(&tracing);
}

static void what_another_part_says_is_told_with_how_it_is_found(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, "  - {key: id, version: v, for_each: list, fields: {acronym: {ref: {from: "
                           "r, among: ^parts, by: id, take: n, else: null}}}}\n");
    assert_string_equal(words(&tracing, 0, "acronym", "element=2"),
                        "acronym: n of the part among parts whose id is list[2].r");
    close_tracing(&tracing);
}

static void in_which_folder_another_part_is_found_is_told(void **state) {
    struct tracing tracing = {0};
    (void)state;
    snprintf(tracing.text, sizeof tracing.text,
             "%srecords:\n  - {key: id, version: v, for_each: list, fields: {acronym: {ref: {from: r, "
             "folder: lists, among: parts, by: id, take: n, else: null}}}}\n", head);
    source_make(&tracing.source);
    folder_write(&tracing.source.folder, "lists/one.json", "{}");
    source_load(&tracing.source, tracing.text);
    assert_string_equal(words(&tracing, 0, "acronym", "element=2"),
                        "acronym: n of the part among parts in the documents of lists whose id is "
                        "list[2].r");
    expect_json(tracing.origins, "0.source.ref.folder", "'lists'");
    close_tracing(&tracing);
}

static void that_a_record_is_laid_over_another_is_told(void **state) {
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, "  - {key: id, version: v, update: patch, fields: {acronym: a}}\n");
    json_t *record = hub_lineage_record(tracing.source.connector->mapping, 0, 0, "");
    assert_string_equal(json_string_value(json_object_get(record, "update")), "patch");
    json_decref(record);
    close_tracing(&tracing);
}

static void an_entry_that_cannot_have_made_a_key_is_ruled_out(void **state) {
    static const struct {
        const char *source_id;
        bool made_by[3];
    } cases[] = {{"Slot/1", {true, false, false}},
                 {"Other/1", {false, true, false}},
                 {"old/a/1", {true, true, true}}, /* an id may have a / of its own */
                 {"new/a/1", {true, true, false}},
                 {"1", {false, false, false}}};
    struct tracing tracing;
    (void)state;
    open_tracing(&tracing, two_kinds);
    const struct hub_mapping *mapping = tracing.source.connector->mapping;
    assert_int_equal(hub_lineage_record_count(mapping), 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t record = 0; record < 3; record++)
            assert_int_equal(hub_lineage_may_make(mapping, record, cases[i].source_id),
                             cases[i].made_by[record]);
    assert_true(hub_lineage_maps(mapping, 1, field_of(&tracing, "start")));
    assert_false(hub_lineage_maps(mapping, 0, field_of(&tracing, "start")));
    close_tracing(&tracing);
}

static void an_entry_is_told_with_its_line_and_conditions(void **state) {
    struct tracing tracing;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    open_tracing(&tracing, two_kinds);
    json_t *told = hub_lineage_record(tracing.source.connector->mapping, 1, 0, "");
    hub_lineage_append_conditions(json_object_get(told, "when"), &text);
    assert_string_equal(hub_buffer_text(&text), "kind is not Slot and gone is not stated");
    expect_json(told, "line", "12");
    json_decref(told);
    told = hub_lineage_record(tracing.source.connector->mapping, 0, 0, "element=2");
    expect_json(told, "when.0.path", "'list[2].kind'");
    expect_json(told, "when.0.in", "['Slot']");
    json_decref(told);
    close_tracing(&tracing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_told_with_all_that_is_done_to_what_it_gives),
        cmocka_unit_test(what_the_configuration_gives_is_told_as_such),
        cmocka_unit_test(alternatives_and_joined_parts_are_all_told),
        cmocka_unit_test(a_fact_outside_the_document_is_told_as_such),
        cmocka_unit_test(a_field_that_is_not_mapped_comes_from_nowhere),
        cmocka_unit_test(the_parts_of_an_element_are_told_below_each_of_its_elements),
        cmocka_unit_test(the_parts_of_a_split_text_are_told_by_the_text),
        cmocka_unit_test(an_element_itself_is_what_a_dot_is),
        cmocka_unit_test(identifiers_are_told_with_their_schemes_and_what_they_are),
        cmocka_unit_test(the_place_of_a_record_tells_which_element_it_is),
        cmocka_unit_test(of_several_places_for_records_each_is_a_way),
        cmocka_unit_test(what_another_part_says_is_told_with_how_it_is_found),
        cmocka_unit_test(in_which_folder_another_part_is_found_is_told),
        cmocka_unit_test(that_a_record_is_laid_over_another_is_told),
        cmocka_unit_test(an_entry_that_cannot_have_made_a_key_is_ruled_out),
        cmocka_unit_test(an_entry_is_told_with_its_line_and_conditions),
        cmocka_unit_test(in_a_file_of_messages_an_element_is_one_of_its_message),
        cmocka_unit_test(what_is_so_much_later_is_told_with_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
