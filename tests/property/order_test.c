/* The fold's result depends on what was said, not on the order in which it was heard, how often,
 * or how often the hub was restarted meanwhile.
 *
 * Each case is made from its seed alone: some source records of several systems, some versions of
 * each, numbers from a small pool so that they join, clash and tie. HUB_TEST_SEED=N runs one. */
#include "tests/lib/cmocka.h"
#include "tests/lib/script.h"
#include "tests/lib/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ORDERS_OF_TRIALS = 8000,
    ORDERS_OF_SLOTS = 2200,
    DISTURBED_TRIALS = 600,
    DISTURBED_SLOTS = 250,
    RULED_TRIALS = 150,
    RULED_SLOTS = 60,
};

/* --- what is compared --- */

/* By shard and key: an entity that moved to another shard has a record in both. */
static void keep_last(void *context, int32_t partition, const char *key, struct hub_bytes value) {
    char name[256];
    snprintf(name, sizeof name, "%d %s", partition, key);
    json_object_set_new(context, name, json_stringn_nocheck((const char *)value.data, value.size));
}

static json_t *render_last(struct world *world, enum hub_output_kind kind) {
    json_t *raw = json_object(), *rendered = json_object(), *value;
    const char *key;
    world_each(world, kind, keep_last, raw);
    json_object_foreach(raw, key, value) {
        struct hub_bytes message = hub_bytes(json_string_value(value), json_string_length(value));
        json_object_set_new(rendered, key, message.size == 0 ? json_null() : test_render(message));
    }
    json_decref(raw);
    return rendered;
}

static bool is(const json_t *record, const char *name, const char *wanted) {
    const char *text = json_string_value(json_object_get(record, name));
    return text != NULL && strcmp(text, wanted) == 0;
}

/* The entity of an id in the shard that `key` is of. */
static const json_t *entity_beside(const json_t *entities, const char *key, const char *id) {
    char name[256];
    snprintf(name, sizeof name, "%.*s %s", (int)strcspn(key, " "), key, id);
    const json_t *entity = json_object_get(entities, name);
    assert_non_null(entity);
    return entity;
}

