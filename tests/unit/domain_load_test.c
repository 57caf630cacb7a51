/* domain_load: what a domain's record says about identity, shard and label. */
#include "schemas/lib/domain.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/contract.h"

#include <string.h>

#define FIELD CONTRACT_FIELD
#define RULES CONTRACT_RULES
#define ANY FIELD("a", "'int'", RULES)
#define ROOM FIELD("room", "['null', 'string']", RULES)
#define INTERVAL                                                                                   \
    FIELD("span",                                                                                  \
          "['null', {'type': 'record', 'name': 'Span', 'fields': ["                                \
          "{'name': 'start', 'type': 'Time', 'doc': 'd'}, {'name': 'end', 'type': 'Time',"         \
          " 'doc': 'd'}]}]",                                                                       \
          RULES)
#define STATUS                                                                                     \
    FIELD("status",                                                                                \
          "['null', {'type': 'enum', 'name': 'Status', 'symbols': ['FREE', 'HELD',"                \
          " 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}]",                                         \
          RULES)
#define PEOPLE                                                                                     \
    FIELD("people",                                                                                \
          "{'type': 'array', 'items': {'type': 'record', 'name': 'Person', 'fields': ["            \
          "{'name': 'role', 'type': 'string', 'doc': 'd'}]}}",                                     \
          "'hub:merge': {'union': ['role'], 'by': 'latest'}, 'hub:conflict': 'ignore'")
#define SLOT ROOM ",\n" INTERVAL ",\n" STATUS

/* --- what is compiled --- */

static void a_record_says_how_it_is_identified_and_ranked(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS, ANY);
    const struct hub_domain *domain = &contract.domain;
    int nct = hub_scheme_index(domain->schemes, hub_bytes_of_text("nct"));
    int euct = hub_scheme_index(domain->schemes, hub_bytes_of_text("euct"));
    int utn = hub_scheme_index(domain->schemes, hub_bytes_of_text("utn"));
    assert_string_equal(domain->name, "own");
    assert_ptr_equal(domain->schema, contract.schema);
    assert_int_equal(domain->identity_count, 2);
    assert_int_equal(hub_domain_scheme_strength(domain, nct), 0);
    assert_int_equal(hub_domain_scheme_strength(domain, euct), 1);
    assert_int_equal(hub_domain_scheme_strength(domain, utn), -1);
    assert_int_equal(hub_domain_system_rank(domain, hub_bytes_of_text("ctis")), 0);
    assert_int_equal(hub_domain_system_rank(domain, hub_bytes_of_text("ctgov")), 1);
    assert_int_equal(hub_domain_system_rank(domain, hub_bytes_of_text("euctr")), 2);
    assert_int_equal(hub_domain_system_rank(domain, hub_bytes_of_text("nobody")), 2);
    contract_close(&contract);
}

static void what_a_record_does_not_say_is_none(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS, ANY);
    assert_int_equal(contract.domain.shard_field, -1);
    assert_int_equal(contract.domain.lifecycle_field, -1);
    assert_null(contract.domain.exclusive);
    assert_int_equal(contract.domain.resemblance_count, 0);
    assert_null(contract.domain.label[0]);
    assert_false(contract_field(&contract, "a")->is_volatile);
    assert_false(contract.domain.contract.atomic);
    contract_close(&contract);
}

static void the_stamp_is_found_by_name(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS, ANY);
    const struct hub_stamp_fields *stamp = &contract.domain.stamp;
    assert_int_equal(stamp->version, 0);
    assert_int_equal(stamp->event_time, 1);
    assert_int_equal(stamp->state, 2);
    assert_int_equal(stamp->reason, 3);
    assert_int_equal(stamp->current_symbol, 0);
    assert_int_equal(stamp->withdrawn_symbol, 1);
    assert_true(contract_field(&contract, "statement")->is_volatile);
    contract_close(&contract);
}

