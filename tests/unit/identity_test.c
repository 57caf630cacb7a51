/* identity: which statements are about the same thing.
 *
 * A node is written as its system and its identifiers, "1 n1 d2". The letter is the scheme: n and e
 * are exclusive, d and f are not; n is the strongest, then e, d, f. What a person decided about two
 * nodes is "=0 1" (the same) or "!0 1" (not the same). */
#include "hub/core/identity.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 200, CLAIMS_MAX = 8, VALUES = 50, SCHEMES = 4, TEXT_SIZE = 4096,
       DECISIONS_MAX = 8 };

static const char schemes[] = "nedf";

struct graph {
    struct hub_arena arena;
    struct hub_identity_node nodes[NODES_MAX];
    struct hub_identity_claim claims[NODES_MAX][CLAIMS_MAX];
    size_t count;
    struct hub_identity_decision decisions[DECISIONS_MAX];
    size_t decision_count;
    struct hub_identity_result result;
    char text[TEXT_SIZE];
};

static struct hub_identity_claim read_claim(const char *word) {
    uint32_t scheme = (uint32_t)(strchr(schemes, word[0]) - schemes);
    return (struct hub_identity_claim){.identifier = scheme * VALUES + (uint32_t)atoi(word + 1),
                                       .group = scheme,
                                       .strength = (uint16_t)scheme,
                                       .exclusive = scheme < 2};
}

static void add_decision(struct graph *graph, const char *text) {
    char *rest = NULL;
    assert_true(graph->decision_count < DECISIONS_MAX);
    struct hub_identity_decision *decision = &graph->decisions[graph->decision_count++];
    decision->same = *text == '=';
    decision->a = strtoul(text + 1, &rest, 10);
    decision->b = strtoul(rest, NULL, 10);
}

static void add(struct graph *graph, const char *text) {
    if (*text == '=' || *text == '!') {
        add_decision(graph, text);
        return;
    }
    size_t at = graph->count++;
    struct hub_identity_node *node = &graph->nodes[at];
    assert_true(at < NODES_MAX);
    *node = (struct hub_identity_node){.claims = graph->claims[at],
                                       .system = (uint32_t)strtoul(text, NULL, 10)};
    for (const char *word = strchr(text, ' '); word != NULL; word = strchr(word + 1, ' ')) {
        assert_true(node->claim_count < CLAIMS_MAX);
        graph->claims[at][node->claim_count++] = read_claim(word + 1);
    }
}

static void run(struct graph *graph) {
    struct hub_identity_bucket bucket = {.nodes = graph->nodes,
                                         .node_count = graph->count,
                                         .identifier_count = SCHEMES * VALUES,
                                         .group_count = SCHEMES,
                                         .decisions = graph->decisions,
                                         .decision_count = graph->decision_count};
    hub_identity_cluster(&bucket, &graph->arena, &graph->result);
}

/* Clusters of nodes, "0 0 2": per node the first one of its cluster. */
static const char *clusters_of(const char *const *texts) {
    static char text[TEXT_SIZE];
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    text[0] = '\0';
    for (; *texts != NULL; texts++)
        add(graph, *texts);
    run(graph);
    for (size_t i = 0; i < graph->count; i++) {
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%s%zu", i == 0 ? "" : " ",
                 graph->result.clusters[i]);
    }
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
    return text;
}
#define CLUSTERS(...) clusters_of((const char *const[]){__VA_ARGS__, NULL})

