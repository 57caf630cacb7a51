/* catalogue: looking up schemas and domains, and what a topic's values are. */
#include "schemas/lib/catalogue.h"

#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"

static void a_schema_is_found_by_its_id(void **state) {
    (void)state;
    const struct hub_catalogue *catalogue = test_catalogue();
    for (size_t i = 0; i < catalogue->schema_count; i++)
        assert_ptr_equal(hub_catalogue_by_id(catalogue, catalogue->schemas[i]->id),
                         catalogue->schemas[i]);
    assert_null(hub_catalogue_by_id(catalogue, 0));
    assert_null(hub_catalogue_by_id(catalogue, HUB_SCHEMA_ID_FIRST - 1));
    assert_null(hub_catalogue_by_id(catalogue, INT32_MAX));
}

static void a_schema_is_found_by_subject_and_version(void **state) {
    (void)state;
    const struct hub_catalogue *catalogue = test_catalogue();
    const struct hub_schema *trial = hub_catalogue_latest(catalogue, "trial");
    assert_string_equal(trial->subject, "trial");
    assert_ptr_equal(hub_catalogue_version(catalogue, "trial", trial->version), trial);
    assert_null(hub_catalogue_version(catalogue, "trial", trial->version + 1));
    assert_null(hub_catalogue_version(catalogue, "trial", 0));
    assert_null(hub_catalogue_version(catalogue, "trail", 1));
    assert_null(hub_catalogue_latest(catalogue, "trail"));
    assert_null(hub_catalogue_latest(catalogue, ""));
}

static void a_domain_is_found_by_its_whole_name(void **state) {
    (void)state;
    const struct hub_catalogue *catalogue = test_catalogue();
    assert_string_equal(hub_catalogue_domain(catalogue, hub_bytes_of_text("gmp-slot"))->name,
                        "gmp-slot");
    assert_null(hub_catalogue_domain(catalogue, hub_bytes_of_text("gmp")));
    assert_null(hub_catalogue_domain(catalogue, hub_bytes("", 0)));
}

static void a_topic_says_which_subject_its_values_have(void **state) {
    (void)state;
    static const struct {
        const char *topic, *subject;
    } cases[] = {{"ingest.sus.trial", "trial"},      {"log.trial", "trial"},
                 {"unified.trial", "unified.trial"}, {"unified.gmp-slot", "unified.gmp-slot"},
                 {"admitted.sus.trial", "admitted"}, {"conflict.trial", "conflict"},
                 {"match.exchange", "match"},        {"deadletter.hub", "deadletter"},
                 {"unified.identifier", "identifier"},
                 {"decision", "decision"},           {"position", "position"},
                 {"manifest.sus", "manifest"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(hub_catalogue_topic_subject(test_catalogue(), cases[i].topic),
                            cases[i].subject);
}

static void a_topic_that_is_not_ours_has_none(void **state) {
    (void)state;
    static const char *const topics[] = {"",
                                         "trial",
                                         "ingest",
                                         "ingest.sus",
                                         "ingest.sus.trail",
                                         "ingest..",
                                         "log",
                                         "log.trail",
                                         "log.sus.trial",
                                         "logs.trial",
                                         "unified",
                                         "unified.",
                                         "unified.trail",
                                         "unified.sus.trial",
                                         "decisions",
                                         "__consumer_offsets",
                                         "other.trial"};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        assert_null(hub_catalogue_topic_subject(test_catalogue(), topics[i]));
}

static void expect_continues(const struct hub_catalogue *later, const struct hub_catalogue *earlier,
                             bool wanted) {
    HUB_SCOPED_BUFFER stamp = {0};
    hub_catalogue_stamp(earlier, &hub_sha256, &stamp);
    assert_int_equal(hub_catalogue_continues(later, &hub_sha256, hub_buffer_text(&stamp)), wanted);
}

static void a_lock_that_has_grown_continues_the_one_before_and_not_another(void **state) {
    static const char *const fields[] = {
        "{'name': 'blinding', 'type': ['null', 'string'], 'default': null, 'doc': 'How.',"
        " 'hub:merge': ['latest'], 'hub:conflict': 'ignore'}",
        "{'name': 'masking', 'type': ['null', 'string'], 'default': null, 'doc': 'How.',"
        " 'hub:merge': ['latest'], 'hub:conflict': 'ignore'}"};
    struct hub_catalogue *grown = own_catalogue_grown("trial", fields[0]);
    struct hub_catalogue *other = own_catalogue_grown("trial", fields[1]);
    (void)state;
    expect_continues(test_catalogue(), test_catalogue(), true);
    expect_continues(grown, test_catalogue(), true);
    expect_continues(other, test_catalogue(), true);
    expect_continues(test_catalogue(), grown, false);
    expect_continues(other, grown, false);
    assert_false(hub_catalogue_continues(grown, &hub_sha256, ""));
    hub_catalogue_free(grown);
    hub_catalogue_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_found_by_its_id),
        cmocka_unit_test(a_schema_is_found_by_subject_and_version),
        cmocka_unit_test(a_domain_is_found_by_its_whole_name),
        cmocka_unit_test(a_topic_says_which_subject_its_values_have),
        cmocka_unit_test(a_topic_that_is_not_ours_has_none),
        cmocka_unit_test(a_lock_that_has_grown_continues_the_one_before_and_not_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
