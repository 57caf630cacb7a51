/* refer, facts: what a log refers to in other domains, and what is written about it. */
#include "hub/stages/refer.h"

#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/records.h"

#include <stdlib.h>
#include <string.h>

enum { DOMAINS_MAX = 32 };

static struct hub_refer *refer;
static struct hub_facts *facts[DOMAINS_MAX];
static struct hub_arena arena;

static size_t index_of(const char *domain) {
    return (size_t)(test_domain(domain) - test_catalogue()->domains);
}

static int begin(void **state) {
    (void)state;
    refer = hub_refer_new(test_catalogue(), test_domain("batch"), /* partition= */ 0);
    return 0;
}

static int end(void **state) {
    (void)state;
    hub_refer_free(refer);
    hub_refer_free(NULL);
    for (size_t i = 0; i < DOMAINS_MAX; i++) {
        hub_facts_free(facts[i]);
        facts[i] = NULL;
    }
    hub_arena_destroy(&arena);
    arena = (struct hub_arena){0};
    return 0;
}

static struct hub_bytes message_of(const struct hub_schema *schema, const char *json) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, test_value(schema->root, json, &arena));
    return hub_bytes(hub_arena_text(&arena, (const char *)message.data, message.size),
                     message.size);
}

static enum hub_status entry(const char *key, struct hub_bytes value, struct hub_error *error) {
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = value,
                              .offset = 3};
    return hub_refer_entry(refer, &input, error);
}

/* A statement about a batch that links to a trial. */
static void link_to(const char *key, const char *number) {
    struct hub_error error;
    const char *json = hub_arena_format(
        &arena, "{'statement': {'version': '1'}, 'links': [{'domain': 'trial', 'role': 'trial',"
        " 'identifier': {'scheme': 'nct', 'value': '%s', 'relation': 'SELF'}}]}", number);
    assert_int_equal(entry(key, message_of(test_domain("batch")->schema, json), &error), HUB_OK);
}

static size_t changes;
static void on_changed(void *context, const char *identifier) {
    changes++;
    hub_refer_touch(refer, *(const size_t *)context, identifier);
}

/* A unified trial: its numbers "NCT1 NCT2", or none for one that is withdrawn. */
static void publish(const char *id, const char *numbers, const char *status) {
    size_t domain = index_of("trial");
    HUB_SCOPED_BUFFER identifiers = {0};
    struct hub_error error;
    char *copy = hub_arena_text(&arena, numbers, strlen(numbers)), *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        hub_buffer_append_format(&identifiers, "%s{'scheme': 'nct', 'value': '%s',"
                                 " 'relation': '%s'}",
                                 identifiers.size == 0 ? "" : ", ", word + (*word == '?'),
                                 *word == '?' ? "UNVERIFIED" : "SELF");
    const char *value = hub_arena_format(
        &arena, "{'statement': {'version': ''}, 'identifiers': [%s], 'status': %s}",
        hub_buffer_text(&identifiers), status);
    const char *json = hub_arena_format(
        &arena, "{'entity_id': '%s', 'kind': '%s', 'founder': 'ctgov/1', 'founded_offset': 0,"
        " 'revision': 1, 'rules': '', 'core': 1, 'sources': {}, 'value': %s}",
        id, *numbers == '\0' ? "WITHDRAWN" : "ACTIVE", *numbers == '\0' ? "null" : value);
    if (facts[domain] == NULL)
        facts[domain] = hub_facts_new(test_catalogue(), test_domain("trial"));
    assert_int_equal(hub_facts_take(facts[domain],
                                    message_of(test_domain("trial")->unified, json), on_changed,
                                    &domain, &error),
                     HUB_OK);
}

