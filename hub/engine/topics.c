#include "hub/engine/topics.h"

#include <string.h>

/* LogAppendTime everywhere: with a source's own old times the compaction lag would be void. A dead
 * letter holds the whole record of an ingest topic, and its key twice: it must find room. */
static const char *const ingest[] = {"cleanup.policy",         "compact",
                                     "min.compaction.lag.ms",  "2592000000",
                                     "delete.retention.ms",    "2592000000",
                                     "message.timestamp.type", "LogAppendTime",
                                     "max.message.bytes",      "8388608",
                                     NULL};
static const char *const compacted_with_lag[] = {"cleanup.policy",         "compact",
                                                 "min.compaction.lag.ms",  "2592000000",
                                                 "delete.retention.ms",    "2592000000",
                                                 "message.timestamp.type", "LogAppendTime",
                                                 "max.message.bytes",      "25165824",
                                                 NULL};
static const char *const compacted[] = {"cleanup.policy",         "compact",
                                        "delete.retention.ms",    "2592000000",
                                        "message.timestamp.type", "LogAppendTime",
                                        "max.message.bytes",      "25165824",
                                        NULL};
static const char *const kept[] = {"cleanup.policy",         "delete",
                                   "retention.ms",           "-1",
                                   "message.timestamp.type", "LogAppendTime",
                                   "max.message.bytes",      "25165824",
                                   NULL};

int32_t hub_topics_shard_count(const struct hub_domain *domain) {
    return domain->shard_field < 0 ? 1 : HUB_SHARDS;
}

struct listing {
    struct hub_arena *arena;
    struct hub_topic_config *topics;
    size_t count;
};

static void add(struct listing *listing, const char *name, int32_t partitions,
                const char *const *settings) {
    listing->topics[listing->count++] = (struct hub_topic_config){name, partitions, settings};
}

static void add_domain(struct listing *listing, const struct hub_catalogue *catalogue,
                       const struct hub_domain *domain) {
    static const char *const kinds[] = {"unified", "conflict", "match"};
    struct hub_arena *arena = listing->arena;
    int32_t shards = hub_topics_shard_count(domain);
    add(listing, hub_arena_format(arena, "log.%s", domain->name), shards, kept);
    for (size_t i = 0; i < 3; i++)
        add(listing, hub_arena_format(arena, "%s.%s", kinds[i], domain->name), shards,
            compacted_with_lag);
    for (size_t i = 0; i < catalogue->parties.institution_count; i++) {
        const char *institution = catalogue->parties.institutions[i].name;
        add(listing, hub_arena_format(arena, "ingest.%s.%s", institution, domain->name),
            HUB_INGEST_PARTITIONS, ingest);
        add(listing, hub_arena_format(arena, "admitted.%s.%s", institution, domain->name),
            HUB_INGEST_PARTITIONS, compacted);
    }
}

void hub_topics_list(const struct hub_catalogue *catalogue, struct hub_arena *arena,
                     struct hub_topic_config **ret_topics, size_t *ret_count) {
    size_t institutions = catalogue->parties.institution_count;
    struct listing listing = {.arena = arena};
    listing.topics = hub_arena_take(
        arena, (catalogue->domain_count * (4 + 2 * institutions) + 2 * institutions + 4) *
                   sizeof *listing.topics);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        add_domain(&listing, catalogue, &catalogue->domains[i]);
    for (size_t i = 0; i < institutions; i++) {
        const char *name = catalogue->parties.institutions[i].name;
        add(&listing, hub_arena_format(arena, "deadletter.%s", name), 1, kept);
        add(&listing, hub_arena_format(arena, HUB_MANIFEST_TOPIC, name), 1, compacted);
    }
    add(&listing, "deadletter.hub", 1, kept);
    add(&listing, HUB_IDENTIFIER_TOPIC, HUB_SHARDS, compacted_with_lag);
    add(&listing, HUB_DECISION_TOPIC, 1, compacted_with_lag);
    add(&listing, "position", 1, compacted);
    *ret_topics = listing.topics;
    *ret_count = listing.count;
}

enum hub_status hub_topics_check(const struct hub_catalogue *catalogue, struct hub_reader *reader,
                                 struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_topic_config *topics = NULL;
    size_t count = 0;
    enum hub_status status = hub_reader_look(reader, reterr);
    hub_topics_list(catalogue, &arena, &topics, &count);
    for (size_t i = 0; status == HUB_OK && i < count; i++) {
        int32_t found = -1;
        status = hub_reader_partition_count(reader, topics[i].name, &found, reterr);
        if (status == HUB_OK && found >= 0 && found != topics[i].partitions)
            status = hub_fail(reterr, HUB_FATAL,
                              "topic %s has %d partitions; %d would pass, and a count is fixed at "
                              "creation", topics[i].name, found, topics[i].partitions);
    }
    hub_arena_destroy(&arena);
    return status;
}

static bool begins_with_one(const char *name, const char *const *prefixes) {
    for (; *prefixes != NULL; prefixes++)
        if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

enum hub_status hub_topics_settle(const struct hub_catalogue *catalogue, struct hub_reader *reader,
                                  const char *const *prefixes, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_topic_config *topics = NULL;
    struct hub_kafka_partition *partitions = NULL;
    size_t topic_count = 0, count = 0, capacity = 0;
    enum hub_status status = HUB_OK;
    hub_topics_list(catalogue, &arena, &topics, &topic_count);
    for (size_t i = 0; status == HUB_OK && i < topic_count; i++) {
        int32_t found = -1;
        if (!begins_with_one(topics[i].name, prefixes))
            continue;
        status = hub_reader_partition_count(reader, topics[i].name, &found, reterr);
        for (int32_t k = 0; k < found; k++) {
            HUB_GROW(partitions, count, capacity);
            partitions[count++] = (struct hub_kafka_partition){topics[i].name, k, -1, NULL};
        }
    }
    if (status == HUB_OK)
        status = hub_reader_settle(reader, partitions, count, reterr);
    hub_release(partitions);
    hub_arena_destroy(&arena);
    return status;
}
