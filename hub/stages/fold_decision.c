/* Decisions: what a person said where the rules cannot tell.
 *
 * A decision names statements, and the revision that the person saw; one that was made on another
 * revision is refused, as an event. Where the data must be traceable (retention T) it waits for a
 * second person. What is in force is part of the conflict and match records, and is loaded from
 * them. */
#include "hub/stages/fold_state.h"
#include "hub/stages/record.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

#include <string.h>

/* --- texts --- */

static void free_texts(char **texts, size_t count) {
    for (size_t i = 0; i < count; i++)
        hub_release(texts[i]);
    hub_release(texts);
}

static void encode_texts(char *const *texts, size_t count, struct hub_buffer *value) {
    hub_encode_array_begin(value, count);
    for (size_t i = 0; i < count; i++)
        hub_encode_text(value, texts[i]);
    hub_encode_array_end(value);
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count) {
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

/* --- decisions in force, as in schemas/hub/conflict.avsc and match.avsc --- */

void fold_decision_free(struct fold_decision *decision) {
    if (decision == NULL)
        return;
    free_texts(decision->statements, decision->statement_count);
    free_texts(decision->others, decision->other_count);
    free_texts(decision->values, decision->value_count);
    hub_release(decision->id);
    hub_release(decision->reason);
    hub_release(decision->decided_by);
    hub_release(decision->confirmed_by);
    hub_release(decision);
}

void fold_decision_encode(const struct fold_decision *decision, bool waits, struct hub_buffer *value) {
    hub_encode_long(value, decision != NULL);
    if (decision == NULL)
        return;
    hub_encode_text(value, decision->id);
    hub_encode_long(value, decision->kind);
    hub_encode_long(value, waits ? 0 : 1); /* PROPOSED, IN_FORCE */
    encode_texts(decision->statements, decision->statement_count, value);
    encode_texts(decision->others, decision->other_count, value);
    encode_texts(decision->values, decision->value_count, value);
    hub_encode_text(value, decision->reason);
    hub_encode_text(value, decision->decided_by);
    hub_encode_optional_text(value, decision->confirmed_by);
    hub_encode_long(value, decision->offset);
}

struct fold_decision *fold_decision_load(const struct hub_record *record, const char *field) {
    struct hub_record part;
    if (!hub_record_part(record, field, &part))
        return NULL;
    struct fold_decision *decision = hub_allocate_zero(1, sizeof *decision);
    decision->id = hub_record_text(&part, "decision_id");
    decision->kind = (enum fold_decision_kind)hub_record_long(&part, "kind");
    decision->statements = hub_record_texts(&part, "statements", &decision->statement_count);
    decision->others = hub_record_texts(&part, "others", &decision->other_count);
    decision->values = hub_record_texts(&part, "values", &decision->value_count);
    decision->reason = hub_record_text(&part, "reason");
    decision->decided_by = hub_record_text(&part, "decided_by");
    decision->confirmed_by = hub_record_text(&part, "confirmed_by");
    decision->offset = hub_record_long(&part, "offset");
    return decision;
}

/* --- the values that a conflict stands on --- */

static char **list_values(const struct fold_step *step, const struct fold_conflict *conflict,
                          size_t *ret_count) {
    const struct hub_type *root = step->fold->conflict_schema->root;
    const struct hub_type *array = root->fields[hub_type_field(root, "values")].type;
    struct hub_elements elements =
        hub_slice_elements(array, hub_bytes(conflict->values, conflict->values_size));
    struct hub_bytes element;
    size_t count = 0, capacity = 0;
    char **texts = NULL;
    while (conflict->values_size > 0 && hub_slice_next(&elements, &element)) {
        struct hub_record value = {.type = array->items, .body = element};
        HUB_GROW(texts, count, capacity);
        texts[count++] = hub_record_text(&value, "value");
    }
    if (count > 0)
        qsort(texts, count, sizeof *texts, compare_texts);
    *ret_count = count;
    return texts;
}

bool fold_decision_stands(const struct fold_step *step, const struct fold_conflict *conflict,
                          const struct fold_decision *decision) {
    size_t count = 0;
    char **values = list_values(step, conflict, &count);
    bool same = same_texts(values, count, decision->values, decision->value_count);
    free_texts(values, count);
    return same;
}

/* Whether one of the values, of which there are some, is the statement's. */
static bool gives_a_value(const struct fold_step *step, const struct fold_conflict *conflict,
                          const char *statement) {
    const struct hub_type *root = step->fold->conflict_schema->root;
    const struct hub_type *array = root->fields[hub_type_field(root, "values")].type;
    struct hub_elements elements =
        hub_slice_elements(array, hub_bytes(conflict->values, conflict->values_size));
    struct hub_bytes element;
    bool gives = false;
    while (!gives && hub_slice_next(&elements, &element)) {
        struct hub_record value = {.type = array->items, .body = element};
        size_t count = 0;
        char **statements = hub_record_texts(&value, "statements", &count);
        for (size_t i = 0; i < count; i++)
            gives |= strcmp(statements[i], statement) == 0;
        free_texts(statements, count);
    }
    return gives;
}

/* --- what was asked --- */

struct asked {
    struct fold_step *step;
    struct hub_record record;
    char *subject;
    struct fold_decision *decision; /* owned until it is given to what it is about */
    bool waits;                     /* for a second person */
    int64_t revision;
    bool has_other_revision;
    int64_t other_revision;
};

static struct fold_decision *read_decision(const struct hub_record *record, int64_t offset) {
    struct fold_decision *decision = hub_allocate_zero(1, sizeof *decision);
    decision->id = hub_record_text(record, "decision_id");
    decision->kind = (enum fold_decision_kind)hub_record_long(record, "kind");
    decision->statements = hub_record_texts(record, "statements", &decision->statement_count);
    decision->others = hub_record_texts(record, "others", &decision->other_count);
    decision->reason = hub_record_text(record, "reason");
    decision->decided_by = hub_record_text(record, "decided_by");
    decision->offset = offset;
    return decision;
}

static const char *stale(struct asked *asked, const struct fold_entity *entity,
                         int64_t revision) {
    if (entity->revision == revision)
        return NULL;
    return hub_arena_format(asked->step->arena, "made on revision %lld of %s, which is at %lld",
                            (long long)revision, entity->id, (long long)entity->revision);
}

/* A second person confirms what another one proposed, and nothing else. */
static bool confirms(const struct fold_decision *proposal, const struct fold_decision *decision) {
    return proposal != NULL && proposal->kind == decision->kind &&
           same_texts(proposal->statements, proposal->statement_count, decision->statements,
                      decision->statement_count) &&
           same_texts(proposal->others, proposal->other_count, decision->others,
                      decision->other_count);
}

/* What two persons are needed for waits, as a proposal, until the second says the same. Why it is
 * refused, or NULL. */
static const char *ask_second_person(struct asked *asked, const struct fold_decision *proposal) {
    struct fold_decision *decision = asked->decision;
    asked->waits = !confirms(proposal, decision);
    if (asked->waits)
        return NULL;
    if (strcmp(proposal->decided_by, decision->decided_by) == 0)
        return "a second person has to confirm it";
    decision->confirmed_by = decision->decided_by;
    decision->decided_by = hub_copy_text(proposal->decided_by);
    return NULL;
}

/* --- about a conflict --- */

static bool is_traceable(const struct hub_domain *domain, const char *path) {
    size_t size = strcspn(path, "[.");
    for (size_t i = 0; i < domain->contract.count; i++) {
        const char *name = domain->contract.fields[i].field->name;
        if (strlen(name) == size && memcmp(name, path, size) == 0)
            return (domain->contract.fields[i].retention != '\0'
                        ? domain->contract.fields[i].retention
                        : domain->retention) == 'T';
    }
    return domain->retention == 'T';
}

/* Where the data must be traceable it takes two persons to choose, and two to undo that. */
static bool needs_second(const struct hub_domain *domain, const struct fold_conflict *conflict,
                         const struct fold_decision *decision) {
    bool chooses = decision->kind == FOLD_CHOOSE ||
                   (conflict->decision != NULL && conflict->decision->kind == FOLD_CHOOSE);
    return chooses && is_traceable(domain, conflict->field);
}

static const char *refuse_choice(const struct asked *asked, const struct fold_conflict *conflict) {
    const struct fold_decision *decision = asked->decision;
    if (conflict->kind == HUB_CONFLICT_OVERLAP)
        return "of an overlap nothing can be chosen: the facility has to move one of the two";
    if (decision->statement_count != 1)
        return "exactly one statement has to be chosen";
    if (conflict->values_size == 0)
        return "the sources agree: there is nothing to choose";
    if (!gives_a_value(asked->step, conflict, decision->statements[0]))
        return "the chosen statement gives none of the values";
    return NULL;
}

static void set_values(const struct asked *asked, const struct fold_conflict *conflict) {
    struct fold_decision *decision = asked->decision;
    const struct fold_decision *before = conflict->decision;
    bool holds = !conflict->open && before != NULL;
    if (!holds) {
        decision->values = list_values(asked->step, conflict, &decision->value_count);
        return;
    }
    /* The values as the rules put them, not as the choice in force does. */
    decision->values = hub_allocate_zero(before->value_count, sizeof *decision->values);
    for (size_t i = 0; i < before->value_count; i++)
        decision->values[decision->value_count++] = hub_copy_text(before->values[i]);
}

static const char *decide_conflict(struct asked *asked, struct fold_conflict *conflict) {
    struct fold_step *step = asked->step;
    struct fold_decision *decision = asked->decision;
    struct fold_entity *entity = fold_entity_find(step->fold, conflict->entities[0]);
    const char *refused = entity == NULL ? "its entity is not here" : NULL;
    if (refused == NULL)
        refused = stale(asked, entity, asked->revision);
    if (refused == NULL && decision->kind == FOLD_CHOOSE)
        refused = refuse_choice(asked, conflict);
    if (refused == NULL && decision->kind == FOLD_DEFER && !conflict->open)
        refused = "it is not open";
    if (refused == NULL && decision->kind == FOLD_REOPEN && conflict->decision == NULL &&
        conflict->proposal == NULL)
        refused = "nobody has decided it";
    if (refused == NULL && decision->kind == FOLD_REOPEN && !conflict->open &&
        conflict->values_size == 0)
        refused = "the sources agree: there is nothing to reopen";
    if (refused == NULL && needs_second(step->fold->domain, conflict, decision))
        refused = ask_second_person(asked, conflict->proposal);
    if (refused != NULL)
        return refused;
    set_values(asked, conflict);
    if (asked->waits) {
        fold_conflict_set_proposal(conflict, decision);
        asked->decision = NULL;
        return NULL;
    }
    fold_conflict_set_proposal(conflict, NULL);
    fold_conflict_set_decision(entity, conflict,
                               decision->kind == FOLD_REOPEN ? NULL : decision);
    if (decision->kind != FOLD_REOPEN)
        asked->decision = NULL;
    struct fold_change *change = fold_change_of(step, entity);
    change->remerge = change->publish = true;
    return NULL;
}

static const char *take_about_conflict(struct asked *asked) {
    struct fold_conflict *conflict = NULL;
    fold_wake(asked->step->fold, FOLD_BY_CONFLICT, hub_bytes_of_text(asked->subject));
    HASH_FIND_STR(asked->step->fold->conflicts, asked->subject, conflict);
    if (conflict == NULL)
        conflict = fold_conflict_unknown(asked->step->fold, asked->subject);
    fold_conflict_touch(asked->step, conflict);
    const char *refused = conflict->events == 0 ? "there is no such conflict"
                                                : decide_conflict(asked, conflict);
    fold_conflict_note_decided(conflict, refused, asked->waits);
    return refused;
}

/* --- about statements --- */

static void add_pair(struct fold_statement *a, struct fold_statement *b, bool same,
                     int64_t offset) {
    HUB_GROW(a->pairs, a->pair_count, a->pair_capacity);
    a->pairs[a->pair_count++] = (struct fold_pair){b, same, offset};
}

static void remove_pairs(struct fold_statement *statement, int64_t offset) {
    size_t kept = 0;
    for (size_t i = 0; i < statement->pair_count; i++)
        if (statement->pairs[i].offset != offset)
            statement->pairs[kept++] = statement->pairs[i];
    statement->pair_count = kept;
}

bool fold_pair_counts(const struct fold_statement *statement, size_t index) {
    const struct fold_pair *pair = &statement->pairs[index];
    for (size_t i = 0; i < statement->pair_count; i++)
        if (statement->pairs[i].other == pair->other && statement->pairs[i].offset > pair->offset)
            return false;
    return true;
}

static bool is_about_statements(const struct fold_decision *decision) {
    return decision != NULL && (decision->kind == FOLD_JOIN || decision->kind == FOLD_SEPARATE);
}

void fold_decision_bind(struct hub_fold *fold, const struct fold_decision *decision) {
    if (!is_about_statements(decision))
        return;
    bool same = decision->kind == FOLD_JOIN;
    for (size_t i = 0; i < decision->statement_count; i++)
        for (size_t k = 0; k < decision->other_count; k++) {
            struct fold_statement *a = fold_statement_need(fold, decision->statements[i]);
            struct fold_statement *b = fold_statement_need(fold, decision->others[k]);
            if (a == NULL || b == NULL || a == b)
                continue;
            add_pair(a, b, same, decision->offset);
            add_pair(b, a, same, decision->offset);
        }
}

bool fold_decision_apart(const struct fold_entity *a, const struct fold_entity *b) {
    for (size_t i = 0; i < a->member_count; i++)
        for (size_t k = 0; k < a->members[i]->pair_count; k++) {
            const struct fold_pair *pair = &a->members[i]->pairs[k];
            if (!pair->same && pair->other->entity == b && fold_pair_counts(a->members[i], k))
                return true;
        }
    return false;
}

/* The entity that all the statements of a side are in; NULL, and why, where they are in none or in
 * several. */
static struct fold_entity *entity_of_side(struct asked *asked, char *const *statements,
                                          size_t count, const char **refused) {
    struct fold_entity *entity = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct fold_statement *statement =
            fold_statement_find(asked->step->fold, statements[i]);
        if (statement == NULL || !statement->in_force) {
            *refused = hub_arena_format(asked->step->arena, "no statement %s is in force",
                                        statements[i]);
            return NULL;
        }
        if (entity != NULL && statement->entity != entity) {
            *refused = "the statements of one side are in different entities";
            return NULL;
        }
        entity = statement->entity;
    }
    if (entity == NULL)
        *refused = "a side names no statement";
    return entity;
}

