/* readers: statements by the schema they were written with, read as the newest one. */
#include "hub/stages/readers.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

static const char trial[] = "{'statement': {'version': '7'}, 'acronym': 'STAR'}";

struct reading {
    struct hub_arena arena;
    struct hub_readers readers;
    struct hub_opened opened;
    struct hub_error error;
};

static void begin(struct reading *reading, const struct hub_catalogue *catalogue) {
    *reading = (struct reading){0};
    hub_readers_init(&reading->readers, catalogue,
                     hub_catalogue_domain(catalogue, hub_bytes_of_text("trial")));
}

static void end(struct reading *reading) {
    hub_readers_free(&reading->readers);
    hub_arena_destroy(&reading->arena);
}

static struct hub_bytes frame(struct reading *reading, int32_t id, struct hub_bytes body) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, id);
    hub_buffer_append_bytes(&message, body);
    return hub_bytes(hub_arena_text(&reading->arena, (const char *)message.data, message.size),
                     message.size);
}

static enum hub_status open_message(struct reading *reading, struct hub_bytes message) {
    return hub_readers_open(&reading->readers, message, &reading->arena, &reading->opened,
                            &reading->error);
}

/* The body with the last zero byte (the end of an empty array) written in two bytes. */
static struct hub_bytes padded(struct reading *reading, struct hub_bytes body) {
    HUB_SCOPED_BUFFER wide = {0};
    assert_int_equal(body.data[body.size - 1], 0);
    hub_buffer_append_bytes(&wide, hub_bytes_part(body, 0, body.size - 1));
    hub_buffer_append_byte(&wide, 0x80);
    hub_buffer_append_byte(&wide, 0x00);
    return hub_bytes(hub_arena_text(&reading->arena, (const char *)wide.data, wide.size),
                     wide.size);
}

/* Wherever its body came from. */
static void expect_parts(const struct reading *reading) {
    uint32_t parts[HUB_STAMP_FIELDS_MAX + 1];
    const struct hub_opened *opened = &reading->opened;
    const struct hub_type *stamp = reading->readers.domain->schema->root->fields[0].type;
    hub_slice_fields(stamp, hub_bytes_part(opened->body, 0, opened->starts[1]), parts);
    assert_memory_equal(opened->parts, parts, (stamp->count + 1) * sizeof *parts);
}

static void a_canonical_message_is_passed_through_as_it_is(void **state) {
    const struct hub_domain *domain = test_domain("trial");
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    struct hub_bytes message = frame(&reading, domain->schema->id,
                                     test_value(domain->schema->root, trial, &reading.arena));
    expect_ok(open_message(&reading, message), &reading.error);
    assert_ptr_equal(reading.opened.written.data, message.data);
    assert_ptr_equal(reading.opened.body.data, message.data + HUB_FRAME_HEADER_SIZE);
    assert_ptr_equal(reading.opened.writer, domain->schema);
    assert_true(reading.opened.is_verbatim);
    expect_parts(&reading);
    struct hub_stamp stamp =
        hub_statement_stamp(domain, reading.opened.body, reading.opened.starts);
    assert_true(hub_bytes_equal_text(stamp.version, "7"));
    end(&reading);
}

static void another_encoding_of_a_value_is_stored_as_the_canonical_one(void **state) {
    const struct hub_domain *domain = test_domain("trial");
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    struct hub_bytes body = test_value(domain->schema->root, trial, &reading.arena);
    struct hub_bytes canonical = frame(&reading, domain->schema->id, body);
    struct hub_bytes other = frame(&reading, domain->schema->id, padded(&reading, body));
    expect_ok(open_message(&reading, other), &reading.error);
    assert_true(hub_bytes_equal(reading.opened.written, canonical));
    assert_true(hub_bytes_equal(reading.opened.body, body));
    assert_false(reading.opened.is_verbatim);
    expect_parts(&reading);
    end(&reading);
}

static void an_older_schema_is_read_as_the_newest(void **state) {
    struct hub_catalogue *grown = own_catalogue_grown(
        "trial", "{'name': 'blinding', 'type': ['null', 'string'], 'default': null, 'doc': 'How.',"
                 " 'hub:merge': ['latest'], 'hub:conflict': 'ignore'}");
    const struct hub_schema *old = hub_catalogue_version(grown, "trial", 1);
    const struct hub_domain *domain = hub_catalogue_domain(grown, hub_bytes_of_text("trial"));
    struct reading reading;
    (void)state;
    begin(&reading, grown);
    struct hub_bytes message =
        frame(&reading, old->id, test_value(old->root, trial, &reading.arena));
    assert_int_equal(domain->schema->version, test_domain("trial")->schema->version + 1);
    for (int i = 0; i < 2; i++) { /* the second time by the translation that is there */
        expect_ok(open_message(&reading, message), &reading.error);
        assert_ptr_equal(reading.opened.writer, old);
        assert_true(hub_bytes_equal(reading.opened.written, message)); /* stored as written */
        assert_false(reading.opened.is_verbatim);
        expect_parts(&reading);
        assert_true(hub_bytes_equal(
            reading.opened.body, test_value(domain->schema->root, trial, &reading.arena)));
    }
    end(&reading);
    hub_catalogue_free(grown);
}

