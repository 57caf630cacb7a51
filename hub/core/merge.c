#include "hub/core/merge.h"

#include "hub/core/merge_before.h"
#include "hub/core/merge_check.h"
#include "hub/core/merge_union.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

enum { MERGED_SIZE_MAX = 32 * 1024 * 1024, MERGED_SIZE_MORE = 512 };

struct merge {
    struct hub_merging merging;
    struct hub_candidates stated; /* of one field at a time */
    /* Per field, as in struct hub_merged: */
    uint32_t *starts;
    int *sources;
    bool *settled;
    const bool *kept;
};

/* --- the record --- */

/* The stamp of a unified value: nobody's version, the latest event among its statements. */
static int merge_stamp(struct hub_merging *merging) {
    const struct hub_domain *domain = merging->scope.domain;
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_STATEMENT].field->type;
    const struct hub_voice *latest = NULL;
    for (size_t i = 0; i < merging->scope.voice_count; i++) {
        const struct hub_voice *voice = &merging->scope.voices[i];
        if (voice->has_event_time &&
            (latest == NULL || voice->event_time_ms > latest->event_time_ms))
            latest = voice;
    }
    for (size_t i = 0; i < type->count; i++) {
        if ((int)i == domain->stamp.version)
            hub_encode_text(merging->value, "");
        else if ((int)i == domain->stamp.state)
            hub_encode_long(merging->value, domain->stamp.current_symbol);
        else if ((int)i == domain->stamp.event_time && latest != NULL)
            hub_buffer_append_bytes(
                merging->value,
                hub_slice_field(type,
                                hub_bytes_part(latest->body, latest->starts[HUB_FIELD_STATEMENT],
                                               latest->starts[HUB_FIELD_STATEMENT + 1]),
                                i));
        else
            hub_buffer_append_bytes(merging->value, hub_merging_unstated(&type->fields[i]));
    }
    return latest == NULL ? HUB_SOURCE_NONE : (int)(latest - merging->scope.voices);
}

/* Where a person has chosen who the sponsor is, that one is believed as the sponsor. */
static void bind_chosen_roles(struct merge *merge) {
    struct hub_merging *merging = &merge->merging;
    struct hub_candidates *stated = &merge->stated;
    const struct hub_domain *domain = merging->scope.domain;
    for (size_t i = 0; i < merging->choice_count; i++) {
        const char *path = merging->choices[i].path;
        int field = hub_type_field(domain->schema->root, path);
        if (field < 0 || !domain->contract.fields[field].is_role)
            continue;
        struct hub_conflicts conflicts = merging->conflicts; /* told when the field is merged */
        size_t size = merging->value->size;
        struct hub_place place = {.field = path};
        hub_merge_stated(&merging->scope, (size_t)field, stated);
        int source = hub_merging_one(merging, &domain->contract.fields[field], &place, stated);
        for (size_t k = 0; k < stated->count; k++)
            if ((int)stated->items[k].voice == source)
                hub_merge_bind_role(&merging->scope, (size_t)field, &stated->items[k]);
        merging->value->size = size;
        merging->conflicts = conflicts;
    }
}

/* What is the same whoever is believed: nothing, or what all say who say something. */
static int copy_alike(struct merge *merge, const struct hub_field_contract *contract) {
    const struct hub_candidates *stated = &merge->stated;
    bool any = stated->count > 0;
    hub_buffer_append_bytes(merge->merging.value, any ? stated->items[0].bytes
                                                      : hub_merging_unstated(contract->field));
    return any ? (int)hub_merge_first(&merge->merging.scope, contract, stated) : HUB_SOURCE_NONE;
}

/* The fields from there on that are kept, at one go; says where they end. */
static size_t copy_kept(struct merge *merge, const struct hub_merge_before *before, size_t field) {
    size_t to = field, count = merge->merging.scope.domain->contract.count;
    uint32_t from = before->starts[field], at = (uint32_t)merge->merging.value->size;
    for (; to < count && merge->kept[to]; to++) {
        merge->starts[to] = before->starts[to] - from + at;
        merge->sources[to] = before->sources[to];
        merge->settled[to] = before->settled[to];
    }
    hub_buffer_append_bytes(merge->merging.value,
                            hub_bytes_part(before->value, from, before->starts[to]));
    return to;
}

