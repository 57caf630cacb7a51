/* Statements in force, read from the log as entities' unified records list them, and the
 * configurations that mapped them. */
#pragma once

#include "connectors/kit/config.h"
#include "hub/core/merge.h"
#include "hub/ctl/read.h"
#include "hub/stages/readers.h"

/* Where a statement is from. */
struct hub_ctl_origin {
    const char *entity;
    const char *document; /* as the connector named it; "" where it did not */
    const char *place;    /* in the document: "line=17", "element=3" or "" */
    int64_t offset;       /* in the log */
    bool has_raw_hash, has_mapping_hash;
    struct hub_digest raw_hash, mapping_hash; /* of the document, of the configuration */
};

struct hub_ctl_voices {
    const struct hub_domain *domain;
    struct hub_readers readers;
    struct hub_source *source;
    struct hub_arena arena;
    struct hub_voice *items;
    struct hub_ctl_origin *origins; /* of each item */
    size_t count, capacity;
};

/* False where there is nothing to read, which has been said. */
bool hub_ctl_voices_open(struct hub_ctl *ctl, const struct hub_domain *domain,
                         struct hub_ctl_voices *voices);
void hub_ctl_voices_close(struct hub_ctl_voices *voices);
/* Forgets all that were added. */
void hub_ctl_voices_clear(struct hub_ctl_voices *voices);
/* Adds the statements of a record of hub_ctl_latest, in its order. False where one could not be
 * read, which has been said. */
bool hub_ctl_voices_add(struct hub_ctl_voices *voices, const json_t *record);

/* The configurations under a folder, each read when its hash is first asked for. */
struct hub_ctl_configuration {
    const char *file;
    struct hub_digest hash;
    struct hub_connector *connector; /* NULL: not read yet, or it cannot be */
    const char *unreadable;          /* why not, or NULL */
};

struct hub_ctl_configurations {
    const struct hub_catalogue *catalogue;
    struct hub_arena arena;
    struct hub_ctl_configuration *items;
    size_t count, capacity;
};

/* <folder>/<institution>/<name>.yaml, and <folder>/<name>.yaml. A folder that is not there has
 * none. */
void hub_ctl_configurations_open(const struct hub_catalogue *catalogue, const char *folder,
                                 struct hub_ctl_configurations *configurations);
void hub_ctl_configurations_close(struct hub_ctl_configurations *configurations);
/* The one with that hash; NULL where there is none. */
const struct hub_ctl_configuration *
hub_ctl_configurations_find(struct hub_ctl_configurations *configurations,
                            const struct hub_digest *hash);
