/* The records of a partition's archive, in the order in which they were appended. Each is compared with its
 * entry in the log, and the entry with the hash in its tile; that the tiles are what was signed is shown by
 * hub/archive/verify.h. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/leaf.h"
#include "hub/archive/segment.h"
#include "hub/archive/spans.h"
#include "hub/archive/tiles.h"

struct hub_archive_reader;

/* Lasts until the next is asked for. */
struct hub_archive_record {
    uint64_t index;
    struct hub_leaf leaf;
    const struct hub_segment *segment;
    struct hub_archived record;
};

/* The log in that folder as its last checkpoint says, from the record of that index on. HUB_REJECT where
 * the checkpoint is not signed by the key, HUB_FATAL where a file cannot be read. */
HUB_MUST_USE enum hub_status hub_archive_reader_open(const char *folder,
                                                     const struct hub_note_key *key, uint64_t from,
                                                     struct hub_archive_reader **ret_reader,
                                                     struct hub_error *reterr);
/* The same as that checkpoint of it says, which was checked. */
HUB_MUST_USE enum hub_status hub_archive_reader_open_at(const char *folder,
                                                        const struct hub_note_key *key,
                                                        const struct hub_checkpoint *checkpoint,
                                                        uint64_t from,
                                                        struct hub_archive_reader **ret_reader,
                                                        struct hub_error *reterr);
void hub_archive_reader_close(struct hub_archive_reader *reader); /* NULL is fine */

const struct hub_checkpoint *hub_archive_reader_checkpoint(const struct hub_archive_reader *reader);
struct hub_tiles *hub_archive_reader_tiles(struct hub_archive_reader *reader); /* the reader's own */

/* Before anything was read: goes to the first record of that offset of the partition or a later one; to the end
 * where there is none. HUB_REJECT where an entry is none, HUB_FATAL where a file cannot be read. */
HUB_MUST_USE enum hub_status hub_archive_reader_seek(struct hub_archive_reader *reader,
                                                     int64_t offset, struct hub_error *reterr);
/* For who only wants to know whether records are what was archived: of each only its bytes are compared, and
 * where and when it was is read. */
void hub_archive_reader_only_compare(struct hub_archive_reader *reader);
/* Whether there is a next one. */
bool hub_archive_reader_has_next(const struct hub_archive_reader *reader);
/* The next one; there must be one. HUB_REJECT where it is not what was archived, and the error says which
 * and how; HUB_FATAL where a file cannot be read. */
HUB_MUST_USE enum hub_status hub_archive_reader_next(struct hub_archive_reader *reader,
                                                     struct hub_archive_record *ret_record,
                                                     struct hub_error *reterr);

/* What was read of the segments. */
void hub_archive_reader_append_spans(const struct hub_archive_reader *reader,
                                     struct hub_spans *spans);
/* Of the first and the last record that were read; -1 where none was. */
int64_t hub_archive_reader_first_offset(const struct hub_archive_reader *reader);
int64_t hub_archive_reader_last_offset(const struct hub_archive_reader *reader);
