/* erasure_entry: what becomes of a key is an entry of the log, and changes nothing that is published; what is sealed passes
 * the hub as it came. */
#include "hub/stages/erasure_entry.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"
#include "tests/lib/shard.h"

#include <string.h>

#define ID "0123456789abcdef0123456789abcdef"
#define KEY "erasure/exchange/" ID

static const struct hub_erasure_entry erased = {.domain = "exchange",
                                                .key_id = ID,
                                                .step = HUB_ERASURE_ERASED,
                                                .basis = "GDPR Art. 17(1)(a)",
                                                .reason = "she asked",
                                                .decided_by = "eva",
                                                .decided_time_ms = 1774000000123};

static int32_t two_shards(const struct hub_domain *domain) {
    (void)domain;
    return 2;
}

struct admitting {
    struct hub_arena arena;
    struct hub_outputs outputs;
    struct hub_buffer message;
};

static enum hub_admit_decided admit(struct admitting *admitting, const char *key,
                                    const struct hub_erasure_entry *entry) {
    struct hub_admit_decisions decisions = {.catalogue = test_catalogue(),
                                            .digester = &hub_sha256,
                                            .topic = "decision",
                                            .shard_count = two_shards};
    *admitting = (struct admitting){.message = {.size_max = 1 << 20}};
    admitting->outputs.arena = &admitting->arena;
    hub_erasure_entry_encode(entry, test_catalogue(), &admitting->message);
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = hub_buffer_bytes(&admitting->message),
                              .offset = 7,
                              .timestamp_ms = 1};
    return hub_admit_decision(&decisions, &input, &admitting->outputs);
}

static void end(struct admitting *admitting) {
    hub_buffer_free(&admitting->message);
    hub_arena_destroy(&admitting->arena);
}

#define refuses(key, entry, path, words) refuses_at(key, entry, path, words, __FILE__, __LINE__)
static void refuses_at(const char *key, const struct hub_erasure_entry *entry, const char *path,
                       const char *words, const char *file, int line) {
    struct admitting admitting;
    enum hub_admit_decided decided = admit(&admitting, key, entry);
    json_t *letter = test_render(admitting.outputs.items[0].value);
    bool same = decided == HUB_ADMIT_DEAD && strcmp(look_text(letter, "path"), path) == 0 &&
                strstr(look_text(letter, "reason"), words) != NULL;
    if (!same)
        print_error("%s: %s\n", look_text(letter, "path"), look_text(letter, "reason"));
    json_decref(letter);
    end(&admitting);
    _assert_true(same, "it is refused so", file, line);
}

static void what_becomes_of_a_key_goes_to_its_domains_log_as_it_came(void **state) {
    struct admitting admitting;
    HUB_SCOPED_BUFFER key = {0};
    (void)state;
    hub_erasure_entry_append_key(&erased, &key);
    assert_string_equal(hub_buffer_text(&key), KEY);
    assert_int_equal(admit(&admitting, KEY, &erased), HUB_ADMIT_DECIDED);
    assert_int_equal(admitting.outputs.count, 1);
    const struct hub_output *output = &admitting.outputs.items[0];
    assert_int_equal(output->kind, HUB_OUTPUT_LOG);
    assert_string_equal(output->topic, "log.exchange");
    assert_int_equal(output->partition, 0);
    assert_true(hub_bytes_equal_text(output->key, "erasure/" ID));
    assert_true(hub_bytes_equal(output->value, hub_buffer_bytes(&admitting.message)));
    json_t *entry = test_render(output->value);
    expect_json(entry, "step", "'ERASED'");
    expect_json(entry, "basis", "'GDPR Art. 17(1)(a)'");
    json_decref(entry);
    end(&admitting);
}

static void what_is_no_such_entry_is_refused_with_the_reason(void **state) {
    struct hub_erasure_entry entry = erased;
    (void)state;
    refuses("erasure/exchange/0", &erased, "key_id", "the record's key is not " KEY);
    refuses("erasure/", &erased, "key_id", "the record's key is not");
    entry.domain = "batch";
    refuses("erasure/batch/" ID, &entry, "domain", "a domain with a sealed field would pass");
    entry.domain = "weather";
    refuses("erasure/weather/" ID, &entry, "domain", "a domain with a sealed field would pass");
    entry = erased;
    entry.key_id = "anna.lind@example.org";
    refuses("erasure/exchange/anna.lind@example.org", &entry, "key_id", "hexadecimal digits");
    entry.key_id = ID ID ID;
    refuses("erasure/exchange/" ID ID ID, &entry, "key_id", "1 to 64");
    entry = erased;
    entry.basis = NULL;
    refuses(KEY, &entry, "basis", "have a legal basis");
    entry.basis = "x";
    entry.step = HUB_ERASURE_HELD;
    refuses(KEY, &entry, "basis", "the others have none");
    entry = erased;
    entry.step = HUB_ERASURE_STEPS;
    refuses(KEY, &entry, "step", "HELD, RELEASED, BEGUN or ERASED");
    entry = erased;
    entry.reason = " \n";
    refuses(KEY, &entry, "reason", "without reason");
    entry = erased;
    entry.decided_by = "";
    refuses(KEY, &entry, "decided_by", "without decided_by");
}

