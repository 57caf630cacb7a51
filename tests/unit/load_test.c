/* load: what is an Avro schema, and where and why a text is none. */
#include "schemas/lib/type.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

#define RECORD(fields) "{'type': 'record', 'name': 'R', 'fields': [" fields "]}"
#define FIELD(type) RECORD("{'name': 'a', 'type': " type "}")

/* A text of any length, piece by piece. */
static const char *repeated(struct hub_arena *arena, const char *head, const char *piece,
                            size_t times, const char *tail) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, head);
    for (size_t i = 0; i < times; i++) {
        hub_buffer_append_format(&text, "%s", i == 0 ? "" : ",");
        const char *mark = strchr(piece, '#');
        hub_buffer_append_format(&text, "%.*s%zu%s", (int)(mark - piece), piece, i, mark + 1);
    }
    hub_buffer_append_text(&text, tail);
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

/* --- what is compiled --- */

static void a_record_is_compiled_with_all_that_it_says(void **state) {
    (void)state;
    struct hub_schema *schema = schema_new(
        "{'type': 'record', 'name': 'Stay', 'namespace': 'own.guests', 'aliases': ['Visit', 'x.V'],"
        " 'fields': [{'name': 'days', 'type': 'int', 'default': 3, 'aliases': ['length']},"
        "  {'name': 'from', 'type': {'type': 'int', 'logicalType': 'date'}}]}");
    const struct hub_type *type = schema->root;
    assert_int_equal(type->kind, HUB_RECORD);
    assert_string_equal(type->name, "own.guests.Stay");
    assert_string_equal(type->aliases[0], "own.guests.Visit");
    assert_string_equal(type->aliases[1], "x.V");
    assert_null(type->aliases[2]);
    assert_int_equal(type->count, 2);
    assert_string_equal(type->fields[0].name, "days");
    assert_string_equal(type->fields[0].aliases[0], "length");
    assert_true(type->fields[0].has_default);
    expect_bytes(type->fields[0].default_value, "06");
    assert_false(type->fields[1].has_default);
    assert_string_equal(type->fields[1].type->logical, "date");
    assert_string_equal(schema->file, "own.avsc");
    assert_int_equal(strlen(schema->text), schema->text_size);
    hub_schema_free(schema);
}

static void every_kind_is_compiled(void **state) {
    (void)state;
    static const char *const words[] = {"null",   "boolean", "int",   "long",
                                        "float", "double",  "bytes", "string"};
    struct hub_arena arena = {0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct hub_schema *schema = schema_new(hub_arena_format(&arena, "'%s'", words[i]));
        assert_string_equal(hub_kind_name(schema->root->kind), words[i]);
        hub_schema_free(schema);
        schema = schema_new(hub_arena_format(&arena, "{'type': '%s'}", words[i]));
        assert_string_equal(hub_kind_name(schema->root->kind), words[i]);
        hub_schema_free(schema);
    }
    struct hub_schema *schema = schema_new("['null', {'type': 'array', 'items': {'type': 'map',"
                                           " 'values': {'type': 'fixed', 'name': 'F',"
                                           " 'size': 7}}}]");
    assert_int_equal(schema->root->kind, HUB_UNION);
    assert_int_equal(hub_type_null_branch(schema->root), 0);
    const struct hub_type *array = hub_type_stated(schema->root);
    assert_int_equal(array->kind, HUB_ARRAY);
    assert_int_equal(array->items->kind, HUB_MAP);
    assert_int_equal(array->items->items->fixed_size, 7);
    hub_schema_free(schema);
    hub_arena_destroy(&arena);
}

