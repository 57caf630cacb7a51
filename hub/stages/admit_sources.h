/* The source records that admit knows, of each the statement in force: what it publishes in the
 * admitted topic, and reads there. What is loaded is put away, and read when its key is asked for. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/table.h"
#include "hub/stages/shelf.h"
#include "schemas/lib/catalogue.h"

/* One source record. */
struct hub_source {
    UT_hash_handle hh;
    char *key; /* <system>/<source id> */
    int32_t shard;
    char *version;
    bool has_event_time;
    int64_t event_time_ms;
    struct hub_digest hash;
    char *status; /* life-cycle state, or NULL */
    bool withdrawn;
};

struct hub_sources {
    const struct hub_schema *schema; /* Admitted */
    struct hub_source *awake;        /* those that were asked for, by key */
    struct hub_shelf *shelf;         /* what was loaded */
    const struct hub_store *store;   /* what else there is; or NULL */
};

void hub_sources_init(struct hub_sources *sources, const struct hub_catalogue *catalogue);
void hub_sources_free(struct hub_sources *sources);

/* The one hook of a record of the admitted topic. */
uint64_t hub_sources_hook(struct hub_bytes key);

/* Puts a record of the admitted topic away. */
void hub_sources_load(struct hub_sources *sources, struct hub_bytes key, struct hub_bytes value);

/* The source of that key; NULL for a new one. HUB_FATAL where its record cannot be read; what the store
 * says. */
HUB_MUST_USE enum hub_status hub_sources_find(struct hub_sources *sources, struct hub_bytes key,
                                              struct hub_source **ret_source,
                                              struct hub_error *reterr);
struct hub_source *hub_sources_add(struct hub_sources *sources, struct hub_bytes key);

/* Appends the value that is published of a source; `outcome` is the index of a symbol of Outcome. */
void hub_source_encode(const struct hub_sources *sources, const struct hub_source *source,
                       int outcome, struct hub_buffer *value);
