#include "connectors/formats/hl7v2_text.h"

#include "connectors/formats/charset.h"
#include "hub/base/memory.h"

#include <string.h>

const char *const hub_hl7v2_charsets[] = {"ascii",       "utf-8",        "iso-8859-1",
                                          "iso-8859-15", "windows-1252", NULL};

const char *hub_hl7v2_charset_of(struct hub_bytes code) {
    static const struct {
        const char *code, *charset;
    } table[] = {{"ASCII", "ascii"},         {"8859/1", "iso-8859-1"}, {"8859/15", "iso-8859-15"},
                 {"UNICODE UTF-8", "utf-8"}, {"UTF-8", "utf-8"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (hub_bytes_equal_text(code, table[i].code))
            return table[i].charset;
    return NULL;
}

static bool needs_converter(const char *charset) {
    return strcmp(charset, "ascii") != 0 && strcmp(charset, "utf-8") != 0;
}

void hub_hl7v2_text_close(struct hub_hl7v2_text *text) {
    if (text->converts != NULL)
        iconv_close(text->converter);
    text->converts = NULL;
}

void hub_hl7v2_text_use(struct hub_hl7v2_text *text, const char *charset) {
    text->charset = charset;
    if (!needs_converter(charset) ||
        (text->converts != NULL && strcmp(text->converts, charset) == 0))
        return;
    hub_hl7v2_text_close(text);
    text->converter = hub_charset_open(charset);
    text->converts = charset;
}

/* --- escape sequences --- */

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool is_hex(struct hub_bytes digits) {
    for (size_t i = 0; i < digits.size; i++)
        if (hex_digit(digits.data[i]) < 0)
            return false;
    return digits.size > 0;
}

/* The separator that a sequence of one letter stands for, or 0. */
static uint8_t separator_of(const struct hub_hl7v2_text *text, uint8_t letter) {
    switch (letter) {
    case 'F':
        return text->field;
    case 'S':
        return text->component;
    case 'R':
        return text->repetition;
    case 'T':
        return text->subcomponent;
    case 'E':
        return text->escape;
    default:
        return 0;
    }
}

/* What stands between two escape characters; NULL, or why it cannot be read. */
static const char *append_sequence(const struct hub_hl7v2_text *text, struct hub_bytes sequence,
                                   struct hub_buffer *buffer) {
    uint8_t first = sequence.size > 0 ? sequence.data[0] : 0;
    struct hub_bytes rest = hub_bytes_part(sequence, sequence.size > 0, sequence.size);
    uint8_t separator = sequence.size == 1 ? separator_of(text, first) : 0;
    if (separator != 0) {
        hub_buffer_append_byte(buffer, separator);
    } else if (hub_bytes_equal_text(sequence, ".br")) {
        hub_buffer_append_byte(buffer, '\n');
    } else if (first == 'X' && is_hex(rest) && rest.size % 2 == 0) {
        for (size_t i = 0; i < rest.size; i += 2)
            hub_buffer_append_byte(
                buffer, (uint8_t)(hex_digit(rest.data[i]) * 16 + hex_digit(rest.data[i + 1])));
    } else if (first == 'X' && is_hex(rest)) {
        return "an escape of hexadecimal digits, of which one is without its pair";
    } else if ((first == 'C' || first == 'M') && is_hex(rest)) {
        return "an escape that switches the character set; a message that is in one would pass";
    } else {
        hub_buffer_append_byte(buffer, text->escape);
        hub_buffer_append_bytes(buffer, sequence);
        hub_buffer_append_byte(buffer, text->escape);
    }
    return NULL;
}

static const char *unescape(const struct hub_hl7v2_text *text, struct hub_bytes bytes,
                            struct hub_buffer *buffer) {
    struct hub_bytes before, sequence, rest;
    while (hub_bytes_cut(bytes, text->escape, &before, &rest) &&
           hub_bytes_cut(rest, text->escape, &sequence, &rest)) {
        hub_buffer_append_bytes(buffer, before);
        const char *why = append_sequence(text, sequence, buffer);
        if (why != NULL)
            return why;
        bytes = rest;
    }
    hub_buffer_append_bytes(buffer, bytes);
    return NULL;
}

/* --- character sets --- */

static json_t *convert(const struct hub_hl7v2_text *text, struct hub_bytes bytes) {
    size_t room = 3 * bytes.size, left = room, size = bytes.size;
    char *utf8 = hub_allocate(room + 1), *to = utf8, *from = (char *)bytes.data;
    iconv(text->converter, NULL, NULL, NULL, NULL);
    json_t *result = iconv(text->converter, &from, &size, &to, &left) == (size_t)-1
                         ? NULL
                         : json_stringn(utf8, room - left);
    hub_release(utf8);
    return result;
}

static json_t *decode(const struct hub_hl7v2_text *text, struct hub_bytes bytes) {
    bool ascii = true;
    for (size_t i = 0; i < bytes.size; i++)
        ascii &= bytes.data[i] < 0x80;
    if (ascii || strcmp(text->charset, "utf-8") == 0)
        return json_stringn((const char *)bytes.data, bytes.size);
    return needs_converter(text->charset) ? convert(text, bytes) : NULL;
}

json_t *hub_hl7v2_text_read(const struct hub_hl7v2_text *text, struct hub_bytes bytes,
                            const char **ret_why) {
    HUB_SCOPED_BUFFER plain = {0};
    if (text->escape != 0 && bytes.size > 0 &&
        memchr(bytes.data, text->escape, bytes.size) != NULL) {
        *ret_why = unescape(text, bytes, &plain);
        if (*ret_why != NULL)
            return NULL;
        bytes = hub_buffer_bytes(&plain);
    }
    if (bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) != NULL) {
        *ret_why = "a zero byte, which no text has";
        return NULL;
    }
    json_t *read = decode(text, bytes);
    if (read == NULL)
        *ret_why = "a byte that is not in the message's character set; the right one in MSH-18, or "
                   "in 'charset' of the configuration, would pass";
    return read;
}
