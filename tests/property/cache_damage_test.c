/* Whatever a disk makes of the cache's file: it is read as it was at one of its checkpoints, or known to
 * be nothing. LMDB trusts its pages and may die of damaged ones, but of the same damage only once.
 *
 * Each case is made from its seed alone. */
#include "hub/io/cache.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/damage.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 60, ROUNDS = 3, CASES = 100 };
enum { WHOLE = 0, NOTHING = 1, PARTLY = 2 }; /* exit codes */
static const int64_t NOW_MS = 1800000000000;

struct damaging {
    struct folder folder;
    const char *state, *path;
    struct hub_buffer file;             /* undamaged */
    struct hub_buffer rounds[ROUNDS + 1]; /* what it held, by its offset */
    struct hub_error error;
};

static enum hub_status take(void *context, struct hub_bytes key, struct hub_bytes value,
                            struct hub_error *reterr) {
    struct hub_buffer *loaded = context;
    (void)reterr;
    hub_buffer_append_bytes(loaded, key);
    hub_buffer_append_bytes(loaded, value);
    return HUB_OK;
}

static void keep_round(struct damaging *damaging, struct hub_cache *cache, int round) {
    const struct hub_cache_mark mark = {"s", round};
    char key[16], value[64];
    int64_t next = 0;
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key %d", i);
        snprintf(value, sizeof value, "what key %d was in round %d", i, round);
        struct hub_bytes part = hub_bytes_of_text(value);
        hub_cache_note(cache, "s", hub_bytes_of_text(key), &part, 1);
    }
    expect_ok(hub_cache_checkpoint(cache, &mark, 1, &damaging->error), &damaging->error);
    expect_ok(hub_cache_load(cache, "s", take, &damaging->rounds[round], &next, &damaging->error),
              &damaging->error);
}

/* Several, so that there are stale pages too. */
static void keep_rounds(struct damaging *damaging) {
    struct hub_cache *cache = NULL;
    expect_ok(hub_cache_open(damaging->state, "one", &hub_sha256, NOW_MS, &cache, &damaging->error),
              &damaging->error);
    for (int round = 1; round <= ROUNDS; round++)
        keep_round(damaging, cache, round);
    hub_cache_close(cache);
}

static int load(void *context) {
    const struct damaging *damaging = context;
    struct hub_cache *cache = NULL;
    HUB_SCOPED_BUFFER found = {0};
    int64_t next = -1;
    if (hub_cache_open(damaging->state, "one", &hub_sha256, NOW_MS, &cache, NULL) != HUB_OK)
        return PARTLY;
    enum hub_status status = hub_cache_load(cache, "s", take, &found, &next, NULL);
    hub_cache_close(cache);
    if (status == HUB_RETRY || (status == HUB_OK && next == -1 && found.size == 0))
        return NOTHING;
    bool whole = status == HUB_OK && next > 0 && next <= ROUNDS &&
                 hub_bytes_equal(hub_buffer_bytes(&found),
                                 hub_buffer_bytes(&damaging->rounds[next]));
    return whole ? WHOLE : PARTLY;
}

static void begin(struct damaging *damaging) {
    *damaging = (struct damaging){0};
    folder_make(&damaging->folder);
    damaging->state = folder_path(&damaging->folder, "state");
    damaging->path = folder_path(&damaging->folder, "state/data.mdb");
    keep_rounds(damaging);
    expect_ok(hub_file_read(damaging->path, &damaging->file, &damaging->error), &damaging->error);
}

static void end(struct damaging *damaging) {
    hub_buffer_free(&damaging->file);
    for (int round = 0; round <= ROUNDS; round++)
        hub_buffer_free(&damaging->rounds[round]);
    folder_remove(&damaging->folder);
}

static void is_read_whole_or_not_at_all(void (*damage)(struct test_random *random,
                                                       struct hub_buffer *file)) {
    struct damaging damaging;
    struct test_random random = {test_seed(1)};
    size_t died = 0, nothing = 0, cases = test_cases(CASES);
    begin(&damaging);
    for (size_t i = 0; i < cases; i++) {
        HUB_SCOPED_BUFFER file = {0};
        hub_buffer_append_bytes(&file, hub_buffer_bytes(&damaging.file));
        damage(&random, &file);
        damage_write(damaging.path, hub_buffer_bytes(&file));
        int result = damage_in_a_child(load, &damaging);
        if (WIFEXITED(result) ? WEXITSTATUS(result) == PARTLY : WTERMSIG(result) == SIGALRM)
            fail_msg("case %zu: %x", i, (unsigned)result);
        died += !WIFEXITED(result);
        nothing += WIFEXITED(result) && WEXITSTATUS(result) == NOTHING;
        if (WIFEXITED(result))
            continue;
        result = damage_in_a_child(load, &damaging);
        if (!WIFEXITED(result) || WEXITSTATUS(result) != NOTHING)
            fail_msg("case %zu, again: %x", i, (unsigned)result);
    }
    print_message("%zu of %zu thrown away, %zu died of it once\n", nothing + died, cases, died);
    assert_true(nothing > 0 || cases < CASES);
    end(&damaging);
}

static void flipped_bits_are_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(damage_flip_bits);
}

static void a_lost_page_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(damage_lose_page);
}

static void a_spoilt_page_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(damage_spoil_page);
}

static void a_page_in_anothers_place_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(damage_misplace_page);
}

static void a_file_that_was_cut_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(damage_cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bits_are_found),
        cmocka_unit_test(a_lost_page_is_found),
        cmocka_unit_test(a_spoilt_page_is_found),
        cmocka_unit_test(a_page_in_anothers_place_is_found),
        cmocka_unit_test(a_file_that_was_cut_is_found),
    };
    if (access("/dev/shm", W_OK) == 0) /* there a sync costs nothing */
        setenv("TMPDIR", "/dev/shm", /* overwrite= */ 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
