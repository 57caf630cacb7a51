/* fold_publish: what a unified record says about itself. */
#include "hub/stages/fold.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/script.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define SHARED "idrcb:2019-A00001-11"

/* Runs a made-up script, and expects every key's number to count 1, 2, 3. */
static void expect_gapless(const char *kind, const char *path,
                           void (*make)(struct script *script, uint64_t seed)) {
    for (uint64_t seed = 0; seed < test_cases(200); seed++) {
        struct script script = {0};
        make(&script, test_seed(seed));
        struct world *world = world_new(script.domain);
        for (size_t i = 0; i < script.count; i++) {
            world_admit_bytes(world, script.lines[i].institution, script.lines[i].key,
                              script.lines[i].message, NULL, 0);
            while (world_fold(world))
                continue;
            if (i % 5 == 4)
                world_restart(world);
        }
        json_t *seen = json_object(), *history = tell_history(world, kind, NULL), *output;
        size_t k;
        json_array_foreach(history, k, output) {
            const char *key = look_text(output, "key");
            const char *found = look_text(output, "value.kind");
            int64_t next = 1 + json_integer_value(json_object_get(seen, key));
            if (found != NULL && strcmp(found, "UNFOUNDED") == 0)
                continue; /* slots move to and fro, and each shard counts its own */
            if (look_number(output, path) != next)
                fail_msg("HUB_TEST_SEED=%llu: %s of %s is %lld, not %lld",
                         (unsigned long long)seed, path, key,
                         (long long)look_number(output, path), (long long)next);
            json_object_set_new(seen, key, json_integer(next));
        }
        json_decref(history);
        json_decref(seen);
        world_free(world);
        script_free(&script);
    }
}

static void revisions_have_no_gaps(void **state) {
    (void)state;
    expect_gapless("unified", "value.revision", script_make_trials);
}

static void events_of_conflicts_have_no_gaps(void **state) {
    (void)state;
    expect_gapless("conflict", "value.events", script_make_trials);
}

static void events_of_overlaps_have_no_gaps(void **state) {
    (void)state;
    expect_gapless("conflict", "value.events", script_make_slots);
}

static void events_of_matches_have_no_gaps(void **state) {
    (void)state;
    expect_gapless("match", "value.events", script_make_trials);
}

static void changed_names_the_fields_that_differ(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "euctr/A", 1, "", "'acronym': 'A', 'status': 'PLANNED'");
    const json_t *entity = world_entity_of(world, "euctr/A");
    assert_true(look_has(entity, "changed", "acronym")); /* at first all of them */
    assert_true(look_has(entity, "changed", "sites"));
    tell_trial(world, "euctr/A", 2, "", "'acronym': 'A', 'status': 'RECRUITING'");
    entity = world_entity_of(world, "euctr/A");
    expect_json(entity, "changed", "['status']");
    world_free(world);
}

static void a_change_of_carriers_alone_changes_no_field(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_say(world, "sus", "ctgov/A", "{'statement': {'version': '1'}, 'acronym': 'A'}");
    world_say(world, "lumc", "ctgov/A", "{'statement': {'version': '1'}, 'acronym': 'A'}");
    const json_t *entity = world_entity_of(world, "ctgov/A");
    expect_json(entity, "revision", "2");
    expect_json(entity, "changed", "[]");
    expect_json(entity, "statements.0.carriers", "['lumc', 'sus']");
    world_free(world);
}

static void sources_tell_where_each_field_comes_from(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "euctr/B", 1, SHARED,
               "'acronym': 'B', 'titles': [{'lang': 'sv', 'text': 'Celler'}]");
    tell_trial(world, "ctgov/A", 1, SHARED,
               "'status': 'RECRUITING', 'titles': [{'lang': 'en', 'text': 'Cells'}]");
    const json_t *entity = world_entity_of(world, "ctgov/A");
    expect_json(entity, "statements.0.key", "'ctgov/A'"); /* by key */
    expect_json(entity, "statements.1.key", "'euctr/B'");
    expect_json(entity, "sources.status", "0");
    expect_json(entity, "sources.acronym", "1");
    expect_json(entity, "sources.titles", "-2"); /* several share in it */
    expect_json(entity, "sources.primary_end", "-1"); /* nobody states it */
    world_free(world);
}

