#include "hub/core/merge.h"

#include "hub/core/equal.h"
#include "hub/core/merge_alike.h"
#include "hub/core/merge_check.h"
#include "hub/core/merge_order.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <stdlib.h>
#include <string.h>

enum { MERGED_SIZE_MAX = 32 * 1024 * 1024, MERGED_SIZE_MORE = 512 };

struct merge {
    struct hub_merge_scope scope;
    struct hub_buffer *value;
    struct hub_buffer *scratch; /* of one call at a time */
    const struct hub_choice *choices;
    size_t choice_count;
    struct hub_conflicts conflicts;
    bool *settled; /* per field */
};

struct candidates {
    struct hub_candidate *items;
    size_t count;
};

static struct hub_arena *arena_of(struct merge *merge) {
    return merge->scope.arena;
}

/* --- conflicts --- */

static const char *render(struct merge *merge, const struct hub_type *type,
                          struct hub_bytes bytes) {
    struct hub_buffer *text = merge->scratch;
    hub_buffer_clear(text);
    hub_render_json(type, bytes, text);
    return hub_arena_text(arena_of(merge), (const char *)text->data, text->size);
}

/* Agreement is not transitive: two targets that differ both agree with an actual number, which is
 * another fact. So a group is of values that are alike each with each, and a conflict is any two
 * groups that contradict; those that contradict nobody are not in it. */
struct groups {
    size_t *of;      /* by candidate */
    size_t *leaders; /* by group: its first candidate */
    bool *contested;
    size_t count;
};

static bool fits_group(const struct hub_field_contract *contract, const struct hub_type *type,
                       const struct candidates *candidates, const struct groups *groups,
                       size_t group, size_t candidate, size_t chosen) {
    for (size_t i = 0; i < candidates->count; i++) {
        bool member = i == chosen ? group == 0 : i < candidate && groups->of[i] == group;
        if (member && !hub_values_alike(contract, type, candidates->items[i].bytes,
                                        candidates->items[candidate].bytes))
            return false;
    }
    return true;
}

