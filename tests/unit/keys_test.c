/* keys: the keys that pseudonyms are made with, and what else is in their folder. */
#include "connectors/kit/keys.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"

static const char long_enough[] = "0123456789abcdef0123456789abcdef";
static const char another[] = "fedcba9876543210fedcba9876543210";

static int begin(void **state) {
    struct folder *folder = hub_allocate_zero(1, sizeof *folder);
    folder_make(folder);
    *state = folder;
    return 0;
}

static int end(void **state) {
    folder_remove(*state);
    hub_release(*state);
    return 0;
}

static struct hub_keys load(struct folder *folder) {
    struct hub_keys keys;
    struct hub_error error;
    if (hub_keys_load(folder->path, &folder->arena, &keys, &error) != HUB_OK)
        fail_msg("%s", error.text);
    return keys;
}

static const char *pseudonym(struct folder *folder, const struct hub_key *key,
                             const char *purpose, const char *value) {
    HUB_SCOPED_BUFFER text = {0};
    hub_pseudonym_append(key, purpose, hub_bytes_of_text(value), &text);
    return hub_arena_text(&folder->arena, (const char *)text.data, text.size);
}

static void the_last_id_by_name_is_in_use(void **state) {
    folder_write(*state, "shared/2024", long_enough);
    folder_write(*state, "shared/2026", another);
    folder_write(*state, "shared/2025", long_enough);
    struct hub_keys keys = load(*state);
    assert_string_equal(keys.shared.id, "2026");
    assert_true(hub_bytes_equal_text(keys.shared.bytes, another));
    assert_false(keys.trial);
}

static void a_part_that_is_not_there_has_no_key(void **state) {
    struct folder *folder = *state;
    struct hub_error error;
    folder_write(folder, "shared/1", long_enough);
    assert_null(load(folder).local.id);
    folder_write(folder, "local/.hidden", long_enough);
    assert_null(load(folder).local.id);
    assert_int_equal(
        hub_keys_load(folder_path(folder, "none"), &folder->arena, &(struct hub_keys){0}, &error),
        HUB_OK);
}

static void a_key_that_is_too_short_is_refused_with_both_sizes(void **state) {
    struct folder *folder = *state;
    struct hub_keys keys;
    struct hub_error error;
    folder_write(folder, "local/k1", "0123456789abcdef0123456789abcde");
    assert_int_equal(hub_keys_load(folder->path, &folder->arena, &keys, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "local/k1: 31 bytes; a key of at least 32 would pass"));
}

static void a_key_that_is_too_long_is_refused(void **state) {
    struct folder *folder = *state;
    struct hub_keys keys;
    struct hub_error error;
    char *key = hub_arena_take_zero(&folder->arena, 1, HUB_KEY_SIZE_MAX + 2);
    memset(key, 'k', HUB_KEY_SIZE_MAX + 1);
    folder_write(folder, "local/k1", key);
    assert_int_equal(hub_keys_load(folder->path, &folder->arena, &keys, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "over the limit of 1024 bytes"));
    key[HUB_KEY_SIZE_MAX] = '\0';
    folder_write(folder, "local/k1", key);
    assert_int_equal(load(folder).local.bytes.size, HUB_KEY_SIZE_MAX);
}

static void without_a_folder_there_are_keys_for_trying_only(void **state) {
    struct folder *folder = *state;
    struct hub_keys keys;
    struct hub_error error;
    assert_int_equal(hub_keys_load(NULL, &folder->arena, &keys, &error), HUB_OK);
    assert_true(keys.trial);
    assert_string_equal(keys.shared.id, "trial");
    assert_string_equal(keys.local.id, "trial");
}

static void a_pseudonym_is_the_key_id_and_half_a_hash(void **state) {
    struct hub_key key = {"k7", hub_bytes_of_text("Jefe")};
    /* printf 'atmp\0what' | openssl mac -digest sha256 -macopt key:Jefe HMAC */
    assert_string_equal(pseudonym(*state, &key, "atmp", "what"), "ps:k7:660698f7b3d40a5ec1faa430458544bf");
}

static void equal_values_have_equal_pseudonyms_and_others_do_not(void **state) {
    struct hub_key key = {"k", hub_bytes_of_text(long_enough)};
    const char *first = pseudonym(*state, &key, "atmp", "0000-0001-2345-6789");
    assert_string_equal(first, pseudonym(*state, &key, "atmp", "0000-0001-2345-6789"));
    assert_string_not_equal(first, pseudonym(*state, &key, "atmp", "0000-0001-2345-6780"));
}

static void another_key_gives_another_pseudonym_even_under_the_same_id(void **state) {
    struct hub_key key = {"k", hub_bytes_of_text(long_enough)};
    struct hub_key other = {"k", hub_bytes_of_text(another)};
    assert_string_not_equal(pseudonym(*state, &key, "atmp", "x"),
                            pseudonym(*state, &other, "atmp", "x"));
}

