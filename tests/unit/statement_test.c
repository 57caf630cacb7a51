/* statement: reading the stamp, what a record says beside it, and taking it back. */
#include "schemas/lib/statement.h"

#include "hub/io/crypto.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/walk.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/contract.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"

#include <string.h>

static struct contract contract;
static struct hub_arena arena;

static int begin(void **state) {
    (void)state;
    contract_open(&contract, CONTRACT_ANNOTATIONS,
                  CONTRACT_FIELD("note", "['null', 'string']",
                                 CONTRACT_RULES
                                 ", 'hub:volatile': true") ", " CONTRACT_FIELD("size",
                                                                               "['null', 'int']",
                                                                               CONTRACT_RULES));
    return 0;
}

static int end(void **state) {
    (void)state;
    contract_close(&contract);
    hub_arena_destroy(&arena);
    return 0;
}

struct record {
    struct hub_bytes body;
    uint32_t starts[8];
};

/* A record with this stamp, and what else it says. */
static struct record record(const char *stamp, const char *rest) {
    struct record made = {
        .body = test_value(contract.schema->root,
                           hub_arena_format(&arena,
                                            "{'statement': {%s}, 'identifiers': [], 'links': []%s}",
                                            stamp, rest),
                           &arena)};
    hub_slice_fields(contract.schema->root, made.body, made.starts);
    return made;
}

static struct hub_bytes content(const struct record *of) {
    struct hub_buffer buffer = {0};
    hub_statement_content(&contract.domain, of->body, of->starts, &buffer);
    char *copy = hub_arena_text(&arena, (const char *)buffer.data, buffer.size);
    struct hub_bytes bytes = hub_bytes(copy, buffer.size);
    hub_buffer_free(&buffer);
    return bytes;
}

/* As the bytes of the content tell. */
static void expect_says_the_same(const struct record *a, const struct record *b, bool wanted) {
    bool same[HUB_FIELDS_MAX];
    for (size_t i = 0; i < contract.domain.contract.count; i++)
        same[i] = hub_bytes_equal(hub_statement_field(a->body, a->starts, i),
                                  hub_statement_field(b->body, b->starts, i));
    assert_int_equal(hub_statement_says_the_same(&contract.domain, same,
                                                 hub_statement_field(a->body, a->starts, 0),
                                                 hub_statement_field(b->body, b->starts, 0)),
                     wanted);
    assert_int_equal(hub_bytes_equal(content(a), content(b)), wanted);
}

#define STAMP(version, time, word, reason)                                                         \
    "'version': '" version "', 'event_time': " time ", 'state': '" word "', 'reason': " reason
#define USUAL STAMP("7", "{'time': 1000}", "CURRENT", "null")
#define SAYS ", 'note': 'n', 'size': 3"

static void the_stamp_is_read(void **state) {
    (void)state;
    struct record made = record(USUAL, SAYS);
    struct hub_stamp stamp = hub_statement_stamp(&contract.domain, made.body, made.starts);
    assert_true(hub_bytes_equal_text(stamp.version, "7"));
    assert_true(stamp.has_event_time);
    assert_int_equal(stamp.event_time_ms, 1000);
    assert_false(stamp.withdrawn);
}

static void a_stamp_may_have_no_time_and_be_withdrawn(void **state) {
    (void)state;
    struct record made = record(STAMP("", "null", "WITHDRAWN", "'why'"), SAYS);
    struct hub_stamp stamp = hub_statement_stamp(&contract.domain, made.body, made.starts);
    assert_int_equal(stamp.version.size, 0);
    assert_false(stamp.has_event_time);
    assert_true(stamp.withdrawn);
    made = record(STAMP("1", "null", "UNRECOGNISED", "null"), SAYS);
    assert_false(hub_statement_stamp(&contract.domain, made.body, made.starts).withdrawn);
}

static void neither_version_nor_what_is_volatile_is_content(void **state) {
    (void)state;
    struct record one = record(USUAL, SAYS);
    struct record version = record(STAMP("8", "{'time': 1000}", "CURRENT", "null"), SAYS);
    struct record note = record(USUAL, ", 'note': 'other', 'size': 3");
    expect_says_the_same(&one, &version, true);
    expect_says_the_same(&one, &note, true);
    expect_says_the_same(&one, &one, true);
}

