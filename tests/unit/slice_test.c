/* slice: parts of accepted values, found without decoding the rest. */
#include "schemas/lib/slice.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

static struct hub_arena arena;
static struct hub_schema *schema;

static int end(void **state) {
    (void)state;
    hub_schema_free(schema);
    schema = NULL;
    hub_arena_destroy(&arena);
    return 0;
}

static const struct hub_type *type_of(const char *text) {
    hub_schema_free(schema);
    schema = schema_new(text);
    return schema->root;
}

static const char trip[] =
    "{'type': 'record', 'name': 'Trip', 'fields': ["
    " {'name': 'name', 'type': 'string'},"
    " {'name': 'leg', 'type': ['null', {'type': 'record', 'name': 'Leg', 'fields': ["
    "   {'name': 'from', 'type': ['null', 'string']}, {'name': 'km', 'type': 'int'}]}]},"
    " {'name': 'stops', 'type': {'type': 'array', 'items': 'string'}},"
    " {'name': 'kind', 'type': {'type': 'enum', 'name': 'Kind', 'symbols': ['BUS', 'BOAT']}}]}";
static const char trip_bytes[] = "02 61  02 02 02 62 0e  04 02 78 02 79 00  02";

static void every_type_is_passed_to_its_end(void **state) {
    (void)state;
    static const struct {
        const char *schema, *bytes;
    } cases[] = {{"'null'", ""},
                 {"'boolean'", "01"},
                 {"'int'", "8001"},
                 {"'long'", "feffffffffffffffff01"},
                 {"'float'", "00000000"},
                 {"'double'", "0000000000000000"},
                 {"'bytes'", "04 0102"},
                 {"'string'", "02 61"},
                 {"{'type': 'fixed', 'name': 'F', 'size': 3}", "010203"},
                 {"{'type': 'enum', 'name': 'E', 'symbols': ['A', 'B']}", "02"},
                 {"['null', 'string']", "02 02 61"},
                 {"['null', 'string']", "00"},
                 {"{'type': 'array', 'items': 'int'}", "00"},
                 {"{'type': 'array', 'items': 'int'}", "02 02 03 04 02 04 02 06 00"},
                 {"{'type': 'map', 'values': 'int'}", "02 02 61 02 01 06 02 62 04 00"},
                 {trip, trip_bytes}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hub_type *type = type_of(cases[i].schema);
        struct hub_bytes whole =
            schema_bytes(&arena, hub_arena_format(&arena, "%s ff", cases[i].bytes));
        struct hub_cursor cursor = hub_cursor(whole);
        struct hub_bytes value = hub_slice_value(type, &cursor);
        assert_int_equal(hub_cursor_left(&cursor), 1);
        expect_bytes(value, cases[i].bytes);
    }
}

static void the_fields_of_a_record_are_found(void **state) {
    (void)state;
    const struct hub_type *type = type_of(trip);
    struct hub_bytes bytes = schema_bytes(&arena, trip_bytes);
    uint32_t starts[5];
    static const uint32_t wanted[] = {0, 2, 7, 13, 14};
    hub_slice_fields(type, bytes, starts);
    assert_memory_equal(starts, wanted, sizeof wanted);
    expect_bytes(hub_slice_field(type, bytes, 0), "02 61");
    expect_bytes(hub_slice_field(type, bytes, 2), "04 02 78 02 79 00");
    expect_bytes(hub_slice_field(type, bytes, 3), "02");
}

static void a_path_leads_through_records_and_what_is_stated(void **state) {
    (void)state;
    const struct hub_type *type = type_of(trip);
    struct hub_bytes bytes = schema_bytes(&arena, trip_bytes), part;
    assert_int_equal(hub_slice_path(type, bytes, "leg.from", &part)->kind, HUB_STRING);
    assert_true(hub_bytes_equal_text(hub_slice_octets(part), "b"));
    assert_int_equal(hub_slice_path(type, bytes, "leg.km", &part)->kind, HUB_INT);
    assert_int_equal(hub_slice_long(part), 7);
    assert_int_equal(hub_slice_path(type, bytes, "leg", &part)->kind, HUB_RECORD);
    expect_bytes(part, "02 02 62 0e");
    assert_ptr_equal(hub_slice_path(type, bytes, "", &part), type);
    assert_string_equal(hub_slice_symbol(hub_slice_path(type, bytes, "kind", &part), part), "BOAT");
}

static void a_path_through_null_leads_nowhere(void **state) {
    (void)state;
    const struct hub_type *type = type_of(trip);
    struct hub_bytes part = hub_bytes_of_text("before");
    struct hub_bytes without = schema_bytes(&arena, "00 00 00 00");
    assert_null(hub_slice_path(type, without, "leg.from", &part));
    assert_null(hub_slice_path(type, without, "leg", &part));
    assert_null(hub_slice_path(type, schema_bytes(&arena, "00 02 00 0e 00 00"), "leg.from", &part));
    assert_true(hub_bytes_equal_text(part, "before"));
}

static void what_a_union_states_is_its_branchs_value(void **state) {
    (void)state;
    struct hub_bytes part = hub_bytes_of_text("before");
    const struct hub_type *type = type_of("['null', 'string', 'int']");
    assert_null(hub_slice_stated(type, schema_bytes(&arena, "00"), &part));
    assert_true(hub_bytes_equal_text(part, "before"));
    assert_int_equal(hub_slice_stated(type, schema_bytes(&arena, "04 0a"), &part)->kind, HUB_INT);
    expect_bytes(part, "0a");
    assert_null(hub_slice_stated(type_of("'null'"), hub_bytes("", 0), &part));
    type = type_of("'int'");
    assert_ptr_equal(hub_slice_stated(type, schema_bytes(&arena, "02"), &part), type);
    expect_bytes(part, "02");
}

