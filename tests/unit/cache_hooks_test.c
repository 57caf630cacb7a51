/* cache_hooks: who asks for a hook is given every record that has it, or told that nobody knows. */
#include "hub/io/cache_hooks.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t NOW_MS = 1800000000000;
static const char *const spaces[] = {"log.trial/0", "golden.trial/0"};

struct keeping {
    struct folder folder;
    struct hub_cache *cache;
    struct hub_cache_shelf *shelf;
    struct hub_error error;
    struct hub_buffer found;
    uint64_t near_count, near_sum;
};

static uint64_t hash_of(const char *text) {
    return hub_hook_hash(0, hub_bytes_of_text(text));
}

static void open_as(struct keeping *keeping, const char *tag) {
    expect_ok(hub_cache_open(folder_path(&keeping->folder, "state"), "one", &hub_sha256, NOW_MS,
                             &keeping->cache, &keeping->error),
              &keeping->error);
    expect_ok(hub_cache_open_shelf(keeping->cache, "trial/0", tag, spaces, 2, &keeping->shelf,
                                   &keeping->error),
              &keeping->error);
}

static void begin(struct keeping *keeping) {
    *keeping = (struct keeping){0};
    folder_make(&keeping->folder);
    open_as(keeping, "rules");
}

static void reopen_as(struct keeping *keeping, const char *tag) {
    hub_cache_close(keeping->cache);
    open_as(keeping, tag);
}

static void end(struct keeping *keeping) {
    hub_cache_close(keeping->cache);
    hub_buffer_free(&keeping->found);
    folder_remove(&keeping->folder);
}

/* Up to two hooks by their texts; "" for none. */
static void note(struct keeping *keeping, unsigned topic, const char *key, const char *value,
                 const char *first, const char *second) {
    struct hub_bytes part = hub_bytes_of_text(value);
    const struct hub_hook hooks[] = {{.hash = hash_of(first)}, {.hash = hash_of(second)}};
    size_t count = *second != '\0' ? 2 : *first != '\0' ? 1 : 0;
    hub_cache_note_hooked(keeping->cache, keeping->shelf, topic, hub_bytes_of_text(key), &part, 1,
                          hooks, count);
}

static void checkpoint(struct keeping *keeping, int64_t next) {
    const struct hub_cache_mark marks[] = {{spaces[0], next}, {spaces[1], next}};
    expect_ok(hub_cache_checkpoint(keeping->cache, marks, 2, &keeping->error), &keeping->error);
}

static enum hub_status take(void *context, unsigned topic, struct hub_bytes key,
                            struct hub_bytes value, struct hub_error *reterr) {
    struct hub_buffer *found = context;
    (void)reterr;
    hub_buffer_append_format(found, "%s%u:", found->size == 0 ? "" : " ", topic);
    hub_buffer_append_bytes(found, key);
    hub_buffer_append_text(found, "=");
    hub_buffer_append_bytes(found, value);
    return HUB_OK;
}

static const char *find(struct keeping *keeping, const char *hook) {
    hub_buffer_clear(&keeping->found);
    expect_ok(hub_cache_find(keeping->cache, keeping->shelf, hash_of(hook), NULL, take, &keeping->found,
                             &keeping->error),
              &keeping->error);
    return hub_buffer_text(&keeping->found);
}

/* --- what is found --- */

static void a_record_is_found_by_each_of_its_hooks(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "key of a", "passport");
    note(&keeping, 1, "b", "2", "key of b", "");
    checkpoint(&keeping, 1);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(find(&keeping, "key of a"), "0:a=1");
        assert_string_equal(find(&keeping, "passport"), "0:a=1");
        assert_string_equal(find(&keeping, "key of b"), "1:b=2");
        assert_string_equal(find(&keeping, "of nobody"), "");
        reopen_as(&keeping, "rules");
    }
    end(&keeping);
}

