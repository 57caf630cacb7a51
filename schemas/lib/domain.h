/* A domain's contract: what its annotated schema says about identity, belief, life cycle and
 * exclusiveness, compiled so that the core can follow it without reading JSON.
 *
 * The annotations are custom attributes (`hub:...`) of the domain's .avsc; their meaning is on the
 * fields below. Everything points into the schema's own memory. */
#pragma once

#include "hub/base/status.h"
#include "schemas/lib/parties.h"
#include "schemas/lib/schemes.h"
#include "schemas/lib/type.h"

enum hub_severity { HUB_MINOR = 0, HUB_MAJOR, HUB_CRITICAL }; /* as Conflict's Severity */

/* hub:merge: one step of a chain. Each ranks the statements that state the field; the first step
 * that tells two of them apart decides, then the system's rank, then the smaller key. */
enum hub_rule_kind {
    HUB_RULE_AUTHORITY,  /* by the list of whom to believe; `only` shuts everybody else out */
    HUB_RULE_PRECEDENCE, /* by the symbol, of the field or of its part `of` */
    HUB_RULE_LATEST,     /* by event time, the later one; a statement without one is the oldest */
    HUB_RULE_EARLIEST,
    HUB_RULE_MAX, /* by value: int, long, date */
    HUB_RULE_MIN,
    HUB_RULE_AGREE, /* ranks nobody: any difference is for people */
    /* {"reserve": [symbols], "for": [whom to believe]} ranks nobody either: who says one of the
     * symbols and is none of those is taken to have said nothing. */
    HUB_RULE_RESERVE,
};

enum hub_authority_kind {
    HUB_AUTHORITY_SYSTEM,
    HUB_AUTHORITY_INSTITUTION,
    HUB_AUTHORITY_ROLE,
    HUB_AUTHORITY_ELEMENT, /* the organisation that a union's element names: each for its own */
};

struct hub_authority {
    enum hub_authority_kind kind;
    const char *name; /* system, institution, or the field that names an organisation: of the record
                         (ROLE) or of the elements (ELEMENT) */
    int role_field;   /* index of that field; -1 otherwise */
};

struct hub_rule {
    enum hub_rule_kind kind;
    const struct hub_authority *authorities;
    size_t authority_count;
    bool only;
    const char *of;           /* precedence: name of the part, or NULL */
    const uint16_t *symbol_ranks; /* precedence: rank of each symbol, best 0; reserve: 0 for those
                                     that are reserved, 1 for the others */
};

/* hub:equal: when two values say the same. */
enum hub_equality {
    HUB_EQUAL_EXACT,     /* same bytes; of records: each part by its own rule */
    HUB_EQUAL_FOLD,      /* same text but for case, accents, punctuation and spaces */
    HUB_EQUAL_SET,       /* same elements in any order, texts folded */
    HUB_EQUAL_DATE,      /* a Date that is known less exactly agrees with what it contains */
    HUB_EQUAL_TOLERANCE, /* numbers at most `tolerance` apart */
    HUB_EQUAL_REACHABLE, /* one state can become the other by the life cycle */
    HUB_EQUAL_APART,     /* records whose `apart_field` differs do not speak of the same fact */
    HUB_EQUAL_IGNORE,    /* never a difference */
};

struct hub_lifecycle {
    const struct hub_type *states; /* the enum */
    const bool *allowed;           /* [from * count + to]; staying is always allowed */
    const bool *reachable;         /* by any number of allowed steps */
};

enum { HUB_PLAIN_KEYS_MAX = 4 };

struct hub_contract;

struct hub_field_contract {
    const struct hub_field *field;
    const struct hub_rule *rules;
    size_t rule_count;
    bool is_union;                     /* an array merged by its elements' keys */
    const int *key_fields;             /* of the elements' record; none: the element is its key */
    size_t key_count;
    /* Few, and all texts as they stand, or symbols, or one text that is compared folded: they can be compared where
     * they stand. */
    bool plain_keys;
    bool folded_key; /* the last of these */
    const struct hub_contract *parts;  /* record (or element record): contract of its fields */
    /* Of a list whose elements are records and are merged part by part: its parts as they are merged, by the
     * list's rules. Else NULL. */
    const struct hub_field_contract *merged_parts;
    bool keeps_alike; /* elements under one key that are the same bytes are merged to just these */
    enum hub_equality equality;
    bool may_yield; /* a value can be the less exact of two that agree: it is a date, or has one */
    double tolerance;
    int apart_field;         /* HUB_EQUAL_APART: index in the record */
    const bool *apart_wild;  /* its symbols that speak of any fact */
    bool reports_conflict;
    enum hub_severity severity;
    bool is_volatile; /* stored, never by itself a change */
    bool is_role;     /* of the domain's record: a `role:` rule of one of its fields names it */
    bool asks_roles;  /* one of its rules names a role */
    bool shuts_out;   /* one of its rules lets some statements or values not speak */
    /* Of the domain's record: the first field whose rules say the same of statements, whatever these say. */
    size_t chain;
    bool by_voice; /* its rules rank statements, whatever these say */
    char retention;   /* T, C, O, X; 0: that of the domain */
    const struct hub_lifecycle *lifecycle;
    /* hub:requires: where this field of the record is stated, that one has to be. -1 for none. */
    int needed_field;
    enum hub_severity needed_severity;
};

