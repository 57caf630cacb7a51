/* fold_bucket: which entity a statement belongs to, and what happens to the ids. */
#include "hub/core/identity.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

/* idrcb numbers are not exclusive: they can join what then falls apart again. */
#define SHARED "idrcb:2019-A00001-11"
#define OTHER "idrcb:2019-A00002-11"

static bool together(struct world *world, const char *a, const char *b) {
    return world_entity_of(world, a) != NULL &&
           world_entity_of(world, a) == world_entity_of(world, b);
}

/* A copy of an id, in a place of the caller's. */
struct id {
    char text[64];
};

static struct id id_of(struct world *world, const char *statement_key) {
    struct id id;
    snprintf(id.text, sizeof id.text, "%s", tell_id(world, statement_key));
    return id;
}

/* --- merging --- */

static void a_merge_keeps_the_older_id(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "ctgov/A", 1, OTHER, NULL);
    struct id older = id_of(world, "euctr/B"), newer = id_of(world, "ctgov/A");
    tell_trial(world, "ctgov/A", 2, SHARED " " OTHER, NULL);
    assert_true(together(world, "euctr/B", "ctgov/A"));
    assert_string_equal(tell_id(world, "ctgov/A"), older.text);
    const json_t *merged = world_entity(world, newer.text);
    expect_json(merged, "kind", "'MERGED'");
    assert_string_equal(look_text(merged, "into"), older.text);
    expect_json(merged, "value", "null");
    expect_json(merged, "statements", "[]");
    world_free(world);
}

static void the_merged_record_comes_after_the_survivor(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "ctgov/A", 1, OTHER, NULL);
    struct id older = id_of(world, "euctr/B"), newer = id_of(world, "ctgov/A");
    tell_trial(world, "ctgov/A", 2, SHARED " " OTHER, NULL);
    json_t *history = tell_history(world, "unified", NULL);
    size_t count = json_array_size(history);
    assert_int_equal(count, 4);
    assert_string_equal(look_text(json_array_get(history, 2), "key"), older.text);
    assert_string_equal(look_text(json_array_get(history, 2), "type"), "atmp.trial.updated");
    assert_string_equal(look_text(json_array_get(history, 3), "key"), newer.text);
    assert_string_equal(look_text(json_array_get(history, 3), "type"), "atmp.trial.merged");
    json_decref(history);
    world_free(world);
}

static void redirects_lead_straight_to_the_survivor_when_several_merge(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "idrcb:2019-A00001-11", NULL);
    tell_trial(world, "ctgov/B", 1, "idrcb:2019-A00002-11", NULL);
    tell_trial(world, "ctgov/C", 1, "idrcb:2019-A00003-11", NULL);
    struct id a = id_of(world, "ctgov/A"), b = id_of(world, "ctgov/B"), c = id_of(world, "ctgov/C");
    tell_trial(world, "ctgov/C", 2, "idrcb:2019-A00002-11", NULL); /* C into B */
    assert_string_equal(look_text(world_entity(world, c.text), "into"), b.text);
    tell_trial(world, "ctgov/B", 2, "idrcb:2019-A00001-11 idrcb:2019-A00002-11", NULL);
    assert_string_equal(look_text(world_entity(world, b.text), "into"), a.text);
    assert_string_equal(look_text(world_entity(world, c.text), "into"), a.text);
    assert_string_equal(look_text(world_entity(world, a.text), "kind"), "ACTIVE");
    world_free(world);
}

static void a_statement_that_joins_at_once_never_has_an_id_of_its_own(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    assert_int_equal(json_object_size(world_unified(world)), 1);
    world_free(world);
}

/* --- splitting --- */

static void a_wrong_merge_undone_gives_the_id_back(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, OTHER, NULL);
    struct id a = id_of(world, "ctgov/A"), b = id_of(world, "euctr/B");
    tell_trial(world, "euctr/B", 2, SHARED, NULL);
    assert_true(together(world, "ctgov/A", "euctr/B"));
    tell_trial(world, "euctr/B", 3, OTHER, NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), a.text);
    assert_string_equal(tell_id(world, "euctr/B"), b.text);
    expect_json(world_entity(world, b.text), "into", "null");
    assert_string_equal(tell_each(world, "unified", b.text, "type"),
                        "atmp.trial.registered atmp.trial.merged atmp.trial.split");
    assert_string_equal(tell_each(world, "unified", b.text, "value.revision"), "1 2 3");
    world_free(world);
}

