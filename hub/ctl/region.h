/* All statements in force that identifiers or decisions connect with an entity, clustered again by
 * the same core. */
#pragma once

#include "hub/core/claims.h"
#include "hub/core/identity.h"
#include "hub/ctl/explain.h"

/* What a person decided about two statements. */
struct hub_ctl_decided {
    size_t a, b; /* voices */
    bool same;
    const char *by, *reason, *subject;
    int64_t offset;
};

struct hub_ctl_region {
    struct hub_ctl_voices voices;
    struct hub_claim **claims; /* of each voice; ambiguous ones too */
    size_t *claim_counts;
    const char **identifiers; /* by dense number, as the claims' texts */
    size_t identifier_count;
    const char **groups;
    size_t group_count;
    struct hub_ctl_decided *decided;
    size_t decided_count, decided_capacity;
    json_t *matches; /* latest of the domain */
    struct hub_identity_result result;
};

/* Of the entity, and of the second one where there is one. False where it could not be read, or is
 * too large to be shown, which has been said. To be closed in any case. */
bool hub_ctl_region_open(const struct hub_ctl_explaining *explaining,
                         struct hub_ctl_region *region);
void hub_ctl_region_close(struct hub_ctl_region *region);
/* The decision about two voices; NULL where there is none. */
const struct hub_ctl_decided *hub_ctl_region_decided(const struct hub_ctl_region *region, size_t a,
                                                     size_t b);
