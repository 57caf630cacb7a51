/* References: what the statements of an entity link to, beside what is known of it. */
#include "hub/stages/fold_state.h"

#include "hub/stages/record.h"
#include "hub/stages/reference.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <string.h>

void fold_fact_free(struct fold_fact *fact) {
    hub_release(fact->key);
    hub_release(fact->body);
    hub_release(fact->statements);
    hub_release(fact);
}

static struct fold_fact *need_fact(struct hub_fold *fold, struct hub_bytes key) {
    struct fold_fact *fact = NULL;
    fold_wake(fold, FOLD_BY_FACT, key);
    HASH_FIND(hh, fold->facts, key.data, key.size, fact);
    if (fact != NULL)
        return fact;
    fact = hub_allocate_zero(1, sizeof *fact);
    fact->key = hub_copy_bytes(key.data, key.size);
    HASH_ADD_KEYPTR(hh, fold->facts, fact->key, key.size, fact);
    return fact;
}

/* --- who refers to what --- */

static void strike(struct fold_fact *fact, const struct fold_statement *statement) {
    size_t at = 0;
    while (fact->statements[at] != statement)
        at++;
    fact->statements[at] = fact->statements[--fact->count];
}

static size_t links_of(const struct hub_fold *fold, const struct fold_statement *statement,
                       struct hub_arena *arena, struct hub_link **ret_links) {
    const struct fold_copy *speaker = fold_statement_speaker(statement);
    return hub_links_read(fold->domain, hub_bytes(speaker->body, speaker->body_size),
                          speaker->starts, arena, ret_links);
}

void fold_reference_index(struct hub_fold *fold, struct fold_statement *statement,
                          struct hub_arena *arena) {
    struct hub_link *links = NULL;
    for (size_t i = 0; i < statement->fact_count; i++)
        strike(statement->facts[i], statement);
    statement->facts = hub_release(statement->facts);
    statement->fact_count = 0;
    if (!statement->in_force || fold->domain->reference_count == 0)
        return;
    size_t count = links_of(fold, statement, arena, &links);
    statement->facts = hub_allocate_zero(count, sizeof(struct fold_fact *));
    for (size_t i = 0; i < count; i++) {
        struct fold_fact *fact = need_fact(fold, hub_bytes_of_text(links[i].fact));
        HUB_GROW(fact->statements, fact->count, fact->capacity);
        fact->statements[fact->count++] = statement;
        statement->facts[statement->fact_count++] = fact;
    }
}

/* --- the entries --- */

bool fold_reference_is(const struct hub_input *entry) {
    size_t size = sizeof HUB_FACT_PREFIX - 1;
    return entry->has_key && entry->key.size >= size &&
           memcmp(entry->key.data, HUB_FACT_PREFIX, size) == 0;
}

static struct hub_bytes key_of(const struct hub_input *entry) {
    return hub_bytes_part(entry->key, sizeof HUB_FACT_PREFIX - 1, entry->key.size);
}

struct fold_fact *fold_fact_find(const struct hub_fold *fold, const struct hub_input *entry) {
    struct fold_fact *fact = NULL;
    struct hub_bytes key = key_of(entry);
    HASH_FIND(hh, fold->facts, key.data, key.size, fact);
    return fact;
}

