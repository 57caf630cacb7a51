/* claims: what a statement says about identity. */
#include "hub/core/claims.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <string.h>

/* The claims of an `identifiers` field, "nct:NCT01000001 euct:...?"; ? is for ambiguous. */
static const char *claims_in(const char *domain_name, const char *json) {
    static char text[1024];
    const struct hub_domain *domain = test_domain(domain_name);
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_IDENTIFIERS].field->type;
    struct hub_arena arena = {0};
    struct hub_claim *claims = NULL;
    size_t count = 0;
    hub_claims_read(domain, test_value(type, json, &arena), &arena, &claims, &count);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            strcat(text, " ");
        strncat(text, (const char *)claims[i].text.data, claims[i].text.size);
        strcat(text, claims[i].ambiguous ? "?" : "");
        strcat(text, claims[i].doubtful ? " (doubtful)" : "");
    }
    hub_arena_destroy(&arena);
    return text;
}

static void only_self_identifiers_of_joining_schemes_are_claims(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'nct', 'value': 'NCT01000001', 'relation': 'SELF'},"
                           " {'scheme': 'nct', 'value': 'NCT01000002', 'relation': 'RELATED'},"
                           " {'scheme': 'nct', 'value': 'NCT01000003', 'relation': 'PARENT'},"
                           " {'scheme': 'nct', 'value': 'NCT01000004', 'relation': 'PREDECESSOR'},"
                           " {'scheme': 'nct', 'value': 'NCT01000006', 'relation': 'UNRECOGNISED'},"
                           " {'scheme': 'utn', 'value': 'U1111-2222-3333', 'relation': 'SELF'},"
                           " {'scheme': 'protocol', 'value': 'ABC-1', 'relation': 'SELF'}]"),
        "nct:NCT01000001");
}

static void a_scheme_of_another_domain_is_no_claim(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'placer', 'issuer': 'x', 'value': '7',"
                           " 'relation': 'SELF'}]"),
        "");
}

static void no_identifiers_make_no_claims(void **state) {
    (void)state;
    assert_string_equal(claims_in("trial", "[]"), "");
}

static void claims_come_sorted_and_each_once(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'nct', 'value': 'NCT01000001', 'relation': 'SELF'},"
                           " {'scheme': 'eudract', 'value': '2019-001234-11', 'relation': 'SELF'},"
                           " {'scheme': 'nct', 'value': 'NCT01000001', 'version': '2',"
                           " 'relation': 'SELF'}]"),
        "eudract:2019-001234-11 nct:NCT01000001");
}

static void an_issuer_is_part_of_the_identifier(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("gmp-slot", "[{'scheme': 'placer', 'issuer': 'ward-b', 'value': '7',"
                              " 'relation': 'SELF'},"
                              " {'scheme': 'placer', 'issuer': 'ward-a', 'value': '7',"
                              " 'relation': 'SELF'}]"),
        "placer:ward-a/7 placer:ward-b/7");
}

/* One text, one identifier: whatever stands between issuer and value cannot be part of both. */
static void issuer_and_value_cannot_run_into_each_other(void **state) {
    char first[256];
    (void)state;
    snprintf(first, sizeof first, "%s",
             claims_in("gmp-slot", "[{'scheme': 'placer', 'issuer': 'a:b', 'value': 'c',"
                                   " 'relation': 'SELF'},"
                                   " {'scheme': 'placer', 'issuer': 'a', 'value': 'b:c',"
                                   " 'relation': 'SELF'}]"));
    assert_string_equal(first, "placer:a/b:c placer:a:b/c");
    assert_string_equal(
        claims_in("gmp-slot", "[{'scheme': 'placer', 'issuer': 'a/b', 'value': 'c',"
                              " 'relation': 'SELF'},"
                              " {'scheme': 'placer', 'issuer': 'a', 'value': 'b/c',"
                              " 'relation': 'SELF'},"
                              " {'scheme': 'placer', 'issuer': 'a%2Fb', 'value': 'c',"
                              " 'relation': 'SELF'}]"),
        "placer:a%252Fb/c placer:a%2Fb/c placer:a/b/c");
}

