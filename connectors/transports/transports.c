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

void hub_batch_keep(struct hub_batch *batch, const char *identity) {
    if (batch->unchanged_count == batch->unchanged_capacity) {
        size_t capacity = batch->unchanged_capacity == 0 ? 16 : batch->unchanged_capacity * 2;
        const char **wider = hub_arena_take(&batch->arena, capacity * sizeof *wider);
        if (batch->unchanged_count > 0)
            memcpy(wider, batch->unchanged, batch->unchanged_count * sizeof *wider);
        batch->unchanged = wider;
        batch->unchanged_capacity = capacity;
    }
    batch->unchanged[batch->unchanged_count++] = identity;
}

void hub_batch_free(struct hub_batch *batch) {
    for (size_t i = 0; i < batch->count; i++)
        json_decref(batch->documents[i].context);
    hub_arena_destroy(&batch->arena);
    *batch = (struct hub_batch){0};
}
