/* equal: when two values contradict each other, speak of one fact, or yield to the more exact. */
#include "hub/core/equal.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"

#include <string.h>

static const char fields[] =
    "[{'name': 'code', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor'},"
    " {'name': 'title', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor', 'hub:equal': 'fold'},"
    " {'name': 'words', 'type': {'type': 'array', 'items': 'string'}, 'doc': 'd', 'default': [],"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor', 'hub:equal': 'set'},"
    " {'name': 'yield', 'type': ['null', 'double'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor', 'hub:equal': {'tolerance': 0.5}},"
    " {'name': 'ratio', 'type': ['null', 'float'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor', 'hub:equal': {'tolerance': 0.25}},"
    " {'name': 'count', 'type': ['null', 'int'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor', 'hub:equal': {'tolerance': 2}},"
    " {'name': 'note', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor', 'hub:equal': 'ignore'},"
    " {'name': 'phase', 'type': ['null', {'type': 'enum', 'name': 'Phase', 'doc': 'd',"
    "   'symbols': ['ASKED', 'GIVEN', 'ENDED', 'REFUSED', 'UNRECOGNISED'],"
    "   'default': 'UNRECOGNISED'}], 'doc': 'd', 'default': null, 'hub:merge': 'latest',"
    "  'hub:conflict': 'minor', 'hub:equal': 'reachable',"
    "  'hub:lifecycle': {'ASKED': ['GIVEN', 'REFUSED'], 'GIVEN': ['ENDED'], 'ENDED': [],"
    "   'REFUSED': []}}]";

static struct own_domain *own;

static int make_domain(void **state) {
    (void)state;
    own = own_domain_new("{}", fields);
    return 0;
}

static int free_domain(void **state) {
    (void)state;
    own_domain_free(own);
    return 0;
}

/* --- asking about one field --- */

typedef bool (*question)(const struct hub_field_contract *contract, const struct hub_type *type,
                         struct hub_bytes a, struct hub_bytes b);

static const struct hub_field_contract *field_of(const struct hub_domain *domain,
                                                 const char *name) {
    return &domain->contract.fields[hub_type_field(domain->schema->root, name)];
}

static bool ask(question ask_it, const struct hub_domain *domain, const char *name, const char *a,
                const char *b) {
    const struct hub_field_contract *contract = field_of(domain, name);
    const struct hub_type *type = contract->field->type;
    struct hub_arena arena = {0};
    bool answer = ask_it(contract, type, test_value(type, a, &arena), test_value(type, b, &arena));
    hub_arena_destroy(&arena);
    return answer;
}

static bool agree(const char *name, const char *a, const char *b) {
    bool one = ask(hub_values_agree, own_domain(own), name, a, b);
    assert_int_equal(one, ask(hub_values_agree, own_domain(own), name, b, a));
    return one;
}

static bool trials_agree(const char *name, const char *a, const char *b) {
    bool one = ask(hub_values_agree, test_domain("trial"), name, a, b);
    assert_int_equal(one, ask(hub_values_agree, test_domain("trial"), name, b, a));
    return one;
}

#define DAY(date) "{'value': '" date "', 'precision': 'DAY'}"
#define MONTH(date) "{'value': '" date "', 'precision': 'MONTH'}"
#define YEAR(date) "{'value': '" date "', 'precision': 'YEAR'}"

/* --- agreement --- */

static void what_is_not_stated_contradicts_nothing(void **state) {
    (void)state;
    assert_true(agree("code", "null", "'a'"));
    assert_true(agree("code", "null", "null"));
    assert_true(agree("yield", "1.5", "null"));
    assert_true(agree("words", "[]", "['a']"));
    assert_true(trials_agree("start", "null", DAY("2016-07-14")));
}

static void exact_values_differ_by_any_byte(void **state) {
    (void)state;
    assert_true(agree("code", "'a'", "'a'"));
    assert_false(agree("code", "'a'", "'A'"));
    assert_false(agree("code", "'a'", "'a '"));
}

