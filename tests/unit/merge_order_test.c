/* merge_order: whom a field's rules believe, and why. */
#include "hub/core/merge_order.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/merging.h"
#include "tests/lib/own_domain.h"

#define NUMBER(name, rules)                                                                       \
    "{'name': '" name "', 'type': ['null', 'int'], 'doc': 'd', 'default': null,"                  \
    " 'hub:merge': " rules ", 'hub:conflict': 'minor'}"

static const char fields[] =
    "[{'name': 'home', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': [{'authority': ['system:ctis'], 'only': true}], 'hub:conflict': 'minor'},"
    " {'name': 'host', 'type': 'string', 'doc': 'd', 'hub:merge': 'latest',"
    "  'hub:conflict': 'minor'},"
    " {'name': 'state', 'type': ['null', {'type': 'enum', 'name': 'Own1', 'doc': 'd',"
    "   'symbols': ['OPEN', 'CLOSED', 'RECALLED', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}],"
    "  'doc': 'd', 'default': null, 'hub:merge': [{'precedence': ['RECALLED', 'CLOSED']}, 'latest'],"
    "  'hub:conflict': 'minor'},"
    " {'name': 'stage', 'type': ['null', {'type': 'enum', 'name': 'Own3', 'doc': 'd',"
    "   'symbols': ['MADE', 'RELEASED', 'GIVEN', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}],"
    "  'doc': 'd', 'default': null, 'hub:conflict': 'minor',"
    "  'hub:merge': [{'reserve': ['RELEASED'], 'for': ['system:ctis']},"
    "   {'reserve': ['GIVEN'], 'for': ['role:host', 'system:isrctn']},"
    "   {'precedence': ['GIVEN', 'RELEASED']}, 'latest']},"
    " {'name': 'ended', 'type': ['null', {'type': 'record', 'name': 'Date', 'doc': 'd',"
    "   'hub:atomic': true, 'fields': ["
    "    {'name': 'value', 'type': {'type': 'int', 'logicalType': 'date'}, 'doc': 'd'},"
    "    {'name': 'precision', 'type': {'type': 'enum', 'name': 'Own2', 'doc': 'd',"
    "     'symbols': ['DAY', 'MONTH', 'YEAR', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'},"
    "     'doc': 'd', 'default': 'DAY'}]}], 'doc': 'd', 'default': null, 'hub:merge': 'max',"
    "  'hub:conflict': 'minor', 'hub:equal': 'date'}," /*
 */ NUMBER("by_system", "[{'authority': ['system:euctr', 'system:isrctn']}]") ", "
    NUMBER("by_institution", "[{'authority': ['institution:sus']}]") ", "
    NUMBER("by_home", "[{'authority': ['role:home']}]") ", "
    NUMBER("by_host", "[{'authority': ['role:host'], 'only': true}]") ", "
    NUMBER("by_several", "[{'authority': ['role:host', 'institution:lumc', 'system:ctis']}]") ", "
    NUMBER("newest", "'latest'") ", " NUMBER("oldest", "'earliest'") ", "
    NUMBER("largest", "'max'") ", " NUMBER("smallest", "['min']") ", " NUMBER("agreed", "'agree'")
    "]";

static struct own_domain *own;
static struct merging *merging;

static int make_domain(void **state) {
    (void)state;
    own = own_domain_new("{}", fields);
    return 0;
}

static int free_domain(void **state) {
    (void)state;
    merging_free(merging);
    own_domain_free(own);
    return 0;
}

static void begin(void) {
    if (merging != NULL)
        merging_free(merging);
    merging = merging_new(own_domain(own));
}

/* Says one field; `host` must be stated by everybody. */
static void say(const char *key, const char *event_time, const char *field, const char *value) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json, "{'host': 'ror:05xvt9f17', '%s': %s}", field, value);
    merging_say(merging, key, event_time, hub_buffer_text(&json));
}

/* --- authority --- */

static void the_first_of_the_systems_listed_is_believed(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "by_system", "1");
    say("isrctn/1", NULL, "by_system", "2");
    say("euctr/1", NULL, "by_system", "3");
    expect_json(merging_result(merging), "value.by_system", "3");
    expect_json(merging_result(merging), "sources.by_system", "'euctr/1'");
}

static void where_nobody_listed_speaks_the_others_are_fallen_back_on(void **state) {
    (void)state;
    begin();
    say("ctgov/1", NULL, "by_system", "1");
    say("ctis/1", NULL, "by_system", "2");
    expect_json(merging_result(merging), "value.by_system", "2");
}

