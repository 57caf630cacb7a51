#include "hub/archive/partition_log.h"

#include "hub/archive/tiles.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_SIZE_MAX = 256 * 1024 * 1024, UNWRITTEN_SIZE_MAX = 4 * 1024 * 1024,
       HEADER_SIZE_MAX = 8 * 1024 * 1024 };

struct hub_partition_log {
    struct hub_partition_log_config config;
    struct hub_arena arena; /* of the configuration's texts */
    struct hub_note_key key;
    struct hub_tiles *tiles;
    int64_t next_offset; /* as was signed last, or -1 */
    uint64_t signed_size;
    bool has_segment;
    struct hub_segment segment;
    struct hub_arena segment_arena; /* of its texts */
    uint64_t segment_size;          /* with what is not written yet */
    struct hub_digest header;       /* of the segment */
    struct hub_buffer unwritten;    /* of its file */
};

/* --- files --- */

static const char *path_of(const struct hub_partition_log *log, const char *name,
                           struct hub_buffer *path) {
    hub_buffer_clear(path);
    hub_buffer_append_format(path, "%s/%s", log->config.folder, name);
    return hub_buffer_text(path);
}

static const char *segment_path(const struct hub_partition_log *log, uint64_t first,
                                struct hub_buffer *path) {
    hub_buffer_clear(path);
    hub_buffer_append_format(path, "%s/segments/%llu.avro", log->config.folder,
                             (unsigned long long)first);
    return hub_buffer_text(path);
}

/* --- appending --- */

static enum hub_status write_segment(struct hub_partition_log *log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    if (log->unwritten.size == 0)
        return HUB_OK;
    HUB_TRY(hub_file_extend(segment_path(log, log->segment.first, &path),
                            hub_buffer_bytes(&log->unwritten), reterr));
    hub_buffer_clear(&log->unwritten);
    return HUB_OK;
}

static void begin_segment(struct hub_partition_log *log, int32_t schema_id,
                          const char *schema_text) {
    hub_arena_reset(&log->segment_arena);
    log->segment = (struct hub_segment){.origin = log->key.name,
                                        .first = hub_tiles_size(log->tiles),
                                        .schema_id = schema_id};
    if (schema_id != 0)
        log->segment.schema_text =
            hub_arena_text(&log->segment_arena, schema_text, strlen(schema_text));
    log->has_segment = true;
    hub_segment_begin(&log->segment, &hub_sha256, &log->unwritten);
    log->segment_size = log->unwritten.size;
    log->header = hub_sha256.digest(hub_buffer_bytes(&log->unwritten));
}

/* What is no Avro fits in any. */
static bool fits(const struct hub_partition_log *log, enum hub_archived_kind kind,
                 int32_t schema_id) {
    return log->has_segment && log->segment_size < log->config.segment_size_max &&
           (kind != HUB_ARCHIVED_AVRO || log->segment.schema_id == schema_id);
}

enum hub_status hub_partition_log_append(struct hub_partition_log *log,
                                         const struct hub_archived *record, int32_t schema_id,
                                         const char *schema_text, struct hub_error *reterr) {
    struct hub_archived own = *record;
    struct hub_leaf leaf = {.partition = log->config.partition,
                            .offset = record->offset,
                            .timestamp_ms = record->timestamp_ms};
    HUB_SCOPED_BUFFER text = {0};
    size_t at = 0, size = 0;
    bool avro = record->kind == HUB_ARCHIVED_AVRO;
    if (!fits(log, record->kind, schema_id)) {
        HUB_TRY(write_segment(log, reterr));
        begin_segment(log, avro ? schema_id : 0, schema_text);
    }
    size_t before = log->unwritten.size;
    own.index = hub_tiles_size(log->tiles);
    hub_segment_append(&log->segment, &own, &log->unwritten, &at, &size);
    snprintf(leaf.topic, sizeof leaf.topic, "%s", log->config.topic);
    leaf.segment = log->segment.first;
    leaf.has_header = log->segment.first == own.index;
    leaf.header = log->header;
    leaf.at = log->segment_size + (at - before);
    leaf.size = size;
    leaf.digest =
        hub_sha256.digest(hub_bytes_part(hub_buffer_bytes(&log->unwritten), at, at + size));
    log->segment_size += log->unwritten.size - before;
    hub_leaf_append(&leaf, &text);
    HUB_TRY(hub_tiles_append(log->tiles, hub_buffer_bytes(&text), reterr));
    return log->unwritten.size < UNWRITTEN_SIZE_MAX ? HUB_OK : write_segment(log, reterr);
}

