/* What the cache knows, found by hooks when somebody asks, so that nothing is read at start.
 *
 * A shelf groups the spaces of one stage's state. Which hooks a record has is noted with it and written
 * with it, in the same checkpoint. Each look-up proves itself: what the pages that it reads must add up to
 * is kept in memory, so that a hook or a record that went missing with a damaged or an older page is
 * found out, as is one that is not as it was written. */
#pragma once

#include "hub/base/hook.h"
#include "hub/base/hook_set.h"
#include "hub/io/cache.h"

enum { HUB_CACHE_SHELF_SPACES_MAX = 4 };

struct hub_cache_shelf;

/* Opens the shelf with its spaces, which the caller numbers as topics by their order. `tag` is a text of
 * the rules by which hooks were made: what is there under another tag, or without one, is dropped, and
 * hub_cache_next of the spaces is then -1. The shelf lives as long as the cache is open; opened again, it
 * is the same, and under another tag another: who asks the old one is told HUB_RETRY, and who notes in it
 * has the cache thrown away. HUB_RETRY where something is not as it was written, or the cache keeps nothing: it is then
 * thrown away. */
HUB_MUST_USE enum hub_status hub_cache_open_shelf(struct hub_cache *cache, const char *name,
                                                  const char *tag, const char *const *spaces,
                                                  size_t space_count,
                                                  struct hub_cache_shelf **ret_shelf,
                                                  struct hub_error *reterr);

/* As hub_cache_note, with the hooks of the record. Those that earlier versions of it had stay and may
 * lead to it. Notes without hooks are fine in a shelf's spaces; while it is not open they are not. */
void hub_cache_note_hooked(struct hub_cache *cache, const struct hub_cache_shelf *shelf,
                           unsigned topic, struct hub_bytes key, const struct hub_bytes *parts,
                           size_t part_count, const struct hub_hook *hooks, size_t hook_count);

/* Given a record, which is valid during the call; the cache must not be asked in it. */
typedef enum hub_status (*hub_cache_take)(void *context, unsigned topic, struct hub_bytes key,
                                          struct hub_bytes value, struct hub_error *reterr);

/* Every record that had the hook when it was last noted before the last checkpoint, maybe some that had it
 * earlier, and by a chance of 2^-56 one that never had; each as of that checkpoint. HUB_RETRY where
 * something is not as it was written, or the cache was given up: nothing can be looked up any more, and
 * what `take` was given must be thrown away. `given`, or NULL: what it has of its topics is left out, and
 * what is given now is put in. */
HUB_MUST_USE enum hub_status hub_cache_find(struct hub_cache *cache, struct hub_cache_shelf *shelf,
                                            uint64_t hook, struct hub_given *given,
                                            hub_cache_take take, void *context,
                                            struct hub_error *reterr);

/* The near hashes of all hooks that have one, in parts; one may come more than once. Errors as
 * hub_cache_find's. */
HUB_MUST_USE enum hub_status
hub_cache_near(struct hub_cache *cache, struct hub_cache_shelf *shelf,
               enum hub_status (*take)(void *context, const uint64_t *hashes, size_t count,
                                       struct hub_error *reterr),
               void *context, struct hub_error *reterr);
