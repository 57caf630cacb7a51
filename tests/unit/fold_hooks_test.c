/* fold_hooks: what records can be reached by, as a header says it, and found by hand where none does. */
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/ruling.h"
#include "tests/lib/schema.h"
#include "tests/lib/shard.h"

#include <string.h>

#define RULES "0123456789abcdef"
#define ONE "NCT01000001"
#define TRIAL(version, value)                                                                      \
    "{'statement': {'version': '" version "'}, 'titles': [{'lang': 'en', 'text': 'Stars'}],"       \
    " 'sponsor': {'org': 'ror:012a77v79', 'text': 'S'},"                                           \
    " 'start': {'value': '2019-03-07', 'precision': 'DAY'},"                                       \
    " 'identifiers': [{'scheme': 'nct', 'value': '" value "', 'relation': 'SELF'}]}"

/* --- the header --- */

struct hooked {
    struct hub_hooks hooks;
    bool stale;
};

static void hook(struct hooked *hooked, enum hub_fold_topic topic, struct hub_input record) {
    struct hub_error error;
    expect_ok(hub_fold_hooks_of(test_catalogue(), RULES, topic, &record, &hooked->hooks,
                                &hooked->stale, &error),
              &error);
}

/* Of a unified record with this header; NULL data: without one. */
static void hook_unified(struct hooked *hooked, const char *header, size_t size) {
    struct hub_header only = {HUB_FOLD_HOOKS_HEADER, hub_bytes(header, size)};
    hook(hooked, HUB_FOLD_UNIFIED,
         (struct hub_input){.has_key = true,
                            .has_value = true,
                            .key = hub_bytes_of_text("trial-x"),
                            .headers = &only,
                            .header_count = header != NULL});
    assert_int_equal(hooked->hooks.items[0].hash,
                     hub_fold_own_hook(HUB_FOLD_UNIFIED, hub_bytes_of_text("trial-x")));
}

static const char whole[] = RULES "\1\0"
                            "\1\0\0\0\0\0\0\x80"
                            "\2\0\0\0\0\0\0\0"
                            "\3\0\0\0\0\0\0\0"
                            "\4\1\0\0\0\0\0\0";
enum { WHOLE = sizeof whole - 1 };

static void a_header_gives_pairs_and_then_hooks(void **state) {
    struct hooked hooked = {0};
    (void)state;
    hook_unified(&hooked, whole, WHOLE);
    assert_false(hooked.stale);
    assert_int_equal(hooked.hooks.count, 1 + 3);
    const struct hub_hook *hooks = hooked.hooks.items;
    assert_true(hooks[1].hash == 0x8000000000000001 && hooks[1].is_near && hooks[1].near_hash == 2);
    assert_true(hooks[2].hash == 3 && !hooks[2].is_near);
    assert_true(hooks[3].hash == 0x104 && !hooks[3].is_near);
    hub_hooks_free(&hooked.hooks);
}

static void a_header_that_is_none_gives_the_keys_hook_alone(void **state) {
    struct hooked hooked = {0};
    char changed[WHOLE + 1];
    (void)state;
    hook_unified(&hooked, NULL, 0);
    assert_true(hooked.stale && hooked.hooks.count == 1);
    for (size_t size = 0; size < WHOLE; size++) {
        bool fits = size == WHOLE - 8 || size == WHOLE - 16; /* it has fewer hooks */
        hook_unified(&hooked, whole, size);
        assert_true(hooked.stale == !fits && (fits || hooked.hooks.count == 1));
    }
    hook_unified(&hooked, whole, WHOLE + 1); /* too long by the 0 at its end */
    assert_true(hooked.stale && hooked.hooks.count == 1);
    memcpy(changed, whole, WHOLE);
    changed[HUB_RULES_HASH_SIZE] = 3; /* more pairs than there are */
    hook_unified(&hooked, changed, WHOLE);
    assert_true(hooked.stale && hooked.hooks.count == 1);
    changed[HUB_RULES_HASH_SIZE] = 1;
    changed[HUB_RULES_HASH_SIZE + 1] = 1; /* 257 */
    hook_unified(&hooked, changed, WHOLE);
    assert_true(hooked.stale && hooked.hooks.count == 1);
    hub_hooks_free(&hooked.hooks);
}

