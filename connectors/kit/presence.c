#include "connectors/kit/presence.h"

#include "connectors/kit/presence_files.h"
#include "hub/base/memory.h"
#include "hub/io/back_off.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"
#include "hub/io/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MOVING_INTERVAL_MS = 10000, LOOK_INTERVAL_MS = 500 };

static const char *const state_words[] = {"RUNNING", "PAUSED", "STOPPED", "FAILED", "RESTARTING"};
static const char *const source_words[] = {"UNKNOWN", "READING", "IDLE", "STALLED"};

struct hub_presence {
    char *folder;
    int lock; /* -1: another process has it, or there is no folder */
    json_t *status;
    enum hub_run_state state;
    enum hub_source_state source;
    bool is_written; /* the file says it all, but for what moves */
    bool failed;     /* the file could not be written, which has been said */
    int64_t written_ms, looked_ms;
    json_t *wish; /* as it was read last, or NULL */
    int64_t wish_modified_ns;
};

/* --- telling --- */

static void write_status(struct hub_presence *presence) {
    struct hub_error error;
    if (presence->lock < 0)
        return;
    json_object_set_new(presence->status, "state", json_string(state_words[presence->state]));
    json_object_set_new(presence->status, "source", json_string(source_words[presence->source]));
    enum hub_status status =
        hub_presence_write(presence->folder, HUB_STATUS_FILE, presence->status, &error);
    if (status != HUB_OK && !presence->failed)
        hub_log(HUB_LOG_WARNING, "status_not_written", "%s", error.text);
    presence->failed = status != HUB_OK;
    presence->is_written = true;
    presence->written_ms = hub_clock_monotonic_ms();
}

/* What moves all the time is written now and then. */
static void write_moved(struct hub_presence *presence) {
    if (!presence->is_written ||
        hub_clock_monotonic_ms() - presence->written_ms >= MOVING_INTERVAL_MS)
        write_status(presence);
}

static void set_time(struct hub_presence *presence, const char *name, int64_t time_ms) {
    json_object_set_new(presence->status, name,
                        time_ms == 0 ? json_null() : json_integer(time_ms));
}

static void set_text(struct hub_presence *presence, const char *name, const char *text) {
    json_object_set_new(presence->status, name, text == NULL ? json_null() : json_string(text));
}

struct hub_presence *hub_presence_open(const char *state_folder, const char *name) {
    struct hub_presence *presence = hub_allocate_zero(1, sizeof *presence);
    struct hub_arena arena = {0};
    struct hub_error error;
    presence->folder = hub_copy_text(hub_presence_folder(state_folder, name, &arena));
    presence->status = json_pack("{s:s, s:i}", "connector", name, "process", (int)getpid());
    presence->lock = -1;
    if (hub_file_make_folder(presence->folder, &error) != HUB_OK)
        hub_log(HUB_LOG_WARNING, "status_not_written", "%s", error.text);
    else
        presence->lock = open(hub_presence_path(presence->folder, HUB_LOCK_FILE, &arena),
                              O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (presence->lock >= 0 && flock(presence->lock, LOCK_EX | LOCK_NB) != 0) {
        hub_log(HUB_LOG_WARNING, "runs_twice", "another process of this connector runs here, too");
        close(presence->lock);
        presence->lock = -1;
    }
    hub_arena_destroy(&arena);
    presence->state = HUB_RESTARTING;
    set_time(presence, "since", hub_clock_realtime_ms());
    write_status(presence);
    return presence;
}

void hub_presence_close(struct hub_presence *presence, enum hub_run_state state, const char *why) {
    if (presence == NULL)
        return;
    hub_presence_tell(presence, state, why);
    if (presence->lock >= 0)
        close(presence->lock);
    json_decref(presence->status);
    json_decref(presence->wish);
    hub_release(presence->folder);
    hub_release(presence);
}

static bool is_same_text(const json_t *value, const char *text) {
    const char *own = json_string_value(value);
    return own == NULL || text == NULL ? own == text : strcmp(own, text) == 0;
}

void hub_presence_tell(struct hub_presence *presence, enum hub_run_state state, const char *why) {
    if (state == presence->state && is_same_text(json_object_get(presence->status, "why"), why))
        return;
    if (state != presence->state)
        set_time(presence, "since", hub_clock_realtime_ms());
    presence->state = state;
    set_text(presence, "why", why);
    write_status(presence);
}

void hub_presence_tell_source(struct hub_presence *presence, enum hub_source_state source,
                              const char *why) {
    int64_t now_ms = hub_clock_realtime_ms();
    bool changed = source != presence->source;
    if (changed)
        set_time(presence, "source_since", now_ms);
    if (source != HUB_SOURCE_STALLED)
        set_time(presence, "reached", now_ms);
    presence->source = source;
    set_text(presence, "source_why", why);
    presence->is_written &= !changed;
    write_moved(presence);
}

void hub_presence_tell_position(struct hub_presence *presence, const char *position,
                                int64_t sequence, const json_t *counts) {
    set_text(presence, "position", position);
    json_object_set_new(presence->status, "sequence", json_integer(sequence));
    json_object_set_new(presence->status, "counts", json_deep_copy(counts));
    write_moved(presence);
}

/* --- being told --- */

/* Whether it is another wish than before. */
static bool look_for_wish(struct hub_presence *presence) {
    struct hub_arena arena = {0};
    struct hub_file_facts facts = {0};
    struct hub_error ignored;
    const char *path = hub_presence_path(presence->folder, HUB_WISH_FILE, &arena);
    bool changed = hub_file_facts(path, &facts, &ignored) == HUB_OK &&
                   facts.modified_ns != presence->wish_modified_ns;
    hub_arena_destroy(&arena);
    presence->looked_ms = hub_clock_monotonic_ms();
    if (!changed)
        return false;
    presence->wish_modified_ns = facts.modified_ns;
    json_decref(presence->wish);
    presence->wish = hub_presence_load(presence->folder, HUB_WISH_FILE);
    return true;
}

bool hub_presence_is_paused(struct hub_presence *presence, const char **ret_why) {
    if (hub_clock_monotonic_ms() - presence->looked_ms >= LOOK_INTERVAL_MS)
        look_for_wish(presence);
    *ret_why = json_string_value(json_object_get(presence->wish, "why"));
    return json_is_true(json_object_get(presence->wish, "paused"));
}

void hub_presence_wait_ms(struct hub_presence *presence, int64_t milliseconds) {
    int64_t until_ms = hub_clock_monotonic_ms() + milliseconds, left_ms = milliseconds;
    bool ended = false;
    set_time(presence, "next_try", hub_clock_realtime_ms() + milliseconds);
    write_status(presence);
    while (left_ms > 0 && !ended) {
        ended = !hub_pause_ms(left_ms < LOOK_INTERVAL_MS ? left_ms : LOOK_INTERVAL_MS) ||
                look_for_wish(presence);
        left_ms = until_ms - hub_clock_monotonic_ms();
    }
    set_time(presence, "next_try", 0);
    presence->is_written = false;
}
