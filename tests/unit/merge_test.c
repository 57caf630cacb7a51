/* merge: what the unified value carries, and whose it is. */
#include "hub/core/merge.h"

#include "schemas/lib/slice.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/merging.h"
#include "tests/lib/own_domain.h"

#include <string.h>

static const char fields[] =
    "[{'name': 'parts', 'type': {'type': 'array', 'items': {'type': 'record', 'name': 'Part',"
    "   'doc': 'd', 'fields': ["
    "    {'name': 'maker', 'type': ['null', 'string'], 'doc': 'd', 'default': null},"
    "    {'name': 'number', 'type': 'string', 'doc': 'd'},"
    "    {'name': 'amount', 'type': ['null', 'int'], 'doc': 'd', 'default': null},"
    "    {'name': 'unit', 'type': 'string', 'doc': 'd', 'default': 'g'}]}},"
    "  'doc': 'd', 'default': [], 'hub:merge': {'union': ['maker', 'number'], 'by': ['latest']},"
    "  'hub:conflict': 'major'},"
    " {'name': 'words', 'type': {'type': 'array', 'items': 'string'}, 'doc': 'd', 'default': [],"
    "  'hub:merge': {'union': [], 'by': ['latest']}, 'hub:conflict': 'ignore',"
    "  'hub:equal': 'set'},"
    " {'name': 'guarded', 'type': {'type': 'array', 'items': 'string'}, 'doc': 'd',"
    "  'hub:merge': {'union': [], 'by': [{'authority': ['system:ctis'], 'only': true}]},"
    "  'hub:conflict': 'ignore'},"
    " {'name': 'owners', 'type': {'type': 'array', 'items': {'type': 'record', 'name': 'Owner1',"
    "   'doc': 'd', 'fields': ["
    "    {'name': 'org', 'type': 'string', 'doc': 'd'},"
    "    {'name': 'number', 'type': ['null', 'string'], 'doc': 'd', 'default': null}]}},"
    "  'doc': 'd', 'default': [], 'hub:conflict': 'major',"
    "  'hub:merge': {'union': ['org'], 'by': [{'authority': ['element:org']}, 'latest']}},"
    " {'name': 'owner', 'type': 'string', 'doc': 'd', 'hub:conflict': 'minor',"
    "  'hub:merge': [{'authority': ['system:ctis'], 'only': true}, 'latest']}]";

static struct own_domain *own;
static struct merging *merging;

static int make_domain(void **state) {
    (void)state;
    own = own_domain_new("{}", fields);
    return 0;
}

static int free_all(void **state) {
    (void)state;
    merging_free(merging);
    own_domain_free(own);
    return 0;
}

static void begin(const struct hub_domain *domain) {
    if (merging != NULL)
        merging_free(merging);
    merging = merging_new(domain);
}

/* --- one value of several --- */

static void what_one_statement_says_passes_through_unchanged(void **state) {
    static const char said[] =
        "{'identifiers': [{'scheme': 'nct', 'value': 'NCT00000101', 'relation': 'SELF'}],"
        " 'titles': [{'lang': 'nl', 'text': 'Één titel'}], 'phases': ['PHASE_2', 'PHASE_1'],"
        " 'enrolment': {'count': 12, 'type': 'TARGET'}, 'conditions': ['b', 'a', 'a']}";
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, said);
    json_t *wanted = test_json(said);
    const char *name;
    json_t *value;
    json_object_foreach(wanted, name, value) {
        const char *source = look_text(look(merging_result(merging), "sources"), name);
        assert_string_equal(source, "ctgov/1");
        if (strcmp(name, "identifiers") != 0)
            assert_true(json_equal(look(look(merging_result(merging), "value"), name), value));
    }
    json_decref(wanted);
    expect_json(merging_result(merging), "value.sponsor", "null");
    expect_json(merging_result(merging), "sources.sponsor", "null");
}

static void a_later_null_does_not_clear_what_was_stated(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", "2020-01-01T00:00:00",
                "{'acronym': 'CELL', 'conditions': ['a']}");
    merging_say(merging, "isrctn/1", "2026-01-01T00:00:00", "{}");
    expect_json(merging_result(merging), "value.acronym", "'CELL'");
    expect_json(merging_result(merging), "value.conditions", "['a']");
    expect_json(merging_result(merging), "conflicts", "{}");
}

