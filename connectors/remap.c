/* connector remap: what was read is mapped again by the configuration as it is now. */
#include "connectors/kit/journal_use.h"
#include "connectors/kit/position.h"
#include "connectors/kit/presence.h"
#include "connectors/kit/remap.h"
#include "connectors/operate.h"
#include "hub/io/crypto.h"
#include "hub/io/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OK = 0, FINDINGS = 1, UNREACHABLE = 5, CHANGES_MAX = 500 /* in one transaction */ };

struct mapping_again {
    const struct operation *operation;
    const struct hub_connector *connector;
    struct hub_journal_config journal;
    struct hub_journal_list list;
    int64_t since_ms;
    struct hub_arena arena;
    struct hub_reader *reader;
    struct hub_producer *producer; /* NULL: nothing is written */
    struct hub_position position;
    struct hub_remap *remap;
    const char *topic;
    const struct hub_remap_change *changes;
    size_t change_count;
    int64_t documents; /* mapped again */
    size_t damaged;
    int64_t counts[HUB_REMAP_VERDICTS];
};

/* --- what is asked for --- */

static bool read_time(const char *text, int64_t *ret_ms) {
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm parts = {0};
        const char *end = strptime(text, forms[i], &parts);
        if (end != NULL && *end == '\0') {
            *ret_ms = (int64_t)timegm(&parts) * 1000;
            return true;
        }
    }
    return false;
}

/* HUB_REJECT where it must not be done so. */
static enum hub_status check(struct mapping_again *again, struct hub_error *reterr) {
    const struct operation *operation = again->operation;
    const char *name = again->connector->name, *reason = operation->reason;
    if (operation->since == NULL || !read_time(operation->since, &again->since_ms))
        return hub_fail(reterr, HUB_REJECT, "--since: 2026-11-26 or 2026-11-26T14:00:00Z, in UTC, "
                        "would pass");
    if (!operation->dry_run && (reason == NULL || *reason == '\0'))
        return hub_fail(reterr, HUB_REJECT, "--reason TEXT is missing: it stays with the position");
    if (hub_presence_runs(operation->state_folder, name))
        return hub_fail(reterr, HUB_REJECT, "'%s' runs; `connector stop %s` first", name, name);
    if (again->connector->keys.trial && hub_mapping_uses_keys(again->connector->mapping))
        return hub_fail(reterr, HUB_REJECT, "pseudonyms need keys; --keys names the folder that "
                        "holds them");
    return HUB_OK;
}

/* --- what there is --- */

static enum hub_status take_published(void *context, const struct hub_kafka_record *record,
                                      struct hub_error *reterr) {
    struct mapping_again *again = context;
    struct hub_bytes id = {0};
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, "ce_id") == 0)
            id = record->headers[i].value;
    if (!record->has_key || !record->has_value)
        return HUB_OK;
    return hub_remap_published(again->remap, record->key, record->value, id, reterr);
}

static enum hub_status read_published(struct mapping_again *again, struct hub_error *reterr) {
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
    struct mapping_again *again = context;
    struct hub_journal_item item = item_of(entry);
    (void)reterr;
    hub_journal_list_take(&again->list, &item);
    return HUB_OK;
}

static enum hub_status map_entry(void *context, const struct hub_journal_entry *entry,
                                 struct hub_error *reterr) {
    struct mapping_again *again = context;
    struct hub_journal_item item = item_of(entry);
    (void)reterr;
    if (entry->received_ms < again->since_ms || !hub_journal_list_has(&again->list, &item))
        return HUB_OK;
    hub_remap_document(again->remap, &entry->document, entry->sequence,
                       again->position.sequence + 1);
    again->documents++;
    return HUB_OK;
}

/* The producer first: whoever runs elsewhere after all is fenced, and what an earlier run left open is
 * over. */
static enum hub_status prepare(struct mapping_again *again, struct hub_error *reterr) {
    const struct operation *operation = again->operation;
    const struct hub_connector *connector = again->connector;
    size_t ignored = 0;
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
    HUB_TRY(read_published(again, reterr));
    HUB_TRY(hub_journal_read(&again->journal, map_entry, again, &ignored, reterr));
    again->changes = hub_remap_decide(again->remap, &again->change_count);
    return HUB_OK;
}

/* --- what is done --- */

static bool is_to_be_published(const struct hub_remap_change *change) {
    return change->verdict == HUB_REMAP_ADD || change->verdict == HUB_REMAP_REPLACE ||
           change->verdict == HUB_REMAP_WITHDRAW;
}

static enum hub_status write_change(struct mapping_again *again,
                                    const struct hub_remap_change *change, int64_t sequence,
                                    size_t index, struct hub_connector_counts *counts,
                                    struct hub_error *reterr) {
    struct hub_outgoing outgoing;
    hub_remap_outgoing(again->remap, change, again->operation->reason, sequence, index,
                       &again->arena, &outgoing, counts);
    struct hub_kafka_write write = {
        .topic = again->topic,
        .partition = -1,
        .has_key = true,
        .key = hub_bytes_of_text(outgoing.key),
        .value = outgoing.value,
        .headers = (const struct hub_kafka_header *)outgoing.headers,
        .header_count = outgoing.header_count};
    return hub_producer_write(again->producer, &write, reterr);
}

