/* postgres: which rows are read, in which order, and what becomes of them. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/outbox.h"

#include <string.h>
#include <time.h>

static struct outbox *open_with(void **state, const char *more) {
    struct outbox *outbox = *state;
    outbox_open(outbox, more);
    return outbox;
}

static const json_t *facts(struct outbox *outbox, size_t index) {
    assert_true(index < outbox->reading.batch.count);
    return outbox->reading.batch.documents[index].context;
}

static void tell(struct session *session) {
    session_do(session, "INSERT INTO hub_outbox (payload) VALUES ('{}')");
}

/* A transaction gets its number by this already. */
static void begin_numbered(struct session *session) {
    session_do(session, "BEGIN; SELECT pg_current_xact_id()");
}

static void assert_refused(struct outbox *outbox, size_t index, const char *code,
                           const char *why) {
    assert_true(index < outbox->reading.batch.count);
    const struct hub_raw_document *document = &outbox->reading.batch.documents[index];
    assert_non_null(document->refused);
    assert_string_equal(document->refused_code, code);
    assert_string_equal(document->refused, why);
    assert_int_equal(document->bytes.size, 0);
}

/* --- documents --- */

static void a_row_becomes_a_document(void **state) {
    struct outbox *outbox = open_with(state, "");
    session_do(outbox->one, "INSERT INTO hub_outbox (payload) VALUES ('{\"a\": 1}'), ('[2]')");
    assert_int_equal(outbox_look(outbox), 2);
    assert_string_equal(reading_name(&outbox->reading, 0), "hub_outbox row 1");
    assert_string_equal(reading_text(&outbox->reading, 0), "{\"a\": 1}");
    assert_string_equal(reading_text(&outbox->reading, 1), "[2]");
    expect_json(facts(outbox, 1), "header.id", "2");
    outbox_commit(outbox);
    assert_int_equal(outbox_look(outbox), 0);
    assert_true(outbox->reading.batch.exhausted);
}

static void every_column_but_the_payload_is_a_fact(void **state) {
    struct outbox *outbox = *state;
    session_do(outbox->one,
               "ALTER TABLE hub_outbox ADD kind text, ADD told timestamptz, ADD more jsonb, "
               "ADD \"Odd \"\" name\" boolean, ADD bytes int, ADD dropped int; "
               "ALTER TABLE hub_outbox DROP dropped; "
               "INSERT INTO hub_outbox (payload, kind, told, more, \"Odd \"\" name\", bytes) VALUES "
               "('{}', 'suite', '2026-03-01 10:00+01', '{\"a\": [1]}', true, 7)");
    outbox_open(outbox, "");
    assert_int_equal(outbox_look(outbox), 1);
    expect_json(facts(outbox, 0), "header.kind", "'suite'");
    expect_json(facts(outbox, 0), "header.told", "'2026-03-01T09:00:00+00:00'");
    expect_json(facts(outbox, 0), "header.more.a.0", "1");
    expect_json(facts(outbox, 0), "header.Odd \" name", "true");
    expect_json(facts(outbox, 0), "header.bytes", "7");
    expect_json(facts(outbox, 0), "header.payload", NULL);
}

static void a_payload_comes_as_it_was_stored(void **state) {
    static const struct {
        const char *type, *stored, *bytes;
        size_t size;
    } cases[] = {{"json", "'{ \"a\" :1}'", "{ \"a\" :1}", 9},
                 {"text", "'grön'", "gr\xc3\xb6n", 5},
                 {"varchar(9)", "'a,b'", "a,b", 3},
                 {"xml", "'<a>1</a>'", "<a>1</a>", 8},
                 {"bytea", "'\\x00ff0d0a'", "\x00\xff\r\n", 4}};
    struct outbox *outbox = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hub_arena *arena = &outbox->database->folder.arena;
        session_do(outbox->one,
                   hub_arena_format(arena, "TRUNCATE hub_outbox; ALTER TABLE hub_outbox DROP payload;"
                                    " ALTER TABLE hub_outbox ADD payload %s;"
                                    " INSERT INTO hub_outbox (payload) VALUES (%s)",
                                    cases[i].type, cases[i].stored));
        outbox_open(outbox, "");
        assert_int_equal(outbox_look(outbox), 1);
        struct hub_bytes bytes = outbox->reading.batch.documents[0].bytes;
        assert_int_equal(bytes.size, cases[i].size);
        assert_memory_equal(bytes.data, cases[i].bytes, cases[i].size);
        outbox_close(outbox);
    }
}

