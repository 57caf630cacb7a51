#include "schemas/lib/walk.h"

#include "hub/base/text.h"

#include <assert.h>
#include <stdio.h>

struct walker {
    struct hub_cursor cursor;
    uint64_t elements_left;
    uint64_t elements_max;
    bool canonical;
    bool plain, plain_only;
    struct hub_error *reterr;
};

static enum hub_status walk_blocks(struct walker *walker, const struct hub_type *type);
static enum hub_status walk_fields(struct walker *walker, const struct hub_type *type,
                                   uint32_t *starts);

static __attribute__((cold)) enum hub_status refuse(struct walker *walker, const char *what) {
    return hub_fail(walker->reterr, HUB_REJECT, "byte %zu: %s", walker->cursor.position, what);
}

static inline enum hub_status read_long(struct walker *walker, int64_t *ret_value) {
    bool minimal = true;
    if (!hub_cursor_long(&walker->cursor, ret_value, &minimal))
        return refuse(walker, "a number is cut off or longer than 64 bits");
    walker->canonical &= minimal;
    return HUB_OK;
}

static enum hub_status read_octets(struct walker *walker, struct hub_bytes *ret_bytes) {
    int64_t size = 0;
    HUB_TRY(read_long(walker, &size));
    if (size < 0 || !hub_cursor_take(&walker->cursor, (uint64_t)size, ret_bytes))
        return hub_fail(walker->reterr, HUB_REJECT,
                        "byte %zu: a length of %lld where %zu bytes are left",
                        walker->cursor.position, (long long)size, hub_cursor_left(&walker->cursor));
    return HUB_OK;
}

static inline enum hub_status walk_index(struct walker *walker, const struct hub_type *type,
                                  int64_t *ret_index) {
    HUB_TRY(read_long(walker, ret_index));
    if (*ret_index < 0 || (uint64_t)*ret_index >= type->count)
        return hub_fail(walker->reterr, HUB_REJECT, "byte %zu: %s index %lld; 0 to %zu would pass",
                        walker->cursor.position, hub_kind_name(type->kind), (long long)*ret_index,
                        type->count - 1);
    return HUB_OK;
}

/* Of a text that is not printable ASCII. */
static enum hub_status walk_text(struct walker *walker, struct hub_bytes text) {
    if (!hub_text_is_utf8(text))
        return refuse(walker, "a string that is not UTF-8");
    bool plain = hub_text_is_plain(text);
    walker->plain &= plain;
    if (!plain && walker->plain_only)
        return refuse(walker, "a string with a control character; tabs and line breaks would pass");
    return HUB_OK;
}

static enum hub_status walk_other(struct walker *walker, const struct hub_type *type) {
    struct hub_bytes bytes;
    int64_t number = 0;
    uint8_t byte = 0;
    switch (type->kind) {
    case HUB_NULL:
        return HUB_OK;
    case HUB_BOOLEAN:
        if (!hub_cursor_byte(&walker->cursor, &byte) || byte > 1)
            return refuse(walker, "a boolean that is neither 0 nor 1");
        return HUB_OK;
    case HUB_INT:
        HUB_TRY(read_long(walker, &number));
        if (number < INT32_MIN || number > INT32_MAX)
            return refuse(walker, "an int of more than 32 bits");
        return HUB_OK;
    case HUB_LONG:
        return read_long(walker, &number);
    case HUB_FLOAT:
    case HUB_DOUBLE:
        if (!hub_cursor_take(&walker->cursor, type->kind == HUB_FLOAT ? 4 : 8, &bytes))
            return refuse(walker, "a floating-point number is cut off");
        return HUB_OK;
    case HUB_BYTES:
        return read_octets(walker, &bytes);
    case HUB_FIXED:
        if (!hub_cursor_take(&walker->cursor, type->fixed_size, &bytes))
            return refuse(walker, "a fixed value is cut off");
        return HUB_OK;
    case HUB_ENUM:
        return walk_index(walker, type, &number);
    case HUB_ARRAY:
    case HUB_MAP:
        return walk_blocks(walker, type);
    case HUB_RECORD:
        return walk_fields(walker, type, NULL);
    case HUB_STRING:
    case HUB_UNION:;
    }
    return HUB_FATAL;
}