static void parts_of_records_have_contracts_of_their_own(void **state) {
    (void)state;
    struct contract contract;
    contract_open(
        &contract, CONTRACT_ANNOTATIONS,
        FIELD("by", "['null', {'type': 'record', 'name': 'By', 'hub:atomic': true,"
              " 'hub:same': ['org', 'text'], 'fields': ["
              "{'name': 'text', 'type': 'string', 'doc': 'd', 'hub:equal': 'fold'},"
              "{'name': 'org', 'type': ['null', 'string'], 'doc': 'd'}]}]", RULES) ", " PEOPLE);
    const struct hub_contract *parts = contract_field(&contract, "by")->parts;
    assert_true(parts->atomic);
    assert_int_equal(parts->count, 2);
    assert_int_equal(parts->fields[0].equality, HUB_EQUAL_FOLD);
    assert_int_equal(parts->decisive_count, 2);
    assert_int_equal(parts->decisive[0], 1);
    assert_int_equal(parts->decisive[1], 0);
    assert_false(contract_field(&contract, "people")->parts->atomic);
    assert_int_equal(contract_field(&contract, "people")->parts->count, 1);
    contract_close(&contract);
}

static void conflicts_have_a_severity_or_are_ignored(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  FIELD("a", "'int'", "'hub:merge': 'latest', 'hub:conflict': 'critical'") ", "
                  FIELD("b", "'int'", "'hub:merge': 'latest', 'hub:conflict': 'major'") ", "
                  FIELD("c", "'int'", "'hub:merge': 'latest', 'hub:conflict': 'minor'") ", "
                  FIELD("d", "'int'", "'hub:merge': 'latest', 'hub:conflict': 'ignore'"));
    assert_int_equal(contract_field(&contract, "a")->severity, HUB_CRITICAL);
    assert_int_equal(contract_field(&contract, "b")->severity, HUB_MAJOR);
    assert_int_equal(contract_field(&contract, "c")->severity, HUB_MINOR);
    assert_true(contract_field(&contract, "c")->reports_conflict);
    assert_false(contract_field(&contract, "d")->reports_conflict);
    contract_close(&contract);
}

static void shard_resemblance_and_label_are_compiled(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract,
                  "'hub:identity': ['slot'], 'hub:systems': [], 'hub:class': 'none',"
                  " 'hub:retention': 'T', 'hub:shard': 'room',"
                  " 'hub:possible': [['room', 'span'], ['status']],"
                  " 'hub:label': [['status'], ['people[lead].role', 'span.start.time']]",
                  SLOT ",\n" PEOPLE);
    const struct hub_domain *domain = &contract.domain;
    assert_int_equal(domain->shard_field, 3);
    assert_int_equal(domain->resemblance_count, 2);
    assert_int_equal(domain->resemblances[0].count, 2);
    assert_int_equal(domain->resemblances[0].fields[1], 4);
    assert_int_equal(domain->resemblances[1].fields[0], 5);
    assert_string_equal(domain->label[0][0], "status");
    assert_null(domain->label[0][1]);
    assert_string_equal(domain->label[1][0], "people[lead].role");
    assert_string_equal(domain->label[1][1], "span.start.time");
    assert_null(domain->label[2]);
    contract_close(&contract);
}

/* --- refusals: identity, systems, label --- */

static void a_domain_is_a_record_with_a_name(void **state) {
    (void)state;
    struct hub_arena arena = {0};
    struct hub_schema *schema = schema_new("'int'");
    struct hub_domain domain;
    struct hub_error error;
    expect_refusal(hub_domain_load(schema, NULL, NULL, &arena, &domain, &error), HUB_FATAL, &error,
                   "own.avsc:1:1: ", "a domain's schema must be a record");
    hub_schema_free(schema);
    expect_no_contract_edited("'hub:domain': 'own'", "'note': ''", "1:1: ",
                              "'hub:domain' must give the domain's name");
    expect_no_contract_edited("'hub:domain': 'own'", "'hub:domain': ''", "1:1: ",
                              "'hub:domain' must give the domain's name");
    expect_no_contract_edited("'hub:domain': 'own'", "'hub:domain': ['own']", "1:1: ",
                              "'hub:domain' must give the domain's name");
}

