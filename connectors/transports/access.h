/* What goes with every request to a source on the web: its headers, a certificate, a token, and the
 * limits of time and size. One set of options for all transports that ask. */
#pragma once

#include "connectors/kit/transport.h"
#include "connectors/transports/oauth.h"

enum { HUB_ACCESS_HEADERS_MAX = 32, HUB_ACCESS_OWN_MAX = 4 };

struct hub_access_options {
    const char *const *headers;
    const char *tls_certificate, *tls_key, *tls_ca;
    struct hub_oauth_options oauth;
    int64_t timeout_ms;
    int64_t size_max_bytes;
    int64_t requests_per_minute_max; /* 0: as many as there are */
};

extern const char *const hub_oauth_authentications[];

/* Rows of an option table, for a structure with a member of struct hub_access_options. */
#define HUB_ACCESS_OPTIONS(structure, access)                                                      \
    {.name = "headers",                                                                            \
     HUB_TEXTS_OPTION(structure, access.headers),                                                  \
     .help = "Request headers, each 'Name: value'."},                                              \
    {.name = "tls_certificate",                                                                    \
     HUB_TEXT_OPTION(structure, access.tls_certificate),                                           \
     .help = "Own certificate for mutual TLS, with its chain: a PEM file."},                       \
    {.name = "tls_key",                                                                            \
     HUB_TEXT_OPTION(structure, access.tls_key),                                                   \
     .help = "The private key of tls_certificate: a PEM file."},                                   \
    {.name = "tls_ca",                                                                             \
     HUB_TEXT_OPTION(structure, access.tls_ca),                                                    \
     .help = "Authorities that the source's certificate must come from: a PEM file; without it "   \
             "the system's."},                                                                     \
    {.name = "oauth_token_url",                                                                    \
     HUB_TEXT_OPTION(structure, access.oauth.token_url),                                           \
     .help = "Where a token is asked for by OAuth 2 client credentials (RFC 6749 section 4.4); "   \
             "https, or this machine."},                                                           \
    {.name = "oauth_client_id",                                                                    \
     HUB_TEXT_OPTION(structure, access.oauth.client_id),                                           \
     .help = "Who asks for the token."},                                                           \
    {.name = "oauth_client_secret",                                                                \
     HUB_TEXT_OPTION(structure, access.oauth.client_secret),                                       \
     .secret = true,                                                                               \
     .help = "The secret of oauth_client_id: ${env:NAME} or ${file:/path}."},                      \
    {.name = "oauth_scope",                                                                        \
     HUB_TEXT_OPTION(structure, access.oauth.scope),                                               \
     .help = "What the token is for, where the endpoint wants to know."},                          \
    {.name = "oauth_authentication",                                                               \
     HUB_TEXT_OPTION(structure, access.oauth.authentication),                                      \
     .initial = "client_secret_basic",                                                             \
     .choices = hub_oauth_authentications,                                                         \
     .help = "Whether the secret goes in a header or in the body."},                               \
    {.name = "timeout_ms",                                                                         \
     HUB_NUMBER_OPTION(structure, access.timeout_ms),                                              \
     .initial = "30000",                                                                           \
     .minimum = 100,                                                                               \
     .maximum = 600000,                                                                            \
     .help = "For one answer as a whole, in milliseconds."},                                       \
    {.name = "size_max_bytes",                                                                     \
     HUB_NUMBER_OPTION(structure, access.size_max_bytes),                                          \
     .initial = "16777216",                                                                        \
     .minimum = 1024,                                                                              \
     .maximum = 16777216,                                                                          \
     .help = "Of one answer, however it was compressed."}

/* Of a transport that asks hub_access_rests before it asks its source. */
#define HUB_ACCESS_PACE_OPTION(structure, access)                                                  \
    {.name = "requests_per_minute_max",                                                            \
     HUB_NUMBER_OPTION(structure, access.requests_per_minute_max),                                 \
     .initial = "0",                                                                               \
     .minimum = 0,                                                                                 \
     .maximum = 60000,                                                                             \
     .help = "The source is asked no oftener than this, evenly; 0: as often as there is something " \
             "to ask."}

struct hub_access {
    const struct hub_access_options *options;
    struct hub_env env;
    struct hub_arena arena; /* for what lives as long */
    struct hub_http_tls tls;
    struct hub_http_client *client;
    struct hub_oauth oauth;
    int64_t rest_until_ms; /* by the monotonic clock */
};

/* One request: POST where there is a body. */
struct hub_access_request {
    const char *url;
    const char *body;                            /* or NULL */
    const char *headers[HUB_ACCESS_OWN_MAX + 1]; /* besides those of the options; NULL-ended */
};

HUB_MUST_USE enum hub_status hub_access_check(const struct hub_access_options *options,
                                              struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_access_open(struct hub_access *access,
                                             const struct hub_access_options *options,
                                             const struct hub_env *env, struct hub_error *reterr);
void hub_access_close(struct hub_access *access); /* also of one that was never opened */

/* As hub_http_ask_all. A token is renewed once where it is refused with 401. Anything but HUB_OK:
 * no token was to be had. */
HUB_MUST_USE enum hub_status hub_access_ask_all(struct hub_access *access,
                                                const struct hub_access_request *requests,
                                                size_t count, size_t parallel,
                                                struct hub_arena *arena,
                                                struct hub_http_result *results,
                                                struct hub_error *reterr);
/* As hub_http_ask. */
HUB_MUST_USE enum hub_status hub_access_ask(struct hub_access *access,
                                            const struct hub_access_request *request,
                                            struct hub_arena *arena,
                                            struct hub_http_answer *ret_answer,
                                            struct hub_error *reterr);

/* Whether nothing may be asked now, by requests_per_minute_max: waits for it, at most timeout_ms, and
 * says so. Asking does not wait. */
bool hub_access_rests(const struct hub_access *access, int64_t timeout_ms);
void hub_access_wait_ms(int64_t milliseconds);

/* Whether time may mend it: 408, 429 and 5xx. */
bool hub_access_is_busy(long status);
