/* MLLP frames (HL7 v2 transport specification, Minimal Lower Layer Protocol): 0x0B, a message, 0x1C
 * 0x0D. Bytes go in as they come, frames come out. */
#pragma once

#include "hub/base/bytes.h"

enum { HUB_MLLP_NOISE_MAX = 1024 }; /* bytes between two frames, which mean nothing */

enum hub_mllp_event {
    HUB_MLLP_MORE = 0, /* all bytes were read, and no frame has ended */
    HUB_MLLP_FRAME,    /* a whole frame */
    HUB_MLLP_LONG,     /* a frame over the limit has ended: what it begins with */
    HUB_MLLP_TORN,     /* another frame has begun before this one ended */
    HUB_MLLP_NOISE,    /* too many bytes between frames: those; no use in reading on */
};

struct hub_mllp_reader {
    size_t size_max; /* of a frame's content; over it the rest of the frame is read and dropped */
    bool in_frame, may_end, is_long;
    bool told; /* the content was given out: the next byte begins another */
    struct hub_buffer content;
};

/* Reads until something has happened, or nothing is left. The content lives until the next call. */
enum hub_mllp_event hub_mllp_read(struct hub_mllp_reader *reader, struct hub_cursor *bytes,
                                  struct hub_bytes *ret_content);
/* What there is of a frame that has begun. */
struct hub_bytes hub_mllp_begun(const struct hub_mllp_reader *reader);
void hub_mllp_reader_free(struct hub_mllp_reader *reader);
