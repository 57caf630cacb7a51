#include "schemas/lib/node.h"

#include "hub/base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct hub_bytes text;
    struct hub_arena *arena;
    const char *file;
    struct hub_error *reterr;
};

struct growing {
    struct hub_node **items;
    struct hub_node **keys;
    size_t count, capacity;
};

/* What is no text at all is refused before libyaml has marks for it. */
static enum hub_status fail_at_byte(struct reader *reader, size_t offset, const char *problem) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < offset && i < reader->text.size; i++) {
        bool ended = reader->text.data[i] == '\n';
        line += ended;
        column = ended ? 1 : column + 1;
    }
    return hub_fail(reader->reterr, HUB_FATAL, "%s:%zu:%zu: %s", reader->file, line, column,
                    problem);
}

static enum hub_status next_event(struct reader *reader, yaml_event_t *ret_event) {
    if (yaml_parser_parse(&reader->parser, ret_event))
        return HUB_OK;
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        hub_memory_end();
    if (parser->error == YAML_READER_ERROR)
        return fail_at_byte(reader, parser->problem_offset, parser->problem);
    return hub_fail(reader->reterr, HUB_FATAL, "%s:%zu:%zu: %s%s%s", reader->file,
                    parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                    parser->context != NULL ? parser->context : "",
                    parser->context != NULL ? ", " : "",
                    parser->problem != NULL ? parser->problem : "not well-formed");
}

static struct hub_node *new_node(struct reader *reader, const yaml_event_t *event,
                                 enum hub_node_kind kind) {
    struct hub_node *node = hub_arena_take_zero(reader->arena, 1, sizeof *node);
    node->kind = kind;
    node->file = reader->file;
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    return node;
}

static void add_child(struct reader *reader, struct growing *list, struct hub_node *key,
                      struct hub_node *item) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        struct hub_node **items = hub_arena_take(reader->arena, capacity * sizeof *items);
        struct hub_node **keys = hub_arena_take(reader->arena, capacity * sizeof *keys);
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
            memcpy(keys, list->keys, list->count * sizeof *keys);
        }
        *list = (struct growing){items, keys, list->count, capacity};
    }
    list->items[list->count] = item;
    list->keys[list->count++] = key;
}

static enum hub_status read_value(struct reader *reader, yaml_event_t *event, unsigned depth,
                                  struct hub_node **ret_node);

static enum hub_status read_children(struct reader *reader, struct hub_node *node,
                                     yaml_event_type_t end, unsigned depth) {
    struct growing list = {0};
    for (;;) {
        yaml_event_t event;
        HUB_TRY(next_event(reader, &event));
        if (event.type == end) {
            yaml_event_delete(&event);
            break;
        }
        struct hub_node *key = NULL, *item = NULL;
        if (node->kind == HUB_NODE_MAPPING) {
            HUB_TRY(read_value(reader, &event, depth + 1, &key));
            if (key->kind != HUB_NODE_SCALAR)
                return hub_node_fail(key, reader->reterr, "a key must be a plain word or text");
            if (strlen(key->text) != key->text_size)
                return hub_node_fail(key, reader->reterr, "a key with a zero byte in it");
            for (size_t i = 0; i < list.count; i++)
                if (strcmp(list.keys[i]->text, key->text) == 0)
                    return hub_node_fail(key, reader->reterr,
                                         "key '%s' stands here twice, first in line %zu", key->text,
                                         list.keys[i]->line);
            HUB_TRY(next_event(reader, &event));
        }
        HUB_TRY(read_value(reader, &event, depth + 1, &item));
        add_child(reader, &list, key, item);
    }
    node->items = list.items;
    node->keys = list.keys;
    node->count = list.count;
    return HUB_OK;
}

