/* admit, of what says again what was said before: it is not looked at a second time, and becomes just what a
 * process makes of it that has only now been started. */
#include "hub/io/crypto.h"
#include "hub/stages/admit.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/outputs.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>

enum { SHARDS = 4, RECORDS_MAX = 8 };
static const int64_t ARRIVAL_MS = 1800000000000; /* 2027-01-15 */

static size_t digests; /* since the last record */

static struct hub_digest counted_digest(struct hub_bytes bytes) {
    digests++;
    return hub_sha256.digest(bytes);
}
static const struct hub_digester counting = {.digest = counted_digest};

/* One partition of one ingest topic, and what admit gave for the record that was fed last. */
struct intake {
    struct hub_arena arena;
    struct hub_admit_config config;
    struct hub_admit *admit;
    struct hub_outputs outputs;
    struct hub_output *admitted[RECORDS_MAX];
    size_t admitted_count;
    int64_t offset;
    size_t digests; /* that were made of it */
};

static void begin_with(struct intake *intake, const struct hub_domain *domain,
                       const char *institution) {
    *intake = (struct intake){.config = {.catalogue = test_catalogue(),
                                         .domain = domain,
                                         .institution = institution,
                                         .digester = &counting,
                                         .shard_count = SHARDS,
                                         .topic = "ingest"}};
    intake->admit = hub_admit_new(&intake->config);
}

static void begin(struct intake *intake, const char *domain, const char *institution) {
    begin_with(intake, test_domain(domain), institution);
}

static void end(struct intake *intake) {
    hub_admit_free(intake->admit);
    hub_arena_destroy(&intake->arena);
}

/* What a process makes of it that has only now been started, and remembers nothing but what was put out. */
static void compare(struct intake *intake, const struct hub_input *input,
                    const struct hub_admit_counts *before) {
    struct hub_outputs outputs = {.arena = &intake->arena};
    struct hub_error error;
    struct hub_admit *fresh = hub_admit_new(&intake->config);
    hub_admit_set_counts(fresh, before);
    for (size_t i = 0; i < intake->admitted_count; i++)
        hub_admit_load(fresh, intake->admitted[i]->key, intake->admitted[i]->value);
    expect_ok(hub_admit_record(fresh, input, &outputs, &error), &error);
    assert_memory_equal(hub_admit_counts(fresh), hub_admit_counts(intake->admit), sizeof *before);
    hub_admit_free(fresh);
    expect_same_outputs(&intake->outputs, &outputs);
}

static void feed_input(struct intake *intake, struct hub_input input) {
    struct hub_admit_counts before = *hub_admit_counts(intake->admit);
    struct hub_error error;
    input.has_key = true;
    input.offset = intake->offset++;
    intake->outputs = (struct hub_outputs){.arena = &intake->arena};
    digests = 0;
    expect_ok(hub_admit_record(intake->admit, &input, &intake->outputs, &error), &error);
    intake->digests = digests;
    compare(intake, &input, &before);
    struct hub_output *last = &intake->outputs.items[intake->outputs.count - 1];
    if (last->kind == HUB_OUTPUT_ADMITTED)
        intake->admitted[intake->admitted_count++] = last;
}

static void feed_bytes(struct intake *intake, const char *key, struct hub_bytes value) {
    feed_input(intake, (struct hub_input){.has_value = true,
                                          .key = hub_bytes_of_text(key),
                                          .value = value,
                                          .timestamp_ms = ARRIVAL_MS});
}

static struct hub_bytes message_of(struct intake *intake, const char *json) {
    struct hub_buffer message = {.arena = &intake->arena};
    const struct hub_schema *schema = intake->config.domain->schema;
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, test_value(schema->root, json, &intake->arena));
    return hub_buffer_bytes(&message);
}

static void feed(struct intake *intake, const char *key, const char *json) {
    feed_bytes(intake, key, message_of(intake, json));
}

/* What the last admitted record says, or the code of the dead letter. */
static const char *outcome(const struct intake *intake) {
    static char text[32];
    const struct hub_output *output = &intake->outputs.items[intake->outputs.count - 1];
    json_t *value = test_render(output->value);
    snprintf(text, sizeof text, "%s",
             look_text(value, output->kind == HUB_OUTPUT_ADMITTED ? "outcome" : "code"));
    json_decref(value);
    return text;
}

/* --- what is taken for a repeat --- */

/* Of a slot both what it says and its shard are digested, where it is looked at. */
static void a_repeat_is_not_looked_at_again(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "gmp-slot", "lumc");
    feed(&intake, "lumc-mes/S", "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17'}");
    assert_int_equal(intake.digests, 2);
    feed(&intake, "lumc-mes/S", "{'statement': {'version': '2', 'document': 'next.json'},"
                                " 'facility': 'ror:05xvt9f17'}");
    assert_string_equal(outcome(&intake), "UNCHANGED");
    assert_int_equal(intake.digests, 1);
    end(&intake);
}