static void folded_texts_agree_whatever_their_case_accents_and_spaces(void **state) {
    (void)state;
    assert_true(agree("title", "'Skånes  universitets-sjukhus'", "'SKANES UNIVERSITETS SJUKHUS'"));
    assert_false(agree("title", "'Phase 1'", "'Phase 2'"));
}

static void sets_agree_whatever_the_order_repetition_and_case(void **state) {
    (void)state;
    assert_true(agree("words", "['b', 'a']", "['A', 'b', 'B']"));
    assert_false(agree("words", "['a', 'b']", "['a']"));
    assert_false(agree("words", "['a', 'b']", "['a', 'c']"));
    assert_true(trials_agree("phases", "['PHASE_1', 'PHASE_2']", "['PHASE_2', 'PHASE_1']"));
    assert_false(trials_agree("phases", "['PHASE_1']", "['PHASE_2']"));
}

static void numbers_agree_within_the_tolerance_and_not_beyond(void **state) {
    (void)state;
    assert_true(agree("yield", "10.0", "10.5"));
    assert_false(agree("yield", "10.0", "10.75"));
    assert_true(agree("ratio", "1.5", "1.25"));
    assert_false(agree("ratio", "1.5", "2.0"));
    assert_true(agree("count", "10", "12"));
    assert_false(agree("count", "-1", "2"));
}

static void ignored_values_never_differ(void **state) {
    (void)state;
    assert_true(agree("note", "'a'", "'b'"));
}

static void states_agree_where_one_can_become_the_other(void **state) {
    (void)state;
    assert_true(agree("phase", "'ASKED'", "'ENDED'"));
    assert_true(agree("phase", "'GIVEN'", "'GIVEN'"));
    assert_false(agree("phase", "'REFUSED'", "'GIVEN'"));
    assert_false(agree("phase", "'REFUSED'", "'ENDED'"));
    assert_false(agree("phase", "'UNRECOGNISED'", "'ASKED'"));
}

/* --- dates --- */

static void a_date_known_less_exactly_agrees_with_what_it_contains(void **state) {
    (void)state;
    assert_true(trials_agree("start", MONTH("2016-07-01"), DAY("2016-07-14")));
    assert_true(trials_agree("start", YEAR("2016-01-01"), DAY("2016-07-14")));
    assert_true(trials_agree("start", YEAR("2016-01-01"), MONTH("2016-07-01")));
    assert_false(trials_agree("start", MONTH("2016-08-01"), DAY("2016-07-14")));
    assert_false(trials_agree("start", YEAR("2015-01-01"), DAY("2016-01-01")));
    assert_false(trials_agree("start", DAY("2016-07-14"), DAY("2016-07-15")));
}

static void a_month_is_its_first_day_whatever_day_was_written(void **state) {
    (void)state;
    assert_true(trials_agree("start", MONTH("2016-07-20"), MONTH("2016-07-01")));
}

static void dates_before_1970_are_cut_as_any_other(void **state) {
    (void)state;
    assert_true(trials_agree("start", YEAR("1961-01-01"), DAY("1961-12-31")));
    assert_false(trials_agree("start", YEAR("1961-01-01"), DAY("1960-12-31")));
}

static void a_date_yields_only_to_a_more_exact_one_that_agrees(void **state) {
    const struct hub_domain *trial = test_domain("trial");
    (void)state;
    assert_true(ask(hub_value_yields, trial, "start", MONTH("2016-07-01"), DAY("2016-07-14")));
    assert_true(ask(hub_value_yields, trial, "start", YEAR("2016-01-01"), MONTH("2016-07-01")));
    assert_false(ask(hub_value_yields, trial, "start", DAY("2016-07-14"), MONTH("2016-07-01")));
    assert_false(ask(hub_value_yields, trial, "start", MONTH("2016-08-01"), DAY("2016-07-14")));
    assert_false(ask(hub_value_yields, trial, "start", DAY("2016-07-14"), DAY("2016-07-14")));
    assert_false(ask(hub_value_yields, trial, "start", "null", DAY("2016-07-14")));
    assert_false(ask(hub_value_yields, own_domain(own), "title", "'a'", "'A'"));
}

