/* Compiling the mapping against the schema: every field named exists, every value fits its type,
 * nothing required is missing. */
#include "connectors/kit/mapping_plan.h"

#include <stdio.h>
#include <string.h>

/* --- conditions --- */

static enum hub_status load_one_condition(struct map_loader *loader, const struct hub_node *node,
                                          struct map_condition *condition) {
    static const char *const keys[] = {"present", "absent", "path", "in", "not_in", NULL};
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr,
                             "{present: PATH}, {absent: PATH}, {path: PATH, in: [...]} or {path: "
                             "PATH, not_in: [...]} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_node *present = hub_node_get(node, "present");
    const struct hub_node *absent = hub_node_get(node, "absent");
    const struct hub_node *path = hub_node_get(node, "path");
    const struct hub_node *in = hub_node_get(node, "in");
    const struct hub_node *not_in = hub_node_get(node, "not_in");
    const struct hub_node *list = in != NULL ? in : not_in;
    condition->present = present != NULL;
    condition->absent = absent != NULL;
    condition->negated = not_in != NULL;
    bool one = (present != NULL) + (absent != NULL) + (path != NULL) == 1;
    if (!one || (path != NULL) != (list != NULL) || (in != NULL && not_in != NULL))
        return hub_node_fail(node, loader->reterr, "one of present, absent, and path with in or "
                             "not_in would pass");
    HUB_TRY(map_load_path(loader, present != NULL  ? present
                                  : absent != NULL ? absent
                                                   : path, &condition->path));
    if (list == NULL)
        return HUB_OK;
    size_t count = list->kind == HUB_NODE_SEQUENCE ? list->count : 1;
    const char **texts = hub_arena_take_zero(loader->arena, count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct hub_node *item = list->kind == HUB_NODE_SEQUENCE ? list->items[i] : list;
        if (item->kind != HUB_NODE_SCALAR)
            return hub_node_fail(item, loader->reterr, "a text would pass");
        texts[i] = item->text;
    }
    condition->texts = texts;
    return HUB_OK;
}

enum hub_status map_load_condition(struct map_loader *loader, const struct hub_node *node,
                                   struct map_condition **ret_condition) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    size_t count = list ? node->count : 1;
    struct map_condition *first = NULL;
    for (size_t i = count; i > 0; i--) {
        struct map_condition *condition =
            hub_arena_take_zero(loader->arena, 1, sizeof *condition);
        HUB_TRY(load_one_condition(loader, list ? node->items[i - 1] : node, condition));
        condition->next = first;
        first = condition;
    }
    *ret_condition = first;
    return HUB_OK;
}

/* --- records --- */

static enum hub_status load_key(struct map_loader *loader, const struct hub_node *node,
                                struct map_record *record) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    record->key_count = list ? node->count : 1;
    record->key =
        hub_arena_take_zero(loader->arena, record->key_count, sizeof *record->key);
    for (size_t i = 0; i < record->key_count; i++)
        HUB_TRY(map_load_value(loader, list ? node->items[i] : node, NULL, &record->key[i]));
    return HUB_OK;
}