static void a_split_mints_an_id_only_where_there_was_none(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    struct id a = id_of(world, "ctgov/A");
    tell_trial(world, "euctr/B", 2, OTHER, NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), a.text);
    struct id b = id_of(world, "euctr/B");
    assert_string_not_equal(b.text, a.text);
    assert_string_equal(tell_each(world, "unified", b.text, "type"), "atmp.trial.split");
    expect_json(world_entity(world, b.text), "founder", "'euctr/B'");
    world_free(world);
}

static void the_piece_with_the_founding_statement_keeps_the_id(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "isrctn/C", 1, SHARED, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial(world, "ctgov/A", 2, OTHER, NULL); /* one leaves, and it is the founder */
    assert_string_equal(tell_id(world, "ctgov/A"), id.text);
    assert_string_not_equal(tell_id(world, "euctr/B"), id.text);
    assert_true(together(world, "euctr/B", "isrctn/C"));
    world_free(world);
}

static void ids_are_a_function_of_the_founding_statement(void **state) {
    struct world *first = world_new("trial"), *second = world_new("trial");
    (void)state;
    tell_trial(first, "ctgov/A", 1, "", NULL);
    tell_trial(second, "euctr/B", 1, "", NULL);
    tell_trial(second, "ctgov/A", 7, SHARED, "'acronym': 'X'");
    assert_string_equal(tell_id(first, "ctgov/A"), tell_id(second, "ctgov/A"));
    assert_string_not_equal(tell_id(second, "euctr/B"), tell_id(second, "ctgov/A"));
    assert_int_equal(strlen(tell_id(first, "ctgov/A")), strlen("trial-") + 16);
    world_free(first);
    world_free(second);
}

/* --- withdrawal --- */

static void an_entity_outlives_one_of_its_statements(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial_withdrawn(world, "ctgov/A", 2); /* the founder */
    assert_null(world_entity_of(world, "ctgov/A"));
    assert_string_equal(tell_id(world, "euctr/B"), id.text);
    tell_trial(world, "ctgov/A", 3, SHARED, NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), id.text);
    world_free(world);
}

static void an_entity_without_statements_is_withdrawn_and_names_the_last(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial_withdrawn(world, "ctgov/A", 2);
    const json_t *entity = world_entity(world, id.text);
    expect_json(entity, "kind", "'WITHDRAWN'");
    expect_json(entity, "into", "null");
    expect_json(entity, "value", "null");
    assert_int_equal(look_count(entity, "statements"), 1);
    expect_json(entity, "statements.0.key", "'ctgov/A'");
    expect_json(entity, "statements.0.state", "'WITHDRAWN'");
    expect_json(entity, "statements.0.version", "'2'");
    assert_string_equal(tell_each(world, "unified", id.text, "type"),
                        "atmp.trial.registered atmp.trial.withdrawn");
    world_free(world);
}

static void a_withdrawn_entity_revives_under_its_id(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial_withdrawn(world, "ctgov/A", 2);
    tell_trial(world, "ctgov/A", 3, SHARED, NULL);
    assert_string_equal(tell_id(world, "ctgov/A"), id.text);
    assert_string_equal(tell_each(world, "unified", id.text, "value.revision"), "1 2 3");
    world_free(world);
}

static void withdrawing_the_link_splits_what_it_held_together(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, OTHER, NULL);
    tell_trial(world, "isrctn/C", 1, SHARED " " OTHER, NULL);
    assert_true(together(world, "ctgov/A", "euctr/B"));
    tell_trial_withdrawn(world, "isrctn/C", 2);
    assert_false(together(world, "ctgov/A", "euctr/B"));
    assert_int_equal(world_count_active(world_unified(world)), 2);
    world_free(world);
}

/* --- moving --- */

/* Another facility whose shard is not LUMC's. */
static const char *other_facility(void) {
    static char other[32];
    const struct hub_domain *domain = test_domain("gmp-slot");
    for (int i = 0;; i++) {
        snprintf(other, sizeof other, "ror:00example%d", i);
        if (hub_admit_shard(domain, &hub_sha256, hub_bytes_of_text(other), 4) !=
            hub_admit_shard(domain, &hub_sha256, hub_bytes_of_text("ror:05xvt9f17"), 4))
            return other;
    }
}

