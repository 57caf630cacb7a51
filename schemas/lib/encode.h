/* Writing Avro: the few pieces that the hub composes records from (Avro 1.11.1, "Binary
 * encoding"). Whatever already is Avro is appended as bytes. */
#pragma once

#include "hub/base/bytes.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Avro's floats are little-endian");

static inline void hub_encode_long(struct hub_buffer *buffer, int64_t value) {
    hub_buffer_append_long(buffer, value);
}

static inline void hub_encode_octets(struct hub_buffer *buffer, struct hub_bytes octets) {
    hub_buffer_append_long(buffer, (int64_t)octets.size);
    hub_buffer_append_bytes(buffer, octets);
}

static inline void hub_encode_text(struct hub_buffer *buffer, const char *text) {
    hub_encode_octets(buffer, hub_bytes_of_text(text));
}

/* A union of null (branch 0) and string (branch 1). */
static inline void hub_encode_optional_text(struct hub_buffer *buffer, const char *text) {
    hub_buffer_append_long(buffer, text == NULL ? 0 : 1);
    if (text != NULL)
        hub_encode_text(buffer, text);
}

/* An array is its count where it has elements, then these, then a zero. */
static inline void hub_encode_array_begin(struct hub_buffer *buffer, size_t count) {
    if (count > 0)
        hub_buffer_append_long(buffer, (int64_t)count);
}

static inline void hub_encode_array_end(struct hub_buffer *buffer) {
    hub_buffer_append_long(buffer, 0);
}
