/* admit: what becomes of a source record, and what the log is told of it. */
#include "hub/stages/admit.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>

enum { SHARDS = 4 };
static const int64_t ARRIVAL_MS = 1800000000000; /* 2027-01-15 */

/* One partition of one ingest topic, and what admit gave for the record that was fed last. */
struct intake {
    struct hub_arena arena;
    const struct hub_domain *domain;
    struct hub_admit *admit;
    struct hub_outputs outputs;
    int64_t offset;
    enum hub_status status;
    struct hub_error error;
};

static struct hub_admit *make_admit(const struct hub_domain *domain, const char *institution) {
    char topic[64];
    snprintf(topic, sizeof topic, "ingest.%s.%s", institution, domain->name);
    struct hub_admit_config config = {.catalogue = test_catalogue(),
                                      .domain = domain,
                                      .institution = institution,
                                      .digester = &hub_sha256,
                                      .shard_count = SHARDS,
                                      .topic = topic,
                                      .partition = 1};
    return hub_admit_new(&config);
}

static void begin(struct intake *intake, const char *domain, const char *institution) {
    *intake = (struct intake){.domain = test_domain(domain)};
    intake->admit = make_admit(intake->domain, institution);
}

static void end(struct intake *intake) {
    hub_admit_free(intake->admit);
    hub_arena_destroy(&intake->arena);
}

static void feed_bytes(struct intake *intake, const char *key, struct hub_bytes value,
                       const struct hub_header *headers, size_t header_count) {
    intake->outputs = (struct hub_outputs){.arena = &intake->arena};
    struct hub_input input = {.has_key = key != NULL,
                              .has_value = value.data != NULL,
                              .key = hub_bytes_of_text(key == NULL ? "" : key),
                              .value = value,
                              .headers = headers,
                              .header_count = header_count,
                              .partition = 1,
                              .offset = intake->offset++,
                              .timestamp_ms = ARRIVAL_MS};
    intake->status = hub_admit_record(intake->admit, &input, &intake->outputs, &intake->error);
}

static struct hub_bytes message_of(struct intake *intake, const char *json) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, intake->domain->schema->id);
    hub_buffer_append_bytes(&message,
                            test_value(intake->domain->schema->root, json, &intake->arena));
    return hub_bytes(hub_arena_text(&intake->arena, (const char *)message.data, message.size),
                     message.size);
}

static void feed(struct intake *intake, const char *key, const char *json) {
    feed_bytes(intake, key, message_of(intake, json), NULL, 0);
}

/* A trial with a version, a status and whatever else. */
static void feed_trial(struct intake *intake, const char *version, const char *status) {
    feed(intake, "ctgov/A",
         hub_arena_format(&intake->arena, "{'statement': {'version': '%s'}, 'status': '%s'}",
                          version, status));
}

/* A slot in a facility, or its withdrawal. */
static void feed_slot(struct intake *intake, const char *version, const char *facility,
                      const char *state) {
    feed(intake, "lumc-mes/S",
         hub_arena_format(&intake->arena,
                          "{'statement': {'version': '%s', 'state': '%s'}, 'facility': '%s'}",
                          version, state, facility));
}

/* The outputs as "log sus/ctgov/A, admitted ctgov/A". */
static const char *told(const struct intake *intake) {
    static const char *const names[] = {"log",      "admitted", "unified",
                                        "conflict", "match",    "identifier",
                                        "deadletter"};
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < intake->outputs.count; i++) {
        const struct hub_output *output = &intake->outputs.items[i];
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%s%s %.*s", i == 0 ? "" : ", ",
                 names[output->kind], (int)output->key.size, (const char *)output->key.data);
    }
    return text;
}

/* A header of an output; NULL where it has none. Lives until the next call. */
static const char *header_of(const struct intake *intake, size_t index, const char *name) {
    static char text[256];
    const struct hub_output *output = &intake->outputs.items[index];
    struct hub_input as_input = {.headers = output->headers, .header_count = output->header_count};
    struct hub_bytes value = hub_input_header(&as_input, name);
    if (value.data == NULL)
        return NULL;
    snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
    return text;
}

