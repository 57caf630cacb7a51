/* child: a program that is asked lines, and what it may not do. */
#include "hub/io/child.h"
#include "hub/base/memory.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, SHORT_MS = 200, MEMORY_BYTES = 64 << 20, ANSWER_SIZE_MAX = 1 << 20 };

struct asking {
    struct hub_child_config config;
    struct hub_child *child;
    struct hub_buffer answer;
    struct hub_error error;
};

/* A script for the shell, which reads lines. */
static void open_script(struct asking *asking, const char *const *words) {
    *asking = (struct asking){.config = {.words = words,
                                         .folder = "/",
                                         .memory_bytes = MEMORY_BYTES,
                                         .answer_size_max = ANSWER_SIZE_MAX}};
    expect_ok(hub_child_new(&asking->config, &asking->child, &asking->error), &asking->error);
}

#define OPEN(asking, script) open_script((asking), (const char *const[]){"sh", "-c", (script), NULL})

static void close_asking(struct asking *asking) {
    hub_child_free(asking->child);
    hub_buffer_free(&asking->answer);
}

static enum hub_status ask(struct asking *asking, const char *line, int64_t timeout_ms) {
    return hub_child_ask(asking->child, hub_bytes_of_text(line), timeout_ms, &asking->answer,
                         &asking->error);
}

static void expect_answer(struct asking *asking, const char *line, const char *answer) {
    expect_ok(ask(asking, line, PATIENCE_MS), &asking->error);
    assert_string_equal(hub_buffer_text(&asking->answer), answer);
}

static void each_line_has_an_answer_of_the_same_process(void **state) {
    struct asking asking;
    (void)state;
    OPEN(&asking, "n=0; while read line; do n=$((n + 1)); echo \"$n $line\"; done");
    expect_answer(&asking, "a", "1 a");
    expect_answer(&asking, "", "2 ");
    expect_answer(&asking, "b c", "3 b c");
    close_asking(&asking);
}

static void a_line_may_be_larger_than_what_a_pipe_holds(void **state) {
    struct asking asking;
    char *line = hub_allocate_zero(1, ANSWER_SIZE_MAX - 1);
    (void)state;
    memset(line, 'x', ANSWER_SIZE_MAX - 2);
    open_script(&asking, (const char *const[]){"cat", NULL});
    expect_answer(&asking, line, line);
    hub_release(line);
    close_asking(&asking);
}

static void one_that_ends_is_told_of_and_started_anew(void **state) {
    struct asking asking;
    (void)state;
    OPEN(&asking, "read line; [ $line = good ] && echo fine; exit 3");
    expect_answer(&asking, "good", "fine");
    expect_refusal(ask(&asking, "bad", PATIENCE_MS), HUB_REJECT, &asking.error,
                   "sh ended with exit code 3", "instead of an answer");
    expect_answer(&asking, "good", "fine");
    close_asking(&asking);
}

static void one_that_is_too_slow_is_ended(void **state) {
    struct asking asking;
    (void)state;
    OPEN(&asking, "while read line; do [ $line = good ] && echo fine || read never < /dev/zero; done");
    expect_refusal(ask(&asking, "bad", SHORT_MS), HUB_REJECT, &asking.error, "sh gave no answer",
                   "within 200 ms");
    expect_answer(&asking, "good", "fine");
    close_asking(&asking);
}

static void one_that_never_reads_is_too_slow(void **state) {
    struct asking asking;
    char *line = hub_allocate_zero(1, ANSWER_SIZE_MAX);
    (void)state;
    memset(line, 'x', ANSWER_SIZE_MAX - 1);
    open_script(&asking, (const char *const[]){"sleep", "1000", NULL});
    expect_refusal(ask(&asking, line, SHORT_MS), HUB_REJECT, &asking.error, "sleep gave no answer",
                   "");
    hub_release(line);
    close_asking(&asking);
}

