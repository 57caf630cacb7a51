/* Compiling values: where a text comes from and what is done to it. */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/memory.h"
#include "hub/io/file.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct hub_transform hub_transforms[] = {
    {"from", "What a path finds. @request.x, @header.x and @file.x are facts that are not in the "
             "document.", "{from: study.title}"},
    {"value", "A constant.", "{value: en}"},
    {"first", "The first of these values that is stated.", "{first: [title, short_title]}"},
    {"join", "These values, one after the other; nothing where one of them is not stated.",
     "{join: [site, number], with: /}"},
    {"with", "What stands between the values of join.", "{join: [site, number], with: '-'}"},
    {"plus", "A time so much later as an amount of s, min, h or d says, as RFC 3339 has it.",
     "{plus: {to: begin, amount: minutes, unit: {value: min}, time: {formats: [rfc3339]}}}"},
    {"ref", "What another part of the document says: of those among which it is, the one that is called "
            "as from says; with folder: PATH, of the documents that were there at the start.",
     "{ref: {from: place.reference, among: ^entry.resource, by: {join: [kind, id], with: /}, take: "
     "name, else: null}}"},
    {"absent", "Texts that mean that nothing is stated.", "{from: title, absent: [N/A, unknown]}"},
    {"match", "What the first group of a regular expression finds, or nothing.",
     "{from: number, match: '^No ([0-9]+)$'}"},
    {"split", "One text becomes several, at this one.", "{from: titles, split: ';'}"},
    {"fold", "Capital letters of ASCII become small ones, as a table may need.",
     "{from: title, fold: case}"},
    {"table", "What a text is here, given that it is that there: pairs, or a CSV file of them.",
     "{from: state, table: {open: RECRUITING, shut: COMPLETED}, else: reject}"},
    {"lookup", "The identifier of an organisation, by the spellings of schemas/organisations.csv.",
     "{from: sponsor, lookup: organisations, else: null}"},
    {"else", "What becomes of a text that table or lookup does not have: reject, keep, null or a "
             "text.", "{from: state, table: {open: RECRUITING}, else: UNKNOWN}"},
    {"pseudonym", "A keyed hash in its place: shared by the institutions, which alone may join, or "
                  "local to one. While a shared key is replaced by the next, identifiers and links are "
                  "told under both, other fields under the newest only.",
     "{from: number, pseudonym: shared}"},
    {"time", "How a date or time is written: rfc3339, hl7, ical, date, partial or a pattern of "
             "strptime; and the zone of those that tell none.",
     "{from: begin, time: {formats: ['%d/%m/%Y'], zone: Europe/Stockholm, ambiguous: reject}}"},
    {"pick", "Of several texts the first (min) or the last (max) by their bytes.",
     "{from: dates, pick: max}"},
    {"blank", "Where the source leaves the field blank, what it last said is kept, for so many readings.",
     "{from: title, blank: {keep: 3}}"},
    {"seal", "Of a field that is sealed: whom it is about, as the institution knows them. It can be read with that "
             "subject's key alone, which stays here, and by nobody once `hubctl erase` has destroyed it.",
     "{from: title, seal: {subject: number}}"},
    {NULL, NULL, NULL},
};

static void enlist(struct map_loader *loader, const struct hub_node *node,
                   struct map_value *value) {
    struct map_value **end = &loader->mapping->values;
    if (loader->last != NULL)
        end = &loader->last->next;
    value->node = node;
    *end = loader->last = value;
}

enum hub_status map_load_path(struct map_loader *loader, const struct hub_node *node,
                              struct map_value **ret_value) {
    struct map_value *value = hub_arena_take_zero(loader->arena, 1, sizeof *value);
    enlist(loader, node, value);
    HUB_TRY(hub_path_parse(node, loader->arena, &value->path, loader->reterr));
    *ret_value = value;
    return HUB_OK;
}

static enum hub_status load_texts(struct map_loader *loader, const struct hub_node *node,
                                  const char *const **ret_texts) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? node->count : 1;
    const char **texts = hub_arena_take(loader->arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct hub_node *item = list ? node->items[i] : node;
        if (item->kind != HUB_NODE_SCALAR)
            return hub_node_fail(item, loader->reterr, "a text or a list of texts would pass");
        texts[i] = item->text;
    }
    texts[count] = NULL;
    *ret_texts = texts;
    return HUB_OK;
}

