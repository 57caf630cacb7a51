/* Time, as an argument to whoever needs it. */
#pragma once

#include <stdint.h>

int64_t hub_clock_monotonic_ms(void);
int64_t hub_clock_realtime_ms(void); /* since 1970-01-01T00:00:00Z */
