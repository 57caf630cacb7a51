/* Whether a log is what was signed: its tiles the tree of its last checkpoint, and every earlier checkpoint
 * one of the same log as it was then. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/tiles.h"

/* The tiles are those of the checkpoint's size. The entries are not looked at. HUB_REJECT: it is not, and the
 * error says how; HUB_FATAL where something cannot be read. */
HUB_MUST_USE enum hub_status hub_tree_verify(const char *folder, const struct hub_note_key *key,
                                             const struct hub_checkpoint *checkpoint,
                                             struct hub_tiles *tiles,
                                             uint64_t *ret_earlier_checkpoints,
                                             struct hub_error *reterr);