/* By the rules, one or a list, with the claims of those who may not speak. */
static int merge_stated(struct merge *merge, const struct hub_field_contract *contract,
                        size_t field) {
    struct hub_merging *merging = &merge->merging;
    struct hub_candidates *stated = &merge->stated;
    size_t from = merging->value->size, all = stated->count;
    int source = HUB_SOURCE_NONE;
    if (contract->is_union) {
        hub_merging_union(merging, contract, stated, &merge->settled[field]);
        source = hub_merging_source(stated);
    } else {
        struct hub_place place = {.field = contract->field->name};
        source = hub_merging_one(merging, contract, &place, stated);
    }
    if (stated->count == all) /* the common case */
        return source;
    struct hub_bytes merged =
        hub_bytes_part(hub_buffer_bytes(merging->value), from, merging->value->size);
    struct hub_claims claims = {contract, stated->items, stated->count, all, merged, source};
    hub_merge_check_claims(&merging->scope, &claims, &merging->conflicts);
    return source;
}

/* Appends the field's merged value and says whose it is. */
static int merge_field(struct merge *merge, const struct hub_merge_input *input, size_t field) {
    const struct hub_field_contract *contract = &input->domain->contract.fields[field];
    if (field == HUB_FIELD_STATEMENT)
        return merge_stamp(&merge->merging);
    hub_merge_stated(&merge->merging.scope, field, &merge->stated);
    if (!contract->is_union && !contract->shuts_out && merge->stated.alike)
        return copy_alike(merge, contract);
    if (contract->is_union && !contract->shuts_out && merge->stated.count == 0) {
        hub_encode_array_end(merge->merging.value);
        merge->settled[field] = true;
        return HUB_SOURCE_NONE;
    }
    return merge_stated(merge, contract, field);
}

static void merge_fields(struct merge *merge, const struct hub_merge_input *input) {
    size_t count = input->domain->contract.count, i = 0;
    while (i < count) {
        if (merge->kept != NULL && merge->kept[i]) {
            i = copy_kept(merge, input->before, i);
            continue;
        }
        merge->starts[i] = (uint32_t)merge->merging.value->size;
        merge->sources[i] = merge_field(merge, input, i);
        i++;
    }
    merge->starts[count] = (uint32_t)merge->merging.value->size;
}

static size_t size_of_largest(const struct hub_merge_input *input) {
    size_t size = 0;
    for (size_t i = 0; i < input->voice_count; i++)
        if (input->voices[i].body.size > size)
            size = input->voices[i].body.size;
    return size;
}

void hub_merge(const struct hub_merge_input *input, struct hub_arena *arena,
               struct hub_merged *ret_merged) {
    struct hub_buffer value = {.size_max = MERGED_SIZE_MAX, .arena = arena};
    struct hub_buffer scratch = {.arena = arena};
    const struct hub_contract *contract = &input->domain->contract;
    struct merge merge = {.merging = {.scope = {.domain = input->domain,
                                                .voices = input->voices,
                                                .voice_count = input->voice_count,
                                                .arena = arena},
                                      .value = &value,
                                      .scratch = &scratch,
                                      .choices = input->choices,
                                      .choice_count = input->choice_count,
                                      .conflicts = {.arena = arena}}};
    const struct hub_merge_scope *scope = &merge.merging.scope;
    merge.settled = hub_arena_take_zero(arena, contract->count, sizeof *merge.settled);
    merge.stated.items =
        hub_arena_take(arena, input->voice_count * sizeof *merge.stated.items);
    merge.sources = hub_arena_take(arena, contract->count * sizeof *merge.sources);
    merge.starts = hub_arena_take(arena, (contract->count + 1) * sizeof *merge.starts);
    hub_buffer_reserve(&value, size_of_largest(input) + MERGED_SIZE_MORE);
    hub_merge_bind_roles(&merge.merging.scope);
    if (input->before != NULL)
        merge.kept = hub_merge_find_kept(scope, input->before);
    bind_chosen_roles(&merge);
    merge_fields(&merge, input);
    *ret_merged = (struct hub_merged){.value = hub_buffer_bytes(&value),
                                      .starts = merge.starts,
                                      .sources = merge.sources,
                                      .settled = merge.settled,
                                      .kept = merge.kept};
    hub_merge_check_needs(scope, ret_merged, &merge.merging.conflicts);
    hub_merge_check_steps(scope, &merge.merging.conflicts);
    ret_merged->conflicts = merge.merging.conflicts.items;
    ret_merged->conflict_count = merge.merging.conflicts.count;
}
