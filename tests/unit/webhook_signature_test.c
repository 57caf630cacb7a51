/* webhook_signature: who is believed, by the published vector of Standard Webhooks. */
#include "connectors/transports/webhook_signature.h"
#include "tests/lib/cmocka.h"

#include <string.h>

/* The vector in the tests of every library of standard-webhooks/standard-webhooks. */
static const char published_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char published_id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
static const char published_body[] = "{\"test\": 2432232314}";
static const char published_timestamp[] = "1614265330";
static const char published[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
static const int64_t published_s = 1614265330;

/* 24 bytes of the letter A. */
static const char other_secret[] = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";

struct desk {
    struct hub_arena arena;
    struct hub_webhook_secrets secrets;
    struct hub_error error;
};

static int begin(void **state) {
    *state = hub_allocate_zero(1, sizeof(struct desk));
    return 0;
}

static int end(void **state) {
    struct desk *desk = *state;
    hub_arena_destroy(&desk->arena);
    hub_release(desk);
    return 0;
}

static enum hub_status read_secrets(struct desk *desk, const char *first, const char *second) {
    const char *const texts[] = {first, second, NULL};
    return hub_webhook_secrets_read(texts, &desk->arena, &desk->secrets, &desk->error);
}

static struct hub_webhook_claim claim(void) {
    return (struct hub_webhook_claim){published_id, published_timestamp, published,
                                      hub_bytes_of_text(published_body)};
}

static enum hub_webhook_verdict verify(struct desk *desk, const struct hub_webhook_claim *claim) {
    return hub_webhook_verify(&desk->secrets, claim, published_s, 300, &desk->error);
}

static void assert_signed(struct desk *desk, const char *signatures,
                          enum hub_webhook_verdict wanted) {
    struct hub_webhook_claim said = claim();
    said.signatures = signatures;
    assert_int_equal(verify(desk, &said), wanted);
}

static void the_published_signature_is_believed(void **state) {
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    assert_signed(desk, published, HUB_WEBHOOK_GOOD);
}

static void what_is_signed_here_is_the_published_signature(void **state) {
    struct desk *desk = *state;
    HUB_SCOPED_BUFFER signatures = {0};
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    hub_webhook_sign(&desk->secrets, published_id, published_timestamp,
                     hub_bytes_of_text(published_body), &signatures);
    assert_string_equal(hub_buffer_text(&signatures), published);
}

static void what_is_signed_by_several_is_believed_by_each(void **state) {
    struct desk *desk = *state;
    HUB_SCOPED_BUFFER signatures = {0};
    assert_int_equal(read_secrets(desk, other_secret, published_secret), HUB_OK);
    hub_webhook_sign(&desk->secrets, published_id, published_timestamp,
                     hub_bytes_of_text(published_body), &signatures);
    assert_int_equal(read_secrets(desk, other_secret, NULL), HUB_OK);
    assert_signed(desk, hub_buffer_text(&signatures), HUB_WEBHOOK_GOOD);
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    assert_signed(desk, hub_buffer_text(&signatures), HUB_WEBHOOK_GOOD);
}

static void what_is_signed_cannot_be_changed(void **state) {
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    struct hub_webhook_claim said = claim();
    said.body = hub_bytes_of_text("{\"test\": 2432232315}");
    assert_int_equal(verify(desk, &said), HUB_WEBHOOK_FORGED);
    said = claim();
    said.id = "msg_p5jXN8AQM9LWM0D4loKWxJel";
    assert_int_equal(verify(desk, &said), HUB_WEBHOOK_FORGED);
    said = claim();
    said.timestamp = "1614265331";
    assert_int_equal(verify(desk, &said), HUB_WEBHOOK_FORGED);
    assert_non_null(strstr(desk->error.text, "webhook-signature"));
}

static void a_secret_that_is_not_ours_is_not_believed(void **state) {
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, other_secret, NULL), HUB_OK);
    assert_signed(desk, published, HUB_WEBHOOK_FORGED);
}

static void any_of_several_secrets_is_believed(void **state) {
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, other_secret, published_secret), HUB_OK);
    assert_signed(desk, published, HUB_WEBHOOK_GOOD);
    const char both[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
                        "  whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n";
    assert_int_equal(read_secrets(desk, both, NULL), HUB_OK);
    assert_int_equal(desk->secrets.count, 2);
    assert_signed(desk, published, HUB_WEBHOOK_GOOD);
}

static void one_of_several_signatures_is_enough(void **state) {
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    assert_signed(desk,
                  "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= v1a,x  "
                  "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= ",
                  HUB_WEBHOOK_GOOD);
}

static void signatures_behind_the_eighth_are_not_looked_at(void **state) {
    struct desk *desk = *state;
    char many[512] = "";
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    for (int i = 0; i < HUB_WEBHOOK_SIGNATURES_MAX - 1; i++)
        strcat(many, "x ");
    strcat(many, published);
    assert_signed(desk, many, HUB_WEBHOOK_GOOD);
    memmove(many + 2, many, strlen(many) + 1);
    memcpy(many, "x ", 2);
    assert_signed(desk, many, HUB_WEBHOOK_FORGED);
}

static void what_is_no_signature_of_version_1_is_passed_over(void **state) {
    static const char *const none[] = {
        "",
        " ",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE==",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=,",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1 g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,G0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1Oe=",
    };
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_signed(desk, none[i], HUB_WEBHOOK_FORGED);
}

