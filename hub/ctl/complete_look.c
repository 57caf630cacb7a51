/* Reading what hubctl complete compares. In this order, so that nothing that moves meanwhile
 * looks like a loss: the manifests, how far admit has read, the logs, the ingest topics.
 * Whatever is in a log is then in an ingest topic that was read, too, and what is in one and in
 * no log was told after a manifest, or after admit was asked. */
#include "hub/ctl/complete.h"

#include "hub/base/table.h"
#include "hub/base/text.h"
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/stages/readers.h"
#include "schemas/lib/slice.h"

#include <stdio.h>

struct entry {
    UT_hash_handle hh;
    struct hub_complete_row row;
};

struct hub_complete_rows {
    struct entry *entries;
};

struct hub_complete_row *hub_complete_row_find(struct hub_complete_source *source,
                                               struct hub_bytes key) {
    struct entry *entry = NULL;
    HASH_FIND(hh, source->rows->entries, key.data, key.size, entry);
    return entry == NULL ? NULL : &entry->row;
}

static struct hub_complete_row *need_row(struct hub_complete *complete,
                                         struct hub_complete_source *source,
                                         struct hub_bytes key) {
    struct hub_complete_row *row = hub_complete_row_find(source, key);
    if (row != NULL)
        return row;
    struct entry *entry = hub_arena_take_zero(&complete->arena, 1, sizeof *entry);
    entry->row.key = hub_arena_text(&complete->arena, (const char *)key.data, key.size);
    entry->row.origin = entry->row.offset = -1;
    HASH_ADD_KEYPTR(hh, source->rows->entries, entry->row.key, key.size, entry);
    return &entry->row;
}

struct hub_complete_source *hub_complete_source_find(struct hub_complete *complete,
                                                     struct hub_bytes institution,
                                                     struct hub_bytes system,
                                                     const struct hub_domain *domain) {
    for (size_t i = 0; i < complete->count; i++) {
        struct hub_complete_source *source = &complete->sources[i];
        if (source->domain == domain && hub_bytes_equal_text(institution, source->institution) &&
            hub_bytes_equal_text(system, source->system))
            return source;
    }
    return NULL;
}

struct hub_complete_source *hub_complete_source_need(struct hub_complete *complete,
                                                     const struct hub_manifest_names *names,
                                                     const struct hub_domain *domain) {
    struct hub_complete_source *source =
        hub_complete_source_find(complete, hub_bytes_of_text(names->institution),
                    hub_bytes_of_text(names->system), domain);
    if (source != NULL)
        return source;
    HUB_GROW(complete->sources, complete->count, complete->capacity);
    source = &complete->sources[complete->count++];
    *source = (struct hub_complete_source){.institution = names->institution,
                                           .system = names->system,
                                           .domain = domain,
                                           .inventory = hub_inventory_new(&hub_sha256),
                                           .is_comparable = true};
    source->rows = hub_arena_take_zero(&complete->arena, 1, sizeof *source->rows);
    return source;
}

/* --- what is held --- */

struct looking {
    struct hub_complete *complete;
    const struct hub_domain *domain;
    const char *institution; /* of the ingest topic */
    struct hub_readers readers;
    struct hub_arena scratch;
    struct hub_error error;
    bool failed;
};

static struct hub_bytes header_of(const struct hub_ctl_record *record, const char *name) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    return hub_bytes(NULL, 0);
}

/* TOPIC/PARTITION@OFFSET */
static int64_t offset_of(struct hub_bytes origin) {
    struct hub_bytes topic, rest;
    uint64_t offset = 0;
    return hub_bytes_cut(origin, '@', &topic, &rest) && hub_text_to_number(rest, &offset)
               ? (int64_t)offset
               : -1;
}

static void hold(struct looking *looking, struct hub_complete_row *row,
                 const struct hub_opened *opened, const struct hub_system *system) {
    struct hub_stamp stamp = hub_statement_stamp(looking->domain, opened->body, opened->starts);
    row->held = stamp.withdrawn ? HUB_HELD_WITHDRAWN : HUB_HELD;
    row->digest = hub_statement_digest(looking->domain, system, &hub_sha256, opened->body,
                                       opened->starts);
}

/* An entry under <institution>/<system>/<source id> is the statement in force. One that has
 * moved to another shard is there; whichever is read first, the one of the later origin counts. */
