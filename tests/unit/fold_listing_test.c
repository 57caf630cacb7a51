/* fold_listing: unified.identifier says of each number whose it is, and a null where it is
 * nobody's. */
#include "hub/io/crypto.h"
#include "hub/stages/admit.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define A "nct:NCT01000001"
#define B "nct:NCT01000772"
#define SHARED "idrcb:2019-A00001-11"

static const json_t *listing(struct world *world, const char *identifier) {
    return world_listing(world, identifier);
}

static void expect_listed(struct world *world, const char *identifier, const char *a,
                          const char *b) {
    const json_t *record = listing(world, identifier);
    size_t count = (size_t)(a != NULL) + (size_t)(b != NULL);
    assert_non_null(record);
    assert_int_equal(look_count(record, "entities"), count);
    if (a != NULL)
        assert_true(look_has(record, "entities", tell_id(world, a)));
    if (b != NULL)
        assert_true(look_has(record, "entities", tell_id(world, b)));
}

static void expect_dropped(struct world *world, const char *identifier) {
    assert_true(json_is_null(listing(world, identifier)));
}

static size_t count_events(struct world *world, const char *identifier) {
    json_t *history = tell_history(world, "identifier", identifier);
    size_t count = json_array_size(history);
    json_decref(history);
    return count;
}

static void a_number_is_listed_with_its_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A " " SHARED, NULL);
    expect_listed(world, A, "ctgov/A", NULL);
    expect_listed(world, SHARED, "ctgov/A", NULL);
    expect_json(listing(world, A), "identifier", "'nct:NCT01000001'");
    expect_json(listing(world, A), "domain", "'trial'");
    assert_string_equal(tell_each(world, "identifier", A, "type"),
                        "atmp.trial.identifier.listed");
    world_free(world);
}

static void what_does_not_change_is_not_told_again(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A, NULL);
    tell_trial(world, "ctgov/A", 2, A, "'acronym': 'STAR'");
    tell_trial(world, "euctr/B", 1, A, NULL); /* joins the same entity */
    tell_trial(world, "ctgov/A", 3, A " " SHARED, NULL);
    assert_int_equal(count_events(world, A), 1);
    world_free(world);
}

static void a_number_that_leaves_is_dropped(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A " " SHARED, NULL);
    tell_trial(world, "ctgov/A", 2, SHARED, NULL);
    expect_dropped(world, A);
    expect_listed(world, SHARED, "ctgov/A", NULL);
    assert_string_equal(tell_each(world, "identifier", A, "type"),
                        "atmp.trial.identifier.listed atmp.trial.identifier.dropped");
    world_free(world);
}

static void the_numbers_of_a_withdrawn_entity_are_dropped(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A, NULL);
    tell_trial_withdrawn(world, "ctgov/A", 2);
    expect_dropped(world, A);
    tell_trial(world, "ctgov/A", 3, A, NULL);
    expect_listed(world, A, "ctgov/A", NULL);
    world_free(world);
}

static void a_merge_and_a_split_move_the_numbers(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A, NULL);
    tell_trial(world, "euctr/B", 1, "eudract:2019-001234-11", NULL);
    tell_trial(world, "euctr/B", 2, "eudract:2019-001234-11 " A, NULL);
    expect_listed(world, "eudract:2019-001234-11", "ctgov/A", NULL);
    assert_int_equal(count_events(world, "eudract:2019-001234-11"), 2);
    tell_trial(world, "euctr/B", 3, "eudract:2019-001234-11", NULL);
    expect_listed(world, "eudract:2019-001234-11", "euctr/B", NULL);
    expect_listed(world, A, "ctgov/A", NULL);
    assert_int_equal(count_events(world, A), 1);
    world_free(world);
}

static void a_number_of_two_entities_is_listed_with_both(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A " " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, B " " SHARED, NULL);
    expect_listed(world, SHARED, "ctgov/A", "euctr/B");
    tell_trial(world, "euctr/B", 2, B, NULL);
    expect_listed(world, SHARED, "ctgov/A", NULL);
    world_free(world);
}

