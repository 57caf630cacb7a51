/* The keys that hubctl archive believes. */
#pragma once

#include "hub/archive/note.h"
#include "hub/ctl/ctl.h"

struct hub_ctl_keys {
    struct hub_note_key *items;
    bool *used; /* by a log of its own name */
    size_t count;
    size_t capacity, used_capacity;
};

/* Those of --key: a file of keys (NAME+ID+KEY), one a line, or one itself. None without it. False where
 * it is none, which has been said. */
bool hub_ctl_keys_load(const struct hub_ctl *ctl, struct hub_ctl_keys *keys);
void hub_ctl_keys_free(struct hub_ctl_keys *keys);
/* The one of that log, or of another of its deployment, as all have one key. HUB_REJECT where there is none. */
HUB_MUST_USE enum hub_status hub_ctl_keys_find(struct hub_ctl_keys *keys, struct hub_bytes origin,
                                               struct hub_note_key *ret_key,
                                               struct hub_error *reterr);
/* The same of the log in that folder; where there are no keys, its own (log.vkey). HUB_FATAL where it cannot be
 * read. */
HUB_MUST_USE enum hub_status hub_ctl_keys_of(struct hub_ctl_keys *keys, const char *folder,
                                             struct hub_note_key *ret_key,
                                             struct hub_error *reterr);
/* Writes the record of that offset, and its proofs, as `archive prove` does: PREFIX.json and so on. HUB_REJECT
 * where there is none, HUB_FATAL where a file cannot be read or written. */
HUB_MUST_USE enum hub_status hub_ctl_prove_offset(const char *folder,
                                                  const struct hub_note_key *key, int64_t offset,
                                                  const char *prefix, struct hub_error *reterr);
/* A whole number that is not negative. */
bool hub_ctl_number(const char *text, uint64_t *ret_number);