static void an_atomic_record_is_chosen_whole(void **state) {
    (void)state;
    begin(test_domain("exchange"));
    merging_say(merging, "lu-guests/1", "2026-01-01T00:00:00",
                "{'planned': {'from': {'value': '2026-03-01'}, 'to': {'value': '2026-06-30'}}}");
    merging_say(merging, "lumc-guests/1", "2026-02-01T00:00:00",
                "{'planned': {'from': {'value': '2026-03-01'}}}");
    expect_json(merging_result(merging), "value.planned.to", "null");
    expect_json(merging_result(merging), "sources.planned", "'lumc-guests/1'");
}

static void a_record_yields_to_one_of_which_a_date_is_more_exact(void **state) {
    (void)state;
    begin(test_domain("exchange"));
    merging_say(merging, "lu-guests/1", "2026-02-01T00:00:00",
                "{'planned': {'from': {'value': '2026-03-01', 'precision': 'MONTH'}}}");
    merging_say(merging, "lu-guests/2", "2026-01-01T00:00:00",
                "{'planned': {'from': {'value': '2026-03-07', 'precision': 'DAY'}}}");
    expect_json(merging_result(merging), "sources.planned", "'lu-guests/2'");
    expect_json(merging_result(merging), "conflicts", "{}");
}

static void elements_stand_in_the_order_of_their_keys_whoever_lists_them(void **state) {
    (void)state;
    begin(own_domain(own));
    merging_say(merging, "ctgov/1", NULL,
                "{'owner': 'o', 'parts': [{'maker': 'b', 'number': '1'}, {'maker': 'a', 'number': '2'}]}");
    expect_json(merging_result(merging), "value.parts.0.maker", "'a'");
    expect_json(merging_result(merging), "value.parts.1.maker", "'b'");
}

static void a_list_without_a_key_is_chosen_whole(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", "2026-02-01T00:00:00", "{'conditions': ['a']}");
    merging_say(merging, "isrctn/1", "2026-01-01T00:00:00", "{'conditions': ['b', 'c']}");
    expect_json(merging_result(merging), "value.conditions", "['a']");
}

static void an_actual_number_is_chosen_before_the_sponsors_target(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "sus-trials/1", "2026-02-01T00:00:00",
                "{'sponsor': {'org': 'ror:02z31g829', 'text': 'SUS'},"
                " 'enrolment': {'count': 60, 'type': 'TARGET'}}");
    merging_say(merging, "ctgov/1", "2020-01-01T00:00:00",
                "{'enrolment': {'count': 41, 'type': 'ACTUAL'}}");
    expect_json(merging_result(merging), "value.enrolment", "{'count': 41, 'type': 'ACTUAL'}");
}

static void the_exact_date_is_chosen_before_the_believed_but_vague_one(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "sus-trials/1", "2026-02-01T00:00:00",
                "{'sponsor': {'org': 'ror:02z31g829', 'text': 'SUS'},"
                " 'start': {'value': '2016-07-01', 'precision': 'MONTH'}}");
    merging_say(merging, "ctgov/1", NULL, "{'start': {'value': '2016-07-14'}}");
    merging_say(merging, "isrctn/1", NULL, "{'start': {'value': '2016-09-01'}}");
    expect_json(merging_result(merging), "value.start.value", "'2016-07-14'");
    expect_json(merging_result(merging), "sources.start", "'ctgov/1'");
    assert_string_equal(merging_reason(merging, "start", "ctgov/1", "sus-trials/1"),
                        "the more exact of two dates that agree");
}

static void a_field_that_must_be_stated_falls_back_on_those_shut_out(void **state) {
    (void)state;
    begin(own_domain(own));
    merging_say(merging, "ctgov/1", "2020-01-01T00:00:00", "{'owner': 'a'}");
    merging_say(merging, "isrctn/1", "2021-01-01T00:00:00", "{'owner': 'b'}");
    expect_json(merging_result(merging), "value.owner", "'b'");
    merging_say(merging, "ctis/1", "2019-01-01T00:00:00", "{'owner': 'c'}");
    expect_json(merging_result(merging), "value.owner", "'c'");
}