/* {when: CONDITION, reason: TEXT} */
static enum hub_status load_reasoned(struct map_loader *loader, const struct hub_node *node,
                                     struct map_condition **ret_when, const char **ret_reason) {
    static const char *const keys[] = {"when", "reason", NULL};
    const struct hub_node *when = hub_node_get(node, "when");
    const struct hub_node *reason = hub_node_get(node, "reason");
    if (node->kind != HUB_NODE_MAPPING || when == NULL || reason == NULL ||
        reason->kind != HUB_NODE_SCALAR)
        return hub_node_fail(node, loader->reterr, "{when: CONDITION, reason: TEXT} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    *ret_reason = reason->text;
    return map_load_condition(loader, when, ret_when);
}

/* `tie: position` beside the value's own keys. */
static enum hub_status load_version(struct map_loader *loader, const struct hub_node *node,
                                    struct map_record *record) {
    struct hub_node rest = *node;
    record->version = hub_arena_take_zero(loader->arena, 1, sizeof *record->version);
    if (node->kind == HUB_NODE_MAPPING) {
        rest.items = hub_arena_take(loader->arena, (node->count + 1) * sizeof *rest.items);
        rest.keys = hub_arena_take(loader->arena, (node->count + 1) * sizeof *rest.keys);
        rest.count = 0;
        for (size_t i = 0; i < node->count; i++) {
            if (strcmp(node->keys[i]->text, "tie") != 0) {
                rest.keys[rest.count] = node->keys[i];
                rest.items[rest.count++] = node->items[i];
            } else if (hub_node_is_text(node->items[i], "position")) {
                record->tie_position = true;
            } else {
                return hub_node_fail(node->items[i], loader->reterr, "position would pass");
            }
        }
        if (rest.count == 0 && record->tie_position) {
            record->version->constant = ""; /* the position alone orders */
            record->version->source = MAP_CONSTANT;
            record->version->node = node;
            return HUB_OK;
        }
    }
    struct hub_node *kept = hub_arena_take(loader->arena, sizeof *kept);
    *kept = rest;
    HUB_TRY(map_load_value(loader, kept, NULL, record->version));
    record->version->time_as_text = record->version->time != NULL;
    return HUB_OK;
}

static enum hub_status load_stamp_time(struct map_loader *loader, const struct hub_node *record,
                                       const char *key, struct map_target **ret_target) {
    const struct hub_type *stamp =
        loader->mapping->config.domain->schema->root->fields[HUB_FIELD_STATEMENT].type;
    const struct hub_node *node = hub_node_get(record, key);
    int field = hub_type_field(stamp, key);
    if (node == NULL)
        return HUB_OK;
    return map_load_target(loader, node, stamp->fields[field].type, ret_target);
}

static enum hub_status load_record_each(struct map_loader *loader, const struct hub_node *node,
                                        struct map_record *record) {
    bool list = node->kind == HUB_NODE_SEQUENCE;
    if (list && node->count == 0)
        return hub_node_fail(node, loader->reterr, "a path or a list of paths would pass");
    record->each_count = list ? node->count : 1;
    record->each = hub_arena_take_zero(loader->arena, record->each_count, sizeof *record->each);
    for (size_t i = 0; i < record->each_count; i++)
        HUB_TRY(map_load_path(loader, list ? node->items[i] : node, &record->each[i]));
    return HUB_OK;
}

const char *const hub_mapping_record_keys[] = {"for_each",   "when",          "key",
                                               "version",    "event_time",    "recorded_time",
                                               "withdrawn",  "replaces",      "update",
                                               "fields",     "variants",      NULL};

/* The same values as those that the key begins with, so that a group's records are known by their
 * keys. */
static enum hub_status load_group(struct map_loader *loader, const struct hub_node *node,
                                  const struct hub_node *key, struct map_record *record) {
    static const char *const keys[] = {"group", NULL};
    if (node->kind == HUB_NODE_MAPPING)
        HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_node *group =
        node->kind == HUB_NODE_MAPPING ? hub_node_get(node, "group") : NULL;
    if (group == NULL)
        return hub_node_fail(node, loader->reterr, "{group: PATH or a list of them} would pass");
    size_t key_count = key->kind == HUB_NODE_SEQUENCE ? key->count : 1;
    size_t count = group->kind == HUB_NODE_SEQUENCE ? group->count : 1;
    bool fits = count > 0 && count <= key_count;
    for (size_t i = 0; fits && i < count; i++) {
        const struct hub_node *part = group->kind == HUB_NODE_SEQUENCE ? group->items[i] : group;
        const struct hub_node *of_key = key->kind == HUB_NODE_SEQUENCE ? key->items[i] : key;
        fits = part->kind == HUB_NODE_SCALAR && of_key->kind == HUB_NODE_SCALAR &&
               strcmp(part->text, of_key->text) == 0;
    }
    if (!fits)
        return hub_node_fail(group, loader->reterr,
                             "a group has the paths that the key begins with, in their order");
    record->group_count = count;
    return HUB_OK;
}

static enum hub_status load_record(struct map_loader *loader, const struct hub_node *node,
                                   struct map_record *record) {
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, loader->reterr, "an entry of 'records' must be a mapping");
    HUB_TRY(hub_node_check_keys(node, hub_mapping_record_keys, loader->reterr));
    record->node = node;
    const struct hub_node *each = hub_node_get(node, "for_each");
    const struct hub_node *when = hub_node_get(node, "when");
    const struct hub_node *key = hub_node_get(node, "key");
    const struct hub_node *version = hub_node_get(node, "version");
    const struct hub_node *withdrawn = hub_node_get(node, "withdrawn");
    const struct hub_node *fields = hub_node_get(node, "fields");
    const struct hub_node *replaces = hub_node_get(node, "replaces");
    const struct hub_node *update = hub_node_get(node, "update");
    if (key == NULL || version == NULL || fields == NULL)
        return hub_node_fail(node, loader->reterr, "'key', 'version' and 'fields' are needed");
    if (each != NULL)
        HUB_TRY(load_record_each(loader, each, record));
    if (when != NULL)
        HUB_TRY(map_load_condition(loader, when, &record->when));
    HUB_TRY(load_key(loader, key, record));
    HUB_TRY(load_version(loader, version, record));
    HUB_TRY(load_stamp_time(loader, node, "event_time", &record->event_time));
    HUB_TRY(load_stamp_time(loader, node, "recorded_time", &record->recorded_time));
    if (withdrawn != NULL)
        HUB_TRY(load_reasoned(loader, withdrawn, &record->withdrawn_when,
                              &record->withdrawn_reason));
    if (replaces != NULL)
        HUB_TRY(load_group(loader, replaces, key, record));
    if (update != NULL && !hub_node_is_text(update, "patch"))
        return hub_node_fail(update, loader->reterr, "patch would pass");
    record->patches = update != NULL;
    record->fields = hub_arena_take_zero(loader->arena, 1, sizeof *record->fields);
    *record->fields = (struct map_target){.node = fields,
                                          .kind = MAP_RECORD,
                                          .type = loader->mapping->config.domain->schema->root,
                                          .branch = -1,
                                          .null_branch = -1};
    HUB_TRY(map_load_parts(loader, fields, record->fields, /* whole= */ true));
    HUB_TRY(map_refuse_blank(loader));
    for (size_t i = 0; i < record->fields->part_count; i++) {
        const struct map_value *value = record->fields->parts[i].target->value;
        record->keeps_blanks |= value != NULL && value->blank_readings > 0;
    }
    if (record->patches && record->keeps_blanks)
        return hub_node_fail(update, loader->reterr, "a patch keeps what it does not speak of; without "
                             "'blank' it would pass");
    return HUB_OK;
}

