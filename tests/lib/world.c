#include "tests/lib/world.h"

#include "hub/engine/topics.h"
#include "hub/io/crypto.h"
#include "hub/stages/admit_decision.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "tests/lib/loading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS_MAX = HUB_SHARDS, INSTITUTIONS_MAX = 16, KINDS = 7 };
/* The broker's clock when the world begins; an ingested record a millisecond. */
static const int64_t BEGIN_MS = 4102444800000; /* 2100-01-01 */

struct record {
    char *key;
    void *value;
    size_t value_size;
    struct hub_header *headers; /* names and values owned */
    size_t header_count;
    int64_t offset, timestamp_ms;
};

struct topic {
    struct record *records;
    size_t count, capacity;
    int64_t next_offset;
};

struct world {
    const struct hub_domain *domain;
    int32_t shard_count;
    struct hub_admit *admits[INSTITUTIONS_MAX];
    struct hub_fold *folds[SHARDS_MAX];
    struct test_store *stores[SHARDS_MAX]; /* beside them; or NULL */
    bool uses_stores;
    size_t *store_steps; /* NULL: they never fail */
    bool failed;         /* a stage did, since it was started */
    struct hub_fold_counts fold_counts[SHARDS_MAX]; /* these are as before the restart */
    struct hub_fold_gauges gauges[SHARDS_MAX];
    char rules[SHARDS_MAX][HUB_RULES_HASH_SIZE + 1];
    int64_t folded[SHARDS_MAX]; /* the offset that the fold takes next */
    int64_t ingested[INSTITUTIONS_MAX];
    struct topic admitted[INSTITUTIONS_MAX];
    struct topic outputs[SHARDS_MAX][KINDS]; /* by hub_output_kind */
    json_t *latest[KINDS];
    json_t *all;
    struct hub_arena arena; /* of the running call */
    int64_t clock_ms, decided;
    bool keeps_no_json;
    uint64_t traces[1 + SHARDS_MAX]; /* FNV-1a: of admit, and of each fold */
};

static const char *const kind_names[KINDS] = {"log",      "admitted", "unified",
                                              "conflict", "match",    "identifier",
                                              "deadletter"};

static void stop(const char *what, const char *detail) {
    fprintf(stderr, "world: %s: %s\n", what, detail);
    abort();
}

static void must(enum hub_status status, const struct hub_error *error) {
    if (status != HUB_OK)
        stop("a stage refuses what was published", error->text);
}

/* --- topics --- */

static void copy_headers(struct record *record, const struct hub_header *headers, size_t count) {
    record->headers = hub_allocate_zero(count + 1, sizeof *record->headers);
    record->header_count = count;
    for (size_t i = 0; i < count; i++)
        record->headers[i] = (struct hub_header){
            hub_copy_text(headers[i].name),
            hub_bytes(hub_copy_bytes(headers[i].value.data, headers[i].value.size),
                      headers[i].value.size)};
}

static void free_record(struct record *record) {
    for (size_t i = 0; i < record->header_count; i++) {
        hub_release((void *)record->headers[i].name);
        hub_release((void *)record->headers[i].value.data);
    }
    hub_release(record->headers);
    hub_release(record->key);
    hub_release(record->value);
}

static struct record *append(struct world *world, struct topic *topic,
                             const struct hub_output *output) {
    HUB_GROW(topic->records, topic->count, topic->capacity);
    struct record *record = &topic->records[topic->count++];
    *record = (struct record){.key = hub_copy_bytes(output->key.data, output->key.size),
                              .value = hub_copy_bytes(output->value.data, output->value.size),
                              .value_size = output->value.size,
                              .offset = topic->next_offset++,
                              .timestamp_ms = world->clock_ms};
    copy_headers(record, output->headers, output->header_count);
    return record;
}

static void compact(struct topic *topic, int64_t below) {
    size_t kept = 0;
    for (size_t i = 0; i < topic->count; i++) {
        bool last = true;
        for (size_t k = i + 1; last && k < topic->count && topic->records[k].offset < below; k++)
            last = strcmp(topic->records[i].key, topic->records[k].key) != 0;
        if (last || topic->records[i].offset >= below)
            topic->records[kept++] = topic->records[i];
        else
            free_record(&topic->records[i]);
    }
    topic->count = kept;
}

static void free_topic(struct topic *topic) {
    for (size_t i = 0; i < topic->count; i++)
        free_record(&topic->records[i]);
    hub_release(topic->records);
}

