#include "hub/core/merge_value.h"

#include "hub/core/equal.h"
#include "hub/core/merge_key.h"
#include "schemas/lib/render.h"

#include <string.h>

/* --- conflicts --- */

static const char *render(struct hub_merging *merging, const struct hub_type *type,
                          struct hub_bytes bytes) {
    struct hub_buffer *text = merging->scratch;
    hub_buffer_clear(text);
    hub_render_json(type, bytes, text);
    return hub_arena_text(merging->scope.arena, (const char *)text->data, text->size);
}

/* Agreement is not transitive: two targets that differ both agree with an actual number, which is
 * another fact. So a group is of values that are alike each with each, and a conflict is any two
 * groups that contradict; those that contradict nobody are not in it. */
struct groups {
    const struct hub_field_contract *contract;
    const struct hub_type *type;
    const struct hub_candidates *candidates;
    size_t chosen;
    size_t *same;       /* by candidate: the first with these bytes */
    uint8_t *relations; /* enum hub_relation by pair of these, the smaller first; 0 where nobody has asked yet */
    size_t *of;         /* by candidate */
    size_t *leaders;    /* by group: its first candidate */
    bool *contested;
    size_t count;
};

static enum hub_relation relation_of(const struct groups *groups, size_t a, size_t b) {
    const struct hub_candidate *items = groups->candidates->items;
    a = groups->same[a];
    b = groups->same[b];
    if (a == b)
        return HUB_VALUES_ALIKE;
    size_t x = a < b ? a : b, y = a < b ? b : a;
    uint8_t *known = &groups->relations[x * groups->candidates->count + y];
    if (*known == 0)
        *known = (uint8_t)hub_values_relation(groups->contract, groups->type, items[x].bytes,
                                              items[y].bytes);
    return *known;
}

static bool fits_group(const struct groups *groups, size_t group, size_t candidate) {
    for (size_t i = 0; i < groups->candidates->count; i++) {
        bool member = i == groups->chosen ? group == 0 : i < candidate && groups->of[i] == group;
        if (member && relation_of(groups, i, candidate) != HUB_VALUES_ALIKE)
            return false;
    }
    return true;
}

static size_t *find_same(struct hub_arena *arena, const struct hub_candidates *candidates) {
    size_t *same = hub_arena_take(arena, candidates->count * sizeof *same);
    for (size_t i = 0; i < candidates->count; i++) {
        size_t first = 0;
        while (first < i &&
               !hub_bytes_equal(candidates->items[first].bytes, candidates->items[i].bytes))
            first++;
        same[i] = first;
    }
    return same;
}

static void form_groups(struct hub_arena *arena, struct groups *groups) {
    size_t count = groups->candidates->count;
    groups->same = find_same(arena, groups->candidates);
    groups->relations = hub_arena_take_zero(arena, count, count);
    groups->of = hub_arena_take_zero(arena, count, sizeof *groups->of);
    groups->leaders = hub_arena_take(arena, count * sizeof *groups->leaders);
    groups->contested = hub_arena_take_zero(arena, count, sizeof *groups->contested);
    groups->leaders[groups->count++] = groups->chosen;
    for (size_t i = 0; i < count; i++) {
        size_t group = 0;
        while (i != groups->chosen && group < groups->count && !fits_group(groups, group, i))
            group++;
        if (group == groups->count)
            groups->leaders[groups->count++] = i;
        groups->of[i] = group;
    }
    for (size_t i = 0; groups->count > 1 && i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (groups->of[i] != groups->of[k] &&
                relation_of(groups, k, i) == HUB_VALUES_CONTRARY)
                groups->contested[groups->of[i]] = groups->contested[groups->of[k]] = true;
}

static const char *path_of(struct hub_merging *merging, const struct hub_place *place) {
    struct hub_arena *arena = merging->scope.arena;
    if (place->list == NULL)
        return place->field;
    struct hub_bytes key = hub_element_key_text(merging, place->list, place->element);
    const char *text = (const char *)key.data;
    if (place->part == NULL)
        return hub_arena_format(arena, "%s[%s]", place->field, text);
    return hub_arena_format(arena, "%s[%s].%s", place->field, text, place->part);
}

static bool all_equal(const struct hub_candidates *candidates) {
    for (size_t i = 1; i < candidates->count; i++)
        if (!hub_bytes_equal(candidates->items[0].bytes, candidates->items[i].bytes))
            return false;
    return true;
}

/* The chosen value is listed even where only others contradict each other. NULL for no conflict. */
static struct hub_conflict_found *find_conflict(struct hub_merging *merging, const struct hub_field_contract *contract,
                                                const struct hub_type *type,
                                                const struct hub_place *place,
                                                const struct hub_candidates *candidates,
                                                size_t chosen) {
    struct hub_arena *arena = merging->scope.arena;
    struct groups groups = {contract, type, candidates, .chosen = chosen};
    size_t listed = 0;
    bool any = false;
    if (all_equal(candidates)) /* the common case */
        return NULL;
    form_groups(arena, &groups);
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
            render(merging, type, candidates->items[groups.leaders[group]].bytes), voices, filled,
            group == 0};
    }
    hub_conflict_values_sort(values, listed);
    struct hub_conflict_found *found = hub_conflicts_add(&merging->conflicts);
    *found = (struct hub_conflict_found){.kind = HUB_CONFLICT_VALUES,
                                         .path = path_of(merging, place),
                                         .mark = "",
                                         .severity = contract->severity,
                                         .owner = hub_merge_owner(&merging->scope, contract),
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
static size_t apply_choice(const struct hub_merging *merging, struct hub_conflict_found *found,
                           const struct hub_candidates *candidates, size_t chosen) {
    for (size_t i = 0; i < merging->choice_count; i++) {
        const struct hub_choice *choice = &merging->choices[i];
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

size_t hub_merging_choose(struct hub_merging *merging, const struct hub_field_contract *contract,
                          const struct hub_type *type, const struct hub_place *place,
                          const struct hub_candidates *candidates) {
    size_t chosen =
        hub_merge_choose(&merging->scope, contract, type, candidates->items, candidates->count);
    if (!contract->reports_conflict)
        return chosen;
    struct hub_conflict_found *found =
        find_conflict(merging, contract, type, place, candidates, chosen);
    return found == NULL ? chosen : apply_choice(merging, found, candidates, chosen);
}

/* --- one value of several --- */

struct hub_bytes hub_merging_unstated(const struct hub_field *field) {
    static const uint8_t null_branch[] = {0};
    return field->has_default ? field->default_value : hub_bytes(null_branch, 1);
}

int hub_merging_one(struct hub_merging *merging, const struct hub_field_contract *contract,
                    const struct hub_place *place, struct hub_candidates *candidates) {
    const struct hub_type *type = contract->field->type;
    candidates->count =
        hub_merge_admissible(&merging->scope, contract, candidates->items, candidates->count);
    if (candidates->count == 0) {
        hub_buffer_append_bytes(merging->value, hub_merging_unstated(contract->field));
        return HUB_SOURCE_NONE;
    }
    size_t chosen = hub_merging_choose(merging, contract, type, place, candidates);
    hub_buffer_append_bytes(merging->value, candidates->items[chosen].bytes);
    return (int)candidates->items[chosen].voice;
}
