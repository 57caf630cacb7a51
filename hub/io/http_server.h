/* A small HTTP server, by libmicrohttpd, on threads of its own.
 *
 * The handler is called on those threads and may only read what does not change, or what is handed
 * over under a lock. Bodies, connections and times are bounded: a body over its limit is answered
 * with 413 where the sender stops soon enough to hear it (another body_size_max_bytes are read and
 * thrown away), else cut off; so is one that takes longer than body_timeout_ms as a whole. Of a
 * connection that is silent nothing is left after 10 seconds. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

struct hub_http_server;

struct hub_http_question {
    const char *method, *path;
    struct hub_bytes body;
    void *connection; /* for the functions below */
};

struct hub_http_reply {
    unsigned status;
    const char *content_type;
    struct hub_buffer body;
    const char *allow;     /* with 405: the methods that would pass; or NULL */
    int64_t retry_after_s; /* with 503; 0: not told */
};

/* The decoded value of ?name=value; NULL where it is not given. Lives as long as the question. */
const char *hub_http_argument(const struct hub_http_question *question, const char *name);
/* A request header, its name in whatever case; NULL where there is none. Likewise. */
const char *hub_http_header(const struct hub_http_question *question, const char *name);
/* Visits each request header, as it was sent. */
void hub_http_each_header(const struct hub_http_question *question,
                          void (*visit)(void *context, const char *name, const char *value),
                          void *context);

/* The IPv4 address that asks, the first of its numbers in the highest byte; 0 where it is unknown. */
uint32_t hub_http_peer(const struct hub_http_question *question);

typedef void hub_http_handler(void *context, const struct hub_http_question *question,
                              struct hub_http_reply *reply);

/* What is 0 or NULL is as it says. */
struct hub_http_server_config {
    const char *address; /* HOST:PORT, such as 127.0.0.1:8081 */
    hub_http_handler *handler;
    /* Told of what the server answers by itself: 413 and 408 (cut off), 403 (no certificate that
     * the client CA has signed). NULL: nobody is. */
    void (*refused)(void *context, unsigned status);
    void *context;
    bool waits;                 /* the handler may wait: each connection has a thread of its own */
    size_t body_size_max_bytes; /* 1 MiB */
    unsigned connections_max;   /* 64 */
    int64_t body_timeout_ms;    /* 30 s */
    /* Files' contents, in PEM. Certificate and key go together: then it speaks TLS 1.2 or later and
     * nothing else. With a client CA whoever has no certificate of it gets 403. */
    const char *tls_certificate, *tls_key, *tls_client_ca;
};

/* HUB_FATAL where it cannot listen, or where a certificate or key is none. */
HUB_MUST_USE enum hub_status hub_http_server_new(const struct hub_http_server_config *config,
                                                 struct hub_http_server **ret_server,
                                                 struct hub_error *reterr);
/* Takes nothing new, lets what is being answered be heard for at most 2 seconds, and ends. Handlers
 * that wait must be on their way home by then. NULL is fine. */
void hub_http_server_free(struct hub_http_server *server);
