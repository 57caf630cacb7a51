/* remap: of what was read, what is published again after a mapping was mended, and what is not. */
#include "connectors/kit/remap.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/remapping.h"

/* --- the decision --- */

static void the_decision_is_that_of_the_table(void **state) {
    static const struct {
        enum hub_remap_verdict verdict;
        struct hub_remap_standing standing;
    } rows[] = {
        {HUB_REMAP_ADD, {.given = true, .differs = true}},
        {HUB_REMAP_REFUSED, {.refused = false}},
        {HUB_REMAP_REPLACE, {.published = true, .mapped_again = true, .stated = true, .given = true,
                             .differs = true}},
        {HUB_REMAP_UNCHANGED, {.published = true, .mapped_again = true, .stated = true,
                               .given = true}},
        /* An older document speaks where the one that did gives the key no more, and only there. */
        {HUB_REMAP_REPLACE, {.published = true, .mapped_again = true, .stated = true, .given = true,
                             .older = true, .differs = true}},
        {HUB_REMAP_OTHER, {.published = true, .stated = true, .given = true, .older = true,
                           .differs = true}},
        {HUB_REMAP_REFUSED, {.published = true, .mapped_again = true, .refused = true, .stated = true,
                             .given = true, .older = true, .differs = true}},
        /* One that is newer speaks, whatever the other gives. */
        {HUB_REMAP_REPLACE, {.published = true, .stated = true, .given = true, .differs = true}},
        {HUB_REMAP_REPLACE, {.published = true, .mapped_again = true, .refused = true, .stated = true,
                             .given = true, .differs = true}},
        {HUB_REMAP_WITHDRAW, {.published = true, .mapped_again = true, .stated = true}},
        {HUB_REMAP_UNCHANGED, {.published = true, .mapped_again = true}},
        {HUB_REMAP_REFUSED, {.published = true, .mapped_again = true, .refused = true,
                             .stated = true}},
        {HUB_REMAP_OTHER, {.published = true, .stated = true}},
        {HUB_REMAP_VANISHED, {.published = true, .vanished = true, .mapped_again = true,
                              .given = true, .differs = true}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (hub_remap_judge(&rows[i].standing) != rows[i].verdict)
            fail_msg("row %zu: %d", i, (int)hub_remap_judge(&rows[i].standing));
}

/* --- documents --- */

#define CONFIGURATION(key, version, fields)                                                        \
    "connector: sus-list\n"                                                                        \
    "institution: sus\n"                                                                           \
    "system: sus-trials\n"                                                                         \
    "source: {transport: file-drop, format: csv, folder: .}\n"                              \
    "target: {domain: trial}\n"                                                                    \
    "records:\n"                                                                                   \
    "  - key: " key "\n"                                                                           \
    "    version: " version "\n"                                                                   \
    "    fields: {" fields "}\n"
#define STATUS(words) "status: {from: status, table: {" words "}, else: reject}"

/* The mistake: what is open is said to be completed; and 'paused' is not known. */
static const char wrong[] = CONFIGURATION("id", "{tie: position}",
                                          "acronym: name, " STATUS("open: COMPLETED"));
static const char right[] = CONFIGURATION(
    "id", "{tie: position}", "acronym: name, " STATUS("open: RECRUITING, paused: HALTED"));

/* What is to be done after the documents from that sequence on are mapped again. */
static const struct hub_remap_change *map_again(struct remapping *remapping,
                                                const char *configuration, int64_t since,
                                                size_t *ret_count) {
    source_load(&remapping->source, configuration);
    hub_remap_free(remapping->remap);
    remapping->remap = hub_remap_new(remapping->source.connector, &remapping->journal);
    remapping_tell(remapping);
    for (size_t i = 0; i < remapping->journal.count; i++) {
        int64_t sequence = remapping->journal.items[i].sequence;
        struct hub_raw_document document = {
            .name = "list.csv", .bytes = hub_bytes_of_text(remapping->texts[sequence])};
        if (sequence >= since)
            hub_remap_document(remapping->remap, &document, sequence,
                               remapping->source.sequence + 1);
    }
    return hub_remap_decide(remapping->remap, ret_count);
}

/* Does it, and tells: "replace A RECRUITING". */
static const char *remap(struct remapping *remapping, const char *configuration, int64_t since) {
    static const char *const words[HUB_REMAP_VERDICTS] = {"add",   "replace",  "withdraw", "same",
                                                          "other", "vanished", "refused"};
    struct hub_connector_counts counts = {0};
    size_t count = 0, published = 0, at = 0;
    const struct hub_remap_change *changes = map_again(remapping, configuration, since, &count);
    int64_t sequence = remapping->source.sequence + 1;
    *remapping->text = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *status = "";
        if (changes[i].verdict <= HUB_REMAP_WITHDRAW) {
            struct hub_outgoing outgoing;
            hub_remap_outgoing(remapping->remap, &changes[i], "a wrong table", sequence,
                               published++, &remapping->arena, &outgoing, &counts);
            remapping_publish(remapping, &outgoing);
            json_t *record = test_render(outgoing.value);
            status = hub_arena_format(&remapping->arena, " %s",
                                      changes[i].verdict == HUB_REMAP_WITHDRAW
                                          ? look_text(record, "statement.reason")
                                          : look_text(record, "status"));
            json_decref(record);
        }
        at += (size_t)snprintf(remapping->text + at, sizeof remapping->text - at, "%s%s %s%s",
                               i == 0 ? "" : ", ", words[changes[i].verdict],
                               strchr(changes[i].key, '/') + 1, status);
    }
    assert_int_equal(counts.read, counts.published + counts.withdrawn);
    assert_int_equal(counts.read + counts.vanished, published);
    remapping->source.sequence = published > 0 ? sequence : sequence - 1;
    return remapping->text;
}

static void what_was_wrong_is_replaced_and_what_was_refused_is_added(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\nB,paused,HEART\nC,lost,LIVER\n");
    assert_string_equal(remap(&remapping, right, 0),
                        "replace A RECRUITING, add B HALTED, refused C");
    assert_string_equal(remap(&remapping, right, 0), "same A, same B, refused C");
    remapping_close(&remapping);
}

static void nothing_is_said_where_nothing_was_mended(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    assert_string_equal(remap(&remapping, wrong, 0), "same A");
    remapping_close(&remapping);
}

static void a_later_document_is_never_overwritten_by_an_older_one(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,open,BONE\n");
    size_t count = 0;
    const struct hub_remap_change *changes = map_again(&remapping, right, 0, &count);
    assert_int_equal(count, 1);
    struct hub_outgoing outgoing;
    struct hub_connector_counts counts = {0};
    hub_remap_outgoing(remapping.remap, &changes[0], "", 3, 0, &remapping.arena, &outgoing, &counts);
    json_t *record = test_render(outgoing.value);
    assert_string_equal(look_text(record, "acronym"), "BONE");
    assert_string_equal(look_text(record, "statement.version"), "~000000000003");
    json_decref(record);
    remapping_close(&remapping);
}

static void what_a_document_before_that_time_said_stays(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "B,open,SKIN\n");
    assert_string_equal(remap(&remapping, right, 2), "replace B RECRUITING");
    remapping_close(&remapping);
}

