/* fold_load: a shard is read from what was published, or refused; it is never decided again. */
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/schema.h"
#include "tests/lib/script.h"
#include "tests/lib/tell.h"

#include <string.h>

/* --- loading equals continuing --- */

/* Says the script; restarts after every `restart_every` lines (0: never). */
static uint64_t trace_of(const struct script *script, size_t restart_every, bool compacts) {
    struct world *world = world_new(script->domain);
    world_keep_no_json(world);
    for (size_t i = 0; i < script->count; i++) {
        world_admit_bytes(world, script->lines[i].institution, script->lines[i].key,
                          script->lines[i].message, NULL, 0);
        if (i % 3 != 0) /* some entries wait while the hub restarts */
            while (world_fold(world))
                continue;
        if (restart_every == 0 || i % restart_every != 0)
            continue;
        if (compacts)
            world_compact(world);
        world_restart(world);
    }
    while (world_fold(world))
        continue;
    uint64_t trace = world_trace(world);
    world_free(world);
    return trace;
}

static void expect_equal(void (*make)(struct script *script, uint64_t seed), bool compacts) {
    for (uint64_t seed = 0; seed < test_cases(60); seed++) {
        struct script script = {0};
        make(&script, test_seed(seed));
        uint64_t straight = trace_of(&script, 0, false);
        for (size_t every = 1; every < 4; every++)
            if (trace_of(&script, every, compacts) != straight)
                fail_msg("HUB_TEST_SEED=%llu, a restart every %zu records",
                         (unsigned long long)seed, every);
        script_free(&script);
    }
}

static void trials_go_on_as_if_there_had_been_no_restart(void **state) {
    (void)state;
    expect_equal(script_make_trials, false);
}

static void trials_go_on_from_compacted_topics(void **state) {
    (void)state;
    expect_equal(script_make_trials, true);
}

static void slots_go_on_as_if_there_had_been_no_restart(void **state) {
    (void)state;
    expect_equal(script_make_slots, false);
}

static void slots_go_on_from_compacted_topics(void **state) {
    (void)state;
    expect_equal(script_make_slots, true);
}

/* --- topics that contradict each other --- */

struct loading {
    struct hub_arena arena;
    const struct hub_domain *domain;
    struct hub_fold *fold;
    struct hub_error error;
};

static void begin(struct loading *loading) {
    *loading = (struct loading){.domain = test_domain("trial")};
    loading->fold =
        hub_fold_new(test_catalogue(), loading->domain, &hub_sha256, /* partition= */ 0);
}

static void end(struct loading *loading) {
    hub_fold_free(loading->fold);
    hub_arena_destroy(&loading->arena);
}

static struct hub_bytes message(struct loading *loading, const struct hub_schema *schema,
                                const char *json) {
    HUB_SCOPED_BUFFER framed = {0};
    hub_frame_append(&framed, schema->id);
    hub_buffer_append_bytes(&framed, test_value(schema->root, json, &loading->arena));
    return hub_bytes(hub_arena_text(&loading->arena, (const char *)framed.data, framed.size),
                     framed.size);
}

static enum hub_status load_statement(struct loading *loading, const char *key) {
    struct hub_input entry = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = message(loading, loading->domain->schema,
                                               "{'statement': {'version': '1'}}")};
    return hub_fold_load_log(loading->fold, &entry, &loading->error);
}

