/* What admit writes to a domain's log: a statement under its key, with where it came from and what it
 * replaced. */
#pragma once

#include "hub/stages/admit_sources.h"

enum hub_admit_told { HUB_ADMIT_REGISTERED = 0, HUB_ADMIT_UPDATED, HUB_ADMIT_WITHDRAWN };

/* Texts that every entry begins with. */
struct hub_admit_log {
    struct hub_bytes key;      /* <institution>/ */
    struct hub_bytes late_key; /* late/<institution>/ */
    struct hub_bytes origin;   /* <ingest topic>/ */
    struct hub_bytes type;     /* atmp.<domain>. */
    struct hub_bytes told[HUB_ADMIT_WITHDRAWN + 1];
    struct hub_arena arena;
};

void hub_admit_log_init(struct hub_admit_log *log, const char *domain, const char *institution,
                        const char *topic);
void hub_admit_log_free(struct hub_admit_log *log);

struct hub_admit_entry {
    bool is_late;
    int32_t shard;
    enum hub_admit_told told;
    const struct hub_source *replaced; /* NULL: nothing */
};

/* An entry without its value, of that input. */
struct hub_output *hub_admit_log_write(const struct hub_admit_log *log,
                                       const struct hub_admit_entry *entry,
                                       const struct hub_input *input, struct hub_outputs *outputs);