static bool take_entry(void *context, const struct hub_ctl_record *record) {
    struct looking *looking = context;
    struct hub_complete *complete = looking->complete;
    struct hub_bytes institution, key, system, id;
    struct hub_opened opened;
    if (!hub_bytes_cut(record->key, '/', &institution, &key) ||
        !hub_bytes_cut(key, '/', &system, &id))
        return true;
    struct hub_complete_source *source =
        hub_complete_source_find(complete, institution, system, looking->domain);
    const struct hub_system *carried =
        hub_parties_system(&complete->ctl->catalogue->parties, system);
    if (source == NULL || carried == NULL || header_of(record, "hub_moved_to").data != NULL)
        return true;
    struct hub_complete_row *row = need_row(complete, source, key);
    int64_t origin = offset_of(header_of(record, "hub_origin"));
    if (origin < row->origin)
        return true;
    row->origin = origin;
    looking->failed = hub_readers_open(&looking->readers, record->value, &looking->scratch, &opened,
                                       &looking->error) != HUB_OK;
    if (!looking->failed)
        hold(looking, row, &opened, carried);
    hub_arena_reset(&looking->scratch);
    return !looking->failed;
}

/* What the connectors told last of each: its id is NAME/SEQUENCE/INDEX. */
static bool take_ingest(void *context, const struct hub_ctl_record *record) {
    struct looking *looking = context;
    struct hub_complete *complete = looking->complete;
    struct hub_bytes system, id, name, rest, number, index;
    uint64_t sequence = 0;
    if (!hub_bytes_cut(record->key, '/', &system, &id))
        return true;
    struct hub_complete_source *source =
        hub_complete_source_find(complete, hub_bytes_of_text(looking->institution), system,
                                 looking->domain);
    if (source == NULL)
        return true;
    struct hub_complete_row *row = need_row(complete, source, record->key);
    row->partition = record->partition;
    row->offset = record->offset;
    row->teller = "";
    row->sequence = 0;
    if (hub_bytes_cut(header_of(record, "ce_id"), '/', &name, &rest) &&
        hub_bytes_cut(rest, '/', &number, &index) && hub_text_to_number(number, &sequence)) {
        row->teller = hub_arena_text(&complete->arena, (const char *)name.data, name.size);
        row->sequence = (int64_t)sequence;
    }
    return true;
}

static bool has_any(const struct hub_complete *complete, const struct hub_domain *domain,
                    const char *institution) {
    for (size_t i = 0; i < complete->count; i++)
        if (complete->sources[i].domain == domain &&
            (institution == NULL || strcmp(complete->sources[i].institution, institution) == 0))
            return true;
    return false;
}

static bool read_held(struct hub_complete *complete, const struct hub_domain *domain) {
    struct hub_ctl *ctl = complete->ctl;
    const struct hub_parties *parties = &ctl->catalogue->parties;
    struct looking looking = {.complete = complete, .domain = domain};
    if (!has_any(complete, domain, NULL))
        return true;
    hub_readers_init(&looking.readers, ctl->catalogue, domain);
    bool good = hub_ctl_read_topic(ctl, complete->source,
                                   hub_arena_format(&complete->arena, "log.%s", domain->name),
                                   take_entry, &looking);
    for (size_t i = 0; good && i < parties->institution_count; i++) {
        looking.institution = parties->institutions[i].name;
        if (has_any(complete, domain, looking.institution))
            good = hub_ctl_read_topic(ctl, complete->source,
                                      hub_arena_format(&complete->arena, "ingest.%s.%s",
                                                       looking.institution, domain->name),
                                      take_ingest, &looking);
    }
    hub_readers_free(&looking.readers);
    hub_arena_destroy(&looking.scratch);
    if (looking.failed)
        fprintf(stderr, "hubctl: log.%s: %s\n", domain->name, looking.error.text);
    return good && !looking.failed;
}

/* --- deciding --- */

static const struct hub_complete_teller *find_teller(const struct hub_complete_source *source,
                                                     const char *name) {
    for (size_t i = 0; i < source->teller_count; i++)
        if (strcmp(source->tellers[i].name, name) == 0)
            return &source->tellers[i];
    return NULL;
}

/* How far admit has read the partitions of a source's ingest topic. */
static enum hub_status read_taken(struct hub_complete *complete,
                                  const struct hub_complete_source *source, int64_t *ret_taken,
                                  struct hub_error *reterr) {
    struct hub_ctl *ctl = complete->ctl;
    struct hub_kafka_partition partitions[HUB_INGEST_PARTITIONS];
    const char *topic = hub_arena_format(&complete->arena, "ingest.%s.%s", source->institution,
                                         source->domain->name);
    for (int32_t i = 0; i < HUB_INGEST_PARTITIONS; i++)
        partitions[i] = (struct hub_kafka_partition){topic, i, -1, NULL};
    HUB_TRY(hub_reader_committed(ctl->bootstrap,
                                 hub_arena_format(&complete->arena, "%s-admit", ctl->group),
                                 partitions, HUB_INGEST_PARTITIONS, &complete->arena, reterr));
    for (size_t i = 0; i < HUB_INGEST_PARTITIONS; i++)
        ret_taken[i] = partitions[i].offset;
    return HUB_OK;
}

