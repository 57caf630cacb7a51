/* notify-pull: what is turned away, what cannot be had, and configurations that are refused. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/ringing.h"

#include <stdlib.h>
#include <string.h>

static const char form_type[] = "Content-Type: application/x-www-form-urlencoded\n";
#define PATH "/in/AAAAAAAAAAAAAAAAAAAAAAAA"

static void wait_for(int64_t milliseconds) {
    reading_set_clock(reading_clock() + milliseconds);
}

static void assert_turned_away(struct ringing *ringing, const char *line, const char *type,
                               const char *form, unsigned status, const char *says) {
    struct post post;
    post_request(&post, ringing->address,
                 hub_arena_format(&ringing->arena, "%s HTTP/1.1\n%s", line, type),
                 hub_bytes_of_text(form));
    ringing_expect(&post, status, says);
    ringing_rest(ringing);
}

/* --- turned away --- */

static void what_is_no_notice_is_turned_away(void **state) {
    static const struct {
        const char *line, *type, *form;
        unsigned status;
        const char *says;
    } cases[] = {
        {"POST /in", form_type, "record=a", 404, "nothing is here"},
        {"POST /in/", form_type, "record=a", 404, "nothing is here"},
        {"POST /other", form_type, "record=a", 404, "nothing is here"},
        {"POST /in/AAAAAAAAAAAAAAAAAAAAAAAB", form_type, "record=a", 404, "nothing is here"},
        {"POST " PATH "A", form_type, "record=a", 404, "nothing is here"},
        {"POST /inn/AAAAAAAAAAAAAAAAAAAAAAAA", form_type, "record=a", 404, "nothing is here"},
        {"GET " PATH, form_type, "", 405, "Allow: POST"},
        {"POST " PATH, "", "record=a", 415, "x-www-form-urlencoded would pass"},
        {"POST " PATH, "Content-Type: application/json\n", "record=a", 415, "would pass"},
        {"POST " PATH, form_type, "", 400, "no record; a form that has one would pass"},
        {"POST " PATH, form_type, "record=%00", 400, "record is no name"},
        {"POST " PATH, form_type, "record=a&record=b&record=c", 400, "more than 2 of record"},
    };
    struct ringing *ringing = *state;
    ringing_open(ringing, ", ids_max: 2");
    ringing_rest(ringing);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_turned_away(ringing, cases[i].line, cases[i].type, cases[i].form, cases[i].status,
                           cases[i].says);
    ringing_answer(ringing, "/item/a", 200, "one");
    ringing_tell(ringing, "record=a"); /* and the next one passes */
    json_error_t error;
    json_t *position = json_loads(ringing->position, 0, &error);
    expect_json(position, "turned_away", "{'path': 6, 'method': 1, 'type': 2, 'notice': 3}");
    json_decref(position);
    ringing_fetch(ringing, "one");
}

static void a_form_over_its_limit_is_turned_away(void **state) {
    struct ringing *ringing = *state;
    HUB_SCOPED_BUFFER form = {0};
    ringing_open(ringing, ", notice_size_max_bytes: 1024");
    hub_buffer_append_text(&form, "record=a&noise=");
    while (form.size <= 1024)
        hub_buffer_append_byte(&form, 'x');
    assert_turned_away(ringing, "POST " PATH, form_type, hub_buffer_text(&form), 413, "1024");
}

static void senders_from_elsewhere_are_turned_away(void **state) {
    struct ringing *ringing = *state;
    ringing_open(ringing, ", senders: [192.0.2.0/24]");
    assert_turned_away(ringing, "POST " PATH, form_type, "record=a", 403, "an address of senders");
    ringing_kill(ringing, ", senders: [192.0.2.0/24, 127.0.0.0/8]");
    ringing_tell(ringing, "record=a");
}

static void a_secret_is_replaced_without_a_gap(void **state) {
    struct ringing *ringing = *state;
    setenv("HUB_TEST_OTHER", "BBBBBBBBBBBBBBBB", /* overwrite= */ 1);
    const char *options = hub_arena_format(
        &ringing->arena, "{listen: '%s', path: /in/, secrets: ['${env:HUB_TEST_OTHER}', "
        "'${env:HUB_TEST_SECRET}'], url: '%s', ids: items.id, get: '/item/{id}', id_field: record, "
        "answer: '<cnr-response/>', answer_type: application/xml}", ringing->address,
        web_url(ringing->web, "/list"));
    reading_open(&ringing->reading, "notify-pull", options, NULL);
    struct post post = ringing_send(ringing, "record=a");
    ringing_take(ringing);
    ringing_expect(&post, 200, "<cnr-response/>");
    post_request(&post, ringing->address,
                 "POST /in/BBBBBBBBBBBBBBBB HTTP/1.1\nContent-Type: "
                 "application/x-www-form-urlencoded\n", hub_bytes_of_text("record=a"));
    ringing_take(ringing);
    ringing_expect(&post, 200, "Content-Type: application/xml");
}

