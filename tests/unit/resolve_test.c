/* resolve: a value written with one schema, read with another; each result is compared with bytes
 * that were worked out by hand from the specification. */
#include "schemas/lib/resolve.h"

#include "schemas/lib/walk.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

struct pair {
    struct hub_arena arena;
    struct hub_schema *writer, *reader;
    struct hub_resolver *resolver;
};

static enum hub_status pair_open(struct pair *pair, const char *writer, const char *reader,
                                 struct hub_error *reterr) {
    *pair = (struct pair){.writer = schema_new(writer), .reader = schema_new(reader)};
    return hub_resolver_new(pair->writer->root, pair->reader->root, &pair->resolver, reterr);
}

static void pair_close(struct pair *pair) {
    hub_resolver_free(pair->resolver);
    hub_schema_free(pair->writer);
    hub_schema_free(pair->reader);
    hub_arena_destroy(&pair->arena);
}

static enum hub_status pair_translate(struct pair *pair, const char *hexadecimal, bool canonical,
                                      struct hub_buffer *value, struct hub_error *reterr) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_bytes bytes = schema_bytes(&pair->arena, hexadecimal);
    HUB_TRY(hub_walk(pair->writer->root, bytes, &limits, &walk, reterr));
    return hub_resolve(pair->resolver, bytes, canonical, value, reterr);
}

/* The value becomes the wanted one, whether what is alike is copied or written anew; and what comes
 * out is the reader's Avro. */
#define becomes(writer, reader, from, to) becomes_at(writer, reader, from, to, __FILE__, __LINE__)
static void becomes_at(const char *writer, const char *reader, const char *from, const char *to,
                       const char *file, int line) {
    struct pair pair;
    struct hub_error error;
    schema_expect_ok(pair_open(&pair, writer, reader, &error), &error, file, line);
    for (int canonical = 0; canonical < 2; canonical++) {
        struct hub_buffer value = {0};
        struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
        struct hub_walk walk = {0};
        schema_expect_ok(pair_translate(&pair, from, canonical, &value, &error), &error, file,
                         line);
        schema_expect_bytes(hub_buffer_bytes(&value), to, file, line);
        schema_expect_ok(hub_walk(pair.reader->root, hub_buffer_bytes(&value), &limits, &walk,
                                  &error),
                         &error, file, line);
        hub_buffer_free(&value);
    }
    pair_close(&pair);
}

/* No value could ever be translated. */
#define hopeless(writer, reader, place, words)                                                     \
    hopeless_at(writer, reader, place, words, __FILE__, __LINE__)
static void hopeless_at(const char *writer, const char *reader, const char *place,
                        const char *words, const char *file, int line) {
    struct pair pair;
    struct hub_error error;
    enum hub_status status = pair_open(&pair, writer, reader, &error);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    pair_close(&pair);
}

/* This value cannot be translated, though others can. */
#define untranslatable(writer, reader, from, place, words)                                         \
    untranslatable_at(writer, reader, from, place, words, __FILE__, __LINE__)
static void untranslatable_at(const char *writer, const char *reader, const char *from,
                              const char *place, const char *words, const char *file, int line) {
    struct pair pair;
    struct hub_error error;
    schema_expect_ok(pair_open(&pair, writer, reader, &error), &error, file, line);
    for (int canonical = 0; canonical < 2; canonical++) {
        struct hub_buffer value = {0};
        enum hub_status status = pair_translate(&pair, from, canonical, &value, &error);
        hub_buffer_free(&value);
        schema_expect_error(status, HUB_REJECT, &error, place, words, file, line);
    }
    pair_close(&pair);
}

#define RECORD(name, fields) "{'type': 'record', 'name': '" name "', 'fields': [" fields "]}"
#define ENUM(name, symbols) "{'type': 'enum', 'name': '" name "', 'symbols': [" symbols "]}"
#define ENUM_ELSE(name, symbols, otherwise)                                                        \
    "{'type': 'enum', 'name': '" name "', 'symbols': [" symbols "], 'default': '" otherwise "'}"
