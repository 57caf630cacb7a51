/* registry: the questions that stock Confluent clients ask, and what they are answered. */
#include "hub/api/registry.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The answer as JSON; its status must be as wanted. The caller frees it. */
static json_t *ask(const char *method, const char *path, const char *body, unsigned wanted) {
    HUB_SCOPED_BUFFER reply = {0};
    unsigned status = hub_registry_answer(test_catalogue(), method, path,
                                          hub_bytes_of_text(body == NULL ? "" : body), &reply);
    if (status != wanted)
        fail_msg("%s %s: %u, %s", method, path, status, hub_buffer_text(&reply));
    json_error_t error;
    json_t *answer = json_loadb((const char *)reply.data, reply.size,
                                JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (answer == NULL)
        fail_msg("%s %s: no JSON: %s", method, path, hub_buffer_text(&reply));
    return answer;
}

/* A refusal with Confluent's own code. */
static void refused(const char *method, const char *path, const char *body, unsigned status,
                    int code) {
    json_t *answer = ask(method, path, body, status);
    assert_int_equal(look_number(answer, "error_code"), code);
    assert_non_null(look_text(answer, "message"));
    json_decref(answer);
}

static const struct hub_schema *trial(void) {
    return test_domain("trial")->schema;
}

static void a_schema_is_found_by_its_id(void **state) {
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "/schemas/ids/%d", trial()->id);
    json_t *answer = ask("GET", path, NULL, 200);
    const char *text = look_text(answer, "schema");
    assert_int_equal(strlen(text), trial()->text_size); /* the original, byte for byte */
    assert_memory_equal(text, trial()->text, trial()->text_size);
    assert_null(look(answer, "schemaType")); /* absent means AVRO */
    json_decref(answer);
}

static void the_query_of_an_id_plays_no_part(void **state) {
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "/schemas/ids/%d?fetchMaxId=false&subject=ingest.sus.trial-value",
             trial()->id);
    json_decref(ask("GET", path, NULL, 200));
}

static void a_schema_is_given_bare_where_that_is_asked(void **state) {
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "/schemas/ids/%d/schema", trial()->id);
    json_t *answer = ask("GET", path, NULL, 200);
    assert_string_equal(look_text(answer, "name"), "Trial");
    json_decref(answer);
    answer = ask("GET", "/subjects/ingest.sus.trial-value/versions/1/schema", NULL, 200);
    assert_string_equal(look_text(answer, "name"), "Trial");
    json_decref(answer);
}

static void an_id_tells_its_subject_and_version(void **state) {
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "/schemas/ids/%d/versions", trial()->id);
    json_t *answer = ask("GET", path, NULL, 200);
    assert_string_equal(look_text(answer, "0.subject"), "trial");
    assert_int_equal(look_number(answer, "0.version"), trial()->version);
    json_decref(answer);
}

static void an_id_that_is_none_is_not_found(void **state) {
    static const char *const ids[] = {"1", "0", "-1", "x", "100001x", "2147483648",
                                      "99999999999999999999", "%00", "1e5"};
    char path[96];
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        snprintf(path, sizeof path, "/schemas/ids/%s", ids[i]);
        refused("GET", path, NULL, 404, 40403);
    }
}

static void every_topic_is_a_subject(void **state) {
    (void)state;
    json_t *subjects = ask("GET", "/subjects", NULL, 200);
    assert_true(look_has(subjects, "", "ingest.sus.trial-value"));
    assert_true(look_has(subjects, "", "unified.trial-value"));
    assert_true(look_has(subjects, "", "deadletter.hub-value"));
    json_decref(subjects);
}

/* What is listed can be asked for. */
static void every_listed_subject_has_a_latest_version(void **state) {
    char path[160];
    json_t *subjects = ask("GET", "/subjects", NULL, 200), *subject;
    size_t i;
    (void)state;
    json_array_foreach(subjects, i, subject) {
        snprintf(path, sizeof path, "/subjects/%s/versions/latest", json_string_value(subject));
        json_t *answer = ask("GET", path, NULL, 200);
        assert_string_equal(look_text(answer, "subject"), json_string_value(subject));
        assert_true(look_number(answer, "id") >= HUB_SCHEMA_ID_FIRST);
        json_decref(answer);
    }
    json_decref(subjects);
}

static void versions_are_listed_and_found(void **state) {
    (void)state;
    json_t *answer = ask("GET", "/subjects/ingest.sus.trial-value/versions", NULL, 200);
    assert_int_equal(look_number(answer, "0"), 1);
    json_decref(answer);
    answer = ask("GET", "/subjects/ingest.sus.trial-value/versions/-1", NULL, 200);
    assert_int_equal(look_number(answer, "id"), trial()->id);
    assert_string_equal(look_text(answer, "subject"), "ingest.sus.trial-value");
    json_decref(answer);
    json_decref(ask("GET", "/subjects/ingest%2Esus%2etrial-value/versions/latest", NULL, 200));
    refused("GET", "/subjects/ingest.sus.trial-value/versions/99", NULL, 404, 40402);
    refused("GET", "/subjects/ingest.sus.trial-value/versions/0", NULL, 404, 40402);
    refused("GET", "/subjects/ingest.sus.trial-value/versions/x", NULL, 404, 40402);
}

