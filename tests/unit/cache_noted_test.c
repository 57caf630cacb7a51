/* cache_noted: of every key the newest record and no other, whatever came in between. */
#include "hub/io/cache_noted.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <string.h>

enum { KEY_SIZE_MAX = 16, VALUE_SIZE = 8 * 1024 };

static const uint8_t spaces[][HUB_CACHE_SPACE_SIZE] = {"space 1", "space 2"};

/* The number, and bytes that are of no matter. */
static void add(struct hub_cache_noted *noted, unsigned space, struct hub_bytes key, uint64_t number,
                size_t size) {
    static const uint8_t zeros[VALUE_SIZE];
    const struct hub_bytes parts[] = {hub_bytes(&number, sizeof number), hub_bytes(zeros, size)};
    const struct hub_hook hooks[] = {{.hash = number}, {.hash = number + 1}};
    hub_cache_noted_add(noted, spaces[space], key, parts, 2, hooks, number % 3);
}

/* The number that is placed for the key, with its hooks and its check; 0 for none. */
static uint64_t number_of(const struct hub_cache_placed *placed, size_t count, unsigned space,
                          struct hub_bytes key) {
    struct hub_cache_slot slot = hub_cache_slot_of(&hub_sha256, spaces[space], key);
    uint64_t number = 0;
    struct hub_cache_stored head;
    size_t at = 0;
    while (at < count && memcmp(placed[at].slot.bytes, slot.bytes, sizeof slot.bytes) != 0)
        at++;
    if (at == count)
        return 0;
    struct hub_bytes stored = placed[at].stored;
    memcpy(&head, stored.data, sizeof head);
    assert_int_equal(head.check,
                     hub_cache_check(hub_bytes_part(stored, sizeof head.check, stored.size)));
    assert_int_equal(head.key_size, key.size);
    struct hub_bytes rest = hub_bytes_part(stored, sizeof head, stored.size);
    assert_memory_equal(rest.data, key.data, key.size);
    memcpy(&number, rest.data + key.size, sizeof number);
    assert_int_equal(placed[at].hook_count, number % 3);
    for (size_t i = 0; i < placed[at].hook_count; i++)
        assert_int_equal(placed[at].hooks[i].hash, number + i);
    return number;
}

static void expect_sorted(const struct hub_cache_placed *placed, size_t count) {
    for (size_t i = 1; i < count; i++)
        assert_true(memcmp(placed[i - 1].slot.bytes, placed[i].slot.bytes, HUB_CACHE_SLOT_SIZE) < 0);
}

static void what_is_empty_places_nothing(void **state) {
    struct hub_cache_noted noted = {0};
    (void)state;
    hub_release(hub_cache_noted_place(&noted, &hub_sha256));
    assert_int_equal(noted.count, 0);
    hub_cache_noted_free(&noted);
}

static void a_key_in_two_spaces_is_two_records(void **state) {
    struct hub_cache_noted noted = {0};
    struct hub_bytes key = hub_bytes_of_text("key");
    (void)state;
    add(&noted, 0, key, 1, 0);
    add(&noted, 1, key, 2, 0);
    add(&noted, 0, key, 3, 10);
    struct hub_cache_placed *placed = hub_cache_noted_place(&noted, &hub_sha256);
    assert_int_equal(noted.count, 2);
    assert_int_equal(number_of(placed, noted.count, 0, key), 3);
    assert_int_equal(number_of(placed, noted.count, 1, key), 2);
    hub_release(placed);
    hub_cache_noted_free(&noted);
}

/* A key of two words has the hash of another when its second undoes what its first changed. */
static void make_of_one_hash(uint8_t trait, uint64_t first, uint64_t *ret_key) {
    static const uint64_t multiplier = 0x9e3779b97f4a7c15;
    uint64_t hash = ((uint64_t)KEY_SIZE_MAX << 8 | trait) * multiplier;
    hash = (hash ^ first) * multiplier;
    ret_key[0] = first;
    ret_key[1] = hash ^ hash >> 32;
}

static void keys_of_one_hash_do_not_replace_each_other(void **state) {
    enum { KEYS = 3 };
    struct hub_cache_noted noted = {0};
    uint64_t words[KEYS][2];
    struct hub_bytes keys[KEYS];
    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        make_of_one_hash(spaces[0][0], i, words[i]);
        keys[i] = hub_bytes(words[i], KEY_SIZE_MAX);
        assert_int_equal(hub_hook_hash(spaces[0][0], keys[i]),
                         hub_hook_hash(spaces[0][0], keys[0]));
    }
    static const unsigned order[] = {0, 1, 0, 2, 1, 0, 0, 1};
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        add(&noted, 0, keys[order[i]], i + 1, 0);
    struct hub_cache_placed *placed = hub_cache_noted_place(&noted, &hub_sha256);
    assert_int_equal(noted.count, KEYS);
    expect_sorted(placed, noted.count);
    assert_int_equal(number_of(placed, noted.count, 0, keys[0]), 7);
    assert_int_equal(number_of(placed, noted.count, 0, keys[1]), 8);
    assert_int_equal(number_of(placed, noted.count, 0, keys[2]), 4);
    hub_release(placed);
    hub_cache_noted_free(&noted);
}