static struct hub_input input_of(const struct record *record, int32_t partition) {
    return (struct hub_input){.has_key = true,
                              .has_value = record->value_size > 0,
                              .key = hub_bytes_of_text(record->key),
                              .value = hub_bytes(record->value, record->value_size),
                              .headers = record->headers,
                              .header_count = record->header_count,
                              .partition = partition,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
}

/* --- the stages --- */

static void add_to_trace(uint64_t *trace, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        *trace = (*trace ^ bytes[i]) * 0x100000001b3;
    *trace = (*trace ^ size) * 0x100000001b3;
}

static void note(struct world *world, const struct hub_output *output) {
    bool folded = output->kind >= HUB_OUTPUT_UNIFIED && output->kind <= HUB_OUTPUT_IDENTIFIER;
    uint64_t *trace = &world->traces[folded ? 1 + output->partition : 0];
    add_to_trace(trace, &output->kind, sizeof output->kind);
    add_to_trace(trace, output->key.data, output->key.size);
    add_to_trace(trace, output->value.data, output->value.size);
    for (size_t i = 0; i < output->header_count; i++) {
        add_to_trace(trace, output->headers[i].name, strlen(output->headers[i].name));
        add_to_trace(trace, output->headers[i].value.data, output->headers[i].value.size);
    }
    if (world->keeps_no_json)
        return;
    char *key = hub_copy_bytes(output->key.data, output->key.size);
    bool shown = output->kind != HUB_OUTPUT_LOG && output->value.size > 0;
    json_t *value = shown ? test_render(output->value) : json_null();
    struct hub_input as_input = {.headers = output->headers, .header_count = output->header_count};
    struct hub_bytes type = hub_input_header(&as_input, "ce_type");
    json_array_append_new(world->all,
                          json_pack("{s:s, s:s, s:s%, s:O}", "kind", kind_names[output->kind],
                                    "key", key, "type", type.data == NULL ? "" : (char *)type.data,
                                    type.size, "value", value));
    json_object_set_new(world->latest[output->kind], key, value);
    hub_release(key);
}

static struct hub_admit *new_admit(struct world *world, size_t institution) {
    const struct hub_institution *own =
        &test_catalogue()->parties.institutions[institution];
    struct hub_arena arena = {0};
    struct hub_admit_config config = {
        .catalogue = test_catalogue(),
        .domain = world->domain,
        .institution = own->name,
        .digester = &hub_sha256,
        .shard_count = world->shard_count,
        .topic = hub_arena_format(&arena, "ingest.%s.%s", own->name, world->domain->name)};
    struct hub_admit *admit = hub_admit_new(&config);
    hub_arena_destroy(&arena);
    return admit;
}

static void start(struct world *world) {
    for (size_t i = 0; i < test_catalogue()->parties.institution_count; i++)
        world->admits[i] = new_admit(world, i);
    for (int32_t i = 0; i < world->shard_count; i++)
        world->folds[i] = hub_fold_new(test_catalogue(), world->domain, &hub_sha256, i);
}

static void stop_stages(struct world *world) {
    for (size_t i = 0; i < INSTITUTIONS_MAX; i++) {
        hub_admit_free(world->admits[i]);
        world->admits[i] = NULL;
    }
    for (size_t i = 0; i < SHARDS_MAX; i++) {
        hub_fold_free(world->folds[i]);
        test_store_free(world->stores[i]);
        world->folds[i] = NULL;
        world->stores[i] = NULL;
    }
}

/* What the environment says of restarts: nothing, that everything is loaded anew before each entry,
 * that most of it is in a store beside the fold then, or that the fold goes on and all of it is. */
static bool says_sleeps(const char *how) {
    const char *said = getenv("HUB_TEST_SLEEPS");
    return said != NULL && (how == NULL || strcmp(said, how) == 0);
}

/* The older two thirds of a topic go into the store, until a record cannot. */
static void load_topic(struct world *world, int32_t shard, enum hub_fold_topic topic,
                       enum hub_output_kind kind, int64_t to) {
    const struct topic *from = &world->outputs[shard][kind];
    struct hub_fold *fold = world->folds[shard];
    bool stores = world->stores[shard] != NULL;
    struct hub_error error;
    for (size_t i = 0; i < from->count && from->records[i].offset < to; i++) {
        struct hub_input record = input_of(&from->records[i], shard);
        stores = stores && i < from->count * 2 / 3 &&
                 test_store_put(world->stores[shard], world->rules[shard], topic, &record, fold);
        if (!stores)
            must(hub_fold_load(fold, topic, &record, &error), &error);
    }
}

static void set_store(struct world *world, int32_t shard) {
    struct test_store *store = test_store_new();
    store->steps = world->store_steps;
    world->stores[shard] = store;
    hub_fold_set_store(world->folds[shard], &store->store);
}

static enum hub_status load_shard(struct world *world, int32_t shard, struct hub_error *reterr) {
    if (world->uses_stores || says_sleeps("store"))
        set_store(world, shard);
    load_topic(world, shard, HUB_FOLD_LOG, HUB_OUTPUT_LOG, world->folded[shard]);
    load_topic(world, shard, HUB_FOLD_UNIFIED, HUB_OUTPUT_UNIFIED, INT64_MAX);
    load_topic(world, shard, HUB_FOLD_CONFLICT, HUB_OUTPUT_CONFLICT, INT64_MAX);
    load_topic(world, shard, HUB_FOLD_MATCH, HUB_OUTPUT_MATCH, INT64_MAX);
    return hub_fold_loaded(world->folds[shard], reterr);
}

static bool store_all(const struct world *world, int32_t shard, enum hub_fold_topic topic,
                      enum hub_output_kind kind, int64_t to, struct test_store *store) {
    const struct topic *from = &world->outputs[shard][kind];
    for (size_t i = 0; i < from->count && from->records[i].offset < to; i++) {
        struct hub_input record = input_of(&from->records[i], shard);
        if (!test_store_put(store, world->rules[shard], topic, &record, NULL))
            return false;
    }
    return true;
}

/* As it is, with everything in a store; false where a record's hooks are of earlier rules. */
static bool let_sleep(struct world *world, int32_t shard) {
    struct test_store *store = test_store_new();
    bool whole =
        store_all(world, shard, HUB_FOLD_LOG, HUB_OUTPUT_LOG, world->folded[shard], store) &&
        store_all(world, shard, HUB_FOLD_UNIFIED, HUB_OUTPUT_UNIFIED, INT64_MAX, store) &&
        store_all(world, shard, HUB_FOLD_CONFLICT, HUB_OUTPUT_CONFLICT, INT64_MAX, store) &&
        store_all(world, shard, HUB_FOLD_MATCH, HUB_OUTPUT_MATCH, INT64_MAX, store);
    if (whole) {
        hub_fold_let_sleep(world->folds[shard], &store->store);
        test_store_free(world->stores[shard]);
        world->stores[shard] = store;
    } else {
        test_store_free(store);
    }
    return whole;
}

/* --- public --- */

struct world *world_new(const char *domain) {
    struct world *world = hub_allocate_zero(1, sizeof *world);
    world->domain = test_domain(domain);
    world->shard_count = hub_topics_shard_count(world->domain);
    world->clock_ms = BEGIN_MS;
    world->all = json_array();
    for (size_t i = 0; i < KINDS; i++)
        world->latest[i] = json_object();
    start(world);
    return world;
}

void world_free(struct world *world) {
    stop_stages(world);
    for (size_t i = 0; i < INSTITUTIONS_MAX; i++)
        free_topic(&world->admitted[i]);
    for (size_t i = 0; i < SHARDS_MAX; i++)
        for (size_t k = 0; k < KINDS; k++)
            free_topic(&world->outputs[i][k]);
    for (size_t i = 0; i < KINDS; i++)
        json_decref(world->latest[i]);
    json_decref(world->all);
    hub_arena_destroy(&world->arena);
    hub_release(world);
}

void world_admit_bytes(struct world *world, const char *institution, const char *key,
                       struct hub_bytes value, const struct hub_header *headers,
                       size_t header_count) {
    const struct hub_parties *parties = &test_catalogue()->parties;
    const struct hub_institution *own =
        hub_parties_institution(parties, hub_bytes_of_text(institution));
    struct hub_outputs outputs = {.arena = &world->arena};
    struct hub_error error;
    if (own == NULL)
        stop("no institution", institution);
    size_t index = (size_t)(own - parties->institutions);
    struct hub_input input = {.has_key = key != NULL,
                              .has_value = value.data != NULL,
                              .key = hub_bytes_of_text(key == NULL ? "" : key),
                              .value = value,
                              .headers = headers,
                              .header_count = header_count,
                              .offset = world->ingested[index]++,
                              .timestamp_ms = world->clock_ms++};
    must(hub_admit_record(world->admits[index], &input, &outputs, &error), &error);
    for (size_t i = 0; i < outputs.count; i++) {
        const struct hub_output *output = &outputs.items[i];
        append(world,
               output->kind == HUB_OUTPUT_LOG ? &world->outputs[output->partition][HUB_OUTPUT_LOG]
               : output->kind == HUB_OUTPUT_ADMITTED
                   ? &world->admitted[index]
                   : &world->outputs[0][HUB_OUTPUT_DEADLETTER],
               output);
        note(world, output);
    }
    hub_arena_reset(&world->arena);
}

void world_admit(struct world *world, const char *institution, const char *key,
                 const char *json) {
    struct hub_arena arena = {0};
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, world->domain->schema->id);
    hub_buffer_append_bytes(&message, test_value(world->domain->schema->root, json, &arena));
    world_admit_bytes(world, institution, key, hub_buffer_bytes(&message), NULL, 0);
    hub_arena_destroy(&arena);
}