static void a_slot_that_moves_is_moved_here_and_active_there(void **state) {
    struct world *world = world_new("gmp-slot");
    char json[256];
    (void)state;
    tell_slot(world, "lumc-mes/S", 1, "suite 1", "08-16", "BOOKED");
    struct id id = id_of(world, "lumc-mes/S");
    snprintf(json, sizeof json, "{'statement': {'version': '2'}, 'facility': '%s'}",
             other_facility());
    world_say(world, "lumc", "lumc-mes/S", json);
    json_t *history = tell_history(world, "unified", id.text), *output;
    size_t i, moved = 0, active = 0;
    assert_int_equal(json_array_size(history), 3);
    json_array_foreach(history, i, output) {
        const char *kind = look_text(output, "value.kind");
        active += strcmp(kind, "ACTIVE") == 0;
        if (strcmp(kind, "MOVED") != 0)
            continue;
        moved++;
        assert_string_equal(look_text(output, "value.into"), other_facility());
        assert_string_equal(look_text(output, "type"), "atmp.gmp-slot.moved");
    }
    assert_int_equal(moved, 1);
    assert_int_equal(active, 2);
    json_decref(history);
    world_free(world);
}

/* One slot, told by any system of LUMC. */
static void tell_shared(struct world *world, const char *key, int version, const char *facility,
                        const char *state) {
    char json[384];
    snprintf(json, sizeof json,
             "{'statement': {'version': '%d', 'state': '%s'}, 'facility': '%s', 'identifiers': "
             "[{'scheme': 'slot', 'issuer': 'lumc-mes', 'value': '9', 'relation': 'SELF'}]}",
             version, state, facility);
    world_say(world, "lumc", key, json);
}

static void an_id_moves_with_its_founder_and_what_stays_gets_its_own(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_shared(world, "lumc-mes/S", 1, "ror:05xvt9f17", "CURRENT");
    tell_shared(world, "lumc-calendar/T", 1, "ror:05xvt9f17", "CURRENT");
    struct id id = id_of(world, "lumc-mes/S");
    assert_true(together(world, "lumc-mes/S", "lumc-calendar/T"));
    tell_shared(world, "lumc-mes/S", 2, other_facility(), "CURRENT");
    assert_string_equal(tell_id(world, "lumc-mes/S"), id.text);
    assert_string_not_equal(tell_id(world, "lumc-calendar/T"), id.text);
    assert_string_equal(tell_each(world, "unified", id.text, "value.kind"),
                        "ACTIVE ACTIVE MOVED ACTIVE");
    struct id own = id_of(world, "lumc-calendar/T");
    world_restart(world);
    tell_shared(world, "lumc-mes/S", 3, "ror:05xvt9f17", "CURRENT"); /* and back */
    expect_json(world_entity(world, own.text), "kind", "'MERGED'");
    assert_string_equal(look_text(world_entity(world, own.text), "into"), id.text);
    world_free(world);
}

static void an_id_whose_founder_comes_back_in_another_shard_moves_there(void **state) {
    struct world *world = world_new("gmp-slot");
    (void)state;
    tell_shared(world, "lumc-mes/S", 1, "ror:05xvt9f17", "CURRENT");
    tell_shared(world, "lumc-calendar/T", 1, "ror:05xvt9f17", "CURRENT");
    struct id id = id_of(world, "lumc-mes/S");
    tell_shared(world, "lumc-mes/S", 2, "ror:05xvt9f17", "WITHDRAWN");
    assert_string_equal(tell_id(world, "lumc-calendar/T"), id.text);
    tell_shared(world, "lumc-mes/S", 3, other_facility(), "CURRENT");
    assert_string_equal(tell_id(world, "lumc-mes/S"), id.text);
    assert_string_not_equal(tell_id(world, "lumc-calendar/T"), id.text);
    assert_string_equal(tell_each(world, "unified", id.text, "value.kind"),
                        "ACTIVE ACTIVE ACTIVE MOVED ACTIVE");
    world_free(world);
}

/* --- limits --- */

static void an_identifier_that_too_many_share_joins_none_until_fewer_do(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    for (int i = 0; i < HUB_IDENTIFIER_DEGREE_MAX; i++) {
        snprintf(key, sizeof key, "sus-trials/%d", i);
        tell_trial(world, key, 1, SHARED, NULL);
    }
    assert_int_equal(world_count_active(world_unified(world)), 1);
    tell_trial(world, "sus-trials/one-more", 1, SHARED, NULL);
    assert_int_equal(world_count_active(world_unified(world)), HUB_IDENTIFIER_DEGREE_MAX + 1);
    tell_trial_withdrawn(world, "sus-trials/7", 2);
    assert_int_equal(world_count_active(world_unified(world)), 1);
    world_free(world);
}

