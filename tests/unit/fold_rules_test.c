/* fold_rules: rules that change by an entry of the log, and entities that are merged again by them. */
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/schema.h"
#include "tests/lib/tell.h"

#include <stdio.h>
#include <string.h>

#define BELIEVED "'system:ctis', 'system:euctr', 'system:isrctn', 'system:ctgov'"
#define TURNED "'system:ctgov', 'system:isrctn', 'system:euctr', 'system:ctis'"
#define SPONSOR(name) "'sponsor': {'org': 'ror:" name "', 'text': 'S'}"
#define LUND "012a77v79"
#define LEIDEN "05xvt9f17"

/* A world of trials whose log names the project's rules, and others. */
struct changing {
    struct world *world;
    struct ruling own, other;
};

static void begin(struct changing *changing, const char *domain) {
    changing->world = world_new(domain);
    ruling_begin(&changing->own, domain);
    ruling_begin(&changing->other, domain);
    world_name_rules(changing->world, &changing->own);
}

static void end(struct changing *changing) {
    world_free(changing->world);
    ruling_end(&changing->own);
    ruling_end(&changing->other);
}

static void edit(struct changing *changing, const char *from, const char *to) {
    ruling_edit(&changing->other, &changing->other.texts.schema, from, to);
}

static void fold_all(struct world *world) {
    while (world_fold(world))
        continue;
}

static void change(struct changing *changing) {
    assert_true(world_rule(changing->world, &changing->other));
    fold_all(changing->world);
    assert_string_equal(world_rules(changing->world), ruling_hash(&changing->other));
}

static size_t published(struct world *world) {
    size_t count = 0, i;
    json_t *output;
    json_array_foreach((json_t *)world_outputs(world), i, output) {
        count += strcmp(look_text(output, "kind"), "log") != 0 &&
                 strcmp(look_text(output, "kind"), "admitted") != 0;
    }
    return count;
}

/* Two registers name the sponsor; a third trial stands by itself. */
static void tell_two_sponsors(struct world *world) {
    tell_trial(world, "ctis/1", 1, "nct:NCT00000101", SPONSOR(LUND));
    tell_trial(world, "ctgov/1", 1, "nct:NCT00000101", SPONSOR(LEIDEN));
    tell_trial(world, "euctr/1", 1, "nct:NCT00000901", SPONSOR(LUND));
}

static const char *sponsor(struct world *world) {
    return look_text(world_entity_of(world, "ctis/1"), "value.sponsor.org");
}

/* --- in force --- */

static void rules_publish_nothing_and_remerge_entries_do(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_two_sponsors(world);
    edit(&changing, BELIEVED, TURNED);
    size_t before = published(world);
    assert_string_equal(sponsor(world), "ror:" LUND);
    assert_true(world_rule(world, &changing.other));
    assert_true(world_fold(world));
    assert_string_equal(world_rules(world), ruling_hash(&changing.other));
    assert_int_equal(published(world), before);
    fold_all(world);
    assert_string_equal(sponsor(world), "ror:" LEIDEN);
    assert_string_equal(look_text(world_entity_of(world, "ctis/1"), "rules"),
                        ruling_hash(&changing.other));
    struct hub_fold_counts counts = world_fold_counts(world);
    assert_int_equal(counts.ruled, 1 + 1 + 32);
    assert_int_equal(counts.overruled, 0);
    assert_int_equal(counts.read, counts.ruled + 3);
    end(&changing);
}

static void what_stays_the_same_is_not_published_again(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    tell_two_sponsors(changing.world);
    edit(&changing, BELIEVED, TURNED);
    change(&changing);
    const json_t *entity = world_entity_of(changing.world, "euctr/1");
    assert_int_equal(look_number(entity, "revision"), 1);
    assert_string_equal(look_text(entity, "rules"), ruling_hash(&changing.own));
    tell_trial(changing.world, "euctr/1", 2, "nct:NCT00000901", SPONSOR(LEIDEN));
    assert_string_equal(look_text(world_entity_of(changing.world, "euctr/1"), "rules"),
                        ruling_hash(&changing.other));
    end(&changing);
}

static void another_severity_changes_the_conflict_and_the_records_that_name_it(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    tell_two_sponsors(changing.world);
    const char *id = look_text(world_entity_of(changing.world, "ctis/1"), "conflicts.0.conflict_id");
    edit(&changing, "'hub:conflict': 'minor'", "'hub:conflict': 'critical'");
    change(&changing);
    assert_string_equal(tell_each(changing.world, "conflict", id, "value.transition"), "OPENED CHANGED");
    assert_string_equal(look_text(world_conflict(changing.world, id), "severity"), "CRITICAL");
    assert_string_equal(look_text(world_entity_of(changing.world, "ctgov/1"),
                                  "conflicts.0.severity"), "CRITICAL");
    end(&changing);
}

