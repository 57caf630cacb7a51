/* fold_wake: what sleeps, in memory or in a store, is found when somebody comes near it. */
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"
#include "tests/lib/ruling.h"
#include "tests/lib/schema.h"
#include "tests/lib/shard.h"

#include <string.h>

#define NUMBER(value) "'identifiers': [{'scheme': 'nct', 'value': '" value "', 'relation': 'SELF'}]"
#define TRIAL(version, value) "{'statement': {'version': '" version "'}, " NUMBER(value) "}"
#define ONE "NCT01000001"
#define TWO "NCT01000002"
#define WITHDRAWN(version) "{'statement': {'version': '" version "', 'state': 'WITHDRAWN'}}"

static json_t *shown(struct shard *shard, const char *id) {
    HUB_SCOPED_BUFFER json = {0};
    if (hub_fold_render_entity(shard->fold, id, &json) == NULL)
        return NULL;
    return json_loads(hub_buffer_text(&json), 0, NULL);
}

/* A trial of two statements, and another one. */
static const char *begin_with_two(struct shard *shard) {
    shard_begin(shard, "trial");
    shard_say(shard, "sus/ctgov/A", TRIAL("1", ONE));
    shard_say(shard, "sus/euctr/B", TRIAL("1", ONE));
    shard_say(shard, "sus/ctgov/C", TRIAL("1", TWO));
    return shard_id(shard, "nct:" ONE);
}

/* --- from memory and from a store alike --- */

static void who_asks_after_a_restart_is_told_before_any_entry(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        const char *id = begin_with_two(&shard);
        shard_reload(&shard, stored);
        assert_string_equal(shard_id(&shard, "nct:" ONE), id);
        assert_null(shard_id(&shard, "nct:NCT09999999"));
        shard_reload(&shard, stored);
        json_t *entity = shown(&shard, id);
        expect_json(entity, "statements", "['ctgov/A', 'euctr/B']");
        expect_json(entity, "kind", "'ACTIVE'");
        assert_null(shown(&shard, "trial-unknown"));
        expect_ok(hub_fold_failure(shard.fold, &shard.error), &shard.error);
        json_decref(entity);
        shard_end(&shard);
    }
}

static void a_statement_joins_what_sleeps(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        const char *id = begin_with_two(&shard);
        shard_reload(&shard, stored);
        shard_say(&shard, "sus/isrctn/D", TRIAL("1", ONE));
        json_t *entity = shown(&shard, id);
        expect_json(entity, "statements", "['ctgov/A', 'euctr/B', 'isrctn/D']");
        json_decref(entity);
        shard_end(&shard);
    }
}

static size_t asked_for(struct shard *shard, const char *key, const char *statement) {
    size_t steps = 1000;
    shard->store->steps = &steps;
    shard_say(shard, key, statement);
    shard->store->steps = NULL;
    return (1000 - steps) / 2; /* a store that was asked takes two */
}

/* Of its key, and of the id that it founds: no number that anybody has is the same, or a slip away. */
static void a_number_that_nobody_has_is_not_asked_for(void **state) {
    struct shard shard;
    (void)state;
    begin_with_two(&shard);
    shard_reload(&shard, true);
    assert_int_equal(asked_for(&shard, "sus/isrctn/E", TRIAL("1", "NCT99888777")), 2);
    assert_int_equal(asked_for(&shard, "sus/isrctn/F", TRIAL("1", "NCT99888777")), 2);
    assert_true(asked_for(&shard, "sus/isrctn/D", TRIAL("1", ONE)) > 3);
    shard_end(&shard);
}

static void everything_is_counted_when_everything_is_awake(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        begin_with_two(&shard);
        shard_reload(&shard, stored);
        assert_int_equal(hub_fold_gauges(shard.fold).entities, 0);
        for (int again = 0; again < 2; again++) {
            expect_ok(hub_fold_wake_all(shard.fold, &shard.error), &shard.error);
            assert_int_equal(hub_fold_gauges(shard.fold).entities, 2);
            assert_int_equal(hub_fold_gauges(shard.fold).statements, 3);
        }
        shard_end(&shard);
    }
}

