/* hl7v2: messages as trees, several in a file, and what is refused. */
#include "tests/lib/cmocka.h"
#include "tests/lib/parsing.h"
#include "tests/lib/source.h"

#define MSH "MSH|^~\\&|A|B|C|D|20260301120000||SIU^S12|1|P|2.5\r"

static int begin(void **state) {
    struct parsing *parsing = hub_allocate_zero(1, sizeof *parsing);
    parsing_open(parsing, "hl7v2", "{}");
    *state = parsing;
    return 0;
}

static int end(void **state) {
    parsing_close(*state);
    hub_release(*state);
    return 0;
}

static const char *error_of(const struct parsing *parsing, size_t index) {
    assert_in_range(index, 0, parsing->parsed.error_count - 1);
    return parsing->parsed.errors[index].text;
}

/* --- fields --- */

static void a_field_goes_by_its_name_and_its_components_by_number(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH "SCH|12^WARD|34\r");
    expect_json(parsing->parsed.tree, "messages.0.SCH",
                "[{'@n': '1', 'SCH-1': {'#text': '12', '1': '12', '2': 'WARD'},"
                " 'SCH-2': {'#text': '34', '1': '34'}}]");
}

static void the_header_counts_its_first_separator_as_a_field(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH);
    expect_json(parsing->parsed.tree, "messages.0.MSH.0.MSH-1", "'|'");
    expect_json(parsing->parsed.tree, "messages.0.MSH.0.MSH-2", "'^~\\\\&'");
    expect_json(parsing->parsed.tree, "messages.0.MSH.0.MSH-9", "{'#text': 'SIU', '1': 'SIU', '2': 'S12'}");
}

static void repetitions_are_a_list_and_empty_ones_are_not_in_it(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH "PID|||1^^^X~~2\r");
    expect_json(parsing->parsed.tree, "messages.0.PID.0.PID-3",
                "[{'#text': '1', '1': '1', '4': 'X'}, {'#text': '2', '1': '2'}]");
}

static void the_first_subcomponent_stands_for_its_component(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH "AIL|1||11&X-Ray&L^ROOM\rAIL|2||^&B\r");
    expect_json(parsing->parsed.tree, "messages.0.AIL.0.AIL-3",
                "{'#text': '11', '1': {'#text': '11', '1': '11', '2': 'X-Ray', '3': 'L'}, "
                "'2': 'ROOM'}");
    expect_json(parsing->parsed.tree, "messages.0.AIL.1.AIL-3",
                "{'#text': '', '2': {'#text': '', '2': 'B'}}");
}

static void empty_is_not_there_and_cleared_is_null(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH "SCH||\"\"|a^\"\"|\"\"^b\rZZZ\r");
    expect_json(parsing->parsed.tree, "messages.0.SCH.0",
                "{'@n': '1', 'SCH-2': null, 'SCH-3': {'#text': 'a', '1': 'a', '2': null},"
                " 'SCH-4': {'#text': '', '1': null, '2': 'b'}}");
    expect_json(parsing->parsed.tree, "messages.0.ZZZ", "[{'@n': '1'}]");
}

static void separators_are_those_that_the_message_names(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "MSH$:*?%$A\rSCH$1:2%3*4?F??S?\r");
    expect_json(parsing->parsed.tree, "messages.0.SCH.0.SCH-1",
                "[{'#text': '1', '1': '1', '2': {'#text': '2', '1': '2', '2': '3'}},"
                " {'#text': '4$:', '1': '4$:'}]");
    parsing_feed(parsing, "MSH|^|A\rSCH|1~2&3\\F\\^4\r");
    expect_json(parsing->parsed.tree, "messages.0.SCH.0.SCH-1",
                "{'#text': '1~2&3\\\\F\\\\', '1': '1~2&3\\\\F\\\\', '2': '4'}");
    parsing_feed(parsing, "MSH|^~\\&#|A\rSCH|1#2\r");
    expect_json(parsing->parsed.tree, "messages.0.SCH.0.SCH-1.1", "'1#2'");
}

