#include "connectors/kit/guard.h"

#include "schemas/lib/slice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static int two_digits(const uint8_t *digits) {
    return (digits[0] - '0') * 10 + (digits[1] - '0');
}

/* Luhn's check over ten digits (ISO/IEC 7812-1 annex B). */
static bool luhn(const uint8_t digits[10]) {
    int sum = 0;
    for (int i = 0; i < 10; i++) {
        int product = (digits[i] - '0') * (i % 2 == 0 ? 2 : 1);
        sum += product > 9 ? product - 9 : product;
    }
    return sum % 10 == 0;
}

/* YYMMDDNNNC; the day of a samordningsnummer is 60 higher, and of a date that is not known the month, or the
 * day before that, is 00. */
static bool is_personal_number(const uint8_t digits[10]) {
    int month = two_digits(digits + 2), day = two_digits(digits + 4), first = 1;
    if (day >= 60) {
        day -= 60;
        first = 0;
    }
    return month >= first && month <= 12 && day >= first && day <= 31 && luhn(digits);
}

static bool is_century(const uint8_t *digits) {
    int century = two_digits(digits);
    return century >= 18 && century <= 20;
}

/* Weights 9, 8 ... 2 and -1; a leading zero may have been lost. */
static bool is_bsn(const uint8_t *digits, size_t count) {
    int sum = 0;
    if (count != 9 && count != 8)
        return false;
    for (size_t i = 0; i < count; i++) {
        int weight = (int)(count - i);
        sum += (digits[i] - '0') * (weight == 1 ? -1 : weight);
    }
    return sum != 0 && sum % 11 == 0;
}

/* Words beside which a number is one of a person; ASCII, in small letters. */
static const struct {
    const char *word;
    bool is_dutch;
} words[] = {{"personnummer", false},        {"personnr", false}, {"pnr", false},
             {"samordningsnummer", false},   {"personal number", false},
             {"burgerservicenummer", true},  {"bsn", true},       {"sofinummer", true}};

enum { WORDS = sizeof words / sizeof *words };

static bool has_at(struct hub_bytes text, size_t at, const char *word) {
    size_t size = strlen(word);
    return text.size - at >= size && strncasecmp((const char *)text.data + at, word, size) == 0;
}

/* All of them end so: the digits of a digest are asked for at every turn. */
static bool may_end_a_word(uint8_t letter) {
    return (letter | 0x20) == 'r' || (letter | 0x20) == 'n';
}

static bool word_ends_at(struct hub_bytes text, size_t at) {
    if (at == 0 || !may_end_a_word(text.data[at - 1]))
        return false;
    for (size_t i = 0; i < WORDS; i++)
        if (at >= strlen(words[i].word) && has_at(text, at - strlen(words[i].word), words[i].word))
            return true;
    return false;
}

static bool word_begins_at(struct hub_bytes text, size_t at) {
    for (size_t i = 0; i < WORDS; i++)
        if (has_at(text, at, words[i].word))
            return true;
    return false;
}

/* By the first three letters, which hardly any text has: every text of every document is asked. */
static inline bool may_begin_a_word(const uint8_t *text) {
    static const char beginnings[][4] = {"per", "pnr", "sam", "bur", "bsn", "sof"};
    uint8_t first = text[0] | 0x20;
    if (first != 'p' && first != 's' && first != 'b')
        return false;
    char letters[] = {(char)first, (char)(text[1] | 0x20), (char)(text[2] | 0x20)};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (memcmp(letters, beginnings[i], sizeof letters) == 0)
            return true;
    return false;
}

/* Which numbers the text tells of. */
static void listen(struct hub_bytes text, struct hub_guard_told *told) {
    for (size_t at = 0; at + 3 <= text.size; at++) {
        if (!may_begin_a_word(text.data + at))
            continue;
        for (size_t i = 0; i < WORDS; i++)
            if (has_at(text, at, words[i].word))
                *(words[i].is_dutch ? &told->dutch : &told->swedish) = true;
    }
}

struct number {
    uint8_t digits[12];
    size_t count;
    size_t separator_at; /* digits before a -, + or space; 0 for none */
    bool spaced;         /* it is a space */
    size_t end;
};

/* A run of digits that stands alone or by a word that tells of it, with at most one separator, which a
 * space may be. */
static bool read_number(struct hub_bytes text, size_t from, bool spaced,
                        struct number *ret_number) {
    struct number number = {.end = from};
    if (from > 0 && (is_word(text.data[from - 1]) || text.data[from - 1] == '-') &&
        !word_ends_at(text, from))
        return false;
    while (number.end < text.size) {
        uint8_t c = text.data[number.end];
        bool separator = (c == '-' || c == '+' || (spaced && c == ' ')) && number.separator_at == 0 &&
                         (number.count == 6 || number.count == 8) &&
                         number.end + 1 < text.size && is_digit(text.data[number.end + 1]);
        if (separator) {
            number.separator_at = number.count;
            number.spaced = c == ' ';
        } else if (is_digit(c) && number.count < sizeof number.digits) {
            number.digits[number.count++] = c;
        } else {
            break;
        }
        number.end++;
    }
    bool alone = number.end == text.size || word_begins_at(text, number.end) ||
                 (!is_word(text.data[number.end]) && text.data[number.end] != '-');
    *ret_number = number;
    return number.count > 0 && alone;
}

