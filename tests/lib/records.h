/* Records from JSON, for tests: the other direction of hub_render_json, written for reading. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "schemas/lib/catalogue.h"

#include <jansson.h>

/* The project's own schemas (HUB_SCHEMAS, else schemas), loaded once and kept. */
const struct hub_catalogue *test_catalogue(void);
const struct hub_domain *test_domain(const char *name);

/* Appends a value of the type. Fields that the object does not name take their default, or are
 * empty where they are arrays; dates are "2026-03-01", times RFC 3339 in UTC, bytes and fixed
 * hexadecimal. What does not fit stops the test program and says where. */
void test_encode(const struct hub_type *type, const json_t *value, struct hub_buffer *buffer);

/* A value from a JSON text, in the arena. Single quotes may stand for double ones. */
struct hub_bytes test_value(const struct hub_type *type, const char *json,
                            struct hub_arena *arena);

/* A JSON text that may have single quotes. The caller frees it (json_decref). */
json_t *test_json(const char *text);

/* A framed message rendered as JSON, by the schema that its id names. */
json_t *test_render(struct hub_bytes message);

/* Random numbers that a seed repeats (splitmix64). */
struct test_random {
    uint64_t state;
};
uint64_t test_random_next(struct test_random *random);
size_t test_random_below(struct test_random *random, size_t bound); /* 0 for 0 */

/* What HUB_TEST_SEED says, else `otherwise`. */
uint64_t test_seed(uint64_t otherwise);
/* How many cases to make: the usual number, in the long run (HUB_TEST_SCALE=long) 40 times as many,
 * and under sanitizers (HUB_TEST_SCALE=short) a twentieth. */
size_t test_cases(size_t usual);
