#include "connectors/kit/lineage.h"

#include "connectors/kit/check.h"
#include "connectors/kit/mapping_plan.h"

#include <stdio.h>
#include <string.h>

enum { SCOPES_MAX = 8 };

/* The scopes that a path can start from, the inner one first. */
struct scopes {
    const char *bases[SCOPES_MAX];
    size_t count;
    const json_t *text; /* the inner one is a part of a text: where that is from; or NULL */
};

struct tracing {
    struct hub_arena arena;
    json_t *origins;
};

/* --- sources --- */

static const char *path_of(struct tracing *tracing, const struct map_value *value,
                           const struct scopes *scopes) {
    return hub_path_from_document(value->path, scopes->bases, scopes->count, &tracing->arena);
}

static json_t *trace_value(struct tracing *tracing, const struct map_value *value,
                           const struct scopes *scopes);

static json_t *trace_parts(struct tracing *tracing, const struct map_value *value,
                           const struct scopes *scopes) {
    json_t *parts = json_array();
    for (size_t i = 0; i < value->part_count; i++)
        json_array_append_new(parts, trace_value(tracing, &value->parts[i], scopes));
    return parts;
}

static json_t *trace_plus(struct tracing *tracing, const struct map_value *value,
                          const struct scopes *scopes) {
    static const char *const names[MAP_PLUS_PARTS] = {"to", "amount", "unit"};
    const struct hub_node *time = hub_node_get(hub_node_get(value->node, "plus"), "time");
    json_t *plus = json_pack("{s:o}", "time", hub_check_node_to_json(time));
    for (size_t i = 0; i < MAP_PLUS_PARTS; i++)
        json_object_set_new(plus, names[i], trace_value(tracing, &value->parts[i], scopes));
    return plus;
}

/* What a part is called and what is taken of it is told from the part. */
static json_t *trace_ref(struct tracing *tracing, const struct map_value *value,
                         const struct scopes *scopes) {
    static const char *const names[MAP_REF_PARTS] = {"from", "by", "take"};
    struct scopes part = {.bases = {""}, .count = 1};
    const struct hub_node *folder = hub_node_get(hub_node_get(value->node, "ref"), "folder");
    bool elsewhere = folder != NULL;
    json_t *ref =
        json_pack("{s:s}", "among", path_of(tracing, value, elsewhere ? &part : scopes));
    if (elsewhere)
        json_object_set_new(ref, "folder", json_string(folder->text));
    for (size_t i = 0; i < MAP_REF_PARTS; i++)
        json_object_set_new(ref, names[i],
                            trace_value(tracing, &value->parts[i], i == 0 ? scopes : &part));
    return ref;
}

static json_t *trace_value(struct tracing *tracing, const struct map_value *value,
                           const struct scopes *scopes) {
    static const char *const steps[] = {"absent", "match",  "split",     "fold", "table",
                                        "else",   "lookup", "pseudonym", "time", "pick"};
    json_t *source = json_object();
    bool part_of_text = value->source == MAP_FROM && scopes->text != NULL &&
                        strcmp(hub_path_text(value->path), ".") == 0;
    if (part_of_text)
        json_object_update(source, (json_t *)scopes->text);
    else if (value->source == MAP_FROM)
        json_object_set_new(source, "path", json_string(path_of(tracing, value, scopes)));
    else if (value->source == MAP_CONSTANT)
        json_object_set_new(source, "constant", json_string(value->constant));
    else if (value->source == MAP_PLUS)
        json_object_set_new(source, "plus", trace_plus(tracing, value, scopes));
    else if (value->source == MAP_REF)
        json_object_set_new(source, "ref", trace_ref(tracing, value, scopes));
    else
        json_object_set_new(source, value->source == MAP_FIRST ? "first" : "join",
                            trace_parts(tracing, value, scopes));
    if (value->source == MAP_JOIN)
        json_object_set_new(source, "with", json_string(value->with));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct hub_node *step = hub_node_get(value->node, steps[i]);
        if (step != NULL)
            json_object_set_new(source, steps[i], hub_check_node_to_json(step));
    }
    return source;
}

