/* zone: what a clock on a wall says, as an instant. */
#include "connectors/kit/zone.h"

#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#include <string.h>
#include <time.h>

static struct hub_arena arena;

static int forget(void **state) {
    (void)state;
    hub_arena_destroy(&arena);
    arena = (struct hub_arena){0};
    return 0;
}

static const struct hub_zone *zone_of(const char *name) {
    const struct hub_zone *zone = NULL;
    struct hub_error error;
    assert_int_equal(hub_zone_load(name, &arena, &zone, &error), HUB_OK);
    return zone;
}

static int64_t seconds(int year, int month, int day, int hour, int minute) {
    struct tm parts = {.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute};
    return timegm(&parts);
}

/* The offsets in minutes, each followed by a space. */
static const char *offsets(const struct hub_zone *zone, int64_t local_s) {
    int32_t found[2];
    const char *text = "";
    size_t count = hub_zone_offsets(zone, local_s, found);
    for (size_t i = 0; i < count; i++)
        text = hub_arena_format(&arena, "%s%d ", text, found[i] / 60);
    return text;
}

static void winter_and_summer_have_their_offsets(void **state) {
    (void)state;
    const struct hub_zone *zone = zone_of("Europe/Amsterdam");
    assert_string_equal(offsets(zone, seconds(2026, 1, 12, 8, 0)), "60 ");
    assert_string_equal(offsets(zone, seconds(2026, 7, 12, 8, 0)), "120 ");
    assert_string_equal(offsets(zone_of("America/New_York"), seconds(2026, 7, 12, 8, 0)), "-240 ");
    assert_string_equal(offsets(zone_of("Asia/Kathmandu"), seconds(2026, 7, 12, 8, 0)), "345 ");
}

static void the_hour_that_is_skipped_is_no_instant(void **state) {
    (void)state;
    const struct hub_zone *zone = zone_of("Europe/Stockholm");
    assert_string_equal(offsets(zone, seconds(2026, 3, 29, 1, 59)), "60 ");
    assert_string_equal(offsets(zone, seconds(2026, 3, 29, 2, 0)), "");
    assert_string_equal(offsets(zone, seconds(2026, 3, 29, 2, 59)), "");
    assert_string_equal(offsets(zone, seconds(2026, 3, 29, 3, 0)), "120 ");
}

static void the_hour_that_comes_twice_is_two_instants_the_earlier_first(void **state) {
    (void)state;
    const struct hub_zone *zone = zone_of("Europe/Stockholm");
    assert_string_equal(offsets(zone, seconds(2026, 10, 25, 1, 59)), "120 ");
    assert_string_equal(offsets(zone, seconds(2026, 10, 25, 2, 0)), "120 60 ");
    assert_string_equal(offsets(zone, seconds(2026, 10, 25, 2, 59)), "120 60 ");
    assert_string_equal(offsets(zone, seconds(2026, 10, 25, 3, 0)), "60 ");
}

static void a_zone_without_further_changes_goes_on(void **state) {
    (void)state;
    assert_string_equal(offsets(zone_of("Asia/Tokyo"), seconds(2900, 7, 12, 8, 0)), "540 ");
    assert_string_equal(offsets(zone_of("Etc/UTC"), seconds(1000, 7, 12, 8, 0)), "0 ");
}

static void after_the_last_change_that_is_listed_nothing_is_known(void **state) {
    (void)state;
    assert_string_equal(offsets(zone_of("Europe/Stockholm"), seconds(2900, 7, 12, 8, 0)), "");
}

static void names_that_are_none_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"",         "Europe",           "Europe/Lund", "CET",
                                        "/etc/x",   "Europe/",          "../zoneinfo/Europe/Paris",
                                        "a/../b",   "Europe/Stock holm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct hub_zone *zone = NULL;
        struct hub_error error;
        assert_int_equal(hub_zone_load(names[i], &arena, &zone, &error), HUB_REJECT);
        assert_string_equal(error.text, "no time zone of that name is installed");
    }
}

/* Whatever is cut off or changed is refused or read, within the file's bounds (sanitizers look). */
static void a_damaged_file_is_refused_or_read_within_its_bounds(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER file = {.size_max = 1024 * 1024};
    const struct hub_zone *zone = NULL;
    struct hub_error error;
    int32_t found[2];
    assert_int_equal(hub_file_read("/usr/share/zoneinfo/Europe/Stockholm", &file, &error), HUB_OK);
    for (size_t size = 0; size < file.size; size += 7) {
        char *part = hub_copy_bytes(file.data, size);
        if (hub_zone_read("cut", hub_bytes(part, size), &arena, &zone, &error) == HUB_OK)
            hub_zone_offsets(zone, 0, found);
        else
            assert_says(error.text, "cut: not a zone file of version 2 or later (RFC 8536)");
        hub_release(part);
    }
    for (size_t i = 0; i < file.size; i++) {
        char *changed = hub_copy_bytes(file.data, file.size);
        changed[i] = (char)~changed[i];
        if (hub_zone_read("changed", hub_bytes(changed, file.size), &arena, &zone, &error) == HUB_OK)
            hub_zone_offsets(zone, 0, found);
        hub_release(changed);
    }
}

static void the_first_version_of_the_files_is_refused(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER file = {.size_max = 1024 * 1024};
    const struct hub_zone *zone = NULL;
    struct hub_error error;
    assert_int_equal(hub_file_read("/usr/share/zoneinfo/Europe/Stockholm", &file, &error), HUB_OK);
    file.data[4] = 0;
    assert_int_equal(hub_zone_read("old", hub_buffer_bytes(&file), &arena, &zone, &error),
                     HUB_REJECT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(winter_and_summer_have_their_offsets, forget),
        cmocka_unit_test_teardown(the_hour_that_is_skipped_is_no_instant, forget),
        cmocka_unit_test_teardown(the_hour_that_comes_twice_is_two_instants_the_earlier_first,
                                  forget),
        cmocka_unit_test_teardown(a_zone_without_further_changes_goes_on, forget),
        cmocka_unit_test_teardown(after_the_last_change_that_is_listed_nothing_is_known, forget),
        cmocka_unit_test_teardown(names_that_are_none_are_refused, forget),
        cmocka_unit_test_teardown(a_damaged_file_is_refused_or_read_within_its_bounds, forget),
        cmocka_unit_test_teardown(the_first_version_of_the_files_is_refused, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
