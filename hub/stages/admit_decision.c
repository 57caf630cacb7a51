#include "hub/stages/admit_decision.h"

#include "hub/stages/erasure_entry.h"
#include "hub/stages/letter.h"
#include "hub/stages/record.h"
#include "hub/stages/rules_entry.h"
#include "schemas/lib/slice.h"

#include <string.h>

enum { SUBJECT_SIZE_MAX = 1024 };
/* The symbols of DecisionKind, in order. */
enum { CHOOSE = 0, DEFER, REOPEN, JOIN, SEPARATE, UNRECOGNISED };

struct checking {
    const struct hub_admit_decisions *decisions;
    const struct hub_input *input;
    struct hub_record record;
    const struct hub_domain *domain;
    int64_t shard;
    const char *path; /* of what is wrong */
    struct hub_error *reterr;
};

static struct hub_bytes text_of(const struct checking *checking, const char *name) {
    return hub_slice_octets(hub_record_field(&checking->record, name));
}

static bool is_blank(struct hub_bytes text) {
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] > ' ')
            return false;
    return true;
}

static enum hub_status check_who_and_why(struct checking *checking) {
    static const char *const needed[] = {"decision_id", "reason", "decided_by"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (is_blank(text_of(checking, needed[i]))) {
            checking->path = needed[i];
            return hub_fail(checking->reterr, HUB_REJECT, "a decision without %s; a text would pass",
                            needed[i]);
        }
    checking->path = "confirmed_by";
    if (hub_record_is_stated(&checking->record, "confirmed_by"))
        return hub_fail(checking->reterr, HUB_REJECT,
                        "nobody confirms a decision in the decision itself; the second person "
                        "decides the same");
    return HUB_OK;
}

static enum hub_status check_statements(struct checking *checking) {
    int64_t kind = hub_record_long(&checking->record, "kind");
    size_t statements = hub_record_count(&checking->record, "statements");
    size_t others = hub_record_count(&checking->record, "others");
    bool about_two = kind == JOIN || kind == SEPARATE;
    checking->path = "kind";
    if (kind >= UNRECOGNISED)
        return hub_fail(checking->reterr, HUB_REJECT,
                        "CHOOSE, DEFER, REOPEN, JOIN or SEPARATE would pass");
    checking->path = about_two ? "others" : "statements";
    if (about_two ? statements == 0 || others == 0 : others > 0 || (kind == CHOOSE) != (statements == 1))
        return hub_fail(checking->reterr, HUB_REJECT,
                        "%zu statements and %zu others; CHOOSE names one statement, JOIN and "
                        "SEPARATE at least one of each, DEFER and REOPEN none", statements, others);
    return HUB_OK;
}

static enum hub_status check_place(struct checking *checking) {
    struct hub_bytes subject = text_of(checking, "subject");
    checking->path = "domain";
    checking->domain =
        hub_catalogue_domain(checking->decisions->catalogue, text_of(checking, "domain"));
    if (checking->domain == NULL)
        return hub_fail(checking->reterr, HUB_REJECT, "there is no such domain");
    checking->path = "subject";
    if (subject.size == 0 || subject.size > SUBJECT_SIZE_MAX ||
        !checking->input->has_key || !hub_bytes_equal(checking->input->key, subject))
        return hub_fail(checking->reterr, HUB_REJECT,
                        "the record's key is not its subject, of 1 to %d bytes", SUBJECT_SIZE_MAX);
    checking->path = "shard";
    checking->shard = hub_record_long(&checking->record, "shard");
    int32_t count = checking->decisions->shard_count(checking->domain);
    if (checking->shard < 0 || checking->shard >= count)
        return hub_fail(checking->reterr, HUB_REJECT, "shard %lld of %d",
                        (long long)checking->shard, count);
    return HUB_OK;
}

static enum hub_status check(struct checking *checking, struct hub_buffer *scratch) {
    const struct hub_catalogue *catalogue = checking->decisions->catalogue;
    if (!checking->input->has_value)
        return hub_fail(checking->reterr, HUB_REJECT, "a record without a value; REOPEN takes a "
                        "decision back");
    HUB_TRY(hub_record_open(catalogue, hub_catalogue_latest(catalogue, "decision"),
                            checking->input->value, scratch, &checking->record, checking->reterr));
    HUB_TRY(check_place(checking));
    HUB_TRY(check_statements(checking));
    return check_who_and_why(checking);
}

static void write_entry(const struct checking *checking, struct hub_outputs *outputs) {
    const struct hub_input *input = checking->input;
    struct hub_arena *arena = outputs->arena;
    const char *key = hub_arena_format(arena, "decision/%.*s", (int)input->key.size,
                                       (const char *)input->key.data);
    struct hub_output *output = hub_outputs_add(outputs, HUB_OUTPUT_LOG, (int32_t)checking->shard,
                                                hub_bytes_of_text(key));
    output->topic = hub_arena_format(arena, "log.%s", checking->domain->name);
    output->value = hub_bytes(
        hub_arena_text(arena, (const char *)input->value.data, input->value.size),
        input->value.size);
    const char *origin = hub_arena_format(arena, "%s/%d@%lld", checking->decisions->topic,
                                          input->partition, (long long)input->offset);
    struct hub_envelope envelope = {.id = origin,
                                    .source = "urn:atmp:hub:admit",
                                    .type = hub_arena_format(arena, "atmp.%s.decided",
                                                             checking->domain->name),
                                    .subject = key,
                                    .has_time = true, .time_ms = input->timestamp_ms};
    hub_output_envelope(outputs, output, &envelope, input);
    hub_output_header_text(outputs, output, "hub_origin", origin);
}

static enum hub_status admit(struct checking *checking, struct hub_outputs *outputs) {
    HUB_SCOPED_BUFFER scratch = {0};
    if (hub_rules_entry_is(checking->input))
        return hub_admit_rules(checking->decisions, checking->input, outputs, &checking->path,
                               checking->reterr);
    if (hub_erasure_entry_is(checking->input))
        return hub_admit_erasure(checking->decisions, checking->input, outputs, &checking->path,
                                 checking->reterr);
    HUB_TRY(check(checking, &scratch));
    write_entry(checking, outputs);
    return HUB_OK;
}

enum hub_admit_decided hub_admit_decision(const struct hub_admit_decisions *decisions,
                                          const struct hub_input *input,
                                          struct hub_outputs *outputs) {
    struct hub_error error = {{0}};
    struct checking checking = {.decisions = decisions, .input = input, .reterr = &error};
    if (admit(&checking, outputs) == HUB_OK)
        return hub_rules_entry_is(input) ? HUB_ADMIT_RULED : HUB_ADMIT_DECIDED;
    struct hub_letter letter = {
        .schema = hub_catalogue_latest(decisions->catalogue, "deadletter"),
        .digester = decisions->digester,
        .stage = "admit",
        .topic = decisions->topic,
        .code = "DECISION",
        .path = checking.path,
        .reason = error.text};
    hub_letter_write(&letter, input, outputs);
    return HUB_ADMIT_DEAD;
}
