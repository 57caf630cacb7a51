/* Keys for pseudonyms, of the journal, and of what is sealed.
 *
 * A folder with the parts `shared` (the cooperation's key, held by the institutions' connectors and
 * never by the hub), `local` (the institution's own), `journal` and `sealing` (the institution's, too:
 * connectors/kit/journal.h, connectors/kit/subject.h); in each one file a key, named by its id. The last id by name is in use;
 * the others stay readable. A file whose name ends in `.next` is held and not in use, until it is
 * renamed to its id: so a key can be handed out everywhere before anybody uses it.
 *
 * Institutions do not go from one shared key to the next at one moment. While one holds both, what
 * identifies is told under both (connectors/kit/mapping.h), so that it joins whoever has changed. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

enum { HUB_KEY_SIZE_MIN = 32, HUB_KEY_SIZE_MAX = 1024, HUB_KEYS_EARLIER_MAX = 3 };

#define HUB_JOURNAL_KEYS "journal" /* the parts */
#define HUB_SEALING_KEYS "sealing"
#define HUB_KEY_NEXT ".next"       /* what the name of one that is not in use yet ends in */

struct hub_key {
    const char *id; /* NULL: there is none */
    struct hub_bytes bytes;
};

/* Where a subject (connectors/kit/subject.h) has no key. */
enum hub_subjects {
    HUB_SUBJECTS_TRIED = 0, /* what is sealed for it is tried only, and goes nowhere */
    HUB_SUBJECTS_MADE,      /* it is made one */
    HUB_SUBJECTS_KNOWN,     /* nothing is sealed: what is told again may be of one whose key was destroyed */
};

struct hub_keys {
    struct hub_key shared, local, journal, sealing; /* in use */
    struct hub_key earlier[HUB_KEYS_EARLIER_MAX]; /* shared ones before that, the newest first */
    size_t earlier_count;
    const char *folder; /* or NULL */
    bool trial;
    enum hub_subjects subjects;
};

/* A NULL folder gives keys that everybody knows (id `trial`), for trying configurations: nothing made
 * with them may be published. HUB_FATAL where a key cannot be read, or has not the size of one; where
 * one is there as `.next` too and is another; and where more shared ones are held than are told under. */
HUB_MUST_USE enum hub_status hub_keys_load(const char *folder, struct hub_arena *arena,
                                           struct hub_keys *ret_keys, struct hub_error *reterr);

/* The key of that id in a part; one that is not in use yet is none. HUB_REJECT where there is none,
 * HUB_FATAL as above. */
HUB_MUST_USE enum hub_status hub_keys_find(const struct hub_keys *keys, const char *part,
                                           const char *id, struct hub_arena *arena,
                                           struct hub_key *ret_key, struct hub_error *reterr);

/* All keys of a part that are or were in use, the newest first; HUB_FATAL where there are more than `most`. */
HUB_MUST_USE enum hub_status hub_keys_all(const struct hub_keys *keys, const char *part, size_t most,
                                          struct hub_arena *arena, struct hub_key *ret_keys,
                                          size_t *ret_count, struct hub_error *reterr);

/* Appends `ps:<key id>:<128 bits in hexadecimal>`: HMAC-SHA-256 of the purpose and the value, cut.
 * Equal values under one key and purpose give equal pseudonyms, and nothing else does. */
void hub_pseudonym_append(const struct hub_key *key, const char *purpose, struct hub_bytes value,
                          struct hub_buffer *buffer);

/* Appends a table of the keys in a folder: of each what it is for, and a check of 64 bits, which is the same
 * wherever the key is, and from which nobody learns the key. One that is none is told with its reason
 * instead, and counted. HUB_FATAL where there is no such folder, or a part of it cannot be read. */
HUB_MUST_USE enum hub_status hub_keys_describe(const char *folder, struct hub_buffer *text,
                                               size_t *ret_unfit, struct hub_error *reterr);