static void the_first_step_looks_at_the_stamp_alone(void **state) {
    const struct hub_domain *domain = test_domain("trial");
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    struct hub_bytes body = test_value(domain->schema->root, trial, &reading.arena);
    struct hub_bytes cut_off =
        frame(&reading, domain->schema->id, hub_bytes_part(body, 0, body.size - 1));
    expect_ok(hub_readers_begin(&reading.readers, cut_off, &reading.arena, &reading.opened,
                                &reading.error),
              &reading.error);
    assert_true(reading.opened.is_verbatim);
    expect_parts(&reading);
    assert_true(hub_bytes_equal_text(
        hub_statement_stamp_of(domain, hub_bytes_part(body, 0, reading.opened.starts[1]),
                               reading.opened.parts).version, "7"));
    expect_refusal(hub_readers_finish(&reading.readers, &reading.arena, &reading.opened,
                                      &reading.error),
                   HUB_REJECT, &reading.error, "", "cut off");
    end(&reading);
}

static void of_an_older_schema_the_first_step_looks_at_nothing(void **state) {
    struct hub_catalogue *grown = own_catalogue_grown(
        "trial", "{'name': 'blinding', 'type': ['null', 'string'], 'default': null, 'doc': 'How.',"
                 " 'hub:merge': ['latest'], 'hub:conflict': 'ignore'}");
    const struct hub_schema *old = hub_catalogue_version(grown, "trial", 1);
    struct reading reading;
    (void)state;
    begin(&reading, grown);
    struct hub_bytes message =
        frame(&reading, old->id, test_value(old->root, trial, &reading.arena));
    expect_ok(hub_readers_begin(&reading.readers, message, &reading.arena, &reading.opened,
                                &reading.error),
              &reading.error);
    assert_false(reading.opened.is_verbatim);
    end(&reading);
    hub_catalogue_free(grown);
}

static void expect_same(const struct reading *reading, bool statement, bool acronym) {
    const struct hub_opened *opened = &reading->opened;
    const struct hub_type *root = reading->readers.domain->schema->root;
    size_t index = (size_t)hub_type_field(root, "acronym");
    for (size_t i = 0; i < root->count; i++)
        assert_int_equal(opened->same[i], i == 0 ? statement : i == index ? acronym : true);
}

/* Whether it was walked beside what was there before, or written anew. */
static void in_what_a_statement_is_as_before_is_told(void **state) {
    static const char other[] = "{'statement': {'version': '7'}, 'acronym': 'MOON'}";
    static const char later[] = "{'statement': {'version': '8'}, 'acronym': 'STAR'}";
    const struct hub_domain *domain = test_domain("trial");
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    struct hub_bytes body = test_value(domain->schema->root, trial, &reading.arena);
    expect_ok(open_message(&reading, frame(&reading, domain->schema->id, body)), &reading.error);
    assert_null(reading.opened.same);
    assert_true(reading.readers.bounded);
    struct hub_walked before = {reading.opened.body, reading.opened.starts};
    const char *const texts[] = {trial, other, later};
    for (size_t i = 0; i < 3; i++)
        for (int verbatim = 0; verbatim < 2; verbatim++)
            for (int bounded = 0; bounded < 2; bounded++) {
                struct hub_bytes own = test_value(domain->schema->root, texts[i], &reading.arena);
                struct hub_bytes message = frame(&reading, domain->schema->id,
                                                 verbatim ? own : padded(&reading, own));
                reading.readers.bounded = bounded;
                expect_ok(hub_readers_open_since(&reading.readers, message, &reading.arena, &before,
                                                 &reading.opened, &reading.error),
                          &reading.error);
                assert_true(hub_bytes_equal(reading.opened.body, own));
                assert_int_equal(reading.opened.is_verbatim, verbatim);
                expect_parts(&reading);
                expect_same(&reading, texts[i] != later, texts[i] != other);
            }
    end(&reading);
}

static void an_older_statement_is_told_apart_in_the_newest_schema(void **state) {
    struct hub_catalogue *grown = own_catalogue_grown(
        "trial", "{'name': 'blinding', 'type': ['null', 'string'], 'default': null, 'doc': 'How.',"
                 " 'hub:merge': ['latest'], 'hub:conflict': 'ignore'}");
    const struct hub_schema *old = hub_catalogue_version(grown, "trial", 1);
    const struct hub_domain *domain = hub_catalogue_domain(grown, hub_bytes_of_text("trial"));
    struct reading reading;
    (void)state;
    begin(&reading, grown);
    uint32_t *starts = hub_arena_take(&reading.arena, (HUB_FIELDS_MAX + 1) * sizeof *starts);
    struct hub_walked before = {
        test_value(domain->schema->root, "{'statement': {'version': '7'}}", &reading.arena), starts};
    hub_slice_fields(domain->schema->root, before.bytes, starts);
    struct hub_bytes message = frame(&reading, old->id, test_value(old->root, trial, &reading.arena));
    expect_ok(hub_readers_open_since(&reading.readers, message, &reading.arena, &before,
                                     &reading.opened, &reading.error),
              &reading.error);
    expect_same(&reading, /* statement= */ true, /* acronym= */ false);
    end(&reading);
    hub_catalogue_free(grown);
}

