#include "tests/sim/check.h"

#include "schemas/lib/render.h"
#include "tests/lib/records.h"
#include "tests/sim/view.h"

#include <stdlib.h>
#include <string.h>

/* --- against a stage that was never stopped --- */

struct reference {
    struct hubs *hubs;
    struct slot *slot;
    void *stage;
    struct watch *watch; /* NULL of admit */
    size_t compared;     /* of what the slot has written */
    int64_t taken;
};

static void compare_output(struct reference *reference, const struct record *entry,
                           const struct hub_output *output) {
    struct hubs *hubs = reference->hubs;
    struct slot *slot = reference->slot;
    struct record wanted = record_of(output, &hubs->scratch);
    if (reference->compared == slot->written.count) {
        hubs_fail(hubs, "entry %lld of partition %d: %.*s was never published",
                  (long long)entry->offset, slot->number, (int)wanted.key.size,
                  (const char *)wanted.key.data);
        return;
    }
    const struct record *found = slot->written.items[reference->compared++];
    if (!same_records(found, &wanted))
        hubs_fail(hubs,
                  "entry %lld of partition %d: %.*s was published where a stage that was never "
                  "stopped publishes %.*s%s", (long long)entry->offset, slot->number,
                  (int)found->key.size, (const char *)found->key.data, (int)wanted.key.size,
                  (const char *)wanted.key.data,
                  hub_bytes_equal(found->key, wanted.key) ? ", with other bytes" : "");
}

static void take_entry(struct reference *reference, const struct record *entry) {
    struct hubs *hubs = reference->hubs;
    struct slot *slot = reference->slot;
    struct hub_outputs outputs = {.arena = &hubs->scratch};
    size_t first = reference->compared;
    if (!stage_take(hubs, slot, reference->stage, entry, &outputs, &reference->taken))
        return;
    for (size_t i = 0; i < outputs.count && !hubs->failed; i++)
        compare_output(reference, entry, &outputs.items[i]);
    if (reference->watch == NULL || hubs->failed)
        return;
    watch_entry(reference->watch, entry, slot->written.items + first,
                reference->compared - first);
    struct hub_fold_gauges seen = watch_gauges(reference->watch);
    struct hub_fold_gauges told = hub_fold_gauges(reference->stage);
    if (seen.entities != told.entities || seen.statements != told.statements ||
        seen.conflicts_open != told.conflicts_open || seen.matches_open != told.matches_open)
        hubs_fail(hubs, "entry %lld of partition %d: the fold counts %zu entities, %zu "
                  "statements, %zu conflicts and %zu matches; %zu, %zu, %zu and %zu were "
                  "published", (long long)entry->offset, slot->number, told.entities,
                  told.statements, told.conflicts_open, told.matches_open, seen.entities,
                  seen.statements, seen.conflicts_open, seen.matches_open);
}

/* Of a stage that loads, everything is woken, which counts it anew. */
static void compare_gauges(struct reference *reference, const char *which, bool wakes) {
    struct slot *slot = reference->slot;
    struct hub_error error;
    struct hub_fold_gauges wanted = hub_fold_gauges(reference->stage), now;
    hubs_load(reference->hubs, slot);
    if (reference->hubs->failed)
        return;
    if (wakes && hub_fold_wake_all(slot->state, &error) != HUB_OK)
        hubs_fail(reference->hubs, "shard %d cannot be woken: %s", slot->number, error.text);
    now = hub_fold_gauges(slot->state);
    if (memcmp(&now, &wanted, sizeof now) != 0)
        hubs_fail(reference->hubs, "shard %d, %s: %zu entities, %zu statements, %zu conflicts and "
                  "%zu matches stand; %zu, %zu, %zu and %zu in a run without crashes",
                  slot->number, which, now.entities, now.statements, now.conflicts_open,
                  now.matches_open, wanted.entities, wanted.statements, wanted.conflicts_open,
                  wanted.matches_open);
}

/* The stage as it runs must have come to the same; so must one that loads everything now. */
static void compare_state(struct reference *reference) {
    struct slot *slot = reference->slot;
    struct hubs *hubs = reference->hubs;
    if (reference->compared != slot->written.count)
        hubs_fail(hubs, "partition %d: %.*s was published, and by no entry", slot->number,
                  (int)slot->written.items[reference->compared]->key.size,
                  (const char *)slot->written.items[reference->compared]->key.data);
    if (slot->kind == SLOT_ADMIT &&
        memcmp(&slot->admit_counts, hub_admit_counts(reference->stage),
               sizeof slot->admit_counts) != 0)
        hubs_fail(hubs, "%s/%d: the counts of admit are not those of a run without crashes",
                  slot->institution->name, slot->number);
    if (slot->kind != SLOT_FOLD || hubs->failed)
        return;
    if (memcmp(&slot->fold_counts, hub_fold_counts(reference->stage),
               sizeof slot->fold_counts) != 0)
        hubs_fail(hubs, "shard %d: the counts of the fold are not those of a run without "
                  "crashes", slot->number);
    compare_gauges(reference, "as it runs", /* wakes= */ false);
    hubs_crash(hubs, slot->owner);
    if (!hubs->failed)
        compare_gauges(reference, "loaded", /* wakes= */ true);
}

