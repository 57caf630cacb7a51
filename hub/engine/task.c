#include "hub/engine/task.h"

#include "hub/engine/counts.h"
#include "hub/engine/topics.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/io/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- assignment --- */

struct hub_slot *hub_task_slot(struct hub_task *task, const char *topic, int32_t partition) {
    for (size_t i = 0; i < task->slot_count; i++)
        if (task->slots[i].partition == partition && strcmp(task->slots[i].topic, topic) == 0)
            return &task->slots[i];
    return NULL;
}

/* ingest.<institution>.<domain>, log.<domain>, or decision, which is of all domains */
static void read_topic(const struct hub_task *task, struct hub_slot *slot) {
    const struct hub_catalogue *catalogue = task->engine->catalogue;
    struct hub_bytes kind, rest, institution;
    if (strcmp(slot->topic, HUB_DECISION_TOPIC) == 0)
        return;
    hub_bytes_cut(hub_bytes_of_text(slot->topic), '.', &kind, &rest);
    if (hub_bytes_equal_text(kind, "ingest") && hub_bytes_cut(rest, '.', &institution, &rest))
        slot->institution = hub_parties_institution(&catalogue->parties, institution)->name;
    slot->domain = hub_catalogue_domain(catalogue, rest);
    assert(slot->domain != NULL);
}

static void destroy_slot(const struct hub_task *task, struct hub_slot *slot) {
    if (slot->state != NULL)
        task->kind->unload(slot);
    hub_task_close_shelf(slot);
    hub_release(slot->topic);
    hub_arena_destroy(&slot->names);
}

static void drop_slot(struct hub_task *task, size_t index) {
    destroy_slot(task, &task->slots[index]);
    task->slots[index] = task->slots[--task->slot_count];
}

/* The cache's name of a topic partition. */
static const char *space_of(struct hub_arena *arena, const char *topic, int32_t partition) {
    return hub_arena_format(arena, "%s/%d", topic, partition);
}

static void add_kept(struct hub_slot *slot, const char *topic, bool is_input) {
    slot->kept[slot->kept_count++] =
        (struct hub_kept){.topic = topic,
                          .partition = slot->partition,
                          .is_input = is_input,
                          .space = space_of(&slot->names, topic, slot->partition)};
}

/* Put together once, not for every record. */
static void name_topics(const struct hub_task *task, struct hub_slot *slot) {
    const struct hub_task_kind *kind = task->kind;
    for (size_t i = 0; i < HUB_OUTPUT_KINDS; i++)
        slot->output_topics[i] = kind->topic_of(slot, (enum hub_output_kind)i, &slot->names);
    if (kind->keeps_input)
        add_kept(slot, slot->topic, /* is_input= */ true);
    for (size_t i = 0; i < kind->state_count; i++)
        if (slot->output_topics[kind->state[i]] != NULL)
            add_kept(slot, slot->output_topics[kind->state[i]], /* is_input= */ false);
    for (size_t i = 0; i < slot->kept_count; i++)
        slot->kept[i].header = kind->headers == NULL ? NULL : kind->headers[i];
}

void hub_slot_init(const struct hub_task *task, const char *topic, int32_t partition,
                   struct hub_slot *ret_slot) {
    *ret_slot = (struct hub_slot){.topic = hub_copy_text(topic), .partition = partition};
    read_topic(task, ret_slot);
    name_topics(task, ret_slot);
    if (task->kind->has_rules)
        snprintf(ret_slot->hooked_by, sizeof ret_slot->hooked_by, "%s", ret_slot->domain->rules);
}

struct hub_kafka_partition *hub_task_states(const struct hub_task *task, size_t from,
                                            struct hub_arena *arena, size_t *ret_count) {
    struct hub_kafka_partition *states = hub_arena_take(
        arena, ((task->slot_count - from) * HUB_STORE_TOPICS_MAX + 1) * sizeof *states);
    *ret_count = 0;
    for (size_t i = from; i < task->slot_count; i++)
        for (size_t k = 0; k < task->slots[i].kept_count; k++) {
            const struct hub_kept *kept = &task->slots[i].kept[k];
            if (!kept->is_input)
                states[(*ret_count)++] =
                    (struct hub_kafka_partition){kept->topic, kept->partition, -1, NULL};
        }
    return states;
}