/* The document that speaks is not in the journal any more: the number of its record tells its age. */
static void what_was_refused_speaks_after_an_older_document_that_is_gone(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,paused,SKIN\n");
    remapping.journal.items[0] = remapping.journal.items[1];
    remapping.journal.count = 1;
    assert_string_equal(remap(&remapping, right, 0), "replace A HALTED");
    remapping_close(&remapping);
}

static void what_was_refused_does_not_speak_before_a_later_document_that_is_gone(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,paused,SKIN\n");
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping.journal.count = 1;
    assert_string_equal(remap(&remapping, right, 0), "other A");
    remapping_close(&remapping);
}

static void a_key_that_is_given_no_more_is_withdrawn_with_the_reason(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    assert_string_equal(remap(&remapping, CONFIGURATION("name", "{tie: position}",
                                                        "acronym: id, " STATUS("open: COMPLETED")),
                              0),
                        "withdraw A a wrong table, add SKIN COMPLETED");
    /* A second mending brings it back. */
    assert_string_equal(remap(&remapping, wrong, 0),
                        "replace A COMPLETED, withdraw SKIN a wrong table");
    remapping_close(&remapping);
}

static void what_is_refused_now_stays_as_it_was_published(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, right);
    remapping_feed(&remapping, "A,open,SKIN\nB,paused,BONE\n");
    assert_string_equal(remap(&remapping, wrong, 0), "replace A COMPLETED, refused B");
    remapping_close(&remapping);
}

