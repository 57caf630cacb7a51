/* mapping_time: dates and times as sources write them. */
#include "connectors/kit/mapping_plan.h"
#include "tests/lib/cmocka.h"

#include <stdio.h>

enum { HOUR_MS = 3600000, DAY_MS = 86400000 };

/* What is read, as text: the instant or date, its precision and its offset; "no" where the text
 * does not fit. The zone may be NULL. */
static const char *read_as(const char *format, const char *zone, const char *text,
                           bool need_instant) {
    static char told[128];
    const char *formats[] = {format, NULL};
    struct map_time time = {.formats = formats, .has_zone = zone != NULL};
    struct map_instant instant;
    if (zone != NULL)
        assert_true(map_time_zone(zone, &time.offset_minutes));
    if (!map_time_read(&time, text, need_instant, &instant))
        return "no";
    HUB_SCOPED_BUFFER iso = {0};
    map_time_append(&instant, /* whole_instant= */ need_instant, &iso);
    snprintf(told, sizeof told, "%s %+d", hub_buffer_text(&iso), instant.offset_minutes);
    return told;
}

static const char *date(const char *format, const char *text) {
    static char told[128];
    snprintf(told, sizeof told, "%s", read_as(format, NULL, text, false));
    char *space = strchr(told, ' ');
    if (space != NULL)
        *space = '\0';
    return told;
}

static int64_t instant_of(const char *format, const char *zone, const char *text) {
    const char *formats[] = {format, NULL};
    struct map_time time = {.formats = formats, .has_zone = zone != NULL};
    struct map_instant instant;
    if (zone != NULL)
        assert_true(map_time_zone(zone, &time.offset_minutes));
    assert_true(map_time_read(&time, text, /* need_instant= */ true, &instant));
    return instant.milliseconds;
}

static void a_date_is_a_whole_day_and_nothing_less(void **state) {
    (void)state;
    assert_string_equal(date("date", "2026-02-02"), "2026-02-02");
    assert_string_equal(date("date", "2026-02"), "no");
    assert_string_equal(date("date", "2026-2-2"), "no");
    assert_string_equal(date("date", "2026-02-02T10:00:00Z"), "no");
    assert_string_equal(date("date", "2026-02-02x"), "no");
    assert_string_equal(date("date", ""), "no");
    assert_string_equal(date("date", "20260202"), "no");
}

static void a_partial_date_keeps_its_precision(void **state) {
    (void)state;
    assert_string_equal(date("partial", "2016"), "2016");
    assert_string_equal(date("partial", "2016-07"), "2016-07");
    assert_string_equal(date("partial", "2016-07-14"), "2016-07-14");
    assert_string_equal(date("partial", "2016-"), "no");
    assert_string_equal(date("partial", "2016-07-"), "no");
    assert_string_equal(date("partial", "16"), "no");
}

static void leap_days_are_where_the_calendar_has_them(void **state) {
    (void)state;
    assert_string_equal(date("date", "2024-02-29"), "2024-02-29");
    assert_string_equal(date("date", "2000-02-29"), "2000-02-29");
    assert_string_equal(date("date", "2026-02-29"), "no");
    assert_string_equal(date("date", "1900-02-29"), "no");
    assert_string_equal(date("%d/%m/%Y", "29/02/2026"), "no");
    assert_string_equal(date("%d/%m/%Y", "29/02/2024"), "2024-02-29");
}

static void days_that_no_calendar_has_are_refused(void **state) {
    (void)state;
    assert_string_equal(date("date", "2026-04-31"), "no");
    assert_string_equal(date("date", "2026-13-01"), "no");
    assert_string_equal(date("date", "2026-00-10"), "no");
    assert_string_equal(date("date", "2026-01-00"), "no");
    assert_string_equal(date("date", "0000-01-01"), "no");
    assert_string_equal(date("%d/%m/%Y", "31/04/2021"), "no");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-30T10:00:00Z", true), "no");
}

