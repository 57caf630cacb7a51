/* lock: registry.lock.json is append-only, in order, and whole. */
#include "schemas/lib/lock.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static struct hub_arena arena;

static int end(void **state) {
    (void)state;
    hub_arena_destroy(&arena);
    return 0;
}

#define ENTRY(id, subject, version)                                                                \
    "{'id': " id ", 'subject': '" subject "', 'version': " version ", 'file': 'f', 'sha256': 'h'}"

#define refuses(document, place, words) refuses_at(document, place, words, __FILE__, __LINE__)
static void refuses_at(const char *document, const char *place, const char *words, const char *file,
                       int line) {
    struct hub_lock lock = {0};
    struct hub_error error;
    enum hub_status status = hub_lock_load(schema_node(&arena, document), &arena, &lock, &error);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_true(lock.entries == NULL, "nothing is given back", file, line);
}

static struct hub_lock loaded(const char *document) {
    struct hub_lock lock;
    struct hub_error error;
    expect_ok(hub_lock_load(schema_node(&arena, document), &arena, &lock, &error), &error);
    return lock;
}

static void the_newest_entry_of_a_subject_is_found(void **state) {
    (void)state;
    struct hub_lock lock = loaded("[" ENTRY("100001", "a", "1") "," ENTRY(
        "100002", "b", "1") "," ENTRY("100007", "a", "2") "]");
    assert_int_equal(lock.count, 3);
    assert_int_equal(hub_lock_latest(&lock, "a")->id, 100007);
    assert_int_equal(hub_lock_latest(&lock, "a")->version, 2);
    assert_int_equal(hub_lock_latest(&lock, "b")->id, 100002);
    assert_null(hub_lock_latest(&lock, "c"));
}

static void the_highest_id_is_one(void **state) {
    (void)state;
    assert_int_equal(loaded("[" ENTRY("2147483647", "a", "1") "]").entries[0].id, INT32_MAX);
}

static void an_empty_lock_is_one(void **state) {
    (void)state;
    struct hub_lock lock = loaded("[]");
    assert_int_equal(lock.count, 0);
    assert_null(hub_lock_latest(&lock, "a"));
}

static void a_lock_is_a_list_of_whole_entries(void **state) {
    (void)state;
    static const char words[] = "id, subject, version, file and sha256 would pass";
    refuses("{}", "own.json:1:1: ", "a list of entries would pass");
    refuses("[5]", "own.json:1:2: ", "an entry must be an object");
    refuses("[{'ids': 1}]", "own.json:1:3: ", "unknown key 'ids'; did you mean 'id'?");
    refuses("[{'id': 100001}]", "own.json:1:2: ", words);
    refuses("[" ENTRY("'100001'", "a", "1") "]", "own.json:1:2: ", words);
    refuses("[" ENTRY("100001", "a", "1.0") "]", "own.json:1:2: ", words);
    refuses("[{'id': 100001, 'subject': [], 'version': 1, 'file': 'f', 'sha256': 'h'}]",
            "own.json:1:2: ", words);
    refuses("[{'id': 100001, 'subject': 'a', 'version': 1, 'file': {}, 'sha256': 'h'}]",
            "own.json:1:2: ", words);
    refuses("[{'id': 100001, 'subject': 'a', 'version': 1, 'file': 'f', 'sha256': []}]",
            "own.json:1:2: ", words);
}

static void ids_ascend_from_the_first(void **state) {
    (void)state;
    refuses("[" ENTRY("100000", "a", "1") "]", "own.json:1:9: ", "an id from 100001 on would pass");
    refuses("[" ENTRY("100005", "a", "1") ",\n" ENTRY("100005", "b", "1") "]",
            "own.json:2:8: ", "an id from 100006 on would pass");
    refuses("[" ENTRY("100005", "a", "1") ",\n" ENTRY("100002", "b", "1") "]",
            "own.json:2:8: ", "an id from 100006 on would pass");
    refuses("[" ENTRY("2147483648", "a", "1") "]",
            "own.json:1:9: ", "an id from 100001 on would pass");
    refuses("[" ENTRY("-1", "a", "1") "]", "own.json:1:9: ", "an id from 100001 on would pass");
}

static void versions_of_a_subject_count_from_one(void **state) {
    (void)state;
    refuses("[" ENTRY("100001", "a", "2") "]", "own.json:1:", "version 1 of 'a' would pass");
    refuses("[" ENTRY("100001", "a", "1") ",\n" ENTRY("100002", "a", "1") "]",
            "own.json:2:43: ", "version 2 of 'a' would pass");
    refuses("[" ENTRY("100001", "a", "1") ",\n" ENTRY("100002", "a", "3") "]",
            "own.json:2:43: ", "version 2 of 'a' would pass");
}

static void what_is_rendered_is_loaded_again(void **state) {
    (void)state;
    struct hub_lock lock = loaded("[" ENTRY("100001", "a", "1") "," ENTRY("100002", "b", "1") "]");
    struct hub_lock_entry added = {100003, "a", 2, "registered/\"x\".avsc", "hh"};
    HUB_SCOPED_BUFFER text = {0};
    hub_lock_render(&lock, &added, &text);
    struct hub_lock again = loaded(hub_buffer_text(&text));
    assert_int_equal(again.count, 3);
    assert_string_equal(again.entries[0].subject, "a");
    assert_string_equal(again.entries[2].file, "registered/\"x\".avsc");
    assert_int_equal(hub_lock_latest(&again, "a")->version, 2);
    hub_buffer_clear(&text);
    hub_lock_render(&again, NULL, &text);
    assert_int_equal(loaded(hub_buffer_text(&text)).count, 3);
}

static void the_projects_lock_is_rendered_to_the_byte(void **state) {
    (void)state;
    const char *own = schema_read(&arena, "registry.lock.json");
    struct hub_lock lock = loaded(own);
    HUB_SCOPED_BUFFER text = {0};
    hub_lock_render(&lock, NULL, &text);
    assert_string_equal(hub_buffer_text(&text), own);
}

static void an_empty_lock_is_rendered_as_an_empty_list(void **state) {
    (void)state;
    struct hub_lock lock = {0};
    HUB_SCOPED_BUFFER text = {0};
    hub_lock_render(&lock, NULL, &text);
    assert_int_equal(loaded(hub_buffer_text(&text)).count, 0);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_entry_of_a_subject_is_found),
        cmocka_unit_test(the_highest_id_is_one),
        cmocka_unit_test(an_empty_lock_is_one),
        cmocka_unit_test(a_lock_is_a_list_of_whole_entries),
        cmocka_unit_test(ids_ascend_from_the_first),
        cmocka_unit_test(versions_of_a_subject_count_from_one),
        cmocka_unit_test(what_is_rendered_is_loaded_again),
        cmocka_unit_test(the_projects_lock_is_rendered_to_the_byte),
        cmocka_unit_test(an_empty_lock_is_rendered_as_an_empty_list),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i].teardown_func = end;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
