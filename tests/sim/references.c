#include "tests/sim/references.h"

#include "hub/stages/reference.h"
#include "schemas/lib/frame.h"
#include "tests/sim/view.h"

#include <string.h>

enum { DOMAINS_MAX = 32 };

static size_t trial_index(void) {
    return (size_t)(test_domain("trial") - test_catalogue()->domains);
}

/* --- the trials --- */

void references_change(struct hubs *hubs, struct test_random *random) {
    static const char *const statuses[] = {"null", "'RECRUITING'", "'WITHDRAWN'", "'REJECTED'"};
    const struct hub_schema *schema = test_domain("trial")->unified;
    size_t trial = test_random_below(random, TRIALS);
    bool active = test_random_below(random, 4) > 0;
    /* Now and then under the number of another one, or of none that is linked to. */
    size_t number = test_random_below(random, 5) > 0 ? trial : test_random_below(random, TRIALS + 1);
    const char *status = statuses[test_random_below(random, 4)];
    struct hub_arena *arena = &hubs->arena;
    const char *id = hub_arena_format(arena, "trial-%zu", trial);
    const char *value = hub_arena_format(
        arena, "{'statement': {'version': ''}, 'status': %s, 'identifiers': [{'scheme': 'nct', "
        "'value': 'NCT0000000%zu', 'relation': 'SELF'}]}", status, number);
    const char *json = hub_arena_format(
        arena, "{'entity_id': '%s', 'kind': '%s', 'founder': 'ctgov/%zu', 'founded_offset': 0, "
        "'revision': 1, 'rules': '', 'core': 1, 'sources': {}, 'value': %s}",
        id, active ? "ACTIVE" : "WITHDRAWN", trial, active ? value : "null");
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, test_value(schema->root, json, arena));
    hubs_tell(hubs, "trial    %s is %s, number %zu, status %s", id,
              active ? "ACTIVE" : "WITHDRAWN", number, status);
    struct record record = {.kind = HUB_OUTPUT_UNIFIED,
                            .has_key = true,
                            .key = hub_bytes_of_text(id),
                            .value = hub_bytes(hub_arena_text(arena, (const char *)message.data,
                                                              message.size), message.size),
                            .timestamp_ms = hubs->clock_ms};
    partition_append(&hubs->trials, &record, arena);
}

void references_begin(struct hubs *hubs) {
    for (int32_t shard = 0; shard < hubs->shard_count; shard++)
        hubs_add_slot(hubs, SLOT_REFER, shard);
}

void references_copy(struct hubs *hubs, const struct hubs *other) {
    for (size_t i = 0; i < other->trials.kept.count; i++)
        partition_append(&hubs->trials, other->trials.kept.items[i], &hubs->arena);
}

/* --- refer --- */

enum hub_status references_load(struct hubs *hubs, struct slot *slot, struct hub_error *error) {
    const struct records *log = &slot->input->kept; /* to its end, and not from a cache */
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && i < log->count; i++) {
        struct hub_input entry = input_of(log->items[i], slot->number);
        status = hub_refer_load(slot->state, &entry, error);
    }
    hub_refer_set_counts(slot->state, &slot->refer_counts);
    hub_arena_reset(&hubs->scratch);
    return status;
}

bool references_wait(const struct hubs *hubs, const struct slot *slot) {
    const struct process *process = &hubs->processes[slot->owner];
    if (partition_next(slot->input, slot->committed) != NULL)
        return true;
    if (slot->state == NULL) /* what it would find is not known */
        return slot->input->history.count > 0;
    return hub_refer_is_due(slot->state) ||
           (process->facts != NULL &&
            partition_next(&hubs->trials, process->facts_next) != NULL);
}

struct following {
    struct hubs *hubs;
    size_t process;
};

static void on_changed(void *context, const char *identifier) {
    const struct following *following = context;
    struct hubs *hubs = following->hubs;
    for (size_t i = 0; i < hubs->slot_count; i++) {
        struct slot *slot = &hubs->slots[i];
        if (slot->kind == SLOT_REFER && slot->owner == following->process &&
            slot->state != NULL && hubs->breach != BREACH_STALE_FACTS)
            hub_refer_touch(slot->state, trial_index(), identifier);
    }
}

static void follow(struct hubs *hubs, size_t index) {
    struct process *process = &hubs->processes[index];
    struct following following = {hubs, index};
    const struct record *record;
    struct hub_error error;
    if (process->facts == NULL)
        process->facts = hub_facts_new(test_catalogue(), test_domain("trial"));
    while ((record = partition_next(&hubs->trials, process->facts_next)) != NULL) {
        process->facts_next = record->offset + 1;
        if (hub_facts_take(process->facts, record->value, on_changed, &following, &error) !=
            HUB_OK)
            hubs_fail(hubs, "a trial is refused: %s", error.text);
    }
}

