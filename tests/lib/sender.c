#include "tests/lib/sender.h"

#include "hub/base/bytes.h"
#include "tests/lib/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 10 };

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

int sender_free_port(void) {
    struct sockaddr_in where = loopback(0);
    socklen_t size = sizeof where;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&where, size), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&where, &size), 0);
    close(descriptor);
    return ntohs(where.sin_port);
}

void sender_open(struct sender *sender, int port) {
    struct sockaddr_in where = loopback(port);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int on = 1;
    sender->heard_size = 0;
    sender->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(sender->descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(sender->descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(sender->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(sender->descriptor, (struct sockaddr *)&where, sizeof where) != 0)
        fail_msg("port %d: %s", port, strerror(errno));
}

void sender_close(struct sender *sender) {
    close(sender->descriptor);
}

void sender_ends(struct sender *sender) {
    shutdown(sender->descriptor, SHUT_WR);
}

void sender_sends(struct sender *sender, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(sender->descriptor, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            fail_msg("%s", strerror(errno));
        bytes += sent;
        size -= (size_t)sent;
    }
}

void sender_says(struct sender *sender, const char *message) {
    HUB_SCOPED_BUFFER frame = {0};
    hub_buffer_append_format(&frame, "\x0b%s\x1c\r", message);
    sender_sends(sender, (const char *)frame.data, frame.size);
}

static ssize_t listen_on(struct sender *sender, int flags) {
    ssize_t got = recv(sender->descriptor, sender->heard + sender->heard_size,
                       sizeof sender->heard - sender->heard_size, flags);
    if (got > 0)
        sender->heard_size += (size_t)got;
    return got;
}

const char *sender_hears(struct sender *sender) {
    char *end = NULL;
    while ((end = memmem(sender->heard, sender->heard_size, "\x1c\r", 2)) == NULL)
        if (listen_on(sender, 0) <= 0)
            fail_msg("nothing more is heard");
    size_t size = (size_t)(end - sender->heard);
    if (sender->heard[0] != '\x0b')
        fail_msg("a frame begins with 0x0B");
    memcpy(sender->frame, sender->heard + 1, size - 1);
    sender->frame[size - 1] = '\0';
    sender->heard_size -= size + 2;
    memmove(sender->heard, end + 2, sender->heard_size);
    return sender->frame;
}

bool sender_hears_nothing(struct sender *sender) {
    return sender->heard_size == 0 && listen_on(sender, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

bool sender_is_left(struct sender *sender) {
    ssize_t got = listen_on(sender, 0);
    return sender->heard_size == 0 && (got == 0 || (got < 0 && errno == ECONNRESET));
}
