/* Documents of several records that are read one by one: the rows of a table, messages, blocks. */
#pragma once

#include "connectors/kit/format.h"

/* The bytes of a record that is in the tree, beginning on a line, and of one that cannot be read.
 * The lists grow in the arena. */
void hub_rows_add(struct hub_parsed *parsed, struct hub_arena *arena, struct hub_bytes raw,
                  size_t line);
void hub_rows_add_error(struct hub_parsed *parsed, struct hub_arena *arena, struct hub_bytes raw,
                        size_t line, const char *text);
