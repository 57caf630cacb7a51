/* task: what a task has in memory is let go where the cache has all of it, and nowhere else. */
#include "hub/engine/task.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

enum { SLOTS = 3, AWAKE_MAX = 10 };
static const int64_t NOW_MS = 1800000000000;

/* The state of a slot: how many statements of it are awake. */
struct awake {
    size_t count;
    size_t unnoted;
};

static size_t count_awake(const struct hub_slot *slot) {
    return ((struct awake *)slot->state)->count;
}

static void let_sleep(struct hub_slot *slot, const struct hub_store *store) {
    assert_non_null(store);
    assert_ptr_equal(store, hub_slot_store(slot));
    ((struct awake *)slot->state)->count = 0;
}

/* Of a record of which nobody can tell by what it is found. */
static enum hub_status refuse(const struct hub_task *task, struct hub_slot *slot, unsigned topic,
                              const struct hub_input *record, struct hub_hooks *hooks,
                              struct hub_error *reterr) {
    (void)task, (void)slot, (void)topic, (void)record, (void)hooks;
    return hub_fail(reterr, HUB_FATAL, "damaged");
}

static size_t count_unnoted(const struct hub_slot *slot) {
    return ((struct awake *)slot->state)->unnoted;
}

static void note_rest(struct hub_task *task, struct hub_slot *slot) {
    (void)task;
    ((struct awake *)slot->state)->unnoted = 0;
}

static const struct hub_task_kind kind = {.name = "sleeper",
                                          .awake = count_awake,
                                          .let_sleep = let_sleep,
                                          .unnoted = count_unnoted,
                                          .note_rest = note_rest,
                                          .hooks = refuse};

struct sleeping {
    struct folder folder;
    char topic[8];
    struct hub_settings settings;
    struct hub_engine engine;
    struct hub_slot slots[SLOTS];
    struct hub_task task;
    struct hub_error error;
};

static void add_slot(struct sleeping *sleeping, size_t index, const char *space, size_t awake) {
    struct hub_slot *slot = &sleeping->slots[index];
    struct awake *state = hub_allocate_zero(1, sizeof *state);
    *slot = (struct hub_slot){
        .topic = sleeping->topic, .partition = (int32_t)index, .kept_count = 1, .state = state};
    slot->kept[0].space = space;
    expect_ok(hub_task_open_shelf(&sleeping->task, slot, &sleeping->error), &sleeping->error);
    assert_null(hub_slot_store(slot)); /* it was begun without */
    slot->kept[0].level = true;
    state->count = awake;
}

/* Three slots, of which the last has hardly anything in memory; more than may be. */
static void begin(struct sleeping *sleeping) {
    *sleeping = (struct sleeping){.topic = "ingest"};
    folder_make(&sleeping->folder);
    sleeping->settings.awake_max = AWAKE_MAX;
    sleeping->engine = (struct hub_engine){.settings = &sleeping->settings,
                                           .catalogue = test_catalogue(),
                                           .cache_lock = PTHREAD_MUTEX_INITIALIZER};
    expect_ok(hub_cache_open(folder_path(&sleeping->folder, "cache"), "", &hub_sha256, NOW_MS,
                             &sleeping->engine.cache, &sleeping->error),
              &sleeping->error);
    sleeping->task = (struct hub_task){.kind = &kind,
                                       .engine = &sleeping->engine,
                                       .slots = sleeping->slots,
                                       .slot_count = SLOTS};
    add_slot(sleeping, 0, "first", 6);
    add_slot(sleeping, 1, "second", 5);
    add_slot(sleeping, 2, "third", 1);
}

static void end(struct sleeping *sleeping) {
    for (size_t i = 0; i < SLOTS; i++) {
        hub_release(sleeping->slots[i].state);
        hub_task_close_shelf(&sleeping->slots[i]);
    }
    hub_cache_close(sleeping->engine.cache);
    folder_remove(&sleeping->folder);
}

static void expect_awake(struct sleeping *sleeping, size_t first, size_t second, size_t third) {
    hub_task_let_sleep(&sleeping->task);
    assert_int_equal(count_awake(&sleeping->slots[0]), first);
    assert_int_equal(count_awake(&sleeping->slots[1]), second);
    assert_int_equal(count_awake(&sleeping->slots[2]), third);
}

static void what_is_more_than_may_be_goes_to_sleep(void **state) {
    struct sleeping sleeping;
    (void)state;
    begin(&sleeping);
    assert_int_equal(hub_task_awake(&sleeping.task), 12);
    assert_true(hub_task_is_wide_awake(&sleeping.task));
    expect_awake(&sleeping, 0, 0, 1); /* of a slot with hardly anything nothing would be gained */
    assert_int_equal(sleeping.task.put_to_sleep, 2);
    assert_false(hub_task_is_wide_awake(&sleeping.task));
    end(&sleeping);
}

