/* Loading a shard from what was published. Nothing is decided again: which statement belongs to
 * which entity, what an entity's id is and which conflicts stand open is read, not found. */
#include "hub/stages/fold_state.h"
#include "hub/stages/record.h"
#include "hub/stages/rules_entry.h"

#include "hub/core/identity.h"
#include "schemas/lib/slice.h"

#include <string.h>

static const char late_prefix[] = "late/";

/* A record that is well-formed, and that no fold has written. */
static enum hub_status damaged(const struct hub_fold *fold, const char *topic, const char *id,
                               const char *what, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL, "%s.%s/%d: %s %s: damaged", topic, fold->domain->name,
                    fold->partition, id, what);
}

enum hub_status hub_fold_load_log(struct hub_fold *fold, const struct hub_input *entry,
                                  struct hub_error *reterr) {
    struct fold_statement *statement = NULL;
    struct hub_arena arena = {0};
    size_t size = sizeof late_prefix - 1;
    if (entry->has_key && entry->key.size >= size &&
        memcmp(entry->key.data, late_prefix, size) == 0)
        return HUB_OK;
    struct hub_bytes end;
    if (fold_decision_is(entry) || hub_remerge_entry_is(entry, &end))
        return HUB_OK; /* what came of it is in the unified records, conflicts and matches */
    if (hub_rules_entry_is(entry)) {
        fold_rules_remember(fold, entry);
        return HUB_OK;
    }
    if (fold_reference_is(entry)) {
        struct fold_fact *fact = NULL;
        return fold_reference_take(fold, entry, &fact, reterr);
    }
    enum hub_status status =
        fold_statement_take(fold, entry, &arena, &statement, NULL, reterr);
    hub_arena_destroy(&arena);
    return status;
}

/* --- unified --- */

static enum hub_status check_makers(struct hub_fold *fold, const struct hub_record *record,
                                    struct hub_error *reterr) {
    int64_t core = hub_record_long(record, "core");
    if (core > HUB_CORE_VERSION)
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d was made by core %lld, this one is %d: an older core never "
                        "continues a newer one's shard", fold->domain->name, fold->partition,
                        (long long)core, HUB_CORE_VERSION);
    /* Where the log names rules, each record was made by those that were in force. */
    if (fold->ruling_count == 0 && !hub_record_text_is(record, "rules", fold->domain->rules)) {
        struct hub_bytes rules = hub_slice_octets(hub_record_field(record, "rules"));
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d was made by the rules %.*s, these are %s, and the log names "
                        "none: rules change by an entry in the log, never by a restart",
                        fold->domain->name, fold->partition, (int)rules.size,
                        (const char *)rules.data, fold->domain->rules);
    }
    return HUB_OK;
}

/* The entity as this record leaves it; members are bound once all records are there. */
static void take_members(struct hub_fold *fold, struct fold_entity *entity,
                         const struct hub_record *record) {
    const struct hub_type *array = hub_record_type(record, "statements");
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, "statements"));
    struct hub_bytes element;
    struct fold_statement *members[HUB_CLUSTER_SIZE_MAX];
    size_t count = 0;
    while (hub_slice_next(&elements, &element)) {
        struct hub_record reference = {.type = array->items, .body = element};
        struct hub_bytes key = hub_slice_octets(hub_record_field(&reference, "key"));
        struct fold_statement *statement = NULL;
        HASH_FIND(hh, fold->statements, key.data, key.size, statement);
        if (statement == NULL) {
            entity->incomplete = true;
            continue;
        }
        statement->first_offset = hub_record_long(&reference, "first_offset");
        members[count++] = statement;
    }
    fold_entity_set_members(entity, members, count);
}

static void take_value(struct fold_entity *entity, const struct hub_record *record) {
    struct hub_bytes stated;
    if (hub_slice_stated(hub_record_type(record, "value"), hub_record_field(record, "value"), &stated) == NULL)
        return;
    const struct hub_type *type = hub_record_type(record, "sources");
    struct hub_bytes sources = hub_record_field(record, "sources");
    entity->value = hub_copy_bytes(stated.data, stated.size);
    entity->value_size = stated.size;
    entity->sources = hub_allocate_zero(type->count, sizeof *entity->sources);
    for (size_t i = 0; i < type->count; i++)
        entity->sources[i] = (int)hub_slice_long(hub_slice_field(type, sources, i));
}