static void what_is_unverified_is_doubtful(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'nct', 'value': 'NCT01000005', 'relation': 'UNVERIFIED'},"
                           " {'scheme': 'nct', 'value': 'NCT01000006', 'relation': 'SELF'}]"),
        "nct:NCT01000005 (doubtful) nct:NCT01000006");
}

static void what_is_also_self_is_not_doubtful(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'nct', 'value': 'NCT01000005', 'relation': 'UNVERIFIED'},"
                           " {'scheme': 'nct', 'value': 'NCT01000005', 'relation': 'SELF'}]"),
        "nct:NCT01000005");
}

static void a_doubtful_number_of_no_scheme_is_one_of_each_scheme_that_it_fits(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'other', 'value': ' nct 01000005', 'relation':"
                           " 'UNVERIFIED'},"
                           " {'scheme': 'other', 'value': '2019-001234-11', 'relation':"
                           " 'UNVERIFIED'},"
                           " {'scheme': 'other', 'value': 'ABC-1', 'relation': 'UNVERIFIED'}]"),
        "eudract:2019-001234-11 (doubtful) nct:NCT01000005 (doubtful)");
}

static void one_character_that_is_no_digit_is_a_digit_nobody_could_read(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'other', 'value': 'NCT0100000l', 'relation':"
                           " 'UNVERIFIED'},"
                           " {'scheme': 'other', 'value': 'NCTO100000l', 'relation':"
                           " 'UNVERIFIED'},"
                           " {'scheme': 'other', 'value': 'NC701000001', 'relation':"
                           " 'UNVERIFIED'}]"),
        "nct:NCT0100000? (doubtful)");
}

static void a_placeholder_is_not_even_doubtful(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'other', 'value': 'NCT00000000', 'relation': 'UNVERIFIED'},"
                           " {'scheme': 'nct', 'value': 'NCT12345678', 'relation':"
                           " 'UNVERIFIED'}]"),
        "");
}

static void a_doubtful_number_has_an_issuer_where_its_scheme_needs_one_and_only_there(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("gmp-slot",
                  "[{'scheme': 'slot', 'value': '7', 'relation': 'UNVERIFIED'},"
                  " {'scheme': 'slot', 'issuer': 'mes', 'value': '8', 'relation': 'UNVERIFIED'}]"),
        "slot:mes/8 (doubtful)");
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'nct', 'issuer': 'mes', 'value': 'NCT01000005', 'relation':"
                           " 'UNVERIFIED'}]"),
        "");
}

/* Any text would be one of it. */
static void a_doubtful_number_of_no_scheme_is_none_of_a_scheme_without_a_pattern(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("gmp-slot",
                  "[{'scheme': 'other', 'value': '7', 'relation': 'UNVERIFIED'},"
                  " {'scheme': 'other', 'issuer': 'mes', 'value': '7', 'relation':"
                  " 'UNVERIFIED'}]"),
        "");
}

static void many_claims_are_all_kept(void **state) {
    HUB_SCOPED_BUFFER json = {0};
    (void)state;
    hub_buffer_append_text(&json, "[");
    for (int i = 10; i < 30; i++)
        hub_buffer_append_format(&json, "%s{'scheme': 'idrcb', 'value': '2019-A000%d-11',"
                                 " 'relation': 'SELF'}", i == 10 ? "" : ", ", i);
    hub_buffer_append_text(&json, "]");
    const char *text = claims_in("trial", hub_buffer_text(&json));
    size_t count = 1;
    for (; *text != '\0'; text++)
        count += *text == ' ';
    assert_int_equal(count, 20);
}

