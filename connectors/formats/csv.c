/* CSV (RFC 4180), by libcsv. The first row names the columns; every row becomes an object of texts
 * by column name. A row that does not fit is an error of its own, with its bytes; the next row goes
 * on. */
#include "connectors/formats/formats.h"

#include "hub/base/text.h"

#include <csv.h>
#include <string.h>

enum { COLUMNS_MAX = 512 };

struct csv_options {
    const char *delimiter;
};

static const struct hub_option options[] = {
    {.name = "delimiter",
     HUB_TEXT_OPTION(struct csv_options, delimiter),
     .initial = ",",
     .help = "The character between cells."},
    {0},
};

struct table {
    struct hub_arena *arena;
    struct hub_bytes document;
    json_t *rows;
    const char *columns[COLUMNS_MAX];
    size_t column_count;
    json_t *cells; /* of the row being read */
    size_t row_from, line, row_line;
    bool row_ended;
    struct hub_parsed *parsed;
    size_t row_capacity, error_capacity;
};

static void on_cell(void *cell, size_t size, void *data) {
    struct table *table = data;
    json_array_append_new(table->cells, json_stringn(cell == NULL ? "" : cell, size));
}

static void on_row(int ending, void *data) {
    struct table *table = data;
    (void)ending;
    table->row_ended = true;
}

/* Doubles an array that lives in the arena. */
static void *widen(struct hub_arena *arena, void *items, size_t count, size_t *capacity,
                   size_t size) {
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    void *wider = hub_arena_take(arena, *capacity * size);
    if (count > 0)
        memcpy(wider, items, count * size);
    return wider;
}

static void add_error(struct table *table, struct hub_bytes raw, const char *text) {
    struct hub_parsed *parsed = table->parsed;
    parsed->errors = widen(table->arena, parsed->errors, parsed->error_count,
                           &table->error_capacity, sizeof *parsed->errors);
    parsed->errors[parsed->error_count++] = (struct hub_row_error){table->row_line, raw, text};
}

static enum hub_status take_header(struct table *table, struct hub_error *reterr) {
    size_t count = json_array_size(table->cells);
    if (count > COLUMNS_MAX)
        return hub_fail(reterr, HUB_REJECT, "line 1: %zu columns, over the limit of %d", count,
                        COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        json_t *cell = json_array_get(table->cells, i);
        const char *name = cell == NULL ? NULL : json_string_value(cell);
        if (name == NULL)
            return hub_fail(reterr, HUB_REJECT, "line 1: a column name that is not UTF-8");
        if (i == 0 && strncmp(name, "\xef\xbb\xbf", 3) == 0)
            name += 3; /* a byte order mark */
        for (size_t k = 0; k < i; k++)
            if (strcmp(table->columns[k], name) == 0)
                return hub_fail(reterr, HUB_REJECT, "line 1: column '%s' stands there twice", name);
        table->columns[i] = hub_arena_text(table->arena, name, strlen(name));
    }
    table->column_count = count;
    return HUB_OK;
}

static void take_row(struct table *table, struct hub_bytes raw) {
    size_t count = json_array_size(table->cells);
    struct hub_parsed *parsed = table->parsed;
    if (count == 0 || (count == 1 && table->column_count > 1 &&
                       json_string_length(json_array_get(table->cells, 0)) == 0))
        return; /* an empty line */
    if (!hub_text_is_utf8(raw)) {
        add_error(table, raw, "not UTF-8");
        return;
    }
    if (count != table->column_count) {
        add_error(table, raw,
                  hub_arena_format(table->arena, "%zu cells; %zu, as in the first row, would pass",
                                   count, table->column_count));
        return;
    }
    json_t *row = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(row, table->columns[i], json_incref(json_array_get(table->cells, i)));
    json_array_append_new(table->rows, row);
    size_t capacity = table->row_capacity;
    parsed->rows = widen(table->arena, parsed->rows, parsed->row_count, &capacity,
                         sizeof *parsed->rows);
    parsed->row_lines = widen(table->arena, parsed->row_lines, parsed->row_count,
                              &table->row_capacity, sizeof *parsed->row_lines);
    parsed->rows[parsed->row_count] = raw;
    parsed->row_lines[parsed->row_count++] = table->row_line;
}

static enum hub_status end_row(struct table *table, size_t to, struct hub_error *reterr) {
    struct hub_bytes raw = hub_bytes_part(table->document, table->row_from, to);
    bool header = table->column_count == 0;
    enum hub_status status = HUB_OK;
    if (header && json_array_size(table->cells) > 0)
        status = take_header(table, reterr);
    else if (!header)
        take_row(table, raw);
    if (table->parsed->row_count > HUB_ROWS_MAX)
        status = hub_fail(reterr, HUB_REJECT, "more than %d rows", HUB_ROWS_MAX);
    json_array_clear(table->cells);
    table->row_from = to;
    table->row_line = table->line;
    table->row_ended = false;
    return status;
}

/* Feeds the parser line by line, so that the bytes of every row are known. */
static enum hub_status read_rows(struct csv_parser *parser, struct table *table,
                                 struct hub_error *reterr) {
    size_t from = 0;
    table->line = table->row_line = 1;
    while (from < table->document.size) {
        const uint8_t *start = table->document.data + from;
        const uint8_t *end = memchr(start, '\n', table->document.size - from);
        size_t size = end == NULL ? table->document.size - from : (size_t)(end - start) + 1;
        if (csv_parse(parser, start, size, on_cell, on_row, table) != size)
            return hub_fail(reterr, HUB_REJECT, "line %zu: %s", table->line,
                            csv_strerror(csv_error(parser)));
        from += size;
        table->line++;
        if (table->row_ended)
            HUB_TRY(end_row(table, from, reterr));
    }
    if (csv_fini(parser, on_cell, on_row, table) != 0)
        return hub_fail(reterr, HUB_REJECT, "line %zu: a quote that begins here is never closed",
                        table->row_line);
    if (json_array_size(table->cells) > 0)
        HUB_TRY(end_row(table, from, reterr));
    if (table->column_count == 0)
        return hub_fail(reterr, HUB_REJECT, "the file is empty; a first row of column names would "
                        "pass");
    return HUB_OK;
}

static enum hub_status parse(const void *options_, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    const struct csv_options *own = options_;
    struct hub_parsed parsed = {.tree = json_object()};
    struct csv_parser parser;
    if (strlen(own->delimiter) != 1)
        return hub_fail(reterr, HUB_FATAL, "delimiter '%s': one character would pass",
                        own->delimiter);
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return hub_fail(reterr, HUB_FATAL, "no memory for a parser");
    csv_set_delim(&parser, (unsigned char)own->delimiter[0]);
    struct table table = {.arena = arena,
                          .document = document,
                          .rows = json_array(),
                          .cells = json_array(),
                          .parsed = &parsed};
    json_object_set_new(parsed.tree, "rows", table.rows);
    enum hub_status status = read_rows(&parser, &table, reterr);
    csv_free(&parser);
    json_decref(table.cells);
    if (status != HUB_OK)
        json_decref(parsed.tree);
    else
        *ret_parsed = parsed;
    return status;
}

const struct hub_format hub_format_csv = {
    .name = "csv",
    .summary = "A table; the first row names the columns.",
    .options = options,
    .options_size = sizeof(struct csv_options),
    .each = "rows",
    .parse = parse,
};