/* Consumes the event. */
static enum hub_status read_value(struct reader *reader, yaml_event_t *event, unsigned depth,
                                  struct hub_node **ret_node) {
    struct hub_node *node = NULL;
    yaml_event_type_t type = event->type;
    bool marked = false;
    switch (type) {
    case YAML_SCALAR_EVENT:
        node = new_node(reader, event, HUB_NODE_SCALAR);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = hub_arena_text(reader->arena, (const char *)event->data.scalar.value,
                                    event->data.scalar.length);
        node->text_size = event->data.scalar.length;
        marked = event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
        break;
    case YAML_SEQUENCE_START_EVENT:
        node = new_node(reader, event, HUB_NODE_SEQUENCE);
        marked = event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
        break;
    case YAML_MAPPING_START_EVENT:
        node = new_node(reader, event, HUB_NODE_MAPPING);
        marked = event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
        break;
    default:
        node = new_node(reader, event, HUB_NODE_SCALAR);
        marked = true;
        break;
    }
    yaml_event_delete(event);
    if (marked)
        return hub_node_fail(node, reader->reterr,
                             "anchors (&), aliases (*) and tags (!) are not read here; write the "
                             "value out");
    if (depth > HUB_NODE_DEPTH_MAX)
        return hub_node_fail(node, reader->reterr, "nested deeper than %d levels",
                             HUB_NODE_DEPTH_MAX);
    *ret_node = node;
    if (node->kind == HUB_NODE_SCALAR)
        return HUB_OK;
    return read_children(reader, node,
                         type == YAML_SEQUENCE_START_EVENT ? YAML_SEQUENCE_END_EVENT
                                                           : YAML_MAPPING_END_EVENT,
                         depth);
}

static enum hub_status read_document(struct reader *reader, struct hub_node **ret_node) {
    yaml_event_t event;
    HUB_TRY(next_event(reader, &event)); /* stream start */
    yaml_event_delete(&event);
    HUB_TRY(next_event(reader, &event));
    if (event.type != YAML_DOCUMENT_START_EVENT) {
        yaml_event_delete(&event);
        return hub_fail(reader->reterr, HUB_FATAL, "%s:1:1: the file is empty", reader->file);
    }
    yaml_event_delete(&event);
    HUB_TRY(next_event(reader, &event));
    HUB_TRY(read_value(reader, &event, 0, ret_node));
    HUB_TRY(next_event(reader, &event)); /* document end */
    yaml_event_delete(&event);
    HUB_TRY(next_event(reader, &event));
    bool ended = event.type == YAML_STREAM_END_EVENT;
    size_t line = event.start_mark.line + 1;
    yaml_event_delete(&event);
    if (!ended)
        return hub_fail(reader->reterr, HUB_FATAL, "%s:%zu:1: a second document begins here; one "
                        "file is one document", reader->file, line);
    return HUB_OK;
}

enum hub_status hub_node_parse(struct hub_bytes text, const char *file, struct hub_arena *arena,
                               struct hub_node **ret_node, struct hub_error *reterr) {
    if (text.size > HUB_NODE_TEXT_SIZE_MAX)
        return hub_fail(reterr, HUB_FATAL, "%s: %zu bytes, over the limit of %d", file, text.size,
                        HUB_NODE_TEXT_SIZE_MAX);
    struct reader reader = {.text = text, .arena = arena, .reterr = reterr};
    reader.file = hub_arena_text(arena, file, strlen(file));
    if (!yaml_parser_initialize(&reader.parser))
        hub_memory_end();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    /* Of an empty file there are no bytes, and libyaml wants some. */
    const uint8_t *bytes = text.data == NULL ? (const uint8_t *)"" : text.data;
    yaml_parser_set_input_string(&reader.parser, bytes, text.size);
    struct hub_node *node = NULL;
    enum hub_status status = read_document(&reader, &node);
    yaml_parser_delete(&reader.parser);
    if (status == HUB_OK)
        *ret_node = node;
    return status;
}

static size_t find_key(const struct hub_node *mapping, const char *key) {
    if (mapping != NULL && mapping->kind == HUB_NODE_MAPPING)
        for (size_t i = 0; i < mapping->count; i++)
            if (strcmp(mapping->keys[i]->text, key) == 0)
                return i;
    return SIZE_MAX;
}

struct hub_node *hub_node_get(const struct hub_node *mapping, const char *key) {
    size_t i = find_key(mapping, key);
    return i == SIZE_MAX ? NULL : mapping->items[i];
}

