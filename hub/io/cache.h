/* The cache: a local copy of what the topics hold, so that loading reads only their tails.
 *
 * One LMDB environment. Each topic partition is a space of its own: key -> record, and the offset
 * up to which it is complete; both are written in one LMDB transaction, and only what Kafka has
 * committed. A cache of another cluster, core or catalogue, older than seven days, damaged, or of
 * which the reading killed the process, is thrown away: it can always be loaded again.
 *
 * No failure of its disk is more than a slower start. A full one leaves what was checkpointed as it
 * was; what comes is noted in memory and written once there is room, and what is more than that may
 * hold is left to the topics. After any other error, such as a sync that failed, nothing is tried
 * again and trusted: the cache is thrown away. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/status.h"

#include <stdbool.h>

struct hub_cache;

/* What may be noted while checkpoints fail. Beyond it the cache is given up: it stays as it was at its
 * last checkpoint, and whoever opens it next reads the rest from the topics. */
enum { HUB_CACHE_NOTED_BYTES_MAX = 128 * 1024 * 1024 };
/* What is counted as noted has the newest note of each key, and of older ones this at most. */
enum { HUB_CACHE_REPLACED_BYTES_MAX = 8 * 1024 * 1024 };

/* `identity` is a text of everything the content depends on. Opening never fails for what is in the
 * file, only where the folder cannot be written: HUB_RETRY on a full disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_cache_open(const char *folder, const char *identity,
                                            const struct hub_digester *digester, int64_t now_ms,
                                            struct hub_cache **ret_cache,
                                            struct hub_error *reterr);
void hub_cache_close(struct hub_cache *cache); /* NULL is fine */

/* False once it was given up or thrown away: it knows nothing and keeps nothing until it is closed and
 * opened again. */
bool hub_cache_keeps(const struct hub_cache *cache);

/* Whether there is room to begin or go on with one. */
bool hub_cache_has_room(const char *folder);

/* The next offset of a space; -1 where nothing is known. */
int64_t hub_cache_next(const struct hub_cache *cache, const char *space);
/* What is known of a space: its next offset (-1 for nothing), and every record by `take`. HUB_RETRY
 * where something is not as it was written: the cache is then thrown away, and so must be what `take`
 * was given. */
HUB_MUST_USE enum hub_status
hub_cache_load(struct hub_cache *cache, const char *space,
               enum hub_status (*take)(void *context, struct hub_bytes key,
                                       struct hub_bytes value, struct hub_error *reterr),
               void *context, int64_t *ret_next, struct hub_error *reterr);

/* Notes a record whose value is the parts one after the other, in memory; the newest of a key
 * counts. */
void hub_cache_note(struct hub_cache *cache, const char *space, struct hub_bytes key,
                    const struct hub_bytes *parts, size_t part_count);
/* Forgets what was noted since the last checkpoint. */
void hub_cache_forget(struct hub_cache *cache);
size_t hub_cache_noted_bytes(const struct hub_cache *cache);

struct hub_cache_mark {
    const char *space;
    int64_t next;
};

/* Writes what was noted, sorted, with the spaces' next offsets, in one transaction. HUB_RETRY on a
 * full disk or map, which leave the cache as it was; after HUB_FATAL it is thrown away, as it is after
 * HUB_RETRY where the disk has no room to overwrite a page either. */
HUB_MUST_USE enum hub_status hub_cache_checkpoint(struct hub_cache *cache,
                                                  const struct hub_cache_mark *marks,
                                                  size_t count, struct hub_error *reterr);
/* Empties one space: its topic is not the one it was copied from. */
void hub_cache_drop(struct hub_cache *cache, const char *space);
