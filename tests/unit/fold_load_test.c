/* fold_load: a shard is read from what was published, or refused; it is never decided again. */
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/loading.h"
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
    return hub_fold_load(loading->fold, HUB_FOLD_LOG, &entry, &loading->error);
}

/* What a unified record says; statements are keys with spaces between them. */
struct said {
    const char *id, *kind, *into, *value, *statements, *rules;
    int core;
};

static struct hub_bytes unified_of(struct loading *loading, struct said said) {
    HUB_SCOPED_BUFFER sources = {0}, statements = {0};
    for (size_t i = 0; i < loading->domain->contract.count; i++)
        hub_buffer_append_format(&sources, "%s'%s': -1", i == 0 ? "" : ", ",
                                 loading->domain->contract.fields[i].field->name);
    for (const char *key = said.statements; *key != '\0'; key += strspn(key, " ")) {
        int size = (int)strcspn(key, " ");
        hub_buffer_append_format(&statements,
                                 "%s{'key': '%.*s', 'carriers': ['sus'], 'first_offset': 0,"
                                 " 'offset': 0, 'version': '1', 'state': 'CURRENT'}",
                                 key == said.statements ? "" : ", ", size, key);
        key += size;
    }
    return message(loading, loading->domain->unified,
                   hub_arena_format(&loading->arena,
                                    "{'entity_id': '%s', 'kind': '%s', 'into': %s,"
                                    " 'founder': 'ctgov/A', 'founded_offset': 0, 'revision': 1,"
                                    " 'changed': [], 'value': %s, 'sources': {%s},"
                                    " 'statements': [%s], 'conflicts': [],"
                                    " 'rules': '%s', 'core': %d}",
                                    said.id, said.kind, said.into, said.value,
                                    hub_buffer_text(&sources), hub_buffer_text(&statements),
                                    said.rules, said.core));
}

static const char value[] = "{'statement': {'version': ''}}";

/* A unified record of one entity; `statement` is the key that it lists, or NULL. */
static struct hub_bytes unified(struct loading *loading, const char *kind, const char *statement,
                                const char *rules, int core) {
    struct said said = {.id = "trial-x",
                        .kind = kind,
                        .into = "null",
                        .value = strcmp(kind, "ACTIVE") == 0 ? value : "null",
                        .statements = statement == NULL ? "" : statement,
                        .rules = rules == NULL ? loading->domain->rules : rules,
                        .core = core};
    return unified_of(loading, said);
}

/* What is wrong with a unified record shows at the latest when all are there. */
static enum hub_status load_whole(struct loading *loading, struct hub_bytes message) {
    HUB_TRY(test_load(loading->fold, HUB_FOLD_UNIFIED, message, &loading->error));
    return test_loaded(loading->fold, &loading->error);
}

static struct hub_bytes hubs_own(struct loading *loading, const char *subject, const char *json) {
    return message(loading, hub_catalogue_latest(test_catalogue(), subject), json);
}

/* The same of a record of any topic, and of nothing else. */
static enum hub_status load_alone(struct loading *loading, enum hub_fold_topic topic,
                                  struct hub_bytes message) {
    hub_fold_free(loading->fold);
    loading->fold =
        hub_fold_new(test_catalogue(), loading->domain, &hub_sha256, /* partition= */ 0);
    HUB_TRY(test_load(loading->fold, topic, message, &loading->error));
    return test_loaded(loading->fold, &loading->error);
}

/* Loads an entity that stands. */
static void load_entity(struct loading *loading, const char *id, const char *statements) {
    struct said said = {.id = id,
                        .kind = "ACTIVE",
                        .into = "null",
                        .value = value,
                        .statements = statements,
                        .rules = loading->domain->rules,
                        .core = 1};
    expect_ok(test_load(loading->fold, HUB_FOLD_UNIFIED, unified_of(loading, said), &loading->error),
              &loading->error);
}

static void an_empty_shard_loads(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    end(&loading);
}

static void topics_that_agree_load(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 1);
    assert_int_equal(hub_fold_gauges(loading.fold).statements, 1);
    end(&loading);
}

static void a_statement_that_no_entity_lists_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "log.trial/0: statement ctgov/A", "contradict");
    end(&loading);
}

static void a_statement_of_an_entity_that_is_gone_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED,
                                    unified(&loading, "WITHDRAWN", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
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
    expect_ok(hub_fold_load(loading.fold, HUB_FOLD_LOG, &entry, &loading.error), &loading.error);
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "unified.trial/0: trial-x lists ctgov/A", "contradict");
    end(&loading);
}

