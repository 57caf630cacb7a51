/* atom_feed: a page of a feed, and files that hold one of its entries. */
#include "connectors/transports/atom_feed.h"

#include "connectors/kit/transport.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"

/* Ladok's events hold elements called entry, too, which have no namespace. */
static void a_page_of_ladok_gives_its_own_entries_and_not_the_nested_ones(void **state) {
    static const char path[] = "connectors/samples/education/ladok-atom/feed-10021.xml";
    struct hub_arena arena = {0};
    struct hub_error error;
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    if (hub_file_read(path, &text, &error) != HUB_OK)
        fail_msg("%s", error.text);
    struct hub_bytes page = hub_buffer_bytes(&text);
    struct hub_atom_feed ladok;
    assert_int_equal(hub_atom_read(page, /* newest_first= */ true, /* only_content= */ false,
                                   &arena, &ladok, &error),
                     HUB_OK);
    assert_int_equal(ladok.count, 12);
    assert_string_equal(ladok.entries[11].id, "a1b2c3d4-0b0f-11f1-8c55-2b8f6a7d9e10");
    assert_string_equal(ladok.entries[9].id, "a1b2c3d4-0b0d-11f1-8c55-2b8f6a7d9e10");
    assert_string_equal(ladok.prev_archive, "https://ladok.example/uppfoljning/feed/10020");
    struct hub_bytes bytes = ladok.entries[9].bytes;
    const char *entry = hub_arena_text(&arena, (const char *)bytes.data, bytes.size);
    assert_non_null(strstr(entry, "<entry xmlns=\"\"><key>sv</key>"));
    hub_atom_free(&ladok);
    hub_arena_destroy(&arena);
}

static void a_file_with_an_entry_has_its_facts(void **state) {
    const struct hub_transport *transport = hub_transport_find("atom");
    struct hub_raw_document document = {
        .bytes = hub_bytes_of_text("<entry xmlns='http://www.w3.org/2005/Atom'><id>1</id>"
                                   "<updated>2</updated></entry>"),
        .context = json_object()};
    (void)state;
    transport->dress(NULL, &document);
    expect_json(document.context, "entry", "{'id': '1', 'updated': '2'}");
    json_object_clear(document.context);
    document.bytes = hub_bytes_of_text("<entry/>");
    transport->dress(NULL, &document);
    document.bytes = hub_bytes_of_text("{}");
    transport->dress(NULL, &document);
    expect_json(document.context, "entry", NULL);
    json_decref(document.context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_ladok_gives_its_own_entries_and_not_the_nested_ones),
        cmocka_unit_test(a_file_with_an_entry_has_its_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
