/* Paths into a source document: one selector language for every format.
 *
 * Whatever a document's format, it is parsed into one tree of objects, arrays, texts, numbers and
 * booleans (jansson's). A path is segments joined by dots:
 *
 *   name            the member of that name; "quoted name" where it has other characters
 *   @name           an XML attribute; #text an XML element's own text
 *   SCH-2           an HL7 v2 field: the member of that name, also where it is in the member SCH, so
 *                   that a field has one name in its message, its group and its segment
 *   *               every member, but for attributes and an element's own text
 *   [3]             the element of that index, from 0
 *   [key=value]     the elements whose member `key` (itself a path) is that text; ^= begins with
 *                   it, != is anything else
 *   ^               at the beginning: the element around the one that for_each stands on
 *   .               the element itself (alone, or before the first segment)
 *   @request.x      at the beginning: a fact about the request, file or feed entry, not the
 *                   document (@request, @file, @entry, @header, @document)
 *
 * Arrays on the way are entered of themselves, and a lone value is an array of one, so a path gives
 * a list of values. "", null, [] and {} are absent: they are not in it. The list has no limit of its
 * own: the size of a document has one. */
#pragma once

#include "hub/base/hook_set.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/node.h"

#include <jansson.h>

struct hub_path;

/* Where a path starts. */
struct hub_scope {
    const json_t *here;
    const struct hub_scope *outer; /* the scope of the for_each around, or NULL */
    const json_t *context;         /* an object: request, file, entry, header, document */
    struct hub_hook_set *read;     /* where the scalars that paths find are noted, or NULL */
    bool *met_null;                /* set where a path meets an explicit null, or NULL */
};

/* HUB_FATAL with file, line and column. The path lives in the arena. */
HUB_MUST_USE enum hub_status hub_path_parse(const struct hub_node *node, struct hub_arena *arena,
                                            struct hub_path **ret_path, struct hub_error *reterr);

/* The path's text, for messages. */
const char *hub_path_text(const struct hub_path *path);

/* Where the path leads from the document's beginning. `bases` are the scopes' own places, the inner
 * one first: "studies[3]" for the fourth element that `studies` finds; "" is the document. A fact that
 * is not in the document stays what it is: @request.x. In the arena. */
const char *hub_path_from_document(const struct hub_path *path, const char *const *bases,
                                   size_t base_count, struct hub_arena *arena);

/* Where the path begins in a scope; NULL beyond the document. */
const json_t *hub_path_start(const struct hub_path *path, const struct hub_scope *scope);

/* All values the path leads to, in document order. The list lives in the arena; the values belong
 * to the tree. */
void hub_path_find(const struct hub_path *path, const struct hub_scope *scope,
                   struct hub_arena *arena, const json_t ***ret_values, size_t *ret_count);

/* Whether a value is absent. */
bool hub_tree_is_absent(const json_t *value);
/* A scalar as text, in the arena: numbers in full, booleans true or false. An XML element with
 * attributes is an object, and its #text is what is meant; NULL for what has no text. */
const char *hub_tree_text(const json_t *value, struct hub_arena *arena);
