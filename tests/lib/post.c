#include "tests/lib/post.h"

#include "tests/lib/cmocka.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_TIMEOUT_MS = 20000 };

static struct sockaddr_in loopback(unsigned port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

const char *post_free_address(struct hub_arena *arena) {
    struct sockaddr_in where = loopback(0);
    socklen_t size = sizeof where;
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&where, &size), 0);
    close(probe);
    return hub_arena_format(arena, "127.0.0.1:%u", ntohs(where.sin_port));
}

void post_connect(struct post *post, const char *address) {
    struct sockaddr_in where = loopback((unsigned)atoi(strchr(address, ':') + 1));
    *post = (struct post){.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (connect(post->socket, (struct sockaddr *)&where, sizeof where) != 0)
        fail_msg("%s: %s", address, strerror(errno));
}

bool post_try_send(struct post *post, struct hub_bytes bytes) {
    for (struct hub_bytes left = bytes; left.size > 0;) {
        ssize_t sent = send(post->socket, left.data, left.size, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        left = hub_bytes_part(left, (size_t)sent, left.size);
    }
    return true;
}

void post_send(struct post *post, struct hub_bytes bytes) {
    if (!post_try_send(post, bytes))
        fail_msg("sending: %s", strerror(errno));
}

void post_request(struct post *post, const char *address, const char *head,
                  struct hub_bytes body) {
    HUB_SCOPED_BUFFER request = {0};
    for (const char *c = head; *c != '\0'; c++)
        hub_buffer_append_format(&request, *c == '\n' ? "\r\n" : "%c", *c);
    hub_buffer_append_format(&request, "Host: %s\r\nConnection: close\r\nContent-Length: "
                             "%zu\r\n\r\n", address, body.size);
    hub_buffer_append_bytes(&request, body);
    post_connect(post, address);
    post_send(post, hub_buffer_bytes(&request));
}

bool post_is_answered(struct post *post, int timeout_ms) {
    struct pollfd what = {.fd = post->socket, .events = POLLIN};
    return poll(&what, 1, timeout_ms) > 0;
}

static void read_answer(struct post *post) {
    char part[4096];
    for (;;) {
        if (!post_is_answered(post, ANSWER_TIMEOUT_MS))
            fail_msg("no answer within %d ms", ANSWER_TIMEOUT_MS);
        ssize_t size = recv(post->socket, part, sizeof part, 0);
        if (size <= 0)
            return;
        hub_buffer_append(&post->answer, part, (size_t)size);
    }
}

unsigned post_status(struct post *post) {
    unsigned status = 0;
    read_answer(post);
    if (sscanf(hub_buffer_text(&post->answer), "HTTP/1.1 %u", &status) != 1)
        return 0;
    return status;
}

const char *post_text(struct post *post) {
    return hub_buffer_text(&post->answer);
}

void post_close(struct post *post) {
    close(post->socket);
    hub_buffer_free(&post->answer);
}
