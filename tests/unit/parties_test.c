/* parties: who carries what, and which organisation a spelling is. */
#include "schemas/lib/parties.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#define text(words) hub_bytes_of_text(words)

static struct hub_arena arena;
static struct hub_parties parties;

static int begin(void **state) {
    (void)state;
    struct hub_error error;
    static const char csv[] = "org,institution,spelling\n"
                              "org:a,alpha,Universit\xc3\xa9 d'Alpha\norg:a,,Alpha UMC\n"
                              "org:b,beta,Beta Lund\n";
    return (int)hub_parties_load(schema_node(&arena,
                                             "{'alpha-list': {'title': 't', 'carriers': ['alpha'],"
                                             " 'owner': 'alpha'}, 'register': {'title': 't',"
                                             " 'carriers': ['beta', 'alpha']}}"),
                                 text(csv), "own.csv", &arena, &parties, &error);
}

static int end(void **state) {
    (void)state;
    hub_arena_destroy(&arena);
    return 0;
}

static void systems_and_institutions_are_found_by_their_whole_name(void **state) {
    (void)state;
    assert_string_equal(hub_parties_system(&parties, text("register"))->name, "register");
    assert_null(hub_parties_system(&parties, text("registe")));
    assert_null(hub_parties_system(&parties, text("Register")));
    assert_string_equal(hub_parties_institution(&parties, text("beta"))->org, "org:b");
    assert_null(hub_parties_institution(&parties, text("register")));
    assert_null(hub_parties_institution(&parties, hub_bytes("", 0)));
}

static void a_system_knows_its_carriers(void **state) {
    (void)state;
    const struct hub_system *list = hub_parties_system(&parties, text("alpha-list"));
    const struct hub_system *both = hub_parties_system(&parties, text("register"));
    assert_true(hub_system_has_carrier(list, text("alpha")));
    assert_false(hub_system_has_carrier(list, text("beta")));
    assert_true(hub_system_has_carrier(both, text("beta")));
    assert_true(hub_system_has_carrier(both, text("alpha")));
}

static void a_registers_voice_is_nobodys(void **state) {
    (void)state;
    const struct hub_system *list = hub_parties_system(&parties, text("alpha-list"));
    const struct hub_system *both = hub_parties_system(&parties, text("register"));
    assert_string_equal(hub_parties_owner_org(&parties, list), "org:a");
    assert_null(hub_parties_owner_org(&parties, both));
}

static void a_spelling_is_compared_folded(void **state) {
    (void)state;
    assert_string_equal(hub_parties_org(&parties, text("UNIVERSITE D ALPHA")), "org:a");
    assert_string_equal(hub_parties_org(&parties, text("  universit\xc3\xa9 d\xe2\x80\x99"
                                                       "alpha.")),
                        "org:a");
    assert_string_equal(hub_parties_org(&parties, text("beta-lund")), "org:b");
}

static void an_organisation_is_found_by_its_identifier(void **state) {
    (void)state;
    assert_string_equal(hub_parties_org(&parties, text("org:b")), "org:b");
    assert_null(hub_parties_org(&parties, text("org:c")));
}

static void a_blinded_name_is_nobody(void **state) {
    (void)state;
    static const char *const names[] = {"", "***", "----", "Beta", "Beta Lund AB", "\xff\xff"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(hub_parties_org(&parties, text(names[i])));
}

static void without_spellings_nobody_is_found(void **state) {
    (void)state;
    struct hub_parties none = {0};
    assert_null(hub_parties_org(&none, text("Beta Lund")));
    assert_null(hub_parties_system(&none, text("register")));
}

static void every_spelling_of_the_project_is_found(void **state) {
    (void)state;
    const struct hub_parties *own = &test_catalogue()->parties;
    assert_true(own->spelling_count > 0);
    for (size_t i = 0; i < own->spelling_count; i++)
        assert_string_equal(hub_parties_org(own, text(own->spellings[i].folded)),
                            own->spellings[i].org);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systems_and_institutions_are_found_by_their_whole_name),
        cmocka_unit_test(a_system_knows_its_carriers),
        cmocka_unit_test(a_registers_voice_is_nobodys),
        cmocka_unit_test(a_spelling_is_compared_folded),
        cmocka_unit_test(an_organisation_is_found_by_its_identifier),
        cmocka_unit_test(a_blinded_name_is_nobody),
        cmocka_unit_test(without_spellings_nobody_is_found),
        cmocka_unit_test(every_spelling_of_the_project_is_found),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