/* Else its statement would be missing, and its record stand for ever. */
static void an_entity_whose_statement_is_not_in_the_log_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "unified.trial/0", "contradict");
    end(&loading);
}

static void an_entity_without_a_statement_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(load_whole(&loading, unified(&loading, "ACTIVE", NULL, NULL, 1)),
                   HUB_FATAL, &loading.error, "unified.trial/0: trial-x", "without a value or");
    end(&loading);
}

static void a_kind_that_is_not_known_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(load_whole(&loading, unified(&loading, "UNRECOGNISED", NULL, NULL, 1)),
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
            load_alone(&loading, HUB_FOLD_MATCH, hubs_own(&loading, "match", matches[i])),
            HUB_FATAL, &loading.error, "match.trial/0: m", "two");
    end(&loading);
}

static void a_newer_cores_shard_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(load_whole(&loading, unified(&loading, "ACTIVE", "ctgov/A", NULL, HUB_CORE_VERSION + 1)),
                   HUB_FATAL, &loading.error, "unified.trial/0 was made by core", "older core");
    end(&loading);
}

static void a_shard_of_other_rules_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(load_whole(&loading, unified(&loading, "ACTIVE", "ctgov/A", "others", 1)),
                   HUB_FATAL, &loading.error, "unified.trial/0 was made by the rules others",
                   "rules change by an entry in the log");
    end(&loading);
}

static void records_that_cannot_be_read_are_refused(void **state) {
    static const struct {
        enum hub_fold_topic topic;
        const char *words;
    } topics[] = {{HUB_FOLD_UNIFIED, "unified.trial/0"},
                  {HUB_FOLD_CONFLICT, "conflict.trial/0: damaged"},
                  {HUB_FOLD_MATCH, "match.trial/0@0"}};
    struct loading loading;
    (void)state;
    begin(&loading);
    struct hub_bytes good = unified(&loading, "ACTIVE", "ctgov/A", NULL, 1);
    struct hub_bytes statement = message(&loading, loading.domain->schema,
                                         "{'statement': {'version': '1'}}");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(load_alone(&loading, topics[i].topic, hub_bytes("", 0)), HUB_FATAL);
        expect_refusal(load_alone(&loading, topics[i].topic, statement), HUB_FATAL,
                       &loading.error, topics[i].words, "a record of schema");
    }
    assert_int_not_equal(load_whole(&loading, hub_bytes_part(good, 0, good.size - 1)), HUB_OK);
    assert_int_equal(load_whole(&loading, hub_bytes_part(good, 0, 8)), HUB_FATAL);
    assert_int_equal(load_whole(&loading, hub_bytes_part(good, 0, 5)), HUB_FATAL);
    end(&loading);
}

static void late_entries_are_no_part_of_the_state(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "late/sus/ctgov/A"), &loading.error);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    assert_int_equal(hub_fold_gauges(loading.fold).statements, 0);
    end(&loading);
}

static void what_no_fold_would_write_of_an_entity_is_refused(void **state) {
    HUB_SCOPED_BUFFER many = {0};
    struct loading loading;
    (void)state;
    for (int i = 0; i < 65; i++)
        hub_buffer_append_format(&many, "%sctgov/%d", i == 0 ? "" : " ", i);
    const struct {
        const char *kind, *into, *value, *statements, *words;
    } wrong[] = {{"ACTIVE", "null", "null", "ctgov/A", "ACTIVE without a value or statements"},
                 {"ACTIVE", "null", value, hub_buffer_text(&many), "more statements"},
                 {"WITHDRAWN", "null", value, "", "is not ACTIVE and has a value"},
                 {"MERGED", "null", "null", "", "is MERGED into nothing"}};
    begin(&loading);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct said said = {.id = "trial-x",
                            .kind = wrong[i].kind,
                            .into = wrong[i].into,
                            .value = wrong[i].value,
                            .statements = wrong[i].statements,
                            .rules = loading.domain->rules,
                            .core = 1};
        expect_refusal(load_alone(&loading, HUB_FOLD_UNIFIED, unified_of(&loading, said)),
                       HUB_FATAL, &loading.error, "unified.trial/0: trial-x", wrong[i].words);
    }
    struct said redirect = {.id = "trial-x",
                            .kind = "MERGED",
                            .into = "'trial-y'",
                            .value = "null",
                            .statements = "",
                            .rules = loading.domain->rules,
                            .core = 1};
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified_of(&loading, redirect), &loading.error),
              &loading.error);
    end(&loading);
}

