/* What notices have named and is still to be fetched, as a part of notify-pull's position.
 *
 * It changes in two ways, each with one transaction: notices put to it (waiting_begin, _add,
 * _taken), and what was fetched leaves it (waiting_fetch, _fetched). Until then a position that is
 * rendered has the change, and what waits has not: where the transaction fails nothing has
 * happened. */
#pragma once

#include "connectors/transports/http_poll.h"

struct waiting {
    struct http_list list; /* what comes next */
    json_t *later;         /* what could not be had, and is to be asked for again */
    json_t *taken;         /* what comes next once what notices named is safe; or NULL */
    json_t *index;         /* what waits, by what it is fetched with, while notices are taken */
    size_t size;           /* of the keys of `index` */
    bool again;            /* a notice has named what is in `later` */
};

/* `position` as waiting_list gave it, or NULL. HUB_FATAL where it is another. */
HUB_MUST_USE enum hub_status waiting_open(struct waiting *waiting,
                                          const struct http_poll_options *options,
                                          const json_t *position, struct hub_error *reterr);
void waiting_free(struct waiting *waiting);

/* --- notices --- */

void waiting_begin(struct waiting *waiting);
/* Puts the requests of one notice (hub_notice_read) behind what waits, but for those that wait
 * already; what cannot be had until then is given up. False where there is no place for all of
 * them, and none was put. */
bool waiting_add(struct waiting *waiting, const json_t *requests, int64_t until_ms,
                 size_t count_max);
/* They are safe. True where some of them are what could not be had. */
bool waiting_taken(struct waiting *waiting);

/* --- fetching --- */

/* Whether there is something to be fetched; with `again` also what could not be had. */
bool waiting_has_some(struct waiting *waiting, bool again);
/* As http_list_fetch. `ret_put_back`: whether some could not be had. */
HUB_MUST_USE enum hub_status waiting_fetch(struct waiting *waiting, struct hub_access *access,
                                           const struct http_poll_options *options,
                                           struct hub_batch *batch, bool *ret_put_back,
                                           struct hub_error *reterr);
/* The batch is safe. */
void waiting_fetched(struct waiting *waiting);

/* All of it, as it will be with the running transaction; the caller's. */
json_t *waiting_list(const struct waiting *waiting);
