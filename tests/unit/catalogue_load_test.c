/* catalogue_load: the project's folder, and folders in which one thing is wrong. */
#include "schemas/lib/catalogue.h"

#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static int begin(void **state) {
    struct folder *folder = hub_allocate_zero(1, sizeof *folder);
    folder_make(folder);
    schema_folder_copy(folder);
    *state = folder;
    return 0;
}

static int end(void **state) {
    folder_remove(*state);
    hub_release(*state);
    return 0;
}

static struct hub_catalogue *loaded(struct folder *folder) {
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    expect_ok(hub_catalogue_load(folder->path, &hub_sha256, &catalogue, &error), &error);
    return catalogue;
}

/* The error begins with a file of the folder, or with what follows its path. */
#define refuses_to_load(folder, place, words)                                                      \
    refuses_at(folder, true, place, words, __FILE__, __LINE__)
#define refuses_to_check(folder, place, words)                                                     \
    refuses_at(folder, false, place, words, __FILE__, __LINE__)
static void refuses_at(struct folder *folder, bool locked, const char *place, const char *words,
                       const char *file, int line) {
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    enum hub_status status = locked
                                 ? hub_catalogue_load(folder->path, &hub_sha256, &catalogue, &error)
                                 : hub_catalogue_check(folder->path, &hub_sha256, &error);
    schema_expect_error(status, HUB_FATAL, &error, folder_path(folder, place), words, file, line);
    _assert_true(catalogue == NULL, "nothing is given back", file, line);
}

static void checks(struct folder *folder) {
    struct hub_error error;
    expect_ok(hub_catalogue_check(folder->path, &hub_sha256, &error), &error);
}

static size_t count_files(struct folder *folder, const char *pattern) {
    glob_t found;
    assert_int_equal(glob(folder_path(folder, pattern), 0, NULL, &found), 0);
    size_t count = found.gl_pathc;
    globfree(&found);
    return count;
}

/* --- what is loaded --- */

static void the_projects_folder_is_whole(void **state) {
    struct hub_catalogue *catalogue = loaded(*state);
    checks(*state);
    assert_int_equal(catalogue->domain_count, count_files(*state, "domains/*.avsc"));
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct hub_domain *domain = &catalogue->domains[i];
        assert_string_equal(domain->name, domain->schema->subject);
        assert_non_null(domain->unified);
        assert_int_equal(strlen(domain->rules), 16);
    }
    assert_int_equal(catalogue->schemas[0]->id, HUB_SCHEMA_ID_FIRST);
    for (size_t i = 1; i < catalogue->schema_count; i++)
        assert_true(catalogue->schemas[i]->id > catalogue->schemas[i - 1]->id);
    hub_catalogue_free(catalogue);
    hub_catalogue_free(NULL);
}

static void the_rules_change_with_all_that_decides(void **state) {
    struct folder *folder = *state;
    static const struct {
        const char *file, *from, *to;
    } edits[] = {
        {"schemes.json", "\"NCT99999999\"", "\"NCT99999990\""},
        {"systems.json", "\"ISRCTN registry\"", "\"The ISRCTN registry\""},
        {"organisations.csv", ",Skane University Hospital\n", ",Skane University Clinic\n"}};
    struct hub_catalogue *catalogue = loaded(folder);
    char before[17];
    snprintf(before, sizeof before, "%s", catalogue->domains[0].rules);
    hub_catalogue_free(catalogue);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        schema_folder_edit(folder, edits[i].file, edits[i].from, edits[i].to);
        catalogue = loaded(folder);
        assert_string_not_equal(catalogue->domains[0].rules, before);
        snprintf(before, sizeof before, "%s", catalogue->domains[0].rules);
        hub_catalogue_free(catalogue);
    }
}

static void a_newer_version_is_the_domains_and_the_first_is_kept(void **state) {
    (void)state;
    struct hub_catalogue *catalogue = own_catalogue_grown(
        "trial", "{'name': 'added', 'type': ['null', 'string'], 'default': null, 'doc': 'd',"
                 " 'hub:merge': 'latest', 'hub:conflict': 'minor'}");
    const struct hub_domain *trial = hub_catalogue_domain(catalogue, hub_bytes_of_text("trial"));
    const struct hub_schema *first = hub_catalogue_version(catalogue, "trial", 1);
    int newer = test_domain("trial")->schema->version + 1;
    assert_ptr_equal(trial->schema, hub_catalogue_version(catalogue, "trial", newer));
    assert_ptr_equal(trial->unified, hub_catalogue_version(catalogue, "unified.trial", newer));
    assert_true(hub_type_field(trial->schema->root, "added") > 0);
    assert_int_equal(hub_type_field(first->root, "added"), -1);
    assert_int_equal(catalogue->domain_count, test_catalogue()->domain_count);
    hub_catalogue_free(catalogue);
}

/* --- what is missing --- */