/* What the last admitted record says; the last output of an accepted record. */
static const char *outcome(const struct intake *intake) {
    static char text[32];
    const struct hub_output *output = &intake->outputs.items[intake->outputs.count - 1];
    assert_int_equal(output->kind, HUB_OUTPUT_ADMITTED);
    json_t *value = test_render(output->value);
    snprintf(text, sizeof text, "%s", look_text(value, "outcome"));
    json_decref(value);
    return text;
}

/* --- new, changed, unchanged, late --- */

static void a_first_record_is_new_and_replaces_nothing(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    assert_string_equal(told(&intake), "log sus/ctgov/A, admitted ctgov/A");
    assert_string_equal(outcome(&intake), "NEW");
    assert_string_equal(header_of(&intake, 0, "ce_type"), "atmp.trial.registered");
    assert_string_equal(header_of(&intake, 0, "hub_origin"), "ingest.sus.trial/1@0");
    assert_null(header_of(&intake, 0, "hub_replaced_version"));
    assert_null(header_of(&intake, 0, "hub_replaced_status"));
    assert_int_equal(hub_admit_counts(intake.admit)->created, 1);
    end(&intake);
}

static void the_log_holds_the_message_as_it_came(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    struct hub_bytes message = message_of(&intake, "{'statement': {'version': '1'}}");
    feed_bytes(&intake, "ctgov/A", message, NULL, 0);
    assert_true(hub_bytes_equal(intake.outputs.items[0].value, message));
    end(&intake);
}

static void a_changed_record_tells_what_it_replaced(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    feed_trial(&intake, "2", "RECRUITING");
    assert_string_equal(told(&intake), "log sus/ctgov/A, admitted ctgov/A");
    assert_string_equal(outcome(&intake), "CHANGED");
    assert_string_equal(header_of(&intake, 0, "ce_type"), "atmp.trial.updated");
    assert_string_equal(header_of(&intake, 0, "hub_replaced_version"), "1");
    assert_string_equal(header_of(&intake, 0, "hub_replaced_status"), "PLANNED");
    end(&intake);
}

static void the_same_content_under_a_newer_version_is_unchanged(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "isrctn/A", "{'statement': {'version': '1'}}"); /* sus does not carry it */
    assert_int_equal(hub_admit_counts(intake.admit)->dead, 1);
    feed(&intake, "euctr/A", "{'statement': {'version': '1'}, 'acronym': 'STAR'}");
    feed(&intake, "euctr/A", "{'statement': {'version': '2'}, 'acronym': 'STAR'}");
    assert_string_equal(told(&intake), "admitted euctr/A");
    assert_string_equal(outcome(&intake), "UNCHANGED");
    end(&intake);
}

static void an_unchanged_record_still_raises_the_version(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "euctr/A", "{'statement': {'version': '1'}, 'acronym': 'STAR'}");
    feed(&intake, "euctr/A", "{'statement': {'version': '3'}, 'acronym': 'STAR'}");
    feed(&intake, "euctr/A", "{'statement': {'version': '2'}, 'acronym': 'MOON'}");
    assert_string_equal(outcome(&intake), "LATE");
    end(&intake);
}

static void of_a_shared_system_the_version_is_part_of_what_is_said(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus"); /* lumc carries ctgov too: the copies are told apart by it */
    feed_trial(&intake, "1", "PLANNED");
    feed_trial(&intake, "2", "PLANNED");
    assert_string_equal(outcome(&intake), "CHANGED");
    feed_trial(&intake, "2~9", "PLANNED"); /* but not a connector's tie-breaker */
    assert_string_equal(outcome(&intake), "UNCHANGED");
    end(&intake);
}

static void the_same_record_again_is_unchanged(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    feed_trial(&intake, "1", "PLANNED");
    assert_string_equal(told(&intake), "admitted ctgov/A");
    assert_string_equal(outcome(&intake), "UNCHANGED");
    end(&intake);
}

static void a_late_record_goes_under_late_and_changes_nothing(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "10", "RECRUITING");
    feed_trial(&intake, "9", "PLANNED"); /* by the value of its digits */
    assert_string_equal(told(&intake), "log late/sus/ctgov/A, admitted ctgov/A");
    assert_string_equal(outcome(&intake), "LATE");
    assert_null(header_of(&intake, 0, "hub_replaced_version"));
    feed_trial(&intake, "11", "COMPLETED");
    assert_string_equal(header_of(&intake, 0, "hub_replaced_version"), "10");
    assert_string_equal(header_of(&intake, 0, "hub_replaced_status"), "RECRUITING");
    end(&intake);
}

