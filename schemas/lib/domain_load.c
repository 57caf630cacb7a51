/* Compiling a domain's annotations. The rules of single fields are in domain_rules.c, those between
 * fields and records in domain_between.c, the lint is in domain_lint.c. */
#include "schemas/lib/domain.h"

#include "schemas/lib/domain_lint.h"
#include "schemas/lib/domain_rules.h"

#include <stdio.h>
#include <string.h>

static enum hub_status load_contract(struct hub_domain_loader *loader, const struct hub_type *record,
                                     bool top, struct hub_contract *contract);

/* --- fields and records --- */

static enum hub_status load_parts(struct hub_domain_loader *loader, struct hub_field_contract *contract) {
    const struct hub_type *type = hub_type_stated(contract->field->type);
    if (type->kind == HUB_ARRAY)
        type = hub_type_stated(type->items);
    if (type->kind != HUB_RECORD)
        return HUB_OK;
    struct hub_contract *parts = hub_arena_take_zero(loader->arena, 1, sizeof *parts);
    contract->parts = parts;
    return load_contract(loader, type, /* top= */ false, parts);
}

/* T, C, O or X, as the lint sees to; 0 where it says none. */
static char retention_of(const struct hub_node *node) {
    const struct hub_node *item = hub_node_get(node, "hub:retention");
    return item == NULL || item->text_size == 0 ? '\0' : item->text[0];
}

static enum hub_status load_flag(struct hub_domain_loader *loader, const struct hub_node *node,
                                 const char *key, bool *ret_flag) {
    const struct hub_node *item = hub_node_get(node, key);
    if (item != NULL && !hub_node_to_bool(item, ret_flag))
        return hub_node_fail(item, loader->reterr, "'%s' must be true or false", key);
    return HUB_OK;
}

static enum hub_status load_field(struct hub_domain_loader *loader, const struct hub_field *field, bool top,
                                  struct hub_field_contract *contract) {
    const struct hub_node *node = field->node;
    const struct hub_node *merge = hub_node_get(node, "hub:merge");
    const struct hub_node *conflict = hub_node_get(node, "hub:conflict");
    const struct hub_node *lifecycle = hub_node_get(node, "hub:lifecycle");
    contract->field = field;
    contract->apart_field = contract->needed_field = -1;
    HUB_TRY(hub_domain_lint_field(field, top, loader->reterr));
    HUB_TRY(load_parts(loader, contract));
    if (lifecycle != NULL)
        HUB_TRY(hub_domain_load_lifecycle(loader, lifecycle, contract));
    HUB_TRY(hub_domain_load_equal(loader, hub_node_get(node, "hub:equal"), contract));
    if (merge != NULL)
        HUB_TRY(hub_domain_load_merge(loader, merge, contract));
    HUB_TRY(load_flag(loader, node, "hub:volatile", &contract->is_volatile));
    contract->retention = retention_of(node);
    if (conflict != NULL && !hub_node_is_text(conflict, "ignore")) {
        contract->reports_conflict = true;
        HUB_TRY(hub_domain_load_severity(loader, conflict, &contract->severity));
    }
    return hub_domain_load_requires(loader, hub_node_get(node, "hub:requires"), top, contract);
}

static enum hub_status load_decisive(struct hub_domain_loader *loader, const struct hub_node *list,
                                     struct hub_contract *contract) {
    if (list == NULL)
        return HUB_OK;
    if (list->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(list, loader->reterr, "a list of field names would pass");
    int *parts = hub_arena_take_zero(loader->arena, list->count, sizeof *parts);
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i]->text;
        parts[i] = name == NULL ? -1 : hub_type_field(contract->record, name);
        if (parts[i] < 0)
            return hub_node_fail(list->items[i], loader->reterr, "the record has no such field");
    }
    contract->decisive = parts;
    contract->decisive_count = list->count;
    return HUB_OK;
}

/* Whether it puts statements in an order whatever they say. */
static bool orders_statements(const struct hub_rule *rule) {
    return rule->kind == HUB_RULE_AUTHORITY || rule->kind == HUB_RULE_LATEST ||
           rule->kind == HUB_RULE_EARLIEST;
}

