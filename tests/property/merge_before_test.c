/* What a merge takes from the merge before is what it would come to by itself.
 *
 * Each case is a history made from its seed alone: statements of several systems about one thing of any domain, with
 * values from small pools so that they agree, differ and contradict themselves; then one after the other says something
 * else in some fields, or of another time. HUB_TEST_SEED=N runs one. */
#include "hub/core/merge.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"

#include <string.h>

enum { HISTORIES = 12000, VOICES_MAX = 4, STEPS = 8, DOMAINS = 10, FEW_SYSTEMS = 10 };

static const char *const names[DOMAINS - 1] = {"trial",    "batch",   "gmp-slot", "material", "product",
                                               "exchange", "project", "agreement", "course"};

/* What the project's domains do not have: the earliest, elements that name who is believed, what is volatile. */
static const char own_fields[] =
    "[{'name': 'first', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'earliest', 'hub:conflict': 'minor'},"
    " {'name': 'owners', 'type': {'type': 'array', 'items': {'type': 'record', 'name': 'Owner1', 'doc': 'd',"
    "   'fields': [{'name': 'org', 'type': 'string', 'doc': 'd'},"
    "    {'name': 'number', 'type': ['null', 'string'], 'doc': 'd', 'default': null}]}},"
    "  'doc': 'd', 'default': [], 'hub:conflict': 'major',"
    "  'hub:merge': {'union': ['org'], 'by': [{'authority': ['element:org', 'system:sus-trials']},"
    "   'latest']}},"
    " {'name': 'seen', 'type': {'type': 'array', 'items': 'string'}, 'doc': 'd', 'default': [],"
    "  'hub:merge': {'union': [], 'by': ['latest']}, 'hub:conflict': 'ignore', 'hub:volatile': true},"
    " {'name': 'sponsor', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"
    "  'hub:merge': 'latest', 'hub:conflict': 'minor'},"
    " {'name': 'words', 'type': {'type': 'array', 'items': 'string'}, 'doc': 'd', 'default': [],"
    "  'hub:merge': [{'authority': ['role:sponsor', 'system:ctis']}, 'latest'], 'hub:conflict': 'minor',"
    "  'hub:equal': 'set'},"
    " {'name': 'amount', 'type': ['null', 'int'], 'doc': 'd', 'default': null,"
    "  'hub:merge': ['max', 'earliest'], 'hub:conflict': 'minor', 'hub:equal': {'tolerance': 1}}]";

static struct own_domain *own;

static int make_domain(void **state) {
    (void)state;
    own = own_domain_new("{}", own_fields);
    return 0;
}

static int free_domain(void **state) {
    (void)state;
    own_domain_free(own);
    return 0;
}

/* --- statements --- */

static size_t below(struct test_random *random, size_t bound) {
    return test_random_below(random, bound);
}

static void make_text(struct test_random *random, struct hub_buffer *buffer) {
    static const char *const texts[] = {"a",  "A", "b", "a/b", "a\\b",          "",
                                        "ab", "é", "-", "en",  "ror:05xvt9f17", "ror:02z31g829"};
    hub_encode_text(buffer, texts[below(random, sizeof texts / sizeof *texts)]);
}

static void make_value(const struct hub_type *type, struct test_random *random,
                       struct hub_buffer *buffer);

static void make_array(const struct hub_type *type, struct test_random *random,
                       struct hub_buffer *buffer) {
    size_t count = below(random, 4);
    hub_encode_array_begin(buffer, count);
    for (size_t i = 0; i < count; i++)
        make_value(type->items, random, buffer);
    hub_encode_array_end(buffer);
}

