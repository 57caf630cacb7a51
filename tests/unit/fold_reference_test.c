/* fold_reference: what records link to in other domains, beside what is known of it. */
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include "schemas/lib/frame.h"

#include <stdio.h>
#include <string.h>

#define TRIAL "trial/nct:NCT01000001"

/* A batch that was made from material of a number, for a trial of a number; NULL for neither. */
static void tell_batch(struct world *world, const char *key, int version, const char *lot,
                       const char *material, const char *trial) {
    HUB_SCOPED_BUFFER more = {0};
    static const char link[] = "%s{'domain': '%s', 'role': '%s', 'identifier':"
                               " {'scheme': '%s', 'value': '%s', 'relation': 'SELF'}}";
    hub_buffer_append_format(&more, "'product': 'skin', 'identifiers': [{'scheme': 'coi',"
                             " 'value': '%s', 'relation': 'SELF'}], 'links': [", lot);
    if (material != NULL)
        hub_buffer_append_format(&more, link, "", "material", "starting-material", "mpho",
                                 material);
    if (trial != NULL)
        hub_buffer_append_format(&more, link, material == NULL ? "" : ", ", "trial", "trial", "nct",
                                 trial);
    hub_buffer_append_text(&more, "]");
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json, "{'statement': {'version': '%d'}, %s}", version,
                             hub_buffer_text(&more));
    world_say(world, "lumc", key, hub_buffer_text(&json));
}

static void tell_fact_bytes(struct world *world, const char *fact, struct hub_bytes value) {
    char key[128];
    snprintf(key, sizeof key, "ref/%s", fact);
    struct hub_output output = {
        .kind = HUB_OUTPUT_LOG, .has_key = true, .key = hub_bytes_of_text(key), .value = value};
    world_append(world, &output);
    while (world_fold(world))
        continue;
}

/* `entities` and `states` as JSON lists. */
static void tell_fact(struct world *world, const char *fact, const char *entities,
                      const char *states) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "fact");
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER message = {0};
    const char *json = hub_arena_format(
        &arena, "{'domain': 'd', 'identifier': 'i', 'entities': %s, 'states': %s}", entities,
        states);
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, test_value(schema->root, json, &arena));
    tell_fact_bytes(world, fact, hub_buffer_bytes(&message));
    hub_arena_destroy(&arena);
}

static void tell_status(struct world *world, const char *fact, const char *status) {
    char states[80];
    snprintf(states, sizeof states, "[{'field': 'status', 'value': '%s'}]", status);
    tell_fact(world, fact, "['trial-1']", states);
}

static const char *transitions(struct world *world) {
    return tell_each(world, "conflict", NULL, "value.transition");
}

/* --- breaches --- */

static void what_nobody_has_looked_up_is_no_breach(void **state) {
    struct world *world = world_new("batch");
    (void)state;
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    assert_string_equal(transitions(world), "");
    world_free(world);
}

static void a_thing_that_is_not_known_is_a_conflict_until_it_is(void **state) {
    struct world *world = world_new("batch");
    char id[96];
    (void)state;
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    tell_fact(world, TRIAL, "[]", "[]");
    snprintf(id, sizeof id, "%s/links[trial " TRIAL "]", tell_id(world, "lumc-batches/1"));
    const json_t *conflict = world_conflict(world, id);
    assert_non_null(conflict);
    expect_json(conflict, "kind", "'REFERENCE'");
    expect_json(conflict, "severity", "'MAJOR'");
    expect_json(conflict, "field", "'links[trial " TRIAL "]'");
    expect_json(conflict, "values.0.statements", "['lumc-batches/1']");
    expect_json(conflict, "values.0.chosen", "true");
    assert_non_null(strstr(look_text(conflict, "values.0.value"), "NCT01000001"));
    expect_json(conflict, "values.1.value", "'{\\\"known\\\":false}'");
    expect_json(conflict, "values.1.statements", "[]");
    expect_json(world_entity_of(world, "lumc-batches/1"), "conflicts.0.severity", "'MAJOR'");
    tell_status(world, TRIAL, "RECRUITING");
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    assert_int_equal(look_count(world_entity_of(world, "lumc-batches/1"), "conflicts"), 0);
    world_free(world);
}

