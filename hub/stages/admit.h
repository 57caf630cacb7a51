/* admit: source records in, an ordered log out.
 *
 * For each record of an ingest topic it decides: valid? new, changed, unchanged, late, withdrawn?
 * which shard? An accepted statement becomes an entry of the domain's log under
 * <institution>/<system>/<source id>; a late one goes under late/..., so that the entry under a
 * key is always the statement in force. What is refused becomes a dead letter with its original
 * bytes. Its whole state is what it publishes in the admitted topic.
 *
 * Pure: one input gives one defined list of outputs. */
#pragma once

#include "hub/base/digest.h"
#include "hub/stages/entry.h"
#include "hub/stages/store.h"
#include "schemas/lib/catalogue.h"

#include <stdint.h>

/* What became of the records: `read` is the sum of the others. */
struct hub_admit_counts {
    int64_t read, created, changed, unchanged, late, withdrawn, moved, dead;
    int64_t security; /* of the dead, those that claimed another institution */
};

struct hub_admit_config {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    const char *institution; /* as the topic's name says */
    const struct hub_digester *digester;
    int32_t shard_count; /* partitions of the domain's log */
    const char *topic;   /* the ingest topic, for dead letters */
    int32_t partition;
};

/* The state of one partition of one ingest topic. */
struct hub_admit;

struct hub_admit *hub_admit_new(const struct hub_admit_config *config);
void hub_admit_free(struct hub_admit *admit); /* NULL is fine */

/* Loading: every record of the partition of the admitted topic in offset order (or, of each key, the
 * last), before the first record is decided about. It is put away, and read when its key comes. */
void hub_admit_load(struct hub_admit *admit, struct hub_bytes key, struct hub_bytes value);
/* What need not be loaded: admit asks for it, by the one hook of a key. The store outlives the stage, and
 * has of each key the last record; what is loaded is newer. */
void hub_admit_set_store(struct hub_admit *admit, const struct hub_store *store);
uint64_t hub_admit_hook(struct hub_bytes key);
/* Source records that are in memory. */
size_t hub_admit_awake(const struct hub_admit *admit);
/* Between two records: lets go of them, and asks the store, which has the last record of each. */
void hub_admit_let_sleep(struct hub_admit *admit, const struct hub_store *store);

/* Source records of which something was published since they were given last, and the last record of each, as
 * the admitted topic has it; none is fresh then. A key and a value live as long as the call. */
size_t hub_admit_fresh(const struct hub_admit *admit);
void hub_admit_give_fresh(struct hub_admit *admit,
                          void (*take)(void *context, struct hub_bytes key, struct hub_bytes value),
                          void *context);

/* Decides about one record. Content that is refused is an output, not an error. HUB_FATAL where what was
 * loaded is not what admit has published: damage. HUB_RETRY where the store says so. Then there is no
 * output, and nothing counts. */
HUB_MUST_USE enum hub_status hub_admit_record(struct hub_admit *admit,
                                              const struct hub_input *input,
                                              struct hub_outputs *outputs,
                                              struct hub_error *reterr);

const struct hub_admit_counts *hub_admit_counts(const struct hub_admit *admit);
/* Continues counting from what was committed. */
void hub_admit_set_counts(struct hub_admit *admit, const struct hub_admit_counts *counts);

/* The shard of a value of the domain's shard field (0 where the domain has one shard). The value is
 * normalised by the organisations' spellings first. */
int32_t hub_admit_shard(const struct hub_domain *domain, const struct hub_digester *digester,
                        struct hub_bytes value, int32_t shard_count);
