/* The source records that admit knows, of each the statement in force: what it publishes in the
 * admitted topic, and reads there. What is loaded is put away, and read when its key is asked for. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "hub/stages/shelf.h"
#include "schemas/lib/catalogue.h"

enum { HUB_SOURCE_VERSION_ROOM = 32 };

/* One source record. */
struct hub_source {
    struct hub_digest hash;
    const struct hub_system *system; /* whose it is, once a record of it was accepted since it was loaded */
    uint32_t rest_size; /* then: of what followed the stamp; 0 where that was not as it would be written */
    int32_t shard;
    int64_t event_time_ms;
    bool has_event_time;
    bool withdrawn;
    bool is_fresh;   /* among the fresh ones */
    uint8_t outcome; /* of the record that was published of it last */
    uint32_t version_size, key_size;
    char *version;      /* as hub_source_set_version keeps it */
    const char *status; /* life-cycle state, or NULL */
    char room[HUB_SOURCE_VERSION_ROOM];
    char key[]; /* <system>/<source id> */
};

struct hub_source_place;
struct hub_source_status;

struct hub_sources {
    const struct hub_schema *schema; /* Admitted */
    struct hub_source_place *places; /* those that were asked for: a table, by key */
    size_t place_count, awake;       /* how many it has room for, and has */
    struct hub_arena arena;          /* what they are made of */
    struct hub_source_status *statuses; /* each once */
    struct hub_source **fresh; /* those that something was published of since they were given last */
    size_t fresh_count, fresh_capacity;
    struct hub_shelf *shelf;            /* what was loaded */
    const struct hub_store *store;      /* what else there is; or NULL */
};

void hub_sources_init(struct hub_sources *sources, const struct hub_catalogue *catalogue);
void hub_sources_free(struct hub_sources *sources);

/* The one hook of a record of the admitted topic. */
uint64_t hub_sources_hook(struct hub_bytes key);

/* Puts a record of the admitted topic away. */
void hub_sources_load(struct hub_sources *sources, struct hub_bytes key, struct hub_bytes value);

/* The source of that key and hook, where it was asked for before; else NULL. */
struct hub_source *hub_sources_awake(const struct hub_sources *sources, struct hub_bytes key,
                                     uint64_t hook);
/* The same, asked for now; NULL for a new one. HUB_FATAL where its record cannot be read; what the store
 * says. */
HUB_MUST_USE enum hub_status hub_sources_find(struct hub_sources *sources, struct hub_bytes key,
                                              uint64_t hook, struct hub_source **ret_source,
                                              struct hub_error *reterr);
struct hub_source *hub_sources_add(struct hub_sources *sources, struct hub_bytes key,
                                   uint64_t hook);

void hub_source_set_version(struct hub_source *source, struct hub_bytes version);
/* Without data: none. */
void hub_source_set_status(struct hub_sources *sources, struct hub_source *source,
                           struct hub_bytes status);

/* Appends the value that is published of a source; `outcome` is the index of a symbol of Outcome. */
void hub_sources_publish(struct hub_sources *sources, struct hub_source *source, unsigned outcome,
                         struct hub_buffer *value);
/* Gives the record that was published last of each fresh source; none of them is fresh then. A key and a
 * value live as long as the call. */
void hub_sources_give_fresh(struct hub_sources *sources,
                            void (*take)(void *context, struct hub_bytes key, struct hub_bytes value),
                            void *context);
