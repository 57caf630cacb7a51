/* What a connector tells of itself at its institution, and what it is told there: small files in
 * STATE/connectors/NAME, which need neither Kafka nor a port.
 *
 *   lock          locked by the process that runs (flock)
 *   status.json   what it tells: written at every change, and every ten seconds while something moves
 *   wish.json     what it is told by `connector pause`, `resume` and `retry`: looked at every half second
 *   wishes.jsonl  every one of these for ever: {time, wish, who, why, was_paused, paused}, a line each
 *
 * A connector whose folder cannot be written runs all the same, and says so once. Of two processes of one name
 * on one machine only the first tells. */
#pragma once

#include "hub/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The process's. */
enum hub_run_state { HUB_RUNNING, HUB_PAUSED, HUB_STOPPED, HUB_FAILED, HUB_RESTARTING };
/* The source's: nothing heard of it yet; something came last; nothing new is there; it cannot be reached. */
enum hub_source_state { HUB_SOURCE_UNKNOWN, HUB_SOURCE_READING, HUB_SOURCE_IDLE, HUB_SOURCE_STALLED };

struct hub_presence;

struct hub_presence *hub_presence_open(const char *state_folder, const char *name);
/* Says how it ended, and gives the lock back. NULL is fine. */
void hub_presence_close(struct hub_presence *presence, enum hub_run_state state, const char *why);

/* `why` is a sentence or NULL; it is copied. */
void hub_presence_tell(struct hub_presence *presence, enum hub_run_state state, const char *why);
/* `why` of a source that cannot be reached; else NULL. */
void hub_presence_tell_source(struct hub_presence *presence, enum hub_source_state source,
                              const char *why);
/* `position` is the transport's own, JSON text; taken over is what `counts` holds, which is the caller's. */
void hub_presence_tell_position(struct hub_presence *presence, const char *position,
                                int64_t sequence, const json_t *counts);

/* Whether it is to be paused; `ret_why` by whom and why, until it is asked again. */
bool hub_presence_is_paused(struct hub_presence *presence, const char **ret_why);
/* Waits so long, and tells until when; a wish that changes or a signal ends it early. */
void hub_presence_wait_ms(struct hub_presence *presence, int64_t milliseconds);

/* --- from outside --- */

/* What the connector tells, or NULL where it has never told anything; of one that is gone without a word,
 * its state is FAILED. The caller's. */
json_t *hub_presence_read(const char *state_folder, const char *name);
/* The names of those that have told anything, sorted, as an array. The caller's. */
json_t *hub_presence_names(const char *state_folder);
/* Whether a process runs. */
bool hub_presence_runs(const char *state_folder, const char *name);
/* What a connector is told, kept with who and why. HUB_REJECT where there is no such connector, or where these
 * are no UTF-8; HUB_RETRY on a full disk, else HUB_FATAL. */
enum hub_wish { HUB_WISH_PAUSE, HUB_WISH_RESUME, HUB_WISH_RETRY };
HUB_MUST_USE enum hub_status hub_presence_wish(const char *state_folder, const char *name,
                                               enum hub_wish wish, const char *who,
                                               const char *reason, struct hub_error *reterr);
