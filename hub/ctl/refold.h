/* Folding a log again, and comparing with what was published. */
#pragma once

#include "hub/ctl/source.h"

struct hub_ctl_refolded {
    size_t compared, compacted, differences; /* records */
};

/* Of all shards of a domain; with `tells` the first ten differences of each are printed. False where Kafka or the
 * archive could not be read, which has been said. */
bool hub_ctl_refold_domain(struct hub_ctl *ctl, struct hub_source *source,
                           const struct hub_domain *domain, bool tells,
                           struct hub_ctl_refolded *ret_refolded);
