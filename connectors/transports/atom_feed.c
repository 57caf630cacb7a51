#include "connectors/transports/atom_feed.h"

#include "connectors/kit/guard.h"
#include "connectors/kit/xml_document.h"
#include "hub/io/crypto.h"

#include <libxml/tree.h>
#include <string.h>

static const char ATOM[] = "http://www.w3.org/2005/Atom";

static bool is_atom(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE && node->ns != NULL &&
           xmlStrEqual(node->ns->href, (const xmlChar *)ATOM) &&
           xmlStrEqual(node->name, (const xmlChar *)name);
}

static const xmlNode *child(const xmlNode *parent, const char *name) {
    for (const xmlNode *node = parent->children; node != NULL; node = node->next)
        if (is_atom(node, name))
            return node;
    return NULL;
}

static const char *keep(xmlChar *text, struct hub_arena *arena) {
    if (text == NULL)
        return NULL;
    const char *from = (const char *)text;
    from += strspn(from, " \t\r\n");
    size_t size = strlen(from);
    while (size > 0 && strchr(" \t\r\n", from[size - 1]) != NULL)
        size--;
    const char *copy = hub_arena_text(arena, from, size);
    xmlFree(text);
    return copy;
}

static const char *text_of(const xmlNode *node, struct hub_arena *arena) {
    return node == NULL ? NULL : keep(xmlNodeGetContent(node), arena);
}

static const char *attribute(const xmlNode *node, const char *name, struct hub_arena *arena) {
    return node == NULL ? NULL : keep(xmlGetNoNsProp(node, (const xmlChar *)name), arena);
}

/* --- an entry as a document --- */

/* With the prefixes that were good where it stood: a value may use one, too. */
static struct hub_bytes cut_out(const xmlNode *element, struct hub_arena *arena) {
    xmlDoc *document = hub_need(xmlNewDoc((const xmlChar *)"1.0"));
    xmlNode *root = hub_need(xmlDocCopyNode((xmlNode *)element, document, 1));
    xmlDocSetRootElement(document, root);
    xmlNs **spaces = xmlGetNsList(element->doc, element);
    for (size_t i = 0; spaces != NULL && spaces[i] != NULL; i++)
        xmlNewNs(root, spaces[i]->href, spaces[i]->prefix); /* NULL where it is there already */
    xmlFree(spaces);
    xmlChar *text = NULL;
    int size = 0;
    xmlDocDumpMemoryEnc(document, &text, &size, "UTF-8");
    hub_need(text);
    struct hub_bytes bytes =
        hub_bytes(hub_arena_text(arena, (const char *)text, (size_t)size), (size_t)size);
    xmlFree(text);
    xmlFreeDoc(document);
    return bytes;
}

/* An element in the content, else its text. */
static struct hub_bytes content_of(const xmlNode *entry, struct hub_arena *arena) {
    const xmlNode *content = child(entry, "content");
    for (const xmlNode *node = content == NULL ? NULL : content->children; node != NULL;
         node = node->next)
        if (node->type == XML_ELEMENT_NODE)
            return cut_out(node, arena);
    const char *text = text_of(content, arena);
    return hub_bytes_of_text(text == NULL ? "" : text);
}

static json_t *facts_of(const xmlNode *entry, struct hub_arena *arena) {
    return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "id", text_of(child(entry, "id"), arena),
                     "updated", text_of(child(entry, "updated"), arena), "published",
                     text_of(child(entry, "published"), arena), "title",
                     text_of(child(entry, "title"), arena), "category",
                     attribute(child(entry, "category"), "term", arena));
}

/* --- a feed --- */

static const char *link_of(const xmlNode *feed, const char *relation, struct hub_arena *arena) {
    for (const xmlNode *node = feed->children; node != NULL; node = node->next) {
        const char *is = is_atom(node, "link") ? attribute(node, "rel", arena) : NULL;
        if (is != NULL && strcmp(is, relation) == 0)
            return attribute(node, "href", arena);
    }
    return NULL;
}

static size_t count_entries(const xmlNode *feed) {
    size_t count = 0;
    for (const xmlNode *node = feed->children; node != NULL; node = node->next)
        count += is_atom(node, "entry");
    return count;
}

