/* refer: what one shard of a domain refers to in others, and the facts about it that stand in its
 * log. Statements in, ref/ entries of the same log out.
 *
 * It is level-triggered: wherever the fact now is not the one that was written last, it is written;
 * how it became so plays no part. What was referred to once is followed for good, also when nobody
 * refers to it any more: so that whoever does next finds the fact as it is. Pure. */
#pragma once

#include "hub/stages/entry.h"
#include "hub/stages/facts.h"

/* `read` entries of the log; `facts` written to it. */
struct hub_refer_counts {
    int64_t read, facts;
};

struct hub_refer;

struct hub_refer *hub_refer_new(const struct hub_catalogue *catalogue,
                                const struct hub_domain *domain, int32_t partition);
void hub_refer_free(struct hub_refer *refer); /* NULL is fine */

/* Loading: every entry of the log, also those that were not taken yet: a fact in it is written. */
HUB_MUST_USE enum hub_status hub_refer_load(struct hub_refer *refer, const struct hub_input *entry,
                                            struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_refer_entry(struct hub_refer *refer,
                                             const struct hub_input *entry,
                                             struct hub_error *reterr);

/* Whether something of the domain (by its place in the catalogue) is referred to. */
bool hub_refer_wants(const struct hub_refer *refer, size_t domain);
/* The fact may be another one now. */
void hub_refer_touch(struct hub_refer *refer, size_t domain, const char *identifier);
/* Whether there is something to compare. */
bool hub_refer_is_due(const struct hub_refer *refer);
/* Compares, and writes the facts that are others. `facts` by the domains' places in the catalogue,
 * each as of the end of its topic when what is compared was referred to, or later; NULL for what
 * nobody wanted yet, which is left for the next time. */
void hub_refer_flush(struct hub_refer *refer, struct hub_facts *const *facts,
                     struct hub_outputs *outputs);

const struct hub_refer_counts *hub_refer_counts(const struct hub_refer *refer);
void hub_refer_set_counts(struct hub_refer *refer, const struct hub_refer_counts *counts);
