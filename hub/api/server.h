/* What the hub answers over HTTP: the registry, /livez, /readyz, /metrics, /version, and /v1/
 * (hub/api/resolve.h). */
#pragma once

#include "hub/engine/engine.h"
#include "hub/io/http_server.h"

struct hub_api {
    const struct hub_catalogue *catalogue;
    struct hub_public_state *state;
    struct hub_http_server *server;
};

HUB_MUST_USE enum hub_status hub_api_open(struct hub_api *api, const char *address,
                                          const struct hub_catalogue *catalogue,
                                          struct hub_public_state *state,
                                          struct hub_error *reterr);
void hub_api_close(struct hub_api *api);