struct hub_contract {
    const struct hub_type *record;
    const struct hub_field_contract *fields;
    size_t count;
    bool atomic; /* hub:atomic: chosen whole */
    bool has_needs; /* hub:requires is on one of its fields */
    /* hub:same: the first of these parts that both of two records state tells whether they are the
     * same; the first that one states is its key. */
    const int *decisive;
    size_t decisive_count;
};

/* hub:exclusive: no two entities with the same `of` hold overlapping intervals while their status
 * is an active one. Only within a shard: a domain without hub:shard is one.
 *
 * An interval is of times, `start` to `end`, or of days, `from` to `to`. Of several fields (actual,
 * planned) each bound is that of the first which states it. Of days only what is sure counts: of a
 * month as first day its last, as last day its first; without a last day there is no end. Two
 * intervals that have but one day in common do not overlap, as people travel on it. */
struct hub_exclusive {
    int of_field, status_field;
    const int *interval_fields;
    size_t interval_count;
    bool days;
    const bool *active; /* by symbol of the status */
    enum hub_severity severity;
};

/* hub:reference: what a record links to must be a thing of the other domain that is known, and must
 * not be in certain states there. The other domain has one shard, and no way leads back: references
 * make no circle. A link is meant by its domain and, where one is named, its role. */
struct hub_reference {
    const char *domain;
    const char *role;           /* NULL: any */
    const char *field;          /* of the other's record, with dots; NULL: it only has to be known */
    const char *const *refused; /* symbols there, NULL-ended */
    enum hub_severity severity;
    const struct hub_node *node; /* where it is written */
};

/* hub:possible: fields that together propose a match and never make one. */
struct hub_resemblance {
    const int *fields;
    size_t count;
};

enum { HUB_STAMP_FIELDS_MAX = 32 };

/* Where the parts of the stamp stand in atmp.Statement. */
struct hub_stamp_fields {
    int version, event_time, state, reason;
    int withdrawn_symbol; /* of the state */
    int current_symbol;
};

/* Where the parts of an identifier stand in atmp.Identifier. */
struct hub_identifier_fields {
    int scheme, issuer, value, relation;
    int self_symbol, unverified_symbol; /* of the relation; -1 for none */
};

enum { HUB_FIELD_STATEMENT = 0, HUB_FIELD_IDENTIFIERS = 1, HUB_FIELD_LINKS = 2 };

struct hub_domain {
    const char *name;
    const struct hub_schema *schema;
    const struct hub_schema *unified; /* generated; NULL until the catalogue has bound it */
    char retention; /* T, C, O, X; 0 where every field has its own */
    struct hub_contract contract;
    struct hub_stamp_fields stamp;
    struct hub_identifier_fields identifier;
    const char *rules; /* hash of all that decides: this schema, schemes, systems, organisations */
    const struct hub_schemes *schemes;
    const struct hub_parties *parties;
    const int *identity; /* scheme indexes, strongest first */
    size_t identity_count;
    const struct hub_resemblance *resemblances;
    size_t resemblance_count;
    int shard_field; /* -1: one shard */
    const struct hub_exclusive *exclusive; /* NULL: none */
    const struct hub_reference *references;
    size_t reference_count;
    const char *const *systems;            /* by rank, NULL-ended */
    /* hub:label: what people recognise a thing by. Parts, each a list of paths of which the first
     * that is stated is shown: suite, interval.start.time, titles[en].text. Lists NULL-ended. */
    const char *const *const *label;
    int lifecycle_field;                   /* the field with a life cycle, or -1 */
};

/* Compiles and lints the annotations of a domain schema. Beyond Avro it is refused, with file, line
 * and what would pass, where: a field lacks `doc`, `hub:merge`, `hub:conflict`, `hub:class` or
 * `hub:retention` (the last two may stand on the record); an enum lacks the default UNRECOGNISED;
 * a field is of class `direct`; a map or an array of arrays is used; a rule names what is not there;
 * an annotation stands where nobody reads it or says nothing that is known. */
HUB_MUST_USE enum hub_status hub_domain_load(const struct hub_schema *schema,
                                             const struct hub_schemes *schemes,
                                             const struct hub_parties *parties,
                                             struct hub_arena *arena, struct hub_domain *ret_domain,
                                             struct hub_error *reterr);

/* The strength of a scheme in this domain, best 0; -1 where it does not identify here. */
int hub_domain_scheme_strength(const struct hub_domain *domain, int scheme_index);

/* The rank of a system, best 0; those that are not listed come last, all alike. */
size_t hub_domain_system_rank(const struct hub_domain *domain, struct hub_bytes system);
