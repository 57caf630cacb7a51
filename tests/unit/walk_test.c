/* walk: what the validating walker accepts, what it refuses and where, and what it calls
 * canonical. */
#include "schemas/lib/walk.h"

#include "hub/base/memory.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static const char wide[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";

static bool has_two_steps(const struct hub_type *type) {
    return type->kind == HUB_RECORD && type->count > 0 && type->fields[0].type->kind == HUB_RECORD;
}

/* The two steps of a walk accept and refuse what one does, with the same words. */
static void expect_two_steps(const struct hub_type *type, struct hub_bytes bytes,
                             const struct hub_walk_limits *limits, const struct hub_walk *wanted,
                             enum hub_status status, const struct hub_error *why) {
    uint32_t starts[8], parts[8];
    struct hub_walk walk = {.starts = starts};
    struct hub_error error;
    enum hub_status found = hub_walk_first(type, bytes, limits, &walk, parts, &error);
    if (found == HUB_OK)
        found = hub_walk_others(type, bytes, limits, &walk, &error);
    assert_int_equal(found, status);
    if (status != HUB_OK) {
        assert_string_equal(error.text, why->text);
        return;
    }
    assert_int_equal(walk.canonical, wanted->canonical);
    assert_int_equal(walk.plain, wanted->plain);
    assert_int_equal(starts[type->count], bytes.size);
}

/* One value of a schema, from hexadecimal. The bytes are copied to a block of their own size, so
 * that a sanitizer sees a read past their end. */
static enum hub_status walk_within(const char *schema_text, const char *hexadecimal,
                                   struct hub_walk_limits limits, struct hub_walk *walk,
                                   struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_schema *schema = schema_new(schema_text);
    struct hub_bytes bytes = schema_bytes(&arena, hexadecimal);
    uint8_t *block = hub_allocate(bytes.size);
    memcpy(block, bytes.data, bytes.size);
    enum hub_status status =
        hub_walk(schema->root, hub_bytes(block, bytes.size), &limits, walk, reterr);
    if (has_two_steps(schema->root))
        expect_two_steps(schema->root, hub_bytes(block, bytes.size), &limits, walk, status, reterr);
    hub_release(block);
    hub_schema_free(schema);
    hub_arena_destroy(&arena);
    return status;
}

#define accepts(schema, hexadecimal) accepts_at(schema, hexadecimal, true, __FILE__, __LINE__)
#define accepts_other(schema, hexadecimal)                                                         \
    accepts_at(schema, hexadecimal, false, __FILE__, __LINE__)
static void accepts_at(const char *schema, const char *hexadecimal, bool canonical,
                       const char *file, int line) {
    struct hub_walk walk = {0};
    struct hub_error error;
    schema_expect_ok(walk_within(schema, hexadecimal, HUB_WALK_LIMITS_DEFAULT, &walk, &error),
                     &error, file, line);
    _assert_int_equal(walk.canonical, canonical, file, line);
}

#define refuses(schema, hexadecimal, place, words)                                                 \
    refuses_at(schema, hexadecimal, place, words, __FILE__, __LINE__)
static void refuses_at(const char *schema, const char *hexadecimal, const char *place,
                       const char *words, const char *file, int line) {
    struct hub_walk walk = {0};
    struct hub_error error;
    enum hub_status status =
        walk_within(schema, hexadecimal, HUB_WALK_LIMITS_DEFAULT, &walk, &error);
    schema_expect_error(status, HUB_REJECT, &error, place, words, file, line);
}

static const char number_record[] =
    "{'type': 'record', 'name': 'Sample', 'fields': ["
    " {'name': 'count', 'type': 'int'},"
    " {'name': 'names', 'type': {'type': 'array', 'items': 'string'}},"
    " {'name': 'ratio', 'type': ['null', 'double']}]}";
static const char ints[] = "{'type': 'array', 'items': 'int'}";
static const char string_map[] = "{'type': 'map', 'values': 'string'}";
static const char letters[] = "{'type': 'enum', 'name': 'Letter', 'symbols': ['A', 'B', 'C']}";

/* --- what is Avro --- */

