#include "schemas/lib/names.h"

#include <stdlib.h>
#include <string.h>

struct names {
    const struct hub_type **items;
    size_t count, capacity;
};

static void collect(struct names *names, const struct hub_type *type) {
    if (type->name != NULL) {
        for (size_t i = 0; i < names->count; i++)
            if (names->items[i] == type)
                return;
        HUB_GROW(names->items, names->count, names->capacity);
        names->items[names->count++] = type;
    }
    if (type->items != NULL)
        collect(names, type->items);
    for (size_t i = 0; i < type->count && type->kind == HUB_RECORD; i++)
        collect(names, type->fields[i].type);
    for (size_t i = 0; i < type->count && type->kind == HUB_UNION; i++)
        collect(names, type->branches[i]);
}

static int by_name(const void *a, const void *b) {
    const struct hub_type *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* What follows the namespace. */
static const char *own_name(const char *text) {
    const char *dot = strrchr(text, '.');
    return dot == NULL ? text : dot + 1;
}

static bool is_same(const struct hub_node *a, const struct hub_node *b);

static bool is_same_mapping(const struct hub_node *a, const struct hub_node *b) {
    size_t compared = 0, others = 0;
    for (size_t i = 0; i < a->count; i++) {
        const char *key = a->keys[i]->text;
        if (strcmp(key, "namespace") == 0)
            continue;
        const struct hub_node *other = hub_node_get(b, key);
        if (other == NULL || !is_same(a->items[i], other))
            return false;
        compared++;
    }
    for (size_t i = 0; i < b->count; i++)
        others += strcmp(b->keys[i]->text, "namespace") != 0;
    return compared == others;
}

/* A type may be defined at its first use in one file, and be named only in the other. */
static bool is_same(const struct hub_node *a, const struct hub_node *b) {
    if (a->kind == HUB_NODE_SCALAR && b->kind == HUB_NODE_MAPPING)
        return is_same(b, a);
    if (a->kind == HUB_NODE_MAPPING && b->kind == HUB_NODE_SCALAR) {
        const struct hub_node *name = hub_node_get(a, "name");
        return name != NULL && strcmp(own_name(name->text), own_name(b->text)) == 0;
    }
    if (a->kind != b->kind)
        return false;
    if (a->kind == HUB_NODE_SCALAR)
        return strcmp(a->text, b->text) == 0;
    if (a->kind == HUB_NODE_MAPPING)
        return is_same_mapping(a, b);
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!is_same(a->items[i], b->items[i]))
            return false;
    return true;
}

enum hub_status hub_names_check(const struct hub_schema *const *schemas, size_t count,
                                struct hub_error *reterr) {
    struct names names = {0};
    enum hub_status status = HUB_OK;
    for (size_t i = 0; i < count; i++)
        collect(&names, schemas[i]->root);
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    for (size_t i = 1; status == HUB_OK && i < names.count; i++) {
        const struct hub_type *before = names.items[i - 1], *type = names.items[i];
        if (strcmp(before->name, type->name) == 0 && !is_same(before->node, type->node))
            status = hub_node_fail(type->node, reterr,
                                   "'%s' is defined differently at %s:%zu:%zu; one name has one "
                                   "definition", type->name, before->node->file,
                                   before->node->line, before->node->column);
    }
    hub_release(names.items);
    return status;
}
