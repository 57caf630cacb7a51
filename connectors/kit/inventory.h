/* What the documents of a connector say of its source, as an inventory (schemas/lib/manifest.h). */
#pragma once

#include "connectors/kit/pipeline.h"
#include "schemas/lib/manifest.h"

/* A published record, its body in the domain's newest schema. */
void hub_inventory_take_body(struct hub_inventory *inventory, const struct hub_connector *connector,
                             const char *key, struct hub_bytes body);
/* A document's list, once it is committed. */
void hub_inventory_take_list(struct hub_inventory *inventory, const struct hub_connector *connector,
                             const char *document, const struct hub_outgoing_list *list);
