/* What is there from outside: reading what connectors tell, and telling them. */
#include "connectors/kit/presence_files.h"

#include "connectors/kit/presence.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 1024 * 1024 };

const char *hub_presence_folder(const char *state_folder, const char *name,
                                struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/connectors/%s", state_folder, name);
}

const char *hub_presence_path(const char *folder, const char *file, struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/%s", folder, file);
}

json_t *hub_presence_load(const char *folder, const char *file) {
    struct hub_arena arena = {0};
    struct hub_error ignored;
    HUB_SCOPED_BUFFER text = {.size_max = FILE_SIZE_MAX};
    json_t *value = NULL;
    if (hub_file_read(hub_presence_path(folder, file, &arena), &text, &ignored) == HUB_OK)
        value = json_loadb((const char *)text.data, text.size, 0, NULL);
    hub_arena_destroy(&arena);
    return value;
}

enum hub_status hub_presence_write(const char *folder, const char *file, const json_t *value,
                                   struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char *text = hub_need(json_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS));
    enum hub_status status = hub_file_write(hub_presence_path(folder, file, &arena),
                                            hub_bytes_of_text(text), reterr);
    free(text);
    hub_arena_destroy(&arena);
    return status;
}

bool hub_presence_runs(const char *state_folder, const char *name) {
    struct hub_arena arena = {0};
    const char *folder = hub_presence_folder(state_folder, name, &arena);
    int lock = open(hub_presence_path(folder, HUB_LOCK_FILE, &arena), O_RDONLY | O_CLOEXEC);
    bool runs = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) != 0;
    if (lock >= 0)
        close(lock);
    hub_arena_destroy(&arena);
    return runs;
}

static bool has_ended(const char *state) {
    return state != NULL && (strcmp(state, "STOPPED") == 0 || strcmp(state, "FAILED") == 0);
}

json_t *hub_presence_read(const char *state_folder, const char *name) {
    struct hub_arena arena = {0};
    bool runs = hub_presence_runs(state_folder, name); /* first: it may end meanwhile, with a word */
    json_t *status = hub_presence_load(hub_presence_folder(state_folder, name, &arena),
                                       HUB_STATUS_FILE);
    hub_arena_destroy(&arena);
    if (status == NULL || runs ||
        has_ended(json_string_value(json_object_get(status, "state"))))
        return status;
    json_object_set_new(status, "state", json_string("FAILED"));
    json_object_set_new(status, "why", json_string("it ended without a word"));
    json_object_set_new(status, "next_try", json_null());
    return status;
}

json_t *hub_presence_names(const char *state_folder) {
    struct hub_arena arena = {0};
    struct hub_error ignored;
    char **names = NULL;
    size_t count = 0;
    json_t *list = json_array();
    const char *folder = hub_arena_format(&arena, "%s/connectors", state_folder);
    if (hub_file_list(folder, "", &arena, &names, &count, &ignored) == HUB_OK)
        for (size_t i = 0; i < count; i++)
            json_array_append_new(list, json_string(names[i]));
    hub_arena_destroy(&arena);
    return list;
}

static json_t *word_of(enum hub_wish wish, const json_t *before, const char *who,
                       const char *reason) {
    struct hub_arena arena = {0};
    bool paused = wish == HUB_WISH_PAUSE ||
                  (wish == HUB_WISH_RETRY && json_is_true(json_object_get(before, "paused")));
    const char *why = hub_arena_format(&arena, "%s: %s", who, reason);
    json_t *word = json_pack("{s:b, s:s, s:I}", "paused", (int)paused, "why", why, "at",
                             (json_int_t)hub_clock_realtime_ms());
    hub_arena_destroy(&arena);
    return word;
}

enum hub_status hub_presence_wish(const char *state_folder, const char *name, enum hub_wish wish,
                                  const char *who, const char *reason, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    const char *folder = hub_presence_folder(state_folder, name, &arena);
    json_t *before = hub_presence_load(folder, HUB_WISH_FILE);
    json_t *word = word_of(wish, before, who, reason);
    enum hub_status status = HUB_OK;
    if (!hub_file_is_folder(folder))
        status = hub_fail(reterr, HUB_REJECT, "no connector '%s' has told anything in %s/connectors",
                          name, state_folder);
    else
        status = hub_presence_write(folder, HUB_WISH_FILE, word, reterr);
    json_decref(before);
    json_decref(word);
    hub_arena_destroy(&arena);
    return status;
}
