/* cache_sums: whatever of a record or of a bucket is not as it was written, its hash is another. */
#include "hub/io/cache_sums.h"
#include "tests/lib/cmocka.h"

#include <string.h>

enum { SIZE = 150 }; /* some strides of all lanes, and a rest */

static void every_bit_counts(void **state) {
    uint8_t data[SIZE];
    (void)state;
    for (size_t size = 0; size <= SIZE; size++) {
        for (size_t i = 0; i < SIZE; i++)
            data[i] = (uint8_t)(i * 7);
        uint64_t hash = hub_cache_long_hash(1, data, size), other = hub_cache_long_hash(2, data, size);
        assert_int_not_equal(hash, other);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_not_equal(hub_cache_long_hash(1, data, size), hash);
            data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        assert_int_equal(hub_cache_long_hash(1, data, size), hash);
    }
}

static void zeros_of_another_length_are_another_record(void **state) {
    static const uint8_t zeros[SIZE];
    uint64_t hashes[SIZE];
    (void)state;
    for (size_t size = 0; size < SIZE; size++) {
        hashes[size] = hub_cache_long_hash(0, zeros, size);
        assert_int_not_equal(hashes[size], 0);
        for (size_t i = 0; i < size; i++)
            assert_int_not_equal(hashes[size], hashes[i]);
    }
}

static void what_changes_places_is_found(void **state) {
    uint8_t data[SIZE] = {0};
    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 7);
    uint64_t hash = hub_cache_long_hash(0, data, SIZE);
    for (size_t i = 0; i + 16 <= SIZE; i += 8) { /* neighbouring words are of neighbouring lanes */
        uint8_t moved[SIZE];
        memcpy(moved, data, SIZE);
        memcpy(moved + i, data + i + 8, 8);
        memcpy(moved + i + 8, data + i, 8);
        assert_int_not_equal(hub_cache_long_hash(0, moved, SIZE), hash);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(zeros_of_another_length_are_another_record),
        cmocka_unit_test(what_changes_places_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
