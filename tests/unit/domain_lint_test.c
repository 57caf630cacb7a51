/* domain_lint: what every domain schema owes beyond being Avro. */
#include "schemas/lib/domain_lint.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/contract.h"

#define FIELD CONTRACT_FIELD
#define RULES CONTRACT_RULES
#define BARE "'hub:identity': ['nct'], 'hub:systems': [], 'hub:label': []"
#define PART(members, fields) "{'type': 'record', 'name': 'P', " members "'fields': [" fields "]}"

#define refuses(fields, place, words) expect_no_contract(CONTRACT_ANNOTATIONS, fields, place, words)

/* --- documentation, merge and conflict --- */

static void every_field_is_documented(void **state) {
    (void)state;
    refuses("{'name': 'a', 'type': 'int', " RULES "}", "7:1: ", "field 'a' has no 'doc'");
    refuses("{'name': 'a', 'type': 'int', 'doc': '', " RULES "}", "7:1: ",
            "field 'a' has no 'doc'");
    refuses("{'name': 'a', 'type': 'int', 'doc': [], " RULES "}", "7:1: ",
            "field 'a' has no 'doc'");
    refuses(FIELD("a", PART("", "\n{'name': 'b', 'type': 'int'}"), RULES), "8:1: ",
            "field 'b' has no 'doc'");
    refuses(FIELD("a", "{'type': 'array', 'items': " PART("", "\n{'name': 'b', 'type': 'int'}") "}",
                  RULES), "8:1: ", "field 'b' has no 'doc'");
}

static void a_field_says_how_it_is_merged_and_what_a_difference_means(void **state) {
    (void)state;
    refuses(FIELD("a", "'int'", "'hub:conflict': 'minor'"), "7:1: ",
            "field 'a' has no 'hub:merge'");
    refuses(FIELD("a", "'int'", "'hub:merge': 'latest'"), "7:1: ",
            "field 'a' has no 'hub:conflict'");
}

static void a_part_needs_no_rules_of_its_own(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  FIELD("a", PART("", "{'name': 'b', 'type': 'int', 'doc': 'd'}"), RULES));
    assert_int_equal(contract_field(&contract, "a")->parts->fields[0].rule_count, 0);
    contract_close(&contract);
}

/* --- class and retention --- */

static void class_and_retention_stand_on_the_record_or_on_every_field(void **state) {
    (void)state;
    expect_no_contract(BARE ", 'hub:retention': 'X'", FIELD("a", "'int'", RULES), "4:1: ",
                       "field 'statement' has no 'hub:class', and neither has the record");
    expect_no_contract(BARE ", 'hub:class': 'none'", FIELD("a", "'int'", RULES), "4:1: ",
                       "field 'statement' has no 'hub:retention', and neither has the record");
}

static void classes_and_retentions_are_known_words(void **state) {
    (void)state;
    struct contract contract;
    static const char retention[] =
        "T (traceability), C (clinical), O (operational) or X (nothing personal) would pass";
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  FIELD("a", "'int'", RULES ", 'hub:class': 'staff', 'hub:retention': 'T'") ", "
                  FIELD("b", "'int'", RULES ", 'hub:class': 'pseudonym', 'hub:retention': 'C'") ", "
                  FIELD("c", "'int'", RULES ", 'hub:class': 'none', 'hub:retention': 'O'"));
    contract_close(&contract);
    refuses(FIELD("a", "'int'", RULES ",\n'hub:class': 'patient'"), "8:14: ",
            "none, staff or pseudonym would pass");
    refuses(FIELD("a", "'int'", RULES ",\n'hub:retention': '30 years'"), "8:18: ", retention);
    expect_no_contract(BARE ", 'hub:class': 'x', 'hub:retention': 'X'", FIELD("a", "'int'", RULES),
                       "2:", "none, staff or pseudonym would pass");
    expect_no_contract(BARE ", 'hub:class': 'none', 'hub:retention': 'x'",
                       FIELD("a", "'int'", RULES), "2:", retention);
}