static void a_statement_with_two_exclusive_numbers_states_neither(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", NULL);
    tell_trial(world, "ctgov/B", 1, "nct:NCT01000002", NULL);
    tell_trial(world, "euctr/C", 1, "nct:NCT01000001 nct:NCT01000002", NULL);
    assert_int_equal(world_count_active(world_unified(world)), 3);
    world_free(world);
}

/* --- which id is whose --- */

static void an_id_without_its_founder_stays_with_the_oldest_that_is_left(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED " " OTHER, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial(world, "isrctn/C", 1, OTHER, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial_withdrawn(world, "ctgov/A", 2); /* which held the two together */
    assert_string_equal(tell_id(world, "isrctn/C"), id.text);
    assert_string_not_equal(tell_id(world, "euctr/B"), id.text);
    world_free(world);
}

static void a_piece_that_leaves_is_founded_by_its_oldest_statement(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "isrctn/C", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "ctgov/A", 2, OTHER, NULL);
    assert_true(together(world, "euctr/B", "isrctn/C"));
    expect_json(world_entity_of(world, "euctr/B"), "founder", "'isrctn/C'");
    world_free(world);
}

static void one_statement_may_take_the_place_of_another(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "eudract:2019-001234-11 " SHARED, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial(world, "euctr/B", 1, "eudract:2019-001234-11 nct:NCT01000001", NULL);
    tell_trial(world, "isrctn/C", 1, SHARED " nct:NCT01000002", NULL);
    assert_true(together(world, "ctgov/A", "euctr/B"));
    assert_false(together(world, "ctgov/A", "isrctn/C"));
    tell_trial_withdrawn(world, "euctr/B", 2);
    assert_true(together(world, "ctgov/A", "isrctn/C"));
    assert_string_equal(tell_id(world, "isrctn/C"), id.text);
    world_free(world);
}

static void an_id_without_its_founder_stays_with_the_older_though_its_key_is_smaller(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, SHARED " " OTHER, NULL);
    struct id id = id_of(world, "ctgov/A");
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "isrctn/C", 1, OTHER, NULL);
    tell_trial_withdrawn(world, "ctgov/A", 2);
    assert_string_equal(tell_id(world, "euctr/B"), id.text);
    assert_string_not_equal(tell_id(world, "isrctn/C"), id.text);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_keeps_the_older_id),
        cmocka_unit_test(the_merged_record_comes_after_the_survivor),
        cmocka_unit_test(redirects_lead_straight_to_the_survivor_when_several_merge),
        cmocka_unit_test(a_statement_that_joins_at_once_never_has_an_id_of_its_own),
        cmocka_unit_test(a_wrong_merge_undone_gives_the_id_back),
        cmocka_unit_test(a_split_mints_an_id_only_where_there_was_none),
        cmocka_unit_test(the_piece_with_the_founding_statement_keeps_the_id),
        cmocka_unit_test(ids_are_a_function_of_the_founding_statement),
        cmocka_unit_test(an_entity_outlives_one_of_its_statements),
        cmocka_unit_test(an_entity_without_statements_is_withdrawn_and_names_the_last),
        cmocka_unit_test(a_withdrawn_entity_revives_under_its_id),
        cmocka_unit_test(withdrawing_the_link_splits_what_it_held_together),
        cmocka_unit_test(a_slot_that_moves_is_moved_here_and_active_there),
        cmocka_unit_test(an_id_moves_with_its_founder_and_what_stays_gets_its_own),
        cmocka_unit_test(an_id_whose_founder_comes_back_in_another_shard_moves_there),
        cmocka_unit_test(an_identifier_that_too_many_share_joins_none_until_fewer_do),
        cmocka_unit_test(a_statement_with_two_exclusive_numbers_states_neither),
        cmocka_unit_test(an_id_without_its_founder_stays_with_the_oldest_that_is_left),
        cmocka_unit_test(a_piece_that_leaves_is_founded_by_its_oldest_statement),
        cmocka_unit_test(one_statement_may_take_the_place_of_another),
        cmocka_unit_test(an_id_without_its_founder_stays_with_the_older_though_its_key_is_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
