/* domain_rules: hub:merge, hub:equal and hub:lifecycle, and every way to get them wrong. */
#include "schemas/lib/domain_rules.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/contract.h"

#define FIELD CONTRACT_FIELD
#define ENUM(name, symbols)                                                                        \
    "{'type': 'enum', 'name': '" name "', 'symbols': [" symbols ", 'UNRECOGNISED'],"               \
    " 'default': 'UNRECOGNISED'}"
#define COLOUR ENUM("Colour", "'RED', 'BLUE'")
#define DATE                                                                                       \
    "{'type': 'record', 'name': 'Date', 'fields': [{'name': 'day', 'type': 'int', 'doc': 'd'}]}"
#define COUNT                                                                                      \
    "{'type': 'record', 'name': 'Count', 'fields': ["                                              \
    "{'name': 'kind', 'type': " ENUM("Kind", "'PLANNED', 'ACTUAL'") ", 'doc': 'd'},"               \
    "{'name': 'number', 'type': 'int', 'doc': 'd'}]}"
#define PEOPLE                                                                                     \
    "{'type': 'array', 'items': {'type': 'record', 'name': 'Person', 'fields': ["                  \
    "{'name': 'role', 'type': 'string', 'doc': 'd'},"                                              \
    "{'name': 'name', 'type': 'string', 'doc': 'd'}]}}"

/* A field `a` of a type, with a rule that stands alone in line 8. */
#define MERGED(type, rule) FIELD("a", type, "'hub:conflict': 'minor', 'hub:merge':\n" rule)
#define EQUAL(type, rule) FIELD("a", type, CONTRACT_RULES ", 'hub:equal':\n" rule)
#define CYCLE(type, rule) FIELD("a", type, CONTRACT_RULES ", 'hub:lifecycle':\n" rule)

#define refuses(fields, place, words) expect_no_contract(CONTRACT_ANNOTATIONS, fields, place, words)

static struct contract contract;

static const struct hub_field_contract *compiled(const char *fields) {
    contract_open(&contract, CONTRACT_ANNOTATIONS, fields);
    return contract_field(&contract, "a");
}

static int end(void **state) {
    (void)state;
    contract_close(&contract);
    contract = (struct contract){0};
    return 0;
}

/* --- hub:merge --- */

static void a_word_is_a_chain_of_one_rule(void **state) {
    (void)state;
    static const struct {
        const char *word;
        enum hub_rule_kind kind;
    } words[] = {{"latest", HUB_RULE_LATEST},
                 {"earliest", HUB_RULE_EARLIEST},
                 {"max", HUB_RULE_MAX},
                 {"min", HUB_RULE_MIN},
                 {"agree", HUB_RULE_AGREE}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct hub_arena arena = {0};
        const struct hub_field_contract *field = compiled(hub_arena_format(
            &arena, MERGED("['null', 'long']", "'%s'"), words[i].word));
        assert_int_equal(field->rule_count, 1);
        assert_int_equal(field->rules[0].kind, words[i].kind);
        assert_false(field->is_union);
        hub_arena_destroy(&arena);
        contract_close(&contract);
    }
    contract = (struct contract){0};
}

static void a_list_is_a_chain_in_its_order(void **state) {
    (void)state;
    const struct hub_field_contract *field = compiled(MERGED(COLOUR,
        "[{'authority': ['role:by', 'system:ctis', 'institution:lu'], 'only': true},"
        " {'precedence': ['BLUE', 'RED']}, 'latest']") ", "
        FIELD("by", "'string'", CONTRACT_RULES));
    assert_int_equal(field->rule_count, 3);
    const struct hub_rule *first = &field->rules[0], *second = &field->rules[1];
    assert_int_equal(first->kind, HUB_RULE_AUTHORITY);
    assert_true(first->only);
    assert_int_equal(first->authority_count, 3);
    assert_int_equal(first->authorities[0].kind, HUB_AUTHORITY_ROLE);
    assert_int_equal(first->authorities[0].role_field, 4);
    assert_int_equal(first->authorities[1].kind, HUB_AUTHORITY_SYSTEM);
    assert_string_equal(first->authorities[1].name, "ctis");
    assert_int_equal(first->authorities[1].role_field, -1);
    assert_int_equal(first->authorities[2].kind, HUB_AUTHORITY_INSTITUTION);
    assert_string_equal(first->authorities[2].name, "lu");
    assert_int_equal(second->kind, HUB_RULE_PRECEDENCE);
    assert_int_equal(second->symbol_ranks[0], 1); /* RED */
    assert_int_equal(second->symbol_ranks[1], 0); /* BLUE */
    assert_int_equal(second->symbol_ranks[2], 2); /* not listed */
    assert_int_equal(field->rules[2].kind, HUB_RULE_LATEST);
}

