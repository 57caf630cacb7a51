/* trace_steps: what a record tells of a thing's way, and what is missing of it. */
#include "hub/base/memory.h"
#include "hub/ctl/trace.h"
#include "tests/lib/cmocka.h"

#include <stdio.h>
#include <string.h>

/* The steps of a value (JSON with single quotes), one a line, gaps after " ! ". */
static const char *steps_of(const char *domain, const char *text, bool has_successor) {
    static char told[4096];
    json_error_t error;
    char *json = hub_copy_text(text);
    for (char *at = json; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *value = json_loads(json, 0, &error), *step;
    size_t i, size = 0;
    assert_non_null(value);
    json_t *steps = hub_ctl_trace_steps(domain, value, has_successor);
    told[0] = '\0';
    json_array_foreach(steps, i, step) {
        const char *gap = json_string_value(json_object_get(step, "gap"));
        size += (size_t)snprintf(told + size, sizeof told - size, "%s%s%s%s", i == 0 ? "" : "\n",
                                 json_string_value(json_object_get(step, "text")),
                                 gap == NULL ? "" : " ! ", gap == NULL ? "" : gap);
    }
    json_decref(steps);
    json_decref(value);
    hub_release(json);
    return told;
}

#define ENDS "'from': {'text': 'A'}, 'to': {'text': 'B'}"
#define AT(day) "{'time': '2026-03-" day "T12:10:00.000Z', 'offset_minutes': 60}"

static void steps_are_told_in_the_order_of_the_way(void **state) {
    (void)state;
    assert_string_equal(
        steps_of("material", "{'consent': {'state': 'ACTIVE', 'scope': 'research'}}", false),
        "consent ACTIVE, for research");
    assert_string_equal(
        steps_of("material", "{'consent': {'state': 'ACTIVE', 'scope': null}}", false),
        "consent ACTIVE");
    assert_string_equal(
        steps_of("gmp-slot", "{'interval': {'start': " AT("01") ", 'end': " AT("02") "}}", false),
        "from 2026-03-01T12:10Z to 2026-03-02T12:10Z");
    assert_string_equal(
        steps_of("batch", "{'doses': [{'dose': '1', 'given': " AT("03") ", 'subject_ref': 'ps:1'}],"
                          " 'qp': {'role': 'qualified person', 'at': " AT("02") "}}", false),
        "decided by the qualified person, 2026-03-02T12:10Z\n"
        "dose 1, given 2026-03-03T12:10Z to ps:1");
    assert_string_equal(steps_of("trial", "{'status': 'ACTIVE'}", false), "");
}

static void a_shipment_that_was_dispatched_and_received_is_whole(void **state) {
    (void)state;
    assert_string_equal(steps_of("batch", "{'custody': [{'shipment': 'S', " ENDS ", 'dispatched': "
                                 AT("01") ", 'received': " AT("02") "}]}", false),
                        "shipment S from A, dispatched 2026-03-01T12:10Z to B, "
                        "received 2026-03-02T12:10Z");
}

static void a_shipment_with_one_end_has_a_gap_at_the_other(void **state) {
    (void)state;
    assert_string_equal(steps_of("batch", "{'custody': [{'shipment': 'S', 'dispatched': " AT("01")
                                 ", 'received': null}]}", false),
                        "shipment S, dispatched 2026-03-01T12:10Z ! nobody tells that it arrived");
    assert_string_equal(steps_of("batch", "{'custody': [{'shipment': 'S', 'dispatched': null, "
                                 "'received': " AT("02") "}]}", false),
                        "shipment S, received 2026-03-02T12:10Z ! nobody tells that it was "
                        "dispatched");
}

static void a_dose_of_nobody_is_a_gap(void **state) {
    (void)state;
    assert_string_equal(steps_of("batch", "{'doses': [{'dose': '1', 'given': " AT("03")
                                 ", 'subject_ref': null}]}", false),
                        "dose 1, given 2026-03-03T12:10Z ! nobody tells whom it was given to");
}

static void a_batch_that_was_made_is_of_material_and_in_a_slot(void **state) {
    static const char links[] = "'links': [{'domain': 'material'}, {'domain': 'gmp-slot'}]";
    char text[256];
    (void)state;
    assert_string_equal(steps_of("batch", "{'status': 'QC', 'links': []}", false),
                        "status QC ! nobody tells what material it was made of\n"
                        "status QC ! nobody tells in which slot it was made");
    assert_string_equal(steps_of("batch", "{'status': 'PLANNED', 'links': []}", false), "");
    snprintf(text, sizeof text, "{'status': 'QC', %s}", links);
    assert_string_equal(steps_of("batch", text, false), "");
    assert_string_equal(steps_of("product", "{'status': 'QC', 'links': []}", false), "");
}

static void a_batch_that_was_given_was_released_shipped_and_has_doses(void **state) {
    (void)state;
    assert_string_equal(
        steps_of("batch", "{'status': 'INFUSED', 'qp': null, 'custody': [], 'doses': [],"
                          " 'links': [{'domain': 'material'}, {'domain': 'gmp-slot'}]}", false),
        "status INFUSED ! nobody tells that a qualified person released it\n"
        "status INFUSED ! nobody tells of a shipment\n"
        "status INFUSED ! nobody tells of a dose");
}

static void used_material_is_in_something(void **state) {
    (void)state;
    assert_string_equal(steps_of("material", "{'status': 'USED'}", false),
                        "status USED ! nobody tells what it was used for");
    assert_string_equal(steps_of("material", "{'status': 'USED'}", true), "");
    assert_string_equal(steps_of("material", "{'status': 'AVAILABLE'}", false), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_told_in_the_order_of_the_way),
        cmocka_unit_test(a_shipment_that_was_dispatched_and_received_is_whole),
        cmocka_unit_test(a_shipment_with_one_end_has_a_gap_at_the_other),
        cmocka_unit_test(a_dose_of_nobody_is_a_gap),
        cmocka_unit_test(a_batch_that_was_made_is_of_material_and_in_a_slot),
        cmocka_unit_test(a_batch_that_was_given_was_released_shipped_and_has_doses),
        cmocka_unit_test(used_material_is_in_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
