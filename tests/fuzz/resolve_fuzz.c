/* Values written with an older schema, read as the newest: every older version that is registered,
 * and a pair made for it, in which everything changed that may. The first byte picks the pair. */
#include "schemas/lib/render.h"
#include "schemas/lib/resolve.h"
#include "tests/fuzz/fuzz.h"

static const char older[] =
    "{'type': 'record', 'name': 'a.Old', 'fields': ["
    " {'name': 'gone', 'type': {'type': 'array', 'items': ['null', 'string']}},"
    " {'name': 'number', 'type': 'int'},"
    " {'name': 'first', 'type': {'type': 'record', 'name': 'Part', 'fields': ["
    "   {'name': 'x', 'type': 'long'}, {'name': 'y', 'type': 'string'}]}},"
    " {'name': 'colour', 'type': {'type': 'enum', 'name': 'Colour',"
    "   'symbols': ['RED', 'GREEN', 'BLUE']}},"
    " {'name': 'either', 'type': ['null', 'int', 'Part', 'bytes']},"
    " {'name': 'many', 'type': {'type': 'map', 'values': {'type': 'array', 'items': 'Part'}}},"
    " {'name': 'same', 'type': ['null', 'Colour']},"
    " {'name': 'real', 'type': 'float'}]}";
static const char newer[] =
    "{'type': 'record', 'name': 'b.New', 'aliases': ['a.Old'], 'fields': ["
    " {'name': 'real', 'type': 'double'},"
    " {'name': 'amount', 'aliases': ['number'], 'type': ['null', 'double']},"
    " {'name': 'added', 'type': 'string', 'default': 'new'},"
    " {'name': 'many', 'type': {'type': 'map', 'values': {'type': 'array', 'items':"
    "   {'type': 'record', 'name': 'Part', 'fields': ["
    "     {'name': 'y', 'type': 'bytes'}, {'name': 'z', 'type': 'int', 'default': 3},"
    "     {'name': 'x', 'type': 'double'}]}}}},"
    " {'name': 'second', 'aliases': ['first'], 'type': 'Part'},"
    " {'name': 'colour', 'type': {'type': 'enum', 'name': 'Colour',"
    "   'symbols': ['BLUE', 'OTHER', 'RED'], 'default': 'OTHER'}},"
    " {'name': 'either', 'type': ['string', 'Part', 'long']},"
    " {'name': 'same', 'type': ['Colour', 'null']}]}";

static const struct hub_schema *own(const char *text) {
    struct hub_schema *schema = NULL;
    struct hub_error error;
    char *quoted = hub_copy_text(text);
    for (char *at = quoted; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    if (hub_schema_load(hub_bytes_of_text(quoted), "own.avsc", &schema, &error) != HUB_OK)
        fuzz_stop(__FILE__, __LINE__, error.text);
    hub_release(quoted);
    return schema;
}

struct pair {
    const struct hub_schema *writer, *reader;
    struct hub_resolver *resolver;
};

static struct pair pair_of(const struct hub_schema *writer, const struct hub_schema *reader) {
    struct pair pair = {writer, reader, NULL};
    struct hub_error error;
    if (hub_resolver_new(writer->root, reader->root, &pair.resolver, &error) != HUB_OK)
        fuzz_stop(__FILE__, __LINE__, error.text);
    return pair;
}

/* The own pair first; then the registered ones, so that more of them change no input's meaning. */
static const struct pair *pairs(size_t *ret_count) {
    static struct pair *list;
    static size_t count;
    const struct hub_catalogue *catalogue = fuzz_catalogue();
    if (list == NULL) {
        list = hub_allocate_zero(catalogue->schema_count + 1, sizeof *list);
        list[count++] = pair_of(own(older), own(newer));
        for (size_t i = 0; i < catalogue->schema_count; i++) {
            const struct hub_schema *writer = catalogue->schemas[i];
            const struct hub_schema *reader = hub_catalogue_latest(catalogue, writer->subject);
            if (writer != reader)
                list[count++] = pair_of(writer, reader);
        }
    }
    *ret_count = count;
    return list;
}

static enum hub_status read_as(const struct pair *pair, struct hub_bytes value, bool anew,
                               struct hub_buffer *text) {
    struct hub_error error;
    bool canonical = false;
    HUB_SCOPED_BUFFER read = {0};
    enum hub_status status = hub_resolve(pair->resolver, value, anew, &read, &error);
    if (status == HUB_OK) {
        fuzz_must(fuzz_accepts(pair->reader->root, hub_buffer_bytes(&read), &canonical));
        fuzz_must(canonical || !anew);
        hub_render_json(pair->reader->root, hub_buffer_bytes(&read), text);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t count = 0;
    bool canonical = false;
    HUB_SCOPED_BUFFER copied = {0};
    HUB_SCOPED_BUFFER written = {0};
    const struct pair *list = pairs(&count);
    struct fuzz_input input = fuzz_input(data, size);
    const struct pair *pair = &list[fuzz_byte(&input) % count];
    struct hub_bytes value = fuzz_rest(&input);
    if (fuzz_accepts(pair->writer->root, value, &canonical)) {
        enum hub_status status = read_as(pair, value, /* anew= */ false, &copied);
        fuzz_must(status == HUB_OK || status == HUB_REJECT);
        fuzz_must(read_as(pair, value, /* anew= */ true, &written) == status);
        fuzz_must(hub_bytes_equal(hub_buffer_bytes(&copied), hub_buffer_bytes(&written)));
    }
    fuzz_input_free(&input);
    return 0;
}