static void of_equal_versions_the_later_event_wins(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1', 'event_time': {'time': "
                             "'2026-02-01T00:00:00'}}, 'acronym': 'B'}");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1', 'event_time': {'time': "
                             "'2026-01-01T00:00:00'}}, 'acronym': 'A'}");
    assert_string_equal(outcome(&intake), "LATE");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1'}, 'acronym': 'C'}");
    assert_string_equal(outcome(&intake), "LATE"); /* no event time is the oldest */
    feed(&intake, "ctgov/A", "{'statement': {'version': '1', 'event_time': {'time': "
                             "'2026-03-01T00:00:00'}}, 'acronym': 'D'}");
    assert_string_equal(outcome(&intake), "CHANGED");
    end(&intake);
}

/* Of two records with one version and no times one is in force, whichever came first. */
static void of_equal_versions_and_times_the_content_decides(void **state) {
    static const char *const records[] = {"{'statement': {'version': '1'}, 'acronym': 'A'}",
                                          "{'statement': {'version': '1'}, 'acronym': 'B'}"};
    size_t changed = 0;
    (void)state;
    for (size_t first = 0; first < 2; first++) {
        struct intake intake;
        begin(&intake, "trial", "sus");
        feed(&intake, "ctgov/A", records[first]);
        feed(&intake, "ctgov/A", records[1 - first]);
        changed += strcmp(outcome(&intake), "CHANGED") == 0;
        end(&intake);
    }
    assert_int_equal(changed, 1);
}

/* --- withdrawn, moved --- */

static void a_withdrawal_is_a_record_with_what_it_replaced(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "RECRUITING");
    feed(&intake, "ctgov/A", "{'statement': {'version': '2', 'state': 'WITHDRAWN'}}");
    assert_string_equal(told(&intake), "log sus/ctgov/A, admitted ctgov/A");
    assert_string_equal(outcome(&intake), "WITHDRAWN");
    assert_string_equal(header_of(&intake, 0, "ce_type"), "atmp.trial.withdrawn");
    assert_string_equal(header_of(&intake, 0, "hub_replaced_status"), "RECRUITING");
    feed_trial(&intake, "3", "RECRUITING");
    assert_string_equal(outcome(&intake), "CHANGED");
    assert_string_equal(header_of(&intake, 0, "hub_replaced_version"), "2");
    end(&intake);
}

static void a_withdrawal_of_what_was_never_seen_is_kept(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "ctgov/A", "{'statement': {'version': '2', 'state': 'WITHDRAWN'}}");
    assert_string_equal(outcome(&intake), "WITHDRAWN");
    feed_trial(&intake, "1", "RECRUITING");
    assert_string_equal(outcome(&intake), "LATE");
    end(&intake);
}

/* Two facilities in different shards, by what the shard function says. */
static const char *other_facility(const struct hub_domain *domain, const char *facility,
                                  struct hub_arena *arena) {
    struct hub_bytes own = hub_bytes_of_text(facility);
    for (int i = 0;; i++) {
        const char *other = hub_arena_format(arena, "ror:00example%d", i);
        if (hub_admit_shard(domain, &hub_sha256, hub_bytes_of_text(other), SHARDS) !=
            hub_admit_shard(domain, &hub_sha256, own, SHARDS))
            return other;
    }
}

