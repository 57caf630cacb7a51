/* Merged values and the unified records that carry them. */
#include "hub/stages/fold_state.h"

#include "hub/base/text.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

enum { USUAL_SIZE = 768 }; /* of a unified record around its value: its statements, and what else there is */

void fold_publish_voices(const struct fold_entity *entity, const struct hub_domain *domain,
                         struct hub_arena *arena, struct hub_voice **ret_voices) {
    struct hub_voice *voices = hub_arena_take(arena, entity->member_count * sizeof *voices);
    for (size_t i = 0; i < entity->member_count; i++) {
        const struct fold_statement *statement = entity->members[i];
        const struct fold_copy *copy = fold_statement_speaker(statement);
        voices[i] = (struct hub_voice){
            .key = statement->key,
            .system = statement->system,
            .institution = copy->institution,
            .rank = hub_domain_system_rank(domain, hub_bytes_of_text(statement->system->name)),
            .body = hub_bytes(copy->body, copy->body_size),
            .starts = copy->starts,
            .has_event_time = copy->has_event_time,
            .event_time_ms = copy->event_time_ms,
            .replaced_status = copy->replaced_status};
    }
    *ret_voices = voices;
}

/* What people chose of the entity's fields. */
static void list_choices(const struct fold_entity *entity, struct hub_arena *arena,
                         struct hub_merge_input *input) {
    struct hub_choice *choices =
        hub_arena_take(arena, (entity->decided_count + 1) * sizeof *choices);
    for (size_t i = 0; i < entity->decided_count; i++) {
        const struct fold_conflict *conflict = entity->decided[i];
        const struct fold_decision *decision = conflict->decision;
        size_t voice = 0;
        if (conflict->kind != HUB_CONFLICT_VALUES || decision->kind != FOLD_CHOOSE)
            continue; /* an accepted step chooses no value */
        while (voice < input->voice_count &&
               strcmp(input->voices[voice].key, decision->statements[0]) != 0)
            voice++;
        if (voice == input->voice_count)
            continue;
        choices[input->choice_count++] =
            (struct hub_choice){.path = conflict->field,
                                .voice = voice,
                                .values = (const char *const *)decision->values,
                                .value_count = decision->value_count};
    }
    input->choices = choices;
}

/* What the entity came to, where that tells what it comes to now. What was decided may hold or not. */
static bool find_before(const struct fold_step *step, const struct fold_change *change,
                        struct hub_merge_before *ret_before) {
    const struct fold_entity *entity = change->entity;
    const struct fold_news *news = change->news;
    size_t voice = 0;
    if (news == NULL || change->by_rules || entity->decided_count > 0 ||
        entity->merged_by != step->fold->rulings_in_force || change->value_before.size == 0)
        return false;
    while (entity->members[voice] != news->statement)
        voice++;
    *ret_before = (struct hub_merge_before){.same = news->same,
                                            .voice = voice,
                                            .had_event_time = news->had_event_time,
                                            .event_time_ms = news->event_time_ms,
                                            .value = change->value_before,
                                            .starts = change->starts_before,
                                            .sources = entity->sources,
                                            .settled = entity->settled};
    return true;
}

void fold_publish_merge(struct fold_step *step, struct fold_change *change) {
    const struct hub_domain *domain = step->fold->domain;
    struct fold_entity *entity = change->entity;
    struct hub_voice *voices = NULL;
    size_t sources_size = domain->contract.count * sizeof *entity->sources;
    if (entity->kind != FOLD_ACTIVE)
        return;
    fold_publish_voices(entity, domain, step->arena, &voices);
    struct hub_merge_input input = {
        .domain = domain, .voices = voices, .voice_count = entity->member_count};
    if (entity->decided_count > 0)
        list_choices(entity, step->arena, &input);
    struct hub_merge_before before;
    if (find_before(step, change, &before))
        input.before = &before;
    hub_merge(&input, step->arena, &change->merged);
    entity->merged_by = step->fold->rulings_in_force;
    change->publish |= entity->value == NULL ||
                       !hub_bytes_equal(change->merged.value,
                                        hub_bytes(entity->value, entity->value_size)) ||
                       memcmp(change->merged.sources, entity->sources, sources_size) != 0;
    fold_entity_set_value(entity, &change->merged, domain->contract.count);
}

/* --- the unified record, field by field as in schemas/hub/unified.avsc --- */