static void of_the_matches_those_that_are_open_are_counted(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "trial");
    for (int i = 0; i < 3; i++) {
        const char *key = hub_arena_format(&shard.arena, "m%d", i);
        const char *json = hub_arena_format(
            &shard.arena,
            "{'match_id': '%s', 'domain': 'trial', 'entities': ['a', 'b%d'], 'state': '%s',"
            " 'evidence': [], 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '',"
            " 'core': 1}", key, i, i == 1 ? "CLOSED" : "OPEN");
        shard_add(&shard, HUB_FOLD_MATCH, key,
                  shard_message(&shard, hub_catalogue_latest(test_catalogue(), "match"), json),
                  hub_bytes(NULL, 0));
    }
    shard_reload(&shard, false);
    expect_ok(hub_fold_wake_all(shard.fold, &shard.error), &shard.error);
    assert_int_equal(hub_fold_gauges(shard.fold).matches_open, 2);
    shard_end(&shard);
}

static void what_is_loaded_counts_and_not_what_the_store_has_of_it(void **state) {
    struct shard shard;
    (void)state;
    const char *id = begin_with_two(&shard);
    size_t older = shard.count;
    shard_say(&shard, "sus/euctr/B", TRIAL("2", TWO));
    for (size_t i = 0; i < older; i++)
        shard.records[i].stored = true;
    expect_ok(shard_load(&shard), &shard.error);
    json_t *entity = shown(&shard, id);
    expect_json(entity, "statements", "['ctgov/A']");
    expect_json(entity, "revision", "3");
    json_decref(entity);
    expect_ok(hub_fold_wake_all(shard.fold, &shard.error), &shard.error);
    assert_int_equal(hub_fold_gauges(shard.fold).entities, 2);
    assert_int_equal(hub_fold_gauges(shard.fold).statements, 3);
    shard_end(&shard);
}

/* The hook that is asked for leads to the older record alone. */
static void a_hook_that_a_record_no_longer_has_does_not_lead_to_what_it_was(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "trial");
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    const char *id = shard_id(&shard, "nct:" ONE);
    size_t older = shard.count;
    shard_say(&shard, "sus/ctgov/A", TRIAL("2", TWO));
    for (size_t i = 0; i < older; i++)
        shard.records[i].stored = true;
    expect_ok(shard_load(&shard), &shard.error);
    assert_null(shard_id(&shard, "nct:" ONE));
    json_t *entity = shown(&shard, id);
    expect_json(entity, "revision", "2");
    expect_json(entity, "value.identifiers.0.value", "'" TWO "'");
    assert_string_equal(shard_id(&shard, "nct:" TWO), id);
    json_decref(entity);
    shard_end(&shard);
}

static void rules_that_are_in_the_store_are_in_force(void **state) {
    struct ruling ruling;
    struct shard shard;
    (void)state;
    shard_begin(&shard, "trial");
    ruling_begin(&ruling, "trial");
    ruling_edit(&ruling, &ruling.texts.schema, "'hub:conflict': 'minor'",
                "'hub:conflict': 'critical'");
    ruling_replace(&ruling, NULL);
    shard_tell(&shard, "rules/first", ruling_message(&ruling));
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    assert_string_equal(hub_fold_rules(shard.fold), ruling_hash(&ruling));
    shard_reload(&shard, true);
    assert_string_equal(hub_fold_rules(shard.fold), ruling_hash(&ruling));
    expect_ok(hub_fold_wake_all(shard.fold, &shard.error), &shard.error);
    assert_string_equal(hub_fold_rules(shard.fold), ruling_hash(&ruling));
    assert_int_equal(hub_fold_gauges(shard.fold).entities, 1);
    ruling_end(&ruling);
    shard_end(&shard);
}