static enum hub_status write_part(struct mapping_again *again, size_t from, size_t *ret_to,
                                  struct hub_connector_counts *counts, struct hub_error *reterr) {
    const struct operation *operation = again->operation;
    struct hub_position_reason reason = {operation->who, operation->reason};
    int64_t sequence = again->position.sequence + 1;
    size_t written = 0, i = from;
    for (; i < again->change_count && written < CHANGES_MAX; i++)
        if (is_to_be_published(&again->changes[i]))
            HUB_TRY(write_change(again, &again->changes[i], sequence, written++, counts, reterr));
    *ret_to = i;
    return hub_position_write(again->producer, again->connector, again->position.text, sequence,
                              counts, &reason, reterr);
}

static size_t next_to_publish(const struct mapping_again *again, size_t from) {
    while (from < again->change_count && !is_to_be_published(&again->changes[from]))
        from++;
    return from;
}

/* Each transaction is whole by itself: where one fails, what is left differs still the next time. */
static enum hub_status publish(struct mapping_again *again, struct hub_error *reterr) {
    for (size_t from = 0; (from = next_to_publish(again, from)) < again->change_count;) {
        struct hub_connector_counts counts = again->position.counts;
        HUB_TRY(hub_producer_begin(again->producer, reterr));
        enum hub_status status = write_part(again, from, &from, &counts, reterr);
        if (status != HUB_OK) {
            hub_producer_abort(again->producer);
            return status;
        }
        HUB_TRY(hub_producer_commit(again->producer, reterr));
        again->position.counts = counts;
        again->position.sequence++;
    }
    return HUB_OK;
}

/* --- what is told --- */

/* What was never published is no news where it is refused again. */
static void print_change(struct mapping_again *again, const struct hub_remap_change *change) {
    static const char *const words[HUB_REMAP_VERDICTS] = {
        "add", "replace", "withdraw", NULL, NULL, NULL, "refuse"};
    const char *word = words[change->verdict];
    again->counts[change->verdict]++;
    if (word == NULL || (change->verdict == HUB_REMAP_REFUSED && !change->published))
        return;
    printf("%-8s %s%s%s\n", word, change->key,
           change->verdict == HUB_REMAP_REFUSED ? ": stays as it is: " : "",
           change->verdict == HUB_REMAP_REFUSED ? change->why : "");
}

static void print(struct mapping_again *again) {
    for (size_t i = 0; i < again->change_count; i++)
        print_change(again, &again->changes[i]);
    const int64_t *counts = again->counts;
    printf("documents %lld, added %lld, replaced %lld, withdrawn %lld, unchanged %lld, of other "
           "documents %lld, vanished %lld, refused %lld%s\n",
           (long long)again->documents, (long long)counts[HUB_REMAP_ADD],
           (long long)counts[HUB_REMAP_REPLACE], (long long)counts[HUB_REMAP_WITHDRAW],
           (long long)counts[HUB_REMAP_UNCHANGED], (long long)counts[HUB_REMAP_OTHER],
           (long long)counts[HUB_REMAP_VANISHED], (long long)counts[HUB_REMAP_REFUSED],
           again->operation->dry_run ? "; nothing was published" : "");
}

static enum hub_status map_again(struct mapping_again *again, struct hub_error *reterr) {
    HUB_TRY(check(again, reterr));
    HUB_TRY(prepare(again, reterr));
    if (again->producer != NULL)
        HUB_TRY(publish(again, reterr));
    print(again);
    if (again->damaged > 0)
        return hub_fail(reterr, HUB_REJECT, "%zu places of the journal cannot be read; what was there "
                        "is as it was", again->damaged);
    return HUB_OK;
}

int operate_remap(const struct operation *operation, const struct hub_connector *connector) {
    struct mapping_again again = {
        .operation = operation,
        .connector = connector,
        .journal = hub_journal_config_of(connector, operation->state_folder)};
    struct hub_error error;
    hub_log_open("connector", connector->name);
    again.topic = hub_arena_format(&again.arena, "ingest.%s.%s", connector->institution,
                                   connector->domain->name);
    enum hub_status status = map_again(&again, &error);
    hub_remap_free(again.remap);
    hub_journal_list_free(&again.list);
    hub_position_free(&again.position);
    hub_producer_free(again.producer);
    hub_reader_free(again.reader);
    hub_arena_destroy(&again.arena);
    if (status == HUB_OK)
        return OK;
    fprintf(stderr, "connector: %s\n", error.text);
    return status == HUB_RETRY ? UNREACHABLE : FINDINGS;
}