static void a_difference_that_counts_no_more_is_resolved(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    tell_two_sponsors(changing.world);
    const char *id = look_text(world_entity_of(changing.world, "ctis/1"), "conflicts.0.conflict_id");
    edit(&changing, "'hub:conflict': 'minor'", "'hub:conflict': 'ignore'");
    change(&changing);
    assert_string_equal(tell_each(changing.world, "conflict", id, "value.transition"),
                        "OPENED RESOLVED");
    assert_int_equal(world_count_open(world_conflicts(changing.world)), 0);
    end(&changing);
}

static void a_number_that_joins_no_more_splits_and_one_that_joins_again_merges(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_two_sponsors(world);
    const char *id = tell_id(world, "ctis/1");
    edit(&changing, "['nct', 'euct',", "['euct',");
    change(&changing);
    assert_string_not_equal(tell_id(world, "ctgov/1"), id);
    assert_string_equal(tell_id(world, "ctis/1"), id);
    assert_int_equal(world_count_active(world_unified(world)), 3);
    assert_true(world_rule(world, &changing.own));
    fold_all(world);
    assert_string_equal(tell_id(world, "ctgov/1"), id);
    assert_int_equal(world_count_active(world_unified(world)), 2);
    end(&changing);
}

static void overlaps_follow_the_rules(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "gmp-slot");
    struct world *world = changing.world;
    tell_slot(world, "lumc-mes/1", 1, "A", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/2", 1, "A", "10-14", "BOOKED");
    assert_int_equal(world_count_open(world_conflicts(world)), 1);
    edit(&changing, "'hub:exclusive': {'of': 'suite', 'interval': 'interval', 'status': 'status',\n"
                    "  'active': ['HELD', 'BOOKED', 'IN_USE'], 'conflict': 'critical'},", "");
    change(&changing);
    assert_int_equal(world_count_open(world_conflicts(world)), 0);
    tell_slot(world, "lumc-mes/3", 1, "A", "09-10", "BOOKED");
    assert_int_equal(world_count_open(world_conflicts(world)), 0);
    assert_true(world_rule(world, &changing.own));
    fold_all(world);
    assert_int_equal(world_count_open(world_conflicts(world)), 2);
    end(&changing);
}

static void another_severity_of_an_overlap_is_told_by_both_its_entities(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "gmp-slot");
    struct world *world = changing.world;
    tell_slot(world, "lumc-mes/1", 1, "A", "08-12", "BOOKED");
    tell_slot(world, "lumc-mes/2", 1, "A", "10-14", "BOOKED");
    edit(&changing, "'conflict': 'critical'}", "'conflict': 'minor'}");
    change(&changing);
    assert_string_equal(look_text(world_entity_of(world, "lumc-mes/1"), "conflicts.0.severity"),
                        "MINOR");
    assert_string_equal(look_text(world_entity_of(world, "lumc-mes/2"), "conflicts.0.severity"),
                        "MINOR");
    end(&changing);
}

/* Statements that were taken back stay so; of entities in one part of the ids each has its turn. */
static void a_range_is_merged_again_as_a_whole(void **state) {
    struct changing changing;
    char key[32], number[32];
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "ctis/%d", i);
        snprintf(number, sizeof number, "nct:NCT%08d", 100 * i + 101);
        tell_trial(world, key, 1, number, SPONSOR(LUND));
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, number, SPONSOR(LEIDEN));
    }
    tell_trial_withdrawn(world, "ctis/7", 2);
    edit(&changing, BELIEVED, TURNED);
    ruling_replace(&changing.other, world_rules(world));
    world_append_log(world, 0, "rules/alone", ruling_message(&changing.other));
    world_append_log(world, 0, "remerge/a-part-that-is-longer-than-any-id-of-an-entity",
                     ruling_message(&changing.other));
    fold_all(world);
    assert_string_equal(sponsor(world), "ror:" LUND);
    world_append_log(world, 0, "remerge/", ruling_message(&changing.other)); /* the end of all */
    fold_all(world);
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "ctgov/%d", i);
        assert_string_equal(look_text(world_entity_of(world, key), "value.sponsor.org"),
                            "ror:" LEIDEN);
    }
    end(&changing);
}

