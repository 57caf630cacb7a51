/* references: what one domain says of another. */
#include "schemas/lib/references.h"

#include "hub/io/crypto.h"
#include "schemas/lib/catalogue.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

#include <string.h>

static const char slot_rule[] = "{\"domain\": \"trial\", \"role\": \"trial\", \"field\": \"status\", "
                                "\"not\": [\"WITHDRAWN\", \"REJECTED\"],\n    \"conflict\": \"major\"}";

/* The project's slots with another rule. */
static void refuses(const char *rule, const char *words) {
    struct folder folder;
    struct hub_error error;
    folder_make(&folder);
    schema_folder_copy(&folder);
    schema_folder_edit(&folder, "domains/gmp-slot.avsc", slot_rule, rule);
    expect_refusal(hub_catalogue_check(folder.path, &hub_sha256, &error), HUB_FATAL,
                   &error, folder.path, words);
    folder_remove(&folder);
}

static void a_reference_is_to_a_domain_of_one_shard(void **state) {
    (void)state;
    refuses("{'domain': 'trail', 'conflict': 'major'}", "there is no domain 'trail'");
    refuses("{'domain': 'gmp-slot', 'conflict': 'major'}", "'gmp-slot' has several shards");
}

static void its_field_is_an_enum_that_has_the_symbols(void **state) {
    static const char *const none[] = {"statuss", "acronym", "status.x", "sites.city",
                                       "sponsor..org", "sponsor.x"};
    struct hub_arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        refuses(hub_arena_format(&arena, "{'domain': 'trial', 'field': '%s', 'not': [],"
                                 " 'conflict': 'major'}", none[i]),
                hub_arena_format(&arena, "'%s' is no enum of 'trial'", none[i]));
    HUB_SCOPED_BUFFER overlong = {0};
    for (int i = 0; i < 130; i++)
        hub_buffer_append_byte(&overlong, 'x');
    refuses(hub_arena_format(&arena, "{'domain': 'trial', 'field': '%s', 'not': [],"
                             " 'conflict': 'major'}", hub_buffer_text(&overlong)),
            "is no enum of 'trial'");
    refuses("{'domain': 'trial', 'field': 'status', 'not': ['WITHDRAWN', 'GONE'],"
            " 'conflict': 'major'}",
            "no symbol of atmp.TrialStatus");
    hub_arena_destroy(&arena);
}

static void references_make_no_circle(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    schema_folder_copy(&folder);
    schema_folder_edit(&folder, "domains/trial.avsc",
                       "\"hub:merge\": {\"union\": [\"domain\", \"identifier\", \"role\"], "
                       "\"by\": [\"latest\"]},",
                       "\"hub:merge\": {\"union\": [\"domain\", \"identifier\", \"role\"], "
                       "\"by\": [\"latest\"]}, \"hub:reference\": [{\"domain\": \"batch\", "
                       "\"conflict\": \"minor\"}],");
    expect_refusal(hub_catalogue_check(folder.path, &hub_sha256, &error), HUB_FATAL,
                   &error, folder.path, "references that make no circle would pass");
    folder_remove(&folder);
}

static void a_rule_may_ask_for_no_more_than_that_it_is_known(void **state) {
    struct folder folder;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    schema_folder_copy(&folder);
    schema_folder_edit(&folder, "domains/gmp-slot.avsc", slot_rule,
                       "{'domain': 'product', 'conflict': 'minor'}");
    expect_ok(hub_catalogue_check(folder.path, &hub_sha256, &error), &error);
    folder_remove(&folder);
}

static void no_domains_refer_to_nothing(void **state) {
    struct hub_error error;
    (void)state;
    expect_ok(hub_references_check(NULL, 0, &error), &error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_is_to_a_domain_of_one_shard),
        cmocka_unit_test(its_field_is_an_enum_that_has_the_symbols),
        cmocka_unit_test(references_make_no_circle),
        cmocka_unit_test(a_rule_may_ask_for_no_more_than_that_it_is_known),
        cmocka_unit_test(no_domains_refer_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
