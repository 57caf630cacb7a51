/* Which of two statements is believed for a field. */
#pragma once

#include "hub/core/merge.h"

/* A value that a voice states for a field or an element. */
struct hub_candidate {
    size_t voice;
    struct hub_bytes bytes;
};

/* What the order may ask beside the candidates themselves. */
struct hub_merge_scope {
    const struct hub_domain *domain;
    const struct hub_voice *voices;
    size_t voice_count;
    struct hub_arena *arena;
    const char **role_orgs; /* per field: identifier of the organisation merged for it, or NULL */
    /* While elements of one key are merged: one of them; all name the same in their key fields. */
    const struct hub_type *element_type; /* or NULL */
    struct hub_bytes element;
};

/* Negative where `a` comes first. `type` is the candidates' declared type. `ret_rule` (may be NULL)
 * is the index of the rule that decided, the rule count for the system's rank, one more for the
 * key. Never 0 for candidates of different voices. */
int hub_merge_compare(const struct hub_merge_scope *scope,
                      const struct hub_field_contract *contract, const struct hub_type *type,
                      const struct hub_candidate *a, const struct hub_candidate *b,
                      size_t *ret_rule);

/* The rule that shuts a candidate out, `only` its voice or `reserve` what it says; NULL for none.
 * The candidate is of the whole field. */
const struct hub_rule *hub_merge_shut_out(const struct hub_merge_scope *scope,
                                          const struct hub_field_contract *contract,
                                          const struct hub_candidate *candidate);

/* Whether the rule believes the voice: it is of one of its authorities. */
bool hub_merge_is_believed(const struct hub_merge_scope *scope, const struct hub_rule *rule,
                           size_t voice);

/* Moves those that may speak to the front and returns how many: all that no rule shuts out; where
 * that is nobody and the field must have a value, all of them. Both parts keep their order. */
size_t hub_merge_admissible(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract,
                            struct hub_candidate *candidates, size_t count);

/* The institution that the field's rules name first: one that stands in the record as a role, or
 * one with a system of its own among the voices. A register is nobody's. NULL for none. */
const char *hub_merge_owner(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract);

/* Resolves the organisations that `role:` rules name, as the rules choose among them. */
void hub_merge_bind_roles(struct hub_merge_scope *scope);
/* The role is what this candidate names. */
void hub_merge_bind_role(struct hub_merge_scope *scope, size_t field,
                         const struct hub_candidate *candidate);

/* The best candidate; `count` is at least 1. A date yields to a more exact one that agrees. */
size_t hub_merge_choose(const struct hub_merge_scope *scope,
                        const struct hub_field_contract *contract, const struct hub_type *type,
                        const struct hub_candidate *candidates, size_t count);
