#include "hub/stages/fold_hooks.h"

#include "hub/core/claims.h"
#include "hub/core/near.h"
#include "hub/stages/erasure_entry.h"
#include "hub/stages/fold_state.h"
#include "hub/stages/record.h"
#include "hub/stages/reference.h"
#include "hub/stages/rules_entry.h"

#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <string.h>

enum { FEW = 32, HASH_SIZE = 8, PREFIX_SIZE = HUB_RULES_HASH_SIZE + 2 };

const char *const hub_fold_headers[HUB_FOLD_TOPICS] = {
    [HUB_FOLD_LOG] = "hub_replaced_status", [HUB_FOLD_UNIFIED] = HUB_FOLD_HOOKS_HEADER};

void hub_hooks_free(struct hub_hooks *hooks) {
    hub_release(hooks->items);
    *hooks = (struct hub_hooks){0};
}

static void add_hook(struct hub_hooks *hooks, struct hub_hook hook) {
    HUB_GROW(hooks->items, hooks->count, hooks->capacity);
    hooks->items[hooks->count++] = hook;
}

static void add_hash(struct hub_hooks *hooks, uint64_t hash) {
    add_hook(hooks, (struct hub_hook){.hash = hash});
}

static void add(struct hub_hooks *hooks, enum fold_trait trait, struct hub_bytes text) {
    add_hash(hooks, hub_hook_hash((uint8_t)trait, text));
}

/* --- of a key --- */

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
        return hub_hook_hash((uint8_t)traits[topic], key);
    if (begins_with(key, HUB_RULES_PREFIX))
        return hub_hook_hash(FOLD_BY_RULES, hub_bytes("", 0));
    if (begins_with(key, HUB_FACT_PREFIX))
        return hub_hook_hash(FOLD_BY_FACT,
                             hub_bytes_part(key, sizeof HUB_FACT_PREFIX - 1, key.size));
    return hub_hook_hash(FOLD_BY_STATEMENT, statement_key(key));
}

/* Of entries of the log; what comes of the others is in the unified records, conflicts and matches. */
bool fold_entry_is_state(const struct hub_input *entry) {
    struct hub_bytes end;
    return !begins_with(entry->key, "late/") && !fold_decision_is(entry) &&
           !begins_with(entry->key, HUB_ERASURE_PREFIX) &&
           !hub_remerge_entry_is(entry, &end);
}

/* --- the header --- */

static uint64_t read_hash(struct hub_bytes bytes, size_t at) {
    uint64_t hash = 0;
    for (size_t i = HASH_SIZE; i > 0; i--)
        hash = hash << 8 | bytes.data[at + i - 1];
    return hash;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "hashes are written as they lie in memory");

static uint8_t *put_hash(uint8_t *at, uint64_t hash) {
    memcpy(at, &hash, HASH_SIZE);
    return at + HASH_SIZE;
}

/* False where it is not of these rules, or no such header. */
static bool read_header(struct hub_bytes header, const char *rules, struct hub_hooks *hooks) {
    if (header.size < PREFIX_SIZE || memcmp(header.data, rules, HUB_RULES_HASH_SIZE) != 0)
        return false;
    size_t pairs = header.data[PREFIX_SIZE - 2] | (size_t)header.data[PREFIX_SIZE - 1] << 8;
    size_t hooks_from = PREFIX_SIZE + 2 * HASH_SIZE * pairs;
    if (hooks_from > header.size || (header.size - hooks_from) % HASH_SIZE != 0)
        return false;
    for (size_t i = 0; i < pairs; i++) {
        size_t at = PREFIX_SIZE + 2 * HASH_SIZE * i;
        add_hook(hooks, (struct hub_hook){.hash = read_hash(header, at),
                                          .is_near = true,
                                          .near_hash = read_hash(header, at + HASH_SIZE)});
    }
    for (size_t at = hooks_from; at < header.size; at += HASH_SIZE)
        add_hash(hooks, read_hash(header, at));
    return true;
}

static int compare_hooks(const void *a, const void *b) {
    const struct hub_hook *x = a, *y = b;
    if (x->is_near != y->is_near)
        return x->is_near ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->near_hash > y->near_hash) - (x->near_hash < y->near_hash);
}

/* Few: put in where they belong. */
static void sort_few(struct hub_hook *items, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct hub_hook hook = items[i];
        size_t at = i;
        for (; at > 0 && compare_hooks(&items[at - 1], &hook) > 0; at--)
            items[at] = items[at - 1];
        items[at] = hook;
    }
}

