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
