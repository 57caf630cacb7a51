/* Proofs as files: that a record is in a log, and that a log only grew. Whoever checks one needs the log's
 * key and nothing else. Pure but for the signature.
 *
 *   index 17                        beside the entry itself, REC.json, as REC.json.spicy: so torchwood's
 *   gSKyXoYZUgZ6jduWYrkDOARi...=    `spicy` reads it. The hashes of the proof, from the entry up,
 *   B95lDa8R83lS8n0eG+o0buTx...=
 *                                   an empty line,
 *   audit.example/log.slot-0        and the log's checkpoint, a signed note
 *   ...
 *
 * C2SP tlog-proof@v1 (REC.json.tlog-proof) is the same after a line `c2sp.org/tlog-proof@v1`, and maybe
 * one `extra BASE64` that nobody has signed. That a log only grew is a form of our own: a line
 * `atmp-hub/log-growth@v1`, the hashes, an empty line, the earlier checkpoint, an empty line, the
 * later one. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/leaf.h"
#include "hub/archive/merkle.h"

/* Its hashes in base64, one a line, and an empty line; and from the front of what is left, with the empty line:
 * false where that is none, or has too many. */
void hub_proof_append_hashes(const struct hub_proof *proof, struct hub_buffer *file);
bool hub_proof_take_hashes(struct hub_bytes *rest, struct hub_proof *ret_proof);

enum hub_proof_form { HUB_PROOF_SPICY, HUB_PROOF_TLOG };

enum { HUB_PROOF_FILE_SIZE_MAX = 2 * HUB_NOTE_SIZE_MAX + 128 * 1024 };

/* As a file says it. */
struct hub_inclusion {
    enum hub_proof_form form;
    uint64_t index;
    struct hub_proof proof;
    struct hub_bytes checkpoint; /* the note; where the file is */
};

void hub_inclusion_append(const struct hub_inclusion *inclusion, struct hub_buffer *file);
/* HUB_REJECT where it is neither form. Nothing of what it says is looked at. */
HUB_MUST_USE enum hub_status hub_inclusion_read(struct hub_bytes file,
                                                struct hub_inclusion *ret_inclusion,
                                                struct hub_error *reterr);
/* HUB_REJECT where it does not show that the entry is in the log of that key. */
HUB_MUST_USE enum hub_status hub_inclusion_check(struct hub_bytes file, struct hub_bytes entry,
                                                 const struct hub_note_key *key,
                                                 struct hub_inclusion *ret_inclusion,
                                                 struct hub_checkpoint *ret_checkpoint,
                                                 struct hub_error *reterr);

/* The notes of the two checkpoints. */
void hub_growth_append(const struct hub_proof *proof, struct hub_bytes from, struct hub_bytes to,
                       struct hub_buffer *file);
bool hub_growth_is(struct hub_bytes file); /* by its first line */
/* HUB_REJECT where it does not show that the later log of that key begins with the earlier one. */
HUB_MUST_USE enum hub_status hub_growth_check(struct hub_bytes file, const struct hub_note_key *key,
                                              struct hub_checkpoint *ret_from,
                                              struct hub_checkpoint *ret_to,
                                              struct hub_error *reterr);

/* Whether a segment that begins with it holds the record that an entry is of: HUB_REJECT where it does not.
 * So a record may go with its proof, as a segment of its own. */
HUB_MUST_USE enum hub_status hub_proof_check_record(struct hub_bytes segment, uint64_t index,
                                                    const struct hub_leaf *leaf,
                                                    struct hub_error *reterr);
