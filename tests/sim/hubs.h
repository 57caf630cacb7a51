/* Some hub processes around a simulated broker: the real stages, each behind a transaction, with
 * shards that move, local caches and whatever goes wrong. It does what the engine does
 * (hub/engine/task.c), without Kafka. */
#pragma once

#include "hub/engine/topics.h"
#include "hub/stages/admit.h"
#include "hub/stages/fold.h"
#include "hub/stages/refer.h"
#include "tests/sim/broker.h"

#include <stdio.h>

enum { INSTANCES_MAX = 3, SLOTS_MAX = 32, RULES_MAX = 4 };

/* Rules that the simulator breaks on purpose, to see that it would be found. */
enum breach {
    BREACH_NONE = 0,
    BREACH_LAST_WRITER_WINS, /* the fold takes a late entry as the statement in force */
    BREACH_LATE_FORGOTTEN,   /* late entries have no key of their own, and the log is compacted */
    BREACH_DECIDE_AGAIN,     /* a restart folds the log again instead of loading */
    BREACH_CACHE_AHEAD,      /* the cache keeps what Kafka never committed */
    BREACH_TORN,             /* outputs become visible without their offsets */
    BREACH_RULES_FROM_FILE,  /* a restart folds by the rules of the files, not by the log's */
    BREACH_STALE_FACTS,      /* a fact that was written is not compared when the trial changes */
    BREACHES,
};

enum slot_kind { SLOT_ADMIT = 0, SLOT_DECISION, SLOT_FOLD, SLOT_REFER };

/* One partition that one of the processes works on. */
struct slot {
    enum slot_kind kind;
    const struct hub_institution *institution; /* of an ingest topic */
    int32_t number;                            /* the partition: of an ingest topic, or the shard */
    struct partition *input;
    struct partition own; /* ingest or decision topic; a log is shared by all that admit */
    struct partition admitted;
    size_t owner; /* the process */
    void *state;  /* of its stage; NULL while nobody has loaded it */
    int64_t taken;
    /* What was committed with the offset. */
    int64_t committed;
    struct hub_admit_counts admit_counts;
    struct hub_fold_counts fold_counts;
    struct hub_fold_gauges fold_gauges;
    struct hub_refer_counts refer_counts;
    int64_t committed_taken; /* decisions that became entries */
    struct records written; /* everything that was committed, in order */
};

/* A process's copy of one partition. */
struct space {
    const struct partition *of;
    struct records records; /* of each key the last one */
    int64_t next;
};

struct process {
    struct space *spaces;
    size_t count, capacity;
    int64_t checkpoint_ms;
    struct hub_facts *facts; /* what its refer follows; NULL while nothing is wanted */
    int64_t facts_next;
};

struct hubs {
    const struct hub_domain *domain;
    int32_t shard_count;
    enum breach breach;
    struct hub_arena arena;   /* of the run */
    struct hub_arena scratch; /* of one transaction */
    struct partition logs[HUB_SHARDS];
    struct partition outputs[HUB_SHARDS][HUB_OUTPUT_KINDS]; /* what the fold writes */
    struct partition deadletters;
    struct partition trials; /* unified records that slots refer to */
    struct slot slots[SLOTS_MAX];
    size_t slot_count;
    struct process processes[INSTANCES_MAX];
    size_t process_count;
    int64_t clock_ms;
    struct hub_bytes rules[RULES_MAX]; /* entries that were asked for, in order */
    size_t rules_count;
    bool tells; /* what happens, to stdout */
    bool failed;
    char failure[2048]; /* the first one */
};

struct hubs *hubs_new(const char *domain, size_t process_count, int64_t clock_ms,
                      enum breach breach, bool tells);
void hubs_free(struct hubs *hubs); /* NULL is fine */

struct slot *hubs_add_slot(struct hubs *hubs, enum slot_kind kind, int32_t number);

void hubs_tell(struct hubs *hubs, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hubs_fail(struct hubs *hubs, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What a connector or an operator publishes. */
void hubs_ingest(struct hubs *hubs, const char *institution, const char *key,
                 struct hub_bytes value);
void hubs_decide(struct hubs *hubs, struct hub_bytes subject, struct hub_bytes value);

/* Rules become the first entry of every log; the logs are empty. */
void hubs_name_rules(struct hubs *hubs, struct hub_bytes message);
/* An operator puts rules in place of others. */
void hubs_rule(struct hubs *hubs, struct hub_bytes message);

bool slot_waits(const struct hubs *hubs, const struct slot *slot);
/* One transaction over up to `batch` records; where it is not committed, its process crashes. */
void hubs_step(struct hubs *hubs, struct slot *slot, size_t batch, bool commit);
/* Loads what is not loaded. */
void hubs_load(struct hubs *hubs, struct slot *slot);

void hubs_crash(struct hubs *hubs, size_t process);
void hubs_move(struct hubs *hubs, struct slot *slot, size_t process);
/* Compacts each partition up to a point: `per_mille` of what may be compacted. */
void hubs_compact(struct hubs *hubs, size_t per_mille);
void hubs_checkpoint(struct hubs *hubs, size_t process);
void hubs_lose_cache(struct hubs *hubs, size_t process);

/* A fresh stage for the slot, and what it makes of a record: for the run and the reference. */
void *stage_new(const struct hubs *hubs, const struct slot *slot);
void stage_free(const struct slot *slot, void *state);
bool stage_take(struct hubs *hubs, const struct slot *slot, void *state,
                const struct record *record, struct hub_outputs *outputs, int64_t *taken);