static void what_was_done_is_not_taken_back(void **state) {
    struct hub_admit_decisions decisions = {.catalogue = test_catalogue(),
                                            .digester = &hub_sha256,
                                            .topic = "decision",
                                            .shard_count = two_shards};
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_input input = {.has_key = true, .key = hub_bytes_of_text(KEY)};
    (void)state;
    assert_int_equal(hub_admit_decision(&decisions, &input, &outputs), HUB_ADMIT_DEAD);
    hub_arena_destroy(&arena);
}

/* --- the fold --- */

#define GUEST(own, side, cipher)                                                                   \
    "{'statement': {'version': '1'}, 'identifiers': [{'scheme': 'exchange-request',"               \
    " 'issuer': 'ror:05xvt9f17', 'value': 'GUEST-1', 'relation': 'SELF'}],"                         \
    " 'sending': {'org': 'ror:012a77v79', 'text': 'Lund'},"                                        \
    " 'contact': {'key_id': '" ID "', 'origin': '" own "#contact', 'ciphertext': '" cipher "'}}"

/* The one entity's record. */
static const struct shard_record *entity(struct shard *shard) {
    const struct shard_record *found = NULL;
    for (size_t i = 0; i < shard->count; i++)
        if (shard->records[i].topic == HUB_FOLD_UNIFIED)
            found = &shard->records[i];
    assert_non_null(found);
    return found;
}

/* The Avro bytes of the contact in a framed record. */
static struct hub_bytes contact_in(struct hub_bytes message, const char *path) {
    struct hub_bytes body, contact = {NULL, 0};
    struct hub_error error;
    int32_t id = 0;
    expect_ok(hub_frame_open(message, &id, &body, &error), &error);
    assert_non_null(hub_slice_path(hub_catalogue_by_id(test_catalogue(), id)->root, body, path, &contact));
    return contact;
}

static void what_is_sealed_passes_as_it_came_and_is_no_conflict(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "exchange");
    shard_say(&shard, "lumc/lumc-guests/1", GUEST("lumc-guests/1", "lumc", "ff00fe01"));
    shard_say(&shard, "lu/lu-guests/1", GUEST("lu-guests/1", "lu", "80818283848586878889"));
    struct hub_bytes said = contact_in(
        shard_record(&shard, HUB_FOLD_LOG, "lu/lu-guests/1")->input.value, "contact");
    struct hub_bytes told = contact_in(entity(&shard)->input.value, "value.contact");
    assert_true(said.size > 40);
    assert_true(hub_bytes_equal(said, told)); /* the sending side's, byte for byte */
    json_t *unified = test_render(entity(&shard)->input.value);
    expect_json(unified, "conflicts", "[]");
    json_decref(unified);
    shard_end(&shard);
}

static void an_erasure_changes_nothing_that_is_published_and_is_counted(void **state) {
    struct shard shard;
    HUB_SCOPED_BUFFER message = {0};
    (void)state;
    hub_erasure_entry_encode(&erased, test_catalogue(), &message);
    shard_begin(&shard, "exchange");
    shard_say(&shard, "lu/lu-guests/1", GUEST("lu-guests/1", "lu", "80818283848586878889"));
    struct hub_bytes before = entity(&shard)->input.value;
    assert_int_equal(shard_tell(&shard, "erasure/" ID, hub_buffer_bytes(&message)), 0);
    const struct hub_fold_counts *counts = hub_fold_counts(shard.fold);
    assert_int_equal(counts->read, 2);
    assert_int_equal(counts->decided, 1);
    for (int stored = 0; stored < 2; stored++) { /* and the log is read with it */
        shard_reload(&shard, stored);
        expect_ok(hub_fold_wake_all(shard.fold, &shard.error), &shard.error);
        assert_true(hub_bytes_equal(before, entity(&shard)->input.value));
        assert_int_equal(
            shard_say(&shard, "lu/lu-guests/1", GUEST("lu-guests/1", "lu", "80818283848586878889")), 0);
    }
    shard_end(&shard);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_becomes_of_a_key_goes_to_its_domains_log_as_it_came),
        cmocka_unit_test(what_is_no_such_entry_is_refused_with_the_reason),
        cmocka_unit_test(what_was_done_is_not_taken_back),
        cmocka_unit_test(what_is_sealed_passes_as_it_came_and_is_no_conflict),
        cmocka_unit_test(an_erasure_changes_nothing_that_is_published_and_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
