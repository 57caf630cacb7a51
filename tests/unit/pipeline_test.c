/* pipeline: what a document becomes, and that each record of it becomes something. */
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/source.h"

static const char table[] =
    "connector: sus-list\n"
    "institution: sus\n"
    "system: sus-trials\n"
    "source: {transport: file-drop, format: csv, folder: .}\n"
    "target: {domain: trial}\n"
    "records:\n"
    "  - key: id\n"
    "    version: {from: changed, tie: position}\n"
    "    event_time: {from: changed, time: {formats: [date], zone: UTC}}\n"
    "    fields:\n"
    "      acronym: name\n"
    "      status: {from: status, table: {open: RECRUITING, done: COMPLETED}, else: reject}\n";

static const char list[] =
    "connector: sus-list\n"
    "institution: sus\n"
    "system: sus-trials\n"
    "source: {transport: file-drop, format: json, folder: .}\n"
    "target: {domain: trial}\n"
    "records:\n"
    "  - for_each: list\n"
    "    key: id\n"
    "    version: {tie: position}\n"
    "    fields:\n"
    "      acronym: name\n"
    "      status: {from: status, table: {open: RECRUITING}, else: reject}\n";

static void assert_counts(const struct source *source, const struct hub_connector_counts *wanted) {
    const struct hub_connector_counts *counts = &source->list.counts;
    assert_int_equal(counts->read, wanted->read);
    assert_int_equal(counts->published, wanted->published);
    assert_int_equal(counts->withdrawn, wanted->withdrawn);
    assert_int_equal(counts->vanished, wanted->vanished);
    assert_int_equal(counts->unchanged, wanted->unchanged);
    assert_int_equal(counts->skipped, wanted->skipped);
    assert_int_equal(counts->dead, wanted->dead);
}
#define assert_counted(source, ...)                                                                \
    assert_counts(source, &(struct hub_connector_counts){__VA_ARGS__})

static const char *header(const struct source *source, size_t index, const char *name) {
    const struct hub_outgoing *outgoing = &source->list.items[index];
    for (size_t i = 0; i < outgoing->header_count; i++)
        if (strcmp(outgoing->headers[i].name, name) == 0)
            return (const char *)outgoing->headers[i].value.data;
    return "";
}

/* --- records --- */

static void a_record_goes_out_under_its_key_in_an_envelope(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv", "id,changed,name,status\nA-1,2026-03-01,SKIN,open\n");
    assert_counted(&source, .read = 1, .published = 1);
    assert_string_equal(source.list.items[0].key, "sus-trials/A-1");
    assert_false(source.list.items[0].dead);
    assert_says(header(&source, 0, "ce_source"), "urn:atmp:sus:sus-trials");
    assert_says(header(&source, 0, "ce_type"), "atmp.trial.stated");
    assert_says(header(&source, 0, "ce_subject"), "sus-trials/A-1");
    assert_says(header(&source, 0, "ce_id"), "sus-list/1/0");
    assert_says(header(&source, 0, "ce_time"), "2026-03-01T00:00:00");
    source_close(&source);
}

static void every_record_tells_the_hash_of_its_document_and_mapping(void **state) {
    struct source source;
    (void)state;
    static const char text[] = "id,changed,name,status\nA-1,2026-03-01,SKIN,open\n";
    char digest[HUB_DIGEST_TEXT_SIZE];
    source_open(&source, table);
    source_feed(&source, "t.csv", text);
    struct hub_digest raw = hub_sha256.digest(hub_bytes_of_text(text));
    hub_digest_text(&raw, HUB_DIGEST_SIZE, digest);
    assert_string_equal(source_text(&source, 0, "statement.raw_hash"), digest);
    hub_digest_text(&source.connector->config_hash, HUB_DIGEST_SIZE, digest);
    assert_string_equal(source_text(&source, 0, "statement.mapping_hash"), digest);
    source_close(&source);
}

/* --- dead letters --- */