static void of_the_records_of_an_entity_the_last_counts(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified(&loading, "WITHDRAWN", NULL, NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_ok(load_whole(&loading, unified(&loading, "ACTIVE", "ctgov/A", NULL, 1)),
              &loading.error);
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 1);
    end(&loading);
}

static void a_statement_of_an_entity_that_went_later_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    load_entity(&loading, "trial-x", "ctgov/A");
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified(&loading, "WITHDRAWN", NULL, NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "log.trial/0: statement ctgov/A", "contradict");
    end(&loading);
}

static void a_statement_of_two_entities_is_a_contradiction(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    load_entity(&loading, "trial-x", "ctgov/A");
    load_entity(&loading, "trial-y", "ctgov/A");
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "unified.trial/0: trial-y lists ctgov/A", "contradict");
    end(&loading);
}

static void an_entry_that_admit_could_not_have_written_is_refused(void **state) {
    struct loading loading;
    struct hub_input entry = {.has_value = true};
    (void)state;
    begin(&loading);
    entry.value = message(&loading, loading.domain->schema, "{'statement': {'version': '1'}}");
    assert_int_equal(hub_fold_load(loading.fold, HUB_FOLD_LOG, &entry, &loading.error), HUB_FATAL);
    entry.has_key = true;
    entry.key = hub_bytes_of_text("sus/ctgov/A");
    entry.has_value = false;
    assert_int_equal(hub_fold_load(loading.fold, HUB_FOLD_LOG, &entry, &loading.error), HUB_FATAL);
    entry.key = hub_bytes_of_text("late/sus/ctgov/A"); /* which is no state */
    expect_ok(hub_fold_load(loading.fold, HUB_FOLD_LOG, &entry, &loading.error), &loading.error);
    entry.has_value = true;
    entry.key = hub_bytes_of_text("late");
    expect_ok(hub_fold_load(loading.fold, HUB_FOLD_LOG, &entry, &loading.error), &loading.error);
    expect_refusal(test_loaded(loading.fold, &loading.error), HUB_FATAL, &loading.error,
                   "log.trial/0@0: no statement", "admit");
    end(&loading);
}

/* --- conflicts and matches --- */

#define CONFLICT(kind, severity, entities, more)                                                   \
    "{'conflict_id': 'c', 'domain': 'trial', 'entities': [" entities "], 'field': 'acronym',"      \
    " 'kind': '" kind "', 'severity': '" severity "', 'transition': 'OPENED',"                     \
    " 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '', 'core': 1, " more "}"
#define VALUES                                                                                    \
    "'values': [{'value': '\\\"A\\\"', 'statements': ['ctgov/A'], 'chosen': true},"                 \
    " {'value': '\\\"B\\\"', 'statements': ['ctgov/B'], 'chosen': false}]"
#define DECIDED(kind)                                                                              \
    "'decision': {'decision_id': 'd', 'kind': '" kind "', 'state': 'IN_FORCE', 'statements':"      \
    " ['ctgov/A'], 'others': [], 'values': [], 'reason': 'r', 'decided_by': 'a', 'offset': 0}"

#define CHOSEN_NOTHING                                                                             \
    "'decision': {'decision_id': 'd', 'kind': 'CHOOSE', 'state': 'IN_FORCE', 'statements': [],"    \
    " 'others': [], 'values': [], 'reason': 'r', 'decided_by': 'a', 'offset': 0}"

static enum hub_status load_conflict(struct loading *loading, const char *json) {
    return test_load(loading->fold, HUB_FOLD_CONFLICT, hubs_own(loading, "conflict", json),
        &loading->error);
}

static enum hub_status load_match(struct loading *loading, const char *json) {
    return test_load(loading->fold, HUB_FOLD_MATCH, hubs_own(loading, "match", json),
        &loading->error);
}

/* One entry of the log, folded. */
static void fold(struct loading *loading, const char *key, struct hub_bytes bytes,
                 struct hub_outputs *outputs) {
    struct hub_input entry = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = bytes,
                              .offset = 9};
    *outputs = (struct hub_outputs){.arena = &loading->arena};
    expect_ok(hub_fold_entry(loading->fold, &entry, outputs, &loading->error), &loading->error);
}

