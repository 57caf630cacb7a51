/* fold_near: numbers that are one slip of the hand apart raise a question and never join. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define SPONSOR "'sponsor': {'text': 'Acme'}"
#define TITLE "'titles': [{'lang': 'en', 'text': 'A Trial of Cells'}]"

static const json_t *only_match(struct world *world) {
    json_t *matches = (json_t *)world_matches(world);
    assert_true(json_object_size(matches) <= 1);
    return json_object_iter_value(json_object_iter(matches));
}

static void expect_none(struct world *world) {
    assert_int_equal(world_count_open(world_matches(world)), 0);
}

/* A trial with one number that is not verified. */
static void tell_doubt(struct world *world, const char *institution, const char *key, int version,
                       const char *scheme, const char *value, const char *more) {
    HUB_SCOPED_BUFFER json = {0};
    hub_buffer_append_format(&json,
                             "{'statement': {'version': '%d'}, 'identifiers': [{'scheme': '%s',"
                             " 'value': '%s', 'relation': 'UNVERIFIED'}], %s}",
                             version, scheme, value, more);
    world_say(world, institution, key, hub_buffer_text(&json));
}

static void a_number_one_digit_off_is_a_near_miss_and_no_join(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049", SPONSOR);
    assert_int_equal(world_count_active(world_unified(world)), 2);
    expect_json(only_match(world), "state", "'OPEN'");
    expect_json(only_match(world), "evidence",
                "[{'kind': 'NEAR_MISS', 'detail': 'nct:NCT01000041 ~ nct:NCT01000049, same"
                " sponsor', 'statements': ['ctgov/A', 'sus-trials/B']}]");
    world_free(world);
}

static void two_digits_that_changed_places_are_a_near_miss(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000059", SPONSOR ", " TITLE);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000095", SPONSOR ", " TITLE);
    expect_json(only_match(world), "evidence.0.detail",
                "'nct:NCT01000059 ~ nct:NCT01000095, same titles, sponsor'");
    world_free(world);
}

static void two_slips_are_none(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000152", SPONSOR);
    expect_none(world);
    world_free(world);
}

static void without_a_second_trait_it_is_none(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041",
               SPONSOR ", 'start': {'value': '2026-03-05'}");
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049",
               "'sponsor': {'text': 'Other'}, 'start': {'value': '2026-03-05'}");
    tell_trial(world, "euctr/C", 1, "nct:NCT01000048", NULL);
    expect_none(world); /* a month alone is shared by too many */
    world_free(world);
}

static void a_trait_that_comes_or_goes_opens_and_closes_it(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049", NULL);
    expect_none(world);
    tell_trial(world, "sus-trials/B", 2, "nct:NCT01000049", SPONSOR);
    tell_trial(world, "sus-trials/B", 3, "nct:NCT01000049", "'sponsor': {'text': 'Other'}");
    assert_string_equal(tell_each(world, "match", NULL, "value.state"), "OPEN CLOSED");
    world_free(world);
}

static void a_system_that_gives_both_numbers_tells_them_apart(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "ctgov/B", 1, "nct:NCT01000042", SPONSOR);
    expect_none(world);
    tell_trial(world, "sus-trials/C", 1, "nct:NCT01000042", SPONSOR); /* of B, and so not of A */
    expect_none(world);
    tell_trial_withdrawn(world, "ctgov/B", 2);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    world_free(world);
}

static void a_system_that_gives_one_of_the_numbers_only_tells_nothing_apart(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "sus-trials/A", 1, "nct:NCT01000041 eudract:2019-001234-11", SPONSOR);
    tell_trial(world, "ctgov/A", 1, "eudract:2019-001234-11", NULL);
    tell_trial(world, "ctgov/B", 1, "nct:NCT01000049", SPONSOR);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049 eudract:2019-001777-11", SPONSOR);
    expect_none(world);
    tell_trial(world, "sus-trials/B", 2, "eudract:2019-001777-11", SPONSOR);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    world_free(world);
}

