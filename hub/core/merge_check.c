#include "hub/core/merge_check.h"

#include "hub/core/equal.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

struct hub_conflict_found *hub_conflicts_add(struct hub_conflicts *conflicts) {
    if (conflicts->count == conflicts->capacity) {
        size_t capacity = conflicts->capacity == 0 ? 8 : conflicts->capacity * 2;
        struct hub_conflict_found *wider =
            hub_arena_take_zero(conflicts->arena, capacity, sizeof *wider);
        if (conflicts->count > 0)
            memcpy(wider, conflicts->items, conflicts->count * sizeof *wider);
        conflicts->items = wider;
        conflicts->capacity = capacity;
    }
    return &conflicts->items[conflicts->count++];
}

static int compare_values(const struct hub_conflict_value *x, const struct hub_conflict_value *y) {
    if (x->chosen != y->chosen)
        return x->chosen ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* By insertion: there are few. */
void hub_conflict_values_sort(struct hub_conflict_value *values, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct hub_conflict_value moved = values[i];
        size_t at = i;
        for (; at > 0 && compare_values(&values[at - 1], &moved) > 0; at--)
            values[at] = values[at - 1];
        values[at] = moved;
    }
}

static const char *render(const struct hub_merge_scope *scope, const struct hub_type *type,
                          struct hub_bytes bytes) {
    struct hub_buffer text = {.arena = scope->arena};
    hub_render_json(type, bytes, &text);
    return hub_buffer_text(&text);
}

/* --- claims --- */

static bool has_element(const struct hub_field_contract *contract, struct hub_bytes array,
                        struct hub_bytes wanted) {
    const struct hub_type *type = contract->field->type;
    struct hub_elements elements = hub_slice_elements(type, array);
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element))
        if (hub_values_agree(contract, type->items, element, wanted))
            return true;
    return false;
}

/* Whether whoever says `said` says what is claimed, too. */
static bool includes(const struct hub_field_contract *contract, struct hub_bytes said,
                     struct hub_bytes claim) {
    const struct hub_type *type = contract->field->type;
    if (contract->is_union) {
        struct hub_elements elements = hub_slice_elements(type, claim);
        struct hub_bytes element;
        while (hub_slice_next(&elements, &element))
            if (!has_element(contract, said, element))
                return false;
        return true;
    }
    if (contract->equality != HUB_EQUAL_REACHABLE)
        return hub_values_agree(contract, type, said, claim);
    const struct hub_lifecycle *lifecycle = contract->lifecycle;
    hub_slice_stated(type, said, &said);
    hub_slice_stated(type, claim, &claim);
    return lifecycle->reachable[(size_t)hub_slice_long(claim) * lifecycle->states->count +
                                (size_t)hub_slice_long(said)];
}

static bool is_founded(const struct hub_merge_scope *scope, const struct hub_claims *claims,
                       const struct hub_candidate *claim) {
    const struct hub_rule *rule = hub_merge_shut_out(scope, claims->contract, claim);
    for (size_t i = 0; i < claims->kept; i++)
        if (hub_merge_is_believed(scope, rule, claims->stated[i].voice) &&
            includes(claims->contract, claims->stated[i].bytes, claim->bytes))
            return true;
    return false;
}

/* Each text once, with all who claim it. */
static size_t add_claim(const struct hub_merge_scope *scope, const struct hub_claims *claims,
                        const struct hub_candidate *claim, struct hub_conflict_value *values,
                        size_t listed) {
    const char *text = render(scope, claims->contract->field->type, claim->bytes);
    size_t at = 0;
    while (at < listed && strcmp(values[at].text, text) != 0)
        at++;
    if (at == listed) {
        values[at].text = text;
        values[at].voices = hub_arena_take(scope->arena, claims->count * sizeof(size_t));
    }
    ((size_t *)values[at].voices)[values[at].voice_count++] = claim->voice;
    return at == listed ? listed + 1 : listed;
}

/* The merged value, with the one statement it is of, or all that share in it. */
static struct hub_conflict_value merged_value(const struct hub_merge_scope *scope,
                                              const struct hub_claims *claims) {
    size_t *voices = hub_arena_take(scope->arena, claims->kept * sizeof *voices), count = 0;
    for (size_t i = 0; i < claims->kept; i++)
        if (claims->source < 0 || claims->stated[i].voice == (size_t)claims->source)
            voices[count++] = claims->stated[i].voice;
    return (struct hub_conflict_value){
        render(scope, claims->contract->field->type, claims->merged), voices, count, true};
}

