/* cache: what was committed and nothing else, or nothing at all. */
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
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t DAY_MS = 24 * 3600 * 1000;
static const int64_t NOW_MS = 1800000000000;

struct keeping {
    struct folder folder;
    struct hub_cache *cache;
    struct hub_error error;
    struct hub_buffer loaded;
};

static void open_at(struct keeping *keeping, const char *identity, int64_t now_ms) {
    expect_ok(hub_cache_open(folder_path(&keeping->folder, "state"), identity, &hub_sha256, now_ms,
                             &keeping->cache, &keeping->error),
              &keeping->error);
}

static void begin(struct keeping *keeping) {
    *keeping = (struct keeping){0};
    folder_make(&keeping->folder);
    open_at(keeping, "one", NOW_MS);
}

static void reopen(struct keeping *keeping) {
    hub_cache_close(keeping->cache);
    open_at(keeping, "one", NOW_MS);
}

static void end(struct keeping *keeping) {
    hub_cache_close(keeping->cache);
    hub_buffer_free(&keeping->loaded);
    folder_remove(&keeping->folder);
}

static void note(struct keeping *keeping, const char *space, const char *key, const char *value) {
    struct hub_bytes bytes = hub_bytes_of_text(value);
    hub_cache_note(keeping->cache, space, hub_bytes_of_text(key), &bytes, 1);
}

static void checkpoint(struct keeping *keeping, const char *space, int64_t next) {
    const struct hub_cache_mark mark = {space, next};
    expect_ok(hub_cache_checkpoint(keeping->cache, &mark, 1, &keeping->error), &keeping->error);
}

static enum hub_status take(void *context, struct hub_bytes key, struct hub_bytes value,
                            struct hub_error *reterr) {
    struct hub_buffer *loaded = context;
    (void)reterr;
    hub_buffer_append_text(loaded, loaded->size == 0 ? "" : " ");
    hub_buffer_append_bytes(loaded, key);
    hub_buffer_append_text(loaded, "=");
    hub_buffer_append_bytes(loaded, value);
    return HUB_OK;
}

/* The next offset of a space; its records, in no order, are then in `loaded`. */
static int64_t load(struct keeping *keeping, const char *space) {
    int64_t next = 0;
    hub_buffer_clear(&keeping->loaded);
    expect_ok(hub_cache_load(keeping->cache, space, take, &keeping->loaded, &next,
                             &keeping->error),
              &keeping->error);
    return next;
}

static const char *loaded(struct keeping *keeping) {
    return hub_buffer_text(&keeping->loaded);
}

static void a_new_cache_knows_nothing(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    assert_int_equal(load(&keeping, "log.trial/0"), -1);
    assert_string_equal(loaded(&keeping), "");
    end(&keeping);
}

static void what_was_checkpointed_is_there_after_reopening(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "log.trial/0", "a", "1");
    checkpoint(&keeping, "log.trial/0", 7);
    reopen(&keeping);
    assert_int_equal(load(&keeping, "log.trial/0"), 7);
    assert_string_equal(loaded(&keeping), "a=1");
    end(&keeping);
}

static void what_was_only_noted_is_gone(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    note(&keeping, "s", "a", "2");
    note(&keeping, "s", "b", "2");
    assert_int_equal(hub_cache_next(keeping.cache, "s"), 1);
    assert_int_equal(hub_cache_next(keeping.cache, "other"), -1);
    reopen(&keeping);
    assert_int_equal(load(&keeping, "s"), 1);
    assert_string_equal(loaded(&keeping), "a=1");
    end(&keeping);
}

static void what_was_forgotten_is_not_written_by_the_next_checkpoint(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "aborted", "1");
    assert_true(hub_cache_noted_bytes(keeping.cache) > 0);
    hub_cache_forget(keeping.cache);
    assert_int_equal(hub_cache_noted_bytes(keeping.cache), 0);
    note(&keeping, "s", "committed", "1");
    checkpoint(&keeping, "s", 1);
    load(&keeping, "s");
    assert_string_equal(loaded(&keeping), "committed=1");
    end(&keeping);
}

