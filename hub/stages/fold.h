/* fold: the ordered log of one shard in, its unified records, conflicts, matches and listings of
 * identifiers out.
 *
 * It keeps the statements in force, finds which of them are about the same thing, merges each
 * entity field by field, and publishes what changed. Its state is what it has published and the
 * entries in force: it can be loaded from the topics, and is never decided a second time.
 *
 * Pure: one entry gives one defined list of outputs, however entries were batched. */
#pragma once

#include "hub/base/digest.h"
#include "hub/stages/fold_hooks.h"
#include "schemas/lib/catalogue.h"

/* Raised whenever the same log would give other records. A shard folded by a newer core is
 * refused. */
enum { HUB_CORE_VERSION = 1 };

/* What became of the entries: `read` is the sum of the others. */
struct hub_fold_counts {
    int64_t read, published, unchanged, superseded, withdrawn;
    int64_t decided, refused; /* decisions taken, and not */
    int64_t ruled, overruled; /* entries about rules: with effect, and made for others than those in force */
    int64_t facts;            /* about things of other domains */
};

/* What the shard holds now. */
struct hub_fold_gauges {
    size_t statements; /* in force */
    size_t entities;   /* ACTIVE */
    size_t conflicts_open;
    size_t matches_open;
    size_t identifiers_set_aside; /* shared by more statements than may join */
};

struct hub_fold;

/* `domain` is of the catalogue: its rules are in force until the log names some. */
struct hub_fold *hub_fold_new(const struct hub_catalogue *catalogue,
                              const struct hub_domain *domain, const struct hub_digester *digester,
                              int32_t partition);
void hub_fold_free(struct hub_fold *fold); /* NULL is fine */

/* Loading: every record of the topics' partitions in offset order (or, of each key, the last), log
 * entries only below the committed offset. Then hub_fold_loaded once, before the first entry.
 * Records are put away, and read when an entry comes near them; what contradicts another one shows
 * then. Topics may be loaded by threads of their own. The rules in force are those of the log;
 * where it names none, the domain's as given. HUB_FATAL where a record is damaged. */
HUB_MUST_USE enum hub_status hub_fold_load(struct hub_fold *fold, enum hub_fold_topic topic,
                                           const struct hub_input *record,
                                           struct hub_error *reterr);
/* That was all of a topic. It need not be said: what is sorted now is not later, by one thread. */
void hub_fold_topic_loaded(struct hub_fold *fold, enum hub_fold_topic topic);
/* What need not be loaded: the fold asks for it. The store outlives the fold, and has hooks by the
 * rules in force; of what it has, hub_fold_load_near is given the near_hash of every hook that has
 * one. */
void hub_fold_set_store(struct hub_fold *fold, const struct hub_store *store);
void hub_fold_load_near(struct hub_fold *fold, const uint64_t *hashes, size_t count);
HUB_MUST_USE enum hub_status hub_fold_loaded(struct hub_fold *fold, struct hub_error *reterr);
/* Reads everything that was put away, and counts what there is. HUB_FATAL where the topics contradict
 * each other, were made by a newer core, or by other rules than the domain's while the log names none;
 * or what the store says. */
HUB_MUST_USE enum hub_status hub_fold_wake_all(struct hub_fold *fold, struct hub_error *reterr);

/* The hooks of an entity's unified record by the rules in force, whichever it was made by. */
HUB_MUST_USE enum hub_status hub_fold_hooks_of_entity(struct hub_fold *fold, struct hub_bytes id,
                                                      struct hub_hooks *hooks,
                                                      struct hub_error *reterr);
/* What could not be woken, if anything: the fold has to be loaded again. */
HUB_MUST_USE enum hub_status hub_fold_failure(const struct hub_fold *fold,
                                              struct hub_error *reterr);

/* Folds one entry. HUB_FATAL where the log holds what admit would never write, or what was loaded is
 * not what a fold has published: damage. HUB_RETRY where the store says so. Nothing of it counts then,
 * nor of what follows: the fold has to be loaded again. */
HUB_MUST_USE enum hub_status hub_fold_entry(struct hub_fold *fold, const struct hub_input *entry,
                                            struct hub_outputs *outputs, struct hub_error *reterr);

/* The ids of the entities that claim an identifier (as hub_claim's text) as their own, sorted; in
 * the arena, and valid until the next entry. It is what unified.identifier lists. */
const char **hub_fold_resolve(struct hub_fold *fold, const char *identifier,
                              struct hub_arena *arena, size_t *ret_count);
/* Appends an entity as it was published last, as JSON: {entity_id, domain, kind, into, revision,
 * statements, value}. Where the id is MERGED it is the entity that it went into. Returns its kind;
 * NULL, and nothing appended, where there is none. */
const char *hub_fold_render_entity(struct hub_fold *fold, const char *id,
                                   struct hub_buffer *json);

const struct hub_fold_counts *hub_fold_counts(const struct hub_fold *fold);
void hub_fold_set_counts(struct hub_fold *fold, const struct hub_fold_counts *counts);
struct hub_fold_gauges hub_fold_gauges(const struct hub_fold *fold);
/* Statements that are in memory; the others sleep, in the store or among what was loaded. */
size_t hub_fold_awake(const struct hub_fold *fold);
/* Between two entries: lets go of all that is in memory, and asks the store, which has the last record of
 * everything, as after a start with it. Counts and gauges stay. */
void hub_fold_let_sleep(struct hub_fold *fold, const struct hub_store *store);
/* What the shard held when it was committed: what sleeps is not counted. */
void hub_fold_set_gauges(struct hub_fold *fold, const struct hub_fold_gauges *gauges);
/* The hash of the rules in force; valid until the next entry. */
const char *hub_fold_rules(const struct hub_fold *fold);
