/* fold_decision: what people decide about conflicts, and for how long it holds. */
#include "tests/lib/cmocka.h"
#include "tests/lib/deciding.h"
#include "tests/lib/look.h"

#include <stdio.h>
#include <string.h>

#define SHARED "idrcb:2019-A00001-11"

static void tell_count(struct world *world, const char *key, int version, int count) {
    char more[96];
    snprintf(more, sizeof more, "'enrolment': {'count': %d, 'type': 'ACTUAL'}", count);
    tell_trial(world, key, version, SHARED, more);
}

/* Two registers count the participants of one trial: 10 by the one that the rules believe. */
static struct world *two_counts(void) {
    struct world *world = world_new("trial");
    tell_count(world, "euctr/B", 1, 10);
    tell_count(world, "ctgov/A", 1, 12);
    return world;
}

static const char *conflict_id(struct world *world) {
    static char id[96];
    snprintf(id, sizeof id, "%s/enrolment", tell_id(world, "euctr/B"));
    return id;
}

static bool choose(struct world *world, const char *key) {
    char more[96];
    snprintf(more, sizeof more, "'statements': ['%s']", key);
    return decide_about(world, "trial", "CHOOSE", conflict_id(world), "anna",
                        decide_revision(world, "euctr/B"), more);
}

static const char *transitions(struct world *world) {
    return tell_each(world, "conflict", NULL, "value.transition");
}

static void a_choice_replaces_the_rules_and_closes_the_conflict(void **state) {
    struct world *world = two_counts();
    (void)state;
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "10");
    assert_true(choose(world, "ctgov/A"));
    const json_t *entity = world_entity_of(world, "euctr/B");
    expect_json(entity, "value.enrolment.count", "12");
    expect_json(entity, "conflicts", "[]");
    expect_json(entity, "revision", "3");
    const json_t *conflict = world_conflict(world, conflict_id(world));
    expect_json(conflict, "state", "'RESOLVED'");
    expect_json(conflict, "transition", "'DECIDED'");
    expect_json(conflict, "decision.decided_by", "'anna'");
    expect_json(conflict, "decision.state", "'IN_FORCE'");
    expect_json(conflict, "decision.reason", "'As the protocol says.'");
    expect_json(conflict, "values.0.statements", "['ctgov/A']");
    expect_json(conflict, "values.0.chosen", "true");
    assert_string_equal(transitions(world), "OPENED DECIDED");
    assert_int_equal(world_fold_counts(world).decided, 1);
    world_free(world);
}

static void a_choice_survives_new_versions_that_say_the_same(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "ctgov/A");
    tell_trial(world, "ctgov/A", 2, SHARED,
               "'acronym': 'STAR', 'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "12");
    expect_json(world_entity_of(world, "euctr/B"), "value.acronym", "'STAR'");
    assert_string_equal(transitions(world), "OPENED DECIDED");
    world_free(world);
}

static void a_choice_is_over_when_the_sources_move_and_back_when_they_move_back(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "ctgov/A");
    tell_count(world, "euctr/B", 2, 11);
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "11");
    expect_json(world_conflict(world, conflict_id(world)), "state", "'OPEN'");
    decide_restart(world);
    tell_count(world, "euctr/B", 3, 10);
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "12");
    assert_string_equal(transitions(world), "OPENED DECIDED REOPENED DECIDED");
    world_free(world);
}

static void sources_that_agree_resolve_what_was_decided(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "ctgov/A");
    tell_count(world, "euctr/B", 2, 12);
    assert_string_equal(transitions(world), "OPENED DECIDED RESOLVED");
    expect_json(world_conflict(world, conflict_id(world)), "values", "[]");
    world_free(world);
}

static void a_decision_can_be_decided_again_and_taken_back(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "ctgov/A");
    assert_true(choose(world, "euctr/B"));
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "10");
    assert_string_equal(transitions(world), "OPENED DECIDED DECIDED");
    decide_about(world, "trial", "REOPEN", conflict_id(world), "bo",
                 decide_revision(world, "euctr/B"), NULL);
    expect_json(world_conflict(world, conflict_id(world)), "state", "'OPEN'");
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
    assert_string_equal(transitions(world), "OPENED DECIDED DECIDED REOPENED");
    world_free(world);
}