#define ARRAY(items) "{'type': 'array', 'items': " items "}"
#define MAP(values) "{'type': 'map', 'values': " values "}"
#define A "{'name': 'a', 'type': 'int'}"
#define B "{'name': 'b', 'type': 'string'}"

/* --- records --- */

static void an_added_field_gets_its_default(void **state) {
    (void)state;
    becomes(RECORD("R", A), RECORD("R", A ", {'name': 'b', 'type': 'string', 'default': 'hi'}"),
            "0a", "0a 04 6869");
    becomes(RECORD("R", A), RECORD("R", "{'name': 'b', 'type': ['null', 'int'], 'default': null}, "
                                        A), "0a", "00 0a");
    becomes(RECORD("R", ""), RECORD("R", "{'name': 'l', 'type': " ARRAY("'int'")
                                         ", 'default': [1, -1]}"), "", "04 02 01 00");
}

static void an_added_field_without_a_default_is_hopeless(void **state) {
    (void)state;
    hopeless(RECORD("R", A), RECORD("R", A ", " B), "b: ",
             "the writer has no such field and there is no default");
}

static void a_removed_field_is_skipped(void **state) {
    (void)state;
    becomes(RECORD("R", A ", " B), RECORD("R", A), "0a 06 616263", "0a");
    becomes(RECORD("R", B ", " A), RECORD("R", A), "06 616263 0a", "0a");
    becomes(RECORD("R", "{'name': 'l', 'type': " ARRAY("'int'") "}, " A), RECORD("R", A),
            "03 04 02 04 02 06 00 0a", "0a");
    becomes(RECORD("R", A), RECORD("R", ""), "0a", "");
}

static void moved_fields_are_found_by_name(void **state) {
    (void)state;
    becomes(RECORD("R", A ", " B), RECORD("R", B ", " A), "0a 02 78", "02 78 0a");
}

static void a_renamed_field_is_found_by_its_alias(void **state) {
    (void)state;
    becomes(RECORD("R", A ", " B),
            RECORD("R", "{'name': 'count', 'type': 'int', 'aliases': ['n', 'a']}, " B),
            "0a 02 78", "0a 02 78");
    becomes(RECORD("R", B ", " A), RECORD("R", "{'name': 'z', 'type': 'int', 'aliases': ['a']}"),
            "02 78 0a", "0a");
}

static void a_fields_own_name_goes_before_its_alias(void **state) {
    (void)state;
    becomes(RECORD("R", A ", {'name': 'n', 'type': 'int'}"),
            RECORD("R", "{'name': 'n', 'type': 'int', 'aliases': ['a']}"), "02 04", "04");
}

static void a_renamed_record_is_found_by_its_alias(void **state) {
    (void)state;
    becomes("{'type': 'record', 'name': 'x.Old', 'fields': [" A "]}",
            "{'type': 'record', 'name': 'y.New', 'aliases': ['x.Old'], 'fields': [" A "]}", "0a",
            "0a");
    hopeless("{'type': 'record', 'name': 'x.Old', 'fields': [" A "]}",
             "{'type': 'record', 'name': 'y.New', 'aliases': ['Old'], 'fields': [" A "]}", "",
             "x.Old cannot be read as y.New");
}

static void the_namespace_of_a_record_may_change(void **state) {
    (void)state;
    becomes("{'type': 'record', 'name': 'x.R', 'fields': [" A "]}",
            "{'type': 'record', 'name': 'y.R', 'fields': [" A "]}", "0a", "0a");
}

static void an_inner_record_grows(void **state) {
    (void)state;
    becomes(RECORD("R", "{'name': 'in', 'type': " RECORD("I", A) "}, " B),
            RECORD("R", "{'name': 'in', 'type': " RECORD("I", "{'name': 'z', 'type': 'boolean',"
                        " 'default': true}, " A) "}, " B),
            "0a 02 78", "01 0a 02 78");
    hopeless(RECORD("R", "{'name': 'in', 'type': " RECORD("I", A) "}"),
             RECORD("R", "{'name': 'in', 'type': " RECORD("I", B) "}"), "in: b: ",
             "the writer has no such field");
}