static enum hub_status check_kind(const struct hub_fold *fold, const struct hub_record *record,
                                  const char *id, struct hub_error *reterr) {
    int64_t kind = hub_record_long(record, "kind");
    bool active = kind == FOLD_ACTIVE;
    size_t statements = hub_record_count(record, "statements");
    if (kind > FOLD_MOVED)
        return damaged(fold, "unified", id, "is of an unknown kind", reterr);
    if (active && (!hub_record_is_stated(record, "value") || statements == 0))
        return damaged(fold, "unified", id, "is ACTIVE without a value or statements", reterr);
    if (statements > HUB_CLUSTER_SIZE_MAX)
        return damaged(fold, "unified", id, "lists more statements than an entity has", reterr);
    if (!active && hub_record_is_stated(record, "value")) /* it may name the statement that went last */
        return damaged(fold, "unified", id, "is not ACTIVE and has a value", reterr);
    if (kind == FOLD_MERGED && !hub_record_is_stated(record, "into"))
        return damaged(fold, "unified", id, "is MERGED into nothing", reterr);
    return HUB_OK;
}

/* Of an entity the last record counts, and is looked into once all are there: of most there are
 * several. */
enum hub_status hub_fold_load_unified(struct hub_fold *fold, struct hub_bytes value,
                                      struct hub_error *reterr) {
    struct hub_bytes first;
    struct fold_entity *entity = NULL;
    HUB_TRY(hub_record_first_text(fold->catalogue, fold->domain->unified, value, &first, reterr));
    char *id = hub_copy_bytes(first.data, first.size);
    entity = fold_entity_find(fold, id);
    if (entity == NULL)
        entity = fold_entity_add(fold, id, /* founder= */ "", /* founded_offset= */ 0);
    hub_release(id);
    entity->record = hub_reallocate(entity->record, value.size);
    memcpy(entity->record, value.data, value.size);
    entity->record_size = value.size;
    return HUB_OK;
}

/* The entity as its last record leaves it. */
static enum hub_status read_entity(struct hub_fold *fold, struct fold_entity *entity,
                                   struct hub_buffer *scratch, struct hub_error *reterr) {
    struct hub_record record;
    HUB_TRY(hub_record_open(fold->catalogue, fold->domain->unified,
                            hub_bytes(entity->record, entity->record_size), scratch, &record,
                            reterr));
    HUB_TRY(check_makers(fold, &record, reterr));
    HUB_TRY(check_kind(fold, &record, entity->id, reterr));
    char *into = hub_record_text(&record, "into");
    hub_release(entity->founder);
    entity->founder = hub_record_text(&record, "founder");
    entity->founded_offset = hub_record_long(&record, "founded_offset");
    fold_entity_set_kind(fold, entity, (enum fold_kind)hub_record_long(&record, "kind"), into);
    hub_release(into);
    entity->revision = hub_record_long(&record, "revision");
    take_value(entity, &record);
    if (entity->kind == FOLD_ACTIVE)
        take_members(fold, entity, &record);
    entity->record = hub_release(entity->record);
    return HUB_OK;
}

static enum hub_status read_entities(struct hub_fold *fold, struct hub_error *reterr) {
    struct fold_entity *entity, *next;
    HUB_SCOPED_BUFFER scratch = {.size_max = 64 * 1024 * 1024};
    HASH_ITER(hh, fold->entities, entity, next)
        HUB_TRY(read_entity(fold, entity, &scratch, reterr));
    return HUB_OK;
}

/* --- conflicts and matches --- */

/* What is chosen is one statement's value; the merge relies on it. */
static bool chooses_one(const struct hub_record *record) {
    struct hub_record decision;
    if (!hub_record_part(record, "decision", &decision))
        return true;
    int64_t kind = hub_record_long(&decision, "kind");
    return kind == FOLD_DEFER ||
           (kind == FOLD_CHOOSE && hub_record_count(&decision, "statements") == 1);
}

/* All but UNRECOGNISED, which is between them. */
static bool is_conflict_kind(int64_t kind) {
    return kind <= HUB_CONFLICT_OVERLAP || kind >= HUB_CONFLICT_UNFOUNDED;
}

static enum hub_status check_conflict(const struct hub_fold *fold, const struct hub_record *record,
                                      const char *id, struct hub_error *reterr) {
    size_t entities = hub_record_count(record, "entities");
    if (entities < 1 || entities > 2)
        return damaged(fold, "conflict", id, "does not concern one entity or two", reterr);
    if (!is_conflict_kind(hub_record_long(record, "kind")) ||
        hub_record_long(record, "severity") > HUB_CRITICAL)
        return damaged(fold, "conflict", id, "is of an unknown kind or severity", reterr);
    if (!chooses_one(record))
        return damaged(fold, "conflict", id, "has a decision that is none about it", reterr);
    return HUB_OK;
}

