/* Running a mapping over a document: records out, or the reasons why not. */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/table.h"
#include "hub/base/text.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_SIZE_MAX = 1024 * 1024 };

struct told_key;

struct list {
    struct hub_arena *arena;
    struct hub_mapped *items;
    size_t count, capacity;
    struct told_key *keys;
    struct map_index *indexes;
};

static struct hub_mapped *add_mapped(struct list *list) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct hub_mapped *wider = hub_arena_take(list->arena, capacity * sizeof *wider);
        if (list->count > 0)
            memcpy(wider, list->items, list->count * sizeof *wider);
        list->items = wider;
        list->capacity = capacity;
    }
    struct hub_mapped *mapped = &list->items[list->count++];
    memset(mapped, 0, sizeof *mapped);
    return mapped;
}

static enum hub_status read_key(struct map_run *run, const struct map_record *record,
                                const struct hub_scope *scope, struct hub_mapped *mapped) {
    HUB_SCOPED_BUFFER key = {0};
    hub_buffer_append_format(&key, "%s", run->mapping->config.system->name);
    for (size_t i = 0; i < record->key_count; i++) {
        const char *part = NULL;
        HUB_TRY(map_value_text(run, &record->key[i], scope, &part));
        if (part == NULL) {
            run->code = "KEY";
            return hub_fail(run->reterr, HUB_REJECT, "part %zu of the key is absent", i + 1);
        }
        hub_buffer_append_format(&key, "/%s", part);
        if (i + 1 == record->group_count)
            mapped->group = hub_arena_text(run->arena, (const char *)key.data, key.size);
    }
    mapped->key = hub_arena_text(run->arena, (const char *)key.data, key.size);
    return HUB_OK;
}

static enum hub_status read_version(struct map_run *run, const struct map_record *record,
                                    const struct hub_scope *scope, const char **ret_version) {
    const struct map_value *source = record->version;
    const char *version = "";
    bool position_only = source->source == MAP_CONSTANT && *source->constant == '\0';
    if (!position_only)
        HUB_TRY(map_value_text(run, record->version, scope, &version));
    run->code = "VERSION";
    if (version == NULL && !record->tie_position)
        return hub_fail(run->reterr, HUB_REJECT, "the version is absent");
    if (record->tie_position)
        version = hub_arena_format(run->arena, "%s~%012lld", version == NULL ? "" : version,
                                   (long long)run->document->sequence);
    /* The later of two in one document is the later one. */
    if (record->tie_position && run->nth > 0)
        version = hub_arena_format(run->arena, "%s.%06zu", version, run->nth);
    *ret_version = version;
    return HUB_OK;
}

static void set_text(avro_value_t *record, const char *name, const char *text) {
    avro_value_t slot, inner;
    int failed = avro_value_get_by_name(record, name, &slot, NULL) ||
                 avro_value_set_branch(&slot, text == NULL ? 0 : 1, &inner) ||
                 (text == NULL ? avro_value_set_null(&inner)
                               : avro_value_set_string(&inner, text));
    assert(failed == 0);
}

static void set_hash(avro_value_t *record, const char *name, const struct hub_digest *digest) {
    avro_value_t slot, inner;
    int failed = avro_value_get_by_name(record, name, &slot, NULL) ||
                 avro_value_set_branch(&slot, 1, &inner) ||
                 avro_value_set_fixed(&inner, (void *)digest->bytes, HUB_DIGEST_SIZE);
    assert(failed == 0);
}

static enum hub_status fill_time(struct map_run *run, const struct map_target *target,
                                 const char *name, const struct hub_scope *scope,
                                 avro_value_t *stamp) {
    avro_value_t slot, inner;
    bool stated = false;
    int failed = avro_value_get_by_name(stamp, name, &slot, NULL);
    assert(failed == 0);
    run->path.size = 0;
    hub_buffer_append_format(&run->path, "statement.%s", name);
    if (target != NULL)
        HUB_TRY(map_target_fill(run, target, scope, &slot, &stated));
    run->path.size = 0;
    if (!stated) {
        map_enter_branch(&slot, 0, &inner);
        avro_value_set_null(&inner);
    }
    return HUB_OK;
}

