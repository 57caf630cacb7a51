/* A document tree that remembers where each part stood.
 *
 * Schemas (JSON) and configurations (YAML 1.1, of which JSON is a part) are both read into it, so
 * that every error can name file, line and column. libyaml does the parsing; here duplicate keys,
 * anchors, aliases, tags, several documents and depth beyond the limit are refused. A plain scalar
 * is never guessed to be anything: `no` stays the text "no" until somebody asks for a boolean. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HUB_NODE_DEPTH_MAX = 64, HUB_NODE_TEXT_SIZE_MAX = 1024 * 1024 };

enum hub_node_kind { HUB_NODE_SCALAR, HUB_NODE_SEQUENCE, HUB_NODE_MAPPING };

struct hub_node {
    enum hub_node_kind kind;
    bool quoted;         /* a scalar written in quotes: text, whatever it looks like */
    const char *file;    /* as given to hub_node_parse */
    size_t line, column; /* from 1 */
    const char *text;    /* scalar */
    size_t text_size;
    size_t count;            /* children of a sequence or mapping */
    struct hub_node **items; /* values, in the order written */
    struct hub_node **keys;  /* mapping only */
};

/* Parses one document. The tree lives in the arena; `file` is copied into it.
 * HUB_FATAL: not well-formed, or over a limit. */
HUB_MUST_USE enum hub_status hub_node_parse(struct hub_bytes text, const char *file,
                                            struct hub_arena *arena, struct hub_node **ret_node,
                                            struct hub_error *reterr);

/* The value under a key, or NULL where the node is no mapping or has no such key. */
struct hub_node *hub_node_get(const struct hub_node *mapping, const char *key);
/* The key's own node, for errors about the key. */
struct hub_node *hub_node_key(const struct hub_node *mapping, const char *key);

bool hub_node_is_text(const struct hub_node *node, const char *text); /* NULL is never it */
bool hub_node_is_null(const struct hub_node *node); /* null, ~ or nothing, unquoted */
bool hub_node_to_bool(const struct hub_node *node, bool *ret_value); /* true, false, unquoted */
bool hub_node_to_long(const struct hub_node *node, int64_t *ret_value); /* decimal, unquoted */
bool hub_node_to_double(const struct hub_node *node, double *ret_value); /* JSON number */

/* HUB_FATAL with "file:line:column: ...". */
enum hub_status hub_node_fail(const struct hub_node *node, struct hub_error *reterr,
                              const char *format, ...) HUB_PRINTF(3, 4);

/* Refuses a list, and a mapping with a key that is not in the NULL-ended list; it names the nearest
 * one. */
HUB_MUST_USE enum hub_status hub_node_check_keys(const struct hub_node *mapping,
                                                 const char *const *allowed,
                                                 struct hub_error *reterr);

/* The listed word nearest to `word` by edit distance, or NULL where none is near. */
const char *hub_node_nearest(const char *word, const char *const *words);
