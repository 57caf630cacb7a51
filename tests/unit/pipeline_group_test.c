/* pipeline, where a record depends on what was told before: groups that shrink, and patches. */
#include "tests/lib/cmocka.h"
#include "tests/lib/source.h"

#include <stdio.h>

/* As appointments tell of their rooms: a message has all rooms of its appointment. */
static const char rooms[] =
    "connector: sus-slots\n"
    "institution: sus\n"
    "system: sus-atmp\n"
    "source: {transport: mllp, format: hl7v2, listen: \"127.0.0.1:2575\"}\n"
    "target: {domain: gmp-slot}\n"
    "records:\n"
    "  - for_each: RGS.AIL\n"
    "    key: [^SCH-2, AIL-1]\n"
    "    replaces: {group: ^SCH-2}\n"
    "    version: {from: ^MSH-7, tie: position}\n"
    "    withdrawn: {when: {path: ^MSH-9.2, in: [S17]}, reason: deleted}\n"
    "    fields:\n"
    "      facility: {value: \"ror:02z31g829\"}\n"
    "      suite: AIL-3\n"
    "      status: {from: AIL-12, table: {booked: BOOKED}, else: reject}\n";

static const char patched[] =
    "connector: sus-slots\n"
    "institution: sus\n"
    "system: sus-atmp\n"
    "source: {transport: mllp, format: hl7v2, listen: \"127.0.0.1:2575\"}\n"
    "target: {domain: gmp-slot}\n"
    "records:\n"
    "  - key: SCH-2\n"
    "    update: patch\n"
    "    version: {from: MSH-7, tie: position}\n"
    "    withdrawn: {when: {path: MSH-9.2, in: [S17]}, reason: deleted}\n"
    "    fields:\n"
    "      facility: {value: \"ror:02z31g829\"}\n"
    "      suite: SCH-5\n"
    "      process_step: {first: [SCH-7.2, SCH-7]}\n"
    "      status: {from: SCH-25, table: {booked: BOOKED, deleted: 'null'}, else: reject}\n";

/* Versions that are numbers. */
static const char numbered[] =
    "connector: sus-slots\n"
    "institution: sus\n"
    "system: sus-atmp\n"
    "source: {transport: file-drop, format: json, folder: .}\n"
    "target: {domain: gmp-slot}\n"
    "records:\n"
    "  - for_each: rooms\n"
    "    key: [^id, no]\n"
    "    replaces: {group: ^id}\n"
    "    update: patch\n"
    "    version: ^rev\n"
    "    fields: {facility: {value: \"ror:02z31g829\"}, suite: suite, process_step: step}\n";

static void begin(struct source *source, const char *configuration) {
    source_open(source, configuration);
    hub_pipeline_begin(&source->pipeline, source->connector);
}

static void feed(struct source *source, const char *name, const char *text) {
    source_feed(source, name, text);
    hub_pipeline_take(&source->pipeline, &source->list);
}

/* A message at this hour with rooms "1 2 3"; a room that begins with ! has a status that is none. */
static const char *message(struct source *source, int hour, const char *type, const char *number,
                           const char *rooms_told) {
    HUB_SCOPED_BUFFER text = {0};
    hub_buffer_append_format(&text, "MSH|^~\\&|A|B|C|D|202603020%d||SIU^%s|1|P|2.5\r", hour, type);
    hub_buffer_append_format(&text, "SCH||%s\rRGS|1\r", number);
    for (const char *room = rooms_told; *room != '\0'; room++)
        if (*room >= '0')
            hub_buffer_append_format(&text, "AIL|%c||ROOM-%c|||||||||%s\r", *room, *room,
                                     room > rooms_told && room[-1] == '!' ? "odd" : "booked");
    return hub_arena_text(&source->arena, (const char *)text.data, text.size);
}

/* "F-1/1 F-1/2 -F-1/3": the keys that went out, a minus before what is withdrawn. */
static void assert_told(struct source *source, const char *expected) {
    char told[256] = "";
    for (size_t i = 0; i < source->list.count; i++) {
        const struct hub_outgoing *outgoing = &source->list.items[i];
        size_t size = strlen(told);
        bool withdrawn = !outgoing->dead && strcmp(source_text(source, i, "statement.state"),
                                                   "WITHDRAWN") == 0;
        snprintf(told + size, sizeof told - size, "%s%s%s", size == 0 ? "" : " ",
                 outgoing->dead ? "!" : withdrawn ? "-" : "", strchr(outgoing->key, '/') + 1);
    }
    assert_string_equal(told, expected);
}

