/* What real documents demand of the mapping language: a test for each kind of document that shaped it,
 * on the smallest piece that has what is hard about it. Lists whose items are fetched one by one are in
 * http_list_test and notify_pull_test. */
#include "connectors/kit/lineage.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <stdlib.h>

static void open_as(struct source *source, const char *system, const char *from,
                    const char *domain, const char *records) {
    char text[4096];
    snprintf(text, sizeof text,
             "connector: trying\ninstitution: %s\nsystem: %s\nsource: {%s}\n"
             "target: {domain: %s}\nrecords:\n%s",
             strchr(system, '/') == NULL ? "sus" : "lu", strchr(system, '/') == NULL ? system
                                                                                     : system + 3,
             from, domain, records);
    source_open(source, text);
    hub_pipeline_begin(&source->pipeline, source->connector);
}

static void feed(struct source *source, const char *text) {
    source_feed(source, "document", text);
    hub_pipeline_take(&source->pipeline, &source->list);
}

/* A receiver's answer has an id and two dates: which universities it is between, only the request knows. */
static void an_ewp_imobility_takes_its_universities_from_the_request(void **state) {
    struct source source;
    (void)state;
    open_as(&source, "lu/lu-guests", "transport: file-drop, format: xml, folder: .", "exchange",
            "  - for_each: answer.mobility\n"
            "    key: [\"@request.sending_hei_id\", omobility-id]\n"
            "    version: {tie: position}\n"
            "    fields:\n"
            "      sending: \"@request.sending_hei_id\"\n"
            "      actual: {from: {from: start, time: {formats: [date]}}}\n");
    json_t *context = test_json("{'request': {'sending_hei_id': 'lu.example'}}");
    source_feed_document(&source, &(struct hub_raw_document){
                                      .name = "get",
                                      .bytes = hub_bytes_of_text(
                                          "<answer><mobility><omobility-id>7</omobility-id>"
                                          "<start>2026-09-01</start></mobility></answer>"),
                                      .context = context});
    json_decref(context);
    assert_string_equal(source.list.items[0].key, "lu-guests/lu.example/7");
    assert_string_equal(source_text(&source, 0, "sending.text"), "lu.example");
    source_close(&source);
}

/* EU numbers come under any of several types, and under titles of any language. */
static void a_number_of_another_register_is_known_by_its_form(void **state) {
    (void)state;
    assert_maps("trial",
                "identifiers: [{for_each: ids, value: id, classify: [euct, eudract, isrctn], relation: "
                "self, else: {scheme: other, relation: unverified}}]",
                "{'ids': [{'type': 'OTHER', 'id': '2024-512345-27-00'}, {'type': 'REGISTRY', 'id': "
                "'2019-001234-26'}, {'id': 'UMCL-2024/7'}]}",
                "{'identifiers': [{'scheme': 'euct', 'relation': 'SELF'}, {'scheme': 'eudract', "
                "'relation': 'SELF'}, {'scheme': 'other', 'relation': 'UNVERIFIED'}]}");
}

/* One document a member state, which counts its own subjects and the whole trial's. */
static void what_euctr_says_of_a_country_is_a_part_of_the_trial(void **state) {
    (void)state;
    assert_maps("trial",
                "enrolment: {count: all, type: {value: TARGET}}, by_country: [{country: land, subjects: "
                "here}]",
                "{'land': 'SE', 'here': 12, 'all': 140}",
                "{'enrolment': {'count': 140}, 'by_country': [{'country': 'SE', 'subjects': 12}]}");
}

