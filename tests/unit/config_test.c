/* config: a connector's configuration as a whole. */
#include "connectors/kit/journal_use.h"
#include "connectors/kit/spool_use.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

static const char good[] = "connector: trying\n"
                           "institution: sus\n"
                           "system: sus-trials\n"
                           "source: {transport: file-drop, format: json, folder: .}\n"
                           "target: {domain: trial}\n"
                           "records:\n"
                           "  - {key: id, version: v, fields: {acronym: a}}\n";

/* The good configuration with one part of it replaced is refused. */
static void assert_refused(const char *from, const char *to, const char *error) {
    struct source source;
    source_make(&source);
    const char *at = strstr(good, from);
    assert_non_null(at);
    const char *text = hub_arena_format(&source.arena, "%.*s%s%s", (int)(at - good), good, to,
                                        at + strlen(from));
    assert_says(source_refusal(&source, text), error);
    source_close(&source);
}

static void a_good_configuration_is_loaded_whole(void **state) {
    struct source source;
    (void)state;
    source_open(&source, good);
    const struct hub_connector *connector = source.connector;
    assert_string_equal(connector->name, "trying");
    assert_string_equal(connector->institution, "sus");
    assert_string_equal(connector->system->name, "sus-trials");
    assert_string_equal(connector->domain->name, "trial");
    assert_string_equal(connector->transport->name, "file-drop");
    assert_string_equal(connector->format->name, "json");
    assert_string_equal(connector->folder, source.folder.path);
    assert_null(connector->tests);
    source_close(&source);
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    assert_refused("connector: trying\n", "", "1:1: 'connector' is missing");
    assert_refused("institution: sus\n", "", "1:1: 'institution' is missing");
    assert_refused("system: sus-trials\n", "", "1:1: 'system' is missing");
    assert_refused("target: {domain: trial}\n", "", "1:1: 'target: {domain: NAME}' is missing");
    assert_refused("source: {transport: file-drop, format: json, folder: .}\n", "",
                   "1:1: 'source: {transport: NAME, format: NAME, ...}' is missing");
    assert_refused("records:\n  - {key: id, version: v, fields: {acronym: a}}\n", "",
                   "1:1: 'records' is missing: the mapping");
    assert_refused("transport: file-drop, ", "", "4:9: 'transport' is missing");
    assert_refused(", folder: .", "", "4:9: 'folder' is missing: The folder");
}

static void an_unknown_word_is_told_with_the_nearest(void **state) {
    (void)state;
    assert_refused("target:", "traget:", "5:1: unknown key 'traget'; did you mean 'target'?");
    assert_refused("folder: .", "folder: ., foldr: .",
                   "4:57: unknown key 'foldr'; did you mean 'folder'?");
    assert_refused("{domain: trial}", "{domain: trial, topic: x}", "5:25: unknown key 'topic'");
}

static void names_that_are_not_known_are_told_with_those_there_are(void **state) {
    (void)state;
    assert_refused("file-drop", "file-dorp", "4:21: 'file-dorp' is not known, did you mean "
                                             "'file-drop'; there are: atom, file-drop, http-poll, "
                                             "mllp");
    assert_refused("format: json", "format: parquet",
                   "4:40: 'parquet' is not known; there are: csv, hl7v2, icalendar, json, "
                   "labelled-text, xml");
    assert_refused("domain: trial", "domain: trail",
                   "5:18: 'trail' is not known, did you mean 'trial'; there are: ");
    assert_refused("system: sus-trials", "system: sus-trails",
                   "3:9: 'sus-trails' is not in systems.json, where every source is declared once; "
                   "did you mean 'sus-trials'?");
}

static void an_institution_may_carry_only_its_own_systems(void **state) {
    (void)state;
    assert_refused("institution: sus", "institution: lu",
                   "2:14: systems.json does not let 'lu' carry 'sus-trials'; sus may");
}

static void a_name_is_small_letters_digits_and_hyphens(void **state) {
    (void)state;
    static const char error[] = "is small letters, digits and hyphens, at most 64";
    assert_refused("connector: trying", "connector: Trying", error);
    assert_refused("connector: trying", "connector: a/../b", error);
    assert_refused("connector: trying", "connector: ''", error);
    assert_refused("connector: trying", "connector: [a]", error);
    assert_refused("connector: trying",
                   "connector: "
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                   error);
}

