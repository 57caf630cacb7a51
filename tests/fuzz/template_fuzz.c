/* Values in texts: whatever a value is, what was JSON or XML around it is so still, and the value is
 * what is read there. */
#include "connectors/kit/xml_document.h"
#include "connectors/transports/template.h"
#include "tests/fuzz/fuzz.h"

#include <libxml/tree.h>

#include <string.h>

static bool fill(enum hub_template_kind kind, const char *text, const char *value,
                 struct hub_buffer *buffer) {
    json_t *values = json_pack("{s:s}", "v", value);
    enum hub_status status =
        values == NULL ? HUB_FATAL : hub_template_fill(kind, text, values, buffer, NULL);
    json_decref(values);
    return status == HUB_OK;
}

static void check_json(const char *value) {
    HUB_SCOPED_BUFFER buffer = {0};
    json_error_t error;
    if (!fill(HUB_TEMPLATE_JSON, "{\"a\\\"{v}\": 1, \"b\": \"{v}\"}", value, &buffer))
        return;
    json_t *body = json_loadb((const char *)buffer.data, buffer.size, 0, &error);
    fuzz_must(json_object_size(body) == 2);
    fuzz_must(strcmp(json_string_value(json_object_get(body, "b")), value) == 0);
    json_decref(body);
}

static void check_number(const char *value) {
    HUB_SCOPED_BUFFER buffer = {0};
    if (!fill(HUB_TEMPLATE_JSON, "{v}", value, &buffer))
        return;
    fuzz_must(buffer.size == strlen(value));
    fuzz_must(strspn(value, "-0123456789") == buffer.size && strrchr(value + 1, '-') == NULL);
}

static void check_xml(const char *value) {
    HUB_SCOPED_BUFFER buffer = {0};
    xmlDoc *document = NULL;
    if (!fill(HUB_TEMPLATE_XML, "<a b=\"{v}\"/>", value, &buffer) ||
        hub_xml_read(hub_buffer_bytes(&buffer), &document, NULL) != HUB_OK)
        return; /* XML has no way to write some control characters */
    xmlNode *root = xmlDocGetRootElement(document);
    fuzz_must(root->children == NULL && root->properties->next == NULL);
    xmlFreeDoc(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    const char *text = fuzz_text(&input, fuzz_piece(&input));
    const char *value = fuzz_text(&input, fuzz_rest(&input));
    HUB_SCOPED_BUFFER buffer = {0};
    for (int kind = HUB_TEMPLATE_ESCAPED; kind <= HUB_TEMPLATE_XML; kind++)
        fill((enum hub_template_kind)kind, text, value, &buffer);
    check_json(value);
    check_number(value);
    check_xml(value);
    fuzz_input_free(&input);
    return 0;
}