static void a_name_takes_the_namespace_around_it(void **state) {
    (void)state;
    struct hub_schema *schema = schema_new(
        "{'type': 'record', 'name': 'R', 'namespace': 'x.y', 'fields': ["
        " {'name': 'a', 'type': {'type': 'fixed', 'name': 'F', 'size': 1}},"
        " {'name': 'b', 'type': {'type': 'fixed', 'name': 'z.G', 'size': 1}},"
        " {'name': 'c', 'type': {'type': 'fixed', 'name': 'H', 'namespace': 'w', 'size': 1}},"
        " {'name': 'd', 'type': {'type': 'fixed', 'name': 'I', 'namespace': '', 'size': 1}},"
        " {'name': 'e', 'type': 'F'}, {'name': 'f', 'type': 'x.y.F'}, {'name': 'g', 'type': 'w.H'}"
        "]}");
    static const char *const names[] = {"x.y.F", "z.G", "w.H", "I", "x.y.F", "x.y.F", "w.H"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(schema->root->fields[i].type->name, names[i]);
    assert_ptr_equal(schema->root->fields[0].type, schema->root->fields[5].type);
    hub_schema_free(schema);
}

static void a_type_is_asked_for_its_parts_by_name(void **state) {
    (void)state;
    struct hub_schema *schema =
        schema_new(RECORD("{'name': 'a', 'type': 'int'}, {'name': 'e', 'type': {'type': 'enum',"
                          " 'name': 'E', 'symbols': ['X', 'Y'], 'default': 'Y'}}"));
    const struct hub_type *letters = schema->root->fields[1].type;
    assert_int_equal(hub_type_field(schema->root, "e"), 1);
    assert_int_equal(hub_type_field(schema->root, "x"), -1);
    assert_int_equal(hub_type_field(letters, "X"), -1);
    assert_int_equal(hub_type_symbol(letters, "Y"), 1);
    assert_int_equal(hub_type_symbol(letters, "y"), -1);
    assert_int_equal(hub_type_symbol(schema->root, "a"), -1);
    assert_int_equal(letters->default_symbol, 1);
    assert_int_equal(hub_type_null_branch(letters), -1);
    assert_ptr_equal(hub_type_stated(letters), letters);
    hub_schema_free(schema);
    hub_schema_free(NULL);
}

static void only_a_union_of_null_and_one_type_states_that_type(void **state) {
    (void)state;
    struct hub_schema *schema = schema_new("['null', 'int', 'string']");
    assert_ptr_equal(hub_type_stated(schema->root), schema->root);
    hub_schema_free(schema);
    schema = schema_new("['int', 'null']");
    assert_int_equal(hub_type_stated(schema->root)->kind, HUB_INT);
    hub_schema_free(schema);
}

/* --- texts --- */

static void a_text_that_is_no_json_is_refused_at_its_place(void **state) {
    (void)state;
    expect_no_schema("", "own.avsc:1:1: ", "the file is empty");
    expect_no_schema("{'type': 'int'\n", "own.avsc:2:1: ", "did not find expected");
    expect_no_schema("{'type': 'int', 'type': 'int'}", "own.avsc:1:17: ",
                     "key 'type' stands here twice");
    expect_no_schema("# a remark\n'int'", "own.avsc:1:1: ", "JSON (RFC 8259) would pass");
    expect_no_schema("{type: 'int'}", "own.avsc:1:", "JSON (RFC 8259) would pass");
    expect_no_schema("['null', 'int',]", "own.avsc:1:", "JSON (RFC 8259) would pass");
    expect_no_schema("type:\n  'int'\n", "own.avsc:1:", "JSON (RFC 8259) would pass");
}

static void a_type_is_a_text_a_list_or_an_object(void **state) {
    (void)state;
    expect_no_schema("int", "own.avsc:1:1: ", "a type's name must stand in quotes");
    expect_no_schema("[null, 'int']", "own.avsc:1:2: ", "must stand in quotes");
    expect_no_schema("{'type': 'integer'}", "own.avsc:1:10: ",
                     "'integer' is no type; primitive, record, enum, fixed, array or map would");
    expect_no_schema("{'type': ['null', 'int']}", "own.avsc:1:10: ", "'type' must be a text");
    expect_no_schema("{}", "own.avsc:1:1: ", "'type' is missing");
    expect_no_schema("{'type': null}", "own.avsc:1:10: ", "'type' must be a text in quotes");
}

static void an_unknown_name_is_refused(void **state) {
    (void)state;
    expect_no_schema("'Later'", "own.avsc:1:1: ", "type 'Later' is not defined before this place");
    expect_no_schema("{'type': 'record', 'name': 'R', 'namespace': 'x', 'fields': [\n"
                     " {'name': 'a', 'type': {'type': 'fixed', 'name': 'y.F', 'size': 1}},\n"
                     " {'name': 'b', 'type': 'F'}]}",
                     "own.avsc:3:24: ", "type 'F' is not defined");
}

/* --- names --- */

static void a_name_is_letters_digits_and_underscores(void **state) {
    (void)state;
    expect_no_schema("{'type': 'record', 'name': '1R', 'fields': []}", "own.avsc:1:28: ",
                     "'1R' is no name");
    expect_no_schema("{'type': 'record', 'name': 'a..b', 'fields': []}", "own.avsc:1:28: ",
                     "is no name");
    expect_no_schema("{'type': 'enum', 'name': 'E-1', 'symbols': ['A']}", "own.avsc:1:26: ",
                     "'E-1' is no name");
    expect_no_schema("{'type': 'fixed', 'name': '', 'size': 1}", "own.avsc:1:27: ",
                     "'name' must be a text in quotes");
    expect_no_schema("{'type': 'fixed', 'name': 5, 'size': 1}", "own.avsc:1:27: ",
                     "'name' must be a text in quotes");
    expect_no_schema("{'type': 'fixed', 'name': 'F\\u0000G', 'size': 1}", "own.avsc:1:27: ",
                     "'name' must be a text in quotes");
    expect_no_schema("{'type': 'fixed', 'size': 1}", "own.avsc:1:1: ", "'name' is missing");
    expect_no_schema("{'type': 'enum', 'symbols': ['A']}", "own.avsc:1:1: ", "'name' is missing");
    expect_no_schema("{'type': 'record', 'name': 'R', 'namespace': 'x.', 'fields': []}",
                     "own.avsc:1:46: ", "'namespace' must be dotted names");
    expect_no_schema("{'type': 'record', 'name': 'R', 'namespace': 7, 'fields': []}",
                     "own.avsc:1:46: ", "'namespace' must be dotted names");
}

static void a_primitive_types_name_cannot_be_defined(void **state) {
    (void)state;
    expect_no_schema("{'type': 'record', 'name': 'string', 'fields': []}", "own.avsc:1:28: ",
                     "'string' is the name of a primitive type");
    expect_no_schema("{'type': 'fixed', 'name': 'x.int', 'size': 4}", "own.avsc:1:27: ",
                     "'x.int' is the name of a primitive type");
}

static void one_name_is_defined_once(void **state) {
    (void)state;
    expect_no_schema(RECORD("{'name': 'a', 'type': {'type': 'fixed', 'name': 'F', 'size': 1}},\n"
                            "{'name': 'b', 'type': {'type': 'fixed', 'name': 'F', 'size': 1}}"),
                     "own.avsc:2:23: ", "'F' is defined twice, first in line 1");
    expect_no_schema(FIELD("{'type': 'enum', 'name': 'R', 'symbols': ['A']}"), "own.avsc:1:", 
                     "'R' is defined twice");
}

static void aliases_are_a_list_of_names(void **state) {
    (void)state;
    expect_no_schema("{'type': 'record', 'name': 'R', 'aliases': 'Q', 'fields': []}",
                     "own.avsc:1:44: ", "'aliases' must be a list of names");
    expect_no_schema("{'type': 'record', 'name': 'R', 'aliases': ['Q', '-'], 'fields': []}",
                     "own.avsc:1:50: ", "an alias must be a name");
    expect_no_schema("{'type': 'record', 'name': 'R', 'aliases': [[]], 'fields': []}",
                     "own.avsc:1:45: ", "an alias must be a name");
    expect_no_schema(RECORD("{'name': 'a', 'type': 'int', 'aliases': [5]}"), "own.avsc:1:",
                     "an alias must be a name");
}

/* --- records --- */

static void a_record_needs_its_fields(void **state) {
    (void)state;
    expect_no_schema("{'type': 'record', 'name': 'R'}", "own.avsc:1:1: ",
                     "record 'R' needs a list of 'fields'");
    expect_no_schema("{'type': 'record', 'name': 'R', 'fields': {}}", "own.avsc:1:1: ",
                     "record 'R' needs a list of 'fields'");
    expect_no_schema(RECORD("'a'"), "own.avsc:1:44: ",
                     "a field must be an object with name and type");
    expect_no_schema(RECORD("{'type': 'int'}"), "own.avsc:1:44: ", "'name' is missing");
    expect_no_schema(RECORD("{'name': 'a'}"), "own.avsc:1:44: ", "field 'a' has no type");
    expect_no_schema(RECORD("{'name': 'a.b', 'type': 'int'}"), "own.avsc:1:53: ",
                     "'a.b' is no field name");
    expect_no_schema(RECORD("{'name': 'a\\u0000', 'type': 'int'}"), "own.avsc:1:53: ",
                     "'name' must be a text in quotes");
}

static void a_field_is_named_once(void **state) {
    (void)state;
    expect_no_schema(RECORD("{'name': 'a', 'type': 'int'},\n{'name': 'a', 'type': 'int'}"),
                     "own.avsc:2:1: ", "field 'a' stands here twice, first in line 1");
    expect_no_schema(RECORD("{'name': 'a', 'type': 'int'},\n"
                            "{'name': 'b', 'type': 'int', 'aliases': ['a']}"),
                     "own.avsc:2:1: ", "alias 'a' is a name or alias of the field in line 1");
    expect_no_schema(RECORD("{'name': 'b', 'type': 'int', 'aliases': ['a']},\n"
                            "{'name': 'a', 'type': 'int'}"),
                     "own.avsc:2:1: ", "field 'a' has the name of an alias in line 1");
    expect_no_schema(RECORD("{'name': 'a', 'type': 'int', 'aliases': ['o']},\n"
                            "{'name': 'b', 'type': 'int', 'aliases': ['p', 'o']}"),
                     "own.avsc:2:1: ", "alias 'o' is a name or alias of the field in line 1");
}

static void recursion_is_refused(void **state) {
    (void)state;
    expect_no_schema(FIELD("['null', 'R']"), "own.avsc:1:", "'R' contains itself; recursive");
    expect_no_schema(FIELD("{'type': 'array', 'items': 'R'}"), "own.avsc:1:",
                     "'R' contains itself");
    expect_no_schema(FIELD("{'type': 'record', 'name': 'I', 'fields': [\n"
                           "{'name': 'b', 'type': {'type': 'map', 'values': 'R'}}]}"),
                     "own.avsc:2:49: ", "'R' contains itself");
}

static void more_fields_than_the_limit_are_refused_with_both_numbers(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    static const char head[] = "{'type': 'record', 'name': 'R', 'fields': [\n";
    static const char field[] = "{'name': 'f#', 'type': 'int'}";
    expect_no_schema(repeated(&arena, head, field, 257, "]}"), "own.avsc:1:",
                     "257 fields, over the limit of 256");
    hub_schema_free(schema_new(repeated(&arena, head, field, 256, "]}")));
    hub_arena_destroy(&arena);
}

/* --- depth --- */

static const char *nested_arrays(struct hub_arena *arena, size_t levels) {
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i < levels; i++)
        hub_buffer_append_text(&text, "{'type': 'array', 'items': ");
    hub_buffer_append_text(&text, "'int'");
    for (size_t i = 0; i < levels; i++)
        hub_buffer_append_text(&text, "}");
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

static void types_nested_too_deep_are_refused(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    hub_schema_free(schema_new(nested_arrays(&arena, 32)));
    expect_no_schema(nested_arrays(&arena, 33), "own.avsc:1:",
                     "types nested deeper than 32 levels");
    hub_arena_destroy(&arena);
}

/* A chain of records, each with the one before it as its field, all within one record. */
static const char *chained(struct hub_arena *arena, size_t links) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, "{'type': 'record', 'name': 'R', 'fields': [\n"
                                  "{'name': 'f0', 'type': {'type': 'fixed', 'name': 'R0',"
                                  " 'size': 1}}");
    for (size_t i = 1; i <= links; i++)
        hub_buffer_append_format(&text,
                                 ",\n{'name': 'f%zu', 'type': {'type': 'record', 'name': 'R%zu',"
                                 " 'fields': [{'name': 'g', 'type': 'R%zu'}]}}",
                                 i, i, i - 1);
    hub_buffer_append_text(&text, "]}");
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

