#include "hub/stages/facts.h"

#include "hub/base/table.h"
#include "hub/stages/record.h"
#include "hub/stages/reference.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"

#include <stdlib.h>
#include <string.h>

/* An ACTIVE entity: what it is known by, and for each field that is asked for its symbol. */
struct entity {
    UT_hash_handle hh;
    char *id;
    char **names;
    size_t name_count;
    const char **states; /* by field; NULL where it is not stated */
};

struct name {
    UT_hash_handle hh;
    char *text;
    struct entity **entities; /* by id */
    size_t count, capacity;
};

struct hub_facts {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    const struct hub_schema *schema;
    const char **fields; /* that are asked for, sorted, each once */
    size_t field_count;
    struct entity *entities;
    struct name *names;
};

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_fields(struct hub_facts *facts) {
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < facts->catalogue->domain_count; i++)
        count += facts->catalogue->domains[i].reference_count;
    facts->fields = hub_allocate_zero(count + 1, sizeof *facts->fields);
    for (size_t i = 0; i < facts->catalogue->domain_count; i++) {
        const struct hub_domain *domain = &facts->catalogue->domains[i];
        for (size_t k = 0; k < domain->reference_count; k++) {
            const struct hub_reference *reference = &domain->references[k];
            if (reference->field != NULL &&
                strcmp(reference->domain, facts->domain->name) == 0)
                facts->fields[facts->field_count++] = reference->field;
        }
    }
    qsort(facts->fields, facts->field_count, sizeof *facts->fields, compare_texts);
    for (size_t i = 0; i < facts->field_count; i++)
        if (kept == 0 || strcmp(facts->fields[kept - 1], facts->fields[i]) != 0)
            facts->fields[kept++] = facts->fields[i];
    facts->field_count = kept;
}

struct hub_facts *hub_facts_new(const struct hub_catalogue *catalogue,
                                const struct hub_domain *domain) {
    struct hub_facts *facts = hub_allocate_zero(1, sizeof *facts);
    facts->catalogue = catalogue;
    facts->domain = domain;
    facts->schema = hub_catalogue_latest(catalogue, "fact");
    list_fields(facts);
    return facts;
}

static void free_names(struct entity *entity) {
    for (size_t i = 0; i < entity->name_count; i++)
        hub_release(entity->names[i]);
    entity->names = hub_release(entity->names);
    entity->name_count = 0;
}

void hub_facts_free(struct hub_facts *facts) {
    struct entity *entity, *next_entity;
    struct name *name, *next_name;
    if (facts == NULL)
        return;
    HASH_ITER(hh, facts->entities, entity, next_entity) {
        HASH_DELETE(hh, facts->entities, entity);
        free_names(entity);
        hub_release(entity->id);
        hub_release(entity->states);
        hub_release(entity);
    }
    HASH_ITER(hh, facts->names, name, next_name) {
        HASH_DELETE(hh, facts->names, name);
        hub_release(name->text);
        hub_release(name->entities);
        hub_release(name);
    }
    hub_release(facts->fields);
    hub_release(facts);
}

/* --- names --- */

static void add_to_name(struct hub_facts *facts, const char *text, struct entity *entity) {
    struct name *name = NULL;
    HASH_FIND_STR(facts->names, text, name);
    if (name == NULL) {
        name = hub_allocate_zero(1, sizeof *name);
        name->text = hub_copy_text(text);
        HASH_ADD_KEYPTR(hh, facts->names, name->text, strlen(name->text), name);
    }
    HUB_GROW(name->entities, name->count, name->capacity);
    size_t at = name->count++;
    for (; at > 0 && strcmp(name->entities[at - 1]->id, entity->id) > 0; at--)
        name->entities[at] = name->entities[at - 1];
    name->entities[at] = entity;
}

static void remove_from_name(struct hub_facts *facts, const char *text,
                             const struct entity *entity) {
    struct name *name = NULL;
    size_t kept = 0;
    HASH_FIND_STR(facts->names, text, name);
    for (size_t i = 0; i < name->count; i++)
        if (name->entities[i] != entity)
            name->entities[kept++] = name->entities[i];
    name->count = kept;
    if (kept > 0)
        return;
    HASH_DELETE(hh, facts->names, name);
    hub_release(name->text);
    hub_release(name->entities);
    hub_release(name);
}

static void forget_names(struct hub_facts *facts, struct entity *entity,
                         void (*changed)(void *context, const char *identifier), void *context) {
    for (size_t i = 0; i < entity->name_count; i++) {
        remove_from_name(facts, entity->names[i], entity);
        changed(context, entity->names[i]);
    }
    free_names(entity);
}

