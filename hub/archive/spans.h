/* How far segments were read: so that a log may be read in parts, and what stands between the parts, or at the
 * end, and is in no entry, is found. */
#pragma once

#include "hub/archive/checkpoint.h"

/* The bytes of a segment that were read, without a gap; from 0 with its header. */
struct hub_span {
    uint64_t first; /* the segment */
    uint64_t begin, end;
};

struct hub_spans {
    struct hub_span *items;
    size_t count, capacity;
};

void hub_spans_free(struct hub_spans *spans);

/* Adds those of the part that comes next. HUB_REJECT where one does not begin where what was read of its segment
 * ends. */
HUB_MUST_USE enum hub_status hub_spans_join(struct hub_spans *spans, const struct hub_span *part,
                                            size_t count, struct hub_error *reterr);

/* When all was read: that there is nothing else in the segments of that log. HUB_REJECT where there is. What was
 * appended and is not signed yet is no error, and is counted. */
HUB_MUST_USE enum hub_status hub_spans_finish(const struct hub_spans *spans, const char *folder,
                                              const struct hub_checkpoint *checkpoint,
                                              uint64_t *ret_unsigned_bytes,
                                              struct hub_error *reterr);
