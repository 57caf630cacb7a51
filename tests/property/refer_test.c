/* refer, property: whatever order statements, facts and restarts come in, across domains, the breaches
 * that stand in the end are those that the last words of all sources give. */
#include "hub/engine/topics.h"
#include "hub/stages/refer.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 4, SLOTS = 6, STEPS = 60, DOMAINS_MAX = 32 };
static const char *const statuses[] = {"PLANNED", "RECRUITING", "WITHDRAWN", "REJECTED", "HALTED"};
static const char *const facilities[] = {"ror:05xvt9f17", "ror:012a77v79"};

struct hubs {
    struct test_random random;
    struct world *trials, *slots;
    struct hub_refer *refers[HUB_SHARDS];
    struct hub_facts *facts[DOMAINS_MAX]; /* the trials' at its place */
    size_t trial_domain, followed, read[HUB_SHARDS];
    bool loaded; /* all that was in the logs when it began */
    /* What each source said last; -1: nothing, or that it took it back. */
    int status[TRIALS], linked[SLOTS], versions[TRIALS + SLOTS];
};

static void on_changed(void *context, const char *identifier) {
    struct hubs *hubs = context;
    for (size_t i = 0; i < HUB_SHARDS; i++)
        hub_refer_touch(hubs->refers[i], hubs->trial_domain, identifier);
}

struct visiting {
    struct hubs *hubs;
    size_t seen, seen_of[HUB_SHARDS];
};

static void follow(void *context, int32_t partition, const char *key, struct hub_bytes value) {
    struct visiting *visiting = context;
    struct hubs *hubs = visiting->hubs;
    struct hub_error error;
    (void)partition;
    (void)key;
    if (visiting->seen++ < hubs->followed)
        return;
    hubs->followed++;
    assert_int_equal(hub_facts_take(hubs->facts[hubs->trial_domain], value, on_changed, hubs,
                                    &error),
                     HUB_OK);
}

static void read_entry(void *context, int32_t partition, const char *key, struct hub_bytes value) {
    struct visiting *visiting = context;
    struct hubs *hubs = visiting->hubs;
    struct hub_error error;
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = value,
                              .partition = partition};
    if (visiting->seen_of[partition]++ < hubs->read[partition])
        return;
    hubs->read[partition]++;
    assert_int_equal((hubs->loaded ? hub_refer_entry : hub_refer_load)(hubs->refers[partition],
                                                                       &input, &error),
                     HUB_OK);
}

/* As the task does: the log, then the other domain, then what is to be written. */
static void refer(struct hubs *hubs) {
    struct visiting visiting = {.hubs = hubs};
    struct hub_arena arena = {0};
    bool wanted = false;
    world_each(hubs->slots, HUB_OUTPUT_LOG, read_entry, &visiting);
    hubs->loaded = true;
    for (size_t i = 0; i < HUB_SHARDS; i++)
        wanted |= hub_refer_wants(hubs->refers[i], hubs->trial_domain);
    if (wanted && hubs->facts[hubs->trial_domain] == NULL)
        hubs->facts[hubs->trial_domain] = hub_facts_new(test_catalogue(), test_domain("trial"));
    if (wanted)
        world_each(hubs->trials, HUB_OUTPUT_UNIFIED, follow, &visiting);
    for (size_t i = 0; i < HUB_SHARDS; i++) {
        struct hub_outputs outputs = {.arena = &arena};
        hub_refer_flush(hubs->refers[i], hubs->facts, &outputs);
        for (size_t k = 0; k < outputs.count; k++)
            world_append(hubs->slots, &outputs.items[k]);
    }
    hub_arena_destroy(&arena);
}

static void forget(struct hubs *hubs) {
    for (size_t i = 0; i < HUB_SHARDS; i++) {
        hub_refer_free(hubs->refers[i]);
        hubs->refers[i] =
            hub_refer_new(test_catalogue(), test_domain("gmp-slot"), (int32_t)i);
        hubs->read[i] = 0;
    }
    hub_facts_free(hubs->facts[hubs->trial_domain]);
    hubs->facts[hubs->trial_domain] = NULL;
    hubs->followed = 0;
    hubs->loaded = false;
}

