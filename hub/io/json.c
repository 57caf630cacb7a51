#include "hub/io/json.h"

#include "hub/base/memory.h"

#include <jansson.h>
#include <stdlib.h>

void hub_json_open(void) {
    json_set_alloc_funcs(hub_allocate, free);
}
