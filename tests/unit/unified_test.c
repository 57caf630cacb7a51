/* unified: the schema that is made of the pattern and a domain's record. */
#include "schemas/lib/unified.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

static const char pattern[] =
    "{'type': 'record', 'name': 'Unified', 'namespace': 'own', 'doc': 'The pattern.', 'fields': ["
    " {'name': 'id', 'type': 'string', 'doc': 'Who.'},"
    " {'name': 'value', 'type': ['null', 'Value'], 'default': null, 'doc': 'What.'},"
    " {'name': 'sources', 'type': 'Sources', 'doc': 'Whence.'},"
    " {'name': 'seen', 'type': {'type': 'array', 'items': {'type': 'record', 'name': 'Seen',"
    "   'fields': [{'name': 'colour', 'type': {'type': 'enum', 'name': 'Colour',"
    "    'symbols': ['RED', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}},"
    "    {'name': 'size', 'type': {'type': 'enum', 'name': 'Size', 'symbols': ['S', 'L']}}]}}}]}";
static const char domain[] =
    "{'type': 'record', 'name': 'Ball', 'namespace': 'own', 'doc': 'A ball.', 'hub:domain': 'ball',"
    " 'fields': [{'name': 'colours', 'type': {'type': 'array', 'items': ['null', {'type': 'enum',"
    "  'name': 'Colour', 'symbols': ['RED', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}]},"
    "  'doc': 'd'}, {'name': 'weight', 'type': 'int', 'doc': 'd', 'hub:merge': 'latest',"
    "  'hub:equal': {'tolerance': 0.05}}]}";

static enum hub_status generate(const char *from, const char *with, struct hub_buffer *text,
                                struct hub_error *reterr) {
    struct hub_arena arena = {0};
    enum hub_status status =
        hub_unified_generate(hub_bytes_of_text(schema_quoted(&arena, from)),
                             hub_bytes_of_text(schema_quoted(&arena, with)), text, reterr);
    hub_arena_destroy(&arena);
    return status;
}

#define refuses(from, with, place, words) refuses_at(from, with, place, words, __FILE__, __LINE__)
static void refuses_at(const char *from, const char *with, const char *place, const char *words,
                       const char *file, int line) {
    struct hub_buffer text = {0};
    struct hub_error error;
    enum hub_status status = generate(from, with, &text, &error);
    size_t size = text.size;
    hub_buffer_free(&text);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_int_equal(size, 0, file, line);
}

