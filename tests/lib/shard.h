/* One shard, record by record: what its fold was given and has published, to be changed by a test, and
 * loaded anew from the fold's topics or from a store. */
#pragma once

#include "tests/lib/loading.h"

struct shard_record {
    enum hub_fold_topic topic;
    struct hub_input input;
    bool stored; /* it is in the store, not loaded */
};

struct shard {
    struct hub_arena arena; /* of everything here */
    const struct hub_domain *domain;
    struct hub_fold *fold;
    struct test_store *store; /* beside the fold; its steps may be set */
    struct shard_record records[160];
    size_t count;
    int64_t offset;
    struct hub_error error;
};

void shard_begin(struct shard *shard, const char *domain);
void shard_end(struct shard *shard);

/* A framed record of a schema, by test_value. */
struct hub_bytes shard_message(struct shard *shard, const struct hub_schema *schema,
                               const char *json);
/* Folds an entry of the log, and keeps it with what is published; returns how much that is. */
size_t shard_tell(struct shard *shard, const char *key, struct hub_bytes message);
/* The same with a statement of the domain. */
size_t shard_say(struct shard *shard, const char *key, const char *json);
/* As shard_tell, where the fold may fail; nothing is kept then. */
HUB_MUST_USE enum hub_status shard_try(struct shard *shard, const char *key,
                                       struct hub_bytes message);

/* The last record of a key; NULL where there is none. */
struct shard_record *shard_record(struct shard *shard, enum hub_fold_topic topic, const char *key);
/* A record that no fold has written. Its header is hub_hooks; NULL data: none. */
struct shard_record *shard_add(struct shard *shard, enum hub_fold_topic topic, const char *key,
                               struct hub_bytes value, struct hub_bytes header);
/* Replaces the header. */
void shard_set_hooks(struct shard *shard, struct shard_record *record, struct hub_bytes header);
/* The first id of those that an identifier leads to, or NULL. */
const char *shard_id(struct shard *shard, const char *identifier);

/* A new fold in place of the one before, from the records as they are now: of what is stored, the store
 * has the last. */
HUB_MUST_USE enum hub_status shard_load(struct shard *shard);
/* Everything is stored, or nothing; and loaded. */
void shard_reload(struct shard *shard, bool stored);