/* --- where it comes from --- */

static enum hub_status load_parts(struct map_loader *loader, const struct hub_node *node,
                                  struct map_value *value) {
    if (node->kind != HUB_NODE_SEQUENCE || node->count == 0)
        return hub_node_fail(node, loader->reterr, "a list of values would pass");
    value->parts = hub_arena_take_zero(loader->arena, node->count, sizeof *value->parts);
    value->part_count = node->count;
    for (size_t i = 0; i < node->count; i++)
        HUB_TRY(map_load_value(loader, node->items[i], NULL, &value->parts[i]));
    return HUB_OK;
}

static enum hub_status load_source(struct map_loader *loader, const struct hub_node *node,
                                   struct map_value *value) {
    const struct hub_node *from = hub_node_get(node, "from");
    const struct hub_node *constant = hub_node_get(node, "value");
    const struct hub_node *first = hub_node_get(node, "first");
    const struct hub_node *join = hub_node_get(node, "join");
    const struct hub_node *with = hub_node_get(node, "with");
    const struct hub_node *plus = hub_node_get(node, "plus");
    const struct hub_node *ref = hub_node_get(node, "ref");
    int sources = (from != NULL) + (constant != NULL) + (first != NULL) + (join != NULL) +
                  (plus != NULL) + (ref != NULL);
    if (sources != 1)
        return hub_node_fail(node, loader->reterr,
                             "exactly one of from, value, first, join, plus and ref would pass");
    if ((with != NULL) != (join != NULL) || (with != NULL && with->kind != HUB_NODE_SCALAR))
        return hub_node_fail(node, loader->reterr, "'with' belongs to 'join' and is a text");
    if (from != NULL) {
        value->source = MAP_FROM;
        return hub_path_parse(from, loader->arena, &value->path, loader->reterr);
    }
    if (plus != NULL)
        return map_load_plus(loader, plus, value);
    if (ref != NULL)
        return map_load_ref(loader, ref, value);
    if (constant != NULL) {
        value->source = MAP_CONSTANT;
        if (constant->kind != HUB_NODE_SCALAR)
            return hub_node_fail(constant, loader->reterr, "a text would pass");
        value->constant = constant->text;
        return HUB_OK;
    }
    value->source = first != NULL ? MAP_FIRST : MAP_JOIN;
    value->with = with == NULL ? NULL : with->text;
    return load_parts(loader, first != NULL ? first : join, value);
}

/* --- tables --- */

static int compare_pairs(const void *a, const void *b) {
    const struct map_pair *x = a, *y = b;
    return strcmp(x->from, y->from);
}

/* Whether a text that the configuration itself gives is one of the field's type. */
static enum hub_status check_output(struct map_loader *loader, const struct hub_node *node,
                                    const struct hub_type *type, const char *text) {
    if (type == NULL || strcmp(text, "null") == 0)
        return HUB_OK;
    if ((type->kind == HUB_INT || type->kind == HUB_LONG) && !map_is_whole_number(type, text))
        return hub_node_fail(node, loader->reterr, "'%s': a whole number would pass", text);
    if (type->kind == HUB_BOOLEAN && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return hub_node_fail(node, loader->reterr, "'%s': true or false would pass", text);
    if (type->kind != HUB_ENUM || hub_type_symbol(type, text) >= 0)
        return HUB_OK;
    const char *const *symbols = type->symbols;
    const char *known[HUB_SYMBOLS_MAX + 1];
    for (size_t i = 0; i < type->count; i++)
        known[i] = symbols[i];
    known[type->count] = NULL;
    const char *nearest = hub_node_nearest(text, known);
    return hub_node_fail(node, loader->reterr, "'%s' is no symbol of %s%s%s%s", text, type->name,
                         nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                         nearest == NULL ? "" : "?");
}

static enum hub_status load_inline_table(struct map_loader *loader, const struct hub_node *node,
                                         const struct hub_type *type, struct map_table *table) {
    table->pairs = hub_arena_take_zero(loader->arena, node->count, sizeof *table->pairs);
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i]->kind != HUB_NODE_SCALAR)
            return hub_node_fail(node->items[i], loader->reterr, "a text would pass");
        HUB_TRY(check_output(loader, node->items[i], type, node->items[i]->text));
        table->pairs[table->count++] =
            (struct map_pair){node->keys[i]->text, node->items[i]->text};
    }
    return HUB_OK;
}

