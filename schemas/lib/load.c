/* Compiles schema text into types, and refuses what is not Avro (specification 1.11.1, sections
 * "Schema Declaration" and "Names"). Every refusal names file, line, column and what would pass. */
#include "schemas/lib/type.h"

#include "schemas/lib/load_default.h"

#include <jansson.h>
#include <string.h>

struct named {
    struct hub_type *type;
    bool open;       /* being defined: a reference from inside would be recursion */
    unsigned height; /* levels of types below it */
    struct named *next;
};

struct loader {
    struct hub_arena *arena;
    struct named *names;
    unsigned deepest; /* level reached in the record that is being loaded */
    struct hub_error *reterr;
};

static enum hub_status load_type(struct loader *loader, const struct hub_node *node,
                                 const char *space, unsigned depth,
                                 const struct hub_type **ret_type);

static bool is_name_part(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return size > 0;
}

static bool is_full_name(const char *text) {
    for (;;) {
        const char *dot = strchr(text, '.');
        if (!is_name_part(text, dot == NULL ? strlen(text) : (size_t)(dot - text)))
            return false;
        if (dot == NULL)
            return true;
        text = dot + 1;
    }
}

static const char *full_name(struct loader *loader, const char *name, const char *space) {
    if (strchr(name, '.') != NULL || space == NULL || *space == '\0')
        return hub_arena_text(loader->arena, name, strlen(name));
    return hub_arena_format(loader->arena, "%s.%s", space, name);
}

/* A text in quotes without a zero byte, after which a name would end without anybody seeing it. */
static bool is_whole_text(const struct hub_node *node) {
    return node->kind == HUB_NODE_SCALAR && node->quoted && strlen(node->text) == node->text_size;
}

/* Both copies of a quoted text attribute's rules: there, text, not empty. */
static enum hub_status need_text(struct loader *loader, const struct hub_node *node,
                                 const char *key, const char **ret_text) {
    const struct hub_node *item = hub_node_get(node, key);
    if (item == NULL)
        return hub_node_fail(node, loader->reterr, "'%s' is missing", key);
    if (!is_whole_text(item) || item->text_size == 0)
        return hub_node_fail(item, loader->reterr, "'%s' must be a text in quotes", key);
    *ret_text = item->text;
    return HUB_OK;
}

static bool is_primitive(const char *word, enum hub_kind *ret_kind) {
    for (enum hub_kind kind = HUB_NULL; kind <= HUB_STRING; kind++)
        if (strcmp(word, hub_kind_name(kind)) == 0) {
            *ret_kind = kind;
            return true;
        }
    return false;
}

