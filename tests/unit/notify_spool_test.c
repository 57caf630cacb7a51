/* notify-pull with a spool: notices that come while Kafka is away are answered when they are on the disk, and what they
 * name is fetched when Kafka is back. */
#include "hub/io/clock.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/ringing.h"
#include "tests/lib/spooling.h"

#include <string.h>

enum { BLOCK = 4096 };

struct test {
    struct ringing *ringing;
    struct spooling spooling;
};

static int begin(void **state) {
    struct test *test = hub_allocate_zero(1, sizeof *test);
    void *ringing = NULL;
    ringing_begin(&ringing);
    test->ringing = ringing;
    spooling_begin(&test->spooling, &test->ringing->reading, "notify-pull", 256 * BLOCK);
    *state = test;
    return 0;
}

static int end(void **state) {
    struct test *test = *state;
    void *ringing = test->ringing;
    ringing_end(&ringing);
    spooling_end(&test->spooling);
    hub_release(test);
    return 0;
}

static struct ringing *open_with(void **state, const char *more) {
    struct test *test = *state;
    ringing_open(test->ringing, hub_arena_format(&test->ringing->arena,
                                                 ", while_away: spool, answer: 'heard'%s", more));
    return test->ringing;
}

/* Kafka is away: the session has failed, and nobody polls. */
static void go_away(struct ringing *ringing) {
    ringing->reading.transport->close(ringing->reading.state);
    memset(ringing->reading.state, 0, ringing->reading.transport->state_size);
}

static void come_back(struct ringing *ringing) {
    struct reading *reading = &ringing->reading;
    reading->env.position = ringing->position;
    if (reading->transport->open(reading->state, reading->options, &reading->env,
                                 &reading->error) != HUB_OK)
        fail_msg("%s", reading->error.text);
}

static void kill_now(struct test *test, const char *more) {
    struct ringing *ringing = test->ringing;
    ringing->address = post_free_address(&ringing->arena);
    spooling_kill(&test->spooling, &ringing->reading,
                  ringing_options(ringing, hub_arena_format(&ringing->arena, ", while_away: spool, "
                                                            "answer: 'heard'%s", more)),
                  ringing->position);
}

/* What a sender hears is what its API names, here too. */
static void tell(struct ringing *ringing, const char *form) {
    struct post post = ringing_send(ringing, form);
    ringing_expect(&post, 200, "heard");
}

static void fetch_two(struct ringing *ringing, const char *first, const char *second) {
    assert_int_equal(reading_poll(&ringing->reading), 2);
    assert_string_equal(reading_text(&ringing->reading, 0), first);
    assert_string_equal(reading_text(&ringing->reading, 1), second);
    ringing_commit(ringing);
}

static void a_notice_is_kept_while_kafka_is_away_and_fetched_when_it_is_back(void **state) {
    struct test *test = *state;
    struct ringing *ringing = open_with(state, "");
    ringing_answer(ringing, "/item/a", 200, "one");
    ringing_answer(ringing, "/item/b", 200, "two");
    ringing_rest(ringing);
    go_away(ringing);
    tell(ringing, "record=a");
    tell(ringing, "record=b");
    assert_int_equal(spooling_count(&test->spooling), 2);
    come_back(ringing);
    ringing_take(ringing);
    assert_int_equal(spooling_count(&test->spooling), 0);
    fetch_two(ringing, "one", "two");
}

/* Numbers of notices begin anew with each process, and mean others. */
static void what_a_killed_process_kept_is_fetched_and_what_the_next_kept_too(void **state) {
    struct test *test = *state;
    struct ringing *ringing = open_with(state, "");
    ringing_rest(ringing);
    go_away(ringing);
    tell(ringing, "record=a");
    reading_set_clock(RINGING_START_MS + 1);
    kill_now(test, "");
    go_away(ringing);
    tell(ringing, "record=b");
    kill_now(test, "");
    ringing_take(ringing);
    const char *position = ringing->position;
    assert_non_null(strstr(position, "\"id\":\"a\""));
    assert_non_null(strstr(position, "\"id\":\"b\""));
    assert_int_equal(spooling_count(&test->spooling), 0);
}

static void what_has_no_place_yet_waits_in_the_spool(void **state) {
    struct test *test = *state;
    struct ringing *ringing = open_with(state, ", waiting_max: 2, ids_max: 2");
    ringing_answer(ringing, "/item/a", 200, "one");
    ringing_answer(ringing, "/item/b", 200, "two");
    ringing_answer(ringing, "/item/c", 200, "three");
    ringing_answer(ringing, "/item/d", 200, "four");
    ringing_rest(ringing);
    go_away(ringing);
    tell(ringing, "record=a");
    tell(ringing, "record=b&record=c");
    tell(ringing, "record=d"); /* for which there would be a place */
    come_back(ringing);
    ringing_take(ringing);
    assert_int_equal(spooling_count(&test->spooling), 2);
    ringing_fetch(ringing, "one");
    ringing_take(ringing);
    assert_int_equal(spooling_count(&test->spooling), 1);
    fetch_two(ringing, "two", "three");
    ringing_take(ringing);
    ringing_fetch(ringing, "four");
    assert_int_equal(spooling_count(&test->spooling), 0);
}

/* What waits for a place is not asked for over and over. */
static void while_there_is_no_place_it_rests(void **state) {
    struct test *test = *state;
    struct ringing *ringing = open_with(state, ", waiting_max: 1, ids_max: 1");
    ringing_answer(ringing, "/item/a", 503, "");
    ringing_rest(ringing);
    go_away(ringing);
    tell(ringing, "record=a");
    tell(ringing, "record=b");
    come_back(ringing);
    ringing_take(ringing);
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    ringing_rest(ringing);
    int64_t began_ms = hub_clock_monotonic_ms();
    hub_batch_free(&ringing->reading.batch);
    assert_int_equal(ringing->reading.transport->poll(ringing->reading.state,
                                                      /* timeout_ms= */ 200,
                                                      &ringing->reading.batch,
                                                      &ringing->reading.error), HUB_OK);
    assert_true(hub_clock_monotonic_ms() - began_ms >= 199);
    assert_int_equal(spooling_count(&test->spooling), 1);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_is_kept_while_kafka_is_away_and_fetched_when_it_is_back),
        cmocka_unit_test(what_a_killed_process_kept_is_fetched_and_what_the_next_kept_too),
        cmocka_unit_test(what_has_no_place_yet_waits_in_the_spool),
        cmocka_unit_test(while_there_is_no_place_it_rests),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
