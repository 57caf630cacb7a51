/* Compiling targets: what a field of the record is made of, checked against its type. */
#include "connectors/kit/mapping_plan.h"

#include "schemas/lib/sealed.h"

#include <string.h>

static bool is_named(const struct hub_type *type, const char *name) {
    return type->kind == HUB_RECORD && strcmp(type->name, name) == 0;
}

static enum hub_status load_single(struct map_loader *loader, const struct hub_node *node,
                                   struct map_target *target) {
    target->value = hub_arena_take_zero(loader->arena, 1, sizeof *target->value);
    HUB_TRY(map_load_value(loader, node, target->type, target->value));
    const struct map_value *value = target->value;
    bool timed = target->kind == MAP_DATE || target->kind == MAP_TIME;
    if (timed != (value->time != NULL))
        return hub_node_fail(node, loader->reterr,
                             timed ? "a date or time needs time: {formats: [...]}"
                                   : "'time' is for dates and times; this field is none");
    /* An Organisation keeps the source's words beside the identifier that is looked up. */
    if (target->kind == MAP_ORGANISATION)
        target->value->lookup = false;
    for (size_t i = 0; target->kind == MAP_TIME && value->time->formats[i] != NULL; i++)
        if (!map_time_may_tell_offset(value->time->formats[i]) && !value->time->has_zone)
            return hub_node_fail(node, loader->reterr,
                                 "format '%s' tells no offset; a 'zone' is needed",
                                 value->time->formats[i]);
    return HUB_OK;
}

static enum hub_status check_required(struct map_loader *loader, const struct hub_node *node,
                                      const struct map_target *target, bool whole) {
    for (size_t i = 0; i < target->type->count; i++) {
        const struct hub_field *field = &target->type->fields[i];
        bool mapped = false;
        for (size_t k = 0; k < target->part_count; k++)
            mapped |= target->parts[k].field == i;
        bool optional = field->has_default || hub_type_null_branch(field->type) >= 0;
        if (!mapped && !optional && !(whole && i == HUB_FIELD_STATEMENT))
            return hub_node_fail(node, loader->reterr, "field '%s' is required and not mapped",
                                 field->name);
    }
    return HUB_OK;
}

/* What names a person at the source is nobody's business outside it. */
static enum hub_status check_private(struct map_loader *loader, const struct hub_node *node,
                                     const struct hub_field *field,
                                     const struct map_target *target) {
    const struct map_value *value = target->value;
    if (!hub_node_is_text(hub_node_get(field->node, "hub:class"), "pseudonym") || value == NULL ||
        value->source == MAP_CONSTANT || value->pseudonym != MAP_PSEUDONYM_NONE)
        return HUB_OK;
    return hub_node_fail(node, loader->reterr, "field '%s' is of class pseudonym: only a keyed hash may "
                         "stand in it; {from: PATH, pseudonym: shared} (or local) would pass",
                         field->name);
}

enum hub_status map_load_parts(struct map_loader *loader, const struct hub_node *node,
                                  struct map_target *target, bool whole) {
    const struct hub_type *type = target->type;
    const char *names[HUB_FIELDS_MAX + 1];
    size_t count = 0;
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr, "%s is a record: {part: value, ...} would pass",
                             type->name);
    for (size_t i = 0; i < type->count; i++)
        if (!(whole && i == HUB_FIELD_STATEMENT))
            names[count++] = type->fields[i].name;
    names[count] = NULL;
    HUB_TRY(hub_node_check_keys(node, names, loader->reterr));
    target->parts = hub_arena_take_zero(loader->arena, node->count, sizeof *target->parts);
    for (size_t i = 0; i < node->count; i++) {
        struct map_part *part = &target->parts[target->part_count++];
        part->field = (size_t)hub_type_field(type, node->keys[i]->text);
        HUB_TRY(map_load_target(loader, node->items[i], type->fields[part->field].type,
                                &part->target));
        HUB_TRY(check_private(loader, node->items[i], &type->fields[part->field], part->target));
        if (whole)
            HUB_TRY(map_take_blank(loader, &type->fields[part->field], part->target));
    }
    return check_required(loader, node, target, whole);
}

const struct hub_node *map_without(const struct hub_node *node, const char *const *keys,
                                   struct hub_arena *arena) {
    struct hub_node *rest = hub_arena_take(arena, sizeof *rest);
    *rest = *node;
    rest->items = hub_arena_take(arena, (node->count + 1) * sizeof *rest->items);
    rest->keys = hub_arena_take(arena, (node->count + 1) * sizeof *rest->keys);
    rest->count = 0;
    for (size_t i = 0; i < node->count; i++) {
        size_t k = 0;
        while (keys[k] != NULL && strcmp(keys[k], node->keys[i]->text) != 0)
            k++;
        if (keys[k] != NULL)
            continue;
        rest->keys[rest->count] = node->keys[i];
        rest->items[rest->count++] = node->items[i];
    }
    return rest;
}