static void a_state_that_is_refused_is_a_conflict_that_names_it(void **state) {
    struct world *world = world_new("batch");
    (void)state;
    tell_status(world, TRIAL, "WITHDRAWN"); /* known before anybody refers to it */
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.values.1.value"),
                        "{\"entities\":[\"trial-1\"],\"status\":\"WITHDRAWN\"}");
    tell_status(world, TRIAL, "REJECTED");
    tell_status(world, TRIAL, "HALTED");
    tell_status(world, TRIAL, "HALTED"); /* nothing new */
    tell_status(world, TRIAL, "WITHDRAWN");
    assert_string_equal(transitions(world), "OPENED CHANGED RESOLVED REOPENED");
    assert_int_equal(world_fold_counts(world).facts, 5);
    assert_int_equal(world_fold_counts(world).read, 6);
    world_free(world);
}

static void each_link_is_judged_by_the_rules_of_its_role(void **state) {
    struct world *world = world_new("batch");
    (void)state;
    tell_batch(world, "lumc-batches/1", 1, "L1", "A9999S9998Z999926000119A00000", "NCT01000001");
    tell_fact(world, "material/mpho:A9999S9998Z999926000119A00000", "['material-1']",
              "[{'field': 'status', 'value': 'WITHDRAWN'},"
              " {'field': 'consent.state', 'value': 'ACTIVE'}]");
    assert_string_equal(transitions(world), "");
    tell_fact(world, "material/mpho:A9999S9998Z999926000119A00000", "['material-1']",
              "[{'field': 'consent.state', 'value': 'WITHDRAWN'}]");
    tell_status(world, TRIAL, "WITHDRAWN");
    assert_string_equal(tell_each(world, "conflict", NULL, "value.severity"), "CRITICAL MAJOR");
    assert_int_equal(world_count_open(world_conflicts(world)), 2);
    world_free(world);
}

/* --- who refers --- */

static void several_statements_that_link_alike_are_one_conflict(void **state) {
    struct world *world = world_new("batch");
    (void)state;
    tell_status(world, TRIAL, "WITHDRAWN");
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    tell_batch(world, "lumc-batches/2", 1, "L1", NULL, "NCT01000001");
    assert_string_equal(transitions(world), "OPENED CHANGED");
    const json_t *conflict =
        json_object_iter_value(json_object_iter((json_t *)world_conflicts(world)));
    expect_json(conflict, "values.0.statements", "['lumc-batches/1', 'lumc-batches/2']");
    world_free(world);
}

static void a_statement_that_links_elsewhere_or_goes_resolves_it(void **state) {
    struct world *world = world_new("batch");
    (void)state;
    tell_status(world, TRIAL, "WITHDRAWN");
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    tell_batch(world, "lumc-batches/1", 2, "L1", NULL, "NCT01000002");
    tell_batch(world, "lumc-batches/1", 3, "L1", NULL, "NCT01000001");
    world_say(world, "lumc", "lumc-batches/1", "{'statement': {'version': '4',"
              " 'state': 'WITHDRAWN'}}");
    assert_string_equal(transitions(world), "OPENED RESOLVED REOPENED RESOLVED");
    tell_status(world, TRIAL, "REJECTED"); /* nobody refers to it */
    assert_string_equal(transitions(world), "OPENED RESOLVED REOPENED RESOLVED");
    world_free(world);
}

static void a_link_that_is_written_twice_is_one(void **state) {
    struct world *world = world_new("batch");
    static const char link[] = "{'domain': 'trial', 'role': 'trial', 'identifier': {'scheme': 'nct',"
                               " 'value': 'NCT01000001', 'relation': 'SELF'}}";
    HUB_SCOPED_BUFFER json = {0};
    (void)state;
    tell_status(world, TRIAL, "WITHDRAWN");
    hub_buffer_append_format(&json, "{'statement': {'version': '1'}, 'links': [%s, %s]}", link,
                             link);
    world_say(world, "lumc", "lumc-batches/1", hub_buffer_text(&json));
    assert_string_equal(transitions(world), "OPENED");
    const json_t *conflict =
        json_object_iter_value(json_object_iter((json_t *)world_conflicts(world)));
    expect_json(conflict, "values.0.statements", "['lumc-batches/1']");
    world_say(world, "lumc", "lumc-batches/1", "{'statement': {'version': '2'}}");
    assert_string_equal(transitions(world), "OPENED RESOLVED");
    world_free(world);
}

static void other_domains_roles_and_relations_are_no_references(void **state) {
    static const char *const links[] = {
        "{'domain': 'trial', 'role': 'history', 'identifier': {'scheme': 'nct',"
        " 'value': 'NCT01000001', 'relation': 'SELF'}}",
        "{'domain': 'course', 'role': 'trial', 'identifier': {'scheme': 'nct',"
        " 'value': 'NCT01000001', 'relation': 'SELF'}}",
        "{'domain': 'trial', 'role': 'trial', 'identifier': {'scheme': 'nct',"
        " 'value': 'NCT01000001', 'relation': 'UNVERIFIED'}}"};
    struct world *world = world_new("batch");
    (void)state;
    tell_fact(world, TRIAL, "[]", "[]");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        HUB_SCOPED_BUFFER json = {0};
        char key[32];
        snprintf(key, sizeof key, "lumc-batches/%zu", i);
        hub_buffer_append_format(&json, "{'statement': {'version': '1'}, 'links': [%s]}",
                                 links[i]);
        world_say(world, "lumc", key, hub_buffer_text(&json));
    }
    assert_string_equal(transitions(world), "");
    world_free(world);
}