static void a_move_retracts_from_the_old_shard_first(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "gmp-slot", "lumc");
    const char *from = "ror:05xvt9f17", *to = other_facility(intake.domain, from, &intake.arena);
    feed_slot(&intake, "1", from, "CURRENT");
    int32_t from_shard = intake.outputs.items[0].partition;
    feed_slot(&intake, "2", to, "CURRENT");
    assert_string_equal(told(&intake),
                        "log lumc/lumc-mes/S, log lumc/lumc-mes/S, admitted lumc-mes/S");
    assert_string_equal(outcome(&intake), "MOVED");
    assert_int_equal(intake.outputs.items[0].partition, from_shard);
    assert_int_not_equal(intake.outputs.items[1].partition, from_shard);
    assert_string_equal(header_of(&intake, 0, "ce_type"), "atmp.gmp-slot.withdrawn");
    assert_string_equal(header_of(&intake, 0, "hub_moved_to"), to);
    assert_string_equal(header_of(&intake, 0, "hub_replaced_version"), "1");
    assert_null(header_of(&intake, 1, "hub_replaced_version")); /* new in its shard */
    json_t *retraction = test_render(intake.outputs.items[0].value);
    expect_json(retraction, "statement.state", "'WITHDRAWN'");
    expect_json(retraction, "statement.reason", "'moved to another shard'");
    json_decref(retraction);
    end(&intake);
}

static void what_was_withdrawn_and_comes_back_in_another_shard_has_moved(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "gmp-slot", "lumc");
    const char *from = "ror:05xvt9f17", *to = other_facility(intake.domain, from, &intake.arena);
    feed_slot(&intake, "1", from, "CURRENT");
    int32_t from_shard = intake.outputs.items[0].partition;
    feed_slot(&intake, "2", from, "WITHDRAWN");
    feed_slot(&intake, "3", to, "CURRENT");
    assert_string_equal(outcome(&intake), "MOVED");
    assert_int_equal(intake.outputs.items[0].partition, from_shard);
    assert_string_equal(header_of(&intake, 0, "hub_moved_to"), to);
    end(&intake);
}

static void two_spellings_of_a_facility_are_one_shard(void **state) {
    const struct hub_domain *domain = test_domain("gmp-slot");
    (void)state;
    int32_t shard =
        hub_admit_shard(domain, &hub_sha256, hub_bytes_of_text("ror:05xvt9f17"), SHARDS);
    struct hub_bytes other = hub_bytes_of_text("LUMC");
    assert_int_equal(hub_admit_shard(domain, &hub_sha256, other, SHARDS), shard);
    assert_true(shard >= 0 && shard < SHARDS);
}

static void a_domain_without_a_shard_value_has_one_shard(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        char value[8];
        snprintf(value, sizeof value, "%d", i);
        assert_int_equal(hub_admit_shard(test_domain("trial"), &hub_sha256,
                                         hub_bytes_of_text(value), SHARDS), 0);
    }
}

static void a_withdrawal_stays_in_the_shard_of_what_it_withdraws(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "gmp-slot", "lumc");
    const char *from = "ror:05xvt9f17", *to = other_facility(intake.domain, from, &intake.arena);
    feed_slot(&intake, "1", from, "CURRENT");
    int32_t shard = intake.outputs.items[0].partition;
    feed_slot(&intake, "2", to, "WITHDRAWN");
    assert_int_equal(intake.outputs.items[0].partition, shard);
    end(&intake);
}

/* --- what is refused --- */

static void a_refused_record_is_a_dead_letter_with_its_own_bytes(void **state) {
    static const uint8_t junk[] = {0x00, 0x00, 0x01, 0x86, 0xa9, 0xff, 0x00, 0x27};
    struct hub_bytes original = hub_bytes(junk, sizeof junk);
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    feed_bytes(&intake, "ctgov/A", original, NULL, 0);
    assert_string_equal(told(&intake), "deadletter ctgov/A");
    json_t *letter = test_render(intake.outputs.items[0].value);
    expect_json(letter, "stage", "'admit'");
    expect_json(letter, "code", "'AVRO'");
    expect_json(letter, "institution", "'sus'");
    expect_json(letter, "topic", "'ingest.sus.trial'");
    expect_json(letter, "partition", "1");
    expect_json(letter, "offset", "1");
    expect_json(letter, "security", "false");
    struct hub_digest digest = hub_sha256.digest(original);
    char hash[HUB_DIGEST_TEXT_SIZE];
    hub_digest_text(&digest, HUB_DIGEST_SIZE, hash);
    assert_string_equal(look_text(letter, "original_hash"), hash);
    json_decref(letter);
    /* The bytes stand in the letter, behind their length (8, zig-zag 16). */
    HUB_SCOPED_BUFFER wanted = {0};
    hub_buffer_append_byte(&wanted, 16);
    hub_buffer_append_bytes(&wanted, original);
    struct hub_bytes value = intake.outputs.items[0].value;
    assert_non_null(memmem(value.data, value.size, wanted.data, wanted.size));
    feed_trial(&intake, "1", "PLANNED"); /* what was in force still is */
    assert_string_equal(outcome(&intake), "UNCHANGED");
    end(&intake);
}