static void form_groups(struct merge *merge, const struct hub_field_contract *contract,
                        const struct hub_type *type, const struct candidates *candidates,
                        size_t chosen, struct groups *groups) {
    struct hub_arena *arena = arena_of(merge);
    size_t count = candidates->count;
    groups->of = hub_arena_take_zero(arena, count, sizeof *groups->of);
    groups->leaders = hub_arena_take(arena, count * sizeof *groups->leaders);
    groups->contested = hub_arena_take_zero(arena, count, sizeof *groups->contested);
    groups->leaders[groups->count++] = chosen;
    for (size_t i = 0; i < count; i++) {
        size_t group = 0;
        while (i != chosen && group < groups->count &&
               !fits_group(contract, type, candidates, groups, group, i, chosen))
            group++;
        if (group == groups->count)
            groups->leaders[groups->count++] = i;
        groups->of[i] = group;
    }
    for (size_t i = 0; groups->count > 1 && i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (groups->of[i] != groups->of[k] &&
                !hub_values_agree(contract, type, candidates->items[k].bytes,
                                  candidates->items[i].bytes))
                groups->contested[groups->of[i]] = groups->contested[groups->of[k]] = true;
}

/* Where a value stands: titles, titles[en], titles[en].text. Put together only for a conflict. */
struct place {
    const char *field;
    const char *key;  /* of an element, or NULL */
    const char *part; /* of an element, or NULL */
};

static const char *path_of(struct merge *merge, const struct place *place) {
    if (place->key == NULL)
        return place->field;
    if (place->part == NULL)
        return hub_arena_format(arena_of(merge), "%s[%s]", place->field, place->key);
    return hub_arena_format(arena_of(merge), "%s[%s].%s", place->field, place->key, place->part);
}

static bool all_equal(const struct candidates *candidates) {
    for (size_t i = 1; i < candidates->count; i++)
        if (!hub_bytes_equal(candidates->items[0].bytes, candidates->items[i].bytes))
            return false;
    return true;
}

/* The chosen value is listed even where only others contradict each other. NULL for no conflict. */
static struct hub_conflict_found *find_conflict(struct merge *merge, const struct hub_field_contract *contract,
                                                const struct hub_type *type,
                                                const struct place *place,
                                                const struct candidates *candidates,
                                                size_t chosen) {
    struct hub_arena *arena = arena_of(merge);
    struct groups groups = {0};
    size_t listed = 0;
    bool any = false;
    if (all_equal(candidates)) /* the common case */
        return NULL;
    form_groups(merge, contract, type, candidates, chosen, &groups);
    for (size_t group = 0; group < groups.count; group++)
        any |= groups.contested[group];
    if (!any)
        return NULL;
    struct hub_conflict_value *values = hub_arena_take_zero(arena, groups.count, sizeof *values);
    for (size_t group = 0; group < groups.count; group++) {
        size_t *voices = hub_arena_take(arena, candidates->count * sizeof *voices), filled = 0;
        if (group > 0 && !groups.contested[group])
            continue;
        for (size_t i = 0; i < candidates->count; i++)
            if (groups.of[i] == group)
                voices[filled++] = candidates->items[i].voice;
        values[listed++] = (struct hub_conflict_value){
            render(merge, type, candidates->items[groups.leaders[group]].bytes), voices, filled,
            group == 0};
    }
    hub_conflict_values_sort(values, listed);
    struct hub_conflict_found *found = hub_conflicts_add(&merge->conflicts);
    *found = (struct hub_conflict_found){.kind = HUB_CONFLICT_VALUES,
                                         .path = path_of(merge, place),
                                         .mark = "",
                                         .severity = contract->severity,
                                         .owner = hub_merge_owner(&merge->scope, contract),
                                         .values = values,
                                         .value_count = listed};
    return found;
}

/* --- what a person chose --- */

static bool says_the_same(const struct hub_conflict_found *found, const struct hub_choice *choice) {
    size_t known = 0;
    if (found->value_count != choice->value_count)
        return false;
    for (size_t i = 0; i < choice->value_count; i++)
        for (size_t k = 0; k < found->value_count; k++)
            known += strcmp(choice->values[i], found->values[k].text) == 0;
    return known == choice->value_count;
}

static void mark_chosen(struct hub_conflict_found *found, size_t voice) {
    for (size_t i = 0; i < found->value_count; i++) {
        struct hub_conflict_value *value = &found->values[i];
        value->chosen = false;
        for (size_t k = 0; k < value->voice_count; k++)
            value->chosen |= value->voices[k] == voice;
    }
    hub_conflict_values_sort(found->values, found->value_count);
    found->decided = true;
}

/* The candidate that a person chose, where that still holds; else the one that the rules chose. */
static size_t apply_choice(const struct merge *merge, struct hub_conflict_found *found,
                           const struct candidates *candidates, size_t chosen) {
    for (size_t i = 0; i < merge->choice_count; i++) {
        const struct hub_choice *choice = &merge->choices[i];
        if (strcmp(choice->path, found->path) != 0 || !says_the_same(found, choice))
            continue;
        for (size_t k = 0; k < candidates->count; k++) {
            if (candidates->items[k].voice != choice->voice)
                continue;
            mark_chosen(found, choice->voice);
            return k;
        }
    }
    return chosen;
}

/* The rules choose, unless they find a conflict that a person has decided. */
static size_t choose(struct merge *merge, const struct hub_field_contract *contract,
                     const struct hub_type *type, const struct place *place,
                     const struct candidates *candidates) {
    size_t chosen =
        hub_merge_choose(&merge->scope, contract, type, candidates->items, candidates->count);
    if (!contract->reports_conflict)
        return chosen;
    struct hub_conflict_found *found =
        find_conflict(merge, contract, type, place, candidates, chosen);
    return found == NULL ? chosen : apply_choice(merge, found, candidates, chosen);
}

/* --- one value of several --- */

static struct hub_bytes unstated(const struct hub_field *field) {
    static const uint8_t null_branch[] = {0};
    return field->has_default ? field->default_value : hub_bytes(null_branch, 1);
}

/* Keeps of the candidates those that may speak. */
static int merge_one(struct merge *merge, const struct hub_field_contract *contract,
                     const struct place *place, struct candidates *candidates) {
    const struct hub_type *type = contract->field->type;
    candidates->count =
        hub_merge_admissible(&merge->scope, contract, candidates->items, candidates->count);
    if (candidates->count == 0) {
        hub_buffer_append_bytes(merge->value, unstated(contract->field));
        return HUB_SOURCE_NONE;
    }
    size_t chosen = choose(merge, contract, type, place, candidates);
    hub_buffer_append_bytes(merge->value, candidates->items[chosen].bytes);
    return (int)candidates->items[chosen].voice;
}

/* --- unions by key --- */

struct element {
    struct hub_candidate candidate;
    const char *key;
};

static const char *element_key(struct merge *merge, const struct hub_field_contract *contract,
                               struct hub_bytes element) {
    struct hub_buffer *key = merge->scratch;
    const struct hub_type *type = contract->field->type->items;
    const struct hub_contract *parts = contract->parts;
    hub_buffer_clear(key);
    if (contract->key_count == 0)
        hub_value_key(contract, type, element, key);
    for (size_t i = 0; i < contract->key_count; i++) {
        size_t index = (size_t)contract->key_fields[i];
        const struct hub_field_contract *part = &parts->fields[index];
        struct hub_bytes bytes = hub_slice_field(type, element, index);
        if (contract->key_count == 1)
            hub_value_key(part, part->field->type, bytes, key);
        else
            hub_value_key_part(part, part->field->type, bytes, key);
    }
    if (contract->key_count > 1)
        key->size--; /* the separator after the last part */
    return hub_arena_text(arena_of(merge), (const char *)key->data, key->size);
}

static int compare_elements(const void *a, const void *b) {
    const struct element *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (order != 0)
        return order;
    if (x->candidate.voice != y->candidate.voice)
        return (x->candidate.voice > y->candidate.voice) -
               (x->candidate.voice < y->candidate.voice);
    return hub_bytes_compare(x->candidate.bytes, y->candidate.bytes);
}

static struct element *list_elements(struct merge *merge,
                                     const struct hub_field_contract *contract,
                                     const struct candidates *arrays, size_t *ret_count) {
    const struct hub_type *type = contract->field->type;
    struct hub_bytes bytes;
    size_t count = 0, filled = 0;
    for (size_t i = 0; i < arrays->count; i++) {
        struct hub_elements elements = hub_slice_elements(type, arrays->items[i].bytes);
        while (hub_slice_next(&elements, &bytes))
            count++;
    }
    struct element *list = hub_arena_take(arena_of(merge), (count + 1) * sizeof *list);
    for (size_t i = 0; i < arrays->count; i++) {
        struct hub_elements elements = hub_slice_elements(type, arrays->items[i].bytes);
        while (hub_slice_next(&elements, &bytes))
            list[filled++] = (struct element){{arrays->items[i].voice, bytes},
                                              element_key(merge, contract, bytes)};
    }
    qsort(list, count, sizeof *list, compare_elements);
    *ret_count = count;
    return list;
}

/* The elements of one key, part by part: what one does not state another may. The parts follow the
 * array's chain of rules. */
static void merge_parts(struct merge *merge, const struct hub_field_contract *contract,
                        const struct place *place, const struct candidates *elements) {
    const struct hub_type *record = contract->field->type->items;
    size_t width = record->count + 1;
    uint32_t *starts = hub_arena_take(arena_of(merge), elements->count * width * sizeof *starts);
    for (size_t k = 0; k < elements->count; k++)
        hub_slice_fields(record, elements->items[k].bytes, starts + k * width);
    for (size_t i = 0; i < record->count; i++) {
        struct hub_field_contract part = contract->parts->fields[i];
        part.rules = contract->rules;
        part.rule_count = contract->rule_count;
        part.reports_conflict = contract->reports_conflict;
        part.severity = contract->severity;
        struct candidates stated = {
            .items = hub_arena_take(arena_of(merge), elements->count * sizeof *stated.items)};
        for (size_t k = 0; k < elements->count; k++) {
            const uint32_t *own = starts + k * width;
            struct hub_bytes bytes = hub_bytes_part(elements->items[k].bytes, own[i], own[i + 1]);
            if (hub_type_null_branch(part.field->type) < 0 ||
                !hub_slice_is_unstated(part.field->type, bytes))
                stated.items[stated.count++] =
                    (struct hub_candidate){elements->items[k].voice, bytes};
        }
        struct place own = {place->field, place->key, part.field->name};
        merge_one(merge, &part, &own, &stated);
    }
}

static void merge_element(struct merge *merge, const struct hub_field_contract *contract,
                          const struct place *place, const struct candidates *same) {
    const struct hub_type *type = contract->field->type->items;
    if (type->kind == HUB_RECORD && !contract->parts->atomic) {
        merge_parts(merge, contract, place, same);
        return;
    }
    size_t chosen = choose(merge, contract, type, place, same);
    hub_buffer_append_bytes(merge->value, same->items[chosen].bytes);
}

static int source_of(const struct candidates *arrays) {
    return arrays->count == 0   ? HUB_SOURCE_NONE
           : arrays->count == 1 ? (int)arrays->items[0].voice
                                : HUB_SOURCE_SEVERAL;
}

static int merge_union(struct merge *merge, const struct hub_field_contract *contract,
                       struct candidates *arrays, bool *ret_settled) {
    size_t count = 0, keys = 0;
    *ret_settled = !contract->shuts_out;
    arrays->count = hub_merge_admissible(&merge->scope, contract, arrays->items, arrays->count);
    struct element *list = list_elements(merge, contract, arrays, &count);
    for (size_t i = 0; i < count; i++)
        keys += i == 0 || strcmp(list[i - 1].key, list[i].key) != 0;
    hub_encode_array_begin(merge->value, keys);
    for (size_t from = 0, to = 0; from < count; from = to) {
        struct candidates same = {
            .items = hub_arena_take(arena_of(merge), (count - from) * sizeof *same.items)};
        for (to = from; to < count && strcmp(list[from].key, list[to].key) == 0; to++)
            same.items[same.count++] = list[to].candidate;
        merge->scope.element_type = contract->field->type->items;
        merge->scope.element = same.items[0].bytes;
        struct place place = {contract->field->name, list[from].key, NULL};
        merge_element(merge, contract, &place, &same);
        *ret_settled &= all_equal(&same);
    }
    merge->scope.element_type = NULL;
    hub_encode_array_end(merge->value);
    return source_of(arrays);
}

/* Whether the merged list is what it was. */
static bool is_as_before(const struct hub_merge_input *input, size_t field,
                         const struct candidates *stated) {
    if (input->same == NULL || !input->same[field])
        return false;
    bool was_settled = input->before_settled != NULL && input->before_settled[field];
    return was_settled ||
           (!input->domain->contract.fields[field].shuts_out && all_equal(stated));
}

/* --- the record --- */

/* The stamp of a unified value: nobody's version, the latest event among its statements. */
static int merge_stamp(struct merge *merge) {
    const struct hub_domain *domain = merge->scope.domain;
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_voice *latest = NULL;
    for (size_t i = 0; i < merge->scope.voice_count; i++) {
        const struct hub_voice *voice = &merge->scope.voices[i];
        if (voice->has_event_time &&
            (latest == NULL || voice->event_time_ms > latest->event_time_ms))
            latest = voice;
    }
    for (size_t i = 0; i < type->count; i++) {
        if ((int)i == domain->stamp.version)
            hub_encode_text(merge->value, "");
        else if ((int)i == domain->stamp.state)
            hub_encode_long(merge->value, domain->stamp.current_symbol);
        else if ((int)i == domain->stamp.event_time && latest != NULL)
            hub_buffer_append_bytes(
                merge->value,
                hub_slice_field(type,
                                hub_bytes_part(latest->body, latest->starts[HUB_FIELD_STATEMENT],
                                               latest->starts[HUB_FIELD_STATEMENT + 1]),
                                i));
        else
            hub_buffer_append_bytes(merge->value, unstated(&type->fields[i]));
    }
    return latest == NULL ? HUB_SOURCE_NONE : (int)(latest - merge->scope.voices);
}

static struct candidates stated_by(struct merge *merge, size_t field) {
    const struct hub_type *type = merge->scope.domain->contract.fields[field].field->type;
    struct candidates stated = {
        .items = hub_arena_take(arena_of(merge), merge->scope.voice_count * sizeof *stated.items)};
    for (size_t i = 0; i < merge->scope.voice_count; i++) {
        const struct hub_voice *voice = &merge->scope.voices[i];
        struct hub_bytes bytes =
            hub_bytes_part(voice->body, voice->starts[field], voice->starts[field + 1]);
        if (!hub_slice_is_unstated(type, bytes))
            stated.items[stated.count++] = (struct hub_candidate){i, bytes};
    }
    return stated;
}

/* Where a person has chosen who the sponsor is, that one is believed as the sponsor. */
static void bind_chosen_roles(struct merge *merge) {
    const struct hub_contract *contract = &merge->scope.domain->contract;
    for (size_t i = 0; i < merge->choice_count; i++) {
        const char *path = merge->choices[i].path;
        int field = hub_type_field(merge->scope.domain->schema->root, path);
        if (field < 0 || !contract->fields[field].is_role)
            continue;
        struct hub_conflicts conflicts = merge->conflicts; /* told when the field is merged */
        size_t size = merge->value->size;
        struct candidates stated = stated_by(merge, (size_t)field);
        struct place place = {path, NULL, NULL};
        int source = merge_one(merge, &contract->fields[field], &place, &stated);
        for (size_t k = 0; k < stated.count; k++)
            if ((int)stated.items[k].voice == source)
                hub_merge_bind_role(&merge->scope, (size_t)field, &stated.items[k]);
        merge->value->size = size;
        merge->conflicts = conflicts;
    }
}

/* Appends the field's merged value and says whose it is. */
static int merge_field(struct merge *merge, const struct hub_merge_input *input,
                       struct hub_alike *alike, size_t field) {
    const struct hub_field_contract *contract = &input->domain->contract.fields[field];
    struct hub_buffer *value = merge->value;
    struct hub_bytes agreed;
    int source = HUB_SOURCE_NONE;
    if (field == HUB_FIELD_STATEMENT)
        return merge_stamp(merge);
    if (!contract->is_union && hub_alike_find(alike, field, &agreed, &source)) {
        hub_buffer_append_bytes(value, agreed.data == NULL ? unstated(contract->field) : agreed);
        return source;
    }
    struct candidates stated = stated_by(merge, field);
    if (contract->is_union && is_as_before(input, field, &stated)) {
        hub_buffer_append_bytes(value, hub_bytes_part(input->before, input->before_starts[field],
                                                      input->before_starts[field + 1]));
        merge->settled[field] = input->before_settled != NULL && input->before_settled[field];
        return source_of(&stated);
    }
    struct place place = {contract->field->name, NULL, NULL};
    size_t from = value->size, all = stated.count;
    source = contract->is_union ? merge_union(merge, contract, &stated, &merge->settled[field])
                                : merge_one(merge, contract, &place, &stated);
    struct hub_claims claims = {contract, stated.items, stated.count, all,
                                hub_bytes_part(hub_buffer_bytes(value), from, value->size), source};
    hub_merge_check_claims(&merge->scope, &claims, &merge->conflicts);
    return source;
}

void hub_merge(const struct hub_merge_input *input, struct hub_arena *arena,
               struct hub_merged *ret_merged) {
    struct hub_buffer value = {.size_max = MERGED_SIZE_MAX, .arena = arena};
    struct hub_buffer scratch = {.arena = arena};
    const struct hub_domain *domain = input->domain;
    struct merge merge = {.scope = {.domain = domain,
                                    .voices = input->voices,
                                    .voice_count = input->voice_count,
                                    .arena = arena},
                          .value = &value,
                          .scratch = &scratch,
                          .choices = input->choices,
                          .choice_count = input->choice_count,
                          .conflicts = {.arena = arena},
                          .settled = hub_arena_take_zero(arena, domain->contract.count,
                                                         sizeof(bool))};
    int *sources = hub_arena_take(arena, domain->contract.count * sizeof *sources);
    uint32_t *starts = hub_arena_take(arena, (domain->contract.count + 1) * sizeof *starts);
    hub_buffer_reserve(&value, input->voices[0].body.size + MERGED_SIZE_MORE);
    hub_merge_bind_roles(&merge.scope);
    bind_chosen_roles(&merge);
    struct hub_alike alike = hub_alike_new(&merge.scope);
    for (size_t i = 0; i < domain->contract.count; i++) {
        starts[i] = (uint32_t)value.size;
        sources[i] = merge_field(&merge, input, &alike, i);
    }
    starts[domain->contract.count] = (uint32_t)value.size;
    *ret_merged = (struct hub_merged){
        .value = hub_buffer_bytes(&value),
        .starts = starts,
        .sources = sources,
        .settled = merge.settled};
    hub_merge_check_needs(&merge.scope, ret_merged, &merge.conflicts);
    hub_merge_check_steps(&merge.scope, &merge.conflicts);
    ret_merged->conflicts = merge.conflicts.items;
    ret_merged->conflict_count = merge.conflicts.count;
}
