/* fold_decision: statements that people say are of one thing, or of two. */
#include "tests/lib/cmocka.h"
#include "tests/lib/deciding.h"
#include "tests/lib/look.h"

#include <stdio.h>
#include <string.h>

#define SHARED "idrcb:2019-A00001-11"

static void two_trials(struct world *world) {
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", NULL);
    tell_trial(world, "isrctn/B", 1, "isrctn:ISRCTN01000002", NULL);
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/B"));
}

static void what_is_decided_to_be_the_same_is_one_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    two_trials(world);
    decide_pair(world, "JOIN", "ctgov/A", "isrctn/B");
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/B"));
    const json_t *match = world_match(world, "pair/1");
    expect_json(match, "state", "'CLOSED'");
    expect_json(match, "decision.kind", "'JOIN'");
    expect_json(match, "decision.state", "'IN_FORCE'");
    decide_restart(world);
    tell_trial(world, "isrctn/B", 2, "isrctn:ISRCTN01000003", NULL); /* and stays one */
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/B"));
    tell_trial_withdrawn(world, "ctgov/A", 2);
    tell_trial(world, "ctgov/A", 3, "nct:NCT01000001", NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/B"));
    world_free(world);
}

static void what_is_decided_to_be_apart_is_two_entities(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    decide_pair(world, "SEPARATE", "ctgov/A", "euctr/B");
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    decide_restart(world);
    tell_trial(world, "euctr/B", 2, SHARED, "'acronym': 'STAR'");
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    assert_int_equal(world_count_open(world_matches(world)), 0); /* nobody is asked again */
    decide_pair(world, "JOIN", "ctgov/A", "euctr/B");            /* the newest decision counts */
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    world_free(world);
}

static void a_separation_closes_the_match_that_asked_for_it(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    decide_pair(world, "SEPARATE", "ctgov/A", "euctr/B");
    assert_int_equal(world_count_open(world_matches(world)), 0);
    decide_restart(world);
    tell_trial(world, "euctr/B", 2, "nct:NCT01000002 " SHARED, "'acronym': 'STAR'");
    assert_int_equal(world_count_open(world_matches(world)), 0);
    world_free(world);
}

static void the_newest_decision_about_a_subject_ends_what_the_one_before_did(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "isrctn/C", 1, "isrctn:ISRCTN01000002", NULL);
    decide_pair(world, "SEPARATE", "ctgov/A", "euctr/B");
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    decide_pair(world, "JOIN", "ctgov/A", "isrctn/C"); /* the same subject, another pair */
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/C"));
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    decide_restart(world);
    tell_trial(world, "euctr/B", 2, SHARED " eudract:2019-000001-11", NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    world_free(world);
}

static void a_join_on_another_revision_is_refused_as_an_event(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    two_trials(world);
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                     "'statements': ['ctgov/A'], 'others': ['isrctn/B'], 'other_revision': 7"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "revision 7"));
    assert_true(decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                             "'statements': ['ctgov/A'], 'others': ['isrctn/B']"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "is not given"));
    assert_true(decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                             "'statements': ['ctgov/X'], 'others': ['isrctn/B']"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "ctgov/X"));
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                     "'statements': ['ctgov/A'], 'others': ['ctgov/A'], 'other_revision': 1"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "both sides"));
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/B"));
    decide_restart(world);
    world_free(world);
}

static void the_statements_of_a_side_are_in_force_and_in_one_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    two_trials(world);
    assert_true(decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                             "'statements': ['ctgov/X'], 'others': ['isrctn/B']"));
    expect_refusal_of(world_match(world, "pair/1"), "no statement ctgov/X is in force");
    expect_json(world_match(world, "pair/1"), "entities", "['', '']");
    assert_true(decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                             "'statements': ['ctgov/A', 'isrctn/B'], 'others': ['isrctn/B']"));
    expect_refusal_of(world_match(world, "pair/1"), "in different entities");
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/1", "anna", 7,
                     "'statements': ['ctgov/A'], 'others': ['isrctn/B'], 'other_revision': 1"));
    expect_refusal_of(world_match(world, "pair/1"), "revision 7");
    tell_trial_withdrawn(world, "isrctn/B", 2);
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                     "'statements': ['ctgov/A'], 'others': ['isrctn/B'], 'other_revision': 1"));
    expect_refusal_of(world_match(world, "pair/1"), "no statement isrctn/B is in force");
    world_free(world);
}

