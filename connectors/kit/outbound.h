/* An outbound transport: how the events of a subscription reach who cannot speak Kafka. One C file and
 * one constant structure each, in connectors/transports. It delivers what it is handed and keeps no
 * position: an event that is handed to it again comes under the same number and with the same bytes. */
#pragma once

#include "connectors/kit/transport.h"

struct hub_event {
    int64_t number;  /* 1, 2, 3 ... in its subscription */
    const char *id;  /* SUBSCRIPTION/NUMBER */
    const char *json; /* connectors/kit/event.h; one line without its end */
    size_t size;
};

/* How many events are numbered, and handed over, together. */
struct hub_outbound_pace {
    size_t planned_max;  /* 1 to HUB_PLAN_MAX */
    size_t together_max; /* at most planned_max */
    int64_t wait_ms;     /* for so many to come together */
};

struct hub_outbound_result {
    int64_t retry_after_ms; /* with HUB_RETRY: so long the receiver asks to be left alone, or 0 */
    const char *code;       /* with HUB_REJECT: of the dead letter, REFUSED or UNREACHABLE */
    bool is_gone;           /* with HUB_FATAL: the receiver wants nothing any more */
};

struct hub_outbound {
    const char *name;
    const char *summary;
    const char *example; /* or NULL */
    const struct hub_option *options;
    size_t options_size;
    enum hub_status (*check)(const void *options, struct hub_error *reterr); /* or NULL */
    struct hub_outbound_pace (*pace)(const void *options);
    size_t state_size;
    enum hub_status (*open)(void *state, const void *options, const struct hub_env *env,
                            struct hub_error *reterr);
    /* Delivers all of them, or none as far as it knows. `tried_ms` is for how long the first of them
     * has been tried. HUB_RETRY: not now; it is handed the same again. HUB_REJECT: the first one is given
     * up, and becomes a dead letter. */
    enum hub_status (*deliver)(void *state, const struct hub_event *events, size_t count,
                               int64_t tried_ms, struct hub_outbound_result *ret_result,
                               struct hub_error *reterr);
    void (*close)(void *state); /* takes a state that open() left half made */
};

/* All of them, NULL-ended. */
extern const struct hub_outbound *const hub_outbounds[];
