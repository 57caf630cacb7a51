/* Lines for people and machines: logfmt on standard error, times in UTC. Programs log; libraries
 * give reasons. No payload value is ever logged. */
#pragma once

enum hub_log_level { HUB_LOG_ERROR = 0, HUB_LOG_WARNING, HUB_LOG_INFO };

/* Names the process in every line. */
void hub_log_open(const char *program, const char *instance);

/* `event` is a stable short word; the rest one sentence. Control characters are escaped. */
void hub_log(enum hub_log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
