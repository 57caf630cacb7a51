/* admit_check: every reason for which a record is refused, and where it points. */
#include "hub/stages/admit_check.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/world.h"

#include <string.h>

/* The last thing that was published. */
static const json_t *last_output(struct world *world) {
    const json_t *all = world_outputs(world);
    return json_array_get(all, json_array_size(all) - 1);
}

/* Says it, and expects a dead letter of this code and path (NULL: without one), security or not. */
static void refused(const char *domain, const char *institution, const char *key, const char *json,
                    const char *code, const char *path, bool security) {
    struct world *world = world_new(domain);
    world_admit(world, institution, key, json);
    const json_t *output = last_output(world);
    assert_string_equal(look_text(output, "kind"), "deadletter");
    assert_string_equal(look_text(output, "value.code"), code);
    if (path == NULL)
        assert_true(json_is_null(look(output, "value.path")));
    else
        assert_string_equal(look_text(output, "value.path"), path);
    assert_int_equal(json_is_true(look(output, "value.security")), security);
    assert_int_equal(world_admit_counts(world).dead, 1);
    assert_int_equal(world_admit_counts(world).security, security);
    world_free(world);
}

static void accepted(const char *domain, const char *institution, const char *key,
                     const char *json) {
    struct world *world = world_new(domain);
    world_admit(world, institution, key, json);
    assert_string_equal(look_text(last_output(world), "kind"), "admitted");
    world_free(world);
}

static const char stamp_only[] = "{'statement': {'version': '1'}}";

/* --- the key --- */

static void a_key_is_a_system_and_a_source_id(void **state) {
    (void)state;
    accepted("trial", "sus", "ctgov/A", stamp_only);
    accepted("trial", "sus", "ctgov/with/more/of/them", stamp_only);
    accepted("trial", "sus", "ctgov/\xc3\xa5", stamp_only);
    refused("trial", "sus", "ctgov", stamp_only, "KEY", NULL, false);
    refused("trial", "sus", "ctgov/", stamp_only, "KEY", NULL, false);
    refused("trial", "sus", "", stamp_only, "KEY", NULL, false);
    refused("trial", "sus", NULL, stamp_only, "KEY", NULL, false);
}

static void a_key_has_no_control_characters(void **state) {
    (void)state;
    refused("trial", "sus", "ctgov/a\nb", stamp_only, "KEY", NULL, false);
    refused("trial", "sus", "ctgov/a\x7f", stamp_only, "KEY", NULL, false);
}

/* It would stand in unified records, which could then not be loaded again. */
static void a_key_that_is_no_utf8_is_refused(void **state) {
    (void)state;
    const struct hub_system *system = NULL;
    struct hub_refusal_facts refusal;
    static const char *const keys[] = {"ctgov/\xff", "ctgov/a\xc3", "\xe2\x82/A"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(hub_admit_check_key(test_domain("trial"), "sus",
                                             hub_bytes_of_text(keys[i]), &system, &refusal, NULL),
                         HUB_REJECT);
        assert_string_equal(refusal.code, "KEY");
    }
}

static void a_key_is_at_most_512_bytes(void **state) {
    char key[514];
    (void)state;
    memset(key, 'x', sizeof key);
    memcpy(key, "ctgov/", 6);
    key[512] = '\0';
    accepted("trial", "sus", key, stamp_only);
    key[512] = 'x';
    key[513] = '\0';
    refused("trial", "sus", key, stamp_only, "KEY", NULL, false);
}

static void a_system_that_is_not_declared_is_refused(void **state) {
    (void)state;
    refused("trial", "sus", "unheard-of/A", stamp_only, "SYSTEM", NULL, false);
}

static void a_system_of_another_institution_is_a_security_event(void **state) {
    (void)state;
    refused("trial", "sus", "ctis/A", stamp_only, "SYSTEM", NULL, true);
    accepted("trial", "lumc", "ctis/A", stamp_only);
}

/* --- the value --- */

static void a_null_value_is_refused(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_admit_bytes(world, "sus", "ctgov/A", hub_bytes(NULL, 0), NULL, 0);
    assert_string_equal(look_text(last_output(world), "value.code"), "NULL");
    world_free(world);
}

