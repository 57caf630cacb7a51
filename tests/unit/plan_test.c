/* plan: which events have which numbers, and what a position says of them. */
#include "connectors/kit/plan.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

static void assert_written(const struct hub_plan *plan, const char *json) {
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER text = {0};
    hub_plan_write(plan, &text);
    assert_string_equal(hub_buffer_text(&text), schema_quoted(&arena, json));
    hub_arena_destroy(&arena);
}

static struct hub_plan plan_of(const char *json) {
    struct hub_arena arena = {0};
    struct hub_plan plan;
    struct hub_error error;
    expect_ok(hub_plan_read(json == NULL ? NULL : schema_quoted(&arena, json), &plan, &error),
              &error);
    hub_arena_destroy(&arena);
    return plan;
}

static void a_subscription_begins_with_number_1(void **state) {
    (void)state;
    struct hub_plan plan = plan_of(NULL);
    assert_int_equal(plan.next, 1);
    assert_written(&plan, "{'ended':null,'next':1,'planned':null,'read':{},'since_ms':0}");
    hub_plan_free(&plan);
}

static void numbers_are_given_to_records_in_their_order_and_never_twice(void **state) {
    (void)state;
    struct hub_plan plan = plan_of(NULL);
    struct hub_error error;
    expect_ok(hub_plan_add(&plan, "unified.trial", 0, 12, &error), &error);
    expect_ok(hub_plan_add(&plan, "unified.trial", 1, -1, &error), &error);
    expect_ok(hub_plan_add(&plan, "unified.batch", 0, 3, &error), &error);
    hub_plan_take(&plan, hub_plan_find(&plan, "unified.trial", 1), 5);
    hub_plan_take(&plan, hub_plan_find(&plan, "unified.trial", 1), 7);
    hub_plan_take(&plan, hub_plan_find(&plan, "unified.trial", 1), 8);
    plan.since_ms = 99;
    hub_plan_done(&plan, 2);
    assert_written(&plan, "{'ended':null,'next':3,"
                          "'planned':{'offsets':[8],'partition':1,'topic':'unified.trial'},"
                          "'read':{'unified.batch':[3],'unified.trial':[12,-1]},'since_ms':0}");
    hub_plan_done(&plan, 1);
    hub_plan_take(&plan, hub_plan_find(&plan, "unified.batch", 0), 3);
    assert_int_equal(plan.next, 4);
    assert_string_equal(plan.topic, "unified.batch");
    assert_null(hub_plan_find(&plan, "unified.batch", 1));
    hub_plan_free(&plan);
}

static void what_was_written_is_read_again(void **state) {
    static const char whole[] =
        "{'ended':'why','next':42,'planned':{'offsets':[1,2,9],'partition':1,'topic':'a'},"
        "'read':{'a':[5,10],'b':[-1]},'since_ms':1700000000000}";
    (void)state;
    struct hub_plan plan = plan_of(whole);
    assert_written(&plan, whole);
    hub_plan_free(&plan);
}

static void a_position_that_is_none_is_told_with_what_would_pass(void **state) {
    static const struct {
        const char *json, *says;
    } none[] = {
        {"{", "position: "},
        {"[]", "'next' must be a number from 1 on"},
        {"{'next':0,'read':{}}", "'next' must be a number from 1 on"},
        {"{'next':1.5,'read':{}}", "'next' must be"},
        {"{'next':1}", "'read' must be an object of topics"},
        {"{'next':1,'read':{'a':3}}", "'read' must be"},
        {"{'next':1,'read':{'a':[-2]}}", "'read' must be"},
        {"{'next':1,'read':{'a':['x']}}", "'read' must be"},
        {"{'next':1,'read':{},'planned':3}", "'planned' must be null, or a topic"},
        {"{'next':1,'read':{},'planned':{'topic':'a','partition':-1,'offsets':[1]}}", "'planned'"},
        {"{'next':1,'read':{},'planned':{'topic':'a','partition':4294967296,'offsets':[1]}}",
         "'planned'"},
        {"{'next':1,'read':{},'planned':{'topic':'a','partition':0,'offsets':[]}}", "'planned'"},
        {"{'next':1,'read':{},'planned':{'topic':'a','partition':0,'offsets':[2,2]}}", "rising"},
        {"{'next':1,'read':{},'planned':{'topic':'a','partition':0,'offsets':[-1]}}", "rising"},
        {"{'next':1,'read':{},'planned':{'partition':0,'offsets':[1]}}", "'planned'"},
    };
    struct hub_arena arena = {0};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct hub_plan plan;
        struct hub_error error;
        enum hub_status status = hub_plan_read(schema_quoted(&arena, none[i].json), &plan, &error);
        expect_refusal(status, HUB_FATAL, &error, "position: ", none[i].says);
    }
    hub_arena_destroy(&arena);
}

static void more_is_planned_than_fits_by_nobody(void **state) {
    HUB_SCOPED_BUFFER text = {0};
    (void)state;
    hub_buffer_append_text(&text, "{\"next\":1,\"read\":{\"a\":[");
    for (int i = 0; i <= HUB_PLAN_PLACES_MAX; i++)
        hub_buffer_append_text(&text, i == 0 ? "1" : ",1");
    hub_buffer_append_text(&text, "]}}");
    struct hub_plan plan;
    struct hub_error error;
    expect_refusal(hub_plan_read(hub_buffer_text(&text), &plan, &error), HUB_FATAL, &error,
                   "more than 4096 partitions", "would pass");
    hub_buffer_clear(&text);
    hub_buffer_append_text(&text, "{\"next\":1,\"read\":{},\"planned\":{\"topic\":\"a\","
                                  "\"partition\":0,\"offsets\":[0");
    for (int i = 1; i <= HUB_PLAN_MAX; i++)
        hub_buffer_append_format(&text, ",%d", i);
    hub_buffer_append_text(&text, "]}}");
    expect_refusal(hub_plan_read(hub_buffer_text(&text), &plan, &error), HUB_FATAL, &error,
                   "position: 'planned'", "rising offsets");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subscription_begins_with_number_1),
        cmocka_unit_test(numbers_are_given_to_records_in_their_order_and_never_twice),
        cmocka_unit_test(what_was_written_is_read_again),
        cmocka_unit_test(a_position_that_is_none_is_told_with_what_would_pass),
        cmocka_unit_test(more_is_planned_than_fits_by_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
