/* What a log says of a record: where its bytes are and what their digest is, and no word of what they say.
 * One line of JSON, so that it is read without us:
 *
 *   {"topic":"log.slot","partition":0,"offset":17,"timestamp":1772323200000,"segment":1000,"at":412,
 *    "size":77,"sha256":"9f86d0..."}                                                   (in one line)
 *
 * `at` is the byte in the file of the segment at which the encoded record begins. The first record of a
 * segment also tells the digest of the segment's header, all that is before its block: "header":"...". */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/status.h"

enum { HUB_TOPIC_SIZE_MAX = 249 }; /* Kafka's own limit */

struct hub_leaf {
    char topic[HUB_TOPIC_SIZE_MAX + 1];
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    uint64_t segment; /* index of its first record */
    uint64_t at, size;
    struct hub_digest digest;
    bool has_header;
    struct hub_digest header;
};

void hub_leaf_append(const struct hub_leaf *leaf, struct hub_buffer *text);
/* HUB_REJECT where it is not written as that would; then, or where it has no header, those fields say nothing. */
HUB_MUST_USE enum hub_status hub_leaf_read(struct hub_bytes text, struct hub_leaf *ret_leaf,
                                           struct hub_error *reterr);
