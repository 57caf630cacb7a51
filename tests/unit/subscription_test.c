/* subscription: a configuration of the other direction, and what is said where it is none. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#include <string.h>

static const char good[] = "connector: lu-trials\n"
                           "institution: lu\n"
                           "subscribe: {topics: [unified.trial, conflict.trial], since: now}\n"
                           "target: {transport: file-out, folder: out}\n";

static void assert_refused(const char *from, const char *to, const char *error) {
    struct source source;
    source_make(&source);
    const char *at = strstr(good, from);
    assert_non_null(at);
    const char *text = hub_arena_format(&source.arena, "%.*s%s%s", (int)(at - good), good, to,
                                        at + strlen(from));
    assert_says(source_refusal(&source, text), error);
    source_close(&source);
}

static void a_good_configuration_is_loaded_whole(void **state) {
    struct folder folder;
    struct hub_connector *connector = NULL;
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    folder_write(&folder, "connector.yaml", good);
    assert_int_equal(hub_connector_load(folder_path(&folder, "connector.yaml"), test_catalogue(),
                                        NULL, &connector, &error),
                     HUB_OK);
    const struct hub_subscription *subscription = connector->subscription;
    assert_string_equal(connector->institution, "lu");
    assert_string_equal(subscription->topics[0], "unified.trial");
    assert_string_equal(subscription->topics[1], "conflict.trial");
    assert_null(subscription->topics[2]);
    assert_true(hub_subscription_begins_now(subscription));
    assert_string_equal(subscription->outbound->name, "file-out");
    assert_null(connector->transport);
    assert_int_equal(hub_connector_need_source(connector, "dry-run", &error), HUB_FATAL);
    assert_says(error.text, "dry-run is for configurations with a 'source'");
    hub_connector_free(connector);
    folder_remove(&folder);
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    assert_refused("institution: lu\n", "", "1:1: 'institution' is missing");
    assert_refused("target: {transport: file-out, folder: out}\n", "",
                   "1:1: 'target: {transport: NAME, ...}' is missing");
    assert_refused("topics: [unified.trial, conflict.trial], ", "", "3:12: 'topics' is missing");
    assert_refused("unified.trial, conflict.trial", "", "'topics' is empty");
    assert_refused("transport: file-out, ", "",
                   "4:9: 'transport' must be one of file-out, webhook-out");
    assert_refused(", folder: out", "", "4:9: 'folder' is missing");
}

static void what_is_wrong_is_told_with_what_would_pass(void **state) {
    (void)state;
    assert_refused("lu\n", "lund\n", "2:14: 'lund' is no institution of systems.json");
    assert_refused("conflict.trial", "ingest.lu.trial",
                   "'ingest.lu.trial' is no topic to subscribe to; unified.DOMAIN");
    assert_refused("conflict.trial", "unified.trials", "'unified.trials' is no topic");
    assert_refused("conflict.trial", "unified.trial", "stands here twice");
    assert_refused("now", "yesterday", "one of beginning, now would pass");
    assert_refused("file-out", "file-drop",
                   "4:21: 'file-drop' reads a source and delivers nothing; one of file-out, ");
    assert_refused("folder: out", "foldr: out", "did you mean 'folder'?");
    assert_refused("target:", "system: ladok\ntarget:", "unknown key 'system'");
}

static void one_configuration_has_one_direction(void **state) {
    (void)state;
    assert_refused("target:", "source: {transport: file-drop}\ntarget:",
                   "3:1: a connector reads a 'source' or is told of what it has subscribed to");
    assert_refused("subscribe:", "subscribes:", "did you mean 'subscribe'?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_configuration_is_loaded_whole),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(what_is_wrong_is_told_with_what_would_pass),
        cmocka_unit_test(one_configuration_has_one_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
