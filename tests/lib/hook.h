/* The transport webhook on its own, and senders that it believes: 24 bytes of the letter A are its
 * secret (HUB_TEST_SECRET), as many of the letter B another one (HUB_TEST_OTHER). */
#pragma once

#include "tests/lib/folder.h"
#include "tests/lib/post.h"
#include "tests/lib/reading.h"

struct hook {
    struct reading reading;
    struct hub_arena arena;
    struct folder folder;
    const char *address;
};

#define HOOK_NOW_TEXT "1772323200" /* 2026-03-01, where the clock stands */
enum { HOOK_NOW_S = 1772323200 };

/* For cmocka. */
int hook_begin(void **state);
int hook_end(void **state);

/* Opens it at the address and /in; `more` is further options, each with a comma before it. */
void hook_open(struct hook *hook, const char *more);

/* What a sender with 24 of the letter as its secret writes into webhook-signature. */
const char *hook_signature(struct hook *hook, char letter, const char *id, const char *timestamp,
                           const char *body);
/* As a sender that is believed sends it; `more` is further headers, each ended by \n. */
struct post hook_send(struct hook *hook, const char *id, const char *body);
struct post hook_send_more(struct hook *hook, const char *id, const char *body, const char *more);
/* Reads the answer and closes. */
void hook_expect_answer(struct post *post, unsigned status, const char *says);

/* Polls until so many documents are there. */
void hook_await(struct hook *hook, size_t count);