const bool *fold_change_differs(struct fold_step *step, struct fold_change *change) {
    const struct hub_type *record = step->fold->domain->schema->root;
    struct hub_bytes before = change->value_before;
    struct hub_bytes after = hub_bytes(change->entity->value, change->entity->value_size);
    if (change->differs != NULL)
        return change->differs;
    static const uint32_t nothing[HUB_FIELDS_MAX + 1];
    bool *differs = hub_arena_take(step->arena, record->count * sizeof *differs);
    const uint32_t *x = change->starts_before;
    const uint32_t *y = change->entity->starts;
    x = x == NULL ? nothing : x;
    y = y == NULL ? nothing : y;
    for (size_t i = 0; i < record->count; i++)
        differs[i] = !hub_bytes_parts_equal(before, x + i, after, y + i);
    return change->differs = differs;
}

/* Names of the fields that differ from the revision before. */
static void encode_changed(struct fold_step *step, struct fold_change *change,
                           struct hub_buffer *value) {
    const struct hub_type *record = step->fold->domain->schema->root;
    const bool *differs = fold_change_differs(step, change);
    size_t count = 0;
    for (size_t i = 0; i < record->count; i++)
        count += differs[i];
    hub_encode_array_begin(value, count);
    for (size_t i = 0; i < record->count; i++)
        if (differs[i])
            hub_encode_text(value, record->fields[i].name);
    hub_encode_array_end(value);
}

static void encode_carriers(const struct fold_step *step, const struct fold_statement *statement,
                            struct hub_buffer *value) {
    const struct fold_copy *speaker = fold_statement_speaker(statement);
    const char **names = hub_arena_take(step->arena, statement->copy_count * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < statement->copy_count; i++) {
        const struct fold_copy *copy = &statement->copies[i];
        if (copy == speaker || copy->withdrawn)
            continue;
        size_t at = count++;
        for (; at > 0 && strcmp(names[at - 1], copy->institution) > 0; at--)
            names[at] = names[at - 1];
        names[at] = copy->institution;
    }
    hub_encode_array_begin(value, count + 1);
    hub_encode_text(value, speaker->institution);
    for (size_t i = 0; i < count; i++)
        hub_encode_text(value, names[i]);
    hub_encode_array_end(value);
}

static void encode_statement(const struct fold_step *step, const struct fold_statement *statement,
                             int64_t first_offset, struct hub_buffer *value) {
    const struct fold_copy *speaker = fold_statement_speaker(statement);
    hub_encode_text(value, statement->key);
    encode_carriers(step, statement, value);
    hub_encode_long(value, first_offset);
    hub_encode_long(value, speaker->offset);
    hub_encode_text(value, speaker->version);
    hub_encode_long(value, speaker->withdrawn); /* CURRENT, WITHDRAWN */
}

/* The record that says an entity is withdrawn names the statement that went last. */
static void encode_statements(const struct fold_step *step, const struct fold_entity *entity,
                              struct hub_buffer *value) {
    bool gone = entity->kind == FOLD_WITHDRAWN || entity->kind == FOLD_MOVED;
    size_t count = gone && step->withdrawn != NULL ? 1 : entity->member_count;
    hub_encode_array_begin(value, count);
    for (size_t i = 0; i < entity->member_count; i++)
        encode_statement(step, entity->members[i], entity->members[i]->first_offset, value);
    if (gone && step->withdrawn != NULL)
        encode_statement(step, step->withdrawn, step->withdrawn_first_offset, value);
    hub_encode_array_end(value);
}

static void encode_conflicts(const struct fold_entity *entity, struct hub_buffer *value) {
    hub_encode_array_begin(value, entity->conflict_count);
    for (size_t i = 0; i < entity->conflict_count; i++) {
        const struct fold_conflict *conflict = entity->conflicts[i];
        hub_encode_text(value, conflict->id);
        hub_encode_text(value, conflict->field);
        hub_encode_long(value, conflict->severity);
    }
    hub_encode_array_end(value);
}

