/* When two values say the same, and when one yields to the other.
 *
 * Values are accepted Avro bytes of the same type. The rules are the field's `hub:equal` and, for
 * records, those of their parts. */
#pragma once

#include "schemas/lib/domain.h"

/* True where the two do not contradict each other. What is not stated contradicts nothing. Not
 * transitive: 2016 agrees with 2016-07 and with 2016-08. */
bool hub_values_agree(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes a, struct hub_bytes b);

/* True where the two agree and speak of the same fact: one may stand for the other. */
bool hub_values_alike(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes a, struct hub_bytes b);

/* The two in one: what is alike agrees, and what agrees may be of another fact. Either way round. */
enum hub_relation { HUB_VALUES_ALIKE = 1, HUB_VALUES_AGREE, HUB_VALUES_CONTRARY };
enum hub_relation hub_values_relation(const struct hub_field_contract *contract,
                                      const struct hub_type *type, struct hub_bytes a,
                                      struct hub_bytes b);

/* True where `a` agrees with `b` and `b` is the more exact of the two: a date, or a record of which
 * some date is more exact, none less so, and nothing is missing. */
bool hub_value_yields(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes a, struct hub_bytes b);

/* Appends the text by which an element of a set is recognised: texts folded where their part is
 * compared folded, records by their decisive parts or by all of them. */
void hub_value_key(const struct hub_field_contract *contract, const struct hub_type *type,
                   struct hub_bytes value, struct hub_buffer *buffer);

/* Appends one of several parts of a key, with a separator after it. What of it looks like a
 * separator is escaped: other parts never make the same key. */
void hub_value_key_part(const struct hub_field_contract *contract, const struct hub_type *type,
                        struct hub_bytes value, struct hub_buffer *buffer);