/* All who give a number that too many doubt are looked at again, whatever else they say. */
static void a_breach_is_not_told_again_when_many_doubt_a_number_of_the_batch(void **state) {
    static const char batch[] =
        "{'statement': {'version': '1'}, 'product': 'skin', 'identifiers': [{'scheme': 'coi',"
        " 'value': 'C-7', 'relation': 'UNVERIFIED'}], 'links': [{'domain': 'trial', 'role':"
        " 'trial', 'identifier': {'scheme': 'nct', 'value': 'NCT0100000%d', 'relation':"
        " 'SELF'}}]}";
    struct world *world = world_new("batch");
    char json[400], key[32];
    (void)state;
    tell_fact(world, TRIAL, "[]", "[]");
    for (int i = 1; i <= 9; i++) {
        snprintf(key, sizeof key, "lumc-batches/%d", i);
        snprintf(json, sizeof json, batch, i);
        world_say(world, "lumc", key, json);
    }
    assert_int_equal(world_count_active(world_unified(world)), 9);
    assert_string_equal(transitions(world), "OPENED");
    world_free(world);
}

/* --- people and restarts --- */

static void a_person_may_accept_a_breach_as_it_stands(void **state) {
    static const char *const people[] = {"a@x", "b@x"};
    struct world *world = world_new("batch");
    (void)state;
    tell_status(world, TRIAL, "WITHDRAWN");
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    for (size_t i = 0; i < 2; i++) {
        HUB_SCOPED_BUFFER json = {0};
        const json_t *entity = world_entity_of(world, "lumc-batches/1");
        const char *id = look_text(
            json_object_iter_value(json_object_iter((json_t *)world_conflicts(world))),
            "conflict_id");
        hub_buffer_append_format(&json,
                                 "{'decision_id': '%zu', 'domain': 'batch', 'kind': 'CHOOSE',"
                                 " 'subject': '%s', 'revision': %lld,"
                                 " 'statements': ['lumc-batches/1'], 'reason': 'made before',"
                                 " 'decided_time': '2026-05-01T10:00:00.000Z',"
                                 " 'decided_by': '%s'}",
                                 i, id, (long long)look_number(entity, "revision"), people[i]);
        assert_true(world_decide(world, hub_buffer_text(&json)));
    }
    assert_string_equal(transitions(world), "OPENED PROPOSED DECIDED");
    assert_int_equal(world_count_open(world_conflicts(world)), 0);
    tell_status(world, TRIAL, "WITHDRAWN");
    assert_string_equal(transitions(world), "OPENED PROPOSED DECIDED");
    tell_status(world, TRIAL, "REJECTED"); /* which is not what was accepted */
    assert_string_equal(transitions(world), "OPENED PROPOSED DECIDED REOPENED");
    world_free(world);
}

static void facts_and_breaches_survive_a_restart_and_a_compaction(void **state) {
    struct world *world = world_new("batch");
    (void)state;
    tell_batch(world, "lumc-batches/1", 1, "L1", NULL, "NCT01000001");
    tell_status(world, TRIAL, "RECRUITING");
    tell_status(world, TRIAL, "WITHDRAWN");
    world_compact(world);
    world_restart(world);
    assert_int_equal(world_count_open(world_conflicts(world)), 1);
    tell_batch(world, "lumc-batches/1", 2, "L1", NULL, "NCT01000001");
    world_restart(world);
    tell_batch(world, "lumc-batches/2", 1, "L2", NULL, "NCT01000001");
    tell_status(world, TRIAL, "HALTED");
    assert_string_equal(transitions(world), "OPENED OPENED RESOLVED RESOLVED");
    world_free(world);
}

static void a_domain_that_refers_to_nobody_takes_facts_all_the_same(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", NULL);
    tell_fact(world, "material/mpho:1", "[]", "[]");
    assert_int_equal(world_fold_counts(world).facts, 1);
    assert_string_equal(transitions(world), "");
    world_free(world);
}