static void say_trial(struct hubs *hubs) {
    size_t trial = test_random_below(&hubs->random, TRIALS);
    char key[32], numbers[32], more[64];
    int version = ++hubs->versions[trial];
    snprintf(key, sizeof key, "ctgov/%zu", trial);
    if (hubs->status[trial] >= 0 && test_random_below(&hubs->random, 4) == 0) {
        hubs->status[trial] = -1;
        tell_trial_withdrawn(hubs->trials, key, version);
        return;
    }
    hubs->status[trial] = (int)test_random_below(&hubs->random, 5);
    snprintf(numbers, sizeof numbers, "idrcb:2019-A0000%zu-11", trial);
    snprintf(more, sizeof more, "'status': '%s'", statuses[hubs->status[trial]]);
    tell_trial(hubs->trials, key, version, numbers, more);
}

static void say_slot(struct hubs *hubs) {
    size_t slot = test_random_below(&hubs->random, SLOTS);
    HUB_SCOPED_BUFFER json = {0};
    char key[32];
    int linked = (int)test_random_below(&hubs->random, TRIALS + 1) - 1;
    snprintf(key, sizeof key, "lumc-mes/%zu", slot);
    hubs->linked[slot] = linked;
    hub_buffer_append_format(&json, "{'statement': {'version': '%d'}, 'facility': '%s', 'links': [",
                             ++hubs->versions[TRIALS + slot],
                             facilities[slot % 2]);
    if (linked >= 0)
        hub_buffer_append_format(&json, "{'domain': 'trial', 'role': 'trial', 'identifier': {"
                                 "'scheme': 'idrcb', 'value': '2019-A0000%d-11',"
                                 " 'relation': 'SELF'}}", linked);
    hub_buffer_append_text(&json, "]}");
    world_admit(hubs->slots, "lumc", key, hub_buffer_text(&json));
}

static void settle(struct hubs *hubs) {
    refer(hubs);
    while (world_fold(hubs->slots))
        continue;
    refer(hubs);
    while (world_fold(hubs->slots))
        continue;
}

static void step(struct hubs *hubs) {
    switch (test_random_below(&hubs->random, 8)) {
    case 0:
    case 1:
        say_trial(hubs);
        return;
    case 2:
    case 3:
        say_slot(hubs);
        return;
    case 4:
        refer(hubs);
        return;
    case 5:
        forget(hubs);
        return;
    case 6:
        world_restart(hubs->slots);
        return;
    default:
        world_fold(hubs->slots);
        return;
    }
}

/* What should stand open of a slot. */
static bool is_breach(const struct hubs *hubs, size_t slot) {
    int status = hubs->linked[slot] < 0 ? 0 : hubs->status[hubs->linked[slot]];
    return hubs->linked[slot] >= 0 && (status < 0 || status == 2 || status == 3);
}

static size_t count_breaches(const json_t *entity) {
    size_t count = 0;
    const json_t *conflict;
    size_t i;
    json_array_foreach(look(entity, "conflicts"), i, conflict)
        count += strncmp(look_text(conflict, "field"), "links[", 6) == 0;
    return count;
}

static void the_last_words_decide_whatever_came_first(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < test_cases(200); seed++) {
        struct hubs hubs = {.random = {test_seed(seed)}};
        hubs.trials = world_new("trial");
        hubs.slots = world_new("gmp-slot");
        hubs.trial_domain = (size_t)(test_domain("trial") - test_catalogue()->domains);
        for (size_t i = 0; i < TRIALS; i++)
            hubs.status[i] = -1;
        for (size_t i = 0; i < SLOTS; i++)
            hubs.linked[i] = -1;
        forget(&hubs);
        for (int i = 0; i < STEPS; i++)
            step(&hubs);
        settle(&hubs);
        for (size_t i = 0; i < SLOTS; i++) {
            char key[32];
            snprintf(key, sizeof key, "lumc-mes/%zu", i);
            const json_t *entity = world_entity_of(hubs.slots, key);
            if (count_breaches(entity) != is_breach(&hubs, i))
                fail_msg("HUB_TEST_SEED=%llu: %s has %zu breaches", (unsigned long long)seed, key,
                         count_breaches(entity));
        }
        for (size_t i = 0; i < HUB_SHARDS; i++)
            hub_refer_free(hubs.refers[i]);
        hub_facts_free(hubs.facts[hubs.trial_domain]);
        world_free(hubs.trials);
        world_free(hubs.slots);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_words_decide_whatever_came_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