static void of_a_key_the_newest_note_counts(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "a much longer first value");
    note(&keeping, "s", "a", "2");
    note(&keeping, "s", "a", "3");
    checkpoint(&keeping, "s", 1);
    load(&keeping, "s");
    assert_string_equal(loaded(&keeping), "a=3");
    note(&keeping, "s", "a", "4");
    checkpoint(&keeping, "s", 2);
    assert_int_equal(load(&keeping, "s"), 2);
    assert_string_equal(loaded(&keeping), "a=4");
    end(&keeping);
}

static enum hub_status count(void *context, struct hub_bytes key, struct hub_bytes value,
                             struct hub_error *reterr) {
    const uint8_t *newest = context;
    size_t *counts = context;
    (void)key;
    (void)reterr;
    counts[1 + (value.data[0] == *newest)]++;
    return HUB_OK;
}

/* By many inner transactions. */
static void however_many_come_in_one_checkpoint_each_is_written(void **state) {
    enum { MANY = 50000 };
    struct keeping keeping;
    int64_t next = 0;
    (void)state;
    begin(&keeping);
    for (uint8_t round = 1; round <= 2; round++) {
        size_t counts[3] = {round};
        struct hub_bytes value = hub_bytes(&round, 1);
        for (uint32_t i = 0; i < MANY; i++)
            hub_cache_note(keeping.cache, "s", hub_bytes(&i, sizeof i), &value, 1);
        checkpoint(&keeping, "s", round);
        expect_ok(hub_cache_load(keeping.cache, "s", count, counts, &next, &keeping.error),
                  &keeping.error);
        assert_int_equal(next, round);
        assert_int_equal(counts[1], 0);
        assert_int_equal(counts[2], MANY);
    }
    end(&keeping);
}

static void a_key_that_is_noted_again_and_again_does_not_grow_what_is_noted(void **state) {
    enum { SIZE = 1024 * 1024, TIMES = 100, KEPT_BESIDE = 16 };
    struct keeping keeping;
    struct hub_bytes value = hub_bytes(hub_allocate_zero(1, SIZE), SIZE);
    (void)state;
    begin(&keeping);
    for (int i = 0; i < TIMES; i++) {
        hub_cache_note(keeping.cache, "s", hub_bytes_of_text("a"), &value, 1);
        assert_in_range(hub_cache_noted_bytes(keeping.cache), SIZE,
                        SIZE + KEPT_BESIDE + HUB_CACHE_REPLACED_BYTES_MAX);
    }
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    assert_int_equal(load(&keeping, "s"), 1);
    assert_string_equal(loaded(&keeping), "a=1");
    end(&keeping);
    hub_release((void *)value.data);
}

/* Of the cache's file, in kilobytes. */
static long mapped(void) {
    char line[512];
    long kilobytes = -1;
    bool is_ours = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (kilobytes < 0 && fgets(line, sizeof line, maps) != NULL) {
        is_ours |= strstr(line, "/data.mdb") != NULL;
        if (is_ours && sscanf(line, "Rss: %ld", &kilobytes) != 1)
            kilobytes = -1;
    }
    fclose(maps);
    return kilobytes;
}

static void what_was_read_of_the_file_is_let_go_by_the_next_checkpoint(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    load(&keeping, "s");
    assert_true(mapped() > 0);
    checkpoint(&keeping, "s", 2);
    assert_int_equal(mapped(), 0);
    assert_int_equal(load(&keeping, "s"), 2);
    assert_string_equal(loaded(&keeping), "a=1");
    end(&keeping);
}

static void the_next_offset_of_a_space_is_known_without_loading(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 5);
    assert_int_equal(hub_cache_next(keeping.cache, "s"), 5);
    assert_int_equal(hub_cache_next(keeping.cache, "never seen"), -1);
    end(&keeping);
}

static void spaces_do_not_see_each_other(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "log.trial/0", "a", "1");
    note(&keeping, "log.trial/1", "a", "2");
    const struct hub_cache_mark marks[] = {{"log.trial/0", 5}, {"log.trial/1", 6}};
    expect_ok(hub_cache_checkpoint(keeping.cache, marks, 2, &keeping.error), &keeping.error);
    hub_cache_drop(keeping.cache, "log.trial/0");
    assert_int_equal(load(&keeping, "log.trial/0"), -1);
    assert_string_equal(loaded(&keeping), "");
    assert_int_equal(load(&keeping, "log.trial/1"), 6);
    assert_string_equal(loaded(&keeping), "a=2");
    hub_cache_drop(keeping.cache, "never seen");
    assert_int_equal(load(&keeping, "log.trial/1"), 6);
    note(&keeping, "log.trial/0", "b", "3"); /* and it can begin again */
    checkpoint(&keeping, "log.trial/0", 1);
    load(&keeping, "log.trial/0");
    assert_string_equal(loaded(&keeping), "b=3");
    end(&keeping);
}