/* --- groups --- */

static void what_is_no_longer_in_its_group_is_withdrawn(void **state) {
    struct source source;
    (void)state;
    begin(&source, rooms);
    feed(&source, "one", message(&source, 1, "S12", "F-1", "1 2 3"));
    assert_told(&source, "F-1/1 F-1/2 F-1/3");
    feed(&source, "two", message(&source, 2, "S14", "F-1", "1 2"));
    assert_told(&source, "F-1/1 F-1/2 -F-1/3");
    assert_int_equal(source.list.counts.vanished, 1);
    assert_string_equal(source_text(&source, 2, "statement.reason"), "no longer in two");
    assert_string_equal(source_text(&source, 2, "suite"), "ROOM-3");
    feed(&source, "three", message(&source, 3, "S14", "F-1", "1 2")); /* and once */
    assert_told(&source, "F-1/1 F-1/2");
    feed(&source, "four", message(&source, 4, "S14", "F-1", "1 2 3")); /* and may come back */
    assert_told(&source, "F-1/1 F-1/2 F-1/3");
    source_close(&source);
}

static void versions_are_ordered_as_the_hub_orders_them(void **state) {
    struct source source;
    (void)state;
    begin(&source, numbered);
    feed(&source, "nine", "{\"id\": \"F-1\", \"rev\": 9, \"rooms\": [{\"no\": 1, \"suite\": \"A\"}, "
                          "{\"no\": 2}]}");
    feed(&source, "ten", "{\"id\": \"F-1\", \"rev\": 10, \"rooms\": [{\"no\": 1, \"suite\": \"B\"}]}");
    assert_told(&source, "F-1/1 -F-1/2");
    feed(&source, "eleven",
         "{\"id\": \"F-1\", \"rev\": 11, \"rooms\": [{\"no\": 1, \"step\": \"filling\"}]}");
    assert_told(&source, "F-1/1");
    assert_string_equal(source_text(&source, 0, "suite"), "B");
    source_close(&source);
}

static void a_group_is_its_own_and_no_other(void **state) {
    struct source source;
    (void)state;
    begin(&source, rooms);
    feed(&source, "a", message(&source, 1, "S12", "F-1", "1 2"));
    feed(&source, "b", message(&source, 1, "S12", "F-10", "1 2"));
    feed(&source, "c", message(&source, 2, "S14", "F-10", "1"));
    assert_told(&source, "F-10/1 -F-10/2");
    feed(&source, "d", message(&source, 3, "S14", "F-1", "1 2"));
    assert_told(&source, "F-1/1 F-1/2");
    source_close(&source);
}

/* The version that a withdrawal has is before those of later documents, and after the one that it
 * takes back. */
static void a_late_document_takes_nothing_away_and_brings_nothing_back(void **state) {
    struct source source;
    (void)state;
    begin(&source, rooms);
    feed(&source, "late", message(&source, 4, "S14", "F-1", "1 2"));
    feed(&source, "early", message(&source, 2, "S12", "F-1", "2 3"));
    assert_told(&source, "F-1/2 F-1/3 -F-1/3");
    const char *told = source_text(&source, 1, "statement.version");
    const char *withdrawn = source_text(&source, 2, "statement.version");
    assert_true(strcmp(told, withdrawn) < 0);
    assert_true(strcmp(withdrawn, "2026030204") < 0);
    feed(&source, "last", message(&source, 5, "S14", "F-1", "1 2"));
    assert_told(&source, "F-1/1 F-1/2");
    source_close(&source);
}

static void of_several_messages_in_a_document_the_latest_counts(void **state) {
    struct source source;
    HUB_SCOPED_BUFFER both = {0};
    (void)state;
    begin(&source, rooms);
    hub_buffer_append_format(&both, "%s%s", message(&source, 2, "S14", "F-1", "1"),
                             message(&source, 1, "S12", "F-1", "1 2"));
    hub_buffer_append(&both, "", 1);
    feed(&source, "both", (const char *)both.data);
    assert_told(&source, "F-1/1 F-1/1 F-1/2 -F-1/2");
    source_close(&source);
}

