/* fold_decision: what people decide, and for how long it holds. */
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define SHARED "idrcb:2019-A00001-11"
#define REASON "'reason': 'As the protocol says.', 'decided_time': '2026-05-01T10:00:00.000Z'"

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

static int64_t revision_of(struct world *world, const char *key) {
    return look_number(world_entity_of(world, key), "revision");
}

static bool decide(struct world *world, const char *domain, const char *kind, const char *subject,
                   const char *by, int64_t revision, const char *more) {
    char text[1024];
    snprintf(text, sizeof text,
             "{'decision_id': '%s-%s-%lld', 'domain': '%s', 'subject': '%s', 'kind': '%s', "
             "'revision': %lld, 'decided_by': '%s', %s%s%s}",
             kind, by, (long long)revision, domain, subject, kind, (long long)revision, by, REASON,
             more == NULL ? "" : ", ", more == NULL ? "" : more);
    return world_decide(world, text);
}

static bool choose(struct world *world, const char *key) {
    char more[96];
    snprintf(more, sizeof more, "'statements': ['%s']", key);
    return decide(world, "trial", "CHOOSE", conflict_id(world), "anna",
                  revision_of(world, "euctr/B"), more);
}

static const char *transitions(struct world *world) {
    return tell_each(world, "conflict", NULL, "value.transition");
}

/* The shard of LUMC's slots. */
static int shard(void) {
    return hub_admit_shard(test_domain("gmp-slot"), &hub_sha256,
                           hub_bytes_of_text("ror:05xvt9f17"), HUB_SHARDS);
}

/* Everything that is published, and that a restart must not change. */
static void restart(struct world *world) {
    uint64_t before = world_trace(world);
    world_restart(world);
    assert_true(before == world_trace(world));
}

/* --- choosing --- */

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
    restart(world);
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
    decide(world, "trial", "REOPEN", conflict_id(world), "bo", revision_of(world, "euctr/B"), NULL);
    expect_json(world_conflict(world, conflict_id(world)), "state", "'OPEN'");
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
    assert_string_equal(transitions(world), "OPENED DECIDED DECIDED REOPENED");
    world_free(world);
}

