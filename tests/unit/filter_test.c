/* filter: a program between parsing and mapping, and what becomes of what it does not answer for. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/source.h"

#include <string.h>

#define CONFIGURATION(format, filter)                                                              \
    "connector: sus-list\n"                                                                        \
    "institution: sus\n"                                                                           \
    "system: sus-trials\n"                                                                         \
    "source: {transport: file-drop, format: " format ", folder: .}\n"                              \
    "target: {domain: trial}\n"                                                                    \
    "filter: " filter "\n"                                                                         \
    "records:\n"                                                                                   \
    "  - key: id\n"                                                                                \
    "    version: {tie: position}\n"                                                               \
    "    fields: {acronym: name}\n"
#define PYTHON(body)                                                                               \
    "[python3, -uc, \"import json,sys\\nfor line in sys.stdin:\\n q = json.loads(line)\\n d = "    \
    "q['document']\\n " body "\\n print(json.dumps(q))\\n\"]"
#define LOUD "d['name'] = d['name'].upper()"

static void a_document_is_mapped_as_the_program_answers_it(void **state) {
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("json", PYTHON(LOUD)));
    source_feed(&source, "a.json", "{\"id\": 1, \"name\": \"sk\\u00ednn\"}");
    assert_int_equal(source.list.counts.published, 1);
    assert_string_equal(source_text(&source, 0, "acronym"), "SK\xc3\x8dNN");
    source_feed(&source, "b.json", "{\"id\": 2, \"name\": \"eye\"}");
    assert_string_equal(source_text(&source, 0, "acronym"), "EYE");
    source_close(&source);
}

static void of_a_table_each_row_is_asked_for(void **state) {
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("csv", PYTHON(LOUD)));
    source_feed(&source, "t.csv", "id,name\nA-1,skin\nA-2,eye\n");
    assert_int_equal(source.list.counts.published, 2);
    assert_string_equal(source_text(&source, 0, "acronym"), "SKIN");
    assert_string_equal(source_text(&source, 1, "acronym"), "EYE");
    source_close(&source);
}

static void what_it_does_not_answer_for_is_a_dead_letter_with_the_original(void **state) {
    static const char document[] = "{\"id\": 1, \"name\": 7}";
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("json", PYTHON(LOUD)));
    source_feed(&source, "bad.json", document); /* upon which it ends */
    assert_int_equal(source.list.counts.dead, 1);
    assert_string_equal(source_text(&source, 0, "stage"), "parse");
    assert_string_equal(source_text(&source, 0, "code"), "FILTER");
    assert_non_null(strstr(source_text(&source, 0, "reason"), "python3 ended with exit code 1"));
    assert_true(hub_bytes_equal_text(source_original(&source, 0), document));
    source_feed(&source, "good.json", "{\"id\": 1, \"name\": \"eye\"}");
    assert_int_equal(source.list.counts.published, 1);
    source_close(&source);
}

/* One answer too many would be taken for that to the next question. */
static void an_answer_to_another_question_is_none(void **state) {
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("json", PYTHON("print(line, end='', flush=True)")));
    source_feed(&source, "a.json", "{\"id\": 1, \"name\": \"a\"}");
    source_feed(&source, "b.json", "{\"id\": 2, \"name\": \"b\"}");
    if (source.list.counts.published == 1) /* then it was started anew in between */
        assert_string_equal(source_text(&source, 0, "acronym"), "b");
    else
        assert_string_equal(source_text(&source, 0, "code"), "FILTER");
    source_close(&source);
}

static void what_is_no_answer_is_told(void **state) {
    static const char *const answers[] = {"no json", "[]", "{\\\"number\\\": 1}",
                                          "{\\\"number\\\": 2, \\\"document\\\": {}}", NULL};
    (void)state;
    for (size_t i = 0; answers[i] != NULL; i++) {
        struct source source;
        HUB_SCOPED_BUFFER text = {0};
        hub_buffer_append_format(&text, CONFIGURATION("json", "[sh, -c, 'read line; echo \"%s\"']"),
                                 answers[i]);
        source_open(&source, hub_buffer_text(&text));
        source_feed(&source, "a.json", "{\"id\": 1, \"name\": \"a\"}");
        assert_non_null(strstr(source_text(&source, 0, "reason"), "sh did not answer; a line "));
        source_close(&source);
    }
}