static void a_record_yields_to_one_whose_dates_are_as_exact_or_more(void **state) {
    const struct hub_domain *exchange = test_domain("exchange");
    (void)state;
#define PERIOD(from, to) "{'from': " from ", 'to': " to "}"
    static const char months[] = PERIOD(MONTH("2026-02-01"), MONTH("2026-06-01"));
    static const char days[] = PERIOD(DAY("2026-02-02"), DAY("2026-06-12"));
    assert_true(ask(hub_value_yields, exchange, "planned", months, days));
    assert_false(ask(hub_value_yields, exchange, "planned", days, months));
    assert_false(ask(hub_value_yields, exchange, "planned", days, days));
    assert_true(ask(hub_value_yields, exchange, "planned", months,
                    PERIOD(MONTH("2026-02-01"), DAY("2026-06-12"))));
    assert_false(ask(hub_value_yields, exchange, "planned", months,
                     PERIOD(DAY("2026-03-02"), DAY("2026-06-12"))));
    assert_false(ask(hub_value_yields, exchange, "planned", months,
                     PERIOD(DAY("2026-02-02"), "null")));
    assert_true(ask(hub_value_yields, exchange, "planned", PERIOD(MONTH("2026-02-01"), "null"),
                    days));
    assert_false(ask(hub_value_yields, exchange, "planned",
                     PERIOD(DAY("2026-02-02"), MONTH("2026-06-01")),
                     PERIOD(MONTH("2026-02-01"), DAY("2026-06-12"))));
}

/* --- records --- */

#define ENROLMENT(count, kind) "{'count': " count ", 'type': '" kind "'}"

static void different_kinds_of_enrolment_do_not_contradict_each_other(void **state) {
    (void)state;
    assert_true(trials_agree("enrolment", ENROLMENT("60", "TARGET"), ENROLMENT("41", "ACTUAL")));
    assert_false(trials_agree("enrolment", ENROLMENT("60", "TARGET"), ENROLMENT("41", "TARGET")));
    assert_true(trials_agree("enrolment", ENROLMENT("60", "TARGET"), ENROLMENT("60", "TARGET")));
}

static void a_number_that_does_not_tell_its_kind_may_contradict_any(void **state) {
    (void)state;
    assert_false(trials_agree("enrolment", ENROLMENT("60", "UNSTATED"), ENROLMENT("41", "ACTUAL")));
    assert_true(trials_agree("enrolment", ENROLMENT("41", "UNSTATED"), ENROLMENT("41", "ACTUAL")));
}

static void values_are_alike_only_where_they_speak_of_the_same_fact(void **state) {
    const struct hub_domain *trial = test_domain("trial");
    (void)state;
    assert_false(ask(hub_values_alike, trial, "enrolment", ENROLMENT("60", "TARGET"),
                     ENROLMENT("60", "ACTUAL")));
    assert_false(ask(hub_values_alike, trial, "enrolment", ENROLMENT("60", "UNSTATED"),
                     ENROLMENT("60", "ACTUAL")));
    assert_true(ask(hub_values_alike, trial, "enrolment", ENROLMENT("60", "ACTUAL"),
                    ENROLMENT("60", "ACTUAL")));
    assert_true(ask(hub_values_alike, trial, "start", MONTH("2016-07-01"), DAY("2016-07-14")));
}

static void organisations_are_the_same_by_their_identifier_whatever_the_spelling(void **state) {
    (void)state;
    assert_true(trials_agree("sponsor", "{'org': 'ror:02z31g829', 'text': 'SUS'}",
                             "{'org': 'ror:02z31g829', 'text': 'Skane University Hospital'}"));
    assert_false(trials_agree("sponsor", "{'org': 'ror:02z31g829', 'text': 'SUS'}",
                              "{'org': 'ror:012a77v79', 'text': 'SUS'}"));
}

static void organisations_without_a_common_identifier_are_told_by_their_folded_name(void **state) {
    (void)state;
    assert_true(trials_agree("sponsor", "{'org': 'ror:02z31g829', 'text': 'SUS'}",
                             "{'text': 'sus'}"));
    assert_false(trials_agree("sponsor", "{'org': 'ror:02z31g829', 'text': 'SUS'}",
                              "{'text': 'Skane University Hospital'}"));
}

