/* Loading a shard from what was published. Nothing is decided again: which statement belongs to
 * which entity, what an entity's id is and which conflicts stand open is read, not found. */
#include "hub/stages/fold_state.h"

#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"

#include <string.h>

static const char late_prefix[] = "late/";

static enum hub_status open_record(const struct hub_schema *schema, struct hub_bytes value,
                                   struct hub_bytes *ret_body, struct hub_error *reterr) {
    struct hub_walk_limits limits = {64 * 1024 * 1024, 1000000};
    struct hub_walk walk = {0};
    int32_t id = 0;
    HUB_TRY(hub_frame_open(value, &id, ret_body, reterr));
    if (id != schema->id)
        return hub_fail(reterr, HUB_FATAL, "a record of schema %d; %d (%s) would pass", id,
                        schema->id, schema->subject);
    return hub_walk(schema->root, *ret_body, &limits, &walk, reterr);
}

/* Reading by name: these records are read once, at loading. */
struct record {
    const struct hub_type *type;
    struct hub_bytes body;
};

static struct hub_bytes field_of(const struct record *record, const char *name) {
    return hub_slice_field(record->type, record->body,
                           (size_t)hub_type_field(record->type, name));
}

static const struct hub_type *field_type(const struct record *record, const char *name) {
    return record->type->fields[hub_type_field(record->type, name)].type;
}

static int64_t long_of(const struct record *record, const char *name) {
    return hub_slice_long(field_of(record, name));
}

static char *copy_text_of(const struct record *record, const char *name) {
    struct hub_bytes stated;
    const struct hub_type *type =
        hub_slice_stated(field_type(record, name), field_of(record, name), &stated);
    if (type == NULL)
        return NULL;
    struct hub_bytes text = hub_slice_octets(stated);
    return hub_copy_bytes(text.data, text.size);
}

static bool text_is(const struct record *record, const char *name, const char *text) {
    return hub_bytes_equal_text(hub_slice_octets(field_of(record, name)), text);
}

static bool is_stated(const struct record *record, const char *name) {
    struct hub_bytes stated;
    return hub_slice_stated(field_type(record, name), field_of(record, name), &stated) != NULL;
}

static size_t count_of(const struct record *record, const char *name) {
    struct hub_elements elements =
        hub_slice_elements(field_type(record, name), field_of(record, name));
    struct hub_bytes element;
    size_t count = 0;
    while (hub_slice_next(&elements, &element))
        count++;
    return count;
}

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
    bool changed = false;
    size_t size = sizeof late_prefix - 1;
    if (entry->has_key && entry->key.size >= size &&
        memcmp(entry->key.data, late_prefix, size) == 0)
        return HUB_OK;
    enum hub_status status =
        fold_statement_take(fold, entry, &arena, &statement, &changed, reterr);
    hub_arena_destroy(&arena);
    return status;
}

/* --- unified --- */

static enum hub_status check_makers(struct hub_fold *fold, const struct record *record,
                                    struct hub_error *reterr) {
    int64_t core = long_of(record, "core");
    if (core > HUB_CORE_VERSION)
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d was made by core %lld, this one is %d: an older core never "
                        "continues a newer one's shard", fold->domain->name, fold->partition,
                        (long long)core, HUB_CORE_VERSION);
    if (!text_is(record, "rules", fold->domain->rules)) {
        struct hub_bytes rules = hub_slice_octets(field_of(record, "rules"));
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d was made by the rules %.*s, these are %s: rules change by "
                        "an entry in the log, never by a restart", fold->domain->name,
                        fold->partition, (int)rules.size, (const char *)rules.data,
                        fold->domain->rules);
    }
    return HUB_OK;
}

/* The entity as this record leaves it; members are bound once all records are there. */
static void take_members(struct hub_fold *fold, struct fold_entity *entity,
                         const struct record *record) {
    const struct hub_type *array = field_type(record, "statements");
    struct hub_elements elements = hub_slice_elements(array, field_of(record, "statements"));
    struct hub_bytes element;
    struct fold_statement *members[2 * 64];
    size_t count = 0;
    while (count < sizeof members / sizeof *members && hub_slice_next(&elements, &element)) {
        struct record reference = {array->items, element};
        struct hub_bytes key = hub_slice_octets(field_of(&reference, "key"));
        struct fold_statement *statement = NULL;
        HASH_FIND(hh, fold->statements, key.data, key.size, statement);
        if (statement == NULL) {
            entity->incomplete = true;
            continue;
        }
        statement->first_offset = long_of(&reference, "first_offset");
        members[count++] = statement;
    }
    fold_entity_set_members(entity, members, count);
}