static void a_list_of_those_shut_out_stays_empty_for_it_can(void **state) {
    (void)state;
    begin(own_domain(own));
    merging_say(merging, "ctgov/1", NULL, "{'owner': 'a', 'guarded': ['x']}");
    expect_json(merging_result(merging), "value.guarded", "[]");
    merging_say(merging, "ctis/1", NULL, "{'owner': 'a', 'guarded': ['y']}");
    expect_json(merging_result(merging), "value.guarded", "['y']");
}

/* --- unions by key --- */

static void elements_are_united_by_key_and_sorted_by_it(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "isrctn/1", NULL,
                "{'titles': [{'lang': 'sv', 'text': 'T'}, {'lang': 'en', 'text': 'T'}]}");
    expect_json(merging_result(merging), "sources.titles", "'isrctn/1'");
    merging_say(merging, "ctgov/1", NULL, "{'titles': [{'lang': 'nl', 'text': 'T'}]}");
    expect_json(merging_result(merging), "value.titles",
                "[{'lang': 'en', 'text': 'T'}, {'lang': 'nl', 'text': 'T'},"
                " {'lang': 'sv', 'text': 'T'}]");
    expect_json(merging_result(merging), "sources.titles", "'several'");
}

static void what_one_element_does_not_state_another_of_its_key_may(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", "2026-01-01T00:00:00",
                "{'by_country': [{'country': 'SE', 'subjects': 10}]}");
    merging_say(merging, "euctr/1", "2020-01-01T00:00:00",
                "{'by_country': [{'country': 'SE', 'status': 'ACTIVE', 'subjects': 12}]}");
    expect_json(merging_result(merging), "value.by_country",
                "[{'country': 'SE', 'status': 'ACTIVE', 'decided': null, 'ended': null,"
                " 'subjects': 12}]");
}

static void keys_that_are_compared_folded_unite_other_spellings(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", "2026-01-01T00:00:00",
                "{'products': [{'kind': 'CELL', 'name': 'MSC-One'}]}");
    merging_say(merging, "isrctn/1", "2025-01-01T00:00:00",
                "{'products': [{'kind': 'GENE', 'name': 'msc one'}]}");
    expect_json(merging_result(merging), "value.products",
                "[{'kind': 'CELL', 'name': 'MSC-One'}]");
}

static void one_number_in_two_relations_stays_two_identifiers(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL,
                "{'identifiers': [{'scheme': 'nct', 'value': 'NCT00000101', 'relation': 'SELF'}]}");
    merging_say(merging, "isrctn/1", NULL,
                "{'identifiers': [{'scheme': 'nct', 'value': 'NCT00000101', 'relation': 'PARENT'},"
                " {'scheme': 'nct', 'value': 'NCT00000101', 'relation': 'SELF'}]}");
    assert_int_equal(look_count(merging_result(merging), "value.identifiers"), 2);
}

static void a_separator_within_a_key_does_not_unite_two_elements(void **state) {
    (void)state;
    begin(own_domain(own));
    merging_say(merging, "ctgov/1", NULL,
                "{'owner': 'a', 'parts': [{'maker': 'a/b', 'number': 'c', 'amount': 1}]}");
    merging_say(merging, "ctis/1", NULL,
                "{'owner': 'a', 'parts': [{'maker': 'a', 'number': 'b/c', 'amount': 2}]}");
    assert_int_equal(look_count(merging_result(merging), "value.parts"), 2);
    expect_json(merging_result(merging), "conflicts", "{}");
}

static void an_element_said_twice_under_one_key_does_not_depend_on_its_place(void **state) {
    static const char *const orders[] = {
        "{'owner': 'a', 'parts': [{'number': '1', 'amount': 7}, {'number': '1', 'amount': 5}]}",
        "{'owner': 'a', 'parts': [{'number': '1', 'amount': 5}, {'number': '1', 'amount': 7}]}"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(own_domain(own));
        merging_say(merging, "ctgov/1", NULL, orders[i]);
        expect_json(merging_result(merging), "value.parts.0.amount", "5");
        assert_non_null(merging_conflict(merging, "parts[/1].amount"));
    }
}

