/* What a statement claims about identity: its SELF identifiers of schemes that may join, and its
 * UNVERIFIED ones that might. */
#pragma once

#include "schemas/lib/domain.h"

struct hub_claim {
    int scheme;           /* index in the schemes */
    int strength;         /* in this domain, best 0 */
    bool exclusive;       /* one value of `group` an entity */
    /* scheme:value or scheme:issuer/value; in the issuer / is %2F and % is %25. One text, one
     * identifier, whatever characters issuer and value hold. */
    struct hub_bytes text;
    struct hub_bytes group; /* scheme: or scheme:issuer/ */
    bool ambiguous; /* the statement gives another value of the same exclusive group, so it states
                       neither */
    /* Not SELF but UNVERIFIED: it may be the thing's number, and it joins nothing. */
    bool doubtful;
};

/* Reads the claims from an accepted `identifiers` field, sorted by text, each once (doubtful only
 * where nowhere SELF). Everything in the arena.
 *
 * What is UNVERIFIED is often of no scheme that identifies: `other`, because whoever mapped it did
 * not expect it or it failed a check. It is a doubtful claim of each identifying scheme with a
 * pattern that it fits in normal form, even where it fails its check, or fits but for one character
 * in the place of a digit, which is then written `?`. Placeholders are nobody's number. */
void hub_claims_read(const struct hub_domain *domain, struct hub_bytes identifiers,
                     struct hub_arena *arena, struct hub_claim **ret_claims, size_t *ret_count);
