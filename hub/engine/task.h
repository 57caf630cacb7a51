/* A task: a consumer of a group, a transactional producer, and a pure stage between them.
 *
 * One step is one transaction: {what the stage gave for a batch of records, the records' offsets
 * with the counts as metadata}. admit and fold are two kinds, as on both sides of a repartition
 * topic; refer is the third, beside the fold. Whatever goes wrong in a step ends the session: everything in memory is dropped and loaded
 * again from what was committed. */
#pragma once

#include "hub/engine/engine.h"
#include "hub/io/cache.h"
#include "hub/io/kafka.h"
#include "hub/stages/entry.h"

struct hub_task;

/* A topic partition that is state, and what the cache has of it. */
struct hub_kept {
    const char *topic; /* NULL for none */
    int32_t partition;
    const char *space; /* the cache's name of it */
    int64_t next;      /* all before it is in the cache, or noted for it */
    bool level;        /* that is all there is: what is committed is noted as it comes */
};

/* One partition that the task holds. */
struct hub_slot {
    char *topic;
    int32_t partition;
    /* By kind of output: where it goes; NULL where there is none. */
    const char *output_topics[HUB_OUTPUT_KINDS];
    struct hub_kept input; /* the partition itself, where it is state too */
    struct hub_kept outputs[HUB_OUTPUT_KINDS]; /* those that are state */
    struct hub_arena names;
    const struct hub_domain *domain; /* NULL of the decision topic */
    const char *institution;         /* of an ingest topic */
    void *state;             /* the stage's */
    int64_t ends[HUB_OUTPUT_KINDS]; /* of the topics of its state, when it was assigned */
    int64_t next;            /* offset to be committed next */
    bool touched;            /* by the running transaction */
    bool followed;           /* another process holds it, and the cache keeps up with it */
};

struct hub_task_kind {
    const char *name; /* admit, fold, refer: part of the group and of the transactional id */
    /* The outputs that are state: what their topics hold is loaded. */
    const enum hub_output_kind *state;
    size_t state_count;
    bool keeps_input; /* what it consumed is state, too */
    /* The topics it consumes, NULL-ended, in the arena. */
    const char *const *(*topics)(const struct hub_catalogue *catalogue, struct hub_arena *arena);
    /* What the task keeps beside its slots, as task->own; NULL for nothing. */
    void (*open)(struct hub_task *task);
    void (*close)(struct hub_task *task);
    /* Makes the slot's state from what was committed; `committed` is where it goes on. */
    enum hub_status (*load)(struct hub_task *task, struct hub_slot *slot,
                            const struct hub_kafka_partition *committed,
                            struct hub_error *reterr);
    void (*unload)(struct hub_slot *slot);
    enum hub_status (*process)(struct hub_task *task, struct hub_slot *slot,
                               const struct hub_input *input, struct hub_outputs *outputs,
                               struct hub_error *reterr);
    /* Of a kind that writes also what no record gives, and whose records give nothing (else NULL):
     * `gather`, after the records and before the transaction, looks at what else there is and says
     * whether a transaction is due; `flush` gives each slot's outputs in it. */
    enum hub_status (*gather)(struct hub_task *task, bool *ret_due, struct hub_error *reterr);
    void (*flush)(struct hub_task *task, struct hub_slot *slot, struct hub_outputs *outputs);
    void (*render_counts)(const struct hub_task *task, const struct hub_slot *slot,
                          struct hub_buffer *buffer);
    /* The topic that outputs of a kind go to, in the arena; NULL where the stage has none. */
    const char *(*topic_of)(const struct hub_slot *slot, enum hub_output_kind kind,
                            struct hub_arena *arena);
    /* After a commit: what the cache should know of an input and of its outputs; NULL where nothing
     * of the kind is in the cache. */
    void (*note)(struct hub_task *task, struct hub_slot *slot, const struct hub_input *input,
                 const struct hub_outputs *outputs);
    void (*report)(const struct hub_slot *slot, struct hub_buffer *metrics);
};

extern const struct hub_task_kind hub_admit_task;
extern const struct hub_task_kind hub_fold_task;
extern const struct hub_task_kind hub_refer_task;

