#include "schemas/lib/sealed.h"

#include <string.h>

bool hub_sealed_is(const struct hub_type *type) {
    type = hub_type_stated(type);
    while (type->kind == HUB_ARRAY)
        type = hub_type_stated(type->items);
    return type->kind == HUB_RECORD && strcmp(type->name, HUB_SEALED_NAME) == 0;
}
