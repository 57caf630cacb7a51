#include "hub/archive/rollup.h"

#include "hub/archive/checkpoint.h"
#include "hub/archive/key_file.h"
#include "hub/archive/tiles.h"
#include "hub/archive/witness.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <string.h>

struct hub_rollup {
    char *folder;
    struct hub_note_key key;
    const struct hub_ed25519_key *private;
    struct hub_tiles *tiles;
    uint64_t signed_size;
    bool was_signed;
};

static const char *path_in(const char *folder, const char *name, struct hub_buffer *path) {
    hub_buffer_clear(path);
    hub_buffer_append_format(path, "%s/%s", folder, name);
    return hub_buffer_text(path);
}

/* --- writing --- */

enum hub_status hub_rollup_tell(struct hub_rollup *rollup, const char *log_folder,
                                struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, note = {.size_max = HUB_NOTE_SIZE_MAX};
    struct hub_file_facts facts;
    const char *file = path_in(log_folder, "checkpoint", &path);
    if (hub_file_facts(file, &facts, reterr) != HUB_OK)
        return HUB_OK;
    HUB_TRY(hub_file_read(file, &note, reterr));
    return hub_tiles_append(rollup->tiles, hub_buffer_bytes(&note), reterr);
}

enum hub_status hub_rollup_sign(struct hub_rollup *rollup, struct hub_error *reterr) {
    struct hub_checkpoint checkpoint = {.size = hub_tiles_size(rollup->tiles), .next_offset = -1};
    if (checkpoint.size == rollup->signed_size && rollup->was_signed)
        return HUB_OK;
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", rollup->key.name);
    checkpoint.root = hub_tiles_root(rollup->tiles);
    HUB_TRY(hub_tiles_sync(rollup->tiles, reterr));
    HUB_TRY(hub_checkpoint_store(rollup->folder, &rollup->key, rollup->private, &checkpoint,
                                 reterr));
    rollup->signed_size = checkpoint.size;
    rollup->was_signed = true;
    return HUB_OK;
}

uint64_t hub_rollup_signed_size(const struct hub_rollup *rollup) {
    return rollup->signed_size;
}

const char *hub_rollup_folder(const struct hub_rollup *rollup) {
    return rollup->folder;
}

const struct hub_note_key *hub_rollup_key(const struct hub_rollup *rollup) {
    return &rollup->key;
}

enum hub_status hub_rollup_ask(struct hub_rollup *rollup, uint64_t seen_size,
                               struct hub_buffer *note, struct hub_buffer *request,
                               struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_proof proof = {0};
    struct hub_merkle_tree tree = hub_tiles_tree(rollup->tiles);
    assert(seen_size <= rollup->signed_size);
    HUB_TRY(hub_file_read(path_in(rollup->folder, "checkpoint", &path), note, reterr));
    if (seen_size > 0 &&
        !hub_merkle_prove_growth(&tree, seen_size, rollup->signed_size, &proof))
        return hub_fail(reterr, HUB_FATAL, "%s: tiles of it cannot be read", rollup->folder);
    hub_witness_append_request(seen_size, &proof, hub_buffer_bytes(note), request);
    return HUB_OK;
}

static enum hub_status open_files(struct hub_rollup *rollup, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_checkpoint checkpoint = {0};
    bool has = false;
    HUB_TRY(hub_file_make_folder(path_in(rollup->folder, "checkpoints", &path), reterr));
    HUB_TRY(hub_checkpoint_resume(rollup->folder, &rollup->key, &checkpoint, &has, reterr));
    rollup->signed_size = checkpoint.size;
    rollup->was_signed = has;
    HUB_TRY(hub_tiles_open(rollup->folder, checkpoint.size, &hub_sha256, &rollup->tiles, reterr));
    struct hub_digest root = hub_tiles_root(rollup->tiles);
    if (has && memcmp(&root, &checkpoint.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: its tiles are not those of its checkpoint",
                        rollup->folder);
    return has ? HUB_OK : hub_log_key_store(rollup->folder, &rollup->key, reterr);
}

enum hub_status hub_rollup_open(const char *folder, const char *deployment,
                                const struct hub_ed25519_key *private,
                                struct hub_rollup **ret_rollup, struct hub_error *reterr) {
    struct hub_rollup *rollup = hub_allocate_zero(1, sizeof *rollup);
    HUB_SCOPED_BUFFER origin = {0};
    rollup->folder = hub_copy_text(folder);
    rollup->private = private;
    hub_buffer_append_format(&origin, "%s/" HUB_ROLLUP_FOLDER, deployment);
    enum hub_status status = hub_note_key_make(hub_buffer_text(&origin), HUB_NOTE_SIGNATURE, private,
                                               &rollup->key, reterr);
    if (status == HUB_OK)
        status = open_files(rollup, reterr);
    if (status == HUB_OK)
        *ret_rollup = rollup;
    else
        hub_rollup_close(rollup);
    return status;
}

void hub_rollup_close(struct hub_rollup *rollup) {
    if (rollup == NULL)
        return;
    hub_tiles_close(rollup->tiles);
    hub_release(rollup->folder);
    hub_release(rollup);
}
