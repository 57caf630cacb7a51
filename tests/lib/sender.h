/* Somebody who sends over TCP, on the test's own thread: what it sends is there when it returns, and
 * what it hears is waited for, for some seconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SENDER_HEARS_MAX = 65536 };

struct sender {
    int descriptor;
    char heard[SENDER_HEARS_MAX]; /* and not asked for yet */
    size_t heard_size;
    char frame[SENDER_HEARS_MAX];
};

/* A port of 127.0.0.1 that nobody listens on. */
int sender_free_port(void);

void sender_open(struct sender *sender, int port);
void sender_close(struct sender *sender);
/* Nothing more is sent; what is answered can be heard. */
void sender_ends(struct sender *sender);
void sender_sends(struct sender *sender, const char *bytes, size_t size);
/* In an MLLP frame. */
void sender_says(struct sender *sender, const char *message);

/* The content of the next MLLP frame. */
const char *sender_hears(struct sender *sender);
/* Whether it has been told nothing up to now. */
bool sender_hears_nothing(struct sender *sender);
/* Whether the other side has ended it, and said nothing before that. */
bool sender_is_left(struct sender *sender);
