#include "tests/lib/damage.h"

#include "tests/lib/cmocka.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, HANGS_AFTER_S = 30 };

void damage_flip_bits(struct test_random *random, struct hub_buffer *file) {
    for (size_t left = 1 + test_random_below(random, 8); left > 0; left--)
        file->data[test_random_below(random, file->size)] ^=
            (uint8_t)(1 << test_random_below(random, 8));
}

static uint8_t *any_page(struct test_random *random, struct hub_buffer *file) {
    return file->data + PAGE * test_random_below(random, file->size / PAGE);
}

void damage_lose_page(struct test_random *random, struct hub_buffer *file) {
    memset(any_page(random, file), 0, PAGE);
}

void damage_spoil_page(struct test_random *random, struct hub_buffer *file) {
    uint8_t *page = any_page(random, file);
    for (size_t at = 0; at < PAGE; at += 1 + test_random_below(random, 64))
        page[at] ^= (uint8_t)test_random_next(random);
}

void damage_misplace_page(struct test_random *random, struct hub_buffer *file) {
    memmove(any_page(random, file), any_page(random, file), PAGE);
}

void damage_cut(struct test_random *random, struct hub_buffer *file) {
    file->size = test_random_below(random, file->size);
}

void damage_write(const char *path, struct hub_bytes bytes) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
}

int damage_in_a_child(int (*look)(void *context), void *context) {
    pid_t child = fork();
    if (child == 0) {
        static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS};
        for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
            signal(deadly[i], SIG_DFL); /* the sanitizer would tell of it, cmocka go on */
        fclose(stderr); /* who dies says what of */
        alarm(HANGS_AFTER_S);
        _exit(look(context));
    }
    int result = -1;
    waitpid(child, &result, 0);
    return result;
}