static enum hub_status load_aliases(struct loader *loader, const struct hub_node *node,
                                    const char *space, const char *const **ret_aliases) {
    static const char *const none[] = {NULL};
    const struct hub_node *list = hub_node_get(node, "aliases");
    *ret_aliases = none;
    if (list == NULL)
        return HUB_OK;
    if (list->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(list, loader->reterr, "'aliases' must be a list of names");
    const char **aliases = hub_arena_take(loader->arena, (list->count + 1) * sizeof *aliases);
    for (size_t i = 0; i < list->count; i++) {
        const struct hub_node *item = list->items[i];
        if (!is_whole_text(item) || !is_full_name(item->text))
            return hub_node_fail(item, loader->reterr, "an alias must be a name");
        aliases[i] = space == NULL ? item->text : full_name(loader, item->text, space);
    }
    aliases[list->count] = NULL;
    *ret_aliases = aliases;
    return HUB_OK;
}

static struct named *find_named(struct loader *loader, const char *name) {
    for (struct named *named = loader->names; named != NULL; named = named->next)
        if (strcmp(named->type->name, name) == 0)
            return named;
    return NULL;
}

/* Gives a record, enum or fixed its full name and enters it among the names. */
static enum hub_status enter_named(struct loader *loader, const struct hub_node *node,
                                   const char **space, struct hub_type *type,
                                   struct named **ret_named) {
    const char *name = NULL;
    HUB_TRY(need_text(loader, node, "name", &name));
    const struct hub_node *own_space = hub_node_get(node, "namespace");
    if (own_space != NULL) {
        if (!is_whole_text(own_space) ||
            (own_space->text_size > 0 && !is_full_name(own_space->text)))
            return hub_node_fail(own_space, loader->reterr, "'namespace' must be dotted names");
        *space = own_space->text;
    }
    if (!is_full_name(name))
        return hub_node_fail(hub_node_get(node, "name"), loader->reterr,
                             "'%s' is no name; a name is letters, digits and _, not beginning with "
                             "a digit", name);
    type->name = full_name(loader, name, *space);
    const char *dot = strrchr(type->name, '.');
    enum hub_kind primitive;
    if (is_primitive(dot == NULL ? type->name : dot + 1, &primitive))
        return hub_node_fail(hub_node_get(node, "name"), loader->reterr,
                             "'%s' is the name of a primitive type; any other would pass", name);
    if (dot != NULL)
        *space = hub_arena_text(loader->arena, type->name, (size_t)(dot - type->name));
    const struct named *other = find_named(loader, type->name);
    if (other != NULL)
        return hub_node_fail(node, loader->reterr,
                             "'%s' is defined twice, first in line %zu; use its name instead",
                             type->name, other->type->node->line);
    HUB_TRY(load_aliases(loader, node, *space == NULL ? "" : *space, &type->aliases));
    struct named *named = hub_arena_take_zero(loader->arena, 1, sizeof *named);
    *named = (struct named){.type = type, .open = true, .next = loader->names};
    loader->names = named;
    *ret_named = named;
    return HUB_OK;
}

static enum hub_status load_field(struct loader *loader, const struct hub_node *node,
                                  const char *space, unsigned depth, struct hub_field *field) {
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr, "a field must be an object with name and type");
    HUB_TRY(need_text(loader, node, "name", &field->name));
    if (!is_name_part(field->name, strlen(field->name)))
        return hub_node_fail(hub_node_get(node, "name"), loader->reterr,
                             "'%s' is no field name; letters, digits and _ only", field->name);
    const struct hub_node *type = hub_node_get(node, "type");
    if (type == NULL)
        return hub_node_fail(node, loader->reterr, "field '%s' has no type", field->name);
    field->node = node;
    HUB_TRY(load_aliases(loader, node, NULL, &field->aliases));
    HUB_TRY(load_type(loader, type, space, depth + 1, &field->type));
    const struct hub_node *value = hub_node_get(node, "default");
    if (value == NULL)
        return HUB_OK;
    HUB_SCOPED_BUFFER encoded = {.size_max = HUB_DEFAULT_SIZE_MAX};
    HUB_TRY(hub_load_default(field->type, value, &encoded, loader->reterr));
    if (hub_buffer_overflowed(&encoded))
        return hub_node_fail(value, loader->reterr, "a default of more than %d bytes",
                             HUB_DEFAULT_SIZE_MAX);
    field->has_default = true;
    const char *copy = hub_arena_text(loader->arena, (const char *)encoded.data, encoded.size);
    field->default_value = hub_bytes(copy, encoded.size);
    return HUB_OK;
}

static bool has_alias(const struct hub_field *field, const char *name) {
    for (size_t i = 0; field->aliases[i] != NULL; i++)
        if (strcmp(field->aliases[i], name) == 0)
            return true;
    return false;
}

/* A writer's field must be one field of the reader, whichever of the two stands first. */
static enum hub_status check_field_names(struct loader *loader, const struct hub_field *fields,
                                         size_t last) {
    const struct hub_field *field = &fields[last];
    for (size_t i = 0; i < last; i++) {
        if (strcmp(fields[i].name, field->name) == 0)
            return hub_node_fail(field->node, loader->reterr,
                                 "field '%s' stands here twice, first in line %zu", field->name,
                                 fields[i].node->line);
        if (has_alias(&fields[i], field->name))
            return hub_node_fail(field->node, loader->reterr,
                                 "field '%s' has the name of an alias in line %zu", field->name,
                                 fields[i].node->line);
        for (size_t k = 0; field->aliases[k] != NULL; k++)
            if (strcmp(fields[i].name, field->aliases[k]) == 0 ||
                has_alias(&fields[i], field->aliases[k]))
                return hub_node_fail(field->node, loader->reterr,
                                     "alias '%s' is a name or alias of the field in line %zu",
                                     field->aliases[k], fields[i].node->line);
    }
    return HUB_OK;
}

