/* Buckets: which statements hang together by identifiers, and which entity each belongs to. */
#include "hub/stages/fold_state.h"

#include "hub/core/identity.h"

#include <string.h>

/* --- the region a change can reach --- */

struct region {
    struct hub_fold *fold;
    struct hub_arena *arena;
    struct fold_statement **items;
    size_t count, capacity;
    size_t mark;
};

static void reach(struct region *region, struct fold_statement *statement) {
    if (statement->mark == region->mark || !statement->in_force)
        return;
    statement->mark = region->mark;
    HUB_GROW_IN(region->arena, region->items, region->count, region->capacity);
    region->items[region->count++] = statement;
}

/* Beyond twice the cap an identifier joined nothing before this step and joins nothing after. */
static void reach_holders(struct region *region, const struct fold_identifier *identifier,
                          size_t degree_max) {
    fold_identifier_wake_holders(region->fold, identifier);
    for (size_t i = 0; identifier->count <= degree_max && i < identifier->count; i++)
        reach(region, identifier->statements[i]);
}

static void reach_members(struct region *region, const struct fold_entity *entity) {
    for (size_t i = 0; entity != NULL && i < entity->member_count; i++)
        reach(region, entity->members[i]);
}

/* Through identifiers, through what was decided to be the same, and through ids: where a founding statement comes back, its id goes to it,
 * and the others that have it meanwhile need another. */
static void spread(struct region *region) {
    for (size_t i = 0; i < region->count; i++) {
        struct fold_statement *statement = region->items[i];
        reach_members(region, statement->entity);
        reach_members(region, fold_statement_founded(region->fold, statement));
        for (size_t k = 0; k < statement->pair_count; k++)
            if (statement->pairs[k].same && fold_pair_counts(statement, k))
                reach(region, statement->pairs[k].other);
        for (size_t k = 0; k < statement->claim_count; k++) {
            struct fold_identifier *identifier = statement->claims[k];
            if (identifier->mark == region->mark)
                continue;
            identifier->mark = region->mark;
            reach_holders(region, identifier, HUB_IDENTIFIER_DEGREE_MAX);
        }
    }
    if (region->count > 0)
        qsort(region->items, region->count, sizeof(struct fold_statement *),
              fold_statement_compare);
}

/* --- clustering a region --- */

struct clustered {
    struct fold_statement **statements; /* sorted by key */
    size_t count;
    size_t *clusters; /* per statement: index of the first statement of its cluster */
    struct hub_refused_edge *refused;
    size_t refused_count;
    struct fold_identifier **identifiers; /* by dense number */
};

struct numbering {
    struct hub_arena *arena;
    struct fold_identifier **identifiers;
    size_t count, capacity;
    struct hub_bytes *groups;
    size_t group_count, group_capacity;
};

static uint32_t number_group(struct numbering *numbering, struct hub_bytes group) {
    for (size_t i = 0; i < numbering->group_count; i++)
        if (hub_bytes_equal(numbering->groups[i], group))
            return (uint32_t)i;
    HUB_GROW_IN(numbering->arena, numbering->groups, numbering->group_count,
                numbering->group_capacity);
    numbering->groups[numbering->group_count] = group;
    return (uint32_t)numbering->group_count++;
}

static uint32_t number_identifier(struct numbering *numbering, struct fold_identifier *identifier,
                                  size_t mark) {
    if (identifier->mark != mark) {
        identifier->mark = mark;
        identifier->number = (uint32_t)numbering->count;
        HUB_GROW_IN(numbering->arena, numbering->identifiers, numbering->count,
                    numbering->capacity);
        numbering->identifiers[numbering->count++] = identifier;
    }
    return identifier->number;
}

static struct hub_identity_node make_node(struct numbering *numbering, size_t mark,
                                          const struct fold_statement *statement,
                                          const struct hub_fold *fold, struct hub_arena *arena) {
    struct hub_identity_claim *claims =
        hub_arena_take(arena, (statement->claim_count + 1) * sizeof *claims);
    for (size_t i = 0; i < statement->claim_count; i++) {
        struct fold_identifier *identifier = statement->claims[i];
        claims[i] = (struct hub_identity_claim){
            number_identifier(numbering, identifier, mark),
            number_group(numbering, hub_bytes(identifier->text, identifier->group_size)),
            identifier->strength,
            identifier->exclusive};
    }
    return (struct hub_identity_node){claims, statement->claim_count,
                                      fold_statement_system(fold, statement)};
}

