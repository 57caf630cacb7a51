/* refer as a task: the logs of domains that refer to others in, facts about what they refer to out,
 * into the same logs. The unified topics of what is referred to are followed beside it, each from
 * its beginning once something in it is wanted. How far is committed with the counts, so that
 * `hubctl lag` can tell; a restart begins at the beginning again. */
#include "hub/engine/counts.h"
#include "hub/engine/task.h"
#include "hub/io/clock.h"
#include "hub/stages/refer.h"

#include <string.h>

static const int64_t LOOK_INTERVAL_MS = 50;

/* A unified topic that is followed. */
struct following {
    struct hub_task *task;
    size_t domain;
    struct hub_facts *facts; /* NULL while nothing in it is wanted */
    int64_t next;
    int64_t looked_ms;
};

struct own {
    struct following *followings; /* by domain */
    struct hub_facts **facts;
    bool moved; /* a topic was followed on, which is to be committed */
};

static const enum hub_output_kind kinds[] = {HUB_OUTPUT_LOG};

static const char *const *list_topics(const struct hub_catalogue *catalogue,
                                      struct hub_arena *arena) {
    const char **topics =
        hub_arena_take(arena, (catalogue->domain_count + 1) * sizeof *topics);
    size_t count = 0;
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (catalogue->domains[i].reference_count > 0)
            topics[count++] = hub_arena_format(arena, "log.%s", catalogue->domains[i].name);
    topics[count] = NULL;
    return topics;
}

static void open_own(struct hub_task *task) {
    size_t count = task->engine->catalogue->domain_count;
    struct own *own = hub_allocate_zero(1, sizeof *own);
    own->followings = hub_allocate_zero(count, sizeof *own->followings);
    own->facts = hub_allocate_zero(count, sizeof(struct hub_facts *));
    for (size_t i = 0; i < count; i++)
        own->followings[i] = (struct following){.task = task, .domain = i};
    task->own = own;
}

static void close_own(struct hub_task *task) {
    struct own *own = task->own;
    for (size_t i = 0; i < task->engine->catalogue->domain_count; i++)
        hub_facts_free(own->facts[i]);
    hub_release(own->facts);
    hub_release(own->followings);
    task->own = hub_release(own);
}

/* --- the log --- */

