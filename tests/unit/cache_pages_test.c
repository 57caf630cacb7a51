/* cache_pages: what is mapped of the cache's file has a bound, however large it is. */
#include "hub/io/cache_pages.h"
#include "hub/io/cache_hooks.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const spaces[] = {"s"};

struct keeping {
    struct folder folder;
    struct hub_cache *cache;
    struct hub_cache_shelf *shelf;
    struct hub_error error;
};

static void begin(struct keeping *keeping) {
    *keeping = (struct keeping){0};
    folder_make(&keeping->folder);
    expect_ok(hub_cache_open(folder_path(&keeping->folder, "state"), "one", &hub_sha256,
                             /* now_ms= */ 1, &keeping->cache, &keeping->error),
              &keeping->error);
    expect_ok(hub_cache_open_shelf(keeping->cache, "s", "rules", spaces, 1, &keeping->shelf,
                                   &keeping->error),
              &keeping->error);
}

static void end(struct keeping *keeping) {
    hub_cache_close(keeping->cache);
    folder_remove(&keeping->folder);
}

enum { COUNT = 4 * HUB_CACHE_PAGES_MET_MAX, LARGE_BYTES = 32 * 1024, LARGE_KB = 64 * 1024 };

/* From the number on; each with a hook of its own. */
static void note_from(struct keeping *keeping, int from, struct hub_bytes value) {
    for (int i = from; i < from + COUNT; i++) {
        struct hub_bytes key = hub_bytes(&i, sizeof i);
        const struct hub_hook hook = {.hash = hub_hook_hash(0, key)};
        hub_cache_note_hooked(keeping->cache, keeping->shelf, 0, key, &value, 1, &hook, 1);
    }
}

static void checkpoint(struct keeping *keeping) {
    const struct hub_cache_mark mark = {"s", 1};
    expect_ok(hub_cache_checkpoint(keeping->cache, &mark, 1, &keeping->error), &keeping->error);
}

/* A file of 64 MB. */
static void begin_large(struct keeping *keeping) {
    static const char large[LARGE_BYTES];
    begin(keeping);
    note_from(keeping, 0, hub_bytes(large, sizeof large));
    checkpoint(keeping);
}

static enum hub_status take(void *context, struct hub_bytes key, struct hub_bytes value,
                            struct hub_error *reterr) {
    size_t *count = context;
    (void)key;
    (void)reterr;
    *count += value.size == LARGE_BYTES;
    return HUB_OK;
}

static size_t load(struct keeping *keeping) {
    size_t count = 0;
    int64_t next = 0;
    expect_ok(hub_cache_load(keeping->cache, "s", take, &count, &next, &keeping->error),
              &keeping->error);
    return count;
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

/* A line of /proc/self/status, in kilobytes. */
static long memory(const char *name) {
    char line[256];
    long kilobytes = -1;
    size_t size = strlen(name);
    FILE *facts = fopen("/proc/self/status", "r");
    assert_non_null(facts);
    while (kilobytes < 0 && fgets(line, sizeof line, facts) != NULL)
        if (strncmp(line, name, size) == 0)
            kilobytes = strtol(line + size, NULL, 10);
    fclose(facts);
    return kilobytes;
}

/* proc_pid_clear_refs(5): the peak begins anew. */
static void begin_peak(void) {
    FILE *refs = fopen("/proc/self/clear_refs", "w");
    assert_non_null(refs);
    assert_true(fputs("5", refs) > 0);
    assert_int_equal(fclose(refs), 0);
}

static void what_was_read_is_let_go_by_the_next_checkpoint(void **state) {
    struct keeping keeping;
    const struct hub_bytes part = hub_bytes_of_text("1");
    (void)state;
    begin(&keeping);
    hub_cache_note(keeping.cache, "s", hub_bytes_of_text("a"), &part, 1);
    checkpoint(&keeping);
    load(&keeping);
    assert_true(mapped() > 0);
    checkpoint(&keeping);
    assert_int_equal(mapped(), 0);
    end(&keeping);
}

static void what_is_loaded_is_let_go_on_the_way(void **state) {
    struct keeping keeping;
    (void)state;
    begin_large(&keeping);
    assert_int_equal(load(&keeping), COUNT);
    assert_true(mapped() < LARGE_KB / 2);
    end(&keeping);
}

/* Beyond what was there before, in kilobytes. */
static long peak_of_checkpoint(struct keeping *keeping) {
    begin_peak();
    long before = memory("VmRSS:");
    checkpoint(keeping);
    return memory("VmHWM:") - before;
}

static void what_a_checkpoint_replaces_is_let_go_on_the_way(void **state) {
    struct keeping keeping;
    (void)state;
    begin_large(&keeping);
    note_from(&keeping, 0, hub_bytes_of_text("small"));
    assert_true(peak_of_checkpoint(&keeping) < LARGE_KB / 2);
    end(&keeping);
}

/* With as many more records there are more sums, each made of what is there. */
static void what_a_checkpoint_sums_again_is_let_go_on_the_way(void **state) {
    struct keeping keeping;
    (void)state;
    begin_large(&keeping);
    note_from(&keeping, COUNT, hub_bytes_of_text("small"));
    assert_true(peak_of_checkpoint(&keeping) < LARGE_KB / 2);
    end(&keeping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_let_go_by_the_next_checkpoint),
        cmocka_unit_test(what_is_loaded_is_let_go_on_the_way),
        cmocka_unit_test(what_a_checkpoint_replaces_is_let_go_on_the_way),
        cmocka_unit_test(what_a_checkpoint_sums_again_is_let_go_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