/* What was decided about pairs within the region; each pair once. */
static struct hub_identity_decision *list_decisions(const struct region *region,
                                                    struct hub_arena *arena, size_t *ret_count) {
    size_t room = 0, count = 0;
    for (size_t i = 0; i < region->count; i++) {
        region->items[i]->number = i;
        room += region->items[i]->pair_count;
    }
    struct hub_identity_decision *decisions = hub_arena_take(arena, (room + 1) * sizeof *decisions);
    for (size_t i = 0; room > 0 && i < region->count; i++)
        for (size_t k = 0; k < region->items[i]->pair_count; k++) {
            const struct fold_pair *pair = &region->items[i]->pairs[k];
            if (pair->other->mark == region->mark && pair->other->number > i &&
                fold_pair_counts(region->items[i], k))
                decisions[count++] =
                    (struct hub_identity_decision){i, pair->other->number, pair->same};
        }
    *ret_count = count;
    return decisions;
}

static void cluster(struct fold_step *step, const struct region *region,
                    struct clustered *ret_clustered) {
    struct numbering numbering = {.arena = step->arena};
    struct hub_identity_result result;
    size_t mark = ++step->fold->marks;
    struct hub_identity_node *nodes =
        hub_arena_take(step->arena, (region->count + 1) * sizeof *nodes);
    for (size_t i = 0; i < region->count; i++)
        nodes[i] = make_node(&numbering, mark, region->items[i], step->fold, step->arena);
    struct hub_identity_bucket bucket = {.nodes = nodes,
                                         .node_count = region->count,
                                         .identifier_count = (uint32_t)numbering.count,
                                         .group_count = (uint32_t)numbering.group_count};
    bucket.decisions = list_decisions(region, step->arena, &bucket.decision_count);
    hub_identity_cluster(&bucket, step->arena, &result);
    *ret_clustered = (struct clustered){region->items,  region->count,        result.clusters,
                                        result.refused, result.refused_count, numbering.identifiers};
}

/* --- ids --- */

/* The ids that the region knows, each with the cluster that it belongs to now. */
struct claimant {
    struct fold_entity *entity;
    size_t cluster; /* SIZE_MAX: no statement of it is in force */
};

struct claimants {
    struct claimant *items;
    size_t count, capacity;
    size_t mark;
};

static size_t cluster_of(const struct clustered *clustered, const struct fold_statement *wanted) {
    for (size_t i = 0; i < clustered->count; i++)
        if (clustered->statements[i] == wanted)
            return clustered->clusters[i];
    return SIZE_MAX;
}

/* An id belongs where its founding statement is, and goes with it to another shard; where that one
 * is gone, where its oldest other statement is. */
static size_t home_of(const struct clustered *clustered, const struct fold_step *step,
                      const struct fold_entity *entity) {
    const struct fold_statement *founder = fold_statement_find(step->fold, entity->founder);
    if (founder != NULL && founder == step->moved)
        return SIZE_MAX;
    if (founder != NULL && founder->in_force)
        return cluster_of(clustered, founder);
    const struct fold_statement *oldest = NULL;
    for (size_t i = 0; i < entity->member_count; i++) {
        const struct fold_statement *member = entity->members[i];
        if (member->in_force &&
            (oldest == NULL || member->first_offset < oldest->first_offset))
            oldest = member;
    }
    return oldest == NULL ? SIZE_MAX : cluster_of(clustered, oldest);
}

static void add_claimant(struct claimants *claimants, const struct clustered *clustered,
                         const struct fold_step *step, struct fold_entity *entity) {
    if (entity == NULL || entity->mark == claimants->mark)
        return;
    entity->mark = claimants->mark;
    HUB_GROW_IN(step->arena, claimants->items, claimants->count, claimants->capacity);
    claimants->items[claimants->count++] =
        (struct claimant){entity, home_of(clustered, step, entity)};
}

static int compare_claimants(const void *a, const void *b) {
    const struct claimant *x = a, *y = b;
    if (x->cluster != y->cluster)
        return x->cluster < y->cluster ? -1 : 1;
    if (x->entity->founded_offset != y->entity->founded_offset)
        return x->entity->founded_offset < y->entity->founded_offset ? -1 : 1;
    return strcmp(x->entity->id, y->entity->id);
}

