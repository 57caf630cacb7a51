/* TLS on the side that is called, by OpenSSL's libssl: 1.2 and 1.3, no renegotiation, no resumption.
 * What it is spoken over never blocks (hub/io/socket.h). A write to a peer that has gone raises SIGPIPE:
 * programs ignore it. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

struct hub_tls;         /* who we are, and whom we let in */
struct hub_tls_session; /* one connection */

enum hub_tls_result {
    HUB_TLS_SOME = 0,
    HUB_TLS_NEEDS_INPUT,  /* again when the connection can be read */
    HUB_TLS_NEEDS_OUTPUT, /* again when it can be written */
    HUB_TLS_OVER,         /* it has ended, well or not */
};

/* PEM files: our certificate with those above it, its key without a password, and the authorities of
 * callers, or NULL: then anybody may call. HUB_FATAL where one cannot be used. */
HUB_MUST_USE enum hub_status hub_tls_new(const char *certificate, const char *key,
                                         const char *client_authorities, struct hub_tls **ret_tls,
                                         struct hub_error *reterr);
void hub_tls_free(struct hub_tls *tls); /* NULL is fine */

/* The connection stays its opener's. */
struct hub_tls_session *hub_tls_session_new(struct hub_tls *tls, int connection);
/* Tells the peer that this is the end, where it can be told without waiting. NULL is fine. */
void hub_tls_session_free(struct hub_tls_session *session);

/* Whether both sides have agreed; reading and writing do what is missing to it. */
bool hub_tls_is_agreed(const struct hub_tls_session *session);
/* Why it is over, where that was no proper end, or NULL. Lives as long as the program. */
const char *hub_tls_why(const struct hub_tls_session *session);

enum hub_tls_result hub_tls_read(struct hub_tls_session *session, void *data, size_t size,
                                 size_t *ret_size);
/* After NEEDS the same bytes must come again. */
enum hub_tls_result hub_tls_write(struct hub_tls_session *session, struct hub_bytes bytes,
                                  size_t *ret_size);