/* A unified record of one entity; `statement` is the key that it lists, or NULL. */
static struct hub_bytes unified(struct loading *loading, const char *kind, const char *statement,
                                const char *rules, int core) {
    bool active = strcmp(kind, "ACTIVE") == 0;
    HUB_SCOPED_BUFFER sources = {0}, statements = {0};
    for (size_t i = 0; i < loading->domain->contract.count; i++)
        hub_buffer_append_format(&sources, "%s'%s': -1", i == 0 ? "" : ", ",
                                 loading->domain->contract.fields[i].field->name);
    if (statement != NULL)
        hub_buffer_append_format(&statements,
                                 "{'key': '%s', 'carriers': ['sus'], 'first_offset': 0,"
                                 " 'offset': 0, 'version': '1', 'state': 'CURRENT'}",
                                 statement);
    return message(loading, loading->domain->unified,
                   hub_arena_format(&loading->arena,
                                    "{'entity_id': 'trial-x', 'kind': '%s', 'founder': 'ctgov/A',"
                                    " 'founded_offset': 0, 'revision': 1, 'changed': [],"
                                    " 'value': %s, 'sources': {%s}, 'statements': [%s],"
                                    " 'conflicts': [],"
                                    " 'rules': '%s', 'core': %d}",
                                    kind, active ? "{'statement': {'version': ''}}" : "null",
                                    hub_buffer_text(&sources), hub_buffer_text(&statements),
                                    rules == NULL ? loading->domain->rules : rules, core));
}

static void an_empty_shard_loads(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(hub_fold_loaded(loading.fold, &loading.error), &loading.error);
    end(&loading);
}

static void topics_that_agree_load(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(hub_fold_load_unified(loading.fold, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_ok(hub_fold_loaded(loading.fold, &loading.error), &loading.error);
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 1);
    assert_int_equal(hub_fold_gauges(loading.fold).statements, 1);
    end(&loading);
}

static void a_statement_that_no_entity_lists_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_refusal(hub_fold_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "log.trial/0: statement ctgov/A", "contradict");
    end(&loading);
}