static struct claimants list_claimants(struct fold_step *step, const struct clustered *clustered,
                                       struct fold_entity *also) {
    struct hub_fold *fold = step->fold;
    struct claimants claimants = {.mark = ++fold->marks};
    add_claimant(&claimants, clustered, step, also);
    if (step->moved != NULL)
        add_claimant(&claimants, clustered, step, fold_statement_founded(fold, step->moved));
    for (size_t i = 0; i < clustered->count; i++) {
        struct fold_statement *statement = clustered->statements[i];
        add_claimant(&claimants, clustered, step, statement->entity);
        add_claimant(&claimants, clustered, step, fold_statement_founded(fold, statement));
    }
    if (claimants.count > 0)
        qsort(claimants.items, claimants.count, sizeof *claimants.items, compare_claimants);
    return claimants;
}

/* The statements of one cluster, sorted by key. */
static struct fold_statement **list_members(const struct clustered *clustered, size_t cluster,
                                            struct hub_arena *arena, size_t *ret_count) {
    struct fold_statement **members = hub_arena_take(arena, clustered->count * sizeof *members);
    size_t count = 0;
    for (size_t i = cluster; i < clustered->count; i++)
        if (clustered->clusters[i] == cluster)
            members[count++] = clustered->statements[i];
    *ret_count = count;
    return members;
}

