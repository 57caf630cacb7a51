/* Checkpoints (C2SP tlog-checkpoint): what a log says of itself, as the text of a signed note.
 *
 *   audit.example/log.slot-0     the log's origin
 *   1004                         how many entries it has
 *   qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=     the root of its Merkle tree
 *   offset 23                    where the partition goes on after them
 *   segment 0 52204              a segment that goes on, by its first record, and its size in bytes
 *   segment 17 804
 *
 * Public tools read the first three lines and pass over others. */
#pragma once

#include "hub/archive/note.h"

enum { HUB_OPEN_SEGMENTS_MAX = 32 };

struct hub_open_segment {
    uint64_t first, size;
};

struct hub_checkpoint {
    char origin[HUB_NOTE_NAME_MAX + 1];
    uint64_t size;
    struct hub_digest root;
    int64_t next_offset; /* -1: of a log of no partition, which has no further lines */
    struct hub_open_segment segments[HUB_OPEN_SEGMENTS_MAX]; /* by their first records */
    size_t segment_count;
};

void hub_checkpoint_append(const struct hub_checkpoint *checkpoint, struct hub_buffer *text);
/* HUB_REJECT where it is not written as that would. */
HUB_MUST_USE enum hub_status hub_checkpoint_read(struct hub_bytes text,
                                                 struct hub_checkpoint *ret_checkpoint,
                                                 struct hub_error *reterr);

/* The checkpoint of that name in a log's folder. HUB_REJECT where it is not signed by the key, or is of
 * another log than it is the key of; HUB_FATAL where it cannot be read. */
HUB_MUST_USE enum hub_status hub_checkpoint_load(const char *folder, const char *name,
                                                 const struct hub_note_key *key,
                                                 struct hub_checkpoint *ret_checkpoint,
                                                 struct hub_error *reterr);
/* Signs it, and writes it to `checkpoint` and then to checkpoints/SIZE. HUB_RETRY on a full disk, else
 * HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_checkpoint_store(const char *folder,
                                                  const struct hub_note_key *key,
                                                  const struct hub_ed25519_key *private,
                                                  const struct hub_checkpoint *checkpoint,
                                                  struct hub_error *reterr);
/* What a log that is written goes on from: the last one, and `ret_has` whether there is any. What a crash
 * has left undone of its storing is done. HUB_FATAL where it is not signed by the key; else failures as above. */
HUB_MUST_USE enum hub_status hub_checkpoint_resume(const char *folder,
                                                   const struct hub_note_key *key,
                                                   struct hub_checkpoint *ret_checkpoint,
                                                   bool *ret_has, struct hub_error *reterr);
