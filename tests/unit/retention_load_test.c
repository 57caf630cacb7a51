/* retention_load: how long what is kept for, from which date; and a file that says it wrongly. */
#include "hub/ctl/retention.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"
#include "tests/lib/records.h"

#include "hub/ctl/when.h"

#include <string.h>

struct loaded {
    struct hub_arena arena;
    struct hub_retention retention;
    struct hub_error error;
};

static enum hub_status load(struct loaded *loaded, const char *text) {
    struct hub_node *node = schema_node(&loaded->arena, text);
    return hub_retention_load(node, test_catalogue(), &loaded->arena, &loaded->retention, &loaded->error);
}

static void begin(struct loaded *loaded) {
    *loaded = (struct loaded){0};
    expect_ok(load(loaded, schema_read(&loaded->arena, "retention.json")), &loaded->error);
}

static const struct hub_retention_clock *clock_of(const struct loaded *loaded, const char *domain) {
    const struct hub_catalogue *catalogue = test_catalogue();
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (strcmp(catalogue->domains[i].name, domain) == 0)
            return &loaded->retention.clocks[i];
    fail_msg("there is no domain %s", domain);
    return NULL;
}

static void expect_from(const struct loaded *loaded, const char *domain, const char *value,
                        const char *wanted) {
    struct hub_arena arena = {0};
    json_t *parsed = json_loads(schema_quoted(&arena, value), 0, NULL);
    int64_t from_ms = 0, wanted_ms = 0;
    assert_non_null(parsed);
    bool found = hub_retention_from(clock_of(loaded, domain), parsed, &from_ms);
    if (wanted == NULL) {
        assert_false(found);
    } else {
        assert_true(found && hub_ctl_when(wanted, &wanted_ms));
        assert_int_equal(from_ms, wanted_ms);
    }
    json_decref(parsed);
    hub_arena_destroy(&arena);
}

#define DATE(value, precision) "{'value': '" value "', 'precision': '" precision "'}"

static void the_time_begins_after_the_latest_date_that_is_stated(void **state) {
    struct loaded loaded;
    (void)state;
    begin(&loaded);
    expect_from(&loaded, "batch", "{'expiry': " DATE("2031-01-31", "DAY") "}", "2031-02-01");
    expect_from(&loaded, "batch", "{'expiry': " DATE("2031-12-01", "MONTH") "}", "2032-01-01");
    expect_from(&loaded, "batch", "{'expiry': " DATE("2031-01-01", "YEAR") "}", "2032-01-01");
    expect_from(&loaded, "batch", "{'expiry': " DATE("2031-01-01", "UNRECOGNISED") "}", "2032-01-01");
    expect_from(&loaded, "exchange",
                "{'actual': {'from': null, 'to': " DATE("2026-03-31", "DAY") "},"
                " 'planned': {'from': null, 'to': " DATE("2026-06-30", "DAY") "}, 'requested': null}",
                "2026-07-01");
    expect_from(&loaded, "project",
                "{'bookings': [{'interval': null},"
                " {'interval': {'end': {'time': '2026-05-04T10:30:00.000Z'}}},"
                " {'interval': {'end': {'time': '2026-05-03T10:30:00.000Z'}}}]}",
                "2026-05-04T10:30:00Z");
    hub_arena_destroy(&loaded.arena);
}

static void what_states_no_date_has_no_beginning(void **state) {
    struct loaded loaded;
    (void)state;
    begin(&loaded);
    expect_from(&loaded, "batch", "{'expiry': null}", NULL);
    expect_from(&loaded, "batch", "{}", NULL);
    expect_from(&loaded, "batch", "{'expiry': []}", NULL);
    expect_from(&loaded, "exchange", "{'actual': {'from': " DATE("2026-03-31", "DAY") ", 'to': null}}", NULL);
    expect_from(&loaded, "project", "{'bookings': []}", NULL);
    expect_from(&loaded, "gmp-slot", "{'interval': {'end': {'time': '2026-05-04T10:30:00.000Z'}}}", NULL);
    hub_arena_destroy(&loaded.arena);
}

static void expect_end(const struct loaded *loaded, char letter, const char *from, const char *wanted) {
    const struct hub_retention_class *kept = hub_retention_class(&loaded->retention, letter);
    int64_t from_ms = 0, wanted_ms = HUB_RETENTION_NEVER;
    assert_true(hub_ctl_when(from, &from_ms));
    assert_true(wanted == NULL || hub_ctl_when(wanted, &wanted_ms));
    assert_int_equal(hub_retention_end(kept, from_ms), wanted_ms);
}