static void precedence_may_be_by_a_part(void **state) {
    (void)state;
    const struct hub_field_contract *field =
        compiled(MERGED("['null', " COUNT "]", "{'precedence': ['ACTUAL'], 'of': 'kind'}"));
    assert_string_equal(field->rules[0].of, "kind");
    assert_int_equal(field->rules[0].symbol_ranks[1], 0);
    assert_int_equal(field->rules[0].symbol_ranks[0], 1);
}

static void a_union_is_by_the_keys_of_its_elements(void **state) {
    (void)state;
    const struct hub_field_contract *field = compiled(
        MERGED(PEOPLE, "{'union': ['name', 'role'], 'by': [{'authority': ['system:ctis']},"
                       " 'latest']}"));
    assert_true(field->is_union);
    assert_int_equal(field->key_count, 2);
    assert_int_equal(field->key_fields[0], 1);
    assert_int_equal(field->key_fields[1], 0);
    assert_int_equal(field->rule_count, 2);
}

static void a_union_of_plain_elements_has_no_key(void **state) {
    (void)state;
    const struct hub_field_contract *field = compiled(
        MERGED("{'type': 'array', 'items': 'string'}", "{'union': [], 'by': 'earliest'}"));
    assert_true(field->is_union);
    assert_int_equal(field->key_count, 0);
}

static void an_unknown_rule_is_refused(void **state) {
    (void)state;
    static const char words[] = "latest, earliest, max, min, agree, {authority: [...]}, "
                                "{precedence: [...]} or {reserve: [...], for: [...]} would pass";
    refuses(MERGED("'int'", "'newest'"), "8:1: ", words);
    refuses(MERGED("'int'", "['latest', 5]"), "8:12: ", words);
    refuses(MERGED("'int'", "{}"), "8:1: ", words);
    refuses(MERGED("'int'", "[['latest']]"), "8:2: ", words);
    refuses(MERGED("'int'", "[]"), "8:1: ", "a list of at least one rule would pass");
}

static void max_and_min_need_a_number_or_a_date(void **state) {
    (void)state;
    static const char words[] = "max and min need a number or a date";
    refuses(MERGED("'string'", "'max'"), "8:1: ", words);
    refuses(MERGED("['null', 'double']", "'min'"), "8:1: ", words);
    refuses(MERGED("{'type': 'record', 'name': 'None', 'fields': []}", "'max'"), "8:1: ", words);
    refuses(MERGED(PEOPLE, "['latest', 'max']"), "8:12: ", words);
    compiled(MERGED("['null', " DATE "]", "'max'"));
}

static void whom_to_believe_is_known(void **state) {
    (void)state;
    static const char kinds[] = "role:FIELD, system:NAME, institution:NAME or, in a union, "
                                "element:FIELD would pass";
    refuses(MERGED("'int'", "{'authority': 'system:ctis'}"), "8:15: ",
            "a list of whom to believe would pass");
    refuses(MERGED("'int'", "{'authority': []}"), "8:15: ", "a list of whom to believe would pass");
    refuses(MERGED("'int'", "{'authority': ['ctis']}"), "8:16: ", kinds);
    refuses(MERGED("'int'", "{'authority': ['system:ctis', 'person:me']}"), "8:31: ", kinds);
    refuses(MERGED("'int'", "{'authority': [{}]}"), "8:16: ", kinds);
    refuses(MERGED("'int'", "{'authority': ['systems:ctis']}"), "8:16: ", kinds);
    refuses(MERGED("'int'", "{'authority': ['person:a', 'institutes:lu']}"), "8:16: ", kinds);
    refuses(MERGED("'int'", "{'authority': ['institutes1:lu']}"), "8:16: ", kinds);
    refuses(MERGED("'int'", "{'authority': ['rule:a']}"), "8:16: ", kinds);
    refuses(MERGED("'int'", "{'authority': ['system:nowhere']}"), "8:16: ",
            "'nowhere' is not in systems.json");
    refuses(MERGED("'int'", "{'authority': ['institution:nowhere']}"), "8:16: ",
            "'nowhere' carries no system");
    refuses(MERGED("'int'", "{'authority': ['role:b']}"), "8:16: ", "the record has no field 'b'");
    refuses(MERGED("'int'", "{'authority': ['system:ctis'], 'only': 'yes'}"), "8:40: ",
            "true or false would pass");
    refuses(MERGED("'int'", "{'authority': ['system:ctis'], 'onyl': true}"), "8:32: ",
            "unknown key 'onyl'; did you mean 'only'?");
}