static void take_value(struct fold_entity *entity, const struct record *record) {
    struct hub_bytes stated;
    hub_release(entity->value);
    hub_release(entity->sources);
    entity->value = NULL;
    entity->sources = NULL;
    entity->value_size = 0;
    if (hub_slice_stated(field_type(record, "value"), field_of(record, "value"), &stated) == NULL)
        return;
    const struct hub_type *type = field_type(record, "sources");
    struct hub_bytes sources = field_of(record, "sources");
    entity->value = hub_copy_bytes(stated.data, stated.size);
    entity->value_size = stated.size;
    entity->sources = hub_allocate_zero(type->count, sizeof *entity->sources);
    for (size_t i = 0; i < type->count; i++)
        entity->sources[i] = (int)hub_slice_long(hub_slice_field(type, sources, i));
}

static enum hub_status check_kind(const struct hub_fold *fold, const struct record *record,
                                  const char *id, struct hub_error *reterr) {
    int64_t kind = long_of(record, "kind");
    bool active = kind == FOLD_ACTIVE;
    if (kind > FOLD_MOVED)
        return damaged(fold, "unified", id, "is of an unknown kind", reterr);
    if (active && (!is_stated(record, "value") || count_of(record, "statements") == 0))
        return damaged(fold, "unified", id, "is ACTIVE without a value or statements", reterr);
    if (!active && is_stated(record, "value")) /* it may name the statement that went last */
        return damaged(fold, "unified", id, "is not ACTIVE and has a value", reterr);
    if (kind == FOLD_MERGED && !is_stated(record, "into"))
        return damaged(fold, "unified", id, "is MERGED into nothing", reterr);
    return HUB_OK;
}

enum hub_status hub_fold_load_unified(struct hub_fold *fold, struct hub_bytes value,
                                      struct hub_error *reterr) {
    struct record record = {.type = fold->domain->unified->root};
    HUB_TRY(open_record(fold->domain->unified, value, &record.body, reterr));
    HUB_TRY(check_makers(fold, &record, reterr));
    char *id = copy_text_of(&record, "entity_id");
    enum hub_status status = check_kind(fold, &record, id, reterr);
    if (status != HUB_OK) {
        hub_release(id);
        return status;
    }
    char *founder = copy_text_of(&record, "founder");
    char *into = copy_text_of(&record, "into");
    struct fold_entity *entity = fold_entity_find(fold, id);
    if (entity == NULL)
        entity = fold_entity_add(fold, id, founder, long_of(&record, "founded_offset"));
    fold_entity_set_kind(fold, entity, (enum fold_kind)long_of(&record, "kind"), into);
    entity->revision = long_of(&record, "revision");
    take_value(entity, &record);
    hub_release(entity->members);
    entity->members = NULL;
    entity->member_count = entity->member_capacity = 0;
    entity->incomplete = false;
    if (entity->kind == FOLD_ACTIVE)
        take_members(fold, entity, &record);
    hub_release(id);
    hub_release(founder);
    hub_release(into);
    return HUB_OK;
}

/* --- conflicts and matches --- */

static char *nth_text(const struct record *record, const char *name, size_t index) {
    struct hub_elements elements =
        hub_slice_elements(field_type(record, name), field_of(record, name));
    struct hub_bytes element;
    for (size_t i = 0; hub_slice_next(&elements, &element); i++)
        if (i == index) {
            struct hub_bytes text = hub_slice_octets(element);
            return hub_copy_bytes(text.data, text.size);
        }
    return NULL;
}

static enum hub_status check_conflict(const struct hub_fold *fold, const struct record *record,
                                      const char *id, struct hub_error *reterr) {
    size_t entities = count_of(record, "entities");
    if (entities < 1 || entities > 2)
        return damaged(fold, "conflict", id, "does not concern one entity or two", reterr);
    if (long_of(record, "kind") > HUB_CONFLICT_OVERLAP ||
        long_of(record, "severity") > HUB_CRITICAL)
        return damaged(fold, "conflict", id, "is of an unknown kind or severity", reterr);
    return HUB_OK;
}

enum hub_status hub_fold_load_conflict(struct hub_fold *fold, struct hub_bytes value,
                                       struct hub_error *reterr) {
    struct record record = {.type = fold->conflict_schema->root};
    struct fold_conflict *conflict = NULL;
    HUB_TRY(open_record(fold->conflict_schema, value, &record.body, reterr));
    char *id = copy_text_of(&record, "conflict_id");
    enum hub_status status = check_conflict(fold, &record, id, reterr);
    if (status != HUB_OK) {
        hub_release(id);
        return status;
    }
    HASH_FIND_STR(fold->conflicts, id, conflict);
    if (conflict == NULL) {
        conflict = hub_allocate_zero(1, sizeof *conflict);
        conflict->id = id;
        conflict->entities[0] = nth_text(&record, "entities", 0);
        conflict->entities[1] = nth_text(&record, "entities", 1);
        conflict->field = copy_text_of(&record, "field");
        HASH_ADD_KEYPTR(hh, fold->conflicts, conflict->id, strlen(id), conflict);
    } else {
        hub_release(id);
    }
    conflict->kind = (enum hub_conflict_kind)long_of(&record, "kind");
    conflict->severity = (enum hub_severity)long_of(&record, "severity");
    conflict->open = long_of(&record, "state") == 0;
    conflict->opened_offset = long_of(&record, "opened_offset");
    conflict->events = long_of(&record, "events");
    struct hub_bytes values = field_of(&record, "values");
    hub_release(conflict->values);
    conflict->values = conflict->open ? hub_copy_bytes(values.data, values.size) : NULL;
    conflict->values_size = conflict->open ? values.size : 0;
    return HUB_OK;
}

