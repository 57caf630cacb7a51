/* Looking after connectors that run: `connector status`, `pause`, `resume`, `retry`, `stop`, `position` and
 * `remap`. */
#pragma once

#include "connectors/kit/config.h"

struct operation {
    const char *state_folder, *bootstrap;
    const char *who, *reason; /* who asks, and why; the reason may be NULL */
    const char *to;           /* position: where to go on, or NULL */
    const char *since;        /* remap: in UTC, a day or a day and a time; or NULL */
    const char *letters;      /* remap: places of dead letters, or "all"; or NULL */
    bool json, dry_run;
};

/* Each gives an exit code of the program: 0, 1 with a word on standard error, or 5 where Kafka is out of
 * reach. */
int operate_status(const struct operation *operation, char **names, int count);
int operate_pause(const struct operation *operation, const char *name);
int operate_resume(const struct operation *operation, const char *name);
int operate_retry(const struct operation *operation, const char *name);
int operate_stop(const struct operation *operation, const char *name);
int operate_position(const struct operation *operation, const struct hub_connector *connector);
/* In connectors/remap.c. */
int operate_remap(const struct operation *operation, const struct hub_connector *connector);
/* In connectors/letters.c. */
int operate_letters(const struct operation *operation, const struct hub_connector *connector);