static enum hub_status load_record(struct loader *loader, const struct hub_node *node,
                                   const char *space, unsigned depth, struct hub_type *type) {
    struct named *named = NULL;
    HUB_TRY(enter_named(loader, node, &space, type, &named));
    const struct hub_node *list = hub_node_get(node, "fields");
    if (list == NULL || list->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, loader->reterr, "record '%s' needs a list of 'fields'",
                             type->name);
    if (list->count > HUB_FIELDS_MAX)
        return hub_node_fail(list, loader->reterr, "%zu fields, over the limit of %d", list->count,
                             HUB_FIELDS_MAX);
    struct hub_field *fields = hub_arena_take_zero(loader->arena, list->count, sizeof *fields);
    unsigned deepest_outside = loader->deepest;
    loader->deepest = depth;
    for (size_t i = 0; i < list->count; i++) {
        HUB_TRY(load_field(loader, list->items[i], space, depth, &fields[i]));
        HUB_TRY(check_field_names(loader, fields, i));
    }
    type->fields = fields;
    type->count = list->count;
    hub_type_make_steps(type, loader->arena);
    named->open = false;
    named->height = loader->deepest - depth;
    if (loader->deepest < deepest_outside)
        loader->deepest = deepest_outside;
    return HUB_OK;
}

static enum hub_status load_enum(struct loader *loader, const struct hub_node *node,
                                 const char *space, struct hub_type *type) {
    struct named *named = NULL;
    HUB_TRY(enter_named(loader, node, &space, type, &named));
    named->open = false;
    const struct hub_node *list = hub_node_get(node, "symbols");
    if (list == NULL || list->kind != HUB_NODE_SEQUENCE || list->count == 0 ||
        list->count > HUB_SYMBOLS_MAX)
        return hub_node_fail(node, loader->reterr, "enum '%s' needs a list of 1 to %d 'symbols'",
                             type->name, HUB_SYMBOLS_MAX);
    const char **symbols = hub_arena_take_zero(loader->arena, list->count, sizeof *symbols);
    for (size_t i = 0; i < list->count; i++) {
        const struct hub_node *item = list->items[i];
        if (item->kind != HUB_NODE_SCALAR || !item->quoted ||
            !is_name_part(item->text, item->text_size))
            return hub_node_fail(item, loader->reterr,
                                 "a symbol is letters, digits and _, not beginning with a digit");
        for (size_t k = 0; k < i; k++)
            if (strcmp(symbols[k], item->text) == 0)
                return hub_node_fail(item, loader->reterr, "symbol '%s' stands here twice",
                                     item->text);
        symbols[i] = item->text;
    }
    type->symbols = symbols;
    type->count = list->count;
    const struct hub_node *value = hub_node_get(node, "default");
    if (value != NULL) {
        type->default_symbol = hub_type_symbol(type, value->text == NULL ? "" : value->text);
        if (!is_whole_text(value) || type->default_symbol < 0)
            return hub_node_fail(value, loader->reterr, "the default must be one of the symbols");
    }
    return HUB_OK;
}

static enum hub_status load_fixed(struct loader *loader, const struct hub_node *node,
                                  const char *space, struct hub_type *type) {
    struct named *named = NULL;
    HUB_TRY(enter_named(loader, node, &space, type, &named));
    named->open = false;
    int64_t size = 0;
    const struct hub_node *item = hub_node_get(node, "size");
    if (!hub_node_to_long(item, &size) || size < 1 || size > HUB_FIXED_SIZE_MAX)
        return hub_node_fail(item == NULL ? node : item, loader->reterr,
                             "fixed '%s' needs a 'size' from 1 to %d", type->name,
                             HUB_FIXED_SIZE_MAX);
    type->fixed_size = (size_t)size;
    return HUB_OK;
}

