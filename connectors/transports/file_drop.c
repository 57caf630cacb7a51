/* file-drop: files that somebody puts into a folder.
 *
 * Files are read in the order of their names, each once for each of its contents: a file that is
 * replaced is read again. A file that begins with a dot or ends in .tmp or .part is still being
 * written; so is one that changed less than settle_ms ago, or, where its time lies ahead, was first
 * seen so then. Folders in the folder are not looked into; a symbolic link, a pipe or a device is
 * refused, so that nobody who may put files there can have others read. The position is what was
 * read of every file that is still there: size and time. */
#include "connectors/transports/transports.h"

#include "connectors/kit/expression.h"
#include "connectors/kit/format.h"
#include "hub/base/text.h"
#include "hub/io/file.h"

#include <string.h>
#include <time.h>

enum { FILES_MAX = 5000, BATCH_FILES_MAX = 64, BATCH_BYTES_MAX = 8 * 1024 * 1024 };

struct file_drop_options {
    const char *const *folder;
    const char *pattern;
    const char *mode;
    int64_t withdraw_max_percent;
    int64_t settle_ms;
    int64_t poll_interval_ms;
};

static const char *const modes[] = {"documents", "snapshot", NULL};

static const struct hub_option options[] = {
    {.name = "folder",
     HUB_TEXTS_OPTION(struct file_drop_options, folder),
     .required = true,
     .help = "The folder, or folders, read in this order, from the configuration's own where "
             "relative; one that is missing has no files."},
    {.name = "pattern",
     HUB_TEXT_OPTION(struct file_drop_options, pattern),
     .initial = ".*",
     .help = "Regular expression that a whole file name must match; its named groups are "
             "@file.match.NAME."},
    {.name = "mode",
     HUB_TEXT_OPTION(struct file_drop_options, mode),
     .initial = "documents",
     .choices = modes,
     .help = "snapshot: each file is the whole of what the source has; what it no longer has is "
             "withdrawn."},
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
    {0},
};

struct file_drop {
    const struct file_drop_options *options;
    struct hub_env env;
    pcre2_code *pattern;
    json_t *files;   /* path -> "size-modified": as handed out last */
    json_t *pending; /* the same, as of the batch that waits for its commit */
    json_t *ahead;   /* of files whose time lies ahead: path -> {mark, since} */
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

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    pcre2_code *pattern = NULL;
    HUB_TRY(compile_pattern(options_, &pattern, reterr));
    pcre2_code_free(pattern);
    return HUB_OK;
}

static enum hub_status open_drop(void *state_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct file_drop *state = state_;
    state->options = options_;
    state->env = *env;
    state->ahead = json_object();
    HUB_TRY(load_position(state, reterr));
    return compile_pattern(state->options, &state->pattern, reterr);
}

static void close_drop(void *state_) {
    struct file_drop *state = state_;
    if (state->pattern != NULL)
        pcre2_code_free(state->pattern);
    json_decref(state->files);
    json_decref(state->pending);
    json_decref(state->ahead);
}

/* --- looking --- */

static bool is_snapshot(const struct file_drop_options *own) {
    return strcmp(own->mode, "snapshot") == 0;
}

/* A file's name as text: bytes that are not UTF-8 as %XX. */
static const char *printable(struct hub_arena *arena, const char *name) {
    HUB_SCOPED_BUFFER text = {0};
    if (hub_text_is_utf8(hub_bytes_of_text(name)))
        return name;
    for (const char *c = name; *c != '\0'; c++)
        hub_buffer_append_format(&text, (unsigned char)*c < 0x80 ? "%c" : "%%%02X",
                                 (unsigned char)*c);
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

/* The named groups of the pattern as an object; NULL where the name does not match. */
static json_t *match_name(const pcre2_code *pattern, const char *name) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern, NULL);
    json_t *groups = NULL;
    uint32_t count = 0, entry_size = 0;
    PCRE2_SPTR table = NULL;
    if (pcre2_match(pattern, (PCRE2_SPTR)name, strlen(name), 0, 0, data, NULL) > 0) {
        PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
        groups = json_object();
        pcre2_pattern_info(pattern, PCRE2_INFO_NAMECOUNT, &count);
        pcre2_pattern_info(pattern, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
        pcre2_pattern_info(pattern, PCRE2_INFO_NAMETABLE, &table);
        for (uint32_t i = 0; i < count; i++) {
            PCRE2_SPTR entry = table + i * entry_size;
            size_t group = (size_t)entry[0] << 8 | entry[1];
            if (ends[2 * group] != PCRE2_UNSET)
                json_object_set_new(groups, (const char *)entry + 2,
                                    json_stringn(name + ends[2 * group],
                                                 ends[2 * group + 1] - ends[2 * group]));
        }
    }
    pcre2_match_data_free(data);
    return groups;
}