static void keys_and_values_may_be_any_bytes(void **state) {
    struct keeping keeping;
    int64_t next = 0;
    (void)state;
    begin(&keeping);
    const struct hub_bytes parts[] = {hub_bytes("\0", 1), hub_bytes("\xff", 1)};
    hub_cache_note(keeping.cache, "s", hub_bytes("\0\1", 2), parts, 2);
    hub_cache_note(keeping.cache, "s", hub_bytes("", 0), NULL, 0);
    checkpoint(&keeping, "s", 1);
    hub_buffer_clear(&keeping.loaded);
    expect_ok(hub_cache_load(keeping.cache, "s", take, &keeping.loaded, &next, &keeping.error),
              &keeping.error);
    assert_int_equal(keeping.loaded.size, 5 + 1 + 1);
    end(&keeping);
}

/* --- what is thrown away --- */

static void another_identity_begins_anew(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    hub_cache_close(keeping.cache);
    open_at(&keeping, "another", NOW_MS);
    assert_int_equal(load(&keeping, "s"), -1);
    reopen(&keeping); /* and what it was is not there again */
    assert_int_equal(load(&keeping, "s"), -1);
    end(&keeping);
}

static void a_cache_of_seven_days_is_old(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    hub_cache_close(keeping.cache);
    open_at(&keeping, "one", NOW_MS + 7 * DAY_MS);
    assert_int_equal(load(&keeping, "s"), 1);
    hub_cache_close(keeping.cache);
    open_at(&keeping, "one", NOW_MS + 7 * DAY_MS + 1);
    assert_int_equal(load(&keeping, "s"), -1);
    end(&keeping);
}

static void a_cache_from_the_future_is_thrown_away(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    hub_cache_close(keeping.cache);
    open_at(&keeping, "one", NOW_MS - 1);
    assert_int_equal(load(&keeping, "s"), -1);
    end(&keeping);
}

static void a_file_that_is_no_cache_is_replaced(void **state) {
    static const char *const junk[] = {"", "x", "this is no database at all"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct keeping keeping;
        begin(&keeping);
        note(&keeping, "s", "a", "1");
        checkpoint(&keeping, "s", 1);
        hub_cache_close(keeping.cache);
        folder_write(&keeping.folder, "state/data.mdb", junk[i]);
        open_at(&keeping, "one", NOW_MS);
        assert_int_equal(load(&keeping, "s"), -1);
        note(&keeping, "s", "b", "2");
        checkpoint(&keeping, "s", 2);
        reopen(&keeping);
        assert_int_equal(load(&keeping, "s"), 2);
        end(&keeping);
    }
}

/* Fills a page or more, so that records lie where they can be found in the file. */
static void fill(struct keeping *keeping, const char *space) {
    char key[16];
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "key %d", i);
        note(keeping, space, key, "the value that will be looked for");
    }
    checkpoint(keeping, space, 50);
}

static void a_record_that_is_not_as_it_was_written_ends_the_cache(void **state) {
    struct keeping keeping;
    int64_t next = 0;
    HUB_SCOPED_BUFFER file = {0};
    (void)state;
    begin(&keeping);
    fill(&keeping, "damaged");
    note(&keeping, "other", "a", "1");
    checkpoint(&keeping, "other", 1);
    hub_cache_close(keeping.cache);
    const char *path = folder_path(&keeping.folder, "state/data.mdb");
    expect_ok(hub_file_read(path, &file, &keeping.error), &keeping.error);
    size_t hits = 0;
    for (uint8_t *at = file.data;
         (at = memmem(at, file.size - (size_t)(at - file.data), "looked for", 10)) != NULL; at++) {
        *at ^= 0x20;
        hits++;
    }
    assert_true(hits > 0);
    expect_ok(hub_file_write(path, hub_buffer_bytes(&file), &keeping.error), &keeping.error);
    open_at(&keeping, "one", NOW_MS);
    hub_buffer_clear(&keeping.loaded);
    expect_refusal(hub_cache_load(keeping.cache, "damaged", take, &keeping.loaded, &next,
                                  &keeping.error),
                   HUB_RETRY, &keeping.error, "cache: damaged was damaged", "thrown away");
    assert_int_equal(load(&keeping, "damaged"), -1); /* and nothing is kept any more */
    assert_int_equal(load(&keeping, "other"), -1);
    note(&keeping, "other", "a", "2");
    assert_int_equal(hub_cache_noted_bytes(keeping.cache), 0);
    checkpoint(&keeping, "other", 2);
    assert_int_equal(load(&keeping, "other"), -1);
    reopen(&keeping); /* until it is opened anew */
    note(&keeping, "other", "a", "3");
    checkpoint(&keeping, "other", 3);
    assert_int_equal(load(&keeping, "other"), 3);
    end(&keeping);
}

