/* Sessions with Kafka, one after the other, and the end of the process. */
#pragma once

#include "connectors/kit/presence.h"
#include "hub/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { HUB_ONCE_TRIES = 5 }; /* of a run that ends where there is nothing more */

/* Takes SIGTERM and SIGINT as a word to end, opens the log and starts the watchdog. HUB_FATAL where
 * librdkafka is unfit. */
HUB_MUST_USE enum hub_status hub_sessions_begin(const char *name, int64_t patience_ms,
                                                struct hub_error *reterr);
/* Whether the process was told to end. */
bool hub_sessions_are_ending(void);

/* Calls `run` until it gives another status than HUB_RETRY, or the process is told to end; waits
 * longer and longer in between. */
HUB_MUST_USE enum hub_status hub_sessions_run(struct hub_presence *presence, bool once,
                                              enum hub_status (*run)(void *context,
                                                                     struct hub_error *reterr),
                                              void *context, struct hub_error *reterr);
