/* Lines for people and machines: logfmt on standard error, times in UTC. Programs log; libraries
 * give reasons. No payload value is ever logged.
 *
 * Where a line cannot be written, such as on a full disk, the program goes on: the line is lost and
 * counted, and the first one that can be written again is preceded by one that says how many were.
 * What was written of a line before the disk was full ends before the next one begins. */
#pragma once

#include <stdint.h>

enum hub_log_level { HUB_LOG_ERROR = 0, HUB_LOG_WARNING, HUB_LOG_INFO };

/* Names the process in every line. */
void hub_log_open(const char *program, const char *instance);

/* `event` is a stable short word; the rest one sentence. Control characters are escaped. On the
 * thread of the program's loop. */
void hub_log(enum hub_log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lines that could not be written, since the process began. */
int64_t hub_log_lost(void);
