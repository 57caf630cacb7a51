/* fold_match: pairs that may be one, with the evidence, for a person to decide. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define SHARED "idrcb:2019-A00001-11"
#define ALIKE                                                                                      \
    "'titles': [{'lang': 'en', 'text': 'A Trial of Cells'}], 'sponsor': {'text': 'Acme'},"         \
    " 'start': {'value': '2026-03-05'}"
#define ALIKE_TOO                                                                                  \
    "'titles': [{'lang': 'en', 'text': 'A trial  of CELLS.'}], 'sponsor': {'text': 'ACME'},"       \
    " 'start': {'value': '2026-03-28'}"

static const json_t *only_match(struct world *world) {
    json_t *matches = (json_t *)world_matches(world);
    assert_true(json_object_size(matches) <= 1);
    return json_object_iter_value(json_object_iter(matches));
}

static const char *states(struct world *world) {
    return tell_each(world, "match", NULL, "value.state");
}

static void a_pair_that_an_exclusive_number_keeps_apart_is_a_match(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    const json_t *match = only_match(world);
    assert_non_null(match);
    expect_json(match, "state", "'OPEN'");
    expect_json(match, "events", "1");
    expect_json(match, "opened_offset", "1");
    expect_json(match, "evidence",
                "[{'kind': 'EXCLUSIVE', 'detail': 'idrcb:2019-A00001-11',"
                " 'statements': ['ctgov/A', 'euctr/B']}]");
    const char *a = look_text(match, "entities.0"), *b = look_text(match, "entities.1");
    char id[128];
    assert_true(strcmp(a, b) < 0);
    snprintf(id, sizeof id, "%s~%s", a, b);
    assert_string_equal(look_text(match, "match_id"), id);
    assert_string_equal(tell_each(world, "match", NULL, "type"), "atmp.match.opened");
    world_free(world);
}

static void a_tie_is_a_match_with_both_neighbours(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    tell_trial(world, "isrctn/C", 1, SHARED, NULL);
    size_t ties = 0;
    const char *key;
    json_t *match;
    json_object_foreach((json_t *)world_matches(world), key, match) {
        ties += strcmp(look_text(match, "evidence.0.kind"), "TIE") == 0;
    }
    assert_int_equal(json_object_size(world_matches(world)), 3);
    assert_int_equal(ties, 2);
    assert_int_equal(world_count_active(world_unified(world)), 3);
    world_free(world);
}

static void a_match_closes_when_its_evidence_is_gone(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    tell_trial(world, "euctr/B", 2, "nct:NCT01000002", NULL);
    expect_json(only_match(world), "state", "'CLOSED'");
    expect_json(only_match(world), "evidence", "[]");
    tell_trial(world, "euctr/B", 3, "nct:NCT01000002 " SHARED, NULL);
    assert_string_equal(states(world), "OPEN CLOSED OPEN");
    assert_string_equal(tell_each(world, "match", NULL, "value.events"), "1 2 3");
    assert_string_equal(tell_each(world, "match", NULL, "value.opened_offset"), "1 1 1");
    world_free(world);
}

static void a_match_closes_when_the_two_become_one(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    tell_trial(world, "euctr/B", 2, "nct:NCT01000001 " SHARED, NULL); /* a corrected typing error */
    assert_int_equal(world_count_active(world_unified(world)), 1);
    assert_string_equal(states(world), "OPEN CLOSED");
    world_free(world);
}

static void a_match_closes_when_one_of_them_is_withdrawn(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    tell_trial_withdrawn(world, "ctgov/A", 2);
    assert_string_equal(states(world), "OPEN CLOSED");
    world_free(world);
}

static void what_changes_elsewhere_does_not_tell_a_match_again(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, NULL);
    tell_trial(world, "euctr/B", 2, "nct:NCT01000002 " SHARED, "'acronym': 'NEW'");
    assert_string_equal(states(world), "OPEN");
    world_free(world);
}

static void each_pair_of_statements_that_shares_a_number_is_evidence(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000772 " SHARED, NULL);
    tell_trial(world, "euctr/C", 1, "nct:NCT01000001 " SHARED, NULL);
    tell_trial(world, "isrctn/D", 1, "nct:NCT01000772 " SHARED, NULL);
    expect_json(only_match(world), "evidence",
                "[{'kind': 'EXCLUSIVE', 'detail': 'idrcb:2019-A00001-11',"
                "  'statements': ['ctgov/A', 'euctr/B']},"
                " {'kind': 'EXCLUSIVE', 'detail': 'idrcb:2019-A00001-11',"
                "  'statements': ['ctgov/A', 'isrctn/D']},"
                " {'kind': 'EXCLUSIVE', 'detail': 'idrcb:2019-A00001-11',"
                "  'statements': ['euctr/B', 'euctr/C']},"
                " {'kind': 'EXCLUSIVE', 'detail': 'idrcb:2019-A00001-11',"
                "  'statements': ['euctr/C', 'isrctn/D']}]");
    world_free(world);
}