/* --- variants --- */

/* Each is laid over what the entry says for all of them, and checked as a whole. */
static enum hub_status load_variants(struct map_loader *loader, const struct hub_node *node,
                                     const struct hub_node *variants) {
    static const char *const keys[] = {"when",          "key",       "version", "event_time",
                                       "recorded_time", "withdrawn", "fields",  NULL};
    struct hub_mapping *mapping = loader->mapping;
    for (size_t i = 0; i < variants->count; i++) {
        const struct hub_node *item = variants->items[i];
        struct map_record *record = &mapping->records[mapping->record_count++];
        if (item->kind != HUB_NODE_MAPPING)
            return hub_node_fail(item, loader->reterr, "{when: CONDITION, fields: {...}, ...} would "
                                 "pass");
        HUB_TRY(hub_node_check_keys(item, keys, loader->reterr));
        if (hub_node_get(item, "when") == NULL && i + 1 < variants->count)
            return hub_node_fail(item, loader->reterr, "without 'when' it takes everything, and "
                                 "those after it nothing; it would pass as the last");
        record->instead = i > 0;
        HUB_TRY(load_record(loader, map_lay_over(node, item, loader->arena), record));
    }
    return HUB_OK;
}

static enum hub_status load_records(struct map_loader *loader, const struct hub_node *node) {
    struct hub_mapping *mapping = loader->mapping;
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct hub_node *variants = hub_node_get(node->items[i], "variants");
        if (variants != NULL && (variants->kind != HUB_NODE_SEQUENCE || variants->count == 0))
            return hub_node_fail(variants, loader->reterr, "a list of {when: CONDITION, fields: "
                                 "{...}, ...} would pass");
        count += variants == NULL ? 1 : variants->count;
    }
    mapping->records = hub_arena_take_zero(loader->arena, count, sizeof *mapping->records);
    for (size_t i = 0; i < node->count; i++) {
        const struct hub_node *variants = hub_node_get(node->items[i], "variants");
        if (variants != NULL)
            HUB_TRY(load_variants(loader, node->items[i], variants));
        else
            HUB_TRY(load_record(loader, node->items[i],
                                &mapping->records[mapping->record_count++]));
    }
    return HUB_OK;
}