/* A record whose key cannot be read may be any of them. */
static void where_a_key_cannot_be_read_none_is_withdrawn(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\nB,open,\n");
    assert_string_equal(remap(&remapping, CONFIGURATION("name", "{tie: position}",
                                                        "acronym: id, " STATUS("open: COMPLETED")),
                              0),
                        "add SKIN COMPLETED");
    remapping_close(&remapping);
}

static void what_a_snapshot_had_no_more_stays_withdrawn(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\nB,open,BONE\n");
    remapping_vanish(&remapping, "sus-trials/A");
    assert_string_equal(remap(&remapping, right, 0), "vanished A, replace B RECRUITING");
    remapping_close(&remapping);
}

/* Documents that came out of order: the highest version of the source speaks, and the mended one beats it. */
static void the_highest_version_of_the_source_speaks(void **state) {
    static const char ordered_wrong[] =
        CONFIGURATION("id", "name", STATUS("open: COMPLETED, done: TERMINATED"));
    static const char ordered_right[] =
        CONFIGURATION("id", "name", STATUS("open: RECRUITING, done: TERMINATED"));
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, ordered_wrong);
    remapping_feed(&remapping, "A,open,10\n");
    remapping_feed(&remapping, "A,done,9\n");
    assert_string_equal(remap(&remapping, ordered_right, 0), "replace A RECRUITING");
    json_t *record =
        test_render(remapping.published[remapping.published_count - 1].message);
    assert_string_equal(look_text(record, "statement.version"), "10~000000000003");
    json_decref(record);
    remapping_close(&remapping);
}

static void what_another_connector_of_the_system_said_stays(void **state) {
    struct remapping remapping;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping_feed(&remapping, "A,open,SKIN\n");
    remapping_feed(&remapping, "A,open,BONE\n");
    remapping.published[1].id = "sus-other/1/0";
    remapping.journal.count = 1;
    assert_string_equal(remap(&remapping, right, 0), "other A");
    remapping_close(&remapping);
}

static void a_record_that_cannot_be_read_is_damage(void **state) {
    struct remapping remapping;
    struct hub_error error;
    (void)state;
    remapping_open(&remapping, wrong);
    remapping.remap = hub_remap_new(remapping.source.connector, &remapping.journal);
    assert_int_equal(hub_remap_published(remapping.remap, hub_bytes_of_text("sus-trials/A"),
                                         hub_bytes("x", 1), hub_bytes(NULL, 0), &error),
                     HUB_FATAL);
    assert_int_equal(hub_remap_published(remapping.remap, hub_bytes_of_text("ctgov/A"),
                                         hub_bytes("x", 1), hub_bytes(NULL, 0), &error), HUB_OK);
    remapping_close(&remapping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_decision_is_that_of_the_table),
        cmocka_unit_test(what_was_wrong_is_replaced_and_what_was_refused_is_added),
        cmocka_unit_test(nothing_is_said_where_nothing_was_mended),
        cmocka_unit_test(a_later_document_is_never_overwritten_by_an_older_one),
        cmocka_unit_test(what_a_document_before_that_time_said_stays),
        cmocka_unit_test(what_was_refused_speaks_after_an_older_document_that_is_gone),
        cmocka_unit_test(what_was_refused_does_not_speak_before_a_later_document_that_is_gone),
        cmocka_unit_test(a_key_that_is_given_no_more_is_withdrawn_with_the_reason),
        cmocka_unit_test(what_is_refused_now_stays_as_it_was_published),
        cmocka_unit_test(where_a_key_cannot_be_read_none_is_withdrawn),
        cmocka_unit_test(what_a_snapshot_had_no_more_stays_withdrawn),
        cmocka_unit_test(the_highest_version_of_the_source_speaks),
        cmocka_unit_test(what_another_connector_of_the_system_said_stays),
        cmocka_unit_test(a_record_that_cannot_be_read_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
