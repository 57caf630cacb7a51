/* The working set of one shard, shared by the files of the fold and by nobody else. */
#pragma once

#include "hub/base/hook_set.h"
#include "hub/base/table.h"
#include "hub/core/claims.h"
#include "hub/core/intervals.h"
#include "hub/core/merge.h"
#include "hub/stages/fold.h"
#include "hub/stages/fold_hooks.h"
#include "hub/stages/fold_sieve.h"
#include "hub/stages/readers.h"
#include "hub/stages/shelf.h"
#include "schemas/lib/render.h"

#include <stdlib.h>

/* The symbols of DecisionKind, in order. */
enum fold_decision_kind { FOLD_CHOOSE = 0, FOLD_DEFER, FOLD_REOPEN, FOLD_JOIN, FOLD_SEPARATE };

/* A decision as it was taken, or a proposal that waits for a second person; lists as in schemas/hub/conflict.avsc. */
struct fold_decision {
    char *id;
    enum fold_decision_kind kind;
    char **statements, **others, **values;
    size_t statement_count, other_count, value_count;
    char *reason, *decided_by, *confirmed_by;
    int64_t offset;
};

/* What a record is found by while it sleeps (fold_wake.c). */
enum fold_trait {
    FOLD_BY_STATEMENT = 1, /* <system>/<source id> */
    FOLD_BY_ENTITY,
    FOLD_BY_IDENTIFIER,
    FOLD_BY_LIKENESS,
    FOLD_BY_SUITE,
    FOLD_BY_FACT,
    FOLD_BY_REFERENCE, /* to a fact */
    FOLD_BY_CONFLICT,
    FOLD_BY_MATCH,
    FOLD_BY_RULES,
};

/* What was decided about a statement and another one; of several, the newest counts. */
struct fold_pair {
    struct fold_statement *other;
    bool same;
    int64_t offset; /* of the decision */
};

/* One institution's copy of a statement. */
struct fold_copy {
    const char *institution; /* the fold's */
    /* One block of memory, which begins with the starts: */
    uint32_t *starts;
    const uint8_t *body; /* newest schema; NULL where it is withdrawn */
    size_t body_size;
    const char *version;
    const char *replaced_status; /* what the entry says it replaced, or NULL */
    bool has_event_time;
    int64_t event_time_ms;
    bool withdrawn;
    struct hub_digest content; /* what it says, by the rules in force, */
    bool digested;             /* once somebody asked */
    int64_t offset; /* of the entry in force */
};

struct fold_identifier {
    UT_hash_handle hh;
    char *text; /* in the same piece of memory */
    uint32_t group_size; /* of the text: scheme: or scheme:issuer/ */
    struct hub_hook hook;
    uint16_t strength, scheme; /* scheme: its index in the schemes */
    bool exclusive;
    bool near_awake; /* all that are one slip away are */
    struct fold_statement **statements; /* that may be joined by it */
    size_t count, capacity;
    struct fold_statement **doubters; /* that give it as doubtful */
    size_t doubter_count, doubter_capacity;
    struct fold_identifier **near; /* known ones that are one slip away (hub/core/near.h) */
    size_t near_count, near_capacity;
    uint32_t number; /* dense, within a bucket */
    size_t mark, listing_mark;
};

struct fold_statement {
    UT_hash_handle hh;
    char *key; /* system/source id; in the same piece of memory */
    uint64_t hook;
    const struct hub_system *system;
    struct fold_copy *copies; /* `only`, while there is one */
    size_t copy_count, copy_capacity;
    struct fold_copy only;
    size_t speaker;   /* whose copy speaks */
    bool in_force;    /* the speaker stands by it */
    bool settled;     /* all its copies are here, and what hangs on it */
    int64_t first_offset; /* since it came into force */
    struct fold_identifier **claims; /* those that may join, then the doubtful ones */
    size_t claim_count, doubt_count;
    struct fold_fact **facts; /* what it links to, while in force; as often as it does */
    size_t fact_count;
    struct fold_entity *entity; /* while in force */
    struct fold_entity *founded; /* fold_statement_founded, */
    bool looked_up;              /* once somebody asked */
    struct fold_pair *pairs;
    size_t pair_count, pair_capacity;
    size_t mark;
    size_t number; /* dense, within a region */
};