static bool is_unfinished(const char *name) {
    size_t size = strlen(name);
    return (size >= 4 && strcmp(name + size - 4, ".tmp") == 0) ||
           (size >= 5 && strcmp(name + size - 5, ".part") == 0);
}

struct looking {
    struct file_drop *state;
    struct hub_batch *batch;
    json_t *there; /* what of `files` is still there */
    size_t bytes;
    bool unsettled, full, unreadable;
    struct hub_error *reterr;
};

/* A file in one of the folders. */
struct candidate {
    const char *path, *name; /* as its system has it */
    const char *shown_path, *shown_name; /* as texts */
    const char *folder;
    const char *mark; /* of its content */
    struct hub_file_facts facts;
    json_t *groups; /* of the pattern */
};

/* Why a file is not read at all, or NULL. */
static const char *refuse_file(struct looking *looking, const struct candidate *file) {
    if (file->facts.kind != HUB_FILE_REGULAR)
        return hub_arena_format(&looking->batch->arena,
                                "%s: a symbolic link, a pipe or a device; a regular file would pass",
                                file->shown_name);
    if (file->facts.size > HUB_DOCUMENT_SIZE_MAX)
        return hub_arena_format(&looking->batch->arena, "%s: %llu bytes, over the limit of %d",
                                file->shown_name, (unsigned long long)file->facts.size,
                                HUB_DOCUMENT_SIZE_MAX);
    return NULL;
}

static enum hub_status read_file(struct looking *looking, const struct candidate *file) {
    struct hub_batch *batch = looking->batch;
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_DOCUMENT_SIZE_MAX};
    const char *refused = refuse_file(looking, file);
    if (refused == NULL && hub_file_read_unlinked(file->path, &bytes, looking->reterr) != HUB_OK) {
        /* Gone again, or changed since it was looked at, or not for us to read. */
        struct hub_file_facts facts;
        struct hub_error ignored;
        bool same = hub_file_facts(file->path, &facts, &ignored) == HUB_OK &&
                    facts.kind == HUB_FILE_REGULAR && facts.size == file->facts.size;
        looking->unreadable |= same;
        return HUB_RETRY;
    }
    struct hub_raw_document *document = &batch->documents[batch->count++];
    const char *last = strrchr(file->folder, '/');
    char *copy = hub_arena_text(&batch->arena, (const char *)bytes.data, bytes.size);
    *document = (struct hub_raw_document){
        .name = file->shown_name,
        .bytes = hub_bytes(copy, bytes.size),
        .context = json_pack("{s:{s:s, s:s, s:O}}", "file", "name", file->shown_name, "folder",
                             last == NULL ? file->folder : last + 1, "match", file->groups),
        .snapshot = is_snapshot(looking->state->options),
        .withdraw_max_percent = looking->state->options->withdraw_max_percent,
        .refused = refused,
        .refused_code = file->facts.kind == HUB_FILE_REGULAR ? "SIZE" : "FILE"};
    looking->bytes += bytes.size;
    return HUB_OK;
}

static bool is_full(const struct looking *looking) {
    size_t files_max = is_snapshot(looking->state->options) ? 1 : BATCH_FILES_MAX;
    return looking->batch->count >= files_max || looking->bytes >= BATCH_BYTES_MAX;
}

/* Whether nobody writes it any more. Where clocks differ a file's time may lie ahead for long: then
 * it counts how long it has been seen unchanged. */
static bool is_settled(struct file_drop *state, const struct candidate *file) {
    int64_t modified_ms = file->facts.modified_ns / 1000000;
    int64_t settle_ms = state->options->settle_ms;
    if (modified_ms <= state->env.realtime_ms())
        return modified_ms + settle_ms <= state->env.realtime_ms();
    json_t *seen = json_object_get(state->ahead, file->shown_path);
    const char *mark = json_string_value(json_object_get(seen, "mark"));
    if (mark == NULL || strcmp(mark, file->mark) != 0) {
        seen = json_pack("{s:s, s:I}", "mark", file->mark, "since",
                         (json_int_t)state->env.monotonic_ms());
        json_object_set_new(state->ahead, file->shown_path, seen);
    }
    return json_integer_value(json_object_get(seen, "since")) + settle_ms <=
           state->env.monotonic_ms();
}

