#include "schemas/lib/walk.h"

#include "hub/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The place in the bytes is handed from call to call: in a walker it would be written to memory with
 * each value. What refuses returns NULL. */
struct walker {
    const uint8_t *begin, *end;
    uint64_t elements_left;
    uint64_t elements_max;
    bool canonical;
    bool plain, plain_only;
    struct hub_error *reterr;
};

static const uint8_t *walk_compound(struct walker *walker, const struct hub_type *type,
                                    const uint8_t *at);

static __attribute__((cold, noinline)) const uint8_t *refuse(struct walker *walker, const uint8_t *at,
                                                              const char *what) {
    hub_fail(walker->reterr, HUB_REJECT, "byte %zu: %s", (size_t)(at - walker->begin), what);
    return NULL;
}

static __attribute__((noinline)) const uint8_t *read_any_long(struct walker *walker, const uint8_t *at,
                                                              int64_t *ret_value) {
    struct hub_cursor cursor = hub_cursor(hub_bytes(at, (size_t)(walker->end - at)));
    bool minimal = true;
    if (!hub_cursor_any_long(&cursor, ret_value, &minimal))
        return refuse(walker, at, "a number is cut off or longer than 64 bits");
    walker->canonical &= minimal;
    return at + cursor.position;
}

/* Of one byte, as lengths, counts and indexes mostly are. */
static inline const uint8_t *read_long(struct walker *walker, const uint8_t *at, int64_t *ret_value) {
    if (at < walker->end && *at < 0x80) {
        *ret_value = (int64_t)(*at >> 1) ^ -(int64_t)(*at & 1);
        return at + 1;
    }
    return read_any_long(walker, at, ret_value);
}

static inline const uint8_t *take(struct walker *walker, const uint8_t *at, size_t size,
                                  const char *cut_off) {
    return size > (size_t)(walker->end - at) ? refuse(walker, at, cut_off) : at + size;
}

static __attribute__((cold, noinline)) const uint8_t *refuse_length(struct walker *walker,
                                                                     const uint8_t *at, int64_t size) {
    hub_fail(walker->reterr, HUB_REJECT, "byte %zu: a length of %lld where %zu bytes are left",
             (size_t)(at - walker->begin), (long long)size, (size_t)(walker->end - at));
    return NULL;
}

static inline const uint8_t *read_octets(struct walker *walker, const uint8_t *at,
                                         struct hub_bytes *ret_bytes) {
    int64_t size = 0;
    at = read_long(walker, at, &size);
    if (at == NULL)
        return NULL;
    if (size < 0 || (uint64_t)size > (uint64_t)(walker->end - at))
        return refuse_length(walker, at, size);
    *ret_bytes = hub_bytes(at, (size_t)size);
    return at + size;
}

static __attribute__((cold, noinline)) const uint8_t *
refuse_index(struct walker *walker, const uint8_t *at, const struct hub_type *type, int64_t index) {
    hub_fail(walker->reterr, HUB_REJECT, "byte %zu: %s index %lld; 0 to %zu would pass",
             (size_t)(at - walker->begin), hub_kind_name(type->kind), (long long)index,
             type->count - 1);
    return NULL;
}

static inline const uint8_t *walk_index(struct walker *walker, const struct hub_type *type,
                                        const uint8_t *at, int64_t *ret_index) {
    at = read_long(walker, at, ret_index);
    if (at != NULL && (uint64_t)*ret_index >= type->count) /* a negative one is a large one */
        return refuse_index(walker, at, type, *ret_index);
    return at;
}

/* Of a text that is not printable ASCII. */
static __attribute__((noinline)) const uint8_t *walk_text(struct walker *walker, const uint8_t *at,
                                                          struct hub_bytes text) {
    if (!hub_text_is_utf8(text))
        return refuse(walker, at, "a string that is not UTF-8");
    bool plain = hub_text_is_plain(text);
    walker->plain &= plain;
    if (!plain && walker->plain_only)
        return refuse(walker, at,
                      "a string with a control character; tabs and line breaks would pass");
    return at;
}

static const uint8_t *walk_int(struct walker *walker, const uint8_t *at) {
    int64_t number = 0;
    at = read_long(walker, at, &number);
    if (at != NULL && (number < INT32_MIN || number > INT32_MAX))
        return refuse(walker, at, "an int of more than 32 bits");
    return at;
}

