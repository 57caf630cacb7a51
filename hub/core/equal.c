#include "hub/core/equal.h"

#include "hub/base/memory.h"
#include "hub/base/text.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool fold_equal(struct hub_bytes a, struct hub_bytes b) {
    HUB_SCOPED_BUFFER x = {0};
    HUB_SCOPED_BUFFER y = {0};
    hub_text_fold(a, &x);
    hub_text_fold(b, &y);
    return hub_bytes_equal(hub_buffer_bytes(&x), hub_buffer_bytes(&y));
}

static bool decided_by_parts(const struct hub_contract *parts, struct hub_bytes a,
                             struct hub_bytes b, bool *ret_same) {
    for (size_t i = 0; i < parts->decisive_count; i++) {
        size_t index = (size_t)parts->decisive[i];
        const struct hub_field_contract *part = &parts->fields[index];
        const struct hub_type *type = part->field->type;
        struct hub_bytes x = hub_slice_field(parts->record, a, index);
        struct hub_bytes y = hub_slice_field(parts->record, b, index);
        if (hub_slice_is_unstated(type, x) || hub_slice_is_unstated(type, y))
            continue;
        *ret_same = hub_values_agree(part, type, x, y);
        return true;
    }
    return false;
}

static bool parts_agree(const struct hub_contract *parts, struct hub_bytes a, struct hub_bytes b,
                        int except) {
    HUB_NOT_ZEROED uint32_t x[HUB_FIELDS_MAX + 1], y[HUB_FIELDS_MAX + 1];
    bool same = false;
    if (decided_by_parts(parts, a, b, &same))
        return same;
    hub_slice_fields(parts->record, a, x);
    hub_slice_fields(parts->record, b, y);
    for (size_t i = 0; i < parts->count; i++)
        if ((int)i != except &&
            !hub_values_agree(&parts->fields[i], parts->fields[i].field->type,
                              hub_bytes_part(a, x[i], x[i + 1]),
                              hub_bytes_part(b, y[i], y[i + 1])))
            return false;
    return true;
}

/* The elements of a set as texts, sorted, each once. */
struct element_texts {
    struct hub_arena arena;
    const char **texts;
    size_t count;
};

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_element_texts(const struct hub_type *array, struct hub_bytes bytes,
                               struct element_texts *ret_texts) {
    struct hub_elements counting = hub_slice_elements(array, bytes), elements = counting;
    struct hub_bytes element;
    HUB_SCOPED_BUFFER text = {0};
    size_t count = 0, kept = 0;
    while (hub_slice_next(&counting, &element))
        count++;
    const char **texts = hub_arena_take(&ret_texts->arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; hub_slice_next(&elements, &element); i++) {
        hub_buffer_clear(&text);
        if (array->items->kind == HUB_STRING)
            hub_text_fold(hub_slice_octets(element), &text);
        else
            hub_render_json(array->items, element, &text);
        texts[i] = hub_arena_text(&ret_texts->arena, (const char *)text.data, text.size);
    }
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(texts[kept - 1], texts[i]) != 0)
            texts[kept++] = texts[i];
    ret_texts->texts = texts;
    ret_texts->count = kept;
}

enum { SYMBOLS_FEW = 64 };

static uint64_t symbols_of(const struct hub_type *array, struct hub_bytes bytes) {
    struct hub_elements elements = hub_slice_elements(array, bytes);
    struct hub_bytes element;
    uint64_t symbols = 0;
    while (hub_slice_next(&elements, &element))
        symbols |= UINT64_C(1) << hub_slice_long(element);
    return symbols;
}

static bool sets_equal(const struct hub_type *array, struct hub_bytes a, struct hub_bytes b) {
    struct element_texts x = {0}, y = {0};
    if (array->items->kind == HUB_ENUM && array->items->count <= SYMBOLS_FEW)
        return symbols_of(array, a) == symbols_of(array, b);
    read_element_texts(array, a, &x);
    read_element_texts(array, b, &y);
    bool same = x.count == y.count;
    for (size_t i = 0; same && i < x.count; i++)
        same = strcmp(x.texts[i], y.texts[i]) == 0;
    hub_arena_destroy(&x.arena);
    hub_arena_destroy(&y.arena);
    return same;
}

/* atmp.Date: days since 1970-01-01 and DAY (0), MONTH (1) or YEAR (2). */
enum { DATE_VALUE = 0, DATE_PRECISION = 1, PRECISION_DAY = 0, PRECISION_YEAR = 2 };

static int64_t date_precision(const struct hub_type *type, struct hub_bytes date) {
    return hub_slice_long(hub_slice_field(type, date, DATE_PRECISION));
}