/* Some bits of hashes are the same, as they are by chance where there are many keys. */
static void keys_whose_hashes_end_alike_do_not_come_between(void **state) {
    enum { BITS = 22 };
    struct hub_cache_noted noted = {0};
    uint64_t first = 0, other = 0, difference = 1;
    struct hub_bytes keys[] = {hub_bytes(&first, sizeof first), hub_bytes(&other, sizeof other)};
    (void)state;
    while (difference % (1 << BITS) != 0) {
        other++;
        difference = hub_hook_hash(spaces[0][0], keys[0]) ^ hub_hook_hash(spaces[0][0], keys[1]);
    }
    for (unsigned i = 0; i < 7; i++)
        add(&noted, 0, keys[i % 2], i + 1, 0);
    struct hub_cache_placed *placed = hub_cache_noted_place(&noted, &hub_sha256);
    assert_int_equal(noted.count, 2);
    assert_int_equal(number_of(placed, noted.count, 0, keys[0]), 7);
    assert_int_equal(number_of(placed, noted.count, 0, keys[1]), 6);
    hub_release(placed);
    hub_cache_noted_free(&noted);
}

/* --- many --- */

enum { MANY_KEYS = 4000, MANY_NOTES = 20000 };

struct many {
    struct hub_cache_noted noted;
    uint64_t numbers[MANY_KEYS]; /* the newest of each key */
    size_t bytes_of[MANY_KEYS], bytes;
    char key[KEY_SIZE_MAX];
    unsigned tidied;
};

static struct hub_bytes key_of(struct many *many, size_t index) {
    int size = snprintf(many->key, sizeof many->key, "key %zu", index);
    return hub_bytes(many->key, (size_t)size);
}

/* Some keys are noted often and some never. */
static void note_many(struct many *many) {
    uint64_t random = 88172645463325252;
    for (uint64_t i = 1; i <= MANY_NOTES; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t index = random % MANY_KEYS;
        if (index % 4 != 0)
            index = index % 16;
        size_t size = random / MANY_KEYS % VALUE_SIZE, before = many->noted.tidy_bytes;
        struct hub_bytes key = key_of(many, index);
        add(&many->noted, index % 2, key, i, size);
        many->numbers[index] = i;
        many->bytes -= many->bytes_of[index];
        many->bytes_of[index] = sizeof(struct hub_cache_stored) + key.size + sizeof i + size +
                                i % 3 * sizeof(struct hub_hook);
        many->bytes += many->bytes_of[index];
        many->tidied += many->noted.tidy_bytes != before;
        assert_in_range(many->noted.bytes, many->bytes, many->bytes + HUB_CACHE_REPLACED_BYTES_MAX);
        assert_true(many->noted.arena.total_bytes <=
                    2 * (many->noted.bytes + HUB_CACHE_REPLACED_BYTES_MAX));
    }
}

static void expect_many(struct many *many) {
    struct hub_cache_placed *placed = hub_cache_noted_place(&many->noted, &hub_sha256);
    size_t keys = 0;
    expect_sorted(placed, many->noted.count);
    for (size_t i = 0; i < MANY_KEYS; i++) {
        uint64_t number = number_of(placed, many->noted.count, i % 2, key_of(many, i));
        assert_int_equal(number, many->numbers[i]);
        keys += number > 0;
    }
    assert_int_equal(many->noted.count, keys);
    assert_int_equal(many->noted.bytes, many->bytes);
    hub_release(placed);
}

static void what_was_replaced_is_neither_placed_nor_kept_for_long(void **state) {
    struct many *many = hub_allocate_zero(1, sizeof *many);
    (void)state;
    note_many(many);
    assert_true(many->tidied > 2);
    expect_many(many);
    expect_many(many); /* it may be asked for again, when it could not be written */
    add(&many->noted, 0, key_of(many, 0), MANY_NOTES + 3, 0);
    many->bytes = many->noted.bytes - many->bytes_of[0];
    many->numbers[0] = MANY_NOTES + 3;
    expect_many(many);
    hub_cache_noted_clear(&many->noted);
    assert_int_equal(many->noted.bytes, 0);
    memset(many->numbers, 0, sizeof many->numbers);
    many->bytes = 0;
    expect_many(many);
    hub_cache_noted_free(&many->noted);
    hub_release(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_empty_places_nothing),
        cmocka_unit_test(a_key_in_two_spaces_is_two_records),
        cmocka_unit_test(keys_of_one_hash_do_not_replace_each_other),
        cmocka_unit_test(keys_whose_hashes_end_alike_do_not_come_between),
        cmocka_unit_test(what_was_replaced_is_neither_placed_nor_kept_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
