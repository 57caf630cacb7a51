/* cache_mark: what killed a process is not read again. */
#include "hub/io/cache_hooks.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/damage.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <signal.h>
#include <sys/wait.h>

static const int64_t NOW_MS = 1800000000000;
static const char *const spaces[] = {"log.trial/0"};
static const uint64_t HOOK = 0x123456789abcdef0;

struct keeping {
    struct folder folder;
    struct hub_cache *cache;
    struct hub_cache_shelf *shelf;
    struct hub_error error;
};

static void open_both(struct keeping *keeping) {
    expect_ok(hub_cache_open(folder_path(&keeping->folder, "state"), "one", &hub_sha256, NOW_MS,
                             &keeping->cache, &keeping->error),
              &keeping->error);
    expect_ok(hub_cache_open_shelf(keeping->cache, "trial/0", "rules", spaces, 1, &keeping->shelf,
                                   &keeping->error),
              &keeping->error);
}

static void checkpoint(struct keeping *keeping) {
    const struct hub_cache_mark mark = {spaces[0], 1};
    const struct hub_hook hook = {.hash = HOOK};
    struct hub_bytes value = hub_bytes_of_text("1");
    hub_cache_note_hooked(keeping->cache, keeping->shelf, 0, hub_bytes_of_text("a"), &value, 1,
                          &hook, 1);
    expect_ok(hub_cache_checkpoint(keeping->cache, &mark, 1, &keeping->error), &keeping->error);
}

static void begin(struct keeping *keeping) {
    *keeping = (struct keeping){0};
    folder_make(&keeping->folder);
    open_both(keeping);
    checkpoint(keeping);
}

static void end(struct keeping *keeping) {
    hub_cache_close(keeping->cache);
    folder_remove(&keeping->folder);
}

static enum hub_status count_one(void *context, unsigned topic, struct hub_bytes key,
                                 struct hub_bytes value, struct hub_error *reterr) {
    (void)topic;
    (void)key;
    (void)value;
    (void)reterr;
    ++*(int *)context;
    return HUB_OK;
}

/* Whether the record is there, and was complete up to 1. */
static bool is_there(struct keeping *keeping) {
    int found = 0;
    expect_ok(hub_cache_find(keeping->cache, keeping->shelf, HOOK, NULL, count_one, &found,
                             &keeping->error),
              &keeping->error);
    assert_int_equal(hub_cache_next(keeping->cache, spaces[0]), found == 1 ? 1 : -1);
    return found == 1;
}

static void reopen(struct keeping *keeping) {
    hub_cache_close(keeping->cache);
    open_both(keeping);
}

static enum hub_status die(void *context, unsigned topic, struct hub_bytes key,
                           struct hub_bytes value, struct hub_error *reterr) {
    (void)context;
    (void)topic;
    (void)key;
    (void)value;
    (void)reterr;
    raise(SIGKILL);
    return HUB_OK;
}

static int die_looking_up(void *context) {
    struct keeping *keeping = context;
    open_both(keeping);
    (void)!hub_cache_find(keeping->cache, keeping->shelf, HOOK, NULL, die, NULL, &keeping->error);
    return 0;
}

static int die_after_looking_up(void *context) {
    struct keeping *keeping = context;
    open_both(keeping);
    if (is_there(keeping))
        raise(SIGKILL);
    return 0;
}

static void kill_in(struct keeping *keeping, int (*work)(void *context)) {
    hub_cache_close(keeping->cache);
    keeping->cache = NULL;
    int result = damage_in_a_child(work, keeping);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
    open_both(keeping);
}

static void two_deaths_while_looking_up_are_no_chance(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    kill_in(&keeping, die_looking_up);
    assert_true(is_there(&keeping));
    kill_in(&keeping, die_looking_up);
    assert_false(is_there(&keeping));
    checkpoint(&keeping); /* and it is known again */
    kill_in(&keeping, die_looking_up);
    assert_true(is_there(&keeping));
    end(&keeping);
}

static void a_checkpoint_between_them_tells_that_they_were(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    for (int i = 0; i < 3; i++) {
        kill_in(&keeping, die_looking_up);
        assert_true(is_there(&keeping));
        checkpoint(&keeping);
    }
    end(&keeping);
}

static void a_start_between_them_does_not(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    kill_in(&keeping, die_looking_up);
    reopen(&keeping);
    assert_true(is_there(&keeping));
    kill_in(&keeping, die_looking_up);
    assert_false(is_there(&keeping));
    end(&keeping);
}

static void a_process_that_was_killed_at_another_time_goes_on(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    for (int i = 0; i < 3; i++) {
        kill_in(&keeping, die_after_looking_up);
        assert_true(is_there(&keeping));
    }
    end(&keeping);
}

/* It cannot be told from outside when a checkpoint is written: what it leaves is written here. */
static void deaths_in_checkpoints_count_as_well(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    hub_cache_close(keeping.cache);
    folder_write_bytes(&keeping.folder, "state/busy", hub_bytes("\1\1", 2));
    open_both(&keeping);
    assert_false(is_there(&keeping));
    end(&keeping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_deaths_while_looking_up_are_no_chance),
        cmocka_unit_test(a_checkpoint_between_them_tells_that_they_were),
        cmocka_unit_test(a_start_between_them_does_not),
        cmocka_unit_test(a_process_that_was_killed_at_another_time_goes_on),
        cmocka_unit_test(deaths_in_checkpoints_count_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
