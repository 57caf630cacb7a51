/* Reading for the audit report: every topic that tells of acts once, and what is counted of it. */
#include "hub/ctl/audit.h"

#include "hub/base/table.h"
#include "hub/engine/topics.h"
#include "schemas/lib/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(struct hub_bytes key, const char *prefix) {
    size_t size = strlen(prefix);
    return key.size >= size && memcmp(key.data, prefix, size) == 0;
}

static void count_record(struct hub_ctl_audit *audit, const struct hub_ctl_record *record) {
    struct hub_ctl_audit_counts *counts = &audit->counts;
    if (record->value.size > 0) {
        counts->records++;
        counts->legible += record->schema != NULL;
    }
    if (record->timestamp_ms > counts->newest_ms)
        counts->newest_ms = record->timestamp_ms;
}

/* --- logs --- */

static bool states(const struct hub_ctl_record *record, const char *path) {
    struct hub_bytes part;
    return hub_slice_path(record->schema->root, record->body, path, &part) != NULL;
}

/* The institution and the system that a statement's key names, where both are known and the one may carry the
 * other. */
static bool is_attributed(const struct hub_ctl_audit *audit, struct hub_bytes key) {
    const struct hub_parties *parties = &audit->ctl->catalogue->parties;
    struct hub_bytes institution, system, rest;
    if (begins_with(key, "late/"))
        key = hub_bytes_part(key, strlen("late/"), key.size);
    if (!hub_bytes_cut(key, '/', &institution, &rest) || !hub_bytes_cut(rest, '/', &system, &rest))
        return false;
    const struct hub_system *found = hub_parties_system(parties, system);
    return found != NULL && hub_system_has_carrier(found, institution) && rest.size > 0;
}

static void count_statement(struct hub_ctl_audit *audit, const struct hub_ctl_record *record) {
    struct hub_ctl_audit_counts *counts = &audit->counts;
    bool event = states(record, "statement.event_time");
    bool recorded = states(record, "statement.recorded_time");
    counts->statements++;
    counts->attributed += is_attributed(audit, record->key);
    counts->with_mapping += states(record, "statement.mapping_hash");
    counts->with_document += states(record, "statement.document");
    counts->with_raw_hash += states(record, "statement.raw_hash");
    counts->with_event_time += event;
    counts->with_recorded_time += recorded;
    counts->with_all_times += event && recorded && record->timestamp_ms > 0;
}

static bool take_entry(void *context, const struct hub_ctl_record *record) {
    struct hub_ctl_audit *audit = context;
    const char *domain = strchr(record->topic, '.') + 1;
    if (record->partition != audit->last_partition)
        audit->last_ms = 0;
    count_record(audit, record);
    audit->counts.entries++;
    audit->counts.timed += record->timestamp_ms > 0;
    audit->counts.in_order += record->timestamp_ms >= audit->last_ms;
    audit->last_ms = record->timestamp_ms;
    audit->last_partition = record->partition;
    if (record->schema == NULL)
        return true;
    if (strcmp(record->schema->subject, domain) == 0)
        count_statement(audit, record);
    hub_ctl_audit_take_ruling(audit, record);
    hub_ctl_audit_take_decision(audit, record);
    return true;
}

/* --- what was published --- */

/* An entity by its revisions, or a conflict by its state. */
struct numbered {
    UT_hash_handle hh;
    char *key;
    int64_t last; /* as far as there is no gap; -1: there was one */
    bool open;
};

struct publishing {
    struct hub_ctl_audit *audit;
    struct numbered *all;
};

static struct numbered *find_numbered(struct publishing *publishing, struct hub_bytes key) {
    struct numbered *found = NULL;
    HASH_FIND(hh, publishing->all, key.data, key.size, found);
    if (found != NULL)
        return found;
    found = hub_allocate_zero(1, sizeof *found);
    found->key = hub_copy_bytes(key.data, key.size);
    HASH_ADD_KEYPTR(hh, publishing->all, found->key, key.size, found);
    return found;
}

static int64_t long_of(const struct hub_ctl_record *record, const char *name) {
    struct hub_bytes part;
    return hub_slice_path(record->schema->root, record->body, name, &part) == NULL
               ? -1
               : hub_slice_long(part);
}

static bool take_revision(void *context, const struct hub_ctl_record *record) {
    struct publishing *publishing = context;
    count_record(publishing->audit, record);
    if (record->schema == NULL)
        return true;
    struct numbered *entity = find_numbered(publishing, record->key);
    int64_t revision = long_of(record, "revision");
    if (entity->last >= 0)
        entity->last = revision == entity->last + 1 ? revision : -1;
    return true;
}

static bool take_conflict(void *context, const struct hub_ctl_record *record) {
    struct publishing *publishing = context;
    struct hub_bytes part;
    count_record(publishing->audit, record);
    hub_ctl_audit_take_outcome(publishing->audit, record);
    if (record->schema == NULL || strcmp(record->schema->subject, "conflict") != 0)
        return true;
    const struct hub_type *type =
        hub_slice_path(record->schema->root, record->body, "state", &part);
    find_numbered(publishing, record->key)->open =
        type != NULL && strcmp(hub_slice_symbol(type, part), "OPEN") == 0;
    return true;
}

