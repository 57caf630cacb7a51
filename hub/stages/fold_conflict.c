/* Conflicts: found anew at every merge, published only as transitions. Overlaps are found in
 * fold_overlap.c, references in fold_reference.c. */
#include "hub/stages/fold_state.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"

#include <string.h>

/* The conflict as it stood before the running step. */
struct fold_conflict_before {
    bool open;
    bool known; /* it has been open, now or earlier */
    enum hub_severity severity;
    struct hub_bytes values, owners;
    bool decided;        /* the step's event is about a decision */
    bool waits;          /* that only proposes */
    const char *refused; /* why it was refused, or NULL */
};

void fold_conflict_free(struct fold_conflict *conflict) {
    hub_release(conflict->entities[0]);
    hub_release(conflict->entities[1]);
    hub_release(conflict->field);
    hub_release(conflict->values);
    hub_release(conflict->owners);
    fold_decision_free(conflict->decision);
    fold_decision_free(conflict->proposal);
    hub_release(conflict);
}

/* --- lists of open conflicts at their entities --- */

void fold_conflict_attach(struct fold_entity *entity, struct fold_conflict *conflict) {
    for (size_t i = 0; i < entity->conflict_count; i++)
        if (entity->conflicts[i] == conflict)
            return;
    HUB_GROW(entity->conflicts, entity->conflict_count, entity->conflict_capacity);
    size_t at = entity->conflict_count++;
    for (; at > 0 && strcmp(entity->conflicts[at - 1]->id, conflict->id) > 0; at--)
        entity->conflicts[at] = entity->conflicts[at - 1];
    entity->conflicts[at] = conflict;
}

static void detach(struct fold_entity *entity, const struct fold_conflict *conflict) {
    size_t kept = 0;
    for (size_t i = 0; i < entity->conflict_count; i++)
        if (entity->conflicts[i] != conflict)
            entity->conflicts[kept++] = entity->conflicts[i];
    entity->conflict_count = kept;
}

/* --- transitions --- */

static struct hub_bytes keep(struct fold_step *step, const uint8_t *data, size_t size) {
    return hub_bytes(hub_arena_text(step->arena, (const char *)data, size), size);
}

void fold_conflict_touch(struct fold_step *step, struct fold_conflict *conflict) {
    if (conflict->before != NULL)
        return;
    struct fold_conflict_before *before = hub_arena_take(step->arena, sizeof *before);
    *before = (struct fold_conflict_before){.open = conflict->open,
                                            .known = conflict->opened_offset >= 0,
                                            .severity = conflict->severity};
    before->values = keep(step, conflict->values, conflict->values_size);
    before->owners = keep(step, conflict->owners, conflict->owners_size);
    conflict->before = before;
    HUB_GROW_IN(step->arena, step->conflicts, step->conflict_count, step->conflict_capacity);
    step->conflicts[step->conflict_count++] = conflict;
}

static void each_entity(struct fold_step *step, struct fold_conflict *conflict, bool attach) {
    for (size_t i = 0; i < 2 && conflict->entities[i] != NULL; i++) {
        struct fold_entity *entity = fold_entity_find(step->fold, conflict->entities[i]);
        if (entity == NULL)
            continue;
        if (attach)
            fold_conflict_attach(entity, conflict);
        else
            detach(entity, conflict);
        fold_change_of(step, entity)->publish = true;
    }
}

/* Their records name it, with its severity. */
static void publish_entities(struct fold_step *step, const struct fold_finding *finding) {
    for (size_t i = 0; i < 2 && finding->entities[i] != NULL; i++)
        fold_change_of(step, fold_entity_find(step->fold, finding->entities[i]))->publish = true;
}

static void describe(struct fold_conflict *conflict, const struct fold_finding *finding) {
    conflict->kind = finding->kind;
    for (size_t i = 0; i < 2; i++) {
        hub_release(conflict->entities[i]);
        conflict->entities[i] =
            finding->entities[i] == NULL ? NULL : hub_copy_text(finding->entities[i]);
    }
    hub_release(conflict->field);
    conflict->field = hub_copy_text(finding->field);
}

