/* A disk that fails: what is kept on it is as it was, as it should be, or thrown away; never something
 * between. Each call that reaches the disk fails in turn. */
#include "connectors/kit/spool.h"
#include "hub/io/cache_hooks.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the program and the libraries in it call instead of the C library's. */
static struct {
    int calls;   /* so far */
    int fail_at; /* counted from 1; 0: none */
    int code;
    bool for_ever; /* from then on */
    bool half;     /* a write of several bytes writes half of them, and then there is no room */
} disk;

static bool fails(void) {
    disk.calls++;
    bool now = disk.fail_at > 0 &&
               (disk.calls == disk.fail_at || (disk.for_ever && disk.calls > disk.fail_at));
    if (now)
        errno = disk.code;
    return now;
}

#define ORIGINAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int fsync(int descriptor) {
    return fails() ? -1 : ORIGINAL(fsync)(descriptor);
}

int fdatasync(int descriptor) {
    return fails() ? -1 : ORIGINAL(fdatasync)(descriptor);
}

ssize_t write(int descriptor, const void *data, size_t size) {
    if (descriptor <= STDERR_FILENO || !fails())
        return ORIGINAL(write)(descriptor, data, size);
    return disk.half ? ORIGINAL(write)(descriptor, data, size / 2) : -1;
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
    if (!fails())
        return ORIGINAL(pwrite)(descriptor, data, size, offset);
    return disk.half ? ORIGINAL(pwrite)(descriptor, data, size / 2, offset) : -1;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    if (!fails())
        return ORIGINAL(writev)(descriptor, parts, count);
    return disk.half ? ORIGINAL(writev)(descriptor, parts, count - 1) : -1;
}

int posix_fallocate(int descriptor, off_t offset, off_t size) {
    return fails() ? disk.code : ORIGINAL(posix_fallocate)(descriptor, offset, size);
}

static void fail_from(int at, int code, bool for_ever, bool half) {
    disk.calls = 0;
    disk.fail_at = at;
    disk.code = code;
    disk.for_ever = for_ever;
    disk.half = half;
}

static void mend(void) {
    fail_from(0, 0, false, false);
}

/* --- the cache --- */

enum { VALUE_SIZE = 3000, KEYS = 12 }; /* several pages, so that one write has several parts */

static enum hub_status open_cache(struct folder *folder, struct hub_cache **ret_cache) {
    struct hub_error error;
    *ret_cache = NULL;
    return hub_cache_open(folder_path(folder, "state"), "one", &hub_sha256, 1800000000000,
                          ret_cache, &error);
}

static struct hub_cache_shelf *open_shelf(struct hub_cache *cache) {
    static const char *const spaces[] = {"s"};
    struct hub_cache_shelf *shelf = NULL;
    struct hub_error error;
    expect_ok(hub_cache_open_shelf(cache, "shelf", "rules", spaces, 1, &shelf, &error), &error);
    return shelf;
}

static uint64_t hook_of(uint8_t key, int round) {
    const uint8_t text[] = {key, (uint8_t)round};
    return hub_hook_hash(0, hub_bytes(text, sizeof text));
}

/* The same keys get the values of another round, and hooks of it; the mark is the round. */
static enum hub_status keep_round(struct hub_cache *cache, int round) {
    uint8_t value[VALUE_SIZE];
    struct hub_error error;
    const struct hub_bytes part = {value, sizeof value};
    const struct hub_cache_mark mark = {"s", round};
    struct hub_cache_shelf *shelf = hub_cache_keeps(cache) ? open_shelf(cache) : NULL;
    memset(value, round, sizeof value);
    for (uint8_t key = 0; shelf != NULL && key < KEYS; key++) {
        const struct hub_hook hooks[] = {{.hash = hook_of(key, 0)}, {.hash = hook_of(key, round)}};
        hub_cache_note_hooked(cache, shelf, 0, hub_bytes(&key, 1), &part, 1, hooks, 2);
    }
    return hub_cache_checkpoint(cache, &mark, 1, &error);
}

struct found {
    int count, round;
    bool mixed;
};

static enum hub_status take(void *context, struct hub_bytes key, struct hub_bytes value,
                            struct hub_error *reterr) {
    struct found *found = context;
    (void)key;
    (void)reterr;
    found->mixed |= found->count++ > 0 && value.data[0] != found->round;
    found->round = value.data[0];
    return HUB_OK;
}

