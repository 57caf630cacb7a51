/* http_server: what a body may be, and how long anybody may take. */
#include "hub/io/clock.h"
#include "hub/io/http_server.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/post.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SIZE_MAX_BYTES = 1000, WAIT_MS = 20000 };

struct serving {
    struct hub_arena arena;
    const char *address;
    struct hub_http_server *server;
    atomic_uint refused; /* the status that the server refused with last */
    atomic_size_t handled, size;
    pthread_barrier_t together;
};

/* Says how much came and one of the headers. */
static void on_question(void *serving_, const struct hub_http_question *question,
                        struct hub_http_reply *reply) {
    struct serving *serving = serving_;
    const char *colour = hub_http_header(question, "x-colour");
    const char *argument = hub_http_argument(question, "a");
    atomic_store(&serving->size, question->body.size);
    atomic_fetch_add(&serving->handled, 1);
    if (strcmp(question->path, "/together") == 0)
        pthread_barrier_wait(&serving->together);
    reply->status = 200;
    hub_buffer_append_format(&reply->body, "%zu %s %s", question->body.size,
                             colour == NULL ? "-" : colour, argument == NULL ? "-" : argument);
}

static void on_refused(void *serving_, unsigned status) {
    struct serving *serving = serving_;
    atomic_store(&serving->refused, status);
}

static struct serving *open_server(void **state, int64_t body_timeout_ms) {
    struct serving *serving = *state;
    struct hub_error error;
    struct hub_http_server_config config = {.address = serving->address,
                                            .handler = on_question,
                                            .refused = on_refused,
                                            .context = serving,
                                            .waits = true,
                                            .body_size_max_bytes = SIZE_MAX_BYTES,
                                            .body_timeout_ms = body_timeout_ms};
    if (hub_http_server_new(&config, &serving->server, &error) != HUB_OK)
        fail_msg("%s", error.text);
    return serving;
}

static int begin(void **state) {
    struct serving *serving = hub_allocate_zero(1, sizeof *serving);
    serving->address = post_free_address(&serving->arena);
    pthread_barrier_init(&serving->together, NULL, 3);
    *state = serving;
    return 0;
}

static int end(void **state) {
    struct serving *serving = *state;
    hub_http_server_free(serving->server);
    pthread_barrier_destroy(&serving->together);
    hub_arena_destroy(&serving->arena);
    hub_release(serving);
    return 0;
}

static void send_head(struct post *post, struct serving *serving, const char *rest) {
    post_connect(post, serving->address);
    post_send(post, hub_bytes_of_text("POST /x?a=b%20c HTTP/1.1\r\nHost: h\r\nX-Colour: red\r\n"
                                      "Connection: close\r\n"));
    post_send(post, hub_bytes_of_text(rest));
}

static void assert_status(struct post *post, unsigned status) {
    assert_int_equal(post_status(post), status);
    post_close(post);
}

/* The server refuses so, or cuts off without a word. */
static void await_refused(struct serving *serving, struct post *post, unsigned status) {
    unsigned answered = post_status(post);
    assert_true(answered == 0 || answered == status);
    assert_int_equal(atomic_load(&serving->refused), status);
    assert_int_equal(atomic_load(&serving->handled), 0);
    post_close(post);
}

static void a_body_up_to_the_limit_is_handed_over_with_headers_and_arguments(void **state) {
    struct serving *serving = open_server(state, 0);
    HUB_SCOPED_BUFFER body = {0};
    struct post post;
    for (int i = 0; i < SIZE_MAX_BYTES; i++)
        hub_buffer_append_byte(&body, 'x');
    send_head(&post, serving, "Content-Length: 1000\r\n\r\n");
    post_send(&post, hub_buffer_bytes(&body));
    assert_int_equal(post_status(&post), 200);
    assert_non_null(strstr(post_text(&post), "\r\n\r\n1000 red b c"));
    post_close(&post);
}

