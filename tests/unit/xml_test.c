/* xml: elements as objects, and what no document may bring along. */
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/parsing.h"

static int begin(void **state) {
    struct parsing *parsing = hub_allocate_zero(1, sizeof *parsing);
    parsing_open(parsing, "xml", "{}");
    *state = parsing;
    return 0;
}

static int end(void **state) {
    parsing_close(*state);
    hub_release(*state);
    return 0;
}

static void assert_refused(struct parsing *parsing, const char *text, const char *part) {
    const char *error = parsing_refusal(parsing, text);
    if (strstr(error, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, error);
}

static const char *nested(struct parsing *parsing, size_t levels) {
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i < levels; i++)
        hub_buffer_append_text(&text, "<a>");
    for (size_t i = 0; i < levels; i++)
        hub_buffer_append_text(&text, "</a>");
    return hub_arena_text(&parsing->arena, (const char *)text.data, text.size);
}

/* --- trees --- */

static void an_element_with_nothing_but_text_is_that_text(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<r><a> skin &lt;1&gt; &#229; </a><b/><c><![CDATA[<x>]]></c></r>");
    expect_json(parsing->parsed.tree, "r", "{'a': 'skin <1> å', 'b': '', 'c': '<x>'}");
}

static void attributes_and_own_text_stand_beside_child_elements(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<r id='7'>before<a lang='sv'>hud</a>after</r>");
    expect_json(parsing->parsed.tree, "r",
                "{'@id': '7', '#text': 'beforeafter', 'a': {'@lang': 'sv', '#text': 'hud'}}");
}

static void a_name_that_comes_again_makes_a_list(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<r><a>1</a><b>x</b><a>2</a><a n='3'/></r>");
    expect_json(parsing->parsed.tree, "r.a", "['1', '2', {'@n': '3'}]");
}

static void comments_and_instructions_are_no_part_of_it(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<?xml version='1.0'?><!-- a --><r><!-- b --><?do it?>x</r>");
    expect_json(parsing->parsed.tree, "", "{'r': 'x'}");
}

/* --- namespaces --- */

static void the_namespace_of_the_root_needs_no_prefix(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<r xmlns='urn:one'><a>1</a></r>");
    expect_json(parsing->parsed.tree, "", "{'r': {'a': '1'}}");
    parsing_feed(parsing, "<o:r xmlns:o='urn:one'><o:a>1</o:a></o:r>");
    expect_json(parsing->parsed.tree, "", "{'r': {'a': '1'}}");
}

static void an_element_of_another_namespace_keeps_the_documents_prefix(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<r xmlns='urn:one' xmlns:x='urn:two'><x:a>1</x:a><a>2</a></r>");
    expect_json(parsing->parsed.tree, "r", "{'x:a': '1', 'a': '2'}");
}

static void a_prefix_of_the_configuration_goes_before_the_documents(void **state) {
    struct parsing parsing;
    (void)state;
    parsing_open(&parsing, "xml", "{namespaces: [own=urn:two, other=urn:three]}");
    parsing_feed(&parsing, "<r><x:a xmlns:x='urn:two' x:n='5'>1</x:a><b xmlns='urn:three'/></r>");
    expect_json(parsing.parsed.tree, "r",
                "{'own:a': {'@own:n': '5', '#text': '1'}, 'other:b': ''}");
    parsing_close(&parsing);
}

static void an_element_without_a_namespace_in_a_document_with_one_is_told_apart(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<feed xmlns='urn:atom'><entry><entry xmlns=''>7</entry></entry></feed>");
    expect_json(parsing->parsed.tree, "feed.entry", "{':entry': '7'}");
}

static void an_unbound_prefix_is_refused(void **state) {
    assert_refused(*state, "<r><x:a>1</x:a></r>", "line 1: ");
}

/* --- character sets --- */

static void a_declared_character_set_is_converted(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, "<?xml version='1.0' encoding='iso-8859-1'?><r>v\xe4vnad</r>");
    expect_json(parsing->parsed.tree, "r", "'vävnad'");
    static const char utf_16[] = "\xff\xfe<\0r\0>\0\xe4\0<\0/\0r\0>\0";
    parsing_feed_bytes(parsing, hub_bytes(utf_16, sizeof utf_16 - 1));
    expect_json(parsing->parsed.tree, "r", "'ä'");
    parsing_feed(parsing, "\xef\xbb\xbf<r>\xc3\xa4</r>");
    expect_json(parsing->parsed.tree, "r", "'ä'");
}

