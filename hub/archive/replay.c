#include "hub/archive/replay.h"

#include "hub/archive/stretch.h"

#include <string.h>

/* One log; its next record is at its head. */
struct source {
    const struct hub_replay_log *log;
    struct hub_stretch stretch;
    struct hub_archive_reader *reader;
    struct hub_archive_record head;
    uint64_t next; /* index of what is read after the head */
};

struct hub_replay {
    int64_t from_ms, to_ms;
    struct source *sources;
    size_t source_count;
    struct source **heap; /* those that have a head: the first one comes next */
    size_t heap_count;
    bool given; /* the first one's head was */
    uint64_t done, size;
};

/* --- order --- */

static bool comes_before(const struct source *a, const struct source *b) {
    const struct hub_leaf *left = &a->head.leaf, *right = &b->head.leaf;
    if (left->timestamp_ms != right->timestamp_ms)
        return left->timestamp_ms < right->timestamp_ms;
    int topics = strcmp(left->topic, right->topic);
    return topics != 0 ? topics < 0 : left->partition < right->partition;
}

static void swap(struct source **a, struct source **b) {
    struct source *was = *a;
    *a = *b;
    *b = was;
}

static void sift_up(struct hub_replay *replay, size_t at) {
    for (size_t above; at > 0; at = above) {
        above = (at - 1) / 2;
        if (!comes_before(replay->heap[at], replay->heap[above]))
            return;
        swap(&replay->heap[at], &replay->heap[above]);
    }
}

static void sift_down(struct hub_replay *replay, size_t at) {
    for (size_t least; (least = 2 * at + 1) < replay->heap_count; at = least) {
        if (least + 1 < replay->heap_count &&
            comes_before(replay->heap[least + 1], replay->heap[least]))
            least++;
        if (!comes_before(replay->heap[least], replay->heap[at]))
            return;
        swap(&replay->heap[least], &replay->heap[at]);
    }
}

/* --- sources --- */

/* Its next record of the time; none where `ret_has` is false. */
static enum hub_status read_head(struct hub_replay *replay, struct source *source, bool *ret_has,
                                 struct hub_error *reterr) {
    *ret_has = false;
    while (!*ret_has && source->next < source->stretch.end) {
        enum hub_status status = hub_archive_reader_next(source->reader, &source->head, reterr);
        if (status != HUB_OK)
            return hub_fail_at(reterr, status, "%s", source->log->key.name);
        source->next++;
        replay->done++;
        *ret_has = source->head.leaf.timestamp_ms >= replay->from_ms &&
                   source->head.leaf.timestamp_ms < replay->to_ms;
    }
    return HUB_OK;
}

static enum hub_status open_source(struct hub_replay *replay, struct source *source,
                                   struct hub_error *reterr) {
    const struct hub_stretch_config config = {.folder = source->log->folder,
                                           .key = &source->log->key,
                                           .size = source->log->size,
                                           .from_ms = replay->from_ms,
                                           .to_ms = replay->to_ms};
    bool has = false;
    enum hub_status status = hub_stretch_find(&config, &source->stretch, reterr);
    if (status == HUB_OK && source->stretch.first < source->stretch.end)
        status = hub_archive_reader_open_at(source->log->folder, &source->log->key,
                                            &source->stretch.checkpoint, source->stretch.first,
                                            &source->reader, reterr);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "%s", source->log->key.name);
    source->next = source->stretch.first;
    replay->size += source->stretch.end - source->stretch.first;
    HUB_TRY(read_head(replay, source, &has, reterr));
    if (has) {
        replay->heap[replay->heap_count++] = source;
        sift_up(replay, replay->heap_count - 1);
    }
    return HUB_OK;
}

static enum hub_status advance(struct hub_replay *replay, struct hub_error *reterr) {
    bool has = false;
    HUB_TRY(read_head(replay, replay->heap[0], &has, reterr));
    if (!has)
        replay->heap[0] = replay->heap[--replay->heap_count];
    sift_down(replay, 0);
    return HUB_OK;
}

/* --- the whole --- */

enum hub_status hub_replay_open(const struct hub_replay_config *config,
                                struct hub_replay **ret_replay, struct hub_error *reterr) {
    enum hub_status status = HUB_OK;
    struct hub_replay *replay = hub_allocate_zero(1, sizeof *replay);
    replay->from_ms = config->from_ms;
    replay->to_ms = config->to_ms;
    replay->source_count = config->log_count;
    replay->sources = hub_allocate_zero(config->log_count + 1, sizeof *replay->sources);
    replay->heap = hub_allocate_zero(config->log_count + 1, sizeof(struct source *));
    for (size_t i = 0; i < config->log_count && status == HUB_OK; i++) {
        replay->sources[i].log = &config->logs[i];
        status = open_source(replay, &replay->sources[i], reterr);
    }
    if (status == HUB_OK)
        *ret_replay = replay;
    else
        hub_replay_close(replay);
    return status;
}

void hub_replay_close(struct hub_replay *replay) {
    if (replay == NULL)
        return;
    for (size_t i = 0; i < replay->source_count; i++)
        hub_archive_reader_close(replay->sources[i].reader);
    hub_release(replay->sources);
    hub_release(replay->heap);
    hub_release(replay);
}

enum hub_status hub_replay_next(struct hub_replay *replay,
                                const struct hub_archive_record **ret_record,
                                struct hub_error *reterr) {
    if (replay->given)
        HUB_TRY(advance(replay, reterr));
    replay->given = replay->heap_count > 0;
    *ret_record = replay->given ? &replay->heap[0]->head : NULL;
    return HUB_OK;
}

const struct hub_checkpoint *hub_replay_checkpoint(const struct hub_replay *replay, size_t log) {
    assert(log < replay->source_count);
    return &replay->sources[log].stretch.checkpoint;
}

uint64_t hub_replay_done(const struct hub_replay *replay) {
    return replay->done;
}

uint64_t hub_replay_size(const struct hub_replay *replay) {
    return replay->size;
}

void hub_tally_add(struct hub_tally *tally, const struct hub_digest *record) {
    hub_digesting_add(&tally->digests, hub_bytes(record->bytes, sizeof record->bytes));
    tally->count++;
}

struct hub_digest hub_tally_digest(const struct hub_tally *tally) {
    return hub_digesting_so_far(&tally->digests);
}
