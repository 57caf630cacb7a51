/* A spool of a test's own, under a key of its own. */
#pragma once

#include "connectors/kit/spool.h"
#include "tests/lib/folder.h"
#include "tests/lib/reading.h"

struct spooling {
    struct folder folder;
    struct hub_keys keys;
    struct hub_spool_config config;
    struct hub_spool *spool;
};

/* For a transport of that name, which `reading` opens next. */
void spooling_begin(struct spooling *spooling, struct reading *reading, const char *transport,
                    int64_t size_max_bytes);
void spooling_end(struct spooling *spooling);
/* How many documents are in it. */
size_t spooling_count(struct spooling *spooling);

/* As if killed now: what the transport has in memory is gone, and nothing more is kept. Opens it again with options and
 * a position. */
void spooling_kill(struct spooling *spooling, struct reading *reading, const char *options,
                   const char *position);
