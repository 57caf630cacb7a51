#include "tests/lib/ringing.h"

#include "hub/io/clock.h"
#include "tests/lib/cmocka.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000 };

static const char secret[] = "AAAAAAAAAAAAAAAAAAAAAAAA";

int ringing_begin(void **state) {
    struct ringing *ringing = hub_allocate_zero(1, sizeof *ringing);
    *state = ringing;
    reading_set_clock(RINGING_START_MS);
    setenv("HUB_TEST_SECRET", secret, /* overwrite= */ 1);
    ringing->address = post_free_address(&ringing->arena);
    ringing->web = web_start(NULL, 0);
    ringing_answer(ringing, "/list", 200, "{\"items\": []}");
    return 0;
}

int ringing_end(void **state) {
    struct ringing *ringing = *state;
    if (ringing->reading.transport != NULL)
        reading_close(&ringing->reading);
    web_stop(ringing->web);
    hub_arena_destroy(&ringing->arena);
    hub_release(ringing);
    return 0;
}

const char *ringing_options(struct ringing *ringing, const char *more) {
    const char *get = strstr(more, "get: ") == NULL ? ", get: '/item/{id}'" : "";
    return hub_arena_format(&ringing->arena, "{listen: '%s', path: /in, secrets: "
                            "'${env:HUB_TEST_SECRET}', url: '%s', ids: items.id%s, id_field: "
                            "record%s}", ringing->address, web_url(ringing->web, "/list"), get,
                            more);
}

void ringing_open(struct ringing *ringing, const char *more) {
    reading_open(&ringing->reading, "notify-pull", ringing_options(ringing, more),
                 ringing->position);
}

void ringing_answer(struct ringing *ringing, const char *path, unsigned status,
                    const char *body) {
    struct web_answer answer = {status, body, {0}};
    web_route(ringing->web, path, &answer);
}

size_t ringing_asked(struct ringing *ringing, const char *target) {
    size_t asked = 0;
    for (size_t i = 0; i < web_asked(ringing->web); i++)
        asked += strcmp(web_target(ringing->web, i), target) == 0;
    return asked;
}

/* --- notices --- */

struct post ringing_send(struct ringing *ringing, const char *form) {
    struct post post;
    post_request(&post, ringing->address,
                 hub_arena_format(&ringing->arena, "POST /in/%s HTTP/1.1\nContent-Type: "
                                  "application/x-www-form-urlencoded\n", secret),
                 hub_bytes_of_text(form));
    return post;
}

void ringing_expect(struct post *post, unsigned status, const char *says) {
    assert_int_equal(post_status(post), status);
    if (strstr(post_text(post), says) == NULL)
        fail_msg("'%s' is not in '%s'", says, post_text(post));
    post_close(post);
}

void ringing_take(struct ringing *ringing) {
    int64_t until_ms = hub_clock_monotonic_ms() + WAIT_MS;
    do {
        if (reading_try(&ringing->reading) == HUB_OK && ringing->reading.batch.count > 0)
            ringing_commit(ringing); /* what waited is fetched while the notice is on its way */
        if (hub_clock_monotonic_ms() > until_ms)
            fail_msg("no notice came");
        sched_yield();
    } while (!ringing->reading.batch.keeps);
    ringing_commit(ringing);
}

void ringing_tell(struct ringing *ringing, const char *form) {
    struct post post = ringing_send(ringing, form);
    ringing_take(ringing);
    ringing_expect(&post, 200, "taken");
}

/* --- documents --- */

void ringing_commit(struct ringing *ringing) {
    const char *position = ringing->reading.batch.position;
    ringing->position = hub_arena_text(&ringing->arena, position, strlen(position));
    reading_commit(&ringing->reading);
}

void ringing_fetch(struct ringing *ringing, const char *body) {
    assert_int_equal(reading_poll(&ringing->reading), 1);
    assert_null(ringing->reading.batch.documents[0].refused);
    assert_string_equal(reading_text(&ringing->reading, 0), body);
    ringing_commit(ringing);
}

void ringing_refuse(struct ringing *ringing, const char *why, const char *code) {
    assert_int_equal(reading_poll(&ringing->reading), 1);
    const struct hub_raw_document *document = &ringing->reading.batch.documents[0];
    if (document->refused == NULL || strstr(document->refused, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, document->refused);
    assert_string_equal(document->refused_code, code);
    ringing_commit(ringing);
}

void ringing_rest(struct ringing *ringing) {
    assert_int_equal(reading_poll(&ringing->reading), 0);
    assert_false(ringing->reading.batch.keeps);
}

void ringing_kill(struct ringing *ringing, const char *more) {
    reading_close(&ringing->reading);
    ringing->address = post_free_address(&ringing->arena);
    ringing_open(ringing, more);
}
