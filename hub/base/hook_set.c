#include "hub/base/hook_set.h"

#include "hub/base/memory.h"

enum { SLOTS_MIN = 1 << 6 };

/* Where the hook is, or would be. */
static uint64_t *slot_of(uint64_t *slots, size_t count, uint64_t hook) {
    size_t at = hook & (count - 1);
    while (slots[at] != 0 && slots[at] != hook)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static void grow(struct hub_hook_set *set) {
    size_t count = set->slot_count == 0 ? SLOTS_MIN : set->slot_count * 2;
    uint64_t *slots = hub_allocate_zero(count, sizeof *slots);
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i] != 0)
            *slot_of(slots, count, set->slots[i]) = set->slots[i];
    hub_release(set->slots);
    set->slots = slots;
    set->slot_count = count;
}

bool hub_hook_set_add(struct hub_hook_set *set, uint64_t hook) {
    if (set->count * 2 >= set->slot_count)
        grow(set);
    uint64_t *slot = slot_of(set->slots, set->slot_count, hook);
    if (*slot == hook && hook != 0)
        return false;
    set->count += hook != 0;
    *slot = hook;
    return true;
}

void hub_hook_set_free(struct hub_hook_set *set) {
    hub_release(set->slots);
    *set = (struct hub_hook_set){0};
}
