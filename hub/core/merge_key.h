/* By what the elements of a list are told apart. */
#pragma once

#include "hub/core/merge_value.h"

/* The key of an element: of a list with plain keys, its parts where they stand; else its text, as the only one. */
struct hub_element_key {
    struct hub_bytes parts[HUB_PLAIN_KEYS_MAX];
};

void hub_element_key_read(struct hub_merging *merging, const struct hub_field_contract *list,
                          struct hub_bytes element, struct hub_element_key *ret_key);

/* As their texts (hub_element_key_text), which need not be made for it. */
int hub_element_keys_compare(const struct hub_field_contract *list, const struct hub_element_key *a,
                             const struct hub_element_key *b);

/* In the arena. */
struct hub_bytes hub_element_key_text(struct hub_merging *merging,
                                      const struct hub_field_contract *list,
                                      struct hub_bytes element);
