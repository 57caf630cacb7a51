/* What a statement claims about identity: its SELF identifiers of schemes that may join. */
#pragma once

#include "schemas/lib/domain.h"

struct hub_claim {
    int scheme;           /* index in the schemes */
    int strength;         /* in this domain, best 0 */
    bool exclusive;       /* one value of `group` an entity */
    struct hub_bytes text;  /* scheme:value or scheme:issuer:value: one text, one identifier */
    struct hub_bytes group; /* scheme: or scheme:issuer: */
    bool ambiguous; /* the statement gives another value of the same exclusive group, so it states
                       neither */
};

/* Reads the claims from an accepted `identifiers` field, sorted by text, each once. Everything in
 * the arena. */
void hub_claims_read(const struct hub_domain *domain, struct hub_bytes identifiers,
                     struct hub_arena *arena, struct hub_claim **ret_claims, size_t *ret_count);
