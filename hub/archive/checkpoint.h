/* Checkpoints (C2SP tlog-checkpoint): what a log says of itself, as the text of a signed note.
 *
 *   audit.example/log.slot-0     the log's origin
 *   1004                         how many entries it has
 *   qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=     the root of its Merkle tree
 *   offset 23                    where the partition goes on after them
 *
 * Public tools read the first three lines and pass over others. */
#pragma once

#include "hub/archive/note.h"

struct hub_checkpoint {
    char origin[HUB_NOTE_NAME_MAX + 1];
    uint64_t size;
    struct hub_digest root;
    int64_t next_offset;
};

void hub_checkpoint_append(const struct hub_checkpoint *checkpoint, struct hub_buffer *text);
/* HUB_REJECT where it is not written as that would. */
HUB_MUST_USE enum hub_status hub_checkpoint_read(struct hub_bytes text,
                                                 struct hub_checkpoint *ret_checkpoint,
                                                 struct hub_error *reterr);