#define SLOT(version)                                                                              \
    "{'statement': {'version': '" version "'}, 'facility': 'ror:05xvt9f17', 'links': [{'domain':"  \
    " 'trial', 'role': 'trial', 'identifier': {'scheme': 'nct', 'value': '" ONE "',"               \
    " 'relation': 'SELF'}}]}"

static void a_fact_that_is_awake_is_not_read_again(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "gmp-slot");
    shard_tell(&shard, "ref/trial/nct:" ONE,
               shard_message(&shard, hub_catalogue_latest(test_catalogue(), "fact"),
                             "{'domain': 'trial', 'identifier': 'nct:" ONE "', 'entities': []}"));
    shard_say(&shard, "lumc/lumc-mes/S", SLOT("1"));
    size_t conflicts = 0;
    for (size_t i = 0; i < shard.count; i++)
        conflicts += shard.records[i].topic == HUB_FOLD_CONFLICT;
    assert_int_equal(conflicts, 1); /* nobody knows the trial */
    for (int stored = 0; stored < 2; stored++) {
        shard_reload(&shard, stored);
        shard_say(&shard, "lumc/lumc-mes/S", stored ? SLOT("3") : SLOT("2"));
        expect_ok(hub_fold_wake_all(shard.fold, &shard.error), &shard.error);
        assert_int_equal(hub_fold_gauges(shard.fold).conflicts_open, 1);
    }
    shard_end(&shard);
}

/* --- what shows only then --- */

/* Its hooks do not say that it lists the statement, as no fold would write them. */
static void an_entity_that_lists_what_is_awake_and_not_its_own_is_a_contradiction(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "trial");
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    const char *id = shard_id(&shard, "nct:" ONE);
    struct shard_record *unified = shard_record(&shard, HUB_FOLD_UNIFIED, id);
    char header[HUB_RULES_HASH_SIZE + 2] = {0};
    memcpy(header, hub_fold_rules(shard.fold), HUB_RULES_HASH_SIZE);
    shard_set_hooks(&shard, unified, hub_bytes(header, sizeof header));
    shard_add(&shard, HUB_FOLD_LOG, "sus/ctgov/A",
              shard_message(&shard, shard.domain->schema, WITHDRAWN("2")), hub_bytes(NULL, 0));
    expect_ok(shard_load(&shard), &shard.error);
    assert_int_equal(shard_say(&shard, "sus/ctgov/A", WITHDRAWN("3")), 0);
    assert_null(shown(&shard, "trial-unknown"));
    json_decref(shown(&shard, id));
    expect_refusal(hub_fold_failure(shard.fold, &shard.error), HUB_FATAL, &shard.error,
                   "unified.trial/0", "contradict");
    shard_end(&shard);
}

static void an_entity_of_what_is_no_statement_is_refused(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "trial");
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    const char *id = shard_id(&shard, "nct:" ONE);
    struct shard_record *unified = shard_record(&shard, HUB_FOLD_UNIFIED, id);
    struct hub_bytes value = unified->input.value;
    char *changed = hub_arena_text(&shard.arena, (const char *)value.data, value.size);
    for (char *at = changed; (at = memmem(at, value.size - (size_t)(at - changed), "ctgov/A", 7));)
        memcpy(at, "ctgov.A", 7);
    unified->input.value = hub_bytes(changed, value.size);
    expect_ok(shard_load(&shard), &shard.error);
    expect_refusal(hub_fold_wake_all(shard.fold, &shard.error), HUB_FATAL, &shard.error,
                   "unified.trial/0", "lists what is no statement");
    shard_end(&shard);
}

static void a_record_whose_hooks_are_whole_may_be_damaged_itself(void **state) {
    struct shard shard;
    (void)state;
    const char *id = begin_with_two(&shard);
    shard_record(&shard, HUB_FOLD_UNIFIED, id)->input.value = hub_bytes_of_text("damaged");
    expect_ok(shard_load(&shard), &shard.error);
    assert_int_equal(shard_try(&shard, "sus/isrctn/D",
                               shard_message(&shard, shard.domain->schema, TRIAL("1", ONE))),
                     HUB_FATAL);
    expect_refusal(hub_fold_failure(shard.fold, &shard.error), HUB_FATAL, &shard.error,
                   "unified.trial/0: damaged", "");
    shard_end(&shard);
}

