/* Entities, their ids, and what the running step does to them. */
#include "hub/stages/fold_state.h"

#include "schemas/lib/slice.h"

#include <string.h>

struct fold_entity *fold_entity_find(struct hub_fold *fold, const char *id) {
    struct fold_entity *entity = NULL;
    fold_wake(fold, FOLD_BY_ENTITY, hub_bytes_of_text(id));
    HASH_FIND_STR(fold->entities, id, entity);
    return entity;
}

/* <domain>-<80 bits in base 32>, a function of the founding statement alone: the same things get
 * the same ids in every generation of the topics. The caller frees it. */
char *fold_entity_id_of(const struct hub_fold *fold, const char *founder) {
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's */
    enum { LETTERS = 16 };
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "%s/%s", fold->domain->name, founder);
    struct hub_digest digest = fold->digester->digest(hub_buffer_bytes(&text));
    char letters[LETTERS + 1] = {0};
    for (size_t i = 0; i < LETTERS; i++) {
        size_t bit = 5 * i;
        unsigned two =
            (unsigned)digest.bytes[bit / 8] << 8 | (unsigned)digest.bytes[bit / 8 + 1];
        letters[i] = digits[two >> (11 - bit % 8) & 31];
    }
    hub_buffer_clear(&text);
    hub_buffer_append_format(&text, "%s-%s", fold->domain->name, letters);
    return hub_copy_text(hub_buffer_text(&text));
}

struct fold_entity *fold_entity_add(struct hub_fold *fold, const char *id, const char *founder,
                                    int64_t founded_offset) {
    struct fold_entity *entity = hub_allocate_zero(1, sizeof *entity);
    entity->id = hub_copy_text(id);
    entity->founder = hub_copy_text(founder);
    entity->founded_offset = founded_offset;
    entity->kind = FOLD_WITHDRAWN; /* until it is given statements */
    HASH_ADD_KEYPTR(hh, fold->entities, entity->id, strlen(entity->id), entity);
    return entity;
}

void fold_entity_free(struct fold_entity *entity) {
    hub_release(entity->id);
    hub_release(entity->into);
    hub_release(entity->founder);
    hub_release(entity->members);
    hub_release(entity->value);
    hub_release(entity->starts);
    hub_release(entity->record);
    hub_release(entity->sources);
    hub_release(entity->settled);
    hub_release(entity->conflicts);
    hub_release(entity->decided);
    hub_release(entity->matches);
    hub_release(entity->exclusive_key);
    for (size_t i = 0; i < entity->resemblance_count; i++)
        hub_release(entity->resemblances[i]);
    hub_release(entity->resemblances);
    hub_release(entity);
}

void fold_entity_set_kind(struct hub_fold *fold, struct fold_entity *entity, enum fold_kind kind,
                          const char *into) {
    fold->gauges.entities += kind == FOLD_ACTIVE;
    fold->gauges.entities -= entity->kind == FOLD_ACTIVE;
    entity->kind = kind;
    hub_release(entity->into);
    entity->into = into == NULL ? NULL : hub_copy_text(into);
}

void fold_entity_set_members(struct fold_entity *entity, struct fold_statement **members,
                             size_t count) {
    while (entity->member_capacity < count) {
        entity->member_capacity = entity->member_capacity == 0 ? 4 : entity->member_capacity * 2;
        entity->members = hub_reallocate(entity->members,
                                         entity->member_capacity * sizeof *entity->members);
    }
    for (size_t i = 0; i < count; i++) {
        entity->members[i] = members[i];
        members[i]->entity = entity;
    }
    entity->member_count = count;
}

static size_t starts_size(const struct hub_fold *fold) {
    return (fold->domain->schema->root->count + 1) * sizeof(uint32_t);
}

const uint32_t *fold_entity_starts(const struct hub_fold *fold, struct fold_entity *entity) {
    if (entity->starts != NULL || entity->value == NULL)
        return entity->starts;
    entity->starts = hub_allocate(starts_size(fold));
    hub_slice_fields(fold->domain->schema->root, hub_bytes(entity->value, entity->value_size),
                     entity->starts);
    return entity->starts;
}

static struct hub_bytes copy_of(struct hub_arena *arena, const void *data, size_t size) {
    return hub_bytes(hub_arena_text(arena, data, size), size);
}

struct fold_change *fold_change_of(struct fold_step *step, struct fold_entity *entity) {
    if (entity->change != NULL)
        return entity->change;
    struct fold_change *change = hub_arena_take_zero(step->arena, 1, sizeof *change);
    change->entity = entity;
    change->event = FOLD_EVENT_UPDATED;
    change->was_active = entity->kind == FOLD_ACTIVE;
    if (entity->value != NULL)
        change->value_before = copy_of(step->arena, entity->value, entity->value_size);
    if (entity->starts != NULL)
        change->starts_before = (const uint32_t *)copy_of(step->arena, entity->starts,
                                                          starts_size(step->fold)).data;
    entity->change = change;
    HUB_GROW(step->changes, step->change_count, step->change_capacity);
    step->changes[step->change_count++] = change;
    return change;
}
