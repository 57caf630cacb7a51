/* The runtime of a subscription: read, plan, commit, deliver. It alone commits (connectors/kit/plan.h). */
#pragma once

#include "connectors/kit/runtime.h"

/* Runs until it is told to stop, until the receiver wants nothing any more (which the position
 * remembers), or with `once` until nothing new is there. HUB_RETRY: Kafka, or with `once` the receiver,
 * cannot be reached. HUB_FATAL: a person must act. */
HUB_MUST_USE enum hub_status hub_deliver_run(struct hub_connector *connector,
                                             const struct hub_runtime_settings *settings,
                                             struct hub_error *reterr);