/* What is known of a thing of another domain. */
struct fold_fact {
    UT_hash_handle hh;
    char *key; /* trial/nct:NCT05635409 */
    uint8_t *body; /* of the Fact, newest schema; NULL while nobody has looked it up */
    size_t body_size;
    struct fold_statement **statements; /* that link to it */
    size_t count, capacity;
};

/* The symbols of EntityKind, in order. */
enum fold_kind { FOLD_ACTIVE = 0, FOLD_MERGED, FOLD_WITHDRAWN, FOLD_MOVED };

struct fold_entity {
    UT_hash_handle hh;
    char *id; /* in the same piece of memory */
    enum fold_kind kind;
    char *into;
    char *founder;
    int64_t founded_offset;
    int64_t revision;
    struct fold_statement **members; /* sorted by key */
    size_t member_count, member_capacity;
    /* As published last, one block of memory that begins with the starts; NULL for none: */
    uint32_t *starts; /* of the fields in the value, and its end */
    int *sources;
    bool *settled; /* as in struct hub_merged; none where it was loaded */
    uint8_t *value;
    size_t value_size;
    size_t merged_by; /* fold->rulings_in_force then; 0: it was loaded */
    struct fold_conflict **conflicts; /* open, sorted by id */
    size_t conflict_count, conflict_capacity;
    struct fold_conflict **decided; /* conflicts with a decision, open or not */
    size_t decided_count, decided_capacity;
    struct fold_match **matches; /* with evidence */
    size_t match_count, match_capacity;
    char *exclusive_key; /* while it holds a span */
    struct hub_span span;
    struct fold_likeness **resemblances; /* those it is listed in */
    size_t resemblance_count;
    uint8_t *record; /* while it wakes: the last one that was published; else NULL */
    size_t record_size;
    size_t mark;
    struct fold_change *change; /* of the running step */
};

struct fold_conflict {
    UT_hash_handle hh;
    char *id; /* in the same piece of memory */
    enum hub_conflict_kind kind;
    char *entities[2]; /* the second only of an overlap */
    char *field;
    enum hub_severity severity;
    bool open;
    uint8_t *values; /* encoded array of ConflictValue */
    size_t values_size;
    uint8_t *owners; /* encoded array of institutions; NULL where it never stood */
    size_t owners_size;
    int64_t opened_offset;
    int64_t events;
    struct fold_decision *decision; /* in force, or NULL */
    struct fold_decision *proposal; /* to decide so; or NULL */
    struct fold_conflict_before *before; /* of the running step */
    bool seen;
};

/* The symbols of MatchKind, in order. */
enum fold_evidence_kind {
    FOLD_EVIDENCE_EXCLUSIVE = 0,
    FOLD_EVIDENCE_TIE,
    FOLD_EVIDENCE_TOO_MANY,
    FOLD_EVIDENCE_RESEMBLANCE,
    FOLD_EVIDENCE_NEAR_MISS = 5, /* UNRECOGNISED is before it */
};

struct fold_evidence {
    enum fold_evidence_kind kind;
    char *detail;
    char *statements[2];
};

struct fold_match {
    UT_hash_handle hh;
    char *id;
    char *entities[2];
    bool open;
    struct fold_evidence *evidence; /* sorted */
    size_t evidence_count, evidence_capacity;
    int64_t opened_offset;
    int64_t events;
    struct fold_decision *decision; /* about statements, in force; or NULL */
    struct fold_decision *proposal; /* to decide so; or NULL */
    struct fold_match_before *before; /* of the running step */
    bool bound; /* its decision is, to the statements */
};

/* Everything under one text: claims on one suite, entities that resemble each other. */
struct fold_suite {
    UT_hash_handle hh;
    char *key;
    struct hub_intervals intervals;
};

struct fold_likeness {
    UT_hash_handle hh;
    char *key; /* in the same piece of memory */
    uint64_t hook;
    struct fold_entity **entities;
    size_t count, capacity;
};

/* A system that the rules in force do not declare: nobody's own voice, and believed last. */
struct fold_system {
    UT_hash_handle hh;
    struct hub_system system;
    uint32_t number; /* after those that are declared */
};