static void a_header_of_other_rules_gives_the_keys_hook_alone(void **state) {
    struct hooked hooked = {0};
    char changed[WHOLE];
    (void)state;
    memcpy(changed, whole, WHOLE);
    changed[0] = 'x';
    hook_unified(&hooked, changed, WHOLE);
    assert_true(hooked.stale && hooked.hooks.count == 1);
    hub_hooks_free(&hooked.hooks);
}

static void what_is_no_state_has_no_hooks(void **state) {
    const struct hub_input none[] = {
        {.has_value = true},
        {.has_key = true, .key = hub_bytes_of_text("trial-x")},
        {.has_key = true, .has_value = true, .key = hub_bytes_of_text("late/sus/ctgov/A")},
        {.has_key = true, .has_value = true, .key = hub_bytes_of_text("decision/x")}};
    struct hooked hooked = {0};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        hooked.hooks.count = 1;
        hook(&hooked, HUB_FOLD_LOG, none[i]);
        assert_int_equal(hooked.hooks.count, 0);
    }
    for (size_t i = 0; i < 2; i++) {
        hook(&hooked, HUB_FOLD_UNIFIED, none[i]);
        assert_int_equal(hooked.hooks.count, 0);
        assert_false(hooked.stale);
    }
    hub_hooks_free(&hooked.hooks);
}

static void all_rules_have_the_same_hook_and_nothing_else_has(void **state) {
    uint64_t rules = hub_fold_own_hook(HUB_FOLD_LOG, hub_bytes_of_text("rules/trial"));
    (void)state;
    assert_true(rules == hub_fold_own_hook(HUB_FOLD_LOG, hub_bytes_of_text("rules/")));
    assert_true(rules != hub_fold_own_hook(HUB_FOLD_LOG, hub_bytes_of_text("sus/ctgov/A")));
    assert_true(rules != hub_fold_own_hook(HUB_FOLD_LOG, hub_bytes_of_text("ref/trial/x")));
}

/* --- of an entity --- */

static bool has(const struct hub_hooks *hooks, const struct hub_hook *hook) {
    for (size_t i = 0; i < hooks->count; i++)
        if (hooks->items[i].hash == hook->hash && hooks->items[i].is_near == hook->is_near &&
            hooks->items[i].near_hash == hook->near_hash)
            return true;
    return false;
}

static void expect_all_in(const struct hub_hooks *some, const struct hub_hooks *all) {
    for (size_t i = 0; i < some->count; i++)
        assert_true(has(all, &some->items[i]));
}

static void the_hooks_of_an_entity_are_those_that_its_header_says(void **state) {
    struct hub_hooks said = {0}, told = {0};
    struct shard shard;
    bool stale = false;
    (void)state;
    shard_begin(&shard, "trial");
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    shard_say(&shard, "sus/euctr/B", TRIAL("1", ONE));
    struct hub_bytes id = hub_bytes_of_text(shard_id(&shard, "nct:" ONE));
    const struct shard_record *unified =
        shard_record(&shard, HUB_FOLD_UNIFIED, shard_id(&shard, "nct:" ONE));
    expect_ok(hub_fold_hooks_of(test_catalogue(), hub_fold_rules(shard.fold), HUB_FOLD_UNIFIED,
                                &unified->input, &said, &stale, &shard.error),
              &shard.error);
    assert_false(stale);
    assert_true(said.count > 4);
    for (int asleep = 0; asleep < 2; asleep++) {
        expect_ok(hub_fold_hooks_of_entity(shard.fold, id, &told, &shard.error), &shard.error);
        expect_all_in(&said, &told);
        expect_all_in(&told, &said);
        shard_reload(&shard, false);
    }
    expect_ok(hub_fold_hooks_of_entity(shard.fold, hub_bytes_of_text("trial-unknown"), &told,
                                       &shard.error),
              &shard.error);
    assert_int_equal(told.count, 1);
    hub_hooks_free(&said);
    hub_hooks_free(&told);
    shard_end(&shard);
}

/* --- by hand --- */