static void dates_before_1970_are_dates(void **state) {
    (void)state;
    assert_string_equal(date("date", "1969-12-31"), "1969-12-31");
    assert_string_equal(date("date", "1800-03-01"), "1800-03-01");
    assert_int_equal(instant_of("rfc3339", NULL, "1969-12-31T23:59:59.999Z"), -1);
}

static void an_instant_keeps_its_offset(void **state) {
    (void)state;
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:00+01:00", true),
                        "2026-02-02T09:00:00.000Z +60");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:00-03:30", true),
                        "2026-02-02T13:30:00.000Z -210");
    assert_string_equal(read_as("rfc3339", "+02:00", "2026-02-02T10:00:00Z", true),
                        "2026-02-02T10:00:00.000Z +0");
}

static void small_letters_and_a_space_are_rfc_3339_too(void **state) {
    (void)state;
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02t10:00:00z", true),
                        "2026-02-02T10:00:00.000Z +0");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02 10:00:00Z", true),
                        "2026-02-02T10:00:00.000Z +0");
}

static void an_instant_without_offset_takes_the_zone_or_is_refused(void **state) {
    (void)state;
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:00", true), "no");
    assert_string_equal(read_as("rfc3339", "+01:00", "2026-02-02T10:00:00", true),
                        "2026-02-02T09:00:00.000Z +60");
}

static void fractions_are_kept_to_the_millisecond(void **state) {
    (void)state;
    assert_int_equal(instant_of("rfc3339", NULL, "1970-01-01T00:00:00.5Z"), 500);
    assert_int_equal(instant_of("rfc3339", NULL, "1970-01-01T00:00:00.123456789Z"), 123);
    assert_string_equal(read_as("rfc3339", NULL, "1970-01-01T00:00:00.Z", true), "no");
    assert_string_equal(read_as("rfc3339", NULL, "1970-01-01T00:00.5Z", true), "no");
}

static void the_clock_has_its_bounds(void **state) {
    (void)state;
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T24:00:00Z", true), "no");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:60:00Z", true), "no");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:61Z", true), "no");
    assert_string_equal(read_as("rfc3339", NULL, "2016-12-31T23:59:60Z", true),
                        "2017-01-01T00:00:00.000Z +0");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:00+15:00", true), "no");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:00+0100", true), "no");
    assert_string_equal(read_as("rfc3339", NULL, "2026-02-02T10:00:00Z ", true), "no");
}

static void a_plain_date_as_an_instant_is_midnight_where_the_source_is(void **state) {
    (void)state;
    assert_string_equal(read_as("date", "+01:00", "2026-02-02", true), "2026-02-02 +60");
    assert_int_equal(instant_of("date", "+01:00", "1970-01-02"), DAY_MS - HOUR_MS);
    assert_int_equal(instant_of("date", "UTC", "1970-01-02"), DAY_MS);
    assert_int_equal(instant_of("date", "-05:00", "1970-01-02"), DAY_MS + 5 * HOUR_MS);
}

static void a_pattern_is_read_in_its_zone(void **state) {
    (void)state;
    assert_string_equal(read_as("%d/%m/%Y %H:%M", "+01:00", "02/02/2026 10:30", true),
                        "2026-02-02T09:30:00.000Z +60");
    assert_int_equal(instant_of("%d/%m/%Y", "+01:00", "02/01/1970"), DAY_MS - HOUR_MS);
}

static void the_day_of_an_instant_is_the_sources_own(void **state) {
    (void)state;
    assert_string_equal(date("rfc3339", "2026-02-02T00:30:00+01:00"), "2026-02-02");
    assert_string_equal(date("rfc3339", "2026-02-02T23:30:00-05:00"), "2026-02-02");
}

static void a_pattern_knows_as_much_as_its_conversions_tell(void **state) {
    (void)state;
    assert_string_equal(date("%d/%m/%Y", "28/04/2021"), "2021-04-28");
    assert_string_equal(date("%B %Y", "April 2010"), "2010-04");
    assert_string_equal(date("%b %e, %Y", "Apr 3, 2010"), "2010-04-03");
    assert_string_equal(date("%Y", "2010"), "2010");
    assert_string_equal(date("%F", "2010-04-03"), "2010-04-03");
    assert_string_equal(date("%D", "04/03/10"), "2010-04-03");
    assert_string_equal(date("%h %Y", "Apr 2010"), "2010-04");
}

