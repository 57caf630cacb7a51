/* Sockets of a server that never blocks and has no thread of its own: a listener, and the connections
 * that it accepts, plain or TLS. Whoever uses them says what each waits for, waits for all at once, and
 * then reads and writes until nothing more goes. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"
#include "hub/io/tls.h"

struct hub_listener;
struct hub_socket;

enum hub_socket_result {
    HUB_SOCKET_SOME = 0,
    HUB_SOCKET_LATER, /* after another wait */
    HUB_SOCKET_OVER,  /* the peer has ended it, or it is broken */
};

/* The address is HOST:PORT with numbers, as 127.0.0.1:2575 or [::1]:2575. */
HUB_MUST_USE enum hub_status hub_listener_check(const char *address, struct hub_error *reterr);

/* With `tls` (or NULL), which must outlive it, every connection begins with a handshake. HUB_RETRY
 * where somebody else listens there, HUB_FATAL where nobody can. */
HUB_MUST_USE enum hub_status hub_listener_new(const char *address, struct hub_tls *tls,
                                              struct hub_listener **ret_listener,
                                              struct hub_error *reterr);
void hub_listener_free(struct hub_listener *listener); /* NULL is fine */

/* The next connection that has come in, or NULL. */
struct hub_socket *hub_listener_accept(struct hub_listener *listener);
/* Says the end where it can, and drops what came and was not read. */
void hub_socket_close(struct hub_socket *socket);

/* What the next wait is about; at the beginning input. */
void hub_socket_wants(struct hub_socket *socket, bool input, bool output);
/* Until one of the sockets can have what it wants, or a connection has come in, or the time is over. */
void hub_socket_wait(struct hub_listener *listener, struct hub_socket *const *sockets, size_t count,
                     int64_t timeout_ms);

enum hub_socket_result hub_socket_read(struct hub_socket *socket, void *data, size_t size,
                                       size_t *ret_size);
enum hub_socket_result hub_socket_write(struct hub_socket *socket, struct hub_bytes bytes,
                                        size_t *ret_size);

bool hub_socket_is_agreed(const struct hub_socket *socket); /* no handshake is under way */
const char *hub_socket_peer(const struct hub_socket *socket); /* its address as numbers, without port */
/* Why TLS ended it, or NULL. Lives as long as the program. */
const char *hub_socket_why(const struct hub_socket *socket);
