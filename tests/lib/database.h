/* A PostgreSQL server of the test's own, Debian's, and sessions in it. What cannot be done stops the
 * test. */
#pragma once

#include "tests/lib/folder.h"

#include <sys/types.h>

struct database {
    struct folder folder; /* has its socket, and in data/ its data */
    int port;
    pid_t server; /* 0: it does not run */
};

void database_make(struct database *database); /* and starts it */
void database_start(struct database *database);
void database_stop(struct database *database); /* as its administrator would */
void database_remove(struct database *database);

/* One user's session, as postgres. Statements of another may wait for it. */
struct session;
struct session *session_open(const struct database *database);
void session_close(struct session *session);
void session_do(struct session *session, const char *sql);
/* The first value of the answer; it lives until the next one of the session. */
const char *session_asks(struct session *session, const char *sql);
