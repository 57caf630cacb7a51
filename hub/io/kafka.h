/* Kafka, by librdkafka: the only place that knows of it.
 *
 * Settings follow what was measured: read_committed everywhere, no auto-commit, static membership,
 * short retry back-offs so that small transactions do not wait. A transactional producer that has
 * seen an ambiguous answer is dirty: a delayed request of its epoch could still end a later
 * transaction (KAFKA-17754), so it must be replaced before the next one begins. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { HUB_KAFKA_MESSAGE_SIZE_MAX = 24 * 1024 * 1024, HUB_KAFKA_TIMEOUT_MS = 30000 };

struct hub_kafka_header {
    const char *name;
    struct hub_bytes value; /* without data where it is null */
};

/* One record as read. Valid until its batch is cleared. */
struct hub_kafka_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    bool has_key, has_value;
    struct hub_bytes key, value;
    const struct hub_kafka_header *headers;
    size_t header_count;
};

struct hub_kafka_batch {
    struct hub_kafka_record *records;
    size_t count;
    size_t size;     /* bytes of keys and values */
    void **messages; /* librdkafka's own */
    size_t capacity;
    void *headers; /* librdkafka's own, of the record whose headers are there */
    struct hub_kafka_header *list;
    size_t list_capacity;
    struct hub_arena arena;
};
/* The records of a batch have no headers until they are read, of one record at a time: they are many small
 * pieces of memory, which are at hand while they are few. They are there until they are let go of, or the
 * batch is cleared; of the first one of that name (NULL: of none) a copy stays with its record. */
void hub_kafka_batch_read_headers(struct hub_kafka_batch *batch, size_t index);
void hub_kafka_batch_leave_headers(struct hub_kafka_batch *batch, size_t index, const char *kept);
void hub_kafka_batch_clear(struct hub_kafka_batch *batch);
void hub_kafka_batch_free(struct hub_kafka_batch *batch);

/* One record to be written. Headers are copied, and key and value are, unless they stay. */
struct hub_kafka_write {
    const char *topic;
    int32_t partition; /* -1: by the key, as every Kafka client does (murmur2) */
    bool has_key;
    struct hub_bytes key, value;
    /* Key and value stay where they are until the transaction is committed, or else until the producer is
     * freed: until then they may be on their way. */
    bool stays;
    const struct hub_kafka_header *headers;
    size_t header_count;
};

/* The library's version, and HUB_FATAL where it is one that is known to be unfit. */
HUB_MUST_USE enum hub_status hub_kafka_check_version(const char **ret_version,
                                                     struct hub_error *reterr);

struct hub_kafka_partition {
    const char *topic;
    int32_t partition;
    int64_t offset;       /* -1: none */
    const char *metadata; /* NULL or the text that rides with the offset */
};

/* --- transactions --- */

struct hub_producer;

/* Fences any earlier producer of the same id and ends its transaction. HUB_RETRY where Kafka
 * cannot be reached in time. */
HUB_MUST_USE enum hub_status hub_producer_new(const char *bootstrap, const char *transactional_id,
                                              struct hub_producer **ret_producer,
                                              struct hub_error *reterr);
void hub_producer_free(struct hub_producer *producer); /* NULL is fine */
bool hub_producer_is_dirty(const struct hub_producer *producer);

HUB_MUST_USE enum hub_status hub_producer_begin(struct hub_producer *producer,
                                                struct hub_error *reterr);
/* What a record is refused for may be told of a later one, or when the transaction ends. Of one partition the
 * order is kept. */
HUB_MUST_USE enum hub_status hub_producer_write(struct hub_producer *producer,
                                                const struct hub_kafka_write *write,
                                                struct hub_error *reterr);
struct hub_consumer;
/* Whether a later producer of the same transactional id has taken its place; false also where Kafka
 * cannot be asked. Outside a transaction; `group` as the consumer's. */
bool hub_producer_is_fenced(struct hub_producer *producer, const char *group);
/* The offsets become part of the transaction. */
HUB_MUST_USE enum hub_status hub_producer_send_offsets(struct hub_producer *producer,
                                                       struct hub_consumer *consumer,
                                                       const struct hub_kafka_partition *offsets,
                                                       size_t count, struct hub_error *reterr);
/* HUB_RETRY: whether it was committed is not known, or it was not; whoever asks must load what was
 * committed, with a new producer. */
HUB_MUST_USE enum hub_status hub_producer_commit(struct hub_producer *producer,
                                                 struct hub_error *reterr);
void hub_producer_abort(struct hub_producer *producer);

/* --- consumer groups --- */

struct hub_consumer_config {
    const char *bootstrap;
    const char *group;
    const char *instance; /* static membership */
    const char *const *topics; /* NULL-ended */
    /* Partitions arrive: fill in the offset to start from (-1: the beginning). */
    enum hub_status (*assigned)(void *context, struct hub_kafka_partition *partitions,
                                size_t count, struct hub_error *reterr);
    void (*revoked)(void *context, const struct hub_kafka_partition *partitions, size_t count);
    void *context;
};

HUB_MUST_USE enum hub_status hub_consumer_new(const struct hub_consumer_config *config,
                                              struct hub_consumer **ret_consumer,
                                              struct hub_error *reterr);
