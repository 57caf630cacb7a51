/* Resemblance: entities that agree in all fields of a hub:possible, and so may be one. */
#include "hub/stages/fold_state.h"

#include "hub/base/text.h"
#include "hub/core/equal.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

enum {
    /* What more entities have in common than this tells nothing about any two of them. */
    LIKENESS_ENTITIES_MAX = 8,
    RESEMBLANCE_KEYS_MAX = 16, /* of one entity and rule: titles in several languages */
};

static bool is_date(const struct hub_type *type) {
    return type->name != NULL && strcmp(type->name, "atmp.Date") == 0;
}

/* What one field contributes: a date its month, else what makes a value recognisable. */
static void field_key(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes value, struct hub_buffer *key) {
    struct hub_bytes stated;
    const struct hub_type *own = hub_slice_stated(type, value, &stated);
    if (is_date(own)) {
        size_t from = key->size;
        hub_render_date(hub_slice_long(hub_slice_field(own, stated, 0)), key);
        key->size = from + 7 < key->size ? from + 7 : key->size;
        return;
    }
    hub_value_key(contract, type, value, key);
}

/* Each key so far, continued by one more value. */
static void extend(struct fold_keys *keys, const struct fold_keys *before,
                   const struct hub_field_contract *contract, const struct hub_type *type,
                   struct hub_bytes value) {
    struct hub_buffer part = {.arena = keys->arena};
    hub_buffer_append_byte(&part, '|');
    field_key(contract, type, value, &part);
    hub_buffer_append_byte(&part, '\0');
    for (size_t i = 0; i < before->count && keys->count < RESEMBLANCE_KEYS_MAX; i++)
        keys->items[keys->count++] =
            (const char *)hub_text_join(keys->arena, hub_bytes_of_text(before->items[i]),
                                        hub_buffer_bytes(&part)).data;
}

static struct fold_keys with_field(const struct hub_domain *domain, struct hub_bytes value,
                                   const uint32_t *starts, const struct fold_keys *before,
                                   size_t index) {
    const struct hub_field_contract *contract = &domain->contract.fields[index];
    const struct hub_type *type = contract->field->type;
    struct hub_bytes bytes = hub_bytes_part(value, starts[index], starts[index + 1]);
    struct fold_keys keys = {.arena = before->arena};
    keys.items = hub_arena_take(keys.arena, RESEMBLANCE_KEYS_MAX * sizeof *keys.items);
    if (hub_slice_is_unstated(type, bytes))
        return keys;
    if (type->kind != HUB_ARRAY) {
        extend(&keys, before, contract, type, bytes);
        return keys;
    }
    struct hub_elements elements = hub_slice_elements(type, bytes);
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element))
        extend(&keys, before, contract, type->items, element);
    return keys;
}

struct fold_keys fold_likeness_keys(const struct hub_domain *domain, struct hub_bytes value,
                                    const uint32_t *starts, struct hub_arena *arena) {
    struct fold_keys all = {.arena = arena};
    all.items = hub_arena_take(arena, (domain->resemblance_count * RESEMBLANCE_KEYS_MAX + 1) *
                                          sizeof *all.items);
    for (size_t i = 0; i < domain->resemblance_count; i++) {
        const struct hub_resemblance *resemblance = &domain->resemblances[i];
        const char *start = domain->schema->root->fields[resemblance->fields[0]].name;
        struct fold_keys keys = {arena, &start, 1};
        for (size_t k = 0; k < resemblance->count; k++)
            keys = with_field(domain, value, starts, &keys, (size_t)resemblance->fields[k]);
        for (size_t k = 0; k < keys.count; k++)
            all.items[all.count++] = keys.items[k];
    }
    return all;
}

