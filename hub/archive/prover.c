#include "hub/archive/prover.h"

#include "hub/archive/segment.h"
#include "hub/archive/tiles.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <string.h>

enum { RECORD_SIZE_MAX = 64 * 1024 * 1024, HEADER_SIZE_MAX = 8 * 1024 * 1024 };

struct hub_prover {
    char *folder;
    struct hub_buffer note; /* of the last checkpoint */
    struct hub_checkpoint checkpoint;
    struct hub_tiles *tiles;
};

static enum hub_status read_in(const struct hub_prover *prover, const char *name,
                               struct hub_buffer *file, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s/%s", prover->folder, name);
    return hub_file_read(hub_buffer_text(&path), file, reterr);
}

static enum hub_status cannot_read(const struct hub_prover *prover, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL, "%s: tiles that the proof needs cannot be read",
                    prover->folder);
}

/* --- opening --- */

static enum hub_status open_log(struct hub_prover *prover, const struct hub_note_key *key,
                                struct hub_error *reterr) {
    struct hub_bytes text, lines;
    HUB_TRY(read_in(prover, "checkpoint", &prover->note, reterr));
    if (hub_note_open(hub_buffer_bytes(&prover->note), &text, &lines, reterr) != HUB_OK ||
        hub_note_check(text, lines, key, NULL, reterr) != HUB_OK ||
        hub_checkpoint_read(text, &prover->checkpoint, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_REJECT, "%s/checkpoint", prover->folder);
    return hub_tiles_open(prover->folder, prover->checkpoint.size, &hub_sha256, &prover->tiles,
                          reterr);
}

void hub_prover_close(struct hub_prover *prover) {
    if (prover == NULL)
        return;
    hub_tiles_close(prover->tiles);
    hub_buffer_free(&prover->note);
    hub_release(prover->folder);
    hub_release(prover);
}

enum hub_status hub_prover_open(const char *folder, const struct hub_note_key *key,
                                struct hub_prover **ret_prover, struct hub_error *reterr) {
    struct hub_prover *prover = hub_allocate_zero(1, sizeof *prover);
    prover->folder = hub_copy_text(folder);
    prover->note.size_max = HUB_NOTE_SIZE_MAX;
    enum hub_status status = open_log(prover, key, reterr);
    if (status == HUB_OK)
        *ret_prover = prover;
    else
        hub_prover_close(prover);
    return status;
}

const struct hub_checkpoint *hub_prover_checkpoint(const struct hub_prover *prover) {
    return &prover->checkpoint;
}

/* --- records --- */

enum hub_status hub_prover_entry(struct hub_prover *prover, uint64_t index,
                                 struct hub_buffer *entry, struct hub_leaf *ret_leaf,
                                 struct hub_error *reterr) {
    if (index >= prover->checkpoint.size)
        return hub_fail(reterr, HUB_REJECT, "there is no record %llu; 0 to %lld would pass",
                        (unsigned long long)index, (long long)prover->checkpoint.size - 1);
    HUB_TRY(hub_tiles_entry(prover->tiles, index, entry, reterr));
    return hub_leaf_read(hub_buffer_bytes(entry), ret_leaf, reterr);
}

/* Offsets ascend, with gaps. */
enum hub_status hub_prover_find(struct hub_prover *prover, int64_t offset, uint64_t *ret_index,
                                struct hub_error *reterr) {
    uint64_t from = 0, to = prover->checkpoint.size;
    while (from < to) {
        HUB_SCOPED_BUFFER entry = {0};
        struct hub_leaf leaf;
        uint64_t middle = from + (to - from) / 2;
        HUB_TRY(hub_prover_entry(prover, middle, &entry, &leaf, reterr));
        if (leaf.offset == offset) {
            *ret_index = middle;
            return HUB_OK;
        }
        if (leaf.offset < offset)
            from = middle + 1;
        else
            to = middle;
    }
    return hub_fail(reterr, HUB_REJECT, "no record has offset %lld; it would stand before record %llu",
                    (long long)offset, (unsigned long long)from);
}

static enum hub_status append_header(const char *path, struct hub_segment *ret_segment,
                                     struct hub_arena *arena, struct hub_buffer *segment,
                                     struct hub_error *reterr) {
    HUB_SCOPED_BUFFER begins = {.size_max = HEADER_SIZE_MAX};
    HUB_TRY(hub_file_read_start(path, HEADER_SIZE_MAX, &begins, reterr));
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&begins));
    HUB_TRY(hub_segment_read(&cursor, arena, ret_segment, reterr));
    hub_buffer_append_bytes(segment, hub_bytes_part(cursor.bytes, 0, cursor.position));
    return HUB_OK;
}

