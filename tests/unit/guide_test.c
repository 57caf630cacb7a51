/* guide: what explains and checks an archive stands in it as it stands in the sources. */
#include "hub/archive/guide.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <stdlib.h>

static const char *const names[] = {"FORMAT.md", "verify.sh"};

/* HUB_SCHEMAS is beside the sources. */
static void read_source(struct folder *folder, const char *name, struct hub_buffer *file) {
    struct hub_error error;
    const char *schemas = getenv("HUB_SCHEMAS");
    assert_non_null(schemas);
    expect_ok(hub_file_read(hub_arena_format(&folder->arena, "%s/../hub/archive/%s", schemas, name),
                            file, &error), &error);
}

static void assert_written(struct folder *folder) {
    struct hub_error error;
    for (size_t i = 0; i < 2; i++) {
        HUB_SCOPED_BUFFER source = {0}, written = {0};
        read_source(folder, names[i], &source);
        expect_ok(hub_file_read(folder_path(folder, names[i]), &written, &error), &error);
        assert_true(source.size > 0);
        assert_true(hub_bytes_equal(hub_buffer_bytes(&source), hub_buffer_bytes(&written)));
    }
}

static void what_is_missing_or_another_is_written(void **state) {
    struct folder folder = {0};
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    expect_ok(hub_archive_write_guide(folder.path, &error), &error);
    assert_written(&folder);
    folder_write(&folder, "FORMAT.md", "another");
    expect_ok(hub_archive_write_guide(folder.path, &error), &error);
    assert_written(&folder);
    folder_remove(&folder);
}

static void what_is_there_is_not_written_again(void **state) {
    struct folder folder = {0};
    struct hub_error error;
    struct hub_file_facts before, after;
    (void)state;
    folder_make(&folder);
    expect_ok(hub_archive_write_guide(folder.path, &error), &error);
    for (size_t i = 0; i < 2; i++) {
        expect_ok(hub_file_facts(folder_path(&folder, names[i]), &before, &error), &error);
        expect_ok(hub_archive_write_guide(folder.path, &error), &error);
        expect_ok(hub_file_facts(folder_path(&folder, names[i]), &after, &error), &error);
        assert_int_equal(before.inode, after.inode);
    }
    folder_remove(&folder);
}

static void where_it_cannot_be_written_it_says_so(void **state) {
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_archive_write_guide("/nonexistent", &error), HUB_FATAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_or_another_is_written),
        cmocka_unit_test(what_is_there_is_not_written_again),
        cmocka_unit_test(where_it_cannot_be_written_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
