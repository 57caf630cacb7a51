/* A task: a consumer of a group, a transactional producer, and a pure stage between them.
 *
 * One step is one transaction: {what the stage gave for a batch of records, the records' offsets
 * with the counts as metadata}. admit and fold are two kinds, as on both sides of a repartition
 * topic; refer is the third, beside the fold. Whatever goes wrong in a step ends the session:
 * everything in memory is dropped and loaded again from what was committed. */
#pragma once

#include "hub/engine/engine.h"
#include "hub/io/cache_hooks.h"
#include "hub/io/kafka.h"
#include "hub/stages/fold_hooks.h"

struct hub_task;

/* A topic partition that is state, and what the cache has of it. */
struct hub_kept {
    const char *topic;
    int32_t partition;
    bool is_input;      /* what the task consumes: state up to what is committed */
    const char *header; /* of its records, that is state; or NULL */
    const char *space;  /* the cache's name of it */
    int64_t end;        /* of an output, when it was assigned or looked at */
    int64_t next;       /* all before it is in the cache, or noted for it */
    bool level;         /* that is all there is: what is committed is noted as it comes */
};

struct hub_shelving;

/* One partition that the task holds. */
struct hub_slot {
    char *topic;
    int32_t partition;
    /* By kind of output: where it goes; NULL where there is none. */
    const char *output_topics[HUB_OUTPUT_KINDS];
    struct hub_kept kept[HUB_STORE_TOPICS_MAX]; /* its state, by the stage's numbers of topics */
    size_t kept_count;
    struct hub_shelving *shelving; /* that in the cache; NULL where there is none */
    struct hub_arena names;
    const struct hub_domain *domain; /* NULL of the decision topic */
    const char *institution;         /* of an ingest topic */
    void *state;             /* the stage's */
    char hooked_by[HUB_RULES_HASH_SIZE + 1]; /* the rules by which hooks are made of its records */
    int64_t next;            /* offset to be committed next */
    int64_t committed;       /* as far as this task knows; -1 for none */
    bool touched;            /* by the running transaction */
    bool followed;           /* another process holds it, and the cache keeps up with it */
    bool left_alone;         /* it cannot be followed */
};

struct hub_task_kind {
    const char *name; /* admit, fold, refer: part of the group and of the transactional id */
    /* The outputs that are state: what their topics hold is loaded. */
    const enum hub_output_kind *state;
    size_t state_count;
    bool keeps_input; /* what it consumed is state, too: the first of its topics */
    bool has_rules;   /* by which the hooks of its records are made */
    /* By topics of its state: the header of their records that is state, too, or NULL. NULL: of
     * none. */
    const char *const *headers;
    const char *const *writes; /* what the names of topics that it writes begin with, NULL-ended */
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
    /* How much of the slot's state is in memory, in statements; NULL where it cannot sleep. */
    size_t (*awake)(const struct hub_slot *slot);
    /* Lets go of all of it; the store has the last record of everything. */
    void (*let_sleep)(struct hub_slot *slot, const struct hub_store *store);
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
    /* After a commit: what the cache should know of an input and of its outputs; NULL where that is known
     * before a checkpoint only, or never. */
    void (*note)(struct hub_task *task, struct hub_slot *slot, const struct hub_input *input,
                 const struct hub_outputs *outputs);
    /* Of a kind whose state has the last record of every key: how many the cache has not been told of, and
     * telling it, before a checkpoint. So what comes again and again is noted once. Else NULL. */
    size_t (*unnoted)(const struct hub_slot *slot);
    void (*note_rest)(struct hub_task *task, struct hub_slot *slot);
    /* The hooks of a record of its state. HUB_REJECT where they cannot be told. NULL where nothing of the
     * kind is in the cache. */
    enum hub_status (*hooks)(const struct hub_task *task, struct hub_slot *slot, unsigned topic,
                             const struct hub_input *record, struct hub_hooks *hooks,
                             struct hub_error *reterr);
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
    bool sleeps_nowhere; /* the cache in which a slot's state sleeps was begun anew: it is loaded again */
    void *own;     /* the kind's */
    struct hub_kafka_batch batch;
    struct hub_arena arena; /* of the running transaction */
    int64_t transactions, records, commit_ms_total;
    struct hub_hooks hooks; /* of one record */
    int64_t put_to_sleep; /* slots, in the session */
    int64_t loaded_cached, loaded_read; /* records, from the cache when asked for, and from Kafka */
};

enum { HUB_TASK_MARKS_MAX = 8 };

HUB_MUST_USE enum hub_status hub_task_open(struct hub_task *task,
                                           const struct hub_task_kind *kind,
                                           struct hub_engine *engine, size_t *batch_count_max,
                                           struct hub_error *reterr);
void hub_task_close(struct hub_task *task);