static void direct_identity_never_leaves_an_institution(void **state) {
    (void)state;
    static const char words[] = "a field of class direct may never leave an institution";
    refuses(FIELD("a", "'int'", RULES ",\n'hub:class': 'direct'"), "8:14: ", words);
    refuses(FIELD("a", PART("", "{'name': 'b', 'type': 'int', 'doc': 'd',\n'hub:class': 'direct'}"),
                  RULES), "8:14: ", words);
    refuses(FIELD("a", "['null', {'type': 'array', 'items': ['null', "
                  PART("", "{'name': 'b', 'type': 'int', 'doc': 'd',\n'hub:class': 'direct'}")
                  "]}]",
                  RULES), "8:14: ", words);
    expect_no_contract(BARE ", 'hub:class': 'direct', 'hub:retention': 'X'",
                       FIELD("a", "'int'", RULES), "2:", words);
}

/* --- types --- */

static void a_map_is_refused(void **state) {
    (void)state;
    static const char words[] = "a map has no order, so equal values would be unequal bytes";
    refuses(FIELD("a", "\n{'type': 'map', 'values': 'int'}", RULES), "8:1: ", words);
    refuses(FIELD("a", "['null', \n{'type': 'map', 'values': 'int'}]", RULES), "8:1: ", words);
    refuses(FIELD("a", "{'type': 'array', 'items': \n{'type': 'map', 'values': 'int'}}", RULES),
            "8:1: ", words);
}

static void an_enum_knows_unrecognised(void **state) {
    (void)state;
    static const char words[] = "enum atmp.E needs the symbol UNRECOGNISED as its default";
    refuses(FIELD("a", "\n{'type': 'enum', 'name': 'E', 'symbols': ['X', 'UNRECOGNISED']}", RULES),
            "8:1: ", words);
    refuses(FIELD("a", "\n{'type': 'enum', 'name': 'E', 'symbols': ['X', 'UNRECOGNISED'],"
                  " 'default': 'X'}", RULES), "8:1: ", words);
    refuses(FIELD("a", "{'type': 'array', 'items':\n {'type': 'enum', 'name': 'E',"
                  " 'symbols': ['X']}}", RULES), "8:2: ", words);
}

static void a_union_is_null_and_one_type(void **state) {
    (void)state;
    static const char words[] = "[\"null\", TYPE] would pass: a field is stated or it is not";
    refuses(FIELD("a", "\n['null', 'int', 'string']", RULES), "8:1: ", words);
    refuses(FIELD("a", "\n['int', 'null']", RULES), "8:1: ", words);
    refuses(FIELD("a", "\n['null']", RULES), "8:1: ", words);
    refuses(FIELD("a", "\n['int', 'string']", RULES), "8:1: ", words);
}

static void an_array_of_arrays_is_refused(void **state) {
    (void)state;
    static const char words[] = "an array of arrays has no element to compare";
    refuses(FIELD("a", "{'type': 'array', 'items':\n{'type': 'array', 'items': 'int'}}", RULES),
            "8:1: ", words);
    refuses(FIELD("a", "{'type': 'array', 'items':\n['null', {'type': 'array', 'items': 'int'}]}",
                  RULES), "8:1: ", words);
}

/* --- annotations that nobody reads --- */

static void an_unknown_annotation_is_refused_and_the_nearest_is_named(void **state) {
    (void)state;
    refuses(FIELD("a", "'int'", RULES ",\n'hub:retantion': 'X'"), "8:1: ",
            "unknown annotation 'hub:retantion'; did you mean 'hub:retention'?");
    refuses(FIELD("a", "'int'", RULES ",\n'hub:atomic': true"), "8:1: ",
            "unknown annotation 'hub:atomic'");
    refuses(FIELD("a", "'int'", RULES ",\n'hub:zzzzzzzzzzzzzzzzzzzzzzz': 1"), "8:1: ",
            "unknown annotation");
    refuses(FIELD("a", PART("\n'hub:merge': 'latest', ", ""), RULES), "8:1: ",
            "unknown annotation 'hub:merge'");
    expect_no_contract(CONTRACT_ANNOTATIONS ", 'hub:sharde': 'a'", FIELD("a", "'string'", RULES),
                       "2:", "unknown annotation 'hub:sharde'; did you mean 'hub:shard'?");
}