static void make_value(const struct hub_type *type, struct test_random *random,
                       struct hub_buffer *buffer) {
    static const uint8_t zeros[64];
    size_t index = 0;
    double real = (double)below(random, 3);
    switch (type->kind) {
    case HUB_NULL:
        return;
    case HUB_BOOLEAN:
        hub_buffer_append_byte(buffer, (uint8_t)below(random, 2));
        return;
    case HUB_INT:
    case HUB_LONG:
        hub_encode_long(buffer, (int64_t)below(random, 3) * 40);
        return;
    case HUB_ENUM:
        hub_encode_long(buffer, (int64_t)below(random, type->count < 4 ? type->count : 4));
        return;
    case HUB_FLOAT:
        hub_buffer_append(buffer, &(float){(float)real}, sizeof(float));
        return;
    case HUB_DOUBLE:
        hub_buffer_append(buffer, &real, sizeof real);
        return;
    case HUB_BYTES:
    case HUB_STRING:
        make_text(random, buffer);
        return;
    case HUB_FIXED:
        hub_buffer_append(buffer, zeros, type->fixed_size);
        return;
    case HUB_ARRAY:
        make_array(type, random, buffer);
        return;
    case HUB_MAP:
        hub_encode_array_end(buffer);
        return;
    case HUB_UNION:
        index = below(random, 3) == 0 ? 0 : type->count - 1;
        hub_encode_long(buffer, (int64_t)index);
        make_value(type->branches[index], random, buffer);
        return;
    case HUB_RECORD:
        for (; index < type->count; index++)
            make_value(type->fields[index].type, random, buffer);
    }
}

struct history {
    const struct hub_domain *domain;
    struct test_random random;
    struct hub_arena arena;
    struct hub_voice voices[VOICES_MAX];
    size_t count;
};

/* Says in each field, one time of so many, something else. */
static void speak(struct history *history, size_t voice, size_t one_in) {
    const struct hub_type *root = history->domain->schema->root;
    struct hub_voice *own_voice = &history->voices[voice];
    struct hub_buffer body = {.arena = &history->arena};
    uint32_t *starts = hub_arena_take(&history->arena, (root->count + 1) * sizeof *starts);
    for (size_t i = 0; i < root->count; i++) {
        if (own_voice->starts == NULL || below(&history->random, one_in) == 0)
            make_value(root->fields[i].type, &history->random, &body);
        else
            hub_buffer_append_bytes(&body, hub_bytes_part(own_voice->body, own_voice->starts[i],
                                                          own_voice->starts[i + 1]));
    }
    own_voice->body = hub_buffer_bytes(&body);
    own_voice->starts = starts;
    hub_slice_fields(root, own_voice->body, starts);
    struct hub_stamp stamp = hub_statement_stamp(history->domain, own_voice->body, starts);
    own_voice->has_event_time = stamp.has_event_time;
    own_voice->event_time_ms = stamp.event_time_ms;
}

static void begin(struct history *history, uint64_t seed) {
    const struct hub_parties *parties = &test_catalogue()->parties;
    size_t domain = seed % DOMAINS;
    *history = (struct history){.random = {seed}};
    history->domain = domain == DOMAINS - 1 ? own_domain(own) : test_domain(names[domain]);
    history->count = 1 + below(&history->random, VOICES_MAX);
    for (size_t i = 0; i < history->count; i++) {
        size_t systems = below(&history->random, 2) == 0 ? FEW_SYSTEMS : parties->system_count;
        const struct hub_system *system = &parties->systems[below(&history->random, systems)];
        history->voices[i] = (struct hub_voice){
            .key = hub_arena_format(&history->arena, "%zu", i),
            .system = system,
            .institution = system->carriers[0],
            .rank = hub_domain_system_rank(history->domain, hub_bytes_of_text(system->name))};
        speak(history, i, 1);
    }
}

/* --- what is compared --- */

static bool same_voices(const struct hub_conflict_value *a, const struct hub_conflict_value *b) {
    return a->voice_count == b->voice_count &&
           (a->voice_count == 0 ||
            memcmp(a->voices, b->voices, a->voice_count * sizeof *a->voices) == 0);
}

static bool same_conflict(const struct hub_conflict_found *a, const struct hub_conflict_found *b) {
    bool same = a->kind == b->kind && strcmp(a->path, b->path) == 0 && strcmp(a->mark, b->mark) == 0 &&
                a->severity == b->severity && a->decided == b->decided && a->owner == b->owner &&
                a->value_count == b->value_count;
    for (size_t i = 0; same && i < a->value_count; i++)
        same = strcmp(a->values[i].text, b->values[i].text) == 0 &&
               a->values[i].chosen == b->values[i].chosen && same_voices(&a->values[i], &b->values[i]);
    return same;
}

/* Of values that stand against each other in a field that is kept. */
static bool is_of_kept(const struct hub_type *root, const bool *kept,
                       const struct hub_conflict_found *found) {
    char name[128];
    size_t size = strcspn(found->path, "[");
    memcpy(name, found->path, size);
    name[size] = '\0';
    return found->kind == HUB_CONFLICT_VALUES && kept[hub_type_field(root, name)];
}

