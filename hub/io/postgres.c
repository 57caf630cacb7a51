#include "hub/io/postgres.h"

#include "hub/base/memory.h"
#include "hub/io/clock.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* The server's own limit of time, which says more, comes first. */
enum { GRACE_MS = 1000 };

struct hub_postgres {
    PGconn *connection;
    PostgresPollingStatusType polling; /* while it connects */
    bool connected;
    int64_t timeout_ms, due_ms; /* by the monotonic clock */
    PGresult *answer;           /* of the last question; where one of several failed, that one */
};

/* --- reasons --- */

/* What libpq says, on one line. */
static void flatten(const char *said, struct hub_error *ret_reason) {
    char *text = ret_reason->text;
    snprintf(text, sizeof ret_reason->text, "%s", said);
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        bool space = *at == '\n' || *at == '\t' || *at == ' ';
        if (space && (size == 0 || text[size - 1] == ' '))
            continue;
        text[size++] = space ? ' ' : *at;
    }
    while (size > 0 && text[size - 1] == ' ')
        size--;
    text[size] = '\0';
}

static enum hub_status lost(const struct hub_postgres *postgres, struct hub_error *reterr) {
    struct hub_error reason;
    flatten(PQerrorMessage(postgres->connection), &reason);
    return hub_fail(reterr, HUB_RETRY, "%s",
                    *reason.text == '\0' ? "the connection is lost" : reason.text);
}

static bool is_of_class(const char *state, const char *const *classes) {
    for (size_t i = 0; classes[i] != NULL; i++)
        if (strncmp(state, classes[i], 2) == 0)
            return true;
    return false;
}

/* By the class of its SQLSTATE (PostgreSQL's manual, appendix A). The text of an error of the data's
 * may hold the data. */
static enum hub_status judge(const struct hub_postgres *postgres, struct hub_error *reterr) {
    static const char *const passing[] = {"08", "40", "53", "55", "57", "58", NULL};
    static const char *const data[] = {"22", "54", NULL};
    ExecStatusType kind = PQresultStatus(postgres->answer);
    if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK || kind == PGRES_EMPTY_QUERY)
        return HUB_OK;
    const char *state = PQresultErrorField(postgres->answer, PG_DIAG_SQLSTATE);
    const char *said = PQresultErrorField(postgres->answer, PG_DIAG_MESSAGE_PRIMARY);
    if (state == NULL || said == NULL)
        return lost(postgres, reterr);
    if (is_of_class(state, data))
        return hub_fail(reterr, HUB_REJECT, "the server cannot give it: SQLSTATE %s", state);
    struct hub_error reason;
    flatten(said, &reason);
    return hub_fail(reterr, is_of_class(state, passing) ? HUB_RETRY : HUB_FATAL,
                    "%s (SQLSTATE %s)", reason.text, state);
}

/* --- connecting --- */

enum hub_status hub_postgres_check(const char *connection, struct hub_error *reterr) {
    static const struct {
        const char *name, *advice;
    } refused[] = {{"password", "it is an option of its own"},
                   {"sslmode", "it is an option of its own"},
                   {"sslpassword", "a key without a password would pass"}};
    char *said = NULL;
    struct hub_error reason;
    PQconninfoOption *options = PQconninfoParse(connection, &said);
    if (options == NULL) {
        flatten(said == NULL ? "it cannot be read" : said, &reason);
        PQfreemem(said);
        return hub_fail(reterr, HUB_FATAL, "%s; 'host=HOST dbname=NAME user=NAME' would pass",
                        reason.text);
    }
    enum hub_status status = HUB_OK;
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        for (size_t i = 0; option->val != NULL && i < sizeof refused / sizeof *refused; i++)
            if (strcmp(option->keyword, refused[i].name) == 0)
                status = hub_fail(reterr, HUB_FATAL, "'%s' does not stand there; %s",
                                  refused[i].name, refused[i].advice);
    PQconninfoFree(options);
    return status;
}

static void ignore_notice(void *context, const PGresult *notice) {
    (void)context;
    (void)notice;
}

