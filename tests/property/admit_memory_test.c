/* admit, property: whatever comes in whatever order, again or damaged, a process that has taken all of it
 * makes of the next record just what one makes that has only now been started, which knows of no record but
 * what was put out and looks at each one whole. And what it gives as published since it was asked last is what
 * was put out since, of each key the last. */
#include "hub/io/crypto.h"
#include "hub/stages/admit.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/outputs.h"
#include "tests/lib/records.h"

#include <string.h>

enum { STEPS = 60, SHARDS = 3, KEYS = 3 };
static const int64_t ARRIVAL_MS = 1800000000000; /* 2027-01-15 */

static const struct {
    const char *domain, *institution, *keys[KEYS];
    const char *fields[4]; /* what else a record says */
} intakes[] = {
    {"trial", "sus", {"euctr/A", "ctgov/A", "ctgov/B"}, /* ctgov has another carrier */
     {"'acronym': 'STAR'", "'acronym': 'MOON'", "'status': 'RECRUITING'",
      "'identifiers': [{'scheme': 'nct', 'value': 'NCT1', 'relation': 'SELF'}]"}},
    {"gmp-slot", "lumc", {"lumc-mes/S", "lumc-mes/T", "lumc-calendar/S"},
     {"'facility': 'ror:05xvt9f17'", "'facility': 'LUMC'", "'facility': 'ror:00example1'",
      "'facility': 'ror:00example2'"}},
};

struct intake {
    struct test_random random;
    struct hub_arena arena;
    struct hub_admit_config config;
    struct hub_admit *admit;
    struct hub_output *admitted[STEPS];
    size_t admitted_count, repeats;
    size_t given; /* of those that were admitted, when it was asked what was fresh */
    size_t fresh; /* that it gave then */
};

static const char *pick(struct intake *intake, const char *const *texts, size_t count) {
    return texts[test_random_below(&intake->random, count)];
}
#define PICK(intake, texts) pick(intake, texts, sizeof texts / sizeof *(texts))

static struct hub_bytes body_of(struct intake *intake, const char *const *fields) {
    static const char *const versions[] = {"1", "2", "10", "1~7", "1~8", ""};
    static const char *const times[] = {"", "", ", 'event_time': {'time': '2026-03-01T00:00:00'}",
                                        ", 'event_time': {'time': '2026-04-01T00:00:00'}",
                                        ", 'event_time': {'time': '2031-01-01T00:00:00'}"};
    static const char *const states[] = {"", "", "", ", 'state': 'WITHDRAWN'"};
    static const char *const others[] = {"", ", 'document': 'a.json'", ", 'document': 'b.json'",
                                         ", 'reason': 'corrected'", ", 'document': 'c\\u0007'"};
    const char *json = hub_arena_format(
        &intake->arena, "{'statement': {'version': '%s'%s%s%s}, %s}", PICK(intake, versions),
        PICK(intake, times), PICK(intake, states), PICK(intake, others), pick(intake, fields, 4));
    return test_value(intake->config.domain->schema->root, json, &intake->arena);
}

static void append_damaged(struct intake *intake, struct hub_bytes body, struct hub_buffer *to) {
    size_t at = test_random_below(&intake->random, body.size);
    switch (test_random_below(&intake->random, 12)) {
    case 0: /* cut off */
        hub_buffer_append_bytes(to, hub_bytes_part(body, 0, at));
        return;
    case 1: /* and more behind it */
        hub_buffer_append_bytes(to, body);
        hub_buffer_append_byte(to, '1');
        return;
    case 2: /* another bit */
        hub_buffer_append_bytes(to, hub_bytes_part(body, 0, at));
        hub_buffer_append_byte(to, body.data[at] ^ (uint8_t)(1 << test_random_below(&intake->random, 8)));
        hub_buffer_append_bytes(to, hub_bytes_part(body, at + 1, body.size));
        return;
    case 3: /* the next small number in two bytes */
        while (at > 0 && body.data[at] != 0)
            at--;
        hub_buffer_append_bytes(to, hub_bytes_part(body, 0, at));
        hub_buffer_append_byte(to, body.data[at] | 0x80);
        hub_buffer_append_byte(to, 0);
        hub_buffer_append_bytes(to, hub_bytes_part(body, at + 1, body.size));
        return;
    default:
        hub_buffer_append_bytes(to, body);
    }
}