/* Opens a trial by a domain of that name whose newest schema is this one. */
static enum hub_status open_as(struct reading *reading, const struct hub_schema *newest) {
    struct hub_domain domain = *test_domain("trial");
    const struct hub_schema *writer = domain.schema;
    domain.schema = newest;
    hub_readers_free(&reading->readers);
    hub_readers_init(&reading->readers, test_catalogue(), &domain);
    return open_message(reading, frame(reading, writer->id,
                                       test_value(writer->root, "{'statement': {'version': '7'}}",
                                                  &reading->arena)));
}

static void what_the_newest_schema_cannot_read_is_refused_with_the_field(void **state) {
    struct hub_schema *strict = schema_new("{'type': 'record', 'name': 'Trial', 'namespace': 'atmp',"
                                           " 'fields': [{'name': 'acronym', 'type': 'string'}]}");
    struct hub_schema *other = schema_new("{'type': 'record', 'name': 'Trial', 'namespace': 'atmp',"
                                          " 'fields': [{'name': 'acronym', 'type': 'long'}]}");
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    expect_refusal(open_as(&reading, other), HUB_FATAL, &reading.error, "acronym", "long");
    expect_refusal(open_as(&reading, strict), HUB_REJECT, &reading.error, "acronym", "null");
    end(&reading);
    hub_schema_free(strict);
    hub_schema_free(other);
}

static void what_is_no_message_of_the_domain_is_refused_with_the_reason(void **state) {
    const struct hub_domain *domain = test_domain("trial");
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    struct hub_bytes body = test_value(domain->schema->root, trial, &reading.arena);
    assert_int_equal(open_message(&reading, hub_bytes("", 0)), HUB_REJECT);
    assert_int_equal(open_message(&reading, hub_bytes("\1\0\0\0\1x", 6)), HUB_REJECT);
    expect_refusal(open_message(&reading, frame(&reading, 99, body)), HUB_REJECT, &reading.error,
                   "schema id 99", "not registered");
    expect_refusal(open_message(&reading, frame(&reading, test_domain("gmp-slot")->schema->id,
                                                body)),
                   HUB_REJECT, &reading.error, "schema id", "a record of 'trial' would pass");
    assert_int_equal(open_message(&reading, frame(&reading, domain->schema->id,
                                                  hub_bytes_part(body, 0, body.size - 1))),
                     HUB_REJECT);
    assert_int_equal(open_message(&reading, frame(&reading, domain->schema->id,
                                                  hub_bytes("\2", 1))),
                     HUB_REJECT);
    end(&reading);
}

static void a_message_over_the_limit_is_refused(void **state) {
    const struct hub_domain *domain = test_domain("trial");
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    char *acronym = hub_arena_take(&reading.arena, limits.size_max + 1);
    memset(acronym, 'x', limits.size_max);
    acronym[limits.size_max] = '\0';
    const char *json = hub_arena_format(
        &reading.arena, "{'statement': {'version': '7'}, 'acronym': '%s'}", acronym);
    struct hub_bytes message = frame(&reading, domain->schema->id,
                                     test_value(domain->schema->root, json, &reading.arena));
    assert_int_equal(open_message(&reading, message), HUB_REJECT);
    end(&reading);
}

static void readers_that_are_freed_twice_are_free(void **state) {
    struct reading reading;
    (void)state;
    begin(&reading, test_catalogue());
    hub_readers_free(&reading.readers);
    end(&reading);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_canonical_message_is_passed_through_as_it_is),
        cmocka_unit_test(another_encoding_of_a_value_is_stored_as_the_canonical_one),
        cmocka_unit_test(an_older_schema_is_read_as_the_newest),
        cmocka_unit_test(the_first_step_looks_at_the_stamp_alone),
        cmocka_unit_test(of_an_older_schema_the_first_step_looks_at_nothing),
        cmocka_unit_test(in_what_a_statement_is_as_before_is_told),
        cmocka_unit_test(an_older_statement_is_told_apart_in_the_newest_schema),
        cmocka_unit_test(what_the_newest_schema_cannot_read_is_refused_with_the_field),
        cmocka_unit_test(what_is_no_message_of_the_domain_is_refused_with_the_reason),
        cmocka_unit_test(a_message_over_the_limit_is_refused),
        cmocka_unit_test(readers_that_are_freed_twice_are_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
