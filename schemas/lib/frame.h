/* The Confluent wire format: a zero byte, the schema's id in 4 bytes big-endian, the Avro body. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

enum { HUB_FRAME_HEADER_SIZE = 5 };

void hub_frame_append(struct hub_buffer *buffer, int32_t schema_id);

/* HUB_REJECT where the message is too short, does not begin with the magic byte, or names an id
 * below 1. */
HUB_MUST_USE enum hub_status hub_frame_open(struct hub_bytes message, int32_t *ret_schema_id,
                                            struct hub_bytes *ret_body, struct hub_error *reterr);
