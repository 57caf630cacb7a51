/* Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature, which anybody
 * may add to. And cosignatures (C2SP tlog-cosignature): by which a witness says when it saw a log's
 * checkpoint, and that what it had seen before is still in it.
 *
 *   audit.example/log.trial-0
 *   1234
 *   2lJf...=
 *
 *   — audit.example/log.trial-0 6rSf...=
 *
 * Whoever checks knows the keys it believes, and passes over all others. */
#pragma once

#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "hub/io/crypto.h"

enum { HUB_NOTE_SIZE_MAX = 64 * 1024, HUB_NOTE_NAME_MAX = 255 };

enum hub_note_kind { HUB_NOTE_SIGNATURE = 1, HUB_NOTE_COSIGNATURE = 4 };

/* Who signs, or is believed. A name has no spaces and no '+'. */
struct hub_note_key {
    char name[HUB_NOTE_NAME_MAX + 1];
    enum hub_note_kind kind;
    uint32_t id; /* made of the name, the kind and the public key */
    struct hub_ed25519_key public;
};

/* Of a private key. HUB_FATAL where the name is none. */
HUB_MUST_USE enum hub_status hub_note_key_make(const char *name, enum hub_note_kind kind,
                                               const struct hub_ed25519_key *private,
                                               struct hub_note_key *ret_key,
                                               struct hub_error *reterr);
/* The same of a public one. */
HUB_MUST_USE enum hub_status hub_note_key_of(const char *name, enum hub_note_kind kind,
                                             const struct hub_ed25519_key *public,
                                             struct hub_note_key *ret_key,
                                             struct hub_error *reterr);
/* As NAME+ID+KEY, which others write and read ("vkey"). */
void hub_note_key_append(const struct hub_note_key *key, struct hub_buffer *buffer);
/* HUB_REJECT where the text is none. */
HUB_MUST_USE enum hub_status hub_note_key_read(struct hub_bytes text, struct hub_note_key *ret_key,
                                               struct hub_error *reterr);

/* Appends the line of a signature of the text, which ends with a line break. */
void hub_note_sign(const struct hub_note_key *key, const struct hub_ed25519_key *private,
                   struct hub_bytes text, struct hub_buffer *buffer);
/* The same as a witness's, who saw it at that time, in seconds since 1970-01-01T00:00:00Z. */
void hub_note_cosign(const struct hub_note_key *key, const struct hub_ed25519_key *private,
                     uint64_t time_s, struct hub_bytes text, struct hub_buffer *buffer);

/* The text of a note, with its last line break, and the lines of its signatures. HUB_REJECT where it is
 * no note: what was signed is not looked at. */
HUB_MUST_USE enum hub_status hub_note_open(struct hub_bytes note, struct hub_bytes *ret_text,
                                           struct hub_bytes *ret_lines, struct hub_error *reterr);
/* Whether one of the lines is a signature of the text by the key; of a cosignature also when
 * (`ret_time_s`, which may be NULL). A line of its name and id that is not one is HUB_REJECT, as
 * is a note without any. */
HUB_MUST_USE enum hub_status hub_note_check(struct hub_bytes text, struct hub_bytes lines,
                                            const struct hub_note_key *key, uint64_t *ret_time_s,
                                            struct hub_error *reterr);
