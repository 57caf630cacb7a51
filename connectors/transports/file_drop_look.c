#include "connectors/kit/format.h"
#include "connectors/transports/file_drop.h"

#include <string.h>

bool file_drop_is_snapshot(const struct file_drop_options *options) {
    return strcmp(options->mode, "snapshot") == 0;
}

/* --- what cannot be read --- */

static void note_trouble(struct file_drop_looking *looking, const struct hub_error *why) {
    if (!looking->troubled)
        looking->why = *why;
    looking->troubled = true;
}

enum hub_status file_drop_take_result(struct file_drop_looking *looking,
                                      enum hub_drop_result result, const struct hub_error *why) {
    switch (result) {
    case HUB_DROP_DONE:
        return HUB_OK;
    case HUB_DROP_CHANGED:
        return HUB_RETRY;
    case HUB_DROP_TOO_LARGE:
        return HUB_REJECT;
    case HUB_DROP_AWAY:
        looking->away = true;
        note_trouble(looking, why);
        return HUB_RETRY;
    case HUB_DROP_UNREADABLE:
        note_trouble(looking, why);
        return HUB_RETRY;
    case HUB_DROP_FATAL:
        looking->why = *why;
        return HUB_FATAL;
    }
    return HUB_FATAL;
}

/* A place that cannot be reached has what it had. */
static void keep_place(struct file_drop_looking *looking, const struct hub_drop_place *place) {
    size_t size = strlen(place->address);
    const char *path = NULL;
    json_t *known = NULL;
    json_object_foreach(looking->state->files, path, known)
        if (strncmp(path, place->address, size) == 0 && path[size] == '/' &&
            strchr(path + size + 1, '/') == NULL && json_object_get(looking->there, path) == NULL)
            json_object_set(looking->there, path, known);
}

/* --- waiting --- */

int64_t file_drop_seen_ms(struct file_drop_looking *looking, const char *path, const char *mark) {
    int64_t now_ms = looking->state->env.monotonic_ms();
    json_t *seen = json_object_get(looking->state->seen, path);
    const char *before = json_string_value(json_object_get(seen, "mark"));
    seen = before != NULL && strcmp(before, mark) == 0
               ? json_incref(seen)
               : json_pack("{s:s, s:I}", "mark", mark, "since", (json_int_t)now_ms);
    json_object_set_new(looking->seen, path, seen);
    return now_ms - json_integer_value(json_object_get(seen, "since"));
}

/* Whether nobody writes it any more. Where clocks differ a file's time may lie ahead for long: then
 * it counts how long it has been seen unchanged. */
bool file_drop_is_settled(struct file_drop_looking *looking, const struct hub_drop_place *place,
                          const struct hub_drop_file *file, const char *path) {
    int64_t now_ms = looking->state->env.realtime_ms();
    if (file->modified_ms <= now_ms)
        return file->modified_ms + place->settle_ms <= now_ms;
    return file_drop_seen_ms(looking, path, file->mark) >= place->settle_ms;
}

static bool are_settled(struct file_drop_looking *looking,
                        const struct file_drop_candidate *file) {
    bool settled = file_drop_is_settled(looking, file->place, file->file, file->path);
    if (file->manifest == NULL)
        return settled;
    return file_drop_is_settled(looking, file->place, file->manifest,
                                file_drop_path(looking, file->place, file->manifest->name)) &&
           settled;
}

/* --- reading --- */

const char *file_drop_path(struct file_drop_looking *looking, const struct hub_drop_place *place,
                           const char *name) {
    struct hub_arena *arena = &looking->batch->arena;
    return file_drop_printable(arena, hub_arena_format(arena, "%s/%s", place->address, name));
}

bool file_drop_is_full(const struct file_drop_looking *looking) {
    size_t files_max =
        file_drop_is_snapshot(looking->state->options) ? 1 : FILE_DROP_BATCH_FILES_MAX;
    return looking->batch->count >= files_max || looking->bytes >= FILE_DROP_BATCH_BYTES_MAX;
}

struct hub_raw_document *file_drop_add(struct file_drop_looking *looking,
                                       const struct hub_drop_place *place, const char *name,
                                       json_t *groups) {
    struct hub_raw_document *document = &looking->batch->documents[looking->batch->count++];
    const char *last = strrchr(place->address, '/');
    *document = (struct hub_raw_document){
        .name = name,
        .context = json_pack("{s:{s:s, s:s, s:o}}", "file", "name", name, "folder",
                             last == NULL ? place->address : last + 1, "match",
                             groups == NULL ? json_object() : json_incref(groups)),
        .snapshot = file_drop_is_snapshot(looking->state->options),
        .withdraw_max_percent = looking->state->options->withdraw_max_percent};
    return document;
}

