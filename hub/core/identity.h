/* Which statements are about the same thing.
 *
 * Statements and identifiers form a graph. Edges are taken by the strength of the best identifier
 * shared, then the number of identifiers shared, then whether two systems say so rather than one.
 * An edge that would give one entity two values of an exclusive scheme is refused. Where several
 * edges of one class are each possible but not together, none of them is taken: an equal tie joins
 * neither. So the clusters are a function of the set of statements: neither the order of arrival
 * nor the names of keys plays a part.
 *
 * A person's decision comes before all edges: statements decided to be the same are joined first,
 * whatever numbers they have, and those numbers count as one; statements decided to be apart are
 * never in one cluster. Decisions that contradict each other are a tie. */
#pragma once

#include "hub/base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* An identifier that more statements share than this joins none of them. */
    HUB_IDENTIFIER_DEGREE_MAX = 64,
    /* An entity of more statements than this is not built. */
    HUB_CLUSTER_SIZE_MAX = 64,
};

struct hub_identity_claim {
    uint32_t identifier; /* dense number within the bucket */
    uint32_t group;      /* dense number of (scheme, issuer) within the bucket */
    uint16_t strength;   /* best 0 */
    bool exclusive;
};

struct hub_identity_node {
    const struct hub_identity_claim *claims;
    size_t claim_count;
    uint32_t system; /* equal numbers, equal system */
};

/* What a person decided about two nodes. */
struct hub_identity_decision {
    size_t a, b;
    bool same;
};

enum { HUB_IDENTIFIER_NONE = UINT32_MAX };

enum hub_refusal {
    HUB_REFUSED_EXCLUSIVE = 0,
    HUB_REFUSED_TIE,
    HUB_REFUSED_TOO_MANY,
    HUB_REFUSED_APART, /* a person decided so */
};

enum { HUB_GROUP_NONE = UINT32_MAX };

/* A pair of statements that share an identifier and were not joined. */
struct hub_refused_edge {
    size_t a, b; /* nodes, a < b */
    uint32_t identifier; /* the strongest one they share; NONE where only a decision joined them */
    enum hub_refusal refusal;
    uint32_t group; /* EXCLUSIVE: a group of which their clusters had two values; else NONE */
};

/* A pair of statements that share an identifier, or that a person decided to be the same. */
struct hub_identity_edge {
    size_t a, b; /* nodes, a < b */
    bool decided;      /* by a person: before all others */
    uint16_t strength; /* of the strongest identifier they share */
    uint16_t shared;   /* identifiers in common */
    bool two_systems;
    bool refused;
    bool joined; /* it put two clusters together; else they were one already, or it is refused */
    uint32_t identifier; /* the strongest one they share, or NONE */
};

struct hub_identity_result {
    size_t *clusters; /* per node: the smallest node of its cluster */
    struct hub_refused_edge *refused; /* only pairs that ended in different clusters */
    size_t refused_count;
    const struct hub_identity_edge *edges; /* all, in the order in which they were taken */
    size_t edge_count;
};

/* One bucket. The counts bound the dense numbers. */
struct hub_identity_bucket {
    const struct hub_identity_node *nodes;
    size_t node_count;
    uint32_t identifier_count, group_count;
    const struct hub_identity_decision *decisions; /* at most one for a pair */
    size_t decision_count;
};

/* Clusters a bucket. Everything in the arena. */
void hub_identity_cluster(const struct hub_identity_bucket *bucket, struct hub_arena *arena,
                          struct hub_identity_result *ret_result);