static enum hub_status fill_stamp(struct map_run *run, const struct map_record *record,
                                  const struct hub_scope *scope, const char *version,
                                  const char *place, avro_value_t *value, bool *ret_withdrawn) {
    const struct hub_document *document = run->document;
    const struct hub_stamp_fields *at = &run->mapping->config.domain->stamp;
    avro_value_t stamp, slot;
    int failed = avro_value_get_by_index(value, HUB_FIELD_STATEMENT, &stamp, NULL);
    assert(failed == 0);
    failed = avro_value_get_by_name(&stamp, "version", &slot, NULL) ||
             avro_value_set_string(&slot, version);
    assert(failed == 0);
    HUB_TRY(fill_time(run, record->event_time, "event_time", scope, &stamp));
    HUB_TRY(fill_time(run, record->recorded_time, "recorded_time", scope, &stamp));
    *ret_withdrawn = record->withdrawn_when != NULL &&
                     map_condition_holds(run, record->withdrawn_when, scope);
    failed = avro_value_get_by_name(&stamp, "state", &slot, NULL) ||
             avro_value_set_enum(&slot,
                                 *ret_withdrawn ? at->withdrawn_symbol : at->current_symbol);
    assert(failed == 0);
    set_text(&stamp, "reason", *ret_withdrawn ? record->withdrawn_reason : run->kept);
    set_text(&stamp, "document",
             *place == '\0' ? document->name
                            : hub_arena_format(run->arena, "%s#%s", document->name, place));
    set_hash(&stamp, "raw_hash", &document->raw_hash);
    set_hash(&stamp, "mapping_hash", &document->mapping_hash);
    return HUB_OK;
}

static enum hub_status encode(struct map_run *run, avro_value_t *value,
                              struct hub_bytes *ret_body) {
    size_t size = 0;
    run->code = "SIZE";
    if (avro_value_sizeof(value, &size) != 0)
        return hub_fail(run->reterr, HUB_FATAL, "avro-c cannot encode: %s", avro_strerror());
    if (size > RECORD_SIZE_MAX)
        return hub_fail(run->reterr, HUB_REJECT, "%zu bytes, over the limit of %d", size,
                        RECORD_SIZE_MAX);
    char *bytes = hub_arena_take(run->arena, size + 1);
    avro_writer_t writer = avro_writer_memory(bytes, (int64_t)size);
    int failed = avro_value_write(writer, value);
    avro_writer_free(writer);
    if (failed != 0)
        return hub_fail(run->reterr, HUB_FATAL, "avro-c cannot encode: %s", avro_strerror());
    *ret_body = hub_bytes(bytes, size);
    return HUB_OK;
}

/* The keys that a document has told so far. */
struct told_key {
    UT_hash_handle hh;
    size_t count;
};

static size_t count_key(struct told_key **keys, const char *key, struct hub_arena *arena) {
    struct told_key *told = NULL;
    HASH_FIND_STR(*keys, key, told);
    if (told == NULL) {
        told = hub_arena_take_zero(arena, 1, sizeof *told);
        HASH_ADD_KEYPTR(hh, *keys, key, strlen(key), told);
    }
    return told->count++;
}

/* What the record is laid over: nothing where the last word under its key was a withdrawal, or is
 * later than it. */
static enum hub_status read_earlier(struct map_run *run, const char *key, const char *version,
                                    avro_value_t *earlier) {
    const struct hub_document *document = run->document;
    const struct hub_domain *domain = run->mapping->config.domain;
    uint32_t starts[HUB_FIELDS_MAX + 1];
    struct hub_bytes body = document->earlier(document->earlier_context, key);
    if (body.data == NULL)
        return HUB_OK;
    hub_slice_fields(domain->schema->root, body, starts);
    struct hub_stamp stamp = hub_statement_stamp(domain, body, starts);
    if (stamp.withdrawn || hub_text_natural_compare(stamp.version, hub_bytes_of_text(version)) > 0)
        return HUB_OK;
    if (avro_generic_value_new(run->mapping->iface, earlier) != 0)
        return hub_fail(run->reterr, HUB_FATAL, "avro-c: %s", avro_strerror());
    run->earlier = earlier;
    avro_reader_t reader = avro_reader_memory((const char *)body.data, (int64_t)body.size);
    int failed = avro_value_read(reader, earlier);
    avro_reader_free(reader);
    if (failed != 0)
        return hub_fail(run->reterr, HUB_FATAL, "%s: avro-c cannot read what is known: %s", key,
                        avro_strerror());
    return HUB_OK;
}

