#include "hub/core/identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NO_VALUE = UINT32_MAX };

struct clustering {
    const struct hub_identity_node *nodes;
    size_t node_count;
    const struct hub_identity_decision *decisions;
    size_t decision_count;
    uint32_t identifier_count;
    uint32_t scheme_group_count; /* groups of exclusive schemes */
    uint32_t group_count;        /* and after these one group for each pair decided to be apart */
    struct hub_arena *arena;
    size_t *parent;   /* union-find; the root is the smallest node */
    size_t *size;     /* of a root */
    uint32_t **values; /* of a root: the identifier of each exclusive group, or NO_VALUE */
    struct hub_identity_edge *edges;
    size_t edge_count;
    struct hub_refused_edge *refused;
    size_t refused_count;
};

/* --- union-find over nodes --- */

static size_t root_of(size_t *parent, size_t node) {
    while (parent[node] != node)
        node = parent[node] = parent[parent[node]];
    return node;
}

static void join(size_t *parent, size_t a, size_t b) {
    a = root_of(parent, a);
    b = root_of(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

/* The first group in which two sets of exclusive values contradict each other; the group count for
 * none. */
static uint32_t find_clash(const struct clustering *clustering, const uint32_t *a,
                           const uint32_t *b) {
    uint32_t group = 0;
    while (group < clustering->group_count &&
           (a[group] == NO_VALUE || b[group] == NO_VALUE || a[group] == b[group]))
        group++;
    return group;
}

static bool clash(const struct clustering *clustering, const uint32_t *a, const uint32_t *b) {
    return find_clash(clustering, a, b) < clustering->group_count;
}

static void add_values(const struct clustering *clustering, uint32_t *into, const uint32_t *from) {
    for (uint32_t group = 0; group < clustering->group_count; group++)
        if (from[group] != NO_VALUE)
            into[group] = from[group];
}

/* --- decisions --- */

/* What stands for the numbers that decisions make one: of each set of statements decided to be the
 * same, all values of an exclusive group. By identifier. */
static uint32_t *unify_values(const struct clustering *clustering) {
    struct hub_arena *arena = clustering->arena;
    size_t count = clustering->node_count;
    size_t *same = hub_arena_take(arena, (count + 1) * sizeof *same);
    size_t *unified =
        hub_arena_take(arena, (clustering->identifier_count + (size_t)1) * sizeof *unified);
    uint32_t *result =
        hub_arena_take(arena, (clustering->identifier_count + (size_t)1) * sizeof *result);
    for (size_t i = 0; i < count; i++)
        same[i] = i;
    for (size_t i = 0; i < clustering->identifier_count; i++)
        unified[i] = i;
    for (size_t i = 0; i < clustering->decision_count; i++)
        if (clustering->decisions[i].same)
            join(same, clustering->decisions[i].a, clustering->decisions[i].b);
    uint32_t *first = hub_arena_take(
        arena, (count * clustering->scheme_group_count + 1) * sizeof *first);
    memset(first, 0xff, (count * clustering->scheme_group_count + 1) * sizeof *first);
    for (size_t i = 0; i < count; i++) {
        const struct hub_identity_node *node = &clustering->nodes[i];
        for (size_t k = 0; k < node->claim_count; k++) {
            const struct hub_identity_claim *claim = &node->claims[k];
            uint32_t *known =
                &first[root_of(same, i) * clustering->scheme_group_count + claim->group];
            if (claim->exclusive && *known == NO_VALUE)
                *known = claim->identifier;
            else if (claim->exclusive)
                join(unified, *known, claim->identifier);
        }
    }
    for (uint32_t i = 0; i < clustering->identifier_count; i++)
        result[i] = (uint32_t)root_of(unified, i);
    return result;
}

/* Two statements decided to be apart have two values of a group of their own. */
static void part_values(struct clustering *clustering) {
    uint32_t group = clustering->scheme_group_count;
    for (size_t i = 0; i < clustering->decision_count; i++) {
        const struct hub_identity_decision *decision = &clustering->decisions[i];
        if (decision->same)
            continue;
        clustering->values[decision->a][group] = 0;
        clustering->values[decision->b][group++] = 1;
    }
}

static void start_clusters(struct clustering *clustering) {
    struct hub_arena *arena = clustering->arena;
    size_t count = clustering->node_count;
    const uint32_t *unified = clustering->decision_count == 0 ? NULL : unify_values(clustering);
    clustering->parent = hub_arena_take(arena, count * sizeof *clustering->parent);
    clustering->size = hub_arena_take(arena, count * sizeof *clustering->size);
    clustering->values = hub_arena_take(arena, count * sizeof *clustering->values);
    for (size_t i = 0; i < count; i++) {
        const struct hub_identity_node *node = &clustering->nodes[i];
        uint32_t *values = hub_arena_take(arena, clustering->group_count * sizeof *values);
        for (uint32_t group = 0; group < clustering->group_count; group++)
            values[group] = NO_VALUE;
        for (size_t k = 0; k < node->claim_count; k++)
            if (node->claims[k].exclusive)
                values[node->claims[k].group] = unified == NULL
                                                    ? node->claims[k].identifier
                                                    : unified[node->claims[k].identifier];
        clustering->parent[i] = i;
        clustering->size[i] = 1;
        clustering->values[i] = values;
    }
    part_values(clustering);
}

/* --- edges --- */

struct occurrence {
    uint32_t identifier;
    uint16_t strength;
    size_t node;
};

static int compare_occurrences(const void *a, const void *b) {
    const struct occurrence *x = a, *y = b;
    if (x->identifier != y->identifier)
        return x->identifier < y->identifier ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static int compare_pairs(const void *a, const void *b) {
    const struct hub_identity_edge *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    if (x->decided != y->decided)
        return y->decided - x->decided;
    if (x->strength != y->strength)
        return x->strength - y->strength;
    return (x->identifier > y->identifier) - (x->identifier < y->identifier);
}

/* Strongest class first; the pair itself only makes the order total. */
static int compare_classes(const struct hub_identity_edge *x, const struct hub_identity_edge *y) {
    if (x->decided != y->decided)
        return y->decided - x->decided;
    if (x->strength != y->strength)
        return x->strength - y->strength;
    if (x->shared != y->shared)
        return y->shared - x->shared;
    return y->two_systems - x->two_systems;
}

static int compare_edges(const void *a, const void *b) {
    int order = compare_classes(a, b);
    return order != 0 ? order : compare_pairs(a, b);
}

static size_t list_occurrences(const struct clustering *clustering,
                               struct occurrence **ret_occurrences) {
    size_t count = 0, filled = 0;
    for (size_t i = 0; i < clustering->node_count; i++)
        count += clustering->nodes[i].claim_count;
    struct occurrence *list = hub_arena_take(clustering->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < clustering->node_count; i++)
        for (size_t k = 0; k < clustering->nodes[i].claim_count; k++) {
            const struct hub_identity_claim *claim = &clustering->nodes[i].claims[k];
            list[filled++] = (struct occurrence){claim->identifier, claim->strength, i};
        }
    qsort(list, count, sizeof *list, compare_occurrences);
    *ret_occurrences = list;
    return count;
}

static size_t run_end(const struct occurrence *list, size_t from, size_t count) {
    size_t to = from + 1;
    while (to < count && list[to].identifier == list[from].identifier)
        to++;
    return to;
}

static struct hub_identity_edge decided_edge(const struct hub_identity_decision *decision) {
    bool ordered = decision->a < decision->b;
    return (struct hub_identity_edge){.a = ordered ? decision->a : decision->b,
                                      .b = ordered ? decision->b : decision->a,
                                      .decided = true,
                                      .identifier = HUB_IDENTIFIER_NONE};
}

/* One edge a pair of statements, with what they share; identifiers over the degree cap make none. */
static void list_edges(struct clustering *clustering) {
    struct occurrence *list = NULL;
    size_t count = list_occurrences(clustering, &list), filled = 0, kept = 0;
    size_t room = clustering->decision_count;
    for (size_t from = 0, to; from < count; from = to) {
        to = run_end(list, from, count);
        if (to - from <= HUB_IDENTIFIER_DEGREE_MAX)
            room += (to - from) * (to - from - 1) / 2;
    }
    struct hub_identity_edge *edges =
        hub_arena_take(clustering->arena, (room + 1) * sizeof *edges);
    for (size_t from = 0, to; from < count; from = to) {
        to = run_end(list, from, count);
        for (size_t i = from; to - from <= HUB_IDENTIFIER_DEGREE_MAX && i < to; i++)
            for (size_t k = i + 1; k < to; k++)
                edges[filled++] =
                    (struct hub_identity_edge){.a = list[i].node,
                                               .b = list[k].node,
                                               .strength = list[i].strength,
                                               .shared = 1,
                                               .identifier = list[i].identifier};
    }
    for (size_t i = 0; i < clustering->decision_count; i++)
        if (clustering->decisions[i].same)
            edges[filled++] = decided_edge(&clustering->decisions[i]);
    qsort(edges, filled, sizeof *edges, compare_pairs);
    for (size_t i = 0; i < filled; i++) {
        bool same = kept > 0 && edges[kept - 1].a == edges[i].a && edges[kept - 1].b == edges[i].b;
        if (same && !edges[kept - 1].decided)
            edges[kept - 1].shared++; /* the first one is the strongest */
        else if (!same)
            edges[kept++] = edges[i];
    }
    for (size_t i = 0; i < kept; i++)
        edges[i].two_systems = clustering->nodes[edges[i].a].system !=
                               clustering->nodes[edges[i].b].system;
    qsort(edges, kept, sizeof *edges, compare_edges);
    clustering->edges = edges;
    clustering->edge_count = kept;
}

/* --- one class of edges --- */

static void refuse(struct clustering *clustering, struct hub_identity_edge *edge,
                   enum hub_refusal refusal, uint32_t group) {
    edge->refused = true;
    clustering->refused[clustering->refused_count++] =
        (struct hub_refused_edge){edge->a, edge->b, edge->identifier, refusal, group};
}

/* First the edges that contradict by themselves. */
static void refuse_clashes(struct clustering *clustering, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        struct hub_identity_edge *edge = &clustering->edges[i];
        size_t a = root_of(clustering->parent, edge->a), b = root_of(clustering->parent, edge->b);
        uint32_t group =
            find_clash(clustering, clustering->values[a], clustering->values[b]);
        if (a == b || group == clustering->group_count)
            continue;
        if (group < clustering->scheme_group_count)
            refuse(clustering, edge, HUB_REFUSED_EXCLUSIVE, group);
        else
            refuse(clustering, edge, HUB_REFUSED_APART, HUB_GROUP_NONE);
    }
}

/* What the class would build if all of its remaining edges were taken together. */
struct proposal {
    size_t *parent; /* a union-find of its own, over roots */
    bool *torn;     /* of a root: its parts contradict each other */
    size_t *size;
    uint32_t **values;
};

static void propose(struct clustering *clustering, size_t from, size_t to,
                    struct proposal *ret_proposal) {
    struct hub_arena *arena = clustering->arena;
    size_t count = clustering->node_count;
    struct proposal proposal = {.parent = hub_arena_take(arena, count * sizeof *proposal.parent),
                                .torn = hub_arena_take_zero(arena, count, sizeof(bool)),
                                .size = hub_arena_take_zero(arena, count, sizeof(size_t)),
                                .values = hub_arena_take_zero(arena, count, sizeof(uint32_t *))};
    memcpy(proposal.parent, clustering->parent, count * sizeof *proposal.parent);
    for (size_t i = from; i < to; i++)
        if (!clustering->edges[i].refused)
            join(proposal.parent, clustering->edges[i].a, clustering->edges[i].b);
    for (size_t i = 0; i < count; i++) {
        if (root_of(clustering->parent, i) != i)
            continue;
        size_t root = root_of(proposal.parent, i);
        if (proposal.values[root] == NULL) {
            proposal.values[root] =
                hub_arena_take(arena, clustering->group_count * sizeof(uint32_t));
            memset(proposal.values[root], 0xff, clustering->group_count * sizeof(uint32_t));
        }
        proposal.torn[root] |= clash(clustering, proposal.values[root], clustering->values[i]);
        add_values(clustering, proposal.values[root], clustering->values[i]);
        proposal.size[root] += clustering->size[i];
    }
    *ret_proposal = proposal;
}

static void accept(struct clustering *clustering, struct hub_identity_edge *edge) {
    size_t a = root_of(clustering->parent, edge->a), b = root_of(clustering->parent, edge->b);
    if (a == b)
        return;
    size_t root = a < b ? a : b, other = a < b ? b : a;
    edge->joined = true;
    join(clustering->parent, a, b);
    clustering->size[root] += clustering->size[other];
    add_values(clustering, clustering->values[root], clustering->values[other]);
}

/* Two parts that contradict each other could both be joined to what lies between them: the tie
 * joins neither. */
static void take_class(struct clustering *clustering, size_t from, size_t to) {
    struct proposal proposal;
    refuse_clashes(clustering, from, to);
    propose(clustering, from, to, &proposal);
    for (size_t i = from; i < to; i++) {
        struct hub_identity_edge *edge = &clustering->edges[i];
        if (edge->refused)
            continue;
        bool apart = root_of(clustering->parent, edge->a) != root_of(clustering->parent, edge->b);
        size_t root = root_of(proposal.parent, edge->a);
        if (apart && proposal.torn[root])
            refuse(clustering, edge, HUB_REFUSED_TIE, HUB_GROUP_NONE);
        else if (apart && proposal.size[root] > HUB_CLUSTER_SIZE_MAX)
            refuse(clustering, edge, HUB_REFUSED_TOO_MANY, HUB_GROUP_NONE);
    }
    for (size_t i = from; i < to; i++)
        if (!clustering->edges[i].refused)
            accept(clustering, &clustering->edges[i]);
}

void hub_identity_cluster(const struct hub_identity_bucket *bucket, struct hub_arena *arena,
                          struct hub_identity_result *ret_result) {
    struct clustering clustering = {.nodes = bucket->nodes,
                                    .node_count = bucket->node_count,
                                    .decisions = bucket->decisions,
                                    .decision_count = bucket->decision_count,
                                    .identifier_count = bucket->identifier_count,
                                    .scheme_group_count = bucket->group_count,
                                    .group_count = bucket->group_count,
                                    .arena = arena};
    size_t node_count = bucket->node_count;
    for (size_t i = 0; i < bucket->decision_count; i++)
        clustering.group_count += !bucket->decisions[i].same;
    start_clusters(&clustering);
    list_edges(&clustering);
    clustering.refused =
        hub_arena_take(arena, (clustering.edge_count + 1) * sizeof *clustering.refused);
    for (size_t from = 0, to; from < clustering.edge_count; from = to) {
        for (to = from; to < clustering.edge_count &&
                        compare_classes(&clustering.edges[from], &clustering.edges[to]) == 0;)
            to++;
        take_class(&clustering, from, to);
    }
    size_t *clusters = hub_arena_take(arena, (node_count + 1) * sizeof *clusters), kept = 0;
    for (size_t i = 0; i < node_count; i++)
        clusters[i] = root_of(clustering.parent, i);
    for (size_t i = 0; i < clustering.refused_count; i++) {
        struct hub_refused_edge edge = clustering.refused[i];
        if (clusters[edge.a] != clusters[edge.b])
            clustering.refused[kept++] = edge;
    }
    *ret_result = (struct hub_identity_result){clusters, clustering.refused, kept,
                                               clustering.edges, clustering.edge_count};
}
