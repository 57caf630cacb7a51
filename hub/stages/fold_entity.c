/* Entities, their ids, and what the running step does to them. */
#include "hub/stages/fold_state.h"

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
    hub_buffer_append_text(&text, fold->domain->name);
    hub_buffer_append_byte(&text, '/');
    hub_buffer_append_text(&text, founder);
    struct hub_digest digest = fold->digester->digest(hub_buffer_bytes(&text));
    char letters[LETTERS];
    for (size_t i = 0; i < LETTERS; i++) {
        size_t bit = 5 * i;
        unsigned two =
            (unsigned)digest.bytes[bit / 8] << 8 | (unsigned)digest.bytes[bit / 8 + 1];
        letters[i] = digits[two >> (11 - bit % 8) & 31];
    }
    hub_buffer_clear(&text);
    hub_buffer_append_text(&text, fold->domain->name);
    hub_buffer_append_byte(&text, '-');
    hub_buffer_append(&text, letters, LETTERS);
    return hub_copy_bytes(text.data, text.size);
}

struct fold_entity *fold_entity_add(struct hub_fold *fold, const char *id, const char *founder,
                                    int64_t founded_offset) {
    size_t id_size = strlen(id);
    char *text = NULL;
    struct fold_entity *entity = hub_allocate_named(sizeof *entity, id, id_size, &text);
    entity->id = text;
    entity->founder = hub_copy_text(founder);
    entity->founded_offset = founded_offset;
    entity->kind = FOLD_WITHDRAWN; /* until it is given statements */
    HASH_ADD_KEYPTR(hh, fold->entities, entity->id, id_size, entity);
    return entity;
}

void fold_entity_free(struct fold_entity *entity) {
    hub_release(entity->into);
    hub_release(entity->founder);
    hub_release(entity->members);
    hub_release(entity->starts);
    hub_release(entity->record);
    hub_release(entity->conflicts);
    hub_release(entity->decided);
    hub_release(entity->matches);
    hub_release(entity->exclusive_key);
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

static size_t starts_size(size_t field_count) {
    return (field_count + 1) * sizeof(uint32_t);
}

static void *put(void *at, const void *data, size_t size) {
    return (char *)memcpy(at, data, size) + size;
}

void fold_entity_set_value(struct fold_entity *entity, const struct hub_merged *merged,
                           size_t field_count) {
    size_t sources_size = field_count * sizeof *merged->sources;
    size_t settled_size = field_count * sizeof *merged->settled;
    if (entity->value == NULL || entity->value_size != merged->value.size) {
        hub_release(entity->starts);
        entity->starts = hub_allocate(starts_size(field_count) + sources_size + settled_size +
                                      merged->value.size);
    }
    entity->sources = put(entity->starts, merged->starts, starts_size(field_count));
    entity->settled = put(entity->sources, merged->sources, sources_size);
    entity->value = put(entity->settled, merged->settled, settled_size);
    put(entity->value, merged->value.data, merged->value.size);
    entity->value_size = merged->value.size;
}

void fold_entity_drop_value(struct fold_entity *entity) {
    entity->starts = hub_release(entity->starts);
    entity->sources = NULL;
    entity->settled = NULL;
    entity->value = NULL;
    entity->value_size = 0;
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
    if (entity->value != NULL) {
        size_t size = starts_size(step->fold->domain->contract.count);
        change->value_before = copy_of(step->arena, entity->value, entity->value_size);
        change->starts_before = (const uint32_t *)copy_of(step->arena, entity->starts, size).data;
    }
    entity->change = change;
    HUB_GROW_IN(step->arena, step->changes, step->change_count, step->change_capacity);
    step->changes[step->change_count++] = change;
    return change;
}