/* Unnamed kinds may stand once in a union; named ones once under each name. */
static enum hub_status check_branch(struct loader *loader, const struct hub_node *node,
                                    const struct hub_type *const *branches, size_t last) {
    const struct hub_type *branch = branches[last];
    if (branch->kind == HUB_UNION)
        return hub_node_fail(node, loader->reterr,
                             "a union directly inside a union; list its branches here");
    for (size_t i = 0; i < last; i++) {
        bool same = branches[i]->kind == branch->kind &&
                    (branch->name == NULL || strcmp(branch->name, branches[i]->name) == 0);
        if (same)
            return hub_node_fail(node, loader->reterr, "the union has two branches of %s",
                                 branch->name != NULL ? branch->name : hub_kind_name(branch->kind));
    }
    return HUB_OK;
}

static enum hub_status load_union(struct loader *loader, const struct hub_node *node,
                                  const char *space, unsigned depth, struct hub_type *type) {
    if (node->count == 0 || node->count > HUB_BRANCHES_MAX)
        return hub_node_fail(node, loader->reterr, "a union has 1 to %d branches",
                             HUB_BRANCHES_MAX);
    const struct hub_type **branches =
        hub_arena_take_zero(loader->arena, node->count, sizeof *branches);
    for (size_t i = 0; i < node->count; i++) {
        HUB_TRY(load_type(loader, node->items[i], space, depth + 1, &branches[i]));
        HUB_TRY(check_branch(loader, node->items[i], branches, i));
    }
    type->kind = HUB_UNION;
    type->branches = branches;
    type->count = node->count;
    return HUB_OK;
}

/* Also by way of names no value nests deeper than the limit. */
static enum hub_status reach(struct loader *loader, const struct hub_node *node, unsigned depth) {
    if (depth > HUB_TYPE_DEPTH_MAX)
        return hub_node_fail(node, loader->reterr, "types nested deeper than %d levels",
                             HUB_TYPE_DEPTH_MAX);
    if (depth > loader->deepest)
        loader->deepest = depth;
    return HUB_OK;
}

/* A type given by a word: a primitive, or the name of one defined before. */
static enum hub_status load_word(struct loader *loader, const struct hub_node *node,
                                 const char *space, unsigned depth, struct hub_type *fresh,
                                 const struct hub_type **ret_type) {
    if (!is_whole_text(node))
        return hub_node_fail(node, loader->reterr, "a type's name must stand in quotes");
    if (is_primitive(node->text, &fresh->kind)) {
        *ret_type = fresh;
        return HUB_OK;
    }
    struct named *named = find_named(loader, full_name(loader, node->text, space));
    if (named == NULL)
        return hub_node_fail(node, loader->reterr,
                             "type '%s' is not defined before this place; a primitive type or a "
                             "name defined further up would pass", node->text);
    if (named->open)
        return hub_node_fail(node, loader->reterr,
                             "'%s' contains itself; recursive records are not accepted, because "
                             "no bound on depth would hold", node->text);
    *ret_type = named->type;
    return reach(loader, node, depth + named->height);
}

static enum hub_status load_items(struct loader *loader, const struct hub_node *node,
                                  const char *key, const char *space, unsigned depth,
                                  struct hub_type *type) {
    const struct hub_node *items = hub_node_get(node, key);
    if (items == NULL)
        return hub_node_fail(node, loader->reterr, "'%s' is missing", key);
    return load_type(loader, items, space, depth + 1, &type->items);
}