static void an_institution_is_believed_for_its_own_systems_and_not_for_registers(void **state) {
    (void)state;
    begin();
    say("euctr/1", NULL, "by_institution", "1"); /* carried by sus, and nobody's voice */
    say("sus-trials/1", NULL, "by_institution", "2");
    expect_json(merging_result(merging), "value.by_institution", "2");
    assert_string_equal(merging_reason(merging, "by_institution", "sus-trials/1", "euctr/1"),
                        "rule 1 of 1: authority of institution:sus");
}

static void the_organisation_in_a_role_is_believed_for_its_own_systems(void **state) {
    (void)state;
    begin();
    merging_say(merging, "ctis/1", NULL, "{'host': 'ror:05xvt9f17', 'home': 'ror:02z31g829'}");
    say("lumc-mes/1", NULL, "by_home", "1");
    say("sus-trials/1", NULL, "by_home", "2");
    expect_json(merging_result(merging), "value.by_home", "2");
}

static void an_organisation_in_a_role_is_known_by_any_of_its_spellings(void **state) {
    (void)state;
    begin();
    merging_say(merging, "ctis/1", NULL, "{'host': 'LUMC', 'by_host': 1}");
    merging_say(merging, "lumc-mes/1", NULL,
                "{'host': 'Leids Universitair Medisch Centrum', 'by_host': 2}");
    expect_json(merging_result(merging), "value.by_host", "2");
}

static void with_only_everybody_else_is_shut_out_even_as_fall_back(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "by_host", "1");
    expect_json(merging_result(merging), "value.by_host", "null");
    expect_json(merging_result(merging), "sources.by_host", "null");
    say("lumc-mes/1", NULL, "by_host", "2");
    expect_json(merging_result(merging), "value.by_host", "2");
    assert_string_equal(merging_reason(merging, "by_host", "lumc-mes/1", "ctis/1"),
                        "shut out: the field is another's to say (only)");
}

static void what_is_shut_out_contradicts_nobody_and_is_unfounded(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "by_host", "1");
    say("lumc-mes/1", NULL, "by_host", "2");
    assert_null(merging_conflict(merging, "by_host"));
    assert_non_null(merging_conflict(merging, "by_host:claim"));
    assert_int_equal(look_count(merging_result(merging), "conflicts"), 1);
}

static void a_reserved_symbol_is_heard_from_those_it_is_for_and_the_others_from_all(void **state) {
    (void)state;
    begin();
    say("ctgov/1", "2026-01-03T00:00:00Z", "stage", "'RELEASED'");
    expect_json(merging_result(merging), "value.stage", "null");
    say("euctr/1", "2026-01-01T00:00:00Z", "stage", "'MADE'");
    expect_json(merging_result(merging), "value.stage", "'MADE'");
    assert_null(merging_conflict(merging, "stage"));
    assert_string_equal(merging_reason(merging, "stage", "euctr/1", "ctgov/1"),
                        "shut out: this value is another's to say (reserve)");
    say("ctis/1", "2026-01-02T00:00:00Z", "stage", "'RELEASED'");
    expect_json(merging_result(merging), "value.stage", "'RELEASED'");
    expect_json(merging_result(merging), "sources.stage", "'ctis/1'");
}

static void a_symbol_may_be_reserved_for_a_role(void **state) {
    (void)state;
    begin();
    say("sus-trials/1", NULL, "stage", "'GIVEN'"); /* the host is another */
    say("ctis/1", NULL, "stage", "'GIVEN'");
    expect_json(merging_result(merging), "value.stage", "null");
    say("isrctn/1", NULL, "stage", "'GIVEN'");
    expect_json(merging_result(merging), "sources.stage", "'isrctn/1'");
    say("lumc-mes/1", NULL, "stage", "'GIVEN'");
    expect_json(merging_result(merging), "value.stage", "'GIVEN'");
}

static void a_role_is_nobodys_where_all_who_name_it_are_shut_out(void **state) {
    (void)state;
    begin();
    merging_say(merging, "ctgov/1", NULL, "{'host': 'ror:05xvt9f17', 'home': 'ror:02z31g829'}");
    say("ctis/1", NULL, "by_home", "1");
    say("sus-trials/1", NULL, "by_home", "2");
    expect_json(merging_result(merging), "value.home", "null");
    expect_json(merging_result(merging), "value.by_home", "1");
}

