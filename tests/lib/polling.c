#include "tests/lib/polling.h"

#include "tests/lib/cmocka.h"

int poll_begin(void **state) {
    *state = hub_allocate_zero(1, sizeof(struct poll));
    reading_set_clock(POLL_START_MS);
    return 0;
}

int poll_end(void **state) {
    struct poll *poll = *state;
    if (poll->reading.transport != NULL)
        reading_close(&poll->reading);
    if (poll->web != NULL)
        web_stop(poll->web);
    hub_release(poll);
    return 0;
}

void open_poll_on(struct poll *poll, const struct web_answer *answers, size_t count,
                  const char *more) {
    struct hub_arena arena = {0};
    poll->web = web_start(answers, count);
    reading_open(&poll->reading, "http-poll",
                 hub_arena_format(&arena, "{url: '%s', interval_ms: 1000%s}",
                                  web_url(poll->web, "/list"), more),
                 NULL);
    hub_arena_destroy(&arena);
}

void assert_page(struct poll *poll, const char *body) {
    assert_int_equal(reading_poll(&poll->reading), 1);
    assert_null(poll->reading.batch.documents[0].refused);
    assert_string_equal(reading_text(&poll->reading, 0), body);
    reading_commit(&poll->reading);
}

void assert_rest(struct poll *poll) {
    size_t asked = web_asked(poll->web);
    assert_int_equal(reading_poll(&poll->reading), 0);
    assert_true(poll->reading.batch.exhausted);
    assert_int_equal(web_asked(poll->web), asked);
}

void next_sweep(void) {
    reading_set_clock(reading_clock() + 1000);
}

static void assert_told(struct poll *poll, const char *error) {
    if (strstr(poll->reading.error.text, error) == NULL)
        fail_msg("'%s' is not in '%s'", error, poll->reading.error.text);
}

void assert_retries(struct poll *poll, const char *error, int64_t retry_after_ms) {
    assert_int_equal(reading_try(&poll->reading), HUB_RETRY);
    assert_told(poll, error);
    assert_int_equal(poll->reading.batch.retry_after_ms, retry_after_ms);
    assert_int_equal(poll->reading.batch.count, 0);
}

void assert_fatal(struct poll *poll, const char *error) {
    assert_int_equal(reading_try(&poll->reading), HUB_FATAL);
    assert_told(poll, error);
}