static void separators_that_cannot_be_told_apart_are_refused(void **state) {
    static const char *const headers[] = {"MSH", "MSH|", "MSH||A", "MSH|^^\\&|A", 
                                          "MSH|^~\\a|A", "MSH A^", "MSH|^~\\&#!|A", "MSHA^~\\&A"};
    struct parsing *parsing = *state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        parsing_feed(parsing, headers[i]);
        assert_says(error_of(parsing, 0), "the separators cannot be told");
        assert_int_equal(look_count(parsing->parsed.tree, "messages"), 0);
    }
}

/* --- escapes and character sets --- */

static const char *text_of(struct parsing *parsing, const char *field) {
    parsing_feed(parsing, hub_arena_format(&parsing->arena, MSH "NTE|1||%s\r", field));
    return look_text(parsing->parsed.tree, "messages.0.MSH.0.NTE.0.NTE-3.1");
}

static void escapes_are_the_separators_and_bytes_that_they_stand_for(void **state) {
    struct parsing *parsing = *state;
    assert_string_equal(text_of(parsing, "\\F\\\\S\\\\R\\\\T\\\\E\\"), "|^~&\\");
    assert_string_equal(text_of(parsing, "a\\.br\\b"), "a\nb");
    assert_string_equal(text_of(parsing, "\\X41426a\\"), "ABj");
}

static void other_escapes_stay_as_they_are(void **state) {
    struct parsing *parsing = *state;
    assert_string_equal(text_of(parsing, "\\H\\loud\\N\\"), "\\H\\loud\\N\\");
    assert_string_equal(text_of(parsing, "\\.sp3\\"), "\\.sp3\\");
    assert_string_equal(text_of(parsing, "C:\\new"), "C:\\new");
    assert_string_equal(text_of(parsing, "a\\\\b"), "a\\\\b");
    assert_string_equal(text_of(parsing, "\\Xyz\\\\X\\"), "\\Xyz\\\\X\\");
    assert_string_equal(text_of(parsing, "\\Zlocal\\"), "\\Zlocal\\");
}

static void an_escape_that_would_garble_the_text_is_refused(void **state) {
    static const struct {
        const char *field, *error;
    } cases[] = {{"\\X414\\", "NTE-3: an escape of hexadecimal digits, of which one is without"},
                 {"\\C2842\\", "NTE-3: an escape that switches the character set"},
                 {"\\M244040\\", "NTE-3: an escape that switches the character set"},
                 {"a\\X00\\", "NTE-3: a zero byte, which no text has"},
                 {"\\XE5\\", "NTE-3: a byte that is not in the message's character set"}};
    struct parsing *parsing = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parsing_feed(parsing,
                     hub_arena_format(&parsing->arena, MSH "NTE|1||%s\r", cases[i].field));
        assert_says(error_of(parsing, 0), cases[i].error);
        assert_int_equal(parsing->parsed.errors[0].line, 2);
    }
}

static const char *in_charset(struct parsing *parsing, const char *code, const char *text) {
    parsing_feed(parsing, hub_arena_format(&parsing->arena,
                                           "MSH|^~\\&|A|||||||||||||||%s\rNTE|||%s\r", code,
                                           text));
    if (parsing->parsed.error_count > 0)
        return error_of(parsing, 0);
    return look_text(parsing->parsed.tree, "messages.0.MSH.0.NTE.0.NTE-3.1");
}

