/* Defaults: a JSON value in a schema, checked against its type and encoded once. */
#pragma once

#include "hub/base/bytes.h"
#include "schemas/lib/node.h"
#include "schemas/lib/type.h"

/* Appends the Avro encoding of a default. A union's default is a value of its first branch; bytes
 * and fixed are texts whose code points 0 to 255 are the bytes (Avro 1.11, "Complex Types").
 * HUB_FATAL with the place where the value does not fit the type. */
HUB_MUST_USE enum hub_status hub_load_default(const struct hub_type *type,
                                              const struct hub_node *value,
                                              struct hub_buffer *encoded,
                                              struct hub_error *reterr);