static void every_file_is_needed(void **state) {
    struct folder *folder = *state;
    static const char *const files[] = {"schemes.json",
                                        "systems.json",
                                        "organisations.csv",
                                        "registry.lock.json",
                                        "hub/unified.avsc",
                                        "registered/100001.avsc",
                                        "domains"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = folder_path(folder, files[i]);
        const char *away = folder_path(folder, "away");
        assert_int_equal(rename(path, away), 0);
        refuses_to_load(folder, files[i], "No such file");
        assert_int_equal(rename(away, path), 0);
    }
    hub_catalogue_free(loaded(folder));
}

static void a_folder_that_is_none_is_refused(void **state) {
    (void)state;
    char path[] = "/nowhere/at/all";
    struct folder none = {.path = path};
    refuses_to_load(&none, "schemes.json", "No such file");
    refuses_to_check(&none, "schemes.json", "No such file");
    hub_arena_destroy(&none.arena);
}

static void a_file_of_more_than_a_mebibyte_is_refused(void **state) {
    struct folder *folder = *state;
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    size_t size = 1024 * 1024 + 1;
    char *text = hub_allocate(size);
    memset(text, ' ', size);
    folder_write_bytes(folder, "domains/trial.avsc", hub_bytes(text, size));
    hub_release(text);
    expect_refusal(hub_catalogue_load(folder->path, &hub_sha256, &catalogue, &error), HUB_REJECT,
                   &error, folder_path(folder, "domains/trial.avsc"),
                   "over the limit of 1048576 bytes");
}

static void more_schemas_than_the_limit_are_refused(void **state) {
    struct folder *folder = *state;
    for (int i = 0; i < 129; i++)
        folder_write(folder, hub_arena_format(&folder->arena, "domains/d%d.avsc", i), "{}");
    refuses_to_check(folder, "domains: ", "more than 256 schemas");
}

/* --- what differs from the lock --- */

static void an_edit_that_is_not_locked_is_refused_and_may_be_checked(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "domains/trial.avsc", "'Short name.'", "'A short name.'");
    refuses_to_load(
        folder, "domains/trial.avsc: ",
        "differs from what is registered as 'trial'; `hubctl schema lock` registers it");
    checks(folder);
}

static void an_edit_of_the_hubs_own_schemas_is_refused(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "hub/position.avsc", "'The connector.'", "'A connector.'");
    refuses_to_load(folder, "hub/position.avsc: ", "differs from what is registered as 'position'");
}

static void an_edit_of_the_pattern_changes_every_unified_schema(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "hub/unified.avsc", "'Version of the core that made it.'",
                       "'Core.'");
    refuses_to_load(folder, "domains/", /* whichever is the first */
                    ".avsc (unified): differs from what is registered as 'unified.");
}

static void a_new_domain_is_not_served_before_it_is_locked(void **state) {
    struct folder *folder = *state;
    folder_write(folder, "hub/added.avsc",
                 "{\"type\": \"record\", \"name\": \"Added\", \"namespace\": \"atmp\","
                 " \"fields\": []}");
    refuses_to_load(folder, "hub/added.avsc: ", "differs from what is registered as 'added'");
    checks(folder);
}

static void a_registered_text_never_changes(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "registered/100009.avsc", "'Short name.'", "'A short name.'");
    refuses_to_load(folder, "registered/100009.avsc: ",
                    "not the text that was registered as 100009; registered texts never change");
    checks(folder);
}

static void a_registered_text_is_a_schema(void **state) {
    struct folder *folder = *state;
    static const char text[] = "{\"type\": \"rekord\"}";
    struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text(text));
    char sha256[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(&digest, HUB_DIGEST_SIZE, sha256);
    folder_write(folder, "registered/100001.avsc", text);
    folder_write(folder, "registry.lock.json",
                 hub_arena_format(&folder->arena,
                                  "[{\"id\": 100001, \"subject\": \"admitted\", \"version\": 1,"
                                  " \"file\": \"registered/100001.avsc\", \"sha256\": \"%s\"}]",
                                  sha256));
    refuses_to_load(folder, "registered/100001.avsc:1:10: ", "'rekord' is no type");
}

static void the_lock_itself_is_checked(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "registry.lock.json", "'id': 100002", "'id': 100001");
    refuses_to_load(folder, "registry.lock.json:4:10: ", "an id from 100002 on would pass");
}

/* --- what is wrong in what people edit --- */

static void a_check_names_the_edited_file_and_its_place(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "domains/gmp-slot.avsc", "'hub:shard': 'facility'",
                       "'hub:shard': 'place'");
    refuses_to_check(folder, "domains/gmp-slot.avsc:4:", "'hub:shard' must name a field");
    schema_folder_edit(folder, "schemes.json", "'ClinicalTrials.gov identifier'", "5");
    refuses_to_check(folder, "schemes.json:3:14: ", "'title' must be a text in quotes");
    refuses_to_load(folder, "schemes.json:3:14: ", "'title' must be a text in quotes");
}

