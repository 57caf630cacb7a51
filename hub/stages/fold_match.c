/* Matches: pairs of entities that may be one, with the evidence, for a person to decide. */
#include "hub/stages/fold_state.h"

#include "hub/core/equal.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

enum {
    /* What more entities have in common than this tells nothing about any two of them. */
    LIKENESS_ENTITIES_MAX = 8,
    RESEMBLANCE_KEYS_MAX = 16, /* of one entity and rule: titles in several languages */
};

/* The match as it stood before the running step. */
struct fold_match_before {
    bool open;
    struct hub_bytes evidence; /* encoded */
    bool decided;        /* the step's event is about a decision */
    const char *refused; /* why it was refused, or NULL */
};

static void evidence_free(struct fold_evidence *evidence) {
    hub_release(evidence->detail);
    hub_release(evidence->statements[0]);
    hub_release(evidence->statements[1]);
}

void fold_match_free(struct fold_match *match) {
    for (size_t i = 0; i < match->evidence_count; i++)
        evidence_free(&match->evidence[i]);
    hub_release(match->evidence);
    hub_release(match->id);
    hub_release(match->entities[0]);
    hub_release(match->entities[1]);
    fold_decision_free(match->decision);
    hub_release(match);
}

static void encode_evidence(const struct fold_match *match, struct hub_buffer *value) {
    hub_encode_array_begin(value, match->evidence_count);
    for (size_t i = 0; i < match->evidence_count; i++) {
        const struct fold_evidence *evidence = &match->evidence[i];
        hub_encode_long(value, evidence->kind);
        hub_encode_text(value, evidence->detail);
        hub_encode_array_begin(value, 2);
        hub_encode_text(value, evidence->statements[0]);
        hub_encode_text(value, evidence->statements[1]);
        hub_encode_array_end(value);
    }
    hub_encode_array_end(value);
}

static void touch(struct fold_step *step, struct fold_match *match) {
    if (match->before != NULL)
        return;
    HUB_SCOPED_BUFFER evidence = {0};
    struct fold_match_before *before = hub_arena_take(step->arena, sizeof *before);
    encode_evidence(match, &evidence);
    char *copy = hub_arena_text(step->arena, (const char *)evidence.data, evidence.size);
    *before = (struct fold_match_before){.open = match->open,
                                         .evidence = hub_bytes(copy, evidence.size)};
    match->before = before;
    HUB_GROW(step->matches, step->match_count, step->match_capacity);
    step->matches[step->match_count++] = match;
}

/* --- pairs --- */

static struct fold_match *add_match(struct hub_fold *fold, const char *id, const char *a,
                                    const char *b) {
    struct fold_match *match = hub_allocate_zero(1, sizeof *match);
    match->id = hub_copy_text(id);
    match->entities[0] = hub_copy_text(a);
    match->entities[1] = hub_copy_text(b);
    match->opened_offset = -1;
    HASH_ADD_KEYPTR(hh, fold->matches, match->id, strlen(match->id), match);
    return match;
}

static struct fold_match *need_match(struct fold_step *step, const struct fold_entity *a,
                                     const struct fold_entity *b) {
    struct fold_match *match = NULL;
    if (strcmp(a->id, b->id) > 0) {
        const struct fold_entity *other = a;
        a = b;
        b = other;
    }
    const char *id = hub_arena_format(step->arena, "%s~%s", a->id, b->id);
    HASH_FIND_STR(step->fold->matches, id, match);
    return match != NULL ? match : add_match(step->fold, id, a->id, b->id);
}

struct fold_match *fold_match_of_decision(struct fold_step *step, const char *subject,
                                          const struct fold_entity *a,
                                          const struct fold_entity *b) {
    struct fold_match *match = NULL;
    HASH_FIND_STR(step->fold->matches, subject, match);
    if (match == NULL)
        match = add_match(step->fold, subject, a == NULL ? "" : a->id, b == NULL ? "" : b->id);
    touch(step, match);
    return match;
}

void fold_match_note_decided(struct fold_step *step, struct fold_match *match,
                             const char *refused) {
    (void)step;
    match->before->decided = true;
    match->before->refused = refused;
}

void fold_match_touch_all(struct fold_step *step, struct fold_entity *entity) {
    for (size_t i = 0; entity != NULL && i < entity->match_count; i++)
        touch(step, entity->matches[i]);
}

static void attach(struct fold_entity *entity, struct fold_match *match) {
    for (size_t i = 0; i < entity->match_count; i++)
        if (entity->matches[i] == match)
            return;
    HUB_GROW(entity->matches, entity->match_count, entity->match_capacity);
    entity->matches[entity->match_count++] = match;
}

