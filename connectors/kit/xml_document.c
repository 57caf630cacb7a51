#include "connectors/kit/xml_document.h"

#include "hub/base/memory.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

static bool is_too_deep(const xmlNode *element, unsigned depth) {
    if (depth > HUB_XML_DEPTH_MAX)
        return true;
    for (const xmlNode *node = element->children; node != NULL; node = node->next)
        if (node->type == XML_ELEMENT_NODE && is_too_deep(node, depth + 1))
            return true;
    return false;
}

static void silence(void *context, const char *format, ...) {
    (void)context;
    (void)format;
}

/* Parsing ends where a document type declaration begins: nothing in it is ever looked at. */
static void on_declaration(void *context_, const xmlChar *name, const xmlChar *external,
                           const xmlChar *system) {
    xmlParserCtxt *context = context_;
    (void)name;
    (void)external;
    (void)system;
    *(bool *)context->_private = true;
    xmlStopParser(context);
}

static enum hub_status check_tree(const xmlDoc *document, struct hub_error *reterr) {
    const xmlNode *root = xmlDocGetRootElement((xmlDoc *)document);
    if (root == NULL)
        return hub_fail(reterr, HUB_REJECT, "there is no element");
    if (is_too_deep(root, 0))
        return hub_fail(reterr, HUB_REJECT, "nested deeper than %d levels", HUB_XML_DEPTH_MAX);
    return HUB_OK;
}

enum hub_status hub_xml_read(struct hub_bytes bytes, struct _xmlDoc **ret_document,
                             struct hub_error *reterr) {
    /* Left to itself libxml2 calls a document malformed for which there was no room. */
    xmlMemSetup(free, hub_allocate, hub_reallocate, hub_copy_text);
    xmlParserCtxt *context = xmlNewParserCtxt();
    bool declared = false;
    xmlSetGenericErrorFunc(NULL, silence);
    context->_private = &declared;
    context->sax->internalSubset = on_declaration;
    xmlDoc *tree = xmlCtxtReadMemory(context, (const char *)bytes.data, (int)bytes.size, NULL, NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                         XML_PARSE_NOCDATA);
    enum hub_status status = HUB_OK;
    if (declared) {
        status = hub_fail(reterr, HUB_REJECT, "a document type declaration; documents without one "
                          "would pass");
    } else if (tree == NULL || !context->nsWellFormed) {
        const xmlError *error = xmlCtxtGetLastError(context);
        size_t size = error == NULL || error->message == NULL ? 0 : strcspn(error->message, "\n");
        status = hub_fail(reterr, HUB_REJECT, "line %d: %.*s", error == NULL ? 1 : error->line,
                          (int)size, size == 0 ? "" : error->message);
    } else {
        status = check_tree(tree, reterr);
    }
    if (status == HUB_OK)
        *ret_document = tree;
    else
        xmlFreeDoc(tree);
    xmlFreeParserCtxt(context);
    return status;
}
