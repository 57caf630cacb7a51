#include "schemas/lib/slice.h"

#include <assert.h>
#include <string.h>

static inline int64_t take_long(struct hub_cursor *cursor) {
    int64_t value = 0;
    bool well_formed = hub_cursor_long(cursor, &value, NULL);
    assert(well_formed);
    return value;
}

/* --- moving past values: not by a cursor, for that costs as much again --- */

static inline const uint8_t *pass_long(const uint8_t *at, const uint8_t *end) {
    do
        assert(at < end);
    while (*at++ >= 0x80);
    return at;
}

static inline const uint8_t *pass_size(uint64_t size, const uint8_t *at, const uint8_t *end) {
    assert(size <= (uint64_t)(end - at));
    return at + size;
}

/* Of one byte, as lengths, counts and indexes mostly are. */
static inline const uint8_t *read_long(const uint8_t *at, const uint8_t *end, int64_t *ret_value) {
    assert(at < end);
    if (*at < 0x80) {
        *ret_value = (int64_t)(*at >> 1) ^ -(int64_t)(*at & 1);
        return at + 1;
    }
    struct hub_cursor cursor = hub_cursor(hub_bytes(at, (size_t)(end - at)));
    *ret_value = take_long(&cursor);
    return at + cursor.position;
}

static inline const uint8_t *pass_octets(const uint8_t *at, const uint8_t *end) {
    int64_t size = 0;
    assert(at < end);
    if (*at < 0x80)
        return pass_size(*at >> 1, at + 1, end);
    at = read_long(at, end, &size);
    return pass_size((uint64_t)size, at, end);
}

static const uint8_t *pass_compound(const struct hub_type *type, const uint8_t *at,
                                    const uint8_t *end);

/* Inline but for records, arrays and maps: most values are none of these. */
static inline __attribute__((always_inline)) const uint8_t *
pass(const struct hub_type *type, const uint8_t *at, const uint8_t *end) {
    if (type->kind == HUB_UNION) { /* which holds no union */
        int64_t index = 0;
        at = read_long(at, end, &index);
        type = type->branches[index];
    }
    switch (type->kind) {
    case HUB_NULL:
        return at;
    case HUB_BOOLEAN:
        return pass_size(1, at, end);
    case HUB_INT:
    case HUB_LONG:
    case HUB_ENUM:
        return pass_long(at, end);
    case HUB_FLOAT:
        return pass_size(4, at, end);
    case HUB_DOUBLE:
        return pass_size(8, at, end);
    case HUB_BYTES:
    case HUB_STRING:
        return pass_octets(at, end);
    case HUB_FIXED:
        return pass_size(type->fixed_size, at, end);
    case HUB_ARRAY:
    case HUB_MAP:
    case HUB_UNION:
    case HUB_RECORD:;
    }
    return pass_compound(type, at, end);
}

static const uint8_t *pass_blocks(const struct hub_type *type, const uint8_t *at,
                                  const uint8_t *end);

/* The index of a union of null and something else. */
static inline const uint8_t *read_optional(const uint8_t *at, const uint8_t *end, bool *ret_null) {
    int64_t index = 0;
    assert(at < end);
    *ret_null = *at == 0;
    if (*at < 0x80)
        return at + 1;
    at = read_long(at, end, &index);
    *ret_null = index == 0;
    return at;
}

static inline __attribute__((always_inline)) const uint8_t *
pass_steps(const struct hub_step *step, const struct hub_step *last, const uint8_t *at,
           const uint8_t *end) {
    bool null = false;
    for (; step < last; step++) {
        switch (step->kind) {
        case HUB_STEP_LONG:
            at = pass_long(at, end);
            continue;
        case HUB_STEP_OCTETS:
            at = pass_octets(at, end);
            continue;
        case HUB_STEP_SIZE:
            at = pass_size(step->size, at, end);
            continue;
        case HUB_STEP_OPTIONAL:
            at = read_optional(at, end, &null);
            step += null ? step->size : 0;
            continue;
        case HUB_STEP_VALUE:;
        }
        if (step->type->kind != HUB_ARRAY)
            at = pass(step->type, at, end);
        else if (at < end && *at == 0) /* as lists mostly are */
            at++;
        else
            at = pass_blocks(step->type, at, end);
    }
    return at;
}

