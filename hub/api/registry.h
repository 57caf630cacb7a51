/* The embedded registry: the read-only part of the Confluent REST API that stock clients call, from
 * the lock file. It registers nothing: a schema that is already there is answered with its id, any
 * other is refused. */
#pragma once

#include "hub/base/bytes.h"
#include "schemas/lib/catalogue.h"

/* Answers a question below the registry's root. Returns the HTTP status and appends JSON. */
unsigned hub_registry_answer(const struct hub_catalogue *catalogue, const char *method,
                             const char *path, struct hub_bytes body, struct hub_buffer *reply);
