/* Why statements are one entity, edge by edge, and why two entities are not one.
 *
 * Everything is made as JSON first; the text is that, laid out. */
#include "hub/ctl/region.h"

#include <stdio.h>
#include <string.h>

struct edges {
    const struct hub_ctl_explaining *explaining;
    struct hub_ctl_region region;
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static const char *key_of(const struct edges *edges, size_t voice) {
    return edges->region.voices.items[voice].key;
}

static bool is_of(const struct edges *edges, size_t voice, const json_t *record) {
    return strcmp(edges->region.voices.origins[voice].entity, text_of(record, "key")) == 0;
}

/* --- edges that were taken --- */

static json_t *tell_decision(const struct hub_ctl_decided *decided) {
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "kind", decided->same ? "JOIN" : "SEPARATE", "by",
                     decided->by, "reason", decided->reason, "subject", decided->subject, "offset",
                     (json_int_t)decided->offset);
}

static json_t *tell_edge(const struct edges *edges, const struct hub_identity_edge *edge) {
    const struct hub_domain *domain = edges->explaining->domain;
    const struct hub_scheme *scheme =
        &domain->schemes->schemes[domain->identity[edge->strength]];
    json_t *told = json_pack("{s:s, s:s, s:b}", "a", key_of(edges, edge->a), "b",
                             key_of(edges, edge->b), "joined", edge->joined);
    if (edge->decided) {
        json_object_set_new(
            told, "decision",
            tell_decision(hub_ctl_region_decided(&edges->region, edge->a, edge->b)));
        return told;
    }
    json_t *identifier =
        json_pack("{s:s, s:s, s:i, s:I, s:i, s:b}", "identifier",
                  edges->region.identifiers[edge->identifier], "scheme", scheme->name, "strength",
                  edge->strength + 1, "strengths", (json_int_t)domain->identity_count, "shared",
                  (int)edge->shared, "two_systems", edge->two_systems);
    json_object_update(told, identifier);
    json_decref(identifier);
    return told;
}

static json_t *list_taken(const struct edges *edges) {
    const struct hub_identity_result *result = &edges->region.result;
    json_t *list = json_array();
    for (size_t i = 0; i < result->edge_count; i++) {
        const struct hub_identity_edge *edge = &result->edges[i];
        if (!edge->refused && is_of(edges, edge->a, edges->explaining->record) &&
            is_of(edges, edge->b, edges->explaining->record))
            json_array_append_new(list, tell_edge(edges, edge));
    }
    return list;
}

static json_t *list_statements(const struct edges *edges) {
    const struct hub_ctl_region *region = &edges->region;
    json_t *list = json_array();
    for (size_t i = 0; i < region->voices.count; i++) {
        json_t *claims = json_array();
        if (!is_of(edges, i, edges->explaining->record)) {
            json_decref(claims);
            continue;
        }
        for (size_t k = 0; k < region->claim_counts[i]; k++) {
            const struct hub_claim *claim = &region->claims[i][k];
            json_array_append_new(
                claims, json_pack("{s:s%, s:i, s:b, s:b}", "identifier", claim->text.data,
                                  claim->text.size, "strength", claim->strength + 1, "exclusive",
                                  claim->exclusive, "ambiguous", claim->ambiguous));
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "statement", key_of(edges, i),
                                              "identifiers", claims));
    }
    return list;
}

/* Whether what is published is one cluster still. */
static bool is_whole(const struct edges *edges) {
    const struct hub_ctl_region *region = &edges->region;
    size_t cluster = SIZE_MAX;
    for (size_t i = 0; i < region->voices.count; i++) {
        if (!is_of(edges, i, edges->explaining->record))
            continue;
        if (cluster != SIZE_MAX && region->result.clusters[i] != cluster)
            return false;
        cluster = region->result.clusters[i];
    }
    return true;
}

/* --- edges that were refused --- */

static json_t *list_values(const struct edges *edges, size_t cluster, const char *group) {
    const struct hub_ctl_region *region = &edges->region;
    json_t *values = json_object(), *list = json_array();
    const char *value;
    json_t *ignored;
    for (size_t i = 0; i < region->voices.count; i++)
        for (size_t k = 0; region->result.clusters[i] == cluster && k < region->claim_counts[i];
             k++) {
            const struct hub_claim *claim = &region->claims[i][k];
            if (!claim->ambiguous && hub_bytes_equal_text(claim->group, group))
                json_object_setn_new(values, (const char *)claim->text.data, claim->text.size,
                                     json_true());
        }
    json_object_foreach(values, value, ignored)
        json_array_append_new(list, json_string(value));
    json_decref(values);
    return list;
}

