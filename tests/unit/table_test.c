/* table: as many places as keep chains short, and not many more. */
#include "hub/base/table.h"
#include "tests/lib/cmocka.h"

#include <stdint.h>

struct entry {
    UT_hash_handle hh;
    uint64_t number;
};

enum { COUNT = 200000 };

static void a_large_table_has_short_chains_and_few_empty_places(void **state) {
    struct entry *entries = hub_allocate_zero(COUNT, sizeof *entries), *table = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        entries[i].number = i;
        HASH_ADD(hh, table, number, sizeof entries[i].number, &entries[i]);
    }
    assert_in_range(table->hh.tbl->num_buckets, COUNT / 2, 4 * COUNT);
    for (size_t i = 0; i < table->hh.tbl->num_buckets; i++)
        assert_in_range(table->hh.tbl->buckets[i].count, 0, HASH_BKT_CAPACITY_THRESH);
    HASH_CLEAR(hh, table);
    hub_release(entries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_table_has_short_chains_and_few_empty_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