/* --- numbers and texts --- */

static void numbers_are_widened(void **state) {
    (void)state;
    becomes("'int'", "'long'", "ffffffff0f", "ffffffff0f");
    becomes("'int'", "'float'", "02", "0000803f");
    becomes("'int'", "'double'", "03", "00000000000000c0");
    becomes("'long'", "'float'", "04", "00000040");
    becomes("'long'", "'double'", "01", "000000000000f0bf");
    becomes("'float'", "'double'", "0000c03f", "000000000000f83f");
}

static void a_long_is_rounded_to_a_float_once(void **state) {
    (void)state;
    /* 2^62 + 2^38 + 1 lies just above the middle between two floats; by way of a double it would
     * become the middle itself, and then the even neighbour below. */
    becomes("'long'", "'float'", "80808080808080808001", "0000805e");
    becomes("'long'", "'float'", "82808080809080808001", "0100805e");
}

static void numbers_are_not_narrowed(void **state) {
    (void)state;
    hopeless("'long'", "'int'", "", "long cannot be read as int");
    hopeless("'double'", "'float'", "", "double cannot be read as float");
    hopeless("'float'", "'long'", "", "float cannot be read as long");
    hopeless("'int'", "'string'", "", "int cannot be read as string");
    hopeless("'boolean'", "'int'", "", "boolean cannot be read as int");
    hopeless("'null'", "'int'", "", "null cannot be read as int");
    hopeless(RECORD("R", "{'name': 'a', 'type': 'long'}"), RECORD("R", A), "a: ",
             "long cannot be read as int");
}

static void texts_and_bytes_are_read_as_each_other(void **state) {
    (void)state;
    becomes("'string'", "'bytes'", "06 e282ac", "06 e282ac");
    becomes("'bytes'", "'string'", "06 e282ac", "06 e282ac");
    untranslatable("'bytes'", "'string'", "02 ff", "", "bytes that are not UTF-8");
}

static void a_fixed_keeps_its_size(void **state) {
    (void)state;
    becomes("{'type': 'fixed', 'name': 'F', 'size': 2}",
            "{'type': 'fixed', 'name': 'F', 'size': 2}",
            "abcd", "abcd");
    hopeless("{'type': 'fixed', 'name': 'F', 'size': 2}",
             "{'type': 'fixed', 'name': 'F', 'size': 3}", "", "F cannot be read as F");
}

static void values_that_are_alike_pass_as_they_are(void **state) {
    (void)state;
    becomes("'null'", "'null'", "", "");
    becomes("'boolean'", "'boolean'", "01", "01");
    becomes("'float'", "'float'", "0000c07f", "0000c07f"); /* not a number */
    becomes("'double'", "'double'", "0000000000000080", "0000000000000080"); /* minus zero */
    becomes("'bytes'", "'bytes'", "02 ff", "02 ff");
}

/* --- enums --- */

static void an_enum_is_translated_by_symbol(void **state) {
    (void)state;
    becomes(ENUM("E", "'X', 'Y', 'Z'"), ENUM("E", "'Z', 'X', 'Y'"), "00", "02");
    becomes(ENUM("E", "'X', 'Y', 'Z'"), ENUM("E", "'Z', 'X', 'Y'"), "04", "00");
    becomes(ENUM("E", "'X'"), ENUM("E", "'W', 'X'"), "00", "02");
}

static void an_unknown_symbol_becomes_the_default(void **state) {
    (void)state;
    becomes(ENUM("E", "'X', 'Y'"), ENUM_ELSE("E", "'X', 'OTHER'", "OTHER"), "02", "02");
    becomes(ENUM_ELSE("E", "'X', 'Y'", "X"), ENUM_ELSE("E", "'OTHER', 'X'", "OTHER"), "02", "00");
}

