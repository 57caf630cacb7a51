#include "hub/core/merge_key.h"

#include "hub/base/text.h"
#include "hub/core/equal.h"
#include "schemas/lib/slice.h"

#include <string.h>

/* --- texts --- */

static struct hub_bytes take_key(struct hub_merging *merging) {
    const struct hub_buffer *key = merging->scratch;
    const char *text = hub_arena_text(merging->scope.arena, (const char *)key->data, key->size);
    return hub_bytes(text, strlen(text));
}

struct hub_bytes hub_element_key_text(struct hub_merging *merging,
                                      const struct hub_field_contract *list,
                                      struct hub_bytes element) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    const struct hub_type *type = list->field->type->items;
    hub_buffer_clear(merging->scratch);
    if (list->key_count == 0) {
        hub_value_key(list, type, element, merging->scratch);
        return take_key(merging);
    }
    hub_slice_fields(type, element, starts);
    for (size_t i = 0; i < list->key_count; i++) {
        size_t index = (size_t)list->key_fields[i];
        const struct hub_field_contract *part = &list->parts->fields[index];
        struct hub_bytes value = hub_bytes_part(element, starts[index], starts[index + 1]);
        if (list->key_count == 1)
            hub_value_key(part, part->field->type, value, merging->scratch);
        else
            hub_value_key_part(part, part->field->type, value, merging->scratch);
    }
    merging->scratch->size -= list->key_count > 1; /* the separator after the last part */
    return take_key(merging);
}

/* --- where they stand --- */

static struct hub_bytes part_text(const struct hub_type *type, struct hub_bytes value) {
    if (type->kind == HUB_UNION) {
        type = hub_slice_stated(type, value, &value);
        if (type == NULL)
            return hub_bytes("", 0);
    }
    return type->kind == HUB_ENUM ? hub_bytes_of_text(hub_slice_symbol(type, value))
                                  : hub_slice_octets(value);
}

void hub_element_key_read(struct hub_merging *merging, const struct hub_field_contract *list,
                          struct hub_bytes element, struct hub_element_key *ret_key) {
    HUB_NOT_ZEROED uint32_t starts[HUB_FIELDS_MAX + 1];
    const struct hub_type *type = list->field->type->items;
    if (!list->plain_keys) {
        ret_key->parts[0] = hub_element_key_text(merging, list, element);
        return;
    }
    hub_slice_fields(type, element, starts);
    for (size_t i = 0; i < list->key_count; i++) {
        size_t index = (size_t)list->key_fields[i];
        ret_key->parts[i] =
            part_text(type->fields[index].type,
                      hub_bytes_part(element, starts[index], starts[index + 1]));
    }
}

/* Of a letter or digit that every text keeps when it is folded; 0 for what else there is. */
static uint8_t folded(uint8_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return c;
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : 0;
}

static int compare_texts(struct hub_bytes a, struct hub_bytes b);

/* Mostly their first letters tell them apart. */
static int compare_folded(struct hub_bytes a, struct hub_bytes b) {
    size_t at = 0, size = a.size < b.size ? a.size : b.size;
    while (at < size && folded(a.data[at]) != 0 && folded(a.data[at]) == folded(b.data[at]))
        at++;
    if (at < size && folded(a.data[at]) != 0 && folded(b.data[at]) != 0)
        return folded(a.data[at]) - folded(b.data[at]);
    HUB_SCOPED_BUFFER x = {0};
    HUB_SCOPED_BUFFER y = {0};
    hub_text_fold(a, &x);
    hub_text_fold(b, &y);
    return compare_texts(hub_bytes_of_text(hub_buffer_text(&x)), hub_bytes_of_text(hub_buffer_text(&y)));
}

/* A text ends at its first zero byte. */
static int compare_texts(struct hub_bytes a, struct hub_bytes b) {
    a.size = strnlen((const char *)a.data, a.size);
    b.size = strnlen((const char *)b.data, b.size);
    return hub_bytes_compare(a, b);
}

/* What stands at a place of a part in the text: where it ends, the separator, and before what looks like one, the
 * escape. */
static int character_at(struct hub_bytes part, size_t at, bool last) {
    if (at == part.size)
        return last ? 0 : '/';
    return part.data[at] == '/' ? '\\' : part.data[at];
}

/* `ret_ended`: what comes after this part is in neither text. */
static int compare_parts(struct hub_bytes a, struct hub_bytes b, bool last, bool *ret_ended) {
    size_t at = 0, size = a.size < b.size ? a.size : b.size;
    while (at < size && a.data[at] == b.data[at] && a.data[at] != 0)
        at++;
    int x = character_at(a, at, last), y = character_at(b, at, last);
    *ret_ended = x == 0;
    if (x != y || x != '\\' || at >= size)
        return x - y;
    return a.data[at] - b.data[at];
}

int hub_element_keys_compare(const struct hub_field_contract *list, const struct hub_element_key *a,
                             const struct hub_element_key *b) {
    bool ended = false;
    int order = 0;
    if (list->folded_key)
        return compare_folded(a->parts[0], b->parts[0]);
    if (!list->plain_keys || list->key_count == 1)
        return compare_texts(a->parts[0], b->parts[0]);
    for (size_t i = 0; order == 0 && !ended && i < list->key_count; i++)
        order = compare_parts(a->parts[i], b->parts[i], i + 1 == list->key_count, &ended);
    return order;
}
