/* The rules of a field: hub:merge, hub:equal, hub:lifecycle and severities. */
#include "schemas/lib/domain_rules.h"

#include <string.h>

enum hub_status hub_domain_load_severity(struct hub_domain_loader *loader, const struct hub_node *node,
                                     enum hub_severity *ret_severity) {
    static const char *const words[] = {"minor", "major", "critical"};
    for (int i = 0; i < 3; i++)
        if (hub_node_is_text(node, words[i])) {
            *ret_severity = (enum hub_severity)i;
            return HUB_OK;
        }
    return hub_node_fail(node, loader->reterr, "ignore, minor, major or critical would pass");
}

/* --- hub:merge --- */

static bool names_organisation(const struct hub_type *type) {
    type = hub_type_stated(type);
    int org = hub_type_field(type, "org");
    if (org >= 0)
        type = hub_type_stated(type->fields[org].type);
    return type->kind == HUB_STRING;
}

/* An element is one organisation's where one of the fields that it is known by names it. */
static enum hub_status load_element_authority(struct hub_domain_loader *loader,
                                              const struct hub_node *node,
                                              struct hub_authority *authority) {
    authority->kind = HUB_AUTHORITY_ELEMENT;
    for (size_t i = 0; loader->elements != NULL && i < loader->element_key_count; i++) {
        const struct hub_field *field = &loader->elements->fields[loader->element_keys[i]];
        if (strcmp(field->name, authority->name) == 0 && names_organisation(field->type)) {
            authority->role_field = loader->element_keys[i];
            return HUB_OK;
        }
    }
    return hub_node_fail(node, loader->reterr,
                         "'%s' is no organisation among the key fields of a union",
                         authority->name);
}

static enum hub_status load_authority(struct hub_domain_loader *loader, const struct hub_node *node,
                                      struct hub_authority *authority) {
    const struct hub_domain *domain = loader->domain;
    const char *colon = node->text == NULL ? NULL : strchr(node->text, ':');
    authority->role_field = -1;
    if (colon != NULL) {
        authority->name = colon + 1;
        struct hub_bytes name = hub_bytes_of_text(colon + 1);
        size_t size = (size_t)(colon - node->text);
        if (size == 6 && strncmp(node->text, "system", size) == 0) {
            authority->kind = HUB_AUTHORITY_SYSTEM;
            if (hub_parties_system(domain->parties, name) == NULL)
                return hub_node_fail(node, loader->reterr, "'%s' is not in systems.json",
                                     authority->name);
            return HUB_OK;
        }
        if (size == 11 && strncmp(node->text, "institution", size) == 0) {
            authority->kind = HUB_AUTHORITY_INSTITUTION;
            if (hub_parties_institution(domain->parties, name) == NULL)
                return hub_node_fail(node, loader->reterr, "'%s' carries no system",
                                     authority->name);
            return HUB_OK;
        }
        if (size == 4 && strncmp(node->text, "role", size) == 0) {
            authority->kind = HUB_AUTHORITY_ROLE;
            authority->role_field = hub_type_field(domain->schema->root, authority->name);
            if (authority->role_field < 0)
                return hub_node_fail(node, loader->reterr, "the record has no field '%s'",
                                     authority->name);
            if (!names_organisation(domain->schema->root->fields[authority->role_field].type))
                return hub_node_fail(node, loader->reterr,
                                     "'%s' names no organisation; a string, or a record with the "
                                     "string 'org', would pass", authority->name);
            return HUB_OK;
        }
        if (size == 7 && strncmp(node->text, "element", size) == 0)
            return load_element_authority(loader, node, authority);
    }
    return hub_node_fail(node, loader->reterr,
                         "role:FIELD, system:NAME, institution:NAME or, in a union, element:FIELD "
                         "would pass");
}

static enum hub_status load_authority_list(struct hub_domain_loader *loader,
                                           const struct hub_node *list, struct hub_rule *rule) {
    if (list->kind != HUB_NODE_SEQUENCE || list->count == 0)
        return hub_node_fail(list, loader->reterr, "a list of whom to believe would pass");
    struct hub_authority *authorities =
        hub_arena_take_zero(loader->arena, list->count, sizeof *authorities);
    for (size_t i = 0; i < list->count; i++)
        HUB_TRY(load_authority(loader, list->items[i], &authorities[i]));
    rule->authorities = authorities;
    rule->authority_count = list->count;
    return HUB_OK;
}