static void one_value_of_every_type_is_accepted(void **state) {
    (void)state;
    accepts("'null'", "");
    accepts("'boolean'", "00");
    accepts("'boolean'", "01");
    accepts("'int'", "feffffff0f"); /* 2147483647 */
    accepts("'int'", "ffffffff0f"); /* -2147483648 */
    accepts("'long'", "feffffffffffffffff01");
    accepts("'long'", "ffffffffffffffffff01");
    accepts("'float'", "0000803f");
    accepts("'double'", "000000000000f03f");
    accepts("'bytes'", "04 ff00");
    accepts("'string'", "06 e282ac");
    accepts("{'type': 'fixed', 'name': 'Two', 'size': 2}", "abcd");
    accepts(letters, "04");
    accepts(ints, "04 02 04 00");
    accepts(string_map, "02 02 61 02 62 00");
    accepts("['null', 'int']", "00");
    accepts("['null', 'int']", "02 0a");
    accepts(number_record, "0a 02 02 61 00 02 0000000000000000");
}

static void empty_arrays_maps_and_texts_are_accepted(void **state) {
    (void)state;
    accepts(ints, "00");
    accepts(string_map, "00");
    accepts("'string'", "00");
    accepts("'bytes'", "00");
    accepts("{'type': 'record', 'name': 'None', 'fields': []}", "");
}

static void the_starts_of_a_records_fields_are_told(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    struct hub_schema *schema = schema_new(number_record);
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    uint32_t starts[4] = {9, 9, 9, 9};
    struct hub_walk walk = {.starts = starts};
    struct hub_error error;
    struct hub_bytes bytes = schema_bytes(&arena, "8001 02 02 61 00 00");
    expect_ok(hub_walk(schema->root, bytes, &limits, &walk, &error), &error);
    assert_int_equal(starts[0], 0);
    assert_int_equal(starts[1], 2);
    assert_int_equal(starts[2], 6);
    assert_int_equal(starts[3], 7);
    hub_schema_free(schema);
    hub_arena_destroy(&arena);
}

static void an_inner_record_leaves_the_starts_of_the_outer_alone(void **state) {
    (void)state;
    struct hub_schema *schema =
        schema_new("{'type': 'record', 'name': 'Outer', 'fields': [{'name': 'inner', 'type':"
                   " {'type': 'record', 'name': 'Inner', 'fields': [{'name': 'a', 'type': 'int'},"
                   " {'name': 'b', 'type': 'int'}, {'name': 'c', 'type': 'int'}]}}]}");
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    uint32_t starts[2] = {9, 9};
    struct hub_walk walk = {.starts = starts};
    struct hub_error error;
    expect_ok(hub_walk(schema->root, hub_bytes("\x02\x04\x06", 3), &limits, &walk, &error), &error);
    assert_int_equal(starts[0], 0);
    assert_int_equal(starts[1], 3);
    hub_schema_free(schema);
}

/* --- numbers --- */

static void an_int_of_more_than_32_bits_is_refused(void **state) {
    (void)state;
    refuses("'int'", "8080808010", "byte 5: ", "an int of more than 32 bits"); /* 2147483648 */
    refuses("'int'", "8180808010", "byte 5: ", "an int of more than 32 bits");
}

static void a_number_that_is_cut_off_is_refused(void **state) {
    (void)state;
    refuses("'long'", "", "byte 0: ", "a number is cut off or longer than 64 bits");
    refuses("'long'", "8080", "byte 0: ", "a number is cut off");
    refuses("'int'", "ff", "byte 0: ", "a number is cut off");
}

static void a_number_of_more_than_64_bits_is_refused(void **state) {
    (void)state;
    refuses("'long'", "ffffffffffffffffff02", "byte 0: ", "longer than 64 bits");
    refuses("'long'", "8080808080808080808001", "byte 0: ", "longer than 64 bits");
}

static void a_number_in_more_bytes_than_it_needs_is_not_canonical(void **state) {
    (void)state;
    accepts_other("'int'", "8000");
    accepts_other("'int'", "828000");
    accepts_other("'long'", "80808080808080808000");
    accepts_other("'string'", "8200 61");
    accepts_other(letters, "8200");
    accepts_other("['null', 'int']", "8000");
    accepts_other(ints, "02 02 8000");
}

static void a_floating_point_number_that_is_cut_off_is_refused(void **state) {
    (void)state;
    refuses("'float'", "000080", "byte 0: ", "a floating-point number is cut off");
    refuses("'double'", "00000000000000", "byte 0: ", "a floating-point number is cut off");
}