static void refuse_size(struct file_drop_looking *looking, struct file_drop_candidate *file) {
    const char *size =
        file->file->size > HUB_DOCUMENT_SIZE_MAX
            ? hub_arena_format(&looking->batch->arena, "%llu bytes, over the limit",
                               (unsigned long long)file->file->size)
            : "more bytes than its folder tells, and over the limit";
    file->refused = hub_arena_format(&looking->batch->arena, "%s: %s of %d", file->name, size,
                                     HUB_DOCUMENT_SIZE_MAX);
    file->refused_code = "SIZE";
}

static enum hub_status read_file(struct file_drop_looking *looking,
                                 struct file_drop_candidate *file) {
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_DOCUMENT_SIZE_MAX};
    struct hub_error why;
    enum hub_status status = HUB_OK;
    if (file->refused == NULL)
        status = file_drop_take_result(
            looking, file->place->kind->fetch(file->place, file->file, &bytes, &why), &why);
    if (status == HUB_REJECT)
        refuse_size(looking, file);
    else if (status == HUB_OK && file->refused == NULL)
        status = file_drop_check_manifest(looking, file, hub_buffer_bytes(&bytes));
    if (status != HUB_OK && status != HUB_REJECT)
        return status;
    struct hub_raw_document *document =
        file_drop_add(looking, file->place, file->name, file->groups);
    document->refused = file->refused;
    document->refused_code = file->refused_code;
    if (file->refused != NULL)
        return HUB_OK;
    char *copy = hub_arena_text(&looking->batch->arena, (const char *)bytes.data, bytes.size);
    document->bytes = hub_bytes(copy, bytes.size);
    looking->bytes += bytes.size;
    return HUB_OK;
}

/* --- one file --- */

/* What is known of a file is its own mark and, behind a slash, what was told of it. A manifest
 * that is cleared away, or was not asked for then, changes nothing. */
static bool is_known(const char *known, const char *mark, const char *told) {
    size_t size = strlen(mark);
    if (known == NULL || strncmp(known, mark, size) != 0)
        return false;
    return known[size] == '\0' ||
           (known[size] == '/' && (told == NULL || strcmp(known + size + 1, told) == 0));
}

static enum hub_status take_file(struct file_drop_looking *looking,
                                 struct file_drop_candidate *file, bool has_manifest) {
    json_t *known = json_object_get(looking->state->files, file->path);
    const char *mark = file->file->mark;
    if (known != NULL)
        json_object_set(looking->there, file->path, known);
    if (is_known(json_string_value(known), mark, file->told))
        return HUB_OK;
    if (!has_manifest) {
        file_drop_wait_for_manifest(looking, file);
        return HUB_OK;
    }
    bool settled = are_settled(looking, file), full = file_drop_is_full(looking);
    looking->unsettled |= !settled;
    looking->full |= settled && full;
    if (!settled || full)
        return HUB_OK;
    enum hub_status status = read_file(looking, file);
    looking->unsettled |= status != HUB_OK;
    if (status == HUB_OK) {
        if (file->told != NULL)
            mark = hub_arena_format(&looking->batch->arena, "%s/%s", mark, file->told);
        json_object_set_new(looking->there, file->path, json_string(mark));
        json_object_del(looking->seen, file->path);
    }
    return status == HUB_FATAL ? HUB_FATAL : HUB_OK;
}

/* What of it is not told by the listing. HUB_RETRY: it is not there for this look. */
static enum hub_status look_closer(struct file_drop_looking *looking,
                                   const struct hub_drop_listing *listing,
                                   struct file_drop_candidate *file, bool *ret_has_manifest) {
    const struct hub_drop_kind *kind = file->place->kind;
    struct hub_error why;
    *ret_has_manifest = true;
    if (file->refused != NULL)
        return HUB_OK;
    if (kind->look != NULL) {
        enum hub_drop_result result =
            kind->look(file->place, file->file, &looking->batch->arena, &why);
        HUB_TRY(file_drop_take_result(looking, result, &why));
    }
    if (file->file->size > HUB_DOCUMENT_SIZE_MAX) {
        refuse_size(looking, file);
        return HUB_OK;
    }
    return file_drop_find_manifest(looking, listing, file, ret_has_manifest);
}

