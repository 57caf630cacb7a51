/* Identifiers: which scheme a number belongs to, and what it is to the thing.
 *
 *   {scheme: nct, value: PATH, relation: self}
 *   {for_each: PATH, value: id, classify: [euct, eudract, isrctn], relation: self,
 *    else: {scheme: other, relation: unverified}}
 *   {scan: [nct], value: PATH, except: VALUE, relation: related}
 *                                  numbers found in running text below PATH, but for that one
 *
 * A value is put in its scheme's normal form. A placeholder, and what fits no scheme named, never
 * gets the relation self: it becomes `else`, or with `else: drop` nothing.
 *
 * A pseudonym of a shared key is told under each of the shared keys that the institution holds, the newest
 * first, so that it joins while the institutions go from one key to the next; but for exclusive schemes,
 * of which a statement that gives two values states neither: there the newest key is the only one. */
#include "connectors/kit/mapping_plan.h"

#include <ctype.h>
#include <string.h>

enum { SCAN_STRINGS_MAX = 100000, SCAN_FOUND_MAX = 1000 };

/* --- loading --- */

static enum hub_status no_scheme(struct map_loader *loader, const struct hub_node *node) {
    const struct hub_schemes *known = loader->mapping->config.domain->schemes;
    const char **names = hub_arena_take_zero(loader->arena, known->count + 1, sizeof *names);
    for (size_t i = 0; i < known->count; i++)
        names[i] = known->schemes[i].name;
    const char *text = node->text == NULL ? "" : node->text;
    const char *nearest = hub_node_nearest(text, names);
    if (nearest != NULL)
        return hub_node_fail(node, loader->reterr,
                             "'%s' is no scheme of schemes.json; did you mean '%s'?", text, nearest);
    const struct hub_domain *domain = loader->mapping->config.domain;
    HUB_SCOPED_BUFFER list = {0};
    for (size_t i = 0; i < domain->identity_count; i++)
        hub_buffer_append_format(&list, " %s,", known->schemes[domain->identity[i]].name);
    return hub_node_fail(node, loader->reterr,
                         "'%s' is no scheme of schemes.json; this domain's are%s and there are others",
                         text, hub_buffer_text(&list));
}

static enum hub_status load_schemes(struct map_loader *loader, const struct hub_node *node,
                                    const struct hub_scheme *const **ret_schemes) {
    const struct hub_schemes *known = loader->mapping->config.domain->schemes;
    bool list = node->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? node->count : 1;
    const struct hub_scheme **schemes =
        hub_arena_take_zero(loader->arena, count + 1, sizeof *schemes);
    for (size_t i = 0; i < count; i++) {
        const struct hub_node *item = list ? node->items[i] : node;
        if (item->kind == HUB_NODE_SCALAR)
            schemes[i] = hub_scheme_find(known, hub_bytes_of_text(item->text));
        if (schemes[i] == NULL)
            return no_scheme(loader, item);
    }
    *ret_schemes = schemes;
    return HUB_OK;
}

static enum hub_status load_relation(struct map_loader *loader, const struct hub_node *node,
                                     const struct hub_type *type, int *ret_relation) {
    const struct hub_type *relations = type->fields[hub_type_field(type, "relation")].type;
    char symbol[32] = {0};
    size_t size = node->text == NULL ? 0 : strlen(node->text);
    for (size_t i = 0; i < size && i + 1 < sizeof symbol; i++)
        symbol[i] = (char)toupper((unsigned char)node->text[i]);
    *ret_relation = hub_type_symbol(relations, symbol);
    if (*ret_relation < 0 || *ret_relation == relations->default_symbol)
        return hub_node_fail(node, loader->reterr,
                             "self, related, parent, predecessor or unverified would pass");
    return HUB_OK;
}