static enum hub_status build(struct map_run *run, const struct map_record *record,
                             const struct hub_scope *scope, struct hub_mapped *mapped,
                             struct told_key **keys, avro_value_t *value, avro_value_t *earlier) {
    bool stated = false;
    const char *version = NULL;
    HUB_TRY(read_key(run, record, scope, mapped));
    run->statement = mapped->key;
    run->nth = count_key(keys, mapped->key, run->arena);
    hub_buffer_append_text(&run->path, "statement.version");
    HUB_TRY(read_version(run, record, scope, &version));
    run->path.size = 0;
    run->patches = record->patches;
    if ((record->patches || record->keeps_blanks) && run->document->earlier != NULL)
        HUB_TRY(read_earlier(run, mapped->key, version, earlier));
    HUB_TRY(map_record_fill(run, record->fields, scope, value, &stated));
    run->path.size = 0;
    HUB_TRY(fill_stamp(run, record, scope, version, mapped->place, value, &mapped->withdrawn));
    return encode(run, value, &mapped->body);
}

static void map_one(struct hub_mapping *mapping, const struct hub_document *document,
                    const struct map_record *record, const struct hub_scope *scope,
                    struct hub_mapped *mapped, struct list *list) {
    struct hub_arena *arena = list->arena;
    struct map_run run = {.mapping = mapping,
                          .document = document,
                          .arena = arena,
                          .reterr = &mapped->error,
                          .code = "MAP",
                          .scratch = json_array(),
                          .met_null = scope->met_null,
                          .indexes = &list->indexes};
    avro_value_t value, earlier;
    if (avro_generic_value_new(mapping->iface, &value) != 0) {
        mapped->status = hub_fail(&mapped->error, HUB_FATAL, "avro-c: %s", avro_strerror());
    } else {
        mapped->status = build(&run, record, scope, mapped, &list->keys, &value, &earlier);
        avro_value_decref(&value);
        if (run.earlier != NULL)
            avro_value_decref(run.earlier);
    }
    json_decref(run.scratch);
    mapped->code = run.code;
    mapped->failed = run.failed;
    mapped->sealed = run.sealed;
    mapped->sealed_count = run.sealed_count;
    if (mapped->status != HUB_OK && run.path.size > 0)
        mapped->path = hub_arena_text(arena, (const char *)run.path.data, run.path.size);
    hub_buffer_free(&run.path);
}

static void add_row_errors(const struct hub_document *document, struct list *list) {
    for (size_t i = 0; i < document->parsed->error_count; i++) {
        const struct hub_row_error *error = &document->parsed->errors[i];
        struct hub_mapped *mapped = add_mapped(list);
        mapped->status = hub_fail(&mapped->error, HUB_REJECT, "line %zu: %s", error->line,
                                  error->text);
        mapped->code = "PARSE";
        mapped->place = hub_arena_format(list->arena, "line=%zu", error->line);
        mapped->raw = error->raw;
        mapped->own_raw = true;
    }
}

/* Where records are looked for: a row of a table, a message of several in a file, or the document. */
struct unit {
    struct hub_scope scope;
    size_t row; /* of the rows, where there are any */
    bool part_taken;
};

/* What `for_each` finds in a unit, or the unit, and whether an entry of `records` takes it. A unit
 * of which a part is taken is taken with it. */
struct element {
    const json_t *value;
    struct unit *unit;
    size_t index; /* of the part, among those that were found */
    bool part, taken;
    UT_hash_handle hh;
};

/* A record's own bytes and place: a row has both, and what is a part of it shares its bytes. */
static void place(const struct hub_mapping *mapping, const struct hub_document *document,
                  const struct element *element, struct hub_mapped *mapped,
                  struct hub_arena *arena) {
    const struct hub_parsed *parsed = document->parsed;
    const char *part =
        element->part ? hub_arena_format(arena, "element=%zu", element->index) : "";
    mapped->element = element->value;
    mapped->message = mapping->config.each_is_whole ? element->unit->row : 0;
    mapped->own_raw = parsed->row_count > 0;
    mapped->raw = mapped->own_raw ? parsed->rows[element->unit->row] : document->raw;
    mapped->place = part;
    if (mapped->own_raw)
        mapped->place =
            hub_arena_format(arena, "line=%zu%s%s", parsed->row_lines[element->unit->row],
                             element->part ? "," : "", part);
}

