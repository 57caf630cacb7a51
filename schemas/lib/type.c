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
        for (size_t i = 0; i < record->count; i++)
            if (strcmp(record->fields[i].name, name) == 0)
                return (int)i;
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

static bool same_children(const struct hub_type *a, const struct hub_type *b) {
    for (size_t i = 0; i < a->count; i++) {
        switch (a->kind) {
        case HUB_RECORD:
            if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
                !hub_types_same_wire(a->fields[i].type, b->fields[i].type))
                return false;
            break;
        case HUB_ENUM:
            if (strcmp(a->symbols[i], b->symbols[i]) != 0)
                return false;
            break;
        default:
            if (!hub_types_same_wire(a->branches[i], b->branches[i]))
                return false;
            break;
        }
    }
    return true;
}

bool hub_types_same_wire(const struct hub_type *a, const struct hub_type *b) {
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case HUB_NULL:
    case HUB_BOOLEAN:
    case HUB_INT:
    case HUB_LONG:
    case HUB_FLOAT:
    case HUB_DOUBLE:
    case HUB_BYTES:
    case HUB_STRING:
        return true;
    case HUB_FIXED:
        return a->fixed_size == b->fixed_size;
    case HUB_ARRAY:
    case HUB_MAP:
        return hub_types_same_wire(a->items, b->items);
    case HUB_ENUM:
    case HUB_UNION:
    case HUB_RECORD:
        return a->count == b->count && same_children(a, b);
    }
    return false;
}
