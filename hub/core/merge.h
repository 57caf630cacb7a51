/* Merging: for each field the rules pick among the statements that state it.
 *
 * The result is a function of the statements in force and the rules, and of nothing else; the
 * order in which statements arrived plays no part. Bytes of the chosen values are copied, not
 * decoded. */
#pragma once

#include "schemas/lib/domain.h"

/* One statement in force, as the merge sees it. */
struct hub_voice {
    const char *key;                 /* system/source id; voices are sorted by it */
    const struct hub_system *system; /* never NULL */
    const char *institution;         /* whose copy speaks */
    size_t rank;                     /* of the system; best 0 */
    struct hub_bytes body;           /* accepted bytes of the domain's schema */
    const uint32_t *starts;          /* its fields' starts */
    bool has_event_time;
    int64_t event_time_ms;
    const char *replaced_status; /* what the statement before said, or NULL */
};

enum { HUB_SOURCE_NONE = -1, HUB_SOURCE_SEVERAL = -2 };

/* The symbols of ConflictKind, in order. */
enum hub_conflict_kind {
    HUB_CONFLICT_VALUES = 0,
    HUB_CONFLICT_STEP,
    HUB_CONFLICT_OVERLAP,
    HUB_CONFLICT_UNFOUNDED = 4, /* UNRECOGNISED is before it */
    HUB_CONFLICT_REFERENCE,
};

/* One of the values that stand against each other. */
struct hub_conflict_value {
    const char *text;        /* JSON */
    const size_t *voices;    /* indexes, ascending */
    size_t voice_count;
    bool chosen;
};

/* What a person chose where statements contradict each other: whose value, and the values that the
 * person saw. It holds as long as these are the values; when the sources move, the rules decide
 * again and the conflict is open again. */
struct hub_choice {
    const char *path;
    size_t voice;
    const char *const *values; /* as texts in hub_conflict_value, sorted */
    size_t value_count;
};

struct hub_conflict_found {
    enum hub_conflict_kind kind;
    bool decided; /* a choice holds */
    const char *path; /* enrolment, titles[en].text, by_country[SE].status */
    /* What tells it from other conflicts of this path, in its id: of a STEP the statement
     * ("@ctgov/NCT01"), of what is UNFOUNDED why (":claim", ":needs-qp"); else "". */
    const char *mark;
    enum hub_severity severity;
    const char *owner; /* institution that the field's rules name first, or NULL */
    struct hub_conflict_value *values; /* the chosen one first, then by text; of a STEP and of
                                          what lacks another field as they are told */
    size_t value_count;
};

struct hub_merged {
    struct hub_bytes value; /* a record of the domain's schema, in the arena */
    const uint32_t *starts; /* of its fields, and its end */
    const int *sources;     /* per field: index of a voice, or HUB_SOURCE_... */
    /* Per field: a list that is the same in whatever order the voices are believed: no two of its elements
     * differ under one key. */
    const bool *settled;
    /* Per field: it is as it was before, and so are the conflicts of its values, which are not listed. NULL: none is. */
    const bool *kept;
    struct hub_conflict_found *conflicts;
    size_t conflict_count;
};

/* What the same voices came to before, by the same rules and nobody's choices, when each but one said what it
 * says. */
struct hub_merge_before {
    const bool *same; /* per field: that one, too */
    size_t voice;     /* that one, and when its event was then: */
    bool had_event_time;
    int64_t event_time_ms;
    struct hub_bytes value;
    const uint32_t *starts;
    const int *sources;
    const bool *settled;
};

/* What an entity is merged from: one or more voices. */
struct hub_merge_input {
    const struct hub_domain *domain;
    const struct hub_voice *voices;
    size_t voice_count;
    const struct hub_choice *choices;
    size_t choice_count;
    const struct hub_merge_before *before; /* where there are no choices: what need not be merged again is taken
                                              from there. NULL: nothing is known */
};

/* Everything in the result lives in the arena. */
void hub_merge(const struct hub_merge_input *input, struct hub_arena *arena,
               struct hub_merged *ret_merged);

/* A rule in words people read: "authority of system:ctis, role:sponsor, and nobody else", "latest". */
void hub_merge_rule_append(const struct hub_field_contract *contract, size_t rule,
                           struct hub_buffer *text);

/* Why one statement's value of a top-level field came before another's: the rule in words, with its
 * place in the chain ("rule 1 of 2: authority of system:ctis", "rank of the system"). */
const char *hub_merge_reason(const struct hub_domain *domain, const struct hub_voice *voices,
                             size_t voice_count, size_t field, size_t winner, size_t loser,
                             struct hub_arena *arena);