struct table_reader {
    struct hub_arena *arena;
    struct map_table *table;
    size_t capacity;
    const char *cells[2];
    size_t column, row;
    size_t bad_row;
};

static void on_cell(void *cell, size_t size, void *data) {
    struct table_reader *reader = data;
    if (reader->column < 2)
        reader->cells[reader->column] =
            hub_arena_text(reader->arena, cell == NULL ? "" : cell, size);
    reader->column++;
}

static void on_row(int ending, void *data) {
    struct table_reader *reader = data;
    struct map_table *table = reader->table;
    (void)ending;
    reader->row++;
    if (reader->column != 2 && reader->bad_row == 0)
        reader->bad_row = reader->row;
    if (reader->column == 2 && reader->row > 1) {
        if (table->count == reader->capacity) {
            size_t capacity = reader->capacity == 0 ? 32 : reader->capacity * 2;
            struct map_pair *wider = hub_arena_take(reader->arena, capacity * sizeof *wider);
            if (table->count > 0)
                memcpy(wider, table->pairs, table->count * sizeof *wider);
            table->pairs = wider;
            reader->capacity = capacity;
        }
        table->pairs[table->count++] = (struct map_pair){reader->cells[0], reader->cells[1]};
    }
    reader->column = 0;
}

/* A CSV file of two columns; the first row names them. */
static enum hub_status load_table_file(struct map_loader *loader, const struct hub_node *node,
                                       const struct hub_type *type, struct map_table *table) {
    HUB_SCOPED_BUFFER text = {.size_max = 1024 * 1024};
    struct hub_error inner;
    struct csv_parser parser;
    const char *path =
        hub_file_resolve(loader->mapping->config.folder, node->text, loader->arena);
    if (hub_file_read(path, &text, &inner) != HUB_OK)
        return hub_node_fail(node, loader->reterr, "%s", inner.text);
    struct table_reader reader = {.arena = loader->arena, .table = table};
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_realloc_func(&parser, hub_reallocate);
    bool whole = csv_parse(&parser, text.data, text.size, on_cell, on_row, &reader) == text.size &&
                 csv_fini(&parser, on_cell, on_row, &reader) == 0;
    csv_free(&parser);
    if (!whole || reader.bad_row != 0)
        return hub_node_fail(node, loader->reterr, "%s:%zu: two cells a row would pass", path,
                             reader.bad_row);
    for (size_t i = 0; i < table->count; i++)
        HUB_TRY(check_output(loader, node, type, table->pairs[i].to));
    return HUB_OK;
}

static enum hub_status load_else(struct map_loader *loader, const struct hub_node *node,
                                 const struct hub_type *type, struct map_value *value) {
    if (node == NULL || node->kind != HUB_NODE_SCALAR)
        return hub_node_fail(node == NULL ? value->node : node, loader->reterr,
                             "'else' must say what becomes of anything not listed: reject, keep, "
                             "null, or a text");
    if (hub_node_is_text(node, "reject")) {
        value->otherwise = MAP_ELSE_REJECT;
    } else if (hub_node_is_text(node, "keep") || hub_node_is_text(node, "keep_text")) {
        value->otherwise = MAP_ELSE_KEEP;
    } else if (hub_node_is_null(node) || hub_node_is_text(node, "null")) { /* as in a table */
        value->otherwise = MAP_ELSE_NULL;
    } else if (value->lookup) {
        return hub_node_fail(node, loader->reterr, "reject, keep_text or null would pass");
    } else {
        value->otherwise = MAP_ELSE_TEXT;
        value->otherwise_text = node->text;
        return check_output(loader, node, type, node->text);
    }
    return HUB_OK;
}