static void msh_18_names_the_character_set(void **state) {
    struct parsing *parsing = *state;
    assert_string_equal(in_charset(parsing, "8859/1", "\xe5\xa4"), "å¤");
    assert_string_equal(in_charset(parsing, "8859/15", "\xe5\xa4"), "å€");
    assert_string_equal(in_charset(parsing, "UNICODE UTF-8", "å"), "å");
    assert_string_equal(in_charset(parsing, "8859/1~UNICODE UTF-8", "\\XE5\\"), "å");
    assert_string_equal(in_charset(parsing, "ASCII", "a"), "a");
    assert_says(in_charset(parsing, "ASCII", "å"), "is not in the message's character set");
    assert_says(in_charset(parsing, "UNICODE UTF-8", "\xe5"), "is not in the message's");
    assert_says(in_charset(parsing, "8859/99", "a"), "MSH-18 names a character set that is not");
}

static void without_msh_18_it_is_ascii_or_what_the_configuration_says(void **state) {
    struct parsing *parsing = *state, own;
    assert_says(in_charset(parsing, "", "å"), "NTE-3: a byte that is not in the message's");
    assert_says(in_charset(parsing, "\"\"", "å"), "NTE-3: a byte that is not in the message's");
    parsing_open(&own, "hl7v2", "{charset: windows-1252}");
    assert_string_equal(in_charset(&own, "", "\x80\xe5"), "€å");
    assert_says(in_charset(&own, "", "\x81"), "NTE-3: a byte that is not in the message's");
    assert_string_equal(in_charset(&own, "", "\x80"), "€");
    parsing_close(&own);
}

/* --- segments --- */

static void segments_end_in_either_way_and_empty_lines_are_none(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "\xef\xbb\xbfMSH|^~\\&|A\nSCH|1\r\n\r\nZAB|2\r\rZCD|3");
    expect_json(parsing->parsed.tree, "messages.0.SCH.0.SCH-1.1", "'1'");
    expect_json(parsing->parsed.tree, "messages.0.ZAB.0.ZAB-1.1", "'2'");
    expect_json(parsing->parsed.tree, "messages.0.ZCD.0.ZCD-1.1", "'3'");
    parsing_feed(parsing, MSH "\r\rNO SEGMENT\r");
    assert_int_equal(parsing->parsed.errors[0].line, 4);
}

static void resources_stand_in_the_group_that_they_follow(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH "AIL|0\rRGS|1\rAIS|1\rAIL|1\rZXX|9\rAIL|2\rRGS|2\rAIP|1\r");
    expect_json(parsing->parsed.tree, "messages.0.AIL.0.AIL-1.1", "'0'");
    expect_json(parsing->parsed.tree, "messages.0.RGS.0.RGS-1.1", "'1'");
    expect_json(parsing->parsed.tree, "messages.0.RGS.0.AIL.1.AIL-1.1", "'2'");
    expect_json(parsing->parsed.tree, "messages.0.RGS.0.AIL.1.@n", "'3'");
    expect_json(parsing->parsed.tree, "messages.0.RGS.1.AIP.0.@n", "'1'");
    expect_json(parsing->parsed.tree, "messages.0.ZXX.0.ZXX-1.1", "'9'");
    assert_int_equal(look_count(parsing->parsed.tree, "messages.0.AIL"), 1);
}

static void a_note_stands_in_the_segment_before_it(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, MSH "RGS|1\rAIL|1\rNTE|1||a\rNTE|2||b\r");
    expect_json(parsing->parsed.tree, "messages.0.RGS.0.AIL.0.NTE.1.NTE-3.1", "'b'");
}

/* --- files --- */

static void several_messages_have_each_their_bytes_and_line(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "MSH|^~\\&|A\rSCH|1\r\nMSH|^~\\&|B\r\nSCH|2");
    assert_int_equal(parsing->parsed.row_count, 2);
    assert_int_equal(parsing->parsed.row_lines[0], 1);
    assert_int_equal(parsing->parsed.row_lines[1], 3);
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[0], "MSH|^~\\&|A\rSCH|1\r\n"));
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[1], "MSH|^~\\&|B\r\nSCH|2"));
}