static void who_says_the_same_contradiction_is_told_of_all_who_do(void **state) {
    static const char said[] =
        "{'owner': 'a', 'parts': [{'number': '1', 'amount': 7}, {'number': '1', 'amount': 5}]}";
    (void)state;
    begin(own_domain(own));
    merging_say(merging, "ctgov/1", NULL, said);
    merging_say(merging, "ctis/1", NULL, said);
    expect_json(merging_result(merging), "value.parts.0.amount", "5");
    expect_json(merging_conflict(merging, "parts[/1].amount"), "values.0.statements",
                "['ctgov/1', 'ctis/1']");
    expect_json(merging_conflict(merging, "parts[/1].amount"), "values.1.statements",
                "['ctgov/1', 'ctis/1']");
}

static void elements_without_parts_are_their_own_keys(void **state) {
    (void)state;
    begin(own_domain(own));
    merging_say(merging, "ctgov/1", NULL, "{'owner': 'a', 'words': ['b', 'a', 'b']}");
    merging_say(merging, "ctis/1", NULL, "{'owner': 'a', 'words': ['c', 'a']}");
    expect_json(merging_result(merging), "value.words", "['a', 'b', 'c']");
}

static void two_spellings_of_a_site_stay_two_until_both_are_known(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, "{'sites': [{'site': {'text': 'Lund Hospital'}}]}");
    merging_say(merging, "isrctn/1", NULL,
                "{'sites': [{'site': {'org': 'ror:02z31g829', 'text': 'Lund Hospital'}}]}");
    merging_say(merging, "euctr/1", NULL,
                "{'sites': [{'site': {'org': 'ror:02z31g829', 'text': 'SUS'}}]}");
    assert_int_equal(look_count(merging_result(merging), "value.sites"), 2);
}

/* --- the stamp and the bytes --- */

static void the_stamp_is_nobodys_version_and_the_latest_event(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", "2026-01-01T00:00:00", "{}");
    merging_say(merging, "euctr/1", "2026-01-03T00:00:00", "{}");
    merging_say(merging, "isrctn/1", NULL, "{}");
    expect_json(merging_result(merging), "value.statement.version", "''");
    expect_json(merging_result(merging), "value.statement.state", "'CURRENT'");
    expect_json(merging_result(merging), "value.statement.event_time.time",
                "'2026-01-03T00:00:00.000Z'");
    expect_json(merging_result(merging), "sources.statement", "'euctr/1'");
}

static void without_any_event_time_the_stamp_has_none(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, "{}");
    expect_json(merging_result(merging), "value.statement.event_time", "null");
    expect_json(merging_result(merging), "sources.statement", "null");
}

static void the_order_in_which_statements_are_told_plays_no_part(void **state) {
    static const char *const keys[] = {"ctgov/1", "ctgov/2", "isrctn/1"};
    static const char *const said[] = {
        "{'conditions': ['a'], 'acronym': 'X', 'titles': [{'lang': 'en', 'text': 'One'}]}",
        "{'conditions': ['b'], 'acronym': 'Y', 'titles': [{'lang': 'en', 'text': 'Two'}]}",
        "{'conditions': ['c'], 'acronym': 'Z', 'titles': [{'lang': 'en', 'text': 'Three'}]}"};
    json_t *first = NULL;
    (void)state;
    for (size_t start = 0; start < 3; start++)
        for (size_t step = 1; step <= 2; step++) {
            begin(test_domain("trial"));
            for (size_t i = 0; i < 3; i++) {
                size_t k = (start + i * step) % 3;
                merging_say(merging, keys[k], NULL, said[k]);
            }
            if (first == NULL)
                first = json_deep_copy(merging_result(merging));
            assert_true(json_equal(first, merging_result(merging)));
        }
    json_decref(first);
}

/* --- what a person chose --- */

static void say_two_enrolments(void) {
    begin(test_domain("trial"));
    merging_say(merging, "isrctn/1", NULL, "{'enrolment': {'count': 850, 'type': 'TARGET'}}");
    merging_say(merging, "ctgov/1", NULL, "{'enrolment': {'count': 863, 'type': 'UNSTATED'}}");
}