static const uint8_t *walk_boolean(struct walker *walker, const uint8_t *at) {
    static const char why[] = "a boolean that is neither 0 nor 1";
    if (at == walker->end)
        return refuse(walker, at, why);
    return *at > 1 ? refuse(walker, at + 1, why) : at + 1;
}

static const uint8_t *walk_scalar(struct walker *walker, const struct hub_type *type,
                                  const uint8_t *at) {
    struct hub_bytes bytes;
    int64_t number = 0;
    switch (type->kind) {
    case HUB_BOOLEAN:
        return walk_boolean(walker, at);
    case HUB_INT:
        return walk_int(walker, at);
    case HUB_LONG:
        return read_long(walker, at, &number);
    case HUB_FLOAT:
        return take(walker, at, 4, "a floating-point number is cut off");
    case HUB_DOUBLE:
        return take(walker, at, 8, "a floating-point number is cut off");
    case HUB_BYTES:
        return read_octets(walker, at, &bytes);
    case HUB_FIXED:
        return take(walker, at, type->fixed_size, "a fixed value is cut off");
    case HUB_ENUM:
        return walk_index(walker, type, at, &number);
    case HUB_NULL:
    case HUB_STRING:
    case HUB_UNION:
    case HUB_ARRAY:
    case HUB_MAP:
    case HUB_RECORD:;
    }
    return at;
}

/* Inline for what most values are: a text, or nothing, or one of them. */
static inline __attribute__((always_inline)) const uint8_t *
walk_value(struct walker *walker, const struct hub_type *type, const uint8_t *at) {
    if (type->kind == HUB_UNION) { /* which holds no union */
        int64_t index = 0;
        at = walk_index(walker, type, at, &index);
        if (at == NULL)
            return NULL;
        type = type->branches[index];
    }
    switch (type->kind) {
    case HUB_NULL:
        return at;
    case HUB_STRING: {
        struct hub_bytes text;
        at = read_octets(walker, at, &text);
        return at == NULL || hub_text_is_printable(text) ? at : walk_text(walker, at, text);
    }
    case HUB_ARRAY:
    case HUB_MAP:
    case HUB_RECORD:
        return walk_compound(walker, type, at);
    default:
        return walk_scalar(walker, type, at);
    }
}

/* --- records --- */

static inline __attribute__((always_inline)) const uint8_t *
walk_fields_from(struct walker *walker, const struct hub_type *type, size_t first,
                 const uint8_t *at, uint32_t *starts) {
    for (size_t i = first; i < type->count; i++) {
        if (starts != NULL)
            starts[i] = (uint32_t)(at - walker->begin);
        at = walk_value(walker, type->fields[i].type, at);
        if (at == NULL) {
            hub_fail_at(walker->reterr, HUB_REJECT, "%s", type->fields[i].name);
            return NULL;
        }
    }
    if (starts != NULL)
        starts[type->count] = (uint32_t)(at - walker->begin);
    return at;
}

static const uint8_t *walk_fields(struct walker *walker, const struct hub_type *type,
                                  const uint8_t *at, uint32_t *starts) {
    return walk_fields_from(walker, type, 0, at, starts);
}

static inline bool begins_with(const uint8_t *at, const uint8_t *end, struct hub_bytes bytes) {
    if (bytes.size > (size_t)(end - at))
        return false;
    return bytes.size == 1 ? *at == *bytes.data : memcmp(at, bytes.data, bytes.size) == 0;
}

/* Whether a value is accepted, and where it ends, is told by its own bytes alone. */
static const uint8_t *walk_changed(struct walker *walker, const struct hub_type *type,
                                   const uint8_t *at, uint32_t *starts,
                                   const struct hub_walked *before, bool *same) {
    for (size_t i = 1; i < type->count; i++) {
        struct hub_bytes was =
            hub_bytes_part(before->bytes, before->starts[i], before->starts[i + 1]);
        starts[i] = (uint32_t)(at - walker->begin);
        same[i] = begins_with(at, walker->end, was);
        at = same[i] ? at + was.size : walk_value(walker, type->fields[i].type, at);
        if (at == NULL) {
            hub_fail_at(walker->reterr, HUB_REJECT, "%s", type->fields[i].name);
            return NULL;
        }
    }
    starts[type->count] = (uint32_t)(at - walker->begin);
    return at;
}

/* --- arrays and maps --- */

