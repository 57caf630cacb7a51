#include "connectors/kit/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum segment_kind { MEMBER, ANY_MEMBER, INDEX, FILTER };
enum filter_kind { EQUALS, BEGINS, DIFFERS };

struct segment {
    enum segment_kind kind;
    const char *name; /* MEMBER; FILTER: the text compared with */
    const char *within; /* MEMBER that is an HL7 v2 field: its segment, or NULL */
    size_t index;
    enum filter_kind filter;
    struct hub_path *key; /* FILTER */
    struct segment *next;
};

struct hub_path {
    const char *text;
    size_t outward;      /* ^ at the beginning */
    const char *context; /* request, file ..., or NULL */
    struct segment *first;
};

struct parser {
    const struct hub_node *node;
    const char *rest;
    struct hub_arena *arena;
    struct hub_error *reterr;
};

static enum hub_status parse_segments(struct parser *parser, const char *stop,
                                      struct segment **ret_first);

static enum hub_status wrong(struct parser *parser, const char *what) {
    return hub_node_fail(parser->node, parser->reterr, "path '%s': %s", parser->node->text, what);
}

static enum hub_status parse_name(struct parser *parser, const char *stop, const char **ret_name) {
    const char *from = parser->rest;
    if (*from == '"') {
        const char *end = strchr(from + 1, '"');
        if (end == NULL)
            return wrong(parser, "a quote is not closed");
        *ret_name = hub_arena_text(parser->arena, from + 1, (size_t)(end - from - 1));
        parser->rest = end + 1;
        return HUB_OK;
    }
    size_t size = strcspn(from, stop);
    if (size == 0)
        return wrong(parser, "a name is missing");
    *ret_name = hub_arena_text(parser->arena, from, size);
    parser->rest = from + size;
    return HUB_OK;
}

/* SCH of SCH-2; NULL of what is no HL7 v2 field. */
static const char *segment_of(const char *name, struct hub_arena *arena) {
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", digits[] = "0123456789";
    bool fits = strchr(capitals, name[0]) != NULL && strcspn(name, "-") == 3 && name[3] == '-' &&
                name[4] != '\0' && name[4 + strspn(name + 4, digits)] == '\0';
    for (size_t i = 1; fits && i < 3; i++)
        fits = strchr(capitals, name[i]) != NULL || strchr(digits, name[i]) != NULL;
    return fits ? hub_arena_text(arena, name, 3) : NULL;
}

/* What stands between [ and ]. */
static enum hub_status parse_brackets(struct parser *parser, struct segment *segment) {
    size_t digits = strspn(parser->rest, "0123456789");
    if (digits > 0 && parser->rest[digits] == ']') {
        segment->kind = INDEX;
        segment->index = strtoul(parser->rest, NULL, 10);
        parser->rest += digits + 1;
        return HUB_OK;
    }
    segment->kind = FILTER;
    segment->key = hub_arena_take_zero(parser->arena, 1, sizeof *segment->key);
    segment->key->text = parser->node->text;
    HUB_TRY(parse_segments(parser, "=!^]", &segment->key->first));
    if (strncmp(parser->rest, "^=", 2) == 0)
        segment->filter = BEGINS;
    else if (strncmp(parser->rest, "!=", 2) == 0)
        segment->filter = DIFFERS;
    else if (*parser->rest != '=')
        return wrong(parser, "[3], [key=value], [key^=value] or [key!=value] would pass");
    parser->rest += segment->filter == EQUALS ? 1 : 2;
    if (*parser->rest == ']') {
        segment->name = "";
    } else {
        HUB_TRY(parse_name(parser, "]", &segment->name));
    }
    if (*parser->rest != ']')
        return wrong(parser, "a ] is missing");
    parser->rest++;
    return HUB_OK;
}

