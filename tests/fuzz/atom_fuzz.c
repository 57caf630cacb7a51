/* Pages of Atom feeds: what is cut out of them is a document again, and its facts are the entry's. */
#include "connectors/kit/xml_document.h"
#include "connectors/transports/atom_feed.h"
#include "tests/fuzz/fuzz.h"

#include <libxml/tree.h>

static void check_entry(const struct hub_atom_entry *entry, bool only_content) {
    xmlDoc *document = NULL;
    fuzz_must(*entry->id != '\0' && *entry->updated != '\0');
    if (only_content)
        return;
    fuzz_must(hub_xml_read(entry->bytes, &document, NULL) == HUB_OK);
    xmlFreeDoc(document);
    json_t *facts = hub_atom_facts_of(entry->bytes);
    fuzz_must(json_equal(facts, entry->facts));
    json_decref(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    uint8_t choice = fuzz_byte(&input);
    bool only_content = (choice & 1) != 0;
    struct hub_bytes page = fuzz_rest(&input);
    struct hub_atom_feed feed, turned;
    struct hub_arena arena = {0};
    if (hub_atom_read(page, true, only_content, &arena, &feed, NULL) == HUB_OK) {
        fuzz_must(feed.count <= HUB_ATOM_ENTRIES_MAX);
        fuzz_must(hub_atom_read(page, false, only_content, &arena, &turned, NULL) == HUB_OK);
        fuzz_must(turned.count == feed.count);
        for (size_t i = 0; i < feed.count; i++) {
            check_entry(&feed.entries[i], only_content);
            fuzz_must(hub_bytes_equal(feed.entries[i].bytes,
                                      turned.entries[feed.count - 1 - i].bytes));
        }
        hub_atom_free(&turned);
        hub_atom_free(&feed);
    }
    hub_arena_destroy(&arena);
    fuzz_input_free(&input);
    return 0;
}