static void a_list_may_mix_roles_institutions_and_systems(void **state) {
    (void)state;
    begin();
    merging_say(merging, "ctis/1", NULL, "{'host': 'ror:02z31g829', 'by_several': 1}");
    expect_json(merging_result(merging), "value.by_several", "1");
    merging_say(merging, "lumc-mes/1", NULL, "{'host': 'ror:02z31g829', 'by_several': 2}");
    expect_json(merging_result(merging), "value.by_several", "2");
    merging_say(merging, "sus-trials/1", NULL, "{'host': 'ror:02z31g829', 'by_several': 3}");
    expect_json(merging_result(merging), "value.by_several", "3");
}

/* --- time and size --- */

static void the_latest_event_is_believed_and_one_without_time_is_the_oldest(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "newest", "1");
    say("euctr/1", "2026-03-02T00:00:00", "newest", "2");
    say("isrctn/1", "2026-03-01T00:00:00", "newest", "3");
    expect_json(merging_result(merging), "value.newest", "2");
    assert_string_equal(merging_reason(merging, "newest", "euctr/1", "ctis/1"), "rule 1 of 1: latest");
}

static void the_earliest_event_is_believed_and_one_without_time_is_the_oldest(void **state) {
    (void)state;
    begin();
    say("ctis/1", "2026-03-02T00:00:00", "oldest", "1");
    say("euctr/1", "2026-03-01T00:00:00", "oldest", "2");
    expect_json(merging_result(merging), "value.oldest", "2");
    say("isrctn/1", NULL, "oldest", "3");
    expect_json(merging_result(merging), "value.oldest", "3");
}

static void the_largest_and_the_smallest_number_are_chosen(void **state) {
    (void)state;
    begin();
    merging_say(merging, "ctis/1", NULL, "{'host': 'h', 'largest': -7, 'smallest': -7}");
    merging_say(merging, "euctr/1", NULL, "{'host': 'h', 'largest': 12, 'smallest': 12}");
    merging_say(merging, "isrctn/1", NULL, "{'host': 'h', 'largest': 9, 'smallest': 9}");
    expect_json(merging_result(merging), "value.largest", "12");
    expect_json(merging_result(merging), "value.smallest", "-7");
}

static void the_largest_date_is_the_last_day(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "ended", "{'value': '2019-12-31', 'precision': 'DAY'}");
    say("euctr/1", NULL, "ended", "{'value': '2020-01-01', 'precision': 'DAY'}");
    expect_json(merging_result(merging), "value.ended.value", "'2020-01-01'");
}

static void a_date_yields_step_by_step_to_the_most_exact_one(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "ended", "{'value': '2020-01-01', 'precision': 'YEAR'}");
    say("euctr/1", NULL, "ended", "{'value': '2019-11-01', 'precision': 'MONTH'}");
    say("isrctn/1", NULL, "ended", "{'value': '2019-11-07', 'precision': 'DAY'}");
    expect_json(merging_result(merging), "sources.ended", "'ctis/1'"); /* nothing of 2020 */
    say("ctgov/1", NULL, "ended", "{'value': '2020-01-01', 'precision': 'MONTH'}");
    say("ctgov/2", NULL, "ended", "{'value': '2020-01-01', 'precision': 'DAY'}");
    expect_json(merging_result(merging), "sources.ended", "'ctgov/2'");
}

/* --- symbols --- */

static void a_symbol_of_precedence_stands_over_all_that_is_later(void **state) {
    (void)state;
    begin();
    say("ctis/1", "2026-03-01T00:00:00", "state", "'CLOSED'");
    say("euctr/1", "2026-03-09T00:00:00", "state", "'OPEN'");
    expect_json(merging_result(merging), "value.state", "'CLOSED'");
    say("isrctn/1", "2026-02-01T00:00:00", "state", "'RECALLED'");
    expect_json(merging_result(merging), "value.state", "'RECALLED'");
    assert_string_equal(merging_reason(merging, "state", "isrctn/1", "euctr/1"),
                        "rule 1 of 2: precedence: RECALLED, then CLOSED");
}

static void symbols_without_precedence_are_left_to_the_next_rule(void **state) {
    (void)state;
    begin();
    say("ctis/1", "2026-03-01T00:00:00", "state", "'OPEN'");
    say("euctr/1", "2026-03-09T00:00:00", "state", "'UNRECOGNISED'");
    expect_json(merging_result(merging), "value.state", "'UNRECOGNISED'");
    assert_string_equal(merging_reason(merging, "state", "euctr/1", "ctis/1"), "rule 2 of 2: latest");
}