enum hub_status fold_reference_take(struct hub_fold *fold, const struct hub_input *entry,
                                    struct fold_fact **ret_fact, struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {0};
    if (hub_record_open(fold->catalogue, fold->fact_schema, entry->value, &scratch, &record,
                        reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "log.%s/%d@%lld: damaged", fold->domain->name,
                           entry->partition, (long long)entry->offset);
    struct fold_fact *fact = need_fact(fold, key_of(entry));
    hub_release(fact->body);
    fact->body = hub_copy_bytes(record.body.data, record.body.size);
    fact->body_size = record.body.size;
    *ret_fact = fact;
    return HUB_OK;
}

void fold_reference_touch(struct fold_step *step, const struct fold_fact *fact) {
    fold_wake(step->fold, FOLD_BY_REFERENCE, hub_bytes_of_text(fact->key));
    for (size_t i = 0; i < fact->count; i++)
        fold_change_of(step, fact->statements[i]->entity)->refer = true;
}

/* --- breaches --- */

static bool is_refused(const struct hub_reference *reference, struct hub_bytes symbol) {
    for (size_t i = 0; reference->refused[i] != NULL; i++)
        if (hub_bytes_equal_text(symbol, reference->refused[i]))
            return true;
    return false;
}

/* The state that the reference refuses; false for none. */
static bool find_refused(const struct hub_reference *reference, const struct hub_record *fact,
                         struct hub_bytes *ret_symbol) {
    const struct hub_type *array = hub_record_type(fact, "states");
    struct hub_elements elements = hub_slice_elements(array, hub_record_field(fact, "states"));
    struct hub_bytes element;
    while (reference->field != NULL && hub_slice_next(&elements, &element)) {
        struct hub_record state = {.type = array->items, .body = element};
        *ret_symbol = hub_slice_octets(hub_record_field(&state, "value"));
        if (hub_record_text_is(&state, "field", reference->field) &&
            is_refused(reference, *ret_symbol))
            return true;
    }
    return false;
}

/* The first reference that the fact breaks, and how, as JSON in the arena; NULL for none. Of what
 * nobody has looked up yet nothing can be said. */
static const struct hub_reference *find_breach(struct fold_step *step, const struct hub_link *link,
                                               const char **ret_text) {
    const struct hub_domain *domain = step->fold->domain;
    const struct fold_fact *fact = need_fact(step->fold, hub_bytes_of_text(link->fact));
    if (fact->body == NULL)
        return NULL;
    struct hub_record record = {.type = step->fold->fact_schema->root,
                                .body = hub_bytes(fact->body, fact->body_size)};
    bool known = hub_record_count(&record, "entities") > 0;
    HUB_SCOPED_BUFFER entities = {0};
    hub_render_json(hub_record_type(&record, "entities"), hub_record_field(&record, "entities"),
                    &entities);
    for (size_t i = 0; i < domain->reference_count; i++) {
        const struct hub_reference *reference = &domain->references[i];
        struct hub_bytes symbol;
        if (!hub_reference_means(reference, link))
            continue;
        if (!known) {
            *ret_text = "{\"known\":false}";
            return reference;
        }
        if (find_refused(reference, &record, &symbol)) {
            *ret_text = hub_arena_format(step->arena, "{\"entities\":%s,\"%s\":\"%.*s\"}",
                                         hub_buffer_text(&entities), reference->field,
                                         (int)symbol.size, (const char *)symbol.data);
            return reference;
        }
    }
    return NULL;
}

/* One link of one of the entity's statements. */
struct mention {
    const char *path;
    const struct fold_statement *statement;
    struct hub_link link;
};

static int compare_mentions(const void *a, const void *b) {
    const struct mention *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order != 0 ? order : fold_statement_compare(&x->statement, &y->statement);
}

static size_t list_mentions(struct fold_step *step, const struct fold_entity *entity,
                            struct mention **ret_mentions) {
    size_t count = 0, filled = 0;
    for (size_t i = 0; i < entity->member_count; i++)
        count += entity->members[i]->fact_count;
    if (count == 0) /* the common case */
        return 0;
    struct mention *mentions = hub_arena_take(step->arena, (count + 1) * sizeof *mentions);
    for (size_t i = 0; i < entity->member_count; i++) {
        struct hub_link *links = NULL;
        size_t own = links_of(step->fold, entity->members[i], step->arena, &links);
        for (size_t k = 0; k < own; k++)
            mentions[filled++] = (struct mention){
                hub_arena_format(step->arena, "links[%.*s %s]", (int)links[k].role.size,
                                 (const char *)links[k].role.data, links[k].fact),
                entity->members[i], links[k]};
    }
    qsort(mentions, count, sizeof *mentions, compare_mentions);
    *ret_mentions = mentions;
    return count;
}

static void hold_breach(struct fold_step *step, const struct fold_entity *entity,
                        const struct hub_reference *reference, const struct mention *mentions,
                        size_t count, const char *text) {
    const struct hub_domain *domain = step->fold->domain;
    const struct hub_type *links = domain->contract.fields[HUB_FIELD_LINKS].field->type;
    const char *last = NULL;
    size_t statements = 0;
    HUB_SCOPED_BUFFER values = {0};
    HUB_SCOPED_BUFFER link = {0};
    struct fold_finding finding = {
        .id = hub_arena_format(step->arena, "%s/%s", entity->id, mentions[0].path),
        .kind = HUB_CONFLICT_REFERENCE,
        .entities = {entity->id, NULL},
        .field = mentions[0].path,
        .severity = reference->severity,
        .owners = fold_owners_new(step)};
    hub_render_json(links->items, mentions[0].link.element, &link);
    for (size_t i = 0; i < count; i++) {
        statements += i == 0 || mentions[i].statement != mentions[i - 1].statement;
        fold_owners_add_speakers(&finding.owners, mentions[i].statement);
    }
    hub_encode_array_begin(&values, 2);
    hub_encode_octets(&values, hub_buffer_bytes(&link));
    hub_encode_array_begin(&values, statements);
    for (size_t i = 0; i < count; last = mentions[i++].statement->key)
        if (last != mentions[i].statement->key)
            hub_encode_text(&values, mentions[i].statement->key);
    hub_encode_array_end(&values);
    hub_buffer_append_byte(&values, true);
    hub_encode_text(&values, text);
    hub_encode_array_end(&values);
    hub_buffer_append_byte(&values, false);
    hub_encode_array_end(&values);
    fold_conflict_hold(step, &finding, &values);
}

void fold_reference_find(struct fold_step *step, struct fold_change *change) {
    const struct fold_entity *entity = change->entity;
    struct mention *mentions = NULL;
    if (entity->kind == FOLD_ACTIVE && !change->remerge && !change->refer)
        return;
    size_t count = entity->kind == FOLD_ACTIVE ? list_mentions(step, entity, &mentions) : 0;
    for (size_t from = 0, to = 0; from < count; from = to) {
        const char *text = NULL;
        for (to = from; to < count && strcmp(mentions[from].path, mentions[to].path) == 0;)
            to++;
        const struct hub_reference *reference = find_breach(step, &mentions[from].link, &text);
        if (reference != NULL)
            hold_breach(step, entity, reference, mentions + from, to - from, text);
    }
    fold_conflict_resolve_unseen(step, change->entity, FOLD_CONFLICTS_OF_REFERENCES);
}
