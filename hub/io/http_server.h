/* A small HTTP server, by libmicrohttpd, on a thread of its own.
 *
 * The handler is called on that thread and may only read what does not change, or what is handed
 * over under a lock. Bodies and connections are bounded. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

struct hub_http_server;

struct hub_http_question {
    const char *method, *path;
    struct hub_bytes body;
    void *connection; /* for hub_http_argument */
};

struct hub_http_reply {
    unsigned status;
    const char *content_type;
    struct hub_buffer body;
};

/* The decoded value of ?name=value; NULL where it is not given. Lives as long as the question. */
const char *hub_http_argument(const struct hub_http_question *question, const char *name);

typedef void hub_http_handler(void *context, const struct hub_http_question *question,
                              struct hub_http_reply *reply);

/* Listens on host:port (127.0.0.1:8081). */
HUB_MUST_USE enum hub_status hub_http_server_new(const char *address, hub_http_handler *handler,
                                                 void *context,
                                                 struct hub_http_server **ret_server,
                                                 struct hub_error *reterr);
void hub_http_server_free(struct hub_http_server *server); /* NULL is fine */
