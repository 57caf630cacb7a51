/* fold_conflict: a conflict is an event with a life, each of its steps told once. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define SHARED "idrcb:2019-A00001-11"

/* The only conflict there ever was; NULL for none. */
static const json_t *only_conflict(struct world *world) {
    json_t *conflicts = (json_t *)world_conflicts(world);
    assert_true(json_object_size(conflicts) <= 1);
    return json_object_iter_value(json_object_iter(conflicts));
}

static const char *transitions(struct world *world) {
    return tell_each(world, "conflict", NULL, "value.transition");
}

/* Two registers count the participants of one trial. */
static void tell_counts(struct world *world, int version, int ctgov, int euctr) {
    char more[96];
    snprintf(more, sizeof more, "'enrolment': {'count': %d, 'type': 'ACTUAL'}", ctgov);
    tell_trial(world, "ctgov/A", version, SHARED, more);
    snprintf(more, sizeof more, "'enrolment': {'count': %d, 'type': 'ACTUAL'}", euctr);
    tell_trial(world, "euctr/B", version, SHARED, more);
}

/* --- values --- */

static void values_that_differ_open_a_conflict(void **state) {
    struct world *world = world_new("trial");
    char id[80];
    (void)state;
    tell_counts(world, 1, 10, 12);
    snprintf(id, sizeof id, "%s/enrolment", tell_id(world, "ctgov/A"));
    const json_t *conflict = world_conflict(world, id);
    assert_non_null(conflict);
    expect_json(conflict, "kind", "'VALUES'");
    expect_json(conflict, "field", "'enrolment'");
    expect_json(conflict, "severity", "'MAJOR'");
    expect_json(conflict, "state", "'OPEN'");
    expect_json(conflict, "transition", "'OPENED'");
    expect_json(conflict, "events", "1");
    expect_json(conflict, "opened_offset", "1"); /* the second entry of the log */
    expect_json(conflict, "offset", "1");
    assert_int_equal(look_count(conflict, "entities"), 1);
    assert_int_equal(look_count(conflict, "values"), 2);
    expect_json(conflict, "values.0.chosen", "true");
    expect_json(conflict, "values.1.chosen", "false");
    const json_t *entity = world_entity_of(world, "ctgov/A");
    assert_int_equal(look_count(entity, "conflicts"), 1);
    assert_string_equal(look_text(entity, "conflicts.0.conflict_id"), id);
    assert_string_equal(tell_each(world, "conflict", NULL, "type"), "atmp.conflict.opened");
    world_free(world);
}

static void every_transition_is_told_exactly_once_under_one_id(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_counts(world, 2, 10, 13); /* euctr changes */
    tell_counts(world, 3, 10, 10); /* they agree */
    tell_counts(world, 4, 10, 14); /* and differ again */
    assert_string_equal(transitions(world), "OPENED CHANGED RESOLVED REOPENED");
    assert_string_equal(tell_each(world, "conflict", NULL, "type"),
                        "atmp.conflict.opened atmp.conflict.changed atmp.conflict.resolved "
                        "atmp.conflict.reopened");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.events"), "1 2 3 4");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.opened_offset"), "1 1 1 1");
    assert_int_equal(json_object_size(world_conflicts(world)), 1);
    world_free(world);
}

static void a_resolved_conflict_has_no_values_and_is_not_listed(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_counts(world, 2, 10, 10);
    expect_json(only_conflict(world), "state", "'RESOLVED'");
    expect_json(only_conflict(world), "values", "[]");
    assert_int_equal(look_count(world_entity_of(world, "ctgov/A"), "conflicts"), 0);
    assert_int_equal(world_count_open(world_conflicts(world)), 0);
    world_free(world);
}

static void what_changes_elsewhere_does_not_tell_a_conflict_again(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_trial(world, "ctgov/A", 2, SHARED,
               "'enrolment': {'count': 10, 'type': 'ACTUAL'}, 'acronym': 'NEW'");
    expect_json(world_entity_of(world, "ctgov/A"), "value.acronym", "'NEW'");
    assert_string_equal(transitions(world), "OPENED");
    assert_int_equal(look_count(world_entity_of(world, "ctgov/A"), "conflicts"), 1);
    world_free(world);
}

