/* What another part of the document says: FHIR names a resource of its bundle by a reference, XML an
 * element by its id.
 *
 * The parts are found by their names in a table that is made once for a document and a place, so that a
 * document of many references takes no more work than it has parts. */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/table.h"

#include <string.h>

enum { FROM, BY, TAKE };

static const char *const keys[] = {"from", "by", "take", "among", "else", NULL};

struct named {
    UT_hash_handle hh;
    const json_t *part;
};

/* What is named how, among the parts that one place leads to. */
struct map_index {
    const struct map_value *value;
    const json_t *place;
    struct named *parts;
    struct map_index *next;
};

enum hub_status map_load_ref(struct map_loader *loader, const struct hub_node *node,
                             struct map_value *value) {
    value->source = MAP_REF;
    if (node->kind != HUB_NODE_MAPPING || node->count != sizeof keys / sizeof *keys - 1)
        return hub_node_fail(node, loader->reterr, "{from: VALUE, among: PATH, by: VALUE, take: VALUE, "
                             "else: reject or null} would pass");
    HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    const struct hub_node *otherwise = hub_node_get(node, "else");
    value->part_count = MAP_REF_PARTS;
    value->parts = hub_arena_take_zero(loader->arena, MAP_REF_PARTS, sizeof *value->parts);
    for (size_t i = 0; i < MAP_REF_PARTS; i++)
        HUB_TRY(map_load_value(loader, hub_node_get(node, keys[i]), NULL, &value->parts[i]));
    value->ref_is_optional = hub_node_is_null(otherwise) || hub_node_is_text(otherwise, "null");
    if (!value->ref_is_optional && !hub_node_is_text(otherwise, "reject"))
        return hub_node_fail(otherwise, loader->reterr, "reject or null would pass");
    return hub_path_parse(hub_node_get(node, "among"), loader->arena, &value->path, loader->reterr);
}

static struct hub_scope scope_of(const json_t *part, const struct hub_scope *scope) {
    return (struct hub_scope){part, scope, scope->context, scope->read, scope->met_null};
}

/* Of two of one name the first is meant. */
static enum hub_status name_parts(struct map_run *run, struct map_value *value,
                                  const struct hub_scope *scope, struct map_index *index) {
    const json_t **parts = NULL;
    size_t count = 0;
    hub_path_find(value->path, scope, run->arena, &parts, &count);
    for (size_t i = 0; i < count; i++) {
        struct hub_scope inner = scope_of(parts[i], scope);
        struct map_texts names = {0};
        HUB_TRY(map_value_texts(run, &value->parts[BY], &inner, &names));
        for (size_t k = 0; k < names.count; k++) {
            struct named *named = NULL;
            HASH_FIND_STR(index->parts, names.items[k], named);
            if (named != NULL)
                continue;
            named = hub_arena_take_zero(run->arena, 1, sizeof *named);
            named->part = parts[i];
            HASH_ADD_KEYPTR(hh, index->parts, names.items[k], strlen(names.items[k]), named);
        }
    }
    return HUB_OK;
}

static enum hub_status need_index(struct map_run *run, struct map_value *value,
                                  const struct hub_scope *scope, struct map_index **ret_index) {
    const json_t *place = hub_path_start(value->path, scope);
    struct map_index *index = *run->indexes;
    while (index != NULL && (index->value != value || index->place != place))
        index = index->next;
    *ret_index = index;
    if (index != NULL)
        return HUB_OK;
    index = hub_arena_take_zero(run->arena, 1, sizeof *index);
    *index = (struct map_index){.value = value, .place = place, .next = *run->indexes};
    *ret_index = *run->indexes = index;
    return name_parts(run, value, scope, index);
}

enum hub_status map_ref_texts(struct map_run *run, struct map_value *value,
                              const struct hub_scope *scope, struct map_texts *ret_texts) {
    struct map_texts names = {0}, texts = {0};
    struct map_index *index = NULL;
    *ret_texts = texts;
    HUB_TRY(map_value_texts(run, &value->parts[FROM], scope, &names));
    if (names.count == 0)
        return HUB_OK;
    HUB_TRY(need_index(run, value, scope, &index));
    for (size_t i = 0; i < names.count; i++) {
        struct named *named = NULL;
        struct map_texts taken = {0};
        HASH_FIND_STR(index->parts, names.items[i], named);
        if (named != NULL) {
            struct hub_scope inner = scope_of(named->part, scope);
            value->filled = true;
            HUB_TRY(map_value_texts(run, &value->parts[TAKE], &inner, &taken));
        } else if (!value->ref_is_optional) {
            run->code = "REFERENCE";
            return hub_fail(run->reterr, HUB_REJECT,
                            "nothing among %s is called as the reference of line %zu says; a document "
                            "that has it too would pass", hub_path_text(value->path),
                            value->node->line);
        }
        map_texts_append(run, ret_texts, &taken);
    }
    return HUB_OK;
}

void map_forget_indexes(struct map_index *indexes) {
    for (struct map_index *index = indexes; index != NULL; index = index->next)
        HASH_CLEAR(hh, index->parts);
}