static enum hub_status parse_segments(struct parser *parser, const char *stop,
                                      struct segment **ret_first) {
    char name_stop[16];
    struct segment **place = ret_first;
    snprintf(name_stop, sizeof name_stop, ".[%s", stop);
    while (*parser->rest != '\0' && strchr(stop, *parser->rest) == NULL) {
        struct segment *segment = hub_arena_take_zero(parser->arena, 1, sizeof *segment);
        if (*parser->rest == '[') {
            parser->rest++;
            HUB_TRY(parse_brackets(parser, segment));
        } else {
            if (*parser->rest == '.')
                parser->rest++;
            bool quoted = *parser->rest == '"';
            HUB_TRY(parse_name(parser, name_stop, &segment->name));
            if (!quoted && strcmp(segment->name, "*") == 0)
                segment->kind = ANY_MEMBER;
            if (!quoted)
                segment->within = segment_of(segment->name, parser->arena);
        }
        *place = segment;
        place = &segment->next;
    }
    return HUB_OK;
}

static const char *context_of(const char *text) {
    static const char *const names[] = {"request", "file", "entry", "header", "document"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size = strlen(names[i]);
        if (text[0] == '@' && strncmp(text + 1, names[i], size) == 0 &&
            (text[size + 1] == '.' || text[size + 1] == '\0'))
            return names[i];
    }
    return NULL;
}

enum hub_status hub_path_parse(const struct hub_node *node, struct hub_arena *arena,
                               struct hub_path **ret_path, struct hub_error *reterr) {
    if (node->kind != HUB_NODE_SCALAR || node->text_size == 0)
        return hub_node_fail(node, reterr, "a path is a text such as a.b[0].c");
    struct parser parser = {node, node->text, arena, reterr};
    struct hub_path *path = hub_arena_take_zero(arena, 1, sizeof *path);
    path->text = node->text;
    path->context = context_of(node->text);
    if (path->context != NULL)
        parser.rest += strlen(path->context) + 1;
    while (*parser.rest == '^') {
        path->outward++;
        parser.rest++;
    }
    if (strcmp(parser.rest, ".") == 0)
        parser.rest++;
    HUB_TRY(parse_segments(&parser, "", &path->first));
    *ret_path = path;
    return HUB_OK;
}

const char *hub_path_text(const struct hub_path *path) {
    return path->text;
}

const char *hub_path_from_document(const struct hub_path *path, const char *const *bases,
                                   size_t base_count, struct hub_arena *arena) {
    const char *rest = path->text + strspn(path->text, "^");
    if (path->context != NULL)
        return path->text;
    rest += *rest == '.';
    const char *base = path->outward < base_count ? bases[path->outward] : "";
    bool joined = *base == '\0' || *rest == '\0' || *rest == '[';
    return hub_arena_format(arena, "%s%s%s", base, joined ? "" : ".", rest);
}

bool hub_tree_is_absent(const json_t *value) {
    if (value == NULL || json_is_null(value))
        return true;
    if (json_is_string(value))
        return json_string_length(value) == 0;
    if (json_is_array(value))
        return json_array_size(value) == 0;
    return json_is_object(value) && json_object_size(value) == 0;
}

/* The shortest text that reads as the same number, and a whole number with all its digits: 0.1 as
 * its source wrote it. */
static const char *real_text(double number, struct hub_arena *arena) {
    const char *text = NULL;
    if (number > -1e18 && number < 1e18 && number == (double)(long long)number)
        return hub_arena_format(arena, "%lld", (long long)number);
    for (int digits = 15; digits <= 17; digits++) {
        text = hub_arena_format(arena, "%.*g", digits, number);
        if (strtod(text, NULL) == number && strstr(text, "e+") == NULL)
            break;
    }
    return text;
}