static void null_and_what_is_empty_is_not_stated(void **state) {
    (void)state;
    const struct hub_type *type = type_of("['null', {'type': 'array', 'items': 'int'}]");
    assert_true(hub_slice_is_unstated(type, schema_bytes(&arena, "00")));
    assert_true(hub_slice_is_unstated(type, schema_bytes(&arena, "02 00")));
    assert_false(hub_slice_is_unstated(type, schema_bytes(&arena, "02 02 02 00")));
    assert_false(hub_slice_is_unstated(type, schema_bytes(&arena, "02 01 02 02 00")));
    type = type_of("{'type': 'map', 'values': 'int'}");
    assert_true(hub_slice_is_unstated(type, schema_bytes(&arena, "00")));
    assert_false(hub_slice_is_unstated(type_of("'string'"), schema_bytes(&arena, "00")));
    assert_false(hub_slice_is_unstated(type_of("'int'"), schema_bytes(&arena, "00")));
}

static void elements_come_one_after_the_other_through_all_blocks(void **state) {
    (void)state;
    const struct hub_type *type = type_of("{'type': 'array', 'items': 'string'}");
    struct hub_elements elements =
        hub_slice_elements(type, schema_bytes(&arena, "04 02 61 02 62 01 04 02 63 00"));
    struct hub_bytes element;
    for (const char *wanted = "abc"; *wanted != '\0'; wanted++) {
        assert_true(hub_slice_next(&elements, &element));
        assert_int_equal(hub_slice_octets(element).size, 1);
        assert_int_equal(*hub_slice_octets(element).data, *wanted);
    }
    assert_false(hub_slice_next(&elements, &element));
    assert_false(hub_slice_next(&elements, &element)); /* also when it is asked again */
    elements = hub_slice_elements(type, schema_bytes(&arena, "00"));
    assert_false(hub_slice_next(&elements, &element));
}

static void entries_of_a_map_have_a_key_and_a_value(void **state) {
    (void)state;
    const struct hub_type *type = type_of("{'type': 'map', 'values': 'int'}");
    struct hub_elements entries =
        hub_slice_elements(type, schema_bytes(&arena, "02 02 61 02 01 06 02 62 04 00"));
    struct hub_bytes key, value;
    assert_true(hub_slice_next_entry(&entries, &key, &value));
    assert_true(hub_bytes_equal_text(key, "a"));
    assert_int_equal(hub_slice_long(value), 1);
    assert_true(hub_slice_next_entry(&entries, &key, &value));
    assert_true(hub_bytes_equal_text(key, "b"));
    assert_int_equal(hub_slice_long(value), 2);
    assert_false(hub_slice_next_entry(&entries, &key, &value));
}

static void a_record_that_is_null_is_passed_with_all_its_parts(void **state) {
    (void)state;
    const struct hub_type *type = type_of(trip);
    uint32_t starts[5];
    static const uint32_t wanted[] = {0, 2, 3, 4, 5};
    hub_slice_fields(type, schema_bytes(&arena, "02 61  00  00  02"), starts);
    assert_memory_equal(starts, wanted, sizeof wanted);
}

static void a_record_of_more_parts_than_stand_in_one_table_is_passed_to_its_end(void **state) {
    (void)state;
    enum { FIELDS = 200, RECORDS = 7 };
    HUB_SCOPED_BUFFER text = {0};
    HUB_SCOPED_BUFFER body = {0};
    uint32_t starts[RECORDS + 2];
    hub_buffer_append_text(&text, "{'type': 'record', 'name': 'Whole', 'fields': [{'name': 'r0',"
                                  " 'type': {'type': 'record', 'name': 'Part', 'fields': [");
    for (int i = 0; i < FIELDS; i++)
        hub_buffer_append_format(&text, "%s{'name': 'f%d', 'type': ['null', 'int']}", i == 0 ? "" : ",", i);
    hub_buffer_append_text(&text, "]}}");
    for (int i = 1; i < RECORDS; i++)
        hub_buffer_append_format(&text, ", {'name': 'r%d', 'type': ['null', 'Part']}", i);
    hub_buffer_append_text(&text, ", {'name': 'last', 'type': 'int'}]}");
    const struct hub_type *type = type_of(hub_buffer_text(&text));
    for (int i = 0; i < RECORDS; i++) {
        if (i > 0)
            hub_buffer_append_byte(&body, 2);
        for (int k = 0; k < FIELDS; k++)
            hub_buffer_append(&body, k % 2 == 0 ? "\x02\x06" : "\0", k % 2 == 0 ? 2 : 1);
    }
    hub_buffer_append_byte(&body, 4);
    hub_slice_fields(type, hub_buffer_bytes(&body), starts);
    for (uint32_t i = 1; i < RECORDS; i++)
        assert_int_equal(starts[i], i * (FIELDS / 2 * 3 + 1) - 1);
    assert_int_equal(starts[RECORDS + 1], body.size);
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_passed_to_its_end),
        cmocka_unit_test(the_fields_of_a_record_are_found),
        cmocka_unit_test(a_path_leads_through_records_and_what_is_stated),
        cmocka_unit_test(a_path_through_null_leads_nowhere),
        cmocka_unit_test(what_a_union_states_is_its_branchs_value),
        cmocka_unit_test(null_and_what_is_empty_is_not_stated),
        cmocka_unit_test(elements_come_one_after_the_other_through_all_blocks),
        cmocka_unit_test(entries_of_a_map_have_a_key_and_a_value),
        cmocka_unit_test(a_record_that_is_null_is_passed_with_all_its_parts),
        cmocka_unit_test(a_record_of_more_parts_than_stand_in_one_table_is_passed_to_its_end),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i].teardown_func = end;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
