/* Time zones by their IANA names: what a clock on a wall says, as an instant.
 *
 * Read from the system's zone files (RFC 8536), /usr/share/zoneinfo, once, when a configuration is
 * loaded. A local time may stand for no instant (the hour that is skipped in spring) or for two
 * (the hour that comes twice in autumn). After the last change that a file lists nothing is known,
 * unless it says that no more will come. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <stdint.h>

struct hub_zone;

/* The zone lives in the arena. HUB_REJECT where there is no such zone, or its file is none. */
HUB_MUST_USE enum hub_status hub_zone_load(const char *name, struct hub_arena *arena,
                                           const struct hub_zone **ret_zone,
                                           struct hub_error *reterr);

/* The same, from the bytes of a zone file; `name` is for messages. */
HUB_MUST_USE enum hub_status hub_zone_read(const char *name, struct hub_bytes file,
                                           struct hub_arena *arena,
                                           const struct hub_zone **ret_zone,
                                           struct hub_error *reterr);

/* How many instants a local time (in seconds, as if it were UTC) stands for: 0, 1 or 2. Their
 * offsets from UTC, in seconds east, the earlier instant's first, in an array of two. */
size_t hub_zone_offsets(const struct hub_zone *zone, int64_t local_s, int32_t *ret_offsets_s);