static void depth_is_counted_through_names(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    hub_schema_free(schema_new(chained(&arena, 31)));
    expect_no_schema(chained(&arena, 32), "own.avsc:34:", "types nested deeper than 32 levels");
    hub_arena_destroy(&arena);
}

/* Records of two fields each, both of the record before: every one doubles the types. */
static void a_short_text_does_not_spell_out_a_tree_without_end(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_text(&text, "{'type': 'record', 'name': 'R', 'fields': [{'name': 'f0',"
                                  " 'type': {'type': 'fixed', 'name': 'R0', 'size': 1}}");
    for (int i = 1; i <= 20; i++)
        hub_buffer_append_format(&text,
                                 ", {'name': 'f%d', 'type': {'type': 'record', 'name': 'R%d',"
                                 " 'fields': [{'name': 'a', 'type': 'R%d'},"
                                 " {'name': 'b', 'type': 'R%d'}]}}", i, i, i - 1, i - 1);
    hub_buffer_append_text(&text, "]}");
    expect_no_schema(hub_buffer_text(&text), "own.avsc:1:1: ", "more than 10000 types");
}

static void a_default_has_a_limit(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    char *word = hub_arena_take_zero(&arena, 1, 65536);
    memset(word, 'x', 65535);
    expect_no_schema(hub_arena_format(&arena, RECORD("{'name': 'a', 'type': 'string',\n"
                                                     "'default': '%s'}"), word),
                     "own.avsc:2:12: ", "a default of more than 65536 bytes");
    hub_arena_destroy(&arena);
}

