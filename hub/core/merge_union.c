#include "hub/core/merge_union.h"

#include "hub/core/equal.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 32, LOOK_BACK = 16, ELEMENTS_FIRST = 16 };

struct element {
    struct hub_candidate candidate;
    struct hub_bytes key; /* the same bytes in memory where the elements are alike */
    size_t first;         /* index of the first that was found with these bytes */
};

/* Of all lists: in the order of the voices, then sorted by key. */
struct elements {
    struct element *items;
    size_t count, capacity;
    size_t distinct; /* at most: those that were compared */
};

/* --- keys --- */

static struct hub_bytes take_key(struct hub_merging *merging) {
    const struct hub_buffer *key = merging->scratch;
    const char *text = hub_arena_text(merging->scope.arena, (const char *)key->data, key->size);
    return hub_bytes(text, strlen(text));
}

/* A key of one text is where it stands. */
static struct hub_bytes key_of_one(struct hub_merging *merging,
                                   const struct hub_field_contract *part, struct hub_bytes value) {
    const struct hub_type *type = hub_slice_stated(part->field->type, value, &value);
    if (type != NULL && type->kind == HUB_STRING && part->equality != HUB_EQUAL_FOLD) {
        struct hub_bytes text = hub_slice_octets(value);
        return hub_bytes(text.data, strnlen((const char *)text.data, text.size));
    }
    if (type != NULL)
        hub_value_key(part, type, value, merging->scratch);
    return take_key(merging);
}

static struct hub_bytes element_key(struct hub_merging *merging,
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
            return key_of_one(merging, part, value);
        hub_value_key_part(part, part->field->type, value, merging->scratch);
    }
    merging->scratch->size--; /* the separator after the last part */
    return take_key(merging);
}

/* --- listing --- */

/* Most of what one voice lists another does, too: looked for among those just before. */
static size_t find_alike(const struct elements *list, struct hub_bytes bytes) {
    size_t back = list->count < LOOK_BACK ? list->count : LOOK_BACK;
    for (size_t i = list->count - back; i < list->count; i++)
        if (hub_bytes_equal(list->items[i].candidate.bytes, bytes))
            return list->items[i].first;
    return list->count;
}

static void add_element(struct hub_arena *arena, struct elements *list, size_t voice,
                        struct hub_bytes bytes) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? ELEMENTS_FIRST : list->capacity * 2;
        struct element *wider = hub_arena_take(arena, capacity * sizeof *wider);
        if (list->count > 0)
            memcpy(wider, list->items, list->count * sizeof *wider);
        list->items = wider;
        list->capacity = capacity;
    }
    size_t first = find_alike(list, bytes);
    list->distinct += first == list->count;
    list->items[list->count++] = (struct element){{voice, bytes}, hub_bytes(NULL, 0), first};
}

static bool same_key(const struct element *a, const struct element *b) {
    return a->key.size == b->key.size &&
           (a->key.data == b->key.data || hub_bytes_equal(a->key, b->key));
}

static bool same_bytes(const struct element *a, const struct element *b) {
    return a->first == b->first || hub_bytes_equal(a->candidate.bytes, b->candidate.bytes);
}

static int compare_elements(const void *a, const void *b) {
    const struct element *x = a, *y = b;
    int order = same_key(x, y) ? 0 : hub_bytes_compare(x->key, y->key);
    if (order != 0)
        return order;
    if (x->candidate.voice != y->candidate.voice)
        return x->candidate.voice > y->candidate.voice ? 1 : -1;
    return hub_bytes_compare(x->candidate.bytes, y->candidate.bytes);
}

static void sort_elements(struct elements *list) {
    if (list->count > FEW) {
        qsort(list->items, list->count, sizeof *list->items, compare_elements);
        return;
    }
    for (size_t i = 1; i < list->count; i++) {
        struct element moved = list->items[i];
        size_t at = i;
        for (; at > 0 && compare_elements(&list->items[at - 1], &moved) > 0; at--)
            list->items[at] = list->items[at - 1];
        list->items[at] = moved;
    }
}

/* What is the same everywhere needs no key to be told from anything. */
static struct elements list_elements(struct hub_merging *merging,
                                     const struct hub_field_contract *contract,
                                     const struct hub_candidates *lists) {
    struct elements list = {0};
    for (size_t i = 0; i < lists->count; i++) {
        struct hub_elements elements =
            hub_slice_elements(contract->field->type, lists->items[i].bytes);
        struct hub_bytes bytes;
        while (hub_slice_next(&elements, &bytes))
            add_element(merging->scope.arena, &list, lists->items[i].voice, bytes);
    }
    if (list.distinct <= 1)
        return list;
    for (size_t i = 0; i < list.count; i++) {
        struct element *element = &list.items[i];
        element->key = element->first == i
                           ? element_key(merging, contract, element->candidate.bytes)
                           : list.items[element->first].key;
    }
    sort_elements(&list);
    return list;
}