static void a_role_names_an_organisation(void **state) {
    (void)state;
    static const char words[] = "'a' names no organisation; a string, or a record with the string "
                                "'org', would pass";
    refuses(MERGED("'int'", "{'authority': ['role:a']}"), "8:16: ", words);
    refuses(MERGED(COUNT, "{'authority': ['role:a']}"), "8:16: ", words);
    refuses(MERGED("{'type': 'record', 'name': 'By', 'fields': [{'name': 'org', 'type': 'int',"
                   " 'doc': 'd'}]}", "{'authority': ['role:a']}"), "8:16: ", words);
    compiled(MERGED("['null', {'type': 'record', 'name': 'By', 'fields': [{'name': 'org',"
                    " 'type': ['null', 'string'], 'doc': 'd'}]}]", "{'authority': ['role:a']}"));
}

static void precedence_lists_symbols(void **state) {
    (void)state;
    static const char kinds[] = "precedence is a list of symbols and needs an enum, or 'of' one";
    refuses(MERGED("'int'", "{'precedence': ['RED']}"), "8:1: ", kinds);
    refuses(MERGED(COLOUR, "{'precedence': 'RED'}"), "8:1: ", kinds);
    refuses(MERGED(COUNT, "{'precedence': ['ACTUAL']}"), "8:1: ", kinds);
    refuses(MERGED(COUNT, "{'precedence': ['ACTUAL'], 'of': 'number'}"), "8:1: ", kinds);
    refuses(MERGED(COUNT, "{'precedence': ['ACTUAL'], 'of': 'sort'}"), "8:34: ",
            "the field's record has no such part");
    refuses(MERGED(COUNT, "{'precedence': ['ACTUAL'], 'of': []}"), "8:34: ",
            "the field's record has no such part");
    refuses(MERGED(COLOUR, "{'precedence': ['RED', 'GREEN']}"), "8:24: ",
            "no symbol of atmp.Colour");
    refuses(MERGED(COLOUR, "{'precedence': [{}]}"), "8:17: ", "no symbol of atmp.Colour");
    refuses(MERGED(COLOUR, "{'precedence': ['RED'], 'off': 'x'}"), "8:25: ", "unknown key 'off'");
}

static void reserve_lists_symbols_and_whose_they_are(void **state) {
    (void)state;
    static const char kinds[] = "reserve is a list of an enum's symbols, and 'for' says whose";
    const struct hub_field_contract *field = compiled(
        MERGED("['null', " COLOUR "]", "[{'reserve': ['BLUE'], 'for': ['system:ctis', 'role:by']}]")
        ", " FIELD("by", "'string'", CONTRACT_RULES));
    assert_int_equal(field->rules[0].kind, HUB_RULE_RESERVE);
    assert_int_equal(field->rules[0].symbol_ranks[0], 1);
    assert_int_equal(field->rules[0].symbol_ranks[1], 0);
    assert_int_equal(field->rules[0].authority_count, 2);
    assert_int_equal(field->rules[0].authorities[1].role_field, 4);
    contract_close(&contract);
    contract = (struct contract){0};
    refuses(MERGED("'int'", "{'reserve': ['RED'], 'for': ['system:ctis']}"), "8:1: ", kinds);
    refuses(MERGED(COLOUR, "{'reserve': 'RED', 'for': ['system:ctis']}"), "8:1: ", kinds);
    refuses(MERGED(COLOUR, "{'reserve': [], 'for': ['system:ctis']}"), "8:1: ", kinds);
    refuses(MERGED(COLOUR, "{'reserve': ['RED']}"), "8:1: ", kinds);
    refuses(MERGED(COLOUR, "{'reserve': ['GREEN'], 'for': ['system:ctis']}"), "8:14: ",
            "no symbol of atmp.Colour");
    refuses(MERGED(COLOUR, "{'reserve': [{}], 'for': ['system:ctis']}"), "8:14: ",
            "no symbol of atmp.Colour");
    refuses(MERGED(COLOUR, "{'reserve': ['RED'], 'for': ['nobody']}"), "8:30: ", "role:FIELD");
    refuses(MERGED(COLOUR, "{'reserve': ['RED'], 'for': []}"), "8:29: ",
            "a list of whom to believe would pass");
    refuses(MERGED(COLOUR, "{'reserve': ['RED'], 'fro': []}"), "8:22: ", "unknown key 'fro'");
    refuses(MERGED("{'type': 'array', 'items': " COLOUR "}",
                   "{'union': [], 'by': {'reserve': ['RED'], 'for': ['system:ctis']}}"),
            "8:21: ", "elements are merged part by part");
}

