/* Which entries of a journal count. */
#include "connectors/kit/journal.h"

#include <stdlib.h>
#include <string.h>

void hub_journal_list_take(struct hub_journal_list *list, const struct hub_journal_item *item) {
    while (list->count > 0 && list->items[list->count - 1].sequence >= item->sequence)
        list->count--;
    HUB_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = *item;
}

void hub_journal_list_end(struct hub_journal_list *list, int64_t committed) {
    while (list->count > 0 && list->items[list->count - 1].sequence > committed)
        list->count--;
}

static int by_sequence(const void *a, const void *b) {
    int64_t left = ((const struct hub_journal_item *)a)->sequence;
    int64_t right = ((const struct hub_journal_item *)b)->sequence;
    return left < right ? -1 : left > right;
}

bool hub_journal_list_has(const struct hub_journal_list *list,
                          const struct hub_journal_item *item) {
    const struct hub_journal_item *found =
        list->count == 0 ? NULL
                         : bsearch(item, list->items, list->count, sizeof *item, by_sequence);
    return found != NULL && !found->empty && found->received_ms == item->received_ms &&
           memcmp(&found->raw_hash, &item->raw_hash, sizeof item->raw_hash) == 0;
}

void hub_journal_list_free(struct hub_journal_list *list) {
    free(list->items);
    *list = (struct hub_journal_list){0};
}
