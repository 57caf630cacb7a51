/* Avro bytes as JSON text, for people and for tools that speak JSON. */
#pragma once

#include "schemas/lib/type.h"

/* Appends one accepted value as compact JSON: enums by symbol, a union's value without a wrapper,
 * bytes and fixed in lower-case hexadecimal, dates (logicalType date) as YYYY-MM-DD, times
 * (timestamp-millis) as RFC 3339 in UTC. The text is for reading; Avro's own JSON encoding is
 * another one. */
void hub_render_json(const struct hub_type *type, struct hub_bytes bytes,
                     struct hub_buffer *buffer);

/* YYYY-MM-DD of a number of days since 1970-01-01 (proleptic Gregorian). */
void hub_render_date(int64_t days, struct hub_buffer *buffer);
/* RFC 3339 with milliseconds and Z, into HUB_TIME_TEXT_SIZE_MAX characters; returns how many, and adds no zero. */
enum { HUB_TIME_TEXT_SIZE_MAX = 48 };
size_t hub_time_text(int64_t milliseconds, char *text);
void hub_render_time(int64_t milliseconds, struct hub_buffer *buffer);