static void a_boolean_is_0_or_1(void **state) {
    (void)state;
    refuses("'boolean'", "02", "byte 1: ", "a boolean that is neither 0 nor 1");
    refuses("'boolean'", "ff", "byte 1: ", "a boolean that is neither 0 nor 1");
    refuses("'boolean'", "", "byte 0: ", "a boolean that is neither 0 nor 1");
}

/* --- texts, bytes and fixed --- */

static void a_length_beyond_the_end_is_refused_with_both_numbers(void **state) {
    (void)state;
    refuses("'string'", "08 616263", "byte 1: ", "a length of 4 where 3 bytes are left");
    refuses("'bytes'", "06 6162", "byte 1: ", "a length of 3 where 2 bytes are left");
    refuses("'bytes'", "feffffffffffffffff01",
            "byte 10: ", "a length of 9223372036854775807 where 0 bytes are left");
    refuses(string_map, "02 06 6162", "byte 2: ", "a length of 3 where 2 bytes are left");
}

static void a_negative_length_is_refused(void **state) {
    (void)state;
    refuses("'string'", "01 61", "byte 1: ", "a length of -1");
    refuses("'bytes'", "ffffffffffffffffff01", "byte 10: ", "a length of -9223372036854775808");
}

static void a_text_is_utf8(void **state) {
    (void)state;
    refuses("'string'", "02 ff", "byte 2: ", "a string that is not UTF-8");
    refuses("'string'", "04 c080", "byte 3: ", "a string that is not UTF-8");   /* overlong */
    refuses("'string'", "06 eda080", "byte 4: ", "a string that is not UTF-8"); /* surrogate */
    refuses("'string'", "04 e282", "byte 3: ", "a string that is not UTF-8");   /* cut off */
    refuses(string_map, "02 02 ff 02 61 00", "byte 3: ", "a map key that is not UTF-8");
    refuses(string_map, "02 02 61 02 ff 00", "element 0: byte 5: ", "a string that is not UTF-8");
}

static void a_fixed_value_that_is_cut_off_is_refused(void **state) {
    (void)state;
    refuses("{'type': 'fixed', 'name': 'Four', 'size': 4}", "abcdef",
            "byte 0: ", "a fixed value is cut off");
}

/* --- indexes --- */

static void an_enum_index_out_of_range_is_refused_with_the_range(void **state) {
    (void)state;
    refuses(letters, "06", "byte 1: ", "enum index 3; 0 to 2 would pass");
    refuses(letters, "01", "byte 1: ", "enum index -1; 0 to 2 would pass");
    refuses(letters, "feffffffffffffffff01", "byte 10: ", "enum index 9223372036854775807;");
}

static void a_union_index_out_of_range_is_refused_with_the_range(void **state) {
    (void)state;
    refuses("['null', 'int']", "04", "byte 1: ", "union index 2; 0 to 1 would pass");
    refuses("['null', 'int']", "03", "byte 1: ", "union index -2; 0 to 1 would pass");
    refuses("['null', 'int']", "", "byte 0: ", "a number is cut off");
}

/* --- blocks --- */

static void blocks_of_any_number_and_form_are_accepted_and_not_canonical(void **state) {
    (void)state;
    accepts_other(ints, "02 02 02 04 00");       /* two blocks */
    accepts_other(ints, "03 04 02 04 00");       /* one with its size */
    accepts_other(ints, "03 04 02 04 02 06 00"); /* both */
    accepts_other(string_map, "01 08 02 61 02 62 00");
    accepts_other(string_map, "02 02 61 02 62 02 02 63 02 64 00");
    accepts_other(ints, "8200 02 00");
}

static void a_block_that_lies_about_its_size_is_refused_with_both_numbers(void **state) {
    (void)state;
    refuses(ints, "03 02 02 04 00", "byte 2: ", "a block says 1 bytes and has 2");
    refuses(ints, "03 06 02 04 00", "byte 2: ", "a block says 3 bytes and has 2");
    refuses(ints, "03 05 02 04 00", "byte 2: ", "a block says -3 bytes and has 2");
    refuses(string_map, "01 02 02 61 02 62 00", "byte 2: ", "a block says 1 bytes and has 4");
}

