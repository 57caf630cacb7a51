/* http_client: what outside may send is bounded in size and time. */
#include "hub/io/http_client.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/web.h"

/* gzip (RFC 1952) of {"compressed": true}, and of 200,000 letters x. */
static const unsigned char small_gzip[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0xce, 0xcf,
    0x2d, 0x28, 0x4a, 0x2d, 0x2e, 0x4e, 0x4d, 0x51, 0xb2, 0x52, 0x28, 0x29, 0x2a, 0x4d, 0xad,
    0x05, 0x00, 0xbd, 0xa5, 0x2c, 0x2d, 0x14, 0x00, 0x00, 0x00,
};
static const unsigned char bomb_gzip[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0x00,
    0x00, 0x00, 0xc2, 0xa0, 0xda, 0x8b, 0x6f, 0x06, 0x7f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0xd7, 0x00, 0x72, 0x02, 0xbf, 0x51,
    0x40, 0x0d, 0x03, 0x00,
};

struct asking {
    struct web *web;
    struct hub_http_client *client;
    struct hub_arena arena;
    struct hub_http_answer answer;
    struct hub_error error;
};

static int begin(void **state) {
    struct asking *asking = hub_allocate_zero(1, sizeof *asking);
    *state = asking;
    return hub_http_client_new(/* tls= */ NULL, &asking->client, &asking->error) != HUB_OK;
}

static int end(void **state) {
    struct asking *asking = *state;
    hub_http_client_free(asking->client);
    web_stop(asking->web);
    hub_arena_destroy(&asking->arena);
    hub_release(asking);
    return 0;
}

static enum hub_status ask(struct asking *asking, const struct web_answer *answer) {
    asking->web = web_start(answer, 1);
    struct hub_http_request request = {
        .url = web_url(asking->web, "/"), .timeout_ms = 300, .size_max = 100000};
    return hub_http_ask(asking->client, &request, &asking->arena, &asking->answer,
                        &asking->error);
}

static void assert_told(const struct asking *asking, const char *text) {
    if (strstr(asking->error.text, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, asking->error.text);
}

static void a_compressed_body_is_unpacked(void **state) {
    static const struct web_answer answer = {
        200, (const char *)small_gzip, {"Content-Encoding: gzip", "!size 40"}};
    struct asking *asking = *state;
    assert_int_equal(ask(asking, &answer), HUB_OK);
    assert_true(hub_bytes_equal_text(asking->answer.body, "{\"compressed\": true}"));
    assert_string_equal(web_header(asking->web, 0, "Accept-Encoding"), "gzip, deflate");
}

static void a_compressed_body_is_bounded_by_what_it_holds(void **state) {
    static const struct web_answer answer = {
        200, (const char *)bomb_gzip, {"Content-Encoding: gzip", "!size 229"}};
    struct asking *asking = *state;
    assert_int_equal(ask(asking, &answer), HUB_REJECT);
    assert_told(asking, "the answer passes the limit of 100000 bytes");
}

static void a_compressed_body_that_is_none_is_tried_again(void **state) {
    static const struct web_answer answer = {200, "no gzip", {"Content-Encoding: gzip"}};
    struct asking *asking = *state;
    assert_int_equal(ask(asking, &answer), HUB_RETRY);
}

static void an_endless_body_is_bounded_by_its_size(void **state) {
    static const struct web_answer answer = {200, "and again ", {"!endless"}};
    struct asking *asking = *state;
    assert_int_equal(ask(asking, &answer), HUB_REJECT);
    assert_told(asking, "the answer passes the limit of 100000 bytes");
}

static void a_body_that_does_not_come_to_its_end_is_bounded_by_time(void **state) {
    static const struct web_answer answer = {200, "and then", {"!stalls"}};
    struct asking *asking = *state;
    assert_int_equal(ask(asking, &answer), HUB_RETRY);
    assert_told(asking, "Timeout was reached");
}

static void a_header_is_bounded(void **state) {
    static char header[9000] = "ETag: ";
    const struct web_answer answer = {200, "", {header}};
    struct asking *asking = *state;
    memset(header + 6, 'x', sizeof header - 7);
    assert_int_equal(ask(asking, &answer), HUB_RETRY);
}

static void several_answers_come_in_the_order_of_the_questions(void **state) {
    static const struct web_answer answers[] = {
        {200, "x", {0}}, {200, "x", {0}}, {200, "x", {0}}, {200, "x", {0}}, {404, "", {0}}};
    struct asking *asking = *state;
    struct hub_http_request requests[5];
    struct hub_http_result results[5];
    asking->web = web_start(answers, 5);
    for (size_t i = 0; i < 5; i++)
        requests[i] = (struct hub_http_request){
            .url = i == 2 ? "http://127.0.0.1:1/" : web_url(asking->web, "/"),
            .timeout_ms = 5000,
            .size_max = 100};
    requests[3].url = "gopher://127.0.0.1/";
    hub_http_ask_all(asking->client, requests, 5, 2, &asking->arena, results);
    assert_int_equal(results[0].answer.status, 200);
    assert_int_equal(results[1].answer.status, 200);
    assert_int_equal(results[2].status, HUB_RETRY);
    assert_non_null(strstr(results[2].error.text, "http://127.0.0.1:1/: "));
    assert_int_equal(results[3].status, HUB_FATAL);
    assert_int_equal(results[4].answer.status, 200);
}

static void only_https_and_this_machine_are_private(void **state) {
    static const struct {
        const char *url;
        bool private;
    } cases[] = {
        {"https://a.example/token", true},
        {"http://127.0.0.1:80/", true},
        {"http://localhost/", true},
        {"http://[::1]/", true},
        {"http://a.example/", false},
        {"http://127.0.0.1.a.example/", false},
        {"ftp://127.0.0.1/", false},
        {"token", false},
    };
    struct asking *asking = *state;
    asking->web = web_start(NULL, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hub_http_is_private(cases[i].url), cases[i].private);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compressed_body_is_unpacked),
        cmocka_unit_test(a_compressed_body_is_bounded_by_what_it_holds),
        cmocka_unit_test(a_compressed_body_that_is_none_is_tried_again),
        cmocka_unit_test(an_endless_body_is_bounded_by_its_size),
        cmocka_unit_test(a_body_that_does_not_come_to_its_end_is_bounded_by_time),
        cmocka_unit_test(a_header_is_bounded),
        cmocka_unit_test(several_answers_come_in_the_order_of_the_questions),
        cmocka_unit_test(only_https_and_this_machine_are_private),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