struct hub_node *hub_node_key(const struct hub_node *mapping, const char *key) {
    size_t i = find_key(mapping, key);
    return i == SIZE_MAX ? NULL : mapping->keys[i];
}

static bool is_plain(const struct hub_node *node) {
    return node != NULL && node->kind == HUB_NODE_SCALAR && !node->quoted;
}

bool hub_node_is_text(const struct hub_node *node, const char *text) {
    return node != NULL && node->kind == HUB_NODE_SCALAR && strcmp(node->text, text) == 0;
}

bool hub_node_is_null(const struct hub_node *node) {
    return is_plain(node) && (node->text_size == 0 || hub_node_is_text(node, "null") ||
                              hub_node_is_text(node, "~"));
}

bool hub_node_to_bool(const struct hub_node *node, bool *ret_value) {
    if (!is_plain(node) || (!hub_node_is_text(node, "true") && !hub_node_is_text(node, "false")))
        return false;
    *ret_value = node->text[0] == 't';
    return true;
}

bool hub_node_to_long(const struct hub_node *node, int64_t *ret_value) {
    if (!is_plain(node) || node->text_size == 0)
        return false;
    char *end = NULL;
    errno = 0;
    long long value = strtoll(node->text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret_value = value;
    return true;
}

bool hub_node_to_double(const struct hub_node *node, double *ret_value) {
    if (!is_plain(node) || node->text_size == 0 || strpbrk(node->text, "xXnNiI") != NULL)
        return false;
    char *end = NULL;
    errno = 0;
    double value = strtod(node->text, &end);
    if (errno != 0 || *end != '\0')
        return false;
    *ret_value = value;
    return true;
}

enum hub_status hub_node_fail(const struct hub_node *node, struct hub_error *reterr,
                              const char *format, ...) {
    char text[HUB_ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return hub_fail(reterr, HUB_FATAL, "%s:%zu:%zu: %s", node->file, node->line, node->column,
                    text);
}

static size_t edit_distance(const char *a, const char *b) {
    enum { LENGTH_MAX = 48 };
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > LENGTH_MAX || b_size > LENGTH_MAX)
        return SIZE_MAX;
    size_t row[LENGTH_MAX + 1];
    for (size_t k = 0; k <= b_size; k++)
        row[k] = k;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b_size; k++) {
            size_t replaced = diagonal + (a[i - 1] != b[k - 1]);
            diagonal = row[k];
            size_t best = row[k] < row[k - 1] ? row[k] + 1 : row[k - 1] + 1;
            row[k] = replaced < best ? replaced : best;
        }
    }
    return row[b_size];
}

const char *hub_node_nearest(const char *word, const char *const *words) {
    const char *nearest = NULL;
    size_t best = strlen(word) / 2 + 1;
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t distance = edit_distance(word, words[i]);
        if (distance < best) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}

enum hub_status hub_node_check_keys(const struct hub_node *mapping, const char *const *allowed,
                                    struct hub_error *reterr) {
    if (mapping->kind == HUB_NODE_SEQUENCE)
        return hub_node_fail(mapping, reterr, "a list; {key: value} would pass");
    for (size_t i = 0; i < mapping->count; i++) {
        const char *key = mapping->keys[i]->text;
        size_t k = 0;
        while (allowed[k] != NULL && strcmp(allowed[k], key) != 0)
            k++;
        if (allowed[k] != NULL)
            continue;
        const char *nearest = hub_node_nearest(key, allowed);
        if (nearest != NULL)
            return hub_node_fail(mapping->keys[i], reterr, "unknown key '%s'; did you mean '%s'?",
                                 key, nearest);
        HUB_SCOPED_BUFFER list = {0};
        for (k = 0; allowed[k] != NULL; k++)
            hub_buffer_append_format(&list, "%s%s", k == 0 ? "" : ", ", allowed[k]);
        return hub_node_fail(mapping->keys[i], reterr, "unknown key '%s'; known here: %s", key,
                             hub_buffer_text(&list));
    }
    return HUB_OK;
}