static enum hub_status load_authorities(struct hub_domain_loader *loader, const struct hub_node *node,
                                        struct hub_rule *rule) {
    static const char *const keys[] = {"authority", "only", NULL};
    const struct hub_node *only = hub_node_get(node, "only");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    rule->kind = HUB_RULE_AUTHORITY;
    if (only != NULL && !hub_node_to_bool(only, &rule->only))
        return hub_node_fail(only, loader->reterr, "true or false would pass");
    HUB_TRY(load_authority_list(loader, hub_node_get(node, "authority"), rule));
    /* Before the elements are told apart nobody is the one that an element names. */
    for (size_t i = 0; rule->only && i < rule->authority_count; i++)
        if (rule->authorities[i].kind == HUB_AUTHORITY_ELEMENT)
            return hub_node_fail(only, loader->reterr, "'only' shuts out whole statements, and "
                                 "element:FIELD is of one element");
    return HUB_OK;
}

static enum hub_status load_reserve(struct hub_domain_loader *loader, const struct hub_node *node,
                                    const struct hub_type *type, struct hub_rule *rule) {
    static const char *const keys[] = {"reserve", "for", NULL};
    const struct hub_node *list = hub_node_get(node, "reserve");
    const struct hub_node *whom = hub_node_get(node, "for");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    type = hub_type_stated(type);
    if (type->kind != HUB_ENUM || list->kind != HUB_NODE_SEQUENCE || list->count == 0 ||
        whom == NULL)
        return hub_node_fail(node, loader->reterr,
                             "reserve is a list of an enum's symbols, and 'for' says whose they "
                             "are");
    uint16_t *ranks = hub_arena_take_zero(loader->arena, type->count, sizeof *ranks);
    for (size_t i = 0; i < type->count; i++)
        ranks[i] = 1;
    for (size_t i = 0; i < list->count; i++) {
        const char *symbol = list->items[i]->text;
        int index = symbol == NULL ? -1 : hub_type_symbol(type, symbol);
        if (index < 0)
            return hub_node_fail(list->items[i], loader->reterr, "no symbol of %s", type->name);
        ranks[index] = 0;
    }
    rule->kind = HUB_RULE_RESERVE;
    rule->symbol_ranks = ranks;
    return load_authority_list(loader, whom, rule);
}

static enum hub_status load_precedence(struct hub_domain_loader *loader, const struct hub_node *node,
                                       const struct hub_type *type, struct hub_rule *rule) {
    static const char *const keys[] = {"precedence", "of", NULL};
    const struct hub_node *list = hub_node_get(node, "precedence");
    const struct hub_node *of = hub_node_get(node, "of");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    type = hub_type_stated(type);
    if (of != NULL) {
        int part = hub_type_field(type, of->text == NULL ? "" : of->text);
        if (part < 0)
            return hub_node_fail(of, loader->reterr, "the field's record has no such part");
        rule->of = of->text;
        type = hub_type_stated(type->fields[part].type);
    }
    if (type->kind != HUB_ENUM || list->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, loader->reterr,
                             "precedence is a list of symbols and needs an enum, or 'of' one");
    uint16_t *ranks = hub_arena_take_zero(loader->arena, type->count, sizeof *ranks);
    for (size_t i = 0; i < type->count; i++)
        ranks[i] = (uint16_t)list->count;
    for (size_t i = 0; i < list->count; i++) {
        const char *symbol = list->items[i]->text;
        int index = symbol == NULL ? -1 : hub_type_symbol(type, symbol);
        if (index < 0)
            return hub_node_fail(list->items[i], loader->reterr, "no symbol of %s", type->name);
        ranks[index] = (uint16_t)i;
    }
    rule->kind = HUB_RULE_PRECEDENCE;
    rule->symbol_ranks = ranks;
    return HUB_OK;
}

static bool is_ordered(const struct hub_type *type) {
    type = hub_type_stated(type);
    if (type->kind == HUB_RECORD && type->count > 0)
        type = type->fields[0].type; /* Date and Time are ordered by their first part */
    return type->kind == HUB_INT || type->kind == HUB_LONG;
}