static void a_third_voice_in_a_conflict_changes_it(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_trial(world, "isrctn/C", 1, SHARED, "'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    assert_string_equal(transitions(world), "OPENED CHANGED");
    assert_int_equal(look_count(only_conflict(world), "values"), 2);
    world_free(world);
}

static void a_withdrawal_resolves_what_its_statement_disputed(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_trial_withdrawn(world, "euctr/B", 2);
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    world_free(world);
}

static void a_split_resolves_what_the_pieces_disputed(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_trial(world, "euctr/B", 2, "", "'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    world_free(world);
}

static void an_entity_that_is_merged_away_leaves_no_conflict_open(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "isrctn/C", 1, "idrcb:2019-A00002-11", NULL);
    tell_counts(world, 1, 10, 12);
    tell_trial(world, "isrctn/C", 2, "idrcb:2019-A00002-11 " SHARED, NULL);
    /* The conflict goes on, under the survivor's id. */
    assert_int_equal(json_object_size(world_conflicts(world)), 2);
    assert_int_equal(world_count_open(world_conflicts(world)), 1);
    json_t *history = tell_history(world, "conflict", NULL);
    assert_int_equal(json_array_size(history), 3);
    json_decref(history);
    const json_t *entity = world_entity_of(world, "isrctn/C");
    expect_json(world_conflict(world, look_text(entity, "conflicts.0.conflict_id")), "state",
                "'OPEN'");
    world_free(world);
}

static void a_conflict_survives_a_restart_with_its_count(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    world_restart(world);
    tell_counts(world, 2, 10, 13);
    world_compact(world);
    world_restart(world);
    tell_counts(world, 3, 10, 10);
    world_restart(world);
    tell_counts(world, 4, 10, 14);
    assert_string_equal(transitions(world), "OPENED CHANGED RESOLVED REOPENED");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.events"), "1 2 3 4");
    world_free(world);
}

/* --- steps --- */

static void a_step_outside_the_life_cycle_is_a_conflict_of_that_statement(void **state) {
    struct world *world = world_new("trial");
    char id[96];
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", "'status': 'COMPLETED'");
    tell_trial(world, "ctgov/A", 2, "", "'status': 'RECRUITING'");
    snprintf(id, sizeof id, "%s/status@ctgov/A", tell_id(world, "ctgov/A"));
    const json_t *conflict = world_conflict(world, id);
    assert_non_null(conflict);
    expect_json(conflict, "kind", "'STEP'");
    expect_json(conflict, "state", "'OPEN'");
    tell_trial(world, "ctgov/A", 3, "", "'status': 'COMPLETED'");
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    world_free(world);
}

static void an_allowed_step_is_no_conflict(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", "'status': 'PLANNED'");
    tell_trial(world, "ctgov/A", 2, "", "'status': 'RECRUITING'");
    tell_trial(world, "ctgov/A", 3, "", "'status': 'HALTED'");
    tell_trial(world, "ctgov/A", 4, "", "'status': 'RECRUITING'"); /* going back is legal here */
    assert_null(only_conflict(world));
    world_free(world);
}

/* --- overlaps --- */

static void two_bookings_of_one_suite_at_one_time_overlap(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "Suite 1", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "SUITE  1", "11-16", "HELD"); /* spelt otherwise */
    const json_t *conflict = only_conflict(world);
    assert_non_null(conflict);
    expect_json(conflict, "kind", "'OVERLAP'");
    expect_json(conflict, "severity", "'CRITICAL'");
    expect_json(conflict, "field", "'interval'");
    const char *a = look_text(conflict, "entities.0"), *b = look_text(conflict, "entities.1");
    assert_true(strcmp(a, b) < 0);
    char id[128];
    snprintf(id, sizeof id, "%s+%s/interval", a, b);
    assert_string_equal(look_text(conflict, "conflict_id"), id);
    assert_int_equal(look_count(world_entity(world, a), "conflicts"), 1);
    assert_int_equal(look_count(world_entity(world, b), "conflicts"), 1);
    assert_string_equal(transitions(world), "OPENED");
    world_free(world);
}