void references_flush(struct hubs *hubs, struct slot *slot, struct hub_outputs *outputs) {
    struct process *process = &hubs->processes[slot->owner];
    struct hub_facts *facts[DOMAINS_MAX] = {0};
    if (process->facts != NULL || hub_refer_wants(slot->state, trial_index()))
        follow(hubs, slot->owner);
    facts[trial_index()] = process->facts;
    hub_refer_flush(slot->state, facts, outputs);
}

void references_forget(struct process *process) {
    hub_facts_free(process->facts);
    process->facts = NULL;
    process->facts_next = 0;
}

/* --- facts --- */

static bool is_fact(const struct record *entry) {
    size_t size = sizeof HUB_FACT_PREFIX - 1;
    return entry->key.size > size && memcmp(entry->key.data, HUB_FACT_PREFIX, size) == 0;
}

/* Each fact is another one than the one before, and every one is accounted for. */
static void check_each_fact(struct hubs *hubs, const struct slot *slot) {
    const struct records *log = &slot->input->history;
    struct records latest = {0};
    int64_t count = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct record *entry = log->items[i];
        if (!is_fact(entry))
            continue;
        count++;
        for (size_t k = 0; k < latest.count; k++)
            if (hub_bytes_equal(latest.items[k]->key, entry->key) &&
                hub_bytes_equal(latest.items[k]->value, entry->value))
                hubs_fail(hubs, "shard %d: %.*s was written again at %lld, and is as it was",
                          slot->number, (int)entry->key.size, (const char *)entry->key.data,
                          (long long)entry->offset);
        records_put(&latest, entry);
    }
    records_free(&latest);
    if (count != slot->refer_counts.facts || count != (int64_t)slot->written.count)
        hubs_fail(hubs, "shard %d: refer counts %lld facts and wrote %zu; %lld are in the log",
                  slot->number, (long long)slot->refer_counts.facts, slot->written.count,
                  (long long)count);
}

/* One that knows nothing but the topics finds all facts as they are. */
static void check_last_facts(struct hubs *hubs, const struct slot *slot) {
    struct hub_outputs outputs = {.arena = &hubs->scratch};
    struct slot fresh = *slot;
    struct hub_error error;
    fresh.state = stage_new(hubs, slot);
    hubs_crash(hubs, slot->owner);
    if (references_load(hubs, &fresh, &error) != HUB_OK)
        hubs_fail(hubs, "shard %d: refer cannot load its log: %s", slot->number, error.text);
    references_flush(hubs, &fresh, &outputs);
    if (outputs.count > 0)
        hubs_fail(hubs, "shard %d: %.*s is not as it was written last", slot->number,
                  (int)outputs.items[0].key.size, (const char *)outputs.items[0].key.data);
    stage_free(&fresh, fresh.state);
    hub_arena_reset(&hubs->scratch);
}

/* --- breaches, from the statements in force and the trials' last records --- */

static bool is_refused(const struct view *trial) {
    struct hub_bytes stated;
    const struct hub_type *type =
        hub_slice_stated(view_type(trial, "status"), view_field(trial, "status"), &stated);
    const char *status = type == NULL ? "" : hub_slice_symbol(type, stated);
    return strcmp(status, "WITHDRAWN") == 0 || strcmp(status, "REJECTED") == 0;
}

/* Whether no trial of the number is known, or one of them is what none may refer to. */
static bool is_breach(struct hubs *hubs, const char *number) {
    const struct records *trials = &hubs->trials.kept;
    bool known = false;
    for (size_t i = 0; i < trials->count; i++) {
        struct view view, trial;
        struct hub_bytes element;
        if (!view_open(&view, test_domain("trial")->unified, trials->items[i]->value) ||
            !view_part(&view, "value", &trial))
            continue;
        struct hub_elements own = view_elements(&trial, "identifiers");
        while (hub_slice_next(&own, &element)) {
            bool same = strcmp(hub_identifier_name(own.type, element, &hubs->scratch),
                               number) == 0;
            known |= same;
            if (same && is_refused(&trial))
                return true;
        }
    }
    return !known;
}

