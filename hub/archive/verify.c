#include "hub/archive/verify.h"

#include "hub/archive/reader.h"
#include "hub/archive/tree_verify.h"

enum { PROGRESS_EVERY = 65536 };

struct verifying {
    const struct hub_verify_config *config;
    struct hub_archive_reader *reader;
    const struct hub_checkpoint *checkpoint; /* the last */
    struct hub_verified verified;
};

static enum hub_status verify_records(struct verifying *verifying, struct hub_error *reterr) {
    const struct hub_verify_config *config = verifying->config;
    uint64_t size = verifying->checkpoint->size;
    uint64_t to = config->to == 0 || config->to > size ? size : config->to;
    for (uint64_t i = config->from; i < to; i++) {
        struct hub_archive_record record;
        HUB_TRY(hub_archive_reader_next(verifying->reader, &record, reterr));
        verifying->verified.records++;
        verifying->verified.bytes += record.leaf.size;
        if (config->progress != NULL && i % PROGRESS_EVERY == PROGRESS_EVERY - 1)
            config->progress(config->context, i + 1, size);
    }
    return config->from == 0 && to == size
               ? hub_archive_reader_finish(verifying->reader, &verifying->verified.unsigned_bytes,
                                           reterr)
               : HUB_OK;
}

static enum hub_status verify(struct verifying *verifying, struct hub_error *reterr) {
    const struct hub_verify_config *config = verifying->config;
    HUB_TRY(hub_archive_reader_open(config->folder, config->key, config->from, &verifying->reader,
                                    reterr));
    verifying->checkpoint = hub_archive_reader_checkpoint(verifying->reader);
    verifying->verified.size = verifying->checkpoint->size;
    verifying->verified.next_offset = verifying->checkpoint->next_offset;
    HUB_TRY(verify_records(verifying, reterr));
    return hub_tree_verify(config->folder, config->key, verifying->checkpoint,
                           hub_archive_reader_tiles(verifying->reader),
                           &verifying->verified.checkpoints, reterr);
}

enum hub_status hub_archive_verify(const struct hub_verify_config *config,
                                   struct hub_verified *ret_verified, struct hub_error *reterr) {
    struct verifying verifying = {.config = config};
    enum hub_status status = verify(&verifying, reterr);
    *ret_verified = verifying.verified;
    hub_archive_reader_close(verifying.reader);
    return status;
}