static void a_decision_on_another_revision_is_refused_as_an_event(void **state) {
    struct world *world = two_counts();
    (void)state;
    assert_true(decide(world, "trial", "CHOOSE", conflict_id(world), "anna", 1,
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
    decide(world, "trial", "CHOOSE", "trial-nowhere/enrolment", "anna", 1,
           "'statements': ['ctgov/A']");
    const json_t *conflict = world_conflict(world, "trial-nowhere/enrolment");
    expect_json(conflict, "transition", "'REFUSED'");
    expect_json(conflict, "refused", "'there is no such conflict'");
    expect_json(conflict, "state", "'RESOLVED'");
    restart(world);
    world_free(world);
}

static void a_deferred_conflict_stays_open_until_its_values_move(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
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
    decide(world, "trial", "CHOOSE", id, "anna", 2, "'statements': ['ctgov/A']");
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
    const char *id = json_object_iter_key(
        json_object_iter((json_t *)world_conflicts(world)));
    const char *first = look_text(world_conflict(world, id), "entities.0");
    int64_t revision = look_number(world_entity(world, first), "revision");
    snprintf(more, sizeof more, "'shard': %d", shard());
    char chosen[128];
    snprintf(chosen, sizeof chosen, "%s, 'statements': ['lumc-mes/1']", more);
    decide(world, "gmp-slot", "CHOOSE", id, "anna", revision, chosen);
    assert_non_null(strstr(look_text(world_conflict(world, id), "refused"), "move one of the two"));
    decide(world, "gmp-slot", "DEFER", id, "anna", revision, more);
    expect_json(world_conflict(world, id), "transition", "'DEFERRED'");
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    world_free(world);
}

static void a_conflict_that_was_asked_for_too_early_opens_like_any_other(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_count(world, "euctr/B", 1, 10);
    decide(world, "trial", "DEFER", conflict_id(world), "anna", 1, NULL);
    expect_json(world_conflict(world, conflict_id(world)), "refused",
                "'there is no such conflict'");
    restart(world);
    tell_count(world, "ctgov/A", 1, 12);
    const json_t *conflict = world_conflict(world, conflict_id(world));
    expect_json(conflict, "transition", "'OPENED'");
    expect_json(conflict, "field", "'enrolment'");
    restart(world);
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
    decide(world, "trial", "REOPEN", conflict_id(world), "bo", revision_of(world, "euctr/B"), NULL);
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
    decide(world, "trial", "CHOOSE", step, "anna", revision_of(world, "ctgov/A"),
           "'statements': ['ctgov/A']");
    expect_json(world_conflict(world, step), "state", "'RESOLVED'");
    expect_json(world_conflict(world, values), "state", "'OPEN'");
    assert_string_equal(look_text(world_entity_of(world, "ctgov/A"), "value.status"), before);
    world_free(world);
}

/* --- the second person --- */

static void traceability_data_needs_a_second_person(void **state) {
    struct world *world = world_new("gmp-slot");
    char id[96], more[96];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "DONE");
    tell_slot(world, "lumc-mes/1", 2, "line-a", "08-12", "FREE"); /* no allowed step */
    snprintf(id, sizeof id, "%s/status@lumc-mes/1", tell_id(world, "lumc-mes/1"));
    assert_non_null(world_conflict(world, id));
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", shard());
    decide(world, "gmp-slot", "CHOOSE", id, "anna", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
    expect_json(world_conflict(world, id), "proposal.state", "'PROPOSED'");
    expect_json(world_conflict(world, id), "decision", "null");
    restart(world);
    decide(world, "gmp-slot", "CHOOSE", id, "anna", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "refused", "'a second person has to confirm it'");
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    decide(world, "gmp-slot", "CHOOSE", id, "bo", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "state", "'RESOLVED'");
    expect_json(world_conflict(world, id), "decision.decided_by", "'anna'");
    expect_json(world_conflict(world, id), "decision.confirmed_by", "'bo'");
    expect_json(world_conflict(world, id), "proposal", "null");
    world_free(world);
}

/* --- statements --- */

static void decide_pair(struct world *world, const char *kind, const char *a, const char *b) {
    char more[256];
    snprintf(more, sizeof more, "'statements': ['%s'], 'others': ['%s'], 'other_revision': %lld", a,
             b, (long long)revision_of(world, b));
    assert_true(decide(world, "trial", kind, "pair/1", "anna", revision_of(world, a), more));
}

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
    restart(world);
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
    restart(world);
    tell_trial(world, "euctr/B", 2, SHARED, "'acronym': 'STAR'");
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    assert_int_equal(world_count_open(world_matches(world)), 0); /* nobody is asked again */
    decide_pair(world, "JOIN", "ctgov/A", "euctr/B"); /* the newest decision counts */
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
    restart(world);
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
    restart(world);
    tell_trial(world, "euctr/B", 2, SHARED " eudract:2019-000001-11", NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    world_free(world);
}

static void a_join_on_another_revision_is_refused_as_an_event(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    two_trials(world);
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/A'], 'others': ['isrctn/B'], 'other_revision': 7"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "revision 7"));
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/A'], 'others': ['isrctn/B']"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "is not given"));
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/X'], 'others': ['isrctn/B']"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "ctgov/X"));
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/A'], 'others': ['ctgov/A'], 'other_revision': 1"));
    assert_non_null(strstr(look_text(world_match(world, "pair/1"), "refused"), "both sides"));
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/B"));
    restart(world);
    world_free(world);
}

/* --- admit --- */

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
                 "%s}", wrong[i]);
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

/* --- what does not apply --- */

static void expect_refusal_of(const json_t *record, const char *words) {
    const char *refused = look_text(record, "refused");
    if (refused == NULL || strstr(refused, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", refused == NULL ? "(nothing)" : refused, words);
}

static void what_the_sources_agree_on_is_neither_chosen_nor_put_off(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide(world, "trial", "REOPEN", conflict_id(world), "bo", 2, NULL);
    expect_refusal_of(world_conflict(world, conflict_id(world)), "nobody has decided it");
    tell_count(world, "ctgov/A", 2, 10);
    choose(world, "ctgov/A");
    expect_refusal_of(world_conflict(world, conflict_id(world)), "the sources agree");
    decide(world, "trial", "DEFER", conflict_id(world), "bo", revision_of(world, "euctr/B"), NULL);
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
    decide(world, "trial", "REOPEN", conflict_id(world), "bo", revision_of(world, "euctr/B"), NULL);
    expect_refusal_of(world_conflict(world, conflict_id(world)), "nothing to reopen");
    world_free(world);
}

static void what_was_put_off_stays_so_while_its_values_do(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
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
    decide(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
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
    decide(world, "trial", "DEFER", id, "anna", 2, NULL);
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
        decide(world, "trial", "CHOOSE", id, "anna", revision_of(world, "ctgov/A"),
               "'statements': ['ctgov/A']");
        expect_json(world_conflict(world, id), "state", "'RESOLVED'");
    }
    decide(world, "trial", "REOPEN", id, "bo", revision_of(world, "ctgov/A"), NULL);
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    assert_int_equal(look_count(world_entity_of(world, "ctgov/A"), "conflicts"), 1);
    world_free(world);
}

/* --- two persons --- */

static void a_proposal_is_over_when_the_sources_move(void **state) {
    struct world *world = world_new("gmp-slot");
    char id[96], more[96];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "DONE");
    tell_slot(world, "lumc-mes/1", 2, "line-a", "08-12", "FREE");
    snprintf(id, sizeof id, "%s/status@lumc-mes/1", tell_id(world, "lumc-mes/1"));
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", shard());
    decide(world, "gmp-slot", "CHOOSE", id, "anna", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
    snprintf(more, sizeof more, "'shard': %d", shard());
    decide(world, "gmp-slot", "DEFER", id, "bo", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "transition", "'DEFERRED'"); /* it is another decision */
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", shard());
    decide(world, "gmp-slot", "CHOOSE", id, "cleo", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
    tell_slot(world, "lumc-mes/1", 3, "line-a", "08-12", "BOOKED");
    expect_json(world_conflict(world, id), "proposal", "null");
    world_free(world);
}

enum { TEXT_SIZE = 96 };

/* A slot that went a step that is not allowed, which anna and bo accept. */
static void accept_by_two(struct world *world, char id[TEXT_SIZE], char more[TEXT_SIZE]) {
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "DONE");
    tell_slot(world, "lumc-mes/1", 2, "line-a", "08-12", "FREE");
    snprintf(id, TEXT_SIZE, "%s/status@lumc-mes/1", tell_id(world, "lumc-mes/1"));
    snprintf(more, TEXT_SIZE, "'statements': ['lumc-mes/1'], 'shard': %d", shard());
    decide(world, "gmp-slot", "CHOOSE", id, "anna", revision_of(world, "lumc-mes/1"), more);
    decide(world, "gmp-slot", "CHOOSE", id, "bo", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "state", "'RESOLVED'");
}

static void one_alone_changes_nothing_that_two_decided(void **state) {
    static const char *const kinds[] = {"CHOOSE", "REOPEN"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_new("gmp-slot");
        char id[TEXT_SIZE], more[TEXT_SIZE];
        accept_by_two(world, id, more);
        if (i == 1)
            snprintf(more, sizeof more, "'shard': %d", shard());
        int64_t revision = revision_of(world, "lumc-mes/1");
        decide(world, "gmp-slot", kinds[i], id, "anna", revision, more);
        restart(world);
        expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
        expect_json(world_conflict(world, id), "state", "'RESOLVED'");
        expect_json(world_conflict(world, id), "decision.confirmed_by", "'bo'");
        assert_int_equal(revision_of(world, "lumc-mes/1"), revision);
        decide(world, "gmp-slot", kinds[i], id, "anna", revision, more);
        expect_json(world_conflict(world, id), "refused", "'a second person has to confirm it'");
        decide(world, "gmp-slot", kinds[i], id, "cleo", revision, more);
        expect_json(world_conflict(world, id), "state", i == 0 ? "'RESOLVED'" : "'OPEN'");
        expect_json(world_conflict(world, id), "proposal", "null");
        world_free(world);
    }
}

static void a_lone_proposal_is_taken_back_by_anybody(void **state) {
    struct world *world = world_new("gmp-slot");
    char id[96], more[96];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "DONE");
    tell_slot(world, "lumc-mes/1", 2, "line-a", "08-12", "FREE");
    snprintf(id, sizeof id, "%s/status@lumc-mes/1", tell_id(world, "lumc-mes/1"));
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", shard());
    decide(world, "gmp-slot", "CHOOSE", id, "anna", revision_of(world, "lumc-mes/1"), more);
    snprintf(more, sizeof more, "'shard': %d", shard());
    decide(world, "gmp-slot", "REOPEN", id, "bo", revision_of(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "transition", "'REOPENED'");
    expect_json(world_conflict(world, id), "proposal", "null");
    world_free(world);
}

static void a_lone_separation_leaves_what_two_joined(void **state) {
    struct world *world = world_new("gmp-slot");
    char more[192];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "FREE");
    tell_slot(world, "lumc-mes/2", 1, "line-b", "08-12", "FREE");
    snprintf(more, sizeof more,
             "'statements': ['lumc-mes/1'], 'others': ['lumc-mes/2'], 'other_revision': 1, "
             "'shard': %d", shard());
    decide(world, "gmp-slot", "JOIN", "pair/1", "anna", 1, more);
    decide(world, "gmp-slot", "JOIN", "pair/1", "bo", 1, more);
    assert_string_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    int64_t revision = revision_of(world, "lumc-mes/1");
    decide(world, "gmp-slot", "SEPARATE", "pair/1", "cleo", revision, more);
    restart(world);
    expect_json(world_match(world, "pair/1"), "state", "'OPEN'"); /* it waits for a person */
    expect_json(world_match(world, "pair/1"), "decision.kind", "'JOIN'");
    expect_json(world_match(world, "pair/1"), "proposal.kind", "'SEPARATE'");
    assert_string_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    decide(world, "gmp-slot", "SEPARATE", "pair/1", "anna", revision, more);
    assert_string_not_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    expect_json(world_match(world, "pair/1"), "proposal", "null");
    world_free(world);
}

/* Two slots of one system, joined by two persons who name the same sides. */
static void only_the_same_sides_confirm_a_join(void **state) {
    static const struct {
        const char *by, *kind, *statements, *others;
        const char *state;
    } said[] = {{"anna", "JOIN", "'lumc-mes/1'", "'lumc-mes/2'", "'PROPOSED'"},
                {"bo", "JOIN", "'lumc-mes/1'", "'lumc-mes/3'", "'PROPOSED'"},
                {"bo", "JOIN", "'lumc-mes/1', 'lumc-mes/1'", "'lumc-mes/2'", "'PROPOSED'"},
                {"anna", "JOIN", "'lumc-mes/1'", "'lumc-mes/3'", "'PROPOSED'"},
                {"bo", "SEPARATE", "'lumc-mes/1'", "'lumc-mes/3'", "'PROPOSED'"},
                {"anna", "JOIN", "'lumc-mes/1'", "'lumc-mes/2'", "'PROPOSED'"},
                {"bo", "JOIN", "'lumc-mes/1'", "'lumc-mes/2'", "'IN_FORCE'"}};
    struct world *world = world_new("gmp-slot");
    char more[192];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "FREE");
    tell_slot(world, "lumc-mes/2", 1, "line-b", "08-12", "FREE");
    tell_slot(world, "lumc-mes/3", 1, "line-c", "08-12", "FREE");
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        snprintf(more, sizeof more,
                 "'statements': [%s], 'others': [%s], 'other_revision': 1, 'shard': %d",
                 said[i].statements, said[i].others, shard());
        assert_true(decide(world, "gmp-slot", said[i].kind, "pair/1", said[i].by, 1, more));
        expect_json(world_match(world, "pair/1"),
                    i + 1 < sizeof said / sizeof *said ? "proposal.state" : "decision.state",
                    said[i].state);
    }
    assert_string_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    world_free(world);
}

