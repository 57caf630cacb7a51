#include "hub/ctl/archive_rollup.h"

#include "hub/archive/cosigned.h"
#include "hub/archive/tiles.h"
#include "hub/io/file.h"
#include "schemas/lib/render.h"

struct looking {
    const struct hub_ctl *ctl;
    const struct hub_ctl_keys *keys;
    const struct hub_note_key *key; /* of the roll-up log */
    const char *folder;
    struct hub_tiles *tiles;
    struct hub_ctl_rollup *found;
};

static enum hub_status look_at_note(struct looking *looking, const char *path,
                                    const struct hub_note_key *witness, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER note = {.size_max = HUB_NOTE_SIZE_MAX}, time = {0};
    uint64_t time_s = 0, size = 0;
    HUB_TRY(hub_file_read(path, &note, reterr));
    HUB_TRY(hub_cosigned_verify(hub_buffer_bytes(&note), looking->key, witness, looking->tiles,
                                &time_s, &size, reterr));
    hub_render_time((int64_t)time_s * 1000, &time);
    hub_buffer_append_format(&looking->found->remarks, "%s: %s has cosigned its %llu entries at %s\n",
                             looking->key->name, witness->name, (unsigned long long)size,
                             hub_buffer_text(&time));
    return HUB_OK;
}

static enum hub_status look_at_witness(struct looking *looking, const struct hub_note_key *witness,
                                       struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_file_facts facts;
    hub_buffer_append_format(&path, "%s/witnesses/%08x", looking->folder, witness->id);
    if (hub_file_facts(hub_buffer_text(&path), &facts, reterr) != HUB_OK)
        return hub_fail(reterr, HUB_REJECT, "%s has cosigned nothing of it", witness->name);
    return look_at_note(looking, hub_buffer_text(&path), witness, reterr);
}

/* By whichever of the witnesses that are believed. */
static enum hub_status look_at_seen(struct looking *looking, struct hub_error *reterr) {
    const struct hub_ctl_keys *keys = looking->keys;
    enum hub_status status = hub_fail(reterr, HUB_REJECT, "--seen: --key gives no witness's key");
    for (size_t i = 0; i < keys->count && status != HUB_OK; i++)
        if (keys->items[i].kind == HUB_NOTE_COSIGNATURE)
            status = look_at_note(looking, looking->ctl->seen, &keys->items[i], reterr);
    return status;
}

static enum hub_status look(struct looking *looking, struct hub_error *reterr) {
    struct hub_checkpoint checkpoint;
    const struct hub_ctl_keys *keys = looking->keys;
    HUB_TRY(hub_checkpoint_load(looking->folder, "checkpoint", looking->key, &checkpoint, reterr));
    HUB_TRY(hub_tiles_open(looking->folder, checkpoint.size, &hub_sha256, &looking->tiles, reterr));
    if (looking->ctl->seen != NULL)
        HUB_TRY(look_at_seen(looking, reterr));
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].kind == HUB_NOTE_COSIGNATURE)
            HUB_TRY(look_at_witness(looking, &keys->items[i], reterr));
    return HUB_OK;
}

void hub_ctl_rollup_verify(const struct hub_ctl *ctl, const struct hub_ctl_keys *keys,
                           const char *archive_folder, const struct hub_note_key *key,
                           struct hub_ctl_rollup *ret_rollup) {
    HUB_SCOPED_BUFFER folder = {0};
    *ret_rollup = (struct hub_ctl_rollup){0};
    hub_buffer_append_format(&folder, "%s/" HUB_ROLLUP_FOLDER, archive_folder);
    struct looking looking = {.ctl = ctl,
                              .keys = keys,
                              .key = key,
                              .folder = hub_buffer_text(&folder),
                              .found = ret_rollup};
    ret_rollup->status =
        hub_rollup_verify(archive_folder, key, &ret_rollup->verified, &ret_rollup->error);
    if (ret_rollup->status == HUB_OK)
        ret_rollup->status = look(&looking, &ret_rollup->error);
    hub_tiles_close(looking.tiles);
}
