/* Waking: what is loaded sleeps until a step comes near it.
 *
 * Loading puts records away by their hooks. Before a step looks for anything - a statement, the holders of
 * an identifier, what shares a suite - it asks for the hook, and what has it is read and bound as if it
 * had been there from the start. What is awake is whole: a statement with all its copies, its entity
 * and the decisions about it; an entity with its members, conflicts and matches. Lists under an
 * identifier, a likeness, a suite or a fact are whole once their hook was asked for.
 *
 * So what a step gives never depends on what was awake before it. */
#include "hub/stages/fold_state.h"

#include "hub/stages/rules_entry.h"

#include <string.h>

#define PUSH(list, item)                                                                           \
    do {                                                                                           \
        HUB_GROW((list).items, (list).count, (list).capacity);                                     \
        (list).items[(list).count++] = (item);                                                     \
    } while (0)

/* What one call wakes. */
struct fold_waking {
    struct {
        uint64_t *items;
        size_t count, capacity;
    } hooks; /* to be asked for */
    struct {
        struct fold_statement **items;
        size_t count, capacity;
    } statements;
    struct {
        struct fold_entity **items;
        size_t count, capacity;
    } entities;
    struct {
        struct fold_conflict **items;
        size_t count, capacity;
    } conflicts;
    struct {
        struct fold_match **items;
        size_t count, capacity;
    } matches;
    size_t entities_read, matches_bound;
    struct hub_arena arena;
};

struct fold_waking *fold_waking_new(void) {
    return hub_allocate_zero(1, sizeof(struct fold_waking));
}

void fold_waking_free(struct fold_waking *waking) {
    hub_release(waking->hooks.items);
    hub_release(waking->statements.items);
    hub_release(waking->entities.items);
    hub_release(waking->conflicts.items);
    hub_release(waking->matches.items);
    hub_arena_destroy(&waking->arena);
    hub_release(waking);
}

static void clear(struct fold_waking *waking) {
    waking->hooks.count = waking->statements.count = waking->entities.count = 0;
    waking->conflicts.count = waking->matches.count = 0;
    waking->entities_read = waking->matches_bound = 0;
    hub_arena_reset(&waking->arena);
}

void fold_wake_statement(struct hub_fold *fold, struct fold_statement *statement) {
    if (fold->is_waking)
        PUSH(fold->waking->statements, statement);
    else
        statement->settled = true;
}

/* --- records that are found --- */

static enum hub_status take_fact(struct hub_fold *fold, const struct hub_input *entry,
                                 struct hub_error *reterr) {
    struct fold_fact *fact = fold_fact_find(fold, entry);
    return fact != NULL && fact->body != NULL ? HUB_OK
                                              : fold_reference_take(fold, entry, &fact, reterr);
}

static enum hub_status take_entry(struct hub_fold *fold, const struct hub_input *entry,
                                  struct hub_error *reterr) {
    struct fold_statement *statement = NULL;
    struct hub_bytes institution, key = entry->key;
    if (hub_rules_entry_is(entry))
        return HUB_OK; /* they are in force */
    if (fold_reference_is(entry))
        return take_fact(fold, entry, reterr);
    hub_bytes_cut(entry->key, '/', &institution, &key);
    HASH_FIND(hh, fold->statements, key.data, key.size, statement);
    if (statement != NULL && statement->settled)
        return HUB_OK;
    return fold_statement_take(fold, entry, &fold->waking->arena, &statement, NULL, reterr);
}

static enum hub_status take_unified(struct hub_fold *fold, const struct hub_input *record,
                                    struct hub_error *reterr) {
    struct fold_entity *entity = NULL;
    (void)reterr;
    HASH_FIND(hh, fold->entities, record->key.data, record->key.size, entity);
    if (entity != NULL)
        return HUB_OK;
    char *id = hub_copy_bytes(record->key.data, record->key.size);
    entity = fold_entity_add(fold, id, /* founder= */ "", /* founded_offset= */ 0);
    hub_release(id);
    entity->record = hub_copy_bytes(record->value.data, record->value.size);
    entity->record_size = record->value.size;
    PUSH(fold->waking->entities, entity);
    return HUB_OK;
}

