/* merge_check: what a statement may not say, or does not say alone. Steps are in merge_test.c. */
#include "hub/core/merge_check.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/merging.h"
#include "tests/lib/own_domain.h"

#include <string.h>

static const char fields[] =
    "[{'name': 'state', 'type': ['null', {'type': 'enum', 'name': 'State1', 'doc': 'd',"
    "   'symbols': ['OPEN', 'FREED', 'SENT', 'STOPPED', 'UNRECOGNISED'],"
    "   'default': 'UNRECOGNISED'}],"
    "  'doc': 'd', 'default': null, 'hub:equal': 'reachable', 'hub:conflict': 'critical',"
    "  'hub:merge': [{'reserve': ['FREED'], 'for': ['system:ctis', 'system:isrctn']}, 'latest'],"
    "  'hub:lifecycle': {'OPEN': ['FREED', 'STOPPED'], 'FREED': ['SENT'], 'SENT': [],"
    "   'STOPPED': []}},"
    " {'name': 'name', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': [{'authority': ['system:ctis'], 'only': true}], 'hub:equal': 'fold',"
    "  'hub:conflict': 'major'},"
    " {'name': 'quiet', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': [{'authority': ['system:ctis'], 'only': true}], 'hub:conflict': 'ignore'},"
    " {'name': 'gifts', 'type': {'type': 'array', 'items': {'type': 'record', 'name': 'Gift',"
    "   'doc': 'd', 'fields': ["
    "    {'name': 'number', 'type': 'string', 'doc': 'd'},"
    "    {'name': 'amount', 'type': ['null', 'int'], 'doc': 'd', 'default': null}]}},"
    "  'doc': 'd', 'default': [], 'hub:conflict': 'major',"
    "  'hub:requires': {'field': 'name', 'conflict': 'critical'},"
    "  'hub:merge': {'union': ['number'], 'by': [{'authority': ['system:ctis', 'system:isrctn'],"
    "   'only': true}]}},"
    " {'name': 'sum', 'type': ['null', 'int'], 'doc': 'd', 'default': null,"
    "  'hub:requires': {'field': 'gifts', 'conflict': 'minor'},"
    "  'hub:merge': 'latest', 'hub:conflict': 'ignore'}]";

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

static void begin(void) {
    if (merging != NULL)
        merging_free(merging);
    merging = merging_new(own_domain(own));
}

static void say(const char *key, const char *json) {
    merging_say(merging, key, NULL, json);
}

/* --- claims --- */

static void a_reserved_state_that_only_others_say_is_unfounded(void **state) {
    (void)state;
    begin();
    say("ctgov/1", "{'state': 'FREED'}");
    say("ctgov/2", "{'state': 'OPEN'}");
    say("euctr/1", "{'state': 'FREED'}");
    const json_t *found = merging_conflict(merging, "state:claim");
    expect_json(found, "severity", "'critical'");
    expect_json(found, "values.0",
                "{'value': 'OPEN', 'statements': ['ctgov/2'], 'chosen': true}");
    expect_json(found, "values.1",
                "{'value': 'FREED', 'statements': ['ctgov/1', 'euctr/1'], 'chosen': false}");
    assert_int_equal(look_count(found, "values"), 2);
    expect_json(merging_result(merging), "value.state", "'OPEN'");
}

