/* Whether a connector has a spool, and which. */
#pragma once

#include "connectors/kit/config.h"
#include "connectors/kit/spool.h"

/* The spool that the transport's options ask for, or NULL. HUB_FATAL where they ask for none, and one has
 * documents that were acknowledged. */
HUB_MUST_USE enum hub_status hub_spool_decide(const struct hub_connector *connector,
                                              const char *state_folder,
                                              struct hub_spool **ret_spool,
                                              struct hub_error *reterr);
