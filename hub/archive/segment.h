/* Segments: Avro object container files (Avro 1.11, "Object Container Files") with the records of one
 * partition, one record a block, uncompressed. Of the values of one schema: its registered text stands in the
 * header as it is, with every attribute, so that a reader of 2056 needs nothing but the file.
 *
 * The bytes of a segment are a function of what is in it: no block depends on when it was written, and
 * what a crash has cut is written again the same. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/envelope.h"

enum { HUB_SYNC_SIZE = 16 };

/* What stands at its beginning. */
struct hub_segment {
    const char *origin;      /* of the log */
    uint64_t first;          /* index of its first record in the log */
    int32_t schema_id;       /* of the values; 0: they are no Avro, and kept as bytes */
    const char *schema_text; /* the registered one; NULL where schema_id is 0 */
    uint8_t sync[HUB_SYNC_SIZE]; /* stands after each block; made of origin and first */
};

enum hub_archived_kind { HUB_ARCHIVED_NULL, HUB_ARCHIVED_AVRO, HUB_ARCHIVED_BYTES };

/* One record of Kafka. */
struct hub_archived {
    uint64_t index; /* in the log, from 0 */
    int64_t offset;
    int64_t timestamp_ms; /* when it was appended, since 1970-01-01T00:00:00Z */
    bool has_key;
    struct hub_bytes key;
    const struct hub_header *headers; /* a value without data is null */
    size_t header_count;
    enum hub_archived_kind kind;
    struct hub_bytes value; /* the body of the segment's schema, which was walked; or the message as it came */
};

/* Sets the sync marker, and appends the header. */
void hub_segment_begin(struct hub_segment *segment, const struct hub_digester *digester,
                       struct hub_buffer *buffer);
/* Appends a block. What was encoded, which is what a log is told of, stands at `ret_at` in the buffer. */
void hub_segment_append(const struct hub_segment *segment, const struct hub_archived *record,
                        struct hub_buffer *buffer, size_t *ret_at, size_t *ret_size);

/* Reads a header; texts are copied to the arena. HUB_REJECT where it is none of ours. */
HUB_MUST_USE enum hub_status hub_segment_read(struct hub_cursor *cursor, struct hub_arena *arena,
                                              struct hub_segment *ret_segment,
                                              struct hub_error *reterr);
/* Reads the next block; headers are in the arena, all else stays where it is. Without an arena only where and
 * when the record was is read: its index, offset and timestamp. HUB_REJECT where the block is cut or damaged.
 * At the end of the file (hub_cursor_left is 0) it may not be called. */
HUB_MUST_USE enum hub_status hub_segment_next(struct hub_cursor *cursor,
                                              const struct hub_segment *segment,
                                              struct hub_arena *arena,
                                              struct hub_archived *ret_record,
                                              struct hub_bytes *ret_encoded,
                                              struct hub_error *reterr);
