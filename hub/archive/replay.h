/* What happened, in its order: the records of several partitions' logs of a stretch of time, merged by time of
 * append, then topic, then partition. In a partition its own order holds, also where the clock was set back: a
 * record never overtakes one before it.
 *
 * The same logs of the same sizes give the same records, each time: whoever was interrupted after the first N
 * passes over N, and goes on. That it were the same N is what the tally's digest shows. */
#pragma once

#include "hub/archive/reader.h"
#include "hub/io/crypto.h"

#include <stdbool.h>

struct hub_replay_log {
    const char *folder;
    struct hub_note_key key;
    uint64_t size; /* that it had at a checkpoint; 0: as of the last */
};

struct hub_replay_config {
    const struct hub_replay_log *logs; /* of which none is there twice */
    size_t log_count;
    int64_t from_ms, to_ms; /* [from, to); INT64_MIN and INT64_MAX: all there is */
};

struct hub_replay;

/* Holds each log against what was signed (hub/archive/stretch.h). HUB_REJECT where one is not that, HUB_FATAL where
 * it cannot be read; the error names the log. */
HUB_MUST_USE enum hub_status hub_replay_open(const struct hub_replay_config *config,
                                             struct hub_replay **ret_replay,
                                             struct hub_error *reterr);
void hub_replay_close(struct hub_replay *replay); /* NULL is fine */

/* The next record, which lasts until the next is asked for; NULL at the end. Failures as above, and the error
 * names log and record. */
HUB_MUST_USE enum hub_status hub_replay_next(struct hub_replay *replay,
                                             const struct hub_archive_record **ret_record,
                                             struct hub_error *reterr);

/* Of the log of that number in the configuration: the checkpoint that it is read as of. */
const struct hub_checkpoint *hub_replay_checkpoint(const struct hub_replay *replay, size_t log);
/* Records that were read, and that there are to be read; what is of another time between them counts. */
uint64_t hub_replay_done(const struct hub_replay *replay);
uint64_t hub_replay_size(const struct hub_replay *replay);

/* Which records were taken, in which order: the SHA-256 of their digests, as they stand in the log, one after the
 * other. Zeros are a tally of none. */
struct hub_tally {
    uint64_t count;
    struct hub_digesting digests;
};
void hub_tally_add(struct hub_tally *tally, const struct hub_digest *record);
struct hub_digest hub_tally_digest(const struct hub_tally *tally);
