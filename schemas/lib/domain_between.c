/* What the annotations say between fields and between records: what a field requires, who
 * excludes whom, and what a link must lead to. */
#include "schemas/lib/domain_rules.h"

#include <string.h>

/* --- hub:requires --- */

enum hub_status hub_domain_load_requires(struct hub_domain_loader *loader,
                                         const struct hub_node *node, bool top,
                                         struct hub_field_contract *contract) {
    static const char *const keys[] = {"field", "conflict", NULL};
    const struct hub_type *record = loader->domain->schema->root;
    if (node == NULL)
        return HUB_OK;
    const struct hub_node *severity = hub_node_get(node, "conflict");
    if (!top || node->kind != HUB_NODE_MAPPING || severity == NULL)
        return hub_node_fail(node, loader->reterr,
                             "on a field of the record {\"field\": FIELD, \"conflict\": SEVERITY} "
                             "would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    HUB_TRY(hub_domain_need_field(loader, node, "field", &contract->needed_field));
    const struct hub_field *needed = &record->fields[contract->needed_field];
    bool optional = needed->type->kind == HUB_ARRAY || hub_type_null_branch(needed->type) >= 0;
    if (needed == contract->field || !optional)
        return hub_node_fail(hub_node_get(node, "field"), loader->reterr,
                             "another field, one that may be left out, would pass");
    return hub_domain_load_severity(loader, severity, &contract->needed_severity);
}

/* --- hub:exclusive --- */

static bool is_bound(const struct hub_type *type, const char *name, const char *bound,
                     bool optional) {
    int field = hub_type_field(type, name);
    if (field < 0)
        return false;
    type = optional ? hub_type_stated(type->fields[field].type) : type->fields[field].type;
    return type->kind == HUB_RECORD && strcmp(type->name, bound) == 0;
}

/* A time has both its ends; of days either may be unknown. */
static bool is_span_of_times(const struct hub_type *type) {
    type = hub_type_stated(type);
    return is_bound(type, "start", "atmp.Time", false) && is_bound(type, "end", "atmp.Time", false);
}

static bool is_span_of_days(const struct hub_type *type) {
    type = hub_type_stated(type);
    return is_bound(type, "from", "atmp.Date", true) && is_bound(type, "to", "atmp.Date", true);
}

/* One field, or a list of them of one kind. */
static enum hub_status load_intervals(struct hub_domain_loader *loader, const struct hub_node *node,
                                      struct hub_exclusive *exclusive) {
    const struct hub_node *item = hub_node_get(node, "interval");
    bool list = item != NULL && item->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? item->count : 1, times = 0, days = 0;
    int *fields = hub_arena_take_zero(loader->arena, count, sizeof *fields);
    const struct hub_type *record = loader->domain->schema->root;
    for (size_t i = 0; i < count; i++) {
        const struct hub_node *name = list ? item->items[i] : item;
        fields[i] = name == NULL || name->text == NULL ? -1 : hub_type_field(record, name->text);
        if (fields[i] < 0)
            return hub_node_fail(name == NULL ? node : name, loader->reterr,
                                 "'interval' must name a field of the record");
        times += is_span_of_times(record->fields[fields[i]].type);
        days += is_span_of_days(record->fields[fields[i]].type);
    }
    if (count == 0 || (times != count && days != count))
        return hub_node_fail(node, loader->reterr,
                             "as 'interval' records of the times start and end would pass, or of "
                             "the days from and to");
    exclusive->interval_fields = fields;
    exclusive->interval_count = count;
    exclusive->days = days == count;
    return HUB_OK;
}

enum hub_status hub_domain_load_exclusive(struct hub_domain_loader *loader,
                                          const struct hub_node *node) {
    static const char *const keys[] = {"of", "interval", "status", "active", "conflict", NULL};
    struct hub_exclusive *exclusive = hub_arena_take_zero(loader->arena, 1, sizeof *exclusive);
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr,
                             "{\"of\": FIELD, \"interval\": FIELD, \"status\": FIELD, "
                             "\"active\": [STATES], \"conflict\": SEVERITY} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    HUB_TRY(hub_domain_need_field(loader, node, "of", &exclusive->of_field));
    HUB_TRY(load_intervals(loader, node, exclusive));
    HUB_TRY(hub_domain_need_field(loader, node, "status", &exclusive->status_field));
    const struct hub_node *severity = hub_node_get(node, "conflict");
    HUB_TRY(hub_domain_load_severity(loader, severity == NULL ? node : severity,
                                     &exclusive->severity));
    const struct hub_field *fields = loader->domain->schema->root->fields;
    const struct hub_type *states = hub_type_stated(fields[exclusive->status_field].type);
    const struct hub_node *active = hub_node_get(node, "active");
    if (states->kind != HUB_ENUM || active == NULL || active->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, loader->reterr,
                             "an enum as 'status' and a list of 'active' states would pass");
    bool *symbols = hub_arena_take_zero(loader->arena, states->count, sizeof *symbols);
    for (size_t i = 0; i < active->count; i++) {
        const char *word = active->items[i]->text;
        int symbol = word == NULL ? -1 : hub_type_symbol(states, word);
        if (symbol < 0)
            return hub_node_fail(active->items[i], loader->reterr, "no symbol of %s", states->name);
        symbols[symbol] = true;
    }
    exclusive->active = symbols;
    loader->domain->exclusive = exclusive;
    return HUB_OK;
}

/* --- hub:reference --- */

static enum hub_status load_reference(struct hub_domain_loader *loader, const struct hub_node *node,
                                      struct hub_reference *reference) {
    static const char *const keys[] = {"domain", "role", "field", "not", "conflict", NULL};
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr, "an object with a domain would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_node *domain = hub_node_get(node, "domain"), *role = hub_node_get(node, "role");
    const struct hub_node *field = hub_node_get(node, "field"), *refuse = hub_node_get(node, "not");
    const struct hub_node *severity = hub_node_get(node, "conflict");
    bool named = domain != NULL && domain->text != NULL && (role == NULL || role->text != NULL);
    bool whole = field == NULL ? refuse == NULL
                               : field->text != NULL && refuse != NULL &&
                                     refuse->kind == HUB_NODE_SEQUENCE;
    if (!named || !whole || severity == NULL)
        return hub_node_fail(node, loader->reterr,
                             "{\"domain\": DOMAIN, \"role\": ROLE, \"conflict\": SEVERITY} would "
                             "pass, and with it \"field\": PATH and \"not\": [SYMBOLS]");
    *reference = (struct hub_reference){.domain = domain->text, .node = node};
    reference->role = role == NULL ? NULL : role->text;
    HUB_TRY(hub_domain_load_severity(loader, severity, &reference->severity));
    if (field == NULL)
        return HUB_OK;
    const char **refused = hub_arena_take_zero(loader->arena, refuse->count + 1, sizeof *refused);
    for (size_t i = 0; i < refuse->count; i++)
        refused[i] = refuse->items[i]->text == NULL ? "" : refuse->items[i]->text;
    reference->field = field->text;
    reference->refused = refused;
    return HUB_OK;
}

enum hub_status hub_domain_load_references(struct hub_domain_loader *loader,
                                           const struct hub_node *list) {
    if (list == NULL)
        return HUB_OK;
    if (list->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(list, loader->reterr, "a list of references would pass");
    struct hub_reference *references =
        hub_arena_take_zero(loader->arena, list->count, sizeof *references);
    for (size_t i = 0; i < list->count; i++)
        HUB_TRY(load_reference(loader, list->items[i], &references[i]));
    loader->domain->references = references;
    loader->domain->reference_count = list->count;
    return HUB_OK;
}
