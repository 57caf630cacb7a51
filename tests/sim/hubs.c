#include "tests/sim/hubs.h"

#include "hub/io/crypto.h"
#include "hub/stages/admit_decision.h"
#include "hub/stages/rules_entry.h"
#include "tests/lib/records.h"
#include "tests/sim/references.h"
#include "tests/sim/view.h"

#include <stdlib.h>
#include <string.h>

static const int64_t CACHE_AGE_MAX_MS = 7LL * 24 * 3600 * 1000; /* as in hub/io/cache.c */
static const char late_prefix[] = "late/";

static const char *const kind_names[] = {"log",      "admitted", "unified",
                                         "conflict", "match",    "identifier",
                                         "deadletter"};

void hubs_tell(struct hubs *hubs, const char *format, ...) {
    va_list arguments;
    if (!hubs->tells)
        return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void hubs_fail(struct hubs *hubs, const char *format, ...) {
    va_list arguments;
    if (hubs->failed)
        return;
    hubs->failed = true;
    va_start(arguments, format);
    vsnprintf(hubs->failure, sizeof hubs->failure, format, arguments);
    va_end(arguments);
    hubs_tell(hubs, "VIOLATION %s", hubs->failure);
}

/* --- stages --- */

void *stage_new(const struct hubs *hubs, const struct slot *slot) {
    char topic[128];
    if (slot->kind == SLOT_DECISION)
        return (void *)hubs; /* it has no state */
    if (slot->kind == SLOT_FOLD)
        return hub_fold_new(test_catalogue(), hubs->domain, &hub_sha256, slot->number);
    if (slot->kind == SLOT_REFER)
        return hub_refer_new(test_catalogue(), hubs->domain, slot->number);
    snprintf(topic, sizeof topic, "ingest.%s.%s", slot->institution->name, hubs->domain->name);
    struct hub_admit_config config = {.catalogue = test_catalogue(),
                                      .domain = hubs->domain,
                                      .institution = slot->institution->name,
                                      .digester = &hub_sha256,
                                      .shard_count = hubs->shard_count,
                                      .topic = topic,
                                      .partition = slot->number};
    return hub_admit_new(&config);
}

void stage_free(const struct slot *slot, void *state) {
    if (slot->kind == SLOT_FOLD)
        hub_fold_free(state);
    if (slot->kind == SLOT_REFER)
        hub_refer_free(state);
    if (slot->kind == SLOT_ADMIT)
        hub_admit_free(state);
}

static struct hub_input entry_of(const struct hubs *hubs, const struct slot *slot,
                                 const struct record *record) {
    struct hub_input input = input_of(record, slot->number);
    size_t size = sizeof late_prefix - 1;
    if (slot->kind == SLOT_FOLD && hubs->breach == BREACH_LAST_WRITER_WINS &&
        input.key.size > size && memcmp(input.key.data, late_prefix, size) == 0)
        input.key = hub_bytes_part(input.key, size, input.key.size);
    return input;
}

bool stage_take(struct hubs *hubs, const struct slot *slot, void *state,
                const struct record *record, struct hub_outputs *outputs, int64_t *taken) {
    static const struct hub_admit_decisions template = {.digester = &hub_sha256,
                                                        .topic = HUB_DECISION_TOPIC,
                                                        .shard_count = hub_topics_shard_count};
    struct hub_admit_decisions decisions = template;
    struct hub_input input = entry_of(hubs, slot, record);
    struct hub_error error;
    decisions.catalogue = test_catalogue();
    switch (slot->kind) {
    case SLOT_ADMIT:
        if (hub_admit_record(state, &input, outputs, &error) == HUB_OK)
            return true;
        hubs_fail(hubs, "admit cannot decide: %s", error.text);
        return false;
    case SLOT_DECISION:
        *taken += hub_admit_decision(&decisions, &input, outputs) != HUB_ADMIT_DEAD;
        return true;
    case SLOT_FOLD:
        if (hub_fold_entry(state, &input, outputs, &error) == HUB_OK)
            return true;
        hubs_fail(hubs, "the fold refuses an entry: %s", error.text);
        return false;
    case SLOT_REFER:
        if (hub_refer_entry(state, &input, &error) == HUB_OK)
            return true;
        hubs_fail(hubs, "refer refuses an entry: %s", error.text);
        return false;
    }
    return false;
}

static void unload(struct slot *slot) {
    if (slot->state != NULL)
        stage_free(slot, slot->state);
    slot->state = NULL;
}

/* --- the whole --- */

struct slot *hubs_add_slot(struct hubs *hubs, enum slot_kind kind, int32_t number) {
    if (hubs->slot_count == SLOTS_MAX)
        abort();
    struct slot *slot = &hubs->slots[hubs->slot_count];
    slot->kind = kind;
    slot->number = number;
    slot->input = kind == SLOT_FOLD || kind == SLOT_REFER ? &hubs->logs[number] : &slot->own;
    slot->owner = hubs->slot_count++ % hubs->process_count;
    return slot;
}

struct hubs *hubs_new(const char *domain, size_t process_count, int64_t clock_ms,
                      enum breach breach, bool tells) {
    struct hubs *hubs = hub_allocate_zero(1, sizeof *hubs);
    hubs->domain = test_domain(domain);
    hubs->shard_count = hub_topics_shard_count(hubs->domain);
    hubs->process_count = process_count;
    hubs->clock_ms = clock_ms;
    hubs->breach = breach;
    hubs->tells = tells;
    hubs_add_slot(hubs, SLOT_DECISION, 0);
    for (int32_t shard = 0; shard < hubs->shard_count; shard++)
        hubs_add_slot(hubs, SLOT_FOLD, shard);
    return hubs;
}

static void free_spaces(struct process *process) {
    for (size_t i = 0; i < process->count; i++)
        records_free(&process->spaces[i].records);
    process->count = 0;
}

void hubs_free(struct hubs *hubs) {
    if (hubs == NULL)
        return;
    for (size_t i = 0; i < hubs->slot_count; i++) {
        unload(&hubs->slots[i]);
        partition_free(&hubs->slots[i].own);
        partition_free(&hubs->slots[i].admitted);
        records_free(&hubs->slots[i].written);
    }
    for (size_t i = 0; i < HUB_SHARDS; i++) {
        partition_free(&hubs->logs[i]);
        for (size_t kind = 0; kind < HUB_OUTPUT_KINDS; kind++)
            partition_free(&hubs->outputs[i][kind]);
    }
    partition_free(&hubs->deadletters);
    partition_free(&hubs->trials);
    for (size_t i = 0; i < INSTANCES_MAX; i++) {
        free_spaces(&hubs->processes[i]);
        references_forget(&hubs->processes[i]);
        hub_release(hubs->processes[i].spaces);
    }
    hub_arena_destroy(&hubs->arena);
    hub_arena_destroy(&hubs->scratch);
    hub_release(hubs);
}

/* --- loading --- */

static struct space *find_space(struct process *process, const struct partition *of) {
    for (size_t i = 0; i < process->count; i++)
        if (process->spaces[i].of == of)
            return &process->spaces[i];
    return NULL;
}

static struct space *need_space(struct process *process, const struct partition *of) {
    struct space *space = find_space(process, of);
    if (space != NULL)
        return space;
    HUB_GROW(process->spaces, process->count, process->capacity);
    space = &process->spaces[process->count++];
    *space = (struct space){.of = of};
    return space;
}

/* What the stage is given: first the cache, then what came after it. */
static struct records list_known(struct hubs *hubs, const struct slot *slot,
                                 const struct partition *partition, int64_t to) {
    struct process *process = &hubs->processes[slot->owner];
    const struct space *space = find_space(process, partition);
    struct records known = {0};
    int64_t from = 0;
    if (space != NULL && space->next <= to) {
        from = space->next;
        for (size_t i = 0; i < space->records.count; i++)
            records_add(&known, space->records.items[i]);
    }
    for (size_t i = 0; i < partition->kept.count; i++) {
        const struct record *record = partition->kept.items[i];
        if (record->offset >= from && record->offset < to)
            records_add(&known, record);
    }
    return known;
}

static enum hub_status load_log(struct hubs *hubs, const struct slot *slot,
                                struct hub_error *error) {
    struct records log = list_known(hubs, slot, slot->input, slot->committed);
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && i < log.count; i++) {
        struct hub_input entry = entry_of(hubs, slot, log.items[i]);
        struct hub_outputs forgotten = {.arena = &hubs->scratch};
        if (hubs->breach == BREACH_RULES_FROM_FILE && hub_rules_entry_is(&entry))
            continue;
        status = hubs->breach == BREACH_DECIDE_AGAIN
                     ? hub_fold_entry(slot->state, &entry, &forgotten, error)
                     : hub_fold_load(slot->state, HUB_FOLD_LOG, &entry, error);
        hub_arena_reset(&hubs->scratch);
    }
    records_free(&log);
    return status;
}

