/* file: whole reads with a limit, sorted names, writes that are there wholly or not at all. */
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void what_was_written_is_read(void **state) {
    struct folder folder;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    folder_make(&folder);
    const char *path = folder_path(&folder, "a");
    expect_ok(hub_file_write(path, hub_bytes("a\0b", 3), &error), &error);
    expect_ok(hub_file_read(path, &text, &error), &error);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&text), hub_bytes("a\0b", 3)));
    expect_ok(hub_file_write(path, hub_bytes("", 0), &error), &error); /* and replaced */
    hub_buffer_clear(&text);
    expect_ok(hub_file_read(path, &text, &error), &error);
    assert_int_equal(text.size, 0);
    folder_remove(&folder);
}

static void a_write_leaves_nothing_beside_the_file_and_is_for_its_owner(void **state) {
    struct folder folder;
    struct hub_error error;
    struct stat facts;
    char **names = NULL;
    size_t count = 0;
    (void)state;
    folder_make(&folder);
    folder_write(&folder, "a", "text");
    expect_ok(hub_file_list(folder.path, "", &folder.arena, &names, &count, &error), &error);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "a");
    assert_int_equal(stat(folder_path(&folder, "a"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    folder_remove(&folder);
}

static void a_write_that_fails_leaves_the_old_file(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    assert_int_equal(hub_file_write(folder_path(&folder, "none/a"), hub_bytes("x", 1), &error),
                     HUB_FATAL);
    folder_write(&folder, "a/b", "text"); /* a folder stands where the file should be */
    assert_int_equal(hub_file_write(folder_path(&folder, "a"), hub_bytes("x", 1), &error),
                     HUB_FATAL);
    assert_int_equal(access(folder_path(&folder, "a.tmp"), F_OK), -1);
    assert_int_equal(access(folder_path(&folder, "a/b"), F_OK), 0);
    folder_remove(&folder);
}

static void what_is_erased_is_written_over_first(void **state) {
    struct folder folder;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    folder_make(&folder);
    char *secret = hub_arena_take(&folder.arena, 1301);
    memset(secret, 'x', 1300);
    secret[1300] = '\0';
    folder_write(&folder, "secret", secret);
    const char *path = folder_path(&folder, "secret"), *kept = folder_path(&folder, "kept");
    assert_int_equal(link(path, kept), 0); /* the same bytes by another name */
    expect_ok(hub_file_erase(path, &error), &error);
    assert_int_equal(access(path, F_OK), -1);
    expect_ok(hub_file_read(kept, &text, &error), &error);
    assert_int_equal(text.size, 1300);
    for (size_t i = 0; i < text.size; i++)
        assert_int_equal(text.data[i], 0);
    expect_ok(hub_file_erase(path, &error), &error); /* one that is not there */
    assert_int_equal(symlink(kept, path), 0);
    assert_int_equal(hub_file_erase(path, &error), HUB_FATAL); /* another one's */
    folder_remove(&folder);
}

static void a_file_over_the_limit_is_refused_with_the_limit(void **state) {
    struct folder folder;
    struct hub_error error;
    struct hub_buffer fits = {.size_max = 5}, small = {.size_max = 4};
    (void)state;
    folder_make(&folder);
    folder_write(&folder, "a", "12345");
    expect_ok(hub_file_read(folder_path(&folder, "a"), &fits, &error), &error);
    expect_refusal(hub_file_read(folder_path(&folder, "a"), &small, &error), HUB_REJECT, &error,
                   folder.path, "limit of 4 bytes");
    hub_buffer_free(&fits);
    hub_buffer_free(&small);
    folder_remove(&folder);
}

static void what_is_no_file_is_told_from_what_is_not_there(void **state) {
    struct folder folder;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    folder_make(&folder);
    assert_int_equal(mkfifo(folder_path(&folder, "pipe"), 0600), 0);
    assert_int_equal(hub_file_read(folder.path, &text, &error), HUB_REJECT);
    assert_int_equal(hub_file_read(folder_path(&folder, "pipe"), &text, &error), HUB_REJECT);
    assert_int_equal(hub_file_read(folder_path(&folder, "none"), &text, &error), HUB_FATAL);
    folder_remove(&folder);
}

static void names_are_listed_by_suffix_and_sorted_without_the_hidden(void **state) {
    static const char *const files[] = {"b.avsc", "a.avsc", ".hidden.avsc", "c.json", "B.avsc"};
    struct folder folder;
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    (void)state;
    folder_make(&folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        folder_write(&folder, files[i], "");
    expect_ok(hub_file_list(folder.path, ".avsc", &folder.arena, &names, &count, &error), &error);
    assert_int_equal(count, 3);
    assert_string_equal(names[0], "B.avsc");
    assert_string_equal(names[1], "a.avsc");
    assert_string_equal(names[2], "b.avsc");
    assert_null(names[3]);
    assert_int_equal(hub_file_list(folder_path(&folder, "none"), "", &folder.arena, &names,
                                   &count, &error), HUB_FATAL);
    folder_remove(&folder);
}

static void folders_are_made_with_those_above_them(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    const char *path = folder_path(&folder, "a/b/c");
    expect_ok(hub_file_make_folder(path, &error), &error);
    assert_true(hub_file_is_folder(path));
    expect_ok(hub_file_make_folder(path, &error), &error); /* one that is there is fine */
    folder_write(&folder, "file", "x");
    assert_false(hub_file_is_folder(folder_path(&folder, "file")));
    assert_int_equal(hub_file_make_folder(folder_path(&folder, "file/d"), &error), HUB_FATAL);
    folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_write_leaves_nothing_beside_the_file_and_is_for_its_owner),
        cmocka_unit_test(a_write_that_fails_leaves_the_old_file),
        cmocka_unit_test(what_is_erased_is_written_over_first),
        cmocka_unit_test(a_file_over_the_limit_is_refused_with_the_limit),
        cmocka_unit_test(what_is_no_file_is_told_from_what_is_not_there),
        cmocka_unit_test(names_are_listed_by_suffix_and_sorted_without_the_hidden),
        cmocka_unit_test(folders_are_made_with_those_above_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