struct hub_fold {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain; /* by the rules in force */
    struct hub_rules *rules;         /* the log's; NULL while it has named none: the catalogue's */
    struct fold_ruling *rulings;     /* entries about rules, while loading */
    size_t ruling_count, ruling_capacity;
    struct fold_system *systems;
    char **institutions; /* that copies are of, each once */
    size_t institution_count, institution_capacity;
    const struct hub_digester *digester;
    int32_t partition;
    char *type; /* what the types of its events begin with */
    int64_t time_ms; /* that was written last, */
    char time[HUB_TIME_TEXT_SIZE_MAX]; /* and how; */
    size_t time_size; /* 0: none was */
    struct hub_readers readers;
    const struct hub_schema *conflict_schema, *match_schema, *listing_schema;
    const struct hub_schema *fact_schema;
    struct fold_statement *statements;
    struct fold_identifier *identifiers;
    struct fold_sieve sieve; /* of the identifiers */
    struct fold_fact *facts;
    struct fold_entity *entities;
    struct fold_conflict *conflicts;
    struct fold_match *matches;
    struct fold_suite *suites;
    struct fold_likeness *likenesses;
    const struct fold_statement *founder; /* of the running step: whose id was asked for last, */
    char *founder_id;                     /* and it */
    size_t marks; /* the last mark given */
    size_t rulings_in_force; /* how often rules came into force; 1 with the first ones */
    struct hub_fold_counts counts;
    struct hub_fold_gauges gauges;
    struct hub_hooks hooks;                     /* of one record */
    struct hub_shelf *shelves[HUB_FOLD_TOPICS]; /* what was loaded */
    struct hub_hooks loading[HUB_FOLD_TOPICS];  /* of one record each */
    struct hub_hook_set asked;                  /* once each */
    struct hub_given given;                     /* by the store */
    char **stale; /* while loading: keys of unified records whose hooks are by other rules */
    size_t stale_count, stale_capacity;
    const struct hub_store *store; /* what else there is; or NULL */
    struct fold_waking *waking;
    bool is_ruled; /* the log named rules */
    bool has_dormant, is_waking;
    enum hub_status failed; /* the first that could not be woken: nothing that follows counts */
    struct hub_error failure;
    struct hub_arena scratch; /* of the running step */
};

/* Why an entity is published again, in CloudEvents' words. */
enum fold_event {
    FOLD_EVENT_REGISTERED = 0,
    FOLD_EVENT_UPDATED,
    FOLD_EVENT_MERGED,
    FOLD_EVENT_SPLIT,
    FOLD_EVENT_WITHDRAWN,
    FOLD_EVENT_MOVED,
};

/* An entity that the running step touches. */
struct fold_change {
    struct fold_entity *entity;
    bool remerge; /* its statements or their content changed */
    bool refer;   /* a fact that its statements refer to changed */
    bool publish;
    bool was_active;
    bool by_rules; /* it is looked at again because the rules changed: nothing of before counts */
    enum fold_event event;
    struct hub_bytes value_before; /* in the arena */
    struct hub_merged merged;      /* where remerge */
    const bool *differs;           /* per field, once it was asked for */
    const uint32_t *starts_before; /* of the fields in value_before; NULL where there was none */
    const struct fold_news *news; /* of the one of its statements that says something else now; NULL: not known */
};

/* One entry being folded. */
struct fold_step {
    struct hub_fold *fold;
    const struct hub_input *entry;
    struct hub_outputs *outputs; /* NULL while loading */
    struct hub_arena *arena;
    struct hub_bytes time; /* of the entry, once something is published */
    struct fold_change **changes;
    size_t change_count, change_capacity;
    struct fold_conflict **conflicts; /* touched */
    size_t conflict_count, conflict_capacity;
    struct fold_match **matches; /* touched */
    size_t match_count, match_capacity;
    struct fold_listing *listings; /* touched */
    size_t listing_count, listing_capacity;
    size_t listing_mark;
    struct fold_statement *withdrawn; /* the statement that went out of force, or NULL */
    int64_t withdrawn_first_offset;
    struct fold_statement *moved; /* the statement that went to another shard, or NULL */
};

/* fold_wake.c: what sleeps. */
/* Everything that this leads to is awake afterwards, or the fold has failed. */
void fold_wake(struct hub_fold *fold, enum fold_trait trait, struct hub_bytes text);
/* This is known to lead to nothing that sleeps, and need not be asked for. */
void fold_wake_nobody(struct hub_fold *fold, enum fold_trait trait, struct hub_bytes text);
/* A statement was made. */
void fold_wake_statement(struct hub_fold *fold, struct fold_statement *statement);
void fold_waking_free(struct fold_waking *waking); /* NULL is fine */
struct fold_waking *fold_waking_new(void);

