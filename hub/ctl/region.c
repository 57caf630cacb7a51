#include "hub/ctl/region.h"

#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <stdio.h>
#include <string.h>

enum { REGION_ENTITIES_MAX = 500 };

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* --- which entities --- */

/* Entities by the identifiers and the statements that they list; `taken` are indexes of records. */
struct reaching {
    const struct hub_ctl_explaining *explaining;
    struct hub_ctl_region *region;
    json_t *by_identifier, *by_statement; /* text: [index, ...] */
    json_t *taken;                        /* index as text: true */
    size_t *queue;
    size_t count, capacity;
};

static bool identifies(const struct hub_domain *domain, const json_t *identifier) {
    int scheme = hub_scheme_index(domain->schemes,
                                  hub_bytes_of_text(text_of(identifier, "scheme")));
    return scheme >= 0 && hub_domain_scheme_strength(domain, scheme) >= 0 &&
           strcmp(text_of(identifier, "relation"), "SELF") == 0;
}

static const char *name_identifier(struct reaching *reaching, const json_t *identifier) {
    return hub_arena_format(&reaching->region->voices.arena, "%s:%s:%s",
                            text_of(identifier, "scheme"), text_of(identifier, "issuer"),
                            text_of(identifier, "value"));
}

static void list_under(json_t *index, const char *text, size_t record) {
    json_t *list = json_object_get(index, text);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(index, text, list);
    }
    json_array_append_new(list, json_integer((json_int_t)record));
}

static void index_records(struct reaching *reaching) {
    size_t i, k;
    const json_t *record, *item;
    json_array_foreach(reaching->explaining->latest, i, record) {
        const json_t *unified = json_object_get(record, "value");
        const json_t *value = json_object_get(unified, "value");
        if (strcmp(text_of(unified, "kind"), "ACTIVE") != 0)
            continue;
        json_array_foreach(json_object_get(value, "identifiers"), k, item)
            if (identifies(reaching->explaining->domain, item))
                list_under(reaching->by_identifier, name_identifier(reaching, item), i);
        json_array_foreach(json_object_get(unified, "statements"), k, item)
            list_under(reaching->by_statement, text_of(item, "key"), i);
    }
}

static void reach(struct reaching *reaching, size_t record) {
    char text[32];
    const json_t *latest = reaching->explaining->latest;
    const json_t *partition =
        json_object_get(json_array_get(latest, record), "partition");
    snprintf(text, sizeof text, "%zu", record);
    if (json_object_get(reaching->taken, text) != NULL ||
        !json_equal(partition, json_object_get(reaching->explaining->record, "partition")))
        return;
    json_object_set_new(reaching->taken, text, json_true());
    HUB_GROW(reaching->queue, reaching->count, reaching->capacity);
    reaching->queue[reaching->count++] = record;
}

static void reach_all(struct reaching *reaching, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++)
        reach(reaching, (size_t)json_integer_value(json_array_get(list, i)));
}

static bool is_decided(const json_t *match) {
    const json_t *decision = json_object_get(match, "decision");
    const char *kind = text_of(decision, "kind");
    return strcmp(kind, "JOIN") == 0 || strcmp(kind, "SEPARATE") == 0;
}

/* The entities of all statements of a decision that names one of this entity. */
static void reach_decided(struct reaching *reaching, const char *statement) {
    static const char *const sides[] = {"statements", "others"};
    size_t i;
    const json_t *record;
    json_array_foreach(reaching->region->matches, i, record) {
        const json_t *match = json_object_get(record, "value");
        const json_t *decision = json_object_get(match, "decision");
        bool named = false;
        for (size_t side = 0; is_decided(match) && side < 2; side++)
            for (size_t k = 0; k < json_array_size(json_object_get(decision, sides[side])); k++)
                named |= strcmp(json_string_value(
                                    json_array_get(json_object_get(decision, sides[side]), k)),
                                statement) == 0;
        for (size_t side = 0; named && side < 2; side++)
            for (size_t k = 0; k < json_array_size(json_object_get(decision, sides[side])); k++)
                reach_all(reaching,
                          json_object_get(reaching->by_statement,
                                          json_string_value(json_array_get(
                                              json_object_get(decision, sides[side]), k))));
    }
}

