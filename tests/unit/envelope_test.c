/* envelope: CloudEvents 1.0 in Kafka headers. */
#include "schemas/lib/envelope.h"

#include "tests/lib/cmocka.h"

#include <string.h>

static const char *value_of(const struct hub_header *headers, size_t count, const char *name) {
    const char *value = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(headers[i].name, name) == 0) {
            assert_null(value); /* each once */
            value = (const char *)headers[i].value.data;
            assert_int_equal(strlen(value), headers[i].value.size);
        }
    return value;
}

static void an_envelope_has_what_cloudevents_asks_for(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX];
    struct hub_envelope envelope = {.id = "log.trial/0/7",
                                    .source = "urn:atmp:hub:fold",
                                    .type = "atmp.trial.updated",
                                    .subject = "trial-x",
                                    .has_time = true,
                                    .time_ms = 1772409845678};
    size_t count = hub_envelope_headers(&envelope, &arena, headers);
    assert_int_equal(count, HUB_ENVELOPE_HEADERS_MAX);
    assert_string_equal(value_of(headers, count, "ce_specversion"), "1.0");
    assert_string_equal(value_of(headers, count, "ce_id"), "log.trial/0/7");
    assert_string_equal(value_of(headers, count, "ce_source"), "urn:atmp:hub:fold");
    assert_string_equal(value_of(headers, count, "ce_type"), "atmp.trial.updated");
    assert_string_equal(value_of(headers, count, "ce_subject"), "trial-x");
    assert_string_equal(value_of(headers, count, "ce_time"), "2026-03-02T00:04:05.678Z");
    assert_string_equal(value_of(headers, count, "content-type"), "application/avro");
    hub_arena_destroy(&arena);
}

static void a_time_that_is_not_known_is_left_out(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX];
    struct hub_envelope envelope = {
        .id = "i", .source = "s", .type = "t", .subject = "k", .time_ms = 5};
    size_t count = hub_envelope_headers(&envelope, &arena, headers);
    assert_int_equal(count, HUB_ENVELOPE_HEADERS_MAX - 1);
    assert_null(value_of(headers, count, "ce_time"));
    hub_arena_destroy(&arena);
}

static void the_headers_are_copies(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    struct hub_header headers[HUB_ENVELOPE_HEADERS_MAX];
    char id[] = "first";
    struct hub_envelope envelope = {.id = id, .source = "s", .type = "t", .subject = "k"};
    size_t count = hub_envelope_headers(&envelope, &arena, headers);
    id[0] = 'x';
    assert_string_equal(value_of(headers, count, "ce_id"), "first");
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_has_what_cloudevents_asks_for),
        cmocka_unit_test(a_time_that_is_not_known_is_left_out),
        cmocka_unit_test(the_headers_are_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