/* --- the end of every chain --- */

static void where_the_rules_do_not_tell_the_rank_of_the_system_does(void **state) {
    (void)state;
    begin();
    say("ctgov/1", NULL, "agreed", "1");
    say("euctr/9", NULL, "agreed", "2");
    expect_json(merging_result(merging), "value.agreed", "2");
    assert_string_equal(merging_reason(merging, "agreed", "euctr/9", "ctgov/1"),
                        "rank of the system");
}

static void a_system_without_rank_comes_after_all_that_have_one(void **state) {
    (void)state;
    begin();
    say("cart-register/1", NULL, "agreed", "1");
    say("ctgov/1", NULL, "agreed", "2");
    expect_json(merging_result(merging), "value.agreed", "2");
}

static void at_the_last_the_smaller_key_is_chosen(void **state) {
    (void)state;
    begin();
    say("ctis/2", NULL, "agreed", "1");
    say("ctis/1", NULL, "agreed", "2");
    expect_json(merging_result(merging), "value.agreed", "2");
    assert_string_equal(merging_reason(merging, "agreed", "ctis/1", "ctis/2"),
                        "smaller statement key");
}

static void agree_ranks_nobody_and_reports_any_difference(void **state) {
    (void)state;
    begin();
    say("ctis/1", "2026-03-01T00:00:00", "agreed", "1");
    say("euctr/1", "2026-03-09T00:00:00", "agreed", "2");
    expect_json(merging_result(merging), "value.agreed", "1");
    expect_json(merging_conflict(merging, "agreed"), "values.0.chosen", "true");
    expect_json(merging_conflict(merging, "agreed"), "values.1.statements", "['euctr/1']");
}

static void an_institution_is_not_believed_for_another_ones_systems(void **state) {
    (void)state;
    begin();
    say("lumc-mes/1", NULL, "by_institution", "1");
    say("sus-trials/1", NULL, "by_institution", "2");
    expect_json(merging_result(merging), "value.by_institution", "2");
}

static void of_two_as_exact_dates_the_rules_choose(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "ended", "{'value': '2026-01-01', 'precision': 'YEAR'}");
    say("ctis/2", NULL, "ended", "{'value': '2026-06-01', 'precision': 'MONTH'}");
    say("ctis/3", NULL, "ended", "{'value': '2026-03-01', 'precision': 'MONTH'}");
    expect_json(merging_result(merging), "value.ended.value", "'2026-06-01'");
}

static void a_year_that_is_believed_yields_to_the_later_of_two_months(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "ended", "{'value': '2026-12-31', 'precision': 'YEAR'}");
    say("ctis/2", NULL, "ended", "{'value': '2026-06-01', 'precision': 'MONTH'}");
    say("ctis/3", NULL, "ended", "{'value': '2026-03-01', 'precision': 'MONTH'}");
    say("ctis/4", NULL, "ended", "{'value': '2026-09-01', 'precision': 'MONTH'}");
    expect_json(merging_result(merging), "value.ended.value", "'2026-09-01'");
}

static void the_reason_says_which_of_the_two_loses(void **state) {
    (void)state;
    begin();
    say("ctis/1", NULL, "largest", "1");
    say("euctr/1", NULL, "largest", "2");
    assert_string_equal(merging_reason(merging, "largest", "euctr/1", "ctis/1"),
                        "rule 1 of 1: max");
    assert_string_equal(merging_reason(merging, "largest", "ctis/1", "euctr/1"),
                        "rule 1 of 1: max (loses)");
}

/* --- what only some schemas have --- */