static void a_purpose_and_a_value_cannot_be_shifted_into_each_other(void **state) {
    struct hub_key key = {"k", hub_bytes_of_text(long_enough)};
    assert_string_not_equal(pseudonym(*state, &key, "ab", "c"), pseudonym(*state, &key, "a", "bc"));
}

static void a_key_that_is_no_longer_in_use_is_found_by_its_id(void **state) {
    struct folder *folder = *state;
    struct hub_key key = {0};
    struct hub_error error;
    folder_write(folder, "journal/2025", long_enough);
    folder_write(folder, "journal/2026", another);
    folder_write(folder, "local/2024", another);
    struct hub_keys keys = load(folder);
    assert_string_equal(keys.journal.id, "2026");
    assert_int_equal(hub_keys_find(&keys, "journal", "2025", &folder->arena, &key, &error), HUB_OK);
    assert_true(hub_bytes_equal_text(key.bytes, long_enough));
    assert_string_equal(key.id, "2025");
}

static void an_id_is_no_path_and_without_a_folder_there_is_none(void **state) {
    static const char *const none[] = {"2024", "", ".", "..", "../local/2024", ".hidden"};
    struct folder *folder = *state;
    struct hub_key key = {0};
    struct hub_keys without = {0};
    struct hub_error error;
    folder_write(folder, "journal/2025", long_enough);
    folder_write(folder, "journal/.hidden", long_enough);
    folder_write(folder, "local/2024", another);
    struct hub_keys keys = load(folder);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(hub_keys_find(&keys, "journal", none[i], &folder->arena, &key, &error),
                         HUB_REJECT);
    assert_int_equal(hub_keys_find(&without, "journal", "2025", &folder->arena, &key, &error),
                     HUB_REJECT);
    assert_null(key.id);
}

/* --- one after the other --- */

static void a_key_that_comes_next_is_held_and_not_in_use(void **state) {
    struct folder *folder = *state;
    struct hub_key key = {0};
    struct hub_error error;
    for (const char *const *part = (const char *const[]){"shared", "local", "journal", "sealing", NULL};
         *part != NULL; part++) {
        folder_write(folder, hub_arena_format(&folder->arena, "%s/2026", *part), long_enough);
        folder_write(folder, hub_arena_format(&folder->arena, "%s/2027.next", *part), another);
    }
    struct hub_keys keys = load(folder);
    assert_string_equal(keys.shared.id, "2026");
    assert_string_equal(keys.local.id, "2026");
    assert_string_equal(keys.journal.id, "2026");
    assert_int_equal(keys.earlier_count, 0);
    assert_int_equal(hub_keys_find(&keys, "journal", "2027", &folder->arena, &key, &error),
                     HUB_REJECT);
    assert_int_equal(hub_keys_find(&keys, "journal", "2027.next", &folder->arena, &key, &error),
                     HUB_REJECT);
}

static void a_part_with_nothing_but_the_next_key_has_none(void **state) {
    struct folder *folder = *state;
    folder_write(folder, "shared/2027.next", long_enough);
    assert_null(load(folder).shared.id);
}

static void shared_keys_that_were_in_use_are_known_the_newest_first(void **state) {
    struct folder *folder = *state;
    folder_write(folder, "shared/2025", long_enough);
    folder_write(folder, "shared/2026", another);
    folder_write(folder, "shared/2027", long_enough);
    folder_write(folder, "shared/2028.next", another);
    struct hub_keys keys = load(folder);
    assert_string_equal(keys.shared.id, "2027");
    assert_int_equal(keys.earlier_count, 2);
    assert_string_equal(keys.earlier[0].id, "2026");
    assert_true(hub_bytes_equal_text(keys.earlier[0].bytes, another));
    assert_string_equal(keys.earlier[1].id, "2025");
}

static void no_more_shared_keys_are_held_than_are_told_under(void **state) {
    struct folder *folder = *state;
    struct hub_keys keys;
    struct hub_error error;
    for (int i = 1; i <= HUB_KEYS_EARLIER_MAX + 2; i++)
        folder_write(folder, hub_arena_format(&folder->arena, "local/%d", i), long_enough);
    for (int i = 1; i <= HUB_KEYS_EARLIER_MAX + 1; i++)
        folder_write(folder, hub_arena_format(&folder->arena, "shared/%d", i), long_enough);
    folder_write(folder, "shared/9.next", another);
    assert_int_equal(load(folder).earlier_count, HUB_KEYS_EARLIER_MAX);
    folder_write(folder, "shared/8", long_enough);
    assert_int_equal(hub_keys_load(folder->path, &folder->arena, &keys, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "at most 4 would pass"));
}