static enum hub_status load_otherwise(struct map_loader *loader, const struct hub_node *node,
                                      const struct hub_type *type,
                                      struct map_identifier *identifier) {
    static const char *const keys[] = {"scheme", "relation", NULL};
    const struct hub_schemes *known = loader->mapping->config.domain->schemes;
    const struct hub_type *relations = type->fields[hub_type_field(type, "relation")].type;
    identifier->else_scheme = hub_scheme_find(known, hub_bytes_of_text("other"));
    identifier->else_relation = hub_type_symbol(relations, "UNVERIFIED");
    if (node == NULL)
        return HUB_OK;
    if (hub_node_is_text(node, "drop")) {
        identifier->else_scheme = NULL;
        return HUB_OK;
    }
    const struct hub_node *scheme = hub_node_get(node, "scheme");
    const struct hub_node *relation = hub_node_get(node, "relation");
    if (scheme == NULL || relation == NULL)
        return hub_node_fail(node, loader->reterr,
                             "drop or {scheme: NAME, relation: NAME} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_scheme *const *schemes = NULL;
    HUB_TRY(load_schemes(loader, scheme, &schemes));
    identifier->else_scheme = schemes[0];
    HUB_TRY(load_relation(loader, relation, type, &identifier->else_relation));
    if (identifier->else_relation == hub_type_symbol(relations, "SELF"))
        return hub_node_fail(relation, loader->reterr,
                             "what fits no scheme cannot say what the thing is; unverified would "
                             "pass");
    return HUB_OK;
}

static enum hub_status load_optional_value(struct map_loader *loader, const struct hub_node *node,
                                           struct map_value **ret_value) {
    if (node == NULL)
        return HUB_OK;
    *ret_value = hub_arena_take_zero(loader->arena, 1, sizeof **ret_value);
    return map_load_value(loader, node, NULL, *ret_value);
}

static bool makes_pseudonym(const struct map_value *value, enum map_pseudonym kind) {
    if (value->pseudonym == kind)
        return true;
    for (size_t i = 0; i < value->part_count; i++)
        if (makes_pseudonym(&value->parts[i], kind))
            return true;
    return false;
}

/* Private keys of two institutions give one person two pseudonyms: only shared ones may join. */
static enum hub_status check_pseudonym(struct map_loader *loader, const struct hub_node *node,
                                       struct map_identifier *identifier) {
    if (identifier->value == NULL)
        return HUB_OK;
    identifier->shared = makes_pseudonym(identifier->value, MAP_PSEUDONYM_SHARED);
    if (makes_pseudonym(identifier->value, MAP_PSEUDONYM_LOCAL))
        return hub_node_fail(node, loader->reterr,
                             "a local pseudonym identifies nothing outside; shared would pass");
    return HUB_OK;
}

enum hub_status map_load_identifier(struct map_loader *loader, const struct hub_node *node,
                                    const struct hub_type *type, struct map_target *target) {
    static const char *const keys[] = {"scheme",  "classify", "scan", "value", "issuer",
                                       "version", "relation", "else", "except", NULL};
    struct map_identifier *identifier =
        hub_arena_take_zero(loader->arena, 1, sizeof *identifier);
    target->identifier = identifier;
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr,
                             "{scheme: NAME, value: PATH, relation: NAME} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_node *scheme = hub_node_get(node, "scheme");
    const struct hub_node *classify = hub_node_get(node, "classify");
    const struct hub_node *scan = hub_node_get(node, "scan");
    const struct hub_node *relation = hub_node_get(node, "relation");
    if ((scheme != NULL) + (classify != NULL) + (scan != NULL) != 1 || relation == NULL)
        return hub_node_fail(node, loader->reterr,
                             "one of scheme, classify and scan is needed, and 'relation'");
    identifier->scan = scan != NULL;
    HUB_TRY(load_schemes(loader, scheme != NULL ? scheme : classify != NULL ? classify : scan,
                         &identifier->schemes));
    HUB_TRY(load_relation(loader, relation, type, &identifier->relation));
    HUB_TRY(load_otherwise(loader, hub_node_get(node, "else"), type, identifier));
    HUB_TRY(load_optional_value(loader, hub_node_get(node, "value"), &identifier->value));
    HUB_TRY(load_optional_value(loader, hub_node_get(node, "issuer"), &identifier->issuer));
    HUB_TRY(load_optional_value(loader, hub_node_get(node, "version"), &identifier->version));
    HUB_TRY(load_optional_value(loader, hub_node_get(node, "except"), &identifier->except));
    for (size_t i = 0; identifier->schemes[i] != NULL; i++)
        if (identifier->schemes[i]->issuer != (identifier->issuer != NULL))
            return hub_node_fail(node, loader->reterr,
                                 identifier->schemes[i]->issuer
                                     ? "scheme %s needs an 'issuer'"
                                     : "scheme %s has no issuer",
                                 identifier->schemes[i]->name);
    return check_pseudonym(loader, node, identifier);
}

/* --- running --- */

struct judged {
    const struct hub_scheme *scheme;
    int relation;
    const char *value, *version; /* version NULL: none */
};

static void judge(struct map_run *run, const struct map_identifier *identifier, const char *raw,
                  struct judged *ret_judged) {
    for (size_t i = 0; identifier->schemes[i] != NULL; i++) {
        const struct hub_scheme *scheme = identifier->schemes[i];
        HUB_SCOPED_BUFFER normal = {0};
        struct hub_bytes version;
        size_t size =
            hub_scheme_normalise(scheme, hub_bytes_of_text(raw), &normal, &version);
        if (hub_scheme_judge(scheme, hub_bytes(normal.data, size)) != HUB_IDENTIFIER_VALID)
            continue;
        *ret_judged = (struct judged){
            scheme, identifier->relation,
            hub_arena_text(run->arena, (const char *)normal.data, size),
            version.size == 0
                ? NULL
                : hub_arena_text(run->arena, (const char *)version.data, version.size)};
        return;
    }
    *ret_judged = (struct judged){identifier->else_scheme, identifier->else_relation, raw, NULL};
}

static enum hub_status set_optional(avro_value_t *record, const char *name, const char *text) {
    avro_value_t slot, inner;
    if (avro_value_get_by_name(record, name, &slot, NULL) != 0 ||
        avro_value_set_branch(&slot, text == NULL ? 0 : 1, &inner) != 0)
        return HUB_FATAL;
    return (text == NULL ? avro_value_set_null(&inner) : avro_value_set_string(&inner, text)) == 0
               ? HUB_OK
               : HUB_FATAL;
}

static enum hub_status set_identifier(struct map_run *run, const struct judged *judged,
                                      const char *issuer, avro_value_t *record) {
    avro_value_t slot;
    bool set = avro_value_get_by_name(record, "scheme", &slot, NULL) == 0 &&
               avro_value_set_string(&slot, judged->scheme->name) == 0 &&
               avro_value_get_by_name(record, "value", &slot, NULL) == 0 &&
               avro_value_set_string(&slot, judged->value) == 0 &&
               avro_value_get_by_name(record, "relation", &slot, NULL) == 0 &&
               avro_value_set_enum(&slot, judged->relation) == 0;
    if (!set || set_optional(record, "issuer", issuer) != HUB_OK ||
        set_optional(record, "version", judged->version) != HUB_OK)
        return hub_fail(run->reterr, HUB_FATAL, "avro-c refuses an identifier: %s",
                        avro_strerror());
    return HUB_OK;
}

static enum hub_status read_issuer(struct map_run *run, const struct map_identifier *identifier,
                                   const struct hub_scope *scope, const char **ret_issuer) {
    *ret_issuer = NULL;
    if (identifier->issuer == NULL)
        return HUB_OK;
    HUB_TRY(map_value_text(run, identifier->issuer, scope, ret_issuer));
    if (*ret_issuer != NULL)
        return HUB_OK;
    run->code = "IDENTIFIER";
    return hub_fail(run->reterr, HUB_REJECT, "the issuer is absent");
}

static enum hub_status append_one(struct map_run *run, const struct map_identifier *identifier,
                                  const struct hub_scope *scope, const char *raw,
                                  avro_value_t *array, size_t *ret_count) {
    struct judged judged;
    const char *issuer = NULL, *version = NULL;
    avro_value_t element;
    judge(run, identifier, raw, &judged);
    if (judged.scheme == NULL || (judged.scheme->exclusive && run->key > 0))
        return HUB_OK;
    HUB_TRY(read_issuer(run, identifier, scope, &issuer));
    if (identifier->version != NULL)
        HUB_TRY(map_value_text(run, identifier->version, scope, &version));
    if (version != NULL)
        judged.version = version;
    if (avro_value_append(array, &element, NULL) != 0)
        return hub_fail(run->reterr, HUB_FATAL, "avro-c refuses an element: %s", avro_strerror());
    (*ret_count)++;
    return set_identifier(run, &judged, judged.scheme->issuer ? issuer : NULL, &element);
}

struct scan {
    struct map_run *run;
    const struct map_identifier *identifier;
    const struct hub_scope *scope;
    avro_value_t *array;
    size_t *count;
    size_t strings, found;
    const char *seen[SCAN_FOUND_MAX];
};

static bool seen_before(struct scan *scan, const char *value) {
    for (size_t i = 0; i < scan->found; i++)
        if (strcmp(scan->seen[i], value) == 0)
            return true;
    if (scan->found == SCAN_FOUND_MAX)
        return true;
    scan->seen[scan->found++] = value;
    return false;
}

static enum hub_status scan_text(struct scan *scan, struct hub_bytes text) {
    for (size_t i = 0; scan->identifier->schemes[i] != NULL; i++) {
        struct hub_bytes value;
        size_t from = 0;
        while (hub_scheme_scan(scan->identifier->schemes[i], text, from, &value, &from)) {
            const char *raw =
                hub_arena_text(scan->run->arena, (const char *)value.data, value.size);
            if (!seen_before(scan, raw))
                HUB_TRY(append_one(scan->run, scan->identifier, scan->scope, raw, scan->array,
                                   scan->count));
        }
    }
    return HUB_OK;
}

static enum hub_status scan_tree(struct scan *scan, const json_t *value) {
    size_t i;
    json_t *item;
    const char *key;
    if (json_is_string(value) && scan->strings++ < SCAN_STRINGS_MAX)
        return scan_text(scan, hub_bytes(json_string_value(value), json_string_length(value)));
    json_array_foreach((json_t *)value, i, item)
        HUB_TRY(scan_tree(scan, item));
    json_object_foreach((json_t *)value, key, item)
        HUB_TRY(scan_tree(scan, item));
    return HUB_OK;
}

static enum hub_status append_scanned(struct map_run *run, const struct map_identifier *identifier,
                                      const struct hub_scope *scope, avro_value_t *array,
                                      size_t *ret_count) {
    struct scan *scan = hub_arena_take_zero(run->arena, 1, sizeof *scan);
    *scan = (struct scan){.run = run,
                          .identifier = identifier,
                          .scope = scope,
                          .array = array,
                          .count = ret_count};
    const json_t **values = NULL;
    const char *except = NULL;
    size_t count = 0;
    if (identifier->except != NULL)
        HUB_TRY(map_value_text(run, identifier->except, scope, &except));
    if (except != NULL)
        seen_before(scan, except);
    if (identifier->value == NULL || identifier->value->path == NULL)
        return scan_tree(scan, scope->here);
    hub_path_find(identifier->value->path, scope, run->arena, &values, &count);
    identifier->value->filled |= count > 0;
    for (size_t i = 0; i < count; i++)
        HUB_TRY(scan_tree(scan, values[i]));
    return HUB_OK;
}

static enum hub_status list_values(struct map_run *run, const struct map_identifier *identifier,
                                   const struct hub_scope *scope, struct map_texts *ret_texts) {
    if (identifier->value != NULL)
        return map_value_texts(run, identifier->value, scope, ret_texts);
    const char **own = hub_arena_take(run->arena, sizeof *own);
    own[0] = hub_tree_text(scope->here, run->arena);
    *ret_texts = (struct map_texts){own, own[0] != NULL};
    return HUB_OK;
}

/* --- under each shared key --- */

/* The next of those that were in use before; false, and the one in use again, where there is none. */
static bool next_key(struct map_run *run, const struct map_identifier *identifier) {
    bool more = identifier->shared && run->key < run->mapping->config.keys->earlier_count;
    run->key = more ? run->key + 1 : 0;
    return more;
}

static bool is_among(const struct map_texts *texts, const char *text) {
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0)
            return true;
    return false;
}

