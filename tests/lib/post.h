/* A sender of HTTP requests, byte by byte as a test says: one connection to 127.0.0.1, whose answer
 * is looked at when it is there. What cannot be done stops the test. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"

struct post {
    int socket;
    struct hub_buffer answer;
};

/* A port that nobody has, as 127.0.0.1:PORT, in the arena; none is given twice. */
const char *post_free_address(struct hub_arena *arena);

void post_connect(struct post *post, const char *address);
/* Fails the test where the other side has gone; post_try_send says false. */
void post_send(struct post *post, struct hub_bytes bytes);
bool post_try_send(struct post *post, struct hub_bytes bytes);
/* A whole request: `head` is its first line and headers, each ended by \n alone, without
 * Content-Length. */
void post_request(struct post *post, const char *address, const char *head,
                  struct hub_bytes body);
/* Whether there is an answer, or an end, within so many milliseconds. */
bool post_is_answered(struct post *post, int timeout_ms);
/* The answer's status, read to the end of the connection; 0 where that came without one. */
unsigned post_status(struct post *post);
/* All of the answer; lives until post_close. */
const char *post_text(struct post *post);
void post_close(struct post *post);
