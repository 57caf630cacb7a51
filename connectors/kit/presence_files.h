/* The files by which a connector and who looks after it tell each other (connectors/kit/presence.h). */
#pragma once

#include "hub/base/memory.h"
#include "hub/base/status.h"

#include <jansson.h>

#define HUB_LOCK_FILE "lock"
#define HUB_STATUS_FILE "status.json"
#define HUB_WISH_FILE "wish.json"
#define HUB_WISHES_FILE "wishes.jsonl"

/* STATE/connectors/NAME, and a file in such a folder; in the arena. */
const char *hub_presence_folder(const char *state_folder, const char *name,
                                struct hub_arena *arena);
const char *hub_presence_path(const char *folder, const char *file, struct hub_arena *arena);
/* NULL where the file is not there, or is none of ours. The caller's. */
json_t *hub_presence_load(const char *folder, const char *file);
/* Wholly or not at all. HUB_RETRY on a full disk, else HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_presence_write(const char *folder, const char *file,
                                                const json_t *value, struct hub_error *reterr);
