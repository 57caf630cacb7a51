/* Whatever a disk makes of the cache's file: each look-up is answered as of the last checkpoint, that there
 * is nothing included, or the cache is thrown away. It is written to before, too, as a process does that
 * does not know.
 *
 * Each case is made from its seed alone. */
#include "hub/io/cache_hooks.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/damage.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 150, ROUNDS = 3, SHARING = 3, CASES = 100 };
enum { RIGHT = 0, THROWN_AWAY = 1, WRONG = 2 }; /* exit codes */
static const int64_t NOW_MS = 1800000000000;
static const char *const spaces[] = {"log/0", "golden/0"};

struct damaging {
    struct folder folder;
    const char *state, *path;
    struct hub_buffer file; /* undamaged */
    struct test_random random;
    bool write; /* before anything is looked up */
    struct hub_error error;
};

struct shelved {
    struct hub_cache *cache;
    struct hub_cache_shelf *shelf;
    int round; /* up to which it is complete; 0 for nothing */
};

static uint64_t hook_of(const char *what, int number) {
    char text[32];
    snprintf(text, sizeof text, "%s %d", what, number);
    return hub_hook_hash(0, hub_bytes_of_text(text));
}

/* Each round has more keys, and changes the records of the earlier ones. */
static int keys_of(int round) {
    return KEYS * round;
}

static void value_of(int key, int round, char *ret_value, size_t size) {
    snprintf(ret_value, size, "what key %d was in round %d", key, round);
}

static enum hub_status keep_round(struct shelved *shelved, int round, struct hub_error *reterr) {
    const struct hub_cache_mark marks[] = {{spaces[0], round}, {spaces[1], round}};
    char value[64];
    for (int key = 0; key < keys_of(round); key++) {
        const struct hub_hook hooks[] = {
            {.hash = hook_of("key", key)},
            {.hash = hook_of("shared", key / SHARING)},
            {.hash = hook_of("number", key), .is_near = true, .near_hash = (uint64_t)key}};
        value_of(key, round, value, sizeof value);
        struct hub_bytes part = hub_bytes_of_text(value);
        hub_cache_note_hooked(shelved->cache, shelved->shelf, (unsigned)key % 2,
                              hub_bytes(&key, sizeof key), &part, 1, hooks, 3);
    }
    return hub_cache_checkpoint(shelved->cache, marks, 2, reterr);
}

static enum hub_status open_shelf(const struct damaging *damaging, struct shelved *shelved,
                                  struct hub_error *reterr) {
    HUB_TRY(hub_cache_open(damaging->state, "one", &hub_sha256, NOW_MS, &shelved->cache, reterr));
    HUB_TRY(hub_cache_open_shelf(shelved->cache, "trial/0", "rules", spaces, 2, &shelved->shelf,
                                 reterr));
    int64_t next = hub_cache_next(shelved->cache, spaces[0]);
    shelved->round = next < 0 ? 0 : (int)next;
    return HUB_OK;
}

/* --- what is looked up --- */

struct expecting {
    int from, to, round; /* keys */
    int found;
    bool wrong;
};

static enum hub_status take(void *context, unsigned topic, struct hub_bytes key_bytes,
                            struct hub_bytes value, struct hub_error *reterr) {
    struct expecting *expecting = context;
    char wanted[64];
    int key = 0;
    (void)reterr;
    memcpy(&key, key_bytes.data, sizeof key);
    value_of(key, expecting->round, wanted, sizeof wanted);
    expecting->found++;
    expecting->wrong |= key < expecting->from || key >= expecting->to ||
                        topic != (unsigned)key % 2 || !hub_bytes_equal_text(value, wanted);
    return HUB_OK;
}

static int look_up(struct shelved *shelved, uint64_t hook, int from, int to) {
    struct expecting expecting = {.from = from, .to = to, .round = shelved->round};
    if (hub_cache_find(shelved->cache, shelved->shelf, hook, NULL, take, &expecting, NULL) != HUB_OK)
        return THROWN_AWAY;
    return expecting.wrong || expecting.found != to - from ? WRONG : RIGHT;
}

