/* What a task keeps in the cache: loading from it, noting what is committed, and catching up where the
 * cache is behind what was loaded. */
#include "hub/engine/task.h"

#include <string.h>

/* offset 8, time 8, status size 4, status, value */
static const size_t STORED_HEADER_SIZE = 20;

static void note(struct hub_cache *cache, const struct hub_kept *kept,
                 const struct hub_input *input) {
    struct hub_bytes status = hub_input_header(input, "hub_replaced_status");
    uint32_t status_size = (uint32_t)status.size;
    const struct hub_bytes parts[] = {hub_bytes(&input->offset, 8),
                                      hub_bytes(&input->timestamp_ms, 8),
                                      hub_bytes(&status_size, 4), status, input->value};
    hub_cache_note(cache, kept->space, input->key, parts, sizeof parts / sizeof *parts);
}

void hub_task_note_record(struct hub_task *task, const struct hub_kept *kept,
                          const struct hub_input *input) {
    if (kept->level)
        note(task->engine->cache, kept, input);
}

/* --- loading --- */

struct loading {
    enum hub_status (*take)(void *context, const struct hub_input *input,
                            struct hub_error *reterr);
    void *context;
    int32_t partition;
    int64_t cached, read; /* records so far */
};

static enum hub_status take_stored(void *context, struct hub_bytes key, struct hub_bytes stored,
                                   struct hub_error *reterr) {
    struct loading *loading = context;
    struct hub_header status = {.name = "hub_replaced_status"};
    struct hub_input input = {
        .has_key = true, .has_value = true, .key = key, .partition = loading->partition};
    uint32_t status_size = 0;
    if (stored.size < STORED_HEADER_SIZE)
        return hub_fail(reterr, HUB_RETRY, "cache: a record is cut off");
    memcpy(&input.offset, stored.data, 8);
    memcpy(&input.timestamp_ms, stored.data + 8, 8);
    memcpy(&status_size, stored.data + 16, 4);
    if (status_size > stored.size - STORED_HEADER_SIZE)
        return hub_fail(reterr, HUB_RETRY, "cache: a record is cut off");
    size_t from = STORED_HEADER_SIZE + status_size;
    status.value = hub_bytes_part(stored, STORED_HEADER_SIZE, from);
    input.value = hub_bytes_part(stored, from, stored.size);
    input.headers = &status;
    input.header_count = status_size > 0;
    loading->cached++;
    return loading->take(loading->context, &input, reterr);
}

static enum hub_status take_record(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    struct loading *loading = context;
    struct hub_input input = hub_task_input(record);
    loading->read++;
    return loading->take(loading->context, &input, reterr);
}

enum hub_status hub_task_load_topic(struct hub_task *task, struct hub_kept *kept, int64_t to,
                                    enum hub_status (*take)(void *context,
                                                            const struct hub_input *input,
                                                            struct hub_error *reterr),
                                    void *context, struct hub_error *reterr) {
    struct hub_cache *cache = task->engine->cache;
    struct loading loading = {take, context, kept->partition, 0, 0};
    int64_t next = -1;
    if (cache != NULL)
        HUB_TRY(hub_cache_load(cache, kept->space, take_stored, &loading, &next, reterr));
    if (next > to) { /* ahead of Kafka: it is a copy of something else */
        hub_cache_drop(cache, kept->space);
        return hub_fail(reterr, HUB_RETRY, "cache: %s is at %lld, ahead of Kafka's %lld",
                        kept->space, (long long)next, (long long)to);
    }
    kept->next = next < 0 ? 0 : next;
    kept->level = cache != NULL && kept->next == to;
    HUB_TRY(hub_reader_read(task->reader, kept->topic, kept->partition, kept->next, to, take_record,
                            &loading, NULL, reterr));
    task->loaded_cached += loading.cached;
    task->loaded_read += loading.read;
    return HUB_OK;
}

/* --- catching up --- */

static void fall_behind(const struct hub_cache *cache, struct hub_kept *kept) {
    if (kept->topic == NULL)
        return;
    int64_t next = hub_cache_next(cache, kept->space);
    kept->next = next < 0 ? 0 : next;
    kept->level = false;
}

void hub_task_fall_behind(struct hub_task *task) {
    for (size_t i = 0; i < task->slot_count; i++) {
        fall_behind(task->engine->cache, &task->slots[i].input);
        for (size_t kind = 0; kind < HUB_OUTPUT_KINDS; kind++)
            fall_behind(task->engine->cache, &task->slots[i].outputs[kind]);
    }
    for (size_t i = 0; i < task->other_count; i++)
        task->others[i].followed = false; /* they are begun anew */
}

struct keeping {
    struct hub_cache *cache;
    const struct hub_kept *kept;
};

static enum hub_status keep_record(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    const struct keeping *keeping = context;
    struct hub_input input = hub_task_input(record);
    (void)reterr;
    if (input.has_key && input.has_value)
        note(keeping->cache, keeping->kept, &input);
    return HUB_OK;
}

enum hub_status hub_keep_piece(struct hub_task *task, struct hub_kept *kept, int64_t end,
                               int64_t count_max, struct hub_error *reterr) {
    if (kept->next > end) { /* ahead of Kafka: it is a copy of something else */
        hub_cache_drop(task->engine->cache, kept->space);
        kept->next = 0;
    }
    struct keeping keeping = {task->engine->cache, kept};
    int64_t to = end - kept->next > count_max ? kept->next + count_max : end;
    HUB_TRY(hub_reader_read(task->reader, kept->topic, kept->partition, kept->next, to,
                            keep_record, &keeping, NULL, reterr));
    kept->next = to;
    kept->level = to == end;
    return HUB_OK;
}