static json_t *member_keys(const json_t *entity) {
    json_t *keys = json_array(), *statement;
    size_t i;
    json_array_foreach(json_object_get(entity, "statements"), i, statement) {
        json_array_append(keys, json_object_get(statement, "key"));
    }
    return keys;
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Open conflicts of an entity, sorted and without its id. Steps of a life cycle depend on what a
 * statement replaced, and so on the order: they are left out. */
static json_t *own_conflicts(const json_t *conflicts, const char *shard_and_id) {
    const char *id = strchr(shard_and_id, ' ') + 1;
    size_t shard_size = (size_t)(id - shard_and_id);
    json_t *list = json_array(), *conflict, *party;
    const char *key;
    char *lines[64];
    size_t i, count = 0;
    json_object_foreach((json_t *)conflicts, key, conflict) {
        bool own = false, here = strncmp(key, shard_and_id, shard_size) == 0;
        json_array_foreach(json_object_get(conflict, "entities"), i, party) {
            own |= here && strcmp(json_string_value(party), id) == 0;
        }
        if (!own || !is(conflict, "state", "OPEN") || is(conflict, "kind", "STEP"))
            continue;
        json_t *line = json_pack("[O, O, O?]", json_object_get(conflict, "field"),
                                 json_object_get(conflict, "owners"),
                                 is(conflict, "kind", "OVERLAP")
                                     ? NULL /* its values name entities */
                                     : json_object_get(conflict, "values"));
        lines[count++] = json_dumps(line, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(line);
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    for (i = 0; i < count; i++) {
        json_array_append_new(list, json_loads(lines[i], 0, NULL));
        free(lines[i]);
    }
    return list;
}

/* The statements of both entities, and why they may be one. Whose statement stands for an entity in
 * a resemblance depends on which was first. */
static json_t *summarise_match(const json_t *entities, const char *key, const json_t *match) {
    json_t *sides = json_array(), *reasons = json_array(), *party, *evidence;
    size_t i;
    json_array_foreach(json_object_get(match, "entities"), i, party) {
        json_array_append_new(
            sides, member_keys(entity_beside(entities, key, json_string_value(party))));
    }
    char *first = json_dumps(json_array_get(sides, 0), 0);
    char *second = json_dumps(json_array_get(sides, 1), 0);
    if (strcmp(first, second) > 0)
        json_array_append(sides, json_array_get(sides, 0)), json_array_remove(sides, 0);
    free(first);
    free(second);
    json_array_foreach(json_object_get(match, "evidence"), i, evidence) {
        json_array_append_new(reasons, json_pack("[O, O, O?]", json_object_get(evidence, "kind"),
                                                 json_object_get(evidence, "detail"),
                                                 is(evidence, "kind", "RESEMBLANCE")
                                                     ? NULL
                                                     : json_object_get(evidence, "statements")));
    }
    return json_pack("{s:o, s:o}", "sides", sides, "reasons", reasons);
}

/* An identifier, and the statements of each entity that it is listed for. */
static json_t *summarise_listing(const json_t *entities, const char *key,
                                 const json_t *listing) {
    json_t *line = json_array(), *sides = json_array(), *id;
    char *texts[64];
    size_t i, count = 0;
    json_array_foreach(json_object_get(listing, "entities"), i, id) {
        json_t *keys = member_keys(entity_beside(entities, key, json_string_value(id)));
        texts[count++] = json_dumps(keys, 0);
        json_decref(keys);
    }
    qsort(texts, count, sizeof *texts, compare_lines);
    for (i = 0; i < count; i++) {
        json_array_append_new(sides, json_string(texts[i]));
        free(texts[i]);
    }
    json_array_append(line, json_object_get(listing, "identifier"));
    json_array_append_new(line, sides);
    return line;
}

/* Clusters, values, sources, conflicts, possible matches and listed identifiers as text, ids aside.
 * The caller frees it. */
static char *summarise(struct world *world) {
    json_t *entities = render_last(world, HUB_OUTPUT_UNIFIED);
    json_t *conflicts = render_last(world, HUB_OUTPUT_CONFLICT);
    json_t *matches = render_last(world, HUB_OUTPUT_MATCH);
    json_t *listings = render_last(world, HUB_OUTPUT_IDENTIFIER);
    json_t *entity, *match, *listing;
    const char *id;
    char *lines[256];
    size_t count = 0;
    json_object_foreach(entities, id, entity) {
        if (!is(entity, "kind", "ACTIVE"))
            continue;
        json_t *line = json_pack("{s:o, s:O, s:O, s:o}", "members", member_keys(entity), "value",
                                 json_object_get(entity, "value"), "sources",
                                 json_object_get(entity, "sources"), "conflicts",
                                 own_conflicts(conflicts, id));
        lines[count++] = json_dumps(line, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(line);
    }
    json_object_foreach(matches, id, match) {
        if (!is(match, "state", "OPEN"))
            continue;
        json_t *line = summarise_match(entities, id, match);
        lines[count++] = json_dumps(line, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(line);
    }
    json_object_foreach(listings, id, listing) {
        if (json_is_null(listing))
            continue;
        json_t *line = summarise_listing(entities, id, listing);
        lines[count++] = json_dumps(line, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(line);
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    struct hub_buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        hub_buffer_append_format(&text, "%s\n", lines[i]);
        free(lines[i]);
    }
    json_decref(entities);
    json_decref(conflicts);
    json_decref(matches);
    json_decref(listings);
    char *copy = hub_copy_text(hub_buffer_text(&text));
    hub_buffer_free(&text);
    return copy;
}

/* --- running a script --- */

/* `disturb` says when to restart, to compact and to let the log run ahead; NULL: never. */
static struct world *play(const struct script *script, const size_t *order, size_t count,
                          struct test_random *disturb) {
    struct world *world = world_new(script->domain);
    world_keep_no_json(world);
    for (size_t i = 0; i < count; i++) {
        const struct script_line *line = &script->lines[order[i]];
        world_admit_bytes(world, line->institution, line->key, line->message, NULL, 0);
        if (disturb == NULL) {
            while (world_fold(world))
                continue;
            continue;
        }
        /* The log may run ahead of the fold; whatever was not folded waits for the restart. */
        while (test_random_below(disturb, 3) > 0 && world_fold(world))
            continue;
        if (test_random_below(disturb, 4) == 0)
            world_compact(world);
        if (test_random_below(disturb, 4) == 0)
            world_restart(world);
    }
    while (world_fold(world))
        continue;
    return world;
}

static size_t *in_order(size_t count) {
    size_t *order = hub_allocate((count + 1) * sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    return order;
}

/* Every line at least once, some twice, in any order. */
static size_t *shuffled(struct test_random *random, size_t count, size_t *ret_count) {
    size_t *order = hub_allocate((2 * count + 1) * sizeof *order);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t times = 1 + (test_random_below(random, 3) == 0); times > 0; times--)
            order[(*ret_count)++] = i;
    for (size_t i = *ret_count; i > 1; i--) {
        size_t k = test_random_below(random, i), kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
    return order;
}

static void fail_with(uint64_t seed, const char *what, const char *a, const char *b) {
    fprintf(stderr, "%s\n--- one\n%s--- other\n%s", what, a, b);
    fail_msg("seed %llu; HUB_TEST_SEED=%llu tests/run property/order_test.c runs it again",
             (unsigned long long)seed, (unsigned long long)seed);
}

static void check_order(const struct script *script, uint64_t seed) {
    struct test_random random = {seed ^ 0x5f5f};
    size_t count = 0;
    size_t *first = in_order(script->count), *other = shuffled(&random, script->count, &count);
    struct world *a = play(script, first, script->count, NULL);
    struct world *b = play(script, other, count, NULL);
    char *one = summarise(a), *two = summarise(b);
    if (strcmp(one, two) != 0)
        fail_with(seed, "the order changes the result", one, two);
    hub_release(one);
    hub_release(two);
    hub_release(first);
    hub_release(other);
    world_free(a);
    world_free(b);
}

static void check_disturbance(const struct script *script, uint64_t seed) {
    struct test_random random = {seed ^ 0xa0a0};
    size_t *order = in_order(script->count);
    struct world *calm = play(script, order, script->count, NULL);
    struct world *shaken = play(script, order, script->count, &random);
    char *one = summarise(calm), *two = summarise(shaken);
    if (strcmp(one, two) != 0)
        fail_with(seed, "a restart or a compaction changes the result", one, two);
    if (world_trace(calm) != world_trace(shaken))
        fail_with(seed, "a restart or a compaction changes what was published", one, two);
    hub_release(one);
    hub_release(two);
    hub_release(order);
    world_free(calm);
    world_free(shaken);
}

/* --- other rules --- */

/* Says the lines; before line `at` other rules are put in force, and everything is merged again
 * while the rest is said, the hub restarts and the topics are compacted (NULL: nothing of that). */
static struct world *play_ruled(const struct script *script, struct ruling *own,
                                struct ruling *other, size_t at, struct test_random *random) {
    struct world *world = world_new(script->domain);
    world_keep_no_json(world);
    world_name_rules(world, own);
    for (size_t i = 0; i < script->count || i <= at; i++) {
        if (i == at)
            assert_true(world_rule(world, other));
        if (i < script->count)
            world_admit_bytes(world, script->lines[i].institution, script->lines[i].key,
                              script->lines[i].message, NULL, 0);
        for (size_t folds = random == NULL ? 0 : test_random_below(random, 24); folds > 0; folds--)
            world_fold(world);
        if (random != NULL && test_random_below(random, 4) == 0)
            world_compact(world);
        if (random != NULL && test_random_below(random, 2) == 0)
            world_restart(world);
    }
    while (world_fold(world))
        if (random != NULL && test_random_below(random, 16) == 0)
            world_restart(world);
    return world;
}

static void check_rules(const struct script *script, uint64_t seed) {
    struct test_random random = {seed ^ 0x7e7e};
    struct ruling own, other;
    ruling_begin(&own, script->domain);
    ruling_begin(&other, script->domain);
    ruling_edit_some(&other, &random);
    size_t at = test_random_below(&random, script->count + 1);
    struct world *from_begin = world_new(script->domain);
    world_keep_no_json(from_begin);
    world_name_rules(from_begin, &other);
    for (size_t i = 0; i < script->count; i++)
        world_admit_bytes(from_begin, script->lines[i].institution, script->lines[i].key,
                          script->lines[i].message, NULL, 0);
    while (world_fold(from_begin))
        continue;
    struct world *ruled = play_ruled(script, &own, &other, at, &random);
    struct world *calm = play_ruled(script, &own, &other, at, NULL);
    assert_string_equal(world_rules(ruled), ruling_hash(&other));
    char *one = summarise(from_begin), *two = summarise(ruled);
    if (strcmp(one, two) != 0)
        fail_with(seed, "rules that change do not come to the same as rules from the beginning",
                  one, two);
    if (world_trace(calm) != world_trace(ruled))
        fail_with(seed, "a restart or a compaction changes what is published by other rules", one,
                  two);
    hub_release(one);
    hub_release(two);
    world_free(from_begin);
    world_free(ruled);
    world_free(calm);
    ruling_end(&own);
    ruling_end(&other);
}

static void each_seed(void (*make)(struct script *script, uint64_t seed),
                      void (*check)(const struct script *script, uint64_t seed), size_t cases) {
    uint64_t only = test_seed(0);
    size_t count = only != 0 ? 1 : test_cases(cases);
    for (size_t i = 0; i < count; i++) {
        struct script script = {0};
        uint64_t seed = only != 0 ? only : i + 1;
        make(&script, seed);
        check(&script, seed);
        script_free(&script);
    }
}

static void neither_order_nor_repetition_changes_a_trial_or_a_cluster(void **state) {
    (void)state;
    each_seed(script_make_trials, check_order, ORDERS_OF_TRIALS);
}

static void neither_order_nor_repetition_changes_a_slot(void **state) {
    (void)state;
    each_seed(script_make_slots, check_order, ORDERS_OF_SLOTS);
}

static void neither_restart_nor_compaction_changes_what_is_published_of_trials(void **state) {
    (void)state;
    each_seed(script_make_trials, check_disturbance, DISTURBED_TRIALS);
}

static void neither_restart_nor_compaction_changes_what_is_published_of_slots(void **state) {
    (void)state;
    each_seed(script_make_slots, check_disturbance, DISTURBED_SLOTS);
}

static void rules_of_trials_that_change_come_to_the_same_as_from_the_beginning(void **state) {
    (void)state;
    each_seed(script_make_trials, check_rules, RULED_TRIALS);
}

static void rules_of_slots_that_change_come_to_the_same_as_from_the_beginning(void **state) {
    (void)state;
    each_seed(script_make_slots, check_rules, RULED_SLOTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_order_nor_repetition_changes_a_trial_or_a_cluster),
        cmocka_unit_test(neither_order_nor_repetition_changes_a_slot),
        cmocka_unit_test(neither_restart_nor_compaction_changes_what_is_published_of_trials),
        cmocka_unit_test(neither_restart_nor_compaction_changes_what_is_published_of_slots),
        cmocka_unit_test(rules_of_trials_that_change_come_to_the_same_as_from_the_beginning),
        cmocka_unit_test(rules_of_slots_that_change_come_to_the_same_as_from_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