static void a_decision_on_another_revision_is_refused_as_an_event(void **state) {
    struct world *world = two_counts();
    (void)state;
    assert_true(decide_about(world, "trial", "CHOOSE", conflict_id(world), "anna", 1,
                             "'statements': ['ctgov/A']"));
    const json_t *conflict = world_conflict(world, conflict_id(world));
    expect_json(conflict, "state", "'OPEN'");
    expect_json(conflict, "transition", "'REFUSED'");
    assert_non_null(strstr(look_text(conflict, "refused"), "made on revision 1"));
    expect_json(conflict, "decision", "null");
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "10");
    expect_json(world_entity_of(world, "euctr/B"), "revision", "2");
    assert_int_equal(world_fold_counts(world).refused, 1);
    tell_count(world, "ctgov/A", 2, 13); /* the refusal is of that event alone */
    expect_json(world_conflict(world, conflict_id(world)), "refused", "null");
    world_free(world);
}

static void what_gives_no_value_cannot_be_chosen(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "isrctn/C");
    assert_non_null(strstr(look_text(world_conflict(world, conflict_id(world)), "refused"),
                           "gives none of the values"));
    world_free(world);
}

static void a_decision_about_nothing_is_refused_as_an_event(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide_about(world, "trial", "CHOOSE", "trial-nowhere/enrolment", "anna", 1,
                 "'statements': ['ctgov/A']");
    const json_t *conflict = world_conflict(world, "trial-nowhere/enrolment");
    expect_json(conflict, "transition", "'REFUSED'");
    expect_json(conflict, "refused", "'there is no such conflict'");
    expect_json(conflict, "state", "'RESOLVED'");
    decide_restart(world);
    world_free(world);
}

static void a_deferred_conflict_stays_open_until_its_values_move(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide_about(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
    const json_t *conflict = world_conflict(world, conflict_id(world));
    expect_json(conflict, "state", "'OPEN'");
    expect_json(conflict, "transition", "'DEFERRED'");
    expect_json(conflict, "decision.kind", "'DEFER'");
    tell_count(world, "ctgov/A", 2, 13);
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
    expect_json(world_conflict(world, conflict_id(world)), "transition", "'CHANGED'");
    world_free(world);
}

static void a_step_that_the_life_cycle_does_not_allow_can_be_accepted(void **state) {
    struct world *world = world_new("trial");
    char id[128];
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, "'status': 'COMPLETED'");
    tell_trial(world, "ctgov/A", 2, SHARED, "'status': 'RECRUITING'");
    snprintf(id, sizeof id, "%s/status@ctgov/A", tell_id(world, "ctgov/A"));
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    decide_about(world, "trial", "CHOOSE", id, "anna", 2, "'statements': ['ctgov/A']");
    expect_json(world_conflict(world, id), "state", "'RESOLVED'");
    expect_json(world_conflict(world, id), "transition", "'DECIDED'");
    expect_json(world_entity_of(world, "ctgov/A"), "conflicts", "[]");
    world_free(world);
}

static void of_an_overlap_nothing_can_be_chosen_but_it_can_be_put_off(void **state) {
    struct world *world = world_new("gmp-slot");
    char more[64];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/2", 1, "line-a", "10-14", "BOOKED");
    const char *id = json_object_iter_key(json_object_iter((json_t *)world_conflicts(world)));
    const char *first = look_text(world_conflict(world, id), "entities.0");
    int64_t revision = look_number(world_entity(world, first), "revision");
    snprintf(more, sizeof more, "'shard': %d", decide_slot_shard());
    char chosen[128];
    snprintf(chosen, sizeof chosen, "%s, 'statements': ['lumc-mes/1']", more);
    decide_about(world, "gmp-slot", "CHOOSE", id, "anna", revision, chosen);
    assert_non_null(strstr(look_text(world_conflict(world, id), "refused"), "move one of the two"));
    decide_about(world, "gmp-slot", "DEFER", id, "anna", revision, more);
    expect_json(world_conflict(world, id), "transition", "'DEFERRED'");
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    world_free(world);
}

static void a_conflict_that_was_asked_for_too_early_opens_like_any_other(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_count(world, "euctr/B", 1, 10);
    decide_about(world, "trial", "DEFER", conflict_id(world), "anna", 1, NULL);
    expect_json(world_conflict(world, conflict_id(world)), "refused",
                "'there is no such conflict'");
    decide_restart(world);
    tell_count(world, "ctgov/A", 1, 12);
    const json_t *conflict = world_conflict(world, conflict_id(world));
    expect_json(conflict, "transition", "'OPENED'");
    expect_json(conflict, "field", "'enrolment'");
    decide_restart(world);
    choose(world, "ctgov/A");
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "12");
    assert_string_equal(transitions(world), "REFUSED OPENED DECIDED");
    world_free(world);
}

static void a_conflict_that_the_sources_resolved_is_not_reopened(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "ctgov/A");
    tell_count(world, "euctr/B", 2, 12);
    decide_about(world, "trial", "REOPEN", conflict_id(world), "bo",
                 decide_revision(world, "euctr/B"), NULL);
    const json_t *conflict = world_conflict(world, conflict_id(world));
    expect_json(conflict, "state", "'RESOLVED'");
    expect_json(conflict, "refused", "'the sources agree: there is nothing to reopen'");
    expect_json(conflict, "decision.kind", "'CHOOSE'");
    world_free(world);
}