/* The first one that the cache is behind of, and where it ends: what this process has committed, and
 * nobody else writes there. */
static enum hub_status find_behind(struct hub_task *task, struct hub_kept **ret_kept,
                                   int64_t *ret_end, struct hub_error *reterr) {
    const struct hub_task_kind *kind = task->kind;
    for (size_t i = 0; i < task->slot_count; i++) {
        struct hub_slot *slot = &task->slots[i];
        if (slot->input.topic != NULL && !slot->input.level) {
            *ret_kept = &slot->input;
            *ret_end = slot->next < 0 ? 0 : slot->next;
            return HUB_OK;
        }
        for (size_t k = 0; k < kind->state_count; k++) {
            struct hub_kept *kept = &slot->outputs[kind->state[k]];
            struct hub_kafka_partition end = {kept->topic, kept->partition, -1, NULL};
            if (kept->topic == NULL || kept->level)
                continue;
            /* Settled: the markers of its last commit may not be there yet, and what they make visible
             * was not noted. */
            HUB_TRY(hub_reader_settle(task->reader, &end, 1, reterr));
            *ret_kept = kept;
            *ret_end = end.offset;
            return HUB_OK;
        }
    }
    return HUB_OK;
}

enum hub_status hub_task_keep(struct hub_task *task, int64_t count_max, bool *ret_worked,
                              struct hub_error *reterr) {
    struct hub_kept *kept = NULL;
    int64_t end = 0;
    *ret_worked = false;
    if (task->kind->note == NULL || task->engine->cache == NULL ||
        !hub_cache_keeps(task->engine->cache))
        return HUB_OK;
    HUB_TRY(find_behind(task, &kept, &end, reterr));
    if (kept == NULL)
        return HUB_OK;
    *ret_worked = true;
    return hub_keep_piece(task, kept, end, count_max, reterr);
}

/* --- checkpoints --- */

static void add_mark(const struct hub_kept *kept, int64_t end, struct hub_cache_mark *marks,
                     size_t *count) {
    marks[(*count)++] = (struct hub_cache_mark){kept->space, kept->level ? end : kept->next};
}

/* Whoever writes to a slot's topics commits the slot's offset with it: where that is still ours,
 * nobody else has written there. Another may have, while this process stood still. */
static enum hub_status check_still_ours(struct hub_task *task, struct hub_arena *arena,
                                        struct hub_error *reterr) {
    struct hub_kafka_partition *committed =
        hub_arena_take(arena, task->slot_count * sizeof *committed);
    for (size_t i = 0; i < task->slot_count; i++)
        committed[i] = (struct hub_kafka_partition){task->slots[i].topic,
                                                    task->slots[i].partition, -1, NULL};
    HUB_TRY(hub_consumer_committed(task->consumer, committed, task->slot_count,
                                   HUB_KAFKA_TIMEOUT_MS, arena, reterr));
    for (size_t i = 0; i < task->slot_count; i++)
        if (committed[i].offset != task->slots[i].next)
            return hub_fail(reterr, HUB_RETRY,
                            "%s/%d is committed up to %lld, and not to %lld as by this process",
                            committed[i].topic, committed[i].partition,
                            (long long)committed[i].offset, (long long)task->slots[i].next);
    return HUB_OK;
}

/* Of the slots of others: how far they were followed. */
static void add_followed(struct hub_task *task, struct hub_cache_mark *marks, size_t *count) {
    const struct hub_task_kind *kind = task->kind;
    for (size_t i = 0; i < task->other_count; i++) {
        const struct hub_slot *slot = &task->others[i];
        if (!slot->followed || hub_task_slot(task, slot->topic, slot->partition) != NULL)
            continue;
        if (slot->input.topic != NULL)
            add_mark(&slot->input, slot->input.next, marks, count);
        for (size_t k = 0; k < kind->state_count; k++) {
            const struct hub_kept *kept = &slot->outputs[kind->state[k]];
            if (kept->topic != NULL)
                add_mark(kept, kept->next, marks, count);
        }
    }
}

/* No transaction of this process is open now: the ends of its topics are its own. */
enum hub_status hub_task_marks(struct hub_task *task, struct hub_cache_mark *marks,
                               size_t *ret_count, struct hub_error *reterr) {
    const struct hub_task_kind *kind = task->kind;
    struct hub_arena arena = {0};
    size_t count = 0, filled = 0;
    *ret_count = 0;
    if (kind->note == NULL)
        return HUB_OK;
    add_followed(task, marks, ret_count);
    if (task->slot_count == 0)
        return HUB_OK;
    struct hub_kafka_partition *states = hub_task_states(task, /* from= */ 0, &arena, &count);
    enum hub_status status = hub_reader_ends(task->reader, states, count, reterr);
    for (size_t i = 0; status == HUB_OK && i < task->slot_count; i++) {
        const struct hub_slot *slot = &task->slots[i];
        if (slot->input.topic != NULL)
            add_mark(&slot->input, slot->next < 0 ? 0 : slot->next, marks, ret_count);
        for (size_t k = 0; k < kind->state_count; k++)
            if (slot->outputs[kind->state[k]].topic != NULL)
                add_mark(&slot->outputs[kind->state[k]], states[filled++].offset, marks,
                         ret_count);
    }
    if (status == HUB_OK)
        status = check_still_ours(task, &arena, reterr);
    hub_arena_destroy(&arena);
    return status;
}
