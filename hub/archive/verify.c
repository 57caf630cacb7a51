#include "hub/archive/verify.h"

#include "hub/archive/reader.h"
#include "hub/archive/tree_verify.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PROGRESS_EVERY = 65536, COUNT_EVERY = 256, PART_SIZE_MIN = 4096, PARTS_MAX = 16 };

/* Records are read in parts at the same time, each by a reader of its own. */
struct part {
    struct verifying *verifying;
    size_t number;
    uint64_t from, to;
    struct hub_archive_reader *reader;
    uint64_t records, bytes;
    enum hub_status status;
    struct hub_error error;
    pthread_t thread;
    bool runs;
};

struct verifying {
    const struct hub_verify_config *config;
    struct hub_checkpoint checkpoint; /* the last, of all parts: the log may grow meanwhile */
    struct part parts[PARTS_MAX];
    size_t part_count;
    atomic_ullong done;
    struct hub_verified verified;
};

/* --- a part --- */

/* Counted together now and then: parts that all count each record wait for each other. */
static void tell_progress(const struct part *part) {
    const struct hub_verify_config *config = part->verifying->config;
    if (part->records % COUNT_EVERY != 0)
        return;
    uint64_t done = atomic_fetch_add(&part->verifying->done, COUNT_EVERY) + COUNT_EVERY;
    if (config->progress != NULL && done % PROGRESS_EVERY == 0)
        config->progress(config->context, done, part->verifying->checkpoint.size);
}

static enum hub_status read_part(struct part *part, struct hub_error *reterr) {
    const struct hub_verify_config *config = part->verifying->config;
    HUB_TRY(hub_archive_reader_open_at(config->folder, config->key, &part->verifying->checkpoint,
                                       part->from, &part->reader, reterr));
    hub_archive_reader_only_compare(part->reader);
    struct hub_archive_record record;
    for (uint64_t i = part->from; i < part->to; i++) {
        HUB_TRY(hub_archive_reader_next(part->reader, &record, reterr));
        part->records++;
        part->bytes += record.leaf.size;
        tell_progress(part);
    }
    return hub_tree_verify_part(hub_archive_reader_tiles(part->reader), part->number,
                                part->verifying->part_count, reterr);
}

static void *run_part(void *context) {
    struct part *part = context;
    part->status = read_part(part, &part->error);
    return NULL;
}

/* --- all of them --- */

static size_t count_parts(const struct hub_verify_config *config, uint64_t records) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t most = processors < 1 ? 1 : processors > PARTS_MAX ? PARTS_MAX : (uint64_t)processors;
    uint64_t count = records / PART_SIZE_MIN;
    if (config->parts > 0)
        return config->parts < PARTS_MAX ? config->parts : PARTS_MAX;
    return (size_t)(count < 1 ? 1 : count > most ? most : count);
}

static void read_parts(struct verifying *verifying, uint64_t from, uint64_t to) {
    uint64_t records = to > from ? to - from : 0;
    verifying->part_count = count_parts(verifying->config, records);
    for (size_t i = 0; i < verifying->part_count; i++) {
        struct part *part = &verifying->parts[i];
        part->verifying = verifying;
        part->number = i;
        part->from = from + records * i / verifying->part_count;
        part->to = from + records * (i + 1) / verifying->part_count;
        part->runs = pthread_create(&part->thread, NULL, run_part, part) == 0;
        if (!part->runs) /* then one after the other */
            run_part(part);
    }
    for (size_t i = 0; i < verifying->part_count; i++)
        if (verifying->parts[i].runs)
            pthread_join(verifying->parts[i].thread, NULL);
}

static enum hub_status join_part(const struct part *part, int64_t *last_offset,
                                 struct hub_spans *spans, struct hub_error *reterr) {
    struct hub_spans own = {0};
    int64_t first = hub_archive_reader_first_offset(part->reader);
    if (first >= 0 && first <= *last_offset)
        return hub_fail(reterr, HUB_REJECT, "record %llu: its entry does not come after the one before "
                        "it", (unsigned long long)part->from);
    if (first >= 0)
        *last_offset = hub_archive_reader_last_offset(part->reader);
    hub_archive_reader_append_spans(part->reader, &own);
    enum hub_status status = hub_spans_join(spans, own.items, own.count, reterr);
    hub_spans_free(&own);
    return status;
}

/* The first that fails is told, whichever was found first. `whole`: from the first record to the last. */
static enum hub_status judge(struct verifying *verifying, bool whole, struct hub_spans *spans,
                             struct hub_error *reterr) {
    int64_t last_offset = -1;
    for (size_t i = 0; i < verifying->part_count; i++) {
        const struct part *part = &verifying->parts[i];
        verifying->verified.records += part->records;
        verifying->verified.bytes += part->bytes;
        if (part->status != HUB_OK)
            *reterr = part->error;
        HUB_TRY(part->status);
        if (whole)
            HUB_TRY(join_part(part, &last_offset, spans, reterr));
    }
    return whole ? hub_spans_finish(spans, verifying->config->folder,
                                    &verifying->checkpoint, &verifying->verified.unsigned_bytes, reterr)
                 : HUB_OK;
}

static enum hub_status verify(struct verifying *verifying, struct hub_error *reterr) {
    const struct hub_verify_config *config = verifying->config;
    struct hub_checkpoint *checkpoint = &verifying->checkpoint;
    struct hub_spans spans = {0};
    HUB_TRY(hub_checkpoint_load(config->folder, "checkpoint", config->key, checkpoint, reterr));
    uint64_t size = checkpoint->size;
    uint64_t to = config->to == 0 || config->to > size ? size : config->to;
    verifying->verified.size = size;
    verifying->verified.next_offset = checkpoint->next_offset;
    read_parts(verifying, config->from, to);
    enum hub_status status = judge(verifying, config->from == 0 && to == size, &spans, reterr);
    hub_spans_free(&spans);
    if (status != HUB_OK)
        return status;
    return hub_tree_verify(config->folder, config->key, checkpoint, /* lowest= */ 2,
                           hub_archive_reader_tiles(verifying->parts[0].reader),
                           &verifying->verified.checkpoints, reterr);
}

enum hub_status hub_archive_verify(const struct hub_verify_config *config,
                                   struct hub_verified *ret_verified, struct hub_error *reterr) {
    struct verifying verifying = {.config = config};
    enum hub_status status = verify(&verifying, reterr);
    *ret_verified = verifying.verified;
    for (size_t i = 0; i < verifying.part_count; i++)
        hub_archive_reader_close(verifying.parts[i].reader);
    return status;
}
