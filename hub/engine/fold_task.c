/* fold as a task: one log in, unified records, conflicts and matches out. */
#include "hub/engine/counts.h"
#include "hub/engine/task.h"
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/io/log.h"
#include "hub/stages/fold.h"

#include <stdio.h>
#include <string.h>

enum { KINDS = 3 };
static const enum hub_output_kind kinds[KINDS] = {HUB_OUTPUT_UNIFIED, HUB_OUTPUT_CONFLICT,
                                                  HUB_OUTPUT_MATCH};

static const char *const *list_topics(const struct hub_catalogue *catalogue,
                                      struct hub_arena *arena) {
    const char **topics =
        hub_arena_take(arena, (catalogue->domain_count + 1) * sizeof *topics);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        topics[i] = hub_arena_format(arena, "log.%s", catalogue->domains[i].name);
    topics[catalogue->domain_count] = NULL;
    return topics;
}

static enum hub_status take(void *context, unsigned topic, const struct hub_input *input,
                            struct hub_error *reterr) {
    return hub_fold_load(context, (enum hub_fold_topic)topic, input, reterr);
}

static void taken(void *context, unsigned topic) {
    hub_fold_topic_loaded(context, (enum hub_fold_topic)topic);
}

static const char *topic_of(const struct hub_slot *slot, enum hub_output_kind kind,
                            struct hub_arena *arena) {
    switch (kind) {
    case HUB_OUTPUT_UNIFIED:
        return hub_arena_format(arena, "unified.%s", slot->domain->name);
    case HUB_OUTPUT_CONFLICT:
        return hub_arena_format(arena, "conflict.%s", slot->domain->name);
    case HUB_OUTPUT_MATCH:
        return hub_arena_format(arena, "match.%s", slot->domain->name);
    case HUB_OUTPUT_IDENTIFIER:
        return HUB_IDENTIFIER_TOPIC;
    case HUB_OUTPUT_LOG:
    case HUB_OUTPUT_ADMITTED:
    case HUB_OUTPUT_DEADLETTER:
    case HUB_OUTPUT_KINDS:
        break;
    }
    return NULL;
}

static void load_near(void *context, const uint64_t *hashes, size_t count) {
    hub_fold_load_near(context, hashes, count);
}

static enum hub_status check_core(const struct hub_slot *slot,
                                  const struct hub_committed_fold *before,
                                  struct hub_error *reterr) {
    if (before->core <= HUB_CORE_VERSION)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL,
                    "unified.%s/%d was made by core %lld, this one is %d: an older core never "
                    "continues a newer one's shard", slot->domain->name, slot->partition,
                    (long long)before->core, HUB_CORE_VERSION);
}

/* Those that the log says are in force must be those that it was folded by last. */
static enum hub_status check_rules(const struct hub_slot *slot,
                                   const struct hub_committed_fold *before,
                                   struct hub_error *reterr) {
    const char *now = hub_fold_rules(slot->state);
    if (*before->rules == '\0' || strcmp(before->rules, now) == 0)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL,
                    "unified.%s/%d was made by the rules %s, these are %s, and the log names "
                    "none: rules change by an entry in the log, never by a restart",
                    slot->domain->name, slot->partition, before->rules, now);
}

static enum hub_status load(struct hub_task *task, struct hub_slot *slot,
                            const struct hub_kafka_partition *committed, struct hub_error *reterr) {
    struct hub_committed_fold before;
    int64_t end = committed->offset < 0 ? 0 : committed->offset;
    HUB_TRY(hub_counts_parse_fold(committed->metadata, &before, reterr));
    HUB_TRY(check_core(slot, &before, reterr));
    slot->state =
        hub_fold_new(task->engine->catalogue, slot->domain, &hub_sha256, slot->partition);
    hub_fold_set_counts(slot->state, &before.counts);
    hub_fold_set_gauges(slot->state, &before.gauges);
    snprintf(slot->hooked_by, sizeof slot->hooked_by, "%s",
             *before.rules == '\0' ? slot->domain->rules : before.rules);
    HUB_TRY(hub_task_open_shelf(task, slot, reterr));
    hub_fold_set_store(slot->state, hub_slot_store(slot));
    HUB_TRY(hub_slot_load_near(slot, load_near, slot->state, reterr));
    struct hub_loading loadings[HUB_FOLD_TOPICS];
    for (unsigned i = 0; i < HUB_FOLD_TOPICS; i++)
        loadings[i] = (struct hub_loading){.kept = &slot->kept[i],
                                           .topic = i,
                                           .to = slot->kept[i].is_input ? end : slot->kept[i].end,
                                           .take = take,
                                           .taken = taken,
                                           .context = slot->state};
    HUB_TRY(hub_task_load_topics(task, loadings, HUB_FOLD_TOPICS, reterr));
    HUB_TRY(hub_fold_loaded(slot->state, reterr));
    HUB_TRY(check_rules(slot, &before, reterr));
    if (strcmp(hub_fold_rules(slot->state), slot->domain->rules) != 0)
        hub_log(HUB_LOG_WARNING, "rules_not_in_force",
                "%s/%d is folded by the rules %s, as its log says; those of the schemas folder, %s, "
                "take `hubctl rules activate`", slot->topic, slot->partition,
                hub_fold_rules(slot->state), slot->domain->rules);
    return HUB_OK;
}

static void unload(struct hub_slot *slot) {
    hub_fold_free(slot->state);
    slot->state = NULL;
}