static void the_table_may_be_anybodys_and_called_anything(void **state) {
    struct outbox *outbox = *state;
    session_do(outbox->one,
               "DROP SCHEMA IF EXISTS \"Own\" CASCADE; CREATE SCHEMA \"Own\"; "
               "CREATE TABLE \"Own\".\"Out \"\"box\" (LIKE hub_outbox INCLUDING ALL); "
               "INSERT INTO \"Own\".\"Out \"\"box\" (payload) VALUES ('{}'); "
               "GRANT USAGE ON SCHEMA \"Own\" TO atmp_hub; "
               "GRANT SELECT ON \"Own\".\"Out \"\"box\" TO atmp_hub");
    outbox_open(outbox, ", table: 'Own.Out \"box'");
    assert_int_equal(outbox_look(outbox), 1);
}

static void the_session_reads_only_and_has_a_limit_of_time(void **state) {
    struct outbox *outbox = *state;
    session_do(outbox->one, "CREATE VIEW told AS SELECT id, xid, payload,"
                            " current_setting('transaction_read_only') AS only,"
                            " current_setting('statement_timeout') AS patience FROM hub_outbox; "
                            "GRANT SELECT ON told TO atmp_hub");
    tell(outbox->one);
    outbox_open(outbox, ", table: told, timeout_ms: 7000");
    assert_int_equal(outbox_look(outbox), 1);
    expect_json(facts(outbox, 0), "header.only", "'on'");
    expect_json(facts(outbox, 0), "header.patience", "'7s'");
}

/* --- order --- */

static void rows_are_told_as_they_are_committed_whatever_their_ids(void **state) {
    struct outbox *outbox = open_with(state, "");
    session_do(outbox->one, "BEGIN");
    tell(outbox->one); /* 1 */
    tell(outbox->two); /* 2 */
    assert_rows(outbox, "2");
    tell(outbox->two); /* 3 */
    assert_rows(outbox, "3");
    session_do(outbox->one, "COMMIT");
    assert_rows(outbox, "1");
}

/* Two waits for one: its transaction is the older one, and its row the later. */
static void what_is_seen_at_once_goes_by_id_whatever_its_transaction(void **state) {
    struct outbox *outbox = open_with(state, ", batch_rows: 1");
    begin_numbered(outbox->two);
    begin_numbered(outbox->three);
    tell(outbox->one); /* 1 */
    tell(outbox->two); /* 2 */
    session_do(outbox->two, "COMMIT");
    assert_rows(outbox, "1 2"); /* and three, between them, holds nobody up */
    tell(outbox->three);        /* 3 */
    session_do(outbox->three, "COMMIT");
    assert_rows(outbox, "3");
}

static void what_is_taken_back_was_never_there(void **state) {
    struct outbox *outbox = open_with(state, "");
    session_do(outbox->one, "BEGIN");
    tell(outbox->one);
    tell(outbox->two);
    session_do(outbox->one, "ROLLBACK");
    session_do(outbox->one, "BEGIN; SAVEPOINT a");
    tell(outbox->one);
    session_do(outbox->one, "ROLLBACK TO a");
    tell(outbox->one);
    session_do(outbox->one, "RELEASE a; COMMIT");
    assert_rows(outbox, "2 4");
}

static void a_look_of_several_batches_shows_one_moment(void **state) {
    struct outbox *outbox = open_with(state, ", batch_rows: 2");
    session_do(outbox->one, "BEGIN");
    session_do(outbox->three, "BEGIN");
    tell(outbox->one);   /* 1 */
    tell(outbox->three); /* 2 */
    session_do(outbox->two, "INSERT INTO hub_outbox (payload) SELECT '{}' FROM generate_series(3, 6)");
    assert_int_equal(outbox_look(outbox), 2);
    assert_int_equal(outbox_row(outbox, 0), 3);
    outbox_commit(outbox);
    session_do(outbox->one, "COMMIT");
    tell(outbox->two); /* 7 */
    assert_rows(outbox, "5 6 1 7");
    session_do(outbox->three, "COMMIT");
    assert_rows(outbox, "2");
}

/* --- positions --- */