static enum hub_status load_fold(struct hubs *hubs, struct slot *slot,
                                 struct hub_error *error) {
    static const enum hub_fold_topic topics[] = {[HUB_OUTPUT_UNIFIED] = HUB_FOLD_UNIFIED,
                                                 [HUB_OUTPUT_CONFLICT] = HUB_FOLD_CONFLICT,
                                                 [HUB_OUTPUT_MATCH] = HUB_FOLD_MATCH};
    HUB_TRY(load_log(hubs, slot, error));
    hub_fold_set_counts(slot->state, &slot->fold_counts);
    hub_fold_set_gauges(slot->state, &slot->fold_gauges);
    if (hubs->breach == BREACH_DECIDE_AGAIN)
        return HUB_OK;
    enum hub_status status = HUB_OK;
    for (int kind = HUB_OUTPUT_UNIFIED; kind <= HUB_OUTPUT_MATCH; kind++) {
        const struct partition *own = &hubs->outputs[slot->number][kind];
        struct records known = list_known(hubs, slot, own, own->next_offset);
        for (size_t i = 0; status == HUB_OK && i < known.count; i++) {
            struct hub_input record = entry_of(hubs, slot, known.items[i]);
            status = hub_fold_load(slot->state, topics[kind], &record, error);
        }
        records_free(&known);
    }
    return status == HUB_OK ? hub_fold_loaded(slot->state, error) : status;
}