static void take_headers(struct shard *shard) {
    for (size_t i = 0; i < shard->count; i++)
        if (shard->records[i].topic == HUB_FOLD_UNIFIED)
            shard->records[i].input.header_count = 0;
}

/* Without headers; the entries may be in the store. */
static void reload_by_hand(struct shard *shard, bool stored) {
    take_headers(shard);
    for (size_t i = 0; i < shard->count; i++)
        shard->records[i].stored = stored && shard->records[i].topic == HUB_FOLD_LOG;
    expect_ok(shard_load(shard), &shard->error);
}

static size_t count_of(const struct shard *shard, enum hub_fold_topic topic) {
    size_t count = 0;
    for (size_t i = 0; i < shard->count; i++)
        count += shard->records[i].topic == topic;
    return count;
}

static void an_identifier_leads_to_a_record_without_a_header(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        shard_begin(&shard, "trial");
        shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
        shard_say(&shard, "sus/euctr/W", TRIAL("1", ONE));
        shard_say(&shard, "sus/euctr/W", "{'statement': {'version': '2', 'state': 'WITHDRAWN'}}");
        const char *id = shard_id(&shard, "nct:" ONE);
        reload_by_hand(&shard, stored);
        assert_string_equal(shard_id(&shard, "nct:" ONE), id);
        shard_end(&shard);
    }
}

/* Numbers that are one slip apart. */
static void a_slip_of_the_hand_leads_to_a_record_without_a_header(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        shard_begin(&shard, "trial");
        shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
        reload_by_hand(&shard, stored);
        assert_int_equal(count_of(&shard, HUB_FOLD_MATCH), 0);
        shard_say(&shard, "sus/euctr/B", TRIAL("1", "NCT01000010"));
        assert_int_equal(count_of(&shard, HUB_FOLD_MATCH), 1);
        shard_end(&shard);
    }
}

#define SLOT(hour, more)                                                                            \
    "{'statement': {'version': '1'}, 'facility': 'ror:05xvt9f17', 'suite': 'S',"                   \
    " 'interval': {'start': {'time': '2026-03-01T" hour ":00:00'},"                                \
    " 'end': {'time': '2026-03-01T16:00:00'}}, 'status': 'BOOKED'" more "}"
#define LINKED                                                                                     \
    ", 'links': [{'domain': 'trial', 'role': 'trial', 'identifier': {'scheme': 'nct', 'value': '"  \
    ONE "', 'relation': 'SELF'}}]"

static void a_suite_leads_to_a_record_without_a_header(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        shard_begin(&shard, "gmp-slot");
        shard_say(&shard, "lumc/lumc-mes/1", SLOT("08", ""));
        reload_by_hand(&shard, stored);
        assert_int_equal(count_of(&shard, HUB_FOLD_CONFLICT), 0);
        shard_say(&shard, "lumc/lumc-mes/2", SLOT("15", ""));
        assert_int_equal(count_of(&shard, HUB_FOLD_CONFLICT), 1);
        shard_end(&shard);
    }
}

static void a_fact_leads_to_a_record_without_a_header(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        shard_begin(&shard, "gmp-slot");
        struct hub_bytes fact =
            shard_message(&shard, hub_catalogue_latest(test_catalogue(), "fact"),
                          "{'domain': 'trial', 'identifier': 'nct:" ONE "', 'entities': []}");
        shard_say(&shard, "lumc/lumc-mes/1", SLOT("08", LINKED));
        reload_by_hand(&shard, stored);
        assert_int_equal(count_of(&shard, HUB_FOLD_CONFLICT), 0);
        shard_tell(&shard, "ref/trial/nct:" ONE, fact);
        assert_int_equal(count_of(&shard, HUB_FOLD_CONFLICT), 1);
        shard_end(&shard);
    }
}

