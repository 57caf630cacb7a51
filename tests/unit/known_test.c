/* known: what a connector has published, so that it says nothing twice and sees what vanished. */
#include "connectors/kit/known.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"

struct memory {
    struct hub_arena arena;
    struct hub_known *known;
    const struct hub_domain *domain;
    struct hub_error error;
    json_t *vanished;
};

static struct memory *open_for(const char *system) {
    struct memory *memory = hub_allocate_zero(1, sizeof *memory);
    const struct hub_catalogue *catalogue = test_catalogue();
    memory->domain = test_domain("trial");
    memory->vanished = json_array();
    memory->known = hub_known_new(
        catalogue, memory->domain,
        hub_parties_system(&catalogue->parties, hub_bytes_of_text(system)), &hub_sha256);
    return memory;
}

static int begin(void **state) {
    *state = open_for("sus-trials");
    return 0;
}

static int end(void **state) {
    struct memory *memory = *state;
    hub_known_free(memory->known);
    hub_arena_destroy(&memory->arena);
    json_decref(memory->vanished);
    hub_release(memory);
    return 0;
}

static struct hub_bytes trial(struct memory *memory, const char *version, const char *state,
                              const char *acronym) {
    return test_value(memory->domain->schema->root,
                      hub_arena_format(&memory->arena,
                                       "{'statement': {'version': '%s', 'state': '%s', 'document': "
                                       "'%s.json'}, 'acronym': '%s'}",
                                       version, state, version, acronym),
                      &memory->arena);
}

static struct hub_bytes framed(struct memory *memory, int32_t id, struct hub_bytes body) {
    HUB_SCOPED_BUFFER value = {0};
    hub_frame_append(&value, id);
    hub_buffer_append_bytes(&value, body);
    return hub_bytes(hub_arena_text(&memory->arena, (const char *)value.data, value.size),
                     value.size);
}

static void take(struct memory *memory, const char *key, const char *acronym) {
    hub_known_take(memory->known, key, trial(memory, "1", "CURRENT", acronym));
}

static void note_vanished(void *context, const char *key, struct hub_bytes body) {
    struct memory *memory = context;
    assert_true(body.size > 0);
    json_array_append_new(memory->vanished, json_string(key));
}

static void expect_vanished(struct memory *memory, const char *keys) {
    json_array_clear(memory->vanished);
    size_t count = hub_known_vanished(memory->known, note_vanished, memory);
    assert_int_equal(count, json_array_size(memory->vanished));
    assert_int_equal(count, hub_known_vanished(memory->known, NULL, NULL));
    expect_json(memory->vanished, "", keys);
}

/* --- what differs --- */

static void what_is_not_known_differs(void **state) {
    struct memory *memory = *state;
    assert_true(hub_known_differs(memory->known, "k", trial(memory, "1", "CURRENT", "A")));
    assert_int_equal(hub_known_count(memory->known), 0);
}

static void another_stamp_alone_says_nothing_new(void **state) {
    struct memory *memory = *state;
    take(memory, "k", "A");
    assert_false(hub_known_differs(memory->known, "k", trial(memory, "2", "CURRENT", "A")));
    assert_true(hub_known_differs(memory->known, "k", trial(memory, "2", "CURRENT", "B")));
}

static void a_withdrawal_and_a_return_are_new(void **state) {
    struct memory *memory = *state;
    take(memory, "k", "A");
    struct hub_bytes withdrawn = trial(memory, "2", "WITHDRAWN", "A");
    assert_true(hub_known_differs(memory->known, "k", withdrawn));
    hub_known_take(memory->known, "k", withdrawn);
    assert_int_equal(hub_known_count(memory->known), 0);
    assert_false(hub_known_differs(memory->known, "k", trial(memory, "3", "WITHDRAWN", "A")));
    assert_true(hub_known_differs(memory->known, "k", trial(memory, "3", "CURRENT", "A")));
}

static void asking_changes_nothing_that_is_known(void **state) {
    struct memory *memory = *state;
    take(memory, "k", "A");
    assert_true(hub_known_differs(memory->known, "k", trial(memory, "2", "CURRENT", "B")));
    assert_true(hub_known_differs(memory->known, "k", trial(memory, "2", "CURRENT", "B")));
    assert_false(hub_known_differs(memory->known, "k", trial(memory, "2", "CURRENT", "A")));
}

