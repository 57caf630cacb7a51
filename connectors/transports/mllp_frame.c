#include "connectors/transports/mllp_frame.h"

enum { BEGINS = 0x0b, ENDS = 0x1c, CLOSES = 0x0d };

static void append(struct hub_mllp_reader *reader, uint8_t byte) {
    if (reader->content.size < reader->size_max)
        hub_buffer_append_byte(&reader->content, byte);
    else
        reader->is_long = true;
}

/* The end of a line between frames is how some systems end them. */
static enum hub_mllp_event take_outside(struct hub_mllp_reader *reader, uint8_t byte) {
    if (byte == BEGINS) {
        hub_buffer_clear(&reader->content);
        reader->in_frame = true;
        reader->may_end = reader->is_long = false;
    } else if (byte != '\r' && byte != '\n') {
        hub_buffer_append_byte(&reader->content, byte);
    }
    bool noisy = !reader->in_frame && reader->content.size > HUB_MLLP_NOISE_MAX;
    return noisy ? HUB_MLLP_NOISE : HUB_MLLP_MORE;
}

/* What looks like half an end and is none belongs to the message. */
static enum hub_mllp_event take_inside(struct hub_mllp_reader *reader, uint8_t byte) {
    if (byte == BEGINS) {
        reader->may_end = reader->is_long = false;
        return HUB_MLLP_TORN;
    }
    if (reader->may_end && byte == CLOSES) {
        reader->in_frame = false;
        return reader->is_long ? HUB_MLLP_LONG : HUB_MLLP_FRAME;
    }
    if (reader->may_end)
        append(reader, ENDS);
    reader->may_end = byte == ENDS;
    if (!reader->may_end)
        append(reader, byte);
    return HUB_MLLP_MORE;
}

enum hub_mllp_event hub_mllp_read(struct hub_mllp_reader *reader, struct hub_cursor *bytes,
                                  struct hub_bytes *ret_content) {
    uint8_t byte = 0;
    if (reader->told)
        hub_buffer_clear(&reader->content);
    reader->told = false;
    while (hub_cursor_byte(bytes, &byte)) {
        enum hub_mllp_event event =
            reader->in_frame ? take_inside(reader, byte) : take_outside(reader, byte);
        if (event == HUB_MLLP_MORE)
            continue;
        *ret_content = hub_buffer_bytes(&reader->content);
        reader->told = true;
        return event;
    }
    return HUB_MLLP_MORE;
}

struct hub_bytes hub_mllp_begun(const struct hub_mllp_reader *reader) {
    return reader->told ? hub_bytes(NULL, 0) : hub_buffer_bytes(&reader->content);
}

void hub_mllp_reader_free(struct hub_mllp_reader *reader) {
    hub_buffer_free(&reader->content);
}