static size_t awake(const struct hub_slot *slot) {
    return hub_fold_awake(slot->state);
}

static void let_sleep(struct hub_slot *slot, const struct hub_store *store) {
    hub_fold_let_sleep(slot->state, store);
}

static enum hub_status process(struct hub_task *task, struct hub_slot *slot,
                               const struct hub_input *input, struct hub_outputs *outputs,
                               struct hub_error *reterr) {
    (void)task;
    return hub_fold_entry(slot->state, input, outputs, reterr);
}

static void render_counts(const struct hub_task *task, const struct hub_slot *slot,
                          struct hub_buffer *buffer) {
    struct hub_committed_fold now = {.counts = *hub_fold_counts(slot->state),
                                     .gauges = hub_fold_gauges(slot->state),
                                     .core = HUB_CORE_VERSION};
    (void)task;
    snprintf(now.rules, sizeof now.rules, "%s", hub_fold_rules(slot->state));
    hub_counts_render_fold(&now, buffer);
}

static void note(struct hub_task *task, struct hub_slot *slot, const struct hub_input *input,
                 const struct hub_outputs *outputs) {
    static const enum hub_fold_topic topics[] = {[HUB_OUTPUT_UNIFIED] = HUB_FOLD_UNIFIED,
                                                 [HUB_OUTPUT_CONFLICT] = HUB_FOLD_CONFLICT,
                                                 [HUB_OUTPUT_MATCH] = HUB_FOLD_MATCH};
    static const char late[] = "late/"; /* superseded: no part of the state */
    bool is_late = input->has_key && input->key.size >= sizeof late - 1 &&
                   memcmp(input->key.data, late, sizeof late - 1) == 0;
    if (strcmp(slot->hooked_by, hub_fold_rules(slot->state)) != 0) { /* which it changed */
        snprintf(slot->hooked_by, sizeof slot->hooked_by, "%s", hub_fold_rules(slot->state));
        hub_task_shelve_anew(task, slot);
    }
    if (input->has_key && input->has_value && !is_late)
        hub_task_note_record(task, slot, HUB_FOLD_LOG, input);
    for (size_t i = 0; i < outputs->count; i++) {
        const struct hub_output *output = &outputs->items[i];
        if (output->kind == HUB_OUTPUT_IDENTIFIER) /* follows from the others */
            continue;
        struct hub_input record = {.has_key = true,
                                   .has_value = true,
                                   .key = output->key,
                                   .value = output->value,
                                   .headers = output->headers,
                                   .header_count = output->header_count};
        hub_task_note_record(task, slot, topics[output->kind], &record);
    }
}

static enum hub_status hooks_of(const struct hub_task *task, struct hub_slot *slot, unsigned topic,
                                const struct hub_input *record, struct hub_hooks *hooks,
                                struct hub_error *reterr) {
    bool stale = false;
    HUB_TRY(hub_fold_hooks_of(task->engine->catalogue, slot->hooked_by, (enum hub_fold_topic)topic,
                              record, hooks, &stale, reterr));
    if (!stale)
        return HUB_OK;
    if (slot->state == NULL)
        return hub_fail(reterr, HUB_REJECT, "%s/%d was made by other rules than %s, which only "
                        "who folds it knows", slot->topic, slot->partition, slot->hooked_by);
    return hub_fold_hooks_of_entity(slot->state, record->key, hooks, reterr);
}

static void report(const struct hub_slot *slot, struct hub_buffer *metrics) {
    const struct hub_fold_counts *counts = hub_fold_counts(slot->state);
    struct hub_fold_gauges gauges = hub_fold_gauges(slot->state);
    const struct {
        const char *outcome;
        int64_t count;
    } rows[] = {{"published", counts->published},
                {"unchanged", counts->unchanged},
                {"superseded", counts->superseded},
                {"withdrawn", counts->withdrawn},
                {"decided", counts->decided},
                {"refused", counts->refused},
                {"ruled", counts->ruled},
                {"overruled", counts->overruled},
                {"facts", counts->facts}};
    const struct {
        const char *name;
        size_t value;
    } now[] = {{"atmp_statements", gauges.statements},
               {"atmp_entities", gauges.entities},
               {"atmp_conflicts_open", gauges.conflicts_open},
               {"atmp_matches_open", gauges.matches_open},
               {"atmp_identifiers_set_aside", gauges.identifiers_set_aside}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        hub_buffer_append_format(metrics,
                                 "atmp_fold_entries_total{domain=\"%s\",partition=\"%d\","
                                 "outcome=\"%s\"} %lld\n",
                                 slot->domain->name, slot->partition, rows[i].outcome,
                                 (long long)rows[i].count);
    for (size_t i = 0; i < sizeof now / sizeof *now; i++)
        hub_buffer_append_format(metrics, "%s{domain=\"%s\",partition=\"%d\"} %zu\n", now[i].name,
                                 slot->domain->name, slot->partition, now[i].value);
}

static const char *const writes[] = {"unified.", "conflict.", "match.", NULL};

const struct hub_task_kind hub_fold_task = {
    .name = "fold",
    .writes = writes,
    .state = kinds,
    .state_count = KINDS,
    .keeps_input = true,
    .has_rules = true,
    .headers = hub_fold_headers,
    .topics = list_topics,
    .load = load,
    .unload = unload,
    .awake = awake,
    .let_sleep = let_sleep,
    .process = process,
    .render_counts = render_counts,
    .topic_of = topic_of,
    .note = note,
    .hooks = hooks_of,
    .report = report,
};
