/* A store in memory of one topic: of each key the last record, with its hooks.
 *
 * What is put is only written down. When somebody asks, and now and then before, what was written
 * down is sorted by its hooks, and what is no more the last of its key is forgotten: to put costs
 * the copying, and what was put may be several times what there is, but not more. */
#pragma once

#include "hub/stages/store.h"

struct hub_shelf;

/* `topic` is what whoever asks is told; `header` the header of its records that is kept, or NULL,
 * and the text must live as long as the shelf. */
struct hub_shelf *hub_shelf_new(unsigned topic, const char *header);
void hub_shelf_free(struct hub_shelf *shelf); /* NULL is fine */

/* Copies the record, which goes before those of its key. The first hook is its own: all records of
 * its key have it. */
void hub_shelf_put(struct hub_shelf *shelf, const struct hub_input *record,
                   const struct hub_hook *hooks, size_t hook_count);
bool hub_shelf_is_empty(const struct hub_shelf *shelf);
/* That its records take, those included that are no more the last. */
size_t hub_shelf_bytes(const struct hub_shelf *shelf);
/* Now, and not when somebody asks. */
void hub_shelf_sort(struct hub_shelf *shelf);

/* The value of the key with this own hook, valid until the next is put; no data where there is
 * none. Of what was sorted, as the next. */
struct hub_bytes hub_shelf_value(const struct hub_shelf *shelf, uint64_t own, struct hub_bytes key);
/* More hooks of a record that it has. */
void hub_shelf_hook(struct hub_shelf *shelf, uint64_t own, struct hub_bytes key,
                    const struct hub_hook *hooks, size_t hook_count);

/* As struct hub_store's. */
HUB_MUST_USE enum hub_status hub_shelf_find(struct hub_shelf *shelf, uint64_t hook,
                                            hub_store_take take, void *context,
                                            struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_shelf_each(struct hub_shelf *shelf, hub_store_take take,
                                            void *context, struct hub_error *reterr);