static void a_system_of_both_tells_apart_only_where_it_gives_both_numbers(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "ctgov/B", 1, "eudract:2019-001777-11", SPONSOR);
    tell_trial(world, "euctr/C", 1, "nct:NCT01000049 eudract:2019-001777-11", SPONSOR);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    world_free(world);
}

static void each_pair_of_numbers_is_evidence_once_whoever_gives_them(void **state) {
    static const char evidence[] =
        "[{'kind': 'NEAR_MISS', 'detail': 'idrcb:2019-A00001-11 ~ idrcb:2019-A00001-12,"
        " same sponsor', 'statements': ['ctgov/A', 'euctr/B']},"
        " {'kind': 'NEAR_MISS', 'detail': 'idrcb:2019-A00001-11 ~ idrcb:2019-A00001-13,"
        " same sponsor', 'statements': ['ctgov/A', 'euctr/B']},"
        " {'kind': 'NEAR_MISS', 'detail': 'nct:NCT01000041 ~ nct:NCT01000049,"
        " same sponsor', 'statements': ['ctgov/A', 'euctr/B']}]";
    static const char *const numbers = "nct:NCT01000041 idrcb:2019-A00001-11";
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, numbers, SPONSOR);
    tell_trial(world, "euctr/B", 1,
               "nct:NCT01000049 idrcb:2019-A00001-12 idrcb:2019-A00001-13", SPONSOR);
    tell_trial(world, "isrctn/C", 1, "nct:NCT01000049", SPONSOR);
    expect_json(only_match(world), "evidence", evidence);
    tell_trial(world, "ctgov/A", 2, numbers, SPONSOR ", 'acronym': 'NEW'"); /* from its side too */
    expect_json(only_match(world), "evidence", evidence);
    assert_string_equal(tell_each(world, "match", NULL, "value.events"), "1");
    world_free(world);
}

/* The detail of the only evidence about two entities; NULL where no match is open. */
static const char *detail_of(struct world *world, const char *a, const char *b) {
    char id[160], one[80], other[80];
    snprintf(one, sizeof one, "%s", tell_id(world, a));
    snprintf(other, sizeof other, "%s", tell_id(world, b));
    bool ordered = strcmp(one, other) < 0;
    snprintf(id, sizeof id, "%s~%s", ordered ? one : other, ordered ? other : one);
    const json_t *match = world_match(world, id);
    if (match == NULL || strcmp(look_text(match, "state"), "OPEN") != 0)
        return NULL;
    assert_int_equal(look_count(match, "evidence"), 1);
    return look_text(match, "evidence.0.detail");
}

static void of_several_entities_each_has_traits_and_evidence_of_its_own(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/1", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "isrctn/9", 1, "nct:NCT01000041", NULL); /* gives the number again */
    tell_trial(world, "euctr/5", 1, "nct:NCT01000042", TITLE);
    tell_trial(world, "euctr/6", 1, "nct:NCT01000043", NULL);
    tell_trial(world, "sus-trials/S", 1, "nct:NCT01000049", SPONSOR ", " TITLE);
    assert_string_equal(detail_of(world, "sus-trials/S", "ctgov/1"),
                        "nct:NCT01000041 ~ nct:NCT01000049, same sponsor");
    assert_string_equal(detail_of(world, "sus-trials/S", "euctr/5"),
                        "nct:NCT01000042 ~ nct:NCT01000049, same titles");
    assert_null(detail_of(world, "sus-trials/S", "euctr/6"));
    world_free(world);
}