static void spread(struct reaching *reaching) {
    for (size_t i = 0; i < reaching->count && reaching->count <= REGION_ENTITIES_MAX; i++) {
        const json_t *record = json_array_get(reaching->explaining->latest, reaching->queue[i]);
        const json_t *unified = json_object_get(record, "value"), *item;
        const json_t *value = json_object_get(unified, "value");
        size_t k;
        json_array_foreach(json_object_get(value, "identifiers"), k, item)
            if (identifies(reaching->explaining->domain, item))
                reach_all(reaching, json_object_get(reaching->by_identifier,
                                                    name_identifier(reaching, item)));
        json_array_foreach(json_object_get(unified, "statements"), k, item)
            reach_decided(reaching, text_of(item, "key"));
    }
}

static size_t index_of(const struct hub_ctl_explaining *explaining, const json_t *wanted) {
    size_t i = 0;
    while (json_array_get(explaining->latest, i) != wanted)
        i++;
    return i;
}

static bool read_region(const struct hub_ctl_explaining *explaining,
                        struct hub_ctl_region *region) {
    struct reaching reaching = {.explaining = explaining,
                                .region = region,
                                .by_identifier = json_object(),
                                .by_statement = json_object(),
                                .taken = json_object()};
    index_records(&reaching);
    reach(&reaching, index_of(explaining, explaining->record));
    if (explaining->other != NULL)
        reach(&reaching, index_of(explaining, explaining->other));
    spread(&reaching);
    bool good = reaching.count <= REGION_ENTITIES_MAX;
    if (!good)
        fprintf(stderr, "hubctl: more than %d entities hang together here\n", REGION_ENTITIES_MAX);
    for (size_t i = 0; good && i < reaching.count; i++)
        good = hub_ctl_voices_add(&region->voices,
                                  json_array_get(explaining->latest, reaching.queue[i]));
    json_decref(reaching.by_identifier);
    json_decref(reaching.by_statement);
    json_decref(reaching.taken);
    hub_release(reaching.queue);
    return good;
}

/* --- what they claim, and what was decided --- */

static size_t find_voice(const struct hub_ctl_region *region, const char *key) {
    size_t i = 0;
    while (i < region->voices.count && strcmp(region->voices.items[i].key, key) != 0)
        i++;
    return i;
}

static void decide(struct hub_ctl_region *region, const struct hub_ctl_decided *decided) {
    for (size_t i = 0; i < region->decided_count; i++) {
        struct hub_ctl_decided *known = &region->decided[i];
        if (known->a != decided->a || known->b != decided->b)
            continue;
        if (known->offset <= decided->offset)
            *known = *decided;
        return;
    }
    HUB_GROW(region->decided, region->decided_count, region->decided_capacity);
    region->decided[region->decided_count++] = *decided;
}

static void take_decision(struct hub_ctl_region *region, const json_t *match) {
    const json_t *decision = json_object_get(match, "decision"), *statement, *other;
    size_t i, k;
    json_array_foreach(json_object_get(decision, "statements"), i, statement)
        json_array_foreach(json_object_get(decision, "others"), k, other) {
            size_t a = find_voice(region, json_string_value(statement));
            size_t b = find_voice(region, json_string_value(other));
            if (a == b || a == region->voices.count || b == region->voices.count)
                continue;
            struct hub_ctl_decided decided = {
                .a = a < b ? a : b,
                .b = a < b ? b : a,
                .same = strcmp(text_of(decision, "kind"), "JOIN") == 0,
                .by = text_of(decision, "decided_by"),
                .reason = text_of(decision, "reason"),
                .subject = text_of(match, "match_id"),
                .offset = json_integer_value(json_object_get(decision, "offset"))};
            decide(region, &decided);
        }
}

/* Doubtful claims join nothing: without them. */
static size_t keep_sure(struct hub_claim *claims, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!claims[i].doubtful)
            claims[kept++] = claims[i];
    return kept;
}