static enum hub_status load_table(struct map_loader *loader, const struct hub_node *node,
                                  const struct hub_type *type, struct map_value *value) {
    struct map_table *table = hub_arena_take_zero(loader->arena, 1, sizeof *table);
    if (node->kind == HUB_NODE_MAPPING)
        HUB_TRY(load_inline_table(loader, node, type, table));
    else if (node->kind == HUB_NODE_SCALAR)
        HUB_TRY(load_table_file(loader, node, type, table));
    else
        return hub_node_fail(node, loader->reterr, "{from: to, ...} or a CSV file would pass");
    if (table->count > 0)
        qsort(table->pairs, table->count, sizeof *table->pairs, compare_pairs);
    for (size_t i = 1; i < table->count; i++)
        if (compare_pairs(&table->pairs[i - 1], &table->pairs[i]) == 0)
            return hub_node_fail(node, loader->reterr, "'%s' stands in the table twice",
                                 table->pairs[i].from);
    value->table = table;
    return HUB_OK;
}

/* --- other steps --- */

static enum hub_status load_zone(struct map_loader *loader, const struct hub_node *node,
                                 struct map_time *time) {
    struct hub_error why;
    if (node->text == NULL)
        return hub_node_fail(node, loader->reterr, "a text would pass");
    time->has_zone = true;
    if (map_time_zone(node->text, &time->offset_minutes) ||
        hub_zone_load(node->text, loader->arena, &time->zone, &why) == HUB_OK)
        return HUB_OK;
    return hub_node_fail(node, loader->reterr, "'%s': %s; UTC, an offset such as +01:00, or a "
                         "name such as Europe/Stockholm would pass", node->text, why.text);
}

static enum hub_status load_ambiguous(struct map_loader *loader, const struct hub_node *node,
                                      struct map_time *time) {
    static const char *const words[] = {"reject", "earlier", "later"};
    if (time->zone == NULL)
        return hub_node_fail(node, loader->reterr, "'ambiguous' is for a zone in which clocks are "
                             "put back; none with a name is given");
    for (size_t i = 0; i < 3; i++)
        if (hub_node_is_text(node, words[i])) {
            time->ambiguous = (enum map_ambiguous)i;
            return HUB_OK;
        }
    return hub_node_fail(node, loader->reterr, "reject, earlier or later would pass");
}

enum hub_status map_load_time(struct map_loader *loader, const struct hub_node *node,
                              struct map_time **ret_time) {
    static const char *const keys[] = {"formats", "zone", "ambiguous", NULL};
    struct map_time *time = hub_arena_take_zero(loader->arena, 1, sizeof *time);
    *ret_time = time;
    time->zones = hub_arena_take_zero(loader->arena, 1, sizeof *time->zones);
    time->zones->arena = loader->arena;
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr, "{formats: [...], zone: ...} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_node *formats = hub_node_get(node, "formats");
    const struct hub_node *zone = hub_node_get(node, "zone");
    const struct hub_node *ambiguous = hub_node_get(node, "ambiguous");
    if (formats == NULL)
        return hub_node_fail(node, loader->reterr, "'formats' is missing");
    HUB_TRY(load_texts(loader, formats, &time->formats));
    for (size_t i = 0; time->formats[i] != NULL; i++) {
        const char *format = time->formats[i];
        if (!map_time_is_format(format))
            return hub_node_fail(formats->kind == HUB_NODE_SEQUENCE ? formats->items[i] : formats,
                                 loader->reterr,
                                 "'%s': rfc3339, hl7, ical, date, partial or a pattern such as "
                                 "%%d/%%m/%%Y would pass", format);
    }
    if (zone != NULL)
        HUB_TRY(load_zone(loader, zone, time));
    return ambiguous == NULL ? HUB_OK : load_ambiguous(loader, ambiguous, time);
}

static enum hub_status load_match(struct map_loader *loader, const struct hub_node *node,
                                  struct map_value *value) {
    int code = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR text[256];
    if (node->kind != HUB_NODE_SCALAR)
        return hub_node_fail(node, loader->reterr, "a regular expression would pass");
    value->match = hub_expression_compile(node->text, node->text_size, PCRE2_UTF, &code, &at);
    if (value->match != NULL)
        return HUB_OK;
    pcre2_get_error_message(code, text, sizeof text);
    return hub_node_fail(node, loader->reterr, "at character %zu: %s", (size_t)at + 1, text);
}

