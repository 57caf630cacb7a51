#include "hub/archive/proof.h"

#include "hub/archive/segment.h"
#include "hub/base/text.h"

#include <string.h>

static const char tlog_form[] = "c2sp.org/tlog-proof@v1\n";
static const char growth_form[] = "atmp-hub/log-growth@v1\n";

/* --- writing --- */

void hub_proof_append_hashes(const struct hub_proof *proof, struct hub_buffer *file) {
    for (size_t i = 0; i < proof->count; i++) {
        hub_base64_append(hub_bytes(proof->hashes[i].bytes, HUB_DIGEST_SIZE), file);
        hub_buffer_append_byte(file, '\n');
    }
    hub_buffer_append_byte(file, '\n');
}

void hub_inclusion_append(const struct hub_inclusion *inclusion, struct hub_buffer *file) {
    if (inclusion->form == HUB_PROOF_TLOG)
        hub_buffer_append_text(file, tlog_form);
    hub_buffer_append_format(file, "index %llu\n", (unsigned long long)inclusion->index);
    hub_proof_append_hashes(&inclusion->proof, file);
    hub_buffer_append_bytes(file, inclusion->checkpoint);
}

void hub_growth_append(const struct hub_proof *proof, struct hub_bytes from, struct hub_bytes to,
                       struct hub_buffer *file) {
    hub_buffer_append_text(file, growth_form);
    hub_proof_append_hashes(proof, file);
    hub_buffer_append_bytes(file, from);
    hub_buffer_append_byte(file, '\n');
    hub_buffer_append_bytes(file, to);
}

/* --- reading --- */

static bool begins_with(struct hub_bytes file, const char *text) {
    size_t size = strlen(text);
    return file.size >= size && memcmp(file.data, text, size) == 0;
}

/* Takes the text from the front, where it is there. */
static bool take_text(struct hub_bytes *rest, const char *text) {
    if (!begins_with(*rest, text))
        return false;
    *rest = hub_bytes_part(*rest, strlen(text), rest->size);
    return true;
}

static bool take_line(struct hub_bytes *rest, struct hub_bytes *ret_line) {
    return hub_bytes_cut(*rest, '\n', ret_line, rest);
}

static bool take_index(struct hub_bytes *rest, uint64_t *ret_index) {
    struct hub_bytes text;
    return take_text(rest, "index ") && take_line(rest, &text) &&
           hub_text_to_number(text, ret_index) && (text.size == 1 || text.data[0] != '0');
}

/* What nobody has signed is passed over. */
static bool pass_extra(struct hub_bytes *rest) {
    struct hub_bytes text;
    HUB_SCOPED_BUFFER bytes = {0};
    return !take_text(rest, "extra ") ||
           (take_line(rest, &text) && hub_base64_decode(text, &bytes));
}

bool hub_proof_take_hashes(struct hub_bytes *rest, struct hub_proof *proof) {
    for (proof->count = 0;; proof->count++) {
        struct hub_bytes line;
        HUB_SCOPED_BUFFER bytes = {0};
        if (!take_line(rest, &line))
            return false;
        if (line.size == 0)
            return true;
        if (proof->count == HUB_PROOF_HASHES_MAX || !hub_base64_decode(line, &bytes) ||
            bytes.size != HUB_DIGEST_SIZE)
            return false;
        memcpy(proof->hashes[proof->count].bytes, bytes.data, HUB_DIGEST_SIZE);
    }
}

static bool pass_paragraph(struct hub_bytes *rest) {
    struct hub_bytes line;
    do
        if (!take_line(rest, &line))
            return false;
    while (line.size > 0);
    return true;
}

/* The first of two notes: its text and its signatures. */
static bool take_note(struct hub_bytes *rest, struct hub_bytes *ret_note) {
    struct hub_bytes from = *rest;
    if (!pass_paragraph(rest) || !pass_paragraph(rest))
        return false;
    *ret_note = hub_bytes_part(from, 0, from.size - rest->size - 1);
    return true;
}

enum hub_status hub_inclusion_read(struct hub_bytes file, struct hub_inclusion *ret_inclusion,
                                   struct hub_error *reterr) {
    struct hub_bytes rest = file;
    ret_inclusion->form = take_text(&rest, tlog_form) ? HUB_PROOF_TLOG : HUB_PROOF_SPICY;
    if (file.size > HUB_PROOF_FILE_SIZE_MAX ||
        (ret_inclusion->form == HUB_PROOF_TLOG && !pass_extra(&rest)) ||
        !take_index(&rest, &ret_inclusion->index) || !hub_proof_take_hashes(&rest, &ret_inclusion->proof))
        return hub_fail(reterr, HUB_REJECT, "no proof; 'index N', up to %d hashes in base64, an empty "
                        "line and a checkpoint would pass", HUB_PROOF_HASHES_MAX);
    ret_inclusion->checkpoint = rest;
    return HUB_OK;
}

