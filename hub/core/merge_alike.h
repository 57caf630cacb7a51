/* Whose a value is that all who state it say alike. Of equal values none is chosen for what it is: it follows from an
 * order of the voices, which fields with the same rules share. */
#pragma once

#include "hub/core/merge_order.h"

struct hub_alike {
    const struct hub_merge_scope *scope; /* with its roles */
    size_t **places; /* of the voices, best 0: by the chain of their rules; NULL where nobody has asked yet */
};

/* Lives as long as the scope's arena. */
struct hub_alike hub_alike_new(const struct hub_merge_scope *scope);

/* The voice of the first of these candidates: at least one, all the same bytes. The contract is of the record. */
size_t hub_alike_first(struct hub_alike *alike, const struct hub_field_contract *contract,
                       const struct hub_candidates *candidates);