static void identity_lists_schemes_that_join(void **state) {
    (void)state;
    static const char must[] = "'hub:identity' must list identifier schemes, strongest first";
    expect_no_contract(CONTRACT_REST, ANY, "1:1: ", must);
    expect_no_contract("'hub:identity': 'nct', " CONTRACT_REST, ANY, "1:1: ", must);
    expect_no_contract("'hub:identity': [], " CONTRACT_REST, ANY, "1:1: ", must);
    expect_no_contract("'hub:identity': ['nct', 'ntc'], " CONTRACT_REST, ANY, "2:25: ",
                       "'ntc' is no scheme of schemes.json that may join");
    expect_no_contract("'hub:identity': ['utn'], " CONTRACT_REST, ANY, "2:18: ",
                       "'utn' is no scheme of schemes.json that may join");
    expect_no_contract("'hub:identity': [['nct']], " CONTRACT_REST, ANY, "2:18: ",
                       "'' is no scheme");
}

static void systems_are_known_ones(void **state) {
    (void)state;
    static const char must[] = "'hub:systems' must list the systems by rank";
    expect_no_contract_edited("'hub:systems': ['ctis', 'ctgov']", "'note': 1", "1:1: ", must);
    expect_no_contract_edited("'hub:systems': ['ctis', 'ctgov']", "'hub:systems': 'ctis'", "1:1: ",
                              must);
    expect_no_contract_edited("['ctis', 'ctgov']", "['ctis', 'ctgv']", "2:",
                              "'ctgv' is not in systems.json");
    expect_no_contract_edited("['ctis', 'ctgov']", "['ctis', {}]", "2:",
                              "'' is not in systems.json");
}

static void a_label_lists_paths_of_the_record(void **state) {
    (void)state;
    static const char *const none[] = {"'b'", "'a.b'", "''", "[]", "'.a'", "'a..b'",
                                       "'statement.no'"};
    static const char must[] = "'hub:label' must list what people recognise a record by";
    struct hub_arena arena = {0};
    expect_no_contract_edited("'hub:label': []", "'note': 1", "1:1: ", must);
    expect_no_contract_edited("'hub:label': []", "'hub:label': 'a'", "1:1: ", must);
    expect_no_contract_edited("'hub:label': []", "'hub:label': ['a']", "2:",
                              "a list of paths would pass");
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        expect_no_contract_edited("'hub:label': []",
                                  hub_arena_format(&arena, "'hub:label': [['a'], ['a', %s]]",
                                                   none[i]),
                                  "2:", "a path of the record's fields would pass");
    HUB_SCOPED_BUFFER overlong = {0};
    for (int i = 0; i < 128; i++)
        hub_buffer_append_byte(&overlong, 'x');
    expect_no_contract_edited("'hub:label': []",
                              hub_arena_format(&arena, "'hub:label': [['%s']]",
                                               hub_buffer_text(&overlong)),
                              "2:", "a path of the record's fields would pass");
    hub_arena_destroy(&arena);
}

static void what_resembles_is_a_list_of_lists_of_fields(void **state) {
    (void)state;
    static const char field[] = "a field of the record after 'links' would pass";
    expect_no_contract("'hub:possible': 'a', " CONTRACT_ANNOTATIONS, ANY, "2:17: ",
                       "'hub:possible' must list lists of field names");
    expect_no_contract("'hub:possible': {'x': ['a']}, " CONTRACT_ANNOTATIONS, ANY, "2:17: ",
                       "'hub:possible' must list lists of field names");
    expect_no_contract("'hub:possible': ['a'], " CONTRACT_ANNOTATIONS, ANY, "2:18: ",
                       "a list of field names would pass");
    expect_no_contract("'hub:possible': [[]], " CONTRACT_ANNOTATIONS, ANY, "2:18: ",
                       "a list of field names would pass");
    expect_no_contract("'hub:possible': [['a', 'b']], " CONTRACT_ANNOTATIONS, ANY, "2:24: ", field);
    expect_no_contract("'hub:possible': [['links']], " CONTRACT_ANNOTATIONS, ANY, "2:19: ", field);
    expect_no_contract("'hub:possible': [[['a']]], " CONTRACT_ANNOTATIONS, ANY, "2:19: ", field);
}

/* --- refusals: the stamp and the shard --- */

static void the_stamps_state_knows_both_its_words(void **state) {
    (void)state;
    expect_no_contract_edited("'CURRENT', 'WITHDRAWN', ", "'CURRENT', 'GONE', ", "4:",
                              "atmp.StatementState needs CURRENT and WITHDRAWN");
    expect_no_contract_edited("'CURRENT', 'WITHDRAWN', ", "'WITHDRAWN', ", "4:",
                              "atmp.StatementState needs CURRENT and WITHDRAWN");
}

