/* What a receiver has to know of the HL7 v2 messages in a frame (HL7 2.5.1, 2.10 and 2.14.9). */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"

enum {
    HUB_MLLP_MESSAGES_MAX = 10000, /* in one frame */
    HUB_MLLP_FIELD_SIZE_MAX = 512, /* of a field that an answer repeats, or is ruled by */
    HUB_MLLP_FIELDS = 19,
};

/* Of HL7 table 0357. */
#define HUB_MLLP_SEQUENCE_ERROR "100"
#define HUB_MLLP_MISSING "101"
#define HUB_MLLP_TYPE_ERROR "102"
#define HUB_MLLP_INTERNAL_ERROR "207"

/* Why something is refused. */
struct hub_mllp_refusal {
    const char *why;  /* one sentence; NULL: it is not */
    const char *code;
    int field;        /* of MSH that it is about, or 0 */
};

/* Something's first segment: MSH, and FHS and BHS, which begin alike. */
struct hub_mllp_header {
    struct hub_bytes given; /* MSH-2: the separators but for the first */
    uint8_t field, component, escape; /* separators; escape may be 0 */
    struct hub_bytes fields[HUB_MLLP_FIELDS]; /* from 3; what cannot be repeated is not there */
};

/* Of the first line. With a refusal there is still what can be told, to answer with. */
struct hub_mllp_refusal hub_mllp_header_read(struct hub_bytes line,
                                             struct hub_mllp_header *ret_header);

struct hub_mllp_message {
    struct hub_bytes bytes; /* from MSH to what follows the message */
    struct hub_mllp_header header;
    struct hub_mllp_refusal refusal;
};

struct hub_mllp_content {
    struct hub_mllp_message *messages; /* in the arena */
    size_t count;
    bool in_file, in_batch; /* the headers are there */
    struct hub_mllp_header file, batch;
    struct hub_mllp_refusal refusal; /* of all of it */
};

/* Slices point into the frame. Without a refusal there is a message. */
void hub_mllp_content_read(struct hub_bytes frame, struct hub_arena *arena,
                           struct hub_mllp_content *ret_content);

/* The next piece before a separator; false where there is none left. */
bool hub_mllp_next_piece(struct hub_bytes *rest, uint8_t separator, struct hub_bytes *ret_piece);