static struct fold_likeness *need_likeness(struct hub_fold *fold, const char *key) {
    struct fold_likeness *likeness = NULL;
    HASH_FIND_STR(fold->likenesses, key, likeness);
    if (likeness != NULL)
        return likeness;
    size_t size = strlen(key);
    char *text = NULL;
    likeness = hub_allocate_named(sizeof *likeness, key, size, &text);
    likeness->key = text;
    likeness->hook = hub_hook_hash(FOLD_BY_LIKENESS, hub_bytes(key, size));
    HASH_ADD_KEYPTR(hh, fold->likenesses, likeness->key, size, likeness);
    return likeness;
}

/* The evidence that a likeness gives about each pair in it, added or taken back. */
static void tell_pairs(struct fold_step *step, const struct fold_likeness *likeness, bool add) {
    if (step == NULL || likeness->count > LIKENESS_ENTITIES_MAX)
        return;
    for (size_t i = 0; i < likeness->count; i++)
        for (size_t k = i + 1; k < likeness->count; k++) {
            struct fold_entity *a = likeness->entities[i], *b = likeness->entities[k];
            if (strcmp(a->id, b->id) > 0) {
                a = likeness->entities[k];
                b = likeness->entities[i];
            }
            struct fold_evidence evidence = {
                FOLD_EVIDENCE_RESEMBLANCE, likeness->key, {a->founder, b->founder}};
            if (add)
                fold_match_tell(step, a, b, &evidence);
            else
                fold_match_take_back(step, a, b, FOLD_EVIDENCE_RESEMBLANCE, likeness->key);
        }
}

static void leave(struct fold_step *step, struct hub_fold *fold, struct fold_entity *entity,
                  struct fold_likeness *likeness) {
    size_t kept = 0;
    if (step != NULL)
        fold_wake(fold, FOLD_BY_LIKENESS, hub_bytes_of_text(likeness->key));
    tell_pairs(step, likeness, /* add= */ false);
    for (size_t i = 0; i < likeness->count; i++)
        if (likeness->entities[i] != entity)
            likeness->entities[kept++] = likeness->entities[i];
    likeness->count = kept;
    tell_pairs(step, likeness, /* add= */ true);
    if (kept > 0)
        return;
    HASH_DELETE(hh, fold->likenesses, likeness);
    hub_release(likeness->entities);
    hub_release(likeness);
}

static struct fold_likeness *enter(struct fold_step *step, struct hub_fold *fold,
                                   struct fold_entity *entity, const char *key) {
    if (step != NULL)
        fold_wake(fold, FOLD_BY_LIKENESS, hub_bytes_of_text(key));
    struct fold_likeness *likeness = need_likeness(fold, key);
    tell_pairs(step, likeness, /* add= */ false);
    HUB_GROW(likeness->entities, likeness->count, likeness->capacity);
    likeness->entities[likeness->count++] = entity;
    tell_pairs(step, likeness, /* add= */ true);
    return likeness;
}

static bool holds(const struct fold_keys *keys, const char *text) {
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->items[i], text) == 0)
            return true;
    return false;
}

static bool is_listed(const struct fold_entity *entity, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(entity->resemblances[i]->key, key) == 0)
            return true;
    return false;
}

static struct hub_bytes value_of(const struct fold_entity *entity) {
    return hub_bytes(entity->value, entity->value_size);
}

static void relist(struct fold_step *step, struct hub_fold *fold, struct fold_entity *entity,
                   struct hub_arena *arena) {
    struct fold_keys keys = {0};
    if (entity->kind == FOLD_ACTIVE)
        keys = fold_likeness_keys(fold->domain, value_of(entity), entity->starts,
                                  arena);
    size_t kept = 0;
    for (size_t i = 0; i < entity->resemblance_count; i++) {
        struct fold_likeness *likeness = entity->resemblances[i];
        if (holds(&keys, likeness->key))
            entity->resemblances[kept++] = likeness;
        else
            leave(step, fold, entity, likeness);
    }
    entity->resemblances =
        hub_reallocate(entity->resemblances, (kept + keys.count + 1) * sizeof(struct fold_likeness *));
    for (size_t i = 0; i < keys.count; i++) {
        if (!is_listed(entity, kept, keys.items[i]))
            entity->resemblances[kept++] = enter(step, fold, entity, keys.items[i]);
    }
    entity->resemblance_count = kept;
}