const char *hub_tree_text(const json_t *value, struct hub_arena *arena) {
    if (json_is_object(value))
        value = json_object_get(value, "#text");
    if (json_is_string(value))
        return hub_arena_text(arena, json_string_value(value), json_string_length(value));
    if (json_is_integer(value))
        return hub_arena_format(arena, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return real_text(json_real_value(value), arena);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    return NULL;
}

struct found {
    struct hub_arena *arena;
    const json_t **items;
    size_t count, capacity;
    bool met_null;
};

static void add_found(struct found *found, const json_t *value) {
    if (hub_tree_is_absent(value))
        return;
    if (found->count == found->capacity) {
        size_t capacity = found->capacity == 0 ? 8 : found->capacity * 2;
        const json_t **wider = hub_arena_take(found->arena, capacity * sizeof *wider);
        if (found->count > 0)
            memcpy(wider, found->items, found->count * sizeof *wider);
        found->items = wider;
        found->capacity = capacity;
    }
    found->items[found->count++] = value;
}

static void follow(struct found *found, const struct segment *segment, const json_t *value);

static bool passes_filter(const struct found *found, const struct segment *segment,
                          const json_t *value) {
    struct found keys = {.arena = found->arena};
    follow(&keys, segment->key->first, value);
    bool hit = false;
    for (size_t i = 0; i < keys.count && !hit; i++) {
        const char *text = hub_tree_text(keys.items[i], found->arena);
        if (text == NULL)
            continue;
        hit = segment->filter == BEGINS ? strncmp(text, segment->name, strlen(segment->name)) == 0
                                        : strcmp(text, segment->name) == 0;
    }
    return segment->filter == DIFFERS ? !hit : hit;
}

static void follow_member(struct found *found, const struct segment *segment,
                          const json_t *value) {
    size_t i;
    json_t *element;
    if (json_is_array(value)) {
        json_array_foreach((json_t *)value, i, element)
            follow_member(found, segment, element);
        return;
    }
    const json_t *member = json_object_get(value, segment->name), *within = NULL;
    if (member == NULL && segment->within != NULL)
        within = json_object_get(value, segment->within);
    if (within != NULL)
        follow_member(found, segment, within);
    else
        follow(found, segment->next, member);
}

static void follow_any_member(struct found *found, const struct segment *segment,
                              const json_t *value) {
    size_t i;
    const char *name;
    json_t *element;
    json_array_foreach((json_t *)value, i, element)
        follow_any_member(found, segment, element);
    json_object_foreach((json_t *)value, name, element)
        if (*name != '@' && *name != '#')
            follow(found, segment->next, element);
}

static void follow(struct found *found, const struct segment *segment, const json_t *value) {
    size_t i;
    json_t *element;
    found->met_null |= json_is_null(value);
    if (value == NULL)
        return;
    if (segment == NULL) {
        if (!json_is_array(value)) {
            add_found(found, value);
            return;
        }
        json_array_foreach((json_t *)value, i, element)
            follow(found, NULL, element);
        return;
    }
    switch (segment->kind) {
    case MEMBER:
        follow_member(found, segment, value);
        return;
    case ANY_MEMBER:
        follow_any_member(found, segment, value);
        return;
    case INDEX:
        if (json_is_array(value))
            follow(found, segment->next, json_array_get(value, segment->index));
        else if (segment->index == 0)
            follow(found, segment->next, value);
        return;
    case FILTER:
        if (!json_is_array(value)) {
            if (passes_filter(found, segment, value))
                follow(found, segment->next, value);
            return;
        }
        json_array_foreach((json_t *)value, i, element) {
            if (passes_filter(found, segment, element))
                follow(found, segment->next, element);
        }
        return;
    }
}

const json_t *hub_path_start(const struct hub_path *path, const struct hub_scope *scope) {
    if (path->context != NULL)
        return json_object_get(scope->context, path->context);
    for (size_t i = 0; i < path->outward && scope != NULL; i++)
        scope = scope->outer;
    return scope == NULL ? NULL : scope->here;
}

void hub_path_find(const struct hub_path *path, const struct hub_scope *scope,
                   struct hub_arena *arena, const json_t ***ret_values, size_t *ret_count) {
    struct found found = {.arena = arena};
    struct hub_hook_set *read = scope->read;
    follow(&found, path->first, hub_path_start(path, scope));
    if (scope->met_null != NULL)
        *scope->met_null |= found.met_null;
    for (size_t i = 0; read != NULL && i < found.count; i++)
        if (!json_is_object(found.items[i]) || hub_tree_text(found.items[i], arena) != NULL)
            hub_hook_set_add(read, (uintptr_t)found.items[i]);
    *ret_values = found.items;
    *ret_count = found.count;
}
