/* What an MLLP receiver remembers: how many documents it has handed on, and marks of the last frames, by
 * which one that comes again is known. Rendered, it is the position. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

enum {
    HUB_MLLP_REMEMBERED = 256,
    HUB_MLLP_MARK_SIZE = 26, /* a letter for what came of it, a part of its digest, a zero byte */
};

struct hub_mllp_told {
    int64_t received; /* documents */
    size_t count, next;
    char marks[HUB_MLLP_REMEMBERED][HUB_MLLP_MARK_SIZE]; /* a ring */
};

/* `outcome` is a letter: the same bytes that came to something else are another frame. False where it
 * was remembered before. */
bool hub_mllp_told_add(struct hub_mllp_told *told, char outcome, const struct hub_digest *digest);

/* Reads a position, or NULL for a first run. What was read by another configuration is forgotten, so
 * that it is read by this one when it is sent again; without a configuration nothing is. HUB_FATAL where it
 * is none. */
HUB_MUST_USE enum hub_status hub_mllp_told_read(const char *position, const char *configuration,
                                                struct hub_mllp_told *told,
                                                struct hub_error *reterr);
/* In the arena. */
const char *hub_mllp_told_render(const struct hub_mllp_told *told, const char *configuration,
                                 struct hub_arena *arena);