/* Pairs that were refused, in the order of nodes: "0-2 exclusive d5, 1-2 tie d5". */
static const char *refusals_of(const char *const *texts) {
    static const char *const names[] = {"exclusive", "tie", "too many", "apart"};
    static char text[TEXT_SIZE];
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    text[0] = '\0';
    for (; *texts != NULL; texts++)
        add(graph, *texts);
    run(graph);
    for (size_t a = 0; a < graph->count; a++)
        for (size_t b = a + 1; b < graph->count; b++)
            for (size_t i = 0; i < graph->result.refused_count; i++) {
                const struct hub_refused_edge *edge = &graph->result.refused[i];
                size_t size = strlen(text);
                if (edge->a != a || edge->b != b)
                    continue;
                size += (size_t)snprintf(text + size, sizeof text - size, "%s%zu-%zu %s",
                                         size == 0 ? "" : ", ", a, b, names[edge->refusal]);
                if (edge->identifier != HUB_IDENTIFIER_NONE)
                    snprintf(text + size, sizeof text - size, " %c%u",
                             schemes[edge->identifier / VALUES], edge->identifier % VALUES);
            }
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
    return text;
}
#define REFUSALS(...) refusals_of((const char *const[]){__VA_ARGS__, NULL})

/* All edges, in the order in which they were taken: "0-1 n1 joins, 0-2 d5 x2 agrees"; `x2` where two
 * identifiers are shared, `one system` where only one says so. */
static const char *edges_of(const char *const *texts) {
    static char text[TEXT_SIZE];
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    HUB_SCOPED_BUFFER told = {0};
    for (; *texts != NULL; texts++)
        add(graph, *texts);
    run(graph);
    for (size_t i = 0; i < graph->result.edge_count; i++) {
        const struct hub_identity_edge *edge = &graph->result.edges[i];
        hub_buffer_append_format(&told, "%s%zu-%zu ", i == 0 ? "" : ", ", edge->a, edge->b);
        if (edge->decided)
            hub_buffer_append_text(&told, "decided");
        else
            hub_buffer_append_format(&told, "%c%u", schemes[edge->identifier / VALUES],
                                     edge->identifier % VALUES);
        if (edge->shared > 1)
            hub_buffer_append_format(&told, " x%d", edge->shared);
        hub_buffer_append_format(&told, "%s %s", edge->two_systems ? "" : " one system",
                                 edge->refused  ? "refused"
                                 : edge->joined ? "joins"
                                                : "agrees");
        assert_true(edge->decided || edge->strength == edge->identifier / VALUES);
    }
    snprintf(text, sizeof text, "%s", told.size == 0 ? "" : hub_buffer_text(&told));
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
    return text;
}
#define EDGES(...) edges_of((const char *const[]){__VA_ARGS__, NULL})

static void a_shared_identifier_joins(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 n1 e2"), "0 0");
    assert_string_equal(REFUSALS("1 n1", "2 n1 e2"), "");
}

static void what_shares_nothing_stays_apart(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 e1", "1"), "0 1 2");
}

static void a_chain_of_identifiers_joins_all_of_it(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 d4", "3 n1 e2", "4 e2 d4"), "0 0 0 0");
}

static void one_entity_never_has_two_values_of_an_exclusive_scheme(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5", "2 n2 d5"), "0 1");
    assert_string_equal(REFUSALS("1 n1 d5", "2 n2 d5"), "0-1 exclusive d5");
}

static void two_values_of_a_scheme_that_is_not_exclusive_may_meet(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5", "2 n1 d6"), "0 0");
}

static void the_stronger_identifier_is_believed(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 n1 d5", "3 n2 d5"), "0 0 2");
    assert_string_equal(REFUSALS("1 n1", "2 n1 d5", "3 n2 d5"), "1-2 exclusive d5");
}

static void an_equal_tie_joins_neither(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5", "2 d5", "3 n2 d5"), "0 1 2");
    assert_string_equal(REFUSALS("1 n1 d5", "2 d5", "3 n2 d5"),
                        "0-1 tie d5, 0-2 exclusive d5, 1-2 tie d5");
}

static void a_tie_over_several_steps_joins_nothing_of_the_chain(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5", "2 d5 d6", "3 d6 d7", "4 d7 n2"), "0 1 2 3");
}

static void more_identifiers_in_common_break_a_tie(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5 d6", "2 d5 d6", "3 n2 d5"), "0 0 2");
}

static void two_systems_break_a_tie(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5", "2 d5", "2 n2 d5"), "0 0 2");
}

