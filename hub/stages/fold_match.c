/* Matches: pairs of entities that may be one, with the evidence, for a person to decide. */
#include "hub/stages/fold_state.h"

#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"

#include <string.h>

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
    fold_decision_free(match->proposal);
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
    HUB_GROW_IN(step->arena, step->matches, step->match_count, step->match_capacity);
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
    match->bound = true;
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
    fold_wake(step->fold, FOLD_BY_MATCH, hub_bytes_of_text(subject));
    HASH_FIND_STR(step->fold->matches, subject, match);
    if (match == NULL)
        match = add_match(step->fold, subject, a == NULL ? "" : a->id, b == NULL ? "" : b->id);
    touch(step, match);
    return match;
}

void fold_match_note_decided(struct fold_match *match, const char *refused) {
    match->before->decided = true;
    match->before->refused = refused;
}

void fold_match_touch_all(struct fold_step *step, struct fold_entity *entity) {
    for (size_t i = 0; entity != NULL && i < entity->match_count; i++)
        touch(step, entity->matches[i]);
}

void fold_match_attach(struct fold_entity *entity, struct fold_match *match) {
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

void fold_match_tell(struct fold_step *step, struct fold_entity *a, struct fold_entity *b,
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
    fold_match_attach(a, match);
    fold_match_attach(b, match);
}

/* What evidence follows from. */
enum origin { OF_REFUSALS, OF_RESEMBLANCE, OF_NEAR_MISS };

static enum origin origin_of(enum fold_evidence_kind kind) {
    return kind == FOLD_EVIDENCE_RESEMBLANCE ? OF_RESEMBLANCE
           : kind == FOLD_EVIDENCE_NEAR_MISS ? OF_NEAR_MISS
                                             : OF_REFUSALS;
}

/* Removes the evidence of one origin, or of one detail of it. */
static void remove_evidence(struct fold_step *step, struct fold_match *match, enum origin origin,
                            const char *detail) {
    size_t kept = 0;
    touch(step, match);
    for (size_t i = 0; i < match->evidence_count; i++) {
        struct fold_evidence *evidence = &match->evidence[i];
        if (origin_of(evidence->kind) == origin &&
            (detail == NULL || strcmp(detail, evidence->detail) == 0))
            evidence_free(evidence);
        else
            match->evidence[kept++] = *evidence;
    }
    match->evidence_count = kept;
}

void fold_match_take_back(struct fold_step *step, const struct fold_entity *a,
                          const struct fold_entity *b, enum fold_evidence_kind kind,
                          const char *detail) {
    remove_evidence(step, need_match(step, a, b), origin_of(kind), detail);
}

void fold_match_forget(struct fold_step *step, struct fold_entity *entity,
                       enum fold_evidence_kind kind) {
    for (size_t i = 0; i < entity->match_count; i++)
        remove_evidence(step, entity->matches[i], origin_of(kind), NULL);
}

void fold_match_of_refusals(struct fold_step *step, struct fold_entity **entities,
                            size_t entity_count, const struct fold_evidence *evidence,
                            const size_t *pairs, size_t evidence_count) {
    for (size_t i = 0; i < entity_count; i++)
        fold_match_forget(step, entities[i], FOLD_EVIDENCE_EXCLUSIVE);
    for (size_t i = 0; i < evidence_count; i++)
        fold_match_tell(step, entities[pairs[2 * i]], entities[pairs[2 * i + 1]], &evidence[i]);
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
    fold_decision_encode(match->decision, /* waits= */ false, value);
    hub_encode_optional_text(value, match->before->refused);
    fold_decision_encode(match->proposal, /* waits= */ true, value);
}

/* Whether it waits for a person: one that must confirm a decision, or one that must decide. */
static bool waits(struct hub_fold *fold, const struct fold_match *match) {
    if (match->proposal != NULL)
        return true;
    if (match->decision != NULL || match->evidence_count == 0)
        return false;
    const struct fold_entity *a = fold_entity_find(fold, match->entities[0]);
    const struct fold_entity *b = fold_entity_find(fold, match->entities[1]);
    return a == NULL || b == NULL || !fold_decision_apart(a, b);
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
    if (step->match_count > 1)
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
        struct fold_label label = {'/', match->events, hub_bytes_of_text(type)};
        fold_publish_record(step, HUB_OUTPUT_MATCH, match->id, &value, &label);
    }
}
