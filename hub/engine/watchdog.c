#include "hub/engine/watchdog.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

/* Only what is safe in a signal handler: one write, and the end. */
static void on_deadline(int signal_number) {
    static const char line[] =
        "level=error event=watchdog msg=\"a call did not return in time; the process ends, and its "
        "next start goes on from what was committed\"\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    (void)signal_number;
    _exit(HUB_WATCHDOG_EXIT_CODE);
}

static void set_timer(int64_t milliseconds) {
    const struct itimerval timer = {
        .it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

void hub_watchdog_start(int64_t timeout_ms) {
    struct sigaction action = {.sa_handler = on_deadline};
    sigaction(SIGALRM, &action, NULL);
    set_timer(timeout_ms);
}

void hub_watchdog_stop(void) {
    set_timer(0);
}