static struct hub_input next(struct intake *intake, size_t which) {
    static const struct hub_header headers[] = {{"ce_source", {(const uint8_t *)"urn:atmp:x", 10}}};
    struct hub_buffer value = {.arena = &intake->arena};
    struct test_random *random = &intake->random;
    int32_t id = intake->config.domain->schema->id;
    hub_frame_append(&value, test_random_below(random, 30) == 0 ? id - 1 : id);
    append_damaged(intake, body_of(intake, intakes[which].fields), &value);
    return (struct hub_input){
        .has_key = true,
        .has_value = test_random_below(random, 30) > 0,
        .key = hub_bytes_of_text(pick(intake, intakes[which].keys, KEYS)),
        .value = hub_buffer_bytes(&value),
        .headers = headers,
        .header_count = test_random_below(random, 30) == 0,
        .timestamp_ms = test_random_below(random, 10) == 0 ? ARRIVAL_MS / 2 : ARRIVAL_MS};
}

static void step(struct intake *intake, const struct hub_input *input) {
    struct hub_admit_counts before = *hub_admit_counts(intake->admit);
    struct hub_outputs found = {.arena = &intake->arena}, wanted = {.arena = &intake->arena};
    struct hub_admit *fresh = hub_admit_new(&intake->config);
    struct hub_error error;
    hub_admit_set_counts(fresh, &before);
    for (size_t i = 0; i < intake->admitted_count; i++)
        hub_admit_load(fresh, intake->admitted[i]->key, intake->admitted[i]->value);
    assert_int_equal(hub_admit_record(intake->admit, input, &found, &error), HUB_OK);
    assert_int_equal(hub_admit_record(fresh, input, &wanted, &error), HUB_OK);
    assert_memory_equal(hub_admit_counts(intake->admit), hub_admit_counts(fresh), sizeof before);
    hub_admit_free(fresh);
    expect_same_outputs(&found, &wanted);
    struct hub_output *last = &found.items[found.count - 1];
    if (last->kind == HUB_OUTPUT_ADMITTED)
        intake->admitted[intake->admitted_count++] = last;
}

/* The last record of a key; NULL where nothing of it was put out since it was asked. */
static const struct hub_output *last_of(const struct intake *intake, struct hub_bytes key) {
    for (size_t i = intake->admitted_count; i > intake->given; i--)
        if (hub_bytes_equal(intake->admitted[i - 1]->key, key))
            return intake->admitted[i - 1];
    return NULL;
}

static void take_fresh(void *context, struct hub_bytes key, struct hub_bytes value) {
    struct intake *intake = context;
    const struct hub_output *last = last_of(intake, key);
    assert_non_null(last);
    assert_true(hub_bytes_equal(value, last->value));
    intake->fresh++;
}

static void expect_fresh(struct intake *intake, size_t which) {
    size_t wanted = 0;
    for (size_t i = 0; i < KEYS; i++)
        wanted += last_of(intake, hub_bytes_of_text(intakes[which].keys[i])) != NULL;
    assert_int_equal(hub_admit_fresh(intake->admit), wanted);
    intake->fresh = 0;
    hub_admit_give_fresh(intake->admit, take_fresh, intake);
    assert_int_equal(intake->fresh, wanted); /* none twice */
    assert_int_equal(hub_admit_fresh(intake->admit), 0);
    intake->given = intake->admitted_count;
}

static void whoever_remembers_decides_as_whoever_does_not(void **state) {
    uint64_t seed = test_seed(1);
    int64_t unchanged = 0, dead = 0, late = 0, moved = 0;
    (void)state;
    for (size_t run = 0; run < test_cases(200); run++) {
        size_t which = run % (sizeof intakes / sizeof *intakes);
        struct intake intake = {.random = {seed + run},
                                .config = {.catalogue = test_catalogue(),
                                           .domain = test_domain(intakes[which].domain),
                                           .institution = intakes[which].institution,
                                           .digester = &hub_sha256,
                                           .shard_count = SHARDS,
                                           .topic = "ingest"}};
        intake.admit = hub_admit_new(&intake.config);
        for (int i = 0; i < STEPS; i++) {
            struct hub_input input = next(&intake, which);
            input.offset = i;
            step(&intake, &input);
            if (test_random_below(&intake.random, 8) == 0)
                expect_fresh(&intake, which);
        }
        const struct hub_admit_counts *counts = hub_admit_counts(intake.admit);
        unchanged += counts->unchanged;
        dead += counts->dead;
        late += counts->late;
        moved += counts->moved;
        hub_admit_free(intake.admit);
        hub_arena_destroy(&intake.arena);
    }
    assert_true(unchanged > 0 && dead > 0 && late > 0 && moved > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_remembers_decides_as_whoever_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
