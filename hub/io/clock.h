/* Time, as an argument to whoever needs it. */
#pragma once

#include "hub/base/status.h"

#include <stdint.h>

int64_t hub_clock_monotonic_ms(void);
int64_t hub_clock_realtime_ms(void); /* since 1970-01-01T00:00:00Z */

/* HUB_RETRY where the wall clock has been set back, by HUB_CLOCK_SET_BACK_MIN_MS or more, since it was asked
 * last; `ahead_ms` is what it keeps, 0 at first. librdkafka waits by the wall clock: what waited then
 * waits as much longer, and what is opened anew does not. */
HUB_MUST_USE enum hub_status hub_clock_check(int64_t *ahead_ms, struct hub_error *reterr);
enum { HUB_CLOCK_SET_BACK_MIN_MS = 2000 };