/* The last output of a kind, rendered; the caller frees it. */
static json_t *last_of(const struct hub_outputs *outputs, enum hub_output_kind kind) {
    for (size_t i = outputs->count; i > 0; i--)
        if (outputs->items[i - 1].kind == kind)
            return test_render(outputs->items[i - 1].value);
    fail_msg("nothing of kind %d", (int)kind);
    return NULL;
}

static void what_no_fold_would_write_of_a_conflict_is_refused(void **state) {
    static const char *const wrong[] = {
        CONFLICT("VALUES", "MAJOR", "", "'state': 'OPEN', " VALUES),
        CONFLICT("VALUES", "MAJOR", "'a', 'b', 'c'", "'state': 'OPEN', " VALUES),
        CONFLICT("UNRECOGNISED", "MAJOR", "'a'", "'state': 'OPEN', " VALUES),
        CONFLICT("VALUES", "UNRECOGNISED", "'a'", "'state': 'OPEN', " VALUES),
        CONFLICT("VALUES", "MAJOR", "'a'", "'state': 'OPEN', " VALUES ", " DECIDED("JOIN")),
        CONFLICT("VALUES", "MAJOR", "'a'", "'state': 'OPEN', " VALUES ", " CHOSEN_NOTHING)};
    struct loading loading;
    (void)state;
    begin(&loading);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_refusal(load_alone(&loading, HUB_FOLD_CONFLICT,
                                  hubs_own(&loading, "conflict", wrong[i])),
                       HUB_FATAL, &loading.error, "conflict.trial/0: c", "damaged");
    end(&loading);
}

static void evidence_of_an_unknown_kind_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_refusal(
        load_alone(
            &loading, HUB_FOLD_MATCH,
            hubs_own(&loading, "match",
                   "{'match_id': 'm', 'domain': 'trial', 'entities': ['a', 'b'], 'state': 'OPEN',"
                   " 'evidence': [{'kind': 'UNRECOGNISED', 'detail': 'd', 'statements': ['x', 'y']}],"
                   " 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '', 'core': 1}")),
        HUB_FATAL, &loading.error, "match.trial/0: m", "unknown kind");
    end(&loading);
}

/* Nobody wrote such topics; the fold goes on with what is there. */
static void a_conflict_of_an_entity_that_is_not_there_ends_with_the_other(void **state) {
    static const char *const conflicts[] = {
        CONFLICT("VALUES", "MAJOR", "'trial-x', 'trial-gone'", "'state': 'OPEN', " VALUES),
        CONFLICT("VALUES", "MAJOR", "'trial-gone', 'trial-x'",
                 "'state': 'OPEN', " VALUES ", " DECIDED("DEFER"))};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct loading loading;
        struct hub_outputs outputs;
        begin(&loading);
        expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
        load_entity(&loading, "trial-x", "ctgov/A");
        expect_ok(load_conflict(&loading, conflicts[i]), &loading.error);
        expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
        assert_int_equal(hub_fold_gauges(loading.fold).conflicts_open, 1);
        fold(&loading, "sus/ctgov/A",
             message(&loading, loading.domain->schema,
                     "{'statement': {'version': '2'}, 'acronym': 'A'}"),
             &outputs);
        json_t *conflict = last_of(&outputs, HUB_OUTPUT_CONFLICT);
        expect_json(conflict, "state", "'RESOLVED'");
        assert_int_equal(hub_fold_gauges(loading.fold).conflicts_open, 0);
        json_decref(conflict);
        end(&loading);
    }
}

static void a_match_with_an_entity_that_is_not_there_stays_open_while_its_evidence_stands(
    void **state) {
    static const char *const pairs[] = {"'trial-gone', 'trial-x'", "'trial-x', 'trial-z'"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct loading loading;
        struct hub_outputs outputs;
        begin(&loading);
        expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
        load_entity(&loading, "trial-x", "ctgov/A");
        expect_ok(load_match(&loading,
                             hub_arena_format(
                                 &loading.arena,
                                 "{'match_id': 'm', 'domain': 'trial', 'entities': [%s],"
                                 " 'state': 'OPEN', 'evidence': [{'kind': 'RESEMBLANCE',"
                                 " 'detail': 'd', 'statements': ['ctgov/A', 'ctgov/B']}],"
                                 " 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '',"
                                 " 'core': 1}", pairs[i])),
                  &loading.error);
        expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
        fold(&loading, "sus/ctgov/A",
             message(&loading, loading.domain->schema,
                     "{'statement': {'version': '2'}, 'acronym': 'A'}"),
             &outputs);
        assert_int_equal(hub_fold_gauges(loading.fold).matches_open, 1);
        end(&loading);
    }
}

