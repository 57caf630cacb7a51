#include "hub/archive/tree_verify.h"

#include "hub/io/file.h"

#include <string.h>

struct verifying {
    const char *folder;
    const struct hub_note_key *key;
    const struct hub_checkpoint *checkpoint; /* the last */
    struct hub_tiles *tiles;
    uint64_t earlier; /* checkpoints */
    struct hub_arena arena;
};

/* --- checkpoints --- */

/* An earlier checkpoint is of the log as it was then. */
static enum hub_status verify_earlier(struct verifying *verifying, const char *file,
                                      struct hub_error *reterr) {
    struct hub_checkpoint earlier;
    struct hub_digest root;
    const char *name = hub_arena_format(&verifying->arena, "checkpoints/%s", file);
    HUB_TRY(hub_checkpoint_load(verifying->folder, name, verifying->key, &earlier,
                                reterr));
    if (strcmp(file, hub_arena_format(&verifying->arena, "%llu", (unsigned long long)earlier.size)) !=
        0)
        return hub_fail(reterr, HUB_REJECT, "%s: it is of %llu entries", name,
                        (unsigned long long)earlier.size);
    if (earlier.size > verifying->checkpoint->size)
        return hub_fail(reterr, HUB_REJECT, "%s: a log of %llu entries was signed, and this one has "
                        "%llu: it was put back", name, (unsigned long long)earlier.size,
                        (unsigned long long)verifying->checkpoint->size);
    struct hub_merkle_tree tree = hub_tiles_tree(verifying->tiles);
    if (!hub_merkle_root(&tree, earlier.size, &root))
        return hub_fail(reterr, HUB_FATAL, "%s: tiles of it cannot be read", name);
    if (memcmp(&root, &earlier.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_REJECT, "%s: the log does not begin with what was signed then",
                        name);
    verifying->earlier++;
    return HUB_OK;
}

static enum hub_status verify_checkpoints(struct verifying *verifying, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t count = 0;
    const char *folder = hub_arena_format(&arena, "%s/checkpoints", verifying->folder);
    enum hub_status status = hub_file_list(folder, "", &arena, &names, &count, reterr);
    for (size_t i = 0; i < count && status == HUB_OK; i++)
        status = verify_earlier(verifying, names[i], reterr);
    hub_arena_destroy(&arena);
    return status;
}

/* --- the tree --- */

/* Every hash of a tile above the entries' is the root of a whole tile below it. */
static enum hub_status verify_level(struct hub_tiles *tiles, unsigned at, uint64_t from, uint64_t to,
                                    struct hub_error *reterr) {
    struct hub_merkle_tree tree = hub_tiles_tree(tiles);
    unsigned level = 8 * at;
    for (uint64_t i = from; i < to; i++) {
        struct hub_digest stored, left, right;
        if (!tree.node(tree.context, level, i, &stored) ||
            !tree.node(tree.context, level - 1, 2 * i, &left) ||
            !tree.node(tree.context, level - 1, 2 * i + 1, &right))
            return hub_fail(reterr, HUB_FATAL, "hash %llu of level %u cannot be read",
                            (unsigned long long)i, at);
        struct hub_digest made = hub_merkle_node(&hub_sha256, &left, &right);
        if (memcmp(&made, &stored, sizeof made) != 0)
            return hub_fail(reterr, HUB_REJECT, "tile/%u: hash %llu is not that of the tile below it",
                            at, (unsigned long long)i);
    }
    return HUB_OK;
}

enum hub_status hub_tree_verify_part(struct hub_tiles *tiles, size_t part, size_t parts,
                                     struct hub_error *reterr) {
    uint64_t count = hub_tiles_size(tiles) / HUB_TILE_WIDTH;
    return verify_level(tiles, 1, count * part / parts, count * (part + 1) / parts, reterr);
}

enum hub_status hub_tree_verify_tiles(const struct hub_checkpoint *checkpoint, unsigned lowest,
                                      struct hub_tiles *tiles, struct hub_error *reterr) {
    struct hub_digest root = hub_tiles_root(tiles);
    if (memcmp(&root, &checkpoint->root, sizeof root) != 0)
        return hub_fail(reterr, HUB_REJECT, "the root of its tiles is not the one that was signed");
    for (unsigned at = lowest; at < HUB_TILE_LEVELS; at++)
        HUB_TRY(verify_level(tiles, at, 0, hub_tiles_size(tiles) >> 8 * at, reterr));
    return HUB_OK;
}

enum hub_status hub_tree_verify(const char *folder, const struct hub_note_key *key,
                                const struct hub_checkpoint *checkpoint, unsigned lowest,
                                struct hub_tiles *tiles,
                                uint64_t *ret_earlier_checkpoints, struct hub_error *reterr) {
    struct verifying verifying = {
        .folder = folder, .key = key, .checkpoint = checkpoint, .tiles = tiles};
    enum hub_status status = hub_tree_verify_tiles(checkpoint, lowest, tiles, reterr);
    if (status == HUB_OK)
        status = verify_checkpoints(&verifying, reterr);
    *ret_earlier_checkpoints = verifying.earlier;
    hub_arena_destroy(&verifying.arena);
    return status;
}