static void detach(struct fold_entity *entity, const struct fold_match *match) {
    size_t kept = 0;
    for (size_t i = 0; i < entity->match_count; i++)
        if (entity->matches[i] != match)
            entity->matches[kept++] = entity->matches[i];
    entity->match_count = kept;
}

static int compare_evidence(const struct fold_evidence *a, const struct fold_evidence *b) {
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = strcmp(a->detail, b->detail);
    if (order == 0)
        order = strcmp(a->statements[0], b->statements[0]);
    return order != 0 ? order : strcmp(a->statements[1], b->statements[1]);
}

static void add_evidence(struct fold_step *step, struct fold_entity *a, struct fold_entity *b,
                         const struct fold_evidence *evidence) {
    struct fold_match *match = need_match(step, a, b);
    touch(step, match);
    size_t at = 0;
    while (at < match->evidence_count && compare_evidence(&match->evidence[at], evidence) < 0)
        at++;
    if (at < match->evidence_count && compare_evidence(&match->evidence[at], evidence) == 0)
        return;
    HUB_GROW(match->evidence, match->evidence_count, match->evidence_capacity);
    memmove(&match->evidence[at + 1], &match->evidence[at],
            (match->evidence_count - at) * sizeof *match->evidence);
    match->evidence[at] = (struct fold_evidence){
        evidence->kind,
        hub_copy_text(evidence->detail),
        {hub_copy_text(evidence->statements[0]), hub_copy_text(evidence->statements[1])}};
    match->evidence_count++;
    attach(a, match);
    attach(b, match);
}

/* Removes the evidence of identifiers, or of one resemblance (`detail`). */
static void remove_evidence(struct fold_step *step, struct fold_match *match, bool resemblance,
                            const char *detail) {
    size_t kept = 0;
    touch(step, match);
    for (size_t i = 0; i < match->evidence_count; i++) {
        struct fold_evidence *evidence = &match->evidence[i];
        bool same_kind = (evidence->kind == FOLD_EVIDENCE_RESEMBLANCE) == resemblance;
        if (same_kind && (detail == NULL || strcmp(detail, evidence->detail) == 0))
            evidence_free(evidence);
        else
            match->evidence[kept++] = *evidence;
    }
    match->evidence_count = kept;
}

void fold_match_of_refusals(struct fold_step *step, struct fold_entity **entities,
                            size_t entity_count, const struct fold_evidence *evidence,
                            const size_t *pairs, size_t evidence_count) {
    for (size_t i = 0; i < entity_count; i++)
        for (size_t k = 0; k < entities[i]->match_count; k++)
            remove_evidence(step, entities[i]->matches[k], /* resemblance= */ false, NULL);
    for (size_t i = 0; i < evidence_count; i++) {
        struct fold_entity *a = entities[pairs[2 * i]], *b = entities[pairs[2 * i + 1]];
        struct fold_evidence ordered = evidence[i];
        if (strcmp(ordered.statements[0], ordered.statements[1]) > 0) {
            ordered.statements[0] = evidence[i].statements[1];
            ordered.statements[1] = evidence[i].statements[0];
        }
        if (a != b)
            add_evidence(step, a, b, &ordered);
    }
}

/* --- resemblance --- */

struct keys {
    struct hub_arena *arena;
    const char **items;
    size_t count;
};

/* What one field contributes: a date its month, else what makes a value recognisable. */
static void field_key(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes value, struct hub_buffer *key) {
    struct hub_bytes stated;
    const struct hub_type *own = hub_slice_stated(type, value, &stated);
    if (own->name != NULL && strcmp(own->name, "atmp.Date") == 0) {
        size_t from = key->size;
        hub_render_date(hub_slice_long(hub_slice_field(own, stated, 0)), key);
        key->size = from + 7 < key->size ? from + 7 : key->size;
        return;
    }
    hub_value_key(contract, type, value, key);
}

/* Each key so far, continued by one more value. */
static void extend(struct keys *keys, const struct keys *before, const char *part) {
    for (size_t i = 0; i < before->count && keys->count < RESEMBLANCE_KEYS_MAX; i++)
        keys->items[keys->count++] =
            hub_arena_format(keys->arena, "%s|%s", before->items[i], part);
}