/* fold_hooks.c */
/* What an identifier is found by. */
struct hub_hook fold_hook_of_identifier(const struct hub_domain *domain, int scheme,
                                        struct hub_bytes text, size_t group_size);
/* Of entries with a key: whether what they say is kept, and not only what came of it. */
bool fold_entry_is_state(const struct hub_input *entry);
/* The header of an entity, in the arena. */
struct hub_bytes fold_hooks_header(struct hub_fold *fold, const struct fold_entity *entity,
                                   struct hub_arena *arena);
/* What the header would say, of a record that was made by other rules: adds the hooks of the unified
 * record, its statements' own before the others, and those of one of their log entries. */
enum hub_status fold_hooks_of_unified(struct hub_fold *fold, struct hub_bytes unified,
                                      struct hub_hooks *hooks, size_t *ret_statements,
                                      struct hub_error *reterr);
enum hub_status fold_hooks_of_statement(struct hub_fold *fold, const struct hub_input *entry,
                                        struct hub_hooks *hooks, struct hub_error *reterr);

/* fold_load.c: reading what was published. */
enum hub_status fold_load_entity(struct hub_fold *fold, struct fold_entity *entity,
                                 struct hub_error *reterr);
void fold_load_init(struct hub_fold *fold);
/* What was loaded, and what was asked for, is forgotten. */
void fold_load_clear(struct hub_fold *fold);
void fold_load_free(struct hub_fold *fold);
/* HUB_FATAL: the entity lists a statement that is none of its. */
enum hub_status fold_contradict(const struct hub_fold *fold, const struct fold_entity *entity,
                                const struct fold_statement *statement, struct hub_error *reterr);
enum hub_status fold_load_conflict(struct hub_fold *fold, struct hub_bytes value,
                                   struct fold_conflict **ret_conflict, struct hub_error *reterr);
enum hub_status fold_load_match(struct hub_fold *fold, struct hub_bytes value,
                                struct fold_match **ret_match, struct hub_error *reterr);

/* fold_statement.c: statements and their copies. */
/* What an entry brought. */
struct fold_news {
    bool was_in_force;
    bool content_changed;
    const struct fold_statement *statement;
    const bool *same; /* per field, in the arena: it says what it said; NULL: not known */
    bool had_event_time; /* where `same` is known: when its event was before */
    int64_t event_time_ms;
};
/* `ret_news` may be NULL. */
enum hub_status fold_statement_take(struct hub_fold *fold, const struct hub_input *entry,
                                    struct hub_arena *arena, struct fold_statement **ret_statement,
                                    struct fold_news *ret_news, struct hub_error *reterr);
void fold_statement_free(struct fold_statement *statement);
/* The id of the entity that it founded or would found; valid until another one's is asked for. */
const char *fold_statement_founds(struct hub_fold *fold, const struct fold_statement *statement);
/* That entity; NULL where there is none. */
struct fold_entity *fold_statement_founded(struct hub_fold *fold, struct fold_statement *statement);
struct fold_statement *fold_statement_find(struct hub_fold *fold, const char *key);
/* Also where nothing was ever said under the key; NULL where the key names no system. */
struct fold_statement *fold_statement_need(struct hub_fold *fold, const char *key);
const struct fold_copy *fold_statement_speaker(const struct fold_statement *statement);
/* The system's number: equal ones, equal system. */
uint32_t fold_statement_system(const struct hub_fold *fold, const struct fold_statement *statement);
/* What the rules in force say of it: its system, its content, whose copy speaks. */
void fold_statement_refresh(struct hub_fold *fold, struct fold_statement *statement);
int fold_statement_compare(const void *a, const void *b); /* by key; for qsort of pointers */

/* fold_identifier.c: who claims what, and which numbers are one slip apart. */
void fold_identifier_index(struct hub_fold *fold, struct fold_statement *statement,
                           struct hub_arena *arena);
void fold_identifier_drop(struct hub_fold *fold, struct fold_statement *statement);
bool fold_identifier_claims_stand(struct hub_fold *fold, struct fold_statement *statement,
                                  struct hub_arena *arena);
void fold_identifier_free(struct fold_identifier *identifier);
/* All that are one slip away are awake afterwards, in `near`. */
void fold_identifier_wake_near(struct hub_fold *fold, struct fold_identifier *identifier);
void fold_identifier_wake_holders(struct hub_fold *fold, const struct fold_identifier *identifier);
size_t fold_identifier_count_set_aside(const struct hub_fold *fold);

