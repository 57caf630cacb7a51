#include "hub/io/watchdog.h"

#include "hub/io/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { TICKS = 30 };

static atomic_uint beats;
static struct timespec tick;

/* What hangs may hold any lock: one write, and the end. */
static void end(void) {
    static const char line[] =
        "level=error event=watchdog msg=\"a call did not return in time; the process ends, and its "
        "next start goes on from what was committed\"\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);
    (void)ignored;
    _exit(HUB_WATCHDOG_EXIT_CODE);
}

/* Ticks are counted, and not time: a process that was stopped meanwhile has missed them. */
static void *watch(void *unused) {
    unsigned seen = atomic_load(&beats);
    (void)unused;
    for (int silent = 0; silent < TICKS;) {
        nanosleep(&tick, NULL);
        unsigned now = atomic_load(&beats);
        silent = now == seen ? silent + 1 : 0;
        seen = now;
    }
    end();
    return NULL;
}

void hub_watchdog_start(int64_t patience_ms) {
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    int64_t tick_ns = patience_ms * 1000000 / TICKS;
    tick = (struct timespec){tick_ns / 1000000000, tick_ns % 1000000000};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for others */
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0 ||
        pthread_create(&thread, &attributes, watch, NULL) != 0)
        hub_log(HUB_LOG_WARNING, "no_watchdog", "there is no thread to be had for it");
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void hub_watchdog_beat(void) {
    atomic_fetch_add_explicit(&beats, 1, memory_order_relaxed);
}
