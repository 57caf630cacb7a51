/* The unified schema of a domain is generated: the pattern in hub/unified.avsc, with the domain's
 * record as value and a record of the same field names as sources. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

/* Appends the schema text. HUB_FATAL where one of the two is not a record schema. */
HUB_MUST_USE enum hub_status hub_unified_generate(struct hub_bytes pattern, struct hub_bytes domain,
                                                  struct hub_buffer *ret_text,
                                                  struct hub_error *reterr);
