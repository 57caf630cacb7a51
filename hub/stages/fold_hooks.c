#include "hub/stages/fold_hooks.h"

#include "hub/core/claims.h"
#include "hub/core/near.h"
#include "hub/stages/fold_state.h"
#include "hub/stages/record.h"
#include "hub/stages/reference.h"
#include "hub/stages/rules_entry.h"

#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <string.h>

struct hub_fold_hooks {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    const struct hub_schema *conflict_schema, *match_schema, *fact_schema;
    struct hub_readers readers;
    struct hub_arena arena; /* of one record */
    struct hub_buffer scratch;
    struct hub_hook *items;
    size_t count, capacity;
};

struct hub_fold_hooks *hub_fold_hooks_new(const struct hub_catalogue *catalogue,
                                          const struct hub_domain *domain) {
    struct hub_fold_hooks *hooks = hub_allocate_zero(1, sizeof *hooks);
    hooks->catalogue = catalogue;
    hooks->domain = domain;
    hooks->conflict_schema = hub_catalogue_latest(catalogue, "conflict");
    hooks->match_schema = hub_catalogue_latest(catalogue, "match");
    hooks->fact_schema = hub_catalogue_latest(catalogue, "fact");
    hooks->scratch.size_max = 64 * 1024 * 1024;
    hub_readers_init(&hooks->readers, catalogue, domain);
    return hooks;
}

void hub_fold_hooks_free(struct hub_fold_hooks *hooks) {
    if (hooks == NULL)
        return;
    hub_readers_free(&hooks->readers);
    hub_arena_destroy(&hooks->arena);
    hub_buffer_free(&hooks->scratch);
    hub_release(hooks->items);
    hub_release(hooks);
}

static struct hub_hook *add(struct hub_fold_hooks *hooks, enum fold_trait trait,
                            struct hub_bytes text) {
    HUB_GROW(hooks->items, hooks->count, hooks->capacity);
    struct hub_hook *hook = &hooks->items[hooks->count++];
    *hook = (struct hub_hook){.hash = hub_hook_hash((uint8_t)trait, text)};
    return hook;
}

/* --- log entries --- */

static bool begins_with(struct hub_bytes key, const char *prefix) {
    size_t size = strlen(prefix);
    return key.size >= size && memcmp(key.data, prefix, size) == 0;
}

/* <system>/<source id> of a statement's key; all of what is none. */
static struct hub_bytes statement_key(struct hub_bytes key) {
    struct hub_bytes institution, rest;
    return hub_bytes_cut(key, '/', &institution, &rest) ? rest : key;
}

uint64_t hub_fold_own_hook(enum hub_fold_topic topic, struct hub_bytes key) {
    static const enum fold_trait traits[] = {[HUB_FOLD_UNIFIED] = FOLD_BY_ENTITY,
                                             [HUB_FOLD_CONFLICT] = FOLD_BY_CONFLICT,
                                             [HUB_FOLD_MATCH] = FOLD_BY_MATCH};
    if (topic != HUB_FOLD_LOG)
        return hub_hook_hash(traits[topic], key);
    if (begins_with(key, HUB_RULES_PREFIX))
        return hub_hook_hash(FOLD_BY_RULES, hub_bytes("", 0));
    if (begins_with(key, HUB_FACT_PREFIX))
        return hub_hook_hash(FOLD_BY_FACT,
                             hub_bytes_part(key, sizeof HUB_FACT_PREFIX - 1, key.size));
    return hub_hook_hash(FOLD_BY_STATEMENT, statement_key(key));
}

static void hook_statement(struct hub_fold_hooks *hooks, const struct hub_opened *opened) {
    const struct hub_domain *domain = hooks->domain;
    struct hub_claim *claims = NULL;
    struct hub_link *links = NULL;
    size_t count = 0;
    hub_claims_read(domain,
                    hub_statement_field(opened->body, opened->starts, HUB_FIELD_IDENTIFIERS),
                    &hooks->arena, &claims, &count);
    for (size_t i = 0; i < count; i++) {
        struct hub_hook *hook = add(hooks, FOLD_BY_IDENTIFIER, claims[i].text);
        hook->is_near = domain->schemes->schemes[claims[i].scheme].pattern != NULL;
        if (hook->is_near)
            hook->near_hash =
                hub_near_hash((const char *)claims[i].text.data + claims[i].group.size);
    }
    count = domain->reference_count == 0
                ? 0
                : hub_links_read(domain, opened->body, opened->starts, &hooks->arena, &links);
    for (size_t i = 0; i < count; i++)
        add(hooks, FOLD_BY_REFERENCE, hub_bytes_of_text(links[i].fact));
}

