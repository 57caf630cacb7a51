/* mapping_identifier: which scheme a number belongs to, and what it is to the thing. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

/* --- loading --- */

static void one_of_scheme_classify_and_scan_is_needed_with_a_relation(void **state) {
    (void)state;
    static const char error[] = "9:27: one of scheme, classify and scan is needed, and 'relation'";
    assert_misconfigured("trial", "identifiers: {value: a, relation: self}", error);
    assert_misconfigured("trial", "identifiers: {scheme: nct, value: a}", error);
    assert_misconfigured("trial",
                         "identifiers: {scheme: nct, classify: [nct], value: a, relation: self}",
                         error);
    assert_misconfigured("trial", "identifiers: a",
                         "9:27: {scheme: NAME, value: PATH, relation: NAME} would pass");
}

static void schemes_and_relations_are_those_there_are(void **state) {
    (void)state;
    assert_misconfigured("trial", "identifiers: {scheme: ntc, value: a, relation: self}",
                         "9:36: 'ntc' is no scheme of schemes.json; this domain's are nct,");
    assert_misconfigured("trial", "identifiers: {classify: [nct, x], value: a, relation: self}",
                         "9:44: 'x' is no scheme of schemes.json");
    static const char relations[] =
        "self, related, parent, predecessor or unverified would pass";
    assert_misconfigured("trial", "identifiers: {scheme: nct, value: a, relation: same}",
                         relations);
    assert_misconfigured("trial", "identifiers: {scheme: nct, value: a, relation: unrecognised}",
                         relations);
}

static void an_issuer_is_given_where_the_scheme_has_one_and_nowhere_else(void **state) {
    (void)state;
    assert_misconfigured("exchange",
                         "identifiers: {scheme: exchange-request, value: a, relation: self}",
                         "9:27: scheme exchange-request needs an 'issuer'");
    assert_misconfigured("trial", "identifiers: {scheme: nct, issuer: b, value: a, relation: self}",
                         "9:27: scheme nct has no issuer");
}

static void what_fits_no_scheme_cannot_be_said_to_be_the_thing(void **state) {
    (void)state;
    assert_misconfigured("trial",
                         "identifiers: {scheme: nct, value: a, relation: self, else: {scheme: "
                         "other, relation: self}}",
                         "what fits no scheme cannot say what the thing is; unverified would pass");
    assert_misconfigured("trial",
                         "identifiers: {scheme: nct, value: a, relation: self, else: keep}",
                         "drop or {scheme: NAME, relation: NAME} would pass");
}

static void a_local_pseudonym_identifies_nothing(void **state) {
    (void)state;
    assert_misconfigured("exchange",
                         "identifiers: {scheme: exchange-request, issuer: b, value: {from: a, "
                         "pseudonym: local}, relation: self}",
                         "a local pseudonym identifies nothing outside; shared would pass");
}

/* --- running --- */

static void a_number_is_put_in_its_schemes_normal_form(void **state) {
    (void)state;
    assert_maps("trial", "identifiers: {scheme: nct, value: a, relation: self}",
                "{'a': ' nct 99000101 '}",
                "{'identifiers': [{'scheme': 'nct', 'value': 'NCT99000101', 'relation': 'SELF', "
                "'issuer': null, 'version': null}]}");
    assert_maps("trial", "identifiers: {scheme: isrctn, value: a, relation: self}",
                "{'a': '99000201'}", "{'identifiers': [{'value': 'ISRCTN99000201'}]}");
    assert_maps("trial", "identifiers: {scheme: euct, value: a, relation: self}",
                "{'a': '2026-501234-11-01'}",
                "{'identifiers': [{'value': '2026-501234-11', 'version': '-01'}]}");
}

static void the_first_scheme_that_fits_is_the_one(void **state) {
    (void)state;
    assert_maps("trial", "identifiers: {classify: [euct, eudract, isrctn], value: a, relation: self}",
                "{'a': ['2019-009001-17', '2026-501234-11', 'ISRCTN99000201']}",
                "{'identifiers': [{'scheme': 'eudract', 'value': '2019-009001-17'}, {'scheme': "
                "'euct'}, {'scheme': 'isrctn'}]}");
}

static void what_fits_no_scheme_is_kept_and_joins_nothing(void **state) {
    (void)state;
    assert_maps("trial", "identifiers: {scheme: nct, value: a, relation: self}",
                "{'a': 'SKIN 1'}",
                "{'identifiers': [{'scheme': 'other', 'value': 'SKIN 1', 'relation': "
                "'UNVERIFIED'}]}");
    assert_maps("trial",
                "identifiers: {scheme: nct, value: a, relation: self, else: {scheme: protocol, "
                "relation: related}}",
                "{'a': 'SKIN 1'}",
                "{'identifiers': [{'scheme': 'protocol', 'relation': 'RELATED'}]}");
}