static void a_kind_that_agrees_names_nothing_and_a_name_does(void **state) {
    static const char product[] = "{'statement': {'version': '%d'}, 'kind': 'CELL', %s'identifiers':"
                                  " [{'scheme': 'emea-procedure', 'value': 'EMEA/H/C/00123%d',"
                                  " 'relation': 'SELF'}]}";
    struct world *world = world_new("product");
    char json[256];
    (void)state;
    snprintf(json, sizeof json, product, 1, "'names': [{'name': 'Cellvax'}], ", 4);
    world_say(world, "lu", "lu-dossiers/1", json);
    snprintf(json, sizeof json, product, 1, "", 5);
    world_say(world, "lu", "lu-stemcells/2", json);
    expect_none(world);
    snprintf(json, sizeof json, product, 2, "'names': [{'name': 'CELLVAX'}], ", 5);
    world_say(world, "lu", "lu-stemcells/2", json);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    assert_non_null(strstr(tell_each(world, "match", NULL, "value.evidence.1.detail"),
                           "EMEA/H/C/001235, same names"));
    world_free(world);
}

static void a_number_without_a_pattern_has_no_near_misses(void **state) {
    struct world *world = world_new("gmp-slot");
    static const char slot[] = "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17',"
                               " 'suite': 'Suite 1', 'identifiers': [{'scheme': 'slot', 'issuer':"
                               " 'mes', 'value': 'S-%d', 'relation': 'SELF'}]}";
    char json[256];
    (void)state;
    snprintf(json, sizeof json, slot, 1);
    world_say(world, "lumc", "lumc-mes/1", json);
    snprintf(json, sizeof json, slot, 2);
    world_say(world, "lumc", "lumc-calendar/2", json);
    expect_none(world);
    world_free(world);
}

static void an_unverified_number_that_equals_anothers_own_is_a_near_miss(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_doubt(world, "sus", "sus-trials/B", 1, "nct", "NCT01000041", TITLE);
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", TITLE);
    assert_int_equal(world_count_active(world_unified(world)), 2);
    expect_json(only_match(world), "evidence.0.detail",
                "'nct:NCT01000041 ~ nct:NCT01000041 (unverified), same titles'");
    expect_json(only_match(world), "evidence.0.statements", "['ctgov/A', 'sus-trials/B']");
    world_free(world);
}

static void a_number_that_failed_its_check_is_compared_as_it_was_meant(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_doubt(world, "sus", "sus-trials/B", 1, "other", "NCT0100004l", TITLE);
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", TITLE);
    expect_json(only_match(world), "evidence.0.detail",
                "'nct:NCT01000041 ~ nct:NCT0100004? (unverified), same titles'");
    world_free(world);
}

static void an_unverified_number_one_digit_off_anothers_own_is_a_near_miss(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_doubt(world, "sus", "sus-trials/B", 1, "nct", "NCT01000041", TITLE);
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000049", TITLE);
    expect_json(only_match(world), "evidence",
                "[{'kind': 'NEAR_MISS', 'detail': 'nct:NCT01000041 (unverified) ~"
                " nct:NCT01000049, same titles', 'statements': ['sus-trials/B', 'ctgov/A']}]");
    world_free(world);
}

static void what_an_entity_claims_it_does_not_doubt(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "euctr/B", 1, "nct:NCT01000049 eudract:2019-001234-11", SPONSOR);
    world_say(world, "sus", "sus-trials/C",
              "{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'eudract',"
              " 'value': '2019-001234-11', 'relation': 'SELF'}, {'scheme': 'nct',"
              " 'value': 'NCT01000049', 'relation': 'UNVERIFIED'}]}");
    tell_trial(world, "ctgov/A", 2, "nct:NCT01000041", SPONSOR ", 'acronym': 'NEW'");
    assert_int_equal(world_count_active(world_unified(world)), 2);
    expect_json(only_match(world), "evidence",
                "[{'kind': 'NEAR_MISS', 'detail': 'nct:NCT01000041 ~ nct:NCT01000049,"
                " same sponsor', 'statements': ['ctgov/A', 'euctr/B']}]");
    world_free(world);
}

