/* The engine: one thread that runs admit, fold and refer in turn, and starts anew from what was
 * committed whenever something fails. At a start each of them is opened and loaded by a thread of
 * its own. */
#pragma once

#include "schemas/lib/catalogue.h"

#include <pthread.h>
#include <stdatomic.h>

struct hub_settings {
    const char *bootstrap;
    const char *schemas;  /* folder */
    const char *state;    /* folder of the cache */
    const char *listen;   /* HOST:PORT of registry, health and metrics; NULL for none */
    const char *instance; /* stable name of this process within its groups */
    const char *group;    /* prefix of the consumer groups and transactional ids */
    int64_t checkpoint_interval_ms;
    int64_t batch_count_max; /* records in one transaction */
    int64_t awake_max; /* statements that a task has in memory; 0: as many as there are */
};

/* What the HTTP thread may see. */
struct hub_public_state {
    pthread_mutex_t lock;
    char *metrics; /* replaced whole, under the lock */
    atomic_bool ready;
    struct hub_lookup *lookup; /* what it may ask (hub/engine/lookup.h); NULL: nothing */
    _Atomic int64_t ticked_ms; /* the loop's last turn, monotonic */
};

struct hub_engine {
    const struct hub_settings *settings;
    const struct hub_catalogue *catalogue;
    struct hub_cache *cache;    /* NULL: none, for want of room */
    pthread_mutex_t cache_lock; /* tasks are loaded side by side */
    struct hub_public_state *state;
    int64_t checkpoints[2]; /* written, failed */
};

/* Runs until SIGTERM or SIGINT. HUB_FATAL: a person must act. */
HUB_MUST_USE enum hub_status hub_engine_run(const struct hub_settings *settings,
                                            const struct hub_catalogue *catalogue,
                                            struct hub_public_state *state,
                                            struct hub_error *reterr);