static void a_record_without_a_key_is_a_dead_letter_without_one(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_bytes(&intake, NULL, message_of(&intake, "{'statement': {'version': '1'}}"), NULL, 0);
    assert_int_equal(intake.outputs.items[0].kind, HUB_OUTPUT_DEADLETTER);
    assert_false(intake.outputs.items[0].has_key);
    end(&intake);
}

static void a_header_that_claims_another_institution_is_a_security_event(void **state) {
    const struct hub_header foreign[] = {{"ce_source", hub_bytes_of_text("urn:atmp:lumc:ctgov")}};
    const struct hub_header longer[] = {{"ce_source", hub_bytes_of_text("urn:atmp:susx:ctgov")}};
    const struct hub_header own[] = {{"ce_source", hub_bytes_of_text("urn:atmp:sus:ctgov")}};
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    struct hub_bytes message = message_of(&intake, "{'statement': {'version': '1'}}");
    feed_bytes(&intake, "ctgov/A", message, foreign, 1);
    assert_string_equal(told(&intake), "deadletter ctgov/A");
    feed_bytes(&intake, "ctgov/A", message, longer, 1);
    assert_string_equal(told(&intake), "deadletter ctgov/A");
    assert_int_equal(hub_admit_counts(intake.admit)->security, 2);
    feed_bytes(&intake, "ctgov/A", message, own, 1);
    assert_string_equal(outcome(&intake), "NEW");
    end(&intake);
}

static void the_trace_of_a_record_goes_on_into_the_log(void **state) {
    static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const struct hub_header headers[] = {{"traceparent", hub_bytes_of_text(trace)}};
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_bytes(&intake, "ctgov/A", message_of(&intake, "{'statement': {'version': '1'}}"), headers,
               1);
    assert_string_equal(header_of(&intake, 0, "traceparent"), trace);
    end(&intake);
}

/* --- counting and loading --- */

static void what_was_read_is_the_sum_of_what_became_of_it(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "gmp-slot", "lumc");
    const char *from = "ror:05xvt9f17", *to = other_facility(intake.domain, from, &intake.arena);
    feed_slot(&intake, "2", from, "CURRENT");
    feed_slot(&intake, "2", from, "CURRENT");
    feed_slot(&intake, "1", from, "WITHDRAWN");
    feed_slot(&intake, "3", to, "CURRENT");
    feed_slot(&intake, "4", to, "WITHDRAWN");
    feed_slot(&intake, "5", to, "CURRENT");
    feed_bytes(&intake, "lumc-mes/S", hub_bytes(NULL, 0), NULL, 0);
    const struct hub_admit_counts *counts = hub_admit_counts(intake.admit);
    assert_int_equal(counts->read, 7);
    assert_int_equal(counts->created, 1);
    assert_int_equal(counts->unchanged, 1);
    assert_int_equal(counts->late, 1);
    assert_int_equal(counts->moved, 1);
    assert_int_equal(counts->withdrawn, 1);
    assert_int_equal(counts->changed, 1);
    assert_int_equal(counts->dead, 1);
    end(&intake);
}