static enum hub_status load_rule(struct hub_domain_loader *loader, const struct hub_node *node,
                                 const struct hub_type *type, struct hub_rule *rule) {
    static const struct {
        const char *word;
        enum hub_rule_kind kind;
    } words[] = {{"latest", HUB_RULE_LATEST},
                 {"earliest", HUB_RULE_EARLIEST},
                 {"max", HUB_RULE_MAX},
                 {"min", HUB_RULE_MIN},
                 {"agree", HUB_RULE_AGREE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (hub_node_is_text(node, words[i].word)) {
            rule->kind = words[i].kind;
            bool by_value = rule->kind == HUB_RULE_MAX || rule->kind == HUB_RULE_MIN;
            if (by_value && !is_ordered(type))
                return hub_node_fail(node, loader->reterr, "max and min need a number or a date");
            return HUB_OK;
        }
    if (hub_node_get(node, "authority") != NULL)
        return load_authorities(loader, node, rule);
    if (hub_node_get(node, "precedence") != NULL)
        return load_precedence(loader, node, type, rule);
    if (hub_node_get(node, "reserve") != NULL)
        return load_reserve(loader, node, type, rule);
    return hub_node_fail(node, loader->reterr,
                         "latest, earliest, max, min, agree, {authority: [...]}, "
                         "{precedence: [...]} or {reserve: [...], for: [...]} would pass");
}

static enum hub_status load_chain(struct hub_domain_loader *loader, const struct hub_node *node,
                                  const struct hub_type *type,
                                  struct hub_field_contract *contract) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? node->count : 1;
    if (count == 0)
        return hub_node_fail(node, loader->reterr, "a list of at least one rule would pass");
    struct hub_rule *rules = hub_arena_take_zero(loader->arena, count, sizeof *rules);
    for (size_t i = 0; i < count; i++)
        HUB_TRY(load_rule(loader, list ? node->items[i] : node, type, &rules[i]));
    contract->rules = rules;
    contract->rule_count = count;
    return HUB_OK;
}

/* {"union": [key fields], "by": chain} on an array. */
static enum hub_status load_union(struct hub_domain_loader *loader, const struct hub_node *node,
                                  const struct hub_type *type,
                                  struct hub_field_contract *contract) {
    static const char *const keys[] = {"union", "by", NULL};
    const struct hub_node *list = hub_node_get(node, "union");
    const struct hub_node *by = hub_node_get(node, "by");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    if (type->kind != HUB_ARRAY || list->kind != HUB_NODE_SEQUENCE || by == NULL)
        return hub_node_fail(node, loader->reterr,
                             "union is for arrays: {\"union\": [key fields], \"by\": rules}");
    int *fields = hub_arena_take_zero(loader->arena, list->count, sizeof *fields);
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i]->text;
        fields[i] = name == NULL ? -1 : hub_type_field(type->items, name);
        if (fields[i] < 0)
            return hub_node_fail(list->items[i], loader->reterr, "the elements have no such field");
    }
    contract->is_union = true;
    contract->key_fields = fields;
    contract->key_count = list->count;
    loader->elements = type->items;
    loader->element_keys = fields;
    loader->element_key_count = list->count;
    HUB_TRY(load_chain(loader, by, type->items, contract));
    loader->elements = NULL;
    loader->element_key_count = 0;
    for (size_t i = 0; i < contract->rule_count; i++)
        if (contract->rules[i].kind == HUB_RULE_PRECEDENCE ||
            contract->rules[i].kind == HUB_RULE_RESERVE ||
            contract->rules[i].kind == HUB_RULE_MAX || contract->rules[i].kind == HUB_RULE_MIN)
            return hub_node_fail(by, loader->reterr,
                                 "elements are merged part by part; only authority, latest, "
                                 "earliest and agree rank whole statements");
    return HUB_OK;
}

enum hub_status hub_domain_load_merge(struct hub_domain_loader *loader, const struct hub_node *node,
                                  struct hub_field_contract *contract) {
    const struct hub_type *type = contract->field->type;
    if (hub_node_get(node, "union") != NULL)
        return load_union(loader, node, type, contract);
    return load_chain(loader, node, type, contract);
}

/* --- hub:equal --- */

