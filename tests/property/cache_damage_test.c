/* Whatever a disk makes of the cache's file: it is read as it was at one of its checkpoints, or known to
 * be nothing. LMDB trusts its pages and may die of damaged ones, but of the same damage only once.
 *
 * Each case is made from its seed alone. */
#include "hub/io/cache.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, KEYS = 60, ROUNDS = 3, HANGS_AFTER_S = 30, CASES = 100 };
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

static int load(const struct damaging *damaging, struct hub_buffer *found) {
    struct hub_cache *cache = NULL;
    int64_t next = -1;
    if (hub_cache_open(damaging->state, "one", &hub_sha256, NOW_MS, &cache, NULL) != HUB_OK)
        return PARTLY;
    enum hub_status status = hub_cache_load(cache, "s", take, found, &next, NULL);
    hub_cache_close(cache);
    if (status == HUB_RETRY || (status == HUB_OK && next == -1 && found->size == 0))
        return NOTHING;
    bool whole = status == HUB_OK && next > 0 && next <= ROUNDS &&
                 hub_bytes_equal(hub_buffer_bytes(found),
                                 hub_buffer_bytes(&damaging->rounds[next]));
    return whole ? WHOLE : PARTLY;
}

/* In a process of its own; one that hangs fails like any other. */
static int load_in_a_child(const struct damaging *damaging) {
    pid_t child = fork();
    if (child == 0) {
        HUB_SCOPED_BUFFER found = {0};
        static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS};
        for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
            signal(deadly[i], SIG_DFL); /* the sanitizer would tell of it, cmocka go on */
        fclose(stderr); /* LMDB says what it died of */
        alarm(HANGS_AFTER_S);
        _exit(load(damaging, &found));
    }
    int result = -1;
    waitpid(child, &result, 0);
    return result;
}

static void write_file(const struct damaging *damaging, struct hub_bytes bytes) {
    FILE *file = fopen(damaging->path, "wb"); /* nothing is synced: there are thousands */
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
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

/* --- what a disk may do --- */

static void flip_bits(struct test_random *random, struct hub_buffer *file) {
    for (size_t left = 1 + test_random_below(random, 8); left > 0; left--)
        file->data[test_random_below(random, file->size)] ^=
            (uint8_t)(1 << test_random_below(random, 8));
}

static uint8_t *any_page(struct test_random *random, struct hub_buffer *file) {
    return file->data + PAGE * test_random_below(random, file->size / PAGE);
}

static void lose_page(struct test_random *random, struct hub_buffer *file) {
    memset(any_page(random, file), 0, PAGE);
}

static void spoil_page(struct test_random *random, struct hub_buffer *file) {
    uint8_t *page = any_page(random, file);
    for (size_t at = 0; at < PAGE; at += 1 + test_random_below(random, 64))
        page[at] ^= (uint8_t)test_random_next(random);
}

/* A write that went to the wrong place, or never came: another page, or an older one. */
static void misplace_page(struct test_random *random, struct hub_buffer *file) {
    memmove(any_page(random, file), any_page(random, file), PAGE);
}

static void cut(struct test_random *random, struct hub_buffer *file) {
    file->size = test_random_below(random, file->size);
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
        write_file(&damaging, hub_buffer_bytes(&file));
        int result = load_in_a_child(&damaging);
        if (WIFEXITED(result) ? WEXITSTATUS(result) == PARTLY : WTERMSIG(result) == SIGALRM)
            fail_msg("case %zu: %x", i, (unsigned)result);
        died += !WIFEXITED(result);
        nothing += WIFEXITED(result) && WEXITSTATUS(result) == NOTHING;
        if (WIFEXITED(result))
            continue;
        result = load_in_a_child(&damaging);
        if (!WIFEXITED(result) || WEXITSTATUS(result) != NOTHING)
            fail_msg("case %zu, again: %x", i, (unsigned)result);
    }
    print_message("%zu of %zu thrown away, %zu died of it once\n", nothing + died, cases, died);
    assert_true(nothing > 0 || cases < CASES);
    end(&damaging);
}

static void flipped_bits_are_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(flip_bits);
}

static void a_lost_page_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(lose_page);
}

static void a_spoilt_page_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(spoil_page);
}

static void a_page_in_anothers_place_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(misplace_page);
}

static void a_file_that_was_cut_is_found(void **state) {
    (void)state;
    is_read_whole_or_not_at_all(cut);
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
