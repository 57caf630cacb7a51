/* names: one full name has one definition in all schemas. */
#include "schemas/lib/names.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static enum hub_status check(const char *const *texts, size_t count, struct hub_error *reterr) {
    struct hub_schema *schemas[4];
    for (size_t i = 0; i < count; i++)
        schemas[i] = schema_new(texts[i]);
    enum hub_status status =
        hub_names_check((const struct hub_schema *const *)schemas, count, reterr);
    for (size_t i = 0; i < count; i++)
        hub_schema_free(schemas[i]);
    return status;
}

#define agree(a, b) agree_at(a, b, __FILE__, __LINE__)
static void agree_at(const char *a, const char *b, const char *file, int line) {
    struct hub_error error;
    schema_expect_ok(check((const char *const[]){a, b}, 2, &error), &error, file, line);
    schema_expect_ok(check((const char *const[]){b, a}, 2, &error), &error, file, line);
}

#define differ(a, b, name) differ_at(a, b, name, __FILE__, __LINE__)
static void differ_at(const char *a, const char *b, const char *name, const char *file, int line) {
    struct hub_error error;
    schema_expect_error(check((const char *const[]){a, b}, 2, &error), HUB_FATAL, &error,
                        "own.avsc:1:", name, file, line);
    schema_expect_error(check((const char *const[]){b, a}, 2, &error), HUB_FATAL, &error,
                        "own.avsc:1:", "one name has one definition", file, line);
}

#define FIXED(members) "{'type': 'fixed', 'name': 'own.F', 'size': 4" members "}"
#define RECORD(name, type)                                                                         \
    "{'type': 'record', 'name': 'own." name "', 'fields': [{'name': 'a', 'type': " type "}]}"

static void equal_definitions_agree_whatever_their_layout(void **state) {
    (void)state;
    agree(FIXED(", 'doc': 'd'"), "{'doc': 'd', 'size': 4,\n 'name': 'own.F', 'type': 'fixed'}");
    agree(FIXED(""), "{'type': 'fixed', 'name': 'own.G', 'size': 5}");
    agree(FIXED(""), "'int'");
    agree("'int'", "['null', 'string']");
}

static void a_namespace_may_be_written_in_the_name_or_around_it(void **state) {
    (void)state;
    agree("{'type': 'record', 'name': 'R', 'namespace': 'own', 'fields': [{'name': 'a', 'type':"
          " {'type': 'fixed', 'name': 'F', 'size': 4}}]}",
          "{'type': 'record', 'name': 'S', 'namespace': 'own', 'fields': [{'name': 'a', 'type':"
          " {'type': 'fixed', 'name': 'F', 'namespace': 'own', 'size': 4}}]}");
}

static void a_type_may_be_defined_in_one_file_and_named_in_the_other(void **state) {
    (void)state;
    agree(RECORD("R", FIXED("")),
          "{'type': 'record', 'name': 'own.S', 'fields': [{'name': 'f', 'type': " FIXED(
              "") "},"
                  " {'name': 'r', 'type': " RECORD("R", "'own.F'") "}]}");
    agree("{'type': 'record', 'name': 'R', 'namespace': 'own', 'fields': [{'name': 'a', 'type':"
          " {'type': 'fixed', 'name': 'F', 'size': 4}}]}",
          "{'type': 'record', 'name': 'S', 'namespace': 'own', 'fields': [{'name': 'f', 'type':"
          " {'type': 'fixed', 'name': 'F', 'size': 4}}, {'name': 'r', 'type':"
          " {'type': 'record', 'name': 'R', 'fields': ["
          "{'name': 'a', 'type': 'own.F'}]}}]}");
    differ(RECORD("R", FIXED("")),
           "{'type': 'record', 'name': 'own.S', 'fields': [{'name': 'f', 'type': "
           "{'type': 'fixed', 'name': 'own.G', 'size': 4}}, {'name': 'r', 'type': " RECORD(
               "R", "'own.G'") "}]}",
           "'own.R' is defined differently at own.avsc:1:");
}

static void other_structure_documentation_defaults_or_annotations_differ(void **state) {
    (void)state;
    static const char said[] = "'own.F' is defined differently at own.avsc:1:";
    differ(FIXED(""), "{'type': 'fixed', 'name': 'own.F', 'size': 5}", said);
    differ(FIXED(""), "{'type': 'enum', 'name': 'own.F', 'symbols': ['A']}", said);
    differ(FIXED(", 'doc': 'd'"), FIXED(", 'doc': 'e'"), said);
    differ(FIXED(", 'doc': 'd'"), FIXED(""), said);
    differ(FIXED(", 'hub:x': ['a']"), FIXED(", 'hub:x': ['a', 'b']"), said);
    differ(FIXED(", 'hub:x': ['a']"), FIXED(", 'hub:x': ['b']"), said);
    differ(FIXED(", 'hub:x': {'a': 1}"), FIXED(", 'hub:x': ['a']"), said);
    differ(RECORD("R", "'int', 'default': 1"), RECORD("R", "'int', 'default': 2"),
           "'own.R' is defined differently");
    differ(RECORD("R", "'int'"), RECORD("R", "'long'"), "'own.R' is defined differently");
}

static void a_named_type_is_found_wherever_it_stands(void **state) {
    (void)state;
    static const char other[] = "{'type': 'fixed', 'name': 'own.F', 'size': 5}";
    differ("['null', {'type': 'array', 'items': {'type': 'map', 'values': " FIXED("") "}}]", other,
           "'own.F' is defined differently");
    differ(RECORD("R", "['null', " FIXED("") "]"), other, "'own.F' is defined differently");
}

static void both_places_are_named(void **state) {
    (void)state;
    struct hub_error error;
    const char *const texts[] = {"'int'", FIXED(""),
                                 "\n\n  {'type': 'fixed', 'name': 'own.F', 'size': 5}"};
    assert_int_equal(check(texts, 3, &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "own.avsc:1:1"));
    assert_non_null(strstr(error.text, "own.avsc:3:3"));
}

static void the_third_of_a_name_is_compared_too(void **state) {
    (void)state;
    struct hub_error error;
    const char *const texts[] = {FIXED(""), FIXED(""), FIXED(", 'doc': 'd'")};
    assert_int_equal(check(texts, 3, &error), HUB_FATAL);
    expect_ok(check(texts, 2, &error), &error);
    expect_ok(check(texts, 0, &error), &error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_definitions_agree_whatever_their_layout),
        cmocka_unit_test(a_namespace_may_be_written_in_the_name_or_around_it),
        cmocka_unit_test(a_type_may_be_defined_in_one_file_and_named_in_the_other),
        cmocka_unit_test(other_structure_documentation_defaults_or_annotations_differ),
        cmocka_unit_test(a_named_type_is_found_wherever_it_stands),
        cmocka_unit_test(both_places_are_named),
        cmocka_unit_test(the_third_of_a_name_is_compared_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