static void a_hook_leads_to_all_records_that_share_it(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "shared", "");
    checkpoint(&keeping, 1);
    note(&keeping, 1, "a", "2", "shared", ""); /* of the same key, in another topic */
    checkpoint(&keeping, 2);
    find(&keeping, "shared");
    assert_non_null(strstr(hub_buffer_text(&keeping.found), "0:a=1"));
    assert_non_null(strstr(hub_buffer_text(&keeping.found), "1:a=2"));
    assert_int_equal(keeping.found.size, 11);
    end(&keeping);
}

static void what_was_only_noted_is_not_found(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "hook", "");
    assert_string_equal(find(&keeping, "hook"), "");
    hub_cache_forget(keeping.cache);
    checkpoint(&keeping, 1);
    assert_string_equal(find(&keeping, "hook"), "");
    end(&keeping);
}

static void the_newest_record_is_found_by_old_hooks_and_new_ones(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "own", "old");
    checkpoint(&keeping, 1);
    note(&keeping, 0, "a", "2", "own", "replaced before it was kept");
    note(&keeping, 0, "a", "3", "own", "new");
    checkpoint(&keeping, 2);
    assert_string_equal(find(&keeping, "own"), "0:a=3");
    assert_string_equal(find(&keeping, "old"), "0:a=3");
    assert_string_equal(find(&keeping, "new"), "0:a=3");
    assert_string_equal(find(&keeping, "replaced before it was kept"), "");
    end(&keeping);
}

static void a_hook_that_comes_again_leads_to_its_record_once(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    for (int i = 0; i < 3; i++) {
        note(&keeping, 0, "a", "1", "hook", "hook");
        checkpoint(&keeping, 1 + i);
        if (i == 1) /* what was in memory about it is gone */
            reopen_as(&keeping, "rules");
    }
    assert_string_equal(find(&keeping, "hook"), "0:a=1");
    end(&keeping);
}

static void a_note_without_hooks_is_found_by_those_of_before(void **state) {
    struct keeping keeping;
    struct hub_bytes value = hub_bytes_of_text("2");
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "hook", "");
    checkpoint(&keeping, 1);
    hub_cache_note(keeping.cache, spaces[0], hub_bytes_of_text("a"), &value, 1);
    checkpoint(&keeping, 2);
    assert_string_equal(find(&keeping, "hook"), "0:a=2");
    end(&keeping);
}

static void shelves_do_not_see_each_other(void **state) {
    static const char *const others[] = {"log.trial/1"};
    struct keeping keeping;
    struct hub_cache_shelf *first = NULL, *other = NULL;
    struct hub_bytes value = hub_bytes_of_text("2");
    const struct hub_hook hook = {.hash = hash_of("hook")};
    (void)state;
    begin(&keeping);
    first = keeping.shelf;
    expect_ok(hub_cache_open_shelf(keeping.cache, "trial/1", "rules", others, 1, &other,
                                   &keeping.error),
              &keeping.error);
    note(&keeping, 0, "a", "1", "hook", "");
    hub_cache_note_hooked(keeping.cache, other, 0, hub_bytes_of_text("a"), &value, 1, &hook, 1);
    checkpoint(&keeping, 1);
    assert_string_equal(find(&keeping, "hook"), "0:a=1");
    keeping.shelf = other;
    assert_string_equal(find(&keeping, "hook"), "0:a=2");
    expect_ok(hub_cache_open_shelf(keeping.cache, "trial/0", "rules", spaces, 2, &keeping.shelf,
                                   &keeping.error),
              &keeping.error);
    assert_ptr_equal(keeping.shelf, first); /* opened again, it is the same */
    end(&keeping);
}

static const char *find_not_given(struct keeping *keeping, const char *hook,
                                  struct hub_given *given) {
    hub_buffer_clear(&keeping->found);
    expect_ok(hub_cache_find(keeping->cache, keeping->shelf, hash_of(hook), given, take,
                             &keeping->found, &keeping->error),
              &keeping->error);
    return hub_buffer_text(&keeping->found);
}

