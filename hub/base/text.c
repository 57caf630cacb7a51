#include "hub/base/text.h"

#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <stdlib.h>
#include <utf8proc.h>

bool hub_text_is_utf8(struct hub_bytes text) {
    const uint8_t *s = text.data;
    size_t i = 0, size = text.size;
    while (i < size) {
        if (size - i >= 8) { /* eight ASCII bytes at once: the common case */
            uint64_t eight;
            memcpy(&eight, s + i, 8);
            if ((eight & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        uint8_t lead = s[i];
        if (lead < 0x80) {
            i++;
            continue;
        }
        size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || size - i <= more)
            return false;
        uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte (RFC 3629 section 4) */
        if (lead == 0xe0)
            low = 0xa0;
        else if (lead == 0xed)
            high = 0x9f;
        else if (lead == 0xf0)
            low = 0x90;
        else if (lead == 0xf4)
            high = 0x8f;
        if (s[i + 1] < low || s[i + 1] > high)
            return false;
        for (size_t k = 2; k <= more; k++)
            if ((s[i + k] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}

/* Whether one of eight bytes is below 0x20 or 0x7f (Hacker's Delight 6-1; a byte after a real find
 * may be found wrongly, which the slow look sorts out). */
static bool may_hold_control(uint64_t eight) {
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t deletes = eight ^ 0x7f * ones;
    return (((eight - 0x20 * ones) & ~eight) | ((deletes - ones) & ~deletes)) & highs;
}

static bool is_plain_byte(uint8_t c) {
    return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

bool hub_text_is_printable(struct hub_bytes text) {
    const uint64_t highs = 0x8080808080808080u;
    uint64_t eight = 0;
    if (text.size < 8) {
        for (size_t i = 0; i < text.size; i++)
            if (text.data[i] < 0x20 || text.data[i] > 0x7e)
                return false;
        return true;
    }
    for (size_t i = 0; i < text.size - 8; i += 8) {
        memcpy(&eight, text.data + i, 8);
        if ((eight & highs) != 0 || may_hold_control(eight))
            return false;
    }
    memcpy(&eight, text.data + text.size - 8, 8);
    return (eight & highs) == 0 && !may_hold_control(eight);
}

bool hub_text_is_plain(struct hub_bytes text) {
    size_t i = 0;
    while (i < text.size) {
        if (text.size - i >= 8) {
            uint64_t eight;
            memcpy(&eight, text.data + i, 8);
            if (!may_hold_control(eight)) {
                i += 8;
                continue;
            }
        }
        if (!is_plain_byte(text.data[i++]))
            return false;
    }
    return true;
}

static bool is_letter_or_digit(utf8proc_int32_t point) {
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return false;
    }
}

/* Of ASCII what a letter or digit is folded to; 0 for all else. */
static const uint8_t folded[128] = {
    ['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
    ['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
    'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
    'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z'};

/* It is never longer than the text. False where that is not pure ASCII. */
static bool fold_ascii(struct hub_bytes text, struct hub_buffer *buffer) {
    bool gap = false, begun = false;
    size_t at = buffer->size;
    hub_buffer_reserve(buffer, text.size);
    if (at >= buffer->capacity || buffer->capacity - at <= text.size) /* it may pass the limit */
        return text.size == 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x80)
            return false;
        if (folded[c] == 0) {
            gap = begun;
            continue;
        }
        if (gap)
            buffer->data[at++] = ' ';
        buffer->data[at++] = folded[c];
        gap = false;
        begun = true;
    }
    buffer->size = at;
    return true;
}

void hub_text_fold(struct hub_bytes text, struct hub_buffer *buffer) {
    if (fold_ascii(text, buffer))
        return;
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t size =
        utf8proc_map(text.data, (utf8proc_ssize_t)text.size, &mapped,
                     UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |
                         UTF8PROC_STRIPMARK);
    if (size == UTF8PROC_ERROR_NOMEM)
        hub_memory_end(); /* a text that is left as it is would equal other texts */
    if (size < 0) {
        hub_buffer_append_bytes(buffer, text);
        return;
    }
    bool gap = false, begun = false;
    for (utf8proc_ssize_t i = 0; i < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t step = utf8proc_iterate(mapped + i, size - i, &point);
        if (step <= 0)
            break;
        if (!is_letter_or_digit(point)) {
            gap = begun;
        } else {
            if (gap)
                hub_buffer_append_byte(buffer, ' ');
            hub_buffer_append(buffer, mapped + i, (size_t)step);
            gap = false;
            begun = true;
        }
        i += step;
    }
    free(mapped);
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

/* The run of digits at `*position`, without leading zeros; moves past it. */
static struct hub_bytes digit_run(struct hub_bytes text, size_t *position) {
    size_t from = *position;
    while (from < text.size && text.data[from] == '0')
        from++;
    size_t to = from;
    while (to < text.size && is_digit(text.data[to]))
        to++;
    *position = to;
    return hub_bytes_part(text, from, to);
}

/* How much of both is the same, but for digits that others may follow. */
static size_t same_until(struct hub_bytes a, struct hub_bytes b) {
    size_t size = a.size < b.size ? a.size : b.size, same = 0;
    while (same < size && a.data[same] == b.data[same])
        same++;
    while (same > 0 && is_digit(a.data[same - 1]))
        same--;
    return same;
}

int hub_text_natural_compare(struct hub_bytes a, struct hub_bytes b) {
    size_t i = same_until(a, b), k = i;
    while (i < a.size && k < b.size) {
        if (is_digit(a.data[i]) && is_digit(b.data[k])) {
            struct hub_bytes x = digit_run(a, &i), y = digit_run(b, &k);
            if (x.size != y.size)
                return x.size < y.size ? -1 : 1;
            int order = hub_bytes_compare(x, y);
            if (order != 0)
                return order;
        } else if (a.data[i] != b.data[k]) {
            return a.data[i] < b.data[k] ? -1 : 1;
        } else {
            i++;
            k++;
        }
    }
    if (i < a.size || k < b.size)
        return i < a.size ? 1 : -1;
    return hub_bytes_compare(a, b);
}

void hub_text_append_json(struct hub_bytes text, struct hub_buffer *buffer) {
    static const char digits[] = "0123456789abcdef";
    hub_buffer_append_byte(buffer, '"');
    size_t plain_from = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        hub_buffer_append(buffer, text.data + plain_from, i - plain_from);
        plain_from = i + 1;
        const char *brief = c == '"'    ? "\\\""
                            : c == '\\' ? "\\\\"
                            : c == '\n' ? "\\n"
                            : c == '\r' ? "\\r"
                            : c == '\t' ? "\\t"
                                        : NULL;
        if (brief != NULL) {
            hub_buffer_append_text(buffer, brief);
        } else {
            char escape[7] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15], 0};
            hub_buffer_append_text(buffer, escape);
        }
    }
    if (text.size > plain_from)
        hub_buffer_append(buffer, text.data + plain_from, text.size - plain_from);
    hub_buffer_append_byte(buffer, '"');
}

size_t hub_text_cut(struct hub_bytes text, size_t size_max) {
    size_t size = text.size;
    if (size > size_max)
        for (size = size_max; size > 0 && (text.data[size] & 0xc0) == 0x80;)
            size--;
    return size;
}

bool hub_text_to_number(struct hub_bytes text, uint64_t *ret_number) {
    uint64_t number = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint64_t digit = (uint64_t)text.data[i] - '0';
        if (!is_digit(text.data[i]) || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

char *hub_text_put_number(char *at, int64_t number) {
    HUB_NOT_ZEROED char digits[HUB_NUMBER_TEXT_SIZE_MAX];
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t from = sizeof digits;
    do
        digits[--from] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        digits[--from] = '-';
    memcpy(at, digits + from, sizeof digits - from);
    return at + (sizeof digits - from);
}

struct hub_bytes hub_text_join(struct hub_arena *arena, struct hub_bytes a, struct hub_bytes b) {
    char *text = hub_arena_take(arena, a.size + b.size);
    memcpy(text, a.data, a.size);
    memcpy(text + a.size, b.data, b.size);
    return hub_bytes(text, a.size + b.size);
}