/* Until June 2024 a status was a text and a date ISO 8601's; since then a number, and dd/mm/yyyy. */
static void ctis_is_read_as_before_and_as_after_its_relaunch(void **state) {
    struct source source;
    (void)state;
    open_as(&source, "sus-trials", "transport: file-drop, format: json, folder: .", "trial",
            "  - key: ctNumber\n"
            "    version: {tie: position}\n"
            "    fields: {}\n"
            "    variants:\n"
            "      - when: {present: ctPublicStatusCode}\n"
            "        fields:\n"
            "          status: {from: ctPublicStatusCode, table: {4: RECRUITING}, else: reject}\n"
            "          start: {from: begin, time: {formats: ['%d/%m/%Y']}}\n"
            "      - fields:\n"
            "          status: {from: ctStatus, table: {Ongoing: RECRUITING}, else: reject}\n"
            "          start: {from: begin, time: {formats: [date]}}\n");
    feed(&source, "{\"ctNumber\": \"1\", \"ctStatus\": \"Ongoing\", \"begin\": \"2023-05-04\"}");
    assert_string_equal(source_text(&source, 0, "status"), "RECRUITING");
    assert_string_equal(source_text(&source, 0, "start.value"), "2023-05-04");
    feed(&source, "{\"ctNumber\": \"2\", \"ctPublicStatusCode\": 4, \"begin\": \"04/05/2023\"}");
    assert_string_equal(source_text(&source, 0, "status"), "RECRUITING");
    assert_string_equal(source_text(&source, 0, "start.value"), "2023-05-04");
    source_close(&source);
}

static void what_registers_write_for_nothing_is_nothing(void **state) {
    static const char *const nothing[] = {"''", "[]", "{}", "null", "'INDISPONIBLE'", "['']"};
    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        char document[64];
        snprintf(document, sizeof document, "{'a': %s}", nothing[i]);
        assert_maps("trial", "acronym: {from: a, absent: [INDISPONIBLE]}", document,
                    "{'acronym': null}");
    }
    assert_maps("trial", "acronym: a", "{'a': ['one']}", "{'acronym': 'one'}"); /* a list of one */
}

static void a_date_stays_as_exact_as_its_register_writes_it(void **state) {
    static const struct {
        const char *written, *value, *precision;
    } dates[] = {{"April 2010", "2010-04-01", "MONTH"}, {"28/04/2021", "2021-04-28", "DAY"},
                 {"2016-07", "2016-07-01", "MONTH"}, {"2016", "2016-01-01", "YEAR"}};
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        char document[64], expected[96];
        snprintf(document, sizeof document, "{'d': '%s'}", dates[i].written);
        snprintf(expected, sizeof expected, "{'start': {'value': '%s', 'precision': '%s'}}",
                 dates[i].value, dates[i].precision);
        assert_maps("trial", "start: {from: d, time: {formats: ['%B %Y', '%d/%m/%Y', partial]}}",
                    document, expected);
    }
}

static const char siu[] =
    "  - for_each: RGS.AIL\n"
    "    key: [^SCH-2, AIL-1]\n"
    "    replaces: {group: ^SCH-2}\n"
    "    version: {from: ^MSH-7, tie: position}\n"
    "    fields:\n"
    "      facility: {value: \"ror:02z31g829\"}\n"
    "      suite: AIL-3\n"
    "      interval:\n"
    "        start: {first: [AIL-6, ^TQ1-7], time: {formats: [hl7], zone: UTC}}\n"
    "        end: {plus: {to: {first: [AIL-6, ^TQ1-7]}, amount: AIL-9, unit: AIL-10, time: {formats: "
    "[hl7], zone: UTC}}, time: {formats: [rfc3339]}}\n";

/* Three rooms, whose times stand elsewhere and whose durations have two units; then one room less. */
static void an_siu_of_three_rooms_is_three_slots_and_one_of_two_takes_the_third_back(void **state) {
    struct source source;
    (void)state;
    open_as(&source, "sus-atmp", "transport: mllp, format: hl7v2, listen: '127.0.0.1:2575'",
            "gmp-slot", siu);
    feed(&source, "MSH|^~\\&|A|B|C|D|20260302||SIU^S13|1|P|2.5\rSCH||F-1\rTQ1|1||||||202603020800\r"
                  "RGS|1\rAIL|1||A||||||90|MIN\rAIL|2||B|||202603021000|||2|H\rAIL|3||C||||||1|D\r");
    assert_int_equal(source.list.counts.published, 3);
    assert_string_equal(source_text(&source, 0, "interval.start.time"), "2026-03-02T08:00:00.000Z");
    assert_string_equal(source_text(&source, 0, "interval.end.time"), "2026-03-02T09:30:00.000Z");
    assert_string_equal(source_text(&source, 1, "interval.end.time"), "2026-03-02T12:00:00.000Z");
    assert_string_equal(source_text(&source, 2, "interval.end.time"), "2026-03-03T08:00:00.000Z");
    feed(&source, "MSH|^~\\&|A|B|C|D|20260303||SIU^S13|2|P|2.5\rSCH||F-1\rTQ1|1||||||202603020800\r"
                  "RGS|1\rAIL|1||A||||||90|MIN\rAIL|2||B||||||2|H\r");
    assert_int_equal(source.list.counts.published, 2);
    assert_int_equal(source.list.counts.vanished, 1);
    assert_string_equal(source.list.items[2].key, "sus-atmp/F-1/3");
    assert_string_equal(source_text(&source, 2, "statement.state"), "WITHDRAWN");
    source_close(&source);
}