static void what_was_given_is_not_given_again_where_that_is_wished(void **state) {
    struct keeping keeping;
    struct hub_given given = {.topics = 1U << 1};
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "key of a", "shared");
    note(&keeping, 1, "b", "2", "key of b", "shared");
    note(&keeping, 1, "c", "3", "key of c", "shared");
    checkpoint(&keeping, 1);
    assert_string_equal(find_not_given(&keeping, "key of b", &given), "1:b=2");
    find_not_given(&keeping, "shared", &given);
    assert_non_null(strstr(hub_buffer_text(&keeping.found), "0:a=1"));
    assert_non_null(strstr(hub_buffer_text(&keeping.found), "1:c=3"));
    assert_int_equal(keeping.found.size, 11);
    note(&keeping, 1, "b", "4", "key of b", "shared");
    checkpoint(&keeping, 2); /* who was given it has been told of this, too */
    assert_string_equal(find_not_given(&keeping, "shared", &given), "0:a=1");
    assert_string_equal(find(&keeping, "key of b"), "1:b=4");
    hub_hook_set_free(&given.records);
    end(&keeping);
}

enum { MANY = 3000, SHARING = 7 };

static void note_many(struct keeping *keeping, int from, int to) {
    char key[16], shared[24];
    for (int i = from; i < to; i++) {
        snprintf(key, sizeof key, "key %d", i);
        snprintf(shared, sizeof shared, "shared %d", i / SHARING);
        note(keeping, (unsigned)i % 2, key, key, key, shared);
    }
}

/* All of the first so many are found by their key, and with those that they share a hook with. */
static void expect_many(struct keeping *keeping, int count) {
    char key[16], text[40];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key %d", i);
        snprintf(text, sizeof text, "%d:%s=%s", i % 2, key, key);
        assert_string_equal(find(keeping, key), text);
    }
    for (int i = 0; i < count; i += SHARING) {
        size_t found = 0;
        snprintf(text, sizeof text, "shared %d", i / SHARING);
        find(keeping, text);
        for (size_t at = 0; at < keeping->found.size; at++)
            found += keeping->found.data[at] == '=';
        assert_int_equal(found, count - i < SHARING ? count - i : SHARING);
    }
    for (int i = count; i < count + 500; i++) {
        snprintf(key, sizeof key, "key %d", i);
        assert_string_equal(find(keeping, key), "");
    }
}

/* Buckets and sums double many times meanwhile, by one step and by several. */
static void however_many_there_are_each_is_found(void **state) {
    static const int counts[] = {1, 30, 40, 90, 400, 450, MANY};
    struct keeping keeping;
    int before = 0;
    (void)state;
    begin(&keeping);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        note_many(&keeping, before, counts[i]);
        checkpoint(&keeping, counts[i]);
        expect_many(&keeping, counts[i]);
        before = counts[i];
    }
    reopen_as(&keeping, "rules");
    expect_many(&keeping, MANY);
    note_many(&keeping, 0, MANY); /* it has all of them */
    checkpoint(&keeping, MANY);
    expect_many(&keeping, MANY);
    end(&keeping);
}

static enum hub_status refuse(void *context, unsigned topic, struct hub_bytes key,
                              struct hub_bytes value, struct hub_error *reterr) {
    (void)context;
    (void)topic;
    (void)key;
    (void)value;
    return hub_fail(reterr, HUB_FATAL, "as the reader says");
}

static void what_the_reader_says_is_passed_on(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "hook", "");
    note(&keeping, 0, "b", "2", "hook", "");
    checkpoint(&keeping, 1);
    expect_refusal(hub_cache_find(keeping.cache, keeping.shelf, hash_of("hook"), NULL, refuse, NULL,
                                  &keeping.error),
                   HUB_FATAL, &keeping.error, "as the reader says", "");
    find(&keeping, "hook");
    assert_int_equal(keeping.found.size, 11);
    end(&keeping);
}

static void the_same_hooks_are_known_and_others_are_added_whatever_stood_between(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "own", "first");
    checkpoint(&keeping, 1);
    note(&keeping, 0, "a", "2", "own", "first");
    checkpoint(&keeping, 2);
    note(&keeping, 0, "a", "3", "own", "second");
    checkpoint(&keeping, 3);
    note(&keeping, 0, "a", "4", "own", "first");
    note(&keeping, 0, "b", "1", "second", "first"); /* those of another, in another order */
    checkpoint(&keeping, 4);
    assert_string_equal(find(&keeping, "own"), "0:a=4");
    assert_string_equal(find(&keeping, "first"), "0:b=1 0:a=4");
    assert_string_equal(find(&keeping, "second"), "0:b=1 0:a=4");
    end(&keeping);
}

