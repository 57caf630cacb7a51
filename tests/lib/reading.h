/* A transport on its own: options as YAML, clocks that a test sets, polls and commits. What a test
 * does not expect stops it with the reason. */
#pragma once

#include "connectors/kit/transport.h"

struct reading {
    const struct hub_transport *transport;
    void *options, *state;
    void *kept; /* by the transport, from opening to opening */
    struct hub_arena arena;
    struct hub_env env;
    struct hub_batch batch; /* of the last poll */
    struct hub_error error; /* of the last poll that failed */
};

/* The clocks, for all readings of the program. A transport that waits does so by the system's own,
 * so that polls are asked to wait for nothing. */
void reading_set_clock(int64_t milliseconds);
int64_t reading_clock(void);

/* Checks the options and opens with a position, or NULL for a first run. Folder, configuration, spool and
 * whether it is told to end are those that `env` had. */
void reading_open(struct reading *reading, const char *transport, const char *options,
                  const char *position);
/* Why it is refused: HUB_FATAL. */
const char *reading_refusal(struct reading *reading, const char *transport, const char *options,
                            const char *position);
void reading_close(struct reading *reading);
/* Closes and opens again where the position of the last batch says, as after a commit. */
void reading_restart(struct reading *reading);

enum hub_status reading_try(struct reading *reading);
/* A poll that works; returns how many documents came. */
size_t reading_poll(struct reading *reading);
void reading_commit(struct reading *reading);

const char *reading_name(struct reading *reading, size_t index);
const char *reading_text(struct reading *reading, size_t index); /* the bytes, as a text */
