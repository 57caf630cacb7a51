/* memory: allocations that never fail, and arenas. */
#include "hub/base/memory.h"

#include "tests/lib/cmocka.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void nothing_asked_for_is_still_something(void **state) {
    (void)state;
    void *one = hub_allocate(0), *two = hub_allocate_zero(0, 0);
    assert_non_null(one);
    assert_non_null(two);
    one = hub_reallocate(one, 0);
    assert_non_null(one);
    assert_null(hub_release(one));
    assert_null(hub_release(two));
    assert_null(hub_release(NULL));
}

static void zeroed_memory_is_zero(void **state) {
    (void)state;
    unsigned char *bytes = hub_allocate_zero(3, 5);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(bytes[i], 0);
    hub_release(bytes);
}

static void copies_are_their_own_and_end_with_a_zero(void **state) {
    (void)state;
    char text[] = "abc";
    char *copy = hub_copy_text(text), *bytes = hub_copy_bytes(text, 2);
    char *nothing = hub_copy_bytes(NULL, 0);
    text[0] = 'x';
    assert_string_equal(copy, "abc");
    assert_string_equal(bytes, "ab");
    assert_string_equal(nothing, "");
    hub_release(copy);
    hub_release(bytes);
    hub_release(nothing);
}

static void what_an_arena_gives_is_aligned_and_apart(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    unsigned char *parts[100];
    for (size_t i = 0; i < 100; i++) {
        parts[i] = hub_arena_take(&arena, i);
        assert_int_equal((uintptr_t)parts[i] % 16, 0);
        memset(parts[i], (int)i, i);
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal(parts[i][k], i);
    hub_arena_destroy(&arena);
}

static void an_arena_takes_more_blocks_and_large_ones(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    char *first = hub_arena_text(&arena, "first", 5);
    for (int i = 0; i < 10; i++)
        memset(hub_arena_take(&arena, 50000), i, 50000);
    char *large = hub_arena_take(&arena, 1000000);
    memset(large, 7, 1000000);
    assert_string_equal(first, "first");
    assert_true(arena.total_bytes >= 1500000);
    hub_arena_destroy(&arena);
    assert_null(arena.blocks);
    hub_arena_destroy(&arena);
}

static void zeroed_parts_are_zero_also_after_a_reset(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    memset(hub_arena_take(&arena, 1000), 0xff, 1000);
    hub_arena_reset(&arena);
    const unsigned char *zeroes = hub_arena_take_zero(&arena, 10, 100);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(zeroes[i], 0);
    assert_non_null(hub_arena_take_zero(&arena, 0, 8));
    assert_non_null(hub_arena_take_zero(&arena, 8, 0));
    hub_arena_destroy(&arena);
}

static void a_reset_keeps_what_the_next_batch_will_need(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    hub_arena_reset(&arena);
    assert_null(arena.spare);
    const void *small = hub_arena_take(&arena, 16);
    const void *large = hub_arena_take(&arena, 1000000);
    hub_arena_reset(&arena);
    assert_int_equal(arena.total_bytes, 0);
    assert_ptr_equal(hub_arena_take(&arena, 1000000), large);
    assert_ptr_equal(hub_arena_take(&arena, 60000), small); /* the next of those that were kept */
    assert_null(arena.spare);
    hub_arena_destroy(&arena);
}

static void a_reset_gives_back_what_is_more_than_32_mebibytes(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    for (int i = 0; i < 40; i++)
        hub_arena_take(&arena, 1024 * 1024);
    hub_arena_reset(&arena);
    assert_non_null(arena.spare);
    hub_arena_take(&arena, 64 * 1024 * 1024);
    hub_arena_reset(&arena);
    assert_null(arena.spare);
    hub_arena_destroy(&arena);
}

static void texts_in_an_arena_are_copied_and_formatted(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    assert_string_equal(hub_arena_text(&arena, "abcdef", 3), "abc");
    assert_string_equal(hub_arena_text(&arena, NULL, 0), "");
    assert_string_equal(hub_arena_format(&arena, "%s/%d", "x", 42), "x/42");
    assert_string_equal(hub_arena_format(&arena, "%s", ""), "");
    assert_int_equal(strlen(hub_arena_format(&arena, "%100000d", 1)), 100000);
    hub_arena_destroy(&arena);
}

static void an_empty_arena_gives_nothing_too(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    assert_non_null(hub_arena_take(&arena, 0));
    assert_true(arena.blocks != NULL);
    hub_arena_reset(&arena);
    assert_non_null(hub_arena_take_zero(&arena, 0, 8));
    hub_arena_destroy(&arena);
}

static void an_array_grows_as_it_is_filled(void **state) {
    (void)state;
    int *numbers = NULL;
    size_t count = 0, capacity = 0;
    for (int i = 0; i < 100; i++) {
        HUB_GROW(numbers, count, capacity);
        numbers[count++] = i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(numbers[i], i);
    assert_int_equal(capacity, 128);
    hub_release(numbers);
}

/* Runs it in a process of its own: the exit code, and what it wrote on standard error. */
static int in_a_child(void (*body)(void), char *ret_said, size_t size) {
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        body();
        _exit(0);
    }
    close(ends[1]);
    size_t done = 0;
    for (ssize_t got = 1; got > 0 && done + 1 < size; done += got > 0 ? (size_t)got : 0)
        got = read(ends[0], ret_said + done, size - 1 - done);
    ret_said[done] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void need_nothing(void) {
    hub_need(NULL);
}

static void never(void) {
    abort();
}

static void end_after_registering(void) {
    atexit(never);
    hub_memory_end();
}

static void a_process_without_memory_ends_with_one_line_and_its_own_code(void **state) {
    char said[1024];
    (void)state;
    assert_int_equal(in_a_child(need_nothing, said, sizeof said), HUB_MEMORY_EXIT_CODE);
    assert_non_null(strstr(said, "level=error event=out_of_memory msg=\""));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void nothing_that_was_left_for_a_clean_exit_is_done(void **state) {
    char said[1024];
    (void)state;
    assert_int_equal(in_a_child(end_after_registering, said, sizeof said), HUB_MEMORY_EXIT_CODE);
}

static void what_is_there_is_given_back(void **state) {
    int one = 1;
    (void)state;
    assert_ptr_equal(hub_need(&one), &one);
}

static void an_array_grows_in_an_arena_too(void **state) {
    struct hub_arena arena = {0};
    int *numbers = NULL;
    size_t capacity = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        HUB_GROW_IN(&arena, numbers, (size_t)i, capacity);
        numbers[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_without_memory_ends_with_one_line_and_its_own_code),
        cmocka_unit_test(nothing_that_was_left_for_a_clean_exit_is_done),
        cmocka_unit_test(what_is_there_is_given_back),
        cmocka_unit_test(nothing_asked_for_is_still_something),
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(copies_are_their_own_and_end_with_a_zero),
        cmocka_unit_test(what_an_arena_gives_is_aligned_and_apart),
        cmocka_unit_test(an_arena_takes_more_blocks_and_large_ones),
        cmocka_unit_test(zeroed_parts_are_zero_also_after_a_reset),
        cmocka_unit_test(a_reset_keeps_what_the_next_batch_will_need),
        cmocka_unit_test(a_reset_gives_back_what_is_more_than_32_mebibytes),
        cmocka_unit_test(an_empty_arena_gives_nothing_too),
        cmocka_unit_test(texts_in_an_arena_are_copied_and_formatted),
        cmocka_unit_test(an_array_grows_as_it_is_filled),
        cmocka_unit_test(an_array_grows_in_an_arena_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