static void encode_unified(struct fold_step *step, struct fold_change *change,
                           struct hub_buffer *value) {
    const struct hub_domain *domain = step->fold->domain;
    const struct fold_entity *entity = change->entity;
    hub_buffer_reserve(value, entity->value_size + USUAL_SIZE);
    hub_frame_append(value, domain->unified->id);
    hub_encode_text(value, entity->id);
    hub_encode_long(value, entity->kind);
    hub_encode_optional_text(value, entity->into);
    hub_encode_text(value, entity->founder);
    hub_encode_long(value, entity->founded_offset);
    hub_encode_long(value, entity->revision);
    encode_changed(step, change, value);
    hub_encode_long(value, entity->value != NULL);
    hub_buffer_append(value, entity->value, entity->value_size);
    for (size_t i = 0; i < domain->contract.count; i++)
        hub_encode_long(value, entity->sources == NULL ? HUB_SOURCE_NONE : entity->sources[i]);
    encode_statements(step, entity, value);
    encode_conflicts(entity, value);
    hub_encode_text(value, domain->rules);
    hub_encode_long(value, HUB_CORE_VERSION);
}

static const char *event_name(enum fold_event event) {
    static const char *const names[] = {"registered", "updated",   "merged",
                                        "split",      "withdrawn", "moved"};
    return names[event];
}

static struct hub_bytes id_of(struct hub_bytes key, const struct fold_label *label,
                              struct hub_arena *arena) {
    char *text = hub_arena_take(arena, key.size + 1 + HUB_NUMBER_TEXT_SIZE_MAX);
    memcpy(text, key.data, key.size);
    text[key.size] = label->mark;
    return hub_bytes(text, (size_t)(hub_text_put_number(text + key.size + 1, label->number) - text));
}

/* The broker appends many entries at one time. */
static struct hub_bytes time_of(struct hub_fold *fold, int64_t time_ms, struct hub_arena *arena) {
    if (fold->time_size == 0 || fold->time_ms != time_ms)
        fold->time_size = hub_time_text(fold->time_ms = time_ms, fold->time);
    return hub_bytes(hub_arena_text(arena, fold->time, fold->time_size), fold->time_size);
}

struct hub_output *fold_publish_record(struct fold_step *step, enum hub_output_kind kind,
                                       const char *key, const struct hub_buffer *value,
                                       const struct fold_label *label) {
    struct hub_outputs *outputs = step->outputs;
    struct hub_output *output =
        hub_outputs_add(outputs, kind, step->fold->partition, hub_bytes_of_text(key));
    if (value->size > 0)
        hub_output_value(outputs, output, value);
    if (step->time.data == NULL)
        step->time = time_of(step->fold, step->entry->timestamp_ms, outputs->arena);
    struct hub_envelope_texts envelope = {.id = id_of(output->key, label, outputs->arena),
                                          .source = hub_bytes_of_text("urn:atmp:hub:fold"),
                                          .type = label->type,
                                          .subject = output->key,
                                          .time = step->time};
    hub_output_envelope_of(outputs, output, &envelope, step->entry);
    return output;
}

struct hub_bytes fold_publish_type(const struct fold_step *step, const char *event) {
    return hub_text_join(step->outputs->arena, hub_bytes_of_text(step->fold->type),
                         hub_bytes_of_text(event));
}

static void publish(struct fold_step *step, struct fold_change *change) {
    struct fold_entity *entity = change->entity;
    struct hub_buffer value = {.size_max = 64 * 1024 * 1024, .arena = step->arena};
    if (entity->kind != FOLD_ACTIVE)
        fold_entity_drop_value(entity);
    entity->revision++;
    encode_unified(step, change, &value);
    struct fold_label label = {'/', entity->revision,
                               fold_publish_type(step, event_name(change->event))};
    struct hub_output *output =
        fold_publish_record(step, HUB_OUTPUT_UNIFIED, entity->id, &value, &label);
    hub_output_header_kept(step->outputs, output, HUB_FOLD_HOOKS_HEADER,
                           fold_hooks_header(step->fold, entity, step->outputs->arena));
}

/* Survivors before what was merged into them; by id within both, so that one entry gives one
 * defined list. */
static int compare_changes(const void *a, const void *b) {
    const struct fold_change *const *x = a, *const *y = b;
    bool x_active = (*x)->entity->kind == FOLD_ACTIVE, y_active = (*y)->entity->kind == FOLD_ACTIVE;
    if (x_active != y_active)
        return x_active ? -1 : 1;
    return strcmp((*x)->entity->id, (*y)->entity->id);
}

void fold_publish_unified(struct fold_step *step) {
    if (step->change_count > 1)
        qsort(step->changes, step->change_count, sizeof *step->changes, compare_changes);
    for (size_t i = 0; i < step->change_count; i++)
        if (step->changes[i]->publish)
            publish(step, step->changes[i]);
}
