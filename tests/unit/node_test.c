/* node: documents as trees that know where each part stood. */
#include "schemas/lib/node.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static struct hub_arena arena;

static int end(void **state) {
    (void)state;
    hub_arena_destroy(&arena);
    return 0;
}

#define refuses(text, place, words)                                                                \
    refuses_at(hub_bytes_of_text(text), place, words, __FILE__, __LINE__)
static void refuses_at(struct hub_bytes text, const char *place, const char *words,
                       const char *file, int line) {
    struct hub_node *node = NULL;
    struct hub_error error;
    enum hub_status status = hub_node_parse(text, "some.yaml", &arena, &node, &error);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_true(node == NULL, "nothing is given back", file, line);
}

static const struct hub_node *parse(const char *text) {
    struct hub_node *node = NULL;
    struct hub_error error;
    expect_ok(hub_node_parse(hub_bytes_of_text(text), "some.yaml", &arena, &node, &error), &error);
    return node;
}

/* --- trees --- */

static void every_part_knows_its_place(void **state) {
    (void)state;
    const struct hub_node *node = parse("one: 1\ntwo:\n  - x\n  - {y: \"z\"}\n");
    assert_int_equal(node->kind, HUB_NODE_MAPPING);
    assert_int_equal(node->count, 2);
    assert_string_equal(node->keys[1]->text, "two");
    assert_int_equal(node->keys[1]->line, 2);
    assert_int_equal(node->keys[1]->column, 1);
    const struct hub_node *list = hub_node_get(node, "two");
    assert_int_equal(list->kind, HUB_NODE_SEQUENCE);
    assert_int_equal(list->items[0]->line, 3);
    assert_int_equal(list->items[0]->column, 5);
    assert_false(list->items[0]->quoted);
    const struct hub_node *inner = hub_node_get(list->items[1], "y");
    assert_int_equal(inner->line, 4);
    assert_int_equal(inner->column, 9);
    assert_true(inner->quoted);
    assert_string_equal(inner->file, "some.yaml");
}

static void a_key_is_found_with_its_own_node(void **state) {
    (void)state;
    const struct hub_node *node = parse("{a: 1, b: 2}");
    assert_string_equal(hub_node_get(node, "b")->text, "2");
    assert_int_equal(hub_node_key(node, "b")->column, 8);
    assert_null(hub_node_get(node, "c"));
    assert_null(hub_node_key(node, "c"));
    assert_null(hub_node_get(NULL, "a"));
    assert_null(hub_node_get(node->items[0], "a"));
    assert_null(hub_node_get(parse("[a, b]"), "a"));
}

static void many_children_are_kept(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    for (int i = 0; i < 100; i++)
        hub_buffer_append_format(&text, "k%d: v%d\n", i, i);
    const struct hub_node *node = parse(hub_buffer_text(&text));
    assert_int_equal(node->count, 100);
    assert_string_equal(hub_node_get(node, "k0")->text, "v0");
    assert_string_equal(hub_node_get(node, "k99")->text, "v99");
}

/* --- scalars --- */

static void a_plain_word_is_nothing_but_text_until_asked(void **state) {
    (void)state;
    const struct hub_node *node = parse("[no, true, \"true\", null, ~, \"null\", '', True]");
    bool truth = false;
    assert_true(hub_node_is_text(node->items[0], "no"));
    assert_false(hub_node_to_bool(node->items[0], &truth));
    assert_true(hub_node_to_bool(node->items[1], &truth));
    assert_true(truth);
    assert_false(hub_node_to_bool(node->items[2], &truth));
    assert_true(hub_node_is_null(node->items[3]));
    assert_true(hub_node_is_null(node->items[4]));
    assert_false(hub_node_is_null(node->items[5]));
    assert_false(hub_node_is_null(node->items[6]));
    assert_false(hub_node_to_bool(node->items[7], &truth));
    assert_true(hub_node_is_null(hub_node_get(parse("a:\n"), "a")));
    assert_true(hub_node_to_bool(parse("false"), &truth));
    assert_false(truth);
    assert_false(hub_node_is_null(NULL));
    assert_false(hub_node_is_text(NULL, ""));
    assert_false(hub_node_is_text(node, "no"));
}