struct fold_conflict *fold_conflict_add(struct hub_fold *fold, const char *id) {
    char *own_id = NULL;
    size_t size = strlen(id);
    struct fold_conflict *conflict = hub_allocate_named(sizeof *conflict, id, size, &own_id);
    conflict->id = own_id;
    conflict->opened_offset = -1;
    HASH_ADD_KEYPTR(hh, fold->conflicts, conflict->id, size, conflict);
    return conflict;
}

/* What was only ever asked for, by a decision that was refused, is described by its first finding. */
static struct fold_conflict *need_conflict(struct hub_fold *fold, const struct fold_finding *finding) {
    struct fold_conflict *conflict = NULL;
    HASH_FIND_STR(fold->conflicts, finding->id, conflict);
    if (conflict != NULL && conflict->opened_offset >= 0)
        return conflict;
    if (conflict == NULL)
        conflict = fold_conflict_add(fold, finding->id);
    describe(conflict, finding);
    return conflict;
}

struct fold_conflict *fold_conflict_unknown(struct hub_fold *fold, const char *id) {
    struct hub_arena arena = {0};
    const char *entity = hub_arena_text(&arena, id, strcspn(id, "/"));
    struct fold_finding finding = {
        .id = id, .kind = HUB_CONFLICT_VALUES, .entities = {entity, NULL}, .field = ""};
    struct fold_conflict *conflict = need_conflict(fold, &finding);
    hub_arena_destroy(&arena);
    return conflict;
}

void fold_conflict_set_decision(struct fold_entity *entity, struct fold_conflict *conflict,
                                struct fold_decision *decision) {
    size_t kept = 0;
    if (conflict->decision != decision)
        fold_decision_free(conflict->decision);
    conflict->decision = decision;
    for (size_t i = 0; i < entity->decided_count; i++)
        if (entity->decided[i] != conflict)
            entity->decided[kept++] = entity->decided[i];
    entity->decided_count = kept;
    if (decision == NULL)
        return;
    HUB_GROW(entity->decided, entity->decided_count, entity->decided_capacity);
    entity->decided[entity->decided_count++] = conflict;
}

void fold_conflict_set_proposal(struct fold_conflict *conflict, struct fold_decision *proposal) {
    fold_decision_free(conflict->proposal);
    conflict->proposal = proposal;
}

void fold_conflict_note_decided(struct fold_conflict *conflict, const char *refused, bool waits) {
    conflict->before->decided = true;
    conflict->before->refused = refused;
    conflict->before->waits = waits;
}

/* Once the sources have moved, what was only proposed or put off is over; what was chosen is
 * remembered, and holds again with the values that it was made on. */
static void drop_outdated(struct fold_step *step, struct fold_conflict *conflict) {
    const struct fold_decision *decision = conflict->decision, *proposal = conflict->proposal;
    if (decision == NULL && proposal == NULL)
        return;
    struct fold_entity *entity = fold_entity_find(step->fold, conflict->entities[0]);
    if (proposal != NULL && !fold_decision_stands(step, conflict, proposal))
        fold_conflict_set_proposal(conflict, NULL);
    if (decision != NULL && decision->kind == FOLD_DEFER && entity != NULL &&
        !fold_decision_stands(step, conflict, decision))
        fold_conflict_set_decision(entity, conflict, NULL);
}

static void set_values(struct fold_conflict *conflict, const struct hub_buffer *values) {
    hub_release(conflict->values);
    conflict->values = values == NULL ? NULL : hub_copy_bytes(values->data, values->size);
    conflict->values_size = values == NULL ? 0 : values->size;
}

static void close(struct fold_step *step, struct fold_conflict *conflict) {
    if (!conflict->open)
        return;
    conflict->open = false;
    step->fold->gauges.conflicts_open--;
    each_entity(step, conflict, /* attach= */ false);
}

/* The values stand against each other, and a person has chosen. */
static void hold_decided(struct fold_step *step, struct fold_conflict *conflict,
                         const struct hub_buffer *values) {
    fold_conflict_touch(step, conflict);
    conflict->seen = true;
    set_values(conflict, values);
    close(step, conflict);
}