/* The next one whose field is kept, or is not. */
static const struct hub_conflict_found *next(const struct hub_type *root, const bool *kept, bool of_kept,
                                             const struct hub_merged *merged, size_t *at) {
    while (*at < merged->conflict_count) {
        const struct hub_conflict_found *found = &merged->conflicts[(*at)++];
        if (is_of_kept(root, kept, found) == of_kept)
            return found;
    }
    return NULL;
}

static void compare_conflicts(const struct hub_type *root, const bool *kept, bool of_kept,
                              const struct hub_merged *a, const struct hub_merged *b) {
    const struct hub_conflict_found *x, *y;
    size_t i = 0, k = 0;
    do {
        x = next(root, kept, of_kept, a, &i);
        y = next(root, kept, of_kept, b, &k);
        assert_int_equal(x == NULL, y == NULL);
        if (x != NULL && !same_conflict(x, y))
            fail_msg("another conflict of %s", x->path);
    } while (x != NULL);
}

/* `again` took from `before` what it could, `anew` nothing. */
static size_t compare(const struct hub_domain *domain, const struct hub_merged *before,
                      const struct hub_merged *again, const struct hub_merged *anew) {
    const struct hub_type *root = domain->schema->root;
    size_t kept = 0;
    assert_true(hub_bytes_equal(again->value, anew->value));
    assert_memory_equal(again->starts, anew->starts, (root->count + 1) * sizeof *anew->starts);
    assert_memory_equal(again->sources, anew->sources, root->count * sizeof *anew->sources);
    assert_memory_equal(again->settled, anew->settled, root->count * sizeof *anew->settled);
    compare_conflicts(root, again->kept, /* of_kept= */ false, again, anew);
    compare_conflicts(root, again->kept, /* of_kept= */ true, before, anew);
    for (size_t i = 0; i < root->count; i++) {
        kept += again->kept[i];
        /* What is volatile may change without a merge: then it is not as it was merged. */
        assert_false(again->kept[i] && domain->contract.fields[i].is_volatile);
    }
    return kept;
}

/* Says something else, and merges with and without what was merged before, which the former is then. */
static size_t step(struct history *history, struct hub_merged *merged) {
    const struct hub_type *root = history->domain->schema->root;
    size_t voice = below(&history->random, history->count);
    struct hub_voice then = history->voices[voice];
    bool *same = hub_arena_take(&history->arena, root->count * sizeof *same);
    struct hub_merged before = *merged, anew;
    speak(history, voice, 2 + below(&history->random, 8));
    const struct hub_voice *now = &history->voices[voice];
    for (size_t i = 0; i < root->count; i++)
        same[i] = hub_bytes_equal(hub_bytes_part(then.body, then.starts[i], then.starts[i + 1]),
                                  hub_bytes_part(now->body, now->starts[i], now->starts[i + 1]));
    struct hub_merge_before what = {.same = same,
                                    .voice = voice,
                                    .had_event_time = then.has_event_time,
                                    .event_time_ms = then.event_time_ms,
                                    .value = before.value,
                                    .starts = before.starts,
                                    .sources = before.sources,
                                    .settled = before.settled};
    struct hub_merge_input input = {
        .domain = history->domain, .voices = history->voices, .voice_count = history->count};
    hub_merge(&input, &history->arena, &anew);
    input.before = &what;
    hub_merge(&input, &history->arena, merged);
    size_t kept = compare(history->domain, &before, merged, &anew);
    merged->conflicts = anew.conflicts; /* all of them: the next step compares them */
    merged->conflict_count = anew.conflict_count;
    return kept;
}

static void what_is_taken_from_before_is_what_merging_comes_to(void **state) {
    (void)state;
    uint64_t only = test_seed(0);
    size_t count = only != 0 ? 1 : test_cases(HISTORIES), kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct history history;
        struct hub_merged merged;
        begin(&history, only != 0 ? only : i + 1);
        struct hub_merge_input input = {
            .domain = history.domain, .voices = history.voices, .voice_count = history.count};
        hub_merge(&input, &history.arena, &merged);
        for (size_t k = 0; k < STEPS; k++)
            kept += step(&history, &merged);
        hub_arena_destroy(&history.arena);
    }
    assert_true(only != 0 || kept > count * STEPS); /* a field a step at the very least */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_from_before_is_what_merging_comes_to),
    };
    return cmocka_run_group_tests(tests, make_domain, free_domain);
}