/* What a flush writes: "key entities states; ...". */
static const char *flush(void) {
    struct hub_outputs outputs = {.arena = &arena};
    const char *told = "";
    hub_refer_flush(refer, facts, &outputs);
    for (size_t i = 0; i < outputs.count; i++) {
        json_t *fact = test_render(outputs.items[i].value);
        char *entities = json_dumps(json_object_get(fact, "entities"), JSON_COMPACT);
        char *states = json_dumps(json_object_get(fact, "states"), JSON_COMPACT);
        assert_int_equal(outputs.items[i].kind, HUB_OUTPUT_LOG);
        told = hub_arena_format(&arena, "%s%s%.*s %s %s", told, i == 0 ? "" : "; ",
                                (int)outputs.items[i].key.size,
                                (const char *)outputs.items[i].key.data, entities, states);
        free(entities);
        free(states);
        json_decref(fact);
    }
    return told;
}

static void expect(const char *wanted) {
    char text[512];
    size_t size = 0;
    for (; *wanted != '\0' && size + 1 < sizeof text; wanted++)
        text[size++] = *wanted == '\'' ? '"' : *wanted;
    text[size] = '\0';
    assert_string_equal(flush(), text);
}

#define WITHDRAWN "[{'field':'status','value':'WITHDRAWN'}]"
#define HALTED "[{'field':'status','value':'HALTED'}]"

static void nothing_is_said_before_the_other_domain_is_followed(void **state) {
    (void)state;
    assert_false(hub_refer_is_due(refer));
    assert_false(hub_refer_wants(refer, index_of("trial")));
    link_to("lumc/lumc-batches/1", "NCT1");
    assert_true(hub_refer_is_due(refer));
    assert_true(hub_refer_wants(refer, index_of("trial")));
    assert_false(hub_refer_wants(refer, index_of("material")));
    expect("");
    assert_true(hub_refer_is_due(refer));
    facts[index_of("trial")] = hub_facts_new(test_catalogue(), test_domain("trial"));
    expect("ref/trial/nct:NCT1 [] []");
    assert_false(hub_refer_is_due(refer));
}

static void a_fact_is_written_wherever_it_is_not_the_one_before(void **state) {
    (void)state;
    link_to("lumc/lumc-batches/1", "NCT1");
    publish("trial-b", "NCT1 NCT1 ?NCT3", "'HALTED'");
    expect("ref/trial/nct:NCT1 ['trial-b'] " HALTED);
    publish("trial-b", "NCT1", "'HALTED'");
    expect("");
    publish("trial-a", "NCT1 NCT2", "'WITHDRAWN'");
    expect("ref/trial/nct:NCT1 ['trial-a','trial-b'] "
           "[{'field':'status','value':'HALTED'},{'field':'status','value':'WITHDRAWN'}]");
    publish("trial-c", "NCT1", "'HALTED'"); /* each state once */
    publish("trial-c", "NCT2", "null");
    publish("trial-b", "NCT2", "'HALTED'");
    expect("ref/trial/nct:NCT1 ['trial-a'] " WITHDRAWN);
    publish("trial-a", "", "null");
    expect("ref/trial/nct:NCT1 [] []");
    publish("trial-d", "NCT1", "null");
    expect("ref/trial/nct:NCT1 ['trial-d'] []");
    assert_int_equal(hub_refer_counts(refer)->facts, 5);
    assert_int_equal(hub_refer_counts(refer)->read, 1);
}

static void each_state_is_told_once(void **state) {
    (void)state;
    link_to("lumc/lumc-batches/1", "NCT1");
    publish("trial-a", "NCT1", "'HALTED'");
    publish("trial-b", "NCT1", "'HALTED'");
    expect("ref/trial/nct:NCT1 ['trial-a','trial-b'] " HALTED);
}

static void what_stands_in_the_log_is_not_written_again(void **state) {
    struct hub_error error;
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_input input = {.has_key = true, .has_value = true};
    (void)state;
    link_to("lumc/lumc-batches/1", "NCT1");
    publish("trial-a", "NCT1", "'HALTED'");
    hub_refer_flush(refer, facts, &outputs);
    input.key = outputs.items[0].key;
    input.value = outputs.items[0].value;
    hub_refer_free(refer);
    refer = hub_refer_new(test_catalogue(), test_domain("batch"), /* partition= */ 0);
    assert_int_equal(hub_refer_load(refer, &input, &error), HUB_OK);
    assert_int_equal(hub_refer_counts(refer)->read, 0);
    assert_true(hub_refer_wants(refer, index_of("trial"))); /* it is followed for good */
    expect("");
    publish("trial-a", "NCT1", "'WITHDRAWN'");
    expect("ref/trial/nct:NCT1 ['trial-a'] " WITHDRAWN);
}