/* What the manifests have of it, and which dead letter tells why it is not held: where the hub has
 * refused the latest that was told, it holds the last, unless it has refused that, too. */
static void settle_row(const struct hub_complete_source *source, struct hub_complete_row *row) {
    const struct hub_inventory_item *item = hub_inventory_find(source->inventory, row->key);
    row->is_listed = item != NULL;
    row->letter = row->dead;
    if (!row->is_listed)
        return;
    row->item = *item;
    if (item->standing == HUB_REFUSED) {
        row->letter = row->refused;
    } else if (row->latest_dead.place != NULL) {
        row->item.latest = item->last;
        row->letter = row->last_dead;
    }
}

static void judge_row(struct hub_complete_source *source, struct hub_complete_row *row,
                      const int64_t *taken) {
    const struct hub_complete_teller *teller =
        row->teller == NULL ? NULL : find_teller(source, row->teller);
    bool is_comparable = source->is_comparable && row->held != HUB_HELD_NOT;
    settle_row(source, row);
    struct hub_complete_facts facts = {
        .item = row->is_listed ? &row->item : NULL,
        .held = row->held,
        .digest = is_comparable ? &row->digest : NULL,
        .is_later = teller != NULL && row->sequence > teller->sequence,
        .is_on_the_way = row->teller != NULL && row->offset >= taken[row->partition],
        .is_of_others = row->teller != NULL && *row->teller != '\0' &&
                        (teller == NULL || teller->damage != NULL)};
    row->verdict = hub_complete_judge(&facts);
    source->counts[row->verdict]++;
}

struct listing {
    struct hub_complete *complete;
    struct hub_complete_source *source;
};

static void list_row(void *context, const struct hub_inventory_item *item) {
    const struct listing *listing = context;
    need_row(listing->complete, listing->source, hub_bytes_of_text(item->key));
}

static bool look(struct hub_complete *complete, struct hub_error *reterr) {
    static const char *const logs[] = {"log.", NULL};
    const struct hub_catalogue *catalogue = complete->ctl->catalogue;
    int64_t *taken = hub_arena_take_zero(
        &complete->arena, (complete->count + 1) * HUB_INGEST_PARTITIONS, sizeof *taken);
    for (size_t i = 0; i < complete->count; i++)
        if (read_taken(complete, &complete->sources[i], &taken[i * HUB_INGEST_PARTITIONS],
                       reterr) != HUB_OK)
            return false;
    if (hub_topics_settle(catalogue, complete->reader, logs, reterr) != HUB_OK)
        return false;
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (!read_held(complete, &catalogue->domains[i]))
            return hub_fail(reterr, HUB_RETRY, "a log could not be read") == HUB_OK;
    for (size_t i = 0; i < complete->count; i++) {
        struct listing listing = {complete, &complete->sources[i]};
        hub_inventory_each(complete->sources[i].inventory, list_row, &listing);
    }
    if (!hub_complete_read_letters(complete))
        return hub_fail(reterr, HUB_RETRY, "dead letters could not be read") == HUB_OK;
    for (size_t i = 0; i < complete->count; i++) {
        struct hub_complete_source *source = &complete->sources[i];
        for (struct entry *entry = source->rows->entries; entry != NULL; entry = entry->hh.next)
            judge_row(source, &entry->row, &taken[i * HUB_INGEST_PARTITIONS]);
    }
    return true;
}

bool hub_complete_look(struct hub_ctl *ctl, struct hub_complete *complete) {
    struct hub_error error;
    *complete = (struct hub_complete){.ctl = ctl, .source = hub_ctl_source(ctl)};
    complete->reader = hub_source_reader(complete->source);
    if (complete->reader == NULL || !hub_complete_read_manifests(complete))
        return false;
    if (look(complete, &error))
        return true;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return false;
}

void hub_complete_end(struct hub_complete *complete) {
    for (size_t i = 0; i < complete->count; i++) {
        HASH_CLEAR(hh, complete->sources[i].rows->entries);
        hub_inventory_free(complete->sources[i].inventory);
        hub_release(complete->sources[i].tellers);
    }
    hub_release(complete->sources);
    hub_source_free(complete->source);
    hub_arena_destroy(&complete->arena);
}

static int by_key(const struct entry *a, const struct entry *b) {
    return strcmp(a->row.key, b->row.key);
}

void hub_complete_each(struct hub_complete_source *source,
                       void (*take)(void *context, const struct hub_complete_source *source,
                                    const struct hub_complete_row *row),
                       void *context) {
    HASH_SORT(source->rows->entries, by_key);
    for (const struct entry *entry = source->rows->entries; entry != NULL; entry = entry->hh.next)
        take(context, source, &entry->row);
}
