#include "hub/archive/reader.h"

#include "hub/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_SIZE_MAX = 64 * 1024 * 1024, HEADER_SIZE_MAX = 8 * 1024 * 1024,
       STREAMS_MAX = HUB_OPEN_SEGMENTS_MAX };

/* A segment, as far as it was read. */
struct reading {
    struct hub_segment segment;
    struct hub_arena *arena;        /* of its header's texts */
    uint64_t begin, end;            /* of what was read of it: from a block, or its header, to a block */
    struct hub_file_stream *stream; /* from there on; NULL: it is not open now */
};

struct hub_archive_reader {
    char *folder;
    const char *topic; /* within the key's name */
    size_t topic_size;
    int32_t partition;
    struct hub_checkpoint checkpoint;
    struct hub_tiles *tiles;
    struct hub_merkle_tree tree;
    uint64_t from, index; /* of the first record, and of the next */
    int64_t first_offset, last_offset; /* -1: nothing was read yet */
    struct reading *readings; /* what was read last is last */
    size_t reading_count, reading_capacity, stream_count;
    bool only_compares;
    struct hub_arena arena; /* of one record */
    struct hub_buffer entry;
    struct hub_note_key key;
};

/* --- segments --- */

static const char *path_of_segment(struct hub_archive_reader *reader, uint64_t first) {
    return hub_arena_format(&reader->arena, "%s/segments/%llu.avro", reader->folder,
                            (unsigned long long)first);
}

static void close_stream(struct hub_archive_reader *reader, struct reading *reading) {
    reader->stream_count -= reading->stream != NULL;
    hub_file_stream_close(reading->stream);
    reading->stream = NULL;
}

/* Where too many are open, one that was not read for long is closed: it can be opened again. */
static enum hub_status open_stream(struct hub_archive_reader *reader, struct reading *reading,
                                   struct hub_error *reterr) {
    if (reading->stream != NULL)
        return HUB_OK;
    for (size_t i = 0; reader->stream_count >= STREAMS_MAX; i++)
        close_stream(reader, &reader->readings[i]);
    HUB_TRY(hub_file_stream_open(path_of_segment(reader, reading->segment.first), reading->end,
                                 &reading->stream, reterr));
    reader->stream_count++;
    return HUB_OK;
}

static struct reading *add_reading(struct hub_archive_reader *reader, uint64_t first) {
    HUB_GROW(reader->readings, reader->reading_count, reader->reading_capacity);
    struct reading *reading = &reader->readings[reader->reading_count++];
    *reading = (struct reading){.segment.first = first,
                                .arena = hub_allocate_zero(1, sizeof *reading->arena)};
    return reading;
}

static struct reading *find_reading(struct hub_archive_reader *reader, uint64_t first) {
    for (size_t i = reader->reading_count; i > 0; i--) {
        struct reading *found = &reader->readings[i - 1];
        struct reading *last = &reader->readings[reader->reading_count - 1];
        if (found->segment.first != first)
            continue;
        if (found == last)
            return last;
        struct reading was = *found;
        *found = *last;
        *last = was;
        return last;
    }
    return NULL;
}

static enum hub_status read_header(struct reading *reading, struct hub_cursor *cursor,
                                   const struct hub_digest *archived, struct hub_error *reterr) {
    uint64_t first = reading->segment.first;
    HUB_TRY(hub_segment_read(cursor, reading->arena, &reading->segment, reterr));
    struct hub_digest header =
        hub_sha256.digest(hub_bytes_part(cursor->bytes, 0, cursor->position));
    if (memcmp(&header, archived, sizeof header) != 0 || reading->segment.first != first)
        return hub_fail(reterr, HUB_REJECT, "the header of segments/%llu.avro is not the one that "
                        "was archived", (unsigned long long)first);
    return HUB_OK;
}

/* How many bytes stand between the block before and what is encoded: a count of one, and the size. */
static uint64_t before_encoded(uint64_t size) {
    uint64_t bytes = 2;
    for (uint64_t rest = size << 1; rest >= 128; rest >>= 7)
        bytes++;
    return bytes;
}

/* A segment that began before what is read: its first entry has the digest of its header. */
static enum hub_status begin_within(struct hub_archive_reader *reader,
                                    const struct hub_leaf *leaf, struct reading **ret_reading,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER entry = {0}, begins = {.size_max = HEADER_SIZE_MAX};
    struct hub_leaf first;
    HUB_TRY(hub_tiles_entry(reader->tiles, leaf->segment, &entry, reterr));
    HUB_TRY(hub_leaf_read(hub_buffer_bytes(&entry), &first, reterr));
    if (!first.has_header || leaf->at < before_encoded(leaf->size))
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    HUB_TRY(hub_file_read_start(path_of_segment(reader, leaf->segment), HEADER_SIZE_MAX, &begins,
                                reterr));
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&begins));
    struct reading *reading = add_reading(reader, leaf->segment);
    HUB_TRY(read_header(reading, &cursor, &first.header, reterr));
    reading->begin = reading->end = leaf->at - before_encoded(leaf->size);
    *ret_reading = reading;
    return HUB_OK;
}