static enum hub_status fold_one(struct world *world, int32_t shard, bool *ret_folded,
                                struct hub_error *reterr) {
    struct topic *log = &world->outputs[shard][HUB_OUTPUT_LOG];
    struct hub_outputs outputs = {.arena = &world->arena};
    size_t at = 0;
    while (at < log->count && log->records[at].offset < world->folded[shard])
        at++;
    *ret_folded = at < log->count;
    if (at == log->count)
        return HUB_OK;
    struct hub_input entry = input_of(&log->records[at], shard);
    HUB_TRY(hub_fold_entry(world->folds[shard], &entry, &outputs, reterr));
    world->folded[shard] = entry.offset + 1;
    for (size_t i = 0; i < outputs.count; i++) {
        append(world, &world->outputs[shard][outputs.items[i].kind], &outputs.items[i]);
        note(world, &outputs.items[i]);
    }
    hub_arena_reset(&world->arena);
    return HUB_OK;
}

static enum hub_status fold_next(struct world *world, bool *ret_folded, struct hub_error *reterr) {
    *ret_folded = false;
    for (int32_t shard = 0; !*ret_folded && shard < world->shard_count; shard++)
        HUB_TRY(fold_one(world, shard, ret_folded, reterr));
    return HUB_OK;
}

bool world_fold(struct world *world) {
    struct hub_error error;
    bool folded = false;
    bool sleeps = says_sleeps("place");
    for (int32_t shard = 0; sleeps && shard < world->shard_count; shard++)
        sleeps = let_sleep(world, shard);
    if (!sleeps && says_sleeps(NULL))
        world_restart(world);
    must(fold_next(world, &folded, &error), &error);
    return folded;
}