static void an_unknown_symbol_without_a_default_is_refused_by_name(void **state) {
    (void)state;
    untranslatable(ENUM("E", "'X', 'Y'"), ENUM("E", "'X'"), "02", "",
                   "symbol Y is not known to the reader, whose enum has no default");
    becomes(ENUM("E", "'X', 'Y'"), ENUM("E", "'X'"), "00", "00");
    untranslatable(RECORD("R", "{'name': 'e', 'type': " ENUM("E", "'X', 'Y'") "}"),
                   RECORD("R", "{'name': 'e', 'type': " ENUM("E", "'X'") "}"), "02", "e: ",
                   "symbol Y is not known");
}

/* --- unions --- */

static void a_field_becomes_optional(void **state) {
    (void)state;
    becomes("'int'", "['null', 'int']", "0a", "02 0a");
    becomes("'string'", "['int', 'null', 'string']", "02 61", "04 02 61");
}

static void a_union_is_translated_by_branch(void **state) {
    (void)state;
    becomes("['null', 'int']", "['int', 'null']", "02 0a", "00 0a");
    becomes("['null', 'int']", "['int', 'null']", "00", "02");
    becomes("['int', 'string']", "['null', 'string', 'int']", "02 02 61", "02 02 61");
    becomes("['int', 'string']", "['null', 'string', 'int']", "00 0a", "04 0a");
}

static void the_same_kind_goes_before_a_wider_one(void **state) {
    (void)state;
    becomes("'int'", "['long', 'int']", "0a", "02 0a");
    becomes("'int'", "['null', 'double', 'long']", "02", "02 000000000000f03f");
}

static void a_required_field_takes_what_an_optional_one_states(void **state) {
    (void)state;
    becomes("['null', 'int']", "'int'", "02 0a", "0a");
    becomes("['null', 'int']", "'long'", "02 0a", "0a");
    untranslatable("['null', 'int']", "'int'", "00", "",
                   "a value of type null has no place in the reader");
    untranslatable(RECORD("R", "{'name': 'a', 'type': ['null', 'int']}"), RECORD("R", A), "00",
                   "a: ", "a value of type null");
}

static void a_branch_that_the_reader_lacks_is_refused(void **state) {
    (void)state;
    untranslatable("['null', 'string', 'int']", "['null', 'int']", "02 02 61", "",
                   "a value of type string has no place");
    becomes("['null', 'string', 'int']", "['null', 'int']", "04 0a", "02 0a");
    untranslatable("['string', 'int']", "['boolean', 'int']", "00 02 61", "",
                   "a value of type string has no place");
    becomes("['string', 'int']", "['boolean', 'int']", "02 0a", "02 0a");
}

static void unions_without_a_common_branch_are_hopeless(void **state) {
    (void)state;
    hopeless("['null', 'boolean']", "['int', 'string']", "", "union cannot be read as union");
    hopeless("'boolean'", "['int', 'string']", "", "boolean cannot be read as union");
    hopeless("['null', 'boolean']", "'int'", "", "union cannot be read as int");
}

static void branches_of_one_short_name_are_told_apart_by_namespace(void **state) {
    (void)state;
    static const char both[] = "[{'type': 'record', 'name': 'x.R', 'fields': [" A "]},"
                               " {'type': 'record', 'name': 'y.R', 'fields': [" A "]}]";
    becomes(both, both, "00 0a", "00 0a");
    becomes(both, both, "02 0a", "02 0a");
}

static void a_record_of_another_name_is_not_taken_for_its_double(void **state) {
    (void)state;
    untranslatable("['null', " RECORD("Metres", A) "]", "['null', " RECORD("Miles", A) "]", "02 0a",
                   "", "a value of type record has no place");
    becomes("['null', " RECORD("Metres", A) "]", "['null', " RECORD("Miles", A) "]", "00", "00");
}

/* --- arrays and maps --- */

static void arrays_of_records_that_grew_are_translated(void **state) {
    (void)state;
    becomes(ARRAY(RECORD("R", A)),
            ARRAY(RECORD("R", A ", {'name': 'n', 'type': ['null', 'string'], 'default': null}")),
            "04 0a 0c 00", "04 0a 00 0c 00 00");
    becomes(ARRAY(RECORD("R", A ", " B)), ARRAY(RECORD("R", A)), "04 02 02 61 04 02 62 00",
            "04 02 04 00");
    becomes(ARRAY(RECORD("R", A)), ARRAY(RECORD("R", A ", {'name': 'n', 'type': 'int',"
            " 'default': 3}")), "00", "00");
}

