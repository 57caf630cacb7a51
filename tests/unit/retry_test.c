/* retry: what a dead letter comes to after a mapping was mended, and that it never overwrites what is newer. */
#include "connectors/kit/retry.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/remapping.h"

#include <stdio.h>
#include <string.h>

#define CONFIGURATION(version, words) CONFIGURATION_OF("documents", version, words)
#define CONFIGURATION_OF(mode, version, words)                                                     \
    "connector: sus-list\n"                                                                        \
    "institution: sus\n"                                                                           \
    "system: sus-trials\n"                                                                         \
    "source: {transport: file-drop, format: csv, folder: ., mode: " mode "}\n"                    \
    "target: {domain: trial}\n"                                                                    \
    "skip: [{when: {path: status, in: [draft]}, reason: a draft}]\n"                               \
    "records:\n"                                                                                   \
    "  - when: {path: status, not_in: [draft]}\n"                                                  \
    "    key: id\n"                                                                                \
    "    version: " version "\n"                                                                   \
    "    fields: {acronym: name, status: {from: status, table: {" words "}, else: reject}}\n"

/* What the mistake was: 'paused' is not known. */
static const char wrong[] = CONFIGURATION("{tie: position}", "open: RECRUITING");
static const char right[] = CONFIGURATION("{tie: position}", "open: RECRUITING, paused: HALTED");
static const char wrong_version[] = CONFIGURATION("name", "open: RECRUITING");
static const char right_version[] = CONFIGURATION("name", "open: RECRUITING, paused: HALTED");

static void begin(struct remapping *remapping, const char *configuration) {
    source_load(&remapping->source, configuration);
    hub_remap_free(remapping->remap);
    remapping->remap = hub_remap_new(remapping->source.connector, &remapping->journal);
    remapping_tell(remapping);
}

/* Publishes it, as under a later sequence: to ` A HALTED`. */
static void publish(struct remapping *remapping, const struct hub_remap_change *change,
                    size_t index) {
    struct hub_connector_counts counts = {0};
    struct hub_outgoing outgoing;
    size_t at = strlen(remapping->text);
    hub_remap_outgoing(remapping->remap, change, "a wrong table", remapping->source.sequence, index,
                       &remapping->arena, &outgoing, &counts);
    remapping_publish(remapping, &outgoing);
    json_t *record = test_render(outgoing.value);
    snprintf(remapping->text + at, sizeof remapping->text - at, " %s %s",
             strchr(change->key, '/') + 1, look_text(record, "status"));
    json_decref(record);
}

/* The letter of that place in the document of that sequence: "PUBLISHED A HALTED". */
static const char *retry(struct remapping *remapping, const char *configuration, int64_t sequence,
                         const char *letter) {
    struct hub_arena arena = {0};
    struct hub_remap_retry retry;
    struct hub_raw_document document = {
        .name = "list.csv", .bytes = hub_bytes_of_text(remapping->texts[sequence])};
    begin(remapping, configuration);
    const struct hub_remap_reading *reading =
        hub_remap_read(remapping->remap, &document, sequence, ++remapping->source.sequence, &arena);
    hub_remap_retry(remapping->remap, reading, letter, &arena, &retry);
    snprintf(remapping->text, sizeof remapping->text, "%s",
             retry.found ? hub_letter_outcome_name(retry.outcome) : "not found");
    assert_int_equal(retry.found && retry.outcome == HUB_LETTER_REFUSED, retry.refusal != NULL);
    for (size_t i = 0; i < retry.change_count; i++)
        publish(remapping, &retry.changes[i], i);
    hub_arena_destroy(&arena);
    return remapping->text;
}

/* The first record is in line 2. */
static void what_was_refused_is_published_once(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\nB,paused,HEART\n");
    assert_string_equal(source_text(&remapping.source, 1, "document"), "list.csv#line=3");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=3"), "PUBLISHED B HALTED");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=3"), "UNCHANGED");
    remapping_close(&remapping);
}

static void what_is_refused_still_stays(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    assert_string_equal(retry(&remapping, wrong, 1, "list.csv#line=2"), "REFUSED");
    remapping_close(&remapping);
}