static bool is_swedish(const struct number *number, const struct hub_guard_told *told) {
    bool marked = number->separator_at != 0 && number->count == number->separator_at + 4;
    if (number->count == 12 && is_century(number->digits) &&
        (marked || number->separator_at == 0))
        return is_personal_number(number->digits + 2);
    return number->count == 10 && ((marked && !number->spaced) || told->swedish) &&
           is_personal_number(number->digits);
}

static bool is_dutch(const struct number *number, const struct hub_guard_told *told) {
    return told->dutch && number->separator_at == 0 && is_bsn(number->digits, number->count);
}

static const char *kind_of(struct hub_bytes text, size_t from, bool spaced,
                           const struct hub_guard_told *told) {
    struct number number;
    if (!read_number(text, from, spaced, &number))
        return NULL;
    if (is_swedish(&number, told))
        return "a personnummer";
    return is_dutch(&number, told) ? "a burgerservicenummer" : NULL;
}

static bool has_digit(struct hub_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (is_digit(text.data[i]))
            return true;
    return false;
}

bool hub_guard_finds_beside(struct hub_bytes text, const struct hub_guard_told *elsewhere,
                            const char **ret_kind) {
    struct hub_guard_told told = *elsewhere;
    if (!has_digit(text))
        return false;
    listen(text, &told);
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]) || (i > 0 && is_digit(text.data[i - 1])))
            continue;
        *ret_kind = kind_of(text, i, /* spaced= */ false, &told);
        if (*ret_kind == NULL)
            *ret_kind = kind_of(text, i, /* spaced= */ true, &told);
        if (*ret_kind != NULL)
            return true;
    }
    return false;
}

bool hub_guard_finds(struct hub_bytes text, const char **ret_kind) {
    return hub_guard_finds_beside(text, &(struct hub_guard_told){0}, ret_kind);
}

/* --- trees --- */

void hub_guard_listen(const json_t *tree, struct hub_guard_told *told) {
    const char *name;
    json_t *part;
    size_t i;
    if (json_is_string(tree))
        listen(hub_bytes(json_string_value(tree), json_string_length(tree)), told);
    json_array_foreach(tree, i, part)
        hub_guard_listen(part, told);
    json_object_foreach((json_t *)tree, name, part) {
        listen(hub_bytes_of_text(name), told);
        hub_guard_listen(part, told);
    }
}

/* A number as a text; whole ones only can be one of a person. */
static bool finds_number(double number, const struct hub_guard_told *told, const char **ret_kind) {
    char text[32];
    if (!(number >= 0 && number < 1e15) || number != floor(number))
        return false;
    snprintf(text, sizeof text, "%.0f", number);
    return hub_guard_finds_beside(hub_bytes_of_text(text), told, ret_kind);
}

bool hub_guard_finds_in(const json_t *tree, const struct hub_guard_told *told,
                        const char **ret_kind) {
    const char *name;
    json_t *part;
    size_t i;
    if (json_is_string(tree))
        return hub_guard_finds_beside(
            hub_bytes(json_string_value(tree), json_string_length(tree)), told, ret_kind);
    if (json_is_number(tree))
        return finds_number(json_number_value(tree), told, ret_kind);
    json_array_foreach(tree, i, part)
        if (hub_guard_finds_in(part, told, ret_kind))
            return true;
    json_object_foreach((json_t *)tree, name, part)
        if (hub_guard_finds_beside(hub_bytes_of_text(name), told, ret_kind) ||
            hub_guard_finds_in(part, told, ret_kind))
            return true;
    return false;
}

/* --- records --- */

static enum hub_status check_record(const struct hub_type *type, struct hub_bytes value,
                                    const struct hub_guard_told *told, struct hub_buffer *path,
                                    struct hub_error *reterr) {
    struct hub_cursor cursor = hub_cursor(value);
    for (size_t i = 0; i < type->count; i++) {
        const struct hub_field *field = &type->fields[i];
        size_t from = path->size;
        if (from > 0)
            hub_buffer_append_byte(path, '.');
        hub_buffer_append_text(path, field->name);
        HUB_TRY(hub_guard_check(field->type, hub_slice_value(field->type, &cursor), told, path,
                                reterr));
        path->size = from;
    }
    return HUB_OK;
}

static enum hub_status hold(const char *kind, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_REJECT,
                    "it holds what looks like %s; the record is held back here", kind);
}

/* A moment or a date is none, however it is counted. */
static bool is_quantity(const struct hub_type *type) {
    return type->logical == NULL;
}

enum hub_status hub_guard_check(const struct hub_type *type, struct hub_bytes value,
                                const struct hub_guard_told *told, struct hub_buffer *path,
                                struct hub_error *reterr) {
    const char *kind = NULL;
    struct hub_bytes element;
    type = hub_slice_stated(type, value, &value);
    if (type == NULL)
        return HUB_OK;
    switch (type->kind) {
    case HUB_STRING:
        return hub_guard_finds_beside(hub_slice_octets(value), told, &kind) ? hold(kind, reterr)
                                                                            : HUB_OK;
    case HUB_INT:
    case HUB_LONG:
    case HUB_FLOAT:
    case HUB_DOUBLE:
        return is_quantity(type) && finds_number(hub_slice_number(type, value), told, &kind)
                   ? hold(kind, reterr)
                   : HUB_OK;
    case HUB_RECORD:
        return check_record(type, value, told, path, reterr);
    case HUB_ARRAY: {
        struct hub_elements elements = hub_slice_elements(type, value);
        while (hub_slice_next(&elements, &element))
            HUB_TRY(hub_guard_check(type->items, element, told, path, reterr));
        return HUB_OK;
    }
    default:
        return HUB_OK;
    }
}
