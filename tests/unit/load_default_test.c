/* load_default: a field's default as the bytes that stand for it, and what does not fit its type.
 */
#include "schemas/lib/load_default.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#define WITH(type, value)                                                                          \
    "{'type': 'record', 'name': 'R', 'fields': [{'name': 'a', 'type': " type                       \
    ", 'default':\n" value "}]}"

#define is_encoded(type, value, hexadecimal)                                                       \
    is_encoded_at(WITH(type, value), hexadecimal, __FILE__, __LINE__)
static void is_encoded_at(const char *text, const char *hexadecimal, const char *file, int line) {
    struct hub_schema *schema = schema_new(text);
    schema_expect_bytes(schema->root->fields[0].default_value, hexadecimal, file, line);
    hub_schema_free(schema);
}

/* The refused value begins the second line. */
#define does_not_fit(type, value, fitting)                                                         \
    schema_expect_refused(WITH(type, value), "own.avsc:2:1: the default does not fit; ",           \
                          "a value of type " fitting " would pass", __FILE__, __LINE__)

#define LETTERS "{'type': 'enum', 'name': 'E', 'symbols': ['X', 'Y']}"
#define TWO "{'type': 'fixed', 'name': 'F', 'size': 2}"
#define INTS "{'type': 'array', 'items': 'int'}"
#define INT_MAP "{'type': 'map', 'values': 'int'}"
#define PART                                                                                       \
    "{'type': 'record', 'name': 'P', 'fields': [{'name': 'x', 'type': 'int'},"                     \
    " {'name': 'y', 'type': 'string', 'default': 'why'}]}"

static void plain_values_are_encoded(void **state) {
    (void)state;
    is_encoded("'null'", "null", "");
    is_encoded("'boolean'", "true", "01");
    is_encoded("'boolean'", "false", "00");
    is_encoded("'int'", "-2147483648", "ffffffff0f");
    is_encoded("'int'", "2147483647", "feffffff0f");
    is_encoded("'long'", "-9223372036854775808", "ffffffffffffffffff01");
    is_encoded("'float'", "1.5", "0000c03f");
    is_encoded("'float'", "2", "00000040");
    is_encoded("'double'", "-2.5e1", "00000000000039c0");
    is_encoded("'string'", "'h\\u00e9'", "06 68c3a9");
    is_encoded("'string'", "'null'", "08 6e756c6c");
    is_encoded("'string'", "''", "00");
    is_encoded("'string'", "'a\\u0000b'", "06 610062");
    is_encoded(LETTERS, "'Y'", "02");
}

static void bytes_and_fixed_are_code_points_up_to_255(void **state) {
    (void)state;
    is_encoded("'bytes'", "'\\u0000a\\u00ff'", "06 0061ff");
    is_encoded("'bytes'", "''", "00");
    is_encoded(TWO, "'\\u0080\\u00bf'", "80bf");
    does_not_fit("'bytes'", "'\\u0100'", "bytes");
    does_not_fit("'bytes'", "'\\u20ac'", "bytes");
    does_not_fit("'bytes'", "97", "bytes");
    does_not_fit(TWO, "'a'", "F");
    does_not_fit(TWO, "'abc'", "F");
    does_not_fit(TWO, "12", "F");
}

static void containers_are_one_block(void **state) {
    (void)state;
    is_encoded(INTS, "[]", "00");
    is_encoded(INTS, "[1, 2]", "04 02 04 00");
    is_encoded(INT_MAP, "{}", "00");
    is_encoded(INT_MAP, "{'k': 1}", "02 02 6b 02 00");
    is_encoded("{'type': 'array', 'items': {'type': 'array', 'items': 'int'}}", "[[1], []]",
               "04 02 02 00 00 00");
}

static void a_unions_default_is_of_its_first_branch(void **state) {
    (void)state;
    is_encoded("['null', 'int']", "null", "00");
    is_encoded("['int', 'null']", "5", "00 0a");
    does_not_fit("['null', 'int']", "5", "null");
    does_not_fit("['int', 'null']", "null", "int");
}

static void a_records_default_takes_its_fields_defaults(void **state) {
    (void)state;
    is_encoded(PART, "{'x': 1}", "02 06 776879");
    is_encoded(PART, "{'y': '', 'x': 1}", "02 00");
    does_not_fit(PART, "[1]", "P");
    expect_no_schema(WITH(PART, "{'y': 'z'}"),
                     "own.avsc:2:1: ", "the default has no value for field 'x'");
}

static void a_records_default_names_no_other_fields(void **state) {
    (void)state;
    expect_no_schema(WITH(PART, "{'x': 1, 'z': 2}"), "own.avsc:2:10: ", "P has no field 'z'");
}

static void plain_values_of_another_type_are_refused(void **state) {
    (void)state;
    does_not_fit("'null'", "0", "null");
    does_not_fit("'null'", "'null'", "null");
    does_not_fit("'boolean'", "'true'", "boolean");
    does_not_fit("'boolean'", "1", "boolean");
    does_not_fit("'boolean'", "null", "boolean");
    does_not_fit("'int'", "1.5", "int");
    does_not_fit("'int'", "'1'", "int");
    does_not_fit("'int'", "[]", "int");
    does_not_fit("'string'", "1", "string");
    does_not_fit("'string'", "null", "string");
    does_not_fit("'string'", "['a']", "string");
    does_not_fit("'double'", "'1.5'", "double");
    does_not_fit("'double'", "true", "double");
    does_not_fit(LETTERS, "'Z'", "E");
    does_not_fit(LETTERS, "0", "E");
}

static void numbers_out_of_range_are_refused(void **state) {
    (void)state;
    does_not_fit("'int'", "2147483648", "int");
    does_not_fit("'int'", "-2147483649", "int");
    does_not_fit("'long'", "9223372036854775808", "long");
    does_not_fit("'float'", "1e300", "float");
    does_not_fit("'float'", "-1e39", "float");
    does_not_fit("'double'", "1e999", "double");
}

static void an_element_of_another_type_is_refused_where_it_stands(void **state) {
    (void)state;
    does_not_fit(INTS, "{}", "array");
    does_not_fit(INTS, "1", "array");
    does_not_fit(INT_MAP, "[]", "map");
    expect_no_schema(WITH(INTS, "[1, 'a']"), "own.avsc:2:5: ", "a value of type int would pass");
    expect_no_schema(WITH(INT_MAP, "{'k': null}"), "own.avsc:2:7: ", "a value of type int");
    expect_no_schema(WITH(PART, "{'x': 'a'}"), "own.avsc:2:7: ", "a value of type int");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_are_encoded),
        cmocka_unit_test(bytes_and_fixed_are_code_points_up_to_255),
        cmocka_unit_test(containers_are_one_block),
        cmocka_unit_test(a_unions_default_is_of_its_first_branch),
        cmocka_unit_test(a_records_default_takes_its_fields_defaults),
        cmocka_unit_test(a_records_default_names_no_other_fields),
        cmocka_unit_test(plain_values_of_another_type_are_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(an_element_of_another_type_is_refused_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