static void a_subject_that_is_none_is_not_found(void **state) {
    char path[400];
    (void)state;
    refused("GET", "/subjects/other-value/versions", NULL, 404, 40401);
    refused("GET", "/subjects/ingest.sus.trial-key/versions/latest", NULL, 404, 40401);
    refused("GET", "/subjects/-value/versions/latest", NULL, 404, 40401);
    snprintf(path, sizeof path, "/subjects/%0300d-value/versions", 0);
    refused("GET", path, NULL, 404, 40401);
    refused("POST", "/subjects/other-value", "{\"schema\":\"{}\"}", 404, 40401);
}

/* --- looking up and registering --- */

/* The schema as a client would send it: printed anew. */
static char *question(void) {
    json_error_t error;
    json_t *schema = json_loadb(trial()->text, trial()->text_size, JSON_ALLOW_NUL, &error);
    char *text = json_dumps(schema, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *asked = json_pack("{s:s}", "schema", text);
    char *body = json_dumps(asked, 0);
    json_decref(asked);
    json_decref(schema);
    free(text);
    return body;
}

static void a_schema_that_says_the_same_is_found_however_it_is_printed(void **state) {
    char *body = question();
    (void)state;
    json_t *answer = ask("POST", "/subjects/ingest.sus.trial-value?normalize=False&deleted=True",
                         body, 200);
    assert_int_equal(look_number(answer, "id"), trial()->id);
    assert_int_equal(look_number(answer, "version"), trial()->version);
    json_decref(answer);
    free(body);
}

static void registering_what_is_there_gives_its_id(void **state) {
    char *body = question();
    (void)state;
    json_t *answer =
        ask("POST", "/subjects/ingest.sus.trial-value/versions?normalize=false", body, 200);
    assert_int_equal(look_number(answer, "id"), trial()->id);
    json_decref(answer);
    free(body);
}

static void nothing_else_can_be_registered_or_found(void **state) {
    static const char *const bodies[] = {
        "{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}", "{\"schema\":\"\"}", "{\"schema\":7}",
        "{}", "[]", "not json", "", "{\"schema\":\"\\\"string\\\"\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        refused("POST", "/subjects/ingest.sus.trial-value/versions", bodies[i], 422, 42201);
        refused("POST", "/subjects/ingest.sus.trial-value", bodies[i], 404, 40403);
    }
}

static void nothing_can_be_changed_or_deleted(void **state) {
    static const char *const methods[] = {"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        refused(methods[i], "/subjects/ingest.sus.trial-value", "", 405, 405);
        refused(methods[i], "/config", "{\"compatibility\":\"NONE\"}", 405, 405);
    }
    refused("POST", "/schemas/ids/100001", "", 405, 405);
}

static void head_is_answered_as_get(void **state) {
    (void)state;
    json_decref(ask("HEAD", "/subjects", NULL, 200));
    refused("HEAD", "/schemas/ids/1", NULL, 404, 40403);
}

/* --- the rest --- */

static void settings_are_told(void **state) {
    (void)state;
    json_t *answer = ask("GET", "/config", NULL, 200);
    expect_json(answer, "compatibilityLevel", "'FULL_TRANSITIVE'");
    json_decref(answer);
    answer = ask("GET", "/mode", NULL, 200);
    expect_json(answer, "mode", "'READONLY'");
    json_decref(answer);
    answer = ask("GET", "/schemas/types", NULL, 200);
    expect_json(answer, "", "['AVRO']");
    json_decref(answer);
}

static void what_is_not_served_is_not_found(void **state) {
    (void)state;
    /* Python's client asks this first, and takes a 404 for "use the topic's name". */
    refused("GET", "/associations/resources/-/unified.trial?resourceType=topic", NULL, 404, 404);
    refused("GET", "/", NULL, 404, 404);
    refused("GET", "", NULL, 404, 404);
    refused("GET", "//", NULL, 404, 404);
    refused("GET", "/schemas", NULL, 404, 404);
    refused("GET", "/schemas/guids/0", NULL, 404, 404);
    refused("GET", "/subjects/ingest.sus.trial-value", NULL, 404, 404);
    refused("GET", "/subjects/ingest.sus.trial-value/other", NULL, 404, 404);
    refused("GET", "/a/b/c/d/e/f/g/h/i/j", NULL, 404, 404);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_found_by_its_id),
        cmocka_unit_test(the_query_of_an_id_plays_no_part),
        cmocka_unit_test(a_schema_is_given_bare_where_that_is_asked),
        cmocka_unit_test(an_id_tells_its_subject_and_version),
        cmocka_unit_test(an_id_that_is_none_is_not_found),
        cmocka_unit_test(every_topic_is_a_subject),
        cmocka_unit_test(every_listed_subject_has_a_latest_version),
        cmocka_unit_test(versions_are_listed_and_found),
        cmocka_unit_test(a_subject_that_is_none_is_not_found),
        cmocka_unit_test(a_schema_that_says_the_same_is_found_however_it_is_printed),
        cmocka_unit_test(registering_what_is_there_gives_its_id),
        cmocka_unit_test(nothing_else_can_be_registered_or_found),
        cmocka_unit_test(nothing_can_be_changed_or_deleted),
        cmocka_unit_test(head_is_answered_as_get),
        cmocka_unit_test(settings_are_told),
        cmocka_unit_test(what_is_not_served_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