static void add_breaches_of(struct hubs *hubs, struct hub_bytes entity,
                            const struct record *entry, struct records *breaches) {
    struct view statement;
    struct hub_bytes element;
    if (!view_open(&statement, hubs->domain->schema, entry->value))
        return;
    struct hub_elements links = view_elements(&statement, "links");
    while (hub_slice_next(&links, &element)) {
        const struct hub_type *type =
            links.type->fields[hub_type_field(links.type, "identifier")].type;
        struct hub_bytes domain = hub_slice_octets(element_field(&links, element, "domain"));
        struct hub_bytes role = hub_slice_octets(element_field(&links, element, "role"));
        const char *number = hub_identifier_name(
            type, element_field(&links, element, "identifier"), &hubs->scratch);
        if (!hub_bytes_equal_text(domain, "trial") || !hub_bytes_equal_text(role, "trial") ||
            number == NULL || !is_breach(hubs, number))
            continue;
        struct record *breach = hub_arena_take(&hubs->scratch, sizeof *breach);
        *breach = (struct record){
            .key = hub_bytes_of_text(hub_arena_format(
                &hubs->scratch, "%.*s/links[trial trial/%s]", (int)entity.size,
                (const char *)entity.data, number))};
        records_put(breaches, breach);
    }
}

static void list_breaches(struct hubs *hubs, int32_t shard, struct records *breaches) {
    const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_UNIFIED].kept;
    const struct records *log = &hubs->logs[shard].history;
    for (size_t i = 0; i < kept->count; i++) {
        struct view entity;
        struct hub_bytes element;
        if (!view_open(&entity, hubs->domain->unified, kept->items[i]->value) ||
            strcmp(view_symbol(&entity, "kind"), "ACTIVE") != 0)
            continue;
        struct hub_elements statements = view_elements(&entity, "statements");
        while (hub_slice_next(&statements, &element)) {
            int64_t offset = hub_slice_long(element_field(&statements, element, "offset"));
            for (size_t k = 0; k < log->count; k++)
                if (log->items[k]->offset == offset)
                    add_breaches_of(hubs, kept->items[i]->key, log->items[k], breaches);
        }
    }
}

/* A conflict of the kind that has values; false for all others. */
static bool stands(const struct record *record, struct view *view) {
    return view_open(view, hub_catalogue_latest(test_catalogue(), "conflict"), record->value) &&
           strcmp(view_symbol(view, "kind"), "REFERENCE") == 0 &&
           view_count(view, "values") > 0;
}

static bool contains(const struct records *records, struct hub_bytes key) {
    for (size_t i = 0; i < records->count; i++)
        if (hub_bytes_equal(records->items[i]->key, key))
            return true;
    return false;
}

/* What stands is open, unless somebody chose. */
static void check_breaches(struct hubs *hubs, int32_t shard) {
    const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_CONFLICT].kept;
    struct records breaches = {0}, standing = {0};
    list_breaches(hubs, shard, &breaches);
    for (size_t i = 0; i < kept->count; i++) {
        struct view view, decision;
        struct hub_bytes key = kept->items[i]->key;
        if (!stands(kept->items[i], &view))
            continue;
        records_add(&standing, kept->items[i]);
        if (!contains(&breaches, key))
            hubs_fail(hubs, "shard %d: %.*s stands, and what it refers to is as it has to be",
                      shard, (int)key.size, (const char *)key.data);
        if (strcmp(view_symbol(&view, "state"), "OPEN") != 0 &&
            !(view_part(&view, "decision", &decision) &&
              strcmp(view_symbol(&decision, "kind"), "CHOOSE") == 0))
            hubs_fail(hubs, "shard %d: %.*s stands, is not open, and nobody chose", shard,
                      (int)key.size, (const char *)key.data);
    }
    for (size_t i = 0; i < breaches.count; i++)
        if (!contains(&standing, breaches.items[i]->key))
            hubs_fail(hubs, "shard %d: %.*s should stand, and does not", shard,
                      (int)breaches.items[i]->key.size,
                      (const char *)breaches.items[i]->key.data);
    records_free(&breaches);
    records_free(&standing);
    hub_arena_reset(&hubs->scratch);
}

void check_references(struct hubs *hubs) {
    hubs_compact(hubs, /* per_mille= */ 1000);
    for (size_t i = 0; i < hubs->slot_count && !hubs->failed; i++) {
        if (hubs->slots[i].kind != SLOT_REFER)
            continue;
        check_each_fact(hubs, &hubs->slots[i]);
        check_breaches(hubs, hubs->slots[i].number);
        check_last_facts(hubs, &hubs->slots[i]);
    }
}

size_t references_standing(const struct hubs *hubs) {
    size_t count = 0;
    for (int32_t shard = 0; shard < hubs->shard_count; shard++) {
        const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_CONFLICT].kept;
        struct view view;
        for (size_t i = 0; i < kept->count; i++)
            count += stands(kept->items[i], &view);
    }
    return count;
}
