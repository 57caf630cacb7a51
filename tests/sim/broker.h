/* The simulated broker: topics' partitions in memory, with transactions, gaps and compaction.
 *
 * Everything lives in the run's arena. Nobody sees a record before its transaction is committed; an
 * aborted transaction leaves a gap in the offsets, as its records and markers do in Kafka. */
#pragma once

#include "hub/stages/entry.h"

struct record {
    enum hub_output_kind kind;
    int32_t partition;
    bool has_key;
    struct hub_bytes key, value; /* no data: a null */
    const struct hub_header *headers;
    size_t header_count;
    int64_t offset, timestamp_ms;
};

struct records {
    const struct record **items;
    size_t count, capacity;
};

struct partition {
    struct records kept;    /* what a consumer finds now */
    struct records history; /* what was ever committed; compaction leaves it alone */
    int64_t next_offset;
    size_t marked; /* of the last transaction that wrote to it */
};

struct hub_input input_of(const struct record *record, int32_t partition);
struct record record_of(const struct hub_output *output, struct hub_arena *arena);
bool same_records(const struct record *a, const struct record *b);

void records_add(struct records *records, const struct record *record);
/* Puts it in the place of the one with its key, or at the end. */
void records_put(struct records *records, const struct record *record);
void records_free(struct records *records);

/* Appends a record of a transaction that is committed at once. */
void partition_append(struct partition *partition, const struct record *record,
                      struct hub_arena *arena);
void partition_free(struct partition *partition);

/* What a transaction has written so far. */
struct pending {
    struct partition **partitions;
    struct record *records;
    size_t count, capacity, partition_capacity;
};
void pending_add(struct pending *pending, struct partition *partition, struct record record);
/* Appends all of it, or none of it; either way it is over. `each` gets what is there now. */
void pending_end(struct pending *pending, bool commit, int64_t now_ms, struct hub_arena *arena,
                 void (*each)(void *context, const struct record *record), void *context);

/* Kafka's cleaner: of each key the last record below the offset stays, and all from it on. Where
 * `forgets_late`, the late entries of the log have no keys of their own. */
void partition_compact(struct partition *partition, int64_t below, bool forgets_late);
/* The first record at or after the offset; NULL for none. */
const struct record *partition_next(const struct partition *partition, int64_t offset);
