#include "hub/ctl/line.h"

#include "hub/base/text.h"
#include "schemas/lib/render.h"

#include <string.h>

void hub_ctl_line_number(const char *before, int64_t number, struct hub_buffer *line) {
    char text[24];
    size_t at = sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    hub_buffer_append_text(line, before);
    do
        text[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        text[--at] = '-';
    hub_buffer_append(line, text + at, sizeof text - at);
}

static void append_hexadecimal(struct hub_bytes bytes, struct hub_buffer *line) {
    static const char digits[] = "0123456789abcdef";
    hub_buffer_append_byte(line, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        hub_buffer_append_byte(line, (uint8_t)digits[bytes.data[i] >> 4]);
        hub_buffer_append_byte(line, (uint8_t)digits[bytes.data[i] & 15]);
    }
    hub_buffer_append_byte(line, '"');
}

static void append_text(struct hub_bytes text, struct hub_buffer *line) {
    if (text.data == NULL)
        hub_buffer_append_text(line, "null");
    else if (hub_text_is_utf8(text))
        hub_text_append_json(text, line);
    else
        append_hexadecimal(text, line);
}

static bool comes_again(const struct hub_ctl_record *record, size_t at) {
    for (size_t i = at + 1; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, record->headers[at].name) == 0)
            return true;
    return false;
}

static void append_headers(const struct hub_ctl_record *record, struct hub_buffer *line) {
    const char *separator = "";
    hub_buffer_append_byte(line, '{');
    for (size_t i = 0; i < record->header_count; i++) {
        if (comes_again(record, i))
            continue;
        hub_buffer_append_text(line, separator);
        append_text(hub_bytes_of_text(record->headers[i].name), line);
        hub_buffer_append_byte(line, ':');
        append_text(record->headers[i].value, line);
        separator = ",";
    }
    hub_buffer_append_byte(line, '}');
}

void hub_ctl_line_append(const struct hub_ctl_record *record, struct hub_buffer *line) {
    hub_buffer_append_text(line, "{\"topic\":");
    append_text(hub_bytes_of_text(record->topic), line);
    hub_ctl_line_number(",\"partition\":", record->partition, line);
    hub_ctl_line_number(",\"offset\":", record->offset, line);
    hub_ctl_line_number(",\"timestamp\":", record->timestamp_ms, line);
    hub_buffer_append_text(line, ",\"key\":");
    append_text(record->key, line);
    hub_buffer_append_text(line, ",\"headers\":");
    append_headers(record, line);
    hub_buffer_append_text(line, ",\"value\":");
    if (record->schema != NULL)
        hub_render_json(record->schema->root, record->body, line);
    else
        hub_buffer_append_text(line, "null");
    if (record->schema == NULL && record->value.data != NULL) {
        hub_buffer_append_text(line, ",\"bytes\":");
        append_hexadecimal(record->value, line);
    }
}