void world_say(struct world *world, const char *institution, const char *key, const char *json) {
    world_admit(world, institution, key, json);
    while (world_fold(world))
        continue;
}

void world_append(struct world *world, const struct hub_output *output) {
    append(world, &world->outputs[output->partition][output->kind], output);
}

/* Appends a record to the decision topic and admits it. */
static bool operate(struct world *world, const char *key, struct hub_bytes message) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_admit_decisions decisions = {.catalogue = test_catalogue(),
                                            .digester = &hub_sha256,
                                            .topic = "decision",
                                            .shard_count = hub_topics_shard_count};
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = message,
                              .offset = world->decided++,
                              .timestamp_ms = world->clock_ms++};
    bool taken = hub_admit_decision(&decisions, &input, &outputs) != HUB_ADMIT_DEAD;
    for (size_t i = 0; i < outputs.count; i++) {
        const struct hub_output *output = &outputs.items[i];
        append(world, &world->outputs[output->partition][output->kind], output);
        note(world, output);
    }
    hub_arena_destroy(&arena);
    return taken;
}

bool world_decide(struct world *world, const char *json) {
    const struct hub_catalogue *catalogue = test_catalogue();
    const struct hub_schema *schema = hub_catalogue_latest(catalogue, "decision");
    struct hub_arena arena = {0};
    struct hub_bytes body = test_value(schema->root, json, &arena), subject;
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, body);
    hub_slice_path(schema->root, body, "subject", &subject);
    char *key = hub_copy_bytes(hub_slice_octets(subject).data, hub_slice_octets(subject).size);
    bool taken = operate(world, key, hub_buffer_bytes(&message));
    hub_release(key);
    hub_arena_destroy(&arena);
    while (world_fold(world))
        continue;
    return taken;
}

