#include "schemas/lib/domain_lint.h"

#include "schemas/lib/sealed.h"

#include <string.h>

static bool is_word_of(const struct hub_node *node, const char *const *words) {
    for (size_t i = 0; words[i] != NULL; i++)
        if (hub_node_is_text(node, words[i]))
            return true;
    return false;
}

/* A misspelt annotation would silently do nothing. */
static enum hub_status check_annotations(const struct hub_node *node, const char *const *known,
                                         struct hub_error *reterr) {
    for (size_t i = 0; i < node->count; i++) {
        const struct hub_node *key = node->keys[i];
        if (strncmp(key->text, "hub:", 4) != 0)
            continue;
        size_t k = 0;
        while (known[k] != NULL && strcmp(known[k], key->text) != 0)
            k++;
        if (known[k] == NULL) {
            const char *nearest = hub_node_nearest(key->text, known);
            return hub_node_fail(key, reterr, "unknown annotation '%s'; did you mean '%s'?",
                                 key->text, nearest == NULL ? known[0] : nearest);
        }
    }
    return HUB_OK;
}

static enum hub_status check_class(const struct hub_node *node, bool sealed,
                                   struct hub_error *reterr) {
    static const char *const classes[] = {"none", "staff", "pseudonym", NULL};
    const struct hub_node *item = hub_node_get(node, "hub:class");
    if (hub_node_is_text(item, "direct"))
        return sealed ? HUB_OK
                      : hub_node_fail(item, reterr,
                                      "a field of class direct may never leave an institution; a "
                                      "keyed pseudonym (class pseudonym), or what is sealed, would "
                                      "pass");
    if (item != NULL && !is_word_of(item, classes))
        return hub_node_fail(item, reterr, "none, staff or pseudonym would pass");
    return HUB_OK;
}

static enum hub_status check_retention(const struct hub_node *node, struct hub_error *reterr) {
    static const char *const classes[] = {"T", "C", "O", "X", NULL};
    const struct hub_node *item = hub_node_get(node, "hub:retention");
    if (item != NULL && !is_word_of(item, classes))
        return hub_node_fail(item, reterr,
                             "T (traceability), C (clinical), O (operational) or X (nothing "
                             "personal) would pass");
    return HUB_OK;
}

/* Only records and fields are asked for annotations; elsewhere one would silently do nothing. */
static enum hub_status refuse_annotations(const struct hub_type *type, struct hub_error *reterr) {
    const struct hub_node *node = type->node;
    for (size_t i = 0; node->kind == HUB_NODE_MAPPING && i < node->count; i++)
        if (strncmp(node->keys[i]->text, "hub:", 4) == 0)
            return hub_node_fail(node->keys[i], reterr,
                                 "'%s' is not read on a type of kind %s; on the field it would "
                                 "pass", node->keys[i]->text, hub_kind_name(type->kind));
    return HUB_OK;
}

static enum hub_status lint_type(const struct hub_type *type, struct hub_error *reterr) {
    if (type->kind != HUB_RECORD)
        HUB_TRY(refuse_annotations(type, reterr));
    switch (type->kind) {
    case HUB_MAP:
        return hub_node_fail(type->node, reterr,
                             "a map has no order, so equal values would be unequal bytes; an "
                             "array of records with a key would pass");
    case HUB_ENUM:
        if (type->default_symbol < 0 ||
            strcmp(type->symbols[type->default_symbol], "UNRECOGNISED") != 0)
            return hub_node_fail(type->node, reterr,
                                 "enum %s needs the symbol UNRECOGNISED as its default, for "
                                 "symbols that later versions add", type->name);
        return HUB_OK;
    case HUB_ARRAY:
        if (hub_type_stated(type->items)->kind == HUB_ARRAY)
            return hub_node_fail(type->items->node, reterr,
                                 "an array of arrays has no element to compare; an array of "
                                 "records would pass");
        return lint_type(type->items, reterr);
    case HUB_UNION:
        if (type->count != 2 || type->branches[0]->kind != HUB_NULL)
            return hub_node_fail(type->node, reterr, "[\"null\", TYPE] would pass: a field is "
                                 "stated or it is not");
        return lint_type(type->branches[1], reterr);
    default:
        return HUB_OK;
    }
}

/* An origin names a field of the record; and what is not said is null. */
static enum hub_status check_sealed_place(const struct hub_field *field, bool top,
                                          struct hub_error *reterr) {
    bool single = hub_type_null_branch(field->type) >= 0 &&
                  hub_type_stated(field->type)->kind == HUB_RECORD;
    if (!hub_sealed_is(field->type) || (top && single))
        return HUB_OK;
    return hub_node_fail(field->node, reterr, "field '%s' is sealed: a field of the record itself, of "
                         "type [\"null\", \"Sealed\"], would pass", field->name);
}

