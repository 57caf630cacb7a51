/* fold_overlap: nobody is in two places. The claims of slots are in fold_conflict_test.c. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

static const char *date(const char *text, char *buffer, size_t size) {
    const char *precision = strlen(text) == 4 ? "YEAR" : strlen(text) == 7 ? "MONTH" : "DAY";
    if (strcmp(text, "-") == 0)
        return "null";
    snprintf(buffer, size, "{'value': '%s%s', 'precision': '%s'}", text,
             strlen(text) == 4 ? "-01-01" : strlen(text) == 7 ? "-01" : "", precision);
    return buffer;
}

/* A stay of one person; `-` for a day that is not stated. */
static void tell_stay(struct world *world, const char *key, int version, const char *status,
                      const char *field, const char *from, const char *to) {
    char first[80], last[80], more[400];
    snprintf(more, sizeof more,
             "'person_ref': 'ps:2026:11', 'status': '%s', '%s': {'from': %s, 'to': %s}", status,
             field, date(from, first, sizeof first), date(to, last, sizeof last));
    tell_trial(world, key, version, "", more);
}

static size_t count_open(struct world *world) {
    return world_count_open(world_conflicts(world));
}

/* Whether two stays overlap, whichever is told first. */
static bool overlap(const char *from, const char *to, const char *other_from,
                    const char *other_to) {
    size_t open[2];
    for (int turn = 0; turn < 2; turn++) {
        struct world *world = world_new("exchange");
        tell_stay(world, turn ? "lu-guests/A" : "lumc-guests/B", 1, "ACTIVE", "actual", from, to);
        tell_stay(world, turn ? "lumc-guests/B" : "lu-guests/A", 1, "ACCEPTED", "planned",
                  other_from, other_to);
        open[turn] = count_open(world);
        world_free(world);
    }
    assert_int_equal(open[0], open[1]);
    return open[0] == 1;
}

static void a_person_in_two_places_is_a_conflict_of_both_stays(void **state) {
    struct world *world = world_new("exchange");
    (void)state;
    tell_stay(world, "lu-guests/A", 1, "ACTIVE", "actual", "2026-03-02", "2026-05-29");
    tell_stay(world, "lu-guests/B", 1, "ACCEPTED", "planned", "2026-05-04", "2026-06-12");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.kind"), "OVERLAP");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.severity"), "MAJOR");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.field"), "actual");
    const json_t *conflict = json_object_iter_value(
        json_object_iter((json_t *)world_conflicts(world)));
    bool first = strcmp(look_text(conflict, "entities.0"), tell_id(world, "lu-guests/A")) == 0;
    const char *claim = look_text(conflict, first ? "values.0.value" : "values.1.value");
    assert_non_null(strstr(claim, "\"start\":\"2026-03-02\",\"end\":\"2026-05-29\""));
    assert_int_equal(look_count(world_entity_of(world, "lu-guests/A"), "conflicts"), 1);
    assert_int_equal(look_count(world_entity_of(world, "lu-guests/B"), "conflicts"), 1);
    world_free(world);
}

static void stays_that_share_but_a_day_of_travel_do_not_overlap(void **state) {
    (void)state;
    assert_false(overlap("2026-03-02", "2026-05-29", "2026-05-29", "2026-06-12"));
    assert_false(overlap("2026-03-02", "2026-05-29", "2026-06-01", "2026-06-12"));
    assert_false(overlap("2026-03-02", "2026-03-02", "2026-03-02", "2026-03-02"));
    assert_true(overlap("2026-03-02", "2026-05-29", "2026-05-28", "2026-06-12"));
    assert_true(overlap("2026-03-02", "2026-05-29", "2026-04-07", "2026-04-07"));
}

static void a_stay_without_a_last_day_goes_on(void **state) {
    (void)state;
    assert_true(overlap("2026-03-02", "-", "2028-05-29", "2028-06-12"));
    assert_true(overlap("2026-03-02", "-", "2028-05-29", "-"));
    assert_false(overlap("2026-03-02", "-", "2026-01-01", "2026-03-02"));
    assert_false(overlap("-", "2026-03-02", "2026-01-01", "2026-03-02"));
    struct world *world = world_new("exchange");
    tell_stay(world, "lu-guests/A", 1, "ACTIVE", "actual", "2026-03-02", "-");
    tell_stay(world, "lu-guests/B", 1, "ACTIVE", "actual", "2026-03-03", "-");
    assert_non_null(strstr(tell_each(world, "conflict", NULL, "value.values.0.value"),
                           ",\"end\":null}"));
    world_free(world);
}

