/* domain_between: what the annotations say between fields and between records. */
#include "schemas/lib/domain.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/contract.h"

#include <string.h>

#define FIELD CONTRACT_FIELD
#define RULES CONTRACT_RULES
#define ROOM FIELD("room", "['null', 'string']", RULES)
#define SPAN(name, record, first, last, bound)                                                     \
    FIELD(name,                                                                                    \
          "['null', {'type': 'record', 'name': '" record "', 'fields': ["                          \
          "{'name': '" first "', 'type': " bound ", 'doc': 'd'},"                                  \
          " {'name': '" last "', 'type': " bound ", 'doc': 'd'}]}]",                               \
          RULES)
#define DATE                                                                                       \
    "{'type': 'record', 'name': 'Date', 'fields': ["                                               \
    "{'name': 'value', 'type': {'type': 'int', 'logicalType': 'date'}, 'doc': 'd'},"               \
    " {'name': 'precision', 'type': 'int', 'doc': 'd'}]}"
#define STATUS                                                                                     \
    FIELD("status",                                                                                \
          "['null', {'type': 'enum', 'name': 'Status', 'symbols': ['FREE', 'HELD',"                \
          " 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}]",                                         \
          RULES)
#define SLOT ROOM ",\n" SPAN("span", "Span", "start", "end", "'Time'") ",\n" STATUS
#define STAY                                                                                       \
    ROOM ",\n" FIELD("day", "['null', " DATE "]", RULES) ",\n"                                     \
        SPAN("actual", "Period", "from", "to", "['null', 'Date']") ",\n"                           \
        FIELD("planned", "['null', 'Period']", RULES) ",\n"                                        \
        SPAN("span", "Span", "start", "end", "'Time'") ",\n"                                       \
        SPAN("half", "Half", "from", "till", "'Date'") ",\n"                                       \
        SPAN("open", "Open", "start", "end", "['null', 'Time']") ",\n" STATUS

#define REQUIRES(requires)                                                                         \
    ROOM ",\n" FIELD("list", "{'type': 'array', 'items': 'string'}", RULES) ",\n"                  \
        FIELD("due", "'int'", RULES) ",\n"                                                         \
        FIELD("a", "['null', 'int']", "'hub:requires':\n" requires ", " RULES)
#define EXCLUSIVE(members) "'hub:exclusive':\n" members ", " CONTRACT_ANNOTATIONS

/* --- hub:requires --- */

static void what_a_field_requires_is_compiled(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  REQUIRES("{'field': 'room', 'conflict': 'critical'}"));
    assert_int_equal(contract_field(&contract, "a")->needed_field, 3);
    assert_int_equal(contract_field(&contract, "a")->needed_severity, HUB_CRITICAL);
    assert_int_equal(contract_field(&contract, "room")->needed_field, -1);
    contract_close(&contract);
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  REQUIRES("{'field': 'list', 'conflict': 'minor'}"));
    assert_int_equal(contract_field(&contract, "a")->needed_field, 4);
    contract_close(&contract);
}

static void what_is_required_is_another_field_that_may_be_left_out(void **state) {
    (void)state;
    static const char form[] = "on a field of the record {\"field\": FIELD, \"conflict\": SEVERITY}";
    static const char other[] = "another field, one that may be left out, would pass";
    expect_no_contract(CONTRACT_ANNOTATIONS, REQUIRES("'room'"), "11:1: ", form);
    expect_no_contract(CONTRACT_ANNOTATIONS, REQUIRES("{'field': 'room'}"), "11:1: ", form);
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       REQUIRES("{'filed': 'room', 'conflict': 'minor'}"), "11:2: ",
                       "unknown key 'filed'; did you mean 'field'?");
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       REQUIRES("{'field': 'rom', 'conflict': 'minor'}"), "11:11: ",
                       "'field' must name a field of the record");
    expect_no_contract(CONTRACT_ANNOTATIONS, REQUIRES("{'field': 'a', 'conflict': 'minor'}"),
                       "11:11: ", other);
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       REQUIRES("{'field': 'due', 'conflict': 'minor'}"), "11:11: ", other);
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       REQUIRES("{'field': 'room', 'conflict': 'ignore'}"), "11:31: ",
                       "minor, major or critical would pass");
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'P', 'fields': [{'name': 'p',"
                             " 'type': 'int', 'doc': 'd', 'hub:requires':\n"
                             "{'field': 'a', 'conflict': 'minor'}}]}", RULES),
                       "8:1: ", form);
}

/* --- hub:exclusive: what is compiled --- */

static void a_claim_on_times_is_compiled(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract,
                  EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'status',"
                            " 'active': ['HELD'], 'conflict': 'major'}"),
                  SLOT);
    const struct hub_exclusive *exclusive = contract.domain.exclusive;
    assert_int_equal(exclusive->of_field, 3);
    assert_int_equal(exclusive->interval_count, 1);
    assert_int_equal(exclusive->interval_fields[0], 4);
    assert_false(exclusive->days);
    assert_int_equal(exclusive->status_field, 5);
    assert_false(exclusive->active[0]);
    assert_true(exclusive->active[1]);
    assert_int_equal(exclusive->severity, HUB_MAJOR);
    contract_close(&contract);
}

static void a_claim_on_days_may_have_several_fields(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract,
                  EXCLUSIVE("{'of': 'room', 'interval': ['actual', 'planned'],"
                            " 'status': 'status', 'active': ['HELD'], 'conflict': 'major'}"),
                  STAY);
    const struct hub_exclusive *exclusive = contract.domain.exclusive;
    assert_int_equal(exclusive->interval_count, 2);
    assert_int_equal(exclusive->interval_fields[0], 5);
    assert_int_equal(exclusive->interval_fields[1], 6);
    assert_true(exclusive->days);
    contract_close(&contract);
}

