/* server: what the hub answers over HTTP, on a real connection. */
#include "hub/api/server.h"

#include "hub/engine/lookup.h"
#include "hub/io/clock.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct serving {
    struct hub_public_state state;
    struct hub_api api;
    struct sockaddr_in where;
    struct hub_buffer answer;
    struct hub_error error;
};

/* A port that nobody has now. */
static struct sockaddr_in free_port(void) {
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&where, size), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&where, &size), 0);
    close(descriptor);
    return where;
}

static void begin(struct serving *serving) {
    char address[32];
    *serving = (struct serving){.state = {.lock = PTHREAD_MUTEX_INITIALIZER},
                                .where = free_port()};
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(serving->where.sin_port));
    expect_ok(hub_api_open(&serving->api, address, test_catalogue(), &serving->state,
                           &serving->error),
              &serving->error);
}

static void end(struct serving *serving) {
    hub_api_close(&serving->api);
    hub_buffer_free(&serving->answer);
}

/* Sends a request and reads the whole answer; the status. */
static int exchange(struct serving *serving, struct hub_bytes request) {
    char chunk[4096];
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
    assert_int_equal(connect(descriptor, (struct sockaddr *)&serving->where,
                             sizeof serving->where), 0);
    hub_buffer_clear(&serving->answer);
    for (size_t done = 0; done < request.size;) {
        ssize_t sent = send(descriptor, request.data + done, request.size - done, MSG_NOSIGNAL);
        if (sent <= 0)
            break; /* the server has heard enough */
        done += (size_t)sent;
    }
    for (ssize_t got; (got = recv(descriptor, chunk, sizeof chunk, 0)) > 0;)
        hub_buffer_append(&serving->answer, chunk, (size_t)got);
    close(descriptor);
    sscanf(hub_buffer_text(&serving->answer), "HTTP/1.1 %d", &status);
    return status;
}

static int ask(struct serving *serving, const char *method, const char *path, const char *body) {
    HUB_SCOPED_BUFFER request = {0};
    hub_buffer_append_format(&request,
                             "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                             "Content-Length: %zu\r\n\r\n%s",
                             method, path, strlen(body), body);
    return exchange(serving, hub_buffer_bytes(&request));
}

static const char *body_of(struct serving *serving) {
    const char *gap = strstr(hub_buffer_text(&serving->answer), "\r\n\r\n");
    return gap == NULL ? "" : gap + 4;
}

static void set_metrics(struct serving *serving, const char *text) {
    pthread_mutex_lock(&serving->state.lock);
    serving->state.metrics = (char *)text;
    pthread_mutex_unlock(&serving->state.lock);
}

static void it_is_alive_while_the_loop_turns(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/livez", ""), 200); /* it has not begun yet */
    atomic_store(&serving.state.ticked_ms, hub_clock_monotonic_ms());
    assert_int_equal(ask(&serving, "GET", "/livez", ""), 200);
    assert_string_equal(body_of(&serving), "ok\n");
    atomic_store(&serving.state.ticked_ms, hub_clock_monotonic_ms() - 61000);
    assert_int_equal(ask(&serving, "GET", "/livez", ""), 503);
    end(&serving);
}

static void it_is_ready_when_partitions_are_loaded(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/readyz", ""), 503);
    atomic_store(&serving.state.ready, true);
    assert_int_equal(ask(&serving, "GET", "/readyz", ""), 200);
    atomic_store(&serving.state.ready, false);
    assert_int_equal(ask(&serving, "GET", "/readyz", ""), 503);
    end(&serving);
}