static enum hub_status append_block(const char *path, const struct hub_leaf *leaf,
                                    const struct hub_segment *header, struct hub_buffer *segment,
                                    struct hub_error *reterr) {
    struct hub_file_stream *stream = NULL;
    struct hub_bytes encoded;
    if (leaf->size > RECORD_SIZE_MAX)
        return hub_fail(reterr, HUB_REJECT, "a record of %llu bytes; up to %d would pass",
                        (unsigned long long)leaf->size, RECORD_SIZE_MAX);
    HUB_TRY(hub_file_stream_open(path, leaf->at, &stream, reterr));
    enum hub_status status = hub_file_stream_take(stream, (size_t)leaf->size, &encoded, reterr);
    if (status == HUB_OK) {
        struct hub_digest digest = hub_sha256.digest(encoded);
        if (memcmp(&digest, &leaf->digest, sizeof digest) != 0)
            status = hub_fail(reterr, HUB_REJECT, "%s: the bytes at %llu are not those that were "
                              "archived", path, (unsigned long long)leaf->at);
        hub_buffer_append_long(segment, 1);
        hub_buffer_append_long(segment, (int64_t)encoded.size);
        hub_buffer_append_bytes(segment, encoded);
        hub_buffer_append(segment, header->sync, HUB_SYNC_SIZE);
    }
    hub_file_stream_close(stream);
    return status;
}

enum hub_status hub_prover_record(struct hub_prover *prover, const struct hub_leaf *leaf,
                                  struct hub_buffer *segment, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_segment header;
    const char *path = hub_arena_format(&arena, "%s/segments/%llu.avro", prover->folder,
                                        (unsigned long long)leaf->segment);
    segment->size_max = RECORD_SIZE_MAX + 2 * HEADER_SIZE_MAX;
    enum hub_status status = append_header(path, &header, &arena, segment, reterr);
    if (status == HUB_OK)
        status = append_block(path, leaf, &header, segment, reterr);
    hub_arena_destroy(&arena);
    return status;
}

/* --- proofs --- */

enum hub_status hub_prover_include(struct hub_prover *prover, uint64_t index,
                                   enum hub_proof_form form, struct hub_buffer *file,
                                   struct hub_error *reterr) {
    struct hub_merkle_tree tree = hub_tiles_tree(prover->tiles);
    struct hub_inclusion inclusion = {
        .form = form, .index = index, .checkpoint = hub_buffer_bytes(&prover->note)};
    if (!hub_merkle_prove(&tree, index, prover->checkpoint.size, &inclusion.proof))
        return cannot_read(prover, reterr);
    hub_inclusion_append(&inclusion, file);
    return HUB_OK;
}

static enum hub_status read_note(const struct hub_prover *prover, uint64_t size,
                                 struct hub_buffer *note, struct hub_error *reterr) {
    char name[48];
    snprintf(name, sizeof name, "checkpoints/%llu", (unsigned long long)size);
    note->size_max = HUB_NOTE_SIZE_MAX;
    return read_in(prover, name, note, reterr);
}

enum hub_status hub_prover_growth(struct hub_prover *prover, uint64_t from, uint64_t to,
                                  struct hub_buffer *file, struct hub_error *reterr) {
    struct hub_merkle_tree tree = hub_tiles_tree(prover->tiles);
    struct hub_proof proof;
    HUB_SCOPED_BUFFER earlier = {0}, later = {0};
    if (from > to || to > prover->checkpoint.size)
        return hub_fail(reterr, HUB_REJECT, "from %llu to %llu of a log of %llu entries; two of its "
                        "sizes, the earlier first, would pass", (unsigned long long)from,
                        (unsigned long long)to, (unsigned long long)prover->checkpoint.size);
    HUB_TRY(read_note(prover, from, &earlier, reterr));
    HUB_TRY(read_note(prover, to, &later, reterr));
    if (!hub_merkle_prove_growth(&tree, from, to, &proof))
        return cannot_read(prover, reterr);
    hub_growth_append(&proof, hub_buffer_bytes(&earlier), hub_buffer_bytes(&later), file);
    return HUB_OK;
}
