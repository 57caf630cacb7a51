#include "hub/archive/cosigned.h"

#include "hub/io/file.h"

#include <string.h>

static const char *path_of(const char *log_folder, const struct hub_note_key *witness,
                           struct hub_buffer *path) {
    hub_buffer_append_format(path, "%s/witnesses/%08x", log_folder, witness->id);
    return hub_buffer_text(path);
}

static enum hub_status open_note(struct hub_bytes note, const struct hub_note_key *log,
                                 const struct hub_note_key *witness,
                                 struct hub_checkpoint *ret_checkpoint, uint64_t *ret_time_s,
                                 struct hub_error *reterr) {
    struct hub_bytes text, lines;
    HUB_TRY(hub_note_open(note, &text, &lines, reterr));
    HUB_TRY(hub_note_check(text, lines, log, NULL, reterr));
    HUB_TRY(hub_note_check(text, lines, witness, ret_time_s, reterr));
    HUB_TRY(hub_checkpoint_read(text, ret_checkpoint, reterr));
    return strcmp(ret_checkpoint->origin, log->name) == 0
               ? HUB_OK
               : hub_fail(reterr, HUB_REJECT, "it is of '%s'", ret_checkpoint->origin);
}

enum hub_status hub_cosigned_size(const char *log_folder, const struct hub_note_key *log,
                                  const struct hub_note_key *witness, uint64_t *ret_size,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, note = {.size_max = HUB_NOTE_SIZE_MAX};
    struct hub_file_facts facts;
    struct hub_checkpoint checkpoint;
    uint64_t time_s = 0;
    *ret_size = 0;
    if (hub_file_facts(path_of(log_folder, witness, &path), &facts, reterr) != HUB_OK)
        return HUB_OK;
    HUB_TRY(hub_file_read(hub_buffer_text(&path), &note, reterr));
    enum hub_status status =
        open_note(hub_buffer_bytes(&note), log, witness, &checkpoint, &time_s, reterr);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "%s", hub_buffer_text(&path));
    *ret_size = checkpoint.size;
    return HUB_OK;
}

enum hub_status hub_cosigned_keep(const char *log_folder, struct hub_bytes note,
                                  struct hub_bytes lines, const struct hub_note_key *witness,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, folder = {0}, cosigned = {0};
    struct hub_bytes text, signatures;
    hub_buffer_append_bytes(&cosigned, note);
    hub_buffer_append_bytes(&cosigned, lines);
    HUB_TRY(hub_note_open(hub_buffer_bytes(&cosigned), &text, &signatures, reterr));
    HUB_TRY(hub_note_check(text, signatures, witness, NULL, reterr));
    hub_buffer_append_format(&folder, "%s/witnesses", log_folder);
    HUB_TRY(hub_file_make_folder(hub_buffer_text(&folder), reterr));
    return hub_file_write(path_of(log_folder, witness, &path), hub_buffer_bytes(&cosigned), reterr);
}

enum hub_status hub_cosigned_verify(struct hub_bytes note, const struct hub_note_key *log,
                                    const struct hub_note_key *witness, struct hub_tiles *tiles,
                                    uint64_t *ret_time_s, uint64_t *ret_size,
                                    struct hub_error *reterr) {
    struct hub_checkpoint seen;
    struct hub_digest root;
    struct hub_merkle_tree tree = hub_tiles_tree(tiles);
    HUB_TRY(open_note(note, log, witness, &seen, ret_time_s, reterr));
    *ret_size = seen.size;
    if (seen.size > hub_tiles_size(tiles))
        return hub_fail(reterr, HUB_REJECT, "%s has seen %llu entries, and there are %llu: the log was put "
                        "back", witness->name, (unsigned long long)seen.size,
                        (unsigned long long)hub_tiles_size(tiles));
    if (!hub_merkle_root(&tree, seen.size, &root))
        return hub_fail(reterr, HUB_FATAL, "tiles of %s cannot be read", log->name);
    if (memcmp(&root, &seen.root, sizeof root) != 0)
        return hub_fail(reterr, HUB_REJECT, "the log does not begin with the %llu entries that %s has "
                        "seen", (unsigned long long)seen.size, witness->name);
    return HUB_OK;
}
