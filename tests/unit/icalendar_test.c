/* icalendar: the events of calendars, and what is refused. */
#include "tests/lib/cmocka.h"
#include "tests/lib/parsing.h"
#include "tests/lib/source.h"

#define CALENDAR(events) "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n" events "END:VCALENDAR\r\n"
#define EVENT(lines) "BEGIN:VEVENT\r\n" lines "END:VEVENT\r\n"

static int begin(void **state) {
    struct parsing *parsing = hub_allocate_zero(1, sizeof *parsing);
    parsing_open(parsing, "icalendar", "{}");
    *state = parsing;
    return 0;
}

static int end(void **state) {
    parsing_close(*state);
    hub_release(*state);
    return 0;
}

static void a_property_is_a_text_or_has_its_parameters_beside_it(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("UID:1@x\r\nDTSTART;tzid=\"Europe/Vienna\";VALUE=DATE-TIME:"
                                         "20260312T080000\r\nlocation:Suite A\r\n")));
    expect_json(parsing->parsed.tree, "events.0",
                "{'VCALENDAR': {'METHOD': 'PUBLISH'}, 'UID': '1@x', 'LOCATION': 'Suite A', "
                "'DTSTART': {'#text': '20260312T080000', '@TZID': 'Europe/Vienna', '@VALUE': "
                "'DATE-TIME'}}");
}

static void folded_lines_are_put_together_even_within_a_letter(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("SUMMARY:Clean\r\n  ro\xc3\r\n \xa5m\r\n\tB\r\n")));
    expect_json(parsing->parsed.tree, "events.0.SUMMARY", "'Clean roåmB'");
}

static void escaped_characters_are_what_they_stand_for(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("SUMMARY:a\\, b\\; c\\\\n\\nd\\Ne\\x\\\r\n")));
    expect_json(parsing->parsed.tree, "events.0.SUMMARY", "'a, b; c\\\\n\\nd\\ne\\\\x\\\\'");
}

static void what_comes_again_and_what_is_a_list_makes_one(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("COMMENT:1,2\r\nCOMMENT:3\r\nCOMMENT:4\r\n"
                                         "CATEGORIES;LANGUAGE=nl:a\\,b,c\r\nRESOURCES:x,,y\r\n")));
    expect_json(parsing->parsed.tree, "events.0.COMMENT", "['1,2', '3', '4']");
    expect_json(parsing->parsed.tree, "events.0.CATEGORIES",
                "[{'@LANGUAGE': 'nl', '#text': 'a,b'}, {'@LANGUAGE': 'nl', '#text': 'c'}]");
    expect_json(parsing->parsed.tree, "events.0.RESOURCES", "['x', '', 'y']");
}

static void an_empty_property_is_not_there(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("LOCATION:\r\nX-A;B=c:\r\n")));
    assert_int_equal(look_count(parsing->parsed.tree, "events.0"), 1);
}

static void a_parameter_may_hold_what_separates_and_codes_of_its_own(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("X-A;B=\"1;2:3\";C=a^nb^^c^'d^e;D=:v:w\r\n")));
    expect_json(parsing->parsed.tree, "events.0.X-A",
                "{'@B': '1;2:3', '@C': 'a\\nb^c\\\"d^e', '@D': '', '#text': 'v:w'}");
}

static void components_in_an_event_are_lists_in_it(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, CALENDAR(EVENT("BEGIN:VALARM\r\nACTION:AUDIO\r\nEND:VALARM\r\n"
                                         "BEGIN:VALARM\r\nBEGIN:X-IN\r\nA:1\r\nEND:X-IN\r\nEND:VALARM"
                                         "\r\nUID:1\r\n")));
    expect_json(parsing->parsed.tree, "events.0.VALARM",
                "[{'ACTION': 'AUDIO'}, {'X-IN': [{'A': '1'}]}]");
    expect_json(parsing->parsed.tree, "events.0.UID", "'1'");
}

static void events_have_each_their_bytes_and_line_and_calendar(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "\xef\xbb\xbf" CALENDAR("BEGIN:VTIMEZONE\r\nno property\r\nEND:VTIMEZONE\r\n"
                                               EVENT("UID:1\r\n a\r\n") EVENT("UID:2\r\n")) "\r\n"
                 "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:3\nEND:VEVENT\nMETHOD:CANCEL\nBEGIN:VTODO\n"
                 "BEGIN:VEVENT\nUID:4\nEND:VEVENT\nEND:VTODO\nEND:VCALENDAR");
    assert_int_equal(parsing->parsed.row_count, 3);
    assert_int_equal(parsing->parsed.row_lines[0], 6);
    assert_int_equal(parsing->parsed.row_lines[1], 10);
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[1], EVENT("UID:2\r\n")));
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[2],
                                     "BEGIN:VEVENT\nUID:3\nEND:VEVENT\n"));
    expect_json(parsing->parsed.tree, "events.2.VCALENDAR.METHOD", "'CANCEL'");
}