/* Where the states of fresh slots end: asked for all of them at once, however many there are. */
static enum hub_status find_ends(struct hub_task *task, size_t fresh, struct hub_arena *arena,
                                 struct hub_error *reterr) {
    size_t count = 0, at = 0;
    struct hub_kafka_partition *states = hub_task_states(task, fresh, arena, &count);
    HUB_TRY(hub_reader_settle(task->reader, states, count, reterr));
    for (size_t i = fresh; i < task->slot_count; i++)
        for (size_t k = 0; k < task->slots[i].kept_count; k++)
            if (!task->slots[i].kept[k].is_input)
                task->slots[i].kept[k].end = states[at++].offset;
    return HUB_OK;
}

/* Whether somebody else has committed since, and this task only has yet to hear of it. Asked by another
 * client: its own may have been fenced. */
static bool has_gone_on(struct hub_task *task, const struct hub_slot *slot, int64_t committed) {
    struct hub_kafka_partition now = {.topic = slot->topic, .partition = slot->partition};
    struct hub_arena arena = {0};
    struct hub_error ignored;
    enum hub_status status = hub_reader_committed(task->engine->settings->bootstrap, task->group,
                                                  &now, 1, &arena, &ignored);
    hub_arena_destroy(&arena);
    return status == HUB_OK && now.offset != committed;
}

static enum hub_status load_slot(struct hub_task *task, struct hub_slot *slot,
                                 struct hub_kafka_partition *committed,
                                 struct hub_error *reterr) {
    enum hub_status status = hub_counts_check_schemas(
        committed->metadata, task->engine->catalogue, &hub_sha256, reterr);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "%s/%d", slot->topic, slot->partition);
    status = task->kind->load(task, slot, committed, reterr);
    if (status == HUB_RETRY) { /* a damaged cache has been dropped: once more, from the topics */
        if (slot->state != NULL)
            task->kind->unload(slot);
        slot->state = NULL;
        hub_task_close_shelf(slot);
        hub_log(HUB_LOG_WARNING, "load_again", "%s", reterr->text);
        status = task->kind->load(task, slot, committed, reterr);
    }
    /* What was loaded while another went on is of two times, and contradicts itself. */
    if (status == HUB_FATAL && has_gone_on(task, slot, committed->offset))
        status = hub_fail(reterr, HUB_RETRY, "%s/%d went on while it was loaded: another has it",
                          slot->topic, slot->partition);
    slot->next = slot->committed = committed->offset;
    return status;
}

/* What is loaded sleeps, and shows late whether it is of two times. */
static enum hub_status check_nobody_went_on(struct hub_task *task, size_t fresh, size_t count,
                                            struct hub_arena *arena, struct hub_error *reterr) {
    struct hub_kafka_partition *now = hub_arena_take(arena, (count + 1) * sizeof *now);
    for (size_t i = 0; i < count; i++)
        now[i] = (struct hub_kafka_partition){task->slots[fresh + i].topic,
                                              task->slots[fresh + i].partition, -1, NULL};
    HUB_TRY(hub_consumer_committed(task->consumer, now, count, HUB_KAFKA_TIMEOUT_MS, arena, reterr));
    for (size_t i = 0; i < count; i++)
        if (now[i].offset != task->slots[fresh + i].committed)
            return hub_fail(reterr, HUB_RETRY, "%s/%d went on while it was loaded: another has it",
                            now[i].topic, now[i].partition);
    return HUB_OK;
}