static void a_choice_is_carried_where_the_rules_would_have_chosen_another(void **state) {
    (void)state;
    say_two_enrolments();
    expect_json(merging_result(merging), "value.enrolment.count", "850");
    merging_choose(merging, "enrolment", "ctgov/1",
                   "[{'count': 850, 'type': 'TARGET'}, {'count': 863, 'type': 'UNSTATED'}]");
    expect_json(merging_result(merging), "value.enrolment.count", "863");
    expect_json(merging_result(merging), "sources.enrolment", "'ctgov/1'");
    expect_json(merging_conflict(merging, "enrolment"), "decided", "true");
    expect_json(merging_conflict(merging, "enrolment"), "values.0.statements", "['ctgov/1']");
    expect_json(merging_conflict(merging, "enrolment"), "values.0.chosen", "true");
    expect_json(merging_conflict(merging, "enrolment"), "values.1.chosen", "false");
}

static void a_choice_holds_only_for_the_values_it_was_made_on(void **state) {
    (void)state;
    say_two_enrolments();
    merging_choose(merging, "enrolment", "ctgov/1",
                   "[{'count': 851, 'type': 'TARGET'}, {'count': 863, 'type': 'UNSTATED'}]");
    expect_json(merging_result(merging), "value.enrolment.count", "850");
    expect_json(merging_conflict(merging, "enrolment"), "decided", "false");
    merging_choose(merging, "enrolment", "ctgov/1", "[{'count': 863, 'type': 'UNSTATED'}]");
    expect_json(merging_result(merging), "value.enrolment.count", "850");
}

static void a_choice_of_a_statement_that_is_gone_does_not_hold(void **state) {
    (void)state;
    say_two_enrolments();
    merging_choose(merging, "titles", "ctgov/1", "[]");
    expect_json(merging_result(merging), "value.enrolment.count", "850");
    merging_say(merging, "euctr/1", NULL, "{'phases': ['PHASE_1']}");
    merging_choose(merging, "enrolment", "euctr/1",
                   "[{'count': 850, 'type': 'TARGET'}, {'count': 863, 'type': 'UNSTATED'}]");
    expect_json(merging_result(merging), "value.enrolment.count", "850");
    expect_json(merging_conflict(merging, "enrolment"), "decided", "false");
}

static void a_part_of_an_element_can_be_chosen(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, "{'titles': [{'lang': 'en', 'text': 'One'}]}");
    merging_say(merging, "isrctn/1", NULL, "{'titles': [{'lang': 'en', 'text': 'Two'}]}");
    const char *first = look_text(merging_result(merging), "value.titles.0.text");
    bool is_one = strcmp(first, "One") == 0;
    merging_choose(merging, "titles[en].text", is_one ? "isrctn/1" : "ctgov/1", "['Two', 'One']");
    expect_json(merging_result(merging), "value.titles.0.text", is_one ? "'Two'" : "'One'");
}

/* --- each element's own --- */

/* Two owners, as one of them or somebody else tells of them. */
static void tell_owners(const char *key, const char *event_time, const char *lumc,
                        const char *sus) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json,
                             "{'owner': 'o', 'guarded': [], 'owners': ["
                             "{'org': 'ror:05xvt9f17', 'number': %s},"
                             " {'org': 'ror:02z31g829', 'number': %s}]}",
                             lumc, sus);
    merging_say(merging, key, event_time, hub_buffer_text(&json));
}

static void each_is_believed_of_its_own_element(void **state) {
    (void)state;
    begin(own_domain(own));
    tell_owners("lumc-mes/1", "2026-01-02T00:00:00Z", "'L-1'", "'S-x'");
    tell_owners("sus-trials/1", "2026-01-01T00:00:00Z", "'L-x'", "'S-1'");
    expect_json(merging_result(merging), "value.owners",
                "[{'org': 'ror:02z31g829', 'number': 'S-1'}, {'org': 'ror:05xvt9f17', 'number': "
                "'L-1'}]");
    assert_non_null(merging_conflict(merging, "owners[ror:02z31g829].number"));
    assert_non_null(merging_conflict(merging, "owners[ror:05xvt9f17].number"));
}