static void where_several_carry_one_voice_the_sources_version_counts(void **state) {
    struct memory *memory = open_for("ctgov");
    (void)state;
    hub_known_take(memory->known, "k", trial(memory, "2026-01-01~1", "CURRENT", "A"));
    assert_false(
        hub_known_differs(memory->known, "k", trial(memory, "2026-01-01~2", "CURRENT", "A")));
    assert_true(
        hub_known_differs(memory->known, "k", trial(memory, "2026-01-02~2", "CURRENT", "A")));
    void *own = memory;
    end(&own);
}

/* --- snapshots --- */

static void what_a_snapshot_does_not_have_has_vanished(void **state) {
    struct memory *memory = *state;
    take(memory, "c", "C");
    take(memory, "a", "A");
    take(memory, "b", "B");
    hub_known_begin_snapshot(memory->known);
    assert_false(hub_known_differs(memory->known, "b", trial(memory, "2", "CURRENT", "B")));
    expect_vanished(memory, "['a', 'c']");
    assert_int_equal(hub_known_count(memory->known), 3);
}

static void a_record_that_could_not_be_mapped_is_still_there(void **state) {
    struct memory *memory = *state;
    take(memory, "a", "A");
    hub_known_begin_snapshot(memory->known);
    hub_known_note(memory->known, "a");
    hub_known_note(memory->known, "never heard of");
    expect_vanished(memory, "[]");
}

static void what_was_withdrawn_vanishes_no_more(void **state) {
    struct memory *memory = *state;
    take(memory, "a", "A");
    hub_known_take(memory->known, "a", trial(memory, "2", "WITHDRAWN", "A"));
    hub_known_begin_snapshot(memory->known);
    expect_vanished(memory, "[]");
}

static void every_snapshot_is_counted_for_itself(void **state) {
    struct memory *memory = *state;
    take(memory, "a", "A");
    hub_known_begin_snapshot(memory->known);
    assert_false(hub_known_differs(memory->known, "a", trial(memory, "2", "CURRENT", "A")));
    hub_known_begin_snapshot(memory->known);
    expect_vanished(memory, "['a']");
}

/* --- loading --- */

static enum hub_status load(struct memory *memory, const char *key, struct hub_bytes message) {
    return hub_known_load(memory->known, hub_bytes_of_text(key), message, &memory->error);
}

static void published_records_of_the_system_are_read_back(void **state) {
    struct memory *memory = *state;
    struct hub_bytes body = trial(memory, "1", "CURRENT", "A");
    struct hub_bytes message = framed(memory, memory->domain->schema->id, body);
    assert_int_equal(load(memory, "sus-trials/1", message), HUB_OK);
    assert_int_equal(load(memory, "ctgov/1", message), HUB_OK);
    assert_int_equal(load(memory, "sus-trials-2/1", message), HUB_OK);
    assert_int_equal(hub_known_count(memory->known), 1);
    assert_false(
        hub_known_differs(memory->known, "sus-trials/1", trial(memory, "2", "CURRENT", "A")));
}

static void the_last_of_a_key_is_what_is_known(void **state) {
    struct memory *memory = *state;
    int32_t id = memory->domain->schema->id;
    assert_int_equal(
        load(memory, "sus-trials/1", framed(memory, id, trial(memory, "1", "CURRENT", "A"))),
        HUB_OK);
    assert_int_equal(
        load(memory, "sus-trials/1", framed(memory, id, trial(memory, "2", "CURRENT", "B"))),
        HUB_OK);
    assert_false(
        hub_known_differs(memory->known, "sus-trials/1", trial(memory, "3", "CURRENT", "B")));
}

static void damage_is_for_a_person(void **state) {
    struct memory *memory = *state;
    struct hub_bytes body = trial(memory, "1", "CURRENT", "A");
    int32_t id = memory->domain->schema->id;
    int32_t other = hub_catalogue_latest(test_catalogue(), "deadletter")->id;
    assert_int_equal(load(memory, "sus-trials/1", hub_bytes("x", 1)), HUB_FATAL);
    assert_int_equal(load(memory, "sus-trials/1", framed(memory, 1, body)), HUB_FATAL);
    assert_int_equal(load(memory, "sus-trials/1", framed(memory, other, body)), HUB_FATAL);
    assert_int_equal(load(memory, "sus-trials/1",
                          framed(memory, id, hub_bytes_part(body, 0, body.size - 1))),
                     HUB_FATAL);
    assert_non_null(strstr(memory->error.text, "sus-trials/1: "));
    assert_int_equal(hub_known_count(memory->known), 0);
}

