/* fold_statement: several institutions carry one system; whose copy speaks, and when it ends. */
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

/* ctgov is carried by sus and by lumc. */
static void carry(struct world *world, const char *institution, const char *stamp,
                  const char *acronym) {
    char json[256];
    snprintf(json, sizeof json, "{'statement': {%s}, 'acronym': '%s'}", stamp, acronym);
    world_say(world, institution, "ctgov/A", json);
}

/* "NEW [lumc sus]": the acronym, and who carries it. */
static const char *spoken(struct world *world) {
    static char text[128];
    const json_t *entity = world_entity_of(world, "ctgov/A"), *carrier;
    size_t i;
    if (entity == NULL)
        return "nothing";
    snprintf(text, sizeof text, "%s [", look_text(entity, "value.acronym"));
    json_array_foreach(look(entity, "statements.0.carriers"), i, carrier) {
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%s%s", i == 0 ? "" : " ",
                 json_string_value(carrier));
    }
    strcat(text, "]");
    return text;
}

static void the_copy_with_the_highest_version_speaks(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", "'version': '9'", "OLD");
    carry(world, "lumc", "'version': '10'", "NEW");
    assert_string_equal(spoken(world), "NEW [lumc sus]");
    carry(world, "sus", "'version': '11'", "NEWER");
    assert_string_equal(spoken(world), "NEWER [sus lumc]");
    world_free(world);
}

static void an_older_copy_of_another_carrier_changes_only_the_carriers(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "lumc", "'version': '10'", "NEW");
    carry(world, "sus", "'version': '9'", "OLD");
    assert_string_equal(spoken(world), "NEW [lumc sus]");
    assert_int_equal(look_count(world_entity_of(world, "ctgov/A"), "statements"), 1);
    world_free(world);
}

static void a_connectors_tie_breaker_is_no_version_of_the_source(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", "'version': '9~500', 'event_time': {'time': '2026-01-01T00:00:00'}", "OLD");
    carry(world, "lumc", "'version': '9~7', 'event_time': {'time': '2026-02-01T00:00:00'}", "NEW");
    assert_string_equal(spoken(world), "NEW [lumc sus]");
    world_free(world);
}

static void one_carrier_that_no_longer_sees_it_leaves_it_to_the_others(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", "'version': '1'", "A");
    carry(world, "lumc", "'version': '1'", "A");
    assert_string_equal(spoken(world), "A [lumc sus]");
    carry(world, "lumc", "'version': '1~2', 'state': 'WITHDRAWN'", "A");
    assert_string_equal(spoken(world), "A [sus]");
    world_free(world);
}

static void a_withdrawal_by_the_source_counts_for_all_carriers(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", "'version': '1'", "A");
    carry(world, "lumc", "'version': '1'", "A");
    carry(world, "lumc", "'version': '2', 'state': 'WITHDRAWN'", "A"); /* a newer version says so */
    assert_string_equal(spoken(world), "nothing");
    carry(world, "sus", "'version': '3'", "B");
    assert_string_equal(spoken(world), "B [sus]");
    world_free(world);
}

static void it_is_withdrawn_when_every_carrier_withdraws(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", "'version': '1'", "A");
    carry(world, "lumc", "'version': '1'", "A");
    carry(world, "lumc", "'version': '1~2', 'state': 'WITHDRAWN'", "A");
    carry(world, "sus", "'version': '1~2', 'state': 'WITHDRAWN'", "A");
    assert_string_equal(spoken(world), "nothing");
    assert_int_equal(world_fold_counts(world).withdrawn, 1);
    world_free(world);
}

/* Whoever is heard first, the same copy speaks. */
static void the_order_in_which_carriers_are_heard_plays_no_part(void **state) {
    static const struct {
        const char *institution, *stamp, *acronym;
    } copies[] = {{"sus", "'version': '1'", "A"}, {"lumc", "'version': '1'", "B"}};
    char first[128];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = world_new("trial");
        carry(world, copies[i].institution, copies[i].stamp, copies[i].acronym);
        carry(world, copies[1 - i].institution, copies[1 - i].stamp, copies[1 - i].acronym);
        if (i == 0)
            snprintf(first, sizeof first, "%s", spoken(world));
        else
            assert_string_equal(spoken(world), first);
        world_free(world);
    }
}

static void a_statement_counts_as_new_after_it_was_out_of_force(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    tell_trial(world, "euctr/A", 1, "", NULL);
    tell_trial_withdrawn(world, "euctr/A", 2);
    tell_trial(world, "euctr/A", 3, "", NULL);
    expect_json(world_entity_of(world, "euctr/A"), "statements.0.first_offset", "2");
    expect_json(world_entity_of(world, "euctr/A"), "founded_offset", "0");
    world_free(world);
}

#define AT(time) "'version': '1', 'event_time': {'time': '2026-01-0" time "T00:00:00'}"

static void of_equal_versions_the_copy_with_the_later_event_speaks(void **state) {
    static const struct {
        const char *sus, *lumc, *speaks;
    } copies[] = {{AT("1"), AT("2"), "LUMC"},
                  {AT("2"), AT("1"), "SUS"},
                  {"'version': '1'", AT("1"), "LUMC"},
                  {AT("1"), "'version': '1'", "SUS"}};
    (void)state;
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        struct world *world = world_new("trial");
        carry(world, "sus", copies[i].sus, "SUS");
        carry(world, "lumc", copies[i].lumc, "LUMC");
        assert_string_equal(look_text(world_entity_of(world, "ctgov/A"), "value.acronym"),
                            copies[i].speaks);
        world_free(world);
    }
}

static void of_equal_events_the_content_tells_which_copy_speaks(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", AT("1"), "SAME");
    carry(world, "lumc", AT("1"), "SAME");
    assert_string_equal(spoken(world), "SAME [lumc sus]"); /* the smaller name */
    world_free(world);
}

static void whoever_still_sees_it_speaks_before_one_that_does_not(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    carry(world, "sus", "'version': '1', 'state': 'WITHDRAWN'", "A");
    assert_string_equal(spoken(world), "nothing");
    carry(world, "lumc", "'version': '1'", "A");
    assert_string_equal(spoken(world), "A [lumc]");
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_with_the_highest_version_speaks),
        cmocka_unit_test(an_older_copy_of_another_carrier_changes_only_the_carriers),
        cmocka_unit_test(a_connectors_tie_breaker_is_no_version_of_the_source),
        cmocka_unit_test(one_carrier_that_no_longer_sees_it_leaves_it_to_the_others),
        cmocka_unit_test(a_withdrawal_by_the_source_counts_for_all_carriers),
        cmocka_unit_test(it_is_withdrawn_when_every_carrier_withdraws),
        cmocka_unit_test(the_order_in_which_carriers_are_heard_plays_no_part),
        cmocka_unit_test(a_statement_counts_as_new_after_it_was_out_of_force),
        cmocka_unit_test(of_equal_versions_the_copy_with_the_later_event_speaks),
        cmocka_unit_test(of_equal_events_the_content_tells_which_copy_speaks),
        cmocka_unit_test(whoever_still_sees_it_speaks_before_one_that_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