enum hub_status hub_fold_load_conflict(struct hub_fold *fold, struct hub_bytes value,
                                       struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {0};
    struct fold_conflict *conflict = NULL;
    HUB_TRY(hub_record_open(fold->catalogue, fold->conflict_schema, value, &scratch, &record, reterr));
    char *id = hub_record_text(&record, "conflict_id");
    enum hub_status status = check_conflict(fold, &record, id, reterr);
    if (status != HUB_OK) {
        hub_release(id);
        return status;
    }
    HASH_FIND_STR(fold->conflicts, id, conflict);
    if (conflict == NULL) {
        conflict = hub_allocate_zero(1, sizeof *conflict);
        conflict->id = id;
        HASH_ADD_KEYPTR(hh, fold->conflicts, conflict->id, strlen(id), conflict);
    } else {
        hub_release(id);
    }
    for (size_t i = 0; i < 2; i++) {
        hub_release(conflict->entities[i]);
        conflict->entities[i] = hub_record_nth_text(&record, "entities", i);
    }
    hub_release(conflict->field);
    conflict->field = hub_record_text(&record, "field");
    conflict->kind = (enum hub_conflict_kind)hub_record_long(&record, "kind");
    conflict->severity = (enum hub_severity)hub_record_long(&record, "severity");
    conflict->open = hub_record_long(&record, "state") == 0;
    conflict->opened_offset = hub_record_long(&record, "opened_offset");
    conflict->events = hub_record_long(&record, "events");
    struct hub_bytes values = hub_record_field(&record, "values");
    hub_release(conflict->values);
    bool stand = hub_record_count(&record, "values") > 0;
    conflict->values = stand ? hub_copy_bytes(values.data, values.size) : NULL;
    conflict->values_size = stand ? values.size : 0;
    struct hub_bytes owners = hub_record_field(&record, "owners");
    hub_release(conflict->owners);
    conflict->owners = hub_copy_bytes(owners.data, owners.size);
    conflict->owners_size = owners.size;
    fold_decision_free(conflict->decision);
    conflict->decision = fold_decision_load(&record, "decision");
    fold_conflict_set_proposal(conflict, fold_decision_load(&record, "proposal"));
    return HUB_OK;
}

static void take_evidence(struct fold_match *match, const struct hub_record *record) {
    const struct hub_type *array = hub_record_type(record, "evidence");
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, "evidence"));
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element)) {
        struct hub_record evidence = {.type = array->items, .body = element};
        HUB_GROW(match->evidence, match->evidence_count, match->evidence_capacity);
        match->evidence[match->evidence_count++] = (struct fold_evidence){
            (enum fold_evidence_kind)hub_record_long(&evidence, "kind"),
            hub_record_text(&evidence, "detail"),
            {hub_record_nth_text(&evidence, "statements", 0), hub_record_nth_text(&evidence, "statements", 1)}};
    }
}

static bool is_evidence_kind(int64_t kind) {
    return kind <= FOLD_EVIDENCE_RESEMBLANCE || kind == FOLD_EVIDENCE_NEAR_MISS;
}

static enum hub_status check_match(const struct hub_fold *fold, const struct hub_record *record,
                                   const char *id, struct hub_error *reterr) {
    const struct hub_type *array = hub_record_type(record, "evidence");
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, "evidence"));
    struct hub_bytes element;
    if (hub_record_count(record, "entities") != 2)
        return damaged(fold, "match", id, "is not of two entities", reterr);
    while (hub_slice_next(&elements, &element)) {
        struct hub_record evidence = {.type = array->items, .body = element};
        if (hub_record_count(&evidence, "statements") != 2 ||
            !is_evidence_kind(hub_record_long(&evidence, "kind")))
            return damaged(fold, "match", id, "has evidence that names no two statements, or of "
                           "an unknown kind", reterr);
    }
    return HUB_OK;
}

enum hub_status hub_fold_load_match(struct hub_fold *fold, struct hub_bytes value,
                                    struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {0};
    struct fold_match *match = NULL;
    HUB_TRY(hub_record_open(fold->catalogue, fold->match_schema, value, &scratch, &record, reterr));
    char *id = hub_record_text(&record, "match_id");
    enum hub_status status = check_match(fold, &record, id, reterr);
    HASH_FIND_STR(fold->matches, id, match);
    hub_release(id);
    HUB_TRY(status);
    if (match != NULL) {
        HASH_DELETE(hh, fold->matches, match);
        fold_match_free(match);
    }
    match = hub_allocate_zero(1, sizeof *match);
    match->id = hub_record_text(&record, "match_id");
    match->entities[0] = hub_record_nth_text(&record, "entities", 0);
    match->entities[1] = hub_record_nth_text(&record, "entities", 1);
    match->open = hub_record_long(&record, "state") == 0;
    match->opened_offset = hub_record_long(&record, "opened_offset");
    match->events = hub_record_long(&record, "events");
    take_evidence(match, &record);
    match->decision = fold_decision_load(&record, "decision");
    match->proposal = fold_decision_load(&record, "proposal");
    HASH_ADD_KEYPTR(hh, fold->matches, match->id, strlen(match->id), match);
    return HUB_OK;
}