static void a_bad_record_is_told_whole_and_the_next_goes_on(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv",
                "id,changed,name,status\n"
                "A-1,2026-03-01,SKIN,open\n"
                "A-2,2026-03-01,HEART,closed\n"
                "A-3,soon,LIVER,open\n"
                "A-4,2026-03-01,open\n"
                ",2026-03-01,BONE,open\n"
                "A-6,2026-03-01,EYE,done\n");
    assert_counted(&source, .read = 6, .published = 2, .dead = 4);
    static const struct {
        size_t index;
        const char *stage, *code, *path, *document, *original, *reason;
    } letters[] = {
        {1, "map", "CODE", "status", "t.csv#line=3", "A-2,2026-03-01,HEART,closed\n",
         "knows no such value"},
        {2, "map", "TIME", "statement.event_time", "t.csv#line=4", "A-3,soon,LIVER,open\n",
         "not in the format date"},
        {3, "map", "KEY", NULL, "t.csv#line=6", ",2026-03-01,BONE,open\n",
         "part 1 of the key is absent"},
        {5, "parse", "PARSE", NULL, "t.csv#line=5", "A-4,2026-03-01,open\n",
         "line 5: 3 cells; 4, as in the first row, would pass"},
    };
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        size_t index = letters[i].index;
        struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text(letters[i].original));
        char text[HUB_DIGEST_TEXT_SIZE];
        hub_digest_text(&digest, HUB_DIGEST_SIZE, text);
        assert_true(source.list.items[index].dead);
        assert_string_equal(source_text(&source, index, "stage"), letters[i].stage);
        assert_string_equal(source_text(&source, index, "code"), letters[i].code);
        assert_string_equal(source_text(&source, index, "document"), letters[i].document);
        assert_string_equal(source_text(&source, index, "institution"), "sus");
        assert_string_equal(source_text(&source, index, "connector"), "sus-list");
        assert_string_equal(source_text(&source, index, "original_hash"), text);
        assert_says(source_text(&source, index, "reason"), letters[i].reason);
        assert_true(hub_bytes_equal_text(source_original(&source, index), letters[i].original));
        const char *path = source_text(&source, index, "path");
        assert_true(letters[i].path == NULL ? path == NULL
                                            : path != NULL && strcmp(path, letters[i].path) == 0);
    }
    assert_string_equal(source.list.items[1].key, "sus-trials/A-2");
    assert_string_equal(source.list.items[3].key, "t.csv");
    source_close(&source);
}

static void a_document_that_cannot_be_parsed_is_one_dead_letter_with_its_bytes(void **state) {
    struct source source;
    (void)state;
    source_open(&source, list);
    source_feed(&source, "cut.json", "{\"list\": [{\"id\": 1},");
    assert_counted(&source, .read = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "stage"), "parse");
    assert_string_equal(source_text(&source, 0, "code"), "PARSE");
    assert_string_equal(source_text(&source, 0, "document"), "cut.json");
    assert_says(source_text(&source, 0, "reason"), "line 1 column ");
    assert_true(hub_bytes_equal_text(source_original(&source, 0), "{\"list\": [{\"id\": 1},"));
    assert_string_equal(source.list.items[0].key, "cut.json");
    source_feed_json(&source, "{'list': [{'id': 1}]}");
    assert_counted(&source, .read = 1, .published = 1);
    source_close(&source);
}

static void a_document_that_could_not_be_read_is_a_dead_letter_of_the_transport(void **state) {
    struct source source;
    (void)state;
    source_open(&source, list);
    source_feed_document(&source, &(struct hub_raw_document){
                                      .name = "big.json",
                                      .refused = "20 bytes, over the limit of 10",
                                      .refused_code = "SIZE"});
    assert_counted(&source, .read = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "stage"), "transport");
    assert_string_equal(source_text(&source, 0, "code"), "SIZE");
    assert_string_equal(source_text(&source, 0, "reason"), "20 bytes, over the limit of 10");
    source_close(&source);
}

static void the_bytes_of_a_document_go_out_once(void **state) {
    struct source source;
    (void)state;
    source_open(&source, list);
    source_feed_json(&source, "{'list': [{'id': 1, 'status': 'x'}, {'id': 2}, {'id': 3, 'status': "
                              "'y'}]}");
    assert_counted(&source, .read = 3, .published = 1, .dead = 2);
    assert_true(source_original(&source, 0).size > 0);
    assert_int_equal(source_original(&source, 2).size, 0);
    assert_string_equal(source_text(&source, 0, "original_hash"),
                        source_text(&source, 2, "original_hash"));
    assert_string_equal(source_text(&source, 2, "document"), "document.json#element=2");
    source_close(&source);
}

/* --- what must stay --- */

