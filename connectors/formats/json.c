/* JSON (RFC 8259), by jansson: duplicate members and numbers beyond 64 bits are refused. */
#include "connectors/formats/formats.h"

enum { DEPTH_MAX = 64 };

static const struct hub_option options[] = {{0}};

/* jansson's own bound on depth (2,048) protects the stack; ours keeps paths readable. */
static bool is_too_deep(const json_t *value, unsigned depth) {
    size_t i;
    json_t *item;
    const char *key;
    if (depth > DEPTH_MAX)
        return true;
    json_array_foreach((json_t *)value, i, item) {
        if (is_too_deep(item, depth + 1))
            return true;
    }
    json_object_foreach((json_t *)value, key, item) {
        if (is_too_deep(item, depth + 1))
            return true;
    }
    return false;
}

static enum hub_status parse(const void *unused, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    json_error_t error;
    (void)unused;
    (void)arena;
    json_t *tree = json_loadb((const char *)document.data, document.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (tree == NULL)
        return hub_fail(reterr, HUB_REJECT, "line %d column %d: %s", error.line, error.column,
                        error.text);
    if (is_too_deep(tree, 0)) {
        json_decref(tree);
        return hub_fail(reterr, HUB_REJECT, "nested deeper than %d levels", DEPTH_MAX);
    }
    *ret_parsed = (struct hub_parsed){.tree = tree};
    return HUB_OK;
}

const struct hub_format hub_format_json = {
    .name = "json",
    .summary = "One JSON document.",
    .options = options,
    .options_size = 1,
    .parse = parse,
};
