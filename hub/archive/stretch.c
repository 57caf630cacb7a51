#include "hub/archive/stretch.h"

#include "hub/archive/leaf.h"
#include "hub/archive/tree_verify.h"

#include <stdio.h>
#include <string.h>

struct finding {
    const struct hub_stretch_config *config;
    struct hub_tiles *tiles;
    struct hub_merkle_tree tree;
    struct hub_buffer entry;
    struct hub_stretch stretch;
};

/* --- what was signed --- */

static enum hub_status load_checkpoint(struct finding *finding, struct hub_error *reterr) {
    const struct hub_stretch_config *config = finding->config;
    struct hub_checkpoint *checkpoint = &finding->stretch.checkpoint;
    char name[48];
    HUB_TRY(hub_checkpoint_load(config->folder, "checkpoint", config->key, checkpoint, reterr));
    if (config->size == 0 || config->size == checkpoint->size)
        return HUB_OK;
    if (config->size > checkpoint->size)
        return hub_fail(reterr, HUB_REJECT, "it has %llu entries, and there were %llu: it was put back",
                        (unsigned long long)checkpoint->size, (unsigned long long)config->size);
    snprintf(name, sizeof name, "checkpoints/%llu", (unsigned long long)config->size);
    return hub_checkpoint_load(config->folder, name, config->key, checkpoint, reterr);
}

/* --- what is of the time --- */

static enum hub_status is_within(struct finding *finding, uint64_t index, bool *ret_within,
                                 struct hub_error *reterr) {
    struct hub_digest stored;
    struct hub_leaf leaf;
    hub_buffer_clear(&finding->entry);
    HUB_TRY(hub_tiles_entry(finding->tiles, index, &finding->entry, reterr));
    struct hub_digest made = hub_merkle_leaf(&hub_sha256, hub_buffer_bytes(&finding->entry));
    if (!finding->tree.node(finding->tree.context, 0, index, &stored))
        return hub_fail(reterr, HUB_FATAL, "record %llu: its hash cannot be read",
                        (unsigned long long)index);
    if (memcmp(&made, &stored, sizeof made) != 0)
        return hub_fail(reterr, HUB_REJECT, "record %llu: its entry is not the one in its tile",
                        (unsigned long long)index);
    HUB_TRY(hub_leaf_read(hub_buffer_bytes(&finding->entry), &leaf, reterr));
    *ret_within = leaf.timestamp_ms >= finding->config->from_ms &&
                  leaf.timestamp_ms < finding->config->to_ms;
    return HUB_OK;
}

static enum hub_status find_part(struct finding *finding, struct hub_error *reterr) {
    struct hub_stretch *stretch = &finding->stretch;
    bool within = false;
    stretch->end = stretch->checkpoint.size;
    for (; stretch->first < stretch->end; stretch->first++) {
        HUB_TRY(is_within(finding, stretch->first, &within, reterr));
        if (within)
            break;
    }
    for (; stretch->end > stretch->first; stretch->end--) {
        HUB_TRY(is_within(finding, stretch->end - 1, &within, reterr));
        if (within)
            break;
    }
    return HUB_OK;
}

static enum hub_status find(struct finding *finding, struct hub_error *reterr) {
    const struct hub_checkpoint *checkpoint = &finding->stretch.checkpoint;
    HUB_TRY(load_checkpoint(finding, reterr));
    if (checkpoint->size == 0)
        return HUB_OK;
    HUB_TRY(hub_tiles_open(finding->config->folder, checkpoint->size, &hub_sha256, &finding->tiles,
                           reterr));
    finding->tree = hub_tiles_tree(finding->tiles);
    HUB_TRY(hub_tree_verify_tiles(checkpoint, /* lowest= */ 1, finding->tiles, reterr));
    return find_part(finding, reterr);
}

enum hub_status hub_stretch_find(const struct hub_stretch_config *config, struct hub_stretch *ret_stretch,
                              struct hub_error *reterr) {
    struct finding finding = {.config = config};
    enum hub_status status = find(&finding, reterr);
    hub_tiles_close(finding.tiles);
    hub_buffer_free(&finding.entry);
    if (status == HUB_OK)
        *ret_stretch = finding.stretch;
    return status;
}
