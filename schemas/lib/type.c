#include "schemas/lib/type.h"

#include <string.h>

const char *hub_kind_name(enum hub_kind kind) {
    static const char *const names[] = {"null",   "boolean", "int",   "long",  "float",
                                        "double", "bytes",   "string", "fixed", "enum",
                                        "array",  "map",     "union", "record"};
    return names[kind];
}

int hub_type_field(const struct hub_type *record, const char *name) {
    if (record->kind == HUB_RECORD)
        for (size_t i = 0; i < record->count; i++) {
            const char *own = record->fields[i].name;
            if (*own == *name && strcmp(own, name) == 0) /* most differ at once */
                return (int)i;
        }
    return -1;
}

int hub_type_symbol(const struct hub_type *enumeration, const char *symbol) {
    return hub_type_symbol_bytes(enumeration, hub_bytes_of_text(symbol));
}

int hub_type_symbol_bytes(const struct hub_type *enumeration, struct hub_bytes symbol) {
    if (enumeration->kind == HUB_ENUM)
        for (size_t i = 0; i < enumeration->count; i++)
            if (hub_bytes_equal_text(symbol, enumeration->symbols[i]))
                return (int)i;
    return -1;
}

int hub_type_null_branch(const struct hub_type *type) {
    if (type->kind == HUB_UNION)
        for (size_t i = 0; i < type->count; i++)
            if (type->branches[i]->kind == HUB_NULL)
                return (int)i;
    return -1;
}

const struct hub_type *hub_type_stated(const struct hub_type *type) {
    int null_branch = hub_type_null_branch(type);
    if (null_branch < 0 || type->count != 2)
        return type;
    return type->branches[1 - null_branch];
}

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_node(const struct hub_type *a, const struct hub_type *b) {
    if (a->kind != b->kind || a->count != b->count || a->fixed_size != b->fixed_size ||
        !same_text(a->name, b->name) || !same_text(a->logical, b->logical))
        return false;
    for (size_t i = 0; a->kind == HUB_ENUM && i < a->count; i++)
        if (strcmp(a->symbols[i], b->symbols[i]) != 0)
            return false;
    return true;
}

static const char *difference_at(const struct hub_type *a, const struct hub_type *b,
                                 const char *path, struct hub_arena *arena) {
    const char *found = NULL;
    if (!same_node(a, b))
        return path;
    if (a->kind == HUB_ARRAY || a->kind == HUB_MAP)
        return difference_at(a->items, b->items, path, arena);
    for (size_t i = 0; found == NULL && a->kind == HUB_UNION && i < a->count; i++)
        found = difference_at(a->branches[i], b->branches[i], path, arena);
    for (size_t i = 0; found == NULL && a->kind == HUB_RECORD && i < a->count; i++) {
        const struct hub_field *x = &a->fields[i], *y = &b->fields[i];
        const char *own = *path == '\0' ? x->name
                                        : hub_arena_format(arena, "%s.%s", path, x->name);
        found = strcmp(x->name, y->name) != 0 ? own : difference_at(x->type, y->type, own, arena);
    }
    return found;
}

const char *hub_type_difference(const struct hub_type *a, const struct hub_type *b,
                                struct hub_arena *arena) {
    const char *path = difference_at(a, b, "", arena);
    return path == NULL || *path != '\0' ? path : "the record";
}