static __attribute__((cold, noinline)) const uint8_t *refuse_count(struct walker *walker,
                                                                    const uint8_t *at) {
    hub_fail(walker->reterr, HUB_REJECT, "byte %zu: more than %llu array and map elements in one record",
             (size_t)(at - walker->begin), (unsigned long long)walker->elements_max);
    return NULL;
}

static const uint8_t *walk_key(struct walker *walker, const uint8_t *at) {
    struct hub_bytes key;
    at = read_octets(walker, at, &key);
    if (at != NULL && !hub_text_is_utf8(key))
        return refuse(walker, at, "a map key that is not UTF-8");
    return at;
}

/* `before` elements stood in the blocks before this one. */
static const uint8_t *walk_elements(struct walker *walker, const struct hub_type *type,
                                    const uint8_t *at, uint64_t before, uint64_t count) {
    if (count > walker->elements_left)
        return refuse_count(walker, at);
    walker->elements_left -= count;
    for (uint64_t i = 0; i < count; i++) {
        if (type->kind == HUB_MAP && (at = walk_key(walker, at)) == NULL)
            return NULL;
        at = walk_value(walker, type->items, at);
        if (at == NULL) {
            hub_fail_at(walker->reterr, HUB_REJECT, "element %llu", (unsigned long long)(before + i));
            return NULL;
        }
    }
    return at;
}

static __attribute__((cold, noinline)) const uint8_t *
refuse_size(struct walker *walker, const uint8_t *from, const uint8_t *at, int64_t size) {
    hub_fail(walker->reterr, HUB_REJECT, "byte %zu: a block says %lld bytes and has %zu",
             (size_t)(from - walker->begin), (long long)size, (size_t)(at - from));
    return NULL;
}

/* Blocks of elements until a block of none. A negative count is followed by the block's size. */
static const uint8_t *walk_blocks(struct walker *walker, const struct hub_type *type,
                                  const uint8_t *at) {
    for (uint64_t before = 0;;) {
        int64_t count = 0, size = 0;
        at = read_long(walker, at, &count);
        if (at == NULL || count == 0)
            return at;
        walker->canonical &= before == 0 && count > 0;
        if (count == INT64_MIN)
            return refuse(walker, at, "a block count that no number of elements can have");
        bool sized = count < 0;
        uint64_t elements = (uint64_t)(sized ? -count : count);
        if (sized && (at = read_long(walker, at, &size)) == NULL)
            return NULL;
        const uint8_t *from = at;
        at = walk_elements(walker, type, at, before, elements);
        if (at == NULL)
            return NULL;
        before += elements;
        if (sized && (size < 0 || (uint64_t)(at - from) != (uint64_t)size))
            return refuse_size(walker, from, at, size);
    }
}

static const uint8_t *walk_compound(struct walker *walker, const struct hub_type *type,
                                    const uint8_t *at) {
    return type->kind == HUB_RECORD ? walk_fields(walker, type, at, NULL)
                                    : walk_blocks(walker, type, at);
}

/* --- walks --- */

static enum hub_status set_out(struct hub_bytes bytes, const struct hub_walk_limits *limits,
                               struct walker *ret_walker, struct hub_error *reterr) {
    static const uint8_t nothing[1];
    assert(limits->size_max <= UINT32_MAX);
    if (bytes.size > limits->size_max)
        return hub_fail(reterr, HUB_REJECT, "%zu bytes, over the limit of %zu", bytes.size,
                        limits->size_max);
    const uint8_t *begin = bytes.data == NULL ? nothing : bytes.data;
    *ret_walker = (struct walker){.begin = begin,
                                  .end = begin + bytes.size,
                                  .elements_left = limits->elements_max,
                                  .elements_max = limits->elements_max,
                                  .canonical = true,
                                  .plain = true,
                                  .plain_only = limits->plain,
                                  .reterr = reterr};
    return HUB_OK;
}

/* `at` is where the value ended; NULL where it was refused. */
static enum hub_status arrive(const struct walker *walker, const uint8_t *at,
                              struct hub_walk *walk) {
    if (at == NULL)
        return HUB_REJECT;
    if (at < walker->end)
        return hub_fail(walker->reterr, HUB_REJECT, "byte %zu: %zu bytes after the end of the record",
                        (size_t)(at - walker->begin), (size_t)(walker->end - at));
    walk->canonical = walker->canonical;
    walk->plain = walker->plain;
    return HUB_OK;
}