static void a_tie_elsewhere_does_not_hold_up_a_join(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5", "2 d5", "3 n2 d5", "1 d9", "2 d9"), "0 1 2 3 3");
}

static void a_refused_pair_that_is_joined_otherwise_is_not_reported(void **state) {
    (void)state;
    /* Through d5 it would be a tie; through f9, weaker, nothing stands against it. */
    assert_string_equal(CLUSTERS("1 n1 d5 f9", "2 d5 f9", "3 n2 d5"), "0 0 2");
    assert_string_equal(REFUSALS("1 n1 d5 f9", "2 d5 f9", "3 n2 d5"),
                        "0-2 exclusive d5, 1-2 exclusive d5");
}

static size_t count_clusters(const struct graph *graph) {
    size_t count = 0;
    for (size_t i = 0; i < graph->count; i++)
        count += graph->result.clusters[i] == i;
    return count;
}

static void an_identifier_over_the_degree_cap_joins_none(void **state) {
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    (void)state;
    for (size_t i = 0; i < HUB_IDENTIFIER_DEGREE_MAX; i++)
        add(graph, "1 d5");
    run(graph);
    assert_int_equal(count_clusters(graph), 1);
    add(graph, "1 d5");
    run(graph);
    assert_int_equal(count_clusters(graph), HUB_IDENTIFIER_DEGREE_MAX + 1);
    assert_int_equal(graph->result.refused_count, 0);
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
}

static void what_an_overfull_identifier_does_not_join_others_still_do(void **state) {
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    (void)state;
    for (size_t i = 0; i <= HUB_IDENTIFIER_DEGREE_MAX; i++)
        add(graph, i < 2 ? "1 d5 e1" : "1 d5");
    run(graph);
    assert_int_equal(graph->result.clusters[1], 0);
    assert_int_equal(count_clusters(graph), HUB_IDENTIFIER_DEGREE_MAX);
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
}

static void an_entity_over_the_size_cap_is_not_built(void **state) {
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    (void)state;
    add(graph, "1 d1 d2");
    for (size_t i = 1; i < HUB_CLUSTER_SIZE_MAX; i++)
        add(graph, i % 2 == 0 ? "1 d1" : "1 d2");
    run(graph);
    assert_int_equal(count_clusters(graph), 1);
    add(graph, "1 d1");
    run(graph);
    assert_int_equal(count_clusters(graph), HUB_CLUSTER_SIZE_MAX + 1);
    assert_true(graph->result.refused_count > 0);
    for (size_t i = 0; i < graph->result.refused_count; i++)
        assert_int_equal(graph->result.refused[i].refusal, HUB_REFUSED_TOO_MANY);
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
}

/* --- order --- */

static void make_random(struct graph *graph, struct test_random *random) {
    size_t count = 2 + test_random_below(random, 10);
    for (size_t i = 0; i < count; i++) {
        char text[64];
        size_t size = (size_t)snprintf(text, sizeof text, "%zu", test_random_below(random, 3));
        for (size_t scheme = 0; scheme < SCHEMES; scheme++)
            if (test_random_below(random, 2) == 0)
                size += (size_t)snprintf(text + size, sizeof text - size, " %c%zu",
                                         schemes[scheme], test_random_below(random, 4));
        add(graph, text);
    }
}

