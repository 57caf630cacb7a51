/* check: a configuration's own tests, and a dry run. */
#include "connectors/kit/check.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

static const char configuration[] =
    "connector: trying\n"
    "institution: sus\n"
    "system: sus-trials\n"
    "source: {transport: file-drop, format: csv, folder: .}\n"
    "target: {domain: trial}\n"
    "records:\n"
    "  - key: id\n"
    "    version: {tie: position}\n"
    "    fields:\n"
    "      acronym: name\n"
    "      status: {from: status, table: {open: RECRUITING}, else: reject}\n"
    "      enrolment: {count: n, type: {value: TARGET}}\n";

static void open_with_tests(struct source *source, const char *tests) {
    source_make(source);
    folder_write(&source->folder, "good.csv", "id,name,status,n\n1,SKIN,open,20\n");
    folder_write(&source->folder, "bad.csv", "id,name,status,n\n1,SKIN,open,20\n2,EYE,shut,3\n");
    folder_write(&source->folder, "worse.csv",
                 "id,name,status,n\n1,SKIN,open,20\n2,EYE,shut,3\n3,EYE,open,many\n");
    folder_write(&source->folder, "bare.csv", "id,name,status,n\n1,,,\n");
    folder_write(&source->folder, "broken.csv", "id,id\n");
    source_load(source, hub_arena_format(&source->arena, "%s%s", configuration, tests));
}

/* What check finds, each line without the path of its file. */
static const char *findings(struct source *source, size_t wanted) {
    char *text = NULL;
    size_t size = 0;
    HUB_SCOPED_BUFFER lines = {0};
    FILE *out = open_memstream(&text, &size);
    size_t count = hub_check_tests(source->connector, out);
    fclose(out);
    size_t folder = strlen(source->folder.path) + 1;
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        bool placed = strncmp(line, source->folder.path, folder - 1) == 0;
        hub_buffer_append(&lines, line + (placed ? folder : 0),
                          (size_t)(end - line) + 1 - (placed ? folder : 0));
        line = end + 1;
    }
    const char *copy = hub_arena_text(&source->arena, (const char *)lines.data, lines.size);
    free(text);
    if (count != wanted)
        fail_msg("%zu findings, not %zu: %s", count, wanted, copy);
    return copy;
}

static void assert_finds(const char *tests, size_t count, const char *text) {
    struct source source;
    open_with_tests(&source, tests);
    assert_says(findings(&source, count), text);
    source_close(&source);
}

static void a_test_that_is_met_finds_nothing(void **state) {
    struct source source;
    (void)state;
    open_with_tests(&source, "tests:\n"
                             "  - {input: good.csv, expect: [{acronym: SKIN, enrolment: {count: "
                             "20}}]}\n");
    assert_string_equal(findings(&source, 0), "");
    source_close(&source);
}

/* A link more for each key would be another record than the one that is expected. */
static void what_a_test_expects_is_the_same_while_keys_are_rotated(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    source.keys_folder = folder_path(&source.folder, "keys");
    folder_write(&source.folder, "keys/shared/1", "0123456789abcdef0123456789abcdef");
    folder_write(&source.folder, "keys/shared/2", "fedcba9876543210fedcba9876543210");
    folder_write(&source.folder, "good.csv", "id,name,status,n\n1,SKIN,open,20\n");
    source_load(&source, hub_arena_format(
                             &source.arena,
                             "%s      links: {domain: {value: patient}, role: {value: donor}, "
                             "identifier: {scheme: subject, value: {from: id, pseudonym: shared}, "
                             "relation: self}}\n"
                             "tests:\n"
                             "  - {input: good.csv, expect: [{links: [{role: donor}]}]}\n",
                             configuration));
    assert_string_equal(findings(&source, 0), "");
    source_close(&source);
}

static void a_configuration_without_tests_is_a_finding(void **state) {
    (void)state;
    assert_finds("", 1, "1:1: no 'tests': [{input: SAMPLE, expect: [...]}]");
    assert_finds("tests: []\n", 1, "1:1: no 'tests'");
    assert_finds("tests: good.csv\n", 1, "1:1: no 'tests'");
}

static void an_expectation_that_is_not_met_has_its_place_and_the_record(void **state) {
    (void)state;
    assert_finds("tests: [{input: good.csv, expect: [{acronym: SKIM}]}]\n", 1,
                 "13:46: not so in the record: {\n");
    assert_finds("tests: [{input: good.csv, expect: [{enrolment: {count: 21}}]}]\n", 1, "13:56: ");
    assert_finds("tests: [{input: good.csv, expect: [{conditions: [a]}]}]\n", 1, "13:49: ");
    assert_finds("tests: [{input: good.csv, expect: [{status: null}]}]\n", 1, "13:45: ");
}