/* --- enums and fixed --- */

static void an_enum_needs_symbols(void **state) {
    (void)state;
    expect_no_schema("{'type': 'enum', 'name': 'E'}", "own.avsc:1:1: ",
                     "enum 'E' needs a list of 1 to 1024 'symbols'");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': []}", "own.avsc:1:1: ",
                     "enum 'E' needs a list");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': 'A'}", "own.avsc:1:1: ",
                     "enum 'E' needs a list");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'b c']}", "own.avsc:1:48: ",
                     "a symbol is letters, digits and _");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'A']}", "own.avsc:1:48: ",
                     "symbol 'A' stands here twice");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': [A]}", "own.avsc:1:43: ",
                     "a symbol is letters");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': [['A']]}", "own.avsc:1:43: ",
                     "a symbol is letters");
}

static void an_enum_has_a_limit_of_symbols(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    static const char head[] = "{'type': 'enum', 'name': 'E', 'symbols': [";
    hub_schema_free(schema_new(repeated(&arena, head, "'S#'", 1024, "]}")));
    expect_no_schema(repeated(&arena, head, "'S#'", 1025, "]}"), "own.avsc:1:1: ",
                     "enum 'E' needs a list of 1 to 1024 'symbols'");
    hub_arena_destroy(&arena);
}