static size_t count_of(const struct hub_outputs *outputs, enum hub_output_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < outputs->count; i++)
        count += outputs->items[i].kind == kind;
    return count;
}

static void a_resemblance_that_a_match_already_tells_is_not_told_again(void **state) {
    static const char alike[] =
        "{'statement': {'version': '2'}, 'titles': [{'lang': 'en', 'text': 'Cells'}],"
        " 'sponsor': {'text': 'Acme'}, 'start': {'value': '2026-03-05'}}";
    struct loading loading;
    struct hub_outputs outputs;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(load_statement(&loading, "sus/ctgov/B"), &loading.error);
    load_entity(&loading, "trial-x", "ctgov/A");
    load_entity(&loading, "trial-y", "ctgov/B");
    expect_ok(load_match(&loading,
                         "{'match_id': 'trial-x~trial-y', 'domain': 'trial', 'entities':"
                         " ['trial-x', 'trial-y'], 'state': 'OPEN', 'evidence': [{'kind':"
                         " 'RESEMBLANCE', 'detail': 'titles|en/cells/|acme|2026-03',"
                         " 'statements': ['ctgov/A', 'ctgov/A']}], 'opened_offset': 0,"
                         " 'offset': 0, 'events': 1, 'rules': '', 'core': 1}"),
              &loading.error);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    fold(&loading, "sus/ctgov/A", message(&loading, loading.domain->schema, alike), &outputs);
    fold(&loading, "sus/ctgov/B", message(&loading, loading.domain->schema, alike), &outputs);
    assert_int_equal(count_of(&outputs, HUB_OUTPUT_MATCH), 0);
    fold(&loading, "sus/ctgov/B",
         message(&loading, loading.domain->schema, "{'statement': {'version': '3'}}"), &outputs);
    json_t *match = last_of(&outputs, HUB_OUTPUT_MATCH);
    expect_json(match, "state", "'CLOSED'");
    json_decref(match);
    end(&loading);
}

/* Both records say that ctgov/A founded their entity. */
static void an_entity_whose_founder_is_in_another_one_gives_up_its_id(void **state) {
    struct loading loading;
    struct hub_outputs outputs;
    size_t withdrawn = 0;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(load_statement(&loading, "sus/ctgov/B"), &loading.error);
    load_entity(&loading, "trial-x", "ctgov/A");
    load_entity(&loading, "trial-y", "ctgov/B");
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    fold(&loading, "sus/ctgov/B",
         message(&loading, loading.domain->schema,
                 "{'statement': {'version': '2'}, 'identifiers': [{'scheme': 'nct',"
                 " 'value': 'NCT01000001', 'relation': 'SELF'}]}"),
         &outputs);
    for (size_t i = 0; i < outputs.count; i++) {
        if (outputs.items[i].kind != HUB_OUTPUT_UNIFIED)
            continue;
        json_t *entity = test_render(outputs.items[i].value);
        bool kept_id = strcmp(look_text(entity, "entity_id"), "trial-y") == 0;
        assert_string_equal(look_text(entity, "kind"), kept_id ? "WITHDRAWN" : "ACTIVE");
        withdrawn += kept_id;
        json_decref(entity);
    }
    assert_int_equal(withdrawn, 1);
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 2);
    end(&loading);
}

static void a_record_that_comes_again_replaces_the_one_before(void **state) {
    static const char match[] =
        "{'match_id': 'm', 'domain': 'trial', 'entities': ['a', 'b'], 'state': 'OPEN',"
        " 'evidence': [{'kind': 'TIE', 'detail': 'd', 'statements': ['x', 'y']}],"
        " 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '', 'core': 1}";
    struct loading loading;
    (void)state;
    begin(&loading);
    for (int i = 0; i < 2; i++) {
        expect_ok(load_match(&loading, match), &loading.error);
        expect_ok(load_conflict(&loading, CONFLICT("VALUES", "MAJOR", "'a'",
                                                   "'state': 'OPEN', " VALUES)),
                  &loading.error);
    }
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    assert_int_equal(hub_fold_gauges(loading.fold).matches_open, 1);
    assert_int_equal(hub_fold_gauges(loading.fold).conflicts_open, 1);
    end(&loading);
}

/* --- decisions that admit, or an earlier fold, would not have taken --- */

