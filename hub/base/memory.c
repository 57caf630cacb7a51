#include "hub/base/memory.h"

#include "hub/base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Blocks grow with the batch, so that a large one is not many small allocations. */
enum {
    ARENA_BLOCK_BYTES = 64 * 1024,
    ARENA_BLOCK_BYTES_MAX = 4 * 1024 * 1024,
    ARENA_KEPT_BYTES_MAX = 32 * 1024 * 1024,
    ARENA_SMALL_BYTES_MAX = 2 * ARENA_BLOCK_BYTES,
};

struct hub_arena_block {
    struct hub_arena_block *next;
    size_t capacity_bytes;
    _Alignas(HUB_ARENA_ALIGNMENT_BYTES) unsigned char bytes[];
};

/* One write and the end: nothing here may allocate, nor run what was registered for a clean exit. */
void hub_memory_end(void) {
    static const char line[] =
        "level=error event=out_of_memory msg=\"there is no memory left; the process ends, and its "
        "next start goes on from what was committed\"\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(HUB_MEMORY_EXIT_CODE);
}

void *hub_need(void *memory) {
    if (memory == NULL)
        hub_memory_end();
    return memory;
}

void *hub_allocate(size_t size) {
    return hub_need(malloc(size == 0 ? 1 : size));
}