static void where_one_is_silent_another_is_believed_of_it(void **state) {
    (void)state;
    begin(own_domain(own));
    tell_owners("lumc-mes/1", "2026-01-01T00:00:00Z", "'L-1'", "'S-1'");
    tell_owners("sus-trials/1", "2026-01-02T00:00:00Z", "null", "null");
    expect_json(merging_result(merging), "value.owners",
                "[{'org': 'ror:02z31g829', 'number': 'S-1'}, {'org': 'ror:05xvt9f17', 'number': "
                "'L-1'}]");
    expect_json(merging_result(merging), "conflicts", "{}");
}

static void nobody_owns_a_register_and_its_word_is_like_any_other(void **state) {
    (void)state;
    begin(own_domain(own));
    tell_owners("ctis/1", "2026-01-01T00:00:00Z", "'L-1'", "'S-1'");
    tell_owners("ctgov/1", "2026-01-02T00:00:00Z", "'L-2'", "'S-2'");
    expect_json(merging_result(merging), "value.owners",
                "[{'org': 'ror:02z31g829', 'number': 'S-2'}, {'org': 'ror:05xvt9f17', 'number': "
                "'L-2'}]");
}

/* --- what only some schemas have --- */

static void a_field_without_a_default_that_nobody_states_is_null(void **state) {
    struct own_domain *bare = own_domain_new(
        "{}", "[{'name': 'bare', 'type': ['null', 'string'], 'doc': 'd', 'hub:merge':"
              " [{'authority': ['system:ctis'], 'only': true}], 'hub:conflict': 'minor'}]");
    (void)state;
    begin(own_domain(bare));
    merging_say(merging, "ctgov/1", NULL, "{'bare': 'a'}");
    expect_json(merging_result(merging), "value.bare", "null");
    expect_json(merging_result(merging), "sources.bare", "null");
    begin(own_domain(own));
    own_domain_free(bare);
}

static void a_list_that_all_leave_empty_as_a_part_is_written_as_unstated(void **state) {
    struct own_domain *sizes = own_domain_new(
        "{}", "[{'name': 'kits', 'type': {'type': 'array', 'items': {'type': 'record',"
              "   'name': 'Kit', 'doc': 'd', 'fields': ["
              "    {'name': 'code', 'type': 'string', 'doc': 'd'},"
              "    {'name': 'sizes', 'type': ['null', {'type': 'array', 'items': 'int'}],"
              "     'doc': 'd', 'default': null}]}},"
              "  'doc': 'd', 'default': [], 'hub:merge': {'union': ['code'], 'by': ['latest']},"
              "  'hub:conflict': 'major'}]");
    (void)state;
    begin(own_domain(sizes));
    merging_say(merging, "ctis/1", NULL, "{'kits': [{'code': 'a', 'sizes': []}]}");
    expect_json(merging_result(merging), "value.kits", "[{'code': 'a', 'sizes': null}]");
    merging_say(merging, "ctgov/1", NULL, "{'kits': [{'code': 'a', 'sizes': []}]}");
    expect_json(merging_result(merging), "value.kits", "[{'code': 'a', 'sizes': null}]");
    begin(own_domain(own));
    own_domain_free(sizes);
}

static void a_role_that_follows_from_another_is_its_own_to_say(void **state) {
#define TEXT(name, rules)                                                                          \
    "{'name': '" name "', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"                \
    " 'hub:merge': " rules ", 'hub:conflict': 'ignore'}"
    struct own_domain *roles = own_domain_new("{}", "[" TEXT("told", "[{'authority': ['role:lead']}]") ","
                                              TEXT("lead", "[{'authority': ['role:host']}]") ","
                                              TEXT("host", "'latest'") "]");
    (void)state;
    begin(own_domain(roles));
    merging_say(merging, "lumc-mes/1", NULL,
                "{'told': 'L', 'lead': 'ror:05xvt9f17', 'host': 'ror:02z31g829'}");
    merging_say(merging, "sus-trials/1", NULL,
                "{'told': 'S', 'lead': 'ror:02z31g829', 'host': 'ror:02z31g829'}");
    expect_json(merging_result(merging), "value.lead", "'ror:02z31g829'");
    expect_json(merging_result(merging), "value.host", "'ror:02z31g829'");
    begin(own_domain(own));
    own_domain_free(roles);
}