static void an_empty_field_of_hl7_v2_changes_nothing_and_two_quotes_take_it_back(void **state) {
    struct source source;
    (void)state;
    open_as(&source, "sus-atmp", "transport: mllp, format: hl7v2, listen: '127.0.0.1:2575'",
            "gmp-slot",
            "  - key: SCH-2\n"
            "    update: patch\n"
            "    version: {from: MSH-7, tie: position}\n"
            "    fields: {facility: {value: \"ror:02z31g829\"}, suite: SCH-5}\n");
    feed(&source, "MSH|^~\\&|A|B|C|D|20260301||SIU^S12|1|P|2.5\rSCH||F-1|||SUITE-A\r");
    feed(&source, "MSH|^~\\&|A|B|C|D|20260302||SIU^S14|2|P|2.5\rSCH||F-1|||\r");
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-A");
    feed(&source, "MSH|^~\\&|A|B|C|D|20260303||SIU^S14|3|P|2.5\rSCH||F-1|||\"\"\r");
    assert_null(source_text(&source, 0, "suite"));
    source_close(&source);
}

static void a_fhir_slot_takes_its_room_from_the_schedule_that_it_names(void **state) {
    struct source source;
    (void)state;
    open_as(&source, "sus-atmp", "transport: file-drop, format: json, folder: .", "gmp-slot",
            "  - for_each: \"entry.resource[resourceType=Slot]\"\n"
            "    key: id\n"
            "    version: {tie: position}\n"
            "    fields:\n"
            "      facility: {value: \"ror:02z31g829\"}\n"
            "      suite: {ref: {from: schedule.reference, among: ^entry.resource, by: {join: "
            "[resourceType, id], with: /}, take: actor.display, else: reject}}\n");
    source_feed_json(&source,
                     "{'entry': [{'resource': {'resourceType': 'Slot', 'id': '1', 'schedule': "
                     "{'reference': 'Schedule/s'}}}, {'resource': {'resourceType': 'Schedule', 'id': "
                     "'s', 'actor': [{'display': 'SUITE-A'}]}}, {'resource': {'resourceType': 'Slot', "
                     "'id': '2', 'schedule': {'reference': 'Schedule/elsewhere'}}}]}");
    assert_int_equal(source.list.counts.published, 1);
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-A");
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 1, "code"), "REFERENCE");
    source_close(&source);
}

static void five_spellings_are_one_hospital_and_what_was_written_stays(void **state) {
    static const char *const spellings[] = {"Skånes universitetssjukhus", "SUS",
                                            "Skane University Hospital", "Skåne University Hospital",
                                            "Skånes Universitetssjukhus Lund"};
    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        char document[128], expected[192];
        snprintf(document, sizeof document, "{'s': '%s'}", spellings[i]);
        snprintf(expected, sizeof expected, "{'sponsor': {'org': 'ror:02z31g829', 'text': '%s'}}",
                 spellings[i]);
        assert_maps("trial", "sponsor: s", document, expected);
    }
    assert_maps("trial", "sponsor: s", "{'s': '[Redacted]'}",
                "{'sponsor': {'org': null, 'text': '[Redacted]'}}"); /* a blinded site */
}

/* A configuration of the project's. */
static void open_own(struct source *source, const char *file) {
    const char *schemas = getenv("HUB_SCHEMAS");
    struct hub_error error;
    source_make(source);
    const char *path = hub_arena_format(&source->arena, "%s/../connectors/%s",
                                        schemas == NULL ? "schemas" : schemas, file);
    expect_ok(hub_connector_load(path, test_catalogue(), /* keys_folder= */ NULL, &source->connector,
                                 &error),
              &error);
    hub_pipeline_begin(&source->pipeline, source->connector);
}