enum hub_status hub_walk(const struct hub_type *type, struct hub_bytes bytes,
                         const struct hub_walk_limits *limits, struct hub_walk *walk,
                         struct hub_error *reterr) {
    HUB_NOT_ZEROED struct walker walker;
    HUB_TRY(set_out(bytes, limits, &walker, reterr));
    const uint8_t *at = type->kind == HUB_RECORD
                            ? walk_fields(&walker, type, walker.begin, walk->starts)
                            : walk_value(&walker, type, walker.begin);
    return arrive(&walker, at, walk);
}

enum hub_status hub_walk_first(const struct hub_type *type, struct hub_bytes bytes,
                               const struct hub_walk_limits *limits, struct hub_walk *walk,
                               uint32_t *parts, struct hub_error *reterr) {
    const struct hub_field *first = &type->fields[0];
    HUB_NOT_ZEROED struct walker walker;
    assert(type->kind == HUB_RECORD && first->type->kind == HUB_RECORD);
    HUB_TRY(set_out(bytes, limits, &walker, reterr));
    const uint8_t *at = walk_fields(&walker, first->type, walker.begin, parts);
    if (at == NULL)
        return hub_fail_at(reterr, HUB_REJECT, "%s", first->name);
    walk->starts[0] = 0;
    walk->starts[1] = (uint32_t)(at - walker.begin);
    walk->elements = walker.elements_max - walker.elements_left;
    walk->canonical = walker.canonical;
    walk->plain = walker.plain;
    return HUB_OK;
}

/* All but the first. */
static enum hub_status set_out_again(struct hub_bytes bytes, const struct hub_walk_limits *limits,
                                     const struct hub_walk *walk, struct walker *ret_walker,
                                     struct hub_error *reterr) {
    HUB_TRY(set_out(bytes, limits, ret_walker, reterr));
    assert(walk->starts[1] <= bytes.size && walk->elements <= ret_walker->elements_left);
    ret_walker->elements_left -= walk->elements;
    ret_walker->canonical = walk->canonical;
    ret_walker->plain = walk->plain;
    return HUB_OK;
}

enum hub_status hub_walk_others(const struct hub_type *type, struct hub_bytes bytes,
                                const struct hub_walk_limits *limits, struct hub_walk *walk,
                                struct hub_error *reterr) {
    HUB_NOT_ZEROED struct walker walker;
    HUB_TRY(set_out_again(bytes, limits, walk, &walker, reterr));
    const uint8_t *at =
        walk_fields_from(&walker, type, 1, walker.begin + walk->starts[1], walk->starts);
    return arrive(&walker, at, walk);
}

/* Of an element without bytes there may be any number in a value. */
static bool takes_bytes(const struct hub_type *type) {
    bool takes = type->kind != HUB_NULL && type->kind != HUB_RECORD;
    for (size_t i = 0; type->kind == HUB_RECORD && i < type->count; i++)
        takes |= takes_bytes(type->fields[i].type);
    return takes;
}

bool hub_walk_elements_take_bytes(const struct hub_type *type) {
    bool all = true;
    if (type->kind == HUB_ARRAY)
        all = takes_bytes(type->items);
    if (type->kind == HUB_ARRAY || type->kind == HUB_MAP)
        return all && hub_walk_elements_take_bytes(type->items);
    for (size_t i = 0; type->kind == HUB_RECORD && i < type->count; i++)
        all &= hub_walk_elements_take_bytes(type->fields[i].type);
    for (size_t i = 0; type->kind == HUB_UNION && i < type->count; i++)
        all &= hub_walk_elements_take_bytes(type->branches[i]);
    return all;
}

enum hub_status hub_walk_others_since(const struct hub_type *type, struct hub_bytes bytes,
                                      const struct hub_walk_limits *limits,
                                      const struct hub_walked *before, struct hub_walk *walk,
                                      bool *same, struct hub_error *reterr) {
    HUB_NOT_ZEROED struct walker walker;
    assert(bytes.size <= limits->elements_max && !limits->plain);
    HUB_TRY(set_out_again(bytes, limits, walk, &walker, reterr));
    same[0] = hub_bytes_equal(hub_bytes_part(bytes, 0, walk->starts[1]),
                              hub_bytes_part(before->bytes, 0, before->starts[1]));
    const uint8_t *at = walk_changed(&walker, type, walker.begin + walk->starts[1], walk->starts,
                                     before, same);
    walker.plain = false;
    return arrive(&walker, at, walk);
}