static enum hub_status no_place(struct hub_error *reterr) {
    return hub_fail(reterr, HUB_REJECT, "its entry does not come after the one before it");
}

/* The segment of that entry, open where its block begins or, of its first one, where the file does. */
static enum hub_status find_segment(struct hub_archive_reader *reader,
                                    const struct hub_leaf *leaf, struct reading **ret_reading,
                                    struct hub_error *reterr) {
    bool begins = leaf->segment == reader->index;
    if (begins != leaf->has_header || leaf->segment > reader->index)
        return no_place(reterr);
    struct reading *reading = find_reading(reader, leaf->segment);
    if (begins && reading == NULL)
        reading = add_reading(reader, leaf->segment);
    else if (reading == NULL && leaf->segment < reader->from)
        HUB_TRY(begin_within(reader, leaf, &reading, reterr));
    else if (reading == NULL || leaf->at <= reading->end)
        return no_place(reterr);
    *ret_reading = reading;
    return open_stream(reader, reading, reterr);
}

/* --- records --- */

/* Up to the end of the record's block. */
static enum hub_status read_block(struct hub_archive_reader *reader, struct reading *reading,
                                  const struct hub_leaf *leaf, struct hub_archived *ret_record,
                                  struct hub_error *reterr) {
    uint64_t position = reading->end;
    struct hub_bytes piece, encoded;
    uint64_t end = leaf->at + leaf->size + HUB_SYNC_SIZE;
    if (leaf->size > RECORD_SIZE_MAX || leaf->at < position || end < leaf->at ||
        end - position > 2 * (uint64_t)RECORD_SIZE_MAX)
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    HUB_TRY(hub_file_stream_take(reading->stream, (size_t)(end - position), &piece, reterr));
    reading->end = end;
    struct hub_cursor cursor = hub_cursor(piece);
    if (position == 0)
        HUB_TRY(read_header(reading, &cursor, &leaf->header, reterr));
    struct hub_digest digest = hub_sha256.digest(hub_bytes_part(
        piece, (size_t)(leaf->at - position), (size_t)(leaf->at - position + leaf->size)));
    if (memcmp(&digest, &leaf->digest, sizeof digest) != 0)
        return hub_fail(reterr, HUB_REJECT, "its bytes in segments/%llu.avro are not those that were "
                        "archived", (unsigned long long)leaf->segment);
    if (hub_cursor_left(&cursor) == 0)
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    HUB_TRY(hub_segment_next(&cursor, &reading->segment,
                             reader->only_compares ? NULL : &reader->arena, ret_record, &encoded,
                             reterr));
    if (hub_cursor_left(&cursor) > 0 || encoded.size != leaf->size)
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    if (ret_record->index != reader->index || ret_record->offset != leaf->offset ||
        ret_record->timestamp_ms != leaf->timestamp_ms)
        return hub_fail(reterr, HUB_REJECT, "its entry is of another record");
    return HUB_OK;
}

static enum hub_status read_entry(struct hub_archive_reader *reader, struct hub_leaf *ret_leaf,
                                  struct hub_error *reterr) {
    HUB_NOT_ZEROED struct hub_digest stored;
    hub_buffer_clear(&reader->entry);
    HUB_TRY(hub_tiles_entry(reader->tiles, reader->index, &reader->entry, reterr));
    struct hub_digest leaf = hub_merkle_leaf(&hub_sha256, hub_buffer_bytes(&reader->entry));
    if (!reader->tree.node(reader->tree.context, 0, reader->index, &stored))
        return hub_fail(reterr, HUB_FATAL, "its hash cannot be read");
    if (memcmp(&leaf, &stored, sizeof leaf) != 0)
        return hub_fail(reterr, HUB_REJECT, "its entry is not the one in its tile");
    HUB_TRY(hub_leaf_read(hub_buffer_bytes(&reader->entry), ret_leaf, reterr));
    if (ret_leaf->partition != reader->partition || strlen(ret_leaf->topic) != reader->topic_size ||
        memcmp(ret_leaf->topic, reader->topic, reader->topic_size) != 0 ||
        ret_leaf->offset <= reader->last_offset)
        return no_place(reterr);
    return HUB_OK;
}

static enum hub_status next(struct hub_archive_reader *reader,
                            struct hub_archive_record *ret_record, struct hub_error *reterr) {
    struct reading *reading = NULL;
    ret_record->index = reader->index;
    HUB_TRY(read_entry(reader, &ret_record->leaf, reterr));
    HUB_TRY(find_segment(reader, &ret_record->leaf, &reading, reterr));
    HUB_TRY(read_block(reader, reading, &ret_record->leaf, &ret_record->record, reterr));
    ret_record->segment = &reading->segment;
    return HUB_OK;
}

enum hub_status hub_archive_reader_next(struct hub_archive_reader *reader,
                                        struct hub_archive_record *ret_record,
                                        struct hub_error *reterr) {
    assert(reader->index < reader->checkpoint.size);
    hub_arena_reset(&reader->arena);
    enum hub_status status = next(reader, ret_record, reterr);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "record %llu", (unsigned long long)reader->index);
    if (reader->first_offset < 0)
        reader->first_offset = ret_record->leaf.offset;
    reader->last_offset = ret_record->leaf.offset;
    reader->index++;
    return HUB_OK;
}