/* Until it has been given its partitions and has loaded them, or that long without. */
HUB_MUST_USE enum hub_status hub_task_join(struct hub_task *task, int64_t timeout_ms,
                                           struct hub_error *reterr);

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
/* The outputs that are state, of slots[from] and those after it, in order; in the arena. */
struct hub_kafka_partition *hub_task_states(const struct hub_task *task, size_t from,
                                            struct hub_arena *arena, size_t *ret_count);

/* Where every space of the task stands, once all that was committed is noted; `marks` has room for
 * HUB_TASK_MARKS_MAX of each slot and of each of the others.
 * HUB_RETRY where another process has gone on with one of the slots. */
HUB_MUST_USE enum hub_status hub_task_marks(struct hub_task *task,
                                            struct hub_cache_mark *marks, size_t *ret_count,
                                            struct hub_error *reterr);

/* Statements in memory that the cache would have after a checkpoint. */
size_t hub_task_awake(const struct hub_task *task);
/* Whether the task has more statements in memory than settings allow, and the cache would have them all
 * after a checkpoint. */
bool hub_task_is_wide_awake(const struct hub_task *task);
/* Right after a checkpoint: of a task that is wide awake, what is in memory is let go, and asked of the
 * cache when it is needed. */
void hub_task_let_sleep(struct hub_task *task);

/* Opens what the cache has of the slot, if there is a cache; says where each topic partition goes on. What
 * is not there is to be loaded from Kafka. */
HUB_MUST_USE enum hub_status hub_task_open_shelf(struct hub_task *task, struct hub_slot *slot,
                                                 struct hub_error *reterr);
void hub_task_close_shelf(struct hub_slot *slot);
/* What the stage can ask; NULL where the cache had nothing when it was opened. */
const struct hub_store *hub_slot_store(const struct hub_slot *slot);
/* The same once the cache has everything, whatever it had then. */
const struct hub_store *hub_slot_whole_store(struct hub_slot *slot);
/* The near hashes of all that the store has. */
HUB_MUST_USE enum hub_status hub_slot_load_near(struct hub_slot *slot,
                                                void (*take)(void *context, const uint64_t *hashes,
                                                             size_t count),
                                                void *context, struct hub_error *reterr);
/* Of one topic partition of a slot's state: up to where, who is given every record, and who is told
 * once that was all (NULL: nobody). */
struct hub_loading {
    struct hub_kept *kept;
    unsigned topic; /* the stage's number */
    int64_t to;
    hub_store_take take;
    void (*taken)(void *context, unsigned topic);
    void *context;
};
/* Loads from Kafka what the cache does not have, by a thread for each topic of which there is much.
 * The records are not noted, which would take longer than the loading: hub_task_keep reads them
 * again, in its own time. At most HUB_STORE_TOPICS_MAX. */
HUB_MUST_USE enum hub_status hub_task_load_topics(struct hub_task *task,
                                                  const struct hub_loading *loadings, size_t count,
                                                  struct hub_error *reterr);
/* What the cache has of a topic partition is not what it should be. */
void hub_task_drop_space(struct hub_task *task, const struct hub_kept *kept);

/* Notes a record of the slot's state as the cache keeps it: offset, time, replaced status, value.
 * Nothing where the cache is behind: hub_task_keep comes by it. */
void hub_task_note_record(struct hub_task *task, struct hub_slot *slot, unsigned topic,
                          const struct hub_input *input);
/* Records that hub_task_note_rest would note. */
size_t hub_task_unnoted(const struct hub_task *task);
/* Between two transactions: notes what was committed and is in the state alone. */
void hub_task_note_rest(struct hub_task *task);
/* What the cache has of the slot was made by other rules: it is begun anew. */
void hub_task_shelve_anew(struct hub_task *task, struct hub_slot *slot);

/* The cache is another one than was loaded from: it is behind, from where it says on. HUB_RETRY where a
 * stage still asks the one before. */
HUB_MUST_USE enum hub_status hub_task_fall_behind(struct hub_task *task, struct hub_error *reterr);

/* Between two transactions: where the cache is behind, notes up to so many more records of one topic
 * partition, and says whether there were any. */
HUB_MUST_USE enum hub_status hub_task_keep(struct hub_task *task, int64_t count_max,
                                           bool *ret_worked, struct hub_error *reterr);

/* The same for the shards that other processes hold: whoever takes one over reads only what came since.
 * What cannot be asked now is asked again later. */
HUB_MUST_USE enum hub_status hub_task_follow(struct hub_task *task, int64_t count_max,
                                             bool *ret_worked, struct hub_error *reterr);
/* The partition is this task's from now on, and keeps up with its part of the cache by itself, from where that
 * stands in the file. Once it is another's again it is followed anew, too: how far it was followed before says
 * nothing of what was noted since. */
void hub_task_unfollow(struct hub_task *task, const char *topic, int32_t partition);
/* Notes up to so many records of a topic partition of the slot that the cache is behind of, up to `end`. */
HUB_MUST_USE enum hub_status hub_keep_piece(struct hub_task *task, struct hub_slot *slot,
                                            struct hub_kept *kept, int64_t end, int64_t count_max,
                                            struct hub_error *reterr);
