#include "hub/archive/leaf.h"

#include <string.h>

/* --- writing: not by printf, for that costs more than all else that is done with a record --- */

/* A text of fixed room that is filled from the front. */
struct line {
    char text[HUB_TOPIC_SIZE_MAX + 512];
    size_t size;
};

static void put(struct line *line, const char *text, size_t size) {
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

#define PUT(line, literal) put((line), (literal), sizeof(literal) - 1)

static void put_number(struct line *line, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put(line, digits + at, sizeof digits - at);
}

static void put_digest(struct line *line, const struct hub_digest *digest) {
    hub_digest_text(digest, HUB_DIGEST_SIZE, line->text + line->size);
    line->size += 2 * HUB_DIGEST_SIZE;
}

void hub_leaf_append(const struct hub_leaf *leaf, struct hub_buffer *text) {
    HUB_NOT_ZEROED struct line line;
    line.size = 0;
    PUT(&line, "{\"topic\":\"");
    put(&line, leaf->topic, strlen(leaf->topic));
    PUT(&line, "\",\"partition\":");
    put_number(&line, (uint64_t)leaf->partition);
    PUT(&line, ",\"offset\":");
    put_number(&line, (uint64_t)leaf->offset);
    PUT(&line, ",\"timestamp\":");
    if (leaf->timestamp_ms < 0)
        PUT(&line, "-");
    put_number(&line, leaf->timestamp_ms < 0 ? 0 - (uint64_t)leaf->timestamp_ms
                                             : (uint64_t)leaf->timestamp_ms);
    PUT(&line, ",\"segment\":");
    put_number(&line, leaf->segment);
    PUT(&line, ",\"at\":");
    put_number(&line, leaf->at);
    PUT(&line, ",\"size\":");
    put_number(&line, leaf->size);
    PUT(&line, ",\"sha256\":\"");
    put_digest(&line, &leaf->digest);
    if (leaf->has_header) {
        PUT(&line, "\",\"header\":\"");
        put_digest(&line, &leaf->header);
    }
    PUT(&line, "\"}");
    hub_buffer_append(text, line.text, line.size);
}

/* --- reading: there is one way to write it --- */

static bool skip(struct hub_cursor *cursor, const char *text, size_t size) {
    if (hub_cursor_left(cursor) < size ||
        memcmp(cursor->bytes.data + cursor->position, text, size) != 0)
        return false;
    cursor->position += size;
    return true;
}

#define SKIP(cursor, literal) skip((cursor), (literal), sizeof(literal) - 1)

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* A number in decimal, without leading zeros. */
static bool read_number(struct hub_cursor *cursor, int64_t *ret_number) {
    enum { DIGITS_MAX = 19 };
    const uint8_t *text = cursor->bytes.data + cursor->position;
    size_t left = hub_cursor_left(cursor), digits = 0;
    uint64_t number = 0;
    for (; digits < left && digits < DIGITS_MAX && is_digit(text[digits]); digits++)
        number = number * 10 + (uint64_t)(text[digits] - '0');
    cursor->position += digits;
    *ret_number = (int64_t)number;
    return digits > 0 && number <= INT64_MAX && (digits == 1 || text[0] != '0');
}

static bool read_number_or_minus(struct hub_cursor *cursor, int64_t *ret_number) {
    bool minus = hub_cursor_left(cursor) > 0 && cursor->bytes.data[cursor->position] == '-';
    cursor->position += minus;
    if (!read_number(cursor, ret_number) || (minus && *ret_number == 0))
        return false;
    *ret_number = minus ? -*ret_number : *ret_number;
    return true;
}

/* Of each byte, one more than what it is worth as a digit; 0: it is none. */
static const uint8_t worth[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

static bool read_digest(struct hub_cursor *cursor, struct hub_digest *ret_digest) {
    struct hub_bytes text;
    bool fits = true;
    if (!hub_cursor_take(cursor, 2 * HUB_DIGEST_SIZE, &text))
        return false;
    for (size_t i = 0; i < HUB_DIGEST_SIZE; i++) {
        unsigned high = worth[text.data[2 * i]], low = worth[text.data[2 * i + 1]];
        fits &= high != 0 && low != 0;
        ret_digest->bytes[i] = (uint8_t)((high - 1) << 4 | ((low - 1) & 0xf));
    }
    return fits;
}

/* Letters as Kafka allows them in a topic's name, of which none means something in JSON. */
static bool read_topic(struct hub_cursor *cursor, char *ret_topic) {
    size_t size = 0;
    for (uint8_t byte; hub_cursor_left(cursor) > 0; ret_topic[size++] = (char)byte) {
        byte = cursor->bytes.data[cursor->position];
        bool fits = is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    byte == '.' || byte == '_' || byte == '-';
        if (!fits || size == HUB_TOPIC_SIZE_MAX)
            break;
        cursor->position++;
    }
    ret_topic[size] = '\0';
    return size > 0;
}

static bool read(struct hub_cursor *cursor, struct hub_leaf *leaf) {
    int64_t partition = 0, segment = 0, at = 0, size = 0;
    if (!SKIP(cursor, "{\"topic\":\"") || !read_topic(cursor, leaf->topic) ||
        !SKIP(cursor, "\",\"partition\":") || !read_number(cursor, &partition) ||
        partition > INT32_MAX || !SKIP(cursor, ",\"offset\":") ||
        !read_number(cursor, &leaf->offset) || !SKIP(cursor, ",\"timestamp\":") ||
        !read_number_or_minus(cursor, &leaf->timestamp_ms) || !SKIP(cursor, ",\"segment\":") ||
        !read_number(cursor, &segment) || !SKIP(cursor, ",\"at\":") || !read_number(cursor, &at) ||
        !SKIP(cursor, ",\"size\":") || !read_number(cursor, &size) ||
        !SKIP(cursor, ",\"sha256\":\"") || !read_digest(cursor, &leaf->digest))
        return false;
    leaf->partition = (int32_t)partition;
    leaf->segment = (uint64_t)segment;
    leaf->at = (uint64_t)at;
    leaf->size = (uint64_t)size;
    leaf->has_header = hub_cursor_left(cursor) > 2;
    if (leaf->has_header &&
        (!SKIP(cursor, "\",\"header\":\"") || !read_digest(cursor, &leaf->header)))
        return false;
    return SKIP(cursor, "\"}") && hub_cursor_left(cursor) == 0;
}

enum hub_status hub_leaf_read(struct hub_bytes text, struct hub_leaf *ret_leaf,
                              struct hub_error *reterr) {
    struct hub_cursor cursor = hub_cursor(text);
    return read(&cursor, ret_leaf) ? HUB_OK
                                   : hub_fail(reterr, HUB_REJECT, "no descriptor of a record");
}