static void a_record_with_a_persons_number_is_held_back(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv",
                "id,changed,name,status\n"
                "A-1,2026-03-01,811228-9874,open\n"
                "A-2,2026-03-01,HEART,open\n");
    assert_counted(&source, .read = 2, .published = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "stage"), "guard");
    assert_string_equal(source_text(&source, 0, "code"), "PERSONAL");
    assert_string_equal(source_text(&source, 0, "path"), "acronym");
    assert_string_equal(source.list.items[0].key, "sus-trials/A-1");
    assert_int_equal(source_original(&source, 0).size, 0);
    assert_true(
        hub_bytes_equal_text(source.list.items[0].held, "A-1,2026-03-01,811228-9874,open\n"));
    assert_null(source.list.items[1].held.data);
    assert_false(source_tells(&source, "9874"));
    source_close(&source);
}

static void a_key_with_a_persons_number_is_held_back_and_not_told(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv", "id,changed,name,status\n811228-9874,2026-03-01,SKIN,open\n");
    assert_counted(&source, .read = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "stage"), "guard");
    assert_string_equal(source.list.items[0].key, "t.csv");
    assert_false(source_tells(&source, "9874"));
    assert_true(source.list.items[0].held.size > 0);
    source_close(&source);
}

static void a_dead_letter_for_another_reason_tells_no_persons_number_either(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv",
                "id,changed,name,status\n"
                "A-1,2026-03-01,811228-9874,closed\n"
                "A-2,2026-03-01,811228-9874\n"
                "811228-9874,2026-03-01,SKIN,closed\n");
    assert_counted(&source, .read = 3, .dead = 3);
    assert_false(source_tells(&source, "9874"));
    for (size_t i = 0; i < 3; i++)
        assert_true(source.list.items[i].held.size > 0);
    assert_string_equal(source_text(&source, 0, "code"), "CODE");
    source_feed(&source, "cut.csv", "id,\"811228-9874");
    assert_false(source_tells(&source, "9874"));
    source_feed(&source, "811228-9874.csv", "id,\"");
    assert_false(source_tells(&source, "9874"));
    source_close(&source);
}

static void a_document_with_a_held_record_goes_with_no_dead_letter(void **state) {
    struct source source;
    (void)state;
    source_open(&source, list);
    /* The first is refused before the guard sees the second, whose number is escaped. */
    source_feed(&source, "d.json",
                "{\"list\": [{\"id\": 1, \"status\": \"x\"}, "
                "{\"id\": 2, \"name\": \"811228\\u002d9874\"}]}");
    assert_counted(&source, .read = 2, .dead = 2);
    assert_int_equal(source_original(&source, 0).size, 0);
    assert_true(source.list.items[0].held.size > 0);
    assert_false(source_tells(&source, "9874"));
    source_close(&source);
}

static void what_is_escaped_in_a_document_that_is_refused_stays_too(void **state) {
    struct source source;
    (void)state;
    source_open(&source, list);
    source_feed(&source, "d.json",
                "{\"list\": [{\"id\": 1, \"status\": \"x\"}], \"by\": \"811228\\u002d9874\"}");
    assert_counted(&source, .read = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "code"), "CODE");
    assert_int_equal(source_original(&source, 0).size, 0);
    assert_true(source.list.items[0].held.size > 0);
    source_close(&source);
}

static void a_number_in_a_column_that_says_so_is_held_back(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv",
                "id,changed,name,status,bsn\n"
                "A-1,2026-03-01,123456782,open,\n"
                "A-2,2026-03-01,123456783,open,\n");
    assert_counted(&source, .read = 2, .published = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "code"), "PERSONAL");
    source_close(&source);
}

static void a_file_name_with_a_persons_number_is_held_back(void **state) {
    struct source source;
    (void)state;
    source_open(&source, list);
    source_feed(&source, "811228-9874.json", "{\"list\": [{\"id\": 1}]}");
    assert_counted(&source, .read = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "path"), "statement.document");
    assert_false(source_tells(&source, "9874"));
    source_close(&source);
}

/* --- sources that are read again --- */

static void what_did_not_change_is_not_published_again(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_remember(&source);
    source_feed(&source, "t.csv",
                "id,changed,name,status\nA-1,2026-03-01,SKIN,open\nA-2,2026-03-01,EYE,open\n");
    source_commit(&source);
    source_feed(&source, "t.csv",
                "id,changed,name,status\nA-1,2026-03-01,SKIN,open\nA-2,2026-03-02,EYE,done\n");
    assert_counted(&source, .read = 2, .published = 1, .unchanged = 1);
    assert_string_equal(source.list.items[0].key, "sus-trials/A-2");
    source_close(&source);
}