void world_append_log(struct world *world, int32_t shard, const char *key,
                      struct hub_bytes value) {
    struct hub_output output = {.kind = HUB_OUTPUT_LOG,
                                .partition = shard,
                                .has_key = true,
                                .key = hub_bytes_of_text(key),
                                .value = value};
    append(world, &world->outputs[shard][HUB_OUTPUT_LOG], &output);
}

void world_name_rules(struct world *world, struct ruling *ruling) {
    ruling_replace(ruling, NULL);
    const char *key = hub_arena_format(&world->arena, "%s%s/first", HUB_RULES_PREFIX,
                                       ruling->entry.rules);
    for (int32_t shard = 0; shard < world->shard_count; shard++)
        world_append_log(world, shard, key, ruling_message(ruling));
    while (world_fold(world))
        continue;
}

bool world_rule(struct world *world, struct ruling *ruling) {
    struct hub_arena arena = {0};
    ruling_replace(ruling, world_rules(world));
    const char *key = hub_arena_format(&arena, "%s%s", HUB_RULES_PREFIX, world->domain->name);
    bool taken = operate(world, key, ruling_message(ruling));
    hub_arena_destroy(&arena);
    return taken;
}

const char *world_rules(struct world *world) {
    return hub_fold_rules(world->folds[0]);
}

/* What is committed with the offsets; of a fold that failed nothing is. */
static void remember_folds(struct world *world) {
    for (int32_t i = 0; i < world->shard_count; i++) {
        const struct hub_fold *fold = world->folds[i];
        world->fold_counts[i] = *hub_fold_counts(fold);
        world->gauges[i] = hub_fold_gauges(fold);
        snprintf(world->rules[i], sizeof world->rules[i], "%s", hub_fold_rules(fold));
    }
}

static void load_admit(struct world *world, size_t institution) {
    for (size_t k = 0; k < world->admitted[institution].count; k++) {
        struct hub_input record = input_of(&world->admitted[institution].records[k], 0);
        hub_admit_load(world->admits[institution], record.key, record.value);
    }
}

static enum hub_status restart(struct world *world, struct hub_error *reterr) {
    struct hub_admit_counts admit_counts[INSTITUTIONS_MAX];
    size_t institutions = test_catalogue()->parties.institution_count;
    for (size_t i = 0; i < institutions; i++)
        admit_counts[i] = *hub_admit_counts(world->admits[i]);
    if (!world->failed)
        remember_folds(world);
    stop_stages(world);
    start(world);
    for (size_t i = 0; i < institutions; i++) {
        hub_admit_set_counts(world->admits[i], &admit_counts[i]);
        load_admit(world, i);
    }
    for (int32_t i = 0; i < world->shard_count; i++) {
        hub_fold_set_counts(world->folds[i], &world->fold_counts[i]);
        hub_fold_set_gauges(world->folds[i], &world->gauges[i]);
        HUB_TRY(load_shard(world, i, reterr));
    }
    return HUB_OK;
}

void world_restart(struct world *world) {
    struct hub_error error;
    must(restart(world, &error), &error);
}

void world_use_stores(struct world *world) {
    world->uses_stores = true;
}

enum hub_status world_try(struct world *world, size_t steps, bool *ret_folded) {
    struct hub_error error;
    world->store_steps = &steps;
    enum hub_status status = restart(world, &error);
    if (status == HUB_OK)
        status = fold_next(world, ret_folded, &error);
    for (int32_t i = 0; i < world->shard_count; i++)
        if (world->stores[i] != NULL)
            world->stores[i]->steps = NULL;
    world->store_steps = NULL;
    world->failed = status != HUB_OK;
    if (status != HUB_OK && status != HUB_RETRY)
        must(status, &error);
    return status;
}

void world_compact(struct world *world) {
    for (size_t i = 0; i < INSTITUTIONS_MAX; i++)
        compact(&world->admitted[i], world->admitted[i].next_offset);
    for (size_t shard = 0; shard < SHARDS_MAX; shard++) {
        struct topic *topics = world->outputs[shard];
        compact(&topics[HUB_OUTPUT_LOG], world->folded[shard]);
        for (int kind = HUB_OUTPUT_UNIFIED; kind <= HUB_OUTPUT_IDENTIFIER; kind++)
            compact(&topics[kind], topics[kind].next_offset);
    }
}