static json_t *tell_refused(const struct edges *edges, const struct hub_refused_edge *edge) {
    static const char *const names[] = {"EXCLUSIVE", "TIE", "TOO_MANY", "APART"};
    const struct hub_ctl_region *region = &edges->region;
    const struct hub_ctl_decided *decided =
        hub_ctl_region_decided(region, edge->a, edge->b);
    const size_t *clusters = region->result.clusters;
    json_t *told = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s?}", "a", key_of(edges, edge->a), "b", key_of(edges, edge->b),
        "entity_a", region->voices.origins[edge->a].entity, "entity_b",
        region->voices.origins[edge->b].entity, "refusal", names[edge->refusal], "identifier",
        edge->identifier == HUB_IDENTIFIER_NONE ? NULL : region->identifiers[edge->identifier]);
    if (edge->group != HUB_GROUP_NONE) {
        const char *group = region->groups[edge->group];
        json_object_set_new(told, "group", json_string(group));
        json_object_set_new(told, "values_a", list_values(edges, clusters[edge->a], group));
        json_object_set_new(told, "values_b", list_values(edges, clusters[edge->b], group));
    }
    if (decided != NULL)
        json_object_set_new(told, "decision", tell_decision(decided));
    return told;
}

/* Those with a leg in the first entity, and in the second where there is one. */
static json_t *list_refused(const struct edges *edges) {
    const struct hub_ctl_explaining *explaining = edges->explaining;
    const struct hub_identity_result *result = &edges->region.result;
    json_t *list = json_array();
    for (size_t i = 0; i < result->refused_count; i++) {
        const struct hub_refused_edge *edge = &result->refused[i];
        bool first = is_of(edges, edge->a, explaining->record) ||
                     is_of(edges, edge->b, explaining->record);
        bool second = explaining->other == NULL || is_of(edges, edge->a, explaining->other) ||
                      is_of(edges, edge->b, explaining->other);
        if (first && second)
            json_array_append_new(list, tell_refused(edges, edge));
    }
    return list;
}

/* --- two entities --- */

static bool between(const struct edges *edges, size_t a, size_t b) {
    const struct hub_ctl_explaining *explaining = edges->explaining;
    return (is_of(edges, a, explaining->record) && is_of(edges, b, explaining->other)) ||
           (is_of(edges, b, explaining->record) && is_of(edges, a, explaining->other));
}

static json_t *list_decisions(const struct edges *edges) {
    json_t *list = json_array();
    for (size_t i = 0; i < edges->region.decided_count; i++) {
        const struct hub_ctl_decided *decided = &edges->region.decided[i];
        if (!between(edges, decided->a, decided->b))
            continue;
        json_t *told = tell_decision(decided);
        json_object_set_new(told, "a", json_string(key_of(edges, decided->a)));
        json_object_set_new(told, "b", json_string(key_of(edges, decided->b)));
        json_array_append_new(list, told);
    }
    return list;
}

/* The identifiers that both give, with what each says they are. */
static json_t *list_named(const struct edges *edges) {
    const json_t *values[2] = {
        json_object_get(json_object_get(edges->explaining->record, "value"), "value"),
        json_object_get(json_object_get(edges->explaining->other, "value"), "value")};
    json_t *list = json_array(), *a, *b;
    size_t i, k;
    json_array_foreach(json_object_get(values[0], "identifiers"), i, a)
        json_array_foreach(json_object_get(values[1], "identifiers"), k, b) {
            if (strcmp(text_of(a, "scheme"), text_of(b, "scheme")) != 0 ||
                strcmp(text_of(a, "issuer"), text_of(b, "issuer")) != 0 ||
                strcmp(text_of(a, "value"), text_of(b, "value")) != 0)
                continue;
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "scheme", text_of(a, "scheme"),
                                "issuer", text_of(a, "issuer"), "value", text_of(a, "value"),
                                "relation_a", text_of(a, "relation"), "relation_b",
                                text_of(b, "relation")));
        }
    return list;
}

