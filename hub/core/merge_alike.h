/* Fields in which all who state them say the same, which are most. Nobody contradicts anybody there, and of equal
 * values none is chosen for what it is: whose it is follows from an order of the voices, which fields with the
 * same rules share. */
#pragma once

#include "hub/core/merge_order.h"

struct hub_alike {
    const struct hub_merge_scope *scope; /* with its roles */
    size_t **orders; /* of the voices, best first: by the chain of their rules; NULL where nobody has asked yet */
};

/* Lives as long as the scope's arena. */
struct hub_alike hub_alike_new(const struct hub_merge_scope *scope);

/* Whether all who state the field say the same, and nobody is shut out; then what that is, and whose. Where nobody
 * states it the source is HUB_SOURCE_NONE and the value nothing. Not for lists that are merged by their elements. */
bool hub_alike_find(struct hub_alike *alike, size_t field, struct hub_bytes *ret_value,
                    int *ret_source);
