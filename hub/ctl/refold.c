/* hubctl refold: folds the log again from its beginning, single-threaded and in memory, and compares
 * what comes out with what was published, record for record. Of a record that a later one of its key
 * replaced, Kafka's compaction may have left nothing; those are counted. */
#include "hub/ctl/refold.h"

#include "hub/ctl/read.h"
#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/stages/fold.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>

enum { KINDS = 4, IDENTIFIERS = 3 };
static const char *const kinds[KINDS] = {"unified", "conflict", "match", "unified"};

/* The last record of a key. */
struct last {
    struct hub_bytes key;
    size_t at;
    UT_hash_handle hh;
};

struct expected_record {
    struct last *last; /* of its key */
    struct hub_digest value;
};

/* What one topic partition should hold, in order. */
struct expected {
    struct expected_record *records;
    size_t count, capacity;
    struct last *keys;
};

struct refolding {
    struct hub_ctl *ctl;
    const struct hub_domain *domain;
    int32_t partition;
    struct hub_fold *fold;
    struct hub_arena kept;
    struct expected expected[KINDS];
    struct expected *checking;
    const char *topic;
    bool tells;
    size_t at, compared, compacted, differences;
};

static struct last *last_of(struct refolding *refolding, struct expected *expected,
                            struct hub_bytes key) {
    struct last *last = NULL;
    HASH_FIND(hh, expected->keys, key.data, key.size, last);
    if (last != NULL)
        return last;
    last = hub_arena_take_zero(&refolding->kept, 1, sizeof *last);
    last->key = hub_bytes(hub_arena_text(&refolding->kept, (const char *)key.data, key.size),
                          key.size);
    HASH_ADD_KEYPTR(hh, expected->keys, last->key.data, last->key.size, last);
    return last;
}

static void expect(struct refolding *refolding, const struct hub_output *output) {
    size_t kind = output->kind == HUB_OUTPUT_UNIFIED    ? 0
                  : output->kind == HUB_OUTPUT_CONFLICT ? 1
                  : output->kind == HUB_OUTPUT_MATCH    ? 2
                                                        : IDENTIFIERS;
    struct expected *expected = &refolding->expected[kind];
    if (expected->count == expected->capacity) {
        expected->capacity = expected->capacity == 0 ? 256 : expected->capacity * 2;
        expected->records =
            hub_reallocate(expected->records, expected->capacity * sizeof *expected->records);
    }
    struct last *last = last_of(refolding, expected, output->key);
    last->at = expected->count;
    expected->records[expected->count++] =
        (struct expected_record){last, hub_sha256.digest(output->value)};
}

