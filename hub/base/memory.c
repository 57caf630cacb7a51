#include "hub/base/memory.h"

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
    ARENA_ALIGNMENT_BYTES = 16,
};

struct hub_arena_block {
    struct hub_arena_block *next;
    size_t capacity_bytes;
    _Alignas(ARENA_ALIGNMENT_BYTES) unsigned char bytes[];
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
    arena->used_bytes = 0;
}

static size_t round_up(size_t size) {
    return (size + ARENA_ALIGNMENT_BYTES - 1) & ~(size_t)(ARENA_ALIGNMENT_BYTES - 1);
}

static size_t arena_room(const struct hub_arena *arena) {
    return arena->blocks == NULL ? 0 : arena->blocks->capacity_bytes - arena->used_bytes;
}

void *hub_arena_take(struct hub_arena *arena, size_t size) {
    assert(size <= SIZE_MAX / 2);
    size_t rounded = round_up(size);
    if (arena->blocks == NULL || arena_room(arena) < rounded)
        arena_add_block(arena, rounded);
    void *memory = arena->blocks->bytes + arena->used_bytes;
    arena->used_bytes += rounded;
    arena->total_bytes += rounded;
    return memory;
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

char *hub_arena_format(struct hub_arena *arena, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    /* Written where it will stand: it mostly fits there. */
    size_t room = arena_room(arena);
    char *here = room == 0 ? NULL : (char *)arena->blocks->bytes + arena->used_bytes;
    int size = vsnprintf(here, room, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    bool fits = round_up((size_t)size + 1) <= room;
    char *text = hub_arena_take(arena, (size_t)size + 1);
    if (!fits)
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
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
void hub_arena_reset(struct hub_arena *arena) {
    struct hub_arena_block **end = &arena->blocks;
    size_t kept_bytes = 0;
    while (*end != NULL)
        end = &(*end)->next;
    *end = arena->spare;
    end = &arena->blocks;
    while (*end != NULL && kept_bytes + (*end)->capacity_bytes <= ARENA_KEPT_BYTES_MAX) {
        kept_bytes += (*end)->capacity_bytes;
        end = &(*end)->next;
    }
    arena_free_blocks(*end);
    *end = NULL;
    arena->spare = arena->blocks;
    arena->blocks = NULL;
    arena->used_bytes = 0;
    arena->total_bytes = 0;
}

void hub_arena_destroy(struct hub_arena *arena) {
    arena_free_blocks(arena->blocks);
    arena_free_blocks(arena->spare);
    *arena = (struct hub_arena){0};
}