static void an_element_that_is_chosen_whole_is_contradicted_whole(void **state) {
    struct own_domain *kits = own_domain_new(
        "{}", "[{'name': 'kits', 'type': {'type': 'array', 'items': {'type': 'record',"
              "   'name': 'Kit', 'doc': 'd', 'hub:atomic': true, 'fields': ["
              "    {'name': 'code', 'type': 'string', 'doc': 'd'},"
              "    {'name': 'size', 'type': 'int', 'doc': 'd'}]}},"
              "  'doc': 'd', 'default': [], 'hub:merge': {'union': ['code'], 'by': ['latest']},"
              "  'hub:conflict': 'major'}]");
    (void)state;
    begin(own_domain(kits));
    merging_say(merging, "ctis/1", "2026-01-01T00:00:00", "{'kits': [{'code': 'a', 'size': 1}]}");
    merging_say(merging, "ctgov/1", "2026-01-02T00:00:00", "{'kits': [{'code': 'a', 'size': 2}]}");
    expect_json(merging_result(merging), "value.kits", "[{'code': 'a', 'size': 2}]");
    expect_json(merging_conflict(merging, "kits[a]"), "values.0.statements", "['ctgov/1']");
    begin(own_domain(own));
    own_domain_free(kits);
}

static void a_life_cycle_whose_conflicts_are_ignored_reports_no_step(void **state) {
    struct own_domain *quiet = own_domain_new(
        "{}", "[{'name': 'phase', 'type': ['null', {'type': 'enum', 'name': 'Phase', 'doc': 'd',"
              "   'symbols': ['ASKED', 'ENDED', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}],"
              "  'doc': 'd', 'default': null, 'hub:merge': 'latest', 'hub:conflict': 'ignore',"
              "  'hub:lifecycle': {'ASKED': ['ENDED'], 'ENDED': []}}]");
    (void)state;
    begin(own_domain(quiet));
    merging_say(merging, "ctis/1", NULL, "{'phase': 'ASKED'}");
    merging_replaced(merging, "ENDED");
    expect_json(merging_result(merging), "value.phase", "'ASKED'");
    expect_json(merging_result(merging), "conflicts", "{}");
    begin(own_domain(own));
    own_domain_free(quiet);
}

/* --- conflicts --- */

static void another_fact_is_no_part_of_a_conflict(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, "{'enrolment': {'count': 41, 'type': 'ACTUAL'}}");
    merging_say(merging, "ctgov/2", NULL, "{'enrolment': {'count': 43, 'type': 'ACTUAL'}}");
    merging_say(merging, "ctgov/3", NULL, "{'enrolment': {'count': 60, 'type': 'TARGET'}}");
    expect_json(merging_conflict(merging, "enrolment"), "values.0.statements", "['ctgov/1']");
    expect_json(merging_conflict(merging, "enrolment"), "values.1.statements", "['ctgov/2']");
    assert_int_equal(look_count(merging_conflict(merging, "enrolment"), "values"), 2);
}

static void there_may_be_many_conflicts(void **state) {
    HUB_SCOPED_BUFFER one = {0}, two = {0};
    (void)state;
    hub_buffer_append_text(&one, "{'titles': [");
    hub_buffer_append_text(&two, "{'titles': [");
    for (char letter = 'a'; letter < 'a' + 20; letter++) {
        const char *comma = letter == 'a' ? "" : ", ";
        hub_buffer_append_format(&one, "%s{'lang': 'x%c', 'text': 'One'}", comma, letter);
        hub_buffer_append_format(&two, "%s{'lang': 'x%c', 'text': 'Two'}", comma, letter);
    }
    hub_buffer_append_text(&one, "]}");
    hub_buffer_append_text(&two, "]}");
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, hub_buffer_text(&one));
    merging_say(merging, "isrctn/1", NULL, hub_buffer_text(&two));
    assert_int_equal(look_count(merging_result(merging), "conflicts"), 20);
    expect_json(merging_conflict(merging, "titles[xa].text"), "values.0.chosen", "true");
    expect_json(merging_conflict(merging, "titles[xt].text"), "values.0.chosen", "true");
}