static json_t *trace_conditions(struct tracing *tracing, const struct map_condition *condition,
                                const struct scopes *scopes) {
    json_t *list = json_array();
    for (; condition != NULL; condition = condition->next) {
        json_t *texts = json_array();
        for (size_t i = 0; condition->texts != NULL && condition->texts[i] != NULL; i++)
            json_array_append_new(texts, json_string(condition->texts[i]));
        bool asks_presence = condition->present || condition->absent;
        json_t *asked = asks_presence ? json_boolean(condition->present) : json_incref(texts);
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "path", path_of(tracing, condition->path, scopes),
                            asks_presence        ? "present"
                            : condition->negated ? "not_in"
                                                 : "in",
                            asked));
        json_decref(texts);
    }
    return list;
}

/* --- targets --- */

/* What is being traced: its name so far, the entry of its array and that one's conditions. */
struct spot {
    const char *name;
    int item; /* -1: in no array */
    const char *each; /* the elements that it is made for, or NULL */
    const json_t *when;
};

static void add_origin(struct tracing *tracing, const struct spot *spot, const char *part,
                       json_t *source) {
    json_t *origin = json_object();
    json_object_set_new(origin, "target",
                        json_string(hub_arena_format(&tracing->arena, "%s%s", spot->name, part)));
    if (spot->item >= 0)
        json_object_set_new(origin, "item", json_integer(spot->item));
    if (spot->each != NULL)
        json_object_set_new(origin, "each", json_string(spot->each));
    if (json_array_size(spot->when) > 0)
        json_object_set(origin, "when", (json_t *)spot->when);
    json_object_set_new(origin, "source", source);
    json_array_append_new(tracing->origins, origin);
}

static void trace_target(struct tracing *tracing, const struct map_target *target,
                         const struct spot *spot, const struct scopes *scopes);

static void trace_identifier(struct tracing *tracing, const struct map_target *target,
                             const struct spot *spot, const struct scopes *scopes) {
    static const struct {
        const char *key, *name;
    } words[] = {{"relation", "relation"}, {"else", "otherwise"}};
    const struct map_identifier *identifier = target->identifier;
    const struct hub_node *node = target->node;
    json_t *schemes = json_array();
    json_t *source = identifier->value != NULL
                         ? trace_value(tracing, identifier->value, scopes)
                     : scopes->text != NULL ? json_copy((json_t *)scopes->text)
                                            : json_pack("{s:s}", "path", scopes->bases[0]);
    for (size_t i = 0; identifier->schemes[i] != NULL; i++)
        json_array_append_new(schemes, json_string(identifier->schemes[i]->name));
    json_object_set_new(source, "schemes", schemes);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct hub_node *word = hub_node_get(node, words[i].key);
        if (word != NULL)
            json_object_set_new(source, words[i].name, hub_check_node_to_json(word));
    }
    if (identifier->scan)
        json_object_set_new(source, "scan", json_true());
    add_origin(tracing, spot, ".value", source);
    if (identifier->issuer != NULL)
        add_origin(tracing, spot, ".issuer", trace_value(tracing, identifier->issuer, scopes));
    if (identifier->version != NULL)
        add_origin(tracing, spot, ".version", trace_value(tracing, identifier->version, scopes));
}

/* The scope of the elements that `each` finds. */
static struct scopes enter(struct tracing *tracing, const struct map_value *each,
                           const struct scopes *outer) {
    struct scopes inner = {.count = 1};
    const char *path = path_of(tracing, each, outer);
    inner.bases[0] = each->split != NULL ? path : hub_arena_format(&tracing->arena, "%s[*]", path);
    if (each->split != NULL)
        inner.text = trace_value(tracing, each, outer);
    for (size_t i = 0; i < outer->count && inner.count < SCOPES_MAX; i++)
        inner.bases[inner.count++] = outer->bases[i];
    return inner;
}