static void an_annotation_on_a_plain_type_is_refused(void **state) {
    (void)state;
    refuses(FIELD("a", "{'type': 'enum', 'name': 'E', 'symbols': ['UNRECOGNISED'],"
                  " 'default': 'UNRECOGNISED',\n'hub:lifecycle': {}}", RULES), "8:1: ",
            "'hub:lifecycle' is not read on a type of kind enum; on the field it would pass");
    refuses(FIELD("a", "['null', {'type': 'string',\n'hub:class': 'direct'}]", RULES), "8:1: ",
            "'hub:class' is not read on a type of kind string");
    refuses(FIELD("a", "{'type': 'array',\n'hub:merge': 'latest', 'items': 'int'}", RULES), "8:1: ",
            "'hub:merge' is not read on a type of kind array");
}

static void attributes_of_others_are_left_alone(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS ", 'owner': 'nobody'",
                  FIELD("a", "{'type': 'int', 'logicalType': 'date', 'unit': 'd'}",
                        RULES ", 'order': 'ignore'"));
    contract_close(&contract);
}

/* --- the common head --- */

static void the_head_is_statement_identifiers_and_links(void **state) {
    (void)state;
    expect_no_contract_edited("{'name': 'statement', ", "{'name': 'stamp', ", "1:1: ",
                              "field 1 must be 'statement', atmp.Statement");
    expect_no_contract_edited("{'name': 'identifiers', ", "{'name': 'ids', ", "1:1: ",
                              "field 2 must be 'identifiers', an array of atmp.Identifier");
    expect_no_contract_edited("{'name': 'links', ", "{'name': 'refs', ", "1:1: ",
                              "field 3 must be 'links', an array of atmp.Link");
    expect_no_contract_edited("'name': 'Link'", "'name': 'Reference'", "1:1: ",
                              "field 3 must be 'links', an array of atmp.Link");
    expect_no_contract_edited("'name': 'Link'", "'name': 'Link', 'namespace': 'x'", "1:1: ",
                              "field 3 must be 'links', an array of atmp.Link");
}

static void the_stamp_is_no_array_and_the_others_are(void **state) {
    (void)state;
    expect_no_contract_edited("'type': {'type': 'record', 'name': 'Statement', 'fields': [",
                              "'type': {'type': 'array', 'items': {'type': 'record', 'name':"
                              " 'Statement', 'fields': []}}, 'other': {'x': [", "1:1: ",
                              "field 1 must be 'statement', atmp.Statement");
    expect_no_contract_edited("{'type': 'array', 'items': {'type': 'record', 'name': 'Link',"
                              " 'fields': [{'name': 'domain', 'type': 'string', 'doc': 'd'},"
                              " {'name': 'identifier', 'type': 'atmp.Identifier', 'doc': 'd'},"
                              " {'name': 'role', 'type': 'string', 'doc': 'd'}]}}",
                              "{'type': 'record', 'name': 'Link', 'fields': []}", "1:1: ",
                              "field 3 must be 'links', an array of atmp.Link");
}

static void a_head_that_ends_early_is_refused(void **state) {
    (void)state;
    struct hub_schema *schema =
        schema_new("{'type': 'record', 'name': 'Own', 'fields': [], 'hub:class': 'none'}");
    struct hub_error error;
    expect_refusal(hub_domain_lint_record(schema, &error), HUB_FATAL, &error, "own.avsc:1:1: ",
                   "field 1 must be 'statement'");
    hub_schema_free(schema);
}

static void the_stamp_has_the_parts_that_the_hub_reads(void **state) {
    (void)state;
    expect_no_contract_edited("{'name': 'version', 'type': 'string', ",
                              "{'name': 'version', 'type': 'long', ", "4:",
                              "atmp.Statement needs 'version' of type string");
    expect_no_contract_edited("{'name': 'version', 'type': 'string', ",
                              "{'name': 'serial', 'type': 'string', ", "4:",
                              "atmp.Statement needs 'version' of type string");
    expect_no_contract_edited("{'name': 'reason', 'type': ['null', 'string'], ",
                              "{'name': 'reason', 'type': 'string', ", "4:",
                              "atmp.Statement needs 'reason' of type string or null");
    expect_no_contract_edited("{'name': 'state', ", "{'name': 'status', ", "4:",
                              "atmp.Statement needs 'state' of type enum");
    expect_no_contract_edited("{'name': 'event_time', ", "{'name': 'time', ", "4:",
                              "atmp.Statement needs 'event_time' of type record or null");
}