static enum hub_status load_skips(struct map_loader *loader, const struct hub_node *node) {
    struct hub_mapping *mapping = loader->mapping;
    if (node == NULL)
        return HUB_OK;
    if (node->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, loader->reterr, "a list of {when: CONDITION, reason: TEXT} "
                             "would pass");
    mapping->skips = hub_arena_take_zero(loader->arena, node->count, sizeof *mapping->skips);
    for (size_t i = 0; i < node->count; i++) {
        struct map_skip *skip = &mapping->skips[mapping->skip_count++];
        HUB_TRY(load_reasoned(loader, node->items[i], &skip->when, &skip->reason));
    }
    return HUB_OK;
}

/* As realloc, but nothing asked for is a free. */
static void *allocate_for_avro(void *context, void *memory, size_t old_size, size_t size) {
    (void)context;
    (void)old_size;
    return size == 0 ? hub_release(memory) : hub_reallocate(memory, size);
}

static enum hub_status load_avro(struct hub_mapping *mapping, struct hub_error *reterr) {
    const struct hub_schema *schema = mapping->config.domain->schema;
    avro_schema_error_t error;
    avro_set_allocator(allocate_for_avro, /* user_data= */ NULL);
    if (avro_schema_from_json(schema->text, (int32_t)schema->text_size, &mapping->schema, &error) !=
        0)
        return hub_fail(reterr, HUB_FATAL, "%s: avro-c refuses the schema: %s", schema->file,
                        avro_strerror());
    mapping->iface = avro_generic_class_from_schema(mapping->schema);
    return HUB_OK;
}

enum hub_status hub_mapping_load(const struct hub_mapping_config *config, struct hub_arena *arena,
                                 struct hub_mapping **ret_mapping, struct hub_error *reterr) {
    const struct hub_node *node = config->records;
    struct hub_mapping *mapping = hub_arena_take_zero(arena, 1, sizeof *mapping);
    struct map_loader loader = {.mapping = mapping, .arena = arena, .reterr = reterr};
    mapping->config = *config;
    mapping->arena = arena;
    if (node->kind != HUB_NODE_SEQUENCE || node->count == 0)
        return hub_node_fail(node, reterr, "'records' must be a list of at least one entry");
    enum hub_status status = load_skips(&loader, config->skip);
    if (status == HUB_OK)
        status = load_records(&loader, node);
    if (status == HUB_OK)
        status = load_avro(mapping, reterr);
    if (status != HUB_OK)
        hub_mapping_free(mapping);
    else
        *ret_mapping = mapping;
    return status;
}

void hub_mapping_free(struct hub_mapping *mapping) {
    if (mapping == NULL)
        return;
    for (struct map_value *value = mapping->values; value != NULL; value = value->next) {
        if (value->match != NULL)
            pcre2_code_free(value->match);
        map_forget_indexes(value->index);
    }
    map_forget_folders(mapping->folders);
    if (mapping->iface != NULL)
        avro_value_iface_decref(mapping->iface);
    if (mapping->schema != NULL)
        avro_schema_decref(mapping->schema);
}

bool hub_mapping_uses_keys(const struct hub_mapping *mapping) {
    for (const struct map_value *value = mapping->values; value != NULL; value = value->next)
        if (value->pseudonym != MAP_PSEUDONYM_NONE)
            return true;
    return mapping->seals;
}

bool hub_mapping_seals(const struct hub_mapping *mapping) {
    return mapping->seals;
}

struct hub_guard_told hub_mapping_told(const struct hub_mapping *mapping) {
    return mapping->told;
}