/* Inline for what most values are: a text, or nothing, or one of them. */
static inline __attribute__((always_inline)) enum hub_status
walk_value(struct walker *walker, const struct hub_type *type) {
    if (type->kind == HUB_UNION) { /* which holds no union */
        int64_t index = 0;
        HUB_TRY(walk_index(walker, type, &index));
        type = type->branches[index];
    }
    if (type->kind != HUB_STRING)
        return type->kind == HUB_NULL ? HUB_OK : walk_other(walker, type);
    struct hub_bytes bytes;
    HUB_TRY(read_octets(walker, &bytes));
    return hub_text_is_printable(bytes) ? HUB_OK : walk_text(walker, bytes);
}

/* `before` elements stood in the blocks before this one. */
static enum hub_status walk_elements(struct walker *walker, const struct hub_type *type,
                                     uint64_t before, uint64_t count) {
    if (count > walker->elements_left)
        return hub_fail(walker->reterr, HUB_REJECT,
                        "byte %zu: more than %llu array and map elements in one record",
                        walker->cursor.position, (unsigned long long)walker->elements_max);
    walker->elements_left -= count;
    for (uint64_t i = 0; i < count; i++) {
        if (type->kind == HUB_MAP) {
            struct hub_bytes key;
            HUB_TRY(read_octets(walker, &key));
            if (!hub_text_is_utf8(key))
                return refuse(walker, "a map key that is not UTF-8");
        }
        enum hub_status status = walk_value(walker, type->items);
        if (status != HUB_OK)
            return hub_fail_at(walker->reterr, status, "element %llu",
                               (unsigned long long)(before + i));
    }
    return HUB_OK;
}

/* Blocks of elements until a block of none. A negative count is followed by the block's size. */
static enum hub_status walk_blocks(struct walker *walker, const struct hub_type *type) {
    for (uint64_t before = 0;;) {
        int64_t count = 0, size = 0;
        HUB_TRY(read_long(walker, &count));
        if (count == 0)
            return HUB_OK;
        walker->canonical &= before == 0 && count > 0;
        if (count == INT64_MIN)
            return refuse(walker, "a block count that no number of elements can have");
        bool sized = count < 0;
        uint64_t elements = (uint64_t)(sized ? -count : count);
        if (sized)
            HUB_TRY(read_long(walker, &size));
        size_t from = walker->cursor.position;
        HUB_TRY(walk_elements(walker, type, before, elements));
        before += elements;
        if (sized && (size < 0 || walker->cursor.position - from != (uint64_t)size))
            return hub_fail(walker->reterr, HUB_REJECT,
                            "byte %zu: a block says %lld bytes and has %zu", from, (long long)size,
                            walker->cursor.position - from);
    }
}

static enum hub_status walk_fields(struct walker *walker, const struct hub_type *type,
                                   uint32_t *starts) {
    for (size_t i = 0; i < type->count; i++) {
        if (starts != NULL)
            starts[i] = (uint32_t)walker->cursor.position;
        enum hub_status status = walk_value(walker, type->fields[i].type);
        if (status != HUB_OK)
            return hub_fail_at(walker->reterr, status, "%s", type->fields[i].name);
    }
    if (starts != NULL)
        starts[type->count] = (uint32_t)walker->cursor.position;
    return HUB_OK;
}

enum hub_status hub_walk(const struct hub_type *type, struct hub_bytes bytes,
                         const struct hub_walk_limits *limits, struct hub_walk *walk,
                         struct hub_error *reterr) {
    assert(limits->size_max <= UINT32_MAX);
    if (bytes.size > limits->size_max)
        return hub_fail(reterr, HUB_REJECT, "%zu bytes, over the limit of %zu", bytes.size,
                        limits->size_max);
    struct walker walker = {.cursor = hub_cursor(bytes),
                            .elements_left = limits->elements_max,
                            .elements_max = limits->elements_max,
                            .canonical = true,
                            .plain = true,
                            .plain_only = limits->plain,
                            .reterr = reterr};
    enum hub_status status = type->kind == HUB_RECORD ? walk_fields(&walker, type, walk->starts)
                                                      : walk_value(&walker, type);
    if (status != HUB_OK)
        return status;
    if (hub_cursor_left(&walker.cursor) > 0)
        return hub_fail(reterr, HUB_REJECT, "byte %zu: %zu bytes after the end of the record",
                        walker.cursor.position, hub_cursor_left(&walker.cursor));
    walk->canonical = walker.canonical;
    walk->plain = walker.plain;
    return HUB_OK;
}