static void options_are_those_of_the_transport_and_the_format(void **state) {
    (void)state;
    assert_refused("folder: .", "folder: ., delimiter: ';'", "4:57: unknown key 'delimiter'");
    assert_refused("format: json, folder: .", "format: csv, folder: ., delimiter: ';;'",
                   "'delimiter' is ';;'; one of ,, ;, \t, | would pass");
    assert_refused("format: json, folder: .", "format: csv, folder: ., charset: latin1",
                   "'charset' is 'latin1'; one of utf-8, windows-1252, iso-8859-1, iso-8859-15 "
                   "would pass");
    assert_refused("folder: .", "folder: ., mode: append",
                   "'mode' is 'append'; one of documents, snapshot would pass");
}

static void options_that_do_not_go_together_are_told_at_the_source(void **state) {
    (void)state;
    assert_refused("folder: .", "folder: ., pattern: 'a('",
                   "4:9: pattern 'a(' at character 3: ");
    assert_refused("transport: file-drop, format: json, folder: .",
                   "transport: http-poll, format: json, url: x, next: token",
                   "4:9: token_parameter and a next that names a member need each other");
    assert_refused("format: json, folder: .", "format: xml, folder: ., namespaces: [urn:one]",
                   "4:9: namespace 'urn:one': prefix=URI would pass");
}

static void empty_is_accepted_or_refused(void **state) {
    (void)state;
    assert_refused("records:", "empty: maybe\nrecords:", "6:8: accept or refuse would pass");
}

/* good, with `line` before its mapping, and a journal's key or none. */
static enum hub_status decide(const char *line, bool has_key, bool *ret_wanted,
                              struct hub_error *reterr) {
    struct source source;
    source_make(&source);
    if (has_key)
        folder_write(&source.folder, "keys/journal/k", "0123456789abcdef0123456789abcdef");
    folder_write(&source.folder, "keys/local/k", "0123456789abcdef0123456789abcdef");
    source.keys_folder = folder_path(&source.folder, "keys");
    source_load(&source, hub_arena_format(&source.arena, "%s%s", good, line));
    enum hub_status status =
        hub_journal_decide(source.connector, source.folder.path, 0, ret_wanted, reterr);
    source_close(&source);
    return status;
}

static void a_journal_is_kept_where_there_is_a_key_and_nobody_says_otherwise(void **state) {
    struct hub_error error;
    bool wanted = false;
    (void)state;
    assert_int_equal(decide("", true, &wanted, &error), HUB_OK);
    assert_true(wanted);
    assert_int_equal(decide("", false, &wanted, &error), HUB_OK);
    assert_false(wanted);
    assert_int_equal(decide("journal: {days: 0}\n", true, &wanted, &error), HUB_OK);
    assert_false(wanted);
    assert_int_equal(decide("journal: {days: 7}\n", false, &wanted, &error), HUB_FATAL);
    assert_says(error.text, "32 random bytes in the part 'journal' of the keys folder");
}

/* As a source that listens, with these words on what it does while Kafka is away; `ret_has` whether it has a spool. */
static enum hub_status decide_spool(struct source *source, const char *while_away, bool *ret_has,
                                    struct hub_error *reterr) {
    struct hub_spool *spool = NULL;
    source_load(source, hub_arena_format(&source->arena, "connector: trying\n"
                                         "institution: sus\nsystem: sus-trials\n"
                                         "source: {transport: mllp, format: hl7v2, listen: "
                                         "'127.0.0.1:2575'%s}\ntarget: {domain: trial}\nrecords:\n"
                                         "  - {key: MSH-10, version: MSH-7, fields: {acronym: "
                                         "MSH-3}}\n", while_away));
    enum hub_status status =
        hub_spool_decide(source->connector, source->folder.path, &spool, reterr);
    *ret_has = spool != NULL;
    hub_spool_close(spool);
    return status;
}

