/* fold with a store, property: wherever the store fails, nothing of it counts, and a fold that is loaded
 * again goes on as if nothing had been. */
#include "hub/engine/topics.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/script.h"
#include "tests/lib/world.h"

#include <stdio.h>
#include <string.h>

struct telling {
    struct script script;
    struct ruling own, other; /* the other ones are put in force halfway */
    struct hub_bytes fact;
    uint64_t seed;
};

static void begin(struct telling *telling, void (*make)(struct script *script, uint64_t seed),
                  uint64_t seed) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "fact");
    struct test_random random = {seed};
    HUB_SCOPED_BUFFER message = {0};
    *telling = (struct telling){.script.trials = 3, .seed = seed};
    make(&telling->script, seed);
    ruling_begin(&telling->own, telling->script.domain);
    ruling_begin(&telling->other, telling->script.domain);
    ruling_edit_some(&telling->other, &random);
    ruling_replace(&telling->other, ruling_hash(&telling->own));
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message,
                            test_value(schema->root,
                                       "{'domain': 'trial', 'identifier': 'i', 'entities': []}",
                                       &telling->script.arena));
    telling->fact = hub_bytes(hub_arena_text(&telling->script.arena, (const char *)message.data,
                                             message.size),
                              message.size);
}

static void end(struct telling *telling) {
    script_free(&telling->script);
    ruling_end(&telling->own);
    ruling_end(&telling->other);
}

static void fold_all(struct world *world, struct test_random *random) {
    (void)random;
    while (world_fold(world))
        continue;
}

static void expect_failure(enum hub_status status, const struct hub_error *error) {
    expect_refusal(status, HUB_RETRY, error, "the store gives up", "");
}

/* Whatever is asked of a fold that failed, it says so. */
static void expect_no_more_of(struct hub_fold *fold) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_hooks hooks = {0};
    struct hub_error error;
    struct hub_input late = {.has_key = true, .key = hub_bytes_of_text("late/sus/ctgov/A")};
    struct hub_fold_counts before = *hub_fold_counts(fold);
    if (hub_fold_failure(fold, &error) == HUB_OK) /* it was another shard's */
        return;
    expect_failure(hub_fold_failure(fold, &error), &error);
    expect_failure(hub_fold_wake_all(fold, &error), &error);
    expect_failure(hub_fold_hooks_of_entity(fold, hub_bytes_of_text("x"), &hooks, &error), &error);
    expect_failure(hub_fold_entry(fold, &late, &outputs, &error), &error);
    assert_int_equal(outputs.count, 0);
    assert_memory_equal(hub_fold_counts(fold), &before, sizeof before);
    hub_hooks_free(&hooks);
    hub_arena_destroy(&arena);
}

/* Each entry is tried again and again, and the store goes on a little longer each time. */
static void fold_all_with_failures(struct world *world, struct test_random *random) {
    for (bool folded = true; folded;) {
        size_t steps = 0;
        while (world_try(world, steps, &folded) != HUB_OK) {
            for (int32_t i = 0; i < HUB_SHARDS && world_shard(world, i) != NULL; i++)
                expect_no_more_of(world_shard(world, i));
            steps += 1 + test_random_below(random, 1 + steps / 4);
        }
    }
}

static uint64_t trace_of(struct telling *telling,
                         void (*fold)(struct world *world, struct test_random *random)) {
    const struct script *script = &telling->script;
    struct test_random random = {telling->seed};
    struct world *world = world_new(script->domain);
    int32_t shards = hub_topics_shard_count(test_domain(script->domain));
    world_keep_no_json(world);
    world_use_stores(world);
    world_name_rules(world, &telling->own);
    for (size_t i = 0; i < script->count; i++) {
        world_admit_bytes(world, script->lines[i].institution, script->lines[i].key,
                          script->lines[i].message, NULL, 0);
        if (i % 4 == 1)
            world_append_log(world, (int32_t)i % shards, "ref/trial/nct:NCT00000001",
                             telling->fact);
        for (int32_t shard = 0; i == script->count / 2 && shard < shards; shard++) {
            world_append_log(world, shard, HUB_RULES_PREFIX, ruling_message(&telling->other));
            world_append_log(world, shard, HUB_REMERGE_PREFIX, hub_bytes("", 0)); /* of all ids */
        }
        fold(world, &random);
    }
    assert_string_equal(world_rules(world), ruling_hash(&telling->other));
    uint64_t trace = world_trace(world);
    world_free(world);
    return trace;
}

static void expect_equal(void (*make)(struct script *script, uint64_t seed)) {
    for (uint64_t seed = 0; seed < test_cases(20); seed++) {
        struct telling telling;
        begin(&telling, make, test_seed(seed));
        if (trace_of(&telling, fold_all_with_failures) != trace_of(&telling, fold_all))
            fail_msg("HUB_TEST_SEED=%llu", (unsigned long long)test_seed(seed));
        end(&telling);
    }
}

static void trials_go_on_wherever_the_store_fails(void **state) {
    (void)state;
    expect_equal(script_make_trials);
}

static void slots_go_on_wherever_the_store_fails(void **state) {
    (void)state;
    expect_equal(script_make_slots);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_go_on_wherever_the_store_fails),
        cmocka_unit_test(slots_go_on_wherever_the_store_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