static void a_block_that_does_not_end_is_refused(void **state) {
    (void)state;
    refuses(ints, "04 02", "element 1: byte 2: ", "a number is cut off");
    refuses(ints, "02 02", "byte 2: ", "a number is cut off"); /* no closing zero */
    refuses(ints, "", "byte 0: ", "a number is cut off");
    refuses(ints, "03", "byte 1: ", "a number is cut off"); /* no size */
    refuses(string_map, "02", "byte 1: ", "a number is cut off");
}

static void the_lowest_block_count_is_refused(void **state) {
    (void)state;
    refuses(ints, "ffffffffffffffffff01 00",
            "byte 10: ", "a block count that no number of elements can have");
}

static void an_element_is_counted_through_all_blocks(void **state) {
    (void)state;
    refuses(ints, "04 02 04 02 808080", "element 2: byte 4: ", "a number is cut off");
}

/* --- limits --- */

static void a_value_over_the_size_limit_is_refused_with_both_numbers(void **state) {
    (void)state;
    struct hub_walk_limits limits = {.size_max = 3, .elements_max = 10};
    struct hub_walk walk = {0};
    struct hub_error error;
    expect_ok(walk_within("'string'", "04 6162", limits, &walk, &error), &error);
    expect_refusal(walk_within("'string'", "06 616263", limits, &walk, &error), HUB_REJECT, &error,
                   "4 bytes, ", "over the limit of 3");
}

static void elements_of_all_levels_count_together(void **state) {
    (void)state;
    static const char nested[] = "{'type': 'array', 'items': {'type': 'array', 'items': 'int'}}";
    struct hub_walk_limits limits = {.size_max = 100, .elements_max = 5};
    struct hub_walk walk = {0};
    struct hub_error error;
    expect_ok(walk_within(nested, "04 04 02 04 00 02 06 00 00", limits, &walk, &error), &error);
    expect_refusal(walk_within(nested, "04 04 02 04 00 04 06 08 00 00", limits, &walk, &error),
                   HUB_REJECT, &error,
                   "element 1: byte 6: ", "more than 5 array and map elements in one record");
}

static void many_elements_without_bytes_are_refused(void **state) {
    (void)state;
    static const char nothings[] = "{'type': 'array', 'items': 'null'}";
    accepts(nothings, "c09a0c 00"); /* 100000 */
    refuses(nothings, "c29a0c 00", "byte 3: ", "more than 100000 array and map elements");
    refuses(nothings, "feffffffffffffffff01 00", "byte 10: ", "more than 100000");
    refuses(nothings, "fdffffffffffffffff01 00 00", "byte 11: ", "more than 100000");
}

static void nothing_may_follow_the_value(void **state) {
    (void)state;
    refuses("'int'", "02 04 06", "byte 1: ", "2 bytes after the end of the record");
    refuses("'null'", "00", "byte 0: ", "1 bytes after the end of the record");
    refuses(number_record, "0a 00 00 00", "byte 3: ", "1 bytes after the end of the record");
}

/* --- where --- */

static void a_refusal_names_the_way_through_the_record(void **state) {
    (void)state;
    static const char deep[] =
        "{'type': 'record', 'name': 'Trip', 'fields': [{'name': 'legs', 'type':"
        " {'type': 'array', 'items': {'type': 'record', 'name': 'Leg', 'fields': ["
        "  {'name': 'from', 'type': 'string'}, {'name': 'kind', 'type': ['null', 'boolean']}]}}}]}";
    accepts(deep, "04 02 61 00 02 62 02 01 00");
    refuses(deep, "04 02 61 00 02 62 02 03 00",
            "legs: element 1: kind: byte 8: ", "a boolean that is neither 0 nor 1");
}

static void every_way_to_cut_a_record_off_is_refused(void **state) {
    (void)state;
    struct hub_schema *schema = schema_new(number_record);
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    static const uint8_t whole[] = {0x80, 0x01, 0x02, 0x02, 'a', 0x00, 0x02, 0,
                                    0,    0,    0,    0,    0,   0,    0};
    struct hub_walk walk = {0};
    struct hub_error error;
    expect_ok(hub_walk(schema->root, hub_bytes(whole, sizeof whole), &limits, &walk, &error),
              &error);
    for (size_t size = 0; size < sizeof whole; size++) {
        uint8_t *part = hub_copy_bytes(whole, size);
        enum hub_status status =
            hub_walk(schema->root, hub_bytes(part, size), &limits, &walk, &error);
        hub_release(part);
        assert_int_equal(status, HUB_REJECT);
    }
    hub_schema_free(schema);
}