static void sort(struct hub_hooks *hooks) {
    size_t kept = 0;
    if (hooks->count <= FEW)
        sort_few(hooks->items, hooks->count);
    else
        qsort(hooks->items, hooks->count, sizeof *hooks->items, compare_hooks);
    for (size_t i = 0; i < hooks->count; i++)
        if (i == 0 || compare_hooks(&hooks->items[i], &hooks->items[kept - 1]) != 0)
            hooks->items[kept++] = hooks->items[i];
    hooks->count = kept;
}

struct hub_hook fold_hook_of_identifier(const struct hub_domain *domain, int scheme,
                                        struct hub_bytes text, size_t group_size) {
    struct hub_hook hook = {.hash = hub_hook_hash(FOLD_BY_IDENTIFIER, text),
                            .is_near = domain->schemes->schemes[scheme].pattern != NULL};
    if (hook.is_near)
        hook.near_hash = hub_near_hash((const char *)text.data + group_size);
    return hook;
}

static void add_statement(const struct fold_statement *statement, struct hub_hooks *hooks) {
    add_hash(hooks, statement->hook);
    for (size_t i = 0; i < statement->claim_count + statement->doubt_count; i++)
        add_hook(hooks, statement->claims[i]->hook);
    for (size_t i = 0; i < statement->fact_count; i++)
        add(hooks, FOLD_BY_REFERENCE, hub_bytes_of_text(statement->facts[i]->key));
}

static void add_entity(const struct fold_entity *entity, struct hub_hooks *hooks) {
    for (size_t i = 0; i < entity->member_count; i++)
        add_statement(entity->members[i], hooks);
    for (size_t i = 0; i < entity->resemblance_count; i++)
        add_hash(hooks, entity->resemblances[i]->hook);
    if (entity->exclusive_key != NULL)
        add(hooks, FOLD_BY_SUITE, hub_bytes_of_text(entity->exclusive_key));
}

struct hub_bytes fold_hooks_header(struct hub_fold *fold, const struct fold_entity *entity,
                                   struct hub_arena *arena) {
    struct hub_hooks *hooks = &fold->hooks;
    size_t pairs = 0;
    hooks->count = 0;
    add_entity(entity, hooks);
    sort(hooks);
    while (pairs < hooks->count && hooks->items[pairs].is_near)
        pairs++;
    uint8_t *header = hub_arena_take(arena, PREFIX_SIZE + (hooks->count + pairs) * HASH_SIZE);
    memcpy(header, fold->domain->rules, HUB_RULES_HASH_SIZE);
    header[PREFIX_SIZE - 2] = (uint8_t)pairs;
    header[PREFIX_SIZE - 1] = (uint8_t)(pairs >> 8);
    uint8_t *at = header + PREFIX_SIZE;
    for (size_t i = 0; i < hooks->count; i++) {
        at = put_hash(at, hooks->items[i].hash);
        if (i < pairs)
            at = put_hash(at, hooks->items[i].near_hash);
    }
    return hub_bytes(header, (size_t)(at - header));
}

enum hub_status hub_fold_hooks_of_entity(struct hub_fold *fold, struct hub_bytes id,
                                         struct hub_hooks *hooks, struct hub_error *reterr) {
    struct fold_entity *entity = NULL;
    hooks->count = 0;
    add(hooks, FOLD_BY_ENTITY, id);
    fold_wake(fold, FOLD_BY_ENTITY, id);
    HASH_FIND(hh, fold->entities, id.data, id.size, entity);
    HUB_TRY(hub_fold_failure(fold, reterr));
    if (entity != NULL)
        add_entity(entity, hooks);
    return HUB_OK;
}

/* --- of a record --- */

/* <entity>/<field>, or <entity>+<entity>/<field> */
static void add_entities(struct hub_hooks *hooks, struct hub_bytes key) {
    struct hub_bytes entities, rest, first;
    if (!hub_bytes_cut(key, '/', &entities, &rest))
        entities = key;
    if (hub_bytes_cut(entities, '+', &first, &rest)) {
        add(hooks, FOLD_BY_ENTITY, first);
        entities = rest;
    }
    add(hooks, FOLD_BY_ENTITY, entities);
}

static void add_texts(struct hub_hooks *hooks, const struct hub_record *record, const char *field,
                      enum fold_trait trait) {
    const struct hub_type *array = hub_record_type(record, field);
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(record, field));
    struct hub_bytes element;
    while (hub_slice_next(&elements, &element))
        add(hooks, trait, hub_slice_octets(element));
}

/* A decision about statements holds them, whatever became of the entities that it was made on. */
static enum hub_status add_match(const struct hub_catalogue *catalogue,
                                 const struct hub_input *match, struct hub_hooks *hooks,
                                 struct hub_error *reterr) {
    const struct hub_schema *schema = hub_catalogue_latest(catalogue, "match");
    struct hub_record record, decision;
    HUB_SCOPED_BUFFER scratch = {0};
    HUB_TRY(hub_record_open(catalogue, schema, match->value, &scratch, &record, reterr));
    add_texts(hooks, &record, "entities", FOLD_BY_ENTITY);
    if (!hub_record_part(&record, "decision", &decision))
        return HUB_OK;
    add_texts(hooks, &decision, "statements", FOLD_BY_STATEMENT);
    add_texts(hooks, &decision, "others", FOLD_BY_STATEMENT);
    return HUB_OK;
}

