/* The dead letter: what was refused, with its original bytes, and why. */
#pragma once

#include "hub/base/digest.h"
#include "hub/base/bytes.h"

/* What became of a dead letter, in the order of DeadLetterOutcomeKind. REFUSED again, it is open still. */
enum hub_letter_outcome {
    HUB_LETTER_PUBLISHED,
    HUB_LETTER_UNCHANGED,
    HUB_LETTER_SUPERSEDED,
    HUB_LETTER_SKIPPED,
    HUB_LETTER_REFUSED,
    HUB_LETTER_DISCARDED,
    HUB_LETTER_UNRECOGNISED /* by this version */
};
const char *hub_letter_outcome_name(enum hub_letter_outcome outcome); /* its symbol */

struct hub_letter_about {
    int64_t offset; /* of the letter, in its own topic */
    enum hub_letter_outcome outcome;
    const char *because, *by;
    int64_t time_ms;
};

/* Texts may be NULL where nothing is known, but for the first three. */
struct hub_deadletter {
    const char *stage;  /* transport, parse, map, guard, encode, admit, deliver */
    const char *code;   /* from a closed list, for counting */
    const char *reason; /* one sentence, without personal values */
    const char *path;
    const char *institution;
    const char *connector;
    const char *document;
    const char *topic;
    int32_t partition; /* read where topic is not NULL */
    int64_t offset;
    struct hub_bytes key;      /* no data: none */
    struct hub_bytes original; /* no data: held back */
    struct hub_digest original_hash;
    bool security; /* it claims to come from another institution */
    const struct hub_letter_about *about; /* NULL: it is a letter of its own */
};

/* Appends what tells the letter from others: all of it but the original bytes, for which their hash stands,
 * and what became of it. */
void hub_deadletter_identity(const struct hub_deadletter *letter, struct hub_buffer *buffer);

/* Appends the body of a DeadLetter record (schemas/hub/deadletter.avsc). */
void hub_deadletter_encode(const struct hub_deadletter *letter, struct hub_buffer *buffer);