void fold_likeness_index(struct hub_fold *fold, struct fold_entity *entity,
                                  struct hub_arena *arena) {
    relist(NULL, fold, entity, arena);
}

bool fold_likeness_looks_the_same(struct fold_step *step, struct fold_change *change) {
    const struct hub_domain *domain = step->fold->domain;
    if (!change->was_active || change->entity->kind != FOLD_ACTIVE)
        return false;
    const bool *differs = fold_change_differs(step, change);
    for (size_t i = 0; i < domain->resemblance_count; i++)
        for (size_t k = 0; k < domain->resemblances[i].count; k++)
            if (differs[domain->resemblances[i].fields[k]])
                return false;
    return true;
}

void fold_likeness_of_change(struct fold_step *step, struct fold_change *change) {
    struct fold_entity *entity = change->entity;
    if (entity->kind == FOLD_ACTIVE && !change->remerge)
        return;
    if (!change->by_rules && fold_likeness_looks_the_same(step, change))
        return;
    if (change->by_rules) /* by the rules before, it may have been listed elsewhere */
        fold_match_forget(step, entity, FOLD_EVIDENCE_RESEMBLANCE);
    relist(step, step->fold, entity, step->arena);
    for (size_t i = 0; change->by_rules && i < entity->resemblance_count; i++)
        tell_pairs(step, entity->resemblances[i], /* add= */ true);
    if (entity->kind == FOLD_ACTIVE)
        return;
    /* Nobody asks about an entity that is no more. */
    fold_match_forget(step, entity, FOLD_EVIDENCE_RESEMBLANCE);
    fold_match_forget(step, entity, FOLD_EVIDENCE_EXCLUSIVE);
}

/* --- single fields that agree --- */

static bool is_text(const struct hub_type *type) {
    bool text = type->kind == HUB_STRING;
    for (size_t i = 0; type->kind == HUB_UNION && i < type->count; i++)
        text |= type->branches[i]->kind == HUB_STRING;
    return text;
}

/* Whether values name something: what is a date, a number or one of a few symbols is shared by too
 * many. */
static bool names_something(const struct hub_type *type) {
    if (type->kind == HUB_ARRAY)
        type = type->items;
    bool names = is_text(type);
    for (size_t i = 0; type->kind == HUB_RECORD && i < type->count; i++)
        names |= is_text(type->fields[i].type);
    return names;
}

static bool agree(struct fold_step *step, const struct fold_entity *a,
                  const struct fold_entity *b, size_t index) {
    const struct hub_domain *domain = step->fold->domain;
    const uint32_t *a_starts = a->starts;
    const uint32_t *b_starts = b->starts;
    const char *start = "";
    struct fold_keys none = {step->arena, &start, 1};
    struct hub_bytes stated;
    const struct hub_type *type = hub_slice_stated(
        domain->contract.fields[index].field->type,
        hub_bytes_part(value_of(a), a_starts[index], a_starts[index + 1]), &stated);
    if (type == NULL || !names_something(type))
        return false;
    struct fold_keys own = with_field(domain, value_of(a), a_starts, &none, index);
    struct fold_keys others = with_field(domain, value_of(b), b_starts, &none, index);
    for (size_t i = 0; i < own.count; i++)
        if (holds(&others, own.items[i]))
            return true;
    return false;
}

const char *fold_likeness_agreeing(struct fold_step *step, const struct fold_entity *a,
                                   const struct fold_entity *b) {
    const struct hub_domain *domain = step->fold->domain;
    const char *list = NULL;
    for (size_t i = 0; i < domain->resemblance_count; i++)
        for (size_t k = 0; k < domain->resemblances[i].count; k++) {
            size_t index = (size_t)domain->resemblances[i].fields[k];
            const char *name = domain->schema->root->fields[index].name;
            if (agree(step, a, b, index))
                list = list == NULL ? name : hub_arena_format(step->arena, "%s, %s", list, name);
        }
    return list;
}