/* The transition of the last conflict that an entry made, or "". */
static const char *transition_after(struct hub_fold *fold, const char *key, struct hub_bytes value) {
    static char text[32];
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_input entry = {
        .has_key = true, .has_value = true, .key = hub_bytes_of_text(key), .value = value};
    struct hub_error error;
    text[0] = '\0';
    assert_int_equal(hub_fold_entry(fold, &entry, &outputs, &error), HUB_OK);
    for (size_t i = 0; i < outputs.count; i++) {
        if (outputs.items[i].kind != HUB_OUTPUT_CONFLICT)
            continue;
        json_t *conflict = test_render(outputs.items[i].value);
        snprintf(text, sizeof text, "%s", look_text(conflict, "transition"));
        json_decref(conflict);
    }
    hub_arena_destroy(&arena);
    return text;
}

static struct hub_bytes message_of(const struct hub_schema *schema, const char *json,
                                   struct hub_arena *arena) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, test_value(schema->root, json, arena));
    return hub_bytes(hub_arena_text(arena, (const char *)message.data, message.size),
                     message.size);
}

static void a_rule_may_be_of_any_role_and_ask_for_no_state(void **state) {
    static const struct hub_reference known = {.domain = "trial", .severity = HUB_MINOR};
    const struct hub_schema *fact = hub_catalogue_latest(test_catalogue(), "fact");
    struct hub_domain batch = *test_domain("batch");
    struct hub_arena arena = {0};
    (void)state;
    batch.references = &known;
    batch.reference_count = 1;
    struct hub_fold *fold = hub_fold_new(test_catalogue(), &batch, &hub_sha256, /* partition= */ 0);
    assert_string_equal(
        transition_after(fold, "lumc/lumc-batches/1",
                         message_of(batch.schema,
                                    "{'statement': {'version': '1'}, 'product': 'skin', 'links':"
                                    " [{'domain': 'trial', 'role': 'history', 'identifier':"
                                    " {'scheme': 'nct', 'value': '1', 'relation': 'SELF'}}]}",
                                    &arena)),
        "");
    assert_string_equal(transition_after(fold, "ref/trial/nct:1",
                                         message_of(fact, "{'domain': 'd', 'identifier': 'i',"
                                                          " 'entities': [], 'states': []}",
                                                    &arena)),
                        "OPENED");
    assert_string_equal(transition_after(fold, "ref/trial/nct:1",
                                         message_of(fact, "{'domain': 'd', 'identifier': 'i',"
                                                          " 'entities': ['trial-1'], 'states':"
                                                          " [{'field': 'status', 'value':"
                                                          " 'WITHDRAWN'}]}",
                                                    &arena)),
                        "RESOLVED");
    hub_fold_free(fold);
    hub_arena_destroy(&arena);
}

static void a_fact_that_is_none_is_damage(void **state) {
    struct hub_fold *fold =
        hub_fold_new(test_catalogue(), test_domain("batch"), NULL, /* partition= */ 0);
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_input entry = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text("ref/trial/nct:1"),
                              .value = hub_bytes_of_text("no fact"),
                              .offset = 7};
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_fold_entry(fold, &entry, &outputs, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "log.batch/0@7: damaged"));
    assert_int_equal(hub_fold_load(fold, HUB_FOLD_LOG, &entry, &error), HUB_OK);
    assert_int_equal(hub_fold_loaded(fold, &error), HUB_OK); /* it sleeps */
    assert_int_equal(hub_fold_wake_all(fold, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "log.batch/0@7: damaged"));
    hub_fold_free(fold);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_has_looked_up_is_no_breach),
        cmocka_unit_test(a_thing_that_is_not_known_is_a_conflict_until_it_is),
        cmocka_unit_test(a_state_that_is_refused_is_a_conflict_that_names_it),
        cmocka_unit_test(each_link_is_judged_by_the_rules_of_its_role),
        cmocka_unit_test(several_statements_that_link_alike_are_one_conflict),
        cmocka_unit_test(a_statement_that_links_elsewhere_or_goes_resolves_it),
        cmocka_unit_test(a_link_that_is_written_twice_is_one),
        cmocka_unit_test(other_domains_roles_and_relations_are_no_references),
        cmocka_unit_test(a_breach_is_not_told_again_when_many_doubt_a_number_of_the_batch),
        cmocka_unit_test(a_person_may_accept_a_breach_as_it_stands),
        cmocka_unit_test(facts_and_breaches_survive_a_restart_and_a_compaction),
        cmocka_unit_test(a_domain_that_refers_to_nobody_takes_facts_all_the_same),
        cmocka_unit_test(a_rule_may_be_of_any_role_and_ask_for_no_state),
        cmocka_unit_test(a_fact_that_is_none_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
