/* Conflicts that are not of values against each other: what one statement may not say, or does not
 * say alone. */
#pragma once

#include "hub/core/merge_order.h"

/* Found so far, in the arena. */
struct hub_conflicts {
    struct hub_arena *arena;
    struct hub_conflict_found *items;
    size_t count, capacity;
};

struct hub_conflict_found *hub_conflicts_add(struct hub_conflicts *conflicts);
/* The chosen one first, then by text. */
void hub_conflict_values_sort(struct hub_conflict_value *values, size_t count);

/* All that is stated for a field: first the `kept` ones, then those that a rule shuts out. */
struct hub_claims {
    const struct hub_field_contract *contract;
    const struct hub_candidate *stated;
    size_t kept, count;
    struct hub_bytes merged;
    int source; /* of the merged value */
};

/* UNFOUNDED, ":claim": a value that its statement is shut out from saying (`only`, `reserve`) is a
 * conflict unless one whom the rule believes says the same; of a state that is compared by what is
 * reachable, the same or what only comes after it. */
void hub_merge_check_claims(const struct hub_merge_scope *scope, const struct hub_claims *claims,
                            struct hub_conflicts *conflicts);

/* UNFOUNDED, ":needs-FIELD": the field is stated, and the one that hub:requires names is not. */
void hub_merge_check_needs(const struct hub_merge_scope *scope, const struct hub_merged *merged,
                           struct hub_conflicts *conflicts);

/* A step that the life cycle does not allow is reported of the statement that took it. */
void hub_merge_check_steps(const struct hub_merge_scope *scope, struct hub_conflicts *conflicts);
