/* The outbound transports there are. */
#pragma once

#include "connectors/kit/outbound.h"

extern const struct hub_outbound hub_outbound_file;
extern const struct hub_outbound hub_outbound_webhook;