/* Whatever is known survives in the admitted topic alone. */
static void loading_the_admitted_topic_goes_on_where_it_stood(void **state) {
    static const char *const next[] = {
        "{'statement': {'version': '1'}, 'status': 'PLANNED'}",
        "{'statement': {'version': '3', 'event_time': {'time': '2026-01-01T00:00:00'}},"
        " 'status': 'RECRUITING'}",
        "{'statement': {'version': '3', 'event_time': {'time': '2026-01-02T00:00:00'}},"
        " 'status': 'COMPLETED'}",
        "{'statement': {'version': '4', 'state': 'WITHDRAWN'}}"};
    (void)state;
    for (size_t cut = 0; cut < 4; cut++) {
        struct intake intake;
        char before[512];
        begin(&intake, "trial", "sus");
        feed(&intake, "ctgov/A", "{'statement': {'version': '2'}, 'status': 'PLANNED'}");
        for (size_t i = 0; i < cut; i++)
            feed(&intake, "ctgov/A", next[i]);
        const struct hub_output *last = &intake.outputs.items[intake.outputs.count - 1];
        struct hub_admit *loaded = make_admit(intake.domain, "sus");
        hub_admit_load(loaded, last->key, last->value);
        struct hub_admit *own = intake.admit;
        for (size_t i = cut; i < 4; i++) {
            intake.admit = own;
            feed(&intake, "ctgov/A", next[i]);
            intake.offset--;
            snprintf(before, sizeof before, "%s %s", outcome(&intake), told(&intake));
            struct hub_bytes value = intake.outputs.items[intake.outputs.count - 1].value;
            intake.admit = loaded;
            feed(&intake, "ctgov/A", next[i]);
            char after[512];
            snprintf(after, sizeof after, "%s %s", outcome(&intake), told(&intake));
            assert_string_equal(before, after);
            assert_true(hub_bytes_equal(
                value, intake.outputs.items[intake.outputs.count - 1].value));
        }
        hub_admit_free(own);
        end(&intake);
    }
}

/* A process that has just started, which knows this record alone. */
static void restart_with(struct intake *intake, const char *key, struct hub_bytes value) {
    hub_admit_free(intake->admit);
    intake->admit = make_admit(intake->domain, "sus");
    hub_admit_load(intake->admit, hub_bytes_of_text(key), value);
}

static void what_is_loaded_under_another_key_is_not_read(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    restart_with(&intake, "ctgov/B", hub_bytes("", 0));
    feed_trial(&intake, "1", "PLANNED");
    assert_int_equal(intake.status, HUB_OK);
    assert_int_equal(hub_admit_counts(intake.admit)->created, 1);
    end(&intake);
}

static void of_what_is_loaded_under_a_key_the_last_counts(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    struct hub_bytes first = intake.outputs.items[1].value;
    feed_trial(&intake, "2", "RECRUITING");
    struct hub_bytes second = intake.outputs.items[1].value;
    restart_with(&intake, "ctgov/A", first);
    hub_admit_load(intake.admit, hub_bytes_of_text("ctgov/A"), second);
    feed_trial(&intake, "2", "RECRUITING");
    assert_int_equal(hub_admit_counts(intake.admit)->unchanged, 1);
    end(&intake);
}

/* It shows when its key comes; then there is no output, and nothing counts. */
static void expect_damage(struct intake *intake, struct hub_bytes value, const char *words) {
    restart_with(intake, "ctgov/A", value);
    feed_trial(intake, "2", "RECRUITING");
    expect_refusal(intake->status, HUB_FATAL, &intake->error, "admitted record", words);
    assert_int_equal(intake->outputs.count, 0);
    assert_int_equal(hub_admit_counts(intake->admit)->read, 0);
}

static void a_damaged_admitted_record_is_refused_when_its_key_comes(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    struct hub_bytes value = intake.outputs.items[1].value;
    struct hub_bytes other = message_of(&intake, "{'statement': {'version': '1'}}");
    expect_damage(&intake, hub_bytes_part(value, 0, value.size - 1), "");
    expect_damage(&intake, hub_bytes("", 0), "");
    expect_damage(&intake, other, "would pass");
    end(&intake);
}

/* --- a store --- */

/* One record under a hook, and what it was asked for. */
struct stored {
    struct hub_bytes key, value;
    enum hub_status status;
    int asked;
};

static enum hub_status find_stored(void *context, uint64_t hook, struct hub_given *given,
                                   hub_store_take take, void *take_context,
                                   struct hub_error *reterr) {
    (void)given;
    struct stored *stored = context;
    const struct hub_input record = {.key = stored->key, .value = stored->value};
    stored->asked++;
    if (stored->status != HUB_OK)
        return hub_fail(reterr, stored->status, "as the store says");
    return hook == hub_admit_hook(hub_bytes_of_text("ctgov/A"))
               ? take(take_context, 0, &record, reterr)
               : HUB_OK;
}