static int look_up_any(struct shelved *shelved, struct test_random *random) {
    int keys = keys_of(shelved->round), key = (int)test_random_below(random, KEYS * (ROUNDS + 2));
    int shared = key / SHARING * SHARING;
    bool there = key < keys;
    int result = look_up(shelved, hook_of("key", key), key, there ? key + 1 : key);
    if (result == RIGHT)
        result = look_up(shelved, hook_of("shared", key / SHARING), shared,
                         there ? shared + SHARING : shared);
    return result;
}

static enum hub_status take_each(void *context, struct hub_bytes key, struct hub_bytes value,
                                 struct hub_error *reterr) {
    int number = 0;
    memcpy(&number, key.data, sizeof number);
    return take(context, (unsigned)number % 2, key, value, reterr);
}

/* All records of the spaces, whatever leads to them. */
static int look_at_each(struct shelved *shelved) {
    struct expecting expecting = {.to = keys_of(shelved->round), .round = shelved->round};
    int64_t next = 0;
    for (size_t i = 0; i < 2; i++)
        if (hub_cache_load(shelved->cache, spaces[i], take_each, &expecting, &next, NULL) != HUB_OK)
            return THROWN_AWAY;
    return expecting.wrong || expecting.found != expecting.to ? WRONG : RIGHT;
}

static enum hub_status add_up(void *context, const uint64_t *hashes, size_t count,
                              struct hub_error *reterr) {
    uint64_t *sum = context;
    (void)reterr;
    for (size_t i = 0; i < count; i++)
        *sum += hashes[i] + 1;
    return HUB_OK;
}

static int look_near(struct shelved *shelved) {
    uint64_t sum = 0, keys = (uint64_t)keys_of(shelved->round);
    if (hub_cache_near(shelved->cache, shelved->shelf, add_up, &sum, NULL) != HUB_OK)
        return THROWN_AWAY;
    return sum == keys * (keys + 1) / 2 ? RIGHT : WRONG;
}

static int look_at(struct damaging *damaging, struct shelved *shelved) {
    enum hub_status status = open_shelf(damaging, shelved, NULL);
    if (status != HUB_OK)
        return status == HUB_RETRY && shelved->cache != NULL ? THROWN_AWAY : WRONG;
    int before = shelved->round, result = look_near(shelved);
    if (damaging->write && before > 0) {
        if (keep_round(shelved, before + 1, NULL) != HUB_OK)
            return THROWN_AWAY;
        shelved->round++;
    }
    for (int i = 0; result == RIGHT && i < keys_of(ROUNDS + 2); i++)
        result = look_up_any(shelved, &damaging->random);
    if (result == RIGHT)
        result = look_at_each(shelved);
    return result == RIGHT && before == 0 ? THROWN_AWAY : result;
}

static int look(void *context) {
    struct shelved shelved = {0};
    int result = look_at(context, &shelved);
    hub_cache_close(shelved.cache);
    return result;
}

/* --- the cases --- */

static void begin(struct damaging *damaging) {
    *damaging = (struct damaging){.random = {test_seed(1)}};
    struct shelved shelved = {0};
    folder_make(&damaging->folder);
    damaging->state = folder_path(&damaging->folder, "state");
    damaging->path = folder_path(&damaging->folder, "state/data.mdb");
    expect_ok(open_shelf(damaging, &shelved, &damaging->error), &damaging->error);
    for (int round = 1; round <= ROUNDS; round++) /* several, so that there are stale pages, too */
        expect_ok(keep_round(&shelved, round, &damaging->error), &damaging->error);
    hub_cache_close(shelved.cache);
    expect_ok(hub_file_read(damaging->path, &damaging->file, &damaging->error), &damaging->error);
    for (int i = 0; i < 2; i++)
        assert_int_equal(damage_in_a_child(look, damaging), RIGHT);
    damaging->write = true;
    assert_int_equal(damage_in_a_child(look, damaging), RIGHT);
}