static void a_spool_is_there_where_it_is_asked_for_and_never_without_a_key(void **state) {
    struct source source;
    struct hub_error error;
    bool has = false;
    (void)state;
    source_make(&source);
    folder_write(&source.folder, "keys/local/k", "0123456789abcdef0123456789abcdef");
    source.keys_folder = folder_path(&source.folder, "keys");
    assert_int_equal(decide_spool(&source, ", while_away: spool", &has, &error), HUB_FATAL);
    assert_says(error.text, "'while_away: spool' needs a key: a file of 32 random bytes in the part "
                            "'journal' of the keys folder (--keys) would pass");
    assert_int_equal(decide_spool(&source, "", &has, &error), HUB_OK);
    assert_false(has);
    folder_write(&source.folder, "keys/journal/k", "0123456789abcdef0123456789abcdef");
    assert_int_equal(decide_spool(&source, ", while_away: spool", &has, &error), HUB_OK);
    assert_true(has);
    assert_int_equal(decide_spool(&source, ", while_away: wait", &has, &error), HUB_OK);
    assert_false(has);
    folder_write(&source.folder, "spool/trying/000000000000000007", "acknowledged");
    assert_int_equal(decide_spool(&source, "", &has, &error), HUB_FATAL);
    assert_says(error.text, "1 documents that were acknowledged are in ");
    assert_says(error.text, "'while_away: spool' would pass until they are");
    source_close(&source);
}

static void a_journal_is_kept_for_days(void **state) {
    struct source source;
    (void)state;
    source_open(&source, good);
    assert_int_equal(source.connector->journal.days, 30);
    source_load(&source, hub_arena_format(&source.arena, "%sjournal: {days: 7}\n", good));
    assert_int_equal(source.connector->journal.days, 7);
    source_close(&source);
    assert_refused("records:", "journal: {days: many}\nrecords:", "6:17: ");
    assert_refused("records:", "journal: 7\nrecords:", "6:10: 'journal: {days: N}' would pass");
    assert_refused("records:", "journal: {dys: 7}\nrecords:", "did you mean 'days'?");
}

static void what_is_no_mapping_or_no_yaml_is_refused_with_its_place(void **state) {
    struct source source;
    (void)state;
    source_make(&source);
    assert_says(source_refusal(&source, "- a\n"),
                "1:1: a mapping of 'connector', 'institution' ... would pass");
    assert_says(source_refusal(&source, "connector: [a\nb: c"), "2:");
    assert_says(source_refusal(&source, "connector: a\nconnector: b\n"), "2:1: ");
    source_close(&source);
}

static void a_file_that_is_not_there_is_told(void **state) {
    struct hub_connector *connector = NULL;
    struct hub_error error;
    (void)state;
    assert_int_equal(hub_connector_load("/none/such.yaml", test_catalogue(), NULL, &connector,
                                        &error),
                     HUB_FATAL);
    assert_string_equal(error.text, "/none/such.yaml: No such file or directory");
    assert_null(connector);
}

static void another_configuration_has_another_hash(void **state) {
    struct source source;
    (void)state;
    source_open(&source, good);
    struct hub_digest first = source.connector->config_hash;
    source_load(&source, hub_arena_format(&source.arena, "%s# a comment\n", good));
    assert_memory_not_equal(first.bytes, source.connector->config_hash.bytes, HUB_DIGEST_SIZE);
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_configuration_is_loaded_whole),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(an_unknown_word_is_told_with_the_nearest),
        cmocka_unit_test(names_that_are_not_known_are_told_with_those_there_are),
        cmocka_unit_test(an_institution_may_carry_only_its_own_systems),
        cmocka_unit_test(a_name_is_small_letters_digits_and_hyphens),
        cmocka_unit_test(options_are_those_of_the_transport_and_the_format),
        cmocka_unit_test(options_that_do_not_go_together_are_told_at_the_source),
        cmocka_unit_test(empty_is_accepted_or_refused),
        cmocka_unit_test(a_journal_is_kept_where_there_is_a_key_and_nobody_says_otherwise),
        cmocka_unit_test(a_spool_is_there_where_it_is_asked_for_and_never_without_a_key),
        cmocka_unit_test(a_journal_is_kept_for_days),
        cmocka_unit_test(what_is_no_mapping_or_no_yaml_is_refused_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
        cmocka_unit_test(another_configuration_has_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