/* --- signing --- */

static enum hub_status write_checkpoint(struct hub_partition_log *log,
                                        const struct hub_checkpoint *checkpoint,
                                        struct hub_error *reterr) {
    HUB_SCOPED_BUFFER note = {0}, path = {0}, text = {0};
    hub_checkpoint_append(checkpoint, &text);
    hub_buffer_append_bytes(&note, hub_buffer_bytes(&text));
    hub_buffer_append_byte(&note, '\n');
    hub_note_sign(&log->key, log->config.private, hub_buffer_bytes(&text), &note);
    char name[48];
    snprintf(name, sizeof name, "checkpoints/%llu", (unsigned long long)checkpoint->size);
    HUB_TRY(hub_file_write(path_of(log, name, &path), hub_buffer_bytes(&note), reterr));
    return hub_file_write(path_of(log, "checkpoint", &path), hub_buffer_bytes(&note), reterr);
}

enum hub_status hub_partition_log_sign(struct hub_partition_log *log, int64_t next_offset,
                                       struct hub_error *reterr) {
    struct hub_checkpoint checkpoint = {.size = hub_tiles_size(log->tiles),
                                        .next_offset = next_offset};
    if (checkpoint.size == log->signed_size && log->next_offset >= 0)
        return HUB_OK;
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", log->key.name);
    checkpoint.root = hub_tiles_root(log->tiles);
    HUB_TRY(write_segment(log, reterr));
    HUB_TRY(hub_tiles_sync(log->tiles, reterr)); /* all of that disk, with the segments */
    HUB_TRY(write_checkpoint(log, &checkpoint, reterr));
    log->signed_size = checkpoint.size;
    log->next_offset = next_offset;
    return HUB_OK;
}

/* --- opening --- */