static void a_body_in_pieces_is_one_body(void **state) {
    struct serving *serving = open_server(state, 0);
    struct post post;
    send_head(&post, serving, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    post_send(&post, hub_bytes_of_text("4\r\ndefg\r\n0\r\n\r\n"));
    assert_status(&post, 200);
    assert_int_equal(atomic_load(&serving->size), 7);
}

static void a_body_a_little_over_the_limit_hears_why(void **state) {
    struct serving *serving = open_server(state, 0);
    HUB_SCOPED_BUFFER body = {0};
    struct post post;
    for (int i = 0; i <= SIZE_MAX_BYTES; i++)
        hub_buffer_append_byte(&body, 'x');
    send_head(&post, serving, "Content-Length: 1001\r\n\r\n");
    post_send(&post, hub_buffer_bytes(&body));
    assert_int_equal(post_status(&post), 413);
    assert_non_null(strstr(post_text(&post), "over the limit of 1000 bytes"));
    post_close(&post);
    assert_int_equal(atomic_load(&serving->refused), 413);
    assert_int_equal(atomic_load(&serving->handled), 0);
}

static void a_body_that_says_it_is_far_too_large_is_not_read(void **state) {
    static const char *const lengths[] = {"2001", "9223372036854775807",
                                          "18446744073709551615"};
    struct serving *serving = open_server(state, 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct post post;
        send_head(&post, serving,
                  hub_arena_format(&serving->arena, "Content-Length: %s\r\n\r\n", lengths[i]));
        assert_status(&post, 413);
    }
    assert_int_equal(atomic_load(&serving->handled), 0);
}

/* Until the server cuts it off; what the kernel holds for both sides is a few megabytes. */
static void an_endless_body_is_cut_off(void **state) {
    enum { ROUNDS_MAX = 1000000 };
    struct serving *serving = open_server(state, 0);
    struct post post;
    int rounds = 0;
    send_head(&post, serving, "Transfer-Encoding: chunked\r\n\r\n");
    while (rounds < ROUNDS_MAX &&
           post_try_send(&post, hub_bytes_of_text("10\r\n0123456789abcdef\r\n")))
        rounds++;
    assert_true(rounds < ROUNDS_MAX);
    await_refused(serving, &post, 413);
}

static void a_slow_body_is_cut_off(void **state) {
    struct serving *serving = open_server(state, /* body_timeout_ms= */ 50);
    struct post post;
    int64_t until_ms = hub_clock_monotonic_ms() + WAIT_MS;
    send_head(&post, serving, "Content-Length: 1000\r\n\r\n");
    while (!post_is_answered(&post, /* timeout_ms= */ 10) && hub_clock_monotonic_ms() < until_ms)
        post_try_send(&post, hub_bytes_of_text("x"));
    await_refused(serving, &post, 408);
}

/* All three are in the handler at one time, or none of them is ever answered. */
static void who_waits_holds_nobody_up(void **state) {
    struct serving *serving = open_server(state, 0);
    struct post posts[3];
    for (int i = 0; i < 3; i++)
        post_request(&posts[i], serving->address, "POST /together HTTP/1.1\n",
                     hub_bytes_of_text("x"));
    for (int i = 0; i < 3; i++)
        assert_status(&posts[i], 200);
}

/* It would wait for ever for a request that never ends. */
static void the_end_waits_for_nobody_who_is_still_sending(void **state) {
    struct serving *serving = open_server(state, 0);
    struct post half, whole;
    send_head(&half, serving, "Content-Length: 1000\r\n\r\nabc");
    post_request(&whole, serving->address, "POST /x HTTP/1.1\n", hub_bytes_of_text("x"));
    assert_status(&whole, 200);
    int64_t began_ms = hub_clock_monotonic_ms();
    hub_http_server_free(serving->server);
    serving->server = NULL;
    assert_true(hub_clock_monotonic_ms() - began_ms < WAIT_MS);
    assert_status(&half, 0);
}

static void an_address_that_is_none_is_refused(void **state) {
    static const char *const none[] = {"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
                                       "localhost:80", ":80", "127.0.0.1:80x", ""};
    struct serving *serving = *state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct hub_http_server_config config = {.address = none[i], .handler = on_question};
        struct hub_error error;
        assert_int_equal(hub_http_server_new(&config, &serving->server, &error), HUB_FATAL);
        assert_non_null(strstr(error.text, "HOST:PORT such as 127.0.0.1:8081 would pass"));
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_up_to_the_limit_is_handed_over_with_headers_and_arguments),
        cmocka_unit_test(a_body_in_pieces_is_one_body),
        cmocka_unit_test(a_body_a_little_over_the_limit_hears_why),
        cmocka_unit_test(a_body_that_says_it_is_far_too_large_is_not_read),
        cmocka_unit_test(an_endless_body_is_cut_off),
        cmocka_unit_test(a_slow_body_is_cut_off),
        cmocka_unit_test(who_waits_holds_nobody_up),
        cmocka_unit_test(the_end_waits_for_nobody_who_is_still_sending),
        cmocka_unit_test(an_address_that_is_none_is_refused),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
