#include "tests/lib/schema.h"

#include "hub/io/file.h"
#include "tests/lib/cmocka.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *what, const char *detail) {
    fprintf(stderr, "test schema: %s: %s\n", what, detail);
    abort();
}

static void must(enum hub_status status, const struct hub_error *error) {
    if (status != HUB_OK)
        stop("refused", error->text);
}

/* --- texts --- */

const char *schema_quoted(struct hub_arena *arena, const char *text) {
    char *copy = hub_arena_text(arena, text, strlen(text));
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

const char *schema_edited(struct hub_arena *arena, const char *text, const char *from,
                          const char *to) {
    const char *wanted = schema_quoted(arena, from);
    const char *at = strstr(text, wanted);
    if (at == NULL || strstr(at + 1, wanted) != NULL)
        stop(at == NULL ? "stands nowhere" : "stands in several places", wanted);
    return hub_arena_format(arena, "%.*s%s%s", (int)(at - text), text, schema_quoted(arena, to),
                            at + strlen(wanted));
}

struct hub_schema *schema_new(const char *text) {
    struct hub_arena arena = {0};
    struct hub_schema *schema = NULL;
    struct hub_error error;
    must(hub_schema_load(hub_bytes_of_text(schema_quoted(&arena, text)), "own.avsc", &schema,
                         &error),
         &error);
    hub_arena_destroy(&arena);
    return schema;
}

struct hub_node *schema_node(struct hub_arena *arena, const char *text) {
    struct hub_node *node = NULL;
    struct hub_error error;
    must(hub_node_parse(hub_bytes_of_text(schema_quoted(arena, text)), "own.json", arena, &node,
                        &error),
         &error);
    return node;
}

/* --- the project's folder --- */

static const char *schemas_folder(void) {
    const char *folder = getenv("HUB_SCHEMAS");
    return folder == NULL ? "schemas" : folder;
}

static const char *read_text(struct hub_arena *arena, const char *folder, const char *name) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_error error;
    must(hub_file_read(hub_arena_format(arena, "%s/%s", folder, name), &text, &error), &error);
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

const char *schema_read(struct hub_arena *arena, const char *name) {
    return read_text(arena, schemas_folder(), name);
}

void schema_folder_copy(struct folder *folder) {
    static const char *const files[] = {"schemes.json", "systems.json", "organisations.csv",
                                        "registry.lock.json"};
    static const char *const parts[] = {"domains", "hub", "registered"};
    struct hub_arena *arena = &folder->arena;
    struct hub_error error;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        folder_write(folder, files[i], schema_read(arena, files[i]));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *path = hub_arena_format(arena, "%s/%s", schemas_folder(), parts[i]);
        char **names = NULL;
        size_t count = 0;
        must(hub_file_list(path, ".avsc", arena, &names, &count, &error), &error);
        for (size_t k = 0; k < count; k++) {
            const char *name = hub_arena_format(arena, "%s/%s", parts[i], names[k]);
            folder_write(folder, name, schema_read(arena, name));
        }
    }
}

void schema_folder_edit(struct folder *folder, const char *name, const char *from, const char *to) {
    struct hub_arena *arena = &folder->arena;
    folder_write(folder, name,
                 schema_edited(arena, read_text(arena, folder->path, name), from, to));
}

/* --- what is expected --- */

void schema_expect_error(enum hub_status status, enum hub_status wanted,
                         const struct hub_error *error, const char *place, const char *words,
                         const char *file, int line) {
    const char *text = status == HUB_OK ? "" : error->text;
    if (status == wanted && strncmp(text, place, strlen(place)) == 0 && strstr(text, words) != NULL)
        return;
    print_error("%s:%d: %s \"%s\"\nwanted %s \"%s...%s\"\n", file, line, hub_status_name(status),
                text, hub_status_name(wanted), place, words);
    _fail(file, line);
}

void schema_expect_refused(const char *text, const char *place, const char *words, const char *file,
                           int line) {
    struct hub_arena arena = {0};
    struct hub_schema *schema = NULL;
    struct hub_error error;
    enum hub_status status = hub_schema_load(hub_bytes_of_text(schema_quoted(&arena, text)),
                                             "own.avsc", &schema, &error);
    hub_arena_destroy(&arena);
    if (status == HUB_OK)
        hub_schema_free(schema);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_true(schema == NULL, "nothing is given back", file, line);
}

void schema_expect_ok(enum hub_status status, const struct hub_error *error, const char *file,
                      int line) {
    if (status == HUB_OK)
        return;
    print_error("%s:%d: %s \"%s\"\n", file, line, hub_status_name(status), error->text);
    _fail(file, line);
}

struct hub_bytes schema_bytes(struct hub_arena *arena, const char *hexadecimal) {
    HUB_SCOPED_BUFFER bytes = {0};
    while (*hexadecimal != '\0') {
        unsigned byte = 0;
        int used = 0;
        if (isspace((unsigned char)*hexadecimal)) {
            hexadecimal++;
            continue;
        }
        if (sscanf(hexadecimal, "%2x%n", &byte, &used) != 1 || used != 2)
            stop("not hexadecimal", hexadecimal);
        hub_buffer_append_byte(&bytes, (uint8_t)byte);
        hexadecimal += 2;
    }
    return hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
}

void schema_expect_bytes(struct hub_bytes bytes, const char *hexadecimal, const char *file,
                         int line) {
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER shown = {0};
    bool same = hub_bytes_equal(bytes, schema_bytes(&arena, hexadecimal));
    hub_arena_destroy(&arena);
    if (same)
        return;
    for (size_t i = 0; i < bytes.size; i++)
        hub_buffer_append_format(&shown, "%02x ", bytes.data[i]);
    print_error("%s:%d: the bytes are %s\nwanted %s\n", file, line, hub_buffer_text(&shown),
                hexadecimal);
    hub_buffer_free(&shown); /* a failing test is left by a jump, which runs no clean-up */
    _fail(file, line);
}
