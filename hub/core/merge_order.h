/* Which of two statements is believed for a field. */
#pragma once

#include "hub/core/merge.h"
#include "schemas/lib/slice.h"

/* A value that a voice states for a field or an element. */
struct hub_candidate {
    size_t voice;
    struct hub_bytes bytes;
};

/* What is stated for a field, by voice. */
struct hub_candidates {
    struct hub_candidate *items;
    size_t count;
    bool alike; /* all the same bytes */
};

/* What the order may ask beside the candidates themselves. */
struct hub_merge_scope {
    const struct hub_domain *domain;
    const struct hub_voice *voices;
    size_t voice_count;
    struct hub_arena *arena;
    struct hub_merge_found *found; /* what was asked for so far: whom roles name, how the voices stand */
    /* While elements of one key are merged: one of them; all name the same in their key fields. */
    const struct hub_type *element_type; /* or NULL */
    struct hub_bytes element;
};

/* What the voices state for a field of the record; `items` has room for all of them. Here, as it is most of what a
 * merge does. */
static inline __attribute__((always_inline)) void
hub_merge_stated(const struct hub_merge_scope *scope, size_t field,
                 struct hub_candidates *candidates) {
    const struct hub_type *type = scope->domain->contract.fields[field].field->type;
    struct hub_candidate *next = candidates->items;
    bool alike = true;
    for (size_t i = 0; i < scope->voice_count; i++) {
        const struct hub_voice *voice = &scope->voices[i];
        struct hub_bytes bytes =
            hub_bytes_part(voice->body, voice->starts[field], voice->starts[field + 1]);
        if (hub_slice_is_unstated(type, bytes))
            continue;
        alike = alike && (next == candidates->items || hub_bytes_equal(next[-1].bytes, bytes));
        *next++ = (struct hub_candidate){i, bytes};
    }
    candidates->count = (size_t)(next - candidates->items);
    candidates->alike = alike;
}

/* Negative where `a` comes first. `type` is the candidates' declared type. `ret_rule` (may be NULL)
 * is the index of the rule that decided, the rule count for the system's rank, one more for the
 * key. Never 0 for candidates of different voices. */
int hub_merge_compare(const struct hub_merge_scope *scope,
                      const struct hub_field_contract *contract, const struct hub_type *type,
                      const struct hub_candidate *a, const struct hub_candidate *b,
                      size_t *ret_rule);

/* The later event first; a voice without an event's time is the oldest. */
int hub_merge_compare_events(const struct hub_voice *a, const struct hub_voice *b);

/* Which of the rule's authorities the voice is of, or their count. */
size_t hub_merge_authority_rank(const struct hub_merge_scope *scope, const struct hub_rule *rule,
                                size_t voice);

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

/* Before anything else is asked. Whom `role:` rules name is as the rules choose: looked for when one first asks. */
void hub_merge_bind_roles(struct hub_merge_scope *scope);
/* From now on the role is what this candidate names. */
void hub_merge_bind_role(struct hub_merge_scope *scope, size_t field,
                         const struct hub_candidate *candidate);

/* The voice of the first of these candidates: at least one, all the same bytes, so that none is chosen for what it
 * is. */
size_t hub_merge_first(const struct hub_merge_scope *scope,
                       const struct hub_field_contract *contract,
                       const struct hub_candidates *candidates);

/* The best candidate; `count` is at least 1. A date yields to a more exact one that agrees. */
size_t hub_merge_choose(const struct hub_merge_scope *scope,
                        const struct hub_field_contract *contract, const struct hub_type *type,
                        const struct hub_candidate *candidates, size_t count);