static void hold_open(struct fold_step *step, struct fold_conflict *conflict,
                      const struct fold_finding *finding, const struct hub_buffer *values) {
    bool as_severe = conflict->severity == finding->severity;
    struct hub_buffer owners = {.arena = step->arena};
    fold_owners_encode(&finding->owners, &owners);
    bool same = conflict->open &&
                hub_bytes_equal(hub_bytes(conflict->values, conflict->values_size),
                                hub_buffer_bytes(values)) &&
                hub_bytes_equal(hub_bytes(conflict->owners, conflict->owners_size),
                                hub_buffer_bytes(&owners));
    conflict->seen = true;
    if (same && as_severe)
        return;
    fold_conflict_touch(step, conflict);
    conflict->severity = finding->severity;
    hub_release(conflict->owners);
    conflict->owners = hub_copy_bytes(owners.data, owners.size);
    conflict->owners_size = owners.size;
    if (conflict->open && !as_severe)
        publish_entities(step, finding);
    set_values(conflict, values);
    drop_outdated(step, conflict);
    if (conflict->open)
        return;
    conflict->open = true;
    if (conflict->opened_offset < 0)
        conflict->opened_offset = step->entry->offset;
    step->fold->gauges.conflicts_open++;
    each_entity(step, conflict, /* attach= */ true);
}

/* Of what is no choice between values a person can say that it is right as it is. */
static bool is_accepted(struct fold_step *step, const struct fold_finding *finding,
                             const struct hub_buffer *values) {
    struct fold_conflict *conflict = NULL;
    if (finding->kind == HUB_CONFLICT_VALUES)
        return false;
    HASH_FIND_STR(step->fold->conflicts, finding->id, conflict);
    const struct fold_decision *decision = conflict == NULL ? NULL : conflict->decision;
    if (decision == NULL || decision->kind != FOLD_CHOOSE)
        return false;
    struct fold_conflict asked = {.values = values->data, .values_size = values->size};
    return fold_decision_stands(step, &asked, decision);
}

void fold_conflict_hold(struct fold_step *step, const struct fold_finding *finding,
                        const struct hub_buffer *values) {
    if (is_accepted(step, finding, values))
        hold_decided(step, need_conflict(step->fold, finding), values);
    else
        hold_open(step, need_conflict(step->fold, finding), finding, values);
}

static void resolve(struct fold_step *step, struct fold_conflict *conflict) {
    fold_conflict_touch(step, conflict);
    set_values(conflict, NULL);
    close(step, conflict);
    drop_outdated(step, conflict);
}

void fold_conflict_resolve_unseen(struct fold_step *step, struct fold_entity *entity,
                                  enum fold_conflict_kinds kinds) {
    for (size_t i = entity->conflict_count; i > 0; i--) {
        struct fold_conflict *conflict = entity->conflicts[i - 1];
        if ((1 << conflict->kind & kinds) != 0 && !conflict->seen)
            resolve(step, conflict);
    }
    for (size_t i = entity->decided_count; i > 0; i--) {
        struct fold_conflict *conflict = entity->decided[i - 1];
        bool over = (1 << conflict->kind & kinds) != 0 && !conflict->seen &&
                    conflict->values_size > 0;
        conflict->seen = false;
        if (over)
            resolve(step, conflict);
    }
    for (size_t i = 0; i < entity->conflict_count; i++)
        entity->conflicts[i]->seen = false;
}

/* --- values and steps --- */

static void encode_values(const struct fold_entity *entity, const struct hub_conflict_found *found,
                          struct hub_buffer *values) {
    hub_encode_array_begin(values, found->value_count);
    for (size_t i = 0; i < found->value_count; i++) {
        const struct hub_conflict_value *value = &found->values[i];
        hub_encode_text(values, value->text);
        hub_encode_array_begin(values, value->voice_count);
        for (size_t k = 0; k < value->voice_count; k++)
            hub_encode_text(values, entity->members[value->voices[k]]->key);
        hub_encode_array_end(values);
        hub_buffer_append_byte(values, value->chosen);
    }
    hub_encode_array_end(values);
}

