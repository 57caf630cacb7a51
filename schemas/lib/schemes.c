#include "schemas/lib/schemes.h"

#include <string.h>

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_capital(uint8_t c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_word(uint8_t c) {
    return is_digit(c) || is_capital(c) || (c >= 'a' && c <= 'z') || c >= 0x80;
}

static bool fits_place(char picture, uint8_t c) {
    return picture == '#'   ? is_digit(c)
           : picture == '@' ? is_capital(c)
           : picture == '*' ? is_digit(c) || is_capital(c)
           : picture == '%' ? is_digit(c) || (c >= 'a' && c <= 'f')
                            : (uint8_t)picture == c;
}

static bool picture_matches(const char *picture, struct hub_bytes value) {
    if (strlen(picture) != value.size)
        return false;
    for (size_t i = 0; i < value.size; i++)
        if (!fits_place(picture[i], value.data[i]))
            return false;
    return true;
}

/* ISO 7064 mod 37-2: digits are worth themselves, letters 10 to 35, * 36. */
static uint8_t check_character(struct hub_bytes value) {
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*";
    int sum = 0;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t c = value.data[i];
        sum = (sum + (is_digit(c) ? c - '0' : c - 'A' + 10)) * 2 % 37;
    }
    return (uint8_t)alphabet[(38 - sum) % 37];
}

static bool has_check_character(const struct hub_scheme *scheme, struct hub_bytes text) {
    size_t size = strlen(scheme->pattern);
    struct hub_bytes value = hub_bytes_part(text, 0, text.size < size ? text.size : size);
    return text.size == size + 1 && picture_matches(scheme->pattern, value) &&
           text.data[size] == check_character(value);
}

static int number_at(struct hub_bytes text, size_t from, size_t size) {
    int number = 0;
    for (size_t i = from; i < from + size; i++)
        number = number * 10 + (text.data[i] - '0');
    return number;
}

static bool ends_in_date(struct hub_bytes value) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct hub_bytes date = hub_bytes_part(value, value.size - 8, value.size);
    int year = number_at(date, 0, 4), month = number_at(date, 4, 2), day = number_at(date, 6, 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (hub_bytes_equal_text(date, "00000000"))
        return true;
    return year > 0 && month >= 1 && month <= 12 && day >= 1 &&
           day <= lengths[month - 1] + (month == 2 && leap);
}

/* The pattern and what stands in it. */
static bool fits(const struct hub_scheme *scheme, struct hub_bytes value) {
    return scheme->pattern == NULL ||
           (picture_matches(scheme->pattern, value) &&
            (scheme->check != HUB_CHECK_ENDS_IN_DATE || ends_in_date(value)));
}

const struct hub_scheme *hub_scheme_find(const struct hub_schemes *schemes, struct hub_bytes name) {
    int index = hub_scheme_index(schemes, name);
    return index < 0 ? NULL : &schemes->schemes[index];
}

int hub_scheme_index(const struct hub_schemes *schemes, struct hub_bytes name) {
    for (size_t i = 0; i < schemes->count; i++)
        if (hub_bytes_equal_text(name, schemes->schemes[i].name))
            return (int)i;
    return -1;
}

static struct hub_bytes trim(struct hub_bytes text) {
    size_t from = 0, to = text.size;
    while (from < to && is_space(text.data[from]))
        from++;
    while (to > from && is_space(text.data[to - 1]))
        to--;
    return hub_bytes_part(text, from, to);
}

size_t hub_scheme_normalise(const struct hub_scheme *scheme, struct hub_bytes raw,
                            struct hub_buffer *buffer, struct hub_bytes *ret_version) {
    size_t from = buffer->size;
    raw = trim(raw);
    size_t prefix_size = scheme->prefix == NULL ? 0 : strlen(scheme->prefix);
    if (prefix_size > 0 && raw.size > 0 && is_digit(raw.data[0]))
        hub_buffer_append(buffer, scheme->prefix, prefix_size);
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t c = raw.data[i];
        if (scheme->no_spaces && is_space(c))
            continue;
        if (scheme->upper && c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 'a' + 'A');
        if (scheme->lower && is_capital(c))
            c = (uint8_t)(c - 'A' + 'a');
        hub_buffer_append_byte(buffer, c);
    }
    size_t size = buffer->size - from;
    *ret_version = hub_bytes("", 0);
    if (scheme->pattern == NULL || hub_buffer_overflowed(buffer))
        return size;
    size_t value_size = strlen(scheme->pattern);
    struct hub_bytes all = hub_bytes(buffer->data + from, size);
    if (scheme->check == HUB_CHECK_ISO7064_MOD37_2 && has_check_character(scheme, all)) {
        buffer->size--;
        return value_size;
    }
    if (scheme->version == NULL)
        return size;
    if (size > value_size &&
        picture_matches(scheme->version, hub_bytes_part(all, value_size, size))) {
        *ret_version = hub_bytes_part(all, value_size, size);
        return value_size;
    }
    return size;
}

