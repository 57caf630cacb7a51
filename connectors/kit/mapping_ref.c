/* What another part of the document says: FHIR names a resource of its bundle by a reference, XML an
 * element by its id.
 *
 * The parts are found by their names in a table that is made once for a document and a place, so that a
 * document of many references takes no more work than it has parts. With `folder` the parts are those of
 * documents that were read with the configuration, and so is the table. */
#include "connectors/kit/mapping_plan.h"

#include "hub/base/table.h"

#include <string.h>

enum { FROM, BY, TAKE };

static const char *const keys[] = {"from", "by", "take", "among", "else", "folder", NULL};
enum { NEEDED = 5 }; /* the first of the keys */

struct named {
    UT_hash_handle hh;
    const json_t *part;
    const json_t *document; /* of a folder; NULL: the one at hand */
};

/* What is named how, among the parts that one place leads to. */
struct map_index {
    const struct map_value *value;
    const json_t *place;
    struct named *parts;
    struct map_index *next;
};

static struct hub_scope scope_of(const json_t *part, const struct hub_scope *scope) {
    return (struct hub_scope){part, scope, scope->context, scope->read, scope->met_null};
}

/* Of two of one name the first is meant. */
static enum hub_status name_parts(struct map_run *run, struct map_value *value,
                                  const struct hub_scope *scope, const json_t *document,
                                  struct map_index *index) {
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
            named->document = document;
            HASH_ADD_KEYPTR(hh, index->parts, names.items[k], strlen(names.items[k]), named);
        }
    }
    return HUB_OK;
}

/* Once and for all: nothing of it hangs on the document at hand. */
static enum hub_status name_folder(struct map_loader *loader, const struct hub_node *node,
                                   struct map_value *value) {
    struct map_index *within = NULL; /* of what `by` refers to */
    struct hub_error inner;
    bool met_null = false;
    struct map_run run = {.mapping = loader->mapping,
                          .arena = loader->arena,
                          .reterr = &inner,
                          .met_null = &met_null,
                          .indexes = &within};
    enum hub_status status = HUB_OK;
    value->index = hub_arena_take_zero(loader->arena, 1, sizeof *value->index);
    for (size_t i = 0; i < value->folder->count && status == HUB_OK; i++) {
        const json_t *document = value->folder->trees[i];
        struct hub_scope scope = {.here = document, .met_null = &met_null};
        status = name_parts(&run, value, &scope, document, value->index);
    }
    map_forget_indexes(within);
    return status == HUB_OK ? HUB_OK
                            : hub_node_fail(node, loader->reterr, "%s: what its parts are called: %s",
                                            value->folder->path, inner.text);
}

/* What is around a record, and the facts of its request, are not around a document of a folder. */
static enum hub_status check_among(const struct map_loader *loader, const struct hub_node *node,
                                   const struct map_value *value) {
    json_t *document = json_object();
    struct hub_scope scope = {.here = document};
    bool within = hub_path_start(value->path, &scope) != NULL;
    json_decref(document);
    if (within)
        return HUB_OK;
    return hub_node_fail(node, loader->reterr, "with 'folder' a path from the beginning of each document "
                         "would pass, without ^ and facts such as @request");
}

static enum hub_status check_shape(const struct map_loader *loader, const struct hub_node *node) {
    bool whole = node->kind == HUB_NODE_MAPPING;
    if (whole)
        HUB_TRY(hub_node_check_keys(node, keys, loader->reterr));
    for (size_t i = 0; i < NEEDED; i++)
        whole = whole && hub_node_get(node, keys[i]) != NULL;
    if (whole)
        return HUB_OK;
    return hub_node_fail(node, loader->reterr, "{from: VALUE, among: PATH, by: VALUE, take: VALUE, else: "
                         "reject or null} would pass, with folder: PATH for parts of other documents");
}

enum hub_status map_load_ref(struct map_loader *loader, const struct hub_node *node,
                             struct map_value *value) {
    value->source = MAP_REF;
    HUB_TRY(check_shape(loader, node));
    const struct hub_node *folder = hub_node_get(node, "folder");
    const struct hub_node *otherwise = hub_node_get(node, "else");
    value->part_count = MAP_REF_PARTS;
    value->parts = hub_arena_take_zero(loader->arena, MAP_REF_PARTS, sizeof *value->parts);
    for (size_t i = 0; i < MAP_REF_PARTS; i++)
        HUB_TRY(map_load_value(loader, hub_node_get(node, keys[i]), NULL, &value->parts[i]));
    value->ref_is_optional = hub_node_is_null(otherwise) || hub_node_is_text(otherwise, "null");
    if (!value->ref_is_optional && !hub_node_is_text(otherwise, "reject"))
        return hub_node_fail(otherwise, loader->reterr, "reject or null would pass");
    HUB_TRY(hub_path_parse(hub_node_get(node, "among"), loader->arena, &value->path, loader->reterr));
    if (folder == NULL)
        return HUB_OK;
    HUB_TRY(check_among(loader, hub_node_get(node, "among"), value));
    HUB_TRY(map_load_folder(loader, folder, &value->folder));
    return name_folder(loader, folder, value);
}

static enum hub_status need_index(struct map_run *run, struct map_value *value,
                                  const struct hub_scope *scope, struct map_index **ret_index) {
    const json_t *place = hub_path_start(value->path, scope);
    struct map_index *index = *run->indexes;
    *ret_index = value->index;
    if (value->index != NULL)
        return HUB_OK;
    while (index != NULL && (index->value != value || index->place != place))
        index = index->next;
    *ret_index = index;
    if (index != NULL)
        return HUB_OK;
    index = hub_arena_take_zero(run->arena, 1, sizeof *index);
    *index = (struct map_index){.value = value, .place = place, .next = *run->indexes};
    *ret_index = *run->indexes = index;
    return name_parts(run, value, scope, /* document= */ NULL, index);
}

static enum hub_status unresolved(struct map_run *run, const struct map_value *value) {
    run->code = "REFERENCE";
    return hub_fail(run->reterr, HUB_REJECT, "nothing among %s%s%s is called as the reference of line "
                    "%zu says; %s", hub_path_text(value->path),
                    value->folder == NULL ? "" : " in the documents of ",
                    value->folder == NULL ? "" : value->folder->path, value->node->line,
                    value->folder == NULL ? "a document that has it too would pass"
                                          : "one that is there before the connector is started would pass");
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
            struct hub_scope around = {.here = named->document, .met_null = scope->met_null};
            struct hub_scope inner =
                scope_of(named->part, named->document == NULL ? scope : &around);
            value->filled = true;
            HUB_TRY(map_value_texts(run, &value->parts[TAKE], &inner, &taken));
        } else if (!value->ref_is_optional) {
            return unresolved(run, value);
        }
        map_texts_append(run, ret_texts, &taken);
    }
    return HUB_OK;
}

void map_forget_indexes(struct map_index *indexes) {
    for (struct map_index *index = indexes; index != NULL; index = index->next)
        HASH_CLEAR(hh, index->parts);
}