#define SLOT(start, zone)                                                                         \
    "{'start': {'time': '" start "', 'offset_minutes': 60, 'zone': " zone "},"                    \
    " 'end': {'time': '2026-03-01T12:00:00'}}"

static void two_writings_of_one_instant_agree(void **state) {
    const struct hub_domain *slots = test_domain("gmp-slot");
    (void)state;
    assert_true(ask(hub_values_agree, slots, "interval", SLOT("2026-03-01T08:00:00", "null"),
                    SLOT("2026-03-01T08:00:00", "'Europe/Amsterdam'")));
    assert_false(ask(hub_values_agree, slots, "interval", SLOT("2026-03-01T08:00:00", "null"),
                     SLOT("2026-03-01T08:00:01", "null")));
}

static void periods_agree_part_by_part(void **state) {
    const struct hub_domain *exchange = test_domain("exchange");
    (void)state;
    assert_true(ask(hub_values_agree, exchange, "planned",
                    "{'from': " DAY("2026-03-01") ", 'to': " MONTH("2026-06-01") "}",
                    "{'from': " MONTH("2026-03-01") ", 'to': " DAY("2026-06-30") "}"));
    assert_true(ask(hub_values_agree, exchange, "planned", "{'from': " DAY("2026-03-01") "}",
                    "{'to': " DAY("2026-06-30") "}"));
    assert_false(ask(hub_values_agree, exchange, "planned",
                     "{'from': " DAY("2026-03-01") ", 'to': " DAY("2026-06-30") "}",
                     "{'from': " DAY("2026-03-01") ", 'to': " DAY("2026-06-29") "}"));
}

/* --- keys --- */

static const char *key_of(const struct hub_domain *domain, const char *name, bool element,
                          const char *json, struct hub_arena *arena) {
    const struct hub_field_contract *contract = field_of(domain, name);
    const struct hub_type *type = contract->field->type;
    HUB_SCOPED_BUFFER key = {0};
    type = element ? type->items : type;
    hub_value_key(contract, type, test_value(type, json, arena), &key);
    return hub_arena_text(arena, (const char *)key.data, key.size);
}

static void a_folded_text_is_recognised_folded_and_an_exact_one_as_it_is(void **state) {
    struct hub_arena arena = {0};
    (void)state;
    assert_string_equal(key_of(own_domain(own), "title", false, "'Ålder  1'", &arena), "alder 1");
    assert_string_equal(key_of(own_domain(own), "code", false, "'A b'", &arena), "A b");
    assert_string_equal(key_of(own_domain(own), "count", false, "12", &arena), "12");
    assert_string_equal(key_of(own_domain(own), "code", false, "null", &arena), "");
    hub_arena_destroy(&arena);
}

static void an_organisation_is_recognised_by_its_identifier_else_by_its_name(void **state) {
    const struct hub_domain *trial = test_domain("trial");
    struct hub_arena arena = {0};
    (void)state;
    assert_string_equal(key_of(trial, "sponsor", false, "{'org': 'ror:02z31g829', 'text': 'SUS'}",
                               &arena),
                        "ror:02z31g829");
    assert_string_equal(key_of(trial, "sponsor", false, "{'text': 'S.U.S'}", &arena), "s u s");
    hub_arena_destroy(&arena);
}

static void parts_that_never_differ_are_no_part_of_a_key(void **state) {
    const struct hub_domain *slots = test_domain("gmp-slot");
    struct hub_arena arena = {0};
    (void)state;
    assert_string_equal(
        key_of(slots, "interval", false, SLOT("2026-03-01T08:00:00", "null"), &arena),
        key_of(slots, "interval", false, SLOT("2026-03-01T08:00:00", "'Europe/Paris'"), &arena));
    hub_arena_destroy(&arena);
}

