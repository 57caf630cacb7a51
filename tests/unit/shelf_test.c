/* shelf: of each key of a topic the last record, found by any of its hooks. */
#include "hub/stages/shelf.h"
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shelving {
    struct hub_shelf *shelf;
    struct hub_arena arena;
    struct hub_error error;
    struct hub_buffer given; /* topic:key=value[header] of each, in order */
};

static void begin(struct shelving *shelving) {
    *shelving = (struct shelving){.shelf = hub_shelf_new(/* topic= */ 3, "kept")};
}

static void end(struct shelving *shelving) {
    hub_shelf_free(shelving->shelf);
    hub_arena_destroy(&shelving->arena);
    hub_buffer_free(&shelving->given);
}

static uint64_t own_hook(const char *key) {
    return hub_hook_hash(1, hub_bytes_of_text(key));
}

/* The hook of its own, and these. */
static void put(struct shelving *shelving, const char *key, const char *value,
                const uint64_t *hashes, size_t count) {
    struct hub_hook hooks[8] = {{.hash = own_hook(key)}};
    struct hub_header header = {"kept", hub_bytes_of_text(value)};
    struct hub_input record = {.has_key = true,
                               .has_value = true,
                               .key = hub_bytes_of_text(key),
                               .value = hub_bytes_of_text(value),
                               .headers = &header,
                               .header_count = *value != '-',
                               .offset = 7,
                               .timestamp_ms = 9};
    for (size_t i = 0; i < count; i++)
        hooks[1 + i] = (struct hub_hook){.hash = hashes[i]};
    hub_shelf_put(shelving->shelf, &record, hooks, 1 + count);
}

#define PUT(shelving, key, value, ...)                                                             \
    put((shelving), (key), (value), (const uint64_t[]){__VA_ARGS__},                               \
        sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static enum hub_status take(void *context, unsigned topic, const struct hub_input *record,
                            struct hub_error *reterr) {
    struct shelving *shelving = context;
    struct hub_bytes kept = hub_input_header(record, "kept");
    (void)reterr;
    assert_int_equal(record->offset, 7);
    assert_int_equal(record->timestamp_ms, 9);
    hub_buffer_append_format(&shelving->given, "%u:%.*s=%.*s[%.*s] ", topic, (int)record->key.size,
                             (const char *)record->key.data, (int)record->value.size,
                             (const char *)record->value.data, (int)kept.size,
                             kept.data == NULL ? "" : (const char *)kept.data);
    return HUB_OK;
}

static void expect_found(struct shelving *shelving, uint64_t hook, const char *given) {
    hub_buffer_clear(&shelving->given);
    assert_int_equal(hub_shelf_find(shelving->shelf, hook, take, shelving, &shelving->error),
                     HUB_OK);
    assert_string_equal(hub_buffer_text(&shelving->given), given);
}

static void expect_stored(struct shelving *shelving, const char *key, const char *value) {
    struct hub_bytes found =
        hub_shelf_value(shelving->shelf, own_hook(key), hub_bytes_of_text(key));
    if (value == NULL)
        assert_null(found.data);
    else
        assert_true(hub_bytes_equal_text(found, value));
}

static void an_empty_shelf_gives_nothing(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    assert_true(hub_shelf_is_empty(shelving.shelf));
    expect_stored(&shelving, "a", NULL);
    hub_shelf_sort(shelving.shelf);
    expect_stored(&shelving, "a", NULL);
    expect_found(&shelving, 1, "");
    end(&shelving);
}

static void a_record_is_found_by_each_of_its_hooks(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    PUT(&shelving, "a", "one", 1, 2);
    PUT(&shelving, "b", "-two", 2, 3);
    expect_found(&shelving, own_hook("a"), "3:a=one[one] ");
    expect_found(&shelving, 1, "3:a=one[one] ");
    expect_found(&shelving, 2, "3:a=one[one] 3:b=-two[] ");
    expect_found(&shelving, 3, "3:b=-two[] ");
    expect_found(&shelving, 4, "");
    assert_false(hub_shelf_is_empty(shelving.shelf));
    end(&shelving);
}

static void without_a_header_to_keep_none_is_kept(void **state) {
    struct shelving shelving = {.shelf = hub_shelf_new(0, NULL)};
    (void)state;
    PUT(&shelving, "a", "one", 1);
    expect_found(&shelving, 1, "0:a=one[] ");
    end(&shelving);
}

static void the_last_record_of_a_key_counts_with_its_hooks(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    PUT(&shelving, "a", "one", 1, 2);
    PUT(&shelving, "a", "longer than it was", 2, 3);
    PUT(&shelving, "b", "one", 3);
    expect_found(&shelving, 1, ""); /* which is no hook of it any more */
    expect_found(&shelving, 2, "3:a=longer than it was[longer than it was] ");
    PUT(&shelving, "a", "x", 2, 5); /* once they have been sorted */
    expect_found(&shelving, own_hook("a"), "3:a=x[x] ");
    expect_found(&shelving, 2, "3:a=x[x] ");
    expect_found(&shelving, 3, "3:b=one[one] ");
    expect_found(&shelving, 5, "3:a=x[x] ");
    expect_stored(&shelving, "a", "x");
    expect_stored(&shelving, "c", NULL);
    end(&shelving);
}

static void other_hooks_lead_to_a_record_too(void **state) {
    struct shelving shelving;
    const struct hub_hook hooks[] = {{.hash = 6}, {.hash = 7}};
    (void)state;
    begin(&shelving);
    PUT(&shelving, "b", "one", 7);
    PUT(&shelving, "a", "one", 1);
    hub_shelf_hook(shelving.shelf, own_hook("a"), hub_bytes_of_text("a"), hooks, 2);
    expect_found(&shelving, 6, ""); /* it was not sorted yet */
    hub_shelf_hook(shelving.shelf, own_hook("a"), hub_bytes_of_text("a"), hooks, 2);
    hub_shelf_hook(shelving.shelf, own_hook("c"), hub_bytes_of_text("c"), hooks, 2);
    expect_stored(&shelving, "a", "one"); /* found as before while they are not */
    expect_found(&shelving, 6, "3:a=one[one] ");
    expect_found(&shelving, 7, "3:b=one[one] 3:a=one[one] ");
    end(&shelving);
}

/* The tables are of several sizes, and hold what they held. */
static void thousands_of_records_are_all_found(void **state) {
    enum { RECORDS = 60000, ASKED_EACH = 7000 };
    struct shelving shelving;
    char key[16], given[64];
    (void)state;
    begin(&shelving);
    for (unsigned i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof key, "k%u", i / 3); /* three of each */
        PUT(&shelving, key, i % 3 == 2 ? key : "earlier", 99, i % 3 == 2 ? 100 + i : 98);
        if (i % ASKED_EACH == 0)
            expect_found(&shelving, 97, "");
    }
    for (unsigned i = 0; i < RECORDS / 3; i++) {
        snprintf(key, sizeof key, "k%u", i);
        snprintf(given, sizeof given, "3:%s=%s[%s] ", key, key, key);
        expect_found(&shelving, own_hook(key), given);
        expect_found(&shelving, 100 + 3 * i + 2, given);
        expect_stored(&shelving, key, key);
    }
    expect_found(&shelving, 98, "");
    hub_buffer_clear(&shelving.given);
    assert_int_equal(hub_shelf_each(shelving.shelf, take, &shelving, &shelving.error), HUB_OK);
    size_t size = shelving.given.size;
    assert_int_equal(strncmp(hub_buffer_text(&shelving.given), "3:k0=k0[k0] 3:k1=k1[k1] ", 24), 0);
    hub_buffer_clear(&shelving.given);
    assert_int_equal(hub_shelf_find(shelving.shelf, 99, take, &shelving, &shelving.error), HUB_OK);
    assert_int_equal(shelving.given.size, size); /* all of them have that one */
    end(&shelving);
}

