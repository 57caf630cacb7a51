/* cache: a checkpoint that changes more pages than LMDB lists for one transaction (131,071), as the long run makes
 * them; in others it is a small one. */
#include "hub/io/cache.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

enum { COUNT = 3500, SIZE = 2300 }; /* each record on a page of its own */

struct keeping {
    struct folder folder;
    struct hub_cache *cache;
    struct hub_error error;
    uint8_t said; /* what every record says */
    size_t count;
};

static void note_all(struct keeping *keeping, uint8_t says) {
    uint8_t value[SIZE] = {0};
    const struct hub_bytes bytes = hub_bytes(value, sizeof value);
    memset(value, says, sizeof value);
    for (size_t i = 0; i < keeping->count; i++)
        hub_cache_note(keeping->cache, "s", hub_bytes(&i, sizeof i), &bytes, 1);
    keeping->said = says;
}

static void checkpoint(struct keeping *keeping, int64_t next) {
    const struct hub_cache_mark mark = {"s", next};
    expect_ok(hub_cache_checkpoint(keeping->cache, &mark, 1, &keeping->error), &keeping->error);
}

struct seeing {
    struct keeping *keeping;
    bool *seen;
    size_t count;
};

static enum hub_status take(void *context, struct hub_bytes key, struct hub_bytes value,
                            struct hub_error *reterr) {
    struct seeing *seeing = context;
    size_t number = 0;
    (void)reterr;
    memcpy(&number, key.data, sizeof number);
    assert_true(number < seeing->keeping->count);
    assert_false(seeing->seen[number]);
    assert_int_equal(value.size, SIZE);
    assert_int_equal(value.data[0], seeing->keeping->said);
    assert_int_equal(value.data[SIZE - 1], seeing->keeping->said);
    seeing->seen[number] = true;
    seeing->count++;
    return HUB_OK;
}

static void expect_all(struct keeping *keeping, int64_t next) {
    struct seeing seeing = {keeping, hub_allocate_zero(keeping->count, sizeof(bool)), 0};
    int64_t found = 0;
    expect_ok(hub_cache_load(keeping->cache, "s", take, &seeing, &found, &keeping->error),
              &keeping->error);
    assert_int_equal(found, next);
    assert_int_equal(seeing.count, keeping->count);
    hub_release(seeing.seen);
}

static void a_checkpoint_may_change_more_pages_than_one_transaction_lists(void **state) {
    struct keeping keeping = {.count = test_cases(COUNT)};
    (void)state;
    folder_make(&keeping.folder);
    expect_ok(hub_cache_open(folder_path(&keeping.folder, "state"), "one", &hub_sha256, /* now_ms= */ 1,
                             &keeping.cache, &keeping.error),
              &keeping.error);
    for (int round = 1; round <= 3; round++) {
        note_all(&keeping, (uint8_t)round);
        checkpoint(&keeping, round);
        expect_all(&keeping, round);
    }
    hub_cache_close(keeping.cache);
    folder_remove(&keeping.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_may_change_more_pages_than_one_transaction_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