static void where_a_record_is_refused_nothing_of_its_group_is_withdrawn(void **state) {
    struct source source;
    (void)state;
    begin(&source, rooms);
    feed(&source, "one", message(&source, 1, "S12", "F-1", "1 2 3"));
    feed(&source, "two", message(&source, 2, "S14", "F-1", "1 !2"));
    assert_told(&source, "F-1/1 !F-1/2");
    assert_says(source.list.note, "two: a record of sus-atmp/F-1 is refused");
    feed(&source, "three", message(&source, 3, "S14", "F-1", "1 2"));
    assert_told(&source, "F-1/1 F-1/2 -F-1/3");
    source_close(&source);
}

static void what_was_withdrawn_by_name_is_not_withdrawn_again(void **state) {
    struct source source;
    (void)state;
    begin(&source, rooms);
    feed(&source, "one", message(&source, 1, "S12", "F-1", "1 2"));
    feed(&source, "two", message(&source, 2, "S17", "F-1", "1 2"));
    assert_told(&source, "-F-1/1 -F-1/2");
    feed(&source, "three", message(&source, 3, "S12", "F-1", "1"));
    assert_told(&source, "F-1/1");
    source_close(&source);
}

/* A sender that says the same again is told once more, as one without groups would be. */
static void what_is_told_again_is_published_again(void **state) {
    struct source source;
    (void)state;
    begin(&source, rooms);
    for (int i = 0; i < 2; i++) {
        feed(&source, "one", message(&source, 1, "S12", "F-1", "1 2"));
        assert_told(&source, "F-1/1 F-1/2");
    }
    source_close(&source);
}

static void where_nothing_is_known_nothing_is_missing(void **state) {
    struct source source;
    (void)state;
    source_open(&source, rooms);
    source_feed(&source, "one", message(&source, 1, "S12", "F-1", "1"));
    assert_told(&source, "F-1/1");
    source_close(&source);
}

/* --- patches --- */

static void patch(struct source *source, int hour, const char *type, const char *suite,
                  const char *step, const char *expected_suite, const char *expected_step) {
    feed(source, "patch", hub_arena_format(&source->arena,
                                           "MSH|^~\\&|A|B|C|D|202603020%d||SIU^%s|1|P|2.5\r"
                                           "SCH||F-1|||%s||%s\r", hour, type, suite, step));
    assert_int_equal(source->list.count, 1);
    const char *told_suite = source_text(source, 0, "suite");
    const char *told_step = source_text(source, 0, "process_step");
    assert_string_equal(told_suite == NULL ? "" : told_suite, expected_suite);
    assert_string_equal(told_step == NULL ? "" : told_step, expected_step);
}

static void what_a_patch_does_not_say_stays_and_what_it_clears_goes(void **state) {
    struct source source;
    (void)state;
    begin(&source, patched);
    patch(&source, 1, "S12", "SUITE-A", "WASH", "SUITE-A", "WASH");
    patch(&source, 2, "S14", "SUITE-B", "", "SUITE-B", "WASH");
    patch(&source, 3, "S14", "", "", "SUITE-B", "WASH");
    patch(&source, 4, "S14", "\"\"", "", "", "WASH");
    patch(&source, 5, "S14", "", "\"\"", "", ""); /* though its component is asked for first */
    patch(&source, 6, "S14", "", "FILL", "", "FILL");
    source_close(&source);
}

static const char *status_of(struct source *source, int hour, const char *status) {
    feed(source, "patch", hub_arena_format(&source->arena,
                                           "MSH|^~\\&|A|B|C|D|202603020%d||SIU^S14|1|P|2.5\r"
                                           "SCH||F-1|||||||||||||||||||||||%s\r", hour, status));
    const char *told = source_text(source, 0, "status");
    return told == NULL ? "" : told;
}