/* Whether statements stand in the same order whatever they say: some rules rank nobody. */
static bool ranks_by_voice(const struct hub_field_contract *contract) {
    for (size_t i = 0; i < contract->rule_count; i++) {
        const struct hub_rule *rule = &contract->rules[i];
        if (!orders_statements(rule) && rule->kind != HUB_RULE_AGREE &&
            rule->kind != HUB_RULE_RESERVE)
            return false;
        for (size_t k = 0; orders_statements(rule) && k < rule->authority_count; k++)
            if (rule->authorities[k].kind == HUB_AUTHORITY_ELEMENT)
                return false;
    }
    return true;
}

static const struct hub_rule *next_order(const struct hub_field_contract *contract, size_t *at) {
    while (*at < contract->rule_count && !orders_statements(&contract->rules[*at]))
        ++*at;
    return *at < contract->rule_count ? &contract->rules[(*at)++] : NULL;
}

static bool same_rule(const struct hub_rule *a, const struct hub_rule *b) {
    if (a->kind != b->kind || a->authority_count != b->authority_count)
        return false;
    for (size_t i = 0; i < a->authority_count; i++)
        if (a->authorities[i].kind != b->authorities[i].kind ||
            strcmp(a->authorities[i].name, b->authorities[i].name) != 0)
            return false;
    return true;
}

static bool same_chain(const struct hub_field_contract *a, const struct hub_field_contract *b) {
    size_t i = 0, k = 0;
    for (;;) {
        const struct hub_rule *x = next_order(a, &i), *y = next_order(b, &k);
        if (x == NULL || y == NULL)
            return x == y;
        if (!same_rule(x, y))
            return false;
    }
}

static bool may_yield(const struct hub_field_contract *contract) {
    for (size_t i = 0; contract->parts != NULL && i < contract->parts->count; i++)
        if (contract->equality == HUB_EQUAL_EXACT && contract->parts->fields[i].may_yield)
            return true;
    return contract->equality == HUB_EQUAL_DATE;
}