static void shuffle(size_t *order, size_t count, struct test_random *random) {
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t other = test_random_below(random, i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

/* Whether a and b are together must not depend on where they stand. */
static void the_order_of_statements_plays_no_part(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < test_cases(2000); seed++) {
        struct test_random random = {test_seed(seed)};
        struct graph *first = hub_allocate_zero(1, sizeof *first);
        struct graph *second = hub_allocate_zero(1, sizeof *second);
        size_t order[NODES_MAX];
        make_random(first, &random);
        run(first);
        shuffle(order, first->count, &random);
        second->count = first->count;
        for (size_t i = 0; i < first->count; i++)
            second->nodes[i] = first->nodes[order[i]];
        run(second);
        for (size_t i = 0; i < first->count; i++)
            for (size_t k = 0; k < first->count; k++) {
                bool together = second->result.clusters[i] == second->result.clusters[k];
                size_t *clusters = first->result.clusters;
                if (together != (clusters[order[i]] == clusters[order[k]]))
                    fail_msg("HUB_TEST_SEED=%llu", (unsigned long long)seed);
            }
        assert_int_equal(first->result.refused_count, second->result.refused_count);
        hub_arena_destroy(&first->arena);
        hub_arena_destroy(&second->arena);
        hub_release(first);
        hub_release(second);
    }
}

static void what_is_decided_to_be_the_same_is_joined_whatever_its_numbers(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1", "2", "=0 1"), "0 0");
    assert_string_equal(CLUSTERS("1 n1", "2 n2", "=0 1"), "0 0");
    assert_string_equal(CLUSTERS("1 n1", "2", "3 n2", "=0 1", "=1 2"), "0 0 0");
    assert_string_equal(CLUSTERS("1 n1", "2 n1", "=1 0"), "0 0");
}

static void a_decision_comes_first_where_the_two_share_a_number_too(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1 d5 d6", "2 n1", "3 n1 d5 d6", "!1 2"), "0 1 0");
    assert_string_equal(CLUSTERS("1 n1 d5 d6", "2 n1", "3 n1 d5 d6", "!1 2", "=0 1"), "0 0 2");
}

static void numbers_that_a_decision_makes_one_bring_theirs_with_them(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 n2", "3 n2 d5", "4 n1 d5", "=0 1"), "0 0 0 0");
    assert_string_equal(CLUSTERS("1 n1", "2 n2 d5", "3 n3 d5", "=0 1"), "0 0 2");
    assert_string_equal(REFUSALS("1 n1", "2 n2 d5", "3 n3 d5", "=0 1"), "1-2 exclusive d5");
}

static void what_is_decided_to_be_apart_is_never_joined(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 n1", "!0 1"), "0 1");
    assert_string_equal(REFUSALS("1 n1", "2 n1", "!0 1"), "0-1 apart n1");
    assert_string_equal(CLUSTERS("1", "2", "!0 1"), "0 1");
}

static void what_lies_between_two_that_are_apart_is_a_tie(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 n1", "3 n1", "!0 2"), "0 1 2");
    assert_string_equal(CLUSTERS("1 n1", "2 n1 d5", "3 d5", "!0 2"), "0 0 2");
    assert_string_equal(REFUSALS("1 n1", "2 n1 d5", "3 d5", "!0 2"), "1-2 apart d5");
}

static void each_pair_that_is_apart_is_so_by_itself(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1 n1", "2 n1", "3 n2", "4 n2", "!0 1", "!2 3"), "0 1 2 3");
    assert_string_equal(CLUSTERS("1 n1", "2 n1", "3 n2", "4 n2", "!0 3"), "0 0 2 2");
}

static void decisions_that_contradict_each_other_join_nothing(void **state) {
    (void)state;
    assert_string_equal(CLUSTERS("1", "2", "3", "=0 1", "=1 2", "!0 2"), "0 1 2");
    assert_string_equal(REFUSALS("1", "2", "3", "=0 1", "=1 2", "!0 2"), "0-1 tie, 1-2 tie");
}

/* --- what is told of it --- */

static void each_edge_tells_what_it_rests_on_and_whether_it_put_parts_together(void **state) {
    (void)state;
    assert_string_equal(EDGES("1", "2"), "");
    assert_string_equal(EDGES("1 n1", "2 n1 e2", "1 e2"), "0-1 n1 joins, 1-2 e2 joins");
    assert_string_equal(EDGES("1 n1 d4", "2 n1 d4", "1 d4"),
                        "0-1 n1 x2 joins, 1-2 d4 joins, 0-2 d4 one system agrees");
    assert_string_equal(EDGES("1 n1", "2 n2", "3 n1", "=0 1"), "0-1 decided joins, 0-2 n1 joins");
    assert_string_equal(EDGES("1 n1 d5", "2 n2 d5"), "0-1 d5 refused");
}

static void a_refused_edge_names_the_group_of_two_values(void **state) {
    static const char *const texts[] = {"1 n1 e1 d5", "2 n1 e2 d5", "!0 2", "3 d5"};
    struct graph *graph = hub_allocate_zero(1, sizeof *graph);
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add(graph, texts[i]);
    run(graph);
    for (size_t i = 0; i < graph->result.refused_count; i++) {
        const struct hub_refused_edge *edge = &graph->result.refused[i];
        bool exclusive = edge->refusal == HUB_REFUSED_EXCLUSIVE;
        assert_int_equal(edge->group, exclusive ? 1 /* e */ : HUB_GROUP_NONE);
        assert_true(exclusive == (edge->a == 0 && edge->b == 1));
    }
    assert_true(graph->result.refused_count > 1);
    hub_arena_destroy(&graph->arena);
    hub_release(graph);
}

static void a_pair_that_was_a_tie_and_meets_elsewhere_is_not_reported(void **state) {
    (void)state;
    /* d5 ties 0 between 1 and 2, which have two numbers; 3 then brings 0 and 1 together. */
    assert_string_equal(CLUSTERS("1 d5", "2 n1 d5", "3 n2 d5", "4 f9"), "0 1 2 3");
    assert_string_equal(CLUSTERS("1 d5 f8", "2 n1 d5 f9", "3 n2 d5", "4 f8 f9"), "0 0 2 0");
    assert_string_equal(REFUSALS("1 d5 f8", "2 n1 d5 f9", "3 n2 d5", "4 f8 f9"),
                        "0-2 tie d5, 1-2 exclusive d5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_identifier_joins),
        cmocka_unit_test(what_shares_nothing_stays_apart),
        cmocka_unit_test(a_chain_of_identifiers_joins_all_of_it),
        cmocka_unit_test(one_entity_never_has_two_values_of_an_exclusive_scheme),
        cmocka_unit_test(two_values_of_a_scheme_that_is_not_exclusive_may_meet),
        cmocka_unit_test(the_stronger_identifier_is_believed),
        cmocka_unit_test(an_equal_tie_joins_neither),
        cmocka_unit_test(a_tie_over_several_steps_joins_nothing_of_the_chain),
        cmocka_unit_test(more_identifiers_in_common_break_a_tie),
        cmocka_unit_test(two_systems_break_a_tie),
        cmocka_unit_test(a_tie_elsewhere_does_not_hold_up_a_join),
        cmocka_unit_test(a_refused_pair_that_is_joined_otherwise_is_not_reported),
        cmocka_unit_test(an_identifier_over_the_degree_cap_joins_none),
        cmocka_unit_test(what_an_overfull_identifier_does_not_join_others_still_do),
        cmocka_unit_test(an_entity_over_the_size_cap_is_not_built),
        cmocka_unit_test(what_is_decided_to_be_the_same_is_joined_whatever_its_numbers),
        cmocka_unit_test(a_decision_comes_first_where_the_two_share_a_number_too),
        cmocka_unit_test(numbers_that_a_decision_makes_one_bring_theirs_with_them),
        cmocka_unit_test(what_is_decided_to_be_apart_is_never_joined),
        cmocka_unit_test(what_lies_between_two_that_are_apart_is_a_tie),
        cmocka_unit_test(each_pair_that_is_apart_is_so_by_itself),
        cmocka_unit_test(decisions_that_contradict_each_other_join_nothing),
        cmocka_unit_test(each_edge_tells_what_it_rests_on_and_whether_it_put_parts_together),
        cmocka_unit_test(a_refused_edge_names_the_group_of_two_values),
        cmocka_unit_test(the_order_of_statements_plays_no_part),
        cmocka_unit_test(a_pair_that_was_a_tie_and_meets_elsewhere_is_not_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