static void bytes_that_are_no_avro_are_refused(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_admit_bytes(world, "sus", "ctgov/A", hub_bytes("", 0), NULL, 0);
    assert_string_equal(look_text(last_output(world), "value.code"), "AVRO");
    world_admit_bytes(world, "sus", "ctgov/A", hub_bytes("{\"a\":1}", 7), NULL, 0);
    assert_string_equal(look_text(last_output(world), "value.code"), "AVRO");
    world_free(world);
}

/* --- the stamp --- */

static void a_state_that_is_not_recognised_is_refused(void **state) {
    (void)state;
    refused("trial", "sus", "ctgov/A", "{'statement': {'version': '1', 'state': 'UNRECOGNISED'}}",
            "STATE", "statement.state", false);
}

static void a_version_has_1_to_128_characters(void **state) {
    struct hub_arena arena = {0};
    char version[130];
    (void)state;
    refused("trial", "sus", "ctgov/A", "{'statement': {'version': ''}}", "VERSION",
            "statement.version", false);
    memset(version, '1', sizeof version);
    version[128] = '\0';
    accepted("trial", "sus", "ctgov/A",
             hub_arena_format(&arena, "{'statement': {'version': '%s'}}", version));
    version[128] = '1';
    version[129] = '\0';
    refused("trial", "sus", "ctgov/A",
            hub_arena_format(&arena, "{'statement': {'version': '%s'}}", version), "VERSION",
            "statement.version", false);
    hub_arena_destroy(&arena);
}

static void what_has_not_happened_cannot_be_stated(void **state) {
    (void)state; /* the world begins on the first of January 2100 */
    accepted("trial", "sus", "ctgov/A",
             "{'statement': {'version': '1', 'event_time': {'time': '2100-01-01T00:00:00'}}}");
    refused("trial", "sus", "ctgov/A",
            "{'statement': {'version': '1', 'event_time': {'time': '2100-01-01T00:00:01'}}}",
            "FUTURE", "statement.event_time", false);
}

static void a_time_before_the_year_1_is_refused(void **state) {
    (void)state;
    refused("trial", "sus", "ctgov/A",
            "{'statement': {'version': '1', 'event_time': {'time': -62135596800001}}}", "FUTURE",
            "statement.event_time", false);
    accepted("trial", "sus", "ctgov/A",
             "{'statement': {'version': '1', 'event_time': {'time': -62135596800000}}}");
}

/* --- identifiers --- */

static void identifier_refused(const char *domain, const char *institution, const char *key,
                               const char *identifier, const char *rest) {
    struct hub_arena arena = {0};
    refused(domain, institution, key,
            hub_arena_format(&arena,
                             "{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'other', "
                             "'value': 'x', 'relation': 'SELF'}, %s]%s}",
                             identifier, rest),
            "IDENTIFIER", "identifiers[1]", false);
    hub_arena_destroy(&arena);
}

static void trial_identifier_refused(const char *identifier) {
    identifier_refused("trial", "sus", "ctgov/A", identifier, "");
}

static void an_identifier_must_be_one_of_its_scheme(void **state) {
    (void)state;
    trial_identifier_refused("{'scheme': 'nct', 'value': 'NCT0100000', 'relation': 'SELF'}");
    trial_identifier_refused("{'scheme': 'nct', 'value': '', 'relation': 'SELF'}");
    trial_identifier_refused("{'scheme': 'unheard-of', 'value': 'x', 'relation': 'SELF'}");
}

/* The reason names it, is cut, and must be well-formed text all the same. */
static void a_reason_that_is_cut_stays_text(void **state) {
    struct hub_arena arena = {0};
    char scheme[4000];
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        memset(scheme, 0, sizeof scheme);
        memset(scheme, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof scheme; i += 3)
            memcpy(scheme + i, "\xe2\x82\xac", 3);
        trial_identifier_refused(hub_arena_format(
            &arena, "{'scheme': '%s', 'value': 'x', 'relation': 'SELF'}", scheme));
    }
    hub_arena_destroy(&arena);
}

