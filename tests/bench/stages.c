/* admit and fold on generated statements, in memory and without Kafka: what the hub's own code
 * costs, for a profiler to look at. Then all that was put out is loaded anew.
 *
 * usage: stages [EVENTS] [TRIALS] [SEED] [evenly]
 *   evenly  each trial is told of as often as any other */
#include "hub/io/clock.h"
#include "hub/io/crypto.h"
#include "hub/stages/admit.h"
#include "hub/stages/fold.h"
#include "tests/bench/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INSTITUTIONS_MAX = 16, BATCH = 1000 };
static const int64_t APPENDED_MS = 4102444800000; /* 2100-01-01: later than any event */

struct kept {
    struct hub_arena arena;
    struct bench_event event;
};

/* What was put out, one after the other. */
struct published {
    struct hub_buffer bytes;
    struct {
        enum hub_output_kind kind;
        size_t key_size, value_size, hooks_size;
    } *records;
    size_t count, capacity;
};

struct stages {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    struct hub_admit *admits[INSTITUTIONS_MAX];
    struct hub_fold *fold;
    struct kept batch[BATCH];
    int64_t ingest_offset, log_offset;
    double admit_s, fold_s;
    struct bench_sum outputs;
    struct published published;
};

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what, const char *detail) {
    fprintf(stderr, "stages: %s: %s\n", what, detail);
    exit(1);
}

static void start(struct stages *stages) {
    const struct hub_parties *parties = &stages->catalogue->parties;
    for (size_t i = 0; i < parties->institution_count; i++) {
        struct hub_admit_config config = {.catalogue = stages->catalogue,
                                          .domain = stages->domain,
                                          .institution = parties->institutions[i].name,
                                          .digester = &hub_sha256,
                                          .shard_count = 1,
                                          .topic = "ingest.bench.trial"};
        stages->admits[i] = hub_admit_new(&config);
    }
    stages->fold = hub_fold_new(stages->catalogue, stages->domain, &hub_sha256, 0);
}

static struct hub_admit *admit_of(struct stages *stages, const char *institution) {
    const struct hub_parties *parties = &stages->catalogue->parties;
    for (size_t i = 0; i < parties->institution_count; i++)
        if (strcmp(parties->institutions[i].name, institution) == 0)
            return stages->admits[i];
    fail("no institution", institution);
    return NULL;
}

static struct hub_bytes keep(struct hub_arena *arena, struct hub_bytes bytes) {
    return hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
}

static void fill(struct bench_statements *statements, struct kept *kept) {
    hub_arena_reset(&kept->arena);
    bench_statements_next(statements, &kept->event);
    kept->event.key = keep(&kept->arena, kept->event.key);
    kept->event.value = keep(&kept->arena, kept->event.value);
    for (size_t i = 0; i < kept->event.header_count; i++)
        kept->event.headers[i].value = keep(&kept->arena, kept->event.headers[i].value);
}

static void publish(struct published *published, const struct hub_output *output) {
    HUB_GROW(published->records, published->count, published->capacity);
    published->records[published->count].kind = output->kind;
    published->records[published->count].key_size = output->key.size;
    struct hub_input as_input = {.headers = output->headers, .header_count = output->header_count};
    struct hub_bytes hooks = hub_input_header(&as_input, HUB_FOLD_HOOKS_HEADER);
    published->records[published->count].value_size = output->value.size;
    published->records[published->count++].hooks_size = hooks.size;
    hub_buffer_append_bytes(&published->bytes, output->key);
    hub_buffer_append_bytes(&published->bytes, output->value);
    hub_buffer_append_bytes(&published->bytes, hooks);
}

static void sum_up(struct stages *stages, const struct hub_outputs *outputs) {
    for (size_t i = 0; i < outputs->count; i++)
        publish(&stages->published, &outputs->items[i]);
    for (size_t i = 0; i < outputs->count; i++)
        bench_sum_add(&stages->outputs, outputs->items[i].key, outputs->items[i].value,
                      outputs->items[i].headers, outputs->items[i].header_count);
}

