/* Near misses; the rule is in fold_state.h. */
#include "hub/stages/fold_state.h"

#include "hub/core/identity.h"

#include <string.h>

/* A number as one statement gives it. */
struct given {
    struct fold_identifier *identifier;
    const struct fold_statement *statement;
    bool doubtful;
};

/* Two numbers that are a near miss, if a second trait agrees. */
struct finding {
    struct given own, others;
    struct fold_entity *other;
};

struct search {
    struct fold_step *step;
    struct fold_entity *entity;
    struct finding *findings;
    size_t count, capacity;
};

/* --- what the entity gives --- */

/* The first statement (by key) that gives each number, SELF before doubtful. */
static struct given *list_given(struct fold_step *step, const struct fold_entity *entity,
                                size_t *ret_count) {
    size_t room = 0, count = 0, mark = ++step->fold->marks;
    for (size_t i = 0; i < entity->member_count; i++)
        room += entity->members[i]->claim_count + entity->members[i]->doubt_count;
    struct given *list = hub_arena_take(step->arena, (room + 1) * sizeof *list);
    for (int doubtful = 0; doubtful < 2; doubtful++)
        for (size_t i = 0; i < entity->member_count; i++) {
            const struct fold_statement *member = entity->members[i];
            size_t from = doubtful ? member->claim_count : 0;
            size_t to = doubtful ? from + member->doubt_count : member->claim_count;
            for (size_t k = from; k < to; k++) {
                struct fold_identifier *identifier = member->claims[k];
                if (identifier->mark == mark)
                    continue;
                identifier->mark = mark;
                list[count++] = (struct given){identifier, member, doubtful};
            }
        }
    *ret_count = count;
    return list;
}

static bool gives(const struct fold_statement *statement,
                  const struct fold_identifier *identifier) {
    for (size_t i = 0; i < statement->claim_count + statement->doubt_count; i++)
        if (statement->claims[i] == identifier)
            return true;
    return false;
}

static bool told_apart(const struct fold_entity *a, const struct fold_identifier *x,
                       const struct fold_entity *b, const struct fold_identifier *y) {
    for (size_t i = 0; i < a->member_count; i++)
        for (size_t k = 0; k < b->member_count; k++)
            if (a->members[i]->system == b->members[k]->system && gives(a->members[i], x) &&
                gives(b->members[k], y))
                return true;
    return false;
}

/* What an entity claims it does not doubt, whichever of its statements says what. */
static bool claims(const struct fold_entity *entity, const struct fold_identifier *identifier) {
    for (size_t i = 0; i < identifier->count; i++)
        if (identifier->statements[i]->entity == entity)
            return true;
    return false;
}

/* --- pairs of numbers --- */

static bool is_crowded(const struct fold_identifier *identifier, bool doubtful) {
    return doubtful ? identifier->doubter_count > FOLD_DOUBTERS_MAX
                    : identifier->count > HUB_IDENTIFIER_DEGREE_MAX;
}

static void compare_with(struct search *search, const struct given *own,
                         struct fold_identifier *identifier, bool doubtful) {
    struct fold_statement *const *holders =
        doubtful ? identifier->doubters : identifier->statements;
    size_t count = doubtful ? identifier->doubter_count : identifier->count;
    for (size_t i = 0; !is_crowded(identifier, doubtful) && i < count; i++) {
        struct fold_entity *other = holders[i]->entity;
        if (other == search->entity || (doubtful && claims(other, identifier)) ||
            told_apart(search->entity, own->identifier, other, identifier))
            continue;
        HUB_GROW_IN(search->step->arena, search->findings, search->count, search->capacity);
        search->findings[search->count++] =
            (struct finding){*own, {identifier, holders[i], doubtful}, other};
    }
}

static void look_around(struct search *search, const struct given *own) {
    struct fold_identifier *identifier = own->identifier;
    struct hub_fold *fold = search->step->fold;
    fold_identifier_wake_holders(fold, identifier);
    if (is_crowded(identifier, own->doubtful))
        return;
    /* The same number is a near miss only where one of the two doubts it. */
    compare_with(search, own, identifier, /* doubtful= */ !own->doubtful);
    fold_identifier_wake_near(fold, identifier);
    if (identifier->near_count > FOLD_NEAR_MAX)
        return;
    for (size_t i = 0; i < identifier->near_count; i++) {
        struct fold_identifier *near = identifier->near[i];
        fold_identifier_wake_near(fold, near);
        if (near->near_count > FOLD_NEAR_MAX)
            continue;
        fold_identifier_wake_holders(fold, near);
        compare_with(search, own, near, /* doubtful= */ false);
        if (!own->doubtful)
            compare_with(search, own, near, /* doubtful= */ true);
    }
}