/* What is no more the last does not stay for ever: the room of a few large records that are put
 * again and again is used again. */
static void records_that_are_no_more_make_room(void **state) {
    enum { SIZE = 8 << 20, TIMES = 100 };
    struct shelving shelving;
    char *value = hub_allocate_zero(1, SIZE + 1);
    (void)state;
    begin(&shelving);
    memset(value, 'x', SIZE);
    for (unsigned i = 0; i < TIMES; i++) {
        value[0] = (char)('a' + i % 26);
        PUT(&shelving, "a", value, 1);
        assert_in_range(hub_shelf_bytes(shelving.shelf), 0, 70 * (size_t)SIZE);
    }
    PUT(&shelving, "b", "one", 1);
    hub_shelf_sort(shelving.shelf);
    expect_stored(&shelving, "a", value);
    expect_stored(&shelving, "b", "one");
    hub_release(value);
    end(&shelving);
}

/* Another key may have the same own hook, as the copies of a statement do. */
static void keys_of_the_same_own_hook_are_told_apart(void **state) {
    struct shelving shelving;
    const struct hub_hook hook = {.hash = 5};
    const char *const keys[] = {"a", "b", "a", "c", "b", "a"};
    (void)state;
    begin(&shelving);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char value[2] = {(char)('0' + i), 0};
        struct hub_input record = {.has_key = true,
                                   .has_value = true,
                                   .key = hub_bytes_of_text(keys[i]),
                                   .value = hub_bytes_of_text(value),
                                   .offset = 7,
                                   .timestamp_ms = 9};
        hub_shelf_put(shelving.shelf, &record, &hook, 1);
    }
    expect_found(&shelving, 5, "3:c=3[] 3:b=4[] 3:a=5[] ");
    assert_true(
        hub_bytes_equal_text(hub_shelf_value(shelving.shelf, 5, hub_bytes_of_text("b")), "4"));
    end(&shelving);
}

static void freeing_no_shelf_is_fine(void **state) {
    (void)state;
    hub_shelf_free(NULL);
}

static enum hub_status refuse(void *context, unsigned topic, const struct hub_input *record,
                              struct hub_error *reterr) {
    (void)context;
    (void)topic;
    (void)record;
    return hub_fail(reterr, HUB_FATAL, "refused");
}

static void what_is_refused_ends_the_search(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    PUT(&shelving, "a", "one", 1);
    assert_int_equal(hub_shelf_find(shelving.shelf, 1, refuse, NULL, &shelving.error), HUB_FATAL);
    assert_int_equal(hub_shelf_find(shelving.shelf, own_hook("a"), refuse, NULL, &shelving.error),
                     HUB_FATAL);
    assert_int_equal(hub_shelf_each(shelving.shelf, refuse, NULL, &shelving.error), HUB_FATAL);
    end(&shelving);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_shelf_gives_nothing),
        cmocka_unit_test(a_record_is_found_by_each_of_its_hooks),
        cmocka_unit_test(without_a_header_to_keep_none_is_kept),
        cmocka_unit_test(the_last_record_of_a_key_counts_with_its_hooks),
        cmocka_unit_test(other_hooks_lead_to_a_record_too),
        cmocka_unit_test(thousands_of_records_are_all_found),
        cmocka_unit_test(records_that_are_no_more_make_room),
        cmocka_unit_test(keys_of_the_same_own_hook_are_told_apart),
        cmocka_unit_test(freeing_no_shelf_is_fine),
        cmocka_unit_test(what_is_refused_ends_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
