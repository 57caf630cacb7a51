#include "hub/io/log.h"

#include "hub/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static char program_name[64] = "hub", instance_name[64] = "";

void hub_log_open(const char *program, const char *instance) {
    snprintf(program_name, sizeof program_name, "%s", program);
    snprintf(instance_name, sizeof instance_name, "%s", instance);
}

void hub_log(enum hub_log_level level, const char *event, const char *format, ...) {
    static const char *const levels[] = {"error", "warning", "info"};
    char text[2048], stamp[32];
    struct timespec now;
    struct tm parts;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    HUB_SCOPED_BUFFER line = {0};
    hub_buffer_append_format(&line, "ts=%s.%03ldZ level=%s program=%s", stamp,
                             now.tv_nsec / 1000000, levels[level], program_name);
    if (instance_name[0] != '\0')
        hub_buffer_append_format(&line, " instance=%s", instance_name);
    hub_buffer_append_format(&line, " event=%s msg=", event);
    hub_text_append_json(hub_bytes_of_text(text), &line);
    hub_buffer_append_byte(&line, '\n');
    ssize_t ignored = write(STDERR_FILENO, line.data, line.size);
    (void)ignored;
}
