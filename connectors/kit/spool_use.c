#include "connectors/kit/spool_use.h"

enum hub_status hub_spool_decide(const struct hub_connector *connector, const char *state_folder,
                                 struct hub_spool **ret_spool, struct hub_error *reterr) {
    const struct hub_transport *transport = connector->transport;
    int64_t size_max_bytes =
        transport->spools == NULL ? 0 : transport->spools(connector->transport_options);
    struct hub_spool_config config = {.state_folder = state_folder,
                                      .name = connector->name,
                                      .transport = transport->name,
                                      .keys = &connector->keys,
                                      .size_max_bytes = size_max_bytes};
    size_t left = 0;
    *ret_spool = NULL;
    if (size_max_bytes > 0)
        return hub_spool_open(&config, ret_spool, reterr);
    HUB_TRY(hub_spool_count(state_folder, connector->name, &left, reterr));
    if (left == 0)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "%s: %zu documents that were acknowledged are in "
                    "%s/spool/%s, and not in Kafka; 'while_away: spool' would pass until they are",
                    connector->file, left, state_folder, connector->name);
}