static const char *check_sides(struct asked *asked, struct fold_entity **ret_entity,
                               struct fold_entity **ret_other) {
    const struct fold_decision *decision = asked->decision;
    const char *refused = NULL;
    struct fold_entity *entity = entity_of_side(asked, decision->statements,
                                                decision->statement_count, &refused);
    struct fold_entity *other =
        entity == NULL ? NULL
                       : entity_of_side(asked, decision->others, decision->other_count, &refused);
    if (other == NULL)
        return refused;
    *ret_entity = entity;
    *ret_other = other;
    for (size_t i = 0; i < decision->statement_count; i++)
        for (size_t k = 0; k < decision->other_count; k++)
            if (strcmp(decision->statements[i], decision->others[k]) == 0)
                return "a statement is on both sides";
    refused = stale(asked, entity, asked->revision);
    if (refused == NULL && other != entity)
        refused = asked->has_other_revision ? stale(asked, other, asked->other_revision)
                                            : "the other entity's revision is not given";
    return refused;
}

static size_t list_side(struct hub_fold *fold, char *const *keys, size_t count,
                        struct fold_statement **statements) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        statements[found] = fold_statement_find(fold, keys[i]);
        found += statements[found] != NULL; /* of a system that is no more */
    }
    return found;
}

/* The statements that a decision has effect on. */
static size_t list_sides(struct hub_fold *fold, const struct fold_decision *decision,
                         struct fold_statement **statements) {
    if (!is_about_statements(decision))
        return 0;
    size_t count = list_side(fold, decision->statements, decision->statement_count, statements);
    return count + list_side(fold, decision->others, decision->other_count, statements + count);
}