/* fold_bucket.c: clusters and ids. */
void fold_bucket_recluster(struct fold_step *step, struct fold_statement *statement);
/* The same after a decision about several statements. */
void fold_bucket_recluster_all(struct fold_step *step, struct fold_statement *const *statements,
                               size_t count);

/* fold_near.c: entities whose numbers are one slip of the hand apart.
 *
 * Two ACTIVE entities are a near miss where
 *   1. one has a SELF number that differs in one digit, or by two neighbouring characters that
 *      changed places, from a SELF or doubtful number of the other in the same scheme (and issuer);
 *      or that equals a doubtful number of the other. Doubtful is what is UNVERIFIED, what a
 *      statement gives beside another value of the same exclusive scheme, and what has one
 *      character that is no digit (hub/core/claims.h). Slips are looked for only where the scheme
 *      has a pattern: numbers without one are often counted up, and the next one is no slip. And
 *   2. no system gives both numbers, each in its own record: it tells them apart itself. So the
 *      consecutive numbers of a register are none. And
 *   3. they agree in a field of hub:possible that names something, by that field's equality: the
 *      sponsor or a title of a trial. A month, a kind or a year is shared by too many.
 * What is common tells nothing: a number claimed by more than HUB_IDENTIFIER_DEGREE_MAX statements,
 * the doubts of more than FOLD_DOUBTERS_MAX, the slips of a number that has more than FOLD_NEAR_MAX
 * known ones around it, because there numbers lie close together.
 *
 * All of this is of the statements in force; it is looked at again whenever a step touches one of
 * the entities or crosses such a limit, and needs no state but the index of identifiers. */
enum { FOLD_DOUBTERS_MAX = 8, FOLD_NEAR_MAX = 8 };
void fold_near_find(struct fold_step *step, struct fold_change *change);
/* Before the statement's claims are dropped and after they are indexed: where that crosses a limit,
 * the entities of all who give the number are looked at again. */
void fold_near_touch_crowds(struct fold_step *step, const struct fold_statement *statement);

/* fold_entity.c: entities, and what a step does to them. */
struct fold_entity *fold_entity_find(struct hub_fold *fold, const char *id);
struct fold_entity *fold_entity_add(struct hub_fold *fold, const char *id, const char *founder,
                                    int64_t founded_offset);
char *fold_entity_id_of(const struct hub_fold *fold, const char *founder);
void fold_entity_free(struct fold_entity *entity);
void fold_entity_set_kind(struct hub_fold *fold, struct fold_entity *entity, enum fold_kind kind,
                          const char *into);
void fold_entity_set_members(struct fold_entity *entity, struct fold_statement **members,
                             size_t count);
/* Copies what was merged; `field_count` of the domain. */
void fold_entity_set_value(struct fold_entity *entity, const struct hub_merged *merged,
                           size_t field_count);
void fold_entity_drop_value(struct fold_entity *entity);
struct fold_change *fold_change_of(struct fold_step *step, struct fold_entity *entity);

/* fold_publish.c: merging and the unified records. */
/* Which fields of the value differ from before the step; all of them where one side is null. To be
 * asked once the entity has its new value. */
const bool *fold_change_differs(struct fold_step *step, struct fold_change *change);
void fold_publish_merge(struct fold_step *step, struct fold_change *change);
void fold_publish_unified(struct fold_step *step);
/* Puts out a record about what it is keyed by: `number` is its own among those of the key, and makes its id with
 * it, after `mark`; the type lives as long as the outputs, or is in their arena. */
struct fold_label {
    char mark;
    int64_t number;
    struct hub_bytes type;
};
struct hub_output *fold_publish_record(struct fold_step *step, enum hub_output_kind kind,
                                       const char *key, const struct hub_buffer *value,
                                       const struct fold_label *label);
/* atmp.<domain>.<event> */
struct hub_bytes fold_publish_type(const struct fold_step *step, const char *event);
void fold_publish_voices(const struct fold_entity *entity, const struct hub_domain *domain,
                         struct hub_arena *arena, struct hub_voice **ret_voices);

/* fold_owner.c: whose a conflict is. */
struct fold_owners {
    const struct hub_parties *parties;
    bool *named; /* by institution */
};
struct fold_owners fold_owners_new(const struct fold_step *step);
void fold_owners_add(struct fold_owners *owners, const char *institution);
void fold_owners_add_speakers(struct fold_owners *owners, const struct fold_statement *statement);
void fold_owners_encode(const struct fold_owners *owners, struct hub_buffer *value);

