/* Lists that are united by the keys of their elements. */
#pragma once

#include "hub/core/merge_value.h"

/* A list is of nobody, of the one who states it, or of several. */
int hub_merging_source(const struct hub_candidates *lists);

/* Appends the merged list; keeps of the lists those that may speak. `ret_settled`: it is the same in whatever order
 * the voices are believed. */
void hub_merging_union(struct hub_merging *merging, const struct hub_field_contract *contract,
                       struct hub_candidates *lists, bool *ret_settled);