static void an_entry_whose_entity_has_its_hooks_may_be_damaged_itself(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        begin_with_two(&shard);
        shard_record(&shard, HUB_FOLD_LOG, "sus/euctr/B")->input.value =
            hub_bytes_of_text("damaged");
        shard_reload(&shard, stored);
        assert_non_null(shard_id(&shard, "nct:NCT01000002"));
        expect_ok(hub_fold_failure(shard.fold, &shard.error), &shard.error);
        assert_int_equal(shard_try(&shard, "sus/isrctn/D",
                                   shard_message(&shard, shard.domain->schema, TRIAL("1", ONE))),
                         HUB_FATAL);
        assert_non_null(strstr(shard.error.text, "log.trial/0@1"));
        shard_end(&shard);
    }
}

static void a_damaged_match_in_the_store_is_refused_when_it_is_found(void **state) {
    struct shard shard;
    (void)state;
    const char *id = begin_with_two(&shard);
    shard_reload(&shard, true);
    struct hub_input match = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text("m"),
                              .value = hub_bytes_of_text("damaged")};
    struct hub_hook hook = {hub_fold_own_hook(HUB_FOLD_UNIFIED, hub_bytes_of_text(id)), false, 0};
    hub_shelf_put(shard.store->shelves[HUB_FOLD_MATCH], &match, &hook, 1);
    assert_null(shard_id(&shard, "nct:NCT09999999"));
    expect_ok(hub_fold_failure(shard.fold, &shard.error), &shard.error);
    shard_id(&shard, "nct:" ONE);
    expect_refusal(hub_fold_failure(shard.fold, &shard.error), HUB_FATAL, &shard.error,
                   "match.trial/0: damaged", "");
    shard_end(&shard);
}

/* --- a store that fails --- */

static void a_store_that_fails_at_once_is_no_store(void **state) {
    struct shard shard;
    size_t steps = 0;
    (void)state;
    begin_with_two(&shard);
    shard_reload(&shard, true);
    shard.store->steps = &steps;
    expect_refusal(shard_load(&shard), HUB_RETRY, &shard.error, "the store gives up", "");
    shard_end(&shard);
}

static void what_a_store_fails_at_counts_for_nothing_and_is_told_to_whoever_asks(void **state) {
    struct shard shard;
    size_t steps = 4; /* of hub_fold_loaded two */
    struct hub_hooks hooks = {0};
    (void)state;
    const char *id = begin_with_two(&shard);
    struct hub_bytes message = shard_message(&shard, shard.domain->schema, TRIAL("1", ONE));
    shard_reload(&shard, true);
    shard.store->steps = &steps;
    expect_ok(shard_load(&shard), &shard.error);
    assert_int_equal(shard_try(&shard, "sus/isrctn/D", message), HUB_RETRY);
    struct hub_fold_counts before = *hub_fold_counts(shard.fold);
    steps = 1000;
    assert_int_equal(shard_try(&shard, "sus/isrctn/D", message), HUB_RETRY);
    expect_refusal(hub_fold_failure(shard.fold, &shard.error), HUB_RETRY, &shard.error,
                   "the store gives up", "");
    expect_refusal(hub_fold_wake_all(shard.fold, &shard.error), HUB_RETRY, &shard.error,
                   "the store gives up", "");
    expect_refusal(hub_fold_hooks_of_entity(shard.fold, hub_bytes_of_text(id), &hooks,
                                            &shard.error),
                   HUB_RETRY, &shard.error, "the store gives up", "");
    assert_int_equal(steps, 1000);
    assert_memory_equal(hub_fold_counts(shard.fold), &before, sizeof before);
    hub_hooks_free(&hooks);
    shard_end(&shard);
}

