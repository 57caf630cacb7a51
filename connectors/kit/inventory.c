#include "connectors/kit/inventory.h"

#include "hub/io/crypto.h"
#include "schemas/lib/slice.h"

void hub_inventory_take_body(struct hub_inventory *inventory, const struct hub_connector *connector,
                          const char *key, struct hub_bytes body) {
    const struct hub_domain *domain = connector->domain;
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(domain->schema->root, body, starts);
    struct hub_said said = {
        .stamp = hub_statement_stamp(domain, body, starts),
        .digest = hub_statement_digest(domain, connector->system, &hub_sha256, body, starts)};
    hub_inventory_tell(inventory, key, &said);
}

void hub_inventory_take_list(struct hub_inventory *inventory, const struct hub_connector *connector,
                             const char *document, const struct hub_outgoing_list *list) {
    if (list->snapshot)
        hub_inventory_begin_look(inventory);
    hub_inventory_begin_document(inventory, document);
    if (list->is_unreadable)
        hub_inventory_refuse_document(inventory);
    for (size_t i = 0; i < list->seen_count; i++) {
        const struct hub_seen *seen = &list->seen[i];
        if (seen->key == NULL || seen->body.data == NULL)
            hub_inventory_refuse(inventory, seen->key);
        else
            hub_inventory_take_body(inventory, connector, seen->key, seen->body);
    }
    if (list->snapshot)
        hub_inventory_end_look(inventory);
}
