/* A store in memory: of each key of a topic the last record, with its hooks. */
#pragma once

#include "hub/stages/store.h"

struct hub_shelf;

struct hub_shelf *hub_shelf_new(void);
void hub_shelf_free(struct hub_shelf *shelf); /* NULL is fine */

/* Copies the record in place of the one of its key. `header` is the header of it that is kept, or NULL;
 * the text must live as long as the shelf. */
void hub_shelf_put(struct hub_shelf *shelf, unsigned topic, const struct hub_input *record,
                   const struct hub_hook *hooks, size_t hook_count, const char *header);
/* More hooks of a record that it has. */
void hub_shelf_hook(struct hub_shelf *shelf, unsigned topic, struct hub_bytes key,
                    const struct hub_hook *hooks, size_t hook_count);
bool hub_shelf_has(const struct hub_shelf *shelf, unsigned topic, struct hub_bytes key);
/* The value of a record that it has; valid until the next is put. */
struct hub_bytes hub_shelf_value(const struct hub_shelf *shelf, unsigned topic,
                                 struct hub_bytes key);
bool hub_shelf_is_empty(const struct hub_shelf *shelf);
/* Whether nobody has asked for the hook before. */
HUB_MUST_USE bool hub_shelf_ask(struct hub_shelf *shelf, uint64_t hook);

/* As struct hub_store's. */
HUB_MUST_USE enum hub_status hub_shelf_find(const struct hub_shelf *shelf, uint64_t hook,
                                            hub_store_take take, void *context,
                                            struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_shelf_each(const struct hub_shelf *shelf, unsigned topic,
                                            hub_store_take take, void *context,
                                            struct hub_error *reterr);
