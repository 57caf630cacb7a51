/* Keys for pseudonyms, and of the journal.
 *
 * A folder with the parts `shared` (the cooperation's key, held by the institutions' connectors and
 * never by the hub), `local` (the institution's own) and `journal` (the institution's, too:
 * connectors/kit/journal.h); in each one file a key, named by its id. The last id by name is in use;
 * the others stay readable. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

enum { HUB_KEY_SIZE_MIN = 32, HUB_KEY_SIZE_MAX = 1024 };

#define HUB_JOURNAL_KEYS "journal" /* the part */

struct hub_key {
    const char *id; /* NULL: there is none */
    struct hub_bytes bytes;
};

struct hub_keys {
    struct hub_key shared, local, journal;
    const char *folder; /* or NULL */
    bool trial;
};

/* A NULL folder gives keys that everybody knows (id `trial`), for trying configurations: nothing made
 * with them may be published. HUB_FATAL where a key cannot be read, or has not the size of one. */
HUB_MUST_USE enum hub_status hub_keys_load(const char *folder, struct hub_arena *arena,
                                           struct hub_keys *ret_keys, struct hub_error *reterr);

/* The key of that id in a part. HUB_REJECT where there is none, HUB_FATAL as above. */
HUB_MUST_USE enum hub_status hub_keys_find(const struct hub_keys *keys, const char *part,
                                           const char *id, struct hub_arena *arena,
                                           struct hub_key *ret_key, struct hub_error *reterr);

/* Appends `ps:<key id>:<128 bits in hexadecimal>`: HMAC-SHA-256 of the purpose and the value, cut.
 * Equal values under one key and purpose give equal pseudonyms, and nothing else does. */
void hub_pseudonym_append(const struct hub_key *key, const char *purpose, struct hub_bytes value,
                          struct hub_buffer *buffer);
