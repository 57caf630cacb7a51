/* Trying a configuration without publishing anything. */
#pragma once

#include "connectors/kit/config.h"

#include <stdio.h>

/* Runs the configuration's own `tests` and looks for paths that gave nothing in any of them. Writes
 * one line a finding, with file, line and column; returns how many there were. From then on the
 * connector makes pseudonyms with the keys in use alone. */
size_t hub_check_tests(struct hub_connector *connector, FILE *out);

/* Maps one document and shows what became of each field: source, record, per-field status. Returns
 * how many records were refused. */
size_t hub_dry_run(struct hub_connector *connector, const char *input, const json_t *context,
                   bool as_json, FILE *out);

/* Reads a document from a file, as the connector's transport would have made it. A file named by a
 * test has the context file.name and file.match and, where the test gives one, its own. The bytes
 * live in the arena. */
HUB_MUST_USE enum hub_status hub_check_read(const struct hub_connector *connector,
                                            const char *path, struct hub_arena *arena,
                                            struct hub_raw_document *ret_document,
                                            struct hub_error *reterr);

/* A command line's A.B=C as {A: {B: C}}; NULL gives {}. HUB_FATAL for another form. */
HUB_MUST_USE enum hub_status hub_check_context(const char *text, json_t **ret_context,
                                               struct hub_error *reterr);

/* A configuration's node as JSON: texts, lists and mappings. */
json_t *hub_check_node_to_json(const struct hub_node *node);
