/* What an entity came to before, and what of that it still comes to. */
#pragma once

#include "hub/core/merge_order.h"

/* Per field, in the arena: the rules come to what they came to before, and to the same conflicts. */
const bool *hub_merge_find_kept(const struct hub_merge_scope *scope,
                                const struct hub_merge_before *before);
