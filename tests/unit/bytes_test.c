/* bytes: slices, cursors, variable-length numbers and growing buffers. */
#include "hub/base/bytes.h"

#include "hub/base/memory.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#define text(words) hub_bytes_of_text(words)

/* --- slices --- */

static void slices_are_equal_by_size_and_content(void **state) {
    (void)state;
    assert_true(hub_bytes_equal(text("ab"), text("ab")));
    assert_false(hub_bytes_equal(text("ab"), text("abc")));
    assert_false(hub_bytes_equal(text("ab"), text("aB")));
    assert_true(hub_bytes_equal(hub_bytes(NULL, 0), hub_bytes("", 0)));
    assert_true(hub_bytes_equal(hub_bytes("a\0b", 3), hub_bytes("a\0b", 3)));
    assert_false(hub_bytes_equal(hub_bytes("a\0b", 3), hub_bytes("a\0c", 3)));
    assert_false(hub_bytes_equal_text(hub_bytes("a\0b", 3), "a"));
}

static void slices_are_ordered_by_bytes_a_prefix_first(void **state) {
    (void)state;
    assert_true(hub_bytes_compare(text("a"), text("b")) < 0);
    assert_true(hub_bytes_compare(text("b"), text("a")) > 0);
    assert_true(hub_bytes_compare(text("a"), text("ab")) < 0);
    assert_true(hub_bytes_compare(text("ab"), text("a")) > 0);
    assert_int_equal(hub_bytes_compare(text("ab"), text("ab")), 0);
    assert_true(hub_bytes_compare(text("a"), text("\xff")) < 0); /* bytes have no sign */
    assert_int_equal(hub_bytes_compare(hub_bytes(NULL, 0), text("")), 0);
    assert_true(hub_bytes_compare(hub_bytes(NULL, 0), text("a")) < 0);
}

static void a_part_is_from_and_to(void **state) {
    (void)state;
    assert_true(hub_bytes_equal_text(hub_bytes_part(text("abcd"), 1, 3), "bc"));
    assert_int_equal(hub_bytes_part(text("abcd"), 4, 4).size, 0);
    assert_int_equal(hub_bytes_part(hub_bytes(NULL, 0), 0, 0).size, 0);
    assert_non_null(hub_bytes_part(hub_bytes(NULL, 0), 0, 0).data);
}

static void a_slice_is_cut_at_the_first_separator(void **state) {
    (void)state;
    struct hub_bytes head = text("before"), rest = text("before");
    assert_false(hub_bytes_cut(text("abc"), '.', &head, &rest));
    assert_false(hub_bytes_cut(hub_bytes(NULL, 0), '.', &head, &rest));
    assert_true(hub_bytes_equal_text(head, "before"));
    assert_true(hub_bytes_cut(text("a.b.c"), '.', &head, &rest));
    assert_true(hub_bytes_equal_text(head, "a"));
    assert_true(hub_bytes_equal_text(rest, "b.c"));
    assert_true(hub_bytes_cut(text("."), '.', &head, &rest));
    assert_int_equal(head.size + rest.size, 0);
}

/* --- cursors --- */

static void a_cursor_never_passes_the_end(void **state) {
    (void)state;
    struct hub_cursor cursor = hub_cursor(text("abc"));
    struct hub_bytes taken = text("before");
    uint8_t byte = 0;
    assert_true(hub_cursor_byte(&cursor, &byte));
    assert_int_equal(byte, 'a');
    assert_int_equal(hub_cursor_left(&cursor), 2);
    assert_false(hub_cursor_take(&cursor, 3, &taken));
    assert_false(hub_cursor_take(&cursor, UINT64_MAX, &taken));
    assert_true(hub_bytes_equal_text(taken, "before"));
    assert_int_equal(hub_cursor_left(&cursor), 2);
    assert_true(hub_cursor_take(&cursor, 2, &taken));
    assert_true(hub_bytes_equal_text(taken, "bc"));
    assert_true(hub_cursor_take(&cursor, 0, &taken));
    assert_false(hub_cursor_byte(&cursor, &byte));
    assert_int_equal(byte, 'a');
}

