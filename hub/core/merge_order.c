#include "hub/core/merge_order.h"

#include "hub/core/equal.h"
#include "schemas/lib/slice.h"

#include <string.h>

static int order_of(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* What a text field or the `org` of an Organisation names, by any of its spellings. */
static const char *org_of(const struct hub_merge_scope *scope, const struct hub_type *type,
                          struct hub_bytes bytes) {
    type = hub_slice_stated(type, bytes, &bytes);
    if (type != NULL && type->kind == HUB_RECORD)
        type = hub_slice_path(type, bytes, "org", &bytes);
    return type == NULL ? NULL : hub_parties_org(scope->domain->parties, hub_slice_octets(bytes));
}

/* --- roles --- */

struct hub_merge_found {
    bool roles;        /* found, or being looked for */
    const char **orgs; /* per field: identifier of the organisation merged for it, or NULL */
    size_t **places;   /* of the voices, best 0: by the chain of rules; NULL where nobody has asked yet */
};

/* How voices stand may follow from it. */
static void set_role(const struct hub_merge_scope *scope, size_t field, const char *org) {
    scope->found->orgs[field] = org;
    memset(scope->found->places, 0, scope->domain->contract.count * sizeof *scope->found->places);
}

static void bind_role(const struct hub_merge_scope *scope, size_t field,
                      struct hub_candidates *stated) {
    const struct hub_field_contract *contract = &scope->domain->contract.fields[field];
    const struct hub_type *type = contract->field->type;
    size_t best = 0;
    hub_merge_stated(scope, field, stated);
    size_t count = hub_merge_admissible(scope, contract, stated->items, stated->count);
    if (count == 0)
        return;
    if (!stated->alike)
        best = hub_merge_choose(scope, contract, type, stated->items, count);
    set_role(scope, field, org_of(scope, type, stated->items[best].bytes));
}

/* One after the other: a role's own rules may name those before it. */
static void find_roles(const struct hub_merge_scope *scope) {
    const struct hub_contract *contract = &scope->domain->contract;
    struct hub_candidates stated = {
        .items = hub_arena_take(scope->arena, scope->voice_count * sizeof *stated.items)};
    scope->found->roles = true;
    for (size_t i = 0; i < contract->count; i++)
        if (contract->fields[i].is_role)
            bind_role(scope, i, &stated);
}

static const char *role_org(const struct hub_merge_scope *scope, int field) {
    if (!scope->found->roles)
        find_roles(scope);
    return scope->found->orgs[field];
}

void hub_merge_bind_role(struct hub_merge_scope *scope, size_t field,
                         const struct hub_candidate *candidate) {
    const struct hub_type *type = scope->domain->contract.fields[field].field->type;
    if (!scope->found->roles)
        find_roles(scope);
    set_role(scope, field, org_of(scope, type, candidate->bytes));
}

void hub_merge_bind_roles(struct hub_merge_scope *scope) {
    size_t count = scope->domain->contract.count;
    scope->found = hub_arena_take(scope->arena, sizeof *scope->found);
    *scope->found = (struct hub_merge_found){
        .orgs = hub_arena_take_zero(scope->arena, count, sizeof *scope->found->orgs),
        .places = hub_arena_take_zero(scope->arena, count, sizeof *scope->found->places)};
}

/* --- who is believed --- */

static const char *element_org(const struct hub_merge_scope *scope, size_t field) {
    const struct hub_type *type = scope->element_type;
    if (type == NULL)
        return NULL;
    return org_of(scope, type->fields[field].type, hub_slice_field(type, scope->element, field));
}

/* Of a voice that has an owner: registers are nobody's, and where only they speak nobody asks who a role is. */
static bool speaks_for(const struct hub_merge_scope *scope, const struct hub_voice *voice,
                       const struct hub_authority *authority) {
    const char *own = hub_parties_owner_org(scope->domain->parties, voice->system);
    const char *org = authority->kind == HUB_AUTHORITY_ROLE
                          ? role_org(scope, authority->role_field)
                          : element_org(scope, (size_t)authority->role_field);
    return org != NULL && strcmp(org, own) == 0;
}

static inline bool same_name(const char *a, const char *b) {
    return *a == *b && strcmp(a, b) == 0;
}

static inline bool is_believed(const struct hub_merge_scope *scope, const struct hub_authority *authority,
                        const struct hub_voice *voice) {
    switch (authority->kind) {
    case HUB_AUTHORITY_SYSTEM:
        return same_name(voice->system->name, authority->name);
    case HUB_AUTHORITY_INSTITUTION:
        return voice->system->owner != NULL && same_name(voice->system->owner, authority->name);
    case HUB_AUTHORITY_ROLE:
    case HUB_AUTHORITY_ELEMENT:;
    }
    return voice->system->owner != NULL && speaks_for(scope, voice, authority);
}

size_t hub_merge_authority_rank(const struct hub_merge_scope *scope, const struct hub_rule *rule,
                                size_t voice) {
    size_t rank = 0;
    while (rank < rule->authority_count &&
           !is_believed(scope, &rule->authorities[rank], &scope->voices[voice]))
        rank++;
    return rank;
}

bool hub_merge_is_believed(const struct hub_merge_scope *scope, const struct hub_rule *rule,
                           size_t voice) {
    return hub_merge_authority_rank(scope, rule, voice) < rule->authority_count;
}

static int64_t symbol_rank(const struct hub_rule *rule, const struct hub_type *type,
                           struct hub_bytes bytes) {
    struct hub_bytes symbol;
    const struct hub_type *symbols =
        hub_slice_path(type, bytes, rule->of == NULL ? "" : rule->of, &symbol);
    return symbols == NULL ? UINT16_MAX : rule->symbol_ranks[hub_slice_long(symbol)];
}

const struct hub_rule *hub_merge_shut_out(const struct hub_merge_scope *scope,
                                          const struct hub_field_contract *contract,
                                          const struct hub_candidate *candidate) {
    for (size_t i = 0; i < contract->rule_count; i++) {
        const struct hub_rule *rule = &contract->rules[i];
        bool guarded = rule->kind == HUB_RULE_AUTHORITY ? rule->only
                       : rule->kind == HUB_RULE_RESERVE
                           ? symbol_rank(rule, contract->field->type, candidate->bytes) == 0
                           : false;
        if (guarded && !hub_merge_is_believed(scope, rule, candidate->voice))
            return rule;
    }
    return NULL;
}

/* A number, or the first part of a Date or Time. */
static int64_t value_of(const struct hub_type *type, struct hub_bytes bytes) {
    type = hub_slice_stated(type, bytes, &bytes);
    if (type->kind == HUB_RECORD)
        bytes = hub_slice_field(type, bytes, 0);
    return hub_slice_long(bytes);
}

int hub_merge_compare_events(const struct hub_voice *a, const struct hub_voice *b) {
    if (a->has_event_time != b->has_event_time)
        return a->has_event_time ? -1 : 1;
    return a->has_event_time ? order_of(b->event_time_ms, a->event_time_ms) : 0;
}

static int compare_by_rule(const struct hub_merge_scope *scope, const struct hub_rule *rule,
                           const struct hub_type *type, const struct hub_candidate *a,
                           const struct hub_candidate *b) {
    const struct hub_voice *x = &scope->voices[a->voice], *y = &scope->voices[b->voice];
    switch (rule->kind) {
    case HUB_RULE_AUTHORITY:
        return order_of((int64_t)hub_merge_authority_rank(scope, rule, a->voice),
                        (int64_t)hub_merge_authority_rank(scope, rule, b->voice));
    case HUB_RULE_PRECEDENCE:
        return order_of(symbol_rank(rule, type, a->bytes), symbol_rank(rule, type, b->bytes));
    case HUB_RULE_LATEST:
        return hub_merge_compare_events(x, y);
    case HUB_RULE_EARLIEST:
        return hub_merge_compare_events(y, x);
    case HUB_RULE_MAX:
        return order_of(value_of(type, b->bytes), value_of(type, a->bytes));
    case HUB_RULE_MIN:
        return order_of(value_of(type, a->bytes), value_of(type, b->bytes));
    case HUB_RULE_AGREE:
    case HUB_RULE_RESERVE:;
    }
    return 0;
}

int hub_merge_compare(const struct hub_merge_scope *scope,
                      const struct hub_field_contract *contract, const struct hub_type *type,
                      const struct hub_candidate *a, const struct hub_candidate *b,
                      size_t *ret_rule) {
    size_t decided = 0;
    int order = 0;
    while (order == 0 && decided < contract->rule_count)
        order = compare_by_rule(scope, &contract->rules[decided++], type, a, b);
    if (order != 0) {
        decided--;
    } else {
        order = order_of((int64_t)scope->voices[a->voice].rank,
                         (int64_t)scope->voices[b->voice].rank);
        if (order == 0) {
            order = order_of((int64_t)a->voice, (int64_t)b->voice); /* voices are sorted by key */
            decided++;
        }
    }
    if (ret_rule != NULL)
        *ret_rule = decided;
    /* Two elements of one voice under one key: the smaller bytes, so that order plays no part. */
    return order != 0 ? order : hub_bytes_compare(a->bytes, b->bytes);
}

/* --- how the voices stand --- */

/* The smaller the better; the same for all where the rule does not rank whole statements. */
static int64_t standing(const struct hub_merge_scope *scope, const struct hub_rule *rule,
                        size_t voice) {
    const struct hub_voice *own = &scope->voices[voice];
    if (rule->kind == HUB_RULE_AUTHORITY)
        return (int64_t)hub_merge_authority_rank(scope, rule, voice);
    if (rule->kind == HUB_RULE_LATEST)
        return own->has_event_time ? ~own->event_time_ms : INT64_MAX;
    if (rule->kind == HUB_RULE_EARLIEST)
        return own->has_event_time ? own->event_time_ms : INT64_MIN;
    return 0;
}

static bool stands_before(const struct hub_merge_scope *scope, const int64_t *standings,
                          size_t rule_count, size_t a, size_t b) {
    const int64_t *x = standings + a * rule_count, *y = standings + b * rule_count;
    for (size_t i = 0; i < rule_count; i++)
        if (x[i] != y[i])
            return x[i] < y[i];
    if (scope->voices[a].rank != scope->voices[b].rank)
        return scope->voices[a].rank < scope->voices[b].rank;
    return a < b; /* voices are sorted by key */
}

/* By insertion: there are few. */
static size_t *place_voices(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract) {
    size_t count = scope->voice_count, rules = contract->rule_count;
    int64_t *standings = hub_arena_take(scope->arena, count * rules * sizeof *standings);
    size_t *places = hub_arena_take(scope->arena, 2 * count * sizeof *places);
    size_t *order = places + count;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (size_t k = 0; k < rules; k++)
            standings[i * rules + k] = standing(scope, &contract->rules[k], i);
        for (; at > 0 && stands_before(scope, standings, rules, i, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t i = 0; i < count; i++)
        places[order[i]] = i;
    return places;
}

/* Fields whose rules say the same of statements share them. */
static const size_t *places_of(const struct hub_merge_scope *scope,
                               const struct hub_field_contract *contract) {
    if (scope->found->places[contract->chain] == NULL) {
        size_t *places = place_voices(scope, contract); /* which may look for roles, and forget places */
        scope->found->places[contract->chain] = places;
    }
    return scope->found->places[contract->chain];
}

size_t hub_merge_first(const struct hub_merge_scope *scope,
                       const struct hub_field_contract *contract,
                       const struct hub_candidates *candidates) {
    size_t first = candidates->items[0].voice;
    if (candidates->count == 1)
        return first;
    const size_t *places = places_of(scope, contract);
    for (size_t i = 1; i < candidates->count; i++)
        if (places[candidates->items[i].voice] < places[first])
            first = candidates->items[i].voice;
    return first;
}

/* As hub_merge_compare, which is asked where it matters what they say. */
static bool comes_before(const struct hub_merge_scope *scope,
                         const struct hub_field_contract *contract, const struct hub_type *type,
                         const struct hub_candidate *a, const struct hub_candidate *b) {
    if (!contract->by_voice)
        return hub_merge_compare(scope, contract, type, a, b, NULL) < 0;
    const size_t *places = places_of(scope, contract);
    return a->voice == b->voice ? hub_bytes_compare(a->bytes, b->bytes) < 0
                                : places[a->voice] < places[b->voice];
}

/* --- choosing --- */

size_t hub_merge_admissible(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract,
                            struct hub_candidate *candidates, size_t count) {
    const struct hub_type *type = contract->field->type;
    size_t kept = 0;
    if (!contract->shuts_out) /* the common case */
        return count;
    bool may_be_empty = type->kind == HUB_ARRAY || hub_type_null_branch(type) >= 0 ||
                        contract->field->has_default;
    for (size_t i = 0; i < count; i++) {
        struct hub_candidate candidate = candidates[i];
        if (hub_merge_shut_out(scope, contract, &candidate) != NULL)
            continue;
        memmove(&candidates[kept + 1], &candidates[kept], (i - kept) * sizeof *candidates);
        candidates[kept++] = candidate;
    }
    return kept > 0 || may_be_empty ? kept : count;
}

/* Of those that `best` yields to, the first by the rules; `best` itself where there is none. */
static size_t more_exact(const struct hub_merge_scope *scope,
                         const struct hub_field_contract *contract, const struct hub_type *type,
                         const struct hub_candidate *candidates, size_t count, size_t best) {
    size_t exact = best;
    for (size_t i = 0; i < count; i++) {
        if (hub_bytes_equal(candidates[best].bytes, candidates[i].bytes)) /* the common case */
            continue;
        bool finer =
            hub_value_yields(contract, type, candidates[best].bytes, candidates[i].bytes);
        bool better = finer && (exact == best || comes_before(scope, contract, type, &candidates[i],
                                                              &candidates[exact]));
        if (better)
            exact = i;
    }
    return exact;
}

size_t hub_merge_choose(const struct hub_merge_scope *scope,
                        const struct hub_field_contract *contract, const struct hub_type *type,
                        const struct hub_candidate *candidates, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (comes_before(scope, contract, type, &candidates[i], &candidates[best]))
            best = i;
    if (!contract->may_yield)
        return best;
    size_t exact = more_exact(scope, contract, type, candidates, count, best);
    while (exact != best) { /* a year yields to a month, and that to a day */
        best = exact;
        exact = more_exact(scope, contract, type, candidates, count, best);
    }
    return best;
}

/* --- whose a conflict is --- */

static const char *owner_by(const struct hub_merge_scope *scope,
                            const struct hub_authority *authority) {
    const struct hub_parties *parties = scope->domain->parties;
    const char *org = NULL, *owner = NULL;
    if (authority->kind == HUB_AUTHORITY_ROLE)
        org = role_org(scope, authority->role_field);
    else if (authority->kind == HUB_AUTHORITY_ELEMENT)
        org = element_org(scope, (size_t)authority->role_field);
    for (size_t i = 0; org != NULL && i < parties->institution_count; i++)
        if (strcmp(parties->institutions[i].org, org) == 0)
            return parties->institutions[i].name;
    for (size_t i = 0; owner == NULL && i < scope->voice_count; i++)
        if (is_believed(scope, authority, &scope->voices[i]))
            owner = scope->voices[i].system->owner;
    return owner;
}

const char *hub_merge_owner(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract) {
    const char *owner = NULL;
    for (size_t i = 0; owner == NULL && i < contract->rule_count; i++) {
        const struct hub_rule *rule = &contract->rules[i];
        for (size_t k = 0; owner == NULL && k < rule->authority_count; k++)
            owner = owner_by(scope, &rule->authorities[k]);
    }
    return owner;
}