static void take_evidence(struct fold_match *match, const struct record *record) {
    const struct hub_type *array = field_type(record, "evidence");
    struct hub_elements elements = hub_slice_elements(array, field_of(record, "evidence"));
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element)) {
        struct record evidence = {array->items, element};
        HUB_GROW(match->evidence, match->evidence_count, match->evidence_capacity);
        match->evidence[match->evidence_count++] = (struct fold_evidence){
            (enum fold_evidence_kind)long_of(&evidence, "kind"),
            copy_text_of(&evidence, "detail"),
            {nth_text(&evidence, "statements", 0), nth_text(&evidence, "statements", 1)}};
    }
}

static enum hub_status check_match(const struct hub_fold *fold, const struct record *record,
                                   const char *id, struct hub_error *reterr) {
    const struct hub_type *array = field_type(record, "evidence");
    struct hub_elements elements = hub_slice_elements(array, field_of(record, "evidence"));
    struct hub_bytes element;
    if (count_of(record, "entities") != 2)
        return damaged(fold, "match", id, "is not of two entities", reterr);
    while (hub_slice_next(&elements, &element)) {
        struct record evidence = {array->items, element};
        if (count_of(&evidence, "statements") != 2 ||
            long_of(&evidence, "kind") > FOLD_EVIDENCE_RESEMBLANCE)
            return damaged(fold, "match", id, "has evidence that names no two statements, or of "
                           "an unknown kind", reterr);
    }
    return HUB_OK;
}

enum hub_status hub_fold_load_match(struct hub_fold *fold, struct hub_bytes value,
                                    struct hub_error *reterr) {
    struct record record = {.type = fold->match_schema->root};
    struct fold_match *match = NULL;
    HUB_TRY(open_record(fold->match_schema, value, &record.body, reterr));
    char *id = copy_text_of(&record, "match_id");
    enum hub_status status = check_match(fold, &record, id, reterr);
    HASH_FIND_STR(fold->matches, id, match);
    hub_release(id);
    HUB_TRY(status);
    if (match != NULL) {
        HASH_DELETE(hh, fold->matches, match);
        fold_match_free(match);
    }
    match = hub_allocate_zero(1, sizeof *match);
    match->id = copy_text_of(&record, "match_id");
    match->entities[0] = nth_text(&record, "entities", 0);
    match->entities[1] = nth_text(&record, "entities", 1);
    match->open = long_of(&record, "state") == 0;
    match->opened_offset = long_of(&record, "opened_offset");
    match->events = long_of(&record, "events");
    take_evidence(match, &record);
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
        struct fold_entity *entity = statement->entity;
        if (entity == NULL || entity->kind != FOLD_ACTIVE)
            return hub_fail(reterr, HUB_FATAL,
                            "log.%s/%d: statement %s is in force, but no unified record lists it: "
                            "the topics contradict each other", fold->domain->name,
                            fold->partition, statement->key);
        fold->gauges.statements++;
        fold_bucket_index(fold, statement, arena);
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
        fold_conflict_index_span(fold, entity);
        fold_match_index_resemblance(fold, entity, arena);
        hub_arena_reset(arena);
    }
    return HUB_OK;
}

static void bind_conflicts(struct hub_fold *fold) {
    struct fold_conflict *conflict, *next;
    struct fold_match *match, *next_match;
    HASH_ITER(hh, fold->conflicts, conflict, next) {
        fold->gauges.conflicts_open += conflict->open;
        for (size_t i = 0; conflict->open && i < 2 && conflict->entities[i] != NULL; i++) {
            struct fold_entity *entity = fold_entity_find(fold, conflict->entities[i]);
            if (entity != NULL)
                fold_conflict_attach(entity, conflict);
        }
    }
    HASH_ITER(hh, fold->matches, match, next_match) {
        fold->gauges.matches_open += match->open;
        for (size_t i = 0; match->open && i < 2; i++) {
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
    enum hub_status status = bind_statements(fold, &arena, reterr);
    if (status == HUB_OK)
        status = bind_entities(fold, &arena, reterr);
    if (status == HUB_OK)
        bind_conflicts(fold);
    hub_arena_destroy(&arena);
    return status;
}