static void numbers_are_written_and_read_in_as_few_bytes_as_can_be(void **state) {
    (void)state;
    static const struct {
        int64_t number;
        const char *bytes;
    } cases[] = {{0, "00"},
                 {-1, "01"},
                 {1, "02"},
                 {-2, "03"},
                 {63, "7e"},
                 {-64, "7f"},
                 {64, "8001"},
                 {-65, "8101"},
                 {8191, "fe7f"},
                 {8192, "808001"},
                 {INT32_MAX, "feffffff0f"},
                 {INT32_MIN, "ffffffff0f"},
                 {INT64_MAX, "feffffffffffffffff01"},
                 {INT64_MIN, "ffffffffffffffffff01"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hub_buffer buffer = {0};
        int64_t number = 0;
        bool minimal = false;
        hub_buffer_append_long(&buffer, cases[i].number);
        expect_bytes(hub_buffer_bytes(&buffer), cases[i].bytes);
        struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&buffer));
        assert_true(hub_cursor_long(&cursor, &number, &minimal));
        assert_true(number == cases[i].number);
        assert_true(minimal);
        assert_int_equal(hub_cursor_left(&cursor), 0);
        hub_buffer_free(&buffer);
    }
}

static void a_number_with_padding_is_read_and_told(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    static const char *const padded[] = {"8000", "828000", "80808080808080808000"};
    for (size_t i = 0; i < sizeof padded / sizeof *padded; i++) {
        struct hub_cursor cursor = hub_cursor(schema_bytes(&arena, padded[i]));
        int64_t number = 9;
        bool minimal = true;
        assert_true(hub_cursor_long(&cursor, &number, &minimal));
        assert_false(minimal);
        assert_int_equal(number, i == 1);
        cursor.position = 0;
        assert_true(hub_cursor_long(&cursor, &number, NULL));
    }
    hub_arena_destroy(&arena);
}

static void a_number_that_is_cut_off_or_too_long_moves_nothing(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    static const char *const none[] = {"",
                                       "80",
                                       "ffffff",
                                       "ffffffffffffffffff02",
                                       "8080808080808080808001",
                                       "ffffffffffffffffffff"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct hub_cursor cursor = hub_cursor(schema_bytes(&arena, none[i]));
        int64_t number = 9;
        bool minimal = false;
        assert_false(hub_cursor_long(&cursor, &number, &minimal));
        assert_int_equal(number, 9);
        assert_int_equal(cursor.position, 0);
    }
    hub_arena_destroy(&arena);
}

/* --- buffers --- */

static void a_buffer_grows_and_keeps_what_it_has(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {0};
    for (int i = 0; i < 1000; i++)
        hub_buffer_append_format(&buffer, "%03d", i);
    hub_buffer_append_byte(&buffer, '!');
    hub_buffer_append_text(&buffer, "end");
    hub_buffer_append_bytes(&buffer, text("."));
    hub_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.size, 3005);
    assert_memory_equal(buffer.data, "000001002", 9);
    assert_memory_equal(buffer.data + 2997, "999!end.", 8);
    assert_false(hub_buffer_overflowed(&buffer));
}

static void the_text_of_a_buffer_ends_with_a_zero_that_is_not_counted(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {0};
    assert_string_equal(hub_buffer_text(&buffer), "");
    hub_buffer_append(&buffer, "abc", 3);
    assert_string_equal(hub_buffer_text(&buffer), "abc");
    assert_int_equal(buffer.size, 3);
    hub_buffer_clear(&buffer);
    assert_string_equal(hub_buffer_text(&buffer), "");
    hub_buffer_append(&buffer, "d", 1);
    assert_string_equal(hub_buffer_text(&buffer), "d");
}

static void a_buffer_takes_up_to_its_limit(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {.size_max = 4};
    hub_buffer_append_text(&buffer, "abcd");
    assert_false(hub_buffer_overflowed(&buffer));
    assert_string_equal(hub_buffer_text(&buffer), "abcd");
    hub_buffer_append_byte(&buffer, 'e');
    assert_true(hub_buffer_overflowed(&buffer));
    assert_int_equal(buffer.size, 5);
}

