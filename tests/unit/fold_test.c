/* fold: what becomes of an entry of the log, and what is no entry at all. */
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/schema.h"
#include "tests/lib/tell.h"

#include <string.h>

static void two_sources_that_share_a_number_are_one_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "nct:NCT01035190", NULL);
    tell_trial(world, "isrctn/B", 1, "isrctn:ISRCTN80181452 nct:NCT01035190", NULL);
    assert_ptr_equal(world_entity_of(world, "ctgov/A"), world_entity_of(world, "isrctn/B"));
    assert_int_equal(world_count_active(world_unified(world)), 1);
    world_free(world);
}

static void a_late_statement_never_overwrites(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 10, "", "'acronym': 'NEW'");
    tell_trial(world, "ctgov/A", 9, "", "'acronym': 'OLD'");
    expect_json(world_entity_of(world, "ctgov/A"), "value.acronym", "'NEW'");
    assert_int_equal(world_fold_counts(world).superseded, 1);
    assert_string_equal(tell_each(world, "unified", NULL, "value.revision"), "1");
    world_free(world);
}

static void an_entry_that_says_nothing_new_publishes_nothing(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 1, "", "'acronym': 'A'");
    tell_trial(world, "ctgov/A", 2, "", "'acronym': 'A'"); /* a new version of a shared system */
    assert_string_equal(tell_each(world, "unified", NULL, "value.revision"), "1");
    assert_int_equal(world_fold_counts(world).unchanged, 1);
    world_free(world);
}

static void a_withdrawal_of_what_was_never_in_force_publishes_nothing(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial_withdrawn(world, "euctr/A", 1);
    assert_string_equal(tell_each(world, "unified", NULL, "key"), "");
    assert_int_equal(world_fold_counts(world).unchanged, 1);
    assert_int_equal(world_fold_counts(world).withdrawn, 0);
    world_free(world);
}

static void what_was_read_is_the_sum_of_what_became_of_it(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "ctgov/A", 2, "", NULL);
    tell_trial(world, "ctgov/A", 1, "", "'acronym': 'OLD'");
    tell_trial(world, "ctgov/A", 3, "", NULL);
    tell_trial(world, "ctgov/A", 4, "", "'acronym': 'A'");
    tell_trial_withdrawn(world, "ctgov/A", 5);
    tell_trial_withdrawn(world, "ctgov/B", 1);
    struct hub_fold_counts counts = world_fold_counts(world);
    assert_int_equal(counts.read, 6);
    assert_int_equal(counts.published, 2);
    assert_int_equal(counts.superseded, 1);
    assert_int_equal(counts.unchanged, 2);
    assert_int_equal(counts.withdrawn, 1);
    world_free(world);
}

/* --- what admit would never write --- */

struct folding {
    struct hub_arena arena;
    struct hub_fold *fold;
    struct hub_bytes message;
    struct hub_error error;
};

static void begin(struct folding *folding) {
    const struct hub_domain *domain = test_domain("trial");
    HUB_SCOPED_BUFFER message = {0};
    *folding = (struct folding){
        .fold = hub_fold_new(test_catalogue(), domain, &hub_sha256, /* partition= */ 0)};
    hub_frame_append(&message, domain->schema->id);
    hub_buffer_append_bytes(&message, test_value(domain->schema->root,
                                                 "{'statement': {'version': '1'}}",
                                                 &folding->arena));
    folding->message = hub_bytes(
        hub_arena_text(&folding->arena, (const char *)message.data, message.size), message.size);
}

static void end(struct folding *folding) {
    hub_fold_free(folding->fold);
    hub_arena_destroy(&folding->arena);
}

static enum hub_status fold_entry(struct folding *folding, const char *key, struct hub_bytes value,
                                  size_t *ret_outputs) {
    struct hub_outputs outputs = {.arena = &folding->arena};
    struct hub_input entry = {.has_key = key != NULL,
                              .has_value = value.data != NULL,
                              .key = hub_bytes_of_text(key == NULL ? "" : key),
                              .value = value,
                              .offset = 41};
    enum hub_status status = hub_fold_entry(folding->fold, &entry, &outputs, &folding->error);
    *ret_outputs = outputs.count;
    return status;
}