/* {each: PATH, ...} on scalars is {from: PATH, ...}: all values instead of the first. */
static void each_to_from(struct map_loader *loader, struct hub_node *node) {
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->keys[i]->text, "each") == 0) {
            struct hub_node *key = hub_arena_take(loader->arena, sizeof *key);
            *key = *node->keys[i];
            key->text = "from";
            key->text_size = 4;
            node->keys[i] = key;
        }
}

/* for_each: PATH, or {from: PATH, split: TEXT} for a list inside one text. */
static enum hub_status load_each(struct map_loader *loader, const struct hub_node *node,
                                 struct map_value **ret_value) {
    if (node->kind == HUB_NODE_SCALAR)
        return map_load_path(loader, node, ret_value);
    *ret_value = hub_arena_take_zero(loader->arena, 1, sizeof **ret_value);
    HUB_TRY(map_load_value(loader, node, NULL, *ret_value));
    if ((*ret_value)->split == NULL)
        return hub_node_fail(node, loader->reterr, "a path or {from: PATH, split: TEXT} would "
                             "pass");
    return HUB_OK;
}

static enum hub_status load_item(struct map_loader *loader, const struct hub_node *node,
                                 const struct hub_type *elements, struct map_item *item) {
    static const char *const own[] = {"for_each", "when", NULL}; /* the rest is the element's target */
    const struct hub_node *rest = node;
    if (node->kind == HUB_NODE_MAPPING) {
        const struct hub_node *each = hub_node_get(node, "for_each");
        const struct hub_node *when = hub_node_get(node, "when");
        if (each != NULL)
            HUB_TRY(load_each(loader, each, &item->each));
        if (when != NULL)
            HUB_TRY(map_load_condition(loader, when, &item->when));
        rest = map_without(node, own, loader->arena);
        if (elements->kind != HUB_RECORD)
            each_to_from(loader, (struct hub_node *)rest);
    }
    if (!is_named(elements, "atmp.Identifier"))
        return map_load_target(loader, rest, elements, &item->target);
    item->target = hub_arena_take_zero(loader->arena, 1, sizeof *item->target);
    *item->target = (struct map_target){.node = node,
                                        .kind = MAP_IDENTIFIER,
                                        .type = elements,
                                        .branch = -1,
                                        .null_branch = -1};
    return map_load_identifier(loader, rest, elements, item->target);
}

static enum hub_status load_array(struct map_loader *loader, const struct hub_node *node,
                                  struct map_target *target) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? node->count : 1;
    target->items = hub_arena_take_zero(loader->arena, count, sizeof *target->items);
    target->item_count = count;
    for (size_t i = 0; i < count; i++)
        HUB_TRY(load_item(loader, list ? node->items[i] : node, target->type->items,
                          &target->items[i]));
    return HUB_OK;
}

enum hub_status map_load_target(struct map_loader *loader, const struct hub_node *node,
                                const struct hub_type *type, struct map_target **ret_target) {
    struct map_target *target = hub_arena_take_zero(loader->arena, 1, sizeof *target);
    target->node = node;
    target->null_branch = hub_type_null_branch(type);
    target->type = hub_type_stated(type);
    target->branch = target->null_branch < 0 ? -1 : 1 - target->null_branch;
    *ret_target = target;
    if (target->type->kind == HUB_ARRAY) {
        target->kind = MAP_ARRAY;
        return load_array(loader, node, target);
    }
    if (is_named(target->type, "atmp.Identifier")) {
        target->kind = MAP_IDENTIFIER;
        return map_load_identifier(loader, node, target->type, target);
    }
    if (hub_sealed_is(target->type))
        return map_load_sealed(loader, node, target);
    bool single = true;
    if (is_named(target->type, "atmp.Date"))
        target->kind = MAP_DATE;
    else if (is_named(target->type, "atmp.Time"))
        target->kind = MAP_TIME;
    else if (is_named(target->type, "atmp.Organisation"))
        target->kind = MAP_ORGANISATION;
    else
        single = target->type->kind != HUB_RECORD;
    if (single)
        return load_single(loader, node, target);
    target->kind = MAP_RECORD;
    return map_load_parts(loader, node, target, /* whole= */ false);
}
