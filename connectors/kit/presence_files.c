/* What is there from outside: reading what connectors tell, and telling them. */
#include "connectors/kit/presence_files.h"

#include "connectors/kit/presence.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"
#include "schemas/lib/render.h"

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

static json_t *word_of(enum hub_wish wish, bool was_paused, const char *who, const char *reason) {
    struct hub_arena arena = {0};
    bool paused = wish == HUB_WISH_PAUSE || (wish == HUB_WISH_RETRY && was_paused);
    const char *why = hub_arena_format(&arena, "%s: %s", who, reason);
    json_t *word = json_pack("{s:b, s:s, s:I}", "paused", (int)paused, "why", why, "at",
                             (json_int_t)hub_clock_realtime_ms());
    hub_arena_destroy(&arena);
    return word;
}

/* A line behind those that are there, on the disk before the wish is: nothing is done that is not kept. */
static enum hub_status keep_wish(const char *folder, enum hub_wish wish, bool was_paused,
                                 const json_t *word, const char *who, const char *reason,
                                 struct hub_error *reterr) {
    static const char *const words[] = {"PAUSE", "RESUME", "RETRY"};
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER line = {0};
    HUB_SCOPED_BUFFER time = {0};
    hub_render_time(json_integer_value(json_object_get(word, "at")), &time);
    json_t *act = json_pack("{s:s, s:s, s:s, s:s, s:b, s:O}", "time", hub_buffer_text(&time), "wish",
                            words[wish], "who", who, "why", reason, "was_paused", (int)was_paused,
                            "paused", json_object_get(word, "paused"));
    if (act == NULL) {
        hub_arena_destroy(&arena);
        return hub_fail(reterr, HUB_REJECT, "the name or the reason is not UTF-8");
    }
    char *text = hub_need(json_dumps(act, JSON_COMPACT));
    hub_buffer_append_format(&line, "%s\n", text);
    enum hub_status status = hub_file_extend(hub_presence_path(folder, HUB_WISHES_FILE, &arena),
                                             hub_buffer_bytes(&line), reterr);
    if (status == HUB_OK)
        status = hub_file_sync_all(folder, reterr);
    free(text);
    json_decref(act);
    hub_arena_destroy(&arena);
    return status;
}

enum hub_status hub_presence_wish(const char *state_folder, const char *name, enum hub_wish wish,
                                  const char *who, const char *reason, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    const char *folder = hub_presence_folder(state_folder, name, &arena);
    json_t *before = hub_presence_load(folder, HUB_WISH_FILE);
    bool was_paused = json_is_true(json_object_get(before, "paused"));
    json_t *word = word_of(wish, was_paused, who, reason);
    enum hub_status status = HUB_OK;
    if (!hub_file_is_folder(folder))
        status = hub_fail(reterr, HUB_REJECT, "no connector '%s' has told anything in %s/connectors",
                          name, state_folder);
    else
        status = keep_wish(folder, wish, was_paused, word, who, reason, reterr);
    if (status == HUB_OK)
        status = hub_presence_write(folder, HUB_WISH_FILE, word, reterr);
    json_decref(before);
    json_decref(word);
    hub_arena_destroy(&arena);
    return status;
}