static bool concerns(const json_t *match, const char *id) {
    const json_t *entities = json_object_get(match, "entities");
    for (size_t i = 0; i < json_array_size(entities); i++)
        if (strcmp(json_string_value(json_array_get(entities, i)), id) == 0)
            return true;
    return false;
}

static json_t *list_matches(const struct edges *edges) {
    json_t *list = json_array(), *record;
    size_t i;
    json_array_foreach(edges->region.matches, i, record) {
        json_t *match = json_object_get(record, "value");
        if (concerns(match, text_of(edges->explaining->record, "key")) &&
            concerns(match, text_of(edges->explaining->other, "key")))
            json_array_append(list, match);
    }
    return list;
}

/* One sentence, from what weighs most to what weighs least. */
static json_t *why_apart(const struct edges *edges, const json_t *refused, const json_t *decisions,
                         const json_t *named) {
    struct hub_arena *arena = (struct hub_arena *)&edges->region.voices.arena;
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)decisions, i, item)
        if (strcmp(text_of(item, "kind"), "SEPARATE") == 0)
            return json_string(hub_arena_format(arena, "%s decided that they are apart: %s",
                                                text_of(item, "by"), text_of(item, "reason")));
    json_array_foreach((json_t *)refused, i, item) {
        const char *refusal = text_of(item, "refusal");
        if (strcmp(refusal, "EXCLUSIVE") == 0)
            return json_string(hub_arena_format(
                arena, "%s would join them, and give one entity two values of %s",
                text_of(item, "identifier"), text_of(item, "group")));
        if (strcmp(refusal, "TIE") == 0)
            return json_string(hub_arena_format(
                arena, "%s would join them, and others as good would join what contradicts them: "
                       "an equal tie joins neither", text_of(item, "identifier")));
        if (strcmp(refusal, "TOO_MANY") == 0)
            return json_string("together they would have more statements than an entity may have");
    }
    json_array_foreach((json_t *)named, i, item) {
        if (strcmp(text_of(item, "relation_a"), "SELF") == 0 &&
            strcmp(text_of(item, "relation_b"), "SELF") == 0)
            return json_string(hub_arena_format(
                arena, "both have %s %s, which joins nothing: it does not identify here, a "
                       "statement has two of its kind, or too many statements share it",
                text_of(item, "scheme"), text_of(item, "value")));
        return json_string(hub_arena_format(
            arena, "%s %s is %s to one and %s to the other: only what is SELF to both joins",
            text_of(item, "scheme"), text_of(item, "value"), text_of(item, "relation_a"),
            text_of(item, "relation_b")));
    }
    return json_string("they share no identifier");
}

static json_t *explain_pair(const struct edges *edges) {
    const struct hub_ctl_explaining *explaining = edges->explaining;
    json_t *refused = list_refused(edges), *decisions = list_decisions(edges);
    json_t *named = list_named(edges);
    bool same = explaining->record == explaining->other;
    json_t *why = same ? json_string("they are the same")
                       : why_apart(edges, refused, decisions, named);
    return json_pack("{s:[s, s], s:b, s:o, s:o, s:o, s:o, s:o}", "entities",
                     text_of(explaining->record, "key"), text_of(explaining->other, "key"), "same",
                     same, "why", why, "refused", refused, "decisions", decisions, "named", named,
                     "matches", list_matches(edges));
}

static json_t *explain_one(const struct edges *edges) {
    return json_pack("{s:s, s:b, s:o, s:o, s:o}", "entity_id",
                     text_of(edges->explaining->record, "key"), "whole", is_whole(edges),
                     "statements", list_statements(edges), "edges", list_taken(edges), "refused",
                     list_refused(edges));
}

/* --- as text --- */

static void print_decision(const json_t *decision) {
    printf("%s by %s: %s\n", text_of(decision, "kind"), text_of(decision, "by"),
           text_of(decision, "reason"));
}