/* The step from COMPLETED to RECRUITING and the conflict of two registers have the same values. */
static void an_accepted_step_chooses_no_value(void **state) {
    struct world *world = world_new("trial");
    char step[192], values[128];
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, "'status': 'COMPLETED'");
    tell_trial(world, "euctr/B", 1, SHARED, "'status': 'COMPLETED'");
    tell_trial(world, "ctgov/A", 2, SHARED, "'status': 'RECRUITING'");
    snprintf(values, sizeof values, "%s/status", tell_id(world, "ctgov/A"));
    snprintf(step, sizeof step, "%s@ctgov/A", values);
    expect_json(world_conflict(world, values), "state", "'OPEN'");
    const char *status = look_text(world_entity_of(world, "ctgov/A"), "value.status");
    char before[32];
    snprintf(before, sizeof before, "%s", status);
    decide_about(world, "trial", "CHOOSE", step, "anna", decide_revision(world, "ctgov/A"),
                 "'statements': ['ctgov/A']");
    expect_json(world_conflict(world, step), "state", "'RESOLVED'");
    expect_json(world_conflict(world, values), "state", "'OPEN'");
    assert_string_equal(look_text(world_entity_of(world, "ctgov/A"), "value.status"), before);
    world_free(world);
}

static void what_is_no_decision_is_dead_lettered(void **state) {
    static const char *const wrong[] = {
        "'domain': 'nothing', 'subject': 's', 'kind': 'DEFER', 'reason': 'r', 'decided_by': 'a'",
        "'domain': 'trial', 'subject': '', 'kind': 'DEFER', 'reason': 'r', 'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'DEFER', 'reason': ' ', 'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'DEFER', 'reason': 'r', 'decided_by': ''",
        "'domain': 'trial', 'subject': 's', 'kind': 'CHOOSE', 'reason': 'r', 'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'JOIN', 'statements': ['ctgov/A'], "
        "'reason': 'r', 'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'DEFER', 'statements': ['ctgov/A'], "
        "'reason': 'r', 'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'UNRECOGNISED', 'reason': 'r', "
        "'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'DEFER', 'shard': 1, 'reason': 'r', "
        "'decided_by': 'a'",
        "'domain': 'trial', 'subject': 's', 'kind': 'DEFER', 'reason': 'r', 'decided_by': 'a', "
        "'confirmed_by': 'a'"};
    struct world *world = two_counts();
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text,
                 "{'decision_id': 'd', 'revision': 1, 'decided_time': '2026-05-01T10:00:00.000Z', "
                 "%s}",
                 wrong[i]);
        assert_false(world_decide(world, text));
    }
    json_t *letters = tell_history(world, "deadletter", NULL);
    assert_int_equal(json_array_size(letters), sizeof wrong / sizeof *wrong);
    expect_json(json_array_get(letters, 0), "value.code", "'DECISION'");
    expect_json(json_array_get(letters, 0), "value.path", "'domain'");
    expect_json(json_array_get(letters, 3), "value.path", "'decided_by'");
    assert_string_equal(transitions(world), "OPENED");
    json_decref(letters);
    world_free(world);
}

static void what_the_sources_agree_on_is_neither_chosen_nor_put_off(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide_about(world, "trial", "REOPEN", conflict_id(world), "bo", 2, NULL);
    expect_refusal_of(world_conflict(world, conflict_id(world)), "nobody has decided it");
    tell_count(world, "ctgov/A", 2, 10);
    choose(world, "ctgov/A");
    expect_refusal_of(world_conflict(world, conflict_id(world)), "the sources agree");
    decide_about(world, "trial", "DEFER", conflict_id(world), "bo",
                 decide_revision(world, "euctr/B"), NULL);
    expect_refusal_of(world_conflict(world, conflict_id(world)), "it is not open");
    world_free(world);
}