static void a_placeholder_identifies_nothing(void **state) {
    (void)state;
    trial_identifier_refused("{'scheme': 'nct', 'value': 'NCT00000000', 'relation': 'SELF'}");
}

static void an_identifier_must_be_in_normal_form(void **state) {
    (void)state;
    trial_identifier_refused("{'scheme': 'nct', 'value': 'nct01000001', 'relation': 'SELF'}");
    trial_identifier_refused("{'scheme': 'nct', 'value': 'NCT 01000001', 'relation': 'SELF'}");
}

static void an_issuer_is_given_where_the_scheme_needs_one_and_nowhere_else(void **state) {
    static const char rest[] = ", 'facility': 'ror:05xvt9f17'";
    (void)state;
    trial_identifier_refused(
        "{'scheme': 'nct', 'issuer': 'x', 'value': 'NCT01000001', 'relation': 'SELF'}");
    identifier_refused("gmp-slot", "lumc", "lumc-mes/S",
                       "{'scheme': 'slot', 'value': '7', 'relation': 'SELF'}", rest);
    identifier_refused("gmp-slot", "lumc", "lumc-mes/S",
                       "{'scheme': 'slot', 'issuer': '', 'value': '7', 'relation': 'SELF'}", rest);
    identifier_refused("gmp-slot", "lumc", "lumc-mes/S",
                       "{'scheme': 'slot', 'issuer': 'mes\\n', 'value': '7', "
                       "'relation': 'SELF'}", rest);
    accepted("gmp-slot", "lumc", "lumc-mes/S",
             "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'identifiers': "
             "[{'scheme': 'slot', 'issuer': 'mes', 'value': '7', 'relation': 'SELF'}]}");
}

static void what_is_not_self_may_be_anything(void **state) {
    (void)state;
    accepted("trial", "sus", "ctgov/A",
             "{'statement': {'version': '1'}, 'identifiers': ["
             "{'scheme': 'nct', 'value': 'NCT00000000', 'relation': 'UNVERIFIED'},"
             "{'scheme': 'unheard-of', 'value': '', 'relation': 'RELATED'}]}");
}

/* --- texts --- */

/* Kept as C strings, two that differ after a zero byte would be one. */
static void a_text_with_a_control_character_is_refused(void **state) {
    (void)state;
    refused("trial", "sus", "ctgov/A", "{'statement': {'version': '1\\u0000'}}", "TEXT", NULL,
            false);
    refused("trial", "sus", "ctgov/A",
            "{'statement': {'version': '1'}, 'titles': [{'lang': 'en', 'text': 'A\\u0000B'}]}",
            "TEXT", NULL, false);
    refused("trial", "sus", "ctgov/A",
            "{'statement': {'version': '1'}, 'sponsor': {'text': 'S\\u007f'}}", "TEXT", NULL,
            false);
    refused("gmp-slot", "lumc", "lumc-mes/S",
            "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17\\u0000a'}", "TEXT", NULL,
            false);
    refused("gmp-slot", "lumc", "lumc-mes/S",
            "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'suite': 'A\\u0001'}",
            "TEXT", NULL, false);
    refused("trial", "sus", "ctgov/A",
            "{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'other', 'value':"
            " 'A\\u0000', 'relation': 'RELATED'}]}", "TEXT", NULL, false);
}

static void a_refused_text_is_named_by_its_path(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_admit(world, "sus", "ctgov/A",
                "{'statement': {'version': '1'}, 'titles': [{'lang': 'en', 'text': 'B'},"
                " {'lang': 'sv', 'text': 'A\\u0000B'}]}");
    const char *reason = look_text(last_output(world), "value.reason");
    assert_non_null(strstr(reason, "titles"));
    assert_non_null(strstr(reason, "element 1"));
    assert_non_null(strstr(reason, "text"));
    assert_non_null(strstr(reason, "control character"));
    world_free(world);
}

static void tabs_and_line_breaks_are_text(void **state) {
    (void)state;
    accepted("trial", "sus", "ctgov/A",
             "{'statement': {'version': '1'}, 'titles': [{'lang': 'en', 'text':"
             " 'A\\tB\\r\\nC and more \\u00e5\\u0085'}]}");
}

/* --- intervals --- */