static void resemblance_follows_the_rules(void **state) {
    static const char alike[] = "'titles': [{'lang': 'en', 'text': 'T'}], " SPONSOR(LUND)
                                ", 'start': {'value': '2019-03-01', 'precision': 'MONTH'}";
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_trial(world, "ctis/1", 1, "nct:NCT00000101", alike);
    tell_trial(world, "ctgov/1", 1, "nct:NCT00000901", alike);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    edit(&changing, "[['titles', 'sponsor', 'start']]", "[['acronym']]");
    change(&changing);
    assert_int_equal(world_count_open(world_matches(world)), 0);
    assert_true(world_rule(world, &changing.own));
    fold_all(world);
    assert_int_equal(world_count_open(world_matches(world)), 1);
    end(&changing);
}

/* Both are withdrawn before anything is merged again: what made them alike is no rule any more. */
static void nobody_is_asked_about_entities_that_went_before_they_were_merged_again(void **state) {
    static const char alike[] = "'titles': [{'lang': 'en', 'text': 'T'}], " SPONSOR(LUND)
                                ", 'start': {'value': '2019-03-01', 'precision': 'MONTH'}";
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_trial(world, "ctis/1", 1, "nct:NCT00000101", alike);
    tell_trial(world, "ctgov/1", 1, "nct:NCT00000901", alike);
    edit(&changing, "[['titles', 'sponsor', 'start']]", "[['acronym']]");
    world_name_rules(world, &changing.other); /* no first rules: without effect */
    assert_int_equal(world_fold_counts(world).overruled, 1);
    ruling_replace(&changing.other, world_rules(world));
    world_append_log(world, 0, "rules/alone", ruling_message(&changing.other));
    tell_trial_withdrawn(world, "ctis/1", 2);
    tell_trial_withdrawn(world, "ctgov/1", 2);
    assert_string_equal(world_rules(world), ruling_hash(&changing.other));
    assert_int_equal(world_count_open(world_matches(world)), 0);
    end(&changing);
}

static void a_system_that_the_rules_do_not_declare_stays_and_is_believed_last(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_trial(world, "ctis/1", 1, "nct:NCT00000101", SPONSOR(LUND));
    tell_trial(world, "ctgov/1", 1, "nct:NCT00000101", SPONSOR(LEIDEN));
    tell_trial(world, "ctgov/2", 1, "nct:NCT00000101", NULL);
    tell_trial(world, "eclaire/2", 1, "nct:NCT00000901", NULL);
    edit(&changing, "'hub:systems': ['ctis', ", "'hub:systems': [");
    edit(&changing, "'ctgov', 'eclaire', ", "'ctgov', ");
    edit(&changing, "'system:ctis', ", "");
    ruling_edit(&changing.other, &changing.other.texts.systems,
                "'ctis': {'title': 'EU Clinical Trials Information System', 'carriers': ['lumc']},",
                "");
    ruling_edit(&changing.other, &changing.other.texts.systems,
                "'eclaire': {'title': 'ECLAIRE, the French repository of clinical trials', "
                "'carriers': ['lu']},", "");
    change(&changing);
    assert_string_equal(sponsor(world), "ror:" LEIDEN);
    tell_trial(world, "ctis/2", 1, "nct:NCT00000101", "'acronym': 'STAR'");
    world_restart(world);
    tell_trial(world, "ctis/2", 2, "nct:NCT00000101", "'acronym': 'STARS'");
    assert_int_equal(look_count(world_entity_of(world, "ctis/1"), "statements"), 4);
    assert_true(world_rule(world, &changing.own));
    fold_all(world);
    assert_string_equal(sponsor(world), "ror:" LUND);
    end(&changing);
}

/* Of what two systems share a number before what one does; else nobody could be joined here. */
static void two_systems_that_the_rules_do_not_declare_are_two(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_trial(world, "ctis/1", 1, "nct:NCT00000101 idrcb:2019-A00001-11", NULL);
    tell_trial(world, "euctr/1", 1, "nct:NCT00000901 idrcb:2019-A00001-11", NULL);
    tell_trial(world, "euctr/2", 1, "idrcb:2019-A00001-11", NULL);
    assert_string_equal(tell_id(world, "ctis/1"), tell_id(world, "euctr/2"));
    edit(&changing, "'hub:systems': ['ctis', 'euctr', ", "'hub:systems': [");
    edit(&changing, "'system:ctis', 'system:euctr', ", "");
    edit(&changing, "'system:ctis', 'system:euctr'", "'system:isrctn'");
    ruling_edit(&changing.other, &changing.other.texts.systems,
                "'ctis': {'title': 'EU Clinical Trials Information System', 'carriers': ['lumc']},\n"
                "  'euctr': {'title': 'EU Clinical Trials Register', 'carriers': ['sus']},",
                "");
    change(&changing);
    assert_int_equal(world_count_active(world_unified(world)), 2);
    assert_string_equal(tell_id(world, "ctis/1"), tell_id(world, "euctr/2"));
    end(&changing);
}

