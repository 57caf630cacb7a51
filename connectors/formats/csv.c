/* CSV (RFC 4180), by libcsv. The first row names the columns, unless the configuration does; every
 * row becomes an object of texts by column name. A row that does not fit is an error of its own, with its bytes; the next row goes
 * on. After a quote where none may stand, the next line does. */
#include "connectors/formats/charset.h"
#include "connectors/formats/formats.h"
#include "connectors/formats/rows.h"

#include "hub/base/memory.h"
#include "hub/base/text.h"

#include <csv.h>
#include <string.h>

enum { COLUMNS_MAX = 512 };

struct csv_options {
    const char *delimiter;
    const char *charset;
    const char *comment;
    const char *const *columns;
};

static const char *const delimiters[] = {",", ";", "\t", "|", NULL};
static const char *const comments[] = {"#", ";", NULL};
/* Those in which a quote, a delimiter and a line end are the bytes that they are in ASCII. */
static const char *const charsets[] = {"utf-8", "windows-1252", "iso-8859-1", "iso-8859-15", NULL};

static const struct hub_option options[] = {
    {.name = "delimiter",
     HUB_TEXT_OPTION(struct csv_options, delimiter),
     .initial = ",",
     .choices = delimiters,
     .help = "The character between cells."},
    {.name = "charset",
     HUB_TEXT_OPTION(struct csv_options, charset),
     .initial = "utf-8",
     .choices = charsets,
     .help = "The file's character set."},
    {.name = "comment",
     HUB_TEXT_OPTION(struct csv_options, comment),
     .choices = comments,
     .help = "What a line begins with that is no row."},
    {.name = "columns",
     HUB_TEXTS_OPTION(struct csv_options, columns),
     .help = "The columns' names, where the file has no row of them."},
    {0},
};

struct table {
    const struct csv_options *options;
    struct csv_parser parser;
    iconv_t converter; /* to UTF-8; unused where the file is in UTF-8 */
    struct hub_arena *arena;
    struct hub_bytes document;
    json_t *rows;
    const char *columns[COLUMNS_MAX];
    size_t column_count;
    json_t *cells; /* of the row being read */
    bool foreign;  /* a cell of it is not in the character set */
    size_t row_from, line, row_line;
    bool row_ended;
    struct hub_parsed *parsed;
};

static bool is_utf8(const struct csv_options *own) {
    return strcmp(own->charset, "utf-8") == 0;
}

/* A cell as a text in UTF-8, or NULL. A zero byte would end the text before its end. */
static json_t *text_of(struct table *table, char *cell, size_t size) {
    if (memchr(cell, '\0', size) != NULL)
        return NULL;
    if (is_utf8(table->options))
        return json_stringn(cell, size);
    size_t room = 3 * size, left = room; /* one byte becomes at most three */
    char *text = hub_arena_take(table->arena, room + 1), *to = text;
    if (iconv(table->converter, &cell, &size, &to, &left) == (size_t)-1)
        return NULL;
    return json_stringn(text, room - left);
}

static void on_cell(void *cell, size_t size, void *data) {
    struct table *table = data;
    json_t *text = cell == NULL ? json_string("") : text_of(table, cell, size);
    table->foreign |= text == NULL;
    json_array_append_new(table->cells, text == NULL ? json_null() : text);
}

static void on_row(int ending, void *data) {
    struct table *table = data;
    (void)ending;
    table->row_ended = true;
}

static void add_error(struct table *table, struct hub_bytes raw, const char *text) {
    hub_rows_add_error(table->parsed, table->arena, raw, table->row_line, text);
}

static enum hub_status add_column(struct table *table, const char *name,
                                  struct hub_error *reterr) {
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i], name) == 0)
            return hub_fail(reterr, HUB_REJECT, "line 1: column '%s' stands there twice", name);
    table->columns[table->column_count++] = hub_arena_text(table->arena, name, strlen(name));
    return HUB_OK;
}

static enum hub_status check_width(size_t count, struct hub_error *reterr) {
    if (count > COLUMNS_MAX)
        return hub_fail(reterr, HUB_REJECT, "line 1: %zu columns, over the limit of %d", count,
                        COLUMNS_MAX);
    return HUB_OK;
}

static enum hub_status take_header(struct table *table, struct hub_error *reterr) {
    size_t count = json_array_size(table->cells);
    HUB_TRY(check_width(count, reterr));
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(table->cells, i));
        if (name == NULL)
            return hub_fail(reterr, HUB_REJECT, "line 1: a column name that is not in %s",
                            table->options->charset);
        HUB_TRY(add_column(table, name, reterr));
    }
    return HUB_OK;
}

static enum hub_status take_given_columns(struct table *table, struct hub_error *reterr) {
    const char *const *names = table->options->columns;
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    HUB_TRY(check_width(count, reterr));
    for (size_t i = 0; i < count; i++)
        HUB_TRY(add_column(table, names[i], reterr));
    return HUB_OK;
}

static void take_row(struct table *table, struct hub_bytes raw) {
    size_t count = json_array_size(table->cells);
    if (table->foreign) {
        add_error(table, raw,
                  hub_arena_format(table->arena, "a cell is not in %s, or has a zero byte",
                                   table->options->charset));
        return;
    }
    if (count == 0 || (count == 1 && table->column_count > 1 &&
                       json_string_length(json_array_get(table->cells, 0)) == 0))
        return; /* an empty line */
    if (count != table->column_count) {
        add_error(table, raw,
                  hub_arena_format(table->arena, "%zu cells; %zu, as %s, would pass", count,
                                   table->column_count,
                                   table->options->columns[0] == NULL ? "in the first row"
                                                                      : "'columns' has"));
        return;
    }
    json_t *row = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(row, table->columns[i], json_incref(json_array_get(table->cells, i)));
    json_array_append_new(table->rows, row);
    hub_rows_add(table->parsed, table->arena, raw, table->row_line);
}

