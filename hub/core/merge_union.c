#include "hub/core/merge_union.h"

#include "hub/core/merge_key.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 32, LOOK_BACK = 16, ELEMENTS_FIRST = 16, ONE_BYTE_MAX = 64 };

struct element {
    struct hub_candidate candidate;
    size_t first; /* index of the first that was found with these bytes */
    struct hub_element_key key;
};

/* Of all lists: in the order of the voices, then sorted by key. */
struct elements {
    const struct hub_field_contract *contract;
    struct element *items;
    size_t count, capacity;
    size_t distinct; /* at most: those that were compared */
};

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
    struct element *element = &list->items[list->count++];
    element->candidate = (struct hub_candidate){voice, bytes};
    element->first = first;
}

static bool same_bytes(const struct element *a, const struct element *b) {
    return a->first == b->first || hub_bytes_equal(a->candidate.bytes, b->candidate.bytes);
}

static int compare_keys(const struct elements *list, const struct element *a,
                        const struct element *b) {
    return a->first == b->first ? 0 : hub_element_keys_compare(list->contract, &a->key, &b->key);
}

static bool same_key(const struct elements *list, size_t a, size_t b) {
    return list->distinct <= 1 || compare_keys(list, &list->items[a], &list->items[b]) == 0;
}

static int compare_elements(const void *a, const void *b, void *list) {
    const struct element *x = a, *y = b;
    int order = compare_keys(list, x, y);
    if (order != 0)
        return order;
    if (x->candidate.voice != y->candidate.voice)
        return x->candidate.voice > y->candidate.voice ? 1 : -1;
    return hub_bytes_compare(x->candidate.bytes, y->candidate.bytes);
}

static void sort_elements(struct elements *list) {
    if (list->count > FEW) {
        qsort_r(list->items, list->count, sizeof *list->items, compare_elements, list);
        return;
    }
    for (size_t i = 1; i < list->count; i++) {
        if (compare_elements(&list->items[i - 1], &list->items[i], list) <= 0)
            continue;
        struct element moved = list->items[i];
        size_t at = i;
        for (; at > 0 && compare_elements(&list->items[at - 1], &moved, list) > 0; at--)
            list->items[at] = list->items[at - 1];
        list->items[at] = moved;
    }
}

/* What is the same everywhere needs no key to be told from anything. */
static struct elements list_elements(struct hub_merging *merging,
                                     const struct hub_field_contract *contract,
                                     const struct hub_candidates *lists) {
    struct elements list = {.contract = contract};
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
        if (element->first == i)
            hub_element_key_read(merging, contract, element->candidate.bytes, &element->key);
        else
            element->key = list.items[element->first].key;
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
                          const struct hub_candidates *same) {
    const struct hub_type *type = contract->field->type->items;
    struct hub_place place = {contract->field->name, contract, same->items[0].bytes, NULL};
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
    for (size_t i = 1; list->distinct > 1 && i < list->count; i++)
        if (!same_bytes(&list->items[i - 1], &list->items[i]) && same_key(list, i - 1, i))
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

/* Whether the only list there is has each key once, in their order, and is written in one piece: it is what it is
 * merged to. */
static bool is_merged(const struct elements *list, struct hub_bytes bytes) {
    const struct element *items = list->items;
    size_t at = 1, count = list->count;
    if (count == 0 || count >= ONE_BYTE_MAX || bytes.data[0] != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (items[i].candidate.bytes.data != bytes.data + at || (i > 0 && same_key(list, i - 1, i)))
            return false;
        at += items[i].candidate.bytes.size;
    }
    return at + 1 == bytes.size;
}

static void merge_elements(struct hub_merging *merging, const struct elements *list,
                           bool *ret_settled) {
    size_t keys = 0;
    struct hub_candidates same = {
        .items = hub_arena_take(merging->scope.arena, list->count * sizeof *same.items)};
    for (size_t i = 0; i < list->count; i++)
        keys += i == 0 || !same_key(list, i - 1, i);
    hub_encode_array_begin(merging->value, keys);
    for (size_t from = 0, to = 0; from < list->count; from = to) {
        same.count = 0;
        same.alike = true;
        for (to = from; to < list->count && (to == from || same_key(list, from, to)); to++) {
            same.alike = same.alike && same_bytes(&list->items[from], &list->items[to]);
            same.items[same.count++] = list->items[to].candidate;
        }
        merge_element(merging, list->contract, &same);
        *ret_settled = *ret_settled && same.alike;
    }
    merging->scope.element_type = NULL;
    hub_encode_array_end(merging->value);
}

void hub_merging_union(struct hub_merging *merging, const struct hub_field_contract *contract,
                       struct hub_candidates *lists, bool *ret_settled) {
    *ret_settled = !contract->shuts_out;
    lists->count = hub_merge_admissible(&merging->scope, contract, lists->items, lists->count);
    struct elements list = list_enough(merging, contract, lists);
    if (lists->count > 0 && lists->alike && contract->keeps_alike &&
        is_merged(&list, lists->items[0].bytes))
        hub_buffer_append_bytes(merging->value, lists->items[0].bytes);
    else
        merge_elements(merging, &list, ret_settled);
}
