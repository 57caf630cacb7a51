#include "schemas/lib/render.h"

#include "hub/base/text.h"
#include "schemas/lib/slice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { YEAR_SIZE_MAX = 24 };

static void append_number(struct hub_buffer *buffer, int64_t number) {
    HUB_NOT_ZEROED char text[24];
    size_t at = sizeof text;
    if (number < 0) {
        hub_buffer_append_format(buffer, "%lld", (long long)number);
        return;
    }
    for (; number > 0 || at == sizeof text; number /= 10)
        text[--at] = (char)('0' + number % 10);
    hub_buffer_append(buffer, text + at, sizeof text - at);
}

/* With as many digits as fit: of what is never negative nor longer. */
static char *put_digits(char *at, int64_t number, size_t digits) {
    for (size_t i = digits; i > 0; i--, number /= 10)
        at[i - 1] = (char)('0' + number % 10);
    return at + digits;
}

/* Days to civil date after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static char *put_date(char *at, int64_t days) {
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    if (year >= 0 && year <= 9999)
        at = put_digits(at, year, 4);
    else
        at += snprintf(at, YEAR_SIZE_MAX, "%04lld", (long long)year);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    return put_digits(at, day, 2);
}

void hub_render_date(int64_t days, struct hub_buffer *buffer) {
    HUB_NOT_ZEROED char text[HUB_TIME_TEXT_SIZE_MAX];
    hub_buffer_append(buffer, text, (size_t)(put_date(text, days) - text));
}

size_t hub_time_text(int64_t milliseconds, char *text) {
    int64_t days = milliseconds / 86400000, rest = milliseconds % 86400000;
    if (rest < 0) {
        days--;
        rest += 86400000;
    }
    char *at = put_date(text, days);
    *at++ = 'T';
    at = put_digits(at, rest / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, rest / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, rest / 1000 % 60, 2);
    *at++ = '.';
    at = put_digits(at, rest % 1000, 3);
    *at++ = 'Z';
    return (size_t)(at - text);
}

void hub_render_time(int64_t milliseconds, struct hub_buffer *buffer) {
    HUB_NOT_ZEROED char text[HUB_TIME_TEXT_SIZE_MAX];
    hub_buffer_append(buffer, text, hub_time_text(milliseconds, text));
}

static void render_hexadecimal(struct hub_bytes octets, struct hub_buffer *buffer) {
    static const char digits[] = "0123456789abcdef";
    hub_buffer_append_byte(buffer, '"');
    for (size_t i = 0; i < octets.size; i++) {
        hub_buffer_append_byte(buffer, (uint8_t)digits[octets.data[i] >> 4]);
        hub_buffer_append_byte(buffer, (uint8_t)digits[octets.data[i] & 15]);
    }
    hub_buffer_append_byte(buffer, '"');
}

static void render_long(const struct hub_type *type, int64_t number, struct hub_buffer *buffer) {
    /* On another type than its own a logical type says nothing (Avro 1.11.1, "Logical Types"). */
    bool date =
        type->kind == HUB_INT && type->logical != NULL && strcmp(type->logical, "date") == 0;
    bool time = type->kind == HUB_LONG && type->logical != NULL &&
                strcmp(type->logical, "timestamp-millis") == 0;
    if (!date && !time) {
        append_number(buffer, number);
        return;
    }
    hub_buffer_append_byte(buffer, '"');
    if (date)
        hub_render_date(number, buffer);
    else
        hub_render_time(number, buffer);
    hub_buffer_append_byte(buffer, '"');
}

static void render_real(double number, struct hub_buffer *buffer) {
    if (isfinite(number))
        hub_buffer_append_format(buffer, "%.17g", number);
    else
        hub_buffer_append_text(buffer, isnan(number) ? "\"NaN\""
                                       : number > 0  ? "\"Infinity\""
                                                     : "\"-Infinity\"");
}

static void render_array(const struct hub_type *type, struct hub_bytes bytes,
                         struct hub_buffer *buffer) {
    struct hub_elements elements = hub_slice_elements(type, bytes);
    struct hub_bytes element;
    const char *separator = "";
    hub_buffer_append_byte(buffer, '[');
    while (hub_slice_next(&elements, &element)) {
        hub_buffer_append_text(buffer, separator);
        hub_render_json(type->items, element, buffer);
        separator = ",";
    }
    hub_buffer_append_byte(buffer, ']');
}

static void render_map(const struct hub_type *type, struct hub_bytes bytes,
                       struct hub_buffer *buffer) {
    struct hub_elements entries = hub_slice_elements(type, bytes);
    struct hub_bytes key, value;
    const char *separator = "";
    hub_buffer_append_byte(buffer, '{');
    while (hub_slice_next_entry(&entries, &key, &value)) {
        hub_buffer_append_text(buffer, separator);
        hub_text_append_json(key, buffer);
        hub_buffer_append_byte(buffer, ':');
        hub_render_json(type->items, value, buffer);
        separator = ",";
    }
    hub_buffer_append_byte(buffer, '}');
}

static void render_record(const struct hub_type *type, struct hub_bytes bytes,
                          struct hub_buffer *buffer) {
    struct hub_cursor cursor = hub_cursor(bytes);
    hub_buffer_append_byte(buffer, '{');
    for (size_t i = 0; i < type->count; i++) {
        hub_buffer_append_text(buffer, i == 0 ? "\"" : ",\"");
        hub_buffer_append_text(buffer, type->fields[i].name);
        hub_buffer_append_text(buffer, "\":");
        hub_render_json(type->fields[i].type, hub_slice_value(type->fields[i].type, &cursor),
                        buffer);
    }
    hub_buffer_append_byte(buffer, '}');
}

void hub_render_json(const struct hub_type *type, struct hub_bytes bytes,
                     struct hub_buffer *buffer) {
    struct hub_bytes stated;
    double real = 0;
    float single = 0;
    switch (type->kind) {
    case HUB_NULL:
        hub_buffer_append_text(buffer, "null");
        return;
    case HUB_BOOLEAN:
        hub_buffer_append_text(buffer, bytes.data[0] != 0 ? "true" : "false");
        return;
    case HUB_INT:
    case HUB_LONG:
        render_long(type, hub_slice_long(bytes), buffer);
        return;
    case HUB_FLOAT:
        memcpy(&single, bytes.data, sizeof single);
        render_real((double)single, buffer);
        return;
    case HUB_DOUBLE:
        memcpy(&real, bytes.data, sizeof real);
        render_real(real, buffer);
        return;
    case HUB_BYTES:
        render_hexadecimal(hub_slice_octets(bytes), buffer);
        return;
    case HUB_FIXED:
        render_hexadecimal(bytes, buffer);
        return;
    case HUB_STRING:
        hub_text_append_json(hub_slice_octets(bytes), buffer);
        return;
    case HUB_ENUM:
        hub_buffer_append_byte(buffer, '"');
        hub_buffer_append_text(buffer, hub_slice_symbol(type, bytes));
        hub_buffer_append_byte(buffer, '"');
        return;
    case HUB_ARRAY:
        render_array(type, bytes, buffer);
        return;
    case HUB_MAP:
        render_map(type, bytes, buffer);
        return;
    case HUB_UNION:
        type = hub_slice_stated(type, bytes, &stated);
        if (type == NULL)
            hub_buffer_append_text(buffer, "null");
        else
            hub_render_json(type, stated, buffer);
        return;
    case HUB_RECORD:
        render_record(type, bytes, buffer);
        return;
    }
}
