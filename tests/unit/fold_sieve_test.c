/* fold_sieve: it may hold more than there is, and never less; and it does not grow by what it knows. */
#include "hub/stages/fold_sieve.h"
#include "tests/lib/cmocka.h"

enum { MANY = 5000 };

/* Spread over the bits, as hashes are. */
static uint64_t hash_of(size_t number) {
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t count_held(const struct fold_sieve *sieve, size_t from, size_t to) {
    size_t held = 0;
    for (size_t i = from; i < to; i++)
        held += fold_sieve_may_hold(sieve, hash_of(i));
    return held;
}

static void an_empty_sieve_holds_nothing(void **state) {
    struct fold_sieve sieve = {0};
    (void)state;
    assert_false(fold_sieve_may_hold(&sieve, 0));
    fold_sieve_clear(&sieve);
    fold_sieve_build(&sieve);
    assert_int_equal(count_held(&sieve, 0, MANY), 0);
    fold_sieve_free(&sieve);
}

static void what_was_noted_or_added_is_held_however_it_grew(void **state) {
    struct fold_sieve sieve = {0};
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        fold_sieve_note(&sieve, hash_of(i));
    fold_sieve_build(&sieve);
    assert_int_equal(count_held(&sieve, 0, MANY), MANY);
    for (size_t i = MANY; i < 10 * MANY; i++)
        fold_sieve_add(&sieve, hash_of(i));
    assert_int_equal(count_held(&sieve, 0, 10 * MANY), 10 * MANY);
    assert_in_range(count_held(&sieve, 10 * MANY, 20 * MANY), 0, MANY / 5); /* one in fifty at most */
    fold_sieve_free(&sieve);
}

static void what_is_added_again_takes_no_room(void **state) {
    struct fold_sieve sieve = {0};
    (void)state;
    for (size_t i = 0; i < 100 * MANY; i++)
        fold_sieve_add(&sieve, hash_of(i % 10));
    assert_int_equal(sieve.count, 10);
    assert_int_equal(count_held(&sieve, 0, 10), 10);
    fold_sieve_free(&sieve);
}

static void what_was_cleared_is_not_held_and_may_come_again(void **state) {
    struct fold_sieve sieve = {0};
    (void)state;
    fold_sieve_add(&sieve, hash_of(1));
    fold_sieve_clear(&sieve);
    assert_false(fold_sieve_may_hold(&sieve, hash_of(1)));
    fold_sieve_add(&sieve, hash_of(1));
    assert_true(fold_sieve_may_hold(&sieve, hash_of(1)));
    fold_sieve_free(&sieve);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_sieve_holds_nothing),
        cmocka_unit_test(what_was_noted_or_added_is_held_however_it_grew),
        cmocka_unit_test(what_is_added_again_takes_no_room),
        cmocka_unit_test(what_was_cleared_is_not_held_and_may_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