static void bytes_that_are_all_ones_are_refused_by_every_type(void **state) {
    (void)state;
    static const char *const schemas[] = {"'boolean'", "'int'",    "'long'",
                                          "'bytes'",   "'string'", letters,
                                          ints,        string_map, "['null', 'int']"};
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct hub_schema *schema = schema_new(schemas[i]);
        assert_int_equal(
            hub_walk(schema->root, hub_bytes(wide, sizeof wide - 1), &limits, &walk, &error),
            HUB_REJECT);
        hub_schema_free(schema);
    }
}

static void what_is_refused_says_nothing_of_its_form(void **state) {
    (void)state;
    struct hub_walk walk = {.canonical = true};
    struct hub_error error;
    assert_int_equal(walk_within("'boolean'", "02", HUB_WALK_LIMITS_DEFAULT, &walk, &error),
                     HUB_REJECT);
    assert_true(walk.canonical); /* results are written on success only */
}

static void a_control_character_is_noted_and_refused_where_asked(void **state) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    static const char texts[] = "{'type': 'array', 'items': 'string'}";
    (void)state;
    assert_int_equal(walk_within(texts, "04 02 61 02 00 00", limits, &walk, &error), HUB_OK);
    assert_false(walk.plain);
    assert_int_equal(walk_within(texts, "04 02 61 02 62 00", limits, &walk, &error), HUB_OK);
    assert_true(walk.plain);
    limits.plain = true;
    schema_expect_error(walk_within(texts, "04 02 61 02 00 00", limits, &walk, &error), HUB_REJECT,
                        &error, "element 1", "control character", __FILE__, __LINE__);
}

/* --- in two steps: walk_within compares them with one --- */

static const char stamped[] =
    "{'type': 'record', 'name': 'Stamped', 'fields': [{'name': 'stamp', 'type':"
    " {'type': 'record', 'name': 'Stamp', 'fields': [{'name': 'version', 'type': 'string'},"
    " {'name': 'list', 'type': {'type': 'array', 'items': 'int'}}]}},"
    " {'name': 'more', 'type': {'type': 'array', 'items': 'int'}},"
    " {'name': 'text', 'type': 'string'}]}";

static void two_steps_are_one_walk(void **state) {
    (void)state;
    accepts(stamped, "02 61 00 00 02 62");
    accepts(stamped, "02 61 02 02 00 02 04 00 02 62");
    accepts_other(stamped, "02 61 80 00 00 02 62");
    accepts_other(stamped, "02 61 00 80 00 02 62");
    refuses(stamped, "02 61", "stamp: list: ", "cut off");
    refuses(stamped, "02 ff 00 00 02 62", "stamp: version: ", "UTF-8");
    refuses(stamped, "02 61 00 00 02 ff", "text: ", "UTF-8");
    refuses(stamped, "02 61 00 00 02 62 00", "byte 6: ", "after the end");
}

static void elements_of_both_steps_count_together(void **state) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    (void)state;
    limits.elements_max = 3;
    expect_ok(walk_within(stamped, "02 61 04 02 02 00 02 04 00 02 62", limits, &walk, &error),
              &error);
    expect_refusal(walk_within(stamped, "02 61 04 02 02 00 04 04 04 00 02 62", limits, &walk, &error),
                   HUB_REJECT, &error, "more: ", "more than 3 array and map elements");
    limits.size_max = 4;
    expect_refusal(walk_within(stamped, "02 61 00 00 02 62", limits, &walk, &error), HUB_REJECT,
                   &error, "6 bytes", "over the limit of 4");
}

static void a_control_character_in_either_step_is_told(void **state) {
    struct hub_walk walk = {0};
    struct hub_error error;
    (void)state;
    expect_ok(walk_within(stamped, "02 07 00 00 02 62", HUB_WALK_LIMITS_DEFAULT, &walk, &error),
              &error);
    assert_false(walk.plain);
    expect_ok(walk_within(stamped, "02 61 00 00 02 07", HUB_WALK_LIMITS_DEFAULT, &walk, &error),
              &error);
    assert_false(walk.plain);
}