static void trace_array(struct tracing *tracing, const struct map_target *target,
                        const struct spot *spot, const struct scopes *scopes) {
    for (size_t i = 0; i < target->item_count; i++) {
        const struct map_item *item = &target->items[i];
        struct scopes inner =
            item->each == NULL ? *scopes : enter(tracing, item->each, scopes);
        json_t *when = trace_conditions(tracing, item->when, &inner);
        if (spot->when != NULL)
            json_array_extend(when, (json_t *)spot->when);
        struct spot element = {hub_arena_format(&tracing->arena, "%s[]", spot->name), (int)i,
                               item->each == NULL ? NULL : inner.bases[0], when};
        trace_target(tracing, item->target, &element, &inner);
        if (item->each != NULL)
            json_decref((json_t *)inner.text);
        json_decref(when);
    }
}

static void trace_record(struct tracing *tracing, const struct map_target *target,
                         const struct spot *spot, const struct scopes *scopes) {
    for (size_t i = 0; i < target->part_count; i++) {
        struct spot part = *spot;
        part.name = hub_arena_format(&tracing->arena, "%s.%s", spot->name,
                                     target->type->fields[target->parts[i].field].name);
        trace_target(tracing, target->parts[i].target, &part, scopes);
    }
}

static void trace_target(struct tracing *tracing, const struct map_target *target,
                         const struct spot *spot, const struct scopes *scopes) {
    switch (target->kind) {
    case MAP_SCALAR:
    case MAP_DATE:
    case MAP_TIME:
    case MAP_ORGANISATION:
        add_origin(tracing, spot, "", trace_value(tracing, target->value, scopes));
        return;
    case MAP_SEALED: {
        json_t *source = trace_value(tracing, target->value, scopes);
        json_object_set_new(source, "sealed_for", trace_value(tracing, target->subject, scopes));
        add_origin(tracing, spot, "", source);
        return;
    }
    case MAP_RECORD:
        trace_record(tracing, target, spot, scopes);
        return;
    case MAP_ARRAY:
        trace_array(tracing, target, spot, scopes);
        return;
    case MAP_IDENTIFIER:
        trace_identifier(tracing, target, spot, scopes);
        return;
    }
}

/* --- records --- */

size_t hub_lineage_record_count(const struct hub_mapping *mapping) {
    return mapping->record_count;
}

/* A line alone is the record itself; an element, of the document or of what begins on the line, is
 * found by the entry's own for_each. */
static struct scopes start(struct tracing *tracing, const struct map_record *record, size_t way,
                           const char *place) {
    static const char name[] = "element=";
    struct scopes scopes = {.bases = {"", ""}, .count = 1};
    const char *element = strstr(place, name);
    if (record->each_count == 0 || (element == NULL && *place != '\0'))
        return scopes;
    scopes.bases[0] = hub_arena_format(&tracing->arena, "%s[%s]",
                                       hub_path_text(record->each[way]->path),
                                       element != NULL ? element + sizeof name - 1 : "*");
    scopes.count = 2;
    return scopes;
}

static const struct map_target *find_part(const struct map_record *record, size_t field) {
    for (size_t i = 0; i < record->fields->part_count; i++)
        if (record->fields->parts[i].field == field)
            return record->fields->parts[i].target;
    return NULL;
}

bool hub_lineage_maps(const struct hub_mapping *mapping, size_t record, size_t field) {
    return find_part(&mapping->records[record], field) != NULL;
}

size_t hub_lineage_way_count(const struct hub_mapping *mapping, size_t record) {
    size_t count = mapping->records[record].each_count;
    return count == 0 ? 1 : count;
}

json_t *hub_lineage_record(const struct hub_mapping *mapping, size_t record, size_t way,
                           const char *place) {
    struct tracing tracing = {0};
    const struct map_record *own = &mapping->records[record];
    struct scopes scopes = start(&tracing, own, way, place);
    json_t *told = json_pack("{s:I, s:I, s:o}", "record", (json_int_t)record, "line",
                             (json_int_t)own->node->line, "when",
                             trace_conditions(&tracing, own->when, &scopes));
    if (own->patches)
        json_object_set_new(told, "update", json_string("patch"));
    hub_arena_destroy(&tracing.arena);
    return told;
}