static struct keys with_field(const struct hub_domain *domain, const struct fold_entity *entity,
                              const struct keys *before, size_t index) {
    const struct hub_field_contract *contract = &domain->contract.fields[index];
    const struct hub_type *type = contract->field->type;
    struct hub_bytes bytes = hub_slice_field(
        domain->schema->root, hub_bytes(entity->value, entity->value_size), index);
    struct keys keys = {.arena = before->arena};
    keys.items = hub_arena_take(keys.arena, RESEMBLANCE_KEYS_MAX * sizeof *keys.items);
    if (hub_slice_is_unstated(type, bytes))
        return keys;
    if (type->kind != HUB_ARRAY) {
        HUB_SCOPED_BUFFER part = {0};
        field_key(contract, type, bytes, &part);
        extend(&keys, before, hub_buffer_text(&part));
        return keys;
    }
    struct hub_elements elements = hub_slice_elements(type, bytes);
    struct hub_bytes element;
    while (keys.count < RESEMBLANCE_KEYS_MAX && hub_slice_next(&elements, &element)) {
        HUB_SCOPED_BUFFER part = {0};
        field_key(contract, type->items, element, &part);
        extend(&keys, before, hub_buffer_text(&part));
    }
    return keys;
}

/* All keys under which the entity's value could be recognised elsewhere. */
static struct keys list_keys(const struct hub_domain *domain, const struct fold_entity *entity,
                             struct hub_arena *arena) {
    struct keys all = {.arena = arena};
    all.items = hub_arena_take(arena, (domain->resemblance_count * RESEMBLANCE_KEYS_MAX + 1) *
                                          sizeof *all.items);
    for (size_t i = 0; entity->kind == FOLD_ACTIVE && i < domain->resemblance_count; i++) {
        const struct hub_resemblance *resemblance = &domain->resemblances[i];
        const char *start = "";
        struct keys keys = {arena, &start, 1};
        for (size_t k = 0; k < resemblance->count; k++) {
            size_t index = (size_t)resemblance->fields[k];
            start = k > 0 ? start
                          : hub_arena_format(arena, "%s", domain->schema->root->fields[index].name);
            keys = with_field(domain, entity, &keys, index);
        }
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
    likeness = hub_allocate_zero(1, sizeof *likeness);
    likeness->key = hub_copy_text(key);
    HASH_ADD_KEYPTR(hh, fold->likenesses, likeness->key, strlen(likeness->key), likeness);
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
                add_evidence(step, a, b, &evidence);
            else
                remove_evidence(step, need_match(step, a, b), /* resemblance= */ true,
                                likeness->key);
        }
}

static void leave(struct fold_step *step, struct hub_fold *fold, struct fold_entity *entity,
                  const char *key) {
    struct fold_likeness *likeness = need_likeness(fold, key);
    size_t kept = 0;
    tell_pairs(step, likeness, /* add= */ false);
    for (size_t i = 0; i < likeness->count; i++)
        if (likeness->entities[i] != entity)
            likeness->entities[kept++] = likeness->entities[i];
    likeness->count = kept;
    tell_pairs(step, likeness, /* add= */ true);
    if (kept > 0)
        return;
    HASH_DELETE(hh, fold->likenesses, likeness);
    hub_release(likeness->key);
    hub_release(likeness->entities);
    hub_release(likeness);
}