/* What a step finds wrong, whether or not it was known before. */
struct fold_finding {
    const char *id;
    enum hub_conflict_kind kind;
    const char *entities[2]; /* the second only of an overlap */
    const char *field;
    enum hub_severity severity;
    struct fold_owners owners;
};

/* fold_conflict.c: conflicts of values and steps, and the transitions of all kinds. */
void fold_conflict_of_values(struct fold_step *step, struct fold_change *change);
/* It stands, with these values (an encoded array of ConflictValue), open or accepted. */
void fold_conflict_hold(struct fold_step *step, const struct fold_finding *finding,
                        const struct hub_buffer *values);
/* Of the entity's open conflicts of these kinds, those that were not found again are over. */
enum fold_conflict_kinds {
    FOLD_CONFLICTS_OF_VALUES =
        1 << HUB_CONFLICT_VALUES | 1 << HUB_CONFLICT_STEP | 1 << HUB_CONFLICT_UNFOUNDED,
    FOLD_CONFLICTS_OF_OVERLAPS = 1 << HUB_CONFLICT_OVERLAP,
    FOLD_CONFLICTS_OF_REFERENCES = 1 << HUB_CONFLICT_REFERENCE,
};
void fold_conflict_resolve_unseen(struct fold_step *step, struct fold_entity *entity,
                                  enum fold_conflict_kinds kinds);
void fold_conflict_publish(struct fold_step *step);
/* One of an id that the fold does not know yet; nothing else is known of it. */
struct fold_conflict *fold_conflict_add(struct hub_fold *fold, const char *id);
void fold_conflict_free(struct fold_conflict *conflict);
void fold_conflict_attach(struct fold_entity *entity, struct fold_conflict *conflict);
/* Keeps the conflict as it was before the running step, once. */
void fold_conflict_touch(struct fold_step *step, struct fold_conflict *conflict);
/* A conflict that nobody ever found, for the refusal of a decision about it. */
struct fold_conflict *fold_conflict_unknown(struct hub_fold *fold, const char *id);
/* Puts the decision, which it takes over, into force; NULL takes back the one there is. */
void fold_conflict_set_decision(struct fold_entity *entity, struct fold_conflict *conflict,
                                struct fold_decision *decision);
/* Takes the proposal over, in place of the one there is; NULL for none. */
void fold_conflict_set_proposal(struct fold_conflict *conflict, struct fold_decision *proposal);
/* The step's event is about a decision; `refused` (in the arena) is why not, or NULL; `waits`,
 * whether it only proposes. */
void fold_conflict_note_decided(struct fold_conflict *conflict, const char *refused, bool waits);

/* fold_overlap.c: claims on one thing at one time. */
void fold_overlap_find(struct fold_step *step, struct fold_change *change);
void fold_overlap_index(struct hub_fold *fold, struct fold_entity *entity);
/* The suite that a merged value claims; false where it claims none. */
bool fold_overlap_suite(const struct hub_domain *domain, struct hub_bytes value,
                        struct hub_buffer *key);

/* fold_reference.c: links to other domains, and the facts about what they lead to. */
bool fold_reference_is(const struct hub_input *entry);
/* Keeps the fact that an entry tells. */
enum hub_status fold_reference_take(struct hub_fold *fold, const struct hub_input *entry,
                                    struct fold_fact **ret_fact, struct hub_error *reterr);
/* The entities whose statements refer to it are looked at. */
void fold_reference_touch(struct fold_step *step, const struct fold_fact *fact);
/* Once a statement says something else, or comes into force or out of it. */
void fold_reference_index(struct hub_fold *fold, struct fold_statement *statement,
                          struct hub_arena *arena);
void fold_reference_find(struct fold_step *step, struct fold_change *change);
void fold_fact_free(struct fold_fact *fact);
/* The fact that an entry is about, if it is awake. */
struct fold_fact *fold_fact_find(const struct hub_fold *fold, const struct hub_input *entry);

/* fold_match.c: pairs that may be one. */
void fold_match_of_refusals(struct fold_step *step, struct fold_entity **entities,
                            size_t entity_count, const struct fold_evidence *evidence,
                            const size_t *pairs, size_t evidence_count);
/* Adds evidence about two entities, in its place and once. */
void fold_match_tell(struct fold_step *step, struct fold_entity *a, struct fold_entity *b,
                     const struct fold_evidence *evidence);
