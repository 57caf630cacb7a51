/* Whether a log is what was signed: its tiles the tree of its last checkpoint, and every earlier checkpoint
 * one of the same log as it was then. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/tiles.h"

/* Whether the hashes above a part of the tiles of entries are theirs: nearly all that there is to hash, and
 * parts may be verified at the same time, each with its own `tiles`. Failures as below. */
HUB_MUST_USE enum hub_status hub_tree_verify_part(struct hub_tiles *tiles, size_t part, size_t parts,
                                                  struct hub_error *reterr);

/* Whether the tiles, which are of the checkpoint's size, are the tree that it is the root of; from the level
 * `lowest` on, 2 where all parts of the first were verified, else 1. The entries and the earlier checkpoints
 * are not looked at. Failures as below. */
HUB_MUST_USE enum hub_status hub_tree_verify_tiles(const struct hub_checkpoint *checkpoint,
                                                   unsigned lowest, struct hub_tiles *tiles,
                                                   struct hub_error *reterr);

/* The tiles are those of the checkpoint's size. The entries are not looked at. HUB_REJECT: it is not, and the
 * error says how; HUB_FATAL where something cannot be read. */
HUB_MUST_USE enum hub_status hub_tree_verify(const char *folder, const struct hub_note_key *key,
                                             const struct hub_checkpoint *checkpoint,
                                             unsigned lowest, struct hub_tiles *tiles,
                                             uint64_t *ret_earlier_checkpoints,
                                             struct hub_error *reterr);