static enum hub_status take_found(void *context, unsigned topic, struct hub_bytes key,
                                  struct hub_bytes value, struct hub_error *reterr) {
    (void)topic;
    return take(context, key, value, reterr);
}

/* How many records a hook leads to, all of the round. */
static int look_up(struct hub_cache *cache, uint64_t hook, int round) {
    struct hub_error error;
    struct found found = {.round = round};
    expect_ok(hub_cache_find(cache, open_shelf(cache), hook, NULL, take_found, &found, &error), &error);
    assert_true(!found.mixed && found.round == round);
    return found.count;
}

/* Each record is found by its hooks, and by none of later rounds. */
static void expect_round(struct hub_cache *cache, int round) {
    for (uint8_t key = 0; key < KEYS; key++) {
        assert_int_equal(look_up(cache, hook_of(key, 0), round), 1);
        assert_int_equal(look_up(cache, hook_of(key, round), round), 1);
        assert_int_equal(look_up(cache, hook_of(key, round + 1), round), 0);
    }
}

/* The round that the cache has whole; -1 where it knows nothing. */
static int round_kept(struct folder *folder) {
    struct hub_cache *cache = NULL;
    struct hub_error error;
    struct found found = {0};
    int64_t next = -1;
    assert_int_equal(open_cache(folder, &cache), HUB_OK);
    expect_ok(hub_cache_load(cache, "s", take, &found, &next, &error), &error);
    assert_false(found.mixed);
    assert_int_equal(found.count, next < 0 ? 0 : KEYS);
    assert_true(next < 0 || next == found.round);
    if (next >= 0)
        expect_round(cache, (int)next);
    hub_cache_close(cache);
    return (int)next;
}

/* One round is kept, then two more on the disk as it was told to fail: what the checkpoints gave, and
 * the round kept in the end. */
struct harmed {
    enum hub_status status[2];
    int kept;
};

/* False where the disk was not called as often as that. */
static bool harm_checkpoints(int at, int code, bool for_ever, bool half, struct harmed *ret_harmed) {
    struct folder folder;
    struct hub_cache *cache = NULL;
    folder_make(&folder);
    assert_int_equal(open_cache(&folder, &cache), HUB_OK);
    assert_int_equal(keep_round(cache, 1), HUB_OK);
    fail_from(at, code, for_ever, half);
    for (int i = 0; i < 2; i++)
        ret_harmed->status[i] = keep_round(cache, 2 + i);
    bool failed = disk.calls >= at;
    mend();
    hub_cache_close(cache);
    ret_harmed->kept = round_kept(&folder);
    folder_remove(&folder);
    return failed;
}

/* The last round that was said to be kept; none where an error said that the cache is thrown away. */
static int said_to_be_kept(const struct harmed *harmed) {
    if (harmed->status[0] == HUB_FATAL || harmed->status[1] == HUB_FATAL)
        return -1;
    return harmed->status[1] == HUB_OK ? 3 : harmed->status[0] == HUB_OK ? 2 : 1;
}

static bool any(const struct harmed *harmed, enum hub_status status) {
    return harmed->status[0] == status || harmed->status[1] == status;
}

/* Of a checkpoint's calls only the last may end the cache: it overwrites the page that says which
 * pages count, and a disk that has no room for that either leaves LMDB without one to trust. */
static void a_disk_that_was_full_once_is_written_to_again(void **state) {
    struct harmed harmed;
    int at = 1, mended = 0, ended = 0;
    (void)state;
    for (; harm_checkpoints(at, ENOSPC, /* for_ever= */ false, /* half= */ false, &harmed); at++) {
        assert_true(any(&harmed, HUB_RETRY));
        assert_int_equal(harmed.kept, said_to_be_kept(&harmed));
        mended += harmed.status[0] == HUB_RETRY && harmed.kept == 3;
        ended += harmed.kept < 0;
    }
    assert_true(at > 6 && mended > 2 && ended <= 1);
}

static void a_disk_that_stays_full_leaves_the_last_checkpoint(void **state) {
    struct harmed harmed;
    int at = 1, left = 0, ended = 0;
    (void)state;
    for (; harm_checkpoints(at, ENOSPC, /* for_ever= */ true, /* half= */ false, &harmed); at++) {
        assert_true(any(&harmed, HUB_RETRY));
        assert_int_equal(harmed.kept, said_to_be_kept(&harmed));
        left += harmed.kept == 1;
        ended += harmed.kept < 0;
    }
    assert_true(at > 6 && left > 2 && ended <= 1);
}

