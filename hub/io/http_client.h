/* HTTP requests, by libcurl: https and http only, no redirects, no proxies from the environment,
 * every limit set. A body may come compressed; its limit is that of what it holds. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

struct hub_http_client;

enum { HUB_HTTP_PARALLEL_MAX = 16 };

/* Who one is, and whom one believes: PEM files. */
struct hub_http_tls {
    const char *certificate, *key; /* of the client, or NULL */
    const char *authorities;       /* NULL: the system's */
};

struct hub_http_request {
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended; or NULL */
    const char *body;           /* makes it a POST; NULL: a GET */
    int64_t timeout_ms;         /* of the whole exchange */
    size_t size_max;            /* bytes of the answer's body */
};

struct hub_http_answer {
    long status;
    struct hub_bytes body;
    const char *etag;          /* NULL where there was none */
    const char *last_modified; /* as sent */
    const char *link;          /* the Link headers, joined by commas */
    int64_t retry_after_ms;    /* 0 where not told; also of a date */
};

/* What became of one of several requests. */
struct hub_http_result {
    enum hub_status status;
    struct hub_http_answer answer; /* where HUB_OK */
    struct hub_error error;        /* where not */
};

/* `tls` may be NULL; what it names must outlive the client. */
HUB_MUST_USE enum hub_status hub_http_client_new(const struct hub_http_tls *tls,
                                                 struct hub_http_client **ret_client,
                                                 struct hub_error *reterr);
void hub_http_client_free(struct hub_http_client *client); /* NULL is fine */

/* The answer lives in the arena. HUB_RETRY where there was no answer in time or none at all,
 * HUB_REJECT where it was too large, HUB_FATAL where the address or a file of `tls` is none; any
 * status code is HUB_OK. */
HUB_MUST_USE enum hub_status hub_http_ask(struct hub_http_client *client,
                                          const struct hub_http_request *request,
                                          struct hub_arena *arena,
                                          struct hub_http_answer *ret_answer,
                                          struct hub_error *reterr);

/* The same of several requests, up to `parallel` (1 to HUB_HTTP_PARALLEL_MAX) at a time; returns
 * when all are done. results[i] is what became of requests[i]. */
void hub_http_ask_all(struct hub_http_client *client, const struct hub_http_request *requests,
                      size_t count, size_t parallel, struct hub_arena *arena,
                      struct hub_http_result *results);

/* The address that a document at `from` means by a reference (RFC 3986 section 5). HUB_REJECT where
 * that is no address, or leads to another scheme, host or port: what goes with a request is meant
 * for the one that it was made for. It lives in the arena. */
HUB_MUST_USE enum hub_status hub_http_follow(const char *from, const char *reference,
                                             struct hub_arena *arena, const char **ret_url,
                                             struct hub_error *reterr);

/* Appends the text percent-encoded (RFC 3986). */
void hub_http_append_escaped(const char *text, struct hub_buffer *buffer);
/* Appends what percent-encoded text says; a % that begins no encoding stands for itself. */
void hub_http_append_unescaped(struct hub_bytes text, struct hub_buffer *buffer);

/* Whether a secret may go there: by https, or to this machine. */
bool hub_http_is_private(const char *url);
