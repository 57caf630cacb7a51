/* OAuth 2.0, the client credentials grant (RFC 6749 section 4.4): a token for a program. */
#pragma once

#include "hub/io/http_client.h"

struct hub_oauth_options {
    const char *token_url; /* NULL: no token is asked for */
    const char *client_id, *client_secret;
    const char *scope;          /* or NULL */
    const char *authentication; /* client_secret_basic or client_secret_post */
};

struct hub_oauth {
    const struct hub_oauth_options *options;
    char *header;     /* "Authorization: Bearer ...", or NULL */
    int64_t until_ms; /* by the monotonic clock; a token is renewed before it ends */
};

/* What the options lack; HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_oauth_check(const struct hub_oauth_options *options,
                                             struct hub_error *reterr);

/* A request header with a token that is good; it lives until the next call. NULL where none is
 * asked for. HUB_RETRY where the endpoint cannot give one now, HUB_FATAL where it refuses. */
HUB_MUST_USE enum hub_status hub_oauth_header(struct hub_oauth *oauth,
                                              struct hub_http_client *client, int64_t now_ms,
                                              const char **ret_header, struct hub_error *reterr);

/* The token is no longer good. False where there was none. */
bool hub_oauth_forget(struct hub_oauth *oauth);
