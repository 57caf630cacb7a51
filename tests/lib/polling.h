/* An http-poll on its own, on a web server of the test's own with scripted answers. */
#pragma once

#include "tests/lib/reading.h"
#include "tests/lib/web.h"

static const int64_t POLL_START_MS = 1772323200000; /* 2026-03-01 */

struct poll {
    struct reading reading;
    struct web *web;
};

int poll_begin(void **state);
int poll_end(void **state);

/* Opens on /list with an interval of a second and more options: ", name: value". */
#define open_poll(poll, answers, more)                                                             \
    open_poll_on(poll, answers, sizeof(answers) / sizeof *(answers), more)
void open_poll_on(struct poll *poll, const struct web_answer *answers, size_t count,
                  const char *more);

/* One page comes, and is committed. */
void assert_page(struct poll *poll, const char *body);
/* The sweep is over: nothing is asked for until the interval has passed. */
void assert_rest(struct poll *poll);
void next_sweep(void);
/* Nothing comes, with a reason that has the text in it. */
void assert_retries(struct poll *poll, const char *error, int64_t retry_after_ms);
void assert_fatal(struct poll *poll, const char *error);