json_t *hub_lineage_field(const struct hub_mapping *mapping, size_t record, size_t way,
                          size_t field, const char *place) {
    struct tracing tracing = {.origins = json_array()};
    const struct map_record *own = &mapping->records[record];
    const struct map_target *target = find_part(own, field);
    struct scopes scopes = start(&tracing, own, way, place);
    struct spot spot = {.name = mapping->config.domain->schema->root->fields[field].name,
                        .item = -1};
    if (target != NULL)
        trace_target(&tracing, target, &spot, &scopes);
    hub_arena_destroy(&tracing.arena);
    return tracing.origins;
}

/* What a condition on the path of a key's part says of that part. */
static bool condition_fits(const struct map_condition *condition, const struct map_value *part,
                           const char *text, size_t size) {
    if (condition->texts == NULL || part->path == NULL || part->node->kind != HUB_NODE_SCALAR ||
        strcmp(hub_path_text(condition->path->path), hub_path_text(part->path)) != 0)
        return true;
    bool listed = false;
    for (size_t i = 0; condition->texts[i] != NULL; i++)
        listed |= hub_bytes_equal_text(hub_bytes(text, size), condition->texts[i]);
    return listed != condition->negated;
}

static bool part_fits(const struct map_record *record, const struct map_value *part,
                      const char *text, size_t size) {
    if (part->source == MAP_CONSTANT)
        return hub_bytes_equal_text(hub_bytes(text, size), part->constant);
    for (const struct map_condition *each = record->when; each != NULL; each = each->next)
        if (!condition_fits(each, part, text, size))
            return false;
    return true;
}

static size_t count_pieces(const char *text) {
    size_t count = 1;
    for (; *text != '\0'; text++)
        count += *text == '/';
    return count;
}

/* Where a part of the key may have a / of its own, the pieces tell nothing. */
bool hub_lineage_may_make(const struct hub_mapping *mapping, size_t record,
                          const char *source_id) {
    const struct map_record *own = &mapping->records[record];
    if (count_pieces(source_id) != own->key_count)
        return count_pieces(source_id) > own->key_count;
    for (size_t i = 0; i < own->key_count; i++) {
        size_t size = strcspn(source_id, "/");
        if (!part_fits(own, &own->key[i], source_id, size))
            return false;
        source_id += size + (source_id[size] == '/');
    }
    return true;
}

/* --- in words --- */

static void append_texts(const json_t *texts, struct hub_buffer *text) {
    size_t i;
    const json_t *item;
    if (json_is_string(texts))
        hub_buffer_append_text(text, json_string_value(texts));
    json_array_foreach((json_t *)texts, i, item)
        hub_buffer_append_format(text, "%s%s", i == 0 ? "" : ", ", json_string_value(item));
}

static void append_list(const json_t *sources, struct hub_buffer *text) {
    size_t i;
    const json_t *source;
    json_array_foreach((json_t *)sources, i, source) {
        hub_buffer_append_text(text, i == 0 ? "" : "; ");
        hub_lineage_append_source(source, text);
    }
}

static void append_path(const char *path, struct hub_buffer *text) {
    if (*path == '@' && strchr(path, '.') != NULL)
        hub_buffer_append_format(text, "%s (told with the document, not in it)", path);
    else
        hub_buffer_append_text(text, *path == '\0' ? "the document" : path);
}

