/* What a task keeps in the cache: asking it, noting what is committed, and catching up where the cache is
 * behind what was loaded. */
#include "hub/engine/task.h"

#include "hub/io/log.h"

#include <string.h>

/* offset 8, time 8, status size 4, status, value */
static const size_t STORED_HEADER_SIZE = 20;
static const char status_header[] = "hub_replaced_status";

/* A slot's state in the cache. It stays where it is while slots move. */
struct hub_shelving {
    struct hub_task *task;
    struct hub_cache_shelf *shelf;
    const char *spaces[HUB_STORE_TOPICS_MAX];
    struct hub_store store;
    bool is_asked; /* by the stage */
};

/* --- asking --- */

struct asking {
    struct hub_task *task;
    hub_store_take take;
    void *context;
    unsigned topic;
};

static enum hub_status give(const struct asking *asking, unsigned topic, struct hub_bytes key,
                            struct hub_bytes stored, struct hub_error *reterr) {
    struct hub_header status = {.name = status_header};
    struct hub_input input = {.has_key = true, .has_value = true, .key = key};
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
    asking->task->loaded_cached++;
    return asking->take(asking->context, topic, &input, reterr);
}

static enum hub_status give_found(void *context, unsigned topic, struct hub_bytes key,
                                  struct hub_bytes stored, struct hub_error *reterr) {
    return give(context, topic, key, stored, reterr);
}

static enum hub_status give_each(void *context, struct hub_bytes key, struct hub_bytes stored,
                                 struct hub_error *reterr) {
    const struct asking *asking = context;
    return give(asking, asking->topic, key, stored, reterr);
}

static enum hub_status find(void *context, uint64_t hook, struct hub_given *given,
                            hub_store_take take, void *take_context, struct hub_error *reterr) {
    struct hub_shelving *shelving = context;
    struct hub_engine *engine = shelving->task->engine;
    struct asking asking = {shelving->task, take, take_context, 0};
    pthread_mutex_lock(&engine->cache_lock);
    enum hub_status status =
        hub_cache_find(engine->cache, shelving->shelf, hook, given, give_found, &asking,
                       reterr);
    pthread_mutex_unlock(&engine->cache_lock);
    return status;
}

static enum hub_status each(void *context, unsigned topic, hub_store_take take,
                            void *take_context, struct hub_error *reterr) {
    struct hub_shelving *shelving = context;
    struct asking asking = {shelving->task, take, take_context, topic};
    int64_t next = -1;
    return hub_cache_load(shelving->task->engine->cache, shelving->spaces[topic], give_each,
                          &asking, &next, reterr);
}

/* --- opening --- */

static int64_t next_in(const struct hub_cache *cache, const struct hub_kept *kept) {
    int64_t next = hub_cache_next(cache, kept->space);
    return next < 0 ? 0 : next;
}

static enum hub_status open_shelf(struct hub_task *task, struct hub_slot *slot,
                                  struct hub_error *reterr) {
    struct hub_cache *cache = task->engine->cache;
    hub_task_close_shelf(slot);
    for (size_t i = 0; i < slot->kept_count; i++)
        slot->kept[i].next = 0, slot->kept[i].level = false;
    if (cache == NULL || !hub_cache_keeps(cache) || slot->kept_count == 0)
        return HUB_OK;
    struct hub_shelving *shelving = hub_allocate_zero(1, sizeof *shelving);
    shelving->task = task;
    shelving->store = (struct hub_store){shelving, find, each};
    for (size_t i = 0; i < slot->kept_count; i++)
        shelving->spaces[i] = slot->kept[i].space;
    slot->shelving = shelving;
    HUB_TRY(hub_cache_open_shelf(cache, slot->kept[0].space, slot->hooked_by,
                                 shelving->spaces, slot->kept_count, &shelving->shelf, reterr));
    for (size_t i = 0; i < slot->kept_count; i++) {
        slot->kept[i].next = next_in(cache, &slot->kept[i]);
        shelving->is_asked |= slot->kept[i].next > 0;
    }
    return HUB_OK;
}

enum hub_status hub_task_open_shelf(struct hub_task *task, struct hub_slot *slot,
                                    struct hub_error *reterr) {
    pthread_mutex_lock(&task->engine->cache_lock);
    enum hub_status status = open_shelf(task, slot, reterr);
    pthread_mutex_unlock(&task->engine->cache_lock);
    return status;
}

void hub_task_close_shelf(struct hub_slot *slot) {
    slot->shelving = hub_release(slot->shelving);
}

const struct hub_store *hub_slot_store(const struct hub_slot *slot) {
    const struct hub_shelving *shelving = slot->shelving;
    return shelving != NULL && shelving->is_asked ? &shelving->store : NULL;
}