static void a_separator_within_a_part_is_no_separator_of_the_key(void **state) {
    const struct hub_field_contract *contract = field_of(own_domain(own), "code");
    const struct hub_type *type = contract->field->type;
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER key = {0};
    (void)state;
    hub_value_key_part(contract, type, test_value(type, "'a/b'", &arena), &key);
    hub_value_key_part(contract, type, test_value(type, "'c\\\\d'", &arena), &key);
    hub_value_key_part(contract, type, test_value(type, "'e'", &arena), &key);
    assert_string_equal(hub_buffer_text(&key), "a\\/b/c\\\\d/e/");
    hub_arena_destroy(&arena);
}

static void a_key_that_does_not_fit_stays_too_large(void **state) {
    const struct hub_field_contract *contract = field_of(own_domain(own), "code");
    const struct hub_type *type = contract->field->type;
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER key = {.size_max = 2};
    (void)state;
    hub_value_key_part(contract, type, test_value(type, "'a/b'", &arena), &key);
    assert_true(hub_buffer_overflowed(&key));
    hub_arena_destroy(&arena);
}

static void a_precision_that_is_not_recognised_is_a_day(void **state) {
    (void)state;
    assert_true(trials_agree("start", "{'value': '2016-07-14', 'precision': 'UNRECOGNISED'}",
                             DAY("2016-07-14")));
    assert_false(trials_agree("start", "{'value': '2016-07-14', 'precision': 'UNRECOGNISED'}",
                              MONTH("2016-07-01")));
}

static void what_is_not_stated_is_like_anything_and_yields_to_nothing(void **state) {
    const struct hub_domain *trial = test_domain("trial");
    (void)state;
    assert_true(ask(hub_values_alike, trial, "start", "null", DAY("2016-07-14")));
    assert_true(ask(hub_values_alike, trial, "start", DAY("2016-07-14"), "null"));
    assert_false(ask(hub_value_yields, trial, "start", "null", DAY("2016-07-14")));
    assert_false(ask(hub_value_yields, trial, "start", YEAR("2016-01-01"), "null"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_stated_contradicts_nothing),
        cmocka_unit_test(exact_values_differ_by_any_byte),
        cmocka_unit_test(folded_texts_agree_whatever_their_case_accents_and_spaces),
        cmocka_unit_test(sets_agree_whatever_the_order_repetition_and_case),
        cmocka_unit_test(numbers_agree_within_the_tolerance_and_not_beyond),
        cmocka_unit_test(ignored_values_never_differ),
        cmocka_unit_test(states_agree_where_one_can_become_the_other),
        cmocka_unit_test(a_date_known_less_exactly_agrees_with_what_it_contains),
        cmocka_unit_test(a_month_is_its_first_day_whatever_day_was_written),
        cmocka_unit_test(dates_before_1970_are_cut_as_any_other),
        cmocka_unit_test(a_date_yields_only_to_a_more_exact_one_that_agrees),
        cmocka_unit_test(a_record_yields_to_one_whose_dates_are_as_exact_or_more),
        cmocka_unit_test(different_kinds_of_enrolment_do_not_contradict_each_other),
        cmocka_unit_test(a_number_that_does_not_tell_its_kind_may_contradict_any),
        cmocka_unit_test(values_are_alike_only_where_they_speak_of_the_same_fact),
        cmocka_unit_test(organisations_are_the_same_by_their_identifier_whatever_the_spelling),
        cmocka_unit_test(organisations_without_a_common_identifier_are_told_by_their_folded_name),
        cmocka_unit_test(two_writings_of_one_instant_agree),
        cmocka_unit_test(periods_agree_part_by_part),
        cmocka_unit_test(a_folded_text_is_recognised_folded_and_an_exact_one_as_it_is),
        cmocka_unit_test(an_organisation_is_recognised_by_its_identifier_else_by_its_name),
        cmocka_unit_test(parts_that_never_differ_are_no_part_of_a_key),
        cmocka_unit_test(a_separator_within_a_part_is_no_separator_of_the_key),
        cmocka_unit_test(a_key_that_does_not_fit_stays_too_large),
        cmocka_unit_test(a_precision_that_is_not_recognised_is_a_day),
        cmocka_unit_test(what_is_not_stated_is_like_anything_and_yields_to_nothing),
    };
    return cmocka_run_group_tests(tests, make_domain, free_domain);
}