static void an_identifier_has_the_parts_that_the_hub_reads(void **state) {
    (void)state;
    expect_no_contract_edited("{'name': 'scheme', 'type': 'string', ",
                              "{'name': 'scheme', 'type': 'bytes', ", "5:",
                              "atmp.Identifier needs 'scheme' of type string");
    expect_no_contract_edited("{'name': 'issuer', 'type': ['null', 'string'], ",
                              "{'name': 'issuer', 'type': 'string', ", "5:",
                              "atmp.Identifier needs 'issuer' of type string or null");
    expect_no_contract_edited("{'name': 'value', ", "{'name': 'number', ", "5:",
                              "atmp.Identifier needs 'value' of type string");
    expect_no_contract_edited("{'name': 'relation', ", "{'name': 'relative', ", "5:",
                              "atmp.Identifier needs 'relation' of type enum");
}

/* --- what is sealed --- */

#define SEALED_TYPE(atomic, ciphertext)                                                            \
    "['null', {'type': 'record', 'name': 'Sealed', " atomic "'fields': ["                          \
    "{'name': 'key_id', 'type': 'string', 'doc': 'd'}, "                                           \
    "{'name': 'origin', 'type': 'string', 'doc': 'd'}, "                                           \
    "{'name': 'ciphertext', 'type': '" ciphertext "', 'doc': 'd'}]}]"
#define SEALED SEALED_TYPE("'hub:atomic': true, ", "bytes")
#define SILENT "'hub:conflict': 'ignore'"
#define SEALED_FIELD FIELD("a", SEALED, "'hub:merge': 'latest', " SILENT)
#define AND_LABEL(label) "'hub:systems': [], 'hub:class': 'none', 'hub:retention': 'X', 'hub:label': " label

static void what_is_sealed_may_be_direct_and_is_believed_by_who_says_it(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  FIELD("a", SEALED, "'hub:class': 'direct', 'hub:retention': 'O', 'hub:equal': 'exact', "
                        "'hub:merge': [{'authority': ['system:ctis']}, 'latest'], " SILENT));
    assert_int_equal(contract_field(&contract, "a")->rule_count, 2);
    contract_close(&contract);
}

static void what_is_sealed_is_compared_by_no_rule(void **state) {
    (void)state;
    static const char words[] = "nobody can compare what is sealed; ";
    refuses(FIELD("a", SEALED, SILENT ",\n'hub:merge': 'agree'"), "8:14: ", words);
    refuses(FIELD("a", SEALED, SILENT ",\n'hub:merge': ['latest', 'earliest']"), "8:14: ", words);
    refuses(FIELD("a", SEALED, "'hub:merge': 'latest', " SILENT ",\n'hub:equal': 'ignore'"), "8:14: ",
            words);
    refuses(FIELD("a", SEALED, "'hub:merge': 'latest',\n'hub:conflict': 'minor'"), "8:17: ",
            "it would be a conflict for ever; ignore would pass");
}

static void nothing_is_told_by_what_is_sealed(void **state) {
    (void)state;
    static const char words[] = "field 'a' is sealed, and nothing can be told by it";
    expect_no_contract("'hub:identity': ['nct'], 'hub:possible': [['a']], " CONTRACT_REST, SEALED_FIELD,
                       "2:", words);
    expect_no_contract("'hub:identity': ['nct'], " AND_LABEL("[['a']]"), SEALED_FIELD, "2:", words);
    expect_no_contract("'hub:identity': ['nct'], " AND_LABEL("[['a.key_id']]"), SEALED_FIELD, "2:", words);
    expect_no_contract("'hub:identity': ['nct'], 'hub:shard': 'a', " CONTRACT_REST, SEALED_FIELD, "2:",
                       "a string field would pass");
    expect_no_contract(
        "'hub:identity': ['nct'], 'hub:exclusive': {'of': 'a', 'interval': 'when', 'status': 'b', "
        "'active': ['ON'], 'conflict': 'major'}, " CONTRACT_REST,
        SEALED_FIELD ", " FIELD("when", "{'type': 'record', 'name': 'When', 'fields': ["
                                "{'name': 'start', 'type': 'Time', 'doc': 'd'}, "
                                "{'name': 'end', 'type': 'Time', 'doc': 'd'}]}", RULES) ", "
        FIELD("b", "{'type': 'enum', 'name': 'E', 'symbols': ['ON', 'UNRECOGNISED'], "
              "'default': 'UNRECOGNISED'}", RULES), "2:", words);
}