enum hub_status hub_fold_hooks_of(const struct hub_catalogue *catalogue, const char *rules,
                                  enum hub_fold_topic topic, const struct hub_input *record,
                                  struct hub_hooks *hooks, bool *ret_stale,
                                  struct hub_error *reterr) {
    hooks->count = 0;
    *ret_stale = false;
    if (!record->has_key || !record->has_value || (topic == HUB_FOLD_LOG && !fold_entry_is_state(record)))
        return HUB_OK;
    add_hash(hooks, hub_fold_own_hook(topic, record->key));
    if (topic == HUB_FOLD_UNIFIED)
        *ret_stale =
            !read_header(hub_input_header(record, HUB_FOLD_HOOKS_HEADER), rules, hooks);
    if (topic == HUB_FOLD_CONFLICT)
        add_entities(hooks, record->key);
    if (topic == HUB_FOLD_MATCH && add_match(catalogue, record, hooks, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "a match is damaged");
    return HUB_OK;
}

/* --- by hand, where the rules have changed since --- */

static void add_claims(const struct hub_domain *domain, const struct hub_opened *opened,
                       struct hub_arena *arena, struct hub_hooks *hooks) {
    struct hub_claim *claims = NULL;
    struct hub_link *links = NULL;
    size_t count = 0;
    hub_claims_read(domain,
                    hub_statement_field(opened->body, opened->starts, HUB_FIELD_IDENTIFIERS), arena,
                    &claims, &count);
    for (size_t i = 0; i < count; i++)
        add_hook(hooks, fold_hook_of_identifier(domain, claims[i].scheme, claims[i].text,
                                                claims[i].group.size));
    count = domain->reference_count == 0
                ? 0
                : hub_links_read(domain, opened->body, opened->starts, arena, &links);
    for (size_t i = 0; i < count; i++)
        add(hooks, FOLD_BY_REFERENCE, hub_bytes_of_text(links[i].fact));
}

enum hub_status fold_hooks_of_statement(struct hub_fold *fold, const struct hub_input *entry,
                                        struct hub_hooks *hooks, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_opened opened;
    enum hub_status status =
        hub_readers_open(&fold->readers, entry->value, &arena, &opened, reterr);
    if (status == HUB_OK &&
        !hub_statement_stamp(fold->domain, opened.body, opened.starts).withdrawn)
        add_claims(fold->domain, &opened, &arena, hooks);
    hub_arena_destroy(&arena);
    return status;
}

enum hub_status fold_hooks_of_unified(struct hub_fold *fold, struct hub_bytes unified,
                                      struct hub_hooks *hooks, size_t *ret_statements,
                                      struct hub_error *reterr) {
    struct hub_record record;
    struct hub_bytes value, element;
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER suite = {0}, scratch = {.size_max = 64 * 1024 * 1024};
    *ret_statements = 0;
    HUB_TRY(hub_record_open(fold->catalogue, fold->domain->unified, unified, &scratch, &record,
                            reterr));
    if (hub_record_long(&record, "kind") != FOLD_ACTIVE ||
        hub_slice_stated(hub_record_type(&record, "value"), hub_record_field(&record, "value"),
                         &value) == NULL)
        return HUB_OK;
    const struct hub_type *array = hub_record_type(&record, "statements");
    struct hub_elements elements =
        hub_slice_elements(array, hub_record_field(&record, "statements"));
    while (hub_slice_next(&elements, &element)) {
        struct hub_record reference = {.type = array->items, .body = element};
        add(hooks, FOLD_BY_STATEMENT, hub_slice_octets(hub_record_field(&reference, "key")));
        ++*ret_statements;
    }
    const struct hub_type *root = fold->domain->schema->root;
    uint32_t *starts = hub_arena_take(&arena, (root->count + 1) * sizeof *starts);
    hub_slice_fields(root, value, starts);
    struct fold_keys keys = fold_likeness_keys(fold->domain, value, starts, &arena);
    for (size_t i = 0; i < keys.count; i++)
        add(hooks, FOLD_BY_LIKENESS, hub_bytes_of_text(keys.items[i]));
    if (fold_overlap_suite(fold->domain, value, &suite))
        add(hooks, FOLD_BY_SUITE, hub_buffer_bytes(&suite));
    hub_arena_destroy(&arena);
    return HUB_OK;
}