static enum hub_status hook_entry(struct hub_fold_hooks *hooks, const struct hub_input *entry,
                                  struct hub_error *reterr) {
    struct hub_bytes end;
    struct hub_opened opened;
    struct hub_record fact;
    if (!entry->has_key || !entry->has_value)
        return hub_fail(reterr, HUB_FATAL, "no entry that admit could have written");
    if (begins_with(entry->key, "late/") || fold_decision_is(entry) ||
        hub_remerge_entry_is(entry, &end))
        return HUB_OK; /* what came of it is in the unified records, conflicts and matches */
    add(hooks, FOLD_BY_STATEMENT, entry->key)->hash = hub_fold_own_hook(HUB_FOLD_LOG, entry->key);
    if (hub_rules_entry_is(entry))
        return HUB_OK;
    if (fold_reference_is(entry))
        return hub_record_open(hooks->catalogue, hooks->fact_schema, entry->value, &hooks->scratch,
                               &fact, reterr);
    if (!fold_statement_has_key(entry))
        return hub_fail(reterr, HUB_FATAL, "no statement that admit could have written");
    HUB_TRY(hub_readers_open(&hooks->readers, entry->value, &hooks->arena, &opened, reterr));
    if (!hub_statement_stamp(hooks->domain, opened.body, opened.starts).withdrawn)
        hook_statement(hooks, &opened);
    return HUB_OK;
}

/* --- what was published --- */

static void hook_texts(struct hub_fold_hooks *hooks, const struct hub_record *record,
                       const char *field, enum fold_trait trait) {
    const struct hub_type *array = hub_record_type(record, field);
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, field));
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element))
        add(hooks, trait, hub_slice_octets(element));
}

static void hook_members(struct hub_fold_hooks *hooks, const struct hub_record *record) {
    const struct hub_type *array = hub_record_type(record, "statements");
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, "statements"));
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element)) {
        struct hub_record reference = {.type = array->items, .body = element};
        add(hooks, FOLD_BY_STATEMENT, hub_slice_octets(hub_record_field(&reference, "key")));
    }
}

static enum hub_status hook_unified(struct hub_fold_hooks *hooks, const struct hub_input *unified,
                                    struct hub_error *reterr) {
    struct hub_record record;
    struct hub_bytes value;
    HUB_SCOPED_BUFFER suite = {0};
    HUB_TRY(hub_record_open(hooks->catalogue, hooks->domain->unified, unified->value,
                            &hooks->scratch, &record, reterr));
    add(hooks, FOLD_BY_ENTITY, unified->key);
    if (hub_record_long(&record, "kind") != FOLD_ACTIVE ||
        hub_slice_stated(hub_record_type(&record, "value"), hub_record_field(&record, "value"),
                         &value) == NULL)
        return HUB_OK;
    hook_members(hooks, &record);
    struct fold_keys keys = fold_likeness_keys(hooks->domain, value, &hooks->arena);
    for (size_t i = 0; i < keys.count; i++)
        add(hooks, FOLD_BY_LIKENESS, hub_bytes_of_text(keys.items[i]));
    if (fold_overlap_suite(hooks->domain, value, &suite))
        add(hooks, FOLD_BY_SUITE, hub_buffer_bytes(&suite));
    return HUB_OK;
}

static enum hub_status hook_conflict(struct hub_fold_hooks *hooks,
                                     const struct hub_input *conflict, struct hub_error *reterr) {
    struct hub_record record;
    HUB_TRY(hub_record_open(hooks->catalogue, hooks->conflict_schema, conflict->value,
                            &hooks->scratch, &record, reterr));
    add(hooks, FOLD_BY_CONFLICT, conflict->key);
    hook_texts(hooks, &record, "entities", FOLD_BY_ENTITY);
    return HUB_OK;
}

/* A decision about statements holds them, whatever became of the entities that it was made on. */
static enum hub_status hook_match(struct hub_fold_hooks *hooks, const struct hub_input *match,
                                  struct hub_error *reterr) {
    struct hub_record record, decision;
    HUB_TRY(hub_record_open(hooks->catalogue, hooks->match_schema, match->value, &hooks->scratch,
                            &record, reterr));
    add(hooks, FOLD_BY_MATCH, match->key);
    hook_texts(hooks, &record, "entities", FOLD_BY_ENTITY);
    if (!hub_record_part(&record, "decision", &decision))
        return HUB_OK;
    hook_texts(hooks, &decision, "statements", FOLD_BY_STATEMENT);
    hook_texts(hooks, &decision, "others", FOLD_BY_STATEMENT);
    return HUB_OK;
}

enum hub_status hub_fold_hooks_of(struct hub_fold_hooks *hooks, enum hub_fold_topic topic,
                                  const struct hub_input *record,
                                  const struct hub_hook **ret_hooks, size_t *ret_count,
                                  struct hub_error *reterr) {
    enum hub_status (*const hook[])(struct hub_fold_hooks *, const struct hub_input *,
                                    struct hub_error *) = {
        hook_entry, hook_unified, hook_conflict, hook_match};
    static const char *const names[] = {"log", "unified", "conflict", "match"};
    hooks->count = *ret_count = 0;
    hub_arena_reset(&hooks->arena);
    if (topic != HUB_FOLD_LOG && (!record->has_key || !record->has_value))
        return HUB_OK;
    if (hook[topic](hooks, record, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%s.%s/%d@%lld: damaged", names[topic],
                           hooks->domain->name, record->partition, (long long)record->offset);
    *ret_hooks = hooks->items;
    *ret_count = hooks->count;
    return HUB_OK;
}