static void a_pattern_with_any_clock_tells_a_time_of_day(void **state) {
    (void)state;
    assert_string_equal(read_as("%F %R", "UTC", "2026-02-02 10:30", true),
                        "2026-02-02T10:30:00.000Z +0");
    assert_string_equal(read_as("%d/%m/%Y %I:%M %p", "UTC", "02/02/2026 01:30 PM", true),
                        "2026-02-02T13:30:00.000Z +0");
}

static void an_offset_in_a_pattern_is_the_one_that_counts(void **state) {
    (void)state;
    assert_string_equal(read_as("%Y-%m-%dT%H:%M:%S%z", "UTC", "2026-02-02T10:00:00+0200", true),
                        "2026-02-02T08:00:00.000Z +120");
    assert_string_equal(read_as("%Y-%m-%dT%H:%M:%S%z", NULL, "2026-02-02T10:00:00-0330", true),
                        "2026-02-02T13:30:00.000Z -210");
}

static void a_pattern_must_fit_the_whole_text(void **state) {
    (void)state;
    assert_string_equal(date("%d/%m/%Y", "28/04/2021 "), "no");
    assert_string_equal(date("%d/%m/%Y", "28/04"), "no");
    assert_string_equal(date("%d/%m/%Y", "28-04-2021"), "no");
    assert_string_equal(date("%m/%d", "04/28"), "no");
}

static void a_year_of_two_digits_is_not_one_of_the_first_century(void **state) {
    (void)state;
    assert_string_equal(date("%d/%m/%Y", "28/04/21"), "no");
    assert_string_equal(date("%d/%m/%y", "28/04/21"), "2021-04-28");
}

static void formats_are_tried_in_their_order(void **state) {
    static const char *const formats[] = {"%d/%m/%Y", "%m/%d/%Y", "partial", NULL};
    struct map_time time = {.formats = formats};
    struct map_instant instant;
    HUB_SCOPED_BUFFER first = {0}, second = {0}, third = {0};
    (void)state;
    assert_true(map_time_read(&time, "03/04/2021", false, &instant));
    map_time_append(&instant, false, &first);
    assert_string_equal(hub_buffer_text(&first), "2021-04-03");
    assert_true(map_time_read(&time, "03/28/2021", false, &instant));
    map_time_append(&instant, false, &second);
    assert_string_equal(hub_buffer_text(&second), "2021-03-28");
    assert_true(map_time_read(&time, "2021", false, &instant));
    map_time_append(&instant, false, &third);
    assert_string_equal(hub_buffer_text(&third), "2021");
}

static void zones_are_utc_or_an_offset(void **state) {
    int minutes = 0;
    (void)state;
    assert_true(map_time_zone("UTC", &minutes) && minutes == 0);
    assert_true(map_time_zone("+05:45", &minutes) && minutes == 345);
    assert_true(map_time_zone("-03:30", &minutes) && minutes == -210);
    assert_false(map_time_zone("Europe/Amsterdam", &minutes));
    assert_false(map_time_zone("+1:00", &minutes));
    assert_false(map_time_zone("+01:60", &minutes));
    assert_false(map_time_zone("+01", &minutes));
    assert_false(map_time_zone("", &minutes));
}

static void an_hl7_time_keeps_its_offset_and_its_fractions(void **state) {
    (void)state;
    assert_string_equal(read_as("hl7", NULL, "20210924093000+0215", true),
                        "2021-09-24T07:15:00.000Z +135");
    assert_string_equal(read_as("hl7", NULL, "202109240930-0330", true),
                        "2021-09-24T13:00:00.000Z -210");
    assert_string_equal(read_as("hl7", "+02:00", "202109240930", true),
                        "2021-09-24T07:30:00.000Z +120");
    assert_string_equal(read_as("hl7", "+02:00", "20210924093015.1234", true),
                        "2021-09-24T07:30:15.123Z +120");
    assert_string_equal(read_as("hl7", "UTC", "20210924093015.5+0100", true),
                        "2021-09-24T08:30:15.500Z +60");
}

