/* One name, one definition: a type that several schemas use is written the same way in each, so
 * that a consumer who knows it from one topic knows it from all. */
#pragma once

#include "schemas/lib/type.h"

/* HUB_FATAL, naming both places, where two of the schemas define one full name differently: in
 * structure, documentation, defaults or annotations. */
HUB_MUST_USE enum hub_status hub_names_check(const struct hub_schema *const *schemas, size_t count,
                                             struct hub_error *reterr);
