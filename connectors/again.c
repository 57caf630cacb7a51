#include "connectors/again.h"

#include "connectors/kit/presence.h"
#include "hub/io/crypto.h"
#include "hub/io/log.h"

#include <stdio.h>
#include <string.h>

enum { OK = 0, FINDINGS = 1, UNREACHABLE = 5 };

enum hub_status again_check(const struct again *again, struct hub_error *reterr) {
    const struct operation *operation = again->operation;
    const char *name = again->connector->name, *reason = operation->reason;
    if (!operation->dry_run && (reason == NULL || *reason == '\0'))
        return hub_fail(reterr, HUB_REJECT, "--reason TEXT is missing: it stays with the position");
    if (hub_presence_runs(operation->state_folder, name))
        return hub_fail(reterr, HUB_REJECT, "'%s' runs; `connector stop %s` first", name, name);
    if (again->connector->keys.trial && hub_mapping_uses_keys(again->connector->mapping))
        return hub_fail(reterr, HUB_REJECT, "pseudonyms and what is sealed need keys; --keys names the folder that "
                        "holds them");
    return HUB_OK;
}

/* --- what there is --- */

static enum hub_status take_published(void *context, const struct hub_kafka_record *record,
                                      struct hub_error *reterr) {
    struct again *again = context;
    struct hub_bytes id = {0};
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, "ce_id") == 0)
            id = record->headers[i].value;
    if (!record->has_key || !record->has_value)
        return HUB_OK;
    return hub_remap_published(again->remap, record->key, record->value, id, reterr);
}

static enum hub_status read_published(struct again *again, struct hub_error *reterr) {
    int32_t partitions = 0;
    HUB_TRY(hub_reader_partition_count(again->reader, again->topic, &partitions, reterr));
    for (int32_t i = 0; i < partitions; i++)
        HUB_TRY(hub_read_settled(again->reader, again->topic, i, take_published, again, reterr));
    return HUB_OK;
}

static struct hub_journal_item item_of(const struct hub_journal_entry *entry) {
    return (struct hub_journal_item){.sequence = entry->sequence,
                                     .received_ms = entry->received_ms,
                                     .empty = entry->empty,
                                     .raw_hash = hub_sha256.digest(entry->document.bytes)};
}

static enum hub_status take_entry(void *context, const struct hub_journal_entry *entry,
                                  struct hub_error *reterr) {
    struct again *again = context;
    struct hub_journal_item item = item_of(entry);
    (void)reterr;
    hub_journal_list_take(&again->list, &item);
    return HUB_OK;
}

bool again_has(const struct again *again, const struct hub_journal_entry *entry) {
    struct hub_journal_item item = item_of(entry);
    return hub_journal_list_has(&again->list, &item);
}

enum hub_status again_open(struct again *again, struct hub_error *reterr) {
    const struct operation *operation = again->operation;
    const struct hub_connector *connector = again->connector;
    hub_log_open("connector", connector->name);
    again->topic = hub_arena_format(&again->arena, "ingest.%s.%s", connector->institution,
                                    connector->domain->name);
    again->journal = hub_journal_config_of(connector, operation->state_folder);
    HUB_TRY(hub_reader_new(operation->bootstrap, &again->reader, reterr));
    if (!operation->dry_run)
        HUB_TRY(hub_producer_new(operation->bootstrap,
                                 hub_connector_transactional_id(connector, &again->arena),
                                 &again->producer, reterr));
    HUB_TRY(hub_position_read(again->reader, connector, &again->position, reterr));
    if (again->position.text == NULL)
        return hub_fail(reterr, HUB_REJECT, "'%s' has not read anything yet", connector->name);
    HUB_TRY(hub_journal_read(&again->journal, take_entry, again, &again->damaged, reterr));
    hub_journal_list_end(&again->list, again->position.sequence);
    again->remap = hub_remap_new(connector, &again->list);
    return read_published(again, reterr);
}

int again_close(struct again *again, enum hub_status status, const struct hub_error *error) {
    hub_remap_free(again->remap);
    hub_journal_list_free(&again->list);
    hub_position_free(&again->position);
    hub_producer_free(again->producer);
    hub_reader_free(again->reader);
    hub_arena_destroy(&again->arena);
    if (status == HUB_OK)
        return OK;
    fprintf(stderr, "connector: %s\n", error->text);
    return status == HUB_RETRY ? UNREACHABLE : FINDINGS;
}

/* --- what is written --- */

enum hub_status again_write(struct again *again, const char *topic,
                            const struct hub_outgoing *outgoing, struct hub_error *reterr) {
    struct hub_kafka_write write = {
        .topic = topic,
        .partition = outgoing->dead ? 0 : -1,
        .has_key = true,
        .key = hub_bytes_of_text(outgoing->key),
        .value = outgoing->value,
        .headers = (const struct hub_kafka_header *)outgoing->headers,
        .header_count = outgoing->header_count};
    return hub_producer_write(again->producer, &write, reterr);
}

enum hub_status again_write_position(struct again *again, int64_t sequence,
                                     const struct hub_connector_counts *counts,
                                     struct hub_error *reterr) {
    struct hub_position_reason reason = {again->operation->who, again->operation->reason};
    return hub_position_write(again->producer, again->connector, again->position.text, sequence,
                              counts, &reason, reterr);
}