static void an_enums_default_is_one_of_its_symbols(void **state) {
    (void)state;
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': ['A'], 'default': 'B'}",
                     "own.avsc:1:60: ", "the default must be one of the symbols");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': ['A'], 'default': A}",
                     "own.avsc:1:60: ", "the default must be one of the symbols");
    expect_no_schema("{'type': 'enum', 'name': 'E', 'symbols': ['A'], 'default': ['A']}",
                     "own.avsc:1:60: ", "the default must be one of the symbols");
}

static void an_enums_default_may_be_its_first_symbol(void **state) {
    (void)state;
    struct hub_schema *schema =
        schema_new("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'B'], 'default': 'A'}");
    assert_int_equal(schema->root->default_symbol, 0);
    hub_schema_free(schema);
    schema = schema_new("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'B']}");
    assert_int_equal(schema->root->default_symbol, -1);
    hub_schema_free(schema);
}

static void a_fixed_needs_a_size_within_the_limit(void **state) {
    (void)state;
    static const char words[] = "fixed 'F' needs a 'size' from 1 to 1048576";
    expect_no_schema("{'type': 'fixed', 'name': 'F'}", "own.avsc:1:1: ", words);
    expect_no_schema("{'type': 'fixed', 'name': 'F', 'size': 0}", "own.avsc:1:40: ", words);
    expect_no_schema("{'type': 'fixed', 'name': 'F', 'size': -1}", "own.avsc:1:40: ", words);
    expect_no_schema("{'type': 'fixed', 'name': 'F', 'size': 1048577}", "own.avsc:1:40: ", words);
    expect_no_schema("{'type': 'fixed', 'name': 'F', 'size': '4'}", "own.avsc:1:40: ", words);
    expect_no_schema("{'type': 'fixed', 'name': 'F', 'size': 1.5}", "own.avsc:1:40: ", words);
    expect_no_schema("{'type': 'fixed', 'name': 'F', 'size': 99999999999999999999}",
                     "own.avsc:1:40: ", words);
    hub_schema_free(schema_new("{'type': 'fixed', 'name': 'F', 'size': 1048576}"));
}

