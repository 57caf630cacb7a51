/* The roll-up log of an archive: its entries are the checkpoints of the partitions' logs, as they were
 * signed. Whoever has seen one checkpoint of it holds every log to what it was then.
 *
 *   checkpoint, checkpoints/17, log.vkey, tile/...      as those of a partition (hub/archive/partition_log.h)
 *
 * Its origin is DEPLOYMENT/rollup. Its size is what was told of, oftener where an archiver was started
 * oftener: it is not the same in two archives of one partition, as their logs are. */
#pragma once

#include "hub/archive/note.h"

#define HUB_ROLLUP_FOLDER "rollup"

struct hub_rollup;

/* HUB_FATAL where its last checkpoint is not signed by this key, or its tiles are not those it speaks of. */
HUB_MUST_USE enum hub_status hub_rollup_open(const char *folder, const char *deployment,
                                             const struct hub_ed25519_key *private,
                                             struct hub_rollup **ret_rollup,
                                             struct hub_error *reterr);
void hub_rollup_close(struct hub_rollup *rollup); /* NULL is fine */

/* Adds the last checkpoint of the log in that folder; nothing where it has none. HUB_RETRY on a full disk,
 * else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_rollup_tell(struct hub_rollup *rollup, const char *log_folder,
                                             struct hub_error *reterr);
/* Makes all of it safe, and signs it. Failures as above. */
HUB_MUST_USE enum hub_status hub_rollup_sign(struct hub_rollup *rollup, struct hub_error *reterr);

uint64_t hub_rollup_signed_size(const struct hub_rollup *rollup);
const char *hub_rollup_folder(const struct hub_rollup *rollup);
const struct hub_note_key *hub_rollup_key(const struct hub_rollup *rollup);
/* Its last checkpoint's note, and what a witness is asked of it that has seen the log at that size, at most
 * the signed one. Failures as above. */
HUB_MUST_USE enum hub_status hub_rollup_ask(struct hub_rollup *rollup, uint64_t seen_size,
                                            struct hub_buffer *note, struct hub_buffer *request,
                                            struct hub_error *reterr);

struct hub_rollup_verified {
    uint64_t size; /* entries */
    size_t logs;   /* that they are of */
};

/* Whether the roll-up log of that archive is what was signed, and every log beside it was, at each of its
 * checkpoints, what the roll-up says; of a log that is not there its entries are none. HUB_REJECT: it is not,
 * and the error names the entry and how; HUB_FATAL where something cannot be read. */
HUB_MUST_USE enum hub_status hub_rollup_verify(const char *archive_folder,
                                               const struct hub_note_key *key,
                                               struct hub_rollup_verified *ret_verified,
                                               struct hub_error *reterr);
