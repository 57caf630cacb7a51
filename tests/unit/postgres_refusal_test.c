/* postgres: servers that cannot be reached, tables that are no outbox, and positions of another one. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/outbox.h"
#include "tests/lib/sender.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void assert_told(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

static void tell(struct session *session) {
    session_do(session, "INSERT INTO hub_outbox (payload) VALUES ('{}')");
}

/* --- options --- */

static void options_that_cannot_be_are_told(void **state) {
    static const struct {
        const char *options, *why;
    } cases[] = {
        {"{connection: 'host=a password=s3cret'}",
         "connection: 'password' does not stand there; it is an option of its own"},
        {"{connection: 'postgresql://a:s3cret@b/c'}",
         "connection: 'password' does not stand there; it is an option of its own"},
        {"{connection: 'host=a sslmode=disable'}",
         "connection: 'sslmode' does not stand there; it is an option of its own"},
        {"{connection: 'host=a sslpassword=b'}",
         "connection: 'sslpassword' does not stand there; a key without a password would pass"},
        {"{connection: 'hots=a'}", "connection: invalid connection option \"hots\"; 'host=HOST "
                                   "dbname=NAME user=NAME' would pass"},
        {"{connection: '', table: ''}",
         "table: '' has 0 bytes; a name of 1 to 63 would pass, as TABLE or SCHEMA.TABLE"},
        {"{connection: '', table: 'a.'}",
         "table: '' has 0 bytes; a name of 1 to 63 would pass, as TABLE or SCHEMA.TABLE"},
        {"{connection: '', channel: "
         "'0123456789012345678901234567890123456789012345678901234567890123'}",
         "channel: 64 bytes; up to 63 would pass"},
    };
    struct outbox *outbox = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = reading_refusal(&outbox->reading, "postgres", cases[i].options, NULL);
        assert_string_equal(why, cases[i].why);
        reading_close(&outbox->reading);
    }
}

/* --- the table --- */

static void a_table_that_is_no_outbox_is_told_with_what_would_pass(void **state) {
    static const struct {
        const char *sql, *why;
    } cases[] = {
        {"DROP TABLE hub_outbox", "hub_outbox: there is no such table; 'connector explain transport "
                                  "postgres' shows one that would pass"},
        {"ALTER TABLE hub_outbox DROP xid", "hub_outbox: it has no column 'xid'; xid xid8 NOT NULL "
                                            "DEFAULT pg_current_xact_id() would pass"},
        {"ALTER TABLE hub_outbox ALTER xid DROP DEFAULT, ALTER xid TYPE text USING xid::text",
         "hub_outbox: column 'xid' is text; xid8 NOT NULL DEFAULT pg_current_xact_id() would pass"},
        {"ALTER TABLE hub_outbox ALTER xid DROP NOT NULL",
         "hub_outbox: column 'xid' may be null, and such a row would never be read; NOT NULL would "
         "pass"},
        {"ALTER TABLE hub_outbox ALTER id DROP DEFAULT, ALTER id TYPE numeric",
         "hub_outbox: column 'id' is numeric; bigserial PRIMARY KEY would pass"},
        {"ALTER TABLE hub_outbox ALTER payload TYPE int USING 1",
         "hub_outbox: column 'payload' is integer; jsonb, json, text, varchar, xml or bytea would "
         "pass"},
        {"REVOKE SELECT ON hub_outbox FROM atmp_hub",
         "hub_outbox: permission denied for table hub_outbox (SQLSTATE 42501)"},
        {"DO $$ BEGIN FOR i IN 1..198 LOOP EXECUTE 'ALTER TABLE hub_outbox ADD c' || i || ' int'; "
         "END LOOP; END $$",
         "hub_outbox: it has 201 columns, over the limit of 200; a view of fewer would pass"},
        {"ALTER TABLE hub_outbox RENAME TO kept; INSERT INTO kept (payload) VALUES ('{}'); "
         "CREATE FUNCTION write() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO kept "
         "(payload) VALUES (''{}'') RETURNING 1'; CREATE VIEW hub_outbox AS "
         "SELECT id, xid, payload, write() AS w FROM kept; GRANT SELECT ON hub_outbox TO atmp_hub",
         "hub_outbox: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)"},
    };
    struct outbox *outbox = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        session_do(outbox->one, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
                                "GRANT USAGE ON SCHEMA public TO PUBLIC");
        session_do(outbox->one, hub_transport_find("postgres")->example);
        session_do(outbox->one, cases[i].sql);
        outbox_open(outbox, "");
        assert_string_equal(outbox_fails(outbox, HUB_FATAL), cases[i].why);
        outbox_close(outbox);
    }
}

