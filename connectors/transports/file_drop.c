/* file-drop: files that somebody puts into a folder, of this machine or of an SFTP server.
 *
 *
 * Files are read in the order of their names, each once for each of its contents: a file that
 * is replaced is read again. A file that begins with a dot or ends in .tmp or .part is still
 * being written; so is one that changed less than settle_ms ago, or, where its time lies ahead
 * or is another machine's, was first seen so then. Folders in the folder are not looked into; a
 * symbolic link, a pipe or a device is refused, so that nobody who may put files there can have
 * others read. Where there are manifests, a file is read when its own says that it is whole. The
 * position is what was read of every file that is still there: size and time, and what told its
 * digest. */
#include "connectors/transports/file_drop.h"

#include "connectors/kit/guard.h"
#include "connectors/transports/transports.h"

#include <string.h>
#include <time.h>

static const char *const modes[] = {"documents", "snapshot", NULL};
static const char *const manifests[] = {"none", "beside", "listing", NULL};

static const struct hub_option options[] = {
    {.name = "folder",
     HUB_TEXTS_OPTION(struct file_drop_options, folder),
     .required = true,
     .help = "The folder, or folders, read in this order, from the configuration's own where "
             "relative; one that is missing has no files. sftp://USER@HOST[:PORT]/FOLDER is one of "
             "a server, and /~/ there the user's own."},
    {.name = "pattern",
     HUB_TEXT_OPTION(struct file_drop_options, pattern),
     .initial = ".*",
     .help = "Regular expression that a whole file name must match; its named groups are "
             "@file.match.NAME. A name that holds what looks like a person's number, as one date "
             "with a time in ten does, is told to nobody: the file is read as '(held back)'."},
    {.name = "mode",
     HUB_TEXT_OPTION(struct file_drop_options, mode),
     .initial = "documents",
     .choices = modes,
     .help = "documents: each file adds to what came before; snapshot: it is the whole of what the "
             "source has, and what it no longer has is withdrawn."},
    {.name = "withdraw_max_percent",
     HUB_NUMBER_OPTION(struct file_drop_options, withdraw_max_percent),
     .initial = "20",
     .maximum = 100,
     .help = "A snapshot that lacks more than this part of what was known withdraws nothing: it is "
             "more likely cut off."},
    {.name = "settle_ms",
     HUB_NUMBER_OPTION(struct file_drop_options, settle_ms),
     .initial = "500",
     .maximum = 3600000,
     .help = "A file younger than this is still being written, in milliseconds."},
    {.name = "poll_interval_ms",
     HUB_NUMBER_OPTION(struct file_drop_options, poll_interval_ms),
     .initial = "1000",
     .minimum = 10,
     .maximum = 86400000,
     .help = "How often the folder is looked at, in milliseconds."},
    {.name = "manifest",
     HUB_TEXT_OPTION(struct file_drop_options, manifest),
     .initial = "none",
     .choices = manifests,
     .help = "A file is read when its SHA-256 is the one told, as sha256sum writes it: beside, in "
             "NAME.sha256; listing, in the folder's SHA256SUMS."},
    {.name = "manifest_wait_ms",
     HUB_NUMBER_OPTION(struct file_drop_options, manifest_wait_ms),
     .initial = "600000",
     .minimum = 10,
     .maximum = 604800000,
     .help = "A file that waits for its manifest for longer is told of, in milliseconds, and again "
             "when as much time has passed."},
    HUB_DROP_SFTP_OPTIONS(struct file_drop_options, sftp),
    {0},
};

/* --- opening --- */

static enum hub_status load_position(struct file_drop *state, struct hub_error *reterr) {
    json_error_t error;
    if (state->env.position == NULL) {
        state->files = json_object();
        return HUB_OK;
    }
    json_t *position = json_loads(state->env.position, 0, &error);
    json_t *files = json_object_get(position, "files");
    if (!json_is_object(files)) {
        json_decref(position);
        return hub_fail(reterr, HUB_FATAL,
                        "the position is not one of file-drop: {\"files\": {...}} would pass");
    }
    state->files = json_incref(files);
    json_decref(position);
    return HUB_OK;
}

static enum hub_status compile_pattern(const struct file_drop_options *own,
                                       pcre2_code **ret_pattern, struct hub_error *reterr) {
    int code = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR text[256];
    *ret_pattern = hub_expression_compile(own->pattern, PCRE2_ZERO_TERMINATED,
                                          PCRE2_ANCHORED | PCRE2_ENDANCHORED, &code, &at);
    if (*ret_pattern != NULL)
        return HUB_OK;
    pcre2_get_error_message(code, text, sizeof text);
    return hub_fail(reterr, HUB_FATAL, "pattern '%s' at character %zu: %s", own->pattern,
                    (size_t)at + 1, text);
}

