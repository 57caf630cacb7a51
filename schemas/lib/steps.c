#include "schemas/lib/type.h"

#include <string.h>

enum { STEPS_MAX = 4 * HUB_FIELDS_MAX, OF_VALUE_MAX = 2 }; /* OF_VALUE_MAX: of what is no record */

struct steps {
    struct hub_step items[STEPS_MAX];
    size_t count;
    size_t max; /* so that each field that comes has room for what is no record */
};

static void add(struct steps *steps, enum hub_step_kind kind, size_t size,
                const struct hub_type *type) {
    steps->items[steps->count++] = (struct hub_step){kind, (uint32_t)size, type};
}

static bool is_optional(const struct hub_type *type) {
    return type->kind == HUB_UNION && type->count == 2 && type->branches[0]->kind == HUB_NULL;
}

static size_t size_of(const struct hub_type *type) {
    return type->kind == HUB_FLOAT ? 4 : type->kind == HUB_DOUBLE ? 8 : type->fixed_size;
}

static void add_value(struct steps *steps, const struct hub_type *type) {
    size_t inner = type->kind == HUB_RECORD ? type->field_steps[type->count] : 1;
    switch (type->kind) {
    case HUB_NULL:
        return;
    case HUB_BOOLEAN: /* a byte of 0 or 1 */
    case HUB_INT:
    case HUB_LONG:
    case HUB_ENUM:
        add(steps, HUB_STEP_LONG, 0, type);
        return;
    case HUB_BYTES:
    case HUB_STRING:
        add(steps, HUB_STEP_OCTETS, 0, type);
        return;
    case HUB_FLOAT:
    case HUB_DOUBLE:
    case HUB_FIXED:
        add(steps, HUB_STEP_SIZE, size_of(type), type);
        return;
    case HUB_RECORD:
        if (steps->count + inner > steps->max)
            break;
        if (inner > 0)
            memcpy(steps->items + steps->count, type->steps, inner * sizeof *type->steps);
        steps->count += inner;
        return;
    case HUB_ARRAY:
    case HUB_MAP:
    case HUB_UNION:;
    }
    add(steps, HUB_STEP_VALUE, 0, type);
}

void hub_type_make_steps(struct hub_type *record, struct hub_arena *arena) {
    struct steps *steps = hub_allocate_zero(1, sizeof *steps);
    uint16_t *field_steps = hub_arena_take(arena, (record->count + 1) * sizeof *field_steps);
    for (size_t i = 0; i < record->count; i++) {
        const struct hub_type *type = record->fields[i].type;
        field_steps[i] = (uint16_t)steps->count;
        steps->max = STEPS_MAX - OF_VALUE_MAX * (record->count - i);
        if (is_optional(type)) {
            size_t at = steps->count;
            add(steps, HUB_STEP_OPTIONAL, 0, type);
            add_value(steps, type->branches[1]);
            steps->items[at].size = (uint32_t)(steps->count - at - 1);
        } else {
            add_value(steps, type);
        }
    }
    field_steps[record->count] = (uint16_t)steps->count;
    record->steps = hub_arena_take(arena, (steps->count + 1) * sizeof *record->steps);
    if (steps->count > 0)
        memcpy((struct hub_step *)record->steps, steps->items, steps->count * sizeof *record->steps);
    record->field_steps = field_steps;
    hub_release(steps);
}