static enum hub_status load_apart(struct hub_domain_loader *loader, const struct hub_node *node,
                                  const struct hub_type *type,
                                  struct hub_field_contract *contract) {
    static const char *const keys[] = {"apart", "wild", NULL};
    const struct hub_node *apart = hub_node_get(node, "apart");
    const struct hub_node *wild = hub_node_get(node, "wild");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    contract->apart_field = apart->text == NULL ? -1 : hub_type_field(type, apart->text);
    if (contract->apart_field < 0 || type->fields[contract->apart_field].type->kind != HUB_ENUM)
        return hub_node_fail(apart, loader->reterr, "the name of an enum in the record would pass");
    const struct hub_type *facts = type->fields[contract->apart_field].type;
    if (wild != NULL && wild->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(wild, loader->reterr, "a list of symbols would pass");
    bool *wilds = hub_arena_take_zero(loader->arena, facts->count, sizeof *wilds);
    for (size_t i = 0; wild != NULL && i < wild->count; i++) {
        const char *word = wild->items[i]->text;
        int symbol = word == NULL ? -1 : hub_type_symbol(facts, word);
        if (symbol < 0)
            return hub_node_fail(wild->items[i], loader->reterr, "no symbol of %s", facts->name);
        wilds[symbol] = true;
    }
    contract->equality = HUB_EQUAL_APART;
    contract->apart_wild = wilds;
    return HUB_OK;
}

static bool is_date(const struct hub_type *type) {
    return type->kind == HUB_RECORD && type->name != NULL && strcmp(type->name, "atmp.Date") == 0;
}

enum hub_status hub_domain_load_equal(struct hub_domain_loader *loader, const struct hub_node *node,
                                  struct hub_field_contract *contract) {
    const struct hub_type *type = hub_type_stated(contract->field->type);
    enum hub_kind kind = type->kind;
    if (node == NULL || hub_node_is_text(node, "exact"))
        return HUB_OK;
    if (hub_node_get(node, "apart") != NULL)
        return load_apart(loader, node, type, contract);
    if (hub_node_get(node, "tolerance") != NULL && kind >= HUB_INT && kind <= HUB_DOUBLE) {
        contract->equality = HUB_EQUAL_TOLERANCE;
        if (hub_node_to_double(hub_node_get(node, "tolerance"), &contract->tolerance) &&
            contract->tolerance >= 0)
            return HUB_OK;
    }
    const struct {
        const char *word;
        enum hub_equality equality;
        bool fits;
    } words[] = {{"ignore", HUB_EQUAL_IGNORE, true},
                 {"fold", HUB_EQUAL_FOLD, kind == HUB_STRING},
                 {"set", HUB_EQUAL_SET, kind == HUB_ARRAY},
                 {"date", HUB_EQUAL_DATE, is_date(type)},
                 {"reachable", HUB_EQUAL_REACHABLE, contract->lifecycle != NULL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (hub_node_is_text(node, words[i].word) && words[i].fits) {
            contract->equality = words[i].equality;
            return HUB_OK;
        }
    return hub_node_fail(node, loader->reterr,
                         "exact, ignore, fold (text), set (array), date (Date), reachable (a life "
                         "cycle), {tolerance: N} (number) or {apart: ENUM} (record) would pass");
}

/* --- hub:lifecycle --- */

static void close_over(const bool *allowed, bool *reachable, size_t count) {
    memcpy(reachable, allowed, count * count * sizeof *allowed);
    for (size_t via = 0; via < count; via++)
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; to < count; to++)
                reachable[from * count + to] |=
                    reachable[from * count + via] && reachable[via * count + to];
}

enum hub_status hub_domain_load_lifecycle(struct hub_domain_loader *loader, const struct hub_node *node,
                                      struct hub_field_contract *contract) {
    const struct hub_type *states = hub_type_stated(contract->field->type);
    if (states->kind != HUB_ENUM || node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr,
                             "a life cycle is an object {STATE: [next states]} on an enum");
    size_t count = states->count;
    bool *allowed = hub_arena_take_zero(loader->arena, count * count, sizeof *allowed);
    bool *reachable = hub_arena_take_zero(loader->arena, count * count, sizeof *reachable);
    struct hub_lifecycle *lifecycle = hub_arena_take(loader->arena, sizeof *lifecycle);
    for (size_t i = 0; i < node->count; i++) {
        int from = hub_type_symbol(states, node->keys[i]->text);
        const struct hub_node *list = node->items[i];
        if (from < 0 || list->kind != HUB_NODE_SEQUENCE)
            return hub_node_fail(node->keys[i], loader->reterr, "no symbol of %s with a list",
                                 states->name);
        for (size_t k = 0; k < list->count; k++) {
            int to = list->items[k]->text == NULL ? -1
                                                  : hub_type_symbol(states, list->items[k]->text);
            if (to < 0)
                return hub_node_fail(list->items[k], loader->reterr, "no symbol of %s",
                                     states->name);
            allowed[(size_t)from * count + (size_t)to] = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        bool named = hub_node_get(node, states->symbols[i]) != NULL;
        if (!named && (int)i != states->default_symbol)
            return hub_node_fail(node, loader->reterr, "state %s is missing; an empty list would "
                                 "say that it is final", states->symbols[i]);
        allowed[i * count + i] = true;
    }
    close_over(allowed, reachable, count);
    *lifecycle = (struct hub_lifecycle){states, allowed, reachable};
    contract->lifecycle = lifecycle;
    return HUB_OK;
}