static void what_is_no_claim_is_not_listed(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A " " B, NULL); /* two of an exclusive scheme: neither */
    assert_null(listing(world, A));
    world_say(world, "sus", "sus-trials/C",
              "{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'nct', 'value':"
              " 'NCT01000001', 'relation': 'UNVERIFIED'}]}");
    assert_null(listing(world, A));
    world_free(world);
}

static void a_number_of_too_many_is_dropped_until_it_is_not(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    for (int i = 1; i <= 64; i++) {
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, SHARED, NULL);
    }
    assert_int_equal(look_count(listing(world, SHARED), "entities"), 1);
    tell_trial(world, "ctgov/65", 1, SHARED, NULL);
    expect_dropped(world, SHARED);
    size_t events = count_events(world, SHARED);
    tell_trial(world, "ctgov/66", 1, SHARED, NULL);
    tell_trial_withdrawn(world, "ctgov/66", 2);
    assert_int_equal(count_events(world, SHARED), events);
    tell_trial_withdrawn(world, "ctgov/65", 2);
    assert_int_equal(look_count(listing(world, SHARED), "entities"), 1);
    world_free(world);
}

/* Two partitions have no order between them: each shard has a key of its own. */
static void a_number_that_moves_is_dropped_in_one_shard_and_listed_in_the_other(void **state) {
    struct world *world = world_new("gmp-slot");
    const char *facilities[] = {"ror:05xvt9f17", "ror:00example0"};
    const struct hub_domain *domain = test_domain("gmp-slot");
    char keys[2][64], id[64] = "";
    int32_t shards[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        shards[i] = hub_admit_shard(domain, &hub_sha256, hub_bytes_of_text(facilities[i]), 4);
        snprintf(keys[i], sizeof keys[i], "slot:lumc-mes/9#%d", shards[i]);
    }
    assert_int_not_equal(shards[0], shards[1]);
    for (int i = 0; i < 4; i++) { /* there and back, and once more after a restart */
        char json[256];
        snprintf(json, sizeof json,
                 "{'statement': {'version': '%d'}, 'facility': '%s', 'identifiers': [{'scheme': "
                 "'slot', 'issuer': 'lumc-mes', 'value': '9', 'relation': 'SELF'}]}",
                 i, facilities[i % 2]);
        world_say(world, "lumc", "lumc-mes/S", json);
        if (i == 0)
            snprintf(id, sizeof id, "%s", tell_id(world, "lumc-mes/S"));
        assert_int_equal(look_count(listing(world, keys[i % 2]), "entities"), 1);
        assert_true(look_has(listing(world, keys[i % 2]), "entities", id));
        expect_json(listing(world, keys[i % 2]), "identifier", "'slot:lumc-mes/9'");
        if (i > 0)
            expect_dropped(world, keys[1 - i % 2]);
        if (i == 2)
            world_restart(world);
    }
    world_free(world);
}

static void a_restart_tells_nothing_again_and_forgets_nothing(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A " " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, B " " SHARED, NULL);
    world_compact(world);
    world_restart(world);
    tell_trial(world, "euctr/B", 2, B " " SHARED, "'acronym': 'STAR'");
    assert_int_equal(count_events(world, SHARED), 2);
    tell_trial_withdrawn(world, "euctr/B", 3);
    expect_dropped(world, B);
    expect_listed(world, SHARED, "ctgov/A", NULL);
    world_free(world);
}

/* --- for whoever asks now --- */

static size_t count_resolved(struct world *world, const char *identifier, const char *id) {
    struct hub_arena arena = {0};
    size_t count = 0, found = 0;
    const char **ids = hub_fold_resolve(world_shard(world, 0), identifier, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        found += strcmp(ids[i], id) == 0;
        assert_true(i == 0 || strcmp(ids[i - 1], ids[i]) < 0);
    }
    assert_int_equal(found, count > 0);
    hub_arena_destroy(&arena);
    return count;
}

static void who_asks_for_a_number_is_told_whose_it_is(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A " " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, B " " SHARED, NULL);
    assert_int_equal(count_resolved(world, A, tell_id(world, "ctgov/A")), 1);
    assert_int_equal(count_resolved(world, SHARED, tell_id(world, "euctr/B")), 2);
    assert_int_equal(count_resolved(world, "nct:NCT01009999", ""), 0);
    world_free(world);
}