/* --- positions --- */

static void a_position_of_another_transport_is_for_a_person(void **state) {
    static const char *const positions[] = {
        "{\"files\": {}}", "[]", "x", "{\"database\": \"1/5\", \"table\": \"t\", \"xid\": 1}",
        "{\"database\": \"1/5\", \"table\": \"t\", \"xid\": -1, \"open\": []}",
        "{\"database\": \"1/5\", \"table\": \"t\", \"xid\": 1, \"open\": [\"}\"]}",
        "{\"database\": \"1/5\", \"table\": \"t\", \"xid\": 1, \"open\": [], \"until\": \"2:2:\"}",
        ("{\"database\": \"1/5\", \"table\": \"t\", \"xid\": 1, \"open\": [], \"most\": 1, \"id\": 1, "
         "\"until\": \"2:2:3;4\"}")};
    struct outbox *outbox = *state;
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        assert_string_equal(
            reading_refusal(&outbox->reading, "postgres", outbox_options(outbox, ""), positions[i]),
            "the position is not one of postgres: {\"database\": ..., \"table\": ..., \"xid\": ..., "
            "\"open\": [...]} would pass");
        reading_close(&outbox->reading);
    }
}

static void a_position_in_another_table_is_for_a_person(void **state) {
    struct outbox *outbox = *state;
    assert_string_equal(
        reading_refusal(&outbox->reading, "postgres", outbox_options(outbox, ", table: other"),
                        "{\"database\": \"1/5\", \"table\": \"hub_outbox\", \"xid\": 1, \"open\": []}"),
        "the position is one in table hub_outbox; a connector of another name would read other, from "
        "its beginning");
    reading_close(&outbox->reading);
}

/* Restored from a copy, a database gives numbers to transactions again. */
static void a_database_that_is_another_or_has_gone_back_is_for_a_person(void **state) {
    struct outbox *outbox = *state;
    outbox_open(outbox, "");
    tell(outbox->one);
    assert_string_equal(outbox_rows(outbox), "1");
    outbox_close(outbox);
    json_t *position = json_loads(outbox->position, 0, NULL);
    const char *database = hub_arena_format(&outbox->database->folder.arena, "%s",
                                            look_text(position, "database"));
    for (int i = 0; i < 2; i++) {
        json_object_set_new(position, "database", json_string(i == 0 ? "1/5" : database));
        json_object_set_new(position, "xid", json_integer(1000000000));
        hub_release(outbox->position);
        outbox->position = hub_need(json_dumps(position, 0));
        outbox_open(outbox, "");
        assert_told(outbox_fails(outbox, HUB_FATAL),
                    i == 0 ? "and the position is one in 1/5: what was read of this one cannot be"
                           : ", and 1000000000 was read; what has been written since cannot be");
        outbox_close(outbox);
    }
    json_decref(position);
}

/* --- the server --- */

