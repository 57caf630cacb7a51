/* Loading a shard from what was published. Nothing is decided again: which statement belongs to
 * which entity, what an entity's id is and which conflicts stand open is read, not found. Records are
 * put away first, and read when somebody comes near them (fold_wake.c). */
#include "hub/stages/fold_state.h"
#include "hub/stages/record.h"
#include "hub/stages/rules_entry.h"

#include "hub/core/identity.h"
#include "schemas/lib/slice.h"

#include <assert.h>
#include <string.h>

/* A record that is well-formed, and that no fold has written. */
static enum hub_status damaged(const struct hub_fold *fold, const char *topic, const char *id,
                               const char *what, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL, "%s.%s/%d: %s %s: damaged", topic, fold->domain->name,
                    fold->partition, id, what);
}

static enum hub_status open_record(const struct hub_fold *fold, const char *topic,
                                   const struct hub_schema *schema, struct hub_bytes message,
                                   struct hub_buffer *scratch, struct hub_record *ret_record,
                                   struct hub_error *reterr) {
    if (hub_record_open(fold->catalogue, schema, message, scratch, ret_record, reterr) == HUB_OK)
        return HUB_OK;
    return hub_fail_at(reterr, HUB_FATAL, "%s.%s/%d: damaged", topic, fold->domain->name,
                       fold->partition);
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
    if (!fold->is_ruled && !hub_record_text_is(record, "rules", fold->domain->rules)) {
        struct hub_bytes rules = hub_slice_octets(hub_record_field(record, "rules"));
        return hub_fail(reterr, HUB_FATAL,
                        "unified.%s/%d was made by the rules %.*s, these are %s, and the log names "
                        "none: rules change by an entry in the log, never by a restart",
                        fold->domain->name, fold->partition, (int)rules.size,
                        (const char *)rules.data, fold->domain->rules);
    }
    return HUB_OK;
}

enum hub_status fold_contradict(const struct hub_fold *fold, const struct fold_entity *entity,
                                const struct fold_statement *statement, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL,
                    "unified.%s/%d: %s lists %s, which the log says is not its: the topics "
                    "contradict each other", fold->domain->name, fold->partition, entity->id,
                    statement->key);
}

/* Its members are bound at once, and asked for. */
static enum hub_status take_members(struct hub_fold *fold, struct fold_entity *entity,
                                    const struct hub_record *record, struct hub_error *reterr) {
    const struct hub_type *array = hub_record_type(record, "statements");
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, "statements"));
    struct hub_bytes element;
    struct fold_statement *members[HUB_CLUSTER_SIZE_MAX];
    size_t count = 0;
    while (hub_slice_next(&elements, &element)) {
        struct hub_record reference = {.type = array->items, .body = element};
        char *key = hub_record_text(&reference, "key");
        struct fold_statement *statement = fold_statement_need(fold, key);
        hub_release(key);
        if (statement == NULL)
            return damaged(fold, "unified", entity->id, "lists what is no statement", reterr);
        if (statement->settled || statement->entity != NULL)
            return fold_contradict(fold, entity, statement, reterr);
        statement->first_offset = hub_record_long(&reference, "first_offset");
        members[count++] = statement;
    }
    fold_entity_set_members(entity, members, count);
    return HUB_OK;
}

static void take_value(struct fold_entity *entity, const struct hub_record *record) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1], parts[HUB_FIELDS_MAX + 1];
    HUB_NOT_ZEROED int numbers[HUB_FIELDS_MAX];
    static const bool unsettled[HUB_FIELDS_MAX];
    struct hub_merged merged = {.starts = starts, .sources = numbers, .settled = unsettled};
    const struct hub_type *value_type = hub_slice_stated(
        hub_record_type(record, "value"), hub_record_field(record, "value"), &merged.value);
    if (value_type == NULL)
        return;
    const struct hub_type *type = hub_record_type(record, "sources");
    struct hub_bytes sources = hub_record_field(record, "sources");
    hub_slice_fields(value_type, merged.value, starts);
    hub_slice_fields(type, sources, parts);
    for (size_t i = 0; i < type->count; i++)
        numbers[i] = (int)hub_slice_long(hub_bytes_part(sources, parts[i], parts[i + 1]));
    fold_entity_set_value(entity, &merged, type->count);
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