static void what_may_be_stays_awake(void **state) {
    struct sleeping sleeping;
    (void)state;
    begin(&sleeping);
    sleeping.settings.awake_max = 12;
    assert_false(hub_task_is_wide_awake(&sleeping.task));
    expect_awake(&sleeping, 6, 5, 1);
    sleeping.settings.awake_max = 0; /* as many as there are */
    assert_false(hub_task_is_wide_awake(&sleeping.task));
    expect_awake(&sleeping, 6, 5, 1);
    end(&sleeping);
}

/* It is neither counted nor let go: no checkpoint would help. */
static void what_the_cache_does_not_have_stays_awake(void **state) {
    struct sleeping sleeping;
    (void)state;
    begin(&sleeping);
    sleeping.settings.awake_max = 4;
    sleeping.slots[0].kept[0].level = false; /* the cache is behind */
    assert_int_equal(hub_task_awake(&sleeping.task), 6);
    expect_awake(&sleeping, 6, 0, 0);
    hub_task_close_shelf(&sleeping.slots[0]); /* it keeps nothing of this slot */
    sleeping.slots[0].kept[0].level = true;
    assert_int_equal(hub_task_awake(&sleeping.task), 0);
    expect_awake(&sleeping, 6, 0, 0);
    end(&sleeping);
}

static void without_a_cache_nothing_sleeps(void **state) {
    struct sleeping sleeping;
    (void)state;
    begin(&sleeping);
    struct hub_cache *cache = sleeping.engine.cache;
    sleeping.engine.cache = NULL; /* as while there is no room for another */
    assert_int_equal(hub_task_awake(&sleeping.task), 0);
    expect_awake(&sleeping, 6, 5, 1);
    sleeping.engine.cache = cache;
    hub_cache_drop(cache, "none");
    assert_true(hub_task_is_wide_awake(&sleeping.task));
    const struct hub_hook hook = {.hash = 1};
    struct hub_cache_shelf *before = NULL, *after = NULL;
    static const char *const spaces[] = {"other"};
    expect_ok(hub_cache_open_shelf(cache, "other", "a", spaces, 1, &before, &sleeping.error),
              &sleeping.error);
    expect_ok(hub_cache_open_shelf(cache, "other", "b", spaces, 1, &after, &sleeping.error),
              &sleeping.error);
    hub_cache_note_hooked(cache, before, 0, hub_bytes_of_text("a"), NULL, 0, &hook, 1);
    assert_false(hub_cache_keeps(cache)); /* it was thrown away */
    assert_false(hub_task_is_wide_awake(&sleeping.task));
    expect_awake(&sleeping, 6, 5, 1);
    end(&sleeping);
}

/* It goes with the cache's spaces, and what is asked for then would be taken for something never heard of. */
static void what_sleeps_where_a_note_is_refused_is_loaded_again(void **state) {
    struct sleeping sleeping;
    const struct hub_input record = {
        .has_key = true, .has_value = true, .key = hub_bytes_of_text("a")};
    bool worked = false;
    (void)state;
    begin(&sleeping);
    hub_task_note_record(&sleeping.task, &sleeping.slots[0], 0, &record);
    assert_false(sleeping.task.sleeps_nowhere); /* all of it is awake */
    sleeping.settings.awake_max = 4;
    hub_task_let_sleep(&sleeping.task);
    hub_task_note_record(&sleeping.task, &sleeping.slots[1], 0, &record);
    assert_true(sleeping.task.sleeps_nowhere);
    assert_int_equal(hub_task_step(&sleeping.task, /* timeout_ms= */ 0, &worked, &sleeping.error),
                     HUB_RETRY);
    end(&sleeping);
}

/* Elsewhere it comes from the topics, and would be older than what was noted. */
static void what_the_state_has_is_noted_where_the_cache_keeps_up(void **state) {
    struct sleeping sleeping;
    (void)state;
    begin(&sleeping);
    for (size_t i = 0; i < SLOTS; i++)
        ((struct awake *)sleeping.slots[i].state)->unnoted = i + 1;
    sleeping.slots[1].kept[0].level = false;
    hub_task_close_shelf(&sleeping.slots[2]);
    assert_int_equal(hub_task_unnoted(&sleeping.task), 1);
    hub_task_note_rest(&sleeping.task);
    assert_int_equal(count_unnoted(&sleeping.slots[0]), 0);
    assert_int_equal(count_unnoted(&sleeping.slots[1]), 2);
    assert_int_equal(count_unnoted(&sleeping.slots[2]), 3);
    sleeping.slots[1].kept[0].level = true;
    assert_int_equal(hub_task_unnoted(&sleeping.task), 2);
    end(&sleeping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_more_than_may_be_goes_to_sleep),
        cmocka_unit_test(what_may_be_stays_awake),
        cmocka_unit_test(what_the_cache_does_not_have_stays_awake),
        cmocka_unit_test(without_a_cache_nothing_sleeps),
        cmocka_unit_test(what_sleeps_where_a_note_is_refused_is_loaded_again),
        cmocka_unit_test(what_the_state_has_is_noted_where_the_cache_keeps_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