static void a_part_that_is_not_stated_has_no_precedence(void **state) {
    struct own_domain *counts = own_domain_new(
        "{}", "[{'name': 'count', 'type': ['null', {'type': 'record', 'name': 'Count', 'doc': 'd',"
              "   'hub:atomic': true, 'fields': ["
              "    {'name': 'number', 'type': 'int', 'doc': 'd'},"
              "    {'name': 'kind', 'type': ['null', {'type': 'enum', 'name': 'Kind', 'doc': 'd',"
              "      'symbols': ['TARGET', 'ACTUAL', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}],"
              "     'doc': 'd', 'default': null}]}], 'doc': 'd', 'default': null,"
              "  'hub:merge': [{'precedence': ['ACTUAL'], 'of': 'kind'}, 'latest'],"
              "  'hub:conflict': 'minor'}]");
    (void)state;
    merging_free(merging);
    merging = merging_new(own_domain(counts));
    merging_say(merging, "ctis/1", "2026-01-03T00:00:00", "{'count': {'number': 90}}");
    merging_say(merging, "ctis/2", NULL, "{'count': {'number': 41, 'kind': 'ACTUAL'}}");
    merging_say(merging, "ctis/3", NULL, "{'count': {'number': 60, 'kind': 'TARGET'}}");
    expect_json(merging_result(merging), "value.count.number", "41");
    begin();
    own_domain_free(counts);
}

/* --- roles that a person chose --- */

static void begin_with_two_hosts(void) {
    begin();
    merging_say(merging, "ctis/1", "2026-01-02T00:00:00Z", "{'host': 'LUMC'}");
    merging_say(merging, "euctr/1", "2026-01-01T00:00:00Z", "{'host': 'SUS'}");
    merging_say(merging, "lumc-mes/1", NULL, "{'host': 'LUMC', 'by_several': 1}");
    merging_say(merging, "sus-trials/1", NULL, "{'host': 'SUS', 'by_several': 2}");
}

static void whom_a_person_chose_for_a_role_is_believed_in_it(void **state) {
    (void)state;
    begin_with_two_hosts();
    expect_json(merging_result(merging), "value.by_several", "1");
    assert_int_equal(look_count(merging_result(merging), "conflicts"), 2);
    merging_choose(merging, "host", "euctr/1", "['LUMC', 'SUS']");
    expect_json(merging_result(merging), "value.host", "'SUS'");
    expect_json(merging_result(merging), "value.by_several", "2");
    assert_int_equal(look_count(merging_result(merging), "conflicts"), 2);
}

static void a_choice_that_holds_no_more_chooses_no_role(void **state) {
    (void)state;
    begin_with_two_hosts();
    merging_choose(merging, "host", "euctr/1", "['LU', 'SUS']");
    expect_json(merging_result(merging), "value.by_several", "1");
    merging_choose(merging, "agreed", "euctr/1", "[1, 2]"); /* names no role */
    expect_json(merging_result(merging), "value.by_several", "1");
    merging_choose(merging, "owners[x]", "euctr/1", "[1, 2]"); /* nor does this */
    expect_json(merging_result(merging), "value.by_several", "1");
}

/* --- whose a conflict is --- */

/* Of two registers that differ, with what one of them says beside. */
static const json_t *owner_of(const char *field, const char *beside) {
    HUB_SCOPED_BUFFER json = {0};
    begin();
    hub_buffer_append_format(&json, "{'host': 'ror:05xvt9f17', '%s': 1%s}", field, beside);
    merging_say(merging, "ctis/1", NULL, hub_buffer_text(&json));
    say("ctgov/1", NULL, field, "2");
    return json_object_get(merging_conflict(merging, field), "owner");
}

static void a_conflict_is_whose_the_rule_believes_first_of_those_in_the_record(void **state) {
    (void)state;
    expect_json(owner_of("by_several", ""), "", "'lumc'"); /* the host, though it says nothing */
    expect_json(owner_of("by_home", ", 'home': 'SUS'"), "", "'sus'");
    expect_json(owner_of("by_institution", ""), "", "null");
    say("sus-trials/1", NULL, "by_institution", "3");
    expect_json(merging_conflict(merging, "by_institution"), "owner", "'sus'");
}

static void what_is_no_institutions_own_owns_no_conflict(void **state) {
    (void)state;
    expect_json(owner_of("by_system", ""), "", "null");
    say("euctr/1", NULL, "by_system", "3"); /* believed, and nobody's */
    expect_json(merging_conflict(merging, "by_system"), "owner", "null");
    expect_json(owner_of("by_home", ""), "", "null");
    expect_json(owner_of("by_home", ", 'home': 'ror:027bh9e22'"), "", "null");
    expect_json(owner_of("agreed", ""), "", "null");
}

