#include "hub/archive/verify.h"

#include "hub/archive/checkpoint.h"
#include "hub/archive/leaf.h"
#include "hub/archive/segment.h"
#include "hub/archive/tiles.h"
#include "hub/io/file.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_EVERY = 65536, RECORD_SIZE_MAX = 64 * 1024 * 1024,
       HEADER_SIZE_MAX = 8 * 1024 * 1024 };

struct verifying {
    const struct hub_verify_config *config;
    struct hub_checkpoint checkpoint; /* the last */
    struct hub_tiles *tiles;
    struct hub_verified verified;
    struct hub_arena arena; /* of one record */
    struct hub_leaf last;   /* the entry before */
    bool has_last;
    uint64_t segments;      /* that entries speak of */
    struct hub_file_stream *stream; /* of the segment, as far as it was read; NULL: none is open */
    struct hub_segment segment;
    struct hub_digest header; /* of it, by its first entry */
    struct hub_arena segment_arena;
};

static const char *path_in(struct verifying *verifying, const char *name) {
    return hub_arena_format(&verifying->arena, "%s/%s", verifying->config->folder, name);
}

/* --- checkpoints --- */

static enum hub_status read_checkpoint(struct verifying *verifying, const char *name,
                                       struct hub_checkpoint *ret_checkpoint,
                                       struct hub_error *reterr) {
    const struct hub_note_key *key = verifying->config->key;
    HUB_SCOPED_BUFFER note = {.size_max = HUB_NOTE_SIZE_MAX};
    struct hub_bytes text, lines;
    HUB_TRY(hub_file_read(path_in(verifying, name), &note, reterr));
    if (hub_note_open(hub_buffer_bytes(&note), &text, &lines, reterr) != HUB_OK ||
        hub_note_check(text, lines, key, NULL, reterr) != HUB_OK ||
        hub_checkpoint_read(text, ret_checkpoint, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_REJECT, "%s", name);
    if (strcmp(ret_checkpoint->origin, key->name) != 0)
        return hub_fail(reterr, HUB_REJECT, "%s: it is of '%s'", name, ret_checkpoint->origin);
    return HUB_OK;
}

/* An earlier checkpoint is of the log as it was then. */
static enum hub_status verify_earlier(struct verifying *verifying, const char *file,
                                      struct hub_error *reterr) {
    struct hub_checkpoint earlier;
    struct hub_digest root;
    const char *name = hub_arena_format(&verifying->arena, "checkpoints/%s", file);
    HUB_TRY(read_checkpoint(verifying, name, &earlier, reterr));
    if (strcmp(file, hub_arena_format(&verifying->arena, "%llu", (unsigned long long)earlier.size)) !=
        0)
        return hub_fail(reterr, HUB_REJECT, "%s: it is of %llu entries", name,
                        (unsigned long long)earlier.size);
    if (earlier.size > verifying->checkpoint.size)
        return hub_fail(reterr, HUB_REJECT, "%s: a log of %llu entries was signed, and this one has "
                        "%llu: it was put back", name, (unsigned long long)earlier.size,
                        (unsigned long long)verifying->checkpoint.size);
    struct hub_merkle_tree tree = hub_tiles_tree(verifying->tiles);
    if (!hub_merkle_root(&tree, earlier.size, &root))
        return hub_fail(reterr, HUB_FATAL, "%s: tiles of it cannot be read", name);
    if (memcmp(&root, &earlier.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_REJECT, "%s: the log does not begin with what was signed then",
                        name);
    verifying->verified.checkpoints++;
    return HUB_OK;
}

static enum hub_status verify_checkpoints(struct verifying *verifying, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t count = 0;
    enum hub_status status = hub_file_list(path_in(verifying, "checkpoints"), "", &arena, &names,
                                           &count, reterr);
    for (size_t i = 0; i < count && status == HUB_OK; i++)
        status = verify_earlier(verifying, names[i], reterr);
    hub_arena_destroy(&arena);
    return status;
}

/* --- the tree --- */

/* Every hash of a tile above the entries' is the root of a whole tile below it. */
static enum hub_status verify_level(struct verifying *verifying, unsigned at,
                                    struct hub_error *reterr) {
    struct hub_merkle_tree tree = hub_tiles_tree(verifying->tiles);
    uint64_t count = verifying->checkpoint.size >> 8 * at;
    unsigned level = 8 * at;
    for (uint64_t i = 0; i < count; i++) {
        struct hub_digest stored, left, right;
        if (!tree.node(tree.context, level, i, &stored) ||
            !tree.node(tree.context, level - 1, 2 * i, &left) ||
            !tree.node(tree.context, level - 1, 2 * i + 1, &right))
            return hub_fail(reterr, HUB_FATAL, "hash %llu of level %u cannot be read",
                            (unsigned long long)i, at);
        struct hub_digest made = hub_merkle_node(&hub_sha256, &left, &right);
        if (memcmp(&made, &stored, sizeof made) != 0)
            return hub_fail(reterr, HUB_REJECT, "tile/%u: hash %llu is not that of the tile below it",
                            at, (unsigned long long)i);
    }
    return HUB_OK;
}

static enum hub_status verify_tree(struct verifying *verifying, struct hub_error *reterr) {
    struct hub_digest root = hub_tiles_root(verifying->tiles);
    if (memcmp(&root, &verifying->checkpoint.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_REJECT, "the root of its tiles is not the one that was signed");
    for (unsigned at = 1; at < HUB_TILE_LEVELS; at++)
        HUB_TRY(verify_level(verifying, at, reterr));
    return HUB_OK;
}

/* --- records --- */

static enum hub_status end_segment(struct verifying *verifying, bool is_last,
                                   struct hub_error *reterr) {
    if (verifying->stream == NULL)
        return HUB_OK;
    uint64_t size = hub_file_stream_size(verifying->stream);
    uint64_t position = hub_file_stream_position(verifying->stream);
    uint64_t beyond = size > position ? size - position : 0;
    hub_file_stream_close(verifying->stream);
    verifying->stream = NULL;
    if (is_last)
        verifying->verified.unsigned_bytes = verifying->config->to == 0 ? beyond : 0;
    else if (beyond > 0)
        return hub_fail(reterr, HUB_REJECT, "segments/%llu.avro: %llu bytes at its end that no entry "
                        "speaks of", (unsigned long long)verifying->segment.first,
                        (unsigned long long)beyond);
    return HUB_OK;
}

static enum hub_status read_header(struct verifying *verifying, struct hub_cursor *cursor,
                                   const struct hub_leaf *leaf, struct hub_error *reterr) {
    const struct hub_digest *archived = leaf->has_header ? &leaf->header : &verifying->header;
    HUB_TRY(hub_segment_read(cursor, &verifying->segment_arena, &verifying->segment, reterr));
    struct hub_digest header =
        hub_sha256.digest(hub_bytes_part(cursor->bytes, 0, cursor->position));
    if (memcmp(&header, archived, sizeof header) != 0)
        return hub_fail(reterr, HUB_REJECT, "the header of segments/%llu.avro is not the one that "
                        "was archived", (unsigned long long)leaf->segment);
    return HUB_OK;
}

static const char *path_of_segment(struct verifying *verifying, uint64_t first) {
    return path_in(verifying, hub_arena_format(&verifying->arena, "segments/%llu.avro",
                                               (unsigned long long)first));
}

/* At its beginning, or where the record before this one ends (`from`). */
static enum hub_status open_segment(struct verifying *verifying, const struct hub_leaf *leaf,
                                    uint64_t from, struct hub_error *reterr) {
    const char *path = path_of_segment(verifying, leaf->segment);
    HUB_TRY(end_segment(verifying, /* is_last= */ false, reterr));
    hub_arena_reset(&verifying->segment_arena);
    if (from > 0) {
        HUB_SCOPED_BUFFER begins = {.size_max = HEADER_SIZE_MAX};
        HUB_TRY(hub_file_read_start(path, HEADER_SIZE_MAX, &begins, reterr));
        struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&begins));
        HUB_TRY(read_header(verifying, &cursor, leaf, reterr));
    }
    return hub_file_stream_open(path, from, &verifying->stream, reterr);
}

/* From where the segment was read to, up to the end of this record's block. */
static enum hub_status verify_block(struct verifying *verifying, uint64_t index,
                                    const struct hub_leaf *leaf, struct hub_error *reterr) {
    uint64_t position = hub_file_stream_position(verifying->stream);
    struct hub_archived record;
    struct hub_bytes piece, encoded;
    uint64_t end = leaf->at + leaf->size + HUB_SYNC_SIZE;
    if (leaf->size > RECORD_SIZE_MAX || leaf->at < position || end < leaf->at ||
        end - position > 2 * (uint64_t)RECORD_SIZE_MAX)
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    HUB_TRY(hub_file_stream_take(verifying->stream, (size_t)(end - position), &piece, reterr));
    struct hub_cursor cursor = hub_cursor(piece);
    if (position == 0)
        HUB_TRY(read_header(verifying, &cursor, leaf, reterr));
    struct hub_digest digest = hub_sha256.digest(hub_bytes_part(
        piece, (size_t)(leaf->at - position), (size_t)(leaf->at - position + leaf->size)));
    if (memcmp(&digest, &leaf->digest, sizeof digest) != 0)
        return hub_fail(reterr, HUB_REJECT, "its bytes in segments/%llu.avro are not those that were "
                        "archived", (unsigned long long)leaf->segment);
    if (hub_cursor_left(&cursor) == 0)
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    HUB_TRY(hub_segment_next(&cursor, &verifying->segment, &verifying->arena, &record, &encoded,
                             reterr));
    if (hub_cursor_left(&cursor) > 0 || encoded.size != leaf->size)
        return hub_fail(reterr, HUB_REJECT, "its place in its segment is none");
    if (record.index != index || record.offset != leaf->offset ||
        record.timestamp_ms != leaf->timestamp_ms)
        return hub_fail(reterr, HUB_REJECT, "its entry is of another record");
    verifying->verified.records++;
    verifying->verified.bytes += leaf->size;
    return HUB_OK;
}

static bool is_of_this_log(const struct verifying *verifying, const struct hub_leaf *leaf) {
    const char *slash = strrchr(verifying->config->key->name, '/');
    HUB_SCOPED_BUFFER name = {0};
    hub_buffer_append_format(&name, "%s-%d", leaf->topic, leaf->partition);
    return slash != NULL && strcmp(slash + 1, hub_buffer_text(&name)) == 0;
}

static enum hub_status verify_entry(struct verifying *verifying, uint64_t index,
                                    struct hub_bytes entry, struct hub_error *reterr) {
    const struct hub_verify_config *config = verifying->config;
    struct hub_leaf leaf;
    HUB_TRY(hub_leaf_read(entry, &leaf, reterr));
    uint64_t ended = verifying->last.at + verifying->last.size + HUB_SYNC_SIZE;
    bool begins = leaf.segment == index;
    bool goes_on = verifying->has_last && leaf.segment == verifying->last.segment &&
                   leaf.at > ended;
    bool later = !verifying->has_last || leaf.offset > verifying->last.offset;
    if (!is_of_this_log(verifying, &leaf) || !(begins || goes_on) || !later ||
        begins != leaf.has_header)
        return hub_fail(reterr, HUB_REJECT, "its entry does not come after the one before it");
    verifying->last = leaf;
    verifying->has_last = true;
    verifying->segments += begins;
    if (begins)
        verifying->header = leaf.header;
    if (index < config->from || (config->to > 0 && index >= config->to))
        return HUB_OK;
    if (verifying->stream == NULL || begins)
        HUB_TRY(open_segment(verifying, &leaf, begins ? 0 : ended, reterr));
    return verify_block(verifying, index, &leaf, reterr);
}

static enum hub_status verify_entries(struct verifying *verifying, struct hub_error *reterr) {
    const struct hub_verify_config *config = verifying->config;
    struct hub_merkle_tree tree = hub_tiles_tree(verifying->tiles);
    for (uint64_t i = 0; i < verifying->checkpoint.size; i++) {
        HUB_SCOPED_BUFFER entry = {0};
        struct hub_digest stored, leaf;
        HUB_TRY(hub_tiles_entry(verifying->tiles, i, &entry, reterr));
        leaf = hub_merkle_leaf(&hub_sha256, hub_buffer_bytes(&entry));
        if (!tree.node(tree.context, 0, i, &stored))
            return hub_fail(reterr, HUB_FATAL, "hash %llu of level 0 cannot be read",
                            (unsigned long long)i);
        if (memcmp(&leaf, &stored, sizeof leaf) != 0)
            return hub_fail(reterr, HUB_REJECT, "record %llu: its entry is not the one in its tile",
                            (unsigned long long)i);
        enum hub_status status = verify_entry(verifying, i, hub_buffer_bytes(&entry), reterr);
        if (status != HUB_OK)
            return hub_fail_at(reterr, status, "record %llu", (unsigned long long)i);
        hub_arena_reset(&verifying->arena);
        if (config->progress != NULL && i % PROGRESS_EVERY == PROGRESS_EVERY - 1)
            config->progress(config->context, i + 1, verifying->checkpoint.size);
    }
    return end_segment(verifying, /* is_last= */ true, reterr);
}

/* There is no segment that no entry speaks of, but for one that begins beyond the checkpoint. */
static enum hub_status verify_segments(struct verifying *verifying, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char **names = NULL;
    size_t count = 0;
    uint64_t found = 0;
    enum hub_status status = hub_file_list(path_in(verifying, "segments"), "", &arena, &names,
                                           &count, reterr);
    for (size_t i = 0; i < count; i++)
        found += strtoull(names[i], NULL, 10) < verifying->checkpoint.size;
    hub_arena_destroy(&arena);
    if (status == HUB_OK && found != verifying->segments)
        return hub_fail(reterr, HUB_REJECT, "segments: %llu files, where the entries speak of %llu",
                        (unsigned long long)found, (unsigned long long)verifying->segments);
    return status;
}

static enum hub_status verify(struct verifying *verifying, struct hub_error *reterr) {
    HUB_TRY(read_checkpoint(verifying, "checkpoint", &verifying->checkpoint, reterr));
    verifying->verified.size = verifying->checkpoint.size;
    verifying->verified.next_offset = verifying->checkpoint.next_offset;
    HUB_TRY(hub_tiles_open(verifying->config->folder, verifying->checkpoint.size, &hub_sha256,
                           &verifying->tiles, reterr));
    HUB_TRY(verify_entries(verifying, reterr));
    HUB_TRY(verify_tree(verifying, reterr));
    HUB_TRY(verify_checkpoints(verifying, reterr));
    return verify_segments(verifying, reterr);
}

enum hub_status hub_archive_verify(const struct hub_verify_config *config,
                                   struct hub_verified *ret_verified, struct hub_error *reterr) {
    struct verifying verifying = {.config = config};
    enum hub_status status = verify(&verifying, reterr);
    *ret_verified = verifying.verified;
    hub_file_stream_close(verifying.stream);
    hub_tiles_close(verifying.tiles);
    hub_arena_destroy(&verifying.segment_arena);
    hub_arena_destroy(&verifying.arena);
    return status;
}
