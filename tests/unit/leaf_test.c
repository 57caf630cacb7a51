/* leaf: one way to write it, and nothing else is read. */
#include "hub/archive/leaf.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static const char written[] =
    "{\"topic\":\"log.slot\",\"partition\":3,\"offset\":17,\"timestamp\":-1,\"segment\":1000,\"at\":412,"
    "\"size\":77,\"sha256\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\"}";

static void what_was_written_is_read_back(void **state) {
    struct hub_leaf leaf;
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    expect_ok(hub_leaf_read(hub_bytes_of_text(written), &leaf, &error), &error);
    assert_string_equal(leaf.topic, "log.slot");
    assert_int_equal(leaf.partition, 3);
    assert_int_equal(leaf.offset, 17);
    assert_int_equal(leaf.timestamp_ms, -1);
    assert_int_equal(leaf.segment, 1000);
    assert_int_equal(leaf.at, 412);
    assert_int_equal(leaf.size, 77);
    assert_int_equal(leaf.digest.bytes[31], 0xff);
    hub_leaf_append(&leaf, &text);
    assert_string_equal(hub_buffer_text(&text), written);
}

static void nothing_else_is_read(void **state) {
    static const struct {
        const char *from, *to;
    } wrong[] = {{"{", ""},           {"17", "017"},        {"17", "17.0"},
                 {"17", "\"17\""},    {":3", ":-3"},        {":3", ":4294967296"},
                 {"1eff", "1ef"},     {"1eff", "1eFF"},     {"1eff", "1e0x"},
                 {"log.slot", "log\\u002eslot"}, {",\"size\"", ", \"size\""},
                 {",\"size\":77", ""}, {"\"topic\"", "\"topic\":\"a\",\"topic\""}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hub_leaf leaf;
        struct hub_error error;
        HUB_SCOPED_BUFFER text = {0};
        const char *at = strstr(written, wrong[i].from);
        hub_buffer_append(&text, written, (size_t)(at - written));
        hub_buffer_append_text(&text, wrong[i].to);
        hub_buffer_append_text(&text, at + strlen(wrong[i].from));
        assert_int_equal(hub_leaf_read(hub_buffer_bytes(&text), &leaf, &error), HUB_REJECT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(nothing_else_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
