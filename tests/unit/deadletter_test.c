/* deadletter: the record that is made is the registered schema's. */
#include "schemas/lib/deadletter.h"

#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/walk.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

static json_t *shown(const struct hub_deadletter *letter) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "deadletter");
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_deadletter_encode(letter, &message);
    struct hub_bytes body =
        hub_bytes_part(hub_buffer_bytes(&message), HUB_FRAME_HEADER_SIZE, message.size);
    expect_ok(hub_walk(schema->root, body, &limits, &walk, &error), &error);
    assert_true(walk.canonical);
    return test_render(hub_buffer_bytes(&message));
}

static void all_that_is_known_is_told(void **state) {
    (void)state;
    struct hub_deadletter letter = {.stage = "map",
                                    .code = "no-time",
                                    .reason = "field start: no time; 2026-03-01 would pass",
                                    .path = "start",
                                    .institution = "sus",
                                    .connector = "sus-trials",
                                    .document = "a.csv:3",
                                    .topic = "ingest.sus.trial",
                                    .partition = 2,
                                    .offset = 12345678901,
                                    .key = hub_bytes_of_text("k"),
                                    .original = hub_bytes("\xff\x00z", 3),
                                    .original_hash = hub_sha256.digest(hub_bytes_of_text("abc")),
                                    .security = true};
    json_t *json = shown(&letter);
    expect_json(json, "stage", "'map'");
    expect_json(json, "code", "'no-time'");
    expect_json(json, "reason", "'field start: no time; 2026-03-01 would pass'");
    expect_json(json, "path", "'start'");
    expect_json(json, "institution", "'sus'");
    expect_json(json, "connector", "'sus-trials'");
    expect_json(json, "document", "'a.csv:3'");
    expect_json(json, "topic", "'ingest.sus.trial'");
    expect_json(json, "partition", "2");
    expect_json(json, "offset", "12345678901");
    expect_json(json, "key", "'6b'");
    expect_json(json, "original", "'ff007a'");
    expect_json(json, "original_hash",
                "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'");
    expect_json(json, "security", "true");
    expect_json(json, "about", "null");
    json_decref(json);
}

static void what_is_not_known_is_null(void **state) {
    (void)state;
    static const char *const unknown[] = {"path",     "institution", "connector",
                                          "document", "topic",       "partition",
                                          "offset",   "key",         "original"};
    struct hub_deadletter letter = {
        .stage = "parse", .code = "c", .reason = "r", .partition = 5, .offset = 6};
    json_t *json = shown(&letter);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        expect_json(json, unknown[i], "null");
    expect_json(json, "security", "false");
    json_decref(json);
}

static void an_empty_original_is_not_one_that_is_held_back(void **state) {
    (void)state;
    struct hub_deadletter letter = {.stage = "parse",
                                    .code = "c",
                                    .reason = "r",
                                    .key = hub_bytes("", 0),
                                    .original = hub_bytes("", 0)};
    json_t *json = shown(&letter);
    expect_json(json, "key", "''");
    expect_json(json, "original", "''");
    json_decref(json);
}

static void what_became_of_one_is_told(void **state) {
    (void)state;
    struct hub_letter_about about = {.offset = 300,
                                     .outcome = HUB_LETTER_DISCARDED,
                                     .because = "sent twice",
                                     .by = "anna",
                                     .time_ms = 86400000};
    struct hub_deadletter letter = {.stage = "parse", .code = "c", .reason = "r", .about = &about};
    json_t *json = shown(&letter);
    expect_json(json, "about.offset", "300");
    expect_json(json, "about.because", "'sent twice'");
    expect_json(json, "about.by", "'anna'");
    json_decref(json);
    for (int i = 0; i <= HUB_LETTER_UNRECOGNISED; i++) {
        about.outcome = (enum hub_letter_outcome)i;
        json = shown(&letter);
        assert_string_equal(look_text(json, "about.outcome"), hub_letter_outcome_name(about.outcome));
        json_decref(json);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_known_is_told),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(an_empty_original_is_not_one_that_is_held_back),
        cmocka_unit_test(what_became_of_one_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