struct hub_task {
    const struct hub_task_kind *kind;
    struct hub_engine *engine;
    /* Records in one transaction. What cannot be committed in time as one batch may be as several:
     * a failed step halves it, down to one, and each committed one doubles it up to the setting. It
     * outlives the task. */
    size_t *batch_count_max;
    struct hub_consumer *consumer;
    struct hub_producer *producer;
    struct hub_reader *reader; /* for loading */
    char group[128];
    char *transactional_id;
    char *schemas; /* the stamp of those it works with */
    struct hub_slot *slots;
    size_t slot_count, slot_capacity;
    struct hub_slot *others; /* all partitions of the group, whoever holds them; NULL until looked at */
    size_t other_count, other_capacity;
    int64_t looked_ms; /* when for what others have committed */
    bool assigned; /* an assignment has been loaded */
    void *own;     /* the kind's */
    struct hub_kafka_batch batch;
    struct hub_arena arena; /* of the running transaction */
    int64_t transactions, records, commit_ms_total;
    int64_t loaded_cached, loaded_read; /* records, from the cache and from Kafka */
};

enum { HUB_TASK_MARKS_MAX = 8 };

HUB_MUST_USE enum hub_status hub_task_open(struct hub_task *task,
                                           const struct hub_task_kind *kind,
                                           struct hub_engine *engine, size_t *batch_count_max,
                                           struct hub_error *reterr);
void hub_task_close(struct hub_task *task);

/* One transaction, where there is something to do within timeout_ms. */
HUB_MUST_USE enum hub_status hub_task_step(struct hub_task *task, int64_t timeout_ms,
                                           bool *ret_worked, struct hub_error *reterr);

/* The slot of a partition that the task holds, or NULL. */
struct hub_slot *hub_task_slot(struct hub_task *task, const char *topic, int32_t partition);
/* A slot with its names and nothing loaded. */
void hub_slot_init(const struct hub_task *task, const char *topic, int32_t partition,
                   struct hub_slot *ret_slot);

/* A record as the stages are given it; valid as long as the record. */
struct hub_input hub_task_input(const struct hub_kafka_record *record);
/* The topic partitions that slots' outputs are kept in as state, of slots[from] and those after it, in
 * the order of kind->state; in the arena. */
struct hub_kafka_partition *hub_task_states(const struct hub_task *task, size_t from,
                                            struct hub_arena *arena, size_t *ret_count);

/* Where every space of the task stands; `marks` has room for HUB_TASK_MARKS_MAX of each slot and of each
 * of the others.
 * HUB_RETRY where another process has gone on with one of the slots. */
HUB_MUST_USE enum hub_status hub_task_marks(struct hub_task *task,
                                            struct hub_cache_mark *marks, size_t *ret_count,
                                            struct hub_error *reterr);

/* Loads one topic partition of the slot's state through the cache: what the cache has, then the rest
 * from Kafka up to `to`. `take` is given every record. What Kafka gave is not noted, which would
 * take longer than the loading: hub_task_keep reads it again, in its own time. */
HUB_MUST_USE enum hub_status
hub_task_load_topic(struct hub_task *task, struct hub_kept *kept, int64_t to,
                    enum hub_status (*take)(void *context, const struct hub_input *input,
                                            struct hub_error *reterr),
                    void *context, struct hub_error *reterr);

/* Notes a record as the cache keeps it: offset, time, replaced status, value. Nothing where the
 * cache is behind: hub_task_keep comes by it. */
void hub_task_note_record(struct hub_task *task, const struct hub_kept *kept,
                          const struct hub_input *input);

/* The cache is another one than was loaded from: it is behind, from where it says on. */
void hub_task_fall_behind(struct hub_task *task);

/* Between two transactions: where the cache is behind, notes up to so many more records of one topic
 * partition, and says whether there were any. */
HUB_MUST_USE enum hub_status hub_task_keep(struct hub_task *task, int64_t count_max,
                                           bool *ret_worked, struct hub_error *reterr);

/* The same for the shards that other processes hold: whoever takes one over reads only what came since.
 * What cannot be asked now is asked again later. */
HUB_MUST_USE enum hub_status hub_task_follow(struct hub_task *task, int64_t count_max,
                                             bool *ret_worked, struct hub_error *reterr);
/* Notes up to so many records of a topic partition that the cache is behind of, up to `end`. */
HUB_MUST_USE enum hub_status hub_keep_piece(struct hub_task *task, struct hub_kept *kept,
                                            int64_t end, int64_t count_max,
                                            struct hub_error *reterr);