static void check_slot(struct hubs *hubs, struct slot *slot, struct churn *churn) {
    struct reference reference = {.hubs = hubs, .slot = slot};
    reference.stage = stage_new(hubs, slot);
    if (slot->kind == SLOT_FOLD)
        reference.watch = watch_new(hubs, churn);
    for (size_t i = 0; i < slot->input->history.count && !hubs->failed; i++) {
        take_entry(&reference, slot->input->history.items[i]);
        hub_arena_reset(&hubs->scratch);
    }
    if (!hubs->failed)
        compare_state(&reference);
    if (reference.watch != NULL)
        watch_free(reference.watch);
    stage_free(slot, reference.stage);
}

void check_reference(struct hubs *hubs, struct churn *churn) {
    for (size_t i = 0; i < hubs->slot_count && !hubs->failed; i++)
        if (hubs->slots[i].kind != SLOT_REFER) /* what it writes depends on when it looks */
            check_slot(hubs, &hubs->slots[i], churn);
}

/* --- accounts --- */

static void expect(struct hubs *hubs, const char *what, int64_t counted, int64_t found) {
    if (counted != found)
        hubs_fail(hubs, "accounts: %s: %lld counted, %lld found", what, (long long)counted,
                  (long long)found);
}

void check_accounts(struct hubs *hubs) {
    int64_t entries = 0, folded = 0, log = 0, dead = 0;
    for (size_t i = 0; i < hubs->slot_count; i++) {
        const struct slot *slot = &hubs->slots[i];
        const struct hub_admit_counts *admit = &slot->admit_counts;
        const struct hub_fold_counts *fold = &slot->fold_counts;
        int64_t read = (int64_t)slot->input->history.count;
        int64_t accepted = admit->created + admit->changed + admit->unchanged + admit->late +
                           admit->withdrawn + admit->moved;
        switch (slot->kind) {
        case SLOT_ADMIT:
            expect(hubs, "records read by admit", admit->read, read);
            expect(hubs, "records and what became of them", accepted + admit->dead, read);
            expect(hubs, "admitted records", accepted, (int64_t)slot->admitted.history.count);
            entries += accepted - admit->unchanged + admit->moved; /* a move is two entries */
            dead += admit->dead;
            break;
        case SLOT_DECISION:
            for (size_t k = 0; k < slot->written.count; k++)
                entries += slot->written.items[k]->kind == HUB_OUTPUT_LOG;
            dead += read - slot->committed_taken;
            break;
        case SLOT_FOLD:
            expect(hubs, "entries read by the fold", fold->read, read);
            expect(hubs, "entries and what became of them",
                   fold->published + fold->unchanged + fold->superseded + fold->withdrawn +
                       fold->decided + fold->refused + fold->ruled + fold->overruled + fold->facts,
                   read);
            folded += fold->read;
            log += read;
            break;
        case SLOT_REFER:
            expect(hubs, "entries read by refer", slot->refer_counts.read, read);
            entries += slot->refer_counts.facts;
            break;
        }
    }
    if (hubs->rules_count > 0) /* the first rules, which no stage wrote */
        entries += hubs->shard_count;
    expect(hubs, "entries of the logs", entries, log);
    expect(hubs, "entries folded", folded, log);
    expect(hubs, "dead letters", dead, (int64_t)hubs->deadletters.history.count);
}

/* --- ids across shards --- */

static bool is_of_kind(const struct hubs *hubs, const struct record *record, const char *kind) {
    struct view view;
    return view_open(&view, hubs->domain->unified, record->value) &&
           strcmp(view_symbol(&view, "kind"), kind) == 0;
}

static void check_id(struct hubs *hubs, int32_t shard, const struct record *record) {
    for (int32_t other = 0; other < hubs->shard_count; other++) {
        const struct records *kept = &hubs->outputs[other][HUB_OUTPUT_UNIFIED].kept;
        for (size_t i = 0; other != shard && i < kept->count; i++)
            if (hub_bytes_equal(kept->items[i]->key, record->key) &&
                !is_of_kind(hubs, kept->items[i], "MOVED"))
                hubs_fail(hubs, "%.*s stands in shard %d, and shard %d does not say that it moved",
                          (int)record->key.size, (const char *)record->key.data, shard, other);
    }
}