void hub_consumer_free(struct hub_consumer *consumer); /* NULL is fine */
/* Gives the partitions back for good, before it is freed. One that is only freed stays a member for
 * the session timeout, so that a process that comes back within it finds its partitions. */
void hub_consumer_leave(struct hub_consumer *consumer);

enum { HUB_KAFKA_BATCH_BYTES_MAX = 16 * 1024 * 1024 };

/* Waits up to timeout_ms for one record, then takes what is there, up to count_max, and no further
 * record once there are HUB_KAFKA_BATCH_BYTES_MAX of keys and values. Group changes happen inside;
 * what the batch held before one is dropped, for it comes again. */
HUB_MUST_USE enum hub_status hub_consumer_poll(struct hub_consumer *consumer, int64_t timeout_ms,
                                               size_t count_max, struct hub_kafka_batch *batch,
                                               struct hub_error *reterr);
/* After a failed poll: the group has given this member's instance name to another, or to an earlier
 * attempt of its own to join, whose answer was lost. */
bool hub_consumer_is_fenced(const struct hub_consumer *consumer);
/* Something may be there: becomes readable. */
int hub_consumer_descriptor(struct hub_consumer *consumer);

/* The group's committed offsets, with their metadata, in the arena. Waits for transactions that are
 * still open over them; HUB_RETRY where that takes longer than timeout_ms. */
HUB_MUST_USE enum hub_status hub_consumer_committed(struct hub_consumer *consumer,
                                                    struct hub_kafka_partition *partitions,
                                                    size_t count, int64_t timeout_ms,
                                                    struct hub_arena *arena,
                                                    struct hub_error *reterr);

/* --- reading without a group --- */

struct hub_reader;

HUB_MUST_USE enum hub_status hub_reader_new(const char *bootstrap, struct hub_reader **ret_reader,
                                            struct hub_error *reterr);
void hub_reader_free(struct hub_reader *reader); /* NULL is fine */

/* Reads committed records of one partition from `from` up to the offset `to` (not itself), or with
 * `to` -1 up to what is committed now: all of them, or it is not HUB_OK; HUB_RETRY where the partition
 * ends before `to`, or is said to end there and nothing more comes for 30 s. `take` may end it with
 * another status than HUB_OK. `ret_next` (may be NULL) is where the reading ended. */
HUB_MUST_USE enum hub_status
hub_reader_read(struct hub_reader *reader, const char *topic, int32_t partition, int64_t from,
                int64_t to,
                enum hub_status (*take)(void *context, const struct hub_kafka_record *record,
                                        struct hub_error *reterr),
                void *context, int64_t *ret_next, struct hub_error *reterr);

/* Records are given with all their headers where nobody says otherwise: taking them apart is half
 * of the work of reading. From now on with this one only, or with none where it is NULL. */
void hub_reader_want_header(struct hub_reader *reader, const char *name);

/* The first offset there is, and the one after the last committed record. */
HUB_MUST_USE enum hub_status hub_reader_bounds(struct hub_reader *reader, const char *topic,
                                               int32_t partition, int64_t *ret_first,
                                               int64_t *ret_end, struct hub_error *reterr);

/* Of each partition the offset after its last committed record, asked for at once. */
HUB_MUST_USE enum hub_status hub_reader_ends(struct hub_reader *reader,
                                             struct hub_kafka_partition *partitions, size_t count,
                                             struct hub_error *reterr);

/* The same, once every transaction that has written to any of them before now is over. A commit is
 * known before its last markers are written, and what others hold open hides what has been committed
 * behind it: whoever goes on from what a partition says would else miss its end. Others may begin new
 * ones meanwhile. HUB_RETRY where one stays open. */
HUB_MUST_USE enum hub_status hub_reader_settle(struct hub_reader *reader,
                                               struct hub_kafka_partition *partitions,
                                               size_t count, struct hub_error *reterr);

/* -1 in `ret_count` where there is no such topic. */
HUB_MUST_USE enum hub_status hub_reader_partition_count(struct hub_reader *reader,
                                                        const char *topic, int32_t *ret_count,
                                                        struct hub_error *reterr);
/* Asks for all topics. From then on partitions are counted as they were at the last look, rather
 * than asked for each time. */
HUB_MUST_USE enum hub_status hub_reader_look(struct hub_reader *reader, struct hub_error *reterr);
/* Names of all topics, sorted, NULL-ended, in the arena. */
HUB_MUST_USE enum hub_status hub_reader_topics(struct hub_reader *reader, struct hub_arena *arena,
                                               char ***ret_names, struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_reader_cluster_id(struct hub_reader *reader,
                                                   struct hub_arena *arena, const char **ret_id,
                                                   struct hub_error *reterr);
/* What a group has committed, without joining it. */
HUB_MUST_USE enum hub_status hub_reader_committed(const char *bootstrap, const char *group,
                                                  struct hub_kafka_partition *partitions,
                                                  size_t count, struct hub_arena *arena,
                                                  struct hub_error *reterr);

/* --- topics --- */

struct hub_topic_config {
    const char *name;
    int32_t partitions;
    const char *const *settings; /* name, value, name, value, NULL */
};

/* Creates those that do not exist. HUB_FATAL where one exists with another partition count. */
HUB_MUST_USE enum hub_status hub_topics_create(const char *bootstrap,
                                               const struct hub_topic_config *topics, size_t count,
                                               int32_t replication, struct hub_error *reterr);
