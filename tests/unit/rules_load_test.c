/* rules, rules_load: rules from their texts alone, and which of them may follow on others. */
#include "schemas/lib/rules.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/ruling.h"
#include "tests/lib/schema.h"

#include <string.h>

static enum hub_status compile(const struct ruling *ruling, struct hub_rules **ret_rules,
                               struct hub_error *error) {
    return hub_rules_compiler.compile(&ruling->texts, &hub_sha256, ret_rules, error);
}

static void every_domain_of_the_folder_compiles_from_its_texts(void **state) {
    const struct hub_catalogue *catalogue = test_catalogue();
    (void)state;
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        struct hub_rules *rules = NULL;
        struct ruling ruling;
        struct hub_error error;
        ruling_begin(&ruling, catalogue->domains[i].name);
        expect_ok(compile(&ruling, &rules, &error), &error);
        assert_string_equal(rules->domain.name, ruling.domain->name);
        assert_string_equal(rules->domain.rules, ruling.domain->rules);
        assert_null(hub_rules_refusal(ruling.domain, &rules->domain, &ruling.arena));
        hub_rules_compiler.release(rules);
        ruling_end(&ruling);
    }
    hub_rules_compiler.release(NULL);
}

static void texts_that_are_no_rules_are_refused_with_their_place(void **state) {
    struct ruling ruling;
    struct hub_rules *rules = NULL;
    struct hub_error error;
    char *large = hub_allocate(HUB_RULES_TEXT_SIZE_MAX + 1);
    (void)state;
    memset(large, ' ', HUB_RULES_TEXT_SIZE_MAX + 1);
    struct {
        size_t text; /* in the order of the struct */
        struct hub_bytes value;
        const char *place;
    } wrong[] = {{0, hub_bytes_of_text("{}"), "rules: schema"},
                 {0, hub_bytes_of_text("{\"type\": \"string\"}"), "rules: schema"},
                 {1, hub_bytes_of_text("{"), "rules: schemes"},
                 {1, hub_bytes_of_text("[]"), "rules: schemes"},
                 {2, hub_bytes_of_text("}"), "rules: systems"},
                 {2, hub_bytes_of_text("{\"x\": {}}"), "rules: systems"},
                 {3, hub_bytes_of_text("\"x"), "rules: organisations"},
                 {0, hub_bytes(large, HUB_RULES_TEXT_SIZE_MAX + 1), "rules: schema: 1048577 bytes"},
                 {1, hub_bytes(large, HUB_RULES_TEXT_SIZE_MAX + 1), "rules: schemes: 1048577 bytes"},
                 {2, hub_bytes(large, HUB_RULES_TEXT_SIZE_MAX + 1), "rules: systems: 1048577 bytes"},
                 {3, hub_bytes(large, HUB_RULES_TEXT_SIZE_MAX + 1),
                  "rules: organisations: 1048577 bytes"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ruling_begin(&ruling, "trial");
        struct hub_bytes *texts[] = {&ruling.texts.schema, &ruling.texts.schemes,
                                     &ruling.texts.systems, &ruling.texts.organisations};
        *texts[wrong[i].text] = wrong[i].value;
        expect_refusal(compile(&ruling, &rules, &error), HUB_FATAL, &error, wrong[i].place, "");
        ruling_end(&ruling);
    }
    hub_release(large);
}

/* --- shape --- */

#define RECORD(fields) "{'type': 'record', 'name': 'R', 'fields': [" fields "]}"
#define FIELD(type) "{'name': 'f', 'type': " type "}"
#define SECOND "{'name': 'g', 'type': 'int'}"

static void expect_difference(const char *a, const char *b, const char *path) {
    struct hub_arena arena = {0};
    struct hub_schema *x = schema_new(a), *y = schema_new(b);
    const char *found = hub_type_difference(x->root, y->root, &arena);
    if (path == NULL)
        assert_null(found);
    else
        assert_string_equal(found == NULL ? "" : found, path);
    hub_schema_free(x);
    hub_schema_free(y);
    hub_arena_destroy(&arena);
}

static void annotations_and_documentation_are_no_part_of_the_shape(void **state) {
    (void)state;
    expect_difference(RECORD(FIELD("'int'")),
                      RECORD("{'name': 'f', 'type': 'int', 'doc': 'D', 'hub:class': 'none'}"), NULL);
    expect_difference(RECORD(FIELD("['null', {'type': 'array', 'items': 'string'}]")),
                      RECORD(FIELD("['null', {'type': 'array', 'items': 'string'}]")), NULL);
    expect_difference(RECORD(FIELD("{'type': 'map', 'values': 'int'}")),
                      RECORD(FIELD("{'type': 'map', 'values': 'int'}")), NULL);
}

static void whatever_is_read_otherwise_is_another_shape(void **state) {
    static const struct {
        const char *a, *b, *path;
    } differing[] = {
        {FIELD("'int'"), FIELD("'long'"), "f"},
        {FIELD("'int'"), FIELD("'int'") ", " SECOND, "the record"},
        {FIELD("'int'"), "{'name': 'h', 'type': 'int'}", "f"},
        {FIELD("{'type': 'array', 'items': 'int'}"), FIELD("{'type': 'array', 'items': 'long'}"),
         "f"},
        {FIELD("{'type': 'map', 'values': 'int'}"), FIELD("{'type': 'map', 'values': 'long'}"),
         "f"},
        {FIELD("['null', 'int']"), FIELD("['null', 'long']"), "f"},
        {FIELD("{'type': 'fixed', 'name': 'F', 'size': 2}"),
         FIELD("{'type': 'fixed', 'name': 'F', 'size': 3}"), "f"},
        {FIELD("{'type': 'fixed', 'name': 'F', 'size': 2}"),
         FIELD("{'type': 'fixed', 'name': 'G', 'size': 2}"), "f"},
        {FIELD("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'B']}"),
         FIELD("{'type': 'enum', 'name': 'E', 'symbols': ['A', 'C']}"), "f"},
        {FIELD("'long'"), FIELD("{'type': 'long', 'logicalType': 'timestamp-millis'}"), "f"},
        {FIELD("{'type': 'int', 'logicalType': 'date'}"), FIELD("'int'"), "f"},
        {FIELD("{'type': 'record', 'name': 'S', 'fields': [" SECOND "]}"),
         FIELD("{'type': 'record', 'name': 'S', 'fields': [{'name': 'g', 'type': 'long'}]}"),
         "f.g"}};
    (void)state;
    struct hub_arena arena = {0};
    for (size_t i = 0; i < sizeof differing / sizeof *differing; i++)
        expect_difference(hub_arena_format(&arena, RECORD("%s"), differing[i].a),
                          hub_arena_format(&arena, RECORD("%s"), differing[i].b),
                          differing[i].path);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_domain_of_the_folder_compiles_from_its_texts),
        cmocka_unit_test(texts_that_are_no_rules_are_refused_with_their_place),
        cmocka_unit_test(annotations_and_documentation_are_no_part_of_the_shape),
        cmocka_unit_test(whatever_is_read_otherwise_is_another_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