static void a_message_that_cannot_be_read_costs_no_other(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "MSH|^~\\&|A\rSCH|\xe5\rSCH|2\rMSH|^~\\&|B\rsch|1\rMSH|^~\\&|C\r");
    assert_int_equal(parsing->parsed.row_count, 1);
    expect_json(parsing->parsed.tree, "messages.0.MSH.0.MSH-3.1", "'C'");
    assert_int_equal(parsing->parsed.error_count, 2);
    assert_int_equal(parsing->parsed.errors[0].line, 2);
    assert_says(error_of(parsing, 0), "SCH-1: a byte");
    assert_true(
        hub_bytes_equal_text(parsing->parsed.errors[0].raw, "MSH|^~\\&|A\rSCH|\xe5\rSCH|2\r"));
    assert_int_equal(parsing->parsed.errors[1].line, 5);
    assert_says(error_of(parsing, 1), "no segment begins so; three capital letters or digits and "
                "the separator | would pass");
}

static void a_name_that_runs_on_is_no_segment(void **state) {
    static const char *const lines[] = {"SC", "SCHX|1", "1SC|1", "S H|1", "SCH^1", "sCH"};
    struct parsing *parsing = *state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        parsing_feed(parsing, hub_arena_format(&parsing->arena, MSH "%s\r", lines[i]));
        assert_says(error_of(parsing, 0), "no segment begins so");
    }
}

static void a_batch_file_is_its_messages(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "FHS|^~\\&|X\rBHS|^~\\&|X\r" MSH MSH "BTS|2|all\rBHS|^~\\&\r" MSH
                          "BTS\rBHS|^~\\&\rBTS|0\rFTS|3\r");
    assert_int_equal(parsing->parsed.row_count, 3);
    assert_true(hub_bytes_equal_text(parsing->parsed.rows[1], MSH));
    parsing_feed(parsing, "BHS|^~\\&|X\r" MSH "BTS||\r");
    assert_int_equal(parsing->parsed.row_count, 1);
}

static void a_file_that_was_cut_off_or_is_none_is_refused(void **state) {
    struct parsing *parsing = *state;
    assert_says(parsing_refusal(parsing, "FHS|^~\\&|X\rBHS|^~\\&|X\r" MSH),
                "line 3: the file ends before its BTS");
    assert_says(parsing_refusal(parsing, "FHS|^~\\&|X\r" MSH), "line 2: the file ends before its FTS");
    assert_says(parsing_refusal(parsing, "BHS|^~\\&|X\r" MSH "BTS|2\r"),
                "line 3: the batch has 1 messages, and its end (BTS-1) says another number");
    assert_says(parsing_refusal(parsing, "BHS|^~\\&|X\r" MSH "BTS|x\r"), "says another number");
    assert_says(parsing_refusal(parsing, ""), "the file is empty");
    assert_says(parsing_refusal(parsing, "SCH|1\r"), "line 1: a message begins with MSH");
    assert_says(parsing_refusal(parsing, "BHS|^~\\&\rSCH|1\r"), "line 2: a message begins with");
}

static void lines_around_messages_stand_in_their_order(void **state) {
    static const char *const files[] = {"BTS|0\r", "FTS|0\r", "BHS|^\rBHS|^\rBTS\r",
                                        "BHS|^\rFHS|^\r", "FHS|^\rFHS|^\r",
                                        "FHS|^\rBHS|^\rFTS\rBTS\r"};
    struct parsing *parsing = *state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_says(parsing_refusal(parsing, files[i]), "stands where none may; FHS, BHS, "
                    "messages, BTS, FTS would pass");
}

static void more_than_the_limits_are_refused_with_them(void **state) {
    struct parsing *parsing = *state;
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i <= HUB_ROWS_MAX; i++)
        hub_buffer_append_text(&text, i == 0 ? MSH : "ZZZ\r");
    assert_says(parsing_refusal_of_bytes(parsing, hub_buffer_bytes(&text)),
                "more than 200000 lines");
    hub_buffer_clear(&text);
    hub_buffer_append_text(&text, MSH "ZZZ|");
    for (size_t i = 0; i <= 1000000; i++)
        hub_buffer_append_text(&text, "a~");
    assert_says(parsing_refusal_of_bytes(parsing, hub_buffer_bytes(&text)),
                "more than 1000000 values in the document");
}