static void a_statement_of_an_entity_that_is_gone_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(hub_fold_load_unified(loading.fold,
                                    unified(&loading, "WITHDRAWN", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(hub_fold_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "log.trial/0: statement ctgov/A", "contradict");
    end(&loading);
}

static void an_entity_that_lists_a_withdrawn_statement_is_a_contradiction(void **state) {
    struct loading loading;
    struct hub_input entry;
    (void)state;
    begin(&loading);
    entry = (struct hub_input){
        .has_key = true,
        .has_value = true,
        .key = hub_bytes_of_text("sus/ctgov/A"),
        .value = message(&loading, loading.domain->schema,
                         "{'statement': {'version': '1', 'state': 'WITHDRAWN'}}")};
    expect_ok(hub_fold_load_log(loading.fold, &entry, &loading.error), &loading.error);
    expect_ok(hub_fold_load_unified(loading.fold, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(hub_fold_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "unified.trial/0: trial-x lists ctgov/A", "contradict");
    end(&loading);
}

/* Else its statement would be missing, and its record stand for ever. */
static void an_entity_whose_statement_is_not_in_the_log_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(hub_fold_load_unified(loading.fold, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(hub_fold_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "unified.trial/0", "contradict");
    end(&loading);
}

static void an_entity_without_a_statement_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(hub_fold_load_unified(loading.fold, unified(&loading, "ACTIVE", NULL, NULL, 1),
                                         &loading.error),
                   HUB_FATAL, &loading.error, "unified.trial/0: trial-x", "without a value or");
    end(&loading);
}

static void a_kind_that_is_not_known_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(hub_fold_load_unified(loading.fold,
                                         unified(&loading, "UNRECOGNISED", NULL, NULL, 1),
                                         &loading.error),
                   HUB_FATAL, &loading.error, "unified.trial/0: trial-x", "unknown kind");
    end(&loading);
}

static void a_match_that_is_no_pair_is_refused(void **state) {
    static const char *const matches[] = {
        "{'match_id': 'm', 'domain': 'trial', 'entities': ['a'], 'state': 'OPEN', 'evidence': [],"
        " 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '', 'core': 1}",
        "{'match_id': 'm', 'domain': 'trial', 'entities': ['a', 'b'], 'state': 'OPEN',"
        " 'evidence': [{'kind': 'TIE', 'detail': 'd', 'statements': ['x']}],"
        " 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '', 'core': 1}"};
    struct loading loading;
    (void)state;
    begin(&loading);
    for (size_t i = 0; i < 2; i++)
        expect_refusal(
            hub_fold_load_match(loading.fold,
                                message(&loading, hub_catalogue_latest(test_catalogue(), "match"),
                                        matches[i]),
                                &loading.error),
            HUB_FATAL, &loading.error, "match.trial/0: m", "two");
    end(&loading);
}

static void a_newer_cores_shard_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(hub_fold_load_unified(loading.fold,
                                         unified(&loading, "ACTIVE", "ctgov/A", NULL,
                                                 HUB_CORE_VERSION + 1),
                                         &loading.error),
                   HUB_FATAL, &loading.error, "unified.trial/0 was made by core", "older core");
    end(&loading);
}

static void a_shard_of_other_rules_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(hub_fold_load_unified(loading.fold,
                                         unified(&loading, "ACTIVE", "ctgov/A", "others", 1),
                                         &loading.error),
                   HUB_FATAL, &loading.error, "unified.trial/0 was made by the rules others",
                   "rules change by an entry in the log");
    end(&loading);
}

static void records_that_cannot_be_read_are_refused(void **state) {
    enum hub_status (*const load[])(struct hub_fold *, struct hub_bytes, struct hub_error *) = {
        hub_fold_load_unified, hub_fold_load_conflict, hub_fold_load_match};
    struct loading loading;
    (void)state;
    begin(&loading);
    struct hub_bytes good = unified(&loading, "ACTIVE", "ctgov/A", NULL, 1);
    struct hub_bytes statement = message(&loading, loading.domain->schema,
                                         "{'statement': {'version': '1'}}");
    for (size_t i = 0; i < 3; i++) {
        assert_int_not_equal(load[i](loading.fold, hub_bytes("", 0), &loading.error), HUB_OK);
        expect_refusal(load[i](loading.fold, statement, &loading.error), HUB_FATAL, &loading.error,
                       "a record of schema", "would pass");
    }
    assert_int_not_equal(hub_fold_load_unified(loading.fold,
                                               hub_bytes_part(good, 0, good.size - 1),
                                               &loading.error),
                         HUB_OK);
    assert_int_equal(load_statement(&loading, "sus/unheard-of/A"), HUB_FATAL);
    end(&loading);
}

static void late_entries_are_no_part_of_the_state(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "late/sus/ctgov/A"), &loading.error);
    expect_ok(hub_fold_loaded(loading.fold, &loading.error), &loading.error);
    assert_int_equal(hub_fold_gauges(loading.fold).statements, 0);
    end(&loading);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_go_on_as_if_there_had_been_no_restart),
        cmocka_unit_test(trials_go_on_from_compacted_topics),
        cmocka_unit_test(slots_go_on_as_if_there_had_been_no_restart),
        cmocka_unit_test(slots_go_on_from_compacted_topics),
        cmocka_unit_test(an_empty_shard_loads),
        cmocka_unit_test(topics_that_agree_load),
        cmocka_unit_test(a_statement_that_no_entity_lists_is_a_contradiction),
        cmocka_unit_test(a_statement_of_an_entity_that_is_gone_is_a_contradiction),
        cmocka_unit_test(an_entity_that_lists_a_withdrawn_statement_is_a_contradiction),
        cmocka_unit_test(an_entity_whose_statement_is_not_in_the_log_is_a_contradiction),
        cmocka_unit_test(an_entity_without_a_statement_is_refused),
        cmocka_unit_test(a_kind_that_is_not_known_is_refused),
        cmocka_unit_test(a_match_that_is_no_pair_is_refused),
        cmocka_unit_test(a_newer_cores_shard_is_refused),
        cmocka_unit_test(a_shard_of_other_rules_is_refused),
        cmocka_unit_test(records_that_cannot_be_read_are_refused),
        cmocka_unit_test(late_entries_are_no_part_of_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
