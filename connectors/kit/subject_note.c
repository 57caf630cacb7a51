/* What becomes of a subject's key: it is held, or destroyed, and a note says so. */
#include "connectors/kit/subject.h"

#include "hub/io/file.h"
#include "schemas/lib/node.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_SIZE_MAX = 64 * 1024 };

static const char *const folders[] = {"erased", "held"};

static const char *path_of(const struct hub_keys *keys, enum hub_key_notes kind, const char *key_id,
                           struct hub_arena *arena) {
    assert(hub_key_id_is(key_id));
    return hub_arena_format(arena, "%s/%s/%s", keys->folder, folders[kind], key_id);
}

enum hub_status hub_key_note_write(const struct hub_keys *keys, enum hub_key_notes kind,
                                   const char *key_id, const struct hub_key_note *note,
                                   struct hub_error *reterr) {
    struct hub_arena arena = {0};
    json_t *json = hub_need(json_pack("{s:s?, s:s, s:s, s:I, s:b}", "basis", note->basis, "reason",
                                      note->reason, "by", note->by, "time_ms",
                                      (json_int_t)note->time_ms, "told", (int)note->told));
    char *text = hub_need(json_dumps(json, JSON_INDENT(1)));
    const char *folder = hub_arena_format(&arena, "%s/%s", keys->folder, folders[kind]);
    enum hub_status status = hub_file_make_folder(folder, reterr);
    if (status == HUB_OK)
        status = hub_file_write(path_of(keys, kind, key_id, &arena), hub_bytes_of_text(text), reterr);
    free(text);
    json_decref(json);
    hub_arena_destroy(&arena);
    return status;
}

static const char *text_in(const struct hub_node *file, const char *name) {
    const struct hub_node *node = hub_node_get(file, name);
    return node == NULL || hub_node_is_null(node) ? NULL : node->text;
}

enum hub_status hub_key_note_read(const struct hub_keys *keys, enum hub_key_notes kind,
                                  const char *key_id, struct hub_arena *arena,
                                  struct hub_key_note *ret_note, bool *ret_found,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {.size_max = NOTE_SIZE_MAX};
    struct hub_node *file = NULL;
    const char *path = path_of(keys, kind, key_id, arena);
    *ret_found = access(path, F_OK) == 0;
    if (!*ret_found)
        return HUB_OK;
    if (hub_file_read_unlinked(path, &text, reterr) != HUB_OK ||
        hub_node_parse(hub_buffer_bytes(&text), path, arena, &file, reterr) != HUB_OK)
        return HUB_FATAL;
    *ret_note = (struct hub_key_note){.basis = text_in(file, "basis"),
                                      .reason = text_in(file, "reason"),
                                      .by = text_in(file, "by")};
    const struct hub_node *time = hub_node_get(file, "time_ms"), *told = hub_node_get(file, "told");
    if (ret_note->reason == NULL || ret_note->by == NULL || time == NULL || told == NULL ||
        !hub_node_to_long(time, &ret_note->time_ms) || !hub_node_to_bool(told, &ret_note->told))
        return hub_node_fail(file, reterr, "reason, by, time_ms and told would pass");
    return HUB_OK;
}

enum hub_status hub_key_note_remove(const struct hub_keys *keys, enum hub_key_notes kind,
                                    const char *key_id, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    enum hub_status status = hub_file_remove(path_of(keys, kind, key_id, &arena), reterr);
    hub_arena_destroy(&arena);
    return status;
}

enum hub_status hub_key_notes_list(const struct hub_keys *keys, enum hub_key_notes kind,
                                   struct hub_arena *arena, char ***ret_ids, size_t *ret_count,
                                   struct hub_error *reterr) {
    const char *folder = hub_arena_format(arena, "%s/%s", keys->folder, folders[kind]);
    char **names = NULL;
    size_t count = 0, kept = 0;
    *ret_count = 0;
    if (!hub_file_is_folder(folder))
        return HUB_OK;
    HUB_TRY(hub_file_list(folder, "", arena, &names, &count, reterr));
    for (size_t i = 0; i < count; i++)
        if (hub_key_id_is(names[i]))
            names[kept++] = names[i];
    *ret_ids = names;
    *ret_count = kept;
    return HUB_OK;
}

enum hub_status hub_subject_destroy(const struct hub_keys *keys, const struct hub_subject *subject,
                                    struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_key_note note;
    int lock = -1;
    bool held = false;
    const char *path = hub_arena_format(&arena, "%s/subjects/%s", keys->folder, subject->name);
    enum hub_status status = hub_subjects_lock(keys, &lock, reterr);
    if (status == HUB_OK)
        status = hub_key_note_read(keys, HUB_KEYS_HELD, subject->key_id, &arena, &note, &held, reterr);
    if (status == HUB_OK && held)
        status = hub_fail(reterr, HUB_REJECT, "key %s is held by %s: %s", subject->key_id, note.by,
                          note.reason);
    if (status == HUB_OK) /* what a crash may have left of its writing */
        status = hub_file_erase(hub_arena_format(&arena, "%s.tmp", path), reterr);
    if (status == HUB_OK)
        status = hub_file_erase(path, reterr);
    if (lock >= 0)
        close(lock);
    hub_arena_destroy(&arena);
    return status;
}