/* Its path goes into the position. */
static enum hub_status check_folder(const char *folder, struct hub_error *reterr) {
    const char *kind = NULL;
    if (!hub_guard_finds(hub_bytes_of_text(folder), &kind))
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "a folder's name holds what looks like %s; one "
                    "without would pass", kind);
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct file_drop_options *own = options_;
    pcre2_code *pattern = NULL;
    HUB_TRY(compile_pattern(own, &pattern, reterr));
    pcre2_code_free(pattern);
    for (size_t i = 0; own->folder[i] != NULL; i++)
        HUB_TRY(check_folder(own->folder[i], reterr));
    return hub_drop_sftp_check(&own->sftp, own->folder, reterr);
}

static enum hub_status open_places(struct file_drop *state, struct hub_error *reterr) {
    const struct file_drop_options *own = state->options;
    size_t count = 0;
    while (own->folder[count] != NULL)
        count++;
    state->places = hub_arena_take_zero(&state->arena, count, sizeof *state->places);
    state->digests = hub_arena_take_zero(&state->arena, count, sizeof *state->digests);
    for (; state->place_count < count; state->place_count++) {
        struct hub_drop_place *place = &state->places[state->place_count];
        const char *folder = own->folder[state->place_count];
        if (hub_drop_is_sftp(folder))
            HUB_TRY(hub_drop_sftp_open(&own->sftp, folder, &state->env, &state->arena, place,
                                       reterr));
        else
            hub_drop_local_open(folder, own->settle_ms, &state->env, &state->arena, place);
    }
    return HUB_OK;
}

static enum hub_status open_drop(void *state_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct file_drop *state = state_;
    state->options = options_;
    state->env = *env;
    state->seen = json_object();
    state->told_late_ms = -1;
    HUB_TRY(load_position(state, reterr));
    HUB_TRY(compile_pattern(state->options, &state->pattern, reterr));
    return open_places(state, reterr);
}

static void close_drop(void *state_) {
    struct file_drop *state = state_;
    if (state->pattern != NULL)
        pcre2_code_free(state->pattern);
    for (size_t i = 0; i < state->place_count; i++) {
        state->places[i].kind->close(&state->places[i]);
        hub_release(state->digests[i].mark);
        hub_release(state->digests[i].why);
        json_decref(state->digests[i].of);
    }
    json_decref(state->files);
    json_decref(state->pending);
    json_decref(state->seen);
    hub_arena_destroy(&state->arena);
}

/* --- polling --- */

static const char *render_position(struct hub_arena *arena, const json_t *files) {
    json_t *position = json_pack("{s:O}", "files", files);
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}

static void wait_ms(int64_t milliseconds) {
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&span, NULL);
}

/* Nothing was found: the next look comes when the interval is over, which may be later than the
 * caller wants to wait. */
static bool rests(struct file_drop *state, int64_t timeout_ms) {
    int64_t rest_ms = state->rest_ms < timeout_ms ? state->rest_ms : timeout_ms;
    wait_ms(rest_ms);
    state->rest_ms -= rest_ms;
    return timeout_ms > 0 && state->rest_ms > 0;
}

static enum hub_status poll_drop(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct file_drop *state = state_;
    struct hub_batch batch = {0};
    json_t *there = NULL;
    if (rests(state, timeout_ms)) {
        *ret_batch = batch;
        return HUB_OK;
    }
    batch.documents =
        hub_arena_take_zero(&batch.arena, FILE_DROP_BATCH_FILES_MAX, sizeof *batch.documents);
    enum hub_status status = file_drop_look(state, &batch, &there, reterr);
    if (status != HUB_OK) {
        hub_batch_free(&batch);
        return status;
    }
    batch.position = render_position(&batch.arena, there);
    json_decref(state->pending);
    state->pending = there;
    state->rest_ms = 0;
    if (batch.count == 0)
        state->rest_ms = state->options->poll_interval_ms;
    *ret_batch = batch;
    return HUB_OK;
}

static enum hub_status commit_drop(void *state_, struct hub_error *reterr) {
    struct file_drop *state = state_;
    (void)reterr;
    json_decref(state->files);
    state->files = json_incref(state->pending);
    return HUB_OK;
}

/* A name that the pattern does not match has no groups. */
static void dress(const void *options_, struct hub_raw_document *document) {
    const struct file_drop_options *own = options_;
    json_t *file = json_object_get(document->context, "file");
    pcre2_code *pattern = NULL;
    struct hub_error ignored;
    document->snapshot = file_drop_is_snapshot(own);
    document->withdraw_max_percent = own->withdraw_max_percent;
    if (compile_pattern(own, &pattern, &ignored) != HUB_OK)
        return;
    json_t *groups = file_drop_match(pattern, document->name);
    if (groups != NULL)
        json_object_set_new(file, "match", groups);
    pcre2_code_free(pattern);
}

static bool rereads(const void *options_) {
    return file_drop_is_snapshot(options_);
}

const struct hub_transport hub_transport_file_drop = {
    .name = "file-drop",
    .summary = "Files that are put into a folder, here or on an SFTP server, each read once.",
    .options = options,
    .options_size = sizeof(struct file_drop_options),
    .check = check_options,
    .state_size = sizeof(struct file_drop),
    .open = open_drop,
    .poll = poll_drop,
    .commit = commit_drop,
    .close = close_drop,
    .dress = dress,
    .rereads = rereads,
};