/* --- beside what was there before --- */

static const char changing[] =
    "{'type': 'record', 'name': 'c.R', 'fields': ["
    "{'name': 'stamp', 'type': {'type': 'record', 'name': 'c.S', 'fields': ["
    "{'name': 'version', 'type': 'string'}]}},"
    "{'name': 'number', 'type': 'int'},"
    "{'name': 'nothing', 'type': 'null'},"
    "{'name': 'title', 'type': ['null', 'string']},"
    "{'name': 'names', 'type': {'type': 'array', 'items': 'string'}}]}";
static const char *const values[] = {
    "02 61 02 00 00",                      /* all is short */
    "02 62 02 02 06 61 62 63 02 02 78 00", /* a title and a name */
    "02 62 04 02 06 61 62 64 04 02 78 02 79 00",
    "02 61 80 01 00 04 02 78 02 79 00",
};
enum { VALUES = sizeof values / sizeof *values };

/* The bytes are accepted or refused as by a walk of all of them, and told in what they are as before. */
static void expect_since(const struct hub_type *type, const struct hub_walked *before,
                         struct hub_bytes bytes) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    uint32_t wanted_starts[8], starts[8], parts[8];
    struct hub_walk wanted = {.starts = wanted_starts}, walk = {.starts = starts};
    struct hub_error why, error;
    bool same[8];
    enum hub_status status = hub_walk(type, bytes, &limits, &wanted, &why);
    enum hub_status found = hub_walk_first(type, bytes, &limits, &walk, parts, &error);
    if (found == HUB_OK)
        found = hub_walk_others_since(type, bytes, &limits, before, &walk, same, &error);
    assert_int_equal(found, status);
    if (status != HUB_OK) {
        assert_string_equal(error.text, why.text);
        return;
    }
    assert_int_equal(walk.canonical, wanted.canonical);
    assert_memory_equal(starts, wanted_starts, (type->count + 1) * sizeof *starts);
    for (size_t i = 0; i < type->count; i++)
        assert_int_equal(same[i], hub_bytes_equal(hub_bytes_part(bytes, starts[i], starts[i + 1]),
                                                  hub_bytes_part(before->bytes, before->starts[i],
                                                                 before->starts[i + 1])));
}

static void expect_changes(const struct hub_type *type, const struct hub_walked *before,
                           struct hub_bytes bytes) {
    uint8_t *block = hub_allocate(bytes.size);
    memcpy(block, bytes.data, bytes.size);
    for (size_t at = 0; at < bytes.size; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            block[at] = (uint8_t)byte;
            expect_since(type, before, hub_bytes(block, bytes.size));
        }
        block[at] = bytes.data[at];
    }
    hub_release(block);
    for (size_t size = 0; size <= bytes.size; size++) {
        block = hub_allocate(size); /* of its own size: a sanitizer sees what is read behind it */
        memcpy(block, bytes.data, size);
        expect_since(type, before, hub_bytes(block, size));
        hub_release(block);
    }
}

static void beside_any_earlier_value_the_same_is_accepted_and_refused(void **state) {
    struct hub_arena arena = {0};
    struct hub_schema *schema = schema_new(changing);
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_error error;
    (void)state;
    for (size_t i = 0; i < VALUES; i++) {
        uint32_t starts[8];
        struct hub_walk walk = {.starts = starts};
        struct hub_walked before = {schema_bytes(&arena, values[i]), starts};
        expect_ok(hub_walk(schema->root, before.bytes, &limits, &walk, &error), &error);
        assert_true(walk.canonical);
        for (size_t k = 0; k < VALUES; k++)
            expect_changes(schema->root, &before, schema_bytes(&arena, values[k]));
    }
    hub_schema_free(schema);
    hub_arena_destroy(&arena);
}

static bool elements_take_bytes(const char *items) {
    struct hub_arena arena = {0};
    struct hub_schema *schema = schema_new(hub_arena_format(
        &arena, "{'type': 'record', 'name': 'e.R', 'fields': [{'name': 'all', 'type': ['null', "
                "{'type': 'array', 'items': %s}]}]}", items));
    bool take = hub_walk_elements_take_bytes(schema->root);
    hub_schema_free(schema);
    hub_arena_destroy(&arena);
    return take;
}