static void evidence_is_listed_by_its_kind_and_then_by_the_number(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 idrcb:2019-A00722-11", ALIKE);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000772", ALIKE_TOO);
    expect_json(only_match(world), "evidence.0.kind", "'RESEMBLANCE'");
    tell_trial(world, "euctr/B", 2, "nct:NCT01000772 idrcb:2019-A00722-11", ALIKE_TOO);
    tell_trial(world, "euctr/C", 1, "nct:NCT01000001 idrcb:2019-A00001-11", NULL);
    tell_trial(world, "isrctn/D", 1, "nct:NCT01000772 idrcb:2019-A00001-11", NULL);
    expect_json(only_match(world), "evidence.0.detail", "'idrcb:2019-A00001-11'");
    expect_json(only_match(world), "evidence.1.detail", "'idrcb:2019-A00722-11'");
    expect_json(only_match(world), "evidence.2.kind", "'RESEMBLANCE'");
    assert_int_equal(look_count(only_match(world), "evidence"), 3);
    world_free(world);
}

/* --- resemblance --- */

static void trials_that_look_alike_are_proposed_and_never_joined(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", ALIKE);
    tell_trial(world, "euctr/B", 1, "eudract:2019-001234-11", ALIKE_TOO);
    assert_int_equal(world_count_active(world_unified(world)), 2);
    const json_t *match = only_match(world);
    assert_non_null(match);
    expect_json(match, "evidence.0.kind", "'RESEMBLANCE'");
    assert_int_equal(look_count(match, "evidence"), 1);
    world_free(world);
}

static void another_month_another_sponsor_or_no_title_is_not_alike(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", ALIKE);
    tell_trial(world, "ctgov/B", 1, "nct:NCT01000002",
               "'titles': [{'lang': 'en', 'text': 'A Trial of Cells'}], 'sponsor': {'text':"
               " 'Acme'}, 'start': {'value': '2026-04-05'}");
    tell_trial(world, "ctgov/C", 1, "nct:NCT01000003",
               "'titles': [{'lang': 'en', 'text': 'A Trial of Cells'}], 'sponsor': {'text':"
               " 'Other'}, 'start': {'value': '2026-03-05'}");
    tell_trial(world, "ctgov/D", 1, "nct:NCT01000004",
               "'sponsor': {'text': 'Acme'}, 'start': {'value': '2026-03-05'}");
    assert_null(only_match(world));
    world_free(world);
}

static void a_resemblance_ends_with_the_likeness(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", ALIKE);
    tell_trial(world, "euctr/B", 1, "eudract:2019-001234-11", ALIKE_TOO);
    tell_trial(world, "euctr/B", 2, "eudract:2019-001234-11", "'acronym': 'OTHER'");
    assert_string_equal(states(world), "OPEN CLOSED");
    world_free(world);
}

static void a_match_may_stand_on_two_legs(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, ALIKE);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000772 " SHARED, ALIKE_TOO);
    assert_int_equal(look_count(only_match(world), "evidence"), 2);
    tell_trial(world, "euctr/B", 2, "nct:NCT01000772", ALIKE_TOO);
    assert_string_equal(states(world), "OPEN OPEN");
    expect_json(only_match(world), "evidence.0.kind", "'RESEMBLANCE'");
    assert_int_equal(look_count(only_match(world), "evidence"), 1);
    world_free(world);
}

static void a_pair_may_be_alike_in_several_titles_and_each_may_end(void **state) {
    static const char both[] =
        "'titles': [{'lang': 'en', 'text': 'Cells'}, {'lang': 'sv', 'text': 'Celler'}],"
        " 'sponsor': {'text': 'Acme'}, 'start': {'value': '2026-03-05'}";
    static const char one[] =
        "'titles': [{'lang': 'en', 'text': 'Genes'}, {'lang': 'sv', 'text': 'Celler'}],"
        " 'sponsor': {'text': 'Acme'}, 'start': {'value': '2026-03-05'}";
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001", both);
    tell_trial(world, "euctr/B", 1, "eudract:2019-001234-11", both);
    assert_int_equal(look_count(only_match(world), "evidence"), 2);
    tell_trial(world, "euctr/B", 2, "eudract:2019-001234-11", one);
    assert_int_equal(look_count(only_match(world), "evidence"), 1);
    assert_non_null(strstr(look_text(only_match(world), "evidence.0.detail"), "celler"));
    tell_trial(world, "euctr/B", 3, "eudract:2019-001234-11", both);
    assert_int_equal(look_count(only_match(world), "evidence"), 2);
    assert_string_equal(states(world), "OPEN OPEN OPEN");
    world_free(world);
}