static void parties_are_checked_with_their_files(void **state) {
    struct folder *folder = *state;
    folder_write(folder, "organisations.csv", "org,institution,spelling\nror:x\n");
    refuses_to_check(folder, "organisations.csv:2:1: ", "org,institution,spelling would pass");
    folder_write(folder, "systems.json", "{\"ctgov\": 5}");
    refuses_to_check(folder, "systems.json:1:11: ", "a system must be an object");
    folder_write(folder, "systems.json", "{");
    refuses_to_check(folder, "systems.json:", "did not find expected");
}

static void a_schema_that_is_no_avro_is_refused(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "hub/position.avsc", "'record', 'name': 'Position'",
                       "'recrd', 'name': 'Position'");
    refuses_to_check(folder, "hub/position.avsc:1:10: ", "'recrd' is no type");
}

static void a_domain_that_cannot_be_unified_is_refused(void **state) {
    struct folder *folder = *state;
    struct hub_error error;
    folder_write(folder, "domains/trial.avsc", "{\"type\": \"int\"}");
    expect_refusal(hub_catalogue_check(folder->path, &hub_sha256, &error), HUB_FATAL, &error,
                   folder_path(folder, "domains/trial.avsc: the domain's schema:1:1: "),
                   "a record schema would pass");
}

static void one_name_has_one_definition_in_all_files(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "domains/trial.avsc", "'What the other thing is to this one.'",
                       "'Its role.'");
    refuses_to_check(folder, "domains/", "one name has one definition");
}

static void a_domain_has_the_name_of_its_file(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "domains/trial.avsc", "'hub:domain': 'trial'",
                       "'hub:domain': 'trail'");
    refuses_to_check(folder, "domains/trial.avsc:2:",
                     "'trial' would pass: a domain has the name of its file and subject");
}

static void a_scheme_identifies_in_one_domain(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "domains/batch.avsc", "'hub:identity': ['lot', 'coi']",
                       "'hub:identity': ['lot', 'contract']");
    refuses_to_check(folder, "domains/batch.avsc:3:",
                     "'contract' is a number of domain 'agreement'; a scheme of no other domain");
}

static void a_domain_without_its_annotation_is_refused(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "domains/trial.avsc", "'hub:domain': 'trial'",
                       "'hub:domian': 'trial'");
    refuses_to_check(folder,
                     "domains/trial.avsc:1:1: ", "'hub:domain' must give the domain's name");
}

static void a_domain_stands_among_the_domains(void **state) {
    struct folder *folder = *state;
    schema_folder_edit(folder, "hub/position.avsc", "'namespace': 'atmp'",
                       "'namespace': 'atmp', 'hub:domain': 'position'");
    refuses_to_check(folder, "hub/position.avsc:1:1: ", "field 1 must be 'statement'");
    schema_folder_edit(folder, "hub/position.avsc", ", \"hub:domain\": \"position\"", "");
    assert_int_equal(rename(folder_path(folder, "domains/exchange.avsc"),
                            folder_path(folder, "hub/exchange.avsc")),
                     0);
    refuses_to_check(folder, "hub/exchange.avsc:1:1: ",
                     "domain 'exchange' has no unified schema; a file in domains/ would pass");
}

static void one_subject_has_one_file(void **state) {
    struct folder *folder = *state;
    folder_write(folder, "domains/conflict.avsc",
                 schema_read(&folder->arena, "domains/trial.avsc"));
    refuses_to_check(folder, "", "/conflict.avsc: 'conflict' is the subject of ");
    refuses_to_check(folder, "", "/conflict.avsc too");
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_projects_folder_is_whole),
        cmocka_unit_test(the_rules_change_with_all_that_decides),
        cmocka_unit_test(a_newer_version_is_the_domains_and_the_first_is_kept),
        cmocka_unit_test(every_file_is_needed),
        cmocka_unit_test(a_folder_that_is_none_is_refused),
        cmocka_unit_test(a_file_of_more_than_a_mebibyte_is_refused),
        cmocka_unit_test(more_schemas_than_the_limit_are_refused),
        cmocka_unit_test(an_edit_that_is_not_locked_is_refused_and_may_be_checked),
        cmocka_unit_test(an_edit_of_the_hubs_own_schemas_is_refused),
        cmocka_unit_test(an_edit_of_the_pattern_changes_every_unified_schema),
        cmocka_unit_test(a_new_domain_is_not_served_before_it_is_locked),
        cmocka_unit_test(a_registered_text_never_changes),
        cmocka_unit_test(a_registered_text_is_a_schema),
        cmocka_unit_test(the_lock_itself_is_checked),
        cmocka_unit_test(a_check_names_the_edited_file_and_its_place),
        cmocka_unit_test(parties_are_checked_with_their_files),
        cmocka_unit_test(a_schema_that_is_no_avro_is_refused),
        cmocka_unit_test(a_domain_that_cannot_be_unified_is_refused),
        cmocka_unit_test(one_name_has_one_definition_in_all_files),
        cmocka_unit_test(a_domain_has_the_name_of_its_file),
        cmocka_unit_test(a_scheme_identifies_in_one_domain),
        cmocka_unit_test(a_domain_without_its_annotation_is_refused),
        cmocka_unit_test(a_domain_stands_among_the_domains),
        cmocka_unit_test(one_subject_has_one_file),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
