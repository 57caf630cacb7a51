/* Reading parts of a value that the walker has accepted.
 *
 * Everything here trusts its input: bytes that were not walked first are a programmer error. */
#pragma once

#include "schemas/lib/type.h"

#include <assert.h>

/* Moves past one value. */
void hub_slice_skip(const struct hub_type *type, struct hub_cursor *cursor);

/* The bytes of one value at the cursor; moves past it. */
struct hub_bytes hub_slice_value(const struct hub_type *type, struct hub_cursor *cursor);

/* Where the fields of a record begin: `starts` has room for fields + 1 entries. */
void hub_slice_fields(const struct hub_type *record, struct hub_bytes bytes, uint32_t *starts);

/* One field of a record, by index, without the other fields' starts. */
struct hub_bytes hub_slice_field(const struct hub_type *record, struct hub_bytes bytes,
                                 size_t index);

/* Follows dotted field names through records and through unions with null. NULL (and nothing
 * written) where a part of the way is null; `ret_type` is the stated type at the end. */
const struct hub_type *hub_slice_path(const struct hub_type *type, struct hub_bytes bytes,
                                      const char *path, struct hub_bytes *ret_bytes);

/* What a value states: for a union the branch's own type and bytes, else the value as it is.
 * NULL for null. */
const struct hub_type *hub_slice_stated(const struct hub_type *type, struct hub_bytes bytes,
                                        struct hub_bytes *ret_bytes);

bool hub_slice_is_unstated_any(const struct hub_type *type, struct hub_bytes bytes);

/* True for null, and for an array or map without elements: "not stated". */
static inline bool hub_slice_is_unstated(const struct hub_type *type, struct hub_bytes bytes) {
    enum hub_kind kind = type->kind;
    if (kind != HUB_UNION && kind != HUB_ARRAY && kind != HUB_MAP)
        return kind == HUB_NULL;
    assert(bytes.size > 0);
    if (bytes.data[0] >= 0x80) /* an index or a count is mostly of one byte */
        return hub_slice_is_unstated_any(type, bytes);
    if (kind != HUB_UNION)
        return bytes.data[0] == 0;
    kind = type->branches[bytes.data[0] >> 1]->kind;
    return kind == HUB_NULL ||
           ((kind == HUB_ARRAY || kind == HUB_MAP) && hub_slice_is_unstated_any(type, bytes));
}

/* The elements of an array, one after the other; a map's entries are elements with a key. */
struct hub_elements {
    const struct hub_type *type;
    const uint8_t *at, *end;
    uint64_t left_in_block;
    bool ended;
};
struct hub_elements hub_slice_elements(const struct hub_type *array_or_map,
                                       struct hub_bytes bytes);
bool hub_slice_next(struct hub_elements *elements, struct hub_bytes *ret_element);
bool hub_slice_next_entry(struct hub_elements *elements, struct hub_bytes *ret_key,
                          struct hub_bytes *ret_value);

int64_t hub_slice_long(struct hub_bytes bytes);             /* int, long, enum */
double hub_slice_number(const struct hub_type *type, struct hub_bytes bytes); /* these, float, double */
struct hub_bytes hub_slice_octets(struct hub_bytes bytes);  /* string, bytes */
const char *hub_slice_symbol(const struct hub_type *enumeration, struct hub_bytes bytes);