static void each_class_is_kept_as_long_as_its_law_says(void **state) {
    struct loaded loaded;
    (void)state;
    begin(&loaded);
    expect_end(&loaded, 'T', "2031-02-01", "2061-02-01");
    expect_end(&loaded, 'T', "2024-02-29", "2054-03-01"); /* no day too early */
    expect_end(&loaded, 'C', "2026-07-01", "2046-07-01");
    expect_end(&loaded, 'O', "2026-07-01", "2026-09-29");
    expect_end(&loaded, 'X', "2026-07-01", NULL);
    hub_arena_destroy(&loaded.arena);
}

static void of_all_fields_that_is_kept_longest_counts(void **state) {
    struct hub_domain domain = *test_domain("exchange");
    size_t size = domain.contract.count * sizeof *domain.contract.fields;
    struct hub_field_contract *fields = hub_copy_bytes(domain.contract.fields, size);
    (void)state;
    domain.contract.fields = fields;
    assert_int_equal(hub_retention_of_domain(&domain), 'O');
    fields[1].retention = 'C';
    assert_int_equal(hub_retention_of_domain(&domain), 'C');
    assert_int_equal(hub_retention_of_field(&domain, 1), 'C');
    assert_int_equal(hub_retention_of_field(&domain, 2), 'O');
    fields[2].retention = 'T';
    assert_int_equal(hub_retention_of_domain(&domain), 'T');
    fields[3].retention = 'X';
    assert_int_equal(hub_retention_of_domain(&domain), 'X');
    hub_release(fields);
}

static void a_file_that_says_it_wrongly_is_refused_with_the_place(void **state) {
    static const struct {
        const char *from, *to, *words;
    } cases[] = {
        {"'years': 30", "'years': 0", "'years' must be a number from 1 to 200"},
        {"'years': 30", "'years': '30'", "'years' must be a number from 1 to 200"},
        {"'years': 30", "'months': 3", "'months'"},
        {"'years': 30", "'years': 30, 'days': 1", "years or days, not both"},
        {"'days': 90", "'days': 36526", "'days' must be a number from 1 to 36525"},
        {"'X': {", "'Y': {", "'Y'"},
        {"'because': 'nothing in it is about a person'", "", "'because' is missing"},
        {"'batch': ['expiry']", "'batch': 'expiry'", "a list of fields would pass"},
        {"'batch': ['expiry']", "'batch': [['expiry']]", "the name of a field would pass"},
        {"'batch': ['expiry']", "'batch': ['expires']", "'expires' names no field of domain batch"},
        {"'batch': ['expiry']", "'batch': ['expiry.value']", "'expiry.value' is no date and no time"},
        {"'batch': ['expiry']", "'batch': ['lot.x']", "'lot.x' names no field of domain batch"},
        {"'batch': ['expiry']", "'batch': ['']", "'' names no field of domain batch"},
        {"'batch': ['expiry']", "'batches': []", "'batches'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loaded loaded = {0};
        struct hub_arena *arena = &loaded.arena;
        const char *text = schema_edited(arena, schema_read(arena, "retention.json"),
                                         schema_quoted(arena, cases[i].from),
                                         schema_quoted(arena, cases[i].to));
        expect_refusal(load(&loaded, text), HUB_FATAL, &loaded.error, "own.json:", cases[i].words);
        hub_arena_destroy(arena);
    }
}

static void parts_that_are_missing_are_named(void **state) {
    struct loaded loaded = {0};
    (void)state;
    expect_refusal(load(&loaded, "{}"), HUB_FATAL, &loaded.error, "own.json:1:1", "'classes' is missing");
    expect_refusal(load(&loaded, "{'classes': {}}"), HUB_FATAL, &loaded.error, "own.json:1:",
                   "class 'X' is missing");
    expect_refusal(load(&loaded, "[]"), HUB_FATAL, &loaded.error, "own.json:1:1", "");
    hub_arena_destroy(&loaded.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_begins_after_the_latest_date_that_is_stated),
        cmocka_unit_test(what_states_no_date_has_no_beginning),
        cmocka_unit_test(each_class_is_kept_as_long_as_its_law_says),
        cmocka_unit_test(of_all_fields_that_is_kept_longest_counts),
        cmocka_unit_test(a_file_that_says_it_wrongly_is_refused_with_the_place),
        cmocka_unit_test(parts_that_are_missing_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