/* Of what refer wrote, the entries come by after it has been loaded to the end. */
static void a_fact_that_comes_by_is_not_taken_for_the_last(void **state) {
    struct hub_error error;
    struct hub_outputs outputs = {.arena = &arena};
    (void)state;
    link_to("lumc/lumc-batches/1", "NCT1");
    publish("trial-a", "NCT1", "'HALTED'");
    hub_refer_flush(refer, facts, &outputs);
    publish("trial-a", "NCT1", "'WITHDRAWN'");
    expect("ref/trial/nct:NCT1 ['trial-a'] " WITHDRAWN);
    assert_int_equal(entry("ref/trial/nct:NCT1", outputs.items[0].value, &error), HUB_OK);
    publish("trial-a", "NCT1", "'WITHDRAWN'");
    expect("");
    publish("trial-a", "NCT1", "'HALTED'");
    expect("ref/trial/nct:NCT1 ['trial-a'] " HALTED);
}

static void facts_of_domains_that_are_no_more_are_passed_by(void **state) {
    struct hub_error error;
    (void)state;
    static const char *const keys[] = {"ref/nodomain", "ref/nowhere/nct:1"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct hub_input input = {.has_key = true, .key = hub_bytes_of_text(keys[i])};
        assert_int_equal(hub_refer_load(refer, &input, &error), HUB_OK);
    }
    assert_false(hub_refer_is_due(refer));
}

static void entries_that_are_no_statements_refer_to_nothing(void **state) {
    struct hub_error error;
    (void)state;
    static const char *const keys[] = {"late/lumc/lumc-batches/1", "decision/1", "rules", "tick",
                                       "ref/nodomain", "ref/nowhere/nct:1", "r"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct hub_input input = {.has_key = true, .key = hub_bytes_of_text(keys[i])};
        assert_int_equal(hub_refer_load(refer, &input, &error), HUB_OK);
        assert_int_equal(entry(keys[i], hub_bytes_of_text("x"), &error), HUB_OK);
    }
    assert_false(hub_refer_is_due(refer));
    assert_int_equal(hub_refer_counts(refer)->read, 7);
    assert_int_equal(entry("lumc/lumc-batches/1", hub_bytes_of_text("x"), &error), HUB_FATAL);
    assert_non_null(strstr(error.text, "log.batch/0@3: damaged"));
}

static void an_issuer_is_part_of_what_is_referred_to(void **state) {
    struct hub_error error;
    static const char json[] =
        "{'statement': {'version': '1'}, 'links': [{'domain': 'trial', 'role': 'trial',"
        " 'identifier': {'scheme': 'lot', 'issuer': 'ror:1', 'value': 'L1', 'relation': 'SELF'}}]}";
    (void)state;
    assert_int_equal(entry("lumc/lumc-batches/1", message_of(test_domain("batch")->schema, json),
                           &error),
                     HUB_OK);
    facts[index_of("trial")] = hub_facts_new(test_catalogue(), test_domain("trial"));
    expect("ref/trial/lot:ror:1:L1 [] []");
}

/* --- rules that the project's domains do not use --- */

/* The project's catalogue, in which batches refer to trials by these rules alone. */
static void rule(struct hub_catalogue *catalogue, const struct hub_reference *references,
                 size_t count) {
    struct hub_domain *domains =
        hub_arena_take(&arena, catalogue->domain_count * sizeof *domains);
    memcpy(domains, catalogue->domains, catalogue->domain_count * sizeof *domains);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        domains[i].reference_count = 0;
    domains[index_of("batch")].references = references;
    domains[index_of("batch")].reference_count = count;
    catalogue->domains = domains;
}