static bool same_members(const struct fold_entity *entity, struct fold_statement *const *members,
                         size_t count) {
    if (entity->kind != FOLD_ACTIVE || entity->member_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (entity->members[i] != members[i])
            return false;
    return true;
}

static struct fold_entity *mint(struct fold_step *step, struct fold_statement *const *members,
                                size_t count) {
    struct fold_statement *oldest = members[0];
    for (size_t i = 1; i < count; i++)
        if (members[i]->first_offset < oldest->first_offset)
            oldest = members[i];
    oldest->founded = fold_entity_add(step->fold, fold_statement_founds(step->fold, oldest),
                                      oldest->key, oldest->first_offset);
    oldest->looked_up = true;
    return oldest->founded;
}

/* Gives the cluster to its oldest id; the others become redirects to it. */
static void settle_cluster(struct fold_step *step, const struct clustered *clustered,
                           size_t cluster, const struct claimant *claimants, size_t count) {
    size_t member_count = 0;
    struct fold_statement **members =
        list_members(clustered, cluster, step->arena, &member_count);
    bool fresh = count == 0, from_split = false;
    struct fold_entity *survivor = fresh ? mint(step, members, member_count)
                                         : claimants[0].entity;
    for (size_t i = 0; i < member_count; i++)
        from_split |= members[i]->entity != NULL && members[i]->entity != survivor;
    if (!same_members(survivor, members, member_count)) {
        struct fold_change *change = fold_change_of(step, survivor);
        bool revived = !fresh && survivor->kind != FOLD_ACTIVE;
        change->remerge = change->publish = true;
        change->event = (fresh || revived) && from_split ? FOLD_EVENT_SPLIT
                        : fresh                          ? FOLD_EVENT_REGISTERED
                                                         : FOLD_EVENT_UPDATED;
        fold_entity_set_kind(step->fold, survivor, FOLD_ACTIVE, NULL);
        fold_entity_set_members(survivor, members, member_count);
    }
    for (size_t i = 1; i < count; i++) {
        struct fold_entity *other = claimants[i].entity;
        if (other->kind == FOLD_MERGED && strcmp(other->into, survivor->id) == 0)
            continue;
        struct fold_change *change = fold_change_of(step, other);
        change->publish = true;
        change->event = FOLD_EVENT_MERGED;
        fold_entity_set_kind(step->fold, other, FOLD_MERGED, survivor->id);
        fold_entity_set_members(other, NULL, 0);
    }
}

/* An entity that has no statements here any more, or whose id goes with the founder. */
static void retire(struct fold_step *step, struct fold_entity *entity) {
    struct fold_change *change = fold_change_of(step, entity);
    struct hub_bytes moved_to = hub_input_header(step->entry, "hub_moved_to");
    change->publish = true;
    bool moved = step->moved != NULL;
    change->event = moved ? FOLD_EVENT_MOVED : FOLD_EVENT_WITHDRAWN;
    const char *into =
        moved ? hub_arena_text(step->arena, (const char *)moved_to.data, moved_to.size) : NULL;
    fold_entity_set_kind(step->fold, entity, moved ? FOLD_MOVED : FOLD_WITHDRAWN, into);
    fold_entity_set_members(entity, NULL, 0);
}

static void settle(struct fold_step *step, const struct clustered *clustered,
                   struct fold_entity *also) {
    struct claimants claimants = list_claimants(step, clustered, also);
    for (size_t cluster = 0; cluster < clustered->count; cluster++) {
        if (clustered->clusters[cluster] != cluster)
            continue;
        size_t from = 0;
        while (from < claimants.count && claimants.items[from].cluster != cluster)
            from++;
        size_t to = from;
        while (to < claimants.count && claimants.items[to].cluster == cluster)
            to++;
        settle_cluster(step, clustered, cluster, claimants.items + from, to - from);
    }
    for (size_t i = 0; i < claimants.count; i++)
        if (claimants.items[i].cluster == SIZE_MAX)
            retire(step, claimants.items[i].entity);
}

/* --- possible matches from what was refused --- */

static void report_refusals(struct fold_step *step, const struct clustered *clustered) {
    size_t count = clustered->refused_count;
    struct fold_evidence *evidence = hub_arena_take(step->arena, (count + 1) * sizeof *evidence);
    size_t *pairs = hub_arena_take(step->arena, (2 * count + 1) * sizeof *pairs);
    struct fold_entity **entities =
        hub_arena_take(step->arena, (clustered->count + 1) * sizeof *entities);
    static const enum fold_evidence_kind kinds[] = {
        FOLD_EVIDENCE_EXCLUSIVE, FOLD_EVIDENCE_TIE, FOLD_EVIDENCE_TOO_MANY};
    size_t told = 0;
    for (size_t i = 0; i < clustered->count; i++)
        entities[i] = clustered->statements[i]->entity;
    for (size_t i = 0; i < count; i++) {
        const struct hub_refused_edge *edge = &clustered->refused[i];
        if (edge->refusal == HUB_REFUSED_APART) /* nobody has to be asked again */
            continue;
        evidence[told] = (struct fold_evidence){
            kinds[edge->refusal],
            edge->identifier == HUB_IDENTIFIER_NONE
                ? hub_arena_format(step->arena, "decisions that contradict each other")
                : clustered->identifiers[edge->identifier]->text,
            {clustered->statements[edge->a]->key, clustered->statements[edge->b]->key}};
        pairs[2 * told] = edge->a;
        pairs[2 * told + 1] = edge->b;
        told++;
    }
    fold_match_of_refusals(step, entities, clustered->count, evidence, pairs, told);
}

/* `changed` is the statement whose claims are no longer what they were, or NULL. */
static void recluster_region(struct fold_step *step, struct region *region,
                             struct fold_entity *also, const struct fold_statement *changed) {
    struct clustered clustered;
    spread(region);
    for (size_t i = 0; i < region->count; i++)
        fold_listing_touch(step, region->items[i], changed);
    cluster(step, region, &clustered);
    settle(step, &clustered, also);
    report_refusals(step, &clustered);
}

void fold_bucket_recluster(struct fold_step *step, struct fold_statement *statement) {
    struct hub_fold *fold = step->fold;
    struct region region = {.fold = fold, .arena = step->arena, .mark = ++fold->marks};
    struct fold_entity *was_in = statement->entity;
    /* Seeds: what hung together with the statement before, and what does so now. */
    reach_members(&region, was_in);
    if (step->moved != NULL)
        reach_members(&region, fold_statement_founded(fold, statement));
    for (size_t i = 0; i < statement->claim_count; i++)
        reach_holders(&region, statement->claims[i], 2 * HUB_IDENTIFIER_DEGREE_MAX);
    fold_near_touch_crowds(step, statement);
    fold_listing_touch(step, statement, NULL);
    fold_identifier_drop(fold, statement);
    if (statement->in_force) {
        fold_identifier_index(fold, statement, step->arena);
        fold_near_touch_crowds(step, statement);
        reach(&region, statement);
        for (size_t i = 0; i < statement->claim_count; i++)
            reach_holders(&region, statement->claims[i], 2 * HUB_IDENTIFIER_DEGREE_MAX);
    } else {
        statement->entity = NULL;
    }
    recluster_region(step, &region, was_in, statement);
}

void fold_bucket_recluster_all(struct fold_step *step, struct fold_statement *const *statements,
                               size_t count) {
    struct region region = {
        .fold = step->fold, .arena = step->arena, .mark = ++step->fold->marks};
    for (size_t i = 0; i < count; i++) {
        reach_members(&region, statements[i]->entity);
        reach(&region, statements[i]);
    }
    recluster_region(step, &region, NULL, NULL);
}