static inline __attribute__((always_inline)) const uint8_t *
pass_record(const struct hub_type *type, const uint8_t *at, const uint8_t *end) {
    return pass_steps(type->steps, type->steps + type->field_steps[type->count], at, end);
}

static const uint8_t *pass_elements(const struct hub_type *type, int64_t count, const uint8_t *at,
                                    const uint8_t *end) {
    if (type->kind == HUB_ARRAY && type->items->kind == HUB_RECORD)
        for (; count > 0; count--)
            at = pass_record(type->items, at, end);
    for (; count > 0; count--) {
        if (type->kind == HUB_MAP)
            at = pass_octets(at, end);
        at = pass(type->items, at, end);
    }
    return at;
}

static const uint8_t *pass_blocks(const struct hub_type *type, const uint8_t *at,
                                  const uint8_t *end) {
    for (;;) {
        int64_t count = 0, size = 0;
        at = read_long(at, end, &count);
        if (count == 0)
            return at;
        if (count < 0) {
            at = read_long(at, end, &size);
            at = pass_size((uint64_t)size, at, end);
        } else {
            at = pass_elements(type, count, at, end);
        }
    }
}

static const uint8_t *pass_compound(const struct hub_type *type, const uint8_t *at,
                                    const uint8_t *end) {
    if (type->kind != HUB_RECORD)
        return pass_blocks(type, at, end);
    return pass_record(type, at, end);
}

void hub_slice_skip(const struct hub_type *type, struct hub_cursor *cursor) {
    const uint8_t *begin = cursor->bytes.data, *end = begin + cursor->bytes.size;
    cursor->position = (size_t)(pass(type, begin + cursor->position, end) - begin);
}

struct hub_bytes hub_slice_value(const struct hub_type *type, struct hub_cursor *cursor) {
    size_t from = cursor->position;
    hub_slice_skip(type, cursor);
    return hub_bytes_part(cursor->bytes, from, cursor->position);
}

void hub_slice_fields(const struct hub_type *record, struct hub_bytes bytes, uint32_t *starts) {
    const uint8_t *at = bytes.data, *end = at + bytes.size;
    assert(record->kind == HUB_RECORD);
    for (size_t i = 0; i < record->count; i++) {
        starts[i] = (uint32_t)(at - bytes.data);
        at = pass_steps(record->steps + record->field_steps[i],
                        record->steps + record->field_steps[i + 1], at, end);
    }
    starts[record->count] = (uint32_t)(at - bytes.data);
}

struct hub_bytes hub_slice_field(const struct hub_type *record, struct hub_bytes bytes,
                                 size_t index) {
    const uint8_t *at = bytes.data, *end = at + bytes.size;
    assert(record->kind == HUB_RECORD && index < record->count);
    at = pass_steps(record->steps, record->steps + record->field_steps[index], at, end);
    return hub_bytes(at, (size_t)(pass(record->fields[index].type, at, end) - at));
}

const struct hub_type *hub_slice_stated(const struct hub_type *type, struct hub_bytes bytes,
                                        struct hub_bytes *ret_bytes) {
    if (type->kind == HUB_NULL)
        return NULL;
    if (type->kind != HUB_UNION) {
        *ret_bytes = bytes;
        return type;
    }
    int64_t index = 0;
    const uint8_t *end = bytes.data + bytes.size, *at = read_long(bytes.data, end, &index);
    const struct hub_type *branch = type->branches[index];
    if (branch->kind == HUB_NULL)
        return NULL;
    *ret_bytes = hub_bytes(at, (size_t)(end - at));
    return branch;
}