static void load_admit(struct hubs *hubs, struct slot *slot) {
    struct records known =
        list_known(hubs, slot, &slot->admitted, slot->admitted.next_offset);
    for (size_t i = 0; i < known.count; i++)
        hub_admit_load(slot->state, known.items[i]->key, known.items[i]->value);
    records_free(&known);
    hub_admit_set_counts(slot->state, &slot->admit_counts);
}

void hubs_load(struct hubs *hubs, struct slot *slot) {
    struct process *process = &hubs->processes[slot->owner];
    struct hub_error error;
    enum hub_status status = HUB_OK;
    if (slot->state != NULL)
        return;
    if (hubs->clock_ms - process->checkpoint_ms > CACHE_AGE_MAX_MS)
        free_spaces(process);
    slot->state = stage_new(hubs, slot);
    slot->taken = slot->committed_taken;
    if (slot->kind == SLOT_FOLD)
        status = load_fold(hubs, slot, &error);
    if (slot->kind == SLOT_ADMIT)
        load_admit(hubs, slot);
    if (slot->kind == SLOT_REFER)
        status = references_load(hubs, slot, &error);
    if (status != HUB_OK)
        hubs_fail(hubs, "what was published cannot be loaded: %s", error.text);
}

/* --- a transaction --- */

static struct partition *target_of(struct hubs *hubs, struct slot *slot,
                                   const struct hub_output *output) {
    switch (output->kind) {
    case HUB_OUTPUT_LOG:
        return &hubs->logs[output->partition];
    case HUB_OUTPUT_ADMITTED:
        return &slot->admitted;
    case HUB_OUTPUT_UNIFIED:
    case HUB_OUTPUT_CONFLICT:
    case HUB_OUTPUT_MATCH:
    case HUB_OUTPUT_IDENTIFIER:
        return &hubs->outputs[output->partition][output->kind];
    case HUB_OUTPUT_DEADLETTER:
    case HUB_OUTPUT_KINDS:
        break;
    }
    return &hubs->deadletters;
}

struct committing {
    struct hubs *hubs;
    struct slot *slot;
};

