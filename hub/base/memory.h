/* Memory has three lives: the process (hub_allocate), the batch (an arena, never freed by hand)
 * and the function. None of these returns NULL: a process without memory stops (hub_memory_end),
 * and the batch it was working on comes again after its restart.
 *
 * Libraries allocate too, and what is left out of a value because there was no room for it looks like
 * a value without it. So those that let their user choose are given these functions, and what the
 * others return goes through hub_need. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HUB_MEMORY_EXIT_CODE = 71 }; /* EX_OSERR */

/* Ends the process at once with a line on standard error and that code. Nothing that it had begun is
 * kept: the broker aborts an open transaction, and the next start goes on from what was
 * committed. */
void hub_memory_end(void) __attribute__((noreturn, cold));
/* Gives back what a library allocated; ends the process where it is NULL for want of memory. */
void *hub_need(void *memory) __attribute__((returns_nonnull));

void *hub_allocate(size_t size) __attribute__((malloc, returns_nonnull));
void *hub_allocate_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *hub_reallocate(void *memory, size_t size) __attribute__((returns_nonnull));
char *hub_copy_text(const char *text) __attribute__((malloc, returns_nonnull));
/* Copies `size` bytes and adds a zero byte that is not counted. */
void *hub_copy_bytes(const void *data, size_t size) __attribute__((malloc, returns_nonnull));

/* An object of `size` bytes, zeroed, and in the same piece of memory a copy of the text (`text_size` bytes, and a
 * zero byte that is not counted), which goes with the object: what is found by a name lies beside it. */
void *hub_allocate_named(size_t size, const void *text, size_t text_size, char **ret_text)
    __attribute__((returns_nonnull));

/* Frees and returns NULL: `state->name = hub_release(state->name)`. */
void *hub_release(void *memory);

/* A bump allocator. Everything taken from it is given back at once by reset or destroy. */
struct hub_arena {
    struct hub_arena_block *blocks; /* newest first */
    struct hub_arena_block *spare;  /* kept by the last reset */
    unsigned char *next;            /* of the newest block */
    size_t room_bytes;              /* behind it */
    size_t total_bytes;             /* handed out since the last reset */
};

enum { HUB_ARENA_ALIGNMENT_BYTES = 16 };

/* `size` is a multiple of the alignment. */
void *hub_arena_take_block(struct hub_arena *arena, size_t size)
    __attribute__((returns_nonnull, cold));

static inline void *hub_arena_take(struct hub_arena *arena, size_t size) {
    assert(size <= SIZE_MAX / 2);
    size = (size + HUB_ARENA_ALIGNMENT_BYTES - 1) & ~(size_t)(HUB_ARENA_ALIGNMENT_BYTES - 1);
    if (size > arena->room_bytes || arena->next == NULL)
        return hub_arena_take_block(arena, size);
    void *memory = arena->next;
    arena->next += size;
    arena->room_bytes -= size;
    arena->total_bytes += size;
    return memory;
}

void *hub_arena_take_zero(struct hub_arena *arena, size_t count, size_t size)
    __attribute__((returns_nonnull));
char *hub_arena_text(struct hub_arena *arena, const char *text, size_t size)
    __attribute__((returns_nonnull));
/* As printf does; what is put together for every record, of %s, %.*s, %d, %zu and %lld, without it. */
char *hub_arena_format(struct hub_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
/* Keeps up to 32 MiB for the next batch and frees the rest. */
void hub_arena_reset(struct hub_arena *arena);
/* Keeps a block or two: for what is used and given back many times in a batch, and seldom is large. */
void hub_arena_reset_small(struct hub_arena *arena);
void hub_arena_destroy(struct hub_arena *arena);

/* Makes room for one more element in a growing array owned by the process. */
#define HUB_GROW(array, count, capacity)                                                           \
    ((array) = hub_grow((array), (count), &(capacity), sizeof *(array)))

enum { HUB_GROW_FIRST_BYTES = 16 };

static inline void *hub_grow(void *array, size_t count, size_t *capacity, size_t element_size) {
    if (count < *capacity)
        return array;
    /* Most arrays stay small, and there are many of them. */
    size_t first = element_size >= HUB_GROW_FIRST_BYTES ? 1 : HUB_GROW_FIRST_BYTES / element_size;
    *capacity = *capacity == 0 ? first : *capacity * 2;
    return hub_reallocate(array, *capacity * element_size);
}

/* The same of an array that lives in an arena, where what it grows out of stays. */
#define HUB_GROW_IN(arena, array, count, capacity)                                                 \
    ((array) = hub_grow_in((arena), (array), (count), &(capacity), sizeof *(array)))

static inline void *hub_grow_in(struct hub_arena *arena, void *array, size_t count,
                                size_t *capacity, size_t element_size) {
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 4 : *capacity * 2;
    void *wider = hub_arena_take(arena, *capacity * element_size);
    if (count > 0)
        memcpy(wider, array, count * element_size);
    return wider;
}
