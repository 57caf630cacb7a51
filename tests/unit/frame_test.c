/* frame: the Confluent wire format. */
#include "schemas/lib/frame.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <stdint.h>

static void a_frame_is_a_zero_byte_and_a_big_endian_id(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {0};
    hub_frame_append(&buffer, 100001);
    hub_frame_append(&buffer, INT32_MAX);
    expect_bytes(hub_buffer_bytes(&buffer), "00 000186a1 00 7fffffff");
}

static void what_was_framed_is_opened(void **state) {
    (void)state;
    static const int32_t ids[] = {1, 255, 256, 65536, 100001, INT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct hub_buffer buffer = {0};
        struct hub_bytes body;
        struct hub_error error;
        int32_t id = 0;
        hub_frame_append(&buffer, ids[i]);
        hub_buffer_append_text(&buffer, "body");
        expect_ok(hub_frame_open(hub_buffer_bytes(&buffer), &id, &body, &error), &error);
        assert_int_equal(id, ids[i]);
        assert_true(hub_bytes_equal_text(body, "body"));
        hub_buffer_free(&buffer);
    }
}

static void a_body_may_be_empty(void **state) {
    (void)state;
    struct hub_bytes body;
    struct hub_error error;
    int32_t id = 0;
    expect_ok(hub_frame_open(hub_bytes("\0\0\0\0\x01", 5), &id, &body, &error), &error);
    assert_int_equal(body.size, 0);
}

static void other_messages_are_refused_with_what_they_have(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *place, *words;
    } cases[] = {
        {"", "0 bytes; ", "a message begins with a zero byte and a 4-byte schema id"},
        {"00 000001", "4 bytes; ", "a message begins with a zero byte"},
        {"01 00000001", "the first byte is 0x01; ", "0x00 (Confluent wire format) would pass"},
        {"ff 00000001", "the first byte is 0xff; ", "0x00"},
        {"00 00000000", "schema id 0; ", "1 to 2147483647 would pass"},
        {"00 80000000", "schema id 2147483648; ", "1 to 2147483647 would pass"},
        {"00 ffffffff", "schema id 4294967295; ", "1 to 2147483647 would pass"}};
    struct hub_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hub_bytes body = hub_bytes(NULL, 0);
        struct hub_error error;
        int32_t id = -1;
        expect_refusal(hub_frame_open(schema_bytes(&arena, cases[i].bytes), &id, &body, &error),
                       HUB_REJECT, &error, cases[i].place, cases[i].words);
        assert_int_equal(id, -1);
        assert_null(body.data);
    }
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_a_zero_byte_and_a_big_endian_id),
        cmocka_unit_test(what_was_framed_is_opened),
        cmocka_unit_test(a_body_may_be_empty),
        cmocka_unit_test(other_messages_are_refused_with_what_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