/* Why something was refused, where the record says so. */
static struct hub_bytes reason_of(const struct record *record) {
    const char *const subjects[] = {[HUB_OUTPUT_CONFLICT] = "conflict",
                                    [HUB_OUTPUT_MATCH] = "match",
                                    [HUB_OUTPUT_DEADLETTER] = "deadletter"};
    struct view view;
    if (record->kind < HUB_OUTPUT_CONFLICT || subjects[record->kind] == NULL ||
        !view_open(&view, hub_catalogue_latest(test_catalogue(), subjects[record->kind]),
                   record->value))
        return hub_bytes("", 0);
    return view_text(&view, record->kind == HUB_OUTPUT_DEADLETTER ? "reason" : "refused");
}

static void on_committed(void *context, const struct record *record) {
    const struct committing *committing = context;
    records_add(&committing->slot->written, record);
    if (!committing->hubs->tells)
        return;
    struct hub_input input = input_of(record, record->partition);
    struct hub_bytes type = hub_input_header(&input, "ce_type"), reason = reason_of(record);
    hubs_tell(committing->hubs, "           %s/%d@%lld %.*s %.*s %.*s", kind_names[record->kind],
              record->partition, (long long)record->offset, (int)record->key.size,
              (const char *)record->key.data, (int)type.size, (const char *)type.data,
              (int)reason.size, (const char *)reason.data);
}

static void note_counts(struct slot *slot) {
    if (slot->kind == SLOT_ADMIT)
        slot->admit_counts = *hub_admit_counts(slot->state);
    if (slot->kind == SLOT_FOLD)
        slot->fold_counts = *hub_fold_counts(slot->state),
        slot->fold_gauges = hub_fold_gauges(slot->state);
    if (slot->kind == SLOT_REFER)
        slot->refer_counts = *hub_refer_counts(slot->state);
    slot->committed_taken = slot->taken;
}

/* What the breach says: the cache notes what was never committed. */
static void note_uncommitted(struct hubs *hubs, const struct slot *slot,
                             const struct pending *pending) {
    for (size_t i = 0; i < pending->count; i++) {
        struct record *record = hub_arena_take(&hubs->arena, sizeof *record);
        *record = pending->records[i];
        if (record->kind != HUB_OUTPUT_LOG && record->kind != HUB_OUTPUT_DEADLETTER)
            records_put(&need_space(&hubs->processes[slot->owner], pending->partitions[i])
                             ->records, record);
    }
}

static const char *describe(const struct slot *slot) {
    static const char *const names[] = {"admit", "decision", "fold", "refer"};
    return names[slot->kind];
}

static void add_outputs(struct hubs *hubs, struct slot *slot, const struct hub_outputs *outputs,
                        struct pending *pending) {
    for (size_t i = 0; i < outputs->count; i++)
        pending_add(pending, target_of(hubs, slot, &outputs->items[i]),
                    record_of(&outputs->items[i], &hubs->arena));
    hub_arena_reset(&hubs->scratch);
}

void hubs_step(struct hubs *hubs, struct slot *slot, size_t batch, bool commit) {
    struct committing committing = {hubs, slot};
    struct pending pending = {0};
    int64_t next = slot->committed;
    hubs_load(hubs, slot);
    hubs_tell(hubs, "%-8s process %zu, partition %d from %lld, %s", describe(slot),
              slot->owner, slot->number, (long long)next,
              commit ? "committed" : "ABORTED, and the process crashes");
    for (size_t i = 0; i < batch && !hubs->failed; i++) {
        const struct record *record = partition_next(slot->input, next);
        struct hub_outputs outputs = {.arena = &hubs->scratch};
        if (record == NULL || !stage_take(hubs, slot, slot->state, record, &outputs,
                                          &slot->taken))
            break;
        add_outputs(hubs, slot, &outputs, &pending);
        next = record->offset + 1;
    }
    if (slot->kind == SLOT_REFER && !hubs->failed) {
        struct hub_outputs outputs = {.arena = &hubs->scratch};
        references_flush(hubs, slot, &outputs);
        add_outputs(hubs, slot, &outputs, &pending);
    }
    if (!commit && hubs->breach == BREACH_CACHE_AHEAD)
        note_uncommitted(hubs, slot, &pending);
    pending_end(&pending, commit || hubs->breach == BREACH_TORN, hubs->clock_ms,
                &hubs->arena, on_committed, &committing);
    if (commit) {
        slot->committed = next;
        note_counts(slot);
    } else {
        hubs_crash(hubs, slot->owner);
    }
}