static void after_a_restart_it_is_looked_at_once(void **state) {
    static const char slot[] = "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17'}";
    struct intake intake;
    (void)state;
    begin(&intake, "gmp-slot", "lumc");
    feed(&intake, "lumc-mes/S", slot);
    hub_admit_free(intake.admit);
    intake.admit = hub_admit_new(&intake.config);
    hub_admit_load(intake.admit, intake.admitted[0]->key, intake.admitted[0]->value);
    feed(&intake, "lumc-mes/S", slot);
    assert_int_equal(intake.digests, 2);
    feed(&intake, "lumc-mes/S", slot);
    assert_int_equal(intake.digests, 1);
    assert_int_equal(hub_admit_counts(intake.admit)->unchanged, 2);
    end(&intake);
}

static void a_repeat_raises_the_version_and_may_be_late(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "euctr/A", "{'statement': {'version': '1'}, 'acronym': 'STAR'}");
    feed(&intake, "euctr/A", "{'statement': {'version': '3'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "UNCHANGED");
    feed(&intake, "euctr/A", "{'statement': {'version': '2'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "LATE");
    feed(&intake, "euctr/A", "{'statement': {'version': '2'}, 'acronym': 'MOON'}");
    assert_string_equal(outcome(&intake), "LATE");
    end(&intake);
}

static void a_version_of_any_length_is_kept(void **state) {
    static const char *const versions[] = {
        "1", "2-and-a-version-of-more-than-thirty-two-characters", "3",
        "4-and-a-version-of-more-than-thirty-two-characters",
        "5-and-another-one-of-still-more-than-thirty-two-characters"};
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        feed(&intake, "euctr/A",
             hub_arena_format(&intake.arena, "{'statement': {'version': '%s'}, 'acronym': '%d'}",
                              versions[i], (int)i / 2));
        json_t *value = test_render(intake.outputs.items[intake.outputs.count - 1].value);
        assert_string_equal(look_text(value, "version"), versions[i]);
        json_decref(value);
    }
    assert_int_equal(hub_admit_counts(intake.admit)->unchanged, 2);
    end(&intake);
}

static void what_was_withdrawn_may_be_said_again_and_taken_back(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "euctr/A", "{'statement': {'version': '1'}, 'acronym': 'STAR'}");
    feed(&intake, "euctr/A",
         "{'statement': {'version': '2', 'state': 'WITHDRAWN'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "WITHDRAWN");
    feed(&intake, "euctr/A",
         "{'statement': {'version': '3', 'state': 'WITHDRAWN'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "UNCHANGED");
    feed(&intake, "euctr/A", "{'statement': {'version': '4'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "CHANGED");
    end(&intake);
}

static void of_a_shared_system_another_version_of_the_source_is_a_change(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1'}, 'acronym': 'STAR'}");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1~8'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "UNCHANGED");
    feed(&intake, "ctgov/A", "{'statement': {'version': '2'}, 'acronym': 'STAR'}");
    assert_string_equal(outcome(&intake), "CHANGED");
    end(&intake);
}

/* --- what is not --- */

/* The version is digested behind what follows the stamp: a byte of the one must not pass for one of the
 * other. */
static void a_byte_too_many_is_no_part_of_the_version(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "ctgov/A", "{'statement': {'version': '12'}}");
    struct hub_bytes message = message_of(&intake, "{'statement': {'version': '2'}}");
    struct hub_buffer longer = {.arena = &intake.arena};
    hub_buffer_append_bytes(&longer, message);
    hub_buffer_append_byte(&longer, '1');
    feed_bytes(&intake, "ctgov/A", hub_buffer_bytes(&longer));
    assert_string_equal(outcome(&intake), "AVRO");
    end(&intake);
}

