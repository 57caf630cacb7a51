#include "connectors/kit/guard.h"

#include "hub/base/text.h"
#include "schemas/lib/slice.h"

#include <string.h>

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

/* YYMMDDNNNC; the day of a samordningsnummer is 60 higher. */
static bool is_personal_number(const uint8_t digits[10]) {
    int month = two_digits(digits + 2), day = two_digits(digits + 4);
    if (day > 60)
        day -= 60;
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && luhn(digits);
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

static bool has_word(struct hub_bytes folded, const char *word) {
    return folded.size > 0 && memmem(folded.data, folded.size, word, strlen(word)) != NULL;
}

struct number {
    uint8_t digits[12];
    size_t count;
    size_t separator_at; /* digits before a -, + or space; 0 for none */
    bool spaced;         /* it is a space */
    size_t end;
};

/* A run of digits that stands alone, with at most one separator, which a space may be. */
static bool read_number(struct hub_bytes text, size_t from, bool spaced,
                        struct number *ret_number) {
    struct number number = {.end = from};
    if (from > 0 && (is_word(text.data[from - 1]) || text.data[from - 1] == '-'))
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
    bool alone = number.end == text.size ||
                 (!is_word(text.data[number.end]) && text.data[number.end] != '-');
    *ret_number = number;
    return number.count > 0 && alone;
}

/* Which numbers the text tells of, found once: the text may be a page of documents. */
struct told {
    bool swedish, dutch;
};

static struct told read_told(struct hub_bytes text) {
    HUB_SCOPED_BUFFER buffer = {0};
    hub_text_fold(text, &buffer);
    if (hub_buffer_overflowed(&buffer))
        return (struct told){true, true}; /* nobody could look, so every number is suspect */
    struct hub_bytes folded = hub_buffer_bytes(&buffer);
    return (struct told){
        .swedish = has_word(folded, "personnummer") || has_word(folded, "samordningsnummer") ||
                   has_word(folded, "pnr") || has_word(folded, "personal number"),
        .dutch = has_word(folded, "bsn") || has_word(folded, "burgerservicenummer") ||
                 has_word(folded, "sofinummer")};
}

static bool is_swedish(const struct number *number, const struct told *told) {
    bool marked = number->separator_at != 0 && number->count == number->separator_at + 4;
    if (number->count == 12 && is_century(number->digits) &&
        (marked || number->separator_at == 0))
        return is_personal_number(number->digits + 2);
    return number->count == 10 && ((marked && !number->spaced) || told->swedish) &&
           is_personal_number(number->digits);
}

static bool is_dutch(const struct number *number, const struct told *told) {
    return told->dutch && number->separator_at == 0 && is_bsn(number->digits, number->count);
}

static const char *kind_of(struct hub_bytes text, size_t from, bool spaced,
                           const struct told *told) {
    struct number number;
    if (!read_number(text, from, spaced, &number))
        return NULL;
    if (is_swedish(&number, told))
        return "a personnummer";
    return is_dutch(&number, told) ? "a burgerservicenummer" : NULL;
}

bool hub_guard_finds(struct hub_bytes text, const char **ret_kind) {
    bool any = false;
    for (size_t i = 0; i < text.size && !any; i++)
        any = is_digit(text.data[i]);
    if (!any)
        return false;
    struct told told = read_told(text);
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

static enum hub_status check_record(const struct hub_type *type, struct hub_bytes value,
                                    struct hub_buffer *path, struct hub_error *reterr) {
    struct hub_cursor cursor = hub_cursor(value);
    for (size_t i = 0; i < type->count; i++) {
        const struct hub_field *field = &type->fields[i];
        size_t from = path->size;
        hub_buffer_append_format(path, "%s%s", from == 0 ? "" : ".", field->name);
        HUB_TRY(hub_guard_check(field->type, hub_slice_value(field->type, &cursor), path, reterr));
        path->size = from;
    }
    return HUB_OK;
}

enum hub_status hub_guard_check(const struct hub_type *type, struct hub_bytes value,
                                struct hub_buffer *path, struct hub_error *reterr) {
    const char *kind = NULL;
    struct hub_bytes element;
    type = hub_slice_stated(type, value, &value);
    if (type == NULL)
        return HUB_OK;
    switch (type->kind) {
    case HUB_STRING:
        if (hub_guard_finds(hub_slice_octets(value), &kind))
            return hub_fail(reterr, HUB_REJECT,
                            "it holds what looks like %s; the record is held back here", kind);
        return HUB_OK;
    case HUB_RECORD:
        return check_record(type, value, path, reterr);
    case HUB_ARRAY: {
        struct hub_elements elements = hub_slice_elements(type, value);
        while (hub_slice_next(&elements, &element))
            HUB_TRY(hub_guard_check(type->items, element, path, reterr));
        return HUB_OK;
    }
    default:
        return HUB_OK;
    }
}