/* What a value has beside pseudonyms is the same under every key, and is told once. */
static enum hub_status append_earlier(struct map_run *run, const struct map_identifier *identifier,
                                      const struct hub_scope *scope,
                                      const struct map_texts *told, avro_value_t *array,
                                      size_t *ret_count) {
    while (next_key(run, identifier)) {
        struct map_texts texts = {0};
        HUB_TRY(list_values(run, identifier, scope, &texts));
        for (size_t i = 0; i < texts.count; i++)
            if (!is_among(told, texts.items[i]))
                HUB_TRY(append_one(run, identifier, scope, texts.items[i], array, ret_count));
    }
    return HUB_OK;
}

static const char *first_text(struct map_run *run, const struct map_identifier *identifier,
                              const struct hub_scope *scope, size_t key) {
    struct map_texts texts = {0};
    size_t now = run->key;
    run->key = key;
    enum hub_status status = list_values(run, identifier, scope, &texts);
    run->key = now;
    return status != HUB_OK || texts.count == 0 ? "" : texts.items[0];
}

bool map_identifier_next_key(struct map_run *run, const struct map_target *target,
                             const struct hub_scope *scope) {
    const struct map_identifier *identifier = target->identifier;
    while (next_key(run, identifier))
        if (strcmp(first_text(run, identifier, scope, run->key),
                   first_text(run, identifier, scope, 0)) != 0)
            return true;
    return false;
}