/* ISRCTN works its status out from its dates and the day on which it is asked. No mapping has a clock,
 * so none can: the status is left out. */
static void a_status_that_would_need_a_clock_is_left_out(void **state) {
    struct source source;
    (void)state;
    open_own(&source, "lu/isrctn.yaml");
    int status = hub_type_field(source.connector->domain->schema->root, "status");
    int start = hub_type_field(source.connector->domain->schema->root, "start");
    assert_true(hub_lineage_maps(source.connector->mapping, 0, (size_t)start));
    assert_false(hub_lineage_maps(source.connector->mapping, 0, (size_t)status));
    source_close(&source);
}

/* The payload of Ladok's feed has elements without a namespace that are called `entry` too. */
static void ladoks_own_entry_is_not_the_feeds(void **state) {
    static const char feed_page[] =
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:ui='http://schemas.ladok.se/"
        "utbildningsinformation'><entry><id>urn:1</id><updated>2026-03-01T08:00:00Z</updated>"
        "<category term='http://schemas.ladok.se/utbildningsinformation/KursUppdateradEvent'/>"
        "<content><ui:KursUppdateradEvent><entry xmlns=''><id>another</id></entry>"
        "<ui:UtbildningUID>0A0B0C0D-0000-11F0-8000-000000000001</ui:UtbildningUID>"
        "<ui:Utbildningskod>ATMP01</ui:Utbildningskod></ui:KursUppdateradEvent></content></entry></feed>";
    struct source source;
    (void)state;
    open_own(&source, "lu/ladok.yaml");
    source_feed(&source, "page", feed_page);
    assert_int_equal(source.list.counts.read, 1);
    assert_int_equal(source.list.counts.published, 1);
    assert_string_equal(source.list.items[0].key, "ladok/0a0b0c0d-0000-11f0-8000-000000000001");
    assert_string_equal(source_text(&source, 0, "code"), "ATMP01");
    source_close(&source);
}

/* A register whose dates are blank in some of its daily files. */
static void a_date_that_goes_blank_and_comes_back_stays_and_its_statement_says_so(void **state) {
    struct source source;
    (void)state;
    open_own(&source, "lumc/cart-register.yaml");
    static const char *const starts[] = {"2026-03", "", "", "", "2026-03"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        feed(&source, hub_arena_format(
                          &source.arena,
                          "NCTId,LastUpdatePostDate,BriefTitle,LeadSponsor,OverallStatus,Phase,Conditions,"
                          "Interventions,EnrollmentCount,StartDate\n"
                          "NCT99000399,2026-02-20,Cells,SUS,RECRUITING,PHASE1,Leukaemia,CAR-T,20,%s\n",
                          starts[i]));
        assert_int_equal(source.list.counts.published, 1);
        assert_string_equal(source_text(&source, 0, "start.value"), "2026-03-01");
        const char *reason = source_text(&source, 0, "statement.reason");
        assert_string_equal(reason == NULL ? "" : reason,
                            *starts[i] != '\0' ? ""
                                               : hub_arena_format(&source.arena,
                                                                  "kept while blank: start=%zu/3", i));
    }
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ewp_imobility_takes_its_universities_from_the_request),
        cmocka_unit_test(a_number_of_another_register_is_known_by_its_form),
        cmocka_unit_test(what_euctr_says_of_a_country_is_a_part_of_the_trial),
        cmocka_unit_test(ctis_is_read_as_before_and_as_after_its_relaunch),
        cmocka_unit_test(what_registers_write_for_nothing_is_nothing),
        cmocka_unit_test(a_date_stays_as_exact_as_its_register_writes_it),
        cmocka_unit_test(an_siu_of_three_rooms_is_three_slots_and_one_of_two_takes_the_third_back),
        cmocka_unit_test(an_empty_field_of_hl7_v2_changes_nothing_and_two_quotes_take_it_back),
        cmocka_unit_test(a_fhir_slot_takes_its_room_from_the_schedule_that_it_names),
        cmocka_unit_test(five_spellings_are_one_hospital_and_what_was_written_stays),
        cmocka_unit_test(a_date_that_goes_blank_and_comes_back_stays_and_its_statement_says_so),
        cmocka_unit_test(a_status_that_would_need_a_clock_is_left_out),
        cmocka_unit_test(ladoks_own_entry_is_not_the_feeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