void check_ids(struct hubs *hubs) {
    hubs_compact(hubs, /* per_mille= */ 1000);
    for (int32_t shard = 0; hubs->shard_count > 1 && shard < hubs->shard_count; shard++) {
        const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_UNIFIED].kept;
        for (size_t i = 0; i < kept->count; i++)
            if (is_of_kind(hubs, kept->items[i], "ACTIVE"))
                check_id(hubs, shard, kept->items[i]);
    }
}

/* --- the outcome --- */

struct lines {
    char **items;
    size_t count, capacity;
};

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_line(struct lines *lines, const struct hub_buffer *line) {
    HUB_GROW(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = hub_copy_bytes(line->data, line->size);
}

/* Sorted, one below the other. */
static void join_lines(struct lines *lines, const char *separator, struct hub_buffer *text) {
    if (lines->count > 0)
        qsort(lines->items, lines->count, sizeof *lines->items, compare_lines);
    for (size_t i = 0; i < lines->count; i++) {
        hub_buffer_append_format(text, "%s%s", lines->items[i], separator);
        hub_release(lines->items[i]);
    }
    hub_release(lines->items);
}

static void append_hash(struct hub_buffer *text, const char *name, struct hub_bytes bytes) {
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3;
    hub_buffer_append_format(text, " %s %016llx", name, (unsigned long long)hash);
}

/* Open conflicts of an entity. The values of an overlap name entities. */
static void append_conflicts(struct hubs *hubs, size_t shard, struct hub_bytes id,
                             struct hub_buffer *text) {
    const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_CONFLICT].kept;
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "conflict");
    struct lines lines = {0};
    for (size_t i = 0; i < kept->count; i++) {
        struct view view;
        struct hub_bytes element;
        bool own = false;
        HUB_SCOPED_BUFFER line = {0};
        if (!view_open(&view, schema, kept->items[i]->value))
            continue;
        struct hub_elements entities = view_elements(&view, "entities");
        while (hub_slice_next(&entities, &element))
            own |= hub_bytes_equal(hub_slice_octets(element), id);
        bool overlap = strcmp(view_symbol(&view, "kind"), "OVERLAP") == 0;
        if (!own || strcmp(view_symbol(&view, "state"), "OPEN") != 0 ||
            strcmp(view_symbol(&view, "kind"), "STEP") == 0)
            continue;
        hub_buffer_append_bytes(&line, view_text(&view, "field"));
        append_hash(&line, "owners", view_field(&view, "owners"));
        append_hash(&line, "values", overlap ? hub_bytes("", 0) : view_field(&view, "values"));
        add_line(&lines, &line);
    }
    join_lines(&lines, "; ", text);
}

static void append_entity(struct hubs *hubs, size_t shard, const struct record *record,
                          struct lines *lines) {
    struct view view;
    struct hub_bytes element;
    HUB_SCOPED_BUFFER line = {0};
    if (!view_open(&view, hubs->domain->unified, record->value) ||
        strcmp(view_symbol(&view, "kind"), "ACTIVE") != 0)
        return;
    struct hub_elements statements = view_elements(&view, "statements");
    while (hub_slice_next(&statements, &element)) {
        hub_buffer_append_bytes(&line,
                                hub_slice_octets(element_field(&statements, element, "key")));
        hub_buffer_append_byte(&line, ' ');
    }
    append_hash(&line, "value", view_field(&view, "value"));
    append_hash(&line, "sources", view_field(&view, "sources"));
    hub_buffer_append_text(&line, " conflicts ");
    append_conflicts(hubs, shard, record->key, &line);
    if (hubs->tells) /* for reading */
        hub_render_json(view_type(&view, "value"), view_field(&view, "value"), &line);
    add_line(lines, &line);
}

char *check_outcome(struct hubs *hubs) {
    struct lines lines = {0};
    HUB_SCOPED_BUFFER text = {0};
    hubs_compact(hubs, /* per_mille= */ 1000);
    for (size_t shard = 0; shard < (size_t)hubs->shard_count; shard++) {
        const struct records *kept = &hubs->outputs[shard][HUB_OUTPUT_UNIFIED].kept;
        for (size_t i = 0; i < kept->count; i++)
            append_entity(hubs, shard, kept->items[i], &lines);
    }
    join_lines(&lines, "\n", &text);
    return hub_copy_text(hub_buffer_text(&text));
}
