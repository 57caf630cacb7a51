/* Reading rules: from the logs, and from files. */
#include "hub/ctl/rules.h"

#include "hub/engine/topics.h"
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "hub/stages/fold.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 60000 };

/* --- from the logs --- */

struct reading {
    struct hub_ctl *ctl;
    struct hub_arena *arena;
    struct hub_ctl_ruled *shard;
};

static enum hub_status take_record(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    struct reading *reading = context;
    struct hub_ctl_ruled *shard = reading->shard;
    struct hub_input input = {.has_key = record->has_key, .key = record->key};
    struct hub_rules_entry entry;
    if (!hub_rules_entry_is(&input))
        return HUB_OK;
    HUB_TRY(hub_rules_entry_open(reading->ctl->catalogue, record->value, reading->arena, &entry,
                                 reterr));
    bool effect = entry.replaces == NULL ? !shard->named
                                         : strcmp(entry.replaces, shard->in_force) == 0;
    json_array_append_new(
        shard->history,
        json_pack("{s:I, s:s, s:s?, s:b, s:s?, s:s, s:s, s:I}", "offset",
                  (json_int_t)record->offset, "rules", entry.rules, "replaces", entry.replaces,
                  "effect", effect, "report", entry.report_hash, "decided_by", entry.decided_by,
                  "reason", entry.reason, "time_ms", (json_int_t)entry.decided_time_ms));
    if (!effect)
        return HUB_OK;
    shard->named = true;
    shard->in_force = entry.rules;
    shard->entry = entry;
    return HUB_OK;
}

bool hub_ctl_rules_read(struct hub_ctl *ctl, struct hub_source *source,
                        const struct hub_domain *domain, struct hub_arena *arena,
                        struct hub_ctl_ruled **ret_shards, int32_t *ret_count) {
    int32_t count = hub_topics_shard_count(domain);
    struct hub_ctl_ruled *shards = hub_arena_take_zero(arena, (size_t)count, sizeof *shards);
    const char *topic = hub_arena_format(arena, "log.%s", domain->name);
    struct hub_error error;
    enum hub_status status = HUB_OK;
    for (int32_t i = 0; i < count; i++) {
        shards[i].in_force = domain->rules;
        shards[i].history = json_array();
    }
    for (int32_t i = 0; status == HUB_OK && i < count; i++) {
        struct reading reading = {ctl, arena, &shards[i]};
        status = hub_source_read(source, topic, i, 0, -1, take_record, &reading, &shards[i].next,
                                 &error);
    }
    *ret_shards = shards;
    *ret_count = count;
    if (status == HUB_OK)
        return true;
    fprintf(stderr, "hubctl: %s\n", error.text);
    hub_ctl_ruled_free(shards, count);
    return false;
}

void hub_ctl_ruled_free(struct hub_ctl_ruled *shards, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        json_decref(shards[i].history);
}

static enum hub_exit find_active(struct hub_ctl *ctl, const struct hub_domain *domain,
                                 struct hub_arena *arena, struct hub_rules_texts *ret_texts) {
    struct hub_source *source = hub_ctl_source(ctl);
    struct hub_ctl_ruled *shards = NULL;
    int32_t count = 0;
    bool reached =
        source != NULL && hub_ctl_rules_read(ctl, source, domain, arena, &shards, &count);
    bool same = true;
    hub_source_free(source);
    if (!reached)
        return HUB_EXIT_UNREACHABLE;
    for (int32_t i = 1; i < count; i++)
        same = same && strcmp(shards[i].in_force, shards[0].in_force) == 0;
    *ret_texts = shards[0].named ? shards[0].entry.texts
                                 : hub_catalogue_rules(ctl->catalogue, domain);
    hub_ctl_ruled_free(shards, count);
    if (same)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: the shards of %s are folded by different rules; `hubctl rules show` "
                    "lists them\n", domain->name);
    return HUB_EXIT_FINDINGS;
}

/* --- from files --- */