static void a_number_is_wholly_a_number(void **state) {
    (void)state;
    static const char *const none[] = {"1.5",   "1x", "0x10", "9223372036854775808",
                                       "\"1\"", "''", "[1]",  "a"};
    int64_t number = 7;
    assert_true(hub_node_to_long(parse("-12"), &number));
    assert_int_equal(number, -12);
    assert_true(hub_node_to_long(parse("-9223372036854775808"), &number));
    assert_true(number == INT64_MIN);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(hub_node_to_long(parse(none[i]), &number));
    assert_true(number == INT64_MIN);
    assert_false(hub_node_to_long(NULL, &number));
}

static void a_real_number_is_finite_and_decimal(void **state) {
    (void)state;
    static const char *const none[] = {"nan",   "inf",   "-Infinity", "0x1p3", "1e999",
                                       "1.5.1", "\"1\"", "''",        "{}"};
    double real = 7;
    assert_true(hub_node_to_double(parse("-2.5e1"), &real));
    assert_true(real == -25.0);
    assert_true(hub_node_to_double(parse("3"), &real));
    assert_true(real == 3.0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(hub_node_to_double(parse(none[i]), &real));
    assert_true(real == 3.0);
}

/* --- refusals --- */

static void what_is_not_well_formed_is_refused_at_its_place(void **state) {
    (void)state;
    refuses("{a: 1\n", "some.yaml:2:1: ", "while parsing a flow mapping, did not find expected");
    refuses("a: 1\n b: 2\n", "some.yaml:2:3: ", "mapping values are not allowed");
    refuses("a: \"x\n", "some.yaml:", "quoted scalar");
}

static void an_empty_file_is_refused(void **state) {
    (void)state;
    refuses("", "some.yaml:1:1: ", "the file is empty");
    refuses("# only a remark\n", "some.yaml:1:1: ", "the file is empty");
    refuses_at(hub_bytes(NULL, 0), "some.yaml:1:1: ", "the file is empty", __FILE__, __LINE__);
}

static void bytes_that_are_no_text_are_refused_at_their_place(void **state) {
    (void)state;
    refuses("a: 1\nbc: \xff\n", "some.yaml:2:5: ", "invalid leading UTF-8 octet");
    refuses("a: \xc3(\n", "some.yaml:1:5: ", "invalid trailing UTF-8 octet");
    refuses("a: 1\nb: x\x01\n", "some.yaml:2:5: ", "control characters are not allowed");
}

static void a_second_document_is_refused(void **state) {
    (void)state;
    refuses("a: 1\n---\nb: 2\n", "some.yaml:2:1: ", "a second document begins here");
}

static void a_key_stands_once(void **state) {
    (void)state;
    refuses("a: 1\nb: 2\na: 3\n", "some.yaml:3:1: ", "key 'a' stands here twice, first in line 1");
    refuses("{\"a\": 1, a: 2}", "some.yaml:1:10: ", "key 'a' stands here twice");
}

static void a_key_is_a_scalar(void **state) {
    (void)state;
    refuses("? [a, b]\n: 1\n", "some.yaml:1:3: ", "a key must be a plain word or text");
    refuses("{{a: 1}: 2}", "some.yaml:1:2: ", "a key must be a plain word or text");
    refuses("{\"a\\0b\": 2}", "some.yaml:1:2: ", "a key with a zero byte in it");
}

static void anchors_aliases_and_tags_are_refused_everywhere(void **state) {
    (void)state;
    static const char words[] = "anchors (&), aliases (*) and tags (!) are not read here";
    refuses("a: &x 1\n", "some.yaml:1:4: ", words);
    refuses("a: &x [1]\n", "some.yaml:1:4: ", words);
    refuses("a: &x {b: 1}\n", "some.yaml:1:4: ", words);
    refuses("a: !!str 1\n", "some.yaml:1:4: ", words);
    refuses("a: !own [1]\n", "some.yaml:1:4: ", words);
    refuses("a: !own {b: 1}\n", "some.yaml:1:4: ", words);
    refuses("*x\n", "some.yaml:1:1: ", words);
    refuses("&k a: 1\n", "some.yaml:1:1: ", words);
}

static void depth_has_a_limit(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    for (int i = 0; i < 65; i++)
        hub_buffer_append_text(&text, "[");
    hub_buffer_append_text(&text, "x");
    for (int i = 0; i < 65; i++)
        hub_buffer_append_text(&text, "]");
    refuses(hub_buffer_text(&text), "some.yaml:1:66: ", "nested deeper than 64 levels");
    struct hub_bytes inner = hub_bytes(text.data + 1, text.size - 2);
    struct hub_node *node = NULL;
    struct hub_error error;
    expect_ok(hub_node_parse(inner, "some.yaml", &arena, &node, &error), &error);
}

static void size_has_a_limit(void **state) {
    (void)state;
    size_t size = HUB_NODE_TEXT_SIZE_MAX + 1;
    char *text = hub_allocate(size);
    memset(text, 'x', size);
    refuses_at(hub_bytes(text, size), "some.yaml: ", "1048577 bytes, over the limit of 1048576",
               __FILE__, __LINE__);
    struct hub_node *node = NULL;
    struct hub_error error;
    expect_ok(hub_node_parse(hub_bytes(text, size - 1), "some.yaml", &arena, &node, &error),
              &error);
    assert_int_equal(node->text_size, size - 1);
    hub_release(text);
}

/* --- errors about nodes --- */

static void an_error_begins_with_the_place(void **state) {
    (void)state;
    struct hub_error error;
    const struct hub_node *node = hub_node_get(parse("a:\n  b"), "a");
    expect_refusal(hub_node_fail(node, &error, "%s %d", "so", 1), HUB_FATAL, &error,
                   "some.yaml:2:3: so 1", "");
}

static void an_unknown_key_is_refused_and_the_nearest_is_named(void **state) {
    (void)state;
    static const char *const known[] = {"title", "carriers", "owner", NULL};
    struct hub_error error;
    expect_ok(hub_node_check_keys(parse("{owner: x, title: y}"), known, &error), &error);
    expect_refusal(hub_node_check_keys(parse("{title: y,\n carrier: x}"), known, &error), HUB_FATAL,
                   &error, "some.yaml:2:2: ", "unknown key 'carrier'; did you mean 'carriers'?");
    expect_refusal(hub_node_check_keys(parse("[title, owner]"), known, &error), HUB_FATAL, &error,
                   "some.yaml:1:1: ", "a list; {key: value} would pass");
    expect_refusal(hub_node_check_keys(parse("{zzzzzz: x}"), known, &error), HUB_FATAL, &error,
                   "some.yaml:1:2: ", "unknown key 'zzzzzz'; known here: title, carriers, owner");
}

static void the_nearest_word_is_near(void **state) {
    (void)state;
    static const char *const words[] = {"institution", "system", NULL};
    char overlong[100];
    memset(overlong, 'x', sizeof overlong - 1);
    overlong[sizeof overlong - 1] = '\0';
    assert_string_equal(hub_node_nearest("sytem", words), "system");
    assert_string_equal(hub_node_nearest("Institutions", words), "institution");
    assert_null(hub_node_nearest("domain", words));
    assert_null(hub_node_nearest("", words));
    assert_null(hub_node_nearest(overlong, words));
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_knows_its_place),
        cmocka_unit_test(a_key_is_found_with_its_own_node),
        cmocka_unit_test(many_children_are_kept),
        cmocka_unit_test(a_plain_word_is_nothing_but_text_until_asked),
        cmocka_unit_test(a_number_is_wholly_a_number),
        cmocka_unit_test(a_real_number_is_finite_and_decimal),
        cmocka_unit_test(what_is_not_well_formed_is_refused_at_its_place),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused_at_their_place),
        cmocka_unit_test(a_second_document_is_refused),
        cmocka_unit_test(a_key_stands_once),
        cmocka_unit_test(a_key_is_a_scalar),
        cmocka_unit_test(anchors_aliases_and_tags_are_refused_everywhere),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(size_has_a_limit),
        cmocka_unit_test(an_error_begins_with_the_place),
        cmocka_unit_test(an_unknown_key_is_refused_and_the_nearest_is_named),
        cmocka_unit_test(the_nearest_word_is_near),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i].teardown_func = end;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