static void take_file(struct looking *looking, const struct candidate *file) {
    struct file_drop *state = looking->state;
    json_t *known = json_object_get(state->files, file->shown_path);
    if (known != NULL && strcmp(json_string_value(known), file->mark) == 0) {
        json_object_set(looking->there, file->shown_path, known);
        return;
    }
    bool settled = is_settled(state, file), full = is_full(looking);
    looking->unsettled |= !settled;
    looking->full |= settled && full;
    if (settled && !full && read_file(looking, file) == HUB_OK) {
        json_object_set_new(looking->there, file->shown_path, json_string(file->mark));
        json_object_del(state->ahead, file->shown_path);
        return;
    }
    looking->unsettled |= settled && !full;
    if (known != NULL)
        json_object_set(looking->there, file->shown_path, known);
}

static void look_at_file(struct looking *looking, const char *folder, const char *name) {
    struct hub_arena *arena = &looking->batch->arena;
    struct candidate file = {.name = name, .folder = folder};
    struct hub_error ignored;
    file.path = hub_arena_format(arena, "%s/%s", folder, name);
    file.shown_name = printable(arena, name);
    file.shown_path = printable(arena, file.path);
    if (is_unfinished(name) || hub_file_facts(file.path, &file.facts, &ignored) != HUB_OK ||
        file.facts.kind == HUB_FILE_FOLDER)
        return;
    file.groups = match_name(looking->state->pattern, file.shown_name);
    if (file.groups == NULL)
        return;
    file.mark = hub_arena_format(arena, "%llu-%lld", (unsigned long long)file.facts.size,
                                 (long long)file.facts.modified_ns);
    take_file(looking, &file);
    json_decref(file.groups);
}

static enum hub_status look(struct looking *looking) {
    const char *const *folders = looking->state->options->folder;
    struct hub_arena *arena = &looking->batch->arena;
    for (size_t i = 0; folders[i] != NULL; i++) {
        const char *base = looking->state->env.folder;
        const char *folder =
            base == NULL ? folders[i] : hub_file_resolve(base, folders[i], arena);
        char **names = NULL;
        size_t count = 0;
        if (!hub_file_is_folder(folder))
            continue;
        HUB_TRY(hub_file_list(folder, "", arena, &names, &count, looking->reterr));
        if (count > FILES_MAX)
            return hub_fail(looking->reterr, HUB_FATAL,
                            "%s: %zu files, over the limit of %d; moving old ones away would pass",
                            folder, count, FILES_MAX);
        for (size_t k = 0; k < count; k++)
            look_at_file(looking, folder, names[k]);
    }
    /* The others go first; then somebody should hear of it. */
    return looking->unreadable && looking->batch->count == 0 ? HUB_RETRY : HUB_OK;
}

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

static enum hub_status poll_drop(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct file_drop *state = state_;
    struct hub_batch batch = {0};
    batch.documents =
        hub_arena_take_zero(&batch.arena, BATCH_FILES_MAX, sizeof *batch.documents);
    struct looking looking = {
        .state = state, .batch = &batch, .there = json_object(), .reterr = reterr};
    enum hub_status status = look(&looking);
    if (status != HUB_OK) {
        json_decref(looking.there);
        hub_batch_free(&batch);
        return status;
    }
    batch.exhausted = batch.count == 0 && !looking.unsettled && !looking.full;
    batch.position = render_position(&batch.arena, looking.there);
    json_decref(state->pending);
    state->pending = looking.there;
    if (batch.count == 0) {
        int64_t interval_ms = state->options->poll_interval_ms;
        wait_ms(timeout_ms < interval_ms ? timeout_ms : interval_ms);
    }
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
    document->snapshot = is_snapshot(own);
    document->withdraw_max_percent = own->withdraw_max_percent;
    if (compile_pattern(own, &pattern, &ignored) != HUB_OK)
        return;
    json_t *groups = match_name(pattern, document->name);
    if (groups != NULL)
        json_object_set_new(file, "match", groups);
    pcre2_code_free(pattern);
}

static bool rereads(const void *options_) {
    return is_snapshot(options_);
}

const struct hub_transport hub_transport_file_drop = {
    .name = "file-drop",
    .summary = "Files that are put into a folder, each read once.",
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
