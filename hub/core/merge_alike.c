#include "hub/core/merge_alike.h"

#include "schemas/lib/slice.h"

struct hub_alike hub_alike_new(const struct hub_merge_scope *scope) {
    return (struct hub_alike){
        scope, hub_arena_take_zero(scope->arena, scope->domain->contract.count, sizeof(size_t *))};
}

/* What the voice states; without data where it does not. */
static struct hub_bytes stated_by(const struct hub_merge_scope *scope, size_t voice, size_t field) {
    const struct hub_voice *own = &scope->voices[voice];
    struct hub_bytes bytes = hub_bytes_part(own->body, own->starts[field], own->starts[field + 1]);
    const struct hub_type *type = scope->domain->contract.fields[field].field->type;
    return hub_slice_is_unstated(type, bytes) ? hub_bytes(NULL, 0) : bytes;
}

/* By insertion: there are few. The value decides nothing, as it is everybody's. */
static size_t *order_voices(const struct hub_merge_scope *scope,
                            const struct hub_field_contract *contract, struct hub_bytes value) {
    size_t *order = hub_arena_take(scope->arena, scope->voice_count * sizeof *order);
    for (size_t i = 0; i < scope->voice_count; i++) {
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
    return order;
}

static size_t first_who_states(struct hub_alike *alike, size_t field, struct hub_bytes value) {
    const struct hub_merge_scope *scope = alike->scope;
    const struct hub_field_contract *contract = &scope->domain->contract.fields[field];
    size_t **order = &alike->orders[contract->chain], i = 0;
    if (*order == NULL)
        *order = order_voices(scope, contract, value);
    while (stated_by(scope, (*order)[i], field).data == NULL)
        i++;
    return (*order)[i];
}

bool hub_alike_find(struct hub_alike *alike, size_t field, struct hub_bytes *ret_value,
                    int *ret_source) {
    const struct hub_merge_scope *scope = alike->scope;
    struct hub_bytes value = hub_bytes(NULL, 0);
    size_t count = 0, only = 0;
    if (scope->domain->contract.fields[field].shuts_out)
        return false;
    for (size_t i = 0; i < scope->voice_count; i++) {
        struct hub_bytes bytes = stated_by(scope, i, field);
        if (bytes.data == NULL)
            continue;
        if (count++ == 0)
            only = i;
        else if (!hub_bytes_equal(value, bytes))
            return false;
        value = bytes;
    }
    *ret_value = value;
    *ret_source = count == 0   ? HUB_SOURCE_NONE
                  : count == 1 ? (int)only
                               : (int)first_who_states(alike, field, value);
    return true;
}