enum { PARTLY = 9 };

/* Opens and loads in a process of its own: 0 where the space is whole or known to be nothing,
 * PARTLY where it is neither, anything else where LMDB dies of it. */
static int load_in_a_child(struct keeping *keeping) {
    pid_t child = fork();
    if (child == 0) {
        struct hub_cache *cache = NULL;
        int64_t next = -1;
        HUB_SCOPED_BUFFER found = {0};
        struct hub_error error = {{0}};
        const char *folder = folder_path(&keeping->folder, "state");
        signal(SIGSEGV, SIG_DFL); /* the sanitizer would tell of it at length */
        signal(SIGBUS, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        if (hub_cache_open(folder, "one", &hub_sha256, NOW_MS, &cache, &error) != HUB_OK) {
            print_error("%s\n", error.text);
            _exit(PARTLY);
        }
        enum hub_status status = hub_cache_load(cache, "s", take, &found, &next, NULL);
        bool whole = next == 50 && found.size > 50 * 30;
        _exit(status == HUB_RETRY || next == -1 || (status == HUB_OK && whole) ? 0 : PARTLY);
    }
    int result = -1;
    waitpid(child, &result, 0);
    return result;
}

/* The file of a filled cache that is not open. */
static const char *closed_file(struct keeping *keeping, struct hub_buffer *ret_file) {
    begin(keeping);
    fill(keeping, "s");
    hub_cache_close(keeping->cache);
    keeping->cache = NULL;
    const char *path = folder_path(&keeping->folder, "state/data.mdb");
    expect_ok(hub_file_read(path, ret_file, &keeping->error), &keeping->error);
    return path;
}

/* Whatever is cut off the file: it is read as it was, or known to be nothing; never partly. */
static void a_torn_file_is_whole_or_nothing(void **state) {
    struct keeping keeping;
    HUB_SCOPED_BUFFER file = {0};
    const char *path = closed_file(&keeping, &file);
    (void)state;
    for (size_t size = 0; size <= file.size; size += 1024) {
        expect_ok(hub_file_write(path, hub_bytes_part(hub_buffer_bytes(&file), 0, size),
                                 &keeping.error),
                  &keeping.error);
        int result = load_in_a_child(&keeping);
        if (result != 0)
            fail_msg("cut at %zu of %zu: %d", size, file.size, result);
    }
    end(&keeping);
}

static void a_process_that_was_killed_while_it_read_begins_anew(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    hub_cache_close(keeping.cache);
    folder_write(&keeping.folder, "state/reading", "");
    open_at(&keeping, "one", NOW_MS);
    assert_int_equal(load(&keeping, "s"), -1);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    reopen(&keeping);
    assert_int_equal(load(&keeping, "s"), 1);
    end(&keeping);
}

/* --- what cannot be written --- */

static void a_folder_that_cannot_be_made_is_fatal(void **state) {
    struct keeping keeping;
    struct hub_cache *other = NULL;
    (void)state;
    begin(&keeping);
    folder_write(&keeping.folder, "file", "x");
    assert_int_equal(hub_cache_open(folder_path(&keeping.folder, "file/below"), "one", &hub_sha256,
                                    NOW_MS, &other, &keeping.error),
                     HUB_FATAL);
    end(&keeping);
}

/* In a process of its own, whose files must not grow: that stands for a full disk. */
static int fill_the_disk(struct keeping *keeping, size_t count, size_t size) {
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {32768, 32768};
        const struct hub_cache_mark mark = {"s", 2};
        uint8_t *value = hub_allocate_zero(1, size);
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        hub_cache_close(keeping->cache);
        if (hub_cache_open(folder_path(&keeping->folder, "state"), "one", &hub_sha256, NOW_MS,
                           &keeping->cache, NULL) != HUB_OK)
            _exit(2);
        for (size_t i = 0; i < count; i++)
            hub_cache_note(keeping->cache, "s", hub_bytes(&i, sizeof i),
                           &(struct hub_bytes){value, size}, 1);
        enum hub_status status = hub_cache_checkpoint(keeping->cache, &mark, 1, NULL);
        if (status != HUB_RETRY)
            _exit(3);
        /* Kept for the next checkpoint, or too much to be kept. */
        bool kept = hub_cache_noted_bytes(keeping->cache) > 0;
        _exit(kept == (count * size <= HUB_CACHE_NOTED_BYTES_MAX) ? 0 : 4);
    }
    int result = -1;
    waitpid(child, &result, 0);
    return result;
}