/* One that is awake may be of an entity that is not yet. */
static enum hub_status take_conflict(struct hub_fold *fold, const struct hub_input *record,
                                     struct hub_error *reterr) {
    struct fold_conflict *conflict = NULL;
    HASH_FIND(hh, fold->conflicts, record->key.data, record->key.size, conflict);
    if (conflict == NULL)
        HUB_TRY(fold_load_conflict(fold, record->value, &conflict, reterr));
    PUSH(fold->waking->conflicts, conflict);
    return HUB_OK;
}

static enum hub_status take_match(struct hub_fold *fold, const struct hub_input *record,
                                  struct hub_error *reterr) {
    struct fold_match *match = NULL;
    HASH_FIND(hh, fold->matches, record->key.data, record->key.size, match);
    if (match == NULL)
        HUB_TRY(fold_load_match(fold, record->value, &match, reterr));
    PUSH(fold->waking->matches, match);
    return HUB_OK;
}

static enum hub_status take(void *context, unsigned topic, const struct hub_input *record,
                            struct hub_error *reterr) {
    enum hub_status (*const takes[])(struct hub_fold *, const struct hub_input *,
                                     struct hub_error *) = {take_entry, take_unified,
                                                            take_conflict, take_match};
    struct hub_fold *fold = context;
    struct hub_input own = *record;
    own.partition = fold->partition;
    return takes[topic](fold, &own, reterr);
}

/* Of a key that the shelf has, the store has an older record. */
static enum hub_status take_stored(void *context, unsigned topic, const struct hub_input *record,
                                   struct hub_error *reterr) {
    const struct hub_fold *fold = context;
    uint64_t own = hub_fold_own_hook((enum hub_fold_topic)topic, record->key);
    if (hub_shelf_value(fold->shelves[topic], own, record->key).data != NULL)
        return HUB_OK;
    return take(context, topic, record, reterr);
}

static enum hub_status ask(struct hub_fold *fold, uint64_t hook, struct hub_error *reterr) {
    if (!hub_hook_set_add(&fold->asked, hook))
        return HUB_OK;
    for (size_t topic = 0; topic < HUB_FOLD_TOPICS; topic++)
        HUB_TRY(hub_shelf_find(fold->shelves[topic], hook, take, fold, reterr));
    if (fold->store == NULL)
        return HUB_OK;
    return fold->store->find(fold->store->context, hook, &fold->given, take_stored, fold, reterr);
}

/* --- what hangs together with them --- */

static void want(struct hub_fold *fold, enum fold_trait trait, const char *text) {
    PUSH(fold->waking->hooks, hub_hook_hash((uint8_t)trait, hub_bytes_of_text(text)));
}

static enum hub_status read_next_entity(struct hub_fold *fold, struct hub_error *reterr) {
    struct fold_waking *waking = fold->waking;
    struct fold_entity *entity = waking->entities.items[waking->entities_read++];
    HUB_TRY(fold_load_entity(fold, entity, reterr)); /* which asks for its members */
    want(fold, FOLD_BY_ENTITY, entity->id);
    return HUB_OK;
}

static void bind_next_match(struct hub_fold *fold) {
    struct fold_match *match = fold->waking->matches.items[fold->waking->matches_bound++];
    if (!match->bound)
        fold_decision_bind(fold, match->decision);
    match->bound = true;
}

/* Until nothing more is asked for. */
static enum hub_status gather(struct hub_fold *fold, struct hub_error *reterr) {
    struct fold_waking *waking = fold->waking;
    for (;;) {
        if (waking->hooks.count > 0)
            HUB_TRY(ask(fold, waking->hooks.items[--waking->hooks.count], reterr));
        else if (waking->entities_read < waking->entities.count)
            HUB_TRY(read_next_entity(fold, reterr));
        else if (waking->matches_bound < waking->matches.count)
            bind_next_match(fold);
        else
            return HUB_OK;
    }
}