static void what_is_not_loaded_is_asked_of_the_store_once(void **state) {
    struct intake intake;
    struct stored stored = {.key = hub_bytes_of_text("ctgov/A")};
    const struct hub_store store = {.context = &stored, .find = find_stored};
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    stored.value = intake.outputs.items[1].value;
    hub_admit_free(intake.admit);
    intake.admit = make_admit(intake.domain, "sus");
    hub_admit_set_store(intake.admit, &store);
    feed_trial(&intake, "2", "RECRUITING");
    feed_trial(&intake, "3", "COMPLETED");
    assert_int_equal(hub_admit_counts(intake.admit)->changed, 2);
    assert_int_equal(stored.asked, 1);
    feed(&intake, "ctgov/B", "{'statement': {'version': '1'}, 'status': 'PLANNED'}");
    feed(&intake, "ctgov/B", "{'statement': {'version': '2'}, 'status': 'PLANNED'}");
    assert_int_equal(hub_admit_counts(intake.admit)->created, 1);
    assert_int_equal(stored.asked, 2);
    end(&intake);
}

static void what_is_loaded_is_newer_than_the_stores(void **state) {
    struct intake intake;
    struct stored stored = {.key = hub_bytes_of_text("ctgov/A")};
    const struct hub_store store = {.context = &stored, .find = find_stored};
    (void)state;
    begin(&intake, "trial", "sus");
    feed_trial(&intake, "1", "PLANNED");
    stored.value = intake.outputs.items[1].value;
    feed_trial(&intake, "2", "RECRUITING");
    restart_with(&intake, "ctgov/A", intake.outputs.items[1].value);
    hub_admit_set_store(intake.admit, &store);
    feed_trial(&intake, "2", "RECRUITING");
    assert_int_equal(hub_admit_counts(intake.admit)->unchanged, 1);
    assert_int_equal(stored.asked, 0);
    end(&intake);
}

static void a_record_of_another_key_under_the_same_hook_is_another(void **state) {
    struct intake intake;
    struct stored stored = {.key = hub_bytes_of_text("ctgov/B"), .value = hub_bytes("", 0)};
    const struct hub_store store = {.context = &stored, .find = find_stored};
    (void)state;
    begin(&intake, "trial", "sus");
    hub_admit_set_store(intake.admit, &store);
    feed_trial(&intake, "1", "PLANNED");
    assert_int_equal(stored.asked, 1);
    assert_int_equal(hub_admit_counts(intake.admit)->created, 1);
    end(&intake);
}

static void what_the_store_says_is_passed_on_and_nothing_counts(void **state) {
    struct intake intake;
    struct stored stored = {.status = HUB_RETRY};
    const struct hub_store store = {.context = &stored, .find = find_stored};
    (void)state;
    begin(&intake, "trial", "sus");
    hub_admit_set_store(intake.admit, &store);
    feed_trial(&intake, "1", "PLANNED");
    expect_refusal(intake.status, HUB_RETRY, &intake.error, "as the store says", "");
    assert_int_equal(intake.outputs.count, 0);
    assert_int_equal(hub_admit_counts(intake.admit)->read, 0);
    end(&intake);
}

static void a_source_that_is_shorter_than_the_institutions_is_another(void **state) {
    const struct hub_header shorter[] = {{"ce_source", hub_bytes_of_text("urn:atmp:su")}};
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed_bytes(&intake, "ctgov/A", message_of(&intake, "{'statement': {'version': '1'}}"), shorter,
               1);
    assert_string_equal(told(&intake), "deadletter ctgov/A");
    assert_int_equal(hub_admit_counts(intake.admit)->security, 1);
    end(&intake);
}

static void of_equal_versions_the_one_with_an_event_time_wins(void **state) {
    struct intake intake;
    (void)state;
    begin(&intake, "trial", "sus");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1'}, 'acronym': 'A'}");
    feed(&intake, "ctgov/A",
         "{'statement': {'version': '1', 'event_time': {'time': '2026-01-01T00:00:00'}},"
         " 'acronym': 'B'}");
    assert_string_equal(outcome(&intake), "CHANGED");
    feed(&intake, "ctgov/A", "{'statement': {'version': '1'}, 'acronym': 'C'}");
    assert_string_equal(outcome(&intake), "LATE");
    end(&intake);
}