static json_t *generated(void) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    expect_ok(generate(pattern, domain, &text, &error), &error);
    json_t *json = json_loads(hub_buffer_text(&text), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void the_domains_record_is_the_value_with_all_it_says(void **state) {
    (void)state;
    json_t *json = generated(), *own = test_json(domain);
    expect_json(json, "name", "'UnifiedBall'");
    expect_json(json, "namespace", "'own'");
    expect_json(json, "fields.1.name", "'value'");
    expect_json(json, "fields.1.type.0", "'null'");
    expect_json(json, "fields.1.default", "null");
    assert_true(json_equal(look(json, "fields.1.type.1"), own));
    json_decref(json);
    json_decref(own);
}

static void the_sources_are_ints_of_the_same_names(void **state) {
    (void)state;
    json_t *json = generated();
    expect_json(json, "fields.2.type.name", "'BallSources'");
    assert_int_equal(look_count(json, "fields.2.type.fields"), 2);
    expect_json(json, "fields.2.type.fields.0.name", "'colours'");
    expect_json(json, "fields.2.type.fields.0.type", "'int'");
    expect_json(json, "fields.2.type.fields.0.default", "-1");
    expect_json(json, "fields.2.type.fields.1.name", "'weight'");
    json_decref(json);
}

static void a_type_that_the_domain_defines_is_only_named_again(void **state) {
    (void)state;
    json_t *json = generated();
    expect_json(json, "fields.3.type.items.fields.0.type", "'Colour'");
    expect_json(json, "fields.3.type.items.fields.1.type.name", "'Size'");
    json_decref(json);
}

static void a_number_is_written_as_the_domain_writes_it(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    expect_ok(generate(pattern, domain, &text, &error), &error);
    assert_non_null(strstr(hub_buffer_text(&text), "\"tolerance\": 0.05\n"));
}

static void what_is_made_is_a_schema(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    struct hub_schema *schema = NULL;
    expect_ok(generate(pattern, domain, &text, &error), &error);
    expect_ok(hub_schema_load(hub_buffer_bytes(&text), "made.avsc", &schema, &error), &error);
    assert_string_equal(schema->root->name, "own.UnifiedBall");
    assert_string_equal(schema->root->fields[2].type->name, "own.BallSources");
    expect_bytes(schema->root->fields[1].default_value, "00");
    hub_schema_free(schema);
}

static void the_same_texts_make_the_same_text(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER one = {0};
    HUB_SCOPED_BUFFER two = {0};
    struct hub_error error;
    expect_ok(generate(pattern, domain, &one, &error), &error);
    expect_ok(generate(pattern, domain, &two, &error), &error);
    assert_string_equal(hub_buffer_text(&one), hub_buffer_text(&two));
}

static void every_domain_of_the_project_has_the_one_that_is_made(void **state) {
    (void)state;
    const struct hub_catalogue *catalogue = test_catalogue();
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct hub_domain *own = &catalogue->domains[i];
        const struct hub_type *root = own->unified->root;
        const struct hub_type *sources = root->fields[hub_type_field(root, "sources")].type;
        const struct hub_type *value = root->fields[hub_type_field(root, "value")].type;
        assert_string_equal(hub_type_stated(value)->name, own->schema->root->name);
        assert_int_equal(sources->count, own->schema->root->count);
        for (size_t k = 0; k < sources->count; k++)
            assert_string_equal(sources->fields[k].name, own->schema->root->fields[k].name);
    }
}

static void texts_that_are_no_record_schemas_are_refused(void **state) {
    (void)state;
    static const char words[] = "a record schema would pass";
    refuses("[]", domain, "hub/unified.avsc:1:1: ", words);
    refuses("{'name': 'x'}", domain, "hub/unified.avsc:1:1: ", words);
    refuses(pattern, "{'fields': []}", "the domain's schema:1:1: ", words);
    refuses(pattern, "{'name': 5, 'fields': []}", "the domain's schema:1:1: ", words);
    refuses(pattern, "{'name': 'x', 'fields': {}}", "the domain's schema:1:1: ", words);
}

static void texts_that_are_no_json_are_refused_at_their_place(void **state) {
    (void)state;
    refuses("{\n x", domain, "hub/unified.avsc:2:2: ", "");
    refuses(pattern, "{'name': 'x',\n'name': 'y'}", "the domain's schema:2:6: ", "duplicate");
    refuses(pattern, "", "the domain's schema:1:0: ", "");
}

static void a_pattern_has_a_place_for_value_and_sources(void **state) {
    (void)state;
    refuses("{'name': 'x', 'fields': [{'name': 'value', 'type': 'int'}]}", domain,
            "hub/unified.avsc:1:1: ", "the fields 'value' and 'sources' are missing");
    refuses("{'name': 'x', 'fields': [5, {'type': 'int'}]}", domain,
            "hub/unified.avsc:1:1: ", "the fields 'value' and 'sources' are missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_domains_record_is_the_value_with_all_it_says),
        cmocka_unit_test(the_sources_are_ints_of_the_same_names),
        cmocka_unit_test(a_type_that_the_domain_defines_is_only_named_again),
        cmocka_unit_test(a_number_is_written_as_the_domain_writes_it),
        cmocka_unit_test(what_is_made_is_a_schema),
        cmocka_unit_test(the_same_texts_make_the_same_text),
        cmocka_unit_test(every_domain_of_the_project_has_the_one_that_is_made),
        cmocka_unit_test(texts_that_are_no_record_schemas_are_refused),
        cmocka_unit_test(texts_that_are_no_json_are_refused_at_their_place),
        cmocka_unit_test(a_pattern_has_a_place_for_value_and_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