static enum hub_status contradict(const struct hub_fold *fold,
                                  const struct fold_statement *statement,
                                  struct hub_error *reterr) {
    const char *domain = fold->domain->name;
    if (statement->entity == NULL)
        return hub_fail(reterr, HUB_FATAL,
                        "log.%s/%d: statement %s is in force, but no unified record lists it: "
                        "the topics contradict each other", domain, fold->partition,
                        statement->key);
    if (statement->copy_count == 0)
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d: %s lists what the log does not have, %s: the topics "
                        "contradict each other", domain, fold->partition, statement->entity->id,
                        statement->key);
    return fold_contradict(fold, statement->entity, statement, reterr);
}

/* A statement is in force where an entity lists it, and nowhere else. */
static enum hub_status check(const struct hub_fold *fold, struct hub_error *reterr) {
    const struct fold_waking *waking = fold->waking;
    for (size_t i = 0; i < waking->statements.count; i++) {
        const struct fold_statement *statement = waking->statements.items[i];
        if (statement->in_force != (statement->entity != NULL))
            return contradict(fold, statement, reterr);
    }
    return HUB_OK;
}

static void settle_statements(struct hub_fold *fold) {
    struct fold_waking *waking = fold->waking;
    for (size_t i = 0; i < waking->statements.count; i++) {
        struct fold_statement *statement = waking->statements.items[i];
        statement->settled = true;
        if (!statement->in_force) {
            statement->first_offset = -1;
            continue;
        }
        fold_identifier_index(fold, statement, &waking->arena);
        fold_reference_index(fold, statement, &waking->arena);
    }
    waking->statements.count = 0;
}

static void settle_entities(struct hub_fold *fold) {
    struct fold_waking *waking = fold->waking;
    for (size_t i = 0; i < waking->entities.count; i++) {
        fold_overlap_index(fold, waking->entities.items[i]);
        fold_likeness_index(fold, waking->entities.items[i], &waking->arena);
    }
    waking->entities.count = waking->entities_read = 0;
}

static struct fold_entity *find_awake(const struct hub_fold *fold, const char *id) {
    struct fold_entity *entity = NULL;
    HASH_FIND_STR(fold->entities, id, entity);
    return entity;
}

static void attach_conflict(struct hub_fold *fold, struct fold_conflict *conflict) {
    struct fold_entity *entity = NULL;
    for (size_t i = 0; conflict->open && i < 2 && conflict->entities[i] != NULL; i++)
        if ((entity = find_awake(fold, conflict->entities[i])) != NULL)
            fold_conflict_attach(entity, conflict);
    entity = find_awake(fold, conflict->entities[0]);
    if (conflict->decision != NULL && entity != NULL)
        fold_conflict_set_decision(entity, conflict, conflict->decision);
}

static void attach_match(struct hub_fold *fold, struct fold_match *match) {
    struct fold_entity *entity = NULL;
    for (size_t i = 0; match->evidence_count > 0 && i < 2; i++)
        if ((entity = find_awake(fold, match->entities[i])) != NULL)
            fold_match_attach(entity, match);
}

static void attach_all(struct hub_fold *fold) {
    struct fold_waking *waking = fold->waking;
    for (size_t i = 0; i < waking->conflicts.count; i++)
        attach_conflict(fold, waking->conflicts.items[i]);
    for (size_t i = 0; i < waking->matches.count; i++)
        attach_match(fold, waking->matches.items[i]);
    waking->conflicts.count = waking->matches.count = waking->matches_bound = 0;
}

/* Indexing may ask for more: the facts that statements refer to. */
static enum hub_status wake(struct hub_fold *fold, struct hub_error *reterr) {
    do {
        HUB_TRY(gather(fold, reterr));
        HUB_TRY(check(fold, reterr));
        settle_statements(fold);
        settle_entities(fold);
        attach_all(fold);
    } while (fold->waking->hooks.count > 0);
    return HUB_OK;
}

