/* A log as files (C2SP tlog-tiles): its entries in bundles of 256, and its Merkle tree in tiles of 256
 * hashes, each of them a whole tile of the level below.
 *
 *   tile/entries/000         the entries 0 to 255, each after its size in two bytes
 *   tile/0/000               their hashes
 *   tile/0/x001/234.p/17     the first 17 hashes of tile 1234, which has no more yet
 *   tile/1/000               the roots of the tiles 0 to 255 of level 0
 *
 * What was appended is safe when hub_tiles_sync says so. No file that a log of a smaller size needs is ever
 * written over: after a crash the log is there at every size that was safe, and what is beyond it is
 * written again, the same. A partial tile is removed once the whole one is safe; after a crash it
 * may stay. */
#pragma once

#include "hub/archive/merkle.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

enum { HUB_TILE_WIDTH = 256, HUB_TILE_LEVELS = 8, HUB_ENTRY_SIZE_MAX = 65535,
       HUB_TILE_ENTRIES = -1 }; /* the level of bundles */

/* Appends the path of a tile or bundle within the log's folder; `width` is 256, or that of a partial one. */
void hub_tile_append_path(int level, uint64_t number, unsigned width, struct hub_buffer *path);

struct hub_tiles;

/* The log in that folder at that size; the folder is made for a log of none. HUB_FATAL where a file that
 * it needs cannot be read, or has another size. Hashes are taken at their word. */
HUB_MUST_USE enum hub_status hub_tiles_open(const char *folder, uint64_t size,
                                            const struct hub_digester *digester,
                                            struct hub_tiles **ret_tiles,
                                            struct hub_error *reterr);
void hub_tiles_close(struct hub_tiles *tiles); /* NULL is fine */

/* HUB_REJECT where it is too large; HUB_RETRY on a full disk, else HUB_FATAL: the log must then be closed,
 * and opened at the size that was safe last. */
HUB_MUST_USE enum hub_status hub_tiles_append(struct hub_tiles *tiles, struct hub_bytes entry,
                                              struct hub_error *reterr);
/* Writes what is not a whole tile, and waits until everything is on the disk. Failures as above. */
HUB_MUST_USE enum hub_status hub_tiles_sync(struct hub_tiles *tiles, struct hub_error *reterr);

uint64_t hub_tiles_size(const struct hub_tiles *tiles);
/* Of what was appended, which needs no file. */
struct hub_digest hub_tiles_root(struct hub_tiles *tiles);
/* The tree, for proofs; tiles are read as they are needed, and the last of each level is kept. It lives as
 * long as `tiles`. */
struct hub_merkle_tree hub_tiles_tree(struct hub_tiles *tiles);
/* Appends the entry of that index, less than the size. HUB_FATAL where its bundle cannot be read or is none. */
HUB_MUST_USE enum hub_status hub_tiles_entry(struct hub_tiles *tiles, uint64_t index,
                                             struct hub_buffer *buffer, struct hub_error *reterr);