/* The entity as the fold shows it, or NULL; the caller frees it. */
static json_t *shown(struct world *world, int32_t shard, const char *id) {
    HUB_SCOPED_BUFFER json = {0};
    const char *kind = hub_fold_render_entity(world_shard(world, shard), id, &json);
    if (kind == NULL) {
        assert_int_equal(json.size, 0);
        return NULL;
    }
    json_t *entity = json_loads(hub_buffer_text(&json), 0, NULL);
    assert_string_equal(look_text(entity, "kind"), kind);
    return entity;
}

static void an_entity_is_shown_as_it_was_published_last(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, A, NULL);
    tell_trial(world, "euctr/B", 1, A, "'acronym': 'STAR'");
    const json_t *published = world_entity_of(world, "ctgov/A");
    json_t *entity = shown(world, 0, tell_id(world, "ctgov/A"));
    assert_string_equal(look_text(entity, "entity_id"), tell_id(world, "ctgov/A"));
    expect_json(entity, "domain", "'trial'");
    expect_json(entity, "kind", "'ACTIVE'");
    expect_json(entity, "into", "null");
    expect_json(entity, "revision", "2");
    expect_json(entity, "statements", "['ctgov/A', 'euctr/B']");
    assert_true(json_equal(look(entity, "value"), look(published, "value")));
    json_decref(entity);
    assert_null(shown(world, 0, "trial-unknown"));
    world_free(world);
}

static void an_id_that_went_into_another_shows_the_other(void **state) {
    struct world *world = world_new("trial");
    char merged[64];
    (void)state;
    tell_trial(world, "ctgov/A", 1, A, NULL);
    tell_trial(world, "euctr/B", 1, "eudract:2019-001234-11", NULL);
    snprintf(merged, sizeof merged, "%s", tell_id(world, "euctr/B"));
    tell_trial(world, "euctr/B", 2, A, NULL);
    json_t *entity = shown(world, 0, merged);
    assert_string_equal(look_text(entity, "entity_id"), tell_id(world, "ctgov/A"));
    expect_json(entity, "kind", "'ACTIVE'");
    json_decref(entity);
    world_free(world);
}

static void an_entity_that_moved_shows_where_it_went_and_no_value(void **state) {
    struct world *world = world_new("gmp-slot");
    const char *facilities[] = {"ror:05xvt9f17", "ror:00example0"};
    char id[64];
    (void)state;
    for (int i = 0; i < 2; i++) {
        char json[128];
        snprintf(json, sizeof json, "{'statement': {'version': '%d'}, 'facility': '%s'}", i,
                 facilities[i]);
        world_say(world, "lumc", "lumc-mes/S", json);
    }
    snprintf(id, sizeof id, "%s", tell_id(world, "lumc-mes/S"));
    int32_t left = hub_admit_shard(test_domain("gmp-slot"), &hub_sha256,
                                   hub_bytes_of_text(facilities[0]), 4);
    json_t *entity = shown(world, left, id);
    expect_json(entity, "kind", "'MOVED'");
    expect_json(entity, "into", "'ror:00example0'");
    expect_json(entity, "statements", "[]");
    expect_json(entity, "value", "null");
    json_decref(entity);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_listed_with_its_entity),
        cmocka_unit_test(what_does_not_change_is_not_told_again),
        cmocka_unit_test(a_number_that_leaves_is_dropped),
        cmocka_unit_test(the_numbers_of_a_withdrawn_entity_are_dropped),
        cmocka_unit_test(a_merge_and_a_split_move_the_numbers),
        cmocka_unit_test(a_number_of_two_entities_is_listed_with_both),
        cmocka_unit_test(what_is_no_claim_is_not_listed),
        cmocka_unit_test(a_number_of_too_many_is_dropped_until_it_is_not),
        cmocka_unit_test(a_number_that_moves_is_dropped_in_one_shard_and_listed_in_the_other),
        cmocka_unit_test(a_restart_tells_nothing_again_and_forgets_nothing),
        cmocka_unit_test(who_asks_for_a_number_is_told_whose_it_is),
        cmocka_unit_test(an_entity_is_shown_as_it_was_published_last),
        cmocka_unit_test(an_id_that_went_into_another_shows_the_other),
        cmocka_unit_test(an_entity_that_moved_shows_where_it_went_and_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