/* Though the mended mapping says something else of them, too. */
static void other_records_of_the_document_are_left_alone(void **state) {
    static const char other[] = CONFIGURATION("{tie: position}", "open: COMPLETED, paused: HALTED");
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\nB,paused,HEART\nC,paused,LIVER\n");
    assert_string_equal(retry(&remapping, other, 1, "list.csv#line=3"), "PUBLISHED B HALTED");
    remapping_close(&remapping);
}

static void a_later_document_is_not_overwritten(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    remapping_feed(&remapping, "A,open,BONE\n");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=2"), "SUPERSEDED");
    remapping_close(&remapping);
}

static void a_later_version_of_the_source_is_not_overwritten(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong_version);
    remapping_feed(&remapping, "A,open,10\n");
    remapping_feed(&remapping, "A,paused,9\n");
    remapping_feed(&remapping, "A,paused,11\n");
    assert_string_equal(retry(&remapping, right_version, 2, "list.csv#line=2"), "SUPERSEDED");
    assert_string_equal(retry(&remapping, right_version, 3, "list.csv#line=2"),
                        "PUBLISHED A HALTED");
    remapping_close(&remapping);
}

static void what_is_said_further_on_in_the_document_is_not_overwritten(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,paused,SKIN\nA,open,BONE\n");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=2"), "SUPERSEDED");
    remapping_close(&remapping);
}

/* In the order of their documents each says what it said. */
static void two_letters_of_one_record_come_one_after_the_other(void **state) {
    static const char mended[] =
        CONFIGURATION("{tie: position}", "open: RECRUITING, paused: HALTED, ended: TERMINATED");
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,paused,SKIN\nA,ended,SKIN\n");
    remapping_feed(&remapping, "A,paused,BONE\n");
    assert_string_equal(retry(&remapping, mended, 2, "list.csv#line=2"), "PUBLISHED A HALTED");
    assert_string_equal(retry(&remapping, mended, 2, "list.csv#line=3"), "PUBLISHED A TERMINATED");
    assert_string_equal(retry(&remapping, mended, 3, "list.csv#line=2"), "PUBLISHED A HALTED");
    /* And none of them a second time. */
    assert_string_equal(retry(&remapping, mended, 2, "list.csv#line=2"), "SUPERSEDED");
    assert_string_equal(retry(&remapping, mended, 3, "list.csv#line=2"), "UNCHANGED");
    remapping_close(&remapping);
}

static void a_version_is_above_that_of_what_it_comes_after(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,paused,SKIN\n");
    assert_string_equal(retry(&remapping, right, 2, "list.csv#line=2"), "PUBLISHED A HALTED");
    json_t *record = test_render(remapping.published[1].message);
    assert_string_equal(look_text(record, "statement.version"), "~000000000003");
    json_decref(record);
    remapping_close(&remapping);
}

static void what_the_configuration_skips_now_is_skipped(void **state) {
    static const char without_skip[] = "connector: sus-list\n"
                                       "institution: sus\n"
                                       "system: sus-trials\n"
                                       "source: {transport: file-drop, format: csv, folder: .}\n"
                                       "target: {domain: trial}\n"
                                       "records:\n"
                                       "  - key: id\n"
                                       "    version: {tie: position}\n"
                                       "    fields: {acronym: name, status: {from: status, table: "
                                       "{open: RECRUITING}, else: reject}}\n";
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, without_skip);
    remapping_feed(&remapping, "A,draft,SKIN\n");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=2"), "SKIPPED");
    remapping_close(&remapping);
}

static void what_is_at_its_place_no_more_is_told(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=2,element=1"), "not found");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=22"), "not found");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line="), "not found");
    remapping_close(&remapping);
}