static enum hub_status load_object(struct loader *loader, const struct hub_node *node,
                                   const char *space, unsigned depth, struct hub_type *type) {
    const char *word = NULL;
    HUB_TRY(need_text(loader, node, "type", &word));
    const struct hub_node *logical = hub_node_get(node, "logicalType");
    type->logical = logical != NULL && logical->kind == HUB_NODE_SCALAR ? logical->text : NULL;
    if (is_primitive(word, &type->kind))
        return HUB_OK;
    static const struct {
        const char *word;
        enum hub_kind kind;
    } compounds[] = {{"record", HUB_RECORD},
                     {"enum", HUB_ENUM},
                     {"fixed", HUB_FIXED},
                     {"array", HUB_ARRAY},
                     {"map", HUB_MAP}};
    for (size_t i = 0; i < sizeof compounds / sizeof *compounds; i++)
        if (strcmp(compounds[i].word, word) == 0) {
            type->kind = compounds[i].kind;
            switch (type->kind) {
            case HUB_RECORD:
                return load_record(loader, node, space, depth, type);
            case HUB_ENUM:
                return load_enum(loader, node, space, type);
            case HUB_FIXED:
                return load_fixed(loader, node, space, type);
            case HUB_ARRAY:
                return load_items(loader, node, "items", space, depth, type);
            default:
                return load_items(loader, node, "values", space, depth, type);
            }
        }
    return hub_node_fail(hub_node_get(node, "type"), loader->reterr,
                         "'%s' is no type; primitive, record, enum, fixed, array or map would "
                         "pass", word);
}

static enum hub_status load_type(struct loader *loader, const struct hub_node *node,
                                 const char *space, unsigned depth,
                                 const struct hub_type **ret_type) {
    static const char *const no_aliases[] = {NULL};
    HUB_TRY(reach(loader, node, depth));
    struct hub_type *type = hub_arena_take_zero(loader->arena, 1, sizeof *type);
    type->node = node;
    type->default_symbol = -1;
    type->aliases = no_aliases;
    *ret_type = type;
    switch (node->kind) {
    case HUB_NODE_SCALAR:
        return load_word(loader, node, space, depth, type, ret_type);
    case HUB_NODE_SEQUENCE:
        return load_union(loader, node, space, depth, type);
    case HUB_NODE_MAPPING:
        return load_object(loader, node, space, depth, type);
    }
    return HUB_FATAL;
}

/* Named types may be used again and again, so that a short text could spell out a tree without end.
 * False where it has more than `left` types. */
static bool fits(const struct hub_type *type, size_t *left) {
    if (*left == 0)
        return false;
    (*left)--;
    bool good = type->items == NULL || fits(type->items, left);
    for (size_t i = 0; good && type->kind == HUB_UNION && i < type->count; i++)
        good = fits(type->branches[i], left);
    for (size_t i = 0; good && type->kind == HUB_RECORD && i < type->count; i++)
        good = fits(type->fields[i].type, left);
    return good;
}

/* The document tree is read by a YAML parser, for its marks; what a registry is given must be what
 * every JSON parser reads. */
static enum hub_status check_json(struct hub_bytes text, const char *file,
                                  struct hub_error *reterr) {
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.size,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (json == NULL)
        return hub_fail(reterr, HUB_FATAL, "%s:%d:%d: %s; JSON (RFC 8259) would pass", file,
                        error.line, error.column, error.text);
    json_decref(json);
    return HUB_OK;
}

enum hub_status hub_schema_load(struct hub_bytes text, const char *file,
                                struct hub_schema **ret_schema, struct hub_error *reterr) {
    struct hub_schema *schema = hub_allocate_zero(1, sizeof *schema);
    struct loader loader = {.arena = &schema->arena, .reterr = reterr};
    struct hub_node *node = NULL;
    enum hub_status status = hub_node_parse(text, file, &schema->arena, &node, reterr);
    if (status == HUB_OK)
        status = load_type(&loader, node, NULL, 0, &schema->root);
    if (status == HUB_OK)
        status = check_json(text, file, reterr);
    size_t left = HUB_TYPES_MAX;
    if (status == HUB_OK && !fits(schema->root, &left))
        status = hub_node_fail(node, reterr, "more than %d types, each counted wherever it is used",
                               HUB_TYPES_MAX);
    if (status != HUB_OK) {
        hub_schema_free(schema);
        return status;
    }
    schema->file = hub_arena_text(&schema->arena, file, strlen(file));
    schema->text = hub_arena_text(&schema->arena, (const char *)text.data, text.size);
    schema->text_size = text.size;
    *ret_schema = schema;
    return HUB_OK;
}

void hub_schema_free(struct hub_schema *schema) {
    if (schema == NULL)
        return;
    struct hub_arena arena = schema->arena;
    hub_arena_destroy(&arena);
    hub_release(schema);
}
