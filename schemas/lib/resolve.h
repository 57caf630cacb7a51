/* Reading a value written with one version of a schema as a value of another (Avro 1.11.1, "Schema
 * Resolution"), field by field: added fields get their default, removed ones are skipped, renamed
 * ones are found by alias, enums are translated by symbol, numbers are widened.
 *
 * The plan is built once for a pair of schemas. Where both sides have the same wire form the bytes
 * are copied, not decoded. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/type.h"

struct hub_resolver;

/* HUB_FATAL with the field's path where no value could ever be translated. */
HUB_MUST_USE enum hub_status hub_resolver_new(const struct hub_type *writer,
                                              const struct hub_type *reader,
                                              struct hub_resolver **ret_resolver,
                                              struct hub_error *reterr);
void hub_resolver_free(struct hub_resolver *resolver); /* NULL is fine */

/* True where every accepted value passes through unchanged. */
bool hub_resolver_is_identity(const struct hub_resolver *resolver);

/* Appends the reader's value to `ret_value`. `bytes` must have been walked with the writer's
 * schema. With `canonical` every part is written anew in the canonical encoding; without it the
 * parts of equal wire form are copied as they are. HUB_REJECT where this value has no translation
 * (a union branch or symbol the reader does not know and has no default for). */
HUB_MUST_USE enum hub_status hub_resolve(const struct hub_resolver *resolver,
                                         struct hub_bytes bytes, bool canonical,
                                         struct hub_buffer *ret_value, struct hub_error *reterr);

/* Appends a value in the canonical encoding of its own schema, with which it has been walked. */
void hub_resolve_canonical(const struct hub_type *type, struct hub_bytes bytes,
                           struct hub_buffer *ret_value);
