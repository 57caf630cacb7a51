#include "tests/lib/database.h"

#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/sender.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_TIMEOUT_S = 60, LOG_SIZE_MAX = 1024 * 1024 };
static const char program[] = "tests/lib/postgres";
static const char log_name[] = "server.log";

struct session {
    PGconn *connection;
    PGresult *answer;
};

static const char *connection_of(const struct database *database, struct hub_arena *arena) {
    return hub_arena_format(arena, "host=%s port=%d dbname=postgres user=postgres",
                            database->folder.path, database->port);
}

static void fail_with_log(struct database *database) {
    HUB_SCOPED_BUFFER log = {.size_max = LOG_SIZE_MAX};
    struct hub_error error;
    if (hub_file_read(folder_path(&database->folder, log_name), &log, &error) != HUB_OK)
        fail_msg("PostgreSQL does not start; %s", error.text);
    fail_msg("PostgreSQL does not start: %s", hub_buffer_text(&log));
}

static void become_server(struct database *database) {
    const char *port = hub_arena_format(&database->folder.arena, "%d", database->port);
    int log = open(folder_path(&database->folder, log_name), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log >= 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
        execl(program, program, database->folder.path, port, (char *)NULL);
    _exit(127);
}

void database_start(struct database *database) {
    const char *connection = connection_of(database, &database->folder.arena);
    struct timespec moment = {.tv_nsec = 10000000};
    time_t deadline = time(NULL) + START_TIMEOUT_S;
    database->server = fork();
    if (database->server == 0)
        become_server(database);
    assert_true(database->server > 0);
    while (PQping(connection) != PQPING_OK) {
        if (waitpid(database->server, NULL, WNOHANG) != 0 || time(NULL) > deadline)
            fail_with_log(database);
        nanosleep(&moment, NULL);
    }
}

void database_make(struct database *database) {
    *database = (struct database){.port = sender_free_port()};
    folder_make(&database->folder);
    database_start(database);
}

void database_stop(struct database *database) {
    if (database->server == 0)
        return;
    kill(database->server, SIGINT);
    waitpid(database->server, NULL, 0);
    database->server = 0;
}

void database_remove(struct database *database) {
    database_stop(database);
    folder_remove(&database->folder);
}

struct session *session_open(const struct database *database) {
    struct session *session = hub_allocate_zero(1, sizeof *session);
    struct hub_arena arena = {0};
    session->connection = PQconnectdb(connection_of(database, &arena));
    hub_arena_destroy(&arena);
    if (PQstatus(session->connection) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(session->connection));
    session_do(session, "SET client_min_messages = warning");
    return session;
}

void session_close(struct session *session) {
    if (session == NULL)
        return;
    PQclear(session->answer);
    PQfinish(session->connection);
    hub_release(session);
}

void session_do(struct session *session, const char *sql) {
    PQclear(session->answer);
    session->answer = PQexec(session->connection, sql);
    ExecStatusType kind = PQresultStatus(session->answer);
    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(session->connection));
}

const char *session_asks(struct session *session, const char *sql) {
    session_do(session, sql);
    assert_true(PQntuples(session->answer) > 0);
    return PQgetvalue(session->answer, 0, 0);
}
