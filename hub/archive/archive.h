/* An archive: a log for each partition of Kafka, and a roll-up log over them.
 *
 *   log.trial-0/...     hub/archive/partition_log.h
 *   rollup/...          hub/archive/rollup.h
 *   lock                held by the one process that writes here
 *
 * What is here says where each partition goes on, and nothing else does: neither Kafka nor a database need to
 * agree with it. */
#pragma once

#include "hub/archive/rollup.h"
#include "hub/archive/segment.h"
#include "hub/io/crypto.h"

struct hub_archive_config {
    const char *folder;
    const char *deployment; /* the origins' first part, such as archive.atmp.example */
    const struct hub_ed25519_key *private;
    size_t segment_size_max; /* as in hub/archive/partition_log.h */
};

struct hub_archive;

/* HUB_FATAL where another process has it, or where it is not what its checkpoints say; HUB_RETRY on a full
 * disk. The configuration must live as long. */
HUB_MUST_USE enum hub_status hub_archive_open(const struct hub_archive_config *config,
                                              struct hub_archive **ret_archive,
                                              struct hub_error *reterr);
void hub_archive_close(struct hub_archive *archive); /* NULL is fine; what is not signed is lost */

/* Where the partition goes on, with what was appended; -1: from its beginning. Failures as above. */
HUB_MUST_USE enum hub_status hub_archive_next_offset(struct hub_archive *archive,
                                                     const char *topic, int32_t partition,
                                                     int64_t *ret_offset,
                                                     struct hub_error *reterr);

/* Takes the partition's next record; one from before where it goes on is passed over. The rest as
 * hub_partition_log_append. */
HUB_MUST_USE enum hub_status hub_archive_append(struct hub_archive *archive, const char *topic,
                                                int32_t partition,
                                                const struct hub_archived *record,
                                                int32_t schema_id, const char *schema_text,
                                                struct hub_error *reterr);

/* There are no records of the partition before that offset which were not appended. Failures as above. */
HUB_MUST_USE enum hub_status hub_archive_reach(struct hub_archive *archive, const char *topic,
                                               int32_t partition, int64_t offset,
                                               struct hub_error *reterr);

/* Signs every log that something was appended to, tells the roll-up log, and signs that: then all of it is
 * safe. After a failure the archive must be closed. */
HUB_MUST_USE enum hub_status hub_archive_sign(struct hub_archive *archive,
                                              struct hub_error *reterr);
struct hub_rollup *hub_archive_rollup(struct hub_archive *archive); /* the archive's own */
uint64_t hub_archive_unsigned(const struct hub_archive *archive); /* records */
