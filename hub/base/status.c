#include "hub/base/status.h"

#include "hub/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

/* A letter that was cut at the end, or bytes that a library quoted of its input, become ?: dead
 * letters carry the text as an Avro string. */
static void keep_utf8(struct hub_error *error) {
    uint8_t *at = (uint8_t *)error->text;
    size_t left = strlen(error->text);
    if (hub_text_is_utf8(hub_bytes(at, left)))
        return;
    while (left > 0) {
        utf8proc_int32_t point = 0;
        utf8proc_ssize_t size = utf8proc_iterate(at, (utf8proc_ssize_t)left, &point);
        if (size <= 0) {
            *at = '?';
            size = 1;
        }
        at += size;
        left -= (size_t)size;
    }
}

enum hub_status hub_fail(struct hub_error *reterr, enum hub_status status, const char *format, ...) {
    if (reterr == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reterr->text, sizeof reterr->text, format, arguments);
    va_end(arguments);
    keep_utf8(reterr);
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
    vsnprintf(reterr->text, sizeof reterr->text, format, arguments);
    va_end(arguments);
    size_t used = strlen(reterr->text);
    for (const char *part = ": "; *part != '\0' && used + 1 < sizeof reterr->text; part++)
        reterr->text[used++] = *part;
    for (const char *part = inner; *part != '\0' && used + 1 < sizeof reterr->text; part++)
        reterr->text[used++] = *part;
    reterr->text[used] = '\0';
    keep_utf8(reterr);
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
