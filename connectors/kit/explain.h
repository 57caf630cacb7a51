/* What the parts of a configuration are, for people and for editors: both from the tables that check it. */
#pragma once

#include "connectors/kit/config.h"

/* Appends the names of all parts of a kind (transport, format, transform), each with its sentence; or, with
 * a name, all there is to say of that one. False where there is no such kind or name. */
bool hub_explain(const char *kind, const char *name, struct hub_buffer *text);

/* A JSON Schema (2020-12) of a configuration, owned by the caller: which keys there are, of which kind, and
 * what they are for. It does not know what only `connector check` can: whether paths find something and
 * values fit their fields. */
json_t *hub_explain_schema(const struct hub_catalogue *catalogue);
