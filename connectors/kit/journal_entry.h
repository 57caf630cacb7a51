/* One entry of a journal (connectors/kit/journal.h), as bytes:
 *
 *    0  8   "ATMPJRN" and the format's number, 1
 *    8 64   the id of the key, filled up with zeros
 *   72  4   the size of what is sealed, the highest byte first
 *   76  4   the first bytes of the SHA-256 of the 76 before
 *   80      sealed (hub/io/crypto.h) with these 80 beside it: the nonce; the ciphertext of the sequence, the
 *           time, flags, the percentage of a snapshot, the name, the context, why it was refused, with
 *           which code, and the document's own bytes; and the tag
 *
 * An entry is found again by its head behind whatever does not belong there. */
#pragma once

#include "connectors/kit/transport.h"
#include "hub/base/digest.h"

enum { HUB_JOURNAL_HEAD_SIZE = 80, HUB_JOURNAL_KEY_ID_MAX = 64 };

struct hub_journal_entry {
    int64_t sequence;    /* of the document */
    int64_t received_ms; /* since 1970-01-01T00:00:00Z */
    bool empty;          /* the sequence went without a document */
    struct hub_raw_document document;
};

/* Appends an entry. HUB_FATAL where it cannot be sealed. */
HUB_MUST_USE enum hub_status hub_journal_entry_append(const struct hub_journal_entry *entry,
                                                      const struct hub_digest *key,
                                                      const char *key_id,
                                                      struct hub_buffer *buffer,
                                                      struct hub_error *reterr);

/* Where an entry is. */
struct hub_journal_place {
    size_t from, to;
    char key_id[HUB_JOURNAL_KEY_ID_MAX + 1];
};
/* The first one at or behind `from` that is there as long as its head says; false: there is none. */
bool hub_journal_entry_find(struct hub_bytes bytes, size_t from,
                            struct hub_journal_place *ret_place);

/* What stands there; false where it is not what was written with this key. Texts are in the arena, the
 * context is the caller's, the bytes are in `plain`. */
bool hub_journal_entry_read(struct hub_bytes bytes, const struct hub_journal_place *place,
                            const struct hub_digest *key, struct hub_arena *arena,
                            struct hub_buffer *plain, struct hub_journal_entry *ret_entry);