static struct hub_input input_of(const struct hub_kafka_record *record) {
    return (struct hub_input){.has_key = record->has_key,
                              .has_value = record->has_value,
                              .key = record->key,
                              .value = record->value,
                              .partition = record->partition,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
}

static enum hub_status take_log(void *context, const struct hub_kafka_record *record,
                                struct hub_error *reterr) {
    struct hub_input input = input_of(record);
    return hub_refer_load(context, &input, reterr);
}

/* Not through the cache, whose copy of the log is the fold's and ends where the fold is. To the end
 * of the log, not to what was committed: no fact that is there is written again. */
static enum hub_status load(struct hub_task *task, struct hub_slot *slot,
                            const struct hub_kafka_partition *committed,
                            struct hub_error *reterr) {
    struct hub_refer_counts counts;
    HUB_TRY(hub_counts_parse_refer(committed->metadata, &counts, reterr));
    slot->state = hub_refer_new(task->engine->catalogue, slot->domain, slot->partition);
    hub_refer_set_counts(slot->state, &counts);
    return hub_reader_read(task->reader, slot->topic, slot->partition, 0,
                           slot->kept[0].end, take_log, slot->state, NULL, reterr);
}

static void unload(struct hub_slot *slot) {
    hub_refer_free(slot->state);
    slot->state = NULL;
}

static enum hub_status process(struct hub_task *task, struct hub_slot *slot,
                               const struct hub_input *input, struct hub_outputs *outputs,
                               struct hub_error *reterr) {
    (void)task;
    (void)outputs;
    return hub_refer_entry(slot->state, input, reterr);
}

/* --- the unified topics --- */

static void on_changed(void *context, const char *identifier) {
    const struct following *following = context;
    struct hub_task *task = following->task;
    for (size_t i = 0; i < task->slot_count; i++)
        hub_refer_touch(task->slots[i].state, following->domain, identifier);
}

static enum hub_status take_unified(void *context, const struct hub_kafka_record *record,
                                    struct hub_error *reterr) {
    struct following *following = context;
    if (!record->has_value)
        return HUB_OK;
    return hub_facts_take(following->facts, record->value, on_changed, following, reterr);
}

static bool is_wanted(const struct hub_task *task, size_t domain) {
    for (size_t i = 0; i < task->slot_count; i++)
        if (hub_refer_wants(task->slots[i].state, domain))
            return true;
    return false;
}

/* At first up to where nothing is open any more: what is not known before that is not said to be
 * unknown. */
static enum hub_status follow(struct following *following, struct hub_error *reterr) {
    struct hub_task *task = following->task;
    struct own *own = task->own;
    const struct hub_catalogue *catalogue = task->engine->catalogue;
    const struct hub_domain *domain = &catalogue->domains[following->domain];
    const char *topic = hub_arena_format(&task->arena, "unified.%s", domain->name);
    int64_t now_ms = hub_clock_monotonic_ms();
    struct hub_kafka_partition end = {topic, 0, -1, NULL};
    bool fresh = following->facts == NULL;
    if (!fresh && now_ms - following->looked_ms < LOOK_INTERVAL_MS)
        return HUB_OK;
    following->looked_ms = now_ms;
    if (fresh) {
        following->facts = hub_facts_new(catalogue, domain);
        own->facts[following->domain] = following->facts;
        HUB_TRY(hub_reader_settle(task->reader, &end, 1, reterr));
    } else {
        HUB_TRY(hub_reader_ends(task->reader, &end, 1, reterr));
    }
    if (end.offset <= following->next)
        return HUB_OK;
    own->moved = true;
    return hub_reader_read(task->reader, topic, 0, following->next, end.offset, take_unified,
                           following, &following->next, reterr);
}

static enum hub_status gather(struct hub_task *task, bool *ret_due, struct hub_error *reterr) {
    struct own *own = task->own;
    for (size_t i = 0; i < task->engine->catalogue->domain_count; i++)
        if (own->followings[i].facts != NULL || is_wanted(task, i))
            HUB_TRY(follow(&own->followings[i], reterr));
    *ret_due = own->moved;
    own->moved = false;
    for (size_t i = 0; i < task->slot_count; i++)
        *ret_due |= hub_refer_is_due(task->slots[i].state);
    return HUB_OK;
}

/* A shard that follows something commits how far, also where it has nothing to write. */
static void flush(struct hub_task *task, struct hub_slot *slot, struct hub_outputs *outputs) {
    const struct own *own = task->own;
    for (size_t i = 0; i < task->engine->catalogue->domain_count; i++)
        slot->touched |= hub_refer_wants(slot->state, i);
    hub_refer_flush(slot->state, own->facts, outputs);
}

static void render_counts(const struct hub_task *task, const struct hub_slot *slot,
                          struct hub_buffer *buffer) {
    const struct own *own = task->own;
    const struct hub_catalogue *catalogue = task->engine->catalogue;
    hub_counts_render_refer(hub_refer_counts(slot->state), buffer);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (hub_refer_wants(slot->state, i))
            hub_buffer_append_format(buffer, " %s=%lld", catalogue->domains[i].name,
                                     (long long)own->followings[i].next);
}

static const char *topic_of(const struct hub_slot *slot, enum hub_output_kind kind,
                            struct hub_arena *arena) {
    return kind == HUB_OUTPUT_LOG ? hub_arena_format(arena, "log.%s", slot->domain->name) : NULL;
}

static void report(const struct hub_slot *slot, struct hub_buffer *metrics) {
    hub_buffer_append_format(metrics,
                             "atmp_refer_facts_total{domain=\"%s\",partition=\"%d\"} %lld\n",
                             slot->domain->name, slot->partition,
                             (long long)hub_refer_counts(slot->state)->facts);
}

static const char *const writes[] = {"log.", NULL};

const struct hub_task_kind hub_refer_task = {
    .name = "refer",
    .writes = writes,
    .state = kinds,
    .state_count = sizeof kinds / sizeof *kinds,
    .topics = list_topics,
    .open = open_own,
    .close = close_own,
    .load = load,
    .unload = unload,
    .process = process,
    .gather = gather,
    .flush = flush,
    .render_counts = render_counts,
    .topic_of = topic_of,
    .report = report,
};
