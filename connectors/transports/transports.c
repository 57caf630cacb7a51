#include "connectors/transports/transports.h"

#include <string.h>

const struct hub_transport *const hub_transports[] = {&hub_transport_atom, &hub_transport_file_drop,
                                                      &hub_transport_http_poll, &hub_transport_mllp,
                                                      &hub_transport_notify_pull,
                                                      &hub_transport_postgres,
                                                      &hub_transport_webhook, NULL};

const struct hub_transport *hub_transport_find(const char *name) {
    for (size_t i = 0; hub_transports[i] != NULL; i++)
        if (strcmp(hub_transports[i]->name, name) == 0)
            return hub_transports[i];
    return NULL;
}

void hub_batch_free(struct hub_batch *batch) {
    for (size_t i = 0; i < batch->count; i++)
        json_decref(batch->documents[i].context);
    hub_arena_destroy(&batch->arena);
    *batch = (struct hub_batch){0};
}
