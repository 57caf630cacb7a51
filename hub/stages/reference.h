/* Links to things of other domains, as the rules of hub:reference mean them. */
#pragma once

#include "hub/base/memory.h"
#include "schemas/lib/domain.h"

/* The key of a fact's entry in the log: ref/<domain>/<identifier>. */
#define HUB_FACT_PREFIX "ref/"

struct hub_link {
    const char *fact; /* trial/nct:NCT05635409 */
    struct hub_bytes domain, role;
    struct hub_bytes element; /* the whole link */
};

/* The links of a statement that some reference of its domain means, in the arena; returns how
 * many. Only an identifier of relation SELF says what a thing is. */
size_t hub_links_read(const struct hub_domain *domain, struct hub_bytes body,
                      const uint32_t *starts, struct hub_arena *arena,
                      struct hub_link **ret_links);

bool hub_reference_means(const struct hub_reference *reference, const struct hub_link *link);

/* nct:NCT05635409, or lot:ror:05xvt9f17:LS-1 where there is an issuer; NULL where the relation is
 * not SELF. */
const char *hub_identifier_name(const struct hub_type *type, struct hub_bytes identifier,
                                struct hub_arena *arena);
