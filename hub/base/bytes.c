#include "hub/base/bytes.h"

#include "hub/base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int hub_bytes_compare(struct hub_bytes a, struct hub_bytes b) {
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool hub_bytes_cut(struct hub_bytes bytes, uint8_t separator, struct hub_bytes *ret_head,
                   struct hub_bytes *ret_rest) {
    const uint8_t *found = bytes.size == 0 ? NULL : memchr(bytes.data, separator, bytes.size);
    if (found == NULL)
        return false;
    size_t at = (size_t)(found - bytes.data);
    *ret_head = hub_bytes_part(bytes, 0, at);
    *ret_rest = hub_bytes_part(bytes, at + 1, bytes.size);
    return true;
}

bool hub_cursor_any_long(struct hub_cursor *cursor, int64_t *ret_value, bool *ret_minimal) {
    uint64_t value = 0;
    uint8_t byte = 0;
    size_t position = cursor->position;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (position == cursor->bytes.size)
            return false;
        byte = cursor->bytes.data[position++];
        if (shift == 63 && byte > 1)
            return false; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (ret_minimal != NULL)
                *ret_minimal = byte != 0 || shift == 0;
            *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            cursor->position = position;
            return true;
        }
    }
    return false;
}

static size_t buffer_size_max(const struct hub_buffer *buffer) {
    return buffer->size_max == 0 ? HUB_BUFFER_SIZE_MAX_DEFAULT : buffer->size_max;
}

bool hub_buffer_overflowed(const struct hub_buffer *buffer) {
    return buffer->size > buffer_size_max(buffer);
}

static uint8_t *widen(const struct hub_buffer *buffer, size_t capacity) {
    if (buffer->arena == NULL)
        return hub_reallocate(buffer->data, capacity);
    uint8_t *wider = hub_arena_take(buffer->arena, capacity);
    if (buffer->size > 0)
        memcpy(wider, buffer->data, buffer->size);
    return wider;
}

/* Makes room for `size` more bytes and one zero byte; false when the limit is passed. */
static bool buffer_reserve(struct hub_buffer *buffer, size_t size) {
    size_t size_max = buffer_size_max(buffer);
    if (buffer->size > size_max || size > size_max - buffer->size) {
        buffer->size = size_max + 1;
        return false;
    }
    size_t needed = buffer->size + size + 1;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity < 512 ? 512 : buffer->capacity;
        while (capacity < needed)
            capacity *= 2;
        if (capacity > size_max + 1)
            capacity = size_max + 1;
        buffer->data = widen(buffer, capacity);
        buffer->capacity = capacity;
    }
    return true;
}

void hub_buffer_reserve(struct hub_buffer *buffer, size_t size) {
    size_t size_max = buffer_size_max(buffer);
    if (buffer->size <= size_max && size <= size_max - buffer->size)
        buffer_reserve(buffer, size);
}

void hub_buffer_append_growing(struct hub_buffer *buffer, const void *data, size_t size) {
    if (size == 0 || !buffer_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void hub_buffer_append_format(struct hub_buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    /* Written where it will stand: it mostly fits there. */
    size_t room = buffer->size < buffer->capacity ? buffer->capacity - buffer->size : 0;
    int size = vsnprintf(room == 0 ? NULL : (char *)buffer->data + buffer->size, room, format,
                         arguments);
    va_end(arguments);
    assert(size >= 0);
    if ((size_t)size < room) {
        buffer->size += (size_t)size;
    } else if (buffer_reserve(buffer, (size_t)size)) {
        vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

void hub_buffer_append_any_long(struct hub_buffer *buffer, int64_t value) {
    uint64_t rest = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    uint8_t bytes[10];
    size_t size = 0;
    while (rest > 0x7f) {
        bytes[size++] = (uint8_t)(rest & 0x7f) | 0x80;
        rest >>= 7;
    }
    bytes[size++] = (uint8_t)rest;
    hub_buffer_append(buffer, bytes, size);
}

void hub_buffer_clear(struct hub_buffer *buffer) {
    buffer->size = 0;
}

void hub_buffer_free(struct hub_buffer *buffer) {
    if (buffer->arena == NULL)
        free(buffer->data);
    *buffer = (struct hub_buffer){.size_max = buffer->size_max, .arena = buffer->arena};
}

const char *hub_buffer_text(struct hub_buffer *buffer) {
    assert(!hub_buffer_overflowed(buffer));
    if (!buffer_reserve(buffer, 0))
        return "";
    buffer->data[buffer->size] = '\0';
    return (const char *)buffer->data;
}