/* A trial with titles of so many words in so many languages, of which one is `text`. */
static void tell_titles(struct world *world, const char *key, const char *identifier, int count,
                        int own, const char *text) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_text(&json, "'sponsor': {'text': 'Acme'}, 'start': {'value': '2026-03-05'},"
                                  " 'titles': [");
    for (int i = 0; i < count; i++)
        hub_buffer_append_format(&json, "%s{'lang': 'l%02d', 'text': '%s %s'}", i == 0 ? "" : ", ",
                                 i, i == own ? text : "Only of", i == own ? "" : key);
    hub_buffer_append_text(&json, "]");
    tell_trial(world, key, 1, identifier, hub_buffer_text(&json));
}

static void of_many_titles_the_first_sixteen_are_compared(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_titles(world, "ctgov/A", "nct:NCT01000001", 20, 15, "Cells");
    tell_titles(world, "euctr/B", "eudract:2019-001234-11", 18, 15, "Cells");
    assert_int_equal(look_count(only_match(world), "evidence"), 1);
    world_free(world);
    world = world_new("trial");
    tell_titles(world, "ctgov/A", "nct:NCT01000001", 20, 16, "Cells");
    tell_titles(world, "euctr/B", "eudract:2019-001234-11", 18, 16, "Cells");
    assert_null(only_match(world));
    world_free(world);
}

static void a_likeness_of_many_tells_nothing(void **state) {
    struct world *world = world_new("trial");
    char key[32], identifier[32];
    (void)state;
    for (int i = 1; i <= 8; i++) {
        snprintf(key, sizeof key, "ctgov/%d", i);
        snprintf(identifier, sizeof identifier, "nct:NCT0100000%d", i);
        tell_trial(world, key, 1, identifier, ALIKE);
    }
    assert_int_equal(world_count_open(world_matches(world)), 8 * 7 / 2);
    tell_trial(world, "ctgov/9", 1, "nct:NCT01000009", ALIKE);
    assert_int_equal(world_count_open(world_matches(world)), 0);
    tell_trial_withdrawn(world, "ctgov/9", 2);
    assert_int_equal(world_count_open(world_matches(world)), 8 * 7 / 2);
    world_free(world);
}

static void matches_survive_a_restart(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000001 " SHARED, ALIKE);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000002 " SHARED, ALIKE_TOO);
    world_compact(world);
    world_restart(world);
    tell_trial(world, "euctr/B", 2, "nct:NCT01000002", ALIKE_TOO);
    world_restart(world);
    tell_trial(world, "euctr/B", 3, "nct:NCT01000002", NULL);
    assert_string_equal(states(world), "OPEN OPEN CLOSED");
    assert_string_equal(tell_each(world, "match", NULL, "value.events"), "1 2 3");
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_that_an_exclusive_number_keeps_apart_is_a_match),
        cmocka_unit_test(a_tie_is_a_match_with_both_neighbours),
        cmocka_unit_test(a_match_closes_when_its_evidence_is_gone),
        cmocka_unit_test(a_match_closes_when_the_two_become_one),
        cmocka_unit_test(a_match_closes_when_one_of_them_is_withdrawn),
        cmocka_unit_test(what_changes_elsewhere_does_not_tell_a_match_again),
        cmocka_unit_test(each_pair_of_statements_that_shares_a_number_is_evidence),
        cmocka_unit_test(evidence_is_listed_by_its_kind_and_then_by_the_number),
        cmocka_unit_test(trials_that_look_alike_are_proposed_and_never_joined),
        cmocka_unit_test(another_month_another_sponsor_or_no_title_is_not_alike),
        cmocka_unit_test(a_resemblance_ends_with_the_likeness),
        cmocka_unit_test(a_match_may_stand_on_two_legs),
        cmocka_unit_test(a_pair_may_be_alike_in_several_titles_and_each_may_end),
        cmocka_unit_test(of_many_titles_the_first_sixteen_are_compared),
        cmocka_unit_test(a_likeness_of_many_tells_nothing),
        cmocka_unit_test(matches_survive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