static enum hub_status load_pseudonym(struct map_loader *loader, const struct hub_node *node,
                                      struct map_value *value) {
    const struct hub_keys *keys = loader->mapping->config.keys;
    bool shared = hub_node_is_text(node, "shared");
    if (!shared && !hub_node_is_text(node, "local"))
        return hub_node_fail(node, loader->reterr, "shared or local would pass");
    value->pseudonym = shared ? MAP_PSEUDONYM_SHARED : MAP_PSEUDONYM_LOCAL;
    if ((shared ? keys->shared.id : keys->local.id) == NULL)
        return hub_node_fail(node, loader->reterr,
                             "there is no %s key in use; --keys names the folder that holds them",
                             node->text);
    return HUB_OK;
}

static enum hub_status load_pick(struct map_loader *loader, const struct hub_node *node,
                                 struct map_value *value) {
    bool min = hub_node_is_text(node, "min");
    if (!min && !hub_node_is_text(node, "max"))
        return hub_node_fail(node, loader->reterr, "min or max would pass");
    value->pick = min ? MAP_PICK_MIN : MAP_PICK_MAX;
    return HUB_OK;
}

static enum hub_status load_steps(struct map_loader *loader, const struct hub_node *node,
                                  const struct hub_type *type, struct map_value *value) {
    const struct hub_node *item = NULL;
    if ((item = hub_node_get(node, "absent")) != NULL)
        HUB_TRY(load_texts(loader, item, &value->absent));
    if ((item = hub_node_get(node, "match")) != NULL)
        HUB_TRY(load_match(loader, item, value));
    if ((item = hub_node_get(node, "split")) != NULL) {
        if (item->kind != HUB_NODE_SCALAR || item->text_size == 0)
            return hub_node_fail(item, loader->reterr, "the text between the parts would pass");
        value->split = item->text;
    }
    if ((item = hub_node_get(node, "fold")) != NULL) {
        if (!hub_node_is_text(item, "case"))
            return hub_node_fail(item, loader->reterr, "case would pass");
        value->fold_case = true;
    }
    if ((item = hub_node_get(node, "table")) != NULL)
        HUB_TRY(load_table(loader, item, type, value));
    if ((item = hub_node_get(node, "lookup")) != NULL) {
        if (!hub_node_is_text(item, "organisations"))
            return hub_node_fail(item, loader->reterr, "organisations would pass");
        value->lookup = true;
    }
    item = hub_node_get(node, "else");
    if (value->table != NULL || value->lookup)
        HUB_TRY(load_else(loader, item, type, value));
    else if (item != NULL)
        return hub_node_fail(item, loader->reterr, "'else' belongs to 'table' or 'lookup'");
    if ((item = hub_node_get(node, "pseudonym")) != NULL)
        HUB_TRY(load_pseudonym(loader, item, value));
    if ((item = hub_node_get(node, "time")) != NULL)
        HUB_TRY(map_load_time(loader, item, &value->time));
    if ((item = hub_node_get(node, "pick")) != NULL)
        HUB_TRY(load_pick(loader, item, value));
    if ((item = hub_node_get(node, "blank")) != NULL)
        HUB_TRY(map_load_blank(loader, item, value));
    return HUB_OK;
}

enum hub_status map_load_value(struct map_loader *loader, const struct hub_node *node,
                               const struct hub_type *type, struct map_value *value) {
    enlist(loader, node, value);
    if (node->kind == HUB_NODE_SCALAR)
        return hub_path_parse(node, loader->arena, &value->path, loader->reterr);
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr, "a path or {from: ..., ...} would pass");
    const char *keys[sizeof hub_transforms / sizeof *hub_transforms];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        keys[i] = hub_transforms[i].name;
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    if (hub_node_get(node, "seal") != NULL)
        return hub_node_fail(hub_node_key(node, "seal"), loader->reterr,
                             "'seal' is for a field whose type is Sealed; this one is read by everybody");
    HUB_TRY(load_source(loader, node, value));
    if (value->source == MAP_CONSTANT)
        HUB_TRY(check_output(loader, hub_node_get(node, "value"), type, value->constant));
    return load_steps(loader, node, type, value);
}
