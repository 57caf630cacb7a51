/* The documents of a folder, among whose parts `ref` looks. */
#include "connectors/kit/mapping_plan.h"

#include "hub/io/file.h"

#include <string.h>

enum { FILES_MAX = 10000, FOLDER_SIZE_MAX = 64 * 1024 * 1024 };

/* One that cannot be read, or not all of it, is for a person: what its parts are called nobody knows. */
static enum hub_status parse(const struct hub_mapping_config *config, const char *path,
                             struct hub_bytes bytes, json_t **ret_tree,
                             struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_parsed parsed = {0};
    enum hub_status status =
        config->format->parse(config->format_options, bytes, &arena, &parsed, reterr);
    if (status != HUB_OK)
        hub_fail_at(reterr, HUB_FATAL, "%s", path);
    else if (parsed.error_count > 0)
        status = hub_fail(reterr, HUB_FATAL, "%s: line %zu: %s", path, parsed.errors[0].line,
                          parsed.errors[0].text);
    if (status == HUB_OK)
        *ret_tree = parsed.tree;
    else
        json_decref(parsed.tree);
    hub_arena_destroy(&arena);
    return status == HUB_OK ? HUB_OK : HUB_FATAL;
}

static enum hub_status read_file(const struct hub_mapping_config *config, const char *path,
                                 size_t *size, json_t **ret_tree, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_DOCUMENT_SIZE_MAX};
    if (hub_file_read(path, &bytes, reterr) != HUB_OK)
        return HUB_FATAL; /* one that is too large is for a person, too */
    *size += bytes.size;
    if (*size > FOLDER_SIZE_MAX)
        return hub_fail(reterr, HUB_FATAL, "%s: with those before it %zu bytes; at most %d in all would "
                        "pass", path, *size, FOLDER_SIZE_MAX);
    return parse(config, path, hub_buffer_bytes(&bytes), ret_tree, reterr);
}

static enum hub_status read_all(struct map_loader *loader, struct map_folder *folder,
                                struct hub_error *reterr) {
    struct hub_mapping *mapping = loader->mapping;
    char **names = NULL;
    size_t count = 0, size = 0;
    HUB_TRY(hub_file_list(folder->path, "", loader->arena, &names, &count, reterr));
    if (count > FILES_MAX)
        return hub_fail(reterr, HUB_FATAL, "%s: %zu files; at most %d would pass", folder->path, count,
                        FILES_MAX);
    folder->trees = hub_arena_take_zero(loader->arena, count + 1, sizeof(json_t *));
    for (size_t i = 0; i < count; i++) {
        const char *path = hub_arena_format(loader->arena, "%s/%s", folder->path, names[i]);
        json_t *tree = NULL;
        if (hub_file_is_folder(path))
            continue;
        HUB_TRY(read_file(&mapping->config, path, &size, &tree, reterr));
        folder->trees[folder->count++] = tree;
        hub_guard_listen(tree, &mapping->told);
    }
    return HUB_OK;
}

enum hub_status map_load_folder(struct map_loader *loader, const struct hub_node *node,
                                struct map_folder **ret_folder) {
    struct hub_mapping *mapping = loader->mapping;
    struct hub_error inner;
    if (node->kind != HUB_NODE_SCALAR || node->text_size == 0)
        return hub_node_fail(node, loader->reterr, "the path of a folder would pass");
    const char *path = hub_file_resolve(mapping->config.folder, node->text, loader->arena);
    for (struct map_folder *known = mapping->folders; known != NULL; known = known->next)
        if (strcmp(known->path, path) == 0) {
            *ret_folder = known;
            return HUB_OK;
        }
    struct map_folder *folder = hub_arena_take_zero(loader->arena, 1, sizeof *folder);
    folder->path = path;
    folder->next = mapping->folders;
    *ret_folder = mapping->folders = folder;
    if (read_all(loader, folder, &inner) != HUB_OK)
        return hub_node_fail(node, loader->reterr, "%s", inner.text);
    return HUB_OK;
}

void map_forget_folders(struct map_folder *folder) {
    for (; folder != NULL; folder = folder->next)
        for (size_t i = 0; i < folder->count; i++)
            json_decref(folder->trees[i]);
}