struct hub_postgres *hub_postgres_new(const struct hub_postgres_access *access) {
    struct hub_postgres *postgres = hub_allocate_zero(1, sizeof *postgres);
    char patience_ms[32];
    snprintf(patience_ms, sizeof patience_ms, "%lld", (long long)access->timeout_ms / 2);
    /* What stands before the connection's text it may say otherwise; what stands behind it not. Of
     * several hosts the first leaves time for the next; Kerberos would wait for whom it asks. */
    const struct {
        const char *name, *value;
    } said[] = {{"fallback_application_name", "atmp-hub"},
                {"gssencmode", "disable"},
                {"tcp_user_timeout", patience_ms},
                {"dbname", access->connection},
                {"client_encoding", "UTF8"},
                {"target_session_attrs", "primary"},
                {"sslmode", access->sslmode},
                {"password", access->password}};
    const char *names[sizeof said / sizeof *said + 1] = {0};
    const char *values[sizeof said / sizeof *said + 1] = {0};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        names[i] = said[i].name;
        values[i] = said[i].value;
    }
    postgres->connection = hub_need(PQconnectStartParams(names, values, /* expand_dbname= */ 1));
    postgres->polling = PQstatus(postgres->connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                                         : PGRES_POLLING_WRITING;
    PQsetNoticeReceiver(postgres->connection, ignore_notice, NULL);
    postgres->timeout_ms = access->timeout_ms;
    postgres->due_ms = hub_clock_monotonic_ms() + access->timeout_ms;
    return postgres;
}

void hub_postgres_free(struct hub_postgres *postgres) {
    if (postgres == NULL)
        return;
    PQclear(postgres->answer);
    PQfinish(postgres->connection);
    hub_release(postgres);
}

int hub_postgres_version(const struct hub_postgres *postgres) {
    return PQserverVersion(postgres->connection);
}

/* --- waiting --- */

/* Until the connection can be gone on with; a signal ends it early. */
static bool is_ready(const struct hub_postgres *postgres, int events, int64_t end_ms) {
    int64_t left_ms = end_ms - hub_clock_monotonic_ms();
    struct pollfd one = {.fd = PQsocket(postgres->connection), .events = (short)events};
    return poll(&one, 1, left_ms > 0 ? (int)left_ms : 0) > 0;
}

static enum hub_status go_on_connecting(struct hub_postgres *postgres, int64_t end_ms,
                                        bool *ret_done, struct hub_error *reterr) {
    while (postgres->polling != PGRES_POLLING_OK) {
        bool reads = postgres->polling == PGRES_POLLING_READING;
        if (postgres->polling != PGRES_POLLING_FAILED) {
            if (!is_ready(postgres, reads ? POLLIN : POLLOUT, end_ms))
                return HUB_OK;
            postgres->polling = PQconnectPoll(postgres->connection);
        }
        if (postgres->polling == PGRES_POLLING_FAILED &&
            PQconnectionNeedsPassword(postgres->connection))
            return hub_fail(reterr, HUB_FATAL, "the server asks for a password, and there is none");
        if (postgres->polling == PGRES_POLLING_FAILED)
            return lost(postgres, reterr);
    }
    if (PQsetnonblocking(postgres->connection, 1) != 0)
        return lost(postgres, reterr);
    *ret_done = postgres->connected = true;
    return HUB_OK;
}

/* What has come of the answer; true where that is all. */
static bool take_answers(struct hub_postgres *postgres) {
    while (!PQisBusy(postgres->connection)) {
        PGresult *answer = PQgetResult(postgres->connection);
        if (answer == NULL)
            return true;
        bool failed = postgres->answer != NULL &&
                      PQresultStatus(postgres->answer) == PGRES_FATAL_ERROR;
        PQclear(failed ? answer : postgres->answer);
        postgres->answer = failed ? postgres->answer : answer;
    }
    return false;
}

