/* Retrying dead letters: of a document that is mapped again by the present configuration, only what a letter is about.
 *
 * As connectors/kit/remap.h, and with the same struct: nothing here reads or writes Kafka, and what is published
 * is never overwritten by something older. */
#pragma once

#include "connectors/kit/remap.h"
#include "schemas/lib/deadletter.h"


/* A document with dead letters, as the present configuration maps it. */
struct hub_remap_reading;
/* In the arena; its sequence is the one that the journal has it under. */
struct hub_remap_reading *hub_remap_read(struct hub_remap *remap,
                                         const struct hub_raw_document *document, int64_t sequence,
                                         int64_t next, struct hub_arena *arena);

/* What a dead letter comes to now. */
struct hub_remap_retry {
    bool found; /* else nothing is at its place any more, and the rest tells nothing */
    enum hub_letter_outcome outcome;          /* REFUSED where anything at its place is refused still */
    const struct hub_outgoing *refusal;       /* ... the first of those */
    const struct hub_remap_change *changes;   /* what is to be published all the same */
    size_t change_count;
    const char *const *keys, *const *refused; /* of all that is at its place; of what is refused there */
    size_t key_count, refused_count;
};

/* Of the records at the letter's place, in a document that could not be read of all, those are to be published
 * that say something else than what is published, and that nothing has been said after: neither by a
 * later document, nor by a later version of the source, nor further on in the same document. `letter` is the
 * document and the place as the letter tells them. In the arena. */
void hub_remap_retry(struct hub_remap *remap, const struct hub_remap_reading *reading,
                     const char *letter, struct hub_arena *arena,
                     struct hub_remap_retry *ret_retry);

/* Whether what is published under the key is of a later document than that of the sequence. */
bool hub_remap_is_said_after(const struct hub_remap *remap, const char *key, int64_t sequence);