static void only_so_many_ids_are_taken_in_a_minute(void **state) {
    struct ringing *ringing = *state;
    ringing_open(ringing, ", ids_per_minute_max: 3");
    ringing_tell(ringing, "record=a&record=b");
    struct post post = ringing_send(ringing, "record=c&record=d");
    ringing_expect(&post, 429, "Retry-After: 60");
    post = ringing_send(ringing, "record=c");
    ringing_take(ringing);
    ringing_expect(&post, 200, "taken");
    post = ringing_send(ringing, "record=d");
    ringing_expect(&post, 429, "too many ids in this minute");
    wait_for(60000);
    post = ringing_send(ringing, "record=d");
    ringing_take(ringing);
    ringing_expect(&post, 200, "taken");
}

static void only_so_many_ids_wait(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 503, "");
    ringing_answer(ringing, "/item/b", 503, "");
    ringing_open(ringing, ", waiting_max: 2, ids_max: 2, answer_timeout_ms: 600000");
    ringing_tell(ringing, "record=a&record=b");
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    struct post post = ringing_send(ringing, "record=c");
    while (ringing->reading.batch.note == NULL)
        ringing_rest(ringing);
    assert_non_null(strstr(ringing->reading.batch.note, "are answered with 503"));
    ringing_expect(&post, 503, "Retry-After: 10");
    ringing_answer(ringing, "/item/a", 200, "one");
    wait_for(1000);
    ringing_fetch(ringing, "one");
    ringing_tell(ringing, "record=c");
}

static void what_has_no_place_is_refused_and_what_came_with_it_is_taken(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 503, "");
    ringing_open(ringing, ", waiting_max: 2, ids_max: 2, while_away: wait, "
                          "answer_timeout_ms: 600000");
    ringing_tell(ringing, "record=a");
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    struct post large = ringing_send(ringing, "record=b&record=c");
    struct post small = ringing_send(ringing, "record=d");
    ringing_take(ringing);
    while (!post_is_answered(&large, /* timeout_ms= */ 0)) /* or the other way round */
        (void)reading_try(&ringing->reading);
    ringing_expect(&small, 200, "taken");
    ringing_expect(&large, 503, "Retry-After: 10");
}

/* --- while Kafka is away --- */

static void while_kafka_is_away_a_notice_is_refused_at_once(void **state) {
    struct ringing *ringing = *state;
    ringing_open(ringing, "");
    ringing->reading.transport->close(ringing->reading.state);
    struct post post = ringing_send(ringing, "record=a");
    ringing_expect(&post, 503, "Retry-After: 10");
    memset(ringing->reading.state, 0, ringing->reading.transport->state_size);
    assert_int_equal(ringing->reading.transport->open(ringing->reading.state,
                                                      ringing->reading.options,
                                                      &ringing->reading.env,
                                                      &ringing->reading.error),
                     HUB_OK);
    ringing_tell(ringing, "record=a");
}

static void while_kafka_is_away_a_notice_may_wait(void **state) {
    struct ringing *ringing = *state;
    ringing_open(ringing, ", while_away: wait");
    ringing->reading.transport->close(ringing->reading.state);
    struct post post = ringing_send(ringing, "record=a");
    assert_false(post_is_answered(&post, /* timeout_ms= */ 100));
    memset(ringing->reading.state, 0, ringing->reading.transport->state_size);
    assert_int_equal(ringing->reading.transport->open(ringing->reading.state,
                                                      ringing->reading.options,
                                                      &ringing->reading.env,
                                                      &ringing->reading.error),
                     HUB_OK);
    ringing_take(ringing);
    ringing_expect(&post, 200, "taken");
}

static void what_is_not_safe_in_time_is_refused(void **state) {
    struct ringing *ringing = *state;
    ringing_open(ringing, ", answer_timeout_ms: 100");
    struct post post = ringing_send(ringing, "record=a");
    ringing_expect(&post, 503, "not now");
}

/* --- what cannot be had --- */

static void what_is_gone_or_not_given_is_a_dead_letter_and_the_rest_comes(void **state) {
    static const struct {
        unsigned status;
        const char *why, *code;
    } cases[] = {{404, "HTTP 404: it was told of, and gone", "GONE"},
                 {410, "HTTP 410: it was told of, and gone", "GONE"},
                 {403, "HTTP 403: it was told of, and not given", "HTTP"},
                 {302, "HTTP 302: it was told of, and not given", "HTTP"},
                 {422, "HTTP 422: it was told of, and not given", "HTTP"}};
    struct ringing *ringing = *state;
    ringing_open(ringing, "");
    ringing_rest(ringing);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ringing_answer(ringing, "/item/a", cases[i].status, "");
        ringing_tell(ringing, "record=a");
        ringing_refuse(ringing, cases[i].why, cases[i].code);
    }
    ringing_answer(ringing, "/item/b", 200, "two");
    ringing_tell(ringing, "record=b");
    ringing_fetch(ringing, "two");
}

static void whoever_is_not_let_in_is_for_a_person(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 401, "");
    ringing_open(ringing, "");
    ringing_tell(ringing, "record=a");
    assert_int_equal(reading_try(&ringing->reading), HUB_FATAL);
}