const struct hub_store *hub_slot_whole_store(struct hub_slot *slot) {
    slot->shelving->is_asked = true;
    return &slot->shelving->store;
}

struct taking_near {
    void (*take)(void *context, const uint64_t *hashes, size_t count);
    void *context;
};

static enum hub_status take_near(void *context, const uint64_t *hashes, size_t count,
                                 struct hub_error *reterr) {
    const struct taking_near *taking = context;
    (void)reterr;
    taking->take(taking->context, hashes, count);
    return HUB_OK;
}

enum hub_status hub_slot_load_near(struct hub_slot *slot,
                                   void (*take)(void *context, const uint64_t *hashes,
                                                size_t count),
                                   void *context, struct hub_error *reterr) {
    struct taking_near taking = {take, context};
    if (hub_slot_store(slot) == NULL)
        return HUB_OK;
    struct hub_engine *engine = slot->shelving->task->engine;
    pthread_mutex_lock(&engine->cache_lock);
    enum hub_status status =
        hub_cache_near(engine->cache, slot->shelving->shelf, take_near, &taking, reterr);
    pthread_mutex_unlock(&engine->cache_lock);
    return status;
}

void hub_task_drop_space(struct hub_task *task, const struct hub_kept *kept) {
    pthread_mutex_lock(&task->engine->cache_lock);
    hub_cache_drop(task->engine->cache, kept->space);
    pthread_mutex_unlock(&task->engine->cache_lock);
}

/* --- noting --- */

static enum hub_status note(struct hub_task *task, struct hub_slot *slot, unsigned topic,
                            const struct hub_input *input, struct hub_error *reterr) {
    struct hub_bytes status = hub_input_header(input, status_header);
    uint32_t status_size = (uint32_t)status.size;
    const struct hub_bytes parts[] = {hub_bytes(&input->offset, 8),
                                      hub_bytes(&input->timestamp_ms, 8),
                                      hub_bytes(&status_size, 4), status, input->value};
    HUB_TRY(task->kind->hooks(task, slot, topic, input, &task->hooks, reterr));
    if (task->hooks.count > 0)
        hub_cache_note_hooked(task->engine->cache, slot->shelving->shelf, topic, input->key, parts,
                              sizeof parts / sizeof *parts, task->hooks.items, task->hooks.count);
    return HUB_OK;
}

void hub_task_note_record(struct hub_task *task, struct hub_slot *slot, unsigned topic,
                          const struct hub_input *input) {
    struct hub_error error;
    if (slot->kept[topic].level && slot->shelving != NULL &&
        note(task, slot, topic, input, &error) != HUB_OK) {
        hub_log(HUB_LOG_WARNING, "cache_begun_anew", "%s", error.text);
        task->sleeps_nowhere |= hub_slot_store(slot) != NULL;
        hub_task_shelve_anew(task, slot);
    }
}

/* Where the cache is behind, it comes by all that was committed, and what is in the state is newer. */
static bool has_unnoted(const struct hub_task *task, const struct hub_slot *slot) {
    return task->kind->unnoted != NULL && slot->state != NULL && slot->shelving != NULL &&
           slot->kept[0].level;
}

size_t hub_task_unnoted(const struct hub_task *task) {
    size_t count = 0;
    for (size_t i = 0; i < task->slot_count; i++)
        if (has_unnoted(task, &task->slots[i]))
            count += task->kind->unnoted(&task->slots[i]);
    return count;
}

void hub_task_note_rest(struct hub_task *task) {
    for (size_t i = 0; i < task->slot_count; i++)
        if (has_unnoted(task, &task->slots[i]))
            task->kind->note_rest(task, &task->slots[i]);
}

/* --- catching up --- */

void hub_task_shelve_anew(struct hub_task *task, struct hub_slot *slot) {
    struct hub_error error;
    bool was_asked = hub_slot_store(slot) != NULL;
    for (size_t i = 0; i < slot->kept_count; i++)
        hub_cache_drop(task->engine->cache, slot->kept[i].space);
    if (hub_task_open_shelf(task, slot, &error) != HUB_OK)
        hub_log(HUB_LOG_WARNING, "no_cache", "%s", error.text);
    if (slot->shelving != NULL)
        slot->shelving->is_asked = was_asked;
}

enum hub_status hub_task_fall_behind(struct hub_task *task, struct hub_error *reterr) {
    for (size_t i = 0; i < task->slot_count; i++) {
        struct hub_slot *slot = &task->slots[i];
        if (hub_slot_store(slot) != NULL)
            return hub_fail(reterr, HUB_RETRY, "there is another cache than the one that %s/%d "
                            "was loaded from", slot->topic, slot->partition);
        HUB_TRY(hub_task_open_shelf(task, slot, reterr));
        if (slot->shelving != NULL)
            slot->shelving->is_asked = false;
    }
    for (size_t i = 0; i < task->other_count; i++)
        task->others[i].followed = false; /* they are begun anew */
    return HUB_OK;
}

