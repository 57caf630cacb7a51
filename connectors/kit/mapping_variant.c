/* Variants: what one says laid over what the entry of `records` says for all of them. */
#include "connectors/kit/mapping_plan.h"

#include <string.h>

static void put(struct hub_node *mapping, const struct hub_node *key, const struct hub_node *item) {
    mapping->keys[mapping->count] = (struct hub_node *)key;
    mapping->items[mapping->count++] = (struct hub_node *)item;
}

/* Conditions that must all hold. */
static const struct hub_node *both_conditions(const struct hub_node *first,
                                              const struct hub_node *second,
                                              struct hub_arena *arena) {
    const struct hub_node *parts[] = {first, second};
    struct hub_node *list = hub_arena_take(arena, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < 2; i++)
        count += parts[i]->kind == HUB_NODE_SEQUENCE ? parts[i]->count : 1;
    *list = *second;
    list->kind = HUB_NODE_SEQUENCE;
    list->items = hub_arena_take(arena, (count + 1) * sizeof *list->items);
    list->count = 0;
    for (size_t i = 0; i < 2; i++) {
        bool several = parts[i]->kind == HUB_NODE_SEQUENCE;
        for (size_t k = 0; k < (several ? parts[i]->count : 1); k++)
            list->items[list->count++] =
                several ? parts[i]->items[k] : (struct hub_node *)parts[i];
    }
    return list;
}

const struct hub_node *map_lay_over(const struct hub_node *under, const struct hub_node *over,
                                    struct hub_arena *arena) {
    struct hub_node *whole = hub_arena_take(arena, sizeof *whole);
    size_t count = under->count + over->count + 1;
    *whole = *over;
    whole->keys = hub_arena_take(arena, count * sizeof *whole->keys);
    whole->items = hub_arena_take(arena, count * sizeof *whole->items);
    whole->count = 0;
    for (size_t i = 0; i < under->count; i++)
        if (hub_node_get(over, under->keys[i]->text) == NULL)
            put(whole, under->keys[i], under->items[i]);
    for (size_t i = 0; i < over->count; i++) {
        const char *name = over->keys[i]->text;
        const struct hub_node *item = over->items[i], *beside = hub_node_get(under, name);
        if (beside != NULL && strcmp(name, "when") == 0)
            item = both_conditions(beside, item, arena);
        else if (beside != NULL && strcmp(name, "fields") == 0 &&
                 beside->kind == HUB_NODE_MAPPING && item->kind == HUB_NODE_MAPPING)
            item = map_lay_over(beside, item, arena);
        put(whole, over->keys[i], item);
    }
    return whole;
}