enum hub_status map_identifiers_append(struct map_run *run, const struct map_target *target,
                                       const struct hub_scope *scope, avro_value_t *array,
                                       size_t *ret_count) {
    const struct map_identifier *identifier = target->identifier;
    struct map_texts texts = {0};
    if (identifier->scan)
        return append_scanned(run, identifier, scope, array, ret_count);
    HUB_TRY(list_values(run, identifier, scope, &texts));
    for (size_t i = 0; i < texts.count; i++)
        HUB_TRY(append_one(run, identifier, scope, texts.items[i], array, ret_count));
    return append_earlier(run, identifier, scope, &texts, array, ret_count);
}

bool map_identifier_states(struct map_run *run, const struct map_target *target,
                           const struct hub_scope *scope) {
    struct map_texts texts = {0};
    struct judged judged;
    if (list_values(run, target->identifier, scope, &texts) != HUB_OK)
        return true;
    if (texts.count == 0)
        return false;
    judge(run, target->identifier, texts.items[0], &judged);
    return judged.scheme != NULL;
}

/* A lone identifier, as in a link. */
enum hub_status map_identifier_fill(struct map_run *run, const struct map_target *target,
                                    const struct hub_scope *scope, avro_value_t *record,
                                    bool *ret_stated) {
    struct map_texts texts = {0};
    struct judged judged;
    const char *issuer = NULL;
    HUB_TRY(list_values(run, target->identifier, scope, &texts));
    *ret_stated = texts.count > 0;
    if (texts.count == 0)
        return HUB_OK;
    judge(run, target->identifier, texts.items[0], &judged);
    *ret_stated = judged.scheme != NULL;
    if (judged.scheme == NULL)
        return HUB_OK;
    HUB_TRY(read_issuer(run, target->identifier, scope, &issuer));
    return set_identifier(run, &judged, judged.scheme->issuer ? issuer : NULL, record);
}
