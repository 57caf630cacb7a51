/* event: what a receiver is told of a record. */
#include "connectors/kit/event.h"

#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

static const char identifier_value[] = "{'identifier': 'nct:NCT99000101', 'domain': 'trial',"
                                       " 'entities': ['e1'], 'offset': 3, 'core': 1}";

struct telling {
    struct hub_arena arena;
    struct hub_kafka_header header;
    struct hub_kafka_record record;
    struct hub_event_source source;
    struct hub_buffer value, text;
    struct hub_error error;
};

/* A record of a topic; `json` NULL: with no value. */
static struct telling *begin(const char *topic, const char *subject, const char *json) {
    struct telling *telling = hub_allocate_zero(1, sizeof *telling);
    telling->header = (struct hub_kafka_header){"ce_type", hub_bytes_of_text("atmp.trial.updated")};
    if (json != NULL) {
        const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), subject);
        hub_frame_append(&telling->value, schema->id);
        hub_buffer_append_bytes(&telling->value, test_value(schema->root, json, &telling->arena));
    }
    telling->record = (struct hub_kafka_record){.topic = topic,
                                                .partition = 2,
                                                .offset = 123,
                                                .timestamp_ms = 1772366400000,
                                                .has_key = true,
                                                .key = hub_bytes_of_text("a \"key\""),
                                                .has_value = json != NULL,
                                                .value = hub_buffer_bytes(&telling->value),
                                                .headers = &telling->header,
                                                .header_count = 1};
    telling->source = (struct hub_event_source){
        .subscription = "lu-trials", .number = 17, .record = &telling->record};
    return telling;
}

static enum hub_status render(struct telling *telling) {
    return hub_event_render(test_catalogue(), &telling->source, &telling->text,
                               &telling->error);
}

static void end(struct telling *telling) {
    hub_buffer_free(&telling->value);
    hub_buffer_free(&telling->text);
    hub_arena_destroy(&telling->arena);
    hub_release(telling);
}

static void assert_told(struct telling *telling, const char *json) {
    expect_ok(render(telling), &telling->error);
    assert_string_equal(hub_buffer_text(&telling->text), schema_quoted(&telling->arena, json));
}

/* The member `sources`: of every field that nobody states it. */
static void append_sources(const struct hub_type *unified, struct hub_buffer *json) {
    const struct hub_type *sources = NULL;
    for (size_t i = 0; i < unified->count; i++)
        if (strcmp(unified->fields[i].name, "sources") == 0)
            sources = unified->fields[i].type;
    hub_buffer_append_text(json, "'sources': {");
    for (size_t i = 0; i < sources->count; i++)
        hub_buffer_append_format(json, "%s'%s': -1", i == 0 ? "" : ", ", sources->fields[i].name);
    hub_buffer_append_text(json, "}}");
}

static void a_redirect_says_where_to(void **state) {
    HUB_SCOPED_BUFFER json = {0};
    (void)state;
    hub_buffer_append_text(&json, "{'entity_id': 'e1', 'kind': 'MERGED', 'into': 'e2',"
                                  " 'founder': 'f', 'founded_offset': 0, 'revision': 1,"
                                  " 'rules': '', 'core': 1, ");
    append_sources(hub_catalogue_latest(test_catalogue(), "unified.trial")->root, &json);
    struct telling *telling = begin("unified.trial", "unified.trial", hub_buffer_text(&json));
    expect_ok(render(telling), &telling->error);
    json_t *event = test_json(hub_buffer_text(&telling->text));
    json_t *data = json_object_get(event, "data");
    assert_string_equal(json_string_value(json_object_get(event, "kind")), "MERGED");
    assert_string_equal(json_string_value(json_object_get(data, "into")), "e2");
    assert_string_equal(json_string_value(json_object_get(data, "entity_id")), "e1");
    json_decref(event);
    end(telling);
}

static void a_tombstone_is_told_as_one(void **state) {
    (void)state;
    struct telling *telling = begin("unified.trial", NULL, NULL);
    assert_told(telling, "{'type':'atmp.trial.updated','timestamp':'2026-03-01T12:00:00.000Z',"
                         "'subscription':'lu-trials','number':17,'topic':'unified.trial',"
                         "'partition':2,'offset':123,'key':'a \\'key\\'','kind':'TOMBSTONE',"
                         "'data':null}");
    end(telling);
}

static void what_was_compacted_after_it_had_its_number_keeps_it(void **state) {
    (void)state;
    struct telling *telling = begin("unified.trial", NULL, NULL);
    telling->source.is_compacted = true;
    telling->record =
        (struct hub_kafka_record){.topic = "unified.trial", .partition = 2, .offset = 123};
    assert_told(telling, "{'type':null,'timestamp':null,'subscription':'lu-trials','number':17,"
                         "'topic':'unified.trial','partition':2,'offset':123,'key':null,"
                         "'kind':'COMPACTED','data':null}");
    end(telling);
}

static void a_record_that_is_of_no_kind_has_none(void **state) {
    (void)state;
    struct telling *telling = begin("unified.identifier", "identifier", identifier_value);
    expect_ok(render(telling), &telling->error);
    json_t *event = test_json(hub_buffer_text(&telling->text));
    assert_true(json_is_null(json_object_get(event, "kind")));
    assert_true(json_is_object(json_object_get(event, "data")));
    json_decref(event);
    end(telling);
}

static void what_is_no_text_is_told_as_nothing(void **state) {
    (void)state;
    struct telling *telling = begin("unified.trial", NULL, NULL);
    telling->record.key = hub_bytes("\xff", 1);
    telling->header.value = hub_bytes("\xff", 1);
    assert_told(telling, "{'type':null,'timestamp':'2026-03-01T12:00:00.000Z',"
                         "'subscription':'lu-trials','number':17,'topic':'unified.trial',"
                         "'partition':2,'offset':123,'key':null,'kind':'TOMBSTONE','data':null}");
    end(telling);
}

static void a_value_that_cannot_be_read_is_refused(void **state) {
    (void)state;
    struct telling *telling = begin("unified.trial", NULL, NULL);
    telling->record.has_value = true;
    telling->record.value = hub_bytes("\0\0\0\0\1x", 6);
    expect_refusal(render(telling), HUB_REJECT, &telling->error, "schema id 1 is not in", "lock");
    telling->record.value = hub_bytes("x", 1);
    assert_int_equal(render(telling), HUB_REJECT);
    hub_frame_append(&telling->value, hub_catalogue_latest(test_catalogue(), "unified.trial")->id);
    telling->record.value = hub_buffer_bytes(&telling->value); /* without a body */
    assert_int_equal(render(telling), HUB_REJECT);
    end(telling);
}

static void what_is_too_large_as_json_is_refused(void **state) {
    (void)state;
    struct telling *telling = begin("unified.trial", NULL, NULL);
    telling->text.size_max = 100;
    expect_refusal(render(telling), HUB_REJECT, &telling->error,
                   "as JSON it is larger than 100 bytes", "");
    end(telling);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redirect_says_where_to),
        cmocka_unit_test(a_tombstone_is_told_as_one),
        cmocka_unit_test(what_was_compacted_after_it_had_its_number_keeps_it),
        cmocka_unit_test(a_record_that_is_of_no_kind_has_none),
        cmocka_unit_test(what_is_no_text_is_told_as_nothing),
        cmocka_unit_test(a_value_that_cannot_be_read_is_refused),
        cmocka_unit_test(what_is_too_large_as_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
