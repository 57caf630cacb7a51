/* checkpoint: one way to write it, and nothing else is read. */
#include "hub/archive/checkpoint.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static const char written[] = "audit.example/log.slot-0\n"
                              "1004\n"
                              "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
                              "offset 23\n"
                              "segment 0 52204\n"
                              "segment 17 804\n";

static void what_was_written_is_read_back(void **state) {
    struct hub_checkpoint checkpoint;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    expect_ok(hub_checkpoint_read(hub_bytes_of_text(written), &checkpoint, &error), &error);
    assert_string_equal(checkpoint.origin, "audit.example/log.slot-0");
    assert_int_equal(checkpoint.size, 1004);
    assert_int_equal(checkpoint.next_offset, 23);
    assert_int_equal(checkpoint.segment_count, 2);
    assert_int_equal(checkpoint.segments[1].first, 17);
    assert_int_equal(checkpoint.segments[1].size, 804);
    for (uint8_t i = 0; i < HUB_DIGEST_SIZE; i++)
        assert_int_equal(checkpoint.root.bytes[i], i);
    hub_checkpoint_append(&checkpoint, &text);
    assert_string_equal(hub_buffer_text(&text), written);
}

static void nothing_else_is_read(void **state) {
    static const struct {
        const char *from, *to;
    } wrong[] = {{"1004", "01004"}, {"1004", "-4"},          {"1004", "99999999999999999999"},
                 {"AAEC", "AAE"},   {"offset 23", "offset"}, {"offset 23", "offset 023"},
                 {"23\n", "23"},    {"23\n", "23\nmore\n"},  {"offset", "Offset"},
                 {"log.slot-0\n", ""}, {"t 17", "t 0"},       {"t 17", "t 1004"},
                 {"t 17 804", "t 17"}, {"804\n", "804"},      {"offset 23\n", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hub_checkpoint checkpoint;
        struct hub_error error;
        HUB_SCOPED_BUFFER text = {0};
        const char *at = strstr(written, wrong[i].from);
        hub_buffer_append(&text, written, (size_t)(at - written));
        hub_buffer_append_text(&text, wrong[i].to);
        hub_buffer_append_text(&text, at + strlen(wrong[i].from));
        assert_int_equal(hub_checkpoint_read(hub_buffer_bytes(&text), &checkpoint, &error),
                         HUB_REJECT);
    }
}

static void that_of_no_partition_has_three_lines(void **state) {
    struct hub_checkpoint checkpoint;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    struct hub_bytes head =
        hub_bytes(written, (size_t)(strstr(written, "offset") - written));
    (void)state;
    expect_ok(hub_checkpoint_read(head, &checkpoint, &error), &error);
    assert_int_equal(checkpoint.next_offset, -1);
    hub_checkpoint_append(&checkpoint, &text);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&text), head));
}

static void segments_have_a_limit(void **state) {
    struct hub_checkpoint checkpoint;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    hub_buffer_append(&text, written, (size_t)(strstr(written, "segment") - written));
    for (int i = 0; i < HUB_OPEN_SEGMENTS_MAX; i++)
        hub_buffer_append_format(&text, "segment %d 804\n", i);
    expect_ok(hub_checkpoint_read(hub_buffer_bytes(&text), &checkpoint, &error), &error);
    hub_buffer_append_text(&text, "segment 99 804\n");
    assert_int_equal(hub_checkpoint_read(hub_buffer_bytes(&text), &checkpoint, &error), HUB_REJECT);
}

static void an_origin_has_a_limit(void **state) {
    struct hub_checkpoint checkpoint;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    for (size_t i = 0; i <= HUB_NOTE_NAME_MAX; i++)
        hub_buffer_append_byte(&text, 'a');
    hub_buffer_append_text(&text, strchr(written, '\n'));
    assert_int_equal(hub_checkpoint_read(hub_buffer_bytes(&text), &checkpoint, &error), HUB_REJECT);
    expect_ok(hub_checkpoint_read(hub_bytes_part(hub_buffer_bytes(&text), 1, text.size), &checkpoint,
                                  &error), &error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(nothing_else_is_read),
        cmocka_unit_test(that_of_no_partition_has_three_lines),
        cmocka_unit_test(segments_have_a_limit),
        cmocka_unit_test(an_origin_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
