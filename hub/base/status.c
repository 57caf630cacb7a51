#include "hub/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum hub_status hub_fail(struct hub_error *reterr, enum hub_status status, const char *format, ...) {
    if (reterr == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reterr->text, sizeof reterr->text, format, arguments);
    va_end(arguments);
    return status;
}

enum hub_status hub_fail_at(struct hub_error *reterr, enum hub_status status, const char *format,
                            ...) {
    if (reterr == NULL)
        return status;
    char inner[HUB_ERROR_TEXT_MAX];
    memcpy(inner, reterr->text, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(reterr->text, sizeof reterr->text, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= sizeof reterr->text)
        return status;
    size_t used = (size_t)written;
    for (const char *part = ": "; *part != '\0' && used + 1 < sizeof reterr->text; part++)
        reterr->text[used++] = *part;
    for (const char *part = inner; *part != '\0' && used + 1 < sizeof reterr->text; part++)
        reterr->text[used++] = *part;
    reterr->text[used] = '\0';
    return status;
}

const char *hub_status_name(enum hub_status status) {
    switch (status) {
    case HUB_OK:
        return "OK";
    case HUB_RETRY:
        return "RETRY";
    case HUB_REJECT:
        return "REJECT";
    case HUB_FATAL:
        return "FATAL";
    }
    return "?";
}