static void propose(struct asked *asked, struct fold_match *match) {
    fold_decision_free(match->proposal);
    match->proposal = asked->decision;
    asked->decision = NULL;
}

/* The newest decision about a subject is the one in force: what the one before did is over. */
static void replace_decision(struct asked *asked, struct fold_match *match) {
    struct fold_step *step = asked->step;
    struct fold_decision *before = match->decision, *decision = asked->decision;
    size_t room = decision->statement_count + decision->other_count;
    if (before != NULL)
        room += before->statement_count + before->other_count;
    struct fold_statement **statements = hub_arena_take(step->arena, room * sizeof *statements);
    size_t count = list_sides(step->fold, before, statements);
    for (size_t i = 0; i < count; i++)
        remove_pairs(statements[i], before->offset);
    fold_decision_free(match->proposal);
    match->proposal = NULL;
    match->decision = decision;
    asked->decision = NULL;
    fold_decision_free(before);
    fold_decision_bind(step->fold, decision);
    count += list_sides(step->fold, decision, statements + count);
    fold_bucket_recluster_all(step, statements, count);
    for (size_t i = 0; i < count; i++)
        fold_match_touch_all(step, statements[i]->entity);
}

static const char *take_about_statements(struct asked *asked) {
    struct fold_step *step = asked->step;
    struct fold_entity *entity = NULL, *other = NULL;
    const char *refused = check_sides(asked, &entity, &other);
    struct fold_match *match = fold_match_of_decision(step, asked->subject, entity, other);
    if (refused == NULL && step->fold->domain->retention == 'T')
        refused = ask_second_person(asked, match->proposal);
    fold_match_note_decided(match, refused);
    if (refused == NULL && asked->waits)
        propose(asked, match);
    else if (refused == NULL)
        replace_decision(asked, match);
    return refused;
}

