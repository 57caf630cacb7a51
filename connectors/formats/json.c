/* JSON (RFC 8259), by jansson: duplicate members are refused. A number with more digits than a
 * double or 64 bits keep becomes the text that the source wrote, so that none is lost. */
#include "connectors/formats/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, WHOLE_DIGITS_MAX = 18, REAL_DIGITS_MAX = 15 };

static const struct hub_option options[] = {{0}};

/* jansson's own bound on depth (2,048) protects the stack; ours keeps paths readable. */
static bool is_too_deep(const json_t *value, unsigned depth) {
    size_t i;
    json_t *item;
    const char *key;
    if (depth > DEPTH_MAX)
        return true;
    json_array_foreach((json_t *)value, i, item) {
        if (is_too_deep(item, depth + 1))
            return true;
    }
    json_object_foreach((json_t *)value, key, item) {
        if (is_too_deep(item, depth + 1))
            return true;
    }
    return false;
}

/* --- numbers --- */

struct number {
    size_t size;
    size_t digits; /* significant ones */
    bool whole;
};

static size_t count_digits(struct hub_bytes text, size_t from) {
    size_t to = from;
    while (to < text.size && text.data[to] >= '0' && text.data[to] <= '9')
        to++;
    return to - from;
}

/* Significant digits: without the zeros before, and after a point, behind. */
static size_t significant(struct hub_bytes token, bool whole) {
    size_t count = 0, behind = 0;
    for (size_t i = 0; i < token.size && token.data[i] != 'e' && token.data[i] != 'E'; i++) {
        uint8_t c = token.data[i];
        if (c < '0' || c > '9' || (count == 0 && c == '0'))
            continue;
        count++;
        behind = c == '0' ? behind + 1 : 0;
    }
    return whole ? count : count - behind;
}

/* The number that stands at `from` by the grammar of RFC 8259 section 6; size 0 where none does. */
static struct number read_number(struct hub_bytes text, size_t from) {
    struct number number = {.whole = true};
    size_t at = from + (text.data[from] == '-');
    size_t digits = count_digits(text, at);
    if (digits == 0 || (digits > 1 && text.data[at] == '0'))
        return number;
    at += digits;
    if (at < text.size && text.data[at] == '.') {
        digits = count_digits(text, at + 1);
        if (digits == 0)
            return number;
        number.whole = false;
        at += 1 + digits;
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.size && (text.data[at] == '+' || text.data[at] == '-');
        digits = count_digits(text, at);
        if (digits == 0)
            return number;
        number.whole = false;
        at += digits;
    }
    number.size = at - from;
    number.digits = significant(hub_bytes_part(text, from, at), number.whole);
    return number;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether it is a value: a number where a name should be stays the error that it is. */
static bool is_value(struct hub_bytes text, size_t to) {
    while (to < text.size && is_space(text.data[to]))
        to++;
    return to == text.size || text.data[to] == ',' || text.data[to] == ']' || text.data[to] == '}';
}

static bool would_lose(struct hub_bytes token, const struct number *number) {
    char text[64] = {0};
    if (number->digits > (size_t)(number->whole ? WHOLE_DIGITS_MAX : REAL_DIGITS_MAX) ||
        token.size >= sizeof text)
        return true;
    if (number->whole)
        return false;
    memcpy(text, token.data, token.size);
    double real = strtod(text, NULL);
    return !isfinite(real) || (real == 0 && number->digits > 0);
}

/* Appends the document with quotes around what would lose digits; false where nothing would. */
static bool quote_numbers(struct hub_bytes text, struct hub_buffer *buffer) {
    size_t done = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '-' || (c >= '0' && c <= '9'))) {
            struct number number = read_number(text, i);
            struct hub_bytes token = hub_bytes_part(text, i, i + number.size);
            bool alone = i == 0 || is_space(text.data[i - 1]) || text.data[i - 1] == ':' ||
                         text.data[i - 1] == ',' || text.data[i - 1] == '[';
            if (number.size == 0)
                continue;
            if (alone && would_lose(token, &number) && is_value(text, i + number.size)) {
                hub_buffer_append_bytes(buffer, hub_bytes_part(text, done, i));
                hub_buffer_append_byte(buffer, '"');
                hub_buffer_append_bytes(buffer, token);
                hub_buffer_append_byte(buffer, '"');
                done = i + number.size;
            }
            i += number.size - 1;
        }
    }
    if (done > 0)
        hub_buffer_append_bytes(buffer, hub_bytes_part(text, done, text.size));
    return done > 0;
}

static enum hub_status parse(const void *unused, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    json_error_t error;
    (void)unused;
    (void)arena;
    HUB_SCOPED_BUFFER quoted = {0};
    if (document.size > 0 && memchr(document.data, '\0', document.size) != NULL)
        return hub_fail(reterr, HUB_REJECT, "a zero byte; JSON in UTF-8 would pass");
    if (quote_numbers(document, &quoted))
        document = hub_buffer_bytes(&quoted);
    json_t *tree = json_loadb((const char *)document.data, document.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (tree == NULL) {
        /* "... near 'xyz'": what stands there may be about a person. */
        char *near = strstr(error.text, " near ");
        if (near != NULL)
            *near = '\0';
        return hub_fail(reterr, HUB_REJECT, "line %d column %d: %s", error.line, error.column,
                        error.text);
    }
    if (is_too_deep(tree, 0)) {
        json_decref(tree);
        return hub_fail(reterr, HUB_REJECT, "nested deeper than %d levels", DEPTH_MAX);
    }
    *ret_parsed = (struct hub_parsed){.tree = tree};
    return HUB_OK;
}

const struct hub_format hub_format_json = {
    .name = "json",
    .summary = "One JSON document.",
    .options = options,
    .options_size = 1,
    .parse = parse,
};