static void a_restart_anywhere_neither_skips_nor_doubles(void **state) {
    struct outbox *outbox = open_with(state, ", batch_rows: 2");
    HUB_SCOPED_BUFFER rows = {0};
    session_do(outbox->one, "BEGIN");
    tell(outbox->one); /* 1 */
    for (int i = 0; i < 7; i++)
        tell(outbox->two);
    for (int turn = 0; outbox_look(outbox) > 0; turn++) {
        outbox_restart(outbox); /* what was read is not committed: it comes again */
        assert_true(outbox_look(outbox) > 0);
        for (size_t i = 0; i < outbox->reading.batch.count; i++)
            hub_buffer_append_format(&rows, "%lld ", (long long)outbox_row(outbox, i));
        outbox_commit(outbox);
        outbox_restart(outbox);
        if (turn == 1)
            session_do(outbox->one, "COMMIT");
    }
    assert_string_equal(hub_buffer_text(&rows), "2 3 4 5 6 7 8 1 ");
}

static void a_position_tells_what_may_be_removed(void **state) {
    struct outbox *outbox = open_with(state, "");
    struct hub_arena *arena = &outbox->database->folder.arena;
    session_do(outbox->one, "BEGIN");
    tell(outbox->one); /* 1 */
    tell(outbox->two); /* 2 */
    assert_rows(outbox, "2");
    tell(outbox->two); /* 3 */
    session_do(outbox->one, "COMMIT");
    json_t *position = json_loads(outbox->position, 0, NULL);
    assert_int_equal(look_count(position, "open"), 1);
    const char *removed = hub_arena_format(
        arena, "WITH gone AS (DELETE FROM hub_outbox WHERE xid <= '%lld' AND xid <> ALL ('{%lld}')"
        " RETURNING id) SELECT string_agg(id::text, ' ') FROM gone",
        (long long)look_number(position, "xid"), (long long)look_number(position, "open.0"));
    json_decref(position);
    assert_string_equal(session_asks(outbox->three, removed), "2");
    outbox_restart(outbox);
    assert_rows(outbox, "1 3");
}

static void a_transaction_that_ended_without_a_row_is_not_counted_as_read(void **state) {
    struct outbox *outbox = open_with(state, "");
    tell(outbox->one);
    const char *last = session_asks(outbox->one, "SELECT max(xid) FROM hub_outbox");
    begin_numbered(outbox->two);
    session_do(outbox->two, "ROLLBACK");
    assert_rows(outbox, "1");
    json_t *position = json_loads(outbox->position, 0, NULL);
    expect_json(position, "xid", last);
    expect_json(position, "open", "[]");
    expect_json(position, "until", NULL);
    json_decref(position);
}

/* --- waking --- */

static void a_notification_has_the_table_looked_at_at_once(void **state) {
    struct outbox *outbox = open_with(state, "");
    assert_int_equal(outbox_wait(outbox), 0);
    tell(outbox->one);
    time_t deadline = time(NULL) + 10;
    while (outbox_wait(outbox) == 0) /* the transport's clock stands still */
        assert_true(time(NULL) < deadline);
    assert_int_equal(outbox->reading.batch.count, 1);
}

static void without_a_notification_the_interval_has(void **state) {
    struct outbox *outbox = open_with(state, ", channel: ''");
    assert_int_equal(outbox_wait(outbox), 0);
    tell(outbox->one);
    for (int i = 0; i < 3; i++)
        assert_int_equal(outbox_wait(outbox), 0);
    assert_int_equal(outbox_look(outbox), 1);
}

/* --- limits, and what cannot be told --- */

static void a_row_that_is_too_large_is_refused_and_the_next_goes_on(void **state) {
    struct outbox *outbox = open_with(state, ", size_max_bytes: 1024");
    session_do(outbox->one, "INSERT INTO hub_outbox (payload) SELECT to_jsonb(repeat('x', size)) "
                            "FROM unnest('{1, 2000, 2}'::int[]) size");
    assert_int_equal(outbox_look(outbox), 3);
    assert_string_equal(reading_text(&outbox->reading, 0), "\"x\"");
    const char *xid = session_asks(outbox->one, "SELECT max(xid) FROM hub_outbox");
    assert_refused(outbox, 1, "SIZE",
                   hub_arena_format(&outbox->reading.arena,
                                    "row 2: %zu bytes, over the limit of 1024 (size_max_bytes)",
                                    2002 + strlen("{\"id\":2,\"xid\":\"\"}") + strlen(xid)));
    assert_string_equal(reading_text(&outbox->reading, 2), "\"xx\"");
    outbox_commit(outbox);
    assert_int_equal(outbox_look(outbox), 0);
}