/* The date's text as far as it is known to `precision`: 2016-07-14, 2016-07 or 2016. */
static void date_text(const struct hub_type *type, struct hub_bytes date, int64_t precision,
                      struct hub_buffer *buffer) {
    static const size_t sizes[] = {10, 7, 4};
    size_t from = buffer->size;
    hub_render_date(hub_slice_long(hub_slice_field(type, date, DATE_VALUE)), buffer);
    size_t size = sizes[precision <= PRECISION_YEAR ? precision : PRECISION_DAY];
    if (buffer->size > from + size)
        buffer->size = from + size;
}

/* Whether its year has four digits. */
static bool is_plain_day(int64_t day) {
    enum { FIRST = -719528, LAST = 2932896 }; /* 0000-01-01 and 9999-12-31 */
    return day >= FIRST && day <= LAST;
}

static bool dates_agree(const struct hub_type *type, struct hub_bytes a, struct hub_bytes b) {
    int64_t x = date_precision(type, a), y = date_precision(type, b);
    int64_t coarser = x > y ? x : y;
    int64_t first = hub_slice_long(hub_slice_field(type, a, DATE_VALUE));
    int64_t second = hub_slice_long(hub_slice_field(type, b, DATE_VALUE));
    if (coarser == PRECISION_DAY && is_plain_day(first) && is_plain_day(second))
        return first == second;
    HUB_SCOPED_BUFFER left = {0};
    HUB_SCOPED_BUFFER right = {0};
    date_text(type, a, coarser, &left);
    date_text(type, b, coarser, &right);
    return hub_bytes_equal(hub_buffer_bytes(&left), hub_buffer_bytes(&right));
}

static bool reachable(const struct hub_lifecycle *lifecycle, struct hub_bytes a,
                      struct hub_bytes b) {
    size_t x = (size_t)hub_slice_long(a), y = (size_t)hub_slice_long(b);
    size_t count = lifecycle->states->count;
    return lifecycle->reachable[x * count + y] || lifecycle->reachable[y * count + x];
}

/* Different facts do not contradict; the same fact, or one that does not tell which, may. */
static bool apart_agree(const struct hub_field_contract *contract, struct hub_bytes a,
                        struct hub_bytes b) {
    const struct hub_type *record = contract->parts->record;
    size_t index = (size_t)contract->apart_field;
    int64_t x = hub_slice_long(hub_slice_field(record, a, index));
    int64_t y = hub_slice_long(hub_slice_field(record, b, index));
    if (x != y && !contract->apart_wild[x] && !contract->apart_wild[y])
        return true;
    return parts_agree(contract->parts, a, b, contract->apart_field);
}

bool hub_values_agree(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes a, struct hub_bytes b) {
    const struct hub_type *declared = type;
    if (hub_slice_is_unstated(declared, a) || hub_slice_is_unstated(declared, b))
        return true;
    type = hub_slice_stated(declared, a, &a);
    hub_slice_stated(declared, b, &b);
    if (hub_bytes_equal(a, b))
        return true;
    switch (contract->equality) {
    case HUB_EQUAL_EXACT:
        return type->kind == HUB_RECORD && parts_agree(contract->parts, a, b, /* except= */ -1);
    case HUB_EQUAL_FOLD:
        return fold_equal(hub_slice_octets(a), hub_slice_octets(b));
    case HUB_EQUAL_SET:
        return sets_equal(type, a, b);
    case HUB_EQUAL_DATE:
        return dates_agree(type, a, b);
    case HUB_EQUAL_TOLERANCE:
        return fabs(hub_slice_number(type, a) - hub_slice_number(type, b)) <= contract->tolerance;
    case HUB_EQUAL_REACHABLE:
        return reachable(contract->lifecycle, a, b);
    case HUB_EQUAL_APART:
        return apart_agree(contract, a, b);
    case HUB_EQUAL_IGNORE:;
    }
    return true;
}

/* Both are stated. */
static bool speak_apart(const struct hub_field_contract *contract, const struct hub_type *record,
                        struct hub_bytes a, struct hub_bytes b) {
    if (contract->equality != HUB_EQUAL_APART)
        return false;
    size_t index = (size_t)contract->apart_field;
    return !hub_bytes_equal(hub_slice_field(record, a, index), hub_slice_field(record, b, index));
}

enum hub_relation hub_values_relation(const struct hub_field_contract *contract,
                                      const struct hub_type *type, struct hub_bytes a,
                                      struct hub_bytes b) {
    const struct hub_type *record = hub_slice_stated(type, a, &a);
    if (record == NULL || hub_slice_stated(type, b, &b) == NULL)
        return HUB_VALUES_ALIKE;
    if (!hub_values_agree(contract, record, a, b))
        return HUB_VALUES_CONTRARY;
    return speak_apart(contract, record, a, b) ? HUB_VALUES_AGREE : HUB_VALUES_ALIKE;
}

bool hub_values_alike(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes a, struct hub_bytes b) {
    return hub_values_relation(contract, type, a, b) == HUB_VALUES_ALIKE;
}