static void two_unverified_numbers_say_nothing_of_each_other(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_doubt(world, "sus", "sus-trials/B", 1, "nct", "NCT01000041", TITLE);
    tell_doubt(world, "sus", "ctgov/A", 1, "nct", "NCT01000041", TITLE);
    tell_doubt(world, "sus", "euctr/A", 1, "nct", "NCT01000042", TITLE);
    expect_none(world);
    world_free(world);
}

static void a_statement_with_two_exclusive_numbers_is_a_near_miss_of_both(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "ctgov/B", 1, "nct:NCT01000777", SPONSOR);
    tell_trial(world, "sus-trials/C", 1, "nct:NCT01000041 nct:NCT01000777", SPONSOR);
    assert_int_equal(world_count_active(world_unified(world)), 3);
    assert_int_equal(world_count_open(world_matches(world)), 2);
    world_free(world);
}

static void it_closes_when_the_number_is_corrected(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049", SPONSOR);
    world_compact(world);
    world_restart(world);
    tell_trial(world, "sus-trials/B", 2, "nct:NCT01000041", SPONSOR);
    assert_int_equal(world_count_active(world_unified(world)), 1);
    assert_string_equal(tell_each(world, "match", NULL, "value.state"), "OPEN CLOSED");
    world_free(world);
}

static void it_closes_when_one_of_them_is_withdrawn(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049", SPONSOR);
    world_restart(world);
    tell_trial_withdrawn(world, "ctgov/A", 2);
    assert_string_equal(tell_each(world, "match", NULL, "value.state"), "OPEN CLOSED");
    world_free(world);
}

static void of_two_near_misses_the_second_closes_after_the_first(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049", SPONSOR);
    tell_trial(world, "euctr/C", 1, "nct:NCT01000141", SPONSOR);
    assert_int_equal(world_count_open(world_matches(world)), 2);
    tell_trial(world, "sus-trials/B", 2, "nct:NCT01000777", SPONSOR);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    tell_trial(world, "ctgov/A", 2, "nct:NCT01000041", NULL);
    expect_none(world);
    world_free(world);
}

static void separating_them_closes_it_for_good(void **state) {
    struct world *world = world_new("trial");
    char json[512];
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000049", SPONSOR);
    snprintf(json, sizeof json,
             "{'decision_id': 'd1', 'domain': 'trial', 'subject': 'pair/1', 'kind': 'SEPARATE',"
             " 'statements': ['ctgov/A'], 'others': ['sus-trials/B'], 'revision': 1,"
             " 'other_revision': 1, 'shard': 0, 'reason': 'siblings', 'decided_by': 'anna',"
             " 'decided_time': '2026-05-01T08:00:00'}");
    assert_true(world_decide(world, json));
    expect_none(world);
    tell_trial(world, "sus-trials/B", 2, "nct:NCT01000049", SPONSOR ", " TITLE);
    expect_none(world);
    world_restart(world);
    tell_trial(world, "ctgov/A", 2, "nct:NCT01000041", SPONSOR ", " TITLE);
    expect_none(world);
    world_free(world);
}

/* --- what is common tells nothing --- */

static void where_numbers_lie_close_together_the_next_one_is_no_slip(void **state) {
    struct world *world = world_new("trial");
    char number[32], key[32];
    (void)state;
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01000040", SPONSOR);
    for (int i = 1; i <= 8; i++) {
        snprintf(number, sizeof number, "nct:NCT0100004%d", i);
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, number, SPONSOR);
    }
    assert_int_equal(world_count_open(world_matches(world)), 8);
    tell_trial(world, "ctgov/9", 1, "nct:NCT01000049", "'acronym': 'OTHER'");
    expect_none(world);
    world_restart(world);
    tell_trial_withdrawn(world, "ctgov/9", 2);
    assert_int_equal(world_count_open(world_matches(world)), 8);
    world_free(world);
}

