#include "hub/io/clock.h"

#include <time.h>

static int64_t milliseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t hub_clock_monotonic_ms(void) {
    return milliseconds(CLOCK_MONOTONIC);
}

int64_t hub_clock_realtime_ms(void) {
    return milliseconds(CLOCK_REALTIME);
}

enum hub_status hub_clock_check(int64_t *ahead_ms, struct hub_error *reterr) {
    int64_t before_ms = *ahead_ms;
    *ahead_ms = hub_clock_realtime_ms() - hub_clock_monotonic_ms();
    if (before_ms == 0 || before_ms - *ahead_ms < HUB_CLOCK_SET_BACK_MIN_MS)
        return HUB_OK;
    return hub_fail(reterr, HUB_RETRY, "the wall clock was set back by %lld s",
                    (long long)(before_ms - *ahead_ms) / 1000);
}
