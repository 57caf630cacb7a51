/* admit, for decisions: what operators wrote to the decision topic in, entries of the domains' logs
 * out, under decision/<subject>. Whether a decision can be taken is the fold's to say; here it is
 * only seen to be one. Stateless and pure. */
#pragma once

#include "hub/base/digest.h"
#include "hub/stages/entry.h"
#include "schemas/lib/catalogue.h"

struct hub_admit_decisions {
    const struct hub_catalogue *catalogue;
    const struct hub_digester *digester;
    const char *topic;
    int32_t (*shard_count)(const struct hub_domain *domain); /* partitions of a domain's log */
};

/* One log entry, which names its topic, or one dead letter. True for the entry. */
bool hub_admit_decision(const struct hub_admit_decisions *decisions, const struct hub_input *input,
                        struct hub_outputs *outputs);