static void it_may_be_given_less_time(void **state) {
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("json", "{run: [sleep, '1000'], deadline_ms: 50}"));
    source_feed(&source, "a.json", "{\"id\": 1, \"name\": \"a\"}");
    assert_non_null(strstr(source_text(&source, 0, "reason"), "sleep gave no answer within 50 ms"));
    source_close(&source);
}

static void a_number_of_a_person_that_it_finds_is_held_back(void **state) {
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("json", PYTHON("d['name'] = d['name'][::-1]")));
    source_feed(&source, "a.json", "{\"id\": 1, \"name\": \"4789-822118\"}");
    assert_string_equal(source_text(&source, 0, "code"), "PERSONAL");
    source_close(&source);
}

/* The filter takes away what tells of a number, and then the number. */
static void what_a_filter_takes_away_still_counts(void **state) {
    struct source source;
    (void)state;
    source_open(&source, CONFIGURATION("json", PYTHON("d.pop('bsn')")));
    source_feed(&source, "a.json", "{\"id\": 1, \"bsn\": 0, \"name\": \"123456782\"}");
    assert_string_equal(source_text(&source, 0, "code"), "PERSONAL");
    source_load(&source, CONFIGURATION("json", PYTHON("d.clear()")));
    source_feed(&source, "b.json", "{\"id\": 1, \"name\": \"811228\\u002d9874\"}");
    assert_int_equal(source.list.counts.dead, 1);
    assert_int_equal(source_original(&source, 0).size, 0);
    assert_true(source.list.items[0].held.size > 0);
    source_close(&source);
}

static void what_is_written_wrong_is_told_with_its_place(void **state) {
    static const struct {
        const char *filter, *told;
    } mistakes[] = {{"[no-such-program]", "6:9: filter: no-such-program: no program that could be run"},
                    {"[]", "6:9: filter: a program and its arguments would pass"},
                    {"{rn: [cat]}", "6:10: unknown key 'rn'; did you mean 'run'?"},
                    {"{run: [cat], memory_mb: 1}", "memory_mb"}};
    struct source source;
    (void)state;
    source_make(&source);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        HUB_SCOPED_BUFFER text = {0};
        hub_buffer_append_format(&text, CONFIGURATION("json", "%s"), mistakes[i].filter);
        const char *refusal = source_refusal(&source, hub_buffer_text(&text));
        if (strstr(refusal, mistakes[i].told) == NULL)
            fail_msg("%s: %s", mistakes[i].filter, refusal);
    }
    source_close(&source);
}

/* What changes the records changes the hash that each of them tells. */
static void the_hash_of_the_mapping_is_also_that_of_the_script(void **state) {
    static const char configuration[] = CONFIGURATION("json", "[sh, ./filter.sh]");
    struct source source;
    (void)state;
    source_make(&source);
    folder_write(&source.folder, "filter.sh", "cat\n");
    source_load(&source, configuration);
    struct hub_digest before = source.connector->config_hash;
    source_load(&source, configuration);
    assert_memory_equal(&before, &source.connector->config_hash, sizeof before);
    folder_write(&source.folder, "filter.sh", "exec cat\n");
    source_load(&source, configuration);
    assert_memory_not_equal(&before, &source.connector->config_hash, sizeof before);
    source_feed(&source, "a.json", "{\"id\": 1, \"name\": \"a\"}");
    assert_int_equal(source.list.counts.published, 1);
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_mapped_as_the_program_answers_it),
        cmocka_unit_test(of_a_table_each_row_is_asked_for),
        cmocka_unit_test(what_it_does_not_answer_for_is_a_dead_letter_with_the_original),
        cmocka_unit_test(an_answer_to_another_question_is_none),
        cmocka_unit_test(what_is_no_answer_is_told),
        cmocka_unit_test(it_may_be_given_less_time),
        cmocka_unit_test(a_number_of_a_person_that_it_finds_is_held_back),
        cmocka_unit_test(what_a_filter_takes_away_still_counts),
        cmocka_unit_test(what_is_written_wrong_is_told_with_its_place),
        cmocka_unit_test(the_hash_of_the_mapping_is_also_that_of_the_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