/* The last checkpoint; false where there is none yet. */
static enum hub_status read_checkpoint(const struct hub_partition_log *log,
                                       struct hub_checkpoint *ret_checkpoint, bool *ret_has,
                                       struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, note = {.size_max = HUB_NOTE_SIZE_MAX};
    struct hub_bytes text, lines;
    struct hub_file_facts facts;
    const char *file = path_of(log, "checkpoint", &path);
    *ret_has = hub_file_facts(file, &facts, reterr) == HUB_OK;
    if (!*ret_has)
        return HUB_OK;
    HUB_TRY(hub_file_read(file, &note, reterr));
    if (hub_note_open(hub_buffer_bytes(&note), &text, &lines, reterr) != HUB_OK ||
        hub_note_check(text, lines, &log->key, NULL, reterr) != HUB_OK ||
        hub_checkpoint_read(text, ret_checkpoint, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%s", file);
    return strcmp(ret_checkpoint->origin, log->key.name) == 0
               ? HUB_OK
               : hub_fail(reterr, HUB_FATAL, "%s: it is of '%s'", file, ret_checkpoint->origin);
}

static enum hub_status read_segment_header(struct hub_partition_log *log, const char *file,
                                           struct hub_error *reterr) {
    HUB_SCOPED_BUFFER begins = {.size_max = HEADER_SIZE_MAX};
    HUB_TRY(hub_file_read_start(file, HEADER_SIZE_MAX, &begins, reterr));
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&begins));
    if (hub_segment_read(&cursor, &log->segment_arena, &log->segment, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%s", file);
    return HUB_OK;
}

/* Cuts off what is beyond the last record that counts, and goes on after it. */
static enum hub_status open_segment(struct hub_partition_log *log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, text = {0};
    struct hub_leaf leaf;
    HUB_TRY(hub_tiles_entry(log->tiles, log->signed_size - 1, &text, reterr));
    if (hub_leaf_read(hub_buffer_bytes(&text), &leaf, reterr) != HUB_OK)
        return HUB_FATAL;
    const char *file = segment_path(log, leaf.segment, &path);
    log->segment_size = leaf.at + leaf.size + HUB_SYNC_SIZE;
    HUB_TRY(read_segment_header(log, file, reterr));
    log->has_segment = true;
    return hub_file_cut(file, log->segment_size, reterr);
}

/* Segments that begin beyond the checkpoint are nothing. */
static enum hub_status remove_beyond(struct hub_partition_log *log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER folder = {0}, path = {0};
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t count = 0;
    enum hub_status status = hub_file_list(path_of(log, "segments", &folder), ".avro", &arena,
                                           &names, &count, reterr);
    for (size_t i = 0; i < count && status == HUB_OK; i++) {
        uint64_t first = strtoull(names[i], NULL, 10);
        if (first >= log->signed_size)
            status = hub_file_remove(segment_path(log, first, &path), reterr);
    }
    hub_arena_destroy(&arena);
    return status;
}

static enum hub_status write_key(struct hub_partition_log *log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, text = {0};
    hub_note_key_append(&log->key, &text);
    hub_buffer_append_byte(&text, '\n');
    return hub_file_write(path_of(log, "log.vkey", &path), hub_buffer_bytes(&text), reterr);
}

static enum hub_status open_files(struct hub_partition_log *log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_checkpoint checkpoint = {0};
    bool has = false;
    HUB_TRY(hub_file_make_folder(path_of(log, "segments", &path), reterr));
    HUB_TRY(hub_file_make_folder(path_of(log, "checkpoints", &path), reterr));
    HUB_TRY(read_checkpoint(log, &checkpoint, &has, reterr));
    log->signed_size = checkpoint.size;
    log->next_offset = has ? checkpoint.next_offset : -1;
    HUB_TRY(hub_tiles_open(log->config.folder, checkpoint.size, &hub_sha256, &log->tiles, reterr));
    struct hub_digest root = hub_tiles_root(log->tiles);
    if (has && memcmp(&root, &checkpoint.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: its tiles are not those of its checkpoint",
                        log->config.folder);
    HUB_TRY(remove_beyond(log, reterr));
    if (checkpoint.size > 0)
        return open_segment(log, reterr);
    return has ? HUB_OK : write_key(log, reterr);
}

void hub_partition_log_close(struct hub_partition_log *log) {
    if (log == NULL)
        return;
    hub_tiles_close(log->tiles);
    hub_buffer_free(&log->unwritten);
    hub_arena_destroy(&log->segment_arena);
    hub_arena_destroy(&log->arena);
    hub_release(log);
}

enum hub_status hub_partition_log_open(const struct hub_partition_log_config *config,
                                       struct hub_partition_log **ret_log,
                                       struct hub_error *reterr) {
    struct hub_partition_log *log = hub_allocate_zero(1, sizeof *log);
    struct hub_arena *arena = &log->arena;
    log->config = *config;
    log->config.folder = hub_arena_text(arena, config->folder, strlen(config->folder));
    log->config.topic = hub_arena_text(arena, config->topic, strlen(config->topic));
    if (config->segment_size_max == 0)
        log->config.segment_size_max = SEGMENT_SIZE_MAX;
    log->unwritten.size_max = SEGMENT_SIZE_MAX;
    const char *origin = hub_arena_format(arena, "%s/%s-%d", config->deployment, config->topic,
                                          config->partition);
    enum hub_status status = hub_note_key_make(origin, HUB_NOTE_SIGNATURE, config->private,
                                               &log->key, reterr);
    if (status == HUB_OK)
        status = open_files(log, reterr);
    if (status == HUB_OK)
        *ret_log = log;
    else
        hub_partition_log_close(log);
    return status;
}

int64_t hub_partition_log_next_offset(const struct hub_partition_log *log) {
    return log->next_offset;
}

uint64_t hub_partition_log_size(const struct hub_partition_log *log) {
    return hub_tiles_size(log->tiles);
}