static void it_is_founded_once_one_who_may_says_so_or_what_only_comes_after(void **state) {
    static const struct {
        const char *key, *json;
        bool founded;
    } cases[] = {{"ctis/1", "{'state': 'FREED'}", true},
                 {"isrctn/1", "{'state': 'FREED'}", true},
                 {"ctis/1", "{'state': 'SENT'}", true},
                 {"ctis/1", "{'state': 'OPEN'}", false},
                 {"ctis/1", "{'state': 'STOPPED'}", false},
                 {"ctis/1", "{'name': 'else'}", false},
                 {"ctgov/2", "{'state': 'SENT'}", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        say("ctgov/1", "{'state': 'FREED'}");
        say(cases[i].key, cases[i].json);
        assert_true((merging_conflict(merging, "state:claim") == NULL) == cases[i].founded);
    }
}

static void what_nobody_may_say_is_listed_with_nothing_chosen(void **state) {
    (void)state;
    begin();
    say("ctgov/1", "{'name': 'Skin'}");
    say("euctr/1", "{'name': 'Hide'}");
    const json_t *found = merging_conflict(merging, "name:claim");
    expect_json(found, "values.0.value", "'Hide'");
    expect_json(found, "values.0.chosen", "false");
    expect_json(found, "values.1.chosen", "false");
    expect_json(merging_result(merging), "value.name", "null");
}

static void the_fields_own_equality_tells_whether_it_is_the_same(void **state) {
    (void)state;
    begin();
    say("ctis/1", "{'name': 'Skin  Sheet'}");
    say("ctgov/1", "{'name': 'skin sheet'}");
    assert_null(merging_conflict(merging, "name:claim"));
    say("euctr/1", "{'name': 'skin graft'}");
    expect_json(merging_conflict(merging, "name:claim"), "values.0.statements", "['ctis/1']");
}

static void of_several_who_may_say_it_the_one_whose_value_stands_is_named(void **state) {
    (void)state;
    begin();
    say("ctis/1", "{'name': 'Skin'}");
    say("ctis/2", "{'name': 'Sheet'}");
    say("euctr/1", "{'name': 'Graft'}");
    const json_t *found = merging_conflict(merging, "name:claim");
    expect_json(found, "values.0",
                "{'value': 'Skin', 'statements': ['ctis/1'], 'chosen': true}");
    expect_json(found, "values.1",
                "{'value': 'Graft', 'statements': ['euctr/1'], 'chosen': false}");
}

static void a_field_whose_differences_nobody_reports_has_no_claims(void **state) {
    (void)state;
    begin();
    say("ctgov/1", "{'quiet': 'Skin'}");
    expect_json(merging_result(merging), "conflicts", "{}");
}

static void the_elements_of_a_list_are_founded_each(void **state) {
    (void)state;
    begin();
    say("ctis/1", "{'name': 'n', 'gifts': [{'number': '1', 'amount': 5}, {'number': '2'}]}");
    say("isrctn/1", "{'gifts': [{'number': '3'}]}");
    say("ctgov/1", "{'gifts': [{'number': '2', 'amount': 4}]}"); /* one of them states it */
    assert_null(merging_conflict(merging, "gifts:claim"));
    say("ctgov/2", "{'gifts': [{'number': '2'}, {'number': '4'}]}");
    const json_t *found = merging_conflict(merging, "gifts:claim");
    expect_json(found, "values.0.statements", "['ctis/1', 'isrctn/1']");
    expect_json(found, "values.0.chosen", "true");
    assert_int_equal(look_count(found, "values.0.value"), 3);
    expect_json(found, "values.1.statements", "['ctgov/2']");
}

/* --- needs --- */

static void a_field_without_the_one_that_it_requires_is_unfounded(void **state) {
    (void)state;
    begin();
    say("ctis/1", "{'gifts': [{'number': '1'}]}");
    const json_t *found = merging_conflict(merging, "gifts:needs-name");
    expect_json(found, "severity", "'critical'");
    expect_json(found, "values.0.statements", "['ctis/1']");
    expect_json(found, "values.0.chosen", "true");
    expect_json(found, "values.1", "{'value': {'name': null}, 'statements': [], 'chosen': false}");
    say("isrctn/1", "{'gifts': [{'number': '2'}]}");
    say("euctr/1", "{'gifts': [{'number': '2'}]}"); /* shut out: it has no share */
    say("ctgov/1", "{'quiet': 'q'}");
    expect_json(merging_conflict(merging, "gifts:needs-name"), "values.0.statements",
                "['ctis/1', 'isrctn/1']");
    say("ctis/2", "{'name': 'n'}");
    assert_null(merging_conflict(merging, "gifts:needs-name"));
}

static void what_is_required_must_be_said_by_those_who_may(void **state) {
    (void)state;
    begin();
    say("ctis/1", "{'gifts': [{'number': '1'}]}");
    say("ctgov/1", "{'name': 'n'}");
    assert_non_null(merging_conflict(merging, "gifts:needs-name"));
}

static void a_list_may_be_required_and_what_is_not_stated_requires_nothing(void **state) {
    (void)state;
    begin();
    say("ctis/1", "{'sum': 7}");
    expect_json(merging_conflict(merging, "sum:needs-gifts"), "severity", "'minor'");
    begin();
    say("ctis/1", "{'quiet': 'q'}");
    expect_json(merging_result(merging), "conflicts", "{}");
}

/* --- the list --- */

static void any_number_of_conflicts_is_kept(void **state) {
    struct hub_arena arena = {0};
    struct hub_conflicts conflicts = {.arena = &arena};
    (void)state;
    for (int i = 0; i < 20; i++)
        hub_conflicts_add(&conflicts)->path = hub_arena_format(&arena, "field-%d", i);
    assert_int_equal(conflicts.count, 20);
    assert_string_equal(conflicts.items[0].path, "field-0");
    assert_string_equal(conflicts.items[7].path, "field-7");
    assert_string_equal(conflicts.items[19].path, "field-19");
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reserved_state_that_only_others_say_is_unfounded),
        cmocka_unit_test(it_is_founded_once_one_who_may_says_so_or_what_only_comes_after),
        cmocka_unit_test(what_nobody_may_say_is_listed_with_nothing_chosen),
        cmocka_unit_test(the_fields_own_equality_tells_whether_it_is_the_same),
        cmocka_unit_test(of_several_who_may_say_it_the_one_whose_value_stands_is_named),
        cmocka_unit_test(a_field_whose_differences_nobody_reports_has_no_claims),
        cmocka_unit_test(the_elements_of_a_list_are_founded_each),
        cmocka_unit_test(a_field_without_the_one_that_it_requires_is_unfounded),
        cmocka_unit_test(what_is_required_must_be_said_by_those_who_may),
        cmocka_unit_test(a_list_may_be_required_and_what_is_not_stated_requires_nothing),
        cmocka_unit_test(any_number_of_conflicts_is_kept),
    };
    return cmocka_run_group_tests(tests, make_domain, free_all);
}
