/* Schema texts: one, and where a second follows, what the first wrote is read by the second. A byte
 * 0xff, which no text has, stands between the parts: writer, reader, value. */
#include "hub/base/text.h"
#include "schemas/lib/render.h"
#include "schemas/lib/resolve.h"
#include "tests/fuzz/fuzz.h"

static struct hub_schema *load(struct hub_bytes text) {
    struct hub_schema *schema = NULL;
    struct hub_error error;
    enum hub_status status = hub_schema_load(text, "fuzz.avsc", &schema, &error);
    if (status == HUB_OK)
        return schema;
    fuzz_must(status == HUB_FATAL && strncmp(error.text, "fuzz.avsc:", 10) == 0 &&
              hub_text_is_utf8(hub_bytes_of_text(error.text)));
    return NULL;
}

/* The tree has its bound on depth, and every default is a value of its field's type. */
static void check_defaults(const struct hub_type *type, unsigned depth) {
    bool canonical = false;
    fuzz_must(depth <= HUB_TYPE_DEPTH_MAX);
    for (size_t i = 0; type->kind == HUB_RECORD && i < type->count; i++) {
        const struct hub_field *field = &type->fields[i];
        if (field->has_default)
            fuzz_must(fuzz_accepts(field->type, field->default_value, &canonical) && canonical);
        check_defaults(field->type, depth + 1);
    }
    for (size_t i = 0; type->kind == HUB_UNION && i < type->count; i++)
        check_defaults(type->branches[i], depth + 1);
    if (type->kind == HUB_ARRAY || type->kind == HUB_MAP)
        check_defaults(type->items, depth + 1);
}

static void read_value(const struct hub_type *writer, const struct hub_type *reader,
                       struct hub_bytes value) {
    struct hub_resolver *resolver = NULL;
    struct hub_error error;
    bool canonical = false;
    HUB_SCOPED_BUFFER read = {0};
    HUB_SCOPED_BUFFER text = {0};
    if (hub_resolver_new(writer, reader, &resolver, &error) != HUB_OK)
        return;
    if (fuzz_accepts(writer, value, &canonical) &&
        hub_resolve(resolver, value, /* canonical= */ true, &read, &error) == HUB_OK &&
        !hub_buffer_overflowed(&read)) {
        fuzz_must(fuzz_accepts(reader, hub_buffer_bytes(&read), &canonical) && canonical);
        hub_render_json(reader, hub_buffer_bytes(&read), &text);
    }
    hub_resolver_free(resolver);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hub_bytes first, second, rest;
    bool two = hub_bytes_cut(hub_bytes(data, size), 0xff, &first, &rest);
    if (!two)
        first = hub_bytes(data, size);
    bool three = two && hub_bytes_cut(rest, 0xff, &second, &rest);
    if (two && !three)
        second = rest;
    struct hub_schema *writer = load(first), *reader = two ? load(second) : NULL;
    if (writer != NULL)
        check_defaults(writer->root, /* depth= */ 0);
    if (writer != NULL && reader != NULL)
        read_value(writer->root, reader->root, three ? rest : hub_bytes("", 0));
    hub_schema_free(writer);
    hub_schema_free(reader);
    return 0;
}