static json_t *decide(struct loading *loading, const char *subject, const char *kind,
                      int revision, const char *more, enum hub_output_kind about) {
    struct hub_outputs outputs;
    const char *json = hub_arena_format(
        &loading->arena,
        "{'decision_id': 'd', 'domain': 'trial', 'subject': '%s', 'kind': '%s', 'revision': %d,"
        " 'reason': 'r', 'decided_by': 'b', 'decided_time': '2026-05-01T10:00:00.000Z'%s%s}",
        subject, kind, revision, *more == '\0' ? "" : ", ", more);
    fold(loading, hub_arena_format(&loading->arena, "decision/%s", subject),
         message(loading, hub_catalogue_latest(test_catalogue(), "decision"), json), &outputs);
    return last_of(&outputs, about);
}

static void expect_refused(struct loading *loading, const char *subject, const char *kind,
                           const char *more, enum hub_output_kind about, const char *words) {
    json_t *record = decide(loading, subject, kind, /* revision= */ 1, more, about);
    if (look_text(record, "refused") == NULL ||
        strstr(look_text(record, "refused"), words) == NULL)
        fail_msg("it is not refused because \"%s\"", words);
    json_decref(record);
}

/* trial-x of ctgov/A and ctgov/B, and a conflict of it. */
static void begin_with_conflict(struct loading *loading, const char *conflict) {
    begin(loading);
    expect_ok(load_statement(loading, "sus/ctgov/A"), &loading->error);
    expect_ok(load_statement(loading, "sus/ctgov/B"), &loading->error);
    load_entity(loading, "trial-x", "ctgov/A ctgov/B");
    expect_ok(load_conflict(loading, conflict), &loading->error);
    expect_ok(test_loaded(loading->fold, &loading->error), &loading->error);
}

static void a_choice_of_no_statement_or_of_several_is_refused(void **state) {
    struct loading loading;
    (void)state;
    begin_with_conflict(&loading,
                        CONFLICT("VALUES", "MAJOR", "'trial-x'", "'state': 'OPEN', " VALUES));
    expect_refused(&loading, "c", "CHOOSE", "'statements': ['ctgov/A', 'ctgov/B']",
                   HUB_OUTPUT_CONFLICT, "exactly one statement");
    expect_refused(&loading, "m", "JOIN", "'others': ['ctgov/B']", HUB_OUTPUT_MATCH,
                   "a side names no statement");
    end(&loading);
}

static void a_conflict_whose_entity_is_not_there_cannot_be_decided(void **state) {
    struct loading loading;
    (void)state;
    begin_with_conflict(&loading,
                        CONFLICT("VALUES", "MAJOR", "'trial-gone'",
                                 "'state': 'OPEN', " VALUES ", " DECIDED("DEFER")));
    expect_refused(&loading, "c", "DEFER", "", HUB_OUTPUT_CONFLICT, "its entity is not here");
    end(&loading);
}

static void what_was_decided_by_nobody_is_decided_on_its_values(void **state) {
    struct loading loading;
    (void)state;
    begin_with_conflict(&loading, CONFLICT("VALUES", "MAJOR", "'trial-x'",
                                           "'state': 'RESOLVED', " VALUES));
    json_t *conflict = decide(&loading, "c", "CHOOSE", 1, "'statements': ['ctgov/A']",
                              HUB_OUTPUT_CONFLICT);
    expect_json(conflict, "refused", "null");
    json_decref(conflict);
    end(&loading);
}

/* Of a field that the schema no longer has: the domain's own retention counts. */
static void a_conflict_of_an_unknown_field_is_decided_as_its_domain_is(void **state) {
    struct loading loading;
    (void)state;
    begin_with_conflict(
        &loading,
        "{'conflict_id': 'c', 'domain': 'trial', 'entities': ['trial-x'], 'field': 'gone.part',"
        " 'kind': 'VALUES', 'severity': 'MINOR', 'transition': 'OPENED', 'opened_offset': 0,"
        " 'offset': 0, 'events': 1, 'rules': '', 'core': 1, 'state': 'OPEN', " VALUES "}");
    json_t *conflict = decide(&loading, "c", "CHOOSE", 1, "'statements': ['ctgov/A']",
                              HUB_OUTPUT_CONFLICT);
    expect_json(conflict, "refused", "null");
    json_decref(conflict);
    end(&loading);
}

