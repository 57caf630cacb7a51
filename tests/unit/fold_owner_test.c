/* fold_owner: who should act on a conflict. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>

#define SHARED "idrcb:2019-A00001-11"
#define COUNT(number) "'enrolment': {'count': " #number ", 'type': 'ACTUAL'}"

static const json_t *only_conflict(struct world *world) {
    json_t *conflicts = (json_t *)world_conflicts(world);
    assert_int_equal(json_object_size(conflicts), 1);
    return json_object_iter_value(json_object_iter(conflicts));
}

static const char *transitions(struct world *world) {
    return tell_each(world, "conflict", NULL, "value.transition");
}

static void the_sponsor_should_act_where_the_rule_believes_it_first(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctis/A", 1, SHARED, COUNT(10) ", 'sponsor': {'org': 'ror:02z31g829', 'text': 'SUS'}");
    tell_trial(world, "ctgov/B", 1, SHARED, COUNT(12));
    expect_json(only_conflict(world), "owners", "['sus']");
    world_free(world);
}

static void without_one_those_whose_statements_differ_should(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "lumc-studies/A", 1, SHARED, COUNT(10));
    tell_trial(world, "euctr/B", 1, SHARED, COUNT(12)); /* a register, carried by sus */
    expect_json(only_conflict(world), "owners", "['lumc', 'sus']");
    world_free(world);
}

static void say_counted(struct world *world, const char *institution, int version,
                        const char *state) {
    char json[256];
    snprintf(json, sizeof json,
             "{'statement': {'version': '%d', 'state': '%s'}, 'identifiers': [{'scheme': 'idrcb',"
             " 'value': '2019-A00001-11', 'relation': 'SELF'}], " COUNT(10) "}",
             version, state);
    world_say(world, institution, "ctgov/A", json);
}

static void of_a_register_all_who_carry_it_should(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    say_counted(world, "lumc", 1, "WITHDRAWN");
    say_counted(world, "sus", 2, "CURRENT");
    tell_trial(world, "euctr/B", 1, SHARED, COUNT(12));
    expect_json(only_conflict(world), "owners", "['sus']"); /* lumc carries it no more */
    say_counted(world, "lumc", 3, "CURRENT");
    expect_json(only_conflict(world), "owners", "['lumc', 'sus']");
    assert_string_equal(transitions(world), "OPENED CHANGED");
    world_free(world);
}

static void another_owner_is_a_change_and_the_same_one_is_none(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctis/A", 1, SHARED, COUNT(10));
    tell_trial(world, "ctgov/B", 1, SHARED, COUNT(12));
    expect_json(only_conflict(world), "owners", "['lumc', 'sus']");
    world_compact(world);
    world_restart(world);
    tell_trial(world, "ctis/A", 2, SHARED, COUNT(10) ", 'acronym': 'STAR'");
    assert_string_equal(transitions(world), "OPENED");
    tell_trial(world, "ctis/A", 3, SHARED, COUNT(10) ", 'sponsor': {'org': 'ror:05xvt9f17', 'text': 'LUMC'}");
    expect_json(only_conflict(world), "owners", "['lumc']");
    assert_string_equal(transitions(world), "OPENED CHANGED");
    assert_int_equal(look_count(only_conflict(world), "values"), 2);
    world_free(world);
}

static void a_step_is_for_those_who_took_it(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "lumc-studies/A", 1, SHARED, "'status': 'COMPLETED'");
    tell_trial(world, "lumc-studies/A", 2, SHARED, "'status': 'PLANNED'");
    expect_json(only_conflict(world), "kind", "'STEP'");
    expect_json(only_conflict(world), "owners", "['lumc']");
    world_free(world);
}

static void an_overlap_is_for_the_facility(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "S1", "08-16", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "S1", "10-18", "BOOKED");
    expect_json(only_conflict(world), "owners", "['lumc']");
    world_free(world);
}

static void an_overlap_of_what_is_nobodys_is_for_those_who_speak_of_it(void **state) {
    struct world *world = world_new("exchange");
    (void)state;
    tell_trial(world, "lu-guests/A", 1, "", "'person_ref': 'ps:2026:11', 'status': 'ACTIVE', "
               "'actual': {'from': {'value': '2026-03-02'}, 'to': {'value': '2026-05-29'}}");
    tell_trial(world, "lumc-guests/B", 1, "", "'person_ref': 'ps:2026:11', 'status': 'ACTIVE', "
               "'actual': {'from': {'value': '2026-03-04'}, 'to': {'value': '2026-05-30'}}");
    expect_json(only_conflict(world), "kind", "'OVERLAP'");
    expect_json(only_conflict(world), "owners", "['lu', 'lumc']");
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sponsor_should_act_where_the_rule_believes_it_first),
        cmocka_unit_test(without_one_those_whose_statements_differ_should),
        cmocka_unit_test(of_a_register_all_who_carry_it_should),
        cmocka_unit_test(another_owner_is_a_change_and_the_same_one_is_none),
        cmocka_unit_test(a_step_is_for_those_who_took_it),
        cmocka_unit_test(an_overlap_is_for_the_facility),
        cmocka_unit_test(an_overlap_of_what_is_nobodys_is_for_those_who_speak_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