void hub_merge_check_claims(const struct hub_merge_scope *scope, const struct hub_claims *claims,
                            struct hub_conflicts *conflicts) {
    const struct hub_field_contract *contract = claims->contract;
    size_t listed = 0;
    if (claims->kept == claims->count || !contract->reports_conflict) /* the common case */
        return;
    struct hub_conflict_value *values =
        hub_arena_take_zero(scope->arena, claims->count + 1, sizeof *values);
    for (size_t i = claims->kept; i < claims->count; i++)
        if (!is_founded(scope, claims, &claims->stated[i]))
            listed = add_claim(scope, claims, &claims->stated[i], values, listed);
    if (listed == 0)
        return;
    if (claims->kept > 0)
        values[listed++] = merged_value(scope, claims);
    hub_conflict_values_sort(values, listed);
    *hub_conflicts_add(conflicts) = (struct hub_conflict_found){.kind = HUB_CONFLICT_UNFOUNDED,
                                                                .path = contract->field->name,
                                                                .mark = ":claim",
                                                                .severity = contract->severity,
                                                                .owner = hub_merge_owner(scope, contract),
                                                                .values = values,
                                                                .value_count = listed};
}

/* --- needs --- */

static void add_need(const struct hub_merge_scope *scope, const struct hub_merged *merged,
                     size_t field, struct hub_conflicts *conflicts) {
    const struct hub_contract *record = &scope->domain->contract;
    const struct hub_field_contract *contract = &record->fields[field];
    const char *needed = record->fields[contract->needed_field].field->name;
    size_t *voices = hub_arena_take(scope->arena, scope->voice_count * sizeof *voices), count = 0;
    for (size_t i = 0; i < scope->voice_count; i++) {
        const struct hub_voice *voice = &scope->voices[i];
        struct hub_candidate own = {
            i, hub_bytes_part(voice->body, voice->starts[field], voice->starts[field + 1])};
        bool shares = merged->sources[field] == (int)i ||
                      (merged->sources[field] == HUB_SOURCE_SEVERAL &&
                       !hub_slice_is_unstated(contract->field->type, own.bytes) &&
                       hub_merge_shut_out(scope, contract, &own) == NULL);
        if (shares)
            voices[count++] = i;
    }
    struct hub_conflict_value *values = hub_arena_take_zero(scope->arena, 2, sizeof *values);
    values[0] = (struct hub_conflict_value){
        render(scope, contract->field->type,
               hub_slice_field(record->record, merged->value, field)),
        voices, count, true};
    values[1].text = hub_arena_format(scope->arena, "{\"%s\":null}", needed);
    *hub_conflicts_add(conflicts) =
        (struct hub_conflict_found){.kind = HUB_CONFLICT_UNFOUNDED,
                                    .path = contract->field->name,
                                    .mark = hub_arena_format(scope->arena, ":needs-%s", needed),
                                    .severity = contract->needed_severity,
                                    .owner = hub_merge_owner(
                                        scope, &record->fields[contract->needed_field]),
                                    .values = values,
                                    .value_count = 2};
}

void hub_merge_check_needs(const struct hub_merge_scope *scope, const struct hub_merged *merged,
                           struct hub_conflicts *conflicts) {
    const struct hub_contract *contract = &scope->domain->contract;
    for (size_t i = 0; contract->has_needs && i < contract->count; i++)
        if (contract->fields[i].needed_field >= 0 && merged->sources[i] != HUB_SOURCE_NONE &&
            merged->sources[contract->fields[i].needed_field] == HUB_SOURCE_NONE)
            add_need(scope, merged, i, conflicts);
}

/* --- steps --- */

void hub_merge_check_steps(const struct hub_merge_scope *scope, struct hub_conflicts *conflicts) {
    const struct hub_domain *domain = scope->domain;
    if (domain->lifecycle_field < 0)
        return;
    const struct hub_field_contract *contract =
        &domain->contract.fields[domain->lifecycle_field];
    const struct hub_type *states = contract->lifecycle->states;
    size_t field = (size_t)domain->lifecycle_field;
    for (size_t i = 0; contract->reports_conflict && i < scope->voice_count; i++) {
        const struct hub_voice *voice = &scope->voices[i];
        struct hub_bytes bytes =
            hub_bytes_part(voice->body, voice->starts[field], voice->starts[field + 1]);
        if (voice->replaced_status == NULL ||
            hub_slice_stated(contract->field->type, bytes, &bytes) == NULL)
            continue;
        size_t to = (size_t)hub_slice_long(bytes);
        if (strcmp(voice->replaced_status, states->symbols[to]) == 0) /* staying is allowed */
            continue;
        int from = hub_type_symbol(states, voice->replaced_status);
        if (from < 0 || contract->lifecycle->allowed[(size_t)from * states->count + to])
            continue;
        size_t *voices = hub_arena_take(scope->arena, sizeof *voices);
        struct hub_conflict_value *values =
            hub_arena_take_zero(scope->arena, 2, sizeof *values);
        const char *mark = hub_arena_format(scope->arena, "@%s", voice->key);
        *voices = i;
        values[0] = (struct hub_conflict_value){
            hub_arena_format(scope->arena, "\"%s\"", states->symbols[to]), voices, 1, true};
        values[1] = (struct hub_conflict_value){
            hub_arena_format(scope->arena, "\"%s\"", states->symbols[from]), voices, 1, false};
        *hub_conflicts_add(conflicts) = (struct hub_conflict_found){.kind = HUB_CONFLICT_STEP,
                                                           .path = contract->field->name,
                                                           .mark = mark,
                                                           .severity = contract->severity,
                                                           .values = values,
                                                           .value_count = 2};
    }
}
