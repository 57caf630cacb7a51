/* Following the shards that other processes hold: the cache stays a copy of their topics too, so that
 * whoever takes one over reads only what came since. */
#include "hub/engine/task.h"
#include "hub/io/clock.h"
#include "hub/io/log.h"

#include <string.h>

enum { LOOK_TIMEOUT_MS = 200 };
static const int64_t LOOK_INTERVAL_MS = 1000;

/* All partitions that the task's group consumes, whoever holds them. */
static enum hub_status list_others(struct hub_task *task, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    const char *const *topics = task->kind->topics(task->engine->catalogue, &arena);
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && topics[i] != NULL; i++) {
        int32_t count = 0;
        status = hub_reader_partition_count(task->reader, topics[i], &count, reterr);
        for (int32_t partition = 0; partition < count; partition++) {
            HUB_GROW(task->others, task->other_count, task->other_capacity);
            hub_slot_init(task, topics[i], partition, &task->others[task->other_count++]);
        }
    }
    hub_arena_destroy(&arena);
    return status;
}

/* What the cache has of a space is what its file says: what was noted for it before somebody else
 * held it is noted again. */
static enum hub_status begin_slot(struct hub_task *task, struct hub_slot *slot,
                                  struct hub_error *reterr) {
    HUB_TRY(hub_task_open_shelf(task, slot, reterr));
    for (size_t i = 0; i < slot->kept_count; i++)
        slot->kept[i].level = true; /* until a look finds more */
    slot->followed = true;
    slot->next = -1;
    return HUB_OK;
}

void hub_task_unfollow(struct hub_task *task, const char *topic, int32_t partition) {
    for (size_t i = 0; i < task->other_count; i++)
        if (task->others[i].partition == partition && strcmp(task->others[i].topic, topic) == 0)
            task->others[i].followed = false;
}

/* Those of others, in the order of task->others. */
static enum hub_status list_followed(struct hub_task *task, struct hub_slot **followed,
                                     size_t *ret_count, struct hub_error *reterr) {
    bool all = task->slot_count == task->other_count; /* as where there is one process */
    for (size_t i = 0; i < task->other_count; i++) {
        struct hub_slot *slot = &task->others[i];
        if (all || slot->left_alone || slot->kept_count == 0 ||
            hub_task_slot(task, slot->topic, slot->partition) != NULL)
            continue;
        if (!slot->followed)
            HUB_TRY(begin_slot(task, slot, reterr));
        followed[(*ret_count)++] = slot;
    }
    return HUB_OK;
}

static enum hub_status find_outputs(struct hub_task *task, struct hub_slot *slot,
                                    struct hub_error *reterr) {
    for (size_t k = 0; k < slot->kept_count; k++) {
        struct hub_kept *kept = &slot->kept[k];
        struct hub_kafka_partition end = {kept->topic, kept->partition, -1, NULL};
        if (kept->is_input)
            continue;
        HUB_TRY(hub_reader_ends(task->reader, &end, 1, reterr));
        kept->end = end.offset;
        kept->level = kept->next >= end.offset;
    }
    return HUB_OK;
}

/* What has been committed since the last look. A log is copied up to there, and not to its end: what
 * the fold has not taken is no state. */
static enum hub_status look(struct hub_task *task, struct hub_slot **followed, size_t count,
                            struct hub_arena *arena, struct hub_error *reterr) {
    struct hub_kafka_partition *committed = hub_arena_take(arena, count * sizeof *committed);
    for (size_t i = 0; i < count; i++)
        committed[i] = (struct hub_kafka_partition){followed[i]->topic, followed[i]->partition, -1,
                                                    NULL};
    HUB_TRY(hub_consumer_committed(task->consumer, committed, count, LOOK_TIMEOUT_MS, arena,
                                   reterr));
    for (size_t i = 0; i < count; i++) {
        struct hub_slot *slot = followed[i];
        if (committed[i].offset == slot->next)
            continue;
        HUB_TRY(find_outputs(task, slot, reterr));
        slot->next = committed[i].offset;
        for (size_t k = 0; k < slot->kept_count; k++)
            if (slot->kept[k].is_input)
                slot->kept[k].level = slot->kept[k].next >= slot->next;
    }
    return HUB_OK;
}

static enum hub_status keep_slot(struct hub_task *task, struct hub_slot *slot, int64_t count_max,
                                 bool *ret_worked, struct hub_error *reterr) {
    enum hub_status status = HUB_OK;
    for (size_t i = 0; !*ret_worked && i < slot->kept_count; i++) {
        struct hub_kept *kept = &slot->kept[i];
        if (kept->level)
            continue;
        *ret_worked = true;
        status = hub_keep_piece(task, slot, kept, kept->is_input ? slot->next : kept->end,
                                count_max, reterr);
    }
    if (status != HUB_REJECT)
        return status;
    /* Whoever takes it over reads it from Kafka. */
    hub_log(HUB_LOG_WARNING, "left_alone", "%s", reterr->text);
    slot->left_alone = true;
    slot->followed = false;
    hub_task_shelve_anew(task, slot);
    return HUB_OK;
}

static enum hub_status follow(struct hub_task *task, struct hub_slot **followed, size_t count,
                              int64_t count_max, bool *ret_worked, struct hub_error *reterr) {
    int64_t now_ms = hub_clock_monotonic_ms();
    for (size_t i = 0; !*ret_worked && i < count; i++)
        HUB_TRY(keep_slot(task, followed[i], count_max, ret_worked, reterr));
    if (*ret_worked || now_ms - task->looked_ms < LOOK_INTERVAL_MS)
        return HUB_OK;
    task->looked_ms = now_ms;
    struct hub_arena arena = {0};
    enum hub_status status = look(task, followed, count, &arena, reterr);
    hub_arena_destroy(&arena);
    return status;
}

enum hub_status hub_task_follow(struct hub_task *task, int64_t count_max, bool *ret_worked,
                                struct hub_error *reterr) {
    *ret_worked = false;
    if (task->kind->hooks == NULL || task->engine->cache == NULL || !task->assigned ||
        !hub_cache_keeps(task->engine->cache))
        return HUB_OK;
    if (task->others == NULL)
        HUB_TRY(list_others(task, reterr));
    struct hub_slot **followed =
        hub_allocate_zero(task->other_count + 1, sizeof(struct hub_slot *));
    size_t count = 0;
    enum hub_status status = list_followed(task, followed, &count, reterr);
    if (status == HUB_OK && count > 0)
        status = follow(task, followed, count, count_max, ret_worked, reterr);
    hub_release(followed);
    return status;
}