static void add_name(void *context, const char *key, struct hub_bytes body) {
    struct hub_buffer *names = context;
    assert_true(body.size > 0);
    hub_buffer_append_format(names, "%s ", key);
}

static void a_group_is_what_is_known_under_its_name_and_below_it(void **state) {
    static const char *const keys[] = {"sus-trials/B/2", "sus-trials/B", "sus-trials/BC",
                                       "sus-trials/B/1", "sus-trials/A/B"};
    struct memory *memory = *state;
    HUB_SCOPED_BUFFER names = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        hub_known_take(memory->known, keys[i], trial(memory, "1", "CURRENT", "A"));
    hub_known_note(memory->known, "sus-trials/B/3");
    hub_known_group(memory->known, "sus-trials/B", add_name, &names);
    hub_buffer_append(&names, "", 1);
    assert_string_equal((const char *)names.data,
                        "sus-trials/B sus-trials/B/1 sus-trials/B/2 ");
    hub_known_group(memory->known, "sus-trials/C", add_name, &names);
    assert_int_equal(strlen((const char *)names.data) + 1, names.size);
}

static void where_the_latest_is_kept_what_comes_late_is_not_taken(void **state) {
    struct memory *memory = *state;
    struct hub_bytes late = trial(memory, "1~000000000009", "CURRENT", "A");
    struct hub_bytes latest = trial(memory, "2~000000000003.000001", "CURRENT", "B");
    struct hub_bytes same = trial(memory, "2~000000000003", "CURRENT", "C");
    hub_known_take(memory->known, "sus-trials/1", latest);
    hub_known_take(memory->known, "sus-trials/1", late); /* as long as nobody wants otherwise */
    assert_true(hub_bytes_equal(hub_known_body(memory->known, "sus-trials/1"), late));
    hub_known_take(memory->known, "sus-trials/1", latest);
    hub_known_keep_latest(memory->known);
    hub_known_take(memory->known, "sus-trials/1", late);
    assert_true(hub_bytes_equal(hub_known_body(memory->known, "sus-trials/1"), latest));
    hub_known_take(memory->known, "sus-trials/1", same); /* of one document */
    assert_true(hub_bytes_equal(hub_known_body(memory->known, "sus-trials/1"), same));
}

static void a_letter_is_remembered_until_there_are_too_many(void **state) {
    struct memory *memory = *state;
    struct hub_bytes first = hub_bytes_of_text("0");
    assert_false(hub_known_is_refused(memory->known, first));
    hub_known_refuse(memory->known, first);
    hub_known_refuse(memory->known, first); /* twice in one document */
    for (int i = 1; i < 10000; i++)
        hub_known_refuse(memory->known,
                         hub_bytes_of_text(hub_arena_format(&memory->arena, "%d", i)));
    assert_true(hub_known_is_refused(memory->known, first));
    hub_known_refuse(memory->known, hub_bytes_of_text("one more"));
    assert_false(hub_known_is_refused(memory->known, first));
    assert_true(hub_known_is_refused(memory->known, hub_bytes_of_text("one more")));
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_differs),
        cmocka_unit_test(another_stamp_alone_says_nothing_new),
        cmocka_unit_test(a_withdrawal_and_a_return_are_new),
        cmocka_unit_test(asking_changes_nothing_that_is_known),
        cmocka_unit_test(where_several_carry_one_voice_the_sources_version_counts),
        cmocka_unit_test(what_a_snapshot_does_not_have_has_vanished),
        cmocka_unit_test(a_record_that_could_not_be_mapped_is_still_there),
        cmocka_unit_test(what_was_withdrawn_vanishes_no_more),
        cmocka_unit_test(every_snapshot_is_counted_for_itself),
        cmocka_unit_test(published_records_of_the_system_are_read_back),
        cmocka_unit_test(the_last_of_a_key_is_what_is_known),
        cmocka_unit_test(damage_is_for_a_person),
        cmocka_unit_test(a_group_is_what_is_known_under_its_name_and_below_it),
        cmocka_unit_test(where_the_latest_is_kept_what_comes_late_is_not_taken),
        cmocka_unit_test(a_letter_is_remembered_until_there_are_too_many),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