static void enter(struct fold_step *step, struct hub_fold *fold, struct fold_entity *entity,
                  const char *key) {
    struct fold_likeness *likeness = need_likeness(fold, key);
    tell_pairs(step, likeness, /* add= */ false);
    HUB_GROW(likeness->entities, likeness->count, likeness->capacity);
    likeness->entities[likeness->count++] = entity;
    tell_pairs(step, likeness, /* add= */ true);
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool holds(char *const *texts, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

static void relist(struct fold_step *step, struct hub_fold *fold, struct fold_entity *entity,
                   struct hub_arena *arena) {
    struct keys keys = list_keys(fold->domain, entity, arena);
    size_t unique = 0;
    qsort(keys.items, keys.count, sizeof *keys.items, compare_texts);
    for (size_t i = 0; i < keys.count; i++)
        if (unique == 0 || strcmp(keys.items[unique - 1], keys.items[i]) != 0)
            keys.items[unique++] = keys.items[i];
    for (size_t i = 0; i < entity->resemblance_count; i++)
        if (!holds((char *const *)keys.items, unique, entity->resemblances[i]))
            leave(step, fold, entity, entity->resemblances[i]);
    for (size_t i = 0; i < unique; i++)
        if (!holds(entity->resemblances, entity->resemblance_count, keys.items[i]))
            enter(step, fold, entity, keys.items[i]);
    for (size_t i = 0; i < entity->resemblance_count; i++)
        hub_release(entity->resemblances[i]);
    hub_release(entity->resemblances);
    entity->resemblances = hub_allocate_zero(unique, sizeof(char *));
    entity->resemblance_count = unique;
    for (size_t i = 0; i < unique; i++)
        entity->resemblances[i] = hub_copy_text(keys.items[i]);
}

void fold_match_index_resemblance(struct hub_fold *fold, struct fold_entity *entity,
                                  struct hub_arena *arena) {
    relist(NULL, fold, entity, arena);
}

/* Whether every field that resemblances look at is as it was before the step. */
static bool looks_the_same(struct fold_step *step, struct fold_change *change) {
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

void fold_match_of_resemblance(struct fold_step *step, struct fold_change *change) {
    struct fold_entity *entity = change->entity;
    if (entity->kind == FOLD_ACTIVE && !change->remerge)
        return;
    if (looks_the_same(step, change))
        return;
    relist(step, step->fold, entity, step->arena);
    if (entity->kind != FOLD_ACTIVE) /* nobody asks about an entity that is no more */
        for (size_t i = 0; i < entity->match_count; i++)
            remove_evidence(step, entity->matches[i], /* resemblance= */ false, NULL);
}

/* --- the match topic, as in schemas/hub/match.avsc --- */

/* The symbols of MatchState, in order. */
enum { MATCH_OPEN = 0, MATCH_CLOSED };

static void encode_match(const struct fold_step *step, const struct fold_match *match,
                         struct hub_buffer *value) {
    const struct hub_fold *fold = step->fold;
    hub_frame_append(value, fold->match_schema->id);
    hub_encode_text(value, match->id);
    hub_encode_text(value, fold->domain->name);
    hub_encode_array_begin(value, 2);
    hub_encode_text(value, match->entities[0]);
    hub_encode_text(value, match->entities[1]);
    hub_encode_array_end(value);
    hub_encode_long(value, match->open ? MATCH_OPEN : MATCH_CLOSED);
    encode_evidence(match, value);
    hub_encode_long(value, match->opened_offset);
    hub_encode_long(value, step->entry->offset);
    hub_encode_long(value, match->events);
    hub_encode_text(value, fold->domain->rules);
    hub_encode_long(value, HUB_CORE_VERSION);
    fold_decision_encode(match->decision, value);
    hub_encode_optional_text(value, match->before->refused);
}

/* Whether it waits for a person: one that must confirm a decision, or one that must decide. */
static bool waits(const struct hub_fold *fold, const struct fold_match *match) {
    if (match->decision != NULL)
        return !match->decision->in_force;
    const struct fold_entity *a = NULL, *b = NULL;
    if (match->evidence_count > 0) {
        a = fold_entity_find((struct hub_fold *)fold, match->entities[0]);
        b = fold_entity_find((struct hub_fold *)fold, match->entities[1]);
    }
    return match->evidence_count > 0 &&
           (a == NULL || b == NULL || !fold_decision_apart(a, b));
}

static int compare_matches(const void *a, const void *b) {
    const struct fold_match *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

/* Whether the match differs from what it was before the step; brings its state up to date. */
static bool settle_match(struct fold_step *step, struct fold_match *match) {
    const struct fold_match_before *before = match->before;
    HUB_SCOPED_BUFFER evidence = {0};
    encode_evidence(match, &evidence);
    match->open = waits(step->fold, match);
    if (match->open && match->opened_offset < 0)
        match->opened_offset = step->entry->offset;
    step->fold->gauges.matches_open += match->open;
    step->fold->gauges.matches_open -= before->open;
    for (size_t i = 0; match->evidence_count == 0 && i < 2; i++) {
        struct fold_entity *entity = fold_entity_find(step->fold, match->entities[i]);
        if (entity != NULL)
            detach(entity, match);
    }
    return before->decided || match->open != before->open ||
           !hub_bytes_equal(before->evidence, hub_buffer_bytes(&evidence));
}

void fold_match_publish(struct fold_step *step) {
    if (step->match_count > 0)
        qsort(step->matches, step->match_count, sizeof *step->matches, compare_matches);
    for (size_t i = 0; i < step->match_count; i++) {
        struct fold_match *match = step->matches[i];
        HUB_SCOPED_BUFFER value = {0};
        bool moved = settle_match(step, match);
        match->events += moved;
        if (moved)
            encode_match(step, match, &value);
        const char *type = match->before->refused != NULL ? "atmp.match.refused"
                           : match->open                  ? "atmp.match.opened"
                           : match->before->decided       ? "atmp.match.decided"
                                                          : "atmp.match.closed";
        match->before = NULL;
        if (!moved)
            continue;
        struct hub_output *output =
            hub_outputs_add(step->outputs, HUB_OUTPUT_MATCH, step->fold->partition,
                            hub_bytes_of_text(match->id));
        hub_output_value(step->outputs, output, &value);
        struct hub_envelope envelope = {
            .id = hub_arena_format(step->arena, "%s/%lld", match->id, (long long)match->events),
            .source = "urn:atmp:hub:fold",
            .type = type,
            .subject = match->id,
            .has_time = true, .time_ms = step->entry->timestamp_ms};
        hub_output_envelope(step->outputs, output, &envelope, step->entry);
    }
}