/* The rules of the log are others than those that the records were put away by. */
static void records_by_older_rules_are_hooked_by_those_in_force(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct ruling own, other;
        struct shard shard;
        shard_begin(&shard, "trial");
        ruling_begin(&own, "trial");
        ruling_begin(&other, "trial");
        ruling_edit(&other, &other.texts.schema, "[['titles', 'sponsor', 'start']]",
                    "[['titles'], ['sponsor', 'start']]");
        ruling_replace(&other, ruling_hash(&own));
        shard_tell(&shard, "rules/first", ruling_message(&own));
        shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
        const char *id = shard_id(&shard, "nct:" ONE);
        shard_tell(&shard, "rules/trial", ruling_message(&other));
        for (size_t i = 0; i < shard.count; i++)
            shard.records[i].stored = stored && shard.records[i].topic == HUB_FOLD_LOG;
        expect_ok(shard_load(&shard), &shard.error);
        assert_string_equal(hub_fold_rules(shard.fold), ruling_hash(&other));
        assert_string_equal(shard_id(&shard, "nct:" ONE), id);
        assert_int_equal(count_of(&shard, HUB_FOLD_MATCH), 0);
        expect_ok(shard_load(&shard), &shard.error);
        shard_say(&shard, "sus/euctr/B", /* which only the other rules find alike */
                  "{'statement': {'version': '1'}, 'titles': [{'lang': 'en', 'text': 'Stars'}]}");
        assert_int_equal(count_of(&shard, HUB_FOLD_MATCH), 1);
        ruling_end(&own);
        ruling_end(&other);
        shard_end(&shard);
    }
}

static void an_entry_that_cannot_be_read_cannot_be_hooked_by_hand(void **state) {
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        struct shard shard;
        shard_begin(&shard, "trial");
        shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
        shard_record(&shard, HUB_FOLD_LOG, "sus/ctgov/A")->input.value =
            hub_bytes_of_text("damaged");
        take_headers(&shard);
        shard_record(&shard, HUB_FOLD_LOG, "sus/ctgov/A")->stored = stored;
        assert_int_not_equal(shard_load(&shard), HUB_OK);
        assert_non_null(strstr(shard.error.text, "damaged"));
        shard_end(&shard);
    }
}

/* A match about the statement. */
static void what_else_has_a_statements_hook_gives_no_hooks_by_hand(void **state) {
    struct shard shard;
    (void)state;
    shard_begin(&shard, "trial");
    shard_say(&shard, "sus/ctgov/A", TRIAL("1", ONE));
    const char *id = shard_id(&shard, "nct:" ONE);
    shard_add(&shard, HUB_FOLD_MATCH, "m",
              shard_message(&shard, hub_catalogue_latest(test_catalogue(), "match"),
                            "{'match_id': 'm', 'domain': 'trial', 'entities': ['trial-x', 'gone'],"
                            " 'state': 'CLOSED', 'evidence': [], 'opened_offset': 0, 'offset': 0,"
                            " 'events': 1, 'rules': '', 'core': 1, 'decision': {'decision_id': 'd',"
                            " 'kind': 'SEPARATE', 'state': 'IN_FORCE', 'statements': ['ctgov/A'],"
                            " 'others': ['euctr/B'], 'values': [], 'reason': 'r',"
                            " 'decided_by': 'a', 'offset': 0}}"),
              hub_bytes(NULL, 0));
    reload_by_hand(&shard, false);
    assert_string_equal(shard_id(&shard, "nct:" ONE), id);
    shard_end(&shard);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_gives_pairs_and_then_hooks),
        cmocka_unit_test(a_header_that_is_none_gives_the_keys_hook_alone),
        cmocka_unit_test(a_header_of_other_rules_gives_the_keys_hook_alone),
        cmocka_unit_test(what_is_no_state_has_no_hooks),
        cmocka_unit_test(all_rules_have_the_same_hook_and_nothing_else_has),
        cmocka_unit_test(the_hooks_of_an_entity_are_those_that_its_header_says),
        cmocka_unit_test(an_identifier_leads_to_a_record_without_a_header),
        cmocka_unit_test(a_slip_of_the_hand_leads_to_a_record_without_a_header),
        cmocka_unit_test(a_suite_leads_to_a_record_without_a_header),
        cmocka_unit_test(a_fact_leads_to_a_record_without_a_header),
        cmocka_unit_test(records_by_older_rules_are_hooked_by_those_in_force),
        cmocka_unit_test(an_entry_that_cannot_be_read_cannot_be_hooked_by_hand),
        cmocka_unit_test(what_else_has_a_statements_hook_gives_no_hooks_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