static const char *slot_json(struct hub_arena *arena, const char *start, const char *end) {
    return hub_arena_format(arena,
                            "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17',"
                            " 'interval': {'start': {'time': %s}, 'end': {'time': %s}}}",
                            start, end);
}

static void a_slot_does_not_end_before_it_starts(void **state) {
    struct hub_arena arena = {0};
    (void)state;
    refused("gmp-slot", "lumc", "lumc-mes/S",
            slot_json(&arena, "'2026-05-01T08:00:01'", "'2026-05-01T08:00:00'"), "INTERVAL",
            "interval", false);
    accepted("gmp-slot", "lumc", "lumc-mes/S",
             slot_json(&arena, "'2026-05-01T08:00:00'", "'2026-05-01T08:00:00'"));
    accepted("gmp-slot", "lumc", "lumc-mes/S",
             slot_json(&arena, "'2026-05-01T08:00:00'", "'2026-05-01T16:00:00'"));
    hub_arena_destroy(&arena);
}

static void a_slot_is_within_the_years_of_the_calendar(void **state) {
    struct hub_arena arena = {0};
    (void)state;
    refused("gmp-slot", "lumc", "lumc-mes/S", slot_json(&arena, "-62135596800001", "0"), "INTERVAL",
            "interval", false);
    refused("gmp-slot", "lumc", "lumc-mes/S", slot_json(&arena, "0", "253402300800000"), "INTERVAL",
            "interval", false);
    refused("gmp-slot", "lumc", "lumc-mes/S",
            slot_json(&arena, "9223372036854775807", "-9223372036854775807"), "INTERVAL",
            "interval", false);
    accepted("gmp-slot", "lumc", "lumc-mes/S",
             slot_json(&arena, "-62135596800000", "253402300799999"));
    hub_arena_destroy(&arena);
}

static void a_slot_without_an_interval_passes(void **state) {
    (void)state;
    accepted("gmp-slot", "lumc", "lumc-mes/S",
             "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17'}");
}

static void a_number_without_a_pattern_must_be_in_normal_form_too(void **state) {
    (void)state;
    trial_identifier_refused("{'scheme': 'other', 'value': ' x', 'relation': 'SELF'}");
    trial_identifier_refused("{'scheme': 'protocol', 'value': 'abc-7', 'relation': 'SELF'}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_a_system_and_a_source_id),
        cmocka_unit_test(a_key_has_no_control_characters),
        cmocka_unit_test(a_key_that_is_no_utf8_is_refused),
        cmocka_unit_test(a_key_is_at_most_512_bytes),
        cmocka_unit_test(a_system_that_is_not_declared_is_refused),
        cmocka_unit_test(a_system_of_another_institution_is_a_security_event),
        cmocka_unit_test(a_null_value_is_refused),
        cmocka_unit_test(bytes_that_are_no_avro_are_refused),
        cmocka_unit_test(a_state_that_is_not_recognised_is_refused),
        cmocka_unit_test(a_version_has_1_to_128_characters),
        cmocka_unit_test(what_has_not_happened_cannot_be_stated),
        cmocka_unit_test(a_time_before_the_year_1_is_refused),
        cmocka_unit_test(an_identifier_must_be_one_of_its_scheme),
        cmocka_unit_test(a_reason_that_is_cut_stays_text),
        cmocka_unit_test(a_placeholder_identifies_nothing),
        cmocka_unit_test(an_identifier_must_be_in_normal_form),
        cmocka_unit_test(an_issuer_is_given_where_the_scheme_needs_one_and_nowhere_else),
        cmocka_unit_test(what_is_not_self_may_be_anything),
        cmocka_unit_test(a_text_with_a_control_character_is_refused),
        cmocka_unit_test(a_refused_text_is_named_by_its_path),
        cmocka_unit_test(tabs_and_line_breaks_are_text),
        cmocka_unit_test(a_slot_does_not_end_before_it_starts),
        cmocka_unit_test(a_slot_is_within_the_years_of_the_calendar),
        cmocka_unit_test(a_slot_without_an_interval_passes),
        cmocka_unit_test(a_number_without_a_pattern_must_be_in_normal_form_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