/* A number of which each digit, and a pair of them, was taken for another by somebody. */
static void tell_slips_of_1234567(struct world *world, size_t count) {
    static const char *const slips[] = {"91234567", "09234567", "01934567", "01294567", "01239567",
                                        "01234967", "01234597", "01234569", "10234567"};
    char number[32], key[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(number, sizeof number, "nct:NCT%s", slips[i]);
        snprintf(key, sizeof key, "ctgov/%zu", i);
        tell_trial(world, key, 1, number, SPONSOR);
    }
}

static void a_number_with_many_around_it_is_not_even_a_slip_of_one_of_them(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01234567", SPONSOR);
    tell_slips_of_1234567(world, 8);
    assert_int_equal(world_count_open(world_matches(world)), 8);
    tell_slips_of_1234567(world, 9);
    expect_none(world);
    tell_trial_withdrawn(world, "ctgov/3", 2);
    assert_int_equal(world_count_open(world_matches(world)), 8);
    world_free(world);
}

static void those_who_claim_a_number_are_looked_at_again_however_many_doubt_it(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    tell_trial(world, "sus-trials/B", 1, "nct:NCT01234567", SPONSOR);
    for (int i = 1; i <= 10; i++) {
        snprintf(key, sizeof key, "lumc-studies/%d", i);
        tell_doubt(world, "lumc", key, 1, "nct", "NCT01234567", SPONSOR);
    }
    tell_slips_of_1234567(world, 9);
    expect_none(world);
    tell_trial_withdrawn(world, "ctgov/3", 2);
    assert_int_equal(world_count_open(world_matches(world)), 8);
    world_free(world);
}

static void what_many_doubt_is_nobodys_number(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000041", SPONSOR);
    for (int i = 1; i <= 8; i++) {
        snprintf(key, sizeof key, "sus-trials/%d", i);
        tell_doubt(world, "sus", key, 1, "nct", "NCT01000041", SPONSOR);
    }
    assert_int_equal(world_count_open(world_matches(world)), 8);
    tell_doubt(world, "sus", "sus-trials/9", 1, "nct", "NCT01000041", SPONSOR);
    expect_none(world);
    tell_doubt(world, "sus", "sus-trials/9", 2, "other", "-", SPONSOR);
    assert_int_equal(world_count_open(world_matches(world)), 8);
    world_free(world);
}

static void what_many_doubt_is_no_slip_of_anothers_number(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01000049", SPONSOR);
    for (int i = 1; i <= 8; i++) {
        snprintf(key, sizeof key, "sus-trials/%d", i);
        tell_doubt(world, "sus", key, 1, "nct", "NCT01000041", SPONSOR);
    }
    assert_int_equal(world_count_open(world_matches(world)), 8);
    tell_doubt(world, "sus", "sus-trials/9", 1, "nct", "NCT01000041", SPONSOR);
    expect_none(world);
    tell_trial_withdrawn(world, "sus-trials/9", 2);
    assert_int_equal(world_count_open(world_matches(world)), 8);
    world_free(world);
}

/* Those who gave it before stay together by another number. */
static void a_number_that_becomes_one_of_too_many_loses_its_near_misses(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    tell_trial(world, "euctr/A", 1, "idrcb:2019-A00001-12", SPONSOR);
    for (int i = 1; i <= 64; i++) {
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, "idrcb:2019-A00001-11 eudract:2019-001234-11", SPONSOR);
    }
    assert_int_equal(world_count_open(world_matches(world)), 1);
    tell_trial(world, "ctgov/65", 1, "idrcb:2019-A00001-11", NULL);
    assert_int_equal(world_count_active(world_unified(world)), 3);
    expect_none(world);
    tell_trial_withdrawn(world, "ctgov/65", 2);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    world_free(world);
}