/* --- near hashes --- */

static enum hub_status take_near(void *context, const uint64_t *hashes, size_t count,
                                 struct hub_error *reterr) {
    struct keeping *keeping = context;
    (void)reterr;
    keeping->near_count += count;
    for (size_t i = 0; i < count; i++)
        keeping->near_sum += hashes[i];
    return HUB_OK;
}

static void expect_near(struct keeping *keeping, uint64_t count, uint64_t sum) {
    keeping->near_count = keeping->near_sum = 0;
    expect_ok(hub_cache_near(keeping->cache, keeping->shelf, take_near, keeping, &keeping->error),
              &keeping->error);
    assert_int_equal(keeping->near_count, count);
    assert_int_equal(keeping->near_sum, sum);
}

static void note_near(struct keeping *keeping, const char *key, const char *hook, uint64_t near) {
    struct hub_bytes part = hub_bytes_of_text("1");
    const struct hub_hook hooks[] = {
        {.hash = hash_of(key)}, {.hash = hash_of(hook), .is_near = true, .near_hash = near}};
    hub_cache_note_hooked(keeping->cache, keeping->shelf, 0, hub_bytes_of_text(key), &part, 1,
                          hooks, 2);
}

static void near_hashes_are_all_given_and_none_again_for_the_same_record(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    expect_near(&keeping, 0, 0);
    note_near(&keeping, "a", "123", 100);
    checkpoint(&keeping, 1);
    expect_near(&keeping, 1, 100);
    note_near(&keeping, "a", "123", 100);
    note_near(&keeping, "b", "456", 20);
    note_near(&keeping, "c", "789", 3);
    checkpoint(&keeping, 2);
    expect_near(&keeping, 3, 123);
    reopen_as(&keeping, "rules");
    note_near(&keeping, "a", "123", 100);
    checkpoint(&keeping, 3);
    expect_near(&keeping, 3, 123);
    end(&keeping);
}

static void near_hashes_of_a_long_list_are_all_given(void **state) {
    struct keeping keeping;
    char key[16], number[16];
    (void)state;
    begin(&keeping);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key %d", i);
        snprintf(number, sizeof number, "number %d", i);
        note_near(&keeping, key, number, (uint64_t)i);
    }
    checkpoint(&keeping, 1);
    expect_near(&keeping, MANY, (uint64_t)MANY * (MANY - 1) / 2);
    end(&keeping);
}

/* --- what is dropped --- */

static void under_another_tag_nothing_is_left(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note_many(&keeping, 0, 200);
    note_near(&keeping, "a", "123", 100);
    checkpoint(&keeping, 7);
    assert_int_equal(hub_cache_next(keeping.cache, spaces[0]), 7);
    reopen_as(&keeping, "other rules");
    assert_int_equal(hub_cache_next(keeping.cache, spaces[0]), -1);
    assert_int_equal(hub_cache_next(keeping.cache, spaces[1]), -1);
    expect_many(&keeping, 0);
    expect_near(&keeping, 0, 0);
    note_many(&keeping, 0, 50); /* and it can begin again */
    checkpoint(&keeping, 8);
    expect_many(&keeping, 50);
    reopen_as(&keeping, "rules"); /* and what it was is not there again */
    assert_int_equal(hub_cache_next(keeping.cache, spaces[0]), -1);
    expect_many(&keeping, 0);
    end(&keeping);
}

