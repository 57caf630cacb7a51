/* connector remap: what was read is mapped again by the configuration as it is now. */
#include "connectors/again.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CHANGES_MAX = 500 /* in one transaction */ };

struct mapping_again {
    struct again again;
    int64_t since_ms;
    const struct hub_remap_change *changes;
    size_t change_count;
    int64_t documents; /* mapped again */
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
static enum hub_status check(struct mapping_again *mapping, struct hub_error *reterr) {
    const char *since = mapping->again.operation->since;
    if (since == NULL || !read_time(since, &mapping->since_ms))
        return hub_fail(reterr, HUB_REJECT, "--since: 2026-11-26 or 2026-11-26T14:00:00Z, in UTC, "
                        "would pass; or --letters with the places of dead letters");
    return again_check(&mapping->again, reterr);
}

static enum hub_status map_entry(void *context, const struct hub_journal_entry *entry,
                                 struct hub_error *reterr) {
    struct mapping_again *mapping = context;
    (void)reterr;
    if (entry->received_ms < mapping->since_ms || !again_has(&mapping->again, entry))
        return HUB_OK;
    hub_remap_document(mapping->again.remap, &entry->document, entry->sequence,
                       mapping->again.position.sequence + 1);
    mapping->documents++;
    return HUB_OK;
}

/* --- what is done --- */

static bool is_to_be_published(const struct hub_remap_change *change) {
    return change->verdict == HUB_REMAP_ADD || change->verdict == HUB_REMAP_REPLACE ||
           change->verdict == HUB_REMAP_WITHDRAW;
}

static enum hub_status write_change(struct mapping_again *mapping,
                                    const struct hub_remap_change *change, int64_t sequence,
                                    size_t index, struct hub_connector_counts *counts,
                                    struct hub_error *reterr) {
    struct again *again = &mapping->again;
    struct hub_outgoing outgoing;
    hub_remap_outgoing(again->remap, change, again->operation->reason, sequence, index,
                       &again->arena, &outgoing, counts);
    return again_write(again, again->topic, &outgoing, reterr);
}

static enum hub_status write_part(struct mapping_again *mapping, size_t from, size_t *ret_to,
                                  struct hub_connector_counts *counts, struct hub_error *reterr) {
    int64_t sequence = mapping->again.position.sequence + 1;
    size_t written = 0, i = from;
    for (; i < mapping->change_count && written < CHANGES_MAX; i++)
        if (is_to_be_published(&mapping->changes[i]))
            HUB_TRY(write_change(mapping, &mapping->changes[i], sequence, written++, counts,
                                 reterr));
    *ret_to = i;
    return again_write_position(&mapping->again, sequence, counts, reterr);
}

static size_t next_to_publish(const struct mapping_again *mapping, size_t from) {
    while (from < mapping->change_count && !is_to_be_published(&mapping->changes[from]))
        from++;
    return from;
}

/* Each transaction is whole by itself: where one fails, what is left differs still the next time. */
static enum hub_status publish(struct mapping_again *mapping, struct hub_error *reterr) {
    for (size_t from = 0; (from = next_to_publish(mapping, from)) < mapping->change_count;) {
        struct hub_connector_counts counts = mapping->again.position.counts;
        HUB_TRY(hub_producer_begin(mapping->again.producer, reterr));
        enum hub_status status = write_part(mapping, from, &from, &counts, reterr);
        if (status != HUB_OK) {
            hub_producer_abort(mapping->again.producer);
            return status;
        }
        HUB_TRY(hub_producer_commit(mapping->again.producer, reterr));
        mapping->again.position.counts = counts;
        mapping->again.position.sequence++;
    }
    return HUB_OK;
}

/* --- what is told --- */

/* What was never published is no news where it is refused again. */
static void print_change(struct mapping_again *mapping, const struct hub_remap_change *change) {
    static const char *const words[HUB_REMAP_VERDICTS] = {
        "add", "replace", "withdraw", NULL, NULL, NULL, "refuse"};
    const char *word = words[change->verdict];
    mapping->counts[change->verdict]++;
    if (word == NULL || (change->verdict == HUB_REMAP_REFUSED && !change->published))
        return;
    printf("%-8s %s%s%s\n", word, change->key,
           change->verdict == HUB_REMAP_REFUSED ? ": stays as it is: " : "",
           change->verdict == HUB_REMAP_REFUSED ? change->why : "");
}

static void print(struct mapping_again *mapping) {
    for (size_t i = 0; i < mapping->change_count; i++)
        print_change(mapping, &mapping->changes[i]);
    const int64_t *counts = mapping->counts;
    printf("documents %lld, added %lld, replaced %lld, withdrawn %lld, unchanged %lld, of other "
           "documents %lld, vanished %lld, refused %lld%s\n",
           (long long)mapping->documents, (long long)counts[HUB_REMAP_ADD],
           (long long)counts[HUB_REMAP_REPLACE], (long long)counts[HUB_REMAP_WITHDRAW],
           (long long)counts[HUB_REMAP_UNCHANGED], (long long)counts[HUB_REMAP_OTHER],
           (long long)counts[HUB_REMAP_VANISHED], (long long)counts[HUB_REMAP_REFUSED],
           mapping->again.operation->dry_run ? "; nothing was published" : "");
}

static enum hub_status map_again(struct mapping_again *mapping, struct hub_error *reterr) {
    struct again *again = &mapping->again;
    size_t ignored = 0;
    HUB_TRY(check(mapping, reterr));
    if (hub_mapping_builds_on_earlier(again->connector->mapping))
        return hub_fail(reterr, HUB_REJECT, "'%s' has records with 'update: patch' or 'blank': each is made of those "
                        "before it, and none can be made again without all after it; what the source says "
                        "anew would pass", again->connector->name);
    HUB_TRY(again_open(again, reterr));
    HUB_TRY(hub_journal_read(&again->journal, map_entry, mapping, &ignored, reterr));
    mapping->changes = hub_remap_decide(again->remap, &mapping->change_count);
    if (again->producer != NULL)
        HUB_TRY(publish(mapping, reterr));
    print(mapping);
    if (again->damaged > 0)
        return hub_fail(reterr, HUB_REJECT, "%zu places of the journal cannot be read; what was there "
                        "is as it was", again->damaged);
    return HUB_OK;
}

int operate_remap(const struct operation *operation, const struct hub_connector *connector) {
    struct mapping_again mapping = {.again = {.operation = operation, .connector = connector}};
    struct hub_error error;
    enum hub_status status = map_again(&mapping, &error);
    return again_close(&mapping.again, status, &error);
}
