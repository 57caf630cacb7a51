/* An outbound transport on its own: options as YAML, a clock that stands still, events by their numbers. */
#pragma once

#include "connectors/kit/outbound.h"

static const int64_t DELIVERING_NOW_MS = 1772323200000; /* 2026-03-01 */

struct delivering {
    const struct hub_outbound *outbound;
    void *options, *state;
    struct hub_arena arena;
    struct hub_outbound_result result; /* of the last delivery */
    struct hub_error error;            /* of the last that failed */
};

/* Checks the options and opens. */
void delivering_open(struct delivering *delivering, const char *outbound, const char *options);
/* Why they are refused: HUB_FATAL. */
const char *delivering_refusal(struct delivering *delivering, const char *outbound,
                               const char *options);
void delivering_close(struct delivering *delivering);

/* Delivers {"number":FIRST} and those that follow it, together, of the subscription `trying`. */
enum hub_status delivering_try(struct delivering *delivering, int64_t first, size_t count,
                               int64_t tried_ms);
