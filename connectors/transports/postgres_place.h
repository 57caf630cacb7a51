/* How far an outbox has been read.
 *
 * Neither ids nor transactions are committed in the order of their numbers, so that "greater than the
 * last" would skip rows. A look at the table therefore reads what a moment's snapshot
 * (pg_current_snapshot) shows and the looks before it did not: each transaction is in exactly one look,
 * that in which it was first seen to be committed. Within a look rows go by id: where one transaction
 * waits for another, as for the lock of what both change, its row has the higher id, or comes in a later
 * look.
 *
 * What a look has read is kept as the highest transaction that a row was of, and those below it that
 * were open. A higher one that had ended without a row is not counted as seen: a server that crashes may
 * give such a number again, but never one up to that of a row that is committed. */
#pragma once

#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct postgres_place {
    char *database; /* which one: its cluster's identifier and its own number; NULL: none yet */
    char *table;    /* as the configuration names it */
    int64_t xid;    /* of transactions up to this one ... */
    char *open;     /* ... all but these have been read: "{1230,1231}" */
    char *until;    /* the snapshot of a look that is under way, or NULL */
    int64_t most;   /* the highest transaction that it has come to, or xid */
    int64_t id;     /* the row that it has come to */
};

/* What a position says, or, where it is NULL, the beginning. HUB_FATAL where it is none, or that of
 * another table. */
HUB_MUST_USE enum hub_status postgres_place_load(struct postgres_place *place, const char *position,
                                                 const char *table, struct hub_error *reterr);
/* Takes the database for the place's own, where it has none yet. HUB_FATAL where it has another one, or
 * the database has gone back since: its next transaction is one that was read. */
HUB_MUST_USE enum hub_status postgres_place_check(struct postgres_place *place,
                                                  const char *database, int64_t next_xid,
                                                  struct hub_error *reterr);
struct postgres_place postgres_place_copy(const struct postgres_place *place);
void postgres_place_free(struct postgres_place *place);

/* A look begins by a snapshot, comes to rows one after the other, and ends. HUB_RETRY where more
 * transactions are open than a place has room for. */
HUB_MUST_USE enum hub_status postgres_place_begin(struct postgres_place *place,
                                                  const char *snapshot, struct hub_error *reterr);
void postgres_place_pass(struct postgres_place *place, int64_t xid, int64_t id);
void postgres_place_end(struct postgres_place *place);

const char *postgres_place_render(const struct postgres_place *place, struct hub_arena *arena);
