/* A program of the institution's own between parsing and mapping, where the mapping is not enough.
 *
 *   filter: [PROGRAM, ARGUMENT...]
 *   filter: {run: [PROGRAM, ARGUMENT...], deadline_ms: 10000, memory_mb: 512}
 *
 * It is asked a line of JSON for each document, of a table for each row, {"number": N, "document": TREE},
 * and answers with one, the same number and the tree to be mapped instead. So `jq -c --unbuffered
 * '.document.a |= ascii_upcase'` is one. It runs in the configuration's folder, as hub/io/child.h says:
 * without network, with that much memory, and not longer than that for an answer. What it does not answer
 * for is a dead letter. */
#pragma once

#include "connectors/kit/format.h"
#include "schemas/lib/node.h"

/* What it may say of itself. */
extern const struct hub_option hub_filter_options[];

struct hub_filter;

/* `node` may be NULL: then there is none. HUB_FATAL with its place where it is written wrong or cannot be
 * run. What is in the arena must outlive it. */
HUB_MUST_USE enum hub_status hub_filter_load(const struct hub_node *node, const char *folder,
                                             struct hub_arena *arena,
                                             struct hub_filter **ret_filter,
                                             struct hub_error *reterr);
void hub_filter_free(struct hub_filter *filter); /* NULL is fine */

/* The files that it is made of, as far as its words name any: the program, a script. NULL-ended, in the
 * arena that it was loaded into. */
const char *const *hub_filter_files(const struct hub_filter *filter);

/* Puts its answers in the place of the tree, or of its rows. HUB_REJECT: the document is as it was. */
HUB_MUST_USE enum hub_status hub_filter_apply(struct hub_filter *filter,
                                              struct hub_parsed *parsed,
                                              struct hub_error *reterr);