static void admit_batch(struct stages *stages, size_t count, struct hub_outputs *outputs) {
    struct hub_error error;
    double began_s = cpu_seconds();
    for (size_t i = 0; i < count; i++) {
        const struct bench_event *event = &stages->batch[i].event;
        struct hub_input input = {.has_key = true,
                                  .has_value = true,
                                  .key = event->key,
                                  .value = event->value,
                                  .headers = event->headers,
                                  .header_count = event->header_count,
                                  .offset = stages->ingest_offset++,
                                  .timestamp_ms = APPENDED_MS};
        struct hub_admit *admit = admit_of(stages, event->institution);
        if (hub_admit_record(admit, &input, outputs, &error) != HUB_OK)
            fail("admit", error.text);
    }
    stages->admit_s += cpu_seconds() - began_s;
}

static void fold_batch(struct stages *stages, const struct hub_outputs *admitted,
                       struct hub_outputs *outputs) {
    struct hub_error error;
    double began_s = cpu_seconds();
    for (size_t i = 0; i < admitted->count; i++) {
        const struct hub_output *entry = &admitted->items[i];
        struct hub_input input = {.has_key = true,
                                  .has_value = true,
                                  .key = entry->key,
                                  .value = entry->value,
                                  .headers = entry->headers,
                                  .header_count = entry->header_count,
                                  .offset = stages->log_offset,
                                  .timestamp_ms = APPENDED_MS};
        if (entry->kind == HUB_OUTPUT_DEADLETTER)
            fail("dead-lettered", "the generator does not write what the hub accepts");
        if (entry->kind != HUB_OUTPUT_LOG)
            continue;
        stages->log_offset++;
        if (hub_fold_entry(stages->fold, &input, outputs, &error) != HUB_OK)
            fail("fold", error.text);
    }
    stages->fold_s += cpu_seconds() - began_s;
}

static void run(struct stages *stages, struct bench_statements *statements, size_t events) {
    struct hub_arena arena = {0};
    for (size_t done = 0; done < events; done += BATCH) {
        size_t count = events - done < BATCH ? events - done : BATCH;
        struct hub_outputs admitted = {.arena = &arena}, folded = {.arena = &arena};
        for (size_t i = 0; i < count; i++)
            fill(statements, &stages->batch[i]);
        admit_batch(stages, count, &admitted);
        fold_batch(stages, &admitted, &folded);
        sum_up(stages, &admitted);
        sum_up(stages, &folded);
        hub_arena_reset(&arena);
    }
    hub_arena_destroy(&arena);
}

static enum hub_status load_one(struct stages *stages, enum hub_output_kind kind,
                                const struct hub_input *record, struct hub_error *reterr) {
    static const enum hub_fold_topic topics[] = {[HUB_OUTPUT_LOG] = HUB_FOLD_LOG,
                                                 [HUB_OUTPUT_UNIFIED] = HUB_FOLD_UNIFIED,
                                                 [HUB_OUTPUT_CONFLICT] = HUB_FOLD_CONFLICT,
                                                 [HUB_OUTPUT_MATCH] = HUB_FOLD_MATCH};
    if (kind != HUB_OUTPUT_ADMITTED)
        return hub_fold_load(stages->fold, topics[kind], record, reterr);
    hub_admit_load(stages->admits[0], record->key, record->value);
    return HUB_OK;
}