static struct element *note_element(struct element **elements, const json_t *value,
                                    struct unit *unit, size_t index, struct hub_arena *arena) {
    struct element *element = NULL;
    HASH_FIND_PTR(*elements, &value, element);
    if (element == NULL) {
        element = hub_arena_take_zero(arena, 1, sizeof *element);
        element->value = value;
        element->unit = unit;
        element->index = index;
        element->part = value != unit->scope.here;
        HASH_ADD_PTR(*elements, value, element);
    }
    return element;
}

struct units {
    struct unit *items;
    size_t count;
};

/* Every row is a record, also one in which no `for_each` finds anything. */
static struct units find_units(struct hub_mapping *mapping, const struct hub_document *document,
                               const struct hub_scope *whole, struct element **elements,
                               struct hub_arena *arena) {
    const char *each = mapping->config.each;
    const json_t *rows = each == NULL ? NULL : json_object_get(document->parsed->tree, each);
    struct units units = {.count = each == NULL ? 1 : json_array_size(rows)};
    units.items = hub_arena_take_zero(arena, units.count + 1, sizeof *units.items);
    units.items[0].scope = *whole;
    for (size_t i = 0; each != NULL && i < units.count; i++) {
        units.items[i] = (struct unit){
            .scope = {json_array_get(rows, i), whole, document->context, document->read,
                      whole->met_null},
            .row = i};
        note_element(elements, units.items[i].scope.here, &units.items[i], 0, arena);
    }
    return units;
}

static size_t find_elements(const struct map_record *record, const struct unit *unit,
                            struct hub_arena *arena, const json_t ***ret_values) {
    size_t count = 0;
    for (size_t i = 0; i < record->each_count && count == 0; i++) {
        hub_path_find(record->each[i]->path, &unit->scope, arena, ret_values, &count);
        record->each[i]->filled |= count > 0;
    }
    if (record->each_count > 0)
        return count;
    *ret_values = hub_arena_take(arena, sizeof **ret_values);
    **ret_values = unit->scope.here;
    return 1;
}

static bool holds(struct hub_mapping *mapping, const struct hub_document *document,
                  struct map_condition *when, const struct hub_scope *scope,
                  struct hub_arena *arena) {
    struct map_run asking = {.mapping = mapping, .document = document, .arena = arena};
    return map_condition_holds(&asking, when, scope);
}

/* The first of a record's variants that holds, or NULL. */
static const struct map_record *choose(struct hub_mapping *mapping,
                                       const struct hub_document *document,
                                       const struct map_record *record,
                                       const struct hub_scope *scope, struct hub_arena *arena) {
    const struct map_record *end = mapping->records + mapping->record_count;
    for (; !holds(mapping, document, record->when, scope, arena); record++)
        if (record + 1 == end || !record[1].instead)
            return NULL;
    return record;
}

static void run_record(struct hub_mapping *mapping, const struct hub_document *document,
                       const struct map_record *record, struct unit *unit,
                       struct element **elements, struct list *list) {
    const json_t **values = NULL;
    size_t count = find_elements(record, unit, list->arena, &values);
    for (size_t i = 0; i < count; i++) {
        struct hub_scope inner = {values[i], &unit->scope, document->context, document->read,
                                  unit->scope.met_null};
        const struct hub_scope *scope = record->each_count > 0 ? &inner : &unit->scope;
        struct element *element = note_element(elements, values[i], unit, i, list->arena);
        const struct map_record *chosen = choose(mapping, document, record, scope, list->arena);
        if (chosen == NULL)
            continue;
        element->taken = true;
        unit->part_taken |= element->part;
        struct hub_mapped *mapped = add_mapped(list);
        place(mapping, document, element, mapped, list->arena);
        map_one(mapping, document, chosen, scope, mapped, list);
    }
}

/* The reason of the first `skip` that holds, or NULL. */
static const char *find_skip(struct hub_mapping *mapping, const struct hub_document *document,
                             const struct hub_scope *scope, struct hub_arena *arena) {
    for (size_t i = 0; i < mapping->skip_count; i++)
        if (holds(mapping, document, mapping->skips[i].when, scope, arena))
            return mapping->skips[i].reason;
    return NULL;
}