static void maps_are_translated_by_value(void **state) {
    (void)state;
    becomes(MAP("'int'"), MAP("'double'"), "02 02 6b 02 00", "02 02 6b 000000000000f03f 00");
    becomes(MAP(ENUM("E", "'X', 'Y'")), MAP(ENUM("E", "'Y', 'X'")), "04 02 61 00 02 62 02 00",
            "04 02 61 02 02 62 00 00");
}

static void several_blocks_of_what_is_translated_become_one(void **state) {
    (void)state;
    becomes(ARRAY("'int'"), ARRAY("'double'"), "01 02 02 02 04 00",
            "04 000000000000f03f 0000000000000040 00");
}

static void an_element_without_a_translation_is_refused(void **state) {
    (void)state;
    untranslatable(ARRAY("['null', 'int']"), ARRAY("'int'"), "04 02 0a 00 00", "",
                   "a value of type null");
    untranslatable(MAP("['null', 'int']"), MAP("'int'"), "02 02 6b 00 00", "",
                   "a value of type null");
    hopeless(ARRAY("'string'"), ARRAY("'int'"), "", "string cannot be read as int");
    hopeless(MAP("'string'"), MAP("'int'"), "", "string cannot be read as int");
    hopeless(ARRAY("'int'"), MAP("'int'"), "", "array cannot be read as map");
}

/* --- canonical form --- */

#define canonical(schema, from, to) canonical_at(schema, from, to, __FILE__, __LINE__)
static void canonical_at(const char *schema, const char *from, const char *to, const char *file,
                         int line) {
    struct pair pair;
    struct hub_error error;
    struct hub_buffer value = {0};
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    schema_expect_ok(pair_open(&pair, schema, schema, &error), &error, file, line);
    _assert_true(hub_resolver_is_identity(pair.resolver), "identity", file, line);
    schema_expect_ok(pair_translate(&pair, from, /* canonical= */ true, &value, &error), &error,
                     file, line);
    schema_expect_bytes(hub_buffer_bytes(&value), to, file, line);
    schema_expect_ok(
        hub_walk(pair.reader->root, hub_buffer_bytes(&value), &limits, &walk, &error), &error, file,
        line);
    _assert_true(walk.canonical, "canonical", file, line);
    hub_buffer_clear(&value);
    schema_expect_ok(pair_translate(&pair, from, /* canonical= */ false, &value, &error), &error,
                     file, line);
    schema_expect_bytes(hub_buffer_bytes(&value), from, file, line); /* copied as it is */
    hub_buffer_clear(&value);
    hub_resolve_canonical(pair.writer->root, schema_bytes(&pair.arena, from), &value);
    schema_expect_bytes(hub_buffer_bytes(&value), to, file, line);
    hub_buffer_free(&value);
    pair_close(&pair);
}

static void what_is_not_canonical_is_made_so(void **state) {
    (void)state;
    canonical("'int'", "8a00", "0a");
    canonical("'long'", "80808080808080808000", "00");
    canonical("'string'", "8200 61", "02 61");
    canonical("'bytes'", "828000 ff", "02 ff");
    canonical(ENUM("E", "'X', 'Y'"), "8200", "02");
    canonical("['null', 'int']", "8200 8a00", "02 0a");
    canonical("['null', 'int']", "8000", "00");
    canonical(ARRAY("'int'"), "02 02 02 04 00", "04 02 04 00");
    canonical(ARRAY("'int'"), "03 04 02 04 00", "04 02 04 00");
    canonical(ARRAY("'int'"), "8000", "00");
    canonical(RECORD("R", A ", {'name': 'l', 'type': " ARRAY("'string'") "}, " B),
              "8a00 01 04 02 61 02 8200 62 00 02 78", "0a 04 02 61 02 62 00 02 78");
}

