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
 * With a spool nobody is told to come again while there is room in it: who has waited in vain, or comes while nobody
 * takes, is answered when what it said is in the spool, behind all that came before. What is in the spool is
 * taken first, before what is on the desk.
 *
 * Marks are what is remembered of an id; the last ones are part of the position. By them it is known of what was
 * in the connector's hands and in the spool, too, whether it is safe: more of them are remembered than are taken
 * at a time, or all that is told again may be taken again. */
#pragma once

#include "connectors/kit/spool.h"

struct hub_desk;

enum { HUB_DESK_MARK_SIZE = 17, HUB_DESK_BATCH_MAX = 64 }; /* a mark is 16 characters */

/* One webhook, as it came. */
struct hub_desk_item {
    const char *id;
    struct hub_bytes body;
    json_t *context;
    bool is_kept; /* it comes from the spool: its sender has been answered */
};

enum hub_desk_answer {
    HUB_DESK_SAFE = 0,
    HUB_DESK_KNOWN, /* it was safe before it came */
    HUB_DESK_KEPT,  /* it is in the spool */
    HUB_DESK_LATER, /* the sender must come again */
};

struct hub_desk_config {
    int64_t wait_max_ms; /* of one request */
    bool nacks;          /* while nobody takes: refuses at once, else lets wait */
    size_t marks_max;    /* 0: what is told again is taken again */
    struct hub_spool *spool; /* or NULL: for the desk alone, from now on, and it outlives it; then it nacks */
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
 * bodies (one at least) into the arena, the first that came first, all from the spool or none. What was
 * taken before and not settled comes again. The contexts are the caller's. HUB_FATAL where the spool is
 * damaged. */
HUB_MUST_USE enum hub_status hub_desk_take(struct hub_desk *desk, int64_t timeout_ms,
                                           struct hub_arena *arena,
                                           struct hub_desk_item *ret_items, size_t *ret_count,
                                           struct hub_error *reterr);
/* The marks as they will be when what was taken last is safe; the caller's. */
json_t *hub_desk_marks(struct hub_desk *desk);
/* One of what was taken last has no place: its sender is told to come again. What is kept, and all taken behind
 * it, waits in the spool. */
void hub_desk_refuse(struct hub_desk *desk, const char *id);
/* What was taken last is safe. HUB_FATAL where it cannot be removed from the spool. */
HUB_MUST_USE enum hub_status hub_desk_settle(struct hub_desk *desk, struct hub_error *reterr);
/* Nobody takes until hub_desk_open; with `nacks` whoever waits, and is not kept, is told to come again. */
void hub_desk_close(struct hub_desk *desk);
/* For good: everybody is told to come again, whatever `nacks` says. */
void hub_desk_end(struct hub_desk *desk);