static void what_differs_in_other_than_the_fields_equality_is_no_conflict(void **state) {
    (void)state;
    begin(test_domain("trial"));
    merging_say(merging, "ctgov/1", NULL, "{'titles': [{'lang': 'en', 'text': 'The Star'}]}");
    merging_say(merging, "euctr/1", NULL, "{'titles': [{'lang': 'en', 'text': 'the  STAR'}]}");
    expect_json(merging_result(merging), "conflicts", "{}");
    merging_say(merging, "isrctn/1", NULL, "{'titles': [{'lang': 'en', 'text': 'The Moon'}]}");
    assert_int_equal(look_count(merging_result(merging), "conflicts"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_statement_says_passes_through_unchanged),
        cmocka_unit_test(a_later_null_does_not_clear_what_was_stated),
        cmocka_unit_test(an_atomic_record_is_chosen_whole),
        cmocka_unit_test(a_record_yields_to_one_of_which_a_date_is_more_exact),
        cmocka_unit_test(elements_stand_in_the_order_of_their_keys_whoever_lists_them),
        cmocka_unit_test(a_list_without_a_key_is_chosen_whole),
        cmocka_unit_test(an_actual_number_is_chosen_before_the_sponsors_target),
        cmocka_unit_test(the_exact_date_is_chosen_before_the_believed_but_vague_one),
        cmocka_unit_test(a_field_that_must_be_stated_falls_back_on_those_shut_out),
        cmocka_unit_test(a_list_of_those_shut_out_stays_empty_for_it_can),
        cmocka_unit_test(elements_are_united_by_key_and_sorted_by_it),
        cmocka_unit_test(what_one_element_does_not_state_another_of_its_key_may),
        cmocka_unit_test(keys_that_are_compared_folded_unite_other_spellings),
        cmocka_unit_test(one_number_in_two_relations_stays_two_identifiers),
        cmocka_unit_test(a_separator_within_a_key_does_not_unite_two_elements),
        cmocka_unit_test(an_element_said_twice_under_one_key_does_not_depend_on_its_place),
        cmocka_unit_test(who_says_the_same_contradiction_is_told_of_all_who_do),
        cmocka_unit_test(elements_without_parts_are_their_own_keys),
        cmocka_unit_test(two_spellings_of_a_site_stay_two_until_both_are_known),
        cmocka_unit_test(the_stamp_is_nobodys_version_and_the_latest_event),
        cmocka_unit_test(without_any_event_time_the_stamp_has_none),
        cmocka_unit_test(the_order_in_which_statements_are_told_plays_no_part),
        cmocka_unit_test(a_choice_is_carried_where_the_rules_would_have_chosen_another),
        cmocka_unit_test(a_choice_holds_only_for_the_values_it_was_made_on),
        cmocka_unit_test(a_choice_of_a_statement_that_is_gone_does_not_hold),
        cmocka_unit_test(a_part_of_an_element_can_be_chosen),
        cmocka_unit_test(each_is_believed_of_its_own_element),
        cmocka_unit_test(where_one_is_silent_another_is_believed_of_it),
        cmocka_unit_test(nobody_owns_a_register_and_its_word_is_like_any_other),
        cmocka_unit_test(a_field_without_a_default_that_nobody_states_is_null),
        cmocka_unit_test(a_list_that_all_leave_empty_as_a_part_is_written_as_unstated),
        cmocka_unit_test(a_role_that_follows_from_another_is_its_own_to_say),
        cmocka_unit_test(an_element_that_is_chosen_whole_is_contradicted_whole),
        cmocka_unit_test(a_life_cycle_whose_conflicts_are_ignored_reports_no_step),
        cmocka_unit_test(another_fact_is_no_part_of_a_conflict),
        cmocka_unit_test(there_may_be_many_conflicts),
        cmocka_unit_test(what_differs_in_other_than_the_fields_equality_is_no_conflict),
    };
    return cmocka_run_group_tests(tests, make_domain, free_all);
}