/* --- arrays, maps and unions --- */

static void arrays_and_maps_need_their_elements_type(void **state) {
    (void)state;
    expect_no_schema("{'type': 'array'}", "own.avsc:1:1: ", "'items' is missing");
    expect_no_schema("{'type': 'map', 'items': 'int'}", "own.avsc:1:1: ", "'values' is missing");
    expect_no_schema("{'type': 'map', 'values': 'None'}", "own.avsc:1:27: ",
                     "'None' is not defined");
}

static void a_union_names_each_branch_once(void **state) {
    (void)state;
    expect_no_schema("[]", "own.avsc:1:1: ", "a union has 1 to 32 branches");
    expect_no_schema("['int', 'null', 'int']", "own.avsc:1:17: ",
                     "the union has two branches of int");
    expect_no_schema("[{'type': 'array', 'items': 'int'}, {'type': 'array', 'items': 'long'}]",
                     "own.avsc:1:37: ", "the union has two branches of array");
    expect_no_schema("[{'type': 'map', 'values': 'int'}, {'type': 'map', 'values': 'long'}]",
                     "own.avsc:1:36: ", "the union has two branches of map");
    expect_no_schema("[{'type': 'fixed', 'name': 'F', 'size': 1}, 'F']", "own.avsc:1:45: ",
                     "the union has two branches of F");
    hub_schema_free(schema_new("[{'type': 'fixed', 'name': 'F', 'size': 1},"
                               " {'type': 'fixed', 'name': 'G', 'size': 1}]"));
}

static void a_union_is_not_directly_inside_a_union(void **state) {
    (void)state;
    expect_no_schema("['null', ['int', 'string']]", "own.avsc:1:10: ",
                     "a union directly inside a union; list its branches here");
    expect_no_schema("['null', []]", "own.avsc:1:10: ", "a union has 1 to 32 branches");
}

static void a_union_has_a_limit_of_branches(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    static const char branch[] = "{'type': 'fixed', 'name': 'F#', 'size': 1}";
    hub_schema_free(schema_new(repeated(&arena, "[", branch, 32, "]")));
    expect_no_schema(repeated(&arena, "[", branch, 33, "]"), "own.avsc:1:1: ",
                     "a union has 1 to 32 branches");
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_compiled_with_all_that_it_says),
        cmocka_unit_test(every_kind_is_compiled),
        cmocka_unit_test(a_name_takes_the_namespace_around_it),
        cmocka_unit_test(a_type_is_asked_for_its_parts_by_name),
        cmocka_unit_test(only_a_union_of_null_and_one_type_states_that_type),
        cmocka_unit_test(a_text_that_is_no_json_is_refused_at_its_place),
        cmocka_unit_test(a_type_is_a_text_a_list_or_an_object),
        cmocka_unit_test(an_unknown_name_is_refused),
        cmocka_unit_test(a_name_is_letters_digits_and_underscores),
        cmocka_unit_test(a_primitive_types_name_cannot_be_defined),
        cmocka_unit_test(one_name_is_defined_once),
        cmocka_unit_test(aliases_are_a_list_of_names),
        cmocka_unit_test(a_record_needs_its_fields),
        cmocka_unit_test(a_field_is_named_once),
        cmocka_unit_test(recursion_is_refused),
        cmocka_unit_test(more_fields_than_the_limit_are_refused_with_both_numbers),
        cmocka_unit_test(types_nested_too_deep_are_refused),
        cmocka_unit_test(depth_is_counted_through_names),
        cmocka_unit_test(a_short_text_does_not_spell_out_a_tree_without_end),
        cmocka_unit_test(a_default_has_a_limit),
        cmocka_unit_test(an_enum_needs_symbols),
        cmocka_unit_test(an_enum_has_a_limit_of_symbols),
        cmocka_unit_test(an_enums_default_is_one_of_its_symbols),
        cmocka_unit_test(an_enums_default_may_be_its_first_symbol),
        cmocka_unit_test(a_fixed_needs_a_size_within_the_limit),
        cmocka_unit_test(arrays_and_maps_need_their_elements_type),
        cmocka_unit_test(a_union_names_each_branch_once),
        cmocka_unit_test(a_union_is_not_directly_inside_a_union),
        cmocka_unit_test(a_union_has_a_limit_of_branches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