enum hub_status hub_domain_lint_field(const struct hub_field *field, bool top,
                                      struct hub_error *reterr) {
    static const char *const known[] = {"hub:merge",  "hub:equal", "hub:conflict",
                                        "hub:volatile", "hub:class", "hub:retention",
                                        "hub:lifecycle", "hub:requires", "hub:reference",
                                        NULL};
    const struct hub_node *doc = hub_node_get(field->node, "doc");
    if (doc == NULL || doc->kind != HUB_NODE_SCALAR || doc->text_size == 0)
        return hub_node_fail(field->node, reterr, "field '%s' has no 'doc'", field->name);
    HUB_TRY(check_annotations(field->node, known, reterr));
    const struct hub_node *reference = hub_node_get(field->node, "hub:reference");
    if (reference != NULL && !(top && strcmp(field->name, "links") == 0))
        return hub_node_fail(reference, reterr, "on the record's field 'links' it would pass");
    HUB_TRY(check_class(field->node, hub_sealed_is(field->type), reterr));
    HUB_TRY(check_retention(field->node, reterr));
    HUB_TRY(check_sealed_place(field, top, reterr));
    HUB_TRY(lint_type(field->type, reterr));
    for (size_t i = 0; top && i < 3; i += 2)
        if (hub_node_get(field->node, known[i]) == NULL)
            return hub_node_fail(field->node, reterr, "field '%s' has no '%s'", field->name,
                                 known[i]);
    return HUB_OK;
}

/* What the hub reads of the common head, whatever else stands there. */
static enum hub_status check_head_parts(const struct hub_type *record, struct hub_error *reterr) {
    static const struct {
        const char *record, *field;
        enum hub_kind kind;
        bool optional;
    } parts[] = {{"atmp.Statement", "version", HUB_STRING, false},
                 {"atmp.Statement", "event_time", HUB_RECORD, true},
                 {"atmp.Statement", "state", HUB_ENUM, false},
                 {"atmp.Statement", "reason", HUB_STRING, true},
                 {"atmp.Identifier", "scheme", HUB_STRING, false},
                 {"atmp.Identifier", "issuer", HUB_STRING, true},
                 {"atmp.Identifier", "value", HUB_STRING, false},
                 {"atmp.Identifier", "relation", HUB_ENUM, false},
                 {"atmp.Link", "domain", HUB_STRING, false},
                 {"atmp.Link", "identifier", HUB_RECORD, false},
                 {"atmp.Link", "role", HUB_STRING, false}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].record, record->name) != 0)
            continue;
        int field = hub_type_field(record, parts[i].field);
        const struct hub_type *type = field < 0 ? NULL : record->fields[field].type;
        bool optional = type != NULL && type->kind == HUB_UNION;
        if (type == NULL || optional != parts[i].optional ||
            hub_type_stated(type)->kind != parts[i].kind)
            return hub_node_fail(field < 0 ? record->node : record->fields[field].node, reterr,
                                 "%s needs '%s' of type %s%s", record->name, parts[i].field,
                                 hub_kind_name(parts[i].kind),
                                 parts[i].optional ? " or null" : "");
    }
    return HUB_OK;
}

static enum hub_status check_head(const struct hub_schema *schema, struct hub_error *reterr) {
    static const struct {
        const char *name;
        const char *type;
        bool array;
    } head[] = {{"statement", "atmp.Statement", false},
                {"identifiers", "atmp.Identifier", true},
                {"links", "atmp.Link", true}};
    const struct hub_type *root = schema->root;
    for (size_t i = 0; i < 3; i++) {
        const struct hub_type *type = i < root->count ? root->fields[i].type : NULL;
        bool array = type != NULL && type->kind == HUB_ARRAY;
        type = array ? type->items : type;
        bool fits = type != NULL && strcmp(root->fields[i].name, head[i].name) == 0 &&
                    array == head[i].array && type->kind == HUB_RECORD &&
                    strcmp(type->name, head[i].type) == 0;
        if (!fits)
            return hub_node_fail(root->node, reterr, "field %zu must be '%s', %s%s", i + 1,
                                 head[i].name, head[i].array ? "an array of " : "",
                                 head[i].type);
        HUB_TRY(check_head_parts(type, reterr));
    }
    return HUB_OK;
}

enum hub_status hub_domain_lint_record(const struct hub_schema *schema, struct hub_error *reterr) {
    static const char *const known[] = {"hub:domain",    "hub:identity", "hub:possible",
                                        "hub:shard",     "hub:systems",  "hub:exclusive",
                                        "hub:class",     "hub:retention", "hub:label", NULL};
    const struct hub_node *node = schema->root->node;
    HUB_TRY(check_annotations(node, known, reterr));
    HUB_TRY(check_class(node, /* sealed= */ false, reterr));
    HUB_TRY(check_retention(node, reterr));
    HUB_TRY(check_head(schema, reterr));
    for (size_t i = 0; i < schema->root->count; i++) {
        const struct hub_field *field = &schema->root->fields[i];
        if (hub_node_get(field->node, "hub:class") == NULL &&
            hub_node_get(node, "hub:class") == NULL)
            return hub_node_fail(field->node, reterr, "field '%s' has no 'hub:class', and neither "
                                 "has the record", field->name);
        if (hub_node_get(field->node, "hub:retention") == NULL &&
            hub_node_get(node, "hub:retention") == NULL)
            return hub_node_fail(field->node, reterr, "field '%s' has no 'hub:retention', and "
                                 "neither has the record", field->name);
    }
    return HUB_OK;
}