static void what_was_not_committed_is_published_again(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_remember(&source);
    static const char text[] = "id,changed,name,status\nA-1,2026-03-01,SKIN,open\n";
    source_feed(&source, "t.csv", text);
    source_feed(&source, "t.csv", text);
    assert_counted(&source, .read = 1, .published = 1);
    source_close(&source);
}

static void of_two_records_of_one_key_the_second_is_refused(void **state) {
    struct source source;
    (void)state;
    static const char text[] = "id,changed,name,status\n"
                               "A-1,2026-03-01,SKIN,open\nA-1,2026-03-01,EYE,open\n";
    source_open(&source, table);
    source_remember(&source);
    source_feed(&source, "t.csv", text);
    source_commit(&source);
    assert_counted(&source, .read = 2, .published = 1, .dead = 1);
    assert_string_equal(source_text(&source, 1, "code"), "KEY");
    assert_true(hub_bytes_equal_text(source_original(&source, 1), "A-1,2026-03-01,EYE,open\n"));
    source_close(&source);
}

static void what_is_still_wrong_is_refused_once(void **state) {
    struct source source;
    (void)state;
    static const char text[] = "id,changed,name,status\nA-1,2026-03-01,SKIN,shut\n"
                               "A-2,2026-03-01,EYE,open\n";
    source_open(&source, table);
    source_remember(&source);
    source_feed(&source, "t.csv", text); /* not committed */
    for (int i = 0; i < 2; i++) {
        source_feed(&source, "t.csv", text);
        assert_int_equal(source.list.counts.dead, i == 0);
        assert_int_equal(source.list.count, i == 0 ? 2 : 0);
        source_commit(&source);
    }
    assert_counted(&source, .read = 2, .unchanged = 2);
    source_feed(&source, "t.csv", "id,changed,name,status\nA-1,2026-03-01,SKIN,gone\n");
    assert_counted(&source, .read = 1, .dead = 1); /* wrong in another way */
    source_close(&source);
}

static void a_source_that_is_read_once_may_tell_a_record_twice(void **state) {
    struct source source;
    (void)state;
    source_open(&source, table);
    source_feed(&source, "t.csv",
                "id,changed,name,status\nA-1,2026-03-01,SKIN,open\nA-1,2026-03-02,SKIN,done\n");
    assert_counted(&source, .read = 2, .published = 2);
    source_close(&source);
}

/* --- snapshots --- */

static const char five[] = "id,changed,name,status\n"
                           "A-1,2026-03-01,SKIN,open\nA-2,2026-03-01,EYE,open\n"
                           "A-3,2026-03-01,BONE,open\nA-4,2026-03-01,LIVER,open\n"
                           "A-5,2026-03-01,HEART,open\n";

static void open_with_five(struct source *source) {
    source_open(source, table);
    source_remember(source);
    source_feed_snapshot(source, five, 20);
    source_commit(source);
}

static void what_a_snapshot_no_longer_has_is_withdrawn_with_the_reason(void **state) {
    struct source source;
    (void)state;
    open_with_five(&source);
    source_feed_snapshot(&source,
                         "id,changed,name,status\n"
                         "A-1,2026-03-01,SKIN,open\nA-2,2026-03-01,EYE,open\n"
                         "A-4,2026-03-01,LIVER,open\nA-5,2026-03-01,HEART,open\n",
                         20);
    assert_counted(&source, .read = 4, .unchanged = 4, .vanished = 1);
    assert_string_equal(source.list.items[0].key, "sus-trials/A-3");
    assert_string_equal(source_text(&source, 0, "statement.state"), "WITHDRAWN");
    assert_string_equal(source_text(&source, 0, "statement.reason"), "no longer in snapshot.csv");
    assert_string_equal(source_text(&source, 0, "statement.version"), "2026-03-01~000000000002.~");
    assert_says(header(&source, 0, "ce_type"), "atmp.trial.withdrawn");
    source_commit(&source);
    source_feed_snapshot(&source, five, 20);
    assert_counted(&source, .read = 5, .published = 1, .unchanged = 4);
    source_close(&source);
}

