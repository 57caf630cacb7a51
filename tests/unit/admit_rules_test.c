/* admit_rules: which rules reach the logs of their domain, and why others do not. */
#include "hub/io/crypto.h"
#include "hub/stages/admit_decision.h"
#include "hub/stages/fold.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/look.h"
#include "tests/lib/ruling.h"

#include <string.h>

enum { SHARDS = 2 };

static int32_t two_shards(const struct hub_domain *domain) {
    (void)domain;
    return SHARDS;
}

struct admitting {
    struct ruling ruling;
    const char *key;
    struct hub_outputs outputs;
};

/* Other rules that are good to be admitted. */
static void begin(struct admitting *admitting) {
    *admitting = (struct admitting){.key = "rules/trial"};
    ruling_begin(&admitting->ruling, "trial");
    ruling_edit(&admitting->ruling, &admitting->ruling.texts.schema, "'hub:conflict': 'minor'",
                "'hub:conflict': 'major'");
    ruling_replace(&admitting->ruling, admitting->ruling.domain->rules);
}

static void end(struct admitting *admitting) {
    ruling_end(&admitting->ruling);
}

static enum hub_admit_decided admit_bytes(struct admitting *admitting, struct hub_bytes value) {
    struct hub_admit_decisions decisions = {.catalogue = test_catalogue(),
                                            .digester = &hub_sha256,
                                            .topic = "decision",
                                            .shard_count = two_shards};
    struct hub_input input = {.has_key = true,
                              .has_value = value.data != NULL,
                              .key = hub_bytes_of_text(admitting->key),
                              .value = value,
                              .offset = 7,
                              .timestamp_ms = 1};
    admitting->outputs = (struct hub_outputs){.arena = &admitting->ruling.arena};
    return hub_admit_decision(&decisions, &input, &admitting->outputs);
}

static enum hub_admit_decided admit(struct admitting *admitting) {
    return admit_bytes(admitting, ruling_message(&admitting->ruling));
}

static void refuses_bytes(struct admitting *admitting, struct hub_bytes value, const char *path,
                          const char *words) {
    assert_int_equal(admit_bytes(admitting, value), HUB_ADMIT_DEAD);
    assert_int_equal(admitting->outputs.count, 1);
    assert_int_equal(admitting->outputs.items[0].kind, HUB_OUTPUT_DEADLETTER);
    json_t *letter = test_render(admitting->outputs.items[0].value);
    if (path == NULL)
        assert_null(look_text(letter, "path"));
    else
        assert_string_equal(look_text(letter, "path"), path);
    if (strstr(look_text(letter, "reason"), words) == NULL)
        fail_msg("'%s' does not say '%s'", look_text(letter, "reason"), words);
    json_decref(letter);
}

static void refuses(struct admitting *admitting, const char *path, const char *words) {
    refuses_bytes(admitting, ruling_message(&admitting->ruling), path, words);
    ruling_replace(&admitting->ruling, admitting->ruling.domain->rules);
}

static void rules_go_to_every_shard_with_a_remerge_for_each_part_of_the_ids(void **state) {
    struct admitting admitting;
    struct hub_rules_entry part;
    struct hub_error error;
    (void)state;
    begin(&admitting);
    assert_int_equal(admit(&admitting), HUB_ADMIT_RULED);
    assert_int_equal(admitting.outputs.count, SHARDS * (1 + strlen(HUB_REMERGE_RANGES)));
    for (size_t i = 0; i < admitting.outputs.count; i++) {
        const struct hub_output *output = &admitting.outputs.items[i];
        struct hub_input entry = {.has_key = true, .key = output->key};
        size_t place = i % (1 + strlen(HUB_REMERGE_RANGES));
        struct hub_bytes end;
        assert_int_equal(output->kind, HUB_OUTPUT_LOG);
        assert_string_equal(output->topic, "log.trial");
        assert_int_equal(output->partition, i / (1 + strlen(HUB_REMERGE_RANGES)));
        assert_int_equal(hub_rules_entry_is(&entry), place == 0);
        assert_int_equal(hub_remerge_entry_is(&entry, &end), place > 0);
        if (place == 0)
            assert_true(hub_bytes_equal(output->value, ruling_message(&admitting.ruling)));
        else
            assert_int_equal(end.data[0], HUB_REMERGE_RANGES[place - 1]);
        if (place > 0)
            assert_int_equal(hub_rules_entry_open(test_catalogue(), output->value,
                                                  &admitting.ruling.arena, &part, &error), HUB_OK);
    }
    assert_string_equal(part.rules, ruling_hash(&admitting.ruling));
    assert_int_equal(part.texts.schema.size, 0);
    assert_null(part.report);
    end(&admitting);
}

static void each_activation_has_a_key_of_its_own(void **state) {
    struct admitting admitting;
    char key[64];
    (void)state;
    begin(&admitting);
    admit(&admitting);
    snprintf(key, sizeof key, "rules/%s/7", ruling_hash(&admitting.ruling));
    assert_true(hub_bytes_equal_text(admitting.outputs.items[0].key, key));
    end(&admitting);
}