static void what_is_withdrawn_claims_nothing_by_other_rules_either(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_two_sponsors(world);
    tell_trial_withdrawn(world, "ctgov/1", 2);
    edit(&changing, BELIEVED, TURNED);
    change(&changing);
    assert_string_equal(sponsor(world), "ror:" LUND);
    tell_trial_withdrawn(world, "ctis/1", 2);
    assert_true(json_is_null(world_listing(world, "nct:NCT00000101")));
    end(&changing);
}

static void a_range_of_entities_is_merged_again_by_id(void **state) {
    struct changing changing;
    char key[32], number[32];
    const char *last = "";
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    for (int i = 0; i < 4; i++) {
        snprintf(number, sizeof number, "nct:NCT0000%d10%d", i, i);
        snprintf(key, sizeof key, "ctis/%d", i);
        tell_trial(world, key, 1, number, SPONSOR(LUND));
        snprintf(key, sizeof key, "ctgov/%d", i);
        tell_trial(world, key, 1, number, SPONSOR(LEIDEN));
    }
    edit(&changing, BELIEVED, TURNED);
    ruling_replace(&changing.other, world_rules(world));
    world_append_log(world, 0, "rules/alone", ruling_message(&changing.other));
    fold_all(world);
    size_t before = json_array_size(world_outputs(world));
    world_append_log(world, 0, "remerge/", hub_bytes_of_text("")); /* the end of every id */
    fold_all(world);
    size_t told = 0;
    for (size_t i = before; i < json_array_size(world_outputs(world)); i++) {
        const json_t *output = json_array_get(world_outputs(world), i);
        if (strcmp(look_text(output, "kind"), "unified") != 0)
            continue;
        assert_true(strcmp(last, look_text(output, "key")) < 0);
        last = look_text(output, "key");
        told++;
    }
    assert_int_equal(told, 4);
    end(&changing);
}

/* --- without effect --- */

static void rules_that_replace_others_than_those_in_force_have_no_effect(void **state) {
    struct changing changing;
    (void)state;
    begin(&changing, "trial");
    struct world *world = changing.world;
    tell_two_sponsors(world);
    edit(&changing, BELIEVED, TURNED);
    assert_true(world_rule(world, &changing.other));
    edit(&changing, "'hub:conflict': 'minor'", "'hub:conflict': 'major'");
    assert_true(world_rule(world, &changing.other)); /* made before the first was taken */
    fold_all(world);
    assert_string_not_equal(world_rules(world), ruling_hash(&changing.other));
    assert_int_equal(world_fold_counts(world).overruled, 1);
    const char *in_force = hub_copy_text(world_rules(world));
    world_compact(world);
    world_restart(world);
    assert_string_equal(world_rules(world), in_force);
    hub_release((void *)in_force);
    end(&changing);
}

static void a_log_that_names_no_rules_is_folded_by_those_given(void **state) {
    struct changing changing;
    (void)state;
    changing.world = world_new("trial");
    ruling_begin(&changing.own, "trial");
    ruling_begin(&changing.other, "trial");
    tell_two_sponsors(changing.world);
    assert_string_equal(world_rules(changing.world), ruling_hash(&changing.own));
    edit(&changing, BELIEVED, TURNED);
    change(&changing);
    assert_string_equal(sponsor(changing.world), "ror:" LEIDEN);
    world_restart(changing.world);
    assert_string_equal(world_rules(changing.world), ruling_hash(&changing.other));
    end(&changing);
}

/* What was made for rules that were never in force is remembered, and changes nothing. */
static void a_log_whose_only_rules_had_no_effect_loads_with_those_given(void **state) {
    struct changing changing;
    (void)state;
    changing.world = world_new("trial");
    ruling_begin(&changing.own, "trial");
    ruling_begin(&changing.other, "trial");
    edit(&changing, BELIEVED, TURNED);
    ruling_replace(&changing.other, "0123456789abcdef");
    world_append_log(changing.world, 0, "rules/a", ruling_message(&changing.other));
    tell_two_sponsors(changing.world);
    world_restart(changing.world);
    assert_string_equal(world_rules(changing.world), ruling_hash(&changing.own));
    assert_int_equal(world_fold_counts(changing.world).overruled, 1);
    end(&changing);
}

/* --- what cannot be taken --- */

struct folding {
    struct ruling ruling;
    struct hub_fold *fold;
    struct hub_error error;
};

