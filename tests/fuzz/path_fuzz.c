/* Paths into documents: the first line is the path, the rest the document, in JSON. */
#include "connectors/kit/path.h"
#include "hub/base/text.h"
#include "tests/fuzz/fuzz.h"

static void find(const struct hub_path *path, const json_t *tree, struct hub_arena *arena) {
    struct hub_scope around = {.here = tree, .context = tree};
    struct hub_scope scope = {.here = json_object_get(tree, "a"), .outer = &around,
                              .context = tree};
    const struct hub_scope *const scopes[] = {&around, &scope};
    for (size_t k = 0; k < 2; k++) {
        const json_t **values = NULL;
        size_t count = 0;
        hub_path_find(path, scopes[k], arena, &values, &count);
        for (size_t i = 0; i < count; i++) {
            const char *text = hub_tree_text(values[i], arena);
            fuzz_must(!hub_tree_is_absent(values[i]) && !json_is_array(values[i]));
            fuzz_must(text == NULL || hub_text_is_utf8(hub_bytes_of_text(text)));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct hub_bytes line, document;
    struct hub_path *path = NULL;
    struct hub_error error;
    json_error_t json_error;
    if (!hub_bytes_cut(hub_bytes(data, size), '\n', &line, &document)) {
        line = hub_bytes(data, size);
        document = hub_bytes("", 0);
    }
    const char *text = fuzz_text(&input, line);
    struct hub_node node = {.kind = HUB_NODE_SCALAR, .file = "fuzz", .line = 1, .column = 1,
                            .text = text, .text_size = strlen(text)};
    enum hub_status status = hub_path_parse(&node, &input.arena, &path, &error);
    json_t *tree = json_loadb((const char *)document.data, document.size, JSON_DECODE_ANY,
                              &json_error);
    if (status == HUB_OK) {
        fuzz_must(strcmp(hub_path_text(path), text) == 0);
        find(path, tree, &input.arena);
    }
    json_decref(tree);
    fuzz_input_free(&input);
    return 0;
}