static void under_another_tag_it_is_another_while_the_cache_is_open(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    struct hub_cache_shelf *before = keeping.shelf;
    note_many(&keeping, 0, 200);
    checkpoint(&keeping, 7);
    expect_ok(hub_cache_open_shelf(keeping.cache, "trial/0", "other rules", spaces, 2,
                                   &keeping.shelf, &keeping.error),
              &keeping.error);
    assert_int_equal(hub_cache_next(keeping.cache, spaces[0]), -1);
    expect_many(&keeping, 0);
    note_many(&keeping, 0, 200); /* though they were known to be there */
    checkpoint(&keeping, 8);
    expect_many(&keeping, 200);
    expect_refusal(hub_cache_find(keeping.cache, before, hash_of("key 1"), NULL, take, &keeping.found,
                                  &keeping.error),
                   HUB_RETRY, &keeping.error, "cache: trial/0", "another tag");
    expect_refusal(hub_cache_near(keeping.cache, before, take_near, &keeping, &keeping.error),
                   HUB_RETRY, &keeping.error, "cache: trial/0", "another tag");
    keeping.shelf = before;
    note(&keeping, 0, "a", "1", "hook", "");
    assert_false(hub_cache_keeps(keeping.cache));
    end(&keeping);
}

static void spaces_that_were_kept_without_a_shelf_are_dropped(void **state) {
    struct keeping keeping = {0};
    struct hub_bytes value = hub_bytes_of_text("1");
    (void)state;
    folder_make(&keeping.folder);
    expect_ok(hub_cache_open(folder_path(&keeping.folder, "state"), "one", &hub_sha256, NOW_MS,
                             &keeping.cache, &keeping.error),
              &keeping.error);
    hub_cache_note(keeping.cache, spaces[1], hub_bytes_of_text("a"), &value, 1);
    checkpoint(&keeping, 3);
    reopen_as(&keeping, "rules");
    assert_int_equal(hub_cache_next(keeping.cache, spaces[1]), -1);
    end(&keeping);
}

static void a_space_that_was_dropped_has_no_record_to_be_found(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note_many(&keeping, 0, 200);
    note(&keeping, 0, "a", "1", "both", "");
    note(&keeping, 1, "b", "2", "both", "");
    checkpoint(&keeping, 7);
    hub_cache_drop(keeping.cache, spaces[0]);
    assert_int_equal(hub_cache_next(keeping.cache, spaces[0]), -1);
    assert_int_equal(hub_cache_next(keeping.cache, spaces[1]), 7);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(find(&keeping, "both"), "1:b=2");
        assert_string_equal(find(&keeping, "key 0"), "");
        assert_string_equal(find(&keeping, "key 1"), "1:key 1=key 1");
        reopen_as(&keeping, "rules");
    }
    note_many(&keeping, 0, 200);
    checkpoint(&keeping, 8);
    expect_many(&keeping, 200);
    end(&keeping);
}

/* --- what is not as it was written --- */

/* Where a name's id stands in the file with these bytes behind it, it and what follows are changed; the
 * cache is open again, its shelf is not. */
static void patch(struct keeping *keeping, const char *name, struct hub_bytes behind,
                  size_t from, uint8_t with, size_t size) {
    HUB_SCOPED_BUFFER file = {0}, pattern = {0};
    size_t hits = 0;
    hub_cache_close(keeping->cache);
    struct hub_digest id = hub_sha256.digest(hub_bytes_of_text(name));
    hub_buffer_append(&pattern, id.bytes, 8);
    hub_buffer_append_bytes(&pattern, behind);
    const char *path = folder_path(&keeping->folder, "state/data.mdb");
    expect_ok(hub_file_read(path, &file, &keeping->error), &keeping->error);
    for (uint8_t *at = file.data; (at = memmem(at, file.size - (size_t)(at - file.data),
                                               pattern.data, pattern.size)) != NULL; at++) {
        memset(at + from, with, size);
        hits++;
    }
    assert_true(hits > 0);
    expect_ok(hub_file_write(path, hub_buffer_bytes(&file), &keeping->error), &keeping->error);
    expect_ok(hub_cache_open(folder_path(&keeping->folder, "state"), "one", &hub_sha256, NOW_MS,
                             &keeping->cache, &keeping->error),
              &keeping->error);
}