static bool read_file(const char *path, struct hub_arena *arena, struct hub_bytes *ret_text) {
    HUB_SCOPED_BUFFER buffer = {.size_max = HUB_RULES_TEXT_SIZE_MAX};
    struct hub_error error;
    if (hub_file_read(path, &buffer, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        return false;
    }
    *ret_text = hub_bytes(hub_arena_text(arena, (const char *)buffer.data, buffer.size),
                          buffer.size);
    return true;
}

static bool read_texts(struct hub_ctl *ctl, const struct hub_domain *domain, const char *path,
                       struct hub_arena *arena, struct hub_rules_texts *ret_texts) {
    *ret_texts = hub_catalogue_rules(ctl->catalogue, domain);
    if (!hub_file_is_folder(path))
        return read_file(path, arena, &ret_texts->schema);
    const char *schema = hub_arena_format(arena, "%s/domains/%s.avsc", path, domain->name);
    return read_file(schema, arena, &ret_texts->schema) &&
           read_file(hub_arena_format(arena, "%s/schemes.json", path), arena,
                     &ret_texts->schemes) &&
           read_file(hub_arena_format(arena, "%s/systems.json", path), arena,
                     &ret_texts->systems) &&
           read_file(hub_arena_format(arena, "%s/organisations.csv", path), arena,
                     &ret_texts->organisations);
}

enum hub_exit hub_ctl_rules_find(struct hub_ctl *ctl, const struct hub_domain *domain,
                                 const char *name, struct hub_arena *arena,
                                 struct hub_rules_texts *ret_texts, struct hub_rules **ret_rules) {
    struct hub_error error;
    enum hub_exit code = HUB_EXIT_OK;
    if (strcmp(name, "active") == 0)
        code = find_active(ctl, domain, arena, ret_texts);
    else if (strcmp(name, "file") == 0)
        *ret_texts = hub_catalogue_rules(ctl->catalogue, domain);
    else if (!read_texts(ctl, domain, name, arena, ret_texts))
        code = HUB_EXIT_NOT_FOUND;
    if (code != HUB_EXIT_OK)
        return code;
    if (hub_rules_compiler.compile(ret_texts, &hub_sha256, ret_rules, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s: %s\n", name, error.text);
        return HUB_EXIT_FINDINGS;
    }
    (*ret_rules)->domain.unified = domain->unified;
    const char *refusal = hub_rules_refusal(domain, &(*ret_rules)->domain, arena);
    if (refusal == NULL)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: %s: %s\n", name, refusal);
    hub_rules_compiler.release(*ret_rules);
    *ret_rules = NULL;
    return HUB_EXIT_FINDINGS;
}

/* --- writing --- */

enum hub_status hub_ctl_write(struct hub_ctl *ctl, const struct hub_kafka_write *writes,
                              size_t count, struct hub_error *reterr) {
    struct hub_producer *producer = NULL;
    struct hub_arena arena = {0};
    const char *id = hub_arena_format(&arena, "%s.ctl.%s", ctl->group,
                                      ctl->by == NULL ? "nobody" : ctl->by);
    enum hub_status status = hub_producer_new(ctl->bootstrap, id, &producer, reterr);
    hub_arena_destroy(&arena);
    HUB_TRY(status);
    status = hub_producer_begin(producer, reterr);
    for (size_t i = 0; status == HUB_OK && i < count; i++)
        status = hub_producer_write(producer, &writes[i], reterr);
    if (status == HUB_OK)
        status = hub_producer_commit(producer, reterr);
    hub_producer_free(producer);
    return status;
}

static enum hub_status first_entry(struct hub_ctl *ctl, struct hub_reader *reader,
                                   const struct hub_domain *domain, int32_t shard,
                                   struct hub_arena *arena, struct hub_kafka_write *ret_write,
                                   bool *ret_needed, struct hub_error *reterr) {
    const char *topic = hub_arena_format(arena, "log.%s", domain->name);
    int64_t first = 0, end = 0;
    HUB_SCOPED_BUFFER message = {0};
    HUB_TRY(hub_reader_bounds(reader, topic, shard, &first, &end, reterr));
    *ret_needed = end == 0;
    struct hub_rules_entry entry = {.domain = domain->name,
                                    .rules = domain->rules,
                                    .core = HUB_CORE_VERSION,
                                    .unified_schema = domain->unified->id,
                                    .texts = hub_catalogue_rules(ctl->catalogue, domain),
                                    .reason = "the first rules of this log",
                                    .decided_by = ctl->by == NULL ? "nobody" : ctl->by,
                                    .decided_time_ms = hub_clock_realtime_ms()};
    const char *key = hub_arena_format(arena, "%s%s/first", HUB_RULES_PREFIX, domain->rules);
    struct hub_envelope envelope = {
        .id = hub_arena_format(arena, "%s/%d/%s", topic, shard, key),
        .source = "urn:atmp:hubctl",
        .type = hub_arena_format(arena, "atmp.%s.ruled", domain->name),
        .subject = key,
        .has_time = true, .time_ms = entry.decided_time_ms};
    struct hub_header *headers =
        hub_arena_take(arena, HUB_ENVELOPE_HEADERS_MAX * sizeof *headers);
    hub_rules_entry_encode(&entry, ctl->catalogue, &message);
    *ret_write = (struct hub_kafka_write){
        .topic = topic,
        .partition = shard,
        .has_key = true,
        .key = hub_bytes_of_text(key),
        .headers = (const struct hub_kafka_header *)headers,
        .header_count = hub_envelope_headers(&envelope, arena, headers),
        .value = hub_bytes(hub_arena_text(arena, (const char *)message.data, message.size),
                           message.size)};
    return HUB_OK;
}

static enum hub_status name_all(struct hub_ctl *ctl, struct hub_reader *reader,
                                struct hub_error *reterr) {
    const struct hub_catalogue *catalogue = ctl->catalogue;
    struct hub_arena arena = {0};
    struct hub_kafka_write *writes =
        hub_arena_take(&arena, (catalogue->domain_count * HUB_SHARDS + 1) * sizeof *writes);
    size_t count = 0;
    enum hub_status status = HUB_OK;
    for (size_t i = 0; status == HUB_OK && i < catalogue->domain_count; i++) {
        const struct hub_domain *domain = &catalogue->domains[i];
        for (int32_t k = 0; status == HUB_OK && k < hub_topics_shard_count(domain); k++) {
            bool needed = false;
            status = first_entry(ctl, reader, domain, k, &arena, &writes[count], &needed, reterr);
            count += needed;
        }
    }
    if (status == HUB_OK && count > 0)
        status = hub_ctl_write(ctl, writes, count, reterr);
    hub_arena_destroy(&arena);
    return status;
}

bool hub_ctl_rules_name(struct hub_ctl *ctl) {
    static const struct timespec pause = {.tv_nsec = 200 * 1000000};
    int64_t deadline_ms = hub_clock_monotonic_ms() + WAIT_MS;
    struct hub_error error = {{0}};
    enum hub_status status = HUB_RETRY;
    /* A topic that was just created has no leader yet, and a reader remembers that. */
    while (status != HUB_OK && hub_clock_monotonic_ms() < deadline_ms) {
        struct hub_source *source = hub_ctl_source(ctl);
        if (source == NULL)
            return false;
        status = name_all(ctl, hub_source_reader(source), &error);
        hub_source_free(source);
        if (status != HUB_OK)
            nanosleep(&pause, NULL);
    }
    if (status != HUB_OK)
        fprintf(stderr, "hubctl: %s\n", error.text);
    return status == HUB_OK;
}