/* A system that is no more, and a key that never was one. */
static void a_decision_about_unknown_statements_binds_those_that_are_known(void **state) {
    struct loading loading;
    struct hub_outputs outputs;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/A"), &loading.error);
    expect_ok(load_statement(&loading, "sus/ctgov/B"), &loading.error);
    load_entity(&loading, "trial-x", "ctgov/A");
    load_entity(&loading, "trial-y", "ctgov/B");
    expect_ok(load_match(&loading,
                         "{'match_id': 'm', 'domain': 'trial', 'entities': ['trial-x', 'gone'],"
                         " 'state': 'CLOSED', 'evidence': [{'kind': 'TIE', 'detail': 'd',"
                         " 'statements': ['ctgov/A', 'ctgov/B']}], 'opened_offset': 0,"
                         " 'offset': 0, 'events': 1, 'rules': '', 'core': 1,"
                         " 'decision': {'decision_id': 'd', 'kind': 'JOIN', 'state': 'IN_FORCE',"
                         " 'statements': ['unheard-of', 'ctgov/A'],"
                         " 'others': ['nothing', 'ctgov/A', 'ctgov/B'], 'values': [],"
                         " 'reason': 'r', 'decided_by': 'a', 'offset': 0}}"),
              &loading.error);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    fold(&loading, "sus/ctgov/A",
         message(&loading, loading.domain->schema,
                 "{'statement': {'version': '2'}, 'identifiers': [{'scheme': 'nct',"
                 " 'value': 'NCT01000001', 'relation': 'SELF'}]}"),
         &outputs);
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 1);
    json_t *match = decide(&loading, "m", "SEPARATE", 2,
                           "'statements': ['ctgov/A'], 'others': ['ctgov/B']", HUB_OUTPUT_MATCH);
    expect_json(match, "refused", "null");
    expect_json(match, "decision.kind", "'SEPARATE'");
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 2);
    json_decref(match);
    end(&loading);
}

/* --- statements whose retention has ended --- */

/* The founder's entry is gone from the log: the id stays where its oldest other statement is. */
static void an_entity_outlives_its_founders_entry(void **state) {
    struct loading loading;
    struct hub_outputs outputs;
    (void)state;
    begin(&loading);
    expect_ok(load_statement(&loading, "sus/ctgov/B"), &loading.error);
    load_entity(&loading, "trial-x", "ctgov/B");
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    fold(&loading, "sus/ctgov/B",
         message(&loading, loading.domain->schema,
                 "{'statement': {'version': '2'}, 'identifiers': [{'scheme': 'nct',"
                 " 'value': 'NCT01000001', 'relation': 'SELF'}]}"),
         &outputs);
    json_t *entity = last_of(&outputs, HUB_OUTPUT_UNIFIED);
    expect_json(entity, "entity_id", "'trial-x'");
    expect_json(entity, "kind", "'ACTIVE'");
    json_decref(entity);
    fold(&loading, "sus/ctgov/B",
         message(&loading, loading.domain->schema,
                 "{'statement': {'version': '3', 'state': 'WITHDRAWN'}}"),
         &outputs);
    entity = last_of(&outputs, HUB_OUTPUT_UNIFIED);
    expect_json(entity, "kind", "'WITHDRAWN'");
    json_decref(entity);
    end(&loading);
}

/* --- what only some schemas have --- */

static void fold_count(struct loading *loading, const char *key, int count,
                       struct hub_outputs *outputs) {
    const char *json = hub_arena_format(
        &loading->arena,
        "{'statement': {'version': '1'}, 'enrolment': {'count': %d, 'type': 'ACTUAL'},"
        " 'identifiers': [{'scheme': 'nct', 'value': 'NCT01000001', 'relation': 'SELF'}]}", count);
    fold(loading, key, message(loading, loading->domain->schema, json), outputs);
}

static void a_field_that_must_be_traceable_needs_a_second_person(void **state) {
    struct hub_domain domain = *test_domain("trial");
    struct loading loading = {.domain = &domain};
    struct hub_outputs outputs;
    size_t size = domain.contract.count * sizeof *domain.contract.fields;
    struct hub_field_contract *fields = hub_copy_bytes(domain.contract.fields, size);
    (void)state;
    fields[hub_type_field(domain.schema->root, "enrolment")].retention = 'T';
    domain.contract.fields = fields;
    loading.fold = hub_fold_new(test_catalogue(), &domain, &hub_sha256, /* partition= */ 0);
    fold_count(&loading, "sus/ctgov/A", 10, &outputs);
    fold_count(&loading, "sus/ctgov/B", 12, &outputs);
    json_t *conflict = last_of(&outputs, HUB_OUTPUT_CONFLICT);
    const char *id = look_text(conflict, "conflict_id");
    json_t *proposed =
        decide(&loading, id, "CHOOSE", 2, "'statements': ['ctgov/B']", HUB_OUTPUT_CONFLICT);
    expect_json(proposed, "proposal.state", "'PROPOSED'");
    json_decref(proposed);
    fold_count(&loading, "sus/euctr/C", 10, &outputs); /* the rules go on choosing */
    json_t *entity = last_of(&outputs, HUB_OUTPUT_UNIFIED);
    expect_json(entity, "value.enrolment.count", "10");
    json_decref(entity);
    json_decref(conflict);
    end(&loading);
    hub_release(fields);
}