static void expect_no_shelf(struct keeping *keeping) {
    struct hub_cache_shelf *other = NULL;
    expect_refusal(hub_cache_open_shelf(keeping->cache, "trial/0", "rules", spaces, 2,
                                        &keeping->shelf, &keeping->error),
                   HUB_RETRY, &keeping->error, "cache: trial/0: ", "it is thrown away");
    assert_false(hub_cache_keeps(keeping->cache));
    expect_refusal(hub_cache_open_shelf(keeping->cache, "trial/1", "rules", spaces, 2, &other,
                                        &keeping->error),
                   HUB_RETRY, &keeping->error, "cache: ", "given up");
    reopen_as(keeping, "rules"); /* and it begins anew */
    assert_int_equal(hub_cache_next(keeping->cache, spaces[0]), -1);
    assert_string_equal(find(keeping, "hook"), "");
}

static void a_fact_of_a_shelf_is_proved(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "hook", "");
    checkpoint(&keeping, 7);
    /* Its key, and the same in its value; in that a tag follows. */
    patch(&keeping, "shelf trial/0", hub_bytes("", 0), 20, 0xaa, 1);
    expect_no_shelf(&keeping);
    end(&keeping);
}

/* One that says that there is nothing. */
static void a_sum_is_proved(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note(&keeping, 0, "a", "1", "hook", "");
    checkpoint(&keeping, 7);
    patch(&keeping, "shelf trial/0", hub_bytes("\0\0\0\0", 4), 12, 0, 8);
    expect_no_shelf(&keeping);
    end(&keeping);
}

/* The whole list, as if there had never been one. */
static void near_hashes_are_counted(void **state) {
    struct keeping keeping;
    (void)state;
    begin(&keeping);
    note_near(&keeping, "a", "123", 100);
    checkpoint(&keeping, 7);
    patch(&keeping, "trial/0#near", hub_bytes("", 0), 7, 0xaa, 1);
    expect_ok(hub_cache_open_shelf(keeping.cache, "trial/0", "rules", spaces, 2, &keeping.shelf,
                                   &keeping.error),
              &keeping.error);
    expect_refusal(hub_cache_near(keeping.cache, keeping.shelf, take_near, &keeping,
                                  &keeping.error),
                   HUB_RETRY, &keeping.error, "cache: trial/0: near hashes", "thrown away");
    assert_false(hub_cache_keeps(keeping.cache));
    expect_refusal(hub_cache_find(keeping.cache, keeping.shelf, hash_of("a"), NULL, take, &keeping.found,
                                  &keeping.error),
                   HUB_RETRY, &keeping.error, "cache: ", "given up");
    end(&keeping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_found_by_each_of_its_hooks),
        cmocka_unit_test(a_hook_leads_to_all_records_that_share_it),
        cmocka_unit_test(what_was_only_noted_is_not_found),
        cmocka_unit_test(the_newest_record_is_found_by_old_hooks_and_new_ones),
        cmocka_unit_test(a_hook_that_comes_again_leads_to_its_record_once),
        cmocka_unit_test(a_note_without_hooks_is_found_by_those_of_before),
        cmocka_unit_test(shelves_do_not_see_each_other),
        cmocka_unit_test(what_was_given_is_not_given_again_where_that_is_wished),
        cmocka_unit_test(however_many_there_are_each_is_found),
        cmocka_unit_test(what_the_reader_says_is_passed_on),
        cmocka_unit_test(the_same_hooks_are_known_and_others_are_added_whatever_stood_between),
        cmocka_unit_test(near_hashes_are_all_given_and_none_again_for_the_same_record),
        cmocka_unit_test(near_hashes_of_a_long_list_are_all_given),
        cmocka_unit_test(under_another_tag_nothing_is_left),
        cmocka_unit_test(under_another_tag_it_is_another_while_the_cache_is_open),
        cmocka_unit_test(spaces_that_were_kept_without_a_shelf_are_dropped),
        cmocka_unit_test(a_space_that_was_dropped_has_no_record_to_be_found),
        cmocka_unit_test(a_fact_of_a_shelf_is_proved),
        cmocka_unit_test(a_sum_is_proved),
        cmocka_unit_test(near_hashes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