static void records_too_few_or_too_many_are_findings(void **state) {
    (void)state;
    assert_finds("tests: [{input: good.csv, expect: [{}, {acronym: EYE}]}]\n", 1,
                 "13:40: no such record came");
    assert_finds("tests: [{input: good.csv, expect: []}]\n", 1,
                 "13:35: more records came than are expected, the first of them sus-trials/1");
}

static void a_refusal_that_is_not_expected_is_a_finding(void **state) {
    (void)state;
    assert_finds("tests: [{input: bad.csv, expect: [{acronym: SKIN}]}]\n", 1,
                 "13:9: refused at map: status: the table of line 11 knows no such value");
    assert_finds("tests: [{input: good.csv}, {input: broken.csv}]\n", 1,
                 "13:28: refused at parse: record: line 1: column 'id' stands there twice");
}

static void a_refusal_may_be_expected_by_field_and_stage(void **state) {
    struct source source;
    (void)state;
    open_with_tests(&source, "tests: [{input: bad.csv, expect_error: {field: status, stage: map}}]\n");
    assert_string_equal(findings(&source, 0), "");
    source_close(&source);
    assert_finds("tests: [{input: bad.csv, expect_error: {field: acronym}}]\n", 1,
                 "13:40: it was another error: refused at map: status: ");
    assert_finds("tests: [{input: bad.csv, expect_error: {stage: guard}}]\n", 1,
                 "13:40: it was another error: ");
    assert_finds("tests: [{input: good.csv, expect_error: {field: status}}]\n", 1,
                 "13:41: nothing was refused");
}

static void an_expected_refusal_hides_no_other(void **state) {
    (void)state;
    assert_finds("tests: [{input: worse.csv, expect_error: {field: status}}]\n", 1,
                 "13:42: it was another error: refused at map: enrolment.count: ");
    assert_finds("tests: [{input: worse.csv}]\n", 2, "13:9: refused at map: enrolment.count: ");
}

static void a_test_that_is_misspelt_never_passes(void **state) {
    (void)state;
    assert_finds("tests: [{input: good.csv}, {inptu: good.csv}]\n", 1,
                 "13:28: a test needs an 'input': a sample file");
    assert_finds("tests: [{input: good.csv}, {input: good.csv, expct: [{}]}]\n", 1,
                 "13:46: unknown key 'expct'; did you mean 'expect'?");
    assert_finds("tests: [{input: good.csv}, {input: bad.csv, expect_error: {feild: status}}]\n", 1,
                 "13:60: unknown key 'feild'; did you mean 'field'?");
    assert_finds("tests: [{input: good.csv, expect: {acronym: SKIN}}, {input: good.csv}]\n", 1,
                 "13:35: a list with one entry a record would pass");
    assert_finds("tests: [{input: good.csv}, {input: good.csv, context: x}]\n", 1,
                 "13:55: {request: {...}, file: {...}} would pass");
    assert_finds("tests: [{input: good.csv}, {input: good.csv, expect_error: status}]\n", 1,
                 "13:60: {field: NAME, stage: NAME} would pass");
}

static void a_sample_that_is_not_there_is_a_finding(void **state) {
    (void)state;
    assert_finds("tests: [{input: good.csv}, {input: none.csv}]\n", 1,
                 "none.csv: No such file or directory");
}

static void a_path_that_fills_nothing_in_any_sample_is_a_finding_in_the_files_order(void **state) {
    struct source source;
    (void)state;
    open_with_tests(&source, "tests: [{input: bare.csv}]\n");
    assert_string_equal(findings(&source, 3),
                        "connector.yaml:10:16: this fills nothing in any of the file's own samples\n"
                        "connector.yaml:11:15: this fills nothing in any of the file's own samples\n"
                        "connector.yaml:12:26: this fills nothing in any of the file's own samples\n");
    source_close(&source);
    open_with_tests(&source, "tests: [{input: bare.csv}, {input: good.csv}]\n");
    findings(&source, 0);
    source_close(&source);
}

static void what_variants_share_is_filled_by_any_of_them_and_told_of_once(void **state) {
    struct source source;
    static const char variants[] = "    variants:\n"
                                   "      - {when: {path: status, in: [open]}, fields: {}}\n"
                                   "      - {fields: {}}\n";
    char tests[256];
    (void)state;
    snprintf(tests, sizeof tests, "%stests: [{input: bare.csv}]\n", variants);
    open_with_tests(&source, tests);
    assert_says(findings(&source, 4), "connector.yaml:10:16: this fills nothing");
    source_close(&source);
    snprintf(tests, sizeof tests, "%stests: [{input: bare.csv}, {input: good.csv}]\n", variants);
    open_with_tests(&source, tests);
    findings(&source, 0);
    source_close(&source);
}