static void a_number_of_too_many_statements_has_no_near_misses(void **state) {
    struct world *world = world_new("trial");
    char key[32];
    (void)state;
    tell_trial(world, "euctr/A", 1, "idrcb:2019-A00001-12", SPONSOR);
    for (int i = 1; i <= 64; i++) {
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, "idrcb:2019-A00001-11", SPONSOR);
    }
    assert_int_equal(world_count_open(world_matches(world)), 1);
    tell_trial(world, "ctgov/65", 1, "idrcb:2019-A00001-11", NULL); /* it joins nobody any more */
    expect_none(world);
    tell_trial_withdrawn(world, "ctgov/65", 2);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    world_free(world);
}

/* Whose differences are multiples of 1100: none is a slip of another. */
static void a_near_miss_is_found_among_many_numbers(void **state) {
    struct world *world = world_new("trial");
    char number[32], key[32];
    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(number, sizeof number, "nct:NCT%08d", 20000000 + 1100 * i);
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, number, SPONSOR);
    }
    expect_none(world);
    tell_trial(world, "sus-trials/A", 1, "nct:NCT20000001", SPONSOR); /* one of the first */
    assert_int_equal(world_count_open(world_matches(world)), 1);
    tell_trial(world, "sus-trials/B", 1, "nct:NCT20328901", SPONSOR); /* and the last */
    assert_int_equal(world_count_open(world_matches(world)), 2);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_one_digit_off_is_a_near_miss_and_no_join),
        cmocka_unit_test(two_digits_that_changed_places_are_a_near_miss),
        cmocka_unit_test(two_slips_are_none),
        cmocka_unit_test(without_a_second_trait_it_is_none),
        cmocka_unit_test(a_trait_that_comes_or_goes_opens_and_closes_it),
        cmocka_unit_test(a_system_that_gives_both_numbers_tells_them_apart),
        cmocka_unit_test(a_system_that_gives_one_of_the_numbers_only_tells_nothing_apart),
        cmocka_unit_test(a_system_of_both_tells_apart_only_where_it_gives_both_numbers),
        cmocka_unit_test(each_pair_of_numbers_is_evidence_once_whoever_gives_them),
        cmocka_unit_test(of_several_entities_each_has_traits_and_evidence_of_its_own),
        cmocka_unit_test(a_kind_that_agrees_names_nothing_and_a_name_does),
        cmocka_unit_test(a_number_without_a_pattern_has_no_near_misses),
        cmocka_unit_test(an_unverified_number_that_equals_anothers_own_is_a_near_miss),
        cmocka_unit_test(a_number_that_failed_its_check_is_compared_as_it_was_meant),
        cmocka_unit_test(an_unverified_number_one_digit_off_anothers_own_is_a_near_miss),
        cmocka_unit_test(what_an_entity_claims_it_does_not_doubt),
        cmocka_unit_test(two_unverified_numbers_say_nothing_of_each_other),
        cmocka_unit_test(a_statement_with_two_exclusive_numbers_is_a_near_miss_of_both),
        cmocka_unit_test(it_closes_when_the_number_is_corrected),
        cmocka_unit_test(it_closes_when_one_of_them_is_withdrawn),
        cmocka_unit_test(of_two_near_misses_the_second_closes_after_the_first),
        cmocka_unit_test(separating_them_closes_it_for_good),
        cmocka_unit_test(where_numbers_lie_close_together_the_next_one_is_no_slip),
        cmocka_unit_test(a_number_with_many_around_it_is_not_even_a_slip_of_one_of_them),
        cmocka_unit_test(those_who_claim_a_number_are_looked_at_again_however_many_doubt_it),
        cmocka_unit_test(what_many_doubt_is_nobodys_number),
        cmocka_unit_test(what_many_doubt_is_no_slip_of_anothers_number),
        cmocka_unit_test(a_number_that_becomes_one_of_too_many_loses_its_near_misses),
        cmocka_unit_test(a_number_of_too_many_statements_has_no_near_misses),
        cmocka_unit_test(a_near_miss_is_found_among_many_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