static void bytes_that_are_not_in_the_declared_set_are_refused(void **state) {
    assert_refused(*state, "<r>v\xe4vnad</r>", "line 1: ");
    assert_refused(*state, "<?xml version='1.0' encoding='utf-8'?>\n<r>\xff</r>", "line 2: ");
    assert_refused(*state, "<?xml version='1.0' encoding='klingon'?><r/>", "line 1: ");
}

/* --- what is refused --- */

static void a_document_type_declaration_is_refused_whatever_it_says(void **state) {
    static const char why[] = "a document type declaration; documents without one would pass";
    static const char *const documents[] = {
        "<!DOCTYPE r><r/>",
        "<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>",
        "<!DOCTYPE r PUBLIC '-//x' 'http://127.0.0.1:1/x.dtd'><r/>",
        "<!DOCTYPE r [<!ENTITY a 'x'>]><r>&a;</r>",
        "<!DOCTYPE r [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/p'>%p;]><r/>",
        "<!DOCTYPE r [<!ELEMENT r (#PCDATA)>]><r>x</r>",
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        assert_string_equal(parsing_refusal(*state, documents[i]), why);
}

static void a_declaration_is_not_even_read(void **state) {
    assert_string_equal(parsing_refusal(*state, "<!DOCTYPE r [<!ENTITY a '&b;&b;&b;'> <<<< broken"),
                        "a document type declaration; documents without one would pass");
}

static void a_file_of_this_machine_never_comes_in(void **state) {
    struct parsing *parsing = *state;
    struct folder folder;
    folder_make(&folder);
    folder_write(&folder, "secret.txt", "s3cret");
    const char *text = hub_arena_format(
        &parsing->arena, "<!DOCTYPE r [<!ENTITY a SYSTEM 'file://%s'>]><r>&a;</r>",
        folder_path(&folder, "secret.txt"));
    assert_null(strstr(parsing_refusal(parsing, text), "s3cret"));
    parsing_feed(parsing, hub_arena_format(&parsing->arena,
                                           "<r xmlns:xi='http://www.w3.org/2001/XInclude'>"
                                           "<xi:include href='file://%s' parse='text'/></r>",
                                           folder_path(&folder, "secret.txt")));
    char *tree = json_dumps(parsing->parsed.tree, 0);
    assert_null(strstr(tree, "s3cret"));
    free(tree);
    folder_remove(&folder);
}

static void an_entity_that_is_not_xmls_own_is_refused(void **state) {
    assert_refused(*state, "<r>&nbsp;</r>", "Entity 'nbsp' not defined");
}

static void a_document_that_is_cut_off_is_refused_with_its_line(void **state) {
    assert_refused(*state, "<r>\n<a>1</a>\n<a>2", "line 3: ");
    assert_refused(*state, "<r>\n<a>1</b></r>", "line 2: ");
    assert_refused(*state, "", "line 1: ");
    assert_refused(*state, "<r/><r/>", "line 1: ");
    assert_refused(*state, "{\"a\": 1}", "line 1: ");
}

static void an_attribute_that_stands_there_twice_is_refused(void **state) {
    assert_refused(*state, "<r a='1' a='2'/>", "redefined");
}

static void depth_is_bounded(void **state) {
    struct parsing *parsing = *state;
    parsing_feed(parsing, nested(parsing, 65));
    assert_refused(parsing, nested(parsing, 66), "nested deeper than 64 levels");
    assert_refused(parsing, nested(parsing, 100000), "line 1: ");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_with_nothing_but_text_is_that_text),
        cmocka_unit_test(attributes_and_own_text_stand_beside_child_elements),
        cmocka_unit_test(a_name_that_comes_again_makes_a_list),
        cmocka_unit_test(comments_and_instructions_are_no_part_of_it),
        cmocka_unit_test(the_namespace_of_the_root_needs_no_prefix),
        cmocka_unit_test(an_element_of_another_namespace_keeps_the_documents_prefix),
        cmocka_unit_test(a_prefix_of_the_configuration_goes_before_the_documents),
        cmocka_unit_test(an_element_without_a_namespace_in_a_document_with_one_is_told_apart),
        cmocka_unit_test(an_unbound_prefix_is_refused),
        cmocka_unit_test(a_declared_character_set_is_converted),
        cmocka_unit_test(bytes_that_are_not_in_the_declared_set_are_refused),
        cmocka_unit_test(a_document_type_declaration_is_refused_whatever_it_says),
        cmocka_unit_test(a_declaration_is_not_even_read),
        cmocka_unit_test(a_file_of_this_machine_never_comes_in),
        cmocka_unit_test(an_entity_that_is_not_xmls_own_is_refused),
        cmocka_unit_test(a_document_that_is_cut_off_is_refused_with_its_line),
        cmocka_unit_test(an_attribute_that_stands_there_twice_is_refused),
        cmocka_unit_test(depth_is_bounded),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
