#include "schemas/lib/lock.h"

#include "hub/base/text.h"
#include "schemas/lib/catalogue.h"

#include <string.h>

const struct hub_lock_entry *hub_lock_latest(const struct hub_lock *lock, const char *subject) {
    for (size_t i = lock->count; i > 0; i--)
        if (strcmp(lock->entries[i - 1].subject, subject) == 0)
            return &lock->entries[i - 1];
    return NULL;
}

static enum hub_status load_entry(const struct hub_node *node, const struct hub_lock *before,
                                  struct hub_lock_entry *entry, struct hub_error *reterr) {
    static const char *const keys[] = {"id", "subject", "version", "file", "sha256", NULL};
    int64_t id = 0, version = 0;
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, reterr, "an entry must be an object");
    HUB_TRY(hub_node_check_keys(node, keys, reterr));
    const struct hub_node *subject = hub_node_get(node, "subject");
    const struct hub_node *file = hub_node_get(node, "file");
    const struct hub_node *sha256 = hub_node_get(node, "sha256");
    bool whole = hub_node_to_long(hub_node_get(node, "id"), &id) &&
                 hub_node_to_long(hub_node_get(node, "version"), &version) && subject != NULL &&
                 file != NULL && sha256 != NULL && subject->text != NULL && file->text != NULL &&
                 sha256->text != NULL;
    if (!whole)
        return hub_node_fail(node, reterr, "id, subject, version, file and sha256 would pass");
    int64_t floor = before->count == 0 ? HUB_SCHEMA_ID_FIRST
                                       : (int64_t)before->entries[before->count - 1].id + 1;
    if (id < floor || id > INT32_MAX)
        return hub_node_fail(hub_node_get(node, "id"), reterr, "an id from %lld on would pass",
                             (long long)floor);
    const struct hub_lock_entry *latest = hub_lock_latest(before, subject->text);
    int64_t next = latest == NULL ? 1 : (int64_t)latest->version + 1;
    if (version != next)
        return hub_node_fail(hub_node_get(node, "version"), reterr,
                             "version %lld of '%s' would pass", (long long)next, subject->text);
    *entry = (struct hub_lock_entry){(int32_t)id, subject->text, (int32_t)version, file->text,
                                     sha256->text};
    return HUB_OK;
}

enum hub_status hub_lock_load(const struct hub_node *node, struct hub_arena *arena,
                              struct hub_lock *ret_lock, struct hub_error *reterr) {
    if (node->kind != HUB_NODE_SEQUENCE)
        return hub_node_fail(node, reterr, "a list of entries would pass");
    struct hub_lock lock = {.entries =
                                hub_arena_take_zero(arena, node->count, sizeof *lock.entries)};
    for (size_t i = 0; i < node->count; i++) {
        HUB_TRY(load_entry(node->items[i], &lock, &lock.entries[i], reterr));
        lock.count++;
    }
    *ret_lock = lock;
    return HUB_OK;
}

static void render_entry(const struct hub_lock_entry *entry, bool last,
                         struct hub_buffer *ret_text) {
    hub_buffer_append_format(ret_text, "  {\"id\": %d, \"subject\": ", entry->id);
    hub_text_append_json(hub_bytes_of_text(entry->subject), ret_text);
    hub_buffer_append_format(ret_text, ", \"version\": %d, \"file\": ", entry->version);
    hub_text_append_json(hub_bytes_of_text(entry->file), ret_text);
    hub_buffer_append_text(ret_text, ",\n   \"sha256\": ");
    hub_text_append_json(hub_bytes_of_text(entry->sha256), ret_text);
    hub_buffer_append_text(ret_text, last ? "}\n" : "},\n");
}

void hub_lock_render(const struct hub_lock *lock, const struct hub_lock_entry *added,
                     struct hub_buffer *ret_text) {
    hub_buffer_append_text(ret_text, "[\n");
    for (size_t i = 0; i < lock->count; i++)
        render_entry(&lock->entries[i], added == NULL && i + 1 == lock->count, ret_text);
    if (added != NULL)
        render_entry(added, /* last= */ true, ret_text);
    hub_buffer_append_text(ret_text, "]\n");
}
