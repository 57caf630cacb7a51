/* watchdog: a process that hangs ends. */
#include "hub/engine/watchdog.h"
#include "tests/lib/cmocka.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs it in a process of its own; its wait status. */
static int in_a_child(void (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(nowhere, STDERR_FILENO);
        body();
        _exit(0);
    }
    int result = -1;
    waitpid(child, &result, 0);
    return result;
}

static void hang(void) {
    hub_watchdog_start(/* timeout_ms= */ 50);
    for (;;)
        pause();
}

static void spin(void) {
    hub_watchdog_start(/* timeout_ms= */ 50);
    for (volatile unsigned long i = 0;; i++)
        continue;
}

static void return_in_time(void) {
    hub_watchdog_start(/* timeout_ms= */ 50);
    hub_watchdog_stop();
    poll(NULL, 0, 100);
}

static void move_the_deadline(void) {
    hub_watchdog_start(/* timeout_ms= */ 50);
    hub_watchdog_start(/* timeout_ms= */ 60000);
    poll(NULL, 0, 100);
}

static void a_process_that_hangs_ends_with_its_own_code(void **state) {
    (void)state;
    int result = in_a_child(hang);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), HUB_WATCHDOG_EXIT_CODE);
}

static void a_process_that_spins_ends_too(void **state) {
    (void)state;
    int result = in_a_child(spin);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), HUB_WATCHDOG_EXIT_CODE);
}

static void a_call_that_returns_in_time_is_let_go(void **state) {
    (void)state;
    assert_int_equal(in_a_child(return_in_time), 0);
}

static void a_new_start_moves_the_deadline(void **state) {
    (void)state;
    assert_int_equal(in_a_child(move_the_deadline), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_that_hangs_ends_with_its_own_code),
        cmocka_unit_test(a_process_that_spins_ends_too),
        cmocka_unit_test(a_call_that_returns_in_time_is_let_go),
        cmocka_unit_test(a_new_start_moves_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
