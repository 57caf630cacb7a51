/* One domain's admit and fold over topics in memory: what the engine does, without Kafka.
 *
 * Transactions are whole by construction; a restart loads everything from the topics again, and a
 * compaction keeps of each key the last record, as Kafka's cleaner does. */
#pragma once

#include "hub/stages/admit.h"
#include "hub/stages/fold.h"
#include "tests/lib/records.h"
#include "tests/lib/ruling.h"

struct world;

struct world *world_new(const char *domain);
void world_free(struct world *world);

/* Keeps no JSON of what is published, which costs more than the stages do: only the trace and the
 * topics. For tests that make thousands of worlds. Before the first record. */
void world_keep_no_json(struct world *world);
/* A hash of every record published so far: kind, key, value and headers, in the order in which
 * each stage published them; how the stages took turns plays no part. */
uint64_t world_trace(struct world *world);
/* The records a topic holds now, each partition's oldest first: visits partition, key and framed
 * value. An entity that moved has a record in both shards. */
void world_each(struct world *world, enum hub_output_kind kind,
                void (*visit)(void *context, int32_t partition, const char *key,
                              struct hub_bytes value),
                void *context);

/* Appends a record to ingest.<institution>.<domain> and admits it; the fold has not seen it yet.
 * `key` is <system>/<source id>, `json` a record of the domain as test_value reads it. */
void world_admit(struct world *world, const char *institution, const char *key, const char *json);
/* The same with any bytes as the framed value (NULL data: a null value) and the headers given. */
void world_admit_bytes(struct world *world, const char *institution, const char *key,
                       struct hub_bytes value, const struct hub_header *headers,
                       size_t header_count);
/* Appends what another stage writes to the log; the fold has not seen it yet. */
void world_append(struct world *world, const struct hub_output *output);
/* Folds one waiting entry of the log; false where none waits. With HUB_TEST_SLEEPS in the environment
 * everything is loaded anew before it. */
bool world_fold(struct world *world);
/* Admits, then folds all that waits. */
void world_say(struct world *world, const char *institution, const char *key, const char *json);

/* Appends a record to the decision topic, admits it and folds all that waits. `json` is a Decision, as
 * test_value reads it; its subject is the key. False where it went to the dead letters. */
bool world_decide(struct world *world, const char *json);

/* Rules become the first entry of every shard's log, as `hubctl topic create` writes it. */
void world_name_rules(struct world *world, struct ruling *ruling);
/* An operator puts rules in place of those in force; what that appends to the logs waits. False
 * where it went to the dead letters. */
bool world_rule(struct world *world, struct ruling *ruling);
/* An entry of a shard's log as it is; it waits. */
void world_append_log(struct world *world, int32_t shard, const char *key, struct hub_bytes value);
/* The hash of the rules in force in the first shard. */
const char *world_rules(struct world *world);

/* Throws the stages' memory away and loads them from the topics. */
void world_restart(struct world *world);
/* From the next restart on most of what is loaded is in a store beside the fold. */
void world_use_stores(struct world *world);
/* Restarts, and folds one waiting entry, while the stores make so many steps (tests/lib/loading.h) before
 * they fail. What fails leaves the topics as they were, and stages that are good for nothing but another
 * try. HUB_OK, and `ret_folded` false, where nothing waits. */
HUB_MUST_USE enum hub_status world_try(struct world *world, size_t steps, bool *ret_folded);
/* Compacts every topic, but leaves of the log what is not folded yet. */
void world_compact(struct world *world);

/* --- what was published; borrowed references --- */

/* The last record of an entity id, or of the ACTIVE entity that lists a statement (or NULL). */
const json_t *world_entity(struct world *world, const char *id);
const json_t *world_entity_of(struct world *world, const char *statement_key);
/* The last record of a conflict or match id; NULL where there never was one. */
const json_t *world_conflict(struct world *world, const char *id);
const json_t *world_match(struct world *world, const char *id);
/* The last listing under a key, an identifier in a domain of one shard: a JSON null where it was
 * dropped, NULL where there never was one. */
const json_t *world_listing(struct world *world, const char *key);
/* Last records by key: {"key": record}. */
const json_t *world_unified(struct world *world);
const json_t *world_conflicts(struct world *world);
const json_t *world_matches(struct world *world);
/* Every record published so far, oldest first: [{"kind", "key", "type", "value"}], kind being log,
 * admitted, unified, conflict, match or deadletter, type the envelope's. Log entries have no
 * value. */
const json_t *world_outputs(struct world *world);
size_t world_count_open(const json_t *records); /* whose state is OPEN */
size_t world_count_active(const json_t *records); /* whose kind is ACTIVE */

/* The fold of a shard; its memory is gone after a restart. */
struct hub_fold *world_shard(const struct world *world, int32_t shard);

struct hub_admit_counts world_admit_counts(struct world *world); /* of all institutions */
struct hub_fold_counts world_fold_counts(struct world *world);   /* of all shards */