static void append_steps(const json_t *source, struct hub_buffer *text) {
    static const struct {
        const char *name, *before, *after;
    } steps[] = {{"absent", ", absent where it is ", ""},
                 {"match", ", the part that fits ", ""},
                 {"split", ", split at \"", "\""},
                 {"fold", ", in small letters", ""},
                 {"table", ", table ", ""},
                 {"lookup", ", looked up in ", ""},
                 {"else", ", else ", ""},
                 {"pseudonym", ", made a pseudonym with the key ", ""},
                 {"schemes", ", as ", ""}};
    const json_t *time = json_object_get(source, "time"), *pick = json_object_get(source, "pick");
    if (json_is_true(json_object_get(source, "scan")))
        hub_buffer_append_text(text, ", found in its texts");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const json_t *step = json_object_get(source, steps[i].name);
        if (step == NULL)
            continue;
        hub_buffer_append_text(text, steps[i].before);
        if (json_is_object(step))
            hub_buffer_append_text(text, "of the configuration");
        else if (json_is_null(step))
            hub_buffer_append_text(text, "nothing");
        else if (strcmp(steps[i].name, "fold") != 0)
            append_texts(step, text);
        hub_buffer_append_text(text, steps[i].after);
    }
    if (time != NULL) {
        hub_buffer_append_text(text, ", read as ");
        append_texts(json_object_get(time, "formats"), text);
    }
    if (pick != NULL)
        hub_buffer_append_format(text, ", the %s of them", json_string_value(pick));
    if (json_object_get(source, "sealed_for") != NULL) {
        hub_buffer_append_text(text, ", sealed for ");
        hub_lineage_append_source(json_object_get(source, "sealed_for"), text);
    }
}

void hub_lineage_append_source(const json_t *source, struct hub_buffer *text) {
    const char *path = json_string_value(json_object_get(source, "path"));
    const char *constant = json_string_value(json_object_get(source, "constant"));
    const json_t *plus = json_object_get(source, "plus");
    const json_t *ref = json_object_get(source, "ref");
    const char *folder = json_string_value(json_object_get(ref, "folder"));
    if (path != NULL) {
        append_path(path, text);
    } else if (constant != NULL) {
        hub_buffer_append_format(text, "\"%s\", given by the configuration", constant);
    } else if (json_object_get(source, "first") != NULL) {
        hub_buffer_append_text(text, "the first stated of (");
        append_list(json_object_get(source, "first"), text);
        hub_buffer_append_text(text, ")");
    } else if (plus != NULL) {
        hub_lineage_append_source(json_object_get(plus, "to"), text);
        hub_buffer_append_text(text, " and ");
        hub_lineage_append_source(json_object_get(plus, "amount"), text);
        hub_buffer_append_text(text, " times the unit of ");
        hub_lineage_append_source(json_object_get(plus, "unit"), text);
    } else if (ref != NULL) {
        hub_lineage_append_source(json_object_get(ref, "take"), text);
        hub_buffer_append_format(text, " of the part among %s",
                                 json_string_value(json_object_get(ref, "among")));
        if (folder != NULL)
            hub_buffer_append_format(text, " in the documents of %s", folder);
        hub_buffer_append_text(text, " whose ");
        hub_lineage_append_source(json_object_get(ref, "by"), text);
        hub_buffer_append_text(text, " is ");
        hub_lineage_append_source(json_object_get(ref, "from"), text);
    } else {
        hub_buffer_append_text(text, "(");
        append_list(json_object_get(source, "join"), text);
        hub_buffer_append_format(text, ") joined with \"%s\"",
                                 json_string_value(json_object_get(source, "with")));
    }
    append_steps(source, text);
}

void hub_lineage_append_conditions(const json_t *conditions, struct hub_buffer *text) {
    size_t i;
    const json_t *condition;
    json_array_foreach((json_t *)conditions, i, condition) {
        const json_t *present = json_object_get(condition, "present");
        const json_t *in = json_object_get(condition, "in");
        hub_buffer_append_format(text, "%s%s ", i == 0 ? "" : " and ",
                                 json_string_value(json_object_get(condition, "path")));
        if (present != NULL) {
            hub_buffer_append_text(text, json_is_true(present) ? "is stated" : "is not stated");
            continue;
        }
        hub_buffer_append_text(text, in != NULL ? "is " : "is not ");
        append_texts(in != NULL ? in : json_object_get(condition, "not_in"), text);
    }
}