static void what_cannot_be_had_stalls_neither_the_others_nor_the_sweep(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 500, "");
    ringing_answer(ringing, "/item/b", 500, "");
    ringing_answer(ringing, "/item/c", 200, "three");
    ringing_answer(ringing, "/list", 200, "{\"items\": [{\"id\": \"d\"}]}");
    ringing_answer(ringing, "/item/d", 200, "swept");
    ringing_open(ringing, "");
    ringing_fetch(ringing, "swept");
    ringing_tell(ringing, "record=a&record=b&record=c");
    ringing_fetch(ringing, "three");
    ringing_rest(ringing); /* a and b are left alone for a while */
    assert_int_equal(ringing_asked(ringing, "/item/a"), 1);
    wait_for(RINGING_INTERVAL_MS);
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    assert_int_equal(ringing->reading.batch.retry_after_ms, 0);
    assert_int_equal(ringing_asked(ringing, "/item/b"), 2);
    ringing_fetch(ringing, "swept");
}

static void a_source_that_asks_to_be_left_alone_is(void **state) {
    static const struct web_answer busy = {429, "", {"Retry-After: 90"}};
    struct ringing *ringing = *state;
    web_route(ringing->web, "/item/a", &busy);
    ringing_open(ringing, "");
    ringing_tell(ringing, "record=a");
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    ringing_answer(ringing, "/item/a", 200, "one");
    wait_for(89999);
    ringing_rest(ringing);
    wait_for(1);
    ringing_fetch(ringing, "one");
}

static void what_cannot_be_had_for_long_is_given_up(void **state) {
    struct ringing *ringing = *state;
    ringing_answer(ringing, "/item/a", 500, "");
    ringing_open(ringing, ", give_up_ms: 100000");
    ringing_tell(ringing, "record=a");
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    wait_for(99999);
    assert_int_equal(reading_try(&ringing->reading), HUB_RETRY);
    wait_for(2000);
    ringing_refuse(ringing, "could not be had in time: http://127.0.0.1", "HTTP");
    ringing_rest(ringing);
}

/* --- configurations --- */

static void options_that_make_no_sense_are_refused(void **state) {
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"url: 'http://a/', id_field: x, secrets: '${env:HUB_TEST_SECRET}'",
         "'/items/{id}' would pass"},
        {"url: 'http://a/', id_field: x, secrets: '${env:HUB_TEST_SECRET}', get: '{id}'",
         "'/items/{id}' would pass"},
        {"url: 'http://a/', id_field: x, secrets: '${env:HUB_TEST_SECRET}', get: '/{hei}'",
         "{hei} has no value"},
        {"url: 'http://a/', id_field: x, secrets: '${env:HUB_TEST_SECRET}', get: '/', get_body: "
         "'{\"id\": {id}}'", "{id} stands outside of quotes"},
        {"url: 'http://a/', id_field: x, get: '/{id}'", "anybody could send notices"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SHORT}'",
         "number 1 has less than 16 characters"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SECRET}', path: in",
         "one that begins with / would pass"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SECRET}', listen: "
         "'0.0.0.0:1'", "without notice_tls_certificate"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SECRET}', "
         "notice_tls_key: k", "notice_tls_certificate and notice_tls_key need each other"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SECRET}', "
         "senders: [here]", "'here' is no IPv4 address"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SECRET}', "
         "waiting_max: 5", "ids_max 100 is more than waiting_max 5"},
        {"url: 'http://a/', id_field: x, get: '/{id}', secrets: '${env:HUB_TEST_SECRET}', "
         "sweep_parameter: hei", "need each other"},
    };
    struct ringing *ringing = *state;
    setenv("HUB_TEST_SHORT", "123456789012345", /* overwrite= */ 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = reading_refusal(
            &ringing->reading, "notify-pull",
            hub_arena_format(&ringing->arena, "{%s}", cases[i].text), NULL);
        if (strstr(why, cases[i].error) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].error, why);
        reading_close(&ringing->reading);
        ringing->reading.transport = NULL;
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_notice_is_turned_away),
        cmocka_unit_test(a_form_over_its_limit_is_turned_away),
        cmocka_unit_test(senders_from_elsewhere_are_turned_away),
        cmocka_unit_test(a_secret_is_replaced_without_a_gap),
        cmocka_unit_test(only_so_many_ids_are_taken_in_a_minute),
        cmocka_unit_test(only_so_many_ids_wait),
        cmocka_unit_test(what_has_no_place_is_refused_and_what_came_with_it_is_taken),
        cmocka_unit_test(while_kafka_is_away_a_notice_is_refused_at_once),
        cmocka_unit_test(while_kafka_is_away_a_notice_may_wait),
        cmocka_unit_test(what_is_not_safe_in_time_is_refused),
        cmocka_unit_test(what_is_gone_or_not_given_is_a_dead_letter_and_the_rest_comes),
        cmocka_unit_test(whoever_is_not_let_in_is_for_a_person),
        cmocka_unit_test(what_cannot_be_had_stalls_neither_the_others_nor_the_sweep),
        cmocka_unit_test(a_source_that_asks_to_be_left_alone_is),
        cmocka_unit_test(what_cannot_be_had_for_long_is_given_up),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = ringing_begin;
        tests[i].teardown_func = ringing_end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
