/* The cache: a local copy of what the topics hold, so that loading reads only their tails.
 *
 * One LMDB environment. Each topic partition is a space of its own: key -> record, and the offset
 * up to which it is complete; both are written in one LMDB transaction, and only what Kafka has
 * committed. A cache of another cluster, core or catalogue, older than seven days, damaged, or of
 * which the reading killed the process, is thrown away: it can always be loaded again. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/digest.h"
#include "hub/base/status.h"

struct hub_cache;

/* What may be noted while checkpoints fail. Beyond it the cache is abandoned, as it is where damage
 * is found: it forgets everything, knows nothing and keeps nothing, and whoever opens it next
 * begins a new one. */
enum { HUB_CACHE_NOTED_BYTES_MAX = 128 * 1024 * 1024 };

/* `identity` is a text of everything the content depends on. Opening never fails for what is in the
 * file, only where the folder cannot be written. */
HUB_MUST_USE enum hub_status hub_cache_open(const char *folder, const char *identity,
                                            const struct hub_digester *digester, int64_t now_ms,
                                            struct hub_cache **ret_cache,
                                            struct hub_error *reterr);
void hub_cache_close(struct hub_cache *cache); /* NULL is fine */

/* What is known of a space: its next offset (-1 for nothing), and every record by `take`. HUB_RETRY
 * where something is not as it was written: the cache is then abandoned, and what `take` was given
 * must be thrown away. */
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
/* Whether it keeps what is noted: it has not been abandoned. */
bool hub_cache_keeps(const struct hub_cache *cache);
size_t hub_cache_noted_bytes(const struct hub_cache *cache);

struct hub_cache_mark {
    const char *space;
    int64_t next;
};

/* Writes what was noted, sorted, with the spaces' next offsets, in one transaction. A full disk or
 * map gives HUB_RETRY and leaves the cache as it was. */
HUB_MUST_USE enum hub_status hub_cache_checkpoint(struct hub_cache *cache,
                                                  const struct hub_cache_mark *marks,
                                                  size_t count, struct hub_error *reterr);
/* Empties one space: its topic is not the one it was copied from. */
void hub_cache_drop(struct hub_cache *cache, const char *space);