/* The list as a whole is nobody's; and what is known by no organisation is nobody's either. */
static void an_element_without_an_organisation_is_nobodys_own(void **state) {
    struct own_domain *owned = own_domain_new(
        "{}", "[{'name': 'owners', 'type': {'type': 'array', 'items': {'type': 'record',"
              "   'name': 'Owned', 'doc': 'd', 'fields': ["
              "    {'name': 'org', 'type': ['null', 'string'], 'doc': 'd', 'default': null},"
              "    {'name': 'number', 'type': 'int', 'doc': 'd'}]}},"
              "  'doc': 'd', 'default': [], 'hub:conflict': 'major',"
              "  'hub:merge': {'union': ['org'], 'by': [{'authority': ['element:org']}, 'latest']}}]");
    (void)state;
    merging_free(merging);
    merging = merging_new(own_domain(owned));
    merging_say(merging, "lumc-mes/1", "2026-01-01T00:00:00",
                "{'owners': [{'number': 1}, {'org': 'ror:05xvt9f17', 'number': 1}]}");
    merging_say(merging, "sus-trials/1", "2026-01-02T00:00:00",
                "{'owners': [{'number': 2}, {'org': 'ror:05xvt9f17', 'number': 2}]}");
    expect_json(merging_result(merging), "value.owners",
                "[{'org': null, 'number': 2}, {'org': 'ror:05xvt9f17', 'number': 1}]");
    assert_non_null(merging_reason(merging, "owners", "lumc-mes/1", "sus-trials/1"));
    expect_json(merging_conflict(merging, "owners[].number"), "owner", "null");
    expect_json(merging_conflict(merging, "owners[ror:05xvt9f17].number"), "owner", "'lumc'");
    begin();
    own_domain_free(owned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_the_systems_listed_is_believed),
        cmocka_unit_test(where_nobody_listed_speaks_the_others_are_fallen_back_on),
        cmocka_unit_test(an_institution_is_believed_for_its_own_systems_and_not_for_registers),
        cmocka_unit_test(the_organisation_in_a_role_is_believed_for_its_own_systems),
        cmocka_unit_test(an_organisation_in_a_role_is_known_by_any_of_its_spellings),
        cmocka_unit_test(with_only_everybody_else_is_shut_out_even_as_fall_back),
        cmocka_unit_test(what_is_shut_out_contradicts_nobody_and_is_unfounded),
        cmocka_unit_test(
            a_reserved_symbol_is_heard_from_those_it_is_for_and_the_others_from_all),
        cmocka_unit_test(a_symbol_may_be_reserved_for_a_role),
        cmocka_unit_test(a_role_is_nobodys_where_all_who_name_it_are_shut_out),
        cmocka_unit_test(a_list_may_mix_roles_institutions_and_systems),
        cmocka_unit_test(the_latest_event_is_believed_and_one_without_time_is_the_oldest),
        cmocka_unit_test(the_earliest_event_is_believed_and_one_without_time_is_the_oldest),
        cmocka_unit_test(the_largest_and_the_smallest_number_are_chosen),
        cmocka_unit_test(the_largest_date_is_the_last_day),
        cmocka_unit_test(a_date_yields_step_by_step_to_the_most_exact_one),
        cmocka_unit_test(a_symbol_of_precedence_stands_over_all_that_is_later),
        cmocka_unit_test(symbols_without_precedence_are_left_to_the_next_rule),
        cmocka_unit_test(where_the_rules_do_not_tell_the_rank_of_the_system_does),
        cmocka_unit_test(a_system_without_rank_comes_after_all_that_have_one),
        cmocka_unit_test(at_the_last_the_smaller_key_is_chosen),
        cmocka_unit_test(agree_ranks_nobody_and_reports_any_difference),
        cmocka_unit_test(an_institution_is_not_believed_for_another_ones_systems),
        cmocka_unit_test(of_two_as_exact_dates_the_rules_choose),
        cmocka_unit_test(a_year_that_is_believed_yields_to_the_later_of_two_months),
        cmocka_unit_test(the_reason_says_which_of_the_two_loses),
        cmocka_unit_test(a_part_that_is_not_stated_has_no_precedence),
        cmocka_unit_test(whom_a_person_chose_for_a_role_is_believed_in_it),
        cmocka_unit_test(a_choice_that_holds_no_more_chooses_no_role),
        cmocka_unit_test(a_conflict_is_whose_the_rule_believes_first_of_those_in_the_record),
        cmocka_unit_test(what_is_no_institutions_own_owns_no_conflict),
        cmocka_unit_test(an_element_without_an_organisation_is_nobodys_own),
    };
    return cmocka_run_group_tests(tests, make_domain, free_domain);
}