static void a_damaged_log_stops_the_fold(void **state) {
    static const char junk[] = "\0\0\1\x86\xa9\xff";
    struct folding folding;
    size_t outputs = 0;
    (void)state;
    begin(&folding);
    const struct {
        const char *key;
        struct hub_bytes value;
    } damaged[] = {{NULL, folding.message},
                   {"", folding.message},
                   {"sus", folding.message},
                   {"sus/ctgov", folding.message},
                   {"rules/x", folding.message},
                   {"decision/s", folding.message},
                   {"sus/ctgov/\xff", folding.message},
                   {"sus/ctgov/A", hub_bytes(NULL, 0)},
                   {"sus/ctgov/A", hub_bytes("", 0)},
                   {"sus/ctgov/A", hub_bytes(junk, sizeof junk - 1)},
                   {"sus/ctgov/A", hub_bytes_part(folding.message, 0, folding.message.size - 1)}};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        assert_int_equal(fold_entry(&folding, damaged[i].key, damaged[i].value, &outputs),
                         HUB_FATAL);
        assert_int_equal(outputs, 0);
        assert_non_null(strstr(folding.error.text, "log.trial/0@41"));
    }
    assert_int_equal(hub_fold_counts(folding.fold)->read, 0);
    end(&folding);
}

/* What a statement said before is at hand then, and vouches for nothing. */
static void a_damaged_update_stops_the_fold(void **state) {
    struct folding folding;
    size_t outputs = 0;
    (void)state;
    begin(&folding);
    for (size_t size = 0; size < folding.message.size; size++) {
        hub_fold_free(folding.fold);
        folding.fold = hub_fold_new(test_catalogue(), test_domain("trial"), &hub_sha256, 0);
        expect_ok(fold_entry(&folding, "sus/ctgov/A", folding.message, &outputs), &folding.error);
        assert_int_equal(fold_entry(&folding, "sus/ctgov/A",
                                    hub_bytes_part(folding.message, 0, size), &outputs),
                         HUB_FATAL);
        assert_int_equal(outputs, 0);
    }
    end(&folding);
}

/* --- the envelope --- */

static void expect_header(const struct hub_output *output, const char *name, const char *wanted) {
    struct hub_input input = {.headers = output->headers, .header_count = output->header_count};
    struct hub_bytes found = hub_input_header(&input, name);
    if (!hub_bytes_equal_text(found, wanted))
        fail_msg("%s is %.*s, not %s", name, (int)found.size, (const char *)found.data, wanted);
}

/* Of what ctgov/A says. */
static void expect_told(struct folding *folding, const char *json, int64_t timestamp_ms,
                        const char *revision, const char *type, const char *time) {
    const struct hub_domain *domain = test_domain("trial");
    struct hub_outputs outputs = {.arena = &folding->arena};
    struct hub_buffer message = {.arena = &folding->arena};
    hub_frame_append(&message, domain->schema->id);
    hub_buffer_append_bytes(&message, test_value(domain->schema->root, json, &folding->arena));
    struct hub_input entry = {.has_key = true, .has_value = true,
                              .key = hub_bytes_of_text("sus/ctgov/A"),
                              .value = hub_buffer_bytes(&message), .timestamp_ms = timestamp_ms};
    expect_ok(hub_fold_entry(folding->fold, &entry, &outputs, &folding->error), &folding->error);
    assert_int_equal(outputs.items[0].kind, HUB_OUTPUT_UNIFIED);
    const char *id = hub_arena_text(&folding->arena, (const char *)outputs.items[0].key.data,
                                    outputs.items[0].key.size);
    expect_header(&outputs.items[0], "ce_id", hub_arena_format(&folding->arena, "%s/%s", id, revision));
    expect_header(&outputs.items[0], "ce_subject", id);
    expect_header(&outputs.items[0], "ce_source", "urn:atmp:hub:fold");
    expect_header(&outputs.items[0], "ce_type", type);
    for (size_t i = 0; i < outputs.count; i++)
        expect_header(&outputs.items[i], "ce_time", time);
    for (size_t i = 1; i < outputs.count; i++) {
        assert_int_equal(outputs.items[i].kind, HUB_OUTPUT_IDENTIFIER);
        expect_header(&outputs.items[i], "ce_id", "nct:NCT01000001@0");
        expect_header(&outputs.items[i], "ce_type", "atmp.trial.identifier.listed");
    }
}

#define NUMBERED "'identifiers': [{'scheme': 'nct', 'value': 'NCT01000001', 'relation': 'SELF'}]"

static void an_envelope_tells_what_came_of_its_entry_and_when(void **state) {
    struct folding folding;
    (void)state;
    begin(&folding);
    expect_told(&folding, "{'statement': {'version': '1'}, " NUMBERED "}", 0, "1",
                "atmp.trial.registered", "1970-01-01T00:00:00.000Z");
    expect_told(&folding, "{'statement': {'version': '2'}, 'acronym': 'A', " NUMBERED "}",
                1767225600000, "2", "atmp.trial.updated", "2026-01-01T00:00:00.000Z");
    expect_told(&folding, "{'statement': {'version': '3'}, 'acronym': 'B', " NUMBERED "}",
                1767225600000, "3", "atmp.trial.updated", "2026-01-01T00:00:00.000Z");
    expect_told(&folding, "{'statement': {'version': '4'}, 'acronym': 'C', " NUMBERED "}",
                1767225600001, "4", "atmp.trial.updated", "2026-01-01T00:00:00.001Z");
    end(&folding);
}

