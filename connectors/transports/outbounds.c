#include "connectors/transports/outbounds.h"

const struct hub_outbound *const hub_outbounds[] = {&hub_outbound_file, &hub_outbound_webhook,
                                                    NULL};
