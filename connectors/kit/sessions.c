#include "connectors/kit/sessions.h"

#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/kafka.h"
#include "hub/io/log.h"
#include "hub/io/watchdog.h"

#include <signal.h>

enum { BACK_OFF_MIN_MS = 500, BACK_OFF_MAX_MS = 10000 };

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

bool hub_sessions_are_ending(void) {
    return stop_requested;
}

enum hub_status hub_sessions_begin(const char *name, int64_t patience_ms,
                                   struct hub_error *reterr) {
    struct sigaction action = {.sa_handler = on_signal};
    const char *version = NULL;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    /* A peer that has gone is an error of a write, and no end. */
    signal(SIGPIPE, SIG_IGN);
    hub_log_open("connector", name);
    hub_watchdog_start(patience_ms);
    return hub_kafka_check_version(&version, reterr);
}

static void wait_for_kafka(struct hub_presence *presence, int64_t wait_ms, const char *why) {
    hub_log(HUB_LOG_WARNING, "session_ended", "%s; again in %lld ms", why, (long long)wait_ms);
    hub_presence_tell(presence, HUB_RESTARTING, why);
    hub_presence_wait_ms(presence, wait_ms);
}

enum hub_status hub_sessions_run(struct hub_presence *presence, bool once,
                                 enum hub_status (*run)(void *context, struct hub_error *reterr),
                                 void *context, struct hub_error *reterr) {
    enum hub_status status = HUB_OK;
    struct hub_back_off back_off = {.min_ms = BACK_OFF_MIN_MS, .max_ms = BACK_OFF_MAX_MS};
    for (int tries = 0; !stop_requested; tries++) {
        int64_t began_ms = hub_clock_monotonic_ms();
        status = run(context, reterr);
        if (status != HUB_RETRY || (once && tries + 1 >= HUB_ONCE_TRIES))
            break;
        wait_for_kafka(presence,
                       hub_back_off_next_ms(&back_off, hub_clock_monotonic_ms() - began_ms),
                       reterr->text);
    }
    return status;
}
