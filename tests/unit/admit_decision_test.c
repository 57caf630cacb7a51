/* admit_decision: which decisions reach the log of their shard, and why others do not. */
#include "hub/stages/admit_decision.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"

#include <string.h>

enum { SHARDS = 2 };

static int32_t two_shards(const struct hub_domain *domain) {
    (void)domain;
    return SHARDS;
}

/* One record of the decision topic, and what became of it. */
struct deciding {
    struct hub_arena arena;
    struct hub_outputs outputs;
    struct hub_input input;
};

static void begin(struct deciding *deciding, const char *key, const char *json) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "decision");
    HUB_SCOPED_BUFFER framed = {0};
    *deciding = (struct deciding){0};
    hub_frame_append(&framed, schema->id);
    hub_buffer_append_bytes(&framed, test_value(schema->root, json, &deciding->arena));
    const char *copy =
        hub_arena_text(&deciding->arena, (const char *)framed.data, framed.size);
    deciding->input = (struct hub_input){.has_key = true,
                                         .has_value = true,
                                         .key = hub_bytes_of_text(key),
                                         .value = hub_bytes(copy, framed.size),
                                         .offset = 7,
                                         .timestamp_ms = 1};
}

static bool admit(struct deciding *deciding) {
    struct hub_admit_decisions decisions = {.catalogue = test_catalogue(),
                                            .digester = &hub_sha256,
                                            .topic = "decision",
                                            .shard_count = two_shards};
    deciding->outputs = (struct hub_outputs){.arena = &deciding->arena};
    bool taken = hub_admit_decision(&decisions, &deciding->input, &deciding->outputs);
    assert_int_equal(deciding->outputs.count, 1);
    assert_int_equal(deciding->outputs.items[0].kind,
                     taken ? HUB_OUTPUT_LOG : HUB_OUTPUT_DEADLETTER);
    return taken;
}

static void end(struct deciding *deciding) {
    hub_arena_destroy(&deciding->arena);
}