static void what_overflowed_stays_so_until_it_is_cleared(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {.size_max = 4};
    hub_buffer_append_format(&buffer, "%s", "abcde");
    assert_true(hub_buffer_overflowed(&buffer));
    hub_buffer_append_text(&buffer, "x");
    hub_buffer_append_format(&buffer, "%d", 1);
    hub_buffer_append_long(&buffer, 1);
    hub_buffer_append_text(&buffer, "");
    assert_int_equal(buffer.size, 5);
    hub_buffer_clear(&buffer);
    assert_false(hub_buffer_overflowed(&buffer));
    hub_buffer_append_text(&buffer, "ab");
    assert_string_equal(hub_buffer_text(&buffer), "ab");
}

static void a_huge_append_overflows_and_does_not_wrap(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {.size_max = 100};
    hub_buffer_append_text(&buffer, "abc");
    hub_buffer_append(&buffer, "", SIZE_MAX);
    assert_true(hub_buffer_overflowed(&buffer));
}

static void a_buffer_without_a_limit_has_the_usual_one(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER buffer = {0};
    hub_buffer_append(&buffer, "", (size_t)HUB_BUFFER_SIZE_MAX_DEFAULT + 1);
    assert_true(hub_buffer_overflowed(&buffer));
    assert_int_equal(buffer.size, (size_t)HUB_BUFFER_SIZE_MAX_DEFAULT + 1);
}

static void a_freed_buffer_keeps_its_limit_and_may_be_used_again(void **state) {
    (void)state;
    struct hub_buffer buffer = {.size_max = 4};
    hub_buffer_append_text(&buffer, "abc");
    hub_buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.size, 0);
    hub_buffer_append_text(&buffer, "abcde");
    assert_true(hub_buffer_overflowed(&buffer));
    hub_buffer_free(&buffer);
    hub_buffer_free(&buffer);
}

static void parts_are_equal_where_their_bytes_are(void **state) {
    struct hub_bytes a = hub_bytes_of_text("abcabdab"), b = hub_bytes_of_text("abcb");
    (void)state;
    for (uint32_t from = 0; from <= a.size; from++)
        for (uint32_t to = from; to <= a.size; to++)
            for (uint32_t other = 0; other <= b.size; other++)
                for (uint32_t end = other; end <= b.size; end++) {
                    uint32_t own[] = {from, to}, others[] = {other, end};
                    struct hub_bytes x = hub_bytes_part(a, from, to), y = hub_bytes_part(b, other, end);
                    bool equal = hub_bytes_compare(x, y) == 0;
                    assert_int_equal(hub_bytes_parts_equal(a, own, b, others), equal);
                    assert_int_equal(hub_bytes_equal(x, y), equal);
                }
    assert_true(hub_bytes_parts_equal(hub_bytes(NULL, 0), (uint32_t[]){0, 0}, a, (uint32_t[]){8, 8}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_equal_where_their_bytes_are),
        cmocka_unit_test(slices_are_equal_by_size_and_content),
        cmocka_unit_test(slices_are_ordered_by_bytes_a_prefix_first),
        cmocka_unit_test(a_part_is_from_and_to),
        cmocka_unit_test(a_slice_is_cut_at_the_first_separator),
        cmocka_unit_test(a_cursor_never_passes_the_end),
        cmocka_unit_test(numbers_are_written_and_read_in_as_few_bytes_as_can_be),
        cmocka_unit_test(a_number_with_padding_is_read_and_told),
        cmocka_unit_test(a_number_that_is_cut_off_or_too_long_moves_nothing),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_it_has),
        cmocka_unit_test(the_text_of_a_buffer_ends_with_a_zero_that_is_not_counted),
        cmocka_unit_test(a_buffer_takes_up_to_its_limit),
        cmocka_unit_test(what_overflowed_stays_so_until_it_is_cleared),
        cmocka_unit_test(a_huge_append_overflows_and_does_not_wrap),
        cmocka_unit_test(a_buffer_without_a_limit_has_the_usual_one),
        cmocka_unit_test(a_freed_buffer_keeps_its_limit_and_may_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