/* --- dry run --- */

static const char *dry_run(struct source *source, const char *name, bool as_json, size_t refused) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(hub_dry_run(source->connector, folder_path(&source->folder, name), NULL,
                                 as_json, out),
                     refused);
    fclose(out);
    const char *copy = hub_arena_text(&source->arena, text, size);
    free(text);
    return copy;
}

static void a_dry_run_shows_what_became_of_each_field(void **state) {
    struct source source;
    (void)state;
    open_with_tests(&source, "");
    const char *text = dry_run(&source, "bad.csv", /* as_json= */ false, 1);
    assert_says(text, "sus-trials/1  line=2\n");
    assert_says(text, "  acronym          ok      \"SKIN\"\n");
    assert_says(text, "  sponsor          absent  \n");
    assert_says(text, "sus-trials/2  line=3\n  refused at map: status: ");
    assert_says(text, "1 records, 1 refused, 0 skipped; nothing was published\n");
    source_close(&source);
}

static void a_dry_run_of_a_document_that_is_none_says_why(void **state) {
    struct source source;
    (void)state;
    open_with_tests(&source, "");
    assert_says(dry_run(&source, "broken.csv", /* as_json= */ false, 1),
                "refused at parse: record: line 1: column 'id' stands there twice");
    assert_says(dry_run(&source, "none.csv", /* as_json= */ false, 1), "No such file");
    source_close(&source);
}

static void a_dry_run_in_json_is_one_line_a_record(void **state) {
    struct source source;
    json_error_t error;
    (void)state;
    open_with_tests(&source, "");
    const char *text = dry_run(&source, "bad.csv", /* as_json= */ true, 1);
    const char *second = strchr(text, '\n') + 1;
    json_t *good = json_loadb(text, (size_t)(second - text), 0, &error);
    json_t *bad = json_loads(second, 0, &error);
    assert_string_equal(json_string_value(json_object_get(good, "key")), "sus-trials/1");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(good, "record"), "acronym")), "SKIN");
    assert_true(json_is_null(json_object_get(good, "refused")));
    assert_string_equal(json_string_value(json_object_get(bad, "path")), "status");
    assert_true(json_is_null(json_object_get(bad, "record")));
    json_decref(good);
    json_decref(bad);
    source_close(&source);
}

static void a_context_is_a_dot_b_equals_c(void **state) {
    struct hub_error error;
    json_t *context = NULL;
    (void)state;
    assert_int_equal(hub_check_context("request.sending_hei_id=lu.se", &context, &error), HUB_OK);
    json_t *wanted = test_json("{'request': {'sending_hei_id': 'lu.se'}}");
    assert_true(json_equal(context, wanted));
    json_decref(wanted);
    json_decref(context);
    assert_int_equal(hub_check_context(NULL, &context, &error), HUB_OK);
    assert_int_equal(json_object_size(context), 0);
    json_decref(context);
    static const char *const wrong[] = {"", "request", "request.a", "request=a.b", ".a=b", "a.=b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(hub_check_context(wrong[i], &context, &error), HUB_FATAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_test_that_is_met_finds_nothing),
        cmocka_unit_test(what_a_test_expects_is_the_same_while_keys_are_rotated),
        cmocka_unit_test(a_configuration_without_tests_is_a_finding),
        cmocka_unit_test(an_expectation_that_is_not_met_has_its_place_and_the_record),
        cmocka_unit_test(records_too_few_or_too_many_are_findings),
        cmocka_unit_test(a_refusal_that_is_not_expected_is_a_finding),
        cmocka_unit_test(a_refusal_may_be_expected_by_field_and_stage),
        cmocka_unit_test(an_expected_refusal_hides_no_other),
        cmocka_unit_test(a_test_that_is_misspelt_never_passes),
        cmocka_unit_test(a_sample_that_is_not_there_is_a_finding),
        cmocka_unit_test(a_path_that_fills_nothing_in_any_sample_is_a_finding_in_the_files_order),
        cmocka_unit_test(what_variants_share_is_filled_by_any_of_them_and_told_of_once),
        cmocka_unit_test(a_dry_run_shows_what_became_of_each_field),
        cmocka_unit_test(a_dry_run_of_a_document_that_is_none_says_why),
        cmocka_unit_test(a_dry_run_in_json_is_one_line_a_record),
        cmocka_unit_test(a_context_is_a_dot_b_equals_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
