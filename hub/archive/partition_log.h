/* The archive of one partition: segments with its records, and a log that is told of each.
 *
 *   checkpoint            the last, signed: whatever is beyond it does not count yet
 *   checkpoints/1004      every one, by its size
 *   log.vkey              the key that they are signed with
 *   segments/1000.avro    named by the index of its first record
 *   tile/...              hub/archive/tiles.h; an entry is a descriptor (hub/archive/leaf.h)
 *
 * Each schema has a segment that goes on, up to HUB_OPEN_SEGMENTS_MAX of them, so that records of several
 * that take turns fill a few files; what is no Avro has one, too.
 *
 * Written in that order: segments and tiles, the disk, the checkpoint. What a crash has left beyond the
 * checkpoint is cut off when it is opened, and comes again, the same. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/leaf.h"
#include "hub/archive/segment.h"

struct hub_partition_log_config {
    const char *folder;
    const char *deployment; /* the origin is DEPLOYMENT/TOPIC-PARTITION */
    const char *topic;
    int32_t partition;
    const struct hub_ed25519_key *private;
    size_t segment_size_max; /* a segment that has reached it does not go on; 0: 256 MiB */
};

struct hub_partition_log;

/* HUB_FATAL where the last checkpoint is not signed by this key, or the files are not those it speaks of. */
HUB_MUST_USE enum hub_status hub_partition_log_open(const struct hub_partition_log_config *config,
                                                    struct hub_partition_log **ret_log,
                                                    struct hub_error *reterr);
void hub_partition_log_close(struct hub_partition_log *log); /* NULL is fine */

/* What the last checkpoint says; a log without one has none of these. */
int64_t hub_partition_log_next_offset(const struct hub_partition_log *log); /* or -1 */
uint64_t hub_partition_log_size(const struct hub_partition_log *log);       /* with what was appended */

/* Takes the partition's next record; its index is set here. The schema is that of a value that is Avro:
 * its id and registered text. HUB_RETRY on a full disk, else HUB_FATAL: then it must be closed, and
 * goes on from its checkpoint. */
HUB_MUST_USE enum hub_status hub_partition_log_append(struct hub_partition_log *log,
                                                      const struct hub_archived *record,
                                                      int32_t schema_id, const char *schema_text,
                                                      struct hub_error *reterr);
/* Makes all of it safe, and signs it: the partition goes on at next_offset. Nothing is written where nothing
 * was appended. Failures as above. */
HUB_MUST_USE enum hub_status hub_partition_log_sign(struct hub_partition_log *log,
                                                    int64_t next_offset, struct hub_error *reterr);
