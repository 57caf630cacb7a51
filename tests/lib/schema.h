/* Schemas of a test's own, the project's folder with an edit in it, and what refusals say. Single
 * quotes may stand for double ones wherever a text is JSON. What cannot be done stops the test
 * program; what is not as expected fails the test. */
#pragma once

#include "schemas/lib/type.h"
#include "tests/lib/folder.h"

/* The text with double quotes, in the arena. */
const char *schema_quoted(struct hub_arena *arena, const char *text);

/* The text with one part of it replaced; `from` must stand in it exactly once. */
const char *schema_edited(struct hub_arena *arena, const char *text, const char *from,
                          const char *to);

/* A compiled schema, under the file name own.avsc. The caller frees it (hub_schema_free). */
struct hub_schema *schema_new(const char *text);

/* A parsed document, under the file name own.json. */
struct hub_node *schema_node(struct hub_arena *arena, const char *text);

/* One of the project's files under schemas/. */
const char *schema_read(struct hub_arena *arena, const char *name);

/* The project's whole schemas/ in a folder of the test's own, and an edit of one of its files as by
 * schema_edited. */
void schema_folder_copy(struct folder *folder);
void schema_folder_edit(struct folder *folder, const char *name, const char *from, const char *to);

/* The schema is refused with an error that begins with `place` and says `words` somewhere. */
#define expect_no_schema(text, place, words)                                                       \
    schema_expect_refused(text, place, words, __FILE__, __LINE__)
void schema_expect_refused(const char *text, const char *place, const char *words, const char *file,
                           int line);

/* The status is the wanted one, and the error begins with `place` and says `words`. */
#define expect_refusal(status, wanted, error, place, words)                                        \
    schema_expect_error(status, wanted, error, place, words, __FILE__, __LINE__)
void schema_expect_error(enum hub_status status, enum hub_status wanted,
                         const struct hub_error *error, const char *place, const char *words,
                         const char *file, int line);

/* The status is HUB_OK; else the error is shown. */
#define expect_ok(status, error) schema_expect_ok(status, error, __FILE__, __LINE__)
void schema_expect_ok(enum hub_status status, const struct hub_error *error, const char *file,
                      int line);

/* The bytes are the ones written in hexadecimal; spaces between them do not count. */
#define expect_bytes(bytes, hexadecimal) schema_expect_bytes(bytes, hexadecimal, __FILE__, __LINE__)
void schema_expect_bytes(struct hub_bytes bytes, const char *hexadecimal, const char *file,
                         int line);

/* Bytes from hexadecimal, in the arena; spaces between them do not count. */
struct hub_bytes schema_bytes(struct hub_arena *arena, const char *hexadecimal);
