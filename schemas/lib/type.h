/* A schema, compiled once into a tree of types that the walker, the resolver and the merge read.
 *
 * Built from the Avro 1.11 schema text by hub_schema_load and never changed afterwards. A named
 * type that is used in several places is one object. There is no recursion: the loader refuses it,
 * so the depth of the tree bounds the depth of every value. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/node.h"

#include <stdbool.h>
#include <stdint.h>

enum hub_kind {
    HUB_NULL,
    HUB_BOOLEAN,
    HUB_INT,
    HUB_LONG,
    HUB_FLOAT,
    HUB_DOUBLE,
    HUB_BYTES,
    HUB_STRING,
    HUB_FIXED,
    HUB_ENUM,
    HUB_ARRAY,
    HUB_MAP,
    HUB_UNION,
    HUB_RECORD,
};

enum {
    HUB_TYPE_DEPTH_MAX = 32,
    HUB_FIELDS_MAX = 256,     /* of one record */
    HUB_SYMBOLS_MAX = 1024,   /* of one enum */
    HUB_BRANCHES_MAX = 32,    /* of one union */
    HUB_FIXED_SIZE_MAX = 1024 * 1024,
    HUB_DEFAULT_SIZE_MAX = 64 * 1024, /* encoded */
    HUB_TYPES_MAX = 10000,    /* of one schema, a named one counted wherever it is used */
};

/* How a value is moved past: what it is made of, in its order, with the parts of records in their place. */
enum hub_step_kind {
    HUB_STEP_LONG,     /* boolean, int, long, enum: up to the byte that ends it */
    HUB_STEP_OCTETS,   /* string, bytes: a size and as much */
    HUB_STEP_SIZE,     /* float, double, fixed: `size` bytes */
    HUB_STEP_OPTIONAL, /* of null and something else: for null the next `size` steps are left out */
    HUB_STEP_VALUE,    /* whatever else, by its type */
};

struct hub_step {
    enum hub_step_kind kind;
    uint32_t size;
    const struct hub_type *type;
};

struct hub_type {
    enum hub_kind kind;
    const char *name;           /* full name of a named type, else NULL */
    const char *const *aliases; /* full names, NULL-ended */
    const char *logical;        /* logicalType, or NULL */
    const struct hub_node *node; /* where it is defined, with all its attributes */

    size_t count; /* fields, symbols or branches */
    const struct hub_field *fields;
    const char *const *symbols;
    int default_symbol;                    /* index, or -1 */
    const struct hub_type *const *branches; /* union */
    const struct hub_type *items;           /* array, map */
    size_t fixed_size;
    const struct hub_step *steps;      /* record */
    const uint16_t *field_steps; /* of its fields and its end: the index of the first step */
};

struct hub_field {
    const char *name;
    const char *const *aliases; /* NULL-ended */
    const struct hub_type *type;
    bool has_default;
    struct hub_bytes default_value; /* encoded */
    const struct hub_node *node;
};

struct hub_schema {
    int32_t id;          /* in the lock file; 0 while it has none */
    const char *subject; /* in the lock file; NULL while it has none */
    int32_t version;
    const char *file;
    const char *text; /* as written: this is what a registry is given */
    size_t text_size;
    const struct hub_type *root;
    struct hub_arena arena;
};

/* Compiles and lints a schema text. Refused with file, line, column and what would pass: whatever
 * the Avro specification refuses (also where avro-c would accept it: duplicate names and symbols,
 * defaults of another type, nested and ambiguous unions, sizes out of range), recursion, and
 * whatever passes the limits above. */
HUB_MUST_USE enum hub_status hub_schema_load(struct hub_bytes text, const char *file,
                                             struct hub_schema **ret_schema,
                                             struct hub_error *reterr);
void hub_schema_free(struct hub_schema *schema); /* NULL is fine */

/* Works out the steps of a record whose fields are known. */
void hub_type_make_steps(struct hub_type *record, struct hub_arena *arena);

const char *hub_kind_name(enum hub_kind kind);

/* Index of a field, symbol or branch; -1 where there is none. */
int hub_type_field(const struct hub_type *record, const char *name);
int hub_type_symbol(const struct hub_type *enumeration, const char *symbol);
int hub_type_symbol_bytes(const struct hub_type *enumeration, struct hub_bytes symbol);
/* The branch of a union that is `null`; -1 where there is none or the type is no union. */
int hub_type_null_branch(const struct hub_type *type);
/* The other branch of a union of null and one type; the type itself where it is no such union. */
const struct hub_type *hub_type_stated(const struct hub_type *type);

/* Where two types have another wire form or other names, as a path for people in the arena
 * ("sponsor.name"); NULL where they are the same. Documentation, defaults and custom attributes play
 * no part. */
const char *hub_type_difference(const struct hub_type *a, const struct hub_type *b,
                                struct hub_arena *arena);