static void a_union_is_of_an_array_with_rules(void **state) {
    (void)state;
    static const char kinds[] = "union is for arrays: {\"union\": [key fields], \"by\": rules}";
    refuses(MERGED("'int'", "{'union': [], 'by': 'latest'}"), "8:1: ", kinds);
    refuses(MERGED("['null', " PEOPLE "]", "{'union': ['role'], 'by': 'latest'}"), "8:1: ", kinds);
    refuses(MERGED(PEOPLE, "{'union': ['role']}"), "8:1: ", kinds);
    refuses(MERGED(PEOPLE, "{'union': 'role', 'by': 'latest'}"), "8:1: ", kinds);
    refuses(MERGED(PEOPLE, "{'union': ['role'], 'buy': 'latest'}"), "8:21: ",
            "unknown key 'buy'; did you mean 'by'?");
    refuses(MERGED(PEOPLE, "{'union': ['role', 'rule'], 'by': 'latest'}"), "8:20: ",
            "the elements have no such field");
    refuses(MERGED(PEOPLE, "{'union': [[]], 'by': 'latest'}"), "8:12: ",
            "the elements have no such field");
    refuses(MERGED("{'type': 'array', 'items': 'int'}", "{'union': ['x'], 'by': 'latest'}"),
            "8:12: ", "the elements have no such field");
    refuses(MERGED(PEOPLE, "{'union': ['role'], 'by': 'newest'}"), "8:27: ", "latest, earliest");
}

static void only_rules_for_whole_statements_rank_elements(void **state) {
    (void)state;
    static const char words[] = "elements are merged part by part; only authority, latest, "
                                "earliest and agree rank whole statements";
    refuses(MERGED("{'type': 'array', 'items': 'int'}", "{'union': [], 'by': 'max'}"), "8:21: ",
            words);
    refuses(MERGED("{'type': 'array', 'items': 'int'}", "{'union': [], 'by': ['latest', 'min']}"),
            "8:21: ", words);
    refuses(MERGED("{'type': 'array', 'items': " COLOUR "}",
                   "{'union': [], 'by': {'precedence': ['RED']}}"), "8:21: ", words);
}

/* --- hub:equal --- */

