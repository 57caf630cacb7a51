/* A format: how the bytes of a document become a tree. One C file and one constant structure each,
 * in connectors/formats. */
#pragma once

#include "connectors/kit/options.h"
#include "hub/base/bytes.h"

#include <jansson.h>

enum { HUB_DOCUMENT_SIZE_MAX = 16 * 1024 * 1024, HUB_ROWS_MAX = 200000 };

/* A row of a table that could not be read; the others can. */
struct hub_row_error {
    size_t line; /* from 1 */
    struct hub_bytes raw;
    const char *text;
};

struct hub_parsed {
    json_t *tree; /* owned by whoever has the structure */
    /* Tables only: tree is {"rows": [...]} and this the bytes of each row, inside the document. */
    struct hub_bytes *rows;
    size_t *row_lines; /* where each row begins, from 1 */
    size_t row_count;
    struct hub_row_error *errors;
    size_t error_count;
};

struct hub_format {
    const char *name;    /* the file's name, and `format:` in the configuration */
    const char *summary; /* one sentence */
    const struct hub_option *options;
    size_t options_size;
    /* What the table cannot say of the options. HUB_FATAL; NULL: nothing. */
    enum hub_status (*check)(const void *options, struct hub_error *reterr);
    const char *each; /* where records are, unless the configuration says otherwise; or NULL */
    bool each_is_whole; /* each of them is a document of its own, as a message in a file is */
    /* Parses one document; lists live in the arena. HUB_REJECT where the document as a whole
     * cannot be read: with line and column, and what would pass. */
    enum hub_status (*parse)(const void *options, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr);
};

/* All formats, NULL-ended, and one of them by name. */
extern const struct hub_format *const hub_formats[];
const struct hub_format *hub_format_find(const char *name);