static void an_answer_without_end_is_cut_off(void **state) {
    struct asking asking;
    (void)state;
    open_script(&asking, (const char *const[]){"cat", "/dev/zero", NULL});
    expect_refusal(ask(&asking, "a", PATIENCE_MS), HUB_REJECT, &asking.error, "cat answered with more",
                   "than 1048576 bytes");
    close_asking(&asking);
}

static void it_has_no_network(void **state) {
    struct asking asking;
    (void)state;
    open_script(&asking,
                (const char *const[]){"python3", "-uc",
                                      "import socket\n"
                                      "while input():\n"
                                      "    try:\n"
                                      "        socket.socket()\n"
                                      "        print('a socket')\n"
                                      "    except PermissionError:\n"
                                      "        print('none')\n",
                                      NULL});
    expect_answer(&asking, "a", "none");
    close_asking(&asking);
}

static void it_has_no_more_memory_than_it_is_given(void **state) {
    struct asking asking;
    (void)state;
    open_script(&asking,
                (const char *const[]){"python3", "-uc",
                                      "while True:\n"
                                      "    print(len(b'x' * int(input())))\n",
                                      NULL});
    expect_answer(&asking, "1000000", "1000000");
    expect_refusal(ask(&asking, "1000000000", PATIENCE_MS), HUB_REJECT, &asking.error, "python3",
                   "instead of an answer");
    close_asking(&asking);
}

static void it_sees_nothing_of_ours(void **state) {
    struct asking asking;
    (void)state;
    setenv("HUB_TEST_SECRET", "hush", 1);
    OPEN(&asking, "while read line; do here=$PWD; cd /proc/$$/fd; echo \"$HUB_TEST_SECRET\"* $here; done");
    expect_answer(&asking, "a", "0 1 2 3 /"); /* 3: by which the shell reads that folder */
    unsetenv("HUB_TEST_SECRET");
    close_asking(&asking);
}

static void what_cannot_be_run_is_for_a_person(void **state) {
    static const char *const names[] = {"no-such-program", "/etc", "./no-such", NULL};
    struct hub_child *child = NULL;
    struct hub_error error;
    (void)state;
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *const words[] = {names[i], NULL};
        struct hub_child_config config = {.words = words,
                                          .folder = "/",
                                          .memory_bytes = MEMORY_BYTES,
                                          .answer_size_max = ANSWER_SIZE_MAX};
        expect_refusal(hub_child_new(&config, &child, &error), HUB_FATAL, &error, names[i],
                       "no program that could be run");
    }
}

static void one_that_is_no_program_after_all_is_refused_when_it_is_asked(void **state) {
    struct asking asking;
    char path[] = "/tmp/child-test-XXXXXX";
    int file = mkstemp(path);
    (void)state;
    assert_true(file >= 0 && fchmod(file, 0700) == 0 && write(file, "\1\2\3", 3) == 3);
    close(file);
    open_script(&asking, (const char *const[]){path, NULL});
    expect_refusal(ask(&asking, "a", PATIENCE_MS), HUB_REJECT, &asking.error, path,
                   "could not be started");
    close_asking(&asking);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_has_an_answer_of_the_same_process),
        cmocka_unit_test(a_line_may_be_larger_than_what_a_pipe_holds),
        cmocka_unit_test(one_that_ends_is_told_of_and_started_anew),
        cmocka_unit_test(one_that_is_too_slow_is_ended),
        cmocka_unit_test(one_that_never_reads_is_too_slow),
        cmocka_unit_test(an_answer_without_end_is_cut_off),
        cmocka_unit_test(it_has_no_network),
        cmocka_unit_test(it_has_no_more_memory_than_it_is_given),
        cmocka_unit_test(it_sees_nothing_of_ours),
        cmocka_unit_test(what_cannot_be_run_is_for_a_person),
        cmocka_unit_test(one_that_is_no_program_after_all_is_refused_when_it_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