static void a_word_that_is_translated_to_nothing_takes_back_what_was_said(void **state) {
    struct source source;
    (void)state;
    begin(&source, patched);
    assert_string_equal(status_of(&source, 1, "booked"), "BOOKED");
    assert_string_equal(status_of(&source, 2, ""), "BOOKED");
    assert_string_equal(status_of(&source, 3, "deleted"), "");
    source_close(&source);
}

static void what_was_withdrawn_begins_anew(void **state) {
    struct source source;
    (void)state;
    begin(&source, patched);
    patch(&source, 1, "S12", "SUITE-A", "WASH", "SUITE-A", "WASH");
    patch(&source, 2, "S17", "", "", "SUITE-A", "WASH");
    patch(&source, 3, "S12", "", "FILL", "", "FILL");
    source_close(&source);
}

static void a_patch_of_version_10_is_laid_over_version_9(void **state) {
    static const char text[] = "MSH|^~\\&|A|B|C|D|%s||SIU^S14|1|P|2.5\rSCH||F-1|||%s\r";
    struct source source;
    (void)state;
    begin(&source, patched);
    feed(&source, "nine", hub_arena_format(&source.arena, text, "9", "SUITE-A"));
    feed(&source, "ten", hub_arena_format(&source.arena, text, "10", ""));
    assert_non_null(source_text(&source, 0, "suite"));
    assert_string_equal(source_text(&source, 0, "suite"), "SUITE-A");
    source_close(&source);
}

static void a_late_patch_is_laid_over_nothing_that_is_later(void **state) {
    struct source source;
    (void)state;
    begin(&source, patched);
    patch(&source, 2, "S12", "SUITE-A", "WASH", "SUITE-A", "WASH");
    patch(&source, 1, "S12", "", "FILL", "", "FILL");
    patch(&source, 3, "S14", "SUITE-B", "", "SUITE-B", "WASH");
    source_close(&source);
}

/* --- configurations --- */

static void assert_refused(const char *from, const char *to, const char *error) {
    struct source source;
    char configuration[2048];
    const char *at = strstr(rooms, from);
    source_make(&source);
    snprintf(configuration, sizeof configuration, "%.*s%s%s", (int)(at - rooms), rooms, to,
             at + strlen(from));
    assert_says(source_refusal(&source, configuration), error);
    source_close(&source);
}

static void a_group_is_what_the_key_begins_with(void **state) {
    (void)state;
    assert_refused("{group: ^SCH-2}", "^SCH-2", "9:15: {group: PATH or a list of them} would pass");
    assert_refused("{group: ^SCH-2}", "{groups: ^SCH-2}", "did you mean 'group'?");
    assert_refused("{group: ^SCH-2}", "{group: AIL-1}", "the paths that the key begins with");
    assert_refused("{group: ^SCH-2}", "{group: []}", "the paths that the key begins with");
    assert_refused("{group: ^SCH-2}", "{group: [^SCH-2, AIL-1, AIL-2]}",
                   "the paths that the key begins with");
    assert_refused("replaces: {group: ^SCH-2}", "update: merge", "patch would pass");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_longer_in_its_group_is_withdrawn),
        cmocka_unit_test(versions_are_ordered_as_the_hub_orders_them),
        cmocka_unit_test(a_group_is_its_own_and_no_other),
        cmocka_unit_test(a_late_document_takes_nothing_away_and_brings_nothing_back),
        cmocka_unit_test(of_several_messages_in_a_document_the_latest_counts),
        cmocka_unit_test(where_a_record_is_refused_nothing_of_its_group_is_withdrawn),
        cmocka_unit_test(what_was_withdrawn_by_name_is_not_withdrawn_again),
        cmocka_unit_test(what_is_told_again_is_published_again),
        cmocka_unit_test(where_nothing_is_known_nothing_is_missing),
        cmocka_unit_test(what_a_patch_does_not_say_stays_and_what_it_clears_goes),
        cmocka_unit_test(a_word_that_is_translated_to_nothing_takes_back_what_was_said),
        cmocka_unit_test(what_was_withdrawn_begins_anew),
        cmocka_unit_test(a_patch_of_version_10_is_laid_over_version_9),
        cmocka_unit_test(a_late_patch_is_laid_over_nothing_that_is_later),
        cmocka_unit_test(a_group_is_what_the_key_begins_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