static enum hub_status fold_entry(void *context, const struct hub_kafka_record *record,
                                  struct hub_error *reterr) {
    struct refolding *refolding = context;
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_input input = {.has_key = record->has_key,
                              .has_value = record->has_value,
                              .key = record->key,
                              .value = record->value,
                              .headers = (const struct hub_header *)record->headers,
                              .header_count = record->header_count,
                              .partition = record->partition,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
    enum hub_status status = hub_fold_entry(refolding->fold, &input, &outputs, reterr);
    for (size_t i = 0; status == HUB_OK && i < outputs.count; i++)
        expect(refolding, &outputs.items[i]);
    hub_arena_destroy(&arena);
    return status;
}

static void differ(struct refolding *refolding, const struct hub_kafka_record *record,
                   const char *what) {
    if (refolding->differences++ < 10 && refolding->tells)
        printf("%s/%d@%lld: %s\n", record->topic, record->partition, (long long)record->offset,
               what);
}

/* unified.identifier holds all domains, and each scheme is of one. What is of none is found by
 * whoever looks. */
static bool is_of_domain(const struct refolding *refolding,
                         const struct hub_kafka_record *record) {
    const struct hub_domain *domain = refolding->domain;
    struct hub_bytes scheme = record->key, rest;
    if (refolding->checking != &refolding->expected[IDENTIFIERS])
        return true;
    hub_bytes_cut(record->key, ':', &scheme, &rest);
    int index = hub_scheme_index(domain->schemes, scheme);
    return index < 0 || hub_domain_scheme_strength(domain, index) >= 0;
}

static bool is_replaced(const struct expected *expected, size_t at) {
    return expected->records[at].last->at > at;
}

/* Passes over what compaction took before this record. */
static void pass_compacted(struct refolding *refolding, struct hub_bytes key,
                           const struct hub_digest *value) {
    const struct expected *expected = refolding->checking;
    for (; refolding->at < expected->count; refolding->at++, refolding->compacted++) {
        const struct expected_record *record = &expected->records[refolding->at];
        bool same = hub_bytes_equal(record->last->key, key) &&
                    memcmp(record->value.bytes, value->bytes, HUB_DIGEST_SIZE) == 0;
        if (same || !is_replaced(expected, refolding->at))
            return;
    }
}

static void count_missing(struct refolding *refolding) {
    const struct expected *expected = refolding->checking;
    size_t missing = 0;
    for (; refolding->at < expected->count; refolding->at++) {
        bool replaced = is_replaced(expected, refolding->at);
        refolding->compacted += replaced;
        missing += !replaced;
    }
    refolding->differences += missing;
    if (missing > 0 && refolding->tells)
        printf("%s/%d: %zu records are missing\n", refolding->topic, refolding->partition, missing);
}

static enum hub_status compare(void *context, const struct hub_kafka_record *record,
                               struct hub_error *reterr) {
    struct refolding *refolding = context;
    const struct expected *expected = refolding->checking;
    (void)reterr;
    if (!is_of_domain(refolding, record))
        return HUB_OK;
    struct hub_digest value = hub_sha256.digest(record->value);
    pass_compacted(refolding, record->key, &value);
    size_t at = refolding->at++;
    refolding->compared++;
    if (at >= expected->count)
        differ(refolding, record, "the log gives no such record");
    else if (!hub_bytes_equal(expected->records[at].last->key, record->key))
        differ(refolding, record, "the log gives another key here");
    else if (memcmp(expected->records[at].value.bytes, value.bytes, HUB_DIGEST_SIZE) != 0)
        differ(refolding, record, "the log gives another value");
    return HUB_OK;
}

static bool refold_partition(struct refolding *refolding, struct hub_source *source) {
    struct hub_error error;
    struct hub_arena arena = {0};
    const char *log = hub_arena_format(&arena, "log.%s", refolding->domain->name);
    refolding->fold = hub_fold_new(refolding->ctl->catalogue, refolding->domain, &hub_sha256,
                                   refolding->partition);
    enum hub_status status = hub_source_read(source, log, refolding->partition, 0, -1, fold_entry,
                                             refolding, NULL, &error);
    for (size_t i = 0; status == HUB_OK && i < KINDS; i++) {
        refolding->topic =
            i == IDENTIFIERS
                ? HUB_IDENTIFIER_TOPIC
                : hub_arena_format(&arena, "%s.%s", kinds[i], refolding->domain->name);
        refolding->checking = &refolding->expected[i];
        refolding->at = 0;
        status = hub_source_read(source, refolding->topic, refolding->partition, 0, -1, compare,
                                 refolding, NULL, &error);
        if (status == HUB_OK)
            count_missing(refolding);
    }
    if (status != HUB_OK)
        fprintf(stderr, "hubctl: %s\n", error.text);
    hub_fold_free(refolding->fold);
    for (size_t i = 0; i < KINDS; i++) {
        HASH_CLEAR(hh, refolding->expected[i].keys);
        hub_release(refolding->expected[i].records);
        refolding->expected[i] = (struct expected){0};
    }
    hub_arena_reset(&refolding->kept);
    hub_arena_destroy(&arena);
    return status == HUB_OK;
}

bool hub_ctl_refold_domain(struct hub_ctl *ctl, struct hub_source *source,
                           const struct hub_domain *domain, bool tells,
                           struct hub_ctl_refolded *ret_refolded) {
    struct refolding refolding = {.ctl = ctl, .domain = domain, .tells = tells};
    bool reached = true;
    for (int32_t i = 0; reached && i < hub_topics_shard_count(domain); i++) {
        refolding.partition = i;
        reached = refold_partition(&refolding, source);
    }
    hub_arena_destroy(&refolding.kept);
    *ret_refolded = (struct hub_ctl_refolded){refolding.compared, refolding.compacted,
                                              refolding.differences};
    return reached;
}

enum hub_exit hub_ctl_refold(struct hub_ctl *ctl) {
    struct hub_ctl_refolded refolded = {0};
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    const struct hub_domain *domain =
        hub_catalogue_domain(ctl->catalogue, hub_bytes_of_text(ctl->arguments[0]));
    if (domain == NULL) {
        fprintf(stderr, "hubctl: there is no domain %s\n", ctl->arguments[0]);
        return HUB_EXIT_NOT_FOUND;
    }
    struct hub_source *source = hub_ctl_source(ctl);
    bool reached = source != NULL &&
                   hub_ctl_refold_domain(ctl, source, domain, /* tells= */ true, &refolded);
    hub_source_free(source);
    if (!reached)
        return HUB_EXIT_UNREACHABLE;
    printf("%s: %zu published records compared, %zu compacted away, %zu differences\n",
           domain->name, refolded.compared, refolded.compacted, refolded.differences);
    return refolded.differences == 0 ? HUB_EXIT_OK : HUB_EXIT_FINDINGS;
}