static void a_placeholder_is_never_the_thing(void **state) {
    (void)state;
    assert_maps("trial", "identifiers: {scheme: nct, value: a, relation: self}",
                "{'a': 'NCT00000000'}",
                "{'identifiers': [{'scheme': 'other', 'relation': 'UNVERIFIED'}]}");
    assert_maps("trial", "identifiers: {scheme: nct, value: a, relation: self, else: drop}",
                "{'a': 'NCT00000000'}", "{'identifiers': []}");
}

static void for_each_and_its_own_parts_go_together(void **state) {
    (void)state;
    assert_maps("trial",
                "identifiers: {for_each: ids, when: {path: kind, in: [reg]}, scheme: nct, value: "
                "no, relation: related}",
                "{'ids': [{'kind': 'reg', 'no': 'NCT99000101'}, {'kind': 'x', 'no': "
                "'NCT99000102'}, {'kind': 'reg', 'no': 'NCT99000103'}]}",
                "{'identifiers': [{'value': 'NCT99000101'}, {'value': 'NCT99000103'}]}");
    assert_maps("trial", "identifiers: {for_each: {from: a, split: ','}, scheme: nct, relation: self}",
                "{'a': 'NCT99000101, NCT99000102'}",
                "{'identifiers': [{'value': 'NCT99000101'}, {'value': 'NCT99000102'}]}");
}

static void numbers_are_found_in_running_text_once_and_without_ones_own(void **state) {
    (void)state;
    assert_maps("trial", "identifiers: {scan: [nct], value: a, except: own, relation: related}",
                "{'own': 'NCT99000101', 'a': {'b': ['see NCT99000102.', 'and NCT99000101'], 'c': "
                "'(NCT99000102; NCT99000103)'}}",
                "{'identifiers': [{'value': 'NCT99000102', 'relation': 'RELATED'}, {'value': "
                "'NCT99000103'}]}");
    assert_maps("trial", "identifiers: {scan: [nct], relation: related}",
                "{'a': 'XNCT99000102 and NCT990001020'}", "{'identifiers': []}");
}

static void an_issuer_that_is_absent_is_refused(void **state) {
    (void)state;
    assert_refuses("exchange",
                   "identifiers: {scheme: exchange-request, issuer: b, value: a, relation: self}",
                   "{'a': 'G-1'}", "IDENTIFIER", "identifiers");
    assert_maps("exchange",
                "identifiers: {scheme: exchange-request, issuer: b, value: a, relation: self}",
                "{'a': 'g-1', 'b': 'x'}",
                "{'identifiers': [{'issuer': 'x', 'value': 'G-1'}]}");
}

static void a_version_may_come_from_elsewhere(void **state) {
    (void)state;
    assert_maps("trial", "identifiers: {scheme: nct, value: a, version: v, relation: self}",
                "{'a': 'NCT99000101', 'v': 3}",
                "{'identifiers': [{'value': 'NCT99000101', 'version': '3'}]}");
}

/* --- links --- */

static void a_link_has_its_identifier(void **state) {
    (void)state;
    assert_maps("gmp-slot",
                "facility: f, links: {domain: {value: trial}, role: {value: for}, identifier: "
                "{scheme: nct, value: n, relation: related}}",
                "{'f': 'x', 'n': 'NCT99000101'}",
                "{'links': [{'domain': 'trial', 'role': 'for', 'identifier': {'scheme': 'nct', "
                "'value': 'NCT99000101', 'relation': 'RELATED'}}]}");
}

static void a_link_to_nothing_is_none(void **state) {
    (void)state;
    static const char fields[] =
        "facility: f, links: {domain: {value: trial}, role: {value: for}, identifier: "
        "{scheme: nct, value: n, relation: related, else: drop}}";
    assert_maps("gmp-slot", fields, "{'f': 'x'}", "{'links': []}");
    assert_maps("gmp-slot", fields, "{'f': 'x', 'n': 'junk'}", "{'links': []}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_scheme_classify_and_scan_is_needed_with_a_relation),
        cmocka_unit_test(schemes_and_relations_are_those_there_are),
        cmocka_unit_test(an_issuer_is_given_where_the_scheme_has_one_and_nowhere_else),
        cmocka_unit_test(what_fits_no_scheme_cannot_be_said_to_be_the_thing),
        cmocka_unit_test(a_local_pseudonym_identifies_nothing),
        cmocka_unit_test(a_number_is_put_in_its_schemes_normal_form),
        cmocka_unit_test(the_first_scheme_that_fits_is_the_one),
        cmocka_unit_test(what_fits_no_scheme_is_kept_and_joins_nothing),
        cmocka_unit_test(a_placeholder_is_never_the_thing),
        cmocka_unit_test(for_each_and_its_own_parts_go_together),
        cmocka_unit_test(numbers_are_found_in_running_text_once_and_without_ones_own),
        cmocka_unit_test(an_issuer_that_is_absent_is_refused),
        cmocka_unit_test(a_version_may_come_from_elsewhere),
        cmocka_unit_test(a_link_has_its_identifier),
        cmocka_unit_test(a_link_to_nothing_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
