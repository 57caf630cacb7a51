/* What connectors/kit/conform*.c have in common. */
#pragma once

#include "connectors/kit/conform.h"
#include "connectors/kit/pipeline.h"
#include "hub/base/table.h"
#include "schemas/lib/statement.h"

struct conform {
    struct hub_connector *connector;
    struct hub_raw_document *documents;
    size_t count, capacity;
    struct hub_arena arena;
};

/* By weight. */
enum conform_outcome { CONFORM_OK, CONFORM_NOT_TRIED, CONFORM_REMARK, CONFORM_FAILED };

struct conform_result {
    enum conform_outcome outcome;
    const char *tried; /* what was tried, or why nothing was */
    json_t *findings;
    size_t left_out; /* of them */
    struct hub_arena *arena;
};

/* Where something was found; each may be NULL. */
struct conform_where {
    const char *document, *key, *field;
};
void conform_find(struct conform_result *result, enum conform_outcome outcome,
                  const struct conform_where *where, const char *format, ...) HUB_PRINTF(4, 5);
void conform_tell(struct conform_result *result, const char *format, ...) HUB_PRINTF(2, 3);

/* What a document became. */
struct conform_told {
    struct hub_arena arena;
    struct hub_outgoing_list list;
};
void conform_free(struct conform_told *told);
/* By itself, as the first that the connector reads. */
void conform_map(const struct conform *conform, size_t document, struct conform_told *told);
/* Whether the two go out as the same bytes: key, value and headers. */
bool conform_is_same(const struct hub_outgoing *a, const struct hub_outgoing *b);

struct conform_statement {
    struct hub_stamp stamp;
    struct hub_digest digest; /* of what it says beside its version */
};
struct conform_statement conform_read(const struct hub_connector *connector, struct hub_bytes body);

/* --- edited documents --- */

enum conform_edit_kind {
    CONFORM_LIST,  /* nothing is changed; the places are noted */
    CONFORM_ADD,   /* objects have a member more */
    CONFORM_PLANT, /* texts, and numbers, are others */
    CONFORM_SHIFT, /* dates are a day later */
};

/* Where documents have something: a path as in path.h, without indexes, of a table or a file of messages
 * in its row or message; a fact about the request or file begins with @. */
struct conform_place {
    UT_hash_handle hh;
    const char *path;
    bool object, date;
};

struct conform_edit {
    enum conform_edit_kind kind;
    const char *place; /* NULL: all of them */
    const char *text;  /* PLANT */
    int64_t number;    /* PLANT: instead of numbers; 0: they stay */
    struct conform_place *places; /* LIST; in the arena */
    struct hub_arena *arena;
};

/* As conform_map; between parsing and mapping the tree is edited, and with it the facts. What is planted
 * is in the bytes, too, as a dead letter would tell them. */
void conform_map_edited(const struct conform *conform, size_t document, struct conform_edit *edit,
                        struct conform_told *told);
/* The place's name for people. */
const char *conform_place_name(const char *path);

/* --- the checks --- */

void conform_duplicates(const struct conform *conform, struct conform_result *result);
void conform_reordering(const struct conform *conform, struct conform_result *result);
void conform_unknown_fields(const struct conform *conform, struct conform_result *result);
void conform_kill(const struct conform *conform, struct conform_result *result);
void conform_clock(const struct conform *conform, struct conform_result *result);
void conform_canary(const struct conform *conform, struct conform_result *result);