static void begin_fold(struct folding *folding) {
    ruling_begin(&folding->ruling, "trial");
    folding->fold = hub_fold_new(test_catalogue(), test_domain("trial"), &hub_sha256, 0);
}

static void end_fold(struct folding *folding) {
    hub_fold_free(folding->fold);
    ruling_end(&folding->ruling);
}

static struct hub_input rules_entry(struct folding *folding, struct hub_bytes message) {
    (void)folding;
    return (struct hub_input){.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text("rules/x"),
                              .value = message,
                              .offset = 41};
}

static void refuses(struct folding *folding, struct hub_bytes message, const char *words) {
    struct hub_outputs outputs = {.arena = &folding->ruling.arena};
    struct hub_input entry = rules_entry(folding, message);
    expect_refusal(hub_fold_entry(folding->fold, &entry, &outputs, &folding->error), HUB_FATAL,
                   &folding->error, "log.trial/0@41: rules that cannot be taken", words);
    assert_int_equal(outputs.count, 0);
    expect_ok(hub_fold_load(folding->fold, HUB_FOLD_LOG, &entry, &folding->error), &folding->error);
    expect_refusal(hub_fold_loaded(folding->fold, &folding->error), HUB_FATAL, &folding->error,
                   "log.trial/0@41: rules that cannot be taken", words);
    hub_fold_free(folding->fold);
    folding->fold = hub_fold_new(test_catalogue(), test_domain("trial"), &hub_sha256, 0);
}

static void rules_that_no_hub_wrote_stop_the_fold(void **state) {
    struct folding folding;
    (void)state;
    begin_fold(&folding);
    struct ruling *ruling = &folding.ruling;
    struct hub_bytes good = ruling_message(ruling);
    refuses(&folding, hub_bytes_part(good, 0, good.size - 1), "");
    ruling->entry.core = HUB_CORE_VERSION + 1;
    refuses(&folding, ruling_message(ruling), "made for core 2, this one is 1");
    ruling_replace(ruling, NULL);
    ruling->entry.rules = "0123456789abcdef";
    refuses(&folding, ruling_message(ruling), "the texts are the rules");
    ruling_replace(ruling, NULL);
    ruling->entry.domain = "nothing";
    refuses(&folding, ruling_message(ruling), "there is no domain 'nothing'");
    ruling_replace(ruling, NULL);
    ruling->entry.unified_schema = 1;
    refuses(&folding, ruling_message(ruling), "schema 1 is not registered as 'unified.trial'");
    ruling->entry.unified_schema = test_domain("batch")->unified->id;
    refuses(&folding, ruling_message(ruling), "is not registered as 'unified.trial'");
    ruling_edit(ruling, &ruling->texts.schema, "'acronym'", "'short_name'");
    ruling_replace(ruling, NULL);
    refuses(&folding, ruling_message(ruling), "acronym has another shape");
    ruling->texts.schema = hub_bytes_of_text("{");
    ruling_replace(ruling, NULL);
    refuses(&folding, ruling_message(ruling), "rules: schema");
    end_fold(&folding);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_publish_nothing_and_remerge_entries_do),
        cmocka_unit_test(what_stays_the_same_is_not_published_again),
        cmocka_unit_test(another_severity_changes_the_conflict_and_the_records_that_name_it),
        cmocka_unit_test(a_difference_that_counts_no_more_is_resolved),
        cmocka_unit_test(a_number_that_joins_no_more_splits_and_one_that_joins_again_merges),
        cmocka_unit_test(overlaps_follow_the_rules),
        cmocka_unit_test(another_severity_of_an_overlap_is_told_by_both_its_entities),
        cmocka_unit_test(a_range_is_merged_again_as_a_whole),
        cmocka_unit_test(resemblance_follows_the_rules),
        cmocka_unit_test(nobody_is_asked_about_entities_that_went_before_they_were_merged_again),
        cmocka_unit_test(a_system_that_the_rules_do_not_declare_stays_and_is_believed_last),
        cmocka_unit_test(two_systems_that_the_rules_do_not_declare_are_two),
        cmocka_unit_test(what_is_withdrawn_claims_nothing_by_other_rules_either),
        cmocka_unit_test(a_range_of_entities_is_merged_again_by_id),
        cmocka_unit_test(rules_that_replace_others_than_those_in_force_have_no_effect),
        cmocka_unit_test(a_log_that_names_no_rules_is_folded_by_those_given),
        cmocka_unit_test(a_log_whose_only_rules_had_no_effect_loads_with_those_given),
        cmocka_unit_test(rules_that_no_hub_wrote_stop_the_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
