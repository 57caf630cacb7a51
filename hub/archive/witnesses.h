/* The witnesses that an archiver asks, each after what it has signed. A witness that cannot be reached holds
 * nothing up: it is asked again next time. */
#pragma once

#include "hub/archive/rollup.h"
#include "hub/base/memory.h"

struct hub_asked_witness {
    const char *url; /* before /add-checkpoint */
    struct hub_note_key key; /* HUB_NOTE_COSIGNATURE */
};

struct hub_witnesses {
    struct hub_asked_witness *items;
    size_t count;
};

/* A line for each: URL KEY, the key as NAME+ID+KEY; empty lines, and those that begin with #, are passed
 * over. In the arena. HUB_FATAL where the file cannot be read, or a line is none. */
HUB_MUST_USE enum hub_status hub_witnesses_read(const char *path, struct hub_arena *arena,
                                                struct hub_witnesses *ret_witnesses,
                                                struct hub_error *reterr);

enum hub_witnessing {
    HUB_WITNESSED,         /* it has cosigned the last checkpoint */
    HUB_WITNESS_AWAY,      /* it was not reached, or cannot answer now */
    HUB_WITNESS_REFUSES,   /* it has seen another history, or does not know this log: a person must look */
};

struct hub_http_client;
/* Asks one, and keeps what it answers; `reterr` says why it is not HUB_WITNESSED. */
enum hub_witnessing hub_witnesses_ask(const struct hub_asked_witness *witness,
                                      struct hub_rollup *rollup, struct hub_http_client *client,
                                      struct hub_error *reterr);
