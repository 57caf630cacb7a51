/* Questions to a PostgreSQL server, by libpq, one at a time. Whoever asks says how long it waits, and
 * goes on with other things where the answer is not there yet; only the system's look-up of a host's
 * name takes the time that it takes. What the connection's text leaves open, libpq finds as psql does:
 * in a service file, a password file and the environment (PGHOST and its like).
 *
 * A server's memory is its own affair: what it sends of one answer is kept whole, so that a question
 * must bound its answer. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

struct hub_postgres;

enum { HUB_POSTGRES_NAME_MAX = 63, HUB_POSTGRES_VALUES_MAX = 16 }; /* bytes that a name may have */

struct hub_postgres_access {
    const char *connection; /* "host=... dbname=... user=...", or postgresql://... */
    const char *password;   /* or NULL */
    const char *sslmode;    /* as libpq has it; a local socket has no TLS */
    int64_t timeout_ms;     /* for connecting, and for each answer */
};

/* HUB_FATAL where the text is none, or says what has its own place in the access. */
HUB_MUST_USE enum hub_status hub_postgres_check(const char *connection, struct hub_error *reterr);

/* Begins to connect, to a server that can be written to; the access must outlive it. */
struct hub_postgres *hub_postgres_new(const struct hub_postgres_access *access)
    __attribute__((returns_nonnull));
void hub_postgres_free(struct hub_postgres *postgres); /* NULL is fine */

/* As 150004 for 15.4, once it is connected. */
int hub_postgres_version(const struct hub_postgres *postgres);

/* Sends a statement with its values $1, $2 ... (NULL-ended), or, without values, statements whose answers
 * are of no interest. What was answered before is gone. HUB_RETRY where the connection is lost. */
HUB_MUST_USE enum hub_status hub_postgres_ask(struct hub_postgres *postgres, const char *sql,
                                              const char *const *values, struct hub_error *reterr);

/* Goes on with what was begun, for up to so long; `ret_done` where it is connected, or the answer is
 * there. HUB_RETRY where the server cannot be reached, has gone, is busy or late: such a connection is
 * of no more use. HUB_REJECT where a row has what the server itself cannot work with: another question
 * may be asked. HUB_FATAL where a person must act. */
HUB_MUST_USE enum hub_status hub_postgres_wait(struct hub_postgres *postgres, int64_t timeout_ms,
                                               bool *ret_done, struct hub_error *reterr);

/* The answer, until the next question. */
size_t hub_postgres_row_count(const struct hub_postgres *postgres);
bool hub_postgres_is_null(const struct hub_postgres *postgres, size_t row, size_t column);
/* A text, or the bytes of a bytea. Bytes are followed by a zero that is not counted. */
struct hub_bytes hub_postgres_bytes(const struct hub_postgres *postgres, size_t row, size_t column);
const char *hub_postgres_text(const struct hub_postgres *postgres, size_t row, size_t column);
/* Of what the question has made a text of a bigint. */
int64_t hub_postgres_number(const struct hub_postgres *postgres, size_t row, size_t column);

/* Waits up to so long, while nothing is asked, for a notification of a channel that is listened to.
 * HUB_RETRY where the connection is lost. */
HUB_MUST_USE enum hub_status hub_postgres_listen(struct hub_postgres *postgres, int64_t timeout_ms,
                                                 bool *ret_told, struct hub_error *reterr);

/* Appends the name as an identifier, in quotes. */
void hub_postgres_append_name(const char *name, struct hub_buffer *buffer);
