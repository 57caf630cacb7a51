/* entry: what goes into a stage and what comes out of it. */
#include "hub/stages/entry.h"
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <string.h>

static struct hub_bytes header_of(const struct hub_output *output, const char *name) {
    struct hub_input as_input = {.headers = output->headers, .header_count = output->header_count};
    return hub_input_header(&as_input, name);
}

static void outputs_keep_their_order_and_their_own_copies(void **state) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    char key[16];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key %d", i);
        hub_outputs_add(&outputs, HUB_OUTPUT_LOG, i, hub_bytes_of_text(key));
    }
    assert_int_equal(outputs.count, 100);
    assert_true(hub_bytes_equal_text(outputs.items[0].key, "key 0"));
    assert_true(hub_bytes_equal_text(outputs.items[99].key, "key 99"));
    assert_int_equal(outputs.items[99].partition, 99);
    hub_arena_destroy(&arena);
}

static void a_key_without_data_is_no_key(void **state) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    (void)state;
    assert_false(hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes(NULL, 0))->has_key);
    assert_true(hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes("", 0))->has_key);
    hub_arena_destroy(&arena);
}

static void values_are_copied_and_names_of_headers_kept(void **state) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    HUB_SCOPED_BUFFER value = {0};
    char text[16], names[40][16];
    (void)state;
    struct hub_output *output =
        hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes_of_text("key"));
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "name %d", i);
        snprintf(text, sizeof text, "text %d", i);
        hub_output_header_text(&outputs, output, names[i], text);
    }
    hub_buffer_append_text(&value, "value");
    hub_output_value(&outputs, output, &value);
    memset(value.data, 'x', value.size);
    assert_true(hub_bytes_equal_text(output->value, "value"));
    assert_int_equal(output->header_count, 40);
    assert_ptr_equal(output->headers[39].name, names[39]);
    assert_true(hub_bytes_equal_text(header_of(output, "name 0"), "text 0"));
    assert_true(hub_bytes_equal_text(header_of(output, "name 39"), "text 39"));
    hub_arena_destroy(&arena);
}

static void what_is_kept_stays_where_it_is(void **state) {
    static const char key[] = "key", value[] = "value";
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    (void)state;
    struct hub_output *output =
        hub_outputs_add_kept(&outputs, HUB_OUTPUT_LOG, 3, hub_bytes_of_text(key));
    hub_output_header_kept(&outputs, output, "name", hub_bytes_of_text(value));
    assert_ptr_equal(output->key.data, key);
    assert_ptr_equal(output->headers[0].value.data, value);
    assert_true(output->has_key);
    assert_int_equal(output->partition, 3);
    assert_false(hub_outputs_add_kept(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes(NULL, 0))->has_key);
    hub_arena_destroy(&arena);
}

static void an_envelope_of_texts_that_stay_is_the_same(void **state) {
    const struct hub_input cause = {0};
    const struct hub_envelope envelope = {
        .id = "i", .source = "s", .type = "t", .subject = "u", .has_time = true, .time_ms = 5};
    const struct hub_envelope_texts texts = {.id = hub_bytes_of_text("i"),
                                             .source = hub_bytes_of_text("s"),
                                             .type = hub_bytes_of_text("t"),
                                             .subject = hub_bytes_of_text("u"),
                                             .time = hub_bytes_of_text("1970-01-01T00:00:00.005Z")};
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    (void)state;
    hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes_of_text("a"));
    hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes_of_text("b"));
    struct hub_output *a = &outputs.items[0], *b = &outputs.items[1];
    for (int i = 0; i < 2; i++) { /* also where there is no room left */
        hub_output_envelope(&outputs, a, &envelope, &cause);
        hub_output_envelope_of(&outputs, b, &texts, &cause);
    }
    assert_int_equal(a->header_count, 2 * HUB_ENVELOPE_HEADERS_MAX);
    assert_int_equal(b->header_count, a->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        assert_string_equal(a->headers[i].name, b->headers[i].name);
        assert_true(hub_bytes_equal(a->headers[i].value, b->headers[i].value));
    }
    hub_arena_destroy(&arena);
}

static void a_header_that_is_not_there_has_no_data(void **state) {
    const struct hub_header headers[] = {{"other", hub_bytes("x", 1)}, {"empty", hub_bytes("", 0)}};
    struct hub_input input = {.headers = headers, .header_count = 2};
    (void)state;
    assert_null(hub_input_header(&input, "none").data);
    assert_non_null(hub_input_header(&input, "empty").data);
    assert_int_equal(hub_input_header(&input, "empty").size, 0);
}

static void an_envelope_is_cloudevents_and_passes_the_trace_on(void **state) {
    static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const struct hub_header headers[] = {{"traceparent", hub_bytes_of_text(trace)}};
    struct hub_input cause = {.headers = headers, .header_count = 1};
    struct hub_envelope envelope = {.id = "an-id",
                                    .source = "urn:atmp:hub:admit",
                                    .type = "atmp.trial.registered",
                                    .subject = "sus/ctgov/1",
                                    .has_time = true,
                                    .time_ms = 1767225600000};
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    (void)state;
    struct hub_output *output =
        hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes_of_text("key"));
    hub_output_envelope(&outputs, output, &envelope, &cause);
    assert_true(hub_bytes_equal_text(header_of(output, "ce_specversion"), "1.0"));
    assert_true(hub_bytes_equal_text(header_of(output, "ce_id"), "an-id"));
    assert_true(hub_bytes_equal_text(header_of(output, "ce_source"), "urn:atmp:hub:admit"));
    assert_true(hub_bytes_equal_text(header_of(output, "ce_type"), "atmp.trial.registered"));
    assert_true(hub_bytes_equal_text(header_of(output, "ce_subject"), "sus/ctgov/1"));
    assert_true(hub_bytes_equal_text(header_of(output, "ce_time"), "2026-01-01T00:00:00.000Z"));
    assert_true(hub_bytes_equal_text(header_of(output, "content-type"), "application/avro"));
    assert_true(hub_bytes_equal_text(header_of(output, "traceparent"), trace));
    hub_arena_destroy(&arena);
}

static void without_a_trace_none_is_made_up(void **state) {
    struct hub_input cause = {0};
    struct hub_envelope envelope = {.id = "i", .source = "s", .type = "t", .subject = "u"};
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    (void)state;
    struct hub_output *output =
        hub_outputs_add(&outputs, HUB_OUTPUT_LOG, 0, hub_bytes_of_text("key"));
    hub_output_envelope(&outputs, output, &envelope, &cause);
    assert_null(header_of(output, "traceparent").data);
    assert_null(header_of(output, "ce_time").data);
    hub_output_envelope(&outputs, output, &envelope, NULL);
    assert_null(header_of(output, "traceparent").data);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_keep_their_order_and_their_own_copies),
        cmocka_unit_test(a_key_without_data_is_no_key),
        cmocka_unit_test(values_are_copied_and_names_of_headers_kept),
        cmocka_unit_test(what_is_kept_stays_where_it_is),
        cmocka_unit_test(an_envelope_of_texts_that_stay_is_the_same),
        cmocka_unit_test(a_header_that_is_not_there_has_no_data),
        cmocka_unit_test(an_envelope_is_cloudevents_and_passes_the_trace_on),
        cmocka_unit_test(without_a_trace_none_is_made_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