/* --- hub:exclusive: refusals --- */

static void exclusiveness_names_its_fields(void **state) {
    (void)state;
    static const char kinds[] = "an enum as 'status' and a list of 'active' states would pass";
    expect_no_contract(EXCLUSIVE("'room'"), SLOT, "3:1: ", "{\"of\": FIELD, \"interval\": FIELD");
    expect_no_contract(EXCLUSIVE("{'off': 'room'}"), SLOT, "3:2: ",
                       "unknown key 'off'; did you mean 'of'?");
    expect_no_contract(EXCLUSIVE("{'interval': 'span', 'status': 'status'}"), SLOT, "3:1: ",
                       "'of' must name a field of the record");
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': []}"), SLOT,
                       "3:46: ", "'status' must name a field of the record");
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'status',"
                                 " 'active': ['HELD']}"),
                       SLOT, "3:1: ", "minor, major or critical would pass");
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'status',"
                                 " 'active': 'HELD', 'conflict': 'minor'}"),
                       SLOT, "3:1: ", kinds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'status',"
                                 " 'conflict': 'minor'}"),
                       SLOT, "3:1: ", kinds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'room',"
                                 " 'active': ['HELD'], 'conflict': 'minor'}"),
                       SLOT, "3:1: ", kinds);
}

static void an_interval_is_of_times_or_of_days(void **state) {
    (void)state;
    static const char field[] = "'interval' must name a field of the record";
    static const char bounds[] = "records of the times start and end would pass, or of the days";
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'status': 'status'}"), STAY, "3:1: ", field);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'spam'}"), STAY, "3:28: ", field);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': {}}"), STAY, "3:28: ", field);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': ['actual', []]}"), STAY, "3:39: ",
                       field);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': []}"), STAY, "3:1: ", bounds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'room'}"), STAY, "3:1: ", bounds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'half'}"), STAY, "3:1: ", bounds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'open'}"), STAY, "3:1: ", bounds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'day'}"), STAY, "3:1: ", bounds);
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': ['actual', 'span']}"), STAY, "3:1: ",
                       bounds);
}

static void active_states_are_symbols_of_the_status(void **state) {
    (void)state;
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'status',\n"
                                 "'active': ['HELD', 'BOOKED'], 'conflict': 'minor'}"),
                       SLOT, "4:20: ", "no symbol of atmp.Status");
    expect_no_contract(EXCLUSIVE("{'of': 'room', 'interval': 'span', 'status': 'status',\n"
                                 "'active': [['HELD']], 'conflict': 'minor'}"),
                       SLOT, "4:12: ", "no symbol of atmp.Status");
}

/* --- hub:reference --- */

#define HEAD_LINKS "'hub:merge': {'union': ['domain'], 'by': 'latest'}"

/* The list on the head's field `links`; the errors are told of its line. */
static void refuses_references(const char *list, const char *words) {
    struct hub_arena arena = {0};
    const char *edit = hub_arena_format(&arena, "'hub:reference': %s, " HEAD_LINKS, list);
    contract_expect_refused(CONTRACT_ANNOTATIONS, FIELD("a", "'int'", RULES), HEAD_LINKS, edit,
                            "own.avsc:6:", words, __FILE__, __LINE__);
    hub_arena_destroy(&arena);
}

static void a_reference_names_a_domain_and_what_must_not_be(void **state) {
    (void)state;
    static const char form[] = "{\"domain\": DOMAIN, \"role\": ROLE, \"conflict\": SEVERITY} would";
    static const char *const none[] = {
        "[{'conflict': 'minor'}]",
        "[{'domain': [], 'conflict': 'minor'}]",
        "[{'domain': 'trial'}]",
        "[{'domain': 'trial', 'role': [], 'conflict': 'minor'}]",
        "[{'domain': 'trial', 'field': 'status', 'conflict': 'minor'}]",
        "[{'domain': 'trial', 'not': ['X'], 'conflict': 'minor'}]",
        "[{'domain': 'trial', 'field': [], 'not': ['X'], 'conflict': 'minor'}]",
        "[{'domain': 'trial', 'field': 'status', 'not': 'X', 'conflict': 'minor'}]"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        refuses_references(none[i], form);
    refuses_references("'trial'", "a list of references would pass");
    refuses_references("['trial']", "an object with a domain would pass");
    refuses_references("[{'domein': 'trial'}]", "unknown key 'domein'; did you mean 'domain'?");
    refuses_references("[{'domain': 'trial', 'conflict': 'ignore'}]",
                       "minor, major or critical would pass");
}

static void only_links_lead_to_other_domains(void **state) {
    (void)state;
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "'int'", "'hub:reference':\n[], " RULES), "8:1: ",
                       "on the record's field 'links' it would pass");
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'P', 'fields': [{'name': 'links',"
                             " 'type': 'int', 'doc': 'd', 'hub:reference':\n[]}]}", RULES),
                       "8:1: ", "on the record's field 'links' it would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_field_requires_is_compiled),
        cmocka_unit_test(what_is_required_is_another_field_that_may_be_left_out),
        cmocka_unit_test(a_claim_on_times_is_compiled),
        cmocka_unit_test(a_claim_on_days_may_have_several_fields),
        cmocka_unit_test(exclusiveness_names_its_fields),
        cmocka_unit_test(an_interval_is_of_times_or_of_days),
        cmocka_unit_test(active_states_are_symbols_of_the_status),
        cmocka_unit_test(a_reference_names_a_domain_and_what_must_not_be),
        cmocka_unit_test(only_links_lead_to_other_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