static enum hub_status go_on_answering(struct hub_postgres *postgres, int64_t end_ms,
                                       bool *ret_done, struct hub_error *reterr) {
    for (;;) {
        int unsent = PQflush(postgres->connection);
        if (unsent < 0 || !PQconsumeInput(postgres->connection))
            return lost(postgres, reterr);
        if (take_answers(postgres)) {
            *ret_done = true;
            return judge(postgres, reterr);
        }
        if (!is_ready(postgres, unsent > 0 ? POLLIN | POLLOUT : POLLIN, end_ms))
            return HUB_OK;
    }
}

enum hub_status hub_postgres_wait(struct hub_postgres *postgres, int64_t timeout_ms,
                                  bool *ret_done, struct hub_error *reterr) {
    int64_t end_ms = hub_clock_monotonic_ms() + timeout_ms;
    bool late = hub_clock_monotonic_ms() >= postgres->due_ms;
    *ret_done = false;
    if (postgres->connected)
        HUB_TRY(go_on_answering(postgres, end_ms, ret_done, reterr));
    else
        HUB_TRY(go_on_connecting(postgres, end_ms, ret_done, reterr));
    if (late && !*ret_done)
        return hub_fail(reterr, HUB_RETRY, "the server has not answered within %lld ms",
                        (long long)postgres->timeout_ms);
    return HUB_OK;
}

/* --- questions --- */

enum hub_status hub_postgres_ask(struct hub_postgres *postgres, const char *sql,
                                 const char *const *values, struct hub_error *reterr) {
    int count = 0, sent = 0;
    while (values != NULL && values[count] != NULL)
        count++;
    assert(count <= HUB_POSTGRES_VALUES_MAX);
    PQclear(postgres->answer);
    postgres->answer = NULL;
    postgres->due_ms = hub_clock_monotonic_ms() + postgres->timeout_ms + GRACE_MS;
    if (values == NULL)
        sent = PQsendQuery(postgres->connection, sql);
    else
        sent = PQsendQueryParams(postgres->connection, sql, count, /* types= */ NULL, values,
                                 /* lengths= */ NULL, /* formats= */ NULL, /* binary= */ 1);
    return sent ? HUB_OK : lost(postgres, reterr);
}

size_t hub_postgres_row_count(const struct hub_postgres *postgres) {
    return (size_t)PQntuples(postgres->answer);
}

bool hub_postgres_is_null(const struct hub_postgres *postgres, size_t row, size_t column) {
    return PQgetisnull(postgres->answer, (int)row, (int)column);
}

struct hub_bytes hub_postgres_bytes(const struct hub_postgres *postgres, size_t row,
                                    size_t column) {
    return hub_bytes(PQgetvalue(postgres->answer, (int)row, (int)column),
                     (size_t)PQgetlength(postgres->answer, (int)row, (int)column));
}

const char *hub_postgres_text(const struct hub_postgres *postgres, size_t row, size_t column) {
    return PQgetvalue(postgres->answer, (int)row, (int)column);
}

int64_t hub_postgres_number(const struct hub_postgres *postgres, size_t row, size_t column) {
    return strtoll(hub_postgres_text(postgres, row, column), NULL, 10);
}

void hub_postgres_append_name(const char *name, struct hub_buffer *buffer) {
    hub_buffer_append_byte(buffer, '"');
    for (const char *at = name; *at != '\0'; at++)
        hub_buffer_append_text(buffer, *at == '"' ? "\"\"" : (char[]){*at, '\0'});
    hub_buffer_append_byte(buffer, '"');
}

/* --- notifications --- */

static bool take_notifications(struct hub_postgres *postgres) {
    bool told = false;
    for (PGnotify *each; (each = PQnotifies(postgres->connection)) != NULL; PQfreemem(each))
        told = true;
    return told;
}

enum hub_status hub_postgres_listen(struct hub_postgres *postgres, int64_t timeout_ms,
                                    bool *ret_told, struct hub_error *reterr) {
    int64_t end_ms = hub_clock_monotonic_ms() + timeout_ms;
    *ret_told = take_notifications(postgres);
    if (!is_ready(postgres, POLLIN, *ret_told ? 0 : end_ms))
        return HUB_OK;
    if (!PQconsumeInput(postgres->connection))
        return lost(postgres, reterr);
    *ret_told |= take_notifications(postgres);
    return HUB_OK;
}