static void two_values_of_an_exclusive_scheme_are_both_ambiguous(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'nct', 'value': 'NCT01000001', 'relation': 'SELF'},"
                           " {'scheme': 'nct', 'value': 'NCT01000002', 'relation': 'SELF'},"
                           " {'scheme': 'euct', 'value': '2023-500001-10', 'relation': 'SELF'}]"),
        "euct:2023-500001-10 nct:NCT01000001? nct:NCT01000002?");
}

static void two_issuers_of_an_exclusive_scheme_do_not_contradict(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("gmp-slot",
                  "[{'scheme': 'slot', 'issuer': 'mes', 'value': '7', 'relation': 'SELF'},"
                  " {'scheme': 'slot', 'issuer': 'cal', 'value': '8', 'relation': 'SELF'}]"),
        "slot:cal/8 slot:mes/7");
}

static void two_values_of_a_shared_scheme_are_not_ambiguous(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'idrcb', 'value': '2019-A00001-11', 'relation': 'SELF'},"
                           " {'scheme': 'idrcb', 'value': '2019-A00002-11', 'relation': 'SELF'}]"),
        "idrcb:2019-A00001-11 idrcb:2019-A00002-11");
}

static void the_order_in_hub_identity_is_the_strength(void **state) {
    const struct hub_domain *domain = test_domain("trial");
    const struct hub_type *type = domain->contract.fields[HUB_FIELD_IDENTIFIERS].field->type;
    struct hub_arena arena = {0};
    struct hub_claim *claims = NULL;
    size_t count = 0;
    (void)state;
    hub_claims_read(domain,
                    test_value(type,
                               "[{'scheme': 'idrcb', 'value': '2019-A00001-11', 'relation': "
                               "'SELF'}, {'scheme': 'nct', 'value': 'NCT01000001', 'relation': "
                               "'SELF'}]",
                               &arena),
                    &arena, &claims, &count);
    assert_int_equal(count, 2);
    assert_int_equal(claims[0].strength, 4); /* idrcb, the last of five */
    assert_false(claims[0].exclusive);
    assert_int_equal(claims[1].strength, 0);
    assert_true(claims[1].exclusive);
    hub_arena_destroy(&arena);
}

static void a_scheme_that_nobody_declared_is_no_claim(void **state) {
    (void)state;
    assert_string_equal(
        claims_in("trial", "[{'scheme': 'unheard-of', 'value': '7', 'relation': 'SELF'}]"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_self_identifiers_of_joining_schemes_are_claims),
        cmocka_unit_test(a_scheme_of_another_domain_is_no_claim),
        cmocka_unit_test(no_identifiers_make_no_claims),
        cmocka_unit_test(claims_come_sorted_and_each_once),
        cmocka_unit_test(an_issuer_is_part_of_the_identifier),
        cmocka_unit_test(issuer_and_value_cannot_run_into_each_other),
        cmocka_unit_test(what_is_unverified_is_doubtful),
        cmocka_unit_test(what_is_also_self_is_not_doubtful),
        cmocka_unit_test(a_doubtful_number_of_no_scheme_is_one_of_each_scheme_that_it_fits),
        cmocka_unit_test(one_character_that_is_no_digit_is_a_digit_nobody_could_read),
        cmocka_unit_test(a_placeholder_is_not_even_doubtful),
        cmocka_unit_test(a_doubtful_number_has_an_issuer_where_its_scheme_needs_one_and_only_there),
        cmocka_unit_test(a_doubtful_number_of_no_scheme_is_none_of_a_scheme_without_a_pattern),
        cmocka_unit_test(many_claims_are_all_kept),
        cmocka_unit_test(two_values_of_an_exclusive_scheme_are_both_ambiguous),
        cmocka_unit_test(two_issuers_of_an_exclusive_scheme_do_not_contradict),
        cmocka_unit_test(two_values_of_a_shared_scheme_are_not_ambiguous),
        cmocka_unit_test(the_order_in_hub_identity_is_the_strength),
        cmocka_unit_test(a_scheme_that_nobody_declared_is_no_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