/* What an entry is known by becomes a part of the position, which leaves the institution. */
static bool tells_of_a_person(const char *text) {
    const char *kind = NULL;
    return hub_guard_finds(hub_bytes_of_text(text), &kind);
}

static enum hub_status read_entry(const xmlNode *node, size_t number, bool only_content,
                                  struct hub_arena *arena, struct hub_atom_entry *entry,
                                  struct hub_error *reterr) {
    const char *id = text_of(child(node, "id"), arena);
    const char *updated = text_of(child(node, "updated"), arena);
    if (id == NULL || *id == '\0' || updated == NULL || *updated == '\0')
        return hub_fail(reterr, HUB_FATAL, "entry %zu has no id or no updated, which every entry "
                        "of a feed has (RFC 4287 section 4.1.2)", number);
    if (tells_of_a_person(id) || tells_of_a_person(updated))
        return hub_fail(reterr, HUB_FATAL, "the id or updated of entry %zu is a person's number, "
                        "which may not leave; an id that is none would pass", number);
    entry->id = id;
    entry->updated = updated;
    entry->facts = facts_of(node, arena);
    entry->bytes = only_content ? content_of(node, arena) : cut_out(node, arena);
    return HUB_OK;
}

static enum hub_status read_feed(const xmlNode *root, bool newest_first, bool only_content,
                                 struct hub_arena *arena, struct hub_atom_feed *feed,
                                 struct hub_error *reterr) {
    if (!is_atom(root, "feed"))
        return hub_fail(reterr, HUB_FATAL, "its root is no feed of %s", ATOM);
    size_t count = count_entries(root), number = 0;
    if (count > HUB_ATOM_ENTRIES_MAX)
        return hub_fail(reterr, HUB_FATAL, "it has %zu entries, over the limit of %d", count,
                        HUB_ATOM_ENTRIES_MAX);
    feed->prev_archive = link_of(root, "prev-archive", arena);
    feed->via = link_of(root, "via", arena);
    feed->entries = hub_arena_take_zero(arena, count + 1, sizeof *feed->entries);
    feed->count = count;
    for (const xmlNode *node = root->children; node != NULL; node = node->next) {
        if (!is_atom(node, "entry"))
            continue;
        size_t at = newest_first ? count - 1 - number : number;
        HUB_TRY(read_entry(node, ++number, only_content, arena, &feed->entries[at], reterr));
    }
    return HUB_OK;
}

enum hub_status hub_atom_read(struct hub_bytes document, bool newest_first, bool only_content,
                              struct hub_arena *arena, struct hub_atom_feed *ret_feed,
                              struct hub_error *reterr) {
    xmlDoc *tree = NULL;
    struct hub_atom_feed feed = {0};
    enum hub_status status = hub_xml_read(document, &tree, reterr);
    if (status != HUB_OK)
        return HUB_RETRY;
    status = read_feed(xmlDocGetRootElement(tree), newest_first, only_content, arena, &feed,
                       reterr);
    xmlFreeDoc(tree);
    if (status == HUB_OK)
        *ret_feed = feed;
    else
        hub_atom_free(&feed);
    return status;
}

void hub_atom_free(struct hub_atom_feed *feed) {
    for (size_t i = 0; i < feed->count; i++)
        json_decref(feed->entries[i].facts);
    *feed = (struct hub_atom_feed){0};
}

struct hub_digest hub_atom_digest(const struct hub_atom_feed *feed) {
    HUB_SCOPED_BUFFER text = {0};
    for (size_t i = 0; i < feed->count; i++)
        hub_buffer_append_format(&text, "%s\n%s\n", feed->entries[i].id, feed->entries[i].updated);
    return hub_sha256.digest(hub_buffer_bytes(&text));
}

json_t *hub_atom_facts_of(struct hub_bytes document) {
    xmlDoc *tree = NULL;
    struct hub_arena arena = {0};
    json_t *facts = NULL;
    if (hub_xml_read(document, &tree, NULL) != HUB_OK)
        return NULL;
    if (is_atom(xmlDocGetRootElement(tree), "entry"))
        facts = facts_of(xmlDocGetRootElement(tree), &arena);
    hub_arena_destroy(&arena);
    xmlFreeDoc(tree);
    return facts;
}