static void many_bytes_come_in_several_batches(void **state) {
    struct outbox *outbox = open_with(state, ", batch_bytes: 1024");
    session_do(outbox->one, "INSERT INTO hub_outbox (payload) SELECT to_jsonb(repeat('x', 600)) "
                            "FROM generate_series(1, 5)");
    for (size_t wanted = 2, i = 0; i < 3; i++, wanted = i == 2 ? 1 : 2) {
        assert_int_equal(outbox_look(outbox), wanted);
        outbox_commit(outbox);
    }
    assert_int_equal(outbox_look(outbox), 0);
}

static void a_row_that_the_server_cannot_give_is_refused_and_the_next_goes_on(void **state) {
    struct outbox *outbox = *state;
    session_do(outbox->one, "CREATE VIEW told AS SELECT id, xid, payload,"
                            " CASE id WHEN 3 THEN '19121212-1212' ELSE '1' END::int AS part"
                            " FROM hub_outbox; GRANT SELECT ON told TO atmp_hub");
    session_do(outbox->one, "INSERT INTO hub_outbox (payload) SELECT '{}' FROM generate_series(1, 4)");
    outbox_open(outbox, ", table: told, batch_rows: 10");
    for (int64_t row = 1; row <= 4; row++) {
        assert_int_equal(outbox_look(outbox), 1);
        assert_int_equal(outbox_row(outbox, 0), row);
        if (row == 3)
            assert_refused(outbox, 0, "ROW", "row 3: the server cannot give it: SQLSTATE 22P02");
        else
            assert_null(outbox->reading.batch.documents[0].refused);
        outbox_commit(outbox);
    }
    assert_int_equal(outbox_look(outbox), 0);
}

static void a_row_without_a_document_is_refused(void **state) {
    struct outbox *outbox = *state;
    session_do(outbox->one, "ALTER TABLE hub_outbox ALTER payload DROP NOT NULL, ADD size numeric; "
                            "INSERT INTO hub_outbox (payload, size) VALUES (NULL, 1), "
                            "('{}', 99999999999999999999)");
    outbox_open(outbox, "");
    assert_int_equal(outbox_look(outbox), 2);
    assert_refused(outbox, 0, "ROW", "row 1: its payload is null; a document would pass");
    assert_refused(outbox, 1, "ROW", "row 2: a column has a number of more than 64 bits, or a text "
                                     "that is none; a view without it would pass");
    expect_json(facts(outbox, 1), "header.id", "2");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_becomes_a_document),
        cmocka_unit_test(every_column_but_the_payload_is_a_fact),
        cmocka_unit_test(a_payload_comes_as_it_was_stored),
        cmocka_unit_test(the_table_may_be_anybodys_and_called_anything),
        cmocka_unit_test(the_session_reads_only_and_has_a_limit_of_time),
        cmocka_unit_test(rows_are_told_as_they_are_committed_whatever_their_ids),
        cmocka_unit_test(what_is_seen_at_once_goes_by_id_whatever_its_transaction),
        cmocka_unit_test(what_is_taken_back_was_never_there),
        cmocka_unit_test(a_look_of_several_batches_shows_one_moment),
        cmocka_unit_test(a_restart_anywhere_neither_skips_nor_doubles),
        cmocka_unit_test(a_position_tells_what_may_be_removed),
        cmocka_unit_test(a_transaction_that_ended_without_a_row_is_not_counted_as_read),
        cmocka_unit_test(a_notification_has_the_table_looked_at_at_once),
        cmocka_unit_test(without_a_notification_the_interval_has),
        cmocka_unit_test(a_row_that_is_too_large_is_refused_and_the_next_goes_on),
        cmocka_unit_test(many_bytes_come_in_several_batches),
        cmocka_unit_test(a_row_that_the_server_cannot_give_is_refused_and_the_next_goes_on),
        cmocka_unit_test(a_row_without_a_document_is_refused),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = outbox_begin;
        tests[i].teardown_func = outbox_end;
    }
    return cmocka_run_group_tests(tests, outbox_begin_all, outbox_end_all);
}