static void begin_row(struct table *table, size_t from) {
    json_array_clear(table->cells);
    table->foreign = false;
    table->row_from = from;
    table->row_line = table->line;
    table->row_ended = false;
}

static enum hub_status end_row(struct table *table, size_t to, struct hub_error *reterr) {
    struct hub_bytes raw = hub_bytes_part(table->document, table->row_from, to);
    bool header = table->column_count == 0;
    if (header && json_array_size(table->cells) > 0)
        HUB_TRY(take_header(table, reterr));
    else if (!header)
        take_row(table, raw);
    if (table->parsed->row_count + table->parsed->error_count > HUB_ROWS_MAX)
        return hub_fail(reterr, HUB_REJECT, "more than %d rows", HUB_ROWS_MAX);
    begin_row(table, to);
    return HUB_OK;
}

static void start_parser(struct table *table) {
    csv_init(&table->parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_realloc_func(&table->parser, hub_reallocate);
    csv_set_delim(&table->parser, (unsigned char)table->options->delimiter[0]);
}

/* What began in row_from cannot be read: the rows after it still can. */
static enum hub_status pass_over(struct table *table, size_t to, const char *what,
                                 struct hub_error *reterr) {
    if (table->column_count == 0)
        return hub_fail(reterr, HUB_REJECT, "line %zu: %s", table->row_line, what);
    add_error(table, hub_bytes_part(table->document, table->row_from, to), what);
    begin_row(table, to);
    csv_free(&table->parser);
    start_parser(table);
    return HUB_OK;
}

/* Past the line end, which is \n, \r\n or \r. */
static size_t end_of_line(struct hub_bytes document, size_t from) {
    while (from < document.size && document.data[from] != '\n' && document.data[from] != '\r')
        from++;
    if (from + 1 < document.size && document.data[from] == '\r' && document.data[from + 1] == '\n')
        from++;
    return from < document.size ? from + 1 : from;
}

static bool is_comment(const struct table *table, uint8_t first) {
    const char *mark = table->options->comment;
    return mark != NULL && first == (uint8_t)mark[0];
}

/* Feeds the parser line by line, so that the bytes of every row are known. */
static enum hub_status read_rows(struct table *table, struct hub_error *reterr) {
    static const char mark[] = "\xef\xbb\xbf";
    struct hub_bytes document = table->document;
    bool marked = document.size >= 3 && memcmp(document.data, mark, 3) == 0;
    size_t from = marked && is_utf8(table->options) ? 3 : 0;
    table->line = 1;
    HUB_TRY(take_given_columns(table, reterr));
    begin_row(table, from);
    while (from < document.size) {
        size_t to = end_of_line(document, from);
        if (from == table->row_from && is_comment(table, document.data[from])) {
            table->line++;
            from = to;
            begin_row(table, from);
            continue;
        }
        bool empty = from == table->row_from &&
                     (document.data[from] == '\n' || document.data[from] == '\r');
        bool good = csv_parse(&table->parser, document.data + from, to - from, on_cell, on_row,
                              table) == to - from;
        from = to;
        table->line++;
        if (!good)
            HUB_TRY(pass_over(table, from, "a quote stands where none may; a cell with quotes is "
                              "quoted, and they are doubled", reterr));
        else if (table->row_ended)
            HUB_TRY(end_row(table, from, reterr));
        else if (empty)
            begin_row(table, from);
    }
    if (csv_fini(&table->parser, on_cell, on_row, table) != 0)
        HUB_TRY(pass_over(table, from, "a quote that begins in this row is never closed", reterr));
    else if (table->row_ended)
        HUB_TRY(end_row(table, from, reterr));
    if (table->column_count == 0)
        return hub_fail(reterr, HUB_REJECT, "the file is empty; a first row of column names would "
                        "pass");
    return HUB_OK;
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct csv_options *own = options_;
    return hub_charset_check(own->charset, reterr);
}

static enum hub_status parse(const void *options_, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    struct hub_parsed parsed = {.tree = json_object()};
    struct table *table = hub_arena_take_zero(arena, 1, sizeof *table);
    *table = (struct table){.options = options_,
                            .arena = arena,
                            .document = document,
                            .rows = json_array(),
                            .cells = json_array(),
                            .parsed = &parsed};
    json_object_set_new(parsed.tree, "rows", table->rows);
    bool converts = !is_utf8(table->options);
    if (converts)
        table->converter = hub_charset_open(table->options->charset);
    start_parser(table);
    enum hub_status status = read_rows(table, reterr);
    csv_free(&table->parser);
    if (converts)
        iconv_close(table->converter);
    json_decref(table->cells);
    if (status != HUB_OK)
        json_decref(parsed.tree);
    else
        *ret_parsed = parsed;
    return status;
}

const struct hub_format hub_format_csv = {
    .name = "csv",
    .summary = "A table; the first row names the columns, unless `columns` does.",
    .options = options,
    .options_size = sizeof(struct csv_options),
    .check = check_options,
    .each = "rows",
    .parse = parse,
};
