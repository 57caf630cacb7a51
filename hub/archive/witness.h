/* A witness of logs (C2SP tlog-witness): it remembers of each log the last checkpoint that it cosigned, and
 * cosigns another only where the log begins with that one. Whoever has its key and one of its cosignatures
 * knows that the log told nobody else another history.
 *
 *   old 2085                     what it is asked (POST /add-checkpoint): from which size on,
 *   PlRNCrwHpqhGrupue0L7gx...=   the proof that the log only grew,
 *                                an empty line,
 *   audit.example/rollup         and the checkpoint, a signed note
 *   ...
 *
 * FOLDER/ID is the last checkpoint that it cosigned of a log, by the id of the log's key; FOLDER/ID.refused
 * the last that was signed by the log and is of another history: the evidence. */
#pragma once

#include "hub/archive/checkpoint.h"
#include "hub/archive/proof.h"

enum { HUB_WITNESS_REQUEST_SIZE_MAX = HUB_NOTE_SIZE_MAX + 16 * 1024 };

struct hub_witness {
    const char *folder; /* is made where it is missing */
    struct hub_note_key key; /* HUB_NOTE_COSIGNATURE */
    const struct hub_ed25519_key *private;
    const struct hub_note_key *logs; /* whose checkpoints it cosigns */
    size_t log_count;
};

/* As HTTP has it: 200 with the cosignature's line; 409 with the size that it has seen, or where that size had
 * another root; 422 where the proof shows nothing; 404 and 403 where the log is not known, or has not
 * signed; 400 where it is no request; 500 where it cannot remember. */
struct hub_witness_reply {
    unsigned status;
    const char *content_type;
    struct hub_buffer body;
    bool forked; /* the log has signed another history than it did before */
    struct hub_error error; /* why not, of all but 200 */
};

/* At that time, in seconds since 1970. One at a time for one folder: the caller sees to that. What it
 * cosigns is on the disk before. */
void hub_witness_answer(const struct hub_witness *witness, struct hub_bytes request,
                        uint64_t time_s, struct hub_witness_reply *reply);

/* What a log asks of a witness. */
void hub_witness_append_request(uint64_t old_size, const struct hub_proof *proof,
                                struct hub_bytes checkpoint, struct hub_buffer *request);
