/* merge_reason: a rule in words. */
#include "hub/core/merge.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"

static const char fields[] =
    "[{'name': 'host', 'type': 'string', 'doc': 'd', 'hub:merge': 'latest',"
    "  'hub:conflict': 'minor'},"
    " {'name': 'stage', 'type': ['null', {'type': 'enum', 'name': 'Stage', 'doc': 'd',"
    "   'symbols': ['MADE', 'RELEASED', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}],"
    "  'doc': 'd', 'default': null, 'hub:conflict': 'minor',"
    "  'hub:merge': [{'reserve': ['MADE', 'RELEASED'], 'for': ['system:ctis', 'role:host']},"
    "   {'precedence': ['RELEASED', 'UNRECOGNISED', 'MADE']}, {'precedence': ['MADE']}, 'agree']},"
    " {'name': 'count', 'type': ['null', {'type': 'record', 'name': 'Count', 'doc': 'd',"
    "   'hub:atomic': true, 'fields': ["
    "    {'name': 'number', 'type': 'int', 'doc': 'd'},"
    "    {'name': 'kind', 'type': {'type': 'enum', 'name': 'Kind', 'doc': 'd',"
    "      'symbols': ['TARGET', 'ACTUAL', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'},"
    "     'doc': 'd', 'default': 'UNRECOGNISED'}]}], 'doc': 'd', 'default': null,"
    "  'hub:merge': [{'precedence': ['ACTUAL'], 'of': 'kind'},"
    "   {'authority': ['institution:sus', 'system:ctis'], 'only': true},"
    "   {'authority': ['system:ctis']}],"
    "  'hub:conflict': 'minor'}]";

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

static void expect_words(const char *field, size_t rule, const char *words) {
    const struct hub_domain *domain = own_domain(own);
    HUB_SCOPED_BUFFER text = {0};
    int index = hub_type_field(domain->schema->root, field);
    hub_merge_rule_append(&domain->contract.fields[index], rule, &text);
    assert_string_equal(hub_buffer_text(&text), words);
}

static void a_rule_without_members_is_its_name(void **state) {
    (void)state;
    expect_words("host", 0, "latest");
    expect_words("stage", 3, "agree");
}

static void an_authority_names_whom_it_believes_and_whether_it_is_all(void **state) {
    (void)state;
    expect_words("count", 1, "authority of institution:sus, then system:ctis, and nobody else");
    expect_words("count", 2, "authority of system:ctis");
}

static void a_reserve_names_its_symbols_and_whom_they_are_for(void **state) {
    (void)state;
    expect_words("stage", 0, "reserve MADE, RELEASED for system:ctis, then role:host");
}

static void a_precedence_names_its_symbols_best_first(void **state) {
    (void)state;
    expect_words("stage", 1, "precedence: RELEASED, then UNRECOGNISED, then MADE");
    expect_words("stage", 2, "precedence: MADE");
    expect_words("count", 0, "precedence of kind: ACTUAL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_without_members_is_its_name),
        cmocka_unit_test(an_authority_names_whom_it_believes_and_whether_it_is_all),
        cmocka_unit_test(a_reserve_names_its_symbols_and_whom_they_are_for),
        cmocka_unit_test(a_precedence_names_its_symbols_best_first),
    };
    return cmocka_run_group_tests(tests, make_domain, free_domain);
}