/* --- sides --- */

static void the_statements_of_a_side_are_in_force_and_in_one_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    two_trials(world);
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/X'], 'others': ['isrctn/B']"));
    expect_refusal_of(world_match(world, "pair/1"), "no statement ctgov/X is in force");
    expect_json(world_match(world, "pair/1"), "entities", "['', '']");
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/A', 'isrctn/B'], 'others': ['isrctn/B']"));
    expect_refusal_of(world_match(world, "pair/1"), "in different entities");
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 7,
                       "'statements': ['ctgov/A'], 'others': ['isrctn/B'], 'other_revision': 1"));
    expect_refusal_of(world_match(world, "pair/1"), "revision 7");
    tell_trial_withdrawn(world, "isrctn/B", 2);
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
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
    assert_true(decide(world, "trial", "SEPARATE", "pair/1", "anna", 3,
                       "'statements': ['ctgov/A', 'euctr/B'], 'others': ['isrctn/C']"));
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/C"));
    tell_trial_withdrawn(world, "euctr/B", 2);
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna",
                       revision_of(world, "ctgov/A"),
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
    assert_true(decide(world, "trial", "JOIN", "pair/1", "anna", 1,
                       "'statements': ['ctgov/A'], 'others': ['euctr/B'], 'other_revision': 1"));
    assert_true(decide(world, "trial", "JOIN", "pair/2", "anna", 2,
                       "'statements': ['euctr/B'], 'others': ['isrctn/C'], 'other_revision': 1"));
    assert_string_equal(tell_id(world, "ctgov/A"), tell_id(world, "isrctn/C"));
    assert_true(decide(world, "trial", "SEPARATE", "pair/3", "anna", 3,
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

static void what_was_put_off_can_be_taken_up_again(void **state) {
    struct world *world = two_counts();
    (void)state;
    decide(world, "trial", "DEFER", conflict_id(world), "anna", 2, NULL);
    decide(world, "trial", "REOPEN", conflict_id(world), "bo", revision_of(world, "euctr/B"), NULL);
    expect_json(world_conflict(world, conflict_id(world)), "state", "'OPEN'");
    expect_json(world_conflict(world, conflict_id(world)), "decision", "null");
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
        snprintf(more, sizeof more, "'statements': ['%s'], 'others': ['%s'], 'other_revision': %lld",
                 said[i].a, said[i].b, (long long)revision_of(world, said[i].b));
        decide(world, "trial", said[i].kind, said[i].subject, "anna", revision_of(world, said[i].a),
               more);
        expect_json(world_match(world, said[i].subject), "refused", "null");
    }
    assert_string_not_equal(tell_id(world, "ctgov/A"), tell_id(world, "euctr/B"));
    assert_int_equal(world_count_open(world_matches(world)), 2); /* A and B, B and C: a tie */
    decide_pair(world, "SEPARATE", "ctgov/A", "euctr/B"); /* pair/1 anew; the others stand */
    assert_string_equal(tell_id(world, "euctr/B"), tell_id(world, "isrctn/C"));
    assert_int_equal(world_count_open(world_matches(world)), 0);
    decide(world, "trial", "SEPARATE", "pair/4", "anna", revision_of(world, "euctr/B"),
           "'statements': ['euctr/B'], 'others': ['isrctn/C']");
    assert_string_not_equal(tell_id(world, "euctr/B"), tell_id(world, "isrctn/C"));
    restart(world);
    tell_trial(world, "euctr/B", 2, SHARED, NULL);
    assert_string_not_equal(tell_id(world, "euctr/B"), tell_id(world, "isrctn/C"));
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
        cmocka_unit_test(traceability_data_needs_a_second_person),
        cmocka_unit_test(what_is_decided_to_be_the_same_is_one_entity),
        cmocka_unit_test(what_is_decided_to_be_apart_is_two_entities),
        cmocka_unit_test(a_separation_closes_the_match_that_asked_for_it),
        cmocka_unit_test(the_newest_decision_about_a_subject_ends_what_the_one_before_did),
        cmocka_unit_test(a_join_on_another_revision_is_refused_as_an_event),
        cmocka_unit_test(what_is_no_decision_is_dead_lettered),
        cmocka_unit_test(what_the_sources_agree_on_is_neither_chosen_nor_put_off),
        cmocka_unit_test(a_choice_is_remembered_while_the_sources_agree),
        cmocka_unit_test(what_was_put_off_stays_so_while_its_values_do),
        cmocka_unit_test(what_was_put_off_is_over_when_the_sources_agree),
        cmocka_unit_test(a_step_that_is_put_off_stays_open),
        cmocka_unit_test(several_conflicts_of_one_entity_are_decided_each_by_itself),
        cmocka_unit_test(a_proposal_is_over_when_the_sources_move),
        cmocka_unit_test(one_alone_changes_nothing_that_two_decided),
        cmocka_unit_test(a_lone_proposal_is_taken_back_by_anybody),
        cmocka_unit_test(a_lone_separation_leaves_what_two_joined),
        cmocka_unit_test(only_the_same_sides_confirm_a_join),
        cmocka_unit_test(the_statements_of_a_side_are_in_force_and_in_one_entity),
        cmocka_unit_test(a_side_may_be_several_statements_of_one_entity),
        cmocka_unit_test(decisions_that_contradict_each_other_are_a_match),
        cmocka_unit_test(what_was_put_off_can_be_taken_up_again),
        cmocka_unit_test(of_decisions_about_one_pair_the_newest_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
