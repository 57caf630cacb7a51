#include "hub/io/socket.h"

#include "hub/base/memory.h"
#include "hub/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, DROPPED_MAX = 64, TEXT_SIZE = 64 };

struct hub_listener {
    int descriptor;
    struct hub_tls *tls;
    bool rests; /* what comes in cannot be taken now: the next wait leaves it where it is */
};

struct hub_socket {
    int descriptor;
    struct hub_tls_session *session; /* or NULL */
    bool wants_input, wants_output;
    bool has_more;     /* TLS may hold more than the kernel knows of */
    bool needs_output; /* TLS has to write before it can read */
    char peer[TEXT_SIZE];
};

/* --- listening --- */

static enum hub_status parse_address(const char *address, struct addrinfo **ret_found,
                                     struct hub_error *reterr) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(address, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - address);
    bool bracketed = size > 2 && address[0] == '[' && address[size - 1] == ']';
    char host[TEXT_SIZE] = {0};
    uint64_t port = 0;
    *ret_found = NULL;
    if (size > 0 && size < sizeof host && hub_text_to_number(hub_bytes_of_text(colon + 1), &port) &&
        port > 0 && port <= UINT16_MAX) {
        memcpy(host, address + bracketed, size - 2 * bracketed);
        if (strchr(host, ':') == NULL || bracketed)
            getaddrinfo(host, colon + 1, &hints, ret_found);
    }
    if (*ret_found != NULL)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "'%s' is no address to listen on; HOST:PORT with numbers such "
                    "as 127.0.0.1:2575 or [::1]:2575 would pass", address);
}

enum hub_status hub_listener_check(const char *address, struct hub_error *reterr) {
    struct addrinfo *found = NULL;
    HUB_TRY(parse_address(address, &found, reterr));
    freeaddrinfo(found);
    return HUB_OK;
}

static int listen_on(const struct addrinfo *where) {
    int on = 1;
    int descriptor =
        socket(where->ai_family, where->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor, where->ai_addr, where->ai_addrlen) == 0 && listen(descriptor, BACKLOG) == 0)
        return descriptor;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

enum hub_status hub_listener_new(const char *address, struct hub_tls *tls,
                                 struct hub_listener **ret_listener, struct hub_error *reterr) {
    struct addrinfo *found = NULL;
    HUB_TRY(parse_address(address, &found, reterr));
    int descriptor = listen_on(found);
    int reason = errno;
    freeaddrinfo(found);
    if (descriptor < 0)
        return hub_fail(reterr, reason == EADDRINUSE ? HUB_RETRY : HUB_FATAL,
                        "cannot listen on %s: %s", address, strerrordesc_np(reason));
    *ret_listener = hub_allocate_zero(1, sizeof **ret_listener);
    **ret_listener = (struct hub_listener){.descriptor = descriptor, .tls = tls};
    return HUB_OK;
}

void hub_listener_free(struct hub_listener *listener) {
    if (listener == NULL)
        return;
    close(listener->descriptor);
    hub_release(listener);
}

struct hub_socket *hub_listener_accept(struct hub_listener *listener) {
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    int on = 1;
    int descriptor = accept4(listener->descriptor, (struct sockaddr *)&from, &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
        listener->rests = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
        return NULL;
    }
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct hub_socket *accepted = hub_allocate_zero(1, sizeof *accepted);
    accepted->descriptor = descriptor;
    accepted->wants_input = true;
    if (getnameinfo((struct sockaddr *)&from, size, accepted->peer, sizeof accepted->peer, NULL, 0,
                    NI_NUMERICHOST) != 0)
        accepted->peer[0] = '\0';
    if (listener->tls != NULL)
        accepted->session = hub_tls_session_new(listener->tls, descriptor);
    return accepted;
}

/* What has come and was not read would make the kernel take back what was written. */
static void drop_input(int descriptor) {
    char dropped[4096];
    for (int i = 0; i < DROPPED_MAX && recv(descriptor, dropped, sizeof dropped, 0) > 0; i++)
        continue;
}

void hub_socket_close(struct hub_socket *socket) {
    hub_tls_session_free(socket->session);
    shutdown(socket->descriptor, SHUT_WR);
    drop_input(socket->descriptor);
    close(socket->descriptor);
    hub_release(socket);
}

/* --- waiting --- */

void hub_socket_wants(struct hub_socket *socket, bool input, bool output) {
    socket->wants_input = input;
    socket->wants_output = output;
}

void hub_socket_wait(struct hub_listener *listener, struct hub_socket *const *sockets, size_t count,
                     int64_t timeout_ms) {
    struct pollfd *polled = hub_allocate_zero(count + 1, sizeof *polled);
    polled[0] = (struct pollfd){listener->rests ? -1 : listener->descriptor, POLLIN, 0};
    listener->rests = false;
    for (size_t i = 0; i < count; i++) {
        const struct hub_socket *each = sockets[i];
        bool output = each->wants_output || each->needs_output;
        polled[i + 1].fd = each->wants_input || output ? each->descriptor : -1;
        polled[i + 1].events = (short)((each->wants_input ? POLLIN : 0) | (output ? POLLOUT : 0));
        if (each->wants_input && each->has_more)
            timeout_ms = 0;
    }
    poll(polled, count + 1, (int)timeout_ms);
    hub_release(polled);
}

/* --- reading and writing --- */

static enum hub_socket_result judge(struct hub_socket *socket, enum hub_tls_result result) {
    socket->needs_output = result == HUB_TLS_NEEDS_OUTPUT;
    switch (result) {
    case HUB_TLS_SOME:
        return HUB_SOCKET_SOME;
    case HUB_TLS_NEEDS_INPUT:
    case HUB_TLS_NEEDS_OUTPUT:
        return HUB_SOCKET_LATER;
    case HUB_TLS_OVER:
        return HUB_SOCKET_OVER;
    }
    return HUB_SOCKET_OVER;
}

static enum hub_socket_result judge_plain(ssize_t result) {
    if (result > 0)
        return HUB_SOCKET_SOME;
    return result < 0 && (errno == EAGAIN || errno == EINTR) ? HUB_SOCKET_LATER : HUB_SOCKET_OVER;
}

enum hub_socket_result hub_socket_read(struct hub_socket *socket, void *data, size_t size,
                                       size_t *ret_size) {
    enum hub_socket_result result;
    *ret_size = 0;
    if (socket->session != NULL) {
        result = judge(socket, hub_tls_read(socket->session, data, size, ret_size));
    } else {
        ssize_t got = recv(socket->descriptor, data, size, 0);
        result = judge_plain(got);
        *ret_size = got > 0 ? (size_t)got : 0;
    }
    socket->has_more = socket->session != NULL && result == HUB_SOCKET_SOME;
    return result;
}

enum hub_socket_result hub_socket_write(struct hub_socket *socket, struct hub_bytes bytes,
                                        size_t *ret_size) {
    *ret_size = 0;
    if (socket->session != NULL)
        return judge(socket, hub_tls_write(socket->session, bytes, ret_size));
    ssize_t sent = send(socket->descriptor, bytes.data, bytes.size, MSG_NOSIGNAL);
    *ret_size = sent > 0 ? (size_t)sent : 0;
    return judge_plain(sent);
}

bool hub_socket_is_agreed(const struct hub_socket *socket) {
    return socket->session == NULL || hub_tls_is_agreed(socket->session);
}

const char *hub_socket_peer(const struct hub_socket *socket) {
    return socket->peer;
}

const char *hub_socket_why(const struct hub_socket *socket) {
    return socket->session == NULL ? NULL : hub_tls_why(socket->session);
}