/* Of a match only what is about statements binds any. */
static void a_choice_in_a_match_binds_nothing(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(load_match(&loading,
                         "{'match_id': 'm', 'domain': 'trial', 'entities': ['trial-x', 'gone'],"
                         " 'state': 'CLOSED', 'evidence': [], 'opened_offset': 0,"
                         " 'offset': 0, 'events': 1, 'rules': '', 'core': 1, " DECIDED("CHOOSE")
                         "}"),
              &loading.error);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    end(&loading);
}

static void a_choice_for_an_entity_that_is_no_more_merges_nothing(void **state) {
    struct loading loading;
    (void)state;
    begin(&loading);
    expect_ok(test_load(loading.fold, HUB_FOLD_UNIFIED, unified(&loading, "WITHDRAWN", NULL, NULL, 1),
                                    &loading.error),
              &loading.error);
    expect_ok(load_conflict(&loading, CONFLICT("VALUES", "MAJOR", "'trial-x'",
                                               "'state': 'RESOLVED', " VALUES)),
              &loading.error);
    expect_ok(test_loaded(loading.fold, &loading.error), &loading.error);
    json_t *conflict =
        decide(&loading, "c", "CHOOSE", 1, "'statements': ['ctgov/A']", HUB_OUTPUT_CONFLICT);
    expect_json(conflict, "state", "'RESOLVED'");
    json_decref(conflict);
    assert_int_equal(hub_fold_gauges(loading.fold).entities, 0);
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
        cmocka_unit_test(of_the_records_of_an_entity_the_last_counts),
        cmocka_unit_test(a_kind_that_is_not_known_is_refused),
        cmocka_unit_test(a_match_that_is_no_pair_is_refused),
        cmocka_unit_test(a_newer_cores_shard_is_refused),
        cmocka_unit_test(a_shard_of_other_rules_is_refused),
        cmocka_unit_test(records_that_cannot_be_read_are_refused),
        cmocka_unit_test(late_entries_are_no_part_of_the_state),
        cmocka_unit_test(what_no_fold_would_write_of_an_entity_is_refused),
        cmocka_unit_test(a_statement_of_an_entity_that_went_later_is_a_contradiction),
        cmocka_unit_test(a_statement_of_two_entities_is_a_contradiction),
        cmocka_unit_test(an_entry_that_admit_could_not_have_written_is_refused),
        cmocka_unit_test(what_no_fold_would_write_of_a_conflict_is_refused),
        cmocka_unit_test(evidence_of_an_unknown_kind_is_refused),
        cmocka_unit_test(a_conflict_of_an_entity_that_is_not_there_ends_with_the_other),
        cmocka_unit_test(a_match_with_an_entity_that_is_not_there_stays_open_while_its_evidence_stands),
        cmocka_unit_test(a_resemblance_that_a_match_already_tells_is_not_told_again),
        cmocka_unit_test(an_entity_whose_founder_is_in_another_one_gives_up_its_id),
        cmocka_unit_test(a_record_that_comes_again_replaces_the_one_before),
        cmocka_unit_test(a_choice_of_no_statement_or_of_several_is_refused),
        cmocka_unit_test(a_conflict_whose_entity_is_not_there_cannot_be_decided),
        cmocka_unit_test(what_was_decided_by_nobody_is_decided_on_its_values),
        cmocka_unit_test(a_conflict_of_an_unknown_field_is_decided_as_its_domain_is),
        cmocka_unit_test(a_decision_about_unknown_statements_binds_those_that_are_known),
        cmocka_unit_test(an_entity_outlives_its_founders_entry),
        cmocka_unit_test(a_field_that_must_be_traceable_needs_a_second_person),
        cmocka_unit_test(a_choice_in_a_match_binds_nothing),
        cmocka_unit_test(a_choice_for_an_entity_that_is_no_more_merges_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
