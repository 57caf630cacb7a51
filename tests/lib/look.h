/* What a test says about rendered JSON: a path to a value, and what should stand there. */
#pragma once

#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>

/* The value at a path of member names and array indexes, "statements.0.key"; the empty path is the
 * value itself. NULL where the way ends before. */
const json_t *look(const json_t *value, const char *path);
const char *look_text(const json_t *value, const char *path); /* NULL where no text stands there */
int64_t look_number(const json_t *value, const char *path);   /* -1 where no integer stands there */
size_t look_count(const json_t *value, const char *path);     /* of an array or object */

/* Whether the array holds the text. */
bool look_has(const json_t *value, const char *path, const char *text);

/* Fails the test, with both, where another value stands there than the JSON text `wanted` (single
 * quotes may stand for double ones; NULL: nothing stands there). */
#define expect_json(value, path, wanted) look_expect(value, path, wanted, __FILE__, __LINE__)
void look_expect(const json_t *value, const char *path, const char *wanted, const char *file,
                 int line);