static struct fold_owners list_owners(const struct fold_step *step,
                                      const struct fold_entity *entity,
                                      const struct hub_conflict_found *found) {
    struct fold_owners owners = fold_owners_new(step);
    if (found->owner != NULL)
        fold_owners_add(&owners, found->owner);
    for (size_t i = 0; found->owner == NULL && i < found->value_count; i++)
        for (size_t k = 0; k < found->values[i].voice_count; k++)
            fold_owners_add_speakers(&owners, entity->members[found->values[i].voices[k]]);
    return owners;
}

/* Of values that stood against each other before: there is one of a path, which needs not be looked for by its id.
 * NULL for none. */
static struct fold_conflict *find_open(const struct fold_entity *entity,
                                       const struct hub_conflict_found *found) {
    for (size_t i = 0; found->kind == HUB_CONFLICT_VALUES && i < entity->conflict_count; i++) {
        struct fold_conflict *conflict = entity->conflicts[i];
        if (conflict->kind == HUB_CONFLICT_VALUES && strcmp(conflict->field, found->path) == 0)
            return conflict;
    }
    return NULL;
}

static void hold_found(struct fold_step *step, const struct fold_entity *entity,
                       const struct hub_conflict_found *found) {
    struct fold_conflict *open = find_open(entity, found);
    struct hub_buffer values = {.arena = step->arena};
    struct fold_finding finding = {
        .id = open != NULL ? open->id
                           : hub_arena_format(step->arena, "%s/%s%s", entity->id, found->path,
                                              found->mark),
        .kind = found->kind,
        .entities = {entity->id, NULL},
        .field = found->path,
        .severity = found->severity,
        .owners = list_owners(step, entity, found)};
    encode_values(entity, found, &values);
    if (found->decided)
        hold_decided(step, need_conflict(step->fold, &finding), &values);
    else if (open != NULL)
        hold_open(step, open, &finding, &values);
    else
        fold_conflict_hold(step, &finding, &values);
}

static bool is_of_field(const struct fold_conflict *conflict, const char *name) {
    size_t size = strlen(name);
    return strncmp(conflict->field, name, size) == 0 &&
           (conflict->field[size] == '\0' || conflict->field[size] == '[');
}

/* Of values that are as they were. */
static void hold_kept(struct fold_step *step, const struct fold_change *change) {
    const struct hub_type *record = step->fold->domain->schema->root;
    const bool *kept = change->merged.kept;
    for (size_t i = 0; kept != NULL && i < change->entity->conflict_count; i++) {
        struct fold_conflict *conflict = change->entity->conflicts[i];
        size_t field = 0;
        if (conflict->kind != HUB_CONFLICT_VALUES)
            continue;
        while (field < record->count && !(kept[field] && is_of_field(conflict, record->fields[field].name)))
            field++;
        conflict->seen |= field < record->count;
    }
}

void fold_conflict_of_values(struct fold_step *step, struct fold_change *change) {
    struct fold_entity *entity = change->entity;
    if (entity->kind == FOLD_ACTIVE && !change->remerge)
        return;
    for (size_t i = 0; entity->kind == FOLD_ACTIVE && i < change->merged.conflict_count; i++)
        hold_found(step, entity, &change->merged.conflicts[i]);
    if (entity->kind == FOLD_ACTIVE)
        hold_kept(step, change);
    fold_conflict_resolve_unseen(step, entity, FOLD_CONFLICTS_OF_VALUES);
}

/* --- the conflict topic, as in schemas/hub/conflict.avsc --- */

/* The symbols of ConflictTransition, in order. */
enum transition { OPENED = 0, CHANGED, RESOLVED, REOPENED, DECIDED = 5, PROPOSED, DEFERRED, REFUSED };

