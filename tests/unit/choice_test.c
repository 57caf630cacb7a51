/* choice: what is asked for is chosen, and nothing else. */
#include "hub/archive/choice.h"
#include "hub/archive/partition_log.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"

#include <string.h>

#define ENTITY "gmp-slot-gxtdg6sm7wwbewh3"

static const struct hub_ed25519_key private = {{1, 2, 3}};

struct topic_case {
    struct hub_choice choice;
    const char *topic;
    bool has;
};

static void topics_are_those_asked_for(void **state) {
    static const struct topic_case cases[] = {
        {{0}, "log.trial", true},
        {{0}, "decision", true},
        {{.topic = "log.trial"}, "log.trial", true},
        {{.topic = "log.trial"}, "log.trials", false},
        {{.domain = "trial"}, "log.trial", true},
        {{.domain = "trial"}, "unified.trial", true},
        {{.domain = "trial"}, "conflict.trial", true},
        {{.domain = "trial"}, "match.trial", true},
        {{.domain = "trial"}, "ingest.sus.trial", true},
        {{.domain = "trial"}, "ingest.trial", false},
        {{.domain = "trial"}, "ingest.sus.course.trial", false},
        {{.domain = "trial"}, "log.trial2", false},
        {{.domain = "trial"}, "log.tria", false},
        {{.domain = "trial"}, "deadletter.trial", false},
        {{.domain = "trial"}, "decision", false},
        {{.domain = "trial", .topic = "log.trial"}, "log.trial", true},
        {{.domain = "trial", .topic = "log.trial"}, "unified.trial", false},
        {{.entity = ENTITY}, "unified.gmp-slot", true},
        {{.entity = ENTITY}, "ingest.lumc.gmp-slot", true},
        {{.entity = ENTITY}, "unified.gmp", false},
        {{.entity = "nothing"}, "unified.nothing", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (hub_choice_has_topic(&cases[i].choice, cases[i].topic) != cases[i].has)
            fail_msg("case %zu: %s", i, cases[i].topic);
}

/* --- about an entity --- */

static struct hub_arena arena;

static const char *unified_schema(void) {
    return schema_quoted(&arena,
                         "{'type': 'record', 'name': 'Unified', 'fields': ["
                         "{'name': 'statements', 'type': {'type': 'array', 'items': {'type': 'record', "
                         "'name': 'Statement', 'fields': [{'name': 'rank', 'type': 'int'}, "
                         "{'name': 'key', 'type': 'string'}]}}}]}");
}

static void put_text(const char *text, struct hub_buffer *buffer) {
    hub_buffer_append_long(buffer, (int64_t)strlen(text));
    hub_buffer_append_text(buffer, text);
}

static void append(struct hub_partition_log *log, const char *key, const char *first,
                   const char *second, const char *schema) {
    struct hub_error error;
    HUB_SCOPED_BUFFER value = {0};
    hub_buffer_append_long(&value, 2);
    hub_buffer_append_long(&value, 7);
    put_text(first, &value);
    hub_buffer_append_long(&value, 8);
    put_text(second, &value);
    hub_buffer_append_long(&value, 0);
    struct hub_archived record = {.offset = (int64_t)hub_partition_log_size(log),
                                  .has_key = true,
                                  .key = hub_bytes_of_text(key),
                                  .kind = HUB_ARCHIVED_AVRO,
                                  .value = hub_buffer_bytes(&value)};
    expect_ok(hub_partition_log_append(log, &record, 5, schema, &error), &error);
}

static struct hub_replay_log write_log(struct folder *folder, const char *topic,
                                       const char *schema) {
    struct hub_partition_log_config config = {.folder = folder_path(folder, topic),
                                              .deployment = "audit.example",
                                              .topic = topic,
                                              .private = &private};
    struct hub_partition_log *log = NULL;
    struct hub_replay_log written = {.folder = config.folder};
    struct hub_error error;
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    append(log, ENTITY, "lumc-mes/S-1", "lumc-mes/S-2", schema);
    append(log, "gmp-slot-other", "lumc-mes/S-3", "lumc-mes/S-4", schema);
    append(log, ENTITY, "lumc-mes/S-2", "sus-mes/a/b", schema);
    expect_ok(hub_partition_log_sign(log, 3, &error), &error);
    hub_partition_log_close(log);
    expect_ok(hub_note_key_make(hub_arena_format(&arena, "audit.example/%s-0", topic),
                                HUB_NOTE_SIGNATURE, &private, &written.key, &error), &error);
    return written;
}

static void what_is_about_an_entity_is_chosen(void **state) {
    static const struct {
        const char *topic, *key;
        bool has;
    } cases[] = {
        {"unified.gmp-slot", ENTITY, true},
        {"unified.gmp-slot", "gmp-slot-other", false},
        {"unified.gmp-slot", ENTITY "x", false},
        {"conflict.gmp-slot", ENTITY "/interval", true},
        {"conflict.gmp-slot", "gmp-slot-other/" ENTITY, false},
        {"conflict.gmp-slot", ENTITY "+gmp-slot-other/interval", true},
        {"conflict.gmp-slot", "gmp-slot-other+" ENTITY "/interval", true},
        {"match.gmp-slot", "gmp-slot-other~" ENTITY, true},
        {"match.gmp-slot", "gmp-slot-other~gmp-slot-more", false},
        {"log.gmp-slot", "lumc/lumc-mes/S-1", true},
        {"log.gmp-slot", "late/lumc/lumc-mes/S-2", true},
        {"log.gmp-slot", "sus/sus-mes/a/b", true},
        {"log.gmp-slot", "sus/sus-mes/a", false},
        {"log.gmp-slot", "lumc/lumc-mes/S-3", false},
        {"log.gmp-slot", "lumc-mes/S-1", false},
        {"log.gmp-slot", "rules", false},
        {"log.gmp-slot", "", false},
        {"log.gmp-slot", "decision/" ENTITY "/interval", true},
        {"log.gmp-slot", "decision/gmp-slot-other/interval", false},
        {"ingest.lumc.gmp-slot", "lumc-mes/S-1", true},
        {"ingest.lumc.gmp-slot", "lumc-mes/S-4", false},
    };
    struct folder folder;
    struct hub_choice choice = {.entity = ENTITY};
    struct hub_error error;
    (void)state;
    folder_make(&folder);
    struct hub_replay_log log = write_log(&folder, "unified.gmp-slot", unified_schema());
    struct hub_replay_log other = write_log(&folder, "log.gmp-slot", unified_schema());
    other.size = 3;
    expect_ok(hub_choice_learn(&choice, &log, &error), &error);
    expect_ok(hub_choice_learn(&choice, &other, &error), &error);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (hub_choice_has(&choice, cases[i].topic, hub_bytes_of_text(cases[i].key)) !=
            cases[i].has)
            fail_msg("case %zu: %s", i, cases[i].key);
    assert_false(hub_choice_has(&choice, "log.gmp-slot", hub_bytes(NULL, 0)));
    hub_choice_free(&choice);
    assert_true(hub_choice_has(&(struct hub_choice){0}, "log.x", hub_bytes(NULL, 0)));
    folder_remove(&folder);
    hub_arena_destroy(&arena);
}

/* --- values that are not of their segment's schema --- */

static void expect_no_value(const char *schema, const char *words) {
    struct folder folder;
    struct hub_choice choice = {.entity = ENTITY};
    struct hub_error error;
    folder_make(&folder);
    struct hub_replay_log log = write_log(&folder, "unified.gmp-slot", schema);
    expect_refusal(hub_choice_learn(&choice, &log, &error), HUB_REJECT, &error,
                   "audit.example/unified.gmp-slot-0: record 0: ", words);
    hub_choice_free(&choice);
    folder_remove(&folder);
    hub_arena_destroy(&arena);
}

static void a_value_is_not_read_by_what_it_is_not_of(void **state) {
    (void)state;
    expect_no_value("{\"type\": \"nothing\"}", "schema 5 of its segment");
    expect_no_value("{\"type\": \"array\", \"items\": \"string\"}", "");
    expect_no_value("\"long\"", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_those_asked_for),
        cmocka_unit_test(what_is_about_an_entity_is_chosen),
        cmocka_unit_test(a_value_is_not_read_by_what_it_is_not_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
