/* HTTP requests, by libcurl: https and http only, no redirects, no proxies from the environment,
 * every limit set. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

struct hub_http_client;

struct hub_http_request {
    const char *url;
    const char *const *headers; /* "Name: value", NULL-ended; or NULL */
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

HUB_MUST_USE enum hub_status hub_http_client_new(struct hub_http_client **ret_client,
                                                 struct hub_error *reterr);
void hub_http_client_free(struct hub_http_client *client); /* NULL is fine */

/* GET. The answer lives in the arena. HUB_RETRY where there was no answer in time or none at all,
 * HUB_REJECT where it was too large; any status code is HUB_OK. */
HUB_MUST_USE enum hub_status hub_http_get(struct hub_http_client *client,
                                          const struct hub_http_request *request,
                                          struct hub_arena *arena,
                                          struct hub_http_answer *ret_answer,
                                          struct hub_error *reterr);

/* The address that a document at `from` means by a reference (RFC 3986 section 5). HUB_REJECT where
 * that is no address, or leads to another scheme, host or port: what goes with a request is meant
 * for the one that it was made for. It lives in the arena. */
HUB_MUST_USE enum hub_status hub_http_follow(const char *from, const char *reference,
                                             struct hub_arena *arena, const char **ret_url,
                                             struct hub_error *reterr);

/* Appends the text percent-encoded (RFC 3986). */
void hub_http_append_escaped(struct hub_http_client *client, const char *text,
                             struct hub_buffer *buffer);