static void a_side_may_be_several_statements_of_one_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "isrctn/C", 1, SHARED, NULL);
    assert_true(decide_about(world, "trial", "SEPARATE", "pair/1", "anna", 3,
                             "'statements': ['ctgov/A', 'euctr/B'], 'others': ['isrctn/C']"));
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/C"));
    tell_trial_withdrawn(world, "euctr/B", 2);
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/1", "anna", decide_revision(world, "ctgov/A"),
                     "'statements': ['ctgov/A'], 'others': ['isrctn/C'], 'other_revision': 1"));
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/C"));
    world_free(world);
}

static void decisions_that_contradict_each_other_are_a_match(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", NULL);
    tell_trial(world, "euctr/B", 1, "", NULL);
    tell_trial(world, "isrctn/C", 1, "", NULL);
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/1", "anna", 1,
                     "'statements': ['ctgov/A'], 'others': ['euctr/B'], 'other_revision': 1"));
    assert_true(
        decide_about(world, "trial", "JOIN", "pair/2", "anna", 2,
                     "'statements': ['euctr/B'], 'others': ['isrctn/C'], 'other_revision': 1"));
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/C"));
    assert_true(decide_about(world, "trial", "SEPARATE", "pair/3", "anna", 3,
                             "'statements': ['ctgov/A'], 'others': ['isrctn/C']"));
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    const json_t *match = NULL;
    const char *id;
    json_object_foreach((json_t *)world_matches(world), id, match) {
        if (look_count(match, "evidence") > 0)
            expect_json(match, "evidence.0.detail", "'decisions that contradict each other'");
    }
    assert_int_equal(world_count_open(world_matches(world)), 2);
    world_free(world);
}

/* Three decisions that cannot all hold; an older one about a pair of them no longer counts. */
static void of_decisions_about_one_pair_the_newest_counts(void **state) {
    static const struct {
        const char *kind, *subject, *a, *b;
    } said[] = {{"SEPARATE", "pair/0", "ctgov/A", "euctr/B"},
                {"JOIN", "pair/1", "ctgov/A", "euctr/B"},
                {"JOIN", "pair/2", "euctr/B", "isrctn/C"},
                {"SEPARATE", "pair/3", "ctgov/A", "isrctn/C"}};
    struct world *world = world_new("trial");
    char more[160];
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", NULL);
    tell_trial(world, "euctr/B", 1, "", NULL);
    tell_trial(world, "isrctn/C", 1, "", NULL);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        snprintf(more, sizeof more,
                 "'statements': ['%s'], 'others': ['%s'], 'other_revision': %lld", said[i].a,
                 said[i].b, (long long)decide_revision(world, said[i].b));
        decide_about(world, "trial", said[i].kind, said[i].subject, "anna",
                     decide_revision(world, said[i].a), more);
        expect_json(world_match(world, said[i].subject), "refused", "null");
    }
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    assert_int_equal(world_count_open(world_matches(world)), 2); /* A and B, B and C: a tie */
    decide_pair(world, "SEPARATE", "ctgov/A", "euctr/B");        /* pair/1 anew; the others stand */
    assert_string_equal(tell_id(world, "euctr/B"), tell_id(world, "isrctn/C"));
    assert_int_equal(world_count_open(world_matches(world)), 0);
    decide_about(world, "trial", "SEPARATE", "pair/4", "anna", decide_revision(world, "euctr/B"),
                 "'statements': ['euctr/B'], 'others': ['isrctn/C']");
    assert_string_not_equal(tell_id(world, "euctr/B"), tell_id(world, "isrctn/C"));
    decide_restart(world);
    tell_trial(world, "euctr/B", 2, SHARED, NULL);
    assert_string_not_equal(tell_id(world, "euctr/B"), tell_id(world, "isrctn/C"));
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_decided_to_be_the_same_is_one_entity),
        cmocka_unit_test(what_is_decided_to_be_apart_is_two_entities),
        cmocka_unit_test(a_separation_closes_the_match_that_asked_for_it),
        cmocka_unit_test(the_newest_decision_about_a_subject_ends_what_the_one_before_did),
        cmocka_unit_test(a_join_on_another_revision_is_refused_as_an_event),
        cmocka_unit_test(the_statements_of_a_side_are_in_force_and_in_one_entity),
        cmocka_unit_test(a_side_may_be_several_statements_of_one_entity),
        cmocka_unit_test(decisions_that_contradict_each_other_are_a_match),
        cmocka_unit_test(of_decisions_about_one_pair_the_newest_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
