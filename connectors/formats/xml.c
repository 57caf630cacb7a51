/* XML 1.0 with namespaces, by libxml2.
 *
 * An element becomes an object: attributes as @name, its own text as #text, child elements by name,
 * repeated ones as an array. An element with nothing but text becomes that text. Elements in the
 * namespace of the document's root, and those without one in a document that has none, go by their
 * local name; others by prefix:name, with the prefix of `namespaces` or the document's own. */
#include "connectors/formats/formats.h"
#include "connectors/kit/xml_document.h"

#include "hub/base/memory.h"

#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

struct xml_options {
    const char *const *namespaces; /* prefix=URI */
};

static const struct hub_option options[] = {
    {.name = "namespaces",
     HUB_TEXTS_OPTION(struct xml_options, namespaces),
     .help = "Prefixes for other namespaces than the root's, each prefix=URI."},
    {0},
};

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct xml_options *own = options_;
    for (size_t i = 0; own->namespaces[i] != NULL; i++) {
        const char *equals = strchr(own->namespaces[i], '=');
        if (equals == NULL || equals == own->namespaces[i] || equals[1] == '\0')
            return hub_fail(reterr, HUB_FATAL, "namespace '%s': prefix=URI would pass",
                            own->namespaces[i]);
    }
    return HUB_OK;
}

struct reader {
    const struct xml_options *options;
    struct hub_arena *arena;
    const xmlChar *root_namespace; /* URI, or NULL */
};

static const char *prefix_of(const struct reader *reader, const xmlNs *space) {
    for (size_t i = 0; reader->options->namespaces[i] != NULL; i++) {
        const char *entry = reader->options->namespaces[i];
        const char *equals = strchr(entry, '=');
        if (strcmp(equals + 1, (const char *)space->href) == 0)
            return hub_arena_text(reader->arena, entry, (size_t)(equals - entry));
    }
    return space->prefix == NULL ? "" : (const char *)space->prefix;
}

static const char *name_of(const struct reader *reader, const xmlChar *name, const xmlNs *space) {
    const xmlChar *href = space == NULL ? NULL : space->href;
    if (xmlStrEqual(href, reader->root_namespace))
        return (const char *)name;
    if (space == NULL)
        return hub_arena_format(reader->arena, ":%s", (const char *)name);
    return hub_arena_format(reader->arena, "%s:%s", prefix_of(reader, space), (const char *)name);
}

/* A second member of one name makes an array of both. */
static void add_member(json_t *object, const char *name, json_t *value) {
    json_t *there = json_object_get(object, name);
    if (there == NULL) {
        json_object_set_new(object, name, value);
    } else if (json_is_array(there)) {
        json_array_append_new(there, value);
    } else {
        json_t *list = json_array();
        json_array_append(list, there);
        json_array_append_new(list, value);
        json_object_set_new(object, name, list);
    }
}

static json_t *text_of(const xmlNode *element) {
    HUB_SCOPED_BUFFER text = {0};
    for (const xmlNode *node = element->children; node != NULL; node = node->next)
        if ((node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) &&
            node->content != NULL)
            hub_buffer_append_text(&text, (const char *)node->content);
    struct hub_bytes bytes = hub_buffer_bytes(&text);
    size_t from = 0, to = bytes.size;
    while (from < to && strchr(" \t\r\n", bytes.data[from]) != NULL)
        from++;
    while (to > from && strchr(" \t\r\n", bytes.data[to - 1]) != NULL)
        to--;
    bytes = hub_bytes_part(bytes, from, to);
    return json_stringn((const char *)bytes.data, bytes.size);
}

static void add_attributes(const struct reader *reader, const xmlNode *element, json_t *object) {
    for (const xmlAttr *attribute = element->properties; attribute != NULL;
         attribute = attribute->next) {
        xmlChar *value = xmlNodeListGetString(element->doc, attribute->children, 1);
        const char *name = (const char *)attribute->name;
        if (attribute->ns != NULL)
            name = hub_arena_format(reader->arena, "%s:%s", prefix_of(reader, attribute->ns), name);
        json_object_set_new(object, hub_arena_format(reader->arena, "@%s", name),
                            json_string(value == NULL ? "" : (const char *)value));
        xmlFree(value);
    }
}

static json_t *convert(const struct reader *reader, const xmlNode *element, unsigned depth) {
    json_t *object = json_object();
    if (depth > HUB_XML_DEPTH_MAX)
        return object;
    add_attributes(reader, element, object);
    bool has_children = false;
    for (const xmlNode *node = element->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        has_children = true;
        add_member(object, name_of(reader, node->name, node->ns),
                   convert(reader, node, depth + 1));
    }
    json_t *text = text_of(element);
    if (json_object_size(object) == 0 && !has_children) {
        json_decref(object);
        return text;
    }
    if (json_string_length(text) > 0)
        json_object_set_new(object, "#text", text);
    else
        json_decref(text);
    return object;
}

static enum hub_status parse(const void *options_, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    xmlDoc *tree = NULL;
    HUB_TRY(hub_xml_read(document, &tree, reterr));
    xmlNode *root = xmlDocGetRootElement(tree);
    struct reader reader = {options_, arena, root->ns == NULL ? NULL : root->ns->href};
    *ret_parsed = (struct hub_parsed){.tree = json_object()};
    json_object_set_new(ret_parsed->tree, (const char *)root->name, convert(&reader, root, 0));
    xmlFreeDoc(tree);
    return HUB_OK;
}

const struct hub_format hub_format_xml = {
    .name = "xml",
    .summary = "One XML document, without DTD.",
    .options = options,
    .options_size = sizeof(struct xml_options),
    .check = check_options,
    .parse = parse,
};
