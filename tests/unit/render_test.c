/* render: Avro as JSON for people. */
#include "schemas/lib/render.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#define shows(schema, hexadecimal, json) shows_at(schema, hexadecimal, json, __FILE__, __LINE__)
static void shows_at(const char *text, const char *hexadecimal, const char *json, const char *file,
                     int line) {
    struct hub_arena arena = {0};
    struct hub_schema *schema = schema_new(text);
    struct hub_buffer shown = {0};
    hub_render_json(schema->root, schema_bytes(&arena, hexadecimal), &shown);
    _assert_string_equal(hub_buffer_text(&shown), schema_quoted(&arena, json), file, line);
    hub_buffer_free(&shown);
    hub_schema_free(schema);
    hub_arena_destroy(&arena);
}

static void plain_values_are_shown(void **state) {
    (void)state;
    shows("'null'", "", "null");
    shows("'boolean'", "00", "false");
    shows("'boolean'", "01", "true");
    shows("'int'", "01", "-1");
    shows("'long'", "ffffffffffffffffff01", "-9223372036854775808");
    shows("'string'", "06 61220a", "'a\\'\\n'");
    shows("'bytes'", "06 00ff1a", "'00ff1a'");
    shows("'bytes'", "00", "''");
    shows("{'type': 'fixed', 'name': 'F', 'size': 2}", "0aff", "'0aff'");
    shows("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'B']}", "02", "'B'");
}

static void real_numbers_are_shown_exactly_and_the_others_by_name(void **state) {
    (void)state;
    shows("'double'", "000000000000f83f", "1.5");
    shows("'double'", "9a9999999999b93f", "0.10000000000000001");
    shows("'float'", "0000c03f", "1.5");
    shows("'double'", "000000000000f07f", "'Infinity'");
    shows("'double'", "000000000000f0ff", "'-Infinity'");
    shows("'double'", "000000000000f87f", "'NaN'");
    shows("'float'", "0000807f", "'Infinity'");
    shows("'float'", "0000c07f", "'NaN'");
}

static void arrays_and_maps_are_shown_in_their_order(void **state) {
    (void)state;
    static const char ints[] = "{'type': 'array', 'items': 'int'}";
    static const char map[] = "{'type': 'map', 'values': 'int'}";
    shows(ints, "00", "[]");
    shows(ints, "04 02 04 00", "[1,2]");
    shows(ints, "01 02 02 02 04 00", "[1,2]");
    shows(map, "00", "{}");
    shows(map, "04 02 62 02 02 61 04 00", "{'b':1,'a':2}");
    shows(map, "01 06 02 22 02 02 02 61 04 00", "{'\\'':1,'a':2}");
}

static void a_unions_value_has_no_wrapper(void **state) {
    (void)state;
    shows("['null', 'int']", "00", "null");
    shows("['null', 'int']", "02 0a", "5");
    shows("['string', {'type': 'array', 'items': ['null', 'int']}]", "02 04 00 02 02 00",
          "[null,1]");
}

static void a_record_is_shown_field_by_field(void **state) {
    (void)state;
    shows("{'type': 'record', 'name': 'R', 'fields': []}", "", "{}");
    shows("{'type': 'record', 'name': 'R', 'fields': [{'name': 'a', 'type': 'int'},"
          " {'name': 'b', 'type': {'type': 'record', 'name': 'I', 'fields': ["
          "  {'name': 'c', 'type': 'string'}]}}]}",
          "02 02 78", "{'a':1,'b':{'c':'x'}}");
}

#define DATE "{'type': 'int', 'logicalType': 'date'}"
#define TIME "{'type': 'long', 'logicalType': 'timestamp-millis'}"

static void dates_are_shown_as_dates(void **state) {
    (void)state;
    static const struct {
        int64_t days;
        const char *date;
    } cases[] = {{0, "1970-01-01"},      {-1, "1969-12-31"},      {59, "1970-03-01"},
                 {11016, "2000-02-29"},  {11017, "2000-03-01"},   {-25508, "1900-03-01"},
                 {20514, "2026-03-02"},  {-719468, "0000-03-01"}, {-719469, "0000-02-29"},
                 {2932896, "9999-12-31"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        HUB_SCOPED_BUFFER shown = {0};
        hub_render_date(cases[i].days, &shown);
        assert_string_equal(hub_buffer_text(&shown), cases[i].date);
    }
    shows(DATE, "00", "'1970-01-01'");
    shows("['null', " DATE "]", "02 01", "'1969-12-31'");
}

static void times_are_shown_in_utc(void **state) {
    (void)state;
    static const struct {
        int64_t milliseconds;
        const char *time;
    } cases[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {-86400000, "1969-12-31T00:00:00.000Z"},
                 {86399999, "1970-01-01T23:59:59.999Z"},
                 {1772409845678, "2026-03-02T00:04:05.678Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        HUB_SCOPED_BUFFER shown = {0};
        hub_render_time(cases[i].milliseconds, &shown);
        assert_string_equal(hub_buffer_text(&shown), cases[i].time);
    }
    shows(TIME, "00", "'1970-01-01T00:00:00.000Z'");
}

static void the_farthest_dates_and_times_are_shown_without_overflow(void **state) {
    (void)state;
    shows(DATE, "feffffff0f", "'5881580-07-11'");
    shows(DATE, "ffffffff0f", "'-5877641-06-23'");
    shows(TIME, "feffffffffffffffff01", "'292278994-08-17T07:12:55.807Z'");
    shows(TIME, "ffffffffffffffffff01", "'-292275055-05-16T16:47:04.192Z'");
}

static void a_logical_type_on_another_type_says_nothing(void **state) {
    (void)state;
    shows("{'type': 'long', 'logicalType': 'date'}", "feffffffffffffffff01", "9223372036854775807");
    shows("{'type': 'int', 'logicalType': 'timestamp-millis'}", "02", "1");
    shows("{'type': 'int', 'logicalType': 'shoe-size'}", "02", "1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_are_shown),
        cmocka_unit_test(real_numbers_are_shown_exactly_and_the_others_by_name),
        cmocka_unit_test(arrays_and_maps_are_shown_in_their_order),
        cmocka_unit_test(a_unions_value_has_no_wrapper),
        cmocka_unit_test(a_record_is_shown_field_by_field),
        cmocka_unit_test(dates_are_shown_as_dates),
        cmocka_unit_test(times_are_shown_in_utc),
        cmocka_unit_test(the_farthest_dates_and_times_are_shown_without_overflow),
        cmocka_unit_test(a_logical_type_on_another_type_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
