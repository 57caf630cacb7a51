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
    *shelving = (struct shelving){.shelf = hub_shelf_new()};
}

static void end(struct shelving *shelving) {
    hub_shelf_free(shelving->shelf);
    hub_arena_destroy(&shelving->arena);
    hub_buffer_free(&shelving->given);
}

static void put(struct shelving *shelving, unsigned topic, const char *key, const char *value,
                const uint64_t *hashes, size_t count) {
    struct hub_hook hooks[8];
    struct hub_header header = {"kept", hub_bytes_of_text(value)};
    struct hub_input record = {.has_key = true,
                               .has_value = true,
                               .key = hub_bytes_of_text(key),
                               .value = hub_bytes_of_text(value),
                               .headers = &header,
                               .header_count = topic == 0,
                               .offset = 7,
                               .timestamp_ms = 9};
    for (size_t i = 0; i < count; i++)
        hooks[i] = (struct hub_hook){.hash = hashes[i]};
    hub_shelf_put(shelving->shelf, topic, &record, hooks, count, topic == 0 ? "kept" : NULL);
}

#define PUT(shelving, topic, key, value, ...)                                                      \
    put((shelving), (topic), (key), (value), (const uint64_t[]){__VA_ARGS__},                      \
        sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static enum hub_status take(void *context, unsigned topic, const struct hub_input *record,
                            struct hub_error *reterr) {
    struct shelving *shelving = context;
    struct hub_bytes kept = hub_input_header(record, "kept");
    (void)reterr;
    assert_int_equal(record->offset, 7);
    assert_int_equal(record->timestamp_ms, 9);
    hub_buffer_append_format(&shelving->given, "%u:%.*s=%.*s[%.*s] ", topic,
                             (int)record->key.size, (const char *)record->key.data,
                             (int)record->value.size, (const char *)record->value.data,
                             (int)kept.size, kept.data == NULL ? "" : (const char *)kept.data);
    return HUB_OK;
}

static void expect_found(struct shelving *shelving, uint64_t hook, const char *given) {
    hub_buffer_clear(&shelving->given);
    assert_int_equal(
        hub_shelf_find(shelving->shelf, hook, take, shelving, &shelving->error), HUB_OK);
    assert_string_equal(hub_buffer_text(&shelving->given), given);
}

static void an_empty_shelf_gives_nothing(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    assert_true(hub_shelf_is_empty(shelving.shelf));
    assert_false(hub_shelf_has(shelving.shelf, 0, hub_bytes_of_text("a")));
    expect_found(&shelving, 1, "");
    end(&shelving);
}

static void a_record_is_found_by_each_of_its_hooks(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    PUT(&shelving, 0, "a", "one", 1, 2);
    PUT(&shelving, 1, "a", "two", 2, 3);
    expect_found(&shelving, 1, "0:a=one[one] ");
    expect_found(&shelving, 2, "0:a=one[one] 1:a=two[] ");
    expect_found(&shelving, 3, "1:a=two[] ");
    expect_found(&shelving, 4, "");
    assert_false(hub_shelf_is_empty(shelving.shelf));
    end(&shelving);
}

static void the_last_record_of_a_key_counts_and_other_hooks_lead_to_it_too(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    PUT(&shelving, 1, "a", "one", 1, 2);
    PUT(&shelving, 1, "a", "longer than it was", 1, 2);
    expect_found(&shelving, 2, "1:a=longer than it was[] ");
    PUT(&shelving, 1, "a", "x", 1, 5);
    expect_found(&shelving, 5, "1:a=x[] ");
    hub_shelf_hook(shelving.shelf, 1, hub_bytes_of_text("a"),
                   &(struct hub_hook){.hash = 6}, 1);
    expect_found(&shelving, 6, "1:a=x[] ");
    assert_true(hub_shelf_has(shelving.shelf, 1, hub_bytes_of_text("a")));
    assert_false(hub_shelf_has(shelving.shelf, 0, hub_bytes_of_text("a")));
    assert_false(hub_shelf_has(shelving.shelf, 1, hub_bytes_of_text("b")));
    end(&shelving);
}

/* The tables grow several times, and hold what they held. */
static void thousands_of_records_are_all_found(void **state) {
    enum { RECORDS = 20000 };
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    for (unsigned i = 0; i < RECORDS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%u", i);
        PUT(&shelving, i % 3, key, key, hub_hook_hash(1, hub_bytes_of_text(key)), 99);
    }
    for (unsigned i = 0; i < RECORDS; i++) {
        char key[16], given[64];
        snprintf(key, sizeof key, "k%u", i);
        snprintf(given, sizeof given, "%u:%s=%s[%s] ", i % 3, key, key, i % 3 == 0 ? key : "");
        assert_true(hub_shelf_has(shelving.shelf, i % 3, hub_bytes_of_text(key)));
        expect_found(&shelving, hub_hook_hash(1, hub_bytes_of_text(key)), given);
    }
    hub_buffer_clear(&shelving.given);
    assert_int_equal(hub_shelf_each(shelving.shelf, 2, take, &shelving, &shelving.error), HUB_OK);
    const char *each = hub_buffer_text(&shelving.given);
    size_t count = 0;
    for (const char *at = strstr(each, "2:"); at != NULL; at = strstr(at + 1, " 2:"))
        count++;
    assert_int_equal(count, RECORDS / 3);
    end(&shelving);
}

enum { KEYS = 400000 };

struct place {
    uint32_t tag;
    unsigned topic, number;
};

static int compare_places(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    return x->tag != y->tag ? (x->tag < y->tag ? -1 : 1) : (int)x->number - (int)y->number;
}

static const char *key_of(struct shelving *shelving, unsigned number) {
    return hub_arena_format(&shelving->arena, "k%06u", number);
}

/* Tables look at the upper half of the hash of a topic and a key; among so many some have the same. */
static void keys_of_the_same_hash_are_told_apart(void **state) {
    struct shelving shelving;
    struct place *places = hub_allocate_zero(KEYS, sizeof *places);
    size_t same_topic = 0, other_topic = 0;
    (void)state;
    begin(&shelving);
    for (unsigned i = 0; i < KEYS; i++) {
        uint64_t hash = hub_hook_hash((uint8_t)(i % 2), hub_bytes_of_text(key_of(&shelving, i)));
        places[i] = (struct place){(uint32_t)(hash >> 32), i % 2, i};
    }
    qsort(places, KEYS, sizeof *places, compare_places);
    for (size_t i = 1; i < KEYS; i++) {
        const struct place *one = &places[i - 1], *two = &places[i];
        if (one->tag != two->tag)
            continue;
        const char *first = key_of(&shelving, one->number), *second = key_of(&shelving, two->number);
        PUT(&shelving, one->topic, first, "one", i);
        assert_false(hub_shelf_has(shelving.shelf, two->topic, hub_bytes_of_text(second)));
        PUT(&shelving, two->topic, second, "two", i);
        assert_true(hub_bytes_equal_text(
            hub_shelf_value(shelving.shelf, one->topic, hub_bytes_of_text(first)), "one"));
        assert_true(hub_bytes_equal_text(
            hub_shelf_value(shelving.shelf, two->topic, hub_bytes_of_text(second)), "two"));
        same_topic += one->topic == two->topic;
        other_topic += one->topic != two->topic;
    }
    assert_true(same_topic > 0 && other_topic > 0);
    hub_release(places);
    end(&shelving);
}

static void freeing_no_shelf_is_fine(void **state) {
    (void)state;
    hub_shelf_free(NULL);
}

static void a_hook_is_asked_for_once(void **state) {
    struct shelving shelving;
    (void)state;
    begin(&shelving);
    for (uint64_t hook = 1; hook < 5000; hook++)
        assert_true(hub_shelf_ask(shelving.shelf, hook * 7919));
    for (uint64_t hook = 1; hook < 5000; hook++)
        assert_false(hub_shelf_ask(shelving.shelf, hook * 7919));
    assert_true(hub_shelf_ask(shelving.shelf, 0)); /* the one that cannot be remembered */
    assert_true(hub_shelf_ask(shelving.shelf, 0));
    end(&shelving);
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
    PUT(&shelving, 1, "a", "one", 1);
    assert_int_equal(hub_shelf_find(shelving.shelf, 1, refuse, NULL, &shelving.error), HUB_FATAL);
    assert_int_equal(hub_shelf_each(shelving.shelf, 1, refuse, NULL, &shelving.error), HUB_FATAL);
    end(&shelving);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_shelf_gives_nothing),
        cmocka_unit_test(a_record_is_found_by_each_of_its_hooks),
        cmocka_unit_test(the_last_record_of_a_key_counts_and_other_hooks_lead_to_it_too),
        cmocka_unit_test(thousands_of_records_are_all_found),
        cmocka_unit_test(keys_of_the_same_hash_are_told_apart),
        cmocka_unit_test(freeing_no_shelf_is_fine),
        cmocka_unit_test(a_hook_is_asked_for_once),
        cmocka_unit_test(what_is_refused_ends_the_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