#define EMPTY "{'type': 'record', 'name': 'e.E', 'fields': [{'name': 'no', 'type': 'null'}]}"

static void elements_that_may_be_without_bytes_are_found_at_any_depth(void **state) {
    (void)state;
    assert_true(elements_take_bytes("'string'"));
    assert_true(elements_take_bytes("['null', 'int']"));
    assert_true(elements_take_bytes("{'type': 'array', 'items': 'boolean'}"));
    assert_true(elements_take_bytes("{'type': 'map', 'values': 'null'}")); /* their keys do */
    assert_true(elements_take_bytes("{'type': 'record', 'name': 'e.I', 'fields': ["
                                    "{'name': 'no', 'type': 'null'}, {'name': 'n', 'type': 'int'}]}"));
    assert_false(elements_take_bytes("'null'"));
    assert_false(elements_take_bytes(EMPTY));
    assert_false(elements_take_bytes("{'type': 'array', 'items': 'null'}"));
    assert_false(elements_take_bytes("{'type': 'map', 'values': {'type': 'array', 'items': " EMPTY "}}"));
    assert_false(elements_take_bytes("{'type': 'record', 'name': 'e.I', 'fields': [{'name': 'n', 'type': 'int'}, "
                                     "{'name': 'l', 'type': {'type': 'array', 'items': 'null'}}]}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_control_character_is_noted_and_refused_where_asked),
        cmocka_unit_test(one_value_of_every_type_is_accepted),
        cmocka_unit_test(empty_arrays_maps_and_texts_are_accepted),
        cmocka_unit_test(the_starts_of_a_records_fields_are_told),
        cmocka_unit_test(an_inner_record_leaves_the_starts_of_the_outer_alone),
        cmocka_unit_test(an_int_of_more_than_32_bits_is_refused),
        cmocka_unit_test(a_number_that_is_cut_off_is_refused),
        cmocka_unit_test(a_number_of_more_than_64_bits_is_refused),
        cmocka_unit_test(a_number_in_more_bytes_than_it_needs_is_not_canonical),
        cmocka_unit_test(a_floating_point_number_that_is_cut_off_is_refused),
        cmocka_unit_test(a_boolean_is_0_or_1),
        cmocka_unit_test(a_length_beyond_the_end_is_refused_with_both_numbers),
        cmocka_unit_test(a_negative_length_is_refused),
        cmocka_unit_test(a_text_is_utf8),
        cmocka_unit_test(a_fixed_value_that_is_cut_off_is_refused),
        cmocka_unit_test(an_enum_index_out_of_range_is_refused_with_the_range),
        cmocka_unit_test(a_union_index_out_of_range_is_refused_with_the_range),
        cmocka_unit_test(blocks_of_any_number_and_form_are_accepted_and_not_canonical),
        cmocka_unit_test(a_block_that_lies_about_its_size_is_refused_with_both_numbers),
        cmocka_unit_test(a_block_that_does_not_end_is_refused),
        cmocka_unit_test(the_lowest_block_count_is_refused),
        cmocka_unit_test(an_element_is_counted_through_all_blocks),
        cmocka_unit_test(a_value_over_the_size_limit_is_refused_with_both_numbers),
        cmocka_unit_test(elements_of_all_levels_count_together),
        cmocka_unit_test(many_elements_without_bytes_are_refused),
        cmocka_unit_test(nothing_may_follow_the_value),
        cmocka_unit_test(a_refusal_names_the_way_through_the_record),
        cmocka_unit_test(every_way_to_cut_a_record_off_is_refused),
        cmocka_unit_test(two_steps_are_one_walk),
        cmocka_unit_test(elements_of_both_steps_count_together),
        cmocka_unit_test(a_control_character_in_either_step_is_told),
        cmocka_unit_test(beside_any_earlier_value_the_same_is_accepted_and_refused),
        cmocka_unit_test(elements_that_may_be_without_bytes_are_found_at_any_depth),
        cmocka_unit_test(bytes_that_are_all_ones_are_refused_by_every_type),
        cmocka_unit_test(what_is_refused_says_nothing_of_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
