/* References between domains, checked once all of them are loaded. */
#pragma once

#include "schemas/lib/domain.h"

/* Refused with file, line and what would pass: a reference to a domain that there is not or that has
 * several shards, to a field that its record has not or that is no enum, to a symbol that the enum
 * has not, and references that make a circle. */
HUB_MUST_USE enum hub_status hub_references_check(const struct hub_domain *domains, size_t count,
                                                  struct hub_error *reterr);
