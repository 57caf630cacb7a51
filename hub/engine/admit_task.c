/* admit as a task: ingest topics and decisions in, log and admitted records out. The state of an
 * ingest partition is the stage's, that of the decision topic its counts alone. */
#include "hub/engine/counts.h"
#include "hub/engine/task.h"
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/stages/admit.h"
#include "hub/stages/admit_decision.h"

#include <stdio.h>
#include <string.h>

static const enum hub_output_kind kinds[] = {HUB_OUTPUT_ADMITTED};

static const char *const *list_topics(const struct hub_catalogue *catalogue,
                                      struct hub_arena *arena) {
    size_t institutions = catalogue->parties.institution_count, count = 0;
    const char **topics = hub_arena_take(
        arena, (institutions * catalogue->domain_count + 2) * sizeof *topics);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        for (size_t k = 0; k < institutions; k++)
            topics[count++] =
                hub_arena_format(arena, "ingest.%s.%s", catalogue->parties.institutions[k].name,
                                 catalogue->domains[i].name);
    topics[count++] = HUB_DECISION_TOPIC;
    topics[count] = NULL;
    return topics;
}

static bool has_decisions(const struct hub_slot *slot) {
    return slot->domain == NULL;
}

static const struct hub_admit_counts *counts_of(const struct hub_slot *slot) {
    return has_decisions(slot) ? slot->state : hub_admit_counts(slot->state);
}

static enum hub_status take_admitted(void *context, unsigned topic, const struct hub_input *input,
                                     struct hub_error *reterr) {
    (void)topic;
    (void)reterr;
    if (input->has_value && input->has_key)
        hub_admit_load(context, input->key, input->value);
    return HUB_OK;
}

static const char *admitted_topic(const struct hub_slot *slot, struct hub_arena *arena) {
    return hub_arena_format(arena, "admitted.%s.%s", slot->institution, slot->domain->name);
}

static enum hub_status load(struct hub_task *task, struct hub_slot *slot,
                            const struct hub_kafka_partition *committed,
                            struct hub_error *reterr) {
    struct hub_admit_counts counts;
    if (has_decisions(slot)) {
        HUB_TRY(hub_counts_parse_admit(committed->metadata, &counts, reterr));
        slot->state = hub_copy_bytes(&counts, sizeof counts);
        return HUB_OK;
    }
    struct hub_admit_config config = {.catalogue = task->engine->catalogue,
                                      .domain = slot->domain,
                                      .institution = slot->institution,
                                      .digester = &hub_sha256,
                                      .shard_count = hub_topics_shard_count(slot->domain),
                                      .topic = slot->topic,
                                      .partition = slot->partition};
    HUB_TRY(hub_counts_parse_admit(committed->metadata, &counts, reterr));
    slot->state = hub_admit_new(&config);
    hub_admit_set_counts(slot->state, &counts);
    HUB_TRY(hub_task_open_shelf(task, slot, reterr));
    hub_admit_set_store(slot->state, hub_slot_store(slot));
    const struct hub_loading loading = {.kept = &slot->kept[0],
                                        .to = slot->kept[0].end,
                                        .take = take_admitted,
                                        .context = slot->state};
    return hub_task_load_topics(task, &loading, 1, reterr);
}

static void unload(struct hub_slot *slot) {
    if (has_decisions(slot))
        hub_release(slot->state);
    else
        hub_admit_free(slot->state);
    slot->state = NULL;
}

static size_t awake(const struct hub_slot *slot) {
    return has_decisions(slot) ? 0 : hub_admit_awake(slot->state);
}

static void let_sleep(struct hub_slot *slot, const struct hub_store *store) {
    hub_admit_let_sleep(slot->state, store);
}

static void decide(const struct hub_task *task, struct hub_slot *slot,
                   const struct hub_input *input, struct hub_outputs *outputs) {
    struct hub_admit_counts *counts = slot->state;
    struct hub_admit_decisions decisions = {.catalogue = task->engine->catalogue,
                                            .digester = &hub_sha256,
                                            .topic = slot->topic,
                                            .shard_count = hub_topics_shard_count};
    enum hub_admit_decided decided = hub_admit_decision(&decisions, input, outputs);
    counts->read++;
    counts->created += decided == HUB_ADMIT_DECIDED;
    counts->changed += decided == HUB_ADMIT_RULED;
    counts->dead += decided == HUB_ADMIT_DEAD;
}

static enum hub_status process(struct hub_task *task, struct hub_slot *slot,
                               const struct hub_input *input, struct hub_outputs *outputs,
                               struct hub_error *reterr) {
    if (!has_decisions(slot))
        return hub_admit_record(slot->state, input, outputs, reterr);
    decide(task, slot, input, outputs);
    return HUB_OK;
}

