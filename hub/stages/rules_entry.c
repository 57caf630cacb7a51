#include "hub/stages/rules_entry.h"

#include "hub/stages/record.h"
#include "schemas/lib/encode.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"

#include <string.h>

void hub_rules_entry_encode(const struct hub_rules_entry *entry,
                            const struct hub_catalogue *catalogue, struct hub_buffer *message) {
    hub_frame_append(message, hub_catalogue_latest(catalogue, "rules")->id);
    hub_encode_text(message, entry->domain);
    hub_encode_text(message, entry->rules);
    hub_encode_optional_text(message, entry->replaces);
    hub_encode_long(message, entry->core);
    hub_encode_long(message, entry->unified_schema);
    hub_encode_octets(message, entry->texts.schema);
    hub_encode_octets(message, entry->texts.schemes);
    hub_encode_octets(message, entry->texts.systems);
    hub_encode_octets(message, entry->texts.organisations);
    hub_encode_optional_text(message, entry->report);
    hub_encode_optional_text(message, entry->report_hash);
    hub_encode_text(message, entry->reason);
    hub_encode_text(message, entry->decided_by);
    hub_encode_long(message, entry->decided_time_ms);
}

static struct hub_bytes octets_of(const struct hub_record *record, const char *name,
                                  struct hub_arena *arena) {
    struct hub_bytes bytes;
    if (hub_slice_stated(hub_record_type(record, name), hub_record_field(record, name), &bytes) ==
        NULL)
        return hub_bytes(NULL, 0);
    struct hub_bytes octets = hub_slice_octets(bytes);
    return hub_bytes(hub_arena_text(arena, (const char *)octets.data, octets.size), octets.size);
}

enum hub_status hub_rules_entry_open(const struct hub_catalogue *catalogue,
                                     struct hub_bytes message, struct hub_arena *arena,
                                     struct hub_rules_entry *ret_entry, struct hub_error *reterr) {
    struct hub_record record;
    HUB_SCOPED_BUFFER scratch = {0};
    HUB_TRY(hub_record_open(catalogue, hub_catalogue_latest(catalogue, "rules"), message, &scratch,
                            &record, reterr));
#define OCTETS(name) octets_of(&record, name, arena)
#define TEXT(name) ((const char *)OCTETS(name).data) /* NULL where it is null */
    *ret_entry = (struct hub_rules_entry){
        .domain = TEXT("domain"),
        .rules = TEXT("rules"),
        .replaces = TEXT("replaces"),
        .core = hub_record_long(&record, "core"),
        .unified_schema = hub_record_long(&record, "unified_schema"),
        .texts = {OCTETS("schema"), OCTETS("schemes"), OCTETS("systems"), OCTETS("organisations")},
        .report = TEXT("report"),
        .report_hash = TEXT("report_hash"),
        .reason = TEXT("reason"),
        .decided_by = TEXT("decided_by"),
        .decided_time_ms = hub_record_long(&record, "decided_time")};
#undef OCTETS
#undef TEXT
    return HUB_OK;
}

static enum hub_status check(const struct hub_catalogue *catalogue,
                             const struct hub_rules_entry *entry, struct hub_rules *rules,
                             struct hub_error *reterr) {
    struct hub_domain *own = &rules->domain;
    const struct hub_domain *domain =
        hub_catalogue_domain(catalogue, hub_bytes_of_text(entry->domain));
    const struct hub_schema *unified =
        hub_catalogue_by_id(catalogue, (int32_t)entry->unified_schema);
    if (domain == NULL)
        return hub_fail(reterr, HUB_REJECT, "there is no domain '%s'", entry->domain);
    if (strcmp(own->rules, entry->rules) != 0)
        return hub_fail(reterr, HUB_REJECT, "the texts are the rules %s, not %s", own->rules,
                        entry->rules);
    if (unified == NULL || strcmp(unified->subject, domain->unified->subject) != 0)
        return hub_fail(reterr, HUB_REJECT, "schema %lld is not registered as '%s'",
                        (long long)entry->unified_schema, domain->unified->subject);
    const char *refusal = hub_rules_refusal(domain, own, &rules->arena);
    if (refusal != NULL)
        return hub_fail(reterr, HUB_REJECT, "these rules cannot follow: %s", refusal);
    own->unified = unified;
    return HUB_OK;
}

enum hub_status hub_rules_entry_compile(const struct hub_catalogue *catalogue,
                                        const struct hub_rules_entry *entry,
                                        const struct hub_digester *digester,
                                        struct hub_rules **ret_rules, struct hub_error *reterr) {
    struct hub_rules *rules = NULL;
    HUB_TRY(catalogue->compiler->compile(&entry->texts, digester, &rules, reterr));
    enum hub_status status = check(catalogue, entry, rules, reterr);
    if (status == HUB_OK)
        *ret_rules = rules;
    else
        catalogue->compiler->release(rules);
    return status;
}

static bool begins(const struct hub_input *entry, const char *prefix, struct hub_bytes *ret_rest) {
    size_t size = strlen(prefix);
    if (!entry->has_key || entry->key.size < size || memcmp(entry->key.data, prefix, size) != 0)
        return false;
    *ret_rest = hub_bytes_part(entry->key, size, entry->key.size);
    return true;
}

bool hub_rules_entry_is(const struct hub_input *entry) {
    struct hub_bytes rest;
    return begins(entry, HUB_RULES_PREFIX, &rest);
}

bool hub_remerge_entry_is(const struct hub_input *entry, struct hub_bytes *ret_end) {
    return begins(entry, HUB_REMERGE_PREFIX, ret_end);
}