/* Prometheus' text format wants the samples of a metric together, under its head. */
static void metrics_stand_together_under_their_heads(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    set_metrics(&serving, "atmp_entities{domain=\"a\"} 1\natmp_statements{domain=\"a\"} 2\n"
                          "atmp_entities{domain=\"b\"} 3\natmp_unheard_of{x=\"y\"} 4\n");
    assert_int_equal(ask(&serving, "GET", "/metrics", ""), 200);
    set_metrics(&serving, NULL);
    assert_says(hub_buffer_text(&serving.answer), "text/plain; version=0.0.4");
    assert_says(body_of(&serving), "# TYPE atmp_entities gauge\natmp_entities{domain=\"a\"} 1\n"
                                   "atmp_entities{domain=\"b\"} 3\n#");
    assert_says(body_of(&serving),
                "# TYPE atmp_statements gauge\natmp_statements{domain=\"a\"} 2\n");
    for (const char *line = body_of(&serving); *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strncmp(line, "# HELP atmp_", 12) == 0 ||
                    strncmp(line, "# TYPE atmp_", 12) == 0 || strncmp(line, "atmp_", 5) == 0);
    end(&serving);
}

static void metrics_without_samples_are_heads_only(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/metrics", ""), 200);
    assert_null(strstr(body_of(&serving), "\natmp_"));
    end(&serving);
}

static void the_versions_are_told(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/version", ""), 200);
    assert_says(hub_buffer_text(&serving.answer), "application/json");
    assert_says(body_of(&serving), "\"librdkafka\":\"");
    end(&serving);
}

static void everything_else_is_the_registry(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/subjects?deleted=true", ""), 200);
    assert_says(hub_buffer_text(&serving.answer), "application/vnd.schemaregistry.v1+json");
    assert_int_equal(ask(&serving, "GET", "/schemas/ids/1", ""), 404);
    assert_int_equal(ask(&serving, "POST", "/subjects/unified.trial-value", "{}"), 404);
    assert_int_equal(ask(&serving, "DELETE", "/subjects/unified.trial-value", ""), 405);
    end(&serving);
}

static void head_has_a_length_and_no_body(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "HEAD", "/subjects", ""), 200);
    assert_string_equal(body_of(&serving), "");
    assert_null(strstr(hub_buffer_text(&serving.answer), "Content-Length: 0\r\n"));
    end(&serving);
}

static void a_body_over_the_limit_is_refused(void **state) {
    struct serving serving;
    HUB_SCOPED_BUFFER body = {0};
    (void)state;
    begin(&serving);
    for (size_t i = 0; i < 1024 * 1024 + 1; i++)
        hub_buffer_append_byte(&body, 'x');
    assert_int_equal(ask(&serving, "POST", "/subjects/unified.trial-value",
                         hub_buffer_text(&body)),
                     413);
    assert_int_equal(ask(&serving, "GET", "/subjects", ""), 200); /* and it goes on */
    end(&serving);
}

static void what_is_no_http_does_not_stop_it(void **state) {
    static const char *const junk[] = {"\r\n\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
                                       "GET / HTTP/9.9\r\n\r\n", "GET /%00%ff HTTP/1.0\r\n\r\n"};
    struct serving serving;
    (void)state;
    begin(&serving);
    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(descriptor, (struct sockaddr *)&serving.where,
                                 sizeof serving.where), 0);
        assert_true(send(descriptor, junk[i], strlen(junk[i]), MSG_NOSIGNAL) > 0);
        close(descriptor);
        assert_int_equal(ask(&serving, "GET", "/livez", ""), 200);
    }
    end(&serving);
}

static void an_address_that_is_none_is_refused(void **state) {
    static const char *const addresses[] = {"", "8081", "127.0.0.1", "127.0.0.1:0",
                                            "127.0.0.1:65536", "127.0.0.1:x", "localhost:8081",
                                            "127.0.0.1:80x", ":8081"};
    struct hub_public_state public_state = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct hub_api api;
    struct hub_error error;
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        expect_refusal(hub_api_open(&api, addresses[i], test_catalogue(), &public_state, &error),
                       HUB_FATAL, &error, "'", "HOST:PORT");
}

static void a_port_that_is_taken_is_told(void **state) {
    struct serving serving;
    struct hub_api second;
    char address[32];
    (void)state;
    begin(&serving);
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(serving.where.sin_port));
    expect_refusal(hub_api_open(&second, address, test_catalogue(), &serving.state,
                                &serving.error),
                   HUB_FATAL, &serving.error, "cannot listen on 127.0.0.1:", "taken");
    end(&serving);
}