static void a_header_that_is_missing_or_none_is_named(void **state) {
    static const char *const ids[] = {NULL, "", "a.b", "a b", "a\tb", "\xc3\xa5", "a\x7f"};
    static const char *const times[] = {NULL, "",     "now", "-1",   "+1614265330", "1614265330.0",
                                        " 1", "0x10", "1e9", "1614265330000000"};
    char longest[HUB_WEBHOOK_ID_SIZE_MAX + 2];
    struct desk *desk = *state;
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct hub_webhook_claim said = claim();
        said.id = ids[i];
        assert_int_equal(verify(desk, &said), HUB_WEBHOOK_UNSIGNED);
        assert_non_null(strstr(desk->error.text, "webhook-id"));
    }
    memset(longest, 'a', sizeof longest);
    longest[HUB_WEBHOOK_ID_SIZE_MAX + 1] = '\0';
    struct hub_webhook_claim said = claim();
    said.id = longest;
    assert_int_equal(verify(desk, &said), HUB_WEBHOOK_UNSIGNED);
    longest[HUB_WEBHOOK_ID_SIZE_MAX] = '\0';
    assert_int_equal(verify(desk, &said), HUB_WEBHOOK_FORGED);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        said = claim();
        said.timestamp = times[i];
        assert_int_equal(verify(desk, &said), HUB_WEBHOOK_UNSIGNED);
        assert_non_null(strstr(desk->error.text, "webhook-timestamp"));
    }
    assert_signed(desk, NULL, HUB_WEBHOOK_UNSIGNED);
    assert_non_null(strstr(desk->error.text, "webhook-signature"));
}

static void only_what_is_of_now_passes(void **state) {
    struct desk *desk = *state;
    struct hub_webhook_claim said = claim();
    assert_int_equal(read_secrets(desk, published_secret, NULL), HUB_OK);
    const struct {
        int64_t now_s;
        enum hub_webhook_verdict verdict;
        const char *says;
    } clocks[] = {{published_s + 300, HUB_WEBHOOK_GOOD, ""},
                  {published_s - 300, HUB_WEBHOOK_GOOD, ""},
                  {published_s + 301, HUB_WEBHOOK_OLD, "301 s in the past; at most 300"},
                  {published_s - 301, HUB_WEBHOOK_NEW, "301 s in the future; at most 300"}};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        desk->error.text[0] = '\0';
        assert_int_equal(hub_webhook_verify(&desk->secrets, &said, clocks[i].now_s, 300,
                                            &desk->error),
                         clocks[i].verdict);
        assert_non_null(strstr(desk->error.text, clocks[i].says));
    }
}

static void what_is_no_secret_is_told_by_its_number_and_never_itself(void **state) {
    static const char *const none[] = {
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",           /* no prefix */
        "whsec_",                                     /* nothing */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",      /* no base64 */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==",     /* 22 bytes, of 24 at least */
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    };
    struct desk *desk = *state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(read_secrets(desk, published_secret, none[i]), HUB_FATAL);
        assert_non_null(strstr(desk->error.text, "secret 2 is none"));
        assert_null(strstr(desk->error.text, "MfKQ"));
    }
    assert_int_equal(read_secrets(desk, " \n", NULL), HUB_FATAL);
    assert_non_null(strstr(desk->error.text, "there is no secret"));
}

static void a_secret_has_at_most_64_bytes_and_there_are_at_most_eight(void **state) {
    struct desk *desk = *state;
    HUB_SCOPED_BUFFER text = {0};
    for (int i = 0; i < 22; i++) /* 66 bytes */
        hub_buffer_append_text(&text, i == 0 ? "whsec_QUFB" : "QUFB");
    assert_int_equal(read_secrets(desk, hub_buffer_text(&text), NULL), HUB_FATAL);
    hub_buffer_clear(&text);
    for (int i = 0; i < HUB_WEBHOOK_SECRETS_MAX; i++)
        hub_buffer_append_format(&text, "%s ", other_secret);
    assert_int_equal(read_secrets(desk, hub_buffer_text(&text), NULL), HUB_OK);
    assert_int_equal(read_secrets(desk, hub_buffer_text(&text), other_secret), HUB_FATAL);
    assert_non_null(strstr(desk->error.text, "more than 8 secrets"));
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_signature_is_believed),
        cmocka_unit_test(what_is_signed_here_is_the_published_signature),
        cmocka_unit_test(what_is_signed_by_several_is_believed_by_each),
        cmocka_unit_test(what_is_signed_cannot_be_changed),
        cmocka_unit_test(a_secret_that_is_not_ours_is_not_believed),
        cmocka_unit_test(any_of_several_secrets_is_believed),
        cmocka_unit_test(one_of_several_signatures_is_enough),
        cmocka_unit_test(signatures_behind_the_eighth_are_not_looked_at),
        cmocka_unit_test(what_is_no_signature_of_version_1_is_passed_over),
        cmocka_unit_test(a_header_that_is_missing_or_none_is_named),
        cmocka_unit_test(only_what_is_of_now_passes),
        cmocka_unit_test(what_is_no_secret_is_told_by_its_number_and_never_itself),
        cmocka_unit_test(a_secret_has_at_most_64_bytes_and_there_are_at_most_eight),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