void *hub_allocate_zero(size_t count, size_t size) {
    return hub_need(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *hub_reallocate(void *memory, size_t size) {
    return hub_need(realloc(memory, size == 0 ? 1 : size));
}

char *hub_copy_text(const char *text) {
    return hub_need(strdup(text));
}

void *hub_copy_bytes(const void *data, size_t size) {
    unsigned char *copy = hub_allocate(size + 1);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = 0;
    return copy;
}

void *hub_allocate_named(size_t size, const void *text, size_t text_size, char **ret_text) {
    assert(size <= SIZE_MAX / 2 && text_size < SIZE_MAX / 2);
    unsigned char *object = hub_allocate(size + text_size + 1);
    memset(object, 0, size);
    *ret_text = (char *)object + size;
    if (text_size > 0)
        memcpy(*ret_text, text, text_size);
    (*ret_text)[text_size] = '\0';
    return object;
}

void *hub_release(void *memory) {
    free(memory);
    return NULL;
}

/* What is large is written from end to end: its pages are mapped in one go, for half of what they
 * cost when each is met by chance. Where the kernel cannot, it does when they are met. */
static void map_now(unsigned char *memory, size_t size) {
#ifdef MADV_POPULATE_WRITE
    static const uintptr_t page = 4096;
    uintptr_t from = ((uintptr_t)memory + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)memory + size) & ~(page - 1);
    (void)!madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
    (void)memory;
    (void)size;
#endif
}

static struct hub_arena_block *make_block(const struct hub_arena *arena, size_t at_least_bytes) {
    size_t capacity = ARENA_BLOCK_BYTES;
    if (arena->blocks != NULL && arena->blocks->capacity_bytes >= ARENA_BLOCK_BYTES)
        capacity = arena->blocks->capacity_bytes * 2;
    if (capacity > ARENA_BLOCK_BYTES_MAX)
        capacity = ARENA_BLOCK_BYTES_MAX;
    if (capacity < at_least_bytes)
        capacity = at_least_bytes;
    struct hub_arena_block *block = hub_allocate(sizeof *block + capacity);
    block->capacity_bytes = capacity;
    if (capacity >= ARENA_BLOCK_BYTES_MAX)
        map_now(block->bytes, capacity);
    return block;
}

static void arena_add_block(struct hub_arena *arena, size_t at_least_bytes) {
    struct hub_arena_block *block = arena->spare;
    if (block != NULL && block->capacity_bytes >= at_least_bytes)
        arena->spare = block->next;
    else
        block = make_block(arena, at_least_bytes);
    block->next = arena->blocks;
    arena->blocks = block;
    arena->next = block->bytes;
    arena->room_bytes = block->capacity_bytes;
}

void *hub_arena_take_block(struct hub_arena *arena, size_t size) {
    arena_add_block(arena, size);
    return hub_arena_take(arena, size);
}

void *hub_arena_take_zero(struct hub_arena *arena, size_t count, size_t size) {
    assert(size == 0 || count <= SIZE_MAX / 2 / size);
    void *memory = hub_arena_take(arena, count * size);
    memset(memory, 0, count * size);
    return memory;
}

char *hub_arena_text(struct hub_arena *arena, const char *text, size_t size) {
    char *copy = hub_arena_take(arena, size + 1);
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

/* --- texts put together --- */

enum { DIGITS_MAX = 24 };

/* Writes into [at, end); past it only counts. */
struct text_writer {
    char *at;
    size_t room;
    size_t size;
};

static void write_part(struct text_writer *writer, const char *part, size_t size) {
    if (size == 0)
        return;
    if (size <= writer->room) {
        memcpy(writer->at, part, size);
        writer->at += size;
        writer->room -= size;
    } else {
        writer->room = 0;
    }
    writer->size += size;
}

static void write_number(struct text_writer *writer, unsigned long long number, bool negative) {
    HUB_NOT_ZEROED char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    if (negative)
        digits[--at] = '-';
    write_part(writer, digits + at, sizeof digits - at);
}

static void write_signed(struct text_writer *writer, long long number) {
    unsigned long long bits = (unsigned long long)number;
    write_number(writer, number < 0 ? 0 - bits : bits, number < 0);
}

static bool begins(const char *text, const char *with, size_t *size) {
    *size = strlen(with);
    return strncmp(text, with, *size) == 0;
}

/* False where the format asks for more than is known here. */
static bool write_format(struct text_writer *writer, const char *format, va_list arguments) {
    size_t size = 0;
    while (*format != '\0') {
        const char *percent = strchrnul(format, '%');
        write_part(writer, format, (size_t)(percent - format));
        if (*(format = percent) == '\0')
            break;
        if (begins(format, "%s", &size)) {
            const char *part = va_arg(arguments, const char *);
            write_part(writer, part, strlen(part));
        } else if (begins(format, "%.*s", &size)) {
            size_t size_max = (size_t)va_arg(arguments, int);
            const char *part = va_arg(arguments, const char *);
            write_part(writer, part, strnlen(part, size_max));
        } else if (begins(format, "%d", &size)) {
            write_signed(writer, va_arg(arguments, int));
        } else if (begins(format, "%lld", &size)) {
            write_signed(writer, va_arg(arguments, long long));
        } else if (begins(format, "%zu", &size)) {
            write_number(writer, va_arg(arguments, size_t), /* negative= */ false);
        } else {
            return false;
        }
        format += size;
    }
    return true;
}

char *hub_arena_format(struct hub_arena *arena, const char *format, ...) {
    /* Written where it will stand: it mostly fits there. */
    struct text_writer writer = {(char *)arena->next, arena->room_bytes, 0};
    va_list arguments;
    va_start(arguments, format);
    bool known = write_format(&writer, format, arguments);
    va_end(arguments);
    if (known && writer.size < arena->room_bytes) {
        char *text = hub_arena_take(arena, writer.size + 1);
        text[writer.size] = '\0';
        return text;
    }
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    char *text = hub_arena_take(arena, (size_t)size + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}

static void arena_free_blocks(struct hub_arena_block *block) {
    while (block != NULL) {
        struct hub_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

/* The largest blocks are the newest: these are kept, and used again first. */
static void reset(struct hub_arena *arena, size_t kept_bytes_max) {
    struct hub_arena_block **end = &arena->blocks;
    size_t kept_bytes = 0;
    while (*end != NULL)
        end = &(*end)->next;
    *end = arena->spare;
    end = &arena->blocks;
    while (*end != NULL && kept_bytes + (*end)->capacity_bytes <= kept_bytes_max) {
        kept_bytes += (*end)->capacity_bytes;
        end = &(*end)->next;
    }
    arena_free_blocks(*end);
    *end = NULL;
    arena->spare = arena->blocks;
    arena->blocks = NULL;
    arena->next = NULL;
    arena->room_bytes = 0;
    arena->total_bytes = 0;
}

void hub_arena_reset(struct hub_arena *arena) {
    reset(arena, ARENA_KEPT_BYTES_MAX);
}

void hub_arena_reset_small(struct hub_arena *arena) {
    struct hub_arena_block *block = arena->blocks;
    if (block == NULL || block->next != NULL || arena->spare != NULL) {
        reset(arena, ARENA_SMALL_BYTES_MAX);
        return;
    }
    arena->next = block->bytes; /* there is the one, and it begins anew */
    arena->room_bytes = block->capacity_bytes;
    arena->total_bytes = 0;
}

void hub_arena_destroy(struct hub_arena *arena) {
    arena_free_blocks(arena->blocks);
    arena_free_blocks(arena->spare);
    *arena = (struct hub_arena){0};
}