bool slot_waits(const struct hubs *hubs, const struct slot *slot) {
    if (slot->kind == SLOT_REFER)
        return references_wait(hubs, slot);
    return partition_next(slot->input, slot->committed) != NULL;
}

/* --- what goes wrong --- */

void hubs_crash(struct hubs *hubs, size_t process) {
    hubs_tell(hubs, "crash    process %zu", process);
    for (size_t i = 0; i < hubs->slot_count; i++)
        if (hubs->slots[i].owner == process)
            unload(&hubs->slots[i]);
    references_forget(&hubs->processes[process]);
}

void hubs_move(struct hubs *hubs, struct slot *slot, size_t process) {
    hubs_tell(hubs, "move     %s %d from process %zu to %zu", describe(slot), slot->number,
              slot->owner, process);
    if (slot->owner != process)
        unload(slot);
    slot->owner = process;
}

static int64_t part_of(int64_t whole, size_t per_mille) {
    return whole * (int64_t)per_mille / 1000;
}

/* How far all that read the partition have come. */
static int64_t read_by_all(const struct hubs *hubs, const struct partition *partition) {
    int64_t read = INT64_MAX;
    for (size_t i = 0; i < hubs->slot_count; i++)
        if (hubs->slots[i].input == partition && hubs->slots[i].committed < read)
            read = hubs->slots[i].committed;
    return read;
}

void hubs_compact(struct hubs *hubs, size_t per_mille) {
    bool forgets_late = hubs->breach == BREACH_LATE_FORGOTTEN;
    hubs_tell(hubs, "compact  the first %zu per mille", per_mille);
    partition_compact(&hubs->trials, part_of(hubs->trials.next_offset, per_mille), false);
    for (size_t i = 0; i < hubs->slot_count; i++) {
        struct slot *slot = &hubs->slots[i];
        partition_compact(&slot->admitted, part_of(slot->admitted.next_offset, per_mille), false);
        if (slot->kind != SLOT_FOLD)
            continue;
        partition_compact(slot->input, part_of(read_by_all(hubs, slot->input), per_mille),
                          forgets_late);
        for (int kind = HUB_OUTPUT_UNIFIED; kind <= HUB_OUTPUT_IDENTIFIER; kind++) {
            struct partition *own = &hubs->outputs[slot->number][kind];
            partition_compact(own, part_of(own->next_offset, per_mille), false);
        }
    }
}

static void keep(struct process *process, const struct partition *partition, int64_t to,
                 bool without_late) {
    struct space *space = need_space(process, partition);
    for (size_t i = 0; i < partition->kept.count; i++) {
        const struct record *record = partition->kept.items[i];
        bool late = record->key.size >= sizeof late_prefix - 1 &&
                    memcmp(record->key.data, late_prefix, sizeof late_prefix - 1) == 0;
        if (record->offset >= space->next && record->offset < to && !(late && without_late))
            records_put(&space->records, record);
    }
    space->next = to > space->next ? to : space->next;
}

void hubs_checkpoint(struct hubs *hubs, size_t index) {
    struct process *process = &hubs->processes[index];
    hubs_tell(hubs, "keep     the cache of process %zu", index);
    process->checkpoint_ms = hubs->clock_ms;
    for (size_t i = 0; i < hubs->slot_count; i++) {
        const struct slot *slot = &hubs->slots[i];
        if (slot->owner != index || slot->state == NULL)
            continue;
        keep(process, &slot->admitted, slot->admitted.next_offset, false);
        if (slot->kind == SLOT_FOLD)
            keep(process, slot->input, slot->committed,
                 hubs->breach != BREACH_LAST_WRITER_WINS);
        for (int kind = HUB_OUTPUT_UNIFIED; slot->kind == SLOT_FOLD && kind <= HUB_OUTPUT_MATCH;
             kind++)
            keep(process, &hubs->outputs[slot->number][kind],
                 hubs->outputs[slot->number][kind].next_offset, false);
    }
}

void hubs_lose_cache(struct hubs *hubs, size_t process) {
    hubs_tell(hubs, "lose     the cache of process %zu", process);
    free_spaces(&hubs->processes[process]);
}
