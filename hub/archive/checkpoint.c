#include "hub/archive/checkpoint.h"

#include "hub/base/text.h"

#include <string.h>

void hub_checkpoint_append(const struct hub_checkpoint *checkpoint, struct hub_buffer *text) {
    hub_buffer_append_format(text, "%s\n%llu\n", checkpoint->origin,
                             (unsigned long long)checkpoint->size);
    hub_base64_append(hub_bytes(checkpoint->root.bytes, HUB_DIGEST_SIZE), text);
    hub_buffer_append_format(text, "\noffset %lld\n", (long long)checkpoint->next_offset);
}

static bool read(struct hub_bytes text, struct hub_checkpoint *checkpoint) {
    struct hub_bytes origin, size, root, word, offset, rest;
    HUB_SCOPED_BUFFER bytes = {0}, again = {0};
    uint64_t next_offset = 0;
    if (!hub_bytes_cut(text, '\n', &origin, &rest) || !hub_bytes_cut(rest, '\n', &size, &rest) ||
        !hub_bytes_cut(rest, '\n', &root, &rest) || !hub_bytes_cut(rest, ' ', &word, &rest) ||
        !hub_bytes_cut(rest, '\n', &offset, &rest) || origin.size > HUB_NOTE_NAME_MAX ||
        !hub_text_to_number(size, &checkpoint->size) ||
        !hub_text_to_number(offset, &next_offset) || next_offset > INT64_MAX ||
        !hub_base64_decode(root, &bytes) || bytes.size != HUB_DIGEST_SIZE)
        return false;
    memcpy(checkpoint->origin, origin.data, origin.size);
    memcpy(checkpoint->root.bytes, bytes.data, HUB_DIGEST_SIZE);
    checkpoint->next_offset = (int64_t)next_offset;
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
