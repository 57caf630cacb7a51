#include "tests/fuzz/fuzz.h"

#include "connectors/kit/format.h"
#include "connectors/kit/path.h"
#include "hub/base/text.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/walk.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_stop(const char *file, int line, const char *why) {
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, why);
    abort();
}

const struct hub_catalogue *fuzz_catalogue(void) {
    static struct hub_catalogue *catalogue;
    struct hub_error error;
    const char *folder = getenv("HUB_SCHEMAS");
    if (catalogue == NULL &&
        hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error) !=
            HUB_OK)
        fuzz_stop(__FILE__, __LINE__, error.text);
    return catalogue;
}

/* --- the input --- */

struct fuzz_input fuzz_input(const uint8_t *data, size_t size) {
    return (struct fuzz_input){.cursor = hub_cursor(hub_bytes(data, size))};
}

void fuzz_input_free(struct fuzz_input *input) {
    for (size_t i = 0; i < input->piece_count; i++)
        free(input->pieces[i]);
    free(input->pieces);
    hub_arena_destroy(&input->arena);
}

bool fuzz_input_ended(const struct fuzz_input *input) {
    return hub_cursor_left(&input->cursor) == 0;
}

uint8_t fuzz_byte(struct fuzz_input *input) {
    uint8_t byte = 0;
    return hub_cursor_byte(&input->cursor, &byte) ? byte : 0;
}

struct hub_bytes fuzz_exact(struct fuzz_input *input, struct hub_bytes bytes) {
    void *copy = hub_allocate(bytes.size);
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    HUB_GROW(input->pieces, input->piece_count, input->piece_capacity);
    input->pieces[input->piece_count++] = copy;
    return hub_bytes(copy, bytes.size);
}

static struct hub_bytes take(struct fuzz_input *input, size_t size) {
    struct hub_bytes bytes = {0};
    size_t left = hub_cursor_left(&input->cursor);
    fuzz_must(hub_cursor_take(&input->cursor, size < left ? size : left, &bytes));
    return fuzz_exact(input, bytes);
}

struct hub_bytes fuzz_piece(struct fuzz_input *input) {
    size_t low = fuzz_byte(input);
    return take(input, low | (size_t)fuzz_byte(input) << 8);
}

struct hub_bytes fuzz_rest(struct fuzz_input *input) {
    return take(input, SIZE_MAX);
}

const char *fuzz_text(struct fuzz_input *input, struct hub_bytes bytes) {
    return hub_arena_text(&input->arena, (const char *)bytes.data, bytes.size);
}

/* --- records --- */

bool fuzz_accepts(const struct hub_type *type, struct hub_bytes bytes, bool *ret_canonical) {
    struct hub_walk_limits limits = {.size_max = 4 * 1024 * 1024, .elements_max = 1000000};
    struct hub_walk walk = {0};
    struct hub_error error;
    bool good = hub_walk(type, bytes, &limits, &walk, &error) == HUB_OK;
    *ret_canonical = good && walk.canonical;
    return good;
}

bool fuzz_is_record(struct hub_bytes message) {
    struct hub_error error;
    struct hub_bytes body;
    int32_t id = 0;
    bool canonical = false;
    if (hub_frame_open(message, &id, &body, &error) != HUB_OK)
        return false;
    const struct hub_schema *schema = hub_catalogue_by_id(fuzz_catalogue(), id);
    return schema != NULL && fuzz_accepts(schema->root, body, &canonical) && canonical;
}

/* --- formats --- */

static bool is_whole_text(const char *text, size_t size) {
    return strlen(text) == size && hub_text_is_utf8(hub_bytes(text, size));
}

static void check_tree(const json_t *value, struct hub_arena *arena) {
    size_t i;
    json_t *item;
    const char *name;
    json_array_foreach((json_t *)value, i, item)
        check_tree(item, arena);
    json_object_foreach((json_t *)value, name, item) {
        fuzz_must(is_whole_text(name, strlen(name)));
        check_tree(item, arena);
    }
    if (json_is_string(value))
        fuzz_must(is_whole_text(json_string_value(value), json_string_length(value)));
    const char *text = hub_tree_text(value, arena);
    if (text != NULL)
        fuzz_must(hub_text_is_utf8(hub_bytes_of_text(text)));
}

/* Of a table without quotes, every line that is not blank is the header, a row or an error. */
static void check_lines(const struct hub_parsed *parsed, struct hub_bytes document) {
    bool marked = document.size >= 3 && memcmp(document.data, "\xef\xbb\xbf", 3) == 0;
    size_t lines = 0;
    bool blank = true;
    for (size_t i = marked ? 3 : 0; i < document.size; i++) {
        uint8_t c = document.data[i];
        if (c == '"')
            return;
        bool ends = c == '\n' || c == '\r';
        if (blank && !ends && c != ' ' && c != '\t') {
            blank = false;
            lines++;
        }
        blank |= ends;
    }
    fuzz_must(lines <= 1 + parsed->row_count + parsed->error_count);
}

static void check_rows(const struct hub_parsed *parsed, const char *each,
                       struct hub_bytes document) {
    const uint8_t *from = document.data;
    size_t line = 0;
    fuzz_must(json_array_size(json_object_get(parsed->tree, each)) == parsed->row_count);
    for (size_t i = 0; i < parsed->row_count; i++) {
        fuzz_must(parsed->rows[i].data >= from);
        from = parsed->rows[i].data + parsed->rows[i].size;
        fuzz_must(from <= document.data + document.size);
        fuzz_must(parsed->row_lines[i] > line);
        line = parsed->row_lines[i];
    }
    for (size_t i = 0; i < parsed->error_count; i++) {
        fuzz_must(parsed->errors[i].raw.size > 0);
        fuzz_must(hub_text_is_utf8(hub_bytes_of_text(parsed->errors[i].text)));
    }
}

void fuzz_format(const char *name, const char *options, struct hub_bytes document) {
    struct hub_arena arena = {0};
    struct hub_node *node = NULL;
    struct hub_parsed parsed = {0};
    struct hub_error error;
    const struct hub_format *format = hub_format_find(name);
    fuzz_must(hub_node_parse(hub_bytes_of_text(options), "options", &arena, &node, &error) ==
              HUB_OK);
    void *own = hub_arena_take_zero(&arena, 1, format->options_size);
    fuzz_must(hub_options_read(node, format->options, NULL, &arena, own, &error) == HUB_OK);
    enum hub_status status = format->parse(own, document, &arena, &parsed, &error);
    if (status == HUB_OK) {
        check_tree(parsed.tree, &arena);
        if (format->each != NULL)
            check_rows(&parsed, format->each, document);
        if (strcmp(name, "csv") == 0)
            check_lines(&parsed, document);
        json_decref(parsed.tree);
    } else {
        fuzz_must(status == HUB_REJECT);
        fuzz_must(hub_text_is_utf8(hub_bytes_of_text(error.text)));
    }
    hub_arena_destroy(&arena);
}
