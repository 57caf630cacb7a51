/* complete_judge: what becomes of one source record, for all that can be known of it. */
#include "hub/ctl/complete.h"
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"

#include <string.h>

enum { NONE = 100 }; /* no manifest has it */
enum says { SAME, OTHER, NOT_COMPARED };

static const char *const names[HUB_COMPLETE_VERDICTS] = {
    "right", "gone", "missing", "different", "unknown", "on the way", "later", "others"};

static struct hub_complete_facts facts_of(int standing, bool withdrawn, enum hub_complete_held held,
                                          enum says says) {
    static struct hub_inventory_item item;
    static struct hub_digest other;
    item = (struct hub_inventory_item){.key = "s/1",
                                       .standing = (enum hub_standing)standing,
                                       .is_told = true,
                                       .latest.stamp.withdrawn = withdrawn,
                                       .latest.digest = hub_sha256.digest(hub_bytes_of_text("told"))};
    other = hub_sha256.digest(hub_bytes_of_text("other"));
    return (struct hub_complete_facts){.item = standing == NONE ? NULL : &item,
                                       .held = held,
                                       .digest = says == NOT_COMPARED ? NULL
                                                 : says == SAME       ? &item.latest.digest
                                                                      : &other};
}

static void assert_judged(const struct hub_complete_facts *facts,
                          enum hub_complete_verdict wanted) {
    assert_string_equal(names[hub_complete_judge(facts)], names[wanted]);
}

static void what_is_held_is_compared_with_what_the_source_has(void **state) {
    static const struct {
        int standing;
        bool withdrawn;
        enum hub_complete_held held;
        enum says says;
        enum hub_complete_verdict wanted;
    } cases[] = {
        {HUB_STATED, false, HUB_HELD, SAME, HUB_COMPLETE_RIGHT},
        {HUB_STATED, false, HUB_HELD, NOT_COMPARED, HUB_COMPLETE_RIGHT},
        {HUB_STATED, false, HUB_HELD, OTHER, HUB_COMPLETE_DIFFERENT},
        {HUB_STATED, false, HUB_HELD_NOT, SAME, HUB_COMPLETE_MISSING},
        {HUB_STATED, false, HUB_HELD_WITHDRAWN, NOT_COMPARED, HUB_COMPLETE_DIFFERENT},
        {HUB_REFUSED, false, HUB_HELD, SAME, HUB_COMPLETE_DIFFERENT},
        {HUB_REFUSED, true, HUB_HELD_NOT, SAME, HUB_COMPLETE_MISSING},
        {HUB_STATED, true, HUB_HELD, OTHER, HUB_COMPLETE_UNKNOWN},
        {HUB_STATED, true, HUB_HELD_NOT, SAME, HUB_COMPLETE_GONE},
        {HUB_STATED, true, HUB_HELD_WITHDRAWN, SAME, HUB_COMPLETE_GONE},
        {HUB_STATED, true, HUB_HELD_WITHDRAWN, OTHER, HUB_COMPLETE_DIFFERENT},
        {HUB_GONE, false, HUB_HELD, SAME, HUB_COMPLETE_UNKNOWN},
        {HUB_GONE, false, HUB_HELD_NOT, SAME, HUB_COMPLETE_GONE},
        {HUB_GONE, false, HUB_HELD_WITHDRAWN, OTHER, HUB_COMPLETE_GONE},
        {NONE, false, HUB_HELD, OTHER, HUB_COMPLETE_UNKNOWN},
        {NONE, false, HUB_HELD_NOT, OTHER, HUB_COMPLETE_GONE},
        {NONE, false, HUB_HELD_WITHDRAWN, OTHER, HUB_COMPLETE_GONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct hub_complete_facts facts =
            facts_of(cases[i].standing, cases[i].withdrawn, cases[i].held, cases[i].says);
        assert_judged(&facts, cases[i].wanted);
    }
}

static void what_is_on_the_way_or_was_told_later_is_no_loss(void **state) {
    struct hub_complete_facts facts = facts_of(HUB_STATED, false, HUB_HELD_NOT, SAME);
    (void)state;
    assert_judged(&facts, HUB_COMPLETE_MISSING);
    facts.is_of_others = true;
    assert_judged(&facts, HUB_COMPLETE_OTHERS);
    facts.is_later = true;
    assert_judged(&facts, HUB_COMPLETE_LATER);
    facts.is_on_the_way = true;
    assert_judged(&facts, HUB_COMPLETE_ON_THE_WAY);
}

static void what_is_right_stays_so_whatever_else_moves(void **state) {
    struct hub_complete_facts facts = facts_of(HUB_STATED, false, HUB_HELD, SAME);
    (void)state;
    facts.is_later = facts.is_on_the_way = facts.is_of_others = true;
    assert_judged(&facts, HUB_COMPLETE_RIGHT);
    facts.item = NULL;
    facts.held = HUB_HELD_NOT;
    assert_judged(&facts, HUB_COMPLETE_GONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_is_compared_with_what_the_source_has),
        cmocka_unit_test(what_is_on_the_way_or_was_told_later_is_no_loss),
        cmocka_unit_test(what_is_right_stays_so_whatever_else_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