static void an_event_that_cannot_be_read_costs_no_other(void **state) {
    static const struct {
        const char *line, *error;
    } cases[] = {{"GARBAGE", "no property; NAME:value"}, {":x", "no property"},
                 {"A B:x", "no property"},               {"A;B:x", "no property"},
                 {"A;=b:x", "no property"},              {"A;B=\"c:x", "no property"},
                 {"A;B", "no property"},                 {"A:\xe5", "a byte that is not UTF-8"}};
    struct parsing *parsing = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parsing_feed(parsing, hub_arena_format(&parsing->arena,
                                               CALENDAR(EVENT("UID:1\r\n%s\r\nBAD\r\n") EVENT("A:b\r\n")),
                                               cases[i].line));
        assert_int_equal(parsing->parsed.row_count, 1);
        assert_int_equal(parsing->parsed.error_count, 1);
        assert_int_equal(parsing->parsed.errors[0].line, 5);
        assert_says(parsing->parsed.errors[0].text, cases[i].error);
    }
}

static void a_file_that_is_no_whole_calendar_is_refused(void **state) {
    static const struct {
        const char *file, *error;
    } cases[] = {{"", "the file is empty"},
                 {"\r\nUID:1\r\n", "line 2: a calendar begins with BEGIN:VCALENDAR"},
                 {EVENT(""), "line 1: a calendar begins with BEGIN:VCALENDAR"},
                 {CALENDAR("") "X:1\r\n", "line 4: a calendar begins with BEGIN:VCALENDAR"},
                 {"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n",
                  "line 3: the file ends before END:VEVENT; a whole file would pass"},
                 {"BEGIN:VCALENDAR\r\n", "line 1: the file ends before END:VCALENDAR"},
                 {CALENDAR("BEGIN:VEVENT\r\n"), "line 4: END of what is not open"},
                 {"END:VCALENDAR\r\n", "line 1: END of what is not open"},
                 {CALENDAR("BAD\r\n"), "line 3: no property"}};
    struct parsing *parsing = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_says(parsing_refusal(parsing, cases[i].file), cases[i].error);
}

static void more_than_the_limits_are_refused_with_them(void **state) {
    struct parsing *parsing = *state;
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, "BEGIN:VCALENDAR\n");
    for (size_t i = 0; i < 8; i++)
        hub_buffer_append_text(&text, "BEGIN:VEVENT\n");
    assert_says(parsing_refusal_of_bytes(parsing, hub_buffer_bytes(&text)),
                "line 9: components nested deeper than 8 levels");
    hub_buffer_clear(&text);
    hub_buffer_append_text(&text, "BEGIN:VCALENDAR\n");
    for (size_t i = 0; i <= HUB_ROWS_MAX; i++)
        hub_buffer_append_text(&text, "BEGIN:VEVENT\nEND:VEVENT\n");
    assert_says(parsing_refusal_of_bytes(parsing, hub_buffer_bytes(&text)),
                "more than 200000 events");
    hub_buffer_clear(&text);
    hub_buffer_append_text(&text, "BEGIN:VCALENDAR\nCATEGORIES:");
    for (size_t i = 0; i <= 1000000; i++)
        hub_buffer_append_text(&text, ",");
    assert_says(parsing_refusal_of_bytes(parsing, hub_buffer_bytes(&text)),
                "more than 1000000 values in the document");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_property_is_a_text_or_has_its_parameters_beside_it),
        cmocka_unit_test(folded_lines_are_put_together_even_within_a_letter),
        cmocka_unit_test(escaped_characters_are_what_they_stand_for),
        cmocka_unit_test(what_comes_again_and_what_is_a_list_makes_one),
        cmocka_unit_test(an_empty_property_is_not_there),
        cmocka_unit_test(a_parameter_may_hold_what_separates_and_codes_of_its_own),
        cmocka_unit_test(components_in_an_event_are_lists_in_it),
        cmocka_unit_test(events_have_each_their_bytes_and_line_and_calendar),
        cmocka_unit_test(an_event_that_cannot_be_read_costs_no_other),
        cmocka_unit_test(a_file_that_is_no_whole_calendar_is_refused),
        cmocka_unit_test(more_than_the_limits_are_refused_with_them),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