/* Takes back all evidence about the entity that follows from the same as this kind does: from
 * refused edges, from resemblance, from near misses. */
void fold_match_forget(struct fold_step *step, struct fold_entity *entity,
                       enum fold_evidence_kind kind);
/* The same of two entities; NULL detail: whatever it says. */
void fold_match_take_back(struct fold_step *step, const struct fold_entity *a,
                          const struct fold_entity *b, enum fold_evidence_kind kind,
                          const char *detail);
void fold_match_publish(struct fold_step *step);
void fold_match_free(struct fold_match *match);
void fold_match_attach(struct fold_entity *entity, struct fold_match *match);
/* The match that carries decisions of this subject, touched; the entities may be NULL. */
struct fold_match *fold_match_of_decision(struct fold_step *step, const char *subject,
                                          const struct fold_entity *a,
                                          const struct fold_entity *b);
void fold_match_note_decided(struct fold_match *match, const char *refused);
/* Looks again at every match of an entity. */
void fold_match_touch_all(struct fold_step *step, struct fold_entity *entity);

/* fold_likeness.c: entities that agree in all fields of a hub:possible. */
struct fold_keys {
    struct hub_arena *arena;
    const char **items;
    size_t count;
};

/* All keys under which an active entity's value could be recognised elsewhere. */
struct fold_keys fold_likeness_keys(const struct hub_domain *domain, struct hub_bytes value,
                                    const uint32_t *starts, struct hub_arena *arena);
void fold_likeness_of_change(struct fold_step *step, struct fold_change *change);
/* Whether it was active and is, and every field that resemblances look at is as it was before the step. */
bool fold_likeness_looks_the_same(struct fold_step *step, struct fold_change *change);
void fold_likeness_index(struct hub_fold *fold, struct fold_entity *entity,
                         struct hub_arena *arena);
/* The fields of hub:possible that name something (a text, or a record or list of records with one)
 * in which two active entities agree, as a list for people in the arena; NULL for none. */
const char *fold_likeness_agreeing(struct fold_step *step, const struct fold_entity *a,
                                   const struct fold_entity *b);

/* fold_listing.c: of each identifier the entities that claim it. */
/* Before a statement or its entity changes: keeps what is listed now under what it claims. `but` is
 * a statement whose claims are the new ones already, and which is not counted. */
void fold_listing_touch(struct fold_step *step, const struct fold_statement *statement,
                        const struct fold_statement *but);
/* After all claims were read anew: what nobody claimed before was not listed. */
void fold_listing_touch_new(struct fold_step *step, const struct fold_statement *statement);
void fold_listing_publish(struct fold_step *step);

/* fold_decision.c: what people decided. */
struct hub_record;
bool fold_decision_is(const struct hub_input *entry);
enum hub_status fold_decision_take(struct fold_step *step, struct hub_error *reterr);
/* The `decision` or the `proposal` (the field's name) of a conflict or match record; NULL for none. */
struct fold_decision *fold_decision_load(const struct hub_record *record, const char *field);
/* waits: for a second person, else it is in force. */
void fold_decision_encode(const struct fold_decision *decision, bool waits, struct hub_buffer *value);
void fold_decision_free(struct fold_decision *decision); /* NULL is fine */
/* Whether the conflict stands on the values that the decision was made on. */
bool fold_decision_stands(const struct fold_step *step, const struct fold_conflict *conflict,
                          const struct fold_decision *decision);
/* Gives the statements that a decision names what was decided about them. */
void fold_decision_bind(struct hub_fold *fold, const struct fold_decision *decision);
/* Whether no newer decision is about the same pair. */
bool fold_pair_counts(const struct fold_statement *statement, size_t index);
bool fold_decision_apart(const struct fold_entity *a, const struct fold_entity *b);

/* fold_rules.c: rules that change. */
enum hub_status fold_rules_take(struct fold_step *step, struct hub_error *reterr);
enum hub_status fold_rules_remerge(struct fold_step *step, struct hub_bytes end,
                                   struct hub_error *reterr);
/* While loading: keeps an entry; puts them all in force, in order, once they are there. */
void fold_rules_remember(struct hub_fold *fold, const struct hub_input *entry);
enum hub_status fold_rules_loaded(struct hub_fold *fold, struct hub_error *reterr);
void fold_rules_free(struct hub_fold *fold);