/* The entity as its last record leaves it. */
enum hub_status fold_load_entity(struct hub_fold *fold, struct fold_entity *entity,
                                 struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {.size_max = 64 * 1024 * 1024};
    HUB_TRY(open_record(fold, "unified", fold->domain->unified,
                        hub_bytes(entity->record, entity->record_size), &scratch, &record,
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
        HUB_TRY(take_members(fold, entity, &record, reterr));
    entity->record = hub_release(entity->record);
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

enum hub_status fold_load_conflict(struct hub_fold *fold, struct hub_bytes value,
                                   struct fold_conflict **ret_conflict, struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {0};
    HUB_TRY(open_record(fold, "conflict", fold->conflict_schema, value, &scratch, &record, reterr));
    char *id = hub_record_text(&record, "conflict_id");
    enum hub_status status = check_conflict(fold, &record, id, reterr);
    struct fold_conflict *conflict = status == HUB_OK ? fold_conflict_add(fold, id) : NULL;
    hub_release(id);
    if (status != HUB_OK)
        return status;
    for (size_t i = 0; i < 2; i++)
        conflict->entities[i] = hub_record_nth_text(&record, "entities", i);
    conflict->field = hub_record_text(&record, "field");
    conflict->kind = (enum hub_conflict_kind)hub_record_long(&record, "kind");
    conflict->severity = (enum hub_severity)hub_record_long(&record, "severity");
    conflict->open = hub_record_long(&record, "state") == 0;
    conflict->opened_offset = hub_record_long(&record, "opened_offset");
    conflict->events = hub_record_long(&record, "events");
    struct hub_bytes values = hub_record_field(&record, "values");
    bool stand = hub_record_count(&record, "values") > 0;
    conflict->values = stand ? hub_copy_bytes(values.data, values.size) : NULL;
    conflict->values_size = stand ? values.size : 0;
    struct hub_bytes owners = hub_record_field(&record, "owners");
    conflict->owners = hub_copy_bytes(owners.data, owners.size);
    conflict->owners_size = owners.size;
    conflict->decision = fold_decision_load(&record, "decision");
    conflict->proposal = fold_decision_load(&record, "proposal");
    *ret_conflict = conflict;
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

enum hub_status fold_load_match(struct hub_fold *fold, struct hub_bytes value,
                                struct fold_match **ret_match, struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {0};
    HUB_TRY(open_record(fold, "match", fold->match_schema, value, &scratch, &record, reterr));
    char *id = hub_record_text(&record, "match_id");
    enum hub_status status = check_match(fold, &record, id, reterr);
    if (status != HUB_OK) {
        hub_release(id);
        return status;
    }
    struct fold_match *match = hub_allocate_zero(1, sizeof *match);
    match->id = id;
    match->entities[0] = hub_record_nth_text(&record, "entities", 0);
    match->entities[1] = hub_record_nth_text(&record, "entities", 1);
    match->open = hub_record_long(&record, "state") == 0;
    match->opened_offset = hub_record_long(&record, "opened_offset");
    match->events = hub_record_long(&record, "events");
    take_evidence(match, &record);
    match->decision = fold_decision_load(&record, "decision");
    match->proposal = fold_decision_load(&record, "proposal");
    HASH_ADD_KEYPTR(hh, fold->matches, match->id, strlen(match->id), match);
    *ret_match = match;
    return HUB_OK;
}

/* --- putting away --- */

static void clear_shelves(struct hub_fold *fold) {
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++)
        fold->shelves[topic] = hub_shelf_new(topic, hub_fold_headers[topic]);
}

static void free_stale(struct hub_fold *fold) {
    for (size_t i = 0; i < fold->stale_count; i++)
        hub_release(fold->stale[i]);
    fold->stale = hub_release(fold->stale);
    fold->stale_count = fold->stale_capacity = 0;
}

void fold_load_init(struct hub_fold *fold) {
    clear_shelves(fold);
    /* Conflicts and matches are of two entities, and looked at when either wakes. */
    fold->given.topics = 1U << HUB_FOLD_UNIFIED;
}

void fold_load_clear(struct hub_fold *fold) {
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++)
        hub_shelf_free(fold->shelves[topic]);
    clear_shelves(fold);
    hub_hook_set_free(&fold->asked);
    hub_hook_set_free(&fold->given.records);
}

void fold_load_free(struct hub_fold *fold) {
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++) {
        hub_shelf_free(fold->shelves[topic]);
        hub_hooks_free(&fold->loading[topic]);
    }
    hub_hook_set_free(&fold->asked);
    hub_hook_set_free(&fold->given.records);
    free_stale(fold);
}

static void sieve_hooks(struct hub_fold *fold, const struct hub_hooks *hooks) {
    for (size_t i = 0; i < hooks->count; i++)
        if (hooks->items[i].is_near)
            fold_sieve_note(&fold->sieve, hooks->items[i].near_hash);
}

static enum hub_status put(struct hub_fold *fold, unsigned topic, const struct hub_input *record,
                           struct hub_error *reterr) {
    struct hub_hooks *hooks = &fold->loading[topic];
    bool stale = false;
    if (hub_fold_hooks_of(fold->catalogue, fold->domain->rules, (enum hub_fold_topic)topic, record,
                          hooks, &stale, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "match.%s/%d@%lld", fold->domain->name,
                           record->partition, (long long)record->offset);
    if (hooks->count == 0)
        return HUB_OK;
    hub_shelf_put(fold->shelves[topic], record, hooks->items, hooks->count);
    sieve_hooks(fold, hooks);
    if (!stale)
        return HUB_OK;
    HUB_GROW(fold->stale, fold->stale_count, fold->stale_capacity);
    fold->stale[fold->stale_count++] = hub_copy_bytes(record->key.data, record->key.size);
    return HUB_OK;
}

static enum hub_status put_again(void *context, unsigned topic, const struct hub_input *record,
                                 struct hub_error *reterr) {
    return put(context, topic, record, reterr);
}

enum hub_status hub_fold_load(struct hub_fold *fold, enum hub_fold_topic topic,
                              const struct hub_input *record, struct hub_error *reterr) {
    bool lacks = !record->has_key || (!record->has_value && fold_entry_is_state(record));
    if (topic == HUB_FOLD_LOG && lacks)
        return hub_fail(reterr, HUB_FATAL,
                        "log.%s/%d@%lld: no entry that admit could have written",
                        fold->domain->name, record->partition, (long long)record->offset);
    if (topic == HUB_FOLD_LOG && hub_rules_entry_is(record)) {
        fold_rules_remember(fold, record);
        return HUB_OK;
    }
    return put(fold, topic, record, reterr);
}

void hub_fold_topic_loaded(struct hub_fold *fold, enum hub_fold_topic topic) {
    hub_shelf_sort(fold->shelves[topic]);
}

void hub_fold_load_near(struct hub_fold *fold, const uint64_t *hashes, size_t count) {
    for (size_t i = 0; i < count; i++)
        fold_sieve_note(&fold->sieve, hashes[i]);
}

void hub_fold_set_store(struct hub_fold *fold, const struct hub_store *store) {
    fold->store = store;
}

/* --- once all is there --- */

static enum hub_status remember_rules(void *context, unsigned topic,
                                      const struct hub_input *record, struct hub_error *reterr) {
    (void)topic;
    (void)reterr;
    fold_rules_remember(context, record);
    return HUB_OK;
}

/* Hooks are of the rules in force, which may be others than those that records were put away by. What
 * was put away once can be again: rules do not say what is damaged. */
static void shelve_again(struct hub_fold *fold) {
    struct hub_shelf *before[HUB_FOLD_TOPICS];
    struct hub_error error;
    memcpy(before, fold->shelves, sizeof before);
    clear_shelves(fold);
    free_stale(fold);
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++) {
        enum hub_status status = hub_shelf_each(before[topic], put_again, fold, &error);
        assert(status == HUB_OK);
        hub_shelf_free(before[topic]);
    }
}

static enum hub_status hook_entry(void *context, unsigned topic, const struct hub_input *record,
                                  struct hub_error *reterr) {
    struct hub_fold *fold = context;
    return topic == HUB_FOLD_LOG ? fold_hooks_of_statement(fold, record, &fold->hooks, reterr)
                                 : HUB_OK;
}

static enum hub_status hook_by_hand(struct hub_fold *fold, struct hub_bytes key,
                                    struct hub_error *reterr) {
    uint64_t own = hub_fold_own_hook(HUB_FOLD_UNIFIED, key);
    struct hub_shelf *shelf = fold->shelves[HUB_FOLD_UNIFIED];
    struct hub_bytes unified = hub_shelf_value(shelf, own, key);
    size_t statements = 0;
    fold->hooks.count = 0;
    HUB_TRY(fold_hooks_of_unified(fold, unified, &fold->hooks, &statements, reterr));
    for (size_t i = 0; i < statements; i++) {
        uint64_t hook = fold->hooks.items[i].hash;
        HUB_TRY(hub_shelf_find(fold->shelves[HUB_FOLD_LOG], hook, hook_entry, fold, reterr));
        if (fold->store != NULL)
            HUB_TRY(fold->store->find(fold->store->context, hook, /* given= */ NULL, hook_entry,
                                      fold, reterr));
    }
    hub_shelf_hook(shelf, own, key, fold->hooks.items, fold->hooks.count);
    sieve_hooks(fold, &fold->hooks);
    return HUB_OK;
}

static enum hub_status hook_all_by_hand(struct hub_fold *fold, struct hub_error *reterr) {
    for (size_t i = 0; i < fold->stale_count; i++) {
        const char *key = fold->stale[i];
        enum hub_status status = hook_by_hand(fold, hub_bytes_of_text(key), reterr);
        if (status == HUB_RETRY) /* the store says so: nothing is damaged */
            return HUB_RETRY;
        if (status != HUB_OK)
            return hub_fail_at(reterr, HUB_FATAL, "unified.%s/%d: %s: damaged", fold->domain->name,
                               fold->partition, key);
    }
    return HUB_OK;
}

static bool has_loaded(const struct hub_fold *fold) {
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++)
        if (!hub_shelf_is_empty(fold->shelves[topic]))
            return true;
    return false;
}

enum hub_status hub_fold_loaded(struct hub_fold *fold, struct hub_error *reterr) {
    const struct hub_domain *before = fold->domain; /* the catalogue's */
    if (fold->store != NULL)
        HUB_TRY(fold->store->find(fold->store->context,
                                  hub_fold_own_hook(HUB_FOLD_LOG,
                                                    hub_bytes_of_text(HUB_RULES_PREFIX)),
                                  /* given= */ NULL, remember_rules, fold, reterr));
    fold->is_ruled = fold->ruling_count > 0;
    HUB_TRY(fold_rules_loaded(fold, reterr));
    if (strcmp(fold->domain->rules, before->rules) != 0)
        shelve_again(fold);
    for (unsigned topic = 0; topic < HUB_FOLD_TOPICS; topic++)
        hub_shelf_sort(fold->shelves[topic]);
    HUB_TRY(hook_all_by_hand(fold, reterr));
    free_stale(fold);
    fold_sieve_build(&fold->sieve);
    fold->has_dormant = fold->store != NULL || has_loaded(fold);
    return HUB_OK;
}