/* --- through a mapping --- */

static const char configuration[] =
    "connector: trying\n"
    "institution: sus\n"
    "system: sus-trials\n"
    "target: {domain: trial}\n"
    "source: {transport: file-drop, format: hl7v2, folder: .}\n"
    "skip: [{when: {path: MSH-9.1, in: [ACK]}, reason: an answer}]\n"
    "records:\n"
    "  - {for_each: RGS.AIL, key: [^SCH-2, AIL-1], version: ^MSH-10, fields: {acronym: AIL-3.2}}\n";

static void for_each_looks_through_every_message_by_itself(void **state) {
    struct source source;
    (void)state;
    source_open(&source, configuration);
    source_feed(&source, "m.hl7",
                MSH "SCH||F1\rRGS|1\rAIL|1||a^one\rAIL|2||b^two\r"
                "MSH|^~\\&|||||||SIU|2\rSCH||F2\rRGS|1\rAIL|1||c^three\r"
                "MSH|^~\\&|||||||ACK|3\rMSH|^~\\&|||||||ADT|4\r");
    assert_int_equal(source.list.counts.published, 3);
    assert_int_equal(source.list.counts.skipped, 1);
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source.list.items[2].key, "sus-trials/F2/1");
    assert_string_equal(source_text(&source, 1, "acronym"), "two");
    assert_string_equal(source_text(&source, 1, "statement.document"), "m.hl7#line=1,element=1");
    assert_string_equal(source_text(&source, 2, "statement.document"), "m.hl7#line=6,element=0");
    assert_string_equal(source_text(&source, 3, "document"), "m.hl7#line=11");
    assert_true(hub_bytes_equal_text(source_original(&source, 3), "MSH|^~\\&|||||||ADT|4\r"));
    source_close(&source);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_goes_by_its_name_and_its_components_by_number),
        cmocka_unit_test(the_header_counts_its_first_separator_as_a_field),
        cmocka_unit_test(repetitions_are_a_list_and_empty_ones_are_not_in_it),
        cmocka_unit_test(the_first_subcomponent_stands_for_its_component),
        cmocka_unit_test(empty_is_not_there_and_cleared_is_null),
        cmocka_unit_test(separators_are_those_that_the_message_names),
        cmocka_unit_test(separators_that_cannot_be_told_apart_are_refused),
        cmocka_unit_test(escapes_are_the_separators_and_bytes_that_they_stand_for),
        cmocka_unit_test(other_escapes_stay_as_they_are),
        cmocka_unit_test(an_escape_that_would_garble_the_text_is_refused),
        cmocka_unit_test(msh_18_names_the_character_set),
        cmocka_unit_test(without_msh_18_it_is_ascii_or_what_the_configuration_says),
        cmocka_unit_test(segments_end_in_either_way_and_empty_lines_are_none),
        cmocka_unit_test(resources_stand_in_the_group_that_they_follow),
        cmocka_unit_test(a_note_stands_in_the_segment_before_it),
        cmocka_unit_test(several_messages_have_each_their_bytes_and_line),
        cmocka_unit_test(a_message_that_cannot_be_read_costs_no_other),
        cmocka_unit_test(a_name_that_runs_on_is_no_segment),
        cmocka_unit_test(a_batch_file_is_its_messages),
        cmocka_unit_test(a_file_that_was_cut_off_or_is_none_is_refused),
        cmocka_unit_test(lines_around_messages_stand_in_their_order),
        cmocka_unit_test(more_than_the_limits_are_refused_with_them),
        cmocka_unit_test(for_each_looks_through_every_message_by_itself),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