/* --- what is told --- */

static int compare_given(const struct given *a, const struct given *b) {
    int order = strcmp(a->identifier->text, b->identifier->text);
    return order != 0 ? order : a->doubtful - b->doubtful;
}

/* By entity and pair of numbers, then by the statement that gives it. */
static int compare_findings(const void *a, const void *b) {
    const struct finding *x = a, *y = b;
    int order = strcmp(x->other->id, y->other->id);
    if (order == 0)
        order = compare_given(&x->own, &y->own);
    if (order == 0)
        order = compare_given(&x->others, &y->others);
    return order != 0 ? order : strcmp(x->others.statement->key, y->others.statement->key);
}

static void tell(const struct search *search, const struct finding *finding,
                 const char *agreeing) {
    bool ordered = compare_given(&finding->own, &finding->others) < 0;
    const struct given *a = ordered ? &finding->own : &finding->others;
    const struct given *b = ordered ? &finding->others : &finding->own;
    struct fold_evidence evidence = {
        FOLD_EVIDENCE_NEAR_MISS,
        hub_arena_format(search->step->arena, "%s%s ~ %s%s, same %s", a->identifier->text,
                         a->doubtful ? " (unverified)" : "", b->identifier->text,
                         b->doubtful ? " (unverified)" : "", agreeing),
        {a->statement->key, b->statement->key}};
    fold_match_tell(search->step, search->entity, finding->other, &evidence);
}

/* Of each other entity and pair of numbers once. */
static void tell_all(const struct search *search) {
    const char *agreeing = NULL;
    if (search->count > 0)
        qsort(search->findings, search->count, sizeof *search->findings, compare_findings);
    for (size_t i = 0; i < search->count; i++) {
        const struct finding *finding = &search->findings[i], *before = finding - 1;
        bool same_other = i > 0 && finding->other == before->other;
        if (!same_other)
            agreeing = fold_likeness_agreeing(search->step, search->entity, finding->other);
        if (agreeing != NULL &&
            (!same_other || compare_given(&finding->own, &before->own) != 0 ||
             compare_given(&finding->others, &before->others) != 0))
            tell(search, finding, agreeing);
    }
}

void fold_near_find(struct fold_step *step, struct fold_change *change) {
    struct search search = {.step = step, .entity = change->entity};
    size_t count = 0;
    /* Of one whose statements give the numbers that they gave, agreement alone can have changed. */
    if (change->news != NULL && fold_likeness_looks_the_same(step, change))
        return;
    struct given *given = list_given(step, change->entity, &count);
    for (size_t i = 0; i < count; i++)
        look_around(&search, &given[i]);
    fold_match_forget(step, change->entity, FOLD_EVIDENCE_NEAR_MISS);
    tell_all(&search);
}

/* --- numbers of too many --- */

/* Not those of a crowd: they told nothing before, and tell nothing now. */
static void touch_each(struct fold_step *step, struct fold_statement *const *holders,
                       size_t count, size_t count_max) {
    for (size_t i = 0; count <= count_max && i < count; i++)
        if (holders[i]->entity != NULL)
            fold_change_of(step, holders[i]->entity);
}

static void touch_holders(struct fold_step *step, const struct fold_identifier *identifier) {
    fold_identifier_wake_holders(step->fold, identifier);
    touch_each(step, identifier->statements, identifier->count, HUB_IDENTIFIER_DEGREE_MAX + 1);
    touch_each(step, identifier->doubters, identifier->doubter_count, FOLD_DOUBTERS_MAX + 1);
}

void fold_near_touch_crowds(struct fold_step *step, const struct fold_statement *statement) {
    for (size_t i = 0; i < statement->claim_count + statement->doubt_count; i++) {
        struct fold_identifier *identifier = statement->claims[i];
        fold_identifier_wake_holders(step->fold, identifier);
        if (identifier->count == HUB_IDENTIFIER_DEGREE_MAX + 1 ||
            identifier->doubter_count == FOLD_DOUBTERS_MAX + 1)
            touch_holders(step, identifier);
        bool only_here = identifier->count + identifier->doubter_count == 1; /* it comes or goes */
        if (only_here)
            fold_identifier_wake_near(step->fold, identifier);
        for (size_t k = 0; only_here && k < identifier->near_count; k++) {
            fold_identifier_wake_near(step->fold, identifier->near[k]);
            if (identifier->near[k]->near_count == FOLD_NEAR_MAX + 1)
                touch_holders(step, identifier->near[k]);
        }
    }
}