void hub_archive_reader_only_compare(struct hub_archive_reader *reader) {
    reader->only_compares = true;
}

bool hub_archive_reader_has_next(const struct hub_archive_reader *reader) {
    return reader->index < reader->checkpoint.size;
}

static enum hub_status offset_of(struct hub_archive_reader *reader, uint64_t index,
                                 int64_t *ret_offset, struct hub_error *reterr) {
    struct hub_leaf leaf;
    hub_buffer_clear(&reader->entry);
    HUB_TRY(hub_tiles_entry(reader->tiles, index, &reader->entry, reterr));
    enum hub_status status = hub_leaf_read(hub_buffer_bytes(&reader->entry), &leaf, reterr);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "record %llu", (unsigned long long)index);
    *ret_offset = leaf.offset;
    return HUB_OK;
}

enum hub_status hub_archive_reader_seek(struct hub_archive_reader *reader, int64_t offset,
                                        struct hub_error *reterr) {
    uint64_t low = 0, high = reader->checkpoint.size;
    assert(reader->index == reader->from && reader->reading_count == 0);
    while (low < high) { /* all before low are earlier, none from high on */
        uint64_t middle = low + (high - low) / 2;
        int64_t found = 0;
        HUB_TRY(offset_of(reader, middle, &found, reterr));
        if (found < offset)
            low = middle + 1;
        else
            high = middle;
    }
    reader->index = reader->from = low;
    return HUB_OK;
}

/* --- what was read --- */

void hub_archive_reader_append_spans(const struct hub_archive_reader *reader,
                                     struct hub_spans *spans) {
    for (size_t i = 0; i < reader->reading_count; i++) {
        const struct reading *reading = &reader->readings[i];
        HUB_GROW(spans->items, spans->count, spans->capacity);
        spans->items[spans->count++] =
            (struct hub_span){reading->segment.first, reading->begin, reading->end};
    }
}

int64_t hub_archive_reader_first_offset(const struct hub_archive_reader *reader) {
    return reader->first_offset;
}

int64_t hub_archive_reader_last_offset(const struct hub_archive_reader *reader) {
    return reader->last_offset;
}

/* --- opening --- */

/* The key's name ends in TOPIC-PARTITION. */
static bool read_name(struct hub_archive_reader *reader) {
    const char *slash = strrchr(reader->key.name, '/');
    const char *dash = strrchr(reader->key.name, '-');
    if (slash == NULL || dash == NULL || dash < slash)
        return false;
    reader->topic = slash + 1;
    reader->topic_size = (size_t)(dash - reader->topic);
    reader->partition = (int32_t)strtol(dash + 1, NULL, 10);
    return true;
}

enum hub_status hub_archive_reader_open_at(const char *folder, const struct hub_note_key *key,
                                           const struct hub_checkpoint *checkpoint, uint64_t from,
                                           struct hub_archive_reader **ret_reader,
                                           struct hub_error *reterr) {
    struct hub_archive_reader *reader = hub_allocate_zero(1, sizeof *reader);
    reader->folder = hub_copy_text(folder);
    reader->key = *key;
    reader->checkpoint = *checkpoint;
    reader->index = reader->from = from;
    reader->first_offset = reader->last_offset = -1;
    enum hub_status status =
        read_name(reader) ? hub_tiles_open(folder, checkpoint->size, &hub_sha256, &reader->tiles, reterr)
                          : hub_fail(reterr, HUB_REJECT, "'%s' is no log of a partition", key->name);
    if (status != HUB_OK) {
        hub_archive_reader_close(reader);
        return status;
    }
    reader->tree = hub_tiles_tree(reader->tiles);
    *ret_reader = reader;
    return HUB_OK;
}

enum hub_status hub_archive_reader_open(const char *folder, const struct hub_note_key *key,
                                        uint64_t from, struct hub_archive_reader **ret_reader,
                                        struct hub_error *reterr) {
    struct hub_checkpoint checkpoint;
    HUB_TRY(hub_checkpoint_load(folder, "checkpoint", key, &checkpoint, reterr));
    return hub_archive_reader_open_at(folder, key, &checkpoint, from, ret_reader, reterr);
}

void hub_archive_reader_close(struct hub_archive_reader *reader) {
    if (reader == NULL)
        return;
    for (size_t i = 0; i < reader->reading_count; i++) {
        close_stream(reader, &reader->readings[i]);
        hub_arena_destroy(reader->readings[i].arena);
        hub_release(reader->readings[i].arena);
    }
    hub_release(reader->readings);
    hub_tiles_close(reader->tiles);
    hub_buffer_free(&reader->entry);
    hub_arena_destroy(&reader->arena);
    hub_release(reader->folder);
    hub_release(reader);
}

const struct hub_checkpoint *hub_archive_reader_checkpoint(const struct hub_archive_reader *reader) {
    return &reader->checkpoint;
}

struct hub_tiles *hub_archive_reader_tiles(struct hub_archive_reader *reader) {
    return reader->tiles;
}