static enum transition transition_of_decision(const struct fold_conflict *conflict) {
    const struct fold_decision *decision = conflict->decision;
    if (conflict->before->refused != NULL)
        return REFUSED;
    if (conflict->before->waits)
        return PROPOSED;
    if (decision == NULL)
        return REOPENED;
    return decision->kind == FOLD_DEFER ? DEFERRED : DECIDED;
}

static bool transition_of(const struct fold_conflict *conflict, enum transition *ret_transition) {
    const struct fold_conflict_before *before = conflict->before;
    bool same_values = hub_bytes_equal(before->values,
                                       hub_bytes(conflict->values, conflict->values_size));
    bool same_owners = hub_bytes_equal(before->owners,
                                       hub_bytes(conflict->owners, conflict->owners_size));
    if (before->decided) {
        *ret_transition = transition_of_decision(conflict);
        return true;
    }
    bool as_severe = !conflict->open || before->severity == conflict->severity;
    if (before->open == conflict->open && same_values && same_owners && as_severe)
        return false;
    bool holds = !conflict->open && conflict->values_size > 0;
    *ret_transition = holds                ? DECIDED
                      : !conflict->open    ? RESOLVED
                      : before->open       ? CHANGED
                      : before->known      ? REOPENED
                                           : OPENED;
    return true;
}

static void encode_conflict(const struct fold_step *step, const struct fold_conflict *conflict,
                            enum transition transition, struct hub_buffer *value) {
    const struct hub_fold *fold = step->fold;
    hub_frame_append(value, fold->conflict_schema->id);
    hub_encode_text(value, conflict->id);
    hub_encode_text(value, fold->domain->name);
    hub_encode_array_begin(value, conflict->entities[1] == NULL ? 1 : 2);
    for (size_t i = 0; i < 2 && conflict->entities[i] != NULL; i++)
        hub_encode_text(value, conflict->entities[i]);
    hub_encode_array_end(value);
    hub_encode_text(value, conflict->field);
    hub_encode_long(value, conflict->kind);
    hub_encode_long(value, conflict->severity);
    hub_encode_long(value, conflict->open ? 0 : 1);
    hub_encode_long(value, transition);
    if (conflict->values_size > 0)
        hub_buffer_append(value, conflict->values, conflict->values_size);
    else
        hub_encode_array_end(value);
    hub_encode_long(value, conflict->opened_offset);
    hub_encode_long(value, step->entry->offset);
    hub_encode_long(value, conflict->events);
    hub_encode_text(value, fold->domain->rules);
    hub_encode_long(value, HUB_CORE_VERSION);
    fold_decision_encode(conflict->decision, /* waits= */ false, value);
    hub_encode_optional_text(value, conflict->before->refused);
    if (conflict->owners_size > 0)
        hub_buffer_append(value, conflict->owners, conflict->owners_size);
    else
        hub_encode_array_end(value);
    fold_decision_encode(conflict->proposal, /* waits= */ true, value);
}

static int compare_conflicts(const void *a, const void *b) {
    const struct fold_conflict *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

void fold_conflict_publish(struct fold_step *step) {
    static const char *const types[] = {
        "atmp.conflict.opened",   "atmp.conflict.changed", "atmp.conflict.resolved",
        "atmp.conflict.reopened", NULL,                    "atmp.conflict.decided",
        "atmp.conflict.proposed", "atmp.conflict.deferred", "atmp.conflict.refused"};
    if (step->conflict_count > 1)
        qsort(step->conflicts, step->conflict_count, sizeof *step->conflicts, compare_conflicts);
    for (size_t i = 0; i < step->conflict_count; i++) {
        struct fold_conflict *conflict = step->conflicts[i];
        enum transition transition = OPENED;
        bool moved = transition_of(conflict, &transition);
        struct hub_buffer value = {.arena = step->arena};
        conflict->events += moved;
        if (moved)
            encode_conflict(step, conflict, transition, &value);
        conflict->before = NULL;
        if (!moved)
            continue;
        struct fold_label label = {'/', conflict->events, hub_bytes_of_text(types[transition])};
        fold_publish_record(step, HUB_OUTPUT_CONFLICT, conflict->id, &value, &label);
    }
}
