/* Compiling annotations: those that stand on a field, and those between records. */
#pragma once

#include "schemas/lib/domain.h"

struct hub_domain_loader {
    struct hub_arena *arena;
    struct hub_domain *domain; /* so far: its schemes, parties and schema */
    struct hub_error *reterr;
    const struct hub_type *elements; /* of the union whose rules are read, else NULL */
    const int *element_keys;         /* its key fields */
    size_t element_key_count;
};

HUB_MUST_USE enum hub_status hub_domain_load_severity(struct hub_domain_loader *loader,
                                                      const struct hub_node *node,
                                                      enum hub_severity *ret_severity);
HUB_MUST_USE enum hub_status hub_domain_load_merge(struct hub_domain_loader *loader,
                                                   const struct hub_node *node,
                                                   struct hub_field_contract *contract);
/* A missing annotation means exact. Needs the life cycle to be loaded before. */
HUB_MUST_USE enum hub_status hub_domain_load_equal(struct hub_domain_loader *loader,
                                                   const struct hub_node *node,
                                                   struct hub_field_contract *contract);
HUB_MUST_USE enum hub_status hub_domain_load_lifecycle(struct hub_domain_loader *loader,
                                                       const struct hub_node *node,
                                                       struct hub_field_contract *contract);

/* domain_between.c: what one record says of another. */
HUB_MUST_USE enum hub_status hub_domain_load_exclusive(struct hub_domain_loader *loader,
                                                       const struct hub_node *node);

/* NULL where the field has none. */
HUB_MUST_USE enum hub_status hub_domain_load_requires(struct hub_domain_loader *loader,
                                                      const struct hub_node *node, bool top,
                                                      struct hub_field_contract *contract);

/* The list on the field `links`; NULL for none. What it says of the other domains is checked once all
 * of them are there (references.h). */
HUB_MUST_USE enum hub_status hub_domain_load_references(struct hub_domain_loader *loader,
                                                        const struct hub_node *list);

/* The field of the record that `key` names. */
HUB_MUST_USE enum hub_status hub_domain_need_field(struct hub_domain_loader *loader,
                                                   const struct hub_node *node, const char *key,
                                                   int *ret_field);