static void a_snapshot_that_lacks_too_much_withdraws_nothing_and_says_so(void **state) {
    struct source source;
    (void)state;
    open_with_five(&source);
    source_feed_snapshot(&source, "id,changed,name,status\nA-1,2026-03-01,SKIN,open\n", 20);
    assert_counted(&source, .read = 1, .unchanged = 1);
    assert_string_equal(source.list.note,
                        "snapshot.csv: 4 of 5 records are no longer in it, over the limit of 20 "
                        "percent, and are not withdrawn: is the snapshot whole?");
    source_feed_snapshot(&source, "id,changed,name,status\nA-1,2026-03-01,SKIN,open\n", 80);
    assert_counted(&source, .read = 1, .unchanged = 1, .vanished = 4);
    source_close(&source);
}

static void a_record_that_is_there_but_bad_is_not_withdrawn(void **state) {
    struct source source;
    (void)state;
    open_with_five(&source);
    source_feed_snapshot(&source,
                         "id,changed,name,status\n"
                         "A-1,2026-03-01,SKIN,closed\nA-2,2026-03-01,811228-9874,open\n"
                         "A-3,2026-03-01,BONE,open\nA-4,2026-03-01,LIVER,open\n"
                         "A-5,2026-03-01,HEART,open\n",
                         100);
    assert_counted(&source, .read = 5, .unchanged = 3, .dead = 2);
    assert_null(source.list.note);
    source_close(&source);
}

static void a_row_whose_key_cannot_be_told_keeps_everything(void **state) {
    struct source source;
    (void)state;
    open_with_five(&source);
    source_feed_snapshot(&source,
                         "id,changed,name,status\n"
                         "A-1,2026-03-01,SKIN,open\nA-2,2026-03-01,EYE,open\n"
                         "A-3,2026-03-01,BONE,open\nA-4,2026-03-01,LIVER,open\n"
                         "A-5,2026-03-01\n",
                         100);
    assert_counted(&source, .read = 5, .unchanged = 4, .dead = 1);
    assert_says(source.list.note, "1 records are no longer in it, and are not withdrawn, because a "
                                  "record in it has no key that could be read");
    source_close(&source);
}

static void an_empty_or_broken_snapshot_withdraws_nothing(void **state) {
    struct source source;
    (void)state;
    open_with_five(&source);
    source_feed_snapshot(&source, "id,changed,name,status\n", 100);
    assert_counted(&source, .read = 1, .dead = 1);
    assert_string_equal(source_text(&source, 0, "code"), "EMPTY");
    source_feed_snapshot(&source, "", 100);
    assert_counted(&source, .read = 1, .dead = 1);
    source_feed_snapshot(&source, "id,id\n", 100);
    assert_counted(&source, .read = 1, .dead = 1);
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_goes_out_under_its_key_in_an_envelope),
        cmocka_unit_test(every_record_tells_the_hash_of_its_document_and_mapping),
        cmocka_unit_test(a_bad_record_is_told_whole_and_the_next_goes_on),
        cmocka_unit_test(a_document_that_cannot_be_parsed_is_one_dead_letter_with_its_bytes),
        cmocka_unit_test(a_document_that_could_not_be_read_is_a_dead_letter_of_the_transport),
        cmocka_unit_test(the_bytes_of_a_document_go_out_once),
        cmocka_unit_test(a_record_with_a_persons_number_is_held_back),
        cmocka_unit_test(a_key_with_a_persons_number_is_held_back_and_not_told),
        cmocka_unit_test(a_dead_letter_for_another_reason_tells_no_persons_number_either),
        cmocka_unit_test(a_document_with_a_held_record_goes_with_no_dead_letter),
        cmocka_unit_test(what_is_escaped_in_a_document_that_is_refused_stays_too),
        cmocka_unit_test(a_number_in_a_column_that_says_so_is_held_back),
        cmocka_unit_test(a_file_name_with_a_persons_number_is_held_back),
        cmocka_unit_test(what_did_not_change_is_not_published_again),
        cmocka_unit_test(what_was_not_committed_is_published_again),
        cmocka_unit_test(what_is_still_wrong_is_refused_once),
        cmocka_unit_test(of_two_records_of_one_key_the_second_is_refused),
        cmocka_unit_test(a_source_that_is_read_once_may_tell_a_record_twice),
        cmocka_unit_test(what_a_snapshot_no_longer_has_is_withdrawn_with_the_reason),
        cmocka_unit_test(a_snapshot_that_lacks_too_much_withdraws_nothing_and_says_so),
        cmocka_unit_test(a_record_that_is_there_but_bad_is_not_withdrawn),
        cmocka_unit_test(a_row_whose_key_cannot_be_told_keeps_everything),
        cmocka_unit_test(an_empty_or_broken_snapshot_withdraws_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