/* --- checking --- */

static enum hub_status open_checkpoint(struct hub_bytes note, const struct hub_note_key *key,
                                       struct hub_checkpoint *ret_checkpoint,
                                       struct hub_error *reterr) {
    struct hub_bytes text, lines;
    HUB_TRY(hub_note_open(note, &text, &lines, reterr));
    HUB_TRY(hub_note_check(text, lines, key, NULL, reterr));
    HUB_TRY(hub_checkpoint_read(text, ret_checkpoint, reterr));
    if (strcmp(ret_checkpoint->origin, key->name) != 0)
        return hub_fail(reterr, HUB_REJECT, "its checkpoint is of '%s'", ret_checkpoint->origin);
    return HUB_OK;
}

enum hub_status hub_inclusion_check(struct hub_bytes file, struct hub_bytes entry,
                                    const struct hub_note_key *key,
                                    struct hub_inclusion *ret_inclusion,
                                    struct hub_checkpoint *ret_checkpoint,
                                    struct hub_error *reterr) {
    struct hub_digest leaf = hub_merkle_leaf(&hub_sha256, entry);
    HUB_TRY(hub_inclusion_read(file, ret_inclusion, reterr));
    HUB_TRY(open_checkpoint(ret_inclusion->checkpoint, key, ret_checkpoint, reterr));
    if (!hub_merkle_includes(&hub_sha256, &ret_inclusion->proof, ret_inclusion->index, &leaf,
                             ret_checkpoint->size, &ret_checkpoint->root))
        return hub_fail(reterr, HUB_REJECT, "it does not show that this is entry %llu of the log",
                        (unsigned long long)ret_inclusion->index);
    return HUB_OK;
}

bool hub_growth_is(struct hub_bytes file) {
    return begins_with(file, growth_form);
}

enum hub_status hub_growth_check(struct hub_bytes file, const struct hub_note_key *key,
                                 struct hub_checkpoint *ret_from, struct hub_checkpoint *ret_to,
                                 struct hub_error *reterr) {
    struct hub_bytes rest = file, from;
    struct hub_proof proof;
    if (file.size > HUB_PROOF_FILE_SIZE_MAX || !take_text(&rest, growth_form) ||
        !hub_proof_take_hashes(&rest, &proof) || !take_note(&rest, &from))
        return hub_fail(reterr, HUB_REJECT, "no proof of growth; '%.22s', up to %d hashes in base64 and "
                        "two checkpoints, with an empty line before each, would pass", growth_form,
                        HUB_PROOF_HASHES_MAX);
    if (open_checkpoint(from, key, ret_from, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_REJECT, "the earlier checkpoint");
    if (open_checkpoint(rest, key, ret_to, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_REJECT, "the later checkpoint");
    if (!hub_merkle_grew(&hub_sha256, &proof, ret_from->size, &ret_from->root, ret_to->size,
                         &ret_to->root))
        return hub_fail(reterr, HUB_REJECT, "it does not show that the log of %llu entries begins with "
                        "the one of %llu", (unsigned long long)ret_to->size,
                        (unsigned long long)ret_from->size);
    return HUB_OK;
}

enum hub_status hub_proof_check_record(struct hub_bytes segment, uint64_t index,
                                       const struct hub_leaf *leaf, struct hub_error *reterr) {
    struct hub_cursor cursor = hub_cursor(segment);
    struct hub_arena arena = {0};
    struct hub_segment header;
    struct hub_archived record = {0};
    struct hub_bytes encoded = {0};
    enum hub_status status = hub_segment_read(&cursor, &arena, &header, reterr);
    if (status == HUB_OK && hub_cursor_left(&cursor) == 0)
        status = hub_fail(reterr, HUB_REJECT, "there is no record in it");
    if (status == HUB_OK)
        status = hub_segment_next(&cursor, &header, &arena, &record, &encoded, reterr);
    struct hub_digest digest = hub_sha256.digest(encoded);
    if (status == HUB_OK && (memcmp(&digest, &leaf->digest, sizeof digest) != 0 ||
                             record.index != index || record.offset != leaf->offset))
        status = hub_fail(reterr, HUB_REJECT, "its record is not the one that the entry is of");
    hub_arena_destroy(&arena);
    return status;
}