static void an_hl7_date_knows_as_much_as_it_has_digits(void **state) {
    (void)state;
    assert_string_equal(date("hl7", "20210924"), "2021-09-24");
    assert_string_equal(date("hl7", "202109"), "2021-09");
    assert_string_equal(date("hl7", "2021"), "2021");
    assert_string_equal(date("hl7", "20210924013000+0100"), "2021-09-24");
    assert_int_equal(instant_of("hl7", "+01:00", "19700102"), DAY_MS - HOUR_MS);
    assert_int_equal(instant_of("hl7", NULL, "19700102+0100"), DAY_MS - HOUR_MS);
}

/* The instant in UTC and its offset, or "no". */
static const char *ical(const char *zone, const char *text) {
    static char told[128];
    const char *formats[] = {"ical", NULL};
    struct hub_arena arena = {0};
    struct map_zones zones = {.arena = &arena};
    struct map_time time = {.formats = formats, .zones = &zones, .has_zone = zone != NULL};
    struct map_instant instant;
    HUB_SCOPED_BUFFER iso = {0};
    if (zone != NULL)
        assert_true(map_time_zone(zone, &time.offset_minutes));
    bool fits = map_time_read(&time, text, /* need_instant= */ true, &instant);
    assert_int_equal(map_time_read(&time, text, /* need_instant= */ true, &instant), fits);
    if (fits)
        map_time_append(&instant, /* whole_instant= */ true, &iso);
    snprintf(told, sizeof told, "%s %+d", fits ? hub_buffer_text(&iso) : "no",
             fits ? instant.offset_minutes : 0);
    hub_arena_destroy(&arena);
    return told;
}

static void a_calendars_time_is_in_utc_or_in_the_zone_it_names(void **state) {
    (void)state;
    assert_string_equal(ical(NULL, "20260312T080000Z"), "2026-03-12T08:00:00.000Z +0");
    assert_string_equal(ical(NULL, "20260312T080000Z Europe/Amsterdam"),
                        "2026-03-12T08:00:00.000Z +0");
    assert_string_equal(ical(NULL, "20260312T080000 Europe/Amsterdam"),
                        "2026-03-12T07:00:00.000Z +60");
    assert_string_equal(ical("UTC", "20260712T080000 America/New_York"),
                        "2026-07-12T12:00:00.000Z -240");
    assert_string_equal(ical("+01:00", "20260312T080000"), "2026-03-12T07:00:00.000Z +60");
    assert_string_equal(ical("+01:00", "20260312"), "2026-03-12 +60");
    assert_string_equal(ical(NULL, "20260312 Europe/Amsterdam"), "2026-03-12 +60");
    assert_string_equal(date("ical", "20260312"), "2026-03-12");
}

static void what_is_no_time_of_a_calendar_is_refused(void **state) {
    static const char *const texts[] = {
        "", "2026031", "20260230", "2026-03-12", "20260312T", "20260312T0800", "20260312T240000",
        "20260312T086000", "20260312T080061", "20260312T080000+0100", "20260312T080000Zx",
        "20260312T080000 ", "20260312T080000 CET", "20260312T080000 Europe/Nowhere",
        "20260312T080000 ../etc/passwd", "20260312T080000 W. Europe Standard Time",
        "20260329T023000 Europe/Amsterdam", "20261025T023000 Europe/Amsterdam", "20260312Z"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(ical("UTC", texts[i]), "no +0");
    assert_string_equal(ical(NULL, "20260312T080000"), "no +0");
    assert_string_equal(ical(NULL, "20260312"), "no +0");
}

static void what_may_be_wrong_with_a_time_is_said(void **state) {
    static const char *const one[] = {"date", NULL}, *const two[] = {"hl7", "date", NULL},
                             *const calendar[] = {"ical", NULL};
    struct hub_arena arena = {0};
    struct map_time time = {.formats = one};
    (void)state;
    assert_string_equal(map_time_refusal(&time, &arena), "not in the format date");
    assert_int_equal(
        hub_zone_load("Europe/Amsterdam", &arena, &time.zone, &(struct hub_error){0}), HUB_OK);
    time.formats = two;
    assert_string_equal(map_time_refusal(&time, &arena),
                        "not in the format hl7 (or another that is listed), or an hour that its zone "
                        "skips or repeats");
    time = (struct map_time){.formats = calendar};
    assert_string_equal(map_time_refusal(&time, &arena),
                        "not in the format ical, or an hour that its zone skips or repeats, or in a "
                        "zone that is not known");
    hub_arena_destroy(&arena);
}

static void no_more_zones_are_kept_than_there_is_room_for(void **state) {
    const char *formats[] = {"ical", NULL};
    struct hub_arena arena = {0};
    struct map_zones zones = {.arena = &arena};
    struct map_time time = {.formats = formats, .zones = &zones};
    struct map_instant instant;
    char text[64];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "20260312T080000 Nowhere/%d", i);
        assert_false(map_time_read(&time, text, true, &instant));
    }
    assert_int_equal(zones.count, 64);
    assert_false(map_time_read(&time, "20260312T080000 Europe/Amsterdam", true, &instant));
    hub_arena_destroy(&arena);
}