/* Some date is more exact in `b`, and none in `a`, which states nothing that `b` does not. */
static bool record_yields(const struct hub_contract *parts, struct hub_bytes a,
                          struct hub_bytes b) {
    HUB_NOT_ZEROED uint32_t left[HUB_FIELDS_MAX + 1], right[HUB_FIELDS_MAX + 1];
    bool yields = false;
    hub_slice_fields(parts->record, a, left);
    hub_slice_fields(parts->record, b, right);
    for (size_t i = 0; i < parts->count; i++) {
        const struct hub_field_contract *part = &parts->fields[i];
        const struct hub_type *type = part->field->type;
        struct hub_bytes x = hub_bytes_part(a, left[i], left[i + 1]);
        struct hub_bytes y = hub_bytes_part(b, right[i], right[i + 1]);
        bool lost = hub_slice_is_unstated(type, y) && !hub_slice_is_unstated(type, x);
        if (lost || !hub_values_agree(part, type, x, y) || hub_value_yields(part, type, y, x))
            return false;
        yields |= hub_value_yields(part, type, x, y);
    }
    return yields;
}

bool hub_value_yields(const struct hub_field_contract *contract, const struct hub_type *type,
                      struct hub_bytes a, struct hub_bytes b) {
    if (contract->equality != HUB_EQUAL_DATE && contract->equality != HUB_EQUAL_EXACT)
        return false;
    const struct hub_type *stated = hub_slice_stated(type, a, &a);
    if (stated == NULL || hub_slice_stated(type, b, &b) == NULL)
        return false;
    if (contract->equality == HUB_EQUAL_DATE)
        return date_precision(stated, b) < date_precision(stated, a) && dates_agree(stated, a, b);
    return contract->equality == HUB_EQUAL_EXACT && stated->kind == HUB_RECORD &&
           record_yields(contract->parts, a, b);
}

static void record_key(const struct hub_contract *parts, struct hub_bytes value,
                       struct hub_buffer *buffer) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(parts->record, value, starts);
    for (size_t i = 0; i < parts->decisive_count; i++) {
        size_t index = (size_t)parts->decisive[i];
        struct hub_bytes part = hub_bytes_part(value, starts[index], starts[index + 1]);
        const struct hub_type *type = parts->fields[index].field->type;
        if (hub_slice_is_unstated(type, part))
            continue;
        hub_value_key(&parts->fields[index], type, part, buffer);
        return;
    }
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->fields[i].equality == HUB_EQUAL_IGNORE)
            continue;
        hub_value_key_part(&parts->fields[i], parts->fields[i].field->type,
                           hub_bytes_part(value, starts[i], starts[i + 1]), buffer);
    }
}

/* As JSON has it. */
static void append_symbol(const char *symbol, struct hub_buffer *buffer) {
    hub_buffer_append_byte(buffer, '"');
    hub_buffer_append_text(buffer, symbol);
    hub_buffer_append_byte(buffer, '"');
}

void hub_value_key(const struct hub_field_contract *contract, const struct hub_type *type,
                   struct hub_bytes value, struct hub_buffer *buffer) {
    type = hub_slice_stated(type, value, &value);
    if (type == NULL)
        return;
    if (type->kind == HUB_RECORD)
        record_key(contract->parts, value, buffer);
    else if (type->kind == HUB_STRING && contract->equality == HUB_EQUAL_FOLD)
        hub_text_fold(hub_slice_octets(value), buffer);
    else if (type->kind == HUB_STRING)
        hub_buffer_append_bytes(buffer, hub_slice_octets(value));
    else if (type->kind == HUB_ENUM)
        append_symbol(hub_slice_symbol(type, value), buffer);
    else
        hub_render_json(type, value, buffer);
}

/* Escapes what looks like a separator from there on; mostly nothing does. */
static void escape(struct hub_buffer *buffer, size_t from) {
    struct hub_bytes tail = hub_bytes_part(hub_buffer_bytes(buffer), from, buffer->size);
    size_t at = 0;
    while (at < tail.size && tail.data[at] != '/' && tail.data[at] != '\\')
        at++;
    if (at == tail.size)
        return;
    uint8_t *rest = hub_copy_bytes(tail.data + at, tail.size - at);
    size_t rest_size = tail.size - at;
    buffer->size = from + at;
    for (size_t i = 0; i < rest_size; i++) {
        if (rest[i] == '/' || rest[i] == '\\')
            hub_buffer_append_byte(buffer, '\\');
        hub_buffer_append_byte(buffer, rest[i]);
    }
    hub_release(rest);
}

void hub_value_key_part(const struct hub_field_contract *contract, const struct hub_type *type,
                        struct hub_bytes value, struct hub_buffer *buffer) {
    size_t from = buffer->size;
    hub_value_key(contract, type, value, buffer);
    if (!hub_buffer_overflowed(buffer))
        escape(buffer, from);
    hub_buffer_append_byte(buffer, '/');
}