static void slots_that_touch_or_are_elsewhere_do_not_overlap(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "suite 1", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "12-16", "BOOKED");
    tell_slot(world, "lumc-mes/C", 1, "suite 2", "08-16", "BOOKED");
    tell_slot(world, "lumc-mes/D", 1, "suite 1", "08-16", "FREE");
    tell_slot(world, "lumc-mes/E", 1, "suite 1", "09-09", "BOOKED"); /* no time at all */
    assert_null(only_conflict(world));
    world_free(world);
}

static void a_cancellation_closes_the_overlap(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "suite 1", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "11-16", "BOOKED");
    tell_slot(world, "lumc-mes/A", 2, "suite 1", "08-12", "CANCELLED");
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    assert_int_equal(look_count(world_entity_of(world, "lumc-mes/B"), "conflicts"), 0);
    world_free(world);
}

static void a_withdrawal_closes_the_overlap(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "suite 1", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "11-16", "BOOKED");
    tell_slot_withdrawn(world, "lumc-mes/B", 2);
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    world_free(world);
}

static void a_slot_that_moves_in_time_changes_or_closes_its_overlaps(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "suite 1", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "11-16", "BOOKED");
    tell_slot(world, "lumc-mes/B", 2, "suite 1", "10-16", "BOOKED");
    tell_slot(world, "lumc-mes/B", 3, "suite 1", "12-16", "BOOKED");
    tell_slot(world, "lumc-mes/B", 4, "suite 1", "11-16", "BOOKED");
    assert_string_equal(transitions(world), "OPENED CHANGED RESOLVED REOPENED");
    world_free(world);
}

static void a_slot_can_overlap_several_and_each_is_told(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "suite 1", "08-10", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "10-12", "BOOKED");
    tell_slot(world, "lumc-mes/C", 1, "suite 1", "09-11", "BOOKED");
    assert_string_equal(transitions(world), "OPENED OPENED");
    assert_int_equal(look_count(world_entity_of(world, "lumc-mes/C"), "conflicts"), 2);
    tell_slot(world, "lumc-mes/C", 2, "suite 1", "10-11", "BOOKED");
    assert_int_equal(world_count_open(world_conflicts(world)), 1);
    world_free(world);
}

static void an_overlap_survives_a_restart(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/A", 1, "suite 1", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "11-16", "BOOKED");
    world_compact(world);
    world_restart(world);
    tell_slot(world, "lumc-mes/C", 1, "suite 1", "15-17", "BOOKED");
    world_restart(world);
    tell_slot(world, "lumc-mes/B", 2, "suite 1", "11-16", "RELEASED");
    assert_string_equal(transitions(world), "OPENED OPENED RESOLVED RESOLVED");
    world_free(world);
}

/* All who give a number that too many doubt are looked at again, whatever else they say. */
static void a_conflict_of_values_stands_when_many_doubt_a_number_of_the_trial(void **state) {
    static const char trial[] =
        "{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'euct', 'value':"
        " '2023-500001-1%d', 'relation': 'SELF'}, {'scheme': 'nct', 'value': 'NCT01000041',"
        " 'relation': 'UNVERIFIED'}], 'enrolment': {'count': 10, 'type': 'ACTUAL'}}";
    struct world *world = world_new("trial");
    char json[400], key[32];
    (void)state;
    tell_trial(world, "ctgov/A", 1, "euct:2023-500001-11",
               "'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    for (int i = 1; i <= 9; i++) {
        snprintf(key, sizeof key, "euctr/%d", i);
        snprintf(json, sizeof json, trial, i);
        world_say(world, "sus", key, json);
    }
    assert_int_equal(world_count_active(world_unified(world)), 9);
    assert_string_equal(transitions(world), "OPENED");
    world_free(world);
}