const struct hub_type *hub_slice_path(const struct hub_type *type, struct hub_bytes bytes,
                                      const char *path, struct hub_bytes *ret_bytes) {
    type = hub_slice_stated(type, bytes, &bytes);
    while (type != NULL && *path != '\0') {
        const char *dot = strchr(path, '.');
        HUB_NOT_ZEROED char name[128];
        size_t size = dot == NULL ? strlen(path) : (size_t)(dot - path);
        assert(size < sizeof name);
        memcpy(name, path, size);
        name[size] = '\0';
        int index = hub_type_field(type, name);
        assert(index >= 0);
        bytes = hub_slice_field(type, bytes, (size_t)index);
        type = hub_slice_stated(type->fields[index].type, bytes, &bytes);
        path += size + (dot != NULL);
    }
    if (type != NULL)
        *ret_bytes = bytes;
    return type;
}

bool hub_slice_is_unstated_any(const struct hub_type *type, struct hub_bytes bytes) {
    type = hub_slice_stated(type, bytes, &bytes);
    if (type == NULL || (type->kind != HUB_ARRAY && type->kind != HUB_MAP))
        return type == NULL;
    int64_t count = 0;
    read_long(bytes.data, bytes.data + bytes.size, &count);
    return count == 0;
}

struct hub_elements hub_slice_elements(const struct hub_type *array_or_map,
                                       struct hub_bytes bytes) {
    assert(array_or_map->kind == HUB_ARRAY || array_or_map->kind == HUB_MAP);
    return (struct hub_elements){
        .type = array_or_map->items, .at = bytes.data, .end = bytes.data + bytes.size};
}

/* Enters the next block where the one before is used up; false where there is none. */
static inline bool enter_element(struct hub_elements *elements) {
    if (elements->ended)
        return false;
    if (elements->left_in_block == 0) {
        int64_t count = 0, size = 0;
        elements->at = read_long(elements->at, elements->end, &count);
        if (count < 0) {
            elements->at = read_long(elements->at, elements->end, &size); /* the block's */
            count = -count;
        }
        elements->ended = count == 0;
        if (elements->ended)
            return false;
        elements->left_in_block = (uint64_t)count;
    }
    elements->left_in_block--;
    return true;
}

bool hub_slice_next(struct hub_elements *elements, struct hub_bytes *ret_element) {
    if (!enter_element(elements))
        return false;
    const uint8_t *from = elements->at;
    elements->at = pass(elements->type, from, elements->end);
    *ret_element = hub_bytes(from, (size_t)(elements->at - from));
    return true;
}

bool hub_slice_next_entry(struct hub_elements *elements, struct hub_bytes *ret_key,
                          struct hub_bytes *ret_value) {
    if (!enter_element(elements))
        return false;
    const uint8_t *key = elements->at, *value = pass_octets(key, elements->end);
    elements->at = pass(elements->type, value, elements->end);
    *ret_key = hub_slice_octets(hub_bytes(key, (size_t)(value - key)));
    *ret_value = hub_bytes(value, (size_t)(elements->at - value));
    return true;
}

int64_t hub_slice_long(struct hub_bytes bytes) {
    int64_t value = 0;
    read_long(bytes.data, bytes.data + bytes.size, &value);
    return value;
}

double hub_slice_number(const struct hub_type *type, struct hub_bytes bytes) {
    double real = 0;
    float single = 0;
    switch (type->kind) {
    case HUB_FLOAT:
        memcpy(&single, bytes.data, sizeof single);
        return (double)single;
    case HUB_DOUBLE:
        memcpy(&real, bytes.data, sizeof real);
        return real;
    default:
        return (double)hub_slice_long(bytes);
    }
}

struct hub_bytes hub_slice_octets(struct hub_bytes bytes) {
    int64_t size = 0;
    const uint8_t *end = bytes.data + bytes.size, *at = read_long(bytes.data, end, &size);
    assert((uint64_t)size <= (uint64_t)(end - at));
    return hub_bytes(at, (size_t)size);
}

const char *hub_slice_symbol(const struct hub_type *enumeration, struct hub_bytes bytes) {
    assert(enumeration->kind == HUB_ENUM);
    return enumeration->symbols[hub_slice_long(bytes)];
}
