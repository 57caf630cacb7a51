/* Schemas' and configurations' text, YAML and JSON, as a tree. */
#include "hub/base/text.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct hub_node *node, size_t depth) {
    bool flag;
    int64_t number;
    double real;
    fuzz_must(depth <= HUB_NODE_DEPTH_MAX && node->line > 0 && node->column > 0);
    if (node->kind == HUB_NODE_SCALAR) {
        fuzz_must(node->text[node->text_size] == '\0');
        fuzz_must(hub_text_is_utf8(hub_bytes(node->text, node->text_size)));
        if (hub_node_to_long(node, &number))
            fuzz_must(hub_node_to_double(node, &real) && !hub_node_to_bool(node, &flag));
        if (node->quoted)
            fuzz_must(!hub_node_to_bool(node, &flag) && !hub_node_to_double(node, &real) &&
                      !hub_node_is_null(node));
    }
    for (size_t i = 0; i < node->count; i++) {
        check(node->items[i], depth + 1);
        if (node->kind != HUB_NODE_MAPPING)
            continue;
        /* By its text, a key is found and no other. */
        fuzz_must(hub_node_get(node, node->keys[i]->text) == node->items[i]);
        fuzz_must(strlen(node->keys[i]->text) == node->keys[i]->text_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const known[] = {"records", "fields", "for_each", NULL};
    struct hub_arena arena = {0};
    struct hub_node *node = NULL;
    struct hub_error error;
    enum hub_status status = hub_node_parse(hub_bytes(data, size), "fuzz", &arena, &node, &error);
    if (status == HUB_OK) {
        check(node, 0);
        status = hub_node_check_keys(node, known, &error);
    }
    if (status != HUB_OK)
        fuzz_must(status == HUB_FATAL && strncmp(error.text, "fuzz:", 5) == 0 &&
                  hub_text_is_utf8(hub_bytes_of_text(error.text)));
    hub_arena_destroy(&arena);
    return 0;
}