/* It goes to the dead letters, for a reason that says the words, of what stands at the path. */
static void refuses(struct deciding *deciding, const char *path, const char *words) {
    assert_false(admit(deciding));
    json_t *letter = test_render(deciding->outputs.items[0].value);
    assert_string_equal(look_text(letter, "code"), "DECISION");
    if (path == NULL)
        expect_json(letter, "path", "null");
    else
        assert_string_equal(look_text(letter, "path"), path);
    if (strstr(look_text(letter, "reason"), words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", look_text(letter, "reason"), words);
    json_decref(letter);
    end(deciding);
}

#define DECISION(more)                                                                            \
    "{'decision_id': 'd', 'domain': 'trial', 'subject': 's', 'revision': 1, 'reason': 'r',"        \
    " 'decided_by': 'a', 'decided_time': '2026-05-01T10:00:00.000Z', " more "}"

static void expect_refused(const char *key, const char *json, const char *path,
                           const char *words) {
    struct deciding deciding;
    begin(&deciding, key, json);
    refuses(&deciding, path, words);
}

static void expect_taken(const char *json) {
    struct deciding deciding;
    begin(&deciding, "s", json);
    assert_true(admit(&deciding));
    end(&deciding);
}

static void a_decision_goes_to_the_log_of_its_shard_as_it_came(void **state) {
    struct deciding deciding;
    (void)state;
    begin(&deciding, "s", DECISION("'kind': 'DEFER', 'shard': 1"));
    assert_true(admit(&deciding));
    const struct hub_output *output = &deciding.outputs.items[0];
    assert_true(hub_bytes_equal_text(output->key, "decision/s"));
    assert_string_equal(output->topic, "log.trial");
    assert_int_equal(output->partition, 1);
    assert_true(hub_bytes_equal(output->value, deciding.input.value));
    end(&deciding);
}

static void each_kind_names_its_own_statements(void **state) {
    static const char words[] = "CHOOSE names one statement";
    (void)state;
    expect_taken(DECISION("'kind': 'CHOOSE', 'statements': ['ctgov/A']"));
    expect_taken(DECISION("'kind': 'DEFER'"));
    expect_taken(DECISION("'kind': 'REOPEN'"));
    expect_taken(DECISION("'kind': 'JOIN', 'statements': ['ctgov/A'], 'others': ['ctgov/B']"));
    expect_taken(DECISION("'kind': 'SEPARATE', 'statements': ['ctgov/A'], 'others': ['ctgov/B']"));
    expect_refused("s", DECISION("'kind': 'CHOOSE'"), "statements", words);
    expect_refused("s", DECISION("'kind': 'CHOOSE', 'statements': ['ctgov/A'], 'others': ['x']"),
                   "statements", words);
    expect_refused("s", DECISION("'kind': 'REOPEN', 'statements': ['ctgov/A']"), "statements",
                   words);
    expect_refused("s", DECISION("'kind': 'JOIN', 'others': ['ctgov/B']"), "others", words);
    expect_refused("s", DECISION("'kind': 'SEPARATE', 'statements': ['ctgov/B']"), "others", words);
}

static void the_key_is_the_subject(void **state) {
    struct deciding deciding;
    (void)state;
    expect_refused("t", DECISION("'kind': 'DEFER'"), "subject", "key is not its subject");
    expect_refused("", DECISION("'kind': 'DEFER', 'subject': ''"), "subject", "1 to 1024 bytes");
    begin(&deciding, "s", DECISION("'kind': 'DEFER'"));
    deciding.input.has_key = false;
    refuses(&deciding, "subject", "key is not its subject");
}

static void a_subject_is_at_most_1024_bytes(void **state) {
    struct deciding deciding;
    char subject[1026], json[2048];
    (void)state;
    memset(subject, 'x', sizeof subject);
    for (size_t size = 1024; size <= 1025; size++) {
        subject[size] = '\0';
        snprintf(json, sizeof json,
                 "{'decision_id': 'd', 'domain': 'trial', 'subject': '%s', 'kind': 'DEFER',"
                 " 'revision': 1, 'reason': 'r', 'decided_by': 'a',"
                 " 'decided_time': '2026-05-01T10:00:00.000Z'}", subject);
        begin(&deciding, subject, json);
        assert_int_equal(admit(&deciding), size == 1024);
        end(&deciding);
        subject[size] = 'x';
    }
}

/* It would stand in conflict and match records, which could then not be loaded again. */
static void a_subject_that_is_no_utf8_is_refused(void **state) {
    struct deciding deciding;
    (void)state;
    begin(&deciding, "stub", DECISION("'kind': 'DEFER', 'subject': 'stub'"));
    uint8_t *bytes = (uint8_t *)deciding.input.value.data;
    uint8_t *stub = memmem(bytes, deciding.input.value.size, "stub", 4);
    stub[3] = 0xff;
    deciding.input.key = hub_bytes(stub, 4);
    assert_false(admit(&deciding));
    end(&deciding);
}

static void a_shard_is_one_that_the_domain_has(void **state) {
    (void)state;
    expect_refused("s", DECISION("'kind': 'DEFER', 'shard': 2"), "shard", "shard 2 of 2");
    expect_refused("s", DECISION("'kind': 'DEFER', 'shard': -1"), "shard", "shard -1 of 2");
}

static void what_is_no_decision_record_is_refused(void **state) {
    struct deciding deciding;
    (void)state;
    begin(&deciding, "s", DECISION("'kind': 'DEFER'"));
    deciding.input.has_value = false;
    refuses(&deciding, NULL, "without a value");
    begin(&deciding, "s", DECISION("'kind': 'DEFER'"));
    deciding.input.value = hub_bytes("x", 1);
    assert_false(admit(&deciding));
    end(&deciding);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_goes_to_the_log_of_its_shard_as_it_came),
        cmocka_unit_test(each_kind_names_its_own_statements),
        cmocka_unit_test(the_key_is_the_subject),
        cmocka_unit_test(a_subject_is_at_most_1024_bytes),
        cmocka_unit_test(a_subject_that_is_no_utf8_is_refused),
        cmocka_unit_test(a_shard_is_one_that_the_domain_has),
        cmocka_unit_test(what_is_no_decision_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
