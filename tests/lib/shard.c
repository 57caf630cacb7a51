#include "tests/lib/shard.h"

#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <stdio.h>
#include <string.h>

static struct hub_fold *new_fold(const struct shard *shard) {
    return hub_fold_new(test_catalogue(), shard->domain, &hub_sha256, /* partition= */ 0);
}

void shard_begin(struct shard *shard, const char *domain) {
    *shard = (struct shard){.domain = test_domain(domain)};
    shard->fold = new_fold(shard);
}

void shard_end(struct shard *shard) {
    hub_fold_free(shard->fold);
    test_store_free(shard->store);
    hub_arena_destroy(&shard->arena);
}

static struct hub_bytes kept(struct shard *shard, struct hub_bytes bytes) {
    return hub_bytes(hub_arena_text(&shard->arena, (const char *)bytes.data, bytes.size),
                     bytes.size);
}

struct hub_bytes shard_message(struct shard *shard, const struct hub_schema *schema,
                               const char *json) {
    HUB_SCOPED_BUFFER message = {0};
    hub_frame_append(&message, schema->id);
    hub_buffer_append_bytes(&message, test_value(schema->root, json, &shard->arena));
    return kept(shard, hub_buffer_bytes(&message));
}

static struct shard_record *add(struct shard *shard, enum hub_fold_topic topic,
                                struct hub_input input) {
    assert_true(shard->count < sizeof shard->records / sizeof *shard->records);
    struct shard_record *record = &shard->records[shard->count++];
    *record = (struct shard_record){.topic = topic, .input = input};
    return record;
}

static struct hub_input entry_of(const struct shard *shard, const char *key,
                                 struct hub_bytes message) {
    return (struct hub_input){.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(key),
                              .value = message,
                              .offset = shard->offset};
}

static void keep_output(struct shard *shard, const struct hub_output *output) {
    static const enum hub_fold_topic topics[HUB_OUTPUT_KINDS] = {
        [HUB_OUTPUT_UNIFIED] = HUB_FOLD_UNIFIED,
        [HUB_OUTPUT_CONFLICT] = HUB_FOLD_CONFLICT,
        [HUB_OUTPUT_MATCH] = HUB_FOLD_MATCH};
    if (output->kind == HUB_OUTPUT_IDENTIFIER)
        return;
    add(shard, topics[output->kind],
        (struct hub_input){.has_key = true,
                           .has_value = output->value.data != NULL,
                           .key = output->key,
                           .value = output->value,
                           .headers = output->headers,
                           .header_count = output->header_count,
                           .offset = shard->offset});
}

static enum hub_status tell(struct shard *shard, const char *key, struct hub_bytes message,
                            struct hub_outputs *outputs) {
    struct hub_input entry = entry_of(shard, key, message);
    *outputs = (struct hub_outputs){.arena = &shard->arena};
    HUB_TRY(hub_fold_entry(shard->fold, &entry, outputs, &shard->error));
    add(shard, HUB_FOLD_LOG, entry);
    for (size_t i = 0; i < outputs->count; i++)
        keep_output(shard, &outputs->items[i]);
    shard->offset++;
    return HUB_OK;
}

size_t shard_tell(struct shard *shard, const char *key, struct hub_bytes message) {
    struct hub_outputs outputs;
    expect_ok(tell(shard, key, message, &outputs), &shard->error);
    return outputs.count;
}

size_t shard_say(struct shard *shard, const char *key, const char *json) {
    return shard_tell(shard, key, shard_message(shard, shard->domain->schema, json));
}

enum hub_status shard_try(struct shard *shard, const char *key, struct hub_bytes message) {
    struct hub_outputs outputs;
    return tell(shard, key, message, &outputs);
}

struct shard_record *shard_record(struct shard *shard, enum hub_fold_topic topic,
                                  const char *key) {
    for (size_t i = shard->count; i > 0; i--)
        if (shard->records[i - 1].topic == topic &&
            hub_bytes_equal_text(shard->records[i - 1].input.key, key))
            return &shard->records[i - 1];
    return NULL;
}

struct shard_record *shard_add(struct shard *shard, enum hub_fold_topic topic, const char *key,
                               struct hub_bytes value, struct hub_bytes header) {
    struct shard_record *record = add(shard, topic, entry_of(shard, key, value));
    if (header.data != NULL)
        shard_set_hooks(shard, record, header);
    return record;
}

void shard_set_hooks(struct shard *shard, struct shard_record *record, struct hub_bytes header) {
    struct hub_header *only = hub_arena_take_zero(&shard->arena, 1, sizeof *only);
    *only = (struct hub_header){HUB_FOLD_HOOKS_HEADER, kept(shard, header)};
    record->input.headers = only;
    record->input.header_count = 1;
}

const char *shard_id(struct shard *shard, const char *identifier) {
    size_t count = 0;
    const char **ids = hub_fold_resolve(shard->fold, identifier, &shard->arena, &count);
    return count == 0 ? NULL : hub_arena_text(&shard->arena, ids[0], strlen(ids[0]));
}

enum hub_status shard_load(struct shard *shard) {
    char rules[HUB_RULES_HASH_SIZE + 1];
    size_t *steps = shard->store == NULL ? NULL : shard->store->steps;
    snprintf(rules, sizeof rules, "%s", hub_fold_rules(shard->fold));
    hub_fold_free(shard->fold);
    test_store_free(shard->store);
    shard->fold = new_fold(shard);
    shard->store = NULL;
    for (size_t i = 0; i < shard->count; i++) {
        const struct shard_record *record = &shard->records[i];
        if (record->stored && shard->store == NULL) {
            shard->store = test_store_new();
            shard->store->steps = steps;
            hub_fold_set_store(shard->fold, &shard->store->store);
        }
        if (!record->stored)
            HUB_TRY(hub_fold_load(shard->fold, record->topic, &record->input, &shard->error));
        else
            assert_true(test_store_put(shard->store, rules, record->topic, &record->input,
                                       shard->fold));
    }
    return hub_fold_loaded(shard->fold, &shard->error);
}

void shard_reload(struct shard *shard, bool stored) {
    for (size_t i = 0; i < shard->count; i++)
        shard->records[i].stored = stored;
    expect_ok(shard_load(shard), &shard->error);
}