static void read_claims(struct hub_ctl_region *region) {
    struct hub_arena *arena = &region->voices.arena;
    size_t count = region->voices.count;
    region->claims = hub_arena_take(arena, (count + 1) * sizeof *region->claims);
    region->claim_counts = hub_arena_take(arena, (count + 1) * sizeof *region->claim_counts);
    for (size_t i = 0; i < count; i++) {
        const struct hub_voice *voice = &region->voices.items[i];
        hub_claims_read(region->voices.domain,
                        hub_statement_field(voice->body, voice->starts, HUB_FIELD_IDENTIFIERS),
                        arena, &region->claims[i], &region->claim_counts[i]);
        region->claim_counts[i] = keep_sure(region->claims[i], region->claim_counts[i]);
    }
}

/* --- clustering --- */

static uint32_t number(const char **texts, size_t *count, struct hub_bytes text,
                       struct hub_arena *arena) {
    for (size_t i = 0; i < *count; i++)
        if (hub_bytes_equal_text(text, texts[i]))
            return (uint32_t)i;
    texts[*count] = hub_arena_text(arena, (const char *)text.data, text.size);
    return (uint32_t)(*count)++;
}

static struct hub_identity_node make_node(struct hub_ctl_region *region, size_t voice) {
    struct hub_arena *arena = &region->voices.arena;
    size_t count = 0;
    struct hub_identity_claim *claims =
        hub_arena_take(arena, (region->claim_counts[voice] + 1) * sizeof *claims);
    for (size_t i = 0; i < region->claim_counts[voice]; i++) {
        const struct hub_claim *claim = &region->claims[voice][i];
        if (claim->ambiguous)
            continue;
        claims[count++] = (struct hub_identity_claim){
            number(region->identifiers, &region->identifier_count, claim->text, arena),
            number(region->groups, &region->group_count, claim->group, arena),
            (uint16_t)claim->strength, claim->exclusive};
    }
    const struct hub_parties *parties = region->voices.domain->parties;
    return (struct hub_identity_node){
        claims, count, (uint32_t)(region->voices.items[voice].system - parties->systems)};
}

static void cluster(struct hub_ctl_region *region) {
    struct hub_arena *arena = &region->voices.arena;
    size_t count = region->voices.count, claims = 0;
    for (size_t i = 0; i < count; i++)
        claims += region->claim_counts[i];
    region->identifiers = hub_arena_take(arena, (claims + 1) * sizeof *region->identifiers);
    region->groups = hub_arena_take(arena, (claims + 1) * sizeof *region->groups);
    struct hub_identity_node *nodes = hub_arena_take(arena, (count + 1) * sizeof *nodes);
    for (size_t i = 0; i < count; i++)
        nodes[i] = make_node(region, i);
    struct hub_identity_decision *decisions =
        hub_arena_take(arena, (region->decided_count + 1) * sizeof *decisions);
    for (size_t i = 0; i < region->decided_count; i++)
        decisions[i] = (struct hub_identity_decision){region->decided[i].a, region->decided[i].b,
                                                      region->decided[i].same};
    struct hub_identity_bucket bucket = {.nodes = nodes,
                                         .node_count = count,
                                         .identifier_count = (uint32_t)region->identifier_count,
                                         .group_count = (uint32_t)region->group_count,
                                         .decisions = decisions,
                                         .decision_count = region->decided_count};
    hub_identity_cluster(&bucket, arena, &region->result);
}

bool hub_ctl_region_open(const struct hub_ctl_explaining *explaining,
                         struct hub_ctl_region *region) {
    size_t i;
    const json_t *record;
    *region = (struct hub_ctl_region){0};
    if (!hub_ctl_voices_open(explaining->ctl, explaining->domain, &region->voices))
        return false;
    region->matches = hub_ctl_latest(explaining->ctl, "match.");
    if (region->matches == NULL || !read_region(explaining, region))
        return false;
    read_claims(region);
    json_array_foreach(region->matches, i, record) {
        if (is_decided(json_object_get(record, "value")))
            take_decision(region, json_object_get(record, "value"));
    }
    cluster(region);
    return true;
}

void hub_ctl_region_close(struct hub_ctl_region *region) {
    json_decref(region->matches);
    hub_release(region->decided);
    hub_ctl_voices_close(&region->voices);
}

const struct hub_ctl_decided *hub_ctl_region_decided(const struct hub_ctl_region *region, size_t a,
                                                     size_t b) {
    for (size_t i = 0; i < region->decided_count; i++)
        if (region->decided[i].a == a && region->decided[i].b == b)
            return &region->decided[i];
    return NULL;
}