static void a_stamp_of_too_many_parts_is_refused(void **state) {
    (void)state;
    HUB_SCOPED_BUFFER text = {0};
    for (int i = 0; i < 29; i++)
        hub_buffer_append_format(&text, "{'name': 'p%d', 'type': 'int', 'doc': 'd'}, ", i);
    hub_buffer_append_text(&text, "{'name': 'reason', ");
    expect_no_contract_edited("{'name': 'reason', ", hub_buffer_text(&text), "4:",
                              "33 fields, over the limit of 32");
}

static void the_shard_is_a_text_field(void **state) {
    (void)state;
    expect_no_contract("'hub:shard': 'rom', " CONTRACT_ANNOTATIONS, ROOM, "2:14: ",
                       "'hub:shard' must name a field of the record");
    expect_no_contract("'hub:shard': ['room'], " CONTRACT_ANNOTATIONS, ROOM, "2:14: ",
                       "'hub:shard' must name a field of the record");
    expect_no_contract("'hub:shard': 'a', " CONTRACT_ANNOTATIONS, ANY, "2:14: ",
                       "the shard's value is a text; a string field would pass");
}

/* --- refusals: fields and parts --- */

static void flags_are_true_or_false(void **state) {
    (void)state;
    expect_no_contract(CONTRACT_ANNOTATIONS, FIELD("a", "'int'", RULES ",\n'hub:volatile': 'yes'"),
                       "8:17: ", "'hub:volatile' must be true or false");
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'P',\n'hub:atomic': 'true',"
                             " 'fields': []}", RULES),
                       "8:15: ", "'hub:atomic' must be true or false");
}

static void what_tells_records_apart_is_a_list_of_their_parts(void **state) {
    (void)state;
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'P',\n'hub:same': 'org',"
                             " 'fields': []}", RULES),
                       "8:13: ", "a list of field names would pass");
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'P',\n'hub:same': ['org'],"
                             " 'fields': []}", RULES),
                       "8:14: ", "the record has no such field");
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'P',\n'hub:same': [{}],"
                             " 'fields': []}", RULES),
                       "8:14: ", "the record has no such field");
}

static void a_conflicts_severity_is_a_known_word(void **state) {
    (void)state;
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "'int'", "'hub:merge': 'latest',\n'hub:conflict': 'serious'"),
                       "8:17: ", "ignore, minor, major or critical would pass");
}

static void a_record_has_one_life_cycle(void **state) {
    (void)state;
    expect_no_contract(
        CONTRACT_ANNOTATIONS,
        FIELD("a", "{'type': 'enum', 'name': 'E', 'symbols': ['X', 'UNRECOGNISED'],"
              " 'default': 'UNRECOGNISED'}", RULES ", 'hub:lifecycle': {'X': []}") ",\n"
        FIELD("b", "'E'", RULES ", 'hub:lifecycle': {'X': []}"),
        "8:1: ", "a second field with a life cycle; one would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_says_how_it_is_identified_and_ranked),
        cmocka_unit_test(what_a_record_does_not_say_is_none),
        cmocka_unit_test(the_stamp_is_found_by_name),
        cmocka_unit_test(parts_of_records_have_contracts_of_their_own),
        cmocka_unit_test(conflicts_have_a_severity_or_are_ignored),
        cmocka_unit_test(shard_resemblance_and_label_are_compiled),
        cmocka_unit_test(a_domain_is_a_record_with_a_name),
        cmocka_unit_test(identity_lists_schemes_that_join),
        cmocka_unit_test(systems_are_known_ones),
        cmocka_unit_test(a_label_lists_paths_of_the_record),
        cmocka_unit_test(what_resembles_is_a_list_of_lists_of_fields),
        cmocka_unit_test(the_stamps_state_knows_both_its_words),
        cmocka_unit_test(a_stamp_of_too_many_parts_is_refused),
        cmocka_unit_test(the_shard_is_a_text_field),
        cmocka_unit_test(flags_are_true_or_false),
        cmocka_unit_test(what_tells_records_apart_is_a_list_of_their_parts),
        cmocka_unit_test(a_conflicts_severity_is_a_known_word),
        cmocka_unit_test(a_record_has_one_life_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