static enum hub_status take_partitions(struct hub_task *task,
                                       struct hub_kafka_partition *committed, size_t count,
                                       struct hub_arena *arena, struct hub_error *reterr) {
    size_t fresh = task->slot_count;
    HUB_TRY(hub_topics_check(task->engine->catalogue, task->reader, reterr)); /* some may be new */
    HUB_TRY(hub_consumer_committed(task->consumer, committed, count, HUB_KAFKA_TIMEOUT_MS, arena,
                                   reterr));
    for (size_t i = 0; i < count; i++) {
        HUB_GROW(task->slots, task->slot_count, task->slot_capacity);
        hub_slot_init(task, committed[i].topic, committed[i].partition,
                      &task->slots[task->slot_count++]);
        hub_task_unfollow(task, committed[i].topic, committed[i].partition);
    }
    HUB_TRY(find_ends(task, fresh, arena, reterr));
    for (size_t i = 0; i < count; i++)
        HUB_TRY(load_slot(task, &task->slots[fresh + i], &committed[i], reterr));
    return check_nobody_went_on(task, fresh, count, arena, reterr);
}

static enum hub_status on_assigned(void *context, struct hub_kafka_partition *partitions,
                                   size_t count, struct hub_error *reterr) {
    struct hub_task *task = context;
    struct hub_arena arena = {0};
    enum hub_status status = HUB_OK;
    if (count > 0)
        status = take_partitions(task, partitions, count, &arena, reterr);
    for (size_t i = 0; i < count; i++)
        partitions[i].metadata = NULL;
    hub_arena_destroy(&arena);
    task->assigned = status == HUB_OK;
    return status;
}

static void on_revoked(void *context, const struct hub_kafka_partition *partitions,
                       size_t count) {
    struct hub_task *task = context;
    for (size_t i = 0; i < count; i++)
        for (size_t k = task->slot_count; k > 0; k--)
            if (task->slots[k - 1].partition == partitions[i].partition &&
                strcmp(task->slots[k - 1].topic, partitions[i].topic) == 0)
                drop_slot(task, k - 1);
}

enum hub_status hub_task_open(struct hub_task *task, const struct hub_task_kind *kind,
                              struct hub_engine *engine, size_t *batch_count_max,
                              struct hub_error *reterr) {
    const struct hub_settings *settings = engine->settings;
    char id[192];
    struct hub_arena arena = {0};
    *task = (struct hub_task){
        .kind = kind, .engine = engine, .batch_count_max = batch_count_max};
    snprintf(task->group, sizeof task->group, "%s-%s", settings->group, kind->name);
    snprintf(id, sizeof id, "%s.%s.%s", settings->group, kind->name, settings->instance);
    task->transactional_id = hub_copy_text(id);
    HUB_SCOPED_BUFFER stamp = {0};
    hub_catalogue_stamp(engine->catalogue, &hub_sha256, &stamp);
    task->schemas = hub_copy_text(hub_buffer_text(&stamp));
    if (kind->open != NULL)
        kind->open(task);
    HUB_TRY(hub_reader_new(settings->bootstrap, &task->reader, reterr));
    HUB_TRY(hub_topics_check(engine->catalogue, task->reader, reterr)); /* before it writes or joins */
    /* The producer first: it ends what an earlier process of this name left open. What a broker has
     * forgotten to end is open until somebody ends it by hand, and the next transaction of this name
     * would commit it: none is begun before. */
    HUB_TRY(hub_producer_new(settings->bootstrap, id, &task->producer, reterr));
    HUB_TRY(hub_topics_settle(engine->catalogue, task->reader, kind->writes, reterr));
    struct hub_consumer_config config = {.bootstrap = settings->bootstrap,
                                         .group = task->group,
                                         .instance = settings->instance,
                                         .topics = kind->topics(engine->catalogue, &arena),
                                         .assigned = on_assigned,
                                         .revoked = on_revoked,
                                         .context = task};
    enum hub_status status = hub_consumer_new(&config, &task->consumer, reterr);
    hub_arena_destroy(&arena);
    return status;
}