static void a_field_with_another_name_in_a_label_is_not_meant(void **state) {
    (void)state;
    struct contract contract;
    contract_open(&contract, "'hub:identity': ['nct'], " AND_LABEL("[['ab']]"),
                  SEALED_FIELD ", " FIELD("ab", "['null', 'string']", RULES));
    contract_close(&contract);
}

static void what_must_be_traceable_is_not_sealed(void **state) {
    (void)state;
    static const char words[] = "field 'a' is of retention T: ";
    refuses(FIELD("a", SEALED, "'hub:merge': 'latest', 'hub:retention': 'T', " SILENT), "7:1: ", words);
    expect_no_contract(BARE ", 'hub:class': 'none', 'hub:retention': 'T'", SEALED_FIELD, "7:1: ", words);
}

static void what_is_sealed_is_a_field_of_the_record_that_may_be_null(void **state) {
    (void)state;
    static const char words[] = "is sealed: a field of the record itself, of type";
    refuses(FIELD("a", "{'type': 'array', 'items': " SEALED "}", "'hub:merge': 'latest', " SILENT), "7:1: ",
            words);
    refuses(FIELD("a", PART("", "\n" FIELD("b", SEALED, "'hub:equal': 'exact'")), RULES), "8:1: ", words);
    expect_no_contract(CONTRACT_ANNOTATIONS,
                       FIELD("a", "{'type': 'record', 'name': 'Sealed', 'hub:atomic': true, 'fields': []}",
                             "'hub:merge': 'latest', " SILENT), "7:1: ", words);
}

static void sealed_has_one_form(void **state) {
    (void)state;
    static const char words[] = "atmp.Sealed is hub:atomic, and is key_id (string)";
    refuses(FIELD("a", SEALED_TYPE("", "bytes"), "'hub:merge': 'latest', " SILENT), "7:", words);
    refuses(FIELD("a", SEALED_TYPE("'hub:atomic': true, ", "string"), "'hub:merge': 'latest', " SILENT), "7:",
            words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_documented),
        cmocka_unit_test(a_field_says_how_it_is_merged_and_what_a_difference_means),
        cmocka_unit_test(a_part_needs_no_rules_of_its_own),
        cmocka_unit_test(class_and_retention_stand_on_the_record_or_on_every_field),
        cmocka_unit_test(classes_and_retentions_are_known_words),
        cmocka_unit_test(direct_identity_never_leaves_an_institution),
        cmocka_unit_test(a_map_is_refused),
        cmocka_unit_test(an_enum_knows_unrecognised),
        cmocka_unit_test(a_union_is_null_and_one_type),
        cmocka_unit_test(an_array_of_arrays_is_refused),
        cmocka_unit_test(an_unknown_annotation_is_refused_and_the_nearest_is_named),
        cmocka_unit_test(an_annotation_on_a_plain_type_is_refused),
        cmocka_unit_test(attributes_of_others_are_left_alone),
        cmocka_unit_test(the_head_is_statement_identifiers_and_links),
        cmocka_unit_test(the_stamp_is_no_array_and_the_others_are),
        cmocka_unit_test(a_head_that_ends_early_is_refused),
        cmocka_unit_test(the_stamp_has_the_parts_that_the_hub_reads),
        cmocka_unit_test(an_identifier_has_the_parts_that_the_hub_reads),
        cmocka_unit_test(what_is_sealed_may_be_direct_and_is_believed_by_who_says_it),
        cmocka_unit_test(what_is_sealed_is_compared_by_no_rule),
        cmocka_unit_test(nothing_is_told_by_what_is_sealed),
        cmocka_unit_test(a_field_with_another_name_in_a_label_is_not_meant),
        cmocka_unit_test(what_must_be_traceable_is_not_sealed),
        cmocka_unit_test(what_is_sealed_is_a_field_of_the_record_that_may_be_null),
        cmocka_unit_test(sealed_has_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