static enum hub_status look_at_file(struct file_drop_looking *looking,
                                    struct hub_drop_place *place,
                                    const struct hub_drop_listing *listing,
                                    struct hub_drop_file *file) {
    struct file_drop_candidate candidate = {
        .place = place,
        .file = file,
        .name = file_drop_printable(&looking->batch->arena, file->name),
        .path = file_drop_path(looking, place, file->name)};
    size_t size = strlen(file->name);
    bool unfinished = (size >= 4 && strcmp(file->name + size - 4, ".tmp") == 0) ||
                      (size >= 5 && strcmp(file->name + size - 5, ".part") == 0);
    if (unfinished || file->kind == HUB_FILE_FOLDER ||
        file_drop_is_manifest(looking->state->options, file->name))
        return HUB_OK;
    candidate.groups = file->is_unread
                           ? json_object()
                           : file_drop_match(looking->state->pattern, candidate.name);
    if (candidate.groups == NULL)
        return HUB_OK;
    bool has_manifest = false;
    file_drop_judge_name(looking, &candidate);
    enum hub_status status = look_closer(looking, listing, &candidate, &has_manifest);
    if (status == HUB_OK) {
        status = take_file(looking, &candidate, has_manifest);
    } else {
        json_t *known = json_object_get(looking->state->files, candidate.path);
        if (known != NULL && looking->troubled)
            json_object_set(looking->there, candidate.path, known);
    }
    json_decref(candidate.groups);
    return status == HUB_FATAL ? HUB_FATAL : HUB_OK;
}

/* --- all of them --- */

static enum hub_status look_at_place(struct file_drop_looking *looking,
                                     struct hub_drop_place *place) {
    struct hub_drop_listing listing = {0};
    struct hub_error why;
    looking->away = false;
    enum hub_drop_result result =
        place->kind->list(place, &looking->batch->arena, &listing, &why);
    enum hub_status status = file_drop_take_result(looking, result, &why);
    if (status == HUB_OK)
        status = file_drop_read_listing(looking, place, &listing);
    for (size_t i = 0; i < listing.count && status == HUB_OK && !looking->away; i++)
        status = look_at_file(looking, place, &listing, &listing.files[i]);
    if (looking->away)
        keep_place(looking, place);
    return status == HUB_FATAL ? HUB_FATAL : HUB_OK;
}

/* Told when it begins, and again now and then: it is a state, which somebody should end. */
static void tell_late(struct file_drop_looking *looking) {
    struct file_drop *state = looking->state;
    int64_t now_ms = state->env.monotonic_ms();
    HUB_SCOPED_BUFFER more = {0};
    if (looking->late == 0)
        state->told_late_ms = -1;
    if (looking->late == 0 || (state->told_late_ms >= 0 &&
                               now_ms - state->told_late_ms < state->options->manifest_wait_ms))
        return;
    state->told_late_ms = now_ms;
    if (looking->late > 1)
        hub_buffer_append_format(&more, "; so wait %zu more", looking->late - 1);
    looking->batch->note = hub_arena_format(
        &looking->batch->arena, "%s has told nothing of it for %lld s, and it is not read%s",
        looking->late_name, (long long)(looking->late_ms / 1000), hub_buffer_text(&more));
}

enum hub_status file_drop_look(struct file_drop *state, struct hub_batch *batch,
                               json_t **ret_there, struct hub_error *reterr) {
    struct file_drop_looking looking = {
        .state = state, .batch = batch, .there = json_object(), .seen = json_object()};
    enum hub_status status = HUB_OK;
    for (size_t i = 0; i < state->place_count && status == HUB_OK; i++)
        status = look_at_place(&looking, &state->places[i]);
    /* The others go first; then somebody should hear of it. */
    if (status == HUB_OK && looking.troubled && batch->count == 0)
        status = HUB_RETRY;
    if (status != HUB_FATAL) {
        json_decref(state->seen);
        state->seen = json_incref(looking.seen);
    }
    json_decref(looking.seen);
    if (status != HUB_OK) {
        *reterr = looking.why;
        json_decref(looking.there);
        return status;
    }
    tell_late(&looking);
    batch->exhausted = batch->count == 0 && !looking.unsettled && !looking.full;
    *ret_there = looking.there;
    return HUB_OK;
}
