/* What becomes of the key of a subject's sealed fields, as entries of the log, as in schemas/hub/erasure.avsc.
 *
 * In the topic of decisions under erasure/<domain>/<key id>, in the domain's log under erasure/<key id>: so that of each
 * key the newest step stays, and whoever audits the log sees since when what it had sealed can be read by nobody. No
 * record changes by it: the sealed bytes stay what they are. */
#pragma once

#include "hub/stages/admit_decision.h"

#define HUB_ERASURE_PREFIX "erasure/"

/* The symbols of ErasureStep, in order. */
enum hub_erasure_step {
    HUB_ERASURE_HELD = 0,
    HUB_ERASURE_RELEASED,
    HUB_ERASURE_BEGUN,
    HUB_ERASURE_ERASED,
    HUB_ERASURE_STEPS
};

struct hub_erasure_entry {
    const char *domain, *key_id;
    enum hub_erasure_step step;
    const char *basis; /* of BEGUN and ERASED; else NULL */
    const char *reason, *decided_by;
    int64_t decided_time_ms;
};

bool hub_erasure_entry_is(const struct hub_input *entry);

/* Appends the entry as a framed message, and the key of its record in the topic of decisions. */
void hub_erasure_entry_encode(const struct hub_erasure_entry *entry,
                              const struct hub_catalogue *catalogue, struct hub_buffer *message);
void hub_erasure_entry_append_key(const struct hub_erasure_entry *entry, struct hub_buffer *key);

/* admit, for these alone. HUB_REJECT, and what is wrong at which path. */
HUB_MUST_USE enum hub_status hub_admit_erasure(const struct hub_admit_decisions *decisions,
                                               const struct hub_input *input,
                                               struct hub_outputs *outputs, const char **ret_path,
                                               struct hub_error *reterr);
