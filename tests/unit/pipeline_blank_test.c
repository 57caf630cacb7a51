/* pipeline, where a field goes blank and comes back: `blank: {keep: N}`. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

static const char kept[] =
    "connector: register\n"
    "institution: lumc\n"
    "system: cart-register\n"
    "source: {transport: file-drop, format: json, folder: ., mode: snapshot}\n"
    "target: {domain: trial}\n"
    "records:\n"
    "  - for_each: trials\n"
    "    key: id\n"
    "    version: {tie: position}\n"
    "    withdrawn: {when: {present: gone}, reason: taken down}\n"
    "    fields:\n"
    "      acronym: {from: name, blank: {keep: 3}}\n"
    "      start: {from: start, time: {formats: [partial]}, blank: {keep: 2}}\n"
    "      end: {from: end, time: {formats: [partial]}}\n";

static void begin(struct source *source) {
    source_open(source, kept);
    hub_pipeline_begin(&source->pipeline, source->connector);
}

/* Reads one trial's members; what goes out of it is nothing, or has this name and this reason. */
static void read_trial(struct source *source, const char *members, const char *name,
                       const char *reason) {
    source_feed_json(source,
                     hub_arena_format(&source->arena, "{'trials': [{'id': '1', %s}]}", members));
    assert_int_equal(source->list.count, 1);
    assert_string_equal(source_text(source, 0, "acronym") == NULL ? "" : source_text(source, 0, "acronym"),
                        name);
    assert_string_equal(source_text(source, 0, "statement.reason") == NULL
                            ? ""
                            : source_text(source, 0, "statement.reason"),
                        reason);
    hub_pipeline_take(&source->pipeline, &source->list);
}

static void read_unchanged(struct source *source, const char *members) {
    source_feed_json(source,
                     hub_arena_format(&source->arena, "{'trials': [{'id': '1', %s}]}", members));
    assert_int_equal(source->list.count, 0);
    assert_int_equal(source->list.counts.unchanged, 1);
}

static void a_blank_keeps_what_was_said_for_so_many_readings(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': 'A'", "A", "");
    read_trial(&source, "'name': ''", "A", "kept while blank: acronym=1/3");
    read_trial(&source, "'other': 1", "A", "kept while blank: acronym=2/3");
    read_trial(&source, "'name': []", "A", "kept while blank: acronym=3/3");
    read_trial(&source, "'name': ''", "", "");
    read_unchanged(&source, "'name': ''");
    source_close(&source);
}

static void what_comes_back_is_kept_anew(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': 'A'", "A", "");
    read_trial(&source, "'name': ''", "A", "kept while blank: acronym=1/3");
    read_trial(&source, "'name': 'A'", "A", "");
    read_trial(&source, "'name': null", "A", "kept while blank: acronym=1/3");
    read_trial(&source, "'name': 'B'", "B", "");
    read_trial(&source, "'name': ''", "B", "kept while blank: acronym=1/3");
    source_close(&source);
}

static void each_field_has_a_count_of_its_own(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': 'A', 'start': '2026-03'", "A", "");
    read_trial(&source, "'start': '2026-03'", "A", "kept while blank: acronym=1/3");
    read_trial(&source, "'none': 1", "A", "kept while blank: acronym=2/3 start=1/2");
    read_trial(&source, "'name': 'A'", "A", "kept while blank: start=2/2");
    read_trial(&source, "'none': 1", "A", "kept while blank: acronym=1/3");
    source_close(&source);
}

static void a_field_without_it_is_blank_at_once(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': 'A', 'end': '2027'", "A", "");
    read_trial(&source, "'name': 'A'", "A", "");
    source_close(&source);
}

/* What is known after it is what was published before it. */
static void a_restart_goes_on_counting(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': 'A'", "A", "");
    read_trial(&source, "'name': ''", "A", "kept while blank: acronym=1/3");
    struct hub_bytes body = source.list.items[0].body;
    hub_pipeline_end(&source.pipeline);
    hub_pipeline_begin(&source.pipeline, source.connector);
    hub_known_take(source.pipeline.known, "cart-register/1", body);
    read_trial(&source, "'name': ''", "A", "kept while blank: acronym=2/3");
    source_close(&source);
}

static void what_was_withdrawn_keeps_nothing(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': 'A'", "A", "");
    read_trial(&source, "'gone': 1", "A", "taken down");
    read_trial(&source, "'name': ''", "", "");
    source_close(&source);
}

static void where_nothing_is_known_a_blank_is_blank(void **state) {
    struct source source;
    (void)state;
    begin(&source);
    read_trial(&source, "'name': ''", "", "");
    source_close(&source);
}

static void it_says_what_would_pass(void **state) {
    (void)state;
    assert_misconfigured("trial", "acronym: {from: a, blank: 3}", "{keep: N}, with a number of readings");
    assert_misconfigured("trial", "acronym: {from: a, blank: {keep: 0}}", "from 1 to 1000, would pass");
    assert_misconfigured("trial", "acronym: {from: a, blank: {keep: 1001}}", "from 1 to 1000");
    assert_misconfigured("trial", "acronym: {from: a, blank: {keep: 3 days}}", "from 1 to 1000");
    assert_misconfigured("trial", "acronym: {from: a, blank: {keeps: 3}}", "did you mean 'keep'?");
    assert_misconfigured("trial", "enrolment: {count: {from: c, blank: {keep: 3}}, type: {value: UNSTATED}}",
                         "'blank' is for a whole field of the record");
    assert_misconfigured("trial", "acronym: {first: [{from: a, blank: {keep: 3}}, b]}",
                         "'blank' is for a whole field of the record");
    assert_misconfigured("gmp-slot", "facility: {from: f, blank: {keep: 3}}",
                         "field 'facility' is never left out");
}

static void a_patch_needs_none(void **state) {
    struct source source;
    const char *fields = strstr(kept, "    fields:");
    (void)state;
    source_make(&source);
    assert_says(source_refusal(&source, hub_arena_format(&source.arena, "%.*s    update: patch\n%s",
                                                         (int)(fields - kept), kept, fields)),
                "11:13: a patch keeps what it does not speak of");
    source_close(&source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_keeps_what_was_said_for_so_many_readings),
        cmocka_unit_test(what_comes_back_is_kept_anew),
        cmocka_unit_test(each_field_has_a_count_of_its_own),
        cmocka_unit_test(a_field_without_it_is_blank_at_once),
        cmocka_unit_test(a_restart_goes_on_counting),
        cmocka_unit_test(what_was_withdrawn_keeps_nothing),
        cmocka_unit_test(where_nothing_is_known_a_blank_is_blank),
        cmocka_unit_test(it_says_what_would_pass),
        cmocka_unit_test(a_patch_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