/* --- binding --- */

static enum hub_status bind_statements(struct hub_fold *fold, struct hub_arena *arena,
                                       struct hub_error *reterr) {
    struct fold_statement *statement, *next;
    HASH_ITER(hh, fold->statements, statement, next) {
        if (!statement->in_force) {
            statement->first_offset = -1;
            statement->entity = NULL;
            continue;
        }
        if (statement->entity == NULL)
            return hub_fail(reterr, HUB_FATAL,
                            "log.%s/%d: statement %s is in force, but no unified record lists it: "
                            "the topics contradict each other", fold->domain->name,
                            fold->partition, statement->key);
        fold->gauges.statements++;
        fold_identifier_index(fold, statement, arena);
        fold_reference_index(fold, statement, arena);
        hub_arena_reset(arena);
    }
    return HUB_OK;
}

/* An entity that stands has statements in force, all of them its own. */
static enum hub_status check_entity(const struct hub_fold *fold, const struct fold_entity *entity,
                                    struct hub_error *reterr) {
    if (entity->incomplete)
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d: %s lists what the log does not have: the topics "
                        "contradict each other", fold->domain->name, fold->partition, entity->id);
    for (size_t i = 0; i < entity->member_count; i++)
        if (!entity->members[i]->in_force || entity->members[i]->entity != entity)
            return hub_fail(reterr, HUB_FATAL,
                            "unified.%s/%d: %s lists %s, which the log says is not its: the "
                            "topics contradict each other", fold->domain->name, fold->partition,
                            entity->id, entity->members[i]->key);
    return HUB_OK;
}

static enum hub_status bind_entities(struct hub_fold *fold, struct hub_arena *arena,
                                     struct hub_error *reterr) {
    struct fold_entity *entity, *next;
    HASH_ITER(hh, fold->entities, entity, next) {
        HUB_TRY(check_entity(fold, entity, reterr));
        if (entity->kind != FOLD_ACTIVE)
            continue;
        fold_overlap_index(fold, entity);
        fold_likeness_index(fold, entity, arena);
        hub_arena_reset(arena);
    }
    return HUB_OK;
}

static void bind_conflicts(struct hub_fold *fold) {
    struct fold_conflict *conflict, *next;
    HASH_ITER(hh, fold->conflicts, conflict, next) {
        fold->gauges.conflicts_open += conflict->open;
        for (size_t i = 0; conflict->open && i < 2 && conflict->entities[i] != NULL; i++) {
            struct fold_entity *entity = fold_entity_find(fold, conflict->entities[i]);
            if (entity != NULL)
                fold_conflict_attach(entity, conflict);
        }
        struct fold_entity *entity = fold_entity_find(fold, conflict->entities[0]);
        if (conflict->decision != NULL && entity != NULL)
            fold_conflict_set_decision(entity, conflict, conflict->decision);
    }
}

static void bind_matches(struct hub_fold *fold) {
    struct fold_match *match, *next;
    HASH_ITER(hh, fold->matches, match, next) {
        fold->gauges.matches_open += match->open;
        fold_decision_bind(fold, match->decision);
        for (size_t i = 0; match->evidence_count > 0 && i < 2; i++) {
            struct fold_entity *entity = fold_entity_find(fold, match->entities[i]);
            if (entity == NULL)
                continue;
            HUB_GROW(entity->matches, entity->match_count, entity->match_capacity);
            entity->matches[entity->match_count++] = match;
        }
    }
}

enum hub_status hub_fold_loaded(struct hub_fold *fold, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    HUB_TRY(read_entities(fold, reterr));
    HUB_TRY(fold_rules_loaded(fold, reterr));
    enum hub_status status = bind_statements(fold, &arena, reterr);
    if (status == HUB_OK)
        status = bind_entities(fold, &arena, reterr);
    if (status == HUB_OK) {
        bind_conflicts(fold);
        bind_matches(fold);
    }
    hub_arena_destroy(&arena);
    return status;
}
