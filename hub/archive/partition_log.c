#include "hub/archive/partition_log.h"

#include "hub/archive/key_file.h"
#include "hub/archive/tiles.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_SIZE_MAX = 256 * 1024 * 1024, UNWRITTEN_SIZE_MAX = 256 * 1024,
       HEADER_SIZE_MAX = 8 * 1024 * 1024 };

/* A segment that goes on. */
struct open_segment {
    struct hub_segment header;
    struct hub_arena arena;      /* of its texts */
    struct hub_digest digest;    /* of the header as it was written */
    uint64_t size;               /* with what is not written yet */
    struct hub_buffer unwritten; /* of its file */
};

struct hub_partition_log {
    struct hub_partition_log_config config;
    struct hub_arena arena; /* of the configuration's texts */
    size_t topic_size;
    struct hub_note_key key;
    struct hub_tiles *tiles;
    int64_t next_offset; /* as was signed last, or -1 */
    uint64_t signed_size;
    struct open_segment segments[HUB_OPEN_SEGMENTS_MAX]; /* by their first records */
    size_t segment_count;
    struct hub_buffer entry; /* the last one that was appended */
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

/* --- segments --- */

static enum hub_status write_segment(const struct hub_partition_log *log,
                                     struct open_segment *segment, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    if (segment->unwritten.size == 0)
        return HUB_OK;
    HUB_TRY(hub_file_extend(segment_path(log, segment->header.first, &path),
                            hub_buffer_bytes(&segment->unwritten), reterr));
    hub_buffer_clear(&segment->unwritten);
    return HUB_OK;
}

static void free_segment(struct open_segment *segment) {
    hub_buffer_free(&segment->unwritten);
    hub_arena_destroy(&segment->arena);
}

/* It does not go on. */
static enum hub_status end_segment(struct hub_partition_log *log, struct open_segment *segment,
                                   struct hub_error *reterr) {
    HUB_TRY(write_segment(log, segment, reterr));
    free_segment(segment);
    size_t at = (size_t)(segment - log->segments);
    memmove(segment, segment + 1, (log->segment_count - at - 1) * sizeof *segment);
    log->segment_count--;
    return HUB_OK;
}

static struct open_segment *add_segment(struct hub_partition_log *log) {
    struct open_segment *segment = &log->segments[log->segment_count++];
    *segment = (struct open_segment){.unwritten = {.size_max = SEGMENT_SIZE_MAX}};
    return segment;
}

static struct open_segment *begin_segment(struct hub_partition_log *log, int32_t schema_id,
                                          const char *schema_text) {
    struct open_segment *segment = add_segment(log);
    segment->header = (struct hub_segment){.origin = log->key.name,
                                           .first = hub_tiles_size(log->tiles),
                                           .schema_id = schema_id};
    if (schema_id != 0)
        segment->header.schema_text =
            hub_arena_text(&segment->arena, schema_text, strlen(schema_text));
    hub_segment_begin(&segment->header, &hub_sha256, &segment->unwritten);
    segment->size = segment->unwritten.size;
    segment->digest = hub_sha256.digest(hub_buffer_bytes(&segment->unwritten));
    return segment;
}

static struct open_segment *find_segment(struct hub_partition_log *log, int32_t schema_id) {
    for (size_t i = 0; i < log->segment_count; i++)
        if (log->segments[i].header.schema_id == schema_id)
            return &log->segments[i];
    return NULL;
}

/* Of that schema, with room. Where there are too many the oldest ends. */
static enum hub_status take_segment(struct hub_partition_log *log, int32_t schema_id,
                                    const char *schema_text, struct open_segment **ret_segment,
                                    struct hub_error *reterr) {
    struct open_segment *segment = find_segment(log, schema_id);
    if (segment != NULL && segment->size >= log->config.segment_size_max) {
        HUB_TRY(end_segment(log, segment, reterr));
        segment = NULL;
    }
    if (segment == NULL && log->segment_count == HUB_OPEN_SEGMENTS_MAX)
        HUB_TRY(end_segment(log, &log->segments[0], reterr));
    *ret_segment = segment != NULL ? segment : begin_segment(log, schema_id, schema_text);
    return HUB_OK;
}

/* --- appending --- */

/* Its bytes go to the segment; what is told of it is the leaf. */
static void append_record(const struct hub_partition_log *log, struct open_segment *segment,
                          const struct hub_archived *record, struct hub_leaf *ret_leaf) {
    struct hub_archived own = *record;
    struct hub_buffer *unwritten = &segment->unwritten;
    size_t at = 0, size = 0, before = unwritten->size;
    own.index = hub_tiles_size(log->tiles);
    hub_segment_append(&segment->header, &own, unwritten, &at, &size);
    ret_leaf->partition = log->config.partition;
    ret_leaf->offset = record->offset;
    ret_leaf->timestamp_ms = record->timestamp_ms;
    ret_leaf->segment = segment->header.first;
    ret_leaf->at = segment->size + (at - before);
    ret_leaf->size = size;
    ret_leaf->digest =
        hub_sha256.digest(hub_bytes_part(hub_buffer_bytes(unwritten), at, at + size));
    ret_leaf->has_header = segment->header.first == own.index;
    ret_leaf->header = segment->digest;
    memcpy(ret_leaf->topic, log->config.topic, log->topic_size + 1);
    segment->size += unwritten->size - before;
}

enum hub_status hub_partition_log_append(struct hub_partition_log *log,
                                         const struct hub_archived *record, int32_t schema_id,
                                         const char *schema_text, struct hub_error *reterr) {
    struct open_segment *segment = NULL;
    HUB_NOT_ZEROED struct hub_leaf leaf;
    bool avro = record->kind == HUB_ARCHIVED_AVRO;
    HUB_TRY(take_segment(log, avro ? schema_id : 0, schema_text, &segment, reterr));
    append_record(log, segment, record, &leaf);
    hub_buffer_clear(&log->entry);
    hub_leaf_append(&leaf, &log->entry);
    HUB_TRY(hub_tiles_append(log->tiles, hub_buffer_bytes(&log->entry), reterr));
    return segment->unwritten.size < UNWRITTEN_SIZE_MAX ? HUB_OK
                                                        : write_segment(log, segment, reterr);
}

/* --- signing --- */

static enum hub_status write_segments(struct hub_partition_log *log,
                                      struct hub_checkpoint *checkpoint,
                                      struct hub_error *reterr) {
    for (size_t i = 0; i < log->segment_count; i++) {
        struct open_segment *segment = &log->segments[i];
        HUB_TRY(write_segment(log, segment, reterr));
        checkpoint->segments[checkpoint->segment_count++] =
            (struct hub_open_segment){segment->header.first, segment->size};
    }
    return HUB_OK;
}

enum hub_status hub_partition_log_sign(struct hub_partition_log *log, int64_t next_offset,
                                       struct hub_error *reterr) {
    struct hub_checkpoint checkpoint = {.size = hub_tiles_size(log->tiles),
                                        .next_offset = next_offset};
    if (checkpoint.size == log->signed_size && log->next_offset >= 0)
        return HUB_OK;
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", log->key.name);
    checkpoint.root = hub_tiles_root(log->tiles);
    HUB_TRY(write_segments(log, &checkpoint, reterr));
    HUB_TRY(hub_tiles_sync(log->tiles, reterr)); /* all of that disk, with the segments */
    HUB_TRY(hub_checkpoint_store(log->config.folder, &log->key, log->config.private, &checkpoint,
                                 reterr));
    log->signed_size = checkpoint.size;
    log->next_offset = next_offset;
    return HUB_OK;
}

/* --- opening --- */

static enum hub_status read_header(struct open_segment *segment, const char *file,
                                   struct hub_error *reterr) {
    HUB_SCOPED_BUFFER begins = {.size_max = HEADER_SIZE_MAX};
    HUB_TRY(hub_file_read_start(file, HEADER_SIZE_MAX, &begins, reterr));
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&begins));
    if (hub_segment_read(&cursor, &segment->arena, &segment->header, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%s", file);
    return HUB_OK;
}

/* Cuts off what is beyond the checkpoint, and goes on after it. */
static enum hub_status open_segments(struct hub_partition_log *log,
                                     const struct hub_checkpoint *checkpoint,
                                     struct hub_error *reterr) {
    for (size_t i = 0; i < checkpoint->segment_count; i++) {
        HUB_SCOPED_BUFFER path = {0};
        struct open_segment *segment = add_segment(log);
        const char *file = segment_path(log, checkpoint->segments[i].first, &path);
        segment->size = checkpoint->segments[i].size;
        HUB_TRY(read_header(segment, file, reterr));
        HUB_TRY(hub_file_cut(file, segment->size, reterr));
    }
    return HUB_OK;
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

static enum hub_status open_files(struct hub_partition_log *log, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_checkpoint checkpoint = {0};
    bool has = false;
    HUB_TRY(hub_file_make_folder(path_of(log, "segments", &path), reterr));
    HUB_TRY(hub_file_make_folder(path_of(log, "checkpoints", &path), reterr));
    HUB_TRY(hub_checkpoint_resume(log->config.folder, &log->key, &checkpoint, &has, reterr));
    log->signed_size = checkpoint.size;
    log->next_offset = has ? checkpoint.next_offset : -1;
    HUB_TRY(hub_tiles_open(log->config.folder, checkpoint.size, &hub_sha256, &log->tiles, reterr));
    struct hub_digest root = hub_tiles_root(log->tiles);
    if (has && memcmp(&root, &checkpoint.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: its tiles are not those of its checkpoint",
                        log->config.folder);
    HUB_TRY(remove_beyond(log, reterr));
    HUB_TRY(open_segments(log, &checkpoint, reterr));
    return has ? HUB_OK : hub_log_key_store(log->config.folder, &log->key, reterr);
}

void hub_partition_log_close(struct hub_partition_log *log) {
    if (log == NULL)
        return;
    hub_tiles_close(log->tiles);
    hub_buffer_free(&log->entry);
    for (size_t i = 0; i < log->segment_count; i++)
        free_segment(&log->segments[i]);
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
    log->topic_size = strlen(config->topic);
    assert(log->topic_size <= HUB_TOPIC_SIZE_MAX);
    log->config.topic = hub_arena_text(arena, config->topic, log->topic_size);
    if (config->segment_size_max == 0)
        log->config.segment_size_max = SEGMENT_SIZE_MAX;
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