static void an_overlap_is_not_told_again_when_many_doubt_a_number_of_the_slot(void **state) {
    static const char slot[] =
        "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'status': 'BOOKED',"
        " 'identifiers': [{'scheme': 'slot', 'issuer': 'mes', 'value': '7', 'relation':"
        " 'UNVERIFIED'}], 'suite': 'suite %d', 'interval': {'start': {'time':"
        " '2026-05-01T08:00:00'}, 'end': {'time': '2026-05-01T12:00:00'}}}";
    struct world *world = world_new("gmp-slot");
    char json[512], key[32];
    (void)state;
    tell_slot(world, "lumc-mes/B", 1, "suite 1", "11-16", "BOOKED");
    for (int i = 1; i <= 9; i++) {
        snprintf(key, sizeof key, "lumc-calendar/%d", i);
        snprintf(json, sizeof json, slot, i);
        world_say(world, "lumc", key, json);
    }
    assert_int_equal(world_count_active(world_unified(world)), 10);
    assert_string_equal(transitions(world), "OPENED");
    world_free(world);
}

/* --- what claims nothing --- */

static void a_slot_without_a_time_or_a_suite_overlaps_nothing(void **state) {
    static const char *const slots[] = {
        "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'suite': 'line-a',"
        " 'status': 'BOOKED'}",
        "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'status': 'BOOKED',"
        " 'interval': {'start': {'time': '2026-05-01T08:00:00'},"
        " 'end': {'time': '2026-05-01T12:00:00'}}}",
        "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'suite': 'line-a',"
        " 'interval': {'start': {'time': '2026-05-01T08:00:00'},"
        " 'end': {'time': '2026-05-01T12:00:00'}}}"};
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "BOOKED");
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        char key[32];
        snprintf(key, sizeof key, "lumc-mes/without-%zu", i);
        world_say(world, "lumc", key, slots[i]);
    }
    assert_int_equal(json_object_size(world_conflicts(world)), 0);
    world_free(world);
}

static void conflicts_are_listed_by_their_ids_whenever_they_opened(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_counts(world, 1, 10, 12);
    tell_trial(world, "isrctn/C", 1, SHARED, "'start': {'value': '2016-07-14'}");
    tell_trial(world, "isrctn/D", 1, SHARED, "'start': {'value': '2017-07-14'}");
    const json_t *entity = world_entity_of(world, "ctgov/A");
    assert_int_equal(look_count(entity, "conflicts"), 2);
    assert_true(strcmp(look_text(entity, "conflicts.0.conflict_id"),
                       look_text(entity, "conflicts.1.conflict_id")) < 0);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_that_differ_open_a_conflict),
        cmocka_unit_test(every_transition_is_told_exactly_once_under_one_id),
        cmocka_unit_test(a_resolved_conflict_has_no_values_and_is_not_listed),
        cmocka_unit_test(what_changes_elsewhere_does_not_tell_a_conflict_again),
        cmocka_unit_test(a_third_voice_in_a_conflict_changes_it),
        cmocka_unit_test(a_withdrawal_resolves_what_its_statement_disputed),
        cmocka_unit_test(a_split_resolves_what_the_pieces_disputed),
        cmocka_unit_test(an_entity_that_is_merged_away_leaves_no_conflict_open),
        cmocka_unit_test(a_conflict_survives_a_restart_with_its_count),
        cmocka_unit_test(a_step_outside_the_life_cycle_is_a_conflict_of_that_statement),
        cmocka_unit_test(an_allowed_step_is_no_conflict),
        cmocka_unit_test(two_bookings_of_one_suite_at_one_time_overlap),
        cmocka_unit_test(slots_that_touch_or_are_elsewhere_do_not_overlap),
        cmocka_unit_test(a_cancellation_closes_the_overlap),
        cmocka_unit_test(a_withdrawal_closes_the_overlap),
        cmocka_unit_test(a_slot_that_moves_in_time_changes_or_closes_its_overlaps),
        cmocka_unit_test(a_slot_can_overlap_several_and_each_is_told),
        cmocka_unit_test(an_overlap_survives_a_restart),
        cmocka_unit_test(a_conflict_of_values_stands_when_many_doubt_a_number_of_the_trial),
        cmocka_unit_test(an_overlap_is_not_told_again_when_many_doubt_a_number_of_the_slot),
        cmocka_unit_test(a_slot_without_a_time_or_a_suite_overlaps_nothing),
        cmocka_unit_test(conflicts_are_listed_by_their_ids_whenever_they_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
