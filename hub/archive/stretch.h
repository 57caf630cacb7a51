/* The part of a partition's log that a stretch of time asks for.
 *
 * Where a clock was set back, what is of that time and what is not take turns: the part reaches from the
 * first record that is of it to the last. Nothing is passed over on a file's word: the tiles are held
 * against what was signed, and each entry before and after the part against its tile. */
#pragma once

#include "hub/archive/checkpoint.h"

struct hub_stretch_config {
    const char *folder; /* of the log */
    const struct hub_note_key *key;
    uint64_t size;          /* of the log, at one of its checkpoints; 0: at its last */
    int64_t from_ms, to_ms; /* the time [from, to) */
};

struct hub_stretch {
    struct hub_checkpoint checkpoint; /* of that size */
    uint64_t first, end;              /* records [first, end) */
};

/* HUB_REJECT where the log is not what was signed, or is smaller; HUB_FATAL where it cannot be read. */
HUB_MUST_USE enum hub_status hub_stretch_find(const struct hub_stretch_config *config,
                                           struct hub_stretch *ret_stretch, struct hub_error *reterr);