static void end(struct damaging *damaging) {
    hub_buffer_free(&damaging->file);
    folder_remove(&damaging->folder);
}

static bool is_wrong(int result) {
    return WIFEXITED(result) ? WEXITSTATUS(result) == WRONG : WTERMSIG(result) == SIGALRM;
}

/* Whoever died of it dies once more at most. */
static void expect_an_end(struct damaging *damaging, size_t number) {
    int result = damage_in_a_child(look, damaging);
    if (!WIFEXITED(result))
        result = damage_in_a_child(look, damaging);
    if (!WIFEXITED(result) || WEXITSTATUS(result) == WRONG)
        fail_msg("case %zu, again: %x", number, (unsigned)result);
}

static void is_answered_rightly_or_not_at_all(void (*damage)(struct test_random *random,
                                                             struct hub_buffer *file)) {
    struct damaging damaging;
    size_t died = 0, thrown_away = 0, cases = test_cases(CASES);
    begin(&damaging);
    for (size_t i = 0; i < cases; i++) {
        HUB_SCOPED_BUFFER file = {0};
        hub_buffer_append_bytes(&file, hub_buffer_bytes(&damaging.file));
        damage(&damaging.random, &file);
        damage_write(damaging.path, hub_buffer_bytes(&file));
        damaging.write = i % 2 == 1;
        int result = damage_in_a_child(look, &damaging);
        if (is_wrong(result))
            fail_msg("case %zu: %x", i, (unsigned)result);
        thrown_away += WIFEXITED(result) && WEXITSTATUS(result) == THROWN_AWAY;
        died += !WIFEXITED(result);
        if (!WIFEXITED(result))
            expect_an_end(&damaging, i);
    }
    print_message("%zu of %zu thrown away, %zu died of it\n", thrown_away + died, cases, died);
    assert_true(thrown_away > 0 || cases < CASES);
    end(&damaging);
}

/* A page that says in which of two others a record is to be looked for. */
static bool is_branch(const struct hub_buffer *file, size_t page) {
    enum { PAGE = 4096, FLAGS_AT = 10, BRANCH = 1 };
    return file->data[page * PAGE + FLAGS_AT] == BRANCH &&
           file->data[page * PAGE + FLAGS_AT + 1] == 0;
}

/* One bit of a key in such a page: what is written then may go where nobody looks, or stand twice. */
static void mislead(struct test_random *random, struct hub_buffer *file) {
    enum { PAGE = 4096, KEYS_FROM = PAGE - 512 };
    size_t page = test_random_below(random, file->size / PAGE);
    while (!is_branch(file, page))
        page = test_random_below(random, file->size / PAGE);
    file->data[page * PAGE + KEYS_FROM + test_random_below(random, PAGE - KEYS_FROM)] ^=
        (uint8_t)(1 << test_random_below(random, 8));
}

static void a_page_that_misleads_is_found(void **state) {
    (void)state;
    is_answered_rightly_or_not_at_all(mislead);
}

static void flipped_bits_are_found(void **state) {
    (void)state;
    is_answered_rightly_or_not_at_all(damage_flip_bits);
}

static void a_lost_page_is_found(void **state) {
    (void)state;
    is_answered_rightly_or_not_at_all(damage_lose_page);
}

static void a_spoilt_page_is_found(void **state) {
    (void)state;
    is_answered_rightly_or_not_at_all(damage_spoil_page);
}

static void a_page_in_anothers_place_is_found(void **state) {
    (void)state;
    is_answered_rightly_or_not_at_all(damage_misplace_page);
}

static void a_file_that_was_cut_is_found(void **state) {
    (void)state;
    is_answered_rightly_or_not_at_all(damage_cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_misleads_is_found),
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