enum hub_status hub_domain_lint_part(const struct hub_type *record, struct hub_error *reterr) {
    static const char *const known[] = {"hub:atomic", "hub:same", NULL};
    return check_annotations(record->node, known, reterr);
}

/* --- what is sealed --- */

static enum hub_status check_sealed_type(const struct hub_contract *parts,
                                         struct hub_error *reterr) {
    static const struct {
        const char *name;
        enum hub_kind kind;
    } fields[HUB_SEALED_FIELDS] = {
        {"key_id", HUB_STRING}, {"origin", HUB_STRING}, {"ciphertext", HUB_BYTES}};
    const struct hub_type *type = parts->record;
    bool fits = type->count == HUB_SEALED_FIELDS && parts->atomic;
    for (size_t i = 0; fits && i < HUB_SEALED_FIELDS; i++)
        fits = strcmp(type->fields[i].name, fields[i].name) == 0 &&
               type->fields[i].type->kind == fields[i].kind;
    if (fits)
        return HUB_OK;
    return hub_node_fail(type->node, reterr, "%s is hub:atomic, and is key_id (string), origin (string) "
                         "and ciphertext (bytes)", type->name);
}

static enum hub_status check_sealed_rules(const struct hub_domain *domain,
                                          const struct hub_field_contract *contract,
                                          struct hub_error *reterr) {
    const struct hub_node *node = contract->field->node;
    char retention = contract->retention != '\0' ? contract->retention : domain->retention;
    for (size_t i = 0; i < contract->rule_count; i++)
        if (contract->rules[i].kind != HUB_RULE_AUTHORITY &&
            contract->rules[i].kind != HUB_RULE_LATEST)
            return hub_node_fail(hub_node_get(node, "hub:merge"), reterr,
                                 "nobody can compare what is sealed; authority or latest would pass");
    if (contract->equality != HUB_EQUAL_EXACT)
        return hub_node_fail(hub_node_get(node, "hub:equal"), reterr,
                             "nobody can compare what is sealed; exact would pass");
    if (contract->reports_conflict)
        return hub_node_fail(hub_node_get(node, "hub:conflict"), reterr,
                             "two institutions seal one word differently, and it would be a conflict "
                             "for ever; ignore would pass");
    if (retention != 'T')
        return HUB_OK;
    return hub_node_fail(node, reterr, "field '%s' is of retention T: what must be traceable for thirty "
                         "years may not be lost with a key; in clear, or of retention C or O, it "
                         "would pass", contract->field->name);
}

/* What is made of the record's fields by comparing them. */
static enum hub_status check_sealed_uses(const struct hub_domain *domain, int field,
                                         struct hub_error *reterr) {
    const struct hub_node *node = domain->schema->root->node;
    const char *name = domain->schema->root->fields[field].name;
    size_t size = strlen(name);
    const char *use = NULL;
    for (size_t i = 0; i < domain->resemblance_count; i++)
        for (size_t k = 0; k < domain->resemblances[i].count; k++)
            if (domain->resemblances[i].fields[k] == field)
                use = "hub:possible";
    if (domain->exclusive != NULL && domain->exclusive->of_field == field)
        use = "hub:exclusive";
    for (size_t i = 0; domain->label[i] != NULL; i++)
        for (size_t k = 0; domain->label[i][k] != NULL; k++)
            if (strncmp(domain->label[i][k], name, size) == 0 &&
                strchr(".[", domain->label[i][k][size]) != NULL) /* the end, too */
                use = "hub:label";
    if (use == NULL)
        return HUB_OK;
    return hub_node_fail(hub_node_get(node, use), reterr, "field '%s' is sealed, and nothing can be told by "
                         "it; another field in '%s' would pass", name, use);
}

enum hub_status hub_domain_lint_sealed(const struct hub_domain *domain, struct hub_error *reterr) {
    for (size_t i = 0; i < domain->contract.count; i++) {
        const struct hub_field_contract *contract = &domain->contract.fields[i];
        if (!hub_sealed_is(contract->field->type))
            continue;
        HUB_TRY(check_sealed_type(contract->parts, reterr));
        HUB_TRY(check_sealed_rules(domain, contract, reterr));
        HUB_TRY(check_sealed_uses(domain, (int)i, reterr));
    }
    return HUB_OK;
}