static enum hub_status take_all(struct hub_fold *fold, struct hub_error *reterr) {
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++) {
        HUB_TRY(hub_shelf_each(fold->shelves[topic], take, fold, reterr));
        if (fold->store != NULL)
            HUB_TRY(fold->store->each(fold->store->context, topic, take_stored, fold, reterr));
    }
    return HUB_OK;
}

static void strike_pairs(struct fold_statement *statement, const struct fold_statement *other) {
    size_t kept = 0;
    for (size_t i = 0; i < statement->pair_count; i++)
        if (statement->pairs[i].other != other)
            statement->pairs[kept++] = statement->pairs[i];
    statement->pair_count = kept;
}

/* What is half awake when waking fails goes out of sight: the step goes on with what is whole until it
 * ends, though nothing of it counts. */
static void forget(struct hub_fold *fold) {
    const struct fold_waking *waking = fold->waking;
    for (size_t i = 0; i < waking->entities.count; i++) {
        HASH_DELETE(hh, fold->entities, waking->entities.items[i]);
        fold_entity_free(waking->entities.items[i]);
    }
    for (size_t i = 0; i < waking->statements.count; i++) {
        struct fold_statement *statement = waking->statements.items[i];
        for (size_t k = 0; k < statement->pair_count; k++)
            strike_pairs(statement->pairs[k].other, statement);
        HASH_DELETE(hh, fold->statements, statement);
        fold_statement_free(statement);
    }
}

/* What was counted when it was published is not counted again. */
static void run(struct hub_fold *fold, bool all) {
    struct hub_fold_gauges gauges = fold->gauges;
    fold->is_waking = true;
    enum hub_status status = all ? take_all(fold, &fold->failure) : HUB_OK;
    if (status == HUB_OK)
        status = wake(fold, &fold->failure);
    if (status != HUB_OK)
        forget(fold);
    fold->failed = status;
    fold->is_waking = false;
    fold->gauges = gauges;
    clear(fold->waking);
}

void fold_wake(struct hub_fold *fold, enum fold_trait trait, struct hub_bytes text) {
    if (!fold->has_dormant || fold->failed != HUB_OK)
        return;
    PUSH(fold->waking->hooks, hub_hook_hash((uint8_t)trait, text));
    if (!fold->is_waking) /* else whoever wakes comes by it */
        run(fold, /* all= */ false);
}

void fold_wake_nobody(struct hub_fold *fold, enum fold_trait trait, struct hub_bytes text) {
    if (fold->has_dormant)
        hub_hook_set_add(&fold->asked, hub_hook_hash((uint8_t)trait, text));
}

/* --- everything --- */

static void count(struct hub_fold *fold) {
    struct fold_statement *statement, *next_statement;
    struct fold_entity *entity, *next_entity;
    struct fold_conflict *conflict, *next_conflict;
    struct fold_match *match, *next_match;
    struct hub_fold_gauges gauges = {
        .identifiers_set_aside = fold_identifier_count_set_aside(fold)};
    HASH_ITER(hh, fold->statements, statement, next_statement)
        gauges.statements += statement->in_force;
    HASH_ITER(hh, fold->entities, entity, next_entity)
        gauges.entities += entity->kind == FOLD_ACTIVE;
    HASH_ITER(hh, fold->conflicts, conflict, next_conflict)
        gauges.conflicts_open += conflict->open;
    HASH_ITER(hh, fold->matches, match, next_match)
        gauges.matches_open += match->open;
    fold->gauges = gauges;
}

enum hub_status hub_fold_wake_all(struct hub_fold *fold, struct hub_error *reterr) {
    if (fold->has_dormant && fold->failed == HUB_OK)
        run(fold, /* all= */ true);
    HUB_TRY(hub_fold_failure(fold, reterr));
    if (fold->has_dormant)
        count(fold);
    fold->has_dormant = false;
    return HUB_OK;
}