static void equality_is_exact_unless_said_otherwise(void **state) {
    (void)state;
    static const struct {
        const char *fields;
        enum hub_equality equality;
    } cases[] = {{FIELD("a", "'int'", CONTRACT_RULES), HUB_EQUAL_EXACT},
                 {EQUAL("'int'", "'exact'"), HUB_EQUAL_EXACT},
                 {EQUAL("'int'", "'ignore'"), HUB_EQUAL_IGNORE},
                 {EQUAL("['null', 'string']", "'fold'"), HUB_EQUAL_FOLD},
                 {EQUAL("{'type': 'array', 'items': 'string'}", "'set'"), HUB_EQUAL_SET},
                 {EQUAL("['null', " DATE "]", "'date'"), HUB_EQUAL_DATE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(compiled(cases[i].fields)->equality, cases[i].equality);
        contract_close(&contract);
    }
    contract = (struct contract){0};
}

static void numbers_may_differ_by_a_tolerance(void **state) {
    (void)state;
    static const char *const types[] = {"'int'", "'long'", "'float'", "['null', 'double']"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct hub_arena arena = {0};
        const struct hub_field_contract *field =
            compiled(hub_arena_format(&arena, EQUAL("%s", "{'tolerance': 0.5}"), types[i]));
        assert_int_equal(field->equality, HUB_EQUAL_TOLERANCE);
        assert_true(field->tolerance == 0.5);
        hub_arena_destroy(&arena);
        contract_close(&contract);
    }
    contract = (struct contract){0};
}

static void records_apart_speak_of_other_facts(void **state) {
    (void)state;
    const struct hub_field_contract *field =
        compiled(EQUAL("['null', " COUNT "]", "{'apart': 'kind', 'wild': ['UNRECOGNISED']}"));
    assert_int_equal(field->equality, HUB_EQUAL_APART);
    assert_int_equal(field->apart_field, 0);
    assert_false(field->apart_wild[0]);
    assert_true(field->apart_wild[2]);
    contract_close(&contract);
    field = compiled(EQUAL(COUNT, "{'apart': 'kind'}"));
    assert_false(field->apart_wild[2]);
}

static void an_equality_fits_its_type(void **state) {
    (void)state;
    static const char words[] = "exact, ignore, fold (text), set (array), date (Date), reachable "
                                "(a life cycle), {tolerance: N} (number) or {apart: ENUM} (record)";
    refuses(EQUAL("'int'", "'fold'"), "8:1: ", words);
    refuses(EQUAL("'string'", "'set'"), "8:1: ", words);
    refuses(EQUAL("'int'", "'date'"), "8:1: ", words);
    refuses(EQUAL(COUNT, "'date'"), "8:1: ", words);
    refuses(EQUAL(COLOUR, "'reachable'"), "8:1: ", words);
    refuses(EQUAL("'string'", "{'tolerance': 1}"), "8:1: ", words);
    refuses(EQUAL("'int'", "{'tolerance': '1'}"), "8:1: ", words);
    refuses(EQUAL("'int'", "{'tolerance': -1}"), "8:1: ", words);
    refuses(EQUAL("'int'", "'same'"), "8:1: ", words);
    refuses(EQUAL("'int'", "['exact']"), "8:1: ", words);
}

static void what_tells_facts_apart_is_an_enum_of_the_record(void **state) {
    (void)state;
    static const char words[] = "the name of an enum in the record would pass";
    refuses(EQUAL(COUNT, "{'apart': 'sort'}"), "8:11: ", words);
    refuses(EQUAL(COUNT, "{'apart': 'number'}"), "8:11: ", words);
    refuses(EQUAL(COUNT, "{'apart': []}"), "8:11: ", words);
    refuses(EQUAL("'int'", "{'apart': 'kind'}"), "8:11: ", words);
    refuses(EQUAL(COUNT, "{'apart': 'kind', 'will': []}"), "8:19: ",
            "unknown key 'will'; did you mean 'wild'?");
    refuses(EQUAL(COUNT, "{'apart': 'kind', 'wild': 'ACTUAL'}"), "8:27: ",
            "a list of symbols would pass");
    refuses(EQUAL(COUNT, "{'apart': 'kind', 'wild': ['ACTUAL', 'GUESSED']}"), "8:38: ",
            "no symbol of atmp.Kind");
    refuses(EQUAL(COUNT, "{'apart': 'kind', 'wild': [['ACTUAL']]}"), "8:28: ",
            "no symbol of atmp.Kind");
}

/* --- hub:lifecycle --- */

#define STATES ENUM("State", "'NEW', 'OPEN', 'DONE', 'GONE'")

static void a_life_cycle_is_steps_and_what_they_reach(void **state) {
    (void)state;
    const struct hub_field_contract *field =
        compiled(FIELD("a", "['null', " STATES "]", CONTRACT_RULES ", 'hub:equal': 'reachable',"
                       " 'hub:lifecycle': {'NEW': ['OPEN'], 'OPEN': ['NEW', 'DONE'], 'DONE': [],"
                       " 'GONE': []}"));
    const struct hub_lifecycle *cycle = field->lifecycle;
    size_t count = cycle->states->count;
    enum { NEW, OPEN, DONE, GONE, UNRECOGNISED };
    assert_int_equal(count, 5);
    assert_true(cycle->allowed[NEW * count + OPEN]);
    assert_true(cycle->allowed[OPEN * count + NEW]);
    assert_false(cycle->allowed[NEW * count + DONE]);
    assert_true(cycle->reachable[NEW * count + DONE]);
    assert_false(cycle->reachable[DONE * count + NEW]);
    assert_false(cycle->reachable[NEW * count + GONE]);
    for (size_t i = 0; i < count; i++)
        assert_true(cycle->allowed[i * count + i]); /* to stay is always allowed */
    assert_int_equal(field->equality, HUB_EQUAL_REACHABLE);
    assert_int_equal(contract.domain.lifecycle_field, 3);
}

static void a_life_cycle_is_an_object_on_an_enum(void **state) {
    (void)state;
    static const char words[] = "a life cycle is an object {STATE: [next states]} on an enum";
    refuses(CYCLE("'string'", "{'NEW': []}"), "8:1: ", words);
    refuses(CYCLE(STATES, "['NEW']"), "8:1: ", words);
}

static void every_state_and_step_is_a_symbol(void **state) {
    (void)state;
    refuses(CYCLE(STATES, "{'NEW': [], 'OLD': []}"), "8:13: ",
            "no symbol of atmp.State with a list");
    refuses(CYCLE(STATES, "{'NEW': 'OPEN'}"), "8:2: ", "no symbol of atmp.State with a list");
    refuses(CYCLE(STATES, "{'NEW': ['OPEN', 'OLD']}"), "8:18: ", "no symbol of atmp.State");
    refuses(CYCLE(STATES, "{'NEW': [[]]}"), "8:10: ", "no symbol of atmp.State");
}

static void no_state_is_left_out_but_the_default(void **state) {
    (void)state;
    refuses(CYCLE(STATES, "{'NEW': ['OPEN'], 'OPEN': [], 'DONE': []}"), "8:1: ",
            "state GONE is missing; an empty list would say that it is final");
    compiled(CYCLE(STATES, "{'NEW': ['OPEN'], 'OPEN': [], 'DONE': [], 'GONE': []}"));
}

/* --- each element's own --- */

#define OWNERS                                                                                     \
    "{'type': 'array', 'items': {'type': 'record', 'name': 'Owner', 'doc': 'd', 'fields': ["       \
    " {'name': 'share', 'type': ['null', 'int'], 'doc': 'd'},"                                     \
    " {'name': 'org', 'type': 'string', 'doc': 'd'}]}}"

static void an_element_may_be_the_word_of_whom_it_names(void **state) {
    (void)state;
    const struct hub_field_contract *field = compiled(
        MERGED(OWNERS, "{'union': ['org'], 'by': [{'authority': ['element:org']}, 'latest']}"));
    assert_int_equal(field->rules[0].authorities[0].kind, HUB_AUTHORITY_ELEMENT);
    assert_int_equal(field->rules[0].authorities[0].role_field, 1);
}

static void only_an_organisation_among_the_keys_has_a_word_of_its_own(void **state) {
    (void)state;
    static const char words[] = "is no organisation among the key fields of a union";
    refuses(MERGED(OWNERS, "{'union': ['share'], 'by': [{'authority': ['element:org']}]}"),
            "8:44: ", words);
    refuses(MERGED(OWNERS, "{'union': ['share'], 'by': [{'authority': ['element:share']}]}"),
            "8:44: ", words);
    refuses(MERGED("'string'", "[{'authority': ['element:a']}]"), "8:17: ", words);
    refuses(MERGED(OWNERS,
                   "{'union': ['org'], 'by': [{'authority': ['element:org'], 'only': true}]}"),
            "8:66: ", "'only' shuts out whole statements, and element:FIELD is of one element");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_a_chain_of_one_rule),
        cmocka_unit_test(a_list_is_a_chain_in_its_order),
        cmocka_unit_test(precedence_may_be_by_a_part),
        cmocka_unit_test(a_union_is_by_the_keys_of_its_elements),
        cmocka_unit_test(a_union_of_plain_elements_has_no_key),
        cmocka_unit_test(an_unknown_rule_is_refused),
        cmocka_unit_test(max_and_min_need_a_number_or_a_date),
        cmocka_unit_test(whom_to_believe_is_known),
        cmocka_unit_test(a_role_names_an_organisation),
        cmocka_unit_test(precedence_lists_symbols),
        cmocka_unit_test(reserve_lists_symbols_and_whose_they_are),
        cmocka_unit_test(a_union_is_of_an_array_with_rules),
        cmocka_unit_test(only_rules_for_whole_statements_rank_elements),
        cmocka_unit_test(equality_is_exact_unless_said_otherwise),
        cmocka_unit_test(numbers_may_differ_by_a_tolerance),
        cmocka_unit_test(records_apart_speak_of_other_facts),
        cmocka_unit_test(an_equality_fits_its_type),
        cmocka_unit_test(what_tells_facts_apart_is_an_enum_of_the_record),
        cmocka_unit_test(a_life_cycle_is_steps_and_what_they_reach),
        cmocka_unit_test(a_life_cycle_is_an_object_on_an_enum),
        cmocka_unit_test(every_state_and_step_is_a_symbol),
        cmocka_unit_test(no_state_is_left_out_but_the_default),
        cmocka_unit_test(an_element_may_be_the_word_of_whom_it_names),
        cmocka_unit_test(only_an_organisation_among_the_keys_has_a_word_of_its_own),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tests[i].teardown_func = end;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