/* What merging asks of the rules of each field. */
static void note_rules(struct hub_field_contract *fields, size_t count, bool top) {
    for (size_t i = 0; i < count; i++)
        while (!same_chain(&fields[fields[i].chain], &fields[i])) /* at the latest with itself */
            fields[i].chain++;
    for (size_t i = 0; i < count; i++)
        fields[i].by_voice = ranks_by_voice(&fields[i]);
    for (size_t i = 0; i < count; i++)
        fields[i].may_yield = may_yield(&fields[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < fields[i].rule_count; k++) {
            const struct hub_rule *rule = &fields[i].rules[k];
            fields[i].shuts_out |= rule->only || rule->kind == HUB_RULE_RESERVE;
            for (size_t m = 0; top && m < rule->authority_count; m++)
                if (rule->authorities[m].kind == HUB_AUTHORITY_ROLE) {
                    fields[i].asks_roles = true;
                    fields[rule->authorities[m].role_field].is_role = true;
                }
        }
}

/* Whether there is one way to leave it unstated: null. A list may be null or empty. */
static bool is_unstated_one_way(const struct hub_type *type) {
    const struct hub_type *stated = hub_type_stated(type);
    return type->kind != HUB_UNION || (stated->kind != HUB_ARRAY && stated->kind != HUB_MAP);
}

static bool is_plain_key(const struct hub_field_contract *part) {
    const struct hub_type *stated = hub_type_stated(part->field->type);
    return part->field->type->kind == HUB_ENUM ||
           (stated->kind == HUB_STRING && part->equality != HUB_EQUAL_FOLD);
}

static bool has_plain_keys(const struct hub_field_contract *list) {
    for (size_t i = 0; i < list->key_count; i++)
        if (!is_plain_key(&list->parts->fields[list->key_fields[i]]))
            return false;
    return list->key_count > 0 && list->key_count <= HUB_PLAIN_KEYS_MAX;
}

static bool has_folded_key(const struct hub_field_contract *list) {
    if (list->key_count != 1)
        return false;
    const struct hub_field_contract *part = &list->parts->fields[list->key_fields[0]];
    return hub_type_stated(part->field->type)->kind == HUB_STRING &&
           part->equality == HUB_EQUAL_FOLD;
}

/* How the elements of a list are merged that have a key in common. */
static void note_elements(struct hub_domain_loader *loader, struct hub_field_contract *list) {
    const struct hub_contract *parts = list->parts;
    list->keeps_alike = true;
    list->folded_key = list->is_union && has_folded_key(list);
    list->plain_keys = list->folded_key || (list->is_union && has_plain_keys(list));
    if (!list->is_union || list->field->type->items->kind != HUB_RECORD || parts->atomic)
        return;
    struct hub_field_contract *merged =
        hub_arena_take(loader->arena, parts->count * sizeof *merged);
    for (size_t i = 0; i < parts->count; i++) {
        merged[i] = parts->fields[i];
        merged[i].rules = list->rules;
        merged[i].rule_count = list->rule_count;
        merged[i].chain = list->chain;
        merged[i].by_voice = list->by_voice;
        merged[i].shuts_out = list->shuts_out;
        merged[i].reports_conflict = list->reports_conflict;
        merged[i].severity = list->severity;
        list->keeps_alike &= !list->shuts_out && is_unstated_one_way(merged[i].field->type);
    }
    list->merged_parts = merged;
}

static enum hub_status load_contract(struct hub_domain_loader *loader, const struct hub_type *record,
                                     bool top, struct hub_contract *contract) {
    struct hub_field_contract *fields =
        hub_arena_take_zero(loader->arena, record->count, sizeof *fields);
    if (!top)
        HUB_TRY(hub_domain_lint_part(record, loader->reterr));
    for (size_t i = 0; i < record->count; i++)
        HUB_TRY(load_field(loader, &record->fields[i], top, &fields[i]));
    note_rules(fields, record->count, top);
    for (size_t i = 0; i < record->count; i++)
        note_elements(loader, &fields[i]);
    *contract = (struct hub_contract){.record = record, .fields = fields, .count = record->count};
    for (size_t i = 0; i < record->count; i++)
        contract->has_needs |= fields[i].needed_field >= 0;
    HUB_TRY(load_flag(loader, record->node, "hub:atomic", &contract->atomic));
    return load_decisive(loader, hub_node_get(record->node, "hub:same"), contract);
}

/* --- the record's own annotations --- */

static enum hub_status load_identity(struct hub_domain_loader *loader, const struct hub_node *node) {
    struct hub_domain *domain = loader->domain;
    if (node == NULL || node->kind != HUB_NODE_SEQUENCE || node->count == 0)
        return hub_node_fail(domain->schema->root->node, loader->reterr,
                             "'hub:identity' must list identifier schemes, strongest first");
    int *schemes = hub_arena_take_zero(loader->arena, node->count, sizeof *schemes);
    for (size_t i = 0; i < node->count; i++) {
        const struct hub_node *item = node->items[i];
        const char *name = item->text == NULL ? "" : item->text;
        schemes[i] = hub_scheme_index(domain->schemes, hub_bytes_of_text(name));
        if (schemes[i] < 0 || !domain->schemes->schemes[schemes[i]].joins)
            return hub_node_fail(item, loader->reterr,
                                 "'%s' is no scheme of schemes.json that may join", name);
    }
    domain->identity = schemes;
    domain->identity_count = node->count;
    return HUB_OK;
}

static enum hub_status load_resemblances(struct hub_domain_loader *loader, const struct hub_node *node) {
    struct hub_domain *domain = loader->domain;
    size_t count = node == NULL ? 0 : node->count;
    if (node != NULL && node->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, loader->reterr,
                             "'hub:possible' must list lists of field names: [[\"suite\", "
                             "\"interval\"]] would pass");
    struct hub_resemblance *list = hub_arena_take_zero(loader->arena, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const struct hub_node *names = node->items[i];
        int *fields = hub_arena_take_zero(loader->arena, names->count, sizeof *fields);
        if (names->kind != HUB_NODE_SEQUENCE || names->count == 0)
            return hub_node_fail(names, loader->reterr, "a list of field names would pass");
        for (size_t k = 0; k < names->count; k++) {
            const char *name = names->items[k]->text;
            fields[k] = name == NULL ? -1 : hub_type_field(domain->schema->root, name);
            if (fields[k] <= HUB_FIELD_LINKS)
                return hub_node_fail(names->items[k], loader->reterr,
                                     "a field of the record after 'links' would pass");
        }
        list[i] = (struct hub_resemblance){fields, names->count};
    }
    domain->resemblances = list;
    domain->resemblance_count = count;
    return HUB_OK;
}

enum hub_status hub_domain_need_field(struct hub_domain_loader *loader,
                                      const struct hub_node *node, const char *key,
                                      int *ret_field) {
    const struct hub_node *item = hub_node_get(node, key);
    *ret_field = item == NULL || item->text == NULL
                     ? -1
                     : hub_type_field(loader->domain->schema->root, item->text);
    if (*ret_field < 0)
        return hub_node_fail(item == NULL ? node : item, loader->reterr,
                             "'%s' must name a field of the record", key);
    return HUB_OK;
}

static enum hub_status load_systems(struct hub_domain_loader *loader, const struct hub_node *node) {
    struct hub_domain *domain = loader->domain;
    if (node == NULL || node->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(domain->schema->root->node, loader->reterr,
                             "'hub:systems' must list the systems by rank");
    const char **names = hub_arena_take(loader->arena, (node->count + 1) * sizeof *names);
    for (size_t i = 0; i < node->count; i++) {
        names[i] = node->items[i]->text == NULL ? "" : node->items[i]->text;
        if (hub_parties_system(domain->parties, hub_bytes_of_text(names[i])) == NULL)
            return hub_node_fail(node->items[i], loader->reterr, "'%s' is not in systems.json",
                                 names[i]);
    }
    names[node->count] = NULL;
    domain->systems = names;
    return HUB_OK;
}

/* A path of hub:label: fields with dots between; of an array, [text] picks the element that has the
 * text in one of its parts. */
static enum hub_status check_label_path(struct hub_domain_loader *loader,
                                        const struct hub_node *node) {
    const struct hub_type *type = loader->domain->schema->root;
    const char *path = node->text;
    while (path != NULL && *path != '\0') {
        char name[128];
        size_t size = strcspn(path, ".[");
        type = hub_type_stated(type);
        type = type->kind == HUB_ARRAY ? hub_type_stated(type->items) : type;
        if (size >= sizeof name || type->kind != HUB_RECORD)
            break;
        memcpy(name, path, size);
        name[size] = '\0';
        int field = hub_type_field(type, name);
        if (field < 0)
            break;
        type = type->fields[field].type;
        path += size;
        path += *path == '[' ? strcspn(path, ".") : 0;
        path += *path == '.';
    }
    if (path == NULL || node->text_size == 0 || *path != '\0')
        return hub_node_fail(node, loader->reterr, "a path of the record's fields would pass");
    return HUB_OK;
}

static enum hub_status load_label(struct hub_domain_loader *loader, const struct hub_node *node) {
    if (node == NULL || node->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(loader->domain->schema->root->node, loader->reterr,
                             "'hub:label' must list what people recognise a record by: "
                             "[[\"status\"], [\"titles[en].text\", \"titles.text\"]] would pass");
    const char *const **parts = hub_arena_take_zero(loader->arena, node->count + 1, sizeof *parts);
    for (size_t i = 0; i < node->count; i++) {
        const struct hub_node *list = node->items[i];
        if (list->kind != HUB_NODE_SEQUENCE)
            return hub_node_fail(list, loader->reterr, "a list of paths would pass");
        const char **paths = hub_arena_take_zero(loader->arena, list->count + 1, sizeof *paths);
        for (size_t k = 0; k < list->count; k++) {
            HUB_TRY(check_label_path(loader, list->items[k]));
            paths[k] = list->items[k]->text;
        }
        parts[i] = paths;
    }
    loader->domain->label = parts;
    return HUB_OK;
}

static enum hub_status load_stamp(struct hub_domain_loader *loader) {
    const struct hub_type *type = loader->domain->schema->root->fields[HUB_FIELD_STATEMENT].type;
    struct hub_stamp_fields *stamp = &loader->domain->stamp;
    stamp->version = hub_type_field(type, "version");
    stamp->event_time = hub_type_field(type, "event_time");
    stamp->state = hub_type_field(type, "state");
    stamp->reason = hub_type_field(type, "reason");
    if (type->count > HUB_STAMP_FIELDS_MAX)
        return hub_node_fail(type->node, loader->reterr, "%zu fields, over the limit of %d",
                             type->count, HUB_STAMP_FIELDS_MAX);
    const struct hub_type *states = type->fields[stamp->state].type;
    stamp->withdrawn_symbol = hub_type_symbol(states, "WITHDRAWN");
    stamp->current_symbol = hub_type_symbol(states, "CURRENT");
    if (stamp->withdrawn_symbol < 0 || stamp->current_symbol < 0)
        return hub_node_fail(states->node, loader->reterr, "%s needs CURRENT and WITHDRAWN",
                             states->name);
    return HUB_OK;
}

static void find_identifier_fields(struct hub_domain_loader *loader) {
    const struct hub_type *array =
        loader->domain->schema->root->fields[HUB_FIELD_IDENTIFIERS].type;
    const struct hub_type *type = array->items;
    struct hub_identifier_fields *at = &loader->domain->identifier;
    at->scheme = hub_type_field(type, "scheme");
    at->issuer = hub_type_field(type, "issuer");
    at->value = hub_type_field(type, "value");
    at->relation = hub_type_field(type, "relation");
    const struct hub_type *relations = type->fields[at->relation].type;
    at->self_symbol = hub_type_symbol(relations, "SELF");
    at->unverified_symbol = hub_type_symbol(relations, "UNVERIFIED");
}

static enum hub_status load_shard(struct hub_domain_loader *loader, const struct hub_node *node) {
    struct hub_domain *domain = loader->domain;
    domain->shard_field = -1;
    if (hub_node_get(node, "hub:shard") == NULL)
        return HUB_OK;
    HUB_TRY(hub_domain_need_field(loader, node, "hub:shard", &domain->shard_field));
    const struct hub_type *type = domain->schema->root->fields[domain->shard_field].type;
    if (hub_type_stated(type)->kind != HUB_STRING)
        return hub_node_fail(hub_node_get(node, "hub:shard"), loader->reterr,
                             "the shard's value is a text; a string field would pass");
    return HUB_OK;
}

/* The status that the hub speaks of. */
static enum hub_status find_lifecycle(struct hub_domain_loader *loader) {
    struct hub_domain *domain = loader->domain;
    domain->lifecycle_field = -1;
    for (size_t i = 0; i < domain->contract.count; i++) {
        const struct hub_field_contract *contract = &domain->contract.fields[i];
        if (contract->lifecycle == NULL)
            continue;
        if (domain->lifecycle_field >= 0)
            return hub_node_fail(contract->field->node, loader->reterr,
                                 "a second field with a life cycle; one would pass");
        domain->lifecycle_field = (int)i;
    }
    return HUB_OK;
}

static enum hub_status load_record(struct hub_domain_loader *loader, const struct hub_node *node) {
    struct hub_domain *domain = loader->domain;
    const struct hub_node *name = hub_node_get(node, "hub:domain");
    if (name == NULL || name->kind != HUB_NODE_SCALAR || name->text_size == 0)
        return hub_node_fail(node, loader->reterr, "'hub:domain' must give the domain's name");
    domain->name = name->text;
    domain->retention = retention_of(node);
    HUB_TRY(hub_domain_lint_record(domain->schema, loader->reterr));
    HUB_TRY(load_stamp(loader));
    find_identifier_fields(loader);
    HUB_TRY(load_identity(loader, hub_node_get(node, "hub:identity")));
    HUB_TRY(load_resemblances(loader, hub_node_get(node, "hub:possible")));
    HUB_TRY(load_systems(loader, hub_node_get(node, "hub:systems")));
    HUB_TRY(load_label(loader, hub_node_get(node, "hub:label")));
    HUB_TRY(load_shard(loader, node));
    HUB_TRY(load_contract(loader, domain->schema->root, /* top= */ true, &domain->contract));
    HUB_TRY(find_lifecycle(loader));
    HUB_TRY(hub_domain_load_references(
        loader, hub_node_get(domain->schema->root->fields[HUB_FIELD_LINKS].node,
                             "hub:reference")));
    if (hub_node_get(node, "hub:exclusive") != NULL)
        HUB_TRY(hub_domain_load_exclusive(loader, hub_node_get(node, "hub:exclusive")));
    return hub_domain_lint_sealed(domain, loader->reterr);
}

enum hub_status hub_domain_load(const struct hub_schema *schema, const struct hub_schemes *schemes,
                                const struct hub_parties *parties, struct hub_arena *arena,
                                struct hub_domain *ret_domain, struct hub_error *reterr) {
    struct hub_domain domain = {.schema = schema, .schemes = schemes, .parties = parties};
    struct hub_domain_loader loader = {.arena = arena, .domain = &domain, .reterr = reterr};
    if (schema->root->kind != HUB_RECORD)
        return hub_node_fail(schema->root->node, reterr, "a domain's schema must be a record");
    HUB_TRY(load_record(&loader, schema->root->node));
    *ret_domain = domain;
    return HUB_OK;
}
