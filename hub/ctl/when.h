/* Times as people give them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339, and a date alone for its first moment in UTC: 2026-03-03, 2026-03-03T12:00:00Z,
 * 2026-03-03T13:00:00.250+01:00. In milliseconds since 1970-01-01T00:00:00Z; false of all else. */
bool hub_ctl_when(const char *text, int64_t *ret_ms);