void world_keep_no_json(struct world *world) {
    world->keeps_no_json = true;
}

uint64_t world_trace(struct world *world) {
    uint64_t whole = 0xcbf29ce484222325;
    add_to_trace(&whole, world->traces, sizeof world->traces);
    return whole;
}

void world_each(struct world *world, enum hub_output_kind kind,
                void (*visit)(void *context, int32_t partition, const char *key,
                              struct hub_bytes value),
                void *context) {
    size_t shards = kind == HUB_OUTPUT_ADMITTED ? INSTITUTIONS_MAX : (size_t)world->shard_count;
    for (size_t i = 0; i < shards; i++) {
        const struct topic *topic =
            kind == HUB_OUTPUT_ADMITTED ? &world->admitted[i] : &world->outputs[i][kind];
        for (size_t k = 0; k < topic->count; k++)
            visit(context, (int32_t)i, topic->records[k].key,
                  hub_bytes(topic->records[k].value, topic->records[k].value_size));
    }
}

const json_t *world_listing(struct world *world, const char *key) {
    return json_object_get(world->latest[HUB_OUTPUT_IDENTIFIER], key);
}

const json_t *world_unified(struct world *world) {
    return world->latest[HUB_OUTPUT_UNIFIED];
}

const json_t *world_conflicts(struct world *world) {
    return world->latest[HUB_OUTPUT_CONFLICT];
}

const json_t *world_matches(struct world *world) {
    return world->latest[HUB_OUTPUT_MATCH];
}

const json_t *world_outputs(struct world *world) {
    return world->all;
}

const json_t *world_entity(struct world *world, const char *id) {
    return json_object_get(world_unified(world), id);
}

const json_t *world_conflict(struct world *world, const char *id) {
    return json_object_get(world_conflicts(world), id);
}

const json_t *world_match(struct world *world, const char *id) {
    return json_object_get(world_matches(world), id);
}

static bool has_value(const json_t *record, const char *name, const char *wanted) {
    const char *text = json_string_value(json_object_get(record, name));
    return text != NULL && strcmp(text, wanted) == 0;
}

const json_t *world_entity_of(struct world *world, const char *statement_key) {
    const char *id;
    json_t *record, *statement;
    size_t i;
    json_object_foreach(world->latest[HUB_OUTPUT_UNIFIED], id, record) {
        if (!has_value(record, "kind", "ACTIVE"))
            continue;
        json_array_foreach(json_object_get(record, "statements"), i, statement) {
            if (has_value(statement, "key", statement_key))
                return record;
        }
    }
    return NULL;
}

static size_t count_with(const json_t *records, const char *name, const char *wanted) {
    const char *key;
    json_t *record;
    size_t count = 0;
    json_object_foreach((json_t *)records, key, record) {
        count += has_value(record, name, wanted);
    }
    return count;
}

size_t world_count_open(const json_t *records) {
    return count_with(records, "state", "OPEN");
}

size_t world_count_active(const json_t *records) {
    return count_with(records, "kind", "ACTIVE");
}

struct hub_fold *world_shard(const struct world *world, int32_t shard) {
    return world->folds[shard];
}

struct hub_admit_counts world_admit_counts(struct world *world) {
    struct hub_admit_counts sum = {0};
    for (size_t i = 0; i < test_catalogue()->parties.institution_count; i++) {
        const struct hub_admit_counts *own = hub_admit_counts(world->admits[i]);
        sum.read += own->read;
        sum.created += own->created;
        sum.changed += own->changed;
        sum.unchanged += own->unchanged;
        sum.late += own->late;
        sum.withdrawn += own->withdrawn;
        sum.moved += own->moved;
        sum.dead += own->dead;
        sum.security += own->security;
    }
    return sum;
}

struct hub_fold_counts world_fold_counts(struct world *world) {
    struct hub_fold_counts sum = {0};
    for (int32_t i = 0; i < world->shard_count; i++) {
        const struct hub_fold_counts *own = hub_fold_counts(world->folds[i]);
        sum.read += own->read;
        sum.published += own->published;
        sum.unchanged += own->unchanged;
        sum.superseded += own->superseded;
        sum.withdrawn += own->withdrawn;
        sum.decided += own->decided;
        sum.refused += own->refused;
        sum.ruled += own->ruled;
        sum.overruled += own->overruled;
        sum.facts += own->facts;
    }
    return sum;
}