/* What no entry takes is skipped where the mapping says so, else refused. */
static void add_left_over(struct hub_mapping *mapping, const struct hub_document *document,
                          const struct element *element, struct list *list) {
    const struct hub_scope *around = &element->unit->scope;
    struct hub_scope inner = {element->value, around, document->context, document->read, NULL};
    struct hub_mapped *mapped = add_mapped(list);
    place(mapping, document, element, mapped, list->arena);
    mapped->skipped =
        find_skip(mapping, document, element->part ? &inner : around, list->arena);
    if (mapped->skipped != NULL)
        return;
    mapped->status = hub_fail(&mapped->error, HUB_REJECT,
                              "no entry of 'records' takes it; one whose 'when' holds, or a 'skip' "
                              "that says why not, would pass");
    mapped->code = "UNMATCHED";
}

/* A document that holds no record at all is more often a surprise than an answer. */
static void add_nothing_found(struct hub_mapping *mapping, const struct hub_document *document,
                              struct list *list) {
    struct hub_scope outer = {document->parsed->tree, NULL, document->context, document->read, NULL};
    const char *skipped = find_skip(mapping, document, &outer, list->arena);
    if (skipped == NULL && mapping->config.accepts_empty)
        return;
    struct hub_mapped *mapped = add_mapped(list);
    mapped->place = "";
    mapped->raw = document->raw;
    mapped->skipped = skipped;
    if (skipped != NULL)
        return;
    mapped->status = hub_fail(&mapped->error, HUB_REJECT,
                              "no record is in it where 'for_each' looks; a source that may have "
                              "none would pass with 'empty: accept'");
    mapped->code = "EMPTY";
}

void hub_mapping_run(struct hub_mapping *mapping, const struct hub_document *document,
                     struct hub_arena *arena, struct hub_mapped_list *ret_list) {
    struct list list = {.arena = arena};
    struct element *elements = NULL;
    bool met_null = false;
    struct hub_scope whole = {document->parsed->tree, NULL, document->context, document->read,
                              &met_null};
    struct units units = find_units(mapping, document, &whole, &elements, arena);
    for (size_t i = 0; i < mapping->record_count; i++)
        for (size_t k = 0; k < units.count && !mapping->records[i].instead; k++)
            run_record(mapping, document, &mapping->records[i], &units.items[k], &elements, &list);
    for (struct element *each = elements; each != NULL; each = each->hh.next)
        if (!each->taken && (each->part || !each->unit->part_taken))
            add_left_over(mapping, document, each, &list);
    HASH_CLEAR(hh, elements);
    HASH_CLEAR(hh, list.keys);
    map_forget_indexes(list.indexes);
    add_row_errors(document, &list);
    if (list.count == 0)
        add_nothing_found(mapping, document, &list);
    *ret_list = (struct hub_mapped_list){list.items, list.count};
}

/* What several variants share was compiled for each of them, and is told of once. */
static bool fills_nothing(const struct hub_mapping *mapping, const struct map_value *value) {
    bool before = true;
    for (const struct map_value *other = mapping->values; other != NULL; other = other->next) {
        before &= other != value;
        if (other->node->line == value->node->line && other->node->column == value->node->column &&
            (other->filled || before))
            return false;
    }
    return true;
}

void hub_mapping_unfilled(const struct hub_mapping *mapping,
                          void (*unfilled)(void *context, const struct hub_node *node),
                          void *context) {
    for (const struct map_value *value = mapping->values; value != NULL; value = value->next)
        if (value->path != NULL && fills_nothing(mapping, value))
            unfilled(context, value->node);
}

bool hub_mapping_builds_on_earlier(const struct hub_mapping *mapping) {
    for (size_t i = 0; i < mapping->record_count; i++)
        if (mapping->records[i].patches || mapping->records[i].keeps_blanks)
            return true;
    return false;
}

bool hub_mapping_remembers(const struct hub_mapping *mapping) {
    for (size_t i = 0; i < mapping->record_count; i++)
        if (mapping->records[i].group_count > 0)
            return true;
    return hub_mapping_builds_on_earlier(mapping);
}
