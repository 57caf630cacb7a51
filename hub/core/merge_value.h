/* One value of several: by the rules, unless they find a conflict that a person has decided. */
#pragma once

#include "hub/core/merge_check.h"

/* A merge that is under way. */
struct hub_merging {
    struct hub_merge_scope scope;
    struct hub_buffer *value;   /* merged so far */
    struct hub_buffer *scratch; /* of one call at a time */
    const struct hub_choice *choices;
    size_t choice_count;
    struct hub_conflicts conflicts;
};

/* Where a value stands: titles, titles[en], titles[en].text. Put together only for a conflict. */
struct hub_place {
    const char *field;
    const struct hub_field_contract *list; /* of an element; NULL for a field */
    struct hub_bytes element;              /* any of those with its key */
    const char *part;                      /* of an element, or NULL */
};

/* How an unstated field is written: its default, or null. */
struct hub_bytes hub_merging_unstated(const struct hub_field *field);

/* The index of the chosen one, of at least one; notes the conflict there is. `type` is that of the candidates. */
size_t hub_merging_choose(struct hub_merging *merging, const struct hub_field_contract *contract,
                          const struct hub_type *type, const struct hub_place *place,
                          const struct hub_candidates *candidates);

/* Appends what the candidates come to and says whose it is; keeps of them those that may speak. */
int hub_merging_one(struct hub_merging *merging, const struct hub_field_contract *contract,
                    const struct hub_place *place, struct hub_candidates *candidates);