/* Each once, whatever the value repeats. */
static void take_names(struct hub_facts *facts, struct entity *entity,
                       const struct hub_record *value, struct hub_arena *arena) {
    const struct hub_type *array = hub_record_type(value, "identifiers");
    struct hub_bytes identifiers = hub_record_field(value, "identifiers"), element;
    struct hub_elements elements = hub_slice_elements(array, identifiers);
    entity->names = hub_allocate_zero(hub_record_count(value, "identifiers"), sizeof(char *));
    while (hub_slice_next(&elements, &element)) {
        const char *text = hub_identifier_name(array->items, element, arena);
        size_t i = 0;
        while (text != NULL && i < entity->name_count && strcmp(entity->names[i], text) != 0)
            i++;
        if (text == NULL || i < entity->name_count)
            continue;
        entity->names[entity->name_count++] = hub_copy_text(text);
        add_to_name(facts, text, entity);
    }
}

/* --- unified records --- */

static struct entity *need_entity(struct hub_facts *facts, const char *id) {
    struct entity *entity = NULL;
    HASH_FIND_STR(facts->entities, id, entity);
    if (entity != NULL)
        return entity;
    entity = hub_allocate_zero(1, sizeof *entity);
    entity->id = hub_copy_text(id);
    entity->states = hub_allocate_zero(facts->field_count, sizeof *entity->states);
    HASH_ADD_KEYPTR(hh, facts->entities, entity->id, strlen(entity->id), entity);
    return entity;
}

static void take_states(const struct hub_facts *facts, struct entity *entity,
                        const struct hub_record *value) {
    for (size_t i = 0; i < facts->field_count; i++) {
        struct hub_bytes bytes;
        const struct hub_type *type =
            hub_slice_path(value->type, value->body, facts->fields[i], &bytes);
        entity->states[i] = type == NULL ? NULL : hub_slice_symbol(type, bytes);
    }
}

enum hub_status hub_facts_take(struct hub_facts *facts, struct hub_bytes value,
                               void (*changed)(void *context, const char *identifier),
                               void *context, struct hub_error *reterr) {
    struct hub_record record, merged;
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER scratch = {.size_max = 64 * 1024 * 1024};
    HUB_TRY(hub_record_open(facts->catalogue, facts->domain->unified, value, &scratch, &record,
                            reterr));
    char *id = hub_record_text(&record, "entity_id");
    struct entity *entity = need_entity(facts, id);
    hub_release(id);
    forget_names(facts, entity, changed, context);
    if (hub_record_part(&record, "value", &merged)) { /* only what is ACTIVE has one */
        take_states(facts, entity, &merged);
        take_names(facts, entity, &merged, &arena);
    }
    for (size_t i = 0; i < entity->name_count; i++)
        changed(context, entity->names[i]);
    hub_arena_destroy(&arena);
    return HUB_OK;
}

/* --- facts --- */

/* The symbols of one field, sorted, each once; `symbols` has room for all entities. */
static size_t list_symbols(const struct name *name, size_t field, const char **symbols) {
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < name->count; i++)
        if (name->entities[i]->states[field] != NULL)
            symbols[count++] = name->entities[i]->states[field];
    qsort(symbols, count, sizeof *symbols, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(symbols[kept - 1], symbols[i]) != 0)
            symbols[kept++] = symbols[i];
    return kept;
}

void hub_facts_append(const struct hub_facts *facts, const char *identifier,
                      struct hub_buffer *message) {
    static const struct name nothing = {0};
    struct name *found = NULL;
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER states = {0};
    size_t state_count = 0;
    HASH_FIND_STR(facts->names, identifier, found);
    const struct name *name = found == NULL ? &nothing : found;
    const char **symbols = hub_arena_take(&arena, (name->count + 1) * sizeof *symbols);
    for (size_t i = 0; i < facts->field_count; i++) {
        size_t count = list_symbols(name, i, symbols);
        for (size_t k = 0; k < count; k++) {
            hub_encode_text(&states, facts->fields[i]);
            hub_encode_text(&states, symbols[k]);
        }
        state_count += count;
    }
    hub_frame_append(message, facts->schema->id);
    hub_encode_text(message, facts->domain->name);
    hub_encode_text(message, identifier);
    hub_encode_array_begin(message, name->count);
    for (size_t i = 0; i < name->count; i++)
        hub_encode_text(message, name->entities[i]->id);
    hub_encode_array_end(message);
    hub_encode_array_begin(message, state_count);
    hub_buffer_append_bytes(message, hub_buffer_bytes(&states));
    hub_encode_array_end(message);
    hub_arena_destroy(&arena);
}