static void print_edge(const json_t *edge) {
    const json_t *decision = json_object_get(edge, "decision");
    printf("  %s %s = %s: ", json_is_true(json_object_get(edge, "joined")) ? "*" : "-",
           text_of(edge, "a"), text_of(edge, "b"));
    if (decision != NULL) {
        print_decision(decision);
        return;
    }
    long long shared = json_integer_value(json_object_get(edge, "shared"));
    printf("%s, strength %lld of %lld (%s)", text_of(edge, "identifier"),
           (long long)json_integer_value(json_object_get(edge, "strength")),
           (long long)json_integer_value(json_object_get(edge, "strengths")),
           text_of(edge, "scheme"));
    if (shared > 1)
        printf(", %lld identifiers shared", shared);
    printf("%s\n", json_is_true(json_object_get(edge, "two_systems")) ? "" : ", of one system");
}

static void print_values(const json_t *values) {
    for (size_t i = 0; i < json_array_size(values); i++)
        printf("%s%s", i == 0 ? "" : ", ", json_string_value(json_array_get(values, i)));
}

static void print_refused(const json_t *edge) {
    const json_t *decision = json_object_get(edge, "decision");
    printf("  %s (%s) / %s (%s): %s refused, %s", text_of(edge, "a"), text_of(edge, "entity_a"),
           text_of(edge, "b"), text_of(edge, "entity_b"), text_of(edge, "identifier"),
           text_of(edge, "refusal"));
    if (json_object_get(edge, "group") != NULL) {
        printf(": ");
        print_values(json_object_get(edge, "values_a"));
        printf(" against ");
        print_values(json_object_get(edge, "values_b"));
    }
    printf("\n");
    if (decision != NULL) {
        printf("      ");
        print_decision(decision);
    }
}

static void print_one(const json_t *told) {
    size_t i;
    const json_t *item;
    const json_t *edges = json_object_get(told, "edges");
    const json_t *refused = json_object_get(told, "refused");
    printf("%s is %zu statements\n", text_of(told, "entity_id"),
           json_array_size(json_object_get(told, "statements")));
    if (!json_is_true(json_object_get(told, "whole")))
        printf("what is in force now would not be one entity: the hub has more to take, or the "
               "rules here are others\n");
    if (json_array_size(edges) > 0)
        printf("joined by (* put two parts together, - agrees with them):\n");
    json_array_foreach((json_t *)edges, i, item)
        print_edge(item);
    if (json_array_size(refused) > 0)
        printf("not joined with:\n");
    json_array_foreach((json_t *)refused, i, item)
        print_refused(item);
}

static void print_pair(const json_t *told) {
    const json_t *ids = json_object_get(told, "entities"), *item, *evidence;
    size_t i, k;
    printf("%s and %s: %s\n", json_string_value(json_array_get(ids, 0)),
           json_string_value(json_array_get(ids, 1)), text_of(told, "why"));
    json_array_foreach(json_object_get(told, "refused"), i, item)
        print_refused(item);
    json_array_foreach(json_object_get(told, "decisions"), i, item) {
        printf("  %s / %s: ", text_of(item, "a"), text_of(item, "b"));
        print_decision(item);
    }
    json_array_foreach(json_object_get(told, "named"), i, item)
        printf("  both name %s %s: %s, %s\n", text_of(item, "scheme"), text_of(item, "value"),
               text_of(item, "relation_a"), text_of(item, "relation_b"));
    json_array_foreach(json_object_get(told, "matches"), i, item) {
        printf("  match %s is %s\n", text_of(item, "match_id"), text_of(item, "state"));
        json_array_foreach(json_object_get(item, "evidence"), k, evidence)
            printf("      %s: %s\n", text_of(evidence, "kind"), text_of(evidence, "detail"));
    }
}

static void show(const struct edges *edges) {
    const struct hub_ctl_explaining *explaining = edges->explaining;
    json_t *told = explaining->other != NULL ? explain_pair(edges) : explain_one(edges);
    if (explaining->ctl->json)
        hub_ctl_explain_json(explaining->ctl, told);
    else if (explaining->other != NULL)
        print_pair(told);
    else
        print_one(told);
    json_decref(told);
}

static enum hub_exit explain_record(void *context) {
    struct edges edges = {.explaining = context};
    bool good = hub_ctl_region_open(context, &edges.region);
    if (good)
        show(&edges);
    hub_ctl_region_close(&edges.region);
    return good ? HUB_EXIT_OK : HUB_EXIT_UNREACHABLE;
}

enum hub_exit hub_ctl_explain_edges(struct hub_ctl_explaining *explaining) {
    return hub_ctl_explain_each(explaining, explain_record, explaining);
}