/* --- /v1/ --- */

static void what_stands_now_is_not_told_before_it_is_loaded(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/v1/resolve?identifier=nct:NCT01000001", ""), 503);
    assert_int_equal(ask(&serving, "GET", "/v1/entity/trial-0", ""), 503);
    end(&serving);
}

/* The stages' thread may be in a long transaction: the question is taken back, and may come
 * again. */
static void a_question_that_nobody_answers_in_time_is_refused(void **state) {
    struct serving serving;
    struct hub_error error;
    (void)state;
    begin(&serving);
    expect_ok(hub_lookup_new(&serving.state.lookup, &error), &error);
    atomic_store(&serving.state.ready, true);
    assert_int_equal(ask(&serving, "GET", "/v1/entity/trial-0", ""), 503);
    struct hub_task nothing_held = {0};
    expect_ok(hub_lookup_answer(serving.state.lookup, &nothing_held, &error),
              &error); /* too late: nobody waits */
    end(&serving);
    hub_lookup_free(serving.state.lookup);
}

struct answering {
    struct hub_lookup *lookup;
    atomic_bool over;
};

static void *answer_from_no_shard(void *answering_) {
    struct answering *answering = answering_;
    struct hub_task nothing_held = {0};
    struct hub_error error;
    while (!atomic_load(&answering->over)) {
        struct pollfd question = {.fd = hub_lookup_descriptor(answering->lookup),
                                  .events = POLLIN};
        if (poll(&question, 1, /* timeout_ms= */ 10) > 0)
            expect_ok(hub_lookup_answer(answering->lookup, &nothing_held, &error), &error);
    }
    return NULL;
}

static void what_no_shard_knows_is_not_found(void **state) {
    struct serving serving;
    struct answering answering = {0};
    struct hub_error error;
    pthread_t thread;
    (void)state;
    begin(&serving);
    expect_ok(hub_lookup_new(&serving.state.lookup, &error), &error);
    atomic_store(&serving.state.ready, true);
    answering.lookup = serving.state.lookup;
    assert_int_equal(pthread_create(&thread, NULL, answer_from_no_shard, &answering), 0);
    assert_int_equal(ask(&serving, "GET", "/v1/resolve?identifier=nct:NCT01000001", ""), 404);
    assert_int_equal(ask(&serving, "GET", "/v1/entity/trial-0", ""), 404);
    atomic_store(&answering.over, true);
    pthread_join(thread, NULL);
    end(&serving);
    hub_lookup_free(serving.state.lookup);
}

static void a_question_that_is_none_says_what_would_pass(void **state) {
    struct serving serving;
    (void)state;
    begin(&serving);
    assert_int_equal(ask(&serving, "GET", "/v1/resolve", ""), 400);
    assert_non_null(strstr(body_of(&serving), "SCHEME:VALUE"));
    assert_int_equal(ask(&serving, "GET", "/v1/nothing", ""), 404);
    assert_int_equal(ask(&serving, "POST", "/v1/resolve?identifier=nct:NCT01000001", ""), 405);
    end(&serving);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_alive_while_the_loop_turns),
        cmocka_unit_test(it_is_ready_when_partitions_are_loaded),
        cmocka_unit_test(metrics_stand_together_under_their_heads),
        cmocka_unit_test(metrics_without_samples_are_heads_only),
        cmocka_unit_test(the_versions_are_told),
        cmocka_unit_test(everything_else_is_the_registry),
        cmocka_unit_test(head_has_a_length_and_no_body),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
        cmocka_unit_test(what_is_no_http_does_not_stop_it),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(a_port_that_is_taken_is_told),
        cmocka_unit_test(what_stands_now_is_not_told_before_it_is_loaded),
        cmocka_unit_test(a_question_that_nobody_answers_in_time_is_refused),
        cmocka_unit_test(what_no_shard_knows_is_not_found),
        cmocka_unit_test(a_question_that_is_none_says_what_would_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