/* Topic by topic, as the hub does. */
static void load(struct stages *stages) {
    static const enum hub_output_kind kinds[] = {HUB_OUTPUT_ADMITTED, HUB_OUTPUT_LOG,
                                                 HUB_OUTPUT_UNIFIED, HUB_OUTPUT_CONFLICT,
                                                 HUB_OUTPUT_MATCH};
    static const char *const names[] = {"admitted", "log", "unified", "conflict", "match"};
    struct hub_error error;
    hub_fold_free(stages->fold);
    start(stages);
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        double began_s = cpu_seconds();
        const uint8_t *at = stages->published.bytes.data;
        size_t count = 0;
        for (size_t i = 0; i < stages->published.count; i++) {
            size_t key_size = stages->published.records[i].key_size;
            size_t value_size = stages->published.records[i].value_size;
            size_t hooks_size = stages->published.records[i].hooks_size;
            struct hub_header hooks = {HUB_FOLD_HOOKS_HEADER,
                                       hub_bytes(at + key_size + value_size, hooks_size)};
            struct hub_input record = {.has_key = true,
                                       .has_value = true,
                                       .key = hub_bytes(at, key_size),
                                       .value = hub_bytes(at + key_size, value_size),
                                       .headers = &hooks,
                                       .header_count = hooks_size > 0,
                                       .offset = (int64_t)i};
            at += key_size + value_size + hooks_size;
            if (stages->published.records[i].kind != kinds[kind])
                continue;
            count++;
            if (load_one(stages, kinds[kind], &record, &error) != HUB_OK)
                fail("load", error.text);
        }
        printf("load of %zu %s: %.0f ns a record\n", count, names[kind],
               (cpu_seconds() - began_s) * 1e9 / (double)count);
    }
    if (hub_fold_loaded(stages->fold, &error) != HUB_OK)
        fail("load", error.text);
}

static void check(const char *what, int64_t found, int64_t expected) {
    if (found == expected)
        return;
    fprintf(stderr, "stages: %s: %lld, and %lld was generated\n", what, (long long)found,
            (long long)expected);
    exit(1);
}

static void report(struct stages *stages, struct bench_statements *statements) {
    struct bench_expected expected = bench_statements_expected(statements);
    struct hub_fold_gauges gauges = hub_fold_gauges(stages->fold);
    int64_t unchanged = 0;
    for (size_t i = 0; i < stages->catalogue->parties.institution_count; i++)
        unchanged += hub_admit_counts(stages->admits[i])->unchanged;
    check("unchanged", unchanged, expected.unchanged);
    check("entries of the log", stages->log_offset, expected.created + expected.changed);
    check("entities", (int64_t)gauges.entities, expected.entities);
    check("open conflicts", (int64_t)gauges.conflicts_open, expected.conflicts_open);
    printf("events %lld: %lld first, %lld updates, %lld repeated; %lld bytes each\n"
           "entities %lld, open conflicts %lld, open matches %zu\n"
           "admit %.0f ns an event, fold %.0f ns an entry, %.2f s CPU per million events\n"
           "outputs %lld, %lld bytes, digest %016llx\n",
           (long long)expected.events, (long long)expected.created, (long long)expected.changed,
           (long long)expected.unchanged, (long long)(expected.bytes / expected.events),
           (long long)expected.entities, (long long)expected.conflicts_open, gauges.matches_open,
           stages->admit_s * 1e9 / (double)expected.events,
           stages->fold_s * 1e9 / (double)stages->log_offset,
           (stages->admit_s + stages->fold_s) * 1e6 / (double)expected.events,
           (long long)stages->outputs.records, (long long)stages->outputs.bytes,
           (unsigned long long)stages->outputs.digest);
}

int main(int argc, char **argv) {
    static struct stages stages;
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    const char *folder = getenv("HUB_SCHEMAS");
    size_t events = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    size_t trials = argc > 2 ? strtoul(argv[2], NULL, 10) : events / 10 + 1;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (hub_catalogue_load(folder == NULL ? "schemas" : folder, &hub_sha256, &catalogue, &error) !=
        HUB_OK)
        fail("schemas", error.text);
    stages.catalogue = catalogue;
    stages.published.bytes.size_max = SIZE_MAX / 2;
    stages.domain = hub_catalogue_domain(catalogue, hub_bytes_of_text("trial"));
    start(&stages);
    struct bench_statements *statements = bench_statements_new(catalogue, seed, trials);
    bench_statements_evenly(statements, argc > 4 && strcmp(argv[4], "evenly") == 0);
    run(&stages, statements, events);
    report(&stages, statements);
    load(&stages);
    bench_statements_free(statements);
    return 0;
}