static void a_choice_is_remembered_while_the_sources_agree(void **state) {
    struct world *world = two_counts();
    (void)state;
    choose(world, "ctgov/A");
    tell_count(world, "euctr/B", 2, 12);
    tell_trial(world, "euctr/B", 3, SHARED,
               "'acronym': 'STAR', 'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    assert_string_equal(transitions(world), "OPENED DECIDED RESOLVED");
    decide_about(world, "trial", "REOPEN", conflict_id(world), "bo",
                 decide_revision(world, "euctr/B"), NULL);
    expect_refusal_of(world_conflict(world, conflict_id(world)), "nothing to reopen");
    world_free(world);
}

static void what_was_put_off_stays_so_while_its_values_do(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide_about(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
    tell_count(world, "isrctn/C", 1, 12); /* a third voice, no new value */
    expect_json(world_conflict(world, conflict_id(world)), "transition", "'CHANGED'");
    expect_json(world_conflict(world, conflict_id(world)), "decision.kind", "'DEFER'");
    tell_count(world, "isrctn/C", 2, 14); /* a third value */
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
    world_free(world);
}

static void what_was_put_off_is_over_when_the_sources_agree(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide_about(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
    tell_count(world, "ctgov/A", 2, 10);
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
    assert_string_equal(transitions(world), "OPENED DEFERRED RESOLVED");
    world_free(world);
}

static void a_step_that_is_put_off_stays_open(void **state) {
    struct world *world = world_new("trial");
    char id[128];
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, "'status': 'COMPLETED'");
    tell_trial(world, "ctgov/A", 2, SHARED, "'status': 'RECRUITING'");
    snprintf(id, sizeof id, "%s/status@ctgov/A", tell_id(world, "ctgov/A"));
    decide_about(world, "trial", "DEFER", id, "anna", 2, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, "'acronym': 'STAR'");
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    expect_json(world_conflict(world, id), "decision.kind", "'DEFER'");
    world_free(world);
}

static void several_conflicts_of_one_entity_are_decided_each_by_itself(void **state) {
    struct world *world = world_new("trial");
    char id[128];
    (void)state;
    tell_trial(world, "euctr/B", 1, SHARED,
               "'start': {'value': '2016-07-14'}, 'enrolment': {'count': 10, 'type': 'ACTUAL'}");
    tell_trial(world, "ctgov/A", 1, SHARED,
               "'start': {'value': '2017-07-14'}, 'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    static const char *const fields[] = {"start", "enrolment"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(id, sizeof id, "%s/%s", tell_id(world, "ctgov/A"), fields[i]);
        assert_non_null(world_conflict(world, id));
        decide_about(world, "trial", "CHOOSE", id, "anna", decide_revision(world, "ctgov/A"),
                     "'statements': ['ctgov/A']");
        expect_json(world_conflict(world, id), "state", "'RESOLVED'");
    }
    decide_about(world, "trial", "REOPEN", id, "bo", decide_revision(world, "ctgov/A"), NULL);
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    assert_int_equal(look_count(world_entity_of(world, "ctgov/A"), "conflicts"), 1);
    world_free(world);
}

static void what_was_put_off_can_be_taken_up_again(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide_about(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
    decide_about(world, "trial", "REOPEN", conflict_id(world), "bo",
                 decide_revision(world, "euctr/B"), NULL);
    expect_json(world_conflict(world, conflict_id(world)), "state", "'OPEN'");
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_replaces_the_rules_and_closes_the_conflict),
        cmocka_unit_test(a_choice_survives_new_versions_that_say_the_same),
        cmocka_unit_test(a_choice_is_over_when_the_sources_move_and_back_when_they_move_back),
        cmocka_unit_test(sources_that_agree_resolve_what_was_decided),
        cmocka_unit_test(a_decision_can_be_decided_again_and_taken_back),
        cmocka_unit_test(a_decision_on_another_revision_is_refused_as_an_event),
        cmocka_unit_test(what_gives_no_value_cannot_be_chosen),
        cmocka_unit_test(a_decision_about_nothing_is_refused_as_an_event),
        cmocka_unit_test(a_deferred_conflict_stays_open_until_its_values_move),
        cmocka_unit_test(a_step_that_the_life_cycle_does_not_allow_can_be_accepted),
        cmocka_unit_test(of_an_overlap_nothing_can_be_chosen_but_it_can_be_put_off),
        cmocka_unit_test(a_conflict_that_was_asked_for_too_early_opens_like_any_other),
        cmocka_unit_test(a_conflict_that_the_sources_resolved_is_not_reopened),
        cmocka_unit_test(an_accepted_step_chooses_no_value),
        cmocka_unit_test(what_is_no_decision_is_dead_lettered),
        cmocka_unit_test(what_the_sources_agree_on_is_neither_chosen_nor_put_off),
        cmocka_unit_test(a_choice_is_remembered_while_the_sources_agree),
        cmocka_unit_test(what_was_put_off_stays_so_while_its_values_do),
        cmocka_unit_test(what_was_put_off_is_over_when_the_sources_agree),
        cmocka_unit_test(a_step_that_is_put_off_stays_open),
        cmocka_unit_test(several_conflicts_of_one_entity_are_decided_each_by_itself),
        cmocka_unit_test(what_was_put_off_can_be_taken_up_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