/* --- the entry --- */

bool fold_decision_is(const struct hub_input *entry) {
    static const char prefix[] = "decision/";
    return entry->has_key && entry->key.size >= sizeof prefix - 1 &&
           memcmp(entry->key.data, prefix, sizeof prefix - 1) == 0;
}

enum hub_status fold_decision_take(struct fold_step *step, struct hub_error *reterr) {
    struct hub_fold *fold = step->fold;
    const struct hub_schema *schema = hub_catalogue_latest(fold->catalogue, "decision");
    struct asked asked = {.step = step};
    HUB_SCOPED_BUFFER scratch = {0};
    if (hub_record_open(fold->catalogue, schema, step->entry->value, &scratch, &asked.record,
                        reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "log.%s/%d@%lld: damaged", fold->domain->name,
                           step->entry->partition, (long long)step->entry->offset);
    asked.subject = hub_record_text(&asked.record, "subject");
    asked.decision = read_decision(&asked.record, step->entry->offset);
    asked.revision = hub_record_long(&asked.record, "revision");
    struct hub_bytes other;
    asked.has_other_revision =
        hub_slice_path(schema->root, asked.record.body, "other_revision", &other) != NULL;
    if (asked.has_other_revision)
        asked.other_revision = hub_slice_long(other);
    bool about_conflict = asked.decision->kind <= FOLD_REOPEN;
    const char *refused =
        about_conflict ? take_about_conflict(&asked) : take_about_statements(&asked);
    fold->counts.decided += refused == NULL;
    fold->counts.refused += refused != NULL;
    fold_decision_free(asked.decision);
    hub_release(asked.subject);
    return HUB_OK;
}
