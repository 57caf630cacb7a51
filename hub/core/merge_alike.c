#include "hub/core/merge_alike.h"

struct hub_alike hub_alike_new(const struct hub_merge_scope *scope) {
    return (struct hub_alike){
        scope, hub_arena_take_zero(scope->arena, scope->domain->contract.count, sizeof(size_t *))};
}

/* By insertion: there are few. The value decides nothing, as it is everybody's. */
static size_t *place_voices(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract, struct hub_bytes value) {
    size_t count = scope->voice_count;
    size_t *places = hub_arena_take(scope->arena, 2 * count * sizeof *places);
    size_t *order = places + count;
    for (size_t i = 0; i < count; i++) {
        struct hub_candidate own = {i, value};
        size_t at = i;
        for (; at > 0; at--) {
            struct hub_candidate before = {order[at - 1], value};
            if (hub_merge_compare(scope, contract, contract->field->type, &before, &own, NULL) < 0)
                break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (size_t i = 0; i < count; i++)
        places[order[i]] = i;
    return places;
}

size_t hub_alike_first(struct hub_alike *alike, const struct hub_field_contract *contract,
                       const struct hub_candidates *candidates) {
    size_t **places = &alike->places[contract->chain];
    size_t first = candidates->items[0].voice;
    if (candidates->count == 1)
        return first;
    if (*places == NULL)
        *places = place_voices(alike->scope, contract, candidates->items[0].bytes);
    for (size_t i = 1; i < candidates->count; i++)
        if ((*places)[candidates->items[i].voice] < (*places)[first])
            first = candidates->items[i].voice;
    return first;
}
