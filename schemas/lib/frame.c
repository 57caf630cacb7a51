#include "schemas/lib/frame.h"

void hub_frame_append(struct hub_buffer *buffer, int32_t schema_id) {
    uint32_t id = (uint32_t)schema_id;
    uint8_t header[HUB_FRAME_HEADER_SIZE] = {0, (uint8_t)(id >> 24), (uint8_t)(id >> 16),
                                             (uint8_t)(id >> 8), (uint8_t)id};
    hub_buffer_append(buffer, header, sizeof header);
}

enum hub_status hub_frame_open(struct hub_bytes message, int32_t *ret_schema_id,
                               struct hub_bytes *ret_body, struct hub_error *reterr) {
    if (message.size < HUB_FRAME_HEADER_SIZE)
        return hub_fail(reterr, HUB_REJECT,
                        "%zu bytes; a message begins with a zero byte and a 4-byte schema id",
                        message.size);
    if (message.data[0] != 0)
        return hub_fail(reterr, HUB_REJECT,
                        "the first byte is 0x%02x; 0x00 (Confluent wire format) would pass",
                        message.data[0]);
    uint32_t id = (uint32_t)message.data[1] << 24 | (uint32_t)message.data[2] << 16 |
                  (uint32_t)message.data[3] << 8 | message.data[4];
    if (id == 0 || id > INT32_MAX)
        return hub_fail(reterr, HUB_REJECT, "schema id %u; 1 to %d would pass", id, INT32_MAX);
    *ret_schema_id = (int32_t)id;
    *ret_body = hub_bytes_part(message, HUB_FRAME_HEADER_SIZE, message.size);
    return HUB_OK;
}
