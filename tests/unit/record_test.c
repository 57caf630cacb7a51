/* record: the hub's own records, by the schema they were written with, read as the newest one. */
#include "hub/stages/record.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <string.h>

static struct hub_bytes frame(struct hub_arena *arena, int32_t id, struct hub_bytes body) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, id);
    hub_buffer_append_bytes(&message, body);
    return hub_bytes(hub_arena_text(arena, (const char *)message.data, message.size),
                     message.size);
}

static void an_older_record_is_read_as_the_newest(void **state) {
    struct hub_catalogue *grown = own_catalogue_grown(
        "trial", "{'name': 'blinding', 'type': 'string', 'default': 'open', 'doc': 'How.',"
                 " 'hub:merge': ['latest'], 'hub:conflict': 'ignore'}");
    const struct hub_schema *old = hub_catalogue_version(grown, "trial", 1);
    const struct hub_schema *newest = hub_catalogue_latest(grown, "trial");
    struct hub_arena arena = {0};
    struct hub_record record;
    struct hub_error error;
    HUB_SCOPED_BUFFER scratch = {0};
    HUB_SCOPED_BUFFER small = {.size_max = 1};
    (void)state;
    struct hub_bytes body = test_value(old->root, "{'statement': {'version': '7'}}", &arena);
    struct hub_bytes message = frame(&arena, old->id, body);
    expect_ok(hub_record_open(grown, newest, message, &scratch, &record, &error), &error);
    assert_true(hub_record_text_is(&record, "blinding", "open"));
    assert_int_equal(hub_record_open(grown, newest, message, &small, &record, &error), HUB_REJECT);
    hub_arena_destroy(&arena);
    hub_catalogue_free(grown);
}

static void a_record_that_the_newest_schema_cannot_read_is_refused(void **state) {
    const struct hub_schema *writer = hub_catalogue_latest(test_catalogue(), "match");
    struct hub_schema newest = *writer;
    struct hub_arena arena = {0};
    struct hub_record record;
    struct hub_error error;
    HUB_SCOPED_BUFFER scratch = {0};
    (void)state;
    newest.root = hub_catalogue_latest(test_catalogue(), "conflict")->root;
    struct hub_bytes body =
        test_value(writer->root, "{'match_id': 'm', 'domain': 'trial', 'entities': [], 'state':"
                                 " 'OPEN', 'evidence': [], 'opened_offset': 0, 'offset': 0,"
                                 " 'events': 1, 'rules': '', 'core': 1}", &arena);
    assert_int_equal(hub_record_open(test_catalogue(), &newest, frame(&arena, writer->id, body),
                                     &scratch, &record, &error),
                     HUB_FATAL);
    hub_arena_destroy(&arena);
}

static void what_is_no_record_of_the_schema_is_refused(void **state) {
    const struct hub_schema *schema = hub_catalogue_latest(test_catalogue(), "match");
    struct hub_arena arena = {0};
    struct hub_record record;
    struct hub_error error;
    HUB_SCOPED_BUFFER scratch = {0};
    const struct hub_bytes wrong[] = {
        frame(&arena, 99, hub_bytes("", 0)),
        frame(&arena, hub_catalogue_latest(test_catalogue(), "conflict")->id, hub_bytes("", 0))};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        expect_refusal(hub_record_open(test_catalogue(), schema, wrong[i], &scratch, &record,
                                       &error),
                       HUB_FATAL, &error, "a record of schema", "(match) would pass");
    assert_int_not_equal(hub_record_open(test_catalogue(), schema,
                                         frame(&arena, schema->id, hub_bytes("\2", 1)), &scratch,
                                         &record, &error),
                         HUB_OK);
    hub_arena_destroy(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_record_is_read_as_the_newest),
        cmocka_unit_test(a_record_that_the_newest_schema_cannot_read_is_refused),
        cmocka_unit_test(what_is_no_record_of_the_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