void hub_task_close(struct hub_task *task) {
    hub_kafka_batch_free(&task->batch);
    hub_consumer_free(task->consumer);
    hub_producer_free(task->producer);
    hub_reader_free(task->reader);
    while (task->slot_count > 0)
        drop_slot(task, task->slot_count - 1);
    while (task->other_count > 0)
        destroy_slot(task, &task->others[--task->other_count]);
    if (task->own != NULL)
        task->kind->close(task);
    hub_release(task->slots);
    hub_release(task->others);
    hub_release(task->transactional_id);
    hub_release(task->schemas);
    hub_hooks_free(&task->hooks);
    hub_arena_destroy(&task->arena);
    *task = (struct hub_task){0};
}

/* --- one transaction --- */

struct hub_input hub_task_input(const struct hub_kafka_record *record) {
    return (struct hub_input){.has_key = record->has_key,
                              .has_value = record->has_value,
                              .key = record->key,
                              .value = record->value,
                              .headers = (const struct hub_header *)record->headers,
                              .header_count = record->header_count,
                              .partition = record->partition,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
}

_Static_assert(sizeof(struct hub_header) == sizeof(struct hub_kafka_header) &&
                   offsetof(struct hub_header, value) == offsetof(struct hub_kafka_header, value),
               "a header is a header");

static enum hub_status write_outputs(struct hub_task *task, const struct hub_slot *slot,
                                     const struct hub_outputs *outputs,
                                     struct hub_error *reterr) {
    for (size_t i = 0; i < outputs->count; i++) {
        const struct hub_output *output = &outputs->items[i];
        struct hub_kafka_write write = {
            .topic = output->topic != NULL ? output->topic : slot->output_topics[output->kind],
            .partition = output->partition,
            .has_key = output->has_key,
            .key = output->key,
            .value = output->value,
            .stays = true,
            .headers = (const struct hub_kafka_header *)output->headers,
            .header_count = output->header_count};
        HUB_TRY(hub_producer_write(task->producer, &write, reterr));
    }
    return HUB_OK;
}

/* The slot of a record of the batch; mostly that of the one before. */
static struct hub_slot *slot_of(struct hub_task *task, size_t index, struct hub_slot *before) {
    const struct hub_kafka_record *record = &task->batch.records[index];
    if (before != NULL && record->topic == record[-1].topic &&
        record->partition == record[-1].partition)
        return before;
    return hub_task_slot(task, record->topic, record->partition);
}

/* Of what it consumes, that is noted for the cache once it is committed. */
static const char *noted_header(const struct hub_task *task, const struct hub_slot *slot) {
    return task->kind->keeps_input ? slot->kept[0].header : NULL;
}

static enum hub_status process_batch(struct hub_task *task, struct hub_outputs *outputs,
                                     struct hub_error *reterr) {
    struct hub_slot *slot = NULL;
    for (size_t i = 0; i < task->batch.count; i++) {
        const struct hub_kafka_record *record = &task->batch.records[i];
        slot = slot_of(task, i, slot);
        if (slot == NULL)
            return hub_fail(reterr, HUB_RETRY, "%s/%d was taken away", record->topic,
                            record->partition);
        if (record->offset < slot->next) /* it has counted in what was loaded */
            return hub_fail(reterr, HUB_RETRY, "%s/%d: offset %lld came again, after %lld", record->topic,
                            record->partition, (long long)record->offset, (long long)slot->next - 1);
        hub_kafka_batch_read_headers(&task->batch, i);
        struct hub_input input = hub_task_input(record);
        outputs[i] = (struct hub_outputs){.arena = &task->arena};
        enum hub_status status = task->kind->process(task, slot, &input, &outputs[i], reterr);
        if (status == HUB_FATAL && has_gone_on(task, slot, slot->committed))
            return hub_fail(reterr, HUB_RETRY, "%s/%d went on: another has it", record->topic,
                            record->partition);
        HUB_TRY(status);
        HUB_TRY(write_outputs(task, slot, &outputs[i], reterr));
        hub_kafka_batch_leave_headers(&task->batch, i, noted_header(task, slot));
        slot->next = record->offset + 1;
        slot->touched = true;
    }
    return HUB_OK;
}

static enum hub_status send_offsets(struct hub_task *task, struct hub_error *reterr) {
    struct hub_kafka_partition *offsets =
        hub_arena_take(&task->arena, (task->slot_count + 1) * sizeof *offsets);
    size_t count = 0;
    for (size_t i = 0; i < task->slot_count; i++) {
        struct hub_slot *slot = &task->slots[i];
        HUB_SCOPED_BUFFER counts = {0};
        if (!slot->touched)
            continue;
        slot->touched = false;
        hub_counts_render_schemas(task->schemas, &counts);
        task->kind->render_counts(task, slot, &counts);
        offsets[count++] = (struct hub_kafka_partition){
            slot->topic, slot->partition, slot->next < 0 ? 0 : slot->next,
            hub_arena_text(&task->arena, (const char *)counts.data, counts.size)};
    }
    return hub_producer_send_offsets(task->producer, task->consumer, offsets, count, reterr);
}

static void note_batch(struct hub_task *task, const struct hub_outputs *outputs) {
    struct hub_slot *slot = NULL;
    bool notes = task->engine->cache != NULL && task->kind->note != NULL;
    for (size_t i = 0; i < task->slot_count; i++)
        task->slots[i].committed = task->slots[i].next;
    for (size_t i = 0; notes && i < task->batch.count; i++) {
        struct hub_input input = hub_task_input(&task->batch.records[i]);
        slot = slot_of(task, i, slot);
        if (slot != NULL)
            task->kind->note(task, slot, &input, &outputs[i]);
    }
}

static enum hub_status flush_slots(struct hub_task *task, struct hub_error *reterr) {
    for (size_t i = 0; i < task->slot_count; i++) {
        struct hub_outputs outputs = {.arena = &task->arena};
        task->kind->flush(task, &task->slots[i], &outputs);
        HUB_TRY(write_outputs(task, &task->slots[i], &outputs, reterr));
    }
    return HUB_OK;
}

static enum hub_status run_transaction(struct hub_task *task, struct hub_error *reterr) {
    struct hub_outputs *outputs =
        hub_arena_take_zero(&task->arena, task->batch.count, sizeof *outputs);
    HUB_TRY(hub_producer_begin(task->producer, reterr));
    enum hub_status status = task->kind->gather == NULL ? process_batch(task, outputs, reterr)
                                                        : flush_slots(task, reterr);
    if (status == HUB_OK)
        status = send_offsets(task, reterr);
    if (status != HUB_OK) {
        hub_producer_abort(task->producer);
        return status;
    }
    int64_t began_ms = hub_clock_monotonic_ms();
    HUB_TRY(hub_producer_commit(task->producer, reterr));
    task->commit_ms_total += hub_clock_monotonic_ms() - began_ms;
    task->transactions++;
    task->records += (int64_t)task->batch.count;
    note_batch(task, outputs);
    return HUB_OK;
}

/* A producer that has seen an ambiguous answer is replaced before the next transaction. */
static enum hub_status renew_producer(struct hub_task *task, struct hub_error *reterr) {
    if (!hub_producer_is_dirty(task->producer))
        return HUB_OK;
    hub_log(HUB_LOG_INFO, "producer_renewed", "%s: an answer was ambiguous",
            task->transactional_id);
    hub_producer_free(task->producer);
    task->producer = NULL;
    return hub_producer_new(task->engine->settings->bootstrap, task->transactional_id,
                            &task->producer, reterr);
}

static void adapt_batch(struct hub_task *task, bool committed) {
    size_t setting = (size_t)task->engine->settings->batch_count_max;
    size_t wanted = committed ? *task->batch_count_max * 2 : *task->batch_count_max / 2;
    *task->batch_count_max = wanted < 1 ? 1 : wanted > setting ? setting : wanted;
}

/* A member that the group has fenced goes on anew, unless a process of the same instance name is
 * there: that one has taken over the producer too, and two would fence each other for ever. */
static enum hub_status poll_batch(struct hub_task *task, int64_t timeout_ms,
                                  struct hub_error *reterr) {
    enum hub_status status = hub_consumer_poll(task->consumer, timeout_ms, *task->batch_count_max,
                                               &task->batch, reterr);
    if (status != HUB_RETRY || !hub_consumer_is_fenced(task->consumer))
        return status;
    if (hub_producer_is_fenced(task->producer, task->group))
        status = hub_fail(reterr, HUB_FATAL,
                          "another process of instance name '%s' has joined group %s; each needs a "
                          "name of its own", task->engine->settings->instance, task->group);
    return status;
}

/* The records first: they may say what else to look at. It takes as long as it takes, and before any
 * transaction is open. */
static enum hub_status gather(struct hub_task *task, bool *ret_due, struct hub_error *reterr) {
    struct hub_outputs *none =
        hub_arena_take_zero(&task->arena, task->batch.count, sizeof *none);
    bool due = false;
    HUB_TRY(process_batch(task, none, reterr));
    HUB_TRY(task->kind->gather(task, &due, reterr));
    hub_arena_reset(&task->arena);
    *ret_due |= due;
    return HUB_OK;
}

enum hub_status hub_task_join(struct hub_task *task, int64_t timeout_ms, struct hub_error *reterr) {
    enum { STEP_MS = 50 };
    int64_t began_ms = hub_clock_monotonic_ms();
    while (!task->assigned && hub_clock_monotonic_ms() - began_ms < timeout_ms)
        HUB_TRY(poll_batch(task, STEP_MS, reterr));
    return HUB_OK;
}

enum hub_status hub_task_step(struct hub_task *task, int64_t timeout_ms, bool *ret_worked,
                              struct hub_error *reterr) {
    if (task->sleeps_nowhere)
        return hub_fail(reterr, HUB_RETRY, "the cache was begun anew, and with it went what sleeps");
    HUB_TRY(poll_batch(task, timeout_ms, reterr));
    *ret_worked = task->batch.count > 0;
    if (task->kind->gather != NULL)
        HUB_TRY(gather(task, ret_worked, reterr));
    if (!*ret_worked)
        return HUB_OK;
    enum hub_status status = renew_producer(task, reterr);
    if (status == HUB_OK)
        status = run_transaction(task, reterr);
    adapt_batch(task, status == HUB_OK);
    if (status != HUB_OK) /* what was written may still be on its way: it is closed with the producer */
        return status;
    hub_kafka_batch_clear(&task->batch);
    hub_arena_reset(&task->arena);
    return HUB_OK;
}

/* --- sleeping --- */

/* What is awake and could sleep: the cache has all of the slot's state, or what was noted for it. */
static size_t could_sleep(const struct hub_task *task, const struct hub_slot *slot) {
    const struct hub_cache *cache = task->engine->cache;
    if (task->kind->awake == NULL || slot->state == NULL || slot->shelving == NULL ||
        cache == NULL || !hub_cache_keeps(cache))
        return 0;
    for (size_t i = 0; i < slot->kept_count; i++)
        if (!slot->kept[i].level)
            return 0;
    return task->kind->awake(slot);
}

size_t hub_task_awake(const struct hub_task *task) {
    size_t awake = 0;
    for (size_t i = 0; i < task->slot_count; i++)
        awake += could_sleep(task, &task->slots[i]);
    return awake;
}

bool hub_task_is_wide_awake(const struct hub_task *task) {
    size_t awake_max = (size_t)task->engine->settings->awake_max;
    return awake_max > 0 && hub_task_awake(task) > awake_max;
}

void hub_task_let_sleep(struct hub_task *task) {
    size_t little = (size_t)task->engine->settings->awake_max / 2 / (task->slot_count + 1);
    if (!hub_task_is_wide_awake(task))
        return;
    for (size_t i = 0; i < task->slot_count; i++) {
        struct hub_slot *slot = &task->slots[i];
        if (could_sleep(task, slot) <= little)
            continue;
        task->kind->let_sleep(slot, hub_slot_whole_store(slot));
        task->put_to_sleep++;
    }
}