static void a_lost_connection_is_made_again(void **state) {
    struct outbox *outbox = *state;
    outbox_open(outbox, "");
    tell(outbox->one);
    assert_string_equal(outbox_rows(outbox), "1");
    session_do(outbox->one,
               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'atmp_hub'");
    assert_told(outbox_fails(outbox, HUB_RETRY), "hub_outbox: ");
    tell(outbox->one);
    assert_string_equal(outbox_rows(outbox), "2");
}

static void a_look_that_breaks_off_goes_on_where_it_was(void **state) {
    struct outbox *outbox = *state;
    outbox_open(outbox, ", batch_rows: 2");
    session_do(outbox->one, "INSERT INTO hub_outbox (payload) SELECT '{}' FROM generate_series(1, 5)");
    assert_int_equal(outbox_look(outbox), 2);
    outbox_commit(outbox);
    session_do(outbox->one,
               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'atmp_hub'");
    outbox_fails(outbox, HUB_RETRY);
    assert_string_equal(outbox_rows(outbox), "3 4 5");
}

static void stop_server(struct outbox *outbox) {
    session_close(outbox->one);
    session_close(outbox->two);
    session_close(outbox->three);
    outbox->one = outbox->two = outbox->three = NULL;
    database_stop(outbox->database);
}

static void a_server_that_is_away_is_waited_for(void **state) {
    struct outbox *outbox = *state;
    outbox_open(outbox, "");
    tell(outbox->one);
    assert_string_equal(outbox_rows(outbox), "1");
    stop_server(outbox);
    outbox_fails(outbox, HUB_RETRY);
    assert_told(outbox_fails(outbox, HUB_RETRY), "connection to server on socket");
    database_start(outbox->database);
    outbox->one = session_open(outbox->database);
    tell(outbox->one);
    assert_string_equal(outbox_rows(outbox), "2");
}

/* What it shows of a moment lacks what is open. */
static void a_standby_is_not_read(void **state) {
    struct outbox *outbox = *state;
    tell(outbox->one);
    stop_server(outbox);
    folder_write(&outbox->database->folder, "data/standby.signal", "");
    database_start(outbox->database);
    outbox_open(outbox, "");
    assert_told(outbox_fails(outbox, HUB_RETRY), "server is in hot standby mode");
    database_stop(outbox->database);
    assert_int_equal(unlink(folder_path(&outbox->database->folder, "data/standby.signal")), 0);
    database_start(outbox->database);
    assert_string_equal(outbox_rows(outbox), "1");
}

/* Who listens and never answers. */
static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    return listener;
}

static void a_server_that_does_not_answer_holds_no_poll(void **state) {
    struct outbox *outbox = *state;
    int port = sender_free_port(), listener = listen_on(port);
    time_t begun = time(NULL);
    reading_open(&outbox->reading, "postgres",
                 hub_arena_format(&outbox->database->folder.arena,
                                  "{connection: 'host=127.0.0.1 port=%d', timeout_ms: 400}", port),
                 NULL);
    outbox->is_open = true;
    assert_int_equal(reading_poll(&outbox->reading), 0);
    assert_false(outbox->reading.batch.exhausted);
    assert_string_equal(outbox_fails(outbox, HUB_RETRY),
                        "hub_outbox: the server has not answered within 400 ms");
    assert_true(time(NULL) - begun < 10);
    close(listener);
}

static void an_answer_that_takes_too_long_is_asked_for_again(void **state) {
    struct outbox *outbox = *state;
    tell(outbox->one);
    outbox_open(outbox, ", timeout_ms: 300");
    session_do(outbox->two, "BEGIN; LOCK TABLE hub_outbox");
    assert_string_equal(outbox_fails(outbox, HUB_RETRY), "hub_outbox: canceling statement due to "
                                                         "statement timeout (SQLSTATE 57014)");
    session_do(outbox->two, "ROLLBACK");
    assert_string_equal(outbox_rows(outbox), "1");
}

static const char *guarded(struct outbox *outbox, const char *more) {
    return hub_arena_format(&outbox->database->folder.arena,
                            "{connection: 'host=%s port=%d dbname=postgres user=guarded'%s}",
                            outbox->database->folder.path, outbox->database->port, more);
}

static void a_password_is_told_where_it_is_asked_for(void **state) {
    struct outbox *outbox = *state;
    session_do(outbox->one, "GRANT SELECT ON hub_outbox TO guarded");
    tell(outbox->one);
    setenv("POSTGRES_TEST_PASSWORD", "wr0ng", 1);
    reading_open(&outbox->reading, "postgres", guarded(outbox, ""), NULL);
    assert_told(outbox_fails(outbox, HUB_FATAL), "the server asks for a password");
    outbox_close(outbox);
    const char *named = guarded(outbox, ", password: '${env:POSTGRES_TEST_PASSWORD}'");
    reading_open(&outbox->reading, "postgres", named, NULL);
    assert_null(strstr(outbox_fails(outbox, HUB_RETRY), "wr0ng"));
    outbox_close(outbox);
    setenv("POSTGRES_TEST_PASSWORD", "s3cret", 1);
    reading_open(&outbox->reading, "postgres", named, NULL);
    assert_string_equal(outbox_rows(outbox), "1");
    outbox_close(outbox);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_cannot_be_are_told),
        cmocka_unit_test(a_table_that_is_no_outbox_is_told_with_what_would_pass),
        cmocka_unit_test(a_position_of_another_transport_is_for_a_person),
        cmocka_unit_test(a_position_in_another_table_is_for_a_person),
        cmocka_unit_test(a_database_that_is_another_or_has_gone_back_is_for_a_person),
        cmocka_unit_test(a_lost_connection_is_made_again),
        cmocka_unit_test(a_look_that_breaks_off_goes_on_where_it_was),
        cmocka_unit_test(a_server_that_is_away_is_waited_for),
        cmocka_unit_test(a_standby_is_not_read),
        cmocka_unit_test(a_server_that_does_not_answer_holds_no_poll),
        cmocka_unit_test(an_answer_that_takes_too_long_is_asked_for_again),
        cmocka_unit_test(a_password_is_told_where_it_is_asked_for),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = outbox_begin;
        tests[i].teardown_func = outbox_end;
    }
    return cmocka_run_group_tests(tests, outbox_begin_all, outbox_end_all);
}