static void maps_in_several_blocks_become_one_block(void **state) {
    (void)state;
    canonical(MAP("'int'"), "01 06 02 61 02 02 02 62 04 00", "04 02 61 02 02 62 04 00");
    canonical(MAP("'int'"), "02 02 61 02 02 02 62 04 00", "04 02 61 02 02 62 04 00");
    canonical(MAP("'int'"), "03 0c 02 61 02 02 62 04 00", "04 02 61 02 02 62 04 00");
}

/* --- the resolver itself --- */

static void a_resolver_knows_whether_it_changes_anything(void **state) {
    (void)state;
    struct pair pair;
    struct hub_error error;
    expect_ok(pair_open(&pair, RECORD("R", A ", " B), RECORD("R", A ", " B), &error), &error);
    assert_true(hub_resolver_is_identity(pair.resolver));
    pair_close(&pair);
    expect_ok(pair_open(&pair, RECORD("R", A ", " B), RECORD("R", B ", " A), &error), &error);
    assert_false(hub_resolver_is_identity(pair.resolver));
    pair_close(&pair);
    hub_resolver_free(NULL);
}

static void the_values_limit_is_kept_with_its_number(void **state) {
    (void)state;
    struct pair pair;
    struct hub_error error;
    struct hub_buffer value = {.size_max = 7};
    expect_ok(pair_open(&pair, "'int'", "'double'", &error), &error);
    expect_refusal(pair_translate(&pair, "02", /* canonical= */ false, &value, &error), HUB_REJECT,
                   &error, "", "the translated value passes the limit of 7 bytes");
    hub_buffer_free(&value);
    pair_close(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_added_field_gets_its_default),
        cmocka_unit_test(an_added_field_without_a_default_is_hopeless),
        cmocka_unit_test(a_removed_field_is_skipped),
        cmocka_unit_test(moved_fields_are_found_by_name),
        cmocka_unit_test(a_renamed_field_is_found_by_its_alias),
        cmocka_unit_test(a_fields_own_name_goes_before_its_alias),
        cmocka_unit_test(a_renamed_record_is_found_by_its_alias),
        cmocka_unit_test(the_namespace_of_a_record_may_change),
        cmocka_unit_test(an_inner_record_grows),
        cmocka_unit_test(numbers_are_widened),
        cmocka_unit_test(a_long_is_rounded_to_a_float_once),
        cmocka_unit_test(numbers_are_not_narrowed),
        cmocka_unit_test(texts_and_bytes_are_read_as_each_other),
        cmocka_unit_test(a_fixed_keeps_its_size),
        cmocka_unit_test(values_that_are_alike_pass_as_they_are),
        cmocka_unit_test(an_enum_is_translated_by_symbol),
        cmocka_unit_test(an_unknown_symbol_becomes_the_default),
        cmocka_unit_test(an_unknown_symbol_without_a_default_is_refused_by_name),
        cmocka_unit_test(a_field_becomes_optional),
        cmocka_unit_test(a_union_is_translated_by_branch),
        cmocka_unit_test(the_same_kind_goes_before_a_wider_one),
        cmocka_unit_test(a_required_field_takes_what_an_optional_one_states),
        cmocka_unit_test(a_branch_that_the_reader_lacks_is_refused),
        cmocka_unit_test(unions_without_a_common_branch_are_hopeless),
        cmocka_unit_test(branches_of_one_short_name_are_told_apart_by_namespace),
        cmocka_unit_test(a_record_of_another_name_is_not_taken_for_its_double),
        cmocka_unit_test(arrays_of_records_that_grew_are_translated),
        cmocka_unit_test(maps_are_translated_by_value),
        cmocka_unit_test(several_blocks_of_what_is_translated_become_one),
        cmocka_unit_test(an_element_without_a_translation_is_refused),
        cmocka_unit_test(what_is_not_canonical_is_made_so),
        cmocka_unit_test(maps_in_several_blocks_become_one_block),
        cmocka_unit_test(a_resolver_knows_whether_it_changes_anything),
        cmocka_unit_test(the_values_limit_is_kept_with_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
