/* file-out: what stands in the folder. */
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/delivering.h"
#include "tests/lib/source.h"

#include <string.h>

struct room {
    struct folder folder;
    struct delivering delivering;
};

static int begin(void **state) {
    struct room *room = hub_allocate_zero(1, sizeof *room);
    folder_make(&room->folder);
    *state = room;
    return 0;
}

static int end(void **state) {
    struct room *room = *state;
    delivering_close(&room->delivering);
    folder_remove(&room->folder);
    hub_release(room);
    return 0;
}

static void open_room(struct room *room, const char *more) {
    delivering_open(&room->delivering, "file-out",
                    hub_arena_format(&room->folder.arena, "{folder: %s%s}",
                                     folder_path(&room->folder, "a/b"), more));
}

static void assert_file(struct room *room, const char *name, const char *content) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    const char *path = folder_path(&room->folder, name);
    assert_int_equal(hub_file_read(path, &text, &error), HUB_OK);
    assert_string_equal(hub_buffer_text(&text), content);
}

static size_t count_files(struct room *room) {
    char **names = NULL;
    size_t count = 0;
    struct hub_error error;
    assert_int_equal(hub_file_list(folder_path(&room->folder, "a/b"), "", &room->folder.arena,
                                   &names, &count, &error),
                     HUB_OK);
    return count;
}

static void an_event_is_a_file_by_its_number(void **state) {
    struct room *room = *state;
    open_room(room, "");
    assert_int_equal(delivering_try(&room->delivering, 9, 1, 0), HUB_OK);
    assert_int_equal(delivering_try(&room->delivering, 10, 1, 0), HUB_OK);
    assert_file(room, "a/b/000000000009.json", "{\"number\":9}\n");
    assert_file(room, "a/b/000000000010.json", "{\"number\":10}\n");
    assert_int_equal(count_files(room), 2);
}

static void several_events_are_the_lines_of_one(void **state) {
    struct room *room = *state;
    open_room(room, ", events_per_file: 3");
    assert_int_equal(delivering_try(&room->delivering, 1, 3, 0), HUB_OK);
    assert_int_equal(delivering_try(&room->delivering, 4, 1, 0), HUB_OK);
    assert_file(room, "a/b/000000000001-000000000003.ndjson",
                "{\"number\":1}\n{\"number\":2}\n{\"number\":3}\n");
    assert_file(room, "a/b/000000000004-000000000004.ndjson", "{\"number\":4}\n");
}

static void what_comes_again_is_the_same_file(void **state) {
    struct room *room = *state;
    open_room(room, "");
    folder_write(&room->folder, "a/b/000000000009.json.tmp", "half a fi");
    assert_int_equal(delivering_try(&room->delivering, 9, 1, 0), HUB_OK);
    assert_int_equal(delivering_try(&room->delivering, 9, 1, 0), HUB_OK);
    assert_file(room, "a/b/000000000009.json", "{\"number\":9}\n");
    assert_int_equal(count_files(room), 1);
}

static void a_folder_that_is_gone_is_for_a_person(void **state) {
    struct room *room = *state;
    open_room(room, "");
    folder_remove(&room->folder);
    assert_int_equal(delivering_try(&room->delivering, 1, 1, 0), HUB_FATAL);
    assert_says(room->delivering.error.text, "000000000001.json");
    folder_make(&room->folder);
}

static void events_go_together_as_the_option_says(void **state) {
    struct room *room = *state;
    open_room(room, ", events_per_file: 500, wait_ms: 60000");
    struct hub_outbound_pace pace = room->delivering.outbound->pace(room->delivering.options);
    assert_int_equal(pace.together_max, 500);
    assert_int_equal(pace.planned_max, 500);
    assert_int_equal(pace.wait_ms, 60000);
    delivering_close(&room->delivering);
    open_room(room, "");
    pace = room->delivering.outbound->pace(room->delivering.options);
    assert_int_equal(pace.together_max, 1);
    assert_int_equal(pace.wait_ms, 0);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_file_by_its_number),
        cmocka_unit_test(several_events_are_the_lines_of_one),
        cmocka_unit_test(what_comes_again_is_the_same_file),
        cmocka_unit_test(a_folder_that_is_gone_is_for_a_person),
        cmocka_unit_test(events_go_together_as_the_option_says),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
