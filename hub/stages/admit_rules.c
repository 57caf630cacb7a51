/* admit, for rules: whether they are what they say, may follow, and were rehearsed. Whether they
 * replace what is in force is for the fold to see. */
#include "hub/stages/admit_decision.h"

#include "hub/stages/fold.h"
#include "hub/stages/rules_entry.h"

#include <string.h>

struct checking {
    const struct hub_admit_decisions *decisions;
    const struct hub_input *input;
    struct hub_arena *arena;
    struct hub_rules_entry entry;
    const char *path; /* of what is wrong */
    struct hub_error *reterr;
};

static bool is_blank(const char *text) {
    return text[strspn(text, " \t\r\n")] == '\0';
}

static enum hub_status check_who_and_why(struct checking *checking) {
    const struct hub_rules_entry *entry = &checking->entry;
    checking->path = is_blank(entry->reason) ? "reason" : "decided_by";
    if (is_blank(entry->reason) || is_blank(entry->decided_by))
        return hub_fail(checking->reterr, HUB_REJECT, "rules without %s; a text would pass",
                        checking->path);
    checking->path = "replaces";
    if (entry->replaces == NULL)
        return hub_fail(checking->reterr, HUB_REJECT,
                        "the hash of the rules that these replace would pass");
    checking->path = "core";
    if (entry->core > HUB_CORE_VERSION)
        return hub_fail(checking->reterr, HUB_REJECT, "made for core %lld; at most %d would pass",
                        (long long)entry->core, HUB_CORE_VERSION);
    return HUB_OK;
}

/* A member of the report itself: its text is canonical, and no quote stands bare inside a text. */
static bool says(const struct checking *checking, const char *member, const char *value) {
    const char *wanted = hub_arena_format(checking->arena, "\"%s\":\"%s\"", member, value);
    return strstr(checking->entry.report, wanted) != NULL;
}

static enum hub_status check_report(struct checking *checking) {
    const struct hub_rules_entry *entry = &checking->entry;
    char hash[HUB_DIGEST_TEXT_SIZE];
    checking->path = "report";
    if (entry->report == NULL || entry->report_hash == NULL)
        return hub_fail(checking->reterr, HUB_REJECT,
                        "rules that nobody rehearsed; a report of `hubctl rules diff` would pass");
    struct hub_bytes report = hub_bytes_of_text(entry->report);
    if (report.size > HUB_RULES_REPORT_SIZE_MAX)
        return hub_fail(checking->reterr, HUB_REJECT, "%zu bytes; at most %d would pass",
                        report.size, HUB_RULES_REPORT_SIZE_MAX);
    if (!says(checking, "domain", entry->domain) || !says(checking, "from", entry->replaces) ||
        !says(checking, "to", entry->rules))
        return hub_fail(checking->reterr, HUB_REJECT,
                        "it is of other rules; one of '%s' from %s to %s would pass",
                        entry->domain, entry->replaces, entry->rules);
    checking->path = "report_hash";
    struct hub_digest digest = checking->decisions->digester->digest(report);
    hub_digest_text(&digest, HUB_DIGEST_SIZE, hash);
    if (strcmp(hash, entry->report_hash) != 0)
        return hub_fail(checking->reterr, HUB_REJECT, "the report's is %s, not %s", hash,
                        entry->report_hash);
    return HUB_OK;
}

static enum hub_status check_texts(struct checking *checking) {
    const struct hub_admit_decisions *decisions = checking->decisions;
    struct hub_rules *rules = NULL;
    checking->path = "rules";
    HUB_TRY(hub_rules_entry_compile(decisions->catalogue, &checking->entry, decisions->digester,
                                    &rules, checking->reterr));
    decisions->catalogue->compiler->release(rules);
    checking->path = "domain";
    const char *key = hub_arena_format(checking->arena, "%s%s", HUB_RULES_PREFIX,
                                       checking->entry.domain);
    if (!hub_bytes_equal_text(checking->input->key, key))
        return hub_fail(checking->reterr, HUB_REJECT, "the key %s would pass", key);
    return HUB_OK;
}

static enum hub_status check(struct checking *checking) {
    if (!checking->input->has_value)
        return hub_fail(checking->reterr, HUB_REJECT,
                        "a record without a value; other rules replace rules");
    HUB_TRY(hub_rules_entry_open(checking->decisions->catalogue, checking->input->value,
                                 checking->arena, &checking->entry, checking->reterr));
    HUB_TRY(check_who_and_why(checking));
    HUB_TRY(check_report(checking));
    return check_texts(checking);
}

/* --- entries --- */

static void write_entry(const struct checking *checking, int32_t shard, const char *key,
                        struct hub_bytes value, struct hub_outputs *outputs) {
    const struct hub_input *input = checking->input;
    struct hub_arena *arena = outputs->arena;
    const char *domain = checking->entry.domain;
    struct hub_output *output =
        hub_outputs_add(outputs, HUB_OUTPUT_LOG, shard, hub_bytes_of_text(key));
    const char *origin = hub_arena_format(arena, "%s/%d@%lld", checking->decisions->topic,
                                          input->partition, (long long)input->offset);
    output->topic = hub_arena_format(arena, "log.%s", domain);
    output->value = value; /* in the arena; one for all shards */
    struct hub_envelope envelope = {.id = hub_arena_format(arena, "%s/%s", origin, key),
                                    .source = "urn:atmp:hub:admit",
                                    .type = hub_arena_format(arena, "atmp.%s.ruled", domain),
                                    .subject = key,
                                    .has_time = true, .time_ms = input->timestamp_ms};
    hub_output_envelope(outputs, output, &envelope, input);
    hub_output_header_text(outputs, output, "hub_origin", origin);
}

static void write_entries(const struct checking *checking, struct hub_outputs *outputs) {
    const struct hub_catalogue *catalogue = checking->decisions->catalogue;
    const struct hub_input *input = checking->input;
    struct hub_arena *arena = outputs->arena;
    struct hub_rules_entry part = checking->entry;
    HUB_SCOPED_BUFFER message = {0};
    part.texts = (struct hub_rules_texts){0};
    part.report = NULL;
    hub_rules_entry_encode(&part, catalogue, &message);
    const char *rules = hub_arena_format(arena, "%s%s/%lld", HUB_RULES_PREFIX,
                                         checking->entry.rules, (long long)input->offset);
    struct hub_bytes whole = hub_bytes(
        hub_arena_text(arena, (const char *)input->value.data, input->value.size),
        input->value.size);
    struct hub_bytes without_texts =
        hub_bytes(hub_arena_text(arena, (const char *)message.data, message.size), message.size);
    int32_t shards = checking->decisions->shard_count(
        hub_catalogue_domain(catalogue, hub_bytes_of_text(part.domain)));
    for (int32_t shard = 0; shard < shards; shard++) {
        write_entry(checking, shard, rules, whole, outputs);
        for (const char *end = HUB_REMERGE_RANGES; *end != '\0'; end++)
            write_entry(checking, shard,
                        hub_arena_format(arena, "%s%c", HUB_REMERGE_PREFIX, *end), without_texts,
                        outputs);
    }
}

enum hub_status hub_admit_rules(const struct hub_admit_decisions *decisions,
                                const struct hub_input *input, struct hub_outputs *outputs,
                                const char **ret_path, struct hub_error *reterr) {
    struct checking checking = {
        .decisions = decisions, .input = input, .arena = outputs->arena, .reterr = reterr};
    enum hub_status status = check(&checking);
    *ret_path = checking.path;
    if (status == HUB_OK)
        write_entries(&checking, outputs);
    return status;
}
