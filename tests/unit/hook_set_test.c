/* hook_set: which hooks are there already. */
#include "hub/base/hook_set.h"
#include "tests/lib/cmocka.h"

static void a_hook_is_new_once(void **state) {
    struct hub_hook_set set = {0};
    (void)state;
    for (uint64_t hook = 1; hook < 5000; hook++)
        assert_true(hub_hook_set_add(&set, hook * 7919));
    for (uint64_t hook = 1; hook < 5000; hook++)
        assert_false(hub_hook_set_add(&set, hook * 7919));
    hub_hook_set_free(&set);
    assert_true(hub_hook_set_add(&set, 7919)); /* a freed one is empty */
    hub_hook_set_free(&set);
}

static void the_hook_that_cannot_be_remembered_is_new_again(void **state) {
    struct hub_hook_set set = {0};
    (void)state;
    assert_true(hub_hook_set_add(&set, 0));
    assert_true(hub_hook_set_add(&set, 0));
    hub_hook_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_is_new_once),
        cmocka_unit_test(the_hook_that_cannot_be_remembered_is_new_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