/* A letter of a whole document, which could not be read: all that it gives now, of each key the last. */
static void a_whole_document_is_published_as_far_as_it_can_be(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "");
    remapping.texts[1] = "id,status,name\nA,open,SKIN\nB,lost,HEART\nA,paused,BONE\n";
    remapping.journal.items[0].raw_hash =
        hub_sha256.digest(hub_bytes_of_text(remapping.texts[1]));
    assert_string_equal(retry(&remapping, right, 1, "list.csv"), "REFUSED A HALTED");
    static const char mended[] =
        CONFIGURATION("{tie: position}", "open: RECRUITING, paused: HALTED, lost: TERMINATED");
    assert_string_equal(retry(&remapping, mended, 1, "list.csv"), "PUBLISHED B TERMINATED");
    assert_string_equal(retry(&remapping, mended, 1, "list.csv"), "UNCHANGED");
    remapping_close(&remapping);
}

static void what_a_snapshot_had_no_more_stays_withdrawn(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,paused,SKIN\n");
    remapping_vanish(&remapping, "sus-trials/A");
    assert_string_equal(retry(&remapping, right, 2, "list.csv#line=2"), "SUPERSEDED");
    /* What was read after that was there again. */
    source_load(&remapping.source, wrong);
    remapping_feed(&remapping, "A,paused,BONE\n");
    assert_string_equal(retry(&remapping, right, remapping.source.sequence, "list.csv#line=2"),
                        "PUBLISHED A HALTED");
    remapping_close(&remapping);
}

/* Where each reading tells its own letter, each speaks as of its own. */
static void a_document_that_comes_again_has_a_letter_of_its_own(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    remapping_feed(&remapping, "A,open,BONE\n");
    remapping_feed(&remapping, "A,paused,SKIN\n");
    assert_string_equal(retry(&remapping, right, 1, "list.csv#line=2"), "SUPERSEDED");
    assert_string_equal(retry(&remapping, right, 3, "list.csv#line=2"), "PUBLISHED A HALTED");
    remapping_close(&remapping);
}

/* Where a source is read again and again, what it says again is no second letter. */
static void a_letter_of_a_source_that_is_read_again_speaks_as_of_the_last_reading(void **state) {
    static const char wrong_snapshot[] =
        CONFIGURATION_OF("snapshot", "{tie: position}", "open: RECRUITING");
    static const char right_snapshot[] =
        CONFIGURATION_OF("snapshot", "{tie: position}", "open: RECRUITING, paused: HALTED");
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong_snapshot);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    remapping_feed(&remapping, "A,open,BONE\n");
    assert_string_equal(retry(&remapping, right_snapshot, 1, "list.csv#line=2"), "SUPERSEDED");
    source_load(&remapping.source, wrong_snapshot);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    assert_string_equal(retry(&remapping, right_snapshot, 1, "list.csv#line=2"),
                        "PUBLISHED A HALTED");
    remapping_close(&remapping);
}

static void who_waits_for_whom_is_told_by_their_documents(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,open,BONE\n");
    begin(&remapping, right);
    assert_true(hub_remap_is_said_after(remapping.remap, "sus-trials/A", 1));
    assert_false(hub_remap_is_said_after(remapping.remap, "sus-trials/A", 2));
    assert_false(hub_remap_is_said_after(remapping.remap, "sus-trials/B", 1));
    remapping_close(&remapping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_refused_is_published_once),
        cmocka_unit_test(what_is_refused_still_stays),
        cmocka_unit_test(other_records_of_the_document_are_left_alone),
        cmocka_unit_test(a_later_document_is_not_overwritten),
        cmocka_unit_test(a_later_version_of_the_source_is_not_overwritten),
        cmocka_unit_test(what_is_said_further_on_in_the_document_is_not_overwritten),
        cmocka_unit_test(two_letters_of_one_record_come_one_after_the_other),
        cmocka_unit_test(a_version_is_above_that_of_what_it_comes_after),
        cmocka_unit_test(what_the_configuration_skips_now_is_skipped),
        cmocka_unit_test(what_is_at_its_place_no_more_is_told),
        cmocka_unit_test(a_whole_document_is_published_as_far_as_it_can_be),
        cmocka_unit_test(what_a_snapshot_had_no_more_stays_withdrawn),
        cmocka_unit_test(a_document_that_comes_again_has_a_letter_of_its_own),
        cmocka_unit_test(a_letter_of_a_source_that_is_read_again_speaks_as_of_the_last_reading),
        cmocka_unit_test(who_waits_for_whom_is_told_by_their_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
