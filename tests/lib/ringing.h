/* The transport notify-pull on its own, a source whose every address is given its answer by the
 * test, and notices: 24 letters A are their secret (HUB_TEST_SECRET). */
#pragma once

#include "tests/lib/post.h"
#include "tests/lib/reading.h"
#include "tests/lib/web.h"

static const int64_t RINGING_START_MS = 1772323200000; /* 2026-03-01 */
static const int64_t RINGING_INTERVAL_MS = 3600000;

struct ringing {
    struct reading reading;
    struct hub_arena arena;
    struct web *web;
    const char *address;
    const char *position; /* as committed last */
};

/* For cmocka. */
int ringing_begin(void **state);
int ringing_end(void **state);

/* Opens with a list at /list whose documents are at /item/ID, and more options, each with a comma
 * before it. The list is empty until it is given another answer. */
void ringing_open(struct ringing *ringing, const char *more);
/* The options of that. */
const char *ringing_options(struct ringing *ringing, const char *more);
/* What the source answers there from now on. */
void ringing_answer(struct ringing *ringing, const char *path, unsigned status, const char *body);
/* How often it was asked for that target. */
size_t ringing_asked(struct ringing *ringing, const char *target);

/* Sends a notice to the address, as somebody who knows the secret. */
struct post ringing_send(struct ringing *ringing, const char *form);
/* Reads the answer and closes. */
void ringing_expect(struct post *post, unsigned status, const char *says);
/* Polls until notices are taken, and commits them and what comes before. */
void ringing_take(struct ringing *ringing);
/* The same of one notice, up to its answer. */
void ringing_tell(struct ringing *ringing, const char *form);
/* One document comes, and is committed. */
void ringing_fetch(struct ringing *ringing, const char *body);
/* A dead letter comes, and is committed. */
void ringing_refuse(struct ringing *ringing, const char *why, const char *code);
/* Nothing comes. */
void ringing_rest(struct ringing *ringing);
void ringing_commit(struct ringing *ringing);
/* As if killed now: another process goes on from what was committed last. */
void ringing_kill(struct ringing *ringing, const char *more);