static void two_keys_of_one_id_are_refused_and_a_copy_is_none(void **state) {
    struct folder *folder = *state;
    struct hub_keys keys;
    struct hub_error error;
    folder_write(folder, "shared/2027", long_enough);
    folder_write(folder, "shared/2027.next", long_enough);
    assert_string_equal(load(folder).shared.id, "2027");
    folder_write(folder, "shared/2027.next", another);
    assert_int_equal(hub_keys_load(folder->path, &folder->arena, &keys, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "shared/2027.next: another key than 2027, which is there too; "
                                       "one of them would pass"));
}

static const char *describe(struct folder *folder, size_t *ret_unfit) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    if (hub_keys_describe(folder->path, &text, ret_unfit, &error) != HUB_OK)
        fail_msg("%s", error.text);
    return hub_arena_text(&folder->arena, (const char *)text.data, text.size);
}

static void what_there_is_is_told_and_never_a_key(void **state) {
    struct folder *folder = *state;
    size_t unfit = 1;
    folder_write(folder, "shared/2026", long_enough);
    folder_write(folder, "shared/2027", another);
    folder_write(folder, "shared/2028.next", long_enough);
    folder_write(folder, "journal/1", long_enough);
    folder_write(folder, "journal/2", another);
    folder_write(folder, "sealing/1", another);
    folder_write(folder, "sealing/2", long_enough);
    const char *text = describe(folder, &unfit);
    /* printf check | openssl mac -digest sha256 -macopt key:0123456789abcdef0123456789abcdef HMAC */
    assert_string_equal(
        text, "PART      KEY               CHECK             USE\n"
              "shared    2028.next         fc5650835b415d27  next: not in use\n"
              "shared    2027              97d609dfe7702a64  in use\n"
              "shared    2026              fc5650835b415d27  before: identifiers are told under it, too\n"
              "local     none\n"
              "journal   2                 97d609dfe7702a64  in use\n"
              "journal   1                 fc5650835b415d27  before: what was written with it stays "
              "readable\n"
              "sealing   2                 fc5650835b415d27  in use\n"
              "sealing   1                 97d609dfe7702a64  before: the keys that it wraps stay "
              "readable\n");
    assert_int_equal(unfit, 0);
}

static void what_is_no_key_is_counted_and_told_with_its_reason(void **state) {
    struct folder *folder = *state;
    size_t unfit = 0;
    folder_write(folder, "shared/2026", long_enough);
    folder_write(folder, "shared/2026.next", another);
    folder_write(folder, "local/k", "short");
    folder_write(folder, "local/l.next", "short");
    folder_write(folder, "journal/folder/file", "x");
    const char *text = describe(folder, &unfit);
    assert_int_equal(unfit, 4);
    assert_non_null(strstr(text, "another key than 2026"));
    assert_non_null(strstr(text, "local/k: 5 bytes; a key of at least 32 would pass"));
    assert_null(strstr(text, long_enough));
}

static void without_a_folder_there_is_nothing_to_be_told(void **state) {
    struct folder *folder = *state;
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    size_t unfit = 0;
    assert_int_equal(hub_keys_describe(folder_path(folder, "none"), &text, &unfit, &error),
                     HUB_FATAL);
    assert_non_null(strstr(error.text, "none: a folder with the parts shared, local, journal and "
                                       "sealing would pass"));
    assert_int_equal(text.size, 0);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_id_by_name_is_in_use),
        cmocka_unit_test(a_key_that_is_no_longer_in_use_is_found_by_its_id),
        cmocka_unit_test(an_id_is_no_path_and_without_a_folder_there_is_none),
        cmocka_unit_test(a_part_that_is_not_there_has_no_key),
        cmocka_unit_test(a_key_that_is_too_short_is_refused_with_both_sizes),
        cmocka_unit_test(a_key_that_is_too_long_is_refused),
        cmocka_unit_test(without_a_folder_there_are_keys_for_trying_only),
        cmocka_unit_test(a_pseudonym_is_the_key_id_and_half_a_hash),
        cmocka_unit_test(equal_values_have_equal_pseudonyms_and_others_do_not),
        cmocka_unit_test(another_key_gives_another_pseudonym_even_under_the_same_id),
        cmocka_unit_test(a_purpose_and_a_value_cannot_be_shifted_into_each_other),
        cmocka_unit_test(a_key_that_comes_next_is_held_and_not_in_use),
        cmocka_unit_test(a_part_with_nothing_but_the_next_key_has_none),
        cmocka_unit_test(shared_keys_that_were_in_use_are_known_the_newest_first),
        cmocka_unit_test(no_more_shared_keys_are_held_than_are_told_under),
        cmocka_unit_test(two_keys_of_one_id_are_refused_and_a_copy_is_none),
        cmocka_unit_test(what_there_is_is_told_and_never_a_key),
        cmocka_unit_test(what_is_no_key_is_counted_and_told_with_its_reason),
        cmocka_unit_test(without_a_folder_there_is_nothing_to_be_told),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