static void of_each_field_that_a_rule_asks_for_the_state_is_told(void **state) {
    static const char *const refused[] = {NULL};
    static const struct hub_reference references[] = {
        {.domain = "trial", .field = "status", .refused = refused},
        {.domain = "trial"}, /* it only has to be known */
        {.domain = "trial", .field = "enrolment.type", .refused = refused},
        {.domain = "material", .field = "status", .refused = refused}};
    struct hub_catalogue catalogue = *test_catalogue();
    struct hub_error error;
    size_t domain = index_of("trial");
    (void)state;
    rule(&catalogue, references, 4);
    link_to("lumc/lumc-batches/1", "NCT1");
    facts[domain] = hub_facts_new(&catalogue, &catalogue.domains[domain]);
    static const char trial[] =
        "{'entity_id': 'trial-a', 'kind': 'ACTIVE', 'founder': 'ctgov/1', 'founded_offset': 0,"
        " 'revision': 1, 'rules': '', 'core': 1, 'sources': {}, 'value': {'statement':"
        " {'version': ''}, 'identifiers': [{'scheme': 'nct', 'value': 'NCT1', 'relation': 'SELF'}],"
        " 'status': 'HALTED', 'enrolment': {'count': 3, 'type': 'ACTUAL'}}}";
    assert_int_equal(hub_facts_take(facts[domain],
                                    message_of(test_domain("trial")->unified, trial), on_changed,
                                    &domain, &error),
                     HUB_OK);
    expect("ref/trial/nct:NCT1 ['trial-a'] [{'field':'enrolment.type','value':'ACTUAL'},"
           "{'field':'status','value':'HALTED'}]");
}

static void what_nobody_refers_to_touches_nothing(void **state) {
    (void)state;
    changes = 0;
    publish("trial-a", "NCT7", "'HALTED'");
    assert_int_equal(changes, 1);
    assert_false(hub_refer_is_due(refer));
    link_to("lumc/lumc-batches/1", "NCT7");
    link_to("lumc/lumc-batches/2", "NCT7");
    publish("trial-a", "NCT7", "'HALTED'");
    expect("ref/trial/nct:NCT7 ['trial-a'] " HALTED);
}

static void a_unified_record_that_is_none_is_refused(void **state) {
    struct hub_error error;
    size_t domain = index_of("trial");
    (void)state;
    facts[domain] = hub_facts_new(test_catalogue(), test_domain("trial"));
    assert_int_not_equal(hub_facts_take(facts[domain], hub_bytes_of_text("x"), on_changed, &domain,
                                        &error),
                         HUB_OK);
}

static void counts_go_on_where_they_were(void **state) {
    struct hub_refer_counts counts = {.read = 5, .facts = 2};
    (void)state;
    hub_refer_set_counts(refer, &counts);
    link_to("lumc/lumc-batches/1", "NCT1");
    assert_int_equal(hub_refer_counts(refer)->read, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            nothing_is_said_before_the_other_domain_is_followed, begin, end),
        cmocka_unit_test_setup_teardown(
            a_fact_is_written_wherever_it_is_not_the_one_before, begin, end),
        cmocka_unit_test_setup_teardown(each_state_is_told_once, begin, end),
        cmocka_unit_test_setup_teardown(
            a_fact_that_comes_by_is_not_taken_for_the_last, begin, end),
        cmocka_unit_test_setup_teardown(
            facts_of_domains_that_are_no_more_are_passed_by, begin, end),
        cmocka_unit_test_setup_teardown(what_stands_in_the_log_is_not_written_again, begin, end),
        cmocka_unit_test_setup_teardown(
            entries_that_are_no_statements_refer_to_nothing, begin, end),
        cmocka_unit_test_setup_teardown(an_issuer_is_part_of_what_is_referred_to, begin, end),
        cmocka_unit_test_setup_teardown(
            of_each_field_that_a_rule_asks_for_the_state_is_told, begin, end),
        cmocka_unit_test_setup_teardown(what_nobody_refers_to_touches_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_unified_record_that_is_none_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(counts_go_on_where_they_were, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
