#include "hub/archive/checkpoint.h"

#include "hub/base/text.h"
#include "hub/io/file.h"

#include <string.h>

void hub_checkpoint_append(const struct hub_checkpoint *checkpoint, struct hub_buffer *text) {
    hub_buffer_append_format(text, "%s\n%llu\n", checkpoint->origin,
                             (unsigned long long)checkpoint->size);
    hub_base64_append(hub_bytes(checkpoint->root.bytes, HUB_DIGEST_SIZE), text);
    hub_buffer_append_byte(text, '\n');
    if (checkpoint->next_offset >= 0)
        hub_buffer_append_format(text, "offset %lld\n", (long long)checkpoint->next_offset);
    for (size_t i = 0; i < checkpoint->segment_count; i++)
        hub_buffer_append_format(text, "segment %llu %llu\n",
                                 (unsigned long long)checkpoint->segments[i].first,
                                 (unsigned long long)checkpoint->segments[i].size);
}

/* --- reading --- */

/* What stands before the separator, as a number. */
static bool take_number(struct hub_bytes *rest, uint8_t separator, uint64_t *ret_number) {
    struct hub_bytes text;
    return hub_bytes_cut(*rest, separator, &text, rest) && hub_text_to_number(text, ret_number);
}

static bool take_word(struct hub_bytes *rest, const char *word) {
    struct hub_bytes found;
    return hub_bytes_cut(*rest, ' ', &found, rest) && hub_bytes_equal_text(found, word);
}

static bool read_head(struct hub_bytes *rest, struct hub_checkpoint *checkpoint) {
    struct hub_bytes origin, root;
    HUB_SCOPED_BUFFER bytes = {0};
    if (!hub_bytes_cut(*rest, '\n', &origin, rest) || origin.size > HUB_NOTE_NAME_MAX ||
        !take_number(rest, '\n', &checkpoint->size) || !hub_bytes_cut(*rest, '\n', &root, rest) ||
        !hub_base64_decode(root, &bytes) || bytes.size != HUB_DIGEST_SIZE)
        return false;
    memcpy(checkpoint->origin, origin.data, origin.size);
    memcpy(checkpoint->root.bytes, bytes.data, HUB_DIGEST_SIZE);
    return true;
}

static bool read_segment(struct hub_bytes *rest, struct hub_checkpoint *checkpoint) {
    struct hub_open_segment *segment = &checkpoint->segments[checkpoint->segment_count++];
    return take_word(rest, "segment") && take_number(rest, ' ', &segment->first) &&
           take_number(rest, '\n', &segment->size) && segment->first < checkpoint->size &&
           (checkpoint->segment_count == 1 || segment[-1].first < segment->first);
}

static bool read(struct hub_bytes text, struct hub_checkpoint *checkpoint) {
    struct hub_bytes rest = text;
    HUB_SCOPED_BUFFER again = {0};
    uint64_t next_offset = 0;
    if (!read_head(&rest, checkpoint))
        return false;
    checkpoint->next_offset = -1;
    if (rest.size > 0) {
        if (!take_word(&rest, "offset") || !take_number(&rest, '\n', &next_offset) ||
            next_offset > INT64_MAX)
            return false;
        checkpoint->next_offset = (int64_t)next_offset;
    }
    while (rest.size > 0)
        if (checkpoint->segment_count == HUB_OPEN_SEGMENTS_MAX || !read_segment(&rest, checkpoint))
            return false;
    hub_checkpoint_append(checkpoint, &again); /* there is one way to write it */
    return hub_bytes_equal(hub_buffer_bytes(&again), text);
}

enum hub_status hub_checkpoint_read(struct hub_bytes text, struct hub_checkpoint *ret_checkpoint,
                                    struct hub_error *reterr) {
    struct hub_checkpoint checkpoint = {0};
    if (!read(text, &checkpoint))
        return hub_fail(reterr, HUB_REJECT, "no checkpoint; the lines ORIGIN, SIZE, ROOT in base64 "
                        "and 'offset N' would pass");
    *ret_checkpoint = checkpoint;
    return HUB_OK;
}

/* --- files --- */

enum hub_status hub_checkpoint_load(const char *folder, const char *name,
                                    const struct hub_note_key *key,
                                    struct hub_checkpoint *ret_checkpoint,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, note = {.size_max = HUB_NOTE_SIZE_MAX};
    struct hub_bytes text, lines;
    hub_buffer_append_format(&path, "%s/%s", folder, name);
    HUB_TRY(hub_file_read(hub_buffer_text(&path), &note, reterr));
    if (hub_note_open(hub_buffer_bytes(&note), &text, &lines, reterr) != HUB_OK ||
        hub_note_check(text, lines, key, NULL, reterr) != HUB_OK ||
        hub_checkpoint_read(text, ret_checkpoint, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_REJECT, "%s", name);
    if (strcmp(ret_checkpoint->origin, key->name) != 0)
        return hub_fail(reterr, HUB_REJECT, "%s: it is of '%s'", name, ret_checkpoint->origin);
    return HUB_OK;
}

static const char *numbered_path(const char *folder, const struct hub_checkpoint *checkpoint,
                                 struct hub_buffer *path) {
    hub_buffer_append_format(path, "%s/checkpoints/%llu", folder,
                             (unsigned long long)checkpoint->size);
    return hub_buffer_text(path);
}

static const char *last_path(const char *folder, struct hub_buffer *path) {
    hub_buffer_append_format(path, "%s/checkpoint", folder);
    return hub_buffer_text(path);
}

enum hub_status hub_checkpoint_store(const char *folder, const struct hub_note_key *key,
                                     const struct hub_ed25519_key *private,
                                     const struct hub_checkpoint *checkpoint,
                                     struct hub_error *reterr) {
    HUB_SCOPED_BUFFER note = {0}, numbered = {0}, last = {0}, text = {0};
    hub_checkpoint_append(checkpoint, &text);
    hub_buffer_append_bytes(&note, hub_buffer_bytes(&text));
    hub_buffer_append_byte(&note, '\n');
    hub_note_sign(key, private, hub_buffer_bytes(&text), &note);
    HUB_TRY(hub_file_write(last_path(folder, &last), hub_buffer_bytes(&note), reterr));
    return hub_file_write(numbered_path(folder, checkpoint, &numbered), hub_buffer_bytes(&note),
                          reterr);
}

enum hub_status hub_checkpoint_resume(const char *folder, const struct hub_note_key *key,
                                      struct hub_checkpoint *ret_checkpoint, bool *ret_has,
                                      struct hub_error *reterr) {
    HUB_SCOPED_BUFFER numbered = {0}, last = {0}, note = {.size_max = HUB_NOTE_SIZE_MAX};
    struct hub_file_facts facts;
    struct hub_error missing;
    *ret_has = hub_file_facts(last_path(folder, &last), &facts, &missing) == HUB_OK;
    if (!*ret_has)
        return HUB_OK;
    if (hub_checkpoint_load(folder, "checkpoint", key, ret_checkpoint, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%s", folder);
    const char *path = numbered_path(folder, ret_checkpoint, &numbered);
    if (hub_file_facts(path, &facts, &missing) == HUB_OK)
        return HUB_OK;
    HUB_TRY(hub_file_read(hub_buffer_text(&last), &note, reterr));
    return hub_file_write(path, hub_buffer_bytes(&note), reterr);
}
