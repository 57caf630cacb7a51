/* The transports there are. */
#pragma once

#include "connectors/kit/transport.h"

extern const struct hub_transport hub_transport_atom;
extern const struct hub_transport hub_transport_file_drop;
extern const struct hub_transport hub_transport_http_poll;
extern const struct hub_transport hub_transport_mllp;
extern const struct hub_transport hub_transport_notify_pull;
extern const struct hub_transport hub_transport_postgres;
extern const struct hub_transport hub_transport_webhook;