/* What came of all of them. */
static void end_publishing(struct publishing *publishing, int64_t *count, int64_t *gapless,
                           int64_t *open) {
    struct numbered *item, *next;
    HASH_ITER(hh, publishing->all, item, next) {
        ++*count;
        *gapless += item->last > 0;
        *open += item->open;
        HASH_DELETE(hh, publishing->all, item);
        hub_release(item->key);
        hub_release(item);
    }
}

static bool read_domain(struct hub_ctl_audit *audit, const char *name) {
    struct publishing unified = {.audit = audit}, conflicts = {.audit = audit};
    struct hub_ctl_audit_counts *counts = &audit->counts;
    struct hub_arena *arena = &audit->arena;
    int64_t none = 0;
    audit->last_partition = -1;
    bool good = hub_ctl_read_topic(audit->ctl, audit->source, hub_arena_format(arena, "log.%s", name),
                                   take_entry, audit) &&
                hub_ctl_read_topic(audit->ctl, audit->source,
                                   hub_arena_format(arena, "conflict.%s", name), take_conflict,
                                   &conflicts) &&
                hub_ctl_read_topic(audit->ctl, audit->source, hub_arena_format(arena, "match.%s", name),
                                   take_conflict, &conflicts) &&
                hub_ctl_read_topic(audit->ctl, audit->source,
                                   hub_arena_format(arena, "unified.%s", name), take_revision,
                                   &unified);
    end_publishing(&conflicts, &counts->conflicts, &none, &counts->conflicts_open);
    end_publishing(&unified, &counts->entities, &counts->gapless, &none);
    return good;
}

/* --- operators' own topics --- */

static bool take_wish(void *context, const struct hub_ctl_record *record) {
    count_record(context, record);
    hub_ctl_audit_take_ruling(context, record);
    hub_ctl_audit_take_decision(context, record);
    return true;
}

static bool take_letter(void *context, const struct hub_ctl_record *record) {
    count_record(context, record);
    hub_ctl_audit_take_letter(context, record);
    return true;
}

static bool read_letters(struct hub_ctl_audit *audit) {
    struct hub_error error;
    char **topics = NULL;
    bool good = hub_source_topics(audit->source, &audit->arena, &topics, &error) == HUB_OK;
    if (!good)
        fprintf(stderr, "hubctl: %s\n", error.text);
    for (size_t i = 0; good && topics[i] != NULL; i++)
        if (strncmp(topics[i], "deadletter.", strlen("deadletter.")) == 0)
            good = hub_ctl_read_topic(audit->ctl, audit->source, topics[i], take_letter, audit);
    return good;
}

/* --- all of it --- */

static bool count_topics(struct hub_ctl_audit *audit) {
    struct hub_topic_config *topics = NULL;
    struct hub_error error;
    size_t count = 0;
    hub_topics_list(audit->ctl->catalogue, &audit->arena, &topics, &count);
    for (size_t i = 0; i < count; i++) {
        int32_t partitions = -1;
        if (hub_source_partition_count(audit->source, topics[i].name, &partitions, &error) != HUB_OK) {
            fprintf(stderr, "hubctl: %s\n", error.text);
            return false;
        }
        audit->counts.topics++;
        audit->counts.topics_there += partitions >= 0;
    }
    return true;
}

static int by_time(const void *left, const void *right) {
    const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
    json_int_t earlier = json_integer_value(json_object_get(a, "time_ms"));
    json_int_t later = json_integer_value(json_object_get(b, "time_ms"));
    if (earlier != later)
        return earlier < later ? -1 : 1;
    return strcmp(json_string_value(json_array_get(json_object_get(a, "places"), 0)),
                  json_string_value(json_array_get(json_object_get(b, "places"), 0)));
}

/* Those of the times that are asked for, in order. */
static void arrange_acts(struct hub_ctl_audit *audit) {
    size_t count = json_array_size(audit->acts), i;
    json_t **acts = hub_allocate_zero(count + 1, sizeof *acts), *act, *chosen = json_array();
    json_array_foreach(audit->acts, i, act)
        acts[i] = act;
    qsort(acts, count, sizeof *acts, by_time);
    for (i = 0; i < count; i++) {
        json_int_t time_ms = json_integer_value(json_object_get(acts[i], "time_ms"));
        if (time_ms >= audit->from_ms && time_ms <= audit->to_ms)
            json_array_append(chosen, acts[i]);
    }
    hub_release(acts);
    json_decref(audit->acts);
    audit->acts = chosen;
}

bool hub_ctl_audit_read(struct hub_ctl_audit *audit) {
    const struct hub_catalogue *catalogue = audit->ctl->catalogue;
    json_t **made[] = {&audit->by_id, &audit->by_place, &audit->subjects, &audit->rules,
                       &audit->letters};
    bool good = count_topics(audit);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        *made[i] = json_object();
    for (size_t i = 0; good && i < catalogue->domain_count; i++)
        good = read_domain(audit, catalogue->domains[i].name);
    good = good &&
           hub_ctl_read_topic(audit->ctl, audit->source, HUB_DECISION_TOPIC, take_wish, audit) &&
           read_letters(audit) && hub_ctl_audit_positions(audit);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        json_decref(*made[i]);
    if (good)
        arrange_acts(audit);
    return good;
}
