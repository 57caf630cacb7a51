/* The desk where webhooks wait, and notices: the server's threads put them on it, the connector's
 * thread takes them from it and says when they are safe.
 *
 *   server threads  -- hub_desk_ask -->  queue  -- hub_desk_take -->  connector's thread
 *   server threads  <--- how it ended ---------- hub_desk_settle ---  connector's thread
 *
 * A request waits in hub_desk_ask until its document is safe or its time is up, so that there are
 * never more of them than connections. What is with the connector when a sender has been told to
 * come again may become safe all the same: it is then known by its mark, and told no second time.
 *
 * Marks are what is remembered of an id; the last ones are part of the position. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"

#include <jansson.h>
#include <stdint.h>

struct hub_desk;

enum { HUB_DESK_MARK_SIZE = 17, HUB_DESK_BATCH_MAX = 64 }; /* a mark is 16 characters */

/* One webhook, as it came. */
struct hub_desk_item {
    const char *id;
    struct hub_bytes body;
    json_t *context;
};

enum hub_desk_answer {
    HUB_DESK_SAFE = 0,
    HUB_DESK_KNOWN, /* it was safe before it came */
    HUB_DESK_LATER, /* the sender must come again */
};

struct hub_desk_config {
    int64_t wait_max_ms; /* of one request */
    bool nacks;          /* while nobody takes: refuses at once, else lets wait */
    size_t marks_max;
};

struct hub_desk *hub_desk_new(const struct hub_desk_config *config);
void hub_desk_free(struct hub_desk *desk); /* nobody waits any more; NULL is fine */

/* Any thread. The item is copied, and its context too. */
enum hub_desk_answer hub_desk_ask(struct hub_desk *desk, const struct hub_desk_item *item);

/* --- the connector's thread --- */

/* A session begins that knows these marks, the oldest first: an array of texts, or NULL. Whoever
 * waits with one of them is answered. */
void hub_desk_open(struct hub_desk *desk, const json_t *marks);
/* Waits up to timeout_ms for something, and takes at most HUB_DESK_BATCH_MAX items and 16 MiB of
 * bodies (one at least) into the arena, the first that came first. What was taken before and not
 * settled comes again. The contexts are the caller's. Returns how many. */
size_t hub_desk_take(struct hub_desk *desk, int64_t timeout_ms, struct hub_arena *arena,
                     struct hub_desk_item *ret_items);
/* The marks as they will be when what was taken last is safe; the caller's. */
json_t *hub_desk_marks(struct hub_desk *desk);
/* One of what was taken last has no place: its sender is told to come again. */
void hub_desk_refuse(struct hub_desk *desk, const char *id);
/* What was taken last is safe. */
void hub_desk_settle(struct hub_desk *desk);
/* Nobody takes until hub_desk_open; with `nacks` whoever waits is told to come again. */
void hub_desk_close(struct hub_desk *desk);
/* For good: everybody is told to come again, whatever `nacks` says. */
void hub_desk_end(struct hub_desk *desk);
