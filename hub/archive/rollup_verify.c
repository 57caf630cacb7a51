#include "hub/archive/rollup.h"

#include "hub/archive/tree_verify.h"

#include <string.h>

static const char *path_in(const char *folder, const char *name, struct hub_buffer *path) {
    hub_buffer_append_format(path, "%s/%s", folder, name);
    return hub_buffer_text(path);
}

/* A log that entries are of. */
struct told_log {
    struct hub_note_key key;
    struct hub_tiles *tiles; /* at its last checkpoint */
    uint64_t told;           /* its size, as the last entry says */
};

struct verifying {
    const char *folder; /* of the archive */
    const struct hub_note_key *key;
    struct hub_checkpoint checkpoint;
    struct hub_tiles *tiles;
    struct told_log *logs;
    size_t log_count, log_capacity;
    uint64_t earlier; /* checkpoints */
};

/* The logs of an archive have one key and several names. The folder of a log is what comes after the last
 * slash. */
static enum hub_status open_told(struct verifying *verifying, const char *origin,
                                 struct told_log **ret_log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER folder = {0};
    struct hub_checkpoint last;
    const char *slash = strrchr(origin, '/');
    struct told_log log = {0};
    HUB_TRY(hub_note_key_of(origin, HUB_NOTE_SIGNATURE, &verifying->key->public, &log.key, reterr));
    const char *path = path_in(verifying->folder, slash == NULL ? origin : slash + 1, &folder);
    HUB_TRY(hub_checkpoint_load(path, "checkpoint", &log.key, &last, reterr));
    HUB_TRY(hub_tiles_open(path, last.size, &hub_sha256, &log.tiles, reterr));
    HUB_GROW(verifying->logs, verifying->log_count, verifying->log_capacity);
    *ret_log = &verifying->logs[verifying->log_count++];
    **ret_log = log;
    return HUB_OK;
}

static enum hub_status find_told(struct verifying *verifying, const char *origin,
                                 struct told_log **ret_log, struct hub_error *reterr) {
    for (size_t i = 0; i < verifying->log_count; i++)
        if (strcmp(verifying->logs[i].key.name, origin) == 0) {
            *ret_log = &verifying->logs[i];
            return HUB_OK;
        }
    return open_told(verifying, origin, ret_log, reterr);
}

/* The log was once what the entry says. */
static enum hub_status verify_told(struct verifying *verifying, struct hub_bytes note,
                                   struct hub_error *reterr) {
    struct hub_checkpoint told;
    struct hub_bytes text, lines;
    struct told_log *log = NULL;
    struct hub_digest root;
    HUB_TRY(hub_note_open(note, &text, &lines, reterr));
    HUB_TRY(hub_checkpoint_read(text, &told, reterr));
    HUB_TRY(find_told(verifying, told.origin, &log, reterr));
    HUB_TRY(hub_note_check(text, lines, &log->key, NULL, reterr));
    if (told.size < log->told)
        return hub_fail(reterr, HUB_REJECT, "%s has %llu entries, and had %llu before",
                        told.origin, (unsigned long long)told.size, (unsigned long long)log->told);
    log->told = told.size;
    if (told.size > hub_tiles_size(log->tiles))
        return hub_fail(reterr, HUB_REJECT, "%s had %llu entries, and has %llu now: it was put back",
                        told.origin, (unsigned long long)told.size,
                        (unsigned long long)hub_tiles_size(log->tiles));
    struct hub_merkle_tree tree = hub_tiles_tree(log->tiles);
    if (!hub_merkle_root(&tree, told.size, &root))
        return hub_fail(reterr, HUB_FATAL, "tiles of %s cannot be read", told.origin);
    if (memcmp(&root, &told.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_REJECT, "%s does not begin with what was signed then",
                        told.origin);
    return HUB_OK;
}

static enum hub_status verify_entry(struct verifying *verifying, uint64_t index,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER entry = {0};
    struct hub_digest stored;
    struct hub_merkle_tree tree = hub_tiles_tree(verifying->tiles);
    HUB_TRY(hub_tiles_entry(verifying->tiles, index, &entry, reterr));
    struct hub_digest leaf = hub_merkle_leaf(&hub_sha256, hub_buffer_bytes(&entry));
    if (!tree.node(tree.context, 0, index, &stored))
        return hub_fail(reterr, HUB_FATAL, "its hash cannot be read");
    if (memcmp(&leaf, &stored, sizeof leaf) != 0)
        return hub_fail(reterr, HUB_REJECT, "it is not the one in its tile");
    return verify_told(verifying, hub_buffer_bytes(&entry), reterr);
}

static enum hub_status verify(struct verifying *verifying, const char *folder,
                              struct hub_error *reterr) {
    HUB_TRY(hub_checkpoint_load(folder, "checkpoint", verifying->key, &verifying->checkpoint,
                                reterr));
    uint64_t size = verifying->checkpoint.size;
    HUB_TRY(hub_tiles_open(folder, size, &hub_sha256, &verifying->tiles, reterr));
    for (uint64_t i = 0; i < size; i++) {
        enum hub_status status = verify_entry(verifying, i, reterr);
        if (status != HUB_OK)
            return hub_fail_at(reterr, status, HUB_ROLLUP_FOLDER ": entry %llu",
                               (unsigned long long)i);
    }
    return hub_tree_verify(folder, verifying->key, &verifying->checkpoint, /* lowest= */ 1, verifying->tiles,
                           &verifying->earlier, reterr);
}

enum hub_status hub_rollup_verify(const char *archive_folder, const struct hub_note_key *key,
                                  struct hub_rollup_verified *ret_verified,
                                  struct hub_error *reterr) {
    struct verifying verifying = {.folder = archive_folder, .key = key};
    HUB_SCOPED_BUFFER folder = {0};
    enum hub_status status =
        verify(&verifying, path_in(archive_folder, HUB_ROLLUP_FOLDER, &folder), reterr);
    *ret_verified =
        (struct hub_rollup_verified){verifying.checkpoint.size, verifying.log_count};
    for (size_t i = 0; i < verifying.log_count; i++)
        hub_tiles_close(verifying.logs[i].tiles);
    hub_release(verifying.logs);
    hub_tiles_close(verifying.tiles);
    return status;
}