static void statements_name_their_entries_in_the_log(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "euctr/B", 1, SHARED, NULL);
    tell_trial(world, "ctgov/A", 1, SHARED, NULL);
    tell_trial(world, "euctr/B", 2, SHARED, "'acronym': 'B'");
    const json_t *entity = world_entity_of(world, "euctr/B");
    expect_json(entity, "founder", "'euctr/B'");
    expect_json(entity, "founded_offset", "0");
    expect_json(entity, "statements.0.first_offset", "1");
    expect_json(entity, "statements.0.offset", "1");
    expect_json(entity, "statements.1.first_offset", "0");
    expect_json(entity, "statements.1.offset", "2");
    expect_json(entity, "statements.1.version", "'2'");
    expect_json(entity, "statements.1.state", "'CURRENT'");
    world_free(world);
}

static void a_record_says_by_what_it_was_made(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", NULL);
    const json_t *entity = world_entity_of(world, "ctgov/A");
    assert_int_equal(look_number(entity, "core"), HUB_CORE_VERSION);
    assert_string_equal(look_text(entity, "rules"), test_domain("trial")->rules);
    world_free(world);
}

/* What is volatile is stored with the next change and makes none. */
static void a_volatile_field_alone_publishes_nothing(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_say(world, "sus", "euctr/A",
              "{'statement': {'version': '1', 'document': 'a.xml'}, 'acronym': 'A'}");
    world_say(world, "sus", "euctr/A",
              "{'statement': {'version': '2', 'document': 'b.xml'}, 'acronym': 'A'}");
    assert_string_equal(tell_each(world, "unified", NULL, "value.revision"), "1");
    assert_int_equal(world_admit_counts(world).unchanged, 1);
    world_say(world, "sus", "euctr/A",
              "{'statement': {'version': '3', 'document': 'c.xml'}, 'acronym': 'B'}");
    assert_string_equal(tell_each(world, "unified", NULL, "value.revision"), "1 2");
    world_free(world);
}

static void a_revision_counts_on_over_a_restart(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", "'acronym': 'A'");
    world_compact(world);
    world_restart(world);
    tell_trial(world, "ctgov/A", 2, "", "'acronym': 'B'");
    assert_string_equal(tell_each(world, "unified", NULL, "value.revision"), "1 2");
    expect_json(world_entity_of(world, "ctgov/A"), "changed", "['acronym']");
    world_free(world);
}

static void the_choice_of_a_statement_that_is_withdrawn_is_nobodys(void **state) {
    struct world *world = world_new("trial");
    char json[512];
    (void)state;
    tell_trial(world, "euctr/B", 1, SHARED, "'enrolment': {'count': 10, 'type': 'ACTUAL'}");
    tell_trial(world, "ctgov/A", 1, SHARED, "'enrolment': {'count': 12, 'type': 'ACTUAL'}");
    snprintf(json, sizeof json,
             "{'decision_id': 'd', 'domain': 'trial', 'subject': '%s/enrolment', 'kind': 'CHOOSE',"
             " 'revision': 2, 'statements': ['ctgov/A'], 'reason': 'r', 'decided_by': 'a',"
             " 'decided_time': '2026-05-01T10:00:00.000Z'}", tell_id(world, "ctgov/A"));
    assert_true(world_decide(world, json));
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "12");
    tell_trial_withdrawn(world, "ctgov/A", 2);
    expect_json(world_entity_of(world, "euctr/B"), "value.enrolment.count", "10");
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revisions_have_no_gaps),
        cmocka_unit_test(events_of_conflicts_have_no_gaps),
        cmocka_unit_test(events_of_overlaps_have_no_gaps),
        cmocka_unit_test(events_of_matches_have_no_gaps),
        cmocka_unit_test(changed_names_the_fields_that_differ),
        cmocka_unit_test(a_change_of_carriers_alone_changes_no_field),
        cmocka_unit_test(sources_tell_where_each_field_comes_from),
        cmocka_unit_test(statements_name_their_entries_in_the_log),
        cmocka_unit_test(a_record_says_by_what_it_was_made),
        cmocka_unit_test(a_volatile_field_alone_publishes_nothing),
        cmocka_unit_test(a_revision_counts_on_over_a_restart),
        cmocka_unit_test(the_choice_of_a_statement_that_is_withdrawn_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
