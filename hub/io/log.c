#include "hub/io/log.h"

#include "hub/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char program_name[64] = "hub", instance_name[64] = "";

/* Of standard error, which is the whole process's: lines lost, of those the ones that no line has told
 * of yet, why, and whether the last line was cut off. */
static int64_t lost, untold;
static int lost_code;
static bool cut_off;

void hub_log_open(const char *program, const char *instance) {
    snprintf(program_name, sizeof program_name, "%s", program);
    snprintf(instance_name, sizeof instance_name, "%s", instance);
}

static void append_line(struct hub_buffer *buffer, enum hub_log_level level, const char *event,
                        const char *text) {
    static const char *const levels[] = {"error", "warning", "info"};
    char stamp[32];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    hub_buffer_append_format(buffer, "ts=%s.%03ldZ level=%s program=%s", stamp,
                             now.tv_nsec / 1000000, levels[level], program_name);
    if (instance_name[0] != '\0')
        hub_buffer_append_format(buffer, " instance=%s", instance_name);
    hub_buffer_append_format(buffer, " event=%s msg=", event);
    hub_text_append_json(hub_bytes_of_text(text), buffer);
    hub_buffer_append_byte(buffer, '\n');
}

/* At once, so that lines of several processes do not mix. */
static void write_lines(const struct hub_buffer *lines) {
    ssize_t wrote;
    do {
        wrote = write(STDERR_FILENO, lines->data, lines->size);
    } while (wrote < 0 && errno == EINTR);
    if (wrote == (ssize_t)lines->size) {
        untold = 0;
        cut_off = false;
        return;
    }
    lost_code = wrote < 0 ? errno : ENOSPC; /* a part of a line: what it stopped at is said next time */
    cut_off |= wrote > 0;
    lost++;
    untold++;
}

void hub_log(enum hub_log_level level, const char *event, const char *format, ...) {
    char text[2048];
    HUB_SCOPED_BUFFER lines = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (cut_off)
        hub_buffer_append_byte(&lines, '\n');
    if (untold > 0) {
        char loss[128];
        snprintf(loss, sizeof loss, "%lld lines could not be written: %s", (long long)untold,
                 strerror(lost_code));
        append_line(&lines, HUB_LOG_WARNING, "log_lost", loss);
    }
    append_line(&lines, level, event, text);
    write_lines(&lines);
}

int64_t hub_log_lost(void) {
    return lost;
}