struct keeping {
    struct hub_task *task;
    struct hub_slot *slot;
    unsigned topic;
};

static enum hub_status keep_record(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    const struct keeping *keeping = context;
    struct hub_input input = hub_task_input(record);
    if (!input.has_key || !input.has_value)
        return HUB_OK;
    return note(keeping->task, keeping->slot, keeping->topic, &input, reterr);
}

enum hub_status hub_keep_piece(struct hub_task *task, struct hub_slot *slot,
                               struct hub_kept *kept, int64_t end, int64_t count_max,
                               struct hub_error *reterr) {
    if (kept->next > end) { /* ahead of Kafka: it is a copy of something else */
        hub_cache_drop(task->engine->cache, kept->space);
        kept->next = 0;
    }
    struct keeping keeping = {task, slot, (unsigned)(kept - slot->kept)};
    int64_t to = end - kept->next > count_max ? kept->next + count_max : end;
    hub_reader_want_header(task->reader, kept->header);
    HUB_TRY(hub_reader_read(task->reader, kept->topic, kept->partition, kept->next, to, keep_record,
                            &keeping, NULL, reterr));
    kept->next = to;
    kept->level = to == end;
    return HUB_OK;
}

/* The first one that the cache is behind of, and where it ends: what this process has committed, and
 * nobody else writes there. */
static enum hub_status find_behind(struct hub_task *task, struct hub_slot **ret_slot,
                                   struct hub_kept **ret_kept, int64_t *ret_end,
                                   struct hub_error *reterr) {
    for (size_t i = 0; i < task->slot_count; i++) {
        struct hub_slot *slot = &task->slots[i];
        for (size_t k = 0; slot->shelving != NULL && k < slot->kept_count; k++) {
            struct hub_kept *kept = &slot->kept[k];
            struct hub_kafka_partition end = {kept->topic, kept->partition, -1, NULL};
            if (kept->level)
                continue;
            /* Settled: the markers of its last commit may not be there yet, and what they make visible
             * was not noted. */
            if (!kept->is_input)
                HUB_TRY(hub_reader_settle(task->reader, &end, 1, reterr));
            *ret_slot = slot;
            *ret_kept = kept;
            *ret_end = !kept->is_input ? end.offset : slot->next < 0 ? 0 : slot->next;
            return HUB_OK;
        }
    }
    return HUB_OK;
}

enum hub_status hub_task_keep(struct hub_task *task, int64_t count_max, bool *ret_worked,
                              struct hub_error *reterr) {
    struct hub_slot *slot = NULL;
    struct hub_kept *kept = NULL;
    int64_t end = 0;
    *ret_worked = false;
    if (task->kind->hooks == NULL || task->engine->cache == NULL ||
        !hub_cache_keeps(task->engine->cache))
        return HUB_OK;
    HUB_TRY(find_behind(task, &slot, &kept, &end, reterr));
    if (kept == NULL)
        return HUB_OK;
    *ret_worked = true;
    return hub_keep_piece(task, slot, kept, end, count_max, reterr);
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
    for (size_t i = 0; i < task->other_count; i++) {
        const struct hub_slot *slot = &task->others[i];
        if (!slot->followed || hub_task_slot(task, slot->topic, slot->partition) != NULL)
            continue;
        for (size_t k = 0; k < slot->kept_count; k++)
            add_mark(&slot->kept[k], slot->kept[k].next, marks, count);
    }
}

/* No transaction of this process is open now: the ends of its topics are its own. */
enum hub_status hub_task_marks(struct hub_task *task, struct hub_cache_mark *marks,
                               size_t *ret_count, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    size_t count = 0, filled = 0;
    *ret_count = 0;
    if (task->kind->hooks == NULL)
        return HUB_OK;
    hub_task_note_rest(task); /* what the marks say is there */
    add_followed(task, marks, ret_count);
    if (task->slot_count == 0)
        return HUB_OK;
    struct hub_kafka_partition *states = hub_task_states(task, /* from= */ 0, &arena, &count);
    enum hub_status status = hub_reader_ends(task->reader, states, count, reterr);
    for (size_t i = 0; status == HUB_OK && i < task->slot_count; i++) {
        const struct hub_slot *slot = &task->slots[i];
        for (size_t k = 0; k < slot->kept_count; k++) {
            int64_t input_end = slot->next < 0 ? 0 : slot->next;
            int64_t end = slot->kept[k].is_input ? input_end : states[filled++].offset;
            if (slot->shelving != NULL)
                add_mark(&slot->kept[k], end, marks, ret_count);
        }
    }
    if (status == HUB_OK)
        status = check_still_ours(task, &arena, reterr);
    hub_arena_destroy(&arena);
    return status;
}