static void a_record_without_a_shard_value_has_the_shard_of_an_empty_one(void **state) {
    struct hub_domain by_suite = *test_domain("gmp-slot");
    struct intake intake = {.domain = &by_suite};
    (void)state;
    by_suite.shard_field = hub_type_field(by_suite.schema->root, "suite");
    intake.admit = make_admit(&by_suite, "lumc");
    feed_slot(&intake, "1", "ror:05xvt9f17", "CURRENT");
    assert_int_equal(intake.outputs.items[0].partition,
                     hub_admit_shard(&by_suite, &hub_sha256, hub_bytes("", 0), SHARDS));
    end(&intake);
}

static void a_domain_without_a_life_cycle_replaces_no_status(void **state) {
    struct hub_domain plain = *test_domain("trial");
    struct intake intake = {.domain = &plain};
    (void)state;
    plain.lifecycle_field = -1;
    intake.admit = make_admit(&plain, "sus");
    feed_trial(&intake, "1", "RECRUITING");
    feed_trial(&intake, "2", "COMPLETED");
    assert_string_equal(told(&intake), "log sus/ctgov/A, admitted ctgov/A");
    assert_null(header_of(&intake, 0, "hub_replaced_status"));
    assert_string_equal(header_of(&intake, 0, "hub_replaced_version"), "1");
    end(&intake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_record_is_new_and_replaces_nothing),
        cmocka_unit_test(the_log_holds_the_message_as_it_came),
        cmocka_unit_test(a_changed_record_tells_what_it_replaced),
        cmocka_unit_test(the_same_content_under_a_newer_version_is_unchanged),
        cmocka_unit_test(an_unchanged_record_still_raises_the_version),
        cmocka_unit_test(of_a_shared_system_the_version_is_part_of_what_is_said),
        cmocka_unit_test(the_same_record_again_is_unchanged),
        cmocka_unit_test(a_late_record_goes_under_late_and_changes_nothing),
        cmocka_unit_test(of_equal_versions_the_later_event_wins),
        cmocka_unit_test(of_equal_versions_and_times_the_content_decides),
        cmocka_unit_test(a_withdrawal_is_a_record_with_what_it_replaced),
        cmocka_unit_test(a_withdrawal_of_what_was_never_seen_is_kept),
        cmocka_unit_test(a_move_retracts_from_the_old_shard_first),
        cmocka_unit_test(what_was_withdrawn_and_comes_back_in_another_shard_has_moved),
        cmocka_unit_test(two_spellings_of_a_facility_are_one_shard),
        cmocka_unit_test(a_domain_without_a_shard_value_has_one_shard),
        cmocka_unit_test(a_withdrawal_stays_in_the_shard_of_what_it_withdraws),
        cmocka_unit_test(a_refused_record_is_a_dead_letter_with_its_own_bytes),
        cmocka_unit_test(a_record_without_a_key_is_a_dead_letter_without_one),
        cmocka_unit_test(a_header_that_claims_another_institution_is_a_security_event),
        cmocka_unit_test(the_trace_of_a_record_goes_on_into_the_log),
        cmocka_unit_test(what_was_read_is_the_sum_of_what_became_of_it),
        cmocka_unit_test(loading_the_admitted_topic_goes_on_where_it_stood),
        cmocka_unit_test(what_is_loaded_under_another_key_is_not_read),
        cmocka_unit_test(of_what_is_loaded_under_a_key_the_last_counts),
        cmocka_unit_test(a_damaged_admitted_record_is_refused_when_its_key_comes),
        cmocka_unit_test(what_is_not_loaded_is_asked_of_the_store_once),
        cmocka_unit_test(what_is_loaded_is_newer_than_the_stores),
        cmocka_unit_test(a_record_of_another_key_under_the_same_hook_is_another),
        cmocka_unit_test(what_the_store_says_is_passed_on_and_nothing_counts),
        cmocka_unit_test(a_source_that_is_shorter_than_the_institutions_is_another),
        cmocka_unit_test(of_equal_versions_the_one_with_an_event_time_wins),
        cmocka_unit_test(a_record_without_a_shard_value_has_the_shard_of_an_empty_one),
        cmocka_unit_test(a_domain_without_a_life_cycle_replaces_no_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
