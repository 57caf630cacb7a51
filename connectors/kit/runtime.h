/* The runtime: poll, pipeline, publish. It alone commits: the records of a batch, its dead letters
 * and the source's position are one Kafka transaction. */
#pragma once

#include "connectors/kit/config.h"

struct hub_runtime_settings {
    const char *bootstrap;
    const char *state_folder; /* of the institution: what the guard holds back stays here */
    bool once;                /* end when the source has nothing more */
};

/* Runs until it is told to stop (SIGTERM, SIGINT), or with `once` until the source is exhausted.
 * HUB_RETRY: Kafka cannot be reached. HUB_FATAL: a person must act. */
HUB_MUST_USE enum hub_status hub_runtime_run(struct hub_connector *connector,
                                             const struct hub_runtime_settings *settings,
                                             struct hub_error *reterr);
