/* Slices, cursors and growing buffers: the only file that does pointer arithmetic on data.
 *
 * A slice (`struct hub_bytes`) never owns what it points at. A cursor reads a slice from the front
 * and refuses to pass its end. A buffer grows up to the limit it was born with. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hub_bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct hub_bytes hub_bytes(const void *data, size_t size) {
    return (struct hub_bytes){data, size};
}

static inline struct hub_bytes hub_bytes_of_text(const char *text) {
    return (struct hub_bytes){(const uint8_t *)text, strlen(text)};
}

/* Many are of one byte: what is not stated, an index, a small number. */
static inline bool hub_bytes_equal(struct hub_bytes a, struct hub_bytes b) {
    if (a.size != b.size || a.size == 0)
        return a.size == b.size;
    return *a.data == *b.data && (a.size == 1 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool hub_bytes_equal_text(struct hub_bytes bytes, const char *text) {
    return hub_bytes_equal(bytes, hub_bytes_of_text(text));
}

/* Orders like memcmp, a prefix before what it begins. */
int hub_bytes_compare(struct hub_bytes a, struct hub_bytes b);

/* The part [from, to) of a slice. Asking for more than there is, is a programmer error. */
static inline struct hub_bytes hub_bytes_part(struct hub_bytes bytes, size_t from, size_t to) {
    assert(from <= to && to <= bytes.size);
    return from == to ? hub_bytes("", 0) : hub_bytes(bytes.data + from, to - from);
}

/* Whether the parts of two slices from one start to the next are the same bytes. */
static inline bool hub_bytes_parts_equal(struct hub_bytes a, const uint32_t a_starts[2],
                                         struct hub_bytes b, const uint32_t b_starts[2]) {
    size_t size = a_starts[1] - a_starts[0];
    assert(a_starts[0] <= a_starts[1] && a_starts[1] <= a.size);
    assert(b_starts[0] <= b_starts[1] && b_starts[1] <= b.size);
    if (size != b_starts[1] - b_starts[0] || size == 0)
        return size == b_starts[1] - b_starts[0];
    const uint8_t *x = a.data + a_starts[0], *y = b.data + b_starts[0];
    return *x == *y && (size == 1 || memcmp(x, y, size) == 0);
}

/* Splits at the first `separator`: what stands before it, and in `ret_rest` what stands after.
 * False where there is none. */
bool hub_bytes_cut(struct hub_bytes bytes, uint8_t separator, struct hub_bytes *ret_head,
                   struct hub_bytes *ret_rest);

struct hub_cursor {
    struct hub_bytes bytes;
    size_t position;
};

static inline struct hub_cursor hub_cursor(struct hub_bytes bytes) {
    return (struct hub_cursor){bytes, 0};
}

static inline size_t hub_cursor_left(const struct hub_cursor *cursor) {
    return cursor->bytes.size - cursor->position;
}

static inline bool hub_cursor_byte(struct hub_cursor *cursor, uint8_t *ret_byte) {
    if (cursor->position == cursor->bytes.size)
        return false;
    *ret_byte = cursor->bytes.data[cursor->position++];
    return true;
}

/* Takes `size` bytes; false (and nothing moved) where fewer are left. */
static inline bool hub_cursor_take(struct hub_cursor *cursor, uint64_t size,
                                   struct hub_bytes *ret_bytes) {
    if (size > hub_cursor_left(cursor))
        return false;
    *ret_bytes = hub_bytes(cursor->bytes.data + cursor->position, (size_t)size);
    cursor->position += (size_t)size;
    return true;
}

/* A zig-zag variable-length long (Avro 1.11, "Binary encoding"), at most 10 bytes and within 64
 * bits. `ret_minimal` tells whether it was written in as few bytes as it can be; may be NULL. */
bool hub_cursor_any_long(struct hub_cursor *cursor, int64_t *ret_value, bool *ret_minimal);

static inline bool hub_cursor_long(struct hub_cursor *cursor, int64_t *ret_value,
                                   bool *ret_minimal) {
    /* One byte, minimal by itself: lengths, counts, indexes and small numbers. */
    if (cursor->position < cursor->bytes.size && cursor->bytes.data[cursor->position] < 0x80) {
        uint8_t byte = cursor->bytes.data[cursor->position++];
        *ret_value = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
        if (ret_minimal != NULL)
            *ret_minimal = true;
        return true;
    }
    return hub_cursor_any_long(cursor, ret_value, ret_minimal);
}

struct hub_arena;

struct hub_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity; /* at most size_max + 1 */
    size_t size_max; /* stated where the buffer is born; 0 means 64 MiB */
    /* Where the data is taken from, and lives as long as the arena does; NULL: from the process. */
    struct hub_arena *arena;
};

enum { HUB_BUFFER_SIZE_MAX_DEFAULT = 64 * 1024 * 1024 };

/* Appending past size_max sets the buffer's size to size_max + 1 and drops the data, so that one
 * check at the end (hub_buffer_overflowed) is enough. */
void hub_buffer_append_growing(struct hub_buffer *buffer, const void *data, size_t size);

static inline void hub_buffer_append(struct hub_buffer *buffer, const void *data, size_t size) {
    /* Subtracted, so that no size can wrap; an overflowed buffer has no room. */
    if (buffer->size >= buffer->capacity || size >= buffer->capacity - buffer->size) {
        hub_buffer_append_growing(buffer, data, size);
    } else if (size > 0) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
}

static inline void hub_buffer_append_bytes(struct hub_buffer *buffer, struct hub_bytes bytes) {
    hub_buffer_append(buffer, bytes.data, bytes.size);
}

static inline void hub_buffer_append_byte(struct hub_buffer *buffer, uint8_t byte) {
    hub_buffer_append(buffer, &byte, 1);
}

static inline void hub_buffer_append_text(struct hub_buffer *buffer, const char *text) {
    hub_buffer_append(buffer, text, strlen(text));
}

void hub_buffer_append_format(struct hub_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hub_buffer_append_any_long(struct hub_buffer *buffer, int64_t value);

/* A zig-zag varint, mostly of one byte. */
static inline void hub_buffer_append_long(struct hub_buffer *buffer, int64_t value) {
    if (value >= -64 && value < 64 && buffer->size + 1 < buffer->capacity)
        buffer->data[buffer->size++] = (uint8_t)((uint64_t)value << 1 ^ (uint64_t)(value >> 63));
    else
        hub_buffer_append_any_long(buffer, value);
}

/* Room for so many bytes more, where the limit allows them: so that a value whose size can be told does not
 * grow bit by bit. */
void hub_buffer_reserve(struct hub_buffer *buffer, size_t size);
bool hub_buffer_overflowed(const struct hub_buffer *buffer);
void hub_buffer_clear(struct hub_buffer *buffer);
void hub_buffer_free(struct hub_buffer *buffer);

/* Of a buffer that has overflowed there is nothing to be had: asking is a programmer error. */
static inline struct hub_bytes hub_buffer_bytes(const struct hub_buffer *buffer) {
    assert(buffer->size <= buffer->capacity);
    return hub_bytes(buffer->data, buffer->size);
}

/* The text in the buffer, ended by a zero byte that is not counted. */
const char *hub_buffer_text(struct hub_buffer *buffer);

/* A buffer that frees itself at the end of its scope. */
#define HUB_SCOPED_BUFFER __attribute__((cleanup(hub_buffer_free))) struct hub_buffer