static void render_counts(const struct hub_task *task, const struct hub_slot *slot,
                          struct hub_buffer *buffer) {
    (void)task;
    hub_counts_render_admit(counts_of(slot), buffer);
}

static const char *topic_of(const struct hub_slot *slot, enum hub_output_kind kind,
                            struct hub_arena *arena) {
    if (has_decisions(slot)) /* each log entry names its topic */
        return kind == HUB_OUTPUT_DEADLETTER ? "deadletter.hub" : NULL;
    switch (kind) {
    case HUB_OUTPUT_LOG:
        return hub_arena_format(arena, "log.%s", slot->domain->name);
    case HUB_OUTPUT_ADMITTED:
        return admitted_topic(slot, arena);
    case HUB_OUTPUT_DEADLETTER:
        return "deadletter.hub";
    case HUB_OUTPUT_UNIFIED:
    case HUB_OUTPUT_CONFLICT:
    case HUB_OUTPUT_MATCH:
    case HUB_OUTPUT_IDENTIFIER:
    case HUB_OUTPUT_KINDS:
        break;
    }
    return NULL;
}

static size_t unnoted(const struct hub_slot *slot) {
    return has_decisions(slot) ? 0 : hub_admit_fresh(slot->state);
}

struct noting {
    struct hub_task *task;
    struct hub_slot *slot;
};

static void note_one(void *context, struct hub_bytes key, struct hub_bytes value) {
    const struct noting *noting = context;
    const struct hub_input record = {
        .has_key = true, .has_value = true, .key = key, .value = value};
    hub_task_note_record(noting->task, noting->slot, 0, &record);
}

static void note_rest(struct hub_task *task, struct hub_slot *slot) {
    struct noting noting = {task, slot};
    hub_admit_give_fresh(slot->state, note_one, &noting);
}

static enum hub_status hooks_of(const struct hub_task *task, struct hub_slot *slot, unsigned topic,
                                const struct hub_input *record, struct hub_hooks *hooks,
                                struct hub_error *reterr) {
    (void)task;
    (void)slot;
    (void)topic;
    (void)reterr;
    hooks->count = 0;
    HUB_GROW(hooks->items, hooks->count, hooks->capacity);
    hooks->items[hooks->count++] = (struct hub_hook){.hash = hub_admit_hook(record->key)};
    return HUB_OK;
}

static void report(const struct hub_slot *slot, struct hub_buffer *metrics) {
    const struct hub_admit_counts *counts = counts_of(slot);
    if (has_decisions(slot)) {
        hub_buffer_append_format(metrics,
                                 "atmp_decisions_total{outcome=\"admitted\"} %lld\n"
                                 "atmp_decisions_total{outcome=\"rules\"} %lld\n"
                                 "atmp_decisions_total{outcome=\"dead\"} %lld\n",
                                 (long long)counts->created, (long long)counts->changed,
                                 (long long)counts->dead);
        return;
    }
    const struct {
        const char *outcome;
        int64_t count;
    } rows[] = {{"new", counts->created},       {"changed", counts->changed},
                {"unchanged", counts->unchanged}, {"late", counts->late},
                {"withdrawn", counts->withdrawn}, {"moved", counts->moved},
                {"dead", counts->dead}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        hub_buffer_append_format(metrics,
                                 "atmp_admit_records_total{institution=\"%s\",domain=\"%s\","
                                 "partition=\"%d\",outcome=\"%s\"} %lld\n",
                                 slot->institution, slot->domain->name, slot->partition,
                                 rows[i].outcome, (long long)rows[i].count);
    hub_buffer_append_format(metrics,
                             "atmp_security_events_total{institution=\"%s\",domain=\"%s\","
                             "partition=\"%d\"} %lld\n",
                             slot->institution, slot->domain->name, slot->partition,
                             (long long)counts->security);
}

static const char *const writes[] = {"log.", "admitted.", "deadletter.hub", NULL};

const struct hub_task_kind hub_admit_task = {
    .name = "admit",
    .writes = writes,
    .state = kinds,
    .state_count = sizeof kinds / sizeof *kinds,
    .topics = list_topics,
    .load = load,
    .unload = unload,
    .awake = awake,
    .let_sleep = let_sleep,
    .process = process,
    .render_counts = render_counts,
    .topic_of = topic_of,
    .unnoted = unnoted,
    .note_rest = note_rest,
    .hooks = hooks_of,
    .report = report,
};
