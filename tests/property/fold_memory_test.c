/* What the fold remembers of an entity saves it work and changes nothing: it publishes what one publishes that is
 * loaded from the topics anew before every entry, and so merges every field again.
 *
 * Each case is made from its seed alone: statements about trials, and people who choose, defer and reopen what is in
 * conflict meanwhile. HUB_TEST_SEED=N runs one. */
#include "tests/lib/cmocka.h"
#include "tests/lib/deciding.h"
#include "tests/lib/look.h"
#include "tests/lib/world.h"

#include <stdio.h>
#include <string.h>

enum { CASES = 200, LINES = 40, FIELDS = 7, CHOICES = 4 };

/* --- statements --- */

/* Two trials, each of which several systems tell of; what a register says two institutions carry. */
static const char *const voices[][3] = {
    {"sus", "ctgov/A", "NCT00000101"},     {"lu", "isrctn/A", "NCT00000101"},
    {"sus", "sus-trials/A", "NCT00000101"}, {"lumc", "ctgov/B", "NCT00000102"},
    {"sus", "ctgov/B", "NCT00000102"},     {"lumc", "lumc-studies/B", "NCT00000102"}};
enum { VOICES = sizeof voices / sizeof *voices };

static const char *const said[FIELDS][CHOICES] = {
    {"'titles': []", "'titles': [{'lang': 'en', 'text': 'One'}]", "'titles': [{'lang': 'en', 'text': 'Two'}]",
     "'titles': [{'lang': 'en', 'text': 'One'}, {'lang': 'nl', 'text': 'Een'}, {'lang': 'nl', 'text': 'Twee'}]"},
    {"'sponsor': null", "'sponsor': {'org': 'ror:02z31g829', 'text': 'S'}",
     "'sponsor': {'org': 'ror:05xvt9f17', 'text': 'L'}", "'sponsor': {'text': 'S'}"},
    {"'status': null", "'status': 'PLANNED'", "'status': 'RECRUITING'", "'status': 'ACTIVE'"},
    {"'enrolment': null", "'enrolment': {'count': 10, 'type': 'TARGET'}",
     "'enrolment': {'count': 12, 'type': 'TARGET'}", "'enrolment': {'count': 11, 'type': 'ACTUAL'}"},
    {"'start': null", "'start': {'value': '2019-01-01', 'precision': 'YEAR'}",
     "'start': {'value': '2019-03-07', 'precision': 'DAY'}",
     "'start': {'value': '2019-04-02', 'precision': 'DAY'}"},
    {"'phases': []", "'phases': ['PHASE_1']", "'phases': ['PHASE_2']", "'phases': ['PHASE_2', 'PHASE_1']"},
    {"'acronym': null", "'acronym': 'A'", "'acronym': 'B'", "'acronym': 'a'"}};

struct telling {
    size_t chosen[VOICES][FIELDS];
    size_t version;
};

/* Some voice says something else in one field or two, of some time. */
static void tell(struct telling *telling, struct world *const worlds[2], struct test_random *random) {
    size_t voice = test_random_below(random, VOICES), times = 1 + test_random_below(random, 2);
    HUB_SCOPED_BUFFER json = {0};
    while (times-- > 0)
        telling->chosen[voice][test_random_below(random, FIELDS)] = test_random_below(random, CHOICES);
    hub_buffer_append_format(&json, "{'statement': {'version': '%zu'", ++telling->version);
    if (test_random_below(random, 4) > 0)
        hub_buffer_append_format(&json, ", 'event_time': {'time': '2026-0%zu-01T08:00:00'}",
                                 1 + test_random_below(random, 4));
    hub_buffer_append_format(&json, "}, 'identifiers': [{'scheme': 'nct', 'value': '%s', 'relation': 'SELF'}]",
                             voices[voice][2]);
    for (size_t i = 0; i < FIELDS; i++)
        hub_buffer_append_format(&json, ", %s", said[i][telling->chosen[voice][i]]);
    hub_buffer_append_text(&json, "}");
    for (size_t i = 0; i < 2; i++)
        world_say(worlds[i], voices[voice][0], voices[voice][1], hub_buffer_text(&json));
}

/* --- decisions --- */

/* A conflict of values, open or not; NULL where there is none. */
static const json_t *pick_conflict(struct world *world, struct test_random *random) {
    const json_t *picked = NULL;
    json_t *conflict;
    const char *id;
    size_t seen = 0;
    json_object_foreach((json_t *)world_conflicts(world), id, conflict) {
        bool values = strcmp(look_text(conflict, "kind"), "VALUES") == 0 &&
                      json_array_size(json_object_get(conflict, "values")) > 0;
        if (values && test_random_below(random, ++seen) == 0)
            picked = conflict;
    }
    return picked;
}

/* The same in both worlds, which look alike. False where there is nothing to decide. */
static bool decide(struct world *const worlds[2], struct test_random *random) {
    static const char *const kinds[] = {"CHOOSE", "CHOOSE", "DEFER", "REOPEN"};
    const json_t *conflict = pick_conflict(worlds[0], random);
    if (conflict == NULL)
        return false;
    const char *kind = kinds[test_random_below(random, 4)], *id = look_text(conflict, "conflict_id");
    const json_t *values = json_object_get(conflict, "values");
    const json_t *value = json_array_get(values, test_random_below(random, json_array_size(values)));
    const char *key =
        json_string_value(json_array_get(json_object_get(value, "statements"), 0));
    const json_t *entity = world_entity_of(worlds[0], key);
    char more[256], subject[256];
    snprintf(more, sizeof more, "'statements': ['%s']", key);
    snprintf(subject, sizeof subject, "%s", id);
    int64_t revision = entity == NULL ? 1 : look_number(entity, "revision");
    for (size_t i = 0; i < 2; i++)
        decide_about(worlds[i], "trial", kind, subject, "anna", revision,
                     strcmp(kind, "CHOOSE") == 0 ? more : NULL);
    return true;
}

static size_t check(uint64_t seed) {
    struct test_random random = {seed};
    struct telling telling = {0};
    struct world *worlds[2] = {world_new("trial"), world_new("trial")};
    size_t decided = 0;
    bool decides = test_random_below(&random, 2) == 0;
    for (size_t i = 0; i < LINES; i++) {
        tell(&telling, worlds, &random);
        if (decides && test_random_below(&random, 4) == 0)
            decided += decide(worlds, &random);
        if (world_trace(worlds[0]) != world_trace(worlds[1]))
            fail_msg("seed %llu, line %zu: what is remembered changes what is published",
                     (unsigned long long)seed, i);
        world_restart(worlds[1]);
    }
    world_free(worlds[0]);
    world_free(worlds[1]);
    return decided;
}

static void what_is_remembered_changes_nothing_that_is_published(void **state) {
    (void)state;
    uint64_t only = test_seed(0);
    size_t count = only != 0 ? 1 : test_cases(CASES), decided = 0;
    for (size_t i = 0; i < count; i++)
        decided += check(only != 0 ? only : i + 1);
    assert_true(only != 0 || decided >= count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_remembered_changes_nothing_that_is_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
