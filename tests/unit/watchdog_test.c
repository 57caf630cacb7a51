/* watchdog: a process in which nothing goes on ends. */
#include "hub/io/watchdog.h"
#include "tests/lib/cmocka.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60 };

static void be_quiet(void) {
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDERR_FILENO);
    hub_watchdog_start(PATIENCE_MS);
}

/* Runs it in a process of its own. */
static pid_t start(void (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        be_quiet();
        body();
        _exit(0);
    }
    return child;
}

static int exit_code_of(pid_t child) {
    int result = -1;
    waitpid(child, &result, 0);
    assert_true(WIFEXITED(result));
    return WEXITSTATUS(result);
}

static void hang(void) {
    for (;;)
        pause();
}

static void spin(void) {
    for (volatile unsigned long i = 0;; i++)
        continue;
}

static void go_on(void) {
    for (int i = 0; i < 10 * PATIENCE_MS; i++) {
        hub_watchdog_beat();
        poll(NULL, 0, 1);
    }
}

static void go_on_and_then_hang(void) {
    hub_watchdog_beat();
    hang();
}

static void a_process_that_hangs_ends_with_its_own_code(void **state) {
    (void)state;
    assert_int_equal(exit_code_of(start(hang)), HUB_WATCHDOG_EXIT_CODE);
}

static void a_process_that_spins_ends_too(void **state) {
    (void)state;
    assert_int_equal(exit_code_of(start(spin)), HUB_WATCHDOG_EXIT_CODE);
}

static void where_something_goes_on_nothing_ends(void **state) {
    (void)state;
    assert_int_equal(exit_code_of(start(go_on)), 0);
}

static void one_beat_is_not_enough_for_ever(void **state) {
    (void)state;
    assert_int_equal(exit_code_of(start(go_on_and_then_hang)), HUB_WATCHDOG_EXIT_CODE);
}

static void signals_are_still_the_process_s_own(void **state) {
    (void)state;
    pid_t child = start(hang);
    int result = -1;
    kill(child, SIGTERM);
    waitpid(child, &result, 0);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGTERM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_hangs_ends_with_its_own_code),
        cmocka_unit_test(a_process_that_spins_ends_too),
        cmocka_unit_test(where_something_goes_on_nothing_ends),
        cmocka_unit_test(one_beat_is_not_enough_for_ever),
        cmocka_unit_test(signals_are_still_the_process_s_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
