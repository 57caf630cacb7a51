/* admit, for decisions: what operators wrote to the decision topic in, entries of the domains' logs
 * out. Stateless and pure.
 *
 * A decision goes under decision/<subject>; whether it can be taken is the fold's to say, here it is
 * only seen to be one. Rules of a domain, under the key rules/<domain>, go to every shard as an entry
 * `rules`, with one `remerge` for each part of the ids after it (hub/stages/rules_entry.h); what becomes of the key of
 * sealed fields, under erasure/, goes to the log of the domain that has them (hub/stages/erasure_entry.h). */
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

enum hub_admit_decided { HUB_ADMIT_DEAD = 0, HUB_ADMIT_DECIDED, HUB_ADMIT_RULED };

/* Log entries, which name their topic, or one dead letter. */
enum hub_admit_decided
hub_admit_decision(const struct hub_admit_decisions *decisions, const struct hub_input *input,
                   struct hub_outputs *outputs);

/* admit_rules.c: rules alone. HUB_REJECT, and what is wrong at which path. */
HUB_MUST_USE enum hub_status hub_admit_rules(const struct hub_admit_decisions *decisions,
                                             const struct hub_input *input,
                                             struct hub_outputs *outputs, const char **ret_path,
                                             struct hub_error *reterr);