static void rules_need_a_person_and_a_reason(void **state) {
    struct admitting admitting;
    (void)state;
    begin(&admitting);
    admitting.ruling.entry.reason = " \n";
    refuses(&admitting, "reason", "rules without reason");
    admitting.ruling.entry.decided_by = "";
    refuses(&admitting, "decided_by", "rules without decided_by");
    end(&admitting);
}

static void rules_say_what_they_replace_and_for_which_core(void **state) {
    struct admitting admitting;
    (void)state;
    begin(&admitting);
    admitting.ruling.entry.replaces = NULL;
    refuses(&admitting, "replaces", "that these replace");
    admitting.ruling.entry.core = HUB_CORE_VERSION + 1;
    refuses(&admitting, "core", "made for core");
    end(&admitting);
}

static void rules_are_rehearsed_before(void **state) {
    struct admitting admitting;
    struct hub_rules_entry *entry = &admitting.ruling.entry;
    (void)state;
    begin(&admitting);
    entry->report = NULL;
    refuses(&admitting, "report", "nobody rehearsed");
    entry->report_hash = NULL;
    refuses(&admitting, "report", "nobody rehearsed");
    entry->report_hash = "00";
    refuses(&admitting, "report_hash", "not 00");
    char *long_report = hub_arena_take_zero(&admitting.ruling.arena, 1,
                                            HUB_RULES_REPORT_SIZE_MAX + 2);
    memset(long_report, ' ', HUB_RULES_REPORT_SIZE_MAX + 1);
    entry->report = long_report;
    refuses(&admitting, "report", "at most");
    end(&admitting);
}

static void a_report_of_other_rules_is_refused(void **state) {
    static const char *const reports[] = {
        "{\"domain\":\"batch\",\"from\":\"%s\",\"to\":\"%s\"}",
        "{\"domain\":\"trial\",\"from\":\"%.3s\",\"to\":\"%s\"}",
        "{\"domain\":\"trial\",\"from\":\"%s\",\"to\":\"%.3s\"}"};
    struct admitting admitting;
    struct hub_rules_entry *entry = &admitting.ruling.entry;
    (void)state;
    begin(&admitting);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < 3; i++) {
        entry->report = hub_arena_format(&admitting.ruling.arena, reports[i], entry->replaces,
                                         entry->rules);
        refuses(&admitting, "report", "it is of other rules");
    }
#pragma GCC diagnostic pop
    end(&admitting);
}

static void rules_are_what_they_say(void **state) {
    struct admitting admitting;
    struct ruling *ruling = &admitting.ruling;
    (void)state;
    begin(&admitting);
    ruling_edit(ruling, &ruling->texts.schema, "'hub:conflict': 'major'",
                "'hub:conflict': 'critical'");
    refuses(&admitting, "rules", "the texts are the rules");
    ruling->texts.schemes = hub_bytes_of_text("[");
    ruling_replace(ruling, ruling->domain->rules);
    refuses(&admitting, "rules", "rules: schemes");
    end(&admitting);
}

static void a_key_of_another_domain_and_a_record_of_something_else_are_refused(void **state) {
    struct admitting admitting;
    (void)state;
    begin(&admitting);
    admitting.key = "rules/batch";
    refuses(&admitting, "domain", "the key rules/trial would pass");
    refuses_bytes(&admitting, hub_bytes(NULL, 0), NULL, "without a value");
    refuses_bytes(&admitting, hub_bytes_of_text("junk"), NULL, "");
    end(&admitting);
}

static void another_shard_field_is_refused(void **state) {
    struct admitting admitting;
    (void)state;
    begin(&admitting);
    ruling_end(&admitting.ruling);
    ruling_begin(&admitting.ruling, "gmp-slot");
    admitting.key = "rules/gmp-slot";
    ruling_edit(&admitting.ruling, &admitting.ruling.texts.schema, "'hub:shard': 'facility',",
                "'hub:shard': 'suite',");
    ruling_replace(&admitting.ruling, admitting.ruling.domain->rules);
    refuses(&admitting, "rules", "hub:shard names another field");
    ruling_end(&admitting.ruling);
    ruling_begin(&admitting.ruling, "gmp-slot");
    ruling_edit(&admitting.ruling, &admitting.ruling.texts.schema, "'hub:domain': 'gmp-slot'",
                "'hub:domain': 'slot'");
    ruling_replace(&admitting.ruling, admitting.ruling.domain->rules);
    refuses(&admitting, "rules", "they are of 'slot', not of 'gmp-slot'");
    end(&admitting);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_go_to_every_shard_with_a_remerge_for_each_part_of_the_ids),
        cmocka_unit_test(each_activation_has_a_key_of_its_own),
        cmocka_unit_test(rules_need_a_person_and_a_reason),
        cmocka_unit_test(rules_say_what_they_replace_and_for_which_core),
        cmocka_unit_test(rules_are_rehearsed_before),
        cmocka_unit_test(a_report_of_other_rules_is_refused),
        cmocka_unit_test(rules_are_what_they_say),
        cmocka_unit_test(a_key_of_another_domain_and_a_record_of_something_else_are_refused),
        cmocka_unit_test(another_shard_field_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