static void of_days_that_are_not_known_only_what_is_sure_counts(void **state) {
    (void)state;
    assert_false(overlap("2026-03", "2026-06-12", "2026-03-02", "2026-03-31"));
    assert_true(overlap("2026-03", "2026-06-12", "2026-03-02", "2026-04-01"));
    assert_false(overlap("2026-03-02", "2026-06", "2026-06-01", "2026-06-12"));
    assert_true(overlap("2026-03-02", "2026-06", "2026-05-31", "2026-06-12"));
    assert_false(overlap("2026", "2027-06-12", "2026-03-02", "2026-12-31"));
    assert_true(overlap("2026", "2027-06-12", "2026-03-02", "2027-01-01"));
    assert_false(overlap("2026-03", "2026-03", "2026-01-01", "2026-12-31"));
}

static void a_day_of_a_precision_that_nobody_knows_is_that_day(void **state) {
    struct world *world = world_new("exchange");
    (void)state;
    tell_trial(world, "lu-guests/A", 1, "",
               "'person_ref': 'ps:2026:11', 'status': 'ACTIVE', 'actual': {'from': {'value':"
               " '2026-03-02', 'precision': 'UNRECOGNISED'}, 'to': {'value': '2026-03-20'}}");
    tell_stay(world, "lu-guests/B", 1, "ACCEPTED", "planned", "2026-01-01", "2026-03-02");
    assert_int_equal(count_open(world), 0);
    tell_stay(world, "lu-guests/B", 2, "ACCEPTED", "planned", "2026-01-01", "2026-03-03");
    assert_int_equal(count_open(world), 1);
    world_free(world);
}

static void a_bound_that_is_not_known_yet_is_the_planned_one(void **state) {
    struct world *world = world_new("exchange");
    (void)state;
    tell_trial(world, "lu-guests/A", 1, "",
               "'person_ref': 'ps:2026:11', 'status': 'ACTIVE',"
               " 'planned': {'from': {'value': '2026-03-01'}, 'to': {'value': '2026-05-29'}},"
               " 'actual': {'from': {'value': '2026-03-16'}}");
    tell_stay(world, "lu-guests/B", 1, "ACCEPTED", "planned", "2026-06-01", "2026-06-12");
    tell_stay(world, "lu-guests/C", 1, "ACTIVE", "actual", "2026-03-01", "2026-03-10");
    assert_int_equal(count_open(world), 0);
    tell_stay(world, "lu-guests/B", 2, "ACCEPTED", "planned", "2026-05-01", "2026-06-12");
    assert_int_equal(count_open(world), 1);
    world_free(world);
}

static void what_is_asked_for_or_over_and_other_people_claim_nothing(void **state) {
    struct world *world = world_new("exchange");
    (void)state;
    tell_stay(world, "lu-guests/A", 1, "ACTIVE", "actual", "2026-03-02", "2026-05-29");
    tell_stay(world, "lu-guests/B", 1, "REQUESTED", "planned", "2026-03-02", "2026-05-29");
    tell_stay(world, "lu-guests/C", 1, "COMPLETED", "actual", "2026-03-02", "2026-05-29");
    tell_stay(world, "lu-guests/D", 1, "ACCEPTED", "requested", "2026-03-02", "2026-05-29");
    tell_trial(world, "lu-guests/E", 1, "",
               "'person_ref': 'ps:2026:12', 'status': 'ACTIVE',"
               " 'actual': {'from': {'value': '2026-03-02'}}");
    tell_trial(world, "lu-guests/F", 1, "",
               "'status': 'ACTIVE', 'actual': {'from': {'value': '2026-03-02'}}");
    assert_int_equal(count_open(world), 0);
    world_free(world);
}

static void a_stay_that_ends_earlier_closes_the_overlap_also_after_a_restart(void **state) {
    struct world *world = world_new("exchange");
    (void)state;
    tell_stay(world, "lu-guests/A", 1, "ACTIVE", "actual", "2026-03-02", "-");
    tell_stay(world, "lu-guests/B", 1, "ACCEPTED", "planned", "2026-05-04", "2026-06-12");
    world_compact(world);
    world_restart(world);
    tell_stay(world, "lu-guests/A", 2, "COMPLETED", "actual", "2026-03-02", "2026-05-04");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.transition"), "OPENED RESOLVED");
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_in_two_places_is_a_conflict_of_both_stays),
        cmocka_unit_test(stays_that_share_but_a_day_of_travel_do_not_overlap),
        cmocka_unit_test(a_stay_without_a_last_day_goes_on),
        cmocka_unit_test(of_days_that_are_not_known_only_what_is_sure_counts),
        cmocka_unit_test(a_day_of_a_precision_that_nobody_knows_is_that_day),
        cmocka_unit_test(a_bound_that_is_not_known_yet_is_the_planned_one),
        cmocka_unit_test(what_is_asked_for_or_over_and_other_people_claim_nothing),
        cmocka_unit_test(a_stay_that_ends_earlier_closes_the_overlap_also_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