static void what_is_no_hl7_time_is_refused(void **state) {
    static const char *const texts[] = {
        "",           "202",          "20213",         "2021092",          "2021-09-24",
        "2021092409", "202109240960", "202109242400",  "20210924093061",   "20210230",
        "20211301",   "20210924T0930", "20210924093000.", "20210924093000.12345",
        "202109240930.5", "202109240930+02", "202109240930+02:15", "202109240930+1500",
        "202109240930+0260", "202109240930Z", "202109240930 ", "2021092409300"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(read_as("hl7", "UTC", texts[i], true), "no");
    assert_string_equal(read_as("hl7", NULL, "202109240930", true), "no");
    assert_string_equal(read_as("hl7", NULL, "202109240930", false), "no");
    assert_string_equal(read_as("hl7", NULL, "20210924", true), "no");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_a_whole_day_and_nothing_less),
        cmocka_unit_test(a_partial_date_keeps_its_precision),
        cmocka_unit_test(leap_days_are_where_the_calendar_has_them),
        cmocka_unit_test(days_that_no_calendar_has_are_refused),
        cmocka_unit_test(dates_before_1970_are_dates),
        cmocka_unit_test(an_instant_keeps_its_offset),
        cmocka_unit_test(small_letters_and_a_space_are_rfc_3339_too),
        cmocka_unit_test(an_instant_without_offset_takes_the_zone_or_is_refused),
        cmocka_unit_test(fractions_are_kept_to_the_millisecond),
        cmocka_unit_test(the_clock_has_its_bounds),
        cmocka_unit_test(a_plain_date_as_an_instant_is_midnight_where_the_source_is),
        cmocka_unit_test(a_pattern_is_read_in_its_zone),
        cmocka_unit_test(the_day_of_an_instant_is_the_sources_own),
        cmocka_unit_test(a_pattern_knows_as_much_as_its_conversions_tell),
        cmocka_unit_test(a_pattern_with_any_clock_tells_a_time_of_day),
        cmocka_unit_test(an_offset_in_a_pattern_is_the_one_that_counts),
        cmocka_unit_test(a_pattern_must_fit_the_whole_text),
        cmocka_unit_test(a_year_of_two_digits_is_not_one_of_the_first_century),
        cmocka_unit_test(formats_are_tried_in_their_order),
        cmocka_unit_test(zones_are_utc_or_an_offset),
        cmocka_unit_test(an_hl7_time_keeps_its_offset_and_its_fractions),
        cmocka_unit_test(an_hl7_date_knows_as_much_as_it_has_digits),
        cmocka_unit_test(what_is_no_hl7_time_is_refused),
        cmocka_unit_test(a_calendars_time_is_in_utc_or_in_the_zone_it_names),
        cmocka_unit_test(what_is_no_time_of_a_calendar_is_refused),
        cmocka_unit_test(what_may_be_wrong_with_a_time_is_said),
        cmocka_unit_test(no_more_zones_are_kept_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