/* --- the elements of one key --- */

/* Part by part: what one does not state another may. */
static void merge_parts(struct hub_merging *merging, const struct hub_field_contract *contract,
                        struct hub_place *place, const struct hub_candidates *same) {
    struct hub_arena *arena = merging->scope.arena;
    const struct hub_type *record = contract->field->type->items;
    size_t width = record->count + 1;
    uint32_t *starts = hub_arena_take(arena, same->count * width * sizeof *starts);
    struct hub_candidates stated = {
        .items = hub_arena_take(arena, same->count * sizeof *stated.items)};
    for (size_t k = 0; k < same->count; k++)
        hub_slice_fields(record, same->items[k].bytes, starts + k * width);
    for (size_t i = 0; i < record->count; i++) {
        const struct hub_field_contract *part = &contract->merged_parts[i];
        const struct hub_type *type = part->field->type;
        stated.count = 0;
        stated.alike = true;
        for (size_t k = 0; k < same->count; k++) {
            const uint32_t *own = starts + k * width;
            struct hub_bytes bytes = hub_bytes_part(same->items[k].bytes, own[i], own[i + 1]);
            if (type->kind == HUB_UNION && hub_slice_is_unstated(type, bytes) &&
                hub_type_null_branch(type) >= 0)
                continue;
            stated.alike = stated.alike && (stated.count == 0 ||
                                            hub_bytes_equal(stated.items[0].bytes, bytes));
            stated.items[stated.count++] = (struct hub_candidate){same->items[k].voice, bytes};
        }
        place->part = part->field->name;
        if (part->shuts_out || !stated.alike)
            hub_merging_one(merging, part, place, &stated);
        else
            hub_buffer_append_bytes(merging->value, stated.count == 0
                                                        ? hub_merging_unstated(part->field)
                                                        : stated.items[0].bytes);
    }
}

static void merge_element(struct hub_merging *merging, const struct hub_field_contract *contract,
                          struct hub_bytes key, const struct hub_candidates *same) {
    const struct hub_type *type = contract->field->type->items;
    struct hub_place place = {contract->field->name, key, NULL};
    size_t chosen = 0;
    if (!same->alike || !contract->keeps_alike) {
        merging->scope.element_type = type;
        merging->scope.element = same->items[0].bytes;
        if (contract->merged_parts != NULL) {
            merge_parts(merging, contract, &place, same);
            return;
        }
        chosen = hub_merging_choose(merging, contract, type, &place, same);
    }
    hub_buffer_append_bytes(merging->value, same->items[chosen].bytes);
}

/* --- the list --- */

int hub_merging_source(const struct hub_candidates *lists) {
    return lists->count == 0   ? HUB_SOURCE_NONE
           : lists->count == 1 ? (int)lists->items[0].voice
                               : HUB_SOURCE_SEVERAL;
}

/* Whether two elements under one key are not the same. */
static bool differs(const struct elements *list) {
    for (size_t i = 1; i < list->count; i++)
        if (same_key(&list->items[i - 1], &list->items[i]) &&
            !same_bytes(&list->items[i - 1], &list->items[i]))
            return true;
    return false;
}

/* Of lists that are all the same bytes one is enough, unless it contradicts itself: then it matters who does. */
static struct elements list_enough(struct hub_merging *merging,
                                   const struct hub_field_contract *contract,
                                   const struct hub_candidates *lists) {
    struct hub_candidates one = {lists->items, lists->count > 0, true};
    if (lists->alike && contract->keeps_alike) {
        struct elements list = list_elements(merging, contract, &one);
        if (lists->count <= 1 || !differs(&list))
            return list;
    }
    return list_elements(merging, contract, lists);
}

void hub_merging_union(struct hub_merging *merging, const struct hub_field_contract *contract,
                       struct hub_candidates *lists, bool *ret_settled) {
    size_t keys = 0;
    *ret_settled = !contract->shuts_out;
    lists->count = hub_merge_admissible(&merging->scope, contract, lists->items, lists->count);
    struct elements list = list_enough(merging, contract, lists);
    struct hub_candidates same = {
        .items = hub_arena_take(merging->scope.arena, list.count * sizeof *same.items)};
    for (size_t i = 0; i < list.count; i++)
        keys += i == 0 || !same_key(&list.items[i - 1], &list.items[i]);
    hub_encode_array_begin(merging->value, keys);
    for (size_t from = 0, to = 0; from < list.count; from = to) {
        const struct element *first = &list.items[from];
        same.count = 0;
        same.alike = true;
        for (to = from; to < list.count && same_key(first, &list.items[to]); to++) {
            same.alike = same.alike && same_bytes(first, &list.items[to]);
            same.items[same.count++] = list.items[to].candidate;
        }
        merge_element(merging, contract, first->key, &same);
        *ret_settled = *ret_settled && same.alike;
    }
    merging->scope.element_type = NULL;
    hub_encode_array_end(merging->value);
}