static void a_full_disk_leaves_the_cache_as_it_was(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    assert_int_equal(fill_the_disk(&keeping, 1, 100000), 0);
    reopen(&keeping);
    assert_int_equal(load(&keeping, "s"), 1);
    assert_string_equal(loaded(&keeping), "a=1");
    end(&keeping);
}

static void memory_does_not_grow_while_the_disk_is_full(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    assert_int_equal(fill_the_disk(&keeping, 33, 4 * 1024 * 1024), 0);
    reopen(&keeping); /* as it was: what was not kept is not taken for complete */
    assert_int_equal(load(&keeping, "s"), 1);
    assert_string_equal(loaded(&keeping), "a=1");
    end(&keeping);
}

static enum hub_status refuse(void *context, struct hub_bytes key, struct hub_bytes value,
                              struct hub_error *reterr) {
    (void)context;
    (void)key;
    (void)value;
    return hub_fail(reterr, HUB_FATAL, "as the reader says");
}

static void what_the_reader_says_is_passed_on(void **state) {
    struct keeping keeping;
    int64_t next = 0;
    (void)state;
    begin(&keeping);
    note(&keeping, "s", "a", "1");
    checkpoint(&keeping, "s", 1);
    expect_refusal(hub_cache_load(keeping.cache, "s", refuse, NULL, &next, &keeping.error),
                   HUB_FATAL, &keeping.error, "as the reader says", "");
    assert_int_equal(load(&keeping, "s"), 1);
    end(&keeping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_cache_knows_nothing),
        cmocka_unit_test(what_was_checkpointed_is_there_after_reopening),
        cmocka_unit_test(what_was_only_noted_is_gone),
        cmocka_unit_test(what_was_forgotten_is_not_written_by_the_next_checkpoint),
        cmocka_unit_test(of_a_key_the_newest_note_counts),
        cmocka_unit_test(however_many_come_in_one_checkpoint_each_is_written),
        cmocka_unit_test(a_key_that_is_noted_again_and_again_does_not_grow_what_is_noted),
        cmocka_unit_test(what_was_read_of_the_file_is_let_go_by_the_next_checkpoint),
        cmocka_unit_test(the_next_offset_of_a_space_is_known_without_loading),
        cmocka_unit_test(spaces_do_not_see_each_other),
        cmocka_unit_test(keys_and_values_may_be_any_bytes),
        cmocka_unit_test(another_identity_begins_anew),
        cmocka_unit_test(a_cache_of_seven_days_is_old),
        cmocka_unit_test(a_cache_from_the_future_is_thrown_away),
        cmocka_unit_test(a_file_that_is_no_cache_is_replaced),
        cmocka_unit_test(a_record_that_is_not_as_it_was_written_ends_the_cache),
        cmocka_unit_test(a_torn_file_is_whole_or_nothing),
        cmocka_unit_test(a_process_that_was_killed_while_it_read_begins_anew),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_fatal),
        cmocka_unit_test(a_full_disk_leaves_the_cache_as_it_was),
        cmocka_unit_test(memory_does_not_grow_while_the_disk_is_full),
        cmocka_unit_test(what_the_reader_says_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