static void everything_else_is_content(void **state) {
    (void)state;
    struct record one = record(USUAL, SAYS);
    struct record others[] = {record(STAMP("7", "{'time': 1001}", "CURRENT", "null"), SAYS),
                              record(STAMP("7", "null", "CURRENT", "null"), SAYS),
                              record(STAMP("7", "{'time': 1000}", "WITHDRAWN", "null"), SAYS),
                              record(STAMP("7", "{'time': 1000}", "CURRENT", "'why'"), SAYS),
                              record(USUAL, ", 'note': 'n', 'size': 4"),
                              record(USUAL, ", 'note': 'n', 'size': null")};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_says_the_same(&one, &others[i], false);
}

static void what_a_connector_added_to_a_version_is_taken_off(void **state) {
    (void)state;
    static const struct {
        const char *version, *own;
    } cases[] = {{"2026-03-01~7", "2026-03-01"},
                 {"7", "7"},
                 {"", ""},
                 {"~1", ""},
                 {"a~b~2", "a~b"},
                 {"7~", "7"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(hub_bytes_equal_text(hub_version_of_source(hub_bytes_of_text(cases[i].version)),
                                         cases[i].own));
}

static const json_t *taken_back(const struct record *made, struct hub_bytes version,
                                json_t **kept) {
    struct hub_buffer buffer = {0}, shown = {0};
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    hub_statement_append_withdrawn(&contract.domain, made->body, made->starts, version, "gone",
                                   &buffer);
    expect_ok(hub_walk(contract.schema->root, hub_buffer_bytes(&buffer), &limits, &walk, &error),
              &error);
    assert_true(walk.canonical);
    hub_render_json(contract.schema->root, hub_buffer_bytes(&buffer), &shown);
    *kept = json_loads(hub_buffer_text(&shown), 0, NULL);
    hub_buffer_free(&buffer);
    hub_buffer_free(&shown);
    return *kept;
}

static void a_record_is_taken_back_with_all_that_it_said(void **state) {
    (void)state;
    struct record made = record(USUAL, SAYS);
    json_t *kept = NULL;
    const json_t *back = taken_back(&made, hub_bytes_of_text("8"), &kept);
    expect_json(back, "statement.version", "'8'");
    expect_json(back, "statement.state", "'WITHDRAWN'");
    expect_json(back, "statement.reason", "'gone'");
    expect_json(back, "statement.event_time.time", "1000");
    expect_json(back, "note", "'n'");
    expect_json(back, "size", "3");
    json_decref(kept);
}

static void without_a_new_version_the_old_one_is_kept(void **state) {
    (void)state;
    struct record made = record(USUAL, SAYS);
    json_t *kept = NULL;
    expect_json(taken_back(&made, hub_bytes(NULL, 0), &kept), "statement.version", "'7'");
    json_decref(kept);
}

static void every_domain_of_the_project_is_read(void **state) {
    (void)state;
    static const char *const names[] = {"trial", "exchange", "gmp-slot"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct hub_domain *domain = test_domain(names[i]);
        const struct hub_stamp_fields *stamp = &domain->stamp;
        const struct hub_type *type = domain->schema->root->fields[HUB_FIELD_STATEMENT].type;
        assert_string_equal(type->fields[stamp->version].name, "version");
        assert_string_equal(type->fields[stamp->event_time].name, "event_time");
        assert_string_equal(type->fields[stamp->state].type->symbols[stamp->withdrawn_symbol],
                            "WITHDRAWN");
    }
}

static void of_two_statements_version_then_time_then_digest_decides(void **state) {
    static const struct {
        const char *a_version, *b_version;
        int64_t a_time, b_time; /* 0: none */
        uint8_t a_digest, b_digest;
        int wanted;
    } cases[] = {
        {"10", "9", 1, 2, 1, 2, 1}, {"1", "1", 2, 1, 1, 2, 1},  {"1", "1", 1, 2, 2, 1, -1},
        {"1", "1", 1, 0, 1, 2, 1},  {"1", "1", 0, 0, 1, 2, -1}, {"1", "1", 1, 1, 2, 1, 1},
        {"1", "1", 1, 1, 1, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hub_stamp a = {.version = hub_bytes_of_text(cases[i].a_version),
                                    .has_event_time = cases[i].a_time != 0,
                                    .event_time_ms = cases[i].a_time};
        const struct hub_stamp b = {.version = hub_bytes_of_text(cases[i].b_version),
                                    .has_event_time = cases[i].b_time != 0,
                                    .event_time_ms = cases[i].b_time};
        const struct hub_digest x = {{cases[i].a_digest}}, y = {{cases[i].b_digest}};
        int there = hub_statement_compare(&a, &x, &b, &y);
        int back = hub_statement_compare(&b, &y, &a, &x);
        assert_int_equal((there > 0) - (there < 0), cases[i].wanted);
        assert_int_equal((back > 0) - (back < 0), -cases[i].wanted);
    }
}

static void the_sources_version_is_said_where_several_carry_it(void **state) {
    static const struct hub_system one = {.carrier_count = 1}, several = {.carrier_count = 2};
    struct record a = record(STAMP("1~1", "null", "CURRENT", "null"), SAYS);
    struct record same = record(STAMP("1~2", "null", "CURRENT", "null"), SAYS);
    struct record other = record(STAMP("2~1", "null", "CURRENT", "null"), SAYS);
    (void)state;
#define DIGEST(record, system)                                                                     \
    hub_statement_digest(&contract.domain, &(system), &hub_sha256, (record).body, (record).starts)
    const struct hub_digest digests[] = {DIGEST(a, one), DIGEST(other, one), DIGEST(a, several),
                                         DIGEST(same, several), DIGEST(other, several)};
#undef DIGEST
    assert_memory_equal(&digests[0], &digests[1], HUB_DIGEST_SIZE);
    assert_memory_equal(&digests[2], &digests[3], HUB_DIGEST_SIZE);
    assert_memory_not_equal(&digests[2], &digests[4], HUB_DIGEST_SIZE);
}

/* What is looked at of a repeat is its stamp, and where that ends. */
static void the_digest_of_stamp_and_rest_is_that_of_the_record(void **state) {
    static const struct hub_system systems[] = {{.carrier_count = 1}, {.carrier_count = 2}};
    static const char *const texts[] = {
        "{'statement': {'version': '7~3'}}",
        "{'statement': {'version': '7', 'state': 'WITHDRAWN', 'reason': 'gone', 'document': 'a'},"
        " 'acronym': 'STAR'}",
        "{'statement': {'version': '8', 'event_time': {'time': '2026-03-01T00:00:00'}}}"};
    const struct hub_domain *domain = test_domain("trial");
    (void)state;
    assert_true(hub_statement_rest_is_said(domain));
    assert_false(hub_statement_rest_is_said(&contract.domain)); /* its note is volatile */
    for (size_t i = 0; i < 2 * sizeof texts / sizeof *texts; i++) {
        uint32_t starts[HUB_FIELDS_MAX + 1], parts[HUB_STAMP_FIELDS_MAX + 1];
        const struct hub_system *system = &systems[i % 2];
        struct hub_bytes body = test_value(domain->schema->root, texts[i / 2], &arena);
        hub_slice_fields(domain->schema->root, body, starts);
        hub_slice_fields(domain->schema->root->fields[HUB_FIELD_STATEMENT].type,
                         hub_bytes_part(body, 0, starts[1]), parts);
        struct hub_digest found = hub_statement_digest_of_rest(domain, system, &hub_sha256, body,
                                                               starts[1], parts, &arena);
        struct hub_digest wanted =
            hub_statement_digest(domain, system, &hub_sha256, body, starts);
        assert_memory_equal(&found, &wanted, HUB_DIGEST_SIZE);
    }
}

int main(void) {
    struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stamp_is_read),
        cmocka_unit_test(a_stamp_may_have_no_time_and_be_withdrawn),
        cmocka_unit_test(neither_version_nor_what_is_volatile_is_content),
        cmocka_unit_test(everything_else_is_content),
        cmocka_unit_test(what_a_connector_added_to_a_version_is_taken_off),
        cmocka_unit_test(a_record_is_taken_back_with_all_that_it_said),
        cmocka_unit_test(without_a_new_version_the_old_one_is_kept),
        cmocka_unit_test(every_domain_of_the_project_is_read),
        cmocka_unit_test(of_two_statements_version_then_time_then_digest_decides),
        cmocka_unit_test(the_sources_version_is_said_where_several_carry_it),
        cmocka_unit_test(the_digest_of_stamp_and_rest_is_that_of_the_record),
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].setup_func = begin;
        tests[i].teardown_func = end;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
