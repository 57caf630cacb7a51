/* path: what a path leads to in a document. */
#include "connectors/kit/path.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <stdlib.h>

struct way {
    struct hub_arena arena;
    json_t *tree, *context;
    struct hub_error error;
};

static int begin(void **state) {
    *state = hub_allocate_zero(1, sizeof(struct way));
    return 0;
}

static int end(void **state) {
    struct way *way = *state;
    json_decref(way->tree);
    json_decref(way->context);
    hub_arena_destroy(&way->arena);
    hub_release(way);
    return 0;
}

static enum hub_status parse(struct way *way, const char *path, struct hub_path **ret_path) {
    struct hub_node node = {.kind = HUB_NODE_SCALAR,
                            .file = "connector.yaml",
                            .line = 3,
                            .column = 7,
                            .text = path,
                            .text_size = strlen(path)};
    return hub_path_parse(&node, &way->arena, ret_path, &way->error);
}

/* The values as texts, each followed by a bar; what is no scalar as JSON. */
static const char *find_from(struct way *way, const struct hub_scope *scope, const char *path) {
    struct hub_path *parsed = NULL;
    const json_t **values = NULL;
    size_t count = 0;
    const char *list = "";
    assert_int_equal(parse(way, path, &parsed), HUB_OK);
    hub_path_find(parsed, scope, &way->arena, &values, &count);
    for (size_t i = 0; i < count; i++) {
        const char *text = hub_tree_text(values[i], &way->arena);
        char *dumped = text == NULL ? json_dumps(values[i], JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        list = hub_arena_format(&way->arena, "%s%s|", list, text == NULL ? dumped : text);
        free(dumped);
    }
    return list;
}

static const char *find(struct way *way, const char *document, const char *path) {
    json_decref(way->tree);
    way->tree = test_json(document);
    struct hub_scope scope = {.here = way->tree};
    return find_from(way, &scope, path);
}

static void assert_no_path(struct way *way, const char *path, const char *why) {
    struct hub_path *parsed = NULL;
    assert_int_equal(parse(way, path, &parsed), HUB_FATAL);
    assert_non_null(strstr(way->error.text, "connector.yaml:3:7: "));
    assert_non_null(strstr(way->error.text, why));
}

static void members_are_followed(void **state) {
    assert_string_equal(find(*state, "{'a': {'b': 'x'}}", "a.b"), "x|");
}

static void what_is_not_there_gives_nothing(void **state) {
    assert_string_equal(find(*state, "{'a': {'b': 'x'}}", "a.c"), "");
    assert_string_equal(find(*state, "{'a': 'x'}", "a.b.c"), "");
}

static bool meets_null(struct way *way, const char *document, const char *path) {
    bool met = false;
    json_decref(way->tree);
    way->tree = test_json(document);
    struct hub_scope scope = {.here = way->tree, .met_null = &met};
    find_from(way, &scope, path);
    return met;
}

static void an_explicit_null_is_told_from_what_is_not_there(void **state) {
    assert_true(meets_null(*state, "{'a': {'b': null}}", "a.b"));
    assert_true(meets_null(*state, "{'a': null}", "a.b"));
    assert_true(meets_null(*state, "{'a': [{'b': 1}, {'b': null}]}", "a.b"));
    assert_false(meets_null(*state, "{'a': {'b': ''}, 'c': null}", "a.b"));
    assert_false(meets_null(*state, "{'a': {}}", "a.b"));
    assert_false(meets_null(*state, "{'a': [{'k': null, 'b': 1}]}", "a[k=x].b"));
}

static void arrays_on_the_way_are_entered(void **state) {
    assert_string_equal(find(*state, "{'a': [{'b': 1}, {'b': [2, 3]}, {'c': 4}]}", "a.b"),
                        "1|2|3|");
    assert_string_equal(find(*state, "{'a': [[{'b': 1}], [{'b': 2}]]}", "a.b"), "1|2|");
}

static void a_star_is_every_member_but_attributes_and_own_text(void **state) {
    assert_string_equal(find(*state, "{'a': {'x': {'b': 1}, '@y': {'b': 2}, '#text': 't', 'z': {'b': 3}}}",
                             "a.*.b"),
                        "1|3|");
    assert_string_equal(find(*state, "{'a': [{'x': 1}, [{'y': 2}], 3, 'four', null]}", "a.*"), "1|2|");
    assert_string_equal(find(*state, "{'root': {'b': 1}}", "*.b"), "1|");
}

static void a_star_in_quotes_is_a_name(void **state) {
    assert_string_equal(find(*state, "{'a': {'*': 1, 'x': 2}}", "a.\"*\""), "1|");
    assert_string_equal(find(*state, "{'a': {'*': 1, '*x': 2}}", "a.*x"), "2|");
}

static void absent_values_are_left_out(void **state) {
    assert_string_equal(find(*state, "{'a': ['', null, [], {}, 'x', 0, false, [[]]]}", "a"),
                        "x|0|false|");
}

static void an_index_counts_from_zero(void **state) {
    assert_string_equal(find(*state, "{'a': ['x', 'y']}", "a[1]"), "y|");
    assert_string_equal(find(*state, "{'a': ['x', 'y']}", "a[2]"), "");
    assert_string_equal(find(*state, "{'a': ['x']}", "a[99999999999999999999]"), "");
}

static void a_lone_value_is_a_list_of_one(void **state) {
    assert_string_equal(find(*state, "{'a': {'b': 'x'}}", "a[0].b"), "x|");
    assert_string_equal(find(*state, "{'a': {'b': 'x'}}", "a[1].b"), "");
    assert_string_equal(find(*state, "{'a': {'k': '1', 'b': 'x'}}", "a[k=1].b"), "x|");
}

static void filters_choose_elements(void **state) {
    const char *document = "{'a': [{'k': 'one', 'v': 1}, {'k': 'other', 'v': 2}, {'v': 3}]}";
    assert_string_equal(find(*state, document, "a[k=one].v"), "1|");
    assert_string_equal(find(*state, document, "a[k^=o].v"), "1|2|");
    assert_string_equal(find(*state, document, "a[k!=one].v"), "2|3|");
}

static void a_filter_compares_what_a_path_inside_leads_to(void **state) {
    assert_string_equal(find(*state, "{'a': [{'k': {'l': ['x', 'y']}, 'v': 1}]}", "a[k.l=y].v"),
                        "1|");
    assert_string_equal(find(*state, "{'a': [{'n': 19, 'v': 1}, {'n': 1, 'v': 2}]}", "a[n=19].v"),
                        "1|");
}

static void a_filter_sees_the_text_of_an_element_with_attributes(void **state) {
    assert_string_equal(find(*state, "{'a': [{'k': {'@lang': 'en', '#text': 'x'}, 'v': 1}]}",
                             "a[k=x].v"),
                        "1|");
}

static void quotes_take_names_with_dots_and_brackets(void **state) {
    assert_string_equal(find(*state, "{'a.b': {'c[0]': 'x'}}", "\"a.b\".\"c[0]\""), "x|");
}

static void attributes_and_text_are_members(void **state) {
    const char *document = "{'a': {'@id': '7', '#text': 'x'}}";
    assert_string_equal(find(*state, document, "a.@id"), "7|");
    assert_string_equal(find(*state, document, "a.#text"), "x|");
}

static void the_dot_is_the_element_itself(void **state) {
    assert_string_equal(find(*state, "'x'", "."), "x|");
    assert_string_equal(find(*state, "{'a': 'x'}", ".a"), "x|");
}

static void a_caret_goes_to_the_element_around(void **state) {
    struct way *way = *state;
    way->tree = test_json("{'a': 'outside', 'b': [{'a': 'inside'}]}");
    struct hub_scope outer = {.here = way->tree};
    struct hub_scope inner = {.here = json_array_get(json_object_get(way->tree, "b"), 0),
                              .outer = &outer};
    assert_string_equal(find_from(way, &inner, "a"), "inside|");
    assert_string_equal(find_from(way, &inner, "^a"), "outside|");
    assert_string_equal(find_from(way, &inner, "^.a"), "outside|");
}

static void a_caret_beyond_the_document_finds_nothing(void **state) {
    struct way *way = *state;
    way->tree = test_json("{'a': 'x'}");
    struct hub_scope scope = {.here = way->tree};
    assert_string_equal(find_from(way, &scope, "^a"), "");
    assert_string_equal(find_from(way, &scope, "^^^a"), "");
}

static void facts_are_read_from_the_context(void **state) {
    struct way *way = *state;
    way->tree = test_json("{'request': {'hei': 'of the document'}, '@id': '7', '@requested': 'z'}");
    way->context = test_json("{'request': {'hei': 'lu.se'}, 'file': {'match': {'date': 'd'}}}");
    struct hub_scope scope = {.here = way->tree, .context = way->context};
    assert_string_equal(find_from(way, &scope, "@request.hei"), "lu.se|");
    assert_string_equal(find_from(way, &scope, "@file.match.date"), "d|");
    assert_string_equal(find_from(way, &scope, "@entry.updated"), "");
    assert_string_equal(find_from(way, &scope, "@id"), "7|");
    assert_string_equal(find_from(way, &scope, "@requested"), "z|");
}

static void values_come_in_document_order(void **state) {
    assert_string_equal(find(*state, "[{'a': 3}, {'a': 1}, {'a': [2, 9]}]", "a"), "3|1|2|9|");
}

static void numbers_are_told_in_full(void **state) {
    const char *document = "[9223372036854775807, -9223372036854775808, 19.0, 0.1, -2.5e-7, true]";
    assert_string_equal(find(*state, document, "."),
                        "9223372036854775807|-9223372036854775808|19|0.1|-2.5e-07|true|");
}

static void great_whole_numbers_are_not_put_in_powers_of_ten(void **state) {
    assert_string_equal(find(*state, "[1000000000000000.0, 9007199254740992.0]", "."),
                        "1000000000000000|9007199254740992|");
}

static void an_object_has_no_text_unless_it_is_an_element_with_attributes(void **state) {
    struct way *way = *state;
    way->tree = test_json("[{'a': 'x'}, {'@id': '7', '#text': 'x'}]");
    assert_null(hub_tree_text(json_array_get(way->tree, 0), &way->arena));
    assert_string_equal(hub_tree_text(json_array_get(way->tree, 1), &way->arena), "x");
    assert_null(hub_tree_text(way->tree, &way->arena));
    assert_null(hub_tree_text(NULL, &way->arena));
}

static void malformed_paths_are_refused_with_their_place(void **state) {
    assert_no_path(*state, "a..b", "a name is missing");
    assert_no_path(*state, "a.", "a name is missing");
    assert_no_path(*state, "\"a", "a quote is not closed");
    assert_no_path(*state, "a[", "would pass");
    assert_no_path(*state, "a[]", "would pass");
    assert_no_path(*state, "a[1", "would pass");
    assert_no_path(*state, "a[k]", "[3], [key=value], [key^=value] or [key!=value] would pass");
    assert_no_path(*state, "a[k=v", "a ] is missing");
    assert_no_path(*state, "a[k!v]", "would pass");
    assert_no_path(*state, "", "a path is a text such as a.b[0].c");
}

static void only_a_text_is_a_path(void **state) {
    struct way *way = *state;
    struct hub_node node = {.kind = HUB_NODE_SEQUENCE, .file = "f", .line = 1, .column = 2};
    struct hub_path *parsed = NULL;
    assert_int_equal(hub_path_parse(&node, &way->arena, &parsed, &way->error), HUB_FATAL);
    assert_string_equal(way->error.text, "f:1:2: a path is a text such as a.b[0].c");
}

static void a_field_of_hl7_v2_has_one_name_in_its_message_and_its_segment(void **state) {
    struct way *way = *state;
    static const char message[] = "{'SCH': [{'SCH-2': {'1': 'a'}}], 'RGS': [{'RGS-1': 'r', "
                                  "'AIL': [{'AIL-3': 'x'}, {'AIL-3': 'y', 'b': 1}]}]}";
    assert_string_equal(find(way, message, "SCH-2.1"), "a|");
    assert_string_equal(find(way, message, "SCH.SCH-2.1"), "a|");
    assert_string_equal(find(way, message, "RGS-1"), "r|");
    assert_string_equal(find(way, message, "RGS.AIL-3"), "x|y|");
    assert_string_equal(find(way, message, "RGS.AIL[b=1].AIL-3"), "y|");
    assert_string_equal(find(way, message, "AIL-3"), "");
    assert_string_equal(find(way, message, "SCH-1"), "");
}

static void only_such_a_name_is_looked_for_one_deeper(void **state) {
    struct way *way = *state;
    assert_string_equal(find(way, "{'SCH': {'SCH-2': 1}, 'SCH-2': 2}", "SCH-2"), "2|");
    assert_string_equal(find(way, "{'SCH': {'SCH-2': 1}}", "\"SCH-2\""), "");
    assert_string_equal(find(way, "{'SCH': {'SCH-2x': 1}}", "SCH-2x"), "");
    assert_string_equal(find(way, "{'SCH': {'SCH-': 1}}", "SCH-"), "");
    assert_string_equal(find(way, "{'SC': {'SC-2': 1}}", "SC-2"), "");
    assert_string_equal(find(way, "{'sch': {'sch-2': 1}}", "sch-2"), "");
    assert_string_equal(find(way, "{'1CH': {'1CH-2': 1}}", "1CH-2"), "");
    assert_string_equal(find(way, "{'SChX': {'SCh-2': 1}}", "SCh-2"), "");
    assert_string_equal(find(way, "{'Z01': {'Z01-2': 1}}", "Z01-2"), "1|");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_followed),
        cmocka_unit_test(what_is_not_there_gives_nothing),
        cmocka_unit_test(an_explicit_null_is_told_from_what_is_not_there),
        cmocka_unit_test(arrays_on_the_way_are_entered),
        cmocka_unit_test(absent_values_are_left_out),
        cmocka_unit_test(an_index_counts_from_zero),
        cmocka_unit_test(a_lone_value_is_a_list_of_one),
        cmocka_unit_test(filters_choose_elements),
        cmocka_unit_test(a_filter_compares_what_a_path_inside_leads_to),
        cmocka_unit_test(a_filter_sees_the_text_of_an_element_with_attributes),
        cmocka_unit_test(quotes_take_names_with_dots_and_brackets),
        cmocka_unit_test(attributes_and_text_are_members),
        cmocka_unit_test(the_dot_is_the_element_itself),
        cmocka_unit_test(a_caret_goes_to_the_element_around),
        cmocka_unit_test(a_caret_beyond_the_document_finds_nothing),
        cmocka_unit_test(facts_are_read_from_the_context),
        cmocka_unit_test(values_come_in_document_order),
        cmocka_unit_test(numbers_are_told_in_full),
        cmocka_unit_test(great_whole_numbers_are_not_put_in_powers_of_ten),
        cmocka_unit_test(an_object_has_no_text_unless_it_is_an_element_with_attributes),
        cmocka_unit_test(malformed_paths_are_refused_with_their_place),
        cmocka_unit_test(only_a_text_is_a_path),
        cmocka_unit_test(a_star_is_every_member_but_attributes_and_own_text),
        cmocka_unit_test(a_star_in_quotes_is_a_name),
        cmocka_unit_test(a_field_of_hl7_v2_has_one_name_in_its_message_and_its_segment),
        cmocka_unit_test(only_such_a_name_is_looked_for_one_deeper),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
