/* fold_decision: what must be traceable is decided by two persons, and undone by two. */
#include "tests/lib/cmocka.h"
#include "tests/lib/deciding.h"
#include "tests/lib/look.h"

#include <stdio.h>

static void traceability_data_needs_a_second_person(void **state) {
    struct world *world = world_new("gmp-slot");
    char id[96], more[96];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "DONE");
    tell_slot(world, "lumc-mes/1", 2, "line-a", "08-12", "FREE"); /* no allowed step */
    snprintf(id, sizeof id, "%s/status@lumc-mes/1", tell_id(world, "lumc-mes/1"));
    assert_non_null(world_conflict(world, id));
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "CHOOSE", id, "anna", decide_revision(world, "lumc-mes/1"),
                 more);
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
    expect_json(world_conflict(world, id), "proposal.state", "'PROPOSED'");
    expect_json(world_conflict(world, id), "decision", "null");
    decide_restart(world);
    decide_about(world, "gmp-slot", "CHOOSE", id, "anna", decide_revision(world, "lumc-mes/1"),
                 more);
    expect_json(world_conflict(world, id), "refused", "'a second person has to confirm it'");
    expect_json(world_conflict(world, id), "state", "'OPEN'");
    decide_about(world, "gmp-slot", "CHOOSE", id, "bo", decide_revision(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "state", "'RESOLVED'");
    expect_json(world_conflict(world, id), "decision.decided_by", "'anna'");
    expect_json(world_conflict(world, id), "decision.confirmed_by", "'bo'");
    expect_json(world_conflict(world, id), "proposal", "null");
    world_free(world);
}

static void a_proposal_is_over_when_the_sources_move(void **state) {
    struct world *world = world_new("gmp-slot");
    char id[96], more[96];
    (void)state;
    tell_slot(world, "lumc-mes/1", 1, "line-a", "08-12", "DONE");
    tell_slot(world, "lumc-mes/1", 2, "line-a", "08-12", "FREE");
    snprintf(id, sizeof id, "%s/status@lumc-mes/1", tell_id(world, "lumc-mes/1"));
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "CHOOSE", id, "anna", decide_revision(world, "lumc-mes/1"),
                 more);
    expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
    snprintf(more, sizeof more, "'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "DEFER", id, "bo", decide_revision(world, "lumc-mes/1"), more);
    expect_json(world_conflict(world, id), "transition", "'DEFERRED'"); /* it is another decision */
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "CHOOSE", id, "cleo", decide_revision(world, "lumc-mes/1"),
                 more);
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
    snprintf(more, TEXT_SIZE, "'statements': ['lumc-mes/1'], 'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "CHOOSE", id, "anna", decide_revision(world, "lumc-mes/1"),
                 more);
    decide_about(world, "gmp-slot", "CHOOSE", id, "bo", decide_revision(world, "lumc-mes/1"), more);
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
            snprintf(more, sizeof more, "'shard': %d", decide_slot_shard());
        int64_t revision = decide_revision(world, "lumc-mes/1");
        decide_about(world, "gmp-slot", kinds[i], id, "anna", revision, more);
        decide_restart(world);
        expect_json(world_conflict(world, id), "transition", "'PROPOSED'");
        expect_json(world_conflict(world, id), "state", "'RESOLVED'");
        expect_json(world_conflict(world, id), "decision.confirmed_by", "'bo'");
        assert_int_equal(decide_revision(world, "lumc-mes/1"), revision);
        decide_about(world, "gmp-slot", kinds[i], id, "anna", revision, more);
        expect_json(world_conflict(world, id), "refused", "'a second person has to confirm it'");
        decide_about(world, "gmp-slot", kinds[i], id, "cleo", revision, more);
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
    snprintf(more, sizeof more, "'statements': ['lumc-mes/1'], 'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "CHOOSE", id, "anna", decide_revision(world, "lumc-mes/1"),
                 more);
    snprintf(more, sizeof more, "'shard': %d", decide_slot_shard());
    decide_about(world, "gmp-slot", "REOPEN", id, "bo", decide_revision(world, "lumc-mes/1"), more);
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
             "'shard': %d",
             decide_slot_shard());
    decide_about(world, "gmp-slot", "JOIN", "pair/1", "anna", 1, more);
    decide_about(world, "gmp-slot", "JOIN", "pair/1", "bo", 1, more);
    assert_string_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    int64_t revision = decide_revision(world, "lumc-mes/1");
    decide_about(world, "gmp-slot", "SEPARATE", "pair/1", "cleo", revision, more);
    decide_restart(world);
    expect_json(world_match(world, "pair/1"), "state", "'OPEN'"); /* it waits for a person */
    expect_json(world_match(world, "pair/1"), "decision.kind", "'JOIN'");
    expect_json(world_match(world, "pair/1"), "proposal.kind", "'SEPARATE'");
    assert_string_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    decide_about(world, "gmp-slot", "SEPARATE", "pair/1", "anna", revision, more);
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
                 said[i].statements, said[i].others, decide_slot_shard());
        assert_true(decide_about(world, "gmp-slot", said[i].kind, "pair/1", said[i].by, 1, more));
        expect_json(world_match(world, "pair/1"),
                    i + 1 < sizeof said / sizeof *said ? "proposal.state" : "decision.state",
                    said[i].state);
    }
    assert_string_equal(tell_id(world, "lumc-mes/1"), tell_id(world, "lumc-mes/2"));
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traceability_data_needs_a_second_person),
        cmocka_unit_test(a_proposal_is_over_when_the_sources_move),
        cmocka_unit_test(one_alone_changes_nothing_that_two_decided),
        cmocka_unit_test(a_lone_proposal_is_taken_back_by_anybody),
        cmocka_unit_test(a_lone_separation_leaves_what_two_joined),
        cmocka_unit_test(only_the_same_sides_confirm_a_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
