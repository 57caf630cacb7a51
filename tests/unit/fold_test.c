/* fold: what becomes of entries of the log, seen in what is published. */
#include "tests/lib/cmocka.h"
#include "tests/lib/world.h"

static void two_sources_that_share_a_number_are_one_entity(void **state) {
    struct world *world = world_new("trial");
    (void)state;
    world_say(world, "sus", "ctgov/NCT00000101",
              "{'statement': {'version': '1'}, 'identifiers': "
              "[{'scheme': 'nct', 'value': 'NCT01035190', 'relation': 'SELF'}]}");
    world_say(world, "lu", "isrctn/1",
              "{'statement': {'version': '1'}, 'identifiers': "
              "[{'scheme': 'isrctn', 'value': 'ISRCTN80181452', 'relation': 'SELF'},"
              " {'scheme': 'nct', 'value': 'NCT01035190', 'relation': 'SELF'}]}");
    assert_ptr_equal(world_entity_of(world, "ctgov/NCT00000101"),
                     world_entity_of(world, "isrctn/1"));
    assert_int_equal(world_count_active(world_unified(world)), 1);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sources_that_share_a_number_are_one_entity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
