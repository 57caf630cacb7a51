/* drop_listing: what is not wholly a line of a listing is no file. */
#include "connectors/transports/drop_listing.h"

#include "tests/lib/cmocka.h"

static const struct {
    const char *line;
    enum hub_file_kind kind;
    uint64_t size;
    const char *name;
} lines[] = {
    {"-rw-r--r--    1 hub      hub         155 Nov 26 13:33 a.csv", HUB_FILE_REGULAR, 155, "a.csv"},
    {"-rw-r--r--    1 0        0             4 Nov  6  2025 a b", HUB_FILE_REGULAR, 4, "a b"},
    {"-rw-r--r-- 1 a b 4 Nov 6 2025  led by a space", HUB_FILE_REGULAR, 4, " led by a space"},
    {"-rwsr-xr-t+ 12 a b 18446744073709551615 Nov 6 13:33 x", HUB_FILE_REGULAR, UINT64_MAX, "x"},
    {"-rw-r--r--. 1 a b 4 Nov 6 13:33 a -> b", HUB_FILE_REGULAR, 4, "a -> b"},
    {"drwxr-xr-x    3 hub      hub          4096 Nov 26 13:33 .", HUB_FILE_FOLDER, 4096, "."},
    {"lrwxrwxrwx    1 0        0             9 Nov 26 13:33 l.csv -> ../s", HUB_FILE_OTHER, 9,
     "l.csv"},
    {"lrwxrwxrwx    1 0        0               9 Nov 26 13:33 l.csv", HUB_FILE_OTHER, 9, "l.csv"},
    {"prw-r--r--    1 0        0               0 Nov 26 13:33 fifo", HUB_FILE_OTHER, 0, "fifo"},
    {"srw-r--r--    1 0        0               0 Nov 26 13:33 socket", HUB_FILE_OTHER, 0, "socket"},
    {"?rw-r--r--    1 0        0               0 Nov 26 13:33 odd", HUB_FILE_OTHER, 0, "odd"},
};

static const char *const none[] = {
    "",
    " ",
    "a.csv",
    "total 28",
    "-rw-r--r--    1 hub hub 155 Nov 26 13:33",
    "-rw-r--r--    1 hub hub 155 Nov 26 13:33 ",
    "-rw-r--r--    1 hub hub 155 Nov 26 a.csv",
    "-rw-r--r--    1 hub 155 Nov 26 13:33 a.csv",
    "-rw-r--r--    1 domain users hub 155 Nov 26 13:33 a.csv",
    "-rw-r--r--    one hub hub 155 Nov 26 13:33 a.csv",
    "-rw-r--r--    1 hub hub -1 Nov 26 13:33 a.csv",
    "-rw-r--r--    1 hub hub 1x Nov 26 13:33 a.csv",
    "-rw-r--r--    1 hub hub 18446744073709551616 Nov 26 13:33 a.csv",
    "-rw-r--r     1 hub hub 155 Nov 26 13:33 a.csv",
    "-rw-r--r--++ 1 hub hub 155 Nov 26 13:33 a.csv",
    "-rw-r--r--!  1 hub hub 155 Nov 26 13:33 a.csv",
    "-rw-r?-r--   1 hub hub 155 Nov 26 13:33 a.csv",
    "- 1 hub hub 155 Nov 26 13:33 a.csv",
    "lrwxrwxrwx    1 0 0 9 Nov 26 13:33  -> ../secret",
    "03-01-26  01:00PM             155 a.csv",
};

static void a_line_tells_kind_size_and_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct hub_drop_line told;
        if (!hub_drop_line_read(hub_bytes_of_text(lines[i].line), &told))
            fail_msg("not read: %s", lines[i].line);
        assert_int_equal(told.kind, lines[i].kind);
        assert_int_equal(told.size, lines[i].size);
        assert_true(hub_bytes_equal_text(told.name, lines[i].name));
    }
}

static void what_is_not_wholly_a_line_is_none(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct hub_drop_line told;
        if (hub_drop_line_read(hub_bytes_of_text(none[i]), &told))
            fail_msg("read: %s", none[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_kind_size_and_name),
        cmocka_unit_test(what_is_not_wholly_a_line_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