static void while_the_disk_is_full_the_last_checkpoint_is_looked_up(void **state) {
    struct folder folder;
    struct hub_cache *cache = NULL;
    (void)state;
    folder_make(&folder);
    assert_int_equal(open_cache(&folder, &cache), HUB_OK);
    assert_int_equal(keep_round(cache, 1), HUB_OK);
    fail_from(1, ENOSPC, /* for_ever= */ true, /* half= */ false);
    for (int round = 2; round <= 3; round++) {
        assert_int_equal(keep_round(cache, round), HUB_RETRY);
        expect_round(cache, 1);
    }
    mend();
    assert_int_equal(keep_round(cache, 3), HUB_OK); /* the same hooks again */
    expect_round(cache, 3);
    hub_cache_close(cache);
    assert_int_equal(round_kept(&folder), 3);
    folder_remove(&folder);
}

/* The library says that there was an error of the disk; there is only no room. */
static void a_write_that_found_room_for_half_is_a_full_disk(void **state) {
    struct harmed harmed;
    (void)state;
    assert_true(harm_checkpoints(1, ENOSPC, /* for_ever= */ true, /* half= */ true, &harmed));
    assert_int_equal(harmed.status[0], HUB_RETRY);
    assert_int_equal(harmed.status[1], HUB_RETRY);
    assert_int_equal(harmed.kept, 1);
}

static void after_any_other_error_the_cache_is_thrown_away(void **state) {
    struct harmed harmed;
    int at = 1;
    (void)state;
    for (; harm_checkpoints(at, EIO, /* for_ever= */ false, /* half= */ false, &harmed); at++) {
        assert_true(any(&harmed, HUB_FATAL));
        assert_int_equal(harmed.kept, -1);
    }
    assert_true(at > 6);
}

static void opening_gives_a_cache_or_says_why_not(void **state) {
    const int codes[] = {ENOSPC, EIO};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int at = 1;; at++) {
            struct folder folder;
            struct hub_cache *cache = NULL;
            folder_make(&folder);
            fail_from(at, codes[i % 2], /* for_ever= */ i >= 2, /* half= */ false);
            enum hub_status status = open_cache(&folder, &cache);
            bool failed = disk.calls >= at;
            mend();
            assert_int_equal(status == HUB_OK, cache != NULL);
            assert_true(status == HUB_OK || status == (codes[i % 2] == EIO ? HUB_FATAL : HUB_RETRY));
            hub_cache_close(cache);
            assert_int_equal(round_kept(&folder), -1);
            folder_remove(&folder);
            if (!failed)
                break;
        }
}

static void a_cache_that_was_given_up_says_so_until_it_is_opened_again(void **state) {
    struct folder folder;
    struct hub_cache *cache = NULL;
    (void)state;
    folder_make(&folder);
    assert_int_equal(open_cache(&folder, &cache), HUB_OK);
    assert_true(hub_cache_keeps(cache));
    fail_from(1, EIO, /* for_ever= */ true, /* half= */ false);
    assert_int_equal(keep_round(cache, 1), HUB_FATAL);
    mend();
    assert_false(hub_cache_keeps(cache));
    assert_int_equal(hub_cache_next(cache, "s"), -1);
    assert_int_equal(keep_round(cache, 2), HUB_OK); /* nothing is to be kept */
    hub_cache_close(cache);
    assert_int_equal(open_cache(&folder, &cache), HUB_OK);
    assert_true(hub_cache_keeps(cache));
    assert_int_equal(keep_round(cache, 3), HUB_OK);
    hub_cache_close(cache);
    assert_int_equal(round_kept(&folder), 3);
    folder_remove(&folder);
}

static void whether_there_is_room_is_tried(void **state) {
    struct folder folder;
    (void)state;
    folder_make(&folder);
    assert_true(hub_cache_has_room(folder.path));
    fail_from(1, ENOSPC, /* for_ever= */ false, /* half= */ false);
    assert_false(hub_cache_has_room(folder.path));
    mend();
    assert_false(hub_cache_has_room(folder_path(&folder, "none")));
    folder_remove(&folder);
}

/* --- files --- */