static void add_separation(struct shard *shard, const char *id, const char *one,
                           const char *other) {
    const char *json = hub_arena_format(
        &shard->arena,
        "{'match_id': '%s', 'domain': 'trial', 'entities': ['%s', '%s'], 'state': 'CLOSED',"
        " 'evidence': [], 'opened_offset': 0, 'offset': 0, 'events': 1, 'rules': '', 'core': 1,"
        " 'decision': {'decision_id': 'd', 'kind': 'SEPARATE', 'state': 'IN_FORCE',"
        " 'statements': ['%s'], 'others': ['%s'], 'values': [], 'reason': 'r',"
        " 'decided_by': 'a', 'offset': 0}}",
        id, shard_id(shard, "nct:" ONE), shard_id(shard, "nct:" TWO), one, other);
    shard_add(shard, HUB_FOLD_MATCH, id,
              shard_message(shard, hub_catalogue_latest(test_catalogue(), "match"), json),
              hub_bytes(NULL, 0));
}

/* Decisions tie what is half awake to the rest; the store fails a step later each time. */
static void what_is_half_awake_when_the_store_fails_is_not_there(void **state) {
    struct shard shard;
    size_t failures = 0;
    (void)state;
    shard_begin(&shard, "trial");
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    shard_say(&shard, "sus/euctr/B", TRIAL("1", TWO));
    shard_say(&shard, "sus/isrctn/C", TRIAL("1", "NCT01000303"));
    add_separation(&shard, "m1", "ctgov/A", "euctr/B");
    add_separation(&shard, "m2", "euctr/B", "isrctn/C");
    const char *id = shard_id(&shard, "nct:" ONE);
    struct hub_bytes message = shard_message(&shard, shard.domain->schema, TRIAL("1", ONE));
    for (bool failed = true; failed; failures += failed) {
        size_t steps = failures;
        if (shard.store != NULL)
            shard.store->steps = NULL;
        shard_reload(&shard, true);
        shard.store->steps = &steps;
        failed = shard_try(&shard, "sus/euctr/D", message) != HUB_OK;
        json_t *entity = shown(&shard, id); /* whole, or not there */
        if (entity != NULL)
            assert_true(look_has(entity, "statements", "ctgov/A"));
        if (!failed)
            expect_json(entity, "statements", "['ctgov/A', 'euctr/D']");
        assert_int_equal(hub_fold_failure(shard.fold, &shard.error), failed ? HUB_RETRY : HUB_OK);
        json_decref(entity);
    }
    assert_true(failures > 10);
    shard_end(&shard);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_after_a_restart_is_told_before_any_entry),
        cmocka_unit_test(a_statement_joins_what_sleeps),
        cmocka_unit_test(a_number_that_nobody_has_is_not_asked_for),
        cmocka_unit_test(everything_is_counted_when_everything_is_awake),
        cmocka_unit_test(of_the_matches_those_that_are_open_are_counted),
        cmocka_unit_test(what_is_loaded_counts_and_not_what_the_store_has_of_it),
        cmocka_unit_test(a_hook_that_a_record_no_longer_has_does_not_lead_to_what_it_was),
        cmocka_unit_test(rules_that_are_in_the_store_are_in_force),
        cmocka_unit_test(a_fact_that_is_awake_is_not_read_again),
        cmocka_unit_test(an_entity_that_lists_what_is_awake_and_not_its_own_is_a_contradiction),
        cmocka_unit_test(an_entity_of_what_is_no_statement_is_refused),
        cmocka_unit_test(a_record_whose_hooks_are_whole_may_be_damaged_itself),
        cmocka_unit_test(an_entry_whose_entity_has_its_hooks_may_be_damaged_itself),
        cmocka_unit_test(a_damaged_match_in_the_store_is_refused_when_it_is_found),
        cmocka_unit_test(a_store_that_fails_at_once_is_no_store),
        cmocka_unit_test(what_a_store_fails_at_counts_for_nothing_and_is_told_to_whoever_asks),
        cmocka_unit_test(what_is_half_awake_when_the_store_fails_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