static void a_repeat_is_refused_for_its_stamp(void **state) {
    static const struct {
        const char *stamp, *code;
    } refused[] = {
        {"'version': ''", "VERSION"},
        {"'version': '2', 'document': '\\u0007'", "TEXT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct intake intake;
        begin(&intake, "trial", "sus");
        feed(&intake, "euctr/A", "{'statement': {'version': '1'}, 'acronym': 'STAR'}");
        feed(&intake, "euctr/A", hub_arena_format(&intake.arena, "{'statement': {%s}, 'acronym':"
                                                  " 'STAR'}", refused[i].stamp));
        assert_string_equal(outcome(&intake), refused[i].code);
        end(&intake);
    }
}

/* Whose broker's clock was set back. */
static void a_repeat_that_arrives_before_its_event_is_refused(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    struct hub_bytes message = message_of(
        &intake, "{'statement': {'version': '1', 'event_time': {'time': '2027-01-01T00:00:00'}}}");
    feed_bytes(&intake, "euctr/A", message);
    feed_input(&intake, (struct hub_input){.has_value = true,
                                           .key = hub_bytes_of_text("euctr/A"),
                                           .value = message,
                                           .timestamp_ms = ARRIVAL_MS - 30 * 86400000LL});
    assert_string_equal(outcome(&intake), "FUTURE");
    end(&intake);
}

static void a_repeat_of_another_institution_is_refused(void **state) {
    const struct hub_header headers[] = {{"ce_source", hub_bytes_of_text("urn:atmp:lumc:euctr")}};
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    struct hub_bytes message = message_of(&intake, "{'statement': {'version': '1'}}");
    feed_bytes(&intake, "euctr/A", message);
    feed_input(&intake, (struct hub_input){.has_value = true,
                                           .key = hub_bytes_of_text("euctr/A"),
                                           .value = message,
                                           .headers = headers,
                                           .header_count = 1,
                                           .timestamp_ms = ARRIVAL_MS});
    assert_string_equal(outcome(&intake), "SOURCE");
    assert_int_equal(hub_admit_counts(intake.admit)->security, 1);
    end(&intake);
}

static void a_known_key_without_a_value_is_refused(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "euctr/A", "{'statement': {'version': '1'}}");
    feed_input(&intake, (struct hub_input){.key = hub_bytes_of_text("euctr/A"),
                                           .timestamp_ms = ARRIVAL_MS});
    assert_string_equal(outcome(&intake), "NULL");
    end(&intake);
}

/* A number of the stamp in two bytes where one is enough: what is digested would be another. */
static void a_stamp_that_is_not_canonical_is_made_so(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    struct hub_bytes message = message_of(&intake, "{'statement': {'version': '1'}}");
    feed_bytes(&intake, "euctr/A", message);
    struct hub_buffer wide = {.arena = &intake.arena};
    size_t at = HUB_FRAME_HEADER_SIZE + 2; /* behind the version: no event time */
    assert_int_equal(message.data[at], 0);
    hub_buffer_append_bytes(&wide, hub_bytes_part(message, 0, at));
    hub_buffer_append(&wide, "\x80\x00", 2);
    hub_buffer_append_bytes(&wide, hub_bytes_part(message, at + 1, message.size));
    feed_bytes(&intake, "euctr/A", hub_buffer_bytes(&wide));
    assert_string_equal(outcome(&intake), "UNCHANGED");
    end(&intake);
}

/* What is no part of what a record says may be anything, also what is no value. */
static void what_is_volatile_is_looked_at_each_time(void **state) {
    struct hub_domain domain = *test_domain("trial");
    struct hub_field_contract fields[HUB_FIELDS_MAX];
    struct intake intake;
    (void)state;
    memcpy(fields, domain.contract.fields, domain.contract.count * sizeof *fields);
    fields[domain.contract.count - 1].is_volatile = true;
    domain.contract.fields = fields;
    begin_with(&intake, &domain, "sus");
    struct hub_bytes message = message_of(&intake, "{'statement': {'version': '1'}}");
    feed_bytes(&intake, "euctr/A", message);
    uint8_t *broken = hub_arena_take(&intake.arena, message.size);
    memcpy(broken, message.data, message.size);
    broken[message.size - 1] = 0x80; /* of a number that goes on */
    feed_bytes(&intake, "euctr/A", hub_bytes(broken, message.size));
    assert_string_equal(outcome(&intake), "AVRO");
    end(&intake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeat_is_not_looked_at_again),
        cmocka_unit_test(after_a_restart_it_is_looked_at_once),
        cmocka_unit_test(a_repeat_raises_the_version_and_may_be_late),
        cmocka_unit_test(a_version_of_any_length_is_kept),
        cmocka_unit_test(what_was_withdrawn_may_be_said_again_and_taken_back),
        cmocka_unit_test(of_a_shared_system_another_version_of_the_source_is_a_change),
        cmocka_unit_test(a_byte_too_many_is_no_part_of_the_version),
        cmocka_unit_test(a_repeat_is_refused_for_its_stamp),
        cmocka_unit_test(a_repeat_that_arrives_before_its_event_is_refused),
        cmocka_unit_test(a_repeat_of_another_institution_is_refused),
        cmocka_unit_test(a_known_key_without_a_value_is_refused),
        cmocka_unit_test(a_stamp_that_is_not_canonical_is_made_so),
        cmocka_unit_test(what_is_volatile_is_looked_at_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