static void a_file_that_cannot_be_written_is_as_it_was(void **state) {
    const int codes[] = {ENOSPC, EDQUOT, EIO};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int at = 1; at <= 2; at++) { /* its bytes, its sync */
            struct folder folder;
            struct hub_error error;
            HUB_SCOPED_BUFFER text = {0};
            folder_make(&folder);
            folder_write(&folder, "a", "old");
            const char *path = folder_path(&folder, "a");
            fail_from(at, codes[i], /* for_ever= */ false, /* half= */ false);
            assert_int_equal(hub_file_write(path, hub_bytes_of_text("new"), &error),
                             codes[i] == EIO ? HUB_FATAL : HUB_RETRY);
            mend();
            expect_ok(hub_file_read(path, &text, &error), &error);
            assert_string_equal(hub_buffer_text(&text), "old");
            expect_ok(hub_file_write(path, hub_bytes_of_text("new"), &error), &error);
            folder_remove(&folder);
        }
}

/* --- the spool --- */

static void open_spool(struct folder *folder, struct hub_spool **ret_spool) {
    static const char key[] = "0123456789abcdef0123456789abcdef";
    static const struct hub_keys keys = {
        .journal = {.id = "k", .bytes = {(const uint8_t *)key, sizeof key}}};
    const struct hub_spool_config config = {.state_folder = folder->path,
                                            .name = "called",
                                            .transport = "mllp",
                                            .keys = &keys,
                                            .size_max_bytes = 1048576};
    struct hub_error error;
    hub_spool_close(*ret_spool);
    *ret_spool = NULL;
    expect_ok(hub_spool_open(&config, ret_spool, &error), &error);
}

static enum hub_status keep_in(struct hub_spool *spool, const char *text) {
    const struct hub_raw_document document = {.name = "F", .bytes = hub_bytes_of_text(text)};
    struct hub_error error;
    return hub_spool_append(spool, &document, &error);
}

static void expect_in(struct hub_spool *spool, struct folder *folder, const char *wanted) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_raw_document document = {0};
    struct hub_error error;
    bool some = true;
    while (some) {
        expect_ok(hub_spool_take(spool, &folder->arena, &document, &some, &error), &error);
        if (some)
            hub_buffer_append_bytes(&text, document.bytes);
    }
    assert_string_equal(hub_buffer_text(&text), wanted);
}

static void what_is_in_a_spool_is_what_was_said_to_be(void **state) {
    const int codes[] = {ENOSPC, EIO};
    (void)state;
    for (int i = 0; i < 4; i++)
        for (int at = 1;; at++) { /* its bytes, its sync, its folder's */
            struct folder folder;
            struct hub_spool *spool = NULL;
            folder_make(&folder);
            open_spool(&folder, &spool);
            assert_int_equal(keep_in(spool, "a"), HUB_OK);
            fail_from(at, codes[i % 2], /* for_ever= */ i >= 2, /* half= */ false);
            enum hub_status status = keep_in(spool, "b");
            bool failed = disk.calls >= at;
            mend();
            assert_int_equal(status != HUB_OK, failed);
            assert_true(at != 1 || status == (codes[i % 2] == EIO ? HUB_FATAL : HUB_RETRY));
            open_spool(&folder, &spool);
            expect_in(spool, &folder, failed ? "a" : "ab");
            assert_int_equal(keep_in(spool, "c"), HUB_OK);
            open_spool(&folder, &spool);
            expect_in(spool, &folder, failed ? "ac" : "abc");
            hub_spool_close(spool);
            folder_remove(&folder);
            assert_true(at >= 4 || failed);
            if (!failed)
                break;
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_was_full_once_is_written_to_again),
        cmocka_unit_test(a_disk_that_stays_full_leaves_the_last_checkpoint),
        cmocka_unit_test(while_the_disk_is_full_the_last_checkpoint_is_looked_up),
        cmocka_unit_test(a_write_that_found_room_for_half_is_a_full_disk),
        cmocka_unit_test(after_any_other_error_the_cache_is_thrown_away),
        cmocka_unit_test(opening_gives_a_cache_or_says_why_not),
        cmocka_unit_test(a_cache_that_was_given_up_says_so_until_it_is_opened_again),
        cmocka_unit_test(whether_there_is_room_is_tried),
        cmocka_unit_test(a_file_that_cannot_be_written_is_as_it_was),
        cmocka_unit_test(what_is_in_a_spool_is_what_was_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