void hub_identifier_normalise(const struct hub_schemes *schemes, struct hub_bytes text,
                              struct hub_buffer *buffer) {
    struct hub_bytes name, value, issuer, rest, version;
    bool whole = hub_bytes_cut(text, ':', &name, &value);
    const struct hub_scheme *scheme = whole ? hub_scheme_find(schemes, name) : NULL;
    if (scheme != NULL && scheme->issuer && hub_bytes_cut(value, '/', &issuer, &rest))
        value = rest;
    if (scheme == NULL) {
        hub_buffer_append_bytes(buffer, text);
        return;
    }
    hub_buffer_append_bytes(buffer, hub_bytes_part(text, 0, text.size - value.size));
    size_t from = buffer->size, size = hub_scheme_normalise(scheme, value, buffer, &version);
    buffer->size = from + size;
}

enum hub_identifier_verdict hub_scheme_judge(const struct hub_scheme *scheme,
                                             struct hub_bytes value) {
    if (value.size == 0 || value.size > HUB_IDENTIFIER_SIZE_MAX)
        return HUB_IDENTIFIER_MALFORMED;
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] < 0x20 || value.data[i] == 0x7f)
            return HUB_IDENTIFIER_MALFORMED;
    if (!fits(scheme, value))
        return HUB_IDENTIFIER_MALFORMED;
    for (size_t i = 0; scheme->placeholders[i] != NULL; i++)
        if (hub_bytes_equal_text(value, scheme->placeholders[i]))
            return HUB_IDENTIFIER_PLACEHOLDER;
    return HUB_IDENTIFIER_VALID;
}

bool hub_scheme_is_normal(const struct hub_scheme *scheme, struct hub_bytes value) {
    HUB_NOT_ZEROED uint8_t room[HUB_IDENTIFIER_SIZE_MAX + 1]; /* all that it may hold: it never grows */
    struct hub_buffer normal = {
        .data = room, .capacity = sizeof room, .size_max = HUB_IDENTIFIER_SIZE_MAX};
    struct hub_bytes version;
    size_t size = hub_scheme_normalise(scheme, value, &normal, &version);
    return !hub_buffer_overflowed(&normal) && size == value.size &&
           hub_bytes_equal(hub_bytes(normal.data, size), value);
}

bool hub_scheme_blot(const struct hub_scheme *scheme, uint8_t *value, size_t size) {
    size_t misfits = 0, place = 0;
    if (scheme->pattern == NULL || strlen(scheme->pattern) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!fits_place(scheme->pattern[i], value[i])) {
            misfits++;
            place = i;
        }
    if (misfits == 1 && scheme->pattern[place] == '#')
        value[place] = '?';
    return misfits == 0 || (misfits == 1 && scheme->pattern[place] == '#');
}

void hub_scheme_describe(const struct hub_scheme *scheme, struct hub_buffer *buffer) {
    if (scheme->pattern == NULL)
        hub_buffer_append_format(buffer, "1 to %d characters", HUB_IDENTIFIER_SIZE_MAX);
    else
        hub_buffer_append_format(buffer,
                                 "%s (# a digit, @ a capital, * either, %% a digit or a to f)%s",
                                 scheme->pattern,
                                 scheme->check == HUB_CHECK_ENDS_IN_DATE
                                     ? " that ends in a date or 00000000"
                                     : "");
}

bool hub_scheme_scan(const struct hub_scheme *scheme, struct hub_bytes text, size_t from,
                     struct hub_bytes *ret_value, size_t *ret_next) {
    if (scheme->pattern == NULL)
        return false;
    size_t size = strlen(scheme->pattern);
    for (size_t i = from; i + size <= text.size; i++) {
        if (i > 0 && is_word(text.data[i - 1]))
            continue;
        if (i + size < text.size && is_word(text.data[i + size]))
            continue;
        struct hub_bytes part = hub_bytes_part(text, i, i + size);
        if (fits(scheme, part)) {
            *ret_value = part;
            *ret_next = i + size;
            return true;
        }
    }
    return false;
}