static void a_late_entry_is_passed_over_whatever_it_holds(void **state) {
    struct folding folding;
    size_t outputs = 0;
    (void)state;
    begin(&folding);
    expect_ok(fold_entry(&folding, "late/sus/ctgov/A", hub_bytes("junk", 4), &outputs),
              &folding.error);
    assert_int_equal(outputs, 0);
    assert_int_equal(hub_fold_counts(folding.fold)->superseded, 1);
    expect_ok(fold_entry(&folding, "sus/ctgov/A", folding.message, &outputs), &folding.error);
    assert_int_equal(outputs, 1);
    end(&folding);
}

static void gauges_tell_what_the_shard_holds(void **state) {
    struct folding folding;
    size_t outputs = 0;
    (void)state;
    begin(&folding);
    expect_ok(fold_entry(&folding, "sus/ctgov/A", folding.message, &outputs), &folding.error);
    expect_ok(fold_entry(&folding, "lumc/ctgov/A", folding.message, &outputs), &folding.error);
    expect_ok(fold_entry(&folding, "sus/euctr/A", folding.message, &outputs), &folding.error);
    struct hub_fold_gauges gauges = hub_fold_gauges(folding.fold);
    assert_int_equal(gauges.statements, 2); /* two carriers of one, and another */
    assert_int_equal(gauges.entities, 2);
    assert_int_equal(gauges.conflicts_open, 0);
    assert_int_equal(gauges.matches_open, 0);
    assert_int_equal(gauges.identifiers_set_aside, 0);
    end(&folding);
}

static void carriers_that_no_longer_see_what_is_withdrawn_publish_nothing(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_say(world, "sus", "ctgov/A", "{'statement': {'version': '1'}}");
    world_say(world, "lumc", "ctgov/A", "{'statement': {'version': '2', 'state': 'WITHDRAWN'}}");
    assert_int_equal(world_fold_counts(world).withdrawn, 1);
    world_say(world, "sus", "ctgov/A", "{'statement': {'version': '1~2', 'state': 'WITHDRAWN'}}");
    assert_int_equal(world_fold_counts(world).withdrawn, 1);
    assert_int_equal(world_fold_counts(world).unchanged, 1);
    assert_string_equal(tell_each(world, "unified", NULL, "value.kind"), "ACTIVE WITHDRAWN");
    world_free(world);
}

static void carriers_are_listed_by_name_after_the_one_that_speaks(void **state) {
    static const char *const keys[] = {"sus/ctgov/A", "lumc/ctgov/A", "xx/ctgov/A", "lu/ctgov/A"};
    struct folding folding;
    struct hub_outputs outputs;
    (void)state;
    begin(&folding);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct hub_input entry = {.has_key = true,
                                  .has_value = true,
                                  .key = hub_bytes_of_text(keys[i]),
                                  .value = folding.message,
                                  .offset = (int64_t)i};
        outputs = (struct hub_outputs){.arena = &folding.arena};
        expect_ok(hub_fold_entry(folding.fold, &entry, &outputs, &folding.error), &folding.error);
    }
    json_t *entity = test_render(outputs.items[0].value);
    expect_json(entity, "statements.0.carriers", "['lu', 'lumc', 'sus', 'xx']");
    json_decref(entity);
    end(&folding);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sources_that_share_a_number_are_one_entity),
        cmocka_unit_test(a_late_statement_never_overwrites),
        cmocka_unit_test(an_entry_that_says_nothing_new_publishes_nothing),
        cmocka_unit_test(a_withdrawal_of_what_was_never_in_force_publishes_nothing),
        cmocka_unit_test(what_was_read_is_the_sum_of_what_became_of_it),
        cmocka_unit_test(a_damaged_log_stops_the_fold),
        cmocka_unit_test(a_damaged_update_stops_the_fold),
        cmocka_unit_test(an_envelope_tells_what_came_of_its_entry_and_when),
        cmocka_unit_test(a_late_entry_is_passed_over_whatever_it_holds),
        cmocka_unit_test(gauges_tell_what_the_shard_holds),
        cmocka_unit_test(carriers_that_no_longer_see_what_is_withdrawn_publish_nothing),
        cmocka_unit_test(carriers_are_listed_by_name_after_the_one_that_speaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
